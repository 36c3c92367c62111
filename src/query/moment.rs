//! Points in time: `datetime()` and `timestamp()`.
//!
//! A moment is a map of its parts in UTC, so that `datetime().epochSeconds` and `datetime('2026-01-01').year` read as
//! openCypher writes them; BloodHound's queries write `epochseconds`, which is there too.
//!
//! **Trap.** Without an argument a moment is the present one, and such a query gives other rows tomorrow.

use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::error::{Fault, QueryError, Result, Span};
use super::value::Value;

/// The value of a function of this name, in lower case; `None` if it is none of these.
pub(crate) fn call(name: &str, values: &[Value], span: Span) -> Option<Result<Value>> {
    match (name, values) {
        ("timestamp", []) => Some(Ok(Value::Int(Timestamp::now().as_millisecond()))),
        ("datetime", []) => Some(Ok(parts(Timestamp::now()))),
        ("datetime", [Value::Null]) => Some(Ok(Value::Null)),
        ("datetime", [Value::Text(text)]) => Some(read(text, span)),
        ("datetime", [Value::Map(map)]) => {
            let whole = |key: &str| match map.get(key) {
                Some(Value::Int(number)) => Some(*number),
                _ => None,
            };
            let moment = match (whole("epochSeconds"), whole("epochMillis")) {
                (Some(seconds), _) => Timestamp::from_second(seconds).ok(),
                (None, Some(millis)) => Timestamp::from_millisecond(millis).ok(),
                (None, None) => None,
            };
            let message =
                "datetime takes {epochSeconds: …} or {epochMillis: …} within the years -9999 to 9999";
            Some(moment.map(parts).ok_or_else(|| wrong(span, message)))
        }
        _ => None,
    }
}

fn wrong(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Argument, span, message)
}

/// Reads a moment with an offset, one without, which is UTC, or a day.
fn read(text: &str, span: Span) -> Result<Value> {
    let utc = |local: DateTime| {
        local
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned: Zoned| zoned.timestamp())
    };
    let moment = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|day| utc(day.at(0, 0, 0, 0))));
    moment.map(parts).ok_or_else(|| {
        wrong(span, format!("`{}` is no date and time", text.escape_debug()))
            .help("write it as 2026-11-28T08:00:00Z or 2026-11-28")
    })
}

fn parts(moment: Timestamp) -> Value {
    let utc = moment.to_zoned(TimeZone::UTC);
    let entries = [
        ("epochSeconds", moment.as_second()),
        ("epochseconds", moment.as_second()),
        ("epochMillis", moment.as_millisecond()),
        ("epochmillis", moment.as_millisecond()),
        ("year", utc.year().into()),
        ("month", utc.month().into()),
        ("day", utc.day().into()),
        ("hour", utc.hour().into()),
        ("minute", utc.minute().into()),
        ("second", utc.second().into()),
    ];
    Value::map(entries.map(|(key, number)| (Arc::from(key), Value::Int(number))))
}
