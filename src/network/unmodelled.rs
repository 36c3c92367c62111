//! Policies of engines that are not modelled: which pods they touch, so that no verdict is silently wrong.
//!
//! **Trap.** Such a policy may close what is shown as open, and with Calico's tiers open what is shown as closed.
//! A selector that is not understood is taken to select every pod in its reach.

use std::collections::{BTreeMap, BTreeSet};

use super::universe::Group;
use crate::model::{Cluster, Code, Diagnostic, ObjectId, Other, Source, Text};

/// API groups with network policies that are not modelled, and their kinds.
///
/// Sources: <https://docs.cilium.io/en/stable/security/policy/>,
/// <https://docs.tigera.io/calico/latest/reference/resources/>
const ENGINES: [(&str, &[&str]); 2] = [
    ("crd.projectcalico.org", &["NetworkPolicy", "GlobalNetworkPolicy"]),
    ("projectcalico.org", &["NetworkPolicy", "GlobalNetworkPolicy"]),
];

/// How many workloads a diagnostic names.
const NAMED: usize = 3;

/// The pods that policies of one kind select.
#[derive(Debug, Default)]
struct Touched {
    policies: usize,
    first: Option<(ObjectId, Source)>,
    pods: BTreeSet<usize>,
}

/// Names, for each kind of policy that is not modelled, the pods whose verdicts do not count it.
///
/// # Complexity
/// O(such policies × (groups + pods in their reach)).
pub(super) fn report(cluster: &Cluster, groups: &[Group], found: &mut Vec<Diagnostic>) {
    let mut kinds = BTreeMap::<(&str, &str), Touched>::new();
    for (id, other) in &cluster.others {
        let (group, _) = other.api_version.split_once('/').unwrap_or_default();
        let known = ENGINES
            .iter()
            .find(|(known, kinds)| *known == group && kinds.contains(&other.kind.as_str()));
        let Some((engine, _)) = known else {
            continue;
        };
        let touched = kinds.entry((engine, &id.kind)).or_default();
        touched.policies += 1;
        touched
            .first
            .get_or_insert_with(|| (id.clone(), other.meta.source.clone()));
        let namespace = reach(other);
        for group in groups {
            let within = namespace.is_none_or(|namespace| group.namespace == *namespace);
            if within && !group.host_network {
                touched.pods.extend(&group.pods);
            }
        }
    }
    let kinds = kinds.iter();
    found.extend(kinds.map(|(&kind, touched)| diagnostic(cluster, kind, touched)));
}

/// The namespace that a policy is for; none if it is for all.
///
/// The kind decides: without its definition in the input an object of the whole cluster gets a namespace too.
fn reach(other: &Other) -> Option<&Text> {
    let namespace = &other.meta.namespace;
    (other.kind != "GlobalNetworkPolicy").then_some(namespace)
}

fn diagnostic(cluster: &Cluster, (engine, kind): (&str, &str), touched: &Touched) -> Diagnostic {
    let workloads: BTreeSet<String> = touched
        .pods
        .iter()
        .filter_map(|&pod| Some(cluster.workload_of(cluster.pods.at(pod)?.1).to_string()))
        .collect();
    let named: Vec<&str> = workloads.iter().take(NAMED).map(String::as_str).collect();
    let more = match workloads.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let of = if named.is_empty() {
        "no pod of the input".to_owned()
    } else {
        format!("pods of {}{more}", named.join(", "))
    };
    let count = touched.policies;
    let message = format!(
        "{count} {kind} of {engine} may select {of}: verdicts about their traffic do not count these policies"
    );
    let hint = "check such a verdict against the policies themselves";
    let (first, source) = touched.first.clone().unwrap_or_default();
    Diagnostic::new(Code::NotModelled, source, message, hint).about(first)
}
