//! Steps: how holding some positions gives another one, and what proves it.
//!
//! **Trap.** A step holds only when *all* of its premises do. Alternatives are separate steps.

use std::fmt;

use smallvec::SmallVec;

use super::{Position, Technique};
use crate::model::{ObjectId, Text};

/// How sure a step is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Follows from the snapshot.
    Certain,
    /// Depends on something the snapshot cannot show: this.
    Conditional(Text),
    /// The hypothesis the analysis starts from.
    Assumed,
}

impl Certainty {
    /// The word for reports, without the condition.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Conditional(_) => "conditional",
            Self::Assumed => "assumed",
        }
    }

    /// What the step depends on, if it is conditional.
    pub fn condition(&self) -> Option<&Text> {
        match self {
            Self::Conditional(condition) => Some(condition),
            Self::Certain | Self::Assumed => None,
        }
    }
}

/// One fact of the cluster that a step rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The object that says so.
    pub object: ObjectId,
    /// JSON pointer into it (`/spec/hostPID`); empty for the object's existence.
    pub path: Text,
    /// The value there, in short; empty where the path says it all.
    pub value: Text,
}

impl Evidence {
    /// Returns the fact that `object` has `value` at `path`.
    pub fn new(object: ObjectId, path: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self {
            object,
            path: path.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        if !self.value.is_empty() {
            write!(f, " = {}", self.value)?;
        }
        Ok(())
    }
}

/// Relations that follow from what things are, not from an attack. They cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// A pod has containers: whoever runs code anywhere in the pod runs it in each.
    HasContainer,
    /// A container sends its packets as its pod's network group.
    SendsAs,
    /// A network group reaches what a hub reaches.
    Reaches,
    /// A Secret or ConfigMap has keys.
    HasKey,
    /// An identity is in a group.
    InGroup,
    /// A binding gives an identity a power.
    Holds,
    /// Whoever sends API requests reaches the API server.
    TalksTo,
    /// A larger grant covers a smaller one.
    Covers,
    /// The outside reaches a port.
    Exposed,
    /// A choice among many includes each of them.
    Includes,
    /// One of many is held.
    OneOf,
    /// Someone who asks takes it to be held.
    Assumed,
}

impl Relation {
    /// The label, spelt like a technique's.
    pub fn label(self) -> &'static str {
        match self {
            Self::HasContainer => "HAS_CONTAINER",
            Self::SendsAs => "SENDS_AS",
            Self::Reaches => "REACHES",
            Self::HasKey => "HAS_KEY",
            Self::InGroup => "IN_GROUP",
            Self::Holds => "HOLDS",
            Self::TalksTo => "TALKS_TO",
            Self::Covers => "COVERS",
            Self::Exposed => "EXPOSED",
            Self::Includes => "INCLUDES",
            Self::OneOf => "ONE_OF",
            Self::Assumed => "ASSUMED",
        }
    }

    /// The family the relation serves.
    pub fn family(self) -> Family {
        match self {
            Self::HasContainer => Family::Workload,
            Self::SendsAs | Self::Reaches | Self::TalksTo => Family::Network,
            Self::HasKey => Family::Credential,
            Self::InGroup | Self::Holds | Self::Covers | Self::Includes => Family::Rbac,
            Self::OneOf => Family::Node,
            Self::Exposed | Self::Assumed => Family::Exposure,
        }
    }
}

/// What a step belongs to, for filters and overviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it; `as_str` gives the spelling")]
pub enum Family {
    Exposure,
    Network,
    Identity,
    Credential,
    Datastore,
    Escape,
    Host,
    Rbac,
    Workload,
    Node,
    ControlPlane,
    Cloud,
    Supply,
}

impl Family {
    /// The spelling in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exposure => "exposure",
            Self::Network => "network",
            Self::Identity => "identity",
            Self::Credential => "credential",
            Self::Datastore => "datastore",
            Self::Escape => "escape",
            Self::Host => "host",
            Self::Rbac => "rbac",
            Self::Workload => "workload",
            Self::Node => "node",
            Self::ControlPlane => "controlplane",
            Self::Cloud => "cloud",
            Self::Supply => "supply",
        }
    }
}

/// Why a step is possible.
#[derive(Clone, Copy, Debug)]
pub enum Reason {
    /// By what things are.
    Relation(Relation),
    /// By a technique of the catalogue.
    Technique(&'static Technique),
}

impl Reason {
    /// The label: a technique's id or a relation's.
    pub fn label(self) -> &'static str {
        match self {
            Self::Relation(relation) => relation.label(),
            Self::Technique(technique) => technique.id,
        }
    }

    /// The family.
    pub fn family(self) -> Family {
        match self {
            Self::Relation(relation) => relation.family(),
            Self::Technique(technique) => technique.family,
        }
    }

    /// The technique, unless it is a relation.
    pub fn technique(self) -> Option<&'static Technique> {
        match self {
            Self::Relation(_) => None,
            Self::Technique(technique) => Some(technique),
        }
    }
}

/// A list that mostly has one element: that one lies in place, and there are millions of lists.
pub type Few<T> = SmallVec<[T; 1]>;

/// From premises to a conclusion.
#[derive(Clone, Debug)]
pub struct Step {
    /// Why it is possible.
    pub reason: Reason,
    /// Everything that must be held; never empty.
    pub premises: Few<Position>,
    /// What is held then.
    pub conclusion: Position,
    /// What it costs: 0 for relations, 1 for using what is held as intended, up to 8.
    pub effort: u8,
    /// How sure it is.
    pub certainty: Certainty,
    /// What proves it.
    pub evidence: Few<Evidence>,
}
