//! The picture as OpenGraph, the JSON that BloodHound takes in.
//!
//! **Trap.** BloodHound follows edges one by one and knows no joins: a path through a `BeachheadJoin` holds only if all
//! edges into that node do. Its ids are in upper case, so the id stands in a property too.
//! Source: <https://bloodhound.specterops.io/opengraph/schema>

use serde_json::{Value, json};

use super::diagram::{Diagram, Role};
use super::graphml::role;

/// Begins the kinds of nodes, so that they do not meet those of other collectors.
const PREFIX: &str = "Beachhead";

/// Returns the picture as OpenGraph.
pub fn opengraph(diagram: &Diagram) -> Value {
    let id = |at: usize| match diagram.vertices[at].role {
        Role::Join => format!("beachhead-join-{at}"),
        _ => diagram.vertices[at].id.clone(),
    };
    let nodes: Vec<Value> = diagram
        .vertices
        .iter()
        .enumerate()
        .map(|(at, vertex)| {
            let label = if vertex.role == Role::Join {
                "Join"
            } else {
                vertex.label
            };
            let mut properties = json!({
                "name": vertex.text,
                "position": vertex.id,
                "role": role(vertex.role),
                "count": vertex.count,
            });
            if let Some(namespace) = &vertex.namespace {
                properties["namespace"] = json!(namespace);
            }
            json!({"id": id(at), "kinds": [format!("{PREFIX}{label}")], "properties": properties})
        })
        .collect();
    let edges: Vec<Value> = diagram
        .edges
        .iter()
        .map(|edge| {
            let kind = if edge.label.is_empty() {
                "PREMISE_OF"
            } else {
                edge.label
            };
            json!({
                "kind": kind,
                "start": {"value": id(edge.from), "match_by": "id"},
                "end": {"value": id(edge.to), "match_by": "id"},
                "properties": {
                    "effort": edge.effort,
                    "structural": edge.structural,
                    "certainty": edge.certainty,
                },
            })
        })
        .collect();
    json!({"graph": {"nodes": nodes, "edges": edges}})
}
