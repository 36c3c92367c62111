//! NetworkPolicy and GlobalNetworkPolicy of `projectcalico.org/v3` and `crd.projectcalico.org/v1`.
//!
//! Tiers are walked by their order, policies of a tier by theirs, rules as they stand. Kubernetes' own policies
//! stand in the tier `default` at order 1000, the admin policies of the network policy API in tiers before and
//! after it. Pods that no policy applies to are open: so says the profile of each namespace.
//!
//! **Trap.** A policy that applies ends what no rule of its tier decides, unless the tier's default action is
//! Pass. Addresses match pods. Sources: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy>,
//! <https://docs.tigera.io/calico/latest/reference/resources/tier>

mod host;
mod labels;
mod rule;
mod selector;
mod sets;
mod tier;

use serde::Deserialize;
use serde_json::Value;

use super::admin::AdminTiers;
use super::gap::{Effect, Gap, Gaps};
use super::policy::{Direction, Policy, Tier};
use super::problems::Problems;
use super::selector::{Expression, Namespaces, PodSelector};
use crate::model::{Cluster, Diagnostic, ObjectId, Other, Text};
use labels::{About, Conditions};
use rule::{Rule, given};
use selector::Selector;
use tier::Tiers;

const GROUPS: [&str; 2] = ["projectcalico.org", "crd.projectcalico.org"];
const NAMESPACED: &str = "NetworkPolicy";
const GLOBAL: &str = "GlobalNetworkPolicy";

/// `spec` of either kind of policy.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    tier: Option<Text>,
    order: Option<f64>,
    selector: Option<Text>,
    namespace_selector: Option<Text>,
    service_account_selector: Option<Text>,
    types: Option<Vec<Text>>,
    ingress: Option<Vec<Rule>>,
    egress: Option<Vec<Rule>>,
    do_not_track: Option<bool>,
    #[serde(rename = "preDNAT")]
    pre_dnat: Option<bool>,
    apply_on_forward: Option<bool>,
}

impl Spec {
    /// Whether it is for the interfaces of nodes only.
    fn is_of_hosts(&self) -> bool {
        self.do_not_track == Some(true) || self.pre_dnat == Some(true)
    }

    /// The directions that it is about, ingress first.
    ///
    /// Calico's API server fills them in; where it did not, both are meant. Source:
    /// <https://github.com/projectcalico/calico/blob/master/felix/calc/policy_sorter.go>
    fn types(&self, other: &Other) -> [bool; 2] {
        let has = |rules: &Option<Vec<Rule>>| rules.as_ref().is_some_and(|rules| !rules.is_empty());
        match self.types.as_deref() {
            Some(types @ [_, ..]) => {
                ["ingress", "egress"].map(|wanted| types.iter().any(|kind| kind.eq_ignore_ascii_case(wanted)))
            }
            _ if other.is_of_group(GROUPS[1]) => [true; 2],
            _ => [has(&self.ingress) || !has(&self.egress), has(&self.egress)],
        }
    }
}

/// How many policies of Calico the input holds.
pub(super) fn count(cluster: &Cluster) -> usize {
    policies(cluster).count()
}

fn of_group(other: &Other) -> bool {
    GROUPS.iter().any(|group| other.is_of_group(group))
}

pub(super) fn policies(cluster: &Cluster) -> impl Iterator<Item = (&ObjectId, &Other)> {
    let others = cluster.others.iter();
    others.filter(|(id, other)| (id.kind == NAMESPACED || id.kind == GLOBAL) && of_group(other))
}

/// Every tier in Calico's order; `kubernetes` is the tier of NetworkPolicies.
pub(super) fn tiers(
    cluster: &Cluster,
    admin: Option<AdminTiers>,
    kubernetes: Tier,
    gaps: &mut Vec<Gap>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Tier> {
    let mut tiers = Tiers::new(cluster);
    let conditions = Conditions::new(cluster);
    for (id, other) in policies(cluster) {
        let mut problems = Problems {
            id,
            meta: &other.meta,
            found,
        };
        let reader = Reader {
            cluster,
            conditions: &conditions,
            own: (id.kind == NAMESPACED).then_some(&id.namespace),
        };
        let spec = other
            .spec
            .clone()
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        match Spec::deserialize(&spec) {
            Ok(spec) => {
                let policy = reader.policy((id, other), &spec, gaps, &mut problems);
                let order = spec.order.unwrap_or(f64::INFINITY);
                tiers.add(spec.tier.as_ref(), order, policy, &mut problems);
            }
            Err(wrong) => {
                problems.invalid("/spec", wrong, "its pods are taken to be isolated; correct it");
                let (policy, tier) = reader.broken(id, &spec);
                tiers.add(tier.as_ref(), f64::INFINITY, policy, &mut problems);
            }
        }
    }
    let hosts = host::tier(cluster, &conditions, gaps);
    let tiers = tiers.assemble(cluster, admin, kubernetes);
    hosts.into_iter().chain(tiers).collect()
}

struct Reader<'a> {
    cluster: &'a Cluster,
    conditions: &'a Conditions<'a>,
    /// The namespace of a NetworkPolicy; none of a GlobalNetworkPolicy.
    own: Option<&'a Text>,
}

