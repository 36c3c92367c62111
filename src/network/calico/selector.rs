//! The selector language of Calico: `app == "web" && (has(tier) || team in {"a", "b"})`.
//!
//! **Trap.** `k != "v"` and `k not in {…}` hold for objects without the key. A selector of hostile input may be
//! nested without end, so depth is limited.
//! Source: <https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors>

use crate::model::Text;

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 64;

/// A selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selector {
    /// `all()`.
    All,
    /// `global()`: what is in no namespace.
    Global,
    /// The key is there.
    Has(Text),
    /// The key is there, with one of these values.
    In(Text, Vec<Text>),
    /// The key is there, with a value that is like this one.
    Like(Text, Likeness, Text),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// How a value is like another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    Contains,
    StartsWith,
    EndsWith,
}

impl Likeness {
    pub(super) fn holds(self, value: &str, part: &str) -> bool {
        match self {
            Self::Contains => value.contains(part),
            Self::StartsWith => value.starts_with(part),
            Self::EndsWith => value.ends_with(part),
        }
    }
}

impl Selector {
    /// Reads a selector; the empty one holds for everything.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
            depth: 0,
        };
        if parser.tokens.is_empty() {
            return Ok(Self::All);
        }
        let selector = parser.any()?;
        match parser.next() {
            None => Ok(selector),
            Some(token) => Err(format!("{} follows a complete selector", token.shown())),
        }
    }

    /// Whether it holds for an object with these labels.
    pub(super) fn holds(&self, label: &dyn Fn(&str) -> Option<Text>, functions: Functions) -> bool {
        match self {
            Self::All => functions.all,
            Self::Global => functions.global,
            Self::Has(key) => label(key).is_some(),
            Self::In(key, values) => label(key).is_some_and(|value| values.contains(&value)),
            Self::Like(key, likeness, part) => label(key).is_some_and(|value| likeness.holds(&value, part)),
            Self::Not(inner) => !inner.holds(label, functions),
            Self::And(parts) => parts.iter().all(|part| part.holds(label, functions)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(label, functions)),
        }
    }
}

/// What `all()` and `global()` say of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Functions {
    pub(super) all: bool,
    pub(super) global: bool,
}

impl Functions {
    /// In a selector of endpoints both hold for everything.
    ///
    /// Source: <https://github.com/projectcalico/calico/blob/master/libcalico-go/lib/selector/parser/ast.go>
    pub(super) const OF_ENDPOINTS: Self = Self {
        all: true,
        global: true,
    };

    /// In a selector of namespaces `all()` holds for what is in one, and `global()` for what is in none.
    pub(super) fn of_namespaces(is_namespaced: bool) -> Self {
        Self {
            all: is_namespaced,
            global: !is_namespaced,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A key.
    Key(String),
    /// A value in quotes.
    Value(String),
    /// An operator, bracket or word of the language.
    Sign(&'static str),
    /// `has(key)`.
    Has(String),
}

impl Token {
    fn shown(&self) -> &str {
        match self {
            Self::Key(text) | Self::Value(text) => text,
            Self::Sign(sign) => sign,
            Self::Has(_) => "has()",
        }
    }
}

const SIGNS: [&str; 10] = ["==", "!=", "&&", "||", "(", ")", "{", "}", ",", "!"];
const CONTAINS: &str = "contains";
const STARTS_WITH: &str = "starts with";
const ENDS_WITH: &str = "ends with";
const IN: &str = "in";
const NOT_IN: &str = "not in";
const ALL: &str = "all()";
const GLOBAL: &str = "global()";

fn skipped(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

/// Words that may follow a key: those of two words may have any space between them, or none.
const OPERATORS: [(&str, &str, &str); 5] = [
    ("contains", "", CONTAINS),
    ("starts", "with", STARTS_WITH),
    ("ends", "with", ENDS_WITH),
    ("not", "in", NOT_IN),
    ("in", "", IN),
];

/// The length of the key that a text begins with.
fn key_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = skipped(text);
    while let Some(first) = rest.chars().next() {
        let after_key = matches!(tokens.last(), Some(Token::Key(_)));
        let (token, left) = if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), &rest[sign.len()..])
        } else if first == '"' || first == '\'' {
            let end = rest[1..]
                .find(first)
                .ok_or("the quote of a value is not closed")?;
            (Token::Value(rest[1..=end].to_owned()), &rest[end + 2..])
        } else if after_key {
            operator(rest).ok_or_else(|| format!("an operator is missing before {rest}"))?
        } else {
            word(rest)?
        };
        tokens.push(token);
        rest = skipped(left);
    }
    Ok(tokens)
}

