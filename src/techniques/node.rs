//! What root on a node gives.

use super::pods::pods;
use super::technique::techniques;
use super::{Context, Evidence, Family, Position, Sink};

techniques! { TECHNIQUES, Family::Node;
    /// Enters the pods of a node, as its root.
    ///
    /// # Preconditions
    ///
    /// Root on the node: the container runtime's socket, the processes and the files of every pod there are at
    /// hand. A pod of a DaemonSet runs on every node; where another pod runs that is bound to none yet is the
    /// scheduler's choice.
    ///
    /// What does not suffice: a pod on another node.
    ///
    /// # Detection
    ///
    /// On the node: `nsenter`, `crictl exec`, reads below `/var/lib/kubelet/pods`. Nothing of it is in the
    /// audit log.
    POD_ATTACH: [Node] => [Pod] {
        title: "Pods of a node",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006"],
        owasp: ["K01"],
        effort: 1,
        remediation: "Keep powerful pods away from nodes that run exposed ones, by taints and node selectors.",
        references: ["https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"],
        derive: pod_attach,
    }

    /// Takes the cluster's keys from a control-plane node.
    ///
    /// # Preconditions
    ///
    /// Root on a node that carries the control plane: its files hold the keys that sign every token and client
    /// certificate, and an administrator's kubeconfig.
    ///
    /// What does not suffice: root on a worker. In managed clusters no control-plane node is a Node object.
    ///
    /// # Detection
    ///
    /// Reads of `/etc/kubernetes/pki`, `/etc/kubernetes/admin.conf` and etcd's data on the node.
    NODE_CONTROL_PLANE: [Node] => [ClusterAdmin] {
        title: "Keys of the control plane",
        mitre: ["T1552.004"],
        microsoft: ["MS-TA9025"],
        owasp: ["K01"],
        effort: 1,
        remediation: "Run no workloads on control-plane nodes.",
        references: ["https://kubernetes.io/docs/setup/best-practices/certificates/"],
        derive: node_control_plane,
    }
}

fn pod_attach(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in pods(context) {
        let (node, certainty) = pod.node(context.cluster);
        sink.step_if(
            [Position::Node(node)],
            pod.position(),
            certainty,
            vec![pod.node_evidence()],
        );
    }
}

fn node_control_plane(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (id, node) in &context.cluster.nodes {
        if node.is_control_plane() {
            let labels = vec![Evidence::new(
                id.clone(),
                "/metadata/labels",
                "node-role.kubernetes.io/control-plane",
            )];
            sink.step([Position::Node(id.name.clone())], Position::ClusterAdmin, labels);
        }
    }
}
