//! Labels and annotations: a small sorted map from key to value.
//!
//! **Trap.** Annotations carry copies of whole objects: `kubectl apply` writes a Secret's values into
//! `kubectl.kubernetes.io/last-applied-configuration`. That annotation is dropped while reading.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Text;

/// Annotations that are never kept, because they repeat the object, its secret values included.
const DROPPED: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration"];

/// Labels or annotations, sorted by key; of a key given twice the last value wins.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<[(Text, Text)]>);

impl Labels {
    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&Text> {
        let at = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// Whether `key` is present, with any value.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The pairs in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(k, v)| (k, v))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the same labels with `key` set to `value`.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        self.0
            .iter()
            .cloned()
            .chain([(Text::new(key), Text::new(value))])
            .collect()
    }
}

impl FromIterator<(Text, Text)> for Labels {
    fn from_iter<I: IntoIterator<Item = (Text, Text)>>(pairs: I) -> Self {
        let mut sorted: Vec<_> = pairs.into_iter().collect();
        sorted.reverse();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        sorted.dedup_by(|b, a| a.0 == b.0);
        Self(sorted.into())
    }
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
                Ok(pairs.into_iter().collect())
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
    fn the_last_of_two_values_wins() {
        let pair = |k, v| (Text::new(k), Text::new(v));
        let labels: Labels = [pair("a", "1"), pair("b", "1"), pair("a", "2")]
            .into_iter()
            .collect();
        assert_eq!(labels.get("a").unwrap(), "2");
        assert_eq!(labels.len(), 2);
    }
}
