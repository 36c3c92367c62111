//! Both directions joined: who reaches whom, as complete bipartite parts.
//!
//! An egress atom and an ingress atom meet in one hub: the egress subjects that are ingress peers reach the
//! ingress subjects that are egress peers, on the ports of both. The union of all hubs is the whole relation.
//!
//! **Trap.** Never unit by unit: two atoms are tested only if the ingress subjects lie where the egress peers
//! do, which a namespace decides for almost all of them.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::decide::Atom;
use super::rule::{PortsId, SetId, Tables};
use super::units::UnitSet;

/// An egress atom and an ingress atom that meet, with what they have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Join {
    /// The number of the egress atom.
    pub(super) egress: usize,
    /// The number of the ingress atom.
    pub(super) ingress: usize,
    pub(super) sources: SetId,
    pub(super) targets: SetId,
    pub(super) ports: PortsId,
    pub(super) doubtful: bool,
}

/// The atoms of both directions, some of which are new since they were joined last.
pub(super) struct Joining<'a> {
    pub(super) egress: &'a [Atom],
    pub(super) ingress: &'a [Atom],
    /// Whether each egress atom, and each ingress atom, is new.
    pub(super) fresh: [&'a [bool]; 2],
    /// The units that hubs are for, one of them on either side.
    pub(super) pods: &'a UnitSet,
}

impl Joining<'_> {
    /// Joins every pair of atoms of which one is new.
    ///
    /// # Complexity
    /// O(pairs of atoms, one of them new, that touch the same words of the bitset × their words).
    pub(super) fn joins(&self, tables: &mut Tables) -> Vec<Join> {
        let mut by_word = FxHashMap::<usize, Vec<usize>>::default();
        let mut fresh_by_word = FxHashMap::<usize, Vec<usize>>::default();
        for (number, atom) in self.ingress.iter().enumerate() {
            for word in tables.units(atom.subjects).words() {
                by_word.entry(word).or_default().push(number);
                if self.fresh[1][number] {
                    fresh_by_word.entry(word).or_default().push(number);
                }
            }
        }
        let mut joins = Vec::new();
        let mut seen = vec![usize::MAX; self.ingress.len()];
        for (turn, out) in self.egress.iter().enumerate() {
            let candidates = if self.fresh[0][turn] {
                &by_word
            } else {
                &fresh_by_word
            };
            if candidates.is_empty() {
                continue;
            }
            let words: Vec<usize> = tables.units(out.peers).words().collect();
            for word in words {
                for &number in candidates.get(&word).into_iter().flatten() {
                    if std::mem::replace(&mut seen[number], turn) != turn {
                        joins.extend(self.meet(turn, number, tables));
                    }
                }
            }
        }
        joins
    }

    fn meet(&self, egress: usize, ingress: usize, tables: &mut Tables) -> Option<Join> {
        let (out, into) = (&self.egress[egress], &self.ingress[ingress]);
        let senders = tables.units(out.subjects);
        if !senders.meets(tables.units(into.peers))
            || !tables.units(into.subjects).meets(tables.units(out.peers))
        {
            return None;
        }
        let ports = tables.common(out.ports, into.ports);
        if tables.ports(ports).is_empty() {
            return None;
        }
        let sources = tables.units(out.subjects).and(tables.units(into.peers));
        let targets = tables.units(into.subjects).and(tables.units(out.peers));
        if !(sources.meets(self.pods) || targets.meets(self.pods)) {
            return None;
        }
        Some(Join {
            egress,
            ingress,
            sources: tables.set(sources),
            targets: tables.set(targets),
            ports,
            doubtful: out.doubtful || into.doubtful,
        })
    }
}

/// The joins that say something: of those that say the same one, a sure one if there is one.
pub(super) fn distinct(joins: &[Join]) -> impl Iterator<Item = &Join> {
    let mut hubs = IndexMap::<(SetId, SetId, PortsId), &Join, FxBuildHasher>::default();
    for join in joins {
        let known = hubs
            .entry((join.sources, join.targets, join.ports))
            .or_insert(join);
        if known.doubtful && !join.doubtful {
            *known = join;
        }
    }
    hubs.into_values()
}
