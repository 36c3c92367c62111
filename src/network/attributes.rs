//! What policies ask of pods besides labels, as if it were labels with keys that no label can have.
//!
//! **Trap.** A key here begins with a character that the API forbids in labels, so that no pod can forge one.

use super::mesh;
use crate::model::{Cluster, Labels, NAMESPACE_NAME, Pod, Text};

/// How the keys of attributes begin.
const MARK: char = '\u{0}';

/// The name of a pod's service account.
pub(super) const SERVICE_ACCOUNT: &str = "\u{0}serviceAccountName";
/// The name of a pod's namespace.
pub(super) const NAMESPACE: &str = "\u{0}namespace";
/// How a pod takes part in Istio's mesh; pods outside have none.
pub(super) const MESH: &str = "\u{0}mesh";
/// The identity that a pod has in a mesh, without the trust domain: `ns/shop/sa/web`.
pub(super) const IDENTITY: &str = "\u{0}identity";
/// A label of a pod's service account, by its key after this.
pub(super) const ACCOUNT_LABEL: &str = "\u{0}serviceAccount/";
/// A label of a pod's namespace, by its key after this.
pub(super) const NAMESPACE_LABEL: &str = "\u{0}namespace/";

/// Whether a key is one of an attribute.
pub(super) fn is_attribute(key: &str) -> bool {
    key.starts_with(MARK)
}

/// What a pod has of an attribute.
pub(super) fn of(cluster: &Cluster, pod: &Pod, key: &str) -> Option<Text> {
    let namespace = &pod.meta.namespace;
    match key {
        SERVICE_ACCOUNT => Some(pod.spec.account()),
        NAMESPACE => Some(namespace.clone()),
        MESH => mesh::mode(cluster, pod).map(Text::new),
        IDENTITY => Some(identity(pod)),
        _ => {
            if let Some(label) = key.strip_prefix(ACCOUNT_LABEL) {
                let account = cluster.service_account(namespace, &pod.spec.account())?;
                return account.meta.labels.get(label).cloned();
            }
            let label = key.strip_prefix(NAMESPACE_LABEL)?;
            if label == NAMESPACE_NAME {
                return Some(namespace.clone());
            }
            let known = cluster.namespace(namespace)?;
            known.meta.labels.get(label).cloned()
        }
    }
}

/// The identity of a pod in a mesh, without the trust domain.
///
/// Source: <https://istio.io/latest/docs/concepts/security/#istio-identity>
pub(super) fn identity(pod: &Pod) -> Text {
    format!("ns/{}/sa/{}", pod.meta.namespace, pod.spec.account()).into()
}

/// The labels of a pod with these attributes.
pub(super) fn with_labels(cluster: &Cluster, pod: &Pod, keys: &[Text]) -> Labels {
    let mut labels = pod.meta.labels.clone();
    for key in keys {
        if let Some(value) = of(cluster, pod, key) {
            labels = labels.with(key, &value);
        }
    }
    labels
}
