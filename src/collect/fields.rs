//! Where fields of objects stand in the files they were read from, and the lines around them.
//!
//! Reading keeps the first line of each object only. A report looks the fields up that its paths rest on, by reading
//! their files again.
//!
//! **Trap.** A file shows everything that the model withholds. Of Secrets no line is shown; elsewhere values are hidden
//! that may hold a credential, and so are comments.

use granit_parser::{Event, Marker, Parser, Span};
use rustc_hash::FxHashMap;

use super::limits::{MAX_SHOWN_FILE, MAX_YAML_DEPTH};
use crate::model::{Literal, ObjectId, WITHHELD};

/// Lines shown above and below a field.
const AROUND: u32 = 2;
/// Longest line that is shown, in characters.
const LONGEST: usize = 160;

/// A place in a file: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A few lines of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the first line.
    pub first: u32,
    /// The number of the line that it is about.
    pub marked: u32,
    /// The lines, without what may be secret.
    pub lines: Vec<String>,
}

/// The objects of one file, with the places of their fields.
#[derive(Debug)]
pub struct Fields<'a> {
    lines: Vec<&'a str>,
    objects: Vec<Object>,
    /// What must not be shown, in order: from a place up to another.
    hidden: Vec<(Spot, Spot)>,
}

#[derive(Debug, Default)]
struct Object {
    kind: String,
    name: String,
    first: u32,
    last: u32,
    /// By JSON pointer.
    fields: FxHashMap<String, Spot>,
}

/// Where the walk through a document is.
enum Frame {
    /// In a map; the key that waits for its value.
    Map(Option<(String, Spot)>),
    /// In a list; how many items it had.
    List(usize),
}

impl<'a> Fields<'a> {
    /// Finds the objects in a text of YAML or JSON. A text that is too long, or that ends in what is neither, gives
    /// what was found before.
    ///
    /// # Complexity
    /// Linear in the text.
    pub fn new(text: &'a str) -> Self {
        let mut walk = Walk::default();
        if text.len() <= MAX_SHOWN_FILE {
            for event in Parser::new_from_str(text) {
                let Ok((event, span)) = event else { break };
                if !walk.event(&event, span) {
                    break;
                }
            }
        }
        let mut hidden = walk.hidden;
        hidden.sort_unstable();
        Self {
            lines: text.lines().collect(),
            objects: walk.objects,
            hidden,
        }
    }

    /// Returns the place of a field of the object that begins at this line or below.
    pub fn spot(&self, object: &ObjectId, line: u32, pointer: &str) -> Option<Spot> {
        self.object(object, line)?.fields.get(pointer).copied()
    }

    /// Returns the lines around a field, or the first lines of the object if it has no such field.
    pub fn excerpt(&self, object: &ObjectId, line: u32, pointer: &str) -> Option<Excerpt> {
        let found = self.object(object, line).or_else(|| self.at(line))?;
        if found.kind == "Secret" || object.kind == "Secret" {
            return None;
        }
        let spot = found.fields.get(pointer).or_else(|| found.fields.get(""))?;
        let first = spot.line.saturating_sub(AROUND).max(found.first);
        let last = (spot.line + AROUND).min(found.last);
        let shown = (first..=last).filter_map(|number| self.line(number));
        Some(Excerpt {
            first,
            marked: spot.line,
            lines: shown.collect(),
        })
    }

    fn object(&self, id: &ObjectId, line: u32) -> Option<&Object> {
        let is_it = |object: &&Object| {
            object.last >= line
                && object.name == *id.name
                && (object.kind.is_empty() || object.kind == *id.kind)
        };
        self.objects.iter().find(is_it)
    }

    /// The object that begins at a line or first below it.
    fn at(&self, line: u32) -> Option<&Object> {
        self.objects.iter().find(|object| object.first >= line)
    }

