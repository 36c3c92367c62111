//! Policies of Calico at random, with tiers, sets of networks and service accounts.
//!
//! Words of selectors are parted by blanks, so that the oracle can read them in its own way.

use serde_json::{Value, json};

use super::random::{CIDRS, Dice, KEYS, NAMESPACES, PORT_NAMES, PORTS, VALUES};

const TIERS: [&str; 2] = ["early", "late"];

/// Everything but the policies: tiers, sets of networks, service accounts.
pub(super) fn others(dice: &mut Dice) -> Vec<Value> {
    let v3 = |kind: &str, meta: Value, spec: Value| json!({ "apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": meta, "spec": spec });
    let mut objects = Vec::new();
    for (name, order) in [("early", 100), ("late", 2_000_000)] {
        let action = dice.pick(&["Deny", "Pass"]);
        objects.push(v3(
            "Tier",
            json!({ "name": name }),
            json!({ "order": order, "defaultAction": action }),
        ));
    }
    let nets = |dice: &mut Dice| json!({ "nets": dice.some(2, |dice| dice.pick(&CIDRS)) });
    for number in 0..dice.roll(3) {
        let meta = json!({ "name": format!("g{number}"), "labels": super::random::labels(dice) });
        objects.push(v3("GlobalNetworkSet", meta, nets(dice)));
    }
    for number in 0..dice.roll(3) {
        let labels = super::random::labels(dice);
        let meta =
            json!({ "namespace": dice.pick(&NAMESPACES), "name": format!("s{number}"), "labels": labels });
        objects.push(v3("NetworkSet", meta, nets(dice)));
    }
    for namespace in NAMESPACES {
        for name in ["a", "default"] {
            let labels = super::random::labels(dice);
            objects.push(json!({ "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": { "namespace": namespace, "name": name, "labels": labels } }));
        }
    }
    objects
}

/// A policy of a namespace or of the cluster.
pub(super) fn policy(dice: &mut Dice, number: usize) -> Value {
    let global = dice.chance(50);
    let mut meta = json!({ "name": format!("c{number}") });
    if !global {
        meta["namespace"] = dice.pick(&NAMESPACES).into();
    }
    let mut spec = json!({});
    if dice.chance(30) {
        spec["tier"] = dice.pick(&TIERS).into();
    }
    match dice.roll(3) {
        0 => {}
        1 => spec["order"] = 10.into(),
        _ => spec["order"] = 2000.5.into(),
    }
    if dice.chance(70) {
        spec["selector"] = selector(dice, 2, &endpoint).into();
    }
    if dice.chance(20) {
        spec["serviceAccountSelector"] = selector(dice, 1, &account).into();
    }
    if global && dice.chance(40) {
        spec["namespaceSelector"] = selector(dice, 1, &namespace).into();
    }
    match dice.roll(4) {
        0 => spec["types"] = json!(["Ingress"]),
        1 => spec["types"] = json!(["Egress"]),
        2 => spec["types"] = json!(["Ingress", "Egress"]),
        _ => {}
    }
    for side in ["ingress", "egress"] {
        if dice.chance(70) {
            spec[side] = dice.some(3, rule).into();
        }
    }
    json!({
        "apiVersion": dice.pick(&["projectcalico.org/v3", "crd.projectcalico.org/v1"]),
        "kind": if global { "GlobalNetworkPolicy" } else { "NetworkPolicy" },
        "metadata": meta, "spec": spec,
    })
}

