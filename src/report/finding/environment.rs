//! Environments: which of production, staging and development a namespace or node belongs to.
//!
//! **Trap.** The rule is documented for users (README, "Findings"), and ids of findings are made of the names here.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::datastores::EnvironmentPatterns;
use crate::model::{Cluster, Labels, Meta};
use crate::techniques::Position;

/// An environment; later ones are guarded more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Environment {
    /// Where people try things.
    Development,
    /// Where things are tested before they count.
    Staging,
    /// Where things count.
    Production,
}

impl Environment {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The environment that one word names.
    fn called(word: &str) -> Option<Self> {
        match word {
            "prod" | "prd" | "production" | "live" => Some(Self::Production),
            "staging" | "stage" | "stg" | "preprod" | "preproduction" | "uat" | "qa" => Some(Self::Staging),
            "dev" | "devel" | "development" | "sandbox" | "nonprod" | "test" | "testing" => {
                Some(Self::Development)
            }
            _ => None,
        }
    }

    /// The environment of an object with this metadata: what its label `environment` or `env`, with any prefix, says,
    /// else the first word of its name that names one.
    pub(super) fn of(meta: &Meta) -> Option<Self> {
        let said = meta.labels.iter().find_map(|(key, value)| {
            let key = key.rsplit('/').next().unwrap_or_default();
            let is_named = key.eq_ignore_ascii_case("environment") || key.eq_ignore_ascii_case("env");
            is_named.then(|| Self::in_name(value)).flatten()
        });
        said.or_else(|| Self::in_name(&meta.name))
    }

    fn in_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let words: Vec<&str> = name
            .split(|character: char| !character.is_ascii_alphanumeric())
            .collect();
        words.iter().enumerate().find_map(|(at, word)| {
            let before = at.checked_sub(1).map(|before| words[before]);
            match (before, Self::called(word)?) {
                (Some("non"), _) => Some(Self::Development),
                (Some("pre"), Self::Production) => Some(Self::Staging),
                (_, found) => Some(found),
            }
        })
    }
}

/// The environment that a user's patterns give an object; production before staging before development.
fn said(patterns: &EnvironmentPatterns, kind: &str, name: &str, labels: &Labels) -> Option<Environment> {
    let fits = |pattern: &String| match pattern.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|label| is_like(label, value)),
        None => match pattern.split_once('/') {
            Some((of, wanted)) => of == kind && is_like(name, wanted),
            None => is_like(name, pattern),
        },
    };
    let lists = [
        (Environment::Production, &patterns.production),
        (Environment::Staging, &patterns.staging),
        (Environment::Development, &patterns.development),
    ];
    lists
        .into_iter()
        .find_map(|(environment, list)| list.iter().any(fits).then_some(environment))
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// The environments of a cluster's namespaces and nodes.
#[derive(Debug)]
pub(super) struct Environments<'a> {
    patterns: &'a EnvironmentPatterns,
    namespaces: FxHashMap<&'a str, Option<Environment>>,
    nodes: FxHashMap<&'a str, Option<Environment>>,
}

impl<'a> Environments<'a> {
    /// Finds them.
    ///
    /// # Complexity
    /// Linear in namespaces, nodes and pods.
    pub(super) fn new(cluster: &'a Cluster, patterns: &'a EnvironmentPatterns) -> Self {
        let of = |kind: &str, meta: &Meta| {
            said(patterns, kind, &meta.name, &meta.labels).or_else(|| Environment::of(meta))
        };
        let mut namespaces = FxHashMap::default();
        for namespace in cluster.namespaces.values() {
            namespaces.insert(namespace.meta.name.as_str(), of("Namespace", &namespace.meta));
        }
        for pod in cluster.pods.values() {
            let name = pod.meta.namespace.as_str();
            namespaces
                .entry(name)
                .or_insert_with(|| Self::named(patterns, name));
        }
        let nodes = cluster.nodes.values();
        Self {
            patterns,
            namespaces,
            nodes: nodes
                .map(|node| (node.meta.name.as_str(), of("Node", &node.meta)))
                .collect(),
        }
    }

    /// The environment of a namespace of which only the name is known.
    fn named(patterns: &EnvironmentPatterns, name: &str) -> Option<Environment> {
        said(patterns, "Namespace", name, &Labels::default()).or_else(|| Environment::in_name(name))
    }

    /// Whether there are two at least.
    pub(super) fn are_several(&self) -> bool {
        let all = self.namespaces.values().chain(self.nodes.values());
        let found: BTreeSet<Environment> = all.copied().flatten().collect();
        found.len() > 1
    }

    /// The environment that a position lies in.
    pub(super) fn of(&self, position: &Position) -> Option<Environment> {
        if let Position::Node(name) = position {
            return self.nodes.get(name.as_str()).copied().flatten();
        }
        let name = position.namespace()?.as_str();
        let known = self.namespaces.get(name).copied();
        known.unwrap_or_else(|| Self::named(self.patterns, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_says_comes_first() {
        let patterns = EnvironmentPatterns {
            production: vec!["shop".into(), "pay-*-eu".into(), "tier=gold*".into()],
            development: vec!["*".into(), "Node/gpu-*".into()],
            ..EnvironmentPatterns::default()
        };
        let of = |kind: &str, name: &str, labels: &Labels| {
            said(&patterns, kind, name, labels).map(Environment::as_str)
        };
        let none = Labels::default();
        assert_eq!(of("Namespace", "shop", &none), Some("production"));
        assert_eq!(of("Namespace", "pay-card-eu", &none), Some("production"));
        assert_eq!(of("Namespace", "pay-card-us", &none), Some("development"));
        assert_eq!(
            of("Namespace", "x", &none.with("tier", "golden")),
            Some("production")
        );
        for (text, pattern, is) in [
            ("ab", "a*b", true),
            ("ab", "ab*ab", false),
            ("aXbYb", "a*b*b", true),
            ("", "*", true),
            ("a", "", false),
        ] {
            assert_eq!(is_like(text, pattern), is, "{text} {pattern}");
        }
    }

    #[test]
    fn labels_come_before_names_and_words_are_whole() {
        let environment = |name: &str, label: Option<(&str, &str)>| {
            let mut meta = Meta {
                name: name.into(),
                ..Meta::default()
            };
            if let Some((key, value)) = label {
                meta.labels = meta.labels.with(key, value);
            }
            Environment::of(&meta).map(Environment::as_str)
        };
        for (name, label, expected) in [
            ("shop-prod", None, Some("production")),
            ("prod", None, Some("production")),
            ("shop-dev-2", None, Some("development")),
            ("non-prod", None, Some("development")),
            ("pre-prod", None, Some("staging")),
            ("product-catalogue", None, None),
            ("devices", None, None),
            ("shop", Some(("env", "Production")), Some("production")),
            (
                "shop-prod",
                Some(("example.com/environment", "dev")),
                Some("development"),
            ),
            ("shop-prod", Some(("environment", "blue")), Some("production")),
            ("shop", Some(("envoy", "prod")), None),
        ] {
            assert_eq!(environment(name, label), expected, "{name} {label:?}");
        }
    }
}
