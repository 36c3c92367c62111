//! The attack graph as a property graph: positions are nodes, steps are relationships.
//!
//! A step with several premises is one relationship from each premise to the conclusion, with the number of premises
//! as its property `requires`.
//!
//! **Trap.** Such a relationship alone proves nothing: a search for paths follows it only if the solver holds every
//! premise from where the path begins. Properties are made when they are asked for; the graph has no copy of them.

mod derive;
mod procedures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;

use super::data::{Graph, Held};
use super::procedure::Procedure;
use super::value::{LinkId, NodeId, PathValue, Value};
use crate::graph::{AttackGraph, Rows, StepId};
use crate::model::Cluster;
use crate::paths::{Premises, Reach, Solver};
use crate::rbac::Identity;
use crate::techniques::{Facts, Position, Step};

/// Properties of nodes.
const NODE_KEYS: &[&str] = &["container", "id", "kind", "name", "namespace", "port", "protocol"];
/// Properties of relationships.
const LINK_KEYS: &[&str] = &[
    "certainty",
    "condition",
    "cost",
    "effort",
    "evidence",
    "family",
    "mitre",
    "requires",
    "title",
];

/// The attack graph, ready to be queried.
#[derive(Debug)]
pub struct AttackView<'a> {
    graph: &'a AttackGraph,
    rows: &'a Rows,
    positions: Vec<&'a Position>,
    /// Of a relationship: its step and the premise it begins at.
    links: Vec<(StepId, NodeId)>,
    outgoing: Lists,
    incoming: Lists,
    by_label: BTreeMap<&'static str, Vec<NodeId>>,
    by_id: FxHashMap<String, NodeId>,
    /// How many relationships have a type.
    by_type: BTreeMap<&'static str, u64>,
    has_joint: bool,
    /// What the graph was made of, for procedures that ask that.
    cluster: Option<(&'a Cluster, &'a Facts)>,
    /// The solver that was asked last, and the starts that it is for.
    solver: Mutex<Option<(Vec<NodeId>, Arc<Solver<'a>>)>>,
}

/// Numbers of relationships by node, one list after the other.
#[derive(Debug)]
struct Lists {
    first: Vec<u32>,
    items: Vec<LinkId>,
    /// Of each item: the node at the other end.
    others: Vec<NodeId>,
}

impl Lists {
    /// `ends` are of each relationship the node that it is listed at, and the other one.
    fn new(nodes: usize, ends: impl Iterator<Item = (NodeId, NodeId)> + Clone) -> Self {
        let mut first = vec![0_u32; nodes + 1];
        let mut count = 0;
        for (key, _) in ends.clone() {
            first[key as usize + 1] += 1;
            count += 1;
        }
        for index in 0..nodes {
            first[index + 1] += first[index];
        }
        let mut next = first.clone();
        let mut items = vec![0; count];
        let mut others = vec![0; count];
        for (link, (key, other)) in (0..).zip(ends) {
            let place = &mut next[key as usize];
            items[*place as usize] = link;
            others[*place as usize] = other;
            *place += 1;
        }
        Self { first, items, others }
    }

    fn at(&self, node: NodeId, index: usize) -> Option<(LinkId, NodeId)> {
        let (begin, end) = (self.first[node as usize], self.first[node as usize + 1]);
        let place = begin as usize + index;
        (place < end as usize).then(|| (self.items[place], self.others[place]))
    }

    fn get(&self, node: NodeId) -> &[LinkId] {
        let node = node as usize;
        &self.items[self.first[node] as usize..self.first[node + 1] as usize]
    }
}

