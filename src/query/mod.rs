//! The query language: read-only openCypher over the attack graph, from text to rows.
//!
//! The language is based on openCypher 2024.3 (<https://opencypher.org>). What of it this engine does not have is
//! refused with the place in the text, never read as something else.
//!
//! **Trap.** A relationship of a step with several premises is one of several that are needed together. A path search
//! follows it only if the solver holds all premises from where the path begins, so that a path exists in a query
//! exactly when the end can be held; a single hop shows the graph as it is, with the property `requires`.

mod aggregate;
mod ast;
mod attack;
mod check;
mod data;
mod error;
mod eval;
mod functions;
mod kind;
mod lexis;
mod matching;
mod moment;
mod parser;
mod print;
mod run;
mod saved;
mod search;
mod select;
mod show;
mod suggest;
mod token;
mod value;
mod walk;
mod wanted;

use std::collections::BTreeMap;

pub use attack::AttackView;
pub use data::{Graph, Held};
pub use error::{Fault, QueryError, Span};
pub use functions::NAMES as FUNCTION_NAMES;
pub use lexis::{KEYWORDS, Lexeme, is_statement, lexemes};
pub use run::{Limits, Table};
pub use saved::{GROUPS, Saved, grouped, saved};
pub use show::{json, text};
pub use suggest::{did_you_mean, nearest};
pub use value::{LinkId, NodeId, PathValue, Value};

/// A query that was read.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    tree: ast::Union,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// Of [`Fault::Syntax`] if the text is no query, [`Fault::ReadOnly`] if it would change the graph, and
    /// [`Fault::NotSupported`] if this engine lacks what it uses.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        Ok(Self {
            text: text.to_owned(),
            tree: parser::parse(text)?,
        })
    }

    /// Returns the query as text in which every operand stands in brackets and every name in backquotes.
    ///
    /// It parses to the same query.
    pub fn printed(&self) -> String {
        print::query(&self.tree)
    }

    /// Whether two texts are the same query, spaces, brackets and the case of keywords aside.
    pub fn is_same(&self, other: &Self) -> bool {
        self.tree == other.tree
    }

    /// Checks names, functions and aggregations; returns warnings about labels and types that the graph lacks.
    ///
    /// # Errors
    /// Of [`Fault::Meaning`], [`Fault::Type`] or [`Fault::Argument`].
    pub fn check(&self, graph: &dyn Graph) -> Result<Vec<QueryError>, QueryError> {
        check::check(&self.tree, &self.text, graph)
    }

    /// Checks the query and runs it.
    ///
    /// # Errors
    /// As [`Query::check`], and of [`Fault::Type`] or [`Fault::Argument`] for values that an operation does not take.
    ///
    /// # Complexity
    /// Bounded by `limits`; a query that meets one gives a part of its rows and says so.
    pub fn run(
        &self,
        graph: &dyn Graph,
        parameters: &BTreeMap<String, Value>,
        limits: Limits,
    ) -> Result<Table, QueryError> {
        self.check(graph)?;
        run::Runner::new(graph, &self.text, parameters, limits).table(&self.tree)
    }
}
