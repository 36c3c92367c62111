//! What policies look at: the labels, names of ports, addresses and domain names that any of them mentions.
//!
//! Everything else about a pod is ignored when pods are grouped; `pod-template-hash` and its like vanish here.
//!
//! **Trap.** A key that is mentioned with values counts with each of them and with "some other value".

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::address::Block;
use super::attributes;
use super::policy::{Peers, Policy, Tier};
use super::selector::{Expression, Namespaces};
use crate::model::{Labels, Text};

/// Keys and values, each with a number.
type Keys = FxHashMap<Text, (u32, FxHashMap<Text, u32>)>;

/// What policies look at in pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Mentions {
    /// Labels of pods, by key and value.
    pub(super) keys: Keys,
    /// Keys among these that are no labels, sorted.
    pub(super) attributes: Vec<Text>,
    /// Names of ports.
    pub(super) ports: FxHashMap<Text, u32>,
    /// Labels of nodes.
    pub(super) node_keys: Keys,
    /// Blocks of addresses, each once.
    pub(super) blocks: IndexSet<Block, FxBuildHasher>,
    /// Domain names, sorted, each once.
    pub(super) domains: Vec<Text>,
    next: u32,
}

impl Mentions {
    /// Everything that these tiers mention.
    pub(super) fn new(tiers: &[Tier]) -> Self {
        let mut mentions = Self::default();
        for policy in tiers.iter().flat_map(Tier::policies) {
            mentions.add(policy);
        }
        let keys = mentions.keys.keys().filter(|key| attributes::is_attribute(key));
        mentions.attributes = keys.cloned().collect();
        mentions.attributes.sort_unstable();
        mentions.domains.sort();
        mentions.domains.dedup();
        mentions
    }

    /// Whether pods of one group agree on these values of a key; on its presence, if there are none.
    pub(super) fn knows(&self, key: &str, values: &[Text]) -> bool {
        let known = self.keys.get(key).map(|(_, known)| known);
        known.is_some_and(|known| values.iter().all(|value| known.contains_key(value)))
    }

    /// Whether pods of one group agree on a condition.
    pub(super) fn settles(&self, expression: &Expression) -> bool {
        let mut settled = true;
        expression.mentions(&mut |key, values| settled &= self.knows(key, values));
        settled
    }

    fn add(&mut self, policy: &Policy) {
        for subject in &policy.subjects {
            self.labels(&subject.pods, subject.namespaces == Namespaces::OfNodes);
        }
        for rule in policy.rules.iter().flatten() {
            self.peers(&rule.peers);
            if let Some(own) = &rule.own {
                self.peers(own);
            }
            for port in rule.ports.names.iter().chain(&rule.ports.except_names) {
                let next = &mut self.next;
                self.ports.entry(port.name.clone()).or_insert_with(|| {
                    *next += 1;
                    *next
                });
            }
        }
    }

    fn peers(&mut self, peers: &Peers) {
        for pods in &peers.pods {
            self.labels(&pods.pods, false);
        }
        for nodes in &peers.nodes {
            self.labels(nodes, true);
        }
        self.blocks
            .extend(peers.blocks.iter().chain(&peers.within).cloned());
        self.domains.extend(peers.domains.iter().cloned());
        if let Some(without) = &peers.without {
            self.peers(without);
        }
    }

    fn labels(&mut self, expression: &Expression, of_nodes: bool) {
        let keys = if of_nodes {
            &mut self.node_keys
        } else {
            &mut self.keys
        };
        let next = &mut self.next;
        let mut fresh = || {
            *next += 1;
            *next
        };
        expression.mentions(&mut |key, values| {
            if !keys.contains_key(key) {
                keys.insert(key.clone(), (fresh(), FxHashMap::default()));
            }
            if let Some((_, known)) = keys.get_mut(key) {
                for value in values {
                    known.entry(value.clone()).or_insert_with(&mut fresh);
                }
            }
        });
    }

    /// Adds the numbers of the pairs that are mentioned; of a key alone where its value is not.
    pub(super) fn tokens(keys: &Keys, labels: &Labels, tokens: &mut Vec<u32>) {
        if keys.is_empty() {
            return;
        }
        for (key, value) in labels.iter() {
            if let Some((key, values)) = keys.get(key.as_str()) {
                tokens.push(*values.get(value.as_str()).unwrap_or(key));
            }
        }
    }
}
