//! Whoever interrupts a query has the prompt back at once, whatever the query is at.

use std::time::Duration;

use beachhead::graph::AttackGraph;
use beachhead::query::AttackView;
use beachhead::techniques::{Certainty, Few, Position, Reason, Relation, Step};

use super::is_interrupted;

const POSITIONS: usize = 20_000;
const STEPS: usize = 100_000;

/// Positions that lead to each other at random; every tenth step needs two of them.
fn graph() -> AttackGraph {
    let mut state = 7_usize;
    let mut number = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % POSITIONS
    };
    let position = |number: usize| Position::Network(number.to_string().into());
    let step = |index: usize| {
        let mut premises = vec![position(number())];
        if index.is_multiple_of(10) {
            premises.push(position(number()));
        }
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.into(),
            conclusion: position(number()),
            effort: u8::try_from(1 + index % 3).unwrap(),
            certainty: Certainty::Certain,
            evidence: Few::new(),
        }
    };
    AttackGraph::new((0..STEPS).map(step).collect())
}

#[test]
fn the_solver_sorting_and_paths_end_when_someone_interrupts_them() {
    let graph = graph();
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    for text in [
        "MATCH (b) WITH collect(b) AS all CALL attack.paths(all, 'Network/0', 1000) YIELD cost RETURN count(*)",
        "MATCH (b) WITH collect(b) AS all CALL path.cheapest({sourceNode: 'Network/0', targetNode: all, pathCount: 1000, \
         relTypes: ['REACHES']}) YIELD cost RETURN count(*)",
        "MATCH (a) CALL path.reach(a) YIELD node RETURN count(*)",
        "MATCH (a) MATCH p = ANY CHEAPEST (a)-->+(b) RETURN sum(cost(p))",
        "MATCH (a)-->(b)-->(c)-->(d) MATCH p = CHEAPEST 3 (a)-->+(d) RETURN sum(cost(p))",
        "MATCH p = (a)-->()-->()-->()-->() RETURN sum(cost(p))",
        "MATCH (a) MATCH ANY SHORTEST (a)-->+(b) RETURN count(*)",
        "MATCH (b {id: 'Network/1'}) MATCH (a) MATCH p = ANY CHEAPEST (a)-[r COST 1]->+(b) RETURN count(p)",
        "UNWIND range(1, 1000000) AS x RETURN x, toString(x) AS t ORDER BY t DESC",
        "UNWIND range(1, 1000000) AS x WITH toString(x) AS t, count(*) AS n ORDER BY t DESC RETURN t",
        "UNWIND range(1, 3000000) AS x WITH percentileCont(-x, 0.5) AS half RETURN half",
        "UNWIND range(1, 900000) AS x RETURN toString(x) AS t UNION UNWIND range(1, 900000) AS x RETURN toString(-x) AS t",
    ] {
        let delays = [5, 20, 80, 320, 900, 1500].map(Duration::from_millis);
        // It may be over before.
        let interrupted = delays
            .iter()
            .take_while(|after| is_interrupted(text, &view, **after))
            .count();
        assert!(interrupted > 0, "{text} is over too soon to be interrupted");
    }
}
