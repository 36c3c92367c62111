//! Tiers: in which order policies are looked at, those of Kubernetes among them.
//!
//! **Trap.** The order of a policy counts within its tier only, and one without an order comes last. A tier of
//! which the input holds no object has no known order.
//! Sources: <https://docs.tigera.io/calico/latest/reference/resources/tier>,
//! <https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy>

use std::collections::BTreeMap;

use serde_json::Value;

use super::of_group;
use crate::model::{Cluster, Text};
use crate::network::admin::AdminTiers;
use crate::network::policy::{Order, Part, Policy, Tier};
use crate::network::problems::Problems;

/// The tier of policies that name none.
const DEFAULT: &str = "default";
/// The tiers of admin policies, each with the name that versions before 3.32 give it.
const ADMIN: [&str; 2] = ["kube-admin", "adminnetworkpolicy"];
const BASELINE: [&str; 2] = ["kube-baseline", "baselineadminnetworkpolicy"];
/// The orders of these tiers where the input does not say.
const ADMIN_ORDER: f64 = 1_000.0;
const DEFAULT_ORDER: f64 = 1_000_000.0;
const BASELINE_ORDER: f64 = 10_000_000.0;
/// The order of Kubernetes' policies within the default tier.
const KUBERNETES: f64 = 1_000.0;

/// A tier while policies are read.
#[derive(Debug, Default)]
struct Known {
    /// Its order; none if there is no object that says.
    order: Option<f64>,
    /// Whether what none of its rules decides goes on to the next tier.
    passes: bool,
    policies: Vec<(f64, Policy)>,
}

/// The tiers by name.
#[derive(Debug)]
pub(super) struct Tiers(BTreeMap<Text, Known>);

/// The newer of a tier's names.
fn renamed(name: &Text) -> Text {
    let newer = [ADMIN, BASELINE].into_iter().find(|names| *name == names[1]);
    newer.map_or_else(|| name.clone(), |names| Text::new(names[0]))
}

impl Tiers {
    /// Reads the tiers of the input.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut tiers = Self(BTreeMap::new());
        for (name, order) in [
            (ADMIN[0], ADMIN_ORDER),
            (DEFAULT, DEFAULT_ORDER),
            (BASELINE[0], BASELINE_ORDER),
        ] {
            tiers.0.insert(
                Text::new(name),
                Known {
                    order: Some(order),
                    passes: name != DEFAULT,
                    policies: Vec::new(),
                },
            );
        }
        let objects = cluster.others.iter();
        for (id, tier) in objects.filter(|(id, other)| id.kind == "Tier" && of_group(other)) {
            let member = |name: &str| tier.spec.as_ref().and_then(|spec| spec.get(name));
            let known = tiers.0.entry(renamed(&id.name)).or_default();
            let order = member("order").and_then(Value::as_f64);
            known.order = order.or(known.order).or(Some(f64::INFINITY));
            known.passes |= member("defaultAction").and_then(Value::as_str) == Some("Pass");
        }
        tiers
    }

    /// Puts a policy to its tier.
    pub(super) fn add(
        &mut self,
        tier: Option<&Text>,
        order: f64,
        mut policy: Policy,
        problems: &mut Problems<'_>,
    ) {
        let tier = tier.filter(|name| !name.is_empty());
        let name = tier.map_or_else(|| Text::new(DEFAULT), renamed);
        let known = self.0.entry(name.clone()).or_default();
        if known.order.is_none() {
            let message = format!("no Tier {name} in the input");
            let hint =
                "it is taken to come before the tier default, and to deny what it does not decide; add it";
            problems.invalid("/spec/tier", message, hint);
        }
        if known.passes {
            policy.isolates = [false; 2];
        }
        known.policies.push((order, policy));
    }

    /// Every tier in order, those of Kubernetes among them.
    pub(super) fn assemble(
        mut self,
        cluster: &Cluster,
        admin: Option<AdminTiers>,
        kubernetes: Tier,
    ) -> Vec<Tier> {
        let priority = |policy: &Policy| {
            let known = cluster.admin_policies.by_id(&policy.id);
            let priority = known.and_then(|known| known.spec.priority);
            f64::from(priority.unwrap_or(0))
        };
        let admin = admin
            .into_iter()
            .flat_map(|tiers| [(ADMIN[0], tiers.admin), (BASELINE[0], tiers.baseline)]);
        for (name, tier) in admin {
            let known = self.0.entry(Text::new(name)).or_default();
            let policies = tier.parts.into_iter().flat_map(|part| part.policies);
            known
                .policies
                .extend(policies.map(|policy| (priority(&policy), policy)));
        }
        let default = self
            .0
            .get(DEFAULT)
            .and_then(|known| known.order)
            .unwrap_or(DEFAULT_ORDER);
        let mut tiers: Vec<_> = self.0.into_iter().collect();
        let place = |known: &Known, name: &Text| match known.order {
            Some(order) => (order, u8::from(*name == DEFAULT)),
            None => (default, 0),
        };
        tiers.sort_by(|(p, a), (q, b)| {
            let ((a, m), (b, n)) = (place(a, p), place(b, q));
            a.total_cmp(&b).then(m.cmp(&n)).then_with(|| p.cmp(q))
        });
        let mut kubernetes = Some(kubernetes);
        let mut found = Vec::new();
        for (name, mut known) in tiers {
            known.policies.sort_by(|(a, p), (b, q)| {
                a.total_cmp(b)
                    .then_with(|| (&p.id.name, &p.id).cmp(&(&q.id.name, &q.id)))
            });
            if name == DEFAULT {
                found.extend(kubernetes.take().map(|tier| around(known.policies, tier)));
            } else if !known.policies.is_empty() {
                found.push(Tier {
                    name: title(&name),
                    parts: vec![ordered(known.policies)],
                });
            }
        }
        found
    }
}

/// The name of a tier in answers.
fn title(name: &Text) -> Text {
    match name.as_str() {
        "kube-admin" => "Admin".into(),
        "kube-baseline" => "Baseline".into(),
        other => format!("Calico tier {other}").into(),
    }
}

fn ordered(policies: Vec<(f64, Policy)>) -> Part {
    Part {
        order: Order::FirstMatch,
        policies: policies.into_iter().map(|(_, policy)| policy).collect(),
    }
}

/// The tier `default`: Calico's policies before and after those of Kubernetes.
///
/// Of the same order Calico goes by names; its own are taken to come first, as `default.` comes before `knp.`.
fn around(policies: Vec<(f64, Policy)>, kubernetes: Tier) -> Tier {
    let (before, after): (Vec<_>, Vec<_>) = policies.into_iter().partition(|(order, _)| *order <= KUBERNETES);
    let name = if before.is_empty() && after.is_empty() {
        kubernetes.name
    } else {
        "NetworkPolicy and Calico".into()
    };
    let parts = [vec![ordered(before)], kubernetes.parts, vec![ordered(after)]];
    let parts = parts.into_iter().flatten();
    Tier {
        name,
        parts: parts
            .filter(|part| part.order == Order::Union || !part.policies.is_empty())
            .collect(),
    }
}
