//! Functions of one row: what they are called, how many arguments they take, what they give.
//!
//! **Trap.** Names do not depend on case. Null in gives null out, except where a function is about null.

use std::sync::Arc;

use super::arithmetic::float;
use super::ast::Name;
use super::error::{Fault, QueryError, Result, Span};
use super::eval::type_error;
use super::run::Runner;
use super::value::Value;

/// Every function with the least and the greatest number of its arguments.
pub(crate) const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("abs", 1, 1),
    ("ceil", 1, 1),
    ("coalesce", 1, usize::MAX),
    ("cost", 1, 1),
    ("date", 0, 1),
    ("datetime", 0, 1),
    ("duration", 1, 1),
    ("e", 0, 0),
    ("elementId", 1, 1),
    ("endNode", 1, 1),
    ("exists", 1, 1),
    ("exp", 1, 1),
    ("floor", 1, 1),
    ("head", 1, 1),
    ("id", 1, 1),
    ("isEmpty", 1, 1),
    ("keys", 1, 1),
    ("labels", 1, 1),
    ("last", 1, 1),
    ("left", 2, 2),
    ("length", 1, 1),
    ("log", 1, 1),
    ("log10", 1, 1),
    ("lTrim", 1, 1),
    ("nodes", 1, 1),
    ("pi", 0, 0),
    ("properties", 1, 1),
    ("rand", 0, 0),
    ("range", 2, 3),
    ("relationships", 1, 1),
    ("replace", 3, 3),
    ("reverse", 1, 1),
    ("right", 2, 2),
    ("round", 1, 1),
    ("rTrim", 1, 1),
    ("sign", 1, 1),
    ("size", 1, 1),
    ("split", 2, 2),
    ("sqrt", 1, 1),
    ("startNode", 1, 1),
    ("substring", 2, 3),
    ("tail", 1, 1),
    ("timestamp", 0, 0),
    ("toBoolean", 1, 1),
    ("toFloat", 1, 1),
    ("toInteger", 1, 1),
    ("toLower", 1, 1),
    ("toString", 1, 1),
    ("toUpper", 1, 1),
    ("trim", 1, 1),
    ("type", 1, 1),
];

/// The names of all functions.
pub const NAMES: &[&str] = &NAMED;

const NAMED: [&str; FUNCTIONS.len()] = {
    let mut names = [""; FUNCTIONS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = FUNCTIONS[at].0;
        at += 1;
    }
    names
};

/// The longest list that `range` makes.
const LONGEST: i128 = 1 << 24;

