//! Policies of Cilium: what they isolate, allow and deny, and what stands beside them.

use super::policies::{PODS, check};
use super::{diagnostics, verdict};

fn namespaced(spec: &str) -> String {
    format!(
        "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{namespace: shop, name: c}}\nspec: {spec}\n"
    )
}

fn clusterwide(spec: &str) -> String {
    format!(
        "---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: c}}\nspec: {spec}\n"
    )
}

fn policy(spec: &str, questions: &[&str]) {
    check(&format!("{PODS}{}", namespaced(spec)), questions);
}

#[test]
fn a_section_with_rules_isolates_its_direction() {
    policy(
        "{endpointSelector: {}, ingress: [{}]}",
        &["api db 80 denied", "db api 80 allowed"],
    );
    policy(
        "{endpointSelector: {}, egress: [{}]}",
        &["api db 80 allowed", "db api 80 denied"],
    );
    policy("{endpointSelector: {}, ingress: []}", &["api db 80 allowed"]);
    policy(
        "{endpointSelector: {}, ingress: [{}], enableDefaultDeny: {ingress: false}}",
        &["api db 80 allowed"],
    );
}

#[test]
fn endpoints_are_of_the_own_namespace_unless_one_is_named() {
    let from = |selector: &str| {
        format!(
            "{{endpointSelector: {{matchLabels: {{app: db}}}}, ingress: [{{fromEndpoints: [{selector}]}}]}}"
        )
    };
    policy(
        &from("{}"),
        &["web db 80 allowed", "api db 80 denied", "8.8.8.8 db 80 denied"],
    );
    policy(
        &from("{matchLabels: {app: web}}"),
        &["web db 80 allowed", "api db 80 denied"],
    );
    policy(
        &from("{matchLabels: {'k8s:io.kubernetes.pod.namespace': ops}}"),
        &["web db 80 denied", "api db 80 allowed"],
    );
    policy(
        &from("{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': b, 'any:app': web}}"),
        &["web db 80 denied", "api db 80 allowed"],
    );
    policy(
        &from("{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}"),
        &["web db 80 allowed", "api db 80 allowed"],
    );
}

#[test]
fn a_policy_of_the_cluster_is_about_all_namespaces() {
    let spec = "{endpointSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [ops]}]}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}";
    check(
        &format!("{PODS}{}", clusterwide(spec)),
        &["api db 80 allowed", "db web 80 denied", "db api 80 allowed"],
    );
}

#[test]
fn rules_without_peers_are_about_everyone_if_they_name_ports() {
    let ports = "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}, {port: '90', endPort: 92}]}]}]}";
    policy(
        ports,
        &[
            "api db 80 allowed",
            "8.8.8.8 db 80 allowed",
            "api db 80/UDP denied",
            "api db 91/UDP allowed",
            "api db 93 denied",
        ],
    );
    policy(
        "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}]}",
        &["api db 7/UDP allowed", "api db 7 denied"],
    );
    policy(
        "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}",
        &["api web 8080 allowed", "api web 80 denied"],
    );
    policy(
        "{endpointSelector: {}, ingress: [{icmps: [{fields: [{type: 8}]}]}]}",
        &["api web 80 denied"],
    );
}

#[test]
fn entities_stand_for_parts_of_the_world() {
    let from = |entity: &str| {
        format!("{{endpointSelector: {{matchLabels: {{app: db}}}}, ingress: [{{fromEntities: [{entity}]}}]}}")
    };
    policy(
        &from("world"),
        &[
            "8.8.8.8 db 80 allowed",
            "2001:db8::1 db 80 allowed",
            "api db 80 denied",
        ],
    );
    policy(
        &from("cluster"),
        &[
            "8.8.8.8 db 80 denied",
            "api db 80 allowed",
            "host db 80 allowed",
            "node db 80 allowed",
        ],
    );
    policy(&from("all"), &["8.8.8.8 db 80 allowed", "api db 80 allowed"]);
    policy(
        &from("world-ipv4"),
        &[
            "8.8.8.8 db 80 allowed",
            "2001:db8::1 db 80 denied",
            "api db 80 denied",
        ],
    );
    policy(&from("health"), &["8.8.8.8 db 80 denied", "api db 80 denied"]);
    policy(
        &from("remote-node"),
        &["8.8.8.8 db 80 denied", "api db 80 denied", "node db 80 allowed"],
    );
}

