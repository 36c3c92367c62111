//! What a query means before it runs: every name is defined, every function exists, aggregations stand where they may.
//!
//! **Trap.** A label or type that the graph lacks is no mistake, as another cluster may have it: it is a warning.

mod call;
mod expression;
mod lint;

use std::collections::BTreeSet;

use super::ast::{
    Clause, ClauseKind, Expr, ExprKind, LinkPattern, Mode, Name, NodePattern, Pattern, Projection, Take,
    Union,
};
use super::data::Graph;
use super::error::{Fault, QueryError, Result, Span};
use super::kind::{Kind, Scope, infer, kind_of};
use super::run::column;
use super::suggest::{did_you_mean, nearest};
use super::walk;
pub(crate) use call::{imported, parameters};
use expression::no_bare_pattern;

/// Checks a query and returns warnings about names that the graph does not have.
pub(crate) fn check(query: &Union, text: &str, graph: &dyn Graph) -> Result<Vec<QueryError>> {
    let mut checker = Checker {
        text,
        graph,
        labels: graph.known_labels().into_iter().map(str::to_owned).collect(),
        types: graph.known_types().into_iter().map(str::to_owned).collect(),
        warned: BTreeSet::new(),
        warnings: Vec::new(),
    };
    checker.union(query, &Scope::new(), true)?;
    lint::lints(query, &mut checker.warnings);
    Ok(checker.warnings)
}

struct Checker<'t> {
    text: &'t str,
    graph: &'t dyn Graph,
    labels: BTreeSet<String>,
    types: BTreeSet<String>,
    warned: BTreeSet<String>,
    warnings: Vec<QueryError>,
}

fn meaning(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Meaning, span, message)
}

fn undefined(name: &str, span: Span, scope: &Scope) -> QueryError {
    let error = meaning(span, format!("the variable `{name}` is not defined"));
    let near = did_you_mean(name, scope.iter().map(|(known, _)| known.as_str()));
    if near.is_empty() {
        error
    } else {
        error.help(near.trim_start_matches("; "))
    }
}

fn no_aggregate(expr: &Expr, place: &str) -> Result<()> {
    let mut found = Vec::new();
    walk::aggregates(expr, &mut found);
    match found.first() {
        Some(first) => Err(
            meaning(first.span, format!("an aggregation cannot stand in {place}"))
                .help("aggregate in WITH and use the result behind it"),
        ),
        None => Ok(()),
    }
}

