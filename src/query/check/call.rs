//! Checks of CALL: that a procedure exists and gets what it takes, and what a subquery sees.
//!
//! **Trap.** A subquery that begins with WITH and nothing but variables imports these; without such a WITH, and without
//! a list in brackets, it sees nothing of the rows before it.

use std::collections::BTreeMap;

use super::super::ast::{Call, Clause, ClauseKind, ExprKind, Imports, Union};
use super::super::data::Graph;
use super::super::error::{Fault, QueryError, Result};
use super::super::kind::{Scope, infer, kind_of};
use super::super::procedure::{find, passed_on};
use super::super::value::Value;
use super::{Checker, meaning, no_aggregate, undefined};

/// The names of `outer` that a part of a subquery sees.
pub(crate) fn imported(imports: &Imports, part: &[Clause], outer: &[String]) -> Vec<String> {
    match imports {
        Imports::Everything => outer.to_vec(),
        Imports::Names(names) => names.iter().map(|name| name.text.clone()).collect(),
        Imports::Leading => match leading(part) {
            Some((true, _)) => outer.to_vec(),
            Some((false, names)) => names.into_iter().map(str::to_owned).collect(),
            None => Vec::new(),
        },
    }
}

/// Whether a WITH imports everything, and the names that it imports, if the part begins with one.
fn leading(part: &[Clause]) -> Option<(bool, Vec<&str>)> {
    let ClauseKind::With(projection) = &part.first()?.kind else {
        return None;
    };
    let is_plain = !projection.distinct
        && projection.order.is_empty()
        && projection.skip.is_none()
        && projection.limit.is_none()
        && projection.filter.is_none();
    let variable = |item: &super::super::ast::Item| {
        matches!(&item.value.kind, ExprKind::Variable(_)) && item.name.is_none()
    };
    if !is_plain || !projection.items.iter().all(variable) {
        return None;
    }
    let names = projection.items.iter().filter_map(|item| match &item.value.kind {
        ExprKind::Variable(name) => Some(name.as_str()),
        _ => None,
    });
    Some((projection.everything, names.collect()))
}

/// Checks that there is a parameter for each argument of a call without brackets.
pub(crate) fn parameters(query: &Union, graph: &dyn Graph, given: &BTreeMap<String, Value>) -> Result<()> {
    for clause in query.parts.iter().flatten() {
        let ClauseKind::Call(call) = &clause.kind else {
            continue;
        };
        if call.arguments.is_some() {
            continue;
        }
        for argument in find(graph, &call.procedure)?.takes {
            if argument.default.is_none() && !given.contains_key(&argument.name) {
                let message = format!("the parameter `{}` is not given", argument.name);
                return Err(QueryError::new(Fault::Argument, call.procedure.span, message)
                    .help(format!("give it: --param {}=…", argument.name)));
            }
        }
    }
    Ok(())
}

impl Checker<'_> {
    /// Checks a call; `is_alone` is whether it is the whole query.
    pub(super) fn procedure(&mut self, call: &Call, is_alone: bool, mut scope: Scope) -> Result<Scope> {
        let procedure = find(self.graph, &call.procedure)?;
        match &call.arguments {
            None if !is_alone => {
                let message = "a CALL among other clauses has its arguments in brackets";
                return Err(meaning(call.procedure.span, message).help(procedure.to_string()));
            }
            None => {}
            Some(given) => {
                let least = procedure.takes.iter().filter(|one| one.default.is_none()).count();
                if given.len() < least || given.len() > procedure.takes.len() {
                    let message = format!(
                        "{} takes {} argument(s), not {}",
                        procedure.name,
                        procedure.takes.len(),
                        given.len()
                    );
                    return Err(meaning(call.procedure.span, message).help(procedure.to_string()));
                }
                for (expr, argument) in given.iter().zip(&procedure.takes) {
                    no_aggregate(expr, "an argument of a procedure")?;
                    self.expr(expr, &scope)?;
                    let kind = infer(expr, &scope);
                    if !argument.kind.may_take(&kind) {
                        let (wanted, name) = (argument.kind.as_str(), &argument.name);
                        let message = format!(
                            "{} takes {wanted} as `{name}`, not {}",
                            procedure.name,
                            kind.as_str()
                        );
                        return Err(QueryError::new(Fault::Type, expr.span, message));
                    }
                }
            }
        }
        for (place, name) in passed_on(call, &procedure, is_alone)? {
            if kind_of(&scope, &name).is_some() {
                let message = format!("the variable `{name}` is defined already");
                return Err(
                    meaning(call.procedure.span, message).help(format!("rename it: YIELD {name} AS other"))
                );
            }
            let kind = procedure.gives[place].1.kind();
            scope.push((name, kind));
        }
        if let Some(filter) = &call.filter {
            no_aggregate(filter, "WHERE")?;
            self.condition(filter, &scope)?;
        }
        Ok(scope)
    }

    /// Checks a subquery, which adds its columns to the rows.
    pub(super) fn subquery(&mut self, imports: &Imports, query: &Union, mut scope: Scope) -> Result<Scope> {
        if let Imports::Names(names) = imports {
            for name in names {
                if kind_of(&scope, &name.text).is_none() {
                    return Err(undefined(&name.text, name.span, &scope));
                }
            }
        }
        let outer: Vec<String> = scope.iter().map(|(name, _)| name.clone()).collect();
        let mut columns = Scope::new();
        for (index, part) in query.parts.iter().enumerate() {
            let seen = imported(imports, part, &outer);
            let mut inner: Scope = scope
                .iter()
                .filter(|(name, _)| seen.contains(name))
                .cloned()
                .collect();
            for clause in part {
                inner = self.clause(clause, inner)?;
            }
            if index == 0 {
                columns = inner;
                continue;
            }
            let same = |name: &String| inner.iter().any(|(known, _)| known == name);
            if inner.len() != columns.len() || !columns.iter().all(|(name, _)| same(name)) {
                let message = "all parts of a UNION return columns of the same names";
                return Err(meaning(query.span, message));
            }
        }
        for (name, kind) in columns {
            if kind_of(&scope, &name).is_some() {
                let message = format!("the variable `{name}` is defined already");
                return Err(meaning(query.span, message).help("return it under another name: AS"));
            }
            scope.push((name, kind));
        }
        Ok(scope)
    }
}
