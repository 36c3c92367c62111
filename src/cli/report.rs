//! `beachhead report`: the whole answer.

use super::analysis::InputArgs;
use super::judgement::JudgementArgs;
use super::output::OutputArgs;
use super::{ExitCode, Format, Streams};
use crate::report::{self, Derived, Findings, Inputs};
use crate::techniques::Position;

/// Report entry points, crown jewels and the cheapest path to each, with what stops it
///
/// Entry points are what the internet reaches. Crown jewels are databases, cluster-admin, control-plane nodes
/// and the Secrets of kube-system. The JSON form is described by docs/report.schema.json.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    judgement: JudgementArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &ReportArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    let graph = analysis.graph();
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let start = Position::Internet;
    let paths = report::cheapest(&graph, &start, &jewels);
    let paths: Vec<_> = paths
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .collect();
    let mut ranked = report::findings(&graph, &start, &jewels, &analysis.cluster);
    args.judgement.mark(&mut ranked.findings, streams)?;
    let inputs = Inputs {
        name: &analysis.name,
        cluster: &analysis.cluster,
        facts: &analysis.facts,
        objects: &analysis.objects,
        diagnostics: &analysis.diagnostics,
    };
    let findings = Findings::new(inputs, &[start], &paths).with(ranked);
    match args.format {
        Format::Text => args.output.page(&report::text(&findings), streams.out)?,
        Format::Json => args.output.text(&report::json(&findings)?, streams.out)?,
    }
    Ok(args.judgement.status(&findings.findings))
}
