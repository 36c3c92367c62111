//! The powers taken apart into single checks, so that each check is made once for each rule.
//!
//! **Trap.** A check with a `?` stands for many requests; it is asked with the words of the rule itself, never
//! with a word that the rule does not have.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::{And, Objects, Power, Right, powers};
use crate::model::{PolicyRule, Text};
use crate::rbac::request::{Request, ResourceRequest};
use crate::rbac::rule;

/// Place of a check in [`Ways::checks`].
pub(in crate::rbac) type CheckIndex = usize;

/// One question to the authorizer, without namespace and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::rbac) struct Check {
    pub(in crate::rbac) verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    pub(in crate::rbac) objects: Objects,
}

/// One way to a power: a check, perhaps with a second one.
#[derive(Clone, Copy, Debug)]
pub(in crate::rbac) struct Way {
    /// Place of the power in the order of ids.
    pub(in crate::rbac) power: usize,
    pub(in crate::rbac) first: CheckIndex,
    pub(in crate::rbac) second: Option<(And, CheckIndex)>,
}

/// All checks and ways.
#[derive(Debug)]
pub(in crate::rbac) struct Ways {
    /// The powers in the order of their ids.
    pub(in crate::rbac) powers: Vec<&'static Power>,
    pub(in crate::rbac) checks: Vec<Check>,
    /// The checks by API group; a rule that does not have the group passes none of them.
    by_group: Vec<(&'static str, Vec<CheckIndex>)>,
    /// The ways with two checks.
    pub(in crate::rbac) double: Vec<Way>,
    /// For each check the powers that it gives alone.
    pub(in crate::rbac) alone: Vec<Vec<usize>>,
    /// For each check whether it is one of two.
    pub(in crate::rbac) is_part: Vec<bool>,
}

/// The powers' ways; made on first use.
pub(in crate::rbac) static WAYS: LazyLock<Ways> = LazyLock::new(Ways::new);

impl Ways {
    fn new() -> Self {
        let mut sorted: Vec<_> = powers().collect();
        sorted.sort();
        let mut checks = Vec::new();
        let mut places = HashMap::<Check, CheckIndex>::new();
        let mut place = |check: Check| {
            *places.entry(check).or_insert_with(|| {
                checks.push(check);
                checks.len() - 1
            })
        };
        let mut ways = Vec::new();
        for (power, right) in sorted
            .iter()
            .enumerate()
            .flat_map(|(at, power)| power.any.iter().map(move |right| (at, right)))
        {
            for (check, second) in expanded(right) {
                ways.push(Way {
                    power,
                    first: place(check),
                    second: second.map(|(and, check)| (and, place(check))),
                });
            }
        }
        let mut alone = vec![Vec::new(); checks.len()];
        let mut is_part = vec![false; checks.len()];
        for way in &ways {
            match way.second {
                None => alone[way.first].push(way.power),
                Some((_, second)) => {
                    is_part[way.first] = true;
                    is_part[second] = true;
                }
            }
        }
        ways.retain(|way| way.second.is_some());
        let mut by_group = BTreeMap::<_, Vec<_>>::new();
        for (index, check) in checks.iter().enumerate() {
            by_group.entry(check.group).or_default().push(index);
        }
        Self {
            powers: sorted,
            checks,
            by_group: by_group.into_iter().collect(),
            double: ways,
            alone,
            is_part,
        }
    }
}

impl Ways {
    /// Returns the checks that a rule passes for objects of some name, in order.
    pub(in crate::rbac) fn passed(&self, known: &PolicyRule) -> Vec<CheckIndex> {
        let groups = self.by_group.iter().filter(|(group, _)| {
            rule::has(&known.api_groups, group) || group.is_empty() && !known.non_resource_urls.is_empty()
        });
        let checks = groups.flat_map(|(_, checks)| checks);
        let mut passed: Vec<_> = checks
            .copied()
            .filter(|&index| self.checks[index].passes(known))
            .collect();
        passed.sort_unstable();
        passed
    }
}

/// The single checks of a right, each with the second check it needs.
fn expanded(right: &'static Right) -> impl Iterator<Item = (Check, Option<(And, Check)>)> {
    let check = |verb, group, word: &'static str| {
        let (resource, subresource) = match right.objects {
            Objects::Paths => (word, ""),
            _ => word.split_once('/').unwrap_or((word, "")),
        };
        Check {
            verb,
            group,
            resource,
            subresource,
            objects: right.objects,
        }
    };
    right.verbs.split(' ').flat_map(move |verb| {
        right.resources.split(' ').map(move |word| {
            let second = right.and.map(|and| match and {
                And::Same(verb) => (and, check(verb, right.group, word)),
                And::Other(verb, group, resource) => (and, check(verb, group, resource)),
                And::BoundRole(resource) => (and, check("bind", right.group, resource)),
            });
            (check(verb, right.group, word), second)
        })
    })
}

impl Check {
    /// Whether a rule passes the check for objects of some name.
    pub(in crate::rbac) fn passes(&self, known: &PolicyRule) -> bool {
        if self.objects == Objects::Paths {
            let request = Request::Url {
                verb: self.verb,
                path: self.resource,
            };
            return rule::allows(known, &request);
        }
        let asks = |resource: &str, subresource: &str| {
            let request = ResourceRequest {
                verb: self.verb,
                group: self.group,
                resource,
                subresource,
                ..ResourceRequest::default()
            };
            rule::covers(known, &request)
        };
        match (self.resource, self.subresource) {
            ("?", _) => {
                let is_own_group = known.api_groups.iter().any(|group| group == self.group);
                let words = known
                    .resources
                    .iter()
                    .filter(|word| *word == "*" || is_own_group && !word.contains('/'));
                words.clone().any(|word| asks(word, ""))
            }
            (resource, "?") => {
                let last = |word: &Text| word.rsplit('/').next().unwrap_or_default().to_owned();
                known.resources.iter().any(|word| asks(resource, &last(word)))
            }
            (resource, subresource) => asks(resource, subresource),
        }
    }

    /// Whether the request carries no name, so that a rule with names never allows it.
    pub(in crate::rbac) fn is_nameless(&self) -> bool {
        self.subresource.is_empty() && matches!(self.verb, "create" | "deletecollection" | "*")
    }
}
