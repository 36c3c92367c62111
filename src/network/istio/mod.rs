//! AuthorizationPolicy and PeerAuthentication of `security.istio.io`, as far as they decide who connects.
//!
//! The proxy of a pod in the mesh asks them beside the network policies, and both must agree: what they let through
//! goes on to the tiers of the network plugin. A principal is a service account: a pod of the mesh proves the one it
//! runs as, and whoever controls the pod has it.
//!
//! Conditions on requests (methods, paths, headers, JSON web tokens) do not change who connects and are noted as
//! gaps; what an outside authorizer says is a gap that makes verdicts unknown.
//!
//! **Trap.** `spec: {}` allows nothing and `rules: [{}]` allows everything. A policy of the root namespace is for
//! the whole mesh. Proxies take TCP only.
//! Source: <https://istio.io/latest/docs/reference/config/security/authorization-policy/>

mod authentication;
mod source;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::{IDENTITY, MESH};
use super::gap::{Effect, Gap, Gaps};
use super::mesh::{self, AMBIENT};
use super::policy::{Action, Order, Part, Peers, Policy, PolicyRule, Ports, Tier};
use super::ports::PortSet;
use super::problems::{CLOSED, Problems};
use super::selector::{Expression, Namespaces, PodSelector};
use crate::model::{Cluster, Code, Diagnostic, LabelSelector, ObjectId, Other, Protocol, Source, Text};

