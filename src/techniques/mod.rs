//! The catalogue of techniques: from the model to the steps of an attack.
//!
//! One file per family. A technique is a pure function of the model and never reads another one's steps:
//! chaining is the solver's work. Adding one touches its family's file and `tests/attacks/<ID>.md`.
//!
//! **Trap.** Nothing may match on a technique's id; what differs between techniques is a field of
//! [`Technique`].

mod absence;
mod admission;
mod alike;
pub mod api_server;
pub mod api_service;
pub mod backups;
mod bindable;
mod by_name;
pub mod certificates;
mod claims;
pub mod cloud;
pub mod consoles;
mod constrained;
mod control_plane;
mod controllers;
pub mod credential;
pub mod datastore;
pub mod deputy;
pub mod escape;
mod explain;
pub mod exposure;
pub mod files;
pub mod guards;
mod held;
pub mod host;
pub mod identity;
pub mod impersonation;
mod inline;
pub mod intercept;
pub mod kernel;
pub mod kubelet;
mod loopback;
mod mounts;
pub mod new_pod;
pub mod node;
pub mod openings;
mod outside;
pub mod packets;
pub mod password;
mod pods;
mod position;
pub mod processes;
mod references;
pub mod roles;
pub mod running_pod;
pub mod secrets;
mod security;
pub mod settings;
pub mod side_doors;
pub mod specs;
pub mod steal;
mod step;
mod structure;
pub mod supply;
mod technique;
mod version;
pub mod volumes;
pub mod vulnerable;
pub mod webhooks;

pub use absence::{Absence, why_absent};
pub use claims::Claims;
pub use explain::explain;
pub use held::Held;
pub use position::{ANY, COPIED, FREE, Label, MOVED, Opens, Place, Position, RESTORED, SOME};
pub use step::{Certainty, Evidence, Family, Few, Reason, Relation, Step};
pub use technique::{Sink, Technique};

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::datastores::{Datastore, Settings};
use crate::model::{Cluster, Diagnostic};
use crate::network::Network;
use crate::rbac::Access;

/// Everything a technique may read.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Who may do what.
    pub access: &'a Access,
    /// Who may reach whom.
    pub network: &'a Network,
    /// What stores data.
    pub datastores: &'a [Datastore],
    /// Which volumes stand behind claims.
    pub claims: &'a Claims,
    /// Which powers are held where.
    pub held: &'a Held,
    /// Which pods are worth a look.
    marks: &'a pods::Marks,
    /// The keys of Secrets and ConfigMaps.
    keys: &'a references::Keys,
    /// What several techniques ask for.
    once: &'a Once,
}

/// What several techniques ask for and the first of them finds.
#[derive(Debug, Default)]
struct Once {
    /// Who reaches databases outside.
    outside: OnceLock<outside::Outside>,
    /// The controllers that run.
    controllers: OnceLock<Vec<controllers::Running>>,
    /// What containers mount of their nodes.
    mounts: OnceLock<mounts::HostMounts>,
}

/// What the floors beneath say about a cluster; techniques read it through [`Facts::context`].
#[derive(Debug)]
pub struct Facts {
    /// Who may do what.
    pub access: Access,
    /// Who may reach whom.
    pub network: Network,
    /// What stores data.
    pub datastores: Vec<Datastore>,
    /// Which volumes stand behind claims.
    pub claims: Claims,
    /// Which powers are held where.
    pub held: Held,
    marks: pods::Marks,
    keys: references::Keys,
    once: Once,
    /// What was wrong or is not known.
    pub diagnostics: Vec<Diagnostic>,
}

impl Facts {
    /// Evaluates RBAC, network and datastores.
    pub fn new(cluster: &Cluster) -> Self {
        Self::with(cluster, &Settings::default())
    }

