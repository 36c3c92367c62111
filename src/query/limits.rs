//! How much a query may do, and what happens when it has done that.
//!
//! **Trap.** A limit does not fail a query: searching stops, what was found is gone through, and the table says that it
//! is a part. What would be wrong over a part, an aggregation, gives no row then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::error::{Fault, QueryError, Result, Span};
use super::run::Runner;
use super::value::Value;
use crate::paths::Stop;

/// How much a query may do before it is stopped.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rows that are kept at once: those of the answer, and those that are sorted or grouped on the way.
    pub rows: usize,
    /// Relationships, list items and rows that may be looked at altogether.
    pub expansions: u64,
    /// Bytes that rows and unfinished paths may take, roughly.
    pub memory: u64,
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
            memory: 1 << 30,
            time: None,
            interrupt: None,
        }
    }
}

/// The clock is asked once in so many expansions.
const CLOCK: u32 = 256;

/// What was used of the limits.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    pub(crate) expansions: u64,
    /// Bytes that are held.
    memory: u64,
    /// How often the clock could have been asked.
    asked: u32,
    deadline: Option<Instant>,
    /// Whether the time was up before.
    is_late: bool,
    /// Whether not even what was found is gone through any more.
    is_cut: bool,
    pub(crate) stopped: Option<String>,
}

/// Tells long work that is not a query's own whether anyone waits for its end.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    deadline: Option<Instant>,
    interrupt: Option<Arc<AtomicBool>>,
}

impl Watch {
    /// Whether the time is up, or someone wants the query to stop.
    pub(crate) fn is_over(&self) -> bool {
        let is_raised = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        self.interrupt.as_ref().is_some_and(is_raised)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            deadline: limits.time.and_then(|time| Instant::now().checked_add(time)),
            limits,
            expansions: 0,
            memory: 0,
            asked: 0,
            is_late: false,
            is_cut: false,
            stopped: None,
        }
    }

    fn stop(&mut self, why: impl FnOnce() -> String) {
        self.stopped.get_or_insert_with(why);
    }

    fn count(&mut self, count: u64) -> bool {
        self.expansions = self.expansions.saturating_add(count);
        let limit = self.limits.expansions;
        if self.expansions > limit {
            self.stop(|| format!("stopped after {limit} expansions"));
            // What was found may be gone through with as much again.
            self.is_cut |= self.expansions > limit.saturating_mul(2);
        }
        if self.is_interrupted() {
            self.stop(|| "interrupted".to_owned());
            self.is_cut = true;
        }
        self.asked = self.asked.wrapping_add(1);
        if self.asked.is_multiple_of(CLOCK) {
            self.ask_clock();
        }
        self.stopped.is_none()
    }

    fn watch(&self) -> Watch {
        Watch {
            deadline: self.deadline,
            interrupt: self.limits.interrupt.clone(),
        }
    }

    fn is_interrupted(&self) -> bool {
        (self.limits.interrupt.as_ref()).is_some_and(|flag| flag.load(Ordering::Relaxed))
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
}

/// Bytes of a row that is kept, roughly: what strings and nested values share with others is not counted.
pub(crate) fn size(row: &[Value]) -> u64 {
    let own = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len() * size_of::<Value>(),
        Value::Path(path) => path.nodes.len() * 8,
        _ => 0,
    };
    let inner: usize = row.iter().map(own).sum();
    (inner + size_of_val(row) + size_of::<Vec<Value>>()) as u64
}

impl Runner<'_> {
    /// Counts work; whether there may be more.
    #[inline]
    pub(crate) fn expand(&mut self, count: u64) -> bool {
        self.budget.count(count)
    }

    /// Lets long work outside the query know when to give up, and notes whether it did.
    pub(crate) fn watched<T>(&mut self, work: impl FnOnce(&mut Self, Stop<'_>) -> T) -> T {
        let watch = self.budget.watch();
        let done = work(self, &|| watch.is_over());
        self.budget.count(0);
        self.budget.ask_clock();
        done
    }

    /// Whether a limit was met.
    pub(crate) fn is_stopped(&self) -> bool {
        self.budget.stopped.is_some()
    }

    /// Whether someone wants it to stop, who then waits for nothing but the prompt.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.budget.is_interrupted()
    }

    /// Counts work within an expression; an error if the query must end there, as half a value is worth nothing.
    pub(crate) fn pulse(&mut self, count: u64, span: Span) -> Result<()> {
        self.expand(count);
        if self.budget.is_cut {
            return self.whole(span);
        }
        Ok(())
    }

    /// An error if a limit was met: what was computed here is no value then, as it may lack a part.
    pub(crate) fn whole(&self, span: Span) -> Result<()> {
        match &self.budget.stopped {
            Some(why) => Err(QueryError::new(Fault::Stopped, span, why.clone())),
            None => Ok(()),
        }
    }

    /// Whether another row may be kept where there are `count` already.
    pub(crate) fn more_rows(&mut self, count: usize, row: &[Value]) -> bool {
        let limit = self.budget.limits.rows;
        if count >= limit {
            self.budget.stop(|| format!("stopped after {limit} rows"));
        }
        self.hold(size(row))
    }

    /// Counts bytes that are held; whether there may be more.
    pub(crate) fn hold(&mut self, bytes: u64) -> bool {
        let budget = &mut self.budget;
        budget.memory = budget.memory.saturating_add(bytes);
        let limit = budget.limits.memory;
        if budget.memory > limit {
            budget.stop(|| match limit >> 20 {
                0 => format!("stopped at {limit} bytes of memory"),
                mib => format!("stopped at {mib} MiB of memory"),
            });
        }
        budget.stopped.is_none()
    }

    /// How many bytes are held.
    pub(crate) fn held(&self) -> u64 {
        self.budget.memory
    }

    /// Counts bytes that are held no longer.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.budget.memory = self.budget.memory.saturating_sub(bytes);
    }
}
