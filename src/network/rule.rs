//! Rules in units: selectors evaluated, named ports resolved, equal sets and ports kept once.
//!
//! **Trap.** A named port is resolved on the destination, so one rule becomes several: one for each set of
//! numbers that its destinations give the name. It never counts for addresses.

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::address::{Block, InCluster};
use super::options::IpBlockMatch;
use super::policy::{Action, Direction, NamedPort, Order, Peers, Policy, PolicyRule, Ports, Tier};
use super::ports::PortSet;
use super::selector::{Expression, PodSelector};
use super::units::UnitSet;
use super::universe::{Covered, Universe};
use crate::model::Text;

/// The number of a set of units in [`Tables`].
pub(super) type SetId = usize;
/// The number of a set of ports in [`Tables`].
pub(super) type PortsId = usize;

/// Sets of units and of ports, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    sets: IndexSet<UnitSet, FxBuildHasher>,
    ports: IndexSet<PortSet, FxBuildHasher>,
    common: FxHashMap<(PortsId, PortsId), PortsId>,
}

impl Tables {
    /// The number of a set.
    pub(super) fn set(&mut self, set: UnitSet) -> SetId {
        self.sets.insert_full(set).0
    }

    /// The number of a set of ports.
    pub(super) fn port_set(&mut self, ports: PortSet) -> PortsId {
        self.ports.insert_full(ports).0
    }

    /// The set of this number.
    pub(super) fn units(&self, id: SetId) -> &UnitSet {
        &self.sets[id]
    }

    /// The ports of this number.
    pub(super) fn ports(&self, id: PortsId) -> &PortSet {
        &self.ports[id]
    }

    /// Renumbers the units of every set, see [`UnitSet::spread`]; the sets keep their numbers.
    pub(super) fn spread(&mut self, starts: &[usize]) {
        self.sets = self.sets.iter().map(|set| set.spread(starts)).collect();
    }

    /// The ports of both.
    pub(super) fn common(&mut self, a: PortsId, b: PortsId) -> PortsId {
        if a == b {
            return a;
        }
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.common.get(&key) {
            return known;
        }
        let both = self.ports[a].and(&self.ports[b]);
        let id = self.port_set(both);
        self.common.insert(key, id);
        id
    }
}

/// Which units a rule's peers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Matched {
    /// Those whose every packet matches.
    pub(super) always: SetId,
    /// Those some of whose packets match, those of one address family: more than `always`.
    pub(super) sometimes: SetId,
    /// Those whose packets match if the network plugin lets CIDRs match what is in the cluster, or what is not
    /// modelled of the rule lets them: more than `sometimes`.
    pub(super) perhaps: SetId,
}

/// A rule in units.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The policy's number in [`Program::policies`].
    pub(super) policy: usize,
    /// The rule's number in its policy and direction.
    pub(super) number: usize,
    pub(super) action: Action,
    pub(super) subjects: SetId,
    pub(super) peers: Matched,
    pub(super) ports: PortsId,
    /// Why it is not known whether it matches its peers.
    pub(super) unsure: Option<&'static str>,
}

/// Rules that are looked at together.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) order: Order,
    pub(super) rules: Vec<Rule>,
}

/// A tier in units, for one direction.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) name: Text,
    pub(super) stages: Vec<Stage>,
    /// What is not decided here for these ends here.
    pub(super) isolated: SetId,
    /// Every policy, with its subjects.
    pub(super) subjects: Vec<(usize, SetId)>,
    /// The policies that isolate, with their subjects.
    pub(super) isolating: Vec<(usize, SetId)>,
}

/// How surely a rule is about a subject: for all its packets, for those of one address family, or perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    Always,
    Sometimes,
    Perhaps,
}

/// Gives policies their units.
pub(super) struct Resolver<'a, 'u> {
    universe: &'u Universe<'a>,
    ipblock: IpBlockMatch,
    pub(super) tables: Tables,
    selected: FxHashMap<PodSelector, SetId>,
    nodes: FxHashMap<Expression, SetId>,
    covered: FxHashMap<Block, Covered>,
    all: UnitSet,
    groups: UnitSet,
    /// The groups and the nodes.
    hosts: UnitSet,
}

impl<'a, 'u> Resolver<'a, 'u> {
    pub(super) fn new(universe: &'u Universe<'a>, ipblock: IpBlockMatch, tables: Tables) -> Self {
        Self {
            universe,
            ipblock,
            tables,
            selected: FxHashMap::default(),
            nodes: FxHashMap::default(),
            covered: FxHashMap::default(),
            all: universe.all(),
            groups: UnitSet::up_to(universe.groups.len()),
            hosts: UnitSet::up_to(universe.nodes.end),
        }
    }

