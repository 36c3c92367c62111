//! One question: does this reach that, on this port, and who decides.
//!
//! **Trap.** A name may stand for pods of several groups, and the groups need not agree: the answer is a list.

use std::net::IpAddr;

use super::address::is_private;
use super::service::{Services, Wanted};
use super::universe::{Unit, addresses, node_addresses};
use super::walk::Walk;
use super::{Exposure, Network, Outside, PortSet, Verdict};
use crate::model::{Cluster, ObjectId, Pod, Protocol, Text};

/// An end of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is called in the answer.
    pub name: String,
    /// Its unit.
    pub unit: usize,
    /// The pods meant, by position in [`Cluster::pods`]; none if it is no pod.
    pub pods: Vec<usize>,
    /// For a Service: its port, and the pods' port behind it.
    pub behind: Vec<(Protocol, u16, u16)>,
    /// The node that it is.
    pub node: Option<Text>,
    /// Whether it stands for the internet as a whole.
    pub internet: bool,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Who sends.
    pub source: String,
    /// Who receives.
    pub target: String,
    /// The port that the walk is about.
    pub port: (Protocol, u16),
    /// Whether it passes.
    pub verdict: Verdict,
    /// Every port that passes.
    pub ports: PortSet,
    /// Every port that perhaps passes besides.
    pub perhaps: PortSet,
    /// What happens in both directions.
    pub walks: [Walk; 2],
    /// The ways in from outside, when the internet asks.
    pub ways: Vec<Exposure>,
    /// What else is to be known.
    pub note: Option<&'static str>,
}

const OWN_NODE: &str = "traffic between a pod and its own node is always allowed";
const SAME_NODE_UNKNOWN: &str = "allowed in any case if both run on the same node: traffic between a pod and its own node is always allowed";
const NO_WAY: &str = "no Service, Ingress, Gateway, Route or host port leads there from the internet";

impl Network {
    /// Returns what a name stands for: `Internet`, an address, or the id of a pod, workload, namespace, node or
    /// Service; nothing if the input knows no such thing.
    pub fn places(&self, cluster: &Cluster, name: &str) -> Vec<Place> {
        if name == "Internet" {
            return self.internet().into_iter().collect();
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.at_address(cluster, address).into_iter().collect();
        }
        match name.split('/').collect::<Vec<_>>().as_slice() {
            ["Node", node] => self.node(node).into_iter().collect(),
            ["Service", namespace, service] => self.behind_service(cluster, namespace, service),
            _ => {
                let is_meant = |id: &ObjectId, pod: &Pod| {
                    name == id.to_string()
                        || name
                            .strip_prefix("Namespace/")
                            .is_some_and(|namespace| id.namespace == *namespace)
                        || cluster.workload_of(pod).to_string() == name
                };
                let pods = cluster.pods.iter().enumerate();
                let pods = pods
                    .filter(|(_, (id, pod))| is_meant(id, pod))
                    .map(|(index, _)| index);
                self.by_group(cluster, pods.collect())
            }
        }
    }

