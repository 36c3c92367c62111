//! Constrained impersonation: what one identity may do as another, and no more.
//!
//! Two checks of one request: `impersonate:MODE` on whom it is, `impersonate-on:MODE:VERB` on what is done. Then the other
//! identity has to be allowed the same, so that what is gained are single grants and never the identity.
//!
//! **Trap.** The mode follows from the user's name: service accounts and nodes are never impersonated in the mode
//! `user-info`. Names in the rules of the second check are not looked for: such a right counts where the other's is by the
//! same name.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/#constrained-impersonation>

use std::collections::{BTreeMap, BTreeSet};

use super::Certainty;
use super::version::since;
use crate::model::{Cluster, Text};
use crate::rbac::{
    Access, Caller, Ground, Holding, Identity, NODE_USER, Objects, Power, Request, ResourceRequest, Scope,
    power,
};

/// A grant that one identity has by acting as another.
#[derive(Clone, Debug)]
pub(super) struct Constrained {
    /// Who acts.
    pub(super) holder: Identity,
    /// What it may do then.
    pub(super) power: &'static Power,
    /// Where.
    pub(super) scope: Scope,
    pub(super) certainty: Certainty,
    /// Why: the first half, the second one, and the other's own right.
    pub(super) grounds: Vec<Ground>,
}

/// A mode of constrained impersonation with the power over whom it is.
struct Mode {
    power: &'static Power,
    /// `impersonate-on:MODE:`
    prefix: &'static str,
    /// Whether it is for this identity.
    is_for: fn(&Identity) -> bool,
}

static MODES: &[Mode] = &[
    Mode {
        power: &power::IMPERSONATE_USER_INFO,
        prefix: "impersonate-on:user-info:",
        is_for: |identity| matches!(identity, Identity::User(name) if !name.starts_with(NODE_USER)),
    },
    Mode {
        power: &power::IMPERSONATE_SERVICE_ACCOUNT_INFO,
        prefix: "impersonate-on:serviceaccount:",
        is_for: |identity| matches!(identity, Identity::ServiceAccount { .. }),
    },
    Mode {
        power: &power::IMPERSONATE_NODES,
        prefix: "impersonate-on:arbitrary-node:",
        is_for: |identity| matches!(identity, Identity::User(name) if name.starts_with(NODE_USER)),
    },
];

/// Returns every grant that someone has by constrained impersonation, sorted; none on servers that do not know it.
///
/// # Complexity
/// Linear in the holdings for each identity that may impersonate in this way; times namespaces where its second right is
/// narrower than the other's.
pub(super) fn constrained(cluster: &Cluster, access: &Access, namespaces: &[Text]) -> Vec<Constrained> {
    let Some(certainty) = served(cluster) else {
        return Vec::new();
    };
    let all = access.holdings();
    let almighty: BTreeSet<&Identity> = all
        .iter()
        .filter(|holding| *holding.power == power::EVERYTHING && holding.scope == Scope::Cluster)
        .map(|holding| &holding.identity)
        .collect();
    let mut found = BTreeMap::new();
    for mode in MODES {
        let halves = all.iter().filter(|holding| *holding.power == *mode.power);
        for half in halves.filter(|half| !almighty.contains(&half.identity)) {
            for other in all.iter().filter(|other| covers(mode, half, &other.identity)) {
                for (scope, grounds) in gains(access, mode, half, other, namespaces) {
                    let key = (half.identity.clone(), other.power, scope.clone());
                    found.entry(key).or_insert_with(|| Constrained {
                        holder: half.identity.clone(),
                        power: other.power,
                        scope,
                        certainty: certainty.clone(),
                        grounds,
                    });
                }
            }
        }
    }
    found.into_values().collect()
}

/// Beta and on in 1.36, alpha in 1.35.
fn served(cluster: &Cluster) -> Option<Certainty> {
    let gate = "the feature gate ConstrainedImpersonation is on";
    since(cluster, 36).or_else(|| since(cluster, 35).map(|_| Certainty::Conditional(gate.into())))
}

/// Whether the first half is over this identity.
fn covers(mode: &Mode, half: &Holding, other: &Identity) -> bool {
    if half.identity == *other || !(mode.is_for)(other) {
        return false;
    }
    match other {
        Identity::ServiceAccount { namespace, name } => half.scope.covers(namespace, name),
        Identity::User(name) => half
            .scope
            .covers("", name.strip_prefix(NODE_USER).unwrap_or(name)),
        Identity::Group(_) => false,
    }
}

/// Where both halves and the other's own right meet, with why.
fn gains(
    access: &Access,
    mode: &Mode,
    half: &Holding,
    other: &Holding,
    namespaces: &[Text],
) -> Vec<(Scope, Vec<Ground>)> {
    let first = half.reasons.iter().take(1).map(|reason| Ground {
        subject: half.identity.clone(),
        reason: reason.clone(),
    });
    let first: Vec<Ground> = first.collect();
    let meets = |scope: &Scope| {
        let both = meet(access, mode, &half.identity, &other.identity, other.power, scope)?;
        Some((scope.clone(), first.iter().cloned().chain(both).collect()))
    };
    if let Some(found) = meets(&other.scope) {
        return vec![found];
    }
    if other.scope != Scope::Cluster || !other.power.is_namespaced() {
        return Vec::new();
    }
    let narrow = namespaces
        .iter()
        .map(|namespace| Scope::Namespace(namespace.clone()));
    narrow.filter_map(|scope| meets(&scope)).collect()
}

/// Why the second half and the other's right allow the same request of a power.
fn meet(
    access: &Access,
    mode: &Mode,
    holder: &Identity,
    other: &Identity,
    power: &'static Power,
    scope: &Scope,
) -> Option<[Ground; 2]> {
    let (holder, other) = (Caller::of(holder, []), Caller::of(other, []));
    let name = scope.name().map_or("", Text::as_str);
    let rights = power.any.iter().filter(|right| right.objects != Objects::Paths);
    let mut asked = rights.flat_map(|right| {
        let resources = right.resources.split(' ').filter(|word| !word.contains('?'));
        resources.flat_map(move |word| right.verbs.split(' ').map(move |verb| (right.group, word, verb)))
    });
    asked.find_map(|(group, word, verb)| {
        let (resource, subresource) = word.split_once('/').unwrap_or((word, ""));
        let decide = |caller: &Caller, verb: &str| {
            let request = Request::Resource(ResourceRequest {
                verb,
                group,
                resource,
                subresource,
                namespace: scope.namespace(),
                name,
            });
            access.decide(caller, &request).into_iter().next()
        };
        let second = decide(&holder, &format!("{}{verb}", mode.prefix))?;
        Some([second, decide(&other, verb)?])
    })
}
