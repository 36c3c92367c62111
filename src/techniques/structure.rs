//! Relations that follow from what things are: they cost nothing and belong to no technique.
//!
//! Everything that many things share is one vertex between them. A right that covers a namespace leads to
//! `Pod/shop/*`, and that to each pod; a policy that lets groups reach groups is one hub. So steps grow with
//! objects, not with pairs of them.
//!
//! **Trap.** Only containers that last hang below their pod, see [`super::pods`].

use std::collections::{BTreeMap, BTreeSet};

use super::pods::{ContainerView, any_node, any_pod, pods};
use super::references::{Holder, Keys};
use super::{ANY, Certainty, Context, Evidence, Opens, Place, Position, Reason, Relation, Step};
use crate::model::{ObjectId, Protocol, Text, UNNAMED_WORKER};
use crate::network::{Allowed, Hub};
use crate::rbac::{self, Identity, Power, Scope};

/// Adds every structural step.
pub(super) fn relate(context: &Context<'_>, steps: &mut Vec<Step>) {
    containers(context, steps);
    choices(context, steps);
    keys(context, steps);
    network(context, steps);
    exposure(context, steps);
    api_server(context, steps);
    groups(context, steps);
    grants(context, steps);
    everything(context, steps);
}

fn step(relation: Relation, premise: Position, conclusion: Position, evidence: Vec<Evidence>) -> Step {
    Step {
        reason: Reason::Relation(relation),
        premises: vec![premise],
        conclusion,
        effort: 0,
        certainty: Certainty::Certain,
        evidence,
    }
}

/// `HAS_CONTAINER`, and `SENDS_AS` for each container.
fn containers(context: &Context<'_>, steps: &mut Vec<Step>) {
    let mut group_of = vec![None; context.cluster.pods.len()];
    for group in context.network.groups() {
        for &pod in &group.pods {
            if let Some(slot) = group_of.get_mut(pod) {
                *slot = Some(&group.name);
            }
        }
    }
    for pod in pods(context) {
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let named = || vec![container.fact("/name", &container.container.name)];
            steps.push(step(
                Relation::HasContainer,
                pod.position(),
                container.position(),
                named(),
            ));
            if let Some(group) = group_of[pod.index] {
                let group = Position::Network(group.clone());
                steps.push(step(Relation::SendsAs, container.position(), group, named()));
            }
        }
    }
}

/// `INCLUDES`: any pod of a namespace, any node; Secrets and accounts follow with their own relations.
fn choices(context: &Context<'_>, steps: &mut Vec<Step>) {
    for pod in pods(context) {
        let any = any_pod(&pod.place.namespace);
        let exists = vec![pod.fact("", "")];
        steps.push(step(Relation::Includes, any, pod.position(), exists));
    }
    for group in context.network.groups() {
        let any = any_group(&group.namespace);
        let position = Position::Network(group.name.clone());
        let like = group
            .pods
            .first()
            .and_then(|&pod| super::pods::pod(context.cluster, pod));
        let evidence = like.iter().map(|pod| pod.fact("", "")).collect();
        steps.push(step(Relation::Includes, any, position, evidence));
    }
    for (id, _) in &context.cluster.nodes {
        let node = Position::Node(id.name.clone());
        let exists = vec![Evidence::new(id.clone(), "", "")];
        steps.push(step(Relation::Includes, any_node(), node, exists));
    }
    if context.cluster.nodes.is_empty() {
        let worker = Position::Node(UNNAMED_WORKER.into());
        let unnamed = Evidence::new(
            ObjectId::cluster_scoped("Node", UNNAMED_WORKER),
            "",
            "the input names no node",
        );
        steps.push(step(Relation::Includes, any_node(), worker, vec![unnamed]));
    }
}

