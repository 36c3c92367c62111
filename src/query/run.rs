//! Running a query: clause after clause, each turning rows into rows.
//!
//! **Trap.** A limit does not fail a query: matching stops, the clauses behind it run over what was found, and the
//! table says that it is a part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::ast::{Clause, ClauseKind, Expr, Projection, Union};
use super::data::{Graph, Held};
use super::error::{Fault, QueryError, Result, Span};
use super::matching::Plan;
use super::value::{Key, NodeId, Value};
use super::walk;

/// The values of one row, in the order of their names.
pub(crate) type Row = Vec<Value>;

/// How much a query may do before it is stopped.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows that one clause may give.
    pub rows: usize,
    /// Relationships, list items and rows that may be looked at altogether.
    pub expansions: u64,
    /// How long it may take.
    pub time: Option<Duration>,
    /// Whether someone wants it to stop; asked at every expansion.
    pub interrupt: Option<Arc<AtomicBool>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 1_000_000,
            expansions: 100_000_000,
            time: None,
            interrupt: None,
        }
    }
}

/// Rows under named columns.
#[derive(Clone, Debug)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with one value for each column.
    pub rows: Vec<Vec<Value>>,
    /// Why the rows are only a part of the answer, if they are.
    pub stopped: Option<String>,
    /// How many relationships, list items and rows were looked at.
    pub expansions: u64,
}

/// Names and the values they have in one row.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'r> {
    pub(crate) names: &'r [String],
    pub(crate) row: &'r [Value],
}

impl Frame<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let at = self.names.iter().position(|known| known == name)?;
        self.row.get(at)
    }
}

/// The state of a run.
pub(crate) struct Runner<'g> {
    pub(crate) graph: &'g dyn Graph,
    /// The text of the query: what unnamed columns are called after.
    pub(crate) text: &'g str,
    pub(crate) parameters: &'g BTreeMap<String, Value>,
    limits: Limits,
    expansions: u64,
    /// How often the clock could have been asked.
    asked: u32,
    deadline: Option<Instant>,
    /// Whether the time was up before.
    is_late: bool,
    /// Whether not even what was found is gone through any more.
    is_cut: bool,
    stopped: Option<String>,
    /// Names that comprehensions introduce, the innermost last.
    pub(crate) locals: Vec<(String, Value)>,
    /// Values of the aggregations of the current group, by place in the text.
    pub(crate) aggregated: FxHashMap<(u32, u32), Value>,
    held: FxHashMap<NodeId, Option<Held>>,
    /// The state of `rand()`.
    pub(crate) random: u64,
    pub(crate) patterns: FxHashMap<String, regex::Regex>,
}

/// The clock is asked once in so many expansions.
const CLOCK: u32 = 256;
/// Sets of held positions that are kept.
const HELD: usize = 256;

impl<'g> Runner<'g> {
    pub(crate) fn new(
        graph: &'g dyn Graph,
        text: &'g str,
        parameters: &'g BTreeMap<String, Value>,
        limits: Limits,
    ) -> Self {
        Self {
            graph,
            text,
            parameters,
            deadline: limits.time.and_then(|time| Instant::now().checked_add(time)),
            limits,
            expansions: 0,
            asked: 0,
            is_late: false,
            is_cut: false,
            stopped: None,
            locals: Vec::new(),
            aggregated: FxHashMap::default(),
            held: FxHashMap::default(),
            random: 0x9E37_79B9_7F4A_7C15,
            patterns: FxHashMap::default(),
        }
    }

    /// Runs the whole query.
    pub(crate) fn table(mut self, query: &Union) -> Result<Table> {
        let (columns, rows) = match self.union(query, &[], &[], None) {
            Err(error) if error.fault == Fault::Stopped => (Vec::new(), Vec::new()),
            found => found?,
        };
        Ok(Table {
            columns,
            rows,
            stopped: self.stopped,
            expansions: self.expansions,
        })
    }

