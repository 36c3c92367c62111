//! EXPLAIN and PROFILE: the operators of a plan, and what each of them did.

use beachhead::query::{Limits, Query, Value};
use expect_test::{Expect, expect};

use super::people;

/// The plan of a query, a line an operator.
fn plan(query: &str) -> Vec<Vec<String>> {
    let graph = people();
    let table = Query::parse(query)
        .unwrap()
        .run(&graph, &std::collections::BTreeMap::new(), Limits::default())
        .unwrap();
    let cell = |value: &Value| beachhead::query::text(value, &graph);
    table
        .rows
        .iter()
        .map(|row| row.iter().map(cell).collect())
        .collect()
}

fn check(query: &str, expected: &Expect) {
    let lines: Vec<String> = plan(query).into_iter().map(|row| row.join(" | ")).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_plan_says_what_is_done_and_when_conditions_are_tested() {
    check(
        "EXPLAIN MATCH (a:Person)-[:KNOWS]->(b) WHERE b.age > 20 RETURN b.id AS id ORDER BY id LIMIT 2",
        &expect![[r#"
            AllNodesScan | (a:Person) | 1
            Expand(All) | -[:KNOWS]->(b) | 1
            Filter | b.age > 20 | 1
            Top | id ORDER BY id LIMIT 2 | 1"#]],
    );
    check(
        "EXPLAIN MATCH p = shortestPath((a {id: 'ann'})-[*]->(b)) WHERE none(n IN nodes(p) WHERE n:Robot) AND b.age = 20 RETURN p",
        &expect![[r#"
            AllNodesScan | (a {id: 'ann'}) | 4
            Filter | {id: 'ann'} | 1
            ShortestPath | p = shortestPath((a {id: 'ann'})-[*]->(b)); tested during the search: none(n IN nodes(p) WHERE n:Robot) | 1
            Filter | b.age = 20 | 1
            ProjectPath | p | 1
            Projection | p | 1
            ProduceResults | p | 1"#]],
    );
    check(
        "EXPLAIN MATCH p = ANY SHORTEST ((a:Boss)-[r]->+(b) WHERE size(r) > 1) WHERE length(p) < 5 RETURN count(*)",
        &expect![[r#"
            AllNodesScan | (a:Boss) | 1
            SelectPaths | p = ANY SHORTEST ((a:Boss)-[r]->+(b) WHERE size(r) > 1); tested during the search: size(r) > 1 | 1
            ProjectPath | p | 1
            Filter | length(p) < 5 | 1
            EagerAggregation | count(*) | 1"#]],
    );
    check(
        "EXPLAIN MATCH (n:Person) CALL (n) { MATCH (n)-->(m) RETURN count(m) AS c UNION ALL RETURN 0 AS c } WITH DISTINCT n, c RETURN sum(c)",
        &expect![[r#"
            AllNodesScan | (n:Person) | 1
            Apply | for each row | 1
              Argument | (n) | 1
              Expand(Count) | -->(m) | 1
              EagerAggregation | c | 1
              Projection | c | 1
              ProduceResults | c | 1
              Union | all rows | 2
            Distinct | n, c | 1
            EagerAggregation | sum(c) | 1"#]],
    );
}

#[test]
fn a_plan_begins_at_the_property_that_finds_the_fewest_nodes() {
    let mut graph = super::memory::Memory::default();
    for number in 0..100 {
        let label = if number == 0 { "Boss" } else { "Person" };
        let (id, team) = (format!("p{number}"), format!("t{}", number % 10));
        graph.node(&[label], &[("id", Value::text(id)), ("team", Value::text(team))]);
    }
    graph.index();
    let first = |query: &str| {
        let table = Query::parse(query)
            .unwrap()
            .run(&graph, &std::collections::BTreeMap::new(), Limits::default())
            .unwrap();
        let cells: Vec<String> = table.rows[0]
            .iter()
            .map(|cell| beachhead::query::text(cell, &graph))
            .collect();
        cells.join(" | ")
    };
    for (query, expected) in [
        (
            "MATCH (a:Person) WHERE a.team = 't3' RETURN a",
            "NodeIndexSeek | (a:Person) by team | 10",
        ),
        (
            "MATCH (a:Person {team: 't3', id: 'p3'}) RETURN a",
            "NodeIndexSeek | (a:Person {team: 't3', id: 'p3'}) by id | 1",
        ),
        (
            "MATCH (a:Boss {team: 't0'}) RETURN a",
            "NodeByLabelScan | (a:Boss {team: 't0'}) | 1",
        ),
        (
            "MATCH (a:Person) WHERE a.team > 't3' RETURN a",
            "NodeByLabelScan | (a:Person) | 99",
        ),
        (
            "MATCH (a:Person) WHERE a.salary = 3 RETURN a",
            "NodeByLabelScan | (a:Person) | 99",
        ),
    ] {
        assert_eq!(first(&format!("EXPLAIN {query}")), expected);
    }
}

#[test]
fn a_profile_counts_the_rows_of_each_operator() {
    let counted = |query: &str| -> Vec<(String, i64)> {
        plan(query)
            .into_iter()
            .map(|row| (row[0].trim().to_owned(), row[3].parse().unwrap()))
            .collect()
    };
    let named = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
        rows.iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    };
    assert_eq!(
        counted("PROFILE MATCH (n:Person)-[:KNOWS]->(m) WHERE m.age = 20 RETURN m.id"),
        named(&[
            ("AllNodesScan", 3),
            ("Expand(All)", 3),
            ("Filter", 3),
            ("Projection", 3),
            ("ProduceResults", 3)
        ])
    );
    assert_eq!(
        counted("PROFILE MATCH (n) OPTIONAL MATCH (n)-[:LIKES]->(m) RETURN count(*), count(m)"),
        named(&[
            ("AllNodesScan", 4),
            ("Argument", 4),
            ("Expand(All)", 4),
            ("EagerAggregation", 1)
        ])
    );
    assert_eq!(
        counted(
            "PROFILE UNWIND [1, 2, 3] AS x CALL (x) { UNWIND range(1, x) AS y RETURN y } RETURN x, y ORDER BY y LIMIT 2"
        ),
        named(&[
            ("Unwind", 3),
            ("Apply", 6),
            ("Unwind", 6),
            ("Projection", 6),
            ("ProduceResults", 6),
            ("Top", 2)
        ])
    );
}
