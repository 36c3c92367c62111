//! Ways in from outside, before any policy is asked: which object leads to which port of which pod.
//!
//! **Trap.** A load balancer that is internal to a private network is no way in from the internet, and its
//! Service's node ports are taken to be closed to the internet like it.

use super::address::{Range, cidr, is_private};
use super::service::{Backend, Services};
use crate::model::{Cluster, Code, Diagnostic, Meta, Node, ObjectId, Pod, Service, Text};

/// From how far a port is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outside {
    /// From a private network that the cluster is in, or from few addresses of the internet.
    Private,
    /// From anywhere on the internet.
    Internet,
}

/// Who sends the packets that arrive at the pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    /// The client, from these addresses (any if empty); a node in its place if `rewritten`.
    Client { ranges: Vec<Range>, rewritten: bool },
    /// A proxy: one of these units.
    Proxy(Vec<usize>),
    /// A proxy of the cloud, from some address of the private network.
    Cloud,
}

/// A way in.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) backend: Backend,
    /// From the outside in.
    pub(super) via: Vec<ObjectId>,
    pub(super) outside: Outside,
    pub(super) sender: Sender,
}

/// Annotations that make a load balancer internal: the key, and the values that do so; any if none is listed.
///
/// Sources: <https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer>,
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/>
const INTERNAL: &[(&str, &[&str])] = &[
    ("cloud.google.com/load-balancer-type", &["internal"]),
    ("networking.gke.io/load-balancer-type", &["internal"]),
    (
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        &["true", "0.0.0.0/0"],
    ),
    (
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        &["internal"],
    ),
    (
        "service.beta.kubernetes.io/azure-load-balancer-internal",
        &["true"],
    ),
    (
        "service.beta.kubernetes.io/openstack-internal-load-balancer",
        &["true"],
    ),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", &["true"]),
    ("oci-network-load-balancer.oraclecloud.com/internal", &["true"]),
    (
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
        &["private"],
    ),
    ("service.kubernetes.io/qcloud-loadbalancer-internal-subnetid", &[]),
    (
        "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
        &["true"],
    ),
    (
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
        &["intranet"],
    ),
    ("load-balancer.hetzner.cloud/disable-public-network", &["true"]),
];

/// Whether annotations make a load balancer internal.
pub(super) fn is_internal(meta: &Meta) -> bool {
    INTERNAL.iter().any(|(key, values)| {
        let given = meta.annotations.get(key);
        given.is_some_and(|given| {
            if values.is_empty() {
                !given.is_empty()
            } else {
                values.iter().any(|value| given.eq_ignore_ascii_case(value))
            }
        })
    })
}

/// Whether a node has an address on the internet.
fn is_public(node: &Node) -> bool {
    node.status
        .addresses
        .iter()
        .any(|address| address.r#type == "ExternalIP" && !address.address.is_empty())
}

/// From how far ports of nodes are reached: from the internet if a node has an address there, or if the input
/// has no nodes.
pub(super) fn node_ports(cluster: &Cluster) -> Outside {
    if cluster.nodes.is_empty() || cluster.nodes.values().any(is_public) {
        Outside::Internet
    } else {
        Outside::Private
    }
}

/// Ways in through Services.
pub(super) fn services(
    cluster: &Cluster,
    services: &Services<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let node_ports = node_ports(cluster);
    let mut entries = Vec::new();
    for (id, service) in &cluster.services {
        for (outside, ranges) in doors(id, service, node_ports, found) {
            let rewritten = service.spec.external_traffic_policy != "Local";
            for port in &service.spec.ports {
                entries.extend(services.behind(service, port).into_iter().map(|backend| Entry {
                    backend,
                    via: vec![id.clone()],
                    outside,
                    sender: Sender::Client {
                        ranges: ranges.clone(),
                        rewritten,
                    },
                }));
            }
        }
    }
    entries
}

/// From where a Service is open, and to which clients.
fn doors(
    id: &ObjectId,
    service: &Service,
    node_ports: Outside,
    found: &mut Vec<Diagnostic>,
) -> Vec<(Outside, Vec<Range>)> {
    let spec = &service.spec;
    let mut doors = Vec::new();
    match spec.r#type.as_str() {
        "LoadBalancer" => {
            let outside = if is_internal(&service.meta) || has_private_address(service) {
                Outside::Private
            } else {
                Outside::Internet
            };
            doors.extend(source_ranges(id, service, found).map(|ranges| (outside, ranges)));
        }
        "NodePort" => doors.push((node_ports, Vec::new())),
        _ => {}
    }
    for address in spec.external_ips.iter().filter_map(|ip| ip.parse().ok()) {
        let outside = if is_private(address) {
            Outside::Private
        } else {
            Outside::Internet
        };
        doors.push((outside, Vec::new()));
    }
    doors
}

