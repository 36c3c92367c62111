//! Ways in through the Gateway API: Gateways, their routes, and who allowed whom.
//!
//! **Trap.** A route counts only where a listener allows its namespace and kind and their host names meet, and a
//! backend of another namespace only with a ReferenceGrant of that namespace.
//! Source: <https://gateway-api.sigs.k8s.io/reference/spec/>

use super::entry::{Entry, Outside, Sender, is_internal};
use super::proxy::{Implementer, Proxies, reach};
use super::service::Wanted;
use crate::model::{
    BackendReference, Gateway, GatewayRoute, GrantFrom, GrantTo, Listener, ObjectId, ParentReference, Pod,
    Text,
};

const GROUP: &str = "gateway.networking.k8s.io";
/// Labels of the pods that carry a Gateway's traffic: its name.
const GATEWAY_NAME: [&str; 2] = ["gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name"];

impl Proxies<'_, '_> {
    /// Ways in through routes of Gateways.
    pub(super) fn gateways(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (id, route) in &self.cluster.gateway_routes {
            for parent in &route.spec.parent_refs {
                let Some((gateway_id, gateway)) = self.gateway(id, parent) else {
                    continue;
                };
                if gateway
                    .spec
                    .listeners
                    .iter()
                    .any(|listener| self.attaches(id, route, parent, &gateway_id, listener))
                {
                    let (outside, sender) = self.gateway_sender(gateway);
                    let references = route.spec.rules.iter().flat_map(|rule| &rule.backend_refs);
                    for reference in references {
                        self.backend(id, &gateway_id, reference, (outside, &sender), &mut entries);
                    }
                }
            }
        }
        entries
    }

    /// The Gateway that a route names; none for a route of a mesh.
    fn gateway(&self, route: &ObjectId, parent: &ParentReference) -> Option<(ObjectId, &Gateway)> {
        let is_gateway = parent.group.as_ref().is_none_or(|group| group == GROUP)
            && parent.kind.as_ref().is_none_or(|kind| kind == "Gateway");
        if !is_gateway {
            return None;
        }
        let namespace = or(&parent.namespace, &route.namespace);
        let id = ObjectId::new("Gateway", namespace, &parent.name);
        let gateway = self.cluster.gateways.by_id(&id)?;
        Some((id, gateway))
    }

    /// Whether a listener takes a route.
    fn attaches(
        &self,
        id: &ObjectId,
        route: &GatewayRoute,
        parent: &ParentReference,
        gateway: &ObjectId,
        listener: &Listener,
    ) -> bool {
        let named = parent.section_name.is_empty() || parent.section_name == listener.name;
        let port = parent.port.is_none_or(|port| port == listener.port);
        named
            && port
            && takes_kind(listener, &id.kind)
            && self.takes_namespace(listener, &id.namespace, &gateway.namespace)
            && hosts_meet(&listener.hostname, &route.spec.hostnames)
    }

    fn takes_namespace(&self, listener: &Listener, route: &Text, gateway: &Text) -> bool {
        let allowed = &listener.allowed_routes.namespaces;
        match allowed.from.as_str() {
            "All" => true,
            "Selector" => allowed
                .selector
                .as_ref()
                .is_some_and(|selector| selector.matches(&self.cluster.namespace_labels(route))),
            "" | "Same" => route == gateway,
            _ => false,
        }
    }

    fn gateway_sender(&self, gateway: &Gateway) -> (Outside, Sender) {
        let class = self
            .cluster
            .gateway_classes
            .get("GatewayClass", "", &gateway.spec.gateway_class_name);
        let controller = class.map_or("", |class| class.spec.controller_name.as_str());
        let name = gateway.spec.gateway_class_name.as_str();
        let is_gke = name.starts_with("gke-l7");
        let internal =
            is_internal(&gateway.meta) || is_gke && (name.contains("internal") || name.contains("rilb"));
        let implementer = match Implementer::of(controller) {
            Implementer::Pods(None) if is_gke => Implementer::Cloud,
            other => other,
        };
        let own = |pod: &Pod| {
            let named = |key: &&str| {
                pod.meta
                    .labels
                    .get(key)
                    .is_some_and(|name| *name == gateway.meta.name)
            };
            GATEWAY_NAME.iter().any(named)
        };
        let pods = self
            .services
            .pods_of(&gateway.meta.namespace)
            .filter(|(_, pod)| own(pod));
        let groups = self.groups_of(pods.map(|(index, _)| index));
        if groups.is_empty() || matches!(implementer, Implementer::Cloud) {
            return self.sender(&implementer, internal);
        }
        (reach(internal), Sender::Proxy(groups))
    }

