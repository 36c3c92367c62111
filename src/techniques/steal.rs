//! What rights over pods and nodes give to who holds a node: pods from elsewhere, and a node of one's own.
//!
//! **Trap.** To evict a pod moves it only if it is made anew, and only to a node of the scheduler's choice: without
//! a right that steers the scheduler, and without a node to wait on, eviction is no more than a disturbance.

use std::collections::{BTreeMap, BTreeSet};

use super::pods::{PodView, both, pods};
use super::structure::{grounds, kubelet, namespace_fact};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, MOVED, Place, Position, SOME, Sink};
use crate::model::Text;
use crate::rbac::{Caller, Identity, Power, Request, ResourceRequest, power};

techniques! { TECHNIQUES, Family::Node;
    /// Drives pods from other nodes onto one that is held, where its root enters them.
    ///
    /// # Preconditions
    ///
    /// Root on any node; a right that removes the pods, to evict or delete them; and a right that steers where they are
    /// made anew: to change nodes (cordon, taint) or their status, to delete the other nodes, or to bind pending pods.
    /// The pod has a controller that makes it anew.
    ///
    /// What does not suffice: pods without a controller, which are gone; pods of DaemonSets, which do not move; any of
    /// these rights without the others.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of nodes with `unschedulable` or taints, followed by `create` of `pods/eviction`.
    POD_STEAL: [Node, Grant, Pod] => [Pod] {
        title: "Pods driven to a held node",
        mitre: ["T1609", "T1610"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.3"],
        effort: 1,
        remediation: "Leave changes of nodes and evictions to the controllers that scale and drain nodes.",
        references: [
            "https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/",
            "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
        ],
        derive: pod_steal,
    }

    /// Writes a bootstrap token and joins a node of its own to the cluster, or takes the name of a node that exists.
    ///
    /// # Preconditions
    ///
    /// The right to create Secrets in `kube-system`, or to change one whose name begins with `bootstrap-token-`; and a group of
    /// bootstrap tokens that may request certificates of kubelets and has them approved, as kubeadm sets up. The pods
    /// of DaemonSets come to the new node by themselves.
    ///
    /// What does not suffice: to create Secrets in another namespace; a cluster in which no group of bootstrap tokens
    /// may request certificates, as in most managed ones.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of Secrets of type `bootstrap.kubernetes.io/token`; requests of `system:bootstrap` users.
    NODE_JOIN: [Grant] => [Node, Pod, Identity] {
        title: "Node of one's own",
        mitre: ["T1098", "T1078"],
        microsoft: ["MS-TA9016"],
        owasp: ["K02", "K09"],
        cis: ["5.1.2"],
        falco: ["K8s Secret Created"],
        effort: 3,
        remediation: "Keep create on Secrets out of kube-system; end the binding that approves certificates for bootstrap tokens.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/",
            "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/",
        ],
        derive: node_join,
    }
}

/// The powers that take a pod from its node.
static REMOVERS: &[&Power] = &[&power::EVICT_PODS, &power::DELETE_PODS];

/// The powers over all nodes that close the others to a pod, with what that depends on.
static STEERERS: &[(&Power, &str)] = &[
    (&power::UPDATE_NODES, ""),
    (&power::DELETE_NODES, ""),
    (
        &power::UPDATE_NODE_STATUS,
        "the scheduler looks before the kubelets correct their status",
    ),
];

const FITS: &str = "the pod may run on the held node";
const WINS: &str = "the binding comes before the scheduler's";

/// Whether anyone can steer pods to a node, so that it matters that some node is held.
pub(super) fn steers(context: &Context<'_>) -> bool {
    let held = context.held;
    let binds =
        held.everywhere(&power::BIND_PODS).is_some() || !held.namespaces(&power::BIND_PODS).is_empty();
    binds || STEERERS.iter().any(|(power, _)| held.everywhere(power).is_some())
}

fn pod_steal(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !steers(context) {
        return;
    }
    let moved = |namespace: &Text| Position::Pod(Place::new(namespace, MOVED));
    let movable: Vec<PodView<'_>> = pods(context).filter(is_made_anew).collect();
    let namespaces: BTreeSet<&Text> = movable.iter().map(|pod| &pod.place.namespace).collect();
    let steering = steering(context);
    let binding: BTreeMap<&Text, Position> = context.held.namespaces(&power::BIND_PODS).into_iter().collect();
    for &remover in REMOVERS {
        for (namespace, remove) in context.held.namespaces(remover) {
            if !namespaces.contains(namespace) {
                continue;
            }
            let bind = binding.get(namespace).cloned();
            let bind = bind.map(|grant| (grant, Certainty::Conditional(WINS.into())));
            for (steer, certainty) in steering.iter().cloned().chain(bind) {
                let premises = [Position::Node(SOME.into()), steer, remove.clone()];
                let fact = [namespace_fact(namespace)];
                sink.step_if(premises, moved(namespace), certainty, fact);
            }
        }
    }
    for pod in &movable {
        let made = pod.pod.meta.controller();
        let by = made.map_or_else(String::new, |owner| {
            format!("made by {}/{}", owner.kind, owner.name)
        });
        let fits = Certainty::Conditional(FITS.into());
        let premise = moved(&pod.place.namespace);
        sink.step_if([premise], pod.position(), fits, [pod.fact("", by)]);
    }
}

