//! One attack path: the solver's steps with everything a reader needs, and how structure is folded.
//!
//! **Trap.** A path is a derivation, not a chain: a step may need what several earlier ones gave.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::findings::Derived;
use super::words;
use crate::collect::{Excerpt, Spot};
use crate::model::{Cluster, ObjectId, Source};
use crate::techniques::{Certainty, Evidence, Position, Reason, Step};

/// Where every object was read from.
#[derive(Debug)]
pub struct Sources<'a>(FxHashMap<&'a ObjectId, &'a Source>);

impl<'a> Sources<'a> {
    /// Returns the places of all objects that came from files.
    pub fn new(cluster: &'a Cluster) -> Self {
        let places = cluster.objects().map(|(id, object)| (id, &object.meta().source));
        Self(places.filter(|(_, source)| source.is_file()).collect())
    }

    /// Returns the place of an object, if it came from a file.
    pub fn of(&self, object: &ObjectId) -> Option<&'a Source> {
        self.0.get(object).copied()
    }
}

/// One fact of the cluster, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EvidenceView {
    /// The id of the object that says so.
    pub object: String,
    /// JSON pointer into it.
    pub path: String,
    /// The value there, in short.
    pub value: String,
    /// `file:line` of the object, if it came from a file.
    pub source: Option<String>,
    /// The same in parts.
    #[serde(skip)]
    pub place: Option<Source>,
    /// The object's id in parts.
    #[serde(skip)]
    pub id: ObjectId,
    /// Where the field stands in the file, after [`super::Findings::locate`].
    #[serde(skip)]
    pub spot: Option<Spot>,
    /// The lines around it.
    #[serde(skip)]
    pub excerpt: Option<Arc<Excerpt>>,
}

impl EvidenceView {
    fn new(evidence: &Evidence, sources: &Sources<'_>) -> Self {
        let place = sources.of(&evidence.object);
        Self {
            object: evidence.object.to_string(),
            path: evidence.path.to_string(),
            value: evidence.value.to_string(),
            source: place.map(ToString::to_string),
            place: place.cloned(),
            id: evidence.object.clone(),
            spot: None,
            excerpt: None,
        }
    }
}

/// One step, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepView {
    /// The technique's id, or the relation's label.
    pub technique: &'static str,
    /// Whether it is structure, which costs nothing, and no attack.
    pub structural: bool,
    /// The name for headings.
    pub title: &'static str,
    /// The family.
    pub family: &'static str,
    /// MITRE ATT&CK ids.
    pub mitre: &'static [&'static str],
    /// Everything that must be held.
    pub premises: Vec<String>,
    /// What is held then.
    pub conclusion: String,
    /// The same as a phrase.
    pub gains: String,
    /// What it costs, 0 to 8.
    pub effort: u8,
    /// `certain`, `conditional` or `assumed`.
    pub certainty: &'static str,
    /// What a conditional step depends on.
    pub condition: Option<String>,
    /// What proves it.
    pub evidence: Vec<EvidenceView>,
    /// How to stop it.
    pub remediation: Option<&'static str>,
}

impl StepView {
    /// Returns the view of a step.
    pub fn new(step: &Step, sources: &Sources<'_>) -> Self {
        let technique = step.reason.technique();
        Self {
            technique: step.reason.label(),
            structural: technique.is_none(),
            title: match step.reason {
                Reason::Technique(technique) => technique.title,
                Reason::Relation(relation) => words::relation_title(relation),
            },
            family: step.reason.family().as_str(),
            mitre: technique.map_or(&[], |technique| technique.mitre),
            premises: step.premises.iter().map(ToString::to_string).collect(),
            conclusion: step.conclusion.to_string(),
            gains: words::gains(&step.conclusion),
            effort: step.effort,
            certainty: step.certainty.as_str(),
            condition: step.certainty.condition().map(ToString::to_string),
            evidence: step
                .evidence
                .iter()
                .map(|e| EvidenceView::new(e, sources))
                .collect(),
            remediation: technique.map(|technique| technique.remediation),
        }
    }
}

