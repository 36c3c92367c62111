//! What rights over network policies and Services give: ports that were closed.
//!
//! **Trap.** A packet passes two policies, one on each side. Whoever may open the datastore's side still has to send from
//! where nothing closes egress, or open that side too.

use std::collections::{BTreeMap, BTreeSet};

use super::pods::both;
use super::structure::{group_port, listening, namespace_fact};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, FREE, Family, Position, Sink};
use crate::model::{ObjectId, Protocol, Text};
use crate::network::{Direction, has_other_policies};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Network;
    /// Opens ports by a network policy of one's own, as policies only ever add to each other.
    ///
    /// # Preconditions
    ///
    /// The right to create NetworkPolicies in the namespace whose policies close the way, or to change or delete those that
    /// are there: that of the datastore for its ingress, that of the sender for its egress. Where both sides are closed it
    /// takes both.
    ///
    /// What does not suffice: the right in another namespace; the datastore's side alone, for a sender whose egress is closed.
    ///
    /// # Detection
    ///
    /// Audit log: `create`, `patch` and `delete` of `networkpolicies` outside deployments.
    NETWORK_POLICY_OPEN: [Grant, Network] => [Network] {
        title: "Network policy of one's own",
        mitre: ["T1686"],
        microsoft: ["MS-TA9034"],
        owasp: ["K02", "K05"],
        effort: 1,
        remediation: "Leave network policies to the platform's administrators, or close namespaces by policies of the whole cluster.",
        references: [
            "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
        ],
        derive: network_policy_open,
    }

    /// Makes a Service that lets the outside reach a port.
    ///
    /// # Preconditions
    ///
    /// The right to create Services in the namespace of the pods, or to change one there, whose type becomes `LoadBalancer`
    /// or `NodePort`; no policy isolates the pods' ingress. Whether a load balancer is made, and whether nodes can be reached,
    /// the input does not show.
    ///
    /// What does not suffice: Services in another namespace, whose selectors do not reach these pods.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of Services with another type than `ClusterIP`.
    SERVICE_EXPOSE: [Grant, Internet] => [Network] {
        title: "Service that exposes a port",
        mitre: ["T1133"],
        microsoft: ["MS-TA9005"],
        owasp: ["K02", "K06"],
        falco: ["Create NodePort Service"],
        effort: 2,
        remediation: "Refuse Services of other types than ClusterIP by quota or admission where nobody needs them, and isolate the ingress of datastores.",
        references: [
            "https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
            "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
        ],
        derive: service_expose,
    }
}

const CHANGED: &str =
    "the policy may be changed and not only deleted, or is the only one that closes the way";
const OTHERS: &str = "no policy of another kind forbids it";
const OUTSIDE: &str = "a load balancer is made for the Service, or the outside reaches the nodes";

/// The rights that open a namespace, each with what it depends on.
fn openers(context: &Context<'_>) -> BTreeMap<Text, BTreeMap<Position, Certainty>> {
    let mut found = BTreeMap::<Text, BTreeMap<Position, Certainty>>::new();
    if context.network.ignores_policies() {
        return found;
    }
    let create = &power::CREATE_NETWORK_POLICIES;
    let weaken = &power::WEAKEN_NETWORK_POLICIES;
    for power in [create, weaken] {
        for (namespace, grant) in context.held.namespaces(power) {
            let grants = found.entry(namespace.clone()).or_default();
            grants.insert(grant, Certainty::Certain);
        }
    }
    for (namespace, name, grant) in context.held.names(weaken) {
        for place in context.held.places(namespace) {
            let id = ObjectId::new("NetworkPolicy", place, name);
            if context.cluster.network_policies.contains(&id) {
                let grants = found.entry(place.clone()).or_default();
                let changed = Certainty::Conditional(CHANGED.into());
                grants.entry(grant.clone()).or_insert(changed);
            }
        }
    }
    found
}

/// Whether anyone can open a way that policies close, so that it matters who sends freely.
pub(super) fn opens(context: &Context<'_>) -> bool {
    let openers = openers(context);
    let groups = context.network.groups();
    [Direction::Ingress, Direction::Egress]
        .into_iter()
        .any(|direction| {
            let isolating = context.network.isolating(direction);
            let isolated = groups
                .iter()
                .zip(isolating)
                .filter(|(_, policy)| policy.is_some());
            isolated
                .into_iter()
                .any(|(group, _)| openers.contains_key(&group.namespace))
        })
}

/// Whether anyone can expose ports, so that each port of a group is a position.
pub(super) fn exposes(context: &Context<'_>) -> bool {
    !exposers(context).is_empty()
}

