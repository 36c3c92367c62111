//! What the specification says of policies, a sentence a test.

use super::{diagnostics, verdict};

/// Pods `web`, `db` and `api` of two namespaces, and one that shares its node's network.
pub(super) const PODS: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ops, labels: {team: b}}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {zone: a}}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: web, labels: {app: web, tier: front}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
status: {podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: db, labels: {app: db}}
spec: {containers: [{name: c, image: i, ports: [{name: sql, containerPort: 5432}, {name: http, containerPort: 81, protocol: UDP}]}]}
status: {podIPs: [{ip: 10.1.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: ops, name: api, labels: {app: web}}
spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}
status: {podIPs: [{ip: 10.2.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: host, labels: {app: web}}
spec: {hostNetwork: true, nodeName: n1, containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 192.168.0.1}]}
"#;

/// Checks questions `from to port verdict` under one NetworkPolicy of `shop`.
fn policy(spec: &str, questions: &[&str]) {
    let policy = format!(
        "{PODS}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {spec}\n"
    );
    check(&policy, questions);
}

pub(super) fn check(manifests: &str, questions: &[&str]) {
    for question in questions {
        let [from, to, port, wanted] = question.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{question}");
        };
        let place = |name: &str| match name {
            "web" | "db" | "host" => format!("Pod/shop/{name}"),
            "api" => "Pod/ops/api".to_owned(),
            "node" => "Node/n1".to_owned(),
            other => other.to_owned(),
        };
        assert_eq!(
            verdict(manifests, &place(from), &place(to), port),
            wanted,
            "{question}\n{manifests}"
        );
    }
}

/// Checks questions under one admin policy.
fn admin(kind: &str, spec: &str, questions: &[&str]) {
    check(
        &format!("{PODS}{}", admin_policy(kind, "default", spec)),
        questions,
    );
}

fn admin_policy(kind: &str, name: &str, spec: &str) -> String {
    let version = if kind == "ClusterNetworkPolicy" {
        "v1alpha2"
    } else {
        "v1alpha1"
    };
    format!(
        "---\napiVersion: policy.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    )
}

#[test]
fn without_policies_everything_reaches_everything() {
    check(
        PODS,
        &[
            "api db 1/SCTP allowed",
            "8.8.8.8 db 80 allowed",
            "db 8.8.8.8 53/UDP allowed",
            "web host 22 allowed",
        ],
    );
}

#[test]
fn a_policy_applies_in_its_own_namespace_only() {
    policy(
        "{podSelector: {matchLabels: {app: web}}}",
        &["db web 80 denied", "db api 80 allowed", "api web 80 denied"],
    );
}

#[test]
fn an_empty_pod_selector_is_every_pod_of_the_namespace() {
    policy(
        "{podSelector: {}}",
        &["api web 80 denied", "api db 80 denied", "web api 80 allowed"],
    );
}

#[test]
fn policy_types_say_what_isolates() {
    policy(
        "{podSelector: {}, policyTypes: [Egress]}",
        &["db web 80 denied", "web api 80 denied", "api web 80 allowed"],
    );
    policy(
        "{podSelector: {}, policyTypes: [Ingress, Egress]}",
        &["web api 80 denied", "api web 80 denied"],
    );
}

#[test]
fn missing_policy_types_are_ingress_and_egress_only_with_rules() {
    policy(
        "{podSelector: {}, egress: []}",
        &["web api 80 allowed", "api web 80 denied"],
    );
    policy(
        "{podSelector: {}, egress: [{ports: [{port: 80}]}]}",
        &["web api 80 allowed", "web api 81 denied", "api web 80 denied"],
    );
}

#[test]
fn rules_of_a_direction_that_is_not_listed_are_dead() {
    policy(
        "{podSelector: {}, policyTypes: [Ingress], egress: [{ports: [{port: 80}]}]}",
        &["web api 81 allowed", "api web 80 denied"],
    );
}

#[test]
fn policies_add_up_and_none_takes_away() {
    let one = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: {name}}}\nspec: {spec}\n"
        )
    };
    let all = [
        one("deny", "{podSelector: {}, policyTypes: [Ingress]}"),
        one(
            "a",
            "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 80}]}, {ports: [{port: 81}]}]}",
        ),
        one(
            "b",
            "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 82, protocol: SCTP}]}]}",
        ),
    ];
    check(
        &format!("{PODS}{}", all.concat()),
        &[
            "api db 80 allowed",
            "api db 81 allowed",
            "api db 82/SCTP allowed",
            "api db 82 denied",
            "api web 80 denied",
        ],
    );
}

