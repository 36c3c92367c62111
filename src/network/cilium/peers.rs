//! The other side of a rule: endpoints, entities, addresses, nodes, names and Services.
//!
//! **Trap.** Addresses never match pods, and nodes only if the agents are told so: what Cilium knows by identity
//! it does not look up by address. Source: <https://docs.cilium.io/en/stable/security/policy/language/#ip-cidr-based>

use ipnet::IpNet;
use serde_json::Value;

use super::{CidrRule, Context, Reader, Rule, ServiceRule, selector};
use crate::model::{LabelSelector, Service, Text};
use crate::network::address::{Block, InCluster, cidr};
use crate::network::destination::unknown_server;
use crate::network::gap::{Effect, Gaps, NAME_RESOLVES};
use crate::network::policy::Peers;
use crate::network::selector::{Expression, Namespaces, PodSelector};

const SERVICE_HAS_IT: &str = "Cilium lets toServices mean Services with selectors, or ports with them";
const IN_GROUP: &str = "the cloud's group has this address";
const OTHER_CLUSTER: &str = "the cluster that the rule names is this one";

impl Reader<'_> {
    /// The peers that a rule surely matches, and those that it perhaps does; what is wrong goes to `wrong`.
    pub(super) fn peers(
        &self,
        context: &Context<'_>,
        rule: &Rule,
        gaps: &mut Gaps,
        wrong: &mut Vec<String>,
    ) -> (Peers, Vec<Peers>) {
        let mut sure = Peers::default();
        let mut unsure = Vec::new();
        if rule.requires.is_some() {
            // It narrows the endpoints of every rule for these pods.
            gaps.add(context.pointer, "fromRequires and toRequires", Effect::Unknown);
        }
        if !rule.names_peers() {
            let has_ports = rule.to_ports.is_some() || rule.icmps.is_some();
            let open = has_ports && rule.requires.is_none();
            let peers = if open { Peers::everyone() } else { sure };
            return (peers, unsure);
        }
        for selector in rule.endpoints.iter().flatten() {
            self.endpoints(context, selector, &mut sure, &mut unsure, wrong);
        }
        for entity in rule.entities.iter().flatten() {
            self.entity(context, entity, &mut sure, &mut unsure, wrong);
        }
        for text in rule.cidr.iter().flatten() {
            match self.block(text, &[]) {
                Ok(block) => sure.blocks.push(block),
                Err(what) => wrong.push(what),
            }
        }
        for set in rule.cidr_set.iter().flatten() {
            if let Err(what) = self.cidr_set(set, &mut sure) {
                wrong.push(what);
            }
        }
        let nodes = rule.nodes.iter().flatten();
        sure.nodes.extend(nodes.map(Expression::from));
        for name in rule.to_fqdns.iter().flatten() {
            let name = name.match_name.clone().or_else(|| name.match_pattern.clone());
            sure.domains.extend(name);
        }
        if rule.to_fqdns.iter().flatten().next().is_some() {
            gaps.add(context.pointer, "toFQDNs", Effect::Unknown);
            unsure.push(perhaps_world(NAME_RESOLVES));
        }
        if let Some(services) = &rule.to_services {
            self.services(services, rule.to_ports.is_some(), &mut sure, &mut unsure);
            if unsure.iter().any(|peers| peers.unsure == Some(SERVICE_HAS_IT)) {
                gaps.add(context.pointer, "toServices", Effect::Unknown);
            }
        }
        if rule.groups.is_some() {
            gaps.add(context.pointer, "fromGroups and toGroups", Effect::Unknown);
            unsure.push(perhaps_world(IN_GROUP));
        }
        if rule
            .authentication
            .as_ref()
            .is_some_and(|known| known.mode == "always-fail")
        {
            return (Peers::default(), Vec::new());
        }
        (sure, unsure)
    }

    fn endpoints(
        &self,
        context: &Context<'_>,
        selector: &LabelSelector,
        sure: &mut Peers,
        unsure: &mut Vec<Peers>,
        wrong: &mut Vec<String>,
    ) {
        if let Some(entity) = selector::reserved(selector) {
            self.entity(context, &entity, sure, unsure, wrong);
            return;
        }
        let pods = selector::of_peer(selector, context.own);
        if selector::names_cluster(selector) {
            unsure.push(Peers {
                pods: vec![pods],
                unsure: Some(OTHER_CLUSTER),
                ..Peers::default()
            });
        } else {
            sure.pods.push(pods);
        }
    }

    /// Adds what an entity stands for.
    ///
    /// Source: <https://docs.cilium.io/en/stable/security/policy/language/#entities-based>
    fn entity(
        &self,
        context: &Context<'_>,
        entity: &str,
        sure: &mut Peers,
        unsure: &mut Vec<Peers>,
        wrong: &mut Vec<String>,
    ) {
        let everywhere = || PodSelector {
            namespaces: Namespaces::Where(Expression::EVERYTHING),
            pods: Expression::EVERYTHING,
        };
        let family = |text: &str| cidr(text).map(|range| outside(vec![range], Vec::new()));
        match entity {
            "all" => sure.everyone = true,
            "world" => sure.world = true,
            "world-ipv4" => sure.blocks.extend(family("0.0.0.0/0")),
            "world-ipv6" => sure.blocks.extend(family("::/0")),
            "cluster" => {
                sure.pods.push(everywhere());
                sure.nodes.push(Expression::EVERYTHING);
                self.entity(context, "kube-apiserver", sure, unsure, wrong);
            }
            "remote-node" => sure.nodes.push(Expression::EVERYTHING),
            "kube-apiserver" if self.server.addresses.is_empty() => {
                unsure.push(unknown_server(context.direction));
            }
            "kube-apiserver" => {
                let addresses = self.server.addresses.iter();
                sure.blocks.push(Block {
                    within: addresses
                        .map(|(address, _)| IpNet::from(*address).into())
                        .collect(),
                    except: Vec::new(),
                    in_cluster: InCluster::Always,
                });
            }
            // The own node is always allowed; the others are no pods or nodes of the input.
            "host" | "init" | "health" | "unmanaged" | "ingress" | "none" => {}
            other => wrong.push(format!("{other} is no entity")),
        }
    }

    fn block(&self, text: &str, except: &[Text]) -> Result<Block, String> {
        let net = if text.contains('/') {
            cidr(text)
        } else {
            let address = text.parse::<std::net::IpAddr>();
            address
                .map(|address| IpNet::from(address).into())
                .map_err(|_| format!("{text} is no CIDR"))
        };
        let except = except.iter().map(|text| cidr(text)).collect::<Result<_, _>>()?;
        Ok(Block {
            in_cluster: if self.cidrs_match_nodes {
                InCluster::Nodes
            } else {
                InCluster::Never
            },
            ..outside(vec![net?], except)
        })
    }

    /// Adds a CIDR, or those of groups of CIDRs.
    ///
    /// Source: <https://docs.cilium.io/en/stable/network/kubernetes/ciliumcidrgroup/>
    fn cidr_set(&self, set: &CidrRule, peers: &mut Peers) -> Result<(), String> {
        let is_meant: Box<dyn Fn(&crate::model::Other) -> bool> =
            match (&set.cidr, &set.cidr_group_ref, &set.cidr_group_selector) {
                (Some(text), None, None) => {
                    peers.blocks.push(self.block(text, &set.except)?);
                    return Ok(());
                }
                (None, Some(name), None) => Box::new(move |group| group.meta.name == *name),
                (None, None, Some(selector)) => Box::new(move |group| selector.matches(&group.meta.labels)),
                _ => {
                    return Err("a CIDR set needs one of cidr, cidrGroupRef and cidrGroupSelector".to_owned());
                }
            };
        let groups = self.cluster.others.iter().filter(|(id, group)| {
            id.kind == "CiliumCIDRGroup" && group.is_of_group(super::GROUP) && is_meant(group)
        });
        let mut any = false;
        for (_, group) in groups {
            any = true;
            let spec = group.spec.as_ref().and_then(|spec| spec.get("externalCIDRs"));
            let cidrs = spec.and_then(Value::as_array).into_iter().flatten();
            for text in cidrs.filter_map(Value::as_str) {
                peers.blocks.push(self.block(text, &set.except)?);
            }
        }
        match &set.cidr_group_ref {
            Some(name) if !any => Err(format!("no CiliumCIDRGroup {name}")),
            _ => Ok(()),
        }
    }

    /// Adds the endpoints of Services: surely those that somebody wrote for a Service without selector.
    ///
    /// Source: <https://docs.cilium.io/en/stable/security/policy/language/#services-based>
    fn services(&self, rules: &[ServiceRule], has_ports: bool, sure: &mut Peers, unsure: &mut Vec<Peers>) {
        let mut perhaps = Peers {
            unsure: Some(SERVICE_HAS_IT),
            ..Peers::default()
        };
        let mut written = Vec::new();
        let services = self.cluster.services.values();
        for service in services.filter(|service| rules.iter().any(|rule| rule.means(service))) {
            if service.spec.selector.is_empty() {
                self.written(service, &mut written);
            } else {
                let pairs = service.spec.selector.iter();
                let pairs = pairs.map(|(key, value)| Expression::In(key.clone(), vec![value.clone()]));
                perhaps.pods.push(PodSelector {
                    namespaces: Namespaces::One(service.meta.namespace.clone()),
                    pods: Expression::All(pairs.collect()),
                });
            }
        }
        if !written.is_empty() {
            sure.blocks.push(outside(written, Vec::new()));
        }
        // With ports some versions let the ports of everyone through:
        // https://github.com/cilium/cilium/issues/20067
        perhaps.everyone = has_ports;
        if perhaps.everyone || !perhaps.pods.is_empty() {
            unsure.push(perhaps);
        }
    }

    /// The addresses that somebody wrote as endpoints of a Service.
    fn written(&self, service: &Service, found: &mut Vec<crate::network::Range>) {
        let meta = &service.meta;
        let slices = self.cluster.endpoint_slices.values().filter(|slice| {
            let name = slice.meta.labels.get("kubernetes.io/service-name");
            slice.meta.namespace == meta.namespace && name == Some(&meta.name)
        });
        let in_slices = slices.flat_map(|slice| &slice.endpoints);
        let in_slices = in_slices.flat_map(|endpoint| &endpoint.addresses);
        let old = self
            .cluster
            .endpoints
            .get("Endpoints", &meta.namespace, &meta.name);
        let in_old = old.into_iter().flat_map(|endpoints| &endpoints.subsets);
        let in_old = in_old.flat_map(|subset| subset.addresses.iter().map(|address| &address.ip));
        let addresses = in_slices.chain(in_old);
        let addresses = addresses.filter_map(|text| text.parse::<std::net::IpAddr>().ok());
        found.extend(addresses.map(|address| crate::network::Range::from(IpNet::from(address))));
    }
}

