//! A tree as text that parses to the same tree.
//!
//! **Trap.** Every operand is put in brackets, so nothing depends on precedence; the text is exact, not pretty.

use super::ast::{
    Asked, By, Call, Clause, ClauseKind, Comparison, Direction, Expr, ExprKind, Imports, Labels, Length,
    LinkPattern, Mode, Name, NodePattern, Operator, Order, Pattern, Projection, Quantifier, Selection,
    Selector, Shortest, Subquery, Take, Union, Yields,
};
use super::show::quoted;
use super::value::Float;

fn name(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

fn optional(prefix: &str, expr: Option<&Expr>) -> String {
    expr.map_or_else(String::new, |expr| format!("{prefix}{}", expression(expr)))
}

fn joined<T>(items: &[T], between: &str, print: impl Fn(&T) -> String) -> String {
    items.iter().map(print).collect::<Vec<_>>().join(between)
}

/// Prints a query with what is asked of it.
pub(crate) fn statement(asked: Asked, of: &Union) -> String {
    let word = match asked {
        Asked::Rows => "",
        Asked::Plan => "EXPLAIN ",
        Asked::Profile => "PROFILE ",
    };
    format!("{word}{}", query(of))
}

/// Prints a query.
fn query(query: &Union) -> String {
    let mut text = String::new();
    for (index, part) in query.parts.iter().enumerate() {
        if let Some(all) = index.checked_sub(1).and_then(|index| query.all.get(index)) {
            text.push_str(if *all { " UNION ALL " } else { " UNION " });
        }
        text.push_str(&joined(part, " ", clause));
    }
    text
}

fn clause(clause: &Clause) -> String {
    match &clause.kind {
        ClauseKind::Match {
            optional: is_optional,
            patterns,
            filter,
        } => {
            let optionally = if *is_optional { "OPTIONAL " } else { "" };
            let filter = optional(" WHERE ", filter.as_ref());
            format!("{optionally}MATCH {}{filter}", joined(patterns, ", ", pattern))
        }
        ClauseKind::Unwind { list, name: own } => {
            format!("UNWIND {} AS {}", expression(list), name(&own.text))
        }
        ClauseKind::With(own) => format!("WITH {}", projection(own)),
        ClauseKind::Return(own) => format!("RETURN {}", projection(own)),
        ClauseKind::Call(own) => call(own),
        ClauseKind::Subquery {
            imports,
            query: own,
            optional: is_optional,
        } => {
            let optionally = if *is_optional { "OPTIONAL " } else { "" };
            let imports = match imports {
                Imports::Leading => String::new(),
                Imports::Everything => "(*) ".to_owned(),
                Imports::Names(names) => format!("({}) ", joined(names, ", ", |own| name(&own.text))),
            };
            format!("{optionally}CALL {imports}{{ {} }}", query(own))
        }
    }
}

fn call(call: &Call) -> String {
    let optionally = if call.optional { "OPTIONAL " } else { "" };
    let procedure = name(&call.procedure.text);
    let arguments = call.arguments.as_ref().map_or_else(String::new, |given| {
        format!("({})", joined(given, ", ", expression))
    });
    let yields = match &call.yields {
        Yields::Unsaid => String::new(),
        Yields::Everything => " YIELD *".to_owned(),
        Yields::Items(items) => {
            let item = |(own, renamed): &(Name, Option<Name>)| {
                let renamed = renamed
                    .as_ref()
                    .map_or_else(String::new, |own| format!(" AS {}", name(&own.text)));
                format!("{}{renamed}", name(&own.text))
            };
            format!(" YIELD {}", joined(items, ", ", item))
        }
    };
    let filter = optional(" WHERE ", call.filter.as_ref());
    format!("{optionally}CALL {procedure}{arguments}{yields}{filter}")
}

fn projection(projection: &Projection) -> String {
    let mut text = String::new();
    if projection.distinct {
        text.push_str("DISTINCT ");
    }
    let mut items: Vec<String> = Vec::new();
    if projection.everything {
        items.push("*".to_owned());
    }
    items.extend(projection.items.iter().map(|item| {
        let own = item
            .name
            .as_ref()
            .map_or_else(String::new, |own| format!(" AS {}", name(&own.text)));
        format!("{}{own}", expression(&item.value))
    }));
    text.push_str(&items.join(", "));
    if !projection.order.is_empty() {
        text.push_str(" ORDER BY ");
        text.push_str(&joined(&projection.order, ", ", order));
    }
    text.push_str(&optional(" SKIP ", projection.skip.as_ref()));
    text.push_str(&optional(" LIMIT ", projection.limit.as_ref()));
    text.push_str(&optional(" WHERE ", projection.filter.as_ref()));
    text
}

fn order(order: &Order) -> String {
    let descending = if order.descending { " DESC" } else { "" };
    let nulls = match order.nulls_first {
        None => "",
        Some(true) => " NULLS FIRST",
        Some(false) => " NULLS LAST",
    };
    format!("{}{descending}{nulls}", expression(&order.value))
}

fn pattern(pattern: &Pattern) -> String {
    let own = pattern
        .name
        .as_ref()
        .map_or_else(String::new, |own| format!("{} = ", name(&own.text)));
    let mut chain = node(&pattern.start);
    for (link, next) in &pattern.hops {
        chain.push_str(&relationship(link));
        chain.push_str(&node(next));
    }
    let selection = pattern.selection.as_ref().map_or_else(String::new, selected);
    if let Some(inner) = &pattern.inner {
        return format!("{own}{selection}({chain} WHERE {})", expression(inner));
    }
    match pattern.shortest {
        None => format!("{own}{selection}{chain}"),
        Some(Shortest::One) => format!("{own}shortestPath({chain})"),
        Some(Shortest::All) => format!("{own}allShortestPaths({chain})"),
    }
}

fn selected(selection: &Selection) -> String {
    let word = match selection.by {
        By::Length => "SHORTEST",
        By::Cost => "CHEAPEST",
    };
    let take = match &selection.take {
        Take::All => "ALL ".to_owned(),
        Take::Paths(count) => format!("{word} {} ", expression(count)),
        Take::Groups(count) => format!("{word} {} GROUPS ", expression(count)),
    };
    // GROUPS stands behind the mode's place in one spelling only, so it is written before it.
    let mode = match selection.mode {
        None => "",
        Some(Mode::Walk) => "WALK ",
        Some(Mode::Trail) => "TRAIL ",
        Some(Mode::Acyclic) => "ACYCLIC ",
    };
    format!("{take}{mode}PATHS ")
}

fn inner(
    own: Option<&Name>,
    labels_of: Option<&Labels>,
    length: &str,
    properties: Option<&Expr>,
    filter: Option<&Expr>,
) -> String {
    let own = own.map_or_else(String::new, |own| name(&own.text));
    let labels_of = labels_of.map_or_else(String::new, |labels_of| format!(":{}", labels(labels_of)));
    let properties = optional(" ", properties);
    format!(
        "{own}{labels_of}{length}{properties}{}",
        optional(" WHERE ", filter)
    )
}

fn node(node: &NodePattern) -> String {
    let inside = inner(
        node.name.as_ref(),
        node.labels.as_ref(),
        "",
        node.properties.as_ref(),
        node.filter.as_ref(),
    );
    format!("({inside})")
}

fn relationship(link: &LinkPattern) -> String {
    let length = link
        .length
        .map_or_else(String::new, |Length { least, most }| match most {
            Some(most) => format!("*{least}..{most}"),
            None => format!("*{least}.."),
        });
    if let Some(group) = &link.group {
        let length = match link.length {
            Some(Length {
                least,
                most: Some(most),
            }) => format!("{{{least},{most}}}"),
            Some(Length { least, most: None }) => format!("{{{least},}}"),
            None => String::new(),
        };
        return format!(
            "({}{}){length}",
            pattern(&group.pattern),
            optional(" WHERE ", group.filter.as_ref())
        );
    }
    let inside = inner(
        link.name.as_ref(),
        link.types.as_ref(),
        &length,
        link.properties.as_ref(),
        link.filter.as_ref(),
    );
    let inside = format!("{inside}{}", optional(" COST ", link.cost.as_ref()));
    let (left, right) = match link.direction {
        Direction::Left => ("<", ""),
        Direction::Right => ("", ">"),
        Direction::Both => ("", ""),
    };
    format!("{left}-[{inside}]-{right}")
}

fn labels(of: &Labels) -> String {
    match of {
        Labels::Name(own) => name(&own.text),
        Labels::Any => "%".to_owned(),
        Labels::Not(inner) => format!("!({})", labels(inner)),
        Labels::And(all) => joined(all, "&", |inner| format!("({})", labels(inner))),
        Labels::Or(any) => joined(any, "|", |inner| format!("({})", labels(inner))),
    }
}

/// Prints an expression, in brackets unless it is a constant, a variable, a parameter, a list or a map.
pub(crate) fn expression(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Bool(truth) => truth.to_string(),
        ExprKind::Int(number) if *number < 0 => format!("({number})"),
        ExprKind::Int(number) => number.to_string(),
        ExprKind::Float(number) => Float(*number).to_string(),
        ExprKind::Text(text) => quoted(text),
        ExprKind::Parameter(own) => format!("${}", name(own)),
        ExprKind::Variable(own) => name(own),
        ExprKind::List(items) => format!("[{}]", joined(items, ", ", expression)),
        ExprKind::Map(entries) => {
            let entry = |(key, value): &(Name, Expr)| format!("{}: {}", name(&key.text), expression(value));
            format!("{{{}}}", joined(entries, ", ", entry))
        }
        ExprKind::And(all) => format!("({})", joined(all, " AND ", expression)),
        ExprKind::Or(any) => format!("({})", joined(any, " OR ", expression)),
        ExprKind::Xor(left, right) => format!("({} XOR {})", expression(left), expression(right)),
        ExprKind::Not(inner) => format!("(NOT {})", expression(inner)),
        ExprKind::Negative(inner) => format!("(- {})", expression(inner)),
        ExprKind::Positive(inner) => format!("(+ {})", expression(inner)),
        ExprKind::Binary(operator, left, right) => {
            format!(
                "({} {} {})",
                expression(left),
                operator_word(*operator),
                expression(right)
            )
        }
        ExprKind::Compare(first, rest) => {
            let rest = joined(rest, "", |(comparison, other)| {
                format!(" {} {}", sign(*comparison), expression(other))
            });
            format!("({}{rest})", expression(first))
        }
        ExprKind::IsNull(inner, negated) => {
            format!(
                "({} IS {}NULL)",
                expression(inner),
                if *negated { "NOT " } else { "" }
            )
        }
        _ => compound(expr),
    }
}

