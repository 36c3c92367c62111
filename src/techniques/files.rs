//! What the node's files give to who can read them, without being root on the node.
//!
//! Credentials lie in a few places; each is one position of the node, `Volume/NODE/PATH`, so that readers and uses do
//! not multiply.
//!
//! **Trap.** To read the node's files is not to be root there: no process starts and nothing is changed. And a
//! worker's `/etc/kubernetes/pki` holds a public certificate only.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::control_plane::ControlPlane;
use super::identity::tokens;
use super::mounts::{holds, host_mounts};
use super::pods::{Mark, both, marked, pods};
use super::references::{Holder, Way, references_by};
use super::security::Security;
use super::structure::kubelet;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::model::{Cluster, ObjectId, Text};

techniques! { TECHNIQUES, Family::Host;
    /// Reads the volumes of the other pods of the node through the kubelet's directory.
    ///
    /// # Preconditions
    ///
    /// The container mounts `/var/lib/kubelet`, its `pods` or a directory above them, read-only or not, and its
    /// process can be user 0 of the node.
    ///
    /// What does not suffice: another user; the directory is root's alone. Nor the directory of one pod or plugin.
    ///
    /// # Detection
    ///
    /// Reads below `/var/lib/kubelet/pods` by a container.
    EXPLOIT_HOST_TRAVERSE: [Container, Pod] => [Volume] {
        title: "Volumes of the node's other pods",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K03"],
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container"],
        effort: 2,
        remediation: "Do not mount /var/lib/kubelet or what is above it.",
        references: ["https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"],
        derive: exploit_host_traverse,
    }

    /// Takes the tokens of the node's pods out of their volumes.
    ///
    /// # Preconditions
    ///
    /// The volumes of the node's pods can be read, and a pod there is given a token of its account.
    ///
    /// What does not suffice: a pod without a token.
    ///
    /// # Detection
    ///
    /// Audit log: requests of these accounts from another node or pod than the token's own
    /// (`authentication.kubernetes.io/node-name`).
    TOKEN_STEAL: [Volume] => [Credential] {
        title: "Tokens of the node's pods",
        mitre: ["T1528", "T1552.001"],
        microsoft: ["MS-TA9016"],
        owasp: ["K01", "K09"],
        cis: ["5.1.6"],
        falco: ["Read sensitive file untrusted"],
        effort: 1,
        remediation: "Set automountServiceAccountToken: false for pods that do not talk to the API server.",
        references: ["https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens"],
        derive: token_steal,
    }

    /// Takes the Secrets and ConfigMaps of the node's pods out of their volumes.
    ///
    /// # Preconditions
    ///
    /// The volumes of the node's pods can be read, and a pod there mounts a Secret or a ConfigMap.
    ///
    /// What does not suffice: a Secret that a pod has in its environment only, which is in no file.
    ///
    /// # Detection
    ///
    /// Reads below `/var/lib/kubelet/pods` by a container.
    SECRET_STEAL: [Volume] => [Secret, ConfigMap] {
        title: "Secrets of the node's pods",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K03"],
        cis: ["5.2.12"],
        falco: ["Read sensitive file untrusted"],
        effort: 1,
        remediation: "Do not mount /var/lib/kubelet or what is above it into pods.",
        references: ["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
        derive: secret_steal,
    }

    /// Reads credentials among the node's files: the kubelet's, the control plane's, those of log-ins.
    ///
    /// # Preconditions
    ///
    /// The container mounts, read-only or not, a directory of the node that holds one of them, or one above it: `/`,
    /// `/etc`, `/etc/kubernetes`, `/root`, `/var/lib/kubelet`, `/var/lib/etcd` and the like. Its process can be user 0 of
    /// the node. Those of the control plane are on its nodes only; where no node is known, a mount of its own directories
    /// counts on that condition.
    ///
    /// What does not suffice: another user; `/etc/kubernetes` of a worker for the control plane's keys; a file such as
    /// `/etc/localtime` or a directory such as `/etc/ssl`.
    ///
    /// # Detection
    ///
    /// Reads of these files by processes of containers.
    EXPLOIT_HOST_READ: [Container, Pod] => [Volume] {
        title: "Credentials among the node's files",
        mitre: ["T1552.001", "T1552.004"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K03"],
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container", "Read sensitive file untrusted"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard: no hostPath volumes; else mount narrow directories.",
        references: [
            "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
            "https://kubernetes.io/docs/setup/best-practices/certificates/",
        ],
        derive: exploit_host_read,
    }

    /// Uses the kubelet's own client certificate.
    ///
    /// # Preconditions
    ///
    /// The kubelet's key, below `/var/lib/kubelet/pki`, or its kubeconfig can be read.
    ///
    /// What does not suffice: the volumes of the node's pods alone.
    ///
    /// # Detection
    ///
    /// Audit log: requests of `system:node:NAME` from another address or with another user agent than the kubelet's.
    KUBELET_CREDENTIAL: [Volume] => [Credential] {
        title: "Certificate of the kubelet",
        mitre: ["T1552.004", "T1078"],
        microsoft: ["MS-TA9016"],
        owasp: ["K01", "K09"],
        cis: ["5.2.12"],
        effort: 1,
        remediation: "Do not mount the kubelet's directory; enable NodeRestriction and rotate certificates.",
        references: ["https://kubernetes.io/docs/reference/access-authn-authz/node/"],
        derive: kubelet_credential,
    }

    /// Uses the keys of the control plane: to sign tokens and certificates, or as an administrator.
    ///
    /// # Preconditions
    ///
    /// The files of a node that carries the control plane can be read where they hold its keys or an administrator's
    /// kubeconfig: `/etc/kubernetes/pki`, `/etc/kubernetes/admin.conf`, or the directories of k3s, RKE2, k0s, MicroK8s and
    /// minikube.
    ///
    /// What does not suffice: the same directories of a worker.
    ///
    /// # Detection
    ///
    /// Audit log: requests of `system:masters` or of users that no certificate was issued for.
    CONTROL_PLANE_KEYS: [Volume] => [ClusterAdmin] {
        title: "Keys of the control plane among files",
        mitre: ["T1552.004"],
        microsoft: ["MS-TA9025"],
        owasp: ["K01", "K03"],
        cis: ["1.1.19", "5.2.12"],
        effort: 1,
        remediation: "Run no pods with hostPath volumes on control-plane nodes.",
        references: ["https://kubernetes.io/docs/setup/best-practices/certificates/"],
        derive: control_plane_keys,
    }

    /// Reads every object of the cluster, Secrets too, out of etcd's data directory.
    ///
    /// # Preconditions
    ///
    /// `/var/lib/etcd` of a node that carries the control plane can be read. Whether Secrets are encrypted at rest, and
    /// whether one of them opens the cluster, is not in a snapshot.
    ///
    /// What does not suffice: the data of an etcd that something else stores its data in.
    ///
    /// # Detection
    ///
    /// Reads below `/var/lib/etcd` by anything but etcd.
    ETCD_FILES: [Volume] => [ClusterAdmin] {
        title: "Objects of the cluster in etcd's files",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9025"],
        owasp: ["K01", "K03"],
        cis: ["1.1.11"],
        effort: 2,
        remediation: "Encrypt Secrets at rest with a key outside the node, and mount etcd's data into etcd only.",
        references: ["https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"],
        derive: etcd_files,
    }

    /// Logs in to the node with a key or password from its files.
    ///
    /// # Preconditions
    ///
    /// `/root`, `/home` or `/etc/shadow` can be read. A key must be there that opens a log-in, or a password that can be
    /// guessed.
    ///
    /// What does not suffice: the certificates of `/etc/ssl` or the host keys of `/etc/ssh`.
    ///
    /// # Detection
    ///
    /// The node's log of log-ins.
    NODE_LOGIN: [Volume] => [Node] {
        title: "Log-in to the node",
        mitre: ["T1552.004", "T1021.004", "T1110.002"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K03"],
        cis: ["5.2.12"],
        falco: ["Read sensitive file untrusted"],
        effort: 4,
        remediation: "Keep private keys and passwords off nodes; do not mount /root, /home or /etc.",
        references: ["https://attack.mitre.org/techniques/T1552/004/"],
        derive: node_login,
    }
}

/// Where the kubelet looks for the logs of pods.
pub(super) const LOGS: &str = "/var/log/pods";
/// Where the kubelet keeps the volumes of pods.
pub(super) const KUBELET_PODS: &str = "/var/lib/kubelet/pods";
const KUBELET: &str = "/var/lib/kubelet/pki";
const KEYS: &str = "/etc/kubernetes/pki";
const ETCD: &str = "/var/lib/etcd";
const LOGIN: &str = "/root/.ssh";

/// One sort of credential among a node's files.
struct Sort {
    /// The usual path, which names the position.
    name: &'static str,
    /// Files and directories of it: a mount of one, or of a directory above it, holds them.
    paths: &'static [&'static str],
    /// For those of the control plane, directories whose mount tells by itself that they are meant.
    control_plane: &'static [&'static str],
}

const SORTS: &[Sort] = &[
    Sort {
        name: KUBELET_PODS,
        paths: &[KUBELET_PODS],
        control_plane: &[],
    },
    Sort {
        name: KUBELET,
        paths: &[
            KUBELET,
            "/etc/kubernetes/kubelet.conf",
            "/var/lib/kubelet/kubeconfig",
            "/var/lib/rancher/k3s/agent/client-kubelet.key",
            "/var/lib/rancher/rke2/agent/client-kubelet.key",
        ],
        control_plane: &[],
    },
    Sort {
        name: KEYS,
        paths: &[
            "/etc/kubernetes/admin.conf",
            "/etc/kubernetes/pki/ca.key",
            "/etc/kubernetes/pki/etcd/ca.key",
            "/etc/kubernetes/pki/sa.key",
            "/etc/kubernetes/super-admin.conf",
            "/etc/kubernetes/ssl/kube-ca-key.pem",
            "/etc/rancher/k3s/k3s.yaml",
            "/etc/rancher/rke2/rke2.yaml",
            "/etc/srv/kubernetes/pki",
            "/var/lib/k0s/pki",
            "/var/lib/minikube/certs",
            "/var/lib/rancher/k3s/server",
            "/var/lib/rancher/rke2/server",
            "/var/snap/microk8s/current/credentials",
        ],
        control_plane: &[
            "/etc/kubernetes",
            "/etc/rancher",
            "/etc/srv/kubernetes",
            "/var/lib/k0s",
            "/var/lib/minikube",
            "/var/lib/rancher",
            "/var/snap/microk8s",
        ],
    },
    Sort {
        name: ETCD,
        paths: &["/var/lib/etcd/member", "/var/lib/minikube/etcd"],
        control_plane: &["/var/lib/etcd", "/var/lib/minikube"],
    },
    Sort {
        name: LOGIN,
        paths: &["/etc/shadow", "/home", "/root/.ssh"],
        control_plane: &[],
    },
];

/// Credentials among the nodes' files, and where they are.
pub(super) struct Files {
    control_plane: ControlPlane,
}

/// Every file, for [`Files::of`].
pub(super) fn everything(_: &str) -> bool {
    true
}

impl Files {
    /// Learns which nodes carry the control plane.
    pub(super) fn new(context: &Context<'_>) -> Self {
        Self {
            control_plane: ControlPlane::new(context),
        }
    }

    /// The credentials of a node of whose paths `has` says yes to one, each with how sure it is that they are there.
    pub(super) fn of(&self, node: &Text, has: impl Fn(&str) -> bool) -> Vec<(Position, Certainty)> {
        let found = SORTS
            .iter()
            .filter(|sort| sort.paths.iter().any(|path| has(path)));
        let there = found.filter_map(|sort| {
            let certainty = if sort.control_plane.is_empty() {
                Certainty::Certain
            } else {
                self.control_plane
                    .is_on(node)
                    .filter(|certainty| *certainty == Certainty::Certain)?
            };
            Some((volume(node, sort.name), certainty))
        });
        there.collect()
    }

    /// The credentials in a mount of a node.
    fn in_mount(&self, node: &Text, mount: &str) -> Vec<(&'static str, Certainty)> {
        let found = SORTS
            .iter()
            .filter(|sort| sort.paths.iter().any(|path| holds(mount, path)));
        let there = found.filter_map(|sort| {
            if sort.control_plane.is_empty() {
                return Some((sort.name, Certainty::Certain));
            }
            let certainty = self.control_plane.is_on(node)?;
            let is_meant = sort.control_plane.iter().any(|above| holds(above, mount));
            (is_meant || certainty == Certainty::Certain).then_some((sort.name, certainty))
        });
        there.collect()
    }
}

/// Files of a node as a position.
pub(super) fn volume(node: &Text, path: &str) -> Position {
    Position::Volume(Place::new(node, path))
}

/// Adds a step for each sort of credential that `wanted` names in a mount of a process that can be root.
fn read(context: &Context<'_>, sink: &mut Sink<'_>, wanted: impl Fn(&str) -> bool) {
    let files = Files::new(context);
    for pod in marked(context, Mark::HOST_FILES) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers() {
            let Some(root) = Security::of(context, &container).root() else {
                continue;
            };
            let (holder, certainty) = container.holder();
            let certainty = both(certainty, root);
            for mount in host_mounts(context, &container) {
                for (name, there) in files.in_mount(&node, &mount.path) {
                    if wanted(name) {
                        let certainty = both(certainty.clone(), there);
                        sink.step_if(
                            [holder.clone()],
                            volume(&node, name),
                            certainty,
                            mount.evidence.clone(),
                        );
                    }
                }
            }
        }
    }
}

