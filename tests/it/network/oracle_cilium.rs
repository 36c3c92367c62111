//! Cilium's policies, one packet at a time, straight from its documentation and from the objects as they stand.
//!
//! Source: <https://docs.cilium.io/en/stable/security/policy/language/>

use std::collections::BTreeMap;
use std::net::IpAddr;

use beachhead::model::{ObjectId, Other, Pod};
use ipnet::IpNet;
use serde_json::Value;

use super::oracle::{End, Oracle, Packet, Way, has_named_port};

/// What Cilium's policies say of a packet in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    pub(super) denied: bool,
    pub(super) isolated: bool,
    pub(super) allowed: bool,
}

const NAMESPACE: &str = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";

fn list<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

fn plain(key: &str) -> &str {
    key.strip_prefix("k8s:")
        .or_else(|| key.strip_prefix("any:"))
        .unwrap_or(key)
}

/// Whether a selector selects an endpoint of these labels, the keys that `skip` says left out.
fn selects(selector: &Value, labels: &BTreeMap<String, String>, skip: &dyn Fn(&str) -> bool) -> bool {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = list(selector, "matchExpressions");
    pairs
        .filter(|(key, _)| !skip(plain(key)))
        .all(|(key, value)| labels.get(plain(key)).map(String::as_str) == value.as_str())
        && expressions.iter().all(|expression| {
            let value = labels.get(plain(expression["key"].as_str().unwrap()));
            let values = list(expression, "values");
            let listed = value.is_some_and(|value| values.iter().any(|known| known == value.as_str()));
            match expression["operator"].as_str().unwrap() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn keys(selector: &Value) -> Vec<&str> {
    let pairs = selector["matchLabels"].as_object().into_iter().flatten();
    let expressions = list(selector, "matchExpressions").iter();
    pairs
        .map(|(key, _)| plain(key))
        .chain(expressions.map(|expression| plain(expression["key"].as_str().unwrap())))
        .collect()
}

impl<'a> Oracle<'a> {
    /// What the policies of Cilium say; `gaps` of the oracle decides what cannot be known, in favour or against.
    pub(super) fn cilium(self, packet: Packet<'a>, way: Way, subject: &Pod, peer: End<'a>) -> Said {
        let mut said = Said::default();
        let (allow, deny, prefix) = match way {
            Way::Ingress => ("ingress", "ingressDeny", "from"),
            Way::Egress => ("egress", "egressDeny", "to"),
        };
        for (id, other) in &self.cluster.others {
            let Some(spec) = other.spec.as_ref().filter(|_| is_cilium(id, other)) else {
                continue;
            };
            let own = (id.kind == "CiliumNetworkPolicy").then(|| id.namespace.as_str());
            if !self.is_cilium_subject(&spec["endpointSelector"], own, subject) {
                continue;
            }
            let switch = spec["enableDefaultDeny"][allow].as_bool();
            let given = !list(spec, allow).is_empty() || !list(spec, deny).is_empty();
            said.isolated |= switch.unwrap_or(given);
            for (rules, denies) in [(allow, false), (deny, true)] {
                let hit = list(spec, rules).iter().any(|rule| {
                    self.is_cilium_peer(rule, prefix, own, packet, peer, denies) && is_port(rule, packet)
                });
                *(if denies {
                    &mut said.denied
                } else {
                    &mut said.allowed
                }) |= hit;
            }
        }
        said
    }

    /// The labels that Cilium gives an endpoint.
    fn endpoint_labels(self, pod: &Pod) -> BTreeMap<String, String> {
        let mut labels: BTreeMap<String, String> = pod
            .meta
            .labels
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        let namespace = &pod.meta.namespace;
        labels.insert(NAMESPACE.to_owned(), namespace.to_string());
        for (key, value) in self.namespace_labels(namespace).iter() {
            labels.insert(format!("{NAMESPACE_LABELS}{key}"), value.to_string());
        }
        let account = pod.spec.account().to_string();
        labels.insert("io.cilium.k8s.policy.serviceaccount".to_owned(), account);
        labels
    }

    fn is_cilium_subject(self, selector: &Value, own: Option<&str>, pod: &Pod) -> bool {
        own.is_none_or(|own| pod.meta.namespace == *own)
            && selects(selector, &self.endpoint_labels(pod), &|key| {
                own.is_some() && key == NAMESPACE
            })
    }

    fn is_cilium_peer(
        self,
        rule: &Value,
        prefix: &str,
        own: Option<&str>,
        packet: Packet<'a>,
        peer: End<'a>,
        denies: bool,
    ) -> bool {
        let member = |name: &str| &rule[format!("{prefix}{name}")];
        let named = ["Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes", "FQDNs"];
        if named.iter().all(|name| member(name).is_null()) {
            return !rule["toPorts"].is_null();
        }
        let in_favour = self.gaps != denies;
        let endpoint = |selector: &Value| match peer {
            End::Pod(pod) if !pod.spec.is_host_network() => {
                let asked = keys(selector)
                    .iter()
                    .any(|key| *key == NAMESPACE || key.starts_with(NAMESPACE_LABELS));
                (asked || own.is_none_or(|own| pod.meta.namespace == *own))
                    && selects(selector, &self.endpoint_labels(pod), &|_| false)
            }
            _ => false,
        };
        let outside = match peer {
            End::Outside(address) => Some(address),
            _ => None,
        };
        let entity = |name: &str| match name {
            "all" => true,
            "world" => outside.is_some(),
            "world-ipv4" => outside.is_some_and(|address| address.is_ipv4()),
            "cluster" => outside.is_none() || in_favour && prefix == "to",
            "remote-node" => self.is_cilium_node(None, peer),
            "kube-apiserver" => {
                in_favour && (self.is_cilium_node(None, peer) || prefix == "to" && outside.is_some())
            }
            _ => false,
        };
        let within = |cidr: &str, except: &[Value]| {
            let inside = |address: IpAddr| {
                let holds = |text: &str| text.parse::<IpNet>().unwrap().contains(&address);
                address.is_ipv6() == packet.ipv6
                    && holds(cidr)
                    && !except.iter().any(|out| holds(out.as_str().unwrap()))
            };
            outside.is_some_and(inside)
        };
        let any = |name: &str, holds: &dyn Fn(&Value) -> bool| {
            member(name).as_array().is_some_and(|all| all.iter().any(holds))
        };
        any("Endpoints", &endpoint)
            || any("Entities", &|name| entity(name.as_str().unwrap()))
            || any("CIDR", &|cidr| within(cidr.as_str().unwrap(), &[]))
            || any("CIDRSet", &|set| {
                within(set["cidr"].as_str().unwrap(), list(set, "except"))
            })
            || any("Nodes", &|selector| self.is_cilium_node(Some(selector), peer))
            || any("FQDNs", &|_| in_favour && outside.is_some())
    }
}

impl Oracle<'_> {
    fn is_cilium_node(self, selector: Option<&Value>, peer: End<'_>) -> bool {
        let node = match peer {
            End::Node(node) => Some(node),
            End::Pod(pod) if pod.spec.is_host_network() => self.cluster.node(&pod.spec.node_name),
            _ => return false,
        };
        let Some(selector) = selector else { return true };
        node.map_or(keys(selector).is_empty(), |node| {
            let pairs = node.meta.labels.iter();
            let labels = pairs.map(|(key, value)| (key.to_string(), value.to_string()));
            selects(selector, &labels.collect(), &|_| false)
        })
    }
}

fn is_cilium(id: &ObjectId, other: &Other) -> bool {
    other.is_of_group("cilium.io") && id.kind.starts_with("Cilium")
}

fn is_port(rule: &Value, packet: Packet<'_>) -> bool {
    let lists = list(rule, "toPorts");
    let port = |port: &Value| {
        let protocol = port["protocol"].as_str().unwrap_or("ANY");
        if protocol != "ANY" && protocol != packet.protocol.as_str() {
            return false;
        }
        let name = port["port"].as_str().unwrap();
        let Ok(number) = name.parse::<u16>() else {
            return has_named_port(packet, &name.into(), Some(packet.protocol));
        };
        let last = port["endPort"]
            .as_u64()
            .map_or(number, |last| u16::try_from(last).unwrap());
        number == 0 || (number..=last).contains(&packet.port)
    };
    lists.is_empty()
        || lists
            .iter()
            .any(|ports| list(ports, "ports").is_empty() || list(ports, "ports").iter().any(port))
}
