//! Carries statements out. It reads no terminal and writes to none: text goes in, pages and messages come out.
//!
//! **Trap.** Rows are numbered from 1, as people count; `#2` is the second row of the last result.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::schema::Schema;
use super::session::Session;
use super::{command, compare, files};
use crate::cli::analysis::Analysis;
use crate::cli::rows::{Rendered, rendered};
use crate::cli::terminal;
use crate::graph::{AttackGraph, Rows};
use crate::query::{AttackView, Query, QueryError, Table, Value, is_comment, saved, statements};
use crate::report::{Page, counted};

/// What a statement gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) parts: Vec<Part>,
    pub(super) next: Next,
}

/// One thing to show.
#[derive(Debug)]
pub(super) enum Part {
    Page(Page),
    Text(String),
    /// Beside the result.
    Note(String),
    Error(String),
}

/// What happens after a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Stay,
    /// The graph is another one.
    Rebuild,
    /// Another input is to be read.
    Open(PathBuf),
    /// The input is to be read again.
    Reread,
    /// The report of the input is to be written to a file.
    Report(PathBuf),
    /// A text is to be changed in an editor and carried out.
    Edit(String),
    Quit,
}

impl Outcome {
    pub(super) fn of(parts: Vec<Part>) -> Self {
        Self {
            parts,
            next: Next::Stay,
        }
    }

    pub(super) fn next(next: Next) -> Self {
        Self {
            parts: Vec::new(),
            next,
        }
    }

    pub(super) fn page(page: Page) -> Self {
        Self::of(vec![Part::Page(page)])
    }

    pub(super) fn note(text: impl Into<String>) -> Self {
        Self::of(vec![Part::Note(text.into())])
    }
}

/// A graph and the session that asks it.
pub(super) struct Core<'c, 's> {
    pub(super) analysis: &'c Analysis,
    pub(super) graph: &'c AttackGraph,
    pub(super) rows: &'c Rows,
    pub(super) view: &'c AttackView<'c>,
    pub(super) schema: &'c Schema,
    pub(super) session: &'s mut Session,
    /// The last result.
    pub(super) last: Option<Table>,
    /// How many files are being read in one another.
    pub(super) depth: usize,
}

impl<'c, 's> Core<'c, 's> {
    pub(super) fn new(
        analysis: &'c Analysis,
        graph: &'c AttackGraph,
        rows: &'c Rows,
        view: &'c AttackView<'c>,
        schema: &'c Schema,
        session: &'s mut Session,
    ) -> Self {
        Self {
            analysis,
            graph,
            rows,
            view,
            schema,
            session,
            last: None,
            depth: 0,
        }
    }

    /// Carries out a command, or statements up to the first that changes the graph or leaves.
    pub(super) fn eval(&mut self, text: &str) -> Outcome {
        let text = text.trim();
        if is_comment(text) {
            return Outcome::of(Vec::new());
        }
        self.session.history.push(text.to_owned());
        if command::is_command(text) {
            return command::run(self, text)
                .unwrap_or_else(|error| Outcome::of(vec![Part::Error(format!("{error:#}"))]));
        }
        let mut parts = Vec::new();
        for statement in statements(text) {
            let outcome = self.query(statement);
            parts.extend(outcome.parts);
            if outcome.next != Next::Stay {
                return Outcome {
                    parts,
                    next: outcome.next,
                };
            }
        }
        Outcome::of(parts)
    }

