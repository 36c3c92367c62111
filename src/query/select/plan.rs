//! What is planned of a path that is searched for as a whole.
//!
//! **Trap.** A condition on all nodes or relationships of a shortest path is tested during the search only if it names
//! nothing but the item; others are no conditions of the search.

use std::collections::BTreeSet;

use super::super::ast::{
    Direction, Expr, ExprKind, LinkPattern, Name, NodePattern, Pattern, Quantifier, Shortest, Take,
};
use super::super::error::Span;
use super::super::walk;

/// A path that is searched for as a whole.
#[derive(Debug)]
pub(crate) struct Select<'q> {
    pub(crate) pattern: &'q Pattern,
    /// Places of the nodes and of the relationships between them.
    pub(crate) nodes: Vec<usize>,
    pub(crate) links: Vec<usize>,
    /// Whether the row holds a node already.
    pub(crate) bound: Vec<bool>,
    /// Whether the search begins at the right end of the text.
    pub(crate) backward: bool,
    /// Conditions on every node and every relationship of a shortest path.
    pub(crate) each_node: Vec<Each<'q>>,
    pub(crate) each_link: Vec<Each<'q>>,
    /// Whether only its ends are asked for.
    pub(crate) asks_ends: bool,
    /// Whether what it tests along the way is the same for every row.
    pub(crate) is_common: bool,
}

impl Select<'_> {
    /// The place of the node where it ends, and whether the row holds that already.
    pub(crate) fn end(&self) -> (usize, bool) {
        let at = if self.backward { 0 } else { self.nodes.len() - 1 };
        (self.nodes[at], self.bound[at])
    }

    /// Whether a row needs to know only that a path leads to its end: one path to each end is asked for, of any
    /// relationships along the arrows, and neither it nor they have a name.
    pub(crate) fn asks_ends(&self) -> bool {
        let pattern = self.pattern;
        let takes_one = match (&pattern.selection, pattern.shortest) {
            (Some(selection), None) => match &selection.take {
                Take::Paths(count) => count.kind == ExprKind::Int(1),
                Take::All | Take::Groups(_) => false,
            },
            (None, Some(Shortest::One)) => true,
            _ => false,
        };
        let [(link, _)] = pattern.hops.as_slice() else {
            return false;
        };
        let has_conditions = link.types.is_some() || link.properties.is_some() || link.filter.is_some();
        let is_named = pattern.name.is_some() || link.name.is_some();
        let is_open = link
            .length
            .is_some_and(|length| length.least <= 1 && length.most.is_none());
        let has_each = !self.each_node.is_empty() || !self.each_link.is_empty();
        let ends = [Some(&pattern.start), pattern.hops.last().map(|(_, node)| node)];
        takes_one
            && ends.into_iter().flatten().all(is_common_node)
            && is_open
            && !(has_conditions || is_named || has_each)
            && link.group.is_none()
            && link.cost.is_none()
            && pattern.inner.is_none()
            && link.direction != Direction::Both
    }

    /// Whether a path may end where it begins; a `shortestPath` may not, unless it has no relationship.
    pub(crate) fn comes_back(&self) -> bool {
        self.pattern.shortest.is_none()
    }

    /// Whether it is searched for from both ends.
    pub(crate) fn meets(&self) -> bool {
        let ends = [self.bound.first(), self.bound.last()];
        let is_simple = matches!(&self.pattern.hops[..], [(link, _)] if link.group.is_none());
        is_simple && ends == [Some(&true), Some(&true)]
    }

    /// The conditions that are tested before paths are selected.
    pub(crate) fn conditions(&self) -> Vec<Span> {
        let groups = self
            .pattern
            .hops
            .iter()
            .filter_map(|(link, _)| link.group.as_ref());
        let filters = groups.filter_map(|group| group.filter.as_ref());
        let each = self.each_node.iter().chain(&self.each_link);
        filters
            .chain(&self.pattern.inner)
            .map(|filter| filter.span)
            .chain(each.map(|each| each.whole))
            .collect()
    }
}

/// A condition on each item of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each<'q> {
    pub(crate) name: &'q Name,
    pub(crate) filter: &'q Expr,
    /// Whether the condition must fail and not hold: that of `none(…)`.
    pub(crate) negated: bool,
    /// The place of the whole condition.
    pub(crate) whole: Span,
}

/// Whether a relationship is tested the same for every row.
pub(crate) fn is_common_link(link: &LinkPattern) -> bool {
    let conditions = link.filter.iter().chain(&link.cost);
    link.group.is_none() && link.properties.is_none() && names_only(conditions, link.name.as_ref())
}

/// Whether a node is tested the same for every row.
fn is_common_node(node: &NodePattern) -> bool {
    names_only(node.filter.iter().chain(&node.properties), node.name.as_ref())
}

/// Whether expressions name nothing but this.
fn names_only<'e>(expressions: impl Iterator<Item = &'e Expr>, own: Option<&Name>) -> bool {
    let mut names = BTreeSet::new();
    expressions.for_each(|expr| walk::names(expr, &mut names));
    names.iter().all(|name| own.is_some_and(|own| own.text == *name))
}

/// `all(x IN nodes(p) WHERE …)`, `none(…)`, also over `relationships(p)`: whether it is about nodes, and what it asks.
///
/// The condition may name the item only, so that it can be tested item by item.
pub(crate) fn each<'q>(conjunct: &'q Expr, path: &Name) -> Option<(bool, Each<'q>)> {
    let (quantified, outer) = match &conjunct.kind {
        ExprKind::Not(inner) => (&**inner, true),
        _ => (conjunct, false),
    };
    let ExprKind::Quantified {
        quantifier,
        name,
        list,
        filter: Some(filter),
    } = &quantified.kind
    else {
        return None;
    };
    let negated = match (quantifier, outer) {
        (Quantifier::All, false) => false,
        (Quantifier::None, false) | (Quantifier::Any, true) => true,
        _ => return None,
    };
    let ExprKind::Call {
        name: function,
        arguments,
        ..
    } = &list.kind
    else {
        return None;
    };
    let [
        Expr {
            kind: ExprKind::Variable(variable),
            ..
        },
    ] = arguments.as_slice()
    else {
        return None;
    };
    let mut names = BTreeSet::new();
    walk::names(filter, &mut names);
    if *variable != path.text || names.contains(&path.text) {
        return None;
    }
    let is_node = match function.text.to_lowercase().as_str() {
        "nodes" => true,
        "relationships" => false,
        _ => return None,
    };
    Some((
        is_node,
        Each {
            name,
            filter,
            negated,
            whole: conjunct.span,
        },
    ))
}
