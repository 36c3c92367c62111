//! Ways into databases.

use super::loopback;
use super::outside::Outside;
use super::pods::{both, pod};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, FREE, Family, Opens, Place, Position, Sink};
use crate::datastores::{Datastore, Door, Fact, Subject};
use crate::model::Protocol;
use crate::network::has_other_policies;

techniques! { TECHNIQUES, Family::Datastore;
    /// Uses a datastore that asks for no credential.
    ///
    /// # Preconditions
    ///
    /// A port of the datastore can be reached, and it is of a kind that lets everyone in: by default, as Redis,
    /// Memcached and MongoDB do in their images, or because a setting says so.
    ///
    /// What does not suffice: a password that is set, or a policy that closes the port.
    ///
    /// # Detection
    ///
    /// Connections to the datastore from workloads that never used it.
    DATABASE_OPEN: [Port, Network, Container] => [Database] {
        title: "Datastore without authentication",
        mitre: ["T1213"],
        microsoft: ["MS-TA9041"],
        owasp: ["K09", "K05"],
        cis: ["5.3.2"],
        effort: 1,
        remediation: "Set a password, and let only its clients reach the datastore.",
        references: [
            "https://redis.io/docs/latest/operate/oss_and_stack/management/security/",
            "https://www.mongodb.com/docs/manual/administration/security-checklist/",
        ],
        derive: database_open,
    }

    /// Logs in to a datastore with a password for it.
    ///
    /// # Preconditions
    ///
    /// A port of the datastore can be reached, and a password that it accepts is held. Where no pod of the input runs it,
    /// because an operator makes the pods or it lies outside the cluster, packets that no egress policy closes are taken to
    /// reach it: on a condition, but for pods of an operator where there is no policy that could close them; outside also
    /// those that a rule of an egress policy lets out to it.
    ///
    /// What does not suffice: the password alone behind a policy that closes the port, or the port alone.
    ///
    /// # Detection
    ///
    /// The datastore's log: log-ins of the application's user from another address.
    DATABASE_LOGIN: [Port, Network, Credential, Container] => [Database] {
        title: "Log-in to a datastore",
        mitre: ["T1078", "T1213"],
        microsoft: ["MS-TA9041"],
        owasp: ["K03", "K05"],
        cis: ["5.3.2", "5.4.2"],
        effort: 1,
        remediation: "Let only its clients reach the datastore, and give each a user of its own.",
        references: ["https://attack.mitre.org/techniques/T1078/"],
        derive: database_login,
    }

    /// Reads and writes a datastore's data from within its own container.
    ///
    /// # Preconditions
    ///
    /// Code runs in the container that serves the datastore: its files are there, and most servers trust local
    /// connections.
    ///
    /// What does not suffice: another container of the pod, unless it mounts the data as well.
    ///
    /// # Detection
    ///
    /// Processes in the container that its image does not start.
    DATABASE_LOCAL: [Container] => [Database] {
        title: "Data of the datastore's own container",
        mitre: ["T1005"],
        microsoft: ["MS-TA9041"],
        owasp: ["K01"],
        cis: ["5.2.1"],
        falco: ["DB program spawned process"],
        effort: 1,
        remediation: "Restrict who may execute commands in, change or replace the datastore's pods.",
        references: ["https://attack.mitre.org/techniques/T1005/"],
        derive: database_local,
    }

    /// Reads and writes every object of the cluster in the etcd that its API server stores them in.
    ///
    /// # Preconditions
    ///
    /// The data of the control plane's etcd can be read or written: the pod in kube-system that the kubelet runs
    /// from a manifest of its own, or that carries the label `component: etcd`. Whether its port asks for a
    /// client certificate is a matter of `--client-cert-auth`.
    ///
    /// What does not suffice: an etcd that something else stores its data in; to one that listens on the loopback
    /// address alone, anything but its node's network.
    ///
    /// # Detection
    ///
    /// Connections to port 2379 that do not come from the API server. Nothing of it is in the audit log.
    ETCD_OBJECTS: [Database] => [ClusterAdmin] {
        title: "Objects of the cluster in etcd",
        mitre: ["T1552", "T1565.001"],
        microsoft: ["MS-TA9025"],
        owasp: ["K01", "K05"],
        cis: ["2.2", "2.7"],
        effort: 1,
        remediation: "Set --client-cert-auth=true on etcd with a certificate authority of its own, and let only the API server reach it.",
        references: [
            "https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#securing-etcd-clusters",
            "https://etcd.io/docs/v3.6/op-guide/security/",
        ],
        derive: etcd_objects,
    }
}

/// The datastore's position.
pub(super) fn database(datastore: &Datastore) -> Position {
    Position::Database(place(datastore))
}

pub(super) fn place(datastore: &Datastore) -> Place {
    Place::new(&datastore.workload.namespace, &datastore.workload.name)
}

/// A fact of a datastore as evidence of its pod's object.
pub(super) fn evidence(context: &Context<'_>, fact: &Fact) -> Option<Evidence> {
    match &fact.subject {
        Subject::Pod(index) => Some(pod(context.cluster, *index)?.fact(&fact.pointer, &fact.value)),
        Subject::Object(id) => Some(Evidence::new(id.clone(), &fact.pointer, &fact.value)),
    }
}

