//! How a MATCH is carried out: where its patterns begin, in which order they grow, and when conditions are tested.
//!
//! A pattern begins at the node with the fewest candidates (a bound variable, an id, the rarest label) and grows from
//! there to both sides. Conditions of WHERE are tested as soon as all their names are bound.
//!
//! **Trap.** Nodes and relationships without a name have a place in the row too, behind the named ones; it is cut off
//! from what a MATCH gives.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::ast::{
    Comparison, Direction, Expr, ExprKind, Labels, LinkPattern, Name, NodePattern, Operator, Pattern,
};
use super::data::Graph;
use super::error::{Fault, QueryError, Result};
use super::select::{Select, each, is_common_link};
use super::{estimate, walk};

/// Nodes of a label that are so few that a path is searched for to each of them.
const FEW: usize = 4;

/// So many nodes are tested in the time that it takes to go on with one.
const SCANNED: usize = 50;

/// Where the first node of a pattern comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'q> {
    /// The row has it already.
    Bound,
    /// An index of a property gives it.
    Property(&'q str, &'q Expr),
    /// An index of a property gives it, for each value of a list.
    Listed(&'q str, &'q Expr),
    /// All nodes of a label.
    Label(&'q str),
    /// All nodes.
    All,
}

/// One thing to do for each row.
#[derive(Debug)]
pub(crate) enum Op<'q> {
    Start {
        node: &'q NodePattern,
        slot: usize,
        source: Source<'q>,
    },
    Expand(Expand<'q>),
    Select(Select<'q>),
    /// Gives a named path its value.
    Path {
        slot: usize,
        elements: Vec<usize>,
    },
    /// Tests a condition.
    Filter(&'q Expr),
    /// Tests the properties of what a slot holds.
    Properties {
        slot: usize,
        properties: &'q Expr,
    },
}

/// Whether a pattern is searched for as a whole.
fn is_searched(pattern: &Pattern) -> bool {
    let has_group = pattern.hops.iter().any(|(link, _)| link.group.is_some());
    let is_selected = pattern.selection.is_some() || pattern.shortest.is_some();
    (is_selected || pattern.inner.is_some() || has_group) && !pattern.hops.is_empty()
}

/// Whether every relationship points from right to left.
fn is_backward(pattern: &Pattern) -> bool {
    pattern.hops.iter().all(|(link, _)| match &link.group {
        Some(group) => is_backward(&group.pattern),
        None => link.direction == Direction::Left,
    })
}

/// From one node over a relationship to another.
#[derive(Debug)]
pub(crate) struct Expand<'q> {
    pub(crate) link: &'q LinkPattern,
    pub(crate) link_slot: usize,
    /// Whether the row holds the relationship already.
    pub(crate) link_bound: bool,
    pub(crate) from: usize,
    pub(crate) node: &'q NodePattern,
    pub(crate) to: usize,
    /// Whether the row holds the node already.
    pub(crate) to_bound: bool,
    /// Whether it goes from right to left in the text.
    pub(crate) reversed: bool,
}

impl Expand<'_> {
    /// Whether it takes every relationship that there is.
    pub(crate) fn is_any(&self) -> bool {
        self.link.types.is_none() && self.node.labels.is_none()
    }

    /// Which way the relationships point, seen from where the expansion begins.
    pub(crate) fn direction(&self) -> Direction {
        match (self.link.direction, self.reversed) {
            (Direction::Left, true) => Direction::Right,
            (Direction::Right, true) => Direction::Left,
            (direction, _) => direction,
        }
    }
}

/// The operations of one MATCH.
#[derive(Debug)]
pub(crate) struct Plan<'q> {
    /// Names and, behind them, places without a name.
    pub(crate) names: Vec<String>,
    width: usize,
    pub(crate) ops: Vec<Op<'q>>,
    /// Of each operation: how many rows it is expected to make of one.
    pub(crate) factors: Vec<f64>,
    /// Whether of the relationships of the last operation only the number is asked for.
    counts_last: bool,
    /// Whether its rows are only counted, group by group.
    tallies_last: bool,
    /// The number of the first operation among the operators of the query, if it was given one.
    first: Cell<Option<usize>>,
}

