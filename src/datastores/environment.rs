//! The variables a container gets, wherever each comes from.
//!
//! **Trap.** `env` wins over `envFrom`, and of several `envFrom` the last one wins. A Secret's keys are known
//! only if the Secret is in the input.
//! Source: <https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/>

use std::collections::BTreeMap;

use crate::model::{Cluster, Container, Literal, Text};

/// Where a variable's value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In the container's own spec.
    Inline,
    /// In a key of a Secret of the pod's namespace.
    Secret(Text, Text),
    /// In a key of a ConfigMap of the pod's namespace.
    ConfigMap(Text, Text),
}

/// One variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name in the container.
    pub name: Text,
    /// Where its value stands.
    pub origin: Origin,
    /// The value as far as it may be shown; unset for Secrets and absent ConfigMaps.
    pub value: Option<Literal>,
    /// JSON pointer within the container: `/env/0`.
    pub pointer: Text,
}

/// Returns the variables of a container by name.
pub fn variables(cluster: &Cluster, namespace: &str, container: &Container) -> BTreeMap<Text, Variable> {
    let mut found = BTreeMap::new();
    let mut add = |name: Text, origin, value, pointer: &str| {
        let pointer = Text::new(pointer);
        found.insert(
            name.clone(),
            Variable {
                name,
                origin,
                value,
                pointer,
            },
        );
    };
    for (at, from) in container.env_from.iter().enumerate() {
        let name = |key: &Text| Text::from(format!("{}{key}", from.prefix));
        if let Some(map) = &from.config_map_ref {
            let settings = cluster.config_map(namespace, &map.name);
            for (key, value) in settings.iter().flat_map(|map| &map.data.0) {
                let origin = Origin::ConfigMap(map.name.clone(), key.clone());
                let pointer = format!("/envFrom/{at}/configMapRef/name");
                add(name(key), origin, Some(value.clone()), &pointer);
            }
        }
        if let Some(secret) = &from.secret_ref {
            let keys = cluster.secret(namespace, &secret.name);
            for key in keys.iter().flat_map(|secret| secret.keys()) {
                let origin = Origin::Secret(secret.name.clone(), key.clone());
                let pointer = format!("/envFrom/{at}/secretRef/name");
                add(name(key), origin, None, &pointer);
            }
        }
    }
    for (at, variable) in container.env.iter().enumerate() {
        let from = variable.value_from.as_ref();
        let secret = from.and_then(|from| from.secret_key_ref.as_ref());
        let map = from.and_then(|from| from.config_map_key_ref.as_ref());
        let (origin, value, field) = match (secret, map) {
            (Some(key), _) => (
                Origin::Secret(key.name.clone(), key.key.clone()),
                None,
                "/valueFrom/secretKeyRef/key",
            ),
            (None, Some(key)) => {
                let map = cluster.config_map(namespace, &key.name);
                let value = map.and_then(|map| map.data.0.get(&key.key)).cloned();
                let origin = Origin::ConfigMap(key.name.clone(), key.key.clone());
                (origin, value, "/valueFrom/configMapKeyRef/key")
            }
            (None, None) => (Origin::Inline, variable.value.clone(), "/value"),
        };
        add(variable.name.clone(), origin, value, &format!("/env/{at}{field}"));
    }
    resolve(&mut found);
    found
}

/// Puts variables that are only a reference to another one, `$(NAME)`, in its place.
fn resolve(found: &mut BTreeMap<Text, Variable>) {
    let referred = |found: &BTreeMap<Text, Variable>, variable: &Variable| {
        let text = variable.value.as_ref()?.text.clone();
        let name = text.strip_prefix("$(")?.strip_suffix(')')?;
        let target = found.get(name)?;
        Some((target.origin.clone(), target.value.clone()))
    };
    let names: Vec<Text> = found.keys().cloned().collect();
    for name in names {
        if let Some((origin, value)) = found.get(&name).and_then(|variable| referred(found, variable))
            && let Some(variable) = found.get_mut(&name)
        {
            variable.origin = origin;
            variable.value = value;
        }
    }
}
