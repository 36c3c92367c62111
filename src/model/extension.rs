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
    /// Of `spec` the members that [`Other::members_read`] names, for the API groups of which it names any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
}

impl Other {
    /// API groups with the members of `spec` that rules look at; the rest may hold anything, credentials too.
    const READ: &'static [(&'static str, &'static [&'static str])] = &[
        ("cilium.io", &["endpointSelector"]),
        ("resource.k8s.io", &["nodeName"]),
        ("security.istio.io", &["selector"]),
        ("storage.k8s.io", &["nodeName"]),
    ];

    /// The members of `spec` that rules look at in objects of this API group; of most groups none.
    pub fn members_read(group: &str) -> &'static [&'static str] {
        let known = Self::READ.iter().find(|(known, _)| *known == group);
        known.map_or(&[], |(_, members)| members)
    }

    /// Drops what no rule looks at in an object of this API group.
    pub fn slim(&mut self, group: &str) {
        let members = Self::members_read(group);
        if let Some(Value::Object(spec)) = &mut self.spec {
            spec.retain(|member, _| members.contains(&member.as_str()));
        } else {
            self.spec = None;
        }
    }
}
