//! Grouping: rows that agree in their keys, and what aggregations take in of them.
//!
//! Where nodes and properties that the graph has as columns are the keys, numbers stand for them, and a row that falls
//! into a known group costs no more than finding that number.
//!
//! **Trap.** A number stands for a key only as long as the row holds a node there; null and everything else goes the
//! long way.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::aggregate::Accumulator;
use super::ast::{Expr, ExprKind, Projection};
use super::column::Column;
use super::data::Graph;
use super::error::Result;
use super::run::{Frame, Row, Runner};
use super::stage::Project;
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
    /// Of each key what a number stands for, if one does for all of them.
    numbers: Option<Vec<Number<'q>>>,
}

/// What a number stands for.
#[derive(Debug)]
enum Number<'q> {
    /// The node in this place of the row.
    Node(usize),
    /// A property of the node in this place.
    Property(usize, &'q str),
}

/// Two numbers fit where the number of a group is kept.
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
        let numbers = keys.iter().map(|key| numbered(graph, key, names)).collect();
        Self {
            counts: calls.iter().map(|call| counts_all(call, bound)).collect(),
            numbers: if is_numbered { numbers } else { None },
            keys,
            calls,
        }
    }

    /// Whether rows that agree in all keys need not be told apart, only counted.
    pub(crate) fn only_counts(&self) -> bool {
        self.counts.iter().all(|counts| *counts)
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

/// The groups that rows were put into.
#[derive(Default)]
pub(crate) struct Groups<'g> {
    by_key: IndexMap<Key, Group, FxBuildHasher>,
    /// The places of groups by the numbers of their keys.
    by_number: FxHashMap<u64, usize>,
    /// The columns of the keys, once so many rows came that making them pays.
    columns: Vec<Option<&'g Column>>,
    rows: u32,
}

/// The first row of a group, and what its aggregations took in.
struct Group {
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

/// Making a column takes about as long as going this part of the nodes the long way.
const PART: u32 = 4;

impl<'g> Groups<'g> {
    /// The number that stands for the keys of a row.
    fn number(&mut self, graph: &'g dyn Graph, grouping: &Grouping<'_>, row: &[Value]) -> Option<u64> {
        let numbers = grouping.numbers.as_deref()?;
        if self.columns.is_empty() {
            self.rows += 1;
            let is_made = |number: &Number<'_>| match number {
                Number::Node(_) => true,
                Number::Property(_, key) => graph.has_made_column(key),
            };
            let are_made = self.rows == 1 && numbers.iter().all(is_made);
            if !are_made && self.rows <= graph.nodes() / PART {
                return None;
            }
            let column = |number: &Number<'_>| match number {
                Number::Node(_) => None,
                Number::Property(_, key) => graph.column(key),
            };
            self.columns = numbers.iter().map(column).collect();
        }
        let mut packed = 0;
        for (number, column) in numbers.iter().zip(&self.columns) {
            let (Number::Node(place) | Number::Property(place, _)) = number;
            let Value::Node(node) = row[*place] else {
                return None;
            };
            let own = column.map_or(node, |column| column.number(node));
            packed = packed << 32 | u64::from(own);
        }
        Some(packed)
    }
}

impl<'g> Runner<'g> {
    /// Puts a row into its group; whether more are wanted.
    pub(crate) fn group_in(
        &mut self,
        groups: &mut Groups<'g>,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
        frame: Frame<'_>,
    ) -> Result<bool> {
        let number = groups.number(self.graph, grouping, frame.row);
        let known = number.and_then(|number| groups.by_number.get(&number).copied());
        let place = match known {
            Some(place) => place,
            None => match self.place(groups, project, grouping, frame)? {
                Some(place) => place,
                None => return Ok(false),
            },
        };
        if let (Some(number), None) = (number, known) {
            self.hold(size_of::<(u64, usize)>() as u64);
            groups.by_number.insert(number, place);
        }
        let group = &mut groups.by_key[place];
        let calls = grouping.calls.iter().zip(&grouping.counts);
        for (accumulator, (call, counts)) in group.accumulators.iter_mut().zip(calls) {
            if *counts {
                accumulator.count(self.weight);
            } else {
                self.accumulate(accumulator, call, frame)?;
            }
        }
        Ok(!self.is_stopped())
    }

    /// The place of the group of a row; none if no more rows may be kept.
    fn place(
        &mut self,
        groups: &mut Groups<'g>,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
        frame: Frame<'_>,
    ) -> Result<Option<usize>> {
        let groups = &mut groups.by_key;
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
        groups: Groups<'g>,
        project: &Project<'g>,
        grouping: &Grouping<'g>,
    ) -> Result<Vec<Row>> {
        let mut groups = groups.by_key;
        let has_keys = project.projection.everything || !grouping.keys.is_empty();
        if groups.is_empty() && !has_keys {
            let group = Group::new(vec![Value::Null; names.len()], grouping);
            groups.insert(Key(Row::new()), group);
        }
        let mut progress = self.progress(project)?;
        let mut rows = Vec::with_capacity(groups.len());
        for group in groups.into_values() {
            let mut aggregated = FxHashMap::default();
            for (accumulator, call) in group.accumulators.into_iter().zip(&grouping.calls) {
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
                rows.push(next);
            }
        }
        self.sorted(project, &progress, rows)
    }
}
