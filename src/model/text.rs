//! Interned, immutable strings: every name, label and path of the model is one.
//!
//! A cluster of 150,000 pods repeats the same few thousand strings millions of times, so a [`Text`] is a pointer to
//! the one copy that the program holds: eight bytes, free to clone and to drop, and equal when it points to the same.
//!
//! The empty text holds no pointer: structs are mostly absent fields, and those then cost nothing to make.
//!
//! **Trap.** A copy is never given back. That is right for names and paths, which the model holds as long as the
//! program runs; what is read only to be dropped (values of Secrets, managed fields) must never become a [`Text`].

use std::borrow::Borrow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use ustr::Ustr;

/// How many texts a thread remembers by where they were made of.
const RECENT: usize = 256;

thread_local! {
    static RECENTLY: RefCell<[Text; RECENT]> = const { RefCell::new([const { Text(None) }; RECENT]) };
}

/// An immutable string that is cheap to clone and compares by its characters.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text(Option<Ustr>);

impl Text {
    /// Returns the text, shared with every equal one.
    pub fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self(None);
        }
        // The program's own words come from few places: what was made of the same place last is mostly the same text.
        let slot = (text.as_ptr() as usize ^ text.len()) % RECENT;
        RECENTLY.with_borrow_mut(|recent| {
            if recent[slot].as_str() != text {
                recent[slot] = Self(Some(Ustr::from(text)));
            }
            recent[slot].clone()
        })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", Ustr::as_str)
    }

    /// Where the characters lie: the same for equal texts, and another one in every run.
    pub fn address(&self) -> usize {
        self.0.as_ref().map_or(0, |text| text.as_char_ptr() as usize)
    }

    /// The characters, in a copy that is given back.
    pub fn shared(&self) -> Arc<str> {
        Arc::from(self.as_str())
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

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other {
            Ordering::Equal
        } else {
            self.as_str().cmp(other.as_str())
        }
    }
}

/// As that of the characters, by which texts are looked up.
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
    fn equal_texts_share_one_allocation() {
        let here = Text::new("web");
        let there = std::thread::spawn(|| Text::new("web")).join().unwrap();
        assert!(std::ptr::eq(here.as_str(), there.as_str()));
        assert_eq!(size_of::<Text>(), 8);
    }

    #[test]
    fn the_empty_text_is_the_default() {
        assert_eq!(Text::new(""), Text::default());
        assert!(Text::new("") < Text::new("a"));
    }

    #[test]
    fn texts_are_in_the_order_of_their_characters() {
        let mut texts = ["b", "a", "", "ab"].map(Text::new);
        texts.sort();
        assert_eq!(texts, ["", "a", "ab", "b"].map(Text::new));
    }
}
