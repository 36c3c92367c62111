//! One kind from its first page to its last.
//!
//! **Trap.** A list that expires while it is read begins anew, and what was read before is dropped: pages of two
//! moments make a cluster that never was. Only when that does not help is the rest taken from a later moment, and
//! said so.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Options;
use super::discovery::Target;
use super::failure::Failure;
use super::page::{self, Page};
use super::server::Server;
use crate::collect::object::Outcome;
use crate::collect::piece::Head;

/// Objects per page, as `kubectl` asks for.
const PAGE: usize = 500;
/// How often a list that expired is begun anew.
const RESTARTS: u32 = 2;
/// Most pages of one list; a server that never ends is stopped here.
const MAX_PAGES: u32 = 100_000;

const JSON: &str = "application/json";
/// Names, labels and annotations only.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// Their types as well, each row with its `PartialObjectMetadata`; never the objects themselves.
const SECRETS: &str = "application/json;as=Table;g=meta.k8s.io;v=v1,\
     application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Kinds that a label selector is applied to; all others are read whole, or verdicts would be wrong.
const SELECTED: &[&str] = &[
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicationController",
];

/// What came of one kind.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) resource_version: String,
    /// Why some or all of its objects are missing.
    pub(super) missing: Option<String>,
    /// Whether the server cannot be talked to at all any more.
    pub(super) unauthorized: bool,
    pub(super) without_keys: usize,
    pub(super) with_values: usize,
}

/// News of a list that is being read.
#[derive(Debug)]
pub(super) enum Event {
    /// So many objects more.
    Objects(usize),
    /// The list at this place of the order is complete.
    Done(usize, Listed),
}

/// What is known of the list between two pages.
struct State {
    listed: Listed,
    resume: String,
    limit: usize,
    restarts: u32,
    /// Whether the rest is of a later moment.
    is_mixed: bool,
}

/// Reads one kind, whatever happens.
pub(super) async fn list(
    server: &Server,
    target: &Target,
    options: &Options,
    news: &mpsc::UnboundedSender<Event>,
) -> Listed {
    let mut state = State {
        listed: Listed::default(),
        resume: String::new(),
        limit: options.page_size.unwrap_or(PAGE),
        restarts: 0,
        is_mixed: false,
    };
    for _ in 0..MAX_PAGES {
        match next(server, target, options, &state).await {
            Ok(page) => {
                // The receiver lives as long as the lists do.
                let _ = news.send(Event::Objects(page.outcomes.len()));
                if !state.add(page) {
                    return state.finish();
                }
            }
            Err(failure) => {
                if !state.recover(&failure) {
                    state.give_up(&failure);
                    return state.listed;
                }
            }
        }
    }
    state.give_up(&Failure::Garbage(format!("it has more than {MAX_PAGES} pages")));
    state.listed
}

impl State {
    /// Adds a page; false if it was the last.
    fn add(&mut self, page: Page) -> bool {
        if self.listed.resource_version.is_empty() {
            self.listed.resource_version = page.resource_version;
        }
        self.listed.without_keys += page.without_keys;
        self.listed.with_values += page.with_values;
        self.listed.outcomes.extend(page.outcomes);
        let goes_on = !page.resume.is_empty();
        if goes_on && page.resume == self.resume {
            self.give_up(&Failure::Garbage("its pages go round in a circle".to_owned()));
            return false;
        }
        self.resume = page.resume;
        goes_on
    }

    /// Changes what is asked for next, if that may help.
    fn recover(&mut self, failure: &Failure) -> bool {
        match failure {
            Failure::Gone { .. } if self.restarts < RESTARTS => {
                self.restarts += 1;
                self.resume.clear();
                self.listed = Listed::default();
                true
            }
            Failure::Gone {
                resume: Some(resume), ..
            } if *resume != self.resume => {
                self.is_mixed = true;
                self.resume.clone_from(resume);
                true
            }
            Failure::TooLarge(_) if self.limit > 1 => {
                self.limit = (self.limit / 8).max(1);
                true
            }
            _ => false,
        }
    }

    fn give_up(&mut self, failure: &Failure) {
        self.listed.unauthorized = matches!(failure, Failure::Unauthorized(_));
        self.listed.missing = Some(match self.listed.outcomes.len() {
            0 => failure.to_string(),
            read => format!("read in part, {read} objects: {failure}"),
        });
    }

    fn finish(mut self) -> Listed {
        if self.is_mixed && self.listed.missing.is_none() {
            let reason = "read in parts of different moments: the list expired whenever it was begun anew";
            self.listed.missing = Some(reason.to_owned());
        }
        self.listed
    }
}

async fn next(server: &Server, target: &Target, options: &Options, state: &State) -> Result<Page, Failure> {
    let is_secret = target.kind == "Secret" && target.group.is_empty();
    let (accept, without_values) = match () {
        () if is_secret && !options.secret_keys => (SECRETS, true),
        () if target.metadata_only => (METADATA, false),
        () => (JSON, false),
    };
    let head = Arc::new(Head {
        api_version: target.api_version(),
        kind: target.kind.clone(),
    });
    let path = path(target, options, state);
    let matcher = options.matcher.clone();
    let read = move |body: &[u8]| {
        if without_values {
            page::read_secrets(body, &head)
        } else {
            page::read(body, &head, matcher.as_ref())
        }
    };
    server.get(&path, accept, read).await
}

fn path(target: &Target, options: &Options, state: &State) -> String {
    let mut path = format!(
        "{}?limit={}",
        target.path(options.namespace.as_deref()),
        state.limit
    );
    if let Some(selector) = &options.selector
        && SELECTED.contains(&target.kind.as_str())
    {
        path = format!("{path}&labelSelector={}", encoded(selector));
    }
    if !state.resume.is_empty() {
        path = format!("{path}&continue={}", encoded(&state.resume));
    }
    path
}

/// A value of a query, with everything escaped that could end it.
pub(super) fn encoded(value: &str) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
