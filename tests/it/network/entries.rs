//! Ways in from outside: what exposes a port, from how far, and which policies close it.

use beachhead::collect::read_text;
use beachhead::network::{Network, Outside};

/// A pod `web` in `shop` and its Service, of this spec.
fn web(service: &str) -> String {
    format!(
        r#"
{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{team: a}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{namespace: shop, name: web, labels: {{app: web}}}}
spec: {{containers: [{{name: c, image: i, ports: [{{name: http, containerPort: 8080}}, {{name: admin, containerPort: 9090}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{namespace: shop, name: web, annotations: {{ANNOTATIONS}}}}
spec: {service}
---
"#
    )
    .replace("{ANNOTATIONS}", "{}")
}

const PORTS: &str = "selector: {app: web}, ports: [{name: web, port: 80, targetPort: http}]";

fn cluster_ip() -> String {
    web(&format!("{{{PORTS}}}"))
}

/// What is exposed, a line each: port, how far, through what.
fn entries(manifests: &str) -> Vec<String> {
    let (cluster, diagnostics) = read_text("test.yaml", manifests, "default");
    assert!(
        !diagnostics
            .iter()
            .any(|found| found.code.as_str() == "wrong-type"),
        "{diagnostics:?}\n{manifests}"
    );
    let (network, _) = Network::new(&cluster);
    let line = |entry: &beachhead::network::Exposure| {
        let via: Vec<String> = entry.via.iter().map(ToString::to_string).collect();
        let far = match entry.outside {
            Outside::Internet => "internet",
            Outside::Private => "private",
        };
        let condition = if entry.condition.is_some() { " perhaps" } else { "" };
        format!("{} {far}{condition} {}", entry.port, via.join(" "))
    };
    network.entries().iter().map(line).collect()
}

fn check(manifests: &str, wanted: &[&str]) {
    assert_eq!(entries(manifests), wanted, "{manifests}");
}

fn policy(spec: &str) -> String {
    format!(
        "\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {spec}\n"
    )
}

#[test]
fn services_of_each_type() {
    check(&cluster_ip(), &[]);
    check(
        &web(&format!("{{type: LoadBalancer, {PORTS}}}")),
        &["8080 internet Service/shop/web"],
    );
    check(
        &web(&format!("{{type: NodePort, {PORTS}}}")),
        &["8080 internet Service/shop/web"],
    );
    check(
        &web(&format!("{{externalIPs: [203.0.113.5], {PORTS}}}")),
        &["8080 internet Service/shop/web"],
    );
    check(
        &web(&format!("{{externalIPs: [10.0.0.5], {PORTS}}}")),
        &["8080 private Service/shop/web"],
    );
    check(&web("{type: ExternalName, externalName: example.com}"), &[]);
}

#[test]
fn a_target_port_is_a_number_a_name_or_the_port_itself() {
    let ports = "type: LoadBalancer, selector: {app: web}, ports: [{name: a, port: 80, targetPort: 9090}, {name: b, port: 9999}, {name: c, port: 1, targetPort: nothing}, {name: d, port: 2, targetPort: http, protocol: UDP}]";
    check(
        &web(&format!("{{{ports}}}")),
        &["9090 internet Service/shop/web", "9999 internet Service/shop/web"],
    );
}

#[test]
fn internal_load_balancers_are_for_a_private_network() {
    let service = web(&format!("{{type: LoadBalancer, {PORTS}}}"));
    for annotation in [
        "service.beta.kubernetes.io/aws-load-balancer-internal: 'true'",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internal",
        "networking.gke.io/load-balancer-type: Internal",
        "service.beta.kubernetes.io/azure-load-balancer-internal: 'true'",
    ] {
        let internal = service.replace("annotations: {}", &format!("annotations: {{{annotation}}}"));
        check(&internal, &["8080 private Service/shop/web"]);
    }
    let public = service.replace(
        "annotations: {}",
        "annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing}",
    );
    check(&public, &["8080 internet Service/shop/web"]);
    let private = format!(
        "{{type: LoadBalancer, {PORTS}}}\nstatus: {{loadBalancer: {{ingress: [{{ip: 192.168.7.1}}]}}}}"
    );
    check(&web(&private), &["8080 private Service/shop/web"]);
}

#[test]
fn source_ranges_limit_who_may_come() {
    let with = |ranges: &str| {
        web(&format!(
            "{{type: LoadBalancer, loadBalancerSourceRanges: [{ranges}], {PORTS}}}"
        ))
    };
    check(&with("203.0.113.0/24"), &["8080 private Service/shop/web"]);
    check(&with("10.0.0.0/8"), &["8080 private Service/shop/web"]);
    check(&with("0.0.0.0/0"), &["8080 internet Service/shop/web"]);
    check(&with("203.0.113.300/24"), &[]);
}

#[test]
fn ports_of_nodes_are_on_the_internet_if_a_node_is() {
    let node = |address: &str| {
        format!(
            "\n---\n{{apiVersion: v1, kind: Node, metadata: {{name: n}}, status: {{addresses: [{{type: InternalIP, address: 10.0.0.1}}, {address}]}}}}\n"
        )
    };
    let service = web(&format!("{{type: NodePort, {PORTS}}}"));
    check(
        &format!("{service}{}", node("{type: ExternalIP, address: 203.0.113.1}")),
        &["8080 internet Service/shop/web"],
    );
    check(
        &format!("{service}{}", node("{type: Hostname, address: n}")),
        &["8080 private Service/shop/web"],
    );
}

#[test]
fn host_ports_and_host_network() {
    let pod = |spec: &str| {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{namespace: shop, name: web}}\nspec: {spec}\n")
    };
    check(
        &pod(
            "{containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]}]}",
        ),
        &["80 internet Pod/shop/web"],
    );
    check(
        &pod("{hostNetwork: true, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}"),
        &["80 internet Pod/shop/web"],
    );
    check(
        &pod(
            "{containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80, hostIP: 127.0.0.1}]}]}",
        ),
        &[],
    );
    let closed = format!(
        "{}{}",
        pod("{containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}"),
        policy("{podSelector: {}}")
    );
    check(&closed, &[]);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: shop, name: web}\nspec: {template: {spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80}]}]}}}";
    check(deployment, &["80 internet Deployment/shop/web"]);
}

