//! What rights over ConfigMaps give, where something takes orders from one.
//!
//! **Trap.** Most ConfigMaps are settings and no more. A step needs what the input shows of the reader: the cloud that
//! maps its identities by one, or a container that is told to run a file out of one.

use super::pods::{ContainerView, Mark, both, marked};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{ConfigMapVolume, ObjectId, Text, Volume};
use crate::rbac::power;

techniques! { TECHNIQUES, Family::Rbac;
    /// Maps an AWS identity of one's own to `system:masters` in the ConfigMap that EKS reads.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch the ConfigMap `aws-auth` in `kube-system`, or to create it where it is missing; a
    /// cluster on EKS whose authentication mode takes the ConfigMap into account. The AWS identity may be of any account.
    ///
    /// What does not suffice: the right to read it; a ConfigMap of that name in another namespace; a cluster that is not on
    /// EKS; the authentication mode `API`, which the input does not show.
    ///
    /// # Detection
    ///
    /// Audit log: `update` and `patch` of `configmaps` `kube-system/aws-auth`; later, requests of a new AWS identity.
    AWS_AUTH_PATCH: [Grant] => [ClusterAdmin] {
        title: "AWS identity mapped to system:masters",
        mitre: ["T1098.006", "T1098"],
        microsoft: ["MS-TA9019"],
        owasp: ["K02", "K08", "K09"],
        effort: 1,
        remediation: "Set the authentication mode of the cluster to API, and keep changes of kube-system/aws-auth from all but administrators.",
        references: [
            "https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html",
            "https://docs.aws.amazon.com/eks/latest/userguide/grant-k8s-access.html",
        ],
        derive: aws_auth_patch,
    }

    /// Rewrites a script in a ConfigMap that a container runs.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch the ConfigMap; a container that mounts it and is told to run a file below the mount: by
    /// its command or arguments, or because its image runs whatever lies in that folder. The container has to start again.
    ///
    /// What does not suffice: a ConfigMap that a program reads as its settings; one that is `immutable`; the right to
    /// create ConfigMaps, where the one that is mounted exists.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of ConfigMaps outside deployments; restarts of their pods soon after.
    CONFIG_MAP_PATCH: [Grant] => [Container, Pod] {
        title: "Script in a ConfigMap",
        mitre: ["T1609", "T1059"],
        microsoft: ["MS-TA9007"],
        owasp: ["K02"],
        effort: 2,
        remediation: "Build scripts into images, or set immutable: true on their ConfigMaps.",
        references: [
            "https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable",
            "https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically",
        ],
        derive: config_map_patch,
    }
}

const SYSTEM: &str = "kube-system";
const AWS_AUTH: &str = "aws-auth";
const MODE: &str = "the authentication mode of the cluster takes aws-auth into account";

fn aws_auth_patch(context: &Context<'_>, sink: &mut Sink<'_>) {
    let (namespace, name) = (Text::new(SYSTEM), Text::new(AWS_AUTH));
    let map = ObjectId::new("ConfigMap", SYSTEM, AWS_AUTH);
    let exists = context.cluster.config_maps.contains(&map);
    let evidence = if exists {
        Evidence::new(map, "/data/mapRoles", "")
    } else {
        let Some(node) = eks_node(context) else {
            return;
        };
        node
    };
    let mut grants = context.held.over(&power::UPDATE_CONFIG_MAPS, &namespace, &name);
    if !exists {
        grants = context.held.over(&power::CREATE_CONFIG_MAPS, &namespace, &name);
    }
    for grant in grants {
        let certainty = Certainty::Conditional(MODE.into());
        sink.step_if([grant], Position::ClusterAdmin, certainty, [evidence.clone()]);
    }
}

/// The first node that EKS started.
fn eks_node(context: &Context<'_>) -> Option<Evidence> {
    context.cluster.nodes.iter().find_map(|(id, node)| {
        let mut labels = node.meta.labels.iter();
        let (key, value) = labels.find(|(key, _)| key.starts_with("eks.amazonaws.com/"))?;
        let pointer = format!("/metadata/labels/{}", super::structure::escaped(key));
        Some(Evidence::new(id.clone(), pointer, value))
    })
}

/// Programs whose first argument that is no option is a file they run.
const INTERPRETERS: &[&str] = &[
    "sh",
    "bash",
    "ash",
    "dash",
    "zsh",
    "ksh",
    ".",
    "source",
    "exec",
    "python",
    "python3",
    "perl",
    "node",
    "ruby",
    "php",
    "tini",
    "dumb-init",
    "nohup",
    "env",
];

