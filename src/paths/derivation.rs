//! A derivation: the steps by which a position comes to be held, in an order in which they can be carried out.
//!
//! **Trap.** It is no chain of edges: a step may need what several earlier ones gave.

use fixedbitset::FixedBitSet;
use rustc_hash::FxHashSet;

use super::Cost;
use crate::graph::{Rows, StepId, VertexId};

/// How one position comes to be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derivation {
    /// The position.
    pub target: VertexId,
    /// Every step once; its premises are starts or conclusions of earlier steps.
    pub steps: Vec<StepId>,
    /// The steps' costs together, each counted once.
    pub cost: Cost,
    /// Whether no derivation is cheaper than this one, those before it in an answer aside.
    pub proven: bool,
}

impl Derivation {
    /// Collects the steps to a target, given the step to each position on the way; starts have none.
    ///
    /// The steps must lead back to starts without a circle; what cannot be carried out is left out.
    ///
    /// # Complexity
    /// Linear in the steps of the derivation and their premises.
    pub(super) fn collect(
        rows: &Rows,
        target: VertexId,
        step_to: impl Fn(VertexId) -> Option<StepId>,
    ) -> Self {
        let mut seen = FxHashSet::default();
        let mut steps = Vec::new();
        let mut open = vec![(target, false)];
        while let Some((position, done)) = open.pop() {
            let Some(step) = step_to(position) else { continue };
            if done {
                steps.push(step);
            } else if seen.insert(position) {
                open.push((position, true));
                open.extend(rows.premises(step).iter().rev().map(|&premise| (premise, false)));
            }
        }
        Self {
            target,
            cost: steps.iter().map(|&step| Cost::of(rows.weight(step))).sum(),
            steps,
            proven: false,
        }
    }

    /// Whether someone who holds `starts` can carry out the steps in their order and then holds the target.
    pub fn holds(&self, rows: &Rows, starts: &[VertexId]) -> bool {
        let mut held = FixedBitSet::with_capacity(rows.positions());
        held.extend(starts.iter().map(|&start| start as usize));
        for &step in &self.steps {
            if !rows
                .premises(step)
                .iter()
                .all(|&premise| held.contains(premise as usize))
            {
                return false;
            }
            held.insert(rows.conclusion(step) as usize);
        }
        held.contains(self.target as usize)
    }
}
