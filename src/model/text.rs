//! Interned, immutable strings: every name, label and path of the model is one.
//!
//! A cluster of 150,000 pods repeats the same few thousand strings millions of times, so a [`Text`] is a
//! shared pointer and reading a string that was seen before allocates nothing.
//!
//! The empty text holds no pointer: structs are mostly absent fields, and those then cost nothing to make.
//!
//! **Trap.** The pool belongs to the thread that reads, so two threads may hold two copies of one string.
//! Equality, order and hash therefore look at the characters, never at the pointer alone.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Strings longer than this are not pooled: they are rarely equal to another one.
const POOLED: usize = 256;

thread_local! {
    static POOL: RefCell<FxHashSet<Arc<str>>> = RefCell::default();
}

/// An immutable string that is cheap to clone and compares by its characters.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Option<Arc<str>>);

impl Text {
    /// Returns the text, shared with earlier equal ones of this thread.
    pub fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self(None);
        }
        if text.len() > POOLED {
            return Self(Some(Arc::from(text)));
        }
        POOL.with_borrow_mut(|pool| {
            if let Some(known) = pool.get(text) {
                return Self(Some(Arc::clone(known)));
            }
            let fresh: Arc<str> = Arc::from(text);
            pool.insert(Arc::clone(&fresh));
            Self(Some(fresh))
        })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The characters, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone().unwrap_or_default()
    }

    /// Empties this thread's pool; texts that are in use live on.
    pub(super) fn release_pool() {
        POOL.with_borrow_mut(|pool| *pool = FxHashSet::default());
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

/// Writes into a buffer of this thread: a text that was seen before allocates nothing.
impl From<fmt::Arguments<'_>> for Text {
    fn from(text: fmt::Arguments<'_>) -> Self {
        thread_local! {
            static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
        }
        if let Some(text) = text.as_str() {
            return Self::new(text);
        }
        // Taken out while it is written to: what is displayed may make texts of its own.
        let mut buffer = BUFFER.take();
        buffer.clear();
        // Only a `Display` that fails of itself gives an error; what it wrote until then is the text.
        let _ = fmt::write(&mut buffer, text);
        let text = Self::new(&buffer);
        BUFFER.set(buffer);
        text
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::new(text))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_of_a_thread_share_one_allocation() {
        let a = Text::new("web");
        let b = Text::new("web");
        assert!(std::ptr::eq(a.as_str(), b.as_str()));
    }

    #[test]
    fn the_empty_text_is_the_default() {
        assert_eq!(Text::new(""), Text::default());
        assert!(Text::new("") < Text::new("a"));
    }

    #[test]
    fn texts_of_two_threads_are_equal() {
        let here = Text::new("web");
        let there = std::thread::spawn(|| Text::new("web")).join().unwrap();
        assert_eq!(here, there);
    }
}
