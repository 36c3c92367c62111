//! `beachhead paths`: the cheapest attack path between any positions.

use serde::Serialize;

use super::analysis::{InputArgs, position};
use super::output::OutputArgs;
use super::solve::Solution;
use super::{ExitCode, Format, Streams};
use crate::report::{self, PathView, Sources};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.paths/1";

/// Find the cheapest attack path between any two positions
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
    let steps = analysis.steps();
    let mut starts = Vec::new();
    for id in &args.from {
        starts.extend(analysis.positions(id, &steps)?);
    }
    starts.sort();
    starts.dedup();
    let target = position(&args.to, &steps)?;
    let sources = Sources::new(&analysis.cluster);
    let paths: Vec<PathView> = Solution::new(&steps, &starts)
        .derivation(&target)
        .into_iter()
        .map(|path| PathView::new(path.to.to_string(), &path.steps, &sources))
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
