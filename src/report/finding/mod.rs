//! Findings: what someone has to know and decide about, one for each way in and crown jewel.
//!
//! A finding is not a path. It says that one workload, entered in one way, leads to one crown jewel (or to some of
//! a kind: "the Secrets of kube-system"), and shows the cheapest path. Its id is made of the lasting names of these
//! three, so it survives new pods, renamed pods and everything else that changes in the cluster.
//!
//! **Trap.** Ids are written into baselines and ignore files. What they are made of must not change.

mod boundary;
mod choke;
mod environment;
mod ignore;
mod names;
mod severity;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use choke::{ChokePoint, cuts};
pub use ignore::{Day, IgnoreError, IgnoreList, Ignored};
pub use severity::FindingSeverity;

pub(super) use names::{top_of, workload_of};

use super::findings::{Derived, STATES};
use super::path::{PathView, Sources};
use super::remedy::Change;
use crate::datastores::{Importance, Settings};
use crate::graph::{AttackGraph, Rows, VertexId};
use crate::model::{Cluster, Text};
use crate::paths::{Derivation, Premises, Reach, Solver};
use crate::techniques::{Facts, Position, Step};
use ways::Ways;

/// What a finding is made of, for [`id`]; another number would give all findings new ids.
const ID_VERSION: &str = "beachhead finding 1";
/// Edges that all searches for single ways may follow together; beyond it, ways are left out and counted.
const EDGES: usize = 200_000_000;

/// Whether a finding is to be dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Open,
    /// It is in the baseline: it was there before.
    Known,
    /// Someone took it on themselves, see [`Finding::ignored`].
    Ignored,
}

/// How many ways lead to what a path ends at, this path included; they differ in a step at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WayCount {
    /// How many were found.
    pub count: usize,
    /// Whether there are no others; the count ends at [`WayCount::MOST`], and for want of time.
    pub complete: bool,
}

impl WayCount {
    /// Ways that are counted.
    const MOST: usize = 50;

    fn of(solver: &Solver<'_>, target: VertexId) -> Self {
        let (count, complete) = solver.count(target, Self::MOST);
        Self { count, complete }
    }

