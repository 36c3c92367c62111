//! What policies select pods, namespaces and nodes by, in one form for every kind of policy.
//!
//! **Trap.** `NotIn` selects objects that lack the key. So does the negation of every other requirement.

use crate::model::{LabelSelector, Labels, Operator, Text};

/// A condition on labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Expression {
    /// The key is there.
    Has(Text),
    /// The key is there, with one of these values.
    In(Text, Vec<Text>),
    /// The condition does not hold.
    Not(Box<Self>),
    /// All conditions hold; of none, always.
    All(Vec<Self>),
}

impl Expression {
    /// Holds for everything.
    pub(super) const EVERYTHING: Self = Self::All(Vec::new());

    /// Whether `labels` meet the condition.
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        match self {
            Self::Has(key) => labels.contains(key),
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::Not(inner) => !inner.matches(labels),
            Self::All(parts) => parts.iter().all(|part| part.matches(labels)),
        }
    }

    /// Whether it holds for everything by its form.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::EVERYTHING
    }

    /// A pair that everything selected carries, if the form shows one.
    pub(super) fn needed_pair(&self) -> Option<(&Text, &[Text])> {
        match self {
            Self::In(key, values) => Some((key, values)),
            Self::All(parts) => parts.iter().find_map(Self::needed_pair),
            Self::Has(_) | Self::Not(_) => None,
        }
    }

    /// Calls `key_only` for keys whose presence matters and `pair` for pairs that matter.
    pub(super) fn mentions(&self, found: &mut impl FnMut(&Text, &[Text])) {
        match self {
            Self::Has(key) => found(key, &[]),
            Self::In(key, values) => found(key, values),
            Self::Not(inner) => inner.mentions(found),
            Self::All(parts) => parts.iter().for_each(|part| part.mentions(found)),
        }
    }
}

impl From<&LabelSelector> for Expression {
    fn from(selector: &LabelSelector) -> Self {
        let pairs = selector.match_labels.iter();
        let pairs = pairs.map(|(key, value)| Self::In(key.clone(), vec![value.clone()]));
        let more = selector.match_expressions.iter().map(|requirement| {
            let key = requirement.key.clone();
            let values = || requirement.values.clone();
            match requirement.operator {
                Operator::In => Self::In(key, values()),
                Operator::NotIn => Self::Not(Box::new(Self::In(key, values()))),
                Operator::Exists => Self::Has(key),
                Operator::DoesNotExist => Self::Not(Box::new(Self::Has(key))),
            }
        });
        Self::All(pairs.chain(more).collect())
    }
}

/// Which namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Namespaces {
    /// This one.
    One(Text),
    /// Those whose labels meet the condition.
    Where(Expression),
    /// None: the condition is about nodes, and selects them and the pods in their networks.
    OfNodes,
}

/// Which pods.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PodSelector {
    /// Of these namespaces.
    pub(super) namespaces: Namespaces,
    /// Those whose labels meet the condition.
    pub(super) pods: Expression,
}

impl PodSelector {
    /// Every pod of the namespaces that a selector selects.
    pub(super) fn of_namespaces(selector: &LabelSelector) -> Self {
        Self {
            namespaces: Namespaces::Where(selector.into()),
            pods: Expression::EVERYTHING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let selector: LabelSelector = serde_json::from_str(selector).unwrap();
        let labels: Labels = labels
            .iter()
            .map(|(key, value)| (Text::new(key), Text::new(value)))
            .collect();
        let expression = Expression::from(&selector);
        assert_eq!(expression.matches(&labels), selector.matches(&labels));
        expression.matches(&labels)
    }

    #[test]
    fn every_operator_of_a_label_selector() {
        let not_in = r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}"#;
        assert!(selects(not_in, &[]) && selects(not_in, &[("a", "2")]) && !selects(not_in, &[("a", "1")]));
        let within = r#"{"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}"#;
        assert!(selects(within, &[("a", "2")]) && !selects(within, &[("a", "3")]) && !selects(within, &[]));
        let exists = r#"{"matchExpressions": [{"key": "a", "operator": "Exists"}]}"#;
        assert!(selects(exists, &[("a", "")]) && !selects(exists, &[("b", "")]));
        let absent = r#"{"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}"#;
        assert!(!selects(absent, &[("a", "")]) && selects(absent, &[("b", "")]));
        assert!(selects("{}", &[]));
    }

    #[test]
    fn pairs_and_expressions_must_all_hold() {
        let both = r#"{"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}"#;
        assert!(selects(both, &[("a", "1"), ("b", "")]));
        assert!(!selects(both, &[("a", "1")]) && !selects(both, &[("b", "")]));
    }
}
