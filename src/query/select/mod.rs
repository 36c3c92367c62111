//! Paths that a selector, a mode, a repeated path or `shortestPath` asks for.
//!
//! The pattern is a small automaton: its states say which part of the pattern a path is in, and how often it went
//! through it. Nodes of the graph in states of the automaton are a graph of their own, the *product*; every condition
//! of the pattern is tested once for each of its relationships. Paths through it are taken from a queue, the least
//! first, so that a selector stops when it has enough. Between two known ends the search begins at both.
//!
//! **Trap.** What is known about walks does not hold for trails: the second shortest trail may begin with a detour
//! that no shortest one takes. Partial paths are dropped only where [`Search::drops`] says why that is right.

mod plan;
mod product;
mod queue;
mod reach;
mod rest;

use super::ast::{By, Direction, Expr, Mode, Name, NodePattern, Shortest, Take};
use super::error::{Fault, QueryError, Result};
use super::run::{Frame, Runner};
use super::search::{Emit, Matching};
use super::value::{LinkId, NodeId, PathValue, Value};
use super::wanted::Wanted;
use product::{Element, Product, elements};
use queue::{Goal, Step};
use rest::{Least, Rest};

pub(crate) use plan::{Each, Select, each, is_common_link};
pub(crate) use reach::Leading;
pub(crate) use rest::Rests;

struct Search<'m, 'q> {
    select: &'m Select<'q>,
    elements: Vec<Element<'q>>,
    names: &'m [String],
    row: Vec<Value>,
    used: Vec<LinkId>,
    from: NodeId,
    /// The node that paths must end at, if it is known.
    target: Option<NodeId>,
    wanted: Wanted,
    by: By,
    mode: Mode,
    /// Whether a path costs what its derivation does, which is more than its own relationships where one of them needs
    /// several things.
    derives: bool,
}

impl<'g> Runner<'g> {
    /// Goes on with each path that a pattern selects.
    pub(crate) fn select(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        select: &Select<'g>,
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
        let search = self.search(matching, select, from)?;
        if !search.is_each(self, &Value::Node(from), &select.each_node)? {
            return Ok(true);
        }
        if select.asks_ends
            && let Some(goes_on) = search.ends(self, (matching, at), &mut *emit)?
        {
            return Ok(goes_on);
        }
        if search.asks_solver() {
            return search.solved(self, (matching, at), emit);
        }
        search.all(self, (matching, at), emit)
    }

