//! Values as text and as JSON.
//!
//! **Trap.** A node is shown by its id where it has one, so that a table stays readable; JSON has everything.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value as Json, json};

use super::data::Graph;
use super::value::{Float, LinkId, NodeId, Value};

/// How deep lists and maps are written out.
const DEPTH: usize = 100;

/// A number, string or boolean without quotes.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => Float(*number).to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Time(time) => time.to_string(),
        _ => String::new(),
    }
}

/// A string as the language writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

fn node_text(node: NodeId, graph: &dyn Graph) -> String {
    match graph.node_property(node, "id") {
        Value::Text(id) => id.to_string(),
        _ => format!("(:{})", graph.labels(node).join(":")),
    }
}

fn link_text(link: LinkId, graph: &dyn Graph) -> String {
    let (start, end) = graph.ends(link);
    format!(
        "{} -[{}]-> {}",
        node_text(start, graph),
        graph.link_type(link),
        node_text(end, graph)
    )
}

/// Returns a value as a table shows it: strings bare, nodes by their ids, paths with arrows.
pub fn text(value: &Value, graph: &dyn Graph) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        value => nested(value, graph, 0),
    }
}

fn nested(value: &Value, graph: &dyn Graph, depth: usize) -> String {
    if depth > DEPTH {
        return "…".to_owned();
    }
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) => plain(value),
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| nested(item, graph, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{key}: {}", nested(value, graph, depth + 1)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Node(node) => node_text(*node, graph),
        Value::Link(link) => link_text(*link, graph),
        Value::Path(path) => {
            let mut shown = path
                .nodes
                .first()
                .map(|node| node_text(*node, graph))
                .unwrap_or_default();
            for (link, node) in path.links.iter().zip(path.nodes.iter().skip(1)) {
                let name = graph.link_type(*link);
                let forward = graph.ends(*link).1 == *node;
                let arrow = if forward {
                    format!(" -[{name}]-> ")
                } else {
                    format!(" <-[{name}]- ")
                };
                shown.push_str(&arrow);
                shown.push_str(&node_text(*node, graph));
            }
            shown
        }
    }
}

/// Returns a value as JSON; NaN and the infinities, which JSON lacks, become strings.
pub fn json(value: &Value, graph: &dyn Graph) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::Number((*number).into()),
        Value::Float(number) => {
            Number::from_f64(*number).map_or_else(|| Json::String(Float(*number).to_string()), Json::Number)
        }
        Value::Text(text) => Json::String(text.to_string()),
        Value::Time(time) => Json::String(time.to_string()),
        Value::List(items) => items.iter().map(|item| json(item, graph)).collect(),
        Value::Map(map) => Json::Object(
            map.iter()
                .map(|(key, value)| (key.to_string(), json(value, graph)))
                .collect(),
        ),
        Value::Node(node) => {
            let keys = graph.node_keys(*node).into_iter();
            let properties: Map<String, Json> = keys
                .map(|key| (key.to_string(), json(&graph.node_property(*node, &key), graph)))
                .collect();
            json!({"labels": graph.labels(*node), "properties": properties})
        }
        Value::Link(link) => {
            let keys = graph.link_keys(*link).into_iter();
            let properties: Map<String, Json> = keys
                .map(|key| (key.to_string(), json(&graph.link_property(*link, &key), graph)))
                .collect();
            let (start, end) = graph.ends(*link);
            json!({
                "type": graph.link_type(*link),
                "from": node_text(start, graph),
                "to": node_text(end, graph),
                "properties": properties,
            })
        }
        Value::Path(path) => {
            let nodes: Json = path
                .nodes
                .iter()
                .map(|node| json(&Value::Node(*node), graph))
                .collect();
            let links: Json = path
                .links
                .iter()
                .map(|link| json(&Value::Link(*link), graph))
                .collect();
            json!({"nodes": nodes, "relationships": links})
        }
    }
}
