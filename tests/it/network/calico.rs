//! Policies of Calico: tiers, orders, actions, and what stands beside them.

use super::diagnostics;
use super::policies::{PODS, check};

fn object(kind: &str, metadata: &str, spec: &str) -> String {
    format!("---\napiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{{metadata}}}\nspec: {spec}\n")
}

fn namespaced(spec: &str) -> String {
    object("NetworkPolicy", "namespace: shop, name: c", spec)
}

fn global(name: &str, spec: &str) -> String {
    object("GlobalNetworkPolicy", &format!("name: {name}"), spec)
}

fn policy(spec: &str, questions: &[&str]) {
    check(&format!("{PODS}{}", namespaced(spec)), questions);
}

const KUBERNETES: &str = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: p}\nspec: {podSelector: {}, ingress: [{ports: [{port: 81}]}]}\n";

#[test]
fn a_policy_isolates_the_directions_of_its_types() {
    policy(
        "{selector: app == 'db'}",
        &["api db 80 denied", "db api 80 allowed", "api web 80 allowed"],
    );
    policy(
        "{selector: app == 'db', egress: [{action: Deny}]}",
        &["api db 80 allowed", "db api 80 denied"],
    );
    policy(
        "{selector: app == 'db', types: [Ingress, Egress]}",
        &["api db 80 denied", "db api 80 denied"],
    );
    policy("{types: [Ingress]}", &["api db 80 denied", "api web 80 denied"]);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let spec = "{selector: app == 'db', ingress: [{action: Log}, {action: Deny, protocol: TCP, destination: {ports: [80]}}, {action: Allow}]}";
    policy(
        spec,
        &[
            "api db 80 denied",
            "api db 81 allowed",
            "api db 80/UDP allowed",
            "8.8.8.8 db 81 allowed",
        ],
    );
}

#[test]
fn a_selector_is_about_the_own_namespace_unless_another_is_named() {
    let from = |source: &str| {
        format!("{{selector: app == 'db', ingress: [{{action: Allow, source: {{{source}}}}}]}}")
    };
    policy(
        &from("selector: app == 'web'"),
        &["web db 80 allowed", "api db 80 denied", "8.8.8.8 db 80 denied"],
    );
    policy(
        &from("selector: app == 'web', namespaceSelector: team == 'b'"),
        &["web db 80 denied", "api db 80 allowed"],
    );
    policy(
        &from("namespaceSelector: all()"),
        &["web db 80 allowed", "api db 80 allowed", "8.8.8.8 db 80 denied"],
    );
    policy(
        &from("namespaceSelector: projectcalico.org/name == 'ops'"),
        &["web db 80 denied", "api db 80 allowed"],
    );
    policy(
        &from("notSelector: app == 'web'"),
        &["web db 80 denied", "api db 80 denied"],
    );
    policy(
        &from("selector: tier starts with 'fr'"),
        &["web db 80 allowed", "api db 80 denied"],
    );
    policy(
        &from("selector: projectcalico.org/orchestrator == 'k8s'"),
        &["web db 80 allowed", "api db 80 denied"],
    );
}

#[test]
fn a_global_policy_is_about_all_namespaces() {
    let spec = "{selector: app == 'web', ingress: [{action: Allow, source: {selector: app == 'db'}}]}";
    check(
        &format!("{PODS}{}", global("g", spec)),
        &["db web 80 allowed", "db api 80 allowed", "web api 80 denied"],
    );
    let not = "{namespaceSelector: team == 'b', ingress: [{action: Deny, source: {notSelector: app == 'web'}}, {action: Allow}]}";
    check(
        &format!("{PODS}{}", global("g", not)),
        &[
            "web api 80 allowed",
            "db api 80 denied",
            "8.8.8.8 api 80 denied",
            "8.8.8.8 db 80 allowed",
        ],
    );
}

#[test]
fn nets_match_pods_too() {
    let spec = "{selector: app == 'db', ingress: [{action: Allow, source: {nets: [10.2.0.0/16, 8.0.0.0/8], notNets: [8.8.0.0/16]}}]}";
    policy(
        spec,
        &[
            "api db 80 allowed",
            "web db 80 denied",
            "8.1.1.1 db 80 allowed",
            "8.8.8.8 db 80 denied",
        ],
    );
}

