//! Clauses: MATCH, UNWIND, CALL, WITH, RETURN and their parts.
//!
//! **Trap.** EXISTS and COUNT may leave out RETURN, and so may a query that is nothing but a CALL of a procedure; no
//! other may.

use super::super::ast::{Call, Clause, ClauseKind, Imports, Item, Order, Projection, Union, Yields};
use super::super::error::{Fault, QueryError, Result};
use super::super::token::Token;
use super::{Parser, WRITES};

/// How many clauses may follow each other: each may nest values one level deeper.
const CLAUSES: usize = 100;

impl Parser {
    /// Parses single queries joined by UNION.
    pub(super) fn union(&mut self) -> Result<Union> {
        let start = self.here();
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
            let optional = self.word("OPTIONAL");
            let kind = if self.word("MATCH") {
                self.matched(optional)?
            } else if self.word("CALL") {
                self.call_clause(optional)?
            } else if optional {
                return Err(self.expected("MATCH or CALL"));
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
            let is_alone = clauses.is_empty() && matches!(kind, ClauseKind::Call(_));
            let span = self.since(start);
            clauses.push(Clause { kind, span });
            if is_alone && (self.peek() == &Token::End || self.is_sign(";")) {
                return Ok(clauses);
            }
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
                "LET" | "FILTER" | "USE" | "FINISH" | "FOR" | "ORDER" | "SKIP" | "LIMIT" | "OFFSET"
            ) {
                return Self::not_supported(self.here(), &format!("the clause {word} at this place"));
            }
        }
        if is_first {
            return self.expected("MATCH, OPTIONAL MATCH, UNWIND, CALL, WITH or RETURN");
        }
        let error = self.expected("another clause; a query ends with RETURN");
        error.help("say what to return: RETURN *")
    }

    /// What a CALL has after its keyword: a subquery in braces, or a procedure.
    fn call_clause(&mut self, optional: bool) -> Result<ClauseKind> {
        if self.is_sign("{") || self.is_sign("(") {
            return self.called_query(optional);
        }
        let mut procedure = self.name("a procedure, or a subquery in braces")?;
        while self.sign(".") {
            let next = self.name("a procedure")?;
            procedure.text = format!("{}.{}", procedure.text, next.text);
            procedure.span = procedure.span.to(next.span);
        }
        let arguments = if self.sign("(") {
            let arguments = if self.is_sign(")") {
                Vec::new()
            } else {
                self.separated(Self::expression)?
            };
            self.expect(")")?;
            Some(arguments)
        } else {
            None
        };
        let yields = if !self.word("YIELD") {
            Yields::Unsaid
        } else if self.sign("*") {
            Yields::Everything
        } else {
            Yields::Items(self.separated(|parser| {
                let name = parser.name("a result of the procedure")?;
                let renamed = if parser.word("AS") {
                    Some(parser.name("a name")?)
                } else {
                    None
                };
                Ok((name, renamed))
            })?)
        };
        let filter = if yields != Yields::Unsaid && self.word("WHERE") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(ClauseKind::Call(Call {
            procedure,
            arguments,
            yields,
            filter,
            optional,
        }))
    }

    /// `(x, y) { … }` or `{ … }`.
    fn called_query(&mut self, optional: bool) -> Result<ClauseKind> {
        let imports = if !self.sign("(") {
            Imports::Leading
        } else if self.sign("*") {
            Imports::Everything
        } else if self.is_sign(")") {
            Imports::Names(Vec::new())
        } else {
            Imports::Names(self.separated(|parser| parser.name("a variable"))?)
        };
        if imports != Imports::Leading {
            self.expect(")")?;
        }
        self.expect("{")?;
        let query = self.nested(Self::union)?;
        self.expect("}")?;
        if self.is_word("IN") {
            return Err(Self::not_supported(self.here(), "CALL { … } IN TRANSACTIONS"));
        }
        Ok(ClauseKind::Subquery {
            imports,
            query,
            optional,
        })
    }

    /// One or more, with commas between them.
    fn separated<T>(&mut self, parse: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut found = vec![parse(self)?];
        while self.sign(",") {
            found.push(parse(self)?);
        }
        Ok(found)
    }

    /// What a MATCH has after its keyword: patterns, and perhaps a condition.
    pub(super) fn matched(&mut self, optional: bool) -> Result<ClauseKind> {
        let patterns = self.separated(Self::pattern)?;
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
        let items = if !everything || self.sign(",") {
            self.separated(Self::item)?
        } else {
            Vec::new()
        };
        let order = if self.words(&["ORDER", "BY"]) {
            self.separated(Self::order)?
        } else {
            Vec::new()
        };
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

    fn order(&mut self) -> Result<Order> {
        let value = self.expression()?;
        let descending = self.word("DESC") || self.word("DESCENDING");
        if !descending && !self.word("ASC") {
            self.word("ASCENDING");
        }
        let nulls_first = if self.words(&["NULLS", "FIRST"]) {
            Some(true)
        } else if self.words(&["NULLS", "LAST"]) {
            Some(false)
        } else {
            None
        };
        Ok(Order {
            value,
            descending,
            nulls_first,
        })
    }
}
