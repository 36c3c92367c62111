//! Policies of engines that are not modelled: which pods they touch, so that no verdict is silently wrong.
//!
//! **Trap.** Such a policy may close what is shown as open, and one of Antrea's tiers open what is shown as closed.
//! Its selector is not read: it is taken to select every pod in its reach.

use std::collections::{BTreeMap, BTreeSet};

use super::gap::whose;
use super::universe::Group;
use crate::model::{Cluster, Code, Diagnostic, ObjectId, Other, Source};

/// A kind of policy: its API group, its name, and whether it is about the whole cluster.
type Kind = (&'static str, &'static str, bool);

/// The kinds of network policies that are not modelled.
///
/// Sources: <https://antrea.io/docs/main/docs/antrea-network-policy/>,
/// <https://linkerd.io/2/reference/authorization-policy/>,
/// <https://ovn-kubernetes.io/features/cluster-egress-controls/egress-firewall/>,
/// <https://developer.hashicorp.com/consul/docs/reference/config-entry/service-intentions>,
/// <https://kuma.io/docs/latest/policies/meshtrafficpermission/>,
/// <https://cloud.google.com/kubernetes-engine/docs/how-to/fqdn-network-policies>,
/// <https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html>
static KINDS: [Kind; 12] = [
    ("crd.antrea.io", "NetworkPolicy", false),
    ("crd.antrea.io", "ClusterNetworkPolicy", true),
    ("policy.linkerd.io", "Server", false),
    ("policy.linkerd.io", "AuthorizationPolicy", false),
    ("k8s.ovn.org", "EgressFirewall", false),
    ("network.openshift.io", "EgressNetworkPolicy", false),
    ("consul.hashicorp.com", "ServiceIntentions", true),
    ("kuma.io", "MeshTrafficPermission", true),
    ("networking.gke.io", "FQDNNetworkPolicy", false),
    ("vpcresources.k8s.aws", "SecurityGroupPolicy", false),
    ("kubeovn.io", "SecurityGroup", true),
    ("networking.k8s.aws", "ClusterNetworkPolicy", true),
];

/// The pods that policies of one kind select.
#[derive(Debug, Default)]
struct Touched {
    policies: usize,
    first: Option<(ObjectId, Source)>,
    pods: BTreeSet<usize>,
}

/// The policies that are not modelled, each with its kind.
pub(super) fn policies(cluster: &Cluster) -> impl Iterator<Item = (&ObjectId, &Other, &'static Kind)> {
    let all = cluster.others.iter();
    all.filter_map(|(id, other)| {
        let (group, _) = other.api_version.split_once('/').unwrap_or_default();
        let mut kinds = KINDS.iter();
        let known = kinds.find(|(known, kind, _)| *known == group && other.kind == *kind)?;
        Some((id, other, known))
    })
}

/// Names, for each kind of policy that is not modelled, the pods whose verdicts do not count it.
///
/// # Complexity
/// O(such policies × (groups + pods in their reach)).
pub(super) fn report(cluster: &Cluster, groups: &[Group], found: &mut Vec<Diagnostic>) {
    let mut kinds = BTreeMap::<(&str, &str), Touched>::new();
    for (id, other, (engine, _, of_cluster)) in policies(cluster) {
        let touched = kinds.entry((engine, &id.kind)).or_default();
        touched.policies += 1;
        touched
            .first
            .get_or_insert_with(|| (id.clone(), other.meta.source.clone()));
        // The kind decides: without its definition in the input an object of the whole cluster gets a namespace.
        let namespace = (!of_cluster).then_some(&other.meta.namespace);
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

fn diagnostic(cluster: &Cluster, (engine, kind): (&str, &str), touched: &Touched) -> Diagnostic {
    let of = whose(cluster, touched.pods.iter().copied());
    let count = touched.policies;
    let message = format!(
        "{count} {kind} of {engine} may select {of}: verdicts about their traffic do not count these policies"
    );
    let hint = "check such a verdict against the policies themselves";
    let (first, source) = touched.first.clone().unwrap_or_default();
    Diagnostic::new(Code::NotModelled, source, message, hint).about(first)
}
