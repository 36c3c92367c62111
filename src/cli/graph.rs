//! `beachhead graph`: the attack graph as data or as a picture.

use std::collections::BTreeSet;

use anyhow::bail;
use clap::ValueEnum;

use super::input::SubjectArgs;
use super::output::OutputArgs;
use super::selection::SelectionArgs;
use super::{ExitCode, Streams, drawing, graphviz, safe};
use crate::draw::dot::dot;
use crate::draw::{Diagram, Grouping, graphml, mermaid, opengraph, svg};
use crate::report;
use crate::techniques::Position;

/// Write the attack graph, or a part of it, as data or as a picture
///
/// The JSON form holds every position and every step and is described by docs/graph.schema.json. In all other forms
/// alike positions are one vertex with a count. In dot, svg and mermaid a position that follows from one other without
/// any work is drawn as part of it.
#[derive(Debug, clap::Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The form of the result
    #[arg(long, value_enum)]
    format: GraphFormat,
    #[command(flatten)]
    selection: SelectionArgs,
    /// What vertices are drawn in, in dot and svg
    #[arg(long, value_enum, value_name = "BOX")]
    group_by: Option<GroupBy>,
    /// What lays out an SVG picture
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    engine: Engine,
    #[command(flatten)]
    output: OutputArgs,
}

/// The boxes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupBy {
    /// A box for each namespace; so it is by default
    Namespace,
    /// A box for each node with its pods, and one for each namespace with the rest
    Node,
}

/// What lays out a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Graphviz if its `dot` is installed, else the layout that is built in
    Auto,
    /// Graphviz
    Dot,
    /// The layout that is built in: the same picture on every machine
    Builtin,
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
    if args.group_by.is_some() && !matches!(args.format, GraphFormat::Dot | GraphFormat::Svg) {
        bail!("--group-by is about the boxes of --format dot and svg; the others have none");
    }
    let analysis = args.subject.analyse(streams)?;
    analysis.warn(streams.err);
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    streams.stage_done();
    let steps = args.selection.steps(&analysis, &graph, &jewels, streams)?;
    let (entries, jewels) = if args.selection.is_query() {
        drawing::ends(&steps)
    } else {
        let jewels = jewels.into_iter().map(|(position, _)| position);
        (BTreeSet::from([Position::Internet]), jewels.collect())
    };
    let diagram = || Diagram::new(&steps, &entries, &jewels);
    let grouping = match args.group_by {
        Some(GroupBy::Node) => Grouping::Nodes(&analysis.cluster),
        Some(GroupBy::Namespace) | None => Grouping::Namespaces,
    };
    let attacks = || Diagram::grouped(&steps, &entries, &jewels, grouping);
    let text = match args.format {
        GraphFormat::Json => report::json(&report::graph(&analysis.cluster, &analysis.facts, steps))?,
        GraphFormat::Dot => dot(&attacks()),
        GraphFormat::Svg => picture(args.engine, &attacks(), &analysis.name, streams)?,
        GraphFormat::Graphml => graphml(&diagram()),
        GraphFormat::Opengraph => report::json(&opengraph(&diagram()))?,
        GraphFormat::Mermaid => mermaid(&attacks()),
    };
    args.output.text(&text, streams.out)?;
    Ok(ExitCode::Nothing)
}

/// The picture by the engine that is asked for.
fn picture(
    engine: Engine,
    diagram: &Diagram,
    name: &str,
    streams: &mut Streams<'_>,
) -> anyhow::Result<String> {
    if engine != Engine::Builtin {
        match graphviz::svg(&dot(diagram)) {
            Ok(text) => return Ok(text),
            Err(why) if engine == Engine::Dot => bail!("{why}; --engine builtin needs no Graphviz"),
            Err(graphviz::NoPicture::NotInstalled) => {}
            Err(why) => {
                let _ = writeln!(
                    streams.err,
                    "warning: {}; the built-in layout is used",
                    safe(&why.to_string())
                );
            }
        }
    }
    Ok(svg(diagram, &format!("Attack graph of {name}"))?)
}
