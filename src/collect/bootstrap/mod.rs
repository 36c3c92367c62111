//! The roles and bindings that every API server creates, for inputs that have none of them.
//!
//! Manifests in a repository bind `admin` or `view` without defining them, and every service account holds
//! `system:discovery` through a group; without these objects such bindings would lead nowhere. The tables
//! follow Kubernetes 1.36 and 1.37 with their default features.
//!
//! **Trap.** An input that has a ClusterRole `cluster-admin` is taken as a dump of a whole cluster: there an
//! absent default is a fact (somebody removed it), so nothing at all is added.

mod cluster_roles;
mod controllers;
mod namespaced;
mod rule;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::model::{
    AggregationRule, Cluster, Code, Diagnostic, LabelSelector, Meta, Object, ObjectId, PolicyRule, Role,
    RoleBinding, RoleReference, ServiceAccount, Source, Subject, Text,
};
use cluster_roles::{AGGREGATED, BINDINGS, CERTIFICATES, COMPONENTS, NODE, PARTS, USERS};
use controllers::{IDENTITY, NETWORK, STORAGE, WORKLOADS};
use namespaced::NAMESPACED;
use rule::Rule;

const RBAC: &str = "rbac.authorization.k8s.io";
const SYSTEM: &str = "kube-system";

/// Accounts of the control plane that hold default roles and belong to no controller of the tables.
const OTHER_ACCOUNTS: &[&str] = &["bootstrap-signer", "token-cleaner"];

/// Adds the default roles, bindings and controllers' accounts if the input has no ClusterRole `cluster-admin`.
///
/// Objects of the input are never replaced. Returns what to tell the user, or `None` if nothing was added.
pub fn add_missing(cluster: &mut Cluster) -> Option<Diagnostic> {
    if cluster.roles.get("ClusterRole", "", "cluster-admin").is_some() {
        return None;
    }
    let (mut roles, mut bindings) = (0_usize, 0_usize);
    for (kind, object) in objects() {
        let added = usize::from(insert_new(cluster, kind, object));
        match kind {
            "ClusterRole" | "Role" => roles += added,
            "ClusterRoleBinding" | "RoleBinding" => bindings += added,
            _ => {}
        }
    }
    cluster.coverage.bootstrap_rbac_added = true;
    Some(Diagnostic::new(
        Code::BootstrapRbac,
        Source::default(),
        format!(
            "the input has no ClusterRole cluster-admin: added Kubernetes' {roles} default roles and {bindings} bindings"
        ),
        "give a dump that includes ClusterRoles and ClusterRoleBindings if the cluster's own differ",
    ))
}

/// The rules that the Node authorizer shares among all kubelets; the same as those of the role `system:node`.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/node/>
pub fn node_rules() -> Vec<PolicyRule> {
    NODE.iter().map(|rule| rule.policy_rule()).collect()
}

/// Returns the ids of the objects that [`add_missing`] added to this cluster, before or since it was a snapshot.
///
/// What was read from a file is never among them, whatever its name.
pub fn added(cluster: &Cluster) -> BTreeSet<ObjectId> {
    if !cluster.coverage.bootstrap_rbac_added {
        return BTreeSet::new();
    }
    let ids = objects()
        .into_iter()
        .map(|(kind, object)| ObjectId::new(kind, &object.meta().namespace, &object.meta().name));
    let mut ids: BTreeSet<ObjectId> = ids.collect();
    for (id, object) in cluster.objects() {
        if object.meta().source.is_file() {
            ids.remove(id);
        }
    }
    ids
}

/// Whether an object is one that Kubernetes brings with it: a default role or binding, or the account of a controller.
pub fn is_default(id: &ObjectId) -> bool {
    static IDS: LazyLock<BTreeSet<ObjectId>> = LazyLock::new(|| {
        let objects = objects().into_iter();
        objects
            .map(|(kind, object)| ObjectId::new(kind, &object.meta().namespace, &object.meta().name))
            .collect()
    });
    IDS.contains(id)
}

/// Adds an object unless the input has one of that identity; returns whether it was added.
fn insert_new(cluster: &mut Cluster, kind: &str, object: Object) -> bool {
    let id = ObjectId::new(kind, &object.meta().namespace, &object.meta().name);
    let known = match kind {
        "ServiceAccount" => cluster.service_accounts.contains(&id),
        "ClusterRole" | "Role" => cluster.roles.contains(&id),
        _ => cluster.role_bindings.contains(&id),
    };
    if !known {
        cluster.insert(kind, object);
    }
    !known
}

