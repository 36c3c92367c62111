//! Ways in through proxies: Ingresses and OpenShift Routes.
//!
//! The proxy connects to the pod itself, so its egress and the pod's ingress policies decide, not the client's
//! address. A proxy that the input does not hold is stood for by the well-known ones of its class.
//!
//! **Trap.** Backends of an Ingress are Services of its own namespace; an ExternalName Service may lead out of it.
//! Source: <https://kubernetes.io/docs/concepts/services-networking/ingress/>

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};

use super::controllers::{self, CONTROLLERS, Controller, OUTSIDE, UNKNOWN};
use super::entry::{Entry, Outside, Sender, is_internal};
use super::service::{Services, Wanted};
use super::universe::Universe;
use crate::model::{
    Cluster, Ingress, IngressBackend, Meta, ObjectId, PortReference, Route, RouteTarget, Text,
};

/// The annotation that named a class before there was a field.
const CLASS: &str = "kubernetes.io/ingress.class";
/// Marks the class of Ingresses that name none.
const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

/// A controller's name, if it is known, and whether it serves a private network.
type Kind = (Option<&'static str>, bool);

/// What proxies need to know.
pub(super) struct Proxies<'a, 'u> {
    pub(super) cluster: &'a Cluster,
    pub(super) universe: &'u Universe<'a>,
    pub(super) services: &'u Services<'a>,
    /// The pods of each controller of the table.
    pods: Vec<Vec<usize>>,
    /// From how far those of them are reached that need no proxy themselves.
    doors: FxHashMap<usize, Outside>,
    senders: RefCell<FxHashMap<Kind, (Outside, Sender)>>,
}

/// Who implements a class.
#[derive(Clone, Debug)]
pub(super) enum Implementer {
    /// Pods: their controller's name in the table, or nothing known about them.
    Pods(Option<&'static str>),
    /// A load balancer of the cloud.
    Cloud,
}

impl Implementer {
    /// Who implements classes with this controller.
    pub(super) fn of(class: &str) -> Self {
        if OUTSIDE.iter().any(|known| class.starts_with(known)) {
            return Self::Cloud;
        }
        let known = CONTROLLERS.iter().find(|controller| controller.serves(class));
        Self::Pods(known.map(|controller| controller.name))
    }

    /// Who usually implements a class of this name.
    fn of_name(name: &str) -> Self {
        match name {
            "alb" | "gce" | "gce-internal" | "azure-application-gateway" | "azure/application-gateway" => {
                Self::Cloud
            }
            _ => {
                let known = CONTROLLERS.iter().skip(1).find(|controller| {
                    name == controller.name
                        || controller
                            .name
                            .split('-')
                            .any(|part| part != "ingress" && name == part)
                });
                Self::Pods(known.map(|controller| controller.name))
            }
        }
    }
}

impl<'a, 'u> Proxies<'a, 'u> {
    /// Finds the pods of well-known controllers; `direct` are the ways in that need no proxy.
    pub(super) fn new(
        universe: &'u Universe<'a>,
        services: &'u Services<'a>,
        cluster: &'a Cluster,
        direct: &[Entry],
    ) -> Self {
        let needed =
            !(cluster.ingresses.is_empty() && cluster.routes.is_empty() && cluster.gateway_routes.is_empty());
        let pods = if needed {
            controllers::pods(cluster)
        } else {
            vec![Vec::new(); CONTROLLERS.len()]
        };
        let mut doors = FxHashMap::default();
        let is_proxy: FxHashSet<usize> = pods.iter().flatten().copied().collect();
        for entry in direct
            .iter()
            .filter(|entry| is_proxy.contains(&entry.backend.pod))
        {
            let widest = doors.entry(entry.backend.pod).or_insert(entry.outside);
            *widest = entry.outside.max(*widest);
        }
        Self {
            cluster,
            universe,
            services,
            pods,
            doors,
            senders: RefCell::default(),
        }
    }

    /// Ways in through Ingresses.
    pub(super) fn ingresses(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (id, ingress) in &self.cluster.ingresses {
            let (implementer, internal) = self.implementer(ingress);
            let (outside, sender) = self.sender(&implementer, internal);
            for backend in backends(ingress) {
                let Some(service) = &backend.service else {
                    continue;
                };
                let wanted = match service.port.number {
                    Some(number) if service.port.name.is_empty() => Wanted::Number(number),
                    _ => Wanted::Name(&service.port.name),
                };
                self.add(id, &service.name, wanted, (outside, &sender), &mut entries);
            }
        }
        entries
    }

    /// Who implements an Ingress, and whether it is meant for a private network.
    fn implementer(&self, ingress: &Ingress) -> (Implementer, bool) {
        let annotation = ingress.meta.annotations.get(CLASS);
        let named = ingress.spec.ingress_class_name.as_ref().or(annotation);
        let classes = &self.cluster.ingress_classes;
        let class = match named {
            Some(name) => classes.get("IngressClass", "", name),
            None => classes.values().find(|class| {
                class
                    .meta
                    .annotations
                    .get(DEFAULT_CLASS)
                    .is_some_and(|value| value == "true")
            }),
        };
        let name = named
            .or(class.map(|class| &class.meta.name))
            .map_or("", Text::as_str);
        let implementer = match class {
            Some(class) => Implementer::of(&class.spec.controller),
            None => Implementer::of_name(name),
        };
        let is_alb = name == "alb"
            || class.is_some_and(|class| {
                ["ingress.k8s.aws/", "eks.amazonaws.com/"]
                    .iter()
                    .any(|known| class.spec.controller.starts_with(known))
            });
        (implementer, is_private_ingress(&ingress.meta, name, is_alb))
    }

    /// From how far a proxy is reached, and who it is.
    ///
    /// The pods of the input that are the proxy count if there are any; else what stands for them.
    pub(super) fn sender(&self, implementer: &Implementer, internal: bool) -> (Outside, Sender) {
        let Implementer::Pods(name) = implementer else {
            return (reach(internal), Sender::Cloud);
        };
        let mut known = self.senders.borrow_mut();
        known
            .entry((*name, internal))
            .or_insert_with(|| self.pods_or_stand_ins(*name, internal))
            .clone()
    }

    fn pods_or_stand_ins(&self, name: Option<&'static str>, internal: bool) -> (Outside, Sender) {
        let is_meant = |controller: &Controller| name.is_none_or(|name| controller.name == name);
        let table = CONTROLLERS.iter().zip(&self.pods);
        let pods: Vec<usize> = table
            .filter(|(controller, _)| is_meant(controller))
            .flat_map(|(_, pods)| pods)
            .copied()
            .collect();
        if pods.is_empty() {
            let units = self.universe.controllers.clone();
            let stands = units
                .zip(CONTROLLERS.iter().enumerate())
                .filter(|(_, (number, controller))| *number == UNKNOWN || is_meant(controller));
            return (
                reach(internal),
                Sender::Proxy(stands.map(|(unit, _)| unit).collect()),
            );
        }
        let doors = pods.iter().filter_map(|pod| self.doors.get(pod)).max();
        let outside = reach(internal).min(doors.copied().unwrap_or(Outside::Internet));
        (outside, Sender::Proxy(self.groups_of(pods)))
    }

    /// The groups of pods, each once.
    pub(super) fn groups_of(&self, pods: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut groups: Vec<usize> = pods
            .into_iter()
            .filter_map(|pod| self.universe.group_of[pod])
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Adds the backends of a Service, or of the one it leads to.
    pub(super) fn add(
        &self,
        id: &ObjectId,
        service: &Text,
        wanted: Wanted<'_>,
        (outside, sender): (Outside, &Sender),
        entries: &mut Vec<Entry>,
    ) {
        let hops = self.services.hops(&id.namespace, service);
        let Some(last) = hops.last() else {
            return;
        };
        for backend in self.services.backends(last, wanted) {
            entries.push(Entry {
                backend,
                via: std::iter::once(id).chain(&hops).cloned().collect(),
                outside,
                sender: sender.clone(),
            });
        }
    }

    /// Ways in through OpenShift Routes.
    ///
    /// `spec.port.targetPort` is a port of the endpoints: by name the Service's, by number the pods'.
    /// Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/network_apis/route-route-openshift-io-v1>
    pub(super) fn routes(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let implementer = Implementer::Pods(Some("openshift-router"));
        let (outside, sender) = self.sender(&implementer, false);
        for (id, route) in &self.cluster.routes {
            for target in route_targets(route) {
                let is_service = target.kind.is_empty() || target.kind == "Service";
                if !is_service || target.weight == Some(0) {
                    continue;
                }
                for wanted in route_ports(route) {
                    let before = entries.len();
                    self.add(id, &target.name, wanted, (outside, &sender), &mut entries);
                    if entries.len() > before {
                        break;
                    }
                }
            }
        }
        entries
    }
}

/// From how far a proxy is reached that is internal or not.
pub(super) fn reach(internal: bool) -> Outside {
    if internal {
        Outside::Private
    } else {
        Outside::Internet
    }
}

/// What a Route's port may mean, the first that leads anywhere counts.
fn route_ports(route: &Route) -> Vec<Wanted<'_>> {
    match route.spec.port.as_ref().map(|port| &port.target_port) {
        None => vec![Wanted::Every],
        Some(PortReference::Number(number)) => vec![Wanted::Target(*number), Wanted::Number(*number)],
        Some(PortReference::Name(name)) => vec![Wanted::Name(name)],
    }
}

fn route_targets(route: &Route) -> impl Iterator<Item = &RouteTarget> {
    std::iter::once(&route.spec.to).chain(&route.spec.alternate_backends)
}

fn backends(ingress: &Ingress) -> impl Iterator<Item = &IngressBackend> {
    let paths = ingress
        .spec
        .rules
        .iter()
        .filter_map(|rule| rule.http.as_ref())
        .flat_map(|http| &http.paths);
    ingress
        .spec
        .default_backend
        .iter()
        .chain(paths.map(|path| &path.backend))
}

/// Whether an Ingress asks for a load balancer of a private network.
///
/// Sources: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/>,
/// <https://azure.github.io/application-gateway-kubernetes-ingress/annotations/>
fn is_private_ingress(meta: &Meta, class: &str, is_alb: bool) -> bool {
    let says = |key: &str, value: &str| meta.annotations.get(key).is_some_and(|given| given == value);
    let is_public_alb = says("alb.ingress.kubernetes.io/scheme", "internet-facing");
    class == "gce-internal"
        || says("appgw.ingress.kubernetes.io/use-private-ip", "true")
        || (is_alb && !is_public_alb)
        || is_internal(meta)
}
