//! `beachhead paths`: the cheapest attack paths between any positions.

use serde::Serialize;

use super::analysis::{InputArgs, vertex};
use super::output::OutputArgs;
use super::{ExitCode, Format, Streams};
use crate::paths::Solver;
use crate::report::{self, Derived, PathView, Sources};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.paths/1";

/// Find the cheapest attack paths between any two positions
///
/// A position is what an attacker holds: Internet, Pod/shop/web-0, Node/worker-1, ServiceAccount/shop/web,
/// Secret/shop/mysql, Database/shop/mysql, ClusterAdmin. A workload (Deployment/shop/web) stands for its pods.
#[derive(Debug, clap::Args)]
pub(super) struct PathsArgs {
    #[command(flatten)]
    input: InputArgs,
    /// What the attacker holds; may be given more than once
    #[arg(long, value_name = "ID", default_value = "Internet")]
    from: Vec<String>,
    /// What the attacker wants
    #[arg(long, value_name = "ID")]
    to: String,
    /// How many paths to show, cheapest first
    #[arg(short = 'k', long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    count: u16,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    paths: &'a [PathView],
}

pub(super) fn run(args: &PathsArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.input.analyse(streams)?;
    analysis.warn(streams.err);
    let graph = analysis.graph();
    let mut starts = Vec::new();
    for id in &args.from {
        starts.extend(analysis.vertices(id, &graph)?);
    }
    let target = vertex(&args.to, &graph)?;
    let rows = graph.freeze();
    let sources = Sources::new(&analysis.cluster);
    let found = Solver::new(&graph, &rows, &starts).cheapest(target, usize::from(args.count));
    let paths: Vec<PathView> = found
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .map(|path| PathView::new(&path, &sources))
        .collect();
    match args.format {
        Format::Json => {
            let answer = Answer {
                schema: SCHEMA,
                paths: &paths,
            };
            args.output.text(&report::json(&answer)?, streams.out)?;
        }
        Format::Text => {
            let mut page = report::path_page(&paths);
            if paths.is_empty() {
                page.line(format!(
                    "no path leads from {} to {}",
                    args.from.join(", "),
                    args.to
                ));
            }
            args.output.page(&page, streams.out)?;
        }
    }
    Ok(ExitCode::Nothing)
}
