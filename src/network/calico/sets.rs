//! What selectors and rules mean besides pods: sets of networks, endpoints of hosts, endpoints of Services.
//!
//! **Trap.** A rule that names a Service lets packets to its endpoints out, not to its own address: that is
//! translated before. Source: <https://docs.tigera.io/calico/latest/network-policy/policy-rules/service-policy>

use serde_json::Value;

use super::rule::{Services, block, given};
use super::{Reader, of_group};
use crate::model::{EndpointPort, Labels, PortReference, Service, Text};
use crate::network::address::{Block, InCluster};
use crate::network::destination::unknown_server;
use crate::network::policy::{Direction, NamedPort, Peers, Ports};
use crate::network::ports::PortSet;
use crate::network::selector::{Expression, Namespaces, PodSelector};

/// Why it is not known whom a rule about a Service matches.
const NOT_SHOWN: &str = "the Service that the rule names has this endpoint";

/// The texts of a list within `spec`.
pub(super) fn texts(spec: Option<&Value>, member: &str) -> Vec<Text> {
    let list = spec.and_then(|spec| spec.get(member)).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(Text::new).collect()
}

impl Reader<'_> {
    /// The addresses of the sets of networks, and of the hosts, whose labels and namespace are meant.
    pub(super) fn sets(
        &self,
        is_meant: &dyn Fn(&Labels, Option<&Text>) -> bool,
    ) -> Result<Vec<Block>, String> {
        let mut blocks = Vec::new();
        for (id, set) in self.cluster.others.iter().filter(|(_, other)| of_group(other)) {
            let (member, namespace, in_cluster) = match id.kind.as_str() {
                "NetworkSet" => ("nets", Some(&set.meta.namespace), InCluster::Matches),
                "GlobalNetworkSet" => ("nets", None, InCluster::Matches),
                "HostEndpoint" => ("expectedIPs", None, InCluster::Always),
                _ => continue,
            };
            if is_meant(&set.meta.labels, namespace) {
                let nets = texts(set.spec.as_ref(), member);
                let block = block(&nets, in_cluster).map_err(|wrong| format!("{id}: {wrong}"))?;
                blocks.push(block);
            }
        }
        Ok(blocks)
    }

    /// The endpoints of a Service, with their ports; of those who send only the addresses count.
    pub(super) fn service(
        &self,
        services: &Services,
        direction: Direction,
    ) -> Result<Vec<(Peers, Ports)>, String> {
        let namespace = given(Some(&services.namespace)).or(self.own);
        let (Some(name), Some(namespace)) = (given(Some(&services.name)), namespace) else {
            return Err("services need a name and a namespace".to_owned());
        };
        let mut found = self.written(namespace, name)?;
        if found.is_empty() {
            found = match self.cluster.service(namespace, name) {
                _ if namespace == "default" && name == "kubernetes" => {
                    vec![(unknown_server(direction), Ports::all())]
                }
                Some(service) if !service.spec.selector.is_empty() => by_selector(service),
                Some(_) => Vec::new(),
                None => {
                    let perhaps = Peers {
                        unsure: Some(NOT_SHOWN),
                        ..Peers::everyone()
                    };
                    vec![(perhaps, Ports::all())]
                }
            };
        }
        if direction == Direction::Ingress {
            for (_, ports) in &mut found {
                *ports = Ports::all();
            }
        }
        Ok(found)
    }

    /// The endpoints that the input holds of a Service.
    fn written(&self, namespace: &Text, name: &Text) -> Result<Vec<(Peers, Ports)>, String> {
        let mut found = Vec::new();
        let slices = self.cluster.endpoint_slices.values().filter(|slice| {
            let service = slice.meta.labels.get("kubernetes.io/service-name");
            slice.meta.namespace == *namespace && service == Some(name)
        });
        for slice in slices {
            let addresses = slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
            let addresses: Vec<Text> = addresses.cloned().collect();
            found.push((at(&addresses)?, numbers(&slice.ports)));
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let old = self.cluster.endpoints.get("Endpoints", namespace, name);
        for subset in old.into_iter().flat_map(|endpoints| &endpoints.subsets) {
            let addresses: Vec<Text> = subset
                .addresses
                .iter()
                .map(|address| address.ip.clone())
                .collect();
            found.push((at(&addresses)?, numbers(&subset.ports)));
        }
        Ok(found)
    }
}

fn at(addresses: &[Text]) -> Result<Peers, String> {
    Ok(Peers {
        blocks: vec![block(addresses, InCluster::Always)?],
        ..Peers::default()
    })
}

fn numbers(ports: &[EndpointPort]) -> Ports {
    let numbers = ports.iter().map(|port| match port.port {
        Some(number) => PortSet::range(port.protocol, number, number),
        None => PortSet::protocol(port.protocol),
    });
    Ports {
        numbers: numbers.fold(PortSet::default(), |set, ports| set.or(&ports)),
        ..Ports::default()
    }
}

/// The pods that a Service selects, with the ports that it leads to.
fn by_selector(service: &Service) -> Vec<(Peers, Ports)> {
    let pairs = service.spec.selector.iter();
    let pairs = pairs.map(|(key, value)| Expression::In(key.clone(), vec![value.clone()]));
    let peers = Peers {
        pods: vec![PodSelector {
            namespaces: Namespaces::One(service.meta.namespace.clone()),
            pods: Expression::All(pairs.collect()),
        }],
        ..Peers::default()
    };
    let mut ports = Ports::default();
    for port in &service.spec.ports {
        match &port.target_port {
            Some(PortReference::Name(name)) => ports.names.push(NamedPort {
                name: name.clone(),
                protocol: Some(port.protocol),
            }),
            Some(PortReference::Number(number)) if *number > 0 => {
                ports.numbers = ports.numbers.or(&PortSet::range(port.protocol, *number, *number));
            }
            _ => {
                ports.numbers = ports
                    .numbers
                    .or(&PortSet::range(port.protocol, port.port, port.port));
            }
        }
    }
    vec![(peers, ports)]
}
