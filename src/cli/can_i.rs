//! `beachhead can-i`: whether someone may do something, as the API server decides it.
//!
//! **Trap.** A batch takes every word as it is: no short names, no default namespace, an empty namespace asks
//! about the whole cluster.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::analysis::warn;
use super::input::{NamedInputArgs, ReadInput};
use super::output::OutputArgs;
use super::question::QuestionArgs;
use super::reason::ReasonView;
use super::{ExitCode, Format, Streams, safe};
use crate::model::Cluster;
use crate::query::did_you_mean;
use crate::rbac::{Access, Caller, Ground, Identity, Request, ResourceRequest, Resources};
use crate::report::{self, Page};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.can-i/1";

/// Ask whether someone may do something, as the API server's authorizers Node and RBAC decide it
///
/// `beachhead can-i cluster.json --as system:serviceaccount:shop:web create pods/exec -n shop --reasons`
///
/// The JSON form is described by docs/can-i.schema.json.
///
/// Exit status: 0 yes, 1 no, 2 failure.
#[derive(Debug, clap::Args)]
pub(super) struct CanIArgs {
    #[command(flatten)]
    input: NamedInputArgs,
    #[command(flatten)]
    question: QuestionArgs,
    /// Who asks: a user name (system:serviceaccount:shop:web) or an id (ServiceAccount/shop/web, Group/devs)
    #[arg(long = "as", value_name = "SUBJECT", required_unless_present = "batch")]
    subject: Option<String>,
    /// A further group of that user; may be given more than once
    #[arg(long = "as-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Ask about all namespaces at once
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Show every binding, role and rule that allows it
    #[arg(long)]
    reasons: bool,
    /// Answer the questions of this file, or - for standard input: tab-separated columns, their names in the
    /// first line: user groups verb group resource subresource namespace name
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["subject", "groups", "verb", "namespace", "all_namespaces", "reasons"],
    )]
    batch: Option<PathBuf>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "batch")]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    subject: String,
    question: String,
    allowed: bool,
    reasons: Vec<GroundView>,
}

#[derive(Serialize)]
struct GroundView {
    /// The caller, or the group through which the caller is allowed.
    subject: String,
    #[serde(flatten)]
    reason: ReasonView,
}

pub(super) fn run(args: &CanIArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let input = args.input.input();
    let ReadInput {
        cluster, diagnostics, ..
    } = input.read(streams)?;
    let (access, _) = Access::new(&cluster);
    if let Some(path) = &args.batch {
        if path.as_os_str() == "-" && input.is_stdin() {
            bail!("INPUT and --batch cannot both be standard input");
        }
        let text = read_batch(path, streams.stdin)?;
        args.output.text(&batch(&access, &text)?, streams.out)?;
        return Ok(ExitCode::Nothing);
    }
    warn(&diagnostics, streams.err);
    let default = if args.all_namespaces {
        ""
    } else {
        args.input.how.default_namespace.as_str()
    };
    let resources = Resources::new(&cluster);
    let question = args.question.resolve(&resources, default)?;
    let identity = Identity::from_id(args.subject.as_deref().unwrap_or_default());
    let doubts = question.doubts(&cluster, &resources);
    for doubt in doubts.into_iter().chain(unknown(&cluster, &access, &identity)) {
        let _ = writeln!(streams.err, "warning: {}", safe(&doubt));
    }
    let caller = Caller::of(&identity, args.groups.iter().map(String::as_str));
    let grounds = access.decide(&caller, &question.request());
    let allowed = !grounds.is_empty();
    match args.format {
        Format::Json => {
            let answer = Answer {
                schema: SCHEMA,
                subject: identity.to_string(),
                question: question.phrase(" in all namespaces"),
                allowed,
                reasons: grounds.iter().map(view).collect(),
            };
            args.output.text(&report::json(&answer)?, streams.out)?;
        }
        Format::Text => {
            let mut page = Page::default();
            page.line(if allowed { "yes" } else { "no" });
            for ground in grounds.iter().filter(|_| args.reasons) {
                page.line(format!("  {}", through(&identity, ground)));
            }
            if args.reasons && !allowed {
                let phrase = question.phrase(" in all namespaces");
                page.line(format!("  no rule lets {identity} {phrase}"));
            }
            args.output.page(&page, streams.out)?;
        }
    }
    Ok(if allowed {
        ExitCode::Nothing
    } else {
        ExitCode::Found
    })
}

fn view(ground: &Ground) -> GroundView {
    GroundView {
        subject: ground.subject.to_string(),
        reason: ReasonView::from(&ground.reason),
    }
}

/// The reason, and the group through which it applies if it does not name the caller.
fn through(identity: &Identity, ground: &Ground) -> String {
    if ground.subject == *identity {
        ground.reason.to_string()
    } else {
        format!("{}, through {}", ground.reason, ground.subject)
    }
}

/// A service account that the input does not have is perhaps a slip of the pen.
fn unknown(cluster: &Cluster, access: &Access, identity: &Identity) -> Option<String> {
    let Identity::ServiceAccount { namespace, name } = identity else {
        return None;
    };
    let exists = cluster
        .service_accounts
        .get("ServiceAccount", namespace, name)
        .is_some();
    if exists || access.is_bound(identity) {
        return None;
    }
    let known: Vec<String> = cluster
        .service_accounts
        .iter()
        .map(|(id, _)| id.to_string())
        .collect();
    let near = did_you_mean(&identity.to_string(), known.iter().map(String::as_str));
    Some(format!(
        "the input has no {identity} and no binding names it{near}"
    ))
}

fn read_batch(path: &std::path::Path, stdin: &mut dyn Read) -> anyhow::Result<String> {
    let mut text = String::new();
    if path.as_os_str() == "-" {
        stdin
            .read_to_string(&mut text)
            .context("cannot read the questions on standard input")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(text)
}

/// The columns of a batch.
const COLUMNS: [&str; 8] = [
    "user",
    "groups",
    "verb",
    "group",
    "resource",
    "subresource",
    "namespace",
    "name",
];

/// Answers one question a line.
fn batch(access: &Access, text: &str) -> anyhow::Result<String> {
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines
        .next()
        .map(|(_, line)| line.split('\t').collect())
        .unwrap_or_default();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|name| *name == column);
        *place = found.with_context(|| {
            format!(
                "the first line of the questions has no column {column}; it must name {}",
                COLUMNS.join(", ")
            )
        })?;
    }
    let mut answers = String::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != header.len() {
            bail!(
                "line {} of the questions has {} columns, the first line {}",
                number + 1,
                cells.len(),
                header.len()
            );
        }
        let [user, groups, verb, group, resource, subresource, namespace, name] =
            places.map(|place| cells[place]);
        let request = if resource == "nonResourceURL" {
            Request::Url { verb, path: name }
        } else {
            Request::Resource(ResourceRequest {
                verb,
                group,
                resource,
                subresource,
                namespace,
                name,
            })
        };
        let caller = Caller::new(user, groups.split(',').filter(|group| !group.is_empty()));
        answers.push_str(if access.allows(&caller, &request) {
            "yes\n"
        } else {
            "no\n"
        });
    }
    Ok(answers)
}
