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
use super::structure::kubelet;
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
    /// The power to act as these without constraints.
    whole: &'static Power,
    /// `impersonate-on:MODE:`
    prefix: &'static str,
    /// Whom one acts as, to have what is held by this identity.
    acts_as: fn(&Scope, &Identity) -> Option<Identity>,
    /// What one request needs beside, for the user of a request that names a group.
    beside: Option<&'static Power>,
}

static MODES: &[Mode] = &[
    Mode {
        power: &power::IMPERSONATE_USER_INFO,
        whole: &power::IMPERSONATE_USERS,
        prefix: "impersonate-on:user-info:",
        acts_as: as_user,
        beside: None,
    },
    Mode {
        power: &power::IMPERSONATE_GROUP_INFO,
        whole: &power::IMPERSONATE_GROUPS,
        prefix: "impersonate-on:user-info:",
        acts_as: as_member,
        beside: Some(&power::IMPERSONATE_USER_INFO),
    },
    Mode {
        power: &power::IMPERSONATE_SERVICE_ACCOUNT_INFO,
        whole: &power::IMPERSONATE_SERVICE_ACCOUNTS,
        prefix: "impersonate-on:serviceaccount:",
        acts_as: as_account,
        beside: None,
    },
    Mode {
        power: &power::IMPERSONATE_NODES,
        whole: &power::IMPERSONATE_USERS,
        prefix: "impersonate-on:arbitrary-node:",
        acts_as: as_node,
        beside: None,
    },
];

fn as_user(scope: &Scope, holder: &Identity) -> Option<Identity> {
    let is_meant = |name: &Text| !name.starts_with(NODE_USER) && scope.covers("", name);
    matches!(holder, Identity::User(name) if is_meant(name)).then(|| holder.clone())
}

/// The server refuses `system:masters` in this mode.
fn as_member(scope: &Scope, holder: &Identity) -> Option<Identity> {
    let is_meant = |name: &Text| name != "system:masters" && scope.covers("", name);
    matches!(holder, Identity::Group(name) if is_meant(name)).then(|| holder.clone())
}

/// An account itself, or one of a group that accounts are in by themselves.
fn as_account(scope: &Scope, holder: &Identity) -> Option<Identity> {
    const ACCOUNTS: &str = "system:serviceaccounts";
    let named = scope.name().map_or("default", Text::as_str);
    match holder {
        Identity::ServiceAccount { namespace, name } => scope.covers(namespace, name).then(|| holder.clone()),
        Identity::Group(group) => {
            let namespace = match group.strip_prefix(ACCOUNTS)? {
                "" if scope.namespace().is_empty() => "default",
                "" => scope.namespace(),
                rest => rest.strip_prefix(':')?,
            };
            let account = Identity::service_account(namespace, named);
            scope.covers(namespace, named).then_some(account)
        }
        Identity::User(_) => None,
    }
}

/// The kubelet of a node itself, or that of one by the name in the right for what all of them have.
fn as_node(scope: &Scope, holder: &Identity) -> Option<Identity> {
    match holder {
        Identity::User(name) => {
            let node = name.strip_prefix(NODE_USER)?;
            scope.covers("", node).then(|| holder.clone())
        }
        Identity::Group(group) if group == "system:nodes" => {
            let node = scope.name().map_or("node", Text::as_str);
            Some(kubelet(node))
        }
        Identity::Group(_) | Identity::ServiceAccount { .. } => None,
    }
}

