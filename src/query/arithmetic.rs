//! Arithmetic: what `+ - * / % ^` make of two values.
//!
//! **Trap.** Whole numbers do not turn into floats where they overflow: that is an error, as is division by zero.

use super::ast::Operator;
use super::error::{Result, Span};
use super::eval::{argument_error, type_error};
use super::value::Value;

/// The longest text or list that `+` makes.
pub(crate) const LONGEST: usize = 1 << 24;

pub(crate) fn negative(value: &Value, span: Span) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Int(number) => {
            let negated = number.checked_neg();
            negated
                .map(Value::Int)
                .ok_or_else(|| argument_error(span, "the number is too large"))
        }
        Value::Float(number) => Ok(Value::Float(-number)),
        other => Err(type_error(span, "`-` takes a number", other)),
    }
}

pub(crate) fn add(left: &Value, right: &Value, span: Span) -> Result<Value> {
    let longer = |left: usize, right: usize| {
        if left.saturating_add(right) > LONGEST {
            return Err(argument_error(span, "the result is too long"));
        }
        Ok(())
    };
    let is_simple = |value: &Value| {
        matches!(
            value,
            Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_)
        )
    };
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            longer(left.len(), right.len())?;
            Ok(Value::list(left.iter().chain(right.iter()).cloned().collect()))
        }
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::List(left), item) => {
            longer(left.len(), 1)?;
            Ok(Value::list(left.iter().chain([item]).cloned().collect()))
        }
        (item, Value::List(right)) => {
            longer(right.len(), 1)?;
            Ok(Value::list(
                [item].into_iter().chain(right.iter()).cloned().collect(),
            ))
        }
        (Value::Text(text), other) if is_simple(other) => {
            Ok(Value::text(format!("{text}{}", super::show::plain(other))))
        }
        (other, Value::Text(text)) if is_simple(other) => {
            Ok(Value::text(format!("{}{text}", super::show::plain(other))))
        }
        (Value::Text(left), Value::Text(right)) => {
            longer(left.len(), right.len())?;
            Ok(Value::text(format!("{left}{right}")))
        }
        _ => arithmetic(Operator::Add, left, right, span),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "openCypher turns integers into floats beside a float"
)]
pub(crate) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

pub(crate) fn arithmetic(operator: Operator, left: &Value, right: &Value, span: Span) -> Result<Value> {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && operator != Operator::Power
    {
        if *right == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
            return Err(argument_error(span, "division by zero"));
        }
        let result = match operator {
            Operator::Add => left.checked_add(*right),
            Operator::Subtract => left.checked_sub(*right),
            Operator::Multiply => left.checked_mul(*right),
            Operator::Divide => left.checked_div(*right),
            _ => left.checked_rem(*right),
        };
        return result
            .map(Value::Int)
            .ok_or_else(|| argument_error(span, "the result is too large for an integer"));
    }
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        let other = if float(left).is_none() { left } else { right };
        return Err(type_error(span, "arithmetic takes numbers", other));
    };
    Ok(Value::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Remainder => a % b,
        _ => a.powf(b),
    }))
}
