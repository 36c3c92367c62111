//! Reading clusters: files, dumps and snapshots to `(Cluster, Vec<Diagnostic>)`.
//!
//! Reading never fails whole: what cannot be read costs that document and gives a diagnostic.
//!
//! **Trap.** Input is hostile. Every limit has a name, a test and a diagnostic that says which one was hit.

pub mod bootstrap;
pub mod snapshot;

use crate::model::{Cluster, Diagnostic, KindInfo, Object};

/// Reads manifests from text.
pub fn read_text(_file: &str, text: &str, default_namespace: &str) -> (Cluster, Vec<Diagnostic>) {
    let mut cluster = Cluster::default();
    for document in serde_saphyr::from_multiple::<serde_json::Value>(text).unwrap_or_default() {
        let items = match document.get("items").and_then(|items| items.as_array()) {
            Some(items) => items.clone(),
            None => vec![document],
        };
        for item in items {
            let text = |key: &str| {
                item.get(key)
                    .and_then(|v| v.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let (version, kind) = (text("apiVersion"), text("kind"));
            let group = version.split_once('/').map_or("", |(group, _)| group);
            let other = KindInfo {
                group: "",
                kind: "",
                resource: "",
                namespaced: true,
            };
            let info = KindInfo::find(group, &kind).unwrap_or(&other);
            if let Ok(mut object) = Object::read(info, item) {
                if info.namespaced && object.meta().namespace.is_empty() {
                    object.meta_mut().namespace = default_namespace.into();
                }
                cluster.insert(&kind, object);
            }
        }
    }
    let diagnostics = cluster.add_stand_ins();
    cluster.sort();
    (cluster, diagnostics)
}
