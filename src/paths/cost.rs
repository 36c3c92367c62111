//! What a path costs: effort first, then the number of its steps.
//!
//! **Trap.** Both live in one number, so that costs add and compare in one instruction; sums stop at a ceiling
//! instead of overflowing, and that ceiling still means "can be held".

use std::fmt;

/// Effort, then steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u64);

/// The greatest sum.
const MOST: u64 = u64::MAX - 1;
/// Bits of the number of steps.
const STEPS: u32 = 32;

impl Cost {
    /// Of what is held from the beginning.
    pub const ZERO: Self = Self(0);
    /// Greater than the cost of anything that can be held.
    pub const NEVER: Self = Self(u64::MAX);

    /// Returns the cost of one step of this effort.
    pub const fn of(effort: u8) -> Self {
        Self(((effort as u64) << STEPS) | 1)
    }

    /// The sum of efforts.
    pub fn effort(self) -> u32 {
        u32::try_from(self.0 >> STEPS).unwrap_or(u32::MAX)
    }

    /// The number of steps.
    pub fn steps(self) -> u32 {
        u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(u32::MAX)
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
        write!(f, "effort {} in {} steps", self.effort(), self.steps())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_counts_before_steps() {
        let twice = Cost::of(1) + Cost::of(0);
        assert_eq!((twice.effort(), twice.steps()), (1, 2));
        assert!(twice < Cost::of(2) && Cost::of(1) < twice);
    }

    #[test]
    fn a_sum_stops_below_never() {
        let most = Cost(MOST);
        assert_eq!(most + Cost::of(8), most);
        assert!(most < Cost::NEVER);
    }
}
