//! Who can reach whom under the policies, and what is exposed to the outside.
//!
//! From top to bottom: `kubernetes`, `admin`, `cilium`, `calico` and `istio` read policies into one form (`policy`), `mentions` notes what
//! they look at, `grouping` and `universe` form the units that they can tell apart, `rule` evaluates selectors to
//! sets of units, `decide` walks the tiers of each direction, `hub` joins both directions, and `exposure` asks
//! them about every way in from outside (`entry`, `proxy`, `gateway`, `service`).
//!
//! **Trap.** Reach needs both sides: the source's egress AND the destination's ingress. Replies are always
//! allowed. Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>

mod address;
mod admin;
mod attributes;
mod calico;
mod change;
mod cilium;
mod connections;
mod controllers;
mod decide;
mod destination;
mod entry;
mod exposure;
mod gap;
mod gateway;
mod grouping;
mod hub;
mod istio;
mod kubernetes;
mod lint;
mod mentions;
mod mesh;
mod options;
mod plugin;
mod policy;
mod ports;
mod problems;
mod proxy;
mod question;
mod rule;
mod selector;
mod service;
mod units;
mod universe;
mod unmodelled;
mod walk;

pub use address::Range;
pub use connections::{Connection, End};
pub use controllers::Controller;
pub use destination::ApiServer;
pub use entry::Outside;
pub use exposure::Exposure;
pub use lint::Remark;
pub use options::{Enforcement, IpBlockMatch, Options};
pub use plugin::{Enforces, Plugin};
pub use policy::{Action, Direction};
pub use ports::PortSet;
pub use question::{Answer, Place};
pub use units::UnitSet;
pub use universe::{Group, Unit};
pub use walk::{Event, Walk};

use crate::model::{Cluster, Diagnostic, NetworkPolicy, ObjectId, Protocol, Text};
use decide::{Atom, Cause, Decision};
use gap::Gap;
use mentions::Mentions;
use plugin::{Enforcer, Engine};
use policy::Tier;
use rule::{Level, Resolver, Tables};
use universe::{Ground, Universe};

/// One complete bipartite part of the reach relation: every source reaches every target on the ports.
#[derive(Clone, Debug)]
pub struct Hub {
    sources: usize,
    targets: usize,
    ports: usize,
    /// Rule of an egress policy that allows it, or the default.
    pub egress: Allowed,
    /// Rule of an ingress policy that allows it, or the default.
    pub ingress: Allowed,
    /// Whether it depends on what the network plugin does with addresses of the cluster.
    pub doubtful: bool,
}

/// What allows one direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allowed {
    /// No policy isolates the pod in this direction.
    Default,
    /// A rule of a policy: its id and JSON pointer (`/spec/ingress/0`).
    Rule(ObjectId, Text),
}

/// The answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Policies stop it.
    Denied,
    /// It depends on what the input does not show.
    Unknown,
    /// Policies let it through.
    Allowed,
}

/// What is kept of a policy: its id and the pointers to its rules of both directions.
#[derive(Clone, Debug)]
struct PolicyInfo {
    id: ObjectId,
    pointers: [Vec<Text>; 2],
}

impl PolicyInfo {
    fn new(policy: &policy::Policy) -> Self {
        Self {
            id: policy.id.clone(),
            pointers: policy
                .rules
                .each_ref()
                .map(|rules| rules.iter().map(|rule| rule.pointer.clone()).collect()),
        }
    }
}

/// One direction, evaluated.
#[derive(Clone, Debug, Default)]
struct Side {
    levels: Vec<Level>,
    atoms: Vec<Atom>,
    /// The units that policies can apply to.
    subjects: UnitSet,
    /// The atoms that a unit is a subject of.
    of_unit: Vec<Vec<u32>>,
}