    /// Pods by group, each with the name of its workload.
    fn by_group(&self, cluster: &Cluster, pods: Vec<usize>) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for index in pods {
            let (Some(group), Some((_, pod))) = (self.group_of(index), cluster.pods.at(index)) else {
                continue;
            };
            let name = cluster.workload_of(pod).to_string();
            match places
                .iter_mut()
                .find(|place| place.unit == group && place.name == name)
            {
                Some(place) => place.pods.push(index),
                None => places.push(Place {
                    pods: vec![index],
                    ..Place::new(name, group)
                }),
            }
        }
        places
    }

    /// The widest range of public addresses stands for the internet.
    fn internet(&self) -> Option<Place> {
        let ranges = self
            .units
            .iter()
            .enumerate()
            .filter_map(|(number, unit)| match unit {
                Unit::Range(range) if !range.is_ipv6() && !is_private(range.last()) => Some((number, range)),
                Unit::Range(range) if !range.is_ipv6() && range.contains(IpAddr::from([1, 1, 1, 1])) => {
                    Some((number, range))
                }
                _ => None,
            });
        let (unit, _) = ranges.max_by_key(|(_, range)| range.size())?;
        Some(Place {
            internet: true,
            ..Place::new("Internet".to_owned(), unit)
        })
    }

    fn at_address(&self, cluster: &Cluster, address: IpAddr) -> Option<Place> {
        let has =
            |pod: &Pod| !pod.spec.is_host_network() && !pod.has_ended() && addresses(pod).contains(&address);
        let pod = cluster.pods.values().position(has);
        if let Some(place) = pod.and_then(|pod| self.by_group(cluster, vec![pod]).pop()) {
            return Some(place);
        }
        let node = cluster
            .nodes
            .values()
            .find(|node| node_addresses(node).contains(&address));
        if let Some(place) = node.and_then(|node| self.node(&node.meta.name)) {
            return Some(place);
        }
        let holds = |unit: &Unit| matches!(unit, Unit::Range(range) if range.contains(address));
        let unit = self.units.iter().position(holds)?;
        Some(Place::new(address.to_string(), unit))
    }

    fn node(&self, name: &str) -> Option<Place> {
        let is_meant = |unit: &Unit| match unit {
            Unit::Nodes(names) => names.iter().any(|known| *known == *name),
            _ => false,
        };
        let unit = self.units.iter().position(is_meant)?;
        Some(Place {
            node: Some(name.into()),
            ..Place::new(format!("Node/{name}"), unit)
        })
    }

    fn behind_service(&self, cluster: &Cluster, namespace: &str, name: &str) -> Vec<Place> {
        let services = Services::new(cluster);
        let Some(id) = services.hops(namespace, name).pop() else {
            return Vec::new();
        };
        let Some(service) = cluster.services.by_id(&id) else {
            return Vec::new();
        };
        let mut pods: Vec<usize> = services
            .backends(&id, Wanted::Every)
            .iter()
            .map(|backend| backend.pod)
            .collect();
        pods.dedup();
        let mut places = self.by_group(cluster, pods);
        for port in &service.spec.ports {
            for backend in services.behind(service, port) {
                for place in places
                    .iter_mut()
                    .filter(|place| place.pods.contains(&backend.pod))
                {
                    let behind = (port.protocol, port.port, backend.port);
                    if !place.behind.contains(&behind) {
                        place.behind.push(behind);
                    }
                }
            }
        }
        places
    }

    /// Answers for every pair of places; without a port the walk is about one that the target declares.
    pub fn answers(
        &self,
        cluster: &Cluster,
        sources: &[Place],
        targets: &[Place],
        port: Option<(Protocol, u16)>,
    ) -> Vec<Answer> {
        let pairs = sources
            .iter()
            .flat_map(|source| targets.iter().map(move |target| (source, target)));
        pairs
            .map(|(source, target)| self.answer(cluster, source, target, port))
            .collect()
    }

    fn answer(
        &self,
        cluster: &Cluster,
        source: &Place,
        target: &Place,
        asked: Option<(Protocol, u16)>,
    ) -> Answer {
        let (ports, perhaps) = self.ports_between(source.unit, target.unit);
        let given = asked.map(|(protocol, port)| {
            let behind = target
                .behind
                .iter()
                .find(|(known, service, _)| (*known, *service) == (protocol, port));
            (protocol, behind.map_or(port, |(_, _, pod)| *pod))
        });
        let (protocol, port) = given.unwrap_or_else(|| suggested(cluster, target, &ports));
        let mut answer = Answer {
            source: source.name.clone(),
            target: target.name.clone(),
            port: (protocol, port),
            verdict: match given {
                Some(_) => self.verdict(source.unit, target.unit, protocol, port),
                None if !ports.is_empty() => Verdict::Allowed,
                None if !perhaps.is_empty() => Verdict::Unknown,
                None => Verdict::Denied,
            },
            perhaps: perhaps.minus(&ports),
            ports,
            walks: self.walk(source.unit, target.unit, protocol, port),
            ways: Vec::new(),
            note: None,
        };
        if source.internet {
            self.ask_internet(target, given, &mut answer);
        } else {
            own_node(cluster, source, target, &mut answer);
        }
        answer
    }

    /// The internet sends no packet to a pod but through a way in.
    fn ask_internet(&self, target: &Place, given: Option<(Protocol, u16)>, answer: &mut Answer) {
        let is_meant = |way: &&Exposure| {
            target.pods.contains(&way.pod) && given.is_none_or(|given| given == (way.protocol, way.port))
        };
        answer.ways = self.entries.iter().filter(is_meant).cloned().collect();
        let wide = answer.ways.iter().filter(|way| way.outside == Outside::Internet);
        let verdicts = wide.map(|way| {
            if way.condition.is_some() {
                Verdict::Unknown
            } else {
                Verdict::Allowed
            }
        });
        answer.verdict = verdicts.max().unwrap_or(Verdict::Denied);
        if answer.ways.is_empty() {
            answer.note = Some(NO_WAY);
        }
        let ports = answer
            .ways
            .iter()
            .map(|way| PortSet::range(way.protocol, way.port, way.port));
        answer.ports = ports.fold(PortSet::default(), |set, port| set.or(&port));
        answer.perhaps = PortSet::default();
    }

    /// The ports that one unit may send to on another: surely, and perhaps.
    pub fn ports_between(&self, source: usize, target: usize) -> (PortSet, PortSet) {
        let side = |direction, subject: usize, peer: usize| {
            let mut ports = [PortSet::default(), PortSet::default()];
            for atom in self.atoms(direction, subject) {
                if self.tables.units(atom.peers).contains(peer) {
                    let known = &mut ports[usize::from(atom.doubtful)];
                    *known = known.or(self.tables.ports(atom.ports));
                }
            }
            let [sure, perhaps] = ports;
            (perhaps.or(&sure), sure)
        };
        let (out, sure_out) = side(super::Direction::Egress, source, target);
        let (into, sure_into) = side(super::Direction::Ingress, target, source);
        (sure_out.and(&sure_into), out.and(&into))
    }
}

