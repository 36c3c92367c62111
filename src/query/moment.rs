//! Dates, points in time and durations: `date()`, `datetime()`, `duration()` and `timestamp()`.
//!
//! A point in time is kept in UTC. Names of its parts are found in any case: openCypher writes `epochSeconds`, and
//! BloodHound's queries `epochseconds`.
//!
//! **Trap.** Without an argument a moment is the present one, and such a query gives other rows tomorrow. A duration has
//! months, days and seconds apart, as no number of days is a month, so that two durations have no order by `<`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span as Length, Timestamp, Zoned};

use super::ast::Operator;
use super::error::{Fault, QueryError, Result, Span};
use super::value::Value;

/// A date, a point in time or a duration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Time {
    /// A day of the calendar.
    Date(Date),
    /// A point in time.
    DateTime(Timestamp),
    /// A duration.
    Duration(Duration),
}

/// Months, days and nanoseconds, each for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    months: i64,
    days: i64,
    nanos: i128,
}

const SECOND: i128 = 1_000_000_000;

/// The units that a duration is made of: the name, months, days, nanoseconds.
const UNITS: &[(&str, i64, i64, i128)] = &[
    ("years", 12, 0, 0),
    ("quarters", 3, 0, 0),
    ("months", 1, 0, 0),
    ("weeks", 0, 7, 0),
    ("days", 0, 1, 0),
    ("hours", 0, 0, 3_600 * SECOND),
    ("minutes", 0, 0, 60 * SECOND),
    ("seconds", 0, 0, SECOND),
    ("milliseconds", 0, 0, 1_000_000),
    ("microseconds", 0, 0, 1_000),
    ("nanoseconds", 0, 0, 1),
];

type Parts = BTreeMap<Arc<str>, Value>;

/// The value of a function of this name, in lower case; `None` if it is none of these.
pub(crate) fn call(name: &str, values: &[Value], span: Span) -> Option<Result<Value>> {
    let now = Timestamp::now();
    let time = match (name, values) {
        ("timestamp", []) => return Some(Ok(Value::Int(now.as_millisecond()))),
        ("date" | "datetime" | "duration", [Value::Null]) => return Some(Ok(Value::Null)),
        ("date", []) => Ok(Time::Date(day(now))),
        ("datetime", []) => Ok(Time::DateTime(now)),
        ("date", [given]) => date(given, span).map(Time::Date),
        ("datetime", [given]) => date_time(given, span).map(Time::DateTime),
        ("duration", [given]) => duration(given, span).map(Time::Duration),
        _ => return None,
    };
    Some(time.map(value))
}

fn value(time: Time) -> Value {
    Value::Time(Arc::new(time))
}

fn wrong(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Argument, span, message)
}

fn utc(moment: Timestamp) -> Zoned {
    moment.to_zoned(TimeZone::UTC)
}

fn day(moment: Timestamp) -> Date {
    utc(moment).date()
}

fn at_utc(local: DateTime) -> Option<Timestamp> {
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn whole(parts: &Parts, key: &str) -> Option<i64> {
    match parts.get(key) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

fn small<N: TryFrom<i64>>(parts: &Parts, key: &str, default: i64) -> Option<N> {
    N::try_from(whole(parts, key).unwrap_or(default)).ok()
}

fn date_of(parts: &Parts) -> Option<Date> {
    whole(parts, "year")?;
    Date::new(
        small(parts, "year", 0)?,
        small(parts, "month", 1)?,
        small(parts, "day", 1)?,
    )
    .ok()
}

fn date(given: &Value, span: Span) -> Result<Date> {
    let found = match given {
        Value::Text(text) => text.parse().ok(),
        Value::Map(parts) => date_of(parts),
        Value::Time(time) => match **time {
            Time::Date(date) => Some(date),
            Time::DateTime(moment) => Some(day(moment)),
            Time::Duration(_) => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!("{} is no date", told(given));
        wrong(span, message).help("write it as date('2026-11-28') or date({year: 2026, month: 11, day: 28})")
    })
}

/// Reads a moment with an offset, one without, which is UTC, a day, or parts.
fn date_time(given: &Value, span: Span) -> Result<Timestamp> {
    let at_midnight = |day: Date| at_utc(day.at(0, 0, 0, 0));
    let found = match given {
        Value::Text(text) => text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| text.parse::<DateTime>().ok().and_then(at_utc))
            .or_else(|| text.parse::<Date>().ok().and_then(at_midnight)),
        Value::Map(parts) => match (whole(parts, "epochSeconds"), whole(parts, "epochMillis")) {
            (Some(seconds), _) => Timestamp::from_second(seconds).ok(),
            (None, Some(millis)) => Timestamp::from_millisecond(millis).ok(),
            (None, None) => date_of(parts).and_then(|date| {
                let clock = DateTime::new(
                    date.year(),
                    date.month(),
                    date.day(),
                    small(parts, "hour", 0)?,
                    small(parts, "minute", 0)?,
                    small(parts, "second", 0)?,
                    small(parts, "nanosecond", 0)?,
                );
                clock.ok().and_then(at_utc)
            }),
        },
        Value::Time(time) => match **time {
            Time::Date(day) => at_midnight(day),
            Time::DateTime(moment) => Some(moment),
            Time::Duration(_) => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        wrong(span, format!("{} is no date and time", told(given)))
            .help("write it as 2026-11-28T08:00:00Z or 2026-11-28, or as {epochSeconds: …}")
    })
}

/// Reads `P1Y2M3DT4H5M6S`, or a map of units.
fn duration(given: &Value, span: Span) -> Result<Duration> {
    let found = match given {
        Value::Text(text) => text.parse::<Length>().ok().map(Duration::of),
        Value::Map(parts) => Duration::of_parts(parts),
        Value::Time(time) => match **time {
            Time::Duration(duration) => Some(duration),
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        wrong(span, format!("{} is no duration", told(given)))
            .help("write it as duration('P30DT12H') or duration({days: 30, hours: 12})")
    })
}

fn told(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("`{}`", text.escape_debug()),
        other => other.kind().to_owned(),
    }
}