    fn backend(
        &self,
        route: &ObjectId,
        gateway: &ObjectId,
        reference: &BackendReference,
        sender: (Outside, &Sender),
        entries: &mut Vec<Entry>,
    ) {
        let is_service = reference.group.as_ref().is_none_or(|group| group.is_empty())
            && reference.kind.as_ref().is_none_or(|kind| kind == "Service");
        let namespace = or(&reference.namespace, &route.namespace);
        let permitted = namespace == &route.namespace || self.is_granted(route, namespace, &reference.name);
        if !is_service || reference.weight == Some(0) || !permitted {
            return;
        }
        let Some(port) = reference.port else {
            return;
        };
        let start = entries.len();
        let from = ObjectId::new(&route.kind, namespace, &route.name);
        self.add(&from, &reference.name, Wanted::Number(port), sender, entries);
        for entry in &mut entries[start..] {
            entry.via[0] = route.clone();
            entry.via.insert(0, gateway.clone());
        }
    }

    /// Whether a ReferenceGrant of the backend's namespace lets the route refer to it.
    fn is_granted(&self, route: &ObjectId, namespace: &Text, service: &Text) -> bool {
        let from = |from: &GrantFrom| {
            from.group == GROUP && from.kind == route.kind && from.namespace == route.namespace
        };
        let to = |to: &GrantTo| {
            to.group.is_empty() && to.kind == "Service" && (to.name.is_empty() || to.name == *service)
        };
        self.cluster
            .reference_grants
            .values()
            .filter(|grant| grant.meta.namespace == *namespace)
            .any(|grant| grant.spec.from.iter().any(from) && grant.spec.to.iter().any(to))
    }
}

fn or<'a>(first: &'a Text, second: &'a Text) -> &'a Text {
    if first.is_empty() { second } else { first }
}

/// Whether a listener takes routes of a kind: those it lists, else those that its protocol can carry.
fn takes_kind(listener: &Listener, kind: &str) -> bool {
    let listed = &listener.allowed_routes.kinds;
    if !listed.is_empty() {
        return listed
            .iter()
            .any(|known| known.kind == *kind && (known.group.is_empty() || known.group == GROUP));
    }
    match listener.protocol.as_str() {
        "HTTP" | "HTTPS" => kind == "HTTPRoute" || kind == "GRPCRoute",
        "TLS" => kind == "TLSRoute" || kind == "TCPRoute",
        "TCP" => kind == "TCPRoute",
        "UDP" => kind == "UDPRoute",
        _ => true,
    }
}

/// Whether a listener's host name and a route's have a name in common; none given means any.
fn hosts_meet(listener: &str, route: &[Text]) -> bool {
    listener.is_empty() || route.is_empty() || route.iter().any(|host| host_meets(listener, host))
}

fn host_meets(a: &str, b: &str) -> bool {
    let covers = |wide: &str, narrow: &str| {
        wide.strip_prefix('*')
            .is_some_and(|suffix| narrow.len() > suffix.len() && narrow.ends_with(suffix))
    };
    a.eq_ignore_ascii_case(b) || covers(a, b) || covers(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_meet_by_whole_labels() {
        let meets = |listener: &str, route: &str| hosts_meet(listener, &[route.into()]);
        assert!(meets("", "a.example.com") && meets("a.example.com", "a.example.com"));
        assert!(meets("*.example.com", "a.example.com") && meets("a.example.com", "*.example.com"));
        assert!(meets("*.example.com", "*.b.example.com") && hosts_meet("a.example.com", &[]));
        assert!(!meets("*.example.com", "example.com") && !meets("*.example.com", "badexample.com"));
        assert!(!meets("a.example.com", "b.example.com"));
    }
}
