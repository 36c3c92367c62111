//! Expressions, by precedence climbing.
//!
//! From loose to tight: OR, XOR, AND, NOT, comparisons, predicates (IN, STARTS WITH, IS NULL …), `+ -`, `* / %`, `^`,
//! signs, `.x [i] :L`.
//!
//! **Trap.** Comparisons chain (`1 < x < 3` means both), and `^` groups to the left, unlike in most languages.

use super::super::ast::{
    Comparison, Expr, ExprKind, Labels, Operator, Quantifier, Selector, Subquery, Union,
};
use super::super::error::{Fault, QueryError, Result, Span};
use super::super::token::{DASH, Token};
use super::Parser;

/// Binary operators above comparisons: the sign, its level, what it means.
const ARITHMETIC: &[(&str, u8, Operator)] = &[
    ("+", ADD, Operator::Add),
    ("-", ADD, Operator::Subtract),
    ("*", MULTIPLY, Operator::Multiply),
    ("/", MULTIPLY, Operator::Divide),
    ("%", MULTIPLY, Operator::Remainder),
    ("^", POWER, Operator::Power),
];
const COMPARISONS: &[(&str, Comparison)] = &[
    ("=", Comparison::Equal),
    ("<>", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];
const PREDICATE: u8 = 6;
const ADD: u8 = 7;
const MULTIPLY: u8 = 8;
const POWER: u8 = 9;

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.nested(Self::or)
    }

    fn finish(&self, start: Span, kind: ExprKind) -> Expr {
        Expr {
            kind,
            span: self.since(start),
        }
    }

    fn or(&mut self) -> Result<Expr> {
        let start = self.here();
        let mut any = vec![self.xor()?];
        while self.word("OR") {
            any.push(self.xor()?);
        }
        Ok(if any.len() == 1 {
            any.remove(0)
        } else {
            self.finish(start, ExprKind::Or(any))
        })
    }

    fn xor(&mut self) -> Result<Expr> {
        let start = self.here();
        let (mut left, mut links) = (self.and()?, 0);
        while self.word("XOR") {
            self.chained(&mut links)?;
            let right = self.and()?;
            left = self.finish(start, ExprKind::Xor(boxed(left), boxed(right)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let start = self.here();
        let mut all = vec![self.not()?];
        while self.word("AND") {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            self.finish(start, ExprKind::And(all))
        })
    }

    fn not(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.is_word("NOT") && !self.is_word_a_name() {
            self.at += 1;
            let inner = self.nested(Self::not)?;
            return Ok(self.finish(start, ExprKind::Not(boxed(inner))));
        }
        self.comparison()
    }

    /// Whether the next word, a keyword otherwise, can only be a variable here.
    fn is_word_a_name(&self) -> bool {
        matches!(
            self.token(self.at + 1),
            Token::Sign("." | ")" | "," | "]" | "}") | Token::End
        )
    }

    fn comparison(&mut self) -> Result<Expr> {
        let start = self.here();
        let first = self.binary(PREDICATE)?;
        let mut rest = Vec::new();
        while let Some((_, comparison)) = COMPARISONS.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.at += 1;
            rest.push((*comparison, self.binary(PREDICATE)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(self.finish(start, ExprKind::Compare(boxed(first), rest)))
    }

    /// Operators of this level and above.
    fn binary(&mut self, level: u8) -> Result<Expr> {
        let start = self.here();
        let (mut left, mut links) = (self.signed()?, 0);
        loop {
            let arithmetic = ARITHMETIC
                .iter()
                .find(|(sign, own, _)| *own >= level && self.is_sign(sign));
            if let Some(&(_, own, operator)) = arithmetic {
                self.at += 1;
                self.chained(&mut links)?;
                let right = self.binary(own + 1)?;
                left = self.finish(start, ExprKind::Binary(operator, boxed(left), boxed(right)));
            } else if level > PREDICATE {
                return Ok(left);
            } else if let Some(operator) = self.predicate_word() {
                self.chained(&mut links)?;
                let right = self.binary(ADD)?;
                left = self.finish(start, ExprKind::Binary(operator, boxed(left), boxed(right)));
            } else if self.is_word("IS") {
                self.at += 1;
                self.chained(&mut links)?;
                let negated = self.word("NOT");
                self.expect_word("NULL")?;
                left = self.finish(start, ExprKind::IsNull(boxed(left), negated));
            } else {
                return Ok(left);
            }
        }
    }

    fn predicate_word(&mut self) -> Option<Operator> {
        let words: &[(&[&str], Operator)] = &[
            (&["IN"], Operator::In),
            (&["STARTS", "WITH"], Operator::StartsWith),
            (&["ENDS", "WITH"], Operator::EndsWith),
            (&["CONTAINS"], Operator::Contains),
        ];
        if self.sign("=~") {
            return Some(Operator::Matches);
        }
        words
            .iter()
            .find(|(words, _)| self.words(words))
            .map(|(_, operator)| *operator)
    }

    fn signed(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.sign("-") {
            if let Token::Int(number) = *self.peek()
                && number == i64::MIN.unsigned_abs()
            {
                self.at += 1;
                return Ok(self.finish(start, ExprKind::Int(i64::MIN)));
            }
            let inner = self.nested(Self::signed)?;
            return Ok(self.finish(start, ExprKind::Negative(boxed(inner))));
        }
        if self.sign("+") {
            let inner = self.nested(Self::signed)?;
            return Ok(self.finish(start, ExprKind::Positive(boxed(inner))));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Expr> {
        let start = self.here();
        let (mut left, mut links) = (self.atom()?, 0);
        loop {
            let kind = if self.sign(".") {
                let name = self.name("a property")?;
                ExprKind::Property(boxed(left), name)
            } else if self.sign("[") {
                self.index(left)?
            } else if self.is_sign(":") {
                let labels: Labels = self.labels()?;
                ExprKind::HasLabels(boxed(left), labels)
            } else {
                return Ok(left);
            };
            self.chained(&mut links)?;
            left = self.finish(start, kind);
        }
    }

    fn index(&mut self, list: Expr) -> Result<ExprKind> {
        let from = if self.is_sign("..") {
            None
        } else {
            Some(boxed(self.expression()?))
        };
        let kind = if self.sign("..") {
            let to = if self.is_sign("]") {
                None
            } else {
                Some(boxed(self.expression()?))
            };
            ExprKind::Slice(boxed(list), from, to)
        } else {
            match from {
                Some(index) => ExprKind::Index(boxed(list), index),
                None => return Err(self.expected("an index")),
            }
        };
        self.expect("]")?;
        Ok(kind)
    }

    pub(super) fn atom(&mut self) -> Result<Expr> {
        let start = self.here();
        let kind = match self.peek().clone() {
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => self.taken(ExprKind::Int(number)),
                Err(_) => return Err(QueryError::new(Fault::Syntax, start, "the number is too large")),
            },
            Token::Float(number) => self.taken(ExprKind::Float(number)),
            Token::Text(text) => self.taken(ExprKind::Text(text.into())),
            Token::Parameter(name) => self.taken(ExprKind::Parameter(name)),
            Token::Quoted(_) if !self.is_sign_at(self.at + 1, "(") && !self.is_sign_at(self.at + 1, "{") => {
                ExprKind::Variable(self.name("a variable")?.text)
            }
            Token::Sign("[") => self.list()?,
            Token::Sign("{") => self.map()?,
            Token::Sign("(") if self.is_pattern_at(self.at) => {
                let pattern = self.chain_of_nodes()?;
                ExprKind::Pattern(Box::new(pattern))
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.with_bar(false, Self::expression)?;
                self.expect(")")?;
                return Ok(Expr {
                    kind: inner.kind,
                    span: self.since(start),
                });
            }
            Token::Word(_) | Token::Quoted(_) => self.word_atom()?,
            _ => return Err(self.expected("an expression")),
        };
        Ok(self.finish(start, kind))
    }

    fn taken(&mut self, kind: ExprKind) -> ExprKind {
        self.at += 1;
        kind
    }

    /// Whether the bracket at this place opens a pattern with at least one relationship.
    pub(super) fn is_pattern_at(&self, at: usize) -> bool {
        let mut inside = at + 1;
        if matches!(self.token(inside), Token::Word(_) | Token::Quoted(_)) {
            inside += 1;
        }
        let is_node = matches!(
            self.token(inside),
            Token::Sign(")" | ":" | "{") | Token::Parameter(_)
        ) || self.is_word_at(inside, "WHERE")
            || self.is_word_at(inside, "IS");
        let mut next = self.partners[at] + 1;
        if !is_node || next == at + 1 {
            return false;
        }
        if self.is_sign_at(next, "<") {
            next += 1;
        }
        if !self.is_dash_at(next) {
            return false;
        }
        next += 1;
        if self.is_sign_at(next, "[") && self.partners[next] != next {
            next = self.partners[next] + 1;
        }
        if !self.is_dash_at(next) {
            return false;
        }
        next += 1;
        let arrow = usize::from(self.is_sign_at(next, ">"));
        matches!(self.token(next + arrow), Token::Sign("(" | "+" | "*" | "{"))
    }

    fn word_atom(&mut self) -> Result<ExprKind> {
        let is_call = self.is_sign_at(self.at + 1, "(");
        let is_block = self.is_sign_at(self.at + 1, "{");
        if self.is_word("CASE") && !self.is_word_a_name() {
            return self.nested(Self::case);
        }
        for (word, subquery) in [
            ("EXISTS", Subquery::Exists),
            ("COUNT", Subquery::Count),
            ("COLLECT", Subquery::Collect),
        ] {
            if is_block && self.is_word(word) {
                self.at += 2;
                return self.nested(|parser| parser.subquery(subquery));
            }
        }
        if is_call || self.is_namespaced() {
            return self.nested(|parser| parser.with_bar(false, Self::call));
        }
        let kind = match self.peek() {
            Token::Word(word) if word.eq_ignore_ascii_case("true") => ExprKind::Bool(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => ExprKind::Bool(false),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => ExprKind::Null,
            _ => {
                let name = self.name("an expression")?;
                if is_block {
                    self.at += 1;
                    return self.nested(|parser| parser.map_projection(name));
                }
                return Ok(ExprKind::Variable(name.text));
            }
        };
        Ok(self.taken(kind))
    }

    /// Whether `a.b.c(` is next.
    fn is_namespaced(&self) -> bool {
        let mut at = self.at;
        while matches!(self.token(at), Token::Word(_)) && self.is_sign_at(at + 1, ".") {
            at += 2;
        }
        at > self.at && matches!(self.token(at), Token::Word(_)) && self.is_sign_at(at + 1, "(")
    }

    fn call(&mut self) -> Result<ExprKind> {
        if let Some(shortest) = self.shortest_word() {
            let pattern = self.pattern()?;
            debug_assert!(pattern.shortest == Some(shortest), "the word stays next");
            return Ok(ExprKind::Pattern(Box::new(pattern)));
        }
        for (word, quantifier) in [
            ("all", Quantifier::All),
            ("any", Quantifier::Any),
            ("none", Quantifier::None),
            ("single", Quantifier::Single),
        ] {
            if self.is_word(word) && self.is_word_at(self.at + 3, "IN") {
                self.at += 2;
                return self.quantified(quantifier);
            }
        }
        if self.is_word("reduce") && self.is_sign_at(self.at + 3, "=") {
            self.at += 2;
            return self.reduce();
        }
        let mut name = self.name("a function")?;
        while self.sign(".") {
            let next = self.name("a function")?;
            name.text = format!("{}.{}", name.text, next.text);
            name.span = name.span.to(next.span);
        }
        self.expect("(")?;
        if name.text.eq_ignore_ascii_case("count") && self.is_sign("*") && self.is_sign_at(self.at + 1, ")") {
            self.at += 2;
            return Ok(ExprKind::CountAll);
        }
        let distinct = self.word("DISTINCT");
        let mut arguments = Vec::new();
        if !self.is_sign(")") {
            arguments.push(self.expression()?);
            while self.sign(",") {
                arguments.push(self.expression()?);
            }
        }
        self.expect(")")?;
        Ok(ExprKind::Call {
            name,
            distinct,
            arguments,
        })
    }

    fn quantified(&mut self, quantifier: Quantifier) -> Result<ExprKind> {
        let name = self.name("a name")?;
        self.expect_word("IN")?;
        let list = boxed(self.expression()?);
        let filter = if self.word("WHERE") {
            Some(boxed(self.expression()?))
        } else {
            None
        };
        self.expect(")")?;
        Ok(ExprKind::Quantified {
            quantifier,
            name,
            list,
            filter,
        })
    }

    fn reduce(&mut self) -> Result<ExprKind> {
        let total = self.name("a name")?;
        self.expect("=")?;
        let first = boxed(self.expression()?);
        self.expect(",")?;
        let name = self.name("a name")?;
        self.expect_word("IN")?;
        let list = boxed(self.expression()?);
        self.expect("|")?;
        let value = boxed(self.expression()?);
        self.expect(")")?;
        Ok(ExprKind::Reduce {
            total,
            first,
            name,
            list,
            value,
        })
    }

    fn case(&mut self) -> Result<ExprKind> {
        self.expect_word("CASE")?;
        let subject = if self.is_word("WHEN") {
            None
        } else {
            Some(boxed(self.expression()?))
        };
        let mut branches = Vec::new();
        while self.word("WHEN") {
            let when = self.expression()?;
            self.expect_word("THEN")?;
            branches.push((when, self.expression()?));
        }
        if branches.is_empty() {
            return Err(self.expected("WHEN"));
        }
        let otherwise = if self.word("ELSE") {
            Some(boxed(self.expression()?))
        } else {
            None
        };
        self.expect_word("END")?;
        Ok(ExprKind::Case {
            subject,
            branches,
            otherwise,
        })
    }

    /// After the brace: a query, or a pattern with or without WHERE.
    fn subquery(&mut self, kind: Subquery) -> Result<ExprKind> {
        let start = self.here();
        let is_pattern = self.is_sign("(") || (self.is_name() && self.is_sign_at(self.at + 1, "="));
        let query = if is_pattern && kind != Subquery::Collect {
            self.pattern_query(start)?
        } else if kind == Subquery::Collect {
            self.union()?
        } else {
            let mut union = Union {
                parts: vec![self.single(false)?],
                all: Vec::new(),
                span: start,
            };
            while self.word("UNION") {
                union.all.push(self.word("ALL"));
                union.parts.push(self.single(false)?);
            }
            union.span = self.since(start);
            union
        };
        self.expect("}")?;
        Ok(ExprKind::Subquery(kind, Box::new(query)))
    }

    fn pattern_query(&mut self, start: Span) -> Result<Union> {
        let kind = self.matched(false)?;
        let span = self.since(start);
        Ok(Union {
            parts: vec![vec![crate::query::ast::Clause { kind, span }]],
            all: Vec::new(),
            span,
        })
    }

    fn list(&mut self) -> Result<ExprKind> {
        self.at += 1;
        let is_word = matches!(self.peek(), Token::Word(_) | Token::Quoted(_));
        if is_word && self.is_word_at(self.at + 1, "IN") {
            return self.comprehension();
        }
        let is_named = is_word && self.is_sign_at(self.at + 1, "=") && self.is_sign_at(self.at + 2, "(");
        if is_named && self.is_pattern_at(self.at + 2) || self.is_sign("(") && self.is_pattern_list() {
            let pattern = Box::new(self.pattern()?);
            let filter = if self.word("WHERE") {
                Some(boxed(self.with_bar(true, Self::expression)?))
            } else {
                None
            };
            self.expect("|")?;
            let value = boxed(self.expression()?);
            self.expect("]")?;
            return Ok(ExprKind::PatternComprehension {
                pattern,
                filter,
                value,
            });
        }
        let mut items = Vec::new();
        if !self.is_sign("]") {
            items.push(self.expression()?);
            while self.sign(",") {
                items.push(self.expression()?);
            }
        }
        self.expect("]")?;
        Ok(ExprKind::List(items))
    }

    /// Whether `(a)-[r]->(b)` followed by WHERE or `|` is next, and no list of predicates.
    fn is_pattern_list(&self) -> bool {
        if !self.is_pattern_at(self.at) {
            return false;
        }
        let mut at = self.at;
        loop {
            at = match self.token(at) {
                Token::Sign("(" | "[" | "{") if self.partners[at] != at => self.partners[at] + 1,
                Token::Sign("-" | DASH | "<" | ">" | "+" | "*") => at + 1,
                token => {
                    return matches!(token, Token::Sign("|")) || self.is_word_at(at, "WHERE");
                }
            };
        }
    }

    fn comprehension(&mut self) -> Result<ExprKind> {
        let name = self.name("a name")?;
        self.expect_word("IN")?;
        let list = boxed(self.with_bar(true, Self::expression)?);
        let filter = if self.word("WHERE") {
            Some(boxed(self.with_bar(true, Self::expression)?))
        } else {
            None
        };
        let value = if self.sign("|") {
            Some(boxed(self.expression()?))
        } else {
            None
        };
        self.expect("]")?;
        Ok(ExprKind::Comprehension {
            name,
            list,
            filter,
            value,
        })
    }

    fn map(&mut self) -> Result<ExprKind> {
        self.at += 1;
        let mut entries = Vec::new();
        if !self.is_sign("}") {
            loop {
                let key = self.name("a key")?;
                self.expect(":")?;
                entries.push((key, self.expression()?));
                if !self.sign(",") {
                    break;
                }
            }
        }
        self.expect("}")?;
        Ok(ExprKind::Map(entries))
    }

    fn map_projection(&mut self, name: crate::query::ast::Name) -> Result<ExprKind> {
        let mut selectors = Vec::new();
        if !self.is_sign("}") {
            loop {
                let selector = if self.sign(".") {
                    if self.sign("*") {
                        Selector::All
                    } else {
                        Selector::Property(self.name("a property")?)
                    }
                } else {
                    let key = self.name("a key")?;
                    if self.sign(":") {
                        Selector::Entry(key, self.expression()?)
                    } else {
                        Selector::Variable(key)
                    }
                };
                selectors.push(selector);
                if !self.sign(",") {
                    break;
                }
            }
        }
        self.expect("}")?;
        Ok(ExprKind::MapProjection(name, selectors))
    }
}
