//! Labels of Mermaid diagrams.
//!
//! **Trap.** Mermaid decodes `#60;` and then shows labels as HTML, in which the entity is still text; quotes, `#`,
//! `;` and markup can stand in a label in no other way.
//! Source: <https://mermaid.js.org/syntax/flowchart.html#special-characters-that-break-syntax>

use std::fmt::Write as _;

/// Characters of a label that are shown.
const LONGEST: usize = 80;

/// Returns a text as a quoted label, cut to a length that can be read; control characters become spaces.
pub fn label(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (at, character) in text.chars().enumerate() {
        if at == LONGEST {
            quoted.push('…');
            break;
        }
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '/' | '.' | ',' | '-' | '_' | ':' | '(' | ')' | '+' => {
                quoted.push(character);
            }
            _ if character.is_control() => quoted.push(' '),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(quoted, "#{};", u32::from(character));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Mermaid shows for a label.
    fn shown(label: &str) -> String {
        let mut text = String::new();
        let mut rest = label.trim_matches('"');
        while let Some((before, after)) = rest.split_once('#') {
            let (number, after) = after.split_once(';').unwrap();
            text.push_str(before);
            text.push(number.parse().ok().and_then(char::from_u32).unwrap());
            rest = after;
        }
        text + rest
    }

    proptest! {
        #[test]
        fn a_label_shows_its_text_and_holds_no_mark(text in any::<String>()) {
            let label = label(&text);
            prop_assert!(!label[1..label.len() - 1].contains(['"', '<', '>', '`', '\n', '&', '[', ']', '%', '|']));
            let start: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
            let shown = shown(&label);
            prop_assert_eq!(shown.trim_end_matches('…'), start.trim_end_matches('…'));
        }
    }
}