/// Reachability between groups of pods, and exposure.
#[derive(Clone, Debug, Default)]
pub struct Network {
    groups: Vec<Group>,
    group_of: Vec<Option<usize>>,
    units: Vec<Unit>,
    ground: Ground,
    mentions: Mentions,
    tables: Tables,
    policies: Vec<PolicyInfo>,
    sides: [Side; 2],
    /// Every pair of atoms that meet; hubs are those of them that are distinct.
    joins: Vec<hub::Join>,
    hubs: Vec<Hub>,
    /// Every way in before any policy is asked.
    ways: Vec<entry::Entry>,
    exposures: Vec<Exposure>,
    entries: Vec<Exposure>,
    /// What Ingresses and Routes lead to, before any policy is asked.
    proxied: Vec<service::Backend>,
    destinations: destination::Destinations,
    plugin: Option<&'static Plugin>,
    engine: Option<Engine>,
    unenforced: bool,
    /// Whether a rule perhaps matches because of what is not modelled of it.
    has_gaps: bool,
    options: Options,
    ipblock: IpBlockMatch,
    /// Policies that the cluster does not hold, see [`Network::with_policy`].
    added: Vec<NetworkPolicy>,
}

/// Whether the input has policies beside NetworkPolicies, which may forbid what those allow.
pub fn has_other_policies(cluster: &Cluster) -> bool {
    !cluster.admin_policies.is_empty()
        || cilium::policies(cluster).next().is_some()
        || calico::policies(cluster).next().is_some()
        || istio::policies(cluster).next().is_some()
        || unmodelled::policies(cluster).next().is_some()
}

