//! Policies of every kind in one form: tiers of policies, each with a subject and rules for two directions.
//!
//! Readers (`kubernetes`, `admin`) turn the API's objects into this form; `rule` gives selectors their units.
//!
//! **Trap.** What cannot be understood fails closed: a rule that allows then matches nothing, one that denies
//! or passes on matches everyone.

use std::fmt;

use super::address::Block;
use super::ports::PortSet;
use super::selector::{Expression, PodSelector};
use crate::model::{ObjectId, Protocol, Text};

/// The two directions of traffic, seen from the pod a policy applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the pod.
    Ingress,
    /// From the pod.
    Egress,
}

impl Direction {
    /// Both directions.
    pub const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    /// The word, as JSON pointers spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a rule does with traffic that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lets it through, whatever else is said in this direction.
    Allow,
    /// Stops it.
    Deny,
    /// Leaves it to the next tier.
    Pass,
}

/// The other side of a rule's traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Peers {
    /// Everything, in the cluster and outside.
    pub(super) everyone: bool,
    /// Pods.
    pub(super) pods: Vec<PodSelector>,
    /// Addresses.
    pub(super) blocks: Vec<Block>,
    /// Nodes, by their labels.
    pub(super) nodes: Vec<Expression>,
    /// Everything outside the cluster.
    pub(super) world: bool,
    /// Names that are looked up when traffic flows, `*.example.com` among them.
    pub(super) domains: Vec<Text>,
    /// Only as far as they are in each of these too.
    pub(super) within: Vec<Block>,
    /// Only as far as they are not among these.
    pub(super) without: Option<Box<Self>>,
    /// Whether only some of their packets match, as the sender chooses: those from certain ports.
    pub(super) partly: bool,
    /// Why it is not known whether a packet of such a peer matches; none where it surely does.
    pub(super) unsure: Option<&'static str>,
}

impl Peers {
    /// Everything.
    pub(super) fn everyone() -> Self {
        Self {
            everyone: true,
            ..Self::default()
        }
    }
}

/// A port by the name that a container of the destination gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct NamedPort {
    pub(super) name: Text,
    /// The protocol it must have; any if unset.
    pub(super) protocol: Option<Protocol>,
}

/// The destination's ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) numbers: PortSet,
    pub(super) names: Vec<NamedPort>,
    /// What is left out of these; of `numbers` it is already.
    pub(super) except: PortSet,
    /// Names whose ports are left out.
    pub(super) except_names: Vec<NamedPort>,
}

impl Ports {
    /// Every port of every protocol.
    pub(super) fn all() -> Self {
        Self {
            numbers: PortSet::all(),
            ..Self::default()
        }
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct PolicyRule {
    pub(super) action: Action,
    /// What the subject must be besides, in kinds of policies whose rules say so.
    pub(super) own: Option<Peers>,
    pub(super) peers: Peers,
    pub(super) ports: Ports,
    /// Where it stands in its policy: `/spec/ingress/0`.
    pub(super) pointer: Text,
}

/// One policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) id: ObjectId,
    /// The pods it applies to: those that any of these selects.
    pub(super) subjects: Vec<PodSelector>,
    /// For ingress and egress: whether its subjects are isolated.
    pub(super) isolates: [bool; 2],
    /// For ingress and egress: the rules, in order.
    pub(super) rules: [Vec<PolicyRule>; 2],
}

/// How policies of one part of a tier work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The first rule that matches decides.
    FirstMatch,
    /// Any rule that matches allows; there are no others.
    Union,
}

/// Policies that are looked at together.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) order: Order,
    pub(super) policies: Vec<Policy>,
}

/// A tier: what no rule of it decides ends at a pod that it isolates, and goes on to the next tier otherwise.
#[derive(Clone, Debug)]
pub(super) struct Tier {
    pub(super) name: Text,
    pub(super) parts: Vec<Part>,
}

impl Tier {
    /// A tier of one part.
    pub(super) fn new(name: &str, order: Order, policies: Vec<Policy>) -> Self {
        Self {
            name: name.into(),
            parts: vec![Part { order, policies }],
        }
    }

    /// Every policy of the tier.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.parts.iter().flat_map(|part| &part.policies)
    }
}
