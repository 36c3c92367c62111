//! Which credentials are passwords of datastores because they are the same as one that is known to be.
//!
//! **Trap.** Only inputs that the user had compared carry numbers, see `collect::matching`; elsewhere nothing is alike.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::datastore::place;
use super::{Certainty, Context, Place};
use crate::datastores::{Datastore, Origin, Password, Presence};
use crate::model::{Literal, PodSpec, Text};

/// A password of a datastore.
pub(super) struct Known {
    /// The datastore.
    pub(super) opens: Place,
    /// How sure that is.
    pub(super) certainty: Certainty,
    /// Where the password stands, in words.
    pub(super) stands: Text,
}

/// The passwords of datastores by the number of their value.
#[derive(Default)]
pub(super) struct Alike(BTreeMap<NonZeroU32, Vec<Known>>);

impl Alike {
    /// Builds the index, which is empty unless the user had credentials compared.
    pub(super) fn new(context: &Context<'_>) -> Self {
        let mut alike = Self::default();
        for datastore in context.datastores {
            for password in &datastore.passwords {
                alike.add(context, datastore, password);
            }
        }
        alike
    }

    fn add(&mut self, context: &Context<'_>, datastore: &Datastore, password: &Password) {
        let cluster = context.cluster;
        let Some(namespace) = password.fact.namespace(cluster) else {
            return;
        };
        let pod = || password.fact.pod().and_then(|at| cluster.pods.at(at));
        let number = match &password.origin {
            Origin::Secret(name, key) => {
                let secret = cluster.secret(namespace, name);
                secret.and_then(|secret| secret.alike.get(key).copied())
            }
            Origin::ConfigMap(name, key) => {
                let map = cluster.config_map(namespace, name);
                map.and_then(|map| map.data.0.get(key)?.alike)
            }
            Origin::Inline => pod().and_then(|(_, pod)| written(&pod.spec, &password.fact.pointer)?.alike),
        };
        let Some(number) = number else {
            return;
        };
        let stands = match &password.origin {
            Origin::Secret(name, key) => format!("{key} of Secret/{namespace}/{name}"),
            Origin::ConfigMap(name, key) => format!("{key} of ConfigMap/{namespace}/{name}"),
            Origin::Inline => {
                let workload = pod().map(|(_, pod)| cluster.workload_of(pod).to_string());
                format!("{} of {}", password.name, workload.unwrap_or_default())
            }
        };
        let opens = place(datastore);
        let known = self.0.entry(number).or_default();
        if known.iter().all(|known| known.opens != opens) {
            known.push(Known {
                opens,
                certainty: certainty(password),
                stands: stands.into(),
            });
        }
    }

    /// The passwords of datastores that a credential of this number is.
    pub(super) fn of(&self, number: Option<NonZeroU32>) -> impl Iterator<Item = &Known> {
        number
            .and_then(|number| self.0.get(&number))
            .into_iter()
            .flatten()
    }

    /// Whether nothing is alike.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How sure it is that a password stands where it is looked for.
pub(super) fn certainty(password: &Password) -> Certainty {
    match &password.presence {
        Presence::Seen => Certainty::Certain,
        Presence::Made => Certainty::Assumed,
        Presence::Depends(condition) => Certainty::Conditional(condition.clone()),
    }
}

/// What is written at a pointer within a pod's spec: `/containers/0/env/1/value`, `/containers/0/args/2`.
fn written<'a>(spec: &'a PodSpec, pointer: &str) -> Option<&'a Literal> {
    let mut parts = pointer.split('/').skip(1);
    let list = match parts.next()? {
        "containers" => &spec.containers,
        "initContainers" => &spec.init_containers,
        _ => &spec.ephemeral_containers,
    };
    let container = list.get(parts.next()?.parse::<usize>().ok()?)?;
    let field = parts.next()?;
    let at = parts.next()?.parse::<usize>().ok()?;
    match field {
        "env" => container.env.get(at)?.value.as_ref(),
        "command" => container.command.words().get(at),
        _ => container.args.words().get(at),
    }
}