impl Runner<'_> {
    pub(crate) fn call(&mut self, name: &Name, values: &[Value], span: Span) -> Result<Value> {
        let lower = name.text.to_lowercase();
        if let Some(moment) = super::moment::call(&lower, values, span) {
            return moment;
        }
        match (lower.as_str(), values) {
            ("coalesce", values) => Ok(values
                .iter()
                .find(|value| !value.is_null())
                .cloned()
                .unwrap_or(Value::Null)),
            ("exists", [value]) => Ok(Value::Bool(!value.is_null())),
            ("pi", []) => Ok(Value::Float(std::f64::consts::PI)),
            ("rand", []) => Ok(Value::Float(self.random())),
            ("e", []) => Ok(Value::Float(std::f64::consts::E)),
            (_, values) if values.iter().any(Value::is_null) => Ok(Value::Null),
            (_, [value]) => {
                let found = self.of_graph(&lower, value, span).transpose();
                let found = found.or_else(|| of_list(&lower, value).map(Ok));
                let found = found.or_else(|| of_text(&lower, value).map(Ok));
                let found = found.or_else(|| conversion(&lower, value).map(Ok));
                let found = found.or_else(|| of_number(&lower, value).map(Ok));
                found.unwrap_or_else(|| {
                    Err(type_error(
                        span,
                        &format!("{} does not take this", name.text),
                        value,
                    ))
                })
            }
            ("range", [Value::Int(from), Value::Int(to), rest @ ..]) => {
                let step = match rest {
                    [] => 1,
                    [Value::Int(step)] => *step,
                    [other, ..] => return Err(type_error(span, "range takes integers", other)),
                };
                self.range(*from, *to, step, span)
            }
            (_, values) => of_texts(&lower, values, span),
        }
    }

    /// A number from 0 up to 1; the same numbers in every run, as output is deterministic (xorshift64*).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
    fn random(&mut self) -> f64 {
        let mut state = self.random;
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.random = state;
        let bits = state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    fn range(&mut self, from: i64, to: i64, step: i64, span: Span) -> Result<Value> {
        if step == 0 {
            return Err(QueryError::new(
                Fault::Argument,
                span,
                "the step of a range cannot be 0",
            ));
        }
        let count = (i128::from(to) - i128::from(from)) / i128::from(step) + 1;
        if count > LONGEST {
            return Err(QueryError::new(Fault::Argument, span, "the range is too long"));
        }
        let is_empty = if step > 0 { from > to } else { from < to };
        let count = if is_empty {
            0
        } else {
            i64::try_from(count).unwrap_or(0)
        };
        self.pulse(count.unsigned_abs(), span)?;
        Ok(Value::list(
            (0..count)
                .map(|index| Value::Int(from.wrapping_add(index.wrapping_mul(step))))
                .collect(),
        ))
    }

    /// All properties of something, as a map.
    pub(crate) fn properties(&self, of: &Value, span: Span) -> Result<Value> {
        let graph = self.graph;
        match of {
            Value::Null => Ok(Value::Null),
            Value::Map(_) => Ok(of.clone()),
            Value::Node(node) => {
                let keys = graph.node_keys(*node).into_iter();
                Ok(Value::map(
                    keys.map(|key| (Arc::clone(&key), graph.node_property(*node, &key))),
                ))
            }
            Value::Link(link) => {
                let keys = graph.link_keys(*link).into_iter();
                Ok(Value::map(
                    keys.map(|key| (Arc::clone(&key), graph.link_property(*link, &key))),
                ))
            }
            other => Err(type_error(
                span,
                "only nodes, relationships and maps have properties",
                other,
            )),
        }
    }

    /// What a path costs: its derivation's effort, or the sum of the property `cost`; null if one has no number there.
    fn path_cost(&mut self, path: &super::value::PathValue, span: Span) -> Result<Value> {
        let (known, is_over) = self.watched(|runner, stop| (runner.graph.path_cost(path, stop), stop()));
        if is_over {
            self.whole(span)?;
        }
        if let Some(cost) = known {
            return Ok(cost);
        }
        let mut whole = Some(0_i64);
        let mut sum = 0.0;
        for link in &path.links {
            let cost = self.graph.link_property(*link, "cost");
            let Some(number) = float(&cost) else {
                return Ok(Value::Null);
            };
            sum += number;
            whole = match cost {
                Value::Int(number) => whole.and_then(|whole| whole.checked_add(number)),
                _ => None,
            };
        }
        Ok(whole.map_or(Value::Float(sum), Value::Int))
    }

    fn of_graph(&mut self, name: &str, value: &Value, span: Span) -> Result<Option<Value>> {
        let graph = self.graph;
        let texts = |names: Vec<&str>| Value::list(names.into_iter().map(Value::text).collect());
        Ok(Some(match (name, value) {
            ("labels", Value::Node(node)) => texts(graph.labels(*node)),
            ("type", Value::Link(link)) => Value::text(graph.link_type(*link)),
            ("id", Value::Node(number) | Value::Link(number)) => Value::Int(i64::from(*number)),
            ("elementid", Value::Node(number) | Value::Link(number)) => Value::text(number.to_string()),
            ("startnode", Value::Link(link)) => Value::Node(graph.ends(*link).0),
            ("endnode", Value::Link(link)) => Value::Node(graph.ends(*link).1),
            ("nodes", Value::Path(path)) => {
                Value::list(path.nodes.iter().copied().map(Value::Node).collect())
            }
            ("relationships", Value::Path(path)) => {
                Value::list(path.links.iter().copied().map(Value::Link).collect())
            }
            ("cost", Value::Path(path)) => self.path_cost(path, span)?,
            ("length", Value::Path(path)) => Value::Int(i64::try_from(path.links.len()).unwrap_or(i64::MAX)),
            ("properties", of) => self.properties(of, span)?,
            ("keys", Value::Node(_) | Value::Link(_) | Value::Map(_)) => {
                let Value::Map(map) = self.properties(value, span)? else {
                    return Ok(None);
                };
                Value::list(map.keys().map(|key| Value::Text(Arc::clone(key))).collect())
            }
            _ => return Ok(None),
        }))
    }
}

fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn of_list(name: &str, value: &Value) -> Option<Value> {
    let Value::List(items) = value else {
        return match (name, value) {
            ("isempty", Value::Map(map)) => Some(Value::Bool(map.is_empty())),
            _ => None,
        };
    };
    Some(match name {
        "size" => count(items.len()),
        "isempty" => Value::Bool(items.is_empty()),
        "head" => items.first().cloned().unwrap_or(Value::Null),
        "last" => items.last().cloned().unwrap_or(Value::Null),
        "tail" => Value::list(items.iter().skip(1).cloned().collect()),
        "reverse" => Value::list(items.iter().rev().cloned().collect()),
        _ => return None,
    })
}

