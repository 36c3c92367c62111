//! The graph as compressed sparse rows: all edges of a vertex lie side by side.
//!
//! **Trap.** Rows are a picture of the graph at one moment: they know vertices and steps by number only.

use petgraph::graph::DiGraph;
use petgraph::visit::EdgeRef as _;

use super::{StepId, Vertex, VertexId};
use crate::techniques::{Certainty, Step};

/// What one step weighs: its effort, and whether it is conditional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u8);

impl Weight {
    /// Returns the weight of a step of this effort, at most 127.
    pub const fn new(effort: u8, is_conditional: bool) -> Self {
        Self(effort << 1 | is_conditional as u8)
    }

    /// Returns the weight of a step.
    pub fn of(step: &Step) -> Self {
        Self::new(step.effort, matches!(step.certainty, Certainty::Conditional(_)))
    }

    /// The effort.
    pub const fn effort(self) -> u8 {
        self.0 >> 1
    }

    /// Whether the step depends on something that the input does not show.
    pub const fn is_conditional(self) -> bool {
        self.0 & 1 == 1
    }

    /// The weight as a small number, in the order of weights.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One edge of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Where it leads: a position or a join.
    pub to: VertexId,
    /// The step it belongs to.
    pub step: StepId,
    /// The weight of that step.
    pub weight: Weight,
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

    /// The same lists without the items that are gone.
    fn without(&self, is_gone: impl Fn(&T) -> bool) -> Self {
        let mut first = Vec::with_capacity(self.first.len());
        let mut items = Vec::with_capacity(self.items.len());
        first.push(0);
        for ends in self.first.windows(2) {
            let list = &self.items[ends[0] as usize..ends[1] as usize];
            items.extend(list.iter().filter(|item| !is_gone(item)));
            first.push(u32::try_from(items.len()).unwrap_or(u32::MAX));
        }
        Self { first, items }
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
    weights: Vec<Weight>,
}

impl Rows {
    pub(super) fn new(graph: &DiGraph<Vertex, StepId>, positions: usize, steps: &[Step]) -> Self {
        let number = |index: usize| VertexId::try_from(index).unwrap_or(VertexId::MAX);
        let weights: Vec<Weight> = steps.iter().map(Weight::of).collect();
        let mut arrows = Vec::with_capacity(graph.edge_count());
        let mut premises = Vec::with_capacity(graph.edge_count());
        let mut concluded = Vec::with_capacity(steps.len());
        let mut conclusions = vec![VertexId::MAX; steps.len()];
        let mut needs = vec![0; graph.node_count() - positions];
        for edge in graph.edge_references() {
            let (from, to, step) = (edge.source().index(), edge.target().index(), *edge.weight());
            let weight = weights[step as usize];
            let arrow = Arrow {
                to: number(to),
                step,
                weight,
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
            weights,
        }
    }

    /// Returns the rows of the same graph after some steps are gone; the numbers of vertices and steps stay.
    ///
    /// # Complexity
    /// Linear in edges and vertices.
    #[must_use]
    pub fn without(&self, is_gone: impl Fn(StepId) -> bool) -> Self {
        Self {
            positions: self.positions,
            arrows: self.arrows.without(|arrow| is_gone(arrow.step)),
            needs: self.needs.clone(),
            premises: self.premises.clone(),
            steps_to: self.steps_to.without(|&step| is_gone(step)),
            conclusions: self.conclusions.clone(),
            weights: self.weights.clone(),
        }
    }

    /// How many edges there are.
    pub fn edges(&self) -> usize {
        self.arrows.items.len()
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

    /// The weight of a step.
    pub fn weight(&self, step: StepId) -> Weight {
        self.weights[step as usize]
    }
}
