//! What vertices are drawn in: a box for each namespace, or for each node.
//!
//! **Trap.** Alike vertices are folded within one box only, so the choice of boxes decides what a picture can show.

use std::fmt;

use crate::model::{Cluster, Text};
use crate::rbac::Identity;
use crate::techniques::{ANY, Opens, Place, Position, SOME};

/// One box of a picture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What lies in a namespace.
    Namespace(Text),
    /// What lies on a node, and the node.
    Node(Text),
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::Node(name) => write!(f, "node {name}"),
        }
    }
}

impl Group {
    /// The colour of the box.
    pub(super) fn fill(&self) -> &'static str {
        match self {
            Self::Namespace(_) => "#f7fafc",
            Self::Node(_) => "#edf2f7",
        }
    }
}

/// Which boxes a picture has.
#[derive(Clone, Copy, Debug)]
pub enum Grouping<'a> {
    /// One for each namespace.
    Namespaces,
    /// One for each node, with its pods in it; one for each namespace for all that lies on no node.
    Nodes(&'a Cluster),
}

impl Grouping<'_> {
    /// The box of a position.
    pub(super) fn of(self, position: &Position) -> Option<Group> {
        let on_node = match self {
            Self::Namespaces => None,
            Self::Nodes(cluster) => node(position, cluster),
        };
        let in_namespace = || namespace(position).cloned().map(Group::Namespace);
        on_node.map(Group::Node).or_else(in_namespace)
    }
}

/// The namespace that a position is drawn in; a credential is drawn beside what it opens.
pub(super) fn namespace(position: &Position) -> Option<&Text> {
    match position {
        Position::Credential(Opens::Identity(Identity::ServiceAccount { namespace, .. })) => Some(namespace),
        Position::Credential(Opens::Database(place) | Opens::Unknown { pod: place, .. }) => {
            Some(&place.namespace)
        }
        _ => position.namespace(),
    }
}

/// The node that a position lies on.
fn node(position: &Position, cluster: &Cluster) -> Option<Text> {
    let of = |place: &Place| {
        let pod = cluster.pod(&place.namespace, &place.name)?;
        Some(cluster.node_of(pod).0)
    };
    match position {
        Position::Node(name) if name != ANY && name != SOME => Some(name.clone()),
        Position::Pod(place) | Position::Container(place, _) | Position::Port(place, ..) => of(place),
        _ => None,
    }
}
