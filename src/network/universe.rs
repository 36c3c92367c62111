//! Who can send and receive: groups of pods that no policy can tell apart, nodes, and addresses outside.
//!
//! Each of them is a unit with a number; groups of pods come first, so that a group's number is its unit. Rules
//! select units, never pods: what is done once per selector costs groups, not pods.
//!
//! **Trap.** Pods of one group must agree on everything that any policy looks at: the labels it mentions (those
//! of the pod's namespace come with the namespace), the numbers behind port names, the cells of their addresses
//! and the node class of pods that share their node's network.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range as Span;

use rustc_hash::{FxHashMap, FxHashSet};

use super::address::{Block, Cells, Range, cidr};
use super::attributes;
use super::controllers::{CONTROLLERS, Controller};
use super::grouping::{Found, Grouping};
use super::mentions::Mentions;
use super::policy::NamedPort;
use super::ports::PortSet;
use super::selector::{Expression, Namespaces, PodSelector};
use super::units::UnitSet;
use crate::model::{Cluster, Labels, Node, Pod, Text};

/// Pods that no policy can tell apart.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name of the group in ids: the namespace and its first workload's name, unique.
    pub name: Text,
    /// The namespace of its pods.
    pub namespace: Text,
    /// Positions of its pods in [`Cluster::pods`], ascending.
    pub pods: Vec<usize>,
    /// Whether its pods share their node's network: no policy applies to them.
    pub host_network: bool,
}

/// One unit.
#[derive(Clone, Debug)]
pub enum Unit {
    /// The group of this number.
    Group(usize),
    /// Nodes that no policy can tell apart, by name; of none, some node that the input does not name.
    Nodes(Vec<Text>),
    /// Addresses outside the cluster.
    Range(Range),
    /// A name that an egress rule allows and that is looked up when traffic flows.
    Domain(Text),
    /// Pods of an ingress controller that the input does not hold; the position in the table of them.
    Controller(&'static Controller),
}

/// A namespace: its name, its labels and the numbers of its groups.
pub(super) type Namespace = (Text, Labels, Span<usize>);

/// The units of a cluster.
#[derive(Debug)]
pub(super) struct Universe<'a> {
    cluster: &'a Cluster,
    pub(super) groups: Vec<Group>,
    /// The group of each pod; none for pods that have ended.
    pub(super) group_of: Vec<Option<usize>>,
    pub(super) units: Vec<Unit>,
    pub(super) cells: Cells,
    /// Sorted by name.
    namespaces: Vec<Namespace>,
    /// A pod of each group.
    samples: Vec<&'a Pod>,
    /// The labels of that pod, as conditions see them.
    labels: Vec<Cow<'a, Labels>>,
    /// The groups by a pair of labels that their pods carry, as far as policies mention it.
    postings: FxHashMap<(Text, Text), Vec<usize>>,
    mentions: &'a Mentions,
    /// A node of each class, none for the class that stands for an unnamed node.
    node_samples: Vec<Option<&'a Node>>,
    /// The labels of controllers' namespaces and pods.
    controller_labels: Vec<(Text, Labels, Labels)>,
    pub(super) nodes: Span<usize>,
    pub(super) ranges: Span<usize>,
    pub(super) domains: Span<usize>,
    pub(super) controllers: Span<usize>,
    places: Places,
}

/// What is kept of the units when the cluster is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    pub(super) cells: Cells,
    /// The namespaces, sorted by name.
    pub(super) namespaces: Vec<Namespace>,
    pub(super) postings: FxHashMap<(Text, Text), Vec<usize>>,
    pub(super) nodes: Span<usize>,
    pub(super) ranges: Span<usize>,
    pub(super) domains: Span<usize>,
    pub(super) controllers: Span<usize>,
    pub(super) places: Places,
}

/// Where pods and nodes are in the address space.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The units with an address in each cell, once for each address.
    pub(super) by_cell: Vec<Vec<usize>>,
    /// How many addresses each unit has, as far as the input tells.
    pub(super) count: FxHashMap<usize, usize>,
    /// Units of which no address is in the input.
    pub(super) unplaced: Vec<usize>,
    /// Where pods live whose address is not in the input.
    pod_networks: Vec<Range>,
}

