//! Carries out the statements that set up a scenario's graph: CREATE, with what reads before it and between.
//!
//! What reads is run by the engine; CREATE and DELETE of relationships are done here, as the engine has no writing.
//!
//! **Trap.** A statement is cut at its keywords before it is read: brackets and strings hide what stands in them.

use std::collections::BTreeMap;

use beachhead::query::{Graph as _, Limits, LinkId, NodeId, Query, Value};

use crate::memory::Memory;

type Row = BTreeMap<String, Value>;

const CLAUSES: &[&str] = &["CREATE", "DELETE", "MATCH", "OPTIONAL", "UNWIND", "WITH"];

/// Carries out one statement.
pub(crate) fn set_up(statement: &str, graph: &mut Memory) {
    let mut rows = vec![Row::new()];
    // No string of the kit's statements contains two slashes.
    let uncommented: Vec<&str> = statement
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    for clause in clauses(&uncommented.join("\n")) {
        if let Some(patterns) = clause.strip_prefix("CREATE") {
            for row in &mut rows {
                Creation {
                    text: patterns,
                    at: 0,
                    graph,
                    row,
                }
                .patterns();
            }
        } else if let Some(names) = clause.strip_prefix("DELETE") {
            let deleted: Vec<&str> = names.split(',').map(str::trim).collect();
            let links: Vec<LinkId> = rows
                .iter()
                .flat_map(|row| deleted.iter().map(|name| &row[*name]))
                .map(|value| match value {
                    Value::Link(link) => *link,
                    other => panic!("DELETE of {other:?}"),
                })
                .collect();
            *graph = without(graph, &links);
        } else {
            rows = read(&clause, &rows, graph);
        }
    }
}

/// The same graph without some relationships.
fn without(graph: &Memory, links: &[LinkId]) -> Memory {
    let mut rest = Memory::default();
    for node in 0..graph.nodes() {
        let keys = graph.node_keys(node);
        let own: Vec<(&str, Value)> = keys
            .iter()
            .map(|key| (&**key, graph.node_property(node, key)))
            .collect();
        rest.node(&graph.labels(node), &own);
    }
    for link in (0..graph.links()).filter(|link| !links.contains(link)) {
        let keys = graph.link_keys(link);
        let own: Vec<(&str, Value)> = keys
            .iter()
            .map(|key| (&**key, graph.link_property(link, key)))
            .collect();
        let (from, to) = graph.ends(link);
        rest.link(from, graph.link_type(link), to, &own);
    }
    rest
}

/// The writing clauses one by one, what reads between them together.
fn clauses(statement: &str) -> Vec<String> {
    let mut starts = Vec::new();
    let (mut depth, mut quote, mut word) = (0, None, None);
    for (at, sign) in statement.char_indices().chain([(statement.len(), ' ')]) {
        if let Some(open) = quote {
            quote = (sign != open).then_some(open);
            continue;
        }
        if sign.is_alphanumeric() || sign == '_' {
            word.get_or_insert(at);
            continue;
        }
        if let Some(start) = word.take()
            && depth == 0
            && CLAUSES.contains(&&statement[start..at])
        {
            starts.push(start);
        }
        match sign {
            '\'' | '"' | '`' => quote = Some(sign),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    starts.push(statement.len());
    let mut clauses: Vec<String> = Vec::new();
    for ends in starts.windows(2) {
        let clause = &statement[ends[0]..ends[1]];
        let writes = |clause: &str| clause.starts_with("CREATE") || clause.starts_with("DELETE");
        match clauses.last_mut() {
            Some(last) if !writes(last) && !writes(clause) => last.push_str(clause),
            _ => clauses.push(clause.to_owned()),
        }
    }
    clauses
}

fn run(text: &str, rows: Value, graph: &Memory) -> Vec<Row> {
    let parameters = BTreeMap::from([("rows".to_owned(), rows)]);
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{}", error.shown(text)));
    let table = query
        .run(graph, &parameters, Limits::default())
        .unwrap_or_else(|error| panic!("{}", error.shown(text)));
    let row = |row: Vec<Value>| table.columns.iter().cloned().zip(row).collect();
    table.rows.into_iter().map(row).collect()
}

/// Runs clauses that read over all rows.
fn read(clauses: &str, rows: &[Row], graph: &Memory) -> Vec<Row> {
    let map = |row: &Row| {
        Value::map(
            row.iter()
                .map(|(name, value)| (name.as_str().into(), value.clone())),
        )
    };
    let given = Value::list(rows.iter().map(map).collect());
    run(
        &format!("{}{clauses} RETURN *", unpacked(rows.first())),
        given,
        graph,
    )
}

/// The beginning of a query that gives the names of a row their values.
fn unpacked(row: Option<&Row>) -> String {
    let names: Vec<String> = row
        .into_iter()
        .flat_map(Row::keys)
        .map(|name| format!("row.{name} AS {name}"))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("UNWIND $rows AS row WITH {} ", names.join(", "))
    }
}

struct Creation<'c> {
    text: &'c str,
    at: usize,
    graph: &'c mut Memory,
    row: &'c mut Row,
}

