//! From a container to the processes of others: those of its pod, and those of its node's other pods.
//!
//! Through `/proc/PID/root` lie the files of a process, its token too, and through `/proc/PID/environ` its variables; to
//! trace it is to run code in it.
//!
//! **Trap.** To see a process is not to enter it. The kernel asks for the same user and for no capability less than the
//! other's, or for SYS_PTRACE. So a root container enters other root containers, but no process of the node itself.
//! Source: <https://man7.org/linux/man-pages/man2/ptrace.2.html> (access mode checking)

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::files::volume;
use super::mounts::host_mounts;
use super::pods::{ContainerView, Mark, PodView, both, marked, pods};
use super::security::{Security, User};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::Text;

techniques! { TECHNIQUES, Family::Escape;
    /// Enters the other containers of its pod through their processes.
    ///
    /// # Preconditions
    ///
    /// The pod shares one process namespace, or the container is an ephemeral one that joined another's. It runs as the same
    /// user as the other container and has no capability less, or it has SYS_PTRACE as user 0.
    ///
    /// What does not suffice: SYS_PTRACE without a shared namespace; another user.
    ///
    /// # Detection
    ///
    /// Reads below `/proc/*/root` and `/proc/*/environ`; `ptrace` between containers of a pod.
    SHARE_PS_NAMESPACE: [Container] => [Container, Pod] {
        title: "Processes of the pod's other containers",
        mitre: ["T1611", "T1055.008"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01"],
        falco: ["PTRACE attached to process", "Read environment variable from /proc files"],
        effort: 2,
        remediation: "Leave shareProcessNamespace off, or run each container as a user of its own.",
        references: ["https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"],
        derive: share_ps_namespace,
    }

    /// Reaches the processes of the node's other containers through the node's `/proc`.
    ///
    /// # Preconditions
    ///
    /// The pod shares the node's process namespace, or the container mounts the node's `/proc`, read-only or not. What is
    /// reached are the processes of the same user; as user 0 the container must keep the runtime's default capabilities.
    ///
    /// What does not suffice: the process namespace on a kernel of the pod's own, or in a user namespace. It is not root on
    /// the node, as the node's own processes have more capabilities.
    ///
    /// # Detection
    ///
    /// Pods with `hostPID`; reads below `/proc/*/root` by a container.
    PROC_ROOT: [Container, Pod] => [Volume] {
        title: "Processes of the node's containers",
        mitre: ["T1057", "T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01", "K04"],
        cis: ["5.2.3", "5.2.12"],
        falco: ["Read environment variable from /proc files"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard: no hostPID, no hostPath.",
        references: [
            "https://man7.org/linux/man-pages/man5/proc_pid_root.5.html",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
        ],
        derive: proc_root,
    }

    /// Enters a container by one of its processes.
    ///
    /// # Preconditions
    ///
    /// The processes of its user on its node can be reached. The container adds no capability to the runtime's default
    /// ones, or does not run as user 0.
    ///
    /// What does not suffice: a privileged container, whose processes have more capabilities; one in a user namespace.
    ///
    /// # Detection
    ///
    /// Reads below `/proc/*/root` and `/proc/*/environ` by a container.
    PROC_ENTER: [Volume] => [Container] {
        title: "Entry into a container by its process",
        mitre: ["T1055.008", "T1552.001"],
        microsoft: ["MS-TA9018"],
        owasp: ["K01"],
        falco: ["PTRACE attached to process"],
        effort: 1,
        remediation: "Run each workload as a user of its own, with user namespaces where possible.",
        references: ["https://man7.org/linux/man-pages/man2/ptrace.2.html"],
        derive: proc_enter,
    }
}

/// Most containers of a pod of which every pair is looked at; of more, each leads to the next.
const PAIRS: usize = 32;

/// How sure it is that both run as the same user; `None` if they do not.
fn same_user(a: (&ContainerView<'_>, User), b: (&ContainerView<'_>, User)) -> Option<Certainty> {
    match (a.1, b.1) {
        (User::Known(one), User::Known(other)) => (one == other).then_some(Certainty::Certain),
        (User::Known(0), User::NotRoot) | (User::NotRoot, User::Known(0)) => None,
        _ => Some(Certainty::Conditional(
            format!(
                "{} and {} run as the same user",
                a.0.container.name, b.0.container.name
            )
            .into(),
        )),
    }
}

fn share_ps_namespace(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in marked(context, Mark::SHARED) {
        let shared = pod.pod.spec.share_process_namespace == Some(true);
        if !shared && pod.pod.spec.ephemeral_containers.is_empty() {
            continue;
        }
        let containers: Vec<_> = pod.containers().filter(ContainerView::is_lasting).collect();
        for (at, container) in containers.iter().enumerate() {
            let joined = &container.container.target_container_name;
            let fact = if shared {
                pod.fact("/shareProcessNamespace", "true")
            } else if joined.is_empty() {
                continue;
            } else {
                container.fact("/targetContainerName", joined)
            };
            let others = containers.iter().enumerate().filter(|(other, view)| {
                let is_next = (at + 1) % containers.len() == *other;
                *other != at
                    && (shared || view.container.name == *joined)
                    && (containers.len() <= PAIRS || is_next)
            });
            enter(context, container, others.map(|(_, other)| other), &fact, sink);
        }
    }
}

/// Adds a step into each of the other containers that one may enter, or into the pod if it may enter any.
fn enter<'a>(
    context: &Context<'_>,
    container: &ContainerView<'_>,
    others: impl Iterator<Item = &'a ContainerView<'a>>,
    fact: &Evidence,
    sink: &mut Sink<'_>,
) {
    let own = Security::of(context, container);
    let traces = own.root().zip(own.capability("SYS_PTRACE"));
    for other in others {
        let theirs = Security::of(context, other);
        let (certainty, more) = if let Some((root, capability)) = &traces {
            (root.clone(), Some(capability.clone()))
        } else {
            let same = same_user((container, own.user()), (other, theirs.user()));
            let Some(same) = same.filter(|_| own.covers(&theirs)) else {
                continue;
            };
            (same, None)
        };
        let evidence = [fact.clone()].into_iter().chain(more);
        sink.step_if([container.position()], other.position(), certainty, evidence);
    }
}

/// The processes of a user on a node.
fn processes(node: &Text, user: i64) -> Position {
    volume(node, &format!("/proc/user/{user}"))
}

/// A container that reaches the processes of a user on its node.
struct Reach {
    holder: Position,
    node: Text,
    user: i64,
    certainty: Certainty,
    evidence: Vec<Evidence>,
}

fn reaches(context: &Context<'_>) -> Vec<Reach> {
    let mut found = Vec::new();
    for pod in marked(context, Mark::SHARED.or(Mark::HOST_FILES)) {
        if pod.pod.spec.host_pid != Some(true) && !pod.carries(context, Mark::HOST_FILES) {
            continue;
        }
        for container in pod.containers() {
            let security = Security::of(context, &container);
            let (user, image) = match security.user() {
                User::Known(user) => (user, Certainty::Certain),
                User::Image => (0, security.root().unwrap_or(Certainty::Certain)),
                User::NotRoot => continue,
            };
            if !security.shares_users() || user == 0 && !security.has_defaults_at_least() {
                continue;
            }
            let mounted = || {
                host_mounts(context, &container)
                    .iter()
                    .find(|mount| mount.holds("/proc/1"))
            };
            let evidence = match security.host_pid() {
                Some(fact) => vec![fact],
                None => match mounted() {
                    Some(mount) => mount.evidence.clone(),
                    None => continue,
                },
            };
            let (holder, certainty) = container.holder();
            found.push(Reach {
                holder,
                node: pod.node(context.cluster).0,
                user,
                certainty: both(certainty, image),
                evidence,
            });
        }
    }
    found
}

fn proc_root(context: &Context<'_>, sink: &mut Sink<'_>) {
    for reach in reaches(context) {
        let reached = processes(&reach.node, reach.user);
        sink.step_if([reach.holder], reached, reach.certainty, reach.evidence);
    }
}

fn proc_enter(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut reached = BTreeMap::<Text, BTreeSet<i64>>::new();
    for reach in reaches(context) {
        reached.entry(reach.node).or_default().insert(reach.user);
    }
    if reached.is_empty() {
        return;
    }
    let reached: FxHashMap<Text, BTreeSet<i64>> = reached.into_iter().collect();
    for pod in pods(context) {
        let (node, placed) = pod.node(context.cluster);
        if let Some(users) = reached.get(&node) {
            enter_from(context, &pod, (&node, users), &placed, sink);
        }
    }
}

/// Adds the entries into a pod's containers from the processes of their users.
fn enter_from(
    context: &Context<'_>,
    pod: &PodView<'_>,
    (node, users): (&Text, &BTreeSet<i64>),
    placed: &Certainty,
    sink: &mut Sink<'_>,
) {
    for container in pod.containers().filter(ContainerView::is_lasting) {
        let security = Security::of(context, &container);
        let (user, image) = match security.user() {
            User::Known(user) => (user, Certainty::Certain),
            User::Image => (0, security.root().unwrap_or(Certainty::Certain)),
            User::NotRoot => continue,
        };
        let is_open = security.shares_users() && (user != 0 || security.has_defaults_at_most());
        if is_open && users.contains(&user) {
            let evidence = [pod.node_evidence()];
            let certainty = both(placed.clone(), image);
            sink.step_if([processes(node, user)], container.position(), certainty, evidence);
        }
    }
}
