//! Passwords that clients hold: a container that is told a datastore's host and a password for it.
//!
//! **Trap.** `mongodb` in `mongodb://db` is a scheme, not the Service of that name. Of a container with several
//! databases each password belongs to the host whose variable's name it shares most words with.

use std::collections::{BTreeMap, BTreeSet};

use super::{Datastore, Fact, Origin, Password, Variable, variables};
use crate::model::{Cluster, ObjectId, Text, names_a_credential};

/// Which datastores stand behind each Service, by namespace and name.
type Behind = BTreeMap<(Text, Text), BTreeSet<usize>>;

/// A password of a client.
struct Use<'a> {
    datastore: usize,
    password: &'a Variable,
    /// The variable that names the host.
    host: &'a Variable,
    /// The Service of that name.
    service: ObjectId,
}

/// Adds to each datastore the passwords that clients hold.
pub(super) fn add_passwords(cluster: &Cluster, datastores: &mut [Datastore]) {
    let behind = behind(cluster, datastores);
    if behind.is_empty() {
        return;
    }
    for (index, pod) in cluster.pods.values().enumerate() {
        if pod.has_ended() {
            continue;
        }
        let lists = [
            ("containers", &pod.spec.containers),
            ("initContainers", &pod.spec.init_containers),
        ];
        for (list, containers) in lists {
            for (at, container) in containers.iter().enumerate() {
                let environment = variables(cluster, &pod.meta.namespace, container);
                let fact = |variable: &Variable| Fact {
                    pod: index,
                    pointer: format!("/{list}/{at}{}", variable.pointer).into(),
                    value: variable.name.clone(),
                };
                for used in uses(&behind, &pod.meta.namespace, &environment) {
                    let (password, host) = (used.password, used.host);
                    let value = host.value.as_ref().map_or("", |value| &value.text);
                    let named = Fact {
                        value: format!("{}={value}", host.name).into(),
                        ..fact(host)
                    };
                    let found = Password {
                        origin: password.origin.clone(),
                        container: container.name.clone(),
                        name: password.name.clone(),
                        fact: fact(password),
                        host: (password.name != host.name).then_some(named),
                        service: Some(used.service),
                    };
                    if let Some(datastore) = datastores.get_mut(used.datastore) {
                        datastore.passwords.push(found);
                    }
                }
            }
        }
    }
}

fn behind(cluster: &Cluster, datastores: &[Datastore]) -> Behind {
    let mut in_namespace = BTreeMap::<&Text, Vec<(usize, usize)>>::new();
    for (at, datastore) in datastores.iter().enumerate() {
        let pods = in_namespace.entry(&datastore.workload.namespace).or_default();
        pods.extend(datastore.pods.first().map(|&pod| (at, pod)));
    }
    let mut behind = Behind::new();
    for service in cluster
        .services
        .values()
        .filter(|service| !service.spec.selector.is_empty())
    {
        for &(at, pod) in in_namespace.get(&service.meta.namespace).into_iter().flatten() {
            let Some((_, pod)) = cluster.pods.at(pod) else {
                continue;
            };
            let selector = &service.spec.selector;
            if selector
                .iter()
                .all(|(key, value)| pod.meta.labels.get(key) == Some(value))
            {
                let key = (service.meta.namespace.clone(), service.meta.name.clone());
                behind.entry(key).or_default().insert(at);
            }
        }
    }
    behind
}