    /// Runs a query and shows its rows.
    pub(super) fn query(&mut self, text: &str) -> Outcome {
        self.session.interrupt.store(false, Ordering::Relaxed);
        let first = text.split_whitespace().next().unwrap_or_default();
        if !["EXPLAIN", "PROFILE"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(first))
        {
            self.session.last_query = Some(text.to_owned());
        }
        let mut parts = Vec::new();
        let begin = Instant::now();
        let found = self.found(text, &mut parts);
        let time = begin.elapsed();
        match found {
            Ok(table) => {
                if let Err(error) = self.show(&table, &mut parts) {
                    parts.push(Part::Error(format!("{error:#}")));
                }
                if let Some(stopped) = &table.stopped {
                    parts.push(Part::Note(format!(
                        "these rows are a part of the answer: {stopped}"
                    )));
                }
                if self.session.timing {
                    let work = counted(
                        usize::try_from(table.expansions).unwrap_or(usize::MAX),
                        "expansion",
                    );
                    parts.push(Part::Note(format!("{:.1} ms, {work}", time.as_secs_f64() * 1e3)));
                }
                self.remember(&table);
                self.last = Some(table);
            }
            Err(error) => parts.push(Part::Error(error.shown(text))),
        }
        Outcome::of(parts)
    }

    fn found(&self, text: &str, parts: &mut Vec<Part>) -> Result<Table, QueryError> {
        let query = Query::parse(text)?;
        let is_shipped = saved().iter().any(|known| known.text == text);
        for warning in query.check(self.view)?.iter().filter(|_| !is_shipped) {
            parts.push(Part::Note(format!("warning: {}", warning.shown(text))));
        }
        query.run(self.view, &self.session.parameters, self.session.limits())
    }

    /// Asks the query that is watched again, and shows its rows, or from the second time on what became of them.
    pub(super) fn watched(&mut self) -> Option<Outcome> {
        let mut watch = self.session.watch.take()?;
        let mut outcome = self.query(&watch.query);
        if let Some(table) = &self.last {
            let now = compare::lines(table, self.view);
            match &watch.seen {
                None => {}
                Some(seen) if *seen == now => outcome.parts.clear(),
                Some(seen) => outcome.parts = vec![Part::Page(compare::difference(seen, &now))],
            }
            watch.seen = Some(now);
        }
        watch.left = watch.left.map(|left| left.saturating_sub(1));
        if watch.left != Some(0) && self.last.is_some() {
            outcome.next = Next::Reread;
            self.session.watch = Some(watch);
        }
        Some(outcome)
    }

    fn show(&mut self, table: &Table, parts: &mut Vec<Part>) -> anyhow::Result<()> {
        let shown = rendered(self.session.mode, table, self.view, &self.analysis.name)?;
        if let Some(path) = self.session.once.take().or_else(|| self.session.output.clone()) {
            let text = match shown {
                Rendered::Page(page) => terminal::plain(&page),
                Rendered::Text(text) => text,
            };
            files::write(&path, &text)?;
            parts.push(Part::Note(format!(
                "{} in {}",
                counted(table.rows.len(), "row"),
                path.display()
            )));
            return Ok(());
        }
        parts.push(match shown {
            Rendered::Page(page) => Part::Page(match self.session.width {
                Some(width) => page.cut(width),
                None => page,
            }),
            Rendered::Text(text) => Part::Text(text),
        });
        Ok(())
    }

    /// Makes the result a parameter: `$_` all rows as maps, `$_1` the first value of the first row.
    fn remember(&mut self, table: &Table) {
        // Numbers of nodes mean nothing in another graph; they are ids here.
        let plain = |value: &Value| match value {
            Value::Node(_) => Value::text(crate::query::text(value, self.view)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => value.clone(),
            other => Value::text(crate::query::text(other, self.view)),
        };
        let row = |row: &Vec<Value>| {
            let cells = table.columns.iter().zip(row);
            Value::map(cells.map(|(column, value)| (column.as_str().into(), plain(value))))
        };
        let rows = Value::list(table.rows.iter().take(KEPT).map(row).collect());
        let first = table
            .rows
            .first()
            .and_then(|row| row.first())
            .map_or(Value::Null, plain);
        self.session.parameters.insert("_".to_owned(), rows);
        self.session.parameters.insert("_1".to_owned(), first);
    }
}

/// Rows of a result that are kept as a value.
const KEPT: usize = 10_000;
