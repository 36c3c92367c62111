//! A container that may serve data: whether it does, where it listens, which passwords it is given.
//!
//! **Trap.** This runs for every container of the cluster, so what is cheap is asked first and the environment is
//! put together only where something says that it matters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::family::{Families, Family, User};
use super::files::{SettingsFile, kinds};
use super::mounted::origin_of_file;
use super::role::{Role, role_of_image, starts_no_server};
use super::settings::Settings;
use super::{Basis, Datastore, Fact, Importance, Origin, Password, Presence, Subject, Variable, variables};
use crate::model::{Cluster, Container, ObjectId, Pod, Protocol, Text};

pub(super) type Environment = BTreeMap<Text, Variable>;

/// A container with its place in the cluster: one that lasts as long as its pod.
#[derive(Clone, Copy)]
pub(super) struct ContainerPlace<'a> {
    pub(super) index: usize,
    pub(super) pod: &'a Pod,
    pub(super) container: &'a Container,
    list: &'static str,
    at: usize,
}

impl<'a> ContainerPlace<'a> {
    /// The container at this position among those that last: the ordinary ones, then the sidecars.
    pub(super) fn new(index: usize, pod: &'a Pod, at: usize) -> Option<Self> {
        let ordinary = pod.spec.containers.len();
        let (list, at, container) = match at.checked_sub(ordinary) {
            None => ("containers", at, &pod.spec.containers[at]),
            Some(at) => {
                let container = pod.spec.init_containers.get(at)?;
                (container.restart_policy == "Always").then_some(("initContainers", at, container))?
            }
        };
        Some(Self {
            index,
            pod,
            container,
            list,
            at,
        })
    }

    pub(super) fn fact(&self, pointer: &str, value: impl Into<Text>) -> Fact {
        Fact {
            subject: Subject::Pod(self.index),
            pointer: format!("/{}/{}{pointer}", self.list, self.at).into(),
            value: value.into(),
        }
    }

    /// Whether it is worth a closer look: its image, its port or its program is a family's, or the user names it.
    pub(super) fn may_serve(&self, families: &Families, settings: &Settings) -> bool {
        let mut ports = self.container.ports.iter();
        families.of_image(&self.container.image).is_some()
            || ports.any(|port| families.of_port(port.container_port).next().is_some())
            || families.of_program(self.program()).is_some()
            || settings.names(self.pod)
    }

