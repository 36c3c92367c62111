//! Passwords that clients hold: a container that is told a datastore's host and a password for it.
//!
//! **Trap.** Of a container with several databases each password belongs to the host whose variable's name it shares most
//! words with. Where the names share nothing, only a container with one database tells whose password it is.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::family::{Families, User};
use super::hosts::addresses;
use super::outside::{Ends, OUTSIDE, host_id};
use super::role::{Role, role_of_image, starts_no_server};
use super::server::Environment;
use super::told::{AllTold, Told, names_a_file};
use super::{Companion, Datastore, Fact, Origin, Password, Presence, Subject, Variable, operators};
use crate::model::{Cluster, Container, Literal, ObjectId, Pod, Text, names_a_credential};

/// Which datastores stand behind each Service, by namespace and name; hosts outside have a namespace of their own.
type Behind = BTreeMap<(Text, Text), BTreeSet<usize>>;

/// Most hosts that one password is tried with.
const MOST_HOSTS: usize = 16;

/// A setting of a container that names a host.
struct Host<'a> {
    variable: &'a Variable,
    /// The datastores there with the Service by whose name they are reached.
    datastores: BTreeMap<usize, ObjectId>,
}

/// Adds to each datastore the passwords that clients hold; of pods that have ended those in their specs, which stay.
///
/// # Complexity
/// Linear in the settings of all containers, times [`MOST_HOSTS`].
pub(super) fn add_passwords(
    cluster: &Cluster,
    families: &Families,
    all: &AllTold<'_>,
    datastores: &mut [Datastore],
) {
    let behind = behind(cluster, datastores);
    if behind.is_empty() {
        return;
    }
    for (index, pod) in cluster.pods.values().enumerate() {
        let has_ended = pod.has_ended();
        if has_ended && !pod.spec.all_containers().any(Container::has_credential_in_clear) {
            continue;
        }
        for told in all.of(index).iter() {
            let hosts = named_hosts(&behind, &pod.meta.namespace, &told.settings);
            if hosts.is_empty() {
                continue;
            }
            if !has_ended {
                add_running(cluster, families, (index, pod), told, &hosts, datastores);
            }
            for (at, variable, host) in uses(&hosts, &told.settings, datastores, families) {
                let found = password(index, told, variable, host, at);
                if !has_ended || found.origin == Origin::Inline {
                    datastores[at].passwords.push(found);
                }
            }
        }
    }
}

/// Adds what a running container is to the datastores whose hosts it is told: what stands beside them, and the private keys
/// that open those that ask for certificates.
fn add_running(
    cluster: &Cluster,
    families: &Families,
    (index, pod): (usize, &Pod),
    told: &Told<'_>,
    hosts: &[Host<'_>],
    datastores: &mut [Datastore],
) {
    if let Some(role) = role_beside(families, told.container) {
        // Of several settings that name one datastore the first is enough.
        let mut beside = BTreeMap::new();
        for host in hosts {
            for &at in host.datastores.keys() {
                beside.entry(at).or_insert(host);
            }
        }
        for (at, host) in beside {
            let companion = companion(role, told, named(fact(index, told, host.variable), host));
            datastores[at].companions.push(companion);
        }
    }
    let keys = private_keys(cluster, pod, told.container, told.place, index);
    for host in hosts {
        let asking = host.datastores.iter();
        for (&at, service) in asking
            .filter(|(at, _)| datastores[**at].certificates)
            .collect::<Vec<_>>()
        {
            let found = keys.iter().map(|key| Password {
                host: Some(named(fact(index, told, host.variable), host)),
                service: Some(service.clone()),
                container: told.container.name.clone(),
                ..key.clone()
            });
            datastores[at].passwords.extend(found);
        }
    }
}

fn fact(pod: usize, told: &Told<'_>, variable: &Variable) -> Fact {
    Fact {
        subject: Subject::Pod(pod),
        pointer: told.pointer(variable),
        value: variable.name.clone(),
    }
}

/// The password of the datastore at a position that a container is told beside its host.
fn password(pod: usize, told: &Told<'_>, variable: &Variable, host: &Host<'_>, at: usize) -> Password {
    let named = named(fact(pod, told, host.variable), host);
    Password {
        origin: variable.origin.clone(),
        user: User::Unknown,
        container: told.container.name.clone(),
        name: variable.name.clone(),
        fact: fact(pod, told, variable),
        host: (variable.name != host.variable.name).then_some(named),
        service: host.datastores.get(&at).cloned(),
        presence: Presence::Seen,
    }
}

/// The private keys of certificates that a container mounts, as Secrets of their own type.
fn private_keys(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    (list, at): (&str, usize),
    index: usize,
) -> Vec<Password> {
    let mounts = container.volume_mounts.iter().enumerate();
    let keys = mounts.filter_map(|(number, mount)| {
        let name = &pod.spec.volume(&mount.name)?.secret.as_ref()?.secret_name;
        let secret = cluster.secret(&pod.meta.namespace, name)?;
        (secret.r#type == "kubernetes.io/tls").then(|| Password {
            origin: Origin::Secret(name.clone(), "tls.key".into()),
            user: User::Unknown,
            container: Text::default(),
            name: "tls.key".into(),
            fact: Fact {
                subject: Subject::Pod(index),
                pointer: format!("/{list}/{at}/volumeMounts/{number}/name").into(),
                value: mount.name.clone(),
            },
            host: None,
            service: None,
            presence: Presence::Depends(
                format!("the server accepts the certificate of Secret {name}").into(),
            ),
        })
    });
    keys.collect()
}

