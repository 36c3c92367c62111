//! Rules: who sends, who receives, on which ports.
//!
//! **Trap.** All members of an entity must hold at once, and both entities of a rule count in both directions: an
//! ingress rule may say something of its own pods too. In a policy of a namespace a `notSelector` is about pods
//! of that namespace; in one of the cluster it is about everything else there is, addresses outside included.
//! Sources: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#rule>,
//! <https://github.com/projectcalico/calico/blob/master/libcalico-go/lib/backend/syncersv1/updateprocessors/rules.go>

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::Value;

use super::Reader;
use super::labels::{About, not};
use super::selector::Selector;
use crate::model::{Protocol, Text};
use crate::network::address::{Block, InCluster, cidr};
use crate::network::attributes::SERVICE_ACCOUNT;
use crate::network::gap::{Effect, Gaps, NAME_RESOLVES};
use crate::network::policy::{Action, Direction, NamedPort, Peers, PolicyRule, Ports};
use crate::network::ports::PortSet;
use crate::network::problems::Problems;
use crate::network::selector::{Expression, Namespaces, PodSelector};

/// What is done about a rule that has no meaning.
const CLOSED: &str = "a rule that allows then matches nothing, another one denies all; correct it";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    action: Text,
    ip_version: Option<i64>,
    protocol: Option<Value>,
    not_protocol: Option<Value>,
    icmp: Option<Value>,
    #[serde(rename = "notICMP")]
    not_icmp: Option<Value>,
    http: Option<Value>,
    source: Option<Entity>,
    destination: Option<Entity>,
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// One side of a rule's traffic.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entity {
    nets: Option<Vec<Text>>,
    not_nets: Option<Vec<Text>>,
    selector: Option<Text>,
    not_selector: Option<Text>,
    namespace_selector: Option<Text>,
    ports: Option<Vec<Value>>,
    not_ports: Option<Vec<Value>>,
    service_accounts: Option<ServiceAccounts>,
    services: Option<Services>,
    domains: Option<Vec<Text>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceAccounts {
    names: Option<Vec<Text>>,
    selector: Option<Text>,
}

/// A Service whose endpoints are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Services {
    pub(super) name: Text,
    pub(super) namespace: Text,
}

/// A text that is there and not empty.
pub(super) fn given(text: Option<&Text>) -> Option<&Text> {
    text.filter(|text| !text.trim().is_empty())
}

fn list<T>(values: Option<&Vec<T>>) -> &[T] {
    values.map_or(&[], Vec::as_slice)
}

impl Entity {
    fn has_ports(&self) -> bool {
        !(list(self.ports.as_ref()).is_empty() && list(self.not_ports.as_ref()).is_empty())
    }

    fn has_nets(&self) -> bool {
        !(list(self.nets.as_ref()).is_empty() && list(self.not_nets.as_ref()).is_empty())
    }

    fn selects(&self) -> bool {
        let accounts = self.service_accounts.as_ref();
        let texts = [
            self.selector.as_ref(),
            self.not_selector.as_ref(),
            self.namespace_selector.as_ref(),
            accounts.and_then(|accounts| accounts.selector.as_ref()),
        ];
        texts.into_iter().any(|text| given(text).is_some())
            || accounts.is_some_and(|accounts| !list(accounts.names.as_ref()).is_empty())
    }

    /// Whether it says nothing but ports.
    fn is_open(&self) -> bool {
        let domains = list(self.domains.as_ref());
        !self.selects() && !self.has_nets() && self.services.is_none() && domains.is_empty()
    }
}

