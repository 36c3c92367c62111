//! Choke points: single steps whose removal takes findings away.
//!
//! A step stands here for all steps like it: those of the same technique or relation between positions of the same
//! lasting names, so that 40 replicas of a workload are one place to cut. Each candidate lies on a finding's path;
//! that a finding goes away is then shown by solving again without it.
//!
//! **Trap.** Most steps on a path can be walked around. A candidate counts only the findings that are out of reach
//! after it is gone.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::words::{relation_advice, relation_title};
use super::names::lasting;
use super::ways::Ways;
use super::{EDGES, Found, again, stands};
use crate::collect::bootstrap;
use crate::graph::{AttackGraph, Rows, StepId, VertexId};
use crate::model::Cluster;
use crate::paths::Solver;
use crate::techniques::{Reason, Relation, Step};

/// Candidates that are looked at, those on most paths first.
const CANDIDATES: usize = 40;
/// Places to cut that are shown.
const SHOWN: usize = 10;

/// One place to cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChokePoint {
    /// The technique's id, or the relation's label.
    pub technique: &'static str,
    /// The name for headings.
    pub title: &'static str,
    /// Lasting names of what must be held.
    pub from: Vec<String>,
    /// Lasting name of what is held then.
    pub to: String,
    /// How many steps are alike and go together.
    pub steps: usize,
    /// The ids of the findings that go away with it, in the order of the report.
    pub removes: Vec<String>,
    /// How to stop it.
    pub remediation: Option<&'static str>,
}

