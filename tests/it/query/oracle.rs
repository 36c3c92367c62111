//! Selected paths against brute force: every selector with every mode and quantifier on tiny random multigraphs.
//!
//! **Trap.** Which of several equal paths a selector takes is open; of those only the lengths or costs are compared.

use std::collections::{BTreeMap, BTreeSet};

use beachhead::query::{Graph as _, Limits, NodeId, Query, Value};
use proptest::prelude::*;
use proptest::sample::select;

use super::memory::Memory;

const NODES: u32 = 4;

/// A relationship: where from, where to, what it costs.
type Link = (u32, u32, i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Walk,
    Trail,
    Acyclic,
}

/// How a pattern is written, and what it means.
#[derive(Clone, Copy, Debug)]
struct Shape {
    text: &'static str,
    least: usize,
    most: usize,
    /// How many relationships one repetition has.
    unit: usize,
    /// Whether each relationship leads to a node that is not before the one it comes from.
    climbs: bool,
    forward: bool,
    backward: bool,
}

const fn shape(text: &'static str, least: usize, most: usize, forward: bool, backward: bool) -> Shape {
    Shape {
        text,
        least,
        most,
        unit: 1,
        climbs: false,
        forward,
        backward,
    }
}

const ENDLESS: usize = usize::MAX;

const SHAPES: &[Shape] = &[
    shape("(a)-[r COST r.cost]->(b)", 1, 1, true, false),
    shape("(a)-[r COST r.cost]->+(b)", 1, ENDLESS, true, false),
    shape("(a)-[r COST r.cost]->*(b)", 0, ENDLESS, true, false),
    shape("(a)-[r COST r.cost]->{1,3}(b)", 1, 3, true, false),
    shape("(a)-[r COST r.cost]->{2,4}(b)", 2, 4, true, false),
    shape("(a)-[r COST r.cost]->{0,2}(b)", 0, 2, true, false),
    shape("(a)<-[r COST r.cost]-+(b)", 1, ENDLESS, false, true),
    shape("(a)<-[r COST r.cost]-{2,3}(b)", 2, 3, false, true),
    shape("(a)-[r COST r.cost]-+(b)", 1, ENDLESS, true, true),
    shape("(a)-[r COST r.cost]-{2,3}(b)", 2, 3, true, true),
    Shape {
        climbs: true,
        ..shape(
            "(a) ((x)-[r COST r.cost]->(y) WHERE x.id <= y.id)+ (b)",
            1,
            ENDLESS,
            true,
            false,
        )
    },
    Shape {
        unit: 2,
        ..shape(
            "(a) ((x)-[r COST r.cost]->(y)-[s COST s.cost]->(z)){1,2} (b)",
            2,
            4,
            true,
            false,
        )
    },
    Shape {
        unit: 2,
        climbs: true,
        ..shape(
            "(a) ((x)-[r COST r.cost]->(y)-[s COST s.cost]->(z) WHERE x.id <= y.id AND y.id <= z.id)+ (b)",
            2,
            ENDLESS,
            true,
            false,
        )
    },
];

/// What a selector takes of the paths of each pair.
#[derive(Clone, Copy, Debug)]
enum Taken {
    All,
    Paths(usize),
    Groups(usize),
}

/// The words, what is taken, whether by cost.
const SELECTORS: &[(&str, Taken, bool)] = &[
    ("", Taken::All, false),
    ("ALL", Taken::All, false),
    ("ANY", Taken::Paths(1), false),
    ("ANY SHORTEST", Taken::Paths(1), false),
    ("ALL SHORTEST", Taken::Groups(1), false),
    ("SHORTEST 3", Taken::Paths(3), false),
    ("SHORTEST 2 GROUPS", Taken::Groups(2), false),
    ("ANY CHEAPEST", Taken::Paths(1), true),
    ("ALL CHEAPEST", Taken::Groups(1), true),
    ("CHEAPEST 3", Taken::Paths(3), true),
];

fn graph(links: &[Link]) -> Memory {
    let mut graph = Memory::default();
    for id in 0..NODES {
        graph.node(&["N"], &[("id", Value::Int(id.into()))]);
    }
    for (from, to, cost) in links {
        graph.link(*from, "L", *to, &[("cost", Value::Int(*cost))]);
    }
    graph
}

type Path = Vec<u32>;