/// What a block covers.
#[derive(Clone, Debug, Default)]
pub(super) struct Covered {
    /// Pods and nodes, all of whose addresses are in the block.
    pub(super) inside: UnitSet,
    /// Pods and nodes with two address families, one of which is in the block.
    pub(super) half: UnitSet,
    /// What is not in the cluster.
    pub(super) outside: UnitSet,
}

impl<'a> Universe<'a> {
    /// Forms the units.
    ///
    /// # Complexity
    /// O(pods × their labels), and sorting of groups.
    pub(super) fn new(cluster: &'a Cluster, mentions: &'a Mentions) -> Self {
        let cells = Cells::new(&mentions.blocks);
        let names = cluster.namespace_names();
        let (classes, found) = Grouping::new(cluster, mentions, &cells, &names).sorted();
        let mut universe = Self {
            cluster,
            groups: Vec::new(),
            group_of: vec![None; cluster.pods.len()],
            units: Vec::new(),
            cells,
            namespaces: Vec::new(),
            samples: Vec::new(),
            labels: Vec::new(),
            postings: FxHashMap::default(),
            mentions,
            node_samples: Vec::new(),
            controller_labels: CONTROLLERS.iter().map(Controller::labels).collect(),
            nodes: 0..0,
            ranges: 0..0,
            domains: 0..0,
            controllers: 0..0,
            places: Places::default(),
        };
        universe.add_groups(names, found);
        universe.post();
        universe.add_others(&classes, &mentions.domains);
        if !mentions.blocks.is_empty() {
            universe.place();
        }
        universe
    }

    /// The units again of what was kept, with the groups of the same cluster.
    pub(super) fn again(
        cluster: &'a Cluster,
        mentions: &'a Mentions,
        ground: Ground,
        (groups, group_of, units): (Vec<Group>, Vec<Option<usize>>, Vec<Unit>),
    ) -> Self {
        let sample = |group: &Group| Some(cluster.pods.at(*group.pods.first()?)?.1);
        let class = |unit: &Unit| match unit {
            Unit::Nodes(names) => names.first().and_then(|name| cluster.node(name)),
            _ => None,
        };
        let mut universe = Self {
            cluster,
            mentions,
            samples: groups.iter().filter_map(sample).collect(),
            node_samples: units[ground.nodes.clone()].iter().map(class).collect(),
            groups,
            group_of,
            units,
            cells: ground.cells,
            namespaces: ground.namespaces,
            postings: ground.postings,
            controller_labels: CONTROLLERS.iter().map(Controller::labels).collect(),
            nodes: ground.nodes,
            ranges: ground.ranges,
            domains: ground.domains,
            controllers: ground.controllers,
            places: ground.places,
            labels: Vec::new(),
        };
        universe.labels = universe.samples.iter().map(|pod| universe.seen(pod)).collect();
        universe
    }

    /// What is to be kept: the groups, the group of each pod, the units, and the rest.
    pub(super) fn kept(self) -> (Vec<Group>, Vec<Option<usize>>, Vec<Unit>, Ground) {
        let ground = Ground {
            cells: self.cells,
            namespaces: self.namespaces,
            postings: self.postings,
            nodes: self.nodes,
            ranges: self.ranges,
            domains: self.domains,
            controllers: self.controllers,
            places: self.places,
        };
        (self.groups, self.group_of, self.units, ground)
    }

    fn add_groups(&mut self, names: Vec<Text>, found: Vec<Found>) {
        let mut taken = FxHashSet::default();
        let mut found = found.into_iter().peekable();
        for (number, name) in names.into_iter().enumerate() {
            let start = self.groups.len();
            while let Some(group) = found.next_if(|group| group.namespace == number) {
                let pods = group.pods;
                for &pod in &pods {
                    self.group_of[pod] = Some(self.groups.len());
                }
                let Some((_, sample)) = pods.first().and_then(|&pod| self.cluster.pods.at(pod)) else {
                    continue;
                };
                self.samples.push(sample);
                self.groups.push(Group {
                    name: unique(&name, &self.cluster.workload_of(sample).name, &mut taken),
                    namespace: name.clone(),
                    pods,
                    host_network: group.host_network,
                });
            }
            let labels = self.cluster.namespace_labels(&name);
            self.namespaces.push((name, labels, start..self.groups.len()));
        }
        self.units.extend((0..self.groups.len()).map(Unit::Group));
    }

