//! Procedures: what they are called, take and give; those that every graph has; and CALL.
//!
//! **Trap.** A procedure without results lets every row through once; one with results gives a row for each of them,
//! also none.

use std::collections::BTreeSet;
use std::fmt;

use super::ast::{Call, Expr, Name, Yields};
use super::data::Graph;
use super::error::{Fault, QueryError, Result, Span};
use super::flow::Flow;
use super::functions;
use super::kind::Kind;
use super::run::{Frame, Runner};
use super::stage::Step;
use super::suggest::did_you_mean;
use super::value::Value;

/// What a procedure takes and gives.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// Its name, with dots.
    pub name: String,
    /// What it answers, in a sentence.
    pub title: String,
    /// Its arguments, in order.
    pub takes: Vec<Argument>,
    /// The names and types of its results.
    pub gives: Vec<(String, Type)>,
}

/// One argument of a procedure.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name; a call without brackets takes the parameter of this name.
    pub name: String,
    /// What it may be; null fits everywhere.
    pub kind: Type,
    /// What it is if the call ends before it; none if it must be given.
    pub default: Option<Value>,
}

/// What an argument or a result may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its word of openCypher says")]
pub enum Type {
    Any,
    Boolean,
    Integer,
    Float,
    Number,
    String,
    Map,
    List,
    Node,
    Relationship,
    Path,
}

impl Type {
    /// openCypher's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INTEGER",
            Self::Float => "FLOAT",
            Self::Number => "NUMBER",
            Self::String => "STRING",
            Self::Map => "MAP",
            Self::List => "LIST",
            Self::Node => "NODE",
            Self::Relationship => "RELATIONSHIP",
            Self::Path => "PATH",
        }
    }

    /// The type of openCypher's word, `STRING?` too.
    pub fn of(word: &str) -> Option<Self> {
        let all = [
            Self::Any,
            Self::Boolean,
            Self::Integer,
            Self::Float,
            Self::Number,
            Self::String,
            Self::Map,
            Self::List,
            Self::Node,
            Self::Relationship,
            Self::Path,
        ];
        let word = word.trim_end_matches('?');
        all.into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
    }

    /// What an expression of this type is for the check of the query.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Any | Self::Number => Kind::Any,
            Self::Boolean => Kind::Bool,
            Self::Integer => Kind::Int,
            Self::Float => Kind::Float,
            Self::String => Kind::Text,
            Self::Map => Kind::Map,
            Self::List => Kind::list(Kind::Any),
            Self::Node => Kind::Node,
            Self::Relationship => Kind::Link,
            Self::Path => Kind::Path,
        }
    }

    /// Whether nothing says that an expression of this kind does not fit.
    pub(crate) fn may_take(self, kind: &Kind) -> bool {
        match self {
            Self::Any => true,
            Self::Number | Self::Float => kind.may_be_number(),
            Self::List => kind.may_be_list(),
            _ => kind.may_be(&[self.kind()]),
        }
    }

    /// The value as the procedure gets it, if it fits.
    fn fitted(self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::Float, Value::Int(number)) => functions::to_float(number),
            (_, value @ Value::Null)
            | (Self::Any, value)
            | (Self::Boolean, value @ Value::Bool(_))
            | (Self::Integer | Self::Number, value @ Value::Int(_))
            | (Self::Float | Self::Number, value @ Value::Float(_))
            | (Self::String, value @ Value::Text(_))
            | (Self::Map, value @ Value::Map(_))
            | (Self::List, value @ Value::List(_))
            | (Self::Node, value @ Value::Node(_))
            | (Self::Relationship, value @ Value::Link(_))
            | (Self::Path, value @ Value::Path(_)) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Procedure {
    /// The signature as openCypher writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let argument = |argument: &Argument| {
            let default = match &argument.default {
                None => String::new(),
                Some(Value::Null) => " = null".to_owned(),
                Some(Value::Text(text)) => format!(" = {}", super::show::quoted(text)),
                Some(value) => format!(" = {}", super::show::plain(value)),
            };
            format!("{}{default} :: {}", argument.name, argument.kind.as_str())
        };
        let takes: Vec<String> = self.takes.iter().map(argument).collect();
        let result = |(name, kind): &(String, Type)| format!("{name} :: {}", kind.as_str());
        let gives: Vec<String> = self.gives.iter().map(result).collect();
        write!(f, "{}({}) :: ({})", self.name, takes.join(", "), gives.join(", "))
    }
}

