//! Rights whose effect changed with a version of the API server.

use beachhead::collect::read_text;
use beachhead::techniques::{Certainty, Facts, Position, Step, steps_of, technique};

/// What a technique finds in a cluster of this version; empty for an unknown one.
fn found(id: &str, yaml: &str, version: &str) -> Vec<Step> {
    let (mut cluster, _) = read_text("rbac.yaml", yaml, "default");
    cluster.coverage.server_version = version.into();
    let facts = Facts::new(&cluster);
    steps_of(technique(id).unwrap(), &facts.context(&cluster))
}

/// The certainties of the steps to a kind of position, each once.
fn certainties(id: &str, yaml: &str, version: &str, is_meant: fn(&Position) -> bool) -> Vec<String> {
    let steps = found(id, yaml, version);
    let meant = steps.iter().filter(|step| is_meant(&step.conclusion));
    let mut found: Vec<String> = meant
        .map(|step| match &step.certainty {
            Certainty::Conditional(condition) => condition.to_string(),
            other => other.as_str().to_owned(),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

const CONSTRAINED: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: [secrets], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: User, name: alice }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: part }
rules:
  - { apiGroups: ["authentication.k8s.io"], resources: [users], verbs: ["impersonate:user-info"] }
  - { apiGroups: [""], resources: [secrets], verbs: ["impersonate-on:user-info:get"] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: part }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: part }
subjects: [{ kind: User, name: eve }]
"#;

#[test]
fn constrained_impersonation_begins_with_1_35_and_is_on_from_1_36() {
    let found = |version| {
        certainties("IDENTITY_IMPERSONATE", CONSTRAINED, version, |position| {
            matches!(position, Position::Grant(..))
        })
    };
    assert_eq!(found("v1.36.0"), ["certain"]);
    assert_eq!(
        found("v1.35.2"),
        ["the feature gate ConstrainedImpersonation is on"]
    );
    assert!(found("v1.34.9").is_empty());
    assert_eq!(found(""), ["the API server is of 1.36 or later"]);
}

const EXEC_BY_GET: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: r }
rules: [{ apiGroups: [""], resources: [pods/exec], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: r, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r }
subjects: [{ kind: User, name: eve }]
"#;

#[test]
fn get_opens_a_stream_before_1_35() {
    let found = |version| certainties("POD_EXEC", EXEC_BY_GET, version, |_| true);
    assert_eq!(found("v1.34.1"), ["certain"]);
    assert!(found("v1.35.0").is_empty());
    assert_eq!(found(""), ["the API server is older than 1.35"]);
}

const POLICIES: &str = r#"
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: r }
rules:
  - apiGroups: [admissionregistration.k8s.io]
    resources: [mutatingadmissionpolicies, mutatingadmissionpolicybindings]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: r }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r }
subjects: [{ kind: User, name: eve }]
"#;

#[test]
fn mutating_policies_begin_with_1_32_and_are_on_from_1_36() {
    let found = |version| certainties("POLICY_MUTATE", POLICIES, version, |_| true);
    assert_eq!(found("v1.36.1"), ["a pod is made while the policy is in place"]);
    let gated =
        "the feature gate MutatingAdmissionPolicy is on, and a pod is made while the policy is in place";
    assert_eq!(found("v1.33.0"), [gated]);
    assert!(found("v1.31.0").is_empty());
}