/// All default objects with their kinds.
fn objects() -> Vec<(&'static str, Object)> {
    let mut objects = Vec::new();
    for (name, part_of) in AGGREGATED {
        objects.push(aggregated(name, part_of));
    }
    for (target, rules) in PARTS {
        let mut role = role("", &format!("system:aggregate-to-{target}"), rules);
        role.meta.labels = role.meta.labels.with(&aggregation_label(target), "true");
        objects.push(("ClusterRole", Object::Role(Box::new(role))));
    }
    for (name, rules) in USERS.iter().chain(COMPONENTS) {
        objects.push(cluster_role(name, rules));
    }
    for (name, rules) in CERTIFICATES {
        objects.push(cluster_role(&format!("system:certificates.k8s.io:{name}"), rules));
    }
    for (name, subjects) in BINDINGS {
        objects.push(binding("", name, name, subjects));
    }
    for (name, rules) in [WORKLOADS, STORAGE, NETWORK, IDENTITY].concat() {
        let full = format!("system:controller:{name}");
        objects.push(cluster_role(&full, rules));
        objects.push(binding("", &full, &full, &[&format!("ServiceAccount {name}")]));
        objects.push(account(name));
    }
    for entry in NAMESPACED {
        let role = role(entry.namespace, entry.role, entry.rules);
        objects.push(("Role", Object::Role(Box::new(role))));
        objects.push(binding(
            entry.namespace,
            entry.binding,
            entry.role,
            entry.subjects,
        ));
    }
    objects.extend(OTHER_ACCOUNTS.iter().map(|name| account(name)));
    objects
}

fn meta(namespace: &str, name: &str) -> Meta {
    let mut meta = Meta {
        name: name.into(),
        namespace: namespace.into(),
        ..Meta::default()
    };
    meta.labels = meta.labels.with("kubernetes.io/bootstrapping", "rbac-defaults");
    meta
}

fn aggregation_label(target: &str) -> String {
    format!("{RBAC}/aggregate-to-{target}")
}

fn role(namespace: &str, name: &str, rules: &[Rule]) -> Role {
    Role {
        meta: meta(namespace, name),
        rules: rules.iter().map(|rule| rule.policy_rule()).collect(),
        aggregation_rule: None,
    }
}

fn cluster_role(name: &str, rules: &[Rule]) -> (&'static str, Object) {
    ("ClusterRole", Object::Role(Box::new(role("", name, rules))))
}

fn aggregated(name: &str, part_of: &str) -> (&'static str, Object) {
    let mut selector = LabelSelector::default();
    selector
        .match_labels
        .insert(aggregation_label(name).into(), "true".into());
    let mut role = role("", name, &[]);
    role.aggregation_rule = Some(AggregationRule {
        cluster_role_selectors: vec![selector],
    });
    if !part_of.is_empty() {
        role.meta.labels = role.meta.labels.with(&aggregation_label(part_of), "true");
    }
    ("ClusterRole", Object::Role(Box::new(role)))
}

/// A binding; `subjects` are `kind name`, and an empty namespace makes it cluster-wide.
fn binding(namespace: &str, name: &str, role: &str, subjects: &[&str]) -> (&'static str, Object) {
    let cluster_wide = namespace.is_empty();
    let binding = RoleBinding {
        meta: meta(namespace, name),
        subjects: subjects.iter().map(|words| subject(words)).collect(),
        role_ref: RoleReference {
            api_group: RBAC.into(),
            kind: if cluster_wide { "ClusterRole" } else { "Role" }.into(),
            name: role.into(),
        },
    };
    let kind = if cluster_wide {
        "ClusterRoleBinding"
    } else {
        "RoleBinding"
    };
    (kind, Object::RoleBinding(Box::new(binding)))
}

fn subject(words: &str) -> Subject {
    let (kind, name) = words.split_once(' ').unwrap_or(("User", words));
    let is_account = kind == "ServiceAccount";
    Subject {
        kind: kind.into(),
        api_group: if is_account { Text::default() } else { RBAC.into() },
        name: name.into(),
        namespace: if is_account {
            SYSTEM.into()
        } else {
            Text::default()
        },
    }
}