impl Procedure {
    /// Describes a procedure.
    pub fn new(
        name: &str,
        title: &str,
        takes: &[(&str, Type, Option<Value>)],
        gives: &[(&str, Type)],
    ) -> Self {
        let argument = |(name, kind, default): &(&str, Type, Option<Value>)| Argument {
            name: (*name).to_owned(),
            kind: *kind,
            default: default.clone(),
        };
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            takes: takes.iter().map(argument).collect(),
            gives: gives
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), *kind))
                .collect(),
        }
    }
}

/// A name, what it answers, and results.
type Described = (&'static str, &'static str, &'static [(&'static str, Type)]);

/// Procedures that every graph has: name, what it answers, results. Those of `db` are Neo4j's names.
const SCHEMA: &[Described] = &[
    (
        "schema.labels",
        "The labels of the graph, and how many nodes have them",
        &[("label", Type::String), ("nodes", Type::Integer)],
    ),
    (
        "schema.relationshipTypes",
        "The relationship types of the graph, and how many relationships have them",
        &[
            ("relationshipType", Type::String),
            ("relationships", Type::Integer),
        ],
    ),
    (
        "schema.propertyKeys",
        "The names of properties",
        &[("propertyKey", Type::String)],
    ),
    (
        "schema.procedures",
        "All procedures",
        &[
            ("name", Type::String),
            ("signature", Type::String),
            ("description", Type::String),
        ],
    ),
    ("schema.functions", "All functions", &[("name", Type::String)]),
    ("db.labels", "The labels of the graph", &[("label", Type::String)]),
    (
        "db.relationshipTypes",
        "The relationship types of the graph",
        &[("relationshipType", Type::String)],
    ),
    (
        "db.propertyKeys",
        "The names of properties",
        &[("propertyKey", Type::String)],
    ),
];

/// Returns every procedure that queries of a graph can call, by name.
pub fn procedures(graph: &dyn Graph) -> Vec<Procedure> {
    let own = graph.procedures().iter().cloned();
    let mut all: Vec<Procedure> = SCHEMA
        .iter()
        .map(|(name, title, gives)| Procedure::new(name, title, &[], gives))
        .chain(own)
        .collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

/// The procedure of this name.
pub(crate) fn find(graph: &dyn Graph, name: &Name) -> Result<Procedure> {
    let all = procedures(graph);
    let found = all
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(&name.text));
    if let Some(found) = found {
        return Ok(found.clone());
    }
    let message = format!("unknown procedure `{}`", name.text);
    let error = QueryError::new(Fault::Meaning, name.span, message);
    let near = did_you_mean(&name.text, all.iter().map(|known| known.name.as_str()));
    Err(error.help(if near.is_empty() {
        "CALL schema.procedures() lists all"
    } else {
        near.trim_start_matches("; ")
    }))
}

/// Which results a call passes on, by place, and under which names.
pub(crate) fn passed_on(call: &Call, procedure: &Procedure, is_alone: bool) -> Result<Vec<(usize, String)>> {
    let all = || {
        let named = procedure.gives.iter().enumerate();
        named.map(|(place, (name, _))| (place, name.clone())).collect()
    };
    let wrong = |span: Span, message: String| QueryError::new(Fault::Meaning, span, message);
    match &call.yields {
        Yields::Unsaid | Yields::Everything if is_alone => Ok(all()),
        Yields::Unsaid if procedure.gives.is_empty() => Ok(Vec::new()),
        Yields::Unsaid | Yields::Everything => {
            let names: Vec<&str> = procedure.gives.iter().map(|(name, _)| name.as_str()).collect();
            let message = "a CALL among other clauses says which results it passes on".to_owned();
            Err(wrong(call.procedure.span, message).help(format!("YIELD {}", names.join(", "))))
        }
        Yields::Items(items) => items
            .iter()
            .map(|(name, renamed)| {
                let place = procedure.gives.iter().position(|(known, _)| *known == name.text);
                let Some(place) = place else {
                    let message = format!("{} gives no `{}`", procedure.name, name.text);
                    return Err(wrong(name.span, message).help(procedure.to_string()));
                };
                Ok((place, renamed.as_ref().unwrap_or(name).text.clone()))
            })
            .collect(),
    }
}

