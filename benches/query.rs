//! How long queries take on a generated graph of a million pods and five million steps, each beside a loop over the
//! petgraph model that does the same by hand.
//!
//! `cargo bench --bench query` prints a line a query: the fastest and the slowest run, the loop, their ratio, and what
//! the query had in memory beyond the graph.
#![allow(missing_docs, reason = "a benchmark has no public items")]

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use beachhead::graph::{AttackGraph, Vertex, VertexId};
use beachhead::query::{AttackView, Graph as _, Limits, Query, Value};
use beachhead::techniques::{Certainty, Few, Place, Position, Reason, Relation, Step};
use peak_alloc::PeakAlloc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef as _;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const PODS: usize = 1_000_000;
const STEPS: usize = 5_000_000;
const NODES: usize = 100_000;
const NAMESPACES: usize = 1_000;
/// Pairs of ends that paths are searched between.
const PAIRS: usize = 10;

type Petgraph = DiGraph<Vertex, u32>;

/// Pseudo-random numbers (a linear congruential generator: Knuth's MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }
}

fn pod(number: usize) -> Position {
    Position::Pod(Place::new(
        format!("team-{}", number % NAMESPACES),
        format!("pod-{number}"),
    ))
}

fn step(premises: Vec<Position>, conclusion: Position, effort: usize) -> Step {
    Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.into(),
        conclusion,
        effort: u8::try_from(effort).unwrap_or(1),
        certainty: Certainty::Certain,
        evidence: Few::new(),
    }
}

/// Pods that lead to pods at random, and nodes that lead to pods; of a thousand steps `joint` need a second pod.
fn graph(pods: usize, steps: usize, joint: usize) -> AttackGraph {
    let mut numbers = Numbers(7);
    let nodes = pods * NODES / PODS;
    let all = (0..steps).map(|index| {
        let from = if index % 10 == 0 {
            Position::Node(format!("node-{}", numbers.below(nodes)).into())
        } else {
            pod(numbers.below(pods))
        };
        let mut premises = vec![from];
        if numbers.below(1_000) < joint {
            premises.push(pod(numbers.below(pods)));
        }
        step(premises, pod(numbers.below(pods)), 1 + numbers.below(8))
    });
    AttackGraph::new(all.collect())
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

type ByHand<'g> = &'g dyn Fn(VertexId, VertexId) -> u64;

/// One query with the loop beside it; `pairs` are the ends that both get one after the other.
struct Case<'g> {
    name: &'static str,
    text: &'g str,
    by_hand: ByHand<'g>,
    target: Duration,
    pairs: &'g [(VertexId, VertexId)],
}

fn measure(case: &Case<'_>, view: &AttackView<'_>) {
    let query = Query::parse(case.text).expect("a query");
    let (mut times, mut loops, mut expansions) = (Vec::new(), Vec::new(), 0);
    let mut memory: usize = 0;
    for (from, to) in case.pairs {
        let parameters = BTreeMap::from([
            ("from".to_owned(), view.node_property(*from, "id")),
            ("to".to_owned(), view.node_property(*to, "id")),
        ]);
        let (mut fastest, mut by_hand) = (Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            ALLOCATOR.reset_peak_usage();
            let before = ALLOCATOR.current_usage();
            let begin = Instant::now();
            let table = query.run(view, &parameters, Limits::default()).expect("rows");
            fastest = fastest.min(begin.elapsed());
            memory = memory.max(ALLOCATOR.peak_usage().saturating_sub(before));
            assert_eq!(table.stopped, None, "{}", case.name);
            expansions = table.expansions;
            let begin = Instant::now();
            let count = (case.by_hand)(*from, *to);
            by_hand = by_hand.min(begin.elapsed());
            let found = match table.rows.first().map(Vec::as_slice) {
                Some([Value::Int(number)]) => number.unsigned_abs(),
                other => panic!("{}: {other:?}", case.name),
            };
            assert_eq!(found, count, "{}", case.name);
        }
        times.push(fastest);
        loops.push(by_hand);
    }
    let (least, most) = (times.iter().min(), times.iter().max());
    let (least, most) = (
        least.copied().unwrap_or_default(),
        most.copied().unwrap_or_default(),
    );
    let slowest = loops.iter().max().copied().unwrap_or_default();
    let verdict = if most <= case.target { "met" } else { "MISSED" };
    let rate = f64::from(u32::try_from(expansions).unwrap_or(u32::MAX)) / most.as_secs_f64() / 1e6;
    say(&format!(
        "{:28} {least:>10.2?} to {most:>10.2?}, target {:?} {verdict}; by hand {slowest:>10.2?}, ratio {:.2}; {expansions} expansions, {rate:.1} M/s; {} MB",
        case.name,
        case.target,
        most.as_secs_f64() / slowest.as_secs_f64(),
        memory >> 20,
    ));
}

