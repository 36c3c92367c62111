//! Rust source as words, for the tests of the house: enough to see what a file names, not what it means.
//!
//! **Trap.** A word in a comment or in a string names nothing, and a brace in a character literal opens nothing.

/// A piece of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier, keyword or number.
    Word(String),
    /// One character of punctuation.
    Sign(char),
    /// A string, character or byte literal.
    Literal,
    /// The text of a comment.
    Comment(String),
}

/// A token and the line it begins on, from 1.
pub(crate) type Placed = (Token, usize);

/// Splits Rust source into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Placed> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        found: Vec::new(),
    };
    while reader.token() {}
    reader.found
}

/// The tokens that are neither comments nor literals.
pub(crate) fn code(text: &str) -> Vec<Placed> {
    let mut found = tokens(text);
    found.retain(|(token, _)| matches!(token, Token::Word(_) | Token::Sign(_)));
    found
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Placed>,
}

impl Reader<'_> {
    /// Takes one token, or says that there is none.
    fn token(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(end, Token::Comment(self.rest[..end].to_owned()));
        } else if self.rest.starts_with("/*") {
            let end = block_comment(self.rest);
            self.take(end, Token::Comment(self.rest[..end].to_owned()));
        } else if let Some(end) = literal(self.rest) {
            self.take(end, Token::Literal);
        } else if is_word(first) {
            let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
            self.take(end, Token::Word(self.rest[..end].to_owned()));
        } else if first.is_whitespace() {
            self.line += usize::from(first == '\n');
            self.rest = &self.rest[first.len_utf8()..];
        } else {
            self.take(first.len_utf8(), Token::Sign(first));
        }
        true
    }

    fn take(&mut self, size: usize, token: Token) {
        self.found.push((token, self.line));
        self.line += self.rest[..size].matches('\n').count();
        self.rest = &self.rest[size..];
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The size of the comment that `text` begins with; comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The size of the literal that `text` begins with, if it begins with one.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""]
        .into_iter()
        .find(|prefix| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(['"', '\'', '#']))
        })?
        .len();
    let body = &text[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if text[..prefix].contains('r') {
        let close = format!("\"{}", "#".repeat(hashes));
        let inside = body[hashes..].strip_prefix('"')?;
        return Some(
            inside
                .find(&close)
                .map_or(text.len(), |end| prefix + hashes + 1 + end + close.len()),
        );
    }
    match body.chars().next()? {
        '"' => Some(prefix + quoted(body, '"')),
        '\'' => {
            let mut inside = body[1..].chars();
            let (first, second) = (inside.next()?, inside.next()?);
            // Otherwise it is a lifetime or a label.
            (first == '\\' || second == '\'').then(|| prefix + quoted(body, '\''))
        }
        _ => None,
    }
}

/// The size of the literal between two of these quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn words_in_comments_and_literals_name_nothing() {
    let text = "/* a /* { */ } */ fn f<'a>(x: &'a str) { // kube\n  g('{', '\\'', b'\"', \"}\\\"\", r#\"\"}\"#, br\"{\"); }\nz";
    let signs = |sign| {
        code(text)
            .iter()
            .filter(|(token, _)| *token == Token::Sign(sign))
            .count()
    };
    assert_eq!((signs('{'), signs('}')), (1, 1));
    assert!(!code(text).contains(&(Token::Word("kube".to_owned()), 1)));
    assert_eq!(
        tokens(text)
            .iter()
            .filter(|(token, _)| *token == Token::Literal)
            .count(),
        6
    );
    assert_eq!(code(text).last(), Some(&(Token::Word("z".to_owned()), 3)));
}
