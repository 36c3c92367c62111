//! Looking through a tree: what an expression consists of, which names it uses.
//!
//! **Trap.** The names are those that occur, also those that the expression itself introduces; whoever asks wants to
//! know when an expression can be evaluated, and too late is right where too early is not.

use std::collections::BTreeSet;

use super::ast::{Clause, ClauseKind, Expr, ExprKind, Imports, Labels, Pattern, Projection, Selector};

/// Calls `visit` with each direct part of an expression; subqueries are no parts.
pub(crate) fn parts<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match &expr.kind {
        ExprKind::List(items) | ExprKind::And(items) | ExprKind::Or(items) => items.iter().for_each(visit),
        ExprKind::Call { arguments, .. } => arguments.iter().for_each(visit),
        ExprKind::Map(entries) => entries.iter().for_each(|(_, value)| visit(value)),
        ExprKind::Property(inner, _)
        | ExprKind::HasLabels(inner, _)
        | ExprKind::Not(inner)
        | ExprKind::Negative(inner)
        | ExprKind::Positive(inner)
        | ExprKind::IsNull(inner, _) => visit(inner),
        ExprKind::Index(left, right) | ExprKind::Xor(left, right) | ExprKind::Binary(_, left, right) => {
            visit(left);
            visit(right);
        }
        ExprKind::Slice(list, from, to) => {
            visit(list);
            from.iter().chain(to).for_each(|end| visit(end));
        }
        ExprKind::Compare(first, rest) => {
            visit(first);
            for (_, other) in rest {
                visit(other);
            }
        }
        ExprKind::Case {
            subject,
            branches,
            otherwise,
        } => {
            if let Some(subject) = subject {
                visit(subject);
            }
            for (when, then) in branches {
                visit(when);
                visit(then);
            }
            if let Some(otherwise) = otherwise {
                visit(otherwise);
            }
        }
        ExprKind::MapProjection(_, selectors) => {
            for selector in selectors {
                if let Selector::Entry(_, value) = selector {
                    visit(value);
                }
            }
        }
        ExprKind::Pattern(pattern) => pattern_parts(pattern, visit),
        _ => list_parts(expr, visit),
    }
}

/// The parts of expressions that go through a list.
fn list_parts<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    match &expr.kind {
        ExprKind::Comprehension {
            list, filter, value, ..
        } => {
            visit(list);
            filter.iter().chain(value).for_each(|inner| visit(inner));
        }
        ExprKind::PatternComprehension {
            pattern,
            filter,
            value,
        } => {
            pattern_parts(pattern, visit);
            if let Some(filter) = filter {
                visit(filter);
            }
            visit(value);
        }
        ExprKind::Quantified { list, filter, .. } => {
            visit(list);
            if let Some(filter) = filter {
                visit(filter);
            }
        }
        ExprKind::Reduce {
            first, list, value, ..
        } => {
            visit(first);
            visit(list);
            visit(value);
        }
        _ => {}
    }
}

fn pattern_parts<'e>(pattern: &'e Pattern, visit: &mut dyn FnMut(&'e Expr)) {
    let first = &pattern.start;
    first.properties.iter().chain(&first.filter).for_each(&mut *visit);
    for (link, node) in &pattern.hops {
        if let Some(group) = &link.group {
            pattern_parts(&group.pattern, visit);
            group.filter.iter().for_each(&mut *visit);
        }
        let own = link.properties.iter().chain(&link.filter).chain(&link.cost);
        own.for_each(&mut *visit);
        node.properties.iter().chain(&node.filter).for_each(&mut *visit);
    }
    pattern.inner.iter().for_each(visit);
}

/// The names that a pattern gives to its nodes, relationships and itself.
pub(crate) fn pattern_names(pattern: &Pattern) -> Vec<&super::ast::Name> {
    let mut names: Vec<&super::ast::Name> = pattern.name.iter().chain(&pattern.start.name).collect();
    for (link, node) in &pattern.hops {
        if let Some(group) = &link.group {
            names.extend(pattern_names(&group.pattern));
        }
        names.extend(link.name.iter().chain(&node.name));
    }
    names
}

