//! A few figures that say how a cluster stands, for the top of a report.
//!
//! **Trap.** From how many workloads cluster-admin is reachable is asked workload by workload, and that has a limit; the
//! figure says how many were asked.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::findings::Findings;
use crate::graph::{AttackGraph, Rows, VertexId};
use crate::model::Cluster;
use crate::paths::{Premises, Reach};
use crate::techniques::{Place, Position};

/// Edges that all searches together may follow.
const EDGES: usize = 30_000_000;

/// The figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posture {
    /// How many workloads there are.
    pub workloads: usize,
    /// How many of them the outside reaches.
    pub exposed: usize,
    /// How many workloads were asked for cluster-admin.
    pub asked: usize,
    /// From how many of these it is reachable.
    pub to_admin: usize,
    /// How many datastores there are.
    pub databases: usize,
    /// How many of them a path from outside leads to.
    pub databases_reached: usize,
    /// The fewest attacks of a finding's path.
    pub shortest: Option<usize>,
    /// The least effort of a finding's path.
    pub cheapest: Option<u32>,
}

impl Posture {
    /// Returns the figures of a cluster.
    ///
    /// # Complexity
    /// One pass over the graph for each workload, on all processors, up to a fixed number of edges.
    pub fn new(graph: &AttackGraph, rows: &Rows, cluster: &Cluster, all: &Findings) -> Self {
        let mut workloads = BTreeMap::<String, Vec<VertexId>>::new();
        for pod in cluster.pods.values() {
            let position = Position::Pod(Place::new(&pod.meta.namespace, &pod.meta.name));
            let pods = workloads.entry(cluster.workload_of(pod).to_string()).or_default();
            pods.extend(graph.vertex(&position));
        }
        let asked = workloads.len().min(EDGES / rows.edges().max(1));
        let admin = graph.vertex(&Position::ClusterAdmin);
        let first: Vec<&Vec<VertexId>> = workloads.values().take(asked).collect();
        let leads = |starts: &&Vec<VertexId>| {
            admin.is_some_and(|admin| Reach::new(rows, starts, Premises::Max).is_held(admin))
        };
        let exposed: BTreeSet<&str> = all
            .exposed
            .iter()
            .map(|exposed| exposed.workload.as_str())
            .collect();
        let databases = all
            .crown_jewels
            .iter()
            .filter(|jewel| jewel.id.starts_with("Database/"));
        let paths = || all.findings.iter().map(|finding| &finding.path);
        let attacks = paths().map(|path| path.steps.iter().filter(|step| !step.structural).count());
        Self {
            workloads: workloads.len(),
            exposed: exposed.len(),
            asked,
            to_admin: first.par_iter().filter(|starts| leads(starts)).count(),
            databases: databases.clone().count(),
            databases_reached: databases.filter(|jewel| jewel.reached).count(),
            shortest: attacks.min(),
            cheapest: paths().map(|path| path.effort).min(),
        }
    }
}
