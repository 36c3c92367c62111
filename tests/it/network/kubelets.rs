//! Who reaches kubelets: pods as policies let them, and those of the own node always.

use beachhead::collect::read_text;
use beachhead::techniques::{Facts, Position, steps};

const CLUSTER: &str = r#"
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}, {type: ExternalIP, address: 203.0.113.2}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {namespace: kube-system, name: kubelet-config}
data:
  kubelet: |
    authentication:
      anonymous:
        enabled: true
    authorization:
      mode: AlwaysAllow
    kind: KubeletConfiguration
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {nodeName: n1, containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: db}, spec: {nodeName: n2, containers: [{name: c, image: i}]}}
"#;

/// What is held without any technique, from these positions on.
fn held(manifests: &str, from: &str) -> Vec<String> {
    let (cluster, _) = read_text("test.yaml", manifests, "default");
    let facts = Facts::new(&cluster);
    let steps = steps(&facts.context(&cluster));
    let mut held = vec![from.to_owned()];
    let mut at = 0;
    while at < held.len() {
        let from = held[at].clone();
        for step in steps.iter().filter(|step| step.effort == 0) {
            let conclusion = step.conclusion.to_string();
            if step.premises.iter().map(Position::to_string).eq([from.clone()]) && !held.contains(&conclusion)
            {
                held.push(conclusion);
            }
        }
        at += 1;
    }
    held.retain(|position| position.starts_with("Network/port/node/"));
    held.sort();
    held
}

#[test]
fn pods_reach_kubelets_as_policies_let_them_and_that_of_their_own_node_always() {
    let both = ["Network/port/node/n1/10250/TCP", "Network/port/node/n2/10250/TCP"];
    assert_eq!(held(CLUSTER, "Container/shop/web/c"), both);
    let policy = |rules: &str| {
        format!(
            "{CLUSTER}---\n{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{namespace: shop, name: p}}, spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{rules}]}}}}\n"
        )
    };
    assert_eq!(held(&policy(""), "Container/shop/web/c"), both[..1]);
    let other = "{to: [{ipBlock: {cidr: 192.168.0.2/32}}], ports: [{port: 10250}]}";
    assert_eq!(held(&policy(other), "Container/shop/web/c"), both);
    let closed = "{to: [{ipBlock: {cidr: 192.168.0.2/32}}], ports: [{port: 443}]}";
    assert_eq!(held(&policy(closed), "Container/shop/web/c"), both[..1]);
    assert_eq!(held(&policy(""), "Container/ops/db/c"), both);
    assert_eq!(held(CLUSTER, "Node/n1"), both);
}

#[test]
fn the_internet_perhaps_reaches_the_kubelet_of_a_node_with_an_address_outside() {
    assert_eq!(held(CLUSTER, "Internet"), ["Network/port/node/n2/10250/TCP"]);
    let closed = CLUSTER.replace("AlwaysAllow", "Webhook");
    assert_eq!(held(&closed, "Internet"), Vec::<String>::new());
    assert_eq!(held(&closed, "Container/shop/web/c"), Vec::<String>::new());
}
