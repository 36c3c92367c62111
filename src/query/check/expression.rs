//! Checks of expressions: names, functions, operands of which it is known that an operator does not take them.
//!
//! **Trap.** A kind that is not known fits everywhere; only what every run would fail at is refused.

use super::super::ast::{Expr, ExprKind, Name, Operator, Selector, Subquery};
use super::super::error::{Fault, QueryError, Result, Span};
use super::super::functions::FUNCTIONS;
use super::super::kind::{Kind, Scope, infer, kind_of};
use super::super::suggest::did_you_mean;
use super::super::walk;
use super::{Checker, meaning, no_aggregate, undefined};

impl Checker<'_> {
    /// Checks an expression that is true or false.
    pub(super) fn condition(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        self.expr(expr, scope)?;
        truth(expr, scope)
    }

    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        operands(expr, scope)?;
        match &expr.kind {
            ExprKind::Variable(name) if kind_of(scope, name).is_none() => {
                Err(undefined(name, expr.span, scope))
            }
            ExprKind::Call { name, arguments, .. } => {
                Self::call(expr, name, arguments, scope)?;
                if !name.text.eq_ignore_ascii_case("exists") {
                    arguments.iter().try_for_each(no_bare_pattern)?;
                }
                arguments
                    .iter()
                    .try_for_each(|argument| self.expr(argument, scope))
            }
            ExprKind::PatternComprehension {
                pattern,
                filter,
                value,
            } => {
                let mut inner = scope.clone();
                self.patterns(std::slice::from_ref(pattern), &mut inner)?;
                filter.iter().try_for_each(|filter| self.expr(filter, &inner))?;
                self.expr(value, &inner)
            }
            ExprKind::Pattern(pattern) => {
                for name in walk::pattern_names(pattern) {
                    if kind_of(scope, &name.text).is_none() {
                        return Err(undefined(&name.text, name.span, scope).help(
                            "a pattern in an expression cannot introduce variables; EXISTS { … } can",
                        ));
                    }
                }
                let mut inner = scope.clone();
                Self::bind_pattern(pattern, &mut inner)?;
                self.pattern_conditions(pattern, &inner)
            }
            ExprKind::MapProjection(name, selectors) => {
                for name in [name].into_iter().chain(selectors.iter().filter_map(selected)) {
                    if kind_of(scope, &name.text).is_none() {
                        return Err(undefined(&name.text, name.span, scope));
                    }
                }
                self.parts(expr, scope)
            }
            ExprKind::Subquery(kind, query) => {
                self.union(query, scope, *kind == Subquery::Collect && query.parts.len() > 1)
            }
            ExprKind::HasLabels(of, labels) => {
                let is_link =
                    matches!(&of.kind, ExprKind::Variable(name) if kind_of(scope, name) == Some(Kind::Link));
                walk::label_names(labels, &mut |name| {
                    if is_link {
                        self.link_type(name);
                    } else {
                        self.label(name);
                    }
                });
                self.parts(expr, scope)
            }
            _ => self.over_list(expr, scope),
        }
    }

    /// Expressions that go through a list and name its items.
    fn over_list(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        match &expr.kind {
            ExprKind::Comprehension {
                name,
                list,
                filter,
                value,
            } => {
                self.expr(list, scope)?;
                let item = infer(list, scope).item();
                self.within(
                    name,
                    item,
                    scope,
                    filter.iter().chain(value).map(|inner| &**inner),
                )
            }
            ExprKind::Quantified {
                name, list, filter, ..
            } => {
                self.expr(list, scope)?;
                let item = infer(list, scope).item();
                self.within(name, item, scope, filter.iter().map(|inner| &**inner))
            }
            ExprKind::Reduce {
                total,
                first,
                name,
                list,
                value,
            } => {
                self.expr(first, scope)?;
                self.expr(list, scope)?;
                let mut inner = scope.clone();
                inner.push((total.text.clone(), Kind::Any));
                let item = infer(list, scope).item();
                self.within(name, item, &inner, [&**value])
            }
            _ => self.parts(expr, scope),
        }
    }

    fn parts(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        let mut parts = Vec::new();
        walk::parts(expr, &mut |part| parts.push(part));
        parts.into_iter().try_for_each(|part| self.expr(part, scope))
    }

    /// Checks expressions that see one more name.
    fn within<'e>(
        &mut self,
        name: &Name,
        item: Kind,
        scope: &Scope,
        inner: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<()> {
        let mut scope = scope.clone();
        scope.push((name.text.clone(), item));
        for expr in inner {
            no_aggregate(expr, "the condition or value of a list")?;
            self.expr(expr, &scope)?;
        }
        Ok(())
    }

    fn call(expr: &Expr, name: &Name, arguments: &[Expr], scope: &Scope) -> Result<()> {
        if walk::is_aggregate(expr) {
            let wanted = if name.text.to_lowercase().starts_with("percentile") {
                2
            } else {
                1
            };
            if arguments.len() != wanted {
                return Err(meaning(
                    expr.span,
                    format!("{} takes {wanted} argument(s)", name.text),
                ));
            }
            return arguments.iter().try_for_each(|argument| {
                no_aggregate(argument, "another aggregation")?;
                no_random(argument)
            });
        }
        let known = FUNCTIONS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(&name.text));
        let Some((_, least, most)) = known else {
            let names = FUNCTIONS
                .iter()
                .map(|(known, ..)| *known)
                .chain(walk::AGGREGATES.iter().copied());
            let error = meaning(name.span, format!("unknown function `{}`", name.text));
            let near = did_you_mean(&name.text, names);
            return Err(if near.is_empty() {
                error
            } else {
                error.help(near.trim_start_matches("; "))
            });
        };
        if arguments.len() < *least || arguments.len() > *most {
            let takes = if least == most {
                least.to_string()
            } else {
                format!("{least} or more")
            };
            return Err(meaning(
                expr.span,
                format!("{} takes {takes} argument(s), not {}", name.text, arguments.len()),
            ));
        }
        if let [argument] = arguments {
            let kind = infer(argument, scope);
            let fits = match name.text.to_lowercase().as_str() {
                "cost" | "length" | "nodes" | "relationships" => kind.may_be(&[Kind::Path]),
                "labels" => kind.may_be(&[Kind::Node]),
                "type" | "startnode" | "endnode" => kind.may_be(&[Kind::Link]),
                "size" => kind != Kind::Path,
                "properties" => kind.may_have_properties(),
                _ => true,
            };
            if !fits {
                let message = format!("{} does not take {}", name.text, kind.as_str());
                return Err(QueryError::new(Fault::Type, expr.span, message));
            }
        }
        Ok(())
    }
}

