//! Manifests written as they look in the API, turned into `k8s-openapi`'s types.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::prng::Prng;

/// When everything in the cluster was made.
pub(crate) const CREATED: &str = "2026-03-02T08:14:05Z";

/// Returns the typed object of a manifest; in debug builds also checks that no field of it was misspelt.
pub(crate) fn typed<T: DeserializeOwned + Serialize>(manifest: Value) -> T {
    let check = cfg!(debug_assertions).then(|| manifest.clone());
    let object: T = serde_json::from_value(manifest).expect("the generator's manifests have the API's types");
    if let Some(manifest) = check {
        let back = serde_json::to_value(&object).expect("objects serialize");
        assert_eq!(
            without_empty(back),
            without_empty(manifest),
            "a field is not one of the API"
        );
    }
    object
}

/// Drops what serializing leaves out or fills in: nulls, empty maps and lists, apiVersion and kind.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(
                kept.filter(|(key, value)| key != "apiVersion" && key != "kind" && !is_empty(value))
                    .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The metadata of an object as the API server would return it; an empty namespace is cluster-scoped.
pub(crate) fn metadata(namespace: &str, name: &str, labels: &Value, rng: &mut Prng) -> Value {
    let mut metadata = json!({
        "name": name,
        "labels": labels,
        "uid": rng.uid(),
        "resourceVersion": rng.below(90_000_000).to_string(),
        "creationTimestamp": CREATED,
    });
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    metadata
}

/// The labels of a workload and of everything around it.
pub(crate) fn labels(app: &str) -> Value {
    json!({ "app.kubernetes.io/name": app, "app.kubernetes.io/managed-by": "Helm" })
}

/// The labels that select a workload's pods.
pub(crate) fn selector(app: &str) -> Value {
    json!({ "app.kubernetes.io/name": app })
}
