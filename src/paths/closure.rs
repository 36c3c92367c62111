//! Everything that can be held from one start, and from another, and so on, without costs.
//!
//! Positions that lead to each other by steps with one premise lead to the same, so what is held from a large group of
//! them is found once. A walk from a start that comes to such a group takes that over and goes on with what is new: it
//! takes as long as the part of the graph that only this start leads to, not as the whole graph, as [`Reach`] does.
//!
//! **Trap.** What two groups lead to is more than both: a step may have one premise here and the other there. All steps
//! with several premises are looked at again when a walk comes to a second group.
//!
//! [`Reach`]: super::Reach

use std::sync::{Arc, Mutex, PoisonError};

use fixedbitset::FixedBitSet;
use petgraph::algo::kosaraju_scc;
use petgraph::visit::NodeFiltered;

use super::Stop;
use crate::graph::{AttackGraph, Rows, VertexId};

/// Positions of a group that is worth to be remembered.
const LARGE: usize = 256;
/// Groups that are remembered, the largest.
const GROUPS: usize = 64;
/// Positions between two questions whether to stop.
const PULSE: usize = 4096;
/// Of a position of no large group.
const NONE: u8 = u8::MAX;

/// Finds what is held from starts, one after the other.
#[derive(Debug)]
pub struct Closures<'a> {
    rows: &'a Rows,
    /// Of each position: the number of its large group.
    group: Vec<u8>,
    /// Of each large group: what is held from it.
    known: Vec<Arc<FixedBitSet>>,
    /// Of each position: the walk that came to it last.
    visits: Mutex<Visits>,
}

#[derive(Debug, Default)]
struct Visits {
    last: Vec<u32>,
    now: u32,
}

/// One walk.
struct Walk<'w> {
    rows: &'w Rows,
    group: &'w [u8],
    known: &'w [Arc<FixedBitSet>],
    visits: &'w mut Visits,
    found: Vec<VertexId>,
    /// The groups it came to.
    met: Vec<u8>,
    /// Joins that it came to and that lacked something then.
    waiting: Vec<VertexId>,
}

impl<'a> Closures<'a> {
    /// Prepares a graph, whose rows these are; `None` soon after `stop` says so.
    ///
    /// # Complexity
    /// Linear in edges and vertices, once for each of 64 groups at most.
    pub fn new(graph: &AttackGraph, rows: &'a Rows, stop: Stop<'_>) -> Option<Self> {
        Self::of_groups(graph, rows, LARGE, stop)
    }

    /// As [`Closures::new`], where a group of so many positions is worth to be remembered, 256 being usual.
    pub fn of_groups(graph: &AttackGraph, rows: &'a Rows, least: usize, stop: Stop<'_>) -> Option<Self> {
        let positions = rows.positions();
        let single = NodeFiltered::from_fn(graph.petgraph(), |node| node.index() < positions);
        // A group comes after all that it leads to.
        let mut groups = kosaraju_scc(&single);
        groups.retain(|group| group.len() >= least);
        let mut sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        sizes.sort_unstable_by(|left, right| right.cmp(left));
        if let Some(next) = sizes.get(GROUPS) {
            groups.retain(|group| group.len() > *next);
        }
        let mut closures = Self {
            rows,
            group: vec![NONE; positions],
            known: Vec::with_capacity(groups.len()),
            visits: Mutex::new(Visits {
                last: vec![0; positions],
                now: 0,
            }),
        };
        for (number, group) in (0..).zip(groups) {
            let first = group.first().map_or(0, |first| first.index());
            let held = closures.held(VertexId::try_from(first).unwrap_or_default(), stop)?;
            closures.known.push(held);
            for position in group {
                closures.group[position.index()] = number;
            }
        }
        Some(closures)
    }

