//! Calico's policies, one packet at a time, straight from its documentation and from the objects as they stand.
//!
//! Sources: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy>,
//! <https://docs.tigera.io/calico/latest/reference/resources/tier>

use std::collections::BTreeMap;
use std::net::IpAddr;

use beachhead::model::{NetworkPolicy, ObjectId, Other, Pod};
use ipnet::IpNet;
use serde_json::Value;

use super::oracle::{Cidrs, End, Oracle, Packet, Said, Way, has_named_port, has_type, node_addresses};

type Labels = BTreeMap<String, String>;

/// What may be selected: a pod, or a set of networks.
struct Endpoint {
    labels: Labels,
    namespace: Option<Labels>,
    account: Option<Labels>,
}

/// What decides in a tier.
enum Step<'a> {
    Calico(&'a ObjectId, &'a Other),
    Kubernetes(&'a NetworkPolicy),
}

fn texts<'v>(of: &'v Value, name: &str) -> Vec<&'v str> {
    let list = of[name].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|value| value.as_str().unwrap()).collect()
}

fn is_calico(id: &ObjectId, other: &Other) -> bool {
    other.api_version.contains("projectcalico.org/") && id.kind.ends_with("NetworkPolicy")
}

impl<'a> Oracle<'a> {
    /// Whether the cluster has policies of Calico.
    pub(super) fn has_calico(self) -> bool {
        self.cluster.others.iter().any(|(id, other)| is_calico(id, other))
    }