fn selected(selector: &Selector) -> Option<&Name> {
    match selector {
        Selector::Variable(name) => Some(name),
        _ => None,
    }
}

/// An aggregation of numbers that differ each time they are asked for means nothing.
fn no_random(expr: &Expr) -> Result<()> {
    if matches!(&expr.kind, ExprKind::Call { name, .. } if name.text.eq_ignore_ascii_case("rand")) {
        return Err(meaning(expr.span, "rand() cannot stand in an aggregation"));
    }
    let mut result = Ok(());
    walk::parts(expr, &mut |part| {
        if result.is_ok() {
            result = no_random(part);
        }
    });
    result
}

fn type_fault(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Type, span, message)
}

/// A pattern is a condition, no value.
pub(super) fn no_bare_pattern(expr: &Expr) -> Result<()> {
    match &expr.kind {
        ExprKind::Pattern(pattern) if pattern.shortest.is_none() => Err(meaning(
            expr.span,
            "a pattern is a condition and cannot be used as a value",
        )
        .help("exists((a)-->(b)) is a value, and COUNT { (a)-->(b) } counts")),
        _ => Ok(()),
    }
}

/// Operands of which it is known that an operator does not take them.
fn operands(expr: &Expr, scope: &Scope) -> Result<()> {
    let wrong = |operand: &Expr, what: &str| {
        let kind = infer(operand, scope);
        Err(type_fault(operand.span, format!("{what}, not {}", kind.as_str())))
    };
    match &expr.kind {
        ExprKind::And(all) | ExprKind::Or(all) => all.iter().try_for_each(|one| truth(one, scope)),
        ExprKind::Xor(left, right) => truth(left, scope).and_then(|()| truth(right, scope)),
        ExprKind::Not(inner) => truth(inner, scope),
        ExprKind::Property(of, _) if !infer(of, scope).may_have_properties() => {
            wrong(of, "only nodes, relationships and maps have properties")
        }
        ExprKind::Binary(Operator::In, _, list) if !infer(list, scope).may_be_list() => {
            wrong(list, "IN takes a list")
        }
        ExprKind::Binary(
            Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder
            | Operator::Power,
            left,
            right,
        ) => match [left, right]
            .into_iter()
            .find(|operand| !infer(operand, scope).may_be_number())
        {
            Some(operand) => wrong(operand, "arithmetic takes numbers"),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks that an expression can be true or false.
fn truth(expr: &Expr, scope: &Scope) -> Result<()> {
    let kind = infer(expr, scope);
    if kind.may_be(&[Kind::Bool]) {
        return Ok(());
    }
    Err(type_fault(
        expr.span,
        format!("a condition is true or false, not {}", kind.as_str()),
    ))
}
