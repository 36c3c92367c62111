//! A query as a tree.
//!
//! **Trap.** Spans do not count when trees are compared, so a printed and parsed tree equals the first one.

use std::sync::Arc;

use super::error::Span;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What is wanted of a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Its rows.
    #[default]
    Rows,
    /// How it would be carried out: EXPLAIN.
    Plan,
    /// How it was carried out: PROFILE.
    Profile,
}

/// Single queries, joined by UNION.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Union {
    pub(crate) parts: Vec<Vec<Clause>>,
    /// Of each part but the first: whether duplicates stay.
    pub(crate) all: Vec<bool>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub(crate) kind: ClauseKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ClauseKind {
    Match {
        optional: bool,
        patterns: Vec<Pattern>,
        filter: Option<Expr>,
    },
    Unwind {
        list: Expr,
        name: Name,
    },
    With(Projection),
    Return(Projection),
    Call(Call),
    Subquery {
        imports: Imports,
        query: Union,
        optional: bool,
    },
}

/// CALL of a procedure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) procedure: Name,
    /// Those that the text gives; without brackets they are parameters of the arguments' names.
    pub(crate) arguments: Option<Vec<Expr>>,
    pub(crate) yields: Yields,
    pub(crate) filter: Option<Expr>,
    pub(crate) optional: bool,
}

/// Which results of a procedure are passed on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Yields {
    /// The text does not say: all of them where the call stands alone, else none.
    Unsaid,
    /// `*`.
    Everything,
    /// These, each with the name that it gets.
    Items(Vec<(Name, Option<Name>)>),
}

/// What CALL { … } sees of the rows before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Imports {
    /// What the WITH says with which each part of it begins, if one does.
    Leading,
    /// `(*)`.
    Everything,
    /// `(a, b)`.
    Names(Vec<Name>),
}

/// One expression of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) value: Expr,
    pub(crate) descending: bool,
    /// Whether null comes first, if the text says so; else it is the greatest value.
    pub(crate) nulls_first: Option<bool>,
}

/// What WITH and RETURN pass on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Projection {
    pub(crate) distinct: bool,
    /// `*`.
    pub(crate) everything: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) order: Vec<Order>,
    pub(crate) skip: Option<Expr>,
    pub(crate) limit: Option<Expr>,
    pub(crate) filter: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) value: Expr,
    pub(crate) name: Option<Name>,
}

/// One path of a MATCH.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) name: Option<Name>,
    pub(crate) shortest: Option<Shortest>,
    pub(crate) selection: Option<Selection>,
    /// A condition within the brackets of the whole path: it is tested before paths are selected.
    pub(crate) inner: Option<Expr>,
    pub(crate) start: NodePattern,
    pub(crate) hops: Vec<(LinkPattern, NodePattern)>,
    pub(crate) span: Span,
}

/// Which of the paths between two ends are wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    pub(crate) take: Take,
    pub(crate) by: By,
    pub(crate) mode: Option<Mode>,
    pub(crate) span: Span,
}

/// How many.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Take {
    All,
    /// So many paths, the least first.
    Paths(Expr),
    /// All paths of so many lengths or costs, the least first.
    Groups(Expr),
}

/// What is least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Length,
    Cost,
}

/// What a path may meet twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Anything.
    Walk,
    /// No relationship.
    Trail,
    /// No node.
    Acyclic,
}

/// A path in brackets that may be repeated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) pattern: Pattern,
    pub(crate) filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortest {
    One,
    All,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodePattern {
    pub(crate) name: Option<Name>,
    pub(crate) labels: Option<Labels>,
    pub(crate) properties: Option<Expr>,
    pub(crate) filter: Option<Expr>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LinkPattern {
    pub(crate) name: Option<Name>,
    pub(crate) types: Option<Labels>,
    pub(crate) properties: Option<Expr>,
    pub(crate) filter: Option<Expr>,
    pub(crate) cost: Option<Expr>,
    pub(crate) direction: Direction,
    pub(crate) length: Option<Length>,
    /// The path that this stands for, `length` times; nothing else is given then.
    pub(crate) group: Option<Box<Group>>,
    pub(crate) span: Span,
}

/// Which way a relationship is followed, from left to right in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Left,
    Right,
    Both,
}

/// How many relationships a variable-length one stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
}

/// A label expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Labels {
    Name(Name),
    Any,
    Not(Box<Labels>),
    And(Vec<Labels>),
    Or(Vec<Labels>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    In,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Any,
    None,
    Single,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subquery {
    Exists,
    Count,
    Collect,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExprKind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Parameter(String),
    Variable(String),
    List(Vec<Expr>),
    Map(Vec<(Name, Expr)>),
    Property(Box<Expr>, Name),
    Index(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    HasLabels(Box<Expr>, Labels),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    IsNull(Box<Expr>, bool),
    Case {
        subject: Option<Box<Expr>>,
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    CountAll,
    Call {
        name: Name,
        distinct: bool,
        arguments: Vec<Expr>,
    },
    Comprehension {
        name: Name,
        list: Box<Expr>,
        filter: Option<Box<Expr>>,
        value: Option<Box<Expr>>,
    },
    PatternComprehension {
        pattern: Box<Pattern>,
        filter: Option<Box<Expr>>,
        value: Box<Expr>,
    },
    Quantified {
        quantifier: Quantifier,
        name: Name,
        list: Box<Expr>,
        filter: Option<Box<Expr>>,
    },
    Reduce {
        total: Name,
        first: Box<Expr>,
        name: Name,
        list: Box<Expr>,
        value: Box<Expr>,
    },
    MapProjection(Name, Vec<Selector>),
    /// A pattern as a predicate, or `shortestPath(…)` as a value.
    Pattern(Box<Pattern>),
    Subquery(Subquery, Box<Union>),
}

/// One entry of a map projection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selector {
    All,
    Property(Name),
    Variable(Name),
    Entry(Name, Expr),
}
