//! Service accounts, roles and bindings: most harmless, a few dangerous.

use std::io::{self, Write};

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde_json::{Value, json};

use super::manifest::{labels, metadata, typed};
use super::plan::{Plan, Role as Kind, Workload};
use super::prng::Prng;
use super::sink::Sink;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Rights that lead far: name, API group, resources, verbs.
const DANGEROUS: &[(&str, &str, &[&str], &[&str])] = &[
    ("secret-reader", "", &["secrets"], &["get", "list"]),
    ("pod-launcher", "", &["pods"], &["create", "get", "list"]),
    ("debugger", "", &["pods/exec", "nodes/proxy"], &["create", "get"]),
    (
        "role-manager",
        GROUP,
        &["clusterroles", "clusterrolebindings"],
        &["bind", "create", "escalate", "update"],
    ),
    ("token-maker", "", &["serviceaccounts/token"], &["create"]),
];

/// Writes the cluster-wide roles.
pub(crate) fn put_cluster_roles<W: Write>(rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    for (name, group, resources, verbs) in DANGEROUS {
        sink.put(&typed::<ClusterRole>(json!({
            "metadata": metadata("", name, &json!({}), rng),
            "rules": [{ "apiGroups": [group], "resources": resources, "verbs": verbs }],
        })))?;
    }
    sink.put(&typed::<ClusterRole>(json!({
        "metadata": metadata("", "cluster-admin", &json!({ "kubernetes.io/bootstrapping": "rbac-defaults" }), rng),
        "rules": [
            { "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] },
            { "nonResourceURLs": ["*"], "verbs": ["*"] },
        ],
    })))
}

/// Writes the accounts and roles that every namespace has.
pub(crate) fn put_namespace_access<W: Write>(
    namespace: &str,
    rng: &mut Prng,
    sink: &mut Sink<W>,
) -> io::Result<()> {
    put_account(namespace, "default", rng, sink)?;
    sink.put(&typed::<Role>(json!({
        "metadata": metadata(namespace, "settings-reader", &json!({}), rng),
        "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"] }],
    })))
}

/// Writes a workload's own account and what it may do.
pub(crate) fn put_workload_access<W: Write>(
    plan: &Plan,
    workload: &Workload,
    sink: &mut Sink<W>,
) -> io::Result<()> {
    if workload.account == "default" {
        return Ok(());
    }
    let mut rng = Prng::new(workload.seed ^ 0x73_61);
    let namespace = plan.namespace_of(workload);
    put_account(namespace, &workload.account, &mut rng, sink)?;
    sink.put(&typed::<RoleBinding>(json!({
        "metadata": metadata(namespace, &format!("{}-settings", workload.name), &labels(&workload.name), &mut rng),
        "roleRef": { "apiGroup": GROUP, "kind": "Role", "name": "settings-reader" },
        "subjects": subjects(namespace, &workload.account),
    })))?;
    if workload.role == Kind::Application && rng.chance(2) {
        let role = if rng.chance(15) {
            "cluster-admin"
        } else {
            rng.pick(DANGEROUS).0
        };
        let name = format!("{namespace}-{}-{role}", workload.name);
        sink.put(&typed::<ClusterRoleBinding>(json!({
            "metadata": metadata("", &name, &labels(&workload.name), &mut rng),
            "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": role },
            "subjects": subjects(namespace, &workload.account),
        })))?;
    }
    Ok(())
}

fn put_account<W: Write>(namespace: &str, name: &str, rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    sink.put(&typed::<ServiceAccount>(
        json!({ "metadata": metadata(namespace, name, &json!({}), rng) }),
    ))
}

fn subjects(namespace: &str, account: &str) -> Value {
    json!([{ "kind": "ServiceAccount", "namespace": namespace, "name": account }])
}
