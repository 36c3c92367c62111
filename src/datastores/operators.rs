//! Databases that an operator makes of a custom resource: the pods, Services and Secrets follow from its name.
//!
//! Where the pods are in the input they are the datastore, found by their image, and get the Secrets here. Where they
//! are not, the resource stands for them.
//!
//! **Trap.** The names are the operators' contracts. A Secret that the contract names is assumed to be there if the input
//! does not hold it, as inputs without Secrets are common; one that is there without the key holds no password.

use std::collections::BTreeMap;

use serde_json::Value;

use super::contract::{ALL, Managed, kind_of};
use super::family::{Families, Family, User};
use super::role::Role;
use super::zalando::{Asked, Operators};
use super::{Basis, Companion, Datastore, Door, Fact, Importance, Origin, Password, Presence, Subject};
use crate::model::{Cluster, ObjectId, Text};

/// The resources that belong to others, such as their users: by kind, namespace and name of the other.
type Parts<'a> = BTreeMap<(String, Text, Text), Vec<Managed<'a>>>;

/// The entry of the table that says that the operator's settings tell.
const BY_SETTINGS: &str = "~settings";

fn managed(cluster: &Cluster) -> impl Iterator<Item = Managed<'_>> {
    cluster
        .others
        .iter()
        .filter_map(|(id, resource)| Managed::of(id, resource))
}

