//! Packets of others: what a node's network gives beyond its own address.
//!
//! **Trap.** NET_ADMIN in a network of the pod's own changes that network only; it takes the node's to sit between the
//! node's pods and the rest.

use rustc_hash::{FxHashMap, FxHashSet};

use super::pods::{ContainerView, Mark, marked, pods};
use super::security::Security;
use super::technique::techniques;
use super::{Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, Text};

techniques! { TECHNIQUES, Family::Network;
    /// Puts itself between the pods of its node and the rest, and sends and receives as any of them.
    ///
    /// # Preconditions
    ///
    /// The pod shares the node's network and the container has NET_ADMIN as user 0: it changes the node's routes and
    /// packet filters. What the node's pods send in clear it reads, and policies take its packets for theirs.
    ///
    /// What does not suffice: the node's network without NET_ADMIN; NET_ADMIN in a network of the pod's own, which other
    /// tools take for an escape.
    ///
    /// # Detection
    ///
    /// Changes of the node's packet filters and routes by anything but kube-proxy and the network plugin.
    CE_NET_MITM: [Container, Network] => [Network] {
        title: "Traffic of the node's pods",
        mitre: ["T1557", "T1040"],
        microsoft: ["MS-TA9036"],
        owasp: ["K01", "K05"],
        cis: ["5.2.5", "5.2.9"],
        falco: ["Packet socket created in container"],
        effort: 3,
        remediation: "Enforce the baseline Pod Security Standard: no hostNetwork, no NET_ADMIN; encrypt traffic between pods.",
        references: [
            "https://man7.org/linux/man-pages/man7/capabilities.7.html",
            "https://attack.mitre.org/techniques/T1557/",
        ],
        derive: ce_net_mitm,
    }
}

/// The traffic of a node's pods.
fn traffic(node: &Text) -> Position {
    Position::Network(format!("node/{node}/traffic").into())
}

fn ce_net_mitm(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut watched = FxHashMap::<Text, (Position, Evidence)>::default();
    for pod in marked(context, Mark::SHARED).filter(|pod| pod.pod.spec.is_host_network()) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            let rights = security.host_network().zip(security.capability("NET_ADMIN"));
            if let (Some(root), Some((network, admin))) = (security.root_on_kernel(), rights) {
                let evidence = [network, admin];
                sink.step_if([container.position()], traffic(&node), root, evidence);
                let exists = Evidence::new(ObjectId::cluster_scoped("Node", &node), "", "");
                watched.insert(node.clone(), (traffic(&node), exists));
            }
        }
    }
    if watched.is_empty() {
        return;
    }
    let mut seen = FxHashSet::default();
    for pod in pods(context).filter(|pod| !pod.pod.spec.is_host_network()) {
        let (node, placed) = pod.node(context.cluster);
        let Some((traffic, exists)) = watched.get(&node) else {
            continue;
        };
        if let Some(group) = context.network.group_of(pod.index)
            && seen.insert((node.address(), group))
        {
            let sender = Position::Network(context.network.groups()[group].name.clone());
            let evidence = [exists.clone(), pod.node_evidence()];
            sink.step_if([traffic.clone()], sender, placed, evidence);
        }
    }
}