/// Breadth first: the length of a shortest path, and how many there are.
fn breadth_first(graph: &Petgraph, from: VertexId, to: VertexId) -> (u64, u64) {
    let mut found = vec![(u64::MAX, 0_u64); graph.node_count()];
    found[from as usize] = (0, 1);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        let (depth, count) = found[node as usize];
        if depth >= found[to as usize].0 {
            break;
        }
        for next in graph.neighbors(NodeIndex::new(node as usize)) {
            let known = &mut found[next.index()];
            if known.0 == u64::MAX {
                *known = (depth + 1, count);
                queue.push_back(u32::try_from(next.index()).unwrap_or(u32::MAX));
            } else if known.0 == depth + 1 {
                known.1 += count;
            }
        }
    }
    found[to as usize]
}

/// Dijkstra's algorithm: the cost of a cheapest path.
fn cheapest(graph: &Petgraph, attack: &AttackGraph, from: VertexId, to: VertexId) -> u64 {
    let mut found = vec![u64::MAX; graph.node_count()];
    found[from as usize] = 0;
    let mut queue = BinaryHeap::from([(std::cmp::Reverse(0), from)]);
    while let Some((std::cmp::Reverse(cost), node)) = queue.pop() {
        if node == to {
            return cost;
        }
        if cost > found[node as usize] {
            continue;
        }
        for edge in graph.edges(NodeIndex::new(node as usize)) {
            let total = cost + u64::from(attack.step(*edge.weight()).effort);
            let next = edge.target().index();
            if total < found[next] {
                found[next] = total;
                queue.push((std::cmp::Reverse(total), u32::try_from(next).unwrap_or(u32::MAX)));
            }
        }
    }
    u64::MAX
}

/// Pods of a namespace.
fn scan(attack: &AttackGraph) -> u64 {
    let is_meant =
        |position: &&Position| matches!(position, Position::Pod(place) if place.namespace == "team-7");
    attack.positions().filter(is_meant).count() as u64
}

/// Pods whose name ends so.
fn ending_so(attack: &AttackGraph) -> u64 {
    let is_meant =
        |position: &&Position| matches!(position, Position::Pod(place) if place.name.ends_with("77"));
    attack.positions().filter(is_meant).count() as u64
}

/// Two steps on from every node.
fn two_hops(graph: &Petgraph, attack: &AttackGraph) -> u64 {
    let mut count = 0;
    for (index, position) in attack.positions().enumerate() {
        if matches!(position, Position::Node(_)) {
            for middle in graph.neighbors(NodeIndex::new(index)) {
                count += graph.neighbors(middle).count() as u64;
            }
        }
    }
    count
}

/// Pairs of pods of which the first leads to the second.
fn pairs(attack: &AttackGraph) -> Vec<(VertexId, VertexId)> {
    let mut numbers = Numbers(11);
    let mut vertex = || {
        let known = std::iter::repeat_with(|| attack.vertex(&pod(numbers.below(PODS))));
        known.flatten().next().expect("a pod")
    };
    std::iter::repeat_with(|| (vertex(), vertex()))
        .filter(|(from, to)| from != to && breadth_first(attack.petgraph(), *from, *to).0 != u64::MAX)
        .take(PAIRS)
        .collect()
}

