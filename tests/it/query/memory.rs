//! A small property graph for tests of the query language.
//!
//! **Trap.** It has no index unless it is given one, and loses it when something is added; the attack graph has some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beachhead::paths::Stop;
use beachhead::query::{Column, Graph, LinkId, NodeId, Procedure, Value};

type Properties = BTreeMap<Arc<str>, Value>;

/// Nodes and relationships as they were added.
#[derive(Default)]
pub(crate) struct Memory {
    nodes: Vec<(Vec<String>, Properties)>,
    links: Vec<(NodeId, String, NodeId, Properties)>,
    outgoing: Vec<Vec<(LinkId, NodeId)>>,
    incoming: Vec<Vec<(LinkId, NodeId)>>,
    procedures: Vec<Procedure>,
    /// Of each procedure: arguments and results in one row.
    results: Vec<Vec<Vec<Value>>>,
    index: Option<Index>,
}

/// Nodes by label and by property.
struct Index {
    labels: BTreeMap<String, Vec<NodeId>>,
    columns: BTreeMap<Arc<str>, Column>,
}

fn properties(given: &[(&str, Value)]) -> Properties {
    given
        .iter()
        .map(|(key, value)| (Arc::from(*key), value.clone()))
        .collect()
}

impl Memory {
    pub(crate) fn node(&mut self, labels: &[&str], given: &[(&str, Value)]) -> NodeId {
        self.index = None;
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.nodes.push((labels, properties(given)));
        self.outgoing.push(Vec::new());
        self.incoming.push(Vec::new());
        NodeId::try_from(self.nodes.len() - 1).unwrap()
    }

    /// Gives the graph what the attack graph has: nodes by label, and a column of each property.
    pub(crate) fn index(&mut self) {
        let mut labels = BTreeMap::<String, Vec<NodeId>>::new();
        for node in 0..self.nodes() {
            for label in self.labels(node) {
                labels.entry(label.to_owned()).or_default().push(node);
            }
        }
        let keys: BTreeSet<Arc<str>> = (0..self.nodes()).flat_map(|node| self.node_keys(node)).collect();
        let values = |key: &str| -> Vec<Value> {
            (0..self.nodes())
                .map(|node| self.node_property(node, key))
                .collect()
        };
        let columns = keys
            .iter()
            .map(|key| (Arc::clone(key), Column::new(values(key).into_iter())));
        let columns = columns.collect();
        self.index = Some(Index { labels, columns });
    }

    /// Adds a procedure that gives the results of those rows whose arguments are the ones of the call.
    pub(crate) fn procedure(&mut self, procedure: Procedure, rows: Vec<Vec<Value>>) {
        self.procedures.push(procedure);
        self.results.push(rows);
    }

    pub(crate) fn link(&mut self, from: NodeId, name: &str, to: NodeId, given: &[(&str, Value)]) -> LinkId {
        let link = LinkId::try_from(self.links.len()).unwrap();
        self.links.push((from, name.to_owned(), to, properties(given)));
        self.outgoing[from as usize].push((link, to));
        self.incoming[to as usize].push((link, from));
        link
    }
}

impl Graph for Memory {
    fn nodes(&self) -> NodeId {
        NodeId::try_from(self.nodes.len()).unwrap()
    }

    fn links(&self) -> LinkId {
        LinkId::try_from(self.links.len()).unwrap()
    }

    fn labels(&self, node: NodeId) -> Vec<&str> {
        self.nodes[node as usize].0.iter().map(String::as_str).collect()
    }

    fn link_type(&self, link: LinkId) -> &str {
        &self.links[link as usize].1
    }

    fn ends(&self, link: LinkId) -> (NodeId, NodeId) {
        let (from, _, to, _) = &self.links[link as usize];
        (*from, *to)
    }

    fn outgoing(&self, node: NodeId) -> &[(LinkId, NodeId)] {
        &self.outgoing[node as usize]
    }

    fn incoming(&self, node: NodeId) -> &[(LinkId, NodeId)] {
        &self.incoming[node as usize]
    }

    fn node_property(&self, node: NodeId, key: &str) -> Value {
        self.nodes[node as usize]
            .1
            .get(key)
            .cloned()
            .unwrap_or(Value::Null)
    }

    fn link_property(&self, link: LinkId, key: &str) -> Value {
        self.links[link as usize]
            .3
            .get(key)
            .cloned()
            .unwrap_or(Value::Null)
    }

    fn node_keys(&self, node: NodeId) -> Vec<Arc<str>> {
        self.nodes[node as usize].1.keys().cloned().collect()
    }

    fn link_keys(&self, link: LinkId) -> Vec<Arc<str>> {
        self.links[link as usize].3.keys().cloned().collect()
    }

    fn with_label(&self, label: &str) -> Option<&[NodeId]> {
        let index = self.index.as_ref()?;
        Some(index.labels.get(label).map_or(&[], Vec::as_slice))
    }

    fn has_column(&self, key: &str) -> bool {
        self.column(key).is_some()
    }

    fn column(&self, key: &str) -> Option<&Column> {
        self.index.as_ref()?.columns.get(key)
    }

    fn known_labels(&self) -> Vec<&str> {
        self.nodes
            .iter()
            .flat_map(|(labels, _)| labels)
            .map(String::as_str)
            .collect()
    }

    fn procedures(&self) -> &[Procedure] {
        &self.procedures
    }

    fn call(
        &self,
        procedure: &str,
        arguments: &[Value],
        _stop: Stop<'_>,
        emit: &mut dyn FnMut(&[Value]) -> bool,
    ) -> Result<(), String> {
        let known = self.procedures.iter().zip(&self.results);
        for row in known
            .filter(|(known, _)| known.name == procedure)
            .flat_map(|(_, rows)| rows)
        {
            let (given, results) = row.split_at(arguments.len());
            let is_same = |(left, right): (&Value, &Value)| left.order(right).is_eq();
            if given.iter().zip(arguments).all(is_same) && !emit(results) {
                break;
            }
        }
        Ok(())
    }

    fn known_types(&self) -> Vec<&str> {
        self.links.iter().map(|(_, name, ..)| name.as_str()).collect()
    }
}
