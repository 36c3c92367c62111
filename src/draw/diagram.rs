//! A picture's content: vertices and edges with their texts, alike vertices folded to one.
//!
//! Positions that are entered and left by the same kinds of steps, and that differ in their own name alone, are
//! one vertex with a count. Steps of several premises meet in a join.
//!
//! **Trap.** Folding is for the eye only: what a folded vertex leads to, each of its positions may not.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::model::Text;
use crate::techniques::{Position, Step};

/// What a vertex is, for its looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Any position.
    Position,
    /// Where the attacker starts.
    Entry,
    /// What must not be lost.
    Jewel,
    /// All premises of a step together.
    Join,
}

/// One vertex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagramVertex {
    /// The id of its position, or of the first that it stands for; empty for a join.
    pub id: String,
    /// What is written in it.
    pub text: String,
    /// The position's label; empty for a join.
    pub label: &'static str,
    /// What it is.
    pub role: Role,
    /// The namespace it lies in.
    pub namespace: Option<String>,
    /// How many positions it stands for.
    pub count: usize,
}

/// One edge, by places in [`Diagram::vertices`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiagramEdge {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// The technique or relation; empty from a premise to its join.
    pub label: &'static str,
    /// What the step costs.
    pub effort: u8,
    /// Whether it is structure and no attack.
    pub structural: bool,
    /// `certain`, `conditional` or `assumed`.
    pub certainty: &'static str,
}

/// Vertices and edges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// The vertices: positions by id, then joins.
    pub vertices: Vec<DiagramVertex>,
    /// The edges, sorted.
    pub edges: Vec<DiagramEdge>,
}

/// Rounds of telling positions apart; a picture with longer ways between alike ends folds a little too much.
const ROUNDS: usize = 64;

