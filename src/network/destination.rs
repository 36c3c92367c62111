//! Destinations that matter by themselves: the API server, cloud metadata, any address.
//!
//! **Trap.** The API server is no pod to policies: its address is a node's or a load balancer's, so no pod
//! selector ever lets a packet to it out. Its Service's address is translated before policies look.

use std::net::IpAddr;

use super::address::{Block, InCluster, cidr};
use super::policy::Peers;
use super::selector::Expression;
use super::universe::{Unit, node_addresses};
use super::{Allowed, Direction, Network, UnitSet, Verdict};
use crate::model::{Cluster, Node, ObjectId, Protocol, Text};

/// Ports that API servers listen on where the input does not say.
const USUAL_PORTS: [u16; 2] = [443, 6443];

/// Where clouds serve metadata, and with it credentials of the node: AWS, Azure, Google and OpenStack alike.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html>
const METADATA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254));

/// Why it is not known whether a rule about the API server matches.
const SERVER_IS_THERE: &str = "the API server is there";

/// Labels of nodes that carry the control plane, the newer one first.
///
/// Source: <https://kubernetes.io/docs/reference/labels-annotations-taints/#node-role-kubernetes-io-control-plane>
const CONTROL_PLANE: [&str; 2] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
];

/// Where the API server listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiServer {
    /// Its addresses and ports, as far as the input tells.
    pub addresses: Vec<(IpAddr, u16)>,
    /// The object that tells.
    pub object: Option<ObjectId>,
}

/// The units of destinations, found once.
#[derive(Clone, Debug, Default)]
pub(super) struct Destinations {
    server: ApiServer,
    /// The units of the API server's addresses, with the ports there.
    listening: Vec<(usize, u16)>,
    /// Where an API server may be of which no address is known: nodes, and IPv4 addresses outside.
    candidates: UnitSet,
    /// The addresses of nodes, sorted, with the node's unit.
    nodes: Vec<(IpAddr, usize)>,
    metadata: Option<usize>,
}

impl ApiServer {
    /// Reads the endpoints of the Service `default/kubernetes`, which the API server writes itself.
    pub fn new(cluster: &Cluster) -> Self {
        let slices = cluster.endpoint_slices.iter().filter(|(id, slice)| {
            let service = slice.meta.labels.get("kubernetes.io/service-name");
            id.namespace == "default" && service.is_some_and(|name| name == "kubernetes")
        });
        let mut found = Self::default();
        for (id, slice) in slices {
            let addresses = slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
            let ports: Vec<u16> = slice.ports.iter().filter_map(|port| port.port).collect();
            found.add(id, addresses.map(Text::as_str), &ports);
        }
        if found.object.is_some() {
            return found;
        }
        let id = ObjectId::new("Endpoints", "default", "kubernetes");
        let subsets = cluster.endpoints.by_id(&id).map(|endpoints| &endpoints.subsets);
        for subset in subsets.into_iter().flatten() {
            let addresses = subset.addresses.iter().map(|address| address.ip.as_str());
            let ports: Vec<u16> = subset.ports.iter().filter_map(|port| port.port).collect();
            found.add(&id, addresses, &ports);
        }
        found
    }

    fn add<'a>(&mut self, id: &ObjectId, addresses: impl Iterator<Item = &'a str>, ports: &[u16]) {
        for address in addresses.filter_map(|address| address.parse::<IpAddr>().ok()) {
            for &port in ports {
                self.addresses.push((address, port));
                self.object.get_or_insert_with(|| id.clone());
            }
        }
    }

    /// Whether the API server runs on a node: surely, or perhaps.
    ///
    /// Where no address is known, a node that carries the control plane perhaps runs it.
    pub fn runs_on(&self, node: &Node) -> Verdict {
        let own = node_addresses(node);
        if self.addresses.iter().any(|(address, _)| own.contains(address)) {
            return Verdict::Allowed;
        }
        let labelled = CONTROL_PLANE.iter().any(|label| node.meta.labels.contains(label));
        if self.addresses.is_empty() && labelled {
            Verdict::Unknown
        } else {
            Verdict::Denied
        }
    }
}

/// Where an API server may be of which no address is known: on a node, or outside; as a sender it is one of the
/// nodes, since whoever sends from the internet is not it.
pub(super) fn unknown_server(direction: Direction) -> Peers {
    let everywhere = [("0.0.0.0/0", "169.254.0.0/16"), ("::/0", "fe80::/10")];
    let ranges = |text: &str| cidr(text).into_iter().collect::<Vec<_>>();
    let blocks = everywhere.map(|(within, local)| Block {
        within: ranges(within),
        except: ranges(local),
        in_cluster: InCluster::Never,
    });
    Peers {
        nodes: vec![Expression::EVERYTHING],
        blocks: match direction {
            Direction::Egress => blocks.to_vec(),
            Direction::Ingress => Vec::new(),
        },
        unsure: Some(SERVER_IS_THERE),
        ..Peers::default()
    }
}

impl Destinations {
    /// Finds the units, of which `pods` come first and are groups of pods.
    pub(super) fn new(cluster: &Cluster, units: &[Unit], pods: usize) -> Self {
        let others = || units.iter().enumerate().skip(pods);
        let names = others().filter_map(|(number, unit)| match unit {
            Unit::Nodes(names) => Some(names.iter().map(move |name| (name, number))),
            _ => None,
        });
        let mut nodes: Vec<(IpAddr, usize)> = Vec::new();
        for (node, unit) in names
            .flatten()
            .filter_map(|(name, unit)| Some((cluster.node(name)?, unit)))
        {
            nodes.extend(node_addresses(node).into_iter().map(|address| (address, unit)));
        }
        nodes.sort_unstable();
        let candidates = others().filter(|(_, unit)| match unit {
            Unit::Nodes(_) => true,
            Unit::Range(range) => !range.is_ipv6(),
            _ => false,
        });
        let mut found = Self {
            server: ApiServer::new(cluster),
            listening: Vec::new(),
            candidates: candidates.map(|(number, _)| number).collect(),
            nodes,
            metadata: None,
        };
        let at = |address| found.unit_at(units, pods, address);
        let listening = found.server.addresses.iter();
        let listening = listening.filter_map(|&(address, port)| Some((at(address)?, port)));
        let (mut listening, metadata): (Vec<_>, _) = (listening.collect(), at(METADATA));
        listening.sort_unstable();
        listening.dedup();
        found.listening = listening;
        found.metadata = metadata;
        found
    }

