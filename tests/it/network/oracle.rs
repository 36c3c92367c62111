//! One packet at a time, straight from the specification: slow, and written without the evaluator's ideas.

use std::net::IpAddr;

use beachhead::model::{
    AdminPeer, AdminPolicy, AdminPort, AdminProtocol, AdminRule, Cluster, IpBlock, LabelSelector, Labels,
    NamespacedPods, NetworkPolicy, Node, Pod, PolicyPeer, PolicyPort, PortReference, Protocol, Text,
};
use ipnet::IpNet;

/// One end of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum End<'a> {
    Pod(&'a Pod),
    Node(&'a Node),
    Outside(IpAddr),
}

/// What CIDRs match in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cidrs {
    /// Pods and nodes, in every kind of policy.
    Always,
    /// Pods and nodes in admin policies only, as the specification says of these.
    AdminOnly,
    /// Nothing.
    Never,
}

/// A packet; the address family is that of IPv6 or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) source: End<'a>,
    pub(super) target: End<'a>,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    pub(super) ipv6: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Oracle<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) cidrs: Cidrs,
    /// Whether what cannot be known of a policy lets packets through.
    pub(super) gaps: bool,
}

/// What a list of ordered rules says.
pub(super) enum Said {
    Allow,
    Deny,
    Pass,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Ingress,
    Egress,
}

impl<'a> Oracle<'a> {
    pub(super) fn allows(self, packet: Packet<'a>) -> bool {
        self.one_way(packet, Way::Egress) && self.one_way(packet, Way::Ingress) && self.istio(packet)
    }

    fn one_way(self, packet: Packet<'a>, way: Way) -> bool {
        let (subject, peer) = match way {
            Way::Ingress => (packet.target, packet.source),
            Way::Egress => (packet.source, packet.target),
        };
        let End::Pod(subject) = subject else {
            return true;
        };
        if subject.spec.is_host_network() {
            return true;
        }
        if self.has_calico() {
            return self.calico(packet, way, subject, peer);
        }
        match self.tier(packet, way, subject, peer, false) {
            Said::Allow => return true,
            Said::Deny => return false,
            Said::Pass | Said::Nothing => {}
        }
        let policies: Vec<&NetworkPolicy> = self
            .cluster
            .network_policies
            .values()
            .filter(|policy| {
                policy.meta.namespace == subject.meta.namespace
                    && policy.spec.pod_selector.matches(&subject.meta.labels)
                    && has_type(policy, way)
            })
            .collect();
        let cilium = self.cilium(packet, way, subject, peer);
        if cilium.denied {
            return false;
        }
        if cilium.allowed {
            return true;
        }
        if !policies.is_empty() || cilium.isolated {
            return policies
                .into_iter()
                .any(|policy| self.policy_allows(policy, packet, way, peer));
        }
        match self.tier(packet, way, subject, peer, true) {
            Said::Allow | Said::Pass | Said::Nothing => true,
            Said::Deny => false,
        }
    }

    pub(super) fn policy_allows(
        self,
        policy: &NetworkPolicy,
        packet: Packet<'a>,
        way: Way,
        peer: End<'a>,
    ) -> bool {
        let namespace = &policy.meta.namespace;
        let matches = |peers: &Option<Vec<PolicyPeer>>, ports: &Option<Vec<PolicyPort>>| {
            let peers = peers.as_deref().unwrap_or_default();
            let ports = ports.as_deref().unwrap_or_default();
            (peers.is_empty()
                || peers
                    .iter()
                    .any(|wanted| self.is_peer(wanted, namespace, peer, packet.ipv6)))
                && (ports.is_empty()
                    || ports.iter().any(|port| {
                        // A named port belongs to pods that the rule selects as pods.
                        let by_address = !peers.is_empty()
                            && !peers.iter().any(|wanted| {
                                wanted.ip_block.is_none()
                                    && self.is_peer(wanted, namespace, peer, packet.ipv6)
                            });
                        let is_named = matches!(port.port, Some(PortReference::Name(_)));
                        !(way == Way::Egress && is_named && by_address) && is_port(port, packet)
                    }))
        };
        match way {
            Way::Ingress => policy
                .spec
                .ingress
                .iter()
                .flatten()
                .any(|rule| matches(&rule.from, &rule.ports)),
            Way::Egress => policy
                .spec
                .egress
                .iter()
                .flatten()
                .any(|rule| matches(&rule.to, &rule.ports)),
        }
    }