/// The operator of letters that a text begins with, and the rest.
fn operator(text: &str) -> Option<(Token, &str)> {
    OPERATORS.into_iter().find_map(|(first, second, sign)| {
        let rest = text.strip_prefix(first)?;
        let rest = if second.is_empty() {
            rest
        } else {
            skipped(rest).strip_prefix(second)?
        };
        Some((Token::Sign(sign), rest))
    })
}

/// The key or function that a text begins with, and the rest.
fn word(text: &str) -> Result<(Token, &str), String> {
    for (name, sign) in [("all(", ALL), ("global(", GLOBAL)] {
        if let Some(rest) = text.strip_prefix(name) {
            let rest = skipped(rest).strip_prefix(')');
            let rest = rest.ok_or_else(|| format!("{sign} takes nothing within its parentheses"))?;
            return Ok((Token::Sign(sign), rest));
        }
    }
    if let Some(rest) = text.strip_prefix("has(") {
        let rest = skipped(rest);
        let (key, rest) = rest.split_at(key_length(rest));
        return match (key.is_empty(), skipped(rest).strip_prefix(')')) {
            (false, Some(rest)) => Ok((Token::Has(key.to_owned()), rest)),
            _ => Err("has() needs one label".to_owned()),
        };
    }
    let length = key_length(text);
    if length == 0 {
        let first: String = text.chars().take(1).collect();
        return Err(format!("{first} is no part of a selector"));
    }
    Ok((Token::Key(text[..length].to_owned()), &text[length..]))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn is_next(&mut self, sign: &str) -> bool {
        let next = matches!(self.tokens.get(self.at), Some(Token::Sign(known)) if *known == sign);
        self.at += usize::from(next);
        next
    }

    fn any(&mut self) -> Result<Selector, String> {
        let mut parts = vec![self.all()?];
        while self.is_next("||") {
            parts.push(self.all()?);
        }
        Ok(alone(parts, Selector::Or))
    }

    fn all(&mut self) -> Result<Selector, String> {
        let mut parts = vec![self.one()?];
        while self.is_next("&&") {
            parts.push(self.one()?);
        }
        Ok(alone(parts, Selector::And))
    }

    fn one(&mut self) -> Result<Selector, String> {
        let mut negated = false;
        while self.is_next("!") {
            negated = !negated;
        }
        let selector = match self.next() {
            Some(Token::Has(key)) => Selector::Has(Text::new(&key)),
            Some(Token::Sign(ALL)) => Selector::All,
            Some(Token::Sign(GLOBAL)) => Selector::Global,
            Some(Token::Key(key)) => self.comparison(&Text::new(&key))?,
            Some(Token::Sign("(")) => self.nested()?,
            other => return Err(format!("expected a label, found {}", shown(other.as_ref()))),
        };
        Ok(if negated {
            Selector::Not(Box::new(selector))
        } else {
            selector
        })
    }

    fn nested(&mut self) -> Result<Selector, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} levels of parentheses"));
        }
        let inner = self.any()?;
        if !self.is_next(")") {
            return Err(format!("expected ), found {}", shown(self.next().as_ref())));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self, key: &Text) -> Result<Selector, String> {
        let not = |selector| Selector::Not(Box::new(selector));
        let like = |likeness, value| Selector::Like(key.clone(), likeness, value);
        match self.next() {
            Some(Token::Sign("==")) => Ok(Selector::In(key.clone(), vec![self.value()?])),
            Some(Token::Sign("!=")) => Ok(not(Selector::In(key.clone(), vec![self.value()?]))),
            Some(Token::Sign(IN)) => Ok(Selector::In(key.clone(), self.values()?)),
            Some(Token::Sign(NOT_IN)) => Ok(not(Selector::In(key.clone(), self.values()?))),
            Some(Token::Sign(CONTAINS)) => Ok(like(Likeness::Contains, self.value()?)),
            Some(Token::Sign(STARTS_WITH)) => Ok(like(Likeness::StartsWith, self.value()?)),
            Some(Token::Sign(ENDS_WITH)) => Ok(like(Likeness::EndsWith, self.value()?)),
            other => Err(format!(
                "expected an operator after {key}, found {}",
                shown(other.as_ref())
            )),
        }
    }

    fn value(&mut self) -> Result<Text, String> {
        match self.next() {
            Some(Token::Value(value)) => Ok(Text::new(&value)),
            other => Err(format!(
                "expected a value in quotes, found {}",
                shown(other.as_ref())
            )),
        }
    }

    /// The values of a set; after the last one a comma may follow.
    fn values(&mut self) -> Result<Vec<Text>, String> {
        if !self.is_next("{") {
            return Err(format!("expected {{, found {}", shown(self.next().as_ref())));
        }
        let mut values = Vec::new();
        while !self.is_next("}") {
            values.push(self.value()?);
            if !self.is_next(",") && !matches!(self.tokens.get(self.at), Some(Token::Sign("}"))) {
                return Err(format!("expected }}, found {}", shown(self.next().as_ref())));
            }
        }
        Ok(values)
    }
}

