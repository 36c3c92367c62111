//! Paths that a selector, a mode or a repeated path asks for.
//!
//! The pattern is a small automaton: its states say which part of the pattern a path is in, and how often it went
//! through it. Nodes of the graph in states of the automaton are a graph of their own, the *product*; every condition
//! of the pattern is tested once for each of its relationships. Paths through it are taken from a queue, the least
//! first, so that a selector stops when it has enough.
//!
//! **Trap.** What is known about walks does not hold for trails: the second shortest trail may begin with a detour
//! that no shortest one takes. Partial paths are dropped only where [`Search::drops`] says why that is right.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rustc_hash::FxHashMap;

use super::ast::{By, Direction, Expr, LinkPattern, Mode, Name, NodePattern, Take};
use super::data::Held;
use super::error::{Fault, QueryError, Result};
use super::matching::Select;
use super::run::{Frame, Runner};
use super::search::{Emit, Matching, is_second_loop, neighbour};
use super::value::{LinkId, NodeId, Value};
use super::wanted::{Rank, Taken, Wanted};

/// A part of the pattern: a relationship, or a path, that is gone through some number of times.
struct Element<'q> {
    hops: Vec<(&'q LinkPattern, Direction, Option<&'q NodePattern>)>,
    /// The first node of a repeated path.
    first: Option<&'q NodePattern>,
    filter: Option<&'q Expr>,
    least: u64,
    most: Option<u64>,
    /// The node behind it, and its place in the row.
    end: &'q NodePattern,
    end_slot: usize,
    end_bound: bool,
}

/// The element a path is in, how often it went through it, and where in it.
type State = (usize, u64, usize);

struct Edge {
    to: usize,
    link: LinkId,
    cost: f64,
    element: usize,
    inner: usize,
}

#[derive(Default)]
struct Product {
    vertices: Vec<(NodeId, State)>,
    edges: Vec<Vec<Edge>>,
    accepts: Vec<bool>,
}

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
}

/// Partial paths, and the order in which they are taken.
struct Open {
    parts: Vec<Part>,
    queue: BinaryHeap<Reverse<Rank>>,
}

/// Where paths must end, and whether partial ones are dropped.
#[derive(Clone, Copy)]
struct Goal {
    target: Option<NodeId>,
    drops: bool,
    /// An end that is asked for apart.
    except: Option<NodeId>,
}

struct Search<'m, 'q> {
    select: &'m Select<'q>,
    elements: Vec<Element<'q>>,
    names: &'m [String],
    row: Vec<Value>,
    used: Vec<LinkId>,
    from: NodeId,
    held: Option<Held>,
    wanted: Wanted,
    by: By,
    mode: Mode,
}

fn flipped(direction: Direction) -> Direction {
    match direction {
        Direction::Left => Direction::Right,
        Direction::Right => Direction::Left,
        Direction::Both => Direction::Both,
    }
}

/// The parts of a pattern in the order in which it is searched.
fn elements<'q>(select: &Select<'q>) -> Vec<Element<'q>> {
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

impl<'g> Runner<'g> {
    /// Goes on with each path that a pattern selects.
    pub(crate) fn select(
        &mut self,
        matching: &mut Matching<'_, '_>,
        at: usize,
        select: &Select<'_>,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let begin = if select.backward {
            select.nodes.len() - 1
        } else {
            0
        };
        let Value::Node(from) = matching.row[select.nodes[begin]] else {
            return Ok(true);
        };
        let selection = select.pattern.selection.as_ref();
        let elements = elements(select);
        let is_along = elements
            .iter()
            .flat_map(|element| &element.hops)
            .any(|(_, direction, _)| *direction == Direction::Right);
        let search = Search {
            select,
            elements,
            names: &matching.plan.names,
            row: matching.row.clone(),
            used: matching.used.clone(),
            from,
            held: if is_along { self.held_from(from) } else { None },
            wanted: self.wanted_paths(selection.map(|selection| &selection.take))?,
            by: selection.map_or(By::Length, |selection| selection.by),
            mode: selection
                .and_then(|selection| selection.mode)
                .unwrap_or(Mode::Trail),
        };
        let product = search.product(self)?;
        let target = search.target();
        let drops = search.drops();
        // Back to where it began without regard to direction, the least way may use a relationship twice.
        let apart = drops && search.mode != Mode::Walk && target.is_none() && search.has_both();
        let mut goal = Goal {
            target: Some(from),
            drops: false,
            except: None,
        };
        if apart && !search.paths(self, &product, goal, (matching, at), emit)? {
            return Ok(false);
        }
        goal = Goal {
            target,
            drops: drops && (target != Some(from) || !search.has_both()),
            except: apart.then_some(from),
        };
        search.paths(self, &product, goal, (matching, at), emit)
    }

    fn wanted_paths(&mut self, take: Option<&Take>) -> Result<Wanted> {
        Ok(match take {
            None | Some(Take::All) => Wanted::All,
            Some(Take::Paths(count)) => Wanted::Paths(self.path_count(count)?),
            Some(Take::Groups(count)) => {
                Wanted::Groups(usize::try_from(self.path_count(count)?).unwrap_or(usize::MAX))
            }
        })
    }

    fn path_count(&mut self, count: &Expr) -> Result<u64> {
        let value = self.eval(count, Frame { names: &[], row: &[] })?;
        match value {
            Value::Int(number) if number >= 1 => Ok(number.unsigned_abs()),
            _ => {
                let message = "the number of paths is a whole number of at least 1";
                Err(QueryError::new(Fault::Argument, count.span, message))
            }
        }
    }
}

