//! XML, for SVG, GraphML and JUnit.
//!
//! **Trap.** XML 1.0 has no way at all to write most control characters; they become U+FFFD.
//! Source: <https://www.w3.org/TR/xml/#charsets>

/// Returns a text for the content of an element.
pub fn content(text: &str) -> String {
    quoted(text)
}

/// Returns a text for an attribute's value between double quotes; line breaks and tabs keep their meaning.
pub fn attribute(text: &str) -> String {
    quoted(text)
}

/// One quoting for both places: what only one of them needs does no harm in the other.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => quoted.push_str("&amp;"),
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '"' => quoted.push_str("&quot;"),
            '\'' => quoted.push_str("&#39;"),
            '\t' => quoted.push_str("&#9;"),
            '\n' => quoted.push_str("&#10;"),
            '\r' => quoted.push_str("&#13;"),
            _ => quoted.push(held(character)),
        }
    }
    quoted
}

/// The character, or U+FFFD if XML cannot hold it.
fn held(character: char) -> char {
    match character {
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_parser_reads_the_same_text(text in any::<String>()) {
            let document = format!(r#"<a b="{}">{}</a>"#, attribute(&text), content(&text));
            let read = roxmltree::Document::parse(&document).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let expected: String = text
                .chars()
                .map(|character| if "\t\n\r".contains(character) { character } else { held(character) })
                .collect();
            prop_assert_eq!(read.root_element().attribute("b").unwrap_or_default(), &expected);
            prop_assert_eq!(read.root_element().text().unwrap_or_default(), &expected);
        }
    }
}
