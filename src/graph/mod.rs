//! The attack graph: positions as vertices, steps between them, joins where a step needs several premises.
//!
//! [`AttackGraph`] is the petgraph model; [`AttackGraph::freeze`] gives the [`Rows`] that searches run on.
//!
//! **Trap.** A join is held only when *all* its premises are. An algorithm that follows the edges of the petgraph
//! model one by one overlooks that and finds paths that do not exist; `paths` counts premises.

mod rows;

pub use rows::{Arrow, Rows, Weight};

use indexmap::IndexSet;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxBuildHasher;

use crate::techniques::{Position, Step};

/// The number of a vertex; positions come before joins.
pub type VertexId = u32;

/// The number of a step, its place in [`AttackGraph::steps`].
pub type StepId = u32;

/// What a vertex of the petgraph model stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vertex {
    /// Something the attacker can hold.
    Position,
    /// All premises of this step together.
    Join(StepId),
}

/// Positions and the steps between them.
#[derive(Debug, Default)]
pub struct AttackGraph {
    graph: DiGraph<Vertex, StepId>,
    positions: IndexSet<Position, FxBuildHasher>,
    steps: Vec<Step>,
}

impl AttackGraph {
    /// Builds the graph of these steps; their order and that of their positions number everything.
    ///
    /// # Complexity
    /// Linear in the steps and their premises.
    pub fn new(steps: Vec<Step>) -> Self {
        let mut positions = IndexSet::<Position, FxBuildHasher>::default();
        let mut number = |position: &Position| {
            let known = positions.get_index_of(position);
            NodeIndex::new(known.unwrap_or_else(|| positions.insert_full(position.clone()).0))
        };
        // Each step's premises, then its conclusion: every position is looked up once.
        let mut ends = Vec::with_capacity(steps.iter().map(|step| step.premises.len() + 1).sum());
        for step in &steps {
            ends.extend(step.premises.iter().chain([&step.conclusion]).map(&mut number));
        }
        let joins = steps.iter().filter(|step| step.premises.len() > 1).count();
        let mut graph = DiGraph::with_capacity(positions.len() + joins, ends.len() - steps.len() + joins);
        for _ in 0..positions.len() {
            graph.add_node(Vertex::Position);
        }
        let mut ends = ends.into_iter();
        let mut premises = Vec::new();
        for (number, step) in (0..).zip(&steps) {
            premises.clear();
            premises.extend(ends.by_ref().take(step.premises.len()));
            premises.sort_unstable();
            premises.dedup();
            let from = if let [only] = premises[..] {
                only
            } else {
                let join = graph.add_node(Vertex::Join(number));
                for &premise in &premises {
                    graph.add_edge(premise, join, number);
                }
                join
            };
            if let Some(conclusion) = ends.next() {
                graph.add_edge(from, conclusion, number);
            }
        }
        Self {
            graph,
            positions,
            steps,
        }
    }

    /// Every step, in the order in which they were given.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step of this number.
    pub fn step(&self, step: StepId) -> &Step {
        &self.steps[step as usize]
    }

    /// The positions, in the order of their numbers.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = &Position> {
        self.positions.iter()
    }

    /// The position of this number, unless the number is that of a join.
    pub fn position(&self, vertex: VertexId) -> Option<&Position> {
        self.positions.get_index(vertex as usize)
    }

    /// The number of a position, if any step names it.
    pub fn vertex(&self, position: &Position) -> Option<VertexId> {
        let index = self.positions.get_index_of(position)?;
        VertexId::try_from(index).ok()
    }

    /// The petgraph model: vertices of positions first, then those of joins; edges carry the step they belong to.
    pub fn petgraph(&self) -> &DiGraph<Vertex, StepId> {
        &self.graph
    }

    /// Returns the graph as compressed sparse rows, for searching.
    ///
    /// # Complexity
    /// Linear in vertices and edges.
    pub fn freeze(&self) -> Rows {
        Rows::new(&self.graph, self.positions.len(), &self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::techniques::{Certainty, Reason, Relation};

    fn held(name: &str) -> Position {
        Position::Network(name.into())
    }

    fn step(premises: &[&str], conclusion: &str) -> Step {
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.iter().map(|name| held(name)).collect(),
            conclusion: held(conclusion),
            effort: 2,
            certainty: Certainty::Certain,
            evidence: crate::techniques::Few::new(),
        }
    }

    #[test]
    fn a_step_of_several_premises_is_a_join() {
        let graph = AttackGraph::new(vec![step(&["a"], "b"), step(&["a", "b", "a"], "c")]);
        assert_eq!(graph.positions().len(), 3);
        assert_eq!(
            (graph.petgraph().node_count(), graph.petgraph().edge_count()),
            (4, 4)
        );
        assert_eq!(graph.petgraph()[NodeIndex::new(3)], Vertex::Join(1));
        let rows = graph.freeze();
        let (a, b, c) = (0, 1, 2);
        let targets = |vertex| {
            rows.arrows(vertex)
                .iter()
                .map(|arrow| arrow.to)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (targets(a), targets(b), targets(3)),
            (vec![b, 3], vec![3], vec![c])
        );
        assert_eq!(rows.needs(3), 2);
        assert_eq!(rows.premises(1), [a, b]);
        assert_eq!((rows.steps_to(c), rows.steps_to(a)), (&[1][..], &[][..]));
    }

    #[test]
    fn numbers_lead_to_positions_and_back() {
        let graph = AttackGraph::new(vec![step(&["a"], "b")]);
        for position in graph.positions() {
            let vertex = graph.vertex(position).unwrap();
            assert_eq!(graph.position(vertex), Some(position));
        }
        assert_eq!(graph.vertex(&held("z")), None);
    }
}
