//! A live cluster: what its API server tells, in pages, with few rights, and what it does not tell.
//!
//! `connect` makes a client, `discovery` finds out what is served, `list` reads one kind and `page` one page of it;
//! `server` asks each question until it is answered. `kinds` is the one list of what is asked for.
//!
//! **Trap.** Nothing may be missing silently: whatever a list did not give ends up in the coverage, and so in the
//! snapshot and in every report.

mod connect;
mod discovery;
mod failure;
mod kinds;
mod list;
mod page;
mod probe;
mod review;
mod rights;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::assemble::Assembly;
use super::bootstrap;
use super::matching::Matcher;
use crate::model::{Cluster, Code, Coverage, Diagnostic, Refusal, Source, Text, release_pools};

use discovery::{Served, Target};
use failure::Failure;
use list::{Event, Listed};
use server::Server;

pub use review::{Review, Reviewed, Verdict, review, reviewer_role};
pub use rights::role;

/// Lists that are read at the same time.
const AT_ONCE: usize = 4;

/// Which cluster is read, as whom, how gently and how much of it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kubeconfig file; without one `$KUBECONFIG`, `~/.kube/config` or the pod's own account.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig, else its current one.
    pub context: Option<String>,
    /// The user to act as.
    pub impersonate: Option<String>,
    /// The groups to act as a member of, beside that user.
    pub impersonate_groups: Vec<String>,
    /// Longest time for one request with its whole answer.
    pub request_timeout: Duration,
    /// Most requests per second.
    pub max_qps: u32,
    /// The one namespace to read; kinds without namespaces are asked for all the same.
    pub namespace: Option<String>,
    /// Which pods and workloads to read, by label.
    pub selector: Option<String>,
    /// Whether Secrets are read with their values, of which the names of keys are kept.
    pub secret_keys: bool,
    /// Whether to ask without a credential too.
    pub probe_anonymous: bool,
    /// What tells equal credentials, if they are read.
    pub matcher: Option<Matcher>,
    /// Objects per page, else as many as `kubectl` asks for.
    pub page_size: Option<usize>,
    /// The pause before a question is asked a second time; it doubles from there.
    pub first_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            impersonate: None,
            impersonate_groups: Vec::new(),
            request_timeout: Duration::from_mins(1),
            max_qps: 20,
            namespace: None,
            selector: None,
            secret_keys: false,
            probe_anonymous: false,
            matcher: None,
            page_size: None,
            first_pause: Duration::from_millis(250),
        }
    }
}

