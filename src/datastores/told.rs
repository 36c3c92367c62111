//! What containers are told: their variables, the options of their command lines, the settings of files that they mount.
//!
//! **Trap.** Pods of one template are told the same, and a cluster has many of them: each template is put together once.
//! A pod to which a container was added later is not like its template.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::files::mounted_files;
use super::mounted::origin_of_file;
use super::server::Environment;
use super::{Origin, Variable, variables};
use crate::model::{Cluster, Container, Literal, Pod, Text, WITHHELD, names_a_credential, server_settings};

/// A container with what it is told.
#[derive(Clone)]
pub(super) struct Told<'a> {
    /// The list that it stands in, and its place there.
    pub(super) place: (&'static str, usize),
    pub(super) container: &'a Container,
    pub(super) settings: Environment,
}

impl Told<'_> {
    /// The pointer within the pod's spec to where a setting stands.
    pub(super) fn pointer(&self, variable: &Variable) -> Text {
        let (list, at) = self.place;
        format!("/{list}/{at}{}", variable.pointer).into()
    }
}

/// What the containers of all pods are told.
pub(super) struct AllTold<'a> {
    cluster: &'a Cluster,
    templates: Vec<Vec<Told<'a>>>,
    /// Of each pod its template, if it has one.
    of_pods: Vec<Option<usize>>,
    /// The first pod of each template, and every pod without one.
    first: Vec<usize>,
}

impl<'a> AllTold<'a> {
    /// Puts it together, once for each template.
    ///
    /// # Complexity
    /// Linear in pods, and in the settings of templates.
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let mut all = Self {
            cluster,
            templates: Vec::new(),
            of_pods: Vec::with_capacity(cluster.pods.len()),
            first: Vec::new(),
        };
        let mut known = FxHashMap::default();
        for (index, pod) in cluster.pods.values().enumerate() {
            let template =
                template(pod).filter(|_| !pod.has_ended() && pod.spec.ephemeral_containers.is_empty());
            let at = template.map(|template| {
                *known.entry(template).or_insert_with(|| {
                    all.templates.push(told(cluster, pod));
                    all.first.push(index);
                    all.templates.len() - 1
                })
            });
            if at.is_none() && !pod.has_ended() {
                all.first.push(index);
            }
            all.of_pods.push(at);
        }
        all
    }

    /// What the containers of the pod at a position of the cluster's are told.
    pub(super) fn of(&self, index: usize) -> Cow<'_, [Told<'a>]> {
        if let Some(template) = self.of_pods.get(index).copied().flatten() {
            return Cow::Borrowed(&self.templates[template]);
        }
        let pod = self.cluster.pods.at(index);
        Cow::Owned(pod.map_or_else(Vec::new, |(_, pod)| told(self.cluster, pod)))
    }

    /// The first pod of each template, and every pod without one, by position.
    pub(super) fn first(&self) -> impl Iterator<Item = usize> {
        self.first.iter().copied()
    }
}

/// The template that a pod was made of, as far as its owner tells.
fn template(pod: &Pod) -> Option<(&Text, &Text, &Text, Option<&Text>)> {
    const BY_TEMPLATE: &[&str] = &["ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"];
    let owner = pod.meta.owner_references.first()?;
    let revision = pod.meta.labels.get("controller-revision-hash");
    // Of those without a history of revisions the name tells.
    let is_told = owner.kind.starts_with("Replica") || revision.is_some();
    (is_told && BY_TEMPLATE.contains(&owner.kind.as_str())).then_some((
        &pod.meta.namespace,
        &owner.kind,
        &owner.name,
        revision,
    ))
}

/// The containers of a pod of every sort, with what each is told.
fn told<'a>(cluster: &Cluster, pod: &'a Pod) -> Vec<Told<'a>> {
    let lists = [
        ("containers", &pod.spec.containers),
        ("initContainers", &pod.spec.init_containers),
        ("ephemeralContainers", &pod.spec.ephemeral_containers),
    ];
    let containers = lists.into_iter().flat_map(|(list, containers)| {
        let placed = containers.iter().enumerate();
        placed.map(move |(at, one)| ((list, at), one))
    });
    containers
        .map(|(place, container)| Told {
            place,
            container,
            settings: settings(cluster, pod, container),
        })
        .collect()
}

fn settings(cluster: &Cluster, pod: &Pod, container: &Container) -> Environment {
    let mut found = variables(cluster, &pod.meta.namespace, container);
    for variable in found.values_mut() {
        follow(pod, container, variable);
    }
    add_options(container, &mut found);
    add_files(cluster, pod, container, &mut found);
    found
}

/// Puts the key that a file is of in place of the file's path, where a setting names one with a credential.
fn follow(pod: &Pod, container: &Container, variable: &mut Variable) {
    let path = variable.value.as_ref().map(|value| &value.text);
    let path = path.filter(|path| path.starts_with('/') && names_a_file(&variable.name));
    if let Some((origin, at)) = path.and_then(|path| origin_of_file(&pod.spec, container, path)) {
        variable.origin = origin;
        variable.pointer = format!("/volumeMounts/{at}/mountPath").into();
        variable.value = None;
    }
}

