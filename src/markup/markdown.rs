//! Markdown as GitHub renders it.
//!
//! Text of the cluster stands in code spans alone: within them nothing is markup, no address becomes a link, and
//! `@name` notifies nobody.
//!
//! **Trap.** In the cell of a table a `|` ends even a code span, so no code span may stand there.
//! Source: <https://github.github.com/gfm/#code-spans>

/// Returns a text as a code span; line breaks and other control characters become spaces.
pub fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let touches = |end: Option<char>| matches!(end, Some('`' | ' '));
    let is_blank = text.chars().all(|character| character == ' ');
    if !is_blank && (touches(text.chars().next()) || touches(text.chars().next_back())) {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Returns a text as a code block, whatever it holds.
pub fn fenced(language: &str, text: &str) -> String {
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;

    fn check(text: &str) {
        let document = format!("- before {} after\n", code(text));
        let spans: Vec<String> = Parser::new_ext(&document, Options::all())
            .filter_map(|event| match event {
                Event::Code(code) => Some(code.to_string()),
                Event::Html(html) | Event::InlineHtml(html) => panic!("{html}"),
                _ => None,
            })
            .collect();
        let shown: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let expected = if shown.is_empty() { vec![] } else { vec![shown] };
        assert_eq!(spans, expected, "{document}");
    }

    #[test]
    fn marks_are_text() {
        for text in [
            "`",
            "``",
            "a`b",
            " `a` ",
            "<b>@you</b>",
            "](http://x)",
            "\\`",
            "",
            " ",
            "|",
            "</script>",
            "a\nb",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn a_parser_reads_the_same_text(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn so_it_does_with_many_marks(text in "[` \\\\<>&|*_\\[\\]()#\n-]{0,12}") {
            check(&text);
        }
    }
}
