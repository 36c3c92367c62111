//! Questions to an API server about somebody's rights: SubjectAccessReview, one request for each.
//!
//! A review is created and never kept: it changes nothing, though RBAC calls it `create`.
//!
//! **Trap.** "No" and "no answer" differ: what the server did not answer is not denied.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::failure::{Failure, shortened};
use super::server::{Question, Server};
use super::{AT_ONCE, LiveError, Options, advised, connect};

const PATH: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// Whether somebody may do something.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Review {
    /// The user name; empty for a member of the groups of whom no more is known.
    pub user: String,
    /// All groups, those that authentication adds too.
    pub groups: Vec<String>,
    /// What is asked for.
    pub verb: String,
    /// The URL path; the words for objects are empty then.
    pub path: String,
    /// The API group.
    pub group: String,
    /// The resource without its subresource.
    pub resource: String,
    /// The subresource.
    pub subresource: String,
    /// The namespace; empty for all, and for what lives in none.
    pub namespace: String,
    /// The object's name; empty for any.
    pub name: String,
}

/// What the API server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allowed,
    /// No; with its reason, mostly empty.
    Denied(String),
    /// Nothing that can be used, for this reason.
    Unanswered(String),
}

/// All answers.
#[derive(Debug)]
pub struct Reviewed {
    /// The address of the API server.
    pub server: String,
    /// The answers, in the order of the questions.
    pub verdicts: Vec<Verdict>,
    /// How many requests were sent.
    pub requests: u64,
}

/// Asks an API server each of these questions; `progress` is told how many have an answer.
///
/// # Errors
/// Returns why nothing could be asked: no connection, no credentials, or no right to ask. A single question that stays
/// without an answer is no error.
pub fn review(
    options: &Options,
    questions: &[Review],
    progress: &mut dyn FnMut(usize),
) -> Result<Reviewed, LiveError> {
    super::runtime()?.block_on(ask_all(options, questions, progress))
}

async fn ask_all(
    options: &Options,
    questions: &[Review],
    progress: &mut dyn FnMut(usize),
) -> Result<Reviewed, LiveError> {
    let connected = connect::connect(options).await?;
    let server = Arc::new(Server::new(connected.client, options));
    let mut verdicts = Vec::with_capacity(questions.len());
    let mut rest = questions.iter();
    // Whoever may not ask the first may ask none.
    if let Some(first) = rest.next() {
        match ask(&server, first).await {
            Err(failure) if is_final(&failure) => {
                return Err(LiveError::Server {
                    server: connected.server,
                    reason: advised(&failure, MAY_ASK),
                });
            }
            answer => verdicts.push(verdict(answer)),
        }
    }
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let tasks: Vec<_> = rest
        .cloned()
        .map(|question| {
            let (server, slots) = (Arc::clone(&server), Arc::clone(&slots));
            tokio::spawn(async move {
                // The semaphore is never closed.
                let _slot = slots.acquire_owned().await;
                ask(&server, &question).await
            })
        })
        .collect();
    for task in tasks {
        let answer = task.await;
        verdicts.push(verdict(answer.unwrap_or_else(|_| {
            Err(Failure::Garbage("reading the answer failed".to_owned()))
        })));
        progress(verdicts.len());
    }
    Ok(Reviewed {
        server: connected.server,
        verdicts,
        requests: server.spent().0,
    })
}

const MAY_ASK: &str =
    "the account may not ask about the rights of others; see `beachhead verify --print-rbac`";

/// Whether no other question will fare better.
fn is_final(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Forbidden(_)
            | Failure::Unauthorized(_)
            | Failure::NotServed(_)
            | Failure::Unreachable(_)
            | Failure::Certificate(_)
            | Failure::Credentials(_)
    )
}

fn verdict(answer: Result<Status, Failure>) -> Verdict {
    match answer {
        Ok(status) if status.allowed => Verdict::Allowed,
        Ok(status) => {
            let mut reason = shortened(&status.reason);
            if !status.evaluation_error.is_empty() {
                let _ = write!(reason, " ({})", shortened(&status.evaluation_error));
            }
            Verdict::Denied(reason.trim().to_owned())
        }
        Err(failure) => Verdict::Unanswered(failure.to_string()),
    }
}

async fn ask(server: &Server, question: &Review) -> Result<Status, Failure> {
    let asked = Question::post(PATH, body(question));
    let answer = server.ask(&asked, |body: &[u8]| {
        serde_json::from_slice::<Answer>(body)
            .map_err(|_| Failure::Garbage("no SubjectAccessReview".to_owned()))
    });
    answer.await.map(|answer| answer.status)
}

fn body(question: &Review) -> Vec<u8> {
    let mut spec = BTreeMap::from([("groups", json!(question.groups))]);
    if !question.user.is_empty() {
        spec.insert("user", json!(question.user));
    }
    if question.path.is_empty() {
        let attributes = json!({
            "verb": question.verb,
            "group": question.group,
            "resource": question.resource,
            "subresource": question.subresource,
            "namespace": question.namespace,
            "name": question.name,
        });
        spec.insert("resourceAttributes", attributes);
    } else {
        let attributes = json!({"verb": question.verb, "path": question.path});
        spec.insert("nonResourceAttributes", attributes);
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": spec,
    });
    review.to_string().into_bytes()
}

/// `SubjectAccessReview`, as far as it is read. Without `status` it is none.
#[derive(Deserialize)]
struct Answer {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    allowed: bool,
    reason: String,
    evaluation_error: String,
}

/// The role that suffices to ask, as a manifest.
pub fn reviewer_role() -> String {
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: beachhead-verify\nrules:\n  \
     # Questions about anyone's rights. A review is not kept: nothing in the cluster changes.\n  \
     - apiGroups: [\"authorization.k8s.io\"]\n    resources: [\"subjectaccessreviews\"]\n    verbs: [\"create\"]\n"
        .to_owned()
}
