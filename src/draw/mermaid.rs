//! The picture as a Mermaid flowchart, for Markdown.
//!
//! **Trap.** Mermaid draws up to 500 edges unless told otherwise; larger pictures are for the other formats.
//! Source: <https://mermaid.js.org/config/schema-docs/config.html#maxedges>

use std::fmt::Write as _;

use super::diagram::{Diagram, Role};
use crate::markup::label;

/// Returns the picture as Mermaid.
pub fn mermaid(diagram: &Diagram) -> String {
    let mut text = String::from("flowchart LR\n");
    // Writing to a string cannot fail.
    for (at, vertex) in diagram.vertices.iter().enumerate() {
        let name = label(&vertex.text);
        let _ = match vertex.role {
            Role::Position => writeln!(text, "  v{at}[{name}]"),
            Role::Entry => writeln!(text, "  v{at}([{name}]):::entry"),
            Role::Jewel => writeln!(text, "  v{at}{{{{{name}}}}}:::jewel"),
            Role::Join => writeln!(text, "  v{at}(({})):::join", label("and")),
        };
    }
    for edge in &diagram.edges {
        let (from, to) = (edge.from, edge.to);
        let arrow = match (diagram.vertices[to].role, edge.structural) {
            (Role::Join, _) => "---",
            (_, true) => "-.->",
            (_, false) => "-->",
        };
        let _ = match (edge.label, edge.effort) {
            ("", _) => writeln!(text, "  v{from} {arrow} v{to}"),
            (name, 0) => writeln!(text, "  v{from} {arrow}|{}| v{to}", label(name)),
            (name, effort) => writeln!(
                text,
                "  v{from} {arrow}|{}| v{to}",
                label(&format!("{name} ({effort})"))
            ),
        };
    }
    text.push_str("  classDef entry fill:#fff3c4,stroke:#b7791f,color:#1a202c\n");
    text.push_str("  classDef jewel fill:#fed7d7,stroke:#c53030,color:#1a202c\n");
    text.push_str("  classDef join fill:#e2e8f0,stroke:#4a5568,color:#1a202c\n");
    text
}
