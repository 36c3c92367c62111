//! Everything that can be held from one start, and from another, and so on, without costs.
//!
//! Positions that lead to each other by steps with one premise lead to the same, so what is held from a large group of
//! them is found once, and so is what is held from the hubs that the last starts lead to, such as the network of a
//! workload. A walk from a start that comes to one of these takes that over and goes on with what is new: it takes as
//! long as the part of the graph that only this start leads to, not as the whole graph, as [`Reach`] does.
//!
//! **Trap.** What two of them lead to is more than both: a step may have one premise here and the other there. Steps
//! that lacked something are looked at again when a walk comes to a second one.
//!
//! [`Reach`]: super::Reach

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fixedbitset::FixedBitSet;
use petgraph::algo::kosaraju_scc;
use petgraph::visit::NodeFiltered;
use rustc_hash::FxHashMap;

use super::Stop;
use crate::graph::{AttackGraph, Rows, VertexId};

/// Positions of a group that is worth to be remembered.
const LARGE: usize = 256;
/// Groups that are remembered, the largest.
const GROUPS: usize = 64;
/// Edges that leave a hub, at least.
const HUB: usize = 64;
/// Hubs that are remembered.
const HUBS: usize = 64;
/// Positions between two questions whether to stop.
const PULSE: usize = 4096;
/// Of a position of no large group.
const NONE: u8 = u8::MAX;

/// Finds what is held from starts, one after the other.
#[derive(Debug)]
pub struct Closures<'a> {
    rows: &'a Rows,
    /// Edges that leave a hub, at least.
    hub: usize,
    /// Of each position: the number of its large group.
    group: Vec<u8>,
    /// Of each large group: what is held from it.
    groups: Vec<Arc<Known>>,
    last: Mutex<Last>,
}

/// What is held from some position.
#[derive(Debug)]
struct Known {
    held: Arc<FixedBitSet>,
    /// Joins of which some premises are held and some are not.
    open: Vec<VertexId>,
}

/// What the last walks left.
#[derive(Debug, Default)]
struct Last {
    /// Of each position: the walk that came to it last.
    visits: Vec<u32>,
    now: u32,
    hubs: FxHashMap<VertexId, Arc<Known>>,
}

/// One walk.
struct Walk<'w> {
    rows: &'w Rows,
    group: &'w [u8],
    groups: &'w [Arc<Known>],
    last: &'w mut Last,
    /// Whether it takes over what is known of hubs.
    uses_hubs: bool,
    found: Vec<VertexId>,
    /// What it took over.
    taken: Vec<Arc<Known>>,
    /// Joins that it came to and that lacked something then.
    waiting: Vec<VertexId>,
}

impl<'a> Closures<'a> {
    /// Prepares a graph, whose rows these are; `None` soon after `stop` says so.
    ///
    /// # Complexity
    /// Linear in edges and vertices, once for each of 64 groups at most.
    pub fn new(graph: &AttackGraph, rows: &'a Rows, stop: Stop<'_>) -> Option<Self> {
        Self::of_groups(graph, rows, LARGE, HUB, stop)
    }