    /// Lets every number of a unit follow, none of which is a group's.
    pub(super) fn renumber(&mut self, starts: &[usize]) {
        let listening = self.listening.iter_mut().map(|(unit, _)| unit);
        let nodes = self.nodes.iter_mut().map(|(_, unit)| unit);
        for unit in listening.chain(nodes).chain(&mut self.metadata) {
            *unit = starts[*unit];
        }
        self.candidates = self.candidates.spread(starts);
    }

    fn unit_at(&self, units: &[Unit], pods: usize, address: IpAddr) -> Option<usize> {
        let place = self.nodes.partition_point(|(known, _)| *known < address);
        if let Some((known, unit)) = self.nodes.get(place)
            && *known == address
        {
            return Some(*unit);
        }
        let holds = |unit: &Unit| matches!(unit, Unit::Range(range) if range.contains(address));
        Some(pods + units.iter().skip(pods).position(holds)?)
    }
}

impl Network {
    /// Where the API server listens, as far as the input tells.
    pub fn api_server(&self) -> &ApiServer {
        &self.destinations.server
    }

    /// Whether pods of a group may send to the API server, and what lets them.
    ///
    /// Where its address is not in the input, the answer is known only if policies treat every address outside
    /// and every node alike.
    pub fn to_api_server(&self, group: usize) -> (Verdict, Option<Allowed>) {
        let known = &self.destinations.listening;
        if known.is_empty() {
            return self.to_somewhere(group, Protocol::Tcp, &USUAL_PORTS);
        }
        let answers = known
            .iter()
            .map(|&(unit, port)| self.to_unit(group, unit, Protocol::Tcp, port));
        let best = answers.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.unwrap_or((Verdict::Unknown, None))
    }

    /// Whether pods of a group may send to a port at an address outside of which only a name is known: allowed if policies
    /// let packets out to every address, denied if to none.
    pub fn to_outside(&self, group: usize, protocol: Protocol, port: u16) -> Verdict {
        self.to_somewhere(group, protocol, &[port]).0
    }

    fn to_somewhere(&self, group: usize, protocol: Protocol, ports: &[u16]) -> (Verdict, Option<Allowed>) {
        let candidates = &self.destinations.candidates;
        let (mut all, mut any) = (true, None);
        for &port in ports {
            let (sure, perhaps) = self.peers(Direction::Egress, group, protocol, port);
            all &= candidates.minus(&sure).is_empty();
            let reached = candidates.and(&sure.or(&perhaps)).first();
            any = any.or(reached.map(|unit| (unit, port)));
        }
        let Some((unit, port)) = any else {
            return (Verdict::Denied, None);
        };
        let (_, by) = self.to_unit(group, unit, protocol, port);
        (if all { Verdict::Allowed } else { Verdict::Unknown }, by)
    }

    /// Whether pods of a group may send to the cloud's metadata service, `169.254.169.254` on TCP port 80, and
    /// what lets them.
    ///
    /// Whether there is such a service, and whether it answers pods, is for the cloud to say.
    pub fn to_cloud_metadata(&self, group: usize) -> (Verdict, Option<Allowed>) {
        let unit = self.destinations.metadata;
        unit.map_or((Verdict::Unknown, None), |unit| {
            self.to_unit(group, unit, Protocol::Tcp, 80)
        })
    }

    /// Whether pods of a group may send to a port at an address, a node's or one outside the cluster.
    ///
    /// # Complexity
    /// O(blocks of addresses that policies name).
    pub fn to_address(&self, group: usize, address: IpAddr, protocol: Protocol, port: u16) -> Verdict {
        let unit = self.destinations.unit_at(&self.units, self.groups.len(), address);
        unit.map_or(Verdict::Unknown, |unit| self.verdict(group, unit, protocol, port))
    }

    fn to_unit(
        &self,
        group: usize,
        unit: usize,
        protocol: Protocol,
        port: u16,
    ) -> (Verdict, Option<Allowed>) {
        let meant = self.atoms(Direction::Egress, group).filter(|atom| {
            self.tables.units(atom.peers).contains(unit)
                && self.tables.ports(atom.ports).contains(protocol, port)
        });
        let best = meant.min_by_key(|atom| (atom.doubtful, atom.cause));
        let by = best.map(|atom| self.allowed(atom.cause, Direction::Egress));
        (self.verdict(group, unit, protocol, port), by)
    }

    /// For each group a policy that isolates it in a direction, the first one; none if no policy does.
    ///
    /// # Complexity
    /// O(policies × groups that they select).
    pub fn isolating(&self, direction: Direction) -> Vec<Option<&ObjectId>> {
        let mut first = vec![None; self.groups.len()];
        let levels = self.sides[direction as usize].levels.iter();
        for (policy, subjects) in levels.flat_map(|level| &level.isolating) {
            for group in self.tables.units(*subjects).iter() {
                if let Some(slot) = first.get_mut(group) {
                    slot.get_or_insert(&self.policies[*policy].id);
                }
            }
        }
        first
    }
}
