//! Endpoints of hosts: interfaces of nodes that policies apply to, as a gap.
//!
//! **Trap.** A host's endpoint without a policy or the profile that allows everything lets in nothing but what
//! Calico itself needs; those that Calico makes by itself have that profile.
//! Source: <https://docs.tigera.io/calico/latest/reference/host-endpoints/overview>

use serde_json::Value;

use super::labels::Conditions;
use super::rule::given;
use super::selector::Selector;
use super::sets::texts;
use super::{GLOBAL, of_group, policies};
use crate::model::{Cluster, Labels, Other, Text};
use crate::network::gap::{Effect, Gap, Gaps};
use crate::network::policy::{Action, Order, Peers, Policy, PolicyRule, Ports, Tier};
use crate::network::selector::{Expression, Namespaces, PodSelector};

const STOPS: &str = "the policies of the host's endpoint stop it";
/// The profile that allows everything.
const OPEN: &str = "projectcalico-default-allow";
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What may stop traffic of nodes; none if no endpoint of a host may.
pub(super) fn tier(cluster: &Cluster, conditions: &Conditions<'_>, gaps: &mut Vec<Gap>) -> Option<Tier> {
    let hosts = cluster.others.iter();
    let hosts = hosts.filter(|(id, other)| id.kind == "HostEndpoint" && of_group(other));
    let mut found = Vec::new();
    for (id, host) in hosts.filter(|(_, host)| is_closed(cluster, conditions, host)) {
        let node = host
            .spec
            .as_ref()
            .and_then(|spec| spec.get("node"))
            .and_then(Value::as_str);
        let node = node.and_then(|name| cluster.node(name));
        let label = node.and_then(|node| node.meta.labels.get(HOSTNAME));
        let subjects = vec![PodSelector {
            namespaces: Namespaces::OfNodes,
            pods: label.map_or(Expression::EVERYTHING, |label| {
                Expression::In(Text::new(HOSTNAME), vec![label.clone()])
            }),
        }];
        let mut noted = Gaps::default();
        noted.add("/spec", "HostEndpoint", Effect::Unknown);
        gaps.extend(noted.of(id, &host.meta, &subjects));
        let stops = || PolicyRule {
            own: None,
            action: Action::Deny,
            peers: Peers {
                unsure: Some(STOPS),
                ..Peers::everyone()
            },
            ports: Ports::all(),
            pointer: "/spec".into(),
        };
        found.push(Policy {
            id: id.clone(),
            subjects,
            isolates: [false; 2],
            rules: [vec![stops()], vec![stops()]],
        });
    }
    (!found.is_empty()).then(|| Tier::new("Calico hosts", Order::FirstMatch, found))
}

/// Whether anything may be stopped at an endpoint: it has no profile that opens it, or a policy selects it.
fn is_closed(cluster: &Cluster, conditions: &Conditions<'_>, host: &Other) -> bool {
    let profiles = texts(host.spec.as_ref(), "profiles");
    let mut global = policies(cluster).filter(|(id, _)| id.kind == GLOBAL);
    !profiles.iter().any(|profile| profile == OPEN)
        || global.any(|(_, policy)| selects(conditions, policy, &host.meta.labels))
}

fn selects(conditions: &Conditions<'_>, policy: &Other, labels: &Labels) -> bool {
    let text = |member: &str| {
        let value = policy.spec.as_ref().and_then(|spec| spec.get(member));
        value.and_then(Value::as_str).map(Text::new)
    };
    let holds = |member: &str, test: &dyn Fn(&Selector) -> bool| {
        let text = text(member);
        given(text.as_ref()).is_none_or(|text| Selector::parse(text).is_ok_and(|selector| test(&selector)))
    };
    let has_account = given(text("serviceAccountSelector").as_ref()).is_some();
    !has_account
        && holds("selector", &|selector| {
            conditions.selects_set(selector, labels, None)
        })
        && holds("namespaceSelector", &|selector| {
            conditions.selects_place(selector, None)
        })
}
