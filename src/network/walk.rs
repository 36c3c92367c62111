//! The walk of one packet through the tiers of one direction: which policies apply, which rule decides.
//!
//! **Trap.** NetworkPolicies have no order: every rule that matches is told, and each of them suffices.

use super::decide::Cause;
use super::exposure::PLUGIN;
use super::policy::{Action, Direction, Order};
use super::rule::{Level, Rule};
use super::{Allowed, Network, Verdict};
use crate::model::{ObjectId, Protocol, Text};

/// One thing that happens to a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// No policy applies to this end: it is no pod, or a pod in its node's network.
    NoSubject,
    /// A rule matches.
    Rule {
        /// The tier.
        tier: Text,
        /// The rule.
        rule: Allowed,
        /// What it does.
        action: Action,
        /// What it depends on whether it matches; none where it surely does.
        perhaps: Option<&'static str>,
    },
    /// Policies of the tier apply, and none of their rules matches.
    NoRule {
        /// The tier.
        tier: Text,
        /// The policies.
        policies: Vec<ObjectId>,
    },
    /// These policies isolate the pod, and what their rules do not let through ends here.
    Isolated {
        /// The tier.
        tier: Text,
        /// The policies.
        policies: Vec<ObjectId>,
    },
    /// Nothing has stopped the packet.
    Default,
}

/// What happens to a packet in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The direction.
    pub direction: Direction,
    /// What happens, in order.
    pub events: Vec<Event>,
    /// How it ends.
    pub verdict: Verdict,
}

/// How far a packet is still under way. Its order is that of verdicts.
type Flow = Verdict;

impl Network {
    /// Returns what happens to a packet from `source` to a port of `target`, egress first.
    pub fn walk(&self, source: usize, target: usize, protocol: Protocol, port: u16) -> [Walk; 2] {
        [
            self.walk_one_way(Direction::Egress, (source, target), protocol, port),
            self.walk_one_way(Direction::Ingress, (target, source), protocol, port),
        ]
    }

    fn walk_one_way(
        &self,
        direction: Direction,
        ends: (usize, usize),
        protocol: Protocol,
        port: u16,
    ) -> Walk {
        if !self.sides[direction as usize].subjects.contains(ends.0) {
            return Walk {
                direction,
                events: vec![Event::NoSubject],
                verdict: Verdict::Allowed,
            };
        }
        let mut walker = Walker {
            network: self,
            direction,
            ends,
            port: (protocol, port),
            flow: Verdict::Allowed,
            result: Verdict::Denied,
            events: Vec::new(),
        };
        for level in &self.sides[direction as usize].levels {
            walker.level(level);
            if walker.flow == Verdict::Denied || walker.result == Verdict::Allowed {
                break;
            }
        }
        if walker.flow != Verdict::Denied && walker.result != Verdict::Allowed {
            walker.events.push(Event::Default);
        }
        Walk {
            direction,
            verdict: walker.result.max(walker.flow),
            events: walker.events,
        }
    }
}

struct Walker<'a> {
    network: &'a Network,
    direction: Direction,
    /// The pod the policies apply to, and its peer.
    ends: (usize, usize),
    port: (Protocol, u16),
    flow: Flow,
    result: Verdict,
    events: Vec<Event>,
}

impl Walker<'_> {
    fn level(&mut self, level: &Level) {
        let mut later = Verdict::Denied;
        let mut applying: Vec<usize> = Vec::new();
        let before = self.events.len();
        for stage in &level.stages {
            for rule in &stage.rules {
                if !self.is_in(rule.subjects, self.ends.0) {
                    continue;
                }
                if applying.last() != Some(&rule.policy) {
                    applying.push(rule.policy);
                }
                if self.flow != Verdict::Denied {
                    self.rule(&level.name, stage.order, rule, &mut later);
                }
            }
        }
        let isolating = level
            .isolating
            .iter()
            .filter(|(_, subjects)| self.is_in(*subjects, self.ends.0));
        let isolating: Vec<ObjectId> = isolating.map(|(policy, _)| self.id(*policy)).collect();
        let allowed = self.result == Verdict::Allowed;
        if isolating.is_empty() {
            if self.events.len() == before && !applying.is_empty() && self.flow != Verdict::Denied {
                let policies = applying.into_iter().map(|policy| self.id(policy)).collect();
                self.events.push(Event::NoRule {
                    tier: level.name.clone(),
                    policies,
                });
            }
            self.flow = self.flow.max(later);
        } else {
            if self.flow != Verdict::Denied && !allowed {
                self.events.push(Event::Isolated {
                    tier: level.name.clone(),
                    policies: isolating,
                });
            }
            self.flow = later;
        }
    }

    fn id(&self, policy: usize) -> ObjectId {
        self.network.policies[policy].id.clone()
    }

    fn is_in(&self, set: usize, unit: usize) -> bool {
        self.network.tables.units(set).contains(unit)
    }

    fn rule(&mut self, tier: &Text, order: Order, rule: &Rule, later: &mut Flow) {
        let (protocol, port) = self.port;
        let peer = self.ends.1;
        let is_hit = self.is_in(rule.peers.perhaps, peer)
            && self.network.tables.ports(rule.ports).contains(protocol, port);
        if !is_hit {
            return;
        }
        let surely = self.is_in(rule.peers.sometimes, peer);
        let always = self.is_in(rule.peers.always, peer);
        let reach = self.flow.min(if surely {
            Verdict::Allowed
        } else {
            Verdict::Unknown
        });
        self.events.push(Event::Rule {
            tier: tier.clone(),
            rule: self
                .network
                .allowed(Cause::Rule(rule.policy, rule.number), self.direction),
            action: rule.action,
            perhaps: (!surely).then(|| rule.unsure.unwrap_or(PLUGIN)),
        });
        match rule.action {
            Action::Allow => self.result = self.result.max(reach),
            Action::Pass => *later = (*later).max(reach),
            Action::Deny => {}
        }
        if order == Order::FirstMatch {
            if always {
                self.flow = Verdict::Denied;
            } else if !surely && rule.action != Action::Allow {
                self.flow = self.flow.min(Verdict::Unknown);
            }
        }
    }
}