    /// A line without what is hidden.
    fn line(&self, number: u32) -> Option<String> {
        let text = self.lines.get(number.checked_sub(1)? as usize)?;
        let (mut shown, mut is_hidden) = (String::new(), false);
        let from = self.hidden.partition_point(|(_, end)| end.line < number);
        let spans = || {
            self.hidden[from..]
                .iter()
                .take_while(|(start, _)| start.line <= number)
        };
        for (column, character) in (1..).zip(text.chars().take(LONGEST)) {
            let at = Spot { line: number, column };
            let inside = spans().any(|(start, end)| *start <= at && at < *end);
            if !inside {
                shown.push(character);
            } else if !is_hidden && !character.is_whitespace() {
                shown.push_str(WITHHELD);
                is_hidden = true;
            }
        }
        if text.chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        Some(shown.trim_end().to_owned())
    }
}

#[derive(Default)]
struct Walk {
    objects: Vec<Object>,
    hidden: Vec<(Spot, Spot)>,
    /// Objects that the walk is in, with the depth at which each begins.
    open: Vec<(Object, usize)>,
    frames: Vec<Frame>,
    tokens: Vec<String>,
}

impl Walk {
    /// Takes one event; false ends the walk.
    fn event(&mut self, event: &Event<'_>, span: Span) -> bool {
        let start = spot(span.start);
        match event {
            Event::Comment(..) => self.hidden.push((start, spot(span.end))),
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if self.frames.len() >= MAX_YAML_DEPTH {
                    return false;
                }
                self.begin_node(start);
                let is_map = matches!(event, Event::MappingStart(..));
                if is_map && self.is_object() {
                    let object = Object {
                        first: start.line,
                        ..Object::default()
                    };
                    self.open.push((object, self.tokens.len()));
                    self.note(start);
                }
                self.frames
                    .push(if is_map { Frame::Map(None) } else { Frame::List(0) });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.frames.pop();
                self.close(span);
                self.end_node();
            }
            Event::Scalar(value, ..) => {
                if let Some(Frame::Map(key @ None)) = self.frames.last_mut() {
                    *key = Some((value.to_string(), start));
                    return true;
                }
                self.begin_node(start);
                self.scalar(value, start, spot(span.end));
                self.end_node();
            }
            Event::Alias(..) => {
                if let Some(Frame::Map(key @ None)) = self.frames.last_mut() {
                    *key = Some((String::new(), start));
                    return true;
                }
                self.begin_node(start);
                self.end_node();
            }
            Event::DocumentEnd => {
                self.frames.clear();
                self.tokens.clear();
                self.open.clear();
            }
            _ => {}
        }
        true
    }

    /// A value begins: its place in the parent is the last token.
    fn begin_node(&mut self, start: Spot) {
        let at = match self.frames.last_mut() {
            None => return,
            Some(Frame::Map(key)) => key.clone().unwrap_or((String::new(), start)),
            Some(Frame::List(count)) => {
                *count += 1;
                ((*count - 1).to_string(), start)
            }
        };
        self.tokens.push(at.0);
        self.note(at.1);
    }

    fn end_node(&mut self) {
        self.tokens.pop();
        if let Some(Frame::Map(key)) = self.frames.last_mut() {
            *key = None;
        }
    }

    /// Whether the node that begins now is an object: a document, or an item of a list.
    fn is_object(&self) -> bool {
        match self.tokens.as_slice() {
            [] => true,
            [items, _] => items == "items",
            _ => false,
        }
    }

    /// Writes down the place of the current node.
    fn note(&mut self, at: Spot) {
        for (object, depth) in &mut self.open {
            let mut pointer = String::new();
            for token in self.tokens.iter().skip(*depth) {
                pointer.push('/');
                pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
            }
            object.fields.entry(pointer).or_insert(at);
        }
    }

    fn close(&mut self, span: Span) {
        let is_innermost = self
            .open
            .last()
            .is_some_and(|(_, depth)| *depth == self.tokens.len());
        if !is_innermost || !self.is_object() {
            return;
        }
        if let Some((mut object, _)) = self.open.pop() {
            let end = spot(span.end);
            let last = if end.column <= 1 {
                end.line.saturating_sub(1)
            } else {
                end.line
            };
            object.last = last.max(object.first);
            self.objects.push(object);
        }
    }

    fn scalar(&mut self, value: &str, start: Spot, end: Spot) {
        let Some((object, depth)) = self.open.last_mut() else {
            return;
        };
        let path: Vec<&str> = self.tokens[*depth..].iter().map(String::as_str).collect();
        match path.as_slice() {
            ["kind"] => value.clone_into(&mut object.kind),
            ["metadata", "name"] => value.clone_into(&mut object.name),
            _ => {}
        }
        if may_be_secret(&path, value) {
            self.hidden.push((start, end));
        }
    }
}

