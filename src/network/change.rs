//! A policy added to what is evaluated already: only what it can change is evaluated again.
//!
//! The groups that its selectors tell apart are split, its subjects are walked through the tiers again, and the
//! hubs and ways in of what came out differently are made anew. Everything else stays.
//!
//! **Trap.** Splitting renumbers the units behind it, so every number that is kept follows: see [`Starts`].

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustc_hash::{FxHashMap, FxHashSet};

use super::decide::{Decision, Key};
use super::entry::{Entry, Sender};
use super::policy::{NamedPort, Order, Policy, Tier};
use super::ports::PortSet;
use super::rule::{Level, Resolver};
use super::selector::PodSelector;
use super::universe::{Ground, Universe, named_ports, selects_namespace, unique};
use super::{Direction, Exposure, Group, Mentions, Network, PolicyInfo, Unit, UnitSet, hub, kubernetes};
use crate::model::{Cluster, Diagnostic, Labels, NetworkPolicy, Text};

/// Where the run of numbers begins that an old number became; of one more than there are, the end.
type Starts = Vec<usize>;

impl Network {
    /// Returns what is so with one more policy, and what is wrong with the policy.
    ///
    /// The cluster is the one that this was made from. What the policy closes or opens is exactly as if it had
    /// been in the input; names of groups and the order of hubs may differ. No policy of the same name may be in
    /// the input.
    ///
    /// # Complexity
    /// O(pods that a selector with labels new to policies may select + groups + rules). A policy with an address
    /// block whose borders no other policy has makes everything be evaluated again, and so does one in a cluster
    /// whose engine has policies of its own: it reads the others in its own way.
    pub fn with_policy(mut self, cluster: &Cluster, policy: &NetworkPolicy) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let read = kubernetes::read_new(policy, &mut diagnostics);
        self.added.push(policy.clone());
        if self.unenforced {
            return (self, diagnostics);
        }
        let mut blocks = read.rules.iter().flatten().flat_map(|rule| &rule.peers.blocks);
        if self.engine.is_some() || blocks.any(|block| !self.mentions.blocks.contains(block)) {
            let (network, _) = Self::build(cluster, self.added, self.options);
            return (network, diagnostics);
        }
        let mentions = std::mem::take(&mut self.mentions);
        if let Some(starts) = self.split(cluster, &mentions, &read) {
            self.renumber(&starts);
        }
        let parts = (
            std::mem::take(&mut self.groups),
            std::mem::take(&mut self.group_of),
            std::mem::take(&mut self.units),
        );
        let universe = Universe::again(cluster, &mentions, std::mem::take(&mut self.ground), parts);
        let mut resolver = Resolver::new(&universe, self.ipblock, std::mem::take(&mut self.tables));
        let tier = Tier::new(kubernetes::TIER, Order::Union, vec![read]);
        let number = self.policies.len();
        let levels = Direction::BOTH.map(|direction| resolver.level(&tier, direction, number));
        self.tables = resolver.tables;
        self.policies.extend(tier.policies().map(PolicyInfo::new));
        let subjects = self.merge(levels);
        let all = universe.all();
        self.keep(universe);
        self.mentions = mentions;
        self.walk_again(&subjects, &all);
        self.expose_again(&subjects);
        (self, diagnostics)
    }

    /// Splits the groups whose pods the policy tells apart; none if there are none.
    fn split(&mut self, cluster: &Cluster, mentions: &Mentions, policy: &Policy) -> Option<Starts> {
        let rules = || policy.rules.iter().flatten();
        let peers = rules().flat_map(|rule| &rule.peers.pods);
        let selectors = policy.subjects.iter().chain(peers);
        let unsettled: Vec<&PodSelector> = selectors
            .filter(|selector| !mentions.settles(&selector.pods))
            .collect();
        let names = rules().flat_map(|rule| &rule.ports.names);
        let names: Vec<&NamedPort> = names
            .filter(|port| !mentions.ports.contains_key(&port.name))
            .collect();
        if unsettled.is_empty() && names.is_empty() {
            return None;
        }
        let all = &self.groups;
        let pieces = self
            .ground
            .namespaces
            .par_iter()
            .flat_map_iter(|(name, labels, groups)| {
                let selectors: Vec<&PodSelector> = unsettled
                    .iter()
                    .filter(|selector| selects_namespace(&selector.namespaces, name, labels))
                    .copied()
                    .collect();
                let concerned = !selectors.is_empty() || !names.is_empty();
                let groups = groups.clone().filter(move |_| concerned);
                let names = &names;
                groups.filter_map(move |number| {
                    let group = &all[number];
                    let found =
                        (!group.host_network).then(|| told_apart(cluster, group, &selectors, names))?;
                    (found.len() > 1).then_some((number, found))
                })
            });
        let pieces: FxHashMap<usize, Vec<Vec<usize>>> = pieces.collect();
        (!pieces.is_empty()).then(|| self.replace(cluster, pieces))
    }

    /// Puts pieces in the place of groups.
    fn replace(&mut self, cluster: &Cluster, mut pieces: FxHashMap<usize, Vec<Vec<usize>>>) -> Starts {
        // A group's name begins with its namespace, so a new one can be like those of the same namespace only.
        let split: FxHashSet<&Text> = pieces
            .keys()
            .map(|&number| &self.groups[number].namespace)
            .collect();
        let spans = self.ground.namespaces.iter();
        let spans = spans.filter(|(namespace, ..)| split.contains(namespace));
        let beside = spans.flat_map(|(_, _, groups)| &self.groups[groups.clone()]);
        let mut taken = beside.map(|group| group.name.clone()).collect();
        let mut starts = Vec::with_capacity(self.units.len() + 1);
        let old = std::mem::take(&mut self.groups);
        for (number, mut group) in old.into_iter().enumerate() {
            starts.push(self.groups.len());
            let mut parts = pieces.remove(&number).unwrap_or_default().into_iter();
            if let Some(first) = parts.next() {
                group.pods = first;
            }
            let (namespace, host_network) = (group.namespace.clone(), group.host_network);
            self.groups.push(group);
            for pods in parts {
                let first = pods.first().and_then(|&pod| cluster.pods.at(pod));
                let workload = first.map_or_else(Text::default, |(_, pod)| cluster.workload_of(pod).name);
                self.groups.push(Group {
                    name: unique(&namespace, &workload, &mut taken),
                    namespace: namespace.clone(),
                    pods,
                    host_network,
                });
            }
        }
        for (number, group) in self.groups.iter().enumerate() {
            for &pod in &group.pods {
                self.group_of[pod] = Some(number);
            }
        }
        let others = self.units.split_off(starts.len());
        let first = self.groups.len();
        starts.extend((0..=others.len()).map(|number| first + number));
        self.units = (0..first).map(Unit::Group).chain(others).collect();
        starts
    }

    /// Lets every number of a unit follow.
    fn renumber(&mut self, starts: &Starts) {
        self.tables.spread(starts);
        self.ground.renumber(starts);
        self.destinations.renumber(starts);
        for side in &mut self.sides {
            let old = std::mem::take(&mut side.of_unit);
            for (unit, atoms) in old.into_iter().enumerate() {
                let copies = starts[unit + 1] - starts[unit];
                side.of_unit.extend(std::iter::repeat_n(atoms, copies));
            }
        }
        for way in &mut self.ways {
            if let Sender::Proxy(units) = &mut way.sender {
                *units = spread(units, starts);
            }
        }
    }

    /// Puts the levels of the policy to those that there are; returns the policy's subjects.
    fn merge(&mut self, levels: [Level; 2]) -> UnitSet {
        let mut subjects = UnitSet::default();
        for (side, mut new) in self.sides.iter_mut().zip(levels) {
            for (_, set) in &new.subjects {
                subjects = subjects.or(self.tables.units(*set));
            }
            let Some(level) = side.levels.iter_mut().find(|level| level.name == new.name) else {
                continue;
            };
            level.subjects.append(&mut new.subjects);
            level.isolating.append(&mut new.isolating);
            let isolated = self.tables.units(level.isolated);
            let isolated = isolated.or(self.tables.units(new.isolated));
            level.isolated = self.tables.set(isolated);
            for (stage, mut new) in level.stages.iter_mut().zip(new.stages) {
                stage.rules.append(&mut new.rules);
            }
        }
        subjects
    }

    /// Walks the subjects through the tiers again, and joins what came out.
    fn walk_again(&mut self, subjects: &UnitSet, all: &UnitSet) {
        let tables = &mut self.tables;
        let [ingress, egress] = &mut self.sides;
        let fresh = [egress, ingress].map(|side| {
            let mut fresh = vec![false; side.atoms.len()];
            let mut known = FxHashMap::<Key, usize>::default();
            for (number, atom) in side.atoms.iter_mut().enumerate() {
                let set = tables.units(atom.subjects);
                if set.meets(subjects) {
                    let rest = set.minus(subjects);
                    atom.subjects = tables.set(rest);
                    fresh[number] = true;
                }
                known.insert(atom.key(), number);
            }
            for unit in subjects.iter() {
                side.of_unit[unit].clear();
            }
            for atom in Decision::atoms_of(&side.levels, tables, all.clone(), subjects) {
                let number = *known.entry(atom.key()).or_insert(side.atoms.len());
                let label = u32::try_from(number).unwrap_or(u32::MAX);
                for unit in tables.units(atom.subjects).iter() {
                    side.of_unit[unit].push(label);
                }
                if let Some(known) = side.atoms.get_mut(number) {
                    let both = tables.units(known.subjects).or(tables.units(atom.subjects));
                    known.subjects = tables.set(both);
                    fresh[number] = true;
                } else {
                    side.atoms.push(atom);
                    fresh.push(true);
                }
            }
            fresh
        });
        self.joins
            .retain(|join| !fresh[0][join.egress] && !fresh[1][join.ingress]);
        let [ingress, egress] = &self.sides;
        let joining = hub::Joining {
            egress: &egress.atoms,
            ingress: &ingress.atoms,
            fresh: [&fresh[0], &fresh[1]],
            pods: &UnitSet::up_to(self.groups.len()),
        };
        self.joins.extend(joining.joins(&mut self.tables));
        self.hubs = self.distinct_hubs();
    }

    /// Asks the policies again about the ways in to the subjects and through them.
    fn expose_again(&mut self, subjects: &UnitSet) {
        let concerns = |way: &Entry| {
            let target = self.group_of(way.backend.pod);
            target.is_some_and(|group| subjects.contains(group))
                || matches!(&way.sender, Sender::Proxy(units) if units.iter().any(|&unit| subjects.contains(unit)))
        };
        let mut touched = vec![false; self.group_of.len()];
        for way in self.ways.iter().filter(|way| concerns(way)) {
            touched[way.backend.pod] = true;
        }
        let again = self.expose(self.ways.iter().filter(|way| touched[way.backend.pod]));
        self.entries.retain(|entry| !touched[entry.pod]);
        self.entries.extend(again);
        self.entries.sort_by(Exposure::by_way);
        self.exposures = self.open_to_internet();
    }
}

