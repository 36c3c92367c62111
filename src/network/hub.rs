//! Both directions joined: who reaches whom, as complete bipartite parts.
//!
//! An egress atom and an ingress atom meet in one hub: the egress subjects that are ingress peers reach the
//! ingress subjects that are egress peers, on the ports of both. The union of all hubs is the whole relation.
//!
//! **Trap.** Never unit by unit: two atoms are tested only if the ingress subjects lie where the egress peers
//! do, which a namespace decides for almost all of them.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::decide::{Atom, Cause};
use super::rule::{PortsId, SetId, Tables};
use super::units::UnitSet;

/// A hub by numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Join {
    pub(super) sources: SetId,
    pub(super) targets: SetId,
    pub(super) ports: PortsId,
    pub(super) egress: Cause,
    pub(super) ingress: Cause,
    pub(super) doubtful: bool,
}

/// Joins the atoms of both directions; `pods` are the units that hubs are for, one of them on either side.
///
/// # Complexity
/// O(pairs of atoms that touch the same words of the bitset × their words).
pub(super) fn join(egress: &[Atom], ingress: &[Atom], pods: &UnitSet, tables: &mut Tables) -> Vec<Join> {
    let mut by_word = FxHashMap::<usize, Vec<usize>>::default();
    for (number, atom) in ingress.iter().enumerate() {
        for word in tables.units(atom.subjects).words() {
            by_word.entry(word).or_default().push(number);
        }
    }
    let mut hubs = IndexMap::<(SetId, SetId, PortsId), Join, FxBuildHasher>::default();
    let mut seen = vec![usize::MAX; ingress.len()];
    for (turn, out) in egress.iter().enumerate() {
        let words: Vec<usize> = tables.units(out.peers).words().collect();
        for word in words {
            for &number in by_word.get(&word).into_iter().flatten() {
                if std::mem::replace(&mut seen[number], turn) == turn {
                    continue;
                }
                if let Some(hub) = meet(out, &ingress[number], pods, tables) {
                    let known = hubs.entry((hub.sources, hub.targets, hub.ports)).or_insert(hub);
                    if known.doubtful && !hub.doubtful {
                        *known = hub;
                    }
                }
            }
        }
    }
    hubs.into_values().collect()
}

fn meet(out: &Atom, into: &Atom, pods: &UnitSet, tables: &mut Tables) -> Option<Join> {
    let senders = tables.units(out.subjects);
    if !senders.meets(tables.units(into.peers)) || !tables.units(into.subjects).meets(tables.units(out.peers))
    {
        return None;
    }
    let ports = tables.common(out.ports, into.ports);
    if tables.ports(ports).is_empty() {
        return None;
    }
    let sources = tables.units(out.subjects).and(tables.units(into.peers));
    let targets = tables.units(into.subjects).and(tables.units(out.peers));
    if !(sources.meets(pods) || targets.meets(pods)) {
        return None;
    }
    Some(Join {
        sources: tables.set(sources),
        targets: tables.set(targets),
        ports,
        egress: out.cause,
        ingress: into.cause,
        doubtful: out.doubtful || into.doubtful,
    })
}
