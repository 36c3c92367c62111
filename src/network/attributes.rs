//! What policies ask of pods besides labels, as if it were labels with keys that no label can have.
//!
//! **Trap.** A key here begins with a character that the API forbids in labels, so that no pod can forge one.

use crate::model::{Cluster, Labels, Pod, Text};

/// How the keys of attributes begin.
const MARK: char = '\u{0}';

/// The key of the name of a pod's service account.
pub(super) const SERVICE_ACCOUNT: &str = "\u{0}serviceAccountName";

/// Whether a key is one of an attribute.
pub(super) fn is_attribute(key: &str) -> bool {
    key.starts_with(MARK)
}

/// What a pod has of an attribute.
pub(super) fn of(_cluster: &Cluster, pod: &Pod, key: &str) -> Option<Text> {
    match key {
        SERVICE_ACCOUNT => Some(pod.spec.account()),
        _ => None,
    }
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