/// `INCLUDES`: whoever controls a namespace has what is in it, whoever controls the cluster has everything.
///
/// Rights are not listed again: the choices say what they would give.
fn everything(context: &Context<'_>, steps: &mut Vec<Step>) {
    for namespace in context.cluster.namespace_names() {
        let whole = Position::Namespace(namespace.clone());
        let fact = || vec![namespace_fact(&namespace)];
        for part in [
            any_pod(&namespace),
            Holder::Secret.whole(&Place::new(&namespace, ANY)),
            Holder::ConfigMap.whole(&Place::new(&namespace, ANY)),
            any_account(&namespace),
        ] {
            steps.push(step(Relation::Includes, whole.clone(), part, fact()));
        }
        steps.push(step(Relation::Includes, Position::ClusterAdmin, whole, fact()));
    }
    let cluster = Evidence::new(
        ObjectId::cluster_scoped("ClusterRole", "cluster-admin"),
        "/rules",
        "",
    );
    steps.push(step(
        Relation::Includes,
        Position::ClusterAdmin,
        any_node(),
        vec![cluster],
    ));
}

/// The network position of any pod of the namespace: that of a pod whose labels one chooses.
pub(super) fn any_group(namespace: &Text) -> Position {
    Position::Network(format!("{namespace}/{ANY}").into())
}

/// A token of any account of the namespace.
pub(super) fn any_account(namespace: &Text) -> Position {
    Position::Credential(Opens::Identity(Identity::service_account(namespace, ANY)))
}

/// `HAS_KEY`.
fn keys(context: &Context<'_>, steps: &mut Vec<Step>) {
    for (holder, place, keys) in Keys::new(context).iter() {
        let id = ObjectId::new(holder.kind(), &place.namespace, &place.name);
        let any = holder.whole(&Place::new(&place.namespace, ANY));
        let exists = vec![Evidence::new(id.clone(), "", "")];
        steps.push(step(Relation::Includes, any, holder.whole(place), exists));
        for key in keys {
            let fact = Evidence::new(id.clone(), format!("/data/{}", escaped(key)), "");
            steps.push(step(
                Relation::HasKey,
                holder.whole(place),
                holder.key(place, key),
                vec![fact],
            ));
        }
    }
}

/// A key as a JSON pointer spells it.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// `REACHES`: from a group to its hubs, from a hub to the ports behind it.
fn network(context: &Context<'_>, steps: &mut Vec<Step>) {
    let ports = listening(context);
    let groups = context.network.groups();
    let mut count = BTreeMap::<&Text, usize>::new();
    for hub in context.network.hubs() {
        let behind: Vec<(Position, Evidence)> = hub
            .targets
            .iter()
            .filter_map(|&group| groups.get(group))
            .flat_map(|group| &group.pods)
            .flat_map(|&pod| ports.get(&pod).into_iter().flatten().map(move |port| (pod, port)))
            .filter(|(_, (port, protocol))| hub.ports.contains(*protocol, *port))
            .filter_map(|(pod, (port, protocol))| {
                let id = context.cluster.pods.at(pod)?.0;
                let place = Place::new(&id.namespace, &id.name);
                Some((
                    Position::Port(place, *port, *protocol),
                    allowed(&hub.ingress, id, "ingress"),
                ))
            })
            .collect();
        let Some(first) = hub.targets.first().and_then(|&group| groups.get(group)) else {
            continue;
        };
        let number = count.entry(&first.name).or_default();
        *number += 1;
        if behind.is_empty() {
            continue;
        }
        let position = Position::Network(format!("hub/{}/{number}", first.name).into());
        senders(context, hub, &position, steps);
        steps.extend(
            behind
                .into_iter()
                .map(|(port, evidence)| step(Relation::Reaches, position.clone(), port, vec![evidence])),
        );
    }
}

