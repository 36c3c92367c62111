//! Who holds which power, where and why.
//!
//! Each check of the powers is put once to each rule; bindings then hand the answers to their subjects. Powers
//! that need two checks of one request are decided for each identity over its own bindings and those of its
//! implicit groups.
//!
//! **Trap.** A group that holds both halves holds the power itself; its members do not hold it again, so
//! holdings grow with bindings and not with the members of groups.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::bindings::{BindingIndex, Bound};
use super::power::{And, Check, CheckIndex, EVERYTHING, Objects, Power, Scope, WAYS, Way};
use super::role::{RoleIndex, RuleIndex};
use super::{Access, Identity, MASTERS, Reason};
use crate::model::{ObjectId, Text};

/// One power that one subject of a binding holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holding {
    /// Who holds it: the binding's own subject, a group too.
    pub identity: Identity,
    /// What it may do.
    pub power: &'static Power,
    /// Where.
    pub scope: Scope,
    /// Why; all rules that give it, sorted by binding and by rule.
    pub reasons: Vec<Reason>,
}

/// Values that are many times the same, as numbers that keep their order once [`Pool::ranks`] is applied.
struct Pool<T>(FxHashMap<T, usize>);

impl<T: Clone + Eq + Hash + Ord> Pool<T> {
    fn place(&mut self, value: &T) -> usize {
        if let Some(&known) = self.0.get(value) {
            return known;
        }
        let fresh = self.0.len();
        self.0.insert(value.clone(), fresh);
        fresh
    }

    /// The values in order, and for each number its place in that order.
    fn ranks(self) -> (Vec<T>, Vec<usize>) {
        let mut sorted: Vec<(T, usize)> = self.0.into_iter().collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len()];
        for (rank, (_, number)) in sorted.iter().enumerate() {
            ranks[*number] = rank;
        }
        (sorted.into_iter().map(|(value, _)| value).collect(), ranks)
    }
}

/// A rule that a binding gives; `None` stands for `system:masters`.
type Source = Option<(BindingIndex, RuleIndex)>;

/// One reason for one holding, all in numbers: identity, power, scope.
type Entry = (usize, usize, usize, Source);

/// Where a rule reaches objects: namespace (empty for all), name, and both as a scope of the pool.
type Reached = (Text, Option<Text>, usize);

/// A passed check of a power that needs two.
#[derive(Clone, Debug)]
struct Part {
    name: Option<Text>,
    source: (BindingIndex, RuleIndex),
}

/// The passed checks of one identity, by namespace (empty for all).
type Parts = FxHashMap<CheckIndex, BTreeMap<Text, Vec<Part>>>;

/// What holds for rules and bindings whoever they are given to.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The checks that each rule passes.
    passed: Vec<Vec<CheckIndex>>,
    /// Bindings by the kind and name of their role.
    by_role: FxHashMap<(Text, Text), Vec<BindingIndex>>,
}

impl Prepared {
    /// Puts every check to every rule.
    pub(super) fn new(access: &Access) -> Self {
        let rules = access.roles.rules();
        let mut by_role = FxHashMap::<(Text, Text), Vec<BindingIndex>>::default();
        for (index, bound) in access.bindings.all().iter().enumerate() {
            let role = access.roles.id(bound.role);
            let key = (role.kind.clone(), role.name.clone());
            by_role.entry(key).or_default().push(index);
        }
        Self {
            passed: rules
                .par_iter()
                .map(|written| WAYS.passed(&written.rule))
                .collect(),
            by_role,
        }
    }
}

struct Collector<'a> {
    access: &'a Access,
    prepared: &'a Prepared,
    identities: Pool<Identity>,
    scopes: Pool<Scope>,
    entries: Vec<Entry>,
    parts: FxHashMap<&'a Identity, Parts>,
}

/// Returns every holding, sorted.
///
/// # Complexity
/// Rules × checks of the powers, then linear in what bindings give to subjects; for powers with two checks,
/// linear in identities and in the pairs that match.
pub(super) fn holdings(access: &Access) -> Vec<Holding> {
    let mut collector = Collector::new(access);
    for (index, bound) in access.bindings.all().iter().enumerate() {
        collector.add(index, bound);
    }
    collector.join();
    let masters = Identity::Group(MASTERS.into());
    if let Ok(power) = WAYS.powers.binary_search(&&EVERYTHING) {
        collector.enter(&masters, power, &Scope::Cluster, None);
    }
    collector.finish()
}

/// One power that a role gives to whoever is bound to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    /// What it lets its holder do.
    pub power: &'static Power,
    /// Where.
    pub scope: Scope,
    /// The rules that give it: the role they stand in and their place there.
    pub rules: Vec<(ObjectId, usize)>,
}

