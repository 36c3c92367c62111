//! Laws of the solver, held against brute force on small random graphs with joins and circles.
//!
//! **Trap.** The brute force knows nothing of costs while it searches: it looks at every set of steps there is.

use std::collections::{BTreeMap, BTreeSet};

use beachhead::graph::{AttackGraph, Rows, StepId, VertexId, Weight};
use beachhead::paths::{Closures, Cost, Premises, Reach, Solver};
use beachhead::techniques::{Certainty, Few, Position, Reason, Relation, Step};
use proptest::prelude::*;
use rustc_hash::FxHashMap;

/// Positions of a small graph; the first is the start.
const POSITIONS: usize = 7;
/// Steps of a small graph; the brute force looks at two to the power of this many sets.
const STEPS: usize = 11;
/// More derivations than such a graph has.
const ALL: usize = 10_000;

/// Premises, conclusion, effort, and whether the step is conditional.
type Shape = (BTreeSet<usize>, usize, u8, bool);

fn position(number: usize) -> Position {
    Position::Network(number.to_string().into())
}

fn step((premises, conclusion, effort, is_conditional): &Shape) -> Step {
    Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.iter().map(|&number| position(number)).collect(),
        conclusion: position(*conclusion),
        effort: *effort,
        certainty: if *is_conditional {
            Certainty::Conditional("it is so".into())
        } else {
            Certainty::Certain
        },
        evidence: Few::new(),
    }
}

/// Steps of which no two have the same ends, with one, two or three premises.
fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (
        prop::collection::btree_set(0..POSITIONS, 1..4),
        0..POSITIONS,
        0..4_u8,
        any::<bool>(),
    );
    prop::collection::vec(shape, 1..=STEPS).prop_map(|shapes| {
        let ends: BTreeMap<_, _> = shapes
            .into_iter()
            .map(|(premises, conclusion, effort, doubt)| ((premises, conclusion), (effort, doubt)))
            .collect();
        let shapes = ends
            .into_iter()
            .map(|((premises, conclusion), (effort, doubt))| (premises, conclusion, effort, doubt));
        shapes.collect()
    })
}

/// A graph of these shapes in which every position has its number, with its start.
struct Small {
    graph: AttackGraph,
    rows: Rows,
    start: Vec<VertexId>,
}

impl Small {
    fn new(shapes: &[Shape]) -> Self {
        let graph = AttackGraph::new(shapes.iter().map(step).collect());
        let start = graph.vertex(&position(0)).into_iter().collect();
        let rows = graph.freeze();
        Self { graph, rows, start }
    }

    fn cheapest(&self, target: usize, count: usize) -> Vec<(Cost, BTreeSet<StepId>)> {
        let Some(target) = self.graph.vertex(&position(target)) else {
            return Vec::new();
        };
        let solver = Solver::new(&self.graph, &self.rows, &self.start);
        let found = solver.cheapest(target, count);
        found
            .iter()
            .map(|derivation| {
                assert!(
                    derivation.proven && derivation.holds(&self.rows, &self.start),
                    "{derivation:?}"
                );
                (derivation.cost, derivation.steps.iter().copied().collect())
            })
            .collect()
    }
}

/// What can be held with a set of steps.
fn fixpoint(shapes: &[Shape], steps: u32) -> BTreeSet<usize> {
    let mut held = BTreeSet::from([0]);
    loop {
        let before = held.len();
        for (number, (premises, conclusion, ..)) in shapes.iter().enumerate() {
            if steps & (1 << number) != 0 && premises.is_subset(&held) {
                held.insert(*conclusion);
            }
        }
        if held.len() == before {
            return held;
        }
    }
}