fn senders(context: &Context<'_>, hub: &Hub, position: &Position, steps: &mut Vec<Step>) {
    for group in hub
        .sources
        .iter()
        .filter_map(|&group| context.network.groups().get(group))
    {
        let Some((id, _)) = group.pods.first().and_then(|&pod| context.cluster.pods.at(pod)) else {
            continue;
        };
        let evidence = vec![allowed(&hub.egress, id, "egress")];
        let sender = Position::Network(group.name.clone());
        steps.push(step(Relation::Reaches, sender, position.clone(), evidence));
    }
}

fn allowed(by: &Allowed, pod: &ObjectId, direction: &str) -> Evidence {
    match by {
        Allowed::Default => Evidence::new(
            pod.clone(),
            "/metadata/labels",
            format!("no policy isolates its {direction}"),
        ),
        Allowed::Rule(policy, pointer) => Evidence::new(policy.clone(), pointer, ""),
    }
}

/// The ports that matter, by pod: those of datastores and those that are exposed.
fn listening(context: &Context<'_>) -> BTreeMap<usize, BTreeSet<(u16, Protocol)>> {
    let mut ports = BTreeMap::<usize, BTreeSet<_>>::new();
    for exposure in context.network.exposures() {
        ports
            .entry(exposure.pod)
            .or_default()
            .insert((exposure.port, exposure.protocol));
    }
    for datastore in context.datastores {
        for &pod in &datastore.pods {
            let ports = ports.entry(pod).or_default();
            ports.extend(datastore.ports.iter().map(|&port| (port, Protocol::Tcp)));
        }
    }
    ports
}

/// `EXPOSED`.
fn exposure(context: &Context<'_>, steps: &mut Vec<Step>) {
    for exposure in context.network.exposures() {
        if let Some(pod) = super::pods::pod(context.cluster, exposure.pod) {
            let port = Position::Port(pod.place.clone(), exposure.port, exposure.protocol);
            let via = exposure.via.iter();
            let evidence = via.map(|id| Evidence::new(id.clone(), "", "")).collect();
            steps.push(step(Relation::Exposed, Position::Internet, port, evidence));
        }
    }
}

/// `TALKS_TO`: from network groups and from outside to the API server.
///
/// Where no policy isolates egress in a namespace its pods reach the API server; where one does, whether it
/// lets them depends on the API server's address, which is seldom in the input.
fn api_server(context: &Context<'_>, steps: &mut Vec<Step>) {
    let isolating: BTreeMap<&Text, &ObjectId> = context
        .cluster
        .network_policies
        .iter()
        .filter(|(_, policy)| match &policy.spec.policy_types {
            Some(types) => types.iter().any(|kind| kind == "Egress"),
            None => policy.spec.egress.is_some(),
        })
        .map(|(id, _)| (&id.namespace, id))
        .collect();
    for group in context.network.groups() {
        let sender = Position::Network(group.name.clone());
        let policy = isolating.get(&group.namespace);
        let evidence = match policy {
            Some(policy) => Evidence::new((*policy).clone(), "/spec/egress", ""),
            None => namespace_fact(&group.namespace),
        };
        let mut talks = step(Relation::TalksTo, sender, Position::ApiServer, vec![evidence]);
        if policy.is_some() {
            talks.certainty = Certainty::Conditional("egress policies open the API server".into());
        }
        steps.push(talks);
    }
    let service = ObjectId::new("Service", "default", "kubernetes");
    let mut outside = step(
        Relation::TalksTo,
        Position::Internet,
        Position::ApiServer,
        vec![Evidence::new(service, "", "")],
    );
    outside.certainty = Certainty::Conditional("the API server can be reached from outside".into());
    steps.push(outside);
}

/// Every identity that the input names: accounts, those that pods run as, those that bindings name.
pub(super) fn identities(context: &Context<'_>) -> BTreeSet<Identity> {
    let accounts = context.cluster.service_accounts.values();
    let mut found: BTreeSet<Identity> = accounts
        .map(|account| Identity::service_account(&account.meta.namespace, &account.meta.name))
        .collect();
    found.extend(
        context
            .cluster
            .pods
            .values()
            .map(|pod| Identity::service_account(&pod.meta.namespace, pod.spec.account())),
    );
    found.extend(
        context
            .access
            .holdings()
            .iter()
            .map(|holding| holding.identity.clone()),
    );
    found
}

