//! AdminNetworkPolicy and BaselineAdminNetworkPolicy of `policy.networking.k8s.io/v1alpha1`, and
//! ClusterNetworkPolicy of `v1alpha2`.
//!
//! **Trap.** These policies isolate nothing: what no rule matches goes on to the next tier. Unlike an ipBlock,
//! `networks` match pods too: "if you allow or deny traffic to 0.0.0.0/0, that will allow or deny all IPv4
//! pod-to-pod traffic as well". Source: <https://network-policy-api.sigs.k8s.io/reference/spec/>

use super::address::{Block, InCluster, cidr};
use super::policy::{Action, Direction, NamedPort, Order, Peers, Policy, PolicyRule, Ports, Tier};
use super::ports::PortSet;
use super::problems::Problems;
use super::selector::{Expression, Namespaces, PodSelector};
use crate::model::{
    AdminDestination, AdminPeer, AdminPolicy, AdminPort, AdminProtocol, AdminRule, AdminSubject, Cluster,
    Diagnostic, NamespacedPods, ObjectId, Protocol,
};

/// Largest priority that the API takes.
const LAST_PRIORITY: i32 = 1_000;
/// What is done about a peer or port that has no meaning.
const CLOSED: &str = "an Allow or Accept then matches nothing, a Deny or Pass denies all; correct it";

/// The tiers before and after NetworkPolicies.
pub(super) struct AdminTiers {
    pub(super) admin: Tier,
    pub(super) baseline: Tier,
}

/// Reads the admin policies of all kinds.
pub(super) fn tiers(cluster: &Cluster, found: &mut Vec<Diagnostic>) -> AdminTiers {
    let mut sorted: [Vec<(i32, Policy)>; 2] = [Vec::new(), Vec::new()];
    for (id, policy) in &cluster.admin_policies {
        let mut problems = Problems {
            id,
            meta: &policy.meta,
            found,
        };
        let is_baseline = is_baseline(id, policy, &mut problems);
        let priority = priority(id, policy, &mut problems);
        let read = read(id, policy, is_baseline, &mut problems);
        sorted[usize::from(is_baseline)].push((priority, read));
    }
    let [admin, baseline] = sorted.map(|mut policies| {
        // By name among equals: the kinds do not say which of them comes first.
        policies.sort_by(|(a, p), (b, q)| (a, &p.id.name, &p.id.kind).cmp(&(b, &q.id.name, &q.id.kind)));
        for pair in policies.windows(2) {
            warn_of_equals(cluster, &pair[0], &pair[1], found);
        }
        policies.into_iter().map(|(_, policy)| policy).collect()
    });
    AdminTiers {
        admin: Tier::new("Admin", Order::FirstMatch, admin),
        baseline: Tier::new("Baseline", Order::FirstMatch, baseline),
    }
}

fn is_baseline(id: &ObjectId, policy: &AdminPolicy, problems: &mut Problems<'_>) -> bool {
    match (id.kind.as_str(), policy.spec.tier.as_str()) {
        ("BaselineAdminNetworkPolicy", _) => {
            if id.name != "default" {
                let message = "the only BaselineAdminNetworkPolicy there may be is called default";
                problems.invalid("/metadata/name", message, "it is taken to count; rename it");
            }
            true
        }
        ("ClusterNetworkPolicy", "Baseline") => true,
        ("ClusterNetworkPolicy", "Admin") | ("AdminNetworkPolicy", _) => false,
        (_, tier) => {
            let message = format!("`{tier}` is no tier");
            problems.invalid(
                "/spec/tier",
                message,
                "it is read as Admin; use Admin or Baseline",
            );
            false
        }
    }
}

fn priority(id: &ObjectId, policy: &AdminPolicy, problems: &mut Problems<'_>) -> i32 {
    if id.kind == "BaselineAdminNetworkPolicy" {
        return 0;
    }
    match policy.spec.priority {
        Some(priority) if (0..=LAST_PRIORITY).contains(&priority) => priority,
        Some(priority) => {
            let message = format!("{priority} is not a priority from 0 to {LAST_PRIORITY}");
            problems.invalid("/spec/priority", message, "it is taken as it stands; correct it");
            priority
        }
        None => {
            problems.invalid(
                "/spec/priority",
                "no priority",
                "the policy is taken to come last; set one",
            );
            LAST_PRIORITY
        }
    }
}

