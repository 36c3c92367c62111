//! Values as the kit writes them, and values of the engine written the same way, so that both can be compared.
//!
//! **Trap.** Labels are a set and the kit's maps have no order; both are sorted here.

use std::collections::BTreeMap;
use std::fmt;

use beachhead::query::{Graph, Value};

/// A value without a graph.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
    Map(BTreeMap<String, Cell>),
    Node(Vec<String>, BTreeMap<String, Cell>),
    Link(String, BTreeMap<String, Cell>),
    /// Nodes and relationships in turn; of a relationship, whether it is followed along its direction.
    Path(Vec<(Cell, bool)>),
}

impl Cell {
    /// Reads a cell.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader { text, at: 0 };
        let cell = reader.cell();
        reader.blank();
        assert_eq!(reader.at, text.len(), "more than a value: {text}");
        cell
    }

    pub(crate) fn of(value: &Value, graph: &dyn Graph) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Text(text) => Self::Text(text.to_string()),
            Value::Time(time) => Self::Text(time.to_string()),
            Value::List(items) => Self::List(items.iter().map(|item| Self::of(item, graph)).collect()),
            Value::Map(map) => Self::Map(
                map.iter()
                    .map(|(key, value)| (key.to_string(), Self::of(value, graph)))
                    .collect(),
            ),
            Value::Node(node) => {
                let mut labels: Vec<String> = graph
                    .labels(*node)
                    .iter()
                    .map(|label| (*label).to_owned())
                    .collect();
                labels.sort();
                let keys = graph.node_keys(*node).into_iter();
                let own = keys.map(|key| {
                    (
                        key.to_string(),
                        Self::of(&graph.node_property(*node, &key), graph),
                    )
                });
                Self::Node(labels, own.collect())
            }
            Value::Link(link) => {
                let keys = graph.link_keys(*link).into_iter();
                let own = keys.map(|key| {
                    (
                        key.to_string(),
                        Self::of(&graph.link_property(*link, &key), graph),
                    )
                });
                Self::Link(graph.link_type(*link).to_owned(), own.collect())
            }
            Value::Path(path) => {
                let mut elements = vec![(Self::of(&Value::Node(path.nodes[0]), graph), true)];
                for (link, node) in path.links.iter().zip(&path.nodes[1..]) {
                    elements.push((Self::of(&Value::Link(*link), graph), graph.ends(*link).1 == *node));
                    elements.push((Self::of(&Value::Node(*node), graph), true));
                }
                Self::Path(elements)
            }
        }
    }

    /// The value for the engine; nodes, relationships and paths have none.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Text(text) => Value::text(text.as_str()),
            Self::List(items) => Value::list(items.iter().map(Self::value).collect()),
            Self::Map(map) => Value::map(
                map.iter()
                    .map(|(key, value)| (key.as_str().into(), value.value())),
            ),
            other => panic!("{other} cannot be given"),
        }
    }

    /// The same with the items of every list in order.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::List(items) => {
                let mut items: Vec<Self> = items.into_iter().map(Self::sorted).collect();
                items.sort_by_key(ToString::to_string);
                Self::List(items)
            }
            Self::Map(map) => Self::Map(
                map.into_iter()
                    .map(|(key, value)| (key, value.sorted()))
                    .collect(),
            ),
            other => other,
        }
    }
}

struct Properties<'m>(&'m BTreeMap<String, Cell>, &'static str);