impl Checker<'_> {
    fn union(&mut self, query: &Union, outer: &Scope, needs_columns: bool) -> Result<()> {
        let mut columns: Option<Vec<String>> = None;
        for part in &query.parts {
            let mut scope = outer.clone();
            for clause in part {
                scope = match &clause.kind {
                    ClauseKind::Call(call) => self.procedure(call, part.len() == 1, scope)?,
                    _ => self.clause(clause, scope)?,
                };
            }
            if !needs_columns {
                continue;
            }
            let own: Vec<String> = scope.iter().map(|(name, _)| name.clone()).collect();
            let first = columns.get_or_insert_with(|| own.clone());
            let (left, right): (BTreeSet<_>, BTreeSet<_>) = (first.iter().collect(), own.iter().collect());
            if left != right {
                return Err(meaning(
                    query.span,
                    "all parts of a UNION return columns of the same names",
                ));
            }
        }
        Ok(())
    }

    fn clause(&mut self, clause: &Clause, mut scope: Scope) -> Result<Scope> {
        match &clause.kind {
            ClauseKind::Match { patterns, filter, .. } => {
                self.patterns(patterns, &mut scope)?;
                if let Some(filter) = filter {
                    no_aggregate(filter, "WHERE")?;
                    self.condition(filter, &scope)?;
                }
                Ok(scope)
            }
            ClauseKind::Unwind { list, name } => {
                no_aggregate(list, "UNWIND")?;
                self.expr(list, &scope)?;
                if kind_of(&scope, &name.text).is_some() {
                    return Err(meaning(
                        name.span,
                        format!("the variable `{}` is defined already", name.text),
                    ));
                }
                let item = infer(list, &scope).item();
                scope.push((name.text.clone(), item));
                Ok(scope)
            }
            ClauseKind::With(projection) => self.projection(projection, &scope, true, clause.span),
            ClauseKind::Return(projection) => self.projection(projection, &scope, false, clause.span),
            ClauseKind::Call(call) => self.procedure(call, false, scope),
            ClauseKind::Subquery { imports, query, .. } => self.subquery(imports, query, scope),
        }
    }

    fn projection(
        &mut self,
        projection: &Projection,
        scope: &Scope,
        is_with: bool,
        span: Span,
    ) -> Result<Scope> {
        if projection.everything && scope.is_empty() && !is_with {
            return Err(meaning(span, "RETURN * needs a variable to return"));
        }
        let mut next: Scope = if projection.everything {
            scope.clone()
        } else {
            Scope::new()
        };
        for item in &projection.items {
            self.expr(&item.value, scope)?;
            no_bare_pattern(&item.value)?;
            let is_variable = matches!(item.value.kind, ExprKind::Variable(_));
            if is_with && item.name.is_none() && !is_variable {
                return Err(
                    meaning(item.value.span, "an expression in WITH needs a name").help("add AS name")
                );
            }
            let kind = infer(&item.value, scope);
            let name = column(item, self.text);
            if next.iter().any(|(known, _)| *known == name) {
                return Err(meaning(
                    item.value.span,
                    format!("two columns are called `{name}`"),
                ));
            }
            next.push((name, kind));
        }
        let aggregates = projection
            .items
            .iter()
            .any(|item| walk::has_aggregate(&item.value));
        if aggregates {
            Self::grouping(projection)?;
        }
        self.order(projection, scope, &next, aggregates)?;
        for (count, word) in [(&projection.skip, "SKIP"), (&projection.limit, "LIMIT")] {
            if let Some(count) = count {
                no_aggregate(count, word)?;
                let mut names = BTreeSet::new();
                walk::names(count, &mut names);
                if !names.is_empty() {
                    return Err(meaning(count.span, format!("{word} cannot depend on variables")));
                }
                self.expr(count, &Scope::new())?;
                if matches!(count.kind, ExprKind::Negative(_) | ExprKind::Float(_)) {
                    return Err(QueryError::new(
                        Fault::Argument,
                        count.span,
                        format!("{word} takes a whole number that is not negative"),
                    ));
                }
            }
        }
        if let Some(filter) = &projection.filter {
            no_aggregate(filter, "WHERE")?;
            self.behind(filter, projection, scope, &next, aggregates)?;
            let mut both = scope.clone();
            both.extend(next.iter().cloned());
            self.condition(filter, &both)?;
        }
        Ok(next)
    }

    fn order(
        &mut self,
        projection: &Projection,
        scope: &Scope,
        next: &Scope,
        aggregates: bool,
    ) -> Result<()> {
        let mut own = Vec::new();
        let items = || projection.items.iter().map(|item| &item.value);
        items().for_each(|item| walk::aggregates(item, &mut own));
        for value in projection.order.iter().map(|order| &order.value) {
            if items().any(|item| item == value) {
                continue;
            }
            if !aggregates {
                no_aggregate(value, "ORDER BY")?;
            }
            let mut calls = Vec::new();
            walk::aggregates(value, &mut calls);
            if !calls.iter().all(|call| own.contains(call)) {
                return Err(meaning(
                    value.span,
                    "an aggregation in ORDER BY must be one that is returned",
                ));
            }
            self.behind(value, projection, scope, next, aggregates)?;
        }
        Ok(())
    }

    /// Checks an expression behind a projection: behind DISTINCT or an aggregation, it has the projected values only.
    fn behind(
        &mut self,
        value: &Expr,
        projection: &Projection,
        scope: &Scope,
        next: &Scope,
        aggregates: bool,
    ) -> Result<()> {
        let mut both = scope.clone();
        both.extend(next.iter().cloned());
        self.expr(value, &both)?;
        if !aggregates && !projection.distinct {
            return Ok(());
        }
        let keys = walk::grouping_keys(projection);
        let mut known: Vec<&str> = next.iter().map(|(name, _)| name.as_str()).collect();
        match stray(value, &keys, &mut known) {
            Some(stray) => Err(
                meaning(stray.span, "only what is returned has one value in each row here")
                    .help("return it too, or use WITH before"),
            ),
            None => Ok(()),
        }
    }

    /// Beside an aggregation an item may use grouping keys and constants only.
    fn grouping(projection: &Projection) -> Result<()> {
        let keys = walk::grouping_keys(projection);
        let values = projection
            .items
            .iter()
            .map(|item| &item.value)
            .filter(|value| walk::has_aggregate(value));
        for value in values {
            if let Some(stray) = stray(value, &keys, &mut Vec::new()) {
                let message = "beside an aggregation only what is grouped by may stand";
                return Err(
                    meaning(stray.span, message).help("return it as a column of its own, or use WITH before")
                );
            }
        }
        Ok(())
    }

    fn patterns(&mut self, patterns: &[Pattern], scope: &mut Scope) -> Result<()> {
        one_selection(patterns)?;
        let mut links: Vec<&Name> = Vec::new();
        for pattern in patterns {
            for name in link_names(pattern) {
                if links.iter().any(|known| known.text == name.text) {
                    let message = format!("the relationship `{}` cannot occur twice in one MATCH", name.text);
                    return Err(meaning(name.span, message));
                }
                links.push(name);
            }
            Self::bind_pattern(pattern, scope)?;
            if let Some(name) = &pattern.name {
                if kind_of(scope, &name.text).is_some() {
                    return Err(meaning(
                        name.span,
                        format!("the variable `{}` is defined already", name.text),
                    ));
                }
                scope.push((name.text.clone(), Kind::Path));
            }
        }
        for pattern in patterns {
            self.pattern_conditions(pattern, scope)?;
        }
        Ok(())
    }

    fn bind_pattern(pattern: &Pattern, scope: &mut Scope) -> Result<()> {
        bind(pattern.start.name.as_ref(), Kind::Node, scope)?;
        for (link, node) in &pattern.hops {
            if let Some(group) = &link.group {
                for (name, kind) in group_names(&group.pattern) {
                    // A list of each repetition; it cannot be one that is known.
                    if kind_of(scope, &name.text).is_some() {
                        let message = format!("`{}` is defined already and cannot be repeated", name.text);
                        return Err(meaning(name.span, message));
                    }
                    scope.push((name.text.clone(), Kind::list(kind)));
                }
            }
            bind(link.name.as_ref(), link_kind(link), scope)?;
            bind(node.name.as_ref(), Kind::Node, scope)?;
        }
        Ok(())
    }

    fn pattern_conditions(&mut self, pattern: &Pattern, scope: &Scope) -> Result<()> {
        self.node(&pattern.start, scope)?;
        for (link, node) in &pattern.hops {
            if let Some(group) = &link.group {
                let mut inner = scope.clone();
                inner.extend(group_names(&group.pattern).map(|(name, kind)| (name.text.clone(), kind)));
                self.pattern_conditions(&group.pattern, &inner)?;
                if let Some(filter) = &group.filter {
                    no_aggregate(filter, "a pattern")?;
                    self.condition(filter, &inner)?;
                }
            }
            self.link(link, scope)?;
            self.node(node, scope)?;
        }
        if let Some(inner) = &pattern.inner {
            no_aggregate(inner, "a pattern")?;
            self.condition(inner, scope)?;
        }
        selection(pattern)
    }

    fn node(&mut self, node: &NodePattern, scope: &Scope) -> Result<()> {
        if let Some(labels) = &node.labels {
            walk::label_names(labels, &mut |name| self.label(name));
        }
        for expr in node.properties.iter().chain(&node.filter) {
            no_aggregate(expr, "a pattern")?;
            self.expr(expr, scope)?;
        }
        Self::properties(node.properties.as_ref())
    }

    fn link(&mut self, link: &LinkPattern, scope: &Scope) -> Result<()> {
        if let Some(types) = &link.types {
            walk::label_names(types, &mut |name| self.link_type(name));
        }
        let mut inner = scope.clone();
        if let Some(name) = &link.name {
            inner.push((name.text.clone(), Kind::Link));
        }
        for expr in link.properties.iter().chain(&link.filter).chain(&link.cost) {
            no_aggregate(expr, "a pattern")?;
            self.expr(expr, &inner)?;
        }
        Self::properties(link.properties.as_ref())
    }

    fn properties(properties: Option<&Expr>) -> Result<()> {
        match properties {
            Some(Expr {
                kind: ExprKind::Parameter(_),
                span,
            }) => Err(
                meaning(*span, "a parameter cannot stand for all properties of a pattern")
                    .help("name the properties: {name: $name}"),
            ),
            _ => Ok(()),
        }
    }

    fn label(&mut self, name: &Name) {
        if !self.labels.contains(&name.text) && self.warned.insert(format!(":{}", name.text)) {
            let near = nearest(&name.text, self.labels.iter().map(String::as_str));
            self.warn(name, "label", &near.join(" or "));
        }
    }

    fn link_type(&mut self, name: &Name) {
        if !self.types.contains(&name.text) && self.warned.insert(format!("-{}", name.text)) {
            let near = nearest(&name.text, self.types.iter().map(String::as_str)).join(" or ");
            self.warn(name, "relationship type", &near);
        }
    }

    fn warn(&mut self, name: &Name, what: &str, near: &str) {
        let warning = meaning(
            name.span,
            format!("nothing in this graph has the {what} `{}`", name.text),
        );
        self.warnings.push(if near.is_empty() {
            warning
        } else {
            warning.help(format!("did you mean {near}?"))
        });
    }
}

