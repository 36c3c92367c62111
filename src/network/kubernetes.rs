//! NetworkPolicies of `networking.k8s.io/v1`.
//!
//! **Trap.** `from: []` lets everyone in and `ingress: []` lets nobody in. Egress isolates without `policyTypes`
//! only if there is at least one egress rule; the API server fills the types in, raw manifests do not have them.
//! Source: <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/>

use super::address::{Block, InCluster, cidr};
use super::policy::{Action, Direction, NamedPort, Order, Peers, Policy, PolicyRule, Ports, Tier};
use super::ports::PortSet;
use super::problems::Problems;
use super::selector::{Expression, Namespaces, PodSelector};
use crate::model::{
    Cluster, Diagnostic, IpBlock, NetworkPolicy, ObjectId, PolicyPeer, PolicyPort, PortReference, Text,
};

/// What is done about a part of a rule that has no meaning.
const MATCHES_NOTHING: &str = "it matches nothing; correct it, the API server would refuse it";

/// The name of the tier.
pub(super) const TIER: &str = "NetworkPolicy";

/// Reads the NetworkPolicies, and those that are to be added to them, as one tier.
pub(super) fn tier(cluster: &Cluster, added: &[NetworkPolicy], found: &mut Vec<Diagnostic>) -> Tier {
    let policies = cluster.network_policies.iter();
    let mut policies: Vec<Policy> = policies.map(|(id, policy)| read(id, policy, found)).collect();
    policies.extend(added.iter().map(|policy| read_new(policy, found)));
    Tier::new(TIER, Order::Union, policies)
}

/// Reads a policy that is not in the input.
pub(super) fn read_new(policy: &NetworkPolicy, found: &mut Vec<Diagnostic>) -> Policy {
    let id = ObjectId::new("NetworkPolicy", &policy.meta.namespace, &policy.meta.name);
    read(&id, policy, found)
}

/// The directions in which a policy isolates its pods, ingress first.
pub(super) fn types(policy: &NetworkPolicy) -> [bool; 2] {
    let spec = &policy.spec;
    match &spec.policy_types {
        Some(types) if !types.is_empty() => {
            ["Ingress", "Egress"].map(|wanted| types.iter().any(|kind| kind == wanted))
        }
        // As the API server defaults it:
        // https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/networking/v1/defaults.go
        _ => [true, spec.egress.as_ref().is_some_and(|rules| !rules.is_empty())],
    }
}

fn read(id: &ObjectId, policy: &NetworkPolicy, found: &mut Vec<Diagnostic>) -> Policy {
    let mut problems = Problems {
        id,
        meta: &policy.meta,
        found,
    };
    let isolates = types(policy);
    for (at, kind) in policy.spec.policy_types.iter().flatten().enumerate() {
        if kind != "Ingress" && kind != "Egress" {
            let message = format!("{kind} is no policy type");
            problems.invalid(
                &format!("/spec/policyTypes/{at}"),
                message,
                "it is ignored; use Ingress or Egress",
            );
        }
    }
    let mut rules = [Vec::new(), Vec::new()];
    let spec = &policy.spec;
    if isolates[0] {
        for (at, rule) in spec.ingress.iter().flatten().enumerate() {
            let lists = (rule.from.as_deref(), rule.ports.as_deref());
            rules[0].push(read_rule(id, Direction::Ingress, at, lists, &mut problems));
        }
    }
    if isolates[1] {
        for (at, rule) in spec.egress.iter().flatten().enumerate() {
            let lists = (rule.to.as_deref(), rule.ports.as_deref());
            rules[1].push(read_rule(id, Direction::Egress, at, lists, &mut problems));
        }
    }
    Policy {
        id: id.clone(),
        subjects: vec![PodSelector {
            namespaces: Namespaces::One(id.namespace.clone()),
            pods: (&spec.pod_selector).into(),
        }],
        isolates,
        rules,
    }
}

type Lists<'a> = (Option<&'a [PolicyPeer]>, Option<&'a [PolicyPort]>);