/// What one step says about one of its positions: whether that is the conclusion, the label, and the colours of the
/// premises and of the conclusion.
type Mark = (bool, &'static str, Vec<u32>, u32);

/// Gives alike positions one colour: those of the same label, namespace and role that the same kinds of steps tie to
/// alike positions. This is the coarsest stable colouring (R. Paige and R. Tarjan, "Three Partition Refinement
/// Algorithms", 1987), found round by round.
fn colours(
    positions: &BTreeSet<&Position>,
    steps: &[&Step],
    role: impl Fn(&Position) -> Role,
) -> BTreeMap<u32, Vec<usize>> {
    let number: FxHashMap<&Position, usize> = positions.iter().copied().zip(0..).collect();
    let ends: Vec<(Vec<usize>, usize)> = steps
        .iter()
        .map(|step| {
            let premises = step.premises.iter().map(|premise| number[premise]).collect();
            (premises, number[&step.conclusion])
        })
        .collect();
    let first = positions.iter().map(|position| {
        let namespace = position.namespace().map(Text::as_str);
        (position.label().as_str(), namespace, role(position))
    });
    let (mut colour, mut known) = numbered(first);
    for _ in 0..ROUNDS {
        let mut marks: Vec<BTreeSet<Mark>> = vec![BTreeSet::new(); positions.len()];
        for (step, (premises, conclusion)) in steps.iter().zip(&ends) {
            let mut of: Vec<u32> = premises.iter().map(|&premise| colour[premise]).collect();
            of.sort_unstable();
            let label = step.reason.label();
            for &premise in premises {
                marks[premise].insert((false, label, of.clone(), colour[*conclusion]));
            }
            marks[*conclusion].insert((true, label, of, colour[*conclusion]));
        }
        let (next, count) = numbered(colour.iter().copied().zip(marks));
        colour = next;
        if count == known {
            break;
        }
        known = count;
    }
    let mut groups = BTreeMap::<u32, Vec<usize>>::new();
    for (position, colour) in colour.into_iter().enumerate() {
        groups.entry(colour).or_default().push(position);
    }
    groups
}

/// Numbers things by their order, equal ones alike; with the count of different ones.
fn numbered<T: Ord>(things: impl Iterator<Item = T>) -> (Vec<u32>, usize) {
    let things: Vec<T> = things.collect();
    let different: BTreeSet<&T> = things.iter().collect();
    let numbers: BTreeMap<&T, u32> = different.into_iter().zip(0..).collect();
    (things.iter().map(|thing| numbers[thing]).collect(), numbers.len())
}

impl Diagram {
    /// Returns the picture of some steps.
    ///
    /// # Complexity
    /// At most 64 rounds of O(n log n) in the steps and their premises.
    pub fn new(steps: &[&Step], entries: &BTreeSet<Position>, jewels: &BTreeSet<Position>) -> Self {
        let positions: BTreeSet<&Position> = steps
            .iter()
            .flat_map(|step| step.premises.iter().chain([&step.conclusion]))
            .collect();
        let role = |position: &Position| match position {
            position if jewels.contains(position) => Role::Jewel,
            position if entries.contains(position) => Role::Entry,
            _ => Role::Position,
        };
        let groups = colours(&positions, steps, role);
        let positions: Vec<&Position> = positions.into_iter().collect();
        let mut groups: Vec<Vec<&Position>> = groups
            .into_values()
            .map(|group| group.into_iter().map(|at| positions[at]).collect())
            .collect();
        groups.sort_by(|a, b| a[0].cmp(b[0]));
        let mut diagram = Self::default();
        let mut at = FxHashMap::<&Position, usize>::default();
        for group in groups {
            let id = group[0].to_string();
            at.extend(group.iter().map(|position| (*position, diagram.vertices.len())));
            diagram.vertices.push(DiagramVertex {
                text: match group.len() {
                    1 => id.clone(),
                    count => format!("{id} and {} more", count - 1),
                },
                id,
                label: group[0].label().as_str(),
                role: role(group[0]),
                namespace: group[0].namespace().map(ToString::to_string),
                count: group.len(),
            });
        }
        diagram.connect(steps, &at);
        diagram
    }

    fn connect(&mut self, steps: &[&Step], at: &FxHashMap<&Position, usize>) {
        let mut drawn = BTreeSet::new();
        for step in steps {
            let mut premises: Vec<usize> = step.premises.iter().map(|premise| at[premise]).collect();
            premises.sort_unstable();
            premises.dedup();
            let to = at[&step.conclusion];
            if !drawn.insert((premises.clone(), step.reason.label(), to)) {
                continue;
            }
            let edge = |from, to, label| DiagramEdge {
                from,
                to,
                label,
                effort: step.effort,
                structural: step.reason.technique().is_none(),
                certainty: step.certainty.as_str(),
            };
            if let [only] = premises[..] {
                self.edges.push(edge(only, to, step.reason.label()));
                continue;
            }
            let join = self.vertices.len();
            self.vertices.push(DiagramVertex {
                id: String::new(),
                text: "all of these".to_owned(),
                label: "",
                role: Role::Join,
                namespace: None,
                count: 1,
            });
            self.edges
                .extend(premises.into_iter().map(|from| edge(from, join, "")));
            self.edges.push(edge(join, to, step.reason.label()));
        }
        self.edges.sort();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::techniques::{Certainty, Place, Reason, Relation};

    pub(in crate::draw) fn step(premises: &[Position], conclusion: Position) -> Step {
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.to_vec(),
            conclusion,
            effort: 0,
            certainty: Certainty::Certain,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn alike_vertices_are_one_and_a_join_is_a_vertex() {
        let pod = |name: &str| Position::Pod(Place::new("shop", name));
        let port = |name: &str| Position::Port(Place::new("shop", name), 80, crate::model::Protocol::Tcp);
        let mut steps = Vec::new();
        for name in ["a", "b"] {
            steps.push(step(&[Position::Internet], port(name)));
            steps.push(step(&[port(name)], pod(name)));
            steps.push(step(&[pod(name), Position::Internet], Position::ClusterAdmin));
        }
        let steps: Vec<&Step> = steps.iter().collect();
        let diagram = Diagram::new(&steps, &BTreeSet::from([Position::Internet]), &BTreeSet::new());
        let texts: Vec<&str> = diagram
            .vertices
            .iter()
            .map(|vertex| vertex.text.as_str())
            .collect();
        assert_eq!(
            texts,
            [
                "Internet",
                "Pod/shop/a and 1 more",
                "Port/shop/a/80/TCP and 1 more",
                "ClusterAdmin",
                "all of these"
            ]
        );
        assert_eq!(diagram.edges.len(), 5);
        assert_eq!(diagram.vertices[0].role, Role::Entry);
    }
}
