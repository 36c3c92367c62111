//! What is wrong or of no effect in policies, beyond what the API server refuses.
//!
//! **Trap.** A policy that selects nothing today may be there for pods of tomorrow: these are remarks, and none
//! of them changes a verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::kubernetes::types;
use super::policy::{Direction, Order};
use super::rule::{Level, Rule};
use super::{Network, UnitSet};
use crate::model::{Cluster, ObjectId, PortReference, Protocol, Text};

/// A remark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Stable name of the check.
    pub check: &'static str,
    /// What it is about: a policy or a namespace.
    pub object: ObjectId,
    /// Where in it; empty for the whole.
    pub pointer: Text,
    /// What is so, in lower case, without a full stop.
    pub message: String,
}

/// The port of name lookups.
const DNS: u16 = 53;

impl Network {
    /// Returns every remark, sorted.
    pub fn lint(&self, cluster: &Cluster) -> Vec<Remark> {
        let mut remarks = Vec::new();
        self.dead_policies(&mut remarks);
        dead_rules(cluster, &mut remarks);
        Self::dead_names(cluster, &mut remarks);
        self.shadowed(&mut remarks);
        self.without_names(&mut remarks);
        self.unprotected(&mut remarks);
        remarks.sort();
        remarks.dedup();
        remarks
    }

    fn levels(&self) -> impl Iterator<Item = (Direction, &Level)> {
        let sides = Direction::BOTH.into_iter().zip(&self.sides);
        sides.flat_map(|(direction, side)| side.levels.iter().map(move |level| (direction, level)))
    }

    fn dead_policies(&self, remarks: &mut Vec<Remark>) {
        for (_, level) in self.levels() {
            for (policy, subjects) in &level.subjects {
                if self.tables.units(*subjects).is_empty() {
                    remarks.push(Remark {
                        check: "selects-nothing",
                        object: self.policies[*policy].id.clone(),
                        pointer: Text::default(),
                        message: "the policy applies to no pod of the input".to_owned(),
                    });
                }
            }
        }
    }

    /// Port names that no pod has which the rule could mean.
    fn dead_names(cluster: &Cluster, remarks: &mut Vec<Remark>) {
        let names: BTreeSet<&Text> = cluster
            .pods
            .values()
            .flat_map(|pod| pod.spec.lasting_containers())
            .flat_map(|container| container.ports.iter().map(|port| &port.name))
            .collect();
        for (id, policy) in &cluster.network_policies {
            let ingress = policy.spec.ingress.iter().flatten().map(|rule| &rule.ports);
            let egress = policy.spec.egress.iter().flatten().map(|rule| &rule.ports);
            let sides = [
                ("ingress", ingress.collect::<Vec<_>>()),
                ("egress", egress.collect()),
            ];
            for (direction, rules) in sides {
                for (rule, ports) in rules.into_iter().enumerate() {
                    for (at, port) in ports.iter().flatten().enumerate() {
                        if let Some(PortReference::Name(name)) = &port.port
                            && !names.contains(name)
                        {
                            remarks.push(Remark {
                                check: "unknown-port-name",
                                object: id.clone(),
                                pointer: format!("/spec/{direction}/{rule}/ports/{at}").into(),
                                message: format!("no container of the input gives a port the name {name}"),
                            });
                        }
                    }
                }
            }
        }
    }

    /// Ordered rules that earlier ones leave nothing to; a rule may stand for several, of its ports or subjects.
    fn shadowed(&self, remarks: &mut Vec<Remark>) {
        for (direction, level) in self.levels() {
            let ordered = level
                .stages
                .iter()
                .filter(|stage| stage.order == Order::FirstMatch);
            for stage in ordered {
                let mut by = BTreeMap::<(usize, usize), Option<&Rule>>::new();
                for (at, rule) in stage.rules.iter().enumerate() {
                    if self.tables.units(rule.subjects).is_empty() {
                        continue;
                    }
                    let before = stage.rules[..at]
                        .iter()
                        .find(|before| self.leaves_nothing(before, rule));
                    let known = by.entry((rule.policy, rule.number)).or_insert(before);
                    *known = known.and(before);
                }
                for ((policy, number), before) in by {
                    let Some(before) = before else { continue };
                    let first = &self.policies[before.policy];
                    let pointer = &first.pointers[direction as usize][before.number];
                    let policy = &self.policies[policy];
                    remarks.push(Remark {
                        check: "shadowed-rule",
                        object: policy.id.clone(),
                        pointer: policy.pointers[direction as usize][number].clone(),
                        message: format!(
                            "{} {pointer} comes first and matches everything that this rule does",
                            first.id
                        ),
                    });
                }
            }
        }
    }

