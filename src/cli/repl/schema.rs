//! What a graph has: labels, types and where they lead, properties, ids. For completion and help.
//!
//! **Trap.** It is made once for a graph; going through all relationships at every key would be felt.

use std::collections::{BTreeMap, BTreeSet};

use crate::query::{Graph, Value};

/// Names of a graph.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// Labels with how many nodes have them.
    pub(super) labels: BTreeMap<String, usize>,
    /// Types with how many relationships have them.
    pub(super) types: BTreeMap<String, usize>,
    /// Of a label: the types that leave it with where they lead.
    pub(super) out: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Of a label: the types that lead to it.
    pub(super) into: BTreeMap<String, BTreeSet<String>>,
    pub(super) node_keys: BTreeSet<String>,
    pub(super) link_keys: BTreeSet<String>,
    /// Ids of nodes, in order.
    pub(super) ids: Vec<String>,
}

/// Relationships whose properties are looked at for their names.
const LOOKED_AT: u32 = 1_000;

impl Schema {
    pub(super) fn new(graph: &dyn Graph) -> Self {
        let mut schema = Self::default();
        for node in 0..graph.nodes() {
            for label in graph.labels(node) {
                *schema.labels.entry(label.to_owned()).or_default() += 1;
            }
            if let Value::Text(id) = graph.node_property(node, "id") {
                schema.ids.push(id.to_string());
            }
            if node < LOOKED_AT {
                schema
                    .node_keys
                    .extend(graph.node_keys(node).iter().map(ToString::to_string));
            }
        }
        schema.ids.sort_unstable();
        for link in 0..graph.links() {
            let kind = graph.link_type(link);
            *schema.types.entry(kind.to_owned()).or_default() += 1;
            let (from, to) = graph.ends(link);
            for from in graph.labels(from) {
                let out = schema.out.entry(from.to_owned()).or_default();
                let ends = out.entry(kind.to_owned()).or_default();
                ends.extend(graph.labels(to).into_iter().map(str::to_owned));
            }
            for to in graph.labels(to) {
                schema
                    .into
                    .entry(to.to_owned())
                    .or_default()
                    .insert(kind.to_owned());
            }
            if link < LOOKED_AT {
                schema
                    .link_keys
                    .extend(graph.link_keys(link).iter().map(ToString::to_string));
            }
        }
        schema
    }
}
