//! What a query reads: nodes and relationships with labels, types and properties.
//!
//! **Trap.** Numbers of nodes and relationships are dense from 0 and never change while a query runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::column::Column;
use super::procedure::Procedure;
use super::value::{LinkId, NodeId, PathValue, Value};
use crate::paths::{LedTo, Stop};

/// A property graph that queries read.
pub trait Graph {
    /// How many nodes there are.
    fn nodes(&self) -> NodeId;

    /// How many relationships there are.
    fn links(&self) -> LinkId;

    /// The labels of a node.
    fn labels(&self, node: NodeId) -> Vec<&str>;

    /// Whether a node has a label.
    fn has_label(&self, node: NodeId, label: &str) -> bool {
        self.labels(node).contains(&label)
    }

    /// The type of a relationship.
    fn link_type(&self, link: LinkId) -> &str;

    /// Where a relationship begins and ends.
    fn ends(&self, link: LinkId) -> (NodeId, NodeId);

    /// The relationships that begin at a node, in order, each with the node where it ends.
    fn outgoing(&self, node: NodeId) -> &[(LinkId, NodeId)];

    /// The relationships that end at a node, in order, each with the node where it begins.
    fn incoming(&self, node: NodeId) -> &[(LinkId, NodeId)];

    /// Lets the processor load the relationships that begin at these nodes, or end there, all at once instead of one
    /// after the other; for a graph that does not fit its caches.
    fn fetch(&self, _nodes: &mut dyn Iterator<Item = NodeId>, _outgoing: bool) {}

    /// A property of a node; null if it has none of this name.
    fn node_property(&self, node: NodeId, key: &str) -> Value;

    /// A property of a node, if it is a string that the graph can lend.
    fn node_text(&self, _node: NodeId, _key: &str) -> Option<&str> {
        None
    }

    /// A property of a relationship; null if it has none of this name.
    fn link_property(&self, link: LinkId, key: &str) -> Value;

    /// The names of a node's properties, sorted.
    fn node_keys(&self, node: NodeId) -> Vec<Arc<str>>;

    /// The names of a relationship's properties, sorted.
    fn link_keys(&self, link: LinkId) -> Vec<Arc<str>>;

    /// The nodes of a label, in order, if the graph keeps them together.
    fn with_label(&self, _label: &str) -> Option<&[NodeId]> {
        None
    }

    /// Whether the graph has a [`Column`] of a property of nodes.
    fn has_column(&self, _key: &str) -> bool {
        false
    }

    /// Whether that column is made.
    fn has_made_column(&self, _key: &str) -> bool {
        false
    }

    /// The values of a property of all nodes, if the graph has them as a column; it may be made by being asked for.
    fn column(&self, _key: &str) -> Option<&Column> {
        None
    }

    /// All labels, for suggestions.
    fn known_labels(&self) -> Vec<&str>;

    /// All types, for suggestions.
    fn known_types(&self) -> Vec<&str>;

    /// How many nodes have a label.
    fn count_of_label(&self, label: &str) -> u64 {
        match self.with_label(label) {
            Some(nodes) => nodes.len() as u64,
            None => (0..self.nodes())
                .filter(|node| self.has_label(*node, label))
                .count() as u64,
        }
    }

    /// How many relationships have a type.
    fn count_of_type(&self, name: &str) -> u64 {
        let links = (0..self.links()).filter(|link| self.link_type(*link) == name);
        links.count() as u64
    }

    /// The names of all properties.
    fn known_keys(&self) -> BTreeSet<Arc<str>> {
        let of_nodes = (0..self.nodes()).flat_map(|node| self.node_keys(node));
        let of_links = (0..self.links()).flat_map(|link| self.link_keys(link));
        of_nodes.chain(of_links).collect()
    }

    /// The procedures of this graph, beside those that every graph has.
    fn procedures(&self) -> &[Procedure] {
        &[]
    }

    /// Gives `emit` the rows of one of these procedures, until it says that no more are wanted.
    ///
    /// The arguments are as many as the procedure takes and of its types. It gives up soon after `stop` says so; what it
    /// gave until then is right.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    fn call(
        &self,
        _procedure: &str,
        _arguments: &[Value],
        _stop: Stop<'_>,
        _emit: &mut dyn FnMut(&[Value]) -> bool,
    ) -> Result<(), String> {
        Ok(())
    }

    /// What it takes to go along a path, if the graph knows that better than by the `cost` of each relationship; null
    /// soon after `stop` says so.
    fn path_cost(&self, _path: &PathValue, _stop: Stop<'_>) -> Option<Value> {
        None
    }

    /// What a path from one node to the other costs at least, if the graph knows; 0 soon after `stop` says so.
    fn least_cost(&self, _from: NodeId, _to: NodeId, _stop: Stop<'_>) -> u32 {
        0
    }

    /// A path along the arrows whose derivation costs the least, if the graph has joint relationships; none soon after
    /// `stop` says so.
    fn cheapest(&self, _from: NodeId, _to: NodeId, _stop: Stop<'_>) -> Option<PathValue> {
        None
    }

    /// Whether any relationship can be followed only together with others.
    fn has_joint(&self) -> bool {
        false
    }

    /// Whether a relationship can be followed only together with others.
    fn is_joint(&self, _link: LinkId) -> bool {
        false
    }

    /// Whether a relationship can be followed only by who begins with another node that it needs, as none leads there.
    fn needs_a_start(&self, _link: LinkId) -> bool {
        false
    }

    /// The nodes that someone holds who holds this one, by number, if the graph knows; soon after `stop` says so, none of
    /// them.
    fn held_from(&self, _node: NodeId, _stop: Stop<'_>) -> Option<Held> {
        None
    }

    /// From which nodes one can be held: from some for sure, from all but some not; if the graph knows. None, too, soon
    /// after `stop` says so.
    fn led_to(&self, _node: NodeId, _stop: Stop<'_>) -> Option<LedTo> {
        None
    }

    /// Whether all that a relationship needs is held.
    fn is_open(&self, _link: LinkId, _held: &Held) -> bool {
        true
    }
}

/// A set of nodes.
#[derive(Clone, Debug)]
pub struct Held(pub(crate) Arc<FixedBitSet>);

impl Held {
    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(node as usize)
    }
}