    fn is_peer(self, wanted: &PolicyPeer, namespace: &Text, peer: End<'a>, ipv6: bool) -> bool {
        let selects = wanted.pod_selector.is_some() || wanted.namespace_selector.is_some();
        if let Some(block) = &wanted.ip_block {
            return !selects && self.in_block(block, peer, ipv6, self.cidrs == Cidrs::Always);
        }
        let End::Pod(pod) = peer else {
            return false;
        };
        let in_namespace = match &wanted.namespace_selector {
            Some(selector) => selector.matches(&self.namespace_labels(&pod.meta.namespace)),
            None => pod.meta.namespace == *namespace,
        };
        let labels = wanted
            .pod_selector
            .as_ref()
            .is_none_or(|selector| selector.matches(&pod.meta.labels));
        selects && !pod.spec.is_host_network() && in_namespace && labels
    }

    pub(super) fn namespace_labels(self, name: &Text) -> Labels {
        let labels = self
            .cluster
            .namespace(name)
            .map(|namespace| namespace.meta.labels.clone());
        labels
            .unwrap_or_default()
            .with("kubernetes.io/metadata.name", name)
    }

    fn in_block(self, block: &IpBlock, peer: End<'a>, ipv6: bool, matches_cluster: bool) -> bool {
        let Ok(net) = block.cidr.parse::<IpNet>() else {
            return false;
        };
        let except: Result<Vec<IpNet>, _> = block.except.iter().map(|text| text.parse()).collect();
        let Ok(except) = except else {
            return false;
        };
        let inside = |address: IpAddr| {
            address.is_ipv6() == ipv6
                && net.contains(&address)
                && !except.iter().any(|out| out.contains(&address))
        };
        let (addresses, is_inside) = match peer {
            End::Outside(address) => (vec![address], true),
            End::Node(node) => (node_addresses(node), false),
            End::Pod(pod) => (self.pod_addresses(pod), false),
        };
        if addresses.is_empty() {
            let networks = self.pod_networks();
            let covered = |range: &IpNet| {
                net.contains(range)
                    && !except
                        .iter()
                        .any(|out| out.contains(range) || range.contains(out))
            };
            return matches_cluster && networks.iter().all(covered);
        }
        (is_inside || matches_cluster) && addresses.into_iter().any(inside)
    }

    pub(super) fn pod_networks(self) -> Vec<IpNet> {
        let of_nodes = self
            .cluster
            .nodes
            .values()
            .filter_map(|node| node.spec.pod_cidr.parse().ok());
        let networks: Vec<IpNet> = of_nodes.collect();
        if networks.is_empty() {
            let private = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
            return private.iter().filter_map(|text| text.parse().ok()).collect();
        }
        networks
    }

    /// The addresses that packets of a pod carry.
    pub(super) fn pod_addresses(self, pod: &Pod) -> Vec<IpAddr> {
        let node = self
            .cluster
            .node(&pod.spec.node_name)
            .filter(|_| pod.spec.is_host_network());
        match node.map(node_addresses) {
            Some(addresses) if !addresses.is_empty() => addresses,
            _ => pod
                .status
                .pod_ips
                .iter()
                .filter_map(|ip| ip.ip.parse().ok())
                .collect(),
        }
    }

    /// The Admin or the Baseline tier.
    pub(super) fn tier(
        self,
        packet: Packet<'a>,
        way: Way,
        subject: &Pod,
        peer: End<'a>,
        baseline: bool,
    ) -> Said {
        let mut policies: Vec<&AdminPolicy> = Vec::new();
        for (id, policy) in &self.cluster.admin_policies {
            let is_baseline = id.kind == "BaselineAdminNetworkPolicy" || policy.spec.tier == "Baseline";
            if is_baseline == baseline && self.is_subject(policy, subject) {
                policies.push(policy);
            }
        }
        policies.sort_by_key(|policy| (policy.spec.priority.unwrap_or(0), policy.meta.name.clone()));
        for policy in policies {
            let rules = match way {
                Way::Ingress => &policy.spec.ingress,
                Way::Egress => &policy.spec.egress,
            };
            for rule in rules {
                match self.rule(rule, packet, way, peer) {
                    Said::Nothing => {}
                    said => return said,
                }
            }
        }
        Said::Nothing
    }

