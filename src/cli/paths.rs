//! `beachhead paths`: the cheapest attack paths between any positions.

use anyhow::bail;
use serde::Serialize;

use super::analysis::{Analysis, vertex};
use super::explain::named;
use super::input::SubjectArgs;
use super::output::OutputArgs;
use super::{ExitCode, Format, Streams};
use crate::model::ObjectId;
use crate::paths::Solver;
use crate::query::did_you_mean;
use crate::report::{self, Derived, Page, PathView, Sources};
use crate::techniques::{self, Absence};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.paths/1";

/// Find the cheapest attack paths between any two positions
///
/// A position is what an attacker holds: Internet, Pod/shop/web-0, Node/worker-1, ServiceAccount/shop/web,
/// Secret/shop/mysql, Database/shop/mysql, ClusterAdmin. A workload (Deployment/shop/web) stands for its pods.
#[derive(Debug, clap::Args)]
pub(super) struct PathsArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// What the attacker holds; may be given more than once
    #[arg(long, value_name = "ID", default_value = "Internet")]
    from: Vec<String>,
    /// What the attacker wants
    #[arg(long, value_name = "ID", required_unless_present = "explain_absent")]
    to: Option<String>,
    /// Say instead why a technique does not work for a pod (shop/web-0, or a workload: Deployment/shop/web)
    #[arg(long, num_args = 2, value_names = ["TECHNIQUE", "POD"], conflicts_with_all = ["to", "format"])]
    explain_absent: Option<Vec<String>>,
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
    let analysis = args.subject.analyse(streams)?;
    analysis.warn(streams.err);
    if let Some([technique, pod]) = args.explain_absent.as_deref() {
        args.output
            .page(&why_absent(&analysis, technique, pod)?, streams.out)?;
        return Ok(ExitCode::Nothing);
    }
    let to = args.to.as_deref().unwrap_or_default();
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    streams.stage_done();
    let mut starts = Vec::new();
    for id in &args.from {
        starts.extend(analysis.vertices(id, &graph)?);
    }
    let target = vertex(to, &graph)?;
    let rows = graph.freeze();
    let sources = Sources::new(&analysis.cluster);
    streams.stage("finding the cheapest paths");
    let found = Solver::new(&graph, &rows, &starts).cheapest(target, usize::from(args.count));
    streams.stage_done();
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
                page.line(format!("no path leads from {} to {}", args.from.join(", "), to));
            }
            args.output.page(&page, streams.out)?;
        }
    }
    Ok(ExitCode::Nothing)
}

/// Says why a technique does not work for a pod, or that it does.
fn why_absent(analysis: &Analysis, technique: &str, pod: &str) -> anyhow::Result<Page> {
    let technique = named(technique)?;
    let pods = &analysis.cluster.pods;
    let wanted = pod.strip_prefix("Pod/").unwrap_or(pod);
    let is_meant = |id: &ObjectId| format!("{}/{}", id.namespace, id.name) == wanted;
    let found = pods
        .iter()
        .find(|(id, object)| is_meant(id) || analysis.cluster.workload_of(object).to_string() == pod);
    let Some((id, _)) = found else {
        let known: Vec<String> = pods
            .iter()
            .map(|(id, _)| format!("{}/{}", id.namespace, id.name))
            .collect();
        let near = did_you_mean(wanted, known.iter().map(String::as_str));
        bail!("no pod is called {pod}, by namespace/name or by its workload as Kind/namespace/name{near}");
    };
    let mut page = Page::default();
    match techniques::why_absent(technique, &analysis.cluster, id) {
        Absence::Present(steps) => {
            page.line(format!("{} works for {id}:", technique.id));
            for step in &steps {
                let premises: Vec<String> = step.premises.iter().map(ToString::to_string).collect();
                page.line(format!("  {} -> {}", premises.join(" + "), step.conclusion));
                if let Some(condition) = step.certainty.condition() {
                    page.line(format!("    if {condition}"));
                }
                for fact in &step.evidence {
                    page.line(format!("    {fact}"));
                }
            }
        }
        Absence::Because(failed) => {
            page.line(format!("{} does not work for {id}, as", technique.id));
            for reason in &failed {
                page.line(format!("  {reason}"));
            }
            page.line("It would if all of this were different.");
        }
        Absence::Elsewhere => {
            page.line(format!(
                "{} does not work for {id}, and no change of the pod alone makes it work.",
                technique.id
            ));
            page.line(format!(
                "`beachhead explain {}` says what it needs.",
                technique.id
            ));
        }
    }
    Ok(page)
}
