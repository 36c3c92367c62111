//! The k cheapest derivations of a position.
//!
//! A best-first search from the target backwards: a state is a derivation under construction ([`Partial`]), its
//! bound the dearest open position's lower cost plus what was chosen above it. Where derivations share nothing
//! this bound is exact and the search walks straight to the answer. Alternatives of one position come one after
//! the other, in the order of their bounds, as in Eppstein's and in Huang and Chiang's k-best algorithms.
//!
//! Sources: P. E. Hart et al., "A Formal Basis for the Heuristic Determination of Minimum Cost Paths" (1968);
//! L. Huang and D. Chiang, "Better k-best Parsing" (2005).
//!
//! **Trap.** Finding the cheapest derivation when premises share steps is as hard as set cover, so the search ends
//! after a fixed number of states; then the answer is a derivation that may not be the cheapest, and says so.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::partial::Partial;
use super::reach::Premises;
use super::{Cost, Derivation, Reach, Stop, reuse};
use crate::graph::{AttackGraph, Rows, StepId, VertexId};

/// States that one search looks at before it gives up proving, unless told otherwise: some tens of milliseconds.
const STATES: usize = 20_000;

/// States between two questions whether to stop.
const PULSE: usize = 64;

/// States that counting derivations, or finding one along given steps, looks at.
const COUNTED: usize = 2_000;

/// Answers questions about one set of starts.
#[derive(Debug)]
pub struct Solver<'a> {
    graph: &'a AttackGraph,
    rows: &'a Rows,
    starts: Vec<VertexId>,
    upper: Reach,
    lower: Reach,
    states: usize,
    /// What was ranked already: searches for many targets meet at the same positions, some with many steps.
    ranked: Mutex<FxHashMap<VertexId, Ranked>>,
}

/// What waits in the queue.
enum Waiting {
    /// A derivation under construction.
    Partial(Partial),
    /// The alternatives of one open position of a derivation, from a rank on.
    Rest {
        partial: Rc<Partial>,
        position: VertexId,
        above: Cost,
        ranked: Ranked,
        rank: usize,
    },
}

/// The steps to one position with the least that each costs, cheapest first.
type Ranked = Arc<[(Cost, StepId)]>;

struct Search<'a> {
    solver: &'a Solver<'a>,
    /// Bound, then the deepest, then the oldest; the number is the place in `waiting`.
    queue: BinaryHeap<Reverse<(Cost, Reverse<usize>, usize)>>,
    waiting: Vec<Option<Waiting>>,
    /// What costs this or more is not looked at.
    ceiling: Cost,
    /// Positions that are derived by a certain step.
    only: Option<&'a FxHashMap<VertexId, StepId>>,
}

impl<'a> Solver<'a> {
    /// Solves for everything that someone can hold who holds `starts`; `rows` are those of `graph`.
    ///
    /// # Complexity
    /// Two passes of [`Reach::new`].
    pub fn new(graph: &'a AttackGraph, rows: &'a Rows, starts: &[VertexId]) -> Self {
        let reach = |premises| Reach::new(rows, starts, premises);
        Self::of(graph, rows, starts, [reach(Premises::Sum), reach(Premises::Max)])
    }

    /// As [`Solver::new`], but gives up, with `None`, soon after `stop` says so.
    pub fn unless(
        graph: &'a AttackGraph,
        rows: &'a Rows,
        starts: &[VertexId],
        stop: Stop<'_>,
    ) -> Option<Self> {
        let reach = |premises| Reach::unless(rows, starts, premises, stop);
        Some(Self::of(
            graph,
            rows,
            starts,
            [reach(Premises::Sum)?, reach(Premises::Max)?],
        ))
    }

    fn of(graph: &'a AttackGraph, rows: &'a Rows, starts: &[VertexId], [upper, lower]: [Reach; 2]) -> Self {
        Self {
            graph,
            rows,
            starts: starts.to_vec(),
            upper,
            lower,
            states: STATES,
            ranked: Mutex::default(),
        }
    }

    /// Returns the solver with another number of states that one search may look at, 20,000 being usual.
    #[must_use]
    pub fn with_states(self, states: usize) -> Self {
        Self { states, ..self }
    }

    /// What any derivation of a position costs at least; [`Cost::NEVER`] if it cannot be held.
    pub fn least(&self, position: VertexId) -> Cost {
        self.lower.cost(position)
    }

