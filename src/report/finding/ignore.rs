//! The ignore file: findings that someone took on themselves, with owner, reason and an end.
//!
//! ```yaml
//! - id: bh-0123456789abcdef
//!   owner: team-shop
//!   reason: the demo database holds no data of customers
//!   expires: 2027-03-31
//! ```
//!
//! **Trap.** The last day counts: an entry ends after it, and then the finding is open again.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, State};

/// A day of the calendar, as `2027-03-31`: year, month, day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u16, u8, u8);

impl Day {
    /// The day in UTC.
    pub fn today() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::after_epoch(since.as_secs() / 86_400)
    }

    /// The day so many days after 1970-01-01.
    fn after_epoch(mut days: u64) -> Self {
        let mut year = 1970;
        while days >= 365 + u64::from(is_leap(year)) && year < 9999 {
            days -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let mut month = 1;
        while month < 12 && days >= u64::from(days_of(year, month)) {
            days -= u64::from(days_of(year, month));
            month += 1;
        }
        Self(year, month, u8::try_from(days + 1).unwrap_or(31))
    }
}

fn is_leap(year: u16) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap(year)),
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(year, month, day) = self;
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no day; write it as 2027-03-31");
        let is_shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !is_shaped {
            return Err(wrong());
        }
        let part = |from: usize, to: usize| text[from..to].parse::<u16>().map_err(|_| wrong());
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (Ok(month), Ok(day)) = (u8::try_from(month), u8::try_from(day)) else {
            return Err(wrong());
        };
        if !(1..=12).contains(&month) || day == 0 || day > days_of(year, month) {
            return Err(wrong());
        }
        Ok(Self(year, month, day))
    }
}

/// Who ignores a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Ignored {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it is ignored.
    pub expires: String,
}

/// Why an ignore file was not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreError {
    /// Not YAML, or another shape.
    #[error("not a list of id, owner, reason and expires: {0}")]
    Shape(String),
    /// An entry lacks something.
    #[error("the entry for {id} has no {member}; every entry needs an id, an owner, a reason and an end")]
    Empty {
        /// The finding's id.
        id: String,
        /// What is missing.
        member: &'static str,
    },
    /// An entry's end is no day.
    #[error("the entry for {id}: {message}")]
    Day {
        /// The finding's id.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// Two entries for one finding.
    #[error("two entries for {0}; one has to go")]
    Twice(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    owner: String,
    reason: String,
    expires: String,
}

/// What an ignore file says.
#[derive(Debug, Default)]
pub struct IgnoreList(BTreeMap<String, (Ignored, Day)>);

impl IgnoreList {
    /// Reads the text of an ignore file.
    ///
    /// # Errors
    /// Says what is wrong and where; a file with one wrong entry is refused as a whole.
    pub fn read(text: &str) -> Result<Self, IgnoreError> {
        let entries: Option<Vec<Entry>> =
            serde_saphyr::from_str(text).map_err(|error| IgnoreError::Shape(error.to_string()))?;
        let mut list = BTreeMap::new();
        for entry in entries.unwrap_or_default() {
            let members = [
                ("id", &entry.id),
                ("owner", &entry.owner),
                ("reason", &entry.reason),
            ];
            if let Some((member, _)) = members.iter().find(|(_, value)| value.trim().is_empty()) {
                let id = entry.id.clone();
                return Err(IgnoreError::Empty { id, member });
            }
            let day = match entry.expires.parse() {
                Ok(day) => day,
                Err(message) => {
                    return Err(IgnoreError::Day {
                        id: entry.id,
                        message,
                    });
                }
            };
            let ignored = Ignored {
                owner: entry.owner,
                reason: entry.reason,
                expires: entry.expires,
            };
            if list.contains_key(&entry.id) {
                return Err(IgnoreError::Twice(entry.id));
            }
            list.insert(entry.id, (ignored, day));
        }
        Ok(Self(list))
    }

    /// Marks the findings that are ignored on this day. Returns a line for each entry that has no effect.
    pub fn apply(&self, findings: &mut [Finding], today: Day) -> Vec<String> {
        let mut lines = Vec::new();
        for (id, (ignored, last)) in &self.0 {
            let finding = findings.iter_mut().find(|finding| finding.id == *id);
            match finding {
                None => lines.push(format!(
                    "{id} is ignored by {} but not found; its entry can go",
                    ignored.owner
                )),
                Some(_) if *last < today => lines.push(format!(
                    "{id} was ignored by {} until {last}; it is open again",
                    ignored.owner
                )),
                Some(finding) => {
                    finding.state = State::Ignored;
                    finding.ignored = Some(ignored.clone());
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_781, "2026-11-24"),
        ] {
            assert_eq!(Day::after_epoch(days).to_string(), text);
            assert_eq!(text.parse(), Ok(Day::after_epoch(days)));
        }
        for text in [
            "2027-02-29",
            "2027-13-01",
            "2027-1-1",
            "2027-00-10",
            "tomorrow",
            "2027-01-3é",
            "",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_entry_needs_everything() {
        let whole = "- {id: bh-1, owner: me, reason: because, expires: 2027-01-01}\n";
        assert!(IgnoreList::read(whole).is_ok());
        assert!(IgnoreList::read("").is_ok());
        for (text, expected) in [
            ("- {id: bh-1, owner: me, expires: 2027-01-01}", "reason"),
            (
                "- {id: bh-1, owner: ' ', reason: because, expires: 2027-01-01}",
                "has no owner",
            ),
            (
                "- {id: bh-1, owner: me, reason: because, expires: soon}",
                "`soon` is no day",
            ),
            ("nothing: else", "not a list"),
            (&format!("{whole}{whole}"), "two entries for bh-1"),
        ] {
            let error = IgnoreList::read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