/// Folders whose files an image runs when it starts, with what that depends on.
const RUN_AT_START: &[(&str, &str)] = &[
    (
        "/docker-entrypoint.d",
        "the image runs what lies in /docker-entrypoint.d",
    ),
    (
        "/docker-entrypoint-initdb.d",
        "the database starts with an empty volume",
    ),
];

fn config_map_patch(context: &Context<'_>, sink: &mut Sink<'_>) {
    let power = &power::UPDATE_CONFIG_MAPS;
    if context.held.namespaces(power).is_empty() && context.held.names(power).next().is_none() {
        return;
    }
    for pod in marked(context, Mark::VOLUMES) {
        for container in pod.containers() {
            for (at, mount, volume) in container.mounts() {
                let mut maps = config_maps(volume).peekable();
                if maps.peek().is_none() {
                    continue;
                }
                let Some((run, how)) = run_from(&container, &mount.mount_path) else {
                    continue;
                };
                let mounted = container.fact(format_args!("/volumeMounts/{at}/mountPath"), &mount.mount_path);
                let (holder, mut certainty) = container.holder();
                if certainty == Certainty::Certain {
                    certainty = Certainty::Conditional("the container starts again".into());
                }
                let certainty = both(certainty, how);
                for map in maps {
                    let id = ObjectId::new("ConfigMap", &pod.place.namespace, &map.name);
                    let known = context.cluster.config_maps.by_id(&id);
                    if known.is_some_and(|known| known.immutable == Some(true)) {
                        continue;
                    }
                    let evidence = [Evidence::new(id.clone(), "", ""), mounted.clone()];
                    let evidence: Vec<_> = evidence.into_iter().chain(run.clone()).collect();
                    for grant in context.held.over(power, &id.namespace, &id.name) {
                        sink.step_if([grant], holder.clone(), certainty.clone(), evidence.clone());
                    }
                }
            }
        }
    }
}

/// The ConfigMaps that a volume shows.
fn config_maps(volume: &Volume) -> impl Iterator<Item = &ConfigMapVolume> {
    let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
    let projected = sources.filter_map(|source| source.config_map.as_deref());
    volume.config_map.as_deref().into_iter().chain(projected)
}

/// Whether the container runs a file below a path, with where it is told to and what that depends on.
fn run_from(container: &ContainerView<'_>, path: &str) -> Option<(Option<Evidence>, Certainty)> {
    let path = path.trim_end_matches('/');
    // Of the root folder nothing can be said.
    if path.is_empty() {
        return None;
    }
    let spec = container.container;
    let mut before = Vec::new();
    for (list, words) in [("command", spec.command.words()), ("args", spec.args.words())] {
        for (at, word) in words.iter().enumerate() {
            for part in parts(&word.text) {
                if is_below(part, path) && is_run(&before) {
                    let fact = container.fact(format_args!("/{list}/{at}"), part);
                    return Some((Some(fact), Certainty::Certain));
                }
                before.push(part);
            }
        }
    }
    let (_, condition) = RUN_AT_START.iter().find(|(folder, _)| is_below(path, folder))?;
    Some((None, Certainty::Conditional((*condition).into())))
}

/// The words of a command line, or of the script that one of them is, without quotes; separators are words too.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split_inclusive(['\n', ';', '&', '|', '(']);
    lines.flat_map(|line| {
        let words = line.split(|c: char| c.is_whitespace() || "();&|\"'".contains(c));
        let ends = line.ends_with(['\n', ';', '&', '|', '(']);
        words.filter(|word| !word.is_empty()).chain(ends.then_some(";"))
    })
}

fn is_below(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether what follows these words is run: the first word of a command, or the first file an interpreter is given.
fn is_run(before: &[&str]) -> bool {
    let command = before
        .iter()
        .rposition(|word| *word == ";")
        .map_or(0, |at| at + 1);
    before[command..].iter().all(|word| {
        let program = word.rsplit('/').next().unwrap_or_default();
        INTERPRETERS.contains(&program) || word.starts_with('-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(line: &str) -> bool {
        let words: Vec<&str> = parts(line).collect();
        let at = words.iter().position(|word| is_below(word, "/scripts"));
        at.is_some_and(|at| is_run(&words[..at]))
    }

    #[test]
    fn a_file_is_run_where_a_command_or_an_interpreter_names_it_first() {
        for line in [
            "/scripts/start.sh",
            "sh /scripts/start.sh --port 1",
            "/bin/bash -e -c '. /scripts/env; exec app'",
            "cp a b && /scripts/start.sh",
            "exec /usr/bin/python3 -u /scripts/main.py",
        ] {
            assert!(runs(line), "{line}");
        }
        for line in [
            "app /scripts/settings",
            "cat /scripts/a | sort",
            "sh start.sh /scripts",
            "echo /scripts;",
        ] {
            assert!(!runs(line), "{line}");
        }
    }
}