impl<'a> AttackView<'a> {
    /// Prepares a graph for queries; `rows` are those of `graph`.
    ///
    /// # Complexity
    /// Linear in positions, steps and premises.
    pub fn new(graph: &'a AttackGraph, rows: &'a Rows) -> Self {
        let positions: Vec<&Position> = graph.positions().collect();
        let mut links = Vec::new();
        for (step, _) in (0..).zip(graph.steps()) {
            links.extend(rows.premises(step).iter().map(|premise| (step, *premise)));
        }
        let mut by_type: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut has_joint = false;
        for (step, own) in (0..).zip(graph.steps()) {
            let premises = rows.premises(step).len();
            *by_type.entry(own.reason.label()).or_default() += premises as u64;
            has_joint |= premises > 1;
        }
        let mut by_label: BTreeMap<&'static str, Vec<NodeId>> = BTreeMap::new();
        let mut by_id = FxHashMap::default();
        for (node, position) in (0..).zip(&positions) {
            by_label.entry(position.label().as_str()).or_default().push(node);
            by_id.entry(position.to_string()).or_insert(node);
        }
        Self {
            outgoing: Lists::new(
                positions.len(),
                links
                    .iter()
                    .map(|(step, premise)| (*premise, rows.conclusion(*step))),
            ),
            incoming: Lists::new(
                positions.len(),
                links
                    .iter()
                    .map(|(step, premise)| (rows.conclusion(*step), *premise)),
            ),
            graph,
            rows,
            positions,
            links,
            by_label,
            by_id,
            by_type,
            has_joint,
            cluster: None,
            solver: Mutex::default(),
        }
    }

    /// Lets procedures ask the cluster that the graph was made of: who may do what, who reaches whom.
    #[must_use]
    pub fn with_cluster(self, cluster: &'a Cluster, facts: &'a Facts) -> Self {
        Self {
            cluster: Some((cluster, facts)),
            ..self
        }
    }

    /// The number of the step that a relationship belongs to.
    ///
    /// # Panics
    /// If the graph has no such relationship.
    pub fn step_id(&self, link: LinkId) -> StepId {
        self.links[link as usize].0
    }

    /// The step that a relationship belongs to.
    ///
    /// # Panics
    /// If the graph has no such relationship.
    pub fn step_of(&self, link: LinkId) -> &'a Step {
        self.graph.step(self.links[link as usize].0)
    }
}

