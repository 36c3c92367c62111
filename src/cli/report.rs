//! `beachhead report`: the whole answer.

use std::path::Path;

use clap::ValueEnum;

use super::analysis::Analysis;
use super::input::SubjectArgs;
use super::judgement::JudgementArgs;
use super::output::OutputArgs;
use super::{ExitCode, Streams, page};
use crate::collect;
use crate::draw::mermaid;
use crate::graph::{AttackGraph, Rows};
use crate::model::Text;
use crate::report::{self, Derived, Finding, Findings, Inputs, Posture, Ranked, SOLVED_EDGES, Solving};
use crate::techniques::Position;

/// Report entry points, crown jewels and the cheapest path to each, with what stops it
///
/// Entry points are what the internet reaches. Crown jewels are databases, cluster-admin, control-plane nodes
/// and the Secrets of kube-system. The JSON form is described by docs/report.schema.json.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    subject: SubjectArgs,
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
    /// For browsers and printers: one file that loads nothing
    Html,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For the test panes of CI systems
    Junit,
}

impl ReportFormat {
    /// Whether what to change has a place in it.
    fn tells_changes(self) -> bool {
        !matches!(self, Self::Sarif | Self::Junit)
    }
}

pub(super) fn run(args: &ReportArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let analysis = args.subject.analyse(streams)?;
    let mut answer = answer(&analysis, streams);
    if args.format.tells_changes() {
        answer.tell_changes(&analysis, streams);
    }
    streams.stage_done();
    args.judgement.mark(&mut answer.ranked.findings, streams)?;
    streams.stage("writing the report");
    let mut findings = Findings::new(inputs(&analysis), &[START], &answer.paths).with(answer.ranked);
    if matches!(args.format, ReportFormat::Html | ReportFormat::Sarif) {
        findings.locate(collect::shown_text);
    }
    let text = match args.format {
        ReportFormat::Text => {
            streams.stage_done();
            args.output
                .page(&report::text(&findings, args.output.columns()), streams.out)?;
            return Ok(args.judgement.status(&findings.findings));
        }
        ReportFormat::Json => report::json(&findings)?,
        ReportFormat::Markdown => report::markdown(&findings, picture),
        ReportFormat::Html => html(&analysis, &answer.graph, &answer.rows, &findings),
        ReportFormat::Sarif => report::json(&report::sarif(&findings))?,
        ReportFormat::Junit => report::junit(&findings),
    };
    streams.stage_done();
    args.output.text(&text, streams.out)?;
    Ok(args.judgement.status(&findings.findings))
}

fn html(analysis: &Analysis, graph: &AttackGraph, rows: &Rows, findings: &Findings) -> String {
    let posture = Posture::new(graph, rows, &analysis.cluster, findings);
    page::page(graph, findings, &posture)
}

/// Writes the report of an input to a file, as a page for browsers.
pub(super) fn write_html(analysis: &Analysis, path: &Path, streams: &mut Streams<'_>) -> anyhow::Result<()> {
    let mut answer = answer(analysis, streams);
    answer.tell_changes(analysis, streams);
    let mut findings = Findings::new(inputs(analysis), &[START], &answer.paths).with(answer.ranked);
    findings.locate(collect::shown_text);
    let text = html(analysis, &answer.graph, &answer.rows, &findings);
    streams.stage_done();
    let output = OutputArgs {
        output: Some(path.to_owned()),
    };
    output.text(&text, streams.out)
}

fn inputs(analysis: &Analysis) -> Inputs<'_> {
    Inputs {
        name: &analysis.name,
        cluster: &analysis.cluster,
        facts: &analysis.facts,
        objects: &analysis.objects,
        diagnostics: &analysis.diagnostics,
    }
}

/// Where a report's attacker begins.
const START: Position = Position::Internet;

/// What a report is made from.
pub(super) struct Answer {
    graph: AttackGraph,
    rows: Rows,
    jewels: Vec<(Position, Text)>,
    /// The cheapest path to each crown jewel.
    pub(super) paths: Vec<Derived>,
    /// What there is to decide about.
    pub(super) ranked: Ranked,
}

impl Answer {
    /// Finds out what each change would take away.
    fn tell_changes(&mut self, analysis: &Analysis, streams: &mut Streams<'_>) {
        streams.stage("solving again with what could be changed");
        let solving = Solving {
            cluster: &analysis.cluster,
            settings: &analysis.settings,
            edges: SOLVED_EDGES,
        };
        let (graph, rows) = (&self.graph, &self.rows);
        self.ranked.changes =
            report::changes(&self.ranked.findings, graph, rows, &START, &self.jewels, &solving);
    }
}

/// Finds paths and findings.
pub(super) fn answer(analysis: &Analysis, streams: &mut Streams<'_>) -> Answer {
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    let jewels = report::crown_jewels(&analysis.cluster, &analysis.facts);
    let rows = graph.freeze();
    streams.stage("finding the cheapest paths");
    let paths = report::cheapest(&graph, &rows, &START, &jewels);
    let paths = paths
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .collect();
    streams.stage("finding every way in and the places to cut");
    let ranked = report::findings(
        &graph,
        &rows,
        &START,
        &jewels,
        &analysis.cluster,
        (&analysis.facts, &analysis.settings),
    );
    Answer {
        graph,
        rows,
        jewels,
        paths,
        ranked,
    }
}

/// The path of a finding as a Mermaid diagram.
fn picture(finding: &Finding) -> String {
    mermaid(&page::diagram(finding))
}
