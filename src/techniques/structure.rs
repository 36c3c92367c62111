//! Relations that follow from what things are: they cost nothing and belong to no technique.
//!
//! Everything that many things share is one vertex between them. A right that covers a namespace leads to
//! `Pod/shop/*`, and that to each pod; a policy that lets groups reach groups is one hub. So steps grow with
//! objects, not with pairs of them.
//!
//! **Trap.** Only containers that last hang below their pod, see [`super::pods`].

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use smallvec::smallvec;

use super::kubelet::{self, PORT, port as kubelet_port};
use super::loopback;
use super::openings::{exposes, listeners, opens};
use super::outside::Outside;
use super::pods::{ContainerView, PodView, any_node, any_pod, pods};
use super::references::Holder;
use super::steal::steers;
use super::{ANY, Certainty, Context, Evidence, FREE, Opens, Place, Position, Reason, Relation, SOME, Step};
use crate::model::{ObjectId, Protocol, Text, UNNAMED_WORKER};
use crate::network::{Allowed, Direction, Group, Hub, Unit, Verdict};
use crate::rbac::{self, Identity, NODE_USER, Scope, power};

/// Adds every structural step.
pub(super) fn relate(context: &Context<'_>, steps: &mut Vec<Step>) {
    containers(context, steps);
    choices(context, steps);
    some_node(context, steps);
    keys(context, steps);
    network(context, steps);
    kubelets(context, steps);
    own_node(context, steps);
    free_senders(context, steps);
    exposure(context, steps);
    api_server(context, steps);
    groups(context, steps);
    any_accounts(context, steps);
    grants(context, steps);
    everything(context, steps);
}

fn step(
    relation: Relation,
    premise: Position,
    conclusion: Position,
    evidence: impl IntoIterator<Item = Evidence>,
) -> Step {
    Step {
        reason: Reason::Relation(relation),
        premises: smallvec![premise],
        conclusion,
        effort: 0,
        certainty: Certainty::Certain,
        evidence: evidence.into_iter().collect(),
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
            let named = || [container.field("/name", &container.container.name)];
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
        let exists = [pod.fact("", "")];
        steps.push(step(Relation::Includes, any, pod.position(), exists));
    }
    for group in context.network.groups() {
        let any = any_group(&group.namespace);
        let position = Position::Network(group.name.clone());
        let like = group
            .pods
            .first()
            .and_then(|&pod| super::pods::pod(context.cluster, pod));
        let evidence = like.iter().map(|pod| pod.fact("", ""));
        steps.push(step(Relation::Includes, any, position, evidence));
    }
    for (id, _) in &context.cluster.nodes {
        let node = Position::Node(id.name.clone());
        let exists = [Evidence::new(id.clone(), "", "")];
        steps.push(step(Relation::Includes, any_node(), node, exists));
    }
    if context.cluster.nodes.is_empty() {
        let worker = Position::Node(UNNAMED_WORKER.into());
        let unnamed = Evidence::new(
            ObjectId::cluster_scoped("Node", UNNAMED_WORKER),
            "",
            "the input names no node",
        );
        steps.push(step(Relation::Includes, any_node(), worker, [unnamed]));
    }
}

/// `ONE_OF`: where it matters that some node is held, whichever it is.
fn some_node(context: &Context<'_>, steps: &mut Vec<Step>) {
    if !steers(context) {
        return;
    }
    let mut add = |name: &Text| {
        let node = Position::Node(name.clone());
        let exists = [Evidence::new(ObjectId::cluster_scoped("Node", name), "", "")];
        steps.push(step(Relation::OneOf, node, Position::Node(SOME.into()), exists));
    };
    if context.cluster.nodes.is_empty() {
        add(&UNNAMED_WORKER.into());
    }
    context.cluster.nodes.iter().for_each(|(id, _)| add(&id.name));
}

