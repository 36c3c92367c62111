//! Which part of the attack graph is drawn.
//!
//! **Trap.** A step counts as a way only if all of its premises are held; a walk along single edges would show ways
//! that are not there.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::analysis::Analysis;
use super::query::{answer, parsed};
use super::{Streams, drawing};
use crate::graph::{AttackGraph, Rows, StepId, VertexId};
use crate::model::Text;
use crate::paths::{Premises, Reach};
use crate::query::{AttackView, Limits};
use crate::report;
use crate::techniques::{Position, Step};

/// What is chosen.
#[derive(Debug, clap::Args)]
#[group(id = "selection")]
pub(super) struct SelectionArgs {
    /// Only the steps of the report's paths
    #[arg(long, conflicts_with_all = ["from", "to", "around", "query"])]
    paths: bool,
    /// Only what someone who holds this comes to; may be given more than once
    #[arg(long, value_name = "ID", conflicts_with_all = ["around", "query"])]
    from: Vec<String>,
    /// Only ways to this, from --from or from the internet; ways over what is dearer than this itself are left out
    #[arg(long, value_name = "ID", conflicts_with_all = ["around", "query"])]
    to: Option<String>,
    /// Only what is near this position
    #[arg(long, value_name = "ID", conflicts_with = "query")]
    around: Option<String>,
    /// How many steps --around goes
    #[arg(long, value_name = "N", default_value_t = 2, requires = "around")]
    depth: u8,
    /// Only the relationships and paths of a query's rows, and the steps between its nodes
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
}

impl SelectionArgs {
    /// Whether a query chooses.
    pub(super) fn is_query(&self) -> bool {
        self.query.is_some()
    }

    /// Returns the chosen steps, in the order of the graph.
    pub(super) fn steps<'a>(
        &self,
        analysis: &Analysis,
        graph: &'a AttackGraph,
        jewels: &[(Position, Text)],
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Vec<&'a Step>> {
        let rows = graph.freeze();
        let chosen: BTreeSet<StepId> = if self.paths {
            let paths = report::cheapest(graph, &rows, &Position::Internet, jewels).into_iter();
            paths.flat_map(|path| path.steps).collect()
        } else if let Some(text) = &self.query {
            queried(text, graph, &rows, streams)?
        } else if let Some(id) = &self.around {
            around(&analysis.vertices(id, graph)?, self.depth, graph, &rows)
        } else if self.from.is_empty() && self.to.is_none() {
            return Ok(graph.steps().iter().collect());
        } else {
            self.ways(analysis, graph, &rows)?
        };
        if chosen.is_empty() {
            let _ = writeln!(
                streams.err,
                "warning: no step of the graph is chosen; the picture is empty"
            );
        }
        Ok(chosen.into_iter().map(|step| graph.step(step)).collect())
    }

    /// The steps from what is held to what is wanted.
    fn ways(
        &self,
        analysis: &Analysis,
        graph: &AttackGraph,
        rows: &Rows,
    ) -> anyhow::Result<BTreeSet<StepId>> {
        let mut starts: Vec<VertexId> = Vec::new();
        for id in &self.from {
            starts.extend(analysis.vertices(id, graph)?);
        }
        if self.from.is_empty() {
            starts.extend(graph.vertex(&Position::Internet));
        }
        let reach = Reach::new(rows, &starts, Premises::Max);
        let held = |step: StepId| rows.premises(step).iter().all(|&premise| reach.is_held(premise));
        let Some(to) = &self.to else {
            return Ok(steps(graph).filter(|&step| held(step)).collect());
        };
        let targets = analysis.vertices(to, graph)?;
        let most = targets
            .iter()
            .filter(|&&target| reach.is_held(target))
            .map(|&target| reach.cost(target))
            .max();
        let Some(most) = most else {
            return Ok(BTreeSet::new());
        };
        let mut seen = FixedBitSet::with_capacity(graph.positions().len());
        seen.extend(starts.iter().map(|&start| start as usize));
        let (mut chosen, mut open) = (BTreeSet::new(), targets);
        while let Some(position) = open.pop() {
            if seen.put(position as usize) {
                continue;
            }
            for &step in rows.steps_to(position) {
                let premises = rows.premises(step);
                if held(step) && premises.iter().all(|&premise| reach.cost(premise) <= most) {
                    chosen.insert(step);
                    open.extend(premises);
                }
            }
        }
        Ok(chosen)
    }
}

fn steps(graph: &AttackGraph) -> impl Iterator<Item = StepId> {
    (0..graph.steps().len()).filter_map(|number| StepId::try_from(number).ok())
}

/// The steps of which a position is at most so many steps away, whichever way they lead.
fn around(centre: &[VertexId], depth: u8, graph: &AttackGraph, rows: &Rows) -> BTreeSet<StepId> {
    let mut near = FixedBitSet::with_capacity(graph.positions().len());
    near.extend(centre.iter().map(|&vertex| vertex as usize));
    let mut chosen = BTreeSet::new();
    for _ in 0..depth {
        let before = near.clone();
        for step in steps(graph) {
            let (premises, conclusion) = (rows.premises(step), rows.conclusion(step));
            let ends = premises.iter().chain([&conclusion]);
            if ends.clone().any(|&end| before.contains(end as usize)) {
                chosen.insert(step);
                near.extend(ends.map(|&end| end as usize));
            }
        }
        if near == before {
            break;
        }
    }
    chosen
}

fn queried(
    text: &str,
    graph: &AttackGraph,
    rows: &Rows,
    streams: &mut Streams<'_>,
) -> anyhow::Result<BTreeSet<StepId>> {
    let query = parsed(text)?;
    let view = AttackView::new(graph, rows);
    let parameters = BTreeMap::new();
    let table = answer(&query, text, &view, &parameters, Limits::default(), streams)?;
    Ok(drawing::steps(&table, &view).into_keys().collect())
}
