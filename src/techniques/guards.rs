//! What the right to end a guard gives: pods that admission would have refused.
//!
//! **Trap.** A right to end one guard is worth something only where it is the last one: each guard of a namespace takes a
//! right of its own, and Pod Security is none of them.

use super::admission::{constraints, guards, pod_security};
use super::new_pod::makers;
use super::pods::any_node;
use super::technique::techniques;
use super::{Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Takes away the webhooks and policies that look at new pods, and makes one that they would have refused.
    ///
    /// # Preconditions
    ///
    /// The right to create pods or workloads in a namespace for which Pod Security enforces nothing or `privileged`; and
    /// for each validating webhook and ValidatingAdmissionPolicy that looks at pods there the right to change or delete it.
    /// For a policy the right over its bindings does as well. Different identities may have one each.
    ///
    /// What does not suffice: the right over some of the guards; a namespace that enforces `baseline` or `restricted`.
    ///
    /// # Detection
    ///
    /// Audit log: `delete` and `patch` of webhook configurations and admission policies.
    GUARD_REMOVE: [Grant] => [Node] {
        title: "Guards taken away",
        mitre: ["T1685", "T1610", "T1611"],
        microsoft: ["MS-TA9018"],
        owasp: ["K02", "K04"],
        effort: 2,
        remediation: "Leave webhook configurations and admission policies to administrators, and enforce a Pod Security Standard as well.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#control-admission-webhooks",
            "https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
        ],
        derive: guard_remove,
    }
}

/// How many grants over one guard are looked at; the first that suffices would do.
const GRANTS: usize = 2;

fn guard_remove(context: &Context<'_>, sink: &mut Sink<'_>) {
    let constraints = constraints(context.cluster);
    for (namespace, make) in makers(context) {
        let (level, label) = pod_security(context.cluster, namespace);
        let guards = guards(context.cluster, namespace);
        if !level.admits_host() || guards.is_empty() {
            continue;
        }
        let mut premises = vec![vec![make]];
        for guard in &guards {
            let grants = ends(context, guard);
            premises = premises
                .iter()
                .flat_map(|before| grants.iter().take(GRANTS).map(move |grant| with(before, grant)))
                .collect();
            premises.truncate(GRANTS);
        }
        for premises in premises {
            let facts = guards.iter().map(|guard| Evidence::new((*guard).clone(), "", ""));
            let evidence = [label.clone()].into_iter().chain(facts);
            sink.step_if(premises, any_node(), constraints.clone(), evidence);
        }
    }
}

fn with(before: &[Position], grant: &Position) -> Vec<Position> {
    let mut premises = before.to_vec();
    if !premises.contains(grant) {
        premises.push(grant.clone());
    }
    premises
}

/// The grants that end a guard.
fn ends(context: &Context<'_>, guard: &ObjectId) -> Vec<Position> {
    let none = Text::default();
    let over = |power: &'static Power, name: &Text| context.held.over(power, &none, name);
    if guard.kind == "ValidatingWebhookConfiguration" {
        return over(&power::WEAKEN_VALIDATING_WEBHOOKS, &guard.name);
    }
    let mut found = over(&power::WEAKEN_VALIDATING_POLICIES, &guard.name);
    // Without all of its bindings a policy is asked about nothing.
    let bindings = &context.cluster.admission_policy_bindings;
    let mut own = bindings
        .iter()
        .filter(|(_, binding)| binding.spec.policy_name == guard.name);
    if let (Some((only, _)), None) = (own.next(), own.next()) {
        found.extend(over(&power::WEAKEN_VALIDATING_POLICY_BINDINGS, &only.name));
    } else {
        found.extend(context.held.everywhere(&power::WEAKEN_VALIDATING_POLICY_BINDINGS));
    }
    found
}