/// The names of a repeated path, with what they are in one repetition.
fn group_names(pattern: &Pattern) -> impl Iterator<Item = (&Name, Kind)> {
    let nodes = std::iter::once(&pattern.start).chain(pattern.hops.iter().map(|(_, node)| node));
    let links = pattern.hops.iter().filter_map(|(link, _)| link.name.as_ref());
    let mut found: Vec<(&Name, Kind)> = Vec::new();
    for name in nodes.filter_map(|node| node.name.as_ref()) {
        if !found.iter().any(|(known, _)| known.text == name.text) {
            found.push((name, Kind::Node));
        }
    }
    found.extend(links.map(|name| (name, Kind::Link)));
    found.into_iter()
}

fn link_names(pattern: &Pattern) -> Vec<&Name> {
    let mut names = Vec::new();
    for (link, _) in &pattern.hops {
        names.extend(&link.name);
        if let Some(group) = &link.group {
            names.extend(link_names(&group.pattern));
        }
    }
    names
}

/// At most one pattern of a MATCH selects paths, and others share its ends only: else which paths are left for one
/// would hang on which the other took.
///
/// Source: <https://neo4j.com/docs/cypher-manual/current/patterns/shortest-paths/>
fn one_selection(patterns: &[Pattern]) -> Result<()> {
    let selects = |pattern: &&Pattern| {
        let selection = pattern.selection.as_ref();
        selection.is_some_and(|selection| selection.take != Take::All)
    };
    let mut selecting = patterns.iter().filter(selects);
    let (Some(first), second) = (selecting.next(), selecting.next()) else {
        return Ok(());
    };
    if let Some(selection) = second.and_then(|second| second.selection.as_ref()) {
        let message = "only one pattern of a MATCH can select paths";
        return Err(meaning(selection.span, message).help("put the other one in a MATCH of its own"));
    }
    let ends = [Some(&first.start), first.hops.last().map(|(_, node)| node)];
    let is_end = |name: &Name| {
        let mut names = ends.iter().flatten().filter_map(|node| node.name.as_ref());
        names.any(|end| end.text == name.text)
    };
    let inner: Vec<&Name> = walk::pattern_names(first)
        .into_iter()
        .filter(|name| !is_end(name))
        .collect();
    let others = patterns.iter().filter(|other| !std::ptr::eq(*other, first));
    for name in others.flat_map(walk::pattern_names) {
        if inner.iter().any(|inner| inner.text == name.text) {
            let message = format!(
                "`{}` stands within a selected path, whose ends only can be shared",
                name.text
            );
            return Err(meaning(name.span, message).help("use it in a MATCH behind this one"));
        }
    }
    Ok(())
}

