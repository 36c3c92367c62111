//! What rights over admission webhooks give: a hand in every later pod.
//!
//! **Trap.** A webhook decides about objects that others make. Nothing happens until somebody makes one, and the
//! API server has to reach the webhook's address; the input shows neither.

use super::new_pod::belongings;
use super::pods::{any_node, any_pod};
use super::structure::namespace_fact;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::power;

techniques! { TECHNIQUES, Family::Rbac;
    /// Changes every later pod: a container of its own, another account, the files of the node.
    ///
    /// # Preconditions
    ///
    /// The right to create, update or patch MutatingWebhookConfigurations, or to update one that exists by name. The
    /// API server reaches the webhook's address, which may lie outside the cluster, and a pod is made while it is in
    /// place. A node follows only from a namespace for which Pod Security enforces nothing or `privileged`.
    ///
    /// What does not suffice: rights on ValidatingWebhookConfigurations, which only read and refuse; `delete`; a
    /// name that no configuration has.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of `mutatingwebhookconfigurations`; pods that differ from their template.
    WEBHOOK_MUTATE: [Grant] => [Pod, Node, Credential, Secret, ConfigMap, Network] {
        title: "Webhook that changes pods",
        mitre: ["T1546", "T1610"],
        microsoft: ["MS-TA9015"],
        owasp: ["K02", "K03"],
        cis: ["5.1.12"],
        effort: 3,
        remediation: "Leave MutatingWebhookConfigurations to administrators; a component needs its own by name at most.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks",
            "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
        ],
        derive: webhook_mutate,
    }
}

const KIND: &str = "MutatingWebhookConfiguration";
const LATER: &str = "the API server reaches the webhook, and a pod is made while it is in place";

fn webhook_mutate(context: &Context<'_>, sink: &mut Sink<'_>) {
    if let Some(grant) = context.held.everywhere(&power::WRITE_MUTATING_WEBHOOKS) {
        change_pods(context, sink, &grant, None);
    }
    for (_, name, grant) in context.held.names(&power::WRITE_MUTATING_WEBHOOKS) {
        let id = ObjectId::cluster_scoped(KIND, name);
        if context.cluster.webhooks.contains(&id) {
            change_pods(context, sink, &grant, Some(Evidence::new(id, "", "")));
        }
    }
}

/// Adds what a change of every later pod gives, in each namespace.
fn change_pods(context: &Context<'_>, sink: &mut Sink<'_>, grant: &Position, webhook: Option<Evidence>) {
    let later = || Certainty::Conditional(LATER.into());
    let every = Text::default();
    let namespaces = context.held.places(&every);
    for namespace in namespaces {
        let evidence = || [namespace_fact(namespace)].into_iter().chain(webhook.clone());
        for gained in belongings(namespace).into_iter().chain([any_pod(namespace)]) {
            sink.step_if([grant.clone()], gained, later(), evidence().collect());
        }
    }
    // Pod Security decides after the webhook, by the namespace's label.
    let open = namespaces
        .iter()
        .map(|namespace| super::admission::pod_security(context.cluster, namespace))
        .find(|(level, _)| level.admits_host());
    if let Some((_, label)) = open {
        let evidence = [label].into_iter().chain(webhook).collect();
        sink.step_if([grant.clone()], any_node(), later(), evidence);
    }
}