/// Returns every grant that someone has by constrained impersonation, sorted; none on servers that do not know it.
///
/// # Complexity
/// Linear in identities and in what the impersonated ones hold, for each that may impersonate in this way alone; times namespaces where its second right is
/// narrower than the other's.
pub(super) fn constrained(cluster: &Cluster, access: &Access, namespaces: &[Text]) -> Vec<Constrained> {
    let Some(certainty) = served(cluster) else {
        return Vec::new();
    };
    let all = access.holdings();
    if !all.iter().any(|holding| is_half(holding.power)) {
        return Vec::new();
    }
    let almighty: BTreeSet<&Identity> = all
        .iter()
        .filter(|holding| *holding.power == power::EVERYTHING && holding.scope == Scope::Cluster)
        .map(|holding| &holding.identity)
        .collect();
    let mut found = BTreeMap::new();
    let mut add = |half: &Holding, power: &'static Power, scope: Scope, grounds| {
        let key = (half.identity.clone(), power, scope.clone());
        found.entry(key).or_insert_with(|| Constrained {
            holder: half.identity.clone(),
            power,
            scope,
            certainty: certainty.clone(),
            grounds,
        });
    };
    for mode in MODES {
        let has_beside = |half: &Holding| {
            mode.beside.is_none_or(|power| {
                let own = |known: &&Holding| known.identity == half.identity && *known.power == *power;
                all.iter().any(|known| own(&known))
            })
        };
        // Whoever may be the other without constraints gains nothing here.
        let whole: BTreeSet<(&Identity, &Scope)> = all
            .iter()
            .filter(|holding| *holding.power == *mode.whole)
            .map(|holding| (&holding.identity, &holding.scope))
            .collect();
        let halves = all.iter().filter(|holding| *holding.power == *mode.power);
        let halves = halves.filter(|half| !whole.contains(&(&half.identity, &half.scope)));
        for half in halves.filter(|half| !almighty.contains(&half.identity) && has_beside(half)) {
            for others in all.chunk_by(|a, b| a.identity == b.identity) {
                let Some(other) = others.first().filter(|other| other.identity != half.identity) else {
                    continue;
                };
                let Some(acted) = (mode.acts_as)(&half.scope, &other.identity) else {
                    continue;
                };
                for other in others {
                    for (scope, grounds) in gains(access, mode, half, &acted, other, namespaces) {
                        add(half, other.power, scope, grounds);
                    }
                }
            }
        }
    }
    for half in all.iter().filter(|half| !almighty.contains(&half.identity)) {
        for (scope, grounds) in tokens_of_nodes(cluster, access, half) {
            add(half, &power::CREATE_TOKENS, scope, grounds);
        }
    }
    found.into_values().collect()
}

/// The tokens that a kubelet may make of the accounts of its pods: what the Node authorizer gives beside bindings.
///
/// In the mode `associated-node` the name that is asked for is `*`, and the node is that of the holder's own pod.
fn tokens_of_nodes(cluster: &Cluster, access: &Access, half: &Holding) -> Vec<(Scope, Vec<Ground>)> {
    let (is_any, is_own) = (
        *half.power == power::IMPERSONATE_NODES,
        *half.power == power::IMPERSONATE_OWN_NODE && half.scope.covers("", "*"),
    );
    if !is_any && !is_own {
        return Vec::new();
    }
    let own: BTreeSet<&Text> = cluster
        .pods
        .values()
        .filter(|pod| Identity::service_account(&pod.meta.namespace, pod.spec.account()) == half.identity)
        .map(|pod| &pod.spec.node_name)
        .collect();
    let is_meant = |node: &Text| is_any && half.scope.covers("", node) || is_own && own.contains(node);
    let mode = if is_any {
        "impersonate-on:arbitrary-node:"
    } else {
        "impersonate-on:associated-node:"
    };
    let mut found = BTreeMap::new();
    for pod in cluster.pods.values().filter(|pod| !pod.spec.node_name.is_empty()) {
        if !is_meant(&pod.spec.node_name) {
            continue;
        }
        let scope = Scope::new(&pod.meta.namespace, Some(&pod.spec.account()));
        if found.contains_key(&scope) {
            continue;
        }
        let node = kubelet(&pod.spec.node_name);
        if let Some(both) = meet(access, mode, &half.identity, &node, &power::CREATE_TOKENS, &scope) {
            found.insert(scope, first_ground(half).into_iter().chain(both).collect());
        }
    }
    found.into_iter().collect()
}

/// Whether a power is the first half of some mode.
fn is_half(power: &Power) -> bool {
    MODES.iter().any(|mode| *mode.power == *power) || *power == power::IMPERSONATE_OWN_NODE
}

/// Beta and on in 1.36, alpha in 1.35.
fn served(cluster: &Cluster) -> Option<Certainty> {
    let gate = "the feature gate ConstrainedImpersonation is on";
    since(cluster, 36).or_else(|| since(cluster, 35).map(|_| Certainty::Conditional(gate.into())))
}

/// Why the holder has the first half.
fn first_ground(half: &Holding) -> Option<Ground> {
    half.reasons.first().map(|reason| Ground {
        subject: half.identity.clone(),
        reason: reason.clone(),
    })
}

/// Where both halves and the other's own right meet, with why.
fn gains(
    access: &Access,
    mode: &Mode,
    half: &Holding,
    acted: &Identity,
    other: &Holding,
    namespaces: &[Text],
) -> Vec<(Scope, Vec<Ground>)> {
    let meets = |scope: &Scope| {
        let both = meet(access, mode.prefix, &half.identity, acted, other.power, scope)?;
        Some((
            scope.clone(),
            first_ground(half).into_iter().chain(both).collect(),
        ))
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
    mode: &str,
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
        let second = decide(&holder, &format!("{mode}{verb}"))?;
        Some([second, decide(&other, verb)?])
    })
}
