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
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::column::Column;
use super::data::{Graph, Held};
use super::procedure::Procedure;
use super::value::{LinkId, NodeId, PathValue, Value};
use crate::graph::{AttackGraph, Rows, StepId};
use crate::model::Cluster;
use crate::paths::{Closures, LedTo, Solver, Stop};
use crate::rbac::Identity;
use crate::techniques::{Facts, Label, Position, Step};

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

/// The place of a property of nodes among all.
fn place(key: &str) -> Option<usize> {
    NODE_KEYS.iter().position(|known| *known == key)
}

/// The attack graph, ready to be queried.
#[derive(Debug)]
pub struct AttackView<'a> {
    graph: &'a AttackGraph,
    rows: &'a Rows,
    positions: Vec<&'a Position>,
    /// Of each node: its label, as positions are large and lie far from each other.
    labels: Vec<Label>,
    /// Of a relationship: its step and the premise it begins at.
    links: Vec<(StepId, NodeId)>,
    /// Of each relationship: the number of its type among those of `by_type`.
    types: Vec<u16>,
    outgoing: Lists,
    incoming: Lists,
    by_label: BTreeMap<&'static str, Vec<NodeId>>,
    /// Of each property of nodes, in the order of their names: its values, once they were asked for.
    columns: [OnceLock<Column>; NODE_KEYS.len()],
    /// How many relationships have a type, by name.
    by_type: IndexMap<&'static str, u64, FxBuildHasher>,
    has_joint: bool,
    /// What the graph was made of, for procedures that ask that.
    cluster: Option<(&'a Cluster, &'a Facts)>,
    /// The solver that was asked last, and the starts that it is for.
    solver: Mutex<Option<(Vec<NodeId>, Arc<Solver<'a>>)>>,
    /// How often it was asked what is held, and what tells that fast once it was asked more than a few times.
    asked: AtomicU32,
    closures: OnceLock<Closures<'a>>,
}

/// So many questions what is held are answered one by one, as preparing for more takes longer.
const ALONE: u32 = 4;