/// Whether what selects paths can be carried out.
fn selection(pattern: &Pattern) -> Result<()> {
    let Some(selection) = &pattern.selection else {
        return Ok(());
    };
    let is_endless = |link: &LinkPattern| link.length.is_some_and(|length| length.most.is_none());
    if selection.mode == Some(Mode::Walk)
        && selection.take == Take::All
        && pattern.hops.iter().any(|(link, _)| is_endless(link))
    {
        let message = "all walks of any length never end";
        return Err(meaning(selection.span, message).help("bound the length, or select: ANY SHORTEST WALK"));
    }
    if let Take::Paths(count) | Take::Groups(count) = &selection.take
        && matches!(count.kind, ExprKind::Int(0))
    {
        return Err(QueryError::new(
            Fault::Argument,
            count.span,
            "the number of paths is at least 1",
        ));
    }
    Ok(())
}

fn link_kind(link: &LinkPattern) -> Kind {
    if link.length.is_some() {
        Kind::list(Kind::Link)
    } else {
        Kind::Link
    }
}

fn bind(name: Option<&Name>, kind: Kind, scope: &mut Scope) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    match kind_of(scope, &name.text) {
        None => scope.push((name.text.clone(), kind)),
        Some(known) if known.agrees(&kind) => {}
        Some(known) => {
            let message = format!(
                "`{}` is {} and cannot be {} too",
                name.text,
                known.as_str(),
                kind.as_str()
            );
            return Err(meaning(name.span, message));
        }
    }
    Ok(())
}