    /// The labels of a pod as conditions see them.
    fn seen(&self, pod: &'a Pod) -> Cow<'a, Labels> {
        if self.mentions.attributes.is_empty() {
            Cow::Borrowed(&pod.meta.labels)
        } else {
            Cow::Owned(attributes::with_labels(
                self.cluster,
                pod,
                &self.mentions.attributes,
            ))
        }
    }

    /// Indexes the groups by the pairs that policies mention.
    fn post(&mut self) {
        self.labels = self.samples.iter().map(|pod| self.seen(pod)).collect();
        for (number, labels) in self.labels.iter().enumerate() {
            for (key, value) in labels.iter() {
                let mentioned = self
                    .mentions
                    .keys
                    .get(key)
                    .is_some_and(|(_, values)| values.contains_key(value));
                if mentioned {
                    let pair = (key.clone(), value.clone());
                    self.postings.entry(pair).or_default().push(number);
                }
            }
        }
    }

    fn add_others(&mut self, classes: &[Vec<&'a Node>], domains: &[Text]) {
        let mut add = |units: &mut dyn Iterator<Item = Unit>| {
            let start = self.units.len();
            self.units.extend(units);
            start..self.units.len()
        };
        let name = |node: &&Node| node.meta.name.clone();
        self.nodes = if classes.is_empty() {
            add(&mut std::iter::once(Unit::Nodes(Vec::new())))
        } else {
            add(&mut classes
                .iter()
                .map(|class| Unit::Nodes(class.iter().map(name).collect())))
        };
        self.ranges = add(&mut self.cells.ranges().iter().map(|range| Unit::Range(*range)));
        self.domains = add(&mut domains.iter().map(|domain| Unit::Domain(domain.clone())));
        self.controllers = add(&mut CONTROLLERS.iter().map(Unit::Controller));
        self.node_samples = classes.iter().map(|class| class.first().copied()).collect();
        if self.node_samples.is_empty() {
            self.node_samples.push(None);
        }
    }

    /// Every unit.
    pub(super) fn all(&self) -> UnitSet {
        UnitSet::up_to(self.units.len())
    }

    /// The groups whose pods have a network of their own.
    pub(super) fn subjects(&self) -> UnitSet {
        let groups = self.groups.iter().enumerate();
        groups
            .filter(|(_, group)| !group.host_network)
            .map(|(number, _)| number)
            .collect()
    }

    /// The units that a selector selects; pods that share their node's network are never among them.
    pub(super) fn select(&self, selector: &PodSelector) -> UnitSet {
        if selector.namespaces == Namespaces::OfNodes {
            return self.select_nodes(&selector.pods);
        }
        let mut found: Vec<usize> = Vec::new();
        let pair = selector.pods.needed_pair();
        let by_pair = match (&selector.namespaces, pair) {
            (Namespaces::Where(_), Some((key, values))) if self.mentions.knows(key, values) => {
                let groups = values
                    .iter()
                    .filter_map(|value| self.postings.get(&(key.clone(), value.clone())));
                Some(groups.flatten().copied().collect::<Vec<_>>())
            }
            _ => None,
        };
        let admits = |number: usize| {
            !self.groups[number].host_network && {
                let labels = &self.labels[number];
                selector.pods.is_everything() || selector.pods.matches(labels)
            }
        };
        if let Some(groups) = by_pair {
            let mut admitted = FxHashMap::default();
            for number in groups {
                let place = self.namespace_at(number);
                let inside = *admitted.entry(place).or_insert_with(|| {
                    let (name, labels, _) = &self.namespaces[place];
                    selects_namespace(&selector.namespaces, name, labels)
                });
                if inside && admits(number) {
                    found.push(number);
                }
            }
        } else {
            for namespace in self.namespaces_of(&selector.namespaces) {
                found.extend(namespace.clone().filter(|&number| admits(number)));
            }
        }
        for (unit, (name, namespace, pods)) in self.controllers.clone().zip(&self.controller_labels) {
            if selects_namespace(&selector.namespaces, name, namespace) && selector.pods.matches(pods) {
                found.push(unit);
            }
        }
        found.into_iter().collect()
    }

    /// The position of a group's namespace: the last one whose groups begin at or before it.
    fn namespace_at(&self, group: usize) -> usize {
        let after = self
            .namespaces
            .partition_point(|(_, _, groups)| groups.start <= group);
        after.saturating_sub(1)
    }

    fn namespaces_of<'s>(
        &'s self,
        namespaces: &'s Namespaces,
    ) -> Box<dyn Iterator<Item = &'s Span<usize>> + 's> {
        match namespaces {
            Namespaces::One(name) => {
                let at = self.namespaces.binary_search_by(|(known, ..)| known.cmp(name));
                Box::new(at.ok().map(|at| &self.namespaces[at].2).into_iter())
            }
            Namespaces::OfNodes => Box::new(std::iter::empty()),
            Namespaces::Where(_) => Box::new(
                self.namespaces
                    .iter()
                    .filter(|(name, labels, _)| selects_namespace(namespaces, name, labels))
                    .map(|(_, _, groups)| groups),
            ),
        }
    }

    /// The nodes, and the pods in their networks, that a selector of nodes selects.
    pub(super) fn select_nodes(&self, expression: &Expression) -> UnitSet {
        let class = |sample: Option<&Node>| match sample {
            Some(node) => expression.matches(&node.meta.labels),
            None => expression.is_everything(),
        };
        let nodes = self.nodes.clone().zip(&self.node_samples);
        let nodes = nodes.filter(|(_, sample)| class(**sample)).map(|(unit, _)| unit);
        let groups = self.groups.iter().enumerate().filter(|(number, group)| {
            group.host_network && class(self.cluster.node(&self.samples[*number].spec.node_name))
        });
        groups.map(|(number, _)| number).chain(nodes).collect()
    }

    /// Everything outside the cluster.
    pub(super) fn world(&self) -> UnitSet {
        self.ranges.clone().chain(self.domains.clone()).collect()
    }

    /// The units that a name of an egress rule covers.
    pub(super) fn select_domain(&self, name: &str) -> UnitSet {
        let covers = |known: &str| {
            known == name
                || name
                    .strip_prefix('*')
                    .is_some_and(|suffix| known.ends_with(suffix))
        };
        let domains = self.domains.clone();
        domains
            .filter(|&unit| matches!(&self.units[unit], Unit::Domain(known) if covers(known)))
            .collect()
    }

    /// Notes in which cells the addresses of pods and nodes are.
    fn place(&mut self) {
        let mut places = Places {
            by_cell: vec![Vec::new(); self.cells.ranges().len()],
            pod_networks: pod_networks(self.cluster),
            ..Places::default()
        };
        let group = |(number, sample): (usize, &&Pod)| {
            let node = self.cluster.node(&sample.spec.node_name);
            let of_node = node
                .filter(|_| self.groups[number].host_network)
                .map(node_addresses);
            let own = of_node.filter(|addresses| !addresses.is_empty());
            (number, own.unwrap_or_else(|| addresses(sample)))
        };
        let node =
            |(unit, node): (usize, Option<&Node>)| (unit, node.map(node_addresses).unwrap_or_default());
        let groups = self.samples.iter().enumerate().map(group);
        let nodes = self
            .nodes
            .clone()
            .zip(self.node_samples.iter().copied())
            .map(node);
        // A controller that the input does not hold is a pod somewhere.
        let absent = self.controllers.clone().map(|unit| (unit, Vec::new()));
        for (unit, addresses) in groups.chain(nodes).chain(absent) {
            if addresses.is_empty() {
                places.unplaced.push(unit);
            }
            places.count.insert(unit, addresses.len());
            for address in addresses {
                places.by_cell[self.cells.of(address)].push(unit);
            }
        }
        self.places = places;
    }

    /// What a block covers.
    ///
    /// A unit whose address is not in the input is covered if every address that it may have is.
    pub(super) fn covered(&self, block: &Block) -> Covered {
        let cells_of = |ranges: &[Range]| {
            let cells =
                |range: &Range| UnitSet::range(self.cells.of(range.first()), self.cells.of(range.last()) + 1);
            ranges
                .iter()
                .fold(UnitSet::default(), |set, range| set.or(&cells(range)))
        };
        let cells = cells_of(&block.within).minus(&cells_of(&block.except));
        let mut counted = FxHashMap::<usize, usize>::default();
        for &unit in cells
            .iter()
            .filter_map(|cell| self.places.by_cell.get(cell))
            .flatten()
        {
            *counted.entry(unit).or_default() += 1;
        }
        let mut inside: Vec<usize> = Vec::new();
        let mut half: Vec<usize> = Vec::new();
        let mut sorted: Vec<_> = counted.into_iter().collect();
        sorted.sort_unstable();
        for (unit, count) in sorted {
            let all = self.places.count.get(&unit) == Some(&count);
            if all { &mut inside } else { &mut half }.push(unit);
        }
        let networks = cells_of(&self.places.pod_networks);
        if !networks.is_empty() && networks.minus(&cells).is_empty() {
            inside.extend(&self.places.unplaced);
        }
        let mut outside: Vec<usize> = cells.iter().map(|cell| self.ranges.start + cell).collect();
        let version_4 = self
            .cells
            .ranges()
            .iter()
            .take_while(|cell| !cell.is_ipv6())
            .count();
        if UnitSet::up_to(version_4).minus(&cells).is_empty() {
            outside.extend(self.domains.clone());
        }
        Covered {
            inside: inside.into_iter().collect(),
            half: half.into_iter().collect(),
            outside: outside.into_iter().collect(),
        }
    }

    /// The ports of a group's pods behind a name.
    pub(super) fn named(&self, unit: usize, port: &NamedPort) -> PortSet {
        match self.samples.get(unit) {
            Some(pod) if !self.groups[unit].host_network => named_ports(pod, port),
            _ => PortSet::default(),
        }
    }
}

pub(super) fn selects_namespace(namespaces: &Namespaces, name: &Text, labels: &Labels) -> bool {
    match namespaces {
        Namespaces::One(wanted) => wanted == name,
        Namespaces::Where(expression) => expression.is_everything() || expression.matches(labels),
        Namespaces::OfNodes => false,
    }
}

pub(super) fn unique(namespace: &Text, workload: &Text, taken: &mut FxHashSet<Text>) -> Text {
    let base = format!("{namespace}/{workload}");
    let mut name = Text::new(&base);
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{base}~{number}").into();
    }
    name
}

