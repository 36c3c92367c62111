//! The seam to the solver: from steps, starts and targets to derivations.
//!
//! **Trap.** A step holds only when all its premises do, so this is Dijkstra on an AND/OR graph (Knuth 1977),
//! never a walk along single edges. Costs add up over premises; a premise that two of them share is counted
//! twice while searching and once in the answer.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rustc_hash::FxHashMap;

use crate::report::Derived;
use crate::techniques::{Position, Step};

/// What holding a position costs: effort, then steps.
type Cost = (u64, u64);

/// The cheapest way to each position that can be held.
pub(super) struct Solution<'a> {
    steps: &'a [Step],
    index: FxHashMap<&'a Position, usize>,
    /// The last step to each position, none for starts.
    best: Vec<Option<(Cost, Option<usize>)>>,
}

impl<'a> Solution<'a> {
    /// Searches everything that can be held by someone who holds `starts`.
    ///
    /// # Complexity
    /// O(s log s) for steps with s premises in all.
    pub(super) fn new(steps: &'a [Step], starts: &'a [Position]) -> Self {
        let mut index = FxHashMap::default();
        for position in steps
            .iter()
            .flat_map(|step| step.premises.iter().chain([&step.conclusion]))
            .chain(starts)
        {
            let next = index.len();
            index.entry(position).or_insert(next);
        }
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); index.len()];
        let mut open = Vec::with_capacity(steps.len());
        for (number, step) in steps.iter().enumerate() {
            let premises: BTreeSet<usize> = step.premises.iter().map(|premise| index[premise]).collect();
            open.push((premises.len(), (u64::from(step.effort), 1)));
            for premise in premises {
                users[premise].push(number);
            }
        }
        let mut best: Vec<Option<(Cost, Option<usize>)>> = vec![None; index.len()];
        let mut queue: BinaryHeap<_> = starts
            .iter()
            .map(|start| Reverse(((0, 0), start, None::<usize>)))
            .collect();
        while let Some(Reverse((cost, position, by))) = queue.pop() {
            let at = index[position];
            if best[at].is_some() {
                continue;
            }
            best[at] = Some((cost, by));
            for &number in &users[at] {
                let (missing, total): &mut (usize, Cost) = &mut open[number];
                *missing -= 1;
                *total = (total.0.saturating_add(cost.0), total.1.saturating_add(cost.1));
                if *missing == 0 {
                    queue.push(Reverse((*total, &steps[number].conclusion, Some(number))));
                }
            }
        }
        Self { steps, index, best }
    }

    /// Returns the cheapest derivation of a position, if it can be held.
    pub(super) fn derivation(&self, target: &Position) -> Option<Derived> {
        let mut open = vec![(*self.index.get(target)?, false)];
        self.best[open[0].0]?;
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        while let Some((at, done)) = open.pop() {
            let Some((_, Some(number))) = self.best[at] else {
                continue;
            };
            if done {
                order.push(number);
            } else if seen.insert(at) {
                open.push((at, true));
                let premises = self.steps[number].premises.iter().rev();
                open.extend(premises.map(|premise| (self.index[premise], false)));
            }
        }
        let steps = order
            .into_iter()
            .map(|number| self.steps[number].clone())
            .collect();
        Some(Derived {
            to: target.clone(),
            steps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::techniques::{Certainty, Reason, Relation};

    fn held(name: &str) -> Position {
        Position::Network(name.into())
    }

    fn step(premises: &[&str], conclusion: &str, effort: u8) -> Step {
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.iter().map(|name| held(name)).collect(),
            conclusion: held(conclusion),
            effort,
            certainty: Certainty::Certain,
            evidence: Vec::new(),
        }
    }

    fn order(steps: &[Step], target: &str) -> Option<Vec<String>> {
        let starts = [held("a")];
        let derived = Solution::new(steps, &starts).derivation(&held(target))?;
        Some(
            derived
                .steps
                .iter()
                .map(|step| step.conclusion.to_string())
                .collect(),
        )
    }

    #[test]
    fn a_join_needs_all_its_premises_in_order() {
        let steps = [
            step(&["b", "c"], "d", 1),
            step(&["a"], "b", 1),
            step(&["b"], "c", 1),
        ];
        assert_eq!(
            order(&steps, "d").unwrap(),
            ["Network/b", "Network/c", "Network/d"]
        );
        assert_eq!(order(&steps[..2], "d"), None);
    }

    #[test]
    fn the_cheaper_way_wins_and_circles_end() {
        let steps = [
            step(&["a"], "d", 9),
            step(&["a"], "b", 1),
            step(&["b"], "d", 1),
            step(&["d"], "b", 0),
        ];
        assert_eq!(order(&steps, "d").unwrap(), ["Network/b", "Network/d"]);
    }
}