    /// What can be held, each by the last step of a cheap derivation.
    pub fn reach(&self) -> &Reach {
        &self.upper
    }

    /// Returns the cheapest derivations of a position, at most `count`, cheapest first.
    ///
    /// They differ in at least one technique, premise or conclusion of a step. The first one costs the least there
    /// is if it is [`Derivation::proven`]; a position that can be held has always one. A start has one without
    /// steps.
    ///
    /// # Complexity
    /// At most as many states as the solver may look at, each of the length of a derivation times its premises.
    ///
    /// # Example
    /// ```text
    ///          3         1            The login costs 3 + 1 + 1 + 1 = 6: breaking into the web pod is paid once,
    /// internet --> web -----> secret ---\ 1     although both premises of the join rest on it.
    ///               \----> port ---------> database
    ///                   1
    /// ```
    pub fn cheapest(&self, target: VertexId, count: usize) -> Vec<Derivation> {
        self.cheapest_unless(target, count, &|| false)
    }

    /// As [`Solver::cheapest`], but soon after `stop` says so the answer is what was found by then.
    pub fn cheapest_unless(&self, target: VertexId, count: usize, stop: Stop<'_>) -> Vec<Derivation> {
        let Some(mut first) = self.upper.derivation(self.rows, target).filter(|_| count > 0) else {
            return Vec::new();
        };
        if first.cost > self.lower.cost(target)
            && let Some(other) = reuse::derivation(self.rows, &self.upper, target, stop)
            && other.cost < first.cost
        {
            first = other;
        }
        if first.steps.is_empty() || (count == 1 && first.cost == self.lower.cost(target)) {
            first.proven = true;
            return vec![first];
        }
        let ceiling = if count == 1 { first.cost } else { Cost::NEVER };
        let mut search = Search::new(self, target, ceiling);
        let (mut found, ended) = search.run(target, count, (self.states, stop));
        if found.is_empty() {
            first.proven = ended;
            found.push(first);
        }
        found
    }

    /// Returns the cheapest derivation of a position in which some positions are each derived by a certain step;
    /// `None` if there is none, and soon after `stop` says so.
    ///
    /// # Complexity
    /// As [`Solver::cheapest`] with at most 2,000 states. Where these do not suffice, the answer is a derivation that may
    /// not be the cheapest; if that begins with its own end, two passes of [`Reach::new`] find another.
    pub fn along(
        &self,
        only: &FxHashMap<VertexId, StepId>,
        target: VertexId,
        stop: Stop<'_>,
    ) -> Option<Derivation> {
        if self.lower.cost(target) == Cost::ZERO {
            return Some(Derivation::collect(self.rows, target, |_| None));
        }
        let mut search = Search::new(self, target, Cost::NEVER);
        search.only = Some(only);
        let (found, ended) = search.run(target, 1, (self.states.min(COUNTED), stop));
        if ended || stop() {
            return found.into_iter().next().filter(|_| !stop());
        }
        let step_to = |position| {
            only.get(&position)
                .copied()
                .or_else(|| self.upper.last_step(position))
        };
        let derivation = Derivation::collect(self.rows, target, step_to);
        if derivation.holds(self.rows, &self.starts) {
            return Some(derivation);
        }
        let is_other = |step| {
            let only = only.get(&self.rows.conclusion(step));
            only.is_some_and(|only| *only != step)
        };
        let rows = self.rows.without(is_other);
        let solver = Solver::unless(self.graph, &rows, &self.starts, stop)?;
        solver.cheapest_unless(target, 1, stop).into_iter().next()
    }

    /// Returns how many derivations a position has, at most `most`, and whether these are all.
    ///
    /// # Complexity
    /// At most 2,000 states, or as many as the solver may look at if these are fewer.
    pub fn count(&self, target: VertexId, most: usize) -> (usize, bool) {
        if !self.upper.is_held(target) {
            return (0, true);
        }
        let mut search = Search::new(self, target, Cost::NEVER);
        let (found, ended) = search.run(target, most, (self.states.min(COUNTED), &|| false));
        (found.len().max(1), ended && found.len() < most)
    }

