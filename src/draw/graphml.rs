//! The picture as GraphML, for yEd, Gephi, NetworkX and igraph.
//!
//! **Trap.** GraphML has no steps of several premises: a join is a vertex of kind `Join` that needs all edges into it.
//! Source: <http://graphml.graphdrawing.org/specification.html>

use std::fmt::Write as _;

use super::diagram::{Diagram, Role};
use crate::markup::{attribute, content};

/// Data of vertices and edges: name, what it is of, type.
const KEYS: [(&str, &str, &str); 10] = [
    ("id", "node", "string"),
    ("text", "node", "string"),
    ("label", "node", "string"),
    ("role", "node", "string"),
    ("namespace", "node", "string"),
    ("count", "node", "int"),
    ("technique", "edge", "string"),
    ("effort", "edge", "int"),
    ("structural", "edge", "boolean"),
    ("certainty", "edge", "string"),
];

/// The word for a role.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Position => "position",
        Role::Entry => "entry",
        Role::Jewel => "crown jewel",
        Role::Join => "join",
    }
}

/// Returns the picture as GraphML.
pub fn graphml(diagram: &Diagram) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    // Writing to a string cannot fail.
    for (name, of, kind) in KEYS {
        let _ = writeln!(
            text,
            r#"  <key id="{of}-{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>"#
        );
    }
    text.push_str("  <graph id=\"beachhead\" edgedefault=\"directed\">\n");
    for (at, vertex) in diagram.vertices.iter().enumerate() {
        let _ = writeln!(text, r#"    <node id="v{at}">"#);
        let label = if vertex.role == Role::Join {
            "Join"
        } else {
            vertex.label
        };
        let count = vertex.count.to_string();
        let namespace = vertex.namespace.as_deref().unwrap_or_default();
        for (name, value) in [
            ("id", vertex.id.as_str()),
            ("text", &vertex.text),
            ("label", label),
            ("role", role(vertex.role)),
            ("namespace", namespace),
            ("count", &count),
        ] {
            data("node", name, value, &mut text);
        }
        text.push_str("    </node>\n");
    }
    for (at, edge) in diagram.edges.iter().enumerate() {
        let _ = writeln!(
            text,
            r#"    <edge id="e{at}" source="v{}" target="v{}">"#,
            edge.from, edge.to
        );
        let effort = edge.effort.to_string();
        for (name, value) in [
            ("technique", edge.label),
            ("effort", &effort),
            ("structural", if edge.structural { "true" } else { "false" }),
            ("certainty", edge.certainty),
        ] {
            data("edge", name, value, &mut text);
        }
        text.push_str("    </edge>\n");
    }
    text.push_str("  </graph>\n</graphml>\n");
    text
}

fn data(of: &str, name: &str, value: &str, text: &mut String) {
    if !value.is_empty() {
        let key = attribute(&format!("{of}-{name}"));
        let _ = writeln!(text, r#"      <data key="{key}">{}</data>"#, content(value));
    }
}