/// The tiers that are enforced, in order.
fn tiers(
    cluster: &Cluster,
    added: &[NetworkPolicy],
    enforcer: Enforcer,
    gaps: &mut Vec<Gap>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Tier> {
    let mut tiers = Vec::new();
    if enforcer.mesh {
        tiers.extend(istio::tier(cluster, gaps, diagnostics));
    }
    let admin = enforcer.admin.then(|| admin::tiers(cluster, diagnostics));
    if enforcer.policies && enforcer.engine == Some(Engine::Calico) {
        let tier = kubernetes::tier(cluster, added, diagnostics);
        tiers.extend(calico::tiers(cluster, admin, tier, gaps, diagnostics));
        return tiers;
    }
    let (first, last) = admin.map(|tiers| (tiers.admin, tiers.baseline)).unzip();
    tiers.extend(first);
    if enforcer.policies {
        let tier = kubernetes::tier(cluster, added, diagnostics);
        if enforcer.engine == Some(Engine::Cilium) {
            tiers.extend(cilium::tiers(cluster, tier, gaps, diagnostics));
        } else {
            tiers.push(tier);
        }
    }
    tiers.extend(last);
    tiers
}

impl Network {
    /// Evaluates the policies and Services of a cluster, taking for given what [`Options`] do by default.
    pub fn new(cluster: &Cluster) -> (Self, Vec<Diagnostic>) {
        Self::with(cluster, Options::default())
    }

    /// Evaluates the policies and Services of a cluster.
    ///
    /// # Complexity
    /// O(pods × labels) to form groups; from there on nothing costs pods.
    pub fn with(cluster: &Cluster, options: Options) -> (Self, Vec<Diagnostic>) {
        Self::build(cluster, Vec::new(), options)
    }

    fn build(cluster: &Cluster, added: Vec<NetworkPolicy>, options: Options) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let enforcer = Enforcer::new(cluster, options);
        enforcer.report(cluster, &mut diagnostics);
        let mut gaps = Vec::new();
        let tiers = tiers(cluster, &added, enforcer, &mut gaps, &mut diagnostics);
        let mentions = Mentions::new(&tiers);
        let universe = Universe::new(cluster, &mentions);
        gap::report(&gaps, cluster, &universe, &mut diagnostics);
        let mut network = Self::evaluate(&universe, &tiers, enforcer.ipblock);
        (network.options, network.added) = (options, added);
        network.ipblock = enforcer.ipblock;
        network.plugin = enforcer.plugin;
        network.engine = enforcer.engine.filter(|engine| engine.policies(cluster) > 0);
        network.unenforced = !enforcer.policies;
        let services = service::Services::new(cluster);
        let mut ways = entry::services(cluster, &services, &mut diagnostics);
        ways.extend(entry::host_ports(cluster));
        let proxies = proxy::Proxies::new(&universe, &services, cluster, &ways);
        let mut through = [proxies.ingresses(), proxies.routes()].concat();
        network.proxied = through.iter().map(|way| way.backend).collect();
        through.extend(proxies.gateways());
        ways.extend(through);
        network.ways = ways;
        network.keep(universe);
        network.mentions = mentions;
        unmodelled::report(cluster, &network.groups, &mut diagnostics);
        network.destinations = destination::Destinations::new(cluster, &network.units, network.groups.len());
        network.entries = network.expose(&network.ways);
        network.exposures = network.open_to_internet();
        (network, diagnostics)
    }

    fn keep(&mut self, universe: Universe<'_>) {
        (self.groups, self.group_of, self.units, self.ground) = universe.kept();
    }

    fn open_to_internet(&self) -> Vec<Exposure> {
        let entries = self.entries.iter();
        let open = entries.filter(|entry| entry.outside == Outside::Internet);
        open.cloned().collect()
    }

    fn evaluate(universe: &Universe<'_>, tiers: &[Tier], ipblock: IpBlockMatch) -> Self {
        let mut resolver = Resolver::new(universe, ipblock, Tables::default());
        let mut levels = [Vec::new(), Vec::new()];
        for (direction, levels) in Direction::BOTH.into_iter().zip(&mut levels) {
            let mut first = 0;
            for tier in tiers {
                levels.push(resolver.level(tier, direction, first));
                first += tier.policies().count();
            }
        }
        let mut tables = resolver.tables;
        let sides = levels.map(|levels| {
            let all = levels.iter().flat_map(|level| &level.subjects);
            let subjects = all.fold(universe.subjects(), |all, &(_, one)| all.or(tables.units(one)));
            let atoms = Decision::atoms(&levels, &mut tables, universe.all(), &subjects);
            let mut of_unit = vec![Vec::new(); universe.units.len()];
            for (number, atom) in atoms.iter().enumerate() {
                for unit in tables.units(atom.subjects).iter() {
                    of_unit[unit].push(u32::try_from(number).unwrap_or(u32::MAX));
                }
            }
            Side {
                levels,
                atoms,
                subjects,
                of_unit,
            }
        });
        let [ingress, egress] = &sides;
        let fresh = [&egress.atoms, &ingress.atoms].map(|atoms| vec![true; atoms.len()]);
        let joining = hub::Joining {
            egress: &egress.atoms,
            ingress: &ingress.atoms,
            fresh: [&fresh[0], &fresh[1]],
            pods: &UnitSet::up_to(universe.groups.len()),
        };
        let rules = sides.iter().flat_map(|side| &side.levels);
        let mut rules = rules
            .flat_map(|level| &level.stages)
            .flat_map(|stage| &stage.rules);
        let has_gaps = rules.any(|rule| rule.unsure.is_some());
        let mut network = Self {
            joins: joining.joins(&mut tables),
            tables,
            has_gaps,
            policies: tiers
                .iter()
                .flat_map(Tier::policies)
                .map(PolicyInfo::new)
                .collect(),
            sides,
            ..Self::default()
        };
        network.hubs = network.distinct_hubs();
        network
    }

    fn distinct_hubs(&self) -> Vec<Hub> {
        let [ingress, egress] = &self.sides;
        let hub = |join: &hub::Join| Hub {
            sources: join.sources,
            targets: join.targets,
            ports: join.ports,
            egress: self.allowed(egress.atoms[join.egress].cause, Direction::Egress),
            ingress: self.allowed(ingress.atoms[join.ingress].cause, Direction::Ingress),
            doubtful: join.doubtful,
        };
        hub::distinct(&self.joins).map(hub).collect()
    }

    fn allowed(&self, cause: Cause, direction: Direction) -> Allowed {
        match cause {
            Cause::Default => Allowed::Default,
            Cause::Rule(policy, rule) => {
                let policy = &self.policies[policy];
                Allowed::Rule(
                    policy.id.clone(),
                    policy.pointers[direction as usize][rule].clone(),
                )
            }
        }
    }

    /// The network plugin, if the input shows one.
    pub fn plugin(&self) -> Option<&'static Plugin> {
        self.plugin
    }

    /// The network plugin whose own kinds of policies count beside those of Kubernetes, if the input holds any.
    pub fn engine(&self) -> Option<&'static str> {
        self.engine.map(Engine::name)
    }

    /// What it depends on whether packets pass a hub that is doubtful.
    pub fn doubt(&self) -> &'static str {
        if self.has_gaps {
            exposure::GAP
        } else {
            exposure::PLUGIN
        }
    }

    /// Whether the policies of the input have no effect.
    pub fn ignores_policies(&self) -> bool {
        self.unenforced
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Everything that sends or receives: the groups, in order, then what is not a pod.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The group of the pod at this position of [`Cluster::pods`]; none if the pod has ended.
    pub fn group_of(&self, pod: usize) -> Option<usize> {
        self.group_of.get(pod).copied().flatten()
    }

    /// The hubs, each with at least one source and one target.
    pub fn hubs(&self) -> &[Hub] {
        &self.hubs
    }

    /// The units that may send through a hub; a number below that of the groups is a group.
    pub fn sources(&self, hub: &Hub) -> &UnitSet {
        self.tables.units(hub.sources)
    }

    /// The units that receive through a hub.
    pub fn targets(&self, hub: &Hub) -> &UnitSet {
        self.tables.units(hub.targets)
    }

    /// The ports of a hub's targets.
    pub fn ports(&self, hub: &Hub) -> &PortSet {
        self.tables.ports(hub.ports)
    }

    /// What the internet reaches, sorted.
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }

    /// What the internet or a private network outside the cluster reaches, sorted.
    pub fn entries(&self) -> &[Exposure] {
        &self.entries
    }

    /// Whether one unit may send to a port of another.
    pub fn verdict(&self, source: usize, target: usize, protocol: Protocol, port: u16) -> Verdict {
        let out = self.one_way(Direction::Egress, source, target, protocol, port);
        let into = self.one_way(Direction::Ingress, target, source, protocol, port);
        out.min(into)
    }

    fn one_way(
        &self,
        direction: Direction,
        subject: usize,
        peer: usize,
        protocol: Protocol,
        port: u16,
    ) -> Verdict {
        let atoms = self.atoms(direction, subject);
        let meant = atoms.filter(|atom| {
            self.tables.units(atom.peers).contains(peer)
                && self.tables.ports(atom.ports).contains(protocol, port)
        });
        let verdicts = meant.map(|atom| {
            if atom.doubtful {
                Verdict::Unknown
            } else {
                Verdict::Allowed
            }
        });
        verdicts.max().unwrap_or(Verdict::Denied)
    }

    fn atoms(&self, direction: Direction, subject: usize) -> impl Iterator<Item = &Atom> {
        let side = &self.sides[direction as usize];
        let numbers = side.of_unit.get(subject).into_iter().flatten();
        numbers.filter_map(|&number| side.atoms.get(number as usize))
    }

    /// The peers that a unit may exchange packets with on a port: surely, and perhaps.
    fn peers(
        &self,
        direction: Direction,
        subject: usize,
        protocol: Protocol,
        port: u16,
    ) -> (UnitSet, UnitSet) {
        let (mut sure, mut perhaps) = (UnitSet::default(), UnitSet::default());
        for atom in self.atoms(direction, subject) {
            if self.tables.ports(atom.ports).contains(protocol, port) {
                let known = if atom.doubtful { &mut perhaps } else { &mut sure };
                *known = known.or(self.tables.units(atom.peers));
            }
        }
        (sure, perhaps)
    }
}
