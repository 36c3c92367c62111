//! What is missing from a place to the end of a path, at least.
//!
//! With it the queue takes the paths first that can still be the least, as in A* (P. E. Hart et al., "A Formal Basis for
//! the Heuristic Determination of Minimum Cost Paths", 1968). Between two known ends it comes from a search from the
//! other end, which ends where the two meet: in a graph that fans out that is the square root of the work. Many rows
//! whose paths end at the same node share one search from there.
//!
//! **Trap.** It counts relationships without regard to how often the pattern wants them and to what a path has met
//! already. That is never too much, and need not be enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::super::ast::{By, Direction};
use super::super::error::Result;
use super::super::run::Runner;
use super::super::search::Neighbours;
use super::super::value::{LinkId, NodeId};
use super::super::wanted::{Rank, Wanted};
use super::Search;
use super::product::{Product, flipped};
use super::queue::Step;

/// What is missing at least; infinite where no end can be reached.
pub(super) enum Rest {
    /// From each vertex of the product.
    Known(Vec<f64>),
    /// From each node, as far as a search from the end has come.
    Near(Side),
    /// From each node.
    Shared(Arc<[Way]>),
}

/// What is known of the least path of a row.
pub(super) enum Least {
    Unknown,
    /// That there is none.
    Nothing,
    Path(Vec<Step>),
}

/// A least way from a node to the end.
#[derive(Clone, Copy)]
pub(super) struct Way {
    cost: f64,
    length: u32,
    /// Its first relationship.
    first: LinkId,
}

/// What searches to the same end share: many rows begin elsewhere and end there.
#[derive(Default)]
pub(crate) struct Rests {
    /// By pattern and end.
    known: FxHashMap<(usize, NodeId), Shared>,
}

#[derive(Default)]
struct Shared {
    /// How many searches there were, and how many relationships they went over.
    searches: u32,
    spent: u64,
    /// What they had gone over when it was tried last to find out for all nodes.
    tried: u64,
    rest: Option<Arc<[Way]>>,
}

/// Searches for single rows, at least.
const SINGLE: u32 = 8;
/// Beginning takes about as long as a search over this part of the nodes.
const PART: u64 = 16;

