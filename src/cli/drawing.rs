//! Rows of a query as steps to draw: for `graph --query`, for `query --format dot|svg` and for `:viz`.
//!
//! **Trap.** A relationship of a row is a whole step, with everything else that the step needs; a step between nodes of
//! the rows counts only if all it needs is among them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;

use crate::draw::Diagram;
use crate::graph::StepId;
use crate::query::{AttackView, Graph as _, LinkId, NodeId, Table, Value};
use crate::techniques::{Position, Step};

/// What is in some values.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) links: BTreeSet<LinkId>,
    pub(super) nodes: BTreeSet<NodeId>,
}

impl Parts {
    /// The nodes and relationships in values, in their lists, maps and paths.
    pub(super) fn of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut parts = Self::default();
        let mut open: Vec<&Value> = values.into_iter().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::Node(node) => {
                    parts.nodes.insert(*node);
                }
                Value::Link(link) => {
                    parts.links.insert(*link);
                }
                Value::Path(path) => {
                    parts.nodes.extend(&path.nodes);
                    parts.links.extend(&path.links);
                }
                Value::List(items) => open.extend(items.iter()),
                Value::Map(entries) => open.extend(entries.values()),
                _ => {}
            }
        }
        parts
    }
}

/// The steps of a result: its relationships and paths, and what leads from its nodes to its nodes.
pub(super) fn steps<'a>(table: &Table, view: &AttackView<'a>) -> BTreeMap<StepId, &'a Step> {
    let parts = Parts::of(table.rows.iter().flatten());
    let mut between = BTreeMap::<StepId, (&Step, BTreeSet<NodeId>)>::new();
    for node in &parts.nodes {
        for (link, to) in view.outgoing(*node) {
            if parts.nodes.contains(to) {
                let (_, held) = between
                    .entry(view.step_id(*link))
                    .or_insert_with(|| (view.step_of(*link), BTreeSet::new()));
                held.insert(*node);
            }
        }
    }
    let is_whole = |step: &Step, held: &BTreeSet<NodeId>| {
        let needed: BTreeSet<&Position> = step.premises.iter().collect();
        needed.len() == held.len()
    };
    let links = parts
        .links
        .iter()
        .map(|link| (view.step_id(*link), view.step_of(*link)));
    let whole = between
        .into_iter()
        .filter(|(_, (step, held))| is_whole(step, held));
    links
        .chain(whole.map(|(number, (step, _))| (number, step)))
        .collect()
}

/// The picture of a result; where its steps begin and end stands out.
pub(super) fn diagram(table: &Table, view: &AttackView<'_>) -> anyhow::Result<Diagram> {
    let steps: Vec<&Step> = steps(table, view).into_values().collect();
    if steps.is_empty() {
        bail!(
            "the rows hold no relationship, no path and no nodes that a step joins; return one: \
             MATCH p = (a)-[]->(b) RETURN p"
        );
    }
    let (entries, jewels) = ends(&steps);
    Ok(Diagram::of_attacks(&steps, &entries, &jewels))
}

/// Positions that steps begin at and none leads to, and those that none begins at.
pub(super) fn ends(steps: &[&Step]) -> (BTreeSet<Position>, BTreeSet<Position>) {
    let begins: BTreeSet<&Position> = steps.iter().flat_map(|step| &step.premises).collect();
    let ends: BTreeSet<&Position> = steps.iter().map(|step| &step.conclusion).collect();
    let only = |left: &BTreeSet<&Position>, right: &BTreeSet<&Position>| {
        left.difference(right)
            .map(|position| (*position).clone())
            .collect()
    };
    (only(&begins, &ends), only(&ends, &begins))
}
