//! What is wrong with policies: one wording for all readers of them.

use crate::model::{Code, Diagnostic, Meta, ObjectId};

/// What is done about a rule of Cilium or Istio that has no meaning.
pub(super) const CLOSED: &str = "the rule allows nothing, or denies everything; correct it";

/// Collects what is wrong with one policy.
pub(super) struct Problems<'a> {
    pub(super) id: &'a ObjectId,
    pub(super) meta: &'a Meta,
    pub(super) found: &'a mut Vec<Diagnostic>,
}

impl Problems<'_> {
    /// Notes that what stands at `pointer` has no meaning, and what is done about it.
    pub(super) fn invalid(&mut self, pointer: &str, message: impl std::fmt::Display, hint: &str) {
        let place = if pointer.is_empty() {
            String::new()
        } else {
            format!("{pointer}: ")
        };
        let message = format!("{place}{message}");
        self.found.push(
            Diagnostic::new(Code::InvalidPolicy, self.meta.source.clone(), message, hint)
                .about(self.id.clone()),
        );
    }
}