impl fmt::Display for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let entries: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        write!(f, "{}{{{}}}", self.1, entries.join(", "))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{:?}", number + 0.0),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Map(map) if map.is_empty() => f.write_str("{}"),
            Self::Map(map) => write!(f, "{}", Properties(map, "")),
            Self::Node(labels, own) => {
                f.write_str("(")?;
                for label in labels {
                    write!(f, ":{label}")?;
                }
                write!(f, "{})", Properties(own, " "))
            }
            Self::Link(name, own) => write!(f, "[:{name}{}]", Properties(own, " ")),
            Self::Path(elements) => {
                f.write_str("<")?;
                for (element, forward) in elements {
                    match (element, forward) {
                        (Self::Link(..), true) => write!(f, "-{element}->")?,
                        (Self::Link(..), false) => write!(f, "<-{element}-")?,
                        _ => write!(f, "{element}")?,
                    }
                }
                f.write_str(">")
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.blank();
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn expect(&mut self, sign: &str) {
        assert!(self.take(sign), "expected {sign} in {} at {}", self.text, self.at);
    }

    fn word(&mut self) -> String {
        self.blank();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')))
            .unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn name(&mut self) -> String {
        self.blank();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        name
    }

    fn cell(&mut self) -> Cell {
        self.blank();
        match self.rest().chars().next().expect("a value") {
            '\'' => Cell::Text(self.string()),
            '{' => Cell::Map(self.map()),
            '(' => self.node(),
            '<' => self.path(),
            '[' if self.rest()[1..].trim_start().starts_with(':') => self.link(),
            '[' => self.list(),
            _ => {
                let word = self.word();
                match word.as_str() {
                    "null" => Cell::Null,
                    "true" => Cell::Bool(true),
                    "false" => Cell::Bool(false),
                    "Inf" => Cell::Float(f64::INFINITY),
                    "-Inf" => Cell::Float(f64::NEG_INFINITY),
                    "NaN" => Cell::Float(f64::NAN),
                    number => match (number.parse(), number.parse()) {
                        (Ok(number), _) => Cell::Int(number),
                        (_, Ok(number)) => Cell::Float(number),
                        _ => panic!("no value: {}", self.text),
                    },
                }
            }
        }
    }

    fn string(&mut self) -> String {
        self.expect("'");
        let mut text = String::new();
        let mut signs = self.text[self.at..].char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\'' => {
                    self.at += at + 1;
                    return text;
                }
                '\\' => match signs.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, other)) => text.push(other),
                    None => {}
                },
                sign => text.push(sign),
            }
        }
        panic!("a string is not closed: {}", self.text)
    }

    fn list(&mut self) -> Cell {
        self.expect("[");
        let mut items = Vec::new();
        while !self.take("]") {
            items.push(self.cell());
            self.take(",");
        }
        Cell::List(items)
    }

    fn map(&mut self) -> BTreeMap<String, Cell> {
        let mut map = BTreeMap::new();
        self.expect("{");
        while !self.take("}") {
            let key = if self.take("`") {
                let end = self.rest().find('`').expect("a name is closed");
                let key = self.rest()[..end].to_owned();
                self.at += end + 1;
                key
            } else {
                self.name()
            };
            self.expect(":");
            map.insert(key, self.cell());
            self.take(",");
        }
        map
    }

    fn own(&mut self) -> BTreeMap<String, Cell> {
        self.blank();
        if self.rest().starts_with('{') {
            self.map()
        } else {
            BTreeMap::new()
        }
    }

    fn node(&mut self) -> Cell {
        self.expect("(");
        let mut labels = Vec::new();
        while self.take(":") {
            labels.push(self.name());
        }
        labels.sort();
        let own = self.own();
        self.expect(")");
        Cell::Node(labels, own)
    }

    fn link(&mut self) -> Cell {
        self.expect("[");
        self.expect(":");
        let name = self.name();
        let own = self.own();
        self.expect("]");
        Cell::Link(name, own)
    }

    fn path(&mut self) -> Cell {
        self.expect("<");
        let mut elements = vec![(self.node(), true)];
        while !self.take(">") {
            let backward = self.take("<");
            self.expect("-");
            elements.push((self.link(), !backward));
            self.expect("-");
            if !backward {
                self.expect(">");
            }
            elements.push((self.node(), true));
        }
        Cell::Path(elements)
    }
}
