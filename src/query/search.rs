//! Carrying out a plan: depth-first over its operations, with a search of its own for paths.
//!
//! One MATCH never uses a relationship twice.
//!
//! **Trap.** A search for paths that goes along the arrows follows a step with several premises only if the solver
//! holds all of them from where the path begins; a search against the arrows learns where it begins at its end, and
//! tests then. A search in both directions is no attack path and follows every relationship.

use super::ast::{Direction, Labels, Length, LinkPattern, NodePattern};
use super::data::Graph;
use super::error::Result;
use super::matching::{Expand, Op, Plan, Source};
use super::run::{Frame, Row, Runner};
use super::value::{LinkId, NodeId, PathValue, Value};

/// What happens with each row that matches; whether more are wanted.
pub(crate) type Emit<'e, 'g> = &'e mut dyn FnMut(&mut Runner<'g>, &[Value]) -> Result<bool>;

/// What one MATCH has at hand.
pub(crate) struct Matching<'p, 'q> {
    pub(crate) plan: &'p Plan<'q>,
    pub(crate) row: Row,
    pub(crate) used: Vec<LinkId>,
}

/// Whether a label expression holds for some labels.
pub(crate) fn holds(labels: &Labels, has: &dyn Fn(&str) -> bool, any: bool) -> bool {
    match labels {
        Labels::Name(name) => has(&name.text),
        Labels::Any => any,
        Labels::Not(inner) => !holds(inner, has, any),
        Labels::And(all) => all.iter().all(|inner| holds(inner, has, any)),
        Labels::Or(some) => some.iter().any(|inner| holds(inner, has, any)),
    }
}

/// The relationships at a node, seen in a direction, each once and with the node behind it.
pub(crate) struct Neighbours<'g> {
    now: std::slice::Iter<'g, (LinkId, NodeId)>,
    then: std::slice::Iter<'g, (LinkId, NodeId)>,
    /// The node, where both directions are seen: a loop is among the outgoing relationships and the incoming ones.
    node: Option<NodeId>,
}

impl<'g> Neighbours<'g> {
    pub(crate) fn new(graph: &'g dyn Graph, node: NodeId, direction: Direction) -> Self {
        let is_both = direction == Direction::Both;
        let now = if direction == Direction::Left {
            graph.incoming(node)
        } else {
            graph.outgoing(node)
        };
        let then = if is_both { graph.incoming(node) } else { &[] };
        Self {
            now: now.iter(),
            then: then.iter(),
            node: is_both.then_some(node),
        }
    }

    /// The next nodes, a few.
    fn some(&self) -> impl Iterator<Item = NodeId> + Clone {
        self.now.clone().take(FETCHED).map(|(_, node)| *node)
    }
}

/// Fetches the relationships of nodes that are gone over soon.
fn fetch(graph: &dyn Graph, nodes: impl Iterator<Item = NodeId> + Clone, direction: Direction) {
    if direction != Direction::Left {
        graph.fetch(&mut nodes.clone().take(FETCHED), true);
    }
    if direction != Direction::Right {
        graph.fetch(&mut nodes.take(FETCHED), false);
    }
}

/// Nodes whose relationships are fetched at once.
const FETCHED: usize = 64;

impl Iterator for Neighbours<'_> {
    type Item = (LinkId, NodeId);

    fn next(&mut self) -> Option<(LinkId, NodeId)> {
        if let Some(next) = self.now.next() {
            return Some(*next);
        }
        let node = self.node?;
        self.then.find(|(_, to)| *to != node).copied()
    }
}

/// How many of the relationships that operations before this one took begin at a node, or end there if they are seen
/// against their direction; none if the row alone does not tell.
fn used_at(matching: &Matching<'_, '_>, at: usize, node: NodeId, direction: Direction) -> Option<usize> {
    let mut used = 0;
    for op in &matching.plan.ops[..at] {
        let expand = match op {
            Op::Expand(expand) if expand.link.length.is_none() => expand,
            Op::Expand(_) | Op::Select(_) => return None,
            _ => continue,
        };
        let slot = match expand.direction() {
            Direction::Both => return None,
            own if own == direction => expand.from,
            _ => expand.to,
        };
        used += usize::from(matches!(matching.row[slot], Value::Node(other) if other == node));
    }
    Some(used)
}