/// Every password among the variables with the datastore it opens and the variable that names its host.
fn uses<'a>(behind: &Behind, namespace: &str, environment: &'a BTreeMap<Text, Variable>) -> Vec<Use<'a>> {
    let hosts: Vec<(&Variable, BTreeMap<usize, ObjectId>)> = environment
        .values()
        .filter_map(|variable| {
            let hosts = hosts(&variable.name, &variable.value.as_ref()?.text);
            let mut found = BTreeMap::new();
            for (service, datastores) in hosts.iter().filter_map(|host| resolve(behind, namespace, host)) {
                for &datastore in datastores {
                    found.entry(datastore).or_insert_with(|| service.clone());
                }
            }
            (!hosts.is_empty()).then_some((variable, found))
        })
        .collect();
    let mut found = Vec::new();
    let mut add = |password, host, datastores: &BTreeMap<usize, ObjectId>| {
        found.extend(datastores.iter().map(|(&datastore, service)| Use {
            datastore,
            password,
            host,
            service: service.clone(),
        }));
    };
    for password in environment.values().filter(|variable| holds_password(variable)) {
        if let Some((host, datastores)) = hosts.iter().find(|(host, _)| host.name == password.name) {
            add(password, *host, datastores);
            continue;
        }
        let best = hosts
            .iter()
            .map(|(host, _)| shared_words(&password.name, &host.name))
            .max()
            .unwrap_or(0);
        if best == 0 {
            continue;
        }
        for (host, datastores) in &hosts {
            if shared_words(&password.name, &host.name) == best {
                add(password, *host, datastores);
            }
        }
    }
    found
}

fn holds_password(variable: &Variable) -> bool {
    match &variable.value {
        Some(value) => value.withheld,
        None => matches!(variable.origin, Origin::Secret(..)) && names_a_credential(&variable.name),
    }
}

/// How many words two variable names begin with in common.
fn shared_words(a: &str, b: &str) -> usize {
    let words = |name: &str| {
        name.split(['_', '.', '-'])
            .map(str::to_ascii_uppercase)
            .collect::<Vec<_>>()
    };
    words(a).iter().zip(&words(b)).take_while(|(a, b)| a == b).count()
}

/// The hosts in a setting: of each URL its authority; else the words, if the name says that it is an address.
fn hosts(name: &str, value: &str) -> Vec<String> {
    const NAMES: &[&str] = &[
        "HOST",
        "ADDR",
        "URL",
        "URI",
        "SERVER",
        "ENDPOINT",
        "DSN",
        "CONNECTION",
        "BROKER",
        "NODE",
    ];
    if value.contains("://") {
        let authorities = value.split("://").skip(1).map(|rest| {
            let authority = rest
                .split(|c: char| "/?#".contains(c) || c.is_whitespace())
                .next()
                .unwrap_or_default();
            authority.rsplit('@').next().unwrap_or_default()
        });
        return authorities
            .flat_map(|authority| authority.split(','))
            .filter_map(|host| host.split(':').next())
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect();
    }
    let name = name.to_ascii_uppercase();
    let has_port = value
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if !has_port && !NAMES.iter().any(|word| name.contains(word)) {
        return Vec::new();
    }
    value
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
        .filter(|word| word.bytes().any(|b| b.is_ascii_alphabetic()))
        .map(str::to_owned)
        .collect()
}

/// The Service and the datastores behind a host name as a pod of this namespace sees it: `db`, `db.shop`,
/// `db-0.db.shop.svc`.
fn resolve<'a>(behind: &'a Behind, namespace: &str, host: &str) -> Option<(ObjectId, &'a BTreeSet<usize>)> {
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
    fn a_scheme_is_no_host() {
        assert_eq!(hosts("DB_URI", "mongodb://u:***@db:27017,db2/x"), ["db", "db2"]);
        assert_eq!(hosts("DB_HOST", "mysql"), ["mysql"]);
        assert_eq!(hosts("REDIS", "cache:6379"), ["cache"]);
        assert_eq!(hosts("DB_DRIVER", "mysql"), [""; 0]);
        assert_eq!(hosts("DSN", "host=db user=me"), ["host", "db", "user", "me"]);
    }

    #[test]
    fn a_password_belongs_to_the_host_that_shares_most_words() {
        assert!(
            shared_words("ORDER_DB_PASSWORD", "ORDER_DB_URI")
                > shared_words("ORDER_DB_PASSWORD", "ORDER_QUEUE_URI")
        );
        assert_eq!(shared_words("DB_PASSWORD", "CACHE_HOST"), 0);
    }
}