/// One attack path, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PathView {
    /// The positions it starts from, sorted.
    pub from: Vec<String>,
    /// The position it ends at.
    pub to: String,
    /// The sum of its steps' efforts.
    pub effort: u32,
    /// `conditional` if any step is, else `assumed` if any step is, else `certain`.
    pub certainty: &'static str,
    /// Whether it is known that no way is cheaper; proving it takes too long for some.
    pub proven: bool,
    /// The steps; each one's premises come from earlier ones or from where it starts.
    pub steps: Vec<StepView>,
}

impl PathView {
    /// Returns the view of a derivation.
    pub fn new(derived: &Derived, sources: &Sources<'_>) -> Self {
        let (to, steps) = (derived.to.to_string(), &derived.steps);
        let made = |premise: &Position| steps.iter().any(|step| step.conclusion == *premise);
        let premises = steps.iter().flat_map(|step| &step.premises);
        let mut from: Vec<_> = premises
            .filter(|premise| !made(premise))
            .map(ToString::to_string)
            .collect();
        if steps.is_empty() {
            from.push(to.clone());
        }
        from.sort();
        from.dedup();
        let certainty = if steps
            .iter()
            .any(|step| matches!(step.certainty, Certainty::Conditional(_)))
        {
            "conditional"
        } else if steps.iter().any(|step| step.certainty == Certainty::Assumed) {
            "assumed"
        } else {
            "certain"
        };
        Self {
            from,
            to,
            effort: steps.iter().map(|step| u32::from(step.effort)).sum(),
            certainty,
            proven: derived.proven,
            steps: steps.iter().map(|step| StepView::new(step, sources)).collect(),
        }
    }

    /// Returns the moves of the path: each technique with the structure that leads to it.
    pub(super) fn moves(&self) -> Vec<Move<'_>> {
        let made_by: FxHashMap<&str, usize> = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| (step.conclusion.as_str(), index))
            .collect();
        let mut move_of = vec![None; self.steps.len()];
        let mut moves: Vec<Move<'_>> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            if step.structural && index + 1 < self.steps.len() {
                continue;
            }
            let number = moves.len() + 1;
            move_of[index] = Some(number);
            let (mut folded, mut needs) = (Vec::new(), Vec::new());
            let mut open: Vec<&str> = step.premises.iter().rev().map(String::as_str).collect();
            while let Some(premise) = open.pop() {
                match made_by.get(premise) {
                    Some(&from) if from < index && move_of[from].is_none() => {
                        move_of[from] = Some(number);
                        folded.push(from);
                        open.extend(self.steps[from].premises.iter().rev().map(String::as_str));
                    }
                    Some(&from) if from < index && move_of[from] == Some(number) => {}
                    from => needs.push((premise, from.and_then(|&from| move_of[from]))),
                }
            }
            folded.sort_unstable();
            needs.sort_unstable_by_key(|&(premise, number)| (number, premise));
            needs.dedup();
            let folded = folded.into_iter().map(|index| &self.steps[index]).collect();
            moves.push(Move { step, folded, needs });
        }
        moves
    }
}

/// One thing to do, with the structure that makes it possible.
#[derive(Debug)]
pub(super) struct Move<'a> {
    /// The technique's step; a relation only at the end of a path.
    pub(super) step: &'a StepView,
    /// The structural steps before it, in order.
    pub(super) folded: Vec<&'a StepView>,
    /// What must be held, and the number of the move that gave it; none for where the path starts.
    pub(super) needs: Vec<(&'a str, Option<usize>)>,
}

impl Move<'_> {
    /// The facts of all its steps, each once, in order.
    pub(super) fn evidence(&self) -> Vec<&EvidenceView> {
        let mut facts: Vec<&EvidenceView> = Vec::new();
        for fact in self
            .folded
            .iter()
            .chain([&self.step])
            .flat_map(|step| &step.evidence)
        {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        facts
    }

    /// The conditions of all its steps.
    pub(super) fn conditions(&self) -> Vec<&str> {
        let steps = self.folded.iter().chain([&self.step]);
        let mut conditions: Vec<_> = steps.filter_map(|step| step.condition.as_deref()).collect();
        conditions.dedup();
        conditions
    }
}
