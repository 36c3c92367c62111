//! What rights over roles and bindings give: every right there is.
//!
//! **Trap.** To write a binding or a role gives nothing new by itself: the API server refuses to hand out rights
//! that the writer lacks, unless the writer has `bind` or `escalate`. `create` on bindings alone is no escalation.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use std::collections::{BTreeMap, BTreeSet};

use super::bindable::{Extent, bindable};
use super::structure::{grounds, namespace_fact};
use super::technique::techniques;
use super::{Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, RoleBinding, Subject, Text};
use crate::rbac::{Scope, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// May do everything: every verb on every resource.
    ///
    /// What counts is what the rules allow, whatever the role is called.
    ///
    /// # Preconditions
    ///
    /// `*` in verbs, resources and API groups of a role that is bound in the whole cluster, or in a namespace for
    /// control of that namespace; or membership in `system:masters`.
    ///
    /// What does not suffice: `*` verbs on single resources, or a role of the name `cluster-admin` in another
    /// sense.
    ///
    /// # Detection
    ///
    /// Audit log: everything this identity does.
    CLUSTER_ADMIN: [Grant] => [ClusterAdmin, Namespace] {
        title: "Every right",
        mitre: ["T1078"],
        microsoft: ["MS-TA9019"],
        owasp: ["K02"],
        cis: ["5.1.1", "5.1.7"],
        falco: ["Attach to cluster-admin Role"],
        effort: 1,
        remediation: "Replace the wildcard role by one that names the resources and verbs in use.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege",
        ],
        derive: cluster_admin,
    }

    /// Binds itself to a role, and so gets every right that the role gives.
    ///
    /// # Preconditions
    ///
    /// The verb `bind` on roles together with a right to write the binding: `create` on ClusterRoleBindings, or on
    /// RoleBindings for what holds in their namespace; or to add subjects to a binding of the role that exists. With
    /// `bind` on all ClusterRoles the role is one with every right; on roles by name, what their rules say counts and
    /// not their names.
    ///
    /// What does not suffice: to create bindings without `bind`; `bind` without a binding to write; `bind` on a role
    /// by name that gives nothing dangerous or that does not exist.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of bindings, above all with `cluster-admin` in `roleRef`.
    ROLE_BIND: [Grant] => [ClusterAdmin, Namespace, Grant] {
        title: "Binding to a role",
        mitre: ["T1098.006"],
        microsoft: ["MS-TA9019"],
        owasp: ["K02"],
        cis: ["5.1.1", "5.1.8"],
        falco: ["Attach to cluster-admin Role", "K8s Role/Clusterrolebinding Created"],
        effort: 1,
        remediation: "Give bind by the names of harmless roles only.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update",
        ],
        derive: role_bind,
    }

    /// Writes every right into a role that someone under its control is bound to.
    ///
    /// # Preconditions
    ///
    /// `escalate` together with `update` or `patch` on the same role: all ClusterRoles, of which one is bound to
    /// every authenticated identity by default; or a role by name together with one of the identities that it is
    /// bound to. Or `escalate` together with `create`: a new Role for those who may bind Roles of the namespace, or a
    /// new ClusterRole with the label by which a bound ClusterRole aggregates others, as `admin`, `edit` and `view` do.
    /// Any ClusterRole that one may update and escalate can be given such a label too.
    ///
    /// What does not suffice: `escalate` without a right to write roles, or writing roles without `escalate`; to give
    /// a role a label without `escalate`, as the API server asks the writer for all of the role's rights.
    ///
    /// # Detection
    ///
    /// Audit log: `update` and `patch` of roles.
    ROLE_ESCALATE: [Grant, Identity] => [ClusterAdmin, Namespace] {
        title: "More rights for a role",
        mitre: ["T1098.006"],
        microsoft: ["MS-TA9019"],
        owasp: ["K02"],
        cis: ["5.1.8"],
        falco: ["ClusterRole With Wildcard Created", "ClusterRole With Write Privileges Created"],
        effort: 1,
        remediation: "Do not give escalate; who manages roles holds what they give.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-creation-or-update",
        ],
        derive: role_escalate,
    }
}