/// What alike steps have in common: label, lasting names of premises and of the conclusion, by number.
type Shape = (&'static str, Vec<u32>, u32);

/// Lasting names of positions, by number.
struct Names {
    of: Vec<u32>,
    texts: Vec<String>,
}

impl Names {
    fn new(graph: &AttackGraph, cluster: &Cluster) -> Self {
        let mut numbers = FxHashMap::<String, u32>::default();
        let mut names = Self {
            of: Vec::with_capacity(graph.positions().len()),
            texts: Vec::new(),
        };
        for position in graph.positions() {
            let name = lasting(position, cluster);
            let next = u32::try_from(names.texts.len()).unwrap_or(u32::MAX);
            let number = *numbers.entry(name).or_insert_with_key(|name| {
                names.texts.push(name.clone());
                next
            });
            names.of.push(number);
        }
        names
    }

    fn shape(&self, graph: &AttackGraph, rows: &Rows, step: StepId) -> Shape {
        let of = |&vertex: &VertexId| self.of[vertex as usize];
        let mut premises: Vec<u32> = rows.premises(step).iter().map(of).collect();
        premises.sort_unstable();
        premises.dedup();
        (
            graph.step(step).reason.label(),
            premises,
            of(&rows.conclusion(step)),
        )
    }
}

/// Returns the places to cut, those that take away most findings first.
///
/// # Complexity
/// One pass over the graph for each candidate and each way in that a finding has; at most [`EDGES`] edges together.
pub(super) fn points(
    graph: &AttackGraph,
    rows: &Rows,
    starts: &[VertexId],
    ways: &Ways,
    findings: &[(&str, &Found)],
    cluster: &Cluster,
) -> Vec<ChokePoint> {
    if findings.is_empty() {
        return Vec::new();
    }
    let names = Names::new(graph, cluster);
    let mut by_way = BTreeMap::<Option<usize>, Vec<(usize, &Found)>>::new();
    for (index, (_, found)) in findings.iter().enumerate() {
        by_way.entry(found.way).or_default().push((index, found));
    }
    let most = (EDGES / (rows.edges() * by_way.len()).max(1)).clamp(4, CANDIDATES);
    let candidates = candidates(graph, rows, &names, findings, most);
    let alike = alike(graph, rows, &names, &candidates);
    let removed = |shape: &Shape| -> Vec<usize> {
        let steps = &alike[shape];
        let mut removed = Vec::new();
        for (way, found) in &by_way {
            let without = rows.without(|step| {
                let other_way = way.is_some_and(|way| ways.of.get(&step).is_some_and(|&of| of != way));
                other_way || steps.contains(&step)
            });
            let reach = again(&without, starts);
            removed.extend(
                found
                    .iter()
                    .filter(|(_, found)| !stands(found, &reach))
                    .map(|(index, _)| *index),
            );
        }
        removed.sort_unstable();
        removed
    };
    let mut points: Vec<ChokePoint> = candidates
        .par_iter()
        .map(|shape| (shape, removed(shape)))
        .filter(|(_, removed)| !removed.is_empty())
        .filter_map(|(shape, removed)| point(graph, &names, shape, &alike[shape], &removed, findings))
        .collect();
    points.sort_by(|a, b| {
        let key = |point: &ChokePoint| (std::cmp::Reverse(point.removes.len()), point.steps);
        (key(a), a.technique, &a.from, &a.to).cmp(&(key(b), b.technique, &b.from, &b.to))
    });
    points.truncate(SHOWN);
    points
}

/// Returns the places to cut between some positions and one that they lead to, in the order of the cheapest path: each
/// alone, with the steps like it, leaves no way. None if there is no path, or no single place.
///
/// # Complexity
/// One pass over the graph for each step of the cheapest path.
pub fn cuts(
    graph: &AttackGraph,
    rows: &Rows,
    starts: &[VertexId],
    target: VertexId,
    cluster: &Cluster,
) -> Vec<ChokePoint> {
    let found = Solver::new(graph, rows, starts).cheapest(target, 1);
    let names = Names::new(graph, cluster);
    let mut shapes: Vec<Shape> = Vec::new();
    for &step in found.iter().flat_map(|path| &path.steps) {
        let shape = names.shape(graph, rows, step);
        if can_be_cut(graph.step(step).reason) && !shapes.contains(&shape) {
            shapes.push(shape);
        }
    }
    let alike = alike(graph, rows, &names, &shapes);
    shapes.retain(|shape| {
        let without = rows.without(|step| alike[shape].contains(&step));
        !again(&without, starts).is_held(target)
    });
    let point = |shape| point(graph, &names, shape, &alike[shape], &[], &[]);
    shapes.iter().filter_map(point).collect()
}

/// Whether a step is a decision that someone can take back: a technique, a binding, or an opening of the network.
fn can_be_cut(reason: Reason) -> bool {
    match reason {
        Reason::Technique(_) => true,
        Reason::Relation(relation) => {
            matches!(relation, Relation::Holds | Relation::Exposed | Relation::Reaches)
        }
    }
}

/// Whether a step rests on nothing but what Kubernetes brings with it, which nobody should change.
fn is_default(step: &Step) -> bool {
    !step.evidence.is_empty()
        && step
            .evidence
            .iter()
            .all(|fact| bootstrap::is_default(&fact.object))
}

/// The shapes on most paths. Of the steps of a path, defaults of Kubernetes count only where nothing else is on it.
fn candidates(
    graph: &AttackGraph,
    rows: &Rows,
    names: &Names,
    findings: &[(&str, &Found)],
    most: usize,
) -> Vec<Shape> {
    let mut on = BTreeMap::<Shape, usize>::new();
    for (_, found) in findings {
        let steps = found.path.steps.iter();
        let steps: Vec<StepId> = steps
            .copied()
            .filter(|&step| can_be_cut(graph.step(step).reason))
            .collect();
        let has_own = steps.iter().any(|&step| !is_default(graph.step(step)));
        let shapes: FxHashSet<Shape> = steps
            .into_iter()
            .filter(|&step| !(has_own && is_default(graph.step(step))))
            .map(|step| names.shape(graph, rows, step))
            .collect();
        let mut shapes: Vec<Shape> = shapes.into_iter().collect();
        shapes.sort_unstable();
        for shape in shapes {
            *on.entry(shape).or_default() += 1;
        }
    }
    let mut shapes: Vec<(Shape, usize)> = on.into_iter().collect();
    shapes.sort_by(|(a, on_a), (b, on_b)| (on_b, a).cmp(&(on_a, b)));
    shapes.truncate(most);
    shapes.into_iter().map(|(shape, _)| shape).collect()
}

/// All steps of the graph that have one of these shapes.
fn alike(
    graph: &AttackGraph,
    rows: &Rows,
    names: &Names,
    shapes: &[Shape],
) -> FxHashMap<Shape, FxHashSet<StepId>> {
    let mut alike: FxHashMap<Shape, FxHashSet<StepId>> = shapes
        .iter()
        .map(|shape| (shape.clone(), FxHashSet::default()))
        .collect();
    let ends: FxHashSet<(&str, u32)> = shapes.iter().map(|(label, _, to)| (*label, *to)).collect();
    for (number, step) in (0..).zip(graph.steps()) {
        let to = names.of[rows.conclusion(number) as usize];
        if ends.contains(&(step.reason.label(), to))
            && let Some(steps) = alike.get_mut(&names.shape(graph, rows, number))
        {
            steps.insert(number);
        }
    }
    alike
}

fn point(
    graph: &AttackGraph,
    names: &Names,
    (label, premises, to): &Shape,
    steps: &FxHashSet<StepId>,
    removed: &[usize],
    findings: &[(&str, &Found)],
) -> Option<ChokePoint> {
    let reason = graph.step(*steps.iter().min()?).reason;
    let name = |&number: &u32| names.texts[number as usize].clone();
    let mut from: Vec<String> = premises.iter().map(name).collect();
    from.sort();
    Some(ChokePoint {
        technique: label,
        title: match reason {
            Reason::Technique(technique) => technique.title,
            Reason::Relation(relation) => relation_title(relation),
        },
        from,
        to: name(to),
        steps: steps.len(),
        removes: removed
            .iter()
            .map(|&index| findings[index].0.to_owned())
            .collect(),
        remediation: match reason {
            Reason::Technique(technique) => Some(technique.remediation),
            Reason::Relation(relation) => relation_advice(relation),
        },
    })
}