fn all() {
    let begin = Instant::now();
    let attack = graph(PODS, STEPS, 0);
    let rows = attack.freeze();
    let view = AttackView::new(&attack, &rows);
    say(&format!(
        "{} vertices, {} steps, made in {:.1?}, {} MB",
        rows.positions(),
        attack.steps().len(),
        begin.elapsed(),
        ALLOCATOR.current_usage() >> 20
    ));
    let model = attack.petgraph();
    let ends = pairs(&attack);
    let text = |selection: &str, result: &str| {
        format!("MATCH p = {selection} (a {{id: $from}})-->+(b {{id: $to}}) RETURN {result}")
    };
    let millis = Duration::from_millis;
    let lengths = |from, to| breadth_first(model, from, to).0;
    let counts = |from, to| breadth_first(model, from, to).1;
    let costs = |from, to| cheapest(model, &attack, from, to);
    let scanned = |_, _| scan(&attack);
    let ended = |_, _| ending_so(&attack);
    let hopped = |_, _| two_hops(model, &attack);
    let shortest = "MATCH p = shortestPath((a {id: $from})-[*]->(b {id: $to})) RETURN length(p)";
    let scanning = "MATCH (n:Pod) WHERE n.namespace = 'team-7' RETURN count(*)";
    let ending = "MATCH (n:Pod) WHERE n.name ENDS WITH '77' RETURN count(*)";
    let hops = "MATCH (n:Node)-->(a)-->(b)";
    let counting = format!("{hops} RETURN count(*)");
    let grouping = format!("{hops} WITH b.namespace AS team, count(*) AS many RETURN sum(many)");
    let by_length = text("ANY SHORTEST", "length(p)");
    let all_shortest = text("ALL SHORTEST", "count(p)");
    let by_cost = text("CHEAPEST 10", "min(cost(p))");
    let case = |name, text, by_hand, target: u64, count: usize| Case {
        name,
        text,
        by_hand,
        target: millis(target),
        pairs: &ends[..count],
    };
    for case in [
        case("ANY SHORTEST", &by_length, &lengths as ByHand<'_>, 30, PAIRS),
        case("shortestPath", shortest, &lengths, 30, PAIRS),
        case("ALL SHORTEST", &all_shortest, &counts, 200, PAIRS),
        case("CHEAPEST 10", &by_cost, &costs, 200, PAIRS),
        case("label scan, property filter", scanning, &scanned, 100, 1),
        case("label scan, no index", ending, &ended, 100, 1),
        case("two hops, count", &counting, &hopped, 150, 1),
        case("two hops, grouped", &grouping, &hopped, 150, 1),
    ] {
        measure(&case, &view);
    }
}

/// Steps that need two things: what it takes to find out what is held, once, and a search then.
fn joint() {
    let attack = graph(PODS / 10, STEPS / 10, 10);
    let rows = attack.freeze();
    let view = AttackView::new(&attack, &rows);
    let query = "MATCH (a {id: 'Pod/team-1/pod-1'}) MATCH (b:Node|Pod) WHERE b.name ENDS WITH '99999' OR b.name ENDS WITH '77777' \
                 MATCH p = ANY CHEAPEST (a)-->+(b) RETURN cost(p)";
    let query = Query::parse(query).expect("a query");
    let begin = Instant::now();
    let table = query
        .run(&view, &BTreeMap::new(), Limits::default())
        .expect("rows");
    say(&format!(
        "{} cheapest derivations among {} steps, one in a hundred joint: {:.2?}",
        table.rows.len(),
        attack.steps().len(),
        begin.elapsed()
    ));
    black_box(table);
}

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        all();
        joint();
    }
}
