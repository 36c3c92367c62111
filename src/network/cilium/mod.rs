//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of `cilium.io/v2`, to the transport layer.
//!
//! What Cilium denies it denies before any allowing rule is looked at, those of NetworkPolicies included; what it
//! allows stands beside NetworkPolicies. Rules for the layer of applications (HTTP, DNS, Kafka) are read as if
//! they allowed the whole port, and noted as gaps.
//!
//! **Trap.** A rule that names no peers is about everyone if it names ports, and about nobody if it names none:
//! `ingress: [{}]` is the documented way to deny everything.
//! Sources: <https://docs.cilium.io/en/stable/security/policy/language/>,
//! <https://docs.cilium.io/en/stable/security/policy/deny/>

mod peers;
mod selector;

use serde::Deserialize;
use serde_json::Value;

use super::destination::ApiServer;
use super::gap::{Effect, Gap, Gaps};
use super::policy::{Action, Direction, NamedPort, Order, Peers, Policy, PolicyRule, Ports, Tier};
use super::ports::PortSet;
use super::problems::{CLOSED, Problems};
use super::selector::{Expression, Namespaces, PodSelector};
use crate::model::{Cluster, Diagnostic, LabelSelector, ObjectId, Other, Protocol, Text};

/// The API group.
const GROUP: &str = "cilium.io";
const NAMESPACED: &str = "CiliumNetworkPolicy";
const CLUSTERWIDE: &str = "CiliumClusterwideNetworkPolicy";
/// Why it is not known what a policy of nodes stops.
const HOST_FIREWALL: &str = "the host firewall is on and the policy says so";
/// Why it is not known what a requirement on the peers of all rules stops.
const REQUIRED: &str = "a requirement of the rule does not hold";
/// The ConfigMap of Cilium's agents, and its switches.
///
/// Source: <https://docs.cilium.io/en/stable/network/kubernetes/configuration/>
const CONFIG: &str = "cilium-config";