/// The group of everyone who is authenticated.
const ANYONE: &str = "system:authenticated";

fn role_fact(name: &str) -> Vec<Evidence> {
    vec![Evidence::new(
        ObjectId::cluster_scoped("ClusterRole", name),
        "/rules",
        "",
    )]
}

fn cluster_admin(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut rules = BTreeMap::<&Scope, BTreeSet<Evidence>>::new();
    let holdings = context.held.holdings(context.access);
    for holding in holdings.filter(|holding| *holding.power == power::EVERYTHING) {
        let facts = holding.reasons.iter();
        let facts = facts.flat_map(|reason| grounds(&holding.identity, reason));
        // Who holds it and by which binding is said where the grant is gained.
        let facts = facts.filter(|fact| fact.path != "/subjects");
        rules.entry(&holding.scope).or_default().extend(facts);
    }
    for (scope, facts) in rules {
        let gained = match scope {
            Scope::Cluster => Position::ClusterAdmin,
            Scope::Namespace(namespace) => Position::Namespace(namespace.clone()),
            Scope::Name { .. } => continue,
        };
        let grant = Position::Grant(&power::EVERYTHING, scope.clone());
        sink.step([grant], gained, facts);
    }
}

fn role_bind(context: &Context<'_>, sink: &mut Sink<'_>) {
    let held = context.held;
    if let Some(grant) = held.everywhere(&power::BIND_CLUSTER_ROLES) {
        sink.step([grant], Position::ClusterAdmin, role_fact("cluster-admin"));
    }
    for (namespace, grant) in held.namespaces(&power::BIND_CLUSTER_ROLES_IN_NAMESPACES) {
        let whole = Position::Namespace(namespace.clone());
        sink.step([grant], whole, role_fact("cluster-admin"));
    }
    let every = Text::default();
    for bindable in bindable(context.cluster, context.access, held) {
        let binding = bindable.binding.as_ref();
        let binding = binding.map(|id| Evidence::new(id.clone(), "/roleRef/name", &bindable.role.name));
        if context.access.gives_everything(&bindable.role) {
            let fact = binding.unwrap_or_else(|| Evidence::new(bindable.role.clone(), "/rules", ""));
            let wholes: Vec<Position> = match &bindable.extent {
                Extent::Cluster => vec![Position::ClusterAdmin],
                Extent::Namespace(namespace) => vec![Position::Namespace(namespace.clone())],
                Extent::Namespaces => {
                    let places = held.places(&every).iter();
                    places.map(|place| Position::Namespace(place.clone())).collect()
                }
            };
            for whole in wholes {
                sink.step([bindable.grant.clone()], whole, [fact.clone()]);
            }
            continue;
        }
        for gained in bindable.gains(context.access) {
            let grant = Position::Grant(gained.power, gained.scope);
            if grant != bindable.grant {
                let evidence = binding.clone().into_iter().chain(gained.evidence);
                sink.step([bindable.grant.clone()], grant, evidence);
            }
        }
    }
}