/// Whether a value may hold a credential.
fn may_be_secret(path: &[&str], value: &str) -> bool {
    let last = path.last().copied().unwrap_or_default();
    let is_in = |names: &[&str]| path.iter().any(|token| names.contains(token));
    matches!(path.first(), Some(&("data" | "stringData" | "binaryData")))
        || is_in(&["annotations", "args", "command"])
        || (is_in(&["env"]) && last == "value")
        || Literal::redacted(last, value).withheld
}

fn spot(marker: Marker) -> Spot {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Spot {
        line: number(marker.line()),
        column: number(marker.col() + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# notes
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data:
  token: c2VjcmV0
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {a/b: hunter2}
spec:
  hostPID: true # hunter2
  containers:
    - name: web
      env:
        - name: PASSWORD
          value: hunter2
        - name: HOST
          value: >
            hunter2
            hunter2
      args: [--password=hunter2]
  dbPassword: hunter2
";

    fn id(kind: &str, name: &str) -> ObjectId {
        ObjectId::new(kind, "shop", name)
    }

    #[test]
    fn fields_are_found_by_object_and_pointer() {
        let fields = Fields::new(TEXT);
        let at = |kind, name, pointer| {
            fields
                .spot(&id(kind, name), 1, pointer)
                .map(|spot| (spot.line, spot.column))
        };
        assert_eq!(at("Secret", "key", "/data/token"), Some((7, 3)));
        assert_eq!(at("Pod", "web", ""), Some((9, 1)));
        assert_eq!(at("Pod", "web", "/spec/hostPID"), Some((15, 3)));
        assert_eq!(at("Pod", "web", "/metadata/annotations/a~1b"), Some((13, 17)));
        assert_eq!(at("Pod", "web", "/spec/containers/0/env/1/value"), Some((22, 11)));
        assert_eq!(at("Pod", "other", ""), None);
        assert_eq!(at("Pod", "web", "/spec/none"), None);
    }

    #[test]
    fn items_of_lists_are_objects() {
        let text = r#"{"kind": "List", "items": [
            {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"hostPID": true}},
            {"kind": "Pod", "metadata": {"name": "b"}, "spec": {"hostPID": true}}]}"#;
        let fields = Fields::new(text);
        let line = |name| {
            fields
                .spot(&id("Pod", name), 1, "/spec/hostPID")
                .map(|spot| spot.line)
        };
        assert_eq!((line("a"), line("b")), (Some(2), Some(3)));
    }

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        let fields = Fields::new(TEXT);
        assert_eq!(fields.excerpt(&id("Secret", "key"), 3, "/data/token"), None);
        assert_eq!(
            fields.excerpt(&id("Pod", "stand-in"), 3, ""),
            None,
            "the object there is a Secret"
        );
        let object = &fields.objects[1];
        let mut pointers: Vec<&String> = object.fields.keys().collect();
        pointers.sort();
        for pointer in pointers {
            let excerpt = fields.excerpt(&id("Pod", "web"), 9, pointer).unwrap();
            let text = excerpt.lines.join("\n");
            assert!(
                !text.contains("hunter2") && !text.contains("c2VjcmV0"),
                "{pointer}:\n{text}"
            );
            assert!(excerpt.first >= 9, "{pointer}: only of the object itself");
        }
        let excerpt = fields.excerpt(&id("Pod", "web"), 9, "/spec/hostPID").unwrap();
        assert_eq!((excerpt.first, excerpt.marked), (13, 15));
        assert_eq!(excerpt.lines[2], "  hostPID: true ***");
    }

    #[test]
    fn broken_and_deep_texts_end() {
        for text in [
            "a: [",
            "\t",
            "a: b: c",
            &"[".repeat(100_000),
            &"- ".repeat(100_000),
        ] {
            let _ = Fields::new(text);
        }
    }
}