/// The fact that a setting names a host, with its value.
fn named(fact: Fact, host: &Host<'_>) -> Fact {
    let value = host.variable.value.as_ref().map_or("", |value| &value.text);
    Fact {
        value: format!("{}={value}", host.variable.name).into(),
        ..fact
    }
}

/// What stands beside datastores: a console, or what copies them away.
fn role_beside(families: &Families, container: &Container) -> Option<Role> {
    let role = match families.of_image(&container.image) {
        Some(family) if starts_no_server(family, families, container) => {
            let words = [container.command.words(), container.args.words()].concat();
            let copies = |word: &Literal| {
                ["dump", "backup", "mirror"]
                    .iter()
                    .any(|part| word.text.contains(part))
            };
            words.iter().any(copies).then_some(Role::Backup)
        }
        Some(_) => None,
        // What it runs tells more than a word in the image's name.
        None if dumps(container) => Some(Role::Backup),
        None => role_of_image(&container.image),
    };
    role.filter(|role| matches!(role, Role::Console | Role::Backup))
}

/// Whether a container runs a program that copies a datastore, in an image of any name.
fn dumps(container: &Container) -> bool {
    const PROGRAMS: &[&str] = &[
        "mariabackup",
        "mariadb-dump",
        "mongodump",
        "mysqldump",
        "pg_basebackup",
        "pg_dump",
        "pg_dumpall",
        "xtrabackup",
    ];
    let words = container.command.words().iter().chain(container.args.words());
    let mut programs = words.flat_map(|word| {
        word.text
            .split(|c: char| c.is_whitespace() || ";|&()".contains(c))
    });
    programs.any(|word| PROGRAMS.contains(&word.rsplit('/').next().unwrap_or_default()))
}

fn companion(role: Role, told: &Told<'_>, host: Fact) -> Companion {
    let keys = told.settings.values().filter(|variable| match &variable.value {
        Some(value) => value.withheld,
        None => matches!(variable.origin, Origin::Secret(..)),
    });
    Companion {
        role,
        container: told.container.name.clone(),
        host,
        variables: told.settings.keys().cloned().collect(),
        keys: keys
            .map(|variable| (variable.name.clone(), variable.origin.clone()))
            .collect(),
    }
}

fn behind(cluster: &Cluster, datastores: &[Datastore]) -> Behind {
    let mut behind = Behind::new();
    let mut in_namespace = BTreeMap::<&Text, Vec<(usize, usize)>>::new();
    let mut by_id = FxHashMap::<&ObjectId, usize>::default();
    for (at, datastore) in datastores.iter().enumerate() {
        let pods = in_namespace.entry(&datastore.workload.namespace).or_default();
        pods.extend(datastore.pods.first().map(|&pod| (at, pod)));
        by_id.entry(&datastore.workload).or_insert(at);
        if datastore.workload.namespace == OUTSIDE {
            let key = (Text::new(OUTSIDE), datastore.workload.name.clone());
            behind.entry(key).or_default().insert(at);
        }
    }
    let ends = Ends::new(cluster);
    for (id, service) in &cluster.services {
        let key = || (id.namespace.clone(), id.name.clone());
        if let Some((host, _)) = ends.of(id, service) {
            if let Some(&at) = by_id.get(&host_id(&host)) {
                behind.entry(key()).or_default().insert(at);
            }
            continue;
        }
        if service.spec.selector.is_empty() {
            continue;
        }
        for &(at, pod) in in_namespace.get(&id.namespace).into_iter().flatten() {
            let Some((_, pod)) = cluster.pods.at(pod) else {
                continue;
            };
            let mut selector = service.spec.selector.iter();
            if selector.all(|(key, value)| pod.meta.labels.get(key) == Some(value)) {
                behind.entry(key()).or_default().insert(at);
            }
        }
    }
    for (key, resource) in operators::services(cluster) {
        if let Some(&at) = by_id.get(&resource) {
            behind.entry(key).or_default().insert(at);
        }
    }
    behind
}

/// The settings that name hosts: those of nothing known take their own passwords.
fn named_hosts<'a>(behind: &Behind, namespace: &str, settings: &'a Environment) -> Vec<Host<'a>> {
    let hosts = settings.values().filter_map(|variable| {
        let found = addresses(&variable.name, &variable.value.as_ref()?.text);
        if found.is_empty() {
            return None;
        }
        let mut datastores = BTreeMap::new();
        for address in found {
            if let Some((service, behind)) = resolve(behind, namespace, &address.host) {
                for &datastore in behind {
                    datastores.entry(datastore).or_insert_with(|| service.clone());
                }
            }
        }
        Some(Host { variable, datastores })
    });
    hosts.collect()
}