/// The ports that containers of a pod give a name, those of sidecars too.
pub(super) fn named_ports(pod: &Pod, port: &NamedPort) -> PortSet {
    let ports = pod
        .spec
        .lasting_containers()
        .flat_map(|container| &container.ports);
    let meant = ports.filter(|known| {
        known.name == port.name && port.protocol.is_none_or(|protocol| protocol == known.protocol)
    });
    meant.fold(PortSet::default(), |set, known| {
        set.or(&PortSet::range(
            known.protocol,
            known.container_port,
            known.container_port,
        ))
    })
}

/// The addresses of a pod that the input names.
pub(super) fn addresses(pod: &Pod) -> Vec<IpAddr> {
    let listed = pod.status.pod_ips.iter().map(|ip| &ip.ip);
    let mut addresses: Vec<IpAddr> = listed
        .chain([&pod.status.pod_ip])
        .filter_map(|ip| ip.parse().ok())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The addresses of a node.
pub(super) fn node_addresses(node: &Node) -> Vec<IpAddr> {
    let addresses = node.status.addresses.iter();
    let mut addresses: Vec<IpAddr> = addresses.filter_map(|known| known.address.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Where pods live whose address is not in the input: the nodes' ranges for pods, else the private addresses.
fn pod_networks(cluster: &Cluster) -> Vec<Range> {
    let ranges = cluster
        .nodes
        .values()
        .filter_map(|node| cidr(&node.spec.pod_cidr).ok());
    let mut ranges: Vec<Range> = ranges.collect();
    if ranges.is_empty() {
        let private = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
        ranges.extend(private.iter().filter_map(|text| cidr(text).ok()));
    }
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}
