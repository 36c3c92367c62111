//! Tests of the query language: what expressions give, what clauses do, what is refused.

mod calls;
mod explain;
mod indexes;
mod interrupts;
mod laws;
mod library;
mod memory;
mod metamorphic;
mod oracle;
mod repl;
mod saved;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use beachhead::query::{Fault, Graph, Limits, Query, QueryError, Table, Value, text};
use memory::Memory;

fn run_with(query: &str, graph: &Memory, limits: Limits) -> Result<Table, QueryError> {
    let parameters = BTreeMap::from([("three".to_owned(), Value::Int(3))]);
    Query::parse(query)?.run(graph, &parameters, limits)
}

/// The rows of a query as text, cells apart by `|`.
fn rows(query: &str, graph: &Memory) -> Vec<String> {
    let table =
        run_with(query, graph, Limits::default()).unwrap_or_else(|error| panic!("{}", error.shown(query)));
    assert_eq!(table.stopped, None, "{query}");
    let cell = |value: &Value| text(value, graph);
    table
        .rows
        .iter()
        .map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" | "))
        .collect()
}

fn check_value(expression: &str, expected: &str) {
    assert_eq!(
        rows(&format!("RETURN {expression}"), &Memory::default()),
        [expected],
        "{expression}"
    );
}

fn check_error(query: &str, fault: Fault, at: &str, message: &str) {
    let Err(error) = run_with(query, &people(), Limits::default()) else {
        panic!("{query} runs");
    };
    assert_eq!(
        (error.fault, error.span.of(query)),
        (fault, at),
        "{query}: {error}"
    );
    assert!(error.message.contains(message), "{query}: {error}");
}

/// ann -KNOWS-> ben -KNOWS-> cid, ann -LIKES-> cid, cid -KNOWS-> cid; dan is alone.
fn people() -> Memory {
    let mut graph = Memory::default();
    let person = |graph: &mut Memory, id: &str, age: Value, labels: &[&str]| {
        graph.node(labels, &[("id", Value::text(id)), ("age", age)])
    };
    let ann = person(&mut graph, "ann", Value::Int(30), &["Person", "Boss"]);
    let ben = person(&mut graph, "ben", Value::Int(20), &["Person"]);
    let cid = person(&mut graph, "cid", Value::Int(20), &["Person"]);
    person(&mut graph, "dan", Value::Null, &["Robot"]);
    graph.link(ann, "KNOWS", ben, &[("since", Value::Int(1))]);
    graph.link(ben, "KNOWS", cid, &[("since", Value::Int(2))]);
    graph.link(ann, "LIKES", cid, &[]);
    graph.link(cid, "KNOWS", cid, &[("since", Value::Int(3))]);
    graph
}

