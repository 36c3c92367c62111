//! Boundary crossings: what someone who holds the pods of one environment can take in another.
//!
//! A crossing is a step whose conclusion lies in the other environment while none of its premises does: a Secret read
//! from both, an account bound across, a database that the network leaves open. There is one finding for each pair of
//! environments and technique. Where the pair is joined by control of the whole cluster alone, that is the finding.
//!
//! **Trap.** Control of the cluster gives everything everywhere; it is left out of the graph while single crossings are
//! sought, else each would be found for every technique there is.

use std::collections::{BTreeMap, BTreeSet};

use super::environment::{Environment, Environments};
use super::{Finding, FindingSeverity, State, WayCount, id};
use crate::datastores::{Importance, Settings};
use crate::graph::{AttackGraph, Rows, StepId, VertexId};
use crate::model::Cluster;
use crate::paths::{Derivation, Premises, Reach, Solver};
use crate::report::findings::Derived;
use crate::report::path::{PathView, Sources};
use crate::techniques::{Place, Position};

/// States that one search may look at.
const STATES: usize = 2_000;

/// Where the pods of each environment are, and what lies in it.
struct Map {
    pods: BTreeMap<Environment, Vec<VertexId>>,
    of: Vec<Option<Environment>>,
}

impl Map {
    fn new(graph: &AttackGraph, cluster: &Cluster, environments: &Environments<'_>) -> Self {
        let of: Vec<Option<Environment>> = graph
            .positions()
            .map(|position| environments.of(position))
            .collect();
        let mut pods = BTreeMap::<Environment, Vec<VertexId>>::new();
        for pod in cluster.pods.values() {
            let position = Position::Pod(Place::new(&pod.meta.namespace, &pod.meta.name));
            let Some(vertex) = graph.vertex(&position) else {
                continue;
            };
            if let Some(environment) = of[vertex as usize] {
                pods.entry(environment).or_default().push(vertex);
            }
        }
        Self { pods, of }
    }

    /// The environment of a position, if taking it is a loss to that environment.
    fn lost(&self, vertex: VertexId, graph: &AttackGraph) -> Option<Environment> {
        let is_loss = matches!(
            graph.position(vertex)?,
            Position::Pod(_)
                | Position::Container(..)
                | Position::Node(_)
                | Position::Identity(_)
                | Position::Secret(_)
                | Position::SecretKey(..)
                | Position::Volume(_)
                | Position::Database(_)
                | Position::Namespace(_)
        );
        self.of[vertex as usize].filter(|_| is_loss)
    }
}

/// Returns the crossings between all pairs of environments of a cluster.
///
/// # Complexity
/// Linear in the graph for each environment, and one search for each finding.
pub(super) fn crossings(
    graph: &AttackGraph,
    rows: &Rows,
    cluster: &Cluster,
    settings: &Settings,
) -> Vec<Finding> {
    let environments = Environments::new(cluster, &settings.environments);
    if !environments.are_several() {
        return Vec::new();
    }
    let map = Map::new(graph, cluster, &environments);
    let sources = Sources::new(cluster);
    let admin = graph.vertex(&Position::ClusterAdmin);
    let apart = rows.without(|step| Some(rows.conclusion(step)) == admin);
    let mut findings = BTreeMap::new();
    for (&from, starts) in &map.pods {
        let solver = Solver::new(graph, &apart, starts).with_states(STATES);
        let mut found = steps_across(graph, &apart, solver.reach(), &map, from);
        let view = |to, lost: &[VertexId], path: &Derivation, ways| {
            let pair = (from, to);
            finding(graph, pair, starts.len(), lost, path, ways, &sources)
        };
        for to in Environment::ALL.into_iter().filter(|to| *to != from) {
            let crossed: BTreeMap<_, _> = found.split_off_pair(to);
            for lost in crossed.values() {
                let cheapest = lost
                    .iter()
                    .min_by_key(|&&vertex| (solver.reach().cost(vertex), vertex));
                let Some(&nearest) = cheapest else { continue };
                let ways = WayCount::of(&solver, nearest);
                let path = solver.cheapest(nearest, 1).pop();
                add(path.and_then(|path| view(to, lost, &path, ways)), &mut findings);
            }
            let is_there = map.of.contains(&Some(to));
            if let (true, true, Some(admin)) = (crossed.is_empty(), is_there, admin)
                && Reach::new(rows, starts, Premises::Max).is_held(admin)
            {
                let solver = Solver::new(graph, rows, starts).with_states(STATES);
                let ways = WayCount::of(&solver, admin);
                let path = solver.cheapest(admin, 1).pop();
                add(
                    path.and_then(|path| view(to, &[admin], &path, ways)),
                    &mut findings,
                );
            }
        }
    }
    let mut findings: Vec<Finding> = findings.into_values().collect();
    for finding in &mut findings {
        let (from, to) = (bare(&finding.entry), bare(&finding.jewel));
        let [first, rest @ ..] = finding.reached.as_slice() else {
            continue;
        };
        let how = finding.way_in;
        finding.title = match rest.len() {
            0 => format!("{from} reaches into {to} by {how}: {first}"),
            more => format!("{from} reaches into {to} by {how}: {first} and {more} more"),
        };
    }
    findings
}

