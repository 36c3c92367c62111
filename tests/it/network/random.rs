//! Small clusters at random, as manifests: few names and numbers, so that policies often meet pods.

use serde_json::{Value, json};

/// A generator of numbers: the same seed gives the same ones.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    pub(super) fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..=self.roll(most + 1)).skip(1).map(|_| make(self)).collect()
    }
}

/// What a cluster may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    /// Pods and blocks of both address families.
    pub(super) dual_stack: bool,
    /// Whose policies there are besides those of Kubernetes.
    pub(super) engine: Engine,
}

/// A project with policies of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// The admin policies of Kubernetes.
    Admin,
    Cilium,
    Calico,
    /// Its proxies stand beside whatever the network plugin enforces.
    Istio,
}

pub(super) const KEYS: [&str; 3] = ["app", "tier", "env"];
pub(super) const VALUES: [&str; 3] = ["a", "b", "c"];
pub(super) const NAMESPACES: [&str; 3] = ["shop", "ops", "dev"];
const NODES: [&str; 2] = ["n1", "n2"];
pub(super) const PORT_NAMES: [&str; 2] = ["http", "dns"];
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
/// The ports that clusters speak of, and their neighbours.
pub(super) const PORTS: [u16; 6] = [80, 81, 82, 53, 1, 65535];
pub(super) const CIDRS: [&str; 9] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.0.0/30",
    "192.168.0.0/16",
    "8.8.8.8/32",
    "::/0",
    "fd00::/8",
    "172.16.0.0/12",
];

/// Returns the manifests of a cluster, one JSON document a line.
pub(super) fn cluster(dice: &mut Dice, recipe: Recipe) -> String {
    let mut objects = Vec::new();
    for (number, name) in NAMESPACES.iter().enumerate() {
        if dice.chance(80) {
            objects.push(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels(dice) } }));
        }
        for pod in 0..dice.roll(4) {
            objects.push(self::pod(dice, recipe, number, pod));
        }
    }
    for (number, name) in NODES.iter().enumerate() {
        if dice.chance(70) {
            let mut addresses =
                vec![json!({ "type": "InternalIP", "address": format!("192.168.0.{number}") })];
            if recipe.dual_stack && dice.chance(50) {
                addresses.push(json!({ "type": "InternalIP", "address": format!("fd01::{number}") }));
            }
            let cidr = if dice.chance(50) {
                format!("10.{}.0.0/24", number + 1)
            } else {
                String::new()
            };
            objects.push(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels(dice) },
                "spec": { "podCIDR": cidr }, "status": { "addresses": addresses } }));
        }
    }
    for number in 0..dice.roll(5) {
        objects.push(network_policy(dice, number));
    }
    match recipe.engine {
        Engine::Admin => {
            for number in 0..dice.roll(4) {
                objects.push(admin_policy(dice, number));
            }
        }
        Engine::Cilium => {
            for number in 0..=dice.roll(4) {
                objects.push(super::random_cilium::policy(dice, number));
            }
        }
        Engine::Istio => super::random_istio::add(dice, &mut objects),
        Engine::Calico => {
            objects.extend(super::random_calico::others(dice));
            for number in 0..=dice.roll(5) {
                objects.push(super::random_calico::policy(dice, number));
            }
            for number in 0..dice.roll(3) {
                objects.push(admin_policy(dice, number));
            }
        }
    }
    let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

pub(super) fn labels(dice: &mut Dice) -> Value {
    let pairs = dice.some(2, |dice| {
        (dice.pick(&KEYS).to_owned(), Value::from(dice.pick(&VALUES)))
    });
    Value::Object(pairs.into_iter().collect())
}

