//! How long it takes to find everything that can be held from one start, beside a plain breadth-first search over
//! the same rows that takes every join for an ordinary vertex.
//!
//! The graph is that of the largest cluster Kubernetes supports: 150,000 pods, 1.6 million steps, hubs wherever many
//! reach many, one step in a hundred a join. `cargo bench --bench paths` prints the ratio at its end.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use beachhead::graph::{AttackGraph, Rows, VertexId};
use beachhead::model::{Protocol, Text};
use beachhead::paths::{Premises, Reach, Solver};
use beachhead::rbac::Identity;
use beachhead::techniques::{Certainty, Few, Opens, Place, Position, Reason, Relation, Step};
use criterion::{Criterion, criterion_group};

const PODS: usize = 150_000;
const NODES: usize = 5_000;
const ACCOUNTS: usize = 10_000;
const GROUPS: usize = 8_800;
const HUBS: usize = 7_500;
const DATABASES: usize = 5_000;
/// States that the search for one database may look at.
const STATES: usize = 500;
/// How many hubs a group of pods sends to.
const HUBS_OF_A_GROUP: usize = 57;

struct Maker {
    steps: Vec<Step>,
    seed: u64,
}

impl Maker {
    fn step(&mut self, premises: Vec<Position>, conclusion: Position, effort: u8) {
        self.steps.push(Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.into(),
            conclusion,
            effort,
            certainty: Certainty::Certain,
            evidence: Few::new(),
        });
    }

    /// A pseudo-random number below `bound` (a linear congruential generator: Knuth's MMIX).
    fn below(&mut self, bound: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap_or_default() % bound
    }
}

fn place(number: usize) -> Place {
    Place::new(format!("team-{}", number % 500), format!("app-{number}"))
}

fn group(number: usize) -> Position {
    Position::Network(format!("group-{number}").into())
}

fn hub(number: usize) -> Position {
    Position::Network(format!("hub-{number}").into())
}

fn token(number: usize) -> Position {
    Position::Credential(Opens::Identity(account(number)))
}

fn account(number: usize) -> Identity {
    Identity::service_account(format!("team-{}", number % 500), format!("account-{number}"))
}

/// Steps as the catalogue gives them for a cluster of this size.
fn steps() -> Vec<Step> {
    let mut maker = Maker {
        steps: Vec::new(),
        seed: 7,
    };
    for pod in 0..PODS {
        let container = Position::Container(place(pod), "main".into());
        let node = Position::Node(format!("node-{}", pod % NODES).into());
        maker.step(vec![Position::Pod(place(pod))], container.clone(), 0);
        maker.step(vec![container.clone()], group(pod % GROUPS), 0);
        maker.step(vec![container.clone()], token(pod % ACCOUNTS), 1);
        maker.step(vec![node.clone()], Position::Pod(place(pod)), 1);
        let any = Position::Pod(Place::new(format!("team-{}", pod % 500), "*"));
        maker.step(vec![any], Position::Pod(place(pod)), 0);
        let port = Position::Port(place(pod), 8080, Protocol::Tcp);
        let behind = hub(maker.below(HUBS));
        maker.step(vec![behind], port.clone(), 0);
        if pod % 10 == 0 {
            maker.step(vec![container], node, 2);
        }
        if pod % 100 == 0 {
            maker.step(vec![Position::Internet], port.clone(), 0);
            maker.step(vec![Position::Internet, port], Position::Pod(place(pod)), 3);
        }
    }
    for number in 0..GROUPS {
        maker.step(vec![group(number)], Position::ApiServer, 0);
        for _ in 0..HUBS_OF_A_GROUP {
            let to = hub(maker.below(HUBS));
            maker.step(vec![group(number)], to, 0);
        }
    }
    for number in 0..ACCOUNTS {
        let identity = Position::Identity(account(number));
        maker.step(vec![token(number), Position::ApiServer], identity.clone(), 1);
        let any = Position::Pod(Place::new(format!("team-{}", maker.below(500)), "*"));
        maker.step(vec![identity], any, 1);
    }
    for number in 0..DATABASES {
        let pod = number * (PODS / DATABASES);
        let port = Position::Port(place(pod), 8080, Protocol::Tcp);
        let password = Position::Credential(Opens::Database(place(pod)));
        let client = Position::Container(place(maker.below(PODS)), "main".into());
        maker.step(vec![client], password.clone(), 1);
        maker.step(vec![port, password], Position::Database(place(pod)), 1);
    }
    maker.steps
}

/// Everything that edges lead to, joins taken for ordinary vertices.
fn breadth_first(rows: &Rows, start: VertexId) -> usize {
    let mut seen = vec![false; rows.vertices()];
    let mut queue = vec![start];
    seen[start as usize] = true;
    let mut next = 0;
    while let Some(&vertex) = queue.get(next) {
        next += 1;
        for arrow in rows.arrows(vertex) {
            if !std::mem::replace(&mut seen[arrow.to as usize], true) {
                queue.push(arrow.to);
            }
        }
    }
    queue.len()
}

fn graph() -> (AttackGraph, Rows, VertexId) {
    let graph = AttackGraph::new(steps());
    let rows = graph.freeze();
    let start = graph.vertex(&Position::Internet).expect("an entry point");
    (graph, rows, start)
}

fn searches(criterion: &mut Criterion) {
    let (_, rows, start) = graph();
    let mut group = criterion.benchmark_group("paths");
    group.sample_size(20);
    group.bench_function("breadth-first", |bencher| {
        bencher.iter(|| black_box(breadth_first(&rows, start)));
    });
    for (name, premises) in [("sum", Premises::Sum), ("max", Premises::Max)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(Reach::new(&rows, &[start], premises)));
        });
    }
    group.finish();
}

fn fastest(mut run: impl FnMut()) -> Duration {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..15).map(once).min().unwrap_or_default()
}

/// Prints how the passes compare in one run, and what the cheapest path to every database takes.
fn ratios() {
    let begin = Instant::now();
    let (graph, rows, start) = graph();
    let built = begin.elapsed();
    let plain = fastest(|| {
        black_box(breadth_first(&rows, start));
    });
    let sum = fastest(|| drop(black_box(Reach::new(&rows, &[start], Premises::Sum))));
    let begin = Instant::now();
    let solver = Solver::new(&graph, &rows, &[start]).with_states(STATES);
    let mut proven = 0;
    let databases = (0..DATABASES).map(|number| Position::Database(place(number * (PODS / DATABASES))));
    for database in databases.filter_map(|database| graph.vertex(&database)) {
        proven += usize::from(solver.cheapest(database, 1).iter().all(|path| path.proven));
    }
    let all = begin.elapsed();
    let joins = rows.vertices() - rows.positions();
    let text = Text::from(format!(
        "{} steps, {joins} joins, {} positions: made in {built:?}; breadth-first {plain:?}, everything {sum:?}, ratio {:.2}; \
         cheapest path to {DATABASES} databases {all:?}, {proven} proven",
        graph.steps().len(),
        rows.positions(),
        sum.as_secs_f64() / plain.as_secs_f64(),
    ));
    writeln!(std::io::stdout(), "{text}").expect("standard output");
}

criterion_group!(benches, searches);

fn main() {
    if std::env::args().any(|argument| argument == "--bench") {
        benches();
        Criterion::default().configure_from_args().final_summary();
        ratios();
    }
}
