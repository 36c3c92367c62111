//! What a picture of attacks leaves out: positions that follow from one other without any work.
//!
//! A container is its pod, a bound role is its account, an open port is the internet's. Such a position is drawn as
//! part of what it follows from, so that a picture shows what the attacker does.
//!
//! **Trap.** A position with two ways to it is never part of one of them, else the picture would show a way that is
//! not there.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::diagram::Tie;
use crate::techniques::{Position, Step};

/// Longest chain of structure that is followed; a longer one is drawn.
const DEEPEST: usize = 64;

/// For each position of some steps the one that it is drawn as; `is_kept` names those that are drawn as themselves.
///
/// # Complexity
/// Linear in the steps.
pub(super) fn origins<'a>(
    steps: &[&'a Step],
    is_kept: impl Fn(&Position) -> bool,
) -> BTreeMap<&'a Position, &'a Position> {
    let mut makers = FxHashMap::<&Position, Option<&'a Step>>::default();
    for &step in steps {
        makers
            .entry(&step.conclusion)
            .and_modify(|maker| {
                let is_same = |known: &&Step| known.premises == step.premises && is_structure(step);
                *maker = maker.filter(is_same);
            })
            .or_insert_with(|| is_structure(step).then_some(step));
    }
    makers.retain(|position, _| !is_kept(position));
    let mut search = Search {
        makers,
        known: FxHashMap::default(),
    };
    let positions = steps
        .iter()
        .flat_map(|step| step.premises.iter().chain([&step.conclusion]));
    positions
        .map(|position| (position, search.origin(position, DEEPEST)))
        .collect()
}

fn is_structure(step: &Step) -> bool {
    step.reason.technique().is_none()
}

struct Search<'a> {
    /// The one step to a position, if that is structure.
    makers: FxHashMap<&'a Position, Option<&'a Step>>,
    known: FxHashMap<&'a Position, &'a Position>,
}

impl<'a> Search<'a> {
    fn origin(&mut self, position: &'a Position, depth: usize) -> &'a Position {
        if let Some(origin) = self.known.get(position) {
            return origin;
        }
        let Some(Some(maker)) = self.makers.get(position).copied() else {
            return position;
        };
        if depth == 0 {
            return position;
        }
        // What leads back here while the search goes on is drawn as itself.
        self.known.insert(position, position);
        let mut origins = maker
            .premises
            .iter()
            .map(|premise| self.origin(premise, depth - 1));
        let first = origins.next().unwrap_or(position);
        let origin = if origins.all(|origin| origin == first) {
            first
        } else {
            position
        };
        self.known.insert(position, origin);
        origin
    }
}

/// The steps between what their positions are drawn as, without those that stay within one.
pub(super) fn ties<'a>(steps: &[&'a Step], origins: &BTreeMap<&'a Position, &'a Position>) -> Vec<Tie<'a>> {
    let origin = |position: &'a Position| origins.get(position).copied().unwrap_or(position);
    let ties = steps.iter().map(|&step| {
        let mut premises: Vec<&Position> = step.premises.iter().map(origin).collect();
        premises.sort();
        premises.dedup();
        Tie {
            step,
            premises,
            conclusion: origin(&step.conclusion),
        }
    });
    ties.filter(|tie| tie.premises.as_slice() != [tie.conclusion])
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::diagram::{Diagram, tests::step};
    use super::*;
    use crate::techniques::Place;

    fn pod(name: &str) -> Position {
        Position::Pod(Place::new("shop", name))
    }

    fn texts(steps: &[Step]) -> Vec<String> {
        let steps: Vec<&Step> = steps.iter().collect();
        let diagram = Diagram::of_attacks(&steps, &BTreeSet::from([Position::Internet]), &BTreeSet::new());
        diagram.vertices.into_iter().map(|vertex| vertex.text).collect()
    }

    #[test]
    fn what_follows_from_one_position_is_drawn_as_that_one() {
        let group = Position::Network("a".into());
        let steps = [
            step(&[pod("a")], group.clone()),
            step(&[pod("a"), group], pod("b")),
        ];
        assert!(texts(&steps).is_empty(), "all of it is pod a");
    }

    #[test]
    fn a_position_with_two_ways_to_it_is_drawn() {
        let hub = Position::Network("hub".into());
        let steps = [step(&[pod("a")], hub.clone()), step(&[Position::Internet], hub)];
        assert_eq!(texts(&steps), ["Internet", "Pod/shop/a", "Network/hub"]);
    }

    #[test]
    fn circles_end() {
        let steps = [step(&[pod("a")], pod("b")), step(&[pod("b")], pod("a"))];
        assert!(texts(&steps).len() <= 2);
    }
}
