//! Paths from the queue, the least first.
//!
//! **Trap.** What a path costs by its derivation is known only when it is whole; until then it waits by the sum of its
//! own relationships, which is never more, and then once more by its whole cost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rustc_hash::FxHashMap;

use super::super::arithmetic::float;
use super::super::ast::{By, Mode, Name};
use super::super::error::Result;
use super::super::run::Runner;
use super::super::search::{Emit, Matching};
use super::super::value::{LinkId, NodeId, Value};
use super::super::wanted::{Rank, Taken};
use super::product::Product;
use super::rest::Rest;
use super::{Search, go_on};

/// The last step of a partial path.
#[derive(Clone, Copy)]
struct Part {
    parent: Option<usize>,
    vertex: usize,
    link: LinkId,
    element: usize,
    inner: usize,
    cost: f64,
    length: u64,
    /// Whether it is a whole path by now, with the cost of its derivation.
    whole: bool,
}

/// Where paths must end, and whether partial ones are dropped.
#[derive(Clone, Copy)]
pub(super) struct Goal {
    pub(super) target: Option<NodeId>,
    pub(super) drops: bool,
    /// An end that is asked for apart.
    pub(super) except: Option<NodeId>,
}

/// A search under way.
struct Paths<'p> {
    product: &'p mut Product,
    rest: &'p mut Rest,
    goal: Goal,
    parts: Vec<Part>,
    /// Partial paths in the order in which they are taken.
    queue: BinaryHeap<Reverse<Rank>>,
    ends: BTreeMap<NodeId, Taken>,
    passed: FxHashMap<usize, Taken>,
    /// What every path costs at least.
    floor: f64,
}

/// Partial paths that are taken before the search from the other end goes on.
const PATIENCE: usize = 256;
/// Bytes of a partial path.
const PART: usize = size_of::<Part>() + size_of::<Rank>();

