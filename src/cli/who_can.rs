//! `beachhead who-can`: everyone who may do something, with the binding and the rule that allow it.
//!
//! **Trap.** A group is listed once, not its members: `system:serviceaccounts` alone stands for every account.

use std::collections::BTreeMap;

use clap::Parser as _;
use serde::Serialize;

use super::analysis::warn;
use super::input::{NamedInputArgs, ReadInput};
use super::output::OutputArgs;
use super::question::QuestionArgs;
use super::reason::ReasonView;
use super::{ExitCode, Format, Streams, safe};
use crate::model::{Cluster, Pod, Text};
use crate::rbac::{Access, Holder, Identity, Reach, Resources, Scope};
use crate::report::{self, Page, Tone, counted};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.who-can/1";
/// Most workloads that the text form lists of one identity.
const SHOWN: usize = 8;

/// List everyone who may do something, with the binding and the rule that allow it
///
/// Without -n, rights in any namespace count. Groups are listed as such, with the pods that are in them. The JSON form is
/// described by docs/who-can.schema.json.
#[derive(Debug, clap::Args)]
pub(super) struct WhoCanArgs {
    #[command(flatten)]
    input: NamedInputArgs,
    #[command(flatten)]
    question: QuestionArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

/// The answer.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    question: String,
    subjects: Vec<SubjectView>,
}

#[derive(Serialize)]
struct SubjectView {
    subject: String,
    /// Who is meant by a group that no object lists.
    #[serde(skip_serializing_if = "str::is_empty")]
    members: String,
    scopes: Vec<ScopeView>,
    /// How many pods run as the account, or as an account of the group.
    pods: usize,
    /// The workloads of these pods.
    workloads: Vec<String>,
}

#[derive(Serialize)]
struct ScopeView {
    /// In words.
    scope: String,
    /// The namespace; none for all of them and for what lives in none.
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: String,
    /// The object, if the right is to one by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    reasons: Vec<ReasonView>,
}

/// The words of a question, without a command.
#[derive(Debug, clap::Parser)]
#[command(name = "who-can", no_binary_name = true, disable_help_flag = true)]
struct Asked {
    #[command(flatten)]
    question: QuestionArgs,
}

/// Answers a question that is given as words.
pub(super) fn asked(cluster: &Cluster, words: &[&str]) -> anyhow::Result<Page> {
    let asked = Asked::try_parse_from(words).map_err(|error| anyhow::anyhow!(error.render().to_string()))?;
    let (answer, doubts) = answer(cluster, &asked.question)?;
    let mut page = page(&answer);
    for doubt in doubts {
        page.toned(Tone::Alarm, doubt);
    }
    Ok(page)
}

pub(super) fn run(args: &WhoCanArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let ReadInput {
        cluster, diagnostics, ..
    } = args.input.input().read(streams)?;
    warn(&diagnostics, streams.err);
    let (answer, doubts) = answer(&cluster, &args.question)?;
    for doubt in doubts {
        let _ = writeln!(streams.err, "warning: {}", safe(&doubt));
    }
    match args.format {
        Format::Json => args.output.text(&report::json(&answer)?, streams.out)?,
        Format::Text => args.output.page(&page(&answer), streams.out)?,
    }
    Ok(ExitCode::Nothing)
}

/// The answer, and what is doubtful about the question.
fn answer(cluster: &Cluster, words: &QuestionArgs) -> anyhow::Result<(Answer, Vec<String>)> {
    let (access, _) = Access::new(cluster);
    let resources = Resources::new(cluster);
    let question = words.resolve(&resources, "")?;
    let asked = words.namespace.is_some() || !question.is_namespaced();
    let reach = if asked { Reach::Asked } else { Reach::Anywhere };
    let holders = access.who_can(&question.request(), reach);
    let answer = Answer {
        schema: SCHEMA,
        question: question.phrase(""),
        subjects: subjects(&holders, &Runners::new(cluster)),
    };
    Ok((answer, question.doubts(cluster, &resources)))
}