/// Why nothing at all could be read from a live cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// There is no kubeconfig, or it does not name a cluster.
    #[error(
        "no cluster to read: {reason}; name a kubeconfig (--kubeconfig, $KUBECONFIG) or give a file to read"
    )]
    Kubeconfig {
        /// What is wrong with it.
        reason: String,
    },
    /// The account of the pod cannot be used.
    #[error("cannot use the account of this pod: {reason}; see that its token is mounted")]
    InCluster {
        /// What is missing.
        reason: String,
    },
    /// There are no credentials, or they cannot be read.
    #[error("cannot log in to {server}: {reason}; see the user of the context in the kubeconfig")]
    Credentials {
        /// The API server.
        server: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The server does not answer, or not to this account.
    #[error("cannot read from {server}: {reason}")]
    Server {
        /// The API server.
        server: String,
        /// Why.
        reason: String,
    },
    /// The machinery for requests could not start.
    #[error("cannot start to send requests")]
    Runtime(#[source] std::io::Error),
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Objects read so far.
    pub objects: usize,
    /// Kinds that are complete.
    pub kinds_done: usize,
    /// Kinds in all.
    pub kinds: usize,
}

/// What was read from a live cluster.
#[derive(Debug)]
pub struct Live {
    /// The cluster; its coverage says what is missing.
    pub cluster: Cluster,
    /// What there is to know about it.
    pub diagnostics: Vec<Diagnostic>,
    /// The address of the API server.
    pub server: String,
    /// How many objects were read.
    pub objects: usize,
    /// How many requests were sent.
    pub requests: u64,
    /// How many bytes of answers came.
    pub bytes: u64,
}

/// Reads the cluster that a kubeconfig or the pod's own account names.
///
/// # Errors
/// Returns why nothing could be read: no kubeconfig, no credentials, no server. A kind that could not be read is no
/// error but part of the cluster's coverage.
pub fn read(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Live, LiveError> {
    let live = runtime()?.block_on(collect(options, progress));
    rayon::broadcast(|_| release_pools());
    release_pools();
    live
}

fn runtime() -> Result<tokio::runtime::Runtime, LiveError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().map_err(LiveError::Runtime)
}

async fn collect(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Live, LiveError> {
    let connected = connect::connect(options).await?;
    let server = Arc::new(Server::new(connected.client, options));
    let offered = discovery::discover(&server)
        .await
        .map_err(|failure| LiveError::Server {
            server: connected.server.clone(),
            reason: advised(&failure, MAY_ASK),
        })?;
    let lists = lists(&server, &offered.targets, options, progress).await;
    let objects = lists.iter().map(|listed| listed.outcomes.len()).sum();
    let (mut cluster, diagnostics) = assembled(&offered, lists, options);
    if options.probe_anonymous {
        cluster.coverage.anonymous = Some(probe::probe(options).await?);
    }
    let (requests, bytes) = server.spent();
    Ok(Live {
        cluster,
        diagnostics,
        server: connected.server,
        objects,
        requests,
        bytes,
    })
}

const MAY_ASK: &str = "the account may not even ask what is served; see `beachhead snapshot --print-rbac`";

/// Why the first question failed, and what to do; `forbidden` if it is forbidden.
fn advised(failure: &Failure, forbidden: &'static str) -> String {
    let advice = match failure {
        Failure::Unauthorized(_) => "log in again, the token may have expired",
        Failure::Certificate(_) => "see `certificate-authority` of the cluster in the kubeconfig",
        Failure::Unreachable(_) | Failure::Timeout(_) => "see `server` of the cluster in the kubeconfig",
        Failure::Forbidden(_) => forbidden,
        _ => return failure.to_string(),
    };
    format!("{failure}; {advice}")
}

/// Reads all kinds, a few at a time, and returns them in their order.
async fn lists(
    server: &Arc<Server>,
    targets: &[Target],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Vec<Listed> {
    let (news, mut arriving) = mpsc::unbounded_channel();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let options = Arc::new(options.clone());
    for (at, target) in targets.iter().enumerate() {
        let (server, news, slots) = (Arc::clone(server), news.clone(), Arc::clone(&slots));
        let (target, options) = (target.clone(), Arc::clone(&options));
        tokio::spawn(async move {
            // The semaphore is never closed.
            let _slot = slots.acquire_owned().await;
            let listed = list::list(&server, &target, &options, &news).await;
            let _ = news.send(Event::Done(at, listed));
        });
    }
    drop(news);
    let mut lists: Vec<Option<Listed>> = targets.iter().map(|_| None).collect();
    let mut state = Progress {
        kinds: targets.len(),
        ..Progress::default()
    };
    while let Some(event) = arriving.recv().await {
        match event {
            Event::Objects(more) => state.objects += more,
            Event::Done(at, listed) => {
                state.kinds_done += 1;
                lists[at] = Some(listed);
            }
        }
        progress(state);
    }
    let lost = || Listed {
        missing: Some("reading it was given up".to_owned()),
        ..Listed::default()
    };
    lists
        .into_iter()
        .map(|listed| listed.unwrap_or_else(lost))
        .collect()
}

/// Puts the lists together, with what is missing.
fn assembled(served: &Served, lists: Vec<Listed>, options: &Options) -> (Cluster, Vec<Diagnostic>) {
    let mut assembly = Assembly::new("default", options.matcher.clone());
    let mut coverage = Coverage {
        server_version: Text::new(&served.version),
        namespace: Text::new(options.namespace.as_deref().unwrap_or_default()),
        selector: Text::new(options.selector.as_deref().unwrap_or_default()),
        absent: served.absent.iter().map(|name| Text::new(name)).collect(),
        ..Coverage::default()
    };
    for (name, reason) in &served.unknown {
        coverage.refused.push(refusal(name, reason));
    }
    let (mut without_keys, mut with_values) = (0, 0);
    for (target, listed) in served.targets.iter().zip(lists) {
        let name = target.name();
        match &listed.missing {
            Some(reason) => coverage.refused.push(refusal(&name, reason)),
            None => coverage.collected.push(Text::new(&name)),
        }
        if !listed.resource_version.is_empty() {
            let version = Text::new(&listed.resource_version);
            coverage.resource_versions.insert(Text::new(&name), version);
        }
        without_keys += listed.without_keys;
        with_values += listed.with_values;
        assembly.add(listed.outcomes);
    }
    assembly.report(remarks(without_keys, with_values, options));
    let (mut cluster, diagnostics) = assembly.finish(bootstrap::add_missing);
    coverage.bootstrap_rbac_added = cluster.coverage.bootstrap_rbac_added;
    cluster.coverage = coverage;
    (cluster, diagnostics)
}

fn refusal(name: &str, reason: &str) -> Refusal {
    Refusal {
        resource: Text::new(name),
        reason: Text::new(reason),
        affects: Text::new(kinds::affects(name)),
    }
}

/// What is incomplete by choice.
fn remarks(without_keys: usize, with_values: usize, options: &Options) -> Vec<Diagnostic> {
    let mut remarks = Vec::new();
    let mut add = |message: String, hint: &str| {
        remarks.push(Diagnostic::new(
            Code::NotCollected,
            Source::default(),
            message,
            hint,
        ));
    };
    if without_keys > 0 {
        add(
            format!(
                "the names of keys are not known for {without_keys} Secrets: only metadata was asked for"
            ),
            "credentials that are known by the name of their key may be missing; --secret-keys reads them",
        );
    }
    if with_values > 0 {
        add(
            format!(
                "the annotation kubectl.kubernetes.io/last-applied-configuration came with the metadata of {with_values} \
                 Secrets: it may hold their values, and was dropped unread"
            ),
            "whoever reads their metadata reads it; kubectl apply --server-side writes none",
        );
    }
    if let Some(namespace) = &options.namespace {
        add(
            format!("only the namespace {namespace} was read"),
            "ways through other namespaces are not seen",
        );
    }
    if let Some(selector) = &options.selector {
        add(
            format!("only pods and workloads with the labels {selector} were read"),
            "ways through other pods are not seen",
        );
    }
    remarks
}
