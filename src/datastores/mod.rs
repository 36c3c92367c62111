//! What is a database, and what opens it.
//!
//! [`datastores`] finds them by evidence: the container's image, what it starts, the variables of a server's contract
//! together with its port, an operator's custom resource, an address outside the cluster. `server` reads a
//! container, `door` how it asks who comes, `client` who is told its password, `operators` and `outside` what no pod
//! of the input runs.
//!
//! **Trap.** Never by name alone: a Service called `metadata-db` may be anything, an exporter's image carries
//! its database's name, and `pg_dump` runs in the server's image.

mod archive;
mod client;
mod contract;
mod door;
mod environment;
mod family;
mod files;
mod hosts;
mod managers;
mod mounted;
mod operators;
mod outside;
mod role;
mod server;
mod settings;
mod told;
mod zalando;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use archive::is_key_of_store;
pub use environment::{Origin, Variable, variables};
pub use family::{Class, Families, Family, User};
pub use managers::{Manager, managers};
pub use role::{Role, role_of_image};
pub use settings::{EnvironmentPatterns, Importance, Settings, SettingsError};

use crate::model::{Cluster, ObjectId, Text};

/// A workload that stores data, a custom resource of which an operator makes one, or an address outside the cluster.
#[derive(Clone, Debug)]
pub struct Datastore {
    /// The workload (or bare pod) that runs it, the custom resource, or the host outside.
    pub workload: ObjectId,
    /// What it is.
    pub family: Arc<Family>,
    /// The container that serves, by name; empty where there is none in the input.
    pub container: Text,
    /// Positions of its pods in [`Cluster::pods`].
    pub pods: Vec<usize>,
    /// The TCP ports it listens on.
    pub ports: Vec<u16>,
    /// By what it is known.
    pub basis: Basis,
    /// What says that it is a datastore.
    pub proof: Fact,
    /// Whether it lets in whoever reaches it.
    pub door: Door,
    /// The ports at which it does, if not at all of them.
    pub open_at: Vec<u16>,
    /// Whether it asks for a client's certificate.
    pub certificates: bool,
    /// Everything that is known to hold a password for it.
    pub passwords: Vec<Password>,
    /// What stands beside it and is told its host: consoles and what copies it away.
    pub companions: Vec<Companion>,
    /// Where no pod of the input runs it: on what it depends that pods reach it.
    pub elsewhere: Option<Text>,
    /// What it is worth.
    pub importance: Importance,
}

impl Datastore {
    /// The name or address of the host outside the cluster, if it lies there.
    pub fn host(&self) -> Option<&Text> {
        let id = &self.workload;
        (id.namespace == outside::OUTSIDE).then_some(&id.name)
    }
}

/// By what a datastore is known, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The user says so.
    Named,
    /// The image's repository.
    Image,
    /// An operator's custom resource.
    Operator,
    /// The program that the container starts.
    Program,
    /// The variables of a server's contract and its port.
    Environment,
    /// A URL of a client, or the host name of a managed service.
    Address,
    /// The port alone, at an address outside the cluster.
    Port,
}

impl Basis {
    /// What it is known by, in words: `known by …`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Named => "the settings",
            Self::Image => "its image",
            Self::Operator => "an operator's resource",
            Self::Program => "the program it starts",
            Self::Environment => "its variables and port",
            Self::Address => "its address",
            Self::Port => "its port alone",
        }
    }

    /// Whether the fact that says so leaves it to the reader why.
    pub fn needs_words(self) -> bool {
        !matches!(self, Self::Image | Self::Operator)
    }

    /// The word for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "settings",
            Self::Image => "image",
            Self::Operator => "operator",
            Self::Program => "program",
            Self::Environment => "environment",
            Self::Address => "address",
            Self::Port => "port",
        }
    }
}

/// Whose text a fact stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The spec of the pod at this position in [`Cluster::pods`].
    Pod(usize),
    /// An object.
    Object(ObjectId),
}

/// A value in a pod's spec or in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Whose.
    pub subject: Subject,
    /// JSON pointer within the pod's spec (`/containers/0/image`) or the object.
    pub pointer: Text,
    /// What stands there.
    pub value: Text,
}

impl Fact {
    /// The namespace of what the fact is about.
    pub fn namespace<'a>(&'a self, cluster: &'a Cluster) -> Option<&'a Text> {
        match &self.subject {
            Subject::Pod(index) => cluster.pods.at(*index).map(|(id, _)| &id.namespace),
            Subject::Object(id) => Some(&id.namespace),
        }
    }

    /// The position of the pod, if it is about one.
    pub fn pod(&self) -> Option<usize> {
        match self.subject {
            Subject::Pod(index) => Some(index),
            Subject::Object(_) => None,
        }
    }
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Whoever reaches it, as this says; on a condition if the second part is set.
    Open(Fact, Option<Text>),
    /// Who has a password.
    Locked,
}

/// How sure it is that a password stands where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The input shows it, or nothing runs without it.
    Seen,
    /// An operator is known to put it there.
    Made,
    /// It depends on this.
    Depends(Text),
}

/// Something that holds a password for a datastore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// Where the value stands.
    pub origin: Origin,
    /// Whose it is.
    pub user: User,
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
    /// How sure it is that a password stands there.
    pub presence: Presence,
}

/// A container that is told a datastore's host to show it or to copy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// What it is.
    pub role: Role,
    /// The container.
    pub container: Text,
    /// The setting that names the datastore.
    pub host: Fact,
    /// The names of all its variables.
    pub variables: Vec<Text>,
    /// Those whose value is withheld or stands in a Secret, with where it stands.
    pub keys: Vec<(Text, Origin)>,
}

/// Finds the datastores, sorted by workload.
pub fn datastores(cluster: &Cluster, settings: &Settings) -> Vec<Datastore> {
    let families = settings.families();
    let mut found = BTreeMap::<(ObjectId, Text), Datastore>::new();
    for (index, pod) in cluster.pods.values().enumerate() {
        if pod.has_ended() {
            continue;
        }
        let mut workload = None;
        for at in 0..pod.spec.containers.len() + pod.spec.init_containers.len() {
            let Some(place) = server::ContainerPlace::new(index, pod, at) else {
                continue;
            };
            if !place.may_serve(families, settings) {
                continue;
            }
            let workload = workload.get_or_insert_with(|| cluster.workload_of(pod));
            if let Some(datastore) = found.get_mut(&(workload.clone(), place.container.name.clone())) {
                datastore.pods.push(index);
            } else if let Some(datastore) = place.datastore(cluster, families, settings, workload) {
                found.insert((workload.clone(), place.container.name.clone()), datastore);
            }
        }
    }
    let mut datastores: Vec<_> = found.into_values().collect();
    operators::add_managed(cluster, families, &mut datastores);
    let all = told::AllTold::new(cluster);
    outside::add_outside(cluster, families, &all, &mut datastores);
    client::add_passwords(cluster, families, &all, &mut datastores);
    outside::doubt(&mut datastores);
    settings.rate(cluster, &mut datastores);
    datastores.sort_by(|a, b| (&a.workload, &a.container).cmp(&(&b.workload, &b.container)));
    datastores
}
