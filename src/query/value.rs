//! Values: what expressions give, how they compare, and how they are written.
//!
//! There are three comparisons, as openCypher has them. *Equality* is three-valued: with null it is null. *Order* of
//! `<` holds between alike values only. *Orderability* sorts everything, null last; DISTINCT and grouping use it too,
//! so that null is one group.
//!
//! Source: openCypher CIP2016-06-14, comparability and equality.
//!
//! **Trap.** NaN equals nothing, yet all NaN are one group.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::Equivalent;

use super::moment::Time;

/// The number of a node of the graph that is queried.
pub type NodeId = u32;
/// The number of a relationship of the graph that is queried.
pub type LinkId = u32;

/// What an expression gives.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing is known.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map, by key.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// A node.
    Node(NodeId),
    /// A relationship.
    Link(LinkId),
    /// A path.
    Path(Arc<PathValue>),
    /// A date, a point in time or a duration.
    Time(Arc<Time>),
}

/// Nodes and the relationships between them, one node more than relationships.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathValue {
    /// The nodes in order.
    pub nodes: Vec<NodeId>,
    /// The relationships in order.
    pub links: Vec<LinkId>,
}

impl Value {
    /// Returns a string.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Returns a list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// Returns a map.
    pub fn map(entries: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()))
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type's name, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Node(_) => "a node",
            Self::Link(_) => "a relationship",
            Self::Path(_) => "a path",
            Self::Time(time) => time.kind(),
        }
    }

    /// The truth of a three-valued result; `None` is unknown.
    pub(crate) fn truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Bool)
    }

    /// Whether two values are equal; `None` if that cannot be known because of a null.
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Null, _) | (_, Self::Null) => None,
            (Self::List(left), Self::List(right)) => {
                if left.len() != right.len() {
                    return Some(false);
                }
                all(left
                    .iter()
                    .zip(right.iter())
                    .map(|(left, right)| left.equals(right)))
            }
            (Self::Map(left), Self::Map(right)) => {
                if !left.keys().eq(right.keys()) {
                    return Some(false);
                }
                all(left
                    .values()
                    .zip(right.values())
                    .map(|(left, right)| left.equals(right)))
            }
            (Self::Float(number), _) | (_, Self::Float(number)) if number.is_nan() => Some(false),
            _ => Some(self.rank() == other.rank() && self.order(other) == Ordering::Equal),
        }
    }

    /// How two values compare by `<`; `None` if they do not.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(number), _) | (_, Self::Float(number)) if number.is_nan() => None,
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_))
            | (Self::Text(_), Self::Text(_))
            | (Self::Bool(_), Self::Bool(_)) => Some(self.order(other)),
            (Self::Time(left), Self::Time(right)) => left.compare(right),
            (Self::List(left), Self::List(right)) => {
                for (left, right) in left.iter().zip(right.iter()) {
                    if left.equals(right)? {
                        continue;
                    }
                    return left.compare(right);
                }
                Some(left.len().cmp(&right.len()))
            }
            _ => None,
        }
    }

    /// Place of the type in the order of all values.
    fn rank(&self) -> u8 {
        match self {
            Self::Map(_) => 0,
            Self::Node(_) => 1,
            Self::Link(_) => 2,
            Self::List(_) => 3,
            Self::Path(_) => 4,
            Self::Time(_) => 5,
            Self::Text(_) => 6,
            Self::Bool(_) => 7,
            Self::Int(_) | Self::Float(_) => 8,
            Self::Null => 9,
        }
    }

    /// The order of all values: maps, nodes, relationships, lists, paths, times, strings, booleans, numbers, NaN, null.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Map(left), Self::Map(right)) => {
                let keys = left.keys().cmp(right.keys());
                keys.then_with(|| by_order(left.values(), right.values()))
            }
            (Self::Node(left), Self::Node(right)) | (Self::Link(left), Self::Link(right)) => left.cmp(right),
            (Self::List(left), Self::List(right)) => by_order(left.iter(), right.iter()),
            (Self::Path(left), Self::Path(right)) => left.cmp(right),
            (Self::Time(left), Self::Time(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Int(left), Self::Float(right)) => mixed(*left, *right),
            (Self::Float(left), Self::Int(right)) => mixed(*right, *left).reverse(),
            (Self::Float(left), Self::Float(right)) => {
                let nan = left.is_nan().cmp(&right.is_nan());
                left.partial_cmp(right).unwrap_or(nan)
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Value {
    /// Feeds a hash that is the same for values of the same place in the order of all values.
    fn digest<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Null => {}
            Self::Bool(truth) => truth.hash(state),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a whole number that equals a float is turned into that very float"
            )]
            Self::Int(number) => digest_float(*number as f64, state),
            Self::Float(number) => digest_float(*number, state),
            Self::Text(text) => text.hash(state),
            Self::List(items) => {
                items.len().hash(state);
                items.iter().for_each(|item| item.digest(state));
            }
            Self::Map(map) => {
                for (key, value) in map.iter() {
                    key.hash(state);
                    value.digest(state);
                }
            }
            Self::Node(number) | Self::Link(number) => number.hash(state),
            Self::Path(path) => path.links.hash(state),
            Self::Time(time) => time.hash(state),
        }
    }
}

