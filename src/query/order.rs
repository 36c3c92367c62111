//! ORDER BY: rows as they come, sorted in runs that are merged at the end.
//!
//! A run is sorted within a few milliseconds, and the merge goes row by row, so that nothing lets someone wait who
//! interrupts the query. Of rows that are limited only those are kept that can still be among the first.
//!
//! **Trap.** Rows that are equal in all keys stay in the order in which they came: runs are sorted so, and of equal
//! rows the merge takes that of the earlier run.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::ast::Order;
use super::run::Row;

/// Rows of one run.
const RUN: usize = 4096;

/// A projected row, what it is sorted by, and the row it comes from if that is still asked for.
pub(crate) struct Sorted {
    pub(crate) keys: Row,
    pub(crate) values: Row,
    pub(crate) before: Row,
}

/// Rows to be sorted.
#[derive(Default)]
pub(crate) struct Sorting {
    /// Sorted runs, in the order in which they came.
    runs: Vec<Vec<Sorted>>,
    /// Rows of the run that is not whole yet.
    open: Vec<Sorted>,
    rows: usize,
}

impl Sorting {
    /// How many rows are kept.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Takes a row in.
    pub(crate) fn push(&mut self, order: &[Order], row: Sorted) {
        self.open.push(row);
        self.rows += 1;
        if self.open.len() >= RUN {
            self.close(order);
        }
    }

    fn close(&mut self, order: &[Order]) {
        let mut run = std::mem::take(&mut self.open);
        if !order.is_empty() {
            run.sort_by(|left, right| by_keys(order, left, right));
        }
        self.runs.push(run);
    }

    /// Keeps the first rows, so many; `dropped` sees the others.
    pub(crate) fn keep(&mut self, order: &[Order], count: usize, mut dropped: impl FnMut(&Sorted)) {
        let mut kept = Vec::with_capacity(count);
        for row in std::mem::take(self).sorted(order) {
            if kept.len() < count {
                kept.push(row);
            } else {
                dropped(&row);
            }
        }
        self.rows = kept.len();
        self.runs.push(kept);
    }

    /// The rows in order.
    pub(crate) fn sorted(mut self, order: &[Order]) -> Merge<'_> {
        self.close(order);
        let runs: Vec<_> = self.runs.into_iter().map(Vec::into_iter).collect();
        let mut merge = Merge {
            order,
            first: BinaryHeap::with_capacity(runs.len()),
            runs,
        };
        for run in 0..merge.runs.len() {
            merge.next_of(run);
        }
        merge
    }
}

/// Sorted rows, one after the other.
pub(crate) struct Merge<'o> {
    order: &'o [Order],
    runs: Vec<std::vec::IntoIter<Sorted>>,
    /// The first row of each run that has any left.
    first: BinaryHeap<Reverse<First<'o>>>,
}

struct First<'o> {
    order: &'o [Order],
    row: Sorted,
    run: usize,
}

impl Merge<'_> {
    fn next_of(&mut self, run: usize) {
        if let Some(row) = self.runs[run].next() {
            let order = self.order;
            self.first.push(Reverse(First { order, row, run }));
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Sorted;

    fn next(&mut self) -> Option<Sorted> {
        let Reverse(First { row, run, .. }) = self.first.pop()?;
        self.next_of(run);
        Some(row)
    }
}

impl Ord for First<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        by_keys(self.order, &self.row, &other.row).then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for First<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for First<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for First<'_> {}

fn by_keys(order: &[Order], left: &Sorted, right: &Sorted) -> Ordering {
    let pairs = left.keys.iter().zip(&right.keys);
    let orders = order
        .iter()
        .zip(pairs)
        .map(|(order, (left, right))| match order.nulls_first {
            Some(first) if left.is_null() != right.is_null() => {
                if left.is_null() == first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            _ if order.descending => right.order(left),
            _ => left.order(right),
        });
    orders
        .into_iter()
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
