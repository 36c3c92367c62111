//! From Services to the pods behind them, with the port each of them receives on.
//!
//! **Trap.** `targetPort` by name means each pod's own number. A Service without selector has whatever
//! endpoints somebody wrote for it, which may be pods of other namespaces.
//! Source: <https://kubernetes.io/docs/concepts/services-networking/service/>

use std::cell::OnceCell;
use std::net::IpAddr;
use std::ops::Range as Span;

use rustc_hash::FxHashMap;

use super::policy::NamedPort;
use super::universe::{addresses, named_ports, node_addresses};
use crate::model::{
    Cluster, EndpointPort, ObjectId, ObjectReference, Pod, PortReference, Protocol, Service, ServicePort,
    Text,
};

/// The label that names a slice's Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label that names who writes a slice, and the controller that writes those of selectors.
const MANAGED_BY: (&str, &str) = (
    "endpointslice.kubernetes.io/managed-by",
    "endpointslice-controller.k8s.io",
);
/// How many ExternalName Services are followed.
const MAX_HOPS: usize = 8;

/// A port of a pod behind a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Backend {
    /// Position of the pod in [`Cluster::pods`].
    pub(super) pod: usize,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
}

/// Which port of a Service is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    Number(u16),
    Name(&'a str),
    /// As an OpenShift Route means it: the port of the endpoints by number.
    Target(u16),
    Every,
}

/// An address that somebody wrote as an endpoint.
struct Written<'a> {
    address: &'a str,
    target: Option<&'a ObjectReference>,
    ports: &'a [EndpointPort],
}