/// The API group.
const GROUP: &str = "security.istio.io";
/// The namespace whose policies hold for the whole mesh unless Istio is told otherwise.
const ROOT: &str = "istio-system";
/// Why it is not known what policies do where no pod shows a proxy.
const NO_MESH: &str = "Istio's proxy runs beside the pod, which the input does not show";
/// Why it is not known what an outside authorizer does.
const CUSTOM: &str = "the authorizer outside says so";
/// Why it is not known what a policy of a Service or gateway does.
const TARGET: &str = "the traffic goes through the target of the policy";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    selector: Option<LabelSelector>,
    target_ref: Option<Target>,
    target_refs: Vec<Target>,
    action: Option<Text>,
    rules: Option<Vec<Rule>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    kind: Text,
    name: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rule {
    from: Option<Vec<From>>,
    to: Option<Vec<To>>,
    when: Vec<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct From {
    source: source::Source,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct To {
    operation: Operation,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Operation {
    ports: Vec<Text>,
    not_ports: Vec<Text>,
    /// Hosts, methods and paths.
    #[serde(flatten)]
    of_requests: serde_json::Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    key: Text,
    values: Vec<Text>,
    not_values: Vec<Text>,
}

fn of_kind<'c>(cluster: &'c Cluster, kind: &'static str) -> impl Iterator<Item = (&'c ObjectId, &'c Other)> {
    let all = cluster.others.iter();
    all.filter(move |(id, other)| id.kind == kind && other.is_of_group(GROUP))
}

/// The policies that say who may connect.
pub(super) fn policies(cluster: &Cluster) -> impl Iterator<Item = (&ObjectId, &Other)> {
    of_kind(cluster, "AuthorizationPolicy")
}

/// Reads every policy of Istio as one tier; none if there is no policy.
pub(super) fn tier(cluster: &Cluster, gaps: &mut Vec<Gap>, found: &mut Vec<Diagnostic>) -> Option<Tier> {
    let mut policies = policies(cluster).peekable();
    let encrypts = of_kind(cluster, "PeerAuthentication").next().is_some();
    if policies.peek().is_none() && !encrypts {
        return None;
    }
    let reader = Reader::new(cluster);
    // The modes of authentication, CUSTOM, DENY, ALLOW, and what ends what no ALLOW of any policy lets through.
    let mut parts: [Vec<Policy>; 5] = Default::default();
    parts[0] = authentication::strict(&reader, gaps, found);
    for (id, other) in policies {
        let mut problems = Problems {
            id,
            meta: &other.meta,
            found,
        };
        let spec = other
            .spec
            .clone()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        match Spec::deserialize(spec) {
            Ok(spec) => reader.policy((id, other), &spec, &mut parts, gaps, &mut problems),
            Err(wrong) => {
                let hint = "it is taken to allow nothing to its namespace; correct it";
                problems.invalid("/spec", wrong, hint);
                let (subjects, _) = reader.subjects(id, &Spec::default());
                parts[4].push(closing(id, subjects, None));
            }
        }
    }
    ambient(cluster, found);
    let part = |policies| Part {
        order: Order::FirstMatch,
        policies,
    };
    Some(Tier {
        name: "Istio".into(),
        parts: parts.into_iter().map(part).collect(),
    })
}

/// A policy that ends what no rule before it decided.
fn closing(id: &ObjectId, subjects: Vec<PodSelector>, unsure: Option<&'static str>) -> Policy {
    let rule = PolicyRule {
        own: None,
        action: Action::Deny,
        peers: Peers {
            unsure,
            ..Peers::everyone()
        },
        ports: tcp(PortSet::protocol(Protocol::Tcp)),
        pointer: "/spec/rules".into(),
    };
    Policy {
        id: id.clone(),
        subjects,
        isolates: [false; 2],
        rules: [vec![rule], Vec::new()],
    }
}

fn tcp(numbers: PortSet) -> Ports {
    Ports {
        numbers,
        ..Ports::default()
    }
}

struct Reader<'a> {
    cluster: &'a Cluster,
    /// Whether the input shows proxies; else every policy is perhaps without effect.
    is_shown: bool,
    /// The identities of pods, `ns/shop/sa/web`.
    identities: std::collections::BTreeSet<Text>,
}

impl<'a> Reader<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let identities = cluster.pods.values().map(super::attributes::identity);
        Self {
            cluster,
            is_shown: mesh::is_shown(cluster),
            identities: identities.collect(),
        }
    }

    /// The condition that a pod takes part in the mesh.
    fn in_mesh(&self) -> Expression {
        if self.is_shown {
            Expression::Has(MESH.into())
        } else {
            Expression::EVERYTHING
        }
    }

    fn policy(
        &self,
        (id, other): (&ObjectId, &Other),
        spec: &Spec,
        parts: &mut [Vec<Policy>; 5],
        all_gaps: &mut Vec<Gap>,
        problems: &mut Problems<'_>,
    ) {
        let (subjects, is_target) = self.subjects(id, spec);
        let mut gaps = Gaps::default();
        let unsure = match (is_target, self.is_shown) {
            (true, _) => {
                gaps.add("/spec/targetRefs", "targetRefs", Effect::Unknown);
                Some(TARGET)
            }
            (false, true) => None,
            (false, false) => {
                gaps.add(
                    "/spec",
                    "the mesh of a pod without Istio's proxy",
                    Effect::Unknown,
                );
                Some(NO_MESH)
            }
        };
        let (part, action) = match spec.action.as_deref().unwrap_or("ALLOW") {
            "ALLOW" => (3, Action::Pass),
            "DENY" => (2, Action::Deny),
            "CUSTOM" => (1, Action::Deny),
            "AUDIT" => return,
            other => {
                let message = format!("{other} is no action");
                problems.invalid(
                    "/spec/action",
                    message,
                    "it is read as ALLOW without rules; correct it",
                );
                (3, Action::Pass)
            }
        };
        let mut rules = Vec::new();
        for (at, rule) in spec.rules.iter().flatten().enumerate() {
            let context = Context {
                id,
                pointer: &format!("/spec/rules/{at}"),
                action,
                unsure: unsure.or((part == 1).then_some(CUSTOM)),
            };
            rules.extend(self.rule(&context, rule, &mut gaps, problems));
        }
        if part == 1 {
            gaps.add("/spec/action", "action CUSTOM", Effect::Unknown);
        }
        all_gaps.extend(gaps.of(id, &other.meta, &subjects));
        parts[part].push(Policy {
            id: id.clone(),
            subjects: subjects.clone(),
            isolates: [false; 2],
            rules: [rules, Vec::new()],
        });
        if part == 3 {
            parts[4].push(closing(id, subjects, unsure));
        }
    }

    /// The pods that a policy applies to, and whether they are known only as the target of traffic.
    fn subjects(&self, id: &ObjectId, spec: &Spec) -> (Vec<PodSelector>, bool) {
        let namespaces = if id.namespace == ROOT {
            Namespaces::Where(Expression::EVERYTHING)
        } else {
            Namespaces::One(id.namespace.clone())
        };
        let select = |pods: Expression| PodSelector {
            namespaces: namespaces.clone(),
            pods: Expression::All(vec![self.in_mesh(), pods]),
        };
        let targets: Vec<&Target> = spec.target_refs.iter().chain(&spec.target_ref).collect();
        if targets.is_empty() {
            let pods = spec
                .selector
                .as_ref()
                .map_or(Expression::EVERYTHING, Expression::from);
            return (vec![select(pods)], false);
        }
        let target = |target: &&Target| {
            let service = self.cluster.service(&id.namespace, &target.name);
            match (target.kind.as_str(), service) {
                ("Gateway", _) => {
                    let key = Text::new("gateway.networking.k8s.io/gateway-name");
                    select(Expression::In(key, vec![target.name.clone()]))
                }
                ("Service", Some(service)) if !service.spec.selector.is_empty() => {
                    let pairs = service.spec.selector.iter();
                    let pairs = pairs.map(|(key, value)| Expression::In(key.clone(), vec![value.clone()]));
                    select(Expression::All(pairs.collect()))
                }
                _ => select(Expression::EVERYTHING),
            }
        };
        let is_gateway = targets.iter().all(|target| target.kind == "Gateway");
        (targets.iter().map(target).collect(), !is_gateway)
    }

    /// A rule as one for each of its sources.
    fn rule(
        &self,
        context: &Context<'_>,
        rule: &Rule,
        gaps: &mut Gaps,
        problems: &mut Problems<'_>,
    ) -> Vec<PolicyRule> {
        let with = |peers: Peers, numbers: PortSet| PolicyRule {
            own: None,
            action: context.action,
            peers,
            ports: tcp(numbers),
            pointer: context.pointer.into(),
        };
        match self.read(context, rule, gaps) {
            Ok((sources, ports)) => sources
                .into_iter()
                .map(|peers| with(peers, ports.clone()))
                .collect(),
            Err(wrong) => {
                problems.invalid(context.pointer, wrong, CLOSED);
                let denies = context.action == Action::Deny;
                let all = || with(Peers::everyone(), PortSet::protocol(Protocol::Tcp));
                denies.then(all).into_iter().collect()
            }
        }
    }

    fn read(
        &self,
        context: &Context<'_>,
        rule: &Rule,
        gaps: &mut Gaps,
    ) -> Result<(Vec<Peers>, PortSet), String> {
        let mut of_requests = false;
        let mut common = source::Matched::default();
        let every = PortSet::protocol(Protocol::Tcp);
        let mut ports = every.clone();
        for condition in &rule.when {
            match condition.key.as_str() {
                "destination.port" => ports = ports.and(&numbers(&condition.values, &condition.not_values)?),
                key if key.starts_with("request.") => of_requests = true,
                _ => common.condition(self, context, condition, gaps)?,
            }
        }
        let denies = context.action == Action::Deny;
        if let Some(operations) = &rule.to {
            let mut any = PortSet::default();
            for To { operation } in operations {
                if operation.is_empty() {
                    return Err("an operation without any field".to_owned());
                }
                let asks = !operation.of_requests.is_empty();
                of_requests |= asks;
                if !(asks && denies) {
                    any = any.or(&numbers(&operation.ports, &operation.not_ports)?);
                }
            }
            ports = ports.and(&any);
        }
        let mut sources = Vec::new();
        match &rule.from {
            None => sources.push(common.peers(self, context)),
            Some(list) => {
                for From { source } in list {
                    let mut matched = common.clone();
                    let asks = source.add(self, context, &mut matched, gaps)?;
                    of_requests |= asks;
                    if !(asks && denies) {
                        sources.push(matched.peers(self, context));
                    }
                }
            }
        }
        if of_requests {
            gaps.add(context.pointer, "conditions on requests (layer 7)", Effect::Noted);
            let by_when = rule
                .when
                .iter()
                .any(|condition| condition.key.starts_with("request."));
            if denies && by_when {
                // Some requests are denied, and the connection is not.
                sources.clear();
            }
        }
        Ok((sources, ports))
    }
}

