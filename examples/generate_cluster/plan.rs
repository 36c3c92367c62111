//! What the cluster consists of, in names and numbers, before any object is built.
//!
//! The plan is small (one entry per workload, none per pod), so that objects can be built, written and
//! dropped one by one.

use super::prng::Prng;

/// How large the cluster is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Size {
    /// The seed: the same one gives the same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Nodes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub nodes: u32,
    /// Pods, exactly
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=150_000))]
    pub pods: u32,
    /// Namespaces beside kube-system; one per 300 pods if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub namespaces: Option<u32>,
    /// Services, exactly
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub services: u32,
    /// Network policies, exactly
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub policies: u32,
    /// Share of namespaces with a default-deny policy, as far as --policies reaches
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub default_deny: u32,
}

/// What controls the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

/// A kind of database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Engine {
    pub name: &'static str,
    pub image: &'static str,
    pub port: u16,
    /// Variable of the server that takes the password.
    pub password: &'static str,
    pub data: &'static str,
}

/// The databases that namespaces run.
pub(crate) const ENGINES: [Engine; 4] = [
    Engine {
        name: "postgres",
        image: "postgres:17.2",
        port: 5432,
        password: "POSTGRES_PASSWORD",
        data: "/var/lib/postgresql/data",
    },
    Engine {
        name: "mysql",
        image: "mysql:8.4.3",
        port: 3306,
        password: "MYSQL_ROOT_PASSWORD",
        data: "/var/lib/mysql",
    },
    Engine {
        name: "redis",
        image: "redis:7.4.1",
        port: 6379,
        password: "REDIS_PASSWORD",
        data: "/data",
    },
    Engine {
        name: "mongo",
        image: "mongo:8.0.4",
        port: 27017,
        password: "MONGO_INITDB_ROOT_PASSWORD",
        data: "/data/db",
    },
];

/// Access to the host that a workload of the platform has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostAccess {
    pub privileged: bool,
    pub host_network: bool,
    pub host_pid: bool,
    pub path: &'static str,
}

/// What a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// An application; uses its namespace's database if there is one.
    Application,
    /// A database.
    Database(&'static Engine),
    /// An agent on nodes.
    Agent(HostAccess),
}

/// One workload with its pods.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub namespace: usize,
    pub name: String,
    pub controller: Controller,
    pub role: Role,
    pub replicas: u32,
    /// Its own account, or `default`.
    pub account: String,
    /// The number of its first pod, counted over the cluster.
    pub first_pod: u32,
    pub seed: u64,
}

/// The whole cluster.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub size: Size,
    pub namespaces: Vec<String>,
    pub workloads: Vec<Workload>,
}

const TEAMS: &[&str] = &[
    "payments",
    "checkout",
    "catalog",
    "search",
    "identity",
    "billing",
    "shipping",
    "reviews",
    "media",
    "ledger",
    "fraud",
    "loyalty",
    "pricing",
    "returns",
    "support",
    "analytics",
    "mobile",
    "partner",
    "content",
    "risk",
];
const STAGES: &[&str] = &["prod", "staging", "dev"];
const PARTS: &[&str] = &[
    "api",
    "web",
    "worker",
    "gateway",
    "sync",
    "mailer",
    "scheduler",
    "exporter",
    "indexer",
    "consumer",
    "admin",
    "frontend",
    "importer",
    "notifier",
    "auth",
];

const AGENTS: &[(&str, HostAccess)] = &[
    (
        "kube-proxy",
        HostAccess {
            privileged: true,
            host_network: true,
            host_pid: false,
            path: "/lib/modules",
        },
    ),
    (
        "cni-agent",
        HostAccess {
            privileged: true,
            host_network: true,
            host_pid: false,
            path: "/opt/cni/bin",
        },
    ),
    (
        "node-exporter",
        HostAccess {
            privileged: false,
            host_network: true,
            host_pid: true,
            path: "/",
        },
    ),
    (
        "log-collector",
        HostAccess {
            privileged: false,
            host_network: false,
            host_pid: false,
            path: "/var/log",
        },
    ),
];