fn digest_float<H: Hasher>(number: f64, state: &mut H) {
    // Both zeros are equal, and all NaN are one group.
    let number = if number == 0.0 { 0.0 } else { number };
    let number = if number.is_nan() { f64::NAN } else { number };
    number.to_bits().hash(state);
}

fn by_order<'a>(left: impl Iterator<Item = &'a Value>, right: impl Iterator<Item = &'a Value>) -> Ordering {
    let mut right = right;
    for one in left {
        let Some(other) = right.next() else {
            return Ordering::Greater;
        };
        let order = one.order(other);
        if order != Ordering::Equal {
            return order;
        }
    }
    right.next().map_or(Ordering::Equal, |_| Ordering::Less)
}

/// All of them; false wins over unknown.
fn all(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for truth in truths {
        match truth {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

/// A whole number's order to a float, exactly: a float of 2⁵³ and more is a whole number itself.
fn mixed(whole: i64, float: f64) -> Ordering {
    if float.is_nan() {
        return Ordering::Less;
    }
    if float.is_infinite() {
        return if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        };
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast of a finite float saturates at the ends of i128"
    )]
    let floor = float.floor() as i128;
    let order = i128::from(whole).cmp(&floor);
    let has_fraction = float.fract() != 0.0;
    if order == Ordering::Equal && has_fraction {
        Ordering::Less
    } else {
        order
    }
}

/// A value by the order of all values, so that it can be a key.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) Vec<Value>);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Keyed(&self.0).hash(state);
    }
}

/// A key that is looked for without being made.
pub(crate) struct Keyed<'v>(pub(crate) &'v [Value]);

impl Hash for Keyed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
        self.0.iter().for_each(|value| value.digest(state));
    }
}

impl Equivalent<Key> for Keyed<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        by_order(self.0.iter(), key.0.iter()) == Ordering::Equal
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        by_order(self.0.iter(), other.0.iter())
    }
}

/// A float as the language writes it: `1.0`, `1e-9`, `NaN`, `Infinity`.
pub(crate) struct Float(pub(crate) f64);

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        if number.is_infinite() {
            return f.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        }
        let size = number.abs();
        if number != 0.0 && !(1e-5..1e15).contains(&size) {
            return write!(f, "{number:e}");
        }
        write!(f, "{number:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_makes_equality_unknown_unless_something_differs() {
        let list = |items: &[Option<i64>]| {
            Value::list(
                items
                    .iter()
                    .map(|item| item.map_or(Value::Null, Value::Int))
                    .collect(),
            )
        };
        assert_eq!(Value::Null.equals(&Value::Null), None);
        assert_eq!(list(&[Some(1), None]).equals(&list(&[Some(1), Some(2)])), None);
        assert_eq!(
            list(&[Some(1), None]).equals(&list(&[Some(3), Some(2)])),
            Some(false)
        );
        assert_eq!(list(&[None]).equals(&list(&[None, None])), Some(false));
        assert_eq!(Value::Int(1).equals(&Value::Float(1.0)), Some(true));
        assert_eq!(Value::Int(1).equals(&Value::text("1")), Some(false));
        assert_eq!(
            Value::Float(f64::NAN).equals(&Value::Float(f64::NAN)),
            Some(false)
        );
    }

    #[test]
    fn numbers_compare_exactly() {
        let big = 9_007_199_254_740_993_i64;
        assert_eq!(
            Value::Int(big).order(&Value::Float(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
        assert_eq!(Value::Int(-1).order(&Value::Float(-0.5)), Ordering::Less);
        assert_eq!(Value::Int(0).order(&Value::Float(-0.5)), Ordering::Greater);
        assert_eq!(Value::Float(f64::NAN).order(&Value::Int(1)), Ordering::Greater);
        assert_eq!(Value::Float(f64::NAN).order(&Value::Null), Ordering::Less);
        assert_eq!(Value::Float(f64::NAN).compare(&Value::Int(1)), None);
    }
}