fn pod(dice: &mut Dice, recipe: Recipe, namespace: usize, number: usize) -> Value {
    let mut addresses = Vec::new();
    // Whether a sender without an address is in a block of Istio's nobody says.
    if dice.chance(85) || recipe.engine == Engine::Istio {
        addresses.push(json!({ "ip": format!("10.{}.0.{number}", namespace + 1) }));
        if recipe.dual_stack && dice.chance(50) {
            addresses.push(json!({ "ip": format!("fd00::{namespace}:{number}") }));
        }
    }
    let port = |dice: &mut Dice| {
        let mut port = json!({ "containerPort": dice.pick(&PORTS), "protocol": dice.pick(&PROTOCOLS) });
        if dice.chance(80) {
            port["name"] = dice.pick(&PORT_NAMES).into();
        }
        port
    };
    let container =
        |dice: &mut Dice, name: &str| json!({ "name": name, "image": "x", "ports": dice.some(2, port) });
    let mut init = container(dice, "init");
    if dice.chance(50) {
        init["restartPolicy"] = "Always".into();
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": NAMESPACES[namespace], "name": format!("p{number}"), "labels": labels(dice) },
        "spec": {
            "hostNetwork": dice.chance(15), "serviceAccountName": dice.pick(&["", "a"]), "nodeName": dice.pick(&["n1", "n2", ""]),
            "containers": [container(dice, "app"), container(dice, "side")], "initContainers": [init],
        },
        "status": { "phase": if dice.chance(10) { "Succeeded" } else { "Running" }, "podIPs": addresses },
    })
}

fn selector(dice: &mut Dice) -> Value {
    let expression = |dice: &mut Dice| {
        let operator = dice.pick(&["In", "NotIn", "Exists", "DoesNotExist"]);
        let mut expression = json!({ "key": dice.pick(&KEYS), "operator": operator });
        if operator.ends_with("In") {
            expression["values"] = dice
                .some(1, |dice| dice.pick(&VALUES))
                .into_iter()
                .chain(["a"])
                .collect();
        }
        expression
    };
    let mut selector = json!({});
    if dice.chance(40) {
        selector["matchLabels"] = json!({ dice.pick(&KEYS): dice.pick(&VALUES) });
    }
    if dice.chance(40) {
        selector["matchExpressions"] = dice.some(2, expression).into();
    }
    selector
}

fn namespace_selector(dice: &mut Dice) -> Value {
    if dice.chance(30) {
        return json!({ "matchLabels": { "kubernetes.io/metadata.name": dice.pick(&NAMESPACES) } });
    }
    selector(dice)
}

fn network_policy(dice: &mut Dice, number: usize) -> Value {
    let mut spec = json!({ "podSelector": selector(dice) });
    for (side, peers) in [("ingress", "from"), ("egress", "to")] {
        if dice.chance(70) {
            spec[side] = dice
                .some(2, |dice| {
                    let mut rule = json!({});
                    if dice.chance(80) {
                        rule[peers] = dice.some(2, peer).into();
                    }
                    if dice.chance(60) {
                        rule["ports"] = dice.some(2, port).into();
                    }
                    rule
                })
                .into();
        }
    }
    if dice.chance(60) {
        spec["policyTypes"] = dice
            .pick(&[&["Ingress"][..], &["Egress"], &["Ingress", "Egress"], &[]])
            .into();
    }
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": { "namespace": dice.pick(&NAMESPACES), "name": format!("np{number}") }, "spec": spec })
}

fn peer(dice: &mut Dice) -> Value {
    match dice.roll(10) {
        0..=2 => json!({ "podSelector": selector(dice) }),
        3 | 4 => json!({ "namespaceSelector": namespace_selector(dice) }),
        5 | 6 => json!({ "namespaceSelector": namespace_selector(dice), "podSelector": selector(dice) }),
        7 => {
            json!({ "ipBlock": { "cidr": dice.pick(&CIDRS), "except": dice.some(1, |dice| dice.pick(&CIDRS)) } })
        }
        8 => json!({ "ipBlock": { "cidr": dice.pick(&CIDRS) } }),
        _ => match dice.roll(3) {
            0 => json!({}),
            1 => json!({ "ipBlock": { "cidr": "10.0.0.1" } }),
            _ => json!({ "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.1.0.0.0/16"] } }),
        },
    }
}

fn port(dice: &mut Dice) -> Value {
    let mut port = json!({});
    if dice.chance(70) {
        port["protocol"] = dice.pick(&PROTOCOLS).into();
    }
    match dice.roll(8) {
        0 => {}
        1 | 2 => port["port"] = dice.pick(&PORT_NAMES).into(),
        3 => {
            port["port"] = dice.pick(&PORTS).into();
            port["endPort"] = dice.pick(&PORTS).into();
        }
        4 if dice.chance(30) => {
            port["port"] = "http".into();
            port["endPort"] = 90.into();
        }
        _ => port["port"] = dice.pick(&PORTS).into(),
    }
    port
}