impl Reader<'_> {
    /// A rule as those that it stands for, none for one that only logs.
    pub(super) fn rule(
        &self,
        direction: Direction,
        rule: &Rule,
        pointer: &str,
        gaps: &mut Gaps,
        problems: &mut Problems<'_>,
    ) -> Vec<PolicyRule> {
        let action = match rule.action.as_str() {
            "Allow" => Action::Allow,
            "Deny" => Action::Deny,
            "Pass" => Action::Pass,
            "Log" => return Vec::new(),
            other => {
                let message = format!("`{other}` is no action");
                let hint = "it is read as Deny; use Allow, Deny, Pass or Log";
                problems.invalid(&format!("{pointer}/action"), message, hint);
                Action::Deny
            }
        };
        if rule.http.is_some() {
            gaps.add(pointer, "http (layer 7)", Effect::Noted);
        }
        let with = |action, (own, peers, ports): (Option<Peers>, Peers, Ports)| PolicyRule {
            own,
            action,
            peers,
            ports,
            pointer: pointer.into(),
        };
        match self.matches(direction, rule, pointer, gaps) {
            Ok(matches) => matches.into_iter().map(|matched| with(action, matched)).collect(),
            Err(wrong) => {
                problems.invalid(pointer, wrong, CLOSED);
                let closed = (None, Peers::everyone(), Ports::all());
                let denies = (action != Action::Allow).then(|| with(Action::Deny, closed));
                denies.into_iter().collect()
            }
        }
    }

    /// What a rule matches: the subject's side, its peers, and the ports of the destination.
    fn matches(
        &self,
        direction: Direction,
        rule: &Rule,
        pointer: &str,
        gaps: &mut Gaps,
    ) -> Result<Vec<(Option<Peers>, Peers, Ports)>, String> {
        let open = Entity::default();
        let source = rule.source.as_ref().unwrap_or(&open);
        let destination = rule.destination.as_ref().unwrap_or(&open);
        let mut unknown = [&rule.unknown, &source.unknown, &destination.unknown].into_iter();
        if let Some(name) = unknown.find_map(|members| members.keys().next()) {
            return Err(format!("{name} is no member of a rule that is known"));
        }
        let (peer, own) = match direction {
            Direction::Ingress => (source, destination),
            Direction::Egress => (destination, source),
        };
        let protocols = protocols(rule, source.has_ports() || destination.has_ports())?;
        let ports = ports(destination, &protocols)?;
        // The sender chooses the port that it sends from.
        let partly = source.has_ports();
        self::ports(source, &protocols)?;
        if own.services.is_some() {
            return Err("services on the policy's own side".to_owned());
        }
        let own = (!own.is_open()).then(|| self.entity(own)).transpose()?;
        let mut found = Vec::new();
        if let Some(services) = &peer.services {
            if peer.selects() || peer.has_nets() || peer.has_ports() {
                return Err("services beside selectors, nets or ports".to_owned());
            }
            for (peers, at) in self.service(services, direction)? {
                let both = PortSet::and(&ports.numbers, &at.numbers);
                let names = at.names.into_iter();
                let names = names.filter(|name| name.protocol.is_none_or(|known| protocols.contains(&known)));
                let ports = Ports {
                    numbers: both,
                    names: names.collect(),
                    ..Ports::default()
                };
                found.push((own.clone(), peers, ports));
            }
        } else {
            if !list(peer.domains.as_ref()).is_empty() {
                gaps.add(pointer, "destination.domains", Effect::Unknown);
                let names = domains(peer);
                found.extend(names.map(|peers| (own.clone(), peers, ports.clone())));
            }
            let only_names = !list(peer.domains.as_ref()).is_empty() && !peer.has_nets() && !peer.selects();
            if !only_names {
                found.push((own, self.entity(peer)?, ports));
            }
        }
        let family = match rule.ip_version {
            None => None,
            Some(4) => Some("0.0.0.0/0"),
            Some(6) => Some("::/0"),
            Some(other) => return Err(format!("{other} is no version of IP")),
        };
        for (_, peers, _) in &mut found {
            peers.partly = partly;
            if let Some(all) = family {
                let within = block(&[Text::new(all)], InCluster::Always)?;
                peers.within.push(within);
            }
        }
        Ok(found)
    }

    /// Everything that an entity means.
    fn entity(&self, entity: &Entity) -> Result<Peers, String> {
        let mut peers = Peers::default();
        let parse = |text: Option<&Text>| given(text).map(|text| Selector::parse(text)).transpose();
        let selector = parse(entity.selector.as_ref())?;
        let not_selector = parse(entity.not_selector.as_ref())?;
        let namespaces = parse(entity.namespace_selector.as_ref())?;
        let accounts = self.accounts(entity)?;
        let positive = selector.is_some() || accounts.is_some() || namespaces.is_some();
        let mut without = Peers::default();
        if positive || (not_selector.is_some() && self.own.is_some()) {
            let mut pods: Vec<Expression> = Vec::new();
            pods.extend(
                selector
                    .iter()
                    .map(|selector| self.conditions.of(selector, About::Endpoints)),
            );
            pods.extend(accounts.clone());
            let out = not_selector.iter();
            pods.extend(out.map(|selector| not(self.conditions.of(selector, About::Endpoints))));
            let means_accounts = accounts.is_some();
            peers.pods.push(PodSelector {
                namespaces: self.namespaces(namespaces.as_ref()),
                pods: Expression::All(pods),
            });
            let is_meant = |labels: &crate::model::Labels, namespace: Option<&Text>| {
                let selects = |selector: &Selector| self.conditions.selects_set(selector, labels, namespace);
                let placed = match (&namespaces, self.own) {
                    (Some(namespaces), _) => self.conditions.selects_place(namespaces, namespace),
                    (None, Some(own)) => namespace == Some(own),
                    (None, None) => true,
                };
                placed
                    && !means_accounts
                    && selector.as_ref().is_none_or(selects)
                    && !not_selector.as_ref().is_some_and(selects)
            };
            peers.blocks.extend(self.sets(&is_meant)?);
        } else {
            peers.everyone = true;
            if let Some(out) = &not_selector {
                without.pods.push(PodSelector {
                    namespaces: Namespaces::Where(Expression::EVERYTHING),
                    pods: self.conditions.of(out, About::Endpoints),
                });
                let selects = |labels: &crate::model::Labels, namespace: Option<&Text>| {
                    self.conditions.selects_set(out, labels, namespace)
                };
                without.blocks.extend(self.sets(&selects)?);
            }
        }
        if let nets @ [_, ..] = list(entity.nets.as_ref()) {
            peers.within.push(block(nets, InCluster::Matches)?);
        }
        if let nets @ [_, ..] = list(entity.not_nets.as_ref()) {
            without.blocks.push(block(nets, InCluster::Matches)?);
        }
        if without != Peers::default() {
            peers.without = Some(Box::new(without));
        }
        Ok(peers)
    }

    /// The namespaces that a selector of a rule means.
    pub(super) fn namespaces(&self, selector: Option<&Selector>) -> Namespaces {
        match (selector, self.own) {
            (Some(selector), _) => Namespaces::Where(self.conditions.of(selector, About::Namespaces)),
            (None, Some(own)) => Namespaces::One(own.clone()),
            (None, None) => Namespaces::Where(Expression::EVERYTHING),
        }
    }

    fn accounts(&self, entity: &Entity) -> Result<Option<Expression>, String> {
        let Some(accounts) = &entity.service_accounts else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        if let Some(text) = given(accounts.selector.as_ref()) {
            parts.push(self.conditions.of(&Selector::parse(text)?, About::Accounts));
        }
        if let names @ [_, ..] = list(accounts.names.as_ref()) {
            parts.push(Expression::In(Text::new(SERVICE_ACCOUNT), names.to_vec()));
        }
        Ok((!parts.is_empty()).then_some(Expression::All(parts)))
    }
}