impl Duration {
    fn of(length: Length) -> Self {
        let nanos = i128::from(length.get_hours()) * 3_600 * SECOND
            + i128::from(length.get_minutes()) * 60 * SECOND
            + i128::from(length.get_seconds()) * SECOND
            + i128::from(length.get_milliseconds()) * 1_000_000
            + i128::from(length.get_microseconds()) * 1_000
            + i128::from(length.get_nanoseconds());
        Self {
            months: i64::from(length.get_years()) * 12 + i64::from(length.get_months()),
            days: i64::from(length.get_weeks()) * 7 + i64::from(length.get_days()),
            nanos,
        }
    }

    fn of_parts(parts: &Parts) -> Option<Self> {
        let mut all = Self {
            months: 0,
            days: 0,
            nanos: 0,
        };
        for (key, value) in parts {
            let (_, months, days, nanos) = UNITS.iter().find(|(name, ..)| **name == **key)?;
            let Value::Int(count) = value else { return None };
            all = all.plus(Self {
                months: months.checked_mul(*count)?,
                days: days.checked_mul(*count)?,
                nanos: nanos.checked_mul(i128::from(*count))?,
            })?;
        }
        Some(all)
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            nanos: self.nanos.checked_add(other.nanos)?,
        })
    }

    fn times(self, count: i64) -> Option<Self> {
        Some(Self {
            months: self.months.checked_mul(count)?,
            days: self.days.checked_mul(count)?,
            nanos: self.nanos.checked_mul(i128::from(count))?,
        })
    }

    /// Its months, its days and the rest, in the order in which they are added; jiff's spans have one sign for all.
    fn steps(self) -> Option<[Length; 3]> {
        let seconds = i64::try_from(self.nanos / SECOND).ok()?;
        let nanos = i64::try_from(self.nanos % SECOND).ok()?;
        let clock = Length::new().try_seconds(seconds).ok()?;
        Some([
            Length::new().try_months(self.months).ok()?,
            Length::new().try_days(self.days).ok()?,
            clock.try_nanoseconds(nanos).ok()?,
        ])
    }
}

impl Time {
    fn plus(&self, duration: Duration) -> Option<Self> {
        match self {
            Self::Duration(own) => own.plus(duration).map(Self::Duration),
            Self::Date(date) => {
                let mut moved = *date;
                for step in duration.steps()? {
                    // Of hours a date counts whole days only.
                    moved = moved.checked_add(step).ok()?;
                }
                Some(Self::Date(moved))
            }
            Self::DateTime(moment) => {
                let mut moved = utc(*moment);
                for step in duration.steps()? {
                    moved = moved.checked_add(step).ok()?;
                }
                Some(Self::DateTime(moved.timestamp()))
            }
        }
    }