fn shown(token: Option<&Token>) -> &str {
    token.map_or("the end", Token::shown)
}

fn alone(mut parts: Vec<Selector>, many: fn(Vec<Selector>) -> Selector) -> Selector {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let label = |key: &str| {
            let known = labels.iter().find(|(known, _)| *known == key);
            known.map(|(_, value)| Text::new(value))
        };
        Selector::parse(selector)
            .unwrap()
            .holds(&label, Functions::of_namespaces(true))
    }

    #[test]
    fn every_operator() {
        let web = [("app", "web"), ("tier", "front-end")];
        for selector in [
            "",
            "all()",
            "app == 'web'",
            "app==\"web\"",
            "app != 'db'",
            "other != 'x'",
            "has(app)",
            "has( app )",
            "!has(other)",
            "!!has(app)",
            "app in {'db', 'web'}",
            "app in {'db', 'web',}",
            "app in{'web'}",
            "app not in {'db'}",
            "app notin {'db'}",
            "other not in {'x'}",
            "tier contains 'nt-e'",
            "tier starts with 'front'",
            "tier startswith 'front'",
            "tier ends with 'end'",
            "app == 'db' || has(tier) && !(app == 'db')",
            "(app == 'db' || app == 'web') && has(tier)",
            "app in {} || all()",
        ] {
            assert!(selects(selector, &web), "{selector}");
        }
        for selector in [
            "global()",
            "app == 'db'",
            "app != 'web'",
            "has(other)",
            "app in {}",
            "tier starts with 'end'",
            "other contains ''",
            "!all()",
        ] {
            assert!(!selects(selector, &web), "{selector}");
        }
        assert!(selects("in == 'a' && not == 'b'", &[("in", "a"), ("not", "b")]));
        assert!(selects("all == 'a' && has == 'b'", &[("all", "a"), ("has", "b")]));
    }

    #[test]
    fn broken_selectors_are_errors() {
        for selector in [
            "app ==",
            "app = 'web'",
            "(app == 'web'",
            "app == 'web')",
            "app == web",
            "app == 'web",
            "has()",
            "has(a b)",
            "all(x)",
            "&&",
            "app && tier",
            "app in {'a' 'b'}",
            "app in ('a')",
            "app in {'a'",
            "app",
            "app like 'x'",
            "app == 'a' tier == 'b'",
            "app & 'a'",
            "é == 'a'",
        ] {
            assert!(Selector::parse(selector).is_err(), "{selector}");
        }
        assert!(Selector::parse(&"(".repeat(100_000)).is_err());
        assert!(Selector::parse(&"!".repeat(100_000)).is_err());
        let long = format!("{}has(a)", "has(a) || ".repeat(50_000));
        assert!(selects(&long, &[("a", "")]));
    }
}
