//! One page of a list to objects of the model, through the splitter and reader that files pass too.
//!
//! Secrets come as a table: one cell tells the type that metadata lacks, and no value is in it.
//!
//! **Trap.** A page that is cut off or garbled must fail whole, so that it is asked for again: half of a list looks
//! like all of a shorter one.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::Failure;
use crate::collect::json::JsonSplitter;
use crate::collect::matching::Matcher;
use crate::collect::object::{self, Outcome};
use crate::collect::piece::{Head, Part, Piece, Splitter as _};
use crate::model::{Code, Keys, Object, Text};

/// A page that was read.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) resource_version: String,
    /// Where the list goes on; empty at its end.
    pub(super) resume: String,
    /// How many Secrets have keys whose names are not known.
    pub(super) without_keys: usize,
    /// How many Secrets came with what `kubectl apply` wrote into their metadata.
    pub(super) with_values: usize,
}

/// The member that holds it, as no quoted text can: a quotation mark in a text has a backslash before it.
const APPLIED: &[u8] = b"\"kubectl.kubernetes.io/last-applied-configuration\":";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListFrame {
    kind: String,
    metadata: ListMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta {
    resource_version: Option<String>,
    r#continue: Option<String>,
}

fn garbage(what: impl Into<String>) -> Failure {
    Failure::Garbage(what.into())
}

/// Reads a page of objects of one type.
pub(super) fn read(body: &[u8], head: &Head, matcher: Option<&Matcher>) -> Result<Page, Failure> {
    let mut pieces = Vec::new();
    JsonSplitter::new(None).split(body, true, &mut pieces);
    let mut page = None;
    let mut items = Vec::new();
    for piece in &pieces {
        match &piece.part {
            Part::Item(range) => items.push(range.clone()),
            Part::Frame(frame) if page.is_none() => page = Some(frame_of(frame)?),
            // A list without items has nothing to split.
            Part::Document(range) if page.is_none() => page = Some(frame_of(&body[range.clone()])?),
            _ => return Err(garbage(what_is_wrong(piece))),
        }
    }
    let mut page = page.ok_or_else(|| garbage("it is empty"))?;
    page.outcomes = items
        .into_par_iter()
        .with_min_len(8)
        .map(|range| object::read_as(&body[range], head, matcher))
        .collect();
    if let Some(problem) = page.outcomes.iter().find_map(broken) {
        return Err(garbage(problem));
    }
    Ok(page)
}

fn frame_of(frame: &[u8]) -> Result<Page, Failure> {
    let frame: ListFrame = serde_json::from_slice(frame).map_err(|_| garbage("it is no JSON"))?;
    if !frame.kind.ends_with("List") {
        return Err(garbage("it is no list"));
    }
    Ok(Page::of(frame.metadata))
}

impl Page {
    fn of(meta: ListMeta) -> Self {
        Self {
            resource_version: meta.resource_version.unwrap_or_default(),
            resume: meta.r#continue.unwrap_or_default(),
            ..Self::default()
        }
    }
}

fn what_is_wrong(piece: &Piece) -> &'static str {
    match piece.part {
        Part::Truncated => "it is cut off",
        Part::TooLarge => "an object is too large",
        _ => "it is no JSON",
    }
}

/// What is no JSON in an object; a field of another type costs the object only.
fn broken(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Problem(problem) if problem.code == Code::Syntax => Some(problem.message.to_string()),
        _ => None,
    }
}

/// `Table`, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table<'a> {
    kind: String,
    #[serde(default)]
    metadata: ListMeta,
    #[serde(default)]
    column_definitions: Option<Vec<Column>>,
    #[serde(borrow, default)]
    rows: Option<Vec<Row<'a>>>,
}

#[derive(Deserialize)]
struct Column {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(default)]
    cells: Vec<serde_json::Value>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Reads a page of Secrets without their values: a table, or metadata from a server that makes no tables.
pub(super) fn read_secrets(body: &[u8], head: &Head) -> Result<Page, Failure> {
    let Ok(table) = serde_json::from_slice::<Table>(body) else {
        return Err(garbage("it is no JSON"));
    };
    let with_values = memchr::memmem::find_iter(body, APPLIED).count();
    if table.kind != "Table" {
        let mut page = read(body, head, None)?;
        page.without_keys = page.outcomes.len();
        return Ok(Page { with_values, ..page });
    }
    let columns = table.column_definitions.unwrap_or_default();
    let column = |name: &str| columns.iter().position(|column| column.name == name);
    let (kind_at, count_at) = (column("Type"), column("Data"));
    let mut page = Page {
        with_values,
        ..Page::of(table.metadata)
    };
    for row in table.rows.unwrap_or_default() {
        let cell = |at: Option<usize>| at.and_then(|at| row.cells.get(at));
        let text = row.object.get();
        let mut outcome = object::read_as(text.as_bytes(), head, None);
        if let Some(problem) = broken(&outcome) {
            return Err(garbage(problem));
        }
        if let Outcome::Object(read) = &mut outcome
            && let Object::Secret(secret) = &mut read.object
        {
            let kind = cell(kind_at).and_then(serde_json::Value::as_str);
            secret.r#type = Text::new(kind.unwrap_or_default());
            let keys = managed_keys(text);
            let count = cell(count_at).and_then(serde_json::Value::as_u64);
            if count.is_none_or(|count| count != keys.len() as u64) {
                page.without_keys += 1;
            }
            secret.data = Keys(keys.into_iter().map(|key| Text::new(&key)).collect());
        }
        page.outcomes.push(outcome);
    }
    Ok(page)
}

/// The names of a Secret's keys as its field managers left them in its metadata.
///
/// Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>
fn managed_keys(text: &str) -> BTreeSet<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Managed {
        metadata: Meta,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Meta {
        managed_fields: Vec<Entry>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Entry {
        fields_v1: serde_json::Value,
    }
    let managed: Managed = serde_json::from_str(text).unwrap_or_default();
    let mut keys = BTreeSet::new();
    for entry in &managed.metadata.managed_fields {
        if let Some(fields) = entry
            .fields_v1
            .get("f:data")
            .and_then(serde_json::Value::as_object)
        {
            keys.extend(
                fields
                    .keys()
                    .filter_map(|key| key.strip_prefix("f:").map(str::to_owned)),
            );
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Head {
        Head {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
        }
    }

    #[test]
    fn a_page_is_read_whole_or_not_at_all() {
        let text = r#"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"x"},
            "items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"},"spec":3}]}"#;
        let page = read(text.as_bytes(), &pods(), None).unwrap();
        assert_eq!((page.outcomes.len(), page.resume.as_str()), (2, "x"));
        assert_eq!(page.resource_version, "7");
        for cut in 0..text.len() {
            read(&text.as_bytes()[..cut], &pods(), None).unwrap_err();
        }
        for empty in [
            r#"{"kind":"PodList","items":null}"#,
            r#"{"kind":"PodList","items":[]}"#,
        ] {
            assert!(read(empty.as_bytes(), &pods(), None).unwrap().outcomes.is_empty());
        }
        for other in [
            r#"{"kind":"Status","status":"Failure"}"#,
            "<html>",
            "[]",
            r#"{"kind":"PodList","items":[{"metadata":{"name" "a"}}]}"#,
        ] {
            read(other.as_bytes(), &pods(), None).unwrap_err();
        }
    }
}
