//! How many rows an operation is expected to make of one.
//!
//! **Trap.** These are guesses: from how many nodes have a label, how many relationships a node has, and from round
//! numbers for conditions.

use super::ast::{Expr, ExprKind, Labels};
use super::data::Graph;
use super::matching::{Expand, Op, Source};

/// The part of rows that an equality lets through, and that of any other condition.
const EQUAL: f64 = 0.1;
const OTHER: f64 = 0.5;
/// Values that a list is expected to have of which nothing is known.
const LISTED: usize = 4;
/// Of so many nodes a condition on a part of a property lets one through.
pub(crate) const NARROWED: usize = 20;
/// The most that one operation is expected to make of one row.
const MOST: f64 = 1e12;

/// How many rows an operation makes of one.
pub(crate) fn factor(graph: &dyn Graph, op: &Op<'_>) -> f64 {
    match op {
        Op::Start { node, source, .. } => match source {
            Source::Bound => 1.0,
            Source::Property(key, _) => count(of_value(graph, key) as u64),
            Source::Listed(key, list) => count(of_list(graph, key, list) as u64),
            Source::Label(label) => count(graph.with_label(label).map_or(0, <[u32]>::len) as u64),
            Source::All => f64::from(graph.nodes()) * node.labels.as_ref().map_or(1.0, |of| share(graph, of)),
        },
        Op::Expand(expand) => expanded(graph, expand),
        Op::Select(select) => {
            let is_known = select.bound.first() == Some(&true) && select.bound.last() == Some(&true);
            if is_known {
                1.0
            } else {
                f64::from(graph.nodes()).max(1.0) * OTHER
            }
        }
        Op::Path { .. } => 1.0,
        Op::Filter(filter) => match &filter.kind {
            ExprKind::Compare(_, rest) if matches!(rest[..], [(super::ast::Comparison::Equal, _)]) => EQUAL,
            _ => OTHER,
        },
        Op::Properties { .. } => EQUAL,
    }
}

/// How many nodes a property is expected to have the same value at.
///
/// It is told by the name alone, so that a plan does not hang on what was asked before.
pub(crate) fn of_value(graph: &dyn Graph, key: &str) -> usize {
    match key {
        "id" => 1,
        _ => (graph.nodes() as usize).isqrt().max(2),
    }
}

/// How many nodes are expected to have one of the values of a list.
pub(crate) fn of_list(graph: &dyn Graph, key: &str, list: &Expr) -> usize {
    let values = match &list.kind {
        ExprKind::List(items) => items.len(),
        _ => LISTED,
    };
    of_value(graph, key) * values
}

#[expect(clippy::cast_precision_loss, reason = "a guess needs no digits")]
fn count(count: u64) -> f64 {
    count as f64
}

/// The part of nodes that have labels.
fn share(graph: &dyn Graph, labels: &Labels) -> f64 {
    let nodes = f64::from(graph.nodes()).max(1.0);
    match labels {
        Labels::Name(name) => match graph.with_label(&name.text) {
            Some(of) => count(of.len() as u64) / nodes,
            None => EQUAL,
        },
        Labels::Any => 1.0,
        Labels::Not(inner) => 1.0 - share(graph, inner),
        Labels::And(all) => all.iter().map(|one| share(graph, one)).product(),
        Labels::Or(any) => any.iter().map(|one| share(graph, one)).sum::<f64>().min(1.0),
    }
}

fn expanded(graph: &dyn Graph, expand: &Expand<'_>) -> f64 {
    let nodes = f64::from(graph.nodes()).max(1.0);
    let mut degree = f64::from(graph.links()) / nodes;
    if expand.link.types.is_some() {
        degree *= EQUAL;
    }
    if expand.direction() == super::ast::Direction::Both {
        degree *= 2.0;
    }
    let all = match expand.link.length {
        None => degree,
        // Beyond some steps everything is reached that can be.
        Some(length) => {
            let most = i32::try_from(length.most.unwrap_or(8).min(8)).unwrap_or(8);
            (1..=most).map(|steps| degree.powi(steps)).sum::<f64>().max(1.0)
        }
    };
    let ends = match (expand.to_bound, &expand.node.labels) {
        (true, _) => 1.0 / nodes,
        (false, Some(labels)) => share(graph, labels),
        (false, None) => 1.0,
    };
    (all * ends).min(MOST)
}
