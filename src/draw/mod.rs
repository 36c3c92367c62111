//! Pictures of the attack graph.
//!
//! **Trap.** Names come from the cluster and may hold any character; only [`dot::quote`] and `markup` put them in a
//! picture.

mod connections;
mod diagram;
pub mod dot;
mod mermaid;

pub use connections::connections;
pub use diagram::{Diagram, DiagramEdge, DiagramVertex, Role};
pub use mermaid::mermaid;
