//! From a container to its node by the node's files.
//!
//! **Trap.** What counts is the node's path, not where the container mounts it: `subPath` narrows it, a claim
//! may lead to it, and `/var/run` is `/run`. A read-only mount stops writing, but not connecting to a socket.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::tokens;
use super::pods::{ContainerView, both, pods};
use super::security::Security;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::model::Text;
use crate::rbac::Identity;

techniques! { TECHNIQUES, Family::Escape;
    /// Writes to files of the node that root on the node will run or obey.
    ///
    /// # Preconditions
    ///
    /// The container mounts, writable, a directory of the node that holds programs, start-up files, keys or the
    /// kubelet's own files, or one above them: `/`, `/etc`, `/root`, `/usr`, `/opt/cni/bin`,
    /// `/var/lib/kubelet` and the like. Its process can be user 0 of the node.
    ///
    /// What does not suffice: a read-only mount, a private directory such as `/data/db`, or another user.
    ///
    /// # Detection
    ///
    /// Changes to these files by processes of containers.
    EXPLOIT_HOST_WRITE: [Container, Pod] => [Node] {
        title: "Container escape: files of the node",
        mitre: ["T1611"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K04"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard: no hostPath volumes; else mount them read-only and narrow.",
        references: [
            "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        ],
        derive: exploit_host_write,
    }

    /// Has the container runtime start a privileged container, over its socket.
    ///
    /// # Preconditions
    ///
    /// The container mounts the socket of the node's runtime or a directory above it, and its process can be
    /// user 0 of the node. A read-only mount is enough: connecting to a socket writes nothing to its file
    /// system.
    ///
    /// What does not suffice: the socket of another runtime than the node's.
    ///
    /// # Detection
    ///
    /// Containers on the node that no pod accounts for; clients of the socket other than the kubelet.
    EXPLOIT_RUNTIME_SOCKET: [Container, Pod] => [Node] {
        title: "Container escape: socket of the container runtime",
        mitre: ["T1611", "T1610"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K04"],
        effort: 1,
        remediation: "Do not mount the runtime's socket; build images without it.",
        references: [
            "https://docs.docker.com/engine/security/protect-access/",
            "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
        ],
        derive: exploit_runtime_socket,
    }

    /// Makes the node's kernel run a program, by the pattern of core dumps.
    ///
    /// # Preconditions
    ///
    /// The container mounts the node's `/proc`, or a directory of it that holds `sys/kernel`, writable, and its
    /// process can be user 0 of the node. The kernel runs the program that `core_pattern` names as root.
    ///
    /// What does not suffice: the container's own `/proc`, where that file is read-only.
    ///
    /// # Detection
    ///
    /// Writes to `/proc/sys/kernel/core_pattern`.
    CE_UMH_CORE_PATTERN: [Container, Pod] => [Node] {
        title: "Container escape: core_pattern",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018", "MS-TA9013"],
        owasp: ["K01", "K04"],
        effort: 2,
        remediation: "Do not mount the node's /proc, or mount it read-only.",
        references: ["https://man7.org/linux/man-pages/man5/core.5.html"],
        derive: ce_umh_core_pattern,
    }

    /// Reads the volumes of the other pods of the node through the kubelet's directory.
    ///
    /// # Preconditions
    ///
    /// The container mounts `/var/lib/kubelet`, its `pods` or a directory above them, read-only or not, and its
    /// process can be user 0 of the node.
    ///
    /// What does not suffice: another user; the directory is root's alone.
    ///
    /// # Detection
    ///
    /// Reads below `/var/lib/kubelet/pods` by a container.
    EXPLOIT_HOST_TRAVERSE: [Container, Pod] => [Volume] {
        title: "Volumes of the node's other pods",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K03"],
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
        effort: 1,
        remediation: "Set automountServiceAccountToken: false for pods that do not talk to the API server.",
        references: ["https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens"],
        derive: token_steal,
    }
}

/// Files and directories that root runs or obeys: writing to one, or to a directory above it, is enough.
const OBEYED: &[&str] = &[
    "/etc/containerd/config.toml",
    "/etc/crontab",
    "/etc/docker/daemon.json",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/shadow",
    "/home",
    "/lib64",
    "/root/.ssh",
    "/run/nri/nri.sock",
    "/run/systemd/private",
    "/run/systemd/system",
    "/usr/lib",
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
    "/var/lib/docker/overlay2",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/rancher/k3s/server",
    "/var/lib/rancher/rke2/agent/pod-manifests",
];

/// Directories of which the same is true for everything in them.
const OBEYED_WITHIN: &[&str] = &[
    "/bin",
    "/boot",
    "/etc/cdi",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/init.d",
    "/etc/kubernetes/manifests",
    "/etc/pam.d",
    "/etc/profile.d",
    "/etc/ssh",
    "/etc/sudoers.d",
    "/etc/systemd/system",
    "/lib/modules",
    "/lib/systemd",
    "/opt/cni/bin",
    "/run/cdi",
    "/sbin",
    "/usr/bin",
    "/usr/lib/systemd",
    "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/sbin",
    "/var/spool/cron",
];

/// Sockets of runtimes, with the word by which a node names the runtime.
const SOCKETS: &[(&str, &str)] = &[
    ("/run/docker.sock", "docker"),
    ("/run/cri-dockerd.sock", "docker"),
    ("/run/containerd/containerd.sock", "containerd"),
    ("/run/k3s/containerd/containerd.sock", "containerd"),
    ("/run/crio/crio.sock", "cri-o"),
    ("/run/podman/podman.sock", "podman"),
];

const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";
const KUBELET_PODS: &str = "/var/lib/kubelet/pods";

/// A directory or file of the node in a container.
struct HostMount {
    path: String,
    writable: bool,
    evidence: Vec<Evidence>,
}

/// Everything of the node that the container mounts.
fn host_mounts(context: &Context<'_>, container: &ContainerView<'_>) -> Vec<HostMount> {
    let mut found = Vec::new();
    for (at, mount, volume) in container.mounts() {
        let Some((host, mut evidence)) = container.pod.host_path(context, volume) else {
            continue;
        };
        let claim = volume.persistent_volume_claim.as_ref();
        let read_only =
            mount.read_only == Some(true) || claim.is_some_and(|claim| claim.read_only == Some(true));
        evidence.push(container.fact(
            &format!("/volumeMounts/{at}"),
            if read_only { "read-only" } else { "writable" },
        ));
        found.push(HostMount {
            path: normal(&format!("{}/{}", host.path, mount.sub_path)),
            writable: !read_only,
            evidence,
        });
    }
    found
}

/// A path without doubled slashes, dots and the usual links.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.starts_with(&["var", "run"]) {
        parts.remove(0);
    }
    format!("/{}", parts.join("/"))
}

/// Whether `path` is `below` or a directory above it.
fn holds(path: &str, below: &str) -> bool {
    path == "/" || below == path || below.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

/// Adds an escape for every mount of a process that can be root for which `find` gives a certainty.
fn mounts(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    conclusion: impl Fn(&Text) -> Position,
    find: impl Fn(&HostMount, &Text) -> Option<Certainty>,
) {
    for pod in pods(context) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers() {
            let Some(root) = Security::of(&container).root() else {
                continue;
            };
            let (holder, certainty) = container.holder();
            for mount in host_mounts(context, &container) {
                if let Some(found) = find(&mount, &node) {
                    let certainty = both(both(certainty.clone(), root.clone()), found);
                    sink.step_if([holder.clone()], conclusion(&node), certainty, mount.evidence);
                }
            }
        }
    }
}

fn exploit_host_write(context: &Context<'_>, sink: &mut Sink<'_>) {
    let obeyed = |mount: &HostMount| {
        OBEYED
            .iter()
            .chain(OBEYED_WITHIN)
            .any(|place| holds(&mount.path, place))
            || OBEYED_WITHIN.iter().any(|place| holds(place, &mount.path))
    };
    mounts(context, sink, node, |mount, _| {
        (mount.writable && obeyed(mount)).then_some(Certainty::Certain)
    });
}

fn exploit_runtime_socket(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, node, |mount, node| {
        let runtimes: Vec<&str> = SOCKETS
            .iter()
            .filter(|(socket, _)| holds(&mount.path, socket))
            .map(|(_, runtime)| *runtime)
            .collect();
        let only = *runtimes.first()?;
        if runtimes.iter().any(|runtime| *runtime != only) {
            return Some(Certainty::Certain);
        }
        let known = context.cluster.node(node).map(|node| &node.status.node_info);
        match known.map(|info| &info.container_runtime_version) {
            Some(version) if !version.is_empty() => version.starts_with(only).then_some(Certainty::Certain),
            _ => Some(Certainty::Conditional(
                format!("the node's container runtime is {only}").into(),
            )),
        }
    });
}