#[test]
fn expressions_follow_the_precedence_of_the_language() {
    for (expression, expected) in [
        ("1 + 2 * 3", "7"),
        ("2 ^ 3 ^ 2", "64.0"),
        ("-3 ^ 2", "9.0"),
        ("1 - 2 - 3", "-4"),
        ("7 / 2", "3"),
        ("-7 % 3", "-1"),
        ("7 / 2.0", "3.5"),
        ("1 < 2 < 3", "true"),
        ("1 < 3 < 2", "false"),
        ("NOT true = false", "true"),
        ("NOT false AND false", "false"),
        ("true OR false AND false", "true"),
        ("true XOR true OR true", "true"),
        ("'a' + 1 + 2", "a12"),
        ("[1] + 2 + [3]", "[1, 2, 3]"),
        ("2 IN [1, 2] = true", "true"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x1F + 0o17", "46"),
        (".5 + 1e2", "100.5"),
        ("$three * 2", "6"),
        ("'\\u0041\\n' = \"A\\n\"", "true"),
        ("[0, 1, 2, 3][1..-1]", "[1, 2]"),
        ("[0, 1, 2][-1]", "2"),
        ("{a: {b: 5}}.a.b", "5"),
        ("{a: 1}['a']", "1"),
    ] {
        check_value(expression, expected);
    }
}

#[test]
fn truth_has_three_values() {
    for (expression, expected) in [
        ("null = null", "null"),
        ("null <> 1", "null"),
        ("null AND false", "false"),
        ("null AND true", "null"),
        ("null OR true", "true"),
        ("NOT null", "null"),
        ("null XOR true", "null"),
        ("1 IN [2, null]", "null"),
        ("2 IN [2, null]", "true"),
        ("[1, null] = [1, 2]", "null"),
        ("[1, null] = [2, 2]", "false"),
        ("1 < 'a'", "null"),
        ("0.0 / 0.0 = 0.0 / 0.0", "false"),
        ("1 < 0.0 / 0.0", "false"),
        ("null IS NULL", "true"),
        ("1 = 1.0", "true"),
        ("'ab' STARTS WITH null", "null"),
        ("1 STARTS WITH 'a'", "null"),
        ("any(x IN [1, null] WHERE x = 2)", "null"),
        ("all(x IN [1, null] WHERE x = 2)", "false"),
        ("none(x IN [] WHERE x = 2)", "true"),
        ("single(x IN [1, 2, 1] WHERE x = 1)", "false"),
        ("CASE null WHEN null THEN 1 ELSE 2 END", "2"),
        ("CASE WHEN null THEN 1 WHEN true THEN 3 END", "3"),
        ("coalesce(null, 2, 3)", "2"),
    ] {
        check_value(expression, expected);
    }
}

#[test]
fn functions_give_what_the_language_says() {
    for (expression, expected) in [
        ("toUpper('é') + toLower('A')", "Éa"),
        ("substring('hello', 1, 3)", "ell"),
        ("split('a,b,', ',')", "['a', 'b', '']"),
        ("replace('aXbX', 'X', '-')", "a-b-"),
        ("range(0, 10, 5)", "[0, 5, 10]"),
        ("range(3, 1)", "[]"),
        ("range(3, 1, -1)", "[3, 2, 1]"),
        ("size('héllo')", "5"),
        ("toInteger('4.7')", "4"),
        ("toInteger('x')", "null"),
        ("toFloat(1)", "1.0"),
        ("round(-1.5)", "-1.0"),
        ("toString(1.0)", "1.0"),
        ("head([]) IS NULL", "true"),
        ("reverse([1, 2])", "[2, 1]"),
        ("keys({b: 1, a: 2})", "['a', 'b']"),
        ("reduce(sum = 0, x IN [1, 2, 3] | sum + x)", "6"),
        ("[x IN range(1, 5) WHERE x % 2 = 1 | x * x]", "[1, 9, 25]"),
        ("'prod-web' =~ 'prod-.*'", "true"),
        ("'my prod-web' =~ 'prod-.*'", "false"),
        ("abs(-3) + sign(-2)", "2"),
    ] {
        check_value(expression, expected);
    }
}

#[test]
fn dates_and_durations_compare_and_add() {
    for (expression, expected) in [
        ("datetime('2026-11-28T08:50:00Z').epochSeconds", "1795855800"),
        ("datetime('2026-11-28T09:50:00+01:00').hour", "8"),
        ("datetime('1970-01-02').epochseconds", "86400"),
        ("datetime({epochSeconds: 0}).year", "1970"),
        ("datetime(null) IS NULL", "true"),
        (
            "datetime().epochSeconds > datetime('2026-01-01').epochSeconds",
            "true",
        ),
        ("timestamp() / 1000 - datetime().epochSeconds < 10", "true"),
        ("date('2026-03-31') + duration({months: 1})", "2026-04-30"),
        (
            "date({year: 2024, month: 2, day: 28}) + duration('P2D')",
            "2024-03-01",
        ),
        ("date('2026-11-28').dayOfWeek", "6"),
        (
            "datetime('2026-11-28T08:50:00Z') - duration({days: 30, hours: 1})",
            "2026-10-29T07:50:00Z",
        ),
        ("datetime('2020-01-01') < datetime() - duration('P1D')", "true"),
        (
            "datetime('2026-01-01T00:00:00Z') = datetime('2026-01-01T01:00:00+01:00')",
            "true",
        ),
        ("date('2026-01-02') > date('2026-01-01')", "true"),
        ("date('2026-01-01') < datetime()", "null"),
        ("duration({days: 1}) < duration({days: 2})", "null"),
        ("duration({days: 1}) = duration('P1D')", "true"),
        (
            "2 * duration({months: 14, minutes: 90}) - duration({days: 1})",
            "P2Y4M-1DT3H",
        ),
        (
            "date('2026-03-31') + duration({months: 1, days: -1})",
            "2026-04-29",
        ),
        ("duration({seconds: 0})", "PT0S"),
        ("duration({milliseconds: -1500})", "PT-1.5S"),
        ("duration({hours: 36}).minutes", "2160"),
        (
            "date(datetime('2026-11-28T23:59:00Z')) = date('2026-11-28')",
            "true",
        ),
        ("toString(date('2026-11-28')) + '!'", "2026-11-28!"),
    ] {
        check_value(expression, expected);
    }
}

/// Queries over [`people`] and their rows.
const CLAUSES: &[(&str, &[&str])] = &[
    (
        "MATCH (n:Person) RETURN n.id ORDER BY n.age DESC, n.id",
        &["ann", "ben", "cid"],
    ),
    (
        "MATCH (n) RETURN n.id ORDER BY n.age, n.id",
        &["ben", "cid", "ann", "dan"],
    ),
    (
        "MATCH (n {id: 'ann'})-[r:KNOWS|LIKES]->(m) RETURN type(r), m.id ORDER BY m.id",
        &["KNOWS | ben", "LIKES | cid"],
    ),
    (
        "MATCH (n)<-[:KNOWS]-(m) RETURN n.id, m.id ORDER BY n.id, m.id",
        &["ben | ann", "cid | ben", "cid | cid"],
    ),
    (
        "MATCH (c {id: 'cid'})-[r]-(x) RETURN x.id, type(r) ORDER BY x.id",
        &["ann | LIKES", "ben | KNOWS", "cid | KNOWS"],
    ),
    (
        "MATCH (n:Person&!Boss) RETURN n.id ORDER BY n.id",
        &["ben", "cid"],
    ),
    ("MATCH (n WHERE n.age > 25) RETURN n.id", &["ann"]),
    (
        "MATCH (n) WHERE n:Boss|Robot RETURN n.id ORDER BY n.id",
        &["ann", "dan"],
    ),
    ("OPTIONAL MATCH (n:Nobody) RETURN n", &["null"]),
    (
        "MATCH (n) OPTIONAL MATCH (n)-[:LIKES]->(m) RETURN n.id, m.id ORDER BY n.id",
        &["ann | cid", "ben | null", "cid | null", "dan | null"],
    ),
    (
        "MATCH (n:Person) RETURN n.age AS age, count(*) AS c ORDER BY age",
        &["20 | 2", "30 | 1"],
    ),
    (
        "MATCH (n) RETURN count(n.age), sum(n.age), min(n.age), collect(n.age)",
        &["3 | 70 | 20 | [30, 20, 20]"],
    ),
    ("MATCH (n:Nobody) RETURN count(*), max(n.x)", &["0 | null"]),
    ("MATCH (n:Nobody) RETURN n.id, count(*)", &[]),
    (
        "MATCH (n:Person) RETURN DISTINCT n.age ORDER BY n.age",
        &["20", "30"],
    ),
    (
        "MATCH (n:Person) WITH n.age AS age, collect(n.id) AS ids WHERE size(ids) > 1 RETURN age, ids",
        &["20 | ['ben', 'cid']"],
    ),
    ("UNWIND [3, 1, 2] AS x RETURN x ORDER BY x SKIP 1 LIMIT 1", &["2"]),
    ("UNWIND [] AS x RETURN x", &[]),
    ("RETURN 1 AS x UNION ALL RETURN 1 AS x", &["1", "1"]),
    ("RETURN 1 AS x UNION RETURN 1 AS x", &["1"]),
    (
        "MATCH (n:Person) WHERE EXISTS { (n)-[:LIKES]->() } RETURN n.id",
        &["ann"],
    ),
    (
        "MATCH (n:Person) WHERE NOT (n)<-[:KNOWS]-() RETURN n.id",
        &["ann"],
    ),
    (
        "MATCH (n:Person) RETURN n.id, COUNT { (n)-[:KNOWS]->(m) WHERE m.age = 20 } AS c ORDER BY n.id",
        &["ann | 1", "ben | 1", "cid | 1"],
    ),
    (
        "MATCH (n {id: 'ann'}) RETURN [(n)-[r]->(m) | m.id]",
        &["['ben', 'cid']"],
    ),
    (
        "MATCH (n {id: 'ann'}) RETURN n {.id, older: n.age + 1}",
        &["{id: 'ann', older: 31}"],
    ),
    (
        "MATCH (a)-[:KNOWS]->(b), (b)-[:KNOWS]->(c) RETURN a.id, c.id ORDER BY a.id",
        &["ann | cid", "ben | cid"],
    ),
    (
        "MATCH (n:Person) RETURN count(*) + 1 AS more ORDER BY count(*) + 1",
        &["4"],
    ),
];

#[test]
fn clauses_turn_rows_into_rows() {
    for (query, expected) in CLAUSES {
        assert_eq!(rows(query, &people()), *expected, "{query}");
    }
}

#[test]
fn paths_use_no_relationship_twice() {
    let cases: &[(&str, &[&str])] = &[
        (
            "MATCH p = (a {id: 'ann'})-[:KNOWS*]->(b) RETURN length(p), b.id ORDER BY length(p)",
            &["1 | ben", "2 | cid", "3 | cid"],
        ),
        (
            "MATCH (a {id: 'ann'})-[:KNOWS*0..1]->(b) RETURN b.id ORDER BY b.id",
            &["ann", "ben"],
        ),
        ("MATCH (a {id: 'ann'})-[:KNOWS]->{2}(b) RETURN b.id", &["cid"]),
        (
            "MATCH (a)-[r:KNOWS*2]->(b {id: 'cid'}) RETURN a.id, [x IN r | x.since] ORDER BY a.id",
            &["ann | [1, 2]", "ben | [2, 3]"],
        ),
        (
            "MATCH p = (b {id: 'cid'})<-[*2]-(a) RETURN p ORDER BY a.id",
            &[
                "cid -[KNOWS]-> cid <-[LIKES]- ann",
                "cid <-[KNOWS]- ben <-[KNOWS]- ann",
                "cid -[KNOWS]-> cid <-[KNOWS]- ben",
            ],
        ),
        (
            "MATCH p = shortestPath((a {id: 'ann'})-[*]->(b {id: 'cid'})) RETURN p",
            &["ann -[LIKES]-> cid"],
        ),
        (
            "MATCH p = shortestPath((a {id: 'ann'})-[:KNOWS*]->(b)) RETURN length(p), b.id ORDER BY b.id",
            &["1 | ben", "2 | cid"],
        ),
        (
            "MATCH p = shortestPath((a {id: 'ann'})-[*]->(b {id: 'cid'})) WHERE none(r IN relationships(p) WHERE type(r) = 'LIKES') RETURN length(p)",
            &["2"],
        ),
        (
            "MATCH p = allShortestPaths((a {id: 'ann'})-[*]-(b {id: 'cid'})) RETURN count(p)",
            &["1"],
        ),
        (
            "MATCH (a {id: 'ann'}), (b {id: 'dan'}) RETURN shortestPath((a)-[*]-(b))",
            &["null"],
        ),
        (
            "MATCH p = (a {id: 'ann'})-[*]->(c {id: 'cid'}) WHERE any(n IN nodes(p) WHERE n.id = 'ben') RETURN length(p) ORDER BY length(p)",
            &["2", "3"],
        ),
    ];
    for (query, expected) in cases {
        let mut found = rows(query, &people());
        let mut expected: Vec<String> = expected.iter().map(|row| (*row).to_owned()).collect();
        if query.contains("RETURN p") {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn what_hardly_is_meant_is_warned_of() {
    let warned = |query: &str| -> Vec<String> {
        let warnings = Query::parse(query).unwrap().check(&people()).unwrap();
        warnings
            .iter()
            .map(|warning| warning.span.of(query).to_owned())
            .collect()
    };
    for (query, places) in [
        ("MATCH (a)-[*]->(b) RETURN b", &["-[*]->"][..]),
        ("MATCH p = ALL TRAIL (a)-->+(b) RETURN b", &["-->+"]),
        ("MATCH (a) WHERE EXISTS { (a)-[*]->(b) } RETURN a", &["-[*]->"]),
        (
            "MATCH p = ANY SHORTEST (a)-->+(b) WHERE all(n IN nodes(p) WHERE n.age > 1) AND a.id = 'ann' RETURN b",
            &["all(n IN nodes(p) WHERE n.age > 1)"],
        ),
        ("MATCH (a)-[*1..3]->(b) RETURN b", &[]),
        ("MATCH p = ACYCLIC (a)-->+(b) RETURN b", &[]),
        (
            "MATCH p = ANY SHORTEST (a)-[r WHERE r.since > 1]->+(b) WHERE length(p) < 3 RETURN b",
            &[],
        ),
        (
            "MATCH p = shortestPath((a)-[*]->(b)) WHERE all(n IN nodes(p) WHERE n.age > 1) RETURN b",
            &[],
        ),
        ("MATCH (n:Persn) RETURN n", &["Persn"]),
    ] {
        assert_eq!(warned(query), places, "{query}");
    }
    check_error(
        "MATCH p = ANY SHORTEST (a)-->+(b), q = ANY SHORTEST (b)-->+(c) RETURN p",
        Fault::Meaning,
        "ANY SHORTEST",
        "only one pattern",
    );
    check_error(
        "MATCH p = ANY SHORTEST (a)-[r]->+(b), (a)-[s]->(c)-->(a), (x)-->(r) RETURN p",
        Fault::Meaning,
        "r",
        "stands within a selected path",
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    check_error("MATCH (n) RETURN m", Fault::Meaning, "m", "`m` is not defined");
    check_error(
        "MATCH (n) RETURN lenght(n)",
        Fault::Meaning,
        "lenght",
        "unknown function",
    );
    check_error("MATCH (n) SET n.x = 1", Fault::ReadOnly, "SET", "read-only");
    check_error("CREATE (n)", Fault::ReadOnly, "CREATE", "read-only");
    check_error(
        "MATCH (n) DETACH DELETE n",
        Fault::ReadOnly,
        "DETACH",
        "read-only",
    );
    check_error(
        "CALL db.lables()",
        Fault::Meaning,
        "db.lables",
        "unknown procedure",
    );
    check_error(
        "MATCH (n) WHERE count(n) > 1 RETURN n",
        Fault::Meaning,
        "count(n)",
        "aggregation",
    );
    check_error(
        "MATCH (n) WITH n.id RETURN 1",
        Fault::Meaning,
        "n.id",
        "needs a name",
    );
    check_error("MATCH (n)-[n]->() RETURN n", Fault::Meaning, "n", "cannot be");
    check_error(
        "MATCH (n) RETURN n.id, n.age + count(*)",
        Fault::Meaning,
        "n",
        "grouped",
    );
}

#[test]
fn what_cannot_be_read_or_computed_is_said_with_its_place() {
    check_error("RETURN 1 +", Fault::Syntax, "", "the end of the query");
    check_error("RETURN 'a", Fault::Syntax, "'a", "not closed");
    check_error(
        "RETURN 9223372036854775808",
        Fault::Syntax,
        "9223372036854775808",
        "too large",
    );
    check_error(
        "RETURN reduce(a = [1], x IN range(1, 100) | [a, a])",
        Fault::Argument,
        "reduce(a = [1], x IN range(1, 100) | [a, a])",
        "too large",
    );
    check_error(
        "RETURN 'a' =~ 'a)|(b'",
        Fault::Argument,
        "'a' =~ 'a)|(b'",
        "regular expression",
    );
    check_error("RETURN 1 / 0", Fault::Argument, "1 / 0", "division by zero");
    check_error("RETURN 'a' * 2", Fault::Type, "'a'", "numbers");
    check_error(
        "RETURN datetime('x')",
        Fault::Argument,
        "datetime('x')",
        "no date and time",
    );
    check_error(
        "RETURN duration({day: 1})",
        Fault::Argument,
        "duration({day: 1})",
        "no duration",
    );
    check_error(
        "RETURN date('2026-01-01') + 1",
        Fault::Type,
        "date('2026-01-01') + 1",
        "does not go with",
    );
    check_error(
        "RETURN datetime() + duration({years: 99999})",
        Fault::Argument,
        "datetime() + duration({years: 99999})",
        "outside",
    );
    check_error("RETURN $missing", Fault::Argument, "$missing", "not given");
    check_error("MATCH (n) RETURN n LIMIT -1", Fault::Argument, "-1", "LIMIT");
    check_error(
        "RETURN 1 AS a UNION RETURN 2 AS b",
        Fault::Meaning,
        "RETURN 1 AS a UNION RETURN 2 AS b",
        "UNION",
    );
}

#[test]
fn limits_give_a_part_and_say_so() {
    let mut graph = Memory::default();
    let nodes: Vec<_> = (0..12).map(|_| graph.node(&["N"], &[])).collect();
    for from in &nodes {
        for to in &nodes {
            graph.link(*from, "L", *to, &[]);
        }
    }
    let limits = |rows, expansions| Limits {
        rows,
        expansions,
        ..Limits::default()
    };
    let walk = "MATCH (a)-[*]->(b) RETURN count(*)";
    let table = run_with(walk, &graph, limits(usize::MAX, 10_000)).unwrap();
    let left_out = "stopped after 10000 expansions, and what aggregates over a part is left out";
    assert_eq!(table.stopped.as_deref(), Some(left_out));
    // A count of a part would be wrong; there is none, and the columns say what is missing.
    assert_eq!(
        (table.columns, table.rows.len()),
        (vec!["count(*)".to_owned()], 0)
    );
    let table = run_with("UNWIND range(1, 100) AS x RETURN x", &graph, limits(10, 10_000)).unwrap();
    assert_eq!((table.rows.len(), table.stopped.is_some()), (10, true));
    // What is wanted is found long before the limit.
    let table = run_with("MATCH (a)-[*]->(b) RETURN a LIMIT 3", &graph, limits(100, 10_000)).unwrap();
    assert_eq!((table.rows.len(), table.stopped), (3, None));
}

#[test]
fn nothing_wrong_is_said_over_a_part() {
    let mut graph = Memory::default();
    let nodes: Vec<_> = (0..40)
        .map(|id| graph.node(&["N"], &[("id", Value::Int(id))]))
        .collect();
    for from in &nodes {
        for to in &nodes {
            graph.link(*from, "L", *to, &[]);
        }
    }
    let stopped = |query: &str| {
        let limits = Limits {
            expansions: 1_000,
            ..Limits::default()
        };
        let table = run_with(query, &graph, limits).unwrap();
        assert!(table.stopped.is_some(), "{query}");
        table.rows
    };
    for query in [
        "MATCH (a)-->(b) RETURN count(DISTINCT b) + 1 AS n",
        "MATCH (a)-->(b) WITH a, collect(b) AS bs RETURN size(bs)",
        "MATCH (a)-->(b) RETURN max(b.id) ORDER BY max(b.id) LIMIT 1",
        "RETURN COUNT { (a)-->(b)-->(c) } AS n",
        "RETURN size([(a)-->(b)-->(c) | 1]) AS n",
        "RETURN NOT EXISTS { (a)-->(b)-->(c)-->(d {id: -1}) } AS none",
        "CALL { MATCH (a)-->(b) RETURN count(DISTINCT b) AS n } RETURN n",
        "MATCH (a {id: 0}) OPTIONAL MATCH (a)-->(b)-->(c {id: -1}) RETURN c",
    ] {
        let rows = stopped(query);
        assert!(rows.is_empty(), "{query}: {rows:?}");
    }
    // Rows that were found are rows of the answer.
    assert!(!stopped("MATCH (a)-->(b)-->(c) RETURN a").is_empty());
    assert!(!stopped("MATCH (a) WHERE COUNT { (a)-->(b) } = 40 RETURN a.id").is_empty());
}

#[test]
fn rows_and_unfinished_paths_take_no_more_memory_than_they_may() {
    let graph = people();
    let run = |query: &str, memory| {
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        run_with(query, &graph, limits).unwrap()
    };
    for query in [
        "UNWIND range(1, 100000) AS x RETURN x",
        "UNWIND range(1, 100000) AS x RETURN collect(x)",
        "UNWIND range(1, 100000) AS x RETURN DISTINCT x",
        "UNWIND range(1, 100000) AS x RETURN x, count(*)",
        "UNWIND range(1, 100000) AS x RETURN x ORDER BY -x",
        "MATCH p = SHORTEST 100000 WALK (a {id: 'ann'})-[:KNOWS]->+(b {id: 'cid'}) RETURN 1",
    ] {
        let stopped = run(query, 100_000).stopped.unwrap_or_default();
        assert!(
            stopped.starts_with("stopped at 100000 bytes of memory"),
            "{query}: {stopped}"
        );
    }
    // What is not kept costs nothing.
    for query in [
        "UNWIND range(1, 10000) AS x RETURN count(x)",
        "UNWIND range(1, 10000) AS x RETURN x ORDER BY -x LIMIT 3",
        "UNWIND range(1, 10000) AS x WITH x WHERE x < 3 RETURN x",
        "UNWIND range(1, 500) AS x WITH COUNT { UNWIND range(1, 100) AS y RETURN y } AS c RETURN sum(c)",
        "UNWIND range(1, 500) AS x CALL () { UNWIND range(1, 100) AS y RETURN count(DISTINCT y) AS c } RETURN sum(c)",
        "UNWIND range(1, 5000) AS x MATCH p = ANY SHORTEST (a {id: 'ann'})-->+(b {id: 'cid'}) RETURN count(p)",
    ] {
        assert_eq!(run(query, 1_000_000).stopped, None, "{query}");
    }
}

#[test]
fn null_is_sorted_where_the_query_says() {
    for (order, expected) in [
        ("x", "[1, 2, null]"),
        ("x DESC", "[null, 2, 1]"),
        ("x NULLS FIRST", "[null, 1, 2]"),
        ("x ASC NULLS LAST", "[1, 2, null]"),
        ("x DESC NULLS LAST", "[2, 1, null]"),
        ("x DESC NULLS FIRST", "[null, 2, 1]"),
    ] {
        let query = format!("UNWIND [2, null, 1] AS x WITH x ORDER BY {order} RETURN coalesce(x, 'null')");
        let found = rows(&query, &Memory::default()).join(", ");
        assert_eq!(format!("[{found}]"), expected, "{order}");
    }
}

#[test]
fn time_and_interrupts_stop_a_query_soon() {
    let mut graph = Memory::default();
    let nodes: Vec<_> = (0..12).map(|_| graph.node(&["N"], &[])).collect();
    for from in &nodes {
        for to in &nodes {
            graph.link(*from, "L", *to, &[]);
        }
    }
    let endless = [
        "MATCH (a)-[*]->(b) RETURN count(*)",
        "RETURN reduce(a = 0, x IN range(1, 1000000) | reduce(b = a, y IN range(1, 10000) | y)) AS x",
        "UNWIND range(1, 1000000) AS x UNWIND range(1, 100000) AS y WITH x, y WHERE x < 0 RETURN x",
        "UNWIND range(1, 1000000) AS x UNWIND range(1, 100000) AS y WITH x, y ORDER BY y, x RETURN x, y",
        "UNWIND range(1, 1000000) AS x UNWIND range(1, 100000) AS y RETURN x % 1000 AS z, collect(y)",
        "MATCH p = SHORTEST 100000000 (a)-->+(b) RETURN count(p)",
        "MATCH p = CHEAPEST 100000000 (a)-[l COST 1]->+(b) RETURN count(p)",
        "MATCH (a), (b), (c), (d), (e), (f), (g), (h), (i) \
         WHERE EXISTS { (a)-->(b)-->(c) WHERE d <> e OR f <> g OR h <> i } RETURN count(*)",
    ];
    for query in endless {
        let limits = Limits {
            expansions: u64::MAX,
            rows: usize::MAX,
            time: Some(Duration::from_millis(100)),
            ..Limits::default()
        };
        let begin = Instant::now();
        let table = run_with(query, &graph, limits).unwrap();
        let stopped = table.stopped.unwrap_or_default();
        assert!(stopped.starts_with("stopped after 100ms"), "{query}: {stopped}");
        assert!(
            begin.elapsed() < Duration::from_secs(3),
            "{query}: {:?}",
            begin.elapsed()
        );

        assert!(
            is_interrupted(query, &graph, Duration::from_millis(50)),
            "{query}"
        );
    }
}

/// Interrupts a query after a while; whether it was not over before. It must end soon then.
fn is_interrupted(query: &str, graph: &dyn Graph, after: Duration) -> bool {
    let flag = Arc::new(AtomicBool::new(false));
    let limits = Limits {
        expansions: u64::MAX,
        rows: usize::MAX,
        interrupt: Some(Arc::clone(&flag)),
        ..Limits::default()
    };
    let raised = std::thread::spawn(move || {
        std::thread::sleep(after);
        flag.store(true, Ordering::Relaxed);
        Instant::now()
    });
    let parsed = Query::parse(query).unwrap();
    let table = parsed.run(graph, &BTreeMap::new(), limits).unwrap();
    let end = Instant::now();
    let Some(stopped) = table.stopped else {
        return false;
    };
    assert!(stopped.starts_with("interrupted"), "{query}: {stopped}");
    let late = end.saturating_duration_since(raised.join().unwrap());
    // A debug build on a busy machine gets more.
    let soon = if cfg!(debug_assertions) { 1000 } else { 50 };
    assert!(
        late < Duration::from_millis(soon),
        "{query} after {after:?}: {late:?}"
    );
    true
}
