//! Aggregating functions: one value for a group of rows.
//!
//! **Trap.** They pass over null. Of no rows, `count` is 0, `sum` is 0, `collect` is empty, and the others are null.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::ast::{Expr, ExprKind};
use super::error::{Fault, QueryError, Result, Span};
use super::eval::{float, type_error};
use super::run::{Frame, Row, Runner};
use super::value::{Key, Value};

impl Runner<'_> {
    pub(crate) fn aggregate(&mut self, call: &Expr, names: &[String], rows: &[&Row]) -> Result<Value> {
        let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let ExprKind::Call {
            name,
            distinct,
            arguments,
        } = &call.kind
        else {
            return Ok(number(rows.len()));
        };
        let Some(argument) = arguments.first() else {
            let message = format!("{} takes an argument", name.text);
            return Err(QueryError::new(Fault::Meaning, call.span, message));
        };
        let mut values = Vec::new();
        for row in rows {
            let value = self.eval(argument, Frame { names, row })?;
            if !value.is_null() {
                values.push(value);
            }
        }
        if *distinct {
            let mut seen = BTreeSet::new();
            values.retain(|value| seen.insert(Key(vec![value.clone()])));
        }
        match name.text.to_lowercase().as_str() {
            "count" => Ok(number(values.len())),
            "collect" => Ok(Value::list(values)),
            "sum" => sum(&values, call.span),
            "avg" => Ok(average(&numbers(&values, call.span)?).map_or(Value::Null, Value::Float)),
            "min" => Ok(values.into_iter().min_by(Value::order).unwrap_or(Value::Null)),
            "max" => Ok(values.into_iter().reduce(greater).unwrap_or(Value::Null)),
            "stdev" => Ok(Value::Float(deviation(&numbers(&values, call.span)?, 1))),
            "stdevp" => Ok(Value::Float(deviation(&numbers(&values, call.span)?, 0))),
            percentile => {
                let share = match (arguments.get(1), rows.first()) {
                    (Some(share), Some(row)) => self.eval(share, Frame { names, row })?,
                    _ => return Ok(Value::Null),
                };
                let Some(share) = float(&share).filter(|share| (0.0..=1.0).contains(share)) else {
                    let message = format!("{} takes a share between 0 and 1", name.text);
                    return Err(QueryError::new(Fault::Argument, call.span, message));
                };
                values.sort_by(Value::order);
                numbers(&values, call.span)?;
                Ok(of_share(&values, share, percentile == "percentilecont"))
            }
        }
    }
}

fn greater(left: Value, right: Value) -> Value {
    if left.order(&right) == Ordering::Less {
        right
    } else {
        left
    }
}

fn numbers(values: &[Value], span: Span) -> Result<Vec<f64>> {
    let number = |value: &Value| float(value).ok_or_else(|| type_error(span, "this takes numbers", value));
    values.iter().map(number).collect()
}

fn sum(values: &[Value], span: Span) -> Result<Value> {
    let mut whole = 0_i64;
    for (index, value) in values.iter().enumerate() {
        let Value::Int(number) = value else {
            let numbers = numbers(&values[index..], span)?;
            let first = float(&Value::Int(whole)).unwrap_or_default();
            return Ok(Value::Float(
                numbers.into_iter().fold(first, |sum, number| sum + number),
            ));
        };
        let Some(next) = whole.checked_add(*number) else {
            return Err(QueryError::new(
                Fault::Argument,
                span,
                "the sum is too large for an integer",
            ));
        };
        whole = next;
    }
    Ok(Value::Int(whole))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer rows than a float counts exactly"
)]
fn size(count: usize) -> f64 {
    count as f64
}

fn average(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / size(numbers.len()))
}

/// The standard deviation; `missing` is 1 for a sample.
fn deviation(numbers: &[f64], missing: usize) -> f64 {
    let Some(average) = average(numbers) else {
        return 0.0;
    };
    let squares: f64 = numbers.iter().map(|number| (number - average).powi(2)).sum();
    match numbers.len().saturating_sub(missing) {
        0 => 0.0,
        count => (squares / size(count)).sqrt(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the place lies between 0 and the number of values"
)]
fn of_share(sorted: &[Value], share: f64, continuous: bool) -> Value {
    let Some(last) = sorted.len().checked_sub(1) else {
        return Value::Null;
    };
    if !continuous {
        let place = (share * size(sorted.len())).ceil() as usize;
        return sorted[place.saturating_sub(1).min(last)].clone();
    }
    let place = share * size(last);
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    match (float(&sorted[low.min(last)]), float(&sorted[high.min(last)])) {
        (Some(low), Some(high)) => Value::Float(low + (high - low) * place.fract()),
        _ => Value::Null,
    }
}