/// Ends that something is known of at once.
const ENDS: usize = 16;

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
            Self::Shared(missing) => missing.get(node as usize).map_or(f64::INFINITY, |way| way.cost),
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
    /// What is missing from every node, found once for all rows whose paths end here. It is tried again and again to
    /// find that with as much work as single rows have taken by then.
    pub(super) fn shared(&self, runner: &mut Runner<'g>, target: NodeId) -> Option<Rest> {
        // Who begins with what no step gives can go where no other can.
        let is_own = runner.graph.incoming(self.from).is_empty();
        if !self.select.is_common || !self.used.is_empty() || is_own {
            return None;
        }
        let key = self.key(target);
        let known = runner.rests.known.get(&key);
        if let Some(rest) = known.and_then(|shared| shared.rest.as_ref()) {
            return Some(Rest::Shared(Arc::clone(rest)));
        }
        let nodes = u64::from(runner.graph.nodes());
        let is_due = |shared: &&Shared| {
            shared.searches >= SINGLE && shared.spent >= (2 * shared.tried).max(nodes / PART)
        };
        let spent = known.filter(is_due).map(|shared| shared.spent)?;
        // A relationship that no path of any row goes over may be one that cannot be tested.
        let rest = self.for_all(runner, target, spent).ok().flatten();
        let shared = runner.rests.known.entry(key).or_default();
        (shared.tried, shared.rest) = (spent, rest.clone());
        rest.map(Rest::Shared)
    }

    /// What is missing from every node to the end, by Dijkstra's algorithm, joint relationships taken as open unless one
    /// must begin with what they need; none if that takes more than so many relationships.
    fn for_all(&self, runner: &mut Runner<'g>, target: NodeId, most: u64) -> Result<Option<Arc<[Way]>>> {
        let none = Way {
            cost: f64::INFINITY,
            length: 0,
            first: LinkId::MAX,
        };
        let mut missing = vec![none; runner.graph.nodes() as usize];
        missing[target as usize].cost = 0.0;
        let mut queue = BinaryHeap::from([Reverse(Rank(0.0, 0, target as usize))]);
        let (pattern, direction, _) = self.elements[0].hops[0];
        let mut count = 0;
        while let Some(Reverse(Rank(cost, length, node))) = queue.pop() {
            let known = missing[node];
            if (cost, length) > (known.cost, known.length.into()) {
                continue;
            }
            let end = NodeId::try_from(node).unwrap_or(NodeId::MAX);
            let length = known.length + 1;
            for (first, to) in Neighbours::new(runner.graph, end, flipped(direction)) {
                count += 1;
                if count > most || !runner.expand(1) {
                    return Ok(None);
                }
                let is_dead = direction == Direction::Right && runner.graph.needs_a_start(first);
                if is_dead || !self.suits(runner, pattern, None, first, to)? {
                    continue;
                }
                let cost = cost + self.cost(runner, first, pattern)?;
                let known = &mut missing[to as usize];
                if (cost, length) < (known.cost, known.length) {
                    *known = Way { cost, length, first };
                    queue.push(Reverse(Rank(cost, length.into(), to as usize)));
                }
            }
        }
        runner.hold(size_of_val(missing.as_slice()) as u64);
        Ok(Some(missing.into()))
    }

    /// The least path that is known for all rows, if this row can go along it; it is not to cost what its derivation does.
    pub(super) fn least(&self, runner: &mut Runner<'g>, rest: &Rest, target: NodeId) -> Least {
        let element = &self.elements[0];
        let is_one = self.wanted == Wanted::Paths(1) && self.select.pattern.inner.is_none();
        let may_be_long = element.most.is_none() || self.by == By::Length;
        let Rest::Shared(ways) = rest else {
            return Least::Unknown;
        };
        let way = |node: NodeId| ways.get(node as usize).filter(|way| way.cost.is_finite());
        let Some(first) = way(self.from).filter(|_| self.fits(runner, target, element.end).unwrap_or(true))
        else {
            return Least::Nothing;
        };
        if !(is_one && may_be_long && element.least <= 1) || self.derives {
            return Least::Unknown;
        }
        if element.most.is_some_and(|most| u64::from(first.length) > most) {
            return Least::Nothing;
        }
        let mut path = Vec::new();
        let mut node = self.from;
        while node != target {
            let Some(way) = way(node) else {
                return Least::Unknown;
            };
            if element.hops[0].1 == Direction::Right && !runner.may_follow(way.first, self.from) {
                return Least::Unknown;
            }
            let (start, end) = runner.graph.ends(way.first);
            node = if start == node { end } else { start };
            path.push((way.first, node, 0));
        }
        let goes_on = runner.expand(path.len() as u64);
        if goes_on {
            Least::Path(path)
        } else {
            Least::Unknown
        }
    }

    /// Whether searches of many rows have gone to this end, and the node where this one begins does not hold it.
    pub(super) fn is_vain(&self, runner: &mut Runner<'g>, target: NodeId) -> bool {
        let key = self.key(target);
        let least = u64::from(runner.graph.nodes()) / PART;
        let known = runner.rests.known.get(&key);
        let hops = &self.elements[0].hops;
        self.is_simple()
            && known.is_some_and(|shared| shared.searches >= SINGLE && shared.spent >= least)
            && hops.iter().all(|hop| hop.1 == Direction::Right)
            && runner.leads(self.from, target) == Some(false)
    }

    /// What searches by the same pattern to the same end are known by.
    fn key(&self, target: NodeId) -> (usize, NodeId) {
        (std::ptr::from_ref(self.select).addr(), target)
    }

    /// Remembers how many relationships a search to an end went over.
    pub(super) fn spent(&self, runner: &mut Runner<'g>, target: NodeId, count: u64) {
        if !self.select.is_common || !self.used.is_empty() {
            return;
        }
        let key = self.key(target);
        let known = &mut runner.rests.known;
        if known.len() >= ENDS && !known.contains_key(&key) {
            let bytes = |shared: &Shared| shared.rest.as_ref().map_or(0, |rest| size_of_val(&**rest));
            let bytes: usize = known.values().map(bytes).sum();
            known.clear();
            runner.release(bytes as u64);
        }
        let shared = runner.rests.known.entry(key).or_default();
        shared.searches += 1;
        shared.spent += count;
    }

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
