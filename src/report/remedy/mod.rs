//! What to change: for the facts that findings rest on, the YAML that takes the fact away, shown by solving again.
//!
//! A change is proposed for a fact (`pod`, `rights`, `traffic`), made to a copy of the cluster (`edit`), and the whole
//! analysis is run again: what it names as removed is gone then, by every technique there is. A change that removes
//! nothing, or opens something, is not told. Where the graph is too large to be made anew, changes are told as not
//! shown.
//!
//! **Trap.** A patch is written from the model, which keeps the fields that rules read. A list that is replaced as a
//! whole must be one that the model keeps as a whole.

mod edit;
mod pod;
mod rights;
mod traffic;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub(super) use pod::labels_of;

use super::finding::{self, Finding};
use super::findings::crown_jewels;
use super::path::Sources;
use crate::datastores::Settings;
use crate::graph::{AttackGraph, Rows};
use crate::model::{Cluster, Text};
use crate::techniques::{self, Evidence, Facts, Position, Step};
use edit::Edit;

/// Edges of the graph times changes that are made for a report: what takes a second or two.
pub const SOLVED_EDGES: usize = 1_500_000;
/// Most changes that are shown by solving again.
const SOLVED: usize = 48;
/// Most changes of a report.
const TOLD: usize = 24;
/// Findings whose paths are searched for facts.
const SEARCHED: usize = 500;

/// What is solved again.
#[derive(Clone, Copy, Debug)]
pub struct Solving<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What the user says of it.
    pub settings: &'a Settings,
    /// Edges of the graph times changes that are made, at most; usually [`SOLVED_EDGES`].
    pub edges: usize,
}

/// One object to change, add or delete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Patch {
    /// The object's id.
    pub object: String,
    /// `file:line` of the object, if it came from a file.
    pub source: Option<String>,
    /// What to do with the YAML, the file being called `change.yaml`.
    pub command: String,
    /// The YAML: the object's identity with the fields to change, or the whole of a new object.
    pub yaml: String,
}

/// One change that ends findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `change-` and 8 hexadecimal digits, made of what is changed.
    pub id: String,
    /// What to do, in one sentence.
    pub title: String,
    /// Who may rely on what is taken away.
    pub mind: &'static str,
    /// The objects.
    pub patches: Vec<Patch>,
    /// Whether the analysis was run again with the change in place.
    pub verified: bool,
    /// The ids of the findings that are gone then, in the order of the report; none if it was not run.
    pub removes: Vec<String>,
    /// The ids of the findings whose path rests on what is changed, in the order of the report.
    pub on_paths: Vec<String>,
}

/// A change before it is known what it does.
#[derive(Clone, Debug)]
struct Proposal {
    title: String,
    mind: &'static str,
    edits: Vec<Edit>,
    /// Proposals of one slot do the same, the gentlest first; one that does no more than one before is left out.
    slot: String,
    /// Whether it takes away what was meant to be there for others: such changes come last.
    blunt: bool,
}

impl Proposal {
    fn new(slot: impl Into<String>, title: String, mind: &'static str, edits: Vec<Edit>) -> Self {
        Self {
            title,
            mind,
            edits,
            slot: slot.into(),
            blunt: false,
        }
    }

    fn blunt(self) -> Self {
        Self { blunt: true, ..self }
    }
}

/// Everything that may be done about one fact of one step.
fn proposals(step: &Step, fact: &Evidence, cluster: &Cluster) -> Vec<Proposal> {
    let mut all = pod::proposals(step, fact, cluster);
    all.extend(rights::proposals(step, fact, cluster));
    all.extend(traffic::proposals(step, fact, cluster));
    all
}