fn role_escalate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let everywhere = context.held.everywhere(&power::ESCALATE_CLUSTER_ROLES);
    let for_anyone = context.cluster.role_bindings.iter().find(|(id, binding)| {
        let anyone = |subject: &Subject| subject.kind == "Group" && subject.name == ANYONE;
        id.kind == "ClusterRoleBinding" && binding.subjects.iter().any(anyone)
    });
    // Whoever sends requests is bound to that role, so no other identity is asked for.
    if let (Some(grant), Some((id, binding))) = (&everywhere, for_anyone) {
        let fact = bound(id, binding);
        sink.step([grant.clone()], Position::ClusterAdmin, [fact]);
    }
    for (id, binding) in &context.cluster.role_bindings {
        let role = &binding.role_ref;
        let (power, place) = if role.kind == "Role" {
            (&power::ESCALATE_ROLES, id.namespace.clone())
        } else {
            (&power::ESCALATE_CLUSTER_ROLES, Text::default())
        };
        let mut grants = context.held.over(power, &place, &role.name);
        if for_anyone.is_some() {
            grants.retain(|grant| Some(grant) != everywhere.as_ref());
        }
        if grants.is_empty() {
            continue;
        }
        let gained = if id.kind == "ClusterRoleBinding" {
            Position::ClusterAdmin
        } else {
            Position::Namespace(id.namespace.clone())
        };
        for subject in context.access.subjects_of(id) {
            for grant in &grants {
                let premises = [grant.clone(), Position::Identity(subject.clone())];
                sink.step(premises, gained.clone(), [bound(id, binding)]);
            }
        }
    }
    role_create(context, sink);
}

/// New roles with every right, which count once somebody binds them or another role aggregates them.
fn role_create(context: &Context<'_>, sink: &mut Sink<'_>) {
    let held = context.held;
    let binders: BTreeMap<&Text, Position> = held.namespaces(&power::BIND_ROLES).into_iter().collect();
    for (namespace, create) in held.namespaces(&power::CREATE_ROLES) {
        if let Some(bind) = binders.get(namespace) {
            let whole = Position::Namespace(namespace.clone());
            sink.step([create, bind.clone()], whole, [namespace_fact(namespace)]);
        }
    }
    aggregated(context, sink);
}

/// Roles whose labels make them a part of a role that somebody is bound to; the controller copies their rules.
///
/// Who may escalate one role may give it any label, so that any one will do.
fn aggregated(context: &Context<'_>, sink: &mut Sink<'_>) {
    let held = context.held;
    let mut parts: Vec<(Position, Option<ObjectId>)> = Vec::new();
    parts.extend(
        held.everywhere(&power::CREATE_CLUSTER_ROLES)
            .map(|grant| (grant, None)),
    );
    for (_, role, grant) in held.names(&power::ESCALATE_CLUSTER_ROLES) {
        let role = ObjectId::cluster_scoped("ClusterRole", role);
        if context.cluster.roles.contains(&role) {
            parts.push((grant, Some(role)));
        }
    }
    if parts.is_empty() {
        return;
    }
    for (id, binding) in &context.cluster.role_bindings {
        let role = ObjectId::cluster_scoped(&binding.role_ref.kind, &binding.role_ref.name);
        let known = context.cluster.roles.by_id(&role);
        let aggregates = known
            .and_then(|role| role.aggregation_rule.as_ref())
            .is_some_and(|rule| !rule.cluster_role_selectors.is_empty());
        if role.kind != "ClusterRole" || !aggregates {
            continue;
        }
        let gained = if id.kind == "ClusterRoleBinding" {
            Position::ClusterAdmin
        } else {
            Position::Namespace(id.namespace.clone())
        };
        let selectors = Evidence::new(role.clone(), "/aggregationRule/clusterRoleSelectors", "");
        for subject in context.access.subjects_of(id) {
            for (grant, part) in parts.iter().filter(|(_, part)| part.as_ref() != Some(&role)) {
                let premises = [grant.clone(), Position::Identity(subject.clone())];
                let part = part
                    .iter()
                    .map(|part| Evidence::new(part.clone(), "/metadata/labels", ""));
                let evidence = [bound(id, binding), selectors.clone()].into_iter().chain(part);
                sink.step(premises, gained.clone(), evidence);
            }
        }
    }
}

/// That a binding gives a role.
fn bound(id: &ObjectId, binding: &RoleBinding) -> Evidence {
    Evidence::new(id.clone(), "/roleRef/name", &binding.role_ref.name)
}
