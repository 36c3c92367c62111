//! Everything a report says, as plain data, in the order it is said.
//!
//! **Trap.** The member names are a published format: a change of meaning needs a new number in [`SCHEMA`].

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::finding::{ChokePoint, Finding, Ranked};
use super::path::{PathView, Sources};
use super::remedy::Change;
use super::uncertain::Uncertain;
use crate::collect::bootstrap;
use crate::datastores::Datastore;
use crate::graph::{AttackGraph, Rows, VertexId};
use crate::model::{Cluster, Coverage, Diagnostic, Severity, Text};
use crate::paths::{Derivation, Solver};
use crate::techniques::{Facts, Place, Position, Step};

/// Name and version of the JSON form.
pub const SCHEMA: &str = "beachhead.report/1";

/// The solver's answer for one target.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The target.
    pub to: Position,
    /// The steps of a derivation, in an order that can be carried out.
    pub steps: Vec<Step>,
    /// Whether it is known that none is cheaper.
    pub proven: bool,
}

impl Derived {
    /// Returns the answer with everything that its steps say; `None` if the target is a join of the graph.
    pub fn new(derivation: &Derivation, graph: &AttackGraph) -> Option<Self> {
        let steps = derivation.steps.iter();
        Some(Self {
            to: graph.position(derivation.target)?.clone(),
            steps: steps.map(|&step| graph.step(step).clone()).collect(),
            proven: derivation.proven,
        })
    }
}

/// What findings are made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The input as the user named it.
    pub name: &'a str,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What the floors beneath say about it.
    pub facts: &'a Facts,
    /// How many objects of each kind were read, see [`counts`].
    pub objects: &'a BTreeMap<String, usize>,
    /// What was wrong while reading.
    pub diagnostics: &'a [Diagnostic],
}

/// The program that wrote a report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What was read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InputView {
    /// The input as the user named it.
    pub name: String,
    /// How many objects of each kind, without stand-in pods and default roles that were added.
    pub objects: BTreeMap<String, usize>,
    /// How many pods stand for a workload whose pods are not in the input.
    #[serde(rename = "standInPods")]
    pub stand_in_pods: usize,
}

/// A diagnostic, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct DiagnosticView {
    /// How much it takes away from the answer.
    pub severity: Severity,
    /// Stable name of its kind.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The id of the object it is about.
    pub object: Option<String>,
    /// `file:line`, if it is about a place in a file.
    pub source: Option<String>,
    /// What to do about it; empty if there is nothing to do.
    pub hint: String,
}

/// A container port of a workload that the outside reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Exposed {
    /// The workload's id.
    pub workload: String,
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub proto: String,
    /// The ids of the objects that expose it.
    pub via: Vec<String>,
}

/// Something that must not fall to an attacker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jewel {
    /// The position's id.
    pub id: String,
    /// Why it counts.
    pub why: String,
    /// Whether a path leads to it.
    pub reached: bool,
    /// What the cheapest path costs.
    pub effort: Option<u32>,
    /// Of a database, what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datastore: Option<DatastoreView>,
}

/// A database, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DatastoreView {
    /// The family's name in the table.
    pub family: String,
    /// What it is known by: `image`, `operator`, `program`, `environment`, `address`, `port` or `settings`.
    pub basis: &'static str,
    /// The class of its data, if somebody says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// What it is worth, 1 to 10.
    pub worth: u8,
}

impl DatastoreView {
    fn new(datastore: &Datastore) -> Self {
        Self {
            family: datastore.family.id.clone(),
            basis: datastore.basis.as_str(),
            data: datastore.importance.data.to_string(),
            worth: datastore.importance.worth,
        }
    }
}

/// Everything a report says.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What wrote it.
    pub tool: Tool,
    /// What was read.
    pub input: InputView,
    /// What is taken to be so because the input does not say.
    pub assumptions: Vec<String>,
    /// What the input covers.
    pub coverage: Coverage,
    /// What was wrong or is not known.
    pub diagnostics: Vec<DiagnosticView>,
    /// Positions the analysis starts from.
    pub entry_points: Vec<String>,
    /// What the outside reaches.
    pub exposed: Vec<Exposed>,
    /// What must not be reached.
    pub crown_jewels: Vec<Jewel>,
    /// What there is to decide about, worst first.
    pub findings: Vec<Finding>,
    /// The steps whose removal takes away most findings.
    pub choke_points: Vec<ChokePoint>,
    /// What to change, what ends most findings first.
    pub changes: Vec<Change>,
    /// How many ways in were not looked at one by one, for want of time.
    pub ways_not_searched: usize,
    /// The cheapest path to each crown jewel that can be reached, cheapest first.
    pub paths: Vec<PathView>,
    /// The ids of the crown jewels that no path leads to.
    pub unreached: Vec<String>,
    /// The verdicts that may change with what could not be read, for each resource of the coverage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncertain: Vec<Uncertain>,
}

