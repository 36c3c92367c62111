//! A mesh at random: proxies beside pods, and policies of Istio.

use serde_json::{Value, json};

use super::random::{CIDRS, Dice, NAMESPACES, PORTS};

const PLACES: [&str; 4] = ["shop", "ops", "dev", "istio-system"];
const ACCOUNTS: [&str; 3] = ["a", "default", "b"];

/// Puts proxies beside pods, and adds a pod that has one, and the policies.
pub(super) fn add(dice: &mut Dice, objects: &mut Vec<Value>) {
    let proxy = json!({ "name": "istio-proxy", "image": "p" });
    for pod in objects.iter_mut().filter(|object| object["kind"] == "Pod") {
        if dice.chance(60) {
            pod["spec"]["containers"]
                .as_array_mut()
                .unwrap()
                .push(proxy.clone());
        }
    }
    objects.push(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "shop", "name": "meshed" },
        "spec": { "containers": [proxy] }, "status": { "phase": "Running", "podIPs": [{ "ip": "10.1.0.9" }] } }));
    for number in 0..=dice.roll(4) {
        objects.push(authorization(dice, number));
    }
    for namespace in PLACES {
        for with_selector in [false, true] {
            if dice.chance(20) {
                objects.push(authentication(dice, namespace, with_selector));
            }
        }
    }
}

fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "security.istio.io/v1", "kind": kind,
        "metadata": { "namespace": namespace, "name": name }, "spec": spec })
}

fn selector(dice: &mut Dice) -> Value {
    json!({ "matchLabels": { dice.pick(&["app", "tier"]): dice.pick(&["a", "b"]) } })
}

fn authentication(dice: &mut Dice, namespace: &str, with_selector: bool) -> Value {
    let mut spec = json!({ "mtls": { "mode": dice.pick(&["STRICT", "PERMISSIVE", "UNSET"]) } });
    if with_selector {
        spec["selector"] = selector(dice);
        if dice.chance(50) {
            spec["portLevelMtls"] = json!({ "80": { "mode": dice.pick(&["STRICT", "PERMISSIVE"]) } });
        }
    }
    object(
        "PeerAuthentication",
        namespace,
        if with_selector { "some" } else { "all" },
        &spec,
    )
}

fn authorization(dice: &mut Dice, number: usize) -> Value {
    let mut spec = json!({});
    if dice.chance(50) {
        spec["selector"] = selector(dice);
    }
    if dice.chance(70) {
        spec["action"] = dice.pick(&["ALLOW", "DENY", "AUDIT"]).into();
    }
    if dice.chance(90) {
        spec["rules"] = dice.some(2, rule).into();
    }
    object(
        "AuthorizationPolicy",
        dice.pick(&PLACES),
        &format!("a{number}"),
        &spec,
    )
}

fn rule(dice: &mut Dice) -> Value {
    let mut rule = json!({});
    if dice.chance(70) {
        let mut sources = dice.some(1, |dice| json!({ "source": source(dice) }));
        sources.push(json!({ "source": source(dice) }));
        rule["from"] = sources.into();
    }
    if dice.chance(40) {
        let name = dice.pick(&["ports", "notPorts"]);
        rule["to"] = json!([{ "operation": { name: [dice.pick(&PORTS).to_string(), "80"] } }]);
    }
    if dice.chance(30) {
        let (key, value) = match dice.roll(4) {
            0 => ("destination.port", "80"),
            1 => ("source.ip", dice.pick(&CIDRS)),
            2 => ("source.namespace", dice.pick(&NAMESPACES)),
            _ => ("source.principal", "cluster.local/ns/shop/sa/*"),
        };
        let list = dice.pick(&["values", "notValues"]);
        rule["when"] = json!([{ "key": key, list: [value] }]);
    }
    rule
}

fn source(dice: &mut Dice) -> Value {
    let mut source = json!({});
    for _ in 0..=dice.roll(2) {
        let name = dice.pick(&["principals", "namespaces", "serviceAccounts", "ipBlocks"]);
        let value = match name {
            "principals" => match dice.roll(4) {
                0 => "*".to_owned(),
                1 => format!("*/sa/{}", dice.pick(&ACCOUNTS)),
                2 => format!("cluster.local/ns/{}/*", dice.pick(&NAMESPACES)),
                _ => format!(
                    "cluster.local/ns/{}/sa/{}",
                    dice.pick(&NAMESPACES),
                    dice.pick(&ACCOUNTS)
                ),
            },
            "namespaces" => dice.pick(&["shop", "ops", "d*", "*p", "*"]).to_owned(),
            "serviceAccounts" => dice.pick(&["a", "shop/a", "ops/default"]).to_owned(),
            _ => dice.pick(&CIDRS).to_owned(),
        };
        let name = if dice.chance(30) {
            format!("not{}{}", name[..1].to_uppercase(), &name[1..])
        } else {
            name.to_owned()
        };
        source[name] = json!([value]);
    }
    source
}
