//! Kubelets that do what is asked of them: by anyone who reaches them, or by any account.
//!
//! **Trap.** For requests without a credential both switches must be wrong: one that must be authorized is of the user
//! `system:anonymous`, and RBAC decides about it. A kubelet's own defaults are closed where it has a
//! configuration file, so only what is written counts.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/>

use super::pods::{both, pods};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{Node, ObjectId, Protocol, Text, UNNAMED_WORKER, kubelet_setting};
use crate::rbac::Identity;

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
    /// a token (KUBELET_ACCOUNT) or a certificate that the kubelet takes.
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
        cis: ["4.2.1", "4.2.2"],
        effort: 2,
        remediation: "Set authentication.anonymous.enabled to false and authorization.mode to Webhook in the configuration of kubelets.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
            "https://github.com/cyberark/kubeletctl",
        ],
        derive: kubelet_anonymous,
    }

    /// Runs commands in the pods of a node through its kubelet, which allows every account everything.
    ///
    /// # Preconditions
    ///
    /// Port 10250 of the node can be reached, and its kubelet asks the API server who comes but not what they may do:
    /// `authorization.mode` is AlwaysAllow, and webhook authentication is not switched off. Any account's token does.
    ///
    /// What does not suffice: the mode Webhook, where RBAC decides; webhook authentication switched off, where it takes a
    /// certificate of the cluster's own authority.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of TokenReviews by kubelets for accounts of workloads. What is run is not in it.
    KUBELET_ACCOUNT: [Network, Identity] => [Pod] {
        title: "Kubelet that allows every account everything",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006", "MS-TA9016"],
        owasp: ["K09", "K02"],
        cis: ["4.2.2"],
        effort: 2,
        remediation: "Set authorization.mode to Webhook in the configuration of kubelets.",
        references: ["https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authorization"],
        derive: kubelet_account,
    }
}

/// The port of kubelets.
pub(super) const PORT: u16 = 10_250;
/// Whom a kubelet takes that has a token of the cluster.
pub(super) const AUTHENTICATED: &str = "system:authenticated";
/// The settings that say whether anonymous requests are taken, whether tokens are, and whether all are allowed; as
/// arguments too.
const ANONYMOUS: (&str, &str) = ("authentication.anonymous.enabled", "anonymous-auth=true");
const WEBHOOK: (&str, &str) = (
    "authentication.webhook.enabled",
    "authentication-token-webhook=false",
);
const MODE: (&str, &str) = ("authorization.mode", "authorization-mode=AlwaysAllow");
/// Where k3s notes the arguments of a node's agent.
///
/// Source: <https://docs.k3s.io/cli/agent>
const K3S_ARGUMENTS: &str = "k3s.io/node-args";
const SAME: &str = "the kubelet of the node is configured as the ConfigMap says";

/// A kubelet that allows everything.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) node: Text,
    /// Whether it asks who comes.
    pub(super) asks: bool,
    fact: Evidence,
    certainty: Certainty,
}

/// The kubelets of the input that allow everything, as far as it tells how they are configured.
pub(super) fn open(context: &Context<'_>) -> Vec<Open> {
    let shared = shared(context);
    let of_all = |node: &Text| {
        let (asks, fact) = shared.clone()?;
        Some(Open {
            node: node.clone(),
            asks,
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

/// Where the configuration that kubelets share says so, and whether it has them ask who comes; kubeadm keeps it in a
/// ConfigMap.
fn shared(context: &Context<'_>) -> Option<(bool, Evidence)> {
    let maps = context.cluster.config_maps.iter();
    let mut maps = maps.filter(|(id, _)| {
        id.namespace == "kube-system"
            && (id.name == "kubelet-config" || id.name.starts_with("kubelet-config-"))
    });
    maps.find_map(|(id, map)| {
        let text = &map.data.0.get("kubelet")?.text;
        let says = |name: &str, value: &str| kubelet_setting(text, name) == Some(value);
        let asks = !says(ANONYMOUS.0, "true");
        let is_open = says(MODE.0, "AlwaysAllow") && !(asks && says(WEBHOOK.0, "false"));
        let value = if asks {
            format!("{}: AlwaysAllow", MODE.0)
        } else {
            format!("{}: true, {}: AlwaysAllow", ANONYMOUS.0, MODE.0)
        };
        is_open.then(|| (asks, Evidence::new(id.clone(), "/data/kubelet", value)))
    })
}

fn by_arguments(id: &ObjectId, node: &Node) -> Option<Open> {
    let text = node.meta.annotations.get(K3S_ARGUMENTS)?;
    let arguments: Vec<String> = serde_json::from_str(text).ok()?;
    let says = |wanted: &str| arguments.iter().any(|argument| argument.ends_with(wanted));
    let asks = !says(ANONYMOUS.1);
    let is_open = says(MODE.1) && !(asks && says(WEBHOOK.1));
    let value = if asks {
        MODE.1.to_owned()
    } else {
        format!("{} {}", ANONYMOUS.1, MODE.1)
    };
    is_open.then(|| Open {
        node: id.name.clone(),
        asks,
        fact: Evidence::new(id.clone(), "/metadata/annotations/k3s.io~1node-args", value),
        certainty: Certainty::Certain,
    })
}

/// Exchanging packets with the kubelet of a node.
pub(super) fn port(node: &Text) -> Position {
    Position::Network(format!("port/node/{node}/{PORT}/{}", Protocol::Tcp).into())
}

/// The pods of kubelets that allow everything, with how sure that is and what shows it.
fn served(context: &Context<'_>, asks: bool, mut see: impl FnMut(&Text, Position, Certainty, Vec<Evidence>)) {
    let mut open = open(context);
    open.retain(|kubelet| kubelet.asks == asks);
    if open.is_empty() {
        return;
    }
    for pod in pods(context) {
        let (node, placed) = pod.node(context.cluster);
        for kubelet in open.iter().filter(|kubelet| kubelet.node == node) {
            let certainty = both(kubelet.certainty.clone(), placed.clone());
            let evidence = vec![kubelet.fact.clone(), pod.node_evidence()];
            see(&node, pod.position(), certainty, evidence);
        }
    }
}

fn kubelet_anonymous(context: &Context<'_>, sink: &mut Sink<'_>) {
    served(context, false, |node, pod, certainty, evidence| {
        sink.step_if([port(node)], pod, certainty, evidence);
    });
}

fn kubelet_account(context: &Context<'_>, sink: &mut Sink<'_>) {
    let account = Position::Identity(Identity::Group(AUTHENTICATED.into()));
    served(context, true, |node, pod, certainty, evidence| {
        sink.step_if([port(node), account.clone()], pod, certainty, evidence);
    });
}