/// All paths from a node, by the node they end at.
fn all(links: &[Link], shape: Shape, mode: Mode, from: u32) -> BTreeMap<u32, BTreeSet<Path>> {
    let mut found: BTreeMap<u32, BTreeSet<Path>> = BTreeMap::new();
    let mut open: Vec<(u32, Path, Vec<u32>)> = vec![(from, Vec::new(), vec![from])];
    while let Some((node, path, nodes)) = open.pop() {
        if path.len() >= shape.least && path.len() % shape.unit == 0 {
            found.entry(node).or_default().insert(path.clone());
        }
        if path.len() >= shape.most {
            continue;
        }
        for (index, (start, end, _)) in (0..).zip(links) {
            let mut nexts = BTreeSet::new();
            if shape.forward && *start == node {
                nexts.insert(*end);
            }
            if shape.backward && *end == node {
                nexts.insert(*start);
            }
            for next in nexts {
                let is_repeated = match mode {
                    Mode::Walk => false,
                    Mode::Trail => path.contains(&index),
                    Mode::Acyclic => nodes.contains(&next),
                };
                if is_repeated || (shape.climbs && node > next) {
                    continue;
                }
                let (mut path, mut nodes) = (path.clone(), nodes.clone());
                path.push(index);
                nodes.push(next);
                open.push((next, path, nodes));
            }
        }
    }
    found
}

fn size(path: &Path, links: &[Link], by_cost: bool) -> i64 {
    if by_cost {
        path.iter().map(|link| links[*link as usize].2).sum()
    } else {
        i64::try_from(path.len()).unwrap()
    }
}

fn run(text: &str, graph: &Memory, from: u32, to: Option<u32>) -> Vec<(u32, Path)> {
    let parameters = BTreeMap::from([
        ("from".to_owned(), Value::Int(from.into())),
        (
            "to".to_owned(),
            to.map_or(Value::Null, |to| Value::Int(to.into())),
        ),
    ]);
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{}", error.shown(text)));
    let second =
        Query::parse(&query.printed()).unwrap_or_else(|error| panic!("{}", error.shown(&query.printed())));
    assert!(query.is_same(&second), "{text}\n{}", query.printed());
    let table = query
        .run(graph, &parameters, Limits::default())
        .unwrap_or_else(|error| panic!("{}", error.shown(text)));
    assert_eq!(table.stopped, None, "{text}");
    let row = |row: &Vec<Value>| match &row[..] {
        [Value::Node(end), Value::Path(path)] => {
            assert_eq!((path.nodes.first(), path.nodes.last()), (Some(&from), Some(end)));
            let mut ends = path.links.iter().zip(path.nodes.windows(2));
            let fits = |(link, nodes): (&u32, &[NodeId])| {
                let (start, end) = graph.ends(*link);
                (start, end) == (nodes[0], nodes[1]) || (end, start) == (nodes[0], nodes[1])
            };
            assert!(ends.all(fits), "{text}: {path:?}");
            (*end, path.links.clone())
        }
        other => panic!("{other:?}"),
    };
    table.rows.iter().map(row).collect()
}

/// Compares what a query finds with what brute force selects.
fn check(
    links: &[Link],
    shape: Shape,
    mode: Option<Mode>,
    selector: (&str, Taken, bool),
    from: u32,
    to: Option<u32>,
) {
    let (words, taken, by_cost) = selector;
    let mode_word = match mode {
        None => "",
        Some(Mode::Walk) => "WALK",
        Some(Mode::Trail) => "TRAIL",
        Some(Mode::Acyclic) => "ACYCLIC",
    };
    let end = if to.is_some() { ", (b {id: $to})" } else { "" };
    let text = format!(
        "MATCH (a {{id: $from}}){end} MATCH p = {words} {mode_word} {} RETURN b, p",
        shape.text
    );
    let graph = graph(links);
    let mut found: BTreeMap<u32, Vec<Path>> = BTreeMap::new();
    for (end, path) in run(&text, &graph, from, to) {
        found.entry(end).or_default().push(path);
    }
    let mut wanted = all(links, shape, mode.unwrap_or(Mode::Trail), from);
    wanted.retain(|end, _| to.is_none_or(|to| to == *end));
    let context = format!("{text}\n{links:?} from {from} to {to:?}");
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>(),
        "{context}"
    );
    for (end, paths) in wanted {
        let mut own = found[&end].clone();
        own.sort();
        let distinct: BTreeSet<&Path> = own.iter().collect();
        assert_eq!(distinct.len(), own.len(), "{context}: a path twice");
        assert!(
            own.iter().all(|path| paths.contains(path)),
            "{context}: {own:?} of {paths:?}"
        );
        let mut sizes: Vec<i64> = paths.iter().map(|path| size(path, links, by_cost)).collect();
        sizes.sort_unstable();
        match taken {
            Taken::All => {}
            Taken::Paths(count) => sizes.truncate(count),
            Taken::Groups(count) => {
                let groups: BTreeSet<i64> = sizes.iter().copied().collect();
                let last = groups.iter().take(count).next_back().copied().unwrap_or_default();
                sizes.retain(|size| *size <= last);
            }
        }
        let mut own: Vec<i64> = own.iter().map(|path| size(path, links, by_cost)).collect();
        own.sort_unstable();
        assert_eq!(own, sizes, "{context} at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn selected_paths_are_those_of_brute_force(
        links in proptest::collection::vec((0..NODES, 0..NODES, 0_i64..3), 0..8),
        shape in select(SHAPES),
        mode in select(vec![None, Some(Mode::Walk), Some(Mode::Trail), Some(Mode::Acyclic)]),
        from in 0..NODES,
        to in proptest::option::of(0..NODES),
    ) {
        for selector in SELECTORS {
            // Walks without an end are not for brute force.
            let is_endless = mode == Some(Mode::Walk) && shape.most == ENDLESS;
            // Nor are all walks over what costs nothing.
            let is_free = mode == Some(Mode::Walk) && matches!(selector.1, Taken::Groups(_)) && selector.2;
            if !is_endless && !is_free {
                check(&links, shape, mode, *selector, from, to);
            }
        }
    }
}

