//! Pods to groups and nodes to classes: those that agree on everything policies look at.
//!
//! **Trap.** What is compared are tokens, so every token says of which kind it is by its place or a mark.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::address::Cells;
use super::attributes;
use super::mentions::Mentions;
use super::universe::{addresses, node_addresses};
use crate::model::{Cluster, Node, Pod, Protocol, Text};

/// Sorts pods and nodes into groups and classes.
pub(super) struct Grouping<'a, 'b> {
    cluster: &'a Cluster,
    mentions: &'b Mentions,
    cells: &'b Cells,
    namespaces: FxHashMap<&'b str, usize>,
    node_class: FxHashMap<&'a str, u32>,
    node_classes: Vec<Vec<&'a Node>>,
    found: Vec<Found>,
}

/// A group: pods that agree.
pub(super) struct Found {
    /// The number of their namespace.
    pub(super) namespace: usize,
    pub(super) host_network: bool,
    /// Their positions, ascending.
    pub(super) pods: Vec<usize>,
}

/// Marks in a pod's tokens, above every number of a mention or cell.
const PORT: u32 = 1 << 31;
const NO_ADDRESS: u32 = u32::MAX;

impl<'a, 'b> Grouping<'a, 'b> {
    /// Puts nodes into classes; `namespaces` are all there are, sorted.
    pub(super) fn new(
        cluster: &'a Cluster,
        mentions: &'b Mentions,
        cells: &'b Cells,
        namespaces: &'b [Text],
    ) -> Self {
        let namespaces = namespaces.iter().enumerate();
        let mut grouping = Self {
            cluster,
            mentions,
            cells,
            namespaces: namespaces.map(|(number, name)| (name.as_str(), number)).collect(),
            node_class: FxHashMap::default(),
            node_classes: Vec::new(),
            found: Vec::new(),
        };
        let mut classes = FxHashMap::<Vec<u32>, u32>::default();
        for node in cluster.nodes.values() {
            let mut tokens = Vec::new();
            Mentions::tokens(&mentions.node_keys, &node.meta.labels, &mut tokens);
            grouping.address_tokens(&node_addresses(node), &mut tokens);
            let next = u32::try_from(classes.len()).unwrap_or(u32::MAX);
            let class = *classes.entry(tokens).or_insert(next);
            if class == next {
                grouping.node_classes.push(Vec::new());
            }
            grouping.node_classes[class as usize].push(node);
            grouping.node_class.insert(node.meta.name.as_str(), class);
        }
        grouping
    }

    fn address_tokens(&self, addresses: &[IpAddr], tokens: &mut Vec<u32>) {
        if !self.mentions.blocks.is_empty() {
            let start = tokens.len();
            let cell = |address: &IpAddr| u32::try_from(self.cells.of(*address)).unwrap_or(NO_ADDRESS);
            tokens.extend(addresses.iter().map(cell));
            if addresses.is_empty() {
                tokens.push(NO_ADDRESS);
            }
            tokens[start..].sort_unstable();
        }
    }

    /// Returns the classes of nodes, and the groups of pods in the order of namespaces and first pods.
    pub(super) fn sorted(mut self) -> (Vec<Vec<&'a Node>>, Vec<Found>) {
        self.pods();
        self.found
            .sort_by(|a, b| (a.namespace, &a.pods).cmp(&(b.namespace, &b.pods)));
        (self.node_classes, self.found)
    }

    fn pods(&mut self) {
        let mut known = FxHashMap::<Box<[u32]>, usize>::default();
        let mut tokens = Vec::new();
        for (index, pod) in self.cluster.pods.values().enumerate() {
            if pod.has_ended() {
                continue;
            }
            let Some(&namespace) = self.namespaces.get(pod.meta.namespace.as_str()) else {
                continue;
            };
            tokens.clear();
            tokens.push(u32::try_from(namespace).unwrap_or(u32::MAX));
            self.tokens(pod, &mut tokens);
            if let Some(&at) = known.get(tokens.as_slice()) {
                self.found[at].pods.push(index);
            } else {
                known.insert(tokens.as_slice().into(), self.found.len());
                self.found.push(Found {
                    namespace,
                    host_network: pod.spec.is_host_network(),
                    pods: vec![index],
                });
            }
        }
    }

    fn tokens(&self, pod: &Pod, tokens: &mut Vec<u32>) {
        if pod.spec.is_host_network() {
            if let Some(class) = self.node_class.get(pod.spec.node_name.as_str()) {
                tokens.extend([1, *class]);
            } else {
                tokens.push(2);
                self.address_tokens(&addresses(pod), tokens);
            }
            return;
        }
        tokens.push(0);
        Mentions::tokens(&self.mentions.keys, &pod.meta.labels, tokens);
        for key in &self.mentions.attributes {
            if let Some(value) = attributes::of(self.cluster, pod, key)
                && let Some((other, values)) = self.mentions.keys.get(key)
            {
                tokens.push(*values.get(&value).unwrap_or(other));
            }
        }
        tokens.push(PORT);
        self.port_tokens(pod, tokens);
        tokens.push(PORT);
        self.address_tokens(&addresses(pod), tokens);
    }

    fn port_tokens(&self, pod: &Pod, tokens: &mut Vec<u32>) {
        if self.mentions.ports.is_empty() {
            return;
        }
        let mut named = Vec::new();
        for port in pod
            .spec
            .lasting_containers()
            .flat_map(|container| &container.ports)
        {
            if let Some(name) = self.mentions.ports.get(port.name.as_str()) {
                named.push((*name, protocol_number(port.protocol), port.container_port));
            }
        }
        named.sort_unstable();
        named.dedup();
        for (name, protocol, number) in named {
            tokens.extend([name, protocol << 16 | u32::from(number)]);
        }
    }
}

fn protocol_number(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::Tcp => 0,
        Protocol::Udp => 1,
        Protocol::Sctp => 2,
    }
}
