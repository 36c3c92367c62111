//! Cheapest ways through the attack graph: what can be held, by which steps, at what effort.
//!
//! [`Reach`] solves for everything at once; [`Solver::cheapest`] then finds the k cheapest [`Derivation`]s of one
//! position. Paths minimise the sum of efforts, then the number of conditional steps, then that
//! of all steps, then the steps' numbers.
//!
//! **Trap.** A step with several premises needs them all, and what two of its premises have in common is paid for
//! once. The first is exact everywhere. The second makes the problem hard (it contains set cover), so the search
//! for it has a budget; [`Derivation::proven`] says whether it ended in time.

mod closure;
mod cost;
mod derivation;
mod partial;
mod reach;
mod reuse;
mod solver;

pub use closure::{Closures, LedTo};
pub use cost::Cost;
pub use derivation::Derivation;
pub use reach::{Premises, Reach};
pub use solver::Solver;

/// Asked now and then during long work: whether nobody waits for its end any more.
pub type Stop<'s> = &'s dyn Fn() -> bool;