    /// `the cheapest of at least 12 ways`.
    pub fn words(self) -> String {
        match (self.count, self.complete) {
            (1, true) => "the only way".to_owned(),
            (count, true) => format!("the cheapest of {count} ways"),
            (1, false) => "there may be other ways".to_owned(),
            (count, false) => format!("the cheapest of at least {count} ways"),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `bh-` and 16 hexadecimal digits.
    pub id: String,
    /// How bad it is.
    pub severity: FindingSeverity,
    /// Whether it is to be dealt with.
    pub state: State,
    /// Who ignores it, why, and until when.
    pub ignored: Option<Ignored>,
    /// One sentence.
    pub title: String,
    /// What is entered: a workload's id, or several.
    pub entry: String,
    /// How many pods the entry stands for.
    pub entry_pods: usize,
    /// The technique's id by which it is entered.
    pub way_in: &'static str,
    /// What is lost: a crown jewel's id, or the name of a kind of them.
    pub jewel: String,
    /// The ids of the crown jewels that are lost, sorted.
    pub reached: Vec<String>,
    /// The cheapest path to one of them.
    pub path: PathView,
    /// How many ways there are.
    pub ways: WayCount,
    /// What is lost is worth this much, from 0 to 10; 5 if nobody says.
    #[serde(skip)]
    pub worth: u8,
    /// The steps of that path.
    #[serde(skip)]
    pub steps: Vec<Step>,
}

/// Everything there is to decide about.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    /// The findings, worst first, then cheapest first.
    pub findings: Vec<Finding>,
    /// The steps whose removal takes away most of them.
    pub choke_points: Vec<ChokePoint>,
    /// What to change, see [`super::changes`].
    pub changes: Vec<Change>,
    /// How many ways in were not looked at one by one, for want of time.
    pub ways_not_searched: usize,
}

/// Crown jewels that make one finding.
#[derive(Debug)]
struct Jewels {
    name: String,
    targets: Vec<VertexId>,
}

/// A finding on its way, by numbers.
#[derive(Debug)]
struct Found {
    way: Option<usize>,
    jewels: usize,
    reached: Vec<VertexId>,
    path: Derivation,
    ways: WayCount,
}

/// Returns the id of the finding of this entry, technique and jewel.
pub fn id(entry: &str, way_in: &str, jewel: &str) -> String {
    let mut hash = Sha256::new();
    for part in [ID_VERSION, entry, way_in, jewel] {
        // The length keeps parts apart whatever they hold.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let hex: Vec<String> = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("bh-{}", hex.concat())
}

/// Returns what someone who holds `start` can do to the jewels, worst first; `rows` are those of `graph`.
///
/// # Complexity
/// One pass over the graph for each way in and one search for each finding, on all processors; ways beyond a fixed
/// number of edges are left out and counted.
pub fn findings(
    graph: &AttackGraph,
    rows: &Rows,
    start: &Position,
    jewels: &[(Position, Text)],
    cluster: &Cluster,
    (facts, settings): (&Facts, &Settings),
) -> Ranked {
    let starts: Vec<VertexId> = graph.vertex(start).into_iter().collect();
    let ways = Ways::new(graph, rows, &starts, cluster);
    let most = (EDGES / rows.edges().max(1)).max(8);
    let ways_not_searched = ways.all.len().saturating_sub(most);
    let kinds = kinds(graph, jewels);
    let states = (STATES / (kinds.len() * ways.all.len().min(most)).max(1)).clamp(200, 20_000);
    let search = |rows: &Rows, way: Option<usize>| -> Vec<Found> {
        let solver = Solver::new(graph, rows, &starts).with_states(states);
        let kinds = kinds.iter().enumerate();
        kinds
            .filter_map(|(jewels, kind)| found(&solver, way, jewels, kind))
            .collect()
    };
    let mut all: Vec<Found> = (0..ways.all.len().min(most))
        .into_par_iter()
        .flat_map_iter(|way| search(&ways.alone(way, rows), Some(way)))
        .collect();
    let missed = |found: &Found| all.iter().all(|known| known.jewels != found.jewels);
    let together: Vec<Found> = search(rows, None).into_iter().filter(missed).collect();
    all.extend(together);
    let sources = Sources::new(cluster);
    let worth: Worth = facts
        .databases()
        .into_iter()
        .map(|(position, datastore)| (position, datastore.importance.worth))
        .collect();
    let view = |found: &Found| view(found, graph, &ways, &kinds, &sources, &worth);
    let mut views: Vec<(Finding, &Found)> = all
        .iter()
        .filter_map(|found| Some((view(found)?, found)))
        .collect();
    views.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
    let searched: Vec<(&str, &Found)> = views
        .iter()
        .map(|(view, found)| (view.id.as_str(), *found))
        .collect();
    let choke_points = choke::points(graph, rows, &starts, &ways, &searched, cluster);
    let mut findings: Vec<Finding> = views.into_iter().map(|(view, _)| view).collect();
    findings.extend(boundary::crossings(graph, rows, cluster, settings));
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    Ranked {
        findings,
        choke_points,
        changes: Vec::new(),
        ways_not_searched,
    }
}

/// What databases are worth, by position.
type Worth = BTreeMap<Position, u8>;

/// Returns the ids of the findings that [`findings`] makes, without their paths.
///
/// # Complexity
/// That of [`findings`] without the searches and the places to cut.
pub(super) fn ids(
    graph: &AttackGraph,
    rows: &Rows,
    start: &Position,
    jewels: &[(Position, Text)],
    cluster: &Cluster,
    settings: &Settings,
) -> BTreeSet<String> {
    let starts: Vec<VertexId> = graph.vertex(start).into_iter().collect();
    let ways = Ways::new(graph, rows, &starts, cluster);
    let most = (EDGES / rows.edges().max(1)).max(8);
    let kinds = kinds(graph, jewels);
    let mut ids = BTreeSet::new();
    let mut alone = BTreeSet::new();
    for (at, way) in ways.all.iter().enumerate().take(most) {
        let reach = again(&ways.alone(at, rows), &starts);
        for (kind, jewels) in kinds.iter().enumerate() {
            if jewels.targets.iter().any(|&target| reach.is_held(target)) {
                ids.insert(id(&way.entry, way.technique.id, &jewels.name));
                alone.insert(kind);
            }
        }
    }
    let solver = Solver::new(graph, rows, &starts).with_states(200);
    let sources = Sources::new(cluster);
    for (kind, jewels) in kinds.iter().enumerate().filter(|(kind, _)| !alone.contains(kind)) {
        let together = found(&solver, None, kind, jewels);
        let together = together.and_then(|found| view(&found, graph, &ways, &kinds, &sources, &Worth::new()));
        ids.extend(together.map(|finding| finding.id));
    }
    let crossings = boundary::crossings(graph, rows, cluster, settings);
    ids.extend(crossings.into_iter().map(|finding| finding.id));
    ids
}

type Order<'a> = (
    std::cmp::Reverse<FindingSeverity>,
    std::cmp::Reverse<u8>,
    u32,
    usize,
    &'a str,
    &'a str,
    &'a str,
);

fn order(finding: &Finding) -> Order<'_> {
    (
        std::cmp::Reverse(finding.severity),
        std::cmp::Reverse(finding.worth),
        finding.path.effort,
        finding.path.steps.len(),
        &finding.entry,
        &finding.jewel,
        finding.way_in,
    )
}

