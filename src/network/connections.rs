//! The whole relation as a list, by workload: for people, and to compare with other tools.
//!
//! **Trap.** The list grows with pairs of workloads. It is made source by source, and nothing else reads it.

use std::fmt;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::address::Range;
use super::ports::PortSet;
use super::rule::PortsId;
use super::universe::Unit;
use super::{Network, Verdict};
use crate::model::{Cluster, ObjectId, Text};

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// The controller of some ingress, wherever it runs.
    IngressController,
    /// The pods of a workload.
    Workload(ObjectId),
    /// Addresses outside the cluster.
    Range(Range),
    /// What a name of an egress rule stands for.
    Domain(Text),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IngressController => f.write_str("ingress-controller"),
            Self::Workload(id) => write!(f, "{id}"),
            Self::Range(range) => write!(f, "{range}"),
            Self::Domain(name) => write!(f, "{name}"),
        }
    }
}

/// Some pod of one workload reaches some pod of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Who connects.
    pub source: End,
    /// To whom.
    pub target: End,
    /// On which ports of the target.
    pub ports: PortSet,
    /// [`Verdict::Allowed`], or [`Verdict::Unknown`] if all of it depends on the network plugin.
    pub verdict: Verdict,
}

/// What one end stands for.
struct Ends {
    all: IndexSet<End, FxBuildHasher>,
    /// The ends of each unit.
    of_unit: Vec<Vec<usize>>,
    /// The units of each end.
    units: Vec<Vec<usize>>,
    /// How many pods each end has.
    pods: Vec<usize>,
}

impl Ends {
    fn new(network: &Network, cluster: &Cluster) -> Self {
        let mut ends = Self {
            all: IndexSet::default(),
            of_unit: vec![Vec::new(); network.units.len()],
            units: Vec::new(),
            pods: Vec::new(),
        };
        for (number, group) in network.groups.iter().enumerate() {
            for &pod in &group.pods {
                if let Some((_, pod)) = cluster.pods.at(pod) {
                    ends.add(End::Workload(cluster.workload_of(pod)), number);
                }
            }
        }
        for (number, unit) in network.units.iter().enumerate() {
            match unit {
                Unit::Range(range) => ends.add(End::Range(*range), number),
                Unit::Domain(name) => ends.add(End::Domain(name.clone()), number),
                Unit::Group(_) | Unit::Nodes(_) | Unit::Controller(_) => {}
            }
        }
        ends
    }

    fn add(&mut self, end: End, unit: usize) {
        let (number, fresh) = self.all.insert_full(end);
        if fresh {
            self.units.push(Vec::new());
            self.pods.push(0);
        }
        self.pods[number] += 1;
        if self.of_unit[unit].last() != Some(&number) && !self.of_unit[unit].contains(&number) {
            self.of_unit[unit].push(number);
            self.units[number].push(unit);
        }
    }

    fn is_workload(&self, number: usize) -> bool {
        matches!(self.all.get_index(number), Some(End::Workload(_)))
    }
}

impl Network {
    /// Every connection between workloads, and between workloads and addresses outside, sorted.
    ///
    /// # Complexity
    /// O(pairs of workloads that a hub joins, hub by hub).
    pub fn connections(&self, cluster: &Cluster) -> Vec<Connection> {
        let ends = Ends::new(self, cluster);
        let mut hubs_of = vec![Vec::new(); self.units.len()];
        for (number, hub) in self.hubs.iter().enumerate() {
            for unit in self.sources(hub).iter() {
                hubs_of[unit].push(number);
            }
        }
        let mut united = FxHashMap::default();
        let mut found = self.through_proxies(cluster);
        for source in 0..ends.all.len() {
            let from = self.from(source, &ends, &hubs_of, &mut united);
            found.extend(from);
        }
        found.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
        let found = joined(found, |c| (c.source.clone(), c.target.clone()), |c| &mut c.target);
        let mut found = joined(found, |c| (c.target.clone(), c.source.clone()), |c| &mut c.source);
        found.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
        found
    }

