//! CALL: procedures, alone and among other clauses, and subqueries.

use assert_cmd::Command;
use beachhead::query::{Fault, Procedure, Type, Value};

use super::memory::Memory;
use super::{check_error, people, rows};

/// The people with a procedure that gives 1 to `n`, and how often.
fn counting() -> Memory {
    let mut graph = people();
    let takes = [("n", Type::Integer, None)];
    let procedure = Procedure::new(
        "test.numbers",
        "Numbers",
        &takes,
        &[("x", Type::Integer), ("even", Type::Boolean)],
    );
    let row = |n: i64, x: i64| vec![Value::Int(n), Value::Int(x), Value::Bool(x % 2 == 0)];
    let table = (0..4).flat_map(|n| (1..=n).map(move |x| row(n, x))).collect();
    graph.procedure(procedure, table);
    graph
}

fn check(query: &str, expected: &[&str]) {
    assert_eq!(rows(query, &counting()), *expected, "{query}");
}

#[test]
fn procedures_give_rows_alone_and_among_clauses() {
    check("CALL test.numbers(2)", &["1 | false", "2 | true"]);
    check("CALL test.numbers(3) YIELD x", &["1", "2", "3"]);
    check(
        "CALL test.numbers(3) YIELD x AS y, even WHERE even RETURN y",
        &["2"],
    );
    check(
        "UNWIND [2, 0, 1] AS n CALL test.numbers(n) YIELD x RETURN n, x",
        &["2 | 1", "2 | 2", "1 | 1"],
    );
    check(
        "UNWIND [1, 0] AS n OPTIONAL CALL test.numbers(n) YIELD x RETURN n, x",
        &["1 | 1", "0 | null"],
    );
    check("CALL test.numbers(3) YIELD x RETURN x LIMIT 1", &["1"]);
    check(
        "CALL schema.labels() YIELD label, nodes RETURN label, nodes",
        &["Boss | 1", "Person | 3", "Robot | 1"],
    );
    check("CALL db.labels()", &["Boss", "Person", "Robot"]);
    check("CALL schema.relationshipTypes()", &["KNOWS | 3", "LIKES | 1"]);
    check("CALL schema.propertyKeys()", &["age", "id", "since"]);
    check(
        "CALL schema.procedures() YIELD name, signature WHERE name STARTS WITH 'test' RETURN signature",
        &["test.numbers(n :: INTEGER) :: (x :: INTEGER, even :: BOOLEAN)"],
    );
    check(
        "CALL schema.functions() YIELD name WHERE name = 'coalesce' RETURN name",
        &["coalesce"],
    );
}

#[test]
fn a_wrong_call_is_refused_with_its_place() {
    check_error(
        "CALL schema.lables()",
        Fault::Meaning,
        "schema.lables",
        "unknown procedure",
    );
    check_error(
        "CALL schema.labels(1)",
        Fault::Meaning,
        "schema.labels",
        "takes 0",
    );
    check_error(
        "MATCH (n) CALL schema.labels() RETURN n",
        Fault::Meaning,
        "schema.labels",
        "which results",
    );
    check_error(
        "MATCH (n) CALL schema.labels() YIELD lable RETURN n",
        Fault::Meaning,
        "lable",
        "gives no",
    );
    check_error(
        "MATCH (n) CALL schema.labels YIELD label RETURN n",
        Fault::Meaning,
        "schema.labels",
        "in brackets",
    );
    check_error(
        "MATCH (n) CALL schema.labels() YIELD label",
        Fault::Syntax,
        "",
        "RETURN",
    );
}

