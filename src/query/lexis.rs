//! What the words of a text are, also of one that is not finished: for highlighting, completion and prompts.
//!
//! **Trap.** A keyword may name a label or a property too; here it is a keyword wherever it stands as a word of its
//! own and not behind `:` or `.`.

use super::error::Span;
use super::token::{Token, tokens};

/// Words that the language knows.
pub const KEYWORDS: &[&str] = &[
    "ACYCLIC", "ALL", "AND", "ANY", "AS", "ASC", "BY", "CALL", "CASE", "CHEAPEST", "COLLECT", "CONTAINS",
    "COST", "COUNT", "DESC", "DISTINCT", "ELSE", "END", "ENDS", "EXISTS", "EXPLAIN", "FALSE", "GROUPS", "IN",
    "IS", "LIMIT", "MATCH", "NONE", "NOT", "NULL", "NULLS", "OPTIONAL", "OR", "ORDER", "PATHS", "PROFILE",
    "RETURN", "SHORTEST", "SINGLE", "SKIP", "STARTS", "THEN", "TRAIL", "TRUE", "UNION", "UNWIND", "WALK",
    "WHEN", "WHERE", "WITH", "XOR", "YIELD",
];

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lexeme {
    /// A word of the language.
    Keyword,
    /// A word before `(`.
    Function,
    /// A label or type.
    Label,
    /// Any other name.
    Name,
    /// A string.
    Text,
    /// A number.
    Number,
    /// `$name`.
    Parameter,
    /// Punctuation.
    Sign,
    /// What cannot be read, to the end.
    Wrong,
}

/// Returns what the words of a text are, in order; white space and comments lie between them.
pub fn lexemes(text: &str) -> Vec<(Lexeme, Span)> {
    let (found, wrong) = match tokens(text) {
        Ok(found) => (found, None),
        Err(error) => {
            let start = error.span.start as usize;
            let before = text.get(..start).unwrap_or_default();
            (tokens(before).unwrap_or_default(), Some(error.span.start))
        }
    };
    let mut lexemes: Vec<(Lexeme, Span)> = Vec::with_capacity(found.len());
    for (at, (token, span)) in found.iter().enumerate() {
        let before = at
            .checked_sub(1)
            .and_then(|at| found.get(at))
            .map(|(token, _)| token);
        let behind = found.get(at + 1).map(|(token, _)| token);
        let lexeme = match token {
            Token::End => break,
            Token::Word(word) => word_of(word, before, behind),
            Token::Quoted(_) => Lexeme::Name,
            Token::Text(_) => Lexeme::Text,
            Token::Int(_) | Token::Float(_) => Lexeme::Number,
            Token::Parameter(_) => Lexeme::Parameter,
            Token::Sign(_) => Lexeme::Sign,
        };
        lexemes.push((lexeme, *span));
    }
    if let Some(start) = wrong {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        lexemes.push((Lexeme::Wrong, Span { start, end }));
    }
    lexemes
}

fn word_of(word: &str, before: Option<&Token>, behind: Option<&Token>) -> Lexeme {
    let is_keyword = KEYWORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    match (before, behind) {
        (Some(Token::Sign(":" | "|" | "&" | "!")), _) => Lexeme::Label,
        (Some(Token::Sign(".")), _) => Lexeme::Name,
        (_, Some(Token::Sign("("))) if !is_keyword => Lexeme::Function,
        _ if is_keyword => Lexeme::Keyword,
        _ => Lexeme::Name,
    }
}

/// Whether a text is a whole statement: it ends with a semicolon, or with an empty line after a query.
pub fn is_statement(text: &str) -> bool {
    if text.trim().is_empty() {
        return true;
    }
    match tokens(text) {
        Ok(found) => {
            let last = found.len().checked_sub(2).and_then(|at| found.get(at));
            let ends = matches!(last, None | Some((Token::Sign(";"), _)));
            ends || (is_blank_at_end(text) && super::Query::parse(text).is_ok())
        }
        // A string or comment that is not closed goes on in the next line, unless two lines are empty.
        Err(_) => text.ends_with("\n\n"),
    }
}

/// The statements of a text, each with the semicolon that ends it; without those that are empty.
pub fn statements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    for (token, span) in tokens(text).unwrap_or_default() {
        if token == Token::Sign(";") {
            found.push(&text[begin..span.end as usize]);
            begin = span.end as usize;
        }
    }
    found.push(&text[begin..]);
    found.retain(|statement| !is_comment(statement.trim_end().trim_end_matches(';')));
    found
}

/// Whether a text ends with a semicolon, comments aside.
pub fn is_closed(text: &str) -> bool {
    let found = tokens(text).unwrap_or_default();
    let last = found.len().checked_sub(2).and_then(|at| found.get(at));
    matches!(last, Some((Token::Sign(";"), _)))
}

/// Whether a text holds nothing but comments.
pub fn is_comment(text: &str) -> bool {
    tokens(text).is_ok_and(|found| found.len() < 2)
}

fn is_blank_at_end(text: &str) -> bool {
    text.ends_with('\n') && text.trim_end_matches([' ', '\t', '\r', '\n']).len() < text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let text = "MATCH (n:Pod) WHERE size(n.match) > 1 RETURN 'a";
        let found: Vec<(Lexeme, &str)> = lexemes(text)
            .into_iter()
            .map(|(lexeme, span)| (lexeme, span.of(text)))
            .collect();
        for pair in [
            (Lexeme::Keyword, "MATCH"),
            (Lexeme::Label, "Pod"),
            (Lexeme::Function, "size"),
            (Lexeme::Name, "match"),
            (Lexeme::Wrong, "'a"),
        ] {
            assert!(found.contains(&pair), "{pair:?} in {found:?}");
        }
    }

    #[test]
    fn a_statement_ends_with_a_semicolon_or_an_empty_line() {
        assert!(is_statement("RETURN 1;"));
        assert!(is_statement("RETURN 1\n"));
        assert!(!is_statement("RETURN 1"));
        assert!(!is_statement("MATCH (n)\n"));
        assert!(!is_statement("RETURN ';"));
        assert!(!is_statement("RETURN 1 // ;"));
        assert_eq!(
            statements("RETURN ';' AS a; ; RETURN 2 // ;"),
            ["RETURN ';' AS a;", " RETURN 2 // ;"]
        );
        assert_eq!(statements("RETURN 'a;"), ["RETURN 'a;"]);
        assert!(is_closed("RETURN 1; // one") && !is_closed("RETURN 1 // ;"));
        assert!(is_comment("// one\n /* two */") && !is_comment("RETURN 1") && !is_comment("/* two"));
    }
}
