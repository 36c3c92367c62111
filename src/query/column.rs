//! A property of all nodes as a column: each value once, and of each node the number of its value.
//!
//! Reading a property is a look into an array then, finding the nodes of a value a look into a table, and grouping
//! counts numbers instead of comparing values.
//!
//! **Trap.** Number 0 is null, which no node is found by.

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexSet};
use rustc_hash::FxBuildHasher;

use super::value::{Keyed, NodeId, Value};

/// The values of one property.
#[derive(Debug)]
pub struct Column {
    values: IndexSet<Single, FxBuildHasher>,
    /// Of each node: the number of its value.
    numbers: Vec<u32>,
    /// Of each value: where its nodes begin.
    first: Vec<u32>,
    nodes: Vec<NodeId>,
}

#[derive(Debug)]
struct Single(Value);

/// A value that is looked for without being cloned.
struct Wanted<'v>(&'v Value);

impl Hash for Single {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Wanted(&self.0).hash(state);
    }
}

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.order(&other.0).is_eq()
    }
}

impl Eq for Single {}

impl Hash for Wanted<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Keyed(std::slice::from_ref(self.0)).hash(state);
    }
}

impl Equivalent<Single> for Wanted<'_> {
    fn equivalent(&self, known: &Single) -> bool {
        self.0.order(&known.0).is_eq()
    }
}

impl Column {
    /// Takes in the values of all nodes, in the order of the nodes.
    ///
    /// # Complexity
    /// Linear in the nodes.
    pub fn new(of_nodes: impl Iterator<Item = Value>) -> Self {
        let mut values = IndexSet::<Single, FxBuildHasher>::default();
        values.insert(Single(Value::Null));
        let numbers: Vec<u32> = of_nodes
            .map(|value| match values.get_index_of(&Wanted(&value)) {
                Some(known) => known,
                None => values.insert_full(Single(value)).0,
            })
            .map(|number| u32::try_from(number).unwrap_or_default())
            .collect();
        let mut first = vec![0_u32; values.len() + 1];
        for number in &numbers {
            first[*number as usize + 1] += 1;
        }
        for at in 0..values.len() {
            first[at + 1] += first[at];
        }
        let mut next = first.clone();
        let mut nodes = vec![0; numbers.len()];
        for (node, number) in (0..).zip(&numbers) {
            let place = &mut next[*number as usize];
            nodes[*place as usize] = node;
            *place += 1;
        }
        Self {
            values,
            numbers,
            first,
            nodes,
        }
    }

    /// The number of a node's value; nodes of the same number have the same value.
    pub fn number(&self, node: NodeId) -> u32 {
        self.numbers.get(node as usize).copied().unwrap_or_default()
    }

    /// A node's value.
    pub fn value(&self, node: NodeId) -> &Value {
        let value = self.values.get_index(self.number(node) as usize);
        value.map_or(&Value::Null, |single| &single.0)
    }

    /// The nodes whose value equals this one, in order.
    pub fn nodes(&self, value: &Value) -> &[NodeId] {
        match self.values.get_index_of(&Wanted(value)) {
            None | Some(0) => &[],
            Some(number) => &self.nodes[self.first[number] as usize..self.first[number + 1] as usize],
        }
    }

    /// The values, each once, without null.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.values.iter().skip(1).map(|single| &single.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_by_what_equals_their_value() {
        let text = |text: &str| Value::text(text);
        let values = [text("a"), Value::Null, text("b"), Value::Int(1), text("a")];
        let column = Column::new(values.into_iter());
        assert_eq!(column.nodes(&text("a")), [0, 4]);
        assert_eq!(column.nodes(&Value::Float(1.0)), [3]);
        assert_eq!(column.nodes(&text("c")), [0; 0]);
        assert_eq!(column.nodes(&Value::Null), [0; 0], "null equals nothing");
        assert_eq!(column.number(0), column.number(4));
        assert!(column.value(1).is_null());
        assert_eq!(column.values().count(), 3);
    }
}