/// Every password among the settings with each datastore it opens and the setting that names its host.
fn uses<'h, 'a>(
    hosts: &'h [Host<'a>],
    settings: &'a Environment,
    datastores: &[Datastore],
    families: &Families,
) -> Vec<(usize, &'a Variable, &'h Host<'a>)> {
    let mut found = Vec::new();
    let all: BTreeSet<usize> = hosts
        .iter()
        .flat_map(|host| host.datastores.keys().copied())
        .collect();
    let Some(first) = hosts.iter().find(|host| !host.datastores.is_empty()) else {
        return found;
    };
    let by_name: FxHashMap<&str, &Host<'_>> = hosts
        .iter()
        .map(|host| (host.variable.name.as_str(), host))
        .collect();
    let mut by_words = FxHashMap::<String, Vec<&Host<'_>>>::default();
    for host in hosts {
        for start in starts(&host.variable.name) {
            let known = by_words.entry(start).or_default();
            if known.len() < MOST_HOSTS {
                known.push(host);
            }
        }
    }
    for password in settings.values().filter(|variable| holds_password(variable)) {
        let mut add = |host: &'h Host<'a>| {
            found.extend(host.datastores.keys().map(|&at| (at, password, host)));
        };
        if let Some(host) = by_name.get(password.name.as_str()) {
            add(host);
            continue;
        }
        let shared = starts(&password.name)
            .into_iter()
            .rev()
            .find_map(|start| by_words.get(&start));
        if let Some(shared) = shared {
            for host in shared {
                add(host);
            }
        } else if all.len() == 1
            && all
                .iter()
                .all(|&at| is_meant(&password.name, &datastores[at], families))
        {
            add(first);
        }
    }
    found
}

/// Whether a password of this name, in a container with this one database, is the database's.
fn is_meant(name: &str, datastore: &Datastore, families: &Families) -> bool {
    const WORDS: &[&str] = &[
        "DB",
        "DATABASE",
        "SQL",
        "PG",
        "PGPASSWORD",
        "PGSSLKEY",
        "PASSWORD",
        "PASS",
        "PGPASSFILE",
    ];
    let name = name.to_ascii_uppercase().replace(['.', '-'], "_");
    let family = &datastore.family;
    let first = name.split('_').next().unwrap_or_default();
    let is_contract = family.passwords().any(|(known, _)| known == name);
    let is_other = families
        .iter()
        .any(|other| other.id != family.id && other.passwords().any(|(known, _)| known == name));
    let titled = first.len() > 2 && family.id.to_ascii_uppercase().starts_with(first);
    is_contract || !is_other && (WORDS.contains(&first) || titled)
}

fn holds_password(variable: &Variable) -> bool {
    match &variable.value {
        Some(value) => value.withheld,
        None => {
            matches!(variable.origin, Origin::Secret(..))
                && (names_a_credential(&variable.name) || names_a_file(&variable.name))
        }
    }
}

/// Every start of a name in whole words, the shortest first: `DB`, `DB_ADMIN`, `DB_ADMIN_PASSWORD`.
fn starts(name: &str) -> Vec<String> {
    const DEEPEST: usize = 6;
    let mut start = String::new();
    let mut found = Vec::new();
    for word in name.split(['_', '.', '-']).take(DEEPEST) {
        if !start.is_empty() {
            start.push('_');
        }
        start.push_str(&word.to_ascii_uppercase());
        found.push(start.clone());
    }
    found
}

/// The Service and the datastores behind a host name as a pod of this namespace sees it: `db`, `db.shop`,
/// `db-0.db.shop.svc`, or a host outside.
fn resolve<'a>(behind: &'a Behind, namespace: &str, host: &str) -> Option<(ObjectId, &'a BTreeSet<usize>)> {
    let outer = (Text::new(OUTSIDE), Text::new(host));
    if let Some(datastores) = behind.get(&outer) {
        return Some((host_id(host), datastores));
    }
    let labels: Vec<&str> = host.split('.').collect();
    let look = |service: Option<&&str>, in_namespace: Option<&&str>| {
        let service = Text::new(service?);
        let namespace = Text::new(in_namespace.copied().unwrap_or(namespace));
        let id = ObjectId::new("Service", &namespace, &service);
        let datastores = behind.get(&(namespace, service))?;
        Some((id, datastores))
    };
    look(labels.first(), labels.get(1)).or_else(|| look(labels.get(1), labels.get(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_words() {
        assert_eq!(
            starts("order-db.password"),
            ["ORDER", "ORDER_DB", "ORDER_DB_PASSWORD"]
        );
        assert_eq!(starts(&"A_".repeat(1 << 16)).len(), 6);
    }
}
