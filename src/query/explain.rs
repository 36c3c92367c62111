//! EXPLAIN and PROFILE: the operators of a query as a table, with the rows that are expected of each, and with what
//! each did.
//!
//! **Trap.** The numbers of expected rows are guesses from counts of labels and types; they choose between plans and
//! prove nothing. An operator's time is its own, without that of those behind it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::ast::{Projection, Shortest, Take};
use super::error::Span;
use super::matching::{Expand, Op, Plan, Source};
use super::run::{Runner, Table};
use super::select::Select;
use super::value::Value;

/// One line of a plan.
#[derive(Debug)]
struct Operator {
    name: &'static str,
    details: String,
    rows: f64,
    depth: usize,
}

/// The operators of a query in the order in which rows go through them.
#[derive(Debug)]
pub(crate) struct Listing {
    operators: Vec<Operator>,
    is_told: bool,
    /// How many rows are expected so far.
    pub(crate) rows: f64,
    /// How many subqueries deep.
    pub(crate) depth: usize,
}

impl Listing {
    pub(crate) fn new(is_told: bool) -> Self {
        Self {
            operators: Vec::new(),
            is_told,
            rows: 1.0,
            depth: 0,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.operators.len()
    }

    /// Adds an operator; its number.
    pub(crate) fn operator(&mut self, name: &'static str, details: impl FnOnce() -> String) -> usize {
        self.operators.push(Operator {
            name,
            details: if self.is_told { details() } else { String::new() },
            rows: self.rows,
            depth: self.depth,
        });
        self.operators.len() - 1
    }

    /// Gives an operator another name.
    pub(crate) fn rename(&mut self, operator: usize, name: &'static str) {
        self.operators[operator].name = name;
    }

    /// Adds the operations of a MATCH; the number of the first.
    pub(crate) fn plan(&mut self, plan: &Plan<'_>, optional: bool, text: &str) -> usize {
        let first = self.operators.len();
        plan.number(first);
        let before = self.rows;
        for (op, factor) in plan.ops.iter().zip(&plan.factors) {
            self.rows *= factor;
            let (name, details) = described(op, plan, text);
            self.operator(name, || {
                let optionally = if optional { "optional: " } else { "" };
                format!("{optionally}{details}")
            });
        }
        if optional {
            self.rows = self.rows.max(before);
        }
        first
    }

    /// Adds a WITH or RETURN; its number.
    pub(crate) fn projection(
        &mut self,
        projection: &Projection,
        columns: &[String],
        aggregates: bool,
        text: &str,
    ) -> usize {
        if aggregates {
            self.rows = self.rows.sqrt();
        } else if projection.distinct {
            self.rows *= 0.5;
        }
        if let Some(limit) = &projection.limit
            && let Ok(limit) = limit.span.of(text).parse::<f64>()
        {
            self.rows = self.rows.min(limit);
        }
        let name = match (aggregates, projection.order.is_empty(), &projection.limit) {
            (true, ..) => "EagerAggregation",
            (false, false, Some(_)) => "Top",
            (false, false, None) => "Sort",
            (false, true, _) if projection.distinct => "Distinct",
            (false, true, Some(_)) => "Limit",
            (false, true, None) => "Projection",
        };
        self.operator(name, || {
            let mut details = columns.join(", ");
            if !projection.order.is_empty() {
                let order: Vec<&str> = projection
                    .order
                    .iter()
                    .map(|order| order.value.span.of(text))
                    .collect();
                let _ = write!(details, " ORDER BY {}", order.join(", "));
            }
            let counts = [("SKIP", &projection.skip), ("LIMIT", &projection.limit)];
            for (word, count) in counts {
                if let Some(count) = count {
                    let _ = write!(details, " {word} {}", count.span.of(text));
                }
            }
            if let Some(filter) = &projection.filter {
                let _ = write!(details, " WHERE {}", filter.span.of(text));
            }
            details
        })
    }

    /// The plan as a table.
    pub(crate) fn table(&self) -> Table {
        self.with(&["operator", "details", "estimated rows"], |_| Vec::new())
    }

    /// The plan with what each operator did.
    pub(crate) fn profiled(&self, mut profile: Profile) -> Table {
        profile.enter(usize::MAX);
        let columns = ["operator", "details", "estimated rows", "rows", "time (ms)"];
        self.with(&columns, |at| {
            let rows = i64::try_from(profile.rows[at]).unwrap_or(i64::MAX);
            let micros = (profile.time[at].as_secs_f64() * 1e6).round();
            vec![Value::Int(rows), Value::Float(micros / 1e3)]
        })
    }

    fn with(&self, columns: &[&str], more: impl Fn(usize) -> Vec<Value>) -> Table {
        let row = |(at, operator): (usize, &Operator)| {
            let mut row = vec![
                Value::text(format!("{}{}", "  ".repeat(operator.depth), operator.name)),
                Value::text(operator.details.as_str()),
                Value::Int(rounded(operator.rows)),
            ];
            row.extend(more(at));
            row
        };
        Table {
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: self.operators.iter().enumerate().map(row).collect(),
            stopped: None,
            expansions: 0,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast of a float saturates at the ends of the integers"
)]
fn rounded(rows: f64) -> i64 {
    rows.ceil() as i64
}

/// What an operation of a MATCH is called, and what it does.
fn described(op: &Op<'_>, plan: &Plan<'_>, text: &str) -> (&'static str, String) {
    match op {
        Op::Start { node, source, .. } => {
            let name = match source {
                Source::Bound => "Argument",
                Source::Property(..) | Source::Listed(..) => "NodeIndexSeek",
                Source::Label(_) => "NodeByLabelScan",
                Source::All => "AllNodesScan",
            };
            let mut details = node.span.of(text).to_owned();
            if let Source::Property(key, _) | Source::Listed(key, _) = source {
                let _ = write!(details, " by {key}");
            }
            (name, details)
        }
        Op::Filter(filter) => ("Filter", filter.span.of(text).to_owned()),
        Op::Properties { properties, .. } => ("Filter", properties.span.of(text).to_owned()),
        Op::Path { slot, .. } => ("ProjectPath", plan.names[*slot].clone()),
        Op::Expand(expand) => expanded(expand, text),
        Op::Select(select) => selected(select, text),
    }
}

fn expanded(expand: &Expand<'_>, text: &str) -> (&'static str, String) {
    let name = match (expand.link.length, expand.to_bound) {
        (Some(_), _) => "VarLengthExpand",
        (None, true) => "Expand(Into)",
        (None, false) => "Expand(All)",
    };
    let way = if expand.reversed {
        ", from right to left"
    } else {
        ""
    };
    let details = format!("{}{}{way}", expand.link.span.of(text), expand.node.span.of(text));
    (name, details)
}

/// Says which paths are taken, and which conditions are tested before that.
fn selected(select: &Select<'_>, text: &str) -> (&'static str, String) {
    let pattern = select.pattern;
    let mut details = pattern.span.of(text).to_owned();
    let within: Vec<&str> = select
        .conditions()
        .into_iter()
        .map(|span: Span| span.of(text))
        .collect();
    if !within.is_empty() {
        let _ = write!(details, "; tested during the search: {}", within.join(", "));
    }
    let takes_all = (pattern.selection.as_ref()).is_none_or(|selection| selection.take == Take::All);
    let name = match pattern.shortest {
        _ if select.asks_ends => "ReachableNodes",
        Some(Shortest::One | Shortest::All) => "ShortestPath",
        None if takes_all => "PathExpand",
        None => "SelectPaths",
    };
    if select.meets() && !select.asks_ends {
        details.push_str("; from both ends");
    }
    (name, details)
}

/// What each operator did.
#[derive(Debug)]
pub(crate) struct Profile {
    rows: Vec<u64>,
    time: Vec<Duration>,
    current: usize,
    since: Instant,
}

impl Profile {
    pub(crate) fn new(operators: usize) -> Self {
        Self {
            rows: vec![0; operators],
            time: vec![Duration::ZERO; operators],
            current: usize::MAX,
            since: Instant::now(),
        }
    }

    /// Lets the clock of an operator run; which one's ran before.
    fn enter(&mut self, operator: usize) -> usize {
        let now = Instant::now();
        if let Some(time) = self.time.get_mut(self.current) {
            *time += now - self.since;
        }
        self.since = now;
        std::mem::replace(&mut self.current, operator)
    }
}

impl Runner<'_> {
    /// Does the work of an operator, on its clock.
    pub(crate) fn timed<T>(&mut self, operator: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let Some(profile) = &mut self.profile else {
            return work(self);
        };
        let before = profile.enter(operator);
        let result = work(self);
        if let Some(profile) = &mut self.profile {
            profile.enter(before);
        }
        result
    }

    /// Notes rows that an operator gave.
    pub(crate) fn gave(&mut self, operator: usize, rows: u64) {
        if let Some(profile) = &mut self.profile
            && let Some(known) = profile.rows.get_mut(operator)
        {
            *known += rows;
        }
    }
}
