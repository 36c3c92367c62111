//! What listens at the loopback address alone: only processes of the same network reach it.
//!
//! **Trap.** A pod in its node's network shares the loopback address with the node and with every other such pod there, and
//! no policy sees those packets; the containers of any other pod share one among themselves.
//! Source: <https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline>

use std::collections::BTreeSet;

use super::api_server::loopback_servers;
use super::pods::{PodView, pod};
use super::structure::local_host;
use super::{Certainty, Context, Position};
use crate::datastores::{Datastore, Door};
use crate::model::Text;

/// The pods of a datastore that listens at the loopback address alone; none of one that listens elsewhere.
fn hidden<'a>(context: &'a Context<'_>, datastore: &'a Datastore) -> impl Iterator<Item = PodView<'a>> {
    let hidden = datastore.ports.is_empty() && datastore.elsewhere.is_none();
    let pods = datastore.pods.iter().filter(move |_| hidden);
    pods.filter_map(|&index| pod(context.cluster, index))
}

/// Who reaches a datastore at the loopback address: the other containers of its pod, and the node's network if the pod is
/// in it.
pub(super) fn ways(context: &Context<'_>, datastore: &Datastore) -> Vec<(Position, Certainty)> {
    let mut found = Vec::new();
    for pod in hidden(context, datastore) {
        let others = pod
            .containers()
            .filter(|container| container.is_lasting() && container.container.name != datastore.container);
        found.extend(others.map(|container| container.position()));
        found.extend(node(&pod).map(local_host));
    }
    found.into_iter().map(|way| (way, Certainty::Certain)).collect()
}

/// The node whose network a pod is in.
pub(super) fn node<'a>(pod: &PodView<'a>) -> Option<&'a Text> {
    let node = &pod.pod.spec.node_name;
    (pod.pod.spec.is_host_network() && !node.is_empty()).then_some(node)
}

/// The nodes at whose loopback address something listens that asks for nothing.
pub(super) fn nodes(context: &Context<'_>) -> BTreeSet<Text> {
    let open = |datastore: &&Datastore| matches!(datastore.door, Door::Open(..));
    let datastores = context.datastores.iter().filter(open);
    let datastores = datastores.flat_map(|datastore| hidden(context, datastore));
    let mut found: BTreeSet<Text> = datastores.filter_map(|pod| node(&pod).cloned()).collect();
    found.extend(loopback_servers(context).into_keys());
    found
}
