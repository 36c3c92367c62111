//! The picture as DOT, the language of Graphviz.
//!
//! **Trap.** The printer escapes nothing: every text of the cluster passes through [`quote`] or `label`. Graphviz reads
//! entities such as `&lt;` in labels, but not in names.
//! Source: <https://graphviz.org/doc/info/lang.html>

use std::collections::BTreeMap;

use graphviz_rust::dot_structures::{
    Attribute, Edge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Subgraph, Vertex,
};
use graphviz_rust::printer::PrinterContext;

use super::diagram::{Diagram, DiagramEdge, DiagramVertex, Role};
use super::group::Group;
use super::layout::{edge_text, lines};

/// Most effort that a step can have; an edge weighs the more the less its step costs.
const HARDEST: u8 = 8;

/// Returns a text as a quoted DOT string: `"` and `\` escaped, control characters left out.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Returns lines of text as one quoted label.
fn label(lines: &[String]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| escaped(&line.replace('&', "&amp;")))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

/// Returns the picture as DOT: one cluster a namespace or node, joins as points, techniques and efforts on the edges.
pub fn dot(diagram: &Diagram) -> String {
    let mut statements = vec![
        Stmt::Attribute(attribute("rankdir", "TB")),
        Stmt::Attribute(attribute("fontname", "Helvetica")),
        Stmt::GAttribute(GraphAttributes::Node(vec![
            attribute("shape", "box"),
            attribute("style", "rounded,filled"),
            attribute("fillcolor", "white"),
            attribute("fontname", "Helvetica"),
            attribute("fontsize", "11"),
        ])),
        Stmt::GAttribute(GraphAttributes::Edge(vec![
            attribute("fontname", "Helvetica"),
            attribute("fontsize", "10"),
            attribute("fontcolor", "#2b6cb0"),
        ])),
    ];
    let mut groups = BTreeMap::<Option<&Group>, Vec<Stmt>>::new();
    for (at, vertex) in diagram.vertices.iter().enumerate() {
        groups
            .entry(vertex.group.as_ref())
            .or_default()
            .push(node(&format!("v{at}"), vertex));
    }
    for (at, (group, mut vertices)) in groups.into_iter().enumerate() {
        let Some(group) = group else {
            statements.append(&mut vertices);
            continue;
        };
        let named = Attribute(plain("label"), Id::Escaped(label(&[group.to_string()])));
        let looks = [
            named,
            attribute("style", "rounded,filled"),
            attribute("fillcolor", group.fill()),
            attribute("color", "#cbd5e0"),
        ];
        vertices.splice(0..0, looks.into_iter().map(Stmt::Attribute));
        let id = quoted(&format!("cluster_{at}"));
        statements.push(Stmt::Subgraph(Subgraph { id, stmts: vertices }));
    }
    statements.extend(diagram.edges.iter().map(|one| edge(one, diagram)));
    statements.push(legend());
    let graph = Graph::DiGraph {
        id: quoted("beachhead"),
        strict: false,
        stmts: statements,
    };
    graphviz_rust::print(graph, &mut PrinterContext::default())
}

fn node(id: &str, vertex: &DiagramVertex) -> Stmt {
    let mut attributes = vec![Attribute(
        plain("tooltip"),
        Id::Escaped(label(std::slice::from_ref(&vertex.text))),
    )];
    if vertex.role == Role::Join {
        attributes.extend([
            attribute("shape", "point"),
            attribute("width", "0.12"),
            attribute("fillcolor", "#4a5568"),
        ]);
    } else {
        attributes.push(Attribute(plain("label"), Id::Escaped(label(&lines(vertex)))));
    }
    let fill = match vertex.role {
        Role::Entry => Some(("#fff3c4", "#b7791f")),
        Role::Jewel => Some(("#fed7d7", "#c53030")),
        Role::Position | Role::Join => None,
    };
    if let Some((fill, line)) = fill {
        attributes.extend([
            attribute("fillcolor", fill),
            attribute("color", line),
            attribute("penwidth", "2"),
        ]);
    }
    if vertex.count > 1 {
        attributes.push(attribute("peripheries", "2"));
    }
    Stmt::Node(Node {
        id: node_id(id),
        attributes,
    })
}