    fn leaves_nothing(&self, before: &Rule, rule: &Rule) -> bool {
        let within = |a: usize, b: usize| self.tables.units(a).minus(self.tables.units(b)).is_empty();
        (before.policy, before.number) != (rule.policy, rule.number)
            && within(rule.subjects, before.subjects)
            && within(rule.peers.perhaps, before.peers.always)
            && self
                .tables
                .ports(rule.ports)
                .minus(self.tables.ports(before.ports))
                .is_empty()
    }

    /// Pods that no name lookup leaves.
    fn without_names(&self, remarks: &mut Vec<Remark>) {
        let mut blocked = BTreeMap::<ObjectId, Vec<&Text>>::new();
        for level in &self.sides[Direction::Egress as usize].levels {
            for (policy, subjects) in &level.isolating {
                for unit in self.tables.units(*subjects).iter() {
                    let open = Protocol::ALL.into_iter().any(|protocol| {
                        let (sure, perhaps) = self.peers(Direction::Egress, unit, protocol, DNS);
                        protocol != Protocol::Sctp && !(sure.is_empty() && perhaps.is_empty())
                    });
                    if !open && let Some(group) = self.groups.get(unit) {
                        blocked
                            .entry(self.policies[*policy].id.clone())
                            .or_default()
                            .push(&group.name);
                    }
                }
            }
        }
        for (object, groups) in blocked {
            remarks.push(Remark {
                check: "dns-blocked",
                object,
                pointer: "/spec/egress".into(),
                message: format!(
                    "{} like {} can look up no name: no rule lets port {DNS} out",
                    if groups.len() == 1 {
                        "1 group of pods".to_owned()
                    } else {
                        format!("{} groups of pods", groups.len())
                    },
                    groups[0]
                ),
            });
        }
    }

    /// Namespaces with pods, none of which any NetworkPolicy isolates.
    fn unprotected(&self, remarks: &mut Vec<Remark>) {
        let mut protected = UnitSet::default();
        for (_, level) in self.levels() {
            protected = protected.or(self.tables.units(level.isolated));
        }
        let mut namespaces = BTreeMap::<&Text, bool>::new();
        for (number, group) in self.groups.iter().enumerate() {
            *namespaces.entry(&group.namespace).or_default() |= protected.contains(number);
        }
        for (namespace, _) in namespaces.into_iter().filter(|(_, protected)| !protected) {
            remarks.push(Remark {
                check: "no-policy",
                object: ObjectId::cluster_scoped("Namespace", namespace),
                pointer: Text::default(),
                message: "no policy isolates any pod of the namespace".to_owned(),
            });
        }
    }
}

/// Rules of a direction that `policyTypes` leaves out.
fn dead_rules(cluster: &Cluster, remarks: &mut Vec<Remark>) {
    for (id, policy) in &cluster.network_policies {
        let counts = [
            policy.spec.ingress.as_ref().map(Vec::len),
            policy.spec.egress.as_ref().map(Vec::len),
        ];
        let sides = Direction::BOTH.into_iter().zip(types(policy)).zip(counts);
        for ((direction, counts), rules) in sides {
            if !counts && rules.is_some_and(|rules| rules > 0) {
                remarks.push(Remark {
                    check: "dead-rules",
                    object: id.clone(),
                    pointer: format!("/spec/{direction}").into(),
                    message: format!("the rules have no effect: policyTypes leaves {direction} out"),
                });
            }
        }
    }
}