impl Plan {
    /// Returns the plan of a size.
    pub(crate) fn new(size: Size) -> Self {
        let count = size.namespaces.unwrap_or_else(|| size.pods.div_ceil(300).max(2));
        let names = (0..count as usize).map(namespace_name);
        let mut plan = Self {
            namespaces: std::iter::once("kube-system".to_owned()).chain(names).collect(),
            workloads: Vec::new(),
            size,
        };
        let mut rng = Prng::new(plan.size.seed);
        let mut left = plan.size.pods;
        for (name, access) in AGENTS {
            if plan.size.nodes <= left / 4 {
                left -= plan.size.nodes;
                plan.add(
                    0,
                    name,
                    Controller::DaemonSet,
                    Role::Agent(*access),
                    plan.size.nodes,
                    &mut rng,
                );
            }
        }
        for namespace in 1..plan.namespaces.len() {
            if left > 1 && rng.chance(60) {
                let engine = &ENGINES[rng.below(ENGINES.len())];
                let replicas = 1 + u32::from(left > 3 && rng.chance(30)) * 2;
                left -= replicas;
                plan.add(
                    namespace,
                    engine.name,
                    Controller::StatefulSet,
                    Role::Database(engine),
                    replicas,
                    &mut rng,
                );
            }
        }
        plan.add_applications(left, &mut rng);
        plan
    }

    fn add_applications(&mut self, mut left: u32, rng: &mut Prng) {
        let spaces = self.namespaces.len() - 1;
        let mut number = 0;
        while left > 0 {
            let namespace = 1 + number % spaces;
            let part = PARTS[(number / spaces) % PARTS.len()];
            let round = number / spaces / PARTS.len();
            let name = if round == 0 {
                part.to_owned()
            } else {
                format!("{part}-{round}")
            };
            let job = rng.chance(6);
            let replicas = if job { 1 } else { left.min(1 + rng.below_u32(11)) };
            let controller = if job {
                Controller::Job
            } else {
                Controller::Deployment
            };
            self.add(namespace, &name, controller, Role::Application, replicas, rng);
            left -= replicas;
            number += 1;
        }
    }

    fn add(
        &mut self,
        namespace: usize,
        name: &str,
        controller: Controller,
        role: Role,
        replicas: u32,
        rng: &mut Prng,
    ) {
        let first_pod = self
            .workloads
            .last()
            .map_or(0, |last| last.first_pod + last.replicas);
        let own = role != Role::Application || rng.chance(65);
        self.workloads.push(Workload {
            namespace,
            name: name.to_owned(),
            controller,
            role,
            replicas,
            account: if own { name } else { "default" }.to_owned(),
            first_pod,
            seed: rng.next(),
        });
    }

    /// The namespace's database, if it runs one.
    pub(crate) fn database(&self, namespace: usize) -> Option<&'static Engine> {
        let databases = &self.workloads;
        let start = databases.partition_point(|workload| matches!(workload.role, Role::Agent(_)));
        let rest = &databases[start..];
        let rest = &rest[..rest.partition_point(|workload| matches!(workload.role, Role::Database(_)))];
        let at = rest
            .binary_search_by_key(&namespace, |workload| workload.namespace)
            .ok()?;
        match rest[at].role {
            Role::Database(engine) => Some(engine),
            _ => None,
        }
    }

    /// The name of a workload's namespace.
    pub(crate) fn namespace_of(&self, workload: &Workload) -> &str {
        &self.namespaces[workload.namespace]
    }
}

impl Workload {
    /// The port that the workload serves.
    pub(crate) fn port(&self) -> u16 {
        match self.role {
            Role::Application => 8080,
            Role::Database(engine) => engine.port,
            Role::Agent(_) => 9100,
        }
    }
}

fn namespace_name(number: usize) -> String {
    let team = TEAMS[number % TEAMS.len()];
    let stage = STAGES[(number / TEAMS.len()) % STAGES.len()];
    match number / TEAMS.len() / STAGES.len() {
        0 => format!("{team}-{stage}"),
        round => format!("{team}-{stage}-{round}"),
    }
}

/// The name of a node.
pub(crate) fn node_name(number: u32) -> String {
    format!(
        "ip-172-{}-{}-{}.compute.internal",
        16 + (number >> 16),
        (number >> 8) & 255,
        number & 255
    )
}

/// An address inside a /8 or smaller block: `start`, plus a number.
pub(crate) fn address(start: [u8; 4], number: u32) -> String {
    std::net::Ipv4Addr::from(u32::from_be_bytes(start) + number).to_string()
}