#[test]
fn a_policy_of_the_peer_does_not_isolate_this_side() {
    policy(
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}",
        &[
            "web db 80 allowed",
            "api db 80 allowed",
            "db web 80 allowed",
            "web api 80 denied",
        ],
    );
}

#[test]
fn names_of_ports_count_in_every_container_that_lasts() {
    let pod = "---\n{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: many, labels: {app: many}}, spec: {containers: [{name: a, image: i, ports: [{name: x, containerPort: 1}]}, {name: b, image: i, ports: [{name: x, containerPort: 2}]}], initContainers: [{name: c, image: i, restartPolicy: Always, ports: [{name: x, containerPort: 3}]}, {name: d, image: i, ports: [{name: x, containerPort: 4}]}]}}\n";
    let policy = "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop, name: p}, spec: {podSelector: {matchLabels: {app: many}}, ingress: [{ports: [{port: x}]}]}}\n";
    for (port, wanted) in [(1, "allowed"), (2, "allowed"), (3, "allowed"), (4, "denied")] {
        check(
            &format!("{PODS}{pod}{policy}"),
            &[&format!("api Pod/shop/many {port} {wanted}")],
        );
    }
}

#[test]
fn the_addresses_of_other_nodes_are_like_any_other() {
    let from = |cidr: &str| {
        format!(
            "{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{{ipBlock: {{cidr: {cidr}}}}}]}}]}}"
        )
    };
    let other = "---\n{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}\n";
    let set = "---\n{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: kube-system, name: calico-node}}\n";
    let placed = PODS.replace(
        "spec: {containers: [{name: c, image: i, ports: [{name: sql",
        "spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: sql",
    );
    let with = |cidr: &str| {
        format!(
            "{placed}{other}{set}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {}\n",
            from(cidr)
        )
    };
    check(
        &with("192.168.0.2/32"),
        &["Node/n2 db 80 allowed", "node db 80 allowed"],
    );
    check(
        &with("192.168.0.9/32"),
        &["Node/n2 db 80 denied", "node db 80 allowed"],
    );
}

#[test]
fn selectors_of_namespaces_never_mean_what_is_outside() {
    policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}",
        &[
            "api db 80 allowed",
            "8.8.8.8 db 80 denied",
            "2001:db8::1 db 80 denied",
        ],
    );
}

#[test]
fn an_empty_from_is_everyone_and_no_rule_is_nobody() {
    policy(
        "{podSelector: {}, ingress: [{from: []}]}",
        &["api web 80 allowed", "8.8.8.8 web 80 allowed"],
    );
    policy("{podSelector: {}, ingress: [{}]}", &["api web 80 allowed"]);
    policy(
        "{podSelector: {}, ingress: []}",
        &["api web 80 denied", "8.8.8.8 web 80 denied"],
    );
}

#[test]
fn selectors_of_one_peer_must_both_hold_and_peers_are_alternatives() {
    let both = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: web}}}]}]}";
    policy(both, &["web db 80 allowed", "api db 80 denied"]);
    let either = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}, {podSelector: {matchLabels: {app: web}}}]}]}";
    policy(either, &["web db 80 allowed", "api db 80 allowed"]);
}

#[test]
fn a_pod_selector_alone_is_about_the_own_namespace_and_an_empty_namespace_selector_about_all() {
    let rule =
        |peer: &str| format!("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{peer}]}}]}}");
    policy(
        &rule("{podSelector: {matchLabels: {app: web}}}"),
        &["web db 80 allowed", "api db 80 denied"],
    );
    policy(
        &rule("{namespaceSelector: {}}"),
        &["web db 80 allowed", "api db 80 allowed", "8.8.8.8 db 80 denied"],
    );
    policy(
        &rule("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}"),
        &["web db 80 allowed", "api db 80 allowed"],
    );
}

#[test]
fn labels_and_expressions_of_a_selector_must_all_hold() {
    let spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}, matchExpressions: [{key: tier, operator: NotIn, values: [front]}]}}]}]}";
    policy(spec, &["web db 80 denied"]);
    policy(&spec.replace("NotIn", "In"), &["web db 80 allowed"]);
}

#[test]
fn the_name_of_a_namespace_is_a_label_of_it() {
    policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]}",
        &["api db 80 allowed", "web db 80 denied"],
    );
    // Whatever a manifest says, the API server sets it:
    // https://github.com/kubernetes/kubernetes/blob/v1.31.0/pkg/apis/core/v1/defaults.go
    let forged = PODS.replace("team: b", "team: b, kubernetes.io/metadata.name: shop");
    let spec = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]}";
    let policy = format!(
        "{forged}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {spec}\n"
    );
    check(&policy, &["api db 80 denied", "web db 80 allowed"]);
}

