//! RBAC objects: roles and bindings.
//!
//! **Trap.** A rule with `nonResourceURLs` grants no resource, and an aggregated ClusterRole's own rules are
//! overwritten by the controller. Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use super::lenient::slim;
use super::{LabelSelector, Meta, Text};

slim! {
    /// A Role, or a ClusterRole if it has no namespace.
    pub struct Role {
        #[serde(rename = "metadata")]
        meta: Meta,
        rules: Vec<PolicyRule>,
        aggregation_rule: Option<AggregationRule>,
    }

    /// `rules[]`.
    pub struct PolicyRule {
        api_groups: Vec<Text>,
        resources: Vec<Text>,
        resource_names: Vec<Text>,
        verbs: Vec<Text>,
        #[serde(rename = "nonResourceURLs")]
        non_resource_urls: Vec<Text>,
    }

    /// `aggregationRule`.
    pub struct AggregationRule { cluster_role_selectors: Vec<LabelSelector>, }

    /// A RoleBinding, or a ClusterRoleBinding if it has no namespace.
    pub struct RoleBinding {
        #[serde(rename = "metadata")]
        meta: Meta,
        subjects: Vec<Subject>,
        role_ref: RoleReference,
    }

    /// `subjects[]`; `kind` is ServiceAccount, User or Group.
    pub struct Subject { kind: Text, api_group: Text, name: Text, namespace: Text, }

    /// `roleRef`; `kind` is Role or ClusterRole.
    pub struct RoleReference { api_group: Text, kind: Text, name: Text, }
}
