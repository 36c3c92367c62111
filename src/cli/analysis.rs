//! From the input to steps and paths: the pipeline that the commands share.
//!
//! **Trap.** The cluster holds default roles and stand-in pods that the input does not; [`Analysis::objects`]
//! counts what was read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::input::ReadInput;
use super::{Streams, safe};
use crate::datastores::Settings;
use crate::graph::{AttackGraph, VertexId};
use crate::model::{Cluster, Diagnostic, Severity};
use crate::query::did_you_mean;
use crate::report::{self, counted};
use crate::techniques::{self, Facts, Place, Position};

/// Most diagnostics that a command prints beside its result.
const DIAGNOSTICS_SHOWN: usize = 20;

/// The file of settings that is read unasked.
const SETTINGS: &str = "beachhead.toml";
/// The longest that it may be, in bytes.
const LARGEST_SETTINGS: u64 = 1 << 20;

/// How it is read, whatever it is.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct HowArgs {
    /// The namespace of objects that name none
    #[arg(long, value_name = "NAMESPACE", default_value = "default")]
    pub(super) default_namespace: String,
}

/// What the user says of the cluster.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// What databases and environments there are and what they are worth; beachhead.toml of the working directory if
    /// there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A cluster that was read.
#[derive(Debug)]
pub(super) struct Analysis {
    /// The input as the user named it.
    pub(super) name: String,
    /// The cluster, with default roles.
    pub(super) cluster: Cluster,
    /// How many objects of each kind were read.
    pub(super) objects: BTreeMap<String, usize>,
    /// What was wrong while reading.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What follows from the cluster.
    pub(super) facts: Facts,
    /// What the user says of it.
    pub(super) settings: Settings,
}

impl ConfigArgs {
    /// Reads the user's settings: the file that was named, else the one of the working directory, if it is there.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        let usual = Path::new(SETTINGS);
        let path = match &self.config {
            Some(path) => path,
            None if usual.is_file() => usual,
            None => return Ok(Settings::default()),
        };
        let mut text = String::new();
        let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(LARGEST_SETTINGS + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        if text.len() as u64 > LARGEST_SETTINGS {
            bail!(
                "{} is longer than 1 MiB, which no file of settings is; is it the right one?",
                path.display()
            );
        }
        Ok(Settings::parse(&path.display().to_string(), &text)?)
    }
}

impl Analysis {
    /// Draws the first conclusions from a cluster that was read.
    pub(super) fn new(read: ReadInput, settings: &Settings, streams: &mut Streams<'_>) -> Self {
        let ReadInput {
            name,
            cluster,
            diagnostics,
        } = read;
        streams.stage("deciding who reaches and may do what");
        let objects = report::counts(&cluster);
        let facts = Facts::with(&cluster, settings);
        streams.stage_done();
        Self {
            name,
            cluster,
            objects,
            diagnostics,
            facts,
            settings: settings.clone(),
        }
    }

    /// Prints the warnings beside a result.
    pub(super) fn warn(&self, err: &mut dyn Write) {
        warn(self.diagnostics.iter().chain(&self.facts.diagnostics), err);
    }
}

/// Prints warnings, as many as one can read.
pub(super) fn warn<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, err: &mut dyn Write) {
    let warnings: Vec<_> = diagnostics
        .into_iter()
        .filter(|found| found.code.severity() == Severity::Warning)
        .collect();
    let alike = report::folded(
        warnings.iter().copied(),
        |found| (found.code, &found.hint),
        |found| &found.message,
    );
    for (found, count) in alike.iter().take(DIAGNOSTICS_SHOWN) {
        let more = match count {
            1 => String::new(),
            count => format!(" and {} more like it", count - 1),
        };
        let text = found.to_string().replace('\n', "\\n");
        let _ = writeln!(err, "warning: {}{more}", safe(&text));
    }
    if alike.len() > DIAGNOSTICS_SHOWN {
        let rest = counted(alike.len() - DIAGNOSTICS_SHOWN, "more warning");
        let _ = writeln!(err, "warning: {rest}; `beachhead report` lists all");
    }
}

/// Returns the number of the position with this id.
pub(super) fn vertex(id: &str, graph: &AttackGraph) -> anyhow::Result<VertexId> {
    if let Some(at) = graph.positions().position(|position| position.to_string() == id) {
        return Ok(VertexId::try_from(at)?);
    }
    let ids: BTreeSet<String> = graph.positions().map(ToString::to_string).collect();
    Err(unknown("position", id, &ids))
}

/// That nothing is called so, and what may have been meant.
fn unknown(what: &str, id: &str, known: &BTreeSet<String>) -> anyhow::Error {
    let near = did_you_mean(id, known.iter().map(String::as_str));
    anyhow!("no {what} is called {id}{near}; `beachhead graph --format json` lists all positions")
}

impl Analysis {
    /// The attack graph of the whole catalogue.
    pub(super) fn graph(&self) -> AttackGraph {
        AttackGraph::new(techniques::steps(&self.facts.context(&self.cluster)))
    }

    /// Returns the numbers of the positions that an id stands for: one position, or all pods of a workload.
    pub(super) fn vertices(&self, id: &str, graph: &AttackGraph) -> anyhow::Result<Vec<VertexId>> {
        let pods = self.cluster.pods.values();
        let pods: Vec<VertexId> = pods
            .filter(|pod| self.cluster.workload_of(pod).to_string() == id)
            .map(|pod| Position::Pod(Place::new(&pod.meta.namespace, &pod.meta.name)))
            .filter_map(|pod| graph.vertex(&pod))
            .collect();
        if !pods.is_empty() {
            return Ok(pods);
        }
        if let Ok(found) = vertex(id, graph) {
            return Ok(vec![found]);
        }
        let workloads = self
            .cluster
            .pods
            .values()
            .map(|pod| self.cluster.workload_of(pod).to_string());
        let positions = graph.positions().map(ToString::to_string);
        Err(unknown(
            "position or workload",
            id,
            &workloads.chain(positions).collect(),
        ))
    }
}