/// What an entity means that gives names of hosts: the names, and perhaps any address.
fn domains(entity: &Entity) -> impl Iterator<Item = Peers> {
    let sure = Peers {
        domains: list(entity.domains.as_ref()).to_vec(),
        ..Peers::default()
    };
    let perhaps = Peers {
        world: true,
        unsure: Some(NAME_RESOLVES),
        ..Peers::default()
    };
    [sure, perhaps].into_iter()
}

/// A block of addresses and CIDRs.
pub(super) fn block(nets: &[Text], in_cluster: InCluster) -> Result<Block, String> {
    let net = |text: &Text| match text.parse::<std::net::IpAddr>() {
        Ok(address) => Ok(IpNet::from(address).into()),
        Err(_) => cidr(text),
    };
    Ok(Block {
        within: nets.iter().map(net).collect::<Result<_, String>>()?,
        except: Vec::new(),
        in_cluster,
    })
}

/// The protocol of a name or number; none for one that has no ports.
fn protocol(value: &Value) -> Result<Option<Protocol>, String> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    match text.to_ascii_uppercase().as_str() {
        "TCP" | "6" => Ok(Some(Protocol::Tcp)),
        "UDP" | "17" => Ok(Some(Protocol::Udp)),
        "SCTP" | "132" => Ok(Some(Protocol::Sctp)),
        "ICMP" | "ICMPV6" | "UDPLITE" => Ok(None),
        other if other.parse::<u8>().is_ok_and(|number| number > 0) => Ok(None),
        _ => Err(format!("{text} is no protocol")),
    }
}

