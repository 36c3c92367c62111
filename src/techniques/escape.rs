//! From a container to its node by what the kernel lets it do.

use super::pods::{ContainerView, Mark, both, marked};
use super::security::Security;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};

techniques! { TECHNIQUES, Family::Escape;
    /// Mounts the node's disk from a privileged container and writes to it.
    ///
    /// # Preconditions
    ///
    /// The container is privileged and its process can be user 0 of the node. If neither the container nor the
    /// pod says which user runs, the image does, and the step depends on it.
    ///
    /// What does not suffice: a privileged container that runs as another user, or in a user namespace
    /// (`hostUsers: false`), or on a kernel of its own (gVisor, Kata).
    ///
    /// # Detection
    ///
    /// `mount` of a block device within a container; writes to the node's files outside its own paths.
    CE_PRIV_MOUNT: [Container] => [Node] {
        title: "Container escape: mount of the node's disk",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.2"],
        falco: ["Launch Privileged Container", "Mount Launched in Privileged Container"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard: no privileged containers.",
        references: [
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
            "https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/",
        ],
        derive: ce_priv_mount,
    }

    /// Joins the namespaces of the node's first process with `nsenter`.
    ///
    /// # Preconditions
    ///
    /// The pod shares the node's process namespace, the container is privileged and its process can be user 0.
    ///
    /// What does not suffice: the shared namespace alone, which shows the node's processes but cannot join
    /// them.
    ///
    /// # Detection
    ///
    /// `nsenter` with target 1 in a container; a shell whose parent is a container's but whose namespaces are
    /// the node's.
    CE_NSENTER: [Container] => [Node] {
        title: "Container escape: nsenter",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.2", "5.2.3"],
        falco: ["Launch Privileged Container", "Change thread namespace"],
        effort: 1,
        remediation: "Enforce the baseline Pod Security Standard: no privileged containers, no hostPID.",
        references: [
            "https://man7.org/linux/man-pages/man1/nsenter.1.html",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        ],
        derive: ce_nsenter,
    }

    /// Injects code into a process of the node with `ptrace`.
    ///
    /// # Preconditions
    ///
    /// The pod shares the node's process namespace, and the container has the capability SYS_PTRACE as user 0.
    /// An AppArmor profile, the runtime's default one too, denies it; whether the node has AppArmor is not in
    /// a snapshot.
    ///
    /// What does not suffice: the capability in a process namespace of the pod's own.
    ///
    /// # Detection
    ///
    /// Kernel audit: `ptrace` on processes outside the container.
    CE_SYS_PTRACE: [Container] => [Node] {
        title: "Container escape: ptrace",
        mitre: ["T1611", "T1055.008"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.3", "5.2.9"],
        falco: ["PTRACE attached to process"],
        effort: 3,
        remediation: "Drop SYS_PTRACE, set hostPID to false, keep the runtime's AppArmor profile.",
        references: [
            "https://man7.org/linux/man-pages/man2/ptrace.2.html",
            "https://kubernetes.io/docs/tutorials/security/apparmor/",
        ],
        derive: ce_sys_ptrace,
    }

    /// Joins the namespaces of the node's first process without being privileged.
    ///
    /// # Preconditions
    ///
    /// The pod shares the node's process namespace, and the container has SYS_ADMIN and SYS_PTRACE as user 0:
    /// the first joins namespaces, the second opens the links below `/proc/1/ns`. AppArmor may deny it.
    ///
    /// What does not suffice: SYS_ADMIN in a process namespace of the pod's own.
    ///
    /// # Detection
    ///
    /// `setns` calls of a container's process.
    CE_SYS_ADMIN: [Container] => [Node] {
        title: "Container escape: setns with SYS_ADMIN",
        mitre: ["T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.3", "5.2.9"],
        falco: ["Change thread namespace"],
        effort: 2,
        remediation: "Drop SYS_ADMIN, set hostPID to false.",
        references: ["https://man7.org/linux/man-pages/man2/setns.2.html"],
        derive: ce_sys_admin,
    }

    /// Loads a kernel module of its own.
    ///
    /// # Preconditions
    ///
    /// The container is privileged or has the capability SYS_MODULE, and runs as user 0. The kernel must accept
    /// unsigned modules, which a snapshot does not show.
    ///
    /// What does not suffice: the capability in a user namespace (`hostUsers: false`).
    ///
    /// # Detection
    ///
    /// Kernel audit: `init_module` and `finit_module`.
    CE_MODULE_LOAD: [Container] => [Node] {
        title: "Container escape: kernel module",
        mitre: ["T1611", "T1547.006"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.2", "5.2.9"],
        falco: ["Linux Kernel Module Injection Detected"],
        effort: 3,
        remediation: "Drop SYS_MODULE; enforce signatures of kernel modules on nodes.",
        references: ["https://man7.org/linux/man-pages/man2/init_module.2.html"],
        derive: ce_module_load,
    }
}

/// Adds an escape of every container that `find` says can escape, on condition that it runs as root.
pub(super) fn escapes(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    find: impl Fn(&Security<'_>) -> Option<(Certainty, Vec<Evidence>)>,
) {
    for pod in marked(context, Mark::RIGHTS) {
        let (node, _) = pod.node(context.cluster);
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            let Some(root) = security.root_on_kernel() else {
                continue;
            };
            if let Some((certainty, evidence)) = find(&security) {
                let node = Position::Node(node.clone());
                sink.step_if([container.position()], node, both(root, certainty), evidence);
            }
        }
    }
}

fn ce_priv_mount(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        Some((Certainty::Certain, vec![security.privileged()?]))
    });
}

fn ce_nsenter(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        Some((
            Certainty::Certain,
            vec![security.host_pid()?, security.privileged()?],
        ))
    });
}

fn ce_sys_ptrace(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        let evidence = vec![security.host_pid()?, security.capability("SYS_PTRACE")?];
        Some((security.unless_confined(), evidence))
    });
}

fn ce_sys_admin(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        if security.privileged().is_some() {
            return None;
        }
        let evidence = vec![
            security.host_pid()?,
            security.capability("SYS_ADMIN")?,
            security.capability("SYS_PTRACE")?,
        ];
        Some((security.unless_confined(), evidence))
    });
}

fn ce_module_load(context: &Context<'_>, sink: &mut Sink<'_>) {
    escapes(context, sink, |security| {
        let condition = "the kernel of the node accepts unsigned modules";
        Some((
            both(
                security.unless_seccomp(),
                Certainty::Conditional(condition.into()),
            ),
            vec![security.capability("SYS_MODULE")?],
        ))
    });
}
