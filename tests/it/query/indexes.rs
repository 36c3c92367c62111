//! What a plan leaves out changes no answer: indexes, rows that are only counted, groups that numbers stand for, and
//! subqueries that are planned once.
//!
//! **Trap.** Loops and parallel relationships are where counting by degree goes wrong, so the graphs have many.

use beachhead::query::{Limits, Query, Value};
use proptest::prelude::*;

use super::memory::Memory;
use super::rows;

const NODES: u32 = 5;

/// Nodes of two labels with properties that repeat or are missing, and relationships of two types.
fn graph(links: &[(u32, u32, bool)]) -> Memory {
    let mut graph = Memory::default();
    for id in 0..NODES {
        let label = if id % 2 == 0 { "Even" } else { "Odd" };
        let mut properties = vec![("id", Value::Int(id.into()))];
        if id != 3 {
            properties.push(("half", Value::Int((id / 2).into())));
        }
        graph.node(&[label], &properties);
    }
    for (from, to, first) in links {
        graph.link(*from, if *first { "A" } else { "B" }, *to, &[]);
    }
    graph
}

/// The rows of a query in any order.
fn found(query: &str, graph: &Memory) -> Vec<String> {
    let mut found = rows(query, graph);
    found.sort();
    found
}

/// How many rows a pattern has, each of them made.
fn made(pattern: &str, graph: &Memory) -> usize {
    let text = format!("MATCH {pattern} RETURN *");
    let table = Query::parse(&text)
        .unwrap()
        .run(graph, &std::collections::BTreeMap::new(), Limits::default())
        .unwrap();
    table.rows.len()
}

const COUNTED: &[&str] = &[
    "(a)-[r]->(b)",
    "(a)<-[r]-(b)",
    "(a)-[r]-(b)",
    "(a)-[r]->(b)-[s]->(c)",
    "(a)-[r]->(b)<-[s]-(c)",
    "(a)<-[r]-(b)-[s]->(c)",
    "(a)-[r]-(b)-[s]-(c)",
    "(a)-[r:A]->(b)-[s:A|B]->(c:Odd)",
    "(a)-[r]->(b)-[s]->(c)-[t]->(d)",
    "(a)-[r]->(b)-[s]->(a)",
    "(a)-[r]->(b), (b)-[s]->(c)",
    "(a {half: 1})-[r]->(b:Odd)-[s]-(c)",
];

const ASKED: &[&str] = &[
    "MATCH (n) WHERE n.half = 1 RETURN n.id",
    "MATCH (n {half: 1.0}) RETURN n.id",
    "MATCH (n) WHERE n.half = null RETURN n.id",
    "MATCH (n:Even {half: 1}) RETURN n.id",
    "MATCH (a)-->(b) WHERE a.half = b.half RETURN a.id, b.id",
    "UNWIND [0, 1, 'x', null] AS wanted MATCH (n) WHERE wanted = n.half RETURN wanted, n.id",
    "MATCH (n) WHERE n.id IN [1, 1.0, null, 9] RETURN n.half",
    "MATCH (n) WHERE n.half IN [1, 1.0] RETURN n.id",
    "MATCH (a)-->(b) WHERE a.id IN [b.half, 3] RETURN a.id, b.id",
    "UNWIND [[0], [], null, [0, 1, 0]] AS list MATCH (n) WHERE n.id IN list RETURN list, n.half",
    "MATCH (a)-->(b) RETURN b.half AS half, count(*) AS many",
    "MATCH (a)-[:A]->(b:Odd) RETURN a.half, b.half, count(*)",
    "MATCH (a)-->(b), (b)-->(c) RETURN c.half, count(*), count(c)",
    "MATCH (a) RETURN a.half, count(*)",
    "MATCH (a)-->(a) RETURN a, count(*)",
    "MATCH (a)-[r]-(b) RETURN b.half, count(r)",
    "MATCH (a)-->(b) WHERE b.half = 1 RETURN b, count(*)",
    "UNWIND [0, 1, 0] AS x MATCH (a)-->(b) RETURN a.half, b, count(*)",
    "MATCH (a)-->(b) RETURN b, count(a) AS many",
    "MATCH (a)-->(b)-->(c) RETURN a.half, c, count(*), collect(b.id)[0] IS NULL",
    "MATCH (a) OPTIONAL MATCH (a)-->(b:Odd) RETURN b.half AS half, count(*), count(b)",
    "MATCH (a) OPTIONAL MATCH (a)-->(b) WITH b, count(*) AS many WHERE many > 1 RETURN b, many",
    "MATCH (a)-->(b) WITH a, count(b) AS many ORDER BY many DESC, a.id RETURN a.id, many",
    "MATCH (a) WHERE EXISTS { (a)-->(:Odd) } RETURN a.id, COUNT { (a)-->() } AS many",
    "MATCH (a) RETURN a.id, COLLECT { MATCH (a)-->(b) RETURN b.id ORDER BY b.id } AS ids",
    "MATCH (a) RETURN a.id, [(a)-->(b) WHERE b.half = 1 | b.id] = [] AS none",
    "MATCH (a) RETURN a.id AS id ORDER BY COUNT { (a)-->() }, id",
    "UNWIND [1, 2] AS x MATCH (a) RETURN x, [y IN [0, 1] WHERE EXISTS { (a {half: y})-->() } | y + x]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_that_are_only_counted_are_as_many_as_if_they_were_made(
        links in prop::collection::vec((0..NODES, 0..NODES, any::<bool>()), 0..9)
    ) {
        let graph = graph(&links);
        for pattern in COUNTED {
            let count = made(pattern, &graph);
            for result in ["count(*)", "count(a)"] {
                let query = format!("MATCH {pattern} RETURN {result}");
                prop_assert_eq!(found(&query, &graph), [count.to_string()], "{} of {:?}", query, links);
            }
            let grouped = format!("MATCH {pattern} WITH a, count(*) AS many RETURN sum(many)");
            prop_assert_eq!(found(&grouped, &graph), [count.to_string()], "{} of {:?}", grouped, links);
        }
    }

    #[test]
    fn an_index_changes_no_answer(
        links in prop::collection::vec((0..NODES, 0..NODES, any::<bool>()), 0..9)
    ) {
        let mut graph = graph(&links);
        let before: Vec<_> = ASKED.iter().map(|query| found(query, &graph)).collect();
        graph.index();
        for (query, before) in ASKED.iter().zip(before) {
            prop_assert_eq!(found(query, &graph), before, "{} of {:?}", query, links);
        }
    }
}

#[test]
fn a_plan_begins_where_few_nodes_are_left() {
    let mut graph = graph(&[(0, 1, true)]);
    graph.index();
    for (query, begin) in [
        ("MATCH (a:Even)-->(b:Odd) RETURN a", "NodeByLabelScan | (b:Odd)"),
        (
            "MATCH (a:Even)-->(b:Odd) WHERE a.id STARTS WITH 'x' RETURN a",
            "NodeByLabelScan | (a:Even)",
        ),
        (
            "MATCH (a:Even)-->(b:Odd) WHERE a.id CONTAINS b.id RETURN a",
            "NodeByLabelScan | (b:Odd)",
        ),
        (
            "MATCH (n) WHERE n.id IN [1, 2] RETURN n",
            "NodeIndexSeek | (n) by id",
        ),
        (
            "MATCH (n) WHERE NOT n.id IN [1, 2] RETURN n",
            "AllNodesScan | (n)",
        ),
    ] {
        let plan = rows(&format!("EXPLAIN {query}"), &graph);
        assert!(plan[0].starts_with(begin), "{query}: {}", plan[0]);
    }
}
