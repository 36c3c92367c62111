//! The head of an object, found without reading the rest: `apiVersion` and `kind`.
//!
//! Written by `kubectl`, both stand first and the reader stops there; anywhere else they are found too.
//!
//! **Trap.** The keys count only at the top of the object: pods carry `kind` in their owners as well.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::piece::Head;

/// What was found at the top of a document.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The head, as far as it is there.
    pub head: Head,
    /// Whether the document is a map at all.
    pub is_map: bool,
}

/// Returns the head of a JSON object, as far as it can be read.
pub(super) fn of_json(bytes: &[u8]) -> Head {
    let mut found = Found::default();
    // The reading ends with an error when both are found, or where the text ends: what was found counts.
    let _ = (HeadSeed(&mut found)).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    found.head
}

/// Reads a head into a place that outlives the error with which the reading ends early.
pub(super) struct HeadSeed<'a>(pub(super) &'a mut Found);

impl<'de> DeserializeSeed<'de> for HeadSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HeadSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.is_map = true;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Key::ApiVersion => self.0.head.api_version = map.next_value_seed(TextSeed)?,
                Key::Kind => self.0.head.kind = map.next_value_seed(TextSeed)?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if !self.0.head.api_version.is_empty() && !self.0.head.kind.is_empty() {
                return Err(A::Error::custom("found"));
            }
        }
        Ok(())
    }
}

enum Key {
    ApiVersion,
    Kind,
    Other,
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "apiVersion" => Key::ApiVersion,
            "kind" => Key::Kind,
            _ => Key::Other,
        })
    }
}

/// Reads a short text; anything else counts as absent.
struct TextSeed;

impl<'de> DeserializeSeed<'de> for TextSeed {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextSeed {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(String::new())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<String, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_found_wherever_it_stands_at_the_top() {
        let found = |text: &str| {
            (
                of_json(text.as_bytes()).api_version.clone(),
                of_json(text.as_bytes()).kind,
            )
        };
        let pod = ("v1".to_owned(), "Pod".to_owned());
        assert_eq!(found(r#"{"apiVersion":"v1","kind":"Pod","#), pod);
        assert_eq!(
            found(r#"{"data":{"kind":"x"},"kind":"Pod","metadata":{},"apiVersion":"v1"}"#),
            pod
        );
        assert_eq!(
            found(r#"{"kind":3,"x":[{"kind":"y"}]}"#),
            (String::new(), String::new())
        );
    }
}