/// Returns what a binding to a role would give, sorted; an empty namespace stands for a ClusterRoleBinding.
///
/// # Complexity
/// Linear in the checks that the role's rules pass, and in the pairs of them that one power needs.
pub(super) fn given(access: &Access, role: RoleIndex, namespace: &Text) -> Vec<Given> {
    let bound = Bound {
        id: ObjectId::new("RoleBinding", namespace, ""),
        role,
        subjects: vec![Identity::User(Text::default())],
    };
    let mut collector = Collector::new(access);
    collector.add(0, &bound);
    collector.join();
    let (scopes, ranks) = collector.scopes.ranks();
    let mut rules = BTreeMap::<(usize, usize), BTreeSet<RuleIndex>>::new();
    for (_, power, scope, source) in collector.entries {
        let known = rules.entry((power, ranks[scope])).or_default();
        known.extend(source.map(|(_, rule)| rule));
    }
    let place = |&rule: &RuleIndex| {
        let written = &access.roles.rules()[rule];
        (access.roles.id(written.role).clone(), written.at)
    };
    rules
        .into_iter()
        .map(|((power, scope), rules)| Given {
            power: WAYS.powers[power],
            scope: scopes[scope].clone(),
            rules: rules.iter().map(place).collect(),
        })
        .collect()
}

impl<'a> Collector<'a> {
    fn new(access: &'a Access) -> Self {
        Self {
            access,
            prepared: access.prepared(),
            identities: Pool(FxHashMap::default()),
            scopes: Pool(FxHashMap::default()),
            entries: Vec::new(),
            parts: FxHashMap::default(),
        }
    }

    fn enter(&mut self, identity: &Identity, power: usize, scope: &Scope, source: Source) {
        let (identity, scope) = (self.identities.place(identity), self.scopes.place(scope));
        self.entries.push((identity, power, scope, source));
    }

    /// Hands what a binding gives to its subjects.
    fn add(&mut self, index: BindingIndex, bound: &'a Bound) {
        let (access, passed) = (self.access, &self.prepared.passed);
        let subjects: Vec<usize> = bound
            .subjects
            .iter()
            .map(|subject| self.identities.place(subject))
            .collect();
        for (rule_index, known) in access.roles.rules_of(bound.role) {
            let mut by_objects: [Option<Vec<Reached>>; 4] = Default::default();
            let source = (index, rule_index);
            for &check in &passed[rule_index] {
                let objects = WAYS.checks[check].objects;
                let places = by_objects[objects as usize]
                    .get_or_insert_with(|| self.places(objects, &bound.id.namespace, &known.resource_names));
                let is_nameless = WAYS.checks[check].is_nameless();
                for (namespace, name, scope) in places.iter() {
                    if WAYS.is_part[check] {
                        self.add_part(bound, check, namespace, name.clone(), source);
                    }
                    if is_nameless && name.is_some() {
                        continue;
                    }
                    for &power in &WAYS.alone[check] {
                        let entry = |&identity: &usize| (identity, power, *scope, Some(source));
                        self.entries.extend(subjects.iter().map(entry));
                    }
                }
            }
        }
    }

    fn places(&mut self, objects: Objects, namespace: &Text, names: &[Text]) -> Vec<Reached> {
        let places = places(objects, namespace, names).into_iter();
        let reached = places.map(|(namespace, name)| {
            let scope = self.scopes.place(&Scope::new(&namespace, name.as_ref()));
            (namespace, name, scope)
        });
        reached.collect()
    }

    fn add_part(
        &mut self,
        bound: &'a Bound,
        check: CheckIndex,
        namespace: &Text,
        name: Option<Text>,
        source: (BindingIndex, RuleIndex),
    ) {
        let part = Part { name, source };
        for subject in &bound.subjects {
            let parts = self.parts.entry(subject).or_default().entry(check).or_default();
            parts.entry(namespace.clone()).or_default().push(part.clone());
        }
    }

    /// Finds the powers that need two checks; one of them at least is given to the identity itself.
    ///
    /// Implicit groups lie within each other, so what two of them give together the narrower one holds itself.
    fn join(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        let mut identities: Vec<&Identity> = parts.keys().copied().collect();
        identities.sort_unstable();
        for identity in identities {
            let own = &parts[identity];
            self.join_sources(identity, own, own);
            for group in identity.implicit_groups() {
                if let Some(of_group) = parts.get(&Identity::Group(group)) {
                    self.join_sources(identity, own, of_group);
                    self.join_sources(identity, of_group, own);
                }
            }
        }
    }

