//! Why a request got no answer that can be used, in words, and whether asking again may help.
//!
//! **Trap.** Messages end up in reports: what a credential plugin printed may be a token and is not repeated.

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;

/// Longest message of a server that is passed on, in bytes.
const MAX_MESSAGE: usize = 300;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("forbidden: {0}")]
    Forbidden(String),
    #[error("the API server does not accept the credentials (401): {0}")]
    Unauthorized(String),
    #[error("not served: {0}")]
    NotServed(String),
    #[error("the API server cannot answer with metadata only (406): {0}")]
    NotAcceptable(String),
    #[error("the list expired while it was read (410): {message}")]
    Gone {
        message: String,
        /// Where a list of another moment may go on.
        resume: Option<String>,
    },
    #[error("the API server answered {code}: {message}")]
    Status {
        code: u16,
        message: String,
        retry_after: Option<Duration>,
    },
    #[error("cannot reach the API server: {0}")]
    Unreachable(String),
    #[error("the API server's certificate is not trusted: {0}")]
    Certificate(String),
    #[error("no whole answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    #[error("the answer is not what was asked for: {0}")]
    Garbage(String),
    #[error("the answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("no credentials: {0}")]
    Credentials(String),
}

impl Failure {
    /// Whether the same request may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 408 | 429 | 500 | 502..=504),
            Self::Unreachable(_) | Self::Timeout(_) | Self::BrokenOff(_) | Self::Garbage(_) => true,
            // A token may have been renewed meanwhile; it is tried once more.
            _ => false,
        }
    }

    /// How long the server wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Translates what the client could not do.
    pub(super) fn of_client(error: &kube::Error) -> Self {
        let words = words(error);
        match error {
            kube::Error::Auth(error) => Self::Credentials(of_auth(error)),
            _ if words.contains("certificate") => Self::Certificate(words),
            _ => Self::Unreachable(words),
        }
    }

    /// Translates an answer that is none of success.
    pub(super) fn of_status(code: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status: Status = serde_json::from_slice(body).unwrap_or_default();
        let message = match status.message {
            Some(message) if !message.is_empty() => shortened(&message),
            _ => "no reason given".to_owned(),
        };
        match code {
            401 => Self::Unauthorized(message),
            403 => {
                let reason = message.split_once("forbidden: ");
                Self::Forbidden(reason.map_or(message.as_str(), |(_, reason)| reason).to_owned())
            }
            404 | 405 => Self::NotServed(message),
            406 => Self::NotAcceptable(message),
            410 => Self::Gone {
                message,
                resume: status.metadata.resume.filter(|token| !token.is_empty()),
            },
            _ => Self::Status {
                code,
                message,
                retry_after: retry_after.or(status.details.retry_after_seconds.map(Duration::from_secs)),
            },
        }
    }
}

/// `Status` of the API, as far as it is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: Option<String>,
    metadata: StatusMeta,
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusMeta {
    #[serde(rename = "continue")]
    resume: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    retry_after_seconds: Option<u64>,
}

/// Why there are no credentials, without what a plugin printed.
pub(super) fn of_auth(error: &kube::client::AuthError) -> String {
    match error {
        kube::client::AuthError::AuthExecRun { cmd, out } => {
            format!(
                "the credential plugin `{}` failed with {}",
                shortened(cmd),
                out.status
            )
        }
        kube::client::AuthError::AuthExecParse(_) => {
            "what the credential plugin printed is no ExecCredential".to_owned()
        }
        other => words(other),
    }
}

/// An error and its causes on one line, each said once.
pub(super) fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    shortened(&text)
}

/// A text on one line, cut where it gets long.
pub(super) fn shortened(text: &str) -> String {
    let line = text.replace('\n', " ");
    line[..line.floor_char_boundary(MAX_MESSAGE)].to_owned()
}
