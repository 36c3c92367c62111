//! Policies of engines that are not modelled are named, with the pods they may touch.

use super::diagnostics;

const PODS: &str = r#"
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: db, labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i}]}}
"#;

/// Checks which pods a policy is said to select.
fn check(policy: &str, wanted: &str) {
    let found = diagnostics(&format!("{PODS}---\n{policy}\n"));
    assert!(
        found.contains(&format!(
            "may select {wanted}: verdicts about their traffic do not count these policies"
        )),
        "{policy}\n{found}"
    );
}

#[test]
fn policies_of_calico_name_every_pod_in_their_reach() {
    for group in ["crd.projectcalico.org/v1", "projectcalico.org/v3"] {
        check(
            &format!(
                "{{apiVersion: {group}, kind: NetworkPolicy, metadata: {{namespace: ops, name: p}}, spec: {{selector: app == 'x'}}}}"
            ),
            "pods of Pod/ops/web",
        );
        check(
            &format!(
                "{{apiVersion: {group}, kind: GlobalNetworkPolicy, metadata: {{name: p}}, spec: {{selector: all()}}}}"
            ),
            "pods of Pod/ops/web, Pod/shop/db, Pod/shop/web",
        );
    }
}

#[test]
fn policies_of_istio_in_its_root_namespace_are_for_all() {
    let policy = |namespace: &str, spec: &str| {
        format!(
            "{{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {{namespace: {namespace}, name: p}}, spec: {spec}}}"
        )
    };
    check(&policy("shop", "{}"), "pods of Pod/shop/db, Pod/shop/web");
    check(
        &policy("shop", "{selector: {matchLabels: {app: db}}}"),
        "pods of Pod/shop/db",
    );
    check(
        &policy("istio-system", "{selector: {matchLabels: {app: web}}}"),
        "pods of Pod/ops/web, Pod/shop/web",
    );
}

#[test]
fn other_kinds_of_the_same_groups_are_no_policies() {
    let found = diagnostics(&format!(
        "{PODS}---\n{{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {{namespace: shop, name: p}}, spec: {{}}}}\n"
    ));
    assert!(!found.contains("verdicts about their traffic"), "{found}");
}
