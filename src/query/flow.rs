//! WITH and RETURN: rows that flow through, and the end of a segment, where rows are kept, sorted or grouped.
//!
//! **Trap.** DISTINCT comes before SKIP, LIMIT and the WHERE behind WITH, and ORDER BY between them.

use rustc_hash::FxHashSet;

use super::ast::{Expr, Order};
use super::error::{Fault, QueryError, Result};
use super::group::Groups;
use super::limits::size;
use super::order::{Sorted, Sorting};
use super::run::{Frame, Row, Runner};
use super::stage::{End, Project, Segment, Step};
use super::value::{Key, Value};

/// Rows on their way through a segment.
pub(crate) struct Flow<'s, 'q> {
    pub(crate) segment: &'s Segment<'q>,
    /// What each stage that projects has let through.
    progress: Vec<Progress>,
    end: Kept,
    /// How many rows are wanted of the segment.
    wanted: usize,
}

/// How many rows went through a WITH or RETURN.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) seen: Option<FxHashSet<Key>>,
    skip: usize,
    left: usize,
}

/// What the end of a segment has of the rows.
enum Kept {
    Rows(Vec<Row>),
    Sorted(Progress, Sorting),
    Groups(Groups),
}

impl<'s, 'q> Flow<'s, 'q> {
    pub(crate) fn new(
        runner: &mut Runner<'q>,
        segment: &'s Segment<'q>,
        wanted: Option<usize>,
    ) -> Result<Self> {
        let mut progress = Vec::with_capacity(segment.stages.len());
        for stage in &segment.stages {
            progress.push(match &stage.step {
                Step::Project(project) => runner.progress(project)?,
                _ => Progress::default(),
            });
        }
        let end = match &segment.end {
            End::Collect => Kept::Rows(Vec::new()),
            End::Sort(project) => Kept::Sorted(runner.progress(project)?, Sorting::default()),
            End::Group(..) => Kept::Groups(Groups::default()),
        };
        Ok(Self {
            segment,
            progress,
            end,
            wanted: wanted.unwrap_or(usize::MAX),
        })
    }
}

impl<'g> Runner<'g> {
    pub(crate) fn progress(&mut self, project: &Project<'g>) -> Result<Progress> {
        let projection = project.projection;
        Ok(Progress {
            seen: projection.distinct.then(FxHashSet::default),
            skip: match &projection.skip {
                Some(skip) => self.count(skip, "SKIP")?,
                None => 0,
            },
            left: match &projection.limit {
                Some(limit) => self.count(limit, "LIMIT")?,
                None => usize::MAX,
            },
        })
    }

