//! Remarks about policies: each check fires where it should, and is quiet elsewhere.

use beachhead::collect::read_text;
use beachhead::network::Network;

use super::policies::PODS;

fn remarks(manifests: &str) -> Vec<String> {
    let (cluster, _) = read_text("test.yaml", &format!("{PODS}{manifests}"), "default");
    let (network, _) = Network::new(&cluster);
    let remarks = network.lint(&cluster).into_iter();
    remarks
        .map(|remark| {
            format!("{} {} {}", remark.check, remark.object, remark.pointer)
                .trim()
                .to_owned()
        })
        .collect()
}

/// A NetworkPolicy of `shop`.
fn policy(spec: &str) -> String {
    format!(
        "---\n{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{namespace: shop, name: p}}, spec: {spec}}}\n"
    )
}

/// Checks that a remark is made about the first manifests and not about the second.
fn check(remark: &str, fires: &str, quiet: &str) {
    let found = remarks(fires);
    assert!(found.iter().any(|known| known == remark), "{remark}: {found:?}");
    let found = remarks(quiet);
    assert!(!found.iter().any(|known| known == remark), "{remark}: {found:?}");
}

#[test]
fn a_policy_that_selects_nothing() {
    check(
        "selects-nothing NetworkPolicy/shop/p",
        &policy("{podSelector: {matchLabels: {app: wep}}}"),
        &policy("{podSelector: {matchLabels: {app: web}}}"),
    );
}

#[test]
fn rules_of_a_direction_that_the_types_leave_out() {
    check(
        "dead-rules NetworkPolicy/shop/p /spec/egress",
        &policy("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"),
        &policy("{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}]}"),
    );
    check(
        "dead-rules NetworkPolicy/shop/p /spec/ingress",
        &policy("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}"),
        &policy("{podSelector: {}, policyTypes: [Egress], ingress: []}"),
    );
}

#[test]
fn name_lookups_that_no_rule_lets_out() {
    check(
        "dns-blocked NetworkPolicy/shop/p /spec/egress",
        &policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}"),
        &policy("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}"),
    );
}

#[test]
fn a_port_name_that_no_container_gives() {
    check(
        "unknown-port-name NetworkPolicy/shop/p /spec/ingress/0/ports/0",
        &policy("{podSelector: {}, ingress: [{ports: [{port: htpp}]}]}"),
        &policy("{podSelector: {}, ingress: [{ports: [{port: http}]}]}"),
    );
}

#[test]
fn a_rule_that_an_earlier_one_leaves_nothing_to() {
    let admin = |first: &str| {
        format!(
            "---\n{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {{name: a}}, spec: {{priority: 1, subject: {{namespaces: {{}}}}, ingress: [{{action: Deny, from: [{{namespaces: {{}}}}]{first}}}, {{action: Allow, from: [{{namespaces: {{}}}}], ports: [{{portNumber: {{protocol: TCP, port: 80}}}}, {{namedPort: http}}]}}]}}}}\n"
        )
    };
    let remark = "shadowed-rule AdminNetworkPolicy/a /spec/ingress/1";
    check(
        remark,
        &admin(""),
        &admin(", ports: [{portNumber: {protocol: TCP, port: 443}}]"),
    );
    // The named port is still left to it.
    let partly = remarks(&admin(", ports: [{portNumber: {protocol: TCP, port: 80}}]"));
    assert!(!partly.iter().any(|known| known == remark), "{partly:?}");
    let calico = "---\n{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {namespace: shop, name: c}, spec: {ingress: [{action: Allow}, {action: Deny, source: {nets: [8.8.8.8/32]}}]}}\n";
    let found = remarks(calico);
    assert!(
        found
            .iter()
            .any(|known| known == "shadowed-rule NetworkPolicy/shop/c /spec/ingress/1"),
        "{found:?}"
    );
}

#[test]
fn a_namespace_without_any_policy() {
    check("no-policy Namespace/shop", "", &policy("{podSelector: {}}"));
    check(
        "no-policy Namespace/shop",
        &policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}")
            .replace("namespace: shop", "namespace: ops"),
        "---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: g}, spec: {types: [Ingress]}}\n",
    );
}
