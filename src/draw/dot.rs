//! The graph as DOT, the language of Graphviz.
//!
//! **Trap.** The printer escapes nothing: every text of the cluster passes through [`quote`].
//! Source: <https://graphviz.org/doc/info/lang.html>

use std::collections::{BTreeMap, BTreeSet};

use graphviz_rust::dot_structures::{
    Attribute, Edge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Subgraph, Vertex,
};
use graphviz_rust::printer::PrinterContext;

use crate::model::Text;
use crate::techniques::{Position, Step};

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The steps.
    pub steps: &'a [&'a Step],
    /// Positions to mark as entry points.
    pub entries: &'a BTreeSet<Position>,
    /// Positions to mark as crown jewels.
    pub jewels: &'a BTreeSet<Position>,
}

/// Returns a text as a quoted DOT string: `"` and `\` escaped, control characters left out.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Returns the picture as DOT: one cluster a namespace, joins as points, efforts on the edges.
pub fn dot(picture: &Picture<'_>) -> String {
    let mut statements = vec![
        Stmt::Attribute(attribute("rankdir", "LR")),
        Stmt::GAttribute(GraphAttributes::Node(vec![attribute("shape", "box")])),
    ];
    let positions: BTreeSet<&Position> = picture
        .steps
        .iter()
        .flat_map(|step| step.premises.iter().chain([&step.conclusion]))
        .collect();
    let mut namespaces = BTreeMap::<Option<&str>, Vec<Stmt>>::new();
    for position in positions {
        let namespace = position.namespace().map(Text::as_str);
        namespaces
            .entry(namespace)
            .or_default()
            .push(vertex(position, picture));
    }
    for (namespace, mut vertices) in namespaces {
        let Some(namespace) = namespace else {
            statements.append(&mut vertices);
            continue;
        };
        vertices.insert(0, Stmt::Attribute(attribute("label", namespace)));
        let id = escaped(&format!("cluster_{namespace}"));
        statements.push(Stmt::Subgraph(Subgraph { id, stmts: vertices }));
    }
    for (index, step) in picture.steps.iter().enumerate() {
        edges(step, index, &mut statements);
    }
    let graph = Graph::DiGraph {
        id: escaped("beachhead"),
        strict: false,
        stmts: statements,
    };
    graphviz_rust::print(graph, &mut PrinterContext::default())
}

fn vertex(position: &Position, picture: &Picture<'_>) -> Stmt {
    let id = position.to_string();
    let mut attributes = vec![attribute("label", &id)];
    if picture.entries.contains(position) {
        attributes.extend([
            attribute("style", "filled"),
            attribute("fillcolor", "lightyellow"),
        ]);
    }
    if picture.jewels.contains(position) {
        attributes.extend([attribute("style", "filled"), attribute("fillcolor", "lightpink")]);
    }
    Stmt::Node(Node {
        id: node_id(&id),
        attributes,
    })
}

fn edges(step: &Step, index: usize, statements: &mut Vec<Stmt>) {
    let name = step.reason.label();
    let label = match step.effort {
        0 => name.to_owned(),
        effort => format!("{name} ({effort})"),
    };
    let style = if step.reason.technique().is_none() {
        "dashed"
    } else {
        "solid"
    };
    let labelled = vec![attribute("label", &label), attribute("style", style)];
    let conclusion = step.conclusion.to_string();
    if let [premise] = step.premises.as_slice() {
        statements.push(edge(&premise.to_string(), &conclusion, labelled));
        return;
    }
    let join = format!("all of {index}");
    let attributes = vec![attribute("shape", "point")];
    statements.push(Stmt::Node(Node {
        id: node_id(&join),
        attributes,
    }));
    for premise in &step.premises {
        statements.push(edge(
            &premise.to_string(),
            &join,
            vec![attribute("arrowhead", "none")],
        ));
    }
    statements.push(edge(&join, &conclusion, labelled));
}

fn edge(from: &str, to: &str, attributes: Vec<Attribute>) -> Stmt {
    let ty = EdgeTy::Pair(Vertex::N(node_id(from)), Vertex::N(node_id(to)));
    Stmt::Edge(Edge { ty, attributes })
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute(Id::Plain(name.to_owned()), escaped(value))
}

fn node_id(id: &str) -> NodeId {
    NodeId(escaped(id), None)
}

fn escaped(text: &str) -> Id {
    Id::Escaped(quote(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::techniques::{Certainty, Place, Reason, Relation};

    fn step(name: &str, premises: usize) -> Step {
        Step {
            reason: Reason::Relation(Relation::Reaches),
            premises: (0..premises)
                .map(|n| Position::Network(format!("{n}{name}").into()))
                .collect(),
            conclusion: Position::Pod(Place::new(name, name)),
            effort: 0,
            certainty: Certainty::Certain,
            evidence: Vec::new(),
        }
    }

    /// The text that a quoted DOT string stands for.
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
        text
    }

    #[test]
    fn a_join_is_a_point() {
        let none = BTreeSet::new();
        let text = dot(&Picture {
            steps: &[&step("web", 2)],
            entries: &none,
            jewels: &none,
        });
        assert!(
            text.contains("shape=\"point\"") && text.contains("\"all of 0\" -> \"Pod/web/web\""),
            "{text}"
        );
        assert!(text.contains("subgraph \"cluster_web\""), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(name in any::<String>()) {
            let none = BTreeSet::new();
            let text = dot(&Picture { steps: &[&step(&name, 1)], entries: &none, jewels: &none });
            let Graph::DiGraph { stmts, .. } = graphviz_rust::parse(&text).map_err(TestCaseError::fail)? else {
                return Err(TestCaseError::fail("another kind of graph"));
            };
            let edge = stmts.iter().find_map(|stmt| match stmt {
                Stmt::Edge(Edge { ty: EdgeTy::Pair(_, Vertex::N(NodeId(Id::Escaped(id), _))), .. }) => Some(id),
                _ => None,
            });
            let shown: String = name.chars().filter(|character| !character.is_control()).collect();
            prop_assert_eq!(unquote(edge.unwrap()), format!("Pod/{shown}/{shown}"));
        }
    }
}
