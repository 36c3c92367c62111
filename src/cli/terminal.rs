//! Everything that is shown passes through here: strings of the cluster must not steer the terminal.
//!
//! Names, annotations and values are chosen by whoever writes manifests. Control characters (C0, DEL, C1),
//! marks that reorder text (bidirectional overrides) and invisible characters are shown as `\u202e`, which is
//! also what JSON means by it, so one function serves both forms.
//!
//! **Trap.** Colour is added after this, and taken away again by the stream when there is no terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::report::{Page, Tone};

/// Whether a character may change what a terminal or a reader sees of other characters.
fn is_unsafe(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the text with every unsafe character spelt out; line breaks stay.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut units = [0; 2];
    for character in text.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Returns the page as plain text.
pub(super) fn plain(page: &Page) -> String {
    let mut text = String::new();
    for line in page.lines() {
        text.push_str(&safe(&line.text));
        text.push('\n');
    }
    text
}

/// Writes the page with colour; streams without a terminal take it away.
///
/// # Errors
/// Returns the error of the stream.
pub(super) fn write_page(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    for line in page.lines() {
        let style = match line.tone {
            Tone::Plain => Style::new(),
            Tone::Heading => Style::new().bold(),
            Tone::Alarm => AnsiColor::Red.on_default().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        writeln!(out, "{style}{}{style:#}", safe(&line.text))?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_overrides_are_spelt_out() {
        assert_eq!(
            safe("a\u{1b}[31m\u{202e}b\u{9b}\u{7f}\n"),
            "a\\u001b[31m\\u202eb\\u009b\\u007f\n"
        );
        assert!(matches!(safe("plain é 日本"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(!safe(&text).contains(is_unsafe));
        }

        #[test]
        fn json_keeps_its_meaning(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            let read: String = serde_json::from_str(&safe(&written)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
