//! `beachhead report`: the whole answer.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::judgement::JudgementArgs;
use super::live::ReadArgs;
use super::output::OutputArgs;
use super::{ExitCode, Streams};
use crate::draw::{Diagram, mermaid};
use crate::report::{self, Derived, Finding, Findings, Inputs};
use crate::techniques::Position;

/// Report entry points, crown jewels and the cheapest path to each, with what stops it
///
/// Entry points are what the internet reaches. Crown jewels are databases, cluster-admin, control-plane nodes
/// and the Secrets of kube-system. The JSON form is described by docs/report.schema.json.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    input: ReadArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    format: ReportFormat,
    #[command(flatten)]
    judgement: JudgementArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documents and pull requests, with a picture of each path
    Markdown,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For the test panes of CI systems
    Junit,
}

pub(super) fn run(args: &ReportArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    let graph = analysis.graph();
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let start = Position::Internet;
    let rows = graph.freeze();
    let paths = report::cheapest(&graph, &rows, &start, &jewels);
    let paths: Vec<_> = paths
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .collect();
    let mut ranked = report::findings(&graph, &rows, &start, &jewels, &analysis.cluster);
    args.judgement.mark(&mut ranked.findings, streams)?;
    let inputs = Inputs {
        name: &analysis.name,
        cluster: &analysis.cluster,
        facts: &analysis.facts,
        objects: &analysis.objects,
        diagnostics: &analysis.diagnostics,
    };
    let findings = Findings::new(inputs, &[start], &paths).with(ranked);
    let text = match args.format {
        ReportFormat::Text => {
            args.output.page(&report::text(&findings), streams.out)?;
            return Ok(args.judgement.status(&findings.findings));
        }
        ReportFormat::Json => report::json(&findings)?,
        ReportFormat::Markdown => report::markdown(&findings, picture),
        ReportFormat::Sarif => report::json(&report::sarif(&findings))?,
        ReportFormat::Junit => report::junit(&findings),
    };
    args.output.text(&text, streams.out)?;
    Ok(args.judgement.status(&findings.findings))
}

/// The path of a finding as a Mermaid diagram.
fn picture(finding: &Finding) -> String {
    let steps: Vec<_> = finding.steps.iter().collect();
    let jewels = steps
        .last()
        .map(|step| step.conclusion.clone())
        .into_iter()
        .collect();
    mermaid(&Diagram::new(
        &steps,
        &BTreeSet::from([Position::Internet]),
        &jewels,
    ))
}
