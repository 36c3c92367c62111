//! What the user should know about the input: codes, wording, place and what to do.
//!
//! A diagnostic is a finding about the input, never a failure: reading goes on. Constructors live here, so
//! that wording has one home and every code is unique.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ObjectId, Source, Text};

/// How much a diagnostic takes away from the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is missing; the user may want to know.
    Note,
    /// Something could not be read or was decided for the user; verdicts may depend on it.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $severity:ident;)+) => {
        /// Stable name of a kind of diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All codes, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as users see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// How much it takes away from the answer.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// A file or folder could not be opened or read.
    UnreadableFile = "unreadable-file", Warning;
    /// A file is not text.
    BinaryFile = "binary-file", Warning;
    /// A document is not valid YAML or JSON.
    Syntax = "syntax", Warning;
    /// A document or line is larger than any Kubernetes object can be.
    TooLarge = "too-large", Warning;
    /// An object's field has another type than the API gives it.
    WrongType = "wrong-type", Warning;
    /// An object has no kind or no name.
    Incomplete = "incomplete", Warning;
    /// An object's API version is not one that is understood.
    UnknownVersion = "unknown-version", Warning;
    /// The same object was read twice; the last one counts.
    DuplicateObject = "duplicate-object", Warning;
    /// A document holds no object of Kubernetes.
    NotAnObject = "not-an-object", Note;
    /// A binding names a role that is not in the input.
    MissingRole = "missing-role", Warning;
    /// Requests may be allowed by authorizers that leave no object in the cluster.
    UnknownAuthorizers = "unknown-authorizers", Note;
    /// Owner references form a circle.
    CyclicOwners = "cyclic-owners", Warning;
    /// The default roles and bindings of Kubernetes were added.
    BootstrapRbac = "bootstrap-rbac", Note;
    /// The input names no node.
    NoNodes = "no-nodes", Note;
    /// A kind was not collected or access to it was refused.
    NotCollected = "not-collected", Warning;
    /// A policy or field has no meaning that the specification gives.
    InvalidPolicy = "invalid-policy", Warning;
    /// Policies are in the input that nothing in it enforces.
    NotEnforced = "not-enforced", Warning;
    /// Objects of a kind that decides something are in the input, but are not modelled.
    NotModelled = "not-modelled", Warning;
}

/// One thing to know about the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// What kind of thing.
    pub code: Code,
    /// The object it is about, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<ObjectId>,
    /// Where in the input.
    pub source: Source,
    /// What is wrong, in lower case, without a full stop.
    pub message: Text,
    /// What to do about it; empty if there is nothing to do.
    #[serde(skip_serializing_if = "str::is_empty", default)]
    pub hint: Text,
}

impl Diagnostic {
    /// Returns a diagnostic about a place in the input.
    pub fn new(code: Code, source: Source, message: impl Into<Text>, hint: impl Into<Text>) -> Self {
        Self {
            code,
            object: None,
            source,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Returns the same diagnostic, about one object.
    #[must_use]
    pub fn about(mut self, object: ObjectId) -> Self {
        self.object = Some(object);
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_file() {
            write!(f, "{}: ", self.source)?;
        }
        write!(f, "{}", self.message)?;
        if let Some(object) = &self.object {
            write!(f, " ({object})")?;
        }
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        write!(f, " [{}]", self.code.as_str())
    }
}