/// `IN_GROUP` for the groups that hold something, `TALKS_TO` for every identity.
fn groups(context: &Context<'_>, steps: &mut Vec<Step>) {
    let bound: BTreeSet<&Text> = context
        .access
        .holdings()
        .iter()
        .filter_map(|holding| match &holding.identity {
            Identity::Group(name) => Some(name),
            Identity::User(_) | Identity::ServiceAccount { .. } => None,
        })
        .collect();
    for identity in identities(context) {
        let position = Position::Identity(identity.clone());
        let named = vec![Evidence::new(identity_object(&identity), "", "")];
        let talks = step(
            Relation::TalksTo,
            position.clone(),
            Position::ApiServer,
            named.clone(),
        );
        steps.push(talks);
        if let Identity::ServiceAccount { namespace, .. } = &identity {
            let token = Position::Credential(Opens::Identity(identity.clone()));
            let choice = step(Relation::Includes, any_account(namespace), token, named.clone());
            steps.push(choice);
        }
        for group in identity
            .implicit_groups()
            .iter()
            .filter(|group| bound.contains(group))
        {
            let group = Position::Identity(Identity::Group(group.clone()));
            steps.push(step(Relation::InGroup, position.clone(), group, named.clone()));
        }
    }
}

/// The id of an identity in evidence.
pub(super) fn identity_object(identity: &Identity) -> ObjectId {
    match identity {
        Identity::ServiceAccount { namespace, name } => ObjectId::new("ServiceAccount", namespace, name),
        Identity::User(name) => ObjectId::cluster_scoped("User", name),
        Identity::Group(name) => ObjectId::cluster_scoped("Group", name),
    }
}

/// `HOLDS`, and `COVERS` from a grant for the cluster to the same grant in each namespace.
fn grants(context: &Context<'_>, steps: &mut Vec<Step>) {
    let mut wide = BTreeSet::<&'static Power>::new();
    for holding in context.access.holdings() {
        if holding.scope == Scope::Cluster && holding.power.is_namespaced() {
            wide.insert(holding.power);
        }
        let identity = &holding.identity;
        let evidence = holding
            .reasons
            .iter()
            .flat_map(|reason| grounds(identity, reason));
        steps.push(step(
            Relation::Holds,
            Position::Identity(holding.identity.clone()),
            Position::Grant(holding.power, holding.scope.clone()),
            evidence.collect(),
        ));
    }
    let namespaces = context.cluster.namespace_names();
    for power in wide {
        for namespace in &namespaces {
            steps.push(step(
                Relation::Covers,
                Position::Grant(power, Scope::Cluster),
                Position::Grant(power, Scope::Namespace(namespace.clone())),
                vec![namespace_fact(namespace)],
            ));
        }
    }
}

/// What shows that an identity has a right.
fn grounds(identity: &Identity, reason: &rbac::Reason) -> Vec<Evidence> {
    match reason {
        rbac::Reason::Rule { binding, role, rule } => vec![
            Evidence::new(binding.clone(), "/subjects", identity.to_string()),
            Evidence::new(role.clone(), format!("/rules/{rule}"), ""),
        ],
        rbac::Reason::Node { pod: Some(pod) } => vec![Evidence::new(pod.clone(), "/spec/nodeName", "")],
        rbac::Reason::Node { pod: None } | rbac::Reason::Masters => {
            vec![Evidence::new(identity_object(identity), "", reason.to_string())]
        }
    }
}

/// The existence of a namespace.
pub(super) fn namespace_fact(namespace: &Text) -> Evidence {
    Evidence::new(ObjectId::cluster_scoped("Namespace", namespace), "", "")
}
