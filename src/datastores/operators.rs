//! Databases that an operator makes of a custom resource: the pods, Services and Secrets follow from its name.
//!
//! Where the pods are in the input they are the datastore, found by their image, and get the Secrets here. Where they
//! are not, the resource stands for them.
//!
//! **Trap.** The names are the operators' contracts. A Secret that the contract names is assumed to be there if the input
//! does not hold it, as inputs without Secrets are common; one that is there without the key holds no password.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::family::{Families, User, repository};
use super::role::Role;
use super::{
    Basis, Companion, Datastore, Door, Fact, Importance, Origin, Password, Presence, Subject, variables,
};
use crate::model::{Cluster, Container, ObjectId, Other, Text};

/// What an operator makes of one kind; `operators.toml` says what each member means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contract {
    family: String,
    title: String,
    images: Vec<String>,
    label: String,
    services: Vec<String>,
    root: Vec<String>,
    user: Vec<String>,
    replication: Vec<String>,
    backup: Vec<String>,
}

/// The table, by `group/kind`. A test holds that it can be read.
static CONTRACTS: LazyLock<IndexMap<String, Contract>> =
    LazyLock::new(|| toml::from_str(include_str!("operators.toml")).unwrap_or_default());

fn contract(resource: &Other) -> Option<&'static Contract> {
    let (group, _) = resource.api_version.split_once('/')?;
    CONTRACTS.get(&format!("{group}/{}", resource.kind))
}

/// A custom resource of which an operator makes a datastore.
struct Managed<'a> {
    id: &'a ObjectId,
    resource: &'a Other,
    contract: &'static Contract,
}

impl Managed<'_> {
    /// The names and keys that a template of the table stands for.
    fn secrets(&self, template: &str) -> Vec<(Text, Text)> {
        let (template, switch) = template.split_once('?').unwrap_or((template, ""));
        let spec = self.resource.spec.as_ref();
        let is_on = || spec.and_then(|spec| spec.get(switch)).and_then(Value::as_bool);
        if !switch.is_empty() && is_on() != Some(true) {
            return Vec::new();
        }
        let Some((name, key)) = template.split_once('#') else {
            return self.references(template.trim_start_matches('@'));
        };
        let names = match name.strip_prefix('@') {
            Some(path) => texts(self.at(path)),
            None if name.contains("{user}") => {
                let users = self.users();
                users
                    .iter()
                    .map(|user| self.filled(&name.replace("{user}", user)))
                    .collect()
            }
            None => vec![self.filled(name)],
        };
        names.into_iter().map(|name| (name.into(), key.into())).collect()
    }

    /// The references to a Secret's key at a path within `spec`.
    fn references(&self, path: &str) -> Vec<(Text, Text)> {
        let found = self.at(path).into_iter().filter_map(|value| {
            let member = |name| {
                value
                    .get(name)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
            };
            Some((member("name")?.into(), member("key")?.into()))
        });
        found.collect()
    }

    fn filled(&self, template: &str) -> String {
        template.replace("{}", &self.id.name)
    }

    /// The values at a path within `spec`, through lists; a `*` stands for every member.
    fn at(&self, path: &str) -> Vec<&Value> {
        let mut values: Vec<&Value> = self.resource.spec.iter().collect();
        for part in path.split('.') {
            let inner = values.into_iter().flat_map(|value| match value {
                Value::Array(items) => items.iter().collect(),
                other => vec![other],
            });
            values = inner
                .flat_map(|value| match value {
                    Value::Object(members) if part == "*" => members.values().collect::<Vec<_>>(),
                    value => value.get(part).into_iter().collect(),
                })
                .collect();
        }
        values
    }

    /// The users that the resource names: a map's keys or the names in a list.
    fn users(&self) -> Vec<String> {
        let users = self.resource.spec.as_ref().and_then(|spec| spec.get("users"));
        let names: Vec<&str> = match users {
            Some(Value::Object(users)) => users.keys().map(String::as_str).collect(),
            Some(Value::Array(users)) => {
                let names = users.iter().map(|user| user.get("name").unwrap_or(user));
                names.filter_map(Value::as_str).collect()
            }
            _ => Vec::new(),
        };
        // Names of objects have no underscore.
        names.into_iter().map(|name| name.replace('_', "-")).collect()
    }

    fn passwords(&self, cluster: &Cluster) -> Vec<Password> {
        let kinds = [
            (&self.contract.root, User::Superuser),
            (&self.contract.user, User::Application),
            (&self.contract.replication, User::Replication),
        ];
        let mut found: Vec<Password> = Vec::new();
        for (templates, user) in kinds {
            for (name, key) in templates.iter().flat_map(|template| self.secrets(template)) {
                let origin = Origin::Secret(name.clone(), key.clone());
                let secret = cluster.secret(&self.id.namespace, &name);
                let presence = match secret.map(|secret| secret.keys().contains(&&key)) {
                    Some(true) => Presence::Seen,
                    Some(false) => continue,
                    None => Presence::Made,
                };
                if found.iter().all(|known| known.origin != origin) {
                    found.push(Password {
                        origin,
                        user,
                        container: Text::default(),
                        name: key,
                        fact: self.fact(format!("{} makes Secret {name} of it", self.contract.title)),
                        host: None,
                        service: None,
                        presence,
                    });
                }
            }
        }
        found
    }

    /// The keys of object stores to which the operator copies it away.
    fn backup(&self) -> Option<Companion> {
        let keys = self
            .contract
            .backup
            .iter()
            .flat_map(|template| self.secrets(template));
        let keys: Vec<(Text, Origin)> = keys
            .map(|(name, key)| (key.clone(), Origin::Secret(name, key)))
            .collect();
        (!keys.is_empty()).then(|| Companion {
            role: Role::Backup,
            container: Text::default(),
            host: self.fact(format!("{} copies it to an object store", self.contract.title)),
            variables: Vec::new(),
            keys,
        })
    }

    fn fact(&self, value: String) -> Fact {
        Fact {
            subject: Subject::Object(self.id.clone()),
            pointer: "/metadata/name".into(),
            value: value.into(),
        }
    }
}

