//! Why a technique does not work for a pod: what would have to be different.
//!
//! The answer is found, not written down: the pod is changed in every way that escapes and tokens look at, and each change
//! is taken back that the technique works without. What is left are the preconditions that fail and the mitigations that
//! hold, whichever technique it is.
//!
//! **Trap.** There can be several such sets; this is one of them, with as few and as small changes as taking back one
//! after the other gives.

use super::{Facts, Position, Step, Technique, steps_of};
use crate::model::{
    Cluster, Container, HostPath, ObjectId, Objects, Pod, SecurityContext, Text, Volume, VolumeMount,
};

/// The answer for one technique and one pod.
#[derive(Debug)]
pub enum Absence {
    /// It works: these are its steps.
    Present(Vec<Step>),
    /// It would work if all of these were different.
    Because(Vec<String>),
    /// No change of the pod, its namespace's label and its policies makes it work.
    Elsewhere,
}

/// One thing that could be different: what holds now and how to change it.
struct Change {
    /// What is said if the technique needs it.
    failed: &'static str,
    /// Changes the pod; whether there was anything to change.
    apply: fn(&mut Cluster, &ObjectId) -> bool,
}

/// The largest changes come first, so that they are the first to be taken back; the very first makes it privileged.
const CHANGES: &[Change] = &[
    Change {
        failed: "no container of it is privileged",
        apply: |cluster, id| context(cluster, id, |context| set(&mut context.privileged, Some(true))),
    },
    Change {
        failed: "it does not mount the node's root directory or what of it matters, writable",
        apply: mount_root,
    },
    Change {
        failed: "it mounts directories of the node read-only",
        apply: |cluster, id| {
            containers(cluster, id, |container| {
                let mut any = false;
                for mount in &mut container.volume_mounts {
                    any |= set(&mut mount.read_only, None);
                }
                any
            })
        },
    },
    Change {
        failed: "it does not share the node's process namespace (hostPID)",
        apply: |cluster, id| pod(cluster, id, |pod| set(&mut pod.spec.host_pid, Some(true))),
    },
    Change {
        failed: "it does not share the node's network (hostNetwork)",
        apply: |cluster, id| pod(cluster, id, |pod| set(&mut pod.spec.host_network, Some(true))),
    },
    Change {
        failed: "its containers do not share a process namespace (shareProcessNamespace)",
        apply: |cluster, id| {
            pod(cluster, id, |pod| {
                set(&mut pod.spec.share_process_namespace, Some(true))
            })
        },
    },
    Change {
        failed: "it is no HostProcess pod of Windows",
        apply: |cluster, id| {
            context(cluster, id, |context| {
                let options = context.windows_options.get_or_insert_default();
                set(&mut options.host_process, Some(true))
            })
        },
    },
    Change {
        failed: "no container has the capability SYS_ADMIN",
        apply: |cluster, id| add(cluster, id, "SYS_ADMIN"),
    },
    Change {
        failed: "no container has the capability SYS_PTRACE",
        apply: |cluster, id| add(cluster, id, "SYS_PTRACE"),
    },
    Change {
        failed: "no container has the capability SYS_MODULE",
        apply: |cluster, id| add(cluster, id, "SYS_MODULE"),
    },
    Change {
        failed: "no container has the capability DAC_READ_SEARCH",
        apply: |cluster, id| add(cluster, id, "DAC_READ_SEARCH"),
    },
    Change {
        failed: "no container has the capability BPF",
        apply: |cluster, id| add(cluster, id, "BPF"),
    },
    Change {
        failed: "no container has the capability PERFMON",
        apply: |cluster, id| add(cluster, id, "PERFMON"),
    },
    Change {
        failed: "no container has the capability SYS_RAWIO",
        apply: |cluster, id| add(cluster, id, "SYS_RAWIO"),
    },
    Change {
        failed: "no container has the capability NET_ADMIN",
        apply: |cluster, id| add(cluster, id, "NET_ADMIN"),
    },
    Change {
        failed: "its containers drop capabilities",
        apply: |cluster, id| {
            context(cluster, id, |context| {
                set(&mut context.capabilities.drop, Vec::new())
            })
        },
    },
    Change {
        failed: "its process is another user than 0 (runAsUser, runAsNonRoot)",
        apply: run_as_root,
    },
    Change {
        failed: "it has a user namespace of its own (hostUsers: false)",
        apply: |cluster, id| pod(cluster, id, |pod| set(&mut pod.spec.host_users, None)),
    },
    Change {
        failed: "it runs on a kernel of its own (runtimeClassName)",
        apply: |cluster, id| {
            pod(cluster, id, |pod| {
                set(&mut pod.spec.runtime_class_name, Text::default())
            })
        },
    },
    Change {
        failed: "it is a pod of Windows (os.name)",
        apply: |cluster, id| pod(cluster, id, |pod| set(&mut pod.spec.os.name, Text::default())),
    },
    Change {
        failed: "its token is not mounted (automountServiceAccountToken: false)",
        apply: |cluster, id| {
            pod(cluster, id, |pod| {
                set(&mut pod.spec.automount_service_account_token, Some(true))
            })
        },
    },
    Change {
        failed: "its containers have a seccomp profile that stops it (seccompProfile)",
        apply: |cluster, id| {
            let own = context(cluster, id, |context| set(&mut context.seccomp_profile, None));
            let shared = pod(cluster, id, |pod| {
                set(&mut pod.spec.security_context.seccomp_profile, None)
            });
            own || shared
        },
    },
    Change {
        failed: "policies close its port or its way out",
        apply: |cluster, id| {
            let has = !cluster.network_policies.is_empty() && cluster.pods.contains(id);
            cluster.network_policies = Objects::default();
            has
        },
    },
    Change {
        failed: "it has ended",
        apply: |cluster, id| pod(cluster, id, |pod| set(&mut pod.status.phase, Text::default())),
    },
];

