//! Pictures of the attack graph.
//!
//! **Trap.** Names come from the cluster and may hold any character; only [`dot::quote`] puts them in a picture.

mod connections;
pub mod dot;

pub use connections::connections;
