//! How many paths a selector wants, and how many of them were taken.
//!
//! **Trap.** Costs are sums of floats, which depend on their order in the last digits; two that are as near as that
//! are one group.

use std::cmp::Ordering;

/// The cost or length of a path, how many relationships it has, and its number.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Rank(pub(crate) f64, pub(crate) u64, pub(crate) usize);

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let cost = self.0.total_cmp(&other.0);
        cost.then(self.1.cmp(&other.1)).then(self.2.cmp(&other.2))
    }
}

/// How much was taken, of a pair of ends or at a vertex.
#[derive(Default)]
pub(crate) struct Taken {
    count: u64,
    costs: Vec<f64>,
}

/// How much is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    All,
    Paths(u64),
    Groups(usize),
}

fn is_same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(1.0)
}

impl Taken {
    /// Takes a path of this cost, if it is wanted.
    pub(crate) fn take(&mut self, cost: f64, wanted: Wanted) -> bool {
        let is_known = self.costs.iter().any(|known| is_same(*known, cost));
        let takes = match wanted {
            Wanted::All => true,
            Wanted::Paths(count) => self.count < count,
            Wanted::Groups(count) => is_known || self.costs.len() < count,
        };
        if takes {
            self.count += 1;
            if !is_known && matches!(wanted, Wanted::Groups(_)) {
                self.costs.push(cost);
            }
        }
        takes
    }

    /// Whether no path of this cost or above is wanted.
    pub(crate) fn is_full(&self, cost: f64, wanted: Wanted) -> bool {
        match wanted {
            Wanted::All => false,
            Wanted::Paths(count) => self.count >= count,
            Wanted::Groups(count) => {
                self.costs.len() >= count && !self.costs.iter().any(|known| is_same(*known, cost))
            }
        }
    }
}
