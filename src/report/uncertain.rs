//! Which verdicts a resource that could not be read may change.
//!
//! Objects that are missing either would stop steps (policies, admission) or would allow more of them. The first can
//! refute a finding that rests on such a step; the second can open a way to what is not reached so far.
//!
//! **Trap.** A finding shows its cheapest path alone: refuting that may leave another. And a reached jewel may be
//! reached in still more ways.

use schemars::JsonSchema;
use serde::Serialize;

use super::findings::{Findings, Jewel};
use super::path::{PathView, StepView};
use crate::model::Refusal;
use crate::techniques::{Family, Label, Relation};

/// What one resource that could not be read leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uncertain {
    /// The resource.
    pub resource: String,
    /// The ids of the findings whose cheapest path it may stop.
    pub refutable: Vec<String>,
    /// The ids of the crown jewels that are not reached and may be.
    pub reachable: Vec<String>,
}

/// What objects of a resource do to steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// They stop packets.
    StopsPackets,
    /// They stop what is written to the API server.
    StopsWrites,
    /// They allow steps, and without them defaults stand in that may be gone.
    GivesRights,
    /// They allow packets or stop them, as policies choose by them.
    Selects,
    /// They allow steps.
    Opens,
    /// They only name things.
    Nothing,
}

impl Effect {
    fn of(refusal: &Refusal) -> Self {
        let resource = refusal.resource.as_str();
        let (plural, _) = resource.split_once('.').unwrap_or((resource, ""));
        match plural {
            _ if refusal.affects.is_empty() => Self::Nothing,
            "namespaces" => Self::Selects,
            "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings" => Self::GivesRights,
            _ if refusal.affects.contains("admission may stop") => Self::StopsWrites,
            _ if refusal.affects.contains("a policy stops") => Self::StopsPackets,
            _ => Self::Opens,
        }
    }

    /// Whether objects of the kind may stop a step.
    fn may_stop(self, step: &StepView) -> bool {
        let passes_packets = step.structural && step.family == Family::Network.as_str()
            || step.technique == Relation::Exposed.label();
        let uses_right = |premise: &String| premise.starts_with(Label::Grant.as_str());
        match self {
            Self::StopsPackets => passes_packets,
            Self::StopsWrites => step.premises.iter().any(uses_right),
            Self::Selects => passes_packets || step.premises.iter().any(uses_right),
            Self::GivesRights => step.technique == Relation::Holds.label(),
            Self::Opens | Self::Nothing => false,
        }
    }

    fn may_open(self) -> bool {
        matches!(self, Self::GivesRights | Self::Selects | Self::Opens)
    }
}

impl Findings {
    /// Returns the same with the verdicts that missing resources may change.
    pub(super) fn with_doubts(self) -> Self {
        let stops = |effect: Effect, path: &PathView| path.steps.iter().any(|step| effect.may_stop(step));
        let uncertain = self.coverage.refused.iter().map(|refusal| {
            let effect = Effect::of(refusal);
            let refutable = self
                .findings
                .iter()
                .filter(|finding| stops(effect, &finding.path));
            let missed = |jewel: &&Jewel| effect.may_open() && !jewel.reached;
            Uncertain {
                resource: refusal.resource.to_string(),
                refutable: refutable.map(|finding| finding.id.clone()).collect(),
                reachable: (self.crown_jewels.iter().filter(missed))
                    .map(|jewel| jewel.id.clone())
                    .collect(),
            }
        });
        Self {
            uncertain: uncertain.collect(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    #[test]
    fn what_is_missing_stops_or_opens() {
        let effect = |resource: &str, affects: &str| {
            Effect::of(&Refusal {
                resource: Text::new(resource),
                reason: Text::default(),
                affects: Text::new(affects),
            })
        };
        let policy = "who reaches whom: steps that a policy stops are shown as possible";
        let admission = "steps that admission may stop are shown as possible";
        assert_eq!(
            effect("networkpolicies.networking.k8s.io", policy),
            Effect::StopsPackets
        );
        assert_eq!(
            effect("clusterpolicies.kyverno.io", admission),
            Effect::StopsWrites
        );
        assert_eq!(
            effect("roles.rbac.authorization.k8s.io", "who may"),
            Effect::GivesRights
        );
        assert_eq!(effect("secrets", "which credentials exist"), Effect::Opens);
        assert_eq!(effect("priorityclasses.scheduling.k8s.io", ""), Effect::Nothing);
    }
}