/// Adds a finding. One that is there already, because the cheapest way to what two techniques give is one of them,
/// gets what the other loses.
fn add(found: Option<Finding>, findings: &mut BTreeMap<String, Finding>) {
    let Some(mut found) = found else { return };
    if let Some(known) = findings.remove(&found.id) {
        let (mut cheaper, other) = if known.path.effort <= found.path.effort {
            (known, found)
        } else {
            (found, known)
        };
        cheaper.reached.extend(other.reached);
        cheaper.reached.sort();
        cheaper.reached.dedup();
        found = cheaper;
    }
    findings.insert(found.id.clone(), found);
}

/// The word of `Environment/production`.
fn bare(name: &str) -> &str {
    name.strip_prefix("Environment/").unwrap_or(name)
}

/// What crossing steps conclude, by the environment that they lead to and their technique.
struct Crossed(BTreeMap<(Environment, &'static str), BTreeSet<VertexId>>);

impl Crossed {
    /// Takes out what leads to one environment.
    fn split_off_pair(&mut self, to: Environment) -> BTreeMap<&'static str, Vec<VertexId>> {
        let mut taken = BTreeMap::new();
        self.0.retain(|(environment, technique), lost| {
            if *environment == to {
                taken.insert(*technique, lost.iter().copied().collect());
            }
            *environment != to
        });
        taken
    }
}

fn steps_across(graph: &AttackGraph, rows: &Rows, reach: &Reach, map: &Map, from: Environment) -> Crossed {
    let mut crossed = BTreeMap::<_, BTreeSet<VertexId>>::new();
    for number in 0..graph.steps().len() {
        let Ok(step) = StepId::try_from(number) else { break };
        let conclusion = rows.conclusion(step);
        let (Some(technique), Some(to)) = (graph.step(step).reason.technique(), map.lost(conclusion, graph))
        else {
            continue;
        };
        let premises = rows.premises(step);
        let is_crossing = to != from
            && premises
                .iter()
                .all(|&premise| reach.is_held(premise) && map.of[premise as usize] != Some(to));
        if is_crossing {
            crossed.entry((to, technique.id)).or_default().insert(conclusion);
        }
    }
    Crossed(crossed)
}

fn finding(
    graph: &AttackGraph,
    (from, to): (Environment, Environment),
    pods: usize,
    lost: &[VertexId],
    path: &Derivation,
    ways: WayCount,
    sources: &Sources<'_>,
) -> Option<Finding> {
    let derived = Derived::new(path, graph)?;
    let way_in = derived
        .steps
        .iter()
        .rev()
        .find_map(|step| step.reason.technique())?;
    let mut view = PathView::new(&derived, sources);
    // Somebody must have broken into the environment first: nothing is certain here.
    if view.certainty == "certain" {
        view.certainty = "assumed";
    }
    let mut reached: Vec<String> = lost
        .iter()
        .filter_map(|&vertex| graph.position(vertex))
        .map(ToString::to_string)
        .collect();
    reached.sort();
    let mut severity = FindingSeverity::of(&derived.to, None, view.effort, view.certainty);
    if from > to {
        severity = severity.lower();
    }
    let (entry, jewel) = (
        format!("Environment/{}", from.as_str()),
        format!("Environment/{}", to.as_str()),
    );
    Some(Finding {
        id: id(&entry, way_in.id, &jewel),
        severity,
        state: State::Open,
        ignored: None,
        // Once everything that is lost is known.
        title: String::new(),
        entry,
        entry_pods: pods,
        way_in: way_in.id,
        jewel,
        reached,
        path: view,
        ways,
        worth: Importance::default().worth,
        steps: derived.steps,
    })
}