#[test]
fn the_api_server_is_where_its_endpoints_say() {
    let endpoints = "---\n{apiVersion: v1, kind: Endpoints, metadata: {namespace: default, name: kubernetes}, subsets: [{addresses: [{ip: 192.168.0.1}], ports: [{port: 6443}]}]}\n";
    let spec = "{endpointSelector: {}, egress: [{toEntities: [kube-apiserver]}]}";
    check(
        &format!("{PODS}{endpoints}{}", namespaced(spec)),
        &[
            "web 192.168.0.1 6443 allowed",
            "db 8.8.8.8 443 denied",
            "db api 80 denied",
        ],
    );
    // Without its address it may be anywhere but in the cluster's pods.
    check(
        &format!("{PODS}{}", namespaced(spec)),
        &[
            "db 8.8.8.8 443 unknown",
            "db 169.254.169.254 80 denied",
            "db api 80 denied",
        ],
    );
    let from = "{endpointSelector: {}, ingress: [{fromEntities: [kube-apiserver]}]}";
    check(
        &format!("{PODS}{}", namespaced(from)),
        &["8.8.8.8 db 80 denied", "api db 80 denied"],
    );
}

#[test]
fn addresses_match_nothing_in_the_cluster() {
    let spec = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromCIDR: [10.0.0.0/8]}, {fromCIDRSet: [{cidr: 8.0.0.0/8, except: [8.8.0.0/16]}]}]}";
    policy(
        spec,
        &[
            "api db 80 denied",
            "10.9.9.9 db 80 allowed",
            "8.1.1.1 db 80 allowed",
            "8.8.8.8 db 80 denied",
        ],
    );
}

#[test]
fn a_denial_goes_before_everything_that_allows() {
    let knp = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {}, ingress: [{}]}\n";
    let spec = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': ops}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]}";
    check(
        &format!("{PODS}{knp}{}", namespaced(spec)),
        &[
            "api db 80 denied",
            "api db 81 allowed",
            "web db 80 allowed",
            "api web 80 allowed",
        ],
    );
    policy(
        "{endpointSelector: {}, ingressDeny: [{fromEntities: [world]}]}",
        &["api db 80 denied", "8.8.8.8 db 80 denied"],
    );
}

#[test]
fn policies_of_both_kinds_allow_together() {
    let knp = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {}, ingress: [{ports: [{port: 81}]}]}\n";
    let spec = "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]}";
    check(
        &format!("{PODS}{knp}{}", namespaced(spec)),
        &["api db 80 allowed", "api db 81 allowed", "api db 82 denied"],
    );
}

#[test]
fn names_are_let_out_without_being_looked_up() {
    let spec = "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: api.example.com}, {matchPattern: '*.example.org'}]}]}";
    policy(spec, &["web 8.8.8.8 443 unknown", "db api 80 denied"]);
    let (cluster, _) = beachhead::collect::read_text("x", &format!("{PODS}{}", namespaced(spec)), "default");
    let (network, _) = beachhead::network::Network::new(&cluster);
    let to: Vec<String> = network
        .connections(&cluster)
        .iter()
        .filter(|c| c.source.to_string() == "Pod/shop/web")
        .map(|c| c.target.to_string())
        .collect();
    assert!(
        to.contains(&"api.example.com".to_owned()) && to.contains(&"*.example.org".to_owned()),
        "{to:?}"
    );
}

#[test]
fn a_service_account_is_a_label_to_cilium() {
    let pods = PODS.replace(
        "spec: {nodeName: n1, containers",
        "spec: {serviceAccountName: front, nodeName: n1, containers",
    );
    let spec = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: front}}]}]}";
    check(
        &format!("{pods}{}", namespaced(spec)),
        &["web db 80 allowed", "api db 80 denied"],
    );
    check(&format!("{PODS}{}", namespaced(spec)), &["web db 80 denied"]);
}

