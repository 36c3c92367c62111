//! What root on a node gives.

use rustc_hash::FxHashSet;

use super::control_plane::ControlPlane;
use super::pods::pods;
use super::references::references;
use super::structure::{kubelet, kubelets_count};
use super::technique::techniques;
use super::{Context, Evidence, Family, Opens, Position, Sink};
use crate::rbac::Identity;

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
        cis: ["5.2.2"],
        falco: ["Change thread namespace"],
        effort: 1,
        remediation: "Keep powerful pods away from nodes that run exposed ones, by taints and node selectors.",
        references: ["https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"],
        derive: pod_attach,
    }

    /// Reads, as the kubelet of a node, what the pods of the node need: tokens, Secrets, ConfigMaps.
    ///
    /// # Preconditions
    ///
    /// Requests as the user `system:node:NAME`, by impersonation or with a certificate of that name: the Node
    /// authorizer lets it make tokens of the accounts of the node's pods and read what they mount. Root on the node has
    /// the same and more.
    ///
    /// What does not suffice: the group `system:nodes` without such a user name; objects that no pod of the node
    /// refers to.
    ///
    /// # Detection
    ///
    /// Audit log: requests of `system:node:NAME` from another address than the node's.
    NODE_IDENTITY: [Identity] => [Credential, Secret, ConfigMap] {
        title: "Rights of a kubelet",
        mitre: ["T1078", "T1528", "T1552.007"],
        microsoft: ["MS-TA9016", "MS-TA9025"],
        owasp: ["K02", "K09"],
        cis: ["1.2.7"],
        effort: 1,
        remediation: "Let nobody impersonate system:node users or approve certificates for them.",
        references: ["https://kubernetes.io/docs/reference/access-authn-authz/node/"],
        derive: node_identity,
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
        cis: ["5.2.2"],
        falco: ["Read sensitive file untrusted"],
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
            [pod.node_evidence()],
        );
    }
}

fn node_identity(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !kubelets_count(context) {
        return;
    }
    let mut seen = FxHashSet::default();
    for pod in pods(context) {
        let node = &pod.pod.spec.node_name;
        let is_mirror = pod.pod.meta.annotations.contains("kubernetes.io/config.mirror");
        if node.is_empty() || is_mirror {
            continue;
        }
        let user = Position::Identity(kubelet(node));
        let on_node = pod.node_evidence();
        seen.clear();
        let mut add = |gained: Position, fact: &dyn Fn() -> Evidence| {
            if seen.insert(gained.clone()) {
                sink.step([user.clone()], gained, [on_node.clone(), fact()]);
            }
        };
        let name = pod.pod.spec.account();
        let account = Identity::service_account(&pod.place.namespace, &name);
        let token = Position::Credential(Opens::Identity(account));
        add(token, &|| pod.field("/serviceAccountName", &name));
        let containers: Vec<_> = pod.containers().collect();
        for reference in containers.iter().flat_map(references) {
            add(reference.holder.whole(&reference.place), &|| reference.proof());
        }
    }
}

fn node_control_plane(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (node, fact) in ControlPlane::new(context).iter() {
        sink.step(
            [Position::Node(node.clone())],
            Position::ClusterAdmin,
            [fact.clone()],
        );
    }
}
