//! The product of graph and pattern: where paths can go.
//!
//! **Trap.** It is made where a search comes to; only a search without a known end makes all of it.

use rustc_hash::FxHashMap;

use super::super::arithmetic::float;
use super::super::ast::{By, Direction, Expr, LinkPattern, Mode, NodePattern};
use super::super::error::{Fault, QueryError, Result};
use super::super::run::Runner;
use super::super::search::Neighbours;
use super::super::show;
use super::super::value::{LinkId, NodeId, Value};
use super::super::wanted::Wanted;
use super::{Search, Select};

/// Bytes of a vertex without its edges, roughly.
const VERTEX: usize = 96;

/// A part of the pattern: a relationship, or a path, that is gone through some number of times.
pub(super) struct Element<'q> {
    pub(super) hops: Vec<(&'q LinkPattern, Direction, Option<&'q NodePattern>)>,
    /// The first node of a repeated path.
    pub(super) first: Option<&'q NodePattern>,
    pub(super) filter: Option<&'q Expr>,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
    /// The node behind it, and its place in the row.
    pub(super) end: &'q NodePattern,
    pub(super) end_slot: usize,
    pub(super) end_bound: bool,
}

/// The element a path is in, how often it went through it, and where in it.
pub(super) type State = (usize, u64, usize);

pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) link: LinkId,
    pub(super) cost: f64,
    pub(super) element: usize,
    pub(super) inner: usize,
}

/// Nodes in states, by number.
pub(super) struct Product {
    pub(super) vertices: Vec<(NodeId, State)>,
    places: FxHashMap<(NodeId, State), usize>,
    /// Of a vertex, once a search came to it: whether paths may end there, and where they go on.
    opened: Vec<Option<(bool, Vec<Edge>)>>,
}

impl Product {
    pub(super) fn new(from: NodeId) -> Self {
        let first = (from, (0, 0, 0));
        Self {
            vertices: vec![first],
            places: FxHashMap::from_iter([(first, 0)]),
            opened: vec![None],
        }
    }

    fn place(&mut self, vertex: (NodeId, State)) -> usize {
        *self.places.entry(vertex).or_insert_with(|| {
            self.vertices.push(vertex);
            self.opened.push(None);
            self.vertices.len() - 1
        })
    }

    pub(super) fn edges(&self, vertex: usize) -> &[Edge] {
        self.opened[vertex].as_ref().map_or(&[], |(_, edges)| edges)
    }

    pub(super) fn accepts(&self, vertex: usize) -> bool {
        self.opened[vertex].as_ref().is_some_and(|(accepts, _)| *accepts)
    }
}

pub(super) fn flipped(direction: Direction) -> Direction {
    match direction {
        Direction::Left => Direction::Right,
        Direction::Right => Direction::Left,
        Direction::Both => Direction::Both,
    }
}

/// The parts of a pattern in the order in which it is searched.
pub(super) fn elements<'q>(select: &Select<'q>) -> Vec<Element<'q>> {
    let pattern = select.pattern;
    let mut found = Vec::new();
    for (at, (link, node)) in pattern.hops.iter().enumerate() {
        let before = if at == 0 {
            &pattern.start
        } else {
            &pattern.hops[at - 1].1
        };
        let turned = |direction| {
            if select.backward {
                flipped(direction)
            } else {
                direction
            }
        };
        let (end, end_at) = if select.backward {
            (before, at)
        } else {
            (node, at + 1)
        };
        let (least, most) = link
            .length
            .map_or((1, Some(1)), |length| (length.least, length.most));
        let mut element = Element {
            hops: vec![(link, turned(link.direction), None)],
            first: None,
            filter: None,
            least,
            most,
            end,
            end_slot: select.nodes[end_at],
            end_bound: select.bound[end_at],
        };
        if let Some(group) = &link.group {
            let inner = &group.pattern;
            let nodes: Vec<&NodePattern> = std::iter::once(&inner.start)
                .chain(inner.hops.iter().map(|(_, node)| node))
                .collect();
            let count = inner.hops.len();
            element.hops = (0..count)
                .map(|at| {
                    let place = if select.backward { count - 1 - at } else { at };
                    let arrives = nodes[if select.backward { place } else { place + 1 }];
                    (
                        &inner.hops[place].0,
                        turned(inner.hops[place].0.direction),
                        Some(arrives),
                    )
                })
                .collect();
            element.first = Some(nodes[if select.backward { count } else { 0 }]);
            element.filter = group.filter.as_ref();
        }
        found.push(element);
    }
    if select.backward {
        found.reverse();
    }
    found
}

