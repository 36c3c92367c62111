//! Lints: queries that mean something, and hardly what is meant.
//!
//! **Trap.** A lint is a warning and never changes what a query gives.

use std::collections::BTreeSet;

use super::super::ast::{Clause, ClauseKind, Expr, ExprKind, LinkPattern, Mode, Pattern, Take, Union};
use super::super::error::{Fault, QueryError, Span};
use super::super::walk;

/// Adds the lints of a query and of the subqueries within it.
pub(super) fn lints(query: &Union, found: &mut Vec<QueryError>) {
    for clause in query.parts.iter().flatten() {
        match &clause.kind {
            ClauseKind::Match { patterns, filter, .. } => {
                for pattern in patterns {
                    endless(pattern, found);
                    if let Some(filter) = filter {
                        late(pattern, filter, found);
                    }
                }
            }
            ClauseKind::Subquery { query, .. } => lints(query, found),
            _ => {}
        }
        within(clause, found);
    }
}

fn warning(span: Span, message: &str, help: &str) -> QueryError {
    QueryError::new(Fault::Meaning, span, message).help(help)
}

/// All paths of any length: how many there are grows exponentially with the graph.
fn endless(pattern: &Pattern, found: &mut Vec<QueryError>) {
    let is_endless = |link: &LinkPattern| link.length.is_some_and(|length| length.most.is_none());
    let selects = pattern.shortest.is_some()
        || pattern
            .selection
            .as_ref()
            .is_some_and(|selection| selection.take != Take::All || selection.mode == Some(Mode::Acyclic));
    if let Some((link, _)) = pattern.hops.iter().find(|(link, _)| is_endless(link))
        && !selects
    {
        found.push(warning(
            link.span,
            "this asks for every path of any length, and their number explodes with the graph",
            "select: MATCH p = ANY SHORTEST (a)-->+(b), or bound the length: *1..5",
        ));
    }
}

/// A condition on a selected path that is tested when it was selected already.
fn late(pattern: &Pattern, filter: &Expr, found: &mut Vec<QueryError>) {
    let selection = pattern.selection.as_ref();
    let Some(path) = pattern.name.as_ref() else { return };
    if selection.is_none_or(|selection| selection.take == Take::All) {
        return;
    }
    let mut conjuncts = Vec::new();
    walk::conjuncts(filter, &mut conjuncts);
    for conjunct in conjuncts {
        let mut names = BTreeSet::new();
        walk::names(conjunct, &mut names);
        let is_of_items = matches!(&conjunct.kind, ExprKind::Quantified { .. } | ExprKind::Not(_));
        if is_of_items && names.contains(&path.text) {
            found.push(warning(
                conjunct.span,
                "this is tested after paths were selected: where it fails for those, no other path is looked for",
                "test it during the search, within the brackets: ((a)-[r]->+(b) WHERE …), or in the relationship: -[r WHERE …]->+",
            ));
        }
    }
}

/// The lints of subqueries within the expressions of a clause.
fn within(clause: &Clause, found: &mut Vec<QueryError>) {
    let mut visit = |expr: &Expr| subqueries(expr, found);
    match &clause.kind {
        ClauseKind::Match { filter, .. } => filter.iter().for_each(&mut visit),
        ClauseKind::With(projection) | ClauseKind::Return(projection) => {
            let items = projection.items.iter().map(|item| &item.value);
            items.chain(&projection.filter).for_each(visit);
        }
        ClauseKind::Unwind { list, .. } => visit(list),
        ClauseKind::Call(call) => call.filter.iter().for_each(visit),
        ClauseKind::Subquery { .. } => {}
    }
}

fn subqueries(expr: &Expr, found: &mut Vec<QueryError>) {
    if let ExprKind::Subquery(_, query) = &expr.kind {
        lints(query, found);
    }
    walk::parts(expr, &mut |part| subqueries(part, found));
}
