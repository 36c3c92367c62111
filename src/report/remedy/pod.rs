//! Changes of pods: tokens, rights of containers, files and namespaces of the node.
//!
//! **Trap.** Places in lists differ between a template and its pods, as admission adds to them. Changes name containers
//! and volumes, and look for them where they are made.

use serde_json::{Value, json};

use super::super::finding::{top_of, workload_of};
use super::Proposal;
use super::edit::{Edit, Op, template};
use crate::model::{Cluster, Container, Labels, ObjectId, PodSpec, Text, Volume};
use crate::techniques::{Evidence, Opens, Position, Step};

/// The lists of containers of a pod's spec.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// The name of the volume that admission adds for the token.
/// Source: <https://kubernetes.io/docs/concepts/security/service-accounts/#bound-service-account-tokens>
const TOKEN_VOLUME: &str = "kube-api-access-";
/// Labels that tell the pods of one workload apart, or its revisions.
const OWN_LABELS: &[&str] = &[
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// A change of a pod's spec, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PodChange {
    /// A field of the spec gets a value.
    Field(&'static str, Value),
    /// No token of the account is mounted.
    NoToken,
    /// A field of a container gets a value.
    Container(Text, &'static str, Value),
    /// A container adds one capability less.
    DropCapability(Text, Text),
    /// A volume goes, with everything that mounts it.
    DropVolume(Text),
    /// A container gets a variable no longer.
    DropVariable(Text, Text),
    /// A container's variable is taken from the key of its name of this Secret.
    FromSecret(Text, Text, String),
}

impl PodChange {
    /// The ops in a pod's spec that make the change.
    pub(super) fn ops(&self, spec: &Value) -> Vec<Op> {
        match self {
            Self::Field(pointer, value) => vec![Op::Set((*pointer).to_owned(), value.clone())],
            Self::NoToken => {
                let mut ops = vec![Op::Set("/automountServiceAccountToken".to_owned(), json!(false))];
                ops.extend(without(spec, |volume| volume.starts_with(TOKEN_VOLUME)));
                ops
            }
            Self::Container(name, pointer, value) => {
                let at = containers(spec).filter(|(_, container)| container["name"] == name.as_str());
                at.map(|(at, _)| Op::Set(format!("{at}{pointer}"), value.clone()))
                    .collect()
            }
            Self::DropCapability(name, capability) => {
                let at = containers(spec).filter(|(_, container)| container["name"] == name.as_str());
                let ops = at.filter_map(|(at, container)| {
                    let pointer = "/securityContext/capabilities/add";
                    let added = container.pointer(pointer)?.as_array()?;
                    let mut left = added.clone();
                    left.retain(|one| one != capability.as_str());
                    (left.len() < added.len()).then(|| Op::Set(format!("{at}{pointer}"), json!(left)))
                });
                ops.collect()
            }
            Self::DropVolume(name) => without(spec, |volume| volume == name.as_str()),
            Self::DropVariable(name, variable) => variables(spec, name, variable),
            Self::FromSecret(name, variable, secret) => {
                let from = json!({"secretKeyRef": {"name": secret, "key": variable.as_str()}});
                let ops = variables(spec, name, variable).into_iter();
                let moved = ops.flat_map(|op| match op {
                    Op::Remove(at) => vec![
                        Op::Remove(format!("{at}/value")),
                        Op::Set(format!("{at}/valueFrom"), from.clone()),
                    ],
                    other @ Op::Set(..) => vec![other],
                });
                moved.collect()
            }
        }
    }
}

/// Every container of a spec with the pointer to it.
fn containers(spec: &Value) -> impl Iterator<Item = (String, &Value)> {
    LISTS.into_iter().flat_map(move |list| {
        let all = spec[list].as_array().into_iter().flatten().enumerate();
        all.map(move |(at, container)| (format!("/{list}/{at}"), container))
    })
}

/// The ops that take a variable from a container.
fn variables(spec: &Value, name: &str, variable: &str) -> Vec<Op> {
    let at = containers(spec).filter(|(_, container)| container["name"] == name);
    at.flat_map(|(at, container)| listed(&format!("{at}/env"), &container["env"], |one| one == variable))
        .collect()
}

/// The ops that take the elements of these names out of a list.
fn listed(prefix: &str, list: &Value, is_meant: impl Fn(&str) -> bool) -> Vec<Op> {
    let all = list.as_array().into_iter().flatten().enumerate();
    let meant = all.filter(|(_, one)| one["name"].as_str().is_some_and(&is_meant));
    meant
        .map(|(at, _)| Op::Remove(format!("{prefix}/{at}")))
        .collect()
}

/// The ops that take volumes and their mounts away.
fn without(spec: &Value, is_meant: impl Fn(&str) -> bool) -> Vec<Op> {
    let mut ops = listed("/volumes", &spec["volumes"], &is_meant);
    for (at, container) in containers(spec) {
        ops.extend(listed(
            &format!("{at}/volumeMounts"),
            &container["volumeMounts"],
            &is_meant,
        ));
    }
    ops
}

/// The labels by which a policy chooses the pods of a workload.
pub(in crate::report) fn labels_of(labels: &Labels) -> Vec<(&str, &str)> {
    let labels = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    labels.filter(|(key, _)| !OWN_LABELS.contains(key)).collect()
}

/// The workload that a fact is about, its spec, and the pointer within that.
fn about<'a>(fact: &'a Evidence, cluster: &'a Cluster) -> Option<(ObjectId, &'a PodSpec, &'a str)> {
    let (workload, spec) = if let Some(pod) = cluster.pods.by_id(&fact.object) {
        (workload_of(pod, cluster), &pod.spec)
    } else {
        (
            top_of(&fact.object, cluster),
            &cluster.workloads.by_id(&fact.object)?.template().spec,
        )
    };
    let rest = fact.path.strip_prefix(template(&fact.object.kind))?;
    Some((workload, spec, rest.strip_prefix("/spec")?))
}

/// Returns what can be done about a fact of a pod that a step rests on.
pub(super) fn proposals(step: &Step, fact: &Evidence, cluster: &Cluster) -> Vec<Proposal> {
    let Some((workload, spec, pointer)) = about(fact, cluster) else {
        return Vec::new();
    };
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    let passwords = password(step, &workload, spec, &parts);
    if !passwords.is_empty() {
        return passwords;
    }
    let found = match parts.as_slice() {
        ["serviceAccountName"] => Some(no_token()),
        [field @ ("hostPID" | "hostIPC" | "hostNetwork" | "shareProcessNamespace")] => {
            let (pointer, mind) = match *field {
                "hostPID" => ("/hostPID", "What watches the node's processes needs it."),
                "hostIPC" => (
                    "/hostIPC",
                    "What shares memory with the node's processes needs it.",
                ),
                "hostNetwork" => (
                    "/hostNetwork",
                    "What configures the node's network needs it, and its ports become the pod's own.",
                ),
                _ => (
                    "/shareProcessNamespace",
                    "Containers that watch or signal each other need it.",
                ),
            };
            Some((
                format!("Set {field} to false"),
                mind,
                PodChange::Field(pointer, json!(false)),
            ))
        }
        ["securityContext", "windowsOptions", "hostProcess"] => Some((
            "Run no host processes".to_owned(),
            "What configures a Windows node needs it.",
            PodChange::Field("/securityContext/windowsOptions/hostProcess", json!(false)),
        )),
        ["volumes", at, ..] => spec.volumes.get(number(at)).and_then(drop_volume),
        [list, at, rest @ ..] if LISTS[..2].contains(list) => {
            let list = if *list == "containers" {
                &spec.containers
            } else {
                &spec.init_containers
            };
            list.get(number(at))
                .and_then(|container| of_container(container, spec, rest))
        }
        _ => None,
    };
    let proposal = found.map(|(title, mind, change)| {
        let title = format!("{title}: {workload}");
        Proposal::new(title.clone(), title, mind, vec![Edit::Pods(workload, change)])
    });
    proposal.into_iter().collect()
}

/// Gives a container the password of a database no longer; where it is read out of the spec and not from the container,
/// one in a Secret is as good. For who runs code in the container the Secret would change nothing.
fn password(step: &Step, workload: &ObjectId, spec: &PodSpec, parts: &[&str]) -> Vec<Proposal> {
    let (containers, at, variable) = match parts {
        ["containers", at, "env", variable, "value"] => (&spec.containers, at, variable),
        ["initContainers", at, "env", variable, "value"] => (&spec.init_containers, at, variable),
        _ => return Vec::new(),
    };
    let container = containers.get(number(at));
    let variable = container.and_then(|container| container.env.get(number(variable)));
    let (Some(container), Some(variable)) = (container, variable) else {
        return Vec::new();
    };
    let (container, variable) = (&container.name, &variable.name);
    let slot = format!("{workload} {container} {variable}");
    let mut all = Vec::new();
    if step
        .premises
        .iter()
        .any(|held| matches!(held, Position::Grant(..)))
    {
        let secret = format!("{}-credentials", workload.name);
        let title = format!(
            "Take {variable} of container {container} from the key of that name of a Secret, {secret}: {workload}"
        );
        let mind = "Make the Secret first, with a new value, and change it where it is used: who has read the manifest \
                    knows the old one, and earlier revisions of the workload still show it.";
        let change = PodChange::FromSecret(container.clone(), variable.clone(), secret);
        let edits = vec![Edit::Pods(workload.clone(), change)];
        all.push(Proposal::new(slot.clone(), title, mind, edits));
    }
    if let Position::Credential(Opens::Database(database)) = &step.conclusion {
        // What the database itself is given makes its password.
        if (&database.namespace, &database.name) != (&workload.namespace, &workload.name) {
            let title = format!("Take the password in {variable} out of container {container}: {workload}");
            let mind = "The program must log in another way, such as with a token that expires; and who has read the \
                        manifest knows the password: change it, and keep the new one in a Secret.";
            let change = PodChange::DropVariable(container.clone(), variable.clone());
            let edits = vec![Edit::Pods(workload.clone(), change)];
            all.push(Proposal::new(slot, title, mind, edits).blunt());
        }
    }
    all
}

type Found = (String, &'static str, PodChange);

fn number(part: &str) -> usize {
    part.parse().unwrap_or(usize::MAX)
}

fn no_token() -> Found {
    (
        "Mount no token of the service account".to_owned(),
        "The pods must not talk to the API server.",
        PodChange::NoToken,
    )
}

fn drop_volume(volume: &Volume) -> Option<Found> {
    let path = &volume.host_path.as_ref()?.path;
    Some((
        format!("Take the node's {path} out of the pods (volume {})", volume.name),
        "What reads or writes these files of the node needs them.",
        PodChange::DropVolume(volume.name.clone()),
    ))
}

fn of_container(container: &Container, spec: &PodSpec, rest: &[&str]) -> Option<Found> {
    let name = &container.name;
    let set = |title: &str, mind, pointer, value| {
        let change = PodChange::Container(name.clone(), pointer, value);
        Some((format!("{title} in container {name}"), mind, change))
    };
    match rest {
        ["securityContext", "privileged"] => set(
            "Set privileged to false",
            "What manages the node's devices or kernel needs it; name the capabilities it uses instead.",
            "/securityContext/privileged",
            json!(false),
        ),
        ["securityContext", "windowsOptions", "hostProcess"] => set(
            "Run no host processes",
            "What configures a Windows node needs it.",
            "/securityContext/windowsOptions/hostProcess",
            json!(false),
        ),
        ["securityContext", "procMount"] => set(
            "Mask /proc as usual",
            "Containers that start containers need it unmasked.",
            "/securityContext/procMount",
            json!("Default"),
        ),
        ["stdin"] => set(
            "Keep no standard input open",
            "Whoever attaches to the process needs it.",
            "/stdin",
            json!(false),
        ),
        ["securityContext", "capabilities", "add", at] => {
            let capability = container.security_context.capabilities.add.get(number(at))?;
            Some((
                format!("Drop the capability {capability} of container {name}"),
                "The program may need it; test before you roll out.",
                PodChange::DropCapability(name.clone(), capability.clone()),
            ))
        }
        ["volumeMounts", at, ..] => {
            let mount = container.volume_mounts.get(number(at))?;
            let volume = spec.volumes.iter().find(|volume| volume.name == mount.name)?;
            if volume.name.starts_with(TOKEN_VOLUME) {
                return Some(no_token());
            }
            drop_volume(volume)
        }
        _ => None,
    }
}
