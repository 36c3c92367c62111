//! A cheap derivation that uses again what it has already gained.
//!
//! The last steps of [`Reach`] give each premise of a join its own cheapest way, two break-ins where one would do.
//! Here the dearest premise comes first, and each further one is looked for from what is held by then; only where
//! that finds nothing cheaper does it get a way of its own.
//!
//! **Trap.** The result is an upper bound, not an optimum: which premise comes first is a guess.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::{Cost, Derivation, Reach, Stop};
use crate::graph::{Rows, StepId, VertexId};

/// Edges that one look around follows.
const EDGES: usize = 20_000;

/// What is held so far: positions with the step to each; starts are held without one.
struct Held<'a> {
    rows: &'a Rows,
    upper: &'a Reach,
    step_to: FxHashMap<VertexId, StepId>,
}

/// A position whose premises are being derived.
struct Frame {
    position: VertexId,
    step: StepId,
    /// Premises not yet looked at, the dearest last.
    premises: Vec<VertexId>,
}

/// Returns a derivation of a position that `upper` holds; `None` soon after `stop` says so.
pub(super) fn derivation(rows: &Rows, upper: &Reach, target: VertexId, stop: Stop<'_>) -> Option<Derivation> {
    let mut held = Held {
        rows,
        upper,
        step_to: FxHashMap::default(),
    };
    let mut frames: Vec<Frame> = held.frame(target).into_iter().collect();
    while let Some(frame) = frames.last_mut() {
        if stop() {
            return None;
        }
        if let Some(premise) = frame.premises.pop() {
            if !held.has(premise) && (held.step_to.is_empty() || !held.look_around(premise)) {
                frames.extend(held.frame(premise));
            }
        } else {
            held.step_to.entry(frame.position).or_insert(frame.step);
            frames.pop();
        }
    }
    let step_to = |position| held.step_to.get(&position).copied();
    Some(Derivation::collect(rows, target, step_to))
}

impl Held<'_> {
    fn has(&self, position: VertexId) -> bool {
        self.step_to.contains_key(&position) || self.upper.cost(position) == Cost::ZERO
    }

    /// The way of its own that a position has; none for a start.
    fn frame(&self, position: VertexId) -> Option<Frame> {
        let step = self.upper.last_step(position)?;
        let mut premises = self.rows.premises(step).to_vec();
        premises.sort_by_key(|&premise| (self.upper.cost(premise), Reverse(premise)));
        Some(Frame {
            position,
            step,
            premises,
        })
    }

    /// Derives a position from what is held, if that costs less than its own way; whether it did.
    fn look_around(&mut self, wanted: VertexId) -> bool {
        let own = self.upper.cost(wanted);
        let mut found: FxHashMap<VertexId, (Cost, StepId)> = FxHashMap::default();
        let mut queue = BinaryHeap::new();
        queue.extend(
            self.step_to
                .keys()
                .map(|&position| Reverse((Cost::ZERO, position))),
        );
        let mut edges = 0;
        while let Some(Reverse((cost, position))) = queue.pop() {
            if position == wanted {
                self.take(wanted, &found);
                return true;
            }
            if found.get(&position).is_some_and(|&(known, _)| known < cost) {
                continue;
            }
            for arrow in self.rows.arrows(position) {
                edges += 1;
                let Some((to, total)) = self.follow(arrow.step, cost, &found) else {
                    continue;
                };
                let is_new = found
                    .get(&to)
                    .is_none_or(|&(known, step)| (total, arrow.step) < (known, step));
                if total < own && is_new && !self.has(to) {
                    found.insert(to, (total, arrow.step));
                    queue.push(Reverse((total, to)));
                }
            }
            if edges > EDGES {
                return false;
            }
        }
        false
    }

    /// Where a step leads and what it costs from what is held, if all its premises are found.
    fn follow(
        &self,
        step: StepId,
        cost: Cost,
        found: &FxHashMap<VertexId, (Cost, StepId)>,
    ) -> Option<(VertexId, Cost)> {
        let own = Cost::of(self.rows.weight(step));
        let premises = self.rows.premises(step);
        if premises.len() == 1 {
            return Some((self.rows.conclusion(step), cost + own));
        }
        let mut total = own;
        for &premise in premises {
            if !self.has(premise) {
                total = total + found.get(&premise)?.0;
            }
        }
        Some((self.rows.conclusion(step), total))
    }

    /// Holds a position that was found, and what leads to it.
    fn take(&mut self, wanted: VertexId, found: &FxHashMap<VertexId, (Cost, StepId)>) {
        let mut open = vec![wanted];
        while let Some(position) = open.pop() {
            if self.has(position) {
                continue;
            }
            if let Some(&(_, step)) = found.get(&position) {
                self.step_to.insert(position, step);
                open.extend(self.rows.premises(step));
            }
        }
    }
}