    /// What all tiers say of a packet.
    pub(super) fn calico(self, packet: Packet<'a>, way: Way, subject: &Pod, peer: End<'a>) -> bool {
        let mut tiers = vec![
            (1e3, "kube-admin".to_owned(), true),
            (1e6, "default".to_owned(), false),
            (1e7, "kube-baseline".to_owned(), true),
        ];
        for (id, other) in self.cluster.others.iter().filter(|(id, _)| id.kind == "Tier") {
            let spec = other.spec.as_ref().unwrap();
            tiers.push((
                spec["order"].as_f64().unwrap(),
                id.name.to_string(),
                spec["defaultAction"] == "Pass",
            ));
        }
        tiers.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, name, passes) in tiers {
            let said = match name.as_str() {
                "kube-admin" => self.tier(packet, way, subject, peer, false),
                "kube-baseline" => self.tier(packet, way, subject, peer, true),
                name => self.calico_tier(name, passes, packet, way, subject, peer),
            };
            match said {
                Said::Allow => return true,
                Said::Deny => return false,
                Said::Pass | Said::Nothing => {}
            }
        }
        true
    }

    fn calico_tier(
        self,
        tier: &str,
        passes: bool,
        packet: Packet<'a>,
        way: Way,
        subject: &Pod,
        peer: End<'a>,
    ) -> Said {
        let mut steps = Vec::new();
        for (id, other) in self
            .cluster
            .others
            .iter()
            .filter(|(id, other)| is_calico(id, other))
        {
            let spec = other.spec.as_ref().unwrap();
            if spec["tier"].as_str().unwrap_or("default") == tier
                && governs(other, way)
                && self.is_calico_subject(id, spec, subject)
            {
                let order = spec["order"].as_f64().unwrap_or(f64::INFINITY);
                steps.push((order, id.name.to_string(), Step::Calico(id, other)));
            }
        }
        if tier == "default" {
            let policies = self.cluster.network_policies.values();
            let policies = policies.filter(|policy| {
                policy.meta.namespace == subject.meta.namespace
                    && policy.spec.pod_selector.matches(&subject.meta.labels)
                    && has_type(policy, way)
            });
            steps
                .extend(policies.map(|policy| (1e3, policy.meta.name.to_string(), Step::Kubernetes(policy))));
        }
        if steps.is_empty() {
            return Said::Nothing;
        }
        steps.sort_by(|(a, p, _), (b, q, _)| a.total_cmp(b).then_with(|| p.cmp(q)));
        for (_, _, step) in steps {
            match step {
                Step::Kubernetes(policy) if self.policy_allows(policy, packet, way, peer) => {
                    return Said::Allow;
                }
                Step::Kubernetes(_) => {}
                Step::Calico(id, other) => {
                    let list = if way == Way::Ingress { "ingress" } else { "egress" };
                    let rules = other.spec.as_ref().unwrap()[list].as_array();
                    for rule in rules.into_iter().flatten() {
                        if rule["action"] != "Log" && self.is_calico_rule(id, rule, packet) {
                            return match rule["action"].as_str().unwrap() {
                                "Allow" => Said::Allow,
                                "Deny" => Said::Deny,
                                _ => Said::Pass,
                            };
                        }
                    }
                }
            }
        }
        if passes { Said::Pass } else { Said::Deny }
    }

    fn is_calico_subject(self, id: &ObjectId, spec: &Value, pod: &Pod) -> bool {
        let endpoint = self.endpoint(pod);
        let text = |name: &str| spec[name].as_str().unwrap_or("all()");
        let in_namespace = if id.kind == "NetworkPolicy" {
            pod.meta.namespace == id.namespace
        } else {
            holds(
                text("namespaceSelector"),
                endpoint.namespace.as_ref().unwrap(),
                true,
            )
        };
        in_namespace
            && holds(text("selector"), &endpoint.labels, true)
            && holds(
                text("serviceAccountSelector"),
                endpoint.account.as_ref().unwrap(),
                true,
            )
    }

    fn is_calico_rule(self, id: &ObjectId, rule: &Value, packet: Packet<'a>) -> bool {
        let protocol = |value: &Value| {
            let wanted = match value {
                Value::Number(number) => number.to_string(),
                other => other.as_str().unwrap().to_owned(),
            };
            wanted == packet.protocol.as_str() || wanted == "6" && packet.protocol.as_str() == "TCP"
        };
        let family = if packet.ipv6 { 6 } else { 4 };
        (rule["ipVersion"].is_null() || rule["ipVersion"] == family && self.has_family(packet))
            && (rule["protocol"].is_null() || protocol(&rule["protocol"]))
            && (rule["notProtocol"].is_null() || !protocol(&rule["notProtocol"]))
            && self.is_entity(id, &rule["source"], packet.source, packet.ipv6)
            && self.is_entity(id, &rule["destination"], packet.target, packet.ipv6)
            && is_destination_port(&rule["destination"], packet)
    }

    /// Whether the peers' addresses are of the packet's family, where they are known; it is IPv4 where not.
    fn has_family(self, packet: Packet<'a>) -> bool {
        [packet.source, packet.target].into_iter().all(|end| {
            let known = self.calico_addresses(end);
            known.is_empty() && !packet.ipv6 || known.iter().any(|address| address.is_ipv6() == packet.ipv6)
        })
    }

    fn calico_addresses(self, end: End<'a>) -> Vec<IpAddr> {
        match end {
            End::Outside(address) => vec![address],
            End::Node(node) => node_addresses(node),
            End::Pod(pod) => self.pod_addresses(pod),
        }
    }

    fn in_nets(self, nets: &[&str], end: End<'a>, ipv6: bool) -> bool {
        let nets: Vec<IpNet> = nets.iter().map(|text| text.parse().unwrap()).collect();
        let is_outside = matches!(end, End::Outside(_));
        if !is_outside && self.cidrs == Cidrs::Never {
            return false;
        }
        let addresses = self.calico_addresses(end);
        if addresses.is_empty() {
            let networks = self.pod_networks();
            return networks
                .iter()
                .all(|network| nets.iter().any(|net| net.contains(network)));
        }
        addresses
            .iter()
            .any(|address| address.is_ipv6() == ipv6 && nets.iter().any(|net| net.contains(address)))
    }

    /// The labels that Calico gives a pod, those of its namespace and those of its account.
    fn endpoint(self, pod: &Pod) -> Endpoint {
        let text = |labels: &beachhead::model::Labels| -> Labels {
            let pairs = labels.iter();
            pairs
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect()
        };
        let (name, account_name) = (&pod.meta.namespace, pod.spec.account());
        let mut namespace = text(&self.namespace_labels(name));
        namespace.insert("projectcalico.org/name".to_owned(), name.to_string());
        let account = self.cluster.service_account(name, &account_name);
        let mut account = account
            .map(|account| text(&account.meta.labels))
            .unwrap_or_default();
        account.insert("projectcalico.org/name".to_owned(), account_name.to_string());
        let mut labels = text(&pod.meta.labels);
        for (key, value) in [
            ("namespace", name.as_str()),
            ("serviceaccount", account_name.as_str()),
            ("orchestrator", "k8s"),
        ] {
            labels.insert(format!("projectcalico.org/{key}"), value.to_owned());
        }
        labels.extend(
            namespace
                .iter()
                .map(|(key, value)| (format!("pcns.{key}"), value.clone())),
        );
        labels.extend(
            account
                .iter()
                .map(|(key, value)| (format!("pcsa.{key}"), value.clone())),
        );
        Endpoint {
            labels,
            namespace: Some(namespace),
            account: Some(account),
        }
    }

    /// Everything that an end is to selectors: a pod, and the sets of networks that its address is in.
    fn endpoints(self, end: End<'a>, ipv6: bool) -> Vec<Endpoint> {
        let mut found = Vec::new();
        if let End::Pod(pod) = end
            && !pod.spec.is_host_network()
        {
            found.push(self.endpoint(pod));
        }
        let sets = self.cluster.others.iter();
        for (id, set) in sets.filter(|(id, _)| id.kind.ends_with("NetworkSet")) {
            if !self.in_nets(&texts(set.spec.as_ref().unwrap(), "nets"), end, ipv6) {
                continue;
            }
            let pairs = set.meta.labels.iter();
            let mut labels: Labels = pairs
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect();
            let mut namespace = None;
            if id.kind == "NetworkSet" {
                let known = self.namespace_labels(&id.namespace);
                let pairs = known.iter();
                let mut known: Labels = pairs
                    .map(|(key, value)| (key.to_string(), value.to_string()))
                    .collect();
                known.insert("projectcalico.org/name".to_owned(), id.namespace.to_string());
                labels.insert("projectcalico.org/namespace".to_owned(), id.namespace.to_string());
                labels.extend(
                    known
                        .iter()
                        .map(|(key, value)| (format!("pcns.{key}"), value.clone())),
                );
                namespace = Some(known);
            }
            found.push(Endpoint {
                labels,
                namespace,
                account: None,
            });
        }
        found
    }

    fn is_entity(self, id: &ObjectId, entity: &Value, end: End<'a>, ipv6: bool) -> bool {
        let (nets, not_nets) = (texts(entity, "nets"), texts(entity, "notNets"));
        if !nets.is_empty() && !self.in_nets(&nets, end, ipv6) || self.in_nets(&not_nets, end, ipv6) {
            return false;
        }
        let own = (id.kind == "NetworkPolicy").then_some(&id.namespace);
        let accounts = &entity["serviceAccounts"];
        let names = texts(accounts, "names");
        let asks_account = !names.is_empty() || accounts["selector"].is_string();
        let positive = entity["selector"].is_string()
            || entity["namespaceSelector"].is_string()
            || asks_account
            || own.is_some() && entity["notSelector"].is_string();
        let is_not = |endpoint: &Endpoint| {
            entity["notSelector"]
                .as_str()
                .is_some_and(|text| holds(text, &endpoint.labels, true))
        };
        let endpoints = self.endpoints(end, ipv6);
        if !positive {
            return !endpoints.iter().any(is_not);
        }
        endpoints.iter().any(|endpoint| {
            let placed = match (entity["namespaceSelector"].as_str(), own) {
                (Some(text), _) => match &endpoint.namespace {
                    Some(labels) => holds(text, labels, true),
                    None => holds(text, &Labels::new(), false),
                },
                (None, Some(own)) => {
                    let place = endpoint.labels.get("projectcalico.org/namespace");
                    place.is_some_and(|name| own == name.as_str())
                }
                (None, None) => true,
            };
            let selected = entity["selector"]
                .as_str()
                .is_none_or(|text| holds(text, &endpoint.labels, true));
            let of_account = !asks_account
                || endpoint.account.as_ref().is_some_and(|account| {
                    let is_named =
                        names.is_empty() || names.contains(&account["projectcalico.org/name"].as_str());
                    is_named
                        && accounts["selector"]
                            .as_str()
                            .is_none_or(|text| holds(text, account, true))
                });
            placed && selected && of_account && !is_not(endpoint)
        })
    }
}

