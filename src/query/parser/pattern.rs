//! Patterns: paths, nodes, relationships and label expressions.
//!
//! **Trap.** `:A|B` of a relationship and of a node mean the same; `:A|:B` is the old spelling, kept for
//! relationships. `:A:B` means both and cannot be mixed with `|`, `&` and `!` without brackets.

use super::super::ast::{Direction, Labels, Length, LinkPattern, NodePattern, Pattern, Shortest};
use super::super::error::{Fault, QueryError, Result};
use super::super::token::Token;
use super::{HOPS, Parser};

impl Parser {
    /// Parses `p = (a)-[r]->(b)` or `p = shortestPath(…)`.
    pub(super) fn pattern(&mut self) -> Result<Pattern> {
        let start = self.here();
        let is_named = self.is_name() && self.is_sign_at(self.at + 1, "=");
        let name = if is_named {
            let name = self.name("a name")?;
            self.at += 1;
            Some(name)
        } else {
            None
        };
        let selection = self.selection()?;
        let shortest = self.shortest_word();
        let mut pattern = match shortest {
            Some(_) => {
                self.at += 2;
                let pattern = self.chain_of_nodes()?;
                self.expect(")")?;
                pattern
            }
            None if self.is_whole_group() => {
                let (mut pattern, filter) = self.group()?;
                pattern.inner = filter;
                pattern
            }
            None => self.chain_of_nodes()?,
        };
        if let (Some(selection), Some(_)) = (&selection, shortest) {
            let message = "shortestPath selects already";
            return Err(QueryError::new(Fault::Meaning, selection.span, message));
        }
        pattern.name = name;
        pattern.shortest = shortest;
        pattern.selection = selection;
        pattern.span = self.since(start);
        if shortest.is_some() && (pattern.hops.len() != 1 || pattern.hops[0].0.length.is_none()) {
            let message = "shortestPath takes one variable-length relationship between two nodes";
            let error = QueryError::new(Fault::Meaning, pattern.span, message);
            return Err(error.help("for example shortestPath((a)-[*..10]->(b))"));
        }
        if let Some(length) = pattern.hops.first().and_then(|(link, _)| link.length)
            && shortest.is_some()
            && length.least > 1
        {
            let what = "shortestPath with a least length above 1";
            return Err(Self::not_supported(pattern.hops[0].0.span, what));
        }
        Ok(pattern)
    }

    /// Whether `shortestPath(` or `allShortestPaths(` is next.
    pub(super) fn shortest_word(&self) -> Option<Shortest> {
        if !self.is_sign_at(self.at + 1, "(") {
            return None;
        }
        if self.is_word("shortestPath") {
            Some(Shortest::One)
        } else if self.is_word("allShortestPaths") {
            Some(Shortest::All)
        } else {
            None
        }
    }

    /// Whether the brackets that come next hold a whole path and nothing but a condition.
    fn is_whole_group(&self) -> bool {
        let behind = self.partners[self.at.min(self.partners.len() - 1)] + 1;
        let goes_on = ["+", "*", "{", "(", "-", "<"]
            .iter()
            .any(|sign| self.is_sign_at(behind, sign));
        self.is_group() && !goes_on
    }

    pub(super) fn chain_of_nodes(&mut self) -> Result<Pattern> {
        let start = self.here();
        let node = if self.is_group() {
            self.no_node()
        } else {
            self.with_bar(false, Self::node)?
        };
        let mut hops = Vec::new();
        loop {
            if self.hops > HOPS {
                let message = format!("the patterns of the query have more than {HOPS} relationships");
                return Err(QueryError::new(Fault::Syntax, self.here(), message));
            }
            self.hops += 1;
            let link = if self.is_group() {
                self.quantified_group()?
            } else if self.is_dash_at(self.at) || self.is_sign("<") {
                self.with_bar(false, Self::link)?
            } else {
                self.hops -= 1;
                break;
            };
            let has_node = self.is_sign("(") && !self.is_group();
            let next = if link.group.is_some() && !has_node {
                self.no_node()
            } else {
                self.with_bar(false, Self::node)?
            };
            hops.push((link, next));
        }
        Ok(Pattern {
            name: None,
            shortest: None,
            selection: None,
            inner: None,
            start: node,
            hops,
            span: self.since(start),
        })
    }

    fn node(&mut self) -> Result<NodePattern> {
        let start = self.here();
        self.expect("(")?;
        let name = if self.is_name() && !self.is_inline_where() {
            Some(self.name("a name")?)
        } else {
            None
        };
        let labels = if self.is_sign(":") || self.is_word("IS") {
            Some(self.labels()?)
        } else {
            None
        };
        let properties = self.properties()?;
        let filter = if self.word("WHERE") {
            Some(self.expression()?)
        } else {
            None
        };
        self.expect(")")?;
        Ok(NodePattern {
            name,
            labels,
            properties,
            filter,
            span: self.since(start),
        })
    }

