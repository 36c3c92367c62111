//! Rights over pods by their name.
//!
//! **Trap.** A stand-in is called like its workload, and no pod is: its controller chooses their names. Those of a
//! StatefulSet alone are known before they run, its name with a number.
//! Source: <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id>

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::pods::{PodView, pod};
use super::{Certainty, Context, Position};
use crate::model::{Cluster, Text};
use crate::rbac::Power;

/// The grants of a power over pods by name: by the pod's position, each with how sure it is that the pod is called so.
pub(super) type ByName = BTreeMap<usize, Vec<(Position, Certainty)>>;

/// Collects the grants of a power over pods by name.
///
/// # Complexity
/// Linear in names, and in stand-ins if there is a name.
pub(super) fn by_name(context: &Context<'_>, power: &'static Power) -> ByName {
    let mut found = ByName::new();
    let mut names = context.held.names(power).peekable();
    if names.peek().is_none() {
        return found;
    }
    let sets = sets(context.cluster);
    for (namespace, name, grant) in names {
        for place in context.held.places(namespace) {
            if let Some((pod, certainty)) = meant(context.cluster, &sets, place, name) {
                let grants = found.entry(pod).or_default();
                grants.push((grant.clone(), certainty));
            }
        }
    }
    found
}

/// The grants of a power that reach a pod, in its namespace or by its name.
pub(super) fn over(
    context: &Context<'_>,
    power: &'static Power,
    by_name: &ByName,
    pod: &PodView<'_>,
) -> Vec<(Position, Certainty)> {
    let wide = context.held.within(power, &pod.place.namespace);
    let wide = wide.map(|grant| (grant, Certainty::Certain)).into_iter();
    let named = by_name.get(&pod.index).into_iter().flatten().cloned();
    wide.chain(named).collect()
}

/// The stand-ins of StatefulSets, by namespace and name of the set.
type Sets<'a> = FxHashMap<(&'a Text, &'a Text), usize>;

fn sets(cluster: &Cluster) -> Sets<'_> {
    let stand_ins = cluster.stand_ins.iter();
    let pods = stand_ins.filter_map(|id| {
        let index = cluster.pods.index_of("Pod", &id.namespace, &id.name)?;
        let (id, pod) = cluster.pods.at(index)?;
        let set = pod
            .meta
            .controller()
            .filter(|owner| owner.kind == "StatefulSet")?;
        Some(((&id.namespace, &set.name), index))
    });
    pods.collect()
}

fn meant(cluster: &Cluster, sets: &Sets<'_>, namespace: &Text, name: &Text) -> Option<(usize, Certainty)> {
    let index = cluster.pods.index_of("Pod", namespace, name);
    if let Some(pod) = index.and_then(|index| pod(cluster, index))
        && !pod.is_stand_in()
    {
        return Some((pod.index, Certainty::Certain));
    }
    let (set, number) = name.rsplit_once('-')?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let &index = sets.get(&(namespace, &Text::new(set)))?;
    let doubt = format!("the StatefulSet {set} has a pod of number {number}");
    Some((index, Certainty::Conditional(doubt.into())))
}
