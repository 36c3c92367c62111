//! PeerAuthentication: where only senders of the mesh connect, because everyone must prove an identity.
//!
//! The nearest policy with a mode counts: one that selects the pod, else its namespace's, else the mesh's.
//!
//! **Trap.** A gateway takes connections from outside as its Gateway says, whatever is asked of pods.
//! Source: <https://istio.io/latest/docs/reference/config/security/peer_authentication/>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Action, NO_MESH, ROOT, Reader, of_kind, tcp};
use crate::model::{Diagnostic, LabelSelector, Meta, NAMESPACE_NAME, ObjectId, Protocol, Text};
use crate::network::attributes::{MESH, NAMESPACE};
use crate::network::gap::{Effect, Gap, Gaps};
use crate::network::mesh::GATEWAY;
use crate::network::policy::{Peers, Policy, PolicyRule};
use crate::network::ports::PortSet;
use crate::network::problems::Problems;
use crate::network::selector::{Expression, Namespaces, PodSelector};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    selector: Option<LabelSelector>,
    mtls: Mode,
    port_level_mtls: BTreeMap<Text, Mode>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mode {
    mode: Text,
}

impl Mode {
    fn is_set(&self) -> bool {
        !(self.mode.is_empty() || self.mode == "UNSET")
    }
}

/// A policy with its place.
struct Known<'a> {
    id: &'a ObjectId,
    meta: &'a Meta,
    spec: Spec,
}

impl Known<'_> {
    fn selects(&self) -> Option<Expression> {
        let selector = self
            .spec
            .selector
            .as_ref()
            .filter(|selector| !selector.is_empty());
        selector.map(Expression::from)
    }

    /// The ports on which everyone must prove an identity.
    fn ports(&self) -> PortSet {
        let every = PortSet::protocol(Protocol::Tcp);
        let mut ports = if self.spec.mtls.mode == "STRICT" {
            every
        } else {
            PortSet::default()
        };
        for (port, mode) in &self.spec.port_level_mtls {
            let Ok(port) = port.parse::<u16>() else { continue };
            let one = PortSet::range(Protocol::Tcp, port, port);
            ports = match mode.mode.as_str() {
                "STRICT" => ports.or(&one),
                "PERMISSIVE" | "DISABLE" => ports.minus(&one),
                _ => ports,
            };
        }
        ports
    }
}

/// Rules that deny senders outside the mesh.
pub(super) fn strict(reader: &Reader<'_>, gaps: &mut Vec<Gap>, found: &mut Vec<Diagnostic>) -> Vec<Policy> {
    let mut known = Vec::new();
    for (id, other) in of_kind(reader.cluster, "PeerAuthentication") {
        match other
            .spec
            .as_ref()
            .map_or_else(|| Ok(Spec::default()), Spec::deserialize)
        {
            Ok(spec) => known.push(Known {
                id,
                meta: &other.meta,
                spec,
            }),
            Err(wrong) => {
                let meta = &other.meta;
                let mut problems = Problems { id, meta, found };
                problems.invalid("/spec", wrong, "it is left out; correct it");
            }
        }
    }
    let mut policies = Vec::new();
    for policy in &known {
        let subjects = subjects(reader, policy, &known);
        let mut own = Gaps::default();
        if policy.spec.mtls.mode == "DISABLE" {
            own.add("/spec/mtls/mode", "mode DISABLE", Effect::Noted);
        }
        gaps.extend(own.of(policy.id, policy.meta, &subjects));
        let ports = policy.ports();
        if !ports.is_empty() {
            policies.push(Policy {
                id: policy.id.clone(),
                subjects,
                isolates: [false; 2],
                rules: [vec![rule(reader, ports)], Vec::new()],
            });
        }
    }
    policies
}

fn rule(reader: &Reader<'_>, ports: PortSet) -> PolicyRule {
    let peers = if reader.is_shown {
        let outside = Expression::Not(Box::new(Expression::Has(MESH.into())));
        // A controller that the input does not hold has no namespace, and perhaps takes part.
        let is_known = Expression::Has(NAMESPACE.into());
        Peers {
            pods: vec![PodSelector {
                namespaces: Namespaces::Where(Expression::EVERYTHING),
                pods: Expression::All(vec![outside, is_known]),
            }],
            nodes: vec![Expression::EVERYTHING],
            world: true,
            ..Peers::default()
        }
    } else {
        Peers {
            unsure: Some(NO_MESH),
            ..Peers::everyone()
        }
    };
    PolicyRule {
        own: None,
        action: Action::Deny,
        peers,
        ports: tcp(ports),
        pointer: "/spec/mtls".into(),
    }
}

/// The pods for which no nearer policy says otherwise.
fn subjects(reader: &Reader<'_>, policy: &Known<'_>, known: &[Known<'_>]) -> Vec<PodSelector> {
    let gateway = Expression::In(MESH.into(), vec![GATEWAY.into()]);
    let takes_part = || vec![reader.in_mesh(), Expression::Not(Box::new(gateway.clone()))];
    let own = &policy.id.namespace;
    let select = |namespaces, more: Vec<Expression>| PodSelector {
        namespaces,
        pods: Expression::All([takes_part(), more].concat()),
    };
    if let Some(pods) = policy.selects() {
        return vec![select(Namespaces::One(own.clone()), vec![pods])];
    }
    let set = |other: &&Known<'_>| other.spec.mtls.is_set();
    let nearer = |namespace: &Text| -> Vec<Expression> {
        let of_pods = known
            .iter()
            .filter(set)
            .filter(|other| other.id.namespace == *namespace);
        let of_pods = of_pods.filter_map(Known::selects);
        of_pods.map(|pods| Expression::Not(Box::new(pods))).collect()
    };
    if own != ROOT {
        return vec![select(Namespaces::One(own.clone()), nearer(own))];
    }
    let by_namespace = |selects: bool| {
        let meant = known
            .iter()
            .filter(set)
            .filter(move |other| other.selects().is_some() == selects);
        let mut names: Vec<Text> = meant.map(|other| other.id.namespace.clone()).collect();
        names.sort();
        names.dedup();
        names
    };
    let (whole, partly) = (by_namespace(false), by_namespace(true));
    let mut others: Vec<Text> = whole
        .iter()
        .filter(|name| *name != ROOT)
        .chain(&partly)
        .cloned()
        .collect();
    others.sort();
    others.dedup();
    let elsewhere = Expression::In(NAMESPACE_NAME.into(), others);
    let elsewhere = Namespaces::Where(Expression::Not(Box::new(elsewhere)));
    let partly = partly
        .iter()
        .filter(|name| *name == ROOT || !whole.contains(name));
    let partly = partly.map(|name| select(Namespaces::One(name.clone()), nearer(name)));
    std::iter::once(select(elsewhere, Vec::new()))
        .chain(partly)
        .collect()
}
