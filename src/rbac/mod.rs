//! Who may do what: RBAC rules and bindings, resolved to an index.
//!
//! Rules only ever add (Kubernetes has no deny), so resolution is a union and its order cannot matter. Built
//! once; each question is then a look-up among the bindings of its subject. [`Access::decide`] answers as the
//! API server does with its authorizers Node and RBAC, and gives every reason.
//!
//! **Trap.** A `RoleBinding` may name a `ClusterRole`; its rules then hold in the binding's namespace only.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

mod bindings;
mod holding;
mod identity;
mod node;
pub mod power;
mod reason;
mod request;
mod resource;
mod role;
mod rule;
mod who;

pub use holding::{Given, Holding};
pub use identity::Identity;
pub use node::NODE_USER;
pub use power::{And, Objects, Power, Right, Scope};
pub use reason::Reason;
pub use request::{Caller, Request, ResourceRequest};
pub use resource::{ResourceName, Resources};
pub use who::{Holder, Reach};

use std::sync::OnceLock;

use bindings::{Bindings, Bound};
use holding::Prepared;
use node::NodeAuthorizer;
use role::Roles;

use crate::model::{Cluster, Code, Diagnostic, ObjectId, Source, Text};

/// The group whose members are never asked.
pub const MASTERS: &str = "system:masters";

/// One reason for a decision, and to whom of the caller's identities it applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ground {
    /// The caller itself, or the group through which the caller is allowed.
    pub subject: Identity,
    /// Why that subject is allowed.
    pub reason: Reason,
}

/// The index of all rights.
#[derive(Debug, Default)]
pub struct Access {
    roles: Roles,
    bindings: Bindings,
    node: NodeAuthorizer,
    prepared: OnceLock<Prepared>,
    holdings: OnceLock<Vec<Holding>>,
}

impl Access {
    /// Builds the index.
    ///
    /// # Complexity
    /// Linear in rules, in bindings with their subjects and in what pods refer to.
    pub fn new(cluster: &Cluster) -> (Self, Vec<Diagnostic>) {
        let roles = Roles::new(cluster);
        let (bindings, mut diagnostics) = Bindings::new(cluster, &roles);
        diagnostics.extend(other_authorizers(cluster));
        let access = Self {
            roles,
            bindings,
            node: NodeAuthorizer::new(cluster),
            prepared: OnceLock::new(),
            holdings: OnceLock::new(),
        };
        (access, diagnostics)
    }

    /// Whether the API server allows the request.
    ///
    /// # Complexity
    /// Linear in the rules that bindings give to the caller and its groups there.
    pub fn allows(&self, caller: &Caller, request: &Request<'_>) -> bool {
        caller.is_in(MASTERS)
            || self.granted(caller, request).next().is_some()
            || !self.node.decide(caller, request).is_empty()
    }

    /// Returns every reason why the API server allows the request, sorted; none if it refuses.
    ///
    /// # Complexity
    /// Linear in the rules that bindings give to the caller and its groups there.
    pub fn decide(&self, caller: &Caller, request: &Request<'_>) -> Vec<Ground> {
        let mut grounds: Vec<Ground> = self.granted(caller, request).collect();
        if caller.is_in(MASTERS) {
            grounds.push(Ground {
                subject: Identity::Group(MASTERS.into()),
                reason: Reason::Masters,
            });
        }
        let by_node = self.node.decide(caller, request);
        grounds.extend(by_node.into_iter().map(|reason| Ground {
            subject: Identity::from_user(caller.user()),
            reason,
        }));
        grounds.sort();
        grounds.dedup();
        grounds
    }

    fn granted<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a Request<'a>,
    ) -> impl Iterator<Item = Ground> + use<'a> {
        caller.subjects().iter().flat_map(move |subject| {
            let bindings = self.bindings.of(subject, request.namespace());
            bindings.flat_map(move |bound| {
                let allowed = self
                    .roles
                    .rules_of(bound.role)
                    .filter(|(_, known)| rule::allows(known, request));
                allowed.map(move |(index, _)| Ground {
                    subject: subject.clone(),
                    reason: self.reason(bound, index),
                })
            })
        })
    }

    fn reason(&self, bound: &Bound, index: role::RuleIndex) -> Reason {
        let written = &self.roles.rules()[index];
        Reason::Rule {
            binding: bound.id.clone(),
            role: self.roles.id(written.role).clone(),
            rule: written.at,
        }
    }

    /// Whether a role gives every verb on every resource.
    pub fn gives_everything(&self, role: &ObjectId) -> bool {
        let everything = Request::Resource(ResourceRequest {
            verb: "*",
            group: "*",
            resource: "*",
            ..ResourceRequest::default()
        });
        let rules = self.roles.find(role).into_iter();
        rules
            .flat_map(|role| self.roles.rules_of(role))
            .any(|(_, known)| rule::allows(known, &everything))
    }

    /// Returns what a binding to a role would give, sorted; an empty namespace stands for a ClusterRoleBinding.
    ///
    /// # Complexity
    /// Linear in the checks that the role's rules pass, and in the pairs of them that one power needs.
    pub fn powers_of(&self, role: &ObjectId, namespace: &Text) -> Vec<Given> {
        let role = self.roles.find(role);
        role.map_or_else(Vec::new, |role| holding::given(self, role, namespace))
    }

    fn prepared(&self) -> &Prepared {
        self.prepared.get_or_init(|| Prepared::new(self))
    }

    /// Everyone that a binding names, if its role exists.
    pub fn subjects_of(&self, binding: &ObjectId) -> &[Identity] {
        self.bindings.subjects_of(binding)
    }

    /// Whether any binding names this identity.
    pub fn is_bound(&self, identity: &Identity) -> bool {
        self.bindings.name(identity)
    }

    /// Everything dangerous that bindings let anyone do, sorted; evaluated on the first call.
    ///
    /// A wide holding does not stand for the narrow ones: an identity that may exec everywhere and again in one
    /// namespace holds both. What the Node authorizer lets kubelets do is not among them, as it follows from the
    /// pods of their nodes.
    pub fn holdings(&self) -> &[Holding] {
        self.holdings.get_or_init(|| holding::holdings(self))
    }
}

/// What is known of authorizers that leave no trace in the cluster's objects.
///
/// A running cluster may also ask a webhook, and clouds map their own identities to users and groups; manifests
/// say nothing of a running cluster, so nothing is said of them.
fn other_authorizers(cluster: &Cluster) -> Option<Diagnostic> {
    if cluster.coverage.bootstrap_rbac_added || cluster.roles.is_empty() {
        return None;
    }
    let provider = |prefix: &str| {
        let mut nodes = cluster.nodes.values();
        nodes.any(|node| node.spec.provider_id.starts_with(prefix))
    };
    let cloud = if provider("aws:") {
        "; on EKS access entries and aws-auth give AWS principals users and groups"
    } else if provider("gce:") {
        "; on GKE Google Cloud IAM allows requests too"
    } else if provider("azure:") {
        "; on AKS Azure RBAC may allow requests too"
    } else {
        ""
    };
    Some(Diagnostic::new(
        Code::UnknownAuthorizers,
        Source::default(),
        format!("only the authorizers Node and RBAC are evaluated{cloud}"),
        "a webhook or cloud authorizer may allow more than the paths show",
    ))
}
