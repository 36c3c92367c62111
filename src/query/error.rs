//! Why a query did not run: what is wrong, where in its text, and what may have been meant.
//!
//! **Trap.** Spans count bytes of the query's text and always lie on character boundaries; [`QueryError::shown`]
//! needs that very text.

use std::fmt::Write as _;

/// A stretch of the query's text, in bytes.
///
/// All spans are equal: two trees are the same when they mean the same, wherever they stand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Span {
    /// Returns the stretch from the beginning of one to the end of another.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start,
            end: other.end.max(self.start),
        }
    }

    /// Returns the text of the span.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The text is no query.
    Syntax,
    /// The query would change the graph.
    ReadOnly,
    /// The language has it, this engine does not.
    NotSupported,
    /// A name, an aggregation or a pattern does not mean anything where it stands.
    Meaning,
    /// A value has a type that the operation does not take.
    Type,
    /// A value has the right type, but not a value that the operation takes.
    Argument,
    /// A limit was met in the middle of an expression.
    Stopped,
}

impl Fault {
    /// The word for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::ReadOnly => "read-only",
            Self::NotSupported => "not supported",
            Self::Meaning => "meaning",
            Self::Type => "type",
            Self::Argument => "argument",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a query did not run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The kind of mistake.
    pub fault: Fault,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do, where that is known.
    pub help: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, QueryError>;

impl QueryError {
    pub(crate) fn new(fault: Fault, span: Span, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
            span,
            help: None,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Returns the message with the line of the query it is about and a mark below the place.
    ///
    /// # Example
    /// ```text
    /// unknown function `lenght`
    ///  --> 1:19
    ///   | MATCH (n) RETURN lenght(n)
    ///   |                  ^^^^^^
    ///   = help: did you mean length?
    /// ```
    pub fn shown(&self, text: &str) -> String {
        let start = (self.span.start as usize).min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let whole = text
            .get(begin..)
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        let column = before.get(begin..).unwrap_or_default().chars().count();
        let marked = self.span.of(text).lines().next().unwrap_or_default();
        let width = marked.chars().count().max(1);
        let mut shown = format!("{}\n --> {line}:{}\n", self.message, column + 1);
        let whole = whole.replace('\t', " ");
        let _ = writeln!(shown, "  | {whole}\n  | {:column$}{}", "", "^".repeat(width));
        if let Some(help) = &self.help {
            let _ = writeln!(shown, "  = help: {help}");
        }
        shown.truncate(shown.trim_end().len());
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_below_the_place() {
        let text = "MATCH (n)\nRETURN é + lenght(n)";
        let start = text.find("lenght").unwrap();
        let span = Span {
            start: u32::try_from(start).unwrap(),
            end: u32::try_from(start + 6).unwrap(),
        };
        let error =
            QueryError::new(Fault::Meaning, span, "unknown function `lenght`").help("did you mean length?");
        assert_eq!(
            error.shown(text),
            "unknown function `lenght`\n --> 2:12\n  | RETURN é + lenght(n)\n  |            ^^^^^^\n  = help: did you mean length?"
        );
        assert!(error.shown("").starts_with("unknown function"));
    }
}