#[test]
fn sets_of_networks_are_selected_by_their_labels() {
    let set = object(
        "GlobalNetworkSet",
        "name: office, labels: {kind: office}",
        "{nets: [203.0.113.0/24]}",
    );
    let spec = "{selector: app == 'db', ingress: [{action: Allow, source: {selector: kind == 'office', namespaceSelector: global()}}]}";
    check(
        &format!("{PODS}{set}{}", namespaced(spec)),
        &[
            "203.0.113.9 db 80 allowed",
            "8.8.8.8 db 80 denied",
            "api db 80 denied",
        ],
    );
    let own = object(
        "NetworkSet",
        "namespace: shop, name: office, labels: {kind: office}",
        "{nets: [203.0.113.0/24]}",
    );
    let spec = "{selector: app == 'db', ingress: [{action: Allow, source: {selector: kind == 'office'}}]}";
    check(
        &format!("{PODS}{own}{}", namespaced(spec)),
        &["203.0.113.9 db 80 allowed", "8.8.8.8 db 80 denied"],
    );
    check(
        &format!("{PODS}{set}{}", namespaced(spec)),
        &["203.0.113.9 db 80 denied"],
    );
}

#[test]
fn ports_are_numbers_ranges_and_names() {
    let with =
        |ports: &str| format!("{{ingress: [{{action: Allow, protocol: TCP, destination: {{{ports}}}}}]}}");
    policy(
        &with("ports: [80, '90:92', http]"),
        &[
            "api db 80 allowed",
            "api db 91 allowed",
            "api db 93 denied",
            "api web 8080 allowed",
            "api db 8080 denied",
            "api db 80/UDP denied",
        ],
    );
    policy(
        &with("notPorts: [80]"),
        &["api db 80 denied", "api db 81 allowed"],
    );
    policy(
        "{ingress: [{action: Allow, notProtocol: TCP}]}",
        &["api db 80 denied", "api db 80/UDP allowed"],
    );
    policy(
        "{ingress: [{action: Allow, protocol: ICMP}]}",
        &["api db 80 denied"],
    );
}

#[test]
fn kubernetes_policies_stand_at_order_1000_of_the_default_tier() {
    let with = |order: &str| {
        format!(
            "{PODS}{KUBERNETES}{}",
            namespaced(&format!(
                "{{{order}ingress: [{{action: Deny, protocol: TCP, destination: {{ports: [81]}}}}, {{action: Allow, protocol: TCP, destination: {{ports: [82]}}}}]}}"
            ))
        )
    };
    check(
        &with("order: 10, "),
        &["api db 81 denied", "api db 82 allowed", "api db 83 denied"],
    );
    check(
        &with("order: 2000, "),
        &["api db 81 allowed", "api db 82 allowed", "api db 83 denied"],
    );
    check(&with(""), &["api db 81 allowed", "api db 82 allowed"]);
}

#[test]
fn tiers_come_in_order_and_pass_goes_to_the_next() {
    let tier = |action: &str| {
        object(
            "Tier",
            "name: security",
            &format!("{{order: 100, defaultAction: {action}}}"),
        )
    };
    let spec = "{tier: security, order: 1, ingress: [{action: Deny, protocol: TCP, destination: {ports: [80]}}, {action: Pass, protocol: TCP, destination: {ports: [81, 82]}}]}";
    let all = |action: &str| format!("{PODS}{KUBERNETES}{}{}", tier(action), global("security.g", spec));
    check(
        &all("Deny"),
        &[
            "api db 80 denied",
            "api db 81 allowed",
            "api db 82 denied",
            "api db 83 denied",
            "web api 81 allowed",
            "web api 83 denied",
        ],
    );
    check(
        &all("Pass"),
        &[
            "api db 80 denied",
            "api db 81 allowed",
            "api db 83 denied",
            "web api 83 allowed",
            "web api 80 denied",
        ],
    );
}

#[test]
fn what_cannot_be_understood_fails_closed_and_is_named() {
    for (rule, message) in [
        (
            "{action: Allow, source: {selector: 'app =='}}",
            "expected a value in quotes",
        ),
        (
            "{action: Allow, source: {nets: [10.0.0.0/99]}}",
            "10.0.0.0/99 is no CIDR",
        ),
        (
            "{action: Allow, protocol: TCP, destination: {ports: ['9:8']}}",
            "9:8 is no port and no range of ports",
        ),
        ("{action: Allow, protocol: XYZ}", "XYZ is no protocol"),
        (
            "{action: Allow, destination: {ports: [80]}}",
            "ports need the protocol TCP, UDP or SCTP",
        ),
        (
            "{action: Allow, protocol: TCP, destination: {ports: ['a b']}}",
            "a b is no port",
        ),
        ("{action: Allow, ipVersion: 5}", "5 is no version of IP"),
        (
            "{action: Allow, source: {planet: mars}}",
            "planet is no member of a rule",
        ),
        (
            "{action: Allow, source: {services: {name: x}, nets: [10.0.0.0/8]}}",
            "services beside selectors",
        ),
        ("{action: Pass, source: {selector: 'a = b'}}", "operator"),
        ("{action: Let}", "`Let` is no action"),
    ] {
        let text = format!(
            "{PODS}{}",
            namespaced(&format!("{{ingress: [{rule}, {{action: Deny}}]}}"))
        );
        check(&text, &["api db 80 denied", "8.8.8.8 db 80 denied"]);
        let found = diagnostics(&text);
        assert!(
            found.contains(message) && found.contains("/spec/ingress/0"),
            "{found}"
        );
    }
    let subject = format!("{PODS}{}", namespaced("{selector: '(('}"));
    check(&subject, &["api db 80 allowed"]);
    assert!(diagnostics(&subject).contains("the policy is taken to apply to no pod"));
    let endless = format!(
        "{PODS}{}",
        namespaced(&format!("{{selector: '{}'}}", "(".repeat(10_000)))
    );
    check(&endless, &["api db 80 allowed"]);
}

