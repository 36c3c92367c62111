//! Powers: the dangerous things that rules can allow, each decided for one identity in one scope.
//!
//! A power is what one request can do. What needs several requests (create a certificate request, then approve
//! it) is several powers, which different identities may hold. What one request needs twice (`update` a role
//! and `escalate` it) is one power, decided over all bindings of one identity.
//!
//! **Trap.** `list` with `resourceNames` still reads the named object; `create` with `resourceNames` allows
//! nothing except on named subresources and by server-side apply. Powers go through the evaluator, never
//! through the rule's words.

mod admission;
mod ask;
mod cluster;
mod controllers;
mod credentials;
mod network;
mod pods;
mod roles;
mod scope;
mod way;

pub use admission::*;
pub use cluster::*;
pub use controllers::*;
pub use credentials::*;
pub use network::*;
pub use pods::*;
pub use roles::*;
pub use scope::Scope;
pub(super) use way::{Check, CheckIndex, WAYS, Way};

/// One dangerous thing an identity may do; the statics of this module are the powers.
#[derive(Debug)]
pub struct Power {
    /// Stable name, part of a grant's id: `create-pods`.
    pub id: &'static str,
    /// What it allows, to follow "may": `create pods`.
    pub title: &'static str,
    /// Any one of these suffices.
    pub any: &'static [Right],
}

/// What one request needs.
#[derive(Clone, Copy, Debug)]
pub struct Right {
    /// Verbs, separated by a space; any one suffices.
    pub verbs: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// Resources with their subresources (`pods/exec`), separated by a space; any one suffices. The subresource
    /// `?` stands for any one.
    pub resources: &'static str,
    /// Where the objects live.
    pub objects: Objects,
    /// What the same request is also checked for.
    pub and: Option<And>,
}

/// Where the objects of a request live, which decides what a RoleBinding can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Objects {
    /// In namespaces.
    Namespaced,
    /// Nowhere: only a ClusterRoleBinding gives them.
    ClusterScoped,
    /// Namespace objects: a RoleBinding gives the one it is in. The scope of such a power is that namespace.
    Namespaces,
    /// URL paths; `resources` are paths.
    Paths,
}

/// A second check of the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum And {
    /// This verb on the same object.
    Same(&'static str),
    /// This verb on this resource of this group in the same namespace. The scope's name is that of the second
    /// object: `bind` on a named role.
    Other(&'static str, &'static str, &'static str),
    /// `bind` on the role to which the binding refers already; the resource is the kind of role. The scope's
    /// name is the binding's.
    BoundRole(&'static str),
}

/// Returns a right to objects in namespaces.
const fn on(verbs: &'static str, group: &'static str, resources: &'static str) -> Right {
    Right {
        verbs,
        group,
        resources,
        objects: Objects::Namespaced,
        and: None,
    }
}

/// Returns a right to cluster-scoped objects.
const fn wide(verbs: &'static str, group: &'static str, resources: &'static str) -> Right {
    Right {
        objects: Objects::ClusterScoped,
        ..on(verbs, group, resources)
    }
}

impl Right {
    const fn and(self, and: And) -> Self {
        Self {
            and: Some(and),
            ..self
        }
    }
}

impl Power {
    /// Whether the power can hold in a namespace, so that a right in the whole cluster covers one there.
    pub fn is_namespaced(&self) -> bool {
        let objects = |right: &Right| matches!(right.objects, Objects::Namespaced | Objects::Namespaces);
        self.any.iter().any(objects)
    }
}

/// Declares powers and the slice that lists them.
macro_rules! power_table {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal, $title:literal, $any:expr;)+) => {
        $(
            $(#[doc = $doc])+
            pub static $name: $crate::rbac::Power = $crate::rbac::Power { id: $id, title: $title, any: &$any };
        )+
        pub(super) static POWERS: &[&$crate::rbac::Power] = &[$(&$name),+];
    };
}
use power_table;

/// Every power, theme by theme.
pub fn powers() -> impl Iterator<Item = &'static Power> {
    [
        pods::POWERS,
        credentials::POWERS,
        roles::POWERS,
        admission::POWERS,
        cluster::POWERS,
        network::POWERS,
        controllers::POWERS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

impl PartialEq for Power {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Power {}
impl PartialOrd for Power {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Power {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(other.id)
    }
}
impl std::hash::Hash for Power {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::KINDS;

    #[test]
    fn ids_are_unique_and_titles_read_after_may() {
        let mut ids = BTreeSet::new();
        for power in powers() {
            assert!(ids.insert(power.id), "{} is there twice", power.id);
            let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(power.id.chars().all(is_word), "{}", power.id);
            assert!(power.title.starts_with(|c: char| c.is_ascii_lowercase()) && !power.title.ends_with('.'));
            assert!(!power.any.is_empty());
        }
    }

    #[test]
    fn a_power_is_over_objects_in_namespaces_or_over_others_and_not_over_both() {
        for power in powers() {
            let is_namespaced =
                |right: &Right| matches!(right.objects, Objects::Namespaced | Objects::Namespaces);
            assert_eq!(
                power.any.iter().all(is_namespaced),
                power.is_namespaced(),
                "{}",
                power.id
            );
        }
    }

    #[test]
    fn rights_agree_with_the_kinds_of_the_model() {
        for (power, right) in powers().flat_map(|power| power.any.iter().map(move |right| (power, right))) {
            for word in right.resources.split(' ') {
                let resource = word.split('/').next().unwrap();
                let known = KINDS
                    .iter()
                    .find(|kind| kind.group == right.group && kind.resource == resource);
                let Some(known) = known else { continue };
                let expected = if resource == "namespaces" && right.verbs != "create" {
                    Objects::Namespaces
                } else if known.namespaced {
                    Objects::Namespaced
                } else {
                    Objects::ClusterScoped
                };
                assert_eq!(right.objects, expected, "{} {word}", power.id);
            }
            assert!(
                !right.verbs.contains("  ") && !right.resources.contains("  "),
                "{}",
                power.id
            );
        }
    }
}
