//! The tiers of one direction, walked once for all packets: what is allowed, as atoms.
//!
//! An atom says that these subjects may exchange packets with these peers on these ports, and why. The union of
//! all atoms is exactly what the direction allows. Subjects that the same rules of admin tiers apply to are
//! walked together; NetworkPolicies only add, so each of their rules is one atom whatever else there is.
//!
//! **Trap.** Where a rule denies what it only perhaps matches, the rest is doubtful, not denied.

use std::rc::Rc;

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::policy::{Action, Order};
use super::ports::PortSet;
use super::rule::{Level, Matched, PortsId, Rule, SetId, Stage, Tables};
use super::units::UnitSet;

/// Why something is allowed in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cause {
    /// No policy says otherwise.
    Default,
    /// The rule of this number, of the policy of this number.
    Rule(usize, usize),
}

/// A part of what is allowed in one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub(super) subjects: SetId,
    pub(super) peers: SetId,
    pub(super) ports: PortsId,
    pub(super) cause: Cause,
    /// Whether it depends on what the network plugin does with addresses of the cluster.
    pub(super) doubtful: bool,
}

impl Atom {
    /// Atoms that agree in this are one.
    pub(super) fn key(&self) -> Key {
        (self.peers, self.ports, self.cause, self.doubtful)
    }
}

/// What is not decided yet, on some ports.
#[derive(Clone, Debug)]
struct Cell {
    ports: PortsId,
    /// Peers whose packets surely come this far.
    sure: UnitSet,
    /// Peers whose packets perhaps come this far; none that is in `sure`.
    perhaps: UnitSet,
}

impl Cell {
    fn add(&mut self, sure: &UnitSet, perhaps: &UnitSet) {
        self.sure = self.sure.or(sure);
        self.perhaps = self.perhaps.or(perhaps).minus(&self.sure);
    }
}

/// What a rule matches of a cell: surely and perhaps.
fn hit(cell: &Cell, peers: Matched, tables: &Tables) -> (UnitSet, UnitSet) {
    let sometimes = tables.units(peers.sometimes);
    let sure = cell.sure.and(sometimes);
    if peers.perhaps == peers.sometimes && cell.perhaps.is_empty() {
        return (sure, UnitSet::default());
    }
    let reach = tables.units(peers.perhaps);
    let perhaps = cell.sure.or(&cell.perhaps).and(reach).minus(&sure);
    (sure, perhaps)
}

/// Takes from a cell what a rule decides.
fn take(cell: &mut Cell, peers: Matched, denies: bool, tables: &Tables) {
    let always = tables.units(peers.always);
    cell.sure = cell.sure.minus(always);
    cell.perhaps = cell.perhaps.minus(always);
    if denies && peers.perhaps != peers.sometimes {
        let doubtful = tables.units(peers.perhaps).minus(tables.units(peers.sometimes));
        let moved = cell.sure.and(&doubtful);
        cell.sure = cell.sure.minus(&moved);
        cell.perhaps = cell.perhaps.or(&moved);
    }
}

/// The peers, ports and cause of an atom, and whether it is doubtful.
pub(super) type Key = (SetId, PortsId, Cause, bool);

/// Walks the tiers of one direction.
pub(super) struct Decision<'t> {
    levels: &'t [Level],
    tables: &'t mut Tables,
    atoms: IndexMap<Key, UnitSet, FxBuildHasher>,
    all: UnitSet,
    /// For each ordered stage of each level, the rules by their subjects.
    by_subjects: Vec<Vec<FxHashMap<SetId, Vec<usize>>>>,
}

/// Subjects that have come to a level together, with what is not decided for them.
struct Walk {
    active: UnitSet,
    /// The subjects of ordered rules that are theirs.
    class: Rc<[SetId]>,
    cells: Vec<Cell>,
    level: usize,
}

impl<'t> Decision<'t> {
    /// Returns everything that is allowed; `subjects` are the units that policies can apply to.
    ///
    /// # Complexity
    /// O(rules + classes × (their ordered rules + the others) × sets), where a class is what no rule of an
    /// ordered tier tells apart.
    pub(super) fn atoms(
        levels: &'t [Level],
        tables: &'t mut Tables,
        all: UnitSet,
        subjects: &UnitSet,
    ) -> Vec<Atom> {
        let free = all.minus(subjects);
        let mut decision = Self::new(levels, tables, all);
        let whole = decision.tables.set(decision.all.clone());
        let every_port = decision.tables.port_set(PortSet::all());
        decision.allow(&free, whole, every_port, Cause::Default, false);
        decision.walk(subjects)
    }

    /// Returns what is allowed to some of the subjects.
    pub(super) fn atoms_of(
        levels: &'t [Level],
        tables: &'t mut Tables,
        all: UnitSet,
        subjects: &UnitSet,
    ) -> Vec<Atom> {
        Self::new(levels, tables, all).walk(subjects)
    }