fn ce_umh_core_pattern(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, node, |mount, _| {
        (mount.writable && holds(&mount.path, CORE_PATTERN)).then_some(Certainty::Certain)
    });
}

fn exploit_host_traverse(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, volumes_of, |mount, _| {
        holds(&mount.path, KUBELET_PODS).then_some(Certainty::Certain)
    });
}

fn node(name: &Text) -> Position {
    Position::Node(name.clone())
}

/// The volumes of a node's pods.
fn volumes_of(node: &Text) -> Position {
    Position::Volume(Place::new(node, KUBELET_PODS))
}

fn token_steal(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut readable = BTreeSet::new();
    for pod in pods(context) {
        for container in pod.containers() {
            let mounts = host_mounts(context, &container);
            if mounts.iter().any(|mount| holds(&mount.path, KUBELET_PODS)) {
                readable.insert(pod.node(context.cluster).0);
            }
        }
    }
    for pod in pods(context) {
        let (node, placed) = pod.node(context.cluster);
        if !readable.contains(&node) {
            continue;
        }
        let mut accounts = BTreeMap::<Identity, (Certainty, Evidence)>::new();
        for (_, account, certainty, fact) in tokens(context, &pod) {
            accounts.entry(account).or_insert((certainty, fact));
        }
        for (account, (certainty, fact)) in accounts {
            let token = Position::Credential(Opens::Identity(account));
            let certainty = both(placed.clone(), certainty);
            sink.step_if(
                [volumes_of(&node)],
                token,
                certainty,
                vec![fact, pod.node_evidence()],
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_part_by_part() {
        assert_eq!(normal("//var/run/./docker.sock/"), "/run/docker.sock");
        assert_eq!(normal("/etc/../root"), "/root");
        assert!(holds("/", "/etc") && holds("/etc", "/etc/cdi") && holds("/etc", "/etc"));
        assert!(!holds("/etc", "/etcd") && !holds("/etc/cdi", "/etc"));
    }
}
