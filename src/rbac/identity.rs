//! Who asks: service accounts, users and groups.
//!
//! **Trap.** Every identity is in groups that no binding spells out. A service account is in
//! `system:serviceaccounts`, `system:serviceaccounts:NAMESPACE` and `system:authenticated`; a user in
//! `system:authenticated`, except `system:anonymous`, which is in `system:unauthenticated`.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects>

use std::fmt;

use crate::model::Text;

/// Someone the API server knows by name. The id is `ServiceAccount/ns/name`, `User/name` or `Group/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: Text,
        /// Its name.
        name: Text,
    },
    /// A user, by the name that authentication gives.
    User(Text),
    /// A group, by the name that authentication gives.
    Group(Text),
}

/// Prefix of the user name that a service account has.
const SERVICE_ACCOUNT_USER: &str = "system:serviceaccount:";

impl Identity {
    /// Returns the service account of this namespace and name.
    pub fn service_account(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self::ServiceAccount {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Returns who a user name stands for: `system:serviceaccount:ns:name` is a service account.
    pub fn from_user(user: &str) -> Self {
        match user
            .strip_prefix(SERVICE_ACCOUNT_USER)
            .and_then(|rest| rest.split_once(':'))
        {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains(':') => {
                Self::service_account(namespace, name)
            }
            _ => Self::User(user.into()),
        }
    }

    /// Returns who the user name of a service account stands for; names that no account can have are users.
    pub(super) fn account_user(namespace: &Text, name: &Text) -> Self {
        if name.is_empty() || name.contains(':') || namespace.contains(':') {
            Self::from_user(&format!("{SERVICE_ACCOUNT_USER}{namespace}:{name}"))
        } else {
            Self::service_account(namespace, name)
        }
    }

    /// The user name the API server sees; `None` for a group.
    pub fn user_name(&self) -> Option<String> {
        match self {
            Self::ServiceAccount { namespace, name } => {
                Some(format!("{SERVICE_ACCOUNT_USER}{namespace}:{name}"))
            }
            Self::User(name) => Some(name.to_string()),
            Self::Group(_) => None,
        }
    }

    /// The groups the identity is in without any object saying so; of a group, those that all its members are in.
    pub fn implicit_groups(&self) -> Vec<Text> {
        match self {
            Self::ServiceAccount { namespace, .. } => vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}").into(),
                "system:authenticated".into(),
            ],
            Self::User(name) if name == "system:anonymous" => vec!["system:unauthenticated".into()],
            Self::User(name) if name.starts_with(super::NODE_USER) => {
                vec!["system:nodes".into(), "system:authenticated".into()]
            }
            Self::Group(name) if name == "system:authenticated" || name == "system:unauthenticated" => {
                Vec::new()
            }
            Self::Group(name) if name.starts_with("system:serviceaccounts:") => {
                vec!["system:serviceaccounts".into(), "system:authenticated".into()]
            }
            Self::User(_) | Self::Group(_) => vec!["system:authenticated".into()],
        }
    }

    /// Returns the identity with this id: `ServiceAccount/ns/name`, `User/name`, `Group/name`; other words are
    /// user names.
    pub fn from_id(id: &str) -> Self {
        let account = id
            .strip_prefix("ServiceAccount/")
            .and_then(|rest| rest.split_once('/'));
        if let Some((namespace, name)) = account {
            Self::service_account(namespace, name)
        } else if let Some(name) = id.strip_prefix("Group/") {
            Self::Group(name.into())
        } else {
            Self::from_user(id.strip_prefix("User/").unwrap_or(id))
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAccount { namespace, name } => write!(f, "ServiceAccount/{namespace}/{name}"),
            Self::User(name) => write!(f, "User/{name}"),
            Self::Group(name) => write!(f, "Group/{name}"),
        }
    }
}
