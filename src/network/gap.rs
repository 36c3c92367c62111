//! Gaps: parts of policies that are not modelled, with the pods they touch, so that no verdict is silently wrong.
//!
//! A gap that can change who exchanges packets with whom stands as a rule that perhaps matches
//! ([`Peers::unsure`](super::policy::Peers)), so that verdicts become unknown exactly where it matters. A gap
//! that only narrows what may be said over an open connection is noted and changes no verdict.
//!
//! **Trap.** Gaps of one kind are reported together: a mesh with a thousand policies has one line for each.

use std::collections::{BTreeMap, BTreeSet};

use super::selector::PodSelector;
use super::universe::Universe;
use crate::model::{Cluster, Code, Diagnostic, Meta, ObjectId, Source};

/// Why it is not known whom a rule with names of hosts matches.
pub(super) const NAME_RESOLVES: &str = "a name that the rule gives stands for this address";

/// How many workloads a diagnostic names.
const NAMED: usize = 3;

/// What a gap does to verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Nothing: packets pass or do not whatever it says.
    Noted,
    /// They are unknown where it can change them.
    Unknown,
}

/// A part of a policy that is not modelled.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    /// The policy.
    id: ObjectId,
    source: Source,
    /// Where in it.
    pointer: String,
    /// What it is, in the words of the policy's project: `toFQDNs`.
    what: &'static str,
    effect: Effect,
    /// The pods that the policy applies to.
    subjects: Vec<PodSelector>,
}

/// The gaps of one policy, while it is read.
#[derive(Debug, Default)]
pub(super) struct Gaps(Vec<(String, &'static str, Effect)>);

impl Gaps {
    /// Notes a gap.
    pub(super) fn add(&mut self, pointer: &str, what: &'static str, effect: Effect) {
        self.0.push((pointer.to_owned(), what, effect));
    }

    /// The gaps, once it is known what the policy applies to.
    pub(super) fn of(self, id: &ObjectId, meta: &Meta, subjects: &[PodSelector]) -> Vec<Gap> {
        let gap = |(pointer, what, effect)| Gap {
            id: id.clone(),
            source: meta.source.clone(),
            pointer,
            what,
            effect,
            subjects: subjects.to_vec(),
        };
        self.0.into_iter().map(gap).collect()
    }
}

/// What gaps of one kind have in common.
struct Alike<'g> {
    policies: BTreeSet<&'g ObjectId>,
    first: &'g Gap,
    units: BTreeSet<usize>,
}

/// Names each kind of gap once, with the pods it touches.
///
/// # Complexity
/// O(gaps × groups in their reach).
pub(super) fn report(gaps: &[Gap], cluster: &Cluster, universe: &Universe<'_>, found: &mut Vec<Diagnostic>) {
    let mut kinds = BTreeMap::<(&str, &str, Effect), Alike<'_>>::new();
    for gap in gaps {
        let alike = kinds
            .entry((gap.id.kind.as_str(), gap.what, gap.effect))
            .or_insert_with(|| Alike {
                policies: BTreeSet::new(),
                first: gap,
                units: BTreeSet::new(),
            });
        alike.policies.insert(&gap.id);
        for selector in &gap.subjects {
            alike.units.extend(universe.select(selector).iter());
        }
    }
    found.extend(
        kinds
            .into_values()
            .map(|alike| diagnostic(cluster, universe, &alike)),
    );
}

/// Says whose pods these are: `pods of Deployment/shop/web, Job/shop/load`, a few by name.
pub(super) fn whose(cluster: &Cluster, pods: impl Iterator<Item = usize>) -> String {
    let workloads: BTreeSet<String> = pods
        .filter_map(|pod| Some(cluster.workload_of(cluster.pods.at(pod)?.1).to_string()))
        .collect();
    if workloads.is_empty() {
        return "no pod of the input".to_owned();
    }
    let named: Vec<&str> = workloads.iter().take(NAMED).map(String::as_str).collect();
    let more = match workloads.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("pods of {}{more}", named.join(", "))
}

fn diagnostic(cluster: &Cluster, universe: &Universe<'_>, alike: &Alike<'_>) -> Diagnostic {
    let groups = alike.units.iter().filter_map(|&unit| universe.groups.get(unit));
    let of = whose(cluster, groups.flat_map(|group| &group.pods).copied());
    let Gap {
        id,
        source,
        pointer,
        what,
        effect,
        ..
    } = alike.first;
    let (kind, count) = (&id.kind, alike.policies.len());
    let effect = match effect {
        Effect::Noted => "what is sent over an open connection may be stopped by it",
        Effect::Unknown => "verdicts that it can change are unknown",
    };
    let message =
        format!("{what} in {count} {kind}, first at {pointer}, is not modelled and touches {of}: {effect}");
    let hint = "check such a verdict against the policies themselves";
    Diagnostic::new(Code::NotModelled, source.clone(), message, hint).about(id.clone())
}
