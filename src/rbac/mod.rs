//! Who may do what: RBAC rules and bindings, resolved to an index.
//!
//! Rules only ever add (Kubernetes has no deny), so resolution is a union and its order cannot matter. Built
//! once; each question is then a look-up.
//!
//! **Trap.** A `RoleBinding` may name a `ClusterRole`; its rules then hold in the binding's namespace only.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

mod identity;
pub mod power;

pub use identity::Identity;
pub use power::{Power, Right, Scope};

use crate::model::{Cluster, Diagnostic, ObjectId};

/// Why something is allowed: a rule of a role, given by a binding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// The RoleBinding or ClusterRoleBinding.
    pub binding: ObjectId,
    /// The Role or ClusterRole.
    pub role: ObjectId,
    /// The index in the role's `rules`.
    pub rule: usize,
}

/// One power that one subject of a binding holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Who holds it: the binding's own subject, a group too.
    pub identity: Identity,
    /// What it may do.
    pub power: &'static Power,
    /// Where.
    pub scope: Scope,
    /// Why; all rules that give it, sorted.
    pub reasons: Vec<Reason>,
}

/// The index of all rights.
#[derive(Debug, Default)]
pub struct Access {
    holdings: Vec<Holding>,
}

impl Access {
    /// Builds the index.
    pub fn new(_cluster: &Cluster) -> (Self, Vec<Diagnostic>) {
        (Self::default(), Vec::new())
    }

    /// Everything dangerous that anyone may do, sorted.
    pub fn holdings(&self) -> &[Holding] {
        &self.holdings
    }
}