#[test]
fn walks_go_round_as_often_as_it_takes() {
    // 0 -> 1 -> 0 and a loop at 1.
    let graph = graph(&[(0, 1, 1), (1, 0, 1), (1, 1, 5)]);
    let text = "MATCH (a {id: $from}), (b {id: $to}) MATCH p = SHORTEST 4 WALK (a)-->+(b) RETURN b, p";
    let lengths: Vec<usize> = run(text, &graph, 0, Some(1))
        .iter()
        .map(|(_, path)| path.len())
        .collect();
    assert_eq!(lengths, [1, 2, 3, 3]);
    let text = "MATCH (a {id: $from}), (b {id: $to}) MATCH p = CHEAPEST 3 WALK (a)-[r COST r.cost]->+(b) RETURN b, p";
    let costs: Vec<i64> = run(text, &graph, 0, Some(1))
        .iter()
        .map(|(_, path)| size(path, &[(0, 1, 1), (1, 0, 1), (1, 1, 5)], true))
        .collect();
    assert_eq!(costs, [1, 3, 5]);
}

#[test]
fn names_within_a_repeated_path_are_lists() {
    let graph = graph(&[(0, 1, 1), (1, 2, 1), (2, 3, 1)]);
    let rows = |text: &str| super::rows(text, &graph);
    let list = "RETURN [n IN x | n.id], [n IN y | n.id], size(r), b.id ORDER BY b.id";
    assert_eq!(
        rows(&format!("MATCH (a {{id: 0}}) ((x)-[r]->(y)){{1,2}} (b) {list}")),
        ["[0] | [1] | 1 | 1", "[0, 1] | [1, 2] | 2 | 2"]
    );
    assert_eq!(
        rows(&format!(
            "MATCH (b {{id: 0}}) ((y)<-[r]-(x)){{2}} (a {{id: 3}}) {list}"
        )),
        Vec::<String>::new()
    );
    assert_eq!(
        rows("MATCH (b {id: 3}) ((y)<-[r]-(x)){3} (a {id: 0}) RETURN [n IN x | n.id], [n IN y | n.id]"),
        ["[2, 1, 0] | [3, 2, 1]"]
    );
    assert_eq!(
        rows("MATCH (a {id: 0}) ((x)-->(y)){0,1} (b) RETURN size(x), b.id ORDER BY b.id"),
        ["0 | 0", "1 | 1"]
    );
}

#[test]
fn a_condition_in_brackets_comes_before_selection_and_one_behind_after() {
    // The short way to 3 is direct; the long one goes through 1.
    let graph = graph(&[(0, 3, 1), (0, 1, 1), (1, 3, 1)]);
    let rows = |text: &str| super::rows(text, &graph);
    let condition = "any(n IN nodes(p) WHERE n.id = 1)";
    let behind =
        format!("MATCH p = ANY SHORTEST (a {{id: 0}})-->+(b {{id: 3}}) WHERE {condition} RETURN length(p)");
    assert_eq!(rows(&behind), Vec::<String>::new());
    let within = "MATCH p = ANY SHORTEST ((a {id: 0})-[r]->+(b {id: 3}) WHERE size(r) > 1) RETURN length(p)";
    assert_eq!(rows(within), ["2"]);
}