    /// A tier in units for one direction; `first` is the number of its first policy.
    pub(super) fn level(&mut self, tier: &Tier, direction: Direction, first: usize) -> Level {
        let side = direction as usize;
        let mut isolated = UnitSet::default();
        let mut isolating = Vec::new();
        let mut all = Vec::new();
        let mut stages = Vec::new();
        let mut number = first;
        for part in &tier.parts {
            let mut rules = Vec::new();
            for policy in &part.policies {
                let subjects = self.subjects(policy);
                all.push((number, subjects));
                if policy.isolates[side] {
                    isolated = isolated.or(self.tables.units(subjects));
                    isolating.push((number, subjects));
                }
                if !self.tables.units(subjects).is_empty() {
                    for (at, rule) in policy.rules[side].iter().enumerate() {
                        for (subjects, strength) in self.own(rule, subjects) {
                            let known = rules.len();
                            self.rule(rule, direction, (number, at), subjects, &mut rules);
                            for rule in &mut rules[known..] {
                                rule.peers = self.weaker(rule.peers, strength);
                            }
                        }
                    }
                }
                number += 1;
            }
            stages.push(Stage {
                order: part.order,
                rules,
            });
        }
        Level {
            name: tier.name.clone(),
            subjects: all,
            isolating,
            stages,
            isolated: self.tables.set(isolated),
        }
    }

    /// The groups a policy applies to.
    fn subjects(&mut self, policy: &Policy) -> SetId {
        let ids: Vec<SetId> = policy
            .subjects
            .iter()
            .map(|selector| self.selected(selector))
            .collect();
        let mut set = UnitSet::default();
        for id in ids {
            set = set.or(&self.tables.units(id).and(&self.hosts));
        }
        self.tables.set(set)
    }

    /// The subjects that a rule is about, in parts by how surely it is.
    fn own(&mut self, rule: &PolicyRule, subjects: SetId) -> Vec<(SetId, Strength)> {
        let Some(own) = &rule.own else {
            return vec![(subjects, Strength::Always)];
        };
        let (_, own) = self.peers(own);
        let all = self.tables.units(subjects);
        let [always, sometimes, perhaps] = [own.always, own.sometimes, own.perhaps].map(|set| {
            let set = self.tables.units(set);
            all.and(set)
        });
        let parts = [
            (always.clone(), Strength::Always),
            (sometimes.minus(&always), Strength::Sometimes),
            (perhaps.minus(&sometimes), Strength::Perhaps),
        ];
        let parts = parts.into_iter().filter(|(units, _)| !units.is_empty());
        parts
            .map(|(units, strength)| (self.tables.set(units), strength))
            .collect()
    }

    /// What a rule matches that holds for its subjects no more surely than this.
    fn weaker(&mut self, peers: Matched, strength: Strength) -> Matched {
        let nobody = self.tables.set(UnitSet::default());
        match strength {
            Strength::Always => peers,
            Strength::Sometimes => Matched {
                always: nobody,
                ..peers
            },
            Strength::Perhaps => Matched {
                always: nobody,
                sometimes: nobody,
                ..peers
            },
        }
    }

    fn selected(&mut self, selector: &PodSelector) -> SetId {
        if let Some(&known) = self.selected.get(selector) {
            return known;
        }
        let id = self.tables.set(self.universe.select(selector));
        self.selected.insert(selector.clone(), id);
        id
    }

    /// Adds a rule for each set of ports that it means.
    fn rule(
        &mut self,
        rule: &PolicyRule,
        direction: Direction,
        (policy, number): (usize, usize),
        subjects: SetId,
        rules: &mut Vec<Rule>,
    ) {
        let (pods, peers) = self.peers(&rule.peers);
        let mut add = |ports: PortsId, subjects: SetId, peers: Matched| {
            rules.push(Rule {
                policy,
                number,
                action: rule.action,
                subjects,
                peers,
                ports,
                unsure: rule.peers.unsure,
            });
        };
        let by_name = !rule.ports.except_names.is_empty();
        if !by_name && !rule.ports.numbers.is_empty() {
            let ports = self.tables.port_set(rule.ports.numbers.clone());
            add(ports, subjects, peers);
        }
        if rule.ports.names.is_empty() && !by_name {
            return;
        }
        let destinations = match direction {
            Direction::Ingress => self.tables.units(subjects).clone(),
            Direction::Egress if by_name => self.tables.units(peers.perhaps).clone(),
            Direction::Egress => pods.clone(),
        };
        for (ports, units) in self.numbers(rule, &destinations) {
            let ports = self.tables.port_set(ports);
            let units = self.tables.set(units);
            match direction {
                Direction::Ingress => add(ports, units, peers),
                Direction::Egress => {
                    let tables = &mut self.tables;
                    let mut among = |set: SetId| {
                        let both = tables.units(set).and(tables.units(units));
                        tables.set(both)
                    };
                    let peers = Matched {
                        always: among(peers.always),
                        sometimes: among(peers.sometimes),
                        perhaps: among(peers.perhaps),
                    };
                    add(ports, subjects, peers);
                }
            }
        }
    }