fn admin_policy(dice: &mut Dice, number: usize) -> Value {
    let kind = dice.pick(&[
        "AdminNetworkPolicy",
        "BaselineAdminNetworkPolicy",
        "ClusterNetworkPolicy",
    ]);
    let is_cluster = kind == "ClusterNetworkPolicy";
    let subject = match dice.roll(10) {
        0..=4 => json!({ "namespaces": namespace_selector(dice) }),
        5..=8 => {
            json!({ "pods": { "namespaceSelector": namespace_selector(dice), "podSelector": selector(dice) } })
        }
        _ => json!({}),
    };
    let mut spec = json!({ "subject": subject });
    if kind != "BaselineAdminNetworkPolicy" {
        spec["priority"] = (number * 10).into();
    }
    if is_cluster {
        spec["tier"] = dice.pick(&["Admin", "Baseline"]).into();
    }
    for (side, peers) in [("ingress", "from"), ("egress", "to")] {
        spec[side] = dice.some(3, |dice| admin_rule(dice, kind, peers)).into();
    }
    let (group, name) = match kind {
        "BaselineAdminNetworkPolicy" => ("v1alpha1", "default".to_owned()),
        "AdminNetworkPolicy" => ("v1alpha1", format!("ap{number}")),
        _ => ("v1alpha2", format!("ap{number}")),
    };
    json!({ "apiVersion": format!("policy.networking.k8s.io/{group}"), "kind": kind, "metadata": { "name": name }, "spec": spec })
}

fn admin_rule(dice: &mut Dice, kind: &str, side: &str) -> Value {
    let is_cluster = kind == "ClusterNetworkPolicy";
    let allow = if is_cluster { "Accept" } else { "Allow" };
    let action = match kind {
        "BaselineAdminNetworkPolicy" => dice.pick(&[allow, "Deny"]),
        _ => dice.pick(&[allow, "Deny", "Pass"]),
    };
    let mut rule = json!({ "action": action });
    let mut peers = dice.some(2, |dice| admin_peer(dice, side));
    if peers.is_empty() && dice.chance(90) {
        peers.push(json!({ "namespaces": {} }));
    }
    rule[side] = peers.into();
    if dice.chance(60) {
        let (list, ports) = if is_cluster {
            ("protocols", dice.some(2, protocol))
        } else {
            ("ports", dice.some(2, admin_port))
        };
        rule[list] = ports.into();
    }
    rule
}

fn admin_peer(dice: &mut Dice, side: &str) -> Value {
    match dice.roll(if side == "to" { 12 } else { 8 }) {
        0..=3 => json!({ "namespaces": namespace_selector(dice) }),
        4..=6 => {
            json!({ "pods": { "namespaceSelector": namespace_selector(dice), "podSelector": selector(dice) } })
        }
        7 if dice.chance(50) => json!({}),
        7 => json!({ "namespaces": {} }),
        8 | 9 => {
            json!({ "networks": dice.some(1, |dice| dice.pick(&CIDRS)).into_iter().chain(["10.1.0.0/30"]).collect::<Vec<_>>() })
        }
        10 => json!({ "networks": [dice.pick(&["10.0.0.0/8", "10.0.0.0/99"])] }),
        _ => json!({ "nodes": selector(dice) }),
    }
}

fn admin_port(dice: &mut Dice) -> Value {
    match dice.roll(4) {
        0 | 1 => json!({ "portNumber": { "protocol": dice.pick(&PROTOCOLS), "port": dice.pick(&PORTS) } }),
        2 => {
            json!({ "portRange": { "protocol": dice.pick(&PROTOCOLS), "start": dice.pick(&PORTS), "end": dice.pick(&PORTS) } })
        }
        _ => json!({ "namedPort": dice.pick(&PORT_NAMES) }),
    }
}

fn protocol(dice: &mut Dice) -> Value {
    let protocol = dice.pick(&["tcp", "udp", "sctp"]);
    match dice.roll(4) {
        0 => json!({ protocol: {} }),
        1 => json!({ protocol: { "destinationPort": { "number": dice.pick(&PORTS) } } }),
        2 => {
            json!({ protocol: { "destinationPort": { "range": { "start": dice.pick(&PORTS), "end": dice.pick(&PORTS) } } } })
        }
        _ => json!({ "destinationNamedPort": dice.pick(&PORT_NAMES) }),
    }
}