#[test]
fn what_cannot_be_understood_fails_closed_and_is_named() {
    for (rule, message) in [
        ("{fromEntities: [moon]}", "moon is no entity"),
        ("{fromCIDR: [10.0.0.0/99]}", "10.0.0.0/99 is no CIDR"),
        (
            "{toPorts: [{ports: [{port: '90', endPort: 80}]}]}",
            "endPort comes before port 90",
        ),
        (
            "{toPorts: [{ports: [{port: '80', protocol: QUIC}]}]}",
            "QUIC is no protocol",
        ),
        ("{fromCIDRSet: [{cidrGroupRef: none}]}", "no CiliumCIDRGroup none"),
    ] {
        let allow = format!(
            "{PODS}{}",
            namespaced(&format!("{{endpointSelector: {{}}, ingress: [{rule}]}}"))
        );
        check(&allow, &["api db 80 denied", "8.8.8.8 db 80 denied"]);
        let found = diagnostics(&allow);
        assert!(
            found.contains(message) && found.contains("/spec/ingress/0"),
            "{found}"
        );
        let deny = format!(
            "{PODS}{}",
            namespaced(&format!(
                "{{endpointSelector: {{}}, ingress: [{{fromEntities: [all]}}], ingressDeny: [{rule}]}}"
            ))
        );
        check(&deny, &["api db 80 denied"]);
    }
}

#[test]
fn another_plugin_does_not_enforce_them() {
    let calico = "---\n{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: kube-system, name: calico-node}}\n";
    let all = format!(
        "{PODS}{calico}{}",
        namespaced("{endpointSelector: {}, ingress: [{}]}")
    );
    assert_eq!(verdict(&all, "Pod/ops/api", "Pod/shop/db", "80"), "allowed");
    assert!(diagnostics(&all).contains("Calico does not enforce them"));
}

/// Checks what is said to be a gap, and the answers to questions.
fn gap(spec: &str, wanted: &str, questions: &[&str]) {
    policy(spec, questions);
    let found = diagnostics(&format!("{PODS}{}", namespaced(spec)));
    assert!(found.contains(wanted), "{spec}\n{found}");
}

#[test]
fn rules_for_the_layer_of_applications_allow_the_port_and_are_noted() {
    let to = |more: &str| {
        format!(
            "{{endpointSelector: {{matchLabels: {{app: db}}}}, ingress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], {more}}}]}}]}}"
        )
    };
    let questions = ["api db 80 allowed", "api db 81 denied"];
    gap(
        &to("rules: {http: [{method: GET, headers: ['X-Token: canary']}]}"),
        "toPorts.rules (layer 7) in 1 CiliumNetworkPolicy, first at /spec/ingress/0, is not modelled and touches pods of Pod/shop/db: what is sent over an open connection may be stopped by it",
        &questions,
    );
    gap(
        &to("serverNames: [a.example.com]"),
        "toPorts.serverNames in 1",
        &questions,
    );
    gap(&to("listener: {name: l}"), "toPorts.listener in 1", &questions);
    let plain = format!("{PODS}{}", namespaced(&to("")));
    assert!(!diagnostics(&plain).contains("not modelled"));
}

#[test]
fn no_value_of_a_rule_for_applications_is_kept() {
    let spec =
        "{endpointSelector: {}, ingress: [{toPorts: [{rules: {http: [{headers: ['X-Token: canary']}]}}]}]}";
    let (cluster, _) = beachhead::collect::read_text("x", &namespaced(spec), "default");
    let kept = format!("{:?}", cluster.others.values().collect::<Vec<_>>());
    assert!(kept.contains("toPorts") && !kept.contains("canary"), "{kept}");
}