fn read_rule(
    id: &ObjectId,
    direction: Direction,
    at: usize,
    (peers, ports): Lists<'_>,
    problems: &mut Problems<'_>,
) -> PolicyRule {
    let pointer = format!("/spec/{direction}/{at}");
    let side = match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    let mut read_peers = Peers::default();
    match peers {
        None | Some([]) => read_peers.everyone = true,
        Some(peers) => {
            for (at, peer) in peers.iter().enumerate() {
                read_peer(
                    &id.namespace,
                    peer,
                    &format!("{pointer}/{side}/{at}"),
                    &mut read_peers,
                    problems,
                );
            }
        }
    }
    let ports = match ports {
        None | Some([]) => Ports::all(),
        Some(ports) => {
            let mut read = Ports::default();
            for (at, port) in ports.iter().enumerate() {
                read_port(port, &format!("{pointer}/ports/{at}"), &mut read, problems);
            }
            read
        }
    };
    PolicyRule {
        own: None,
        action: Action::Allow,
        peers: read_peers,
        ports,
        pointer: pointer.into(),
    }
}

fn read_peer(
    namespace: &Text,
    peer: &PolicyPeer,
    pointer: &str,
    peers: &mut Peers,
    problems: &mut Problems<'_>,
) {
    let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
    if let Some(block) = &peer.ip_block {
        if selects {
            problems.invalid(pointer, "ipBlock stands beside a selector", MATCHES_NOTHING);
        } else if let Some(block) = read_block(block, pointer, problems) {
            peers.blocks.push(block);
        }
        return;
    }
    if !selects {
        let message = "no field of this peer is set, or none that is known";
        problems.invalid(pointer, message, MATCHES_NOTHING);
        return;
    }
    let namespaces = match &peer.namespace_selector {
        Some(selector) => Namespaces::Where(selector.into()),
        None => Namespaces::One(namespace.clone()),
    };
    let pods = (peer.pod_selector.as_ref()).map_or(Expression::EVERYTHING, Expression::from);
    peers.pods.push(PodSelector { namespaces, pods });
}

fn read_block(block: &IpBlock, pointer: &str, problems: &mut Problems<'_>) -> Option<Block> {
    let within = match cidr(&block.cidr) {
        Ok(range) => range,
        Err(wrong) => {
            problems.invalid(&format!("{pointer}/ipBlock/cidr"), wrong, MATCHES_NOTHING);
            return None;
        }
    };
    let mut except = Vec::new();
    for (at, text) in block.except.iter().enumerate() {
        let pointer = format!("{pointer}/ipBlock/except/{at}");
        match cidr(text) {
            Ok(range) => {
                if !(within.contains(range.first()) && within.contains(range.last())) {
                    let message = format!("{text} does not lie in {}", block.cidr);
                    problems.invalid(
                        &pointer,
                        message,
                        "what lies in it is left out; the API server would refuse it",
                    );
                }
                except.push(range);
            }
            Err(wrong) => {
                problems.invalid(&pointer, wrong, "the whole ipBlock matches nothing; correct it");
                return None;
            }
        }
    }
    Some(Block {
        within: vec![within],
        except,
        in_cluster: InCluster::Plugin,
    })
}

fn read_port(port: &PolicyPort, pointer: &str, ports: &mut Ports, problems: &mut Problems<'_>) {
    let protocol = port.protocol.unwrap_or_default();
    let range = match (&port.port, port.end_port) {
        (None, None) => PortSet::protocol(protocol),
        (None, Some(_)) => {
            problems.invalid(pointer, "endPort without port", MATCHES_NOTHING);
            return;
        }
        (Some(PortReference::Name(_)), Some(_)) => {
            problems.invalid(pointer, "endPort beside a named port", MATCHES_NOTHING);
            return;
        }
        (Some(PortReference::Name(name)), None) => {
            ports.names.push(NamedPort {
                name: name.clone(),
                protocol: Some(protocol),
            });
            return;
        }
        (Some(PortReference::Number(from)), end) => {
            let to = end.unwrap_or(*from);
            if *from == 0 || to < *from {
                problems.invalid(
                    pointer,
                    format!("{from} to {to} is no range of ports"),
                    MATCHES_NOTHING,
                );
                return;
            }
            PortSet::range(protocol, *from, to)
        }
    };
    ports.numbers = ports.numbers.or(&range);
}
