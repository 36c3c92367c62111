//! Grouping: rows that agree in their keys, and what aggregations take in of them.
//!
//! **Trap.** What a group gives is evaluated over its first row. Where aggregations only count, the others are counted
//! by the [`Tally`](super::tally::Tally) of the segment, most of them before they are rows.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::aggregate::Accumulator;
use super::ast::{Expr, ExprKind, Projection};
use super::data::Graph;
use super::error::Result;
use super::order::Sorting;
use super::run::{Frame, Row, Runner};
use super::stage::Project;
use super::tally::{Number, Tally};
use super::value::{Key, Keyed, Value};
use super::walk;

/// How rows are grouped.
#[derive(Debug)]
pub(crate) struct Grouping<'q> {
    /// What the rows of a group agree in.
    pub(crate) keys: Vec<&'q Expr>,
    /// Its aggregations.
    pub(crate) calls: Vec<&'q Expr>,
    /// Of each aggregation: whether it counts every row.
    counts: Vec<bool>,
    /// Of each key what a number stands for, if one does for all of them; else empty.
    numbers: Vec<Number<'q>>,
}

/// Two numbers of nodes fit where the number of a group is kept.
const NUMBERS: usize = 2;

impl<'q> Grouping<'q> {
    /// The grouping of a projection of rows of these names; `bound` are those among them that are never null.
    pub(crate) fn new(
        graph: &dyn Graph,
        projection: &'q Projection,
        names: &[String],
        bound: &[String],
    ) -> Self {
        let mut calls = Vec::new();
        let items = projection.items.iter().map(|item| &item.value);
        let order = projection.order.iter().map(|order| &order.value);
        items
            .chain(order)
            .for_each(|value| walk::aggregates(value, &mut calls));
        let keys = walk::grouping_keys(projection);
        let is_numbered = !projection.everything && (1..=NUMBERS).contains(&keys.len());
        let numbers = keys.iter().map(|key| numbered(graph, key, names));
        let numbers: Option<Vec<_>> = numbers.collect();
        Self {
            counts: calls.iter().map(|call| counts_all(call, bound)).collect(),
            numbers: numbers.filter(|_| is_numbered).unwrap_or_default(),
            keys,
            calls,
        }
    }

    /// Whether rows that agree in all keys need not be told apart, only counted.
    pub(crate) fn only_counts(&self) -> bool {
        self.counts.iter().all(|counts| *counts)
    }

    /// Whether a row of a known group need not be made.
    pub(crate) fn only_tallies(&self) -> bool {
        self.only_counts() && !self.numbers.is_empty()
    }

    /// What is known of its groups before there are any.
    pub(crate) fn tally(&self) -> Tally<'q> {
        Tally::new(self.numbers.clone())
    }
}

/// Whether an aggregation counts every row: `count(*)`, or `count` of what is never null.
fn counts_all(call: &Expr, bound: &[String]) -> bool {
    match &call.kind {
        ExprKind::CountAll => true,
        ExprKind::Call {
            name,
            distinct: false,
            arguments,
        } if name.text.eq_ignore_ascii_case("count") => match arguments.as_slice() {
            [argument] => matches!(&argument.kind, ExprKind::Variable(name) if bound.contains(name)),
            _ => false,
        },
        _ => false,
    }
}

fn numbered<'q>(graph: &dyn Graph, key: &'q Expr, names: &[String]) -> Option<Number<'q>> {
    let place = |name: &String| names.iter().position(|known| known == name);
    match &key.kind {
        ExprKind::Variable(name) => Some(Number::Node(place(name)?)),
        ExprKind::Property(of, key) if graph.has_column(&key.text) => match &of.kind {
            ExprKind::Variable(name) => Some(Number::Property(place(name)?, &key.text)),
            _ => None,
        },
        _ => None,
    }
}

/// The groups that rows were put into, by their keys.
pub(crate) type Groups = IndexMap<Key, Group, FxBuildHasher>;