    fn is_subject(self, policy: &AdminPolicy, pod: &Pod) -> bool {
        let subject = &policy.spec.subject;
        match (&subject.namespaces, &subject.pods) {
            (Some(namespaces), None) => namespaces.matches(&self.namespace_labels(&pod.meta.namespace)),
            (None, Some(pods)) => self.is_selected(pods, pod),
            _ => false,
        }
    }

    fn is_selected(self, pods: &NamespacedPods, pod: &Pod) -> bool {
        pods.namespace_selector
            .matches(&self.namespace_labels(&pod.meta.namespace))
            && pods.pod_selector.matches(&pod.meta.labels)
    }

    fn rule(self, rule: &AdminRule, packet: Packet<'a>, way: Way, peer: End<'a>) -> Said {
        let peers = match way {
            Way::Ingress => &rule.from,
            Way::Egress => &rule.to,
        };
        let peers = peers.as_deref().unwrap_or_default();
        let allows = rule.action == "Allow" || rule.action == "Accept";
        let is_broken =
            peers.is_empty() || peers.iter().any(|peer| is_broken(peer, way)) || has_broken_port(rule);
        if is_broken {
            return if allows { Said::Nothing } else { Said::Deny };
        }
        let peer_matches = peers
            .iter()
            .any(|wanted| self.is_admin_peer(wanted, peer, packet.ipv6));
        let by_selector = peers.iter().any(|wanted| {
            (wanted.namespaces.is_some() || wanted.pods.is_some())
                && self.is_admin_peer(wanted, peer, packet.ipv6)
        });
        let named = way == Way::Ingress || by_selector;
        if !(peer_matches && is_admin_port(rule, packet, named)) {
            return Said::Nothing;
        }
        match rule.action.as_str() {
            "Allow" | "Accept" => Said::Allow,
            "Pass" => Said::Pass,
            _ => Said::Deny,
        }
    }

    fn is_admin_peer(self, wanted: &AdminPeer, peer: End<'a>, ipv6: bool) -> bool {
        let nodes = |selector: &LabelSelector| match peer {
            End::Node(node) => selector.matches(&node.meta.labels),
            End::Pod(pod) if pod.spec.is_host_network() => match self.cluster.node(&pod.spec.node_name) {
                Some(node) => selector.matches(&node.meta.labels),
                None => selector.is_empty(),
            },
            _ => false,
        };
        if let Some(selector) = &wanted.nodes {
            return nodes(selector);
        }
        let in_network = |cidr: &Text| {
            let block = IpBlock {
                cidr: cidr.clone(),
                except: Vec::new(),
            };
            self.in_block(&block, peer, ipv6, self.cidrs != Cidrs::Never)
        };
        if let Some(networks) = &wanted.networks {
            return networks.iter().any(in_network);
        }
        let End::Pod(pod) = peer else {
            return false;
        };
        let selected = match (&wanted.namespaces, &wanted.pods) {
            (Some(namespaces), _) => namespaces.matches(&self.namespace_labels(&pod.meta.namespace)),
            (_, Some(pods)) => self.is_selected(pods, pod),
            _ => false,
        };
        selected && !pod.spec.is_host_network()
    }
}

pub(super) fn has_type(policy: &NetworkPolicy, way: Way) -> bool {
    match (policy.spec.policy_types.as_deref(), way) {
        (Some(types @ [_, ..]), Way::Ingress) => types.iter().any(|kind| kind == "Ingress"),
        (Some(types @ [_, ..]), Way::Egress) => types.iter().any(|kind| kind == "Egress"),
        (_, Way::Ingress) => true,
        (_, Way::Egress) => policy.spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
    }
}

fn is_port(wanted: &PolicyPort, packet: Packet<'_>) -> bool {
    let protocol = wanted.protocol.unwrap_or(Protocol::Tcp);
    if protocol != packet.protocol {
        return false;
    }
    match (&wanted.port, wanted.end_port) {
        (None, None) => true,
        (Some(PortReference::Number(port)), None) => *port == packet.port,
        (Some(PortReference::Number(port)), Some(end)) => *port <= packet.port && packet.port <= end,
        (Some(PortReference::Name(name)), None) => has_named_port(packet, name, Some(protocol)),
        (None | Some(PortReference::Name(_)), Some(_)) => false,
    }
}