    /// What someone holds who holds a position, by number; `None` soon after `stop` says so.
    ///
    /// # Complexity
    /// Linear in the edges of what is held and no remembered group leads to, and in positions / 64.
    pub fn held(&self, start: VertexId, stop: Stop<'_>) -> Option<Arc<FixedBitSet>> {
        if let Some(known) = self.known.get(usize::from(self.group[start as usize])) {
            return Some(Arc::clone(known));
        }
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.now == u32::MAX {
            visits.last.fill(0);
            visits.now = 0;
        }
        visits.now += 1;
        let mut walk = Walk {
            rows: self.rows,
            group: &self.group,
            known: &self.known,
            visits: &mut visits,
            found: Vec::new(),
            met: Vec::new(),
            waiting: Vec::new(),
        };
        walk.come_to(start);
        let mut next = 0;
        while let Some(&position) = walk.found.get(next) {
            next += 1;
            if next % PULSE == 0 && stop() {
                return None;
            }
            walk.leave(position);
        }
        let mut held = match walk.met.first() {
            Some(group) => (*self.known[usize::from(*group)]).clone(),
            None => FixedBitSet::with_capacity(self.rows.positions()),
        };
        for group in walk.met.iter().skip(1) {
            held.union_with(&self.known[usize::from(*group)]);
        }
        held.extend(walk.found.iter().map(|position| *position as usize));
        Some(Arc::new(held))
    }
}

/// From where a position can be had.
#[derive(Clone, Debug)]
pub struct LedTo {
    /// By steps with one premise alone: from there for sure.
    pub sure: FixedBitSet,
    /// If whatever else steps need is held too: from nowhere else.
    pub perhaps: FixedBitSet,
}

impl LedTo {
    /// Finds from where a position can be had; `None` soon after `stop` says so.
    ///
    /// A step that needs what no step gives can be carried out only by who begins with that.
    ///
    /// # Complexity
    /// Linear in edges and vertices, twice.
    pub fn new(rows: &Rows, target: VertexId, stop: Stop<'_>) -> Option<Self> {
        Some(Self {
            sure: back(rows, target, false, stop)?,
            perhaps: back(rows, target, true, stop)?,
        })
    }
}

/// Everything from which a position can be had, by joint steps too or not.
fn back(rows: &Rows, target: VertexId, joint: bool, stop: Stop<'_>) -> Option<FixedBitSet> {
    let mut found = FixedBitSet::with_capacity(rows.positions());
    found.insert(target as usize);
    let mut open = vec![target];
    let mut count = 0_usize;
    while let Some(position) = open.pop() {
        count += 1;
        if count.is_multiple_of(PULSE) && stop() {
            return None;
        }
        for &step in rows.steps_to(position) {
            let premises = rows.premises(step);
            if premises.len() > 1 && !joint {
                continue;
            }
            let given = |premise: &VertexId| premises.len() > 1 && rows.steps_to(*premise).is_empty();
            let mut alone = premises.iter().filter(|premise| given(premise));
            let begin = (alone.next(), alone.next());
            for premise in premises {
                let is_left = match begin {
                    (None, _) => true,
                    (Some(only), None) => premise == only,
                    _ => false,
                };
                if is_left && !found.put(*premise as usize) {
                    open.push(*premise);
                }
            }
        }
    }
    Some(found)
}

impl Walk<'_> {
    fn is_held(&self, position: VertexId) -> bool {
        let at = position as usize;
        self.visits.last[at] == self.visits.now
            || self
                .met
                .iter()
                .any(|group| self.known[usize::from(*group)].contains(at))
    }

    /// Holds a position, and what its group leads to.
    fn come_to(&mut self, position: VertexId) {
        if self.is_held(position) {
            return;
        }
        let group = self.group[position as usize];
        if group == NONE {
            self.visits.last[position as usize] = self.visits.now;
            self.found.push(position);
            return;
        }
        self.met.push(group);
        if self.met.len() > 1 {
            let joins = self.rows.positions()..self.rows.vertices();
            self.waiting = joins.filter_map(|join| VertexId::try_from(join).ok()).collect();
        }
        for join in std::mem::take(&mut self.waiting) {
            self.come_to_join(join);
        }
    }

    fn leave(&mut self, position: VertexId) {
        let rows = self.rows;
        for arrow in rows.arrows(position) {
            if (arrow.to as usize) < rows.positions() {
                self.come_to(arrow.to);
            } else {
                self.come_to_join(arrow.to);
            }
        }
    }

    /// Goes on behind a join if all its premises are held.
    fn come_to_join(&mut self, join: VertexId) {
        let rows = self.rows;
        for arrow in rows.arrows(join) {
            if rows
                .premises(arrow.step)
                .iter()
                .all(|premise| self.is_held(*premise))
            {
                self.come_to(arrow.to);
            } else {
                self.waiting.push(join);
            }
        }
    }
}