fn compound(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Property(of, key) => format!("{}.{}", expression(of), name(&key.text)),
        ExprKind::Index(list, index) => format!("{}[{}]", expression(list), expression(index)),
        ExprKind::Slice(list, from, to) => {
            format!(
                "{}[{}..{}]",
                expression(list),
                optional("", from.as_deref()),
                optional("", to.as_deref())
            )
        }
        ExprKind::HasLabels(of, has) => format!("({}:{})", expression(of), labels(has)),
        ExprKind::Case {
            subject,
            branches,
            otherwise,
        } => {
            let branch =
                |(when, then): &(Expr, Expr)| format!(" WHEN {} THEN {}", expression(when), expression(then));
            let branches = joined(branches, "", branch);
            let subject = optional(" ", subject.as_deref());
            format!(
                "CASE{subject}{branches}{} END",
                optional(" ELSE ", otherwise.as_deref())
            )
        }
        ExprKind::CountAll => "count(*)".to_owned(),
        ExprKind::Call {
            name: own,
            distinct,
            arguments,
        } => {
            let distinct = if *distinct { "DISTINCT " } else { "" };
            let called = if own.text.contains('.') {
                own.text.clone()
            } else {
                name(&own.text)
            };
            format!("{called}({distinct}{})", joined(arguments, ", ", expression))
        }
        ExprKind::MapProjection(own, selectors) => {
            format!("{} {{{}}}", name(&own.text), joined(selectors, ", ", selector))
        }
        ExprKind::Pattern(own) if own.shortest.is_some() => pattern(own),
        ExprKind::Pattern(own) => format!("({})", pattern(own)),
        ExprKind::Subquery(kind, inner) => {
            let word = match kind {
                Subquery::Exists => "EXISTS",
                Subquery::Count => "COUNT",
                Subquery::Collect => "COLLECT",
            };
            format!("{word} {{ {} }}", query(inner))
        }
        _ => over_list(expr),
    }
}

