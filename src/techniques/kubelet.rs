//! Kubelets that do what anyone asks who reaches them.
//!
//! **Trap.** Both switches must be wrong: an anonymous request that must be authorized is one of the user
//! `system:anonymous`, and RBAC decides about it. A kubelet's own defaults are closed where it has a
//! configuration file, so only what is written counts.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/>

use super::pods::{both, pods};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{Node, ObjectId, Protocol, Text, UNNAMED_WORKER, kubelet_setting};

techniques! { TECHNIQUES, Family::Node;
    /// Runs commands in the pods of a node through its kubelet, which asks for no credential.
    ///
    /// # Preconditions
    ///
    /// Port 10250 of the node can be reached, and its kubelet takes anonymous requests and allows them all:
    /// `authentication.anonymous.enabled` is true and `authorization.mode` is AlwaysAllow. Pods of the node reach it
    /// whatever policies say.
    ///
    /// What does not suffice: anonymous requests alone, which RBAC then decides about, or AlwaysAllow alone, which needs
    /// a token or a certificate that the kubelet takes.
    ///
    /// # Detection
    ///
    /// Connections to port 10250 of nodes that do not come from the API server or a collector of metrics. Nothing of
    /// it is in the audit log.
    KUBELET_ANONYMOUS: [Network] => [Pod] {
        title: "Kubelet that asks for no credential",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006", "MS-TA9031"],
        owasp: ["K09", "K05"],
        effort: 2,
        remediation: "Set authentication.anonymous.enabled to false and authorization.mode to Webhook in the configuration of kubelets.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
            "https://github.com/cyberark/kubeletctl",
        ],
        derive: kubelet_anonymous,
    }
}

/// The port of kubelets.
pub(super) const PORT: u16 = 10_250;
/// The setting that says whether anonymous requests are taken, and the one of whether all are allowed; as
/// arguments too.
const ANONYMOUS: (&str, &str) = ("authentication.anonymous.enabled", "anonymous-auth=true");
const MODE: (&str, &str) = ("authorization.mode", "authorization-mode=AlwaysAllow");
/// Where k3s notes the arguments of a node's agent.
///
/// Source: <https://docs.k3s.io/cli/agent>
const K3S_ARGUMENTS: &str = "k3s.io/node-args";
const SAME: &str = "the kubelet of the node is configured as the ConfigMap says";

/// A kubelet that asks for no credential.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) node: Text,
    fact: Evidence,
    certainty: Certainty,
}

/// The kubelets of the input that ask for no credential, as far as it tells how they are configured.
pub(super) fn open(context: &Context<'_>) -> Vec<Open> {
    let shared = shared(context);
    let of_all = |node: &Text| {
        let fact = shared.clone()?;
        Some(Open {
            node: node.clone(),
            fact,
            certainty: Certainty::Conditional(SAME.into()),
        })
    };
    let nodes = &context.cluster.nodes;
    if nodes.is_empty() {
        return of_all(&UNNAMED_WORKER.into()).into_iter().collect();
    }
    nodes
        .iter()
        .filter_map(|(id, node)| by_arguments(id, node).or_else(|| of_all(&id.name)))
        .collect()
}

/// Where the configuration that kubelets share says so; kubeadm keeps it in a ConfigMap.
fn shared(context: &Context<'_>) -> Option<Evidence> {
    let maps = context.cluster.config_maps.iter();
    let mut maps = maps.filter(|(id, _)| {
        id.namespace == "kube-system"
            && (id.name == "kubelet-config" || id.name.starts_with("kubelet-config-"))
    });
    maps.find_map(|(id, map)| {
        let text = &map.data.0.get("kubelet")?.text;
        let says = |name: &str, value: &str| kubelet_setting(text, name) == Some(value);
        let is_open = says(ANONYMOUS.0, "true") && says(MODE.0, "AlwaysAllow");
        let value = format!("{}: true, {}: AlwaysAllow", ANONYMOUS.0, MODE.0);
        is_open.then(|| Evidence::new(id.clone(), "/data/kubelet", value))
    })
}

fn by_arguments(id: &ObjectId, node: &Node) -> Option<Open> {
    let text = node.meta.annotations.get(K3S_ARGUMENTS)?;
    let arguments: Vec<String> = serde_json::from_str(text).ok()?;
    let says = |wanted: &str| arguments.iter().any(|argument| argument.ends_with(wanted));
    (says(ANONYMOUS.1) && says(MODE.1)).then(|| Open {
        node: id.name.clone(),
        fact: Evidence::new(
            id.clone(),
            "/metadata/annotations/k3s.io~1node-args",
            format!("{} {}", ANONYMOUS.1, MODE.1),
        ),
        certainty: Certainty::Certain,
    })
}

/// Exchanging packets with the kubelet of a node.
pub(super) fn port(node: &Text) -> Position {
    Position::Network(format!("port/node/{node}/{PORT}/{}", Protocol::Tcp).into())
}

fn kubelet_anonymous(context: &Context<'_>, sink: &mut Sink<'_>) {
    let open = open(context);
    if open.is_empty() {
        return;
    }
    for pod in pods(context) {
        let (node, placed) = pod.node(context.cluster);
        for kubelet in open.iter().filter(|kubelet| kubelet.node == node) {
            let certainty = both(kubelet.certainty.clone(), placed.clone());
            let evidence = vec![kubelet.fact.clone(), pod.node_evidence()];
            sink.step_if([port(&node)], pod.position(), certainty, evidence);
        }
    }
}
