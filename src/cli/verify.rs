//! `beachhead verify`: whether an API server still gives the rights that the paths rest on.
//!
//! **Trap.** The questions go to the cluster of the flags, whatever INPUT is of; the answer names both.

use std::path::PathBuf;

use super::analysis::{ConfigArgs, HowArgs};
use super::input::{InputArgs, SubjectArgs};
use super::live::{ConnectionArgs, UserArgs};
use super::output::OutputArgs;
use super::report::answer;
use super::{ExitCode, Format, Streams};
use crate::collect::live;
use crate::report::{self, Rights, counted};

/// Ask a live API server whether it still gives the rights that the paths rest on
///
/// INPUT is analysed as by `report`; each right that a finding or path rests on becomes questions to the API server of the
/// current context or --context (SubjectAccessReview). It confirms, denies or leaves each without an answer. Nothing is
/// changed, but Kubernetes calls the right to ask `create subjectaccessreviews`. The JSON form is described by
/// docs/verify.schema.json.
///
/// Exit status: 0 no right is denied, 1 some right is denied, 2 nothing could be asked.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// A snapshot, a folder or file of manifests, a `kubectl get -o json` dump, - for standard input, or @ for the
    /// live cluster itself
    #[arg(value_name = "INPUT", required_unless_present = "print_rbac")]
    input: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    user: UserArgs,
    /// Print the least ClusterRole that suffices to ask
    #[arg(long, conflicts_with_all = ["output", "input"])]
    print_rbac: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &VerifyArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let Some(input) = args.input.clone().filter(|_| !args.print_rbac) else {
        streams.out.write_all(live::reviewer_role().as_bytes())?;
        return Ok(ExitCode::Nothing);
    };
    let input = InputArgs::of(
        input,
        args.how.clone(),
        args.connection.clone(),
        args.user.clone(),
    );
    let subject = SubjectArgs {
        input: input.beside_a_cluster(),
        config: args.config.clone(),
    };
    let analysis = subject.analyse(streams)?;
    analysis.warn(streams.err);
    let answer = answer(&analysis, streams);
    streams.stage_done();
    let rights = Rights::new(&analysis.cluster, &answer.paths, &answer.ranked.findings);
    let questions = rights.questions();
    streams.stage("asking the cluster");
    let options = args.connection.options(subject.input.context(), &args.user)?;
    let asked = live::review(&options, &questions, &mut |answered| {
        streams.say(format!("{answered} of {}", counted(questions.len(), "question")));
    });
    streams.stage_done();
    let asked = asked?;
    let verification = rights.verified(&analysis.name, &asked.server, asked.verdicts);
    match args.format {
        Format::Json => args.output.text(&report::json(&verification)?, streams.out)?,
        Format::Text => args.output.page(&verification.page(), streams.out)?,
    }
    Ok(if verification.has_denials() {
        ExitCode::Found
    } else {
        ExitCode::Nothing
    })
}