    fn new(levels: &'t [Level], tables: &'t mut Tables, all: UnitSet) -> Self {
        let index = |stage: &Stage| {
            let mut index = FxHashMap::<SetId, Vec<usize>>::default();
            if stage.order == Order::FirstMatch {
                for (at, rule) in stage.rules.iter().enumerate() {
                    index.entry(rule.subjects).or_default().push(at);
                }
            }
            index
        };
        let by_subjects = levels
            .iter()
            .map(|level| level.stages.iter().map(index).collect())
            .collect();
        Self {
            levels,
            tables,
            atoms: IndexMap::default(),
            all,
            by_subjects,
        }
    }

    /// The rules of an ordered stage that are about a class, in order.
    fn about(&self, level: usize, stage: usize, class: &[SetId]) -> impl Iterator<Item = &'t Rule> + use<'t> {
        let index = &self.by_subjects[level][stage];
        let mut rules: Vec<usize> = class
            .iter()
            .filter_map(|set| index.get(set))
            .flatten()
            .copied()
            .collect();
        rules.sort_unstable();
        let levels: &'t [Level] = self.levels;
        rules
            .into_iter()
            .map(move |at| &levels[level].stages[stage].rules[at])
    }

    fn walk(mut self, subjects: &UnitSet) -> Vec<Atom> {
        for (active, class) in self.classes(subjects) {
            let cells = self.cells(&class);
            let mut walks = vec![Walk {
                active,
                class,
                cells,
                level: 0,
            }];
            while let Some(walk) = walks.pop() {
                walks.extend(self.level(walk));
            }
        }
        let atom = |((peers, ports, cause, doubtful), subjects): (Key, UnitSet)| Atom {
            subjects: self.tables.set(subjects),
            peers,
            ports,
            cause,
            doubtful,
        };
        self.atoms.into_iter().map(atom).collect()
    }

    fn allow(&mut self, subjects: &UnitSet, peers: SetId, ports: PortsId, cause: Cause, doubtful: bool) {
        let empty = self.tables.units(peers).is_empty() || self.tables.ports(ports).is_empty();
        if !empty && !subjects.is_empty() {
            let known = self.atoms.entry((peers, ports, cause, doubtful)).or_default();
            *known = known.or(subjects);
        }
    }

