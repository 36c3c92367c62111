//! Path selectors, modes, and quantified path patterns.
//!
//! `[p =] [selector] [mode] [PATH|PATHS] pattern`, as in ISO GQL; CHEAPEST and COST are additions.
//!
//! **Trap.** `ANY`, `ALL` and the modes are names elsewhere: they select only before a bracket, a number or one another.

use super::super::ast::{
    By, Direction, Expr, ExprKind, Group, Length, LinkPattern, Mode, NodePattern, Pattern, Selection, Take,
};
use super::super::error::{Fault, QueryError, Result};
use super::super::token::Token;
use super::Parser;

impl Parser {
    /// What selects paths, if anything does.
    pub(super) fn selection(&mut self) -> Result<Option<Selection>> {
        let start = self.here();
        let one = |parser: &Self| Expr {
            kind: ExprKind::Int(1),
            span: parser.here(),
        };
        let mut by = By::Length;
        let mut take = None;
        if self.word("ANY") {
            if self.word("CHEAPEST") {
                by = By::Cost;
            } else {
                self.word("SHORTEST");
            }
            let count = self.number_of_paths()?;
            take = Some(Take::Paths(count.unwrap_or_else(|| one(self))));
        } else if self.word("ALL") {
            take = Some(if self.word("SHORTEST") {
                Take::Groups(one(self))
            } else if self.word("CHEAPEST") {
                by = By::Cost;
                Take::Groups(one(self))
            } else {
                Take::All
            });
        } else if self.is_word("SHORTEST") || self.is_word("CHEAPEST") {
            by = if self.is_word("CHEAPEST") {
                By::Cost
            } else {
                By::Length
            };
            self.at += 1;
            let count = self.number_of_paths()?;
            take = Some(self.paths_or_groups(count, by)?);
        }
        let mode = self.mode()?;
        if !(self.word("PATHS") || self.word("PATH")) && take.is_none() && mode.is_none() {
            return Ok(None);
        }
        if matches!(take, Some(Take::Paths(_))) && (self.word("GROUPS") || self.word("GROUP")) {
            let Some(Take::Paths(count)) = take else {
                return Ok(None);
            };
            take = Some(Take::Groups(count));
        }
        Ok(Some(Selection {
            take: take.unwrap_or(Take::All),
            by,
            mode,
            span: self.since(start),
        }))
    }

    fn paths_or_groups(&mut self, count: Option<Expr>, by: By) -> Result<Take> {
        let here = self.here();
        if self.word("GROUPS") || self.word("GROUP") {
            return Ok(Take::Groups(count.unwrap_or(Expr {
                kind: ExprKind::Int(1),
                span: here,
            })));
        }
        match count {
            Some(count) => Ok(Take::Paths(count)),
            None if by == By::Length => Err(self.expected("a number of paths, as in SHORTEST 3")),
            None => Err(self.expected("a number of paths, as in CHEAPEST 3")),
        }
    }

    fn number_of_paths(&mut self) -> Result<Option<Expr>> {
        match self.peek() {
            Token::Int(_) | Token::Parameter(_) => self.nested(Self::atom).map(Some),
            _ => Ok(None),
        }
    }

    fn mode(&mut self) -> Result<Option<Mode>> {
        for (word, mode) in [
            ("WALK", Mode::Walk),
            ("TRAIL", Mode::Trail),
            ("ACYCLIC", Mode::Acyclic),
        ] {
            if self.word(word) {
                return Ok(Some(mode));
            }
        }
        if self.is_word("SIMPLE") {
            return Err(Self::not_supported(self.here(), "the path mode SIMPLE"));
        }
        Ok(None)
    }

    /// Whether a bracket opens a path pattern in brackets: another bracket, or a path with a name, stands within.
    pub(super) fn is_group(&self) -> bool {
        if !self.is_sign("(") {
            return false;
        }
        self.is_sign_at(self.at + 1, "(")
    }

    /// A path in brackets: its pattern, its condition.
    pub(super) fn group(&mut self) -> Result<(Pattern, Option<Expr>)> {
        self.expect("(")?;
        let pattern = self.nested(Self::chain_of_nodes)?;
        let filter = if self.word("WHERE") {
            Some(self.with_bar(false, Self::expression)?)
        } else {
            None
        };
        self.expect(")")?;
        Ok((pattern, filter))
    }

    /// A quantified path as a relationship of its own.
    pub(super) fn quantified_group(&mut self) -> Result<LinkPattern> {
        let start = self.here();
        let (pattern, filter) = self.group()?;
        if pattern.hops.is_empty() {
            let message = "a quantified path has at least one relationship";
            return Err(QueryError::new(Fault::Syntax, pattern.span, message));
        }
        let is_plain = |link: &LinkPattern| link.length.is_none() && link.group.is_none();
        if !pattern.hops.iter().all(|(link, _)| is_plain(link)) {
            let message = "a quantified path cannot hold another quantifier";
            return Err(QueryError::new(Fault::Meaning, pattern.span, message));
        }
        let mut link = LinkPattern {
            name: None,
            types: None,
            properties: None,
            filter: None,
            cost: None,
            direction: Direction::Right,
            length: None,
            group: Some(Box::new(Group { pattern, filter })),
            span: start,
        };
        self.quantifier(&mut link)?;
        if link.length.is_none() {
            link.length = Some(Length {
                least: 1,
                most: Some(1),
            });
        }
        link.span = self.since(start);
        Ok(link)
    }

    /// A node that the text leaves out beside a quantified path.
    pub(super) fn no_node(&self) -> NodePattern {
        NodePattern {
            name: None,
            labels: None,
            properties: None,
            filter: None,
            span: self.here(),
        }
    }
}