    /// The steps to a position, those left out that cannot be carried out or repeat another one.
    fn ranked(&self, position: VertexId) -> Ranked {
        let known = || self.ranked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ranked) = known().get(&position) {
            return Arc::clone(ranked);
        }
        let ranked = self.rank(position);
        known().insert(position, Arc::clone(&ranked));
        ranked
    }

    fn rank(&self, position: VertexId) -> Ranked {
        let mut seen = FxHashSet::default();
        let mut ranked: Vec<(Cost, StepId)> = Vec::new();
        for &step in self.rows.steps_to(position) {
            let premises = self.rows.premises(step);
            let dearest = premises.iter().map(|&premise| self.lower.cost(premise)).max();
            let dearest = dearest.unwrap_or_default();
            let reason = self.graph.step(step).reason.label();
            if dearest != Cost::NEVER && seen.insert((reason, premises)) {
                ranked.push((dearest + Cost::of(self.rows.weight(step)), step));
            }
        }
        ranked.sort_unstable();
        ranked.into()
    }
}

impl<'a> Search<'a> {
    fn new(solver: &'a Solver<'a>, target: VertexId, ceiling: Cost) -> Self {
        let mut search = Self {
            solver,
            queue: BinaryHeap::new(),
            waiting: Vec::new(),
            ceiling,
            only: None,
        };
        let partial = Partial::new(target, &solver.lower);
        search.push(Waiting::Partial(partial), solver.lower.cost(target), 0);
        search
    }

    /// The steps to a position that may be chosen.
    fn ranked(&self, position: VertexId) -> Ranked {
        let Some(step) = self.only.and_then(|only| only.get(&position)) else {
            return self.solver.ranked(position);
        };
        let premises = self.solver.rows.premises(*step).iter();
        let dearest = premises.map(|premise| self.solver.lower.cost(*premise)).max();
        let known = dearest.filter(|dearest| *dearest != Cost::NEVER);
        known.map(|dearest| (dearest, *step)).into_iter().collect()
    }

    fn push(&mut self, waiting: Waiting, bound: Cost, depth: usize) {
        if bound < self.ceiling {
            self.queue
                .push(Reverse((bound, Reverse(depth), self.waiting.len())));
            self.waiting.push(Some(waiting));
        }
    }

    /// Looks at some states; returns what was found, and whether nothing cheaper is left.
    fn run(
        &mut self,
        target: VertexId,
        count: usize,
        (states, stop): (usize, Stop<'_>),
    ) -> (Vec<Derivation>, bool) {
        let (rows, lower) = (self.solver.rows, &self.solver.lower);
        let mut found = Vec::new();
        for looked in 0..states {
            if looked % PULSE == 0 && stop() {
                break;
            }
            let Some(Reverse((_, _, number))) = self.queue.pop() else {
                return (found, true);
            };
            match self.waiting[number].take() {
                Some(Waiting::Partial(partial)) => {
                    if let Some(position) = partial.next(lower) {
                        let above = partial.above(rows, position);
                        let ranked = self.ranked(position);
                        self.alternative(Rc::new(partial), position, above, ranked, 0);
                        continue;
                    }
                    let mut derivation =
                        Derivation::collect(rows, target, |position| partial.step_to(position));
                    derivation.proven = true;
                    found.push(derivation);
                    if found.len() == count {
                        return (found, true);
                    }
                }
                Some(Waiting::Rest {
                    partial,
                    position,
                    above,
                    ranked,
                    rank,
                }) => {
                    let chosen = ranked[rank].1;
                    if let Some(next) = partial.choose(rows, lower, position, chosen) {
                        let (bound, depth) = (next.bound(), next.depth());
                        self.push(Waiting::Partial(next), bound, depth);
                    }
                    self.alternative(partial, position, above, ranked, rank + 1);
                }
                None => {}
            }
        }
        (found, false)
    }

    /// Queues the alternatives of a position from this rank on, if there are any.
    fn alternative(
        &mut self,
        partial: Rc<Partial>,
        position: VertexId,
        above: Cost,
        ranked: Ranked,
        rank: usize,
    ) {
        if let Some(&(least, _)) = ranked.get(rank) {
            let (bound, depth) = (partial.bound().max(least + above), partial.depth());
            let rest = Waiting::Rest {
                partial,
                position,
                above,
                ranked,
                rank,
            };
            self.push(rest, bound, depth);
        }
    }
}