impl<'g> Runner<'g> {
    /// Calls `emit` with each row that extends `row` and matches the plan.
    pub(crate) fn matches(&mut self, plan: &Plan<'g>, row: &[Value], emit: Emit<'_, 'g>) -> Result<bool> {
        let mut matching = Matching {
            plan,
            row: row.to_vec(),
            used: Vec::new(),
        };
        matching.row.resize(plan.names.len(), Value::Null);
        self.op(&mut matching, 0, emit)
    }

    pub(crate) fn op(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        if self.profile.is_none() {
            return self.operate(matching, at, emit);
        }
        let plan = matching.plan;
        if let Some(before) = at.checked_sub(1) {
            self.gave(plan.operator(before), self.weight);
        }
        self.timed(plan.operator(at), |runner| runner.operate(matching, at, emit))
    }

    fn operate(&mut self, matching: &mut Matching<'_, 'g>, at: usize, emit: Emit<'_, 'g>) -> Result<bool> {
        let plan = matching.plan;
        let frame = |row| Frame {
            names: &plan.names,
            row,
        };
        match plan.ops.get(at) {
            None => emit(self, &matching.row[..plan.width()]),
            Some(Op::Filter(filter)) => {
                if self.is_true(filter, frame(&matching.row))? {
                    return self.op(matching, at + 1, emit);
                }
                Ok(true)
            }
            Some(Op::Properties { slot, properties }) => {
                let value = matching.row[*slot].clone();
                let wanted = self.eval(properties, frame(&matching.row))?;
                if self.has_properties(&value, &wanted) {
                    return self.op(matching, at + 1, emit);
                }
                Ok(true)
            }
            Some(Op::Path { slot, elements }) => {
                matching.row[*slot] = self.path(&matching.row, elements);
                self.op(matching, at + 1, emit)
            }
            Some(Op::Start { node, slot, source }) => self.start(matching, at, node, *slot, *source, emit),
            Some(Op::Select(select)) => self.select(matching, at, select, emit),
            Some(Op::Expand(expand)) => match expand.link.length {
                Some(length) if expand.link_bound => self.bound_path(matching, at, expand, length, emit),
                Some(length) => self.paths(matching, at, expand, length, emit),
                None if plan.counts(at) => self.counted(matching, at, expand, emit),
                None => self.single_hop(matching, at, expand, emit),
            },
        }
    }

    fn start(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        node: &'g NodePattern,
        slot: usize,
        source: Source<'g>,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let graph = self.graph;
        match source {
            Source::Bound => {
                let Value::Node(bound) = matching.row[slot] else {
                    return Ok(true);
                };
                if !self.is_node(bound, node) {
                    return Ok(true);
                }
                self.op(matching, at + 1, emit)
            }
            Source::Label(label) => {
                let is_all = matches!(&node.labels, Some(Labels::Name(name)) if name.text == label);
                let found = graph.with_label(label).unwrap_or_default().iter().copied();
                self.candidates(matching, at, (node, slot, is_all), found, emit)
            }
            Source::Property(key, value) => {
                let frame = Frame {
                    names: &matching.plan.names,
                    row: &matching.row,
                };
                let value = self.eval(value, frame)?;
                let found = graph.column(key).map_or(&[][..], |column| column.nodes(&value));
                self.candidates(matching, at, (node, slot, false), found.iter().copied(), emit)
            }
            Source::Listed(key, list) => {
                let frame = Frame {
                    names: &matching.plan.names,
                    row: &matching.row,
                };
                // The condition is tested again, and says what is wrong with anything but a list.
                let Value::List(values) = self.eval(list, frame)? else {
                    return self.candidates(matching, at, (node, slot, false), 0..graph.nodes(), emit);
                };
                let column = graph.column(key);
                let mut found: Vec<NodeId> = column
                    .into_iter()
                    .flat_map(|column| values.iter().flat_map(|value| column.nodes(value)))
                    .copied()
                    .collect();
                found.sort_unstable();
                found.dedup();
                self.candidates(matching, at, (node, slot, false), found.into_iter(), emit)
            }
            Source::All => self.candidates(matching, at, (node, slot, false), 0..graph.nodes(), emit),
        }
    }

