//! Istio's policies: who connects to pods with a proxy, by the identity that senders prove.

use super::{diagnostics, verdict};

/// Pods of the mesh: `web` and `db` of `shop`, `api` of `ops`; `old` has no proxy.
const MESH: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ops}}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: web, labels: {app: web}}
spec: {nodeName: n1, serviceAccountName: web, containers: [{name: c, image: i}, {name: istio-proxy, image: p}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: db, labels: {app: db}}
spec: {nodeName: n2, containers: [{name: c, image: i}], initContainers: [{name: istio-proxy, image: p, restartPolicy: Always}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: ops, name: api, labels: {app: api}}
spec: {nodeName: n3, serviceAccountName: api, containers: [{name: c, image: i}, {name: istio-proxy, image: p}]}
status: {phase: Running, podIPs: [{ip: 10.2.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: old, labels: {app: web}}
spec: {nodeName: n4, serviceAccountName: web, containers: [{name: c, image: i}]}
status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}
"#;

fn policy(kind: &str, namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: {kind}\nmetadata: {{namespace: {namespace}, name: {name}}}\nspec: {spec}\n"
    )
}

/// Checks questions `from to port wanted` about manifests.
fn ask(manifests: &str, questions: &[&str]) {
    let place = |name: &str| match name {
        "web" | "db" | "old" => format!("Pod/shop/{name}"),
        "api" => "Pod/ops/api".to_owned(),
        other => other.to_owned(),
    };
    for question in questions {
        let [from, to, port, wanted] = question.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{question}");
        };
        let found = verdict(manifests, &place(from), &place(to), port);
        assert_eq!(found, wanted, "{question}\n{manifests}");
    }
}

/// Checks questions under one AuthorizationPolicy for `db`.
fn db(rest: &str, questions: &[&str]) {
    let spec = format!("{{selector: {{matchLabels: {{app: db}}}}, {rest}}}");
    ask(
        &format!("{MESH}{}", policy("AuthorizationPolicy", "shop", "p", &spec)),
        questions,
    );
}

#[test]
fn an_empty_policy_allows_nothing_to_pods_with_a_proxy() {
    ask(
        &format!("{MESH}{}", policy("AuthorizationPolicy", "shop", "p", "{}")),
        &[
            "web db 80 denied",
            "api web 80 denied",
            "8.8.8.8 db 80 denied",
            // The proxy takes TCP only, and a pod without it is not asked.
            "web db 53/UDP allowed",
            "web old 80 allowed",
            "db api 80 allowed",
        ],
    );
}

#[test]
fn an_empty_rule_allows_everything() {
    db("rules: [{}]", &["web db 80 allowed", "8.8.8.8 db 80 allowed"]);
    db("rules: []", &["web db 80 denied"]);
    db(
        "action: DENY, rules: [{}]",
        &["web db 80 denied", "api web 80 allowed"],
    );
    db("action: DENY, rules: []", &["web db 80 allowed"]);
    db("action: AUDIT, rules: [{}]", &["web db 80 allowed"]);
}

#[test]
fn principals_are_the_service_accounts_of_pods_in_the_mesh() {
    let from = |source: &str| format!("rules: [{{from: [{{source: {{{source}}}}}]}}]");
    for source in [
        "principals: [cluster.local/ns/shop/sa/web]",
        "principals: [cluster.local/ns/shop/sa/w*]",
        "principals: ['*/sa/web']",
        "serviceAccounts: [web]",
        "serviceAccounts: [shop/web]",
    ] {
        db(
            &from(source),
            &[
                "web db 80 allowed",
                // The same account without a proxy proves nothing.
                "old db 80 denied",
                "api db 80 denied",
                "8.8.8.8 db 80 denied",
            ],
        );
    }
    db(
        &from("principals: ['*']"),
        &["api db 80 allowed", "old db 80 denied", "8.8.8.8 db 80 denied"],
    );
    db(
        &from("notPrincipals: [cluster.local/ns/shop/sa/web]"),
        &[
            "web db 80 denied",
            "old db 80 allowed",
            "api db 80 allowed",
            "8.8.8.8 db 80 allowed",
        ],
    );
    db(
        &from("principals: [other.domain/ns/shop/sa/web]"),
        &["web db 80 unknown", "api db 80 denied"],
    );
}

#[test]
fn namespaces_are_those_of_the_identity() {
    let from = |source: &str| format!("rules: [{{from: [{{source: {{{source}}}}}]}}]");
    db(
        &from("namespaces: [ops]"),
        &["api db 80 allowed", "web db 80 denied", "old db 80 denied"],
    );
    db(
        &from("namespaces: ['o*']"),
        &["api db 80 allowed", "web db 80 denied"],
    );
    db(
        &from("notNamespaces: [ops]"),
        &["api db 80 denied", "web db 80 allowed", "old db 80 allowed"],
    );
    db(
        &from("namespaces: [shop], notPrincipals: [cluster.local/ns/shop/sa/web]"),
        &["web db 80 denied", "api db 80 denied"],
    );
    let when =
        "rules: [{when: [{key: source.namespace, values: [ops]}, {key: destination.port, values: ['80']}]}]";
    db(
        when,
        &["api db 80 allowed", "api db 81 denied", "web db 80 denied"],
    );
}

#[test]
fn addresses_match_pods_and_the_outside() {
    let from = |source: &str| format!("rules: [{{from: [{{source: {{{source}}}}}]}}]");
    db(
        &from("ipBlocks: [10.2.0.0/16, 8.8.8.8]"),
        &[
            "api db 80 allowed",
            "web db 80 denied",
            "8.8.8.8 db 80 allowed",
            "1.2.3.4 db 80 denied",
        ],
    );
    db(
        &from("notIpBlocks: [10.2.0.0/16]"),
        &["api db 80 denied", "web db 80 allowed", "1.2.3.4 db 80 allowed"],
    );
    db(
        &from("ipBlocks: [10.0.0.0/8], namespaces: [ops]"),
        &["api db 80 allowed", "web db 80 denied", "10.9.9.9 db 80 denied"],
    );
}

#[test]
fn ports_are_those_of_the_workload() {
    let to = |operation: &str| format!("rules: [{{to: [{{operation: {{{operation}}}}}]}}]");
    db(&to("ports: ['80']"), &["web db 80 allowed", "web db 81 denied"]);
    db(
        &to("notPorts: ['80']"),
        &["web db 80 denied", "web db 81 allowed"],
    );
}

#[test]
fn a_denial_goes_before_what_is_allowed() {
    let allow = policy("AuthorizationPolicy", "shop", "a", "{rules: [{}]}");
    let deny = policy(
        "AuthorizationPolicy",
        "shop",
        "z",
        "{action: DENY, rules: [{from: [{source: {namespaces: [ops]}}]}]}",
    );
    ask(
        &format!("{MESH}{allow}{deny}"),
        &["api db 80 denied", "web db 80 allowed", "old db 80 allowed"],
    );
}

#[test]
fn policies_of_the_root_namespace_are_for_the_whole_mesh() {
    let root = policy("AuthorizationPolicy", "istio-system", "p", "{}");
    ask(
        &format!("{MESH}{root}"),
        &["web api 80 denied", "web db 80 denied", "web old 80 allowed"],
    );
    let elsewhere = policy("AuthorizationPolicy", "ops", "p", "{}");
    ask(
        &format!("{MESH}{elsewhere}"),
        &["web api 80 denied", "web db 80 allowed"],
    );
}

#[test]
fn network_policies_and_the_mesh_must_both_agree() {
    let closed = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: shop, name: n}\nspec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}\n";
    let from = "{rules: [{from: [{source: {principals: ['*']}}]}]}";
    let both = format!(
        "{MESH}{closed}{}",
        policy("AuthorizationPolicy", "shop", "p", from)
    );
    ask(
        &both,
        &["web db 80 allowed", "old db 80 denied", "api db 80 denied"],
    );
}