pub(super) fn has_named_port(packet: Packet<'_>, name: &Text, protocol: Option<Protocol>) -> bool {
    let End::Pod(pod) = packet.target else {
        return false;
    };
    let sidecars = pod
        .spec
        .init_containers
        .iter()
        .filter(|container| container.restart_policy == "Always");
    let mut ports = pod
        .spec
        .containers
        .iter()
        .chain(sidecars)
        .flat_map(|container| &container.ports);
    !pod.spec.is_host_network()
        && ports.any(|port| {
            port.name == *name
                && port.container_port == packet.port
                && port.protocol == packet.protocol
                && protocol.is_none_or(|protocol| protocol == port.protocol)
        })
}

fn is_broken(peer: &AdminPeer, way: Way) -> bool {
    let set = [
        peer.namespaces.is_some(),
        peer.pods.is_some(),
        peer.nodes.is_some(),
        peer.networks.is_some(),
    ];
    let count = set.iter().filter(|set| **set).count();
    let bad_network = peer
        .networks
        .iter()
        .flatten()
        .any(|text| text.parse::<IpNet>().is_err());
    count != 1 || bad_network || (way == Way::Ingress && (set[2] || set[3]))
}

fn has_broken_port(rule: &AdminRule) -> bool {
    let port = |port: &AdminPort| match (&port.port_number, &port.port_range, &port.named_port) {
        (Some(number), None, None) => number.port == 0,
        (None, Some(range), None) => range.start > range.end,
        (None, None, Some(_)) => false,
        _ => true,
    };
    let destination = |protocol: &AdminProtocol| {
        let all = [&protocol.tcp, &protocol.udp, &protocol.sctp];
        let mut given = all.into_iter().flatten();
        let first = given.next();
        match (first, given.next(), &protocol.destination_named_port) {
            (Some(one), None, None) => {
                one.destination_port
                    .as_ref()
                    .is_some_and(|port| match (port.number, &port.range) {
                        (Some(number), None) => number == 0,
                        (None, Some(range)) => range.start > range.end,
                        _ => true,
                    })
            }
            (None, None, Some(_)) => false,
            _ => true,
        }
    };
    rule.ports.iter().flatten().any(port) || rule.protocols.iter().flatten().any(destination)
}

fn is_admin_port(rule: &AdminRule, packet: Packet<'_>, named: bool) -> bool {
    let ports = rule.ports.as_deref().unwrap_or_default();
    let protocols = rule.protocols.as_deref().unwrap_or_default();
    let port = |port: &AdminPort| {
        let number = port.port_number.as_ref();
        let range = port.port_range.as_ref();
        number.is_some_and(|number| number.protocol == packet.protocol && number.port == packet.port)
            || range.is_some_and(|range| {
                range.protocol == packet.protocol && range.start <= packet.port && packet.port <= range.end
            })
            || (named
                && port
                    .named_port
                    .as_ref()
                    .is_some_and(|name| has_named_port(packet, name, None)))
    };
    let protocol = |protocol: &AdminProtocol| {
        let destination = match packet.protocol {
            Protocol::Tcp => &protocol.tcp,
            Protocol::Udp => &protocol.udp,
            Protocol::Sctp => &protocol.sctp,
        };
        let by_number = destination
            .as_ref()
            .is_some_and(|destination| match &destination.destination_port {
                None => true,
                Some(port) => {
                    port.number == Some(packet.port)
                        || port
                            .range
                            .as_ref()
                            .is_some_and(|range| range.start <= packet.port && packet.port <= range.end)
                }
            });
        let name = protocol.destination_named_port.as_ref();
        by_number || (named && name.is_some_and(|name| has_named_port(packet, name, None)))
    };
    (ports.is_empty() && protocols.is_empty()) || ports.iter().any(port) || protocols.iter().any(protocol)
}

/// The addresses of a node.
pub(super) fn node_addresses(node: &Node) -> Vec<IpAddr> {
    node.status
        .addresses
        .iter()
        .filter_map(|known| known.address.parse().ok())
        .collect()
}