impl Place {
    fn new(name: String, unit: usize) -> Self {
        Self {
            name,
            unit,
            pods: Vec::new(),
            behind: Vec::new(),
            node: None,
            internet: false,
        }
    }

    fn pods_in<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = &'a Pod> {
        self.pods.iter().filter_map(|&pod| Some(cluster.pods.at(pod)?.1))
    }

    /// The nodes whose traffic this end's traffic is; the empty name if one of them is not known.
    fn as_nodes(&self, cluster: &Cluster) -> Vec<Text> {
        let host = self.pods_in(cluster).filter(|pod| pod.spec.is_host_network());
        self.node
            .iter()
            .cloned()
            .chain(host.map(|pod| pod.spec.node_name.clone()))
            .collect()
    }

    fn runs_on(&self, cluster: &Cluster) -> Vec<Text> {
        self.pods_in(cluster)
            .map(|pod| pod.spec.node_name.clone())
            .collect()
    }
}

/// Notes what a node and the pods on it may always do.
fn own_node(cluster: &Cluster, source: &Place, target: &Place, answer: &mut Answer) {
    for (node, pod) in [(source, target), (target, source)] {
        let (nodes, places) = (node.as_nodes(cluster), pod.runs_on(cluster));
        if nodes.is_empty() || places.is_empty() {
            continue;
        }
        let unknown = nodes.iter().chain(&places).any(|name| name.is_empty());
        if nodes.iter().any(|node| !node.is_empty() && places.contains(node)) {
            answer.note = Some(OWN_NODE);
            answer.verdict = Verdict::Allowed;
            answer.ports = PortSet::all();
        } else if unknown && answer.verdict == Verdict::Denied {
            answer.note = Some(SAME_NODE_UNKNOWN);
            answer.verdict = Verdict::Unknown;
        }
    }
}

/// A port to walk with where none is asked for: one that the target declares, best one that passes.
fn suggested(cluster: &Cluster, target: &Place, ports: &PortSet) -> (Protocol, u16) {
    let containers = target
        .pods_in(cluster)
        .flat_map(|pod| pod.spec.lasting_containers());
    let declared: Vec<(Protocol, u16)> = containers
        .flat_map(|container| &container.ports)
        .map(|port| (port.protocol, port.container_port))
        .filter(|(_, port)| *port != 0)
        .collect();
    let open = declared
        .iter()
        .find(|(protocol, port)| ports.contains(*protocol, *port));
    let any = if ports.is_all() { None } else { ports.first() };
    open.or(declared.first())
        .copied()
        .or(any)
        .unwrap_or((Protocol::Tcp, 80))
}
