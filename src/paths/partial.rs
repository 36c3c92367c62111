//! A derivation under construction: positions with the step chosen for each, and positions still to derive.
//!
//! **Trap.** A position that was chosen may be needed again and then costs nothing more, unless it needs the one
//! that asks for it: that would be a circle, which derives nothing.

use super::{Cost, Reach};
use crate::graph::{Rows, StepId, VertexId};

/// A derivation under construction, from the target backwards.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    /// Positions with the step chosen for each, in the order of choice.
    chosen: Vec<(VertexId, StepId)>,
    /// Positions without a step, sorted; starts are never among them.
    open: Vec<VertexId>,
    /// What the chosen steps cost.
    paid: Cost,
    /// What every derivation costs that completes this one, at least.
    bound: Cost,
}

impl Partial {
    /// Returns the empty derivation of a target that is no start.
    pub(super) fn new(target: VertexId, lower: &Reach) -> Self {
        Self {
            chosen: Vec::new(),
            open: vec![target],
            paid: Cost::ZERO,
            bound: lower.cost(target),
        }
    }

    /// What every derivation costs that completes this one, at least.
    pub(super) fn bound(&self) -> Cost {
        self.bound
    }

    /// How many steps are chosen.
    pub(super) fn depth(&self) -> usize {
        self.chosen.len()
    }

    /// The step chosen for a position.
    pub(super) fn step_to(&self, position: VertexId) -> Option<StepId> {
        let chosen = self.chosen.iter().find(|&&(known, _)| known == position);
        chosen.map(|&(_, step)| step)
    }

    /// The open position to derive next: the dearest one; `None` if the derivation is complete.
    pub(super) fn next(&self, lower: &Reach) -> Option<VertexId> {
        let dearest = self.open.iter().rev();
        dearest.copied().max_by_key(|&position| lower.cost(position))
    }

    /// The chosen steps whose conclusion needs the position, directly or not.
    fn dependents(&self, rows: &Rows, position: VertexId) -> Vec<StepId> {
        let mut needed = vec![position];
        let mut steps = Vec::new();
        while let Some(position) = needed.pop() {
            for &(conclusion, step) in &self.chosen {
                if rows.premises(step).contains(&position) && !steps.contains(&step) {
                    steps.push(step);
                    needed.push(conclusion);
                }
            }
        }
        steps
    }

    /// What the chosen steps cost that need the position: no derivation of it can be among them.
    pub(super) fn above(&self, rows: &Rows, position: VertexId) -> Cost {
        let steps = self.dependents(rows, position).into_iter();
        steps.map(|step| Cost::of(rows.weight(step))).sum()
    }

    /// Returns this derivation with `step` chosen for an open position, unless that closes a circle.
    pub(super) fn choose(
        &self,
        rows: &Rows,
        lower: &Reach,
        position: VertexId,
        step: StepId,
    ) -> Option<Self> {
        let above = self.dependents(rows, position);
        let is_circle = |premise: VertexId| {
            premise == position || above.iter().any(|&step| rows.conclusion(step) == premise)
        };
        let premises = rows.premises(step);
        if premises.iter().any(|&premise| is_circle(premise)) {
            return None;
        }
        let mut next = self.clone();
        next.chosen.push((position, step));
        next.paid = next.paid + Cost::of(rows.weight(step));
        next.open.retain(|&open| open != position);
        for &premise in premises {
            if lower.last_step(premise).is_some() && next.step_to(premise).is_none() {
                next.open.push(premise);
            }
        }
        next.open.sort_unstable();
        next.open.dedup();
        let least = next.open.iter();
        let least = least.map(|&open| lower.cost(open) + next.above(rows, open)).max();
        next.bound = self.bound.max(next.paid).max(least.unwrap_or_default());
        Some(next)
    }
}