/// The first variable beside an aggregation that is neither a key nor part of one, nor `known`.
///
/// A key that is more than a variable or its property does not count: openCypher calls it ambiguous.
fn stray<'e>(expr: &'e Expr, keys: &[&Expr], known: &mut Vec<&'e str>) -> Option<&'e Expr> {
    let is_simple = |key: &Expr| match &key.kind {
        ExprKind::Variable(_) => true,
        ExprKind::Property(of, _) => matches!(of.kind, ExprKind::Variable(_)),
        _ => false,
    };
    if walk::is_aggregate(expr) || (is_simple(expr) && keys.contains(&expr)) {
        return None;
    }
    if let ExprKind::Variable(name) = &expr.kind {
        return (!known.contains(&name.as_str())).then_some(expr);
    }
    let before = known.len();
    match &expr.kind {
        ExprKind::Comprehension { name, .. } | ExprKind::Quantified { name, .. } => known.push(&name.text),
        ExprKind::Reduce { total, name, .. } => known.extend([total.text.as_str(), &name.text]),
        ExprKind::PatternComprehension { pattern, .. } => {
            known.extend(
                walk::pattern_names(pattern)
                    .into_iter()
                    .map(|name| name.text.as_str()),
            );
        }
        _ => {}
    }
    let mut found = None;
    walk::parts(expr, &mut |part| {
        if found.is_none() {
            found = stray(part, keys, known);
        }
    });
    known.truncate(before);
    found
}