/// Policies of Cilium: what they deny, what they allow, and what is not modelled of them.
#[derive(Debug, Default)]
pub(super) struct Read {
    deny: Vec<Policy>,
    allow: Vec<Policy>,
    hosts: Vec<Policy>,
    gaps: Vec<Gap>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    endpoint_selector: Option<LabelSelector>,
    node_selector: Option<LabelSelector>,
    ingress: Option<Vec<Rule>>,
    ingress_deny: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
    egress_deny: Option<Vec<Rule>>,
    enable_default_deny: DefaultDeny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DefaultDeny {
    ingress: Option<bool>,
    egress: Option<bool>,
}

/// A rule of either direction: the members of ingress begin with `from`, those of egress with `to`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    #[serde(alias = "fromEndpoints", alias = "toEndpoints")]
    endpoints: Option<Vec<LabelSelector>>,
    #[serde(alias = "fromEntities", alias = "toEntities")]
    entities: Option<Vec<Text>>,
    #[serde(alias = "fromCIDR", alias = "toCIDR")]
    cidr: Option<Vec<Text>>,
    #[serde(alias = "fromCIDRSet", alias = "toCIDRSet")]
    cidr_set: Option<Vec<CidrRule>>,
    #[serde(alias = "fromNodes", alias = "toNodes")]
    nodes: Option<Vec<LabelSelector>>,
    #[serde(rename = "toFQDNs")]
    to_fqdns: Option<Vec<Name>>,
    to_services: Option<Vec<ServiceRule>>,
    to_ports: Option<Vec<PortRule>>,
    icmps: Option<Value>,
    authentication: Option<Authentication>,
    #[serde(alias = "fromGroups", alias = "toGroups")]
    groups: Option<Value>,
    #[serde(alias = "fromRequires", alias = "toRequires")]
    requires: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CidrRule {
    cidr: Option<Text>,
    cidr_group_ref: Option<Text>,
    cidr_group_selector: Option<LabelSelector>,
    except: Vec<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Name {
    match_name: Option<Text>,
    match_pattern: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceRule {
    k8s_service: Option<ServiceName>,
    k8s_service_selector: Option<ServiceSelector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceName {
    service_name: Text,
    namespace: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceSelector {
    selector: LabelSelector,
    namespace: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Authentication {
    mode: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PortRule {
    ports: Vec<Port>,
    rules: Option<Value>,
    server_names: Option<Value>,
    listener: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    #[serde(rename = "port")]
    number_or_name: Option<Value>,
    #[serde(rename = "endPort")]
    last: Option<u16>,
    protocol: Option<Text>,
}

/// How many policies of Cilium the input holds.
pub(super) fn count(cluster: &Cluster) -> usize {
    policies(cluster).count()
}

/// What the agents' configuration says of a switch.
pub(super) fn setting<'c>(cluster: &'c Cluster, name: &str) -> Option<&'c str> {
    let config = cluster.config_map("kube-system", CONFIG)?;
    config.data.0.get(name).map(|value| value.text.as_str())
}

pub(super) fn policies(cluster: &Cluster) -> impl Iterator<Item = (&ObjectId, &Other)> {
    cluster
        .others
        .iter()
        .filter(|(id, other)| (id.kind == NAMESPACED || id.kind == CLUSTERWIDE) && other.is_of_group(GROUP))
}

/// The tiers of Cilium's policies and of NetworkPolicies, which it enforces together.
pub(super) fn tiers(
    cluster: &Cluster,
    mut kubernetes: Tier,
    gaps: &mut Vec<Gap>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Tier> {
    let read = read(cluster, found);
    gaps.extend(read.gaps);
    for part in &mut kubernetes.parts {
        part.policies.extend(read.allow.iter().cloned());
    }
    if !read.allow.is_empty() {
        kubernetes.name = "NetworkPolicy and Cilium".into();
    }
    let deny = Tier::new("Cilium deny", Order::FirstMatch, read.deny);
    let hosts = Tier::new("Cilium host firewall", Order::FirstMatch, read.hosts);
    let tiers = [deny, hosts].into_iter().chain([kubernetes]);
    tiers.filter(|tier| tier.policies().next().is_some()).collect()
}

/// Reads every policy of Cilium.
fn read(cluster: &Cluster, found: &mut Vec<Diagnostic>) -> Read {
    let mut read = Read::default();
    let reader = Reader {
        cluster,
        server: ApiServer::new(cluster),
        cidrs_match_nodes: setting(cluster, "policy-cidr-match-mode")
            .is_some_and(|mode| mode.contains("node")),
    };
    for (id, other) in policies(cluster) {
        let mut problems = Problems {
            id,
            meta: &other.meta,
            found,
        };
        let many = other.specs.iter().filter_map(Value::as_array).flatten();
        let many = many.enumerate().map(|(at, spec)| (format!("/specs/{at}"), spec));
        let one = other.spec.iter().map(|spec| ("/spec".to_owned(), spec));
        for (pointer, spec) in one.chain(many) {
            match Spec::deserialize(spec) {
                Ok(spec) => reader.policy((id, other), &pointer, &spec, &mut read, &mut problems),
                Err(wrong) => {
                    problems.invalid(&pointer, wrong, "its pods are taken to be isolated; correct it");
                    read.allow.push(Policy {
                        id: id.clone(),
                        subjects: vec![broken_subjects(id, spec)],
                        isolates: [true; 2],
                        rules: Default::default(),
                    });
                }
            }
        }
    }
    read
}

/// The pods of a policy whose rules cannot be read.
fn broken_subjects(id: &ObjectId, spec: &Value) -> PodSelector {
    let own = (id.kind == NAMESPACED).then_some(&id.namespace);
    let selector = spec.get("endpointSelector");
    let selector = selector.and_then(|selector| LabelSelector::deserialize(selector).ok());
    selector::of_subject(&selector.unwrap_or_default(), own)
}

struct Reader<'a> {
    cluster: &'a Cluster,
    server: ApiServer,
    /// Whether CIDRs match nodes, as a switch of the agents says.
    cidrs_match_nodes: bool,
}

/// What a rule is read with.
struct Context<'r> {
    /// The namespace of a policy that has one.
    own: Option<&'r Text>,
    /// Where the rule stands.
    pointer: &'r str,
    direction: Direction,
    action: Action,
}

impl Reader<'_> {
    fn policy(
        &self,
        (id, other): (&ObjectId, &Other),
        pointer: &str,
        spec: &Spec,
        read: &mut Read,
        problems: &mut Problems<'_>,
    ) {
        let own = (id.kind == NAMESPACED).then_some(&id.namespace);
        let lists = [
            [&spec.ingress, &spec.ingress_deny],
            [&spec.egress, &spec.egress_deny],
        ];
        let switches = [spec.enable_default_deny.ingress, spec.enable_default_deny.egress];
        let mut rules: [[Vec<PolicyRule>; 2]; 2] = Default::default();
        let mut isolates = [false; 2];
        let mut gaps = Gaps::default();
        for (direction, [allow, deny]) in Direction::BOTH.into_iter().zip(lists) {
            let side = direction as usize;
            let mut given = [allow, deny].into_iter().flatten();
            isolates[side] = switches[side].unwrap_or_else(|| given.any(|list| !list.is_empty()));
            for (list, action, suffix) in [(allow, Action::Allow, ""), (deny, Action::Deny, "Deny")] {
                for (at, rule) in list.iter().flatten().enumerate() {
                    let pointer = &format!("{pointer}/{direction}{suffix}/{at}");
                    let context = Context {
                        own,
                        pointer,
                        direction,
                        action,
                    };
                    for rule in self.rule(&context, rule, &mut gaps, problems) {
                        rules[usize::from(rule.action == Action::Deny)][side].push(rule);
                    }
                }
            }
        }
        let Some(selector) = &spec.endpoint_selector else {
            let gap = spec.node_selector.as_ref().filter(|_| own.is_none());
            match gap {
                Some(nodes) => host_policy((id, other), pointer, nodes, isolates, read),
                None => problems.invalid(pointer, "no endpointSelector", "the policy is left out; add one"),
            }
            return;
        };
        let subjects = vec![selector::of_subject(selector, own)];
        read.gaps.extend(gaps.of(id, &other.meta, &subjects));
        let [allow, deny] = rules;
        if deny.iter().any(|rules| !rules.is_empty()) {
            read.deny.push(Policy {
                id: id.clone(),
                subjects: subjects.clone(),
                isolates: [false; 2],
                rules: deny,
            });
        }
        read.allow.push(Policy {
            id: id.clone(),
            subjects,
            isolates,
            rules: allow,
        });
    }

    /// A rule as one that surely matches, and one that perhaps does.
    fn rule(
        &self,
        context: &Context<'_>,
        rule: &Rule,
        gaps: &mut Gaps,
        problems: &mut Problems<'_>,
    ) -> Vec<PolicyRule> {
        let pointer = context.pointer;
        let with = |peers: Peers, ports: &Ports, action| PolicyRule {
            own: None,
            action,
            peers,
            ports: ports.clone(),
            pointer: pointer.into(),
        };
        note(rule, pointer, gaps);
        let ports = match ports(rule) {
            Ok(ports) => ports,
            Err(wrong) => {
                problems.invalid(pointer, wrong, CLOSED);
                let denies = context.action == Action::Deny;
                return denies
                    .then(|| with(Peers::everyone(), &Ports::all(), Action::Deny))
                    .into_iter()
                    .collect();
            }
        };
        let mut wrong = Vec::new();
        let (sure, unsure) = self.peers(context, rule, gaps, &mut wrong);
        let broken = !wrong.is_empty();
        for wrong in wrong {
            problems.invalid(pointer, wrong, CLOSED);
        }
        if broken && context.action == Action::Deny {
            return vec![with(Peers::everyone(), &Ports::all(), Action::Deny)];
        }
        let mut rules: Vec<PolicyRule> = unsure
            .into_iter()
            .map(|peers| with(peers, &ports, context.action))
            .collect();
        rules.insert(0, with(sure, &ports, context.action));
        if rule.requires.is_some() {
            let peers = Peers {
                unsure: Some(REQUIRED),
                ..Peers::everyone()
            };
            rules.push(with(peers, &Ports::all(), Action::Deny));
        }
        rules
    }
}

/// Notes what of a rule is for the layer of applications.
///
/// Source: <https://docs.cilium.io/en/stable/security/policy/language/#layer-7-examples>
fn note(rule: &Rule, pointer: &str, gaps: &mut Gaps) {
    for port in rule.to_ports.iter().flatten() {
        if port.rules.is_some() {
            gaps.add(pointer, "toPorts.rules (layer 7)", Effect::Noted);
        }
        if port.server_names.is_some() {
            gaps.add(pointer, "toPorts.serverNames", Effect::Noted);
        }
        if port.listener.is_some() {
            gaps.add(pointer, "toPorts.listener", Effect::Noted);
        }
    }
    if rule
        .authentication
        .as_ref()
        .is_some_and(|known| known.mode == "required")
    {
        gaps.add(pointer, "authentication", Effect::Noted);
    }
}

/// A policy of nodes: the host firewall is off unless it is asked for, and is not modelled.
fn host_policy(
    (id, other): (&ObjectId, &Other),
    pointer: &str,
    nodes: &LabelSelector,
    isolates: [bool; 2],
    read: &mut Read,
) {
    let subjects = vec![PodSelector {
        namespaces: Namespaces::OfNodes,
        pods: Expression::from(nodes),
    }];
    let mut gaps = Gaps::default();
    gaps.add(
        &format!("{pointer}/nodeSelector"),
        "nodeSelector (host firewall)",
        Effect::Unknown,
    );
    read.gaps.extend(gaps.of(id, &other.meta, &subjects));
    let rule = |isolates: bool| {
        let stops = isolates.then(|| PolicyRule {
            own: None,
            action: Action::Deny,
            peers: Peers {
                unsure: Some(HOST_FIREWALL),
                ..Peers::everyone()
            },
            ports: Ports::all(),
            pointer: pointer.into(),
        });
        stops.into_iter().collect()
    };
    read.hosts.push(Policy {
        id: id.clone(),
        subjects,
        isolates: [false; 2],
        rules: isolates.map(rule),
    });
}

fn ports(rule: &Rule) -> Result<Ports, String> {
    let Some(list) = rule.to_ports.as_ref().filter(|list| !list.is_empty()) else {
        return Ok(if rule.icmps.is_some() {
            Ports::default()
        } else {
            Ports::all()
        });
    };
    let mut ports = Ports::default();
    for rule in list {
        if rule.ports.is_empty() {
            return Ok(Ports::all());
        }
        for port in &rule.ports {
            read_port(port, &mut ports)?;
        }
    }
    Ok(ports)
}

fn read_port(port: &Port, ports: &mut Ports) -> Result<(), String> {
    let name = port.protocol.as_ref().map(|name| name.to_ascii_uppercase());
    let protocols: Vec<Protocol> = match name.as_deref() {
        None | Some("" | "ANY") => Protocol::ALL.to_vec(),
        Some("ICMP" | "ICMPV6" | "VRRP" | "IGMP") => return Ok(()),
        Some(name) => {
            let known = Protocol::ALL.into_iter().find(|known| known.as_str() == name);
            vec![known.ok_or_else(|| format!("{name} is no protocol"))?]
        }
    };
    let text = match &port.number_or_name {
        None => "0".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    for protocol in protocols {
        match text.parse::<u16>() {
            Ok(0) => ports.numbers = ports.numbers.or(&PortSet::protocol(protocol)),
            Ok(from) => {
                let last = port.last.filter(|last| *last != 0).unwrap_or(from);
                let range = PortSet::range(protocol, from, last);
                if range.is_empty() {
                    return Err(format!("endPort comes before port {from}"));
                }
                ports.numbers = ports.numbers.or(&range);
            }
            Err(_) if text.parse::<i64>().is_ok() => return Err(format!("{text} is no port")),
            Err(_) => ports.names.push(NamedPort {
                name: Text::new(&text),
                protocol: Some(protocol),
            }),
        }
    }
    Ok(())
}
