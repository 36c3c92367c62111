//! Services against one packet at a time: what outside addresses reach behind them, on random clusters.

use std::collections::BTreeSet;
use std::net::IpAddr;

use beachhead::collect::read_text;
use beachhead::model::{Cluster, Pod, PortReference, ServicePort};
use beachhead::network::{IpBlockMatch, Network, Options};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::oracle::{Cidrs, End, Oracle, Packet};
use super::random::{self, Dice, Engine, PORTS, Recipe};
use super::seeds;

const RANGES: [&str; 3] = ["8.8.8.8/32", "10.0.0.0/8", "172.16.0.0/13"];

fn service(dice: &mut Dice, number: usize) -> Value {
    let mut port = json!({ "port": dice.pick(&PORTS), "protocol": dice.pick(&["TCP", "UDP"]) });
    match dice.roll(3) {
        0 => {}
        1 => port["targetPort"] = dice.pick(&PORTS).into(),
        _ => port["targetPort"] = dice.pick(&["http", "dns"]).into(),
    }
    let mut spec = json!({
        "type": dice.pick(&["LoadBalancer", "NodePort", "ClusterIP"]),
        "selector": { dice.pick(&["app", "tier"]): dice.pick(&["a", "b", "c"]) },
        "externalTrafficPolicy": "Local",
        "ports": [port],
    });
    if dice.chance(40) {
        spec["loadBalancerSourceRanges"] = dice.some(2, |dice| dice.pick(&RANGES)).into();
    }
    if dice.chance(20) {
        spec["externalIPs"] = json!(["198.51.100.7"]);
    }
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": {
        "namespace": dice.pick(&["shop", "ops", "dev"]), "name": format!("s{number}") }, "spec": spec })
}

/// An address of every part that the borders of blocks cut the address space into.
fn clients() -> Vec<IpAddr> {
    let mut found: BTreeSet<IpAddr> = ["0.0.0.0", "255.255.255.255", "::", "ffff::"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    for text in random::CIDRS.iter().chain(&RANGES) {
        let net: IpNet = text.parse().unwrap();
        found.extend([net.network(), net.broadcast()]);
        if let (IpAddr::V4(first), IpAddr::V4(last)) = (net.network(), net.broadcast()) {
            let numbers = [u32::from(first).checked_sub(1), u32::from(last).checked_add(1)];
            found.extend(
                numbers
                    .into_iter()
                    .flatten()
                    .map(|number| IpAddr::V4(number.into())),
            );
        }
    }
    found.into_iter().collect()
}

/// The pod's own numbers behind a Service's port, straight from the API's description of `targetPort`.
fn targets(pod: &Pod, port: &ServicePort) -> BTreeSet<u16> {
    let sidecars = pod
        .spec
        .init_containers
        .iter()
        .filter(|container| container.restart_policy == "Always");
    let declared = pod
        .spec
        .containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| &container.ports);
    match &port.target_port {
        None => BTreeSet::from([port.port]),
        Some(PortReference::Number(number)) => BTreeSet::from([*number]),
        Some(PortReference::Name(name)) => declared
            .filter(|known| known.name == *name && known.protocol == port.protocol)
            .map(|known| known.container_port)
            .collect(),
    }
}

/// The ranges of clients that a Service lets in, by each of its doors.
fn doors(service: &beachhead::model::Service) -> Vec<Vec<IpNet>> {
    let spec = &service.spec;
    let ranges = spec.load_balancer_source_ranges.iter();
    let ranges: Vec<IpNet> = ranges.map(|text| text.parse().unwrap()).collect();
    let mut doors = Vec::new();
    match spec.r#type.as_str() {
        "LoadBalancer" => doors.push(ranges),
        "NodePort" => doors.push(Vec::new()),
        _ => {}
    }
    doors.extend(spec.external_ips.iter().map(|_| Vec::new()));
    doors
}

/// What some client reaches: `Pod/shop/p0 80 TCP Service/shop/s1`.
fn expected(cluster: &Cluster) -> BTreeSet<String> {
    let oracle = Oracle {
        cluster,
        cidrs: Cidrs::Always,
        gaps: false,
    };
    let mut found = BTreeSet::new();
    for (id, service) in &cluster.services {
        let port = &service.spec.ports[0];
        let selected = cluster.pods.iter().filter(|(pod, value)| {
            pod.namespace == id.namespace
                && !value.has_ended()
                && (service.spec.selector.iter())
                    .all(|(key, value_)| value.meta.labels.get(key) == Some(value_))
        });
        for (pod, value) in selected {
            for number in targets(value, port) {
                let reaches = |client: IpAddr, ranges: &[IpNet]| {
                    let packet = Packet {
                        source: End::Outside(client),
                        target: End::Pod(value),
                        protocol: port.protocol,
                        port: number,
                        ipv6: client.is_ipv6(),
                    };
                    (ranges.is_empty() || ranges.iter().any(|range| range.contains(&client)))
                        && oracle.allows(packet)
                };
                let open = doors(service)
                    .iter()
                    .any(|ranges| clients().into_iter().any(|client| reaches(client, ranges)));
                if open {
                    found.insert(format!("{pod} {number} {} {id}", port.protocol));
                }
            }
        }
    }
    found
}

#[test]
fn services_show_what_some_client_reaches_and_nothing_else() {
    let mut shown = 0;
    for seed in seeds() {
        let mut dice = Dice::new(seed);
        let mut text = random::cluster(
            &mut dice,
            Recipe {
                dual_stack: false,
                engine: Engine::Admin,
            },
        );
        for number in 0..4 {
            text = format!("{text}\n{}", service(&mut dice, number));
        }
        let (cluster, _) = read_text("random.json", &text, "default");
        let options = Options {
            ipblock_matches_pods: IpBlockMatch::Always,
            ..Options::default()
        };
        let (network, _) = Network::with(&cluster, options);
        let entries = network.entries().iter();
        let found: BTreeSet<String> = entries
            .filter(|entry| entry.via[0].kind == "Service")
            .map(|entry| {
                let pod = cluster.pods.at(entry.pod).unwrap().0;
                format!("{pod} {} {} {}", entry.port, entry.protocol, entry.via[0])
            })
            .collect();
        let wanted = expected(&cluster);
        shown += wanted.len();
        assert_eq!(found, wanted, "BEACHHEAD_SEED={seed}\n{text}");
    }

    assert!(
        shown > 0 || seeds().end - seeds().start < 2,
        "no case shows anything"
    );
}