/// States that all searches of a report may look at together; of few jewels each gets more.
pub(super) const STATES: usize = 100_000;

/// Returns the cheapest path from a start to each crown jewel that can be reached, in the order of the jewels; `rows` are
/// those of `graph`.
///
/// # Complexity
/// One search for each jewel, side by side on all processors; together they look at about 100,000 states.
pub fn cheapest(
    graph: &AttackGraph,
    rows: &Rows,
    start: &Position,
    jewels: &[(Position, Text)],
) -> Vec<Derivation> {
    let starts: Vec<VertexId> = graph.vertex(start).into_iter().collect();
    let states = (STATES / jewels.len().max(1)).clamp(200, 20_000);
    let solver = Solver::new(graph, rows, &starts).with_states(states);
    let targets: Vec<VertexId> = jewels
        .iter()
        .filter_map(|(jewel, _)| graph.vertex(jewel))
        .collect();
    let paths = targets
        .par_iter()
        .flat_map_iter(|&target| solver.cheapest(target, 1));
    paths.collect()
}

/// Returns every crown jewel with the reason it counts, sorted by what it is: databases, those worth most first, then
/// the rest.
pub fn crown_jewels(cluster: &Cluster, facts: &Facts) -> Vec<(Position, Text)> {
    let mut jewels = BTreeMap::<(u8, u8, Position), Text>::new();
    jewels.insert((1, 0, Position::ClusterAdmin), "controls everything".into());
    for datastore in facts
        .datastores
        .iter()
        .filter(|datastore| datastore.importance.is_jewel)
    {
        let id = &datastore.workload;
        let database = Position::Database(Place::new(&id.namespace, &id.name));
        let importance = &datastore.importance;
        let data = match importance.data.as_str() {
            "" => String::new(),
            data => format!("{data} "),
        };
        let known = match datastore.basis {
            basis if basis.needs_words() => format!(", known by {}", basis.phrase()),
            _ => String::new(),
        };
        let why = format!("holds {data}data ({}{known})", datastore.family.title);
        let key = (0, u8::MAX - importance.worth, database);
        jewels.entry(key).or_insert_with(|| why.into());
    }
    for node in cluster.nodes.values().filter(|node| node.is_control_plane()) {
        let node = Position::Node(node.meta.name.clone());
        jewels.insert((2, 0, node), "runs the control plane".into());
    }
    for secret in cluster
        .secrets
        .values()
        .filter(|secret| secret.meta.namespace == "kube-system")
    {
        let place = Place::new(&secret.meta.namespace, &secret.meta.name);
        jewels.insert((3, 0, Position::Secret(place)), "a secret of the system".into());
    }
    let jewels = jewels.into_iter();
    jewels.map(|((_, _, position), why)| (position, why)).collect()
}

impl Findings {
    /// Returns what is to be reported; `paths` holds the jewels that can be reached, from `starts`.
    pub fn new(inputs: Inputs<'_>, starts: &[Position], paths: &[Derived]) -> Self {
        let Inputs {
            name, cluster, facts, ..
        } = inputs;
        let sources = Sources::new(cluster);
        let mut views: Vec<PathView> = paths.iter().map(|path| PathView::new(path, &sources)).collect();
        views.sort_by(|a, b| (a.effort, a.steps.len(), &a.to).cmp(&(b.effort, b.steps.len(), &b.to)));
        let efforts: BTreeMap<&str, u32> = views.iter().map(|path| (path.to.as_str(), path.effort)).collect();
        let databases = facts.databases();
        let crown_jewels: Vec<Jewel> = crown_jewels(cluster, facts)
            .into_iter()
            .map(|(position, why)| {
                let id = position.to_string();
                let effort = efforts.get(id.as_str()).copied();
                let datastore = databases.get(&position).copied().map(DatastoreView::new);
                Jewel {
                    id,
                    datastore,
                    why: why.to_string(),
                    reached: effort.is_some(),
                    effort,
                }
            })
            .collect();
        let missed = crown_jewels.iter().filter(|jewel| !jewel.reached);
        Self {
            schema: SCHEMA,
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            input: InputView {
                name: name.to_owned(),
                objects: inputs.objects.clone(),
                stand_in_pods: cluster.stand_ins.len(),
            },
            assumptions: assumptions(cluster, facts),
            coverage: cluster.coverage.clone(),
            diagnostics: diagnostics(inputs),
            entry_points: starts.iter().map(ToString::to_string).collect(),
            exposed: exposed(cluster, facts),
            unreached: missed.map(|jewel| jewel.id.clone()).collect(),
            crown_jewels,
            findings: Vec::new(),
            choke_points: Vec::new(),
            changes: Vec::new(),
            ways_not_searched: 0,
            paths: views,
            uncertain: Vec::new(),
        }
        .with_doubts()
    }

