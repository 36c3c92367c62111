//! Nodes, and the classes that decide how pods run: PriorityClass, RuntimeClass.

use super::lenient::slim;
use super::{Meta, Text};

slim! {
    /// A Node.
    pub struct Node {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: NodeSpec,
        status: NodeStatus,
    }

    /// `spec` of a Node.
    pub struct NodeSpec {
        #[serde(rename = "providerID")]
        provider_id: Text,
        taints: Vec<Taint>,
        unschedulable: Option<bool>,
        #[serde(rename = "podCIDR")]
        pod_cidr: Text,
    }

    /// `spec.taints[]`.
    pub struct Taint { key: Text, value: Text, effect: Text, }

    /// `status` of a Node.
    pub struct NodeStatus { addresses: Vec<NodeAddress>, node_info: NodeInfo, }

    /// `status.addresses[]`.
    pub struct NodeAddress { r#type: Text, address: Text, }

    /// `status.nodeInfo`.
    pub struct NodeInfo {
        kernel_version: Text,
        kubelet_version: Text,
        container_runtime_version: Text,
        operating_system: Text,
        os_image: Text,
    }

    /// A PriorityClass.
    pub struct PriorityClass {
        #[serde(rename = "metadata")]
        meta: Meta,
        value: i64,
    }

    /// A RuntimeClass.
    pub struct RuntimeClass {
        #[serde(rename = "metadata")]
        meta: Meta,
        handler: Text,
    }
}

impl Node {
    /// Whether the node carries the control plane, by its well-known labels or taints.
    ///
    /// Source: <https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane>
    pub fn is_control_plane(&self) -> bool {
        const MARKS: [&str; 2] = [
            "node-role.kubernetes.io/control-plane",
            "node-role.kubernetes.io/master",
        ];
        MARKS.iter().any(|mark| {
            self.meta.labels.contains(mark) || self.spec.taints.iter().any(|taint| taint.key == *mark)
        })
    }
}