#[test]
fn a_policy_closes_what_it_does_not_let_in() {
    let open = web(&format!("{{type: LoadBalancer, {PORTS}}}"));
    let with = |spec: &str| format!("{open}{}", policy(spec));
    check(&with("{podSelector: {}}"), &[]);
    check(
        &with("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"),
        &[],
    );
    check(
        &with("{podSelector: {}, ingress: [{ports: [{port: 9090}]}]}"),
        &[],
    );
    check(
        &with("{podSelector: {}, ingress: [{ports: [{port: http}]}]}"),
        &["8080 internet Service/shop/web"],
    );
    check(
        &with("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}"),
        &["8080 internet Service/shop/web"],
    );
    check(
        &with("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}"),
        &["8080 private Service/shop/web"],
    );
}

#[test]
fn a_rewritten_source_address_may_open_what_the_clients_address_does_not() {
    let node = "\n---\n{apiVersion: v1, kind: Node, metadata: {name: n}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: ExternalIP, address: 203.0.113.1}]}}\n";
    let rule = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16}}]}]}");
    let with = |traffic: &str| {
        format!(
            "{}{node}{rule}",
            web(&format!(
                "{{type: LoadBalancer, externalTrafficPolicy: {traffic}, {PORTS}}}"
            ))
        )
    };
    check(&with("Cluster"), &["8080 internet perhaps Service/shop/web"]);
    check(&with("Local"), &["8080 private Service/shop/web"]);
}

const INGRESS: &str = r#"
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {namespace: shop, name: web, annotations: {}}
spec: {ingressClassName: nginx, rules: [{host: bare.example.com}, {http: {paths: [{path: /, backend: {service: {name: web, port: {name: web}}}}]}}]}
"#;

#[test]
fn an_ingress_exposes_the_backends_of_its_own_namespace() {
    check(
        &format!("{}{INGRESS}", cluster_ip()),
        &["8080 internet Ingress/shop/web Service/shop/web"],
    );
    let by_number = INGRESS.replace("{name: web}}}}", "{number: 80}}}}");
    check(
        &format!("{}{by_number}", cluster_ip()),
        &["8080 internet Ingress/shop/web Service/shop/web"],
    );
    check(
        &format!(
            "{}{}",
            cluster_ip(),
            INGRESS.replace("name: web}}}}", "name: other}}}}")
        ),
        &[],
    );
    check(
        &format!(
            "{}{}",
            cluster_ip(),
            INGRESS.replace("namespace: shop", "namespace: ops")
        ),
        &[],
    );
    let default = "\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {namespace: shop, name: all}\nspec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n";
    check(
        &format!("{}{default}", cluster_ip()),
        &["8080 internet Ingress/shop/all Service/shop/web"],
    );
}

#[test]
fn an_ingress_follows_an_external_name_to_another_namespace() {
    let far = "\n---\n{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: alias}, spec: {type: ExternalName, externalName: web.shop.svc.cluster.local}}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {namespace: ops, name: web}\nspec: {defaultBackend: {service: {name: alias, port: {number: 80}}}}\n";
    check(
        &format!("{}{far}", cluster_ip()),
        &["8080 internet Ingress/ops/web Service/ops/alias Service/shop/web"],
    );
}