#[test]
fn a_port_entry_without_a_port_is_every_port_of_its_protocol() {
    let spec = "{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}";
    policy(
        spec,
        &[
            "api db 7/UDP allowed",
            "api db 65535/UDP allowed",
            "api db 7 denied",
            "api db 7/SCTP denied",
        ],
    );
    policy(
        "{podSelector: {}, ingress: [{ports: [{}]}]}",
        &["api db 7 allowed", "api db 7/UDP denied"],
    );
}

#[test]
fn an_end_port_is_included() {
    let spec = "{podSelector: {}, ingress: [{ports: [{port: 80, endPort: 82}]}]}";
    policy(
        spec,
        &[
            "api db 79 denied",
            "api db 80 allowed",
            "api db 82 allowed",
            "api db 83 denied",
            "api db 81/UDP denied",
        ],
    );
}

#[test]
fn a_named_port_is_each_destinations_own_and_of_its_protocol() {
    let ingress = "{podSelector: {}, ingress: [{ports: [{port: http}]}]}";
    policy(
        ingress,
        &[
            "api web 8080 allowed",
            "api web 80 denied",
            "api db 81/UDP denied",
            "api db 81 denied",
        ],
    );
    policy(
        &ingress.replace("{port: http}", "{port: http, protocol: UDP}"),
        &["api db 81/UDP allowed", "api web 8080 denied"],
    );
    let egress =
        "{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}";
    policy(
        egress,
        &[
            "db web 8080 allowed",
            "db api 80 allowed",
            "db api 8080 denied",
            "db 8.8.8.8 80 denied",
            "db host 80 unknown",
        ],
    );
    let block = "{podSelector: {matchLabels: {app: db}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: http}]}]}";
    policy(block, &["db api 80 denied", "db 8.8.8.8 80 denied"]);
}

#[test]
fn an_ip_block_leaves_its_exceptions_out() {
    let spec = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 8.0.0.0/8, except: [8.8.0.0/16]}}]}]}";
    policy(
        spec,
        &[
            "8.1.1.1 db 80 allowed",
            "8.8.8.8 db 80 denied",
            "9.9.9.9 db 80 denied",
            "api db 80 denied",
        ],
    );
    let six = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]}";
    policy(
        six,
        &[
            "2001:db8::1 db 80 allowed",
            "2001:db9::1 db 80 denied",
            "32.1.13.184 db 80 denied",
        ],
    );
}

#[test]
fn whether_an_ip_block_matches_a_pod_is_for_the_plugin_to_say() {
    let spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.2.0.0/16}}]}]}";
    policy(
        spec,
        &["api db 80 unknown", "web db 80 denied", "10.2.0.9 db 80 allowed"],
    );
    let plugin = |name: &str| {
        format!(
            "{PODS}---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{namespace: kube-system, name: {name}}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {spec}\n"
        )
    };
    check(&plugin("calico-node"), &["api db 80 allowed", "web db 80 denied"]);
    check(&plugin("cilium"), &["api db 80 denied"]);
}

#[test]
fn a_plugin_that_enforces_nothing_makes_policies_void() {
    let with = |plugin: &str, spec: &str| {
        format!(
            "{PODS}---\n{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{namespace: kube-system, name: {plugin}}}, spec: {{template: {{spec: {spec}}}}}}}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {{podSelector: {{}}}}\n"
        )
    };
    check(&with("kube-flannel-ds", "{}"), &["api db 80 allowed"]);
    assert!(diagnostics(&with("kube-flannel-ds", "{}")).contains("flannel does not enforce them"));
    check(&with("aws-node", "{}"), &["api db 80 allowed"]);
    check(
        &with(
            "aws-node",
            "{containers: [{name: agent, image: i, args: [--enable-network-policy=true]}]}",
        ),
        &["api db 80 denied"],
    );
    check(&with("calico-node", "{}"), &["api db 80 denied"]);
}

#[test]
fn pods_in_their_nodes_network_are_the_node() {
    policy(
        "{podSelector: {}, policyTypes: [Ingress, Egress]}",
        &["api host 80 allowed", "host api 80 allowed"],
    );
    policy(
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
        &["web db 80 allowed"],
    );
    let all = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}}]}]}";
    let policy = format!(
        "{PODS}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {all}\n"
    );
    // Where `db` runs is not in the input; on the node of `host` it would be reached in any case.
    assert_eq!(verdict(&policy, "Pod/shop/host", "Pod/shop/db", "80"), "unknown");
}