    fn join_sources(&mut self, identity: &Identity, first: &Parts, second: &Parts) {
        for way in &WAYS.double {
            let Some((and, check)) = way.second else { continue };
            let (Some(firsts), Some(seconds)) = (first.get(&way.first), second.get(&check)) else {
                continue;
            };
            for (place, parts) in firsts {
                if place.is_empty() {
                    for (other, others) in seconds {
                        self.join_parts(identity, way, and, other, parts, others);
                    }
                    continue;
                }
                for known in ["", place.as_str()] {
                    if let Some(others) = seconds.get(known) {
                        self.join_parts(identity, way, and, place, parts, others);
                    }
                }
            }
        }
    }

    /// Joins checks that were both passed in a namespace.
    fn join_parts(
        &mut self,
        identity: &Identity,
        way: &Way,
        and: And,
        namespace: &Text,
        firsts: &[Part],
        seconds: &[Part],
    ) {
        let check = WAYS.checks[way.first];
        for first in firsts
            .iter()
            .filter(|part| part.name.is_none() || !check.is_nameless())
        {
            for second in seconds {
                for scope in self.joint(check, and, namespace, first, second) {
                    for part in [first, second] {
                        self.enter(identity, way.power, &scope, Some(part.source));
                    }
                }
            }
        }
    }

    /// The scopes within a namespace (empty for all) in which both checks hold.
    fn joint(&self, check: Check, and: And, namespace: &Text, first: &Part, second: &Part) -> Vec<Scope> {
        let here = |name: Option<&Text>| vec![Scope::new(namespace, name)];
        match and {
            And::Same("create") if second.name.is_none() => Vec::new(),
            And::Same(_) => match (&first.name, &second.name) {
                (_, Some(_)) if check.verb == "create" => Vec::new(),
                (Some(a), Some(b)) if a != b => Vec::new(),
                (a, b) => here(a.as_ref().or(b.as_ref())),
            },
            And::Other(..) => here(second.name.as_ref()),
            And::BoundRole(resource) => match &second.name {
                None => here(first.name.as_ref()),
                Some(role) => {
                    let bindings = self.bindings_of(resource, role).into_iter().filter(|id| {
                        id.namespace.is_empty() == (check.objects == Objects::ClusterScoped)
                            && (namespace.is_empty() || id.namespace == *namespace)
                            && first.name.as_ref().is_none_or(|name| id.name == *name)
                    });
                    bindings
                        .map(|id| Scope::new(&id.namespace, Some(&id.name)))
                        .collect()
                }
            },
        }
    }

    /// The bindings that refer to a role of this name.
    fn bindings_of(&self, resource: &str, role: &Text) -> Vec<&'a ObjectId> {
        let kind = Text::new(if resource == "roles" {
            "Role"
        } else {
            "ClusterRole"
        });
        let bindings = self
            .prepared
            .by_role
            .get(&(kind, role.clone()))
            .into_iter()
            .flatten();
        let all = self.access.bindings.all();
        bindings.map(|&index| &all[index].id).collect()
    }

    fn finish(self) -> Vec<Holding> {
        let access = self.access;
        let (identities, identity_ranks) = self.identities.ranks();
        let (scopes, scope_ranks) = self.scopes.ranks();
        let mut entries = self.entries;
        for (identity, _, scope, _) in &mut entries {
            (*identity, *scope) = (identity_ranks[*identity], scope_ranks[*scope]);
        }
        entries.par_sort_unstable();
        entries.dedup();
        let same = |a: &Entry, b: &Entry| (a.0, a.1, a.2) == (b.0, b.1, b.2);
        let groups: Vec<&[Entry]> = entries.chunk_by(same).collect();
        groups
            .into_par_iter()
            .filter_map(|group| {
                let &(identity, power, scope, _) = group.first()?;
                let reason = |entry: &Entry| match entry.3 {
                    Some((binding, rule)) => access.reason(&access.bindings.all()[binding], rule),
                    None => Reason::Masters,
                };
                Some(Holding {
                    identity: identities[identity].clone(),
                    power: WAYS.powers[power],
                    scope: scopes[scope].clone(),
                    reasons: group.iter().map(reason).collect(),
                })
            })
            .collect()
    }
}

/// Where a rule with these names that a binding of this namespace gives reaches objects: namespace and name,
/// both empty where all are meant.
fn places(objects: Objects, namespace: &Text, names: &[Text]) -> Vec<(Text, Option<Text>)> {
    match objects {
        Objects::ClusterScoped if !namespace.is_empty() => Vec::new(),
        Objects::Paths if namespace.is_empty() => vec![(Text::default(), None)],
        Objects::Paths => Vec::new(),
        _ if names.is_empty() => vec![(namespace.clone(), None)],
        Objects::Namespaces => {
            let reached = names
                .iter()
                .filter(|name| namespace.is_empty() || *name == namespace);
            reached.map(|name| (name.clone(), None)).collect()
        }
        Objects::Namespaced | Objects::ClusterScoped => {
            let pair = |name: &Text| (namespace.clone(), Some(name.clone()));
            names.iter().map(pair).collect()
        }
    }
}