    /// How two compare by `<`: only dates with dates and points in time with points in time.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date(_), Self::Date(_)) | (Self::DateTime(_), Self::DateTime(_)) => Some(self.cmp(other)),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Date(_) => "a date",
            Self::DateTime(_) => "a date and time",
            Self::Duration(_) => "a duration",
        }
    }

    /// A part of it; null if it has none of this name.
    pub(crate) fn part(&self, key: &str) -> Value {
        let key = key.to_lowercase();
        let found = match self {
            Self::Date(date) => of_date(*date, &key),
            Self::DateTime(moment) => {
                let zoned = utc(*moment);
                match key.as_str() {
                    "epochseconds" => Some(moment.as_second()),
                    "epochmillis" => Some(moment.as_millisecond()),
                    "hour" => Some(zoned.hour().into()),
                    "minute" => Some(zoned.minute().into()),
                    "second" => Some(zoned.second().into()),
                    "millisecond" => Some(i64::from(zoned.subsec_nanosecond()) / 1_000_000),
                    "microsecond" => Some(i64::from(zoned.subsec_nanosecond()) / 1_000),
                    "nanosecond" => Some(zoned.subsec_nanosecond().into()),
                    "timezone" | "offset" => return Value::text("Z"),
                    _ => of_date(zoned.date(), &key),
                }
            }
            Self::Duration(duration) => {
                let unit = UNITS.iter().find(|(name, ..)| *name == key);
                unit.and_then(|(_, months, days, nanos)| match (months, days, nanos) {
                    (1.., _, _) => duration.months.checked_div(*months),
                    (_, 1.., _) => duration.days.checked_div(*days),
                    _ => i64::try_from(duration.nanos / nanos).ok(),
                })
            }
        };
        found.map_or(Value::Null, Value::Int)
    }
}

fn of_date(date: Date, key: &str) -> Option<i64> {
    Some(match key {
        "year" => date.year().into(),
        "month" => date.month().into(),
        "day" => date.day().into(),
        "quarter" => (i64::from(date.month()) + 2) / 3,
        "week" => date.iso_week_date().week().into(),
        "dayofweek" | "weekday" => date.weekday().to_monday_one_offset().into(),
        "ordinalday" => date.day_of_year().into(),
        _ => return None,
    })
}

/// What an operator makes of two values of which one is a time at least.
pub(crate) fn arithmetic(operator: Operator, left: &Value, right: &Value, span: Span) -> Result<Value> {
    let length = |value: &Value| match value {
        Value::Time(time) => match **time {
            Time::Duration(duration) => Some(duration),
            _ => None,
        },
        _ => None,
    };
    let found = match (operator, left, right) {
        (_, Value::Null, _) | (_, _, Value::Null) => return Ok(Value::Null),
        (Operator::Add, Value::Time(time), other) if length(other).is_some() => {
            Some(length(other).and_then(|duration| time.plus(duration)))
        }
        (Operator::Add, other, Value::Time(time)) => length(other).map(|duration| time.plus(duration)),
        (Operator::Subtract, Value::Time(time), other) => {
            length(other).map(|duration| time.plus(duration.times(-1)?))
        }
        (Operator::Multiply, Value::Time(_), Value::Int(count)) => {
            length(left).map(|duration| duration.times(*count).map(Time::Duration))
        }
        (Operator::Multiply, Value::Int(count), Value::Time(_)) => {
            length(right).map(|duration| duration.times(*count).map(Time::Duration))
        }
        _ => None,
    };
    match found {
        Some(Some(time)) => Ok(value(time)),
        Some(None) => Err(wrong(span, "the result lies outside the years -9999 to 9999")),
        None => {
            let message = format!("this does not go with {} and {}", left.kind(), right.kind());
            let error = QueryError::new(Fault::Type, span, message);
            Err(error.help("a duration can be added and subtracted: datetime() - duration({days: 30})"))
        }
    }
}

impl fmt::Display for Time {
    /// As ISO 8601 writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::DateTime(moment) => moment.fmt(f),
            Self::Duration(duration) => duration.fmt(f),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calendar = [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')];
        let hour = 3_600 * SECOND;
        let clock = [(self.nanos / hour, 'H'), (self.nanos % hour / (60 * SECOND), 'M')];
        let rest = self.nanos % (60 * SECOND);
        f.write_str("P")?;
        for (count, unit) in calendar.iter().filter(|(count, _)| *count != 0) {
            write!(f, "{count}{unit}")?;
        }
        if self.nanos != 0 || calendar.iter().all(|(count, _)| *count == 0) {
            f.write_str("T")?;
        }
        for (count, unit) in clock.iter().filter(|(count, _)| *count != 0) {
            write!(f, "{count}{unit}")?;
        }
        let is_empty = self.months == 0 && self.days == 0 && self.nanos == 0;
        if rest != 0 || is_empty {
            let sign = if rest < 0 { "-" } else { "" };
            let (seconds, nanos) = (rest.abs() / SECOND, rest.abs() % SECOND);
            let fraction = format!(".{nanos:09}");
            write!(
                f,
                "{sign}{seconds}{}S",
                fraction.trim_end_matches('0').trim_end_matches('.')
            )?;
        }
        Ok(())
    }
}
