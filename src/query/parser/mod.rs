//! From tokens to a tree, by recursive descent.
//!
//! Whether a parenthesis opens a pattern or an expression is decided by looking at what stands behind its partner;
//! partners are found once, so nothing is parsed twice.
//!
//! **Trap.** Depth of the tree is bounded here (`NESTING` levels, `CHAIN` operators in a row beside them), as
//! whatever walks a tree later does so by recursion.

mod clause;
mod expression;
mod pattern;
mod selector;

use super::ast::{Asked, Name, Union};
use super::error::{Fault, QueryError, Result, Span};
use super::token::{DASH, Token, tokens};

/// How deep expressions, patterns and subqueries may nest.
const NESTING: usize = 40;
/// How many operators may follow each other without brackets; AND, OR, comparisons and lists do not count.
const CHAIN: usize = 200;
/// How many relationships all patterns of a query may have: a search goes some calls deeper with each.
const HOPS: usize = 300;
/// Words that begin a clause that changes the graph.
const WRITES: &[&str] = &[
    "CREATE", "MERGE", "SET", "DELETE", "DETACH", "REMOVE", "FOREACH", "LOAD", "DROP", "INSERT",
];

/// Parses one query; EXPLAIN or PROFILE may stand before it and a semicolon behind it.
pub(crate) fn parse(text: &str) -> Result<(Asked, Union)> {
    let mut parser = Parser::new(text)?;
    let asked = if parser.word("EXPLAIN") {
        Asked::Plan
    } else if parser.word("PROFILE") {
        Asked::Profile
    } else {
        Asked::Rows
    };
    let query = parser.union()?;
    parser.sign(";");
    if parser.peek() != &Token::End {
        return Err(parser.expected("the end of the query"));
    }
    Ok((asked, query))
}

pub(crate) struct Parser {
    tokens: Vec<(Token, Span)>,
    /// Of an opening bracket: the place of its partner.
    partners: Vec<usize>,
    at: usize,
    depth: usize,
    chain: usize,
    hops: usize,
    /// Whether `|` ends the expression, as in a list comprehension, and does not join labels.
    bar_ends: bool,
}

/// Finds the partner of each opening bracket; one without a partner is its own.
fn partners(tokens: &[(Token, Span)]) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..tokens.len()).collect();
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, (token, _)) in tokens.iter().enumerate() {
        let Token::Sign(sign) = token else { continue };
        let opening = match *sign {
            "(" | "[" | "{" => {
                open.push((at, sign));
                continue;
            }
            ")" => "(",
            "]" => "[",
            "}" => "{",
            _ => continue,
        };
        if let Some((place, _)) = open.pop_if(|(_, sign)| *sign == opening) {
            partners[place] = at;
        }
    }
    partners
}

impl Parser {
    pub(crate) fn new(text: &str) -> Result<Self> {
        let tokens = tokens(text)?;
        Ok(Self {
            partners: partners(&tokens),
            tokens,
            at: 0,
            depth: 0,
            chain: 0,
            hops: 0,
            bar_ends: false,
        })
    }

    fn token(&self, at: usize) -> &Token {
        self.tokens.get(at).map_or(&Token::End, |(token, _)| token)
    }

    fn peek(&self) -> &Token {
        self.token(self.at)
    }

    /// The place of the next token.
    fn here(&self) -> Span {
        let last = self.tokens.last().map(|(_, span)| *span);
        self.tokens
            .get(self.at)
            .map_or(last.unwrap_or_default(), |(_, span)| *span)
    }

    /// From the beginning of a span to the token before the next one.
    fn since(&self, start: Span) -> Span {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        start.to(last.map_or(start, |(_, span)| *span))
    }

    fn is_sign_at(&self, at: usize, sign: &str) -> bool {
        matches!(self.token(at), Token::Sign(found) if *found == sign)
    }

    /// Whether `-`, or a dash that stands for it in patterns, is at this place.
    fn is_dash_at(&self, at: usize) -> bool {
        self.is_sign_at(at, "-") || self.is_sign_at(at, DASH)
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.is_sign_at(self.at, sign)
    }

    /// Takes the sign if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{sign}`")))
        }
    }

    fn is_word_at(&self, at: usize, word: &str) -> bool {
        matches!(self.token(at), Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn is_word(&self, word: &str) -> bool {
        self.is_word_at(self.at, word)
    }

    /// Takes the words if they are next.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = (self.at..).zip(words).all(|(at, word)| self.is_word_at(at, word));
        if found {
            self.at += words.len();
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.words(&[word])
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.word(word) {
            Ok(())
        } else {
            Err(self.expected(word))
        }
    }

    fn is_name(&self) -> bool {
        matches!(self.peek(), Token::Word(_) | Token::Quoted(_))
    }

    fn name(&mut self, what: &str) -> Result<Name> {
        let span = self.here();
        match self.peek() {
            Token::Word(text) | Token::Quoted(text) => {
                if text.is_empty() && !matches!(what, "a key" | "a property") {
                    return Err(QueryError::new(Fault::Syntax, span, "a name is empty"));
                }
                let text = text.clone();
                self.at += 1;
                Ok(Name { text, span })
            }
            _ => Err(self.expected(what)),
        }
    }

    /// What stands next, for messages.
    fn found(&self) -> String {
        match self.peek() {
            Token::Word(text) => format!("`{text}`"),
            Token::Quoted(text) => format!("`{}`", text.escape_debug()),
            Token::Text(_) => "a string".to_owned(),
            Token::Int(_) | Token::Float(_) => "a number".to_owned(),
            Token::Parameter(name) => format!("`${name}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end of the query".to_owned(),
        }
    }

    fn expected(&self, what: &str) -> QueryError {
        if let Token::Word(word) = self.peek()
            && WRITES.iter().any(|write| word.eq_ignore_ascii_case(write))
        {
            return self.read_only();
        }
        let message = format!("expected {what}, found {}", self.found());
        QueryError::new(Fault::Syntax, self.here(), message)
    }

    fn read_only(&self) -> QueryError {
        QueryError::new(Fault::ReadOnly, self.here(), "this engine is read-only")
            .help("queries read the attack graph; what changes it is the cluster")
    }

    fn not_supported(span: Span, what: &str) -> QueryError {
        QueryError::new(
            Fault::NotSupported,
            span,
            format!("{what} is not supported by this engine"),
        )
    }

    /// Parses something that may contain itself.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= NESTING {
            let message = format!("the query nests deeper than {NESTING} levels");
            return Err(QueryError::new(Fault::Syntax, self.here(), message));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Parses something in which `|` ends an expression, or does not.
    fn with_bar<T>(&mut self, ends: bool, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.bar_ends, ends);
        let result = parse(self);
        self.bar_ends = before;
        result
    }

    /// Counts an operator that follows others in the same chain; `links` is how many those are.
    fn chained(&mut self, links: &mut usize) -> Result<()> {
        self.chain += usize::from(*links > 0);
        *links += 1;
        if self.chain > CHAIN {
            let message = format!("the query has more than {CHAIN} operators that follow each other");
            return Err(QueryError::new(Fault::Syntax, self.here(), message));
        }
        Ok(())
    }
}
