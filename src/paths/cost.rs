//! What a path costs: effort first, then how many of its steps are conditional, then the number of its steps.
//!
//! **Trap.** All three live in one number, so that costs add and compare in one instruction; sums stop at a ceiling
//! instead of overflowing, and that ceiling still means "can be held".

use std::fmt;

use crate::graph::Weight;

/// Effort, then conditions, then steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

/// The greatest sum.
const MOST: u64 = u64::MAX - 1;
/// Bits of the number of steps.
const STEPS: u32 = 24;
/// Bits of the number of conditional steps, above them.
const CONDITIONS: u32 = 16;

impl Cost {
    /// Of what is held from the beginning.
    pub const ZERO: Self = Self(0);
    /// Greater than the cost of anything that can be held.
    pub const NEVER: Self = Self(u64::MAX);

    /// Returns the cost of one step of this weight.
    pub const fn of(weight: Weight) -> Self {
        let effort = (weight.effort() as u64) << (STEPS + CONDITIONS);
        Self(effort | (weight.is_conditional() as u64) << STEPS | 1)
    }

    /// The sum of efforts.
    pub fn effort(self) -> u32 {
        u32::try_from(self.0 >> (STEPS + CONDITIONS)).unwrap_or(u32::MAX)
    }

    /// The number of steps that depend on something that the input does not show.
    pub fn conditions(self) -> u32 {
        u32::try_from(self.0 >> STEPS & ((1 << CONDITIONS) - 1)).unwrap_or(u32::MAX)
    }

    /// The number of steps.
    pub fn steps(self) -> u32 {
        u32::try_from(self.0 & ((1 << STEPS) - 1)).unwrap_or(u32::MAX)
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(MOST))
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::ZERO, |sum, cost| sum + cost)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "effort {} in {} steps, {} of them conditional",
            self.effort(),
            self.steps(),
            self.conditions()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_counts_before_conditions_and_those_before_steps() {
        let of = |effort, is_conditional| Cost::of(Weight::new(effort, is_conditional));
        let twice = of(1, false) + of(0, true);
        assert_eq!((twice.effort(), twice.conditions(), twice.steps()), (1, 1, 2));
        assert!(twice < of(2, false) && of(1, false) < twice);
        assert!(of(1, false) + of(0, false) + of(0, false) < of(1, true));
    }

    #[test]
    fn a_sum_stops_below_never() {
        let most = Cost(MOST);
        assert_eq!(most + Cost::of(Weight::new(8, true)), most);
        assert!(most < Cost::NEVER);
    }
}
