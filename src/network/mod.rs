//! Who can reach whom under the policies, and what is exposed to the outside.
//!
//! **Trap.** Reach needs both sides: the source's egress AND the destination's ingress.
//! Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>

mod exposure;
mod ports;

pub use exposure::Exposure;
pub use ports::PortSet;

use crate::model::{Cluster, Diagnostic, ObjectId, Text};

/// Pods that no policy can tell apart.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name of the group in ids: the namespace and its first workload's name, unique.
    pub name: Text,
    /// The namespace of its pods.
    pub namespace: Text,
    /// Positions of its pods in [`Cluster::pods`].
    pub pods: Vec<usize>,
}

/// One complete bipartite part of the reach relation: every source reaches every target on the ports.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Groups that may send.
    pub sources: Vec<usize>,
    /// Groups that receive.
    pub targets: Vec<usize>,
    /// On these ports of the target.
    pub ports: PortSet,
    /// Rule of an egress policy that allows it, or the default.
    pub egress: Allowed,
    /// Rule of an ingress policy that allows it, or the default.
    pub ingress: Allowed,
}

/// What allows one direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowed {
    /// No policy isolates the pod in this direction.
    Default,
    /// A rule of a policy: its id and JSON pointer (`/spec/ingress/0`).
    Rule(ObjectId, Text),
}

/// Reachability between groups of pods, and exposure.
#[derive(Debug, Default)]
pub struct Network {
    groups: Vec<Group>,
    group_of: Vec<usize>,
    hubs: Vec<Hub>,
    exposures: Vec<Exposure>,
}

impl Network {
    /// Evaluates the policies and Services of a cluster.
    pub fn new(_cluster: &Cluster) -> (Self, Vec<Diagnostic>) {
        (Self::default(), Vec::new())
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of the pod at this position of [`Cluster::pods`].
    pub fn group_of(&self, pod: usize) -> usize {
        self.group_of[pod]
    }

    /// The hubs, each with at least one source and one target.
    pub fn hubs(&self) -> &[Hub] {
        &self.hubs
    }

    /// What the outside reaches, sorted.
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }
}
