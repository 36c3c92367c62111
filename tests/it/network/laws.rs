//! Laws: how answers change when the input does.

use std::collections::BTreeSet;

use beachhead::collect::read_text;
use beachhead::model::{Cluster, NetworkPolicy, Protocol};
use beachhead::network::{IpBlockMatch, Network, Options, Verdict};
use serde_json::{Value, json};

use super::random::{self, Dice, Engine, PORTS, Recipe};

/// A third of the seeds: each law evaluates a cluster several times.
fn seeds() -> std::ops::Range<u64> {
    let all = super::seeds();
    let third = (all.end - all.start).div_ceil(3);
    all.start..all.start + third
}

fn objects(seed: u64) -> Vec<Value> {
    objects_with(seed, Engine::Admin)
}

fn objects_with(seed: u64, engine: Engine) -> Vec<Value> {
    let recipe = Recipe {
        dual_stack: false,
        engine,
    };
    let text = random::cluster(&mut Dice::new(seed), recipe);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn read(objects: &[Value]) -> Cluster {
    let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
    read_text("random.json", &lines.join("\n"), "default").0
}

fn evaluated(cluster: &Cluster) -> Network {
    let options = Options {
        ipblock_matches_pods: IpBlockMatch::Always,
        ..Options::default()
    };
    Network::with(cluster, options).0
}

/// Everything that one pod may send to another, a line each.
fn connections(cluster: &Cluster, network: &Network) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (a, source) in cluster.pods.iter().map(|(id, _)| id).enumerate() {
        for (b, target) in cluster.pods.iter().map(|(id, _)| id).enumerate() {
            let (Some(from), Some(to)) = (network.group_of(a), network.group_of(b)) else {
                continue;
            };
            for port in PORTS {
                for protocol in Protocol::ALL {
                    if network.verdict(from, to, protocol, port) != Verdict::Denied {
                        lines.insert(format!("{source} {target} {protocol} {port}"));
                    }
                }
            }
        }
    }
    lines
}

fn reach(objects: &[Value]) -> BTreeSet<String> {
    let cluster = read(objects);
    connections(&cluster, &evaluated(&cluster))
}

fn is_policy(object: &Value) -> bool {
    object["kind"] == "NetworkPolicy" && object["apiVersion"] == "networking.k8s.io/v1"
}

fn is_admin_policy(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap();
    kind.ends_with("AdminNetworkPolicy") || kind == "ClusterNetworkPolicy"
}

#[test]
fn one_more_allowing_rule_takes_nothing_away() {
    for seed in seeds() {
        let mut objects = objects(seed);
        objects.retain(|object| !is_admin_policy(object));
        let before = reach(&objects);
        for policy in objects.iter_mut().filter(|object| is_policy(object)) {
            if let Some(rules) = policy["spec"]["ingress"].as_array_mut() {
                rules.push(json!({ "from": [{ "namespaceSelector": {} }], "ports": [{ "port": 80 }] }));
            }
        }
        let after = reach(&objects);
        let lost: Vec<_> = before.difference(&after).collect();
        assert!(lost.is_empty(), "BEACHHEAD_SEED={seed}: {lost:?}");
    }
}

#[test]
fn without_policies_all_pods_reach_each_other() {
    for seed in seeds() {
        let mut objects = objects(seed);
        objects.retain(|object| matches!(object["kind"].as_str(), Some("Pod" | "Namespace" | "Node")));
        let alive = objects
            .iter()
            .filter(|object| object["kind"] == "Pod" && object["status"]["phase"] == "Running");
        let alive = alive.count();
        assert_eq!(
            reach(&objects).len(),
            alive * alive * 3 * PORTS.len(),
            "BEACHHEAD_SEED={seed}"
        );
    }
}