#[test]
fn what_a_gap_can_change_is_unknown_and_nothing_else() {
    gap(
        "{endpointSelector: {matchLabels: {app: db}}, egress: [{toFQDNs: [{matchName: a.example.com}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}]}",
        "toFQDNs in 1 CiliumNetworkPolicy, first at /spec/egress/0, is not modelled and touches pods of Pod/shop/db: verdicts that it can change are unknown",
        &[
            "db 8.8.8.8 443 unknown",
            "db 8.8.8.8 80 denied",
            "web 8.8.8.8 80 allowed",
            "db api 443 denied",
        ],
    );
    gap(
        "{endpointSelector: {matchLabels: {app: db}}, egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]}",
        "fromGroups and toGroups in 1",
        &["db 8.8.8.8 443 unknown", "db api 443 denied"],
    );
    gap(
        "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEntities: [all], fromRequires: [{matchLabels: {env: prod}}]}]}",
        "fromRequires and toRequires in 1",
        &["web db 80 unknown", "api db 80 unknown", "api web 80 allowed"],
    );
    let denies = "{endpointSelector: {matchLabels: {app: db}}, egress: [{toEntities: [all]}], egressDeny: [{toGroups: [{}]}]}";
    policy(denies, &["db 8.8.8.8 443 unknown", "db api 443 allowed"]);
}

#[test]
fn another_cluster_of_a_mesh_is_perhaps_this_one() {
    let spec = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{matchLabels: {app: web, io.cilium.k8s.policy.cluster: east}}]}]}";
    policy(spec, &["web db 80 unknown", "api db 80 denied"]);
}

#[test]
fn services_without_selector_are_the_addresses_somebody_wrote() {
    let service = "---\n{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: out}, spec: {ports: [{port: 80}]}}\n---\n{apiVersion: v1, kind: Endpoints, metadata: {namespace: shop, name: out}, subsets: [{addresses: [{ip: 8.8.8.8}], ports: [{port: 80}]}]}\n";
    let spec = "{endpointSelector: {matchLabels: {app: db}}, egress: [{toServices: [{k8sService: {serviceName: out, namespace: shop}}]}]}";
    check(
        &format!("{PODS}{service}{}", namespaced(spec)),
        &[
            "db 8.8.8.8 80 allowed",
            "db 1.2.3.4 80 denied",
            "db api 80 denied",
        ],
    );
    let selecting = "---\n{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: out, labels: {a: b}}, spec: {selector: {app: web}, ports: [{port: 80}]}}\n";
    let spec = "{endpointSelector: {matchLabels: {app: db}}, egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {a: b}}}}]}]}";
    check(
        &format!("{PODS}{selecting}{}", namespaced(spec)),
        &["db web 80 unknown", "db 8.8.8.8 80 denied", "db api 80 denied"],
    );
    let with_ports = "{endpointSelector: {matchLabels: {app: db}}, egress: [{toServices: [{k8sService: {serviceName: out}}], toPorts: [{ports: [{port: '80'}]}]}]}";
    check(
        &format!("{PODS}{service}{}", namespaced(with_ports)),
        &[
            "db 8.8.8.8 80 allowed",
            "db 1.2.3.4 80 unknown",
            "db 1.2.3.4 81 denied",
        ],
    );
}

#[test]
fn nodes_are_selected_by_labels_and_addresses_only_by_a_switch() {
    let spec =
        "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromNodes: [{matchLabels: {zone: a}}]}]}";
    policy(
        spec,
        &["node db 80 allowed", "host db 80 allowed", "api db 80 denied"],
    );
    let other =
        "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromNodes: [{matchLabels: {zone: b}}]}]}";
    policy(other, &["api db 80 denied"]);
    let cidr =
        "{endpointSelector: {matchLabels: {app: db}}, egress: [{toCIDR: [192.168.0.0/16, 10.0.0.0/8]}]}";
    let switch = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: kube-system, name: cilium-config}, data: {policy-cidr-match-mode: nodes}}\n";
    let far = PODS.replace(
        "containers: [{name: c, image: i, ports: [{name: sql",
        "nodeName: n2, containers: [{name: c, image: i, ports: [{name: sql",
    );
    check(
        &format!("{far}{}", namespaced(cidr)),
        &["db node 80 denied", "db api 80 denied"],
    );
    check(
        &format!("{far}{switch}{}", namespaced(cidr)),
        &["db node 80 allowed", "db api 80 denied"],
    );
}