/// What a position is called within its namespace.
fn name(position: &Position) -> String {
    let id = position.to_string();
    match position {
        Position::Port(place, port, protocol) => format!("{}:{port}/{protocol}", place.name),
        Position::Container(_, name) | Position::Identity(Identity::ServiceAccount { name, .. }) => {
            name.to_string()
        }
        Position::Pod(place)
        | Position::Secret(place)
        | Position::SecretKey(place, _)
        | Position::ConfigMap(place)
        | Position::ConfigMapKey(place, _)
        | Position::Volume(place)
        | Position::Database(place) => place.name.to_string(),
        Position::Credential(_) | Position::Grant(..) | Position::Identity(_) => id
            .split_once('/')
            .map_or_else(|| id.clone(), |(_, rest)| rest.to_owned()),
        _ => id.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

fn text(text: impl AsRef<str>) -> Value {
    Value::text(text.as_ref())
}

impl Graph for AttackView<'_> {
    fn nodes(&self) -> NodeId {
        NodeId::try_from(self.positions.len()).unwrap_or(NodeId::MAX)
    }

    fn links(&self) -> LinkId {
        LinkId::try_from(self.links.len()).unwrap_or(LinkId::MAX)
    }

    fn labels(&self, node: NodeId) -> Vec<&str> {
        vec![self.positions[node as usize].label().as_str()]
    }

    fn has_label(&self, node: NodeId, label: &str) -> bool {
        self.positions[node as usize].label().as_str() == label
    }

    fn link_type(&self, link: LinkId) -> &str {
        self.step_of(link).reason.label()
    }

    fn ends(&self, link: LinkId) -> (NodeId, NodeId) {
        let (step, premise) = self.links[link as usize];
        (premise, self.rows.conclusion(step))
    }

    fn outgoing(&self, node: NodeId) -> &[LinkId] {
        self.outgoing.get(node)
    }

    fn incoming(&self, node: NodeId) -> &[LinkId] {
        self.incoming.get(node)
    }

    fn next(&self, node: NodeId, index: usize) -> Option<(LinkId, NodeId)> {
        self.outgoing.at(node, index)
    }

    fn previous(&self, node: NodeId, index: usize) -> Option<(LinkId, NodeId)> {
        self.incoming.at(node, index)
    }

    fn node_property(&self, node: NodeId, key: &str) -> Value {
        let position = self.positions[node as usize];
        match (key, position) {
            ("id", _) => text(position.to_string()),
            ("name", Position::Pod(place)) => Value::Text(place.name.shared()),
            ("name", _) => text(name(position)),
            ("namespace", _) => position
                .namespace()
                .map_or(Value::Null, |name| Value::Text(name.shared())),
            ("kind", Position::Identity(_)) => {
                let id = position.to_string();
                text(id.split('/').next().unwrap_or_default())
            }
            ("container", Position::Container(_, name)) => text(&**name),
            ("port", Position::Port(_, port, _)) => Value::Int(i64::from(*port)),
            ("protocol", Position::Port(_, _, protocol)) => text(protocol.to_string()),
            _ => Value::Null,
        }
    }

    fn link_property(&self, link: LinkId, key: &str) -> Value {
        if matches!(key, "cost" | "effort") {
            // Of the rows, which the searches read too: a step is much larger.
            return Value::Int(i64::from(self.effort(link)));
        }
        let step = self.step_of(link);
        match key {
            "certainty" => text(step.certainty.as_str()),
            "condition" => step
                .certainty
                .condition()
                .map_or(Value::Null, |condition| text(&**condition)),
            "family" => text(step.reason.family().as_str()),
            "title" => step
                .reason
                .technique()
                .map_or(Value::Null, |technique| text(technique.title)),
            "mitre" => match step.reason.technique() {
                Some(technique) => Value::list(technique.mitre.iter().map(text).collect()),
                None => Value::Null,
            },
            "evidence" => Value::list(step.evidence.iter().map(|fact| text(fact.to_string())).collect()),
            "requires" => {
                let premises = self.rows.premises(self.links[link as usize].0).len();
                Value::Int(i64::try_from(premises).unwrap_or(i64::MAX))
            }
            _ => Value::Null,
        }
    }

    fn node_keys(&self, node: NodeId) -> Vec<Arc<str>> {
        let keys = NODE_KEYS
            .iter()
            .filter(|key| !self.node_property(node, key).is_null());
        keys.map(|key| Arc::from(*key)).collect()
    }

    fn link_keys(&self, link: LinkId) -> Vec<Arc<str>> {
        let keys = LINK_KEYS
            .iter()
            .filter(|key| !self.link_property(link, key).is_null());
        keys.map(|key| Arc::from(*key)).collect()
    }

    fn with_label(&self, label: &str) -> Option<&[NodeId]> {
        Some(self.by_label.get(label).map_or(&[], Vec::as_slice))
    }

    fn with_property(&self, key: &str, value: &Value) -> Option<Vec<NodeId>> {
        match (key, value) {
            ("id", Value::Text(id)) => Some(self.by_id.get(&**id).copied().into_iter().collect()),
            _ => None,
        }
    }

    fn known_labels(&self) -> Vec<&str> {
        self.by_label.keys().copied().collect()
    }

    fn known_types(&self) -> Vec<&str> {
        self.by_type.keys().copied().collect()
    }

    fn count_of_type(&self, name: &str) -> u64 {
        self.by_type.get(name).copied().unwrap_or_default()
    }

    fn known_keys(&self) -> BTreeSet<Arc<str>> {
        NODE_KEYS
            .iter()
            .chain(LINK_KEYS)
            .map(|key| Arc::from(*key))
            .collect()
    }

    fn procedures(&self) -> &[Procedure] {
        &procedures::PROCEDURES
    }

    fn call(
        &self,
        procedure: &str,
        arguments: &[Value],
        emit: &mut dyn FnMut(&[Value]) -> bool,
    ) -> Result<(), String> {
        self.answer(procedure, arguments, emit)
    }

    fn path_cost(&self, path: &PathValue) -> Option<Value> {
        self.derived_cost(path)
    }

    fn cheapest(&self, from: NodeId, to: NodeId) -> Option<PathValue> {
        let solver = self.solver(&[from]);
        let derivation = solver.cheapest(to, 1).into_iter().next()?;
        Some(self.chain(&derivation))
    }

    fn has_joint(&self) -> bool {
        self.has_joint
    }

    fn is_joint(&self, link: LinkId) -> bool {
        self.rows.premises(self.links[link as usize].0).len() > 1
    }

    fn held_from(&self, node: NodeId) -> Option<Held> {
        let reach = Reach::new(self.rows, &[node], Premises::Max);
        let mut held = FixedBitSet::with_capacity(self.positions.len());
        held.extend(
            (0..self.nodes())
                .filter(|node| reach.is_held(*node))
                .map(|node| node as usize),
        );
        Some(Held(Arc::new(held)))
    }

    fn is_open(&self, link: LinkId, held: &Held) -> bool {
        let premises = self.rows.premises(self.links[link as usize].0);
        premises.iter().all(|premise| held.contains(*premise))
    }
}