fn account(name: &str) -> (&'static str, Object) {
    let account = ServiceAccount {
        meta: Meta {
            name: name.into(),
            namespace: SYSTEM.into(),
            ..Meta::default()
        },
        ..ServiceAccount::default()
    };
    ("ServiceAccount", Object::ServiceAccount(Box::new(account)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrapped() -> Cluster {
        let mut cluster = Cluster::default();
        assert!(add_missing(&mut cluster).is_some());
        cluster
    }

    #[test]
    fn every_default_is_there_once() {
        let cluster = bootstrapped();
        let count = |kind: &str| cluster.objects().filter(|(id, _)| id.kind == *kind).count();
        assert_eq!(count("ClusterRole"), 70);
        assert_eq!(count("ClusterRoleBinding"), 51);
        assert_eq!((count("Role"), count("RoleBinding")), (7, 7));
        assert_eq!(count("ServiceAccount"), 41);
        assert_eq!(
            objects().len(),
            70 + 51 + 14 + 41,
            "an object is in the tables twice"
        );
        assert!(cluster.coverage.bootstrap_rbac_added);
    }

    #[test]
    fn every_binding_finds_its_role() {
        let cluster = bootstrapped();
        for binding in cluster.role_bindings.values() {
            let role = &binding.role_ref;
            let namespace = if role.kind == "Role" {
                binding.meta.namespace.as_str()
            } else {
                ""
            };
            assert!(
                cluster.roles.get(&role.kind, namespace, &role.name).is_some(),
                "{binding:?}"
            );
        }
    }

    #[test]
    fn cluster_admin_may_everything() {
        let cluster = bootstrapped();
        let rules = &cluster
            .roles
            .get("ClusterRole", "", "cluster-admin")
            .unwrap()
            .rules;
        assert_eq!(rules[0].verbs, ["*"]);
        assert_eq!(
            (rules[0].api_groups[0].as_str(), rules[0].resources[0].as_str()),
            ("*", "*")
        );
        assert_eq!(rules[1].non_resource_urls, ["*"]);
    }

    #[test]
    fn the_core_group_is_the_empty_string_and_no_word_is_empty() {
        for role in bootstrapped().roles.values() {
            for rule in &role.rules {
                assert!(!rule.api_groups.iter().any(|group| group == "core"), "{role:?}");
                assert_eq!(
                    rule.non_resource_urls.is_empty(),
                    !rule.resources.is_empty(),
                    "{role:?}"
                );
                assert!(!rule.verbs.is_empty(), "{role:?}");
            }
        }
    }

    #[test]
    fn aggregated_roles_select_their_parts() {
        let cluster = bootstrapped();
        for (name, _) in AGGREGATED {
            let role = cluster.roles.get("ClusterRole", "", name).unwrap();
            let selector = &role.aggregation_rule.as_ref().unwrap().cluster_role_selectors[0];
            let part = format!("system:aggregate-to-{name}");
            let part = cluster.roles.get("ClusterRole", "", &part).unwrap();
            assert!(selector.matches(&part.meta.labels) && role.rules.is_empty());
        }
    }

    #[test]
    fn an_input_with_cluster_admin_is_left_alone() {
        let mut cluster = Cluster::default();
        let (kind, admin) = cluster_role("cluster-admin", &[]);
        cluster.insert(kind, admin);
        assert_eq!(add_missing(&mut cluster), None);
        assert_eq!(cluster.objects().count(), 1);
        assert!(!cluster.coverage.bootstrap_rbac_added);
    }

    #[test]
    fn objects_of_the_input_are_kept() {
        let mut cluster = Cluster::default();
        let (kind, mut view) = cluster_role("view", &[rule::on("get", "core", "pods")]);
        view.meta_mut().source.file = "view.yaml".into();
        cluster.insert(kind, view);
        assert!(
            add_missing(&mut cluster)
                .unwrap()
                .message
                .contains("added Kubernetes' 76")
        );
        let view = cluster.roles.get("ClusterRole", "", "view").unwrap();
        assert_eq!(
            (view.meta.source.file.as_str(), view.rules.len()),
            ("view.yaml", 1)
        );
        let added = added(&cluster);
        assert_eq!(added.len(), cluster.objects().count() - 1);
        assert!(!added.contains(&ObjectId::new("ClusterRole", "", "view")));
    }
}