/// What says that it is a datastore, as evidence, with what it is known by unless that is plain.
pub(super) fn proof(context: &Context<'_>, datastore: &Datastore) -> Option<Evidence> {
    let mut fact = datastore.proof.clone();
    if datastore.basis.needs_words() {
        let known = datastore.basis.phrase();
        fact.value = format!("{} ({}, known by {known})", fact.value, datastore.family.title).into();
    }
    evidence(context, &fact)
}

/// How sure it is that packets reach a datastore that no pod of the input runs; none if a pod does. Pods that an operator
/// makes are assumed to be reached like others where the input has no policy that could close them.
pub(super) fn reached_elsewhere(context: &Context<'_>, datastore: &Datastore) -> Option<Certainty> {
    let condition = datastore.elsewhere.clone()?;
    let cluster = context.cluster;
    let namespace = &datastore.workload.namespace;
    let may_be_closed = || {
        let mut policies = cluster.network_policies.iter();
        policies.any(|(id, _)| id.namespace == *namespace) || has_other_policies(cluster)
    };
    let is_open = context.network.ignores_policies() || !may_be_closed();
    Some(if datastore.host().is_none() && is_open {
        Certainty::Assumed
    } else {
        Certainty::Conditional(condition)
    })
}

/// Reaching the datastore: every port of every pod, or whoever shares the loopback address it listens at; where no pod of
/// the input runs it, sending freely, and by a rule that lets packets out to it.
fn ways(
    context: &Context<'_>,
    datastore: &Datastore,
    outside: &Outside,
    ports: &[u16],
) -> Vec<(Position, Certainty)> {
    if let Some(certainty) = reached_elsewhere(context, datastore) {
        let free = Position::Network(FREE.into());
        let all = [Some(free), outside.hub(&place(datastore))];
        let all = all.into_iter().flatten();
        return all.map(|way| (way, certainty.clone())).collect();
    }
    if datastore.ports.is_empty() {
        return loopback::ways(context, datastore);
    }
    let pods = datastore
        .pods
        .iter()
        .filter_map(|&index| pod(context.cluster, index));
    pods.flat_map(|pod| {
        let port = move |&port: &u16| Position::Port(pod.place.clone(), port, Protocol::Tcp);
        ports.iter().map(port)
    })
    .map(|port| (port, Certainty::Certain))
    .collect()
}

fn database_open(context: &Context<'_>, sink: &mut Sink<'_>) {
    let outside = Outside::of(context);
    for datastore in context.datastores {
        let Door::Open(fact, condition) = &datastore.door else {
            continue;
        };
        let certainty = condition
            .clone()
            .map_or(Certainty::Certain, Certainty::Conditional);
        // What says what it is may say as well that it is open.
        let door = Some(fact).filter(|fact| **fact != datastore.proof);
        let door = door.and_then(|fact| evidence(context, fact));
        let proof: Vec<_> = proof(context, datastore).into_iter().chain(door).collect();
        let all = &datastore.ports;
        let ports = Some(&datastore.open_at).filter(|ports| !ports.is_empty());
        for (way, reached) in ways(context, datastore, outside, ports.unwrap_or(all)) {
            let certainty = both(reached, certainty.clone());
            sink.step_if([way], database(datastore), certainty, proof.clone());
        }
    }
}

/// The control plane's etcd is a static pod: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
fn etcd_objects(context: &Context<'_>, sink: &mut Sink<'_>) {
    for datastore in context.datastores {
        let mut pods = datastore.pods.iter().filter_map(|&at| pod(context.cluster, at));
        let fact = pods.find_map(|pod| {
            let meta = &pod.pod.meta;
            let is_static = meta.annotations.contains("kubernetes.io/config.mirror");
            let is_labelled = meta.labels.get("component").is_some_and(|value| value == "etcd");
            (meta.namespace == "kube-system" && (is_static || is_labelled))
                .then(|| proof(context, datastore))
                .flatten()
        });
        if let Some(fact) = fact.filter(|_| datastore.family.id == "etcd") {
            sink.step([database(datastore)], Position::ClusterAdmin, [fact]);
        }
    }
}

fn database_login(context: &Context<'_>, sink: &mut Sink<'_>) {
    let outside = Outside::of(context);
    for datastore in context.datastores {
        let proof: Vec<_> = proof(context, datastore).into_iter().collect();
        for (way, reached) in ways(context, datastore, outside, &datastore.ports) {
            let credential = Position::Credential(Opens::Database(place(datastore)));
            sink.step_if([way, credential], database(datastore), reached, proof.clone());
        }
    }
}

fn database_local(context: &Context<'_>, sink: &mut Sink<'_>) {
    for datastore in context.datastores {
        for pod in datastore
            .pods
            .iter()
            .filter_map(|&index| pod(context.cluster, index))
        {
            let container = pod
                .containers()
                .find(|container| container.container.name == datastore.container)
                .map(|container| {
                    (
                        container.position(),
                        container.fact("/image", &container.container.image),
                    )
                });
            if let Some((container, image)) = container {
                sink.step([container], database(datastore), [image]);
            }
        }
    }
}
