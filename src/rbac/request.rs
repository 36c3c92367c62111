//! Who asks for what: the words of one authorization question.
//!
//! **Trap.** A create request carries no object name, so a rule with `resourceNames` never allows it; requests
//! on a subresource do carry the name of the object. Source:
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources>

use super::Identity;
use crate::model::Text;

/// One request to the API server, as its authorizers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// A request for objects.
    Resource(ResourceRequest<'a>),
    /// A request for a URL path that serves no objects: `/healthz`.
    Url {
        /// The verb: the HTTP method in lower case.
        verb: &'a str,
        /// The path, without a query.
        path: &'a str,
    },
}

/// A request for objects of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceRequest<'a> {
    /// The verb: `get`, `create`, `impersonate`; any string.
    pub verb: &'a str,
    /// The API group, empty for the core group.
    pub group: &'a str,
    /// The resource without its subresource: `pods`.
    pub resource: &'a str,
    /// The subresource, empty for none: `exec`.
    pub subresource: &'a str,
    /// The namespace, empty for all namespaces and for cluster-scoped objects.
    pub namespace: &'a str,
    /// The object's name, empty for none.
    pub name: &'a str,
}

impl Request<'_> {
    /// The verb.
    pub fn verb(&self) -> &str {
        match self {
            Self::Resource(request) => request.verb,
            Self::Url { verb, .. } => verb,
        }
    }

    /// The namespace whose RoleBindings count; none do if it is empty.
    pub(super) fn namespace(&self) -> &str {
        match self {
            Self::Resource(request) => request.namespace,
            Self::Url { .. } => "",
        }
    }
}

/// Someone who is authenticated: a user name with all of its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user name; empty for a member of a group of whom nothing else is known.
    user: Text,
    /// The user's own identity, then all groups, implicit ones too.
    subjects: Vec<Identity>,
}

impl Caller {
    /// Returns the user of this name in the groups that its name implies and in these.
    pub fn new<'a>(user: &str, groups: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(&Identity::from_user(user), groups)
    }

    /// Returns an identity as a caller, in further groups. A group stands for a member of whom no more is known.
    pub fn of<'a>(identity: &Identity, groups: impl IntoIterator<Item = &'a str>) -> Self {
        let mut subjects = vec![identity.clone()];
        let implied = identity.implicit_groups();
        for group in implied.into_iter().chain(groups.into_iter().map(Text::new)) {
            let group = Identity::Group(group);
            if !subjects.contains(&group) {
                subjects.push(group);
            }
        }
        Self {
            user: identity.user_name().unwrap_or_default().into(),
            subjects,
        }
    }

    /// Returns an identity as a caller without any group, to ask what bindings give to itself.
    pub fn alone(identity: &Identity) -> Self {
        Self {
            user: identity.user_name().unwrap_or_default().into(),
            subjects: vec![identity.clone()],
        }
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Everything that a binding may name to mean this caller: the user, then the groups.
    pub fn subjects(&self) -> &[Identity] {
        &self.subjects
    }

    /// Whether the caller is in a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.subjects
            .iter()
            .any(|subject| matches!(subject, Identity::Group(name) if name == group))
    }
}