type Words = (&'static str, &'static [&'static str]);

fn endpoint(dice: &mut Dice) -> Words {
    match dice.roll(10) {
        0 => ("projectcalico.org/namespace", &NAMESPACES),
        1 => ("projectcalico.org/serviceaccount", &["a", "default"]),
        2 => ("projectcalico.org/orchestrator", &["k8s", "x"]),
        3 => ("pcns.env", &VALUES),
        4 => ("pcsa.tier", &VALUES),
        _ => (dice.pick(&KEYS), &VALUES),
    }
}

fn namespace(dice: &mut Dice) -> Words {
    match dice.roll(4) {
        0 => ("projectcalico.org/name", &NAMESPACES),
        1 => ("kubernetes.io/metadata.name", &NAMESPACES),
        _ => (dice.pick(&KEYS), &VALUES),
    }
}

fn account(dice: &mut Dice) -> Words {
    match dice.roll(3) {
        0 => ("projectcalico.org/name", &["a", "default"]),
        _ => (dice.pick(&KEYS), &VALUES),
    }
}

fn selector(dice: &mut Dice, depth: usize, words: &dyn Fn(&mut Dice) -> Words) -> String {
    if depth > 0 {
        match dice.roll(8) {
            0 => return format!("! ( {} )", selector(dice, depth - 1, words)),
            1 | 2 => {
                let sign = dice.pick(&["&&", "||"]);
                let (a, b) = (selector(dice, depth - 1, words), selector(dice, depth - 1, words));
                let c = selector(dice, 0, words);
                return match dice.roll(3) {
                    0 => format!("( {a} ) {sign} {b}"),
                    1 => format!("{a} && {b} || {c}"),
                    _ => format!("{a} || {b} && {c}"),
                };
            }
            _ => {}
        }
    }
    let (key, values) = words(dice);
    let value = dice.pick(values);
    let other = dice.pick(values);
    match dice.roll(12) {
        0..=2 => format!("{key} == '{value}'"),
        3 => format!("{key} != \"{value}\""),
        4 => format!("has({key})"),
        5 => format!("! has({key})"),
        6 => format!("{key} in {{ '{value}' , '{other}' }}"),
        7 => format!("{key} not in {{ '{value}' }}"),
        8 => format!("{key} contains '{}'", dice.pick(&["a", "o", ""])),
        9 => format!("{key} starts with '{}'", dice.pick(&["a", "s"])),
        10 => format!("{key} ends with '{}'", dice.pick(&["b", "p"])),
        _ => "all()".to_owned(),
    }
}

fn rule(dice: &mut Dice) -> Value {
    let mut rule = json!({ "action": dice.pick(&["Allow", "Allow", "Allow", "Deny", "Pass", "Log"]) });
    if dice.chance(10) {
        rule["ipVersion"] = dice.pick(&[4, 6]).into();
    }
    if dice.chance(10) {
        rule["notProtocol"] = dice.pick(&["TCP", "UDP", "ICMP"]).into();
    }
    let with_ports = dice.chance(40);
    if with_ports {
        rule["protocol"] = dice.pick(&["TCP", "UDP", "SCTP"]).into();
    } else if dice.chance(20) {
        rule["protocol"] = match dice.roll(3) {
            0 => 6.into(),
            1 => "ICMP".into(),
            _ => "UDP".into(),
        };
    }
    for (side, percent) in [("source", 60), ("destination", 50)] {
        if dice.chance(percent) {
            rule[side] = entity(dice);
        }
    }
    if with_ports {
        let list = dice.pick(&["ports", "notPorts"]);
        rule["destination"][list] = dice.some(2, port).into();
        if dice.chance(30) {
            rule["destination"]["notPorts"] = dice.some(2, port).into();
        }
    }
    rule
}

fn port(dice: &mut Dice) -> Value {
    match dice.roll(6) {
        0 | 1 => dice.pick(&PORT_NAMES).into(),
        2 => "80:82".into(),
        3 => "53".into(),
        _ => dice.pick(&PORTS).into(),
    }
}

fn entity(dice: &mut Dice) -> Value {
    let mut entity = json!({});
    if dice.chance(20) {
        entity["nets"] = dice.some(2, |dice| dice.pick(&CIDRS)).into();
    }
    if dice.chance(15) {
        entity["notNets"] = dice.some(2, |dice| dice.pick(&CIDRS)).into();
    }
    if dice.chance(50) {
        entity["selector"] = selector(dice, 2, &endpoint).into();
    }
    if dice.chance(20) {
        entity["notSelector"] = selector(dice, 1, &endpoint).into();
    }
    if dice.chance(30) {
        entity["namespaceSelector"] = match dice.roll(5) {
            0 => "global()".into(),
            1 => "all()".into(),
            _ => selector(dice, 1, &namespace).into(),
        };
    }
    if dice.chance(15) {
        let mut accounts = json!({});
        if dice.chance(50) {
            accounts["names"] = dice.some(2, |dice| dice.pick(&["a", "default", "x"])).into();
        }
        if dice.chance(50) {
            accounts["selector"] = selector(dice, 1, &account).into();
        }
        entity["serviceAccounts"] = accounts;
    }
    entity
}
