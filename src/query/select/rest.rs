//! What is missing from a place to the end of a path, at least.
//!
//! With it the queue takes the paths first that can still be the least, as in A* (P. E. Hart et al., "A Formal Basis for
//! the Heuristic Determination of Minimum Cost Paths", 1968). Between two known ends it comes from a search from the
//! other end, which ends where the two meet: in a graph that fans out that is the square root of the work.
//!
//! **Trap.** It counts relationships without regard to how often the pattern wants them and to what a path has met
//! already. That is never too much, and need not be enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::super::ast::By;
use super::super::error::Result;
use super::super::run::Runner;
use super::super::search::Neighbours;
use super::super::value::NodeId;
use super::super::wanted::Rank;
use super::Search;
use super::product::{Product, flipped};

/// What is missing at least; infinite where no end can be reached.
pub(super) enum Rest {
    /// From each vertex of the product.
    Known(Vec<f64>),
    /// From each node, as far as a search from the end has come.
    Near(Side),
}

/// A search from one end, by Dijkstra's algorithm.
pub(super) struct Side {
    near: FxHashMap<NodeId, f64>,
    queue: BinaryHeap<Reverse<Rank>>,
    /// Whether it goes from the end of paths to their beginning.
    backward: bool,
}

impl Side {
    fn new(node: NodeId, backward: bool) -> Self {
        Self {
            near: FxHashMap::from_iter([(node, 0.0)]),
            queue: BinaryHeap::from([Reverse(Rank(0.0, 0, node as usize))]),
            backward,
        }
    }

    /// How far it has come: whatever is not further than that is final. Infinite if there is nothing further.
    fn radius(&self) -> f64 {
        self.queue.peek().map_or(f64::INFINITY, |next| next.0.0)
    }
}

impl Rest {
    /// What is missing from every vertex of a product that is whole.
    ///
    /// Without a target it is 0 where any end can be reached, as each end is asked for by itself.
    pub(super) fn known(product: &Product, target: Option<NodeId>) -> Self {
        let count = product.vertices.len();
        let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        for from in 0..count {
            for edge in product.edges(from) {
                into[edge.to].push((from, if target.is_some() { edge.cost } else { 0.0 }));
            }
        }
        let mut missing = vec![f64::INFINITY; count];
        let mut queue = BinaryHeap::new();
        for (vertex, (node, _)) in product.vertices.iter().enumerate() {
            if product.accepts(vertex) && target.is_none_or(|target| target == *node) {
                missing[vertex] = 0.0;
                queue.push(Reverse(Rank(0.0, 0, vertex)));
            }
        }
        while let Some(Reverse(Rank(cost, _, vertex))) = queue.pop() {
            if cost > missing[vertex] {
                continue;
            }
            for (from, more) in &into[vertex] {
                if cost + more < missing[*from] {
                    missing[*from] = cost + more;
                    queue.push(Reverse(Rank(cost + more, 0, *from)));
                }
            }
        }
        Self::Known(missing)
    }

    /// What is missing from a vertex of the product, which is at a node.
    pub(super) fn of(&self, vertex: usize, node: NodeId) -> f64 {
        match self {
            Self::Known(missing) => missing[vertex],
            Self::Near(side) => {
                let radius = side.radius();
                match side.near.get(&node) {
                    Some(known) if *known <= radius => *known,
                    _ => radius,
                }
            }
        }
    }
}

impl<'g> Search<'_, 'g> {
    /// Searches from both ends until the two meet on a least way; `Near` nothing if they never do.
    pub(super) fn meeting(&self, runner: &mut Runner<'g>, target: NodeId) -> Result<Rest> {
        let mut forward = Side::new(self.from, false);
        let mut backward = Side::new(target, true);
        let mut best = if self.from == target { 0.0 } else { f64::INFINITY };
        while forward.radius() + backward.radius() < best {
            let (side, other) = if forward.queue.len() <= backward.queue.len() {
                (&mut forward, &backward)
            } else {
                (&mut backward, &forward)
            };
            if !self.step(runner, side, Some((other, &mut best)))? {
                break;
            }
        }
        let most = self.elements[0].most.filter(|_| self.by == By::Length);
        #[expect(
            clippy::cast_precision_loss,
            reason = "no path is longer than a float counts exactly"
        )]
        let is_far = most.is_some_and(|most| best > most as f64);
        if (best.is_infinite() || is_far) && !runner.is_stopped() {
            backward.near.clear();
            backward.queue.clear();
        }
        Ok(Rest::Near(backward))
    }

    /// Lets the search from the other end go some nodes further.
    pub(super) fn grow(&self, runner: &mut Runner<'g>, rest: &mut Rest, nodes: usize) -> Result<()> {
        if let Rest::Near(side) = rest {
            for _ in 0..nodes {
                if side.queue.is_empty() || !self.step(runner, side, None)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Leaves the nearest node; whether the query goes on. `meet` is the other side and the least way so far.
    fn step(
        &self,
        runner: &mut Runner<'g>,
        side: &mut Side,
        mut meet: Option<(&Side, &mut f64)>,
    ) -> Result<bool> {
        let Some(Reverse(Rank(cost, _, node))) = side.queue.pop() else {
            return Ok(true);
        };
        let node = NodeId::try_from(node).unwrap_or(NodeId::MAX);
        if side.near.get(&node).is_some_and(|known| *known < cost) {
            return Ok(true);
        }
        let (pattern, direction, _) = self.elements[0].hops[0];
        let seen = if side.backward {
            flipped(direction)
        } else {
            direction
        };
        let wanted = runner.link_properties(pattern, self.frame())?;
        for (link, to) in Neighbours::new(runner.graph, node, seen) {
            if !runner.expand(1) {
                return Ok(false);
            }
            if !self.admits(runner, (pattern, direction), wanted.as_ref(), link, to)? {
                continue;
            }
            let total = cost + self.cost(runner, link, pattern)?;
            if side.near.get(&to).is_some_and(|known| *known <= total) {
                continue;
            }
            if let Some((other, best)) = &mut meet
                && let Some(missing) = other.near.get(&to)
            {
                **best = best.min(total + missing);
            }
            side.near.insert(to, total);
            side.queue.push(Reverse(Rank(total, 0, to as usize)));
        }
        Ok(true)
    }
}
