//! Who reaches databases outside the cluster though an egress policy isolates it: by the rules of that policy.
//!
//! Whoever no egress policy isolates sends freely, which is a position of its own; here are the others. Databases that
//! the same groups reach share a hub.
//!
//! **Trap.** The address behind a host's name is not in the input, so a policy that lets some addresses out and others
//! not may let packets to it out or not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Certainty, Context, Evidence, Place, Position};
use crate::datastores::Datastore;
use crate::model::{ObjectId, Protocol, Text};
use crate::network::{Direction, Verdict};

/// How the position of a hub begins.
pub(super) const TO: &str = "~to/";

/// The databases outside and the groups that reach them by a rule.
#[derive(Debug)]
pub(super) struct Outside {
    /// The hub of each database.
    hubs: BTreeMap<Place, Text>,
    /// The groups of each hub.
    senders: BTreeMap<Text, Vec<(usize, Verdict)>>,
}

impl Outside {
    /// Those of a cluster, found once.
    pub(super) fn of<'a>(context: &Context<'a>) -> &'a Self {
        context.once.outside.get_or_init(|| Self::new(context))
    }

    /// Finds them.
    ///
    /// # Complexity
    /// O(hosts outside × groups that egress policies isolate) verdicts; steps are made of hubs.
    fn new(context: &Context<'_>) -> Self {
        let mut found = Self {
            hubs: BTreeMap::new(),
            senders: BTreeMap::new(),
        };
        let outer = context.datastores.iter().filter(|one| one.host().is_some());
        let outer: Vec<&Datastore> = outer.collect();
        if outer.is_empty() {
            return found;
        }
        let egress = context.network.isolating(Direction::Egress);
        let isolated = egress.iter().enumerate().filter(|(_, policy)| policy.is_some());
        let isolated: Vec<usize> = isolated.map(|(group, _)| group).collect();
        let mut named = BTreeMap::<Vec<(usize, Verdict)>, Text>::new();
        for datastore in outer {
            let (Some(host), Some(&port)) = (datastore.host(), datastore.ports.first()) else {
                continue;
            };
            let verdict = |group| match host.parse::<IpAddr>() {
                Ok(address) => context.network.to_address(group, address, Protocol::Tcp, port),
                Err(_) => context.network.to_outside(group, Protocol::Tcp, port),
            };
            let verdicts = isolated.iter().map(|&group| (group, verdict(group)));
            let senders: Vec<_> = verdicts
                .filter(|(_, verdict)| *verdict != Verdict::Denied)
                .collect();
            if senders.is_empty() {
                continue;
            }
            let name = named
                .entry(senders)
                .or_insert_with(|| format!("{TO}{host}:{port}").into());
            found
                .hubs
                .insert(super::datastore::place(datastore), name.clone());
        }
        found.senders = named.into_iter().map(|(senders, name)| (name, senders)).collect();
        found
    }

    /// The position from which packets reach a database by rules.
    pub(super) fn hub(&self, database: &Place) -> Option<Position> {
        self.hubs.get(database).cloned().map(Position::Network)
    }

    /// Every group that reaches a hub: the group's position, the hub's, how sure it is, the policy.
    pub(super) fn reaches(&self, context: &Context<'_>) -> Vec<(Position, Position, Certainty, Evidence)> {
        let egress = context.network.isolating(Direction::Egress);
        let groups = context.network.groups();
        let mut found = Vec::new();
        for (name, senders) in &self.senders {
            for &(group, verdict) in senders {
                let (Some(sender), Some(Some(policy))) = (groups.get(group), egress.get(group)) else {
                    continue;
                };
                let certainty = match verdict {
                    Verdict::Allowed => Certainty::Certain,
                    _ => Certainty::Conditional(doubt(name, policy)),
                };
                found.push((
                    Position::Network(sender.name.clone()),
                    Position::Network(name.clone()),
                    certainty,
                    Evidence::new(ObjectId::clone(policy), "/spec/egress", ""),
                ));
            }
        }
        found
    }
}

fn doubt(name: &str, policy: &ObjectId) -> Text {
    let host = name.strip_prefix(TO).unwrap_or(name);
    format!("{policy} lets packets out to {host}").into()
}