#[test]
fn all_members_of_an_entity_must_hold() {
    let from = |source: &str| {
        format!("{{selector: app == 'db', ingress: [{{action: Allow, source: {{{source}}}}}]}}")
    };
    policy(
        &from("selector: all(), namespaceSelector: all(), nets: [10.2.0.0/16]"),
        &["api db 80 allowed", "web db 80 denied", "8.8.8.8 db 80 denied"],
    );
    policy(
        &from("notNets: [10.2.0.0/16]"),
        &["api db 80 denied", "web db 80 allowed", "8.8.8.8 db 80 allowed"],
    );
    policy(
        &from("namespaceSelector: all(), notSelector: tier == 'front'"),
        &["api db 80 allowed", "web db 80 denied"],
    );
}

#[test]
fn a_rule_may_say_something_of_its_own_pods() {
    let spec = "{ingress: [{action: Allow, destination: {selector: app == 'db'}}]}";
    policy(spec, &["api db 80 allowed", "api web 80 denied"]);
    let spec = "{types: [Egress], egress: [{action: Deny, source: {nets: [10.1.0.2]}}, {action: Allow}]}";
    policy(spec, &["db api 80 denied", "web api 80 allowed"]);
}

#[test]
fn a_source_port_is_the_senders_choice() {
    policy(
        "{selector: app == 'db', ingress: [{action: Deny, protocol: TCP, source: {ports: [1234]}}, {action: Allow}]}",
        &["api db 80 allowed"],
    );
    policy(
        "{selector: app == 'db', ingress: [{action: Allow, protocol: TCP, source: {ports: [1234]}}]}",
        &["api db 80 allowed", "api db 80/UDP denied"],
    );
}

#[test]
fn names_of_ports_may_be_left_out() {
    policy(
        "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [http, 81]}}]}",
        &[
            "api web 8080 denied",
            "api web 81 denied",
            "api web 80 allowed",
            "api db 8080 allowed",
        ],
    );
    policy(
        "{ingress: [{action: Allow, protocol: TCP, destination: {ports: [http], notPorts: ['8000:9000']}}]}",
        &["api web 8080 denied"],
    );
}

#[test]
fn the_version_of_ip_may_be_named() {
    policy(
        "{selector: app == 'db', ingress: [{action: Allow, ipVersion: 4}]}",
        &[
            "8.8.8.8 db 80 allowed",
            "2001:db8::1 db 80 denied",
            "api db 80 allowed",
        ],
    );
}

#[test]
fn a_service_stands_for_its_endpoints() {
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {namespace: ops, name: api}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}\n";
    let slice = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {namespace: ops, name: api-x, labels: {kubernetes.io/service-name: api}}\naddressType: IPv4\nendpoints: [{addresses: [203.0.113.7]}]\nports: [{port: 9000, protocol: TCP}]\n";
    let spec =
        "{types: [Egress], egress: [{action: Allow, destination: {services: {name: api, namespace: ops}}}]}";
    let text = format!("{PODS}{service}{}", namespaced(spec));
    check(
        &text,
        &[
            "web api 8000 allowed",
            "web api 80 denied",
            "web api 8000/UDP denied",
            "web db 8000 denied",
        ],
    );
    check(
        &format!("{text}{slice}"),
        &[
            "web api 8000 denied",
            "web 203.0.113.7 9000 allowed",
            "web 203.0.113.7 80 denied",
        ],
    );
    let unknown = format!("{PODS}{}", namespaced(spec));
    check(&unknown, &["web api 8000 unknown"]);
    let server = "{types: [Egress], egress: [{action: Allow, destination: {services: {name: kubernetes, namespace: default}}}]}";
    check(
        &format!("{PODS}{}", namespaced(server)),
        &["web api 443 denied", "web 8.8.8.8 443 unknown"],
    );
}

