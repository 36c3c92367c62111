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
    /// Ids of nodes, in the order of [`Schema::starting`].
    pub(super) ids: Vec<String>,
    /// Values of other properties that identify nodes, each once, in the same order.
    pub(super) values: BTreeMap<&'static str, Vec<String>>,
}

/// Properties of nodes whose values are worth completing, their ids aside.
const COMPLETED: [&str; 3] = ["kind", "name", "namespace"];

/// Relationships whose properties are looked at for their names.
const LOOKED_AT: u32 = 1_000;

impl Schema {
    pub(super) fn new(graph: &dyn Graph) -> Self {
        let mut schema = Self::default();
        let mut values = COMPLETED.map(|_| BTreeSet::new());
        for node in 0..graph.nodes() {
            for label in graph.labels(node) {
                *schema.labels.entry(label.to_owned()).or_default() += 1;
            }
            if let Value::Text(id) = graph.node_property(node, "id") {
                schema.ids.push(id.to_string());
            }
            for (key, values) in COMPLETED.iter().zip(&mut values) {
                if let Value::Text(value) = graph.node_property(node, key) {
                    values.insert(value);
                }
            }
            if node < LOOKED_AT {
                schema
                    .node_keys
                    .extend(graph.node_keys(node).iter().map(ToString::to_string));
            }
        }
        in_order(&mut schema.ids);
        for (key, values) in COMPLETED.into_iter().zip(values) {
            let mut values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
            in_order(&mut values);
            schema.values.insert(key, values);
        }
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

    /// Values of a property that begin with a text, whatever its letter case.
    ///
    /// # Complexity
    /// Logarithmic in all values for the first, so that a keystroke in a large graph is not felt.
    pub(super) fn starting<'s>(&'s self, key: &str, part: &str) -> impl Iterator<Item = &'s String> {
        let all = match key {
            "id" => self.ids.as_slice(),
            key => self.values.get(key).map_or(&[][..], Vec::as_slice),
        };
        let lower = part.to_lowercase();
        let from = all.partition_point(|one| one.to_lowercase() < lower);
        let rest = all.get(from..).unwrap_or_default().iter();
        rest.take_while(move |one| one.to_lowercase().starts_with(&lower))
    }
}

/// Sorts by letters, whatever their case.
fn in_order(values: &mut [String]) {
    values.sort_by_cached_key(|value| value.to_lowercase());
}
