//! The value of an expression in one row.
//!
//! **Trap.** Truth is three-valued: a comparison with null is null, and WHERE keeps only what is true.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::arithmetic::{LONGEST, add, arithmetic, negative};
use super::ast::{Comparison, Expr, ExprKind, Operator, Quantifier, Selector};
use super::error::{Fault, QueryError, Result, Span};
use super::run::{Frame, Runner};
use super::search::holds;
use super::value::Value;
use super::walk;

pub(crate) fn type_error(span: Span, what: &str, value: &Value) -> QueryError {
    QueryError::new(Fault::Type, span, format!("{what}, not {}", value.kind()))
}

pub(crate) fn argument_error(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Argument, span, message)
}

impl<'g> Runner<'g> {
    /// Whether an expression is true, neither false nor null.
    pub(crate) fn is_true(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<bool> {
        Ok(self.truth(expr, frame)? == Some(true))
    }

    fn truth(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<Option<bool>> {
        match self.eval(expr, frame)? {
            Value::Bool(truth) => Ok(Some(truth)),
            Value::Null => Ok(None),
            // A list of paths counts as whether there is one, as a pattern does.
            other => Err(type_error(expr.span, "a condition is true or false", &other)),
        }
    }

    pub(crate) fn eval(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<Value> {
        if let Some(value) = self.aggregated.get(&(expr.span.start, expr.span.end))
            && walk::is_aggregate(expr)
        {
            return Ok(value.clone());
        }
        match &expr.kind {
            ExprKind::Null => Ok(Value::Null),
            ExprKind::Bool(truth) => Ok(Value::Bool(*truth)),
            ExprKind::Int(number) => Ok(Value::Int(*number)),
            ExprKind::Float(number) => Ok(Value::Float(*number)),
            ExprKind::Text(text) => Ok(Value::Text(Arc::clone(text))),
            ExprKind::Parameter(name) => self.parameter(name, expr.span),
            ExprKind::Variable(name) => self.variable(name, expr.span, frame),
            ExprKind::List(items) => {
                let items: Result<Vec<Value>> = items.iter().map(|item| self.eval(item, frame)).collect();
                Ok(Value::list(items?))
            }
            ExprKind::Map(entries) => {
                let mut map = BTreeMap::new();
                for (key, value) in entries {
                    map.insert(Arc::from(key.text.as_str()), self.eval(value, frame)?);
                }
                Ok(Value::Map(Arc::new(map)))
            }
            ExprKind::Property(of, key) => {
                let of = self.eval(of, frame)?;
                self.property(&of, &key.text, expr.span)
            }
            ExprKind::Index(list, index) => {
                let list = self.eval(list, frame)?;
                let index = self.eval(index, frame)?;
                self.index(&list, &index, expr.span)
            }
            ExprKind::Slice(list, from, to) => self.slice(list, from.as_deref(), to.as_deref(), frame),
            ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Xor(..) => {
                Ok(Value::truth(self.logic(expr, frame)?))
            }
            ExprKind::Negative(inner) => {
                let value = self.eval(inner, frame)?;
                negative(&value, expr.span)
            }
            ExprKind::Positive(inner) => match self.eval(inner, frame)? {
                value @ (Value::Null | Value::Int(_) | Value::Float(_)) => Ok(value),
                other => Err(type_error(expr.span, "`+` takes a number", &other)),
            },
            ExprKind::Binary(operator, left, right) => {
                if let Some(holds) = self.of_text(*operator, left, right, frame) {
                    return Ok(Value::Bool(holds));
                }
                let left = self.eval(left, frame)?;
                let right = self.eval(right, frame)?;
                self.binary(*operator, &left, &right, expr.span)
            }
            ExprKind::Compare(first, rest) => self.comparisons(first, rest, frame),
            ExprKind::IsNull(inner, negated) => {
                Ok(Value::Bool(self.eval(inner, frame)?.is_null() != *negated))
            }
            _ => self.compound(expr, frame),
        }
    }

    /// Whether a string that the graph lends begins with, ends with or contains a given one; none if it is not as simple
    /// as that.
    fn of_text(&self, operator: Operator, left: &Expr, right: &Expr, frame: Frame<'_>) -> Option<bool> {
        let (ExprKind::Property(of, key), ExprKind::Text(wanted)) = (&left.kind, &right.kind) else {
            return None;
        };
        let ExprKind::Variable(name) = &of.kind else {
            return None;
        };
        if self.locals.iter().any(|(local, _)| local == name) {
            return None;
        }
        let Some(Value::Node(node)) = frame.get(name) else {
            return None;
        };
        let text = self.graph.node_text(*node, &key.text)?;
        part_of(operator, text, wanted)
    }

    /// Expressions that contain further queries, branches or names of their own.
    fn compound(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<Value> {
        match &expr.kind {
            ExprKind::HasLabels(of, labels) => {
                let graph = self.graph;
                match self.eval(of, frame)? {
                    Value::Null => Ok(Value::Null),
                    Value::Node(node) => {
                        let any = !graph.labels(node).is_empty();
                        Ok(Value::Bool(holds(
                            labels,
                            &|label| graph.has_label(node, label),
                            any,
                        )))
                    }
                    Value::Link(link) => {
                        let own = graph.link_type(link);
                        Ok(Value::Bool(holds(labels, &|name| name == own, true)))
                    }
                    other => Err(type_error(
                        expr.span,
                        "only nodes and relationships have labels",
                        &other,
                    )),
                }
            }
            ExprKind::Case {
                subject,
                branches,
                otherwise,
            } => self.case(subject.as_deref(), branches, otherwise.as_deref(), frame),
            ExprKind::Call { name, arguments, .. } => {
                if walk::is_aggregate(expr) {
                    let message = format!("{} stands where nothing is grouped", name.text);
                    return Err(QueryError::new(Fault::Meaning, expr.span, message));
                }
                let values: Result<Vec<Value>> = arguments
                    .iter()
                    .map(|argument| self.eval(argument, frame))
                    .collect();
                self.call(name, &values?, expr.span)
            }
            ExprKind::PatternComprehension {
                pattern,
                filter,
                value,
            } => self.pattern_comprehension(pattern, filter.as_deref(), value, frame),
            ExprKind::MapProjection(name, selectors) => {
                let of = self.variable(&name.text, name.span, frame)?;
                self.map_projection(&of, selectors, expr.span, frame)
            }
            ExprKind::Pattern(pattern) => self.pattern_value(pattern, frame),
            ExprKind::Subquery(kind, query) => self.subquery(*kind, query, frame),
            _ => self.over_list(expr, frame),
        }
    }

    /// Expressions that go through a list.
    fn over_list(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<Value> {
        match &expr.kind {
            ExprKind::Comprehension {
                name,
                list,
                filter,
                value,
            } => self.comprehension(&name.text, list, filter.as_deref(), value.as_deref(), frame),
            ExprKind::Quantified {
                quantifier,
                name,
                list,
                filter,
            } => self.quantified(*quantifier, &name.text, list, filter.as_deref(), frame),
            ExprKind::Reduce {
                total,
                first,
                name,
                list,
                value,
            } => {
                let mut sum = self.eval(first, frame)?;
                let Some(items) = self.items(list, frame)? else {
                    return Ok(Value::Null);
                };
                for (index, item) in items.iter().enumerate() {
                    self.pulse(0, expr.span)?;
                    self.locals.push((total.text.clone(), sum));
                    self.locals.push((name.text.clone(), item.clone()));
                    let next = self.eval(value, frame);
                    self.locals.truncate(self.locals.len() - 2);
                    sum = next?;
                    // Lists that contain each other grow without bound in depth or in parts.
                    let is_last = index + 1 == items.len();
                    if (is_last || index % 16 == 15) && !is_small(&sum, DEEPEST, &mut { LONGEST }) {
                        return Err(argument_error(expr.span, "the value of reduce becomes too large"));
                    }
                }
                Ok(sum)
            }
            _ => Err(QueryError::new(
                Fault::NotSupported,
                expr.span,
                "this is not supported here",
            )),
        }
    }

    fn parameter(&self, name: &str, span: Span) -> Result<Value> {
        self.parameters.get(name).cloned().ok_or_else(|| {
            QueryError::new(
                Fault::Argument,
                span,
                format!("the parameter `{name}` is not given"),
            )
            .help(format!("give it: --param {name}=…"))
        })
    }

    fn variable(&self, name: &str, span: Span, frame: Frame<'_>) -> Result<Value> {
        let local = self
            .locals
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value);
        local.or_else(|| frame.get(name)).cloned().ok_or_else(|| {
            QueryError::new(
                Fault::Meaning,
                span,
                format!("the variable `{name}` is not defined"),
            )
        })
    }

    pub(crate) fn property(&self, of: &Value, key: &str, span: Span) -> Result<Value> {
        match of {
            Value::Null => Ok(Value::Null),
            Value::Node(node) => Ok(self.graph.node_property(*node, key)),
            Value::Link(link) => Ok(self.graph.link_property(*link, key)),
            Value::Map(map) => Ok(map.get(key).cloned().unwrap_or(Value::Null)),
            Value::Time(time) => Ok(time.part(key)),
            other => Err(type_error(
                span,
                "only nodes, relationships, maps and times have properties",
                other,
            )),
        }
    }

    fn index(&self, list: &Value, index: &Value, span: Span) -> Result<Value> {
        match (list, index) {
            (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
            (Value::List(items), Value::Int(index)) => {
                let at = position(*index, items.len());
                Ok(at.and_then(|at| items.get(at)).cloned().unwrap_or(Value::Null))
            }
            (Value::List(_), other) => Err(type_error(span, "the index of a list is an integer", other)),
            (Value::Map(_) | Value::Node(_) | Value::Link(_), Value::Text(key)) => {
                self.property(list, key, span)
            }
            (Value::Map(_) | Value::Node(_) | Value::Link(_), other) => {
                Err(type_error(span, "the key of a map is a string", other))
            }
            (other, _) => Err(type_error(span, "only lists and maps can be indexed", other)),
        }
    }

    fn slice(
        &mut self,
        list: &'g Expr,
        from: Option<&'g Expr>,
        to: Option<&'g Expr>,
        frame: Frame<'_>,
    ) -> Result<Value> {
        let value = self.eval(list, frame)?;
        let mut ends = [Value::Int(0), Value::Int(i64::MAX)];
        for (end, expr) in ends.iter_mut().zip([from, to]) {
            if let Some(expr) = expr {
                *end = self.eval(expr, frame)?;
            }
        }
        match (&value, &ends) {
            (Value::Null, _) | (_, [Value::Null, _] | [_, Value::Null]) => Ok(Value::Null),
            (Value::List(items), [Value::Int(from), Value::Int(to)]) => {
                let place = |end: i64| {
                    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
                    let end = if end < 0 { end.saturating_add(count) } else { end };
                    usize::try_from(end.clamp(0, count)).unwrap_or(0)
                };
                Ok(Value::list(
                    items.get(place(*from)..place(*to)).unwrap_or_default().to_vec(),
                ))
            }
            (Value::List(_), [Value::Int(_), other] | [other, _]) => {
                Err(type_error(list.span, "the ends of a slice are integers", other))
            }
            (other, _) => Err(type_error(list.span, "only lists have slices", other)),
        }
    }

    fn logic(&mut self, expr: &'g Expr, frame: Frame<'_>) -> Result<Option<bool>> {
        match &expr.kind {
            ExprKind::Not(inner) => Ok(self.truth(inner, frame)?.map(|truth| !truth)),
            ExprKind::Xor(left, right) => {
                let (left, right) = (self.truth(left, frame)?, self.truth(right, frame)?);
                Ok(left.zip(right).map(|(left, right)| left != right))
            }
            ExprKind::And(all) => self.until(all, false, frame),
            ExprKind::Or(any) => self.until(any, true, frame),
            _ => self.truth(expr, frame),
        }
    }

    /// Conditions up to the first one that decides: `decides` if any is, null if any is null, else its opposite.
    fn until(&mut self, conditions: &'g [Expr], decides: bool, frame: Frame<'_>) -> Result<Option<bool>> {
        let mut result = Some(!decides);
        for condition in conditions {
            match self.truth(condition, frame)? {
                Some(truth) if truth == decides => return Ok(Some(decides)),
                Some(_) => {}
                None => result = None,
            }
        }
        Ok(result)
    }

    fn comparisons(
        &mut self,
        first: &'g Expr,
        rest: &'g [(Comparison, Expr)],
        frame: Frame<'_>,
    ) -> Result<Value> {
        let mut left = self.eval(first, frame)?;
        let mut result = Some(true);
        for (comparison, other) in rest {
            let right = self.eval(other, frame)?;
            let order = left.compare(&right);
            let truth = match comparison {
                Comparison::Equal => left.equals(&right),
                Comparison::Unequal => left.equals(&right).map(|equal| !equal),
                _ if is_nan(&left, &right) => Some(false),
                Comparison::Less => order.map(Ordering::is_lt),
                Comparison::AtMost => order.map(Ordering::is_le),
                Comparison::Greater => order.map(Ordering::is_gt),
                Comparison::AtLeast => order.map(Ordering::is_ge),
            };
            match truth {
                Some(false) => return Ok(Value::Bool(false)),
                Some(true) => {}
                None => result = None,
            }
            left = right;
        }
        Ok(Value::truth(result))
    }

    fn binary(&mut self, operator: Operator, left: &Value, right: &Value, span: Span) -> Result<Value> {
        match operator {
            Operator::In => contains(left, right, span),
            Operator::StartsWith | Operator::EndsWith | Operator::Contains => Ok(match (left, right) {
                (Value::Text(left), Value::Text(right)) => {
                    part_of(operator, left, right).map_or(Value::Null, Value::Bool)
                }
                _ => Value::Null,
            }),
            Operator::Matches => match (left, right) {
                (Value::Text(text), Value::Text(pattern)) => {
                    self.compile(pattern, span)?;
                    Ok(Value::Bool(self.patterns[&**pattern].is_match(text)))
                }
                _ => Ok(Value::Null),
            },
            _ if matches!(left, Value::Time(_)) || matches!(right, Value::Time(_)) => {
                match (operator, left, right) {
                    (Operator::Add, Value::List(_) | Value::Text(_), _)
                    | (Operator::Add, _, Value::List(_) | Value::Text(_)) => add(left, right, span),
                    _ => super::moment::arithmetic(operator, left, right, span),
                }
            }
            Operator::Add => add(left, right, span),
            _ => arithmetic(operator, left, right, span),
        }
    }

    /// Compiles a regular expression that has to match the whole text.
    fn compile(&mut self, pattern: &str, span: Span) -> Result<()> {
        if self.patterns.contains_key(pattern) {
            return Ok(());
        }
        // The first one tells whether the pattern is one: `a)|(b` becomes one only by what is put around it.
        for text in [pattern.to_owned(), format!("^(?:{pattern})$")] {
            let compiled = regex::RegexBuilder::new(&text).size_limit(1 << 20).build();
            let compiled = compiled.map_err(|error| {
                let reason = error.to_string().lines().last().unwrap_or_default().to_owned();
                argument_error(span, format!("the regular expression cannot be used: {reason}"))
            })?;
            if self.patterns.len() >= PATTERNS {
                self.patterns.clear();
            }
            self.patterns.insert(pattern.to_owned(), compiled);
        }
        Ok(())
    }

    fn case(
        &mut self,
        subject: Option<&'g Expr>,
        branches: &'g [(Expr, Expr)],
        otherwise: Option<&'g Expr>,
        frame: Frame<'_>,
    ) -> Result<Value> {
        let subject = subject.map(|subject| self.eval(subject, frame)).transpose()?;
        for (when, then) in branches {
            let fits = match &subject {
                Some(subject) => subject.equals(&self.eval(when, frame)?) == Some(true),
                None => self.is_true(when, frame)?,
            };
            if fits {
                return self.eval(then, frame);
            }
        }
        otherwise.map_or(Ok(Value::Null), |otherwise| self.eval(otherwise, frame))
    }

    /// The items of a list; `None` for null.
    fn items(&mut self, list: &'g Expr, frame: Frame<'_>) -> Result<Option<Arc<Vec<Value>>>> {
        match self.eval(list, frame)? {
            Value::Null => Ok(None),
            Value::List(items) => {
                self.pulse(items.len() as u64, list.span)?;
                Ok(Some(items))
            }
            other => Err(type_error(list.span, "this takes a list", &other)),
        }
    }

    fn with_local<T>(
        &mut self,
        name: &str,
        value: Value,
        eval: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.pulse(0, Span::default())?;
        self.locals.push((name.to_owned(), value));
        let result = eval(self);
        self.locals.pop();
        result
    }

    fn comprehension(
        &mut self,
        name: &str,
        list: &'g Expr,
        filter: Option<&'g Expr>,
        value: Option<&'g Expr>,
        frame: Frame<'_>,
    ) -> Result<Value> {
        let Some(items) = self.items(list, frame)? else {
            return Ok(Value::Null);
        };
        let mut found = Vec::new();
        for item in items.iter() {
            let kept = self.with_local(name, item.clone(), |runner| {
                if let Some(filter) = filter
                    && !runner.is_true(filter, frame)?
                {
                    return Ok(None);
                }
                value
                    .map_or(Ok(item.clone()), |value| runner.eval(value, frame))
                    .map(Some)
            })?;
            found.extend(kept);
        }
        Ok(Value::list(found))
    }

    fn quantified(
        &mut self,
        quantifier: Quantifier,
        name: &str,
        list: &'g Expr,
        filter: Option<&'g Expr>,
        frame: Frame<'_>,
    ) -> Result<Value> {
        let Some(items) = self.items(list, frame)? else {
            return Ok(Value::Null);
        };
        let (mut truths, mut unknown, mut falsehoods) = (0, 0, 0);
        for item in items.iter() {
            let truth = self.with_local(name, item.clone(), |runner| match filter {
                Some(filter) => runner.truth(filter, frame),
                None => Ok(match item {
                    Value::Bool(truth) => Some(*truth),
                    _ => None,
                }),
            })?;
            match truth {
                Some(true) => truths += 1,
                Some(false) => falsehoods += 1,
                None => unknown += 1,
            }
        }
        let known = |truth: bool| (unknown == 0).then_some(truth);
        Ok(Value::truth(match quantifier {
            Quantifier::All if falsehoods > 0 => Some(false),
            Quantifier::None if truths > 0 => Some(false),
            Quantifier::All | Quantifier::None => known(true),
            Quantifier::Any if truths > 0 => Some(true),
            Quantifier::Any => known(false),
            Quantifier::Single if truths > 1 => Some(false),
            Quantifier::Single => known(truths == 1),
        }))
    }

    fn map_projection(
        &mut self,
        of: &Value,
        selectors: &'g [Selector],
        span: Span,
        frame: Frame<'_>,
    ) -> Result<Value> {
        if of.is_null() {
            return Ok(Value::Null);
        }
        let mut map: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for selector in selectors {
            match selector {
                Selector::All => {
                    let Value::Map(all) = self.properties(of, span)? else {
                        continue;
                    };
                    map.extend(all.iter().map(|(key, value)| (Arc::clone(key), value.clone())));
                }
                Selector::Property(key) => {
                    map.insert(key.text.as_str().into(), self.property(of, &key.text, span)?);
                }
                Selector::Variable(name) => {
                    map.insert(
                        name.text.as_str().into(),
                        self.variable(&name.text, name.span, frame)?,
                    );
                }
                Selector::Entry(key, value) => {
                    map.insert(key.text.as_str().into(), self.eval(value, frame)?);
                }
            }
        }
        Ok(Value::Map(Arc::new(map)))
    }
}

fn is_nan(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    let nan = |value: &Value| matches!(value, Value::Float(float) if float.is_nan());
    number(left) && number(right) && (nan(left) || nan(right))
}

/// The place of an index that may count from the end.
fn position(index: i64, count: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// Whether a list contains a value: null if that hangs on a null.
fn contains(item: &Value, list: &Value, span: Span) -> Result<Value> {
    match list {
        Value::Null => Ok(Value::Null),
        Value::List(items) => {
            let mut result = Some(false);
            for other in items.iter() {
                match item.equals(other) {
                    Some(true) => return Ok(Value::Bool(true)),
                    Some(false) => {}
                    None => result = None,
                }
            }
            Ok(Value::truth(result))
        }
        other => Err(type_error(span, "IN takes a list", other)),
    }
}

/// Whether a value has at most so many parts, none deeper than `depth`.
fn is_small(value: &Value, depth: usize, parts: &mut usize) -> bool {
    *parts = parts.saturating_sub(1);
    if depth == 0 || *parts == 0 {
        return false;
    }
    match value {
        Value::List(items) => items.iter().all(|item| is_small(item, depth - 1, parts)),
        Value::Map(map) => map.values().all(|item| is_small(item, depth - 1, parts)),
        _ => true,
    }
}

/// Compiled regular expressions that are kept.
const PATTERNS: usize = 1_000;
/// How deep the value of `reduce` may nest.
const DEEPEST: usize = 1_000;

/// Whether a text begins with, ends with or contains another one; none for any other operator.
fn part_of(operator: Operator, text: &str, part: &str) -> Option<bool> {
    match operator {
        Operator::StartsWith => Some(text.starts_with(part)),
        Operator::EndsWith => Some(text.ends_with(part)),
        Operator::Contains => Some(text.contains(part)),
        _ => None,
    }
}