/// Sets a place to a value; whether it had another one.
fn set<T: PartialEq>(place: &mut T, value: T) -> bool {
    let differs = *place != value;
    *place = value;
    differs
}

fn pod(cluster: &mut Cluster, id: &ObjectId, change: impl FnOnce(&mut Pod) -> bool) -> bool {
    let mut pods = cluster.pods.values_mut();
    let found = pods.find(|pod| pod.meta.namespace == id.namespace && pod.meta.name == id.name);
    found.is_some_and(change)
}

fn containers(cluster: &mut Cluster, id: &ObjectId, mut change: impl FnMut(&mut Container) -> bool) -> bool {
    pod(cluster, id, |pod| {
        let spec = &mut pod.spec;
        let mut any = false;
        for container in spec.containers.iter_mut().chain(&mut spec.ephemeral_containers) {
            any |= change(container);
        }
        any
    })
}

fn context(
    cluster: &mut Cluster,
    id: &ObjectId,
    mut change: impl FnMut(&mut SecurityContext) -> bool,
) -> bool {
    containers(cluster, id, |container| change(&mut container.security_context))
}

fn add(cluster: &mut Cluster, id: &ObjectId, capability: &str) -> bool {
    context(cluster, id, |context| {
        let added = &mut context.capabilities.add;
        let is_new = !added.iter().any(|word| word.eq_ignore_ascii_case(capability));
        if is_new {
            added.push(capability.into());
        }
        is_new
    })
}

fn run_as_root(cluster: &mut Cluster, id: &ObjectId) -> bool {
    let own = context(cluster, id, |context| {
        let was = context.run_as_user.is_some_and(|user| user != 0) || context.run_as_non_root == Some(true);
        (context.run_as_user, context.run_as_non_root) = (Some(0), None);
        was
    });
    let shared = pod(cluster, id, |pod| {
        let context = &mut pod.spec.security_context;
        let was = context.run_as_user.is_some_and(|user| user != 0) || context.run_as_non_root == Some(true);
        (context.run_as_user, context.run_as_non_root) = (None, None);
        was
    });
    own || shared
}

fn mount_root(cluster: &mut Cluster, id: &ObjectId) -> bool {
    const NAME: &str = "beachhead-root";
    pod(cluster, id, |pod| {
        let host_path = HostPath {
            path: "/".into(),
            ..HostPath::default()
        };
        pod.spec.volumes.push(Volume {
            name: NAME.into(),
            host_path: Some(Box::new(host_path)),
            ..Volume::default()
        });
        for container in &mut pod.spec.containers {
            container.volume_mounts.push(VolumeMount {
                name: NAME.into(),
                mount_path: "/beachhead".into(),
                ..VolumeMount::default()
            });
        }
        true
    })
}

/// Whether a position is the pod, or something in it.
fn is_of(position: &Position, id: &ObjectId) -> bool {
    match position {
        Position::Pod(place) | Position::Container(place, _) | Position::Port(place, ..) => {
            place.namespace == id.namespace && place.name == id.name
        }
        _ => false,
    }
}

/// The steps of a technique from a pod or into it.
fn steps_for(technique: &'static Technique, cluster: &Cluster, id: &ObjectId) -> Vec<Step> {
    let facts = Facts::new(cluster);
    let mut steps = steps_of(technique, &facts.context(cluster));
    let is_meant = |step: &Step| {
        let premises = step.premises.iter();
        premises
            .chain([&step.conclusion])
            .any(|position| is_of(position, id))
    };
    steps.retain(is_meant);
    steps
}

/// The cluster with the pod and its neighbours on its node alone, and with some of the changes.
fn changed(cluster: &Cluster, id: &ObjectId, applied: &[bool]) -> Cluster {
    let mut cluster = cluster.clone();
    for (change, _) in CHANGES.iter().zip(applied).filter(|(_, applied)| **applied) {
        (change.apply)(&mut cluster, id);
    }
    cluster
}

/// Says why a technique has no step from a pod or into it, by the pod's id.
///
/// # Complexity
/// As many evaluations of what the cluster holds beside pods, and of the pods of one node, as there are changes to try.
pub fn why_absent(technique: &'static Technique, cluster: &Cluster, id: &ObjectId) -> Absence {
    let node = cluster.pods.by_id(id).map(|pod| cluster.node_of(pod).0);
    let mut near = cluster.clone();
    near.pods = Objects::default();
    for (other, pod) in &cluster.pods {
        if other == id || Some(cluster.node_of(pod).0) == node {
            near.pods.insert(other.clone(), Box::new(pod.clone()));
        }
    }
    let present = steps_for(technique, &near, id);
    if !present.is_empty() {
        return Absence::Present(present);
    }
    let mut applied: Vec<bool> = CHANGES
        .iter()
        .map(|change| (change.apply)(&mut near.clone(), id))
        .collect();
    // Some escapes are told of containers only that are not privileged, as those have easier ways.
    if steps_for(technique, &changed(&near, id, &applied), id).is_empty() {
        applied[0] = false;
        if steps_for(technique, &changed(&near, id, &applied), id).is_empty() {
            return Absence::Elsewhere;
        }
    }
    for at in 0..CHANGES.len() {
        if applied[at] {
            applied[at] = false;
            if steps_for(technique, &changed(&near, id, &applied), id).is_empty() {
                applied[at] = true;
            }
        }
    }
    let needed = CHANGES.iter().zip(applied).filter(|(_, applied)| *applied);
    Absence::Because(needed.map(|(change, _)| change.failed.to_owned()).collect())
}