/// The proposals for all facts of the findings, those on most paths first, with the findings on whose paths they are.
fn candidates(findings: &[Finding], cluster: &Cluster) -> Vec<(Proposal, Vec<usize>)> {
    let mut facts = BTreeMap::<(&'static str, &Evidence), (&Step, Vec<usize>)>::new();
    for (at, finding) in findings.iter().enumerate().take(SEARCHED) {
        for step in &finding.steps {
            for fact in &step.evidence {
                let (_, on) = facts
                    .entry((step.reason.label(), fact))
                    .or_insert_with(|| (step, Vec::new()));
                if on.last() != Some(&at) {
                    on.push(at);
                }
            }
        }
    }
    let mut known = BTreeMap::<String, usize>::new();
    let mut all: Vec<(Proposal, Vec<usize>)> = Vec::new();
    for ((_, fact), (step, on)) in facts {
        for proposal in proposals(step, fact, cluster) {
            let next = all.len();
            match *known.entry(proposal.title.clone()).or_insert(next) {
                new if new == next => all.push((proposal, on.clone())),
                old => all[old].1.extend(&on),
            }
        }
    }
    for (_, on) in &mut all {
        on.sort_unstable();
        on.dedup();
    }
    // Stable: the order of the catalogue's labels and of the facts stays among equals.
    all.sort_by_key(|(proposal, on)| (proposal.blunt, std::cmp::Reverse(on.len())));
    all
}

/// What is left of the findings after a change; `None` if the change cannot be made.
fn left(
    proposal: &Proposal,
    cluster: &Cluster,
    settings: &Settings,
    start: &Position,
) -> Option<BTreeSet<String>> {
    let mut changed = cluster.clone();
    for edit in &proposal.edits {
        edit.apply(&mut changed)?;
    }
    let facts = Facts::with(&changed, settings);
    let graph = AttackGraph::new(techniques::steps(&facts.context(&changed)));
    let jewels = crown_jewels(&changed, &facts);
    Some(finding::ids(
        &graph,
        &graph.freeze(),
        start,
        &jewels,
        &changed,
        settings,
    ))
}

/// Returns what to change: what ends most findings first, what takes things away from honest users last; `rows` are
/// those of `graph`.
///
/// # Complexity
/// The whole analysis once for each change that is shown, up to a fixed number of edges.
pub fn changes(
    findings: &[Finding],
    graph: &AttackGraph,
    rows: &Rows,
    start: &Position,
    jewels: &[(Position, Text)],
    solving: &Solving<'_>,
) -> Vec<Change> {
    let Solving {
        cluster, settings, ..
    } = *solving;
    if findings.is_empty() {
        return Vec::new();
    }
    let candidates = candidates(findings, cluster);
    let most = (solving.edges / rows.edges().max(1)).min(SOLVED);
    let sources = Sources::new(cluster);
    let known = match most {
        0 => BTreeSet::new(),
        _ => finding::ids(graph, rows, start, jewels, cluster, settings),
    };
    let solved: Vec<Option<BTreeSet<String>>> = candidates
        .par_iter()
        .take(most)
        .map(|(proposal, _)| left(proposal, cluster, settings, start))
        .collect();
    let mut best = BTreeMap::<&str, usize>::new();
    let mut changes = Vec::new();
    for (at, (proposal, on)) in candidates.iter().enumerate() {
        let verified = at < most;
        let removes = match solved.get(at) {
            Some(left) => removed(findings, &known, left.as_ref()),
            None => Vec::new(),
        };
        let is_first = best
            .get(proposal.slot.as_str())
            .is_none_or(|&done| removes.len() > done);
        if !is_first || verified && removes.is_empty() {
            continue;
        }
        best.insert(&proposal.slot, removes.len());
        let edits = proposal.edits.iter();
        let patches: Option<Vec<Patch>> = edits.map(|edit| edit.patch(cluster, &sources)).collect();
        if let Some(patches) = patches {
            let order = (proposal.blunt, std::cmp::Reverse(removes.len()));
            let change = Change {
                id: id(&proposal.title),
                title: proposal.title.clone(),
                mind: proposal.mind,
                patches,
                verified,
                removes,
                on_paths: on.iter().map(|&at| findings[at].id.clone()).collect(),
            };
            changes.push((order, change));
        }
    }
    // What is known to help hides what may.
    if changes.iter().any(|(_, change)| change.verified) {
        changes.retain(|(_, change)| change.verified);
    }
    changes.sort_by_key(|(order, _)| *order);
    changes.truncate(TOLD);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// The findings that are gone when these are left; none if the change could not be made, or opens what was closed.
fn removed(findings: &[Finding], known: &BTreeSet<String>, left: Option<&BTreeSet<String>>) -> Vec<String> {
    let Some(left) = left.filter(|left| left.is_subset(known)) else {
        return Vec::new();
    };
    let ids = findings.iter().map(|finding| &finding.id);
    ids.filter(|&id| known.contains(id) && !left.contains(id))
        .cloned()
        .collect()
}

fn id(title: &str) -> String {
    let digest = Sha256::digest(title);
    let hex: Vec<String> = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("change-{}", hex.concat())
}
