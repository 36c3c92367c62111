//! Reading fields as the API server does: an explicit `null` is the same as an absent field, and fields that
//! no rule reads are passed over.
//!
//! **Trap.** Absent is not false: a field whose absence means something else than its zero value is an
//! `Option` in the model, and stays one until a named function decides the default.

use serde::{Deserialize, Deserializer};

/// Reads a value, `null` giving its default. For `#[serde(default, deserialize_with = "lenient")]`.
///
/// # Errors
/// Returns the deserializer's error when the value is neither null nor of the type.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a value is its type's default, and so need not be written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Declares structs that mirror a part of the Kubernetes API: camelCase on the wire, every field optional,
/// null as absent, defaults not written.
macro_rules! slim {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "fields keep the names and meaning of the Kubernetes API reference")]
        pub struct $name {
            $(
                $(#[$field_meta])*
                // A default of the whole struct would be made, and taken apart, for each one that is read.
                #[serde(
                    default,
                    deserialize_with = "crate::model::lenient::lenient",
                    skip_serializing_if = "crate::model::lenient::is_default"
                )]
                pub $field: $type,
            )*
        }
    )*};
}
pub(super) use slim;