fn exploit_host_traverse(context: &Context<'_>, sink: &mut Sink<'_>) {
    read(context, sink, |name| name == KUBELET_PODS);
}

fn exploit_host_read(context: &Context<'_>, sink: &mut Sink<'_>) {
    read(context, sink, |name| name != KUBELET_PODS);
}

/// The nodes of whose files some container may read credentials of a sort.
///
/// # Complexity
/// Linear in the pods with volumes of the node's and those with the capability to read files by handle.
fn read_on(context: &Context<'_>, name: &str) -> BTreeSet<Text> {
    let mut found = BTreeSet::new();
    let Some(sort) = SORTS.iter().find(|sort| sort.name == name) else {
        return found;
    };
    for pod in marked(context, Mark::HOST_FILES.or(Mark::RIGHTS)) {
        let mounts = pod.carries(context, Mark::HOST_FILES);
        for container in pod.containers() {
            let added = &container.container.security_context.capabilities.add;
            if !mounts && added.is_empty() {
                continue;
            }
            let security = Security::of(context, &container);
            let by_handle = security.capability("DAC_READ_SEARCH").is_some();
            let in_mounts = || {
                let mounts = host_mounts(context, &container);
                let has = |path: &&str| mounts.iter().any(|mount| mount.holds(path) || mount.holds(LOGS));
                sort.paths.iter().any(has)
            };
            if by_handle || in_mounts() {
                found.insert(pod.node(context.cluster).0);
            }
        }
    }
    found
}

