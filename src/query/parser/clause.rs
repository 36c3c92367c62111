//! Clauses: MATCH, UNWIND, WITH, RETURN and their parts.
//!
//! **Trap.** A subquery may leave out RETURN, a query may not.

use super::super::ast::{Clause, ClauseKind, Item, Projection, Union};
use super::super::error::{Fault, QueryError, Result};
use super::super::token::Token;
use super::{Parser, WRITES};

/// How many clauses may follow each other: each may nest values one level deeper.
const CLAUSES: usize = 100;

impl Parser {
    /// Parses single queries joined by UNION.
    pub(super) fn union(&mut self) -> Result<Union> {
        let start = self.here();
        for word in ["EXPLAIN", "PROFILE"] {
            if self.is_word(word) {
                return Err(Self::not_supported(start, word));
            }
        }
        let mut union = Union {
            parts: vec![self.single(true)?],
            all: Vec::new(),
            span: start,
        };
        while self.word("UNION") {
            let all = self.word("ALL");
            if !all {
                self.word("DISTINCT");
            }
            union.all.push(all);
            union.parts.push(self.single(true)?);
        }
        union.span = self.since(start);
        if union.all.iter().any(|all| *all != union.all[0]) {
            let message = "UNION and UNION ALL cannot be mixed in one query";
            return Err(QueryError::new(Fault::Meaning, union.span, message));
        }
        Ok(union)
    }

    /// Parses clauses up to RETURN, or, where that may be missing, to the end.
    pub(super) fn single(&mut self, needs_return: bool) -> Result<Vec<Clause>> {
        let mut clauses = Vec::new();
        loop {
            let start = self.here();
            if clauses.len() >= CLAUSES {
                let message = format!("the query has more than {CLAUSES} clauses");
                return Err(QueryError::new(Fault::Syntax, start, message));
            }
            let kind = if self.is_word("MATCH") || self.is_word("OPTIONAL") {
                self.match_clause()?
            } else if self.word("UNWIND") {
                let list = self.expression()?;
                self.expect_word("AS")?;
                ClauseKind::Unwind {
                    list,
                    name: self.name("a name")?,
                }
            } else if self.word("WITH") {
                ClauseKind::With(self.projection(true)?)
            } else if self.word("RETURN") {
                let projection = self.projection(false)?;
                let span = self.since(start);
                let kind = ClauseKind::Return(projection);
                clauses.push(Clause { kind, span });
                return Ok(clauses);
            } else if !needs_return && self.is_sign("}") && !clauses.is_empty() {
                return Ok(clauses);
            } else {
                return Err(self.no_clause(clauses.is_empty()));
            };
            let span = self.since(start);
            clauses.push(Clause { kind, span });
        }
    }

    fn no_clause(&self, is_first: bool) -> QueryError {
        if let Token::Word(word) = self.peek() {
            let word = word.to_uppercase();
            if WRITES.contains(&word.as_str()) {
                return self.read_only();
            }
            if matches!(
                word.as_str(),
                "CALL" | "LET" | "FILTER" | "USE" | "FINISH" | "FOR" | "ORDER" | "SKIP" | "LIMIT" | "OFFSET"
            ) {
                return Self::not_supported(self.here(), &format!("the clause {word} at this place"));
            }
        }
        if is_first {
            return self.expected("MATCH, OPTIONAL MATCH, UNWIND, WITH or RETURN");
        }
        let error = self.expected("another clause; a query ends with RETURN");
        error.help("say what to return: RETURN *")
    }

    fn match_clause(&mut self) -> Result<ClauseKind> {
        let optional = self.word("OPTIONAL");
        self.expect_word("MATCH")?;
        self.matched(optional)
    }

    /// What a MATCH has after its keyword: patterns, and perhaps a condition.
    pub(super) fn matched(&mut self, optional: bool) -> Result<ClauseKind> {
        let mut patterns = vec![self.pattern()?];
        while self.sign(",") {
            patterns.push(self.pattern()?);
        }
        let filter = if self.word("WHERE") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(ClauseKind::Match {
            optional,
            patterns,
            filter,
        })
    }

    fn projection(&mut self, is_with: bool) -> Result<Projection> {
        let distinct = self.word("DISTINCT");
        let everything = self.sign("*");
        let mut items = Vec::new();
        if !everything || self.sign(",") {
            items.push(self.item()?);
            while self.sign(",") {
                items.push(self.item()?);
            }
        }
        let mut order = Vec::new();
        if self.words(&["ORDER", "BY"]) {
            order.push(self.order()?);
            while self.sign(",") {
                order.push(self.order()?);
            }
        }
        let skip = if self.word("SKIP") || self.word("OFFSET") {
            Some(self.expression()?)
        } else {
            None
        };
        let limit = if self.word("LIMIT") {
            Some(self.expression()?)
        } else {
            None
        };
        let filter = if is_with && self.word("WHERE") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(Projection {
            distinct,
            everything,
            items,
            order,
            skip,
            limit,
            filter,
        })
    }

    fn item(&mut self) -> Result<Item> {
        let value = self.expression()?;
        let name = if self.word("AS") {
            Some(self.name("a name")?)
        } else {
            None
        };
        Ok(Item { value, name })
    }

    fn order(&mut self) -> Result<(crate::query::ast::Expr, bool)> {
        let value = self.expression()?;
        let descending = self.word("DESC") || self.word("DESCENDING");
        if !descending && !self.word("ASC") {
            self.word("ASCENDING");
        }
        if self.is_word("NULLS") {
            return Err(Self::not_supported(self.here(), "NULLS FIRST and NULLS LAST"));
        }
        Ok((value, descending))
    }
}
