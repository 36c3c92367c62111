//! Where a power holds.
//!
//! **Trap.** A name without a namespace is that name in every namespace, or a cluster-scoped object.

use std::fmt;

use crate::model::Text;

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

impl Scope {
    /// Returns the scope of a namespace (empty for all of them) and perhaps a name in it.
    pub fn new(namespace: &Text, name: Option<&Text>) -> Self {
        match name {
            Some(name) => Self::Name {
                namespace: namespace.clone(),
                name: name.clone(),
            },
            None if namespace.is_empty() => Self::Cluster,
            None => Self::Namespace(namespace.clone()),
        }
    }

    /// The namespace; empty for all.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Cluster => "",
            Self::Namespace(namespace) | Self::Name { namespace, .. } => namespace,
        }
    }

    /// The object's name, if the scope is one object.
    pub fn name(&self) -> Option<&Text> {
        match self {
            Self::Name { name, .. } => Some(name),
            Self::Cluster | Self::Namespace(_) => None,
        }
    }

    /// Whether an object lies in the scope.
    pub fn covers(&self, namespace: &str, name: &str) -> bool {
        let place = self.namespace();
        (place.is_empty() || place == namespace) && self.name().is_none_or(|known| known == name)
    }
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
