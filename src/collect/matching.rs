//! Which keys of Secrets have the same value, without the values.
//!
//! Only when the user asks: each value is hashed while it is read, with a random key that this process draws and never
//! writes. What is kept of the hashes is which of them are equal, as small numbers; the hashes themselves go too.
//!
//! **Trap.** `data` is base64 and `stringData` is not: both are hashed in one form, or the same password in both would
//! differ.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::model::{Cluster, Object, Text};

/// The random key.
#[derive(Clone, Debug, Default)]
pub struct Matcher(RandomState);

/// The values of a Secret, for the time of hashing them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Values {
    data: Option<BTreeMap<Text, Option<String>>>,
    string_data: Option<BTreeMap<Text, Option<String>>>,
}

impl Matcher {
    /// Notes the hashes of a Secret's values in it; other objects stay as they are.
    pub(super) fn note(&self, object: &mut Object, values: Values) {
        let Object::Secret(secret) = object else {
            return;
        };
        for (key, value) in values.data.into_iter().flatten() {
            let value: String = value.unwrap_or_default().split_whitespace().collect();
            if !value.is_empty() {
                secret.alike.insert(key, self.0.hash_one(value));
            }
        }
        // What stands in both is taken from `stringData`, as by the API server.
        for (key, value) in values.string_data.into_iter().flatten() {
            let value = value.unwrap_or_default();
            if !value.is_empty() {
                secret.alike.insert(key, self.0.hash_one(STANDARD.encode(value)));
            }
        }
    }
}

/// Puts small numbers in place of the hashes, and drops those of values that occur once.
pub(super) fn number(cluster: &mut Cluster) {
    let mut counts = FxHashMap::<u64, usize>::default();
    for secret in cluster.secrets.values() {
        for hash in secret.alike.values() {
            *counts.entry(*hash).or_default() += 1;
        }
    }
    let mut numbers = FxHashMap::<u64, u64>::default();
    for secret in cluster.secrets.values_mut() {
        secret
            .alike
            .retain(|_, hash| counts.get(hash).is_some_and(|count| *count > 1));
        for hash in secret.alike.values_mut() {
            let next = numbers.len() as u64 + 1;
            *hash = *numbers.entry(*hash).or_insert(next);
        }
    }
}