fn of_text(name: &str, value: &Value) -> Option<Value> {
    let Value::Text(text) = value else {
        return None;
    };
    Some(match name {
        "size" => count(text.chars().count()),
        "isempty" => Value::Bool(text.is_empty()),
        "tolower" => Value::text(text.to_lowercase()),
        "toupper" => Value::text(text.to_uppercase()),
        "trim" => Value::text(text.trim()),
        "ltrim" => Value::text(text.trim_start()),
        "rtrim" => Value::text(text.trim_end()),
        "reverse" => Value::text(text.chars().rev().collect::<String>()),
        _ => return None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float outside the integers was sorted out before"
)]
fn whole(number: f64) -> Value {
    let number = number.trunc();
    // 2⁶³ is the first float that is no i64; -2⁶³ is one.
    let limit = 9_223_372_036_854_775_808.0;
    if number >= -limit && number < limit {
        Value::Int(number as i64)
    } else {
        Value::Null
    }
}

pub(crate) fn to_float(number: i64) -> Option<Value> {
    float(&Value::Int(number)).map(Value::Float)
}

fn conversion(name: &str, value: &Value) -> Option<Value> {
    Some(match (name, value) {
        ("tostring", Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_)) => {
            Value::text(super::show::plain(value))
        }
        ("tointeger", Value::Int(_)) | ("tofloat", Value::Float(_)) | ("toboolean", Value::Bool(_)) => {
            value.clone()
        }
        ("tointeger", Value::Float(number)) => whole(*number),
        ("tointeger", Value::Text(text)) => {
            let text = text.trim();
            let number = text.parse().map(Value::Int).ok();
            number
                .or_else(|| text.parse().ok().map(whole))
                .unwrap_or(Value::Null)
        }
        ("tofloat", Value::Int(_)) => float(value).map_or(Value::Null, Value::Float),
        ("tofloat", Value::Text(text)) => text.trim().parse().map_or(Value::Null, Value::Float),
        ("toboolean", Value::Text(text)) => match text.trim().to_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
        _ => return None,
    })
}

fn of_number(name: &str, value: &Value) -> Option<Value> {
    if let ("abs", Value::Int(number)) = (name, value) {
        return Some(number.checked_abs().map_or(Value::Null, Value::Int));
    }
    if let ("sign", Value::Int(number)) = (name, value) {
        return Some(Value::Int(number.signum()));
    }
    let number = float(value)?;
    Some(match name {
        "abs" => Value::Float(number.abs()),
        "ceil" => Value::Float(number.ceil()),
        "floor" => Value::Float(number.floor()),
        // Halves go up, also below zero: <https://neo4j.com/docs/cypher-manual/current/functions/mathematical-numeric/>
        "round" => Value::Float((number + 0.5).floor()),
        "sign" if number == 0.0 || number.is_nan() => Value::Int(0),
        "sign" => Value::Int(if number > 0.0 { 1 } else { -1 }),
        "sqrt" => Value::Float(number.sqrt()),
        "exp" => Value::Float(number.exp()),
        "log" => Value::Float(number.ln()),
        "log10" => Value::Float(number.log10()),
        _ => return None,
    })
}

fn of_texts(name: &str, values: &[Value], span: Span) -> Result<Value> {
    let size = |number: i64| {
        let message = format!("{name} takes a length that is not negative");
        usize::try_from(number).map_err(|_| QueryError::new(Fault::Argument, span, message))
    };
    let part = |text: &str, start: usize, length: usize| {
        Value::text(text.chars().skip(start).take(length).collect::<String>())
    };
    match (name, values) {
        ("substring", [Value::Text(text), Value::Int(start)]) => Ok(part(text, size(*start)?, usize::MAX)),
        ("substring", [Value::Text(text), Value::Int(start), Value::Int(length)]) => {
            Ok(part(text, size(*start)?, size(*length)?))
        }
        ("left", [Value::Text(text), Value::Int(length)]) => Ok(part(text, 0, size(*length)?)),
        ("right", [Value::Text(text), Value::Int(length)]) => {
            let all = text.chars().count();
            Ok(part(text, all.saturating_sub(size(*length)?), usize::MAX))
        }
        ("split", [Value::Text(text), Value::Text(by)]) => {
            if by.is_empty() {
                return Ok(Value::list(
                    text.chars().map(|c| Value::text(c.to_string())).collect(),
                ));
            }
            Ok(Value::list(text.split(&**by).map(Value::text).collect()))
        }
        ("replace", [Value::Text(text), Value::Text(from), Value::Text(to)]) => {
            let longest = text.len().saturating_add(1).saturating_mul(to.len().max(1));
            if longest > 1 << 24 {
                return Err(QueryError::new(
                    Fault::Argument,
                    span,
                    "the result may be too long",
                ));
            }
            Ok(Value::text(text.replace(&**from, to)))
        }
        _ => {
            let kinds: Vec<&str> = values.iter().map(Value::kind).collect();
            let message = format!("{name} does not take {}", kinds.join(", "));
            Err(QueryError::new(Fault::Type, span, message))
        }
    }
}
