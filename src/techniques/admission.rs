//! What stands between the right to create a pod and the pod: Pod Security Admission, webhooks, policies.
//!
//! **Trap.** Pod Security looks at the label of the namespace, and a namespace without one lets everything in
//! unless the API server's own configuration says otherwise, which no object shows.
//! Sources: <https://kubernetes.io/docs/concepts/security/pod-security-admission/>,
//! <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/pod-security-admission/api/helpers.go>

use super::{Certainty, Evidence};
use crate::model::{AdmissionRule, Cluster, ObjectId, Text};

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// What Pod Security enforces, from the loosest to the tightest.
///
/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Every pod: the host's namespaces, files, devices and all capabilities.
    Privileged,
    /// User 0 with the runtime's default capabilities, and whatever a claim leads to.
    Baseline,
    /// Another user than 0, without capabilities; claims still.
    Restricted,
}

impl Level {
    /// Whether a pod with the node's namespaces, files or more than default capabilities is let in.
    pub(super) fn admits_host(self) -> bool {
        self == Self::Privileged
    }

    /// Whether a pod that runs as user 0 is let in.
    pub(super) fn admits_root(self) -> bool {
        self <= Self::Baseline
    }
}

/// What Pod Security enforces in a namespace, and the label that decides.
pub(super) fn pod_security(cluster: &Cluster, namespace: &Text) -> (Level, Evidence) {
    let labels = cluster.namespace_labels(namespace);
    let level = labels.get(ENFORCE).map(Text::as_str);
    let object = ObjectId::cluster_scoped("Namespace", namespace);
    let pointer = format!("/metadata/labels/{}", super::structure::escaped(ENFORCE));
    let fact = Evidence::new(object, pointer, level.unwrap_or("not set"));
    let level = match level {
        None | Some("privileged") => Level::Privileged,
        Some("baseline") => Level::Baseline,
        // A level that is none counts as the strictest, as the API server has it.
        Some(_) => Level::Restricted,
    };
    (level, fact)
}

/// How sure it is that a new pod in a namespace is admitted: webhooks and policies for pods may refuse it.
pub(super) fn admitted(cluster: &Cluster, namespace: &Text) -> Certainty {
    let names: Vec<String> = guards(cluster, namespace)
        .iter()
        .map(ToString::to_string)
        .collect();
    if names.is_empty() {
        return Certainty::Certain;
    }
    Certainty::Conditional(format!("{} lets such a pod in", names.join(" and ")).into())
}

/// The webhooks and policies that look at new pods in a namespace and may refuse them.
pub(super) fn guards<'a>(cluster: &'a Cluster, namespace: &Text) -> Vec<&'a ObjectId> {
    let labels = cluster.namespace_labels(namespace);
    let webhooks = cluster.webhooks.iter().filter(|(id, webhook)| {
        id.kind == "ValidatingWebhookConfiguration"
            && webhook.webhooks.iter().any(|webhook| {
                webhook.rules.iter().any(asks_about_pods)
                    && webhook
                        .namespace_selector
                        .as_ref()
                        .is_none_or(|selector| selector.matches(&labels))
            })
    });
    let policies = cluster.admission_policies.iter().filter(|(id, policy)| {
        let constraints = &policy.spec.match_constraints;
        let is_bound = cluster
            .admission_policy_bindings
            .values()
            .any(|binding| binding.spec.policy_name == id.name && denies(&binding.spec.validation_actions));
        is_bound
            && constraints.resource_rules.iter().any(asks_about_pods)
            && constraints
                .namespace_selector
                .as_ref()
                .is_none_or(|selector| selector.matches(&labels))
    });
    webhooks
        .map(|(id, _)| id)
        .chain(policies.map(|(id, _)| id))
        .collect()
}

/// How sure it is that a pod may have privileges: on OpenShift a constraint has to be open to its maker or its account.
///
/// Constraints name users and groups themselves, beside the verb `use`, so that rights alone do not tell.
/// Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/authentication_and_authorization/managing-pod-security-policies>
pub(super) fn constraints(cluster: &Cluster) -> Certainty {
    let mut constraints = cluster.others.iter();
    if constraints.any(|(id, _)| id.kind == "SecurityContextConstraints") {
        Certainty::Conditional("a SecurityContextConstraints object lets the pod have privileges".into())
    } else {
        Certainty::Certain
    }
}

fn denies(actions: &[Text]) -> bool {
    actions.is_empty() || actions.iter().any(|action| action == "Deny")
}

fn asks_about_pods(rule: &AdmissionRule) -> bool {
    let has = |words: &[Text], word: &str| words.iter().any(|known| known == "*" || known == word);
    has(&rule.api_groups, "")
        && has(&rule.operations, "CREATE")
        && rule
            .resources
            .iter()
            .any(|resource| matches!(resource.as_str(), "pods" | "*" | "*/*"))
}