#[test]
fn traffic_with_the_own_node_is_always_allowed() {
    policy(
        "{podSelector: {}, policyTypes: [Ingress, Egress]}",
        &[
            "node web 80 allowed",
            "host web 80 allowed",
            "web node 10250 allowed",
            "node db 80 unknown",
        ],
    );
}

#[test]
fn ended_pods_and_their_ports_do_not_count() {
    let ended = PODS.replace(
        "status: {podIPs: [{ip: 10.2.0.1}]}",
        "status: {phase: Succeeded, podIPs: [{ip: 10.2.0.1}]}",
    );
    let (cluster, _) = beachhead::collect::read_text("x", &ended, "default");
    let (network, _) = beachhead::network::Network::new(&cluster);
    assert!(network.places(&cluster, "Pod/ops/api").is_empty());
    assert_eq!(network.places(&cluster, "Pod/shop/web").len(), 1);
}

#[test]
fn broken_parts_of_a_policy_match_nothing_and_are_named() {
    for (rule, pointer) in [
        (
            "{from: [{ipBlock: {cidr: 10.0.0.1}}]}",
            "from/0/ipBlock/cidr: 10.0.0.1 is no CIDR",
        ),
        (
            "{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [x]}}]}",
            "from/0/ipBlock/except/0: x is no CIDR",
        ),
        ("{from: [{}]}", "from/0: no field of this peer is set"),
        (
            "{from: [{serviceSelector: {}}]}",
            "from/0: no field of this peer is set",
        ),
        (
            "{from: [{podSelector: {}, ipBlock: {cidr: 0.0.0.0/0}}]}",
            "from/0: ipBlock stands beside a selector",
        ),
        (
            "{ports: [{port: http, endPort: 90}]}",
            "ports/0: endPort beside a named port",
        ),
        ("{ports: [{endPort: 90}]}", "ports/0: endPort without port"),
        (
            "{ports: [{port: 90, endPort: 80}]}",
            "ports/0: 90 to 80 is no range of ports",
        ),
    ] {
        let spec = format!("{{podSelector: {{}}, ingress: [{rule}]}}");
        policy(
            &spec,
            &[
                "api web 8080 denied",
                "api web 85 denied",
                "8.8.8.8 web 8080 denied",
                "web db 8080 denied",
            ],
        );
        let text = format!(
            "{PODS}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {spec}\n"
        );
        let found = diagnostics(&text);
        assert!(
            found.contains(&format!("/spec/ingress/0/{pointer}")) && found.contains("NetworkPolicy/shop/p"),
            "{found}"
        );
    }
}

#[test]
fn the_first_admin_rule_that_matches_decides() {
    let spec = "{priority: 1, subject: {namespaces: {matchLabels: {team: a}}}, ingress: [{action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}], ports: [{portNumber: {protocol: TCP, port: 80}}]}, {action: Allow, from: [{namespaces: {}}]}]}";
    admin(
        "AdminNetworkPolicy",
        spec,
        &[
            "api db 80 denied",
            "api db 81 allowed",
            "api db 80/UDP allowed",
            "8.8.8.8 db 80 allowed",
        ],
    );
}

#[test]
fn admin_policies_isolate_nothing() {
    let spec = "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: a}}}]}]}";
    admin(
        "AdminNetworkPolicy",
        spec,
        &["api db 80 allowed", "8.8.8.8 db 80 allowed"],
    );
}

#[test]
fn an_admin_allow_overrules_policies_and_pass_leaves_it_to_them() {
    let policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {matchLabels: {app: db}}}\n";
    let rule = |action: &str| {
        format!(
            "{{priority: 5, subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{{namespaces: {{}}}}]}}]}}"
        )
    };
    let later = admin_policy(
        "AdminNetworkPolicy",
        "later",
        "{priority: 6, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}",
    );
    let with = |action: &str| {
        format!(
            "{PODS}{policy}{}{later}",
            admin_policy("AdminNetworkPolicy", "a", &rule(action))
        )
    };
    check(&with("Allow"), &["api db 80 allowed", "api web 80 allowed"]);
    check(&with("Pass"), &["api db 80 denied", "api web 80 allowed"]);
    check(&with("Deny"), &["api db 80 denied", "api web 80 denied"]);
}

