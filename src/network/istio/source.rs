//! The sources of a rule: identities, namespaces, addresses.
//!
//! **Trap.** Whoever is outside the mesh has no identity: `principals` never means it, and `notPrincipals` always
//! does. Source: <https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source>

use ipnet::IpNet;
use serde::Deserialize;

use super::{Condition, Context, Reader, identities};
use crate::model::Text;
use crate::network::address::{Block, InCluster, cidr};
use crate::network::attributes::NAMESPACE;
use crate::network::gap::{Effect, Gaps};
use crate::network::policy::Peers;
use crate::network::selector::{Expression, Namespaces, PodSelector};

/// The trust domain of a mesh that names none.
const TRUST_DOMAIN: &str = "cluster.local";
const TRUST: &str = "the trust domain that the rule names is the mesh's own";
const REMOTE: &str = "the condition holds, which is about more than the packet";

/// `source` of a rule.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Source {
    principals: Vec<Text>,
    not_principals: Vec<Text>,
    namespaces: Vec<Text>,
    not_namespaces: Vec<Text>,
    service_accounts: Vec<Text>,
    not_service_accounts: Vec<Text>,
    ip_blocks: Vec<Text>,
    not_ip_blocks: Vec<Text>,
    remote_ip_blocks: Vec<Text>,
    not_remote_ip_blocks: Vec<Text>,
    request_principals: Vec<Text>,
    not_request_principals: Vec<Text>,
}

/// What conditions leave of all senders.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched {
    /// Conditions on pods.
    pods: Vec<Expression>,
    /// Whether only senders with an identity are left.
    needs_identity: bool,
    within: Vec<Block>,
    unsure: Option<&'static str>,
}

impl Source {
    /// Adds its conditions; returns whether some are about requests.
    pub(super) fn add(
        &self,
        reader: &Reader<'_>,
        context: &Context<'_>,
        matched: &mut Matched,
        gaps: &mut Gaps,
    ) -> Result<bool, String> {
        let requests = !(self.request_principals.is_empty() && self.not_request_principals.is_empty());
        let remote = !(self.remote_ip_blocks.is_empty() && self.not_remote_ip_blocks.is_empty());
        let lists = [
            &self.principals,
            &self.not_principals,
            &self.namespaces,
            &self.not_namespaces,
            &self.service_accounts,
            &self.not_service_accounts,
            &self.ip_blocks,
            &self.not_ip_blocks,
        ];
        if !requests && !remote && lists.iter().all(|list| list.is_empty()) {
            return Err("a source without any field".to_owned());
        }
        matched.principals(reader, &self.principals, &self.not_principals);
        matched.namespaces(reader, &self.namespaces, &self.not_namespaces);
        matched.accounts(
            reader,
            context,
            &self.service_accounts,
            &self.not_service_accounts,
        );
        matched.addresses(&self.ip_blocks, &self.not_ip_blocks)?;
        if remote {
            gaps.add(context.pointer, "remoteIpBlocks", Effect::Unknown);
            matched.unsure = Some(REMOTE);
        }
        Ok(requests)
    }
}

impl Matched {
    /// Adds a condition of `when` that is not about requests.
    ///
    /// Source: <https://istio.io/latest/docs/reference/config/security/conditions/>
    pub(super) fn condition(
        &mut self,
        reader: &Reader<'_>,
        context: &Context<'_>,
        condition: &Condition,
        gaps: &mut Gaps,
    ) -> Result<(), String> {
        let (values, not) = (&condition.values, &condition.not_values);
        match condition.key.as_str() {
            "source.principal" => self.principals(reader, values, not),
            "source.namespace" => self.namespaces(reader, values, not),
            "source.serviceAccount" => self.accounts(reader, context, values, not),
            "source.ip" => self.addresses(values, not)?,
            "" => return Err("a condition without key".to_owned()),
            _ => {
                gaps.add(
                    context.pointer,
                    "a condition that is not about the source",
                    Effect::Unknown,
                );
                self.unsure = Some(REMOTE);
            }
        }
        Ok(())
    }