    /// The program that its command starts, without its directory; empty if the image says.
    fn program(&self) -> &'a str {
        let first = self.container.command.words().first();
        first.map_or("", |word| word.text.rsplit('/').next().unwrap_or_default())
    }

    /// What it serves, if it does.
    pub(super) fn datastore(
        &self,
        cluster: &Cluster,
        families: &Families,
        settings: &Settings,
        workload: &ObjectId,
    ) -> Option<Datastore> {
        let environment = variables(cluster, &self.pod.meta.namespace, self.container);
        let (family, basis, proof) = self.family(families, settings, workload, &environment)?;
        let files = self.files(cluster, &family, &environment);
        Some(Datastore {
            workload: workload.clone(),
            container: self.container.name.clone(),
            pods: vec![self.index],
            ports: self.ports(&family, &files),
            basis,
            proof,
            door: self.door(&family, &environment, &files, &|name| {
                cluster.secret(&self.pod.meta.namespace, name).is_some()
            }),
            open_at: Vec::new(),
            certificates: self.asks_for_certificate(&family, &environment, &files),
            passwords: self.passwords(&family, &environment, &files),
            companions: self.archive(&environment).into_iter().collect(),
            elsewhere: None,
            importance: Importance::default(),
            family,
        })
    }

    fn family(
        &self,
        families: &Families,
        settings: &Settings,
        workload: &ObjectId,
        environment: &Environment,
    ) -> Option<(Arc<Family>, Basis, Fact)> {
        let image = &self.container.image;
        if let Some((family, fact)) = settings.named(self.pod, workload, families) {
            let is_only = self.pod.spec.containers.len() == 1;
            let serves = is_only || self.declares(&family) || families.of_image(image) == Some(&family);
            if serves && self.list == "containers" {
                let fact = fact.unwrap_or_else(|| self.fact("/image", image));
                return Some((family, Basis::Named, fact));
            }
        }
        // Whatever a Job runs ends; others do not store data in it.
        if workload.kind == "Job" || workload.kind == "CronJob" {
            return None;
        }
        if let Some(family) = families.of_image(image) {
            let starts_other = starts_no_server(family, families, self.container);
            return (!starts_other).then(|| (family.clone(), Basis::Image, self.fact("/image", image)));
        }
        if role_of_image(image).is_some_and(|role| role != Role::Client) {
            return None;
        }
        let contract = self.container.ports.iter().find_map(|port| {
            families.of_port(port.container_port).find_map(|family| {
                let served = family.passwords().find_map(|(name, _)| environment.get(name))?;
                let is_tcp = port.protocol == Protocol::Tcp;
                is_tcp.then(|| (family.clone(), self.fact(&served.pointer, &served.name)))
            })
        });
        if let Some((family, fact)) = contract {
            return Some((family, Basis::Environment, fact));
        }
        let family = families.of_program(self.program())?;
        let fact = self.fact("/command/0", self.program());
        Some((family.clone(), Basis::Program, fact))
    }

    fn declares(&self, family: &Family) -> bool {
        let mut ports = self.container.ports.iter();
        ports.any(|port| family.ports.contains(&port.container_port) && port.protocol == Protocol::Tcp)
    }

    /// The declared ports that are the family's, else all declared ones, else the family's own; none if it says
    /// that it listens on the loopback address alone.
    fn ports(&self, family: &Family, files: &[SettingsFile]) -> Vec<u16> {
        let words = self.words();
        let mut listens = family.listens.iter();
        let listens = listens.find_map(|option| Words::value(&words.0, option));
        let listed = || {
            let lists = kinds(family).flat_map(|kind| &kind.local);
            lists
                .flat_map(|list| {
                    files
                        .iter()
                        .filter_map(|file| file.marked(std::slice::from_ref(list)))
                })
                .map(|(_, hosts)| hosts.as_str())
                .next()
        };
        let addresses = listens.map(|(_, urls)| urls).or_else(listed);
        if addresses.is_some_and(|all| {
            all.split([',', ' '])
                .filter(|one| !one.is_empty())
                .all(is_loopback)
        }) {
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
    pub(super) fn words(&self) -> Words {
        let lists = [
            ("command", &self.container.command),
            ("args", &self.container.args),
        ];
        let words = lists.into_iter().flat_map(|(list, words)| {
            let words = words.words().iter().enumerate();
            words.map(move |(at, word)| (format!("/{list}/{at}"), word))
        });
        Words(
            words
                .flat_map(|(pointer, word)| {
                    let parts: Vec<_> = word
                        .text
                        .split_whitespace()
                        .map(|part| (pointer.clone(), part.trim_matches(['"', '\'']).to_owned()))
                        .collect();
                    // An empty argument is a value all the same.
                    if parts.is_empty() {
                        vec![(pointer, String::new())]
                    } else {
                        parts
                    }
                })
                .collect(),
        )
    }

    /// The passwords that the server itself is given.
    fn passwords(&self, family: &Family, environment: &Environment, files: &[SettingsFile]) -> Vec<Password> {
        let password = |origin, user, name: &str, fact| Password {
            origin,
            user,
            container: self.container.name.clone(),
            name: name.into(),
            fact,
            host: None,
            service: None,
            presence: Presence::Seen,
        };
        let mut found = self.passwords_in_files(family, files);
        for (name, user) in family.passwords() {
            if let Some(variable) = environment.get(name)
                && variable.value.as_ref().is_none_or(|value| value.withheld)
            {
                let fact = self.fact(&variable.pointer, &variable.name);
                found.push(password(variable.origin.clone(), user, name, fact));
            }
            let by_file = environment.get(format!("{name}_FILE").as_str());
            if let Some(variable) = by_file
                && let Some(path) = variable.value.as_ref().map(|value| &value.text)
                && let Some((origin, at)) = origin_of_file(&self.pod.spec, self.container, path)
            {
                let fact = self.fact(
                    &format!("/volumeMounts/{at}/mountPath"),
                    format!("{}={path}", variable.name),
                );
                found.push(password(origin, user, &variable.name, fact));
            }
        }
        let words = self.words();
        for option in &family.options {
            let Some((pointer, value)) = Words::value(&words.0, option) else {
                continue;
            };
            let name = value.trim_start_matches('$').trim_matches(['(', ')', '{', '}']);
            let origin = match environment.get(name) {
                Some(variable) if value.starts_with('$') => variable.origin.clone(),
                None if value.starts_with('$') => continue,
                _ => Origin::Inline,
            };
            if value.is_empty() {
                continue;
            }
            let fact = self.fact(pointer, format!("{option} {value}"));
            found.push(password(origin, User::Unknown, option, fact));
        }
        found
    }

    /// The keys of ConfigMaps and Secrets that hold a file in which a password stands; of one that cannot be read it is
    /// not known.
    fn passwords_in_files(&self, family: &Family, files: &[SettingsFile]) -> Vec<Password> {
        let secrets: Vec<String> = kinds(family).flat_map(|kind| kind.secrets.clone()).collect();
        let mut found = Vec::new();
        for file in files.iter().filter(|_| !secrets.is_empty()) {
            let Some(origin) = file.origin.clone() else {
                continue;
            };
            let name = match file.settings {
                Some(_) => file.marked(&secrets).map(|(name, _)| name.as_str()),
                None => Some(""),
            };
            let Some(name) = name else {
                continue;
            };
            let presence = match file.settings {
                Some(_) => Presence::Seen,
                None => Presence::Depends(format!("{} holds a password", file.path).into()),
            };
            let shown = format!("{} {name}", file.path);
            found.push(Password {
                origin,
                user: User::Unknown,
                container: self.container.name.clone(),
                name: file.path.as_str().into(),
                fact: self.fact(&file.pointer, shown.trim_end()),
                host: None,
                service: None,
                presence,
            });
        }
        found
    }
}

/// The words of a command line, each with its pointer within the container.
pub(super) struct Words(pub(super) Vec<(String, String)>);

impl Words {
    /// The value of an option and its pointer: `--requirepass x`, `--requirepass=x`.
    pub(super) fn value<'a>(words: &'a [(String, String)], option: &str) -> Option<(&'a str, &'a str)> {
        words.iter().enumerate().find_map(|(at, (pointer, word))| {
            if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
                return Some((pointer.as_str(), value));
            }
            let next = || {
                words
                    .get(at + 1)
                    .map(|(pointer, word)| (pointer.as_str(), word.as_str()))
            };
            (word == option).then(next).flatten()
        })
    }
}

/// Whether the host of a URL is this machine alone.
fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    host.starts_with("127.")
        || host.starts_with("[::1]")
        || matches!(host.trim_start_matches('-'), "localhost" | "::1" | "_local_")
        || host.starts_with("localhost:")
}
