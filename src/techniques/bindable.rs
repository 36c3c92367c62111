//! Which roles can be handed out: by a new binding, or by one more subject in a binding that exists.
//!
//! Only roles that do not give everything are listed with what they give; where one of several does, nothing is
//! gained by the others.
//!
//! **Trap.** What a role gives may again be a right to hand out roles, so that the grants which count are found
//! round by round.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Held;
use super::{Evidence, Position};
use crate::model::{Cluster, ObjectId, RoleBinding, Text};
use crate::rbac::{Access, Power, Scope, power};

/// Where a role can be handed out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// In the whole cluster.
    Cluster,
    /// In every namespace, one by one.
    Namespaces,
    /// In one namespace.
    Namespace(Text),
}

/// A role that a grant lets its holder have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bindable {
    pub(super) grant: Position,
    pub(super) role: ObjectId,
    pub(super) extent: Extent,
    /// The binding that one more subject is added to; a new one without.
    pub(super) binding: Option<ObjectId>,
}

/// One right that a bindable role gives.
#[derive(Clone, Debug)]
pub(super) struct Gained {
    pub(super) power: &'static Power,
    pub(super) scope: Scope,
    pub(super) evidence: Vec<Evidence>,
}

impl Bindable {
    /// What the role gives where it can be handed out; of a role that gives everything, nothing more than that.
    pub(super) fn gains(&self, access: &Access) -> Vec<Gained> {
        let namespace = match &self.extent {
            Extent::Cluster | Extent::Namespaces => Text::default(),
            Extent::Namespace(namespace) => namespace.clone(),
        };
        let given = access.powers_of(&self.role, &namespace).into_iter();
        // A right in every namespace has the scope of the cluster, but reaches no cluster-scoped object.
        let given = given.filter(|given| self.extent != Extent::Namespaces || given.power.is_namespaced());
        let fact =
            |(role, rule): &(ObjectId, usize)| Evidence::new(role.clone(), format!("/rules/{rule}"), "");
        let gained = given.map(|given| Gained {
            power: given.power,
            scope: given.scope,
            evidence: given.rules.iter().map(fact).collect(),
        });
        gained.collect()
    }
}

/// Returns every role that someone may hand out by name, or through a binding that exists; each once for a grant.
///
/// Who may hand out every ClusterRole may hand out one that gives everything; that is not listed.
pub(super) fn bindable(cluster: &Cluster, access: &Access, held: &Held) -> BTreeSet<Bindable> {
    let mut found = BTreeSet::new();
    let mut add = |grant: &Position, role: ObjectId, extent, binding| {
        if cluster.roles.contains(&role) {
            found.insert(Bindable {
                grant: grant.clone(),
                role,
                extent,
                binding,
            });
        }
    };
    for (_, role, grant) in held.names(&power::BIND_CLUSTER_ROLES) {
        add(&grant, cluster_role(role), Extent::Cluster, None);
    }
    for (namespace, role, grant) in held.names(&power::BIND_CLUSTER_ROLES_IN_NAMESPACES) {
        add(&grant, cluster_role(role), extent_of(namespace), None);
    }
    for (namespace, role, grant) in held.names(&power::BIND_ROLES) {
        for place in held.places(namespace) {
            let role = ObjectId::new("Role", place, role);
            add(&grant, role, Extent::Namespace(place.clone()), None);
        }
    }
    let wide: BTreeMap<&Text, Position> = held.namespaces(&power::BIND_ROLES).into_iter().collect();
    if !wide.is_empty() {
        for (id, _) in cluster.roles.iter().filter(|(id, _)| id.kind == "Role") {
            if let Some(grant) = wide.get(&id.namespace) {
                add(grant, id.clone(), Extent::Namespace(id.namespace.clone()), None);
            }
        }
    }
    for (id, binding) in &cluster.role_bindings {
        let (power, role, extent) = extending(id, binding);
        for grant in held.over(power, &id.namespace, &id.name) {
            add(&grant, role.clone(), extent.clone(), Some(id.clone()));
        }
    }
    without_surplus(access, &found)
}

fn cluster_role(name: &Text) -> ObjectId {
    ObjectId::cluster_scoped("ClusterRole", name)
}

fn extent_of(namespace: &Text) -> Extent {
    if namespace.is_empty() {
        Extent::Namespaces
    } else {
        Extent::Namespace(namespace.clone())
    }
}

/// The power to add a subject to a binding, with what such a subject gets.
fn extending(id: &ObjectId, binding: &RoleBinding) -> (&'static Power, ObjectId, Extent) {
    let name = &binding.role_ref.name;
    if id.kind == "ClusterRoleBinding" {
        let power = &power::EXTEND_CLUSTER_ROLE_BINDINGS;
        return (power, cluster_role(name), Extent::Cluster);
    }
    let extent = Extent::Namespace(id.namespace.clone());
    if binding.role_ref.kind == "Role" {
        let role = ObjectId::new("Role", &id.namespace, name);
        (&power::EXTEND_BINDINGS_OF_ROLES, role, extent)
    } else {
        (
            &power::EXTEND_BINDINGS_OF_CLUSTER_ROLES,
            cluster_role(name),
            extent,
        )
    }
}

/// Keeps of the roles that one grant hands out in one place each once, and only those that give everything if
/// there are any.
fn without_surplus(access: &Access, found: &BTreeSet<Bindable>) -> BTreeSet<Bindable> {
    let mut everything = BTreeMap::<&ObjectId, bool>::new();
    let mut best = BTreeMap::<(&Position, &Extent), bool>::new();
    for bindable in found {
        let gives_all = everything
            .entry(&bindable.role)
            .or_insert_with(|| access.gives_everything(&bindable.role));
        *best.entry((&bindable.grant, &bindable.extent)).or_default() |= *gives_all;
    }
    let mut kept = BTreeMap::new();
    for bindable in found {
        let key = (&bindable.grant, &bindable.extent);
        if best[&key] == everything[&bindable.role] {
            kept.entry((key, &bindable.role)).or_insert(bindable);
        }
    }
    kept.into_values().cloned().collect()
}
