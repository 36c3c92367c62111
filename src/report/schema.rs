//! The JSON Schemas of the report and of the graph, made from the types that are written.
//!
//! `docs` holds them as files; a test fails when they differ from what is returned here.
//!
//! **Trap.** The types describe what is written, so a member that may be left out must say so where it is declared.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::findings::{Findings, SCHEMA};
use super::graph::{GRAPH_SCHEMA, GraphView};

/// Returns the JSON Schema of `beachhead report --format json`.
pub fn report_schema() -> Value {
    schema::<Findings>(
        "Beachhead report",
        "Written by `beachhead report --format json`.",
        SCHEMA,
    )
}

/// Returns the JSON Schema of `beachhead graph --format json`.
pub fn graph_schema() -> Value {
    schema::<GraphView>(
        "Beachhead graph",
        "Written by `beachhead graph --format json`.",
        GRAPH_SCHEMA,
    )
}

fn schema<T: JsonSchema>(title: &str, description: &str, version: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(closed).transform(&mut schema);
    let mut value = schema.to_value();
    value["title"] = json!(title);
    value["description"] = json!(description);
    value["properties"]["schema"] = json!({"const": version});
    value
}

/// Allows no other members than those described, so that a new one that is not described is seen.
fn closed(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    // Texts of several lines in the source are one line here.
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
