//! Tests of network: the evaluator against one packet at a time, laws, and cases by hand.

mod calico;
mod cilium;
mod destinations;
mod entries;
mod istio;
mod kubelets;
mod laws;
mod lint;
mod oracle;
mod oracle_calico;
mod oracle_cilium;
mod oracle_istio;
mod policies;
mod random;
mod random_calico;
mod random_cilium;
mod random_istio;
mod services;
mod unmodelled;

use std::net::IpAddr;

use beachhead::collect::read_text;
use beachhead::model::{Cluster, Protocol};
use beachhead::network::{IpBlockMatch, Network, Options, Unit, Verdict};

use oracle::{Cidrs, End, Oracle, Packet, node_addresses};
use random::{Dice, Engine, PORTS, Recipe};

const OUTSIDE: [&str; 6] = [
    "8.8.8.8",
    "1.2.3.4",
    "10.9.9.9",
    "2001:db8::1",
    "fd00:1::1",
    "10.1.0.200",
];

/// How many clusters a run tries, unless `BEACHHEAD_CASES` says otherwise.
const CASES: u64 = 250;

/// The seeds of a run: `BEACHHEAD_SEED` alone, or as many as there are cases.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("BEACHHEAD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BEACHHEAD_CASES").unwrap_or(CASES),
    }
}

fn evaluated(cluster: &Cluster, ipblock_matches_pods: IpBlockMatch) -> Network {
    Network::with(
        cluster,
        Options {
            ipblock_matches_pods,
            ..Options::default()
        },
    )
    .0
}

/// Every end of a cluster, with its unit.
fn ends<'a>(cluster: &'a Cluster, network: &Network) -> Vec<(End<'a>, usize)> {
    let unit_of = |wanted: &dyn Fn(&Unit) -> bool| network.units().iter().position(wanted).unwrap();
    let mut ends = Vec::new();
    for (index, pod) in cluster.pods.values().enumerate() {
        assert_eq!(network.group_of(index).is_none(), pod.has_ended());
        ends.extend(network.group_of(index).map(|group| (End::Pod(pod), group)));
    }
    for node in cluster.nodes.values() {
        let unit = unit_of(&|unit| matches!(unit, Unit::Nodes(names) if names.contains(&node.meta.name)));
        ends.push((End::Node(node), unit));
    }
    for text in OUTSIDE {
        let address: IpAddr = text.parse().unwrap();
        let unit = unit_of(&|unit| matches!(unit, Unit::Range(range) if range.contains(address)));
        ends.push((End::Outside(address), unit));
    }
    ends
}

/// Whether an end can send packets of a family.
fn speaks(oracle: Oracle<'_>, end: End<'_>, ipv6: bool) -> bool {
    let addresses = match end {
        End::Outside(address) => vec![address],
        End::Node(node) => node_addresses(node),
        End::Pod(pod) => oracle.pod_addresses(pod),
    };
    addresses.is_empty() && !ipv6 || addresses.iter().any(|address| address.is_ipv6() == ipv6)
}

/// Whether packets of some family pass.
fn passes<'a>(oracle: Oracle<'a>, source: End<'a>, target: End<'a>, protocol: Protocol, port: u16) -> bool {
    [false, true].into_iter().any(|ipv6| {
        let packet = Packet {
            source,
            target,
            protocol,
            port,
            ipv6,
        };
        speaks(oracle, source, ipv6) && speaks(oracle, target, ipv6) && oracle.allows(packet)
    })
}

fn through_hubs(network: &Network, source: usize, target: usize, protocol: Protocol, port: u16) -> Verdict {
    let hubs = network.hubs().iter().filter(|hub| {
        network.sources(hub).contains(source)
            && network.targets(hub).contains(target)
            && network.ports(hub).contains(protocol, port)
    });
    let verdicts = hubs.map(|hub| {
        if hub.doubtful {
            Verdict::Unknown
        } else {
            Verdict::Allowed
        }
    });
    verdicts.max().unwrap_or(Verdict::Denied)
}

/// What the specification says under a way of matching: surely and perhaps.
fn expected<'a>(
    cluster: &'a Cluster,
    engine: Engine,
    mode: IpBlockMatch,
    source: End<'a>,
    target: End<'a>,
    (protocol, port): (Protocol, u16),
) -> Verdict {
    let with = |cidrs, gaps| {
        let oracle = Oracle { cluster, cidrs, gaps };
        passes(oracle, source, target, protocol, port)
    };
    let (least, most) = match (mode, engine) {
        (IpBlockMatch::Always, _) | (IpBlockMatch::Auto, Engine::Calico) => (Cidrs::Always, Cidrs::Always),
        (IpBlockMatch::Never, _) | (IpBlockMatch::Auto, Engine::Cilium) => (Cidrs::Never, Cidrs::Never),
        (IpBlockMatch::Auto, Engine::Admin | Engine::Istio) => (Cidrs::AdminOnly, Cidrs::Always),
    };
    let (sure, perhaps) = (with(least, false), with(most, true));
    match (sure, perhaps) {
        (true, _) => Verdict::Allowed,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Denied,
    }
}

