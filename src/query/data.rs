//! What a query reads: nodes and relationships with labels, types and properties.
//!
//! **Trap.** Numbers of nodes and relationships are dense from 0 and never change while a query runs.

use std::sync::Arc;

use super::value::{LinkId, NodeId, Value};

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

    /// The relationships that begin at a node, in order.
    fn outgoing(&self, node: NodeId) -> &[LinkId];

    /// The relationships that end at a node, in order.
    fn incoming(&self, node: NodeId) -> &[LinkId];

    /// A property of a node; null if it has none of this name.
    fn node_property(&self, node: NodeId, key: &str) -> Value;

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

    /// The nodes whose property has this value, in order, if the graph has an index of that property.
    fn with_property(&self, _key: &str, _value: &Value) -> Option<Vec<NodeId>> {
        None
    }

    /// All labels, for suggestions.
    fn known_labels(&self) -> Vec<&str>;

    /// All types, for suggestions.
    fn known_types(&self) -> Vec<&str>;

    /// Whether a relationship can be followed only together with others.
    fn is_joint(&self, _link: LinkId) -> bool {
        false
    }

    /// The nodes that someone holds who holds this one, by number, if the graph has joint relationships.
    fn held_from(&self, _node: NodeId) -> Option<Held> {
        None
    }

    /// Whether all that a relationship needs is held.
    fn is_open(&self, _link: LinkId, _held: &Held) -> bool {
        true
    }
}

/// A set of nodes.
#[derive(Clone, Debug)]
pub struct Held(pub(crate) Arc<fixedbitset::FixedBitSet>);

impl Held {
    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(node as usize)
    }
}