/// Two policies of one priority whose rules overlap have no defined order.
fn warn_of_equals(
    cluster: &Cluster,
    first: &(i32, Policy),
    second: &(i32, Policy),
    found: &mut Vec<Diagnostic>,
) {
    if first.0 == second.0
        && let Some(policy) = cluster.admin_policies.by_id(&second.1.id)
    {
        let mut problems = Problems {
            id: &second.1.id,
            meta: &policy.meta,
            found,
        };
        let message = format!("{} has the same priority {}", first.1.id, first.0);
        let hint = "the one whose name comes first is taken to come first; where they overlap the order is undefined";
        problems.invalid("/spec/priority", message, hint);
    }
}

fn read(id: &ObjectId, policy: &AdminPolicy, is_baseline: bool, problems: &mut Problems<'_>) -> Policy {
    let mut rules = [Vec::new(), Vec::new()];
    let reader = Reader {
        is_cluster: id.kind == "ClusterNetworkPolicy",
        is_baseline,
    };
    let lists = [&policy.spec.ingress, &policy.spec.egress];
    for ((direction, list), rules) in Direction::BOTH.into_iter().zip(lists).zip(&mut rules) {
        for (at, rule) in list.iter().enumerate() {
            rules.extend(reader.rule(direction, &format!("/spec/{direction}/{at}"), rule, problems));
        }
    }
    Policy {
        id: id.clone(),
        subjects: subject(&policy.spec.subject, problems).into_iter().collect(),
        isolates: [false, false],
        rules,
    }
}

fn namespaced(pods: &NamespacedPods) -> PodSelector {
    PodSelector {
        namespaces: Namespaces::Where((&pods.namespace_selector).into()),
        pods: (&pods.pod_selector).into(),
    }
}

fn subject(subject: &AdminSubject, problems: &mut Problems<'_>) -> Option<PodSelector> {
    match (&subject.namespaces, &subject.pods) {
        (Some(namespaces), None) => Some(PodSelector::of_namespaces(namespaces)),
        (None, Some(pods)) => Some(namespaced(pods)),
        (None, None) | (Some(_), Some(_)) => {
            let message = "exactly one of namespaces and pods must be set";
            problems.invalid(
                "/spec/subject",
                message,
                "the policy applies to no pod; correct it",
            );
            None
        }
    }
}

#[derive(Clone, Copy)]
struct Reader {
    /// Whether it is a ClusterNetworkPolicy.
    is_cluster: bool,
    is_baseline: bool,
}

impl Reader {
    fn rule(
        self,
        direction: Direction,
        pointer: &str,
        rule: &AdminRule,
        problems: &mut Problems<'_>,
    ) -> Option<PolicyRule> {
        let action = self.action(rule, pointer, problems);
        let (side, list) = match direction {
            Direction::Ingress => ("from", &rule.from),
            Direction::Egress => ("to", &rule.to),
        };
        let mut peers = Peers::default();
        let mut closed = false;
        if list.as_ref().is_none_or(Vec::is_empty) {
            problems.invalid(&format!("{pointer}/{side}"), "no peer", CLOSED);
            closed = true;
        }
        for (at, peer) in list.iter().flatten().enumerate() {
            let pointer = format!("{pointer}/{side}/{at}");
            closed |= !read_peer(direction, action, peer, &pointer, &mut peers, problems);
        }
        let mut ports = Ports::default();
        closed |= !self.ports(rule, pointer, &mut ports, problems);
        let pointer = pointer.into();
        match (closed, action) {
            (false, action) => Some(PolicyRule {
                own: None,
                action,
                peers,
                ports,
                pointer,
            }),
            (true, Action::Allow) => None,
            (true, Action::Deny | Action::Pass) => Some(PolicyRule {
                own: None,
                action: Action::Deny,
                peers: Peers::everyone(),
                ports: Ports::all(),
                pointer,
            }),
        }
    }

    fn action(self, rule: &AdminRule, pointer: &str, problems: &mut Problems<'_>) -> Action {
        let allow = if self.is_cluster { "Accept" } else { "Allow" };
        match rule.action.as_str() {
            action if action == allow => Action::Allow,
            "Deny" => Action::Deny,
            "Pass" if self.is_cluster || !self.is_baseline => Action::Pass,
            action => {
                let message = format!("`{action}` is no action");
                let hint = format!("it is read as Deny; use {allow}, Deny or Pass");
                problems.invalid(&format!("{pointer}/action"), message, &hint);
                Action::Deny
            }
        }
    }