fn edge(edge: &DiagramEdge, diagram: &Diagram) -> Stmt {
    let mut attributes = vec![attribute(
        "weight",
        &(HARDEST + 1).saturating_sub(edge.effort).to_string(),
    )];
    if !edge.label.is_empty() {
        attributes.push(Attribute(plain("label"), Id::Escaped(label(&[edge_text(edge)]))));
    }
    if edge.structural {
        attributes.push(attribute("style", "dashed"));
    }
    if diagram.vertices[edge.to].role == Role::Join {
        attributes.push(attribute("arrowhead", "none"));
    }
    let end = |at: usize| Vertex::N(node_id(&format!("v{at}")));
    Stmt::Edge(Edge {
        ty: EdgeTy::Pair(end(edge.from), end(edge.to)),
        attributes,
    })
}

/// What colours and lines mean.
fn legend() -> Stmt {
    let text = "yellow: entry\\lred: crown jewel\\ldouble frame: several alike\\lpoint: needs all that lead there\\l\
                dashed: structure, costs nothing\\l(3): effort, 1 to 8\\l";
    Stmt::Node(Node {
        id: node_id("legend"),
        attributes: vec![
            Attribute(plain("label"), Id::Escaped(format!("\"{text}\""))),
            attribute("shape", "note"),
            attribute("style", "filled"),
        ],
    })
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute(plain(name), quoted(value))
}

fn plain(name: &str) -> Id {
    Id::Plain(name.to_owned())
}

fn quoted(text: &str) -> Id {
    Id::Escaped(quote(text))
}

fn node_id(id: &str) -> NodeId {
    NodeId(quoted(id), None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::diagram::tests::step;
    use super::*;
    use crate::techniques::{Place, Position, Step};

    fn diagram(steps: &[Step]) -> Diagram {
        let steps: Vec<&Step> = steps.iter().collect();
        Diagram::new(&steps, &BTreeSet::from([Position::Internet]), &BTreeSet::new())
    }

    fn pod(name: &str) -> Position {
        Position::Pod(Place::new(name, name))
    }

    /// The text that a quoted DOT label stands for.
    fn unquote(quoted: &str) -> String {
        let mut text = String::new();
        let mut characters = quoted[1..quoted.len() - 1].chars();
        while let Some(character) = characters.next() {
            text.extend(if character == '\\' {
                characters.next()
            } else {
                Some(character)
            });
        }
        text.replace("&amp;", "&")
    }

    #[test]
    fn a_join_is_a_point() {
        let text = dot(&diagram(&[step(
            &[Position::Internet, Position::ApiServer],
            pod("web"),
        )]));
        assert!(
            text.contains("shape=\"point\"") && text.contains("\"v3\" -> \"v1\""),
            "{text}"
        );
        assert!(text.contains("label=\"namespace web\""), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(name in any::<String>(), marks in "[\"\\\\&;<>a\n]{0,9}") {
            for name in [name, marks] {
                let text = dot(&diagram(&[step(&[Position::Internet], pod(&name))]));
                let Graph::DiGraph { stmts, .. } = graphviz_rust::parse(&text).map_err(TestCaseError::fail)? else {
                    return Err(TestCaseError::fail("another kind of graph"));
                };
                let mut open: Vec<&Stmt> = stmts.iter().collect();
                let mut tooltips = Vec::new();
                while let Some(stmt) = open.pop() {
                    match stmt {
                        Stmt::Subgraph(Subgraph { stmts, .. }) => open.extend(stmts),
                        Stmt::Node(Node { attributes, .. }) => tooltips.extend(attributes.iter().filter_map(|one| match one {
                            Attribute(Id::Plain(key), Id::Escaped(value)) if key == "tooltip" => Some(unquote(value)),
                            _ => None,
                        })),
                        _ => {}
                    }
                }
                let shown: String = name.chars().filter(|character| !character.is_control()).collect();
                let expected = format!("Pod/{shown}/{shown}").replace("&amp;", "&");
                prop_assert!(tooltips.contains(&expected), "{:?}", tooltips);
            }
        }
    }
}
