//! What rights to read pods and workloads give: the credentials that are written into their specs.
//!
//! **Trap.** A pod's spec stands in several objects: in the pod, in the templates of its controllers, in their revisions. But
//! what admission added to the pod is in no template. And the names of a workload's pods are not known before they run,
//! so that a right by name reaches those of a StatefulSet alone.

use rustc_hash::FxHashSet;

use super::by_name::{ByName, by_name, over};
use super::cloud::key_in_clear;
use super::inline::{Inline, Opened, Written, written};
use super::pods::{ContainerView, Mark, PodView, both, marked, spec_of};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, Workload};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Reads credentials in clear out of the specs of pods and workloads through the API server.
    ///
    /// Where the credential is known to open a datastore or belongs to a cloud, that is what is gained; else what it opens
    /// is not known.
    ///
    /// # Preconditions
    ///
    /// A variable or an argument of a container holds a credential in clear, as for `SECRET_INLINE`. And the right to get,
    /// list or watch what it is written in, as the role `view` gives it: the pod, even if it has ended, or the Deployment,
    /// ReplicaSet, StatefulSet, DaemonSet, Job, CronJob or ReplicationController with that template, in the namespace or by
    /// name. To get the subresource `status` is as much, and so are `ephemeralcontainers` and `resize` of pods.
    ///
    /// What does not suffice: `pods/log` and `deployments/scale`; a right on a workload for what admission added to its pods;
    /// a right by the name of a pod that its controller has yet to choose.
    ///
    /// # Detection
    ///
    /// Audit log: `get`, `list` and `watch` of pods and workloads by an identity that never asked for them before.
    SPEC_READ: [Grant] => [Credential, CloudIdentity] {
        title: "Credential in a spec read through the API server",
        mitre: ["T1552.007"],
        microsoft: ["MS-TA9027"],
        owasp: ["K02", "K03"],
        cis: ["5.4.1"],
        effort: 1,
        remediation: "Move the value into a Secret, which those who read pods and workloads do not read by that, and rotate it.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles",
            "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
            "https://attack.mitre.org/techniques/T1552/007/",
        ],
        derive: spec_read,
    }
}

/// The controllers that carry a pod's spec, with the power to read each.
static TEMPLATES: &[(&str, &Power)] = &[
    ("Deployment", &power::READ_DEPLOYMENTS),
    ("ReplicaSet", &power::READ_REPLICA_SETS),
    ("StatefulSet", &power::READ_STATEFUL_SETS),
    ("DaemonSet", &power::READ_DAEMON_SETS),
    ("CronJob", &power::READ_CRON_JOBS),
    ("Job", &power::READ_JOBS),
    ("ReplicationController", &power::READ_REPLICATION_CONTROLLERS),
];

fn reader_of(kind: &str) -> Option<&'static Power> {
    let known = TEMPLATES.iter().find(|(known, _)| *known == kind);
    known.map(|(_, power)| *power)
}

/// The kind of the objects that a controller makes between itself and its pods.
fn between(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" => Some("ReplicaSet"),
        "CronJob" => Some("Job"),
        _ => None,
    }
}

/// Who reads a pod's spec, and where.
struct Reader<'a> {
    grant: Position,
    certainty: Certainty,
    /// The controller whose template is read; none where the pod's own text is.
    template: Option<(ObjectId, &'a Workload)>,
}

fn spec_read(context: &Context<'_>, sink: &mut Sink<'_>) {
    let known = Inline::new(context);
    let by_name = by_name(context, &power::READ_PODS);
    let mut seen = FxHashSet::default();
    for pod in marked(context, Mark::INLINE.or(Mark::LEFT)) {
        let readers = readers(context, &by_name, &pod);
        if readers.is_empty() {
            continue;
        }
        for container in pod.containers() {
            for found in known.of(&container) {
                for reader in &readers {
                    let Some(fact) = reader.finds(&container, &found) else {
                        continue;
                    };
                    let key = key_in_clear(&container, &found.written.name);
                    let credential = (found.credential.clone(), found.certainty.clone());
                    for (gained, certainty) in [credential].into_iter().chain(key) {
                        let certainty = both(reader.certainty.clone(), certainty);
                        let certainty = both(certainty, still_valid(&pod));
                        // Pods of one workload hold the same.
                        if seen.insert((reader.grant.clone(), gained.clone(), certainty.clone())) {
                            sink.step_if([reader.grant.clone()], gained, certainty, [fact.clone()]);
                        }
                    }
                }
            }
        }
    }
}

/// What was given to a pod that has ended may have been changed since.
fn still_valid(pod: &PodView<'_>) -> Certainty {
    if pod.pod.has_ended() {
        Certainty::Conditional(
            format!("the credential is still that of {}, which has ended", pod.place).into(),
        )
    } else {
        Certainty::Certain
    }
}

fn readers<'a>(context: &Context<'a>, by_name: &ByName, pod: &PodView<'a>) -> Vec<Reader<'a>> {
    let (cluster, held) = (context.cluster, context.held);
    let namespace = &pod.place.namespace;
    let own = over(context, &power::READ_PODS, by_name, pod).into_iter();
    let mut found: Vec<Reader<'_>> = own
        .map(|(grant, certainty)| Reader {
            grant,
            certainty,
            template: None,
        })
        .collect();
    let mut add = |grants: Vec<Position>, template: Option<(ObjectId, &'a Workload)>| {
        found.extend(grants.into_iter().map(|grant| Reader {
            grant,
            certainty: Certainty::Certain,
            template: template.clone(),
        }));
    };
    for id in cluster.controllers_of(&pod.pod.meta) {
        let (Some(power), Some(workload)) = (reader_of(&id.kind), cluster.workloads.by_id(&id)) else {
            continue;
        };
        let grants = held.over(power, namespace, &id.name);
        if pod.is_stand_in() {
            add(grants, None);
            let made = between(&id.kind).and_then(reader_of);
            add(
                made.and_then(|power| held.within(power, namespace))
                    .into_iter()
                    .collect(),
                None,
            );
        } else {
            add(grants, Some((id.clone(), workload)));
        }
    }
    found
}

impl Reader<'_> {
    /// Where the reader finds a credential of the pod's container, if it is written there.
    fn finds(&self, container: &ContainerView<'_>, found: &Opened<'_>) -> Option<Evidence> {
        let Some((id, workload)) = &self.template else {
            return Some(container.fact(&found.written.pointer, &found.shown));
        };
        let (list, _) = container.key();
        let spec = &workload.template().spec;
        let all = match list {
            "containers" => &spec.containers,
            "initContainers" => &spec.init_containers,
            _ => return None,
        };
        let at = all.iter().position(|one| one.name == container.container.name)?;
        let same =
            |one: &Written<'_>| one.name == found.written.name && one.value.text == found.written.value.text;
        let there = written(&all[at]).into_iter().find(same)?;
        let pointer = format!("{}/{list}/{at}{}", spec_of(&id.kind), there.pointer);
        Some(Evidence::new(id.clone(), pointer, &found.shown))
    }
}