    /// The numbers behind a rule's port names, with the destinations that give them; all its numbers, where
    /// names are left out.
    fn numbers(&self, rule: &PolicyRule, destinations: &UnitSet) -> Vec<(PortSet, UnitSet)> {
        let mut found = FxHashMap::<PortSet, Vec<usize>>::default();
        let Ports {
            numbers,
            names,
            except,
            except_names,
        } = &rule.ports;
        for unit in destinations.iter() {
            let named = |names: &[NamedPort]| {
                names.iter().fold(PortSet::default(), |set, name| {
                    set.or(&self.universe.named(unit, name))
                })
            };
            let mut ports = named(names);
            if !except_names.is_empty() {
                ports = ports.or(numbers).minus(&named(except_names));
            }
            if !except.is_empty() {
                ports = ports.minus(except);
            }
            if !ports.is_empty() {
                found.entry(ports).or_default().push(unit);
            }
        }
        let mut found: Vec<_> = found
            .into_iter()
            .map(|(ports, units)| (ports, units.into_iter().collect()))
            .collect();
        found.sort_unstable();
        found
    }

    /// The units of a rule's peers: those that it selects as pods, and all of them.
    fn peers(&mut self, peers: &Peers) -> (UnitSet, Matched) {
        if peers.everyone && peers.within.is_empty() && peers.without.is_none() && !peers.partly {
            let all = self.tables.set(self.all.clone());
            let sure = match peers.unsure {
                Some(_) => self.tables.set(UnitSet::default()),
                None => all,
            };
            let matched = Matched {
                always: sure,
                sometimes: sure,
                perhaps: all,
            };
            return (self.groups.clone(), matched);
        }
        let mut pods = UnitSet::default();
        for selector in &peers.pods {
            let id = self.selected(selector);
            pods = pods.or(self.tables.units(id));
        }
        let mut always = pods.clone();
        if peers.everyone {
            always = self.all.clone();
            pods = self.groups.clone();
        }
        always = always.or(&self.by_name(peers));
        let [covered, mut sometimes, mut perhaps] = self.blocks(&peers.blocks);
        always = always.or(&covered);
        sometimes = sometimes.or(&always);
        perhaps = perhaps.or(&sometimes);
        for block in &peers.within {
            let [covered, half, maybe] = self.blocks(std::slice::from_ref(block));
            let partly = covered.or(&half);
            always = always.and(&covered);
            sometimes = sometimes.and(&partly);
            perhaps = perhaps.and(&partly.or(&maybe));
            pods = pods.and(&partly.or(&maybe));
        }
        if let Some(without) = &peers.without {
            let (_, out) = self.peers(without);
            let out = [out.always, out.sometimes, out.perhaps].map(|set| self.tables.units(set));
            always = always.minus(out[2]);
            sometimes = sometimes.minus(out[0]).minus(&out[2].minus(out[1]));
            perhaps = perhaps.minus(out[0]);
            pods = pods.and(&perhaps);
        }
        if peers.partly {
            always = UnitSet::default();
        }
        if peers.unsure.is_some() {
            (always, sometimes) = (UnitSet::default(), UnitSet::default());
        }
        let matched = Matched {
            always: self.tables.set(always),
            sometimes: self.tables.set(sometimes),
            perhaps: self.tables.set(perhaps),
        };
        (pods, matched)
    }

    /// Nodes, the world, and names of hosts among a rule's peers.
    fn by_name(&mut self, peers: &Peers) -> UnitSet {
        let mut found = UnitSet::default();
        for expression in &peers.nodes {
            let universe = self.universe;
            let tables = &mut self.tables;
            let id = *self
                .nodes
                .entry(expression.clone())
                .or_insert_with(|| tables.set(universe.select_nodes(expression)));
            found = found.or(self.tables.units(id));
        }
        if peers.world {
            found = found.or(&self.universe.world());
        }
        for name in &peers.domains {
            found = found.or(&self.universe.select_domain(name));
        }
        found
    }

    /// The units that blocks of addresses cover: always, for some packets, and perhaps.
    fn blocks(&mut self, blocks: &[Block]) -> [UnitSet; 3] {
        let [mut always, mut sometimes, mut perhaps] = <[UnitSet; 3]>::default();
        for block in blocks {
            let universe = self.universe;
            let covered = self
                .covered
                .entry(block.clone())
                .or_insert_with(|| universe.covered(block));
            always = always.or(&covered.outside);
            if block.in_cluster == InCluster::Nodes {
                let nodes = universe.select_nodes(&Expression::EVERYTHING);
                always = always.or(&covered.inside.and(&nodes));
                sometimes = sometimes.or(&covered.half.and(&nodes));
                continue;
            }
            let mode = match (self.ipblock, block.in_cluster) {
                (_, InCluster::Always) => IpBlockMatch::Always,
                (IpBlockMatch::Never, _) | (_, InCluster::Never | InCluster::Nodes) => IpBlockMatch::Never,
                (_, InCluster::Matches) => IpBlockMatch::Always,
                (mode, InCluster::Plugin) => mode,
            };
            match mode {
                IpBlockMatch::Never => {}
                IpBlockMatch::Always => {
                    always = always.or(&covered.inside);
                    sometimes = sometimes.or(&covered.half);
                }
                IpBlockMatch::Auto => perhaps = perhaps.or(&covered.inside).or(&covered.half),
            }
        }
        [always, sometimes, perhaps]
    }
}