/// The protocols of a rule among those that have ports.
fn protocols(rule: &Rule, has_ports: bool) -> Result<Vec<Protocol>, String> {
    let mut protocols = match &rule.protocol {
        Some(value) => protocol(value)?.into_iter().collect(),
        None if has_ports => return Err("ports need the protocol TCP, UDP or SCTP".to_owned()),
        None if rule.icmp.is_some() || rule.not_icmp.is_some() => Vec::new(),
        None => Protocol::ALL.to_vec(),
    };
    if has_ports && protocols.is_empty() {
        return Err("ports need the protocol TCP, UDP or SCTP".to_owned());
    }
    if let Some(value) = &rule.not_protocol {
        let not = protocol(value)?;
        protocols.retain(|known| Some(*known) != not);
    }
    Ok(protocols)
}

fn ports(entity: &Entity, protocols: &[Protocol]) -> Result<Ports, String> {
    let mut ports = Ports::default();
    for &protocol in protocols {
        let (wanted, not) = (list(entity.ports.as_ref()), list(entity.not_ports.as_ref()));
        if wanted.is_empty() {
            ports.numbers = ports.numbers.or(&PortSet::protocol(protocol));
        }
        for value in wanted {
            match port(value, protocol)? {
                Port::Numbers(numbers) => ports.numbers = ports.numbers.or(&numbers),
                Port::Name(name) => ports.names.push(name),
            }
        }
        for value in not {
            match port(value, protocol)? {
                Port::Numbers(numbers) => ports.except = ports.except.or(&numbers),
                Port::Name(name) => ports.except_names.push(name),
            }
        }
    }
    ports.numbers = ports.numbers.minus(&ports.except);
    Ok(ports)
}

enum Port {
    Numbers(PortSet),
    Name(NamedPort),
}

/// A port by number or name, or a range of them: `80`, `http`, `"80:90"`.
fn port(value: &Value, protocol: Protocol) -> Result<Port, String> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned);
    let (from, to) = text.split_once(':').unwrap_or((&text, &text));
    let is_name = !text.contains(':')
        && text.parse::<i64>().is_err()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        && !text.is_empty();
    match (from.parse::<u16>(), to.parse::<u16>()) {
        (Ok(from), Ok(to)) if from <= to => Ok(Port::Numbers(PortSet::range(protocol, from, to))),
        _ if is_name && value.is_string() => Ok(Port::Name(NamedPort {
            name: text.into(),
            protocol: Some(protocol),
        })),
        _ => Err(format!("{text} is no port and no range of ports")),
    }
}
