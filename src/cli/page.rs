//! What the HTML page of a report shows of the graph: a picture of each path, and views to walk through.
//!
//! **Trap.** A view has a limit, since a browser draws it; the page says what was left out.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::draw::{Diagram, figure, figure_legend, scene};
use crate::graph::AttackGraph;
use crate::report::{self, Finding, Findings, Pictures, Posture};
use crate::techniques::{Position, Step};

/// Most vertices of a view, alike ones folded.
const VERTICES: usize = 800;
/// Most steps of which a view of the whole graph is tried.
const STEPS: usize = 20_000;
/// Most findings whose paths make one view.
const PATHS: usize = 1_000;

/// Returns the page.
pub(super) fn page(graph: &AttackGraph, findings: &Findings, posture: &Posture) -> String {
    let jewels: BTreeSet<Position> = findings.findings.iter().filter_map(lost).collect();
    let shown = &findings.findings[..findings.findings.len().min(PATHS)];
    let on_paths = || shown.iter().flat_map(|finding| &finding.steps);
    let (mut scenes, mut remarks) = (Vec::new(), Vec::new());
    match view(&on_paths().collect::<Vec<_>>(), &jewels, shown) {
        Some(scene) => scenes.push(("paths", scene)),
        None if shown.is_empty() => {}
        None => remarks.push("The paths of all findings together are too many for one graph.".to_owned()),
    }
    if shown.len() < findings.findings.len() {
        remarks.push(format!(
            "The graph shows the paths of the first {PATHS} findings."
        ));
    }
    let whole: Vec<&Step> = graph.steps().iter().collect();
    let whole = (whole.len() <= STEPS)
        .then(|| view(&whole, &jewels, shown))
        .flatten();
    match whole {
        Some(scene) => scenes.push(("whole graph", scene)),
        None => remarks.push(
            "The whole graph is too large for a page; “beachhead graph” writes it, and “beachhead query” asks it."
                .to_owned(),
        ),
    }
    let pictures = Pictures {
        path: &|finding| figure(&diagram(finding), &format!("Picture: {}", finding.title)).ok(),
        legend: figure_legend(),
        scenes,
        remarks,
    };
    report::html(findings, posture, &pictures)
}

/// The picture of a finding's path.
pub(super) fn diagram(finding: &Finding) -> Diagram {
    let steps: Vec<&Step> = finding.steps.iter().collect();
    let jewels = lost(finding).into_iter().collect();
    Diagram::of_attacks(&steps, &BTreeSet::from([Position::Internet]), &jewels)
}

/// What the finding's path ends at.
fn lost(finding: &Finding) -> Option<Position> {
    finding.steps.last().map(|step| step.conclusion.clone())
}

fn view(steps: &[&Step], jewels: &BTreeSet<Position>, findings: &[Finding]) -> Option<Value> {
    let diagram = Diagram::of_attacks(steps, &BTreeSet::from([Position::Internet]), jewels);
    if diagram.vertices.is_empty() || diagram.vertices.len() > VERTICES {
        return None;
    }
    let paths = findings
        .iter()
        .map(|finding| (finding.id.as_str(), finding.steps.as_slice()));
    scene(&diagram, paths).ok()
}