fn passwords(one: &Managed<'_>, cluster: &Cluster) -> Vec<Password> {
    let kinds = [
        (&one.contract.root, User::Superuser),
        (&one.contract.user, User::Application),
        (&one.contract.replication, User::Replication),
    ];
    let mut found: Vec<Password> = Vec::new();
    for (entries, user) in kinds {
        for (name, key) in entries.iter().flat_map(|entry| one.secrets(entry)) {
            let origin = Origin::Secret(name.clone(), key.clone());
            let secret = cluster.secret(&one.id.namespace, &name);
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
                    fact: fact(one, format!("{} keeps it in Secret {name}", one.contract.title)),
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
fn backup(one: &Managed<'_>, cluster: &Cluster) -> Option<Companion> {
    let entries = one.contract.backup.iter();
    let mut keys = Vec::new();
    for (name, key) in entries.flat_map(|entry| one.secrets(entry)) {
        let secret = cluster.secret(&one.id.namespace, &name).filter(|_| key == ALL);
        let all = secret.map_or_else(
            || vec![key],
            |secret| secret.keys().into_iter().cloned().collect(),
        );
        keys.extend(
            all.into_iter()
                .map(|key| (key.clone(), Origin::Secret(name.clone(), key))),
        );
    }
    (!keys.is_empty()).then(|| Companion {
        role: Role::Backup,
        container: Text::default(),
        host: fact(
            one,
            format!("{} copies it to an object store", one.contract.title),
        ),
        variables: Vec::new(),
        keys,
    })
}

fn fact(one: &Managed<'_>, value: String) -> Fact {
    Fact {
        subject: Subject::Object(one.id.clone()),
        pointer: "/metadata/name".into(),
        value: value.into(),
    }
}

/// The listeners of a resource.
struct Listeners {
    /// The ports of all.
    ports: Vec<u16>,
    /// The port of the first that asks for nothing, with what says so.
    open: Option<(u16, Fact)>,
}

/// The listeners that the resource lists; none if it lists none.
fn listeners(one: &Managed<'_>) -> Option<Listeners> {
    let path = one.contract.listeners.as_str();
    let all = one.at(path).into_iter().filter(|_| !path.is_empty()).enumerate();
    let mut found = Listeners {
        ports: Vec::new(),
        open: None,
    };
    for (at, listener) in all {
        let port = listener.get("port").and_then(Value::as_u64);
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else {
            continue;
        };
        let asks = listener
            .get("authentication")
            .is_some_and(|value| !value.is_null());
        if !asks && found.open.is_none() {
            let name = listener.get("name").and_then(Value::as_str).unwrap_or_default();
            let fact = Fact {
                subject: Subject::Object(one.id.clone()),
                pointer: format!("/spec/{}/{at}/name", path.replace('.', "/")).into(),
                value: format!("listener {name} asks for nothing").into(),
            };
            found.open = Some((port, fact));
        }
        found.ports.push(port);
    }
    (!found.ports.is_empty()).then_some(found)
}

/// What the resource itself says of who is let in, and where.
struct Said {
    door: Door,
    open_at: Vec<u16>,
    /// The ports of its listeners, if it lists them.
    ports: Option<Vec<u16>>,
}

/// What the resource itself says of who is let in; none if it leaves that to the image.
fn said(one: &Managed<'_>) -> Option<Said> {
    let locked = |ports| Said {
        door: Door::Locked,
        open_at: Vec::new(),
        ports,
    };
    let Some(Listeners { ports, open }) = listeners(one) else {
        return one.contract.asks.then(|| locked(None));
    };
    let Some((port, fact)) = open else {
        return Some(locked(Some(ports)));
    };
    let list = one.contract.listeners.rsplit_once('.');
    let list = list.map_or("", |(before, _)| before);
    let asked = !one.at(&format!("{list}.authorization")).is_empty();
    let doubt = asked.then(|| "its authorization lets in clients without a name".into());
    Some(Said {
        door: Door::Open(fact, doubt),
        open_at: vec![port],
        ports: Some(ports),
    })
}

/// The resources that belong to others.
fn parts<'a>(cluster: &'a Cluster) -> Parts<'a> {
    let mut parts = Parts::new();
    let mut named = BTreeMap::<(&'static str, &Text, Text), Vec<Managed<'a>>>::new();
    for one in managed(cluster).filter(|one| !one.contract.of.is_empty()) {
        let of = one.contract.of.as_str();
        if one.contract.by.starts_with('~') {
            let key = (of, &one.id.namespace, one.id.name.clone());
            named.entry(key).or_default().push(one);
        } else if let Some((namespace, name)) = one.about() {
            parts
                .entry((of.to_owned(), namespace, name))
                .or_default()
                .push(one);
        }
    }
    if named.is_empty() {
        return parts;
    }
    for main in managed(cluster).filter(|one| one.contract.of.is_empty()) {
        let kind = kind_of(main.resource).unwrap_or_default();
        for ((of, namespace, name), ones) in &named {
            let is_named = |one: &&Managed<'a>| {
                let path = one.contract.by.trim_start_matches('~');
                main.at(path).iter().any(|value| value.as_str() == Some(name))
            };
            if *of == kind && **namespace == main.id.namespace {
                let key = (kind.clone(), main.id.namespace.clone(), main.id.name.clone());
                parts.entry(key).or_default().extend(ones.iter().filter(is_named));
            }
        }
    }
    parts
}

/// Which datastores run with each label of the table, by namespace.
fn labelled(
    cluster: &Cluster,
    all: &[Managed<'_>],
    datastores: &[Datastore],
) -> BTreeMap<(Text, String), Vec<usize>> {
    let entries = all.iter().flat_map(|one| &one.contract.labels);
    let names: std::collections::BTreeSet<&str> = entries
        .filter_map(|entry| Some(entry.split_once('=')?.0))
        .collect();
    let mut labelled = BTreeMap::<(Text, String), Vec<usize>>::new();
    for (at, datastore) in datastores.iter().enumerate() {
        let Some((id, pod)) = datastore.pods.first().and_then(|&pod| cluster.pods.at(pod)) else {
            continue;
        };
        for name in &names {
            if let Some(value) = pod.meta.labels.get(name) {
                let key = (id.namespace.clone(), format!("{name}={value}"));
                labelled.entry(key).or_default().push(at);
            }
        }
    }
    labelled
}

/// Adds what operators make: their Secrets to the pods that run it, or a datastore where no pod does.
///
/// # Complexity
/// Linear in resources, datastores and the pods' labels.
pub(super) fn add_managed(cluster: &Cluster, families: &Families, datastores: &mut Vec<Datastore>) {
    let all: Vec<Managed<'_>> = managed(cluster)
        .filter(|one| one.contract.of.is_empty())
        .collect();
    if all.is_empty() {
        return;
    }
    let parts = parts(cluster);
    let labelled = labelled(cluster, &all, datastores);
    let zalando = Operators::new(cluster);
    let mut fresh = Vec::new();
    for one in &all {
        let Some(family) = families.by_id(&one.contract.family) else {
            continue;
        };
        let kind = kind_of(one.resource).unwrap_or_default();
        let key = (kind, one.id.namespace.clone(), one.id.name.clone());
        let parts: &[Managed<'_>] = parts.get(&key).map_or(&[], Vec::as_slice);
        let whole = || std::iter::once(one).chain(parts);
        let passwords: Vec<Password> = whole().flat_map(|part| passwords(part, cluster)).collect();
        let mut companions: Vec<Companion> = whole().filter_map(|part| backup(part, cluster)).collect();
        if one.contract.backup.iter().any(|entry| entry == BY_SETTINGS) {
            let switch = one.at("enableLogicalBackup");
            let is_dumped = switch.iter().any(|value| value.as_bool() == Some(true));
            companions.extend(zalando.backups(&Asked {
                id: one.id,
                is_dumped,
            }));
        }
        let labels = one.contract.labels.iter().flat_map(|label| one.names(label));
        let running = labels.flat_map(|label| {
            let key = (one.id.namespace.clone(), label);
            labelled
                .get(&key)
                .into_iter()
                .flatten()
                .copied()
                .collect::<Vec<_>>()
        });
        let running: Vec<usize> = running
            .filter(|&at| datastores[at].family.id == family.id)
            .collect();
        for &at in &running {
            datastores[at].passwords.extend(passwords.iter().cloned());
            datastores[at].companions.extend(companions.iter().cloned());
            settle(&mut datastores[at], one);
        }
        if running.is_empty() {
            fresh.push(stand_in(one, family, passwords, companions));
        }
    }
    datastores.extend(fresh);
}

/// Puts what the resource says of who is let in in place of what the image does by itself.
fn settle(datastore: &mut Datastore, one: &Managed<'_>) {
    let by_image = match &datastore.door {
        Door::Open(fact, condition) => condition.is_some() || fact.pointer.ends_with("/image"),
        Door::Locked => true,
    };
    if let Some(said) = said(one).filter(|_| by_image) {
        datastore.door = said.door;
        datastore.open_at = said.open_at;
        datastore.ports = said.ports.unwrap_or_else(|| std::mem::take(&mut datastore.ports));
    }
}

/// The datastore that a resource stands for of which no pod is in the input.
fn stand_in(
    one: &Managed<'_>,
    family: &std::sync::Arc<Family>,
    passwords: Vec<Password>,
    companions: Vec<Companion>,
) -> Datastore {
    let said = said(one).unwrap_or_else(|| {
        let door = if family.is_open("") && passwords.is_empty() {
            let doubt = "the resource asks for no authentication".into();
            Door::Open(fact(one, format!("{} makes it", one.contract.title)), Some(doubt))
        } else {
            Door::Locked
        };
        Said {
            door,
            open_at: Vec::new(),
            ports: None,
        }
    });
    Datastore {
        workload: one.id.clone(),
        family: family.clone(),
        container: Text::default(),
        pods: Vec::new(),
        ports: said
            .ports
            .unwrap_or_else(|| family.ports.iter().copied().take(1).collect()),
        basis: Basis::Operator,
        proof: fact(
            one,
            format!("{} makes a {} of it", one.contract.title, family.title),
        ),
        door: said.door,
        open_at: said.open_at,
        certificates: false,
        passwords,
        companions,
        elsewhere: Some("no policy closes the pods that the operator makes".into()),
        importance: Importance::default(),
    }
}

/// The Services that lead to what operators make, by namespace and name, with the resource.
pub(super) fn services(cluster: &Cluster) -> impl Iterator<Item = ((Text, Text), ObjectId)> {
    managed(cluster).flat_map(|one| {
        let id = match one.contract.of.rsplit_once('/') {
            None => Some(one.id.clone()),
            Some((_, kind)) => one
                .about()
                .map(|(namespace, name)| ObjectId::new(kind, &namespace, &name)),
        };
        let names = one
            .contract
            .services
            .iter()
            .flat_map(move |service| one.names(service));
        let key = move |name: String| Some(((one.id.namespace.clone(), name.into()), id.clone()?));
        names.filter_map(key).collect::<Vec<_>>()
    })
}