/// The ports of a group's pods that matter.
pub(super) type Listeners = BTreeMap<usize, BTreeSet<(u16, Protocol)>>;

/// The ports that matter, by network group.
pub(super) fn listeners(context: &Context<'_>) -> Listeners {
    let ports = listening(context);
    let groups = context.network.groups().iter().enumerate();
    groups
        .map(|(number, group)| {
            let ports = group.pods.iter().filter_map(|pod| ports.get(pod)).flatten();
            (number, ports.copied().collect())
        })
        .filter(|(_, ports): &(usize, BTreeSet<_>)| !ports.is_empty())
        .collect()
}

/// Whether policies beside NetworkPolicies may forbid what those allow.
fn others(context: &Context<'_>) -> Certainty {
    if has_other_policies(context.cluster) {
        Certainty::Conditional(OTHERS.into())
    } else {
        Certainty::Certain
    }
}

fn network_policy_open(context: &Context<'_>, sink: &mut Sink<'_>) {
    let openers = openers(context);
    if openers.is_empty() {
        return;
    }
    let others = others(context);
    let free = Position::Network(FREE.into());
    let groups = context.network.groups();
    let egress = context.network.isolating(Direction::Egress);
    for (group, policy) in groups.iter().zip(&egress) {
        let (Some(policy), Some(grants)) = (policy, openers.get(&group.namespace)) else {
            continue;
        };
        for (grant, certainty) in grants {
            let premises = [grant.clone(), Position::Network(group.name.clone())];
            let fact = [Evidence::new((*policy).clone(), "/spec/egress", "")];
            sink.step_if(
                premises,
                free.clone(),
                both(certainty.clone(), others.clone()),
                fact,
            );
        }
    }
    let ingress = context.network.isolating(Direction::Ingress);
    for (number, ports) in listeners(context) {
        let group = &groups[number];
        let (Some(policy), Some(grants)) = (ingress[number], openers.get(&group.namespace)) else {
            continue;
        };
        for (port, protocol) in ports {
            for (grant, certainty) in grants {
                let fact = [Evidence::new(policy.clone(), "/spec/ingress", "")];
                let gained = group_port(&group.name, port, protocol);
                let certainty = both(certainty.clone(), others.clone());
                sink.step_if([free.clone(), grant.clone()], gained, certainty, fact);
            }
        }
    }
}

/// The rights that expose pods of a namespace, each with the Service that it is over.
fn exposers<'a>(context: &Context<'a>) -> Vec<(&'a Text, Position, Option<Evidence>)> {
    let create: &'static Power = &power::CREATE_SERVICES;
    let update: &'static Power = &power::UPDATE_SERVICES;
    let held = context.held;
    let wide = held.namespaces(create).into_iter();
    let mut found: Vec<_> = wide.map(|(namespace, grant)| (namespace, grant, None)).collect();
    let mut first = BTreeMap::new();
    for (id, _) in &context.cluster.services {
        first.entry(&id.namespace).or_insert(id);
    }
    for (namespace, grant) in held.namespaces(update) {
        if let Some(&id) = first.get(namespace) {
            found.push((
                namespace,
                grant,
                Some(Evidence::new(id.clone(), "/spec/type", "")),
            ));
        }
    }
    for (namespace, name, grant) in held.names(update) {
        for place in held.places(namespace) {
            let id = ObjectId::new("Service", place, name);
            if context.cluster.services.contains(&id) {
                found.push((place, grant.clone(), Some(Evidence::new(id, "/spec/type", ""))));
            }
        }
    }
    found
}

fn service_expose(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut in_namespace = BTreeMap::<&Text, Vec<_>>::new();
    for (namespace, grant, service) in exposers(context) {
        in_namespace.entry(namespace).or_default().push((grant, service));
    }
    if in_namespace.is_empty() {
        return;
    }
    let groups = context.network.groups();
    let ingress = context.network.isolating(Direction::Ingress);
    for (number, ports) in listeners(context) {
        let group = &groups[number];
        let Some(grants) = in_namespace
            .get(&group.namespace)
            .filter(|_| ingress[number].is_none())
        else {
            continue;
        };
        for (port, protocol) in ports {
            for (grant, service) in grants {
                let outside = Certainty::Conditional(OUTSIDE.into());
                let gained = group_port(&group.name, port, protocol);
                let facts = [namespace_fact(&group.namespace)]
                    .into_iter()
                    .chain(service.clone());
                sink.step_if([Position::Internet, grant.clone()], gained, outside, facts);
            }
        }
    }
}