impl Reader<'_> {
    fn policy(
        &self,
        (id, other): (&ObjectId, &Other),
        spec: &Spec,
        gaps: &mut Vec<Gap>,
        problems: &mut Problems<'_>,
    ) -> Policy {
        let isolates = spec.types(other);
        let mut noted = Gaps::default();
        let mut rules = [Vec::new(), Vec::new()];
        let lists = Direction::BOTH.into_iter().zip([&spec.ingress, &spec.egress]);
        for (direction, list) in lists.filter(|(direction, _)| isolates[*direction as usize]) {
            for (at, rule) in list.iter().flatten().enumerate() {
                let pointer = format!("/spec/{direction}/{at}");
                let read = self.rule(direction, rule, &pointer, &mut noted, problems);
                rules[direction as usize].extend(read);
            }
        }
        for (is_set, pointer, what) in [
            (
                spec.do_not_track,
                "/spec/doNotTrack",
                "doNotTrack (endpoints of hosts only)",
            ),
            (
                spec.pre_dnat,
                "/spec/preDNAT",
                "preDNAT (endpoints of hosts only)",
            ),
            (
                spec.apply_on_forward,
                "/spec/applyOnForward",
                "applyOnForward (endpoints of hosts only)",
            ),
        ] {
            if is_set == Some(true) {
                noted.add(pointer, what, Effect::Noted);
            }
        }
        let subjects = match self.subjects(spec) {
            Ok(subjects) => subjects,
            Err((pointer, wrong)) => {
                let hint = "the policy is taken to apply to no pod; correct it";
                problems.invalid(pointer, wrong, hint);
                Vec::new()
            }
        };
        gaps.extend(noted.of(id, &other.meta, &subjects));
        Policy {
            id: id.clone(),
            subjects,
            isolates,
            rules,
        }
    }

    fn subjects(&self, spec: &Spec) -> Result<Vec<PodSelector>, (&'static str, String)> {
        if spec.is_of_hosts() {
            return Ok(Vec::new());
        }
        let parse = |text: &Option<Text>, pointer| match given(text.as_ref()) {
            Some(text) => Selector::parse(text).map(Some).map_err(|wrong| (pointer, wrong)),
            None => Ok(None),
        };
        let selector = parse(&spec.selector, "/spec/selector")?;
        let accounts = parse(&spec.service_account_selector, "/spec/serviceAccountSelector")?;
        let namespaces = match self.own {
            Some(_) => None,
            None => parse(&spec.namespace_selector, "/spec/namespaceSelector")?,
        };
        let pods = selector
            .iter()
            .map(|selector| self.conditions.of(selector, About::Endpoints));
        let accounts = accounts
            .iter()
            .map(|selector| self.conditions.of(selector, About::Accounts));
        Ok(vec![PodSelector {
            namespaces: self.namespaces(namespaces.as_ref()),
            pods: Expression::All(pods.chain(accounts).collect()),
        }])
    }

    /// A policy that cannot be read isolates what it selects, as far as that can be read; with its tier.
    fn broken(&self, id: &ObjectId, spec: &Value) -> (Policy, Option<Text>) {
        let text = |member: &str| spec.get(member).and_then(Value::as_str).map(Text::new);
        let known = Spec {
            selector: text("selector"),
            namespace_selector: text("namespaceSelector"),
            service_account_selector: text("serviceAccountSelector"),
            ..Spec::default()
        };
        let everything = || PodSelector {
            namespaces: self.own.map_or_else(
                || Namespaces::Where(Expression::EVERYTHING),
                |own| Namespaces::One(own.clone()),
            ),
            pods: Expression::EVERYTHING,
        };
        let policy = Policy {
            id: id.clone(),
            subjects: self.subjects(&known).unwrap_or_else(|_| vec![everything()]),
            isolates: [true; 2],
            rules: Default::default(),
        };
        (policy, text("tier"))
    }
}
