//! Laws of the query language: printing and parsing are inverse, nothing panics, and paths are what the solver derives.

use std::collections::{BTreeMap, BTreeSet};

use beachhead::graph::{AttackGraph, VertexId};
use beachhead::paths::{Premises, Reach, Solver};
use beachhead::query::{AttackView, Limits, Query, Table, Value};
use beachhead::techniques::{Certainty, Few, Place, Position, Reason, Relation, Step};
use proptest::prelude::*;
use proptest::sample::select;

/// Expressions without parts that matter.
const LEAVES: &[&str] = &[
    "1",
    "-2",
    "3.5",
    "'a\\'b'",
    "\"q\"",
    "null",
    "TRUE",
    "$p",
    "n",
    "n.x",
    "n:A|B",
    "[]",
    "{}",
    "count(*)",
    "`odd name`",
    "(n)-[:T]->()",
    "exists(n.x)",
    "0x1f",
    "n.list[0]",
    "[1, 2][0..1]",
];

/// An expression as someone may write it, with the loosest operators in brackets.
fn expression() -> BoxedStrategy<String> {
    let leaf = select(LEAVES);
    leaf.prop_map(|leaf: &str| leaf.to_owned())
        .prop_recursive(4, 40, 3, |inner| {
            let operator = select(vec![
                "+",
                "-",
                "*",
                "/",
                "%",
                "^",
                "=",
                "<>",
                "<",
                "<=",
                ">",
                ">=",
                "=~",
                "AND",
                "or",
                "XOR",
                "IN",
                "STARTS WITH",
                "ends with",
                "CONTAINS",
            ]);
            prop_oneof![
                (inner.clone(), operator, inner.clone())
                    .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
                inner.clone().prop_map(|inner| format!("({inner})")),
                inner.clone().prop_map(|inner| format!("NOT ({inner})")),
                inner.clone().prop_map(|inner| format!("({inner}) IS NOT NULL")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("CASE WHEN {a} THEN {b} ELSE 0 END")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[x IN {a} WHERE ({b}) | x]")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("any(x IN ({a}) WHERE {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("reduce(s = {a}, x IN [1] | {b})")),
                inner.clone().prop_map(|a| format!("n {{.x, .*, y: {a}}}")),
                inner.clone().prop_map(|a| format!(
                    "EXISTS {{ MATCH (n)-[r:T*1..3 {{k: {a}}}]-(:A&!B) WHERE {a} RETURN n }}"
                )),
                inner
                    .clone()
                    .prop_map(|a| format!("[(n)<-[r]-(m WHERE m.y) WHERE ({a}) | m]")),
            ]
        })
        .boxed()
}

fn query() -> impl Strategy<Value = String> {
    (expression(), expression(), expression()).prop_map(|(a, b, c)| {
        format!(
            "MATCH p = (n:A)-[r:T|U*..4]->(m {{x: {a}}}), (k) WHERE {b} WITH DISTINCT *, {c} AS z ORDER BY {a} DESC SKIP 1 \
             LIMIT 2 WHERE {b} UNWIND {c} AS u CALL db.labels({a}) YIELD x AS y, z WHERE {b} CALL (*) {{ RETURN {a} AS w \
             ORDER BY w DESC NULLS LAST }} OPTIONAL CALL {{ WITH u CALL `a..b`() YIELD k RETURN k }} RETURN u, {a} AS v \
             UNION ALL RETURN 1 AS u, {c} AS v"
        )
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_query(text in query()) {
        if let Ok(first) = Query::parse(&text) {
            let printed = first.printed();
            let second = Query::parse(&printed).map_err(|error| TestCaseError::fail(error.shown(&printed)))?;
            prop_assert!(first.is_same(&second), "{text}\n{printed}\n{}", second.printed());
        } else {
            let error = Query::parse(&text).unwrap_err();
            // Two comparisons of a kind the language does not chain, as in `n:A|B = …`, may not parse.
            prop_assert!((error.span.end as usize) <= text.len());
        }
    }

    #[test]
    fn no_text_panics(text in "[ -~é\n]{0,80}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(text.get(error.span.start as usize..error.span.end as usize).is_some());
        }
    }

    #[test]
    fn no_sequence_of_words_panics(words in proptest::collection::vec(select(vec![
        "MATCH", "(", ")", "[", "]", "{", "}", "-", "<", ">", "n", ":", "A", "RETURN", "WHERE", "*", "..", "1", "'a'", "|", "IN",
        "CALL", "YIELD", "EXPLAIN", "OPTIONAL", "ORDER", "BY", "NULLS", "FIRST", "EXISTS", "CASE", "WHEN", "THEN", "END", "UNWIND", "AS", "WITH", ",", ".", "=", "shortestPath", "$p", "count", "NOT", "UNION",
    ]), 0..40)) {
        let text = words.join(" ");
        if let Ok(query) = Query::parse(&text) {
            let printed = query.printed();
            let second = Query::parse(&printed).map_err(|error| TestCaseError::fail(error.shown(&printed)))?;
            prop_assert!(query.is_same(&second), "{text}\n{printed}");
        }
    }
}

#[test]
fn depth_is_bounded() {
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("NOT ", "true", ""),
        ("- ", "1", ""),
        ("{a: ", "1", "}"),
        ("1 + (", "1", ")"),
        ("[x IN ", "[]", "]"),
        ("EXISTS { MATCH (n) WHERE ", "true", "}"),
        ("n", "", ".x"),
        ("1", "", " + 1"),
        ("1", "", " IS NULL"),
        ("[]", "", "[0]"),
    ] {
        let prefix = if middle.is_empty() {
            open.to_owned()
        } else {
            open.repeat(20_000)
        };
        let text = format!("RETURN {prefix}{middle}{} AS x", close.repeat(20_000));
        let error = Query::parse(&text).unwrap_err();
        assert!(
            error.message.contains("nests deeper") || error.message.contains("operators"),
            "{open}: {error}"
        );
    }
    let text = format!("MATCH (n){} RETURN n", "-->()".repeat(2_000));
    let error = Query::parse(&text).unwrap_err();
    assert!(error.message.contains("relationships"), "{error}");
    // Long but flat is fine.
    let text = format!("RETURN {}true AS x", "n.x = 1 OR ".repeat(5_000));
    Query::parse(&text).unwrap();
}

fn position(name: usize) -> Position {
    Position::Network(name.to_string().into())
}

/// Graphs of at most so many relationships: a pattern without a selector walks every trail, and those grow as
/// factorials.
fn graphs(most: usize) -> impl Strategy<Value = AttackGraph> {
    let step = (proptest::collection::vec(0_usize..6, 1..4), 0_usize..6, 0_u8..4);
    proptest::collection::vec(step, 1..10).prop_map(move |mut steps| {
        let mut relationships = 0;
        steps.retain(|(premises, ..)| {
            relationships += premises.len();
            relationships <= most
        });
        let step = |(premises, conclusion, effort): (Vec<usize>, usize, u8)| Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.into_iter().map(position).collect(),
            conclusion: position(conclusion),
            effort,
            certainty: Certainty::Certain,
            evidence: Few::new(),
        };
        AttackGraph::new(steps.into_iter().map(step).collect())
    })
}

fn run(text: &str, view: &AttackView<'_>, start: VertexId) -> Table {
    let id = view_id(view, start);
    let parameters = BTreeMap::from([("start".to_owned(), id)]);
    let query = Query::parse(text).unwrap();
    let table = query
        .run(view, &parameters, Limits::default())
        .unwrap_or_else(|error| panic!("{}", error.shown(text)));
    assert_eq!(table.stopped, None);
    table
}

fn view_id(view: &AttackView<'_>, vertex: VertexId) -> Value {
    beachhead::query::Graph::node_property(view, vertex, "id")
}

/// Nodes with a number, as a set.
fn nodes(table: &Table) -> BTreeSet<(VertexId, i64)> {
    let row = |row: &Vec<Value>| match row[..] {
        [Value::Node(node), Value::Int(number)] => (node, number),
        _ => panic!("{row:?}"),
    };
    table.rows.iter().map(row).collect()
}

proptest! {
    #[test]
    fn a_path_exists_exactly_where_the_solver_derives_the_end(graph in graphs(9)) {
        let rows = graph.freeze();
        let view = AttackView::new(&graph, &rows);
        let count = VertexId::try_from(rows.positions()).unwrap();
        for start in 0..count {
            let reach = Reach::new(&rows, &[start], Premises::Max);
            let held: BTreeSet<VertexId> = (0..count).filter(|vertex| *vertex != start && reach.is_held(*vertex)).collect();
            let shortest = nodes(&run("MATCH p = shortestPath((a {id: $start})-[*]->(b)) RETURN b, length(p)", &view, start));
            prop_assert_eq!(shortest.iter().map(|(node, _)| *node).collect::<BTreeSet<_>>(), held);
            for text in [
                "MATCH p = (a {id: $start})-[*]->(b) WHERE a <> b RETURN b, min(length(p))",
                "MATCH p = (b)<-[*]-(a {id: $start}) WHERE a <> b RETURN b, min(length(p))",
                "MATCH (b) MATCH p = (a)-[*]->(b) WHERE a <> b AND a.id = $start RETURN b, min(length(p))",
                "MATCH (b) MATCH p = shortestPath((b)<-[*]-(a {id: $start})) RETURN b, length(p)",
            ] {
                prop_assert_eq!(&nodes(&run(text, &view, start)), &shortest, "{}", text);
            }
            // Without names only the ends are asked for, and no path is searched for.
            for (named, unnamed) in [
                ("p = ANY SHORTEST (a {id: $start})-->+(b)", "ANY SHORTEST (a {id: $start})-->+(b)"),
                ("p = ANY SHORTEST (b)<--*(a {id: $start})", "ANY CHEAPEST (b)<--*(a {id: $start})"),
                ("p = shortestPath((a {id: $start})-[*0..]->(b))", "shortestPath((a {id: $start})-[*0..]->(b))"),
            ] {
                let ends = |pattern: &str| nodes(&run(&format!("MATCH {pattern} RETURN b, count(*)"), &view, start));
                prop_assert_eq!(ends(named), ends(unnamed), "{}", unnamed);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn many_rows_find_what_each_finds_alone(graph in graphs(9)) {
        let rows = graph.freeze();
        let view = AttackView::new(&graph, &rows);
        let count = VertexId::try_from(rows.positions()).unwrap();
        for end in 0..count {
            for (path, value) in [
                ("ANY SHORTEST (a)-[r]->+(b)", "length(p)"),
                ("ANY CHEAPEST (a)-[r COST r.effort + 1]->+(b)", "reduce(s = 0, r IN relationships(p) | s + r.effort + 1)"),
                ("SHORTEST 2 GROUPS (b)<-[r]-*(a)", "length(p)"),
                ("ANY SHORTEST (a)-[r]->{0,2}(b)", "length(p)"),
                ("shortestPath((a)-[r*]-(b))", "length(p)"),
                ("ANY (a)-->+(b)", "1"),
            ] {
                let path = if value == "1" { path.to_owned() } else { format!("p = {path}") };
                let rounds = 3;
                let all = format!(
                    "UNWIND range(1, {rounds}) AS i MATCH (b {{id: $start}}) MATCH (a) MATCH {path} RETURN a, {value}"
                );
                let alone = format!(
                    "MATCH (b {{id: $start}}) MATCH (a {{id: $a}}) MATCH {path} RETURN a, {value}"
                );
                let alone = Query::parse(&alone).unwrap();
                let mut expected = Vec::new();
                for start in 0..count {
                    let parameters =
                        BTreeMap::from([("start".to_owned(), view_id(&view, end)), ("a".to_owned(), view_id(&view, start))]);
                    let rows = alone.run(&view, &parameters, Limits::default()).unwrap().rows;
                    expected.extend((0..rounds).flat_map(|_| rows.clone()));
                }
                let found = run(&all, &view, end).rows;
                prop_assert_eq!(sorted(found), sorted(expected), "{}", path);
            }
        }
    }
}

#[test]
fn the_way_that_many_rows_share_is_not_taken_by_who_lacks_what_it_needs() {
    let step = |premises: &[usize], conclusion: usize| Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.iter().copied().map(position).collect(),
        conclusion: position(conclusion),
        effort: 1,
        certainty: Certainty::Certain,
        evidence: Few::new(),
    };
    // From 0 to 3: at once only with 4, which 5 leads to.
    let graph = AttackGraph::new(vec![
        step(&[0, 4], 3),
        step(&[5], 4),
        step(&[0], 1),
        step(&[1], 3),
        step(&[3], 0),
    ]);
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    let start = graph.vertex(&position(0)).unwrap();
    let text = "UNWIND range(1, 30) AS i MATCH (a {id: $start}) MATCH (b {id: 'Network/3'}) \
                MATCH p = ANY SHORTEST (a)-[r]->+(b) RETURN a, length(p)";
    let found = run(text, &view, start).rows;
    let lengths: Vec<i64> = found
        .iter()
        .map(|row| {
            if let Value::Int(length) = row[1] {
                length
            } else {
                0
            }
        })
        .collect();
    assert_eq!(lengths, [2; 30]);
}

#[test]
fn a_string_that_is_lent_is_the_string_that_is_given() {
    let pod = |number: usize| {
        Position::Pod(Place::new(
            format!("team-{}", number % 3),
            format!("web-{number}"),
        ))
    };
    let step = |number: usize| Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: vec![pod(number)].into(),
        conclusion: if number.is_multiple_of(2) {
            pod(number + 1)
        } else {
            position(number)
        },
        effort: 1,
        certainty: Certainty::Certain,
        evidence: Few::new(),
    };
    let graph = AttackGraph::new((0..40).map(step).collect());
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    for key in ["name", "namespace", "id", "port"] {
        for (operator, part) in [
            ("STARTS WITH", "team-1"),
            ("STARTS WITH", "web-1"),
            ("ENDS WITH", "7"),
            ("CONTAINS", "-2"),
        ] {
            let count = |text: &str| {
                let text = format!("MATCH (n) WHERE {text} {operator} '{part}' RETURN n, 1");
                nodes(&run(&text, &view, 0))
            };
            let (lent, given) = (
                count(&format!("n.{key}")),
                count(&format!("coalesce(n.{key}, null)")),
            );
            assert_eq!(lent, given, "{key} {operator} {part}");
            let shadowed = format!(
                "MATCH (n) WHERE any(n IN [{{{key}: 'team-1 web-1-27'}}] WHERE n.{key} {operator} '{part}') RETURN n, 1"
            );
            assert!(
                !nodes(&run(&shadowed, &view, 0)).is_empty() || part == "web-1",
                "{shadowed}"
            );
        }
    }
}

fn sorted(rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_cheapest_path_costs_what_its_derivation_does(graph in graphs(7)) {
        let rows = graph.freeze();
        let view = AttackView::new(&graph, &rows);
        let count = VertexId::try_from(rows.positions()).unwrap();
        for start in 0..count {
            let solver = Solver::new(&graph, &rows, &[start]);
            let cheapest = |end| solver.cheapest(end, 1).into_iter().next();
            let least: BTreeSet<(VertexId, i64)> = (0..count)
                .filter(|end| *end != start)
                .filter_map(|end| Some((end, i64::from(cheapest(end)?.cost.effort()))))
                .collect();
            for text in [
                // From the solver, by search, and of all paths.
                "MATCH p = ANY CHEAPEST (a {id: $start})-->+(b) WHERE a <> b RETURN b, cost(p)",
                "MATCH p = ANY CHEAPEST (a {id: $start})-[r WHERE true]->+(b) WHERE a <> b RETURN b, cost(p)",
                "MATCH (b) WHERE b.id <> $start MATCH p = ANY CHEAPEST (a {id: $start})-[r WHERE true]->+(b) RETURN b, cost(p)",
                "MATCH p = ALL CHEAPEST (a {id: $start})-->+(b) WHERE a <> b RETURN b, max(cost(p))",
                "MATCH p = CHEAPEST 2 ACYCLIC (a {id: $start})-->+(b) WHERE a <> b RETURN b, min(cost(p))",
                "MATCH p = (a {id: $start})-[*]->(b) WHERE a <> b RETURN b, min(cost(p))",
                "CALL path.reach($start) YIELD node, least WHERE node.id <> $start WITH node \
                 CALL path.cheapest({sourceNode: $start, targetNode: node}) YIELD cost RETURN node, cost",
            ] {
                prop_assert_eq!(&nodes(&run(text, &view, start)), &least, "{}", text);
            }
        }
    }
}

#[test]
fn a_path_that_needs_what_only_its_own_end_gives_is_not_the_cheapest() {
    let step = |premises: &[usize], conclusion: usize, effort: u8| Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.iter().copied().map(position).collect(),
        conclusion: position(conclusion),
        effort,
        certainty: Certainty::Certain,
        evidence: Few::new(),
    };
    // From 4 to 2: the way over 1 by the second step needs 2 already.
    let graph = AttackGraph::new(vec![
        step(&[5, 1], 2, 1),
        step(&[4, 2], 1, 0),
        step(&[4], 1, 3),
        step(&[4], 5, 1),
    ]);
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    let start = graph.vertex(&position(4)).unwrap();
    for arrow in ["-->+", "-[r WHERE true]->+"] {
        let text = format!(
            "MATCH p = ALL CHEAPEST (a {{id: $start}}){arrow}(b {{id: 'Network/2'}}) RETURN b, cost(p)"
        );
        let costs: Vec<i64> = nodes(&run(&text, &view, start))
            .into_iter()
            .map(|(_, cost)| cost)
            .collect();
        assert_eq!(costs, [5], "{text}");
    }
}