/// Taking a policy away that isolates opens its pods in that direction, unless another one isolates them too.
#[test]
fn without_the_last_policy_that_isolates_a_direction_is_open() {
    for seed in seeds() {
        let mut objects = objects(seed);
        objects.retain(|object| !is_admin_policy(object) && !is_policy(object));
        let open = reach(&objects);
        let deny = |direction: &str| {
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": { "namespace": "shop", "name": direction },
                "spec": { "podSelector": {}, "policyTypes": [direction] } })
        };
        let in_host_network: Vec<String> = objects
            .iter()
            .filter(|object| object["spec"]["hostNetwork"] == true)
            .map(|pod| {
                let meta = &pod["metadata"];
                let part = |key: &str| meta[key].as_str().unwrap().to_owned();
                format!("Pod/{}/{}", part("namespace"), part("name"))
            })
            .collect();
        objects.push(deny("Ingress"));
        let closed = reach(&objects);
        for line in open.difference(&closed) {
            let target = line.split(' ').nth(1).unwrap();
            assert!(target.starts_with("Pod/shop/"), "BEACHHEAD_SEED={seed}: {line}");
        }
        for line in &closed {
            let target = line.split(' ').nth(1).unwrap();
            let free = in_host_network.iter().any(|pod| pod == target);
            assert!(
                free || !target.starts_with("Pod/shop/"),
                "BEACHHEAD_SEED={seed}: {line}"
            );
        }
        objects.push(deny("Egress"));
        objects.retain(|object| object["metadata"]["name"] != "Ingress");
        let no_egress = reach(&objects);
        for line in open.symmetric_difference(&no_egress) {
            assert!(line.starts_with("Pod/shop/"), "BEACHHEAD_SEED={seed}: {line}");
        }
        objects.pop();
        assert_eq!(reach(&objects), open, "BEACHHEAD_SEED={seed}");
    }
}

#[test]
fn a_label_that_no_policy_mentions_changes_nothing() {
    for seed in seeds() {
        let mut objects = objects(seed);
        let before = reach(&objects);
        for (number, object) in objects.iter_mut().enumerate() {
            object["metadata"]["labels"]["pod-template-hash"] = format!("{number}").into();
        }
        assert_eq!(reach(&objects), before, "BEACHHEAD_SEED={seed}");
    }
}

#[test]
fn the_order_of_the_input_changes_nothing() {
    for seed in seeds() {
        let mut objects = objects(seed);
        // Of an object that stands twice one counts, which one depends on the order.
        let mut seen = BTreeSet::new();
        objects.retain(|object| {
            seen.insert((object["kind"].to_string(), object["metadata"]["name"].to_string()))
                || object["kind"] == "Pod"
        });
        let before = reach(&objects);
        objects.reverse();
        assert_eq!(reach(&objects), before, "BEACHHEAD_SEED={seed}");
    }
}

/// Who may exchange packets with the pods of a namespace does not depend on policies elsewhere.
#[test]
fn a_policy_of_another_namespace_changes_nothing_between_pods_here() {
    for seed in seeds() {
        let objects = objects(seed);
        let inside = |lines: &BTreeSet<String>| {
            let own = |line: &&String| {
                let mut ends = line.split(' ');
                ends.by_ref().take(2).all(|end| end.starts_with("Pod/shop/"))
            };
            lines.iter().filter(own).cloned().collect::<Vec<_>>()
        };
        let mut fewer = objects.clone();
        fewer.retain(|object| !is_policy(object) || object["metadata"]["namespace"] == "shop");
        assert_eq!(
            inside(&reach(&objects)),
            inside(&reach(&fewer)),
            "BEACHHEAD_SEED={seed}"
        );
    }
}

/// The ways in, as lines that do not depend on numbers.
fn ways_in(cluster: &Cluster, network: &Network) -> Vec<String> {
    let line = |entry: &beachhead::network::Exposure| {
        let pod = cluster.pods.at(entry.pod).unwrap().0;
        format!(
            "{pod} {} {} {:?} {:?} {:?}",
            entry.port, entry.protocol, entry.via, entry.outside, entry.condition
        )
    };
    network.entries().iter().map(line).collect()
}

/// What hubs say of two pods.
fn through_hubs(cluster: &Cluster, network: &Network) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let names = |unit: usize| -> Vec<String> {
        let pods = network
            .groups()
            .get(unit)
            .into_iter()
            .flat_map(|group| &group.pods);
        pods.map(|&pod| cluster.pods.at(pod).unwrap().0.to_string())
            .collect()
    };
    for hub in network.hubs() {
        for (from, to) in network
            .sources(hub)
            .iter()
            .flat_map(|from| network.targets(hub).iter().map(move |to| (from, to)))
        {
            for (source, target) in names(from)
                .iter()
                .flat_map(|source| names(to).into_iter().map(move |target| (source.clone(), target)))
            {
                for port in PORTS {
                    for protocol in Protocol::ALL {
                        if network.ports(hub).contains(protocol, port) {
                            lines.insert(format!("{source} {target} {protocol} {port}"));
                        }
                    }
                }
            }
        }
    }
    lines
}

