//! The lines of a snapshot, written and read, and the hash over them.
//!
//! **Trap.** A kind's name alone does not say how an object is read: `Service` of `serving.knative.dev` is one
//! of the other kinds. Such lines say so.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{Coverage, Diagnostic, ObjectRef, Source};

/// One line to write. Readers know it by its only or first key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Written<'a> {
    Header(Header),
    Diagnostic(&'a Diagnostic),
    Object(WrittenObject<'a>),
    End(End),
}

/// One line as read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line<'a> {
    Header(Header),
    Diagnostic(Diagnostic),
    #[serde(borrow)]
    Object(ReadObject<'a>),
    End(End),
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) format: u32,
    /// The version of the tool that wrote the file.
    pub(super) tool: String,
    pub(super) coverage: Coverage,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) objects: u64,
    /// [`Hash`] of all lines before, in hexadecimal.
    pub(super) hash: String,
}

#[derive(Serialize)]
pub(super) struct WrittenObject<'a> {
    pub(super) kind: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) other: bool,
    #[serde(skip_serializing_if = "is_unknown")]
    pub(super) source: &'a Source,
    pub(super) object: ObjectRef<'a>,
}

#[derive(Deserialize)]
pub(super) struct ReadObject<'a> {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) other: bool,
    #[serde(default)]
    pub(super) source: Source,
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_unknown(source: &&Source) -> bool {
    **source == Source::default()
}

/// FNV-1a of 64 bits: finds damage, not forgery.
///
/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(super) fn to_hex(self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Hash::new();
        hash.add(b"foobar");
        assert_eq!(hash.to_hex(), "85944171f73967e8");
    }
}
