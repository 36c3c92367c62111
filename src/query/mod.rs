//! The query language: read-only openCypher over the attack graph, from text to rows.
//!
//! The language is based on openCypher 2024.3 (<https://opencypher.org>). What of it this engine does not have is
//! refused with the place in the text, never read as something else.
//!
//! **Trap.** A relationship of a step with several premises is one of several that are needed together. A path search
//! follows it only if the solver holds all premises from where the path begins, so that a path exists in a query
//! exactly when the end can be held; a single hop shows the graph as it is, with the property `requires`.

mod aggregate;
mod arithmetic;
mod ast;
mod attack;
mod check;
mod column;
mod data;
mod error;
mod estimate;
mod eval;
mod explain;
mod flow;
mod functions;
mod group;
mod inner;
mod kind;
mod lexis;
mod limits;
mod matching;
mod moment;
mod order;
mod parser;
mod print;
mod procedure;
mod run;
mod saved;
mod search;
mod select;
mod show;
mod stage;
mod suggest;
mod tally;
mod token;
mod value;
mod walk;
mod wanted;

use std::collections::BTreeMap;

pub use attack::AttackView;
pub use column::Column;
pub use data::{Graph, Held};
pub use error::{Fault, QueryError, Span};
pub use functions::NAMES as FUNCTION_NAMES;
pub use lexis::{KEYWORDS, Lexeme, is_closed, is_comment, is_statement, lexemes, statements};
pub use limits::Limits;
pub use moment::{Duration, Time};
pub use procedure::{Argument, Procedure, Type, procedures};
pub use run::Table;
pub use saved::{GROUPS, Saved, grouped, saved};
pub use show::{json, text};
pub use suggest::{did_you_mean, nearest};
pub use value::{LinkId, NodeId, PathValue, Value};

/// A query that was read.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    asked: ast::Asked,
    tree: ast::Union,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// Of [`Fault::Syntax`] if the text is no query, [`Fault::ReadOnly`] if it would change the graph, and
    /// [`Fault::NotSupported`] if this engine lacks what it uses.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let (asked, tree) = parser::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            asked,
            tree,
        })
    }

    /// Returns the query as text in which every operand stands in brackets and every name in backquotes.
    ///
    /// It parses to the same query.
    pub fn printed(&self) -> String {
        print::statement(self.asked, &self.tree)
    }

    /// Whether two texts are the same query, spaces, brackets and the case of keywords aside.
    pub fn is_same(&self, other: &Self) -> bool {
        self.asked == other.asked && self.tree == other.tree
    }

    /// Checks names, functions and aggregations; returns warnings about labels and types that the graph lacks.
    ///
    /// # Errors
    /// Of [`Fault::Meaning`], [`Fault::Type`] or [`Fault::Argument`].
    pub fn check(&self, graph: &dyn Graph) -> Result<Vec<QueryError>, QueryError> {
        check::check(&self.tree, &self.text, graph)
    }

    /// Checks that the parameters are given that a CALL without brackets takes.
    ///
    /// # Errors
    /// Of [`Fault::Argument`].
    pub fn check_parameters(
        &self,
        graph: &dyn Graph,
        parameters: &BTreeMap<String, Value>,
    ) -> Result<(), QueryError> {
        check::parameters(&self.tree, graph, parameters)
    }

    /// Checks the query and runs it, or explains how it would run if it begins with EXPLAIN.
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
        self.check_parameters(graph, parameters)?;
        run::Runner::new(graph, &self.text, parameters, limits).table(self.asked, &self.tree)
    }
}
