//! Label selectors: what they say, and whether labels match.
//!
//! **Trap.** `NotIn` matches an object that lacks the key; an empty selector matches everything and an absent
//! one usually nothing. Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::lenient::lenient;
use super::{Labels, Text};

/// `metav1.LabelSelector`: all of `matchLabels` and all of `matchExpressions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Pairs that must be present.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "IndexMap::is_empty")]
    pub match_labels: IndexMap<Text, Text>,
    /// Further requirements.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// One of `matchExpressions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirement {
    /// The label's key.
    pub key: Text,
    /// How the label is compared.
    pub operator: Operator,
    /// The values of `In` and `NotIn`.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Text>,
}

/// The operators that selectors know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    /// Whether the selector has no requirement, and so matches everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether `labels` meet every requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
            && self
                .match_expressions
                .iter()
                .all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    /// Whether `labels` meet this requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_in_matches_an_absent_key() {
        let selector: LabelSelector = serde_json::from_str(
            r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}"#,
        )
        .unwrap();
        assert!(selector.matches(&Labels::default()));
        assert!(!selector.matches(&Labels::default().with("a", "1")));
    }
}
