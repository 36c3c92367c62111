//! What is a database, and what opens it.
//!
//! **Trap.** Never by name alone: a Service called `metadata-db` may be anything, an exporter's image carries
//! its database's name. A container is a datastore if its image's repository is one of the table's, or if it
//! has the variables of a server's contract and declares the server's port.

mod client;
mod environment;
mod family;

use std::collections::BTreeMap;

pub use environment::{Origin, Variable, variables};
pub use family::{FAMILIES, Family};

use crate::model::{Cluster, Container, ObjectId, Protocol, Text};

/// A workload that stores data.
#[derive(Clone, Debug)]
pub struct Datastore {
    /// The workload (or bare pod) that runs it.
    pub workload: ObjectId,
    /// What it is.
    pub family: &'static Family,
    /// The container that serves, by name.
    pub container: Text,
    /// Positions of its pods in [`Cluster::pods`].
    pub pods: Vec<usize>,
    /// The TCP ports it listens on.
    pub ports: Vec<u16>,
    /// What says that it is a datastore.
    pub proof: Fact,
    /// Whether it lets in whoever reaches it.
    pub door: Door,
    /// Everything that is known to hold a password for it.
    pub passwords: Vec<Password>,
}

/// A value in a pod's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Position of the pod in [`Cluster::pods`].
    pub pod: usize,
    /// JSON pointer within the pod's spec: `/containers/0/image`.
    pub pointer: Text,
    /// What stands there.
    pub value: Text,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Whoever reaches it, as this says; on a condition if the second part is set.
    Open(Fact, Option<Text>),
    /// Who has a password.
    Locked,
}

/// Something that holds a password for a datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// Where the value stands.
    pub origin: Origin,
    /// The container that uses it.
    pub container: Text,
    /// The variable or option that carries it there.
    pub name: Text,
    /// That use.
    pub fact: Fact,
    /// For a client, the setting that names the datastore.
    pub host: Option<Fact>,
    /// For a client, the Service by whose name it reaches the datastore.
    pub service: Option<ObjectId>,
}

/// Finds the datastores among the pods, sorted by workload.
pub fn datastores(cluster: &Cluster) -> Vec<Datastore> {
    let mut found = BTreeMap::<(ObjectId, Text), Datastore>::new();
    for (index, pod) in cluster.pods.values().enumerate() {
        if pod.has_ended() {
            continue;
        }
        for (at, container) in pod.spec.containers.iter().enumerate() {
            let place = ContainerPlace {
                pod: index,
                at,
                container,
            };
            let environment = variables(cluster, &pod.meta.namespace, container);
            let Some((family, proof)) = place.family(&environment) else {
                continue;
            };
            let workload = cluster.workload_of(pod);
            let known = found.entry((workload.clone(), container.name.clone()));
            let datastore = known.or_insert_with(|| Datastore {
                workload,
                family,
                container: container.name.clone(),
                pods: Vec::new(),
                ports: place.ports(family),
                proof,
                door: place.door(family, &environment),
                passwords: place.passwords(family, &environment),
            });
            datastore.pods.push(index);
        }
    }
    let mut datastores: Vec<_> = found.into_values().collect();
    client::add_passwords(cluster, &mut datastores);
    datastores
}

/// A container with its place in the cluster.
#[derive(Clone, Copy)]
struct ContainerPlace<'a> {
    pod: usize,
    at: usize,
    container: &'a Container,
}

type Environment = BTreeMap<Text, Variable>;