impl<'g> Search<'_, 'g> {
    /// The states that a path is in at a node, without going on.
    fn closure(&self, runner: &mut Runner<'g>, node: NodeId, state: State) -> Result<Vec<State>> {
        let mut found = vec![state];
        let (mut at, mut count, inner) = state;
        while inner == 0
            && let Some(element) = self.elements.get(at)
        {
            let is_there = !element.end_bound
                || matches!(self.row[element.end_slot], Value::Node(bound) if bound == node);
            if count < element.least || !is_there || !self.fits(runner, node, element.end)? {
                break;
            }
            (at, count) = (at + 1, 0);
            found.push((at, 0, 0));
        }
        Ok(found)
    }

    /// Finds out what can be done at a vertex, unless that is known.
    pub(super) fn open(&self, runner: &mut Runner<'g>, product: &mut Product, vertex: usize) -> Result<()> {
        if product.opened[vertex].is_some() {
            return Ok(());
        }
        let (node, state) = product.vertices[vertex];
        let states = self.closure(runner, node, state)?;
        let accepts = states.last().is_some_and(|state| state.0 == self.elements.len());
        let mut edges = Vec::new();
        for (element, count, inner) in states {
            if element < self.elements.len() {
                self.edges(
                    runner,
                    node,
                    (element, count, inner),
                    &mut |link, cost, vertex| {
                        edges.push(Edge {
                            to: product.place(vertex),
                            link,
                            cost,
                            element,
                            inner,
                        });
                    },
                )?;
            }
        }
        runner.hold((edges.len() * size_of::<Edge>() + VERTEX) as u64);
        product.opened[vertex] = Some((accepts, edges));
        Ok(())
    }

    /// Makes the whole product.
    pub(super) fn open_all(&self, runner: &mut Runner<'g>, product: &mut Product) -> Result<()> {
        let mut next = 0;
        while next < product.vertices.len() && !runner.is_stopped() {
            self.open(runner, product, next)?;
            next += 1;
        }
        Ok(())
    }

    /// Gives back what a product took.
    pub(super) fn forget(runner: &mut Runner<'g>, product: &Product) {
        let bytes = |(_, edges): &(bool, Vec<Edge>)| edges.len() * size_of::<Edge>() + VERTEX;
        let all: usize = product.opened.iter().flatten().map(bytes).sum();
        runner.release(all as u64);
    }

    /// The relationships by which a path can go on from a state.
    fn edges(
        &self,
        runner: &mut Runner<'g>,
        node: NodeId,
        (at, count, inner): State,
        found: &mut dyn FnMut(LinkId, f64, (NodeId, State)),
    ) -> Result<()> {
        let element = &self.elements[at];
        if inner == 0 {
            let is_over = element.most.is_some_and(|most| count >= most);
            if is_over
                || !element
                    .first
                    .map_or(Ok(true), |first| self.fits(runner, node, first))?
            {
                return Ok(());
            }
        }
        let (pattern, direction, arrives) = element.hops[inner];
        let wanted = runner.link_properties(pattern, self.frame())?;
        for (link, to) in Neighbours::new(runner.graph, node, direction) {
            if !runner.expand(1) {
                return Ok(());
            }
            if !self.admits(runner, (pattern, direction), wanted.as_ref(), link, to)?
                || !arrives.map_or(Ok(true), |arrives| self.fits(runner, to, arrives))?
            {
                continue;
            }
            let state = if inner + 1 < element.hops.len() {
                (at, count, inner + 1)
            } else if element.most.is_none() {
                (at, (count + 1).min(element.least), 0)
            } else {
                (at, count + 1, 0)
            };
            let cost = self.cost(runner, link, pattern)?;
            found(link, cost, (to, state));
        }
        Ok(())
    }

    /// Whether a path may go over a relationship to a node; `direction` is that of the pattern.
    pub(super) fn admits(
        &self,
        runner: &mut Runner<'g>,
        (pattern, direction): (&'g LinkPattern, Direction),
        wanted: Option<&Value>,
        link: LinkId,
        to: NodeId,
    ) -> Result<bool> {
        Ok(!self.used.contains(&link)
            && (direction != Direction::Right || runner.may_follow(link, self.from))
            && self.suits(runner, pattern, wanted, link, to)?)
    }

    /// Whether a relationship, and the node that it leads to, are as the pattern wants them.
    pub(super) fn suits(
        &self,
        runner: &mut Runner<'g>,
        pattern: &'g LinkPattern,
        wanted: Option<&Value>,
        link: LinkId,
        to: NodeId,
    ) -> Result<bool> {
        Ok(runner.is_link(link, pattern, wanted, self.frame())?
            && self.is_each(runner, &Value::Link(link), &self.select.each_link)?
            && self.is_each(runner, &Value::Node(to), &self.select.each_node)?)
    }

    pub(super) fn cost(
        &self,
        runner: &mut Runner<'g>,
        link: LinkId,
        pattern: &'g LinkPattern,
    ) -> Result<f64> {
        if self.by == By::Length {
            return Ok(1.0);
        }
        let value = match &pattern.cost {
            None => runner.graph.link_property(link, "cost"),
            Some(cost) => {
                let name = pattern.name.as_ref().map_or("", |name| &name.text);
                runner.locals.push((name.to_owned(), Value::Link(link)));
                let value = runner.eval(cost, self.frame());
                runner.locals.pop();
                value?
            }
        };
        let number = float(&value).filter(|cost| cost.is_finite() && *cost >= 0.0);
        let is_endless = self.mode == Mode::Walk && matches!(self.wanted, Wanted::Groups(_));
        match number {
            Some(0.0) if is_endless => {
                let message = "walks over relationships that cost nothing never end";
                Err(QueryError::new(Fault::Argument, pattern.span, message).help("use TRAIL or ACYCLIC"))
            }
            Some(cost) => Ok(cost),
            None => {
                let shown = show::text(&Value::Link(link), runner.graph);
                let message = format!(
                    "a cost is a number that is not negative; that of {shown} is {}",
                    value.kind()
                );
                Err(QueryError::new(Fault::Argument, pattern.span, message)
                    .help("say what it costs: COST r.effort"))
            }
        }
    }
}