    /// Evaluates RBAC, network and datastores by a user's settings.
    pub fn with(cluster: &Cluster, settings: &Settings) -> Self {
        let rights = || {
            let (access, diagnostics) = Access::new(cluster);
            let held = Held::new(cluster, &access);
            (access, held, diagnostics)
        };
        let data = || {
            let datastores = crate::datastores::datastores(cluster, settings);
            let keys = references::Keys::new(cluster, &datastores);
            (datastores, keys)
        };
        let marks = || (Claims::new(cluster), pods::Marks::new(cluster));
        let (((access, held, mut diagnostics), (network, more)), ((datastores, keys), (claims, marks))) =
            rayon::join(
                || rayon::join(rights, || Network::new(cluster)),
                || rayon::join(data, marks),
            );
        diagnostics.extend(more);
        Self {
            access,
            network,
            datastores,
            claims,
            held,
            marks,
            keys,
            once: Once::default(),
            diagnostics,
        }
    }

    /// The datastores by their positions; of two with one name the first.
    pub fn databases(&self) -> BTreeMap<Position, &Datastore> {
        let all = self.datastores.iter().rev();
        all.map(|one| (datastore::database(one), one)).collect()
    }

    /// Everything a technique may read.
    pub fn context<'a>(&'a self, cluster: &'a Cluster) -> Context<'a> {
        Context {
            cluster,
            access: &self.access,
            network: &self.network,
            datastores: &self.datastores,
            claims: &self.claims,
            held: &self.held,
            marks: &self.marks,
            keys: &self.keys,
            once: &self.once,
        }
    }
}

/// The families' slices, in the order of the catalogue.
static FAMILIES: &[&[&Technique]] = &[
    exposure::TECHNIQUES,
    consoles::TECHNIQUES,
    identity::TECHNIQUES,
    credential::TECHNIQUES,
    password::TECHNIQUES,
    datastore::TECHNIQUES,
    side_doors::TECHNIQUES,
    volumes::TECHNIQUES,
    backups::TECHNIQUES,
    escape::TECHNIQUES,
    kernel::TECHNIQUES,
    host::TECHNIQUES,
    files::TECHNIQUES,
    processes::TECHNIQUES,
    vulnerable::TECHNIQUES,
    packets::TECHNIQUES,
    node::TECHNIQUES,
    kubelet::TECHNIQUES,
    api_server::TECHNIQUES,
    cloud::TECHNIQUES,
    supply::TECHNIQUES,
    new_pod::TECHNIQUES,
    running_pod::TECHNIQUES,
    secrets::TECHNIQUES,
    specs::TECHNIQUES,
    impersonation::TECHNIQUES,
    roles::TECHNIQUES,
    certificates::TECHNIQUES,
    webhooks::TECHNIQUES,
    deputy::TECHNIQUES,
    steal::TECHNIQUES,
    settings::TECHNIQUES,
    api_service::TECHNIQUES,
    guards::TECHNIQUES,
    intercept::TECHNIQUES,
    openings::TECHNIQUES,
];

/// Every technique, family by family.
pub fn catalogue() -> impl Iterator<Item = &'static Technique> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// Returns the technique with this id.
pub fn technique(id: &str) -> Option<&'static Technique> {
    catalogue().find(|technique| technique.id == id)
}

/// Returns every step there is: the relations, then what the catalogue finds, technique by technique.
///
/// # Complexity
/// Linear in the objects of the cluster.
pub fn steps(context: &Context<'_>) -> Vec<Step> {
    let catalogue: Vec<_> = catalogue().collect();
    let (mut steps, found) = rayon::join(
        || relations(context),
        || -> Vec<_> {
            let each = catalogue.into_par_iter().with_max_len(1);
            each.map(|technique| steps_of(technique, context)).collect()
        },
    );
    steps.reserve_exact(found.iter().map(Vec::len).sum());
    steps.extend(found.into_iter().flatten());
    steps
}

/// Returns the steps that follow from what things are, and cost nothing.
pub fn relations(context: &Context<'_>) -> Vec<Step> {
    // About as many as there are; growing would move them all several times.
    let mut steps = Vec::with_capacity(context.cluster.pods.len() * 10);
    structure::relate(context, &mut steps);
    steps
}

/// Returns the steps of one technique alone, for its fixture and for explanations.
pub fn steps_of(technique: &'static Technique, context: &Context<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    (technique.derive)(context, &mut Sink::new(technique, &mut steps));
    steps
}