#[test]
fn accounts_select_pods() {
    let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {namespace: ops, name: default, labels: {role: client}}\n";
    let with = |source: &str| {
        format!(
            "{PODS}{account}{}",
            namespaced(&format!(
                "{{selector: app == 'db', ingress: [{{action: Allow, source: {{namespaceSelector: all(), serviceAccounts: {{{source}}}}}}}]}}"
            ))
        )
    };
    check(&with("names: [default]"), &["api db 80 allowed"]);
    check(&with("names: [other]"), &["api db 80 denied"]);
    check(
        &with("selector: role == 'client'"),
        &["api db 80 allowed", "web db 80 denied"],
    );
    let subject = global(
        "g",
        "{serviceAccountSelector: role == 'client', types: [Ingress]}",
    );
    check(
        &format!("{PODS}{account}{subject}"),
        &["web api 80 denied", "web db 80 allowed"],
    );
}

#[test]
fn a_stored_policy_without_types_is_about_both_directions() {
    let stored = "---\napiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: default.c}\nspec: {selector: app == 'db', ingress: [{action: Allow}]}\n";
    check(
        &format!("{PODS}{stored}"),
        &["api db 80 allowed", "db api 80 denied", "web api 80 allowed"],
    );
}

#[test]
fn policies_of_hosts_are_not_about_pods() {
    for switch in ["doNotTrack: true", "preDNAT: true"] {
        let text = format!(
            "{PODS}{}",
            global("g", &format!("{{{switch}, types: [Ingress]}}"))
        );
        check(&text, &["api db 80 allowed"]);
        assert!(diagnostics(&text).contains("(endpoints of hosts only) in 1 GlobalNetworkPolicy"));
    }
}

#[test]
fn an_endpoint_of_a_host_makes_its_node_unknown_unless_its_profile_opens_it() {
    let host = |profiles: &str| {
        object(
            "HostEndpoint",
            "name: h, labels: {host: x}",
            &format!("{{node: n1, expectedIPs: [192.168.0.1]{profiles}}}"),
        )
    };
    let unused = global("u", "{selector: other == 'x', types: [Ingress]}");
    let closed = format!("{PODS}{unused}{}", host(""));
    check(
        &closed,
        &["api node 22 unknown", "api host 80 unknown", "api db 80 allowed"],
    );
    assert!(diagnostics(&closed).contains("HostEndpoint in 1 HostEndpoint"));
    let open = host(", profiles: [projectcalico-default-allow]");
    check(&format!("{PODS}{unused}{open}"), &["api node 22 allowed"]);
    let used = global("u", "{selector: host == 'x', types: [Ingress]}");
    check(&format!("{PODS}{used}{open}"), &["api node 22 unknown"]);
    let from = "{selector: app == 'db', ingress: [{action: Allow, source: {selector: host == 'x'}}]}";
    check(
        &format!("{PODS}{open}{}", global("g", from)),
        &["node db 80 allowed", "api db 80 denied"],
    );
}

#[test]
fn a_tier_that_the_input_does_not_hold_is_named_and_comes_before_the_default() {
    let spec = "{tier: missing, ingress: [{action: Pass, protocol: TCP}]}";
    let text = format!("{PODS}{KUBERNETES}{}", global("missing.g", spec));
    check(
        &text,
        &[
            "api db 81 allowed",
            "api db 80 denied",
            "api db 81/UDP denied",
            "web api 7 allowed",
        ],
    );
    assert!(diagnostics(&text).contains("no Tier missing in the input"));
}

#[test]
fn admin_policies_stand_in_the_tier_before() {
    let admin = "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a}\nspec: {priority: 50, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 81}}]}]}\n";
    let allow = |more: &str| global("g", &format!("{{{more}ingress: [{{action: Allow}}]}}"));
    let early = object("Tier", "name: early", "{order: 10}");
    check(
        &format!("{PODS}{admin}{}", allow("")),
        &["api db 81 denied", "api db 80 allowed"],
    );
    check(
        &format!("{PODS}{admin}{early}{}", allow("tier: early, ")),
        &["api db 81 allowed"],
    );
    for tier in ["kube-admin", "adminnetworkpolicy"] {
        check(
            &format!("{PODS}{admin}{}", allow(&format!("tier: {tier}, order: 40, "))),
            &["api db 81 allowed"],
        );
        check(
            &format!("{PODS}{admin}{}", allow(&format!("tier: {tier}, order: 60, "))),
            &["api db 81 denied", "api db 80 allowed"],
        );
    }
}

#[test]
fn calico_alone_enforces_its_policies() {
    let set = |name: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{namespace: kube-system, name: {name}}}\nspec: {{selector: {{matchLabels: {{k: v}}}}, template: {{metadata: {{labels: {{k: v}}}}, spec: {{containers: [{{name: c, image: i}}]}}}}}}\n"
        )
    };
    let text = format!("{PODS}{}", namespaced("{types: [Ingress]}"));
    check(&format!("{text}{}", set("calico-node")), &["api db 80 denied"]);
    let other = format!("{text}{}", set("cilium"));
    check(&other, &["api db 80 allowed"]);
    assert!(diagnostics(&other).contains("1 policies of Calico"));
}
