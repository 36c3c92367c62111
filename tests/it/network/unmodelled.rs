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
fn policies_of_other_projects_name_every_pod_in_their_reach() {
    for (group, kind) in [
        ("crd.antrea.io/v1beta1", "NetworkPolicy"),
        ("k8s.ovn.org/v1", "EgressFirewall"),
        ("policy.linkerd.io/v1beta3", "Server"),
    ] {
        check(
            &format!(
                "{{apiVersion: {group}, kind: {kind}, metadata: {{namespace: ops, name: p}}, spec: {{priority: 5}}}}"
            ),
            "pods of Pod/ops/web",
        );
    }
    check(
        "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: p}, spec: {priority: 5}}",
        "pods of Pod/ops/web, Pod/shop/db, Pod/shop/web",
    );
}
