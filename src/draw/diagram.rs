//! A picture's content: vertices and edges with their texts, alike vertices folded to one.
//!
//! Positions that are entered and left by the same kinds of steps, and that differ in their own name alone, are
//! one vertex with a count. Steps of several premises meet in a join.
//!
//! **Trap.** Folding is for the eye only: what a folded vertex leads to, each of its positions may not.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::attacks::{origins, ties};
use super::group::{Group, Grouping, namespace};
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
    /// The box that it is drawn in.
    pub group: Option<Group>,
    /// How many positions it stands for.
    pub count: usize,
    /// Ids of some of the others that it stands for, and of what follows from it without any work.
    pub with: Vec<String>,
}

/// Most ids in [`DiagramVertex::with`].
const NAMED: usize = 12;

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
    /// The vertex of each position.
    place_of: BTreeMap<Position, usize>,
    /// The join of each step that has one, by [`Key`]; none for a step that is one edge.
    drawn: BTreeMap<Key, Option<usize>>,
}

/// What makes steps one in a picture: vertices of the premises, label, vertex of the conclusion.
type Key = (Vec<usize>, &'static str, usize);

/// A step between the positions that stand for its own.
#[derive(Clone, Debug)]
pub(super) struct Tie<'a> {
    pub(super) step: &'a Step,
    pub(super) premises: Vec<&'a Position>,
    pub(super) conclusion: &'a Position,
}

/// Where attackers begin, and what they want.
#[derive(Clone, Copy, Debug)]
struct Ends<'a> {
    entries: &'a BTreeSet<Position>,
    jewels: &'a BTreeSet<Position>,
}

/// Rounds of telling positions apart; a picture with longer ways between alike ends folds a little too much.
const ROUNDS: usize = 64;