/// Whether the load balancer was given addresses, and all of them are private.
fn has_private_address(service: &Service) -> bool {
    let given = &service.status.load_balancer.ingress;
    !given.is_empty() && given.iter().all(|entry| entry.ip.parse().is_ok_and(is_private))
}

/// The clients that a load balancer lets in; any if it does not say, none at all if it cannot be understood.
fn source_ranges(id: &ObjectId, service: &Service, found: &mut Vec<Diagnostic>) -> Option<Vec<Range>> {
    const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let field = service.spec.load_balancer_source_ranges.iter().map(Text::as_str);
    let annotation = service
        .meta
        .annotations
        .get(ANNOTATION)
        .filter(|_| field.len() == 0);
    let annotation = annotation.into_iter().flat_map(|text| text.split(','));
    let mut ranges = Vec::new();
    let mut given = false;
    for text in field.chain(annotation).filter(|text| !text.trim().is_empty()) {
        given = true;
        match cidr(text) {
            Ok(range) => ranges.push(range),
            Err(wrong) => {
                let hint = "no client is taken to come from there; correct it";
                let message = format!("/spec/loadBalancerSourceRanges: {wrong}");
                found.push(
                    Diagnostic::new(Code::InvalidPolicy, service.meta.source.clone(), message, hint)
                        .about(id.clone()),
                );
            }
        }
    }
    (!given || !ranges.is_empty()).then_some(ranges)
}

/// Ways in through ports of nodes that pods ask for, or have by sharing the node's network.
pub(super) fn host_ports(cluster: &Cluster) -> Vec<Entry> {
    let everywhere = node_ports(cluster);
    let mut entries = Vec::new();
    for (index, (id, pod)) in cluster.pods.iter().enumerate() {
        if pod.has_ended() {
            continue;
        }
        for port in pod
            .spec
            .lasting_containers()
            .flat_map(|container| &container.ports)
        {
            let asked = port.host_port.is_some_and(|number| number != 0);
            if !(asked || pod.spec.is_host_network()) || port.container_port == 0 {
                continue;
            }
            let outside = match port.host_ip.parse::<std::net::IpAddr>() {
                Ok(address) if address.is_loopback() => continue,
                Ok(address) if !address.is_unspecified() && is_private(address) => Outside::Private,
                _ => match cluster.node(&pod.spec.node_name) {
                    Some(node) if !is_public(node) => Outside::Private,
                    Some(_) => Outside::Internet,
                    None => everywhere,
                },
            };
            entries.push(Entry {
                backend: Backend {
                    pod: index,
                    protocol: port.protocol,
                    port: port.container_port,
                },
                via: vec![written_as(cluster, id, pod)],
                outside,
                sender: Sender::Client {
                    ranges: Vec::new(),
                    rewritten: false,
                },
            });
        }
    }
    entries
}

/// The object whose text says what a pod is: its own, or that of the workload it stands for.
pub(super) fn written_as(cluster: &Cluster, id: &ObjectId, pod: &Pod) -> ObjectId {
    let owner = pod.meta.controller().filter(|_| cluster.stand_ins.contains(id));
    owner.map_or_else(
        || id.clone(),
        |owner| ObjectId::new(&owner.kind, &id.namespace, &owner.name),
    )
}
