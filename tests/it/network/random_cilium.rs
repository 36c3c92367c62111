//! Policies of Cilium at random.

use serde_json::{Value, json};

use super::random::{CIDRS, Dice, KEYS, NAMESPACES, PORT_NAMES, PORTS, VALUES};

/// A policy of a namespace or of the cluster.
pub(super) fn policy(dice: &mut Dice, number: usize) -> Value {
    let (kind, meta) = if dice.chance(60) {
        let meta = json!({ "namespace": dice.pick(&NAMESPACES), "name": format!("c{number}") });
        ("CiliumNetworkPolicy", meta)
    } else {
        (
            "CiliumClusterwideNetworkPolicy",
            json!({ "name": format!("c{number}") }),
        )
    };
    let mut spec = json!({ "endpointSelector": selector(dice) });
    for (allow, deny, prefix) in [("ingress", "ingressDeny", "from"), ("egress", "egressDeny", "to")] {
        if dice.chance(60) {
            spec[allow] = dice.some(2, |dice| rule(dice, prefix)).into();
        }
        if dice.chance(30) {
            spec[deny] = dice.some(2, |dice| rule(dice, prefix)).into();
        }
        if dice.chance(20) {
            spec["enableDefaultDeny"][allow] = dice.chance(50).into();
        }
    }
    json!({ "apiVersion": "cilium.io/v2", "kind": kind, "metadata": meta, "spec": spec })
}

fn key(dice: &mut Dice) -> String {
    let key = match dice.roll(8) {
        0 => "io.kubernetes.pod.namespace".to_owned(),
        1 => format!("io.cilium.k8s.namespace.labels.{}", dice.pick(&KEYS)),
        2 => "io.cilium.k8s.policy.serviceaccount".to_owned(),
        _ => dice.pick(&KEYS).to_owned(),
    };
    format!("{}{key}", dice.pick(&["", "k8s:", "any:"]))
}

fn value(dice: &mut Dice, key: &str) -> &'static str {
    if key.ends_with("pod.namespace") {
        dice.pick(&NAMESPACES)
    } else {
        dice.pick(&VALUES)
    }
}

fn selector(dice: &mut Dice) -> Value {
    let mut selector = json!({});
    if dice.chance(50) {
        let key = key(dice);
        selector["matchLabels"] = json!({ key.as_str(): value(dice, &key) });
    }
    if dice.chance(30) {
        let key = key(dice);
        let operator = dice.pick(&["In", "NotIn", "Exists", "DoesNotExist"]);
        let mut expression = json!({ "key": key, "operator": operator });
        if operator.ends_with("In") {
            expression["values"] = json!([value(dice, &key)]);
        }
        selector["matchExpressions"] = json!([expression]);
    }
    selector
}

fn rule(dice: &mut Dice, prefix: &str) -> Value {
    const ENTITIES: [&str; 8] = [
        "all",
        "world",
        "world-ipv4",
        "cluster",
        "remote-node",
        "kube-apiserver",
        "health",
        "none",
    ];
    let mut rule = json!({});
    match dice.roll(8) {
        0..=2 => rule[format!("{prefix}Endpoints")] = dice.some(2, selector).into(),
        3 => rule[format!("{prefix}Entities")] = dice.some(2, |dice| dice.pick(&ENTITIES)).into(),
        4 => rule[format!("{prefix}CIDR")] = dice.some(2, |dice| dice.pick(&CIDRS)).into(),
        5 => {
            rule[format!("{prefix}CIDRSet")] =
                json!([{ "cidr": dice.pick(&CIDRS), "except": dice.some(1, |dice| dice.pick(&CIDRS)) }]);
        }
        6 if prefix == "to" && dice.chance(50) => rule["toFQDNs"] = json!([{ "matchName": "a.example.com" }]),
        6 => {
            let labels = json!({ dice.pick(&KEYS): dice.pick(&VALUES) });
            rule[format!("{prefix}Nodes")] = json!([{ "matchLabels": labels }]);
        }
        _ => {}
    }
    if dice.chance(15) {
        rule[format!("{prefix}Entities")] = json!([dice.pick(&ENTITIES)]);
    }
    if dice.chance(50) {
        let ports = dice.some(2, port);
        rule["toPorts"] = json!([{ "ports": ports }]);
    }
    rule
}

fn port(dice: &mut Dice) -> Value {
    let mut port = json!({ "port": dice.pick(&PORTS).to_string() });
    if dice.chance(70) {
        port["protocol"] = dice.pick(&["TCP", "UDP", "SCTP", "ANY"]).into();
    }
    match dice.roll(8) {
        0 | 1 => port["port"] = dice.pick(&PORT_NAMES).into(),
        2 => port["port"] = "0".into(),
        3 => {
            port["port"] = "80".into();
            port["endPort"] = 82.into();
        }
        _ => {}
    }
    port
}
