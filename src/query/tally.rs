//! The groups of an aggregation by number, and how many rows each was given.
//!
//! Where all keys of a group are nodes, or properties that the graph has as columns, numbers stand for their values.
//! A row that falls into a known group is counted before it is a row at all: the last operation of a MATCH finds the
//! number of what it came to, and goes on.
//!
//! **Trap.** A number stands for a key only as long as the row holds a node there; null and everything else goes the
//! long way, and so does the first row of every group.

use std::hint::black_box;

use rustc_hash::FxHashMap;

use super::column::Column;
use super::data::Graph;
use super::value::{NodeId, Value};

/// What a number stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number<'q> {
    /// The node in this place of the row.
    Node(usize),
    /// A property of the node in this place.
    Property(usize, &'q str),
}

/// One key, ready to be looked up.
struct Digit<'g> {
    /// Where in the row the node stands.
    place: usize,
    /// The numbers of its values; none if the node is the key itself.
    column: Option<&'g Column>,
    /// How many numbers there are.
    base: u64,
}

/// The places of groups by the numbers of their keys, each one more than it is; 0 is none.
enum Places {
    Dense(Vec<u32>),
    Sparse(FxHashMap<u64, u32>),
}

/// So many numbers are looked up in an array.
const DENSE: u64 = 1 << 22;
/// Making a column takes about as long as going this part of the nodes the long way.
const PART: u32 = 4;

impl Places {
    #[inline]
    fn get(&self, number: u64) -> Option<usize> {
        let place = match self {
            Self::Dense(places) => *places.get(usize::try_from(number).ok()?)?,
            Self::Sparse(places) => *places.get(&number)?,
        };
        (place as usize).checked_sub(1)
    }

    fn set(&mut self, number: u64, place: usize) {
        let Ok(place) = u32::try_from(place + 1) else {
            return;
        };
        match self {
            Self::Sparse(places) => {
                places.insert(number, place);
            }
            Self::Dense(places) => {
                if let Some(known) = usize::try_from(number).ok().and_then(|at| places.get_mut(at)) {
                    *known = place;
                }
            }
        }
    }
}

/// What an aggregation knows of its groups by number.
#[derive(Default)]
pub(crate) struct Tally<'g> {
    numbers: Vec<Number<'g>>,
    known: Option<Known<'g>>,
    /// Rows that came before the columns were made.
    rows: u32,
    counts: Vec<u64>,
}

struct Known<'g> {
    digits: Vec<Digit<'g>>,
    places: Places,
}

impl Known<'_> {
    /// The number of a row's keys if this node stands in this place of it.
    #[inline]
    fn number(&self, row: &[Value], place: usize, node: NodeId) -> Option<u64> {
        let mut number = 0;
        for digit in &self.digits {
            let own = if digit.place == place {
                node
            } else if let Value::Node(other) = row[digit.place] {
                other
            } else {
                return None;
            };
            let own = digit.column.map_or(own, |column| column.number(own));
            number = number * digit.base + u64::from(own);
        }
        Some(number)
    }
}

impl<'g> Tally<'g> {
    /// Of no rows; without numbers it stays empty.
    pub(crate) fn new(numbers: Vec<Number<'g>>) -> Self {
        Self {
            numbers,
            ..Self::default()
        }
    }

    /// Takes in a row that would hold this node in this place, if its group is known; whether it is.
    #[inline]
    pub(crate) fn counted(&mut self, row: &[Value], place: usize, node: NodeId) -> bool {
        let Some(known) = &self.known else { return false };
        let number = known.number(row, place, node);
        let group = number.and_then(|number| known.places.get(number));
        let count = group.and_then(|group| self.counts.get_mut(group));
        count.map(|count| *count += 1).is_some()
    }

    /// Lets the processor load the numbers of these nodes all at once.
    pub(crate) fn fetch(&self, place: usize, nodes: &(impl Iterator<Item = NodeId> + Clone)) {
        let digits = self.known.iter().flat_map(|known| &known.digits);
        for column in digits
            .filter(|digit| digit.place == place)
            .filter_map(|digit| digit.column)
        {
            for node in nodes.clone() {
                black_box(column.number(node));
            }
        }
    }

    /// The number of a row's keys, once so many rows came that making the columns pays.
    pub(crate) fn number(&mut self, graph: &'g dyn Graph, row: &[Value]) -> Option<u64> {
        if self.numbers.is_empty() {
            return None;
        }
        if self.known.is_none() {
            self.rows += 1;
            let is_made = |number: &Number<'_>| match number {
                Number::Node(_) => true,
                Number::Property(_, key) => graph.has_made_column(key),
            };
            let are_made = self.rows == 1 && self.numbers.iter().all(is_made);
            if !are_made && self.rows <= graph.nodes() / PART {
                return None;
            }
            let digits: Vec<Digit<'g>> = self.numbers.iter().map(|number| digit(graph, *number)).collect();
            let all = digits
                .iter()
                .try_fold(1_u64, |all, digit| all.checked_mul(digit.base));
            let places = match all.filter(|all| *all <= DENSE) {
                Some(all) => Places::Dense(vec![0; usize::try_from(all).unwrap_or_default()]),
                None => Places::Sparse(FxHashMap::default()),
            };
            self.known = Some(Known { digits, places });
        }
        let known = self.known.as_ref()?;
        known.number(row, usize::MAX, 0)
    }

    /// The place of the group of a number.
    pub(crate) fn place(&self, number: u64) -> Option<usize> {
        self.known.as_ref()?.places.get(number)
    }

    /// Notes the place of a group.
    pub(crate) fn found(&mut self, number: u64, place: usize) {
        if let Some(known) = &mut self.known {
            known.places.set(number, place);
        }
    }

    /// Takes in so many rows of a group.
    pub(crate) fn add(&mut self, place: usize, rows: u64) {
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] += rows;
    }

    /// How many rows a group was given.
    pub(crate) fn count(&self, place: usize) -> u64 {
        self.counts.get(place).copied().unwrap_or_default()
    }
}

fn digit<'g>(graph: &'g dyn Graph, number: Number<'g>) -> Digit<'g> {
    let (place, column) = match number {
        Number::Node(place) => (place, None),
        Number::Property(place, key) => (place, graph.column(key)),
    };
    let nodes = u64::from(graph.nodes());
    Digit {
        place,
        base: column.map_or(nodes, |column| column.values().len() as u64 + 1),
        column,
    }
}
