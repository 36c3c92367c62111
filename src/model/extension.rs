//! Objects of kinds that no rule reads in detail: custom resources and their definitions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{is_default, lenient, slim};
use super::{Meta, Text};

slim! {
    /// A CustomResourceDefinition.
    pub struct CustomResourceDefinition {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: CustomResourceDefinitionSpec,
    }

    /// `spec` of a CustomResourceDefinition.
    pub struct CustomResourceDefinitionSpec { group: Text, scope: Text, names: CustomResourceNames, }

    /// `spec.names`.
    pub struct CustomResourceNames { kind: Text, plural: Text, singular: Text, short_names: Vec<Text>, }

    /// A reference to any object.
    pub struct ObjectReference { api_version: Text, kind: Text, namespace: Text, name: Text, }
}

/// Any other object: identity and labels, and its `spec` where a rule asks for that kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Other {
    /// Group and version.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
    /// Metadata.
    #[serde(
        rename = "metadata",
        deserialize_with = "lenient",
        skip_serializing_if = "is_default"
    )]
    pub meta: Meta,
    /// The whole `spec`, kept only for the kinds that [`Other::keeps_spec`] names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
}

impl Other {
    /// API groups whose objects' `spec` some rule reads.
    const READ: &'static [&'static str] = &["cilium.io", "security.istio.io"];

    /// Whether objects of this API group keep their `spec`.
    pub fn keeps_spec(group: &str) -> bool {
        Self::READ.contains(&group)
    }
}