impl ContainerPlace<'_> {
    fn fact(&self, pointer: &str, value: impl Into<Text>) -> Fact {
        Fact {
            pod: self.pod,
            pointer: format!("/containers/{}{pointer}", self.at).into(),
            value: value.into(),
        }
    }

    fn family(&self, environment: &Environment) -> Option<(&'static Family, Fact)> {
        let image = &self.container.image;
        if let Some(family) = Family::of_image(image) {
            return Some((family, self.fact("/image", image)));
        }
        if family::is_companion(image) {
            return None;
        }
        let declares = |port: u16| {
            self.container
                .ports
                .iter()
                .any(|declared| declared.container_port == port && declared.protocol == Protocol::Tcp)
        };
        FAMILIES
            .iter()
            .filter(|family| family.ports.iter().any(|port| declares(*port)))
            .find_map(|family| {
                let served = family.passwords.iter().find_map(|name| environment.get(*name))?;
                Some((family, self.fact(&served.pointer, &served.name)))
            })
    }

    /// The declared ports that are the family's, else all declared ones, else the family's own; none if it says
    /// that it listens on the loopback address alone.
    fn ports(&self, family: &Family) -> Vec<u16> {
        let words = self.words();
        let mut listens = family.listens.iter();
        let listens = listens.find_map(|option| Self::option(&words, option));
        if listens.is_some_and(|(_, urls)| urls.split(',').all(is_loopback)) {
            return Vec::new();
        }
        let declared: Vec<u16> = self
            .container
            .ports
            .iter()
            .filter(|port| port.protocol == Protocol::Tcp)
            .map(|port| port.container_port)
            .collect();
        let usual: Vec<u16> = declared
            .iter()
            .copied()
            .filter(|port| family.ports.contains(port))
            .collect();
        match (usual.is_empty(), declared.is_empty()) {
            (false, _) => usual,
            (true, false) => declared,
            (true, true) => family.ports.iter().copied().take(1).collect(),
        }
    }

    /// The words of the command line, those of a shell's script too, each with its pointer.
    fn words(&self) -> Vec<(String, String)> {
        let lists = [
            ("command", &self.container.command),
            ("args", &self.container.args),
        ];
        lists
            .into_iter()
            .flat_map(|(list, words)| {
                words
                    .words()
                    .iter()
                    .enumerate()
                    .map(move |(at, word)| (list, at, word))
            })
            .flat_map(|(list, at, word)| {
                word.text
                    .split_whitespace()
                    .map(|part| (format!("/{list}/{at}"), part.trim_matches(['"', '\'']).to_owned()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The value of an option on the command line and its pointer: `--requirepass x`, `--requirepass=x`.
    fn option(words: &[(String, String)], option: &str) -> Option<(String, String)> {
        words.iter().enumerate().find_map(|(at, (pointer, word))| {
            if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
                return Some((pointer.clone(), value.to_owned()));
            }
            (word == option).then(|| words.get(at + 1).cloned()).flatten()
        })
    }

    fn door(&self, family: &Family, environment: &Environment) -> Door {
        let set = |name: &str| {
            environment.get(name).filter(|variable| {
                !variable
                    .value
                    .as_ref()
                    .is_some_and(|value| matches!(&*value.text, "" | "false" | "no" | "0"))
            })
        };
        let password = family.passwords.iter().find_map(|name| set(name));
        let words = self.words();
        for (name, value) in family.unlocks {
            let unlocked = set(name).filter(|variable| {
                value.is_empty()
                    || variable
                        .value
                        .as_ref()
                        .is_some_and(|text| text.text.eq_ignore_ascii_case(value))
            });
            // An authentication method of `trust` asks for no password even if there is one.
            if let Some(variable) = unlocked
                && (password.is_none() || *value == "trust" || *value == "none" || *value == "false")
            {
                return Door::Open(
                    self.fact(&variable.pointer, format!("{name}={}", shown(variable))),
                    None,
                );
            }
        }
        let locked = family.locks.iter().any(|lock| {
            set(lock).is_some()
                || words.iter().any(|(_, word)| {
                    word == lock
                        || word
                            .strip_prefix(lock)
                            .is_some_and(|rest| rest.starts_with('=') && rest != "=false" && rest != "=\"\"")
                })
        });
        if !family.open || locked {
            return Door::Locked;
        }
        let fact = self.fact("/image", &self.container.image);
        if let Some(variable) = password {
            if self.container.image.contains("bitnami") {
                return Door::Locked;
            }
            let condition = format!("the image does not read {}", variable.name);
            return Door::Open(fact, Some(condition.into()));
        }
        let configured = words.iter().find(|(_, word)| {
            [".conf", ".cnf", ".yaml", ".yml"]
                .iter()
                .any(|end| word.ends_with(end))
        });
        let condition = configured.map(|(_, file)| format!("{file} asks for no password").into());
        Door::Open(fact, condition)
    }

    /// The passwords that the server itself is given.
    fn passwords(&self, family: &Family, environment: &Environment) -> Vec<Password> {
        let mut found: Vec<Password> = family
            .passwords
            .iter()
            .filter_map(|name| environment.get(*name))
            .filter(|variable| variable.value.as_ref().is_none_or(|value| value.withheld))
            .map(|variable| Password {
                origin: variable.origin.clone(),
                container: self.container.name.clone(),
                name: variable.name.clone(),
                fact: self.fact(&variable.pointer, &variable.name),
                host: None,
                service: None,
            })
            .collect();
        let words = self.words();
        for option in family.options {
            let Some((pointer, value)) = Self::option(&words, option) else {
                continue;
            };
            let name = value.trim_start_matches('$').trim_matches(['(', ')', '{', '}']);
            let origin = match environment.get(name) {
                Some(variable) if value.starts_with('$') => variable.origin.clone(),
                None if value.starts_with('$') => continue,
                _ => Origin::Inline,
            };
            found.push(Password {
                origin,
                container: self.container.name.clone(),
                name: (*option).into(),
                fact: self.fact(&pointer, format!("{option} {value}")),
                host: None,
                service: None,
            });
        }
        found
    }
}

/// Whether the host of a URL is this machine alone.
fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    host.starts_with("127.")
        || host.starts_with("[::1]")
        || host == "localhost"
        || host.starts_with("localhost:")
}

fn shown(variable: &Variable) -> &str {
    variable.value.as_ref().map_or("", |value| &value.text)
}