    /// Whether WHERE is next and no variable of that name.
    fn is_inline_where(&self) -> bool {
        let next = self.token(self.at + 1);
        self.is_word("WHERE") && !matches!(next, Token::Sign(")" | "]" | ":" | "{" | "*"))
    }

    fn properties(&mut self) -> Result<Option<crate::query::ast::Expr>> {
        match self.peek() {
            Token::Sign("{") | Token::Parameter(_) => self.nested(Self::atom).map(Some),
            _ => Ok(None),
        }
    }

    fn link(&mut self) -> Result<LinkPattern> {
        let start = self.here();
        let left = self.sign("<");
        self.dash()?;
        let mut link = LinkPattern {
            name: None,
            types: None,
            properties: None,
            filter: None,
            cost: None,
            direction: Direction::Both,
            length: None,
            group: None,
            span: start,
        };
        if self.sign("[") {
            if self.is_name() && !self.is_inline_where() {
                link.name = Some(self.name("a name")?);
            }
            if self.is_sign(":") || self.is_word("IS") {
                link.types = Some(self.labels()?);
            }
            if self.sign("*") {
                link.length = Some(self.length()?);
            }
            link.properties = self.properties()?;
            if self.word("WHERE") {
                link.filter = Some(self.expression()?);
            }
            if self.word("COST") {
                link.cost = Some(self.expression()?);
            }
            self.expect("]")?;
        }
        self.dash()?;
        let right = self.sign(">");
        link.direction = match (left, right) {
            (true, false) => Direction::Left,
            (false, true) => Direction::Right,
            _ => Direction::Both,
        };
        self.quantifier(&mut link)?;
        link.span = self.since(start);
        Ok(link)
    }

    fn dash(&mut self) -> Result<()> {
        if !self.is_dash_at(self.at) {
            return Err(self.expected("`-`"));
        }
        self.at += 1;
        Ok(())
    }

    /// `*` and what follows it within brackets: nothing, `2`, `1..`, `..3`, `1..3`.
    fn length(&mut self) -> Result<Length> {
        let least = self.whole()?;
        if !self.sign("..") {
            return Ok(Length {
                least: least.unwrap_or(1),
                most: least,
            });
        }
        Ok(Length {
            least: least.unwrap_or(1),
            most: self.whole()?,
        })
    }

    fn whole(&mut self) -> Result<Option<u64>> {
        match self.peek() {
            Token::Int(number) => {
                let number = *number;
                self.at += 1;
                Ok(Some(number))
            }
            Token::Sign("-") | Token::Float(_) => Err(self.expected("a whole number that is not negative")),
            _ => Ok(None),
        }
    }

    /// `+`, `*`, `{2}`, `{1,3}`, `{,3}`, `{1,}` after a relationship.
    pub(super) fn quantifier(&mut self, link: &mut LinkPattern) -> Result<()> {
        let here = self.here();
        let length = if self.sign("+") {
            Length { least: 1, most: None }
        } else if self.sign("*") {
            Length { least: 0, most: None }
        } else if self.sign("{") {
            let least = self.whole()?;
            let most = if self.sign(",") { self.whole()? } else { least };
            self.expect("}")?;
            Length {
                least: least.unwrap_or(0),
                most,
            }
        } else {
            return Ok(());
        };
        if link.length.is_some() {
            let message = "a relationship has a length already";
            return Err(QueryError::new(Fault::Syntax, here, message));
        }
        link.length = Some(length);
        Ok(())
    }

    /// A label expression after `:` or IS.
    pub(super) fn labels(&mut self) -> Result<Labels> {
        if !self.sign(":") {
            self.expect_word("IS")?;
        }
        let first = self.any_label()?;
        if !self.is_sign(":") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.sign(":") {
            all.push(self.one_label()?);
        }
        if matches!(all[0], Labels::Or(_) | Labels::And(_)) {
            let message = "`:A:B` cannot be mixed with `|` and `&`";
            return Err(
                QueryError::new(Fault::Syntax, self.here(), message).help("write `&` in place of `:`")
            );
        }
        Ok(Labels::And(all))
    }

    fn any_label(&mut self) -> Result<Labels> {
        let mut any = vec![self.all_labels()?];
        while !self.bar_ends && self.sign("|") {
            self.sign(":");
            any.push(self.all_labels()?);
        }
        Ok(if any.len() == 1 {
            any.remove(0)
        } else {
            Labels::Or(any)
        })
    }

    fn all_labels(&mut self) -> Result<Labels> {
        let mut all = vec![self.one_label()?];
        while self.sign("&") {
            all.push(self.one_label()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Labels::And(all)
        })
    }

    fn one_label(&mut self) -> Result<Labels> {
        if self.sign("!") {
            return Ok(Labels::Not(Box::new(self.nested(Self::one_label)?)));
        }
        if self.sign("%") {
            return Ok(Labels::Any);
        }
        if self.sign("(") {
            let inner = self.nested(|parser| parser.with_bar(false, Self::any_label))?;
            self.expect(")")?;
            return Ok(inner);
        }
        Ok(Labels::Name(self.name("a label or type")?))
    }
}
