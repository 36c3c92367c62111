//! Ways in: how the outside comes to hold its first position, one for each technique and workload.
//!
//! **Trap.** A way is looked at alone by taking the steps of all others out of the graph. What needs two ways
//! together is then out of reach; [`super::findings`] looks for that with all ways open.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::names::lasting;
use crate::graph::{AttackGraph, Rows, StepId, VertexId};
use crate::model::Cluster;
use crate::paths::{Premises, Reach};
use crate::techniques::{Position, Technique};

/// One way in.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The lasting name of what is entered.
    pub(super) entry: String,
    /// How.
    pub(super) technique: &'static Technique,
    /// The steps that do it, one for each pod.
    pub(super) steps: Vec<StepId>,
    /// How many positions they give: the pods of the workload.
    pub(super) places: usize,
}

/// Every way in, and which of them each step belongs to.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// The ways, sorted by effort, then by name.
    pub(super) all: Vec<Way>,
    /// The way of a step that is part of one.
    pub(super) of: FxHashMap<StepId, usize>,
}

impl Ways {
    /// Finds the ways in of someone who holds the starts.
    ///
    /// # Complexity
    /// Linear in the graph.
    pub(super) fn new(graph: &AttackGraph, rows: &Rows, starts: &[VertexId], cluster: &Cluster) -> Self {
        let is_attack = |step: StepId| graph.step(step).reason.technique().is_some();
        let before = Reach::new(&rows.without(is_attack), starts, Premises::Max);
        let mut found = BTreeMap::<(u8, String, &str), Way>::new();
        for (number, step) in (0..).zip(graph.steps()) {
            let (Some(technique), conclusion) = (step.reason.technique(), rows.conclusion(number)) else {
                continue;
            };
            let can = rows
                .premises(number)
                .iter()
                .all(|&premise| before.is_held(premise));
            if !can || before.is_held(conclusion) {
                continue;
            }
            let entry = lasting(&step.conclusion, cluster);
            let way = found
                .entry((technique.effort, entry.clone(), technique.id))
                .or_insert_with(|| Way {
                    entry,
                    technique,
                    steps: Vec::new(),
                    places: 0,
                });
            way.steps.push(number);
        }
        let mut ways = Self {
            all: found.into_values().collect(),
            of: FxHashMap::default(),
        };
        for (index, way) in ways.all.iter_mut().enumerate() {
            ways.of.extend(way.steps.iter().map(|&step| (step, index)));
            let mut places: Vec<String> = way
                .steps
                .iter()
                .map(|&step| match &graph.step(step).conclusion {
                    Position::Container(pod, _) => Position::Pod(pod.clone()).to_string(),
                    other => other.to_string(),
                })
                .collect();
            places.sort_unstable();
            places.dedup();
            way.places = places.len();
        }
        ways
    }

    /// Returns the graph in which this is the only way in.
    pub(super) fn alone(&self, way: usize, rows: &Rows) -> Rows {
        rows.without(|step| self.of.get(&step).is_some_and(|&other| other != way))
    }
}