/// The first row of a group, and what its aggregations took in.
pub(crate) struct Group {
    first: Row,
    accumulators: Vec<Accumulator>,
}

impl Group {
    fn new(first: Row, grouping: &Grouping<'_>) -> Self {
        let accumulators = grouping.calls.iter().map(|call| Accumulator::new(call));
        Self {
            first,
            accumulators: accumulators.collect(),
        }
    }
}

impl<'g> Runner<'g> {
    /// Puts a row into its group; whether more are wanted.
    pub(crate) fn group_in(
        &mut self,
        groups: &mut Groups,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
        frame: Frame<'_>,
    ) -> Result<bool> {
        let number = self.tally.number(self.graph, frame.row);
        let known = number.and_then(|number| self.tally.place(number));
        let place = match known {
            Some(place) => place,
            None => match self.place(groups, project, grouping, frame)? {
                Some(place) => place,
                None => return Ok(false),
            },
        };
        if let (Some(number), None) = (number, known) {
            self.hold(size_of::<(u64, u32)>() as u64);
            self.tally.found(number, place);
        }
        self.tally.add(place, self.weight);
        if !grouping.only_counts() {
            let group = &mut groups[place];
            let calls = grouping.calls.iter().zip(&grouping.counts);
            for (accumulator, (call, _)) in group
                .accumulators
                .iter_mut()
                .zip(calls)
                .filter(|(_, (_, counts))| !**counts)
            {
                self.accumulate(accumulator, call, frame)?;
            }
        }
        Ok(!self.is_stopped())
    }

    /// The place of the group of a row; none if no more rows may be kept.
    fn place(
        &mut self,
        groups: &mut Groups,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
        frame: Frame<'_>,
    ) -> Result<Option<usize>> {
        let mut key = if project.projection.everything {
            frame.row.to_vec()
        } else {
            Vec::with_capacity(grouping.keys.len())
        };
        for value in &grouping.keys {
            key.push(self.eval(value, frame)?);
        }
        // Without keys there is one group.
        let known = if key.is_empty() {
            (!groups.is_empty()).then_some(0)
        } else {
            groups.get_index_of(&Keyed(&key))
        };
        if known.is_some() {
            return Ok(known);
        }
        if !self.more_rows(groups.len(), frame.row) {
            return Ok(None);
        }
        let group = Group::new(frame.row.to_vec(), grouping);
        Ok(Some(groups.insert_full(Key(key), group).0))
    }

    /// The rows that groups give.
    pub(crate) fn grouped(
        &mut self,
        names: &[String],
        mut groups: Groups,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
    ) -> Result<Vec<Row>> {
        let has_keys = project.projection.everything || !grouping.keys.is_empty();
        if groups.is_empty() && !has_keys {
            let group = Group::new(vec![Value::Null; names.len()], grouping);
            groups.insert(Key(Row::new()), group);
        }
        let mut progress = self.progress(project)?;
        let order = &project.projection.order;
        let mut rows = Sorting::default();
        for (place, group) in groups.into_values().enumerate() {
            if self.is_interrupted() {
                break;
            }
            let mut aggregated = FxHashMap::default();
            let calls = grouping.calls.iter().zip(&grouping.counts);
            for (mut accumulator, (call, counts)) in group.accumulators.into_iter().zip(calls) {
                if *counts {
                    accumulator.count(self.tally.count(place));
                }
                aggregated.insert((call.span.start, call.span.end), accumulator.finish(call)?);
            }
            let before = std::mem::replace(&mut self.aggregated, aggregated);
            let frame = Frame {
                names,
                row: &group.first,
            };
            let next = self
                .values(project, frame)
                .and_then(|values| self.sortable(project, values, &group.first));
            self.aggregated = before;
            let next = next?;
            if self.is_new(progress.seen.as_mut(), &next.values) {
                rows.push(order, next);
            }
        }
        self.sorted(project, &progress, rows)
    }
}
