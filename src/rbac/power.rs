//! Powers: the dangerous things that a rule can allow, each decided for one identity in one scope.
//!
//! **Trap.** `list` with `resourceNames` still reads the named object, `create` with `resourceNames` allows
//! nothing except on named subresources. Powers go through the evaluator, never through the rule's words.

use std::fmt;

use crate::model::Text;

/// One dangerous thing an identity may do; the statics of this module are the powers.
#[derive(Debug)]
pub struct Power {
    /// Stable name, part of a grant's id: `create-pods`.
    pub id: &'static str,
    /// What it allows, to follow "may": `create pods`.
    pub title: &'static str,
    /// Any one of these suffices.
    pub any: &'static [Right],
}

/// What one request needs: every right of it for the same object.
#[derive(Debug)]
pub struct Right {
    /// The verb of the request.
    pub verb: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The resource, with its subresource: `pods/exec`.
    pub resource: &'static str,
    /// Further verbs that the same identity needs, on the resource given with each, for the request to pass.
    pub and: &'static [(&'static str, &'static str, &'static str)],
}

impl PartialEq for Power {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Power {}
impl PartialOrd for Power {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Power {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(other.id)
    }
}
impl std::hash::Hash for Power {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Where a power holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere.
    Cluster,
    /// On everything in one namespace.
    Namespace(Text),
    /// On one object by name, in one namespace or, with an empty one, in every namespace or cluster-scoped.
    Name {
        /// The namespace.
        namespace: Text,
        /// The object's name.
        name: Text,
    },
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("*"),
            Self::Namespace(namespace) => write!(f, "{namespace}"),
            Self::Name { namespace, name } if namespace.is_empty() => write!(f, "*/{name}"),
            Self::Name { namespace, name } => write!(f, "{namespace}/{name}"),
        }
    }
}