impl<'g> Search<'_, 'g> {
    /// Takes paths from the queue, the least first, and goes on with those that are wanted.
    pub(super) fn paths(
        &self,
        runner: &mut Runner<'g>,
        product: &mut Product,
        rest: &mut Rest,
        goal: Goal,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let first = Part {
            parent: None,
            vertex: 0,
            link: 0,
            element: 0,
            inner: 0,
            cost: 0.0,
            length: 0,
            whole: false,
        };
        let mut paths = Paths {
            queue: BinaryHeap::from([Reverse(Rank(rest.of(0, self.from), 0, 0))]),
            product,
            rest,
            goal,
            parts: vec![first],
            ends: BTreeMap::new(),
            passed: FxHashMap::default(),
            floor: 0.0,
        };
        let (mut taken, mut patience) = (0, PATIENCE);
        let mut goes_on = true;
        while goes_on && let Some(Reverse(Rank(rank, order, last))) = paths.queue.pop() {
            let part = paths.parts[last];
            let node = paths.product.vertices[part.vertex].0;
            if rank.is_infinite() {
                continue;
            }
            taken += 1;
            if taken > patience {
                self.grow(runner, paths.rest, taken)?;
                patience = taken * 2;
                if let Some(target) = goal.target.filter(|_| self.derives && paths.floor == 0.0) {
                    let least =
                        runner.watched(|runner, stop| runner.graph.least_cost(self.from, target, stop));
                    paths.floor = f64::from(least);
                }
            }
            // What is missing may be known better by now.
            let better = paths.floor.max(part.cost + paths.rest.of(part.vertex, node));
            if !part.whole && better > rank {
                paths.queue.push(Reverse(Rank(better, order, last)));
                continue;
            }
            if goal
                .target
                .is_some_and(|target| self.is_full(&paths, target, rank))
            {
                break;
            }
            goes_on = self.visit(runner, &mut paths, last, (matching, at), emit)?;
        }
        runner.release((paths.parts.len() * PART) as u64);
        Self::forget(runner, paths.product);
        Ok(goes_on)
    }

    /// Whether no path of this cost is wanted to an end any more.
    fn is_full(&self, paths: &Paths<'_>, end: NodeId, cost: f64) -> bool {
        let taken = paths.ends.get(&end);
        taken.is_some_and(|taken| taken.is_full(cost, self.wanted))
    }

    /// Gives a partial path if it is whole, and goes on with it; whether the query goes on.
    fn visit(
        &self,
        runner: &mut Runner<'g>,
        paths: &mut Paths<'_>,
        last: usize,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let part = paths.parts[last];
        let node = paths.product.vertices[part.vertex].0;
        self.open(runner, paths.product, part.vertex)?;
        let is_end = paths.product.accepts(part.vertex)
            && paths.goal.target.is_none_or(|target| target == node)
            && paths.goal.except != Some(node)
            && (self.select.comes_back() || node != self.from || part.length == 0)
            && !self.is_full(paths, node, part.cost);
        if paths.goal.drops && !part.whole {
            let before = paths.passed.entry(part.vertex).or_default();
            if !before.take(part.cost, self.wanted) {
                return Ok(true);
            }
        }
        if is_end {
            let steps = trace(&paths.parts, last, paths.product);
            let whole = if part.whole {
                None
            } else {
                self.whole_cost(runner, &steps).filter(|cost| *cost > part.cost)
            };
            if let Some(cost) = whole {
                paths
                    .queue
                    .push(Reverse(Rank(cost, part.length, paths.parts.len())));
                let whole = true;
                paths.parts.push(Part { cost, whole, ..part });
                runner.hold(PART as u64);
            } else if let Some(row) = self.bound(runner, &steps)? {
                paths.ends.entry(node).or_default().take(part.cost, self.wanted);
                if !go_on(runner, &steps, row, (matching, at), emit)? {
                    return Ok(false);
                }
            }
        }
        if part.whole {
            return Ok(true);
        }
        self.extend(runner, paths, last)
    }

    /// What a whole path costs by its derivation, where that counts; infinitely much if there is none that goes along it,
    /// as when it needs what only its own end gives.
    fn whole_cost(&self, runner: &mut Runner<'g>, steps: &[Step]) -> Option<f64> {
        if !self.derives || !steps.iter().any(|step| runner.graph.is_joint(step.0)) {
            return None;
        }
        let path = self.path(steps);
        let cost = runner.watched(|runner, stop| runner.graph.path_cost(&path, stop))?;
        Some(float(&cost).unwrap_or(f64::INFINITY))
    }

    /// Puts all paths that go one relationship further into the queue; whether the query goes on.
    fn extend(&self, runner: &mut Runner<'g>, paths: &mut Paths<'_>, last: usize) -> Result<bool> {
        let part = paths.parts[last];
        let edges = paths.product.edges(part.vertex);
        let before = paths.parts.len();
        for edge in edges {
            if !runner.expand(1) {
                return Ok(false);
            }
            let to = paths.product.vertices[edge.to].0;
            let missing = paths.rest.of(edge.to, to);
            if missing.is_infinite() || self.is_repeated(&paths.parts, last, paths.product, edge.link, to) {
                continue;
            }
            let next = Part {
                parent: Some(last),
                vertex: edge.to,
                link: edge.link,
                element: edge.element,
                inner: edge.inner,
                cost: part.cost + edge.cost,
                length: part.length + 1,
                whole: false,
            };
            paths.parts.push(next);
            if self.ends_well(runner, &paths.parts, paths.product)? {
                // Of equal lengths the one that has come further is nearer to its end, and so it is of equal costs where
                // these are no more than bounds.
                let order = match self.by {
                    By::Cost if !self.derives => next.length,
                    _ => u64::MAX - next.length,
                };
                let rank = paths.floor.max(next.cost + missing);
                let rank = Rank(rank, order, paths.parts.len() - 1);
                paths.queue.push(Reverse(rank));
            } else {
                paths.parts.pop();
            }
        }
        Ok(runner.hold(((paths.parts.len() - before) * PART) as u64))
    }

    /// Whether the mode forbids to go on this way.
    fn is_repeated(&self, parts: &[Part], last: usize, product: &Product, link: LinkId, to: NodeId) -> bool {
        let mut at = Some(last);
        while self.mode != Mode::Walk
            && let Some(part) = at.map(|at| parts[at])
        {
            let is_repeated = match self.mode {
                Mode::Acyclic => product.vertices[part.vertex].0 == to,
                _ => part.parent.is_some() && part.link == link,
            };
            if is_repeated {
                return true;
            }
            at = part.parent;
        }
        false
    }

    /// Whether the repetition that the last part may end satisfies its condition.
    fn ends_well(&self, runner: &mut Runner<'g>, parts: &[Part], product: &Product) -> Result<bool> {
        let last = parts.len() - 1;
        let element = &self.elements[parts[last].element];
        if element.first.is_none() || parts[last].inner + 1 < element.hops.len() {
            return Ok(true);
        }
        let path = trace(parts, last, product);
        let round = &path[path.len() - element.hops.len()..];
        let before = path
            .len()
            .checked_sub(element.hops.len() + 1)
            .map_or(self.from, |at| path[at].1);
        let mut names: Vec<(&Name, Value)> = Vec::new();
        let nodes = std::iter::once((element.first, before))
            .chain(round.iter().zip(&element.hops).map(|(step, hop)| (hop.2, step.1)));
        for (pattern, node) in nodes {
            let Some(name) = pattern.and_then(|pattern| pattern.name.as_ref()) else {
                continue;
            };
            let known = names.iter().find(|(known, _)| known.text == name.text);
            if let Some((_, Value::Node(known))) = known
                && *known != node
            {
                return Ok(false);
            }
            names.push((name, Value::Node(node)));
        }
        for (step, hop) in round.iter().zip(&element.hops) {
            names.extend(hop.0.name.as_ref().map(|name| (name, Value::Link(step.0))));
        }
        let Some(filter) = element.filter else {
            return Ok(true);
        };
        let base = runner.locals.len();
        runner
            .locals
            .extend(names.into_iter().map(|(name, value)| (name.text.clone(), value)));
        let truth = runner.is_true(filter, self.frame());
        runner.locals.truncate(base);
        truth
    }
}

/// A relationship, the node it leads to, and the element it belongs to.
pub(super) type Step = (LinkId, NodeId, usize);

fn trace(parts: &[Part], last: usize, product: &Product) -> Vec<Step> {
    let mut path = Vec::new();
    let mut at = last;
    while let Some(parent) = parts[at].parent {
        path.push((
            parts[at].link,
            product.vertices[parts[at].vertex].0,
            parts[at].element,
        ));
        at = parent;
    }
    path.reverse();
    path
}