/// Expressions that go through a list.
fn over_list(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Comprehension {
            name: own,
            list,
            filter,
            value,
        } => {
            let rest = format!(
                "{}{}",
                optional(" WHERE ", filter.as_deref()),
                optional(" | ", value.as_deref())
            );
            format!("[{} IN {}{rest}]", name(&own.text), expression(list))
        }
        ExprKind::PatternComprehension {
            pattern: own,
            filter,
            value,
        } => format!(
            "[{}{} | {}]",
            pattern(own),
            optional(" WHERE ", filter.as_deref()),
            expression(value)
        ),
        ExprKind::Quantified {
            quantifier,
            name: own,
            list,
            filter,
        } => {
            let word = quantifier_word(*quantifier);
            let filter = optional(" WHERE ", filter.as_deref());
            format!("{word}({} IN {}{filter})", name(&own.text), expression(list))
        }
        ExprKind::Reduce {
            total,
            first,
            name: own,
            list,
            value,
        } => {
            let (total, own) = (name(&total.text), name(&own.text));
            format!(
                "reduce({total} = {}, {own} IN {} | {})",
                expression(first),
                expression(list),
                expression(value)
            )
        }
        // The other kinds are printed by those who call this.
        _ => String::new(),
    }
}

fn selector(of: &Selector) -> String {
    match of {
        Selector::All => ".*".to_owned(),
        Selector::Property(key) => format!(".{}", name(&key.text)),
        Selector::Variable(own) => name(&own.text),
        Selector::Entry(key, value) => format!("{}: {}", name(&key.text), expression(value)),
    }
}

fn quantifier_word(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::All => "all",
        Quantifier::Any => "any",
        Quantifier::None => "none",
        Quantifier::Single => "single",
    }
}

fn operator_word(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
        Operator::Power => "^",
        Operator::In => "IN",
        Operator::StartsWith => "STARTS WITH",
        Operator::EndsWith => "ENDS WITH",
        Operator::Contains => "CONTAINS",
        Operator::Matches => "=~",
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Unequal => "<>",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}
