//! Ways to a database's data beside its own port: its operator and its consoles.
//!
//! **Trap.** A console that asks for the database's password gives nothing to who has none: only one that logs in by
//! itself counts.

use std::collections::{BTreeMap, BTreeSet};

use super::datastore::{database, evidence, place, reached_elsewhere};
use super::pods::{both, pod};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Position, Sink};
use crate::datastores::{Companion, Datastore, Role, Subject, managers};
use crate::model::{ObjectId, Protocol};
use crate::network::Verdict;

techniques! { TECHNIQUES, Family::Datastore;
    /// Takes the superuser's credential of every cluster that an operator manages.
    ///
    /// # Preconditions
    ///
    /// Code runs in the operator's container, and a resource of its kind is in the input: it makes the superuser's
    /// password, keeps it in a Secret and logs in with it.
    ///
    /// What does not suffice: an operator of another kind; the operator of a database, where no database of it is there, or
    /// one that is told to watch other namespaces.
    ///
    /// # Detection
    ///
    /// Log-ins of the superuser that do not come from the operator; processes in its container that its image does not
    /// start.
    DATABASE_OPERATOR: [Container] => [Credential] {
        title: "Operator of a datastore",
        mitre: ["T1552.007", "T1078"],
        microsoft: ["MS-TA9025"],
        owasp: ["K02", "K03"],
        effort: 1,
        remediation: "Have each operator watch its own namespaces only, and let nothing but the API server and its databases talk to it.",
        references: ["https://kubernetes.io/docs/concepts/extend-kubernetes/operator/"],
        derive: database_operator,
    }

    /// Reads and writes a datastore through a console that logs in to it by itself.
    ///
    /// # Preconditions
    ///
    /// The port of the console can be reached: phpMyAdmin with `PMA_PASSWORD`, mongo-express, Redis Commander, RedisInsight,
    /// pgweb, Kafka UI or Kafdrop, or pgAdmin with `PGADMIN_CONFIG_SERVER_MODE` set to `False` and a file of passwords. It is
    /// told the datastore's host, and asks nobody who comes.
    ///
    /// What does not suffice: Adminer and pgAdmin in its usual mode, which ask for a log-in; a console with a password of its own; one whose
    /// host is another.
    ///
    /// # Detection
    ///
    /// Connections to the console from anything but its users.
    DATABASE_CONSOLE: [Port] => [Database] {
        title: "Console of a datastore",
        mitre: ["T1190", "T1213"],
        microsoft: ["MS-TA9009", "MS-TA9041"],
        owasp: ["K05", "K06", "K09"],
        cis: ["5.3.2"],
        effort: 1,
        remediation: "Have the console ask for each user's own log-in, and let only its users reach it.",
        references: [
            "https://docs.phpmyadmin.net/en/latest/setup.html#environment-variables",
            "https://github.com/mongo-express/mongo-express#config",
            "https://github.com/joeferner/redis-commander#configuration",
        ],
        derive: database_console,
    }
}

fn database_operator(context: &Context<'_>, sink: &mut Sink<'_>) {
    let managers = managers(context.cluster);
    if managers.is_empty() {
        return;
    }
    let mut of_resource = BTreeMap::<&ObjectId, Vec<&Datastore>>::new();
    for datastore in context.datastores {
        let facts = datastore.passwords.iter().map(|password| &password.fact);
        let named: BTreeSet<&ObjectId> = facts
            .filter_map(|fact| match &fact.subject {
                Subject::Object(id) => Some(id),
                Subject::Pod(_) => None,
            })
            .chain([&datastore.workload])
            .collect();
        for id in named {
            of_resource.entry(id).or_default().push(datastore);
        }
    }
    for manager in &managers {
        let Some(pod) = pod(context.cluster, manager.pod) else {
            continue;
        };
        let container = Position::Container(pod.place.clone(), manager.container.clone());
        for resource in &manager.resources {
            for datastore in of_resource.get(resource).into_iter().flatten() {
                let is_own = resource.namespace == pod.place.namespace;
                let certainty = match manager.manages(&resource.namespace) {
                    Some(false) => continue,
                    Some(true) => Certainty::Certain,
                    None if is_own => Certainty::Certain,
                    None => {
                        Certainty::Conditional(format!("the operator watches {}", resource.namespace).into())
                    }
                };
                let credential = Position::Credential(Opens::Database(place(datastore)));
                let fact = Evidence::new(resource.clone(), "", "");
                sink.step_if([container.clone()], credential, certainty, [fact]);
            }
        }
    }
}

/// A console that shows a datastore to people.
struct Console {
    /// Last part of its image's repository.
    image: &'static str,
    /// Where it listens unless told otherwise.
    port: u16,
    /// Variables of which one must be there, so that it logs in by itself; none if it always does.
    logs_in: &'static [&'static str],
    /// Variables by which it asks who comes.
    asks: &'static [&'static str],
    /// The variable and its value with which alone it asks nobody.
    only_if: Option<(&'static str, &'static str)>,
    /// What it depends on that it asks nobody, if it comes with a log-in.
    doubt: Option<(&'static str, &'static str)>,
}