/// `INCLUDES`: whoever controls a namespace has what is in it, whoever controls the cluster has everything.
///
/// Rights are not listed again: the choices say what they would give.
fn everything(context: &Context<'_>, steps: &mut Vec<Step>) {
    for namespace in context.held.all_namespaces() {
        let whole = Position::Namespace(namespace.clone());
        let fact = || [namespace_fact(namespace)];
        for part in [
            any_pod(namespace),
            Holder::Secret.whole(&Place::new(namespace, ANY)),
            Holder::ConfigMap.whole(&Place::new(namespace, ANY)),
            any_account(namespace),
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
        [cluster],
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

/// Any identity that a binding or an account names.
pub(super) fn any_identity() -> Identity {
    Identity::User(ANY.into())
}

/// `HAS_KEY`.
fn keys(context: &Context<'_>, steps: &mut Vec<Step>) {
    for (holder, place, keys) in context.keys.iter() {
        let id = ObjectId::new(holder.kind(), &place.namespace, &place.name);
        let any = holder.whole(&Place::new(&place.namespace, ANY));
        let exists = [Evidence::new(id.clone(), "", "")];
        steps.push(step(Relation::Includes, any, holder.whole(place), exists));
        for key in keys {
            let fact = Evidence::new(id.clone(), format!("/data/{}", escaped(key)), "");
            steps.push(step(
                Relation::HasKey,
                holder.whole(place),
                holder.key(place, key),
                [fact],
            ));
        }
    }
}

/// A key as a JSON pointer spells it.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// `REACHES`: from a group to its hubs, from a hub to the ports that a group listens on, from there to the
/// port of each of its pods.
fn network(context: &Context<'_>, steps: &mut Vec<Step>) {
    let groups = context.network.groups();
    let ports = listening(context);
    let listeners = listeners(context);
    let mut count = BTreeMap::<&Text, usize>::new();
    let mut reached = BTreeSet::new();
    for hub in context.network.hubs() {
        let targets = context.network.targets(hub);
        let Some(first) = targets.first().and_then(|group| groups.get(group)) else {
            continue;
        };
        let behind: Vec<(usize, u16, Protocol)> = targets
            .iter()
            .filter_map(|group| Some((group, listeners.get(&group)?)))
            .flat_map(|(group, ports)| ports.iter().map(move |&(port, protocol)| (group, port, protocol)))
            .filter(|&(_, port, protocol)| context.network.ports(hub).contains(protocol, port))
            .collect();
        let number = count.entry(&first.name).or_default();
        *number += 1;
        if behind.is_empty() {
            continue;
        }
        let position = Position::Network(format!("hub/{}/{number}", first.name).into());
        senders(context, hub, &position, steps);
        let entering = allowed(&hub.ingress, "ingress");
        for (group, port, protocol) in behind {
            let Some((id, _)) = groups[group]
                .pods
                .first()
                .and_then(|&pod| context.cluster.pods.at(pod))
            else {
                continue;
            };
            let evidence = [entering(id, &groups[group])];
            let conclusion = group_port(&groups[group].name, port, protocol);
            let mut enters = step(Relation::Reaches, position.clone(), conclusion, evidence);
            if hub.doubtful {
                enters.certainty = Certainty::Conditional(context.network.doubt().into());
            }
            steps.push(enters);
            reached.insert((group, port, protocol));
        }
    }
    if opens(context) || exposes(context) {
        let all = listeners.iter();
        let all = all
            .flat_map(|(&group, ports)| ports.iter().map(move |&(port, protocol)| (group, port, protocol)));
        reached.extend(all);
    }
    for (group, port, protocol) in reached {
        let premise = group_port(&groups[group].name, port, protocol);
        let pods = groups[group].pods.iter().filter(|pod| {
            ports
                .get(pod)
                .is_some_and(|ports| ports.contains(&(port, protocol)))
        });
        let like = like_first(context, &groups[group]);
        for (id, _) in pods.filter_map(|&pod| context.cluster.pods.at(pod)) {
            let place = Place::new(&id.namespace, &id.name);
            let fact = like(id);
            let port = Position::Port(place, port, protocol);
            steps.push(step(Relation::Reaches, premise.clone(), port, [fact]));
        }
    }
}

/// `REACHES` for kubelets that allow everything: through hubs, from the pods of the node, from outside.
fn kubelets(context: &Context<'_>, steps: &mut Vec<Step>) {
    let open: BTreeSet<Text> = kubelet::open(context)
        .into_iter()
        .map(|kubelet| kubelet.node)
        .collect();
    if open.is_empty() {
        return;
    }
    let unnamed = [Text::new(UNNAMED_WORKER)];
    let node_fact = |node: &Text| vec![Evidence::new(ObjectId::cluster_scoped("Node", node), "", "")];
    for (number, hub) in context.network.hubs().iter().enumerate() {
        if !context.network.ports(hub).contains(Protocol::Tcp, PORT) {
            continue;
        }
        let targets = context.network.targets(hub).iter();
        let nodes = targets.filter_map(|unit| match context.network.units().get(unit) {
            Some(Unit::Nodes(names)) if names.is_empty() => Some(&unnamed[..]),
            Some(Unit::Nodes(names)) => Some(names.as_slice()),
            _ => None,
        });
        let behind: Vec<&Text> = nodes.flatten().filter(|name| open.contains(*name)).collect();
        if behind.is_empty() {
            continue;
        }
        let position = Position::Network(format!("hub/node/{number}").into());
        senders(context, hub, &position, steps);
        for node in behind {
            let mut reaches = step(
                Relation::Reaches,
                position.clone(),
                kubelet_port(node),
                node_fact(node),
            );
            if hub.doubtful {
                reaches.certainty = Certainty::Conditional(context.network.doubt().into());
            }
            steps.push(reaches);
        }
    }
    for node in &open {
        let own = local(node, "pods");
        steps.push(step(Relation::Reaches, own, kubelet_port(node), node_fact(node)));
        let addresses = context.cluster.node(node).map(|node| &node.status.addresses);
        if addresses
            .into_iter()
            .flatten()
            .any(|address| address.r#type == "ExternalIP")
        {
            let mut exposed = step(
                Relation::Exposed,
                Position::Internet,
                kubelet_port(node),
                node_fact(node),
            );
            exposed.certainty = Certainty::Conditional("the internet reaches port 10250 of the node".into());
            steps.push(exposed);
        }
    }
}

/// A port of every pod of a group.
pub(super) fn group_port(group: &Text, port: u16, protocol: Protocol) -> Position {
    Position::Network(format!("port/{group}/{port}/{protocol}").into())
}

fn senders(context: &Context<'_>, hub: &Hub, position: &Position, steps: &mut Vec<Step>) {
    let allowed = allowed(&hub.egress, "egress");
    for number in context.network.sources(hub).iter() {
        let (sender, evidence) = match context.network.units().get(number) {
            Some(Unit::Group(group)) => {
                let group = &context.network.groups()[*group];
                let Some((id, _)) = group.pods.first().and_then(|&pod| context.cluster.pods.at(pod)) else {
                    continue;
                };
                (Position::Network(group.name.clone()), allowed(id, group))
            }
            Some(Unit::Nodes(names)) => {
                let Some(first) = names.first() else {
                    continue;
                };
                let node = Evidence::new(ObjectId::cluster_scoped("Node", first), "", "");
                (nodes(first), node)
            }
            _ => continue,
        };
        steps.push(step(Relation::Reaches, sender, position.clone(), [evidence]));
    }
}

/// The network position of nodes that no policy tells apart, by the first of them.
fn nodes(first: &Text) -> Position {
    Position::Network(format!("nodes/{first}").into())
}

/// `SENDS_AS` for nodes, and what policies never stop: traffic between a node and the pods on it.
///
/// Pods that share their node's network send as the node.
/// Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>
fn own_node(context: &Context<'_>, steps: &mut Vec<Step>) {
    for unit in context.network.units() {
        let Unit::Nodes(names) = unit else {
            continue;
        };
        for name in names {
            let exists = || [Evidence::new(ObjectId::cluster_scoped("Node", name), "", "")];
            let node = Position::Node(name.clone());
            steps.push(step(Relation::SendsAs, node.clone(), nodes(&names[0]), exists()));
            steps.push(step(Relation::SendsAs, node, local(name, "host"), exists()));
        }
    }
    let ports = listening(context);
    let placed = |pod: &PodView<'_>| !pod.pod.spec.node_name.is_empty();
    let server = context.network.api_server();
    let beside = context.cluster.nodes.values();
    let beside = beside.filter(|node| server.runs_on(node) != Verdict::Denied);
    let mut useful: FxHashSet<(Text, &str)> = beside.map(|node| (node.meta.name.clone(), "pods")).collect();
    useful.extend(
        kubelet::open(context)
            .into_iter()
            .map(|kubelet| (kubelet.node, "pods")),
    );
    useful.extend(loopback::nodes(context).into_iter().map(|node| (node, "host")));
    for pod in pods(context).filter(placed) {
        let node = &pod.pod.spec.node_name;
        let other = if pod.pod.spec.is_host_network() {
            "pods"
        } else {
            "host"
        };
        for &(port, protocol) in ports.get(&pod.index).into_iter().flatten() {
            let port = Position::Port(pod.place.clone(), port, protocol);
            let fact = [pod.field("/nodeName", node)];
            steps.push(step(Relation::Reaches, local(node, other), port, fact));
            useful.insert((node.clone(), other));
        }
    }
    for pod in pods(context).filter(placed) {
        let node = &pod.pod.spec.node_name;
        let own = if pod.pod.spec.is_host_network() {
            "host"
        } else {
            "pods"
        };
        if useful.contains(&(node.clone(), own)) {
            let (place, fact) = (local(node, own), pod.field("/nodeName", node));
            for container in pod.containers().filter(ContainerView::is_lasting) {
                let sends = step(
                    Relation::SendsAs,
                    container.position(),
                    place.clone(),
                    [fact.clone()],
                );
                steps.push(sends);
            }
        }
    }
}

/// `REACHES` for what no policy closes, where somebody can open the rest or a datastore lies elsewhere: those who send
/// freely, and the ports that take packets from all of them.
fn free_senders(context: &Context<'_>, steps: &mut Vec<Step>) {
    let may_open = opens(context);
    let has_elsewhere = context
        .datastores
        .iter()
        .any(|datastore| datastore.elsewhere.is_some());
    if !may_open && !has_elsewhere {
        return;
    }
    let free = || Position::Network(FREE.into());
    let groups = context.network.groups();
    let [sends, receives] = ["egress", "ingress"].map(|direction| allowed(&Allowed::Default, direction));
    let first = |group: &Group| Some(context.cluster.pods.at(*group.pods.first()?)?.0.clone());
    let egress = context.network.isolating(Direction::Egress);
    for (group, _) in groups.iter().zip(egress).filter(|(_, policy)| policy.is_none()) {
        if let Some(pod) = first(group) {
            let sender = Position::Network(group.name.clone());
            let fact = [sends(&pod, group)];
            steps.push(step(Relation::Reaches, sender, free(), fact));
        }
    }
    for unit in context.network.units() {
        if let Unit::Nodes(names) = unit
            && let Some(name) = names.first()
        {
            let node = Evidence::new(ObjectId::cluster_scoped("Node", name), "", "");
            steps.push(step(Relation::Reaches, nodes(name), free(), [node]));
        }
    }
    for (sender, hub, certainty, fact) in Outside::of(context).reaches(context) {
        let reaches = step(Relation::Reaches, sender, hub, [fact]);
        steps.push(Step { certainty, ..reaches });
    }
    if !may_open {
        return;
    }
    let ingress = context.network.isolating(Direction::Ingress);
    for (number, ports) in listeners(context) {
        let group = &groups[number];
        let Some(pod) = first(group).filter(|_| ingress[number].is_none()) else {
            continue;
        };
        for (port, protocol) in ports {
            let gained = group_port(&group.name, port, protocol);
            let fact = [receives(&pod, group)];
            steps.push(step(Relation::Reaches, free(), gained, fact));
        }
    }
}

/// On one node, its own network or that of its pods.
fn local(node: &Text, side: &str) -> Position {
    Position::Network(format!("node/{node}/{side}").into())
}

/// On one node, its own network, its loopback address included.
pub(super) fn local_host(node: &Text) -> Position {
    local(node, "host")
}

/// What allows a direction: the rule, or for the first pod of a group, which stands for all of them, that no policy
/// isolates it.
fn allowed<'a>(by: &'a Allowed, direction: &'a str) -> impl Fn(&ObjectId, &Group) -> Evidence + 'a {
    move |pod, group| match by {
        Allowed::Rule(policy, pointer) => Evidence::new(policy.clone(), pointer, ""),
        Allowed::Default => {
            let alike = match group.pods.len() {
                0 | 1 => String::new(),
                2 => ", nor that of the pod like it".to_owned(),
                pods => format!(", nor that of {} pods like it", pods - 1),
            };
            let value = format!("no policy isolates its {direction}{alike}");
            Evidence::new(pod.clone(), "/metadata/labels", value)
        }
    }
}

/// That policies treat a pod of a group like the first one, which stands for it.
fn like_first(context: &Context<'_>, group: &Group) -> impl Fn(&ObjectId) -> Evidence {
    let first = group.pods.first().and_then(|&pod| context.cluster.pods.at(pod));
    let first = first.map(|(id, _)| (id.clone(), Text::from(format!("policies treat it like {id}"))));
    move |pod| match &first {
        Some((first, like)) if first != pod => Evidence::new(pod.clone(), "/metadata/labels", like),
        _ => Evidence::new(pod.clone(), "/metadata/labels", ""),
    }
}

/// The ports that matter, by pod: those of datastores, those of open consoles and those that are exposed.
pub(super) fn listening(context: &Context<'_>) -> BTreeMap<usize, BTreeSet<(u16, Protocol)>> {
    let mut ports = BTreeMap::<usize, BTreeSet<_>>::new();
    for exposure in context.network.exposures() {
        ports
            .entry(exposure.pod)
            .or_default()
            .insert((exposure.port, exposure.protocol));
    }
    let consoles = super::consoles::ports(context).into_iter();
    for (pod, port) in consoles.chain(super::side_doors::ports(context)) {
        ports.entry(pod).or_default().insert((port, Protocol::Tcp));
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
            let evidence = via.map(|id| Evidence::new(id.clone(), "", ""));
            let mut exposed = step(Relation::Exposed, Position::Internet, port, evidence);
            if let Some(condition) = &exposure.condition {
                exposed.certainty = Certainty::Conditional(condition.clone());
            }
            steps.push(exposed);
        }
    }
}

/// `TALKS_TO`: from network groups, nodes and from outside to the API server.
///
/// Where the input does not hold the API server's address and policies do not treat all addresses alike, the
/// step depends on it. No policy stops a node, nor a pod that runs where the API server does.
fn api_server(context: &Context<'_>, steps: &mut Vec<Step>) {
    let server = context.network.api_server();
    let known: Vec<_> = server
        .object
        .iter()
        .map(|object| Evidence::new(object.clone(), "", ""))
        .collect();
    let mut talks = |sender, mut evidence: Vec<Evidence>, condition: Option<&str>| {
        evidence.extend(known.iter().cloned());
        let mut talks = step(Relation::TalksTo, sender, Position::ApiServer, evidence);
        if let Some(condition) = condition {
            talks.certainty = Certainty::Conditional(condition.into());
        }
        steps.push(talks);
    };
    let isolating = context.network.isolating(Direction::Egress);
    for (number, group) in context.network.groups().iter().enumerate() {
        let sender = Position::Network(group.name.clone());
        let evidence = || isolating[number].map(|policy| Evidence::new(policy.clone(), "/spec/egress", ""));
        match context.network.to_api_server(number) {
            (Verdict::Denied, _) => {}
            (Verdict::Unknown, _) => {
                talks(sender, evidence().into_iter().collect(), Some(OPEN_EGRESS));
            }
            (Verdict::Allowed, Some(Allowed::Rule(policy, pointer))) => {
                talks(sender, vec![Evidence::new(policy, pointer, "")], None);
            }
            (Verdict::Allowed, _) => talks(sender, vec![namespace_fact(&group.namespace)], None),
        }
    }
    for unit in context.network.units() {
        if let Unit::Nodes(names) = unit
            && let Some(first) = names.first()
        {
            let node = Evidence::new(ObjectId::cluster_scoped("Node", first), "", "");
            talks(nodes(first), vec![node], None);
        }
    }
    for (id, node) in &context.cluster.nodes {
        let condition = match server.runs_on(node) {
            Verdict::Denied => continue,
            Verdict::Unknown => Some("the API server runs on this node"),
            Verdict::Allowed => None,
        };
        let fact = vec![Evidence::new(id.clone(), "/status/addresses", "")];
        talks(local(&id.name, "pods"), fact, condition);
    }
    let service = Evidence::new(ObjectId::new("Service", "default", "kubernetes"), "", "");
    talks(
        Position::Internet,
        vec![service],
        Some("the API server can be reached from outside"),
    );
}

/// What a step to the API server depends on where its address is unknown and egress is isolated.
const OPEN_EGRESS: &str = "egress policies open the API server";

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
            .held
            .holdings(context.access)
            .map(|holding| holding.identity.clone()),
    );
    found.extend(super::api_server::anonymous(context));
    if kubelets_count(context) {
        let nodes = context.cluster.nodes.values();
        found.extend(nodes.map(|node| kubelet(&node.meta.name)));
    }
    found
}

/// The user that the kubelet of a node is.
pub(super) fn kubelet(node: &str) -> Identity {
    Identity::User(format!("{NODE_USER}{node}").into())
}

/// Whether anyone can act as a kubelet without being root on its node.
pub(super) fn kubelets_count(context: &Context<'_>) -> bool {
    let held = context.held;
    let wide = [&power::IMPERSONATE_USERS, &power::APPROVE_SIGNING_REQUESTS];
    let is_meant = |(_, name, _): (&Text, &Text, Position)| {
        name.starts_with(NODE_USER) || super::certificates::signs_clients(name)
    };
    wide.iter()
        .any(|power| held.everywhere(power).is_some() || held.names(power).any(is_meant))
        || super::steal::joins(context)
        || super::files::kubelets_are_read(context)
}

/// `IN_GROUP` for the groups that hold something, `TALKS_TO` for every identity.
fn groups(context: &Context<'_>, steps: &mut Vec<Step>) {
    let mut bound: BTreeSet<Text> = context
        .held
        .holdings(context.access)
        .filter_map(|holding| match &holding.identity {
            Identity::Group(name) => Some(name.clone()),
            Identity::User(_) | Identity::ServiceAccount { .. } => None,
        })
        .collect();
    if kubelet::open(context).iter().any(|kubelet| kubelet.asks) {
        bound.insert(kubelet::AUTHENTICATED.into());
    }
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
            let any = Position::Identity(Identity::service_account(namespace, ANY));
            steps.push(step(Relation::Includes, any, position.clone(), named.clone()));
        } else if let Identity::User(_) = &identity {
            let any = Position::Identity(any_identity());
            steps.push(step(Relation::Includes, any, position.clone(), named.clone()));
        }
        for group in identity
            .implicit_groups()
            .iter()
            .filter(|group| bound.contains(*group))
        {
            let group = Position::Identity(Identity::Group(group.clone()));
            steps.push(step(Relation::InGroup, position.clone(), group, named.clone()));
        }
    }
}

/// `INCLUDES` from any identity to those of each namespace.
fn any_accounts(context: &Context<'_>, steps: &mut Vec<Step>) {
    for namespace in context.held.all_namespaces() {
        let any = Position::Identity(any_identity());
        let accounts = Position::Identity(Identity::service_account(namespace, ANY));
        let fact = [namespace_fact(namespace)];
        steps.push(step(Relation::Includes, any, accounts, fact));
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
    for holding in context.held.holdings(context.access) {
        let identity = &holding.identity;
        let evidence = holding
            .reasons
            .iter()
            .flat_map(|reason| grounds(identity, reason));
        steps.push(step(
            Relation::Holds,
            Position::Identity(holding.identity.clone()),
            Position::Grant(holding.power, holding.scope.clone()),
            evidence,
        ));
    }
    for power in context.held.wide() {
        for namespace in context.held.all_namespaces() {
            steps.push(step(
                Relation::Covers,
                Position::Grant(power, Scope::Cluster),
                Position::Grant(power, Scope::Namespace(namespace.clone())),
                [namespace_fact(namespace)],
            ));
        }
    }
}

/// What shows that an identity has a right.
pub(super) fn grounds(identity: &Identity, reason: &rbac::Reason) -> Vec<Evidence> {
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