fn governs(other: &Other, way: Way) -> bool {
    let spec = other.spec.as_ref().unwrap();
    let types = texts(spec, "types");
    let has = |list: &str| spec[list].as_array().is_some_and(|rules| !rules.is_empty());
    if types.is_empty() {
        return other.api_version == "crd.projectcalico.org/v1"
            || match way {
                Way::Ingress => has("ingress") || !has("egress"),
                Way::Egress => has("egress"),
            };
    }
    types.contains(&if way == Way::Ingress { "Ingress" } else { "Egress" })
}

fn is_destination_port(entity: &Value, packet: Packet<'_>) -> bool {
    let list = |name: &str| entity[name].as_array().map_or(&[][..], Vec::as_slice);
    let is_port = |port: &Value| {
        let text = match port {
            Value::Number(number) => number.to_string(),
            other => other.as_str().unwrap().to_owned(),
        };
        let (from, to) = text.split_once(':').unwrap_or((&text, &text));
        match (from.parse::<u16>(), to.parse::<u16>()) {
            (Ok(from), Ok(to)) => (from..=to).contains(&packet.port),
            _ => has_named_port(packet, &text.as_str().into(), Some(packet.protocol)),
        }
    };
    (list("ports").is_empty() || list("ports").iter().any(is_port)) && !list("notPorts").iter().any(is_port)
}