    fn ordered(&self) -> impl Iterator<Item = &'t Rule> {
        let levels: &'t [Level] = self.levels;
        let stages = levels.iter().flat_map(|level| &level.stages);
        stages
            .filter(|stage| stage.order == Order::FirstMatch)
            .flat_map(|stage| &stage.rules)
    }

    /// Subjects that the same rules of ordered stages apply to, with the subjects of these rules.
    fn classes(&self, subjects: &UnitSet) -> Vec<(UnitSet, Rc<[SetId]>)> {
        let mut sets: Vec<SetId> = self.ordered().map(|rule| rule.subjects).collect();
        sets.sort_unstable();
        sets.dedup();
        let mut signatures = FxHashMap::<usize, Vec<SetId>>::default();
        for set in sets {
            for unit in self.tables.units(set).and(subjects).iter() {
                signatures.entry(unit).or_default().push(set);
            }
        }
        let mut classes = IndexMap::<Vec<SetId>, Vec<usize>, FxBuildHasher>::default();
        for unit in subjects.iter() {
            let signature = signatures.remove(&unit).unwrap_or_default();
            classes.entry(signature).or_default().push(unit);
        }
        classes
            .into_iter()
            .map(|(class, units)| (units.into_iter().collect(), class.into()))
            .collect()
    }

    /// Everything undecided, cut so that each ordered rule for the class covers a cell's ports or none of them.
    fn cells(&mut self, class: &[SetId]) -> Vec<Cell> {
        let stages = self.levels.iter().enumerate();
        let stages =
            stages.flat_map(|(level, known)| (0..known.stages.len()).map(move |stage| (level, stage)));
        let rules: Vec<PortsId> = stages
            .flat_map(|(level, stage)| self.about(level, stage, class))
            .map(|rule| rule.ports)
            .collect();
        let mut cuts = vec![PortSet::all()];
        let mut seen = Vec::new();
        for ports in rules {
            if seen.contains(&ports) {
                continue;
            }
            seen.push(ports);
            let ports = self.tables.ports(ports);
            cuts = cuts
                .iter()
                .flat_map(|cut| [cut.and(ports), cut.minus(ports)])
                .filter(|cut| !cut.is_empty())
                .collect();
        }
        let cell = |ports| Cell {
            ports: self.tables.port_set(ports),
            sure: self.all.clone(),
            perhaps: UnitSet::default(),
        };
        cuts.into_iter().map(cell).collect()
    }

    /// Walks through one level; returns what goes on to the next.
    fn level(&mut self, mut walk: Walk) -> Vec<Walk> {
        let Some(level) = self.levels.get(walk.level) else {
            self.default(&walk);
            return Vec::new();
        };
        let mut later: Vec<Cell> = walk
            .cells
            .iter()
            .map(|cell| Cell {
                ports: cell.ports,
                sure: UnitSet::default(),
                perhaps: UnitSet::default(),
            })
            .collect();
        for (number, stage) in level.stages.iter().enumerate() {
            match stage.order {
                Order::Union => self.union(stage, &walk),
                Order::FirstMatch => {
                    for rule in self.about(walk.level, number, &walk.class) {
                        self.first_match(rule, &mut walk, &mut later);
                    }
                }
            }
        }
        let isolated = self.tables.units(level.isolated);
        let mut next = Vec::new();
        let held = walk.active.and(isolated);
        let passes = later
            .iter()
            .any(|cell| !cell.sure.is_empty() || !cell.perhaps.is_empty());
        if !held.is_empty() && passes {
            next.push(Walk {
                active: held,
                class: Rc::clone(&walk.class),
                cells: later.clone(),
                level: walk.level + 1,
            });
        }
        let active = walk.active.minus(isolated);
        if !active.is_empty() {
            for (cell, passed) in walk.cells.iter_mut().zip(&later) {
                cell.add(&passed.sure, &passed.perhaps);
            }
            next.push(Walk {
                active,
                class: walk.class,
                cells: walk.cells,
                level: walk.level + 1,
            });
        }
        next
    }

    fn first_match(&mut self, rule: &Rule, walk: &mut Walk, later: &mut [Cell]) {
        let mut hits = Vec::new();
        for (cell, later) in walk.cells.iter_mut().zip(later) {
            if self.tables.common(cell.ports, rule.ports) != cell.ports {
                continue;
            }
            let (sure, perhaps) = hit(cell, rule.peers, self.tables);
            match rule.action {
                Action::Allow => hits.push((cell.ports, sure, perhaps)),
                Action::Deny => {}
                Action::Pass => later.add(&sure, &perhaps),
            }
            take(cell, rule.peers, rule.action != Action::Allow, self.tables);
        }
        let cause = Cause::Rule(rule.policy, rule.number);
        self.emit(&walk.active, hits, cause);
    }

    /// Allows cells, those with the same peers together.
    fn emit(&mut self, subjects: &UnitSet, cells: Vec<(PortsId, UnitSet, UnitSet)>, cause: Cause) {
        let mut merged = IndexMap::<(UnitSet, bool), PortSet, FxBuildHasher>::default();
        for (ports, sure, perhaps) in cells {
            for (peers, doubtful) in [(sure, false), (perhaps, true)] {
                if !peers.is_empty() {
                    let known = merged.entry((peers, doubtful)).or_default();
                    *known = known.or(self.tables.ports(ports));
                }
            }
        }
        for ((peers, doubtful), ports) in merged {
            let (peers, ports) = (self.tables.set(peers), self.tables.port_set(ports));
            self.allow(subjects, peers, ports, cause, doubtful);
        }
    }

    fn default(&mut self, walk: &Walk) {
        let cells = walk.cells.iter();
        let cells = cells
            .map(|cell| (cell.ports, cell.sure.clone(), cell.perhaps.clone()))
            .collect();
        self.emit(&walk.active, cells, Cause::Default);
    }

    /// Allows what any rule of the stage matches of what is undecided.
    fn union(&mut self, stage: &Stage, walk: &Walk) {
        let mut merged = IndexMap::<(UnitSet, bool), PortSet, FxBuildHasher>::default();
        for cell in &walk.cells {
            for (peers, doubtful) in [(&cell.sure, false), (&cell.perhaps, true)] {
                if !peers.is_empty() {
                    let known = merged.entry((peers.clone(), doubtful)).or_default();
                    *known = known.or(self.tables.ports(cell.ports));
                }
            }
        }
        let open: Vec<(UnitSet, PortsId, bool)> = merged
            .into_iter()
            .map(|((peers, doubtful), ports)| (peers, self.tables.port_set(ports), doubtful))
            .collect();
        for rule in &stage.rules {
            let subjects = self.tables.units(rule.subjects);
            if !subjects.meets(&walk.active) {
                continue;
            }
            let subjects = subjects.and(&walk.active);
            let cause = Cause::Rule(rule.policy, rule.number);
            for (peers, ports, doubtful) in &open {
                let ports = self.tables.common(rule.ports, *ports);
                let sometimes = self.tables.units(rule.peers.sometimes);
                let matched = peers.and(sometimes);
                let perhaps = if rule.peers.perhaps == rule.peers.sometimes {
                    UnitSet::default()
                } else {
                    peers.and(self.tables.units(rule.peers.perhaps)).minus(sometimes)
                };
                let (matched, perhaps) = (self.tables.set(matched), self.tables.set(perhaps));
                self.allow(&subjects, matched, ports, cause, *doubtful);
                self.allow(&subjects, perhaps, ports, cause, true);
            }
        }
    }
}