    /// Counts work; whether there may be more.
    pub(crate) fn expand(&mut self, count: u64) -> bool {
        self.expansions = self.expansions.saturating_add(count);
        let limit = self.limits.expansions;
        if self.expansions > limit {
            self.stop(|| format!("stopped after {limit} expansions"));
            // What was found may be gone through with as much again.
            self.is_cut |= self.expansions > limit.saturating_mul(2);
        }
        if (self.limits.interrupt.as_ref()).is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            self.stop(|| "interrupted".to_owned());
            self.is_cut = true;
        }
        self.asked = self.asked.wrapping_add(1);
        if self.asked.is_multiple_of(CLOCK) {
            self.ask_clock();
        }
        self.stopped.is_none()
    }

    fn stop(&mut self, why: impl FnOnce() -> String) {
        self.stopped.get_or_insert_with(why);
    }

    fn ask_clock(&mut self) {
        let (Some(deadline), Some(time)) = (self.deadline, self.limits.time) else {
            return;
        };
        if Instant::now() < deadline {
            return;
        }
        self.is_cut = self.is_late;
        self.is_late = true;
        self.stop(|| format!("stopped after {time:?}"));
        // What was found may be gone through for a while.
        self.deadline = deadline.checked_add((time / 4).max(Duration::from_millis(50)));
    }

    /// Counts work within an expression; an error if the query must end there, as half a value is worth nothing.
    pub(crate) fn pulse(&mut self, count: u64, span: Span) -> Result<()> {
        self.expand(count);
        if !self.is_cut {
            return Ok(());
        }
        let why = self.stopped.clone().unwrap_or_default();
        Err(QueryError::new(Fault::Stopped, span, why))
    }

    /// Whether a clause that has given so many rows may give another one.
    pub(crate) fn more_rows(&mut self, count: usize) -> bool {
        if count >= self.limits.rows {
            let limit = self.limits.rows;
            self.stopped
                .get_or_insert_with(|| format!("stopped after {limit} rows of one clause"));
        }
        self.stopped.is_none()
    }

    /// What is held from a node, if the graph has steps that need several things.
    pub(crate) fn held_from(&mut self, node: NodeId) -> Option<Held> {
        if let Some(known) = self.held.get(&node) {
            return known.clone();
        }
        if self.held.len() >= HELD {
            self.held.clear();
        }
        let found = self.graph.held_from(node);
        self.held.insert(node, found.clone());
        found
    }

    /// Runs a query that sees the names of `outer`; `cap` is how many rows are wanted.
    pub(crate) fn union(
        &mut self,
        query: &Union,
        names: &[String],
        row: &[Value],
        cap: Option<usize>,
    ) -> Result<(Vec<String>, Vec<Row>)> {
        let mut columns: Vec<String> = Vec::new();
        let mut rows: Vec<Row> = Vec::new();
        for (index, part) in query.parts.iter().enumerate() {
            let (own, found) = self.single(part, names.to_vec(), vec![row.to_vec()], cap)?;
            if index == 0 {
                (columns, rows) = (own, found);
                continue;
            }
            let order: Option<Vec<usize>> = columns
                .iter()
                .map(|column| own.iter().position(|name| name == column))
                .collect();
            let Some(order) = order.filter(|order| order.len() == own.len()) else {
                let message = "all parts of a UNION return columns of the same names";
                return Err(QueryError::new(Fault::Meaning, query.span, message));
            };
            rows.extend(
                found
                    .into_iter()
                    .map(|row| order.iter().map(|at| row[*at].clone()).collect::<Row>()),
            );
        }
        if query.all.first() == Some(&false) {
            distinct(&mut rows);
        }
        Ok((columns, rows))
    }

    fn single(
        &mut self,
        clauses: &[Clause],
        mut names: Vec<String>,
        mut rows: Vec<Row>,
        cap: Option<usize>,
    ) -> Result<(Vec<String>, Vec<Row>)> {
        for (index, clause) in clauses.iter().enumerate() {
            match &clause.kind {
                ClauseKind::Match {
                    optional,
                    patterns,
                    filter,
                } => {
                    let wanted = self.wanted_behind(clauses.get(index + 1), cap)?;
                    let plan = Plan::new(self.graph, patterns, filter.as_ref(), &names)?;
                    rows = self.matched(&plan, *optional, &rows, wanted)?;
                    names = plan.names_after();
                }
                ClauseKind::Unwind { list, name } => {
                    let wanted = self.wanted_behind(clauses.get(index + 1), cap)?;
                    rows = self.unwound(list, &names, &rows, wanted)?;
                    names.push(name.text.clone());
                }
                ClauseKind::With(projection) | ClauseKind::Return(projection) => {
                    (names, rows) = self.projected(projection, &names, rows)?;
                }
            }
        }
        Ok((names, rows))
    }

    /// How many rows of a clause are wanted; `cap` is for the last one.
    fn wanted_behind(&mut self, next: Option<&Clause>, cap: Option<usize>) -> Result<Option<usize>> {
        next.map_or(Ok(cap), |next| self.wanted(next))
    }

    /// How many rows the next clause takes, if it takes the first ones only.
    fn wanted(&mut self, next: &Clause) -> Result<Option<usize>> {
        let (ClauseKind::Return(projection) | ClauseKind::With(projection)) = &next.kind else {
            return Ok(None);
        };
        let is_plain = !projection.distinct
            && projection.order.is_empty()
            && !projection
                .items
                .iter()
                .any(|item| walk::has_aggregate(&item.value));
        let Some(limit) = projection.limit.as_ref().filter(|_| is_plain) else {
            return Ok(None);
        };
        let limit = self.count(limit, "LIMIT")?;
        let skip = match &projection.skip {
            Some(skip) => self.count(skip, "SKIP")?,
            None => 0,
        };
        Ok(Some(limit.saturating_add(skip)))
    }

    fn matched(
        &mut self,
        plan: &Plan<'_>,
        optional: bool,
        rows: &[Row],
        wanted: Option<usize>,
    ) -> Result<Vec<Row>> {
        let mut found: Vec<Row> = Vec::new();
        for row in rows {
            let before = found.len();
            self.matches(plan, row, &mut |runner, row| {
                if wanted.is_some_and(|wanted| found.len() >= wanted) || !runner.more_rows(found.len()) {
                    return Ok(false);
                }
                found.push(row.to_vec());
                Ok(wanted.is_none_or(|wanted| found.len() < wanted))
            })?;
            if optional && found.len() == before && self.more_rows(found.len()) {
                let mut row = row.clone();
                row.resize(plan.width(), Value::Null);
                found.push(row);
            }
            if self.stopped.is_some() || wanted.is_some_and(|wanted| found.len() >= wanted) {
                break;
            }
        }
        Ok(found)
    }

    fn unwound(
        &mut self,
        list: &Expr,
        names: &[String],
        rows: &[Row],
        wanted: Option<usize>,
    ) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        for row in rows {
            let items = match self.eval(list, Frame { names, row })? {
                Value::Null => continue,
                Value::List(items) => items,
                other => vec![other].into(),
            };
            for item in items.iter() {
                let has_all = wanted.is_some_and(|wanted| found.len() >= wanted);
                if has_all || !self.expand(1) || !self.more_rows(found.len()) {
                    return Ok(found);
                }
                let mut row = row.clone();
                row.push(item.clone());
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Evaluates the number of SKIP or LIMIT.
    fn count(&mut self, expr: &Expr, word: &str) -> Result<usize> {
        let value = self.eval(expr, Frame { names: &[], row: &[] })?;
        match value {
            Value::Int(count) if count >= 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            Value::Int(_) => {
                let message = format!("{word} takes a number that is not negative");
                Err(QueryError::new(Fault::Argument, expr.span, message))
            }
            other => {
                let message = format!("{word} takes a whole number, not {}", other.kind());
                Err(QueryError::new(Fault::Type, expr.span, message))
            }
        }
    }

    fn projected(
        &mut self,
        projection: &Projection,
        names: &[String],
        rows: Vec<Row>,
    ) -> Result<(Vec<String>, Vec<Row>)> {
        let mut columns: Vec<String> = if projection.everything {
            names.to_vec()
        } else {
            Vec::new()
        };
        columns.extend(projection.items.iter().map(|item| column(item, self.text)));
        let aggregates = projection
            .items
            .iter()
            .any(|item| walk::has_aggregate(&item.value));
        // Each projected row with the row it comes from: ORDER BY may use the names of both.
        let mut pairs = if aggregates {
            self.grouped(projection, names, &rows)?
        } else {
            self.one_by_one(projection, names, rows)?
        };
        if projection.distinct {
            let mut seen = BTreeSet::new();
            pairs.retain(|(values, ..)| seen.insert(Key(values.clone())));
        }
        if !projection.order.is_empty() {
            pairs = self.ordered(projection, &columns, names, pairs)?;
        }
        let skip = match &projection.skip {
            Some(skip) => self.count(skip, "SKIP")?,
            None => 0,
        };
        let limit = match &projection.limit {
            Some(limit) => self.count(limit, "LIMIT")?,
            None => usize::MAX,
        };
        let kept = pairs.into_iter().skip(skip).take(limit);
        let Some(filter) = &projection.filter else {
            return Ok((columns, kept.map(|(values, ..)| values).collect()));
        };
        let mut all = columns.clone();
        all.extend_from_slice(names);
        let mut found = Vec::new();
        for (values, row, _) in kept {
            let mut both = values.clone();
            both.extend(row);
            let frame = Frame {
                names: &all,
                row: &both,
            };
            if self.is_true(filter, frame)? {
                found.push(values);
            }
        }
        Ok((columns, found))
    }

    /// Each row with what is projected of it.
    fn one_by_one(
        &mut self,
        projection: &Projection,
        names: &[String],
        rows: Vec<Row>,
    ) -> Result<Vec<Group>> {
        let mut pairs = Vec::with_capacity(rows.len());
        for row in rows {
            self.expand(0);
            if self.is_cut {
                break;
            }
            let mut values: Row = if projection.everything {
                row.clone()
            } else {
                Row::new()
            };
            for item in &projection.items {
                values.push(self.eval(&item.value, Frame { names, row: &row })?);
            }
            pairs.push((values, row, FxHashMap::default()));
        }
        Ok(pairs)
    }

    fn ordered(
        &mut self,
        projection: &Projection,
        columns: &[String],
        names: &[String],
        pairs: Vec<Group>,
    ) -> Result<Vec<Group>> {
        let mut all = columns.to_vec();
        all.extend_from_slice(names);
        let mut keyed = Vec::with_capacity(pairs.len());
        for (values, row, aggregated) in pairs {
            let mut both = values.clone();
            both.extend_from_slice(&row);
            self.aggregated.clone_from(&aggregated);
            let mut keys = Vec::with_capacity(projection.order.len());
            for (expr, _) in &projection.order {
                let projected = projection.items.iter().position(|item| item.value == *expr);
                let offset = if projection.everything { names.len() } else { 0 };
                keys.push(match projected {
                    Some(at) => values[offset + at].clone(),
                    None => self.eval(
                        expr,
                        Frame {
                            names: &all,
                            row: &both,
                        },
                    )?,
                });
            }
            keyed.push((keys, (values, row, aggregated)));
        }
        self.aggregated.clear();
        keyed.sort_by(|(left, _), (right, _)| {
            let descending = projection.order.iter().map(|(_, descending)| *descending);
            let mut orders = left
                .iter()
                .zip(right)
                .zip(descending)
                .map(|((left, right), descending)| {
                    let order = left.order(right);
                    if descending { order.reverse() } else { order }
                });
            orders
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(keyed.into_iter().map(|(_, group)| group).collect())
    }

    /// One row for each group of rows that agree in the items without an aggregation.
    fn grouped(&mut self, projection: &Projection, names: &[String], rows: &[Row]) -> Result<Vec<Group>> {
        let keys = walk::grouping_keys(projection);
        let mut calls = Vec::new();
        projection
            .items
            .iter()
            .for_each(|item| walk::aggregates(&item.value, &mut calls));
        projection
            .order
            .iter()
            .for_each(|(value, _)| walk::aggregates(value, &mut calls));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut places: BTreeMap<Key, usize> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            self.expand(0);
            if self.is_cut {
                break;
            }
            let frame = Frame { names, row };
            let mut key: Row = if projection.everything {
                row.clone()
            } else {
                Row::new()
            };
            for value in &keys {
                key.push(self.eval(value, frame)?);
            }
            let place = *places.entry(Key(key)).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            groups[place].push(index);
        }
        let has_keys = projection.everything || !keys.is_empty();
        if groups.is_empty() && !has_keys {
            groups.push(Vec::new());
        }
        let mut found = Vec::new();
        for group in groups {
            let members: Vec<&Row> = group.iter().map(|index| &rows[*index]).collect();
            let mut aggregated = FxHashMap::default();
            for call in &calls {
                let value = self.aggregate(call, names, &members)?;
                aggregated.insert((call.span.start, call.span.end), value);
            }
            self.aggregated = aggregated;
            let first = members
                .first()
                .map_or_else(|| vec![Value::Null; names.len()], |row| (*row).clone());
            let mut values: Row = if projection.everything {
                first.clone()
            } else {
                Row::new()
            };
            for item in &projection.items {
                values.push(self.eval(&item.value, Frame { names, row: &first })?);
            }
            found.push((values, first, std::mem::take(&mut self.aggregated)));
        }
        Ok(found)
    }
}

/// A projected row, a row it comes from, and the values of its aggregations.
type Group = (Row, Row, FxHashMap<(u32, u32), Value>);

/// What a column is called: its name, else the text of its expression.
pub(crate) fn column(item: &super::ast::Item, text: &str) -> String {
    match &item.name {
        Some(name) => name.text.clone(),
        None => match &item.value.kind {
            super::ast::ExprKind::Variable(name) => name.clone(),
            _ => Span::of(item.value.span, text).to_owned(),
        },
    }
}

fn distinct(rows: &mut Vec<Row>) {
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(Key(row.clone())));
}