    /// Reads the ports; false if one of them has no meaning.
    fn ports(self, rule: &AdminRule, pointer: &str, ports: &mut Ports, problems: &mut Problems<'_>) -> bool {
        let mut understood = true;
        let (list, has_any) = if self.is_cluster {
            (
                "protocols",
                rule.protocols.as_ref().is_some_and(|list| !list.is_empty()),
            )
        } else {
            ("ports", rule.ports.as_ref().is_some_and(|list| !list.is_empty()))
        };
        if !has_any {
            *ports = Ports::all();
            return true;
        }
        let mut add = |at: usize, read: bool| {
            if !read {
                let message = "not exactly one known kind of port, or not a range of ports";
                problems.invalid(&format!("{pointer}/{list}/{at}"), message, CLOSED);
                understood = false;
            }
        };
        if self.is_cluster {
            for (at, protocol) in rule.protocols.iter().flatten().enumerate() {
                add(at, read_protocol(protocol, ports).is_some());
            }
        } else {
            for (at, port) in rule.ports.iter().flatten().enumerate() {
                add(at, read_port(port, ports).is_some());
            }
        }
        understood
    }
}

/// Reads a peer; false if none of its fields has a meaning.
fn read_peer(
    direction: Direction,
    action: Action,
    peer: &AdminPeer,
    pointer: &str,
    peers: &mut Peers,
    problems: &mut Problems<'_>,
) -> bool {
    let set = [
        peer.namespaces.is_some(),
        peer.pods.is_some(),
        peer.nodes.is_some(),
        peer.networks.is_some(),
        peer.domain_names.is_some(),
    ];
    if set.iter().filter(|set| **set).count() != 1 {
        problems.invalid(pointer, "not exactly one known kind of peer", CLOSED);
        return false;
    }
    if let Some(namespaces) = &peer.namespaces {
        peers.pods.push(PodSelector::of_namespaces(namespaces));
    }
    peers.pods.extend(peer.pods.as_ref().map(namespaced));
    if direction == Direction::Ingress {
        let selects = peer.namespaces.is_some() || peer.pods.is_some();
        if !selects {
            problems.invalid(
                pointer,
                "nodes, networks and domain names are peers of egress only",
                CLOSED,
            );
        }
        return selects;
    }
    peers.nodes.extend(peer.nodes.as_ref().map(Expression::from));
    for (at, network) in peer.networks.iter().flatten().enumerate() {
        match cidr(network) {
            Ok(range) => peers.blocks.push(Block {
                within: vec![range],
                except: Vec::new(),
                in_cluster: InCluster::Matches,
            }),
            Err(wrong) => {
                problems.invalid(&format!("{pointer}/networks/{at}"), wrong, CLOSED);
                return false;
            }
        }
    }
    if peer.domain_names.is_some() && action != Action::Allow {
        problems.invalid(pointer, "domain names can only be accepted", CLOSED);
        return false;
    }
    peers.domains.extend(peer.domain_names.iter().flatten().cloned());
    true
}

fn read_port(port: &AdminPort, ports: &mut Ports) -> Option<()> {
    let range = match (&port.port_number, &port.port_range, &port.named_port) {
        (Some(number), None, None) => PortSet::range(number.protocol, number.port, number.port),
        (None, Some(range), None) => PortSet::range(range.protocol, range.start, range.end),
        (None, None, Some(name)) => {
            ports.names.push(NamedPort {
                name: name.clone(),
                protocol: None,
            });
            return Some(());
        }
        _ => return None,
    };
    ports.numbers = ports.numbers.or(&range);
    (!range.is_empty()).then_some(())
}

fn read_protocol(written: &AdminProtocol, ports: &mut Ports) -> Option<()> {
    let set = [
        (Protocol::Tcp, &written.tcp),
        (Protocol::Udp, &written.udp),
        (Protocol::Sctp, &written.sctp),
    ];
    let mut set = set
        .into_iter()
        .filter_map(|(protocol, destination)| Some((protocol, destination.as_ref()?)));
    match (set.next(), set.next(), &written.destination_named_port) {
        (Some((protocol, destination)), None, None) => {
            let range = destination_ports(protocol, destination)?;
            ports.numbers = ports.numbers.or(&range);
        }
        (None, None, Some(name)) => ports.names.push(NamedPort {
            name: name.clone(),
            protocol: None,
        }),
        _ => return None,
    }
    Some(())
}

fn destination_ports(protocol: Protocol, destination: &AdminDestination) -> Option<PortSet> {
    let Some(port) = &destination.destination_port else {
        return Some(PortSet::protocol(protocol));
    };
    let range = match (port.number, &port.range) {
        (Some(number), None) => PortSet::range(protocol, number, number),
        (None, Some(range)) => PortSet::range(protocol, range.start, range.end),
        _ => return None,
    };
    (!range.is_empty()).then_some(range)
}