/// Adds every name that occurs in an expression.
pub(crate) fn names(expr: &Expr, found: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Variable(name) => {
            found.insert(name.clone());
        }
        ExprKind::MapProjection(name, selectors) => {
            found.insert(name.text.clone());
            for selector in selectors {
                if let Selector::Variable(name) = selector {
                    found.insert(name.text.clone());
                }
            }
        }
        ExprKind::Pattern(pattern) | ExprKind::PatternComprehension { pattern, .. } => {
            found.extend(pattern_names(pattern).into_iter().map(|name| name.text.clone()));
        }
        ExprKind::Subquery(_, query) => {
            query
                .parts
                .iter()
                .flatten()
                .for_each(|clause| clause_names(clause, found));
        }
        _ => {}
    }
    parts(expr, &mut |part| names(part, found));
}

fn clause_names(clause: &Clause, found: &mut BTreeSet<String>) {
    match &clause.kind {
        ClauseKind::Match { patterns, filter, .. } => {
            for pattern in patterns {
                found.extend(pattern_names(pattern).into_iter().map(|name| name.text.clone()));
                pattern_parts(pattern, &mut |part| names(part, found));
            }
            if let Some(filter) = filter {
                names(filter, found);
            }
        }
        ClauseKind::Unwind { list, .. } => names(list, found),
        ClauseKind::Call(call) => {
            let arguments = call.arguments.iter().flatten();
            arguments
                .chain(&call.filter)
                .for_each(|value| names(value, found));
        }
        ClauseKind::Subquery { imports, query, .. } => {
            if let Imports::Names(imported) = imports {
                found.extend(imported.iter().map(|name| name.text.clone()));
            }
            let clauses = query.parts.iter().flatten();
            clauses.for_each(|clause| clause_names(clause, found));
        }
        ClauseKind::With(projection) | ClauseKind::Return(projection) => {
            let items = projection.items.iter().map(|item| &item.value);
            let order = projection.order.iter().map(|order| &order.value);
            let rest = projection
                .skip
                .iter()
                .chain(&projection.limit)
                .chain(&projection.filter);
            items
                .chain(order)
                .chain(rest)
                .for_each(|value| names(value, found));
        }
    }
}

/// Adds the conditions that an expression joins by AND.
pub(crate) fn conjuncts<'q>(expr: &'q Expr, found: &mut Vec<&'q Expr>) {
    match &expr.kind {
        ExprKind::And(all) => all.iter().for_each(|one| conjuncts(one, found)),
        _ => found.push(expr),
    }
}

/// The names of aggregating functions, in lower case.
pub(crate) const AGGREGATES: &[&str] = &[
    "avg",
    "collect",
    "count",
    "max",
    "min",
    "percentilecont",
    "percentiledisc",
    "stdev",
    "stdevp",
    "sum",
];

/// Whether the expression itself aggregates.
pub(crate) fn is_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::CountAll => true,
        ExprKind::Call { name, .. } => AGGREGATES.contains(&name.text.to_lowercase().as_str()),
        _ => false,
    }
}

/// The aggregations within an expression, outermost only.
pub(crate) fn aggregates<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    if is_aggregate(expr) {
        found.push(expr);
    } else {
        parts(expr, &mut |part| aggregates(part, found));
    }
}

/// Adds every name that occurs in an expression, but for those within aggregations.
pub(crate) fn names_outside(expr: &Expr, found: &mut BTreeSet<String>) {
    if has_aggregate(expr) {
        if !is_aggregate(expr) {
            parts(expr, &mut |part| names_outside(part, found));
        }
    } else {
        names(expr, found);
    }
}

/// Whether any part of an expression aggregates.
pub(crate) fn has_aggregate(expr: &Expr) -> bool {
    let mut found = Vec::new();
    aggregates(expr, &mut found);
    !found.is_empty()
}

/// What the rows of a projection are grouped by: the items without an aggregation.
pub(crate) fn grouping_keys(projection: &Projection) -> Vec<&Expr> {
    let values = projection.items.iter().map(|item| &item.value);
    values.filter(|value| !has_aggregate(value)).collect()
}

/// The names within a label expression.
pub(crate) fn label_names<'e>(labels: &'e Labels, visit: &mut dyn FnMut(&'e super::ast::Name)) {
    match labels {
        Labels::Name(name) => visit(name),
        Labels::Any => {}
        Labels::Not(inner) => label_names(inner, visit),
        Labels::And(all) | Labels::Or(all) => all.iter().for_each(|inner| label_names(inner, visit)),
    }
}