#[test]
fn ingresses_for_private_networks() {
    let with = |class: &str, annotations: &str| {
        format!(
            "{}{}",
            cluster_ip(),
            INGRESS
                .replace("nginx", class)
                .replace("annotations: {}", &format!("annotations: {{{annotations}}}"))
        )
    };
    check(
        &with("alb", ""),
        &["8080 private Ingress/shop/web Service/shop/web"],
    );
    check(
        &with("alb", "alb.ingress.kubernetes.io/scheme: internet-facing"),
        &["8080 internet Ingress/shop/web Service/shop/web"],
    );
    check(
        &with("gce-internal", ""),
        &["8080 private Ingress/shop/web Service/shop/web"],
    );
}

#[test]
fn the_backends_policies_judge_the_controller() {
    let with = |from: &str| {
        format!(
            "{}{INGRESS}{}",
            cluster_ip(),
            policy(&format!("{{podSelector: {{}}, ingress: [{{from: [{from}]}}]}}"))
        )
    };
    let open = ["8080 internet Ingress/shop/web Service/shop/web"];
    check(
        &with("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}"),
        &open,
    );
    check(
        &with(
            "{namespaceSelector: {matchLabels: {app.kubernetes.io/name: ingress-nginx}}, podSelector: {matchLabels: {app.kubernetes.io/component: controller}}}",
        ),
        &open,
    );
    check(&with("{namespaceSelector: {}}"), &open);
    check(&with("{podSelector: {}}"), &[]);
    check(
        &with("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traefik}}}"),
        &[],
    );
    // Its pods have some address of the cluster, and plugins differ in whether addresses in policies mean pods.
    check(
        &with("{ipBlock: {cidr: 0.0.0.0/0}}"),
        &["8080 internet perhaps Ingress/shop/web Service/shop/web"],
    );
    check(&with("{ipBlock: {cidr: 203.0.113.0/24}}"), &[]);
    check(&with("{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}"), &[]);
}

#[test]
fn a_controller_of_the_input_is_judged_by_its_own_pods() {
    let controller = r#"
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}
---
apiVersion: v1
kind: Pod
metadata: {namespace: edge, name: ctl, labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller, app.kubernetes.io/instance: ingress-nginx}}
spec: {containers: [{name: c, image: i}]}
"#;
    let open = ["8080 internet Ingress/shop/web Service/shop/web"];
    let base = format!("{}{INGRESS}{controller}", cluster_ip());
    check(&base, &open);
    let from = |namespace: &str| {
        policy(&format!(
            "{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}}}]}}]}}"
        ))
    };
    check(&format!("{base}{}", from("edge")), &open);
    check(&format!("{base}{}", from("ingress-nginx")), &[]);
    let egress =
        policy("{podSelector: {}, policyTypes: [Egress]}").replace("namespace: shop", "namespace: edge");
    check(&format!("{base}{egress}"), &[]);
    let internal = "\n---\n{apiVersion: v1, kind: Service, metadata: {namespace: edge, name: ctl, annotations: {networking.gke.io/load-balancer-type: Internal}}, spec: {type: LoadBalancer, selector: {app.kubernetes.io/name: ingress-nginx}, ports: [{port: 443}]}}\n";
    check(
        &format!("{base}{internal}"),
        &[
            "443 private Service/edge/ctl",
            "8080 private Ingress/shop/web Service/shop/web",
        ],
    );
}

#[test]
fn routes_of_openshift() {
    let route = |spec: &str| {
        format!(
            "{}\n---\napiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {{namespace: shop, name: web}}\nspec: {spec}\n",
            cluster_ip()
        )
    };
    let open = ["8080 internet Route/shop/web Service/shop/web"];
    check(&route("{to: {kind: Service, name: web}}"), &open);
    check(
        &route("{to: {kind: Service, name: web}, port: {targetPort: web}}"),
        &open,
    );
    check(
        &route("{to: {kind: Service, name: web}, port: {targetPort: 8080}}"),
        &open,
    );
    check(
        &route("{to: {kind: Service, name: web}, port: {targetPort: 7}}"),
        &[],
    );
    check(&route("{to: {kind: Service, name: web, weight: 0}}"), &[]);
    check(
        &route(
            "{to: {kind: Service, name: none}, alternateBackends: [{kind: Service, name: web, weight: 1}]}",
        ),
        &open,
    );
}

fn gateway(listener: &str, route: &str, more: &str) -> String {
    format!(
        "{}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{namespace: infra, name: gw}}\nspec: {{gatewayClassName: envoy, listeners: [{listener}]}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{namespace: shop, name: web}}\nspec: {route}\n---\n{more}\n",
        cluster_ip()
    )
}

