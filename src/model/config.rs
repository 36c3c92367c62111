//! Secrets, ConfigMaps and ServiceAccounts.
//!
//! **Trap.** No secret value is ever stored: of a Secret only the names of its keys survive reading.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::lenient::slim;
use super::{Labels, Literal, LocalReference, Meta, Text};

/// `type` of the Secrets that hold a ServiceAccount's token.
pub const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";
/// Annotation of a token Secret that names its account.
pub const SERVICE_ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

slim! {
    /// An account for pods.
    pub struct ServiceAccount {
        #[serde(rename = "metadata")]
        meta: Meta,
        automount_service_account_token: Option<bool>,
        secrets: Vec<LocalReference>,
        image_pull_secrets: Vec<LocalReference>,
    }

    /// A Secret without its values.
    pub struct Secret {
        #[serde(rename = "metadata")]
        meta: Meta,
        r#type: Text,
        /// The names of the keys in `data`.
        data: Keys,
        /// The names of the keys in `stringData`.
        string_data: Keys,
        /// Of keys whose value is another key's too, by name: the same number for the same value. Not part of the API's
        /// shape, and only there when the user asked for it.
        alike: BTreeMap<Text, NonZeroU32>,
    }

    /// A ConfigMap; of values of several lines only settings of servers are kept, and by which clients find them; of the
    /// others all but credentials.
    pub struct ConfigMap {
        #[serde(rename = "metadata")]
        meta: Meta,
        data: Settings,
        binary_data: Keys,
        immutable: Option<bool>,
    }

    /// A namespace.
    pub struct Namespace {
        #[serde(rename = "metadata")]
        meta: Meta,
    }
}

impl Secret {
    /// The names of all keys, sorted, each once.
    pub fn keys(&self) -> Vec<&Text> {
        let mut keys: Vec<_> = self.data.0.iter().chain(&self.string_data.0).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The account whose token this Secret holds, if it is a token Secret.
    pub fn token_of(&self) -> Option<&Text> {
        (self.r#type == SERVICE_ACCOUNT_TOKEN)
            .then(|| self.meta.annotations.get(SERVICE_ACCOUNT_NAME))
            .flatten()
    }

    /// The labels that decide about token clean-up.
    pub fn labels(&self) -> &Labels {
        &self.meta.labels
    }
}

/// The keys of a map whose values are passed over unread. Written as a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<Text>);

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = map.next_key()? {
                    map.next_value::<IgnoredAny>()?;
                    keys.push(key);
                }
                Ok(Keys(keys))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = seq.next_element()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_any(KeysVisitor)
    }
}

/// The settings of a ConfigMap by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(pub IndexMap<Text, Literal>);

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written: IndexMap<Text, Option<Literal>> = IndexMap::deserialize(deserializer)?;
        let withheld = || Literal {
            text: super::literal::WITHHELD.into(),
            withheld: true,
            alike: None,
        };
        let shown = |key: &Text, value: Literal| match value {
            known if known.withheld => known,
            text if text.text.trim_end().contains('\n') => match super::kubelet::reduced(&text.text) {
                Some(reduced) => Literal {
                    text: reduced.into(),
                    ..Literal::default()
                },
                None => super::server_files::reduced(&text.text).unwrap_or_else(withheld),
            },
            rule if super::server_files::is_rule(&rule.text) => {
                super::server_files::reduced(&rule.text).unwrap_or_else(withheld)
            }
            text => text.called(key),
        };
        Ok(Self(
            written
                .into_iter()
                .map(|(key, value)| (key.clone(), shown(&key, value.unwrap_or_default())))
                .collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_secret_survives_reading() {
        let text = r#"{"metadata": {"name": "s"}, "type": "Opaque", "data": {"b": "Y2FuYXJ5"}, "stringData": {"a": "canary"}}"#;
        let secret: Secret = serde_json::from_str(text).unwrap();
        assert_eq!(secret.keys(), ["a", "b"]);
        let written = serde_json::to_string(&secret).unwrap();
        assert!(
            !written.contains("canary") && !written.contains("Y2FuYXJ5"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<Secret>(&written).unwrap(), secret);
    }

    #[test]
    fn settings_are_redacted_by_key() {
        let map: ConfigMap = serde_json::from_str(
            r#"{"data": {"HOST": "db", "DB_PASSWORD": "x", "redis.conf": "requirepass x\nport 1\n", "acl": "user app on >x", "x": "a\nb"}}"#,
        )
        .unwrap();
        assert_eq!(map.data.0["redis.conf"].text, "requirepass: \"***\"");
        assert_eq!(
            (map.data.0["acl"].text.as_str(), map.data.0["x"].text.as_str()),
            ("***", "***")
        );
        assert_eq!(map.data.0["HOST"].text, "db");
        assert!(map.data.0["DB_PASSWORD"].withheld && map.data.0["redis.conf"].withheld);
    }

    #[test]
    fn of_a_kubelets_configuration_some_settings_are_kept() {
        let map: ConfigMap = serde_json::from_str(
            r#"{"data": {"kubelet": "authorization:\n  mode: AlwaysAllow\nkind: KubeletConfiguration\nx: canary\n"}}"#,
        )
        .unwrap();
        let text = &map.data.0["kubelet"].text;
        assert_eq!(
            super::super::kubelet_setting(text, "authorization.mode"),
            Some("AlwaysAllow")
        );
        let written = serde_json::to_string(&map).unwrap();
        assert!(!written.contains("canary"), "{written}");
        assert_eq!(serde_json::from_str::<ConfigMap>(&written).unwrap(), map);
    }
}
