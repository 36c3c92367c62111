//! Paths of which only the ends are asked for.
//!
//! Whether any path leads to an end is known from what is held, so that no path is searched for.
//!
//! **Trap.** What is held from a node has the node itself in it. A path that comes back to where it began is another
//! question, and a search answers it.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::super::ast::NodePattern;
use super::super::error::Result;
use super::super::run::Runner;
use super::super::search::{Emit, Matching};
use super::super::value::{NodeId, Value};
use super::Search;
use crate::paths::LedTo;

impl<'g> Search<'_, 'g> {
    /// Goes on once with each end that is held from the beginning; none if a search has to find out.
    pub(super) fn ends(
        &self,
        runner: &mut Runner<'g>,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<Option<bool>> {
        let element = &self.elements[0];
        let Some((held, fits_begin)) = self.held(runner)? else {
            return Ok(None);
        };
        let comes_back = self.select.comes_back() && element.least > 0;
        // Back to where it began there may be a path without relationships.
        let ends = held
            .iter()
            .copied()
            .filter(|end| *end != self.from || element.least == 0);
        let before = matching.row.clone();
        let mut goes_on = runner.expand(1);
        if matching.plan.counts(at) {
            runner.weight = ends.count() as u64;
            if goes_on && runner.weight > 0 {
                goes_on = runner.op(matching, at + 1, &mut *emit)?;
            }
            runner.weight = 1;
        } else {
            let tallies = runner.tallies(matching, at);
            for end in ends {
                if !goes_on || !runner.expand(1) {
                    goes_on = false;
                    break;
                }
                if tallies && runner.tally.counted(&matching.row, element.end_slot, end) {
                    continue;
                }
                matching.row[element.end_slot] = Value::Node(end);
                goes_on = runner.op(matching, at + 1, &mut *emit)?;
            }
        }
        matching.row = before;
        if goes_on && comes_back && fits_begin {
            goes_on = self.between(runner, self.from, (matching, at), emit)?;
        }
        Ok(Some(goes_on))
    }

    /// The ends that are held, and whether the beginning would be one of those that are wanted; none if a search has to
    /// find out.
    fn held(&self, runner: &mut Runner<'g>) -> Result<Option<(Vec<NodeId>, bool)>> {
        let end = self.elements[0].end;
        if let Some(target) = self.target {
            let Some(leads) = runner.leads(self.from, target) else {
                return Ok(None);
            };
            let fits = leads && self.fits(runner, target, end)?;
            let held = Some(target).filter(|_| fits).into_iter().collect();
            return Ok(Some((held, fits && target == self.from)));
        }
        // A node that no path leads to may be one that cannot be tested.
        let Ok(fits) = self.fitting(runner, end) else {
            return Ok(None);
        };
        let Some(held) = runner.held_from(self.from) else {
            return Ok(None);
        };
        let held = held.0.intersection(&fits);
        let held = held.filter_map(|end| NodeId::try_from(end).ok()).collect();
        Ok(Some((held, fits.contains(self.from as usize))))
    }

    /// The nodes that a pattern wants, which are the same for every row.
    fn fitting(&self, runner: &mut Runner<'g>, pattern: &'g NodePattern) -> Result<Arc<FixedBitSet>> {
        let key = std::ptr::from_ref(pattern).addr();
        if let Some(known) = runner.fitting.get(&key) {
            return Ok(Arc::clone(known));
        }
        let mut found = FixedBitSet::with_capacity(runner.graph.nodes() as usize);
        for node in 0..runner.graph.nodes() {
            if self.fits(runner, node, pattern)? {
                found.insert(node as usize);
            }
        }
        let found = Arc::new(found);
        runner.fitting.insert(key, Arc::clone(&found));
        Ok(found)
    }
}

/// What is known of the nodes from which one can be held.
#[derive(Default)]
pub(crate) struct Leading {
    asked: u32,
    known: Option<Arc<LedTo>>,
}

/// Questions before this one are answered by a search for a path, which is faster for a few.
const MANY: u32 = 4;
/// Nodes of which it is known from where they can be held.
const NODES: usize = 16;

impl Runner<'_> {
    /// Whether someone who holds a node can hold another one; none if the graph does not know, or if that was hardly asked
    /// before.
    pub(super) fn leads(&mut self, from: NodeId, target: NodeId) -> Option<bool> {
        if self.leading.len() >= NODES && !self.leading.contains_key(&target) {
            self.leading.clear();
        }
        let leading = self.leading.entry(target).or_default();
        leading.asked += 1;
        if leading.asked < MANY {
            return None;
        }
        let mut known = leading.known.clone();
        if known.is_none() && leading.asked == MANY {
            let found = self.watched(|runner, stop| runner.graph.led_to(target, stop));
            known = found.map(Arc::new);
            self.leading.entry(target).or_default().known.clone_from(&known);
        }
        if let Some(known) = known {
            if known.sure.contains(from as usize) {
                return Some(true);
            }
            if !known.perhaps.contains(from as usize) {
                return Some(false);
            }
        }
        self.held_from(from).map(|held| held.contains(target))
    }
}
