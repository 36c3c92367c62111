//! The words, numbers and signs of a query, each with its place.
//!
//! **Trap.** Keywords are ordinary words here: openCypher lets most of them name labels, types and properties, so only
//! the parser can tell. Arrows are single signs for the same reason: `a<-1` compares.

use super::error::{Fault, QueryError, Result, Span};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A name or keyword as written.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// A string, its escapes resolved.
    Text(String),
    /// A whole number without sign.
    Int(u64),
    /// A number with a fraction or exponent.
    Float(f64),
    /// `$name`.
    Parameter(String),
    /// Punctuation.
    Sign(&'static str),
    /// After the last one.
    End,
}

/// The longest query that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Punctuation, the longest first.
const SIGNS: &[&str] = &[
    "<=", ">=", "<>", "=~", "..", "+=", "(", ")", "[", "]", "{", "}", ",", ":", ";", "|", "&", "!", "%", "=",
    "<", ">", "+", "-", "*", "/", "^", ".",
];
/// The sign of any dash that is not `-`.
pub(crate) const DASH: &str = "–";
/// Dashes that editors and word processors put where `-` was typed; the language accepts them in patterns only.
const DASHES: &[char] = &['\u{00AD}', '‐', '‑', '‒', '–', '—', '―', '−', '﹘', '﹣', '－'];

/// Splits a query into tokens; the last one is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Span)>> {
    let mut lexer = Lexer { text, at: 0 };
    if text.len() > LONGEST {
        let message = format!("the query is longer than {LONGEST} bytes");
        return Err(QueryError::new(Fault::Syntax, lexer.span(0), message));
    }
    let mut found = Vec::new();
    loop {
        lexer.blank()?;
        let start = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        found.push((token, lexer.span(start)));
        if is_end {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Lexer<'_> {
    fn span(&self, start: usize) -> Span {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            start: place(start),
            end: place(self.at),
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, start: usize, message: impl Into<String>) -> QueryError {
        QueryError::new(Fault::Syntax, self.span(start), message)
    }

    /// Passes over characters and returns them.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    /// Passes over white space and comments.
    fn blank(&mut self) -> Result<()> {
        loop {
            self.take(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                let start = self.at;
                let Some(end) = self.rest().find("*/") else {
                    self.at += 2;
                    return Err(self
                        .error(start, "a comment is not closed")
                        .help("end it with */"));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token> {
        let Some(first) = self.peek() else {
            return Ok(Token::End);
        };
        let start = self.at;
        if begins_name(first) {
            return Ok(Token::Word(self.take(continues_name).to_owned()));
        }
        let second = self.rest().chars().nth(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        match first {
            '\'' | '"' => self.string(first).map(Token::Text),
            '`' => self.quoted().map(Token::Quoted),
            '$' => {
                self.at += 1;
                let name = match self.peek() {
                    Some('`') => self.quoted()?,
                    _ => self.take(continues_name).to_owned(),
                };
                if name.is_empty() {
                    return Err(self.error(start, "a parameter has no name after `$`"));
                }
                Ok(Token::Parameter(name))
            }
            dash if DASHES.contains(&dash) => {
                self.at += dash.len_utf8();
                Ok(Token::Sign(DASH))
            }
            _ => {
                if let Some(sign) = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
                    self.at += sign.len();
                    return Ok(Token::Sign(sign));
                }
                self.at += first.len_utf8();
                Err(self.error(start, format!("`{}` means nothing here", first.escape_debug())))
            }
        }
    }

    fn quoted(&mut self) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut name = String::new();
        loop {
            name.push_str(self.take(|c| c != '`'));
            if self.peek().is_none() {
                return Err(self.error(start, "a name in backquotes is not closed"));
            }
            self.at += 1;
            if self.peek() != Some('`') {
                break;
            }
            self.at += 1;
            name.push('`');
        }
        Ok(name)
    }

    fn string(&mut self, quote: char) -> Result<String> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c| c != quote && c != '\\'));
            match self.peek() {
                None => return Err(self.error(start, "a string is not closed")),
                Some('\\') => text.push(self.escape()?),
                Some(_) => {
                    self.at += 1;
                    return Ok(text);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let start = self.at;
        self.at += 1;
        let Some(sign) = self.peek() else {
            return Err(self.error(start, "a string is not closed"));
        };
        self.at += sign.len_utf8();
        let digits = match sign {
            '\\' | '\'' | '"' | '`' => return Ok(sign),
            'b' => return Ok('\u{8}'),
            'f' => return Ok('\u{c}'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'u' => 4,
            'U' => 8,
            _ => {
                let message = format!("`\\{}` is no escape", sign.escape_debug());
                return Err(self.error(start, message).help("write a backslash as \\\\"));
            }
        };
        let code = self
            .rest()
            .get(..digits)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                self.at += digits;
                Ok(c)
            }
            None => Err(self.error(
                start,
                format!("`\\{sign}` needs {digits} hexadecimal digits of a character"),
            )),
        }
    }

    fn number(&mut self) -> Result<Token> {
        let start = self.at;
        for (prefix, radix) in [("0x", 16), ("0o", 8)] {
            if self.rest().starts_with(prefix) {
                self.at += 2;
                let digits = self.take(continues_name).to_owned();
                return self.whole(start, &digits, radix);
            }
        }
        let digits = self.take(|c| c.is_ascii_digit()).to_owned();
        let mut is_float = false;
        let mut ahead = self.rest().chars();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            is_float = true;
            self.at += 1;
            self.take(|c| c.is_ascii_digit());
        }
        if self.peek().is_some_and(|c| matches!(c, 'e' | 'E')) {
            let sign = self.rest()[1..].starts_with(['+', '-']);
            let digits = &self.rest()[1 + usize::from(sign)..];
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                is_float = true;
                self.at += 1 + usize::from(sign);
                self.take(|c| c.is_ascii_digit());
            }
        }
        if self.peek().is_some_and(continues_name) {
            self.take(continues_name);
            return Err(self.error(start, "this is no number"));
        }
        if !is_float {
            return self.whole(start, &digits, 10);
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Float(number)),
            _ => Err(self.error(start, "the number is too large")),
        }
    }

    fn whole(&self, start: usize, digits: &str, radix: u32) -> Result<Token> {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(self.error(start, "this is no number"));
        }
        match u64::from_str_radix(digits, radix) {
            Ok(number) => Ok(Token::Int(number)),
            Err(_) => Err(self.error(start, "the number is too large")),
        }
    }
}