fn check(seed: u64, recipe: Recipe, compare: impl Fn(Verdict, Verdict) -> bool) {
    let text = random::cluster(&mut Dice::new(seed), recipe);
    let (cluster, _) = read_text("random.json", &text, "default");
    for mode in [IpBlockMatch::Always, IpBlockMatch::Never, IpBlockMatch::Auto] {
        let network = evaluated(&cluster, mode);
        let ends = ends(&cluster, &network);
        for &(source, from) in &ends {
            for &(target, to) in &ends {
                if !matches!((source, target), (End::Pod(_), _) | (_, End::Pod(_))) {
                    continue;
                }
                let oracle = Oracle {
                    cluster: &cluster,
                    cidrs: Cidrs::Always,
                    gaps: false,
                };
                let meet = |ipv6| speaks(oracle, source, ipv6) && speaks(oracle, target, ipv6);
                if !(meet(false) || meet(true)) {
                    continue;
                }
                let mut dice = Dice::new(seed ^ (from * 1_000 + to) as u64);
                for protocol in Protocol::ALL {
                    let port = PORTS[dice.roll(PORTS.len())];
                    let wanted = expected(&cluster, recipe.engine, mode, source, target, (protocol, port));
                    let hubs = through_hubs(&network, from, to, protocol, port);
                    let atoms = network.verdict(from, to, protocol, port);
                    let walk = network.walk(from, to, protocol, port).map(|walk| walk.verdict);
                    assert!(
                        compare(wanted, hubs) && hubs == atoms && walk.into_iter().min() == Some(hubs),
                        "BEACHHEAD_SEED={seed} {mode:?} {protocol} {port}: expected {wanted:?}, hubs {hubs:?}, atoms {atoms:?}\nfrom {source:?}\nto {target:?}\n{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn hubs_say_what_the_specification_says_of_every_packet() {
    for seed in seeds() {
        check(seed, recipe(false, Engine::Admin), |wanted, found| {
            wanted == found
        });
    }
}

#[test]
fn hubs_say_what_cilium_documents_of_every_packet() {
    for seed in seeds() {
        check(seed, recipe(false, Engine::Cilium), |wanted, found| {
            wanted == found
        });
    }
}

#[test]
fn hubs_say_what_calico_documents_of_every_packet() {
    for seed in seeds() {
        check(seed, recipe(false, Engine::Calico), |wanted, found| {
            wanted == found
        });
    }
}

#[test]
fn hubs_say_what_istio_documents_of_every_connection() {
    for seed in seeds() {
        check(seed, recipe(false, Engine::Istio), |wanted, found| {
            wanted == found
        });
    }
}

#[test]
fn with_two_address_families_nothing_that_passes_is_missed() {
    // Twice the packets and every engine: a quarter of the clusters.
    let seeds = seeds();
    for seed in seeds.start..seeds.start + (seeds.end - seeds.start).div_ceil(4) {
        for engine in [Engine::Admin, Engine::Cilium, Engine::Calico, Engine::Istio] {
            check(seed, recipe(true, engine), |wanted, found| wanted <= found);
        }
    }
}

fn recipe(dual_stack: bool, engine: Engine) -> Recipe {
    Recipe { dual_stack, engine }
}

/// The answer to one question about manifests.
fn verdict(manifests: &str, from: &str, to: &str, port: &str) -> &'static str {
    let (cluster, _) = read_text("test.yaml", manifests, "default");
    let (network, _) = Network::new(&cluster);
    let (number, protocol) = port.split_once('/').unwrap_or((port, "TCP"));
    let protocol = Protocol::ALL
        .into_iter()
        .find(|known| known.as_str() == protocol)
        .unwrap();
    let [source, target] = [from, to].map(|name| {
        let places = network.places(&cluster, name);
        assert_eq!(places.len(), 1, "{name}: {places:?}");
        places
    });
    let answers = network.answers(
        &cluster,
        &source,
        &target,
        Some((protocol, number.parse().unwrap())),
    );
    match answers[0].verdict {
        Verdict::Allowed => "allowed",
        Verdict::Unknown => "unknown",
        Verdict::Denied => "denied",
    }
}

/// What the evaluator has to say about manifests, a line each.
fn diagnostics(manifests: &str) -> String {
    let (cluster, _) = read_text("test.yaml", manifests, "default");
    let (_, found) = Network::new(&cluster);
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
