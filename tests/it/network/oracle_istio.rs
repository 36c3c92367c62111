//! Istio's policies, one connection at a time, straight from its documentation and from the objects as they stand.
//!
//! Sources: <https://istio.io/latest/docs/reference/config/security/authorization-policy/>,
//! <https://istio.io/latest/docs/reference/config/security/peer_authentication/>

use std::net::IpAddr;

use beachhead::model::{Pod, Protocol};
use ipnet::IpNet;
use serde_json::Value;

use super::oracle::{End, Oracle, Packet, node_addresses};

const ROOT: &str = "istio-system";

/// Who a sender proves to be.
struct Identity {
    namespace: String,
    account: String,
}

impl Identity {
    fn principal(&self) -> String {
        format!("cluster.local/ns/{}/sa/{}", self.namespace, self.account)
    }
}

fn texts<'v>(of: &'v Value, name: &str) -> Vec<&'v str> {
    let list = of[name].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|value| value.as_str().unwrap()).collect()
}

fn is_like(pattern: &str, text: &str) -> bool {
    if let Some(suffix) = pattern.strip_prefix('*') {
        return text.ends_with(suffix);
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

fn has_proxy(pod: &Pod) -> bool {
    !pod.spec.is_host_network()
        && pod
            .spec
            .containers
            .iter()
            .any(|container| container.name == "istio-proxy")
}

/// Whether a list is empty or `holds`, and another one is empty or does not.
fn both(of: &Value, name: &str, not: &str, holds: impl Fn(&str) -> bool) -> bool {
    let (wanted, unwanted) = (texts(of, name), texts(of, not));
    (wanted.is_empty() || wanted.into_iter().any(&holds)) && !unwanted.into_iter().any(&holds)
}

impl<'a> Oracle<'a> {
    /// What the proxy beside the target says of a connection.
    pub(super) fn istio(self, packet: Packet<'a>) -> bool {
        let End::Pod(target) = packet.target else {
            return true;
        };
        if !has_proxy(target) || packet.protocol != Protocol::Tcp {
            return true;
        }
        let identity = match packet.source {
            End::Pod(pod) if has_proxy(pod) => Some(Identity {
                namespace: pod.meta.namespace.to_string(),
                account: pod.spec.account().to_string(),
            }),
            _ => None,
        };
        if identity.is_none() && self.is_strict(target, packet.port) {
            return false;
        }
        let mut allows = None;
        for (id, other) in self
            .cluster
            .others
            .iter()
            .filter(|(id, _)| id.kind == "AuthorizationPolicy")
        {
            let spec = other.spec.as_ref().unwrap();
            let in_place = id.namespace == ROOT || target.meta.namespace == id.namespace;
            if !(in_place && selects(&spec["selector"], target)) {
                continue;
            }
            let rules = spec["rules"].as_array().map_or(&[][..], Vec::as_slice);
            let hit = rules
                .iter()
                .any(|rule| self.is_istio_rule(rule, &id.namespace, packet, identity.as_ref()));
            match spec["action"].as_str().unwrap_or("ALLOW") {
                "DENY" if hit => return false,
                "ALLOW" => allows = Some(allows.unwrap_or(false) || hit),
                _ => {}
            }
        }
        allows.unwrap_or(true)
    }

    /// Whether the nearest PeerAuthentication with a mode asks for a proof of identity.
    fn is_strict(self, target: &Pod, port: u16) -> bool {
        let all = || {
            self.cluster
                .others
                .iter()
                .filter(|(id, _)| id.kind == "PeerAuthentication")
        };
        let own = target.meta.namespace.as_str();
        let levels = [(own, true), (own, false), (ROOT, false)];
        let mut found = None;
        for (namespace, by_selector) in levels {
            for (_, other) in all().filter(|(id, _)| id.namespace.as_str() == namespace) {
                let spec = other.spec.as_ref().unwrap();
                let is_level = spec["selector"].is_object() == by_selector;
                if !is_level || !selects(&spec["selector"], target) {
                    continue;
                }
                if by_selector && let Some(mode) = spec["portLevelMtls"][port.to_string()]["mode"].as_str() {
                    return mode == "STRICT";
                }
                let mode = spec["mtls"]["mode"].as_str().unwrap();
                if mode != "UNSET" && found.is_none() {
                    found = Some(mode == "STRICT");
                }
            }
        }
        found.unwrap_or(false)
    }

    fn is_istio_rule(self, rule: &Value, own: &str, packet: Packet<'a>, identity: Option<&Identity>) -> bool {
        let from = rule["from"].as_array();
        let sources = from.is_none_or(|from| {
            from.iter()
                .any(|from| self.is_source(&from["source"], own, packet, identity))
        });
        let port = packet.port.to_string();
        let to = rule["to"].as_array();
        let operations = to.is_none_or(|to| {
            to.iter()
                .any(|to| both(&to["operation"], "ports", "notPorts", |wanted| wanted == port))
        });
        let when = rule["when"].as_array().into_iter().flatten();
        let conditions = when.into_iter().all(|condition| {
            both(condition, "values", "notValues", |value| {
                match condition["key"].as_str().unwrap() {
                    "destination.port" => value == port,
                    "source.ip" => self.sends_from(value, packet),
                    "source.namespace" => identity.is_some_and(|known| is_like(value, &known.namespace)),
                    _ => identity.is_some_and(|known| is_like(value, &known.principal())),
                }
            })
        });
        sources && operations && conditions
    }

    fn is_source(self, source: &Value, own: &str, packet: Packet<'a>, identity: Option<&Identity>) -> bool {
        both(source, "principals", "notPrincipals", |pattern| {
            identity.is_some_and(|known| is_like(pattern, &known.principal()))
        }) && both(source, "namespaces", "notNamespaces", |pattern| {
            identity.is_some_and(|known| is_like(pattern, &known.namespace))
        }) && both(source, "serviceAccounts", "notServiceAccounts", |name| {
            let (namespace, account) = name.split_once('/').unwrap_or((own, name));
            identity.is_some_and(|known| known.namespace == namespace && known.account == account)
        }) && both(source, "ipBlocks", "notIpBlocks", |cidr| {
            self.sends_from(cidr, packet)
        })
    }

    fn sends_from(self, cidr: &str, packet: Packet<'a>) -> bool {
        let net: IpNet = cidr.parse().unwrap();
        let addresses: Vec<IpAddr> = match packet.source {
            End::Outside(address) => vec![address],
            End::Node(node) => node_addresses(node),
            End::Pod(pod) => self.pod_addresses(pod),
        };
        addresses
            .into_iter()
            .any(|address| address.is_ipv6() == packet.ipv6 && net.contains(&address))
    }
}

fn selects(selector: &Value, pod: &Pod) -> bool {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    pairs.into_iter().all(|(key, value)| {
        let label = pod.meta.labels.get(key);
        label.is_some_and(|label| Some(label.as_str()) == value.as_str())
    })
}