#[test]
fn subqueries_run_for_each_row_and_see_what_they_import() {
    check(
        "MATCH (n:Person) CALL (n) { MATCH (n)-[:KNOWS]->(m) RETURN m.id AS id } RETURN n.id, id ORDER BY n.id",
        &["ann | ben", "ben | cid", "cid | cid"],
    );
    check(
        "MATCH (n) CALL (n) { MATCH (n)-[:LIKES]->(m) RETURN count(m) AS likes } RETURN n.id, likes ORDER BY n.id",
        &["ann | 1", "ben | 0", "cid | 0", "dan | 0"],
    );
    check(
        "MATCH (n {id: 'ann'}) CALL { WITH n MATCH (n)-->(m) RETURN m ORDER BY m.id LIMIT 1 } RETURN m.id",
        &["ben"],
    );
    check("CALL { RETURN 1 AS x UNION RETURN 2 AS x } RETURN x", &["1", "2"]);
    check(
        "UNWIND [1, 2] AS a CALL (*) { RETURN a * 2 AS b } RETURN a, b",
        &["1 | 2", "2 | 4"],
    );
    check(
        "MATCH (n:Person) CALL (n) { MATCH (n)-[:LIKES]->(m) RETURN m } RETURN n.id, m.id",
        &["ann | cid"],
    );
    check(
        "MATCH (n:Boss|Robot) OPTIONAL CALL (n) { MATCH (n)-[:LIKES]->(m) RETURN m } RETURN n.id, m.id ORDER BY n.id",
        &["ann | cid", "dan | null"],
    );
    check(
        "UNWIND [3, 1] AS n CALL (n) { CALL test.numbers(n) YIELD x RETURN sum(x) AS s } RETURN n, s",
        &["3 | 6", "1 | 1"],
    );
    check_error(
        "MATCH (n) CALL { RETURN n AS m } RETURN m",
        Fault::Meaning,
        "n",
        "not defined",
    );
    check_error(
        "MATCH (n) CALL (m) { RETURN 1 AS x } RETURN x",
        Fault::Meaning,
        "m",
        "not defined",
    );
    check_error(
        "MATCH (n) CALL { RETURN 1 AS n } RETURN n",
        Fault::Meaning,
        "RETURN 1 AS n",
        "defined already",
    );
    check_error(
        "MATCH (n) CALL { SET n.x = 1 } RETURN n",
        Fault::ReadOnly,
        "SET",
        "read-only",
    );
}

/// What a query of the example says, a row a line.
fn example(query: &str) -> String {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args(["query", "examples/clusters/blog", "--format", "tsv", "-c", query])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{query}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_attack_graph_answers_by_the_solver_and_the_cluster() {
    let cheapest = example(
        "CALL attack.paths() YIELD target, path, cost, proven WHERE cost <> cost(path) OR NOT proven RETURN target",
    );
    assert_eq!(
        cheapest.lines().count(),
        1,
        "the cost of a path is that of its derivation: {cheapest}"
    );
    let targets = example("CALL attack.paths() YIELD target, cost RETURN target, cost ORDER BY target.id");
    assert!(
        targets.contains("ClusterAdmin") && targets.contains("Database/"),
        "{targets}"
    );
    let same = example(
        "MATCH (i:Internet), (d:Database) CALL path.cheapest({sourceNode: i, targetNode: d}) YIELD cost, steps \
         MATCH p = ANY CHEAPEST (i)-->+(d) RETURN cost = cost(p), size(steps) >= length(p), d.id",
    );
    assert!(same.lines().count() > 1, "{same}");
    assert!(
        same.lines().skip(1).all(|line| line.starts_with("true\ttrue\t")),
        "{same}"
    );
    let reached = example(
        "CALL path.reach('Internet') YIELD node, cost, least WITH collect(node) AS held, min(cost - least) AS gap \
         MATCH p = ANY SHORTEST (:Internet)-->+(b) WITH held, gap, collect(b) AS ends \
         RETURN gap >= 0, all(x IN ends WHERE x IN held), size(held) - size(ends)",
    );
    assert_eq!(reached.lines().nth(1), Some("true\ttrue\t1"), "{reached}");
}

#[test]
fn rights_and_connections_are_asked_of_the_cluster() {
    let who = example(
        "CALL rbac.whoCan('get', 'secrets') YIELD subject, identity, namespace, reasons RETURN subject, size(reasons) > 0",
    );
    assert!(who.contains("Group/system:masters\ttrue"), "{who}");
    let reach = example(
        "MATCH (p:Pod) WHERE NOT p.id ENDS WITH '*' WITH p.id AS id ORDER BY id LIMIT 1 CALL network.reach(id, 'Internet') YIELD source, verdict RETURN source = id, verdict",
    );
    assert_eq!(reach.lines().count(), 2, "{reach}");
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args([
            "query",
            "examples/clusters/blog",
            "-c",
            "CALL path.reach('Internte')",
        ])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("no position is called Internte; did you mean Internet?"),
        "{errors}"
    );
}
