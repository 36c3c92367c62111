//! The operators among the pods, and what each of them manages.
//!
//! **Trap.** An operator that is told to watch its own namespace manages nothing elsewhere, whatever its account may do.

use std::collections::BTreeMap;

use super::contract::Managed;
use super::family::repository;
use super::variables;
use crate::model::{Cluster, Container, ObjectId, Text};

/// A container of an operator and what it manages.
#[derive(Clone, Debug)]
pub struct Manager {
    /// The position of its pod in [`Cluster::pods`].
    pub pod: usize,
    /// The container.
    pub container: Text,
    /// The resources of its kinds.
    pub resources: Vec<ObjectId>,
    /// The namespaces it watches, none for all, as far as its variables and options say.
    pub watches: Option<Vec<Text>>,
}

impl Manager {
    /// Whether it manages what is in a namespace; none if nobody says.
    pub fn manages(&self, namespace: &Text) -> Option<bool> {
        let watched = self.watches.as_ref()?;
        Some(watched.is_empty() || watched.contains(namespace))
    }
}

/// Variables by which operators are told which namespaces to watch.
const WATCHES: &[&str] = &[
    "WATCH_NAMESPACE",
    "WATCH_NAMESPACES",
    "WATCHED_NAMESPACE",
    "OPERATOR_SCOPE_NAMESPACE",
    "PGO_TARGET_NAMESPACE",
    "PGO_TARGET_NAMESPACES",
    "STRIMZI_NAMESPACE",
    "NAMESPACES",
];

/// The namespaces that an operator's container is told to watch; none if it is not told, none in it for all.
fn watched(cluster: &Cluster, namespace: &Text, container: &Container) -> Option<Vec<Text>> {
    let of_field = container.env.iter().find(|variable| {
        let from = variable
            .value_from
            .as_ref()
            .and_then(|from| from.field_ref.as_ref());
        let is_own = from.is_some_and(|field| field.field_path == "metadata.namespace");
        is_own && WATCHES.iter().any(|name| variable.name == *name)
    });
    if of_field.is_some() {
        return Some(vec![namespace.clone()]);
    }
    let variables = variables(cluster, namespace, container);
    let told = WATCHES.iter().find_map(|name| variables.get(*name));
    let words = [container.command.words(), container.args.words()].concat();
    let option = || {
        words.iter().find_map(|word| {
            let (option, value) = word.text.split_once('=')?;
            matches!(
                option,
                "--namespaces" | "--watch-namespace" | "--watch-namespaces"
            )
            .then_some(value)
        })
    };
    let value = match told {
        Some(variable) => variable.value.as_ref()?.text.as_str(),
        None => option()?,
    };
    if value.trim() == "*" {
        return Some(Vec::new());
    }
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(Text::new).collect())
}

/// Returns the operators among the pods that manage a resource of the input.
///
/// # Complexity
/// Linear in containers and resources.
pub fn managers(cluster: &Cluster) -> Vec<Manager> {
    let mut kinds = BTreeMap::<&str, Vec<ObjectId>>::new();
    let managed = cluster.others.iter().filter_map(|(id, one)| Managed::of(id, one));
    for one in managed {
        for image in &one.contract.images {
            kinds.entry(image).or_default().push(one.id.clone());
        }
    }
    if kinds.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, pod) in cluster
        .pods
        .values()
        .enumerate()
        .filter(|(_, pod)| !pod.has_ended())
    {
        for container in pod.spec.lasting_containers() {
            let repository = repository(&container.image);
            let mut starts = repository.rmatch_indices('/').map(|(at, _)| at + 1);
            let (last, two) = (starts.next().unwrap_or(0), starts.next().unwrap_or(0));
            let resources = kinds
                .get(&repository[last..])
                .or_else(|| kinds.get(&repository[two..]));
            if let Some(resources) = resources {
                found.push(Manager {
                    pod: index,
                    container: container.name.clone(),
                    resources: resources.clone(),
                    watches: watched(cluster, &pod.meta.namespace, container),
                });
            }
        }
    }
    found
}
