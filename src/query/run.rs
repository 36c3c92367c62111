//! Running a query: rows flow through the stages of a segment, and from segment to segment.
//!
//! **Trap.** A limit that is met within an expression is an error up to the row that is worked on, as half a value is
//! worth nothing; the rows before it stay.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use rustc_hash::{FxHashMap, FxHashSet};

use super::ast::{Asked, Expr, ExprKind, Union};
use super::data::{Graph, Held};
use super::error::{Fault, Result, Span};
use super::explain::Profile;
use super::flow::Flow;
use super::inner::Inner;
use super::limits::{Budget, Limits, size};
use super::select::{Leading, Rests};
use super::stage::{Compiler, End, Part, Program, Segment, Step};
use super::tally::Tally;
use super::value::{Key, NodeId, Value};

/// The values of one row, in the order of their names.
pub(crate) type Row = Vec<Value>;

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
    pub(crate) budget: Budget,
    /// Names that comprehensions introduce, the innermost last.
    pub(crate) locals: Vec<(String, Value)>,
    /// Values of the aggregations of the current group, by place in the text.
    pub(crate) aggregated: FxHashMap<(u32, u32), Value>,
    held: FxHashMap<NodeId, Option<Held>>,
    /// The nodes that a pattern wants, by its address.
    pub(crate) fitting: FxHashMap<usize, Arc<FixedBitSet>>,
    pub(crate) leading: FxHashMap<NodeId, Leading>,
    pub(crate) rests: Rests,
    /// The state of `rand()`.
    pub(crate) random: u64,
    pub(crate) patterns: FxHashMap<String, regex::Regex>,
    pub(crate) profile: Option<Box<Profile>>,
    /// Whether an aggregation was left out as it would be wrong over a part.
    pub(crate) lacks_aggregate: bool,
    pub(crate) inner: Inner<'g>,
    /// For how many rows the one stands that is worked on; more than one only on the way to being counted.
    pub(crate) weight: u64,
    /// What is known of the groups that the segment which runs ends in.
    pub(crate) tally: Tally<'g>,
}

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
            budget: Budget::new(limits),
            locals: Vec::new(),
            aggregated: FxHashMap::default(),
            held: FxHashMap::default(),
            fitting: FxHashMap::default(),
            leading: FxHashMap::default(),
            rests: Rests::default(),
            random: 0x9E37_79B9_7F4A_7C15,
            patterns: FxHashMap::default(),
            profile: None,
            lacks_aggregate: false,
            inner: Inner::default(),
            weight: 1,
            tally: Tally::default(),
        }
    }

    /// Runs the whole query, or tells how it would run.
    pub(crate) fn table(mut self, asked: Asked, query: &'g Union) -> Result<Table> {
        let mut compiler = Compiler::new(self.graph, self.text, asked != Asked::Rows);
        let program = compiler.program(query, &[])?;
        let listing = compiler.listing;
        if asked == Asked::Plan {
            return Ok(listing.table());
        }
        if asked == Asked::Profile {
            self.profile = Some(Box::new(Profile::new(listing.count())));
        }
        let rows = match self.program(&program, &[], &[], None) {
            Err(error) if error.fault == Fault::Stopped => Vec::new(),
            found => found?,
        };
        let mut table = match self.profile.take() {
            Some(profile) => listing.profiled(*profile),
            None => Table {
                columns: program
                    .parts
                    .into_iter()
                    .next()
                    .map_or_else(Vec::new, |part| part.columns),
                rows,
                stopped: None,
                expansions: 0,
            },
        };
        table.expansions = self.budget.expansions;
        table.stopped = self.budget.stopped;
        if let Some(stopped) = table.stopped.as_mut().filter(|_| self.lacks_aggregate) {
            stopped.push_str(", and what aggregates over a part is left out");
        }
        Ok(table)
    }

    /// What is held from a node, if the graph has steps that need several things.
    pub(crate) fn held_from(&mut self, node: NodeId) -> Option<Held> {
        if let Some(known) = self.held.get(&node) {
            return known.clone();
        }
        if self.held.len() >= HELD {
            self.held.clear();
        }
        let found = self.watched(|runner, stop| runner.graph.held_from(node, stop));
        if !self.is_stopped() {
            self.held.insert(node, found.clone());
        }
        found
    }

    /// Runs a query for a row that it sees all of; `cap` is how many rows are wanted.
    pub(crate) fn whole_program(
        &mut self,
        program: &Program<'g>,
        row: &[Value],
        cap: Option<usize>,
    ) -> Result<Vec<Row>> {
        let profile = self.profile.take();
        let before = self.held();
        let rows = self.program(program, &[], row, cap);
        self.release(self.held().saturating_sub(before));
        self.profile = profile;
        rows
    }

    /// Runs a query for one row; each part sees the values of it at these places, or all.
    pub(crate) fn program(
        &mut self,
        program: &Program<'g>,
        places: &[Vec<usize>],
        row: &[Value],
        cap: Option<usize>,
    ) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for (index, part) in program.parts.iter().enumerate() {
            let own = match places.get(index) {
                Some(places) => places.iter().map(|at| row[*at].clone()).collect(),
                None => row.to_vec(),
            };
            let found = self.part(part, own, cap)?;
            if index == 0 {
                rows = found;
                continue;
            }
            let places = &program.places[index];
            rows.extend(
                found
                    .into_iter()
                    .map(|row| places.iter().map(|at| row[*at].clone()).collect::<Row>()),
            );
        }
        if program.distinct {
            let mut seen = FxHashSet::default();
            rows.retain(|row| !self.is_interrupted() && seen.insert(Key(row.clone())));
        }
        Ok(rows)
    }

    fn part(&mut self, part: &Part<'g>, row: Row, cap: Option<usize>) -> Result<Vec<Row>> {
        let mut rows = vec![row];
        let before = self.held();
        for (index, segment) in part.segments.iter().enumerate() {
            let cap = cap.filter(|_| index + 1 == part.segments.len());
            let own = match &segment.end {
                End::Group(_, grouping) => grouping.tally(),
                _ => Tally::default(),
            };
            let outer = std::mem::replace(&mut self.tally, own);
            let found = self.segment(segment, &rows, cap);
            self.tally = outer;
            rows = found?;
            // What the segment kept is gone but for the rows that it gives.
            self.release(self.held().saturating_sub(before));
            self.hold(rows.iter().map(|row| size(row)).sum());
            self.gave(segment.id, rows.len() as u64);
        }
        Ok(rows)
    }

    /// The rows that a segment makes of these.
    fn segment(&mut self, segment: &Segment<'g>, rows: &[Row], cap: Option<usize>) -> Result<Vec<Row>> {
        let mut flow = Flow::new(self, segment, cap)?;
        for row in rows {
            match self.push(&mut flow, 0, row) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if error.fault == Fault::Stopped => break,
                Err(error) => return Err(error),
            }
        }
        self.timed(segment.id, |runner| runner.finish(flow))
    }

    /// Lets a row go through the stages from this one on; whether more are wanted.
    pub(crate) fn push(&mut self, flow: &mut Flow<'_, 'g>, at: usize, row: &[Value]) -> Result<bool> {
        let segment = flow.segment;
        let Some(stage) = segment.stages.get(at) else {
            return self.timed(segment.id, |runner| runner.take(flow, row));
        };
        match &stage.step {
            Step::Match { plan, optional } => {
                let mut found = false;
                let goes_on = self.matches(plan, row, &mut |runner, row| {
                    found = true;
                    runner.push(flow, at + 1, row)
                })?;
                if found || !*optional || self.is_stopped() {
                    return Ok(goes_on);
                }
                let mut row = row.to_vec();
                row.resize(plan.width(), Value::Null);
                self.gave(stage.id + plan.ops.len().saturating_sub(1), 1);
                self.push(flow, at + 1, &row)
            }
            Step::Unwind(list) => self.timed(stage.id, |runner| {
                let frame = Frame {
                    names: &stage.names,
                    row,
                };
                runner.unwound(flow, at, list, frame)
            }),
            Step::Call { .. } => self.timed(stage.id, |runner| runner.called(flow, at, row)),
            Step::Subquery {
                program,
                sees,
                optional,
            } => self.timed(stage.id, |runner| {
                let before = runner.held();
                let mut rows = runner.program(program, sees, row, None)?;
                runner.release(runner.held().saturating_sub(before));
                if *optional && rows.is_empty() && !runner.is_stopped() {
                    let columns = program.parts.first().map_or(0, |part| part.columns.len());
                    rows.push(vec![Value::Null; columns]);
                }
                for found in rows {
                    let mut row = row.to_vec();
                    row.extend(found);
                    runner.gave(stage.id, 1);
                    if !runner.push(flow, at + 1, &row)? {
                        return Ok(false);
                    }
                }
                Ok(!runner.is_stopped())
            }),
            Step::Project(project) => self.timed(stage.id, |runner| runner.project(flow, at, project, row)),
        }
    }

    fn unwound(
        &mut self,
        flow: &mut Flow<'_, 'g>,
        at: usize,
        list: &'g Expr,
        frame: Frame<'_>,
    ) -> Result<bool> {
        let items = match self.eval(list, frame)? {
            Value::Null => return Ok(true),
            Value::List(items) => items,
            other => vec![other].into(),
        };
        let mut row = frame.row.to_vec();
        row.push(Value::Null);
        for item in items.iter() {
            if !self.expand(1) {
                return Ok(false);
            }
            if let Some(last) = row.last_mut() {
                *last = item.clone();
            }
            self.gave(flow.segment.stages[at].id, 1);
            if !self.push(flow, at + 1, &row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What a column is called: its name, else the text of its expression.
pub(crate) fn column(item: &super::ast::Item, text: &str) -> String {
    match &item.name {
        Some(name) => name.text.clone(),
        None => match &item.value.kind {
            ExprKind::Variable(name) => name.clone(),
            _ => Span::of(item.value.span, text).to_owned(),
        },
    }
}