/// Whether the key of a kubelet can be read by a container, so that kubelets count as identities.
pub(super) fn kubelets_are_read(context: &Context<'_>) -> bool {
    !read_on(context, KUBELET).is_empty()
}

fn token_steal(context: &Context<'_>, sink: &mut Sink<'_>) {
    let readable: FxHashSet<Text> = read_on(context, KUBELET_PODS).into_iter().collect();
    for pod in pods(context) {
        let (node, placed) = pod.node(context.cluster);
        if !readable.contains(&node) {
            continue;
        }
        // All tokens of a pod are of its one account; the surest of them counts.
        let surest = tokens(context, &pod).into_iter().min_by(|a, b| a.2.cmp(&b.2));
        if let Some((_, account, certainty, fact)) = surest {
            let token = Position::Credential(Opens::Identity(account));
            let certainty = both(placed.clone(), certainty);
            sink.step_if(
                [volume(&node, KUBELET_PODS)],
                token,
                certainty,
                [fact, pod.node_evidence()],
            );
        }
    }
}

fn secret_steal(context: &Context<'_>, sink: &mut Sink<'_>) {
    let readable: FxHashSet<Text> = read_on(context, KUBELET_PODS).into_iter().collect();
    let holders = [Holder::Secret, Holder::ConfigMap];
    let mut seen = FxHashSet::default();
    for pod in marked(context, Mark::VOLUMES) {
        let (node, placed) = pod.node(context.cluster);
        if !readable.contains(&node) {
            continue;
        }
        // Made where a step needs them; what most pods mount was seen on their node before.
        let shared = LazyCell::new(|| (volume(&node, KUBELET_PODS), pod.node_evidence()));
        let containers: Vec<_> = pod.containers().collect();
        let mounted = containers
            .iter()
            .flat_map(|view| references_by(view, &[Way::Volume], &holders));
        for reference in mounted {
            let (holder, place) = (reference.holder, &reference.place);
            let keys = reference.keys();
            let whole = keys.is_none().then(|| holder.whole(place));
            let keys = keys.into_iter().flatten().map(|key| holder.key(place, key));
            for gained in whole.into_iter().chain(keys) {
                if seen.insert((node.address(), gained.clone(), placed.clone())) {
                    let (files, on_node) = &*shared;
                    let evidence = [reference.proof(), on_node.clone()];
                    sink.step_if([files.clone()], gained, placed.clone(), evidence);
                }
            }
        }
    }
}