/// The rows of a procedure that every graph has; `None` if it is none of these.
fn rows(graph: &dyn Graph, name: &str) -> Option<Vec<Vec<Value>>> {
    let count = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let sorted = |names: Vec<&str>| -> BTreeSet<String> { names.into_iter().map(str::to_owned).collect() };
    let one = |name: &str| vec![Value::text(name)];
    Some(match name {
        "schema.labels" => sorted(graph.known_labels())
            .iter()
            .map(|label| vec![Value::text(label.as_str()), count(graph.count_of_label(label))])
            .collect(),
        "schema.relationshipTypes" => sorted(graph.known_types())
            .iter()
            .map(|name| vec![Value::text(name.as_str()), count(graph.count_of_type(name))])
            .collect(),
        "db.labels" => sorted(graph.known_labels())
            .iter()
            .map(|name| one(name))
            .collect(),
        "db.relationshipTypes" => sorted(graph.known_types()).iter().map(|name| one(name)).collect(),
        "schema.propertyKeys" | "db.propertyKeys" => {
            graph.known_keys().iter().map(|name| one(name)).collect()
        }
        "schema.functions" => functions::NAMES.iter().map(|name| one(name)).collect(),
        "schema.procedures" => procedures(graph)
            .iter()
            .map(|known| {
                vec![
                    Value::text(known.name.as_str()),
                    Value::text(known.to_string()),
                    Value::text(known.title.as_str()),
                ]
            })
            .collect(),
        _ => return None,
    })
}

impl<'g> Runner<'g> {
    /// Calls a procedure for one row and goes on with each row that it gives.
    pub(crate) fn called(&mut self, flow: &mut Flow<'_, 'g>, at: usize, row: &[Value]) -> Result<bool> {
        let segment = flow.segment;
        let stage = &segment.stages[at];
        let Step::Call {
            call,
            procedure,
            places,
            after,
            is_alone,
        } = &stage.step
        else {
            return Ok(true);
        };
        let frame = Frame {
            names: &stage.names,
            row,
        };
        let arguments = self.arguments(call, procedure, frame)?;
        if procedure.gives.is_empty() {
            if *is_alone {
                return Ok(true);
            }
            self.gave(stage.id, 1);
            return self.push(flow, at + 1, row);
        }
        let graph = self.graph;
        let (mut outcome, mut given) = (Ok(true), 0);
        let answered = self.watched(|runner, stop| {
            let mut emit = |results: &[Value]| {
                let mut row = row.to_vec();
                row.extend(
                    places
                        .iter()
                        .map(|place| results.get(*place).cloned().unwrap_or(Value::Null)),
                );
                outcome = runner.yielded(flow, at, call.filter.as_ref(), after, &row);
                given += u64::from(matches!(outcome, Ok(true)));
                matches!(outcome, Ok(true))
            };
            if let Some(rows) = rows(graph, &procedure.name) {
                let _ = rows.iter().all(|results| emit(results));
                return Ok(());
            }
            graph.call(&procedure.name, &arguments, stop, &mut emit)
        });
        answered.map_err(|message| QueryError::new(Fault::Argument, call.procedure.span, message))?;
        if given == 0 && call.optional && matches!(outcome, Ok(true)) && !self.is_stopped() {
            let mut row = row.to_vec();
            row.resize(after.len(), Value::Null);
            return self.push(flow, at + 1, &row);
        }
        outcome
    }

    fn yielded(
        &mut self,
        flow: &mut Flow<'_, 'g>,
        at: usize,
        filter: Option<&'g Expr>,
        names: &[String],
        row: &[Value],
    ) -> Result<bool> {
        if !self.expand(1) {
            return Ok(false);
        }
        if let Some(filter) = filter
            && !self.is_true(filter, Frame { names, row })?
        {
            return Ok(true);
        }
        self.gave(flow.segment.stages[at].id, 1);
        self.push(flow, at + 1, row)
    }

    /// The arguments of a call: those of its brackets, else parameters; those that are left out are the usual ones.
    fn arguments(&mut self, call: &'g Call, procedure: &Procedure, frame: Frame<'_>) -> Result<Vec<Value>> {
        let mut values = Vec::with_capacity(procedure.takes.len());
        for (index, argument) in procedure.takes.iter().enumerate() {
            let given = match &call.arguments {
                Some(given) => given.get(index).map(|expr| self.eval(expr, frame)).transpose()?,
                None => self.parameters.get(&argument.name).cloned(),
            };
            let span = call
                .arguments
                .as_ref()
                .and_then(|given| given.get(index))
                .map_or(call.procedure.span, |expr| expr.span);
            let Some(value) = given.or_else(|| argument.default.clone()) else {
                let message = format!("the parameter `{}` is not given", argument.name);
                return Err(QueryError::new(Fault::Argument, span, message));
            };
            let kind = value.kind();
            let Some(value) = argument.kind.fitted(value) else {
                let wanted = argument.kind.as_str();
                let message = format!(
                    "{} takes {wanted} as `{}`, not {kind}",
                    procedure.name, argument.name
                );
                return Err(QueryError::new(Fault::Type, span, message));
            };
            values.push(value);
        }
        Ok(values)
    }
}
