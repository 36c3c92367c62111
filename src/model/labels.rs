//! Labels and annotations: a small sorted map from key to value.
//!
//! The pods of a workload carry the same labels, so those that a thread reads again share one allocation.
//!
//! **Trap.** Annotations carry copies of whole objects: `kubectl apply` writes a Secret's values into
//! `kubectl.kubernetes.io/last-applied-configuration`. That annotation is dropped while reading.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHashSet;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Text;

/// The label that the API server puts on every namespace: its name.
///
/// Source: <https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Annotations that are never kept, because they repeat the object, its secret values included.
const DROPPED: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration"];

thread_local! {
    static POOL: RefCell<FxHashSet<Labels>> = RefCell::default();
}

/// Labels or annotations, sorted by key; of a key given twice the last value wins.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(Option<Arc<[(Text, Text)]>>);

impl Labels {
    fn pairs(&self) -> &[(Text, Text)] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns the labels, shared with earlier equal ones of this thread.
    fn shared(pairs: Vec<(Text, Text)>) -> Self {
        let sorted = sorted(pairs);
        POOL.with_borrow_mut(|pool| {
            if let Some(known) = pool.get(sorted.as_slice()) {
                return known.clone();
            }
            let fresh = Self::of(sorted);
            pool.insert(fresh.clone());
            fresh
        })
    }

    fn of(sorted: Vec<(Text, Text)>) -> Self {
        Self((!sorted.is_empty()).then(|| sorted.into()))
    }

    /// Empties this thread's pool; labels that are in use live on.
    pub(super) fn release_pool() {
        POOL.with_borrow_mut(|pool| *pool = FxHashSet::default());
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&Text> {
        let pairs = self.pairs();
        let at = pairs.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        Some(&pairs[at].1)
    }

    /// Whether `key` is present, with any value.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The pairs in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.pairs().iter().map(|(k, v)| (k, v))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the same labels with `key` set to `value`.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        self.pairs()
            .iter()
            .cloned()
            .chain([(Text::new(key), Text::new(value))])
            .collect()
    }
}

impl FromIterator<(Text, Text)> for Labels {
    fn from_iter<I: IntoIterator<Item = (Text, Text)>>(pairs: I) -> Self {
        Self::of(sorted(pairs.into_iter().collect()))
    }
}

/// Lets the pool be asked for pairs that are no labels yet.
impl Borrow<[(Text, Text)]> for Labels {
    fn borrow(&self) -> &[(Text, Text)] {
        self.pairs()
    }
}

impl Hash for Labels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pairs().hash(state);
    }
}

fn sorted(mut pairs: Vec<(Text, Text)>) -> Vec<(Text, Text)> {
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|b, a| a.0 == b.0);
    }
    pairs
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from string to string")
            }

            fn visit_unit<E>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }

            fn visit_none<E>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Labels, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8).min(64));
                while let Some(key) = map.next_key::<Text>()? {
                    if DROPPED.contains(&key.as_str()) {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    } else {
                        pairs.push((key, map.next_value::<Option<Text>>()?.unwrap_or_default()));
                    }
                }
                Ok(Labels::shared(pairs))
            }
        }
        deserializer.deserialize_option(LabelsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_applied_configuration_is_dropped() {
        let text =
            r#"{"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":1}", "b": "2", "a": null}"#;
        let labels: Labels = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&labels).unwrap(), r#"{"a":"","b":"2"}"#);
    }

    #[test]
    fn labels_that_are_read_again_share_one_allocation() {
        let read = |text: &str| serde_json::from_str::<Labels>(text).unwrap();
        let (a, b) = (
            read(r#"{"app":"web","tier":"x"}"#),
            read(r#"{"tier":"x","app":"web"}"#),
        );
        assert!(std::ptr::eq(a.pairs(), b.pairs()));
        assert_eq!(
            a,
            [
                (Text::new("tier"), Text::new("x")),
                (Text::new("app"), Text::new("web"))
            ]
            .into_iter()
            .collect()
        );
        assert_ne!(a, read(r#"{"app":"web","tier":"y"}"#));
        assert_eq!(read("{}"), Labels::default());
    }

    #[test]
    fn the_last_of_two_values_wins() {
        let pair = |k, v| (Text::new(k), Text::new(v));
        let labels: Labels = [pair("a", "1"), pair("b", "1"), pair("a", "2")]
            .into_iter()
            .collect();
        assert_eq!(labels.get("a").unwrap(), "2");
        assert_eq!(labels.len(), 2);
    }
}