    fn search<'m>(
        &mut self,
        matching: &Matching<'m, 'g>,
        select: &'m Select<'g>,
        from: NodeId,
    ) -> Result<Search<'m, 'g>> {
        let selection = select.pattern.selection.as_ref();
        let wanted = match select.pattern.shortest {
            Some(Shortest::One) => Wanted::Paths(1),
            Some(Shortest::All) => Wanted::Groups(1),
            None => self.wanted_paths(selection.map(|selection| &selection.take))?,
        };
        let mut search = Search {
            select,
            elements: elements(select),
            names: &matching.plan.names,
            row: matching.row.clone(),
            used: matching.used.clone(),
            from,
            target: None,
            wanted,
            by: selection.map_or(By::Length, |selection| selection.by),
            mode: selection
                .and_then(|selection| selection.mode)
                .unwrap_or(Mode::Trail),
            derives: false,
        };
        let last = search.elements.last();
        search.target = last.and_then(|last| match (last.end_bound, &search.row[last.end_slot]) {
            (true, Value::Node(target)) => Some(*target),
            _ => None,
        });
        let mut hops = search.elements.iter().flat_map(|element| &element.hops);
        search.derives = search.by == By::Cost
            && self.graph.has_joint()
            && hops.all(|(link, direction, _)| *direction == Direction::Right && link.cost.is_none());
        Ok(search)
    }

    fn wanted_paths(&mut self, take: Option<&'g Take>) -> Result<Wanted> {
        Ok(match take {
            None | Some(Take::All) => Wanted::All,
            Some(Take::Paths(count)) => Wanted::Paths(self.path_count(count)?),
            Some(Take::Groups(count)) => {
                Wanted::Groups(usize::try_from(self.path_count(count)?).unwrap_or(usize::MAX))
            }
        })
    }

    fn path_count(&mut self, count: &'g Expr) -> Result<u64> {
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

impl<'g> Search<'_, 'g> {
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
    /// through one relationship, repeated, at least once or not at all. It is never right where the cost of a path is
    /// that of its derivation, as what follows may share steps with one of them and not with the other.
    fn drops(&self) -> bool {
        let has_filter = self
            .elements
            .iter()
            .any(|element| element.filter.is_some() && element.hops.len() > 1);
        if self.wanted == Wanted::All || self.select.pattern.inner.is_some() || has_filter || self.derives {
            return false;
        }
        if self.mode == Mode::Walk {
            return true;
        }
        let is_first = matches!(self.wanted, Wanted::Paths(1) | Wanted::Groups(1));
        let is_simple = matches!(&self.elements[..], [one] if one.hops.len() == 1 && one.first.is_none() && one.least <= 1);
        is_first && is_simple
    }

    fn fits(&self, runner: &mut Runner<'g>, node: NodeId, pattern: &'g NodePattern) -> Result<bool> {
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

    /// Whether the conditions on every item of a path hold for one.
    fn is_each(&self, runner: &mut Runner<'g>, item: &Value, conditions: &[Each<'g>]) -> Result<bool> {
        for condition in conditions {
            runner.locals.push((condition.name.text.clone(), item.clone()));
            let value = runner.eval(condition.filter, self.frame());
            runner.locals.pop();
            if value?.equals(&Value::Bool(!condition.negated)) != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the pattern is one relationship, perhaps repeated, and nothing else.
    fn is_simple(&self) -> bool {
        matches!(&self.elements[..], [one] if one.hops.len() == 1 && one.first.is_none())
    }

    /// Whether every path along the arrows is as good as any other, so that the solver knows the cheapest.
    fn asks_solver(&self) -> bool {
        let is_open = |element: &Element<'g>| {
            let link = element.hops[0].0;
            let has_conditions = link.types.is_some() || link.properties.is_some() || link.filter.is_some();
            !has_conditions && element.least <= 1 && element.most.is_none()
        };
        self.derives
            && self.wanted == Wanted::Paths(1)
            && self.is_simple()
            && is_open(&self.elements[0])
            && self.select.pattern.inner.is_none()
            && self.used.is_empty()
    }

    /// The cheapest path to each end, from the solver; back to where it begins, which the solver holds, by search.
    fn solved(
        &self,
        runner: &mut Runner<'g>,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let ends: Vec<NodeId> = match self.target {
            Some(target) => vec![target],
            None => (0..runner.graph.nodes()).collect(),
        };
        let held = runner.held_from(self.from);
        for end in ends {
            if !runner.expand(1) {
                return Ok(false);
            }
            let is_held = held.as_ref().is_none_or(|held| held.contains(end));
            if end == self.from || !is_held || !self.fits(runner, end, self.elements[0].end)? {
                continue;
            }
            let found = runner.watched(|runner, stop| runner.graph.cheapest(self.from, end, stop));
            let Some(path) = found else { continue };
            let steps: Vec<Step> = path
                .links
                .iter()
                .zip(&path.nodes[1..])
                .map(|(link, node)| (*link, *node, 0))
                .collect();
            if let Some(row) = self.bound(runner, &steps)?
                && !go_on(runner, &steps, row, (matching, at), emit)?
            {
                return Ok(false);
            }
        }
        if self.target.is_none_or(|target| target == self.from) {
            return self.between(runner, self.from, (matching, at), emit);
        }
        Ok(true)
    }

    /// All selected paths by search.
    fn all(
        &self,
        runner: &mut Runner<'g>,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        if let Some(target) = self.target {
            return self.between(runner, target, (matching, at), emit);
        }
        let mut product = Product::new(self.from);
        self.open_all(runner, &mut product)?;
        // Back to where it began without regard to direction, the least way may use a relationship twice.
        let apart = self.drops() && self.mode != Mode::Walk && self.has_both();
        if apart {
            let mut rest = Rest::known(&product, Some(self.from));
            let goal = Goal {
                target: Some(self.from),
                drops: false,
                except: None,
            };
            if !self.paths(runner, &mut product, &mut rest, goal, (matching, at), emit)? {
                return Ok(false);
            }
        }
        let goal = Goal {
            target: None,
            drops: self.drops(),
            except: apart.then_some(self.from),
        };
        let mut rest = Rest::known(&product, None);
        self.paths(runner, &mut product, &mut rest, goal, (matching, at), emit)
    }

    /// The selected paths to one end.
    fn between(
        &self,
        runner: &mut Runner<'g>,
        target: NodeId,
        (matching, at): (&mut Matching<'_, 'g>, usize),
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let goal = Goal {
            target: Some(target),
            drops: self.drops() && (target != self.from || !self.has_both()),
            except: None,
        };
        if target == self.from && !self.select.comes_back() && self.elements[0].least > 0 {
            return Ok(true);
        }
        if target != self.from && self.is_vain(runner, target) {
            return Ok(true);
        }
        let before = runner.budget.expansions;
        let mut product = Product::new(self.from);
        let mut rest = if self.is_simple() {
            match self.shared(runner, target) {
                Some(rest) => rest,
                None => self.meeting(runner, target)?,
            }
        } else {
            self.open_all(runner, &mut product)?;
            Rest::known(&product, Some(target))
        };
        if target != self.from {
            match self.least(runner, &rest, target) {
                Least::Nothing => return Ok(true),
                Least::Path(steps) => {
                    if let Some(row) = self.bound(runner, &steps)? {
                        return go_on(runner, &steps, row, (matching, at), emit);
                    }
                }
                Least::Unknown => {}
            }
        }
        let goes_on = self.paths(runner, &mut product, &mut rest, goal, (matching, at), emit)?;
        let count = runner.budget.expansions - before;
        self.spent(runner, target, count);
        Ok(goes_on)
    }

    /// The path of these steps.
    fn path(&self, steps: &[Step]) -> PathValue {
        PathValue {
            nodes: std::iter::once(self.from)
                .chain(steps.iter().map(|step| step.1))
                .collect(),
            links: steps.iter().map(|step| step.0).collect(),
        }
    }

    /// The row of a whole path, if what it names twice agrees and the condition in its brackets holds.
    fn bound(&self, runner: &mut Runner<'g>, path: &[Step]) -> Result<Option<Vec<Value>>> {
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
    fn bind(&self, row: &mut [Value], index: usize, element: &Element<'g>, before: NodeId, steps: &[Step]) {
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

/// Goes on with a whole path and its row; whether the query goes on.
fn go_on<'g>(
    runner: &mut Runner<'g>,
    path: &[Step],
    row: Vec<Value>,
    (matching, at): (&mut Matching<'_, 'g>, usize),
    emit: Emit<'_, 'g>,
) -> Result<bool> {
    let base = matching.used.len();
    matching.used.extend(path.iter().map(|step| step.0));
    let before = std::mem::replace(&mut matching.row, row);
    let goes_on = runner.op(matching, at + 1, emit);
    matching.row = before;
    matching.used.truncate(base);
    goes_on
}
