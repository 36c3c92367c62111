//! `beachhead report`: the whole answer.

use clap::ValueEnum;

use super::analysis::InputArgs;
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
    /// Exit with status 1 if this is found
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = FailOn::None)]
    fail_on: FailOn,
    #[command(flatten)]
    output: OutputArgs,
}

/// What makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Nothing: the status is 0 whatever is found
    None,
    /// Any path from an entry point to a crown jewel
    Path,
}

pub(super) fn run(args: &ReportArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    let graph = analysis.graph();
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let paths = report::cheapest(&graph, &Position::Internet, &jewels);
    let paths: Vec<_> = paths
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .collect();
    let inputs = Inputs {
        name: &analysis.name,
        cluster: &analysis.cluster,
        facts: &analysis.facts,
        objects: &analysis.objects,
        diagnostics: &analysis.diagnostics,
    };
    let findings = Findings::new(inputs, &[Position::Internet], &paths);
    match args.format {
        Format::Text => args.output.page(&report::text(&findings), streams.out)?,
        Format::Json => args.output.text(&report::json(&findings)?, streams.out)?,
    }
    Ok(match args.fail_on {
        FailOn::Path if !findings.paths.is_empty() => ExitCode::Found,
        FailOn::Path | FailOn::None => ExitCode::Nothing,
    })
}
