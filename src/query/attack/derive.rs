//! Paths and derivations: what a path costs when everything it needs is counted, and the path through a derivation.
//!
//! **Trap.** A path is a chain and a derivation is not: where a step needs several things, the path goes along one of
//! them, and the others cost effort all the same.

use std::sync::{Arc, PoisonError};

use fixedbitset::FixedBitSet;
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::data::Graph as _;
use super::super::value::{LinkId, NodeId, PathValue, Value};
use super::AttackView;
use crate::graph::StepId;
use crate::paths::{Closures, Derivation, Premises, Reach, Solver, Stop};

impl<'a> AttackView<'a> {
    /// The solver for these starts, which are sorted; `None` soon after `stop` says so.
    pub(super) fn solver(&self, starts: &[NodeId], stop: Stop<'_>) -> Option<Arc<Solver<'a>>> {
        let mut last = self.solver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, solver)) = &*last
            && known == starts
        {
            return Some(Arc::clone(solver));
        }
        let solver = Arc::new(Solver::unless(self.graph, self.rows, starts, stop)?);
        *last = Some((starts.to_vec(), Arc::clone(&solver)));
        Some(solver)
    }

    /// What is held from one node, found by itself; `None` soon after `stop` says so.
    pub(super) fn reached_from(&self, node: NodeId, stop: Stop<'_>) -> Option<Arc<FixedBitSet>> {
        let reach = Reach::unless(self.rows, &[node], Premises::Max, stop)?;
        let mut held = FixedBitSet::with_capacity(self.positions.len());
        held.extend(
            (0..self.nodes())
                .filter(|node| reach.is_held(*node))
                .map(|node| node as usize),
        );
        Some(Arc::new(held))
    }

    /// What tells what is held from many nodes; `None` soon after `stop` says so.
    pub(super) fn closures(&self, stop: Stop<'_>) -> Option<&Closures<'a>> {
        if self.closures.get().is_none() {
            // Whoever was faster has made the same.
            let _ = self.closures.set(Closures::new(self.graph, self.rows, stop)?);
        }
        self.closures.get()
    }

    /// The relationship of a step that begins at a premise.
    fn link(&self, premise: NodeId, step: StepId) -> Option<LinkId> {
        let mut links = self.outgoing(premise).iter().map(|(link, _)| *link);
        links.find(|link| self.step_id(*link) == step)
    }

    /// The path to the target of a derivation, along that premise of each step which came last.
    pub(super) fn chain(&self, derivation: &Derivation) -> PathValue {
        let mut places: FxHashMap<NodeId, usize> = FxHashMap::default();
        for (place, step) in derivation.steps.iter().enumerate() {
            places.entry(self.rows.conclusion(*step)).or_insert(place);
        }
        let mut path = PathValue {
            nodes: vec![derivation.target],
            links: Vec::new(),
        };
        let mut node = derivation.target;
        while let Some(place) = places.get(&node) {
            let step = derivation.steps[*place];
            let premises = self.rows.premises(step).iter().copied();
            // A start has no place and comes before everything.
            let latest = premises.max_by_key(|premise| places.get(premise).map_or(0, |place| place + 1));
            let Some((premise, link)) = latest.and_then(|premise| Some((premise, self.link(premise, step)?)))
            else {
                break;
            };
            path.links.push(link);
            path.nodes.push(premise);
            node = premise;
        }
        path.links.reverse();
        path.nodes.reverse();
        path
    }

    /// The relationships of a derivation in an order in which they can be followed.
    pub(super) fn links_of(&self, derivation: &Derivation) -> Vec<LinkId> {
        let premises = |step: &StepId| {
            let premises = self.rows.premises(*step).iter();
            premises.map(|premise| (*premise, *step)).collect::<Vec<_>>()
        };
        let steps = derivation.steps.iter().flat_map(premises);
        steps
            .filter_map(|(premise, step)| self.link(premise, step))
            .collect()
    }

    /// The effort of a relationship's step.
    pub(super) fn effort(&self, link: LinkId) -> u32 {
        u32::from(self.rows.weight(self.step_id(link)).effort())
    }

    /// The least effort of a derivation that goes along a path from its beginning; null if the path goes against the
    /// arrows, or needs what cannot be held from its beginning or only by its own end. Going round costs what the steps of the round do.
    ///
    /// `None` if no step of the path needs more than the one before it gave: then its own steps are all. Null soon after
    /// `stop` says so.
    pub(super) fn derived_cost(&self, path: &PathValue, stop: Stop<'_>) -> Option<Value> {
        if !path.links.iter().any(|link| self.is_joint(*link)) {
            return None;
        }
        let pairs = path.links.iter().zip(path.nodes.windows(2));
        let is_along = |(link, nodes): (&LinkId, &[NodeId])| self.ends(*link) == (nodes[0], nodes[1]);
        if !pairs.clone().all(is_along) {
            return Some(Value::Null);
        }
        // The path without rounds: what leads to a node when the path comes to it for the last time.
        let mut simple: Vec<(NodeId, LinkId)> = Vec::new();
        let mut round: FxHashSet<LinkId> = FxHashSet::default();
        let start = path.nodes.first().copied()?;
        for (link, nodes) in pairs {
            let back = if nodes[1] == start {
                Some(0)
            } else {
                let place = simple.iter().position(|(node, _)| *node == nodes[1]);
                place.map(|place| place + 1)
            };
            match back {
                Some(keep) => {
                    round.extend(simple.drain(keep..).map(|(_, link)| link));
                    round.insert(*link);
                }
                None => simple.push((nodes[1], *link)),
            }
        }
        let steps: FxHashMap<NodeId, StepId> = simple
            .iter()
            .map(|(node, link)| (*node, self.step_id(*link)))
            .collect();
        let target = simple.last().map_or(start, |(node, _)| *node);
        let solver = self.solver(&[start], stop);
        let Some(derivation) = solver.and_then(|solver| solver.along(&steps, target, stop)) else {
            return Some(Value::Null);
        };
        let known: FxHashSet<StepId> = derivation.steps.iter().copied().collect();
        let more: FxHashMap<StepId, u32> = round
            .iter()
            .map(|link| (self.step_id(*link), self.effort(*link)))
            .filter(|(step, _)| !known.contains(step))
            .collect();
        let effort = i64::from(derivation.cost.effort());
        Some(Value::Int(
            effort + more.into_values().map(i64::from).sum::<i64>(),
        ))
    }
}
