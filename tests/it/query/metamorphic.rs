//! Laws between queries: what one selects, another one must select too.
//!
//! **Trap.** Which of several equal paths `SHORTEST k` takes is open, so a law names sets of lengths where paths are not
//! determined.

use std::collections::{BTreeMap, BTreeSet};

use beachhead::query::{Limits, Query, Value};
use proptest::prelude::*;

use super::memory::Memory;

const NODES: u32 = 5;

type Path = (u32, u32, Vec<u32>);

fn graph(links: &[(u32, u32)]) -> Memory {
    let mut graph = Memory::default();
    for id in 0..NODES {
        graph.node(&["N"], &[("id", Value::Int(id.into()))]);
    }
    for (from, to) in links {
        graph.link(*from, "L", *to, &[]);
    }
    graph
}

/// The paths of a pattern, with their ends.
fn paths(selection: &str, pattern: &str, graph: &Memory) -> Vec<Path> {
    matched(&format!("p = {selection} {pattern}"), graph)
}

/// The values of `p` that match.
fn matched(text: &str, graph: &Memory) -> Vec<Path> {
    let text = format!("MATCH {text} RETURN p");
    let query = Query::parse(&text).unwrap_or_else(|error| panic!("{}", error.shown(&text)));
    let table = query
        .run(graph, &BTreeMap::new(), Limits::default())
        .unwrap_or_else(|error| panic!("{}", error.shown(&text)));
    assert_eq!(table.stopped, None, "{text}");
    let path = |row: &Vec<Value>| match &row[..] {
        [Value::Path(path)] => (path.nodes[0], *path.nodes.last().unwrap(), path.links.clone()),
        other => panic!("{other:?}"),
    };
    table.rows.iter().map(path).collect()
}

fn set(paths: &[Path]) -> BTreeSet<&Path> {
    paths.iter().collect()
}

/// Of each pair of ends: the lengths of its paths, sorted.
fn lengths(paths: &[Path]) -> BTreeMap<(u32, u32), Vec<usize>> {
    let mut found: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
    for (from, to, links) in paths {
        found.entry((*from, *to)).or_default().push(links.len());
    }
    for lengths in found.values_mut() {
        lengths.sort_unstable();
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn selections_agree_with_each_other(links in proptest::collection::vec((0..NODES, 0..NODES), 0..8)) {
        let graph = graph(&links);
        for arrow in ["-->+", "-->*", "--{1,3}", "<--+"] {
            let pattern = format!("(a){arrow}(b)");
            let paths = |selection: &str| paths(selection, &pattern, &graph);
            let (one, all) = (paths("SHORTEST 1"), paths("ALL SHORTEST"));
            prop_assert!(set(&one).is_subset(&set(&all)), "{}", pattern);
            prop_assert_eq!(lengths(&one).len(), lengths(&all).len(), "{}", &pattern);
            let groups = [paths("SHORTEST 1 GROUPS"), paths("SHORTEST 2 GROUPS"), paths("SHORTEST 3 GROUPS")];
            prop_assert_eq!(set(&groups[0]), set(&all), "{}", &pattern);
            prop_assert!(set(&groups[0]).is_subset(&set(&groups[1])) && set(&groups[1]).is_subset(&set(&groups[2])));
            let (acyclic, trails) = (paths("ACYCLIC"), paths("TRAIL"));
            prop_assert!(set(&acyclic).is_subset(&set(&trails)), "{}", pattern);
            prop_assert!(set(&groups[2]).is_subset(&set(&trails)), "{}", pattern);
        }
        let walks = paths("WALK", "(a)-->{1,4}(b)", &graph);
        let trails = paths("TRAIL", "(a)-->{1,4}(b)", &graph);
        prop_assert!(set(&trails).is_subset(&set(&walks)));
        // What costs one a relationship is cheapest where it is shortest.
        let cheapest = paths("ANY CHEAPEST", "(a)-[r COST 1]->+(b)", &graph);
        prop_assert_eq!(lengths(&cheapest), lengths(&paths("ANY SHORTEST", "(a)-->+(b)", &graph)));
        let legacy = paths("", "shortestPath((a)-[*]->(b))", &graph);
        let shortest: Vec<Path> = paths("ANY SHORTEST", "(a)-->+(b)", &graph)
            .into_iter()
            .filter(|(from, to, _)| from != to)
            .collect();
        prop_assert_eq!(lengths(&legacy), lengths(&shortest));
        // From both ends or from one, the paths are the same.
        let mut both = Vec::new();
        for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
            let text = format!("(a WHERE a.id = {from}), (b WHERE b.id = {to}) MATCH p = SHORTEST 2 GROUPS (a)-->+(b)");
            both.extend(matched(&text, &graph));
        }
        let one = paths("SHORTEST 2 GROUPS", "(a)-->+(b)", &graph);
        prop_assert_eq!(set(&both), set(&one));
    }
}