/// What one step says about one of its positions: whether that is the conclusion, the label, and the colours of the
/// premises and of the conclusion.
type Mark = (bool, &'static str, Vec<u32>, u32);

/// Gives alike positions one colour: those of the same label, namespace, box and role that the same kinds of steps tie to
/// alike positions. This is the coarsest stable colouring (R. Paige and R. Tarjan, "Three Partition Refinement
/// Algorithms", 1987), found round by round.
fn colours(
    positions: &BTreeSet<&Position>,
    ties: &[Tie<'_>],
    grouping: Grouping<'_>,
    role: impl Fn(&Position) -> Role,
) -> BTreeMap<u32, Vec<usize>> {
    let number: FxHashMap<&Position, usize> = positions.iter().copied().zip(0..).collect();
    let ends: Vec<(Vec<usize>, usize)> = ties
        .iter()
        .map(|tie| {
            let premises = tie.premises.iter().map(|premise| number[premise]).collect();
            (premises, number[tie.conclusion])
        })
        .collect();
    let first = positions.iter().map(|position| {
        let group = grouping.of(position);
        (
            position.label().as_str(),
            namespace(position),
            group,
            role(position),
        )
    });
    let (mut colour, mut known) = numbered(first);
    for _ in 0..ROUNDS {
        let mut marks: Vec<BTreeSet<Mark>> = vec![BTreeSet::new(); positions.len()];
        for (tie, (premises, conclusion)) in ties.iter().zip(&ends) {
            let mut of: Vec<u32> = premises.iter().map(|&premise| colour[premise]).collect();
            of.sort_unstable();
            let label = tie.step.reason.label();
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
        let ties = steps.iter().map(|step| Tie {
            step,
            premises: step.premises.iter().collect(),
            conclusion: &step.conclusion,
        });
        let ends = Ends { entries, jewels };
        Self::of_ties(
            &ties.collect::<Vec<_>>(),
            &BTreeMap::new(),
            ends,
            Grouping::Namespaces,
        )
    }

    /// Returns the picture of the attacks among some steps: a position that follows without any work from one other,
    /// and from nothing else, is drawn as part of that one.
    ///
    /// # Complexity
    /// That of [`Diagram::new`].
    pub fn of_attacks(steps: &[&Step], entries: &BTreeSet<Position>, jewels: &BTreeSet<Position>) -> Self {
        Self::grouped(steps, entries, jewels, Grouping::Namespaces)
    }

    /// Returns the picture of [`Diagram::of_attacks`] with other boxes.
    ///
    /// # Complexity
    /// That of [`Diagram::new`].
    pub fn grouped(
        steps: &[&Step],
        entries: &BTreeSet<Position>,
        jewels: &BTreeSet<Position>,
        grouping: Grouping<'_>,
    ) -> Self {
        let origins = origins(steps, |position| {
            entries.contains(position) || jewels.contains(position)
        });
        let ties = ties(steps, &origins);
        let mut parts = BTreeMap::<&Position, Vec<&Position>>::new();
        for (&part, &origin) in origins.iter().filter(|(part, origin)| part != origin) {
            parts.entry(origin).or_default().push(part);
        }
        let mut diagram = Self::of_ties(&ties, &parts, Ends { entries, jewels }, grouping);
        for (part, origin) in origins {
            if let Some(&place) = diagram.place_of.get(origin) {
                diagram.place_of.insert(part.clone(), place);
            }
        }
        diagram
    }

    fn of_ties(
        ties: &[Tie<'_>],
        parts: &BTreeMap<&Position, Vec<&Position>>,
        ends: Ends<'_>,
        grouping: Grouping<'_>,
    ) -> Self {
        let positions: BTreeSet<&Position> = ties
            .iter()
            .flat_map(|tie| tie.premises.iter().copied().chain([tie.conclusion]))
            .collect();
        let role = |position: &Position| match position {
            position if ends.jewels.contains(position) => Role::Jewel,
            position if ends.entries.contains(position) => Role::Entry,
            _ => Role::Position,
        };
        let groups = colours(&positions, ties, grouping, role);
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
            let others = group.iter().skip(1).copied();
            let parts = group.iter().filter_map(|position| parts.get(position)).flatten();
            diagram.vertices.push(DiagramVertex {
                text: match group.len() {
                    1 => id.clone(),
                    count => format!("{id} and {} more", count - 1),
                },
                id,
                label: group[0].label().as_str(),
                role: role(group[0]),
                namespace: namespace(group[0]).map(ToString::to_string),
                group: grouping.of(group[0]),
                count: group.len(),
                with: others
                    .chain(parts.copied())
                    .take(NAMED)
                    .map(ToString::to_string)
                    .collect(),
            });
        }
        diagram.connect(ties, &at);
        diagram.place_of = at
            .into_iter()
            .map(|(position, place)| (position.clone(), place))
            .collect();
        diagram
    }

    fn connect(&mut self, ties: &[Tie<'_>], at: &FxHashMap<&Position, usize>) {
        for tie in ties {
            let (step, key) = (tie.step, key(tie, |position| at[position]));
            if self.drawn.contains_key(&key) {
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
            let (premises, label, to) = &key;
            if let [only] = premises[..] {
                self.edges.push(edge(only, *to, label));
                self.drawn.insert(key, None);
                continue;
            }
            let join = self.vertices.len();
            let DiagramVertex { namespace, group, .. } = self.vertices[*to].clone();
            let is_inside = premises.iter().any(|&from| self.vertices[from].group == group);
            self.vertices.push(DiagramVertex {
                id: String::new(),
                text: "all of these".to_owned(),
                label: "",
                role: Role::Join,
                namespace: namespace.filter(|_| is_inside),
                group: group.filter(|_| is_inside),
                count: 1,
                with: Vec::new(),
            });
            self.edges
                .extend(premises.iter().map(|&from| edge(from, join, "")));
            self.edges.push(edge(join, *to, label));
            self.drawn.insert(key, Some(join));
        }
        self.edges.sort();
    }

    /// Returns the edges that show these steps, which are among those of the picture, by their places in
    /// [`Diagram::edges`], sorted.
    pub fn edges_of<'a>(&self, steps: impl IntoIterator<Item = &'a Step>) -> Vec<usize> {
        let mut edges = BTreeSet::new();
        for step in steps {
            let place = |position: &Position| self.place_of.get(position).copied();
            let Some(to) = place(&step.conclusion) else {
                continue;
            };
            let mut premises: Vec<usize> = step.premises.iter().filter_map(place).collect();
            premises.sort_unstable();
            premises.dedup();
            let Some(&join) = self.drawn.get(&(premises.clone(), step.reason.label(), to)) else {
                continue;
            };
            let mut draw = |from: usize, to: usize| {
                let first = self
                    .edges
                    .partition_point(|edge| (edge.from, edge.to) < (from, to));
                let alike = self.edges[first..].iter().zip(first..);
                edges.extend(
                    alike
                        .take_while(|(edge, _)| (edge.from, edge.to) == (from, to))
                        .filter(|(edge, _)| edge.label.is_empty() || edge.label == step.reason.label())
                        .map(|(_, at)| at),
                );
            };
            for from in premises {
                draw(from, join.unwrap_or(to));
            }
            if let Some(join) = join {
                draw(join, to);
            }
        }
        edges.into_iter().collect()
    }
}

fn key(tie: &Tie<'_>, at: impl Fn(&Position) -> usize) -> Key {
    let mut premises: Vec<usize> = tie.premises.iter().map(|premise| at(premise)).collect();
    premises.sort_unstable();
    premises.dedup();
    (premises, tie.step.reason.label(), at(tie.conclusion))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::techniques::{Certainty, Few, Place, Reason, Relation};

    pub(in crate::draw) fn step(premises: &[Position], conclusion: Position) -> Step {
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: premises.into(),
            conclusion,
            effort: 0,
            certainty: Certainty::Certain,
            evidence: Few::new(),
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