#[test]
fn the_baseline_is_for_pods_that_no_policy_isolates() {
    let baseline = admin_policy(
        "BaselineAdminNetworkPolicy",
        "default",
        "{subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}",
    );
    let policy = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}}]}]}\n";
    check(
        &format!("{PODS}{policy}{baseline}"),
        &["api db 80 allowed", "api web 80 denied", "8.8.8.8 web 80 allowed"],
    );
}

#[test]
fn networks_of_admin_policies_match_pods_too() {
    let spec =
        "{priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]}";
    admin(
        "AdminNetworkPolicy",
        spec,
        &[
            "web db 80 denied",
            "web 8.8.8.8 80 denied",
            "web 2001:db8::1 80 allowed",
            "db host 80 unknown",
        ],
    );
}

#[test]
fn nodes_of_admin_policies_are_nodes_and_pods_in_their_network() {
    let spec = "{priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: a}}}], ports: [{portNumber: {protocol: TCP, port: 10250}}]}]}";
    admin(
        "AdminNetworkPolicy",
        spec,
        &[
            "db node 10250 unknown",
            "api host 10250 unknown",
            "api host 22 allowed",
            "db web 10250 allowed",
        ],
    );
    admin(
        "AdminNetworkPolicy",
        &spec.replace("zone: a", "zone: b"),
        &["db node 10250 allowed", "api host 10250 allowed"],
    );
}

#[test]
fn a_named_port_of_an_admin_policy_takes_the_pods_protocol() {
    let spec = "{priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{namedPort: http}]}]}";
    admin(
        "AdminNetworkPolicy",
        spec,
        &[
            "api web 8080 denied",
            "api db 81/UDP denied",
            "api db 81 allowed",
            "web api 80 denied",
            "web api 8080 allowed",
        ],
    );
}

#[test]
fn cluster_policies_have_tiers_and_protocols_of_their_own() {
    let spec = |tier: &str| {
        format!(
            "{{tier: {tier}, priority: 1, subject: {{namespaces: {{}}}}, egress: [{{action: Accept, to: [{{domainNames: ['*.example.com']}}]}}, {{action: Deny, to: [{{networks: [0.0.0.0/0]}}], protocols: [{{tcp: {{destinationPort: {{range: {{start: 80, end: 90}}}}}}}}, {{udp: {{}}}}]}}]}}"
        )
    };
    admin(
        "ClusterNetworkPolicy",
        &spec("Admin"),
        &[
            "web db 80 denied",
            "web db 91 allowed",
            "web db 9/UDP denied",
            "web db 80/SCTP allowed",
        ],
    );
    admin(
        "ClusterNetworkPolicy",
        &spec("Baseline"),
        &["web db 80 denied", "web db 91 allowed"],
    );
    let open = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}\n";
    check(
        &format!(
            "{PODS}{open}{}",
            admin_policy("ClusterNetworkPolicy", "c", &spec("Baseline"))
        ),
        &["web db 80 allowed"],
    );
    check(
        &format!(
            "{PODS}{open}{}",
            admin_policy("ClusterNetworkPolicy", "c", &spec("Admin"))
        ),
        &["web db 80 denied"],
    );
}

#[test]
fn an_admin_rule_that_cannot_be_understood_fails_closed() {
    let spec = |action: &str, peer: &str| {
        format!(
            "{{priority: 1, subject: {{namespaces: {{}}}}, ingress: [{{action: {action}, from: [{peer}]}}, {{action: Deny, from: [{{namespaces: {{}}}}], ports: [{{portNumber: {{port: 80}}}}]}}]}}"
        )
    };
    for peer in ["{}", "{serviceAccounts: {}}", "{namespaces: {}, pods: {}}"] {
        admin(
            "AdminNetworkPolicy",
            &spec("Allow", peer),
            &["api db 80 denied", "api db 81 allowed"],
        );
        admin(
            "AdminNetworkPolicy",
            &spec("Deny", peer),
            &["api db 81 denied", "8.8.8.8 db 81 denied"],
        );
        admin("AdminNetworkPolicy", &spec("Pass", peer), &["api db 81 denied"]);
    }
    let twice = format!(
        "{PODS}{}{}",
        admin_policy("AdminNetworkPolicy", "a", &spec("Deny", "{namespaces: {}}")),
        admin_policy("AdminNetworkPolicy", "b", &spec("Allow", "{namespaces: {}}"))
    );
    check(&twice, &["api db 81 denied"]);
    assert!(diagnostics(&twice).contains("AdminNetworkPolicy/a has the same priority 1"));
}