fn texts(values: Vec<&Value>) -> Vec<String> {
    let texts = values.into_iter().filter_map(Value::as_str);
    texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn managed(cluster: &Cluster) -> impl Iterator<Item = Managed<'_>> {
    cluster.others.iter().filter_map(|(id, resource)| {
        let contract = contract(resource)?;
        Some(Managed {
            id,
            resource,
            contract,
        })
    })
}

/// Adds what operators make: their Secrets to the pods that run it, or a datastore where no pod does.
///
/// # Complexity
/// Linear in resources, datastores and the pods' labels.
pub(super) fn add_managed(cluster: &Cluster, families: &Families, datastores: &mut Vec<Datastore>) {
    let all: Vec<Managed<'_>> = managed(cluster).collect();
    if all.is_empty() {
        return;
    }
    let mut labelled = BTreeMap::<(&Text, &str, &str), Vec<usize>>::new();
    let labels: std::collections::BTreeSet<&str> =
        all.iter().map(|one| one.contract.label.as_str()).collect();
    for (at, datastore) in datastores.iter().enumerate() {
        let Some((id, pod)) = datastore.pods.first().and_then(|&pod| cluster.pods.at(pod)) else {
            continue;
        };
        for &label in &labels {
            if let Some(value) = pod.meta.labels.get(label) {
                labelled
                    .entry((&id.namespace, label, value))
                    .or_default()
                    .push(at);
            }
        }
    }
    let mut fresh = Vec::new();
    for one in all {
        let key = (
            &one.id.namespace,
            one.contract.label.as_str(),
            one.id.name.as_str(),
        );
        let Some(family) = families.by_id(&one.contract.family) else {
            continue;
        };
        let running = labelled.get(&key).into_iter().flatten();
        let running: Vec<usize> = running
            .copied()
            .filter(|&at| datastores[at].family.id == family.id)
            .collect();
        for &at in &running {
            datastores[at].passwords.extend(one.passwords(cluster));
            datastores[at].companions.extend(one.backup());
        }
        if running.is_empty() {
            let passwords = one.passwords(cluster);
            let door = if family.is_open("") && passwords.is_empty() {
                let doubt = "the resource asks for no authentication".into();
                Door::Open(one.fact(format!("{} makes it", one.contract.title)), Some(doubt))
            } else {
                Door::Locked
            };
            fresh.push(Datastore {
                workload: one.id.clone(),
                family: family.clone(),
                container: Text::default(),
                pods: Vec::new(),
                ports: family.ports.iter().copied().take(1).collect(),
                basis: Basis::Operator,
                proof: one.fact(format!("{} makes a {} of it", one.contract.title, family.title)),
                door,
                certificates: false,
                passwords,
                companions: one.backup().into_iter().collect(),
                elsewhere: Some("no policy closes the pods that the operator makes".into()),
                importance: Importance::default(),
            });
        }
    }
    datastores.extend(fresh);
}

/// The Services that lead to what operators make, by namespace and name, with the resource.
pub(super) fn services(cluster: &Cluster) -> impl Iterator<Item = ((Text, Text), &ObjectId)> {
    managed(cluster).flat_map(|one| {
        let names = one.contract.services.iter().map(|service| one.filled(service));
        let key = |name: String| ((one.id.namespace.clone(), name.into()), one.id);
        names.map(key).collect::<Vec<_>>()
    })
}