const CONSOLES: &[Console] = &[
    console("pgadmin4", 80)
        .logs_in(&["PassFile"])
        .only_if(("PGADMIN_CONFIG_SERVER_MODE", "False")),
    console("phpmyadmin", 80).logs_in(&["PMA_PASSWORD", "PMA_PASSWORD_FILE"]),
    console("mongo-express", 8081)
        .asks(&[
            "ME_CONFIG_BASICAUTH_PASSWORD",
            "ME_CONFIG_BASICAUTH_PASSWORD_FILE",
        ])
        .doubt(
            "ME_CONFIG_BASICAUTH",
            "nobody changed the log-in that mongo-express comes with",
        ),
    console("redis-commander", 8081).asks(&["HTTP_PASSWORD", "HTTP_PASSWORD_FILE", "HTTP_PASSWORD_HASH"]),
    console("redisinsight", 5540),
    console("pgweb", 8081).asks(&["AUTH_USER", "PGWEB_AUTH_USER"]),
    console("kafka-ui", 8080).asks(&["AUTH_TYPE"]),
    console("kafdrop", 9000),
];

const fn console(image: &'static str, port: u16) -> Console {
    Console {
        image,
        port,
        logs_in: &[],
        asks: &[],
        only_if: None,
        doubt: None,
    }
}

impl Console {
    const fn logs_in(self, logs_in: &'static [&'static str]) -> Self {
        Self { logs_in, ..self }
    }

    const fn only_if(self, only_if: (&'static str, &'static str)) -> Self {
        Self {
            only_if: Some(only_if),
            ..self
        }
    }

    const fn asks(self, asks: &'static [&'static str]) -> Self {
        Self { asks, ..self }
    }

    const fn doubt(self, unless: &'static str, doubt: &'static str) -> Self {
        Self {
            doubt: Some((unless, doubt)),
            ..self
        }
    }
}

/// Every console of a datastore that asks nobody: the position of its pod, its ports, on what that depends.
fn open_consoles<'a>(
    context: &Context<'a>,
) -> Vec<(&'a Datastore, &'a Companion, usize, Vec<u16>, Certainty)> {
    let mut found = Vec::new();
    for datastore in context.datastores {
        for companion in datastore
            .companions
            .iter()
            .filter(|one| one.role == Role::Console)
        {
            let Some(index) = companion.host.pod() else {
                continue;
            };
            let Some((_, pod)) = context.cluster.pods.at(index) else {
                continue;
            };
            let mut containers = pod.spec.lasting_containers();
            let Some(container) = containers.find(|one| one.name == companion.container) else {
                continue;
            };
            let last = super::api_server::image_name(&container.image);
            let Some(console) = CONSOLES.iter().find(|console| console.image == last) else {
                continue;
            };
            let has = |names: &[&str]| {
                let mut variables = companion.variables.iter();
                variables.any(|known| known.rsplit('.').next().is_some_and(|last| names.contains(&last)))
            };
            let is_set = |(name, wanted): (&str, &str)| {
                let mut variables = container.env.iter().filter(|variable| variable.name == *name);
                variables.any(|one| one.value.as_ref().is_some_and(|value| value.text == *wanted))
            };
            if console.only_if.is_some_and(|only| !is_set(only))
                || has(console.asks)
                || !console.logs_in.is_empty() && !has(console.logs_in)
            {
                continue;
            }
            let certainty = match console.doubt {
                Some((unless, doubt)) if !has(&[unless]) => Certainty::Conditional(doubt.into()),
                _ => Certainty::Certain,
            };
            let declared = container
                .ports
                .iter()
                .filter(|port| port.protocol == Protocol::Tcp);
            let mut ports: Vec<u16> = declared.map(|port| port.container_port).collect();
            if ports.is_empty() {
                ports.push(console.port);
            }
            found.push((datastore, companion, index, ports, certainty));
        }
    }
    found
}

/// The ports of consoles by which a datastore is reached, with the pod's place in the cluster's pods.
pub(super) fn ports(context: &Context<'_>) -> Vec<(usize, u16)> {
    let consoles = open_consoles(context).into_iter();
    consoles
        .flat_map(|(_, _, pod, ports, _)| ports.into_iter().map(move |port| (pod, port)))
        .collect()
}

/// Whether policies let a console's pod reach the datastore; none if they stop it.
fn reaches(context: &Context<'_>, console: usize, datastore: &Datastore) -> Option<Certainty> {
    let unknown = || {
        Some(Certainty::Conditional(
            "policies let the console reach the datastore".into(),
        ))
    };
    if datastore.elsewhere.is_some() {
        return reached_elsewhere(context, datastore);
    }
    let network = context.network;
    let Some(source) = network.group_of(console) else {
        return unknown();
    };
    let targets = datastore.pods.iter().filter_map(|&pod| network.group_of(pod));
    let ports = |target| datastore.ports.iter().map(move |&port| (target, port));
    let verdicts = targets
        .flat_map(ports)
        .map(|(target, port)| network.verdict(source, target, Protocol::Tcp, port));
    match verdicts.max() {
        Some(Verdict::Allowed) => Some(Certainty::Certain),
        Some(Verdict::Denied) => None,
        Some(Verdict::Unknown) | None => unknown(),
    }
}

fn database_console(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (datastore, companion, index, ports, certainty) in open_consoles(context) {
        let Some(pod) = pod(context.cluster, index) else {
            continue;
        };
        let Some(reached) = reaches(context, index, datastore) else {
            continue;
        };
        for port in ports {
            let port = Position::Port(pod.place.clone(), port, Protocol::Tcp);
            let certainty = both(certainty.clone(), reached.clone());
            let proof = evidence(context, &companion.host);
            sink.step_if([port], database(datastore), certainty, proof);
        }
    }
}