#[test]
fn conditions_on_requests_are_noted_and_do_not_change_who_connects() {
    let found = |spec: &str| {
        diagnostics(&format!(
            "{MESH}{}",
            policy("AuthorizationPolicy", "shop", "p", spec)
        ))
    };
    let allow = "{selector: {matchLabels: {app: db}}, rules: [{from: [{source: {namespaces: [ops]}}], to: [{operation: {methods: [GET], paths: [/a]}}]}]}";
    let text = found(allow);
    assert!(
        text.contains("conditions on requests (layer 7) in 1 AuthorizationPolicy, first at /spec/rules/0, is not modelled and touches pods of Pod/shop/db: what is sent over an open connection may be stopped by it"),
        "{text}"
    );
    assert!(!found("{rules: [{}]}").contains("not modelled"));
    db(
        "rules: [{from: [{source: {namespaces: [ops]}}], to: [{operation: {methods: [GET]}}]}]",
        &["api db 80 allowed", "web db 80 denied"],
    );
    for rule in [
        "{to: [{operation: {paths: [/admin]}}]}",
        "{from: [{source: {notRequestPrincipals: ['*']}}]}",
        "{when: [{key: 'request.headers[x]', values: [canary]}]}",
    ] {
        db(&format!("action: DENY, rules: [{rule}]"), &["web db 80 allowed"]);
    }
    let (cluster, _) = beachhead::collect::read_text(
        "x",
        &policy(
            "AuthorizationPolicy",
            "shop",
            "p",
            "{rules: [{when: [{key: 'request.headers[x]', values: [canary]}]}]}",
        ),
        "default",
    );
    assert!(!format!("{:?}", cluster.others.values().collect::<Vec<_>>()).contains("canary"));
}

