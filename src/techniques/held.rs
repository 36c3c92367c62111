//! Which powers are held where, for techniques: each asks for one power and goes through its scopes.
//!
//! **Trap.** A power held everywhere is held in each namespace; `structure` leads from the wide grant to the narrow
//! ones, so a technique on objects of namespaces looks at the narrow ones only.

use std::collections::{BTreeMap, BTreeSet};

use super::Position;
use super::bindable::bindable;
use super::constrained::constrained;
use crate::model::{Cluster, Text};
use crate::rbac::{Access, Holding, Identity, MASTERS, Power, Scope, power};

/// The scopes of every power that anyone holds or may hand to himself.
#[derive(Debug, Default)]
pub struct Held {
    /// Places in [`Access::holdings`] of those that matter.
    holdings: Vec<usize>,
    scopes: BTreeMap<&'static Power, BTreeSet<Scope>>,
    namespaces: Vec<Text>,
}

impl Held {
    /// Collects what is held.
    ///
    /// Who may do everything holds every power; of those holdings only that one is looked at. `system:masters`
    /// counts if someone may act as a member of it.
    ///
    /// # Complexity
    /// O(h log h) for h holdings.
    pub(super) fn new(cluster: &Cluster, access: &Access) -> Self {
        let is_everything =
            |holding: &Holding| *holding.power == power::EVERYTHING && holding.scope == Scope::Cluster;
        let all = access.holdings();
        let almighty: BTreeSet<&Identity> = all
            .iter()
            .filter(|holding| is_everything(holding))
            .map(|holding| &holding.identity)
            .collect();
        let masters = Identity::Group(MASTERS.into());
        let may_join = all
            .iter()
            .any(|holding| *holding.power == power::IMPERSONATE_GROUPS && holding.scope.covers("", MASTERS));
        let is_looked_at = |holding: &Holding| {
            if holding.identity == masters && !may_join {
                return false;
            }
            is_everything(holding) || !almighty.contains(&holding.identity)
        };
        let mut held = Self {
            namespaces: cluster.namespace_names(),
            ..Self::default()
        };
        for (at, holding) in all
            .iter()
            .enumerate()
            .filter(|(_, holding)| is_looked_at(holding))
        {
            held.holdings.push(at);
            let known = held.scopes.entry(holding.power).or_default();
            if !known.contains(&holding.scope) {
                known.insert(holding.scope.clone());
            }
        }
        for constrained in constrained(cluster, access, &held.namespaces) {
            let known = held.scopes.entry(constrained.power).or_default();
            known.insert(constrained.scope);
        }
        held.add_bindable(cluster, access);
        held
    }

    /// Adds what holders of `bind` may hand out to themselves, until there is no more.
    fn add_bindable(&mut self, cluster: &Cluster, access: &Access) {
        let mut seen = BTreeSet::new();
        loop {
            let found = bindable(cluster, access, self);
            let fresh = found.iter().filter(|bindable| {
                seen.insert((bindable.role.clone(), bindable.extent.clone()))
                    && !access.gives_everything(&bindable.role)
            });
            let gained: Vec<_> = fresh.flat_map(|bindable| bindable.gains(access)).collect();
            if gained.is_empty() {
                return;
            }
            for gained in gained {
                self.scopes.entry(gained.power).or_default().insert(gained.scope);
            }
        }
    }

    /// The powers that hold in namespaces and that someone holds in all of them.
    pub(super) fn wide(&self) -> impl Iterator<Item = &'static Power> {
        let wide = self
            .scopes
            .iter()
            .filter(|(power, scopes)| power.is_namespaced() && scopes.contains(&Scope::Cluster));
        wide.map(|(power, _)| *power)
    }

    /// The holdings that matter, in order.
    pub(super) fn holdings<'a>(&self, access: &'a Access) -> impl Iterator<Item = &'a Holding> {
        let all = access.holdings();
        self.holdings.iter().filter_map(|&at| all.get(at))
    }

    /// Every namespace that the input names, sorted.
    pub(super) fn all_namespaces(&self) -> &[Text] {
        &self.namespaces
    }

    /// The namespaces that the namespace of a name stands for: itself, or all if it is empty.
    pub(super) fn places<'a>(&'a self, namespace: &'a Text) -> &'a [Text] {
        if namespace.is_empty() {
            &self.namespaces
        } else {
            std::slice::from_ref(namespace)
        }
    }

    fn scopes(&self, power: &'static Power) -> impl Iterator<Item = &Scope> {
        self.scopes.get(power).into_iter().flatten()
    }

    /// Whether anyone holds a power anywhere.
    pub(super) fn is_held(&self, power: &'static Power) -> bool {
        self.scopes.contains_key(power)
    }

    /// The grant of a power over the whole cluster, if anyone holds it.
    pub(super) fn everywhere(&self, power: &'static Power) -> Option<Position> {
        let is_wide = self.scopes(power).any(|scope| *scope == Scope::Cluster);
        is_wide.then_some(Position::Grant(power, Scope::Cluster))
    }

    /// The namespaces on all of whose objects someone holds a power, each with the grant that says so.
    pub(super) fn namespaces(&self, power: &'static Power) -> Vec<(&Text, Position)> {
        let grant = |namespace: &Text| Position::Grant(power, Scope::Namespace(namespace.clone()));
        if self.everywhere(power).is_some() {
            return self
                .namespaces
                .iter()
                .map(|namespace| (namespace, grant(namespace)))
                .collect();
        }
        let narrow = self.scopes(power).filter_map(|scope| match scope {
            Scope::Namespace(namespace) => Some((namespace, grant(namespace))),
            Scope::Cluster | Scope::Name { .. } => None,
        });
        narrow.collect()
    }

    /// The grant of a power over everything in a namespace, if anyone holds it.
    pub(super) fn within(&self, power: &'static Power, namespace: &Text) -> Option<Position> {
        let here = Scope::Namespace(namespace.clone());
        let scopes = self.scopes.get(power)?;
        let is_held = scopes.contains(&Scope::Cluster) || scopes.contains(&here);
        is_held.then_some(Position::Grant(power, here))
    }

    /// The names on which someone holds a power: namespace (empty for any, or for none), name, grant.
    pub(super) fn names(&self, power: &'static Power) -> impl Iterator<Item = (&Text, &Text, Position)> {
        self.scopes(power).filter_map(move |scope| match scope {
            Scope::Name { namespace, name } => Some((namespace, name, Position::Grant(power, scope.clone()))),
            Scope::Cluster | Scope::Namespace(_) => None,
        })
    }

    /// The grants of a power that cover one object, by its namespace (empty for none) and its name.
    pub(super) fn over(&self, power: &'static Power, namespace: &Text, name: &Text) -> Vec<Position> {
        let Some(scopes) = self.scopes.get(power) else {
            return Vec::new();
        };
        let mut found = BTreeSet::new();
        if scopes.contains(&Scope::Cluster) {
            found.insert(Scope::new(namespace, None));
        }
        let places = [namespace.clone(), Text::default()];
        let named = places.iter().map(|place| Scope::new(place, Some(name)));
        let narrow = named.chain([Scope::new(namespace, None)]);
        found.extend(narrow.filter(|scope| scopes.contains(scope)));
        found
            .into_iter()
            .map(|scope| Position::Grant(power, scope))
            .collect()
    }
}
