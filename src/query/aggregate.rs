//! Aggregating functions: one value for a group of rows, taken in row by row.
//!
//! **Trap.** They pass over null. Of no rows, `count` is 0, `sum` is 0, `collect` is empty, and the others are null.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use super::arithmetic::float;
use super::ast::{Expr, ExprKind};
use super::error::{Fault, QueryError, Result, Span};
use super::eval::type_error;
use super::run::{Frame, Runner};
use super::value::{Key, Value};

/// What an aggregation has taken in of one group.
#[derive(Debug)]
pub(crate) struct Accumulator {
    state: State,
    /// Values that were taken, if each counts once.
    seen: Option<FxHashSet<Key>>,
}

#[derive(Debug)]
enum State {
    /// Rows, or values that are not null.
    Count(i64),
    /// Whole numbers; once a float came, floats.
    Sum(i64, Option<f64>),
    Average(f64, usize),
    Least(Option<Value>),
    Greatest(Option<Value>),
    /// All values, for what needs them all at the end.
    Values(Kept, Vec<Value>),
    Share(Vec<Value>, Option<Value>),
}

#[derive(Clone, Copy, Debug)]
enum Kept {
    List,
    /// The standard deviation; 1 for a sample, else 0.
    Deviation(usize),
}

impl Accumulator {
    /// Of no rows.
    pub(crate) fn new(call: &Expr) -> Self {
        let ExprKind::Call { name, distinct, .. } = &call.kind else {
            return Self {
                state: State::Count(0),
                seen: None,
            };
        };
        let state = match name.text.to_lowercase().as_str() {
            "count" => State::Count(0),
            "sum" => State::Sum(0, None),
            "avg" => State::Average(0.0, 0),
            "min" => State::Least(None),
            "max" => State::Greatest(None),
            "collect" => State::Values(Kept::List, Vec::new()),
            "stdev" => State::Values(Kept::Deviation(1), Vec::new()),
            "stdevp" => State::Values(Kept::Deviation(0), Vec::new()),
            _ => State::Share(Vec::new(), None),
        };
        Self {
            state,
            seen: distinct.then(FxHashSet::default),
        }
    }

    /// Takes in so many rows where only their number counts.
    pub(crate) fn count(&mut self, rows: u64) {
        if let State::Count(count) = &mut self.state {
            *count = count.saturating_add_unsigned(rows);
        }
    }

    /// The value of what was taken in.
    pub(crate) fn finish(self, call: &Expr) -> Result<Value> {
        Ok(match self.state {
            State::Count(count) => Value::Int(count),
            State::Sum(whole, None) => Value::Int(whole),
            State::Sum(_, Some(sum)) => Value::Float(sum),
            State::Average(_, 0) => Value::Null,
            State::Average(sum, count) => Value::Float(sum / size(count)),
            State::Least(value) | State::Greatest(value) => value.unwrap_or(Value::Null),
            State::Values(Kept::List, values) => Value::list(values),
            State::Values(Kept::Deviation(missing), values) => {
                Value::Float(deviation(&numbers(&values, call.span)?, missing))
            }
            State::Share(mut values, share) => {
                let ExprKind::Call { name, .. } = &call.kind else {
                    return Ok(Value::Null);
                };
                let Some(share) = share else {
                    return Ok(Value::Null);
                };
                let Some(share) = float(&share).filter(|share| (0.0..=1.0).contains(share)) else {
                    let message = format!("{} takes a share between 0 and 1", name.text);
                    return Err(QueryError::new(Fault::Argument, call.span, message));
                };
                values.sort_by(Value::order);
                numbers(&values, call.span)?;
                of_share(&values, share, name.text.eq_ignore_ascii_case("percentilecont"))
            }
        })
    }
}

impl<'g> Runner<'g> {
    /// Takes one row into an aggregation.
    pub(crate) fn accumulate(
        &mut self,
        into: &mut Accumulator,
        call: &'g Expr,
        frame: Frame<'_>,
    ) -> Result<()> {
        let ExprKind::Call { name, arguments, .. } = &call.kind else {
            if let State::Count(count) = &mut into.state {
                *count += 1;
            }
            return Ok(());
        };
        let Some(argument) = arguments.first() else {
            let message = format!("{} takes an argument", name.text);
            return Err(QueryError::new(Fault::Meaning, call.span, message));
        };
        if let (State::Share(_, share @ None), Some(given)) = (&mut into.state, arguments.get(1)) {
            *share = Some(self.eval(given, frame)?);
        }
        let value = self.eval(argument, frame)?;
        if value.is_null() {
            return Ok(());
        }
        if let Some(seen) = &mut into.seen {
            if !seen.insert(Key(vec![value.clone()])) {
                return Ok(());
            }
            self.hold(super::limits::size(std::slice::from_ref(&value)));
        }
        match &mut into.state {
            State::Count(count) => *count += 1,
            State::Sum(whole, sum) => add(whole, sum, &value, call.span)?,
            State::Average(sum, count) => {
                *sum += number(&value, call.span)?;
                *count += 1;
            }
            State::Least(least) => {
                if least
                    .as_ref()
                    .is_none_or(|least| value.order(least) == Ordering::Less)
                {
                    *least = Some(value);
                }
            }
            State::Greatest(greatest) => {
                if greatest
                    .as_ref()
                    .is_none_or(|known| known.order(&value) == Ordering::Less)
                {
                    *greatest = Some(value);
                }
            }
            State::Values(_, values) | State::Share(values, _) => {
                self.hold(super::limits::size(std::slice::from_ref(&value)));
                values.push(value);
            }
        }
        Ok(())
    }
}

fn add(whole: &mut i64, sum: &mut Option<f64>, value: &Value, span: Span) -> Result<()> {
    if let (Value::Int(number), None) = (value, &sum) {
        *whole = whole
            .checked_add(*number)
            .ok_or_else(|| QueryError::new(Fault::Argument, span, "the sum is too large for an integer"))?;
        return Ok(());
    }
    let before = sum.or_else(|| float(&Value::Int(*whole))).unwrap_or_default();
    *sum = Some(before + number(value, span)?);
    Ok(())
}

fn number(value: &Value, span: Span) -> Result<f64> {
    float(value).ok_or_else(|| type_error(span, "this takes numbers", value))
}

fn numbers(values: &[Value], span: Span) -> Result<Vec<f64>> {
    values.iter().map(|value| number(value, span)).collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer rows than a float counts exactly"
)]
fn size(count: usize) -> f64 {
    count as f64
}

/// The standard deviation; `missing` is 1 for a sample.
fn deviation(numbers: &[f64], missing: usize) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    let average = numbers.iter().sum::<f64>() / size(numbers.len());
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
