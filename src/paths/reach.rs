//! Everything that can be held from some starts, with the last step to each, in one pass.
//!
//! This is Dijkstra's algorithm on the AND/OR graph: a step's cost is its own plus that of its premises, which is a
//! superior function in Knuth's sense, so a position is final when it is the cheapest of those not yet final.
//! All vertices of one cost are handled together, which needs one ordered map of few costs and no heap.
//!
//! Sources: D. E. Knuth, "A Generalization of Dijkstra's Algorithm", Information Processing Letters 6 (1977);
//! G. Gallo et al., "Directed hypergraphs and applications", Discrete Applied Mathematics 42 (1993).
//!
//! **Trap.** With [`Premises::Sum`] what two premises share counts twice, so the cost is an upper bound of the
//! derivation's; with [`Premises::Max`] it is a lower bound. Both agree on what can be held at all.

use std::collections::BTreeMap;

use super::{Cost, Derivation, Stop};
use crate::graph::{Rows, StepId, VertexId, Weight};

/// How the costs of a step's premises combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Premises {
    /// They add up: the cost of a derivation in which nothing is shared.
    Sum,
    /// The dearest counts: no derivation is cheaper.
    Max,
}

/// Of a position that no step has led to yet.
const NONE: StepId = StepId::MAX;
/// Weights for which there is a row of its own while searching: those of the efforts 0 to 8.
const WEIGHTS: usize = Weight::new(8, true).index() + 1;

/// What can be held, at what cost, by which last step.
#[derive(Clone, Debug)]
pub struct Reach {
    cost: Vec<Cost>,
    by: Vec<StepId>,
}

impl Reach {
    /// Finds everything that someone can hold who holds `starts`.
    ///
    /// # Complexity
    /// O(edges + vertices + c log c), where c is the number of different costs, a few hundred in practice; O(vertices)
    /// space.
    ///
    /// # Example
    /// ```text
    /// start --1--> a --1--> join --1--> c      c costs 1 + 1 + 1 with `Premises::Sum` as `a` and `b` share nothing,
    /// start --1--> b -------^                  and 1 + 1 with `Premises::Max`
    /// ```
    pub fn new(rows: &Rows, starts: &[VertexId], premises: Premises) -> Self {
        let mut search = Search::new(rows, starts);
        while search.level(premises, &|| false) {}
        search.reach()
    }

    /// As [`Reach::new`], but gives up, with `None`, soon after `stop` says so.
    pub fn unless(rows: &Rows, starts: &[VertexId], premises: Premises, stop: Stop<'_>) -> Option<Self> {
        let mut search = Search::new(rows, starts);
        while search.level(premises, stop) {}
        (!stop()).then(|| search.reach())
    }

    /// Whether a position can be held.
    pub fn is_held(&self, position: VertexId) -> bool {
        self.cost[position as usize] != Cost::NEVER
    }

    /// What it costs to hold a position; [`Cost::NEVER`] if it cannot be held.
    pub fn cost(&self, position: VertexId) -> Cost {
        self.cost[position as usize]
    }

    /// The last step of the cheapest way to a position; `None` for a start and for what cannot be held.
    pub fn last_step(&self, position: VertexId) -> Option<StepId> {
        Some(self.by[position as usize]).filter(|&step| step != NONE)
    }

    /// Returns the derivation that the last steps give, if the position can be held.
    pub fn derivation(&self, rows: &Rows, target: VertexId) -> Option<Derivation> {
        let last = |position| self.last_step(position);
        self.is_held(target)
            .then(|| Derivation::collect(rows, target, last))
    }
}

struct Search<'a> {
    rows: &'a Rows,
    /// Of a join: what its premises cost that are held.
    cost: Vec<Cost>,
    by: Vec<StepId>,
    /// Of a join: how many premises are not held.
    missing: Vec<u32>,
    waiting: BTreeMap<Cost, Vec<VertexId>>,
    /// Takes what is one step further, by weight.
    near: [Vec<VertexId>; WEIGHTS],
}

/// Vertices that are left between two questions whether to stop.
const PULSE: usize = 4096;

impl<'a> Search<'a> {
    fn new(rows: &'a Rows, starts: &[VertexId]) -> Self {
        let mut search = Self {
            rows,
            cost: vec![Cost::NEVER; rows.vertices()],
            by: vec![NONE; rows.positions()],
            missing: (rows.positions()..rows.vertices())
                .map(|join| rows.needs(VertexId::try_from(join).unwrap_or(VertexId::MAX)))
                .collect(),
            waiting: BTreeMap::new(),
            near: Default::default(),
        };
        for &start in starts {
            search.cost[start as usize] = Cost::ZERO;
        }
        let mut first = starts.to_vec();
        first.sort_unstable();
        first.dedup();
        search.waiting.insert(Cost::ZERO, first);
        search
    }

    fn reach(mut self) -> Reach {
        self.cost.truncate(self.rows.positions());
        Reach {
            cost: self.cost,
            by: self.by,
        }
    }

    /// Handles all vertices of the least cost; whether there may be more.
    fn level(&mut self, premises: Premises, stop: Stop<'_>) -> bool {
        let Some((cost, vertices)) = self.waiting.pop_first() else {
            return false;
        };
        for part in vertices.chunks(PULSE) {
            if stop() {
                return false;
            }
            for &vertex in part {
                if self.cost[vertex as usize] == cost {
                    self.leave(vertex, cost, premises);
                }
            }
        }
        for (index, row) in (0..).zip(&mut self.near) {
            if !row.is_empty() {
                let found = cost + Cost::of(Weight::new(index >> 1, index & 1 == 1));
                self.waiting.entry(found).or_default().append(row);
            }
        }
        true
    }

    /// Follows the edges of a vertex whose cost is final.
    fn leave(&mut self, vertex: VertexId, cost: Cost, premises: Premises) {
        let rows = self.rows;
        for arrow in rows.arrows(vertex) {
            let to = arrow.to as usize;
            if let Some(join) = to.checked_sub(rows.positions()) {
                self.join(arrow.to, join, cost, premises);
                continue;
            }
            let found = cost + Cost::of(arrow.weight);
            if self.improves(to, found, arrow.step, cost) {
                match self.near.get_mut(arrow.weight.index()) {
                    Some(row) => row.push(arrow.to),
                    None => self.waiting.entry(found).or_default().push(arrow.to),
                }
            }
        }
    }

    /// Counts one premise of a join, and follows it when that was the last.
    fn join(&mut self, vertex: VertexId, join: usize, cost: Cost, premises: Premises) {
        let known = self.cost[vertex as usize];
        let total = match premises {
            Premises::Sum if known != Cost::NEVER => known + cost,
            // Premises come in the order of their costs, so the last one is the dearest.
            Premises::Sum | Premises::Max => cost,
        };
        self.cost[vertex as usize] = total;
        self.missing[join] -= 1;
        if self.missing[join] > 0 {
            return;
        }
        for arrow in self.rows.arrows(vertex) {
            let found = total + Cost::of(arrow.weight);
            if self.improves(arrow.to as usize, found, arrow.step, cost) {
                self.waiting.entry(found).or_default().push(arrow.to);
            }
        }
    }

    /// Notes a way to a position; whether it has to wait for its turn now. Of equal ways the first step wins.
    fn improves(&mut self, to: usize, found: Cost, step: StepId, now: Cost) -> bool {
        let known = self.cost[to];
        if found < known {
            self.cost[to] = found;
            self.by[to] = step;
            return true;
        }
        if found == known && known > now && step < self.by[to] {
            self.by[to] = step;
        }
        false
    }
}
