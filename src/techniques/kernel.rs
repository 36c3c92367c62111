//! From a container to its node by single capabilities, without the node's process namespace.
//!
//! **Trap.** Most capabilities give nothing by themselves: NET_ADMIN rules the container's own network, SYS_PTRACE its
//! own processes, MKNOD makes devices that the device cgroup then closes, SYS_TIME and SYSLOG disturb or tell. They are
//! no escapes, whatever other tools draw.
//! Source: <https://man7.org/linux/man-pages/man7/capabilities.7.html>

use super::escape::escapes;
use super::files::{self, Files};
use super::pods::{ContainerView, Mark, both, marked};
use super::security::Security;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};

techniques! { TECHNIQUES, Family::Escape;
    /// Mounts a `/proc` of its own, writable, and has the kernel run a program by `core_pattern`.
    ///
    /// The runtime mounts `/proc/sys` read-only; SYS_ADMIN may mount it anew. Under cgroup v1 a `release_agent` does the
    /// same.
    ///
    /// # Preconditions
    ///
    /// The container has SYS_ADMIN as user 0, without being privileged. AppArmor's profile of the runtime denies every
    /// mount; whether the node has AppArmor is not in a snapshot. The runtime's seccomp profile lets SYS_ADMIN mount.
    ///
    /// What does not suffice: the capability in a user namespace (`hostUsers: false`), as another user, or on a kernel of
    /// the pod's own (gVisor, Kata).
    ///
    /// # Detection
    ///
    /// `mount` by a process of a container; writes to `/proc/sys/kernel/core_pattern` or to a `release_agent`.
    CE_SYS_ADMIN_MOUNT: [Container] => [Node] {
        title: "Container escape: mount with SYS_ADMIN",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.9"],
        falco: ["Detect release_agent File Container Escapes"],
        effort: 3,
        remediation: "Drop SYS_ADMIN; enforce the baseline Pod Security Standard.",
        references: [
            "https://man7.org/linux/man-pages/man7/capabilities.7.html",
            "https://man7.org/linux/man-pages/man5/core.5.html",
        ],
        derive: ce_sys_admin_mount,
    }

    /// Opens files of the node by their handles, past the container's own view of the file system.
    ///
    /// # Preconditions
    ///
    /// The container has DAC_READ_SEARCH as user 0. A file of the node's file system is in every container: the runtime
    /// mounts `/etc/hosts` and `/etc/resolv.conf` from there. With DAC_OVERRIDE, a default, files are written as well, and
    /// the node is held; without it they are read.
    ///
    /// What does not suffice: DAC_OVERRIDE alone; the capability in a user namespace or on a kernel of the pod's own.
    ///
    /// # Detection
    ///
    /// `open_by_handle_at` by a process of a container.
    CE_DAC_READ_SEARCH: [Container] => [Node, Volume] {
        title: "Container escape: files by handle",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.9"],
        effort: 3,
        remediation: "Drop DAC_READ_SEARCH; enforce the baseline Pod Security Standard.",
        references: ["https://man7.org/linux/man-pages/man2/open_by_handle_at.2.html"],
        derive: ce_dac_read_search,
    }

    /// Watches and changes what the node's processes do, by programs in the kernel.
    ///
    /// # Preconditions
    ///
    /// The container has BPF and PERFMON as user 0, without being privileged. The kernel must let tracing programs read and
    /// override memory of other processes: no lockdown.
    ///
    /// What does not suffice: one of the two capabilities without the other; both in a user namespace.
    ///
    /// # Detection
    ///
    /// `bpf` calls that load tracing programs, by a process that is no agent for it.
    CE_BPF: [Container] => [Node] {
        title: "Container escape: eBPF",
        mitre: ["T1611", "T1014"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.9"],
        falco: ["BPF Program Not Profiled"],
        effort: 4,
        remediation: "Drop BPF and PERFMON; lock the kernel down.",
        references: [
            "https://man7.org/linux/man-pages/man7/capabilities.7.html",
            "https://man7.org/linux/man-pages/man7/kernel_lockdown.7.html",
        ],
        derive: ce_bpf,
    }

    /// Reads and writes the node's memory through `/dev/mem` or a port of the hardware.
    ///
    /// # Preconditions
    ///
    /// The container has SYS_RAWIO as user 0, without being privileged, and mounts the node's `/dev` or `/dev/mem`. The
    /// device cgroup must let it open the device and the kernel must not be locked down, which no object shows.
    ///
    /// What does not suffice: the capability without the device, or the device without the capability.
    ///
    /// # Detection
    ///
    /// Opening of `/dev/mem` or `/dev/port` by a process of a container.
    CE_SYS_RAWIO: [Container] => [Node] {
        title: "Container escape: memory of the node",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.9", "5.2.12"],
        effort: 4,
        remediation: "Drop SYS_RAWIO, and do not mount the node's devices.",
        references: ["https://man7.org/linux/man-pages/man4/mem.4.html"],
        derive: ce_sys_rawio,
    }

    /// Runs as a process of its Windows node, with the account that it asks for.
    ///
    /// # Preconditions
    ///
    /// `windowsOptions.hostProcess` is true for the container, or for its pod if the container is silent. The pod runs on a
    /// Windows node.
    ///
    /// What does not suffice: a Windows pod without it.
    ///
    /// # Detection
    ///
    /// Audit log: pods with `windowsOptions.hostProcess`.
    CE_HOST_PROCESS: [Container] => [Node] {
        title: "Process of a Windows node",
        mitre: ["T1611", "T1610"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.11"],
        effort: 1,
        remediation: "Enforce the baseline Pod Security Standard: no HostProcess containers.",
        references: [
            "https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        ],
        derive: ce_host_process,
    }
}

/// The fact that the container has a capability without being privileged.
fn single(security: &Security<'_>, name: &str) -> Option<Evidence> {
    if security.privileged().is_some() {
        return None;
    }
    security.capability(name)
}

fn ce_sys_admin_mount(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        Some((security.unless_confined(), vec![single(security, "SYS_ADMIN")?]))
    });
}

fn ce_dac_read_search(context: &Context<'_>, sink: &mut Sink<'_>) {
    let files = Files::new(context);
    for pod in marked(context, Mark::RIGHTS) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            let found = security
                .root_on_kernel()
                .and_then(|root| Some((root, single(&security, "DAC_READ_SEARCH")?)));
            let Some((root, reads)) = found else { continue };
            let certainty = both(root, security.unless_seccomp());
            if let Some(writes) = security.capability("DAC_OVERRIDE") {
                let node = Position::Node(node.clone());
                sink.step_if([container.position()], node, certainty, [reads, writes]);
                continue;
            }
            for (volume, more) in files.of(&node, files::everything) {
                let certainty = both(certainty.clone(), more);
                sink.step_if([container.position()], volume, certainty, [reads.clone()]);
            }
        }
    }
}

