//! Which nodes carry the control plane.
//!
//! **Trap.** In managed clusters no control-plane node is a Node object. Labels can be taken off (kubeadm's are), so a
//! static pod of the API server, the controller manager or etcd counts as well.

use std::collections::BTreeMap;

use super::pods::{Mark, marked};
use super::{Certainty, Context, Evidence};
use crate::model::Text;

/// The programs of the control plane that hold its keys.
const COMPONENTS: &[&str] = &["kube-apiserver", "kube-controller-manager", "etcd"];

/// The nodes that carry the control plane, with what says so.
#[derive(Debug)]
pub(super) struct ControlPlane {
    nodes: BTreeMap<Text, Evidence>,
    /// Whether the input names its nodes, so that one that is not among them is known to be a worker.
    known: bool,
}

impl ControlPlane {
    /// Finds the nodes by labels, taints and static pods.
    pub(super) fn new(context: &Context<'_>) -> Self {
        let cluster = context.cluster;
        let labelled = cluster.nodes.iter().filter(|(_, node)| node.is_control_plane());
        let mut nodes: BTreeMap<Text, Evidence> = labelled
            .map(|(id, _)| {
                let label = "node-role.kubernetes.io/control-plane";
                (
                    id.name.clone(),
                    Evidence::new(id.clone(), "/metadata/labels", label),
                )
            })
            .collect();
        for pod in marked(context, Mark::SYSTEM) {
            let meta = &pod.pod.meta;
            if meta.namespace != "kube-system" || !meta.annotations.contains("kubernetes.io/config.mirror") {
                continue;
            }
            let component = meta.labels.get("component").map_or("", Text::as_str);
            let node = &pod.pod.spec.node_name;
            if COMPONENTS.contains(&component) && !node.is_empty() {
                nodes.entry(node.clone()).or_insert_with(|| pod.node_evidence());
            }
        }
        Self {
            nodes,
            known: !cluster.nodes.is_empty(),
        }
    }

    /// The nodes with what says so, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Text, &Evidence)> {
        self.nodes.iter()
    }

    /// How sure it is that a node carries the control plane; `None` if it does not.
    pub(super) fn is_on(&self, node: &Text) -> Option<Certainty> {
        if self.nodes.contains_key(node) {
            Some(Certainty::Certain)
        } else if self.known {
            None
        } else {
            Some(Certainty::Conditional(
                "the node carries the control plane".into(),
            ))
        }
    }
}
