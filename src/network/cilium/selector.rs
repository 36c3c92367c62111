//! Endpoint selectors: conditions on namespaces, accounts and pods, which Cilium writes as labels of one kind.
//!
//! **Trap.** A peer selector without a condition on namespaces is about the policy's own namespace; a subject is
//! always in it, whatever its selector says.
//! Source: <https://docs.cilium.io/en/stable/network/kubernetes/policy/#namespaces>

use crate::model::{LabelSelector, NAMESPACE_NAME, Operator, Requirement, Text};
use crate::network::attributes::SERVICE_ACCOUNT;
use crate::network::selector::{Expression, Namespaces, PodSelector};

/// The label that Cilium gives endpoints after their namespace.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// What Cilium puts before the labels of namespaces.
const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
/// The labels of clusters in a mesh of clusters, and of service accounts.
const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
const ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
/// What Cilium puts before keys: where the label comes from.
const SOURCES: [&str; 2] = ["k8s:", "any:"];

/// A selector, taken apart.
#[derive(Default)]
struct Parts {
    namespaces: Vec<Expression>,
    pods: Vec<Expression>,
}

/// The pods that a policy applies to.
///
/// A namespace that the selector names is replaced by the policy's own, as Cilium does it.
pub(super) fn of_subject(selector: &LabelSelector, own: Option<&Text>) -> PodSelector {
    let parts = parts(selector, own.is_some());
    let Some(own) = own else {
        return PodSelector {
            namespaces: Namespaces::Where(Expression::All(parts.namespaces)),
            pods: Expression::All(parts.pods),
        };
    };
    PodSelector {
        namespaces: if parts.namespaces.is_empty() {
            Namespaces::One(own.clone())
        } else {
            let is_own = Expression::In(NAMESPACE_NAME.into(), vec![own.clone()]);
            Namespaces::Where(Expression::All([vec![is_own], parts.namespaces].concat()))
        },
        pods: Expression::All(parts.pods),
    }
}

/// The pods that are peers.
///
/// Source: <https://github.com/cilium/cilium/blob/main/pkg/k8s/apis/cilium.io/utils/utils.go>
pub(super) fn of_peer(selector: &LabelSelector, own: Option<&Text>) -> PodSelector {
    let parts = parts(selector, false);
    let namespaces = match own {
        Some(own) if parts.namespaces.is_empty() => Namespaces::One(own.clone()),
        _ => Namespaces::Where(Expression::All(parts.namespaces)),
    };
    PodSelector {
        namespaces,
        pods: Expression::All(parts.pods),
    }
}

/// The entity that a selector of reserved labels means.
pub(super) fn reserved(selector: &LabelSelector) -> Option<Text> {
    let keys = selector.match_labels.keys();
    let more = selector
        .match_expressions
        .iter()
        .filter(|requirement| matches!(requirement.operator, Operator::Exists | Operator::In))
        .map(|requirement| &requirement.key);
    keys.chain(more)
        .find_map(|key| key.strip_prefix("reserved:").map(Text::new))
}

/// Whether a selector asks for a cluster by name, in a mesh of clusters.
pub(super) fn names_cluster(selector: &LabelSelector) -> bool {
    let more = selector.match_expressions.iter();
    let mut keys = selector
        .match_labels
        .keys()
        .chain(more.map(|requirement| &requirement.key));
    keys.any(|key| plain(key) == CLUSTER)
}

fn plain(key: &Text) -> &str {
    let source = SOURCES.iter().find_map(|source| key.strip_prefix(source));
    source.unwrap_or(key)
}

fn parts(selector: &LabelSelector, replaces_namespace: bool) -> Parts {
    let mut parts = Parts::default();
    let pairs = selector.match_labels.iter().map(|(key, value)| Requirement {
        key: key.clone(),
        operator: Operator::In,
        values: vec![value.clone()],
    });
    let named = pairs.map(|requirement| (requirement, true));
    let others = selector.match_expressions.iter().cloned();
    for (requirement, is_pair) in named.chain(others.map(|requirement| (requirement, false))) {
        let key = plain(&requirement.key);
        let label = match key {
            NAMESPACE => Some(NAMESPACE_NAME),
            _ => key.strip_prefix(NAMESPACE_LABELS),
        };
        if let Some(label) = label {
            if !(is_pair && replaces_namespace && key == NAMESPACE) {
                parts.namespaces.push(condition(label, &requirement));
            }
        } else if key == ACCOUNT {
            parts.pods.push(condition(SERVICE_ACCOUNT, &requirement));
        } else if key != CLUSTER {
            parts.pods.push(condition(key, &requirement));
        }
    }
    parts
}

fn condition(key: &str, requirement: &Requirement) -> Expression {
    let (key, values) = (Text::new(key), requirement.values.clone());
    match requirement.operator {
        Operator::In => Expression::In(key, values),
        Operator::NotIn => Expression::Not(Box::new(Expression::In(key, values))),
        Operator::Exists => Expression::Has(key),
        Operator::DoesNotExist => Expression::Not(Box::new(Expression::Has(key))),
    }
}