struct Planner<'q, 'g> {
    graph: &'g dyn Graph,
    plan: Plan<'q>,
    /// Names that hold a value by now.
    bound: BTreeSet<String>,
    /// Names that this MATCH gives a value.
    new: BTreeSet<String>,
    waiting: Vec<(BTreeSet<String>, Op<'q>)>,
    conjuncts: Vec<&'q Expr>,
    /// Where the path of a pattern goes that has no name.
    path: Option<usize>,
}

/// A pattern with the slots of its nodes and relationships.
struct Placed<'q> {
    pattern: &'q Pattern,
    nodes: Vec<(&'q NodePattern, usize)>,
    links: Vec<(&'q LinkPattern, usize)>,
}

impl<'q> Plan<'q> {
    /// Plans the patterns for rows of these names.
    pub(crate) fn new(
        graph: &dyn Graph,
        patterns: &'q [Pattern],
        filter: Option<&'q Expr>,
        names: &[String],
    ) -> Result<Self> {
        Self::made(graph, patterns, filter, names, false)
    }

    /// Plans a pattern without a name, whose path is the last value of the rows that it gives.
    pub(crate) fn of_path(graph: &dyn Graph, pattern: &'q Pattern, names: &[String]) -> Result<Self> {
        Self::made(graph, std::slice::from_ref(pattern), None, names, true)
    }

    fn made(
        graph: &dyn Graph,
        patterns: &'q [Pattern],
        filter: Option<&'q Expr>,
        names: &[String],
        gives_path: bool,
    ) -> Result<Self> {
        let mut planner = Planner {
            graph,
            plan: Plan {
                names: names.to_vec(),
                width: 0,
                ops: Vec::new(),
                factors: Vec::new(),
                counts_last: false,
                tallies_last: false,
                first: Cell::new(None),
            },
            bound: names.iter().cloned().collect(),
            new: BTreeSet::new(),
            waiting: Vec::new(),
            conjuncts: Vec::new(),
            path: None,
        };
        for name in patterns.iter().flat_map(walk::pattern_names) {
            if !planner.plan.names.contains(&name.text) {
                planner.plan.names.push(name.text.clone());
                planner.new.insert(name.text.clone());
            }
        }
        if gives_path {
            planner.path = Some(planner.slot(None));
        }
        planner.plan.width = planner.plan.names.len();
        if let Some(filter) = filter {
            walk::conjuncts(filter, &mut planner.conjuncts);
        }
        let mut open: Vec<Placed<'q>> = patterns.iter().map(|pattern| planner.place(pattern)).collect();
        planner.schedule_conditions(&open)?;
        planner.release();
        while !open.is_empty() {
            let costs = open.iter().map(|placed| planner.start(placed).1);
            let best = costs
                .enumerate()
                .min_by_key(|(_, cost)| *cost)
                .map_or(0, |(at, _)| at);
            let placed = open.remove(best);
            planner.pattern(&placed)?;
        }
        debug_assert!(planner.waiting.is_empty(), "all names are bound at the end");
        // Relationships that a path goes over are no others' of the same MATCH, so there it must be known which.
        let is_alone = patterns.iter().map(|pattern| pattern.hops.len()).sum::<usize>() == 1 && !gives_path;
        for op in &mut planner.plan.ops {
            if let Op::Select(select) = op {
                select.asks_ends = is_alone && select.asks_ends();
            }
        }
        Ok(planner.plan)
    }

    /// Lets the last operation count relationships instead of going over each, if nothing else about them is asked;
    /// `used` are the names that are. Whether it does.
    pub(crate) fn count_last(&mut self, used: &BTreeSet<String>) -> bool {
        let is_unused = |slot: usize| !used.contains(&self.names[slot]);
        let expand = match self.ops.last() {
            Some(Op::Expand(expand)) => expand,
            Some(Op::Select(select)) => {
                let (slot, is_bound) = select.end();
                self.counts_last = select.asks_ends && !is_bound && is_unused(slot);
                return self.counts_last;
            }
            _ => return false,
        };
        let link = expand.link;
        let is_bound = expand.link_bound || expand.to_bound || link.length.is_some();
        let has_conditions = link.properties.is_some() || link.filter.is_some();
        self.counts_last =
            !is_bound && !has_conditions && is_unused(expand.link_slot) && is_unused(expand.to);
        self.counts_last
    }

    /// Whether an operation counts relationships instead of going over each.
    pub(crate) fn counts(&self, at: usize) -> bool {
        self.counts_last && at + 1 == self.ops.len()
    }

    /// Lets the last operation count rows of known groups before they are made, if it can.
    pub(crate) fn tally_last(&mut self) {
        self.tallies_last = match self.ops.last() {
            Some(Op::Start { .. }) => true,
            Some(Op::Expand(expand)) => !expand.to_bound && expand.link.length.is_none(),
            Some(Op::Select(select)) => select.asks_ends && !select.end().1,
            _ => false,
        };
    }

    /// Whether an operation counts rows of known groups.
    pub(crate) fn tallies(&self, at: usize) -> bool {
        self.tallies_last && at + 1 == self.ops.len()
    }

    /// Which relationships the next operation goes over from where this one arrives.
    pub(crate) fn ahead(&self, at: usize) -> Option<Direction> {
        let arrived = match &self.ops[at] {
            Op::Expand(expand) => expand.to,
            Op::Start { slot, .. } => *slot,
            _ => return None,
        };
        match self.ops.get(at + 1) {
            Some(Op::Expand(next)) if next.from == arrived => {
                let is_counted = self.counts(at + 1) && next.is_any();
                (!is_counted).then(|| next.direction())
            }
            _ => None,
        }
    }

    /// Gives the operations numbers, from this one on.
    pub(crate) fn number(&self, first: usize) {
        self.first.set(Some(first));
    }

    /// The number of an operation; that of none if they have no numbers.
    pub(crate) fn operator(&self, at: usize) -> usize {
        self.first.get().map_or(usize::MAX, |first| first + at)
    }

    /// The names of the rows that the MATCH gives.
    pub(crate) fn names_after(&self) -> Vec<String> {
        self.names[..self.width].to_vec()
    }

    /// How many values a row has that the MATCH gives.
    pub(crate) fn width(&self) -> usize {
        self.width
    }
}

impl<'q> Planner<'q, '_> {
    fn slot(&mut self, name: Option<&Name>) -> usize {
        let known = name.and_then(|name| self.plan.names.iter().position(|known| *known == name.text));
        known.unwrap_or_else(|| {
            self.plan.names.push(String::new());
            self.plan.names.len() - 1
        })
    }

    fn place(&mut self, pattern: &'q Pattern) -> Placed<'q> {
        let mut placed = Placed {
            pattern,
            nodes: vec![(&pattern.start, self.slot(pattern.start.name.as_ref()))],
            links: Vec::new(),
        };
        for (link, node) in &pattern.hops {
            placed.links.push((link, self.slot(link.name.as_ref())));
            placed.nodes.push((node, self.slot(node.name.as_ref())));
        }
        placed
    }

    /// The names that an expression needs and that this MATCH binds.
    fn needs(&self, expr: &Expr) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        walk::names(expr, &mut names);
        names.retain(|name| self.new.contains(name));
        names
    }

    fn wait(&mut self, needs: BTreeSet<String>, op: Op<'q>) {
        self.waiting.push((needs, op));
    }

    /// Queues WHERE and the conditions within nodes and single relationships.
    fn schedule_conditions(&mut self, open: &[Placed<'q>]) -> Result<()> {
        let shortest: Vec<&Name> = open
            .iter()
            .filter(|placed| placed.pattern.shortest.is_some())
            .filter_map(|placed| placed.pattern.name.as_ref())
            .collect();
        for conjunct in self.conjuncts.clone() {
            let needs = self.needs(conjunct);
            let path = shortest.iter().find(|name| needs.contains(&name.text));
            match path {
                Some(path) if each(conjunct, path).is_none() => {
                    let message = "this condition on a shortest path is not supported by this engine";
                    let help = "all(x IN nodes(p) WHERE …) and none(…), over nodes(p) or relationships(p), are tested \
                                during the search; test others behind a WITH, which filters the paths that were found";
                    return Err(QueryError::new(Fault::NotSupported, conjunct.span, message).help(help));
                }
                Some(_) => {}
                None => self.wait(needs, Op::Filter(conjunct)),
            }
        }
        for placed in open {
            let begins = if is_backward(placed.pattern) {
                placed.links.len()
            } else {
                0
            };
            for (at, (node, slot)) in placed.nodes.iter().enumerate() {
                if is_searched(placed.pattern) && at != begins {
                    continue;
                }
                if let Some(filter) = &node.filter {
                    let needs = self.needs(filter);
                    self.wait(needs, Op::Filter(filter));
                }
                if let Some(properties) = &node.properties {
                    self.later(*slot, node.name.as_ref(), properties);
                }
            }
        }
        Ok(())
    }

    /// Queues a test of properties until the node and all they name are bound.
    fn later(&mut self, slot: usize, name: Option<&Name>, properties: &'q Expr) {
        let mut needs = self.needs(properties);
        match name {
            Some(name) if self.new.contains(&name.text) => {
                needs.insert(name.text.clone());
            }
            Some(_) => {}
            // Something without a name is bound under the number of its slot.
            None => {
                needs.insert(format!("\0{slot}"));
            }
        }
        self.wait(needs, Op::Properties { slot, properties });
    }

    /// Appends what can be tested now.
    fn release(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for (needs, op) in waiting {
            if needs.iter().all(|name| self.bound.contains(name)) {
                self.push(op);
            } else {
                self.waiting.push((needs, op));
            }
        }
    }

    /// Appends an operation, with a guess how many rows it makes of one.
    fn push(&mut self, op: Op<'q>) {
        let factor = estimate::factor(self.graph, &op);
        self.plan.ops.push(op);
        self.plan.factors.push(factor);
    }

    fn bind(&mut self, name: Option<&Name>, slot: usize) {
        self.bound
            .insert(name.map_or_else(|| format!("\0{slot}"), |name| name.text.clone()));
    }

    fn is_bound(&self, name: Option<&Name>) -> bool {
        name.is_some_and(|name| self.bound.contains(&name.text))
    }

    /// Whether an expression can be evaluated with what is bound.
    fn is_ready(&self, expr: &Expr) -> bool {
        self.needs(expr).iter().all(|name| self.bound.contains(name))
    }

    /// The source of a node, and how many candidates it gives.
    fn source(&self, node: &'q NodePattern) -> (Source<'q>, usize) {
        if self.is_bound(node.name.as_ref()) {
            return (Source::Bound, 0);
        }
        let entries = match node.properties.as_ref().map(|properties| &properties.kind) {
            Some(ExprKind::Map(entries)) => entries.as_slice(),
            _ => &[],
        };
        let given = entries.iter().map(|(key, value)| (key.text.as_str(), value));
        let name = node.name.as_ref();
        let asked = self
            .conjuncts
            .iter()
            .filter_map(|conjunct| equality(conjunct, name));
        let mut best = (Source::All, self.graph.nodes() as usize + 2);
        for (key, value) in given.chain(asked) {
            let count = estimate::of_value(self.graph, key);
            if self.graph.has_column(key) && self.is_ready(value) && count < best.1 {
                best = (Source::Property(key, value), count);
            }
        }
        for (key, list) in self
            .conjuncts
            .iter()
            .filter_map(|conjunct| membership(conjunct, name))
        {
            let count = estimate::of_list(self.graph, key, list);
            if self.graph.has_column(key) && self.is_ready(list) && count < best.1 {
                best = (Source::Listed(key, list), count);
            }
        }
        let labels: &[Labels] = match &node.labels {
            Some(Labels::And(all)) => all,
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for label in labels {
            if let Labels::Name(name) = label
                && let Some(nodes) = self.graph.with_label(&name.text)
                && nodes.len() + 2 < best.1
            {
                best = (Source::Label(&name.text), nodes.len() + 2);
            }
        }
        best
    }

    /// What it costs to begin at a node: how many of its candidates are gone on with, and a little for each that a
    /// condition leaves out.
    fn begin(&self, node: &'q NodePattern) -> usize {
        let (source, count) = self.source(node);
        let is_scan = matches!(source, Source::Label(_) | Source::All);
        let name = node.name.as_ref();
        let is_selective = |conjunct: &&Expr| narrows(conjunct, name) && self.needs(conjunct).len() == 1;
        if is_scan && self.conjuncts.iter().any(is_selective) {
            return count / estimate::NARROWED + count / SCANNED + 1;
        }
        count
    }

    /// Which node of a pattern to begin at, and how many candidates it has.
    fn start(&self, placed: &Placed<'q>) -> (usize, usize) {
        if is_searched(placed.pattern) {
            let at = if is_backward(placed.pattern) {
                placed.links.len()
            } else {
                0
            };
            return (at, self.begin(placed.nodes[at].0));
        }
        let costs = placed.nodes.iter().map(|(node, _)| self.begin(node));
        costs.enumerate().min_by_key(|(_, cost)| *cost).unwrap_or((0, 0))
    }

    fn pattern(&mut self, placed: &Placed<'q>) -> Result<()> {
        let (start, _) = self.start(placed);
        let (node, slot) = placed.nodes[start];
        let source = self.source(node).0;
        self.push(Op::Start { node, slot, source });
        self.bind(node.name.as_ref(), slot);
        self.release();
        if is_searched(placed.pattern) {
            let end = if start == 0 { placed.links.len() } else { 0 };
            self.known_end(placed.nodes[end], placed.nodes[start].1);
            self.searched(placed)?;
        } else {
            for at in start..placed.links.len() {
                self.expand(placed, at, at, at + 1)?;
            }
            for at in (0..start).rev() {
                self.expand(placed, at, at + 1, at)?;
            }
        }
        let name = placed.pattern.name.as_ref();
        if let Some(slot) = name.map(|name| self.slot(Some(name))).or(self.path) {
            let mut elements = vec![placed.nodes[0].1];
            for (at, (_, link)) in placed.links.iter().enumerate() {
                elements.extend([*link, placed.nodes[at + 1].1]);
            }
            self.push(Op::Path { slot, elements });
            self.bind(name, slot);
            self.release();
        }
        Ok(())
    }

    /// Binds the end of a searched path before the search if it is one of a few, as a search from both ends is fast.
    fn known_end(&mut self, (node, slot): (&'q NodePattern, usize), begin: usize) {
        if slot == begin || self.is_bound(node.name.as_ref()) {
            return;
        }
        let (source, count) = self.source(node);
        let is_one_of_few = match source {
            Source::Property(..) | Source::Listed(..) | Source::Label(_) => count <= FEW,
            Source::Bound | Source::All => false,
        };
        // A condition that is tested at the end of the search may name what is bound only.
        if is_one_of_few {
            self.push(Op::Start { node, slot, source });
            self.bind(node.name.as_ref(), slot);
            self.release();
        }
    }

    /// Plans the search for a path as a whole; its first node is bound.
    fn searched(&mut self, placed: &Placed<'q>) -> Result<()> {
        let pattern = placed.pattern;
        if let Some(name) = pattern
            .hops
            .iter()
            .filter_map(|(link, _)| link.name.as_ref())
            .find(|name| self.is_bound(Some(name)))
        {
            let message = "a relationship that is bound already cannot stand in a selected path";
            return Err(QueryError::new(Fault::NotSupported, name.span, message));
        }
        let begins = if is_backward(pattern) {
            placed.links.len()
        } else {
            0
        };
        self.conditions_are_ready(pattern, begins)?;
        let bound = |node: &NodePattern, slot: usize| {
            self.is_bound(node.name.as_ref()) || self.bound.contains(&format!("\0{slot}"))
        };
        let (mut each_node, mut each_link) = (Vec::new(), Vec::new());
        if let (Some(_), Some(path)) = (pattern.shortest, &pattern.name) {
            for (is_node, found) in self.conjuncts.iter().filter_map(|conjunct| each(conjunct, path)) {
                if is_node {
                    each_node.push(found);
                } else {
                    each_link.push(found);
                }
            }
        }
        let select = Select {
            pattern,
            nodes: placed.nodes.iter().map(|(_, slot)| *slot).collect(),
            links: placed.links.iter().map(|(_, slot)| *slot).collect(),
            bound: placed
                .nodes
                .iter()
                .map(|(node, slot)| bound(node, *slot))
                .collect(),
            backward: is_backward(pattern),
            each_node,
            each_link,
            asks_ends: false,
            is_common: pattern.hops.iter().all(|(link, _)| is_common_link(link)),
        };
        self.push(Op::Select(select));
        for (node, slot) in &placed.nodes {
            self.bind(node.name.as_ref(), *slot);
        }
        for (link, slot) in &placed.links {
            self.bind(link.name.as_ref(), *slot);
        }
        for name in walk::pattern_names(pattern) {
            if pattern.name.as_ref() != Some(name) {
                self.bound.insert(name.text.clone());
            }
        }
        self.release();
        Ok(())
    }

    /// Whether each condition within a searched pattern names only what is bound, and itself.
    fn conditions_are_ready(&self, pattern: &Pattern, begins: usize) -> Result<()> {
        let nodes = std::iter::once(&pattern.start).chain(pattern.hops.iter().map(|(_, node)| node));
        for (at, node) in nodes.enumerate() {
            let own: Vec<&Name> = node.name.iter().collect();
            if at != begins {
                self.is_local(node.properties.iter().chain(&node.filter), &own)?;
            }
        }
        for (link, _) in &pattern.hops {
            let own: Vec<&Name> = link.name.iter().collect();
            self.is_local(link.properties.iter().chain(&link.filter).chain(&link.cost), &own)?;
            if let Some(group) = &link.group {
                self.conditions_are_ready(&group.pattern, usize::MAX)?;
                self.is_local(group.filter.iter(), &walk::pattern_names(&group.pattern))?;
            }
        }
        Ok(())
    }

    fn is_local<'e>(&self, conditions: impl Iterator<Item = &'e Expr>, own: &[&Name]) -> Result<()> {
        for condition in conditions {
            let mut needs = self.needs(condition);
            needs.retain(|name| !self.bound.contains(name) && !own.iter().any(|own| own.text == *name));
            if !needs.is_empty() {
                let message = "a condition within a selected path that names another part of it is not supported by this engine";
                return Err(
                    QueryError::new(Fault::NotSupported, condition.span, message).help(
                        "put it behind WHERE within the brackets of the whole path: ((a)-->+(b) WHERE …)",
                    ),
                );
            }
        }
        Ok(())
    }

    fn expand(&mut self, placed: &Placed<'q>, at: usize, from: usize, to: usize) -> Result<()> {
        let (link, link_slot) = placed.links[at];
        let (node, to_slot) = placed.nodes[to];
        let link_bound = self.is_bound(link.name.as_ref());
        let to_bound = self.bound.contains(&format!("\0{to_slot}")) || self.is_bound(node.name.as_ref());
        for expr in link.properties.iter().chain(&link.filter) {
            let mut needs = self.needs(expr);
            needs.retain(|name| link.name.as_ref().is_none_or(|own| own.text != *name));
            if !needs.iter().all(|name| self.bound.contains(name)) {
                let message = "a condition in a relationship that names a later part of the pattern is not supported by \
                               this engine";
                return Err(QueryError::new(Fault::NotSupported, expr.span, message).help("move it to WHERE"));
            }
        }
        self.push(Op::Expand(Expand {
            link,
            link_slot,
            link_bound,
            from: placed.nodes[from].1,
            node,
            to: to_slot,
            to_bound,
            reversed: to < from,
        }));
        self.bind(link.name.as_ref(), link_slot);
        self.bind(node.name.as_ref(), to_slot);
        self.release();
        Ok(())
    }
}

/// `n.key IN list` for this variable.
fn membership<'q>(conjunct: &'q Expr, name: Option<&Name>) -> Option<(&'q str, &'q Expr)> {
    let ExprKind::Binary(Operator::In, left, list) = &conjunct.kind else {
        return None;
    };
    let name = name?;
    match &left.kind {
        ExprKind::Property(of, key) if is_variable(of, name) => Some((&key.text, list)),
        _ => None,
    }
}

fn is_variable(expr: &Expr, name: &Name) -> bool {
    matches!(&expr.kind, ExprKind::Variable(variable) if *variable == name.text)
}

/// Whether a condition asks for a part of a property of this variable, or for one of some values.
fn narrows(conjunct: &Expr, name: Option<&Name>) -> bool {
    let ExprKind::Binary(operator, left, _) = &conjunct.kind else {
        return false;
    };
    let is_narrow = matches!(
        operator,
        Operator::StartsWith | Operator::EndsWith | Operator::Contains | Operator::Matches | Operator::In
    );
    let is_own = |name| matches!(&left.kind, ExprKind::Property(of, _) if is_variable(of, name));
    is_narrow && name.is_some_and(is_own)
}

/// `n.key = value` or `value = n.key` for this variable.
fn equality<'q>(conjunct: &'q Expr, name: Option<&Name>) -> Option<(&'q str, &'q Expr)> {
    let ExprKind::Compare(first, rest) = &conjunct.kind else {
        return None;
    };
    let [(Comparison::Equal, second)] = rest.as_slice() else {
        return None;
    };
    let name = name?;
    for (left, right) in [(&**first, second), (second, &**first)] {
        if let ExprKind::Property(of, key) = &left.kind
            && is_variable(of, name)
        {
            return Some((&key.text, right));
        }
    }
    None
}
