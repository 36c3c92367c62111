//! Roles with the rules that really count: those of aggregated ClusterRoles are looked up.
//!
//! **Trap.** The controller fills `rules` of an aggregated ClusterRole, so a dump has them and a manifest has
//! not. Rules that are there are taken as they are; only where there is none are the selected roles united.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::model::{Cluster, ObjectId, PolicyRule, Role};

/// Place of a rule in [`Roles::rule`].
pub(super) type RuleIndex = usize;
/// Place of a role in the cluster's order.
pub(super) type RoleIndex = usize;

/// A rule and where it stands.
#[derive(Clone, Debug)]
pub(super) struct WrittenRule {
    pub(super) role: RoleIndex,
    pub(super) at: usize,
    pub(super) rule: PolicyRule,
}

/// All roles.
#[derive(Debug, Default)]
pub(super) struct Roles {
    ids: Vec<ObjectId>,
    rules: Vec<WrittenRule>,
    of_role: Vec<Vec<RuleIndex>>,
    by_id: FxHashMap<ObjectId, RoleIndex>,
}

impl Roles {
    /// Copies the rules and resolves aggregation.
    ///
    /// # Complexity
    /// Linear in rules; for aggregated roles without rules, aggregated roles × ClusterRoles.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut roles = Self::default();
        for (index, (id, role)) in cluster.roles.iter().enumerate() {
            let first = roles.rules.len();
            roles
                .rules
                .extend(role.rules.iter().enumerate().map(|(at, rule)| WrittenRule {
                    role: index,
                    at,
                    rule: rule.clone(),
                }));
            roles.ids.push(id.clone());
            roles.of_role.push((first..roles.rules.len()).collect());
            roles.by_id.insert(id.clone(), index);
        }
        let selections = selections(cluster);
        for &index in selections.keys().collect::<BTreeSet<_>>() {
            let parts = parts(index, &selections);
            roles.of_role[index] = parts.iter().flat_map(|&part| roles.written(part)).collect();
        }
        roles
    }

    fn written(&self, role: RoleIndex) -> Vec<RuleIndex> {
        let is_own = |rule: &&RuleIndex| self.rules[**rule].role == role;
        self.of_role[role].iter().filter(is_own).copied().collect()
    }

    /// Returns the role with this id.
    pub(super) fn find(&self, id: &ObjectId) -> Option<RoleIndex> {
        self.by_id.get(id).copied()
    }

    /// How many roles there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The role's id.
    pub(super) fn id(&self, role: RoleIndex) -> &ObjectId {
        &self.ids[role]
    }

    /// The rules that count for a role.
    pub(super) fn rules_of(&self, role: RoleIndex) -> impl Iterator<Item = (RuleIndex, &PolicyRule)> {
        self.of_role[role]
            .iter()
            .map(|&rule| (rule, &self.rules[rule].rule))
    }

    /// All rules, each once.
    pub(super) fn rules(&self) -> &[WrittenRule] {
        &self.rules
    }
}

/// For each aggregated role without rules the roles it selects.
fn selections(cluster: &Cluster) -> FxHashMap<RoleIndex, Vec<RoleIndex>> {
    let is_open = |role: &Role| role.rules.is_empty() && role.aggregation_rule.is_some();
    let mut selections = FxHashMap::default();
    for (index, (id, role)) in cluster.roles.iter().enumerate() {
        if id.kind != "ClusterRole" || !is_open(role) {
            continue;
        }
        let selectors = role
            .aggregation_rule
            .iter()
            .flat_map(|rule| &rule.cluster_role_selectors);
        let selectors: Vec<_> = selectors.collect();
        let selected = cluster.roles.iter().enumerate().filter(|(_, (id, role))| {
            id.kind == "ClusterRole"
                && selectors
                    .iter()
                    .any(|selector| selector.matches(&role.meta.labels))
        });
        selections.insert(index, selected.map(|(part, _)| part).collect());
    }
    selections
}

/// Every role that an aggregated role selects, directly or through another aggregated role.
fn parts(role: RoleIndex, selections: &FxHashMap<RoleIndex, Vec<RoleIndex>>) -> BTreeSet<RoleIndex> {
    let mut parts = BTreeSet::new();
    let mut open = vec![role];
    while let Some(next) = open.pop() {
        for &part in selections.get(&next).into_iter().flatten() {
            if parts.insert(part) {
                open.push(part);
            }
        }
    }
    parts
}