/// The pods of a group in parts that agree on whether selectors select them and on the numbers of ports.
fn told_apart(
    cluster: &Cluster,
    group: &Group,
    selectors: &[&PodSelector],
    names: &[&NamedPort],
) -> Vec<Vec<usize>> {
    let mut known = Vec::<(Vec<bool>, Vec<PortSet>)>::new();
    let mut parts = Vec::<Vec<usize>>::new();
    // Filled again for each pod: most pods are like the one before, and nothing is allocated for them.
    let mut own = (Vec::new(), Vec::new());
    // Pods of one controller share their labels, so that comparing these is mostly comparing where they lie.
    let mut before: Option<(&Labels, usize)> = None;
    for &index in &group.pods {
        let Some((_, pod)) = cluster.pods.at(index) else {
            continue;
        };
        let labels = &pod.meta.labels;
        if let Some((_, part)) = before.filter(|(known, _)| names.is_empty() && *known == labels) {
            parts[part].push(index);
            continue;
        }
        own.0.clear();
        own.1.clear();
        own.0
            .extend(selectors.iter().map(|selector| selector.pods.matches(labels)));
        own.1.extend(names.iter().map(|name| named_ports(pod, name)));
        let part = known
            .iter()
            .position(|known| *known == own)
            .unwrap_or(parts.len());
        if part == parts.len() {
            known.push(own.clone());
            parts.push(Vec::new());
        }
        parts[part].push(index);
        before = Some((labels, part));
    }
    parts
}

/// The numbers that some numbers became.
fn spread(units: &[usize], starts: &Starts) -> Vec<usize> {
    units
        .iter()
        .flat_map(|&unit| starts[unit]..starts[unit + 1])
        .collect()
}

impl Ground {
    fn renumber(&mut self, starts: &Starts) {
        let namespaces = self.namespaces.iter_mut().map(|(_, _, groups)| groups);
        let others = [
            &mut self.nodes,
            &mut self.ranges,
            &mut self.domains,
            &mut self.controllers,
        ];
        for span in namespaces.chain(others) {
            *span = starts[span.start]..starts[span.end];
        }
        let places = &mut self.places;
        let lists = self.postings.values_mut().chain(&mut places.by_cell);
        for units in lists.chain([&mut places.unplaced]) {
            *units = spread(units, starts);
        }
        let counted = std::mem::take(&mut places.count);
        let counted = counted
            .into_iter()
            .flat_map(|(unit, count)| (starts[unit]..starts[unit + 1]).map(move |unit| (unit, count)));
        places.count = counted.collect();
    }
}
