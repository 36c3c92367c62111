//! What rights over admission webhooks and mutating policies give: a hand in every later pod, a look at what is written.
//!
//! **Trap.** A webhook decides about objects that others make. Nothing happens until somebody makes one, and the
//! API server has to reach the webhook's address; the input shows neither.

use super::new_pod::belongings;
use super::pods::{any_node, any_pod, both};
use super::references::Holder;
use super::structure::namespace_fact;
use super::technique::techniques;
use super::version::since;
use super::{ANY, Certainty, Context, Evidence, Family, Place, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::{Power, power};

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

    /// Reads every later Secret and ConfigMap as it is written.
    ///
    /// # Preconditions
    ///
    /// The right to create, update or patch ValidatingWebhookConfigurations, or to update one that exists by name. The
    /// API server sends the webhook each object that is created or changed while it is in place, Secrets too, with the
    /// token that the controller puts into a token Secret.
    ///
    /// What does not suffice: `delete`; a name that no configuration has. Objects that nobody writes are not seen, and
    /// neither are tokens that are made on request.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of `validatingwebhookconfigurations`; webhooks whose rules name Secrets.
    WEBHOOK_READ: [Grant] => [Secret, ConfigMap] {
        title: "Webhook that is sent objects",
        mitre: ["T1552.007", "T1557"],
        microsoft: ["MS-TA9015", "MS-TA9025"],
        owasp: ["K02", "K03"],
        effort: 3,
        remediation: "Leave ValidatingWebhookConfigurations to administrators; a component needs its own by name at most.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks",
            "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
        ],
        derive: webhook_read,
    }

    /// Changes every later pod by a policy that the API server evaluates itself, without a server of one's own.
    ///
    /// # Preconditions
    ///
    /// The right to write MutatingAdmissionPolicies and the right to write their bindings; two identities may have one
    /// each. For a policy that is bound already the right to change it is enough. The kind is served from 1.36; from 1.32
    /// on only if a feature gate says so.
    ///
    /// What does not suffice: the bindings alone; the policies alone, where the input has no binding; rights on
    /// ValidatingAdmissionPolicies, which only refuse.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of `mutatingadmissionpolicies` and their bindings; pods that differ from their
    /// template.
    POLICY_MUTATE: [Grant] => [Pod, Node, Credential, Secret, ConfigMap, Network] {
        title: "Admission policy that changes pods",
        mitre: ["T1546", "T1610"],
        microsoft: ["MS-TA9015"],
        owasp: ["K02", "K04"],
        effort: 2,
        remediation: "Leave MutatingAdmissionPolicies and their bindings to administrators.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/",
            "https://www.kubernetes.dev/resources/keps/3962/",
        ],
        derive: policy_mutate,
    }
}

/// What a change of pods and a look at objects wait for.
const LATER: &str = "the API server reaches the webhook, and a pod is made while it is in place";
const WRITTEN: &str = "the API server reaches the webhook, and the object is written while it is in place";
const MADE: &str = "a pod is made while the policy is in place";
const BOUND: &str = "a binding applies the policy";

/// The grants of a power over all configurations, and over those of the input by name with that object.
fn writers(context: &Context<'_>, power: &'static Power, kind: &str) -> Vec<(Position, Option<Evidence>)> {
    let held = context.held;
    let wide = held.everywhere(power).map(|grant| (grant, None));
    let named = held.names(power).filter_map(|(_, name, grant)| {
        let id = ObjectId::cluster_scoped(kind, name);
        let exists = context.cluster.webhooks.contains(&id) || context.cluster.others.contains(&id);
        exists.then(|| (grant, Some(Evidence::new(id, "", ""))))
    });
    wide.into_iter().chain(named).collect()
}

fn webhook_mutate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let power = &power::WRITE_MUTATING_WEBHOOKS;
    for (grant, webhook) in writers(context, power, "MutatingWebhookConfiguration") {
        let later = Certainty::Conditional(LATER.into());
        change_pods(context, sink, &[grant], &later, webhook.as_ref());
    }
}

/// Adds what a change of every later pod gives, in each namespace.
fn change_pods(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    premises: &[Position],
    later: &Certainty,
    fact: Option<&Evidence>,
) {
    let every = Text::default();
    let namespaces = context.held.places(&every);
    for namespace in namespaces {
        let evidence = || [namespace_fact(namespace)].into_iter().chain(fact.cloned());
        for gained in belongings(namespace).into_iter().chain([any_pod(namespace)]) {
            sink.step_if(premises.to_vec(), gained, later.clone(), evidence());
        }
    }
    // Pod Security decides after the change, by the namespace's label.
    let open = namespaces
        .iter()
        .map(|namespace| super::admission::pod_security(context.cluster, namespace))
        .find(|(level, _)| level.admits_host());
    if let Some((_, label)) = open {
        let evidence = [label].into_iter().chain(fact.cloned());
        sink.step_if(premises.to_vec(), any_node(), later.clone(), evidence);
    }
}

fn webhook_read(context: &Context<'_>, sink: &mut Sink<'_>) {
    let power = &power::WRITE_VALIDATING_WEBHOOKS;
    for (grant, webhook) in writers(context, power, "ValidatingWebhookConfiguration") {
        for namespace in context.held.all_namespaces() {
            for holder in [Holder::Secret, Holder::ConfigMap] {
                let gained = holder.whole(&Place::new(namespace, ANY));
                let later = Certainty::Conditional(WRITTEN.into());
                let evidence = [namespace_fact(namespace)].into_iter().chain(webhook.clone());
                sink.step_if([grant.clone()], gained, later, evidence);
            }
        }
    }
}

fn policy_mutate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(served) = policies_served(context) else {
        return;
    };
    let later = || both(served.clone(), Certainty::Conditional(MADE.into()));
    let policies = &power::WRITE_MUTATING_POLICIES;
    let bindings = &power::WRITE_MUTATING_POLICY_BINDINGS;
    if let (Some(policy), Some(binding)) = (
        context.held.everywhere(policies),
        context.held.everywhere(bindings),
    ) {
        change_pods(context, sink, &[policy, binding], &later(), None);
    }
    let others = || context.cluster.others.iter().map(|(id, _)| id);
    let Some(binding) = others().find(|id| id.kind == "MutatingAdmissionPolicyBinding") else {
        return;
    };
    let first = others().find(|id| id.kind == KIND_OF_POLICIES);
    for (grant, policy) in writers(context, policies, KIND_OF_POLICIES) {
        let condition = if policy.is_some() {
            format!("{BOUND} ({binding})")
        } else {
            format!("{BOUND} ({binding}), and the right is one to change it")
        };
        let policy = policy.or_else(|| first.map(|id| Evidence::new(id.clone(), "", "")));
        if policy.is_some() {
            let bound = Certainty::Conditional(condition.into());
            change_pods(context, sink, &[grant], &both(later(), bound), policy.as_ref());
        }
    }
}

const KIND_OF_POLICIES: &str = "MutatingAdmissionPolicy";

/// How sure it is that the API server has mutating policies.
fn policies_served(context: &Context<'_>) -> Option<Certainty> {
    let gate = "the feature gate MutatingAdmissionPolicy is on";
    since(context.cluster, 36)
        .or_else(|| since(context.cluster, 32).map(|_| Certainty::Conditional(gate.into())))
}