    /// The senders as peers.
    pub(super) fn peers(&self, reader: &Reader<'_>, context: &Context<'_>) -> Peers {
        let unsure = context.unsure.or(self.unsure);
        let mut peers = if self.pods.is_empty() {
            Peers::everyone()
        } else {
            let mut pods = self.pods.clone();
            if self.needs_identity {
                pods.push(reader.in_mesh());
            }
            Peers {
                pods: vec![PodSelector {
                    namespaces: Namespaces::Where(Expression::EVERYTHING),
                    pods: Expression::All(pods),
                }],
                world: !self.needs_identity,
                nodes: if self.needs_identity {
                    Vec::new()
                } else {
                    vec![Expression::EVERYTHING]
                },
                ..Peers::default()
            }
        };
        peers.within.clone_from(&self.within);
        peers.unsure = unsure;
        peers
    }

    fn add(&mut self, reader: &Reader<'_>, given: (bool, bool), yes: Vec<Text>, no: Vec<Text>) {
        if given.0 {
            self.needs_identity = true;
            self.pods.push(identities(yes, reader.in_mesh()));
        }
        if given.1 {
            self.pods
                .push(Expression::Not(Box::new(identities(no, reader.in_mesh()))));
        }
    }

    fn principals(&mut self, reader: &Reader<'_>, wanted: &[Text], not: &[Text]) {
        let mut meant = |patterns: &[Text]| {
            let matches = |identity: &&Text| {
                let full = format!("{TRUST_DOMAIN}/{identity}");
                patterns.iter().any(|pattern| {
                    let sure = is_like(pattern, &full);
                    let other = pattern
                        .split_once('/')
                        .filter(|(domain, _)| !domain.contains('*'));
                    let perhaps = other.is_some_and(|(_, rest)| is_like(rest, identity));
                    if perhaps && !sure {
                        self.unsure = Some(TRUST);
                    }
                    sure || perhaps
                })
            };
            reader
                .identities
                .iter()
                .filter(matches)
                .cloned()
                .collect::<Vec<_>>()
        };
        let (yes, no) = (meant(wanted), meant(not));
        self.add(reader, (!wanted.is_empty(), !not.is_empty()), yes, no);
    }

    fn accounts(&mut self, reader: &Reader<'_>, context: &Context<'_>, wanted: &[Text], not: &[Text]) {
        let meant = |names: &[Text]| {
            let own = &context.id.namespace;
            let identity = |name: &Text| match name.split_once('/') {
                Some((namespace, account)) => format!("ns/{namespace}/sa/{account}"),
                None => format!("ns/{own}/sa/{name}"),
            };
            names.iter().map(identity).map(Text::from).collect::<Vec<_>>()
        };
        let (yes, no) = (meant(wanted), meant(not));
        self.add(reader, (!wanted.is_empty(), !not.is_empty()), yes, no);
    }

    fn namespaces(&mut self, reader: &Reader<'_>, wanted: &[Text], not: &[Text]) {
        let names = reader.cluster.namespace_names();
        let meant = |patterns: &[Text]| {
            let matches = |name: &&Text| patterns.iter().any(|pattern| is_like(pattern, name));
            let names = names.iter().filter(matches).cloned().collect();
            Expression::All(vec![Expression::In(NAMESPACE.into(), names), reader.in_mesh()])
        };
        if !wanted.is_empty() {
            self.needs_identity = true;
            self.pods.push(meant(wanted));
        }
        if !not.is_empty() {
            self.pods.push(Expression::Not(Box::new(meant(not))));
        }
    }

    fn addresses(&mut self, wanted: &[Text], not: &[Text]) -> Result<(), String> {
        if wanted.is_empty() && not.is_empty() {
            return Ok(());
        }
        let net = |text: &Text| match text.parse::<std::net::IpAddr>() {
            Ok(address) => Ok(IpNet::from(address).into()),
            Err(_) => cidr(text),
        };
        let everywhere = ["0.0.0.0/0", "::/0"].map(Text::new);
        let within = if wanted.is_empty() { &everywhere } else { wanted };
        self.within.push(Block {
            within: within.iter().map(net).collect::<Result<_, String>>()?,
            except: not.iter().map(net).collect::<Result<_, String>>()?,
            in_cluster: InCluster::Always,
        });
        Ok(())
    }
}

/// Whether a text is like a pattern: the text itself, or with one star at an end, or a star alone.
fn is_like(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(suffix), _) => text.ends_with(suffix),
        (_, Some(prefix)) => text.starts_with(prefix),
        _ => pattern == text,
    }
}