    /// Goes on with each node that has the labels of the pattern; `is_all` is whether all have.
    fn candidates(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        (node, slot, is_all): (&'g NodePattern, usize, bool),
        mut candidates: impl Iterator<Item = NodeId> + Clone,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let tallies = self.tallies(matching, at);
        let ahead = matching.plan.ahead(at);
        for place in 0.. {
            if let Some(ahead) = ahead
                && place % FETCHED == 0
            {
                fetch(self.graph, candidates.clone(), ahead);
            }
            let Some(candidate) = candidates.next() else { break };
            if !self.expand(1) {
                return Ok(false);
            }
            if is_all || self.is_node(candidate, node) {
                if tallies && self.tally.counted(&matching.row, slot, candidate) {
                    continue;
                }
                matching.row[slot] = Value::Node(candidate);
                if !self.op(matching, at + 1, emit)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    pub(crate) fn is_node(&self, node: NodeId, pattern: &'g NodePattern) -> bool {
        let graph = self.graph;
        match &pattern.labels {
            None => true,
            Some(Labels::Name(name)) => graph.has_label(node, &name.text),
            Some(labels) => {
                let has = |label: &str| graph.has_label(node, label);
                holds(labels, &has, !graph.labels(node).is_empty())
            }
        }
    }

    /// Whether a relationship has the type, the properties and the condition of a pattern.
    pub(crate) fn is_link(
        &mut self,
        link: LinkId,
        pattern: &'g LinkPattern,
        wanted: Option<&Value>,
        frame: Frame<'_>,
    ) -> Result<bool> {
        let graph = self.graph;
        if let Some(types) = &pattern.types {
            let own = graph.link_type(link);
            if !holds(types, &|name| name == own, true) {
                return Ok(false);
            }
        }
        if wanted.is_some_and(|wanted| !self.has_properties(&Value::Link(link), wanted)) {
            return Ok(false);
        }
        let Some(filter) = &pattern.filter else {
            return Ok(true);
        };
        match &pattern.name {
            Some(name) => {
                self.locals.push((name.text.clone(), Value::Link(link)));
                let truth = self.is_true(filter, frame);
                self.locals.pop();
                truth
            }
            None => self.is_true(filter, frame),
        }
    }

    /// Whether a node or relationship has all properties of a map.
    pub(crate) fn has_properties(&self, value: &Value, wanted: &Value) -> bool {
        let Value::Map(wanted) = wanted else {
            return false;
        };
        wanted.iter().all(|(key, wanted)| {
            let own = match value {
                Value::Node(node) => self.graph.node_property(*node, key),
                Value::Link(link) => self.graph.link_property(*link, key),
                _ => Value::Null,
            };
            own.equals(wanted) == Some(true)
        })
    }

    pub(crate) fn link_properties(
        &mut self,
        pattern: &'g LinkPattern,
        frame: Frame<'_>,
    ) -> Result<Option<Value>> {
        pattern
            .properties
            .as_ref()
            .map(|properties| self.eval(properties, frame))
            .transpose()
    }

    /// Whether rows of an operation are counted before they are made; not where someone wants to see their way.
    pub(crate) fn tallies(&self, matching: &Matching<'_, 'g>, at: usize) -> bool {
        matching.plan.tallies(at) && self.profile.is_none()
    }

    /// Goes on at a node if it is the one that the pattern wants.
    fn arrive(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        node: NodeId,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        if expand.to_bound {
            if !matches!(matching.row[expand.to], Value::Node(bound) if bound == node)
                || !self.is_node(node, expand.node)
            {
                return Ok(true);
            }
        } else {
            if !self.is_node(node, expand.node) {
                return Ok(true);
            }
            matching.row[expand.to] = Value::Node(node);
        }
        self.op(matching, at + 1, emit)
    }

    fn single_hop(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let Value::Node(from) = matching.row[expand.from] else {
            return Ok(true);
        };
        let plan = matching.plan;
        let direction = expand.direction();
        let has_conditions = expand.link.properties.is_some() || expand.link.filter.is_some();
        let row = if has_conditions {
            matching.row.clone()
        } else {
            Row::new()
        };
        let bound = match matching.row[expand.link_slot] {
            Value::Link(bound) if expand.link_bound => Some(bound),
            _ => None,
        };
        let frame = Frame {
            names: &plan.names,
            row: &row,
        };
        let wanted = self.link_properties(expand.link, frame)?;
        let tallies = self.tallies(matching, at);
        let ahead = plan.ahead(at);
        let mut neighbours = Neighbours::new(self.graph, from, direction);
        for place in 0.. {
            if place % FETCHED == 0 {
                if let Some(ahead) = ahead {
                    fetch(self.graph, neighbours.some(), ahead);
                } else if tallies {
                    self.tally.fetch(expand.to, &neighbours.some());
                }
            }
            let Some((link, to)) = neighbours.next() else {
                break;
            };
            if !self.expand(1) {
                return Ok(false);
            }
            if matching.used.contains(&link) || (expand.link_bound && bound != Some(link)) {
                continue;
            }
            if !self.is_link(link, expand.link, wanted.as_ref(), frame)? {
                continue;
            }
            if tallies && (!self.is_node(to, expand.node) || self.tally.counted(&matching.row, expand.to, to))
            {
                continue;
            }
            matching.row[expand.link_slot] = Value::Link(link);
            matching.used.push(link);
            let goes_on = self.arrive(matching, at, expand, to, emit)?;
            matching.used.pop();
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on once for all relationships that fit.
    fn counted(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let Value::Node(from) = matching.row[expand.from] else {
            return Ok(true);
        };
        if !self.expand(1) {
            return Ok(false);
        }
        let graph = self.graph;
        let direction = expand.direction();
        let all = match direction {
            Direction::Left => graph.incoming(from),
            _ => graph.outgoing(from),
        };
        let used = used_at(matching, at, from, direction)
            .filter(|_| expand.is_any() && direction != Direction::Both);
        let count = if let Some(used) = used {
            all.len() - used
        } else {
            let frame = Frame { names: &[], row: &[] };
            let mut count = 0;
            for (link, to) in Neighbours::new(graph, from, direction) {
                if !self.expand(1) {
                    return Ok(false);
                }
                let fits = !matching.used.contains(&link)
                    && self.is_link(link, expand.link, None, frame)?
                    && self.is_node(to, expand.node);
                count += usize::from(fits);
            }
            count
        };
        if count == 0 {
            return Ok(true);
        }
        self.weight = count as u64;
        let goes_on = self.op(matching, at + 1, emit);
        self.weight = 1;
        goes_on
    }

    /// All paths of a variable-length relationship, depth first.
    fn paths(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        length: Length,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let Value::Node(from) = matching.row[expand.from] else {
            return Ok(true);
        };
        let row = matching.row.clone();
        let frame = Frame {
            names: &matching.plan.names,
            row: &row,
        };
        let wanted = self.link_properties(expand.link, frame)?;
        let direction = expand.direction();
        let base = matching.used.len();
        let mut stack = vec![Neighbours::new(self.graph, from, direction)];
        if length.least == 0 && !self.found(matching, at, expand, from, base, emit)? {
            return Ok(false);
        }
        while let Some(neighbours) = stack.last_mut() {
            let depth = (matching.used.len() - base) as u64;
            let next = match length.most {
                Some(most) if depth >= most => None,
                _ => neighbours.next(),
            };
            let Some((link, to)) = next else {
                stack.pop();
                if !stack.is_empty() {
                    matching.used.pop();
                }
                continue;
            };
            if !self.expand(1) {
                matching.used.truncate(base);
                return Ok(false);
            }
            if matching.used.contains(&link)
                || (direction == Direction::Right && !self.may_follow(link, from))
                || !self.is_link(link, expand.link, wanted.as_ref(), frame)?
            {
                continue;
            }
            matching.used.push(link);
            stack.push(Neighbours::new(self.graph, to, direction));
            if depth + 1 >= length.least && !self.found(matching, at, expand, to, base, emit)? {
                matching.used.truncate(base);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The one path of a variable-length relationship whose relationships are known already.
    fn bound_path(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        length: Length,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let row = matching.row.clone();
        let (Value::Node(from), Value::List(known)) = (&row[expand.from], &row[expand.link_slot]) else {
            return Ok(true);
        };
        let mut node = *from;
        let frame = Frame {
            names: &matching.plan.names,
            row: &row,
        };
        let wanted = self.link_properties(expand.link, frame)?;
        let mut links: Vec<LinkId> = Vec::new();
        for link in known.iter() {
            let Value::Link(link) = link else { return Ok(true) };
            links.push(*link);
        }
        if expand.reversed {
            links.reverse();
        }
        let count = links.len() as u64;
        let is_long = length.most.is_some_and(|most| count > most);
        if count < length.least || is_long || !self.expand(count) {
            return Ok(true);
        }
        let base = matching.used.len();
        for link in links {
            let (start, end) = self.graph.ends(link);
            let next = match expand.direction() {
                Direction::Right | Direction::Both if start == node => end,
                Direction::Left | Direction::Both if end == node => start,
                _ => break,
            };
            if matching.used.contains(&link) || !self.is_link(link, expand.link, wanted.as_ref(), frame)? {
                break;
            }
            node = next;
            matching.used.push(link);
        }
        let is_whole = matching.used.len() - base == known.len();
        let goes_on = !is_whole || self.found(matching, at, expand, node, base, emit)?;
        matching.used.truncate(base);
        Ok(goes_on)
    }

    /// Goes on with a path of the relationships used since `base`.
    fn found(
        &mut self,
        matching: &mut Matching<'_, 'g>,
        at: usize,
        expand: &Expand<'g>,
        node: NodeId,
        base: usize,
        emit: Emit<'_, 'g>,
    ) -> Result<bool> {
        let mut links = matching.used[base..].to_vec();
        if expand.direction() == Direction::Left && !links.iter().all(|link| self.may_follow(*link, node)) {
            return Ok(true);
        }
        if expand.reversed {
            links.reverse();
        }
        matching.row[expand.link_slot] = Value::list(links.into_iter().map(Value::Link).collect());
        self.arrive(matching, at, expand, node, emit)
    }

    /// Whether a path along the arrows that begins at a node may go over a relationship: the solver holds all that it
    /// needs.
    pub(crate) fn may_follow(&mut self, link: LinkId, from: NodeId) -> bool {
        if !self.graph.is_joint(link) {
            return true;
        }
        let held = self.held_from(from);
        held.is_none_or(|held| self.graph.is_open(link, &held))
    }

    /// The value of a path whose nodes and relationships stand in these slots.
    fn path(&self, row: &[Value], elements: &[usize]) -> Value {
        let Some(Value::Node(first)) = elements.first().map(|slot| &row[*slot]) else {
            return Value::Null;
        };
        let mut path = PathValue {
            nodes: vec![*first],
            links: Vec::new(),
        };
        let mut node = *first;
        for slot in elements.iter().skip(1).step_by(2) {
            let links = match &row[*slot] {
                Value::List(links) => links.to_vec(),
                single => vec![single.clone()],
            };
            for link in links {
                let Value::Link(link) = link else {
                    return Value::Null;
                };
                let (start, end) = self.graph.ends(link);
                node = if start == node { end } else { start };
                path.links.push(link);
                path.nodes.push(node);
            }
        }
        Value::Path(path.into())
    }
}