impl<'q> Search<'_, 'q> {
    fn frame(&self) -> Frame<'_> {
        Frame {
            names: self.names,
            row: &self.row,
        }
    }

    fn has_both(&self) -> bool {
        self.elements
            .iter()
            .flat_map(|element| &element.hops)
            .any(|hop| hop.1 == Direction::Both)
    }

    /// Whether a partial path can be dropped when as many as are wanted reached its vertex before.
    ///
    /// Of walks that is right: any of the others takes its place, and what follows is the same. Of trails and acyclic
    /// paths it is right for the first group only, and if a least way never meets a node twice by itself: it goes
    /// through one relationship, repeated, at least once or not at all.
    fn drops(&self) -> bool {
        let has_filter = self
            .elements
            .iter()
            .any(|element| element.filter.is_some() && element.hops.len() > 1);
        if self.wanted == Wanted::All || self.select.pattern.inner.is_some() || has_filter {
            return false;
        }
        if self.mode == Mode::Walk {
            return true;
        }
        let is_first = matches!(self.wanted, Wanted::Paths(1) | Wanted::Groups(1));
        let is_simple = matches!(&self.elements[..], [one] if one.hops.len() == 1 && one.first.is_none() && one.least <= 1);
        is_first && is_simple
    }

    fn fits(&self, runner: &mut Runner<'_>, node: NodeId, pattern: &NodePattern) -> Result<bool> {
        if !runner.is_node(node, pattern) {
            return Ok(false);
        }
        if let Some(properties) = &pattern.properties {
            let wanted = runner.eval(properties, self.frame())?;
            if !runner.has_properties(&Value::Node(node), &wanted) {
                return Ok(false);
            }
        }
        let Some(filter) = &pattern.filter else {
            return Ok(true);
        };
        let name = pattern.name.as_ref().map_or("", |name| &name.text);
        runner.locals.push((name.to_owned(), Value::Node(node)));
        let truth = runner.is_true(filter, self.frame());
        runner.locals.pop();
        truth
    }

    /// The states that a path is in at a node, without going on.
    fn closure(&self, runner: &mut Runner<'_>, node: NodeId, state: State) -> Result<Vec<State>> {
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

    fn product(&self, runner: &mut Runner<'_>) -> Result<Product> {
        let mut product = Product::default();
        let mut places: FxHashMap<(NodeId, State), usize> = FxHashMap::default();
        places.insert((self.from, (0, 0, 0)), 0);
        product.vertices.push((self.from, (0, 0, 0)));
        let mut next = 0;
        while let Some((node, state)) = product.vertices.get(next).copied() {
            let states = self.closure(runner, node, state)?;
            product
                .accepts
                .push(states.last().is_some_and(|state| state.0 == self.elements.len()));
            let mut edges = Vec::new();
            for (element, count, inner) in states {
                if element < self.elements.len() {
                    self.edges(
                        runner,
                        node,
                        (element, count, inner),
                        &mut |link, cost, vertex| {
                            let to = *places.entry(vertex).or_insert_with(|| {
                                product.vertices.push(vertex);
                                product.vertices.len() - 1
                            });
                            edges.push(Edge {
                                to,
                                link,
                                cost,
                                element,
                                inner,
                            });
                        },
                    )?;
                }
            }
            product.edges.push(edges);
            next += 1;
        }
        Ok(product)
    }

    /// The relationships by which a path can go on from a state.
    fn edges(
        &self,
        runner: &mut Runner<'_>,
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
        let mut index = 0;
        while let Some((link, to)) = neighbour(runner.graph, node, direction, index) {
            index += 1;
            if !runner.expand(1) {
                return Ok(());
            }
            let held = self.held.as_ref().filter(|_| direction == Direction::Right);
            if is_second_loop(runner.graph, (node, to), direction, index)
                || self.used.contains(&link)
                || !runner.may_follow(link, held)
                || !runner.is_link(link, pattern, wanted.as_ref(), self.frame())?
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

    fn cost(&self, runner: &mut Runner<'_>, link: LinkId, pattern: &LinkPattern) -> Result<f64> {
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
        let number = super::eval::float(&value).filter(|cost| cost.is_finite() && *cost >= 0.0);
        let is_endless = self.mode == Mode::Walk && matches!(self.wanted, Wanted::Groups(_));
        match number {
            Some(0.0) if is_endless => {
                let message = "walks over relationships that cost nothing never end";
                Err(QueryError::new(Fault::Argument, pattern.span, message).help("use TRAIL or ACYCLIC"))
            }
            Some(cost) => Ok(cost),
            None => {
                let shown = super::show::text(&Value::Link(link), runner.graph);
                let message = format!(
                    "a cost is a number that is not negative; that of {shown} is {}",
                    value.kind()
                );
                Err(QueryError::new(Fault::Argument, pattern.span, message)
                    .help("say what it costs: COST r.effort"))
            }
        }
    }

    /// The least that is missing from each vertex to an end; infinite where none can be reached.
    ///
    /// Without a target it is 0 where any end can be reached, as each end is asked for by itself.
    fn missing(product: &Product, target: Option<NodeId>) -> Vec<f64> {
        let count = product.vertices.len();
        let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        for (from, edges) in product.edges.iter().enumerate() {
            for edge in edges {
                into[edge.to].push((from, if target.is_some() { edge.cost } else { 0.0 }));
            }
        }
        let mut missing = vec![f64::INFINITY; count];
        let mut queue = BinaryHeap::new();
        for (vertex, (node, _)) in product.vertices.iter().enumerate() {
            if product.accepts[vertex] && target.is_none_or(|target| target == *node) {
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
        missing
    }

    /// The node that paths must end at, if it is known.
    fn target(&self) -> Option<NodeId> {
        let last = self.elements.last()?;
        match (last.end_bound, &self.row[last.end_slot]) {
            (true, Value::Node(target)) => Some(*target),
            _ => None,
        }
    }

    /// Takes paths from the queue, the least first, and goes on with those that are wanted.
    fn paths<'g>(
        &self,
        runner: &mut Runner<'g>,
        product: &Product,
        goal: Goal,
        (matching, at): (&mut Matching<'_, '_>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let missing = Self::missing(product, goal.target);
        let mut open = Open {
            parts: vec![Part {
                parent: None,
                vertex: 0,
                link: 0,
                element: 0,
                inner: 0,
                cost: 0.0,
                length: 0,
            }],
            queue: BinaryHeap::from([Reverse(Rank(missing[0], 0, 0))]),
        };
        let mut ends: BTreeMap<NodeId, Taken> = BTreeMap::new();
        let mut passed: FxHashMap<usize, Taken> = FxHashMap::default();
        while let Some(Reverse(Rank(rank, _, last))) = open.queue.pop() {
            let part = open.parts[last];
            let node = product.vertices[part.vertex].0;
            let is_full = |end: &NodeId, cost: f64| {
                let taken = ends.get(end);
                taken.is_some_and(|taken| taken.is_full(cost, self.wanted))
            };
            if rank.is_infinite() {
                continue;
            }
            if goal.target.is_some_and(|target| is_full(&target, rank)) {
                break;
            }
            let is_end = product.accepts[part.vertex]
                && goal.target.is_none_or(|target| target == node)
                && goal.except != Some(node)
                && !is_full(&node, part.cost);
            if goal.drops {
                let before = passed.entry(part.vertex).or_default();
                if !before.take(part.cost, self.wanted) {
                    continue;
                }
            }
            if is_end {
                let path = trace(&open.parts, last, product);
                if let Some(row) = self.bound(runner, &path)? {
                    ends.entry(node).or_default().take(part.cost, self.wanted);
                    let base = matching.used.len();
                    matching.used.extend(path.iter().map(|step| step.0));
                    let before = std::mem::replace(&mut matching.row, row);
                    let goes_on = runner.op(matching, at + 1, emit);
                    matching.row = before;
                    matching.used.truncate(base);
                    if !goes_on? {
                        return Ok(false);
                    }
                }
            }
            if !self.extend(runner, product, &missing, &mut open, last)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts all paths that go one relationship further into the queue; whether the query goes on.
    fn extend(
        &self,
        runner: &mut Runner<'_>,
        product: &Product,
        missing: &[f64],
        open: &mut Open,
        last: usize,
    ) -> Result<bool> {
        let part = open.parts[last];
        for edge in &product.edges[part.vertex] {
            if !runner.expand(1) {
                return Ok(false);
            }
            let to = product.vertices[edge.to].0;
            let is_vain = missing[edge.to].is_infinite();
            if is_vain || self.is_repeated(&open.parts, last, product, edge.link, to) {
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
            };
            open.parts.push(next);
            if self.ends_well(runner, &open.parts, product)? {
                let rank = Rank(next.cost + missing[edge.to], next.length, open.parts.len() - 1);
                open.queue.push(Reverse(rank));
            } else {
                open.parts.pop();
            }
        }
        Ok(true)
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
    fn ends_well(&self, runner: &mut Runner<'_>, parts: &[Part], product: &Product) -> Result<bool> {
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

    /// The row of a whole path, if what it names twice agrees and the condition in its brackets holds.
    fn bound(&self, runner: &mut Runner<'_>, path: &[Step]) -> Result<Option<Vec<Value>>> {
        let mut row = self.row.clone();
        let mut set: Vec<usize> = Vec::new();
        let mut at = 0;
        let mut node = self.from;
        for (index, element) in self.elements.iter().enumerate() {
            let begin = at;
            while path.get(at).is_some_and(|step| step.2 == index) {
                node = path[at].1;
                at += 1;
            }
            let before = begin.checked_sub(1).map_or(self.from, |at| path[at].1);
            self.bind(&mut row, index, element, before, &path[begin..at]);
            let slot = element.end_slot;
            let is_other = !matches!(row[slot], Value::Node(known) if known == node);
            if (element.end_bound || set.contains(&slot)) && is_other {
                return Ok(None);
            }
            set.push(slot);
            row[slot] = Value::Node(node);
        }
        if let Some(inner) = &self.select.pattern.inner
            && !runner.is_true(
                inner,
                Frame {
                    names: self.names,
                    row: &row,
                },
            )?
        {
            return Ok(None);
        }
        Ok(Some(row))
    }

    /// Gives the relationships and inner names of an element their values, in the order of the text.
    fn bind(&self, row: &mut [Value], index: usize, element: &Element<'q>, before: NodeId, steps: &[Step]) {
        let backward = self.select.backward;
        let ordered = |mut items: Vec<Value>| {
            if backward {
                items.reverse();
            }
            Value::list(items)
        };
        let place = if backward {
            self.elements.len() - 1 - index
        } else {
            index
        };
        let link = &self.select.pattern.hops[place].0;
        let slot = self.select.links[place];
        let links: Vec<Value> = steps.iter().map(|step| Value::Link(step.0)).collect();
        row[slot] = match (link.length.is_none() && link.group.is_none(), links.first()) {
            (true, Some(one)) => one.clone(),
            _ => ordered(links),
        };
        let mut give = |name: Option<&Name>, items: Vec<Value>| {
            if let Some(slot) = name.and_then(|name| self.names.iter().position(|known| *known == name.text))
            {
                row[slot] = ordered(items);
            }
        };
        let Some(first) = element.first else { return };
        let width = element.hops.len();
        let rounds = || steps.chunks(width);
        for (inner, hop) in element.hops.iter().enumerate() {
            give(
                hop.0.name.as_ref(),
                rounds().map(|round| Value::Link(round[inner].0)).collect(),
            );
            let arrived = rounds().map(|round| Value::Node(round[inner].1)).collect();
            give(hop.2.and_then(|node| node.name.as_ref()), arrived);
        }
        let mut begins = vec![before];
        begins.extend(rounds().map(|round| round[width - 1].1));
        begins.truncate(steps.len() / width);
        give(first.name.as_ref(), begins.into_iter().map(Value::Node).collect());
    }
}

/// A relationship, the node it leads to, and the element it belongs to.
type Step = (LinkId, NodeId, usize);

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