/// Every minimal derivation of a target: sets of steps that derive it and of which none can be left out.
fn derivations(shapes: &[Shape], target: usize) -> BTreeSet<(Cost, BTreeSet<StepId>)> {
    let derives: Vec<bool> = (0..1_u32 << shapes.len())
        .map(|steps| fixpoint(shapes, steps).contains(&target))
        .collect();
    let mut found = BTreeSet::new();
    for steps in (0_u32..)
        .take(derives.len())
        .filter(|&steps| derives[steps as usize])
    {
        let members = (0..).zip(shapes).filter(|(number, _)| steps & (1 << number) != 0);
        if members
            .clone()
            .any(|(number, _)| derives[(steps & !(1_u32 << number)) as usize])
        {
            continue;
        }
        let cost = members
            .clone()
            .map(|(_, shape)| Cost::of(Weight::new(shape.2, shape.3)))
            .sum();
        found.insert((cost, members.map(|(number, _)| number).collect()));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_solver_holds_what_the_fixpoint_holds(shapes in shapes()) {
        let small = Small::new(&shapes);
        let held = fixpoint(&shapes, u32::MAX);
        for premises in [Premises::Sum, Premises::Max] {
            let reach = Reach::new(&small.rows, &small.start, premises);
            for number in 0..POSITIONS {
                if let Some(vertex) = small.graph.vertex(&position(number)) {
                    let is_start = small.start.contains(&vertex);
                    prop_assert_eq!(reach.is_held(vertex) && (number != 0 || is_start), held.contains(&number));
                }
            }
        }
    }

    #[test]
    fn what_is_held_from_many_starts_is_held_from_each(shapes in shapes(), least in 1_usize..9, hub in 1_usize..4) {
        let Small { graph, rows, .. } = Small::new(&shapes);
        let closures = Closures::of_groups(&graph, &rows, least, hub, &|| false).unwrap();
        for start in 0..VertexId::try_from(rows.positions()).unwrap() {
            let reach = Reach::new(&rows, &[start], Premises::Max);
            let held = closures.held(start, &|| false).unwrap();
            for position in 0..VertexId::try_from(rows.positions()).unwrap() {
                prop_assert_eq!(
                    held.contains(position as usize),
                    reach.is_held(position),
                    "{} from {}", position, start
                );
            }
        }
    }

    #[test]
    fn along_a_step_no_other_derives_its_conclusion(shapes in shapes(), step in any::<prop::sample::Index>()) {
        let small = Small::new(&shapes);
        let step = StepId::try_from(step.index(shapes.len())).unwrap();
        let vertex = small.rows.conclusion(step);
        let conclusion = shapes[step as usize].1;
        let solver = Solver::new(&small.graph, &small.rows, &small.start);
        let only = FxHashMap::from_iter([(vertex, step)]);
        let left: Vec<Shape> = (0..)
            .zip(&shapes)
            .filter(|(number, shape)| *number == step || shape.1 != conclusion)
            .map(|(_, shape)| shape.clone())
            .collect();
        for target in (1..POSITIONS).filter(|_| conclusion != 0) {
            let found = small.graph.vertex(&position(target));
            let found = found.and_then(|target| solver.along(&only, target, &|| false));
            let expected = derivations(&left, target).first().map(|(cost, _)| *cost);
            prop_assert_eq!(found.map(|derivation| derivation.cost), expected, "target {}", target);
        }
    }

    #[test]
    fn no_derivation_is_cheaper_than_the_first(shapes in shapes()) {
        let small = Small::new(&shapes);
        for target in 1..POSITIONS {
            let expected = derivations(&shapes, target).first().map(|(cost, _)| *cost);
            let found = small.cheapest(target, 1).first().map(|(cost, _)| *cost);
            prop_assert_eq!(found, expected, "target {}", target);
        }
    }

    #[test]
    fn the_k_cheapest_hold_every_minimal_derivation_in_order(shapes in shapes()) {
        let small = Small::new(&shapes);
        for target in 1..POSITIONS {
            let found = small.cheapest(target, ALL);
            prop_assert!(found.is_sorted_by_key(|(cost, _)| *cost));
            let distinct: BTreeSet<_> = found.iter().cloned().collect();
            prop_assert_eq!(distinct.len(), found.len(), "twice the same");
            for minimal in derivations(&shapes, target) {
                prop_assert!(distinct.contains(&minimal), "{:?} is missing", minimal);
            }
            let few = small.cheapest(target, 2);
            let costs = |paths: &[(Cost, BTreeSet<StepId>)]| paths.iter().map(|(cost, _)| *cost).collect::<Vec<_>>();
            prop_assert_eq!(costs(&few), costs(&found[..found.len().min(2)]));
        }
    }

    #[test]
    fn bounds_enclose_the_cheapest(shapes in shapes()) {
        let small = Small::new(&shapes);
        let lower = Reach::new(&small.rows, &small.start, Premises::Max);
        let upper = Reach::new(&small.rows, &small.start, Premises::Sum);
        for target in 1..POSITIONS {
            if let Some((cost, _)) = small.cheapest(target, 1).first() {
                let vertex = small.graph.vertex(&position(target)).unwrap();
                prop_assert!(lower.cost(vertex) <= *cost && *cost <= upper.cost(vertex));
            }
        }
    }

    #[test]
    fn removing_a_step_makes_nothing_cheaper(shapes in shapes(), removed in any::<prop::sample::Index>()) {
        let removed = removed.index(shapes.len());
        let mut fewer = shapes.clone();
        fewer.remove(removed);
        let (before, after) = (Small::new(&shapes), Small::new(&fewer));
        for target in 1..POSITIONS {
            let cost = |small: &Small| small.cheapest(target, 1).first().map_or(Cost::NEVER, |(cost, _)| *cost);
            prop_assert!(cost(&after) >= cost(&before), "target {}", target);
        }
    }

    #[test]
    fn the_same_graph_gives_the_same_answer(shapes in shapes()) {
        for target in 1..POSITIONS {
            prop_assert_eq!(
                Small::new(&shapes).cheapest(target, 3),
                Small::new(&shapes).cheapest(target, 3)
            );
        }
    }
}

/// The login needs the port and the password; both come from the pod, which is broken into once.
#[test]
fn what_premises_share_is_paid_once() {
    let shapes: Vec<Shape> = vec![
        ([0].into(), 1, 3, false),
        ([1].into(), 2, 1, false),
        ([1].into(), 3, 1, false),
        ([2, 3].into(), 4, 1, false),
        ([0].into(), 5, 4, false),
        ([5].into(), 3, 0, false),
    ];
    let small = Small::new(&shapes);
    let found = small.cheapest(4, 2);
    assert_eq!(found[0].1, BTreeSet::from([0, 1, 2, 3]));
    assert_eq!((found[0].0.effort(), found[1].0.effort()), (6, 9));
}

/// Thirty layers of two equal ways each: a thousand million derivations, of which a few are asked for.
#[test]
fn many_equal_ways_end_in_time() {
    let mut shapes = Vec::new();
    for layer in 0..30 {
        let (from, left, right) = (3 * layer, 3 * layer + 1, 3 * layer + 2);
        for way in [left, right] {
            shapes.push(([from].into(), way, 1, false));
            shapes.push(([way].into(), from + 3, 1, false));
        }
    }
    let small = Small::new(&shapes);
    let found = small.cheapest(90, 5);
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|(cost, _)| cost.effort() == 60));
}

/// Every position of a long chain needs all earlier ones' companions: what is shared grows without bound.
#[test]
fn sums_beyond_all_bounds_still_mean_held() {
    let mut shapes: Vec<Shape> = vec![([0].into(), 1, 8, false)];
    for number in 1..200 {
        shapes.push(([number - 1, number].into(), number + 1, 8, false));
    }
    let small = Small::new(&shapes);
    let vertex = small.graph.vertex(&position(200)).unwrap();
    let derivation = Solver::new(&small.graph, &small.rows, &small.start).cheapest(vertex, 1);
    assert_eq!(derivation[0].cost.effort(), 200 * 8);
    assert!(derivation[0].holds(&small.rows, &small.start));
}