#[test]
fn what_an_outside_authorizer_or_a_target_decides_is_unknown() {
    db(
        "action: CUSTOM, provider: {name: x}, rules: [{from: [{source: {namespaces: [ops]}}]}]",
        &["api db 80 unknown", "web db 80 allowed"],
    );
    db(
        "rules: [{from: [{source: {remoteIpBlocks: [8.8.8.8]}}]}]",
        &["8.8.8.8 db 80 unknown"],
    );
    let target = policy(
        "AuthorizationPolicy",
        "shop",
        "p",
        "{targetRefs: [{kind: Service, group: '', name: db}], rules: []}",
    );
    let service = "---\n{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: db}, spec: {selector: {app: db}, ports: [{port: 80}]}}\n";
    ask(
        &format!("{MESH}{service}{target}"),
        &["api db 80 unknown", "api web 80 allowed"],
    );
}

#[test]
fn strict_mode_closes_a_pod_to_whoever_is_outside_the_mesh() {
    let strict = |namespace: &str| policy("PeerAuthentication", namespace, "d", "{mtls: {mode: STRICT}}");
    let questions = [
        "web db 80 allowed",
        "old db 80 denied",
        "8.8.8.8 db 80 denied",
        "web old 80 allowed",
    ];
    ask(&format!("{MESH}{}", strict("shop")), &questions);
    ask(&format!("{MESH}{}", strict("istio-system")), &questions);
    ask(
        &format!("{MESH}{}", strict("ops")),
        &["old db 80 allowed", "old api 80 denied"],
    );
    let nearer = policy("PeerAuthentication", "shop", "n", "{mtls: {mode: PERMISSIVE}}");
    ask(
        &format!("{MESH}{}{nearer}", strict("istio-system")),
        &["old db 80 allowed", "old api 80 denied"],
    );
    let nearest = policy(
        "PeerAuthentication",
        "shop",
        "p",
        "{selector: {matchLabels: {app: db}}, mtls: {mode: PERMISSIVE}}",
    );
    for wide in ["shop", "istio-system"] {
        ask(
            &format!("{MESH}{}{nearest}", strict(wide)),
            &["old db 80 allowed", "old web 80 denied"],
        );
    }
    let port = policy(
        "PeerAuthentication",
        "shop",
        "p",
        "{selector: {matchLabels: {app: db}}, mtls: {mode: STRICT}, portLevelMtls: {'81': {mode: DISABLE}}}",
    );
    ask(
        &format!("{MESH}{port}"),
        &["old db 80 denied", "old db 81 allowed", "old web 80 allowed"],
    );
}

