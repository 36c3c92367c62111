//! The attack graph as data: every vertex, every step, structure included.
//!
//! **Trap.** Member names are a published format, described in `docs/graph.schema.json`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::path::{EvidenceView, Sources, StepView};
use crate::datastores::Datastore;
use crate::model::Cluster;
use crate::techniques::{Facts, Place, Position, Step};

/// Name and version of the JSON form.
pub const GRAPH_SCHEMA: &str = "beachhead.graph/1";

/// One position.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VertexView {
    /// The id.
    pub id: String,
    /// The label.
    pub label: &'static str,
    /// What is known about it, in the Kubernetes API's spelling.
    pub properties: BTreeMap<&'static str, String>,
}

/// One step.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EdgeView {
    /// The technique's id, or the relation's label.
    pub technique: &'static str,
    /// The family.
    pub family: &'static str,
    /// Everything that must be held.
    pub premises: Vec<String>,
    /// What is held then.
    pub conclusion: String,
    /// What it costs, 0 to 8.
    pub effort: u8,
    /// `certain`, `conditional` or `assumed`.
    pub certainty: &'static str,
    /// What a conditional step depends on.
    pub condition: Option<String>,
    /// What proves it.
    pub evidence: Vec<EvidenceView>,
}

/// The graph.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GraphView {
    /// [`GRAPH_SCHEMA`].
    pub schema: &'static str,
    /// The positions, sorted.
    pub vertices: Vec<VertexView>,
    /// The steps, in the order of the catalogue.
    pub steps: Vec<EdgeView>,
}

/// Returns the graph of these steps.
pub fn graph<'a>(cluster: &Cluster, facts: &Facts, steps: impl IntoIterator<Item = &'a Step>) -> GraphView {
    let sources = Sources::new(cluster);
    let databases = facts.databases();
    let workload = |position: &Position| match position {
        Position::Pod(place) | Position::Container(place, _) => workload_of(cluster, place),
        Position::Database(_) => databases
            .get(position)
            .map(|datastore| datastore.workload.to_string()),
        _ => None,
    };
    let mut positions = BTreeSet::new();
    let mut edges = Vec::new();
    for step in steps {
        positions.extend(step.premises.iter().chain([&step.conclusion]));
        let view = StepView::new(step, &sources);
        edges.push(EdgeView {
            technique: view.technique,
            family: view.family,
            premises: view.premises,
            conclusion: view.conclusion,
            effort: view.effort,
            certainty: view.certainty,
            condition: view.condition,
            evidence: view.evidence,
        });
    }
    let vertex = |position: &Position| VertexView {
        id: position.to_string(),
        label: position.label().as_str(),
        properties: properties(position, workload(position), databases.get(position).copied()),
    };
    GraphView {
        schema: GRAPH_SCHEMA,
        vertices: positions.into_iter().map(vertex).collect(),
        steps: edges,
    }
}

fn properties(
    position: &Position,
    workload: Option<String>,
    datastore: Option<&Datastore>,
) -> BTreeMap<&'static str, String> {
    let mut properties = BTreeMap::new();
    if let Some(datastore) = datastore {
        properties.insert("family", datastore.family.id.clone());
        properties.insert("basis", datastore.basis.as_str().to_owned());
    }
    if let Some(workload) = workload {
        properties.insert("workload", workload);
    }
    if let Some(namespace) = position.namespace() {
        properties.insert("namespace", namespace.to_string());
    }
    properties
}

fn workload_of(cluster: &Cluster, place: &Place) -> Option<String> {
    let pod = cluster.pod(&place.namespace, &place.name)?;
    Some(cluster.workload_of(pod).to_string())
}