    fn from(
        &self,
        source: usize,
        ends: &Ends,
        hubs_of: &[Vec<usize>],
        united: &mut FxHashMap<Vec<PortsId>, PortSet>,
    ) -> Vec<Connection> {
        let mut hubs: Vec<usize> = ends.units[source]
            .iter()
            .flat_map(|&unit| &hubs_of[unit])
            .copied()
            .collect();
        hubs.sort_unstable();
        hubs.dedup();
        let mut ports = FxHashMap::<usize, [Vec<PortsId>; 2]>::default();
        for number in hubs {
            let hub = &self.hubs[number];
            for &target in self.targets(hub).iter().flat_map(|unit| &ends.of_unit[unit]) {
                let lonely = target == source && ends.pods[source] < 2;
                if !lonely && (ends.is_workload(source) || ends.is_workload(target)) {
                    let known = &mut ports.entry(target).or_default()[usize::from(hub.doubtful)];
                    if known.last() != Some(&hub.ports) {
                        known.push(hub.ports);
                    }
                }
            }
        }
        let mut targets: Vec<_> = ports.into_iter().collect();
        targets.sort_unstable();
        let end = |number: usize| ends.all.get_index(number).cloned();
        let mut found = Vec::new();
        for (target, ports) in targets {
            let [sure, perhaps] = ports.map(|mut ids| {
                ids.sort_unstable();
                ids.dedup();
                let all = |ids: &Vec<PortsId>| {
                    ids.iter()
                        .fold(PortSet::default(), |set, &id| set.or(self.tables.ports(id)))
                };
                united.entry(ids).or_insert_with_key(all).clone()
            });
            let perhaps = if perhaps.is_empty() {
                perhaps
            } else {
                perhaps.minus(&sure)
            };
            let (Some(source), Some(target)) = (end(source), end(target)) else {
                continue;
            };
            for (ports, verdict) in [(sure, Verdict::Allowed), (perhaps, Verdict::Unknown)] {
                if !ports.is_empty() {
                    found.push(Connection {
                        source: source.clone(),
                        target: target.clone(),
                        ports,
                        verdict,
                    });
                }
            }
        }
        found
    }

    /// What an ingress controller that no policy knows reaches of the backends of Ingresses and Routes, as far as
    /// pods declare the port.
    fn through_proxies(&self, cluster: &Cluster) -> Vec<Connection> {
        let unknown = self
            .units
            .iter()
            .position(|unit| matches!(unit, Unit::Controller(_)));
        let mut ports = std::collections::BTreeMap::<ObjectId, PortSet>::new();
        for backend in &self.proxied {
            let Some((_, pod)) = cluster.pods.at(backend.pod) else {
                continue;
            };
            let (Some(source), Some(target)) = (unknown, self.group_of(backend.pod)) else {
                continue;
            };
            if super::service::declares(pod, backend.protocol, backend.port)
                && self.verdict(source, target, backend.protocol, backend.port) == Verdict::Allowed
            {
                let known = ports.entry(cluster.workload_of(pod)).or_default();
                *known = known.or(&PortSet::range(backend.protocol, backend.port, backend.port));
            }
        }
        let connection = |(id, ports)| Connection {
            source: End::IngressController,
            target: End::Workload(id),
            ports,
            verdict: Verdict::Allowed,
        };
        ports.into_iter().map(connection).collect()
    }
}

/// Joins neighbouring ranges at one end of connections that are alike otherwise.
fn joined(
    mut connections: Vec<Connection>,
    key: impl Fn(&Connection) -> (End, End),
    side: impl Fn(&mut Connection) -> &mut End,
) -> Vec<Connection> {
    connections.sort_by_cached_key(|connection| {
        let (fixed, moving) = key(connection);
        (fixed, connection.verdict, connection.ports.clone(), moving)
    });
    let mut kept: Vec<Connection> = Vec::with_capacity(connections.len());
    for mut connection in connections {
        if let Some(last) = kept.last_mut()
            && last.ports == connection.ports
            && last.verdict == connection.verdict
            && key(last).0 == key(&connection).0
            && let (End::Range(before), End::Range(next)) =
                (side(last).clone(), side(&mut connection).clone())
            && let Some(both) = before.joined(&next)
        {
            *side(last) = End::Range(both);
            continue;
        }
        kept.push(connection);
    }
    kept
}