/// The grants that close other nodes to pods, each with what that depends on.
fn steering(context: &Context<'_>) -> Vec<(Position, Certainty)> {
    let mut found = Vec::new();
    for (power, condition) in STEERERS {
        let certainty = if condition.is_empty() {
            Certainty::Certain
        } else {
            Certainty::Conditional((*condition).into())
        };
        let grant = context.held.everywhere(power);
        found.extend(grant.map(|grant| (grant, certainty)));
    }
    found
}

/// Whether a controller makes the pod anew when it is gone, on whichever node.
fn is_made_anew(pod: &PodView<'_>) -> bool {
    let owner = pod.pod.meta.controller();
    owner.is_some_and(|owner| !matches!(owner.kind.as_str(), "DaemonSet" | "Node"))
}

/// The first group of bootstrap tokens that may request certificates of kubelets and has them approved, with what
/// shows it.
fn joiners(context: &Context<'_>) -> Option<Vec<Evidence>> {
    let mut holdings = context.held.holdings(context.access);
    holdings.find_map(|holding| {
        let Identity::Group(name) = &holding.identity else {
            return None;
        };
        let is_meant = *holding.power == power::CREATE_SIGNING_REQUESTS
            && (name == "system:bootstrappers" || name.starts_with("system:bootstrappers:"));
        if !is_meant {
            return None;
        }
        let approved = Request::Resource(ResourceRequest {
            verb: "create",
            group: "certificates.k8s.io",
            resource: "certificatesigningrequests",
            subresource: "nodeclient",
            ..ResourceRequest::default()
        });
        let caller = Caller::of(&holding.identity, ["system:bootstrappers"]);
        let approvals = context.access.decide(&caller, &approved);
        let approval = approvals.first()?;
        let requests = holding.reasons.iter().take(1);
        let facts = requests.flat_map(|reason| grounds(&holding.identity, reason));
        Some(
            facts
                .chain(grounds(&approval.subject, &approval.reason))
                .collect(),
        )
    })
}

/// The grants that write a bootstrap token.
fn token_writers(context: &Context<'_>) -> Vec<Position> {
    const SYSTEM: &str = "kube-system";
    const PREFIX: &str = "bootstrap-token-";
    let wide = context.held.namespaces(&power::CREATE_SECRETS).into_iter();
    let wide = wide.filter(|(namespace, _)| *namespace == SYSTEM);
    // No name lets one create, but a token that exists can be rewritten.
    let names = context.held.names(&power::UPDATE_SECRETS);
    let tokens = names.filter(|(namespace, name, _)| {
        (namespace.is_empty() || *namespace == SYSTEM) && name.starts_with(PREFIX)
    });
    let wide = wide.map(|(_, grant)| grant);
    wide.chain(tokens.map(|(_, _, grant)| grant)).collect()
}

/// Whether anyone can join a node, and so become the kubelet of any.
pub(super) fn joins(context: &Context<'_>) -> bool {
    joining(context).is_some()
}

/// The grants that join a node, with what shows that a token suffices; `None` if nobody can.
fn joining(context: &Context<'_>) -> Option<(Vec<Position>, Vec<Evidence>)> {
    let grants = token_writers(context);
    if grants.is_empty() {
        return None;
    }
    Some((grants, joiners(context)?))
}

fn node_join(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some((grants, evidence)) = joining(context) else {
        return;
    };
    let certainty = || Certainty::Conditional("the API server takes bootstrap tokens".into());
    let mut daemons = BTreeMap::new();
    for pod in pods(context) {
        let owner = pod.pod.meta.controller();
        if let Some(owner) = owner.filter(|owner| owner.kind == "DaemonSet") {
            let key = (pod.place.namespace.clone(), owner.name.clone());
            daemons.entry(key).or_insert(pod);
        }
    }
    for grant in grants {
        let held = Position::Node(SOME.into());
        sink.step_if([grant.clone()], held, certainty(), evidence.clone());
        for node in context.cluster.nodes.values() {
            let identity = Position::Identity(kubelet(&node.meta.name));
            sink.step_if([grant.clone()], identity, certainty(), evidence.clone());
        }
        for pod in daemons.values() {
            let spreads = Certainty::Conditional("the DaemonSet runs on every node".into());
            let facts = evidence.iter().cloned().chain([pod.fact("", "")]);
            sink.step_if([grant.clone()], pod.position(), both(certainty(), spreads), facts);
        }
    }
}