/// Whether a selector holds, whose words are parted by blanks; without a namespace `all()` does not.
fn holds(selector: &str, labels: &Labels, is_namespaced: bool) -> bool {
    let words: Vec<&str> = selector.split(' ').collect();
    let mut reader = Words {
        left: &words,
        labels,
        is_namespaced,
    };
    let holds = reader.any();
    assert!(reader.left.is_empty(), "{selector}");
    holds
}

struct Words<'w> {
    left: &'w [&'w str],
    labels: &'w Labels,
    is_namespaced: bool,
}

impl<'w> Words<'w> {
    fn next(&mut self) -> &'w str {
        let (first, rest) = self.left.split_first().unwrap();
        self.left = rest;
        first
    }

    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.left.first() == Some(&"||") {
            self.next();
            holds |= self.all();
        }
        holds
    }

    fn all(&mut self) -> bool {
        let mut holds = self.one();
        while self.left.first() == Some(&"&&") {
            self.next();
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        let word = self.next();
        match word {
            "!" => return !self.one(),
            "(" => {
                let holds = self.any();
                assert_eq!(self.next(), ")");
                return holds;
            }
            "all()" => return self.is_namespaced,
            "global()" => return !self.is_namespaced,
            _ => {}
        }
        if let Some(key) = word.strip_prefix("has(") {
            return self.labels.contains_key(key.trim_end_matches(')'));
        }
        let value = self.labels.get(word).cloned();
        let operator = self.next();
        match operator {
            "==" => value == Some(self.value()),
            "!=" => value != Some(self.value()),
            "in" => self.is_listed(value),
            "not" => {
                self.next();
                !self.is_listed(value)
            }
            "contains" => {
                let part = self.value();
                value.is_some_and(|value| value.contains(&part))
            }
            "starts" | "ends" => {
                self.next();
                let part = self.value();
                value.is_some_and(|value| {
                    if operator == "starts" {
                        value.starts_with(&part)
                    } else {
                        value.ends_with(&part)
                    }
                })
            }
            other => panic!("{other}"),
        }
    }

    fn is_listed(&mut self, value: Option<String>) -> bool {
        assert_eq!(self.next(), "{");
        let mut listed = false;
        loop {
            match self.next() {
                "}" => return listed,
                "," => {}
                known => listed |= value.as_deref() == Some(known.trim_matches(['\'', '"'])),
            }
        }
    }

    fn value(&mut self) -> String {
        self.next().trim_matches(['\'', '"']).to_owned()
    }
}