impl Rule {
    /// Whether it says anything of its peers, even that there are none.
    fn names_peers(&self) -> bool {
        [
            self.endpoints.is_some(),
            self.entities.is_some(),
            self.cidr.is_some(),
            self.cidr_set.is_some(),
            self.nodes.is_some(),
            self.to_fqdns.is_some(),
            self.to_services.is_some(),
            self.groups.is_some(),
        ]
        .contains(&true)
    }
}

impl ServiceRule {
    fn means(&self, service: &Service) -> bool {
        let meta = &service.meta;
        let within = |namespace: &Text| namespace.is_empty() || *namespace == meta.namespace;
        let named = self
            .k8s_service
            .as_ref()
            .is_some_and(|name| name.service_name == meta.name && within(&name.namespace));
        let labelled = self
            .k8s_service_selector
            .as_ref()
            .is_some_and(|rule| rule.selector.matches(&meta.labels) && within(&rule.namespace));
        named || labelled
    }
}

fn outside(within: Vec<crate::network::Range>, except: Vec<crate::network::Range>) -> Block {
    Block {
        within,
        except,
        in_cluster: InCluster::Never,
    }
}

fn perhaps_world(reason: &'static str) -> Peers {
    Peers {
        world: true,
        unsure: Some(reason),
        ..Peers::default()
    }
}