/// The crown jewels by what they make a finding of: nodes and Secrets of the system together, others each alone.
fn kinds(graph: &AttackGraph, jewels: &[(Position, Text)]) -> Vec<Jewels> {
    let mut kinds: Vec<Jewels> = Vec::new();
    for (position, _) in jewels {
        let Some(target) = graph.vertex(position) else {
            continue;
        };
        let name = match position {
            Position::Node(_) => "the control-plane nodes".to_owned(),
            Position::Secret(place) => format!("the Secrets of {}", place.namespace),
            _ => position.to_string(),
        };
        match kinds.last_mut().filter(|kind| kind.name == name) {
            Some(kind) => kind.targets.push(target),
            None => kinds.push(Jewels {
                name,
                targets: vec![target],
            }),
        }
    }
    kinds
}

fn found(solver: &Solver<'_>, way: Option<usize>, jewels: usize, kind: &Jewels) -> Option<Found> {
    let reach = solver.reach();
    let mut reached: Vec<VertexId> = kind.targets.clone();
    reached.retain(|&target| reach.is_held(target));
    let nearest = *reached
        .iter()
        .min_by_key(|&&target| (reach.cost(target), target))?;
    let path = solver.cheapest(nearest, 1).pop()?;
    Some(Found {
        way,
        jewels,
        reached,
        ways: WayCount::of(solver, nearest),
        path,
    })
}

fn view(
    found: &Found,
    graph: &AttackGraph,
    ways: &Ways,
    kinds: &[Jewels],
    sources: &Sources<'_>,
    worth: &Worth,
) -> Option<Finding> {
    let derived = Derived::new(&found.path, graph)?;
    let path = PathView::new(&derived, sources);
    let (entry, way_in, entry_pods) = if let Some(way) = found.way {
        let way = &ways.all[way];
        (way.entry.clone(), way.technique.id, way.places)
    } else {
        let mut used: Vec<usize> = found
            .path
            .steps
            .iter()
            .filter_map(|step| ways.of.get(step).copied())
            .collect();
        used.sort_unstable();
        used.dedup();
        let names: Vec<&str> = used.iter().map(|&way| ways.all[way].entry.as_str()).collect();
        let first = *used.first()?;
        let places = used.iter().map(|&way| ways.all[way].places).sum();
        (names.join(" and "), ways.all[first].technique.id, places)
    };
    let jewel = kinds[found.jewels].name.clone();
    let mut reached: Vec<String> = found
        .reached
        .iter()
        .filter_map(|&target| graph.position(target))
        .map(ToString::to_string)
        .collect();
    reached.sort();
    let worth = worth.get(&derived.to).copied();
    Some(Finding {
        id: id(&entry, way_in, &jewel),
        worth: worth.unwrap_or(Importance::default().worth),
        severity: FindingSeverity::of(&derived.to, worth, path.effort, path.certainty),
        state: State::Open,
        ignored: None,
        title: if entry == jewel {
            format!("{jewel} falls to {} at once", path.from.join(" and "))
        } else {
            format!("{entry} leads to {jewel}")
        },
        entry,
        entry_pods,
        way_in,
        jewel,
        reached,
        path,
        ways: found.ways,
        steps: derived.steps,
    })
}

/// Whether a finding can still be made after the graph lost some steps.
fn stands(found: &Found, kinds_held: &Reach) -> bool {
    found.reached.iter().any(|&target| kinds_held.is_held(target))
}

/// Solves again in a smaller graph.
fn again(rows: &Rows, starts: &[VertexId]) -> Reach {
    Reach::new(rows, starts, Premises::Max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_parts_alone() {
        let base = id("Deployment/shop/web", "EXPLOIT_OF_TESTS", "ClusterAdmin");
        assert_eq!(base, "bh-c3321b6f454f4ebd");
        assert_ne!(
            base,
            id("Deployment/shop/webE", "XPLOIT_OF_TESTS", "ClusterAdmin")
        );
        assert_ne!(
            base,
            id("Deployment/shop/web", "EXPLOIT_OF_TESTS", "Database/shop/mysql")
        );
    }
}