    /// Returns the changes of each finding, by its id: those that end it, or else those of what its path rests on.
    pub(super) fn changes_of(&self) -> BTreeMap<&str, Vec<&Change>> {
        let mut of = BTreeMap::<&str, Vec<&Change>>::new();
        for change in &self.changes {
            let ids = if change.verified {
                &change.removes
            } else {
                &change.on_paths
            };
            for id in ids {
                of.entry(id).or_default().push(change);
            }
        }
        of
    }

    /// Returns the same with what there is to decide about.
    #[must_use]
    pub fn with(self, ranked: Ranked) -> Self {
        Self {
            findings: ranked.findings,
            choke_points: ranked.choke_points,
            changes: ranked.changes,
            ways_not_searched: ranked.ways_not_searched,
            ..self
        }
        .with_doubts()
    }
}

/// Returns how many objects of each kind were read: without stand-in pods and default roles that were added.
pub fn counts(cluster: &Cluster) -> BTreeMap<String, usize> {
    let added = bootstrap::added(cluster);
    let mut counts = BTreeMap::new();
    for (id, _) in cluster
        .objects()
        .filter(|(id, _)| !cluster.stand_ins.contains(id) && !added.contains(id))
    {
        *counts.entry(id.kind.to_string()).or_default() += 1;
    }
    counts
}

fn assumptions(cluster: &Cluster, facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    let mut assume = |holds: bool, text: &str| {
        if holds {
            lines.push(text.to_owned());
        }
    };
    assume(
        true,
        "an application that the internet reaches is taken to be breakable",
    );
    let engine = facts.network.engine();
    assume(
        cluster.network_policies.is_empty() && cluster.admin_policies.is_empty() && engine.is_none(),
        "no NetworkPolicy in the input: every pod is taken to reach every other one",
    );
    let has_policies =
        !cluster.network_policies.is_empty() || !cluster.admin_policies.is_empty() || engine.is_some();
    match (has_policies, facts.network.plugin(), facts.network.ignores_policies()) {
        (false, ..) => {}
        (true, Some(plugin), true) => lines.insert(
            0,
            format!(
                "network policies have no effect: {} does not enforce them, every pod is taken to reach every other one",
                plugin.name
            ),
        ),
        (true, Some(plugin), false) => lines.push(format!("network policies are enforced by {}", plugin.name)),
        (true, None, _) => {
            let by = engine.map_or_else(String::new, |name| format!(" by {name}, as the input holds policies of it"));
            lines.push(format!(
                "network policies are taken to be enforced{by}; that is the network plugin's work, which the input does not show"
            ));
        }
    }
    let mut assume = |holds: bool, text: &str| {
        if holds {
            lines.push(text.to_owned());
        }
    };
    assume(
        cluster.coverage.bootstrap_rbac_added,
        "the default roles and bindings of Kubernetes were added, as the input has none",
    );
    assume(
        cluster.nodes.is_empty(),
        "no Node in the input: pods are taken to run on one unnamed worker that the internet can reach",
    );
    assume(
        !cluster.stand_ins.is_empty(),
        "a workload without pods in the input is taken to run one pod of its template",
    );
    lines
}

fn diagnostics(inputs: Inputs<'_>) -> Vec<DiagnosticView> {
    let all = inputs.diagnostics.iter().chain(&inputs.facts.diagnostics);
    let views: BTreeSet<_> = all
        .map(|diagnostic| DiagnosticView {
            severity: diagnostic.code.severity(),
            code: diagnostic.code.as_str(),
            message: diagnostic.message.to_string(),
            object: diagnostic.object.as_ref().map(ToString::to_string),
            source: diagnostic.source.is_file().then(|| diagnostic.source.to_string()),
            hint: diagnostic.hint.to_string(),
        })
        .collect();
    let mut views: Vec<_> = views.into_iter().collect();
    views.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    views
}

fn exposed(cluster: &Cluster, facts: &Facts) -> Vec<Exposed> {
    let mut merged = BTreeMap::<(String, u16, String), BTreeSet<String>>::new();
    for exposure in facts.network.exposures() {
        let Some((_, pod)) = cluster.pods.at(exposure.pod) else {
            continue;
        };
        let workload = cluster.workload_of(pod).to_string();
        let via = merged
            .entry((workload, exposure.port, exposure.protocol.to_string()))
            .or_default();
        via.extend(exposure.via.iter().map(ToString::to_string));
    }
    let view = |((workload, port, proto), via): ((String, u16, String), BTreeSet<String>)| Exposed {
        workload,
        port,
        proto,
        via: via.into_iter().collect(),
    };
    merged.into_iter().map(view).collect()
}
