//! The least role that suffices for a whole snapshot, from the list of what is asked for.
//!
//! **Trap.** RBAC cannot allow the names of Secrets without their values: who may list them may read them. That only
//! names are asked for is this program's promise, not the cluster's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::kinds;

/// The role as a manifest: a ClusterRole, or a Role in a namespace if one is named.
pub fn role(namespace: Option<&str>) -> String {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for wanted in kinds::all().filter(|wanted| namespace.is_none() || wanted.namespaced) {
        groups.entry(wanted.group).or_default().insert(wanted.resource);
    }
    let mut text = String::from("apiVersion: rbac.authorization.k8s.io/v1\n");
    match namespace {
        Some(namespace) => {
            let _ = write!(
                text,
                "kind: Role\nmetadata:\n  name: beachhead\n  namespace: {namespace}\n"
            );
        }
        None => text.push_str("kind: ClusterRole\nmetadata:\n  name: beachhead\n"),
    }
    text.push_str("rules:\n");
    for (group, resources) in groups {
        let _ = writeln!(text, "  - apiGroups: [\"{group}\"]\n    resources:");
        for resource in resources {
            let shown = if resource == "*" { "\"*\"" } else { resource };
            let _ = writeln!(text, "      - {shown}");
        }
        text.push_str("    verbs: [\"list\"]\n");
    }
    if namespace.is_none() {
        text.push_str(
            "  # What the server serves. Every account that logs in may ask, unless the cluster took that away.\n  \
             - nonResourceURLs: [\"/version\", \"/api\", \"/api/*\", \"/apis\", \"/apis/*\"]\n    \
             verbs: [\"get\"]\n",
        );
    }
    text
}