#[test]
fn templates_and_ambient_pods_take_part_as_their_namespaces_say() {
    let deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: mesh, name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n";
    let closed = policy("AuthorizationPolicy", "mesh", "p", "{}");
    let question = |labels: &str, wanted: &str| {
        let namespace = format!(
            "---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: mesh, labels: {{{labels}}}}}}}\n"
        );
        let all = format!("{MESH}{namespace}{deployment}{closed}");
        assert_eq!(
            verdict(&all, "Pod/shop/web", "Deployment/mesh/d", "80"),
            wanted,
            "{labels}"
        );
    };
    question("istio-injection: enabled", "denied");
    question("istio.io/rev: stable", "denied");
    question("istio.io/dataplane-mode: ambient", "denied");
    question("istio-injection: disabled", "allowed");
    question("", "allowed");
}

#[test]
fn without_any_proxy_in_the_input_policies_are_perhaps_without_effect() {
    let bare = MESH.replace("istio-proxy", "other");
    let all = format!(
        "{bare}{}",
        policy(
            "AuthorizationPolicy",
            "shop",
            "p",
            "{selector: {matchLabels: {app: db}}}"
        )
    );
    ask(&all, &["web db 80 unknown", "web api 80 allowed"]);
    assert!(diagnostics(&all).contains("the mesh of a pod without Istio's proxy in 1 AuthorizationPolicy"));
}

#[test]
fn broken_rules_fail_closed_and_are_named() {
    for (rule, message) in [
        ("{from: [{source: {}}]}", "a source without any field"),
        ("{to: [{operation: {}}]}", "an operation without any field"),
        ("{to: [{operation: {ports: [http]}}]}", "http is no port"),
        (
            "{from: [{source: {ipBlocks: [10.0.0.0/99]}}]}",
            "10.0.0.0/99 is no CIDR",
        ),
        ("{when: [{values: [a]}]}", "a condition without key"),
    ] {
        db(&format!("rules: [{rule}]"), &["web db 80 denied"]);
        db(
            &format!("action: DENY, rules: [{rule}]"),
            &["web db 80 denied", "api web 80 allowed"],
        );
        let spec = format!("{{rules: [{rule}]}}");
        let found = diagnostics(&format!(
            "{MESH}{}",
            policy("AuthorizationPolicy", "shop", "p", &spec)
        ));
        assert!(
            found.contains(message) && found.contains("/spec/rules/0"),
            "{found}"
        );
    }
    let broken = policy("AuthorizationPolicy", "shop", "p", "{rules: 7}");
    ask(&format!("{MESH}{broken}"), &["web db 80 denied"]);
    let action = policy("AuthorizationPolicy", "shop", "p", "{action: MAYBE, rules: []}");
    ask(&format!("{MESH}{action}"), &["web db 80 denied"]);
}

#[test]
fn the_walk_names_the_policy_and_its_kind() {
    let spec = "{rules: [{from: [{source: {namespaces: [ops]}}]}]}";
    let all = format!("{MESH}{}", policy("AuthorizationPolicy", "shop", "p", spec));
    let (cluster, _) = beachhead::collect::read_text("x", &all, "default");
    let (network, _) = beachhead::network::Network::new(&cluster);
    let unit = |name: &str| network.places(&cluster, name)[0].unit;
    let [_, ingress] = network.walk(
        unit("Pod/ops/api"),
        unit("Pod/shop/db"),
        beachhead::model::Protocol::Tcp,
        80,
    );
    let text = format!("{:?}", ingress.events);
    assert!(
        text.contains("Istio") && text.contains("AuthorizationPolicy") && text.contains("/spec/rules/0"),
        "{text}"
    );
}

#[test]
fn what_any_allowing_policy_lets_through_passes() {
    let open = "{selector: {matchLabels: {app: db}}, rules: [{from: [{source: {namespaces: [ops]}}]}]}";
    let closed = policy("AuthorizationPolicy", "istio-system", "a", "{}");
    let text = format!(
        "{MESH}{closed}{}",
        policy("AuthorizationPolicy", "shop", "z", open)
    );
    ask(
        &text,
        &["api db 80 allowed", "web db 80 denied", "api web 80 denied"],
    );
}
