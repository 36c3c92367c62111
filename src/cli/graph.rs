//! `beachhead graph`: the attack graph as data or as a picture.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::analysis::InputArgs;
use super::output::OutputArgs;
use super::solve::Solution;
use super::{ExitCode, Streams};
use crate::draw::dot::{Picture, dot};
use crate::report;
use crate::techniques::{Position, Step};

/// Write the attack graph: every position and every step between them
///
/// The JSON form is described by docs/graph.schema.json. The DOT form is for Graphviz:
/// `beachhead graph shop.yaml --paths --format dot | dot -Tsvg > shop.svg`.
#[derive(Debug, clap::Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The form of the result
    #[arg(long, value_enum)]
    format: GraphFormat,
    /// Only the steps of the report's paths
    #[arg(long)]
    paths: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// For programs
    Json,
    /// For Graphviz
    Dot,
}

pub(super) fn run(args: &GraphArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    analysis.warn(streams.err);
    let entries = BTreeSet::from([Position::Internet]);
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let jewels: BTreeSet<Position> = jewels.into_iter().map(|(position, _)| position).collect();
    let mut steps = analysis.steps();
    if args.paths {
        let starts = [Position::Internet];
        let solution = Solution::new(&steps, &starts);
        let paths = jewels.iter().filter_map(|jewel| solution.derivation(jewel));
        steps = distinct(paths.flat_map(|path| path.steps));
    }
    let text = match args.format {
        GraphFormat::Json => report::json(&report::graph(&analysis.cluster, &analysis.facts, &steps))?,
        GraphFormat::Dot => {
            let steps: Vec<&Step> = steps.iter().collect();
            dot(&Picture {
                steps: &steps,
                entries: &entries,
                jewels: &jewels,
            })
        }
    };
    args.output.text(&text, streams.out)?;
    Ok(ExitCode::Nothing)
}

/// The steps without repetition, in order.
fn distinct(steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let mut seen = BTreeSet::new();
    steps
        .filter(|step| {
            seen.insert((
                step.reason.label(),
                step.premises.clone(),
                step.conclusion.clone(),
            ))
        })
        .collect()
}