/// Adds the options of the command line that have a value, and the hosts that scripts in it name: `pg_dump -h db`.
fn add_options(container: &Container, found: &mut Environment) {
    for (list, words) in [("command", &container.command), ("args", &container.args)] {
        let words = words.words();
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map(|next| next.text.as_str());
            let option = option(&word.text, next)
                .map(|(name, value, is_next)| (name, value, at + usize::from(is_next)));
            // A script may hold other credentials than the datastore's.
            let is_meant = option.is_some() || word.text.to_ascii_lowercase().contains("password");
            let host = || host_in(&word.text).map(|host| (HOST, host, at));
            let Some((name, value, at)) = option.or_else(host) else {
                continue;
            };
            let name = Text::new(name);
            let referred = value.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
            let variable = match referred.map(|name| found.get(name)) {
                Some(Some(variable)) => Variable {
                    name: name.clone(),
                    ..variable.clone()
                },
                Some(None) => continue,
                None => Variable {
                    name: name.clone(),
                    origin: Origin::Inline,
                    value: Some(Literal {
                        text: value.into(),
                        withheld: words[at].withheld && is_meant,
                        alike: words[at].alike.filter(|_| is_meant),
                    }),
                    pointer: format!("/{list}/{at}").into(),
                },
            };
            found.entry(name).or_insert(variable);
        }
    }
}

/// The name under which the host of an option is kept.
const HOST: &str = "host";

/// The name and value of an option, and whether the value is the next word.
fn option<'w>(word: &'w str, next: Option<&'w str>) -> Option<(&'w str, &'w str, bool)> {
    if !word.starts_with('-') {
        return None;
    }
    let name = |name: &'w str| match name.trim_start_matches('-') {
        "h" => HOST,
        name => name,
    };
    match word.split_once('=') {
        Some((option, value)) => Some((name(option), value, false)),
        None => next
            .filter(|next| !next.starts_with('-'))
            .map(|next| (name(word), next, true)),
    }
}

/// The first host that a script gives to a program by an option.
fn host_in(script: &str) -> Option<&str> {
    let mut words = script.split_whitespace();
    while let Some(word) = words.next() {
        if let Some(host) = word.strip_prefix("--host=") {
            return Some(host);
        }
        if matches!(word, "-h" | "--host") {
            return words.next().map(|host| host.trim_matches(['"', '\'', ';']));
        }
    }
    None
}

/// Adds the settings of the files that the container mounts of ConfigMaps; variables go before them.
fn add_files(cluster: &Cluster, pod: &Pod, container: &Container, found: &mut Environment) {
    for (map, key, at) in mounted_files(cluster, pod, container) {
        let value = cluster.config_map(&pod.meta.namespace, &map);
        let text = value.and_then(|map| map.data.0.get(&key));
        for (name, value) in text.into_iter().flat_map(|text| server_settings(&text.text)) {
            let name = Text::from(name);
            let mut variable = Variable {
                name: name.clone(),
                origin: Origin::ConfigMap(map.clone(), key.clone()),
                pointer: format!("/volumeMounts/{at}/mountPath").into(),
                value: Some(Literal {
                    withheld: value.contains(WITHHELD),
                    text: value.into(),
                    alike: None,
                }),
            };
            follow(pod, container, &mut variable);
            found.entry(name).or_insert(variable);
        }
    }
}

/// Whether a variable or setting of this name holds the path of a file with a password or a key.
pub(super) fn names_a_file(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let stem = name.strip_suffix("_FILE").or_else(|| name.strip_suffix("_PATH"));
    stem.is_some_and(|stem| names_a_credential(stem) || stem.ends_with("_KEY"))
        || ["SSLKEY", "SSL_KEY", "TLS_KEY", "PASSFILE"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_put_together_once() {
        let pod = |name: &str, owner: &str, more: &str| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: {name}{owner} }}\nspec: {{ containers: [{{ name: web, image: web, env: [{{ name: DB_HOST, value: db }}] }}]{more} }}\n"
            )
        };
        let owner =
            ", ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: web-1, controller: true }]";
        let debugged =
            ", ephemeralContainers: [{ name: debug, image: busybox, env: [{ name: A, value: b }] }]";
        let text = ["a", "b", "c"].map(|name| pod(name, owner, "")).concat()
            + &pod("d", owner, debugged)
            + &pod("e", "", "");
        let (cluster, _) = crate::collect::read_text("x.yaml", &text, "shop");
        let all = AllTold::new(&cluster);
        assert_eq!(
            (all.templates.len(), all.first().collect::<Vec<_>>()),
            (1, vec![0, 3, 4])
        );
        let names = |index| {
            all.of(index)
                .iter()
                .map(|told| told.settings.len())
                .collect::<Vec<_>>()
        };
        assert_eq!((names(2), names(3), names(4)), (vec![1], vec![1, 1], vec![1]));
    }

    #[test]
    fn files_with_passwords_are_known_by_name() {
        for name in [
            "DB_PASSWORD_FILE",
            "PGSSLKEY",
            "ETCD_KEY_FILE",
            "MYSQL_TLS_KEY",
            "DB_PASSWORD_PATH",
            "PGPASSFILE",
            "Servers.1.PassFile",
        ] {
            assert!(names_a_file(name), "{name}");
        }
        for name in ["CONFIG_FILE", "CERT_FILE", "PATH", "KEYBOARD"] {
            assert!(!names_a_file(name), "{name}");
        }
    }
}