/// A container of an operator and what it manages.
#[derive(Clone, Debug)]
pub struct Manager {
    /// The position of its pod in [`Cluster::pods`].
    pub pod: usize,
    /// The container.
    pub container: Text,
    /// The resources of its kinds.
    pub resources: Vec<ObjectId>,
    /// The namespaces it watches, none for all, as far as its variables and options say.
    pub watches: Option<Vec<Text>>,
}

impl Manager {
    /// Whether it manages what is in a namespace; none if nobody says.
    pub fn manages(&self, namespace: &Text) -> Option<bool> {
        let watched = self.watches.as_ref()?;
        Some(watched.is_empty() || watched.contains(namespace))
    }
}

/// Variables by which operators are told which namespaces to watch.
const WATCHES: &[&str] = &[
    "WATCH_NAMESPACE",
    "WATCH_NAMESPACES",
    "WATCHED_NAMESPACE",
    "OPERATOR_SCOPE_NAMESPACE",
    "PGO_TARGET_NAMESPACE",
    "PGO_TARGET_NAMESPACES",
    "STRIMZI_NAMESPACE",
    "NAMESPACES",
];

/// The namespaces that an operator's container is told to watch; none if it is not told, none in it for all.
fn watched(cluster: &Cluster, namespace: &Text, container: &Container) -> Option<Vec<Text>> {
    let of_field = container.env.iter().find(|variable| {
        let from = variable
            .value_from
            .as_ref()
            .and_then(|from| from.field_ref.as_ref());
        let is_own = from.is_some_and(|field| field.field_path == "metadata.namespace");
        is_own && WATCHES.iter().any(|name| variable.name == *name)
    });
    if of_field.is_some() {
        return Some(vec![namespace.clone()]);
    }
    let variables = variables(cluster, namespace, container);
    let told = WATCHES.iter().find_map(|name| variables.get(*name));
    let words = [container.command.words(), container.args.words()].concat();
    let option = || {
        words.iter().find_map(|word| {
            let (option, value) = word.text.split_once('=')?;
            matches!(
                option,
                "--namespaces" | "--watch-namespace" | "--watch-namespaces"
            )
            .then_some(value)
        })
    };
    let value = match told {
        Some(variable) => variable.value.as_ref()?.text.as_str(),
        None => option()?,
    };
    if value.trim() == "*" {
        return Some(Vec::new());
    }
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(Text::new).collect())
}

/// Returns the operators among the pods that manage a resource of the input.
///
/// # Complexity
/// Linear in containers and resources.
pub fn managers(cluster: &Cluster) -> Vec<Manager> {
    let mut kinds = BTreeMap::<&str, Vec<ObjectId>>::new();
    for one in managed(cluster) {
        for image in &one.contract.images {
            kinds.entry(image).or_default().push(one.id.clone());
        }
    }
    if kinds.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, pod) in cluster
        .pods
        .values()
        .enumerate()
        .filter(|(_, pod)| !pod.has_ended())
    {
        for container in pod.spec.lasting_containers() {
            let repository = repository(&container.image);
            let mut starts = repository.rmatch_indices('/').map(|(at, _)| at + 1);
            let (last, two) = (starts.next().unwrap_or(0), starts.next().unwrap_or(0));
            let resources = kinds
                .get(&repository[last..])
                .or_else(|| kinds.get(&repository[two..]));
            if let Some(resources) = resources {
                found.push(Manager {
                    pod: index,
                    container: container.name.clone(),
                    resources: resources.clone(),
                    watches: watched(cluster, &pod.meta.namespace, container),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_names_families() {
        let lines = include_str!("operators.toml").lines();
        let lines = lines.filter(|line| line.starts_with('"')).count();
        assert_eq!((CONTRACTS.len(), lines > 20), (lines, true));
        for (kind, contract) in CONTRACTS.iter() {
            assert!(Families::built_in().by_id(&contract.family).is_some(), "{kind}");
            assert!(kind.contains('/') && !contract.services.is_empty() && !contract.label.is_empty());
            let group = kind.split('/').next().unwrap_or_default();
            let secrets = [
                &contract.root,
                &contract.user,
                &contract.replication,
                &contract.backup,
            ];
            for template in secrets.into_iter().flatten() {
                let read = Other::members_read(group);
                let member = template
                    .strip_prefix('@')
                    .map(|path| path.split(['.', '#', '?']).next().unwrap_or_default());
                let switch = template.split_once('?').map(|(_, switch)| switch);
                assert!(
                    switch.is_none_or(|switch| read.contains(&switch)),
                    "{kind}: {template}"
                );
                assert!(
                    member.is_none_or(|member| read.contains(&member)),
                    "{kind}: {template}"
                );
                assert!(
                    !template.contains("{user}") || read.contains(&"users"),
                    "{kind}: {template}"
                );
            }
        }
    }
}
