//! What the outside reaches: container ports behind external Services, Ingresses, host ports, as policies let it.
//!
//! **Trap.** A policy that lets in one office's addresses does not let in the internet.

use rustc_hash::FxHashMap;

use super::address::{Range, cidr};
use super::entry::{Entry, Outside, Sender};
use super::units::UnitSet;
use super::universe::Unit;
use super::{Direction, Network, Verdict};
use crate::model::{ObjectId, Protocol, Text};

/// A container port that can be reached from outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// Position of the pod in [`Cluster::pods`].
    pub pod: usize,
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The objects that expose it, from the outside in: `Ingress/shop/web`, `Service/shop/web`.
    pub via: Vec<ObjectId>,
    /// From how far.
    pub outside: Outside,
    /// What it depends on that the input does not show.
    pub condition: Option<Text>,
}

impl Exposure {
    /// By pod and port; of one way in the widest and surest first.
    pub(super) fn by_way(&self, other: &Self) -> std::cmp::Ordering {
        let key = |e: &Self| (e.pod, e.port, e.protocol);
        let width = |e: &Self| (std::cmp::Reverse(e.outside), e.condition.clone());
        key(self)
            .cmp(&key(other))
            .then_with(|| self.via.cmp(&other.via))
            .then_with(|| width(self).cmp(&width(other)))
    }
}

/// The condition of what only a rewritten address lets in.
const REWRITTEN: &str = "the packet carries a node's address when policies see it";
/// The condition of what depends on the network plugin.
pub(super) const PLUGIN: &str = "the network plugin lets addresses in policies match pods and nodes";
/// The same where policies have parts that are not modelled.
pub(super) const GAP: &str = "what is not modelled of a policy lets it pass, or the network plugin lets addresses in policies match pods and nodes";

/// Half of the addresses that the internet routes, IPv4 and IPv6.
///
/// Whoever admits as many does not choose its clients.
const HALF: [u128; 2] = [1_850_000_000, 1 << 124];

impl Network {
    /// Asks the policies about every way in.
    pub(super) fn expose<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Exposure> {
        let mut found = Vec::new();
        let mut known = FxHashMap::default();
        for entry in entries {
            let Some(group) = self.group_of(entry.backend.pod) else {
                continue;
            };
            let key = (
                group,
                entry.backend.protocol,
                entry.backend.port,
                entry.sender.clone(),
            );
            let admitted = *known.entry(key).or_insert_with(|| self.admitted(group, entry));
            if let Some((outside, condition)) = admitted {
                found.push(Exposure {
                    pod: entry.backend.pod,
                    port: entry.backend.port,
                    protocol: entry.backend.protocol,
                    via: entry.via.clone(),
                    outside: outside.min(entry.outside),
                    condition: condition.map(Text::new),
                });
            }
        }
        // Of one way in, the widest and surest counts.
        found.sort_by(Exposure::by_way);
        found.dedup_by(|b, a| (a.pod, a.port, a.protocol, &a.via) == (b.pod, b.port, b.protocol, &b.via));
        found
    }

    /// From how far policies let a way in be used, and on what condition.
    fn admitted(&self, target: usize, entry: &Entry) -> Option<(Outside, Option<&'static str>)> {
        let backend = entry.backend;
        match &entry.sender {
            Sender::Proxy(units) => {
                let verdicts = units
                    .iter()
                    .map(|&unit| self.verdict(unit, target, backend.protocol, backend.port));
                match verdicts.max()? {
                    Verdict::Allowed => Some((Outside::Internet, None)),
                    Verdict::Unknown => Some((Outside::Internet, Some(self.doubt()))),
                    Verdict::Denied => None,
                }
            }
            Sender::Cloud => {
                let (sure, perhaps) = self.peers(Direction::Ingress, target, backend.protocol, backend.port);
                let surely = self.widest(&sure, &[]).map(|_| (Outside::Internet, None));
                surely.or_else(|| {
                    let perhaps = self.widest(&perhaps, &[]);
                    perhaps.map(|_| (Outside::Internet, Some(self.doubt())))
                })
            }
            Sender::Client { ranges, rewritten } => {
                let (sure, perhaps) = self.peers(Direction::Ingress, target, backend.protocol, backend.port);
                let node = |set: &UnitSet| self.node_units().any(|unit| set.contains(unit));
                let surely = self.widest(&sure, ranges).map(|outside| (outside, None));
                let by_client = match (surely, self.widest(&perhaps.or(&sure), ranges)) {
                    (None, Some(outside))
                    | (Some((Outside::Private, _)), Some(outside @ Outside::Internet)) => {
                        Some((outside, Some(self.doubt())))
                    }
                    _ => surely,
                };
                let limited = self.limited(ranges);
                let by_node =
                    (*rewritten && (node(&sure) || node(&perhaps))).then_some((limited, Some(REWRITTEN)));
                match (by_client, by_node) {
                    (Some((Outside::Private, _)), Some((Outside::Internet, condition))) => {
                        Some((Outside::Internet, condition))
                    }
                    (client, node) => client.or(node),
                }
            }
        }
    }

    fn node_units(&self) -> impl Iterator<Item = usize> {
        let units = self.units.iter().enumerate();
        units
            .filter(|(_, unit)| matches!(unit, Unit::Nodes(_)))
            .map(|(number, _)| number)
    }

    /// How wide these clients are by themselves.
    fn limited(&self, ranges: &[Range]) -> Outside {
        let everything: UnitSet = UnitSet::up_to(self.units.len());
        self.widest(&everything, ranges).unwrap_or(Outside::Private)
    }

    /// How wide the addresses among `units` are, of those in `ranges` (all if there are none); none if no
    /// address is left.
    fn widest(&self, units: &UnitSet, ranges: &[Range]) -> Option<Outside> {
        let mut routed = [0_u128; 2];
        let mut any = false;
        for unit in units.iter() {
            let Some(Unit::Range(cell)) = self.units.get(unit) else {
                continue;
            };
            let parts: Vec<Range> = if ranges.is_empty() {
                vec![*cell]
            } else {
                ranges.iter().filter_map(|range| range.common(cell)).collect()
            };
            for part in parts {
                any = true;
                let size = &mut routed[usize::from(part.is_ipv6())];
                *size = size.saturating_add(routed_addresses(&part));
            }
        }
        let wide = routed.iter().zip(HALF).any(|(size, half)| *size >= half);
        any.then_some(if wide { Outside::Internet } else { Outside::Private })
    }
}

/// How many addresses of a range the internet routes.
fn routed_addresses(range: &Range) -> u128 {
    const SPECIAL: [&str; 8] = [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    ];
    if range.is_ipv6() {
        let global = cidr("2000::/3").ok();
        return global
            .and_then(|global| global.common(range))
            .map_or(0, |part| part.size());
    }
    let special = SPECIAL.iter().filter_map(|text| cidr(text).ok()?.common(range));
    special.fold(range.size(), |size, part| size.saturating_sub(part.size()))
}
