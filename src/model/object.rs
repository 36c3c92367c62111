//! What every object has: identity, metadata, owners and the place it was read from.

use std::fmt;

use indexmap::Equivalent;
use serde::{Deserialize, Serialize};

use super::lenient::lenient;
use super::{Labels, Text};

/// The identity that users see and type: `Kind/namespace/name`, or `Kind/name` for cluster-scoped objects.
///
/// Orders by kind, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ObjectId {
    /// The kind as the API spells it (`Deployment`).
    pub kind: Text,
    /// Empty for cluster-scoped objects.
    pub namespace: Text,
    /// The name within kind and namespace.
    pub name: Text,
}

impl ObjectId {
    /// Returns the id of a namespaced object; an empty namespace makes it cluster-scoped.
    pub fn new(kind: impl Into<Text>, namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Returns the id of a cluster-scoped object.
    pub fn cluster_scoped(kind: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self::new(kind, "", name)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// An [`ObjectId`] by reference, to look one up without building it: `(kind, namespace, name)`.
#[derive(Clone, Copy, Debug, Hash)]
pub struct IdRef<'a> {
    /// The kind.
    pub kind: &'a str,
    /// The namespace, empty for cluster-scoped objects.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
}

impl Equivalent<ObjectId> for IdRef<'_> {
    fn equivalent(&self, id: &ObjectId) -> bool {
        id.name == *self.name && id.namespace == *self.namespace && id.kind == *self.kind
    }
}

/// Where an object was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The file as the user named it; empty if the object came from the API or was derived.
    pub file: Text,
    /// The first line of the object in that file, from 1; 0 if unknown.
    pub line: u32,
}

impl Source {
    /// Whether there is a file to point at.
    pub fn is_file(&self) -> bool {
        !self.file.is_empty()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_file(), self.line) {
            (false, _) => f.write_str("the cluster"),
            (true, 0) => write!(f, "{}", self.file),
            (true, line) => write!(f, "{}:{line}", self.file),
        }
    }
}

/// `metadata.ownerReferences[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// The owner's API group and version.
    #[serde(default, deserialize_with = "lenient")]
    pub api_version: Text,
    /// The owner's kind.
    #[serde(default, deserialize_with = "lenient")]
    pub kind: Text,
    /// The owner's name, in the same namespace or cluster-scoped.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Text,
    /// Whether this owner is the managing controller; unset is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
}

/// `metadata`, as far as rules read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The name; objects that have only `generateName` get that prefix and `*`.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Text,
    /// The prefix of a name that the API server would complete.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "str::is_empty")]
    pub generate_name: Text,
    /// The namespace; filled in by the collector for namespaced kinds, empty for cluster-scoped ones.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "str::is_empty")]
    pub namespace: Text,
    /// Labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Annotations, without those that repeat the object.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Owners, in the input's order.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub owner_references: Vec<OwnerReference>,
    /// Where the object was read from; not part of the API's shape.
    #[serde(skip)]
    pub source: Source,
}

impl Meta {
    /// Returns the managing controller: the reference with `controller: true`, else the only owner there is.
    ///
    /// Raw manifests and trimmed dumps leave `controller` out; one owner alone is then meant.
    pub fn controller(&self) -> Option<&OwnerReference> {
        let managing = self
            .owner_references
            .iter()
            .find(|owner| owner.controller == Some(true));
        managing.or(match self.owner_references.as_slice() {
            [only] if only.controller.is_none() => Some(only),
            _ => None,
        })
    }
}
