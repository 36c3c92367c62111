//! The graph as compressed sparse rows: all edges of a vertex lie side by side.
//!
//! **Trap.** Rows are a picture of the graph at one moment: they know vertices and steps by number only.

use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef as _;

use super::{StepId, Vertex, VertexId};
use crate::techniques::Step;

/// One edge of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Where it leads: a position or a join.
    pub to: VertexId,
    /// The step it belongs to.
    pub step: StepId,
    /// The effort of that step.
    pub effort: u8,
}

/// Lists of numbers, one after the other, with the place where each begins.
#[derive(Clone, Debug)]
struct Lists<T> {
    first: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Lists<T> {
    /// Sorts items into lists by key; items of one key keep their order.
    fn new(lists: usize, items: &[(u32, T)]) -> Self {
        let mut first = vec![0_u32; lists + 1];
        for (key, _) in items {
            first[*key as usize + 1] += 1;
        }
        for index in 0..lists {
            first[index + 1] += first[index];
        }
        let mut next = first.clone();
        let mut sorted: Vec<T> = items.iter().map(|&(_, item)| item).collect();
        for &(key, item) in items {
            let place = &mut next[key as usize];
            sorted[*place as usize] = item;
            *place += 1;
        }
        Self { first, items: sorted }
    }

    fn get(&self, list: u32) -> &[T] {
        let list = list as usize;
        &self.items[self.first[list] as usize..self.first[list + 1] as usize]
    }
}

/// The frozen graph.
#[derive(Clone, Debug)]
pub struct Rows {
    positions: usize,
    arrows: Lists<Arrow>,
    needs: Vec<u32>,
    premises: Lists<VertexId>,
    steps_to: Lists<StepId>,
    conclusions: Vec<VertexId>,
    efforts: Vec<u8>,
}

impl Rows {
    pub(super) fn new(graph: &DiGraph<Vertex, StepId>, positions: usize, steps: &[Step]) -> Self {
        let number = |index: usize| VertexId::try_from(index).unwrap_or(VertexId::MAX);
        let mut arrows = Vec::with_capacity(graph.edge_count());
        let mut premises = Vec::with_capacity(graph.edge_count());
        let mut concluded = Vec::with_capacity(steps.len());
        let mut conclusions = vec![VertexId::MAX; steps.len()];
        let mut needs = vec![0; graph.node_count() - positions];
        for edge in graph.edge_references() {
            let (from, to, step) = (edge.source().index(), edge.target().index(), *edge.weight());
            let effort = steps[step as usize].effort;
            let arrow = Arrow {
                to: number(to),
                step,
                effort,
            };
            arrows.push((number(from), arrow));
            if from < positions {
                premises.push((step, number(from)));
            }
            if let Some(join) = to.checked_sub(positions) {
                needs[join] += 1;
            } else {
                concluded.push((number(to), step));
                conclusions[step as usize] = number(to);
            }
        }
        Self {
            positions,
            arrows: Lists::new(graph.node_count(), &arrows),
            needs,
            premises: Lists::new(steps.len(), &premises),
            steps_to: Lists::new(positions, &concluded),
            conclusions,
            efforts: steps.iter().map(|step| step.effort).collect(),
        }
    }

    /// How many vertices are positions: those with the lowest numbers; the others are joins.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// How many vertices there are.
    pub fn vertices(&self) -> usize {
        self.positions + self.needs.len()
    }

    /// The edges that leave a vertex, in the order of their steps.
    pub fn arrows(&self, vertex: VertexId) -> &[Arrow] {
        self.arrows.get(vertex)
    }

    /// How many premises a join has.
    pub fn needs(&self, join: VertexId) -> u32 {
        self.needs[join as usize - self.positions]
    }

    /// The distinct premises of a step, sorted.
    pub fn premises(&self, step: StepId) -> &[VertexId] {
        self.premises.get(step)
    }

    /// The steps that conclude a position, in order.
    pub fn steps_to(&self, position: VertexId) -> &[StepId] {
        self.steps_to.get(position)
    }

    /// The position that a step concludes.
    pub fn conclusion(&self, step: StepId) -> VertexId {
        self.conclusions[step as usize]
    }

    /// The effort of a step.
    pub fn effort(&self, step: StepId) -> u8 {
        self.efforts[step as usize]
    }
}
