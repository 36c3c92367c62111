//! What a session remembers from one statement to the next.
//!
//! **Trap.** It outlives the graph: nothing in it may hold a number of a node or relationship.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::compare::Watch;
use crate::cli::analysis::Analysis;
use crate::cli::input::SubjectArgs;
use crate::cli::rows::QueryFormat;
use crate::cli::saved::all_saved;
use crate::graph::AttackGraph;
use crate::query::{Limits, Value};
use crate::techniques::{self, Certainty, Few, Position, Reason, Relation, Step};

#[derive(Debug)]
pub(super) struct Session {
    pub(super) mode: QueryFormat,
    pub(super) output: Option<PathBuf>,
    /// Where the next result alone goes.
    pub(super) once: Option<PathBuf>,
    pub(super) timing: bool,
    pub(super) paging: bool,
    /// Columns that lines of results are cut at.
    pub(super) width: Option<usize>,
    /// Whether `!` may ask the shell.
    pub(super) shell: bool,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) rows: usize,
    pub(super) timeout: Option<Duration>,
    pub(super) queries: Option<PathBuf>,
    pub(super) interrupt: Arc<AtomicBool>,
    /// Positions that are taken to be held from outside.
    pub(super) assumed: BTreeSet<String>,
    /// Statements, the newest last.
    pub(super) history: Vec<String>,
    /// The last query that gave a result.
    pub(super) last_query: Option<String>,
    pub(super) watch: Option<Watch>,
    /// What was read first, and how; other inputs are read in the same way.
    pub(super) subject: SubjectArgs,
}

impl Session {
    pub(super) fn new(
        mode: QueryFormat,
        timeout: Option<f64>,
        queries: Option<PathBuf>,
        subject: SubjectArgs,
    ) -> Self {
        Self {
            mode,
            output: None,
            once: None,
            timing: false,
            paging: true,
            width: None,
            shell: false,
            parameters: BTreeMap::new(),
            rows: Limits::default().rows,
            timeout: timeout.map(Duration::from_secs_f64),
            queries,
            interrupt: Arc::new(AtomicBool::new(false)),
            assumed: BTreeSet::new(),
            history: Vec::new(),
            last_query: None,
            watch: None,
            subject,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            rows: self.rows,
            time: self.timeout,
            interrupt: Some(Arc::clone(&self.interrupt)),
            ..Limits::default()
        }
    }

    /// The graph with a step for each assumption.
    pub(super) fn graph(&self, analysis: &Analysis) -> AttackGraph {
        let mut steps = techniques::steps(&analysis.facts.context(&analysis.cluster));
        let positions: BTreeSet<&Position> = steps
            .iter()
            .flat_map(|step| step.premises.iter().chain([&step.conclusion]))
            .collect();
        let assumed: Vec<Position> = positions
            .into_iter()
            .filter(|position| self.assumed.contains(&position.to_string()))
            .cloned()
            .collect();
        steps.extend(assumed.into_iter().map(|position| Step {
            reason: Reason::Relation(Relation::Assumed),
            premises: [Position::Internet].into(),
            conclusion: position,
            effort: 0,
            certainty: Certainty::Certain,
            evidence: Few::new(),
        }));
        AttackGraph::new(steps)
    }

    pub(super) fn saved_ids(&self) -> Vec<String> {
        let saved = all_saved(self.queries.as_deref()).unwrap_or_default();
        saved.into_iter().map(|query| query.id).collect()
    }
}
