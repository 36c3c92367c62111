//! Patches as YAML.
//!
//! The patch is a strategic merge patch, which `kubectl patch` takes unless told otherwise: maps are merged, the lists
//! of pods by the key of their elements, all other lists are replaced.
//! Source: <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/>
//!
//! **Trap.** The key of a list is part of the API: of `volumeMounts` it is `mountPath`, not `name`.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::edit::Op;
use crate::model::{KindInfo, ObjectId};

/// The member by which the elements of a list are merged.
/// Source: `x-kubernetes-patch-merge-key` of <https://github.com/kubernetes/kubernetes/blob/master/api/openapi-spec/swagger.json>
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// A part of a JSON pointer as the key that it stands for.
pub(super) fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The ops on an object as a patch of it.
pub(super) fn patch(current: &Value, ops: &[Op]) -> Value {
    let mut body = json!({});
    for op in ops {
        let (pointer, new) = match op {
            Op::Set(pointer, value) => (pointer, Some(value)),
            Op::Remove(pointer) => (pointer, None),
        };
        let parts: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
        merge(&mut body, current, &parts, new);
    }
    body
}

/// Adds to a patch that the field at `parts` of `current` gets a value, or goes.
fn merge(body: &mut Value, current: &Value, parts: &[String], new: Option<&Value>) {
    let [first, rest @ ..] = parts else {
        *body = new.cloned().unwrap_or(Value::Null);
        return;
    };
    if !body.is_object() {
        *body = json!({});
    }
    let Value::Object(map) = body else { return };
    let nothing = Value::Null;
    let current = current.get(first).unwrap_or(&nothing);
    let element = rest.first().and_then(|at| current.get(at.parse::<usize>().ok()?));
    let (Some(key), Some(element)) = (merge_key(first), element) else {
        merge(
            map.entry(first.clone()).or_insert(Value::Null),
            current,
            rest,
            new,
        );
        return;
    };
    let list = map.entry(first.clone()).or_insert_with(|| json!([]));
    let Value::Array(list) = list else { return };
    let name = &element[key];
    let place = list.iter().position(|one| one[key] == *name).unwrap_or_else(|| {
        list.push(json!({ key: name }));
        list.len() - 1
    });
    match (&rest[1..], new) {
        ([], None) => list[place]["$patch"] = json!("delete"),
        (deeper, new) => merge(&mut list[place], element, deeper, new),
    }
}

/// The body with the identity of its object before it, as YAML.
pub(super) fn text(kind: &KindInfo, id: &ObjectId, body: Value) -> String {
    let version = match kind.group {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    };
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(id.name.as_str()));
    if !id.namespace.is_empty() {
        metadata.insert("namespace".to_owned(), json!(id.namespace.as_str()));
    }
    let mut text = format!("apiVersion: {version}\nkind: {}\n", id.kind);
    let Value::Object(mut body) = body else {
        return text;
    };
    if let Some(Value::Object(more)) = body.remove("metadata") {
        metadata.extend(
            more.into_iter()
                .filter(|(key, _)| key != "name" && key != "namespace"),
        );
    }
    write("metadata", &Value::Object(metadata), 0, &mut text);
    for (key, value) in &body {
        write(key, value, 0, &mut text);
    }
    text
}

/// Writes a member of a map in block style.
fn write(key: &str, value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    text.push_str(&pad);
    text.push_str(&scalar(key));
    text.push(':');
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            for (key, value) in map {
                write(key, value, indent + 2, text);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            text.push('\n');
            for element in list {
                item(element, indent, text);
            }
        }
        other => {
            text.push(' ');
            text.push_str(&flow(other));
            text.push('\n');
        }
    }
}

/// Writes an element of a list, its first member behind the dash.
fn item(element: &Value, indent: usize, text: &mut String) {
    let first = text.len();
    match element {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                write(key, value, indent + 2, text);
            }
            text.replace_range(first + indent..=first + indent, "-");
        }
        other => {
            text.push_str(&" ".repeat(indent));
            text.push_str("- ");
            text.push_str(&flow(other));
            text.push('\n');
        }
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// A string as YAML reads it back: plain where it can be nothing else, else in double quotes.
/// Source: <https://yaml.org/spec/1.2.2/#731-double-quoted-style>
fn scalar(text: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_./".contains(character);
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_plain = begins && text.chars().all(is_word) && !is_reserved(text);
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether readers of YAML 1.1 or 1.2 take the word for something else than text.
/// Source: <https://yaml.org/type/bool.html>
fn is_reserved(text: &str) -> bool {
    let words = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf",
    ];
    words.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn role() -> &'static KindInfo {
        let mut kinds = crate::model::KINDS.iter();
        kinds.find(|kind| kind.kind == "Role").unwrap()
    }

    #[test]
    fn lists_of_pods_are_merged_by_their_keys() {
        let current = json!({"spec": {
            "volumes": [{"name": "a"}, {"name": "log"}],
            "containers": [{"name": "x"}, {"name": "app", "volumeMounts": [{"name": "log", "mountPath": "/log"}]}],
        }});
        let ops = [
            Op::Remove("/spec/volumes/1".into()),
            Op::Remove("/spec/containers/1/volumeMounts/0".into()),
            Op::Set(
                "/spec/containers/1/securityContext/privileged".into(),
                json!(false),
            ),
        ];
        assert_eq!(
            patch(&current, &ops),
            json!({"spec": {
                "volumes": [{"name": "log", "$patch": "delete"}],
                "containers": [{
                    "name": "app",
                    "volumeMounts": [{"mountPath": "/log", "$patch": "delete"}],
                    "securityContext": {"privileged": false},
                }],
            }})
        );
    }

    proptest! {
        #[test]
        fn yaml_is_read_back_as_it_was(name in any::<String>(), key in any::<String>(), value in any::<String>()) {
            let id = ObjectId::new("Role", "shop", name.as_str());
            let body = json!({
                "metadata": {"annotations": {&key: &value}},
                "rules": [{"verbs": [&value, "get"], "apiGroups": [""], "resources": []}, {}],
                "spec": {&value: [{&key: [{"a": &name, "b": {"c": 1}}]}]},
            });
            let written = text(role(), &id, body.clone());
            let read: Value = serde_saphyr::from_str(&written)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
            prop_assert_eq!(&read["metadata"]["name"], &json!(name));
            prop_assert_eq!(&read["metadata"]["annotations"], &body["metadata"]["annotations"]);
            prop_assert_eq!(&read["rules"], &body["rules"]);
            prop_assert_eq!(&read["spec"], &body["spec"]);
        }
    }
}
