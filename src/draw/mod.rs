//! Pictures of the attack graph.
//!
//! **Trap.** Names come from the cluster and may hold any character; only [`dot::quote`] and `markup` put them in a
//! picture.

mod attacks;
mod connections;
mod diagram;
pub mod dot;
mod graphml;
mod group;
mod layout;
mod mermaid;
mod opengraph;
mod scene;
mod svg;

pub use connections::connections;
pub use diagram::{Diagram, DiagramEdge, DiagramVertex, Role};
pub use graphml::graphml;
pub use group::{Group, Grouping};
pub use layout::DrawError;
pub use mermaid::mermaid;
pub use opengraph::opengraph;
pub use scene::scene;
pub use svg::{figure, figure_legend, svg};