#[test]
fn the_switch_never_leaves_nothing_enforced() {
    let daemon =
        "---\n{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: kube-system, name: cilium}}\n";
    let switch = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {namespace: kube-system, name: cilium-config}, data: {enable-policy: never}}\n";
    let spec = namespaced("{endpointSelector: {}, ingress: [{}]}");
    check(&format!("{PODS}{daemon}{spec}"), &["api db 80 denied"]);
    check(&format!("{PODS}{daemon}{switch}{spec}"), &["api db 80 allowed"]);
    assert!(diagnostics(&format!("{PODS}{daemon}{switch}{spec}")).contains("have no effect"));
}

#[test]
fn groups_of_cidrs_are_looked_up() {
    let group = "---\n{apiVersion: cilium.io/v2alpha1, kind: CiliumCIDRGroup, metadata: {name: office, labels: {of: us}}, spec: {externalCIDRs: [8.0.0.0/8]}}\n";
    for set in [
        "{cidrGroupRef: office, except: [8.8.0.0/16]}",
        "{cidrGroupSelector: {matchLabels: {of: us}}, except: [8.8.0.0/16]}",
    ] {
        let spec = format!("{{endpointSelector: {{}}, egress: [{{toCIDRSet: [{set}]}}]}}");
        check(
            &format!("{PODS}{group}{}", namespaced(&spec)),
            &[
                "db 8.1.1.1 80 allowed",
                "db 8.8.8.8 80 denied",
                "db 1.2.3.4 80 denied",
            ],
        );
    }
}

#[test]
fn the_host_firewall_is_a_gap_of_nodes_and_their_pods() {
    let spec = "{nodeSelector: {matchLabels: {zone: a}}, ingress: [{fromEntities: [cluster]}]}";
    let all = format!("{PODS}{}", clusterwide(spec));
    check(
        &all,
        &[
            "api host 80 unknown",
            "8.8.8.8 host 80 unknown",
            "host 8.8.8.8 80 allowed",
            "api db 80 allowed",
        ],
    );
    let found = diagnostics(&all);
    assert!(
        found.contains("nodeSelector (host firewall) in 1") && found.contains("Pod/shop/host"),
        "{found}"
    );
    let elsewhere = format!("{PODS}{}", clusterwide(&spec.replace("zone: a", "zone: b")));
    check(&elsewhere, &["api host 80 allowed"]);
}

#[test]
fn several_specs_count_each() {
    let policy = "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {namespace: shop, name: c}\nspecs:\n- {endpointSelector: {matchLabels: {app: db}}, ingress: [{}]}\n- {endpointSelector: {matchLabels: {app: web}}, egress: [{}]}\n";
    check(
        &format!("{PODS}{policy}"),
        &["api db 80 denied", "api web 80 allowed", "web api 80 denied"],
    );
}

#[test]
fn a_subject_is_always_of_the_own_namespace() {
    let spec = "{endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': ops}}, ingress: [{}]}";
    policy(spec, &["db api 80 allowed", "api db 80 denied"]);
}

#[test]
fn selectors_of_the_whole_cluster_select_pods_only() {
    let spec = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{}]}]}";
    check(
        &format!("{PODS}{}", clusterwide(spec)),
        &["web db 80 allowed", "api db 80 allowed", "8.8.8.8 db 80 denied"],
    );
    let reserved = "{endpointSelector: {matchLabels: {app: db}}, ingress: [{fromEndpoints: [{matchLabels: {'reserved:world': ''}}]}]}";
    check(
        &format!("{PODS}{}", clusterwide(reserved)),
        &["api db 80 denied", "8.8.8.8 db 80 allowed"],
    );
}
