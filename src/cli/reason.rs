//! Reasons in the JSON forms of `can-i` and `who-can`.
//!
//! **Trap.** The text is for people and may change; programs read the other members, as `docs/can-i.schema.json` and
//! `docs/who-can.schema.json` say.

use serde::Serialize;

use crate::rbac::Reason;

/// Why something is allowed.
#[derive(Debug, Serialize)]
pub(super) struct ReasonView {
    /// `RBAC`, `Node`, or `system:masters`, whose members are never asked.
    authorizer: &'static str,
    /// The binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    binding: Option<String>,
    /// The role in which the rule stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The rule's index there.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<usize>,
    /// The pod of the node that needs the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    /// All of it as a sentence.
    pub(super) text: String,
}

impl From<&Reason> for ReasonView {
    fn from(reason: &Reason) -> Self {
        let mut view = Self {
            authorizer: "RBAC",
            binding: None,
            role: None,
            rule: None,
            pod: None,
            text: reason.to_string(),
        };
        match reason {
            Reason::Rule { binding, role, rule } => {
                view.binding = Some(binding.to_string());
                view.role = Some(role.to_string());
                view.rule = Some(*rule);
            }
            Reason::Node { pod } => {
                view.authorizer = "Node";
                view.pod = pod.as_ref().map(ToString::to_string);
            }
            Reason::Masters => view.authorizer = "system:masters",
        }
        view
    }
}
