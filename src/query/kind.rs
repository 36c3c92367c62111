//! What kind of value an expression gives, as far as the query alone says it.
//!
//! **Trap.** [`Kind::Any`] means that nothing is known, and fits everywhere: a mistake is reported only where every run
//! would fail.

use super::ast::{Expr, ExprKind, Operator, Shortest, Subquery};

/// The kind of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Null,
    Bool,
    Int,
    Float,
    Text,
    List(Box<Kind>),
    Map,
    Node,
    Link,
    Path,
}

/// Names in sight, the innermost last.
pub(crate) type Scope = Vec<(String, Kind)>;

pub(crate) fn kind_of(scope: &Scope, name: &str) -> Option<Kind> {
    let mut inner = scope.iter().rev();
    inner
        .find(|(known, _)| known == name)
        .map(|(_, kind)| kind.clone())
}

impl Kind {
    pub(crate) fn list(item: Kind) -> Self {
        Self::List(Box::new(item))
    }

    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Int => "an integer",
            Self::Float => "a float",
            Self::Text => "a string",
            Self::List(item) if **item == Self::Link => "a list of relationships",
            Self::List(_) => "a list",
            Self::Map => "a map",
            Self::Node => "a node",
            Self::Link => "a relationship",
            Self::Path => "a path",
        }
    }

    /// Whether nothing says that it cannot be one of these.
    pub(crate) fn may_be(&self, kinds: &[Kind]) -> bool {
        matches!(self, Self::Any | Self::Null) || kinds.contains(self)
    }

    pub(crate) fn may_be_number(&self) -> bool {
        self.may_be(&[Self::Int, Self::Float])
    }

    pub(crate) fn may_be_list(&self) -> bool {
        matches!(self, Self::Any | Self::Null | Self::List(_))
    }

    pub(crate) fn may_have_properties(&self) -> bool {
        self.may_be(&[Self::Map, Self::Node, Self::Link])
    }

    /// Whether one value can be of both kinds.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::List(left), Self::List(right)) => left.agrees(right),
            _ => self == other,
        }
    }

    /// The kind of the items of a list.
    pub(crate) fn item(&self) -> Self {
        match self {
            Self::List(item) => (**item).clone(),
            _ => Self::Any,
        }
    }
}

/// The kind of an expression.
pub(crate) fn infer(expr: &Expr, scope: &Scope) -> Kind {
    match &expr.kind {
        ExprKind::Null => Kind::Null,
        ExprKind::Int(_) | ExprKind::CountAll | ExprKind::Subquery(Subquery::Count, _) => Kind::Int,
        ExprKind::Float(_) => Kind::Float,
        ExprKind::Text(_) => Kind::Text,
        ExprKind::Variable(name) => kind_of(scope, name).unwrap_or(Kind::Any),
        ExprKind::List(items) => {
            let mut kinds = items.iter().map(|item| infer(item, scope));
            let first = kinds.next().unwrap_or(Kind::Any);
            Kind::list(if kinds.all(|kind| kind == first) {
                first
            } else {
                Kind::Any
            })
        }
        ExprKind::Map(_) | ExprKind::MapProjection(..) => Kind::Map,
        ExprKind::Bool(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Xor(..)
        | ExprKind::Not(_)
        | ExprKind::Compare(..)
        | ExprKind::IsNull(..)
        | ExprKind::HasLabels(..)
        | ExprKind::Quantified { .. }
        | ExprKind::Subquery(Subquery::Exists, _) => Kind::Bool,
        ExprKind::Pattern(pattern) => match pattern.shortest {
            None => Kind::Bool,
            Some(Shortest::One) => Kind::Path,
            Some(Shortest::All) => Kind::list(Kind::Path),
        },
        ExprKind::Negative(inner) | ExprKind::Positive(inner) => infer(inner, scope),
        ExprKind::Binary(operator, left, right) => {
            operation(*operator, &infer(left, scope), &infer(right, scope))
        }
        ExprKind::Index(list, _) => infer(list, scope).item(),
        ExprKind::Slice(list, ..)
        | ExprKind::Comprehension {
            list, value: None, ..
        } => infer(list, scope),
        ExprKind::Comprehension { .. }
        | ExprKind::PatternComprehension { .. }
        | ExprKind::Subquery(Subquery::Collect, _) => Kind::list(Kind::Any),
        ExprKind::Call { name, arguments, .. } => {
            let first = arguments
                .first()
                .map_or(Kind::Any, |argument| infer(argument, scope));
            call(&name.text.to_lowercase(), first)
        }
        _ => Kind::Any,
    }
}

fn is_number(kind: &Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Float)
}

fn operation(operator: Operator, left: &Kind, right: &Kind) -> Kind {
    match operator {
        Operator::In | Operator::StartsWith | Operator::EndsWith | Operator::Contains | Operator::Matches => {
            Kind::Bool
        }
        Operator::Power => Kind::Float,
        _ => match (left, right) {
            (Kind::Int, Kind::Int) => Kind::Int,
            (left, right) if is_number(left) && is_number(right) => Kind::Float,
            (Kind::Text, Kind::Text | Kind::Int | Kind::Float) => Kind::Text,
            (Kind::List(_), _) | (_, Kind::List(_)) => Kind::list(Kind::Any),
            _ => Kind::Any,
        },
    }
}

/// What functions give whatever they take; null aside.
fn call(name: &str, argument: Kind) -> Kind {
    match name {
        "count" | "length" | "size" | "tointeger" => Kind::Int,
        "tofloat" | "sqrt" | "exp" | "log" | "pi" | "rand" => Kind::Float,
        "tostring" | "type" | "tolower" | "toupper" | "trim" | "replace" | "substring" => Kind::Text,
        "exists" | "isempty" | "toboolean" => Kind::Bool,
        "labels" | "keys" | "split" => Kind::list(Kind::Text),
        "range" => Kind::list(Kind::Int),
        "nodes" => Kind::list(Kind::Node),
        "relationships" => Kind::list(Kind::Link),
        "collect" => Kind::list(argument),
        "properties" => Kind::Map,
        "startnode" | "endnode" => Kind::Node,
        "head" | "last" => argument.item(),
        _ => Kind::Any,
    }
}