    /// Evaluates the number of SKIP or LIMIT.
    fn count(&mut self, expr: &'g Expr, word: &str) -> Result<usize> {
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

    /// What a projection makes of a row.
    pub(crate) fn values(&mut self, project: &Project<'g>, frame: Frame<'_>) -> Result<Row> {
        let mut values = if project.projection.everything {
            frame.row.to_vec()
        } else {
            Vec::with_capacity(project.columns.len())
        };
        for item in &project.projection.items {
            values.push(self.eval(&item.value, frame)?);
        }
        Ok(values)
    }

    /// Whether a row is met for the first time, where only those count.
    pub(crate) fn is_new(&mut self, seen: Option<&mut FxHashSet<Key>>, row: &Row) -> bool {
        let Some(seen) = seen else { return true };
        let is_new = seen.insert(Key(row.clone()));
        if is_new {
            self.hold(size(row));
        }
        is_new
    }

    /// Whether the WHERE behind a projection lets a row through.
    fn is_let_through(&mut self, project: &Project<'g>, values: &[Value], before: &[Value]) -> Result<bool> {
        let Some(filter) = &project.projection.filter else {
            return Ok(true);
        };
        let row: Row = values.iter().chain(before).cloned().collect();
        let frame = Frame {
            names: &project.both,
            row: &row,
        };
        self.is_true(filter, frame)
    }

    /// Lets a row through a WITH or RETURN that neither sorts nor groups.
    pub(crate) fn project(
        &mut self,
        flow: &mut Flow<'_, 'g>,
        at: usize,
        project: &Project<'g>,
        row: &[Value],
    ) -> Result<bool> {
        if flow.progress[at].left == 0 {
            return Ok(false);
        }
        let segment = flow.segment;
        let stage = &segment.stages[at];
        let frame = Frame {
            names: &stage.names,
            row,
        };
        let values = self.values(project, frame)?;
        let progress = &mut flow.progress[at];
        if !self.is_new(progress.seen.as_mut(), &values) {
            return Ok(true);
        }
        if progress.skip > 0 {
            progress.skip -= 1;
            return Ok(true);
        }
        if progress.left != usize::MAX {
            progress.left -= 1;
        }
        let is_last = progress.left == 0;
        if self.is_let_through(project, &values, row)? {
            self.gave(stage.id, 1);
            return Ok(self.push(flow, at + 1, &values)? && !is_last);
        }
        Ok(!is_last)
    }

    /// Takes a row in at the end of a segment; whether more are wanted.
    pub(crate) fn take(&mut self, flow: &mut Flow<'_, 'g>, row: &[Value]) -> Result<bool> {
        let segment = flow.segment;
        let frame = Frame {
            names: &segment.names,
            row,
        };
        match (&mut flow.end, &segment.end) {
            (Kept::Rows(rows), _) => {
                if rows.len() >= flow.wanted || !self.more_rows(rows.len(), row) {
                    return Ok(false);
                }
                rows.push(row.to_vec());
                Ok(rows.len() < flow.wanted)
            }
            (Kept::Sorted(progress, sorted), End::Sort(project)) => {
                let values = self.values(project, frame)?;
                if !self.is_new(progress.seen.as_mut(), &values) {
                    return Ok(true);
                }
                let next = self.sortable(project, values, row)?;
                let keep = progress.skip.saturating_add(progress.left);
                Ok(self.sort_in(&project.projection.order, sorted, next, keep))
            }
            (Kept::Groups(groups), End::Group(project, grouping)) => {
                self.group_in(groups, project, grouping, frame)
            }
            _ => Ok(false),
        }
    }

    /// A projected row with what it is sorted by.
    pub(crate) fn sortable(
        &mut self,
        project: &Project<'g>,
        values: Row,
        before: &[Value],
    ) -> Result<Sorted> {
        let projection = project.projection;
        let offset = values.len() - projection.items.len();
        let mut keys = Vec::with_capacity(projection.order.len());
        let mut both: Option<Row> = None;
        for order in &projection.order {
            let projected = projection.items.iter().position(|item| item.value == order.value);
            if let Some(at) = projected {
                keys.push(values[offset + at].clone());
                continue;
            }
            let both = both.get_or_insert_with(|| values.iter().chain(before).cloned().collect());
            let frame = Frame {
                names: &project.both,
                row: both,
            };
            keys.push(self.eval(&order.value, frame)?);
        }
        Ok(Sorted {
            keys,
            values,
            before: if projection.filter.is_some() {
                before.to_vec()
            } else {
                Row::new()
            },
        })
    }

    /// Keeps a row to be sorted, and drops those that cannot be among the first any more.
    fn sort_in(&mut self, order: &[Order], rows: &mut Sorting, next: Sorted, keep: usize) -> bool {
        if keep == 0 || !self.more_rows(rows.len(), &next.values) {
            return false;
        }
        rows.push(order, next);
        if rows.len() / 2 > keep.max(512) {
            let mut dropped = 0;
            rows.keep(order, keep, |row| dropped += size(&row.values));
            self.release(dropped);
        }
        true
    }

    /// The rows that a segment gives.
    pub(crate) fn finish(&mut self, flow: Flow<'_, 'g>) -> Result<Vec<Row>> {
        match (flow.end, &flow.segment.end) {
            (Kept::Rows(rows), _) => Ok(rows),
            (Kept::Sorted(progress, rows), End::Sort(project)) => self.sorted(project, &progress, rows),
            (Kept::Groups(groups), End::Group(project, grouping)) => {
                // Half a sum is no sum.
                if self.is_stopped() {
                    self.lacks_aggregate = true;
                    return Ok(Vec::new());
                }
                self.grouped(&flow.segment.names, groups, project, grouping)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The rows in order, without those that SKIP, LIMIT and WHERE leave out.
    pub(crate) fn sorted(
        &mut self,
        project: &Project<'g>,
        progress: &Progress,
        rows: Sorting,
    ) -> Result<Vec<Row>> {
        let order = &project.projection.order;
        let mut found = Vec::new();
        let merged = rows.sorted(order).skip(progress.skip).take(progress.left);
        for row in merged {
            // Sorting what someone no longer waits for would let them wait.
            if self.is_interrupted() {
                return Ok(Vec::new());
            }
            match self.is_let_through(project, &row.values, &row.before) {
                Ok(true) => found.push(row.values),
                Ok(false) => {}
                Err(error) if error.fault == Fault::Stopped => break,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