    /// As [`Closures::new`], where a group of so many positions is worth to be remembered, 256 being usual, and a hub
    /// has so many edges, 64 being usual.
    pub fn of_groups(
        graph: &AttackGraph,
        rows: &'a Rows,
        least: usize,
        hub: usize,
        stop: Stop<'_>,
    ) -> Option<Self> {
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
            hub,
            group: vec![NONE; positions],
            groups: Vec::with_capacity(groups.len()),
            last: Mutex::new(Last {
                visits: vec![0; positions],
                ..Last::default()
            }),
        };
        for (number, group) in (0..).zip(groups) {
            let first = group.first().map_or(0, |first| first.index());
            let first = VertexId::try_from(first).unwrap_or_default();
            let known = closures.walk(&mut closures.lock(), first, false, stop)?;
            closures.groups.push(Arc::new(known));
            for position in group {
                closures.group[position.index()] = number;
            }
        }
        Some(closures)
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What someone holds who holds a position, by number; `None` soon after `stop` says so.
    ///
    /// # Complexity
    /// Linear in the edges of what is held and nothing remembered leads to, and in positions / 64.
    pub fn held(&self, start: VertexId, stop: Stop<'_>) -> Option<Arc<FixedBitSet>> {
        if let Some(known) = self.groups.get(usize::from(self.group[start as usize])) {
            return Some(Arc::clone(&known.held));
        }
        let mut last = self.lock();
        for arrow in self.rows.arrows(start) {
            let hub = arrow.to;
            let is_hub = (hub as usize) < self.rows.positions()
                && self.group[hub as usize] == NONE
                && self.rows.arrows(hub).len() >= self.hub;
            if is_hub && !last.hubs.contains_key(&hub) {
                let known = self.walk(&mut last, hub, false, stop)?;
                if last.hubs.len() >= HUBS {
                    last.hubs.clear();
                }
                last.hubs.insert(hub, Arc::new(known));
            }
        }
        Some(self.walk(&mut last, start, true, stop)?.held)
    }

    fn walk(&self, last: &mut Last, start: VertexId, uses_hubs: bool, stop: Stop<'_>) -> Option<Known> {
        if last.now == u32::MAX {
            last.visits.fill(0);
            last.now = 0;
        }
        last.now += 1;
        let mut walk = Walk {
            rows: self.rows,
            group: &self.group,
            groups: &self.groups,
            last,
            uses_hubs,
            found: Vec::new(),
            taken: Vec::new(),
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
        Some(walk.known())
    }
}

impl Walk<'_> {
    fn is_held(&self, position: VertexId) -> bool {
        let at = position as usize;
        self.last.visits[at] == self.last.now || self.taken.iter().any(|known| known.held.contains(at))
    }

    fn known(self) -> Known {
        let mut held = match self.taken.first() {
            Some(known) => (*known.held).clone(),
            None => FixedBitSet::with_capacity(self.rows.positions()),
        };
        for known in self.taken.iter().skip(1) {
            held.union_with(&known.held);
        }
        held.extend(self.found.iter().map(|position| *position as usize));
        let mut open = self.waiting;
        if !self.uses_hubs {
            open.extend(self.taken.iter().flat_map(|known| &known.open));
            open.sort_unstable();
            open.dedup();
            open.retain(|join| !is_open(self.rows, *join, |premise| held.contains(premise as usize)));
        }
        let held = Arc::new(held);
        Known { held, open }
    }

    /// Holds a position, and what is known to be held from it.
    fn come_to(&mut self, position: VertexId) {
        if self.is_held(position) {
            return;
        }
        let group = self.groups.get(usize::from(self.group[position as usize]));
        let known = match group {
            None if self.uses_hubs => self.last.hubs.get(&position),
            known => known,
        };
        if let Some(known) = known {
            self.take(Arc::clone(known));
        } else {
            self.last.visits[position as usize] = self.last.now;
            self.found.push(position);
        }
    }

    /// Takes over what is known.
    fn take(&mut self, known: Arc<Known>) {
        self.taken.retain(|taken| !taken.held.is_subset(&known.held));
        let mut waiting = std::mem::take(&mut self.waiting);
        if !self.taken.is_empty() {
            // What has premises in both was open in both.
            waiting.extend_from_slice(&known.open);
        }
        self.taken.push(known);
        for join in waiting {
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
        if !is_open(rows, join, |premise| self.is_held(premise)) {
            self.waiting.push(join);
            return;
        }
        for arrow in rows.arrows(join) {
            self.come_to(arrow.to);
        }
    }
}

/// Whether all premises of a join are held.
fn is_open(rows: &Rows, join: VertexId, is_held: impl Fn(VertexId) -> bool) -> bool {
    let step = rows.arrows(join).first().map(|arrow| arrow.step);
    let mut premises = step.into_iter().flat_map(|step| rows.premises(step));
    premises.all(|premise| is_held(*premise))
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