/// The existence of a node, named or not.
fn node_fact(cluster: &Cluster, node: &Text) -> Evidence {
    let value = if cluster.node(node).is_some() {
        ""
    } else {
        "not in the input"
    };
    Evidence::new(ObjectId::cluster_scoped("Node", node), "", value)
}

fn kubelet_credential(context: &Context<'_>, sink: &mut Sink<'_>) {
    for node in read_on(context, KUBELET) {
        let key = Position::Credential(Opens::Identity(kubelet(&node)));
        sink.step([volume(&node, KUBELET)], key, [node_fact(context.cluster, &node)]);
    }
}

fn control_plane_keys(context: &Context<'_>, sink: &mut Sink<'_>) {
    let control_plane = ControlPlane::new(context);
    for node in read_on(context, KEYS) {
        if control_plane.is_on(&node).is_some() {
            let fact = [node_fact(context.cluster, &node)];
            sink.step([volume(&node, KEYS)], Position::ClusterAdmin, fact);
        }
    }
}

fn etcd_files(context: &Context<'_>, sink: &mut Sink<'_>) {
    let control_plane = ControlPlane::new(context);
    let opens = "a Secret in etcd that is not encrypted opens the cluster";
    for node in read_on(context, ETCD) {
        if control_plane.is_on(&node).is_some() {
            let fact = [node_fact(context.cluster, &node)];
            let certainty = Certainty::Conditional(opens.into());
            sink.step_if([volume(&node, ETCD)], Position::ClusterAdmin, certainty, fact);
        }
    }
}

fn node_login(context: &Context<'_>, sink: &mut Sink<'_>) {
    for node in read_on(context, LOGIN) {
        let certainty = Certainty::Conditional("a key or password there opens a log-in to the node".into());
        let fact = [node_fact(context.cluster, &node)];
        sink.step_if([volume(&node, LOGIN)], Position::Node(node), certainty, fact);
    }
}
