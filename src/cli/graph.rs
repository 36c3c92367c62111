//! `beachhead graph`: the attack graph as data or as a picture.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::analysis::InputArgs;
use super::output::OutputArgs;
use super::{ExitCode, Streams};
use crate::draw::dot::{Picture, dot};
use crate::draw::{Diagram, graphml, mermaid, opengraph, svg};
use crate::graph::AttackGraph;
use crate::model::Text;
use crate::report;
use crate::techniques::{Position, Step};

/// Write the attack graph: every position and every step between them
///
/// The JSON form is described by docs/graph.schema.json. The SVG form is laid out without Graphviz; the DOT form is
/// for Graphviz. In svg, graphml, opengraph and mermaid alike positions are one vertex with a count.
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
    /// A picture for browsers and documents
    Svg,
    /// For yEd, Gephi, NetworkX
    Graphml,
    /// For BloodHound
    Opengraph,
    /// For Markdown
    Mermaid,
}

pub(super) fn run(args: &GraphArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    analysis.warn(streams.err);
    let entries = BTreeSet::from([Position::Internet]);
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let graph = analysis.graph();
    let steps = if args.paths {
        on_paths(&graph, &jewels)
    } else {
        graph.steps().iter().collect()
    };
    let jewels: BTreeSet<Position> = jewels.into_iter().map(|(position, _)| position).collect();
    let diagram = || Diagram::new(&steps, &entries, &jewels);
    let text = match args.format {
        GraphFormat::Json => report::json(&report::graph(&analysis.cluster, &analysis.facts, steps))?,
        GraphFormat::Dot => dot(&Picture {
            steps: &steps,
            entries: &entries,
            jewels: &jewels,
        }),
        GraphFormat::Svg => svg(&diagram(), &format!("Attack graph of {}", analysis.name))?,
        GraphFormat::Graphml => graphml(&diagram()),
        GraphFormat::Opengraph => report::json(&opengraph(&diagram()))?,
        GraphFormat::Mermaid => mermaid(&diagram()),
    };
    args.output.text(&text, streams.out)?;
    Ok(ExitCode::Nothing)
}

/// The steps of the report's paths, in the order of the graph.
fn on_paths<'a>(graph: &'a AttackGraph, jewels: &[(Position, Text)]) -> Vec<&'a Step> {
    let paths = report::cheapest(graph, &graph.freeze(), &Position::Internet, jewels).into_iter();
    let steps: BTreeSet<_> = paths.flat_map(|path| path.steps).collect();
    steps.into_iter().map(|step| graph.step(step)).collect()
}