const LISTENER: &str = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}";
const ROUTE: &str = "{parentRefs: [{namespace: infra, name: gw}], hostnames: [a.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}";
const OPEN: [&str; 1] = ["8080 internet Gateway/infra/gw HTTPRoute/shop/web Service/shop/web"];

#[test]
fn routes_of_gateways_need_a_listener_that_takes_them() {
    let shut: &[&str] = &[];
    let cases = [
        ("", "", &OPEN[..]),
        ("from: All", "from: Same", shut),
        (", allowedRoutes: {namespaces: {from: All}}", "", shut),
        (
            "from: All",
            "from: Selector, selector: {matchLabels: {team: a}}",
            &OPEN,
        ),
        (
            "from: All",
            "from: Selector, selector: {matchLabels: {team: b}}",
            shut,
        ),
        ("{from: All}", "{from: All}, kinds: [{kind: GRPCRoute}]", shut),
        ("HTTP,", "TCP,", shut),
        ("port: 80", "port: 80, hostname: '*.example.com'", &OPEN),
        ("port: 80", "port: 80, hostname: '*.example.org'", shut),
    ];
    for (old, new, expected) in cases {
        let listener = if old.is_empty() {
            LISTENER.to_owned()
        } else {
            LISTENER.replace(old, new)
        };
        check(&gateway(&listener, ROUTE, ""), expected);
    }
}

#[test]
fn routes_name_the_listener_they_want_and_backends_may_have_no_weight() {
    check(
        &gateway(
            LISTENER,
            &ROUTE.replace("name: gw", "name: gw, sectionName: https"),
            "",
        ),
        &[],
    );
    check(
        &gateway(
            LISTENER,
            &ROUTE.replace("name: gw", "name: gw, sectionName: http"),
            "",
        ),
        &OPEN,
    );
    check(
        &gateway(LISTENER, &ROUTE.replace("name: gw", "name: gw, port: 81"), ""),
        &[],
    );
    check(
        &gateway(
            LISTENER,
            &ROUTE.replace("port: 80}]", "port: 80, weight: 0}]"),
            "",
        ),
        &[],
    );
}

#[test]
fn a_backend_of_another_namespace_needs_a_reference_grant() {
    let listener = "{name: http, port: 80, protocol: HTTP}";
    let route =
        "{parentRefs: [{name: gw}], rules: [{backendRefs: [{namespace: shop, name: web, port: 80}]}]}";
    let far = |more: &str| {
        gateway(listener, route, more).replace(
            "kind: HTTPRoute\nmetadata: {namespace: shop",
            "kind: HTTPRoute\nmetadata: {namespace: infra",
        )
    };
    let grant = "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {namespace: shop, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: infra}], to: [{group: '', kind: Service}]}";
    let open = ["8080 internet Gateway/infra/gw HTTPRoute/infra/web Service/shop/web"];
    check(&far(""), &[]);
    check(&far(grant), &open);
    check(
        &far(&grant.replace("kind: Service", "kind: Service, name: web")),
        &open,
    );
    check(
        &far(&grant.replace("kind: Service", "kind: Service, name: db")),
        &[],
    );
    check(
        &far(&grant.replace("metadata: {namespace: shop", "metadata: {namespace: infra")),
        &[],
    );
    check(&far(&grant.replace("kind: HTTPRoute", "kind: GRPCRoute")), &[]);
}

#[test]
fn endpoints_that_somebody_wrote_by_hand_count() {
    let pod = web("{}")
        .replace(
            "---\napiVersion: v1\nkind: Service",
            "---\napiVersion: v1\nkind: ConfigMap",
        )
        .replace(
            "spec: {containers",
            "status: {podIPs: [{ip: 10.1.0.1}]}\nspec: {containers",
        );
    let service = "apiVersion: v1\nkind: Service\nmetadata: {namespace: ops, name: far}\nspec: {type: LoadBalancer, ports: [{port: 80, name: http}]}\n---\n";
    let slice = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {namespace: ops, name: far-1, labels: {kubernetes.io/service-name: far}}\nendpoints: [{addresses: [10.1.0.1]}]\nports: [{name: http, port: 9090}]\n";
    check(
        &format!("{pod}{service}{slice}"),
        &["9090 internet Service/ops/far"],
    );
    let old = "apiVersion: v1\nkind: Endpoints\nmetadata: {namespace: ops, name: far}\nsubsets: [{addresses: [{ip: 10.1.0.1}], ports: [{name: http, port: 8080}]}]\n";
    check(
        &format!("{pod}{service}{old}"),
        &["8080 internet Service/ops/far"],
    );
    check(&format!("{pod}{service}"), &[]);
}