/// Says what policies of the network plugin see of pods in ambient mode.
///
/// Source: <https://istio.io/latest/docs/ambient/usage/networkpolicy/>
fn ambient(cluster: &Cluster, found: &mut Vec<Diagnostic>) {
    let pods = cluster.pods.values();
    let count = pods
        .filter(|pod| mesh::mode(cluster, pod) == Some(AMBIENT))
        .count();
    if count > 0 && !cluster.network_policies.is_empty() {
        let message = format!(
            "{count} pods are in Istio's ambient mode: between them network policies see port 15008, and verdicts about other ports are those of traffic outside the mesh"
        );
        let hint = "check that policies open port 15008 between pods of the mesh";
        found.push(Diagnostic::new(
            Code::NotModelled,
            Source::default(),
            message,
            hint,
        ));
    }
}

/// What a rule is read with.
struct Context<'r> {
    id: &'r ObjectId,
    /// Where the rule stands.
    pointer: &'r str,
    action: Action,
    unsure: Option<&'static str>,
}

impl Operation {
    fn is_empty(&self) -> bool {
        self.ports.is_empty() && self.not_ports.is_empty() && self.of_requests.is_empty()
    }
}

/// The ports of a list, without those of another one.
fn numbers(ports: &[Text], not: &[Text]) -> Result<PortSet, String> {
    let read = |text: &Text| match text.parse::<u16>() {
        Ok(port @ 1..) => Ok(PortSet::range(Protocol::Tcp, port, port)),
        _ => Err(format!("{text} is no port")),
    };
    let union = |list: &[Text]| {
        let mut all = PortSet::default();
        for text in list {
            all = all.or(&read(text)?);
        }
        Ok::<_, String>(all)
    };
    let all = if ports.is_empty() {
        PortSet::protocol(Protocol::Tcp)
    } else {
        union(ports)?
    };
    Ok(all.minus(&union(not)?))
}

/// The identities that a policy of the input may mean, as a condition on pods.
fn identities(wanted: Vec<Text>, in_mesh: Expression) -> Expression {
    Expression::All(vec![Expression::In(IDENTITY.into(), wanted), in_mesh])
}
