//! The short notation in which the default roles are written: words separated by one space.
//!
//! **Trap.** The core API group is the word `core` here and the empty string in objects; an empty word would
//! be a rule for no group.

use crate::model::{PolicyRule, Text};

/// One rule of a default role.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    verbs: &'static str,
    groups: &'static str,
    resources: &'static str,
    names: &'static str,
    urls: &'static str,
}

/// Reading without changing.
pub(super) const READ: &str = "get list watch";
/// Changing without reading.
pub(super) const WRITE: &str = "create delete deletecollection patch update";
/// Both.
pub(super) const ALL: &str = "create delete deletecollection get list patch update watch";
/// Writing events, which almost every component may.
pub(super) const EVENTS: Rule = on("create patch update", "core events.k8s.io", "events");

/// Returns a rule for resources of API groups.
pub(super) const fn on(verbs: &'static str, groups: &'static str, resources: &'static str) -> Rule {
    Rule {
        verbs,
        groups,
        resources,
        names: "",
        urls: "",
    }
}

/// Returns a rule for URL paths.
pub(super) const fn url(verbs: &'static str, urls: &'static str) -> Rule {
    Rule {
        verbs,
        groups: "",
        resources: "",
        names: "",
        urls,
    }
}

impl Rule {
    /// Returns the same rule for the objects of these names only.
    pub(super) const fn named(self, names: &'static str) -> Self {
        Self { names, ..self }
    }

    /// Returns the rule as roles carry it.
    pub(super) fn policy_rule(self) -> PolicyRule {
        let group = |word| if word == "core" { "" } else { word };
        PolicyRule {
            verbs: words(self.verbs).map(Text::new).collect(),
            api_groups: words(self.groups).map(group).map(Text::new).collect(),
            resources: words(self.resources).map(Text::new).collect(),
            resource_names: words(self.names).map(Text::new).collect(),
            non_resource_urls: words(self.urls).map(Text::new).collect(),
        }
    }
}

fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(' ').filter(|word| !word.is_empty())
}