/// Numbers of relationships by node, one list after the other.
#[derive(Debug)]
struct Lists {
    first: Vec<u32>,
    /// Each with the node at the other end.
    items: Vec<(LinkId, NodeId)>,
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
        let mut items = vec![(0, 0); count];
        for (link, (key, other)) in (0..).zip(ends) {
            let place = &mut next[key as usize];
            items[*place as usize] = (link, other);
            *place += 1;
        }
        Self { first, items }
    }

    fn get(&self, node: NodeId) -> &[(LinkId, NodeId)] {
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
        let mut by_type: IndexMap<&'static str, u64, FxBuildHasher> = IndexMap::default();
        let mut types = Vec::with_capacity(links.len());
        let mut has_joint = false;
        for (step, own) in (0..).zip(graph.steps()) {
            let premises = rows.premises(step).len();
            let entry = by_type.entry(own.reason.label());
            let number = u16::try_from(entry.index()).unwrap_or(u16::MAX);
            *entry.or_default() += premises as u64;
            types.extend(std::iter::repeat_n(number, premises));
            has_joint |= premises > 1;
        }
        let labels: Vec<Label> = positions.iter().map(|position| position.label()).collect();
        let mut by_label: BTreeMap<&'static str, Vec<NodeId>> = BTreeMap::new();
        for (node, label) in (0..).zip(&labels) {
            by_label.entry(label.as_str()).or_default().push(node);
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
            labels,
            links,
            types,
            by_label,
            columns: Default::default(),
            by_type,
            has_joint,
            cluster: None,
            solver: Mutex::default(),
            asked: AtomicU32::new(0),
            closures: OnceLock::new(),
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
        vec![self.labels[node as usize].as_str()]
    }

    fn has_label(&self, node: NodeId, label: &str) -> bool {
        self.labels[node as usize].as_str() == label
    }

    fn link_type(&self, link: LinkId) -> &str {
        let known = self.by_type.get_index(self.types[link as usize].into());
        known.map_or("", |(name, _)| name)
    }

    fn ends(&self, link: LinkId) -> (NodeId, NodeId) {
        let (step, premise) = self.links[link as usize];
        (premise, self.rows.conclusion(step))
    }

    fn outgoing(&self, node: NodeId) -> &[(LinkId, NodeId)] {
        self.outgoing.get(node)
    }

    fn incoming(&self, node: NodeId) -> &[(LinkId, NodeId)] {
        self.incoming.get(node)
    }

    fn fetch(&self, nodes: &mut dyn Iterator<Item = NodeId>, outgoing: bool) {
        let lists = if outgoing { &self.outgoing } else { &self.incoming };
        for node in nodes {
            // Nothing waits for what is read here, so that the next reads need not wait for it either.
            black_box(lists.get(node).first().copied());
        }
    }

    fn node_property(&self, node: NodeId, key: &str) -> Value {
        if let Some(column) = place(key).and_then(|at| self.columns[at].get()) {
            return column.value(node).clone();
        }
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

    fn node_text(&self, node: NodeId, key: &str) -> Option<&str> {
        match (key, self.positions[node as usize]) {
            ("name", Position::Pod(place)) => Some(&place.name),
            ("namespace", position) => position.namespace().map(|name| &**name),
            _ => None,
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

    fn has_column(&self, key: &str) -> bool {
        place(key).is_some()
    }

    fn has_made_column(&self, key: &str) -> bool {
        place(key).is_some_and(|place| self.columns[place].get().is_some())
    }

    fn column(&self, key: &str) -> Option<&Column> {
        let column = &self.columns[place(key)?];
        let values = || (0..self.nodes()).map(|node| self.node_property(node, key));
        Some(column.get_or_init(|| Column::new(values())))
    }

    fn known_labels(&self) -> Vec<&str> {
        self.by_label.keys().copied().collect()
    }

    fn known_types(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.by_type.keys().copied().collect();
        names.sort_unstable();
        names
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
        stop: Stop<'_>,
        emit: &mut dyn FnMut(&[Value]) -> bool,
    ) -> Result<(), String> {
        self.answer(procedure, arguments, stop, emit)
    }

    fn path_cost(&self, path: &PathValue, stop: Stop<'_>) -> Option<Value> {
        self.derived_cost(path, stop)
    }

    fn least_cost(&self, from: NodeId, to: NodeId, stop: Stop<'_>) -> u32 {
        let solver = self.solver(&[from], stop);
        solver.map_or(0, |solver| solver.least(to).effort())
    }

    fn cheapest(&self, from: NodeId, to: NodeId, stop: Stop<'_>) -> Option<PathValue> {
        let solver = self.solver(&[from], stop)?;
        let derivation = solver.cheapest_unless(to, 1, stop).into_iter().next()?;
        (!stop()).then(|| self.chain(&derivation))
    }

    fn has_joint(&self) -> bool {
        self.has_joint
    }

    fn is_joint(&self, link: LinkId) -> bool {
        self.rows.premises(self.links[link as usize].0).len() > 1
    }

    fn needs_a_start(&self, link: LinkId) -> bool {
        let (step, premise) = self.links[link as usize];
        let is_given = |other: &NodeId| *other != premise && self.rows.steps_to(*other).is_empty();
        self.rows.premises(step).iter().any(is_given)
    }

    fn held_from(&self, node: NodeId, stop: Stop<'_>) -> Option<Held> {
        let held = match self.closures.get() {
            None if self.asked.fetch_add(1, Ordering::Relaxed) < ALONE => self.reached_from(node, stop),
            _ => self.closures(stop).and_then(|closures| closures.held(node, stop)),
        };
        Some(Held(held.unwrap_or_default()))
    }

    fn led_to(&self, node: NodeId, stop: Stop<'_>) -> Option<LedTo> {
        LedTo::new(self.rows, node, stop)
    }

    fn is_open(&self, link: LinkId, held: &Held) -> bool {
        let premises = self.rows.premises(self.links[link as usize].0);
        premises.iter().all(|premise| held.contains(*premise))
    }
}