#[test]
fn a_policy_added_later_is_as_if_it_had_been_there() {
    let services = json!([
        { "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "shop", "name": "lb" },
          "spec": { "type": "LoadBalancer", "selector": { "app": "a" }, "ports": [{ "port": 80 }] } },
        { "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "ops", "name": "np" },
          "spec": { "type": "NodePort", "selector": {  "tier": "b" }, "ports": [{ "port": 81, "targetPort": "http" }] } },
        { "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "dev", "name": "in" },
          "spec": { "selector": { "env": "c" }, "ports": [{ "port": 80 }] } },
        { "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "namespace": "dev", "name": "in" },
          "spec": { "defaultBackend": { "service": { "name": "in", "port": { "number": 80 } } } } },
    ]);
    for seed in seeds() {
        let engine = match seed % 6 {
            0 => Engine::Cilium,
            1 => Engine::Calico,
            _ => Engine::Admin,
        };
        let mut objects = objects_with(seed, engine);
        if seed % 6 == 2 {
            objects.push(json!({ "apiVersion": "apps/v1", "kind": "DaemonSet",
                "metadata": { "namespace": "kube-system", "name": "calico-node" } }));
        }
        objects.extend(services.as_array().unwrap().iter().cloned());
        let (policies, others): (Vec<Value>, Vec<Value>) = objects.iter().cloned().partition(is_policy);
        let mut kept = others.clone();
        let later = policies.len() / 2;
        kept.extend(policies[later..].iter().cloned());
        let cluster = read(&kept);
        for mode in [IpBlockMatch::Always, IpBlockMatch::Auto] {
            let options = Options {
                ipblock_matches_pods: mode,
                ..Options::default()
            };
            let (mut network, _) = Network::with(&cluster, options);
            for policy in &policies[..later] {
                let policy: NetworkPolicy = serde_json::from_value(policy.clone()).unwrap();
                network = network.with_policy(&cluster, &policy).0;
            }
            let whole = read(&objects);
            let (anew, _) = Network::with(&whole, options);
            let context = format!("BEACHHEAD_SEED={seed} {mode:?}");
            assert_eq!(
                connections(&cluster, &network),
                connections(&whole, &anew),
                "{context}"
            );
            assert_eq!(
                through_hubs(&cluster, &network),
                through_hubs(&whole, &anew),
                "{context}"
            );
            assert_eq!(ways_in(&cluster, &network), ways_in(&whole, &anew), "{context}");
            for pod in 0..cluster.pods.len() {
                if let (Some(a), Some(b)) = (network.group_of(pod), anew.group_of(pod)) {
                    assert_eq!(network.to_api_server(a).0, anew.to_api_server(b).0, "{context}");
                    assert_eq!(
                        network.to_cloud_metadata(a).0,
                        anew.to_cloud_metadata(b).0,
                        "{context}"
                    );
                }
            }
        }
    }
}

/// Pods that no policy told apart before: the groups must be split, and every number behind them follow.
#[test]
fn a_policy_added_later_splits_the_groups_that_it_tells_apart() {
    let mut objects = Vec::new();
    for namespace in ["dev", "ops", "shop"] {
        for (number, app) in ["a", "b", "a", "c"].iter().enumerate() {
            objects.push(json!({ "apiVersion": "v1", "kind": "Pod",
                "metadata": { "namespace": namespace, "name": format!("p{number}"), "labels": { "app": app } },
                "spec": { "containers": [{ "name": "c", "image": "i", "ports": [
                    { "name": "http", "containerPort": 80 + u16::from(number > 1) }] }] },
                "status": { "phase": "Running" } }));
        }
    }
    let policy = |namespace: &str, name: &str, rule: Value| {
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "namespace": namespace, "name": name },
            "spec": { "podSelector": { "matchLabels": { "app": "a" } }, "ingress": [rule] } })
    };
    let anyone_with =
        |app: &str| json!([{ "namespaceSelector": {}, "podSelector": { "matchLabels": { "app": app } } }]);
    let policies = [
        policy("dev", "labels", json!({ "from": anyone_with("b") })),
        policy(
            "ops",
            "ports",
            json!({ "from": anyone_with("c"), "ports": [{ "port": "http" }] }),
        ),
        policy("shop", "again", json!({ "from": anyone_with("a") })),
    ];
    let cluster = read(&objects);
    let mut network = evaluated(&cluster);
    assert_eq!(network.groups().len(), 3);
    for policy in &policies {
        let added: NetworkPolicy = serde_json::from_value(policy.clone()).unwrap();
        network = network.with_policy(&cluster, &added).0;
        objects.push(policy.clone());
        let whole = read(&objects);
        let anew = evaluated(&whole);
        assert_eq!(connections(&cluster, &network), connections(&whole, &anew));
        assert_eq!(through_hubs(&cluster, &network), through_hubs(&whole, &anew));
    }
    assert!(network.groups().len() > 6);
}