fn ce_bpf(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        let evidence = vec![single(security, "BPF")?, single(security, "PERFMON")?];
        let open = Certainty::Conditional("the kernel of the node is not locked down".into());
        Some((both(security.unless_seccomp(), open), evidence))
    });
}

fn ce_sys_rawio(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in marked(context, Mark::HOST_FILES) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            let (Some(root), Some(capability)) = (security.root_on_kernel(), single(&security, "SYS_RAWIO"))
            else {
                continue;
            };
            let mounts = super::mounts::host_mounts(context, &container);
            if let Some(mount) = mounts.iter().find(|mount| mount.holds("/dev/mem")) {
                let open = "the device cgroup lets the container open /dev/mem, and the kernel of the node is not locked down";
                let certainty = both(root, Certainty::Conditional(open.into()));
                let evidence = [capability].into_iter().chain(mount.evidence.iter().cloned());
                let node = Position::Node(node.clone());
                sink.step_if([container.position()], node, certainty, evidence);
            }
        }
    }
}

fn ce_host_process(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in marked(context, Mark::RIGHTS) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let Some(fact) = Security::of(context, &container).host_process() else {
                continue;
            };
            let known = context.cluster.node(&node);
            let system = known.map_or("", |node| node.status.node_info.operating_system.as_str());
            let certainty = match (system, pod.pod.spec.os.name.as_str()) {
                ("windows", _) | ("", "windows") => Certainty::Certain,
                ("", "") => Certainty::Conditional("the pod runs on a Windows node".into()),
                _ => continue,
            };
            let node = Position::Node(node.clone());
            sink.step_if([container.position()], node, certainty, [fact]);
        }
    }
}