/// The Services of a cluster.
#[derive(Debug)]
pub(super) struct Services<'a> {
    cluster: &'a Cluster,
    /// The pods of each namespace, which are neighbours.
    pods: FxHashMap<&'a str, Vec<Span<usize>>>,
    by_address: OnceCell<FxHashMap<IpAddr, Vec<usize>>>,
    slices: FxHashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Services<'a> {
    /// Indexes pods and slices.
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let mut pods = FxHashMap::<&str, Vec<Span<usize>>>::default();
        for (index, pod) in cluster.pods.values().enumerate() {
            let spans = pods.entry(pod.meta.namespace.as_str()).or_default();
            match spans.last_mut() {
                Some(last) if last.end == index => last.end += 1,
                _ => spans.push(index..index + 1),
            }
        }
        let mut slices = FxHashMap::<_, Vec<usize>>::default();
        for (index, slice) in cluster.endpoint_slices.values().enumerate() {
            if let Some(service) = slice.meta.labels.get(SERVICE_NAME) {
                let place = (slice.meta.namespace.as_str(), service.as_str());
                slices.entry(place).or_default().push(index);
            }
        }
        Self {
            cluster,
            pods,
            by_address: OnceCell::new(),
            slices,
        }
    }

    /// The pods of a namespace that have not ended.
    pub(super) fn pods_of(&self, namespace: &str) -> impl Iterator<Item = (usize, &'a Pod)> {
        let spans = self.pods.get(namespace).cloned().unwrap_or_default();
        let cluster = self.cluster;
        let pods = spans.into_iter().flatten();
        pods.filter_map(move |index| Some((index, cluster.pods.at(index)?.1)))
            .filter(|(_, pod)| !pod.has_ended())
    }

    /// Follows ExternalName Services to the one they lead to; returns every Service on the way.
    pub(super) fn hops(&self, namespace: &str, name: &str) -> Vec<ObjectId> {
        let mut hops = Vec::new();
        let mut at = (Text::new(namespace), Text::new(name));
        while hops.len() < MAX_HOPS {
            let Some(service) = self.cluster.service(&at.0, &at.1) else {
                break;
            };
            hops.push(ObjectId::new("Service", &at.0, &at.1));
            if service.spec.r#type != "ExternalName" {
                break;
            }
            match in_cluster(&service.spec.external_name) {
                Some(next) => at = next,
                None => break,
            }
        }
        hops
    }

    /// The pods behind some ports of a Service.
    pub(super) fn backends(&self, id: &ObjectId, wanted: Wanted<'_>) -> Vec<Backend> {
        let Some(service) = self.cluster.services.by_id(id) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for port in &service.spec.ports {
            let meant = match wanted {
                Wanted::Number(number) => port.port == number,
                Wanted::Name(name) => port.name == *name,
                Wanted::Target(_) | Wanted::Every => true,
            };
            if meant {
                found.extend(self.behind(service, port));
            }
        }
        if let Wanted::Target(number) = wanted {
            found.retain(|backend| backend.port == number);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The pods behind one port of a Service.
    pub(super) fn behind(&self, service: &Service, port: &ServicePort) -> Vec<Backend> {
        let selector = &service.spec.selector;
        let mut found = Vec::new();
        if !selector.is_empty() {
            for (index, pod) in self.pods_of(&service.meta.namespace) {
                let selected = selector
                    .iter()
                    .all(|(key, value)| pod.meta.labels.get(key) == Some(value));
                if selected {
                    found.extend(targets(pod, port).map(|number| Backend {
                        pod: index,
                        protocol: port.protocol,
                        port: number,
                    }));
                }
            }
        }
        for written in self.written(service) {
            self.resolve(&written, port, &mut found);
        }
        found
    }

    /// The endpoints of a Service that its selector does not account for.
    fn written(&self, service: &Service) -> Vec<Written<'a>> {
        let place = (service.meta.namespace.as_str(), service.meta.name.as_str());
        let selects = !service.spec.selector.is_empty();
        let slices = self.slices.get(&place).into_iter().flatten();
        let slices = slices.filter_map(|&index| Some(self.cluster.endpoint_slices.at(index)?.1));
        let by_hand = slices.filter(|slice| {
            !selects
                || slice
                    .meta
                    .labels
                    .get(MANAGED_BY.0)
                    .is_some_and(|manager| manager != MANAGED_BY.1)
        });
        let mut written: Vec<Written<'a>> = by_hand
            .flat_map(|slice| slice.endpoints.iter().map(move |endpoint| (slice, endpoint)))
            .flat_map(|(slice, endpoint)| {
                endpoint.addresses.iter().map(move |address| Written {
                    address,
                    target: endpoint.target_ref.as_ref(),
                    ports: &slice.ports,
                })
            })
            .collect();
        if !selects && let Some(endpoints) = self.cluster.endpoints.get("Endpoints", place.0, place.1) {
            for subset in &endpoints.subsets {
                let addresses = subset.addresses.iter().chain(&subset.not_ready_addresses);
                written.extend(addresses.map(|address| Written {
                    address: &address.ip,
                    target: address.target_ref.as_ref(),
                    ports: &subset.ports,
                }));
            }
        }
        written
    }

    fn resolve(&self, written: &Written<'_>, port: &ServicePort, found: &mut Vec<Backend>) {
        let same = |known: &&EndpointPort| known.name == port.name && known.protocol == port.protocol;
        let Some(number) = written
            .ports
            .iter()
            .find(same)
            .map(|known| known.port.unwrap_or(port.port))
        else {
            return;
        };
        let named = written.target.filter(|target| target.kind == "Pod");
        let named =
            named.and_then(|target| self.cluster.pods.index_of("Pod", &target.namespace, &target.name));
        let pods: Vec<usize> = match named {
            Some(index) => vec![index],
            None => self.pods_at(written.address),
        };
        for index in pods {
            if let Some((_, pod)) = self.cluster.pods.at(index) {
                let listens = !pod.spec.is_host_network() || declares(pod, port.protocol, number);
                if listens && !pod.has_ended() {
                    found.push(Backend {
                        pod: index,
                        protocol: port.protocol,
                        port: number,
                    });
                }
            }
        }
    }

    /// The pods with this address; those in the network of the node that has it too.
    fn pods_at(&self, address: &str) -> Vec<usize> {
        let Ok(address) = address.parse::<IpAddr>() else {
            return Vec::new();
        };
        let index = self.by_address.get_or_init(|| {
            let mut index = FxHashMap::<IpAddr, Vec<usize>>::default();
            for (number, pod) in self.cluster.pods.values().enumerate() {
                let node = self
                    .cluster
                    .node(&pod.spec.node_name)
                    .filter(|_| pod.spec.is_host_network());
                let mut all = addresses(pod);
                all.extend(node.map(node_addresses).unwrap_or_default());
                all.sort_unstable();
                all.dedup();
                for address in all {
                    index.entry(address).or_default().push(number);
                }
            }
            index
        });
        index.get(&address).cloned().unwrap_or_default()
    }
}

/// The namespace and name of the Service that a name within the cluster means.
fn in_cluster(host: &str) -> Option<(Text, Text)> {
    let mut parts = host.trim_end_matches('.').split('.');
    let (name, namespace, kind) = (parts.next()?, parts.next()?, parts.next()?);
    (kind == "svc").then(|| (Text::new(namespace), Text::new(name)))
}

/// The numbers of a Service's port on one pod.
fn targets(pod: &Pod, port: &ServicePort) -> impl Iterator<Item = u16> {
    let numbers: Vec<u16> = match &port.target_port {
        None | Some(PortReference::Number(0)) => vec![port.port],
        Some(PortReference::Number(number)) => vec![*number],
        Some(PortReference::Name(name)) => {
            let named = NamedPort {
                name: name.clone(),
                protocol: Some(port.protocol),
            };
            let ranges = named_ports(pod, &named);
            ranges
                .ranges(port.protocol)
                .iter()
                .flat_map(|&(from, to)| from..=to)
                .collect()
        }
    };
    numbers.into_iter().filter(|number| *number != 0)
}

/// Whether a container of the pod declares the port.
pub(super) fn declares(pod: &Pod, protocol: Protocol, number: u16) -> bool {
    pod.spec
        .lasting_containers()
        .flat_map(|container| &container.ports)
        .any(|port| port.container_port == number && port.protocol == protocol)
}
