//! Why something is allowed.
//!
//! **Trap.** An aggregated ClusterRole of a manifest has no rules of its own: the rule that allows stands in
//! the role that it selects, and the reason names that one.

use std::fmt;

use crate::model::ObjectId;

/// Why something is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A rule of a role, given by a binding.
    Rule {
        /// The RoleBinding or ClusterRoleBinding.
        binding: ObjectId,
        /// The Role or ClusterRole in which the rule stands.
        role: ObjectId,
        /// The index in that role's `rules`.
        rule: usize,
    },
    /// The Node authorizer lets the kubelet of a node have what it needs.
    ///
    /// Source: <https://kubernetes.io/docs/reference/access-authn-authz/node/>
    Node {
        /// The pod of the node that needs the object; none where every kubelet may do this.
        pod: Option<ObjectId>,
    },
    /// Members of `system:masters` are never asked.
    ///
    /// Source: <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege>
    Masters,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { binding, role, rule } => write!(f, "{binding} gives rule {rule} of {role}"),
            Self::Node { pod: Some(pod) } => write!(f, "the Node authorizer: {pod} runs on the node"),
            Self::Node { pod: None } => f.write_str("the Node authorizer: every kubelet may"),
            Self::Masters => f.write_str("members of Group/system:masters bypass authorization"),
        }
    }
}
