//! From a container to its node by the node's files, sockets and devices.
//!
//! **Trap.** A path that looks dangerous often is not: `/run/xtables.lock`, `/etc/localtime` or a plugin's own directory
//! below the kubelet's give nothing, and a log directory needs a right to read logs as well.

use super::files::{self, Files, LOGS};
use super::mounts::{HostMount, holds, host_mounts, normal};
use super::pods::{ContainerView, Mark, both, marked};
use super::security::Security;
use super::technique::techniques;
use super::version::older_kernel;
use super::{Certainty, Context, Family, Position, Sink};
use crate::model::Text;
use crate::rbac::{Power, power};

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
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container", "Create Sensitive Mount Pod"],
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
    /// What does not suffice: the socket of another runtime than the node's; a kernel of the pod's own (gVisor, Kata).
    ///
    /// # Detection
    ///
    /// Containers on the node that no pod accounts for; clients of the socket other than the kubelet.
    EXPLOIT_RUNTIME_SOCKET: [Container, Pod] => [Node] {
        title: "Container escape: socket of the container runtime",
        mitre: ["T1611", "T1610"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K04"],
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container", "The docker client is executed in a container"],
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
    /// process can be user 0 of the node. The kernel runs the program that `core_pattern` names as root. With `procMount:
    /// Unmasked` and without a user namespace the container's own `/proc` does as well, on API servers that let such a pod in.
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
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container"],
        effort: 2,
        remediation: "Do not mount the node's /proc, or mount it read-only.",
        references: ["https://man7.org/linux/man-pages/man5/core.5.html"],
        derive: ce_umh_core_pattern,
    }

    /// Has a program of the node that root runs do its will, over a socket other than the runtime's.
    ///
    /// # Preconditions
    ///
    /// The container mounts, read-only or not, the socket of systemd, of D-Bus or of the runtime's plugins (NRI), or a
    /// directory above it, and its process can be user 0 of the node. systemd starts any program; a plugin of NRI rewrites
    /// every container that starts. D-Bus lets user 0 do it unless AppArmor confines it; NRI is on by default since containerd 2.0.
    ///
    /// What does not suffice: another user; sockets of applications; a kernel of the pod's own (gVisor, Kata).
    ///
    /// # Detection
    ///
    /// Units that nobody installed; plugins that register with the runtime.
    EXPLOIT_HOST_SOCKET: [Container, Pod] => [Node] {
        title: "Container escape: sockets of the node",
        mitre: ["T1611", "T1569.002"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K04"],
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard: no hostPath volumes.",
        references: [
            "https://github.com/containerd/nri",
            "https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.systemd1.html",
        ],
        derive: exploit_host_socket,
    }

    /// Makes the node's kernel run a program, by the helper for events of devices.
    ///
    /// # Preconditions
    ///
    /// The container mounts the node's `/sys`, or what of it holds `kernel/uevent_helper`, writable, and its process can be
    /// user 0 of the node. The kernel must be built with such a helper, which few distributions do.
    ///
    /// What does not suffice: a read-only mount; `/sys/fs/cgroup` alone.
    ///
    /// # Detection
    ///
    /// Writes to `/sys/kernel/uevent_helper`.
    CE_UMH_UEVENT: [Container, Pod] => [Node] {
        title: "Container escape: uevent_helper",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018", "MS-TA9013"],
        owasp: ["K01", "K04"],
        cis: ["5.2.12"],
        falco: ["Launch Sensitive Mount Container"],
        effort: 3,
        remediation: "Do not mount the node's /sys, or mount it read-only.",
        references: ["https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-uevent"],
        derive: ce_umh_uevent,
    }

    /// Makes the node's kernel run a program, by the release agent of a control group.
    ///
    /// # Preconditions
    ///
    /// The container mounts the node's `/sys/fs/cgroup` or what is above it, writable, and its process can be user 0 of the
    /// node. The node must use version 1 of control groups. Without SYS_ADMIN the kernel must be older than the correction
    /// of CVE-2022-0492 (5.17 and what it was carried back to).
    ///
    /// What does not suffice: version 2 of control groups, which has no release agent; a read-only mount.
    ///
    /// # Detection
    ///
    /// Writes to a file called `release_agent`.
    CE_RELEASE_AGENT: [Container, Pod] => [Node] {
        title: "Container escape: release_agent",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018", "MS-TA9013"],
        owasp: ["K01", "K04"],
        cis: ["5.2.12"],
        falco: ["Detect release_agent File Container Escapes"],
        effort: 3,
        remediation: "Use version 2 of control groups, and do not mount the node's /sys/fs/cgroup.",
        references: [
            "https://man7.org/linux/man-pages/man7/cgroups.7.html",
            "https://nvd.nist.gov/vuln/detail/CVE-2022-0492",
        ],
        derive: ce_release_agent,
    }

    /// Reads files of the node as if they were logs, through links that it puts into the log directory.
    ///
    /// # Preconditions
    ///
    /// The container mounts `/var/log` or what is above it, writable, its process can be user 0 of the node, AND someone who
    /// may read the log of the pod (`pods/log`), or of nodes, asks for it: the kubelet follows the link as root. The right
    /// may be another identity's.
    ///
    /// What does not suffice: the directory without the right, or the right without the directory; a read-only mount.
    ///
    /// # Detection
    ///
    /// Symbolic links below `/var/log/pods` that lead out of it; audit log: `get` of `pods/log` by an identity that reads no
    /// logs.
    CE_VAR_LOG_SYMLINK: [Container, Pod, Grant] => [Volume] {
        title: "Files of the node as logs",
        mitre: ["T1611", "T1552.001"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01", "K02"],
        cis: ["5.2.12"],
        falco: ["Create Symlink Over Sensitive Files"],
        effort: 3,
        remediation: "Mount /var/log read-only, and give pods/log and nodes/log to people only.",
        references: ["https://kubernetes.io/docs/concepts/cluster-administration/logging/"],
        derive: ce_var_log_symlink,
    }

    /// Writes to the node's disk as a raw device.
    ///
    /// The device cgroup closes devices that a container merely mounts, but a claim in block mode is opened for it.
    ///
    /// # Preconditions
    ///
    /// `volumeDevices` gives the container a claim in block mode, bound to a `local` PersistentVolume of a device, and its
    /// process can be user 0. The device must hold the node's own file system, which no object shows.
    ///
    /// What does not suffice: a hostPath of `/dev`; a claim whose volume is of a storage system.
    ///
    /// # Detection
    ///
    /// PersistentVolumes of type `local` whose path is a whole disk.
    EXPLOIT_HOST_DEVICE: [Container, Pod] => [Node] {
        title: "Container escape: disk of the node",
        mitre: ["T1611", "T1006"],
        microsoft: ["MS-TA9013"],
        owasp: ["K01"],
        cis: ["5.1.9"],
        effort: 3,
        remediation: "Make local volumes of disks that hold nothing else.",
        references: ["https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support"],
        derive: exploit_host_device,
    }
}

/// Files and directories that root runs or obeys: writing to one, or to a directory above it, is enough.
const OBEYED: &[&str] = &[
    "/etc/containerd/config.toml",
    "/etc/crontab",
    "/etc/docker/daemon.json",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/rc.local",
    "/etc/shadow",
    "/etc/sudoers",
    "/home",
    "/lib64",
    "/root/.ssh",
    "/run/systemd/system",
    "/usr/lib",
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

/// The file systems of other containers: whoever writes there changes what they run.
const CONTAINERS: &[&str] = &[
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
    "/var/lib/containers/storage/overlay",
    "/var/lib/docker/overlay2",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/rancher/rke2/agent/containerd",
];

/// What a program asks for beside user 0.
enum Asks {
    Nothing,
    /// D-Bus asks AppArmor, whose profile of the runtime allows nothing of it.
    AppArmor,
    /// That it listens at all.
    Setting(&'static str),
}

/// Sockets of other programs that run what they are told.
const COMMANDING: &[(&str, Asks)] = &[
    ("/run/dbus/system_bus_socket", Asks::AppArmor),
    (
        "/run/nri/nri.sock",
        Asks::Setting("the node's container runtime takes plugins (NRI)"),
    ),
    ("/run/systemd/private", Asks::Nothing),
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
const UEVENT_HELPER: &str = "/sys/kernel/uevent_helper";
const CGROUPS: &str = "/sys/fs/cgroup";

/// Adds an escape for every mount of a process that can be root for which `find` gives a certainty.
fn mounts(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    find: impl Fn(&HostMount, &Text, &Security<'_>) -> Option<Certainty>,
) {
    for pod in marked(context, Mark::HOST_FILES) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers() {
            let security = Security::of(context, &container);
            let Some(root) = security.root() else {
                continue;
            };
            let (holder, certainty) = container.holder();
            for mount in host_mounts(context, &container) {
                if let Some(found) = find(mount, &node, &security) {
                    let certainty = both(both(certainty.clone(), root.clone()), found);
                    let node = Position::Node(node.clone());
                    sink.step_if([holder.clone()], node, certainty, mount.evidence.clone());
                }
            }
        }
    }
}

/// Whether writing below a directory of a node, as a volume gives it, makes root obey.
pub(super) fn is_obeyed(path: &str) -> bool {
    let path = normal(path);
    let above = OBEYED
        .iter()
        .chain(OBEYED_WITHIN)
        .any(|place| holds(&path, place));
    above || OBEYED_WITHIN.iter().any(|place| holds(place, &path))
}

fn exploit_host_write(context: &Context<'_>, sink: &mut Sink<'_>) {
    let containers = |mount: &HostMount| {
        CONTAINERS
            .iter()
            .any(|place| mount.holds(place) || holds(place, &mount.path))
    };
    mounts(context, sink, |mount, _, _| {
        if !mount.writable {
            None
        } else if is_obeyed(&mount.path) {
            Some(Certainty::Certain)
        } else {
            containers(mount)
                .then(|| Certainty::Conditional("a privileged container starts on the node".into()))
        }
    });
}

fn exploit_runtime_socket(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, |mount, node, security| {
        if security.is_sandboxed() {
            return None;
        }
        let runtimes: Vec<&str> = SOCKETS
            .iter()
            .filter(|(socket, _)| mount.holds(socket))
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

fn exploit_host_socket(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, |mount, _, security| {
        if security.is_sandboxed() {
            return None;
        }
        let found = COMMANDING.iter().filter(|(socket, _)| mount.holds(socket));
        let conditions = found.map(|(_, needs)| match needs {
            Asks::Nothing => Certainty::Certain,
            Asks::AppArmor => security.unless_app_armor(),
            Asks::Setting(condition) => Certainty::Conditional((*condition).into()),
        });
        conditions.min_by_key(|certainty| certainty.condition().is_some())
    });
}

fn ce_umh_core_pattern(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, |mount, _, _| {
        (mount.writable && mount.holds(CORE_PATTERN)).then_some(Certainty::Certain)
    });
    for pod in marked(context, Mark::RIGHTS) {
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            let Some(fact) = security
                .proc_unmasked()
                .filter(|_| security.privileged().is_none())
            else {
                continue;
            };
            if let Some(root) = security.root_on_kernel() {
                let admitted = "the API server lets procMount: Unmasked in without a user namespace";
                let certainty = both(root, Certainty::Conditional(admitted.into()));
                let node = Position::Node(pod.node(context.cluster).0);
                let certainty = both(certainty, security.unless_app_armor());
                sink.step_if([container.position()], node, certainty, [fact]);
            }
        }
    }
}

fn ce_umh_uevent(context: &Context<'_>, sink: &mut Sink<'_>) {
    let built = "the kernel of the node is built with a helper for events of devices";
    mounts(context, sink, |mount, _, _| {
        let writes = mount.writable && mount.holds(UEVENT_HELPER);
        writes.then(|| Certainty::Conditional(built.into()))
    });
}

fn ce_release_agent(context: &Context<'_>, sink: &mut Sink<'_>) {
    mounts(context, sink, |mount, node, security| {
        let is_meant = mount.holds(CGROUPS) || holds(CGROUPS, &mount.path);
        if !(mount.writable && is_meant) {
            return None;
        }
        let version = Certainty::Conditional("the node uses version 1 of control groups".into());
        if security.capability("SYS_ADMIN").is_some() {
            return Some(version);
        }
        let old = older_kernel(context.cluster, node, (5, 17))?;
        Some(both(version, old))
    });
}

/// The powers that have a kubelet read log files out: of a pod, or of any node.
static LOG_READERS: &[&Power] = &[&power::READ_NODE_LOGS, &power::PROXY_NODES_BY_GET];

fn ce_var_log_symlink(context: &Context<'_>, sink: &mut Sink<'_>) {
    let files = Files::new(context);
    for pod in marked(context, Mark::HOST_FILES) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers() {
            let Some(root) = Security::of(context, &container).root() else {
                continue;
            };
            let mounts = host_mounts(context, &container);
            let logs = |mount: &&HostMount| mount.writable && mount.path != "/" && mount.holds(LOGS);
            let Some(mount) = mounts.iter().find(logs) else {
                continue;
            };
            let (holder, certainty) = container.holder();
            let certainty = both(certainty, root);
            let own = context
                .held
                .over(&power::READ_LOGS, &pod.place.namespace, &pod.place.name);
            let nodes = LOG_READERS
                .iter()
                .flat_map(|power| context.held.over(power, &Text::default(), &node));
            for grant in own.into_iter().chain(nodes) {
                for (volume, there) in files.of(&node, files::everything) {
                    let certainty = both(certainty.clone(), there);
                    let evidence = mount.evidence.clone();
                    sink.step_if([holder.clone(), grant.clone()], volume, certainty, evidence);
                }
            }
        }
    }
}

fn exploit_host_device(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in marked(context, Mark::HOST_FILES) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers() {
            let Some(root) = Security::of(context, &container).root() else {
                continue;
            };
            for (at, device) in container.container.volume_devices.iter().enumerate() {
                let volume = pod.pod.spec.volume(&device.name);
                let Some((host, mut evidence)) = volume.and_then(|volume| pod.host_path(context, volume))
                else {
                    continue;
                };
                let path = normal(&host.path);
                evidence.push(container.fact(
                    format_args!("/volumeDevices/{at}/devicePath"),
                    &device.device_path,
                ));
                let (holder, certainty) = container.holder();
                let own = Certainty::Conditional(format!("{path} holds the node's own file system").into());
                let certainty = both(both(certainty, root.clone()), own);
                sink.step_if([holder], Position::Node(node.clone()), certainty, evidence);
            }
        }
    }
}
