//! What a query means before it runs: every name is defined, every function exists, aggregations stand where they may.
//!
//! **Trap.** A label or type that the graph lacks is no mistake, as another cluster may have it: it is a warning.

use std::collections::BTreeSet;

use super::ast::{
    Clause, ClauseKind, Expr, ExprKind, LinkPattern, Mode, Name, NodePattern, Operator, Pattern, Projection,
    Selector, Subquery, Take, Union,
};
use super::data::Graph;
use super::error::{Fault, QueryError, Result, Span};
use super::functions::FUNCTIONS;
use super::kind::{Kind, Scope, infer, kind_of};
use super::run::column;
use super::suggest::{did_you_mean, nearest};
use super::walk;

/// Checks a query and returns warnings about names that the graph does not have.
pub(crate) fn check(query: &Union, text: &str, graph: &dyn Graph) -> Result<Vec<QueryError>> {
    let mut checker = Checker {
        text,
        labels: graph.known_labels().into_iter().map(str::to_owned).collect(),
        types: graph.known_types().into_iter().map(str::to_owned).collect(),
        warned: BTreeSet::new(),
        warnings: Vec::new(),
    };
    checker.union(query, &Scope::new(), true)?;
    Ok(checker.warnings)
}

struct Checker<'t> {
    text: &'t str,
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
                scope = self.clause(clause, scope)?;
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
        for (value, _) in &projection.order {
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

    /// Checks an expression that is true or false.
    fn condition(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        self.expr(expr, scope)?;
        truth(expr, scope)
    }

    fn expr(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        operands(expr, scope)?;
        match &expr.kind {
            ExprKind::Variable(name) if kind_of(scope, name).is_none() => {
                Err(undefined(name, expr.span, scope))
            }
            ExprKind::Call { name, arguments, .. } => {
                Self::call(expr, name, arguments, scope)?;
                if !name.text.eq_ignore_ascii_case("exists") {
                    arguments.iter().try_for_each(no_bare_pattern)?;
                }
                arguments
                    .iter()
                    .try_for_each(|argument| self.expr(argument, scope))
            }
            ExprKind::PatternComprehension {
                pattern,
                filter,
                value,
            } => {
                let mut inner = scope.clone();
                self.patterns(std::slice::from_ref(pattern), &mut inner)?;
                filter.iter().try_for_each(|filter| self.expr(filter, &inner))?;
                self.expr(value, &inner)
            }
            ExprKind::Pattern(pattern) => {
                for name in walk::pattern_names(pattern) {
                    if kind_of(scope, &name.text).is_none() {
                        return Err(undefined(&name.text, name.span, scope).help(
                            "a pattern in an expression cannot introduce variables; EXISTS { … } can",
                        ));
                    }
                }
                let mut inner = scope.clone();
                Self::bind_pattern(pattern, &mut inner)?;
                self.pattern_conditions(pattern, &inner)
            }
            ExprKind::MapProjection(name, selectors) => {
                for name in [name].into_iter().chain(selectors.iter().filter_map(selected)) {
                    if kind_of(scope, &name.text).is_none() {
                        return Err(undefined(&name.text, name.span, scope));
                    }
                }
                self.parts(expr, scope)
            }
            ExprKind::Subquery(kind, query) => {
                self.union(query, scope, *kind == Subquery::Collect && query.parts.len() > 1)
            }
            ExprKind::HasLabels(of, labels) => {
                let is_link =
                    matches!(&of.kind, ExprKind::Variable(name) if kind_of(scope, name) == Some(Kind::Link));
                walk::label_names(labels, &mut |name| {
                    if is_link {
                        self.link_type(name);
                    } else {
                        self.label(name);
                    }
                });
                self.parts(expr, scope)
            }
            _ => self.over_list(expr, scope),
        }
    }

    /// Expressions that go through a list and name its items.
    fn over_list(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        match &expr.kind {
            ExprKind::Comprehension {
                name,
                list,
                filter,
                value,
            } => {
                self.expr(list, scope)?;
                let item = infer(list, scope).item();
                self.within(
                    name,
                    item,
                    scope,
                    filter.iter().chain(value).map(|inner| &**inner),
                )
            }
            ExprKind::Quantified {
                name, list, filter, ..
            } => {
                self.expr(list, scope)?;
                let item = infer(list, scope).item();
                self.within(name, item, scope, filter.iter().map(|inner| &**inner))
            }
            ExprKind::Reduce {
                total,
                first,
                name,
                list,
                value,
            } => {
                self.expr(first, scope)?;
                self.expr(list, scope)?;
                let mut inner = scope.clone();
                inner.push((total.text.clone(), Kind::Any));
                let item = infer(list, scope).item();
                self.within(name, item, &inner, [&**value])
            }
            _ => self.parts(expr, scope),
        }
    }

    fn parts(&mut self, expr: &Expr, scope: &Scope) -> Result<()> {
        let mut parts = Vec::new();
        walk::parts(expr, &mut |part| parts.push(part));
        parts.into_iter().try_for_each(|part| self.expr(part, scope))
    }

    /// Checks expressions that see one more name.
    fn within<'e>(
        &mut self,
        name: &Name,
        item: Kind,
        scope: &Scope,
        inner: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<()> {
        let mut scope = scope.clone();
        scope.push((name.text.clone(), item));
        for expr in inner {
            no_aggregate(expr, "the condition or value of a list")?;
            self.expr(expr, &scope)?;
        }
        Ok(())
    }

    fn call(expr: &Expr, name: &Name, arguments: &[Expr], scope: &Scope) -> Result<()> {
        if walk::is_aggregate(expr) {
            let wanted = if name.text.to_lowercase().starts_with("percentile") {
                2
            } else {
                1
            };
            if arguments.len() != wanted {
                return Err(meaning(
                    expr.span,
                    format!("{} takes {wanted} argument(s)", name.text),
                ));
            }
            return arguments.iter().try_for_each(|argument| {
                no_aggregate(argument, "another aggregation")?;
                no_random(argument)
            });
        }
        let known = FUNCTIONS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(&name.text));
        let Some((_, least, most)) = known else {
            let names = FUNCTIONS
                .iter()
                .map(|(known, ..)| *known)
                .chain(walk::AGGREGATES.iter().copied());
            let error = meaning(name.span, format!("unknown function `{}`", name.text));
            let near = did_you_mean(&name.text, names);
            return Err(if near.is_empty() {
                error
            } else {
                error.help(near.trim_start_matches("; "))
            });
        };
        if arguments.len() < *least || arguments.len() > *most {
            let takes = if least == most {
                least.to_string()
            } else {
                format!("{least} or more")
            };
            return Err(meaning(
                expr.span,
                format!("{} takes {takes} argument(s), not {}", name.text, arguments.len()),
            ));
        }
        if let [argument] = arguments {
            let kind = infer(argument, scope);
            let fits = match name.text.to_lowercase().as_str() {
                "length" | "nodes" | "relationships" => kind.may_be(&[Kind::Path]),
                "labels" => kind.may_be(&[Kind::Node]),
                "type" | "startnode" | "endnode" => kind.may_be(&[Kind::Link]),
                "size" => kind != Kind::Path,
                "properties" => kind.may_have_properties(),
                _ => true,
            };
            if !fits {
                let message = format!("{} does not take {}", name.text, kind.as_str());
                return Err(QueryError::new(Fault::Type, expr.span, message));
            }
        }
        Ok(())
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

fn selected(selector: &Selector) -> Option<&Name> {
    match selector {
        Selector::Variable(name) => Some(name),
        _ => None,
    }
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

/// An aggregation of numbers that differ each time they are asked for means nothing.
fn no_random(expr: &Expr) -> Result<()> {
    if matches!(&expr.kind, ExprKind::Call { name, .. } if name.text.eq_ignore_ascii_case("rand")) {
        return Err(meaning(expr.span, "rand() cannot stand in an aggregation"));
    }
    let mut result = Ok(());
    walk::parts(expr, &mut |part| {
        if result.is_ok() {
            result = no_random(part);
        }
    });
    result
}

fn type_fault(span: Span, message: impl Into<String>) -> QueryError {
    QueryError::new(Fault::Type, span, message)
}

/// A pattern is a condition, no value.
fn no_bare_pattern(expr: &Expr) -> Result<()> {
    match &expr.kind {
        ExprKind::Pattern(pattern) if pattern.shortest.is_none() => Err(meaning(
            expr.span,
            "a pattern is a condition and cannot be used as a value",
        )
        .help("exists((a)-->(b)) is a value, and COUNT { (a)-->(b) } counts")),
        _ => Ok(()),
    }
}

/// Operands of which it is known that an operator does not take them.
fn operands(expr: &Expr, scope: &Scope) -> Result<()> {
    let wrong = |operand: &Expr, what: &str| {
        let kind = infer(operand, scope);
        Err(type_fault(operand.span, format!("{what}, not {}", kind.as_str())))
    };
    match &expr.kind {
        ExprKind::And(all) | ExprKind::Or(all) => all.iter().try_for_each(|one| truth(one, scope)),
        ExprKind::Xor(left, right) => truth(left, scope).and_then(|()| truth(right, scope)),
        ExprKind::Not(inner) => truth(inner, scope),
        ExprKind::Property(of, _) if !infer(of, scope).may_have_properties() => {
            wrong(of, "only nodes, relationships and maps have properties")
        }
        ExprKind::Binary(Operator::In, _, list) if !infer(list, scope).may_be_list() => {
            wrong(list, "IN takes a list")
        }
        ExprKind::Binary(
            Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder
            | Operator::Power,
            left,
            right,
        ) => match [left, right]
            .into_iter()
            .find(|operand| !infer(operand, scope).may_be_number())
        {
            Some(operand) => wrong(operand, "arithmetic takes numbers"),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks that an expression can be true or false.
fn truth(expr: &Expr, scope: &Scope) -> Result<()> {
    let kind = infer(expr, scope);
    if kind.may_be(&[Kind::Bool]) {
        return Ok(());
    }
    Err(type_fault(
        expr.span,
        format!("a condition is true or false, not {}", kind.as_str()),
    ))
}