impl Creation<'_> {
    fn take(&mut self, sign: &str) -> bool {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let found = self.text[self.at..].starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn expect(&mut self, sign: &str) {
        assert!(self.take(sign), "expected {sign} at {:?}", &self.text[self.at..]);
    }

    fn name(&mut self) -> String {
        self.take("");
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn patterns(&mut self) {
        loop {
            self.pattern();
            if !self.take(",") {
                break;
            }
        }
        self.take(";");
        assert!(
            self.text[self.at..].trim().is_empty(),
            "more than patterns: {:?}",
            &self.text[self.at..]
        );
    }

    fn pattern(&mut self) {
        let start = self.at;
        self.name();
        if !self.take("=") {
            self.at = start;
        }
        let mut node = self.node();
        loop {
            let backward = self.take("<-");
            if !backward && !self.take("-") {
                break;
            }
            assert!(self.take("["), "a relationship without brackets has no type");
            let name = self.name();
            self.expect(":");
            let kind = self.name();
            let own = self.own();
            self.expect("]");
            self.expect(if backward { "-" } else { "->" });
            let next = self.node();
            let (from, to) = if backward { (next, node) } else { (node, next) };
            let link = self.graph.link(from, &kind, to, &borrowed(&own));
            if !name.is_empty() {
                self.row.insert(name, Value::Link(link));
            }
            node = next;
        }
    }

    fn node(&mut self) -> NodeId {
        self.expect("(");
        let name = self.name();
        let mut labels = Vec::new();
        while self.take(":") {
            labels.push(self.name());
        }
        let own = self.own();
        self.expect(")");
        if let Some(Value::Node(known)) = self.row.get(&name) {
            return *known;
        }
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let node = self.graph.node(&labels, &borrowed(&own));
        if !name.is_empty() {
            self.row.insert(name, Value::Node(node));
        }
        node
    }

    /// The properties in braces, evaluated by the engine.
    fn own(&mut self) -> Vec<(String, Value)> {
        if !self.take("{") {
            return Vec::new();
        }
        let start = self.at - 1;
        let (mut depth, mut quote) = (1, None);
        for (at, sign) in self.text[self.at..].char_indices() {
            match (quote, sign) {
                (Some(open), sign) => quote = (sign != open).then_some(open),
                (None, '\'' | '"' | '`') => quote = Some(sign),
                (None, '{' | '[' | '(') => depth += 1,
                (None, '}' | ']' | ')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at += at + 1;
                break;
            }
        }
        let map = &self.text[start..self.at];
        let names = &*self.row;
        let given = Value::list(vec![Value::map(
            names
                .iter()
                .map(|(name, value)| (name.as_str().into(), value.clone())),
        )]);
        let found = run(
            &format!("{}RETURN {map} AS own", unpacked(Some(names))),
            given,
            self.graph,
        );
        let Value::Map(own) = &found[0]["own"] else {
            panic!("no map: {map}")
        };
        let known = own.iter().filter(|(_, value)| !value.is_null());
        known
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect()
    }
}

fn borrowed(own: &[(String, Value)]) -> Vec<(&str, Value)> {
    own.iter()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect()
}
