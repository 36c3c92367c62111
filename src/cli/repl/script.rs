//! Statements of a file or a pipe, one after the other.
//!
//! **Trap.** At the prompt the Enter key ends a query that is whole. Here a query may go on in the next line unless a
//! semicolon or an empty line ends it.

use super::command::is_command;
use crate::query::{Query, is_closed, is_comment};

/// Puts lines together to statements.
pub(super) struct Script<I>(pub(super) I);

impl<I: Iterator<Item = String>> Iterator for Script<I> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut text = String::new();
        for line in self.0.by_ref() {
            text.push_str(&line);
            text.push('\n');
            if is_comment(&text) {
                text.clear();
            } else if is_command(&text)
                || is_closed(&text)
                || (line.trim().is_empty() && Query::parse(&text).is_ok())
            {
                return Some(text);
            }
        }
        (!text.is_empty()).then_some(text)
    }
}