fn subjects(holders: &[Holder], runners: &Runners) -> Vec<SubjectView> {
    let mut views: Vec<(&Identity, SubjectView)> = Vec::new();
    for holder in holders {
        if views
            .last()
            .is_none_or(|(identity, _)| **identity != holder.identity)
        {
            let (pods, workloads) = runners.of(&holder.identity);
            let view = SubjectView {
                subject: holder.identity.to_string(),
                members: members(&holder.identity),
                scopes: Vec::new(),
                pods,
                workloads,
            };
            views.push((&holder.identity, view));
        }
        if let Some((_, view)) = views.last_mut() {
            view.scopes.push(ScopeView {
                scope: place(&holder.scope),
                namespace: holder.scope.namespace().to_owned(),
                name: holder.scope.name().map(ToString::to_string),
                reasons: holder.reasons.iter().map(ReasonView::from).collect(),
            });
        }
    }
    views.into_iter().map(|(_, view)| view).collect()
}

fn place(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => "in the whole cluster".to_owned(),
        Scope::Namespace(namespace) => format!("in namespace {namespace}"),
        Scope::Name { namespace, name } if namespace.is_empty() => format!("only {name}"),
        Scope::Name { namespace, name } => format!("only {name} in namespace {namespace}"),
    }
}

/// Who is in a group that the API server fills by itself.
fn members(identity: &Identity) -> String {
    let Identity::Group(name) = identity else {
        return String::new();
    };
    match name.as_str() {
        "system:authenticated" => "everyone with a valid credential, every service account too".to_owned(),
        "system:unauthenticated" => "requests without a credential".to_owned(),
        "system:serviceaccounts" => "every service account".to_owned(),
        "system:nodes" => "the kubelet of every node".to_owned(),
        "system:masters" => "client certificates with this organization".to_owned(),
        _ => match name.strip_prefix("system:serviceaccounts:") {
            Some(namespace) => format!("every service account of namespace {namespace}"),
            None => String::new(),
        },
    }
}

fn page(answer: &Answer) -> Page {
    let mut page = Page::default();
    let count = counted(answer.subjects.len(), "subject");
    page.line(format!("{count} can {}", answer.question));
    for subject in &answer.subjects {
        page.heading(&subject.subject);
        if !subject.members.is_empty() {
            page.labelled(2, "members", &subject.members);
        }
        for scope in &subject.scopes {
            page.labelled(2, "where", &scope.scope);
            for reason in &scope.reasons {
                page.labelled(2, "why", &reason.text);
            }
        }
        if subject.pods > 0 {
            let shown: Vec<_> = subject.workloads.iter().take(SHOWN).map(String::as_str).collect();
            let more = subject.workloads.len() - shown.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let pods = counted(subject.pods, "pod");
            page.labelled(2, "runs", &format!("{pods}: {}{more}", shown.join(", ")));
        }
    }
    page
}

/// Pods and their workloads, by the account they run as.
struct Runners(BTreeMap<(Text, Text), (usize, Vec<String>)>);

impl Runners {
    fn new(cluster: &Cluster) -> Self {
        let mut accounts = BTreeMap::<(Text, Text), (usize, Vec<String>)>::new();
        for pod in cluster.pods.values().filter(|pod| !pod.has_ended()) {
            let (count, workloads) = accounts.entry(account(pod)).or_default();
            *count += 1;
            workloads.push(cluster.workload_of(pod).to_string());
        }
        for (_, workloads) in accounts.values_mut() {
            workloads.sort_unstable();
            workloads.dedup();
        }
        Self(accounts)
    }

    /// The pods that send requests as the identity, and their workloads.
    fn of(&self, identity: &Identity) -> (usize, Vec<String>) {
        let is_member = |namespace: &Text, name: &Text| match identity {
            Identity::ServiceAccount {
                namespace: of,
                name: called,
            } => of == namespace && called == name,
            Identity::User(_) => false,
            Identity::Group(group) => {
                let account = Identity::service_account(namespace, name);
                account.implicit_groups().contains(group)
            }
        };
        let mut found = (0, Vec::new());
        for ((namespace, name), (count, workloads)) in &self.0 {
            if is_member(namespace, name) {
                found.0 += count;
                found.1.extend(workloads.iter().cloned());
            }
        }
        found
    }
}

fn account(pod: &Pod) -> (Text, Text) {
    (pod.meta.namespace.clone(), pod.spec.account())
}
