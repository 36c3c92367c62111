//! One piece of a file to one object of the model, or to a diagnostic that says why not.
//!
//! **Trap.** An object whose field has a wrong type is lost whole, so the diagnostic must say which object.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny};

use crate::model::{Code, Diagnostic, KindInfo, Meta, Object, ObjectId, Other, Source, Text};

use super::head::{Found, HeadSeed};
use super::ingress;
use super::json::JsonSplitter;
use super::limits::{MAX_BRACED_YAML, MAX_DOCUMENT, MAX_LISTS, MAX_MESSAGE, MAX_RESTARTS};
use super::matching::{self, Matcher, Values};
use super::piece::{Head, Part, Piece, Splitter};
use super::yaml;

/// What a piece turned out to be.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An object.
    Object(Read),
    /// An item that does not say its kind; its list may, at its end.
    Waiting(Waiting),
    /// The end of a list with this head.
    Frame(Head, Source),
    /// What is wrong with it.
    Problem(Diagnostic),
    /// Nothing is written there.
    Nothing,
}

/// An object as read, before names and namespaces are completed.
#[derive(Debug)]
pub(super) struct Read {
    /// Its kind as written.
    pub kind: Text,
    /// Its group and version as written.
    pub api_version: Text,
    /// What the model knows of the kind.
    pub info: Option<&'static KindInfo>,
    /// The object.
    pub object: Object,
}

/// An item whose kind is not known yet.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Its text.
    pub text: String,
    /// Where it begins.
    pub source: Source,
    syntax: Syntax,
}

/// How a piece is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// JSON; what is not may be YAML in braces.
    Json,
    /// YAML.
    Yaml,
}

/// Why a text could not be read.
struct Failure {
    is_type: bool,
    message: String,
    /// Lines after the first one of the text.
    lines: u32,
    path: String,
}

/// Reads a piece of a window.
pub(super) fn read(
    window: &[u8],
    piece: &Piece,
    file: &Text,
    syntax: Syntax,
    matcher: Option<&Matcher>,
) -> Vec<Outcome> {
    let outcomes = read_once(window, piece, file, syntax, matcher);
    match (&piece.part, outcomes.as_slice()) {
        (Part::Document(range), [Outcome::Problem(problem)])
            if syntax == Syntax::Json && problem.code == Code::Syntax =>
        {
            let mut outcomes = outcomes;
            restart(&window[range.clone()], piece, file, matcher, &mut outcomes);
            outcomes
        }
        _ => outcomes,
    }
}

/// Reads the rest of a broken document from the next line on that begins like one: the next of JSON lines.
fn restart(
    mut text: &[u8],
    piece: &Piece,
    file: &Text,
    matcher: Option<&Matcher>,
    outcomes: &mut Vec<Outcome>,
) {
    let mut line = piece.line;
    for _ in 0..MAX_RESTARTS {
        let Some(next) = text.windows(2).position(|pair| pair == b"\n{") else {
            return;
        };
        line = line.saturating_add(super::piece::lines_in(&text[..=next]));
        text = &text[next + 1..];
        let mut pieces = Vec::new();
        JsonSplitter::new(piece.hint.clone()).split(text, true, &mut pieces);
        let mut broken = None;
        for mut piece in pieces {
            piece.line = piece.line.saturating_add(line - 1);
            let more = read_once(text, &piece, file, Syntax::Json, matcher);
            if let (Part::Document(range), [Outcome::Problem(problem)]) = (&piece.part, more.as_slice())
                && problem.code == Code::Syntax
            {
                broken = Some((range.start, piece.line));
            }
            outcomes.extend(more);
            if broken.is_some() {
                break;
            }
        }
        let Some((start, broken_line)) = broken else {
            return;
        };
        text = &text[start..];
        line = broken_line;
    }
}

fn read_once(
    window: &[u8],
    piece: &Piece,
    file: &Text,
    syntax: Syntax,
    matcher: Option<&Matcher>,
) -> Vec<Outcome> {
    let source = Source {
        file: file.clone(),
        line: piece.line,
    };
    let (range, is_item) = match &piece.part {
        Part::Document(range) => (range.clone(), false),
        Part::Item(range) => (range.clone(), true),
        Part::Frame(frame) => return vec![Outcome::Frame(head_of_frame(frame, syntax), source)],
        Part::TooLarge => return vec![Outcome::Problem(too_large(source))],
        Part::Truncated => return vec![Outcome::Problem(truncated(source))],
        Part::Stray => return vec![Outcome::Problem(stray(source))],
    };
    let text = match std::str::from_utf8(&window[range.clone()]) {
        Ok(text) => text,
        Err(error) => {
            let before = &window[range.start..range.start + error.valid_up_to()];
            return vec![Outcome::Problem(not_utf8(
                &source,
                super::piece::lines_in(before),
            ))];
        }
    };
    let reader = Reader {
        hint: piece.hint.as_deref(),
        is_yaml_item: is_item && syntax == Syntax::Yaml,
        is_item,
        lists: 0,
        matcher,
    };
    match syntax {
        Syntax::Json => reader.json(text, &source),
        Syntax::Yaml if !is_item && yaml::is_empty(text) => vec![Outcome::Nothing],
        Syntax::Yaml if !is_item && yaml::content_start(text) > 0 => {
            let start = range.start + yaml::content_start(text);
            let skipped = super::piece::lines_in(&window[range.start..start]);
            let piece = Piece {
                line: piece.line.saturating_add(skipped),
                part: Part::Document(start..range.end),
                hint: piece.hint.clone(),
            };
            read_once(window, &piece, file, syntax, matcher)
        }
        Syntax::Yaml => match (!is_item).then(|| yaml::json_within(text)).flatten() {
            Some((json, lines)) if serde_json::from_str::<IgnoredAny>(json).is_ok() => {
                reader.json(json, &moved(&source, lines))
            }
            _ => reader.yaml(text, &source),
        },
    }
}

/// Reads one object of JSON whose type is known, whatever it says of it.
///
/// It has no place in a file, so neither it nor its diagnostic names one.
pub(super) fn read_as(text: &[u8], head: &Head, matcher: Option<&Matcher>) -> Outcome {
    let source = Source::default();
    let Ok(text) = std::str::from_utf8(text) else {
        return Outcome::Problem(not_utf8(&source, 0));
    };
    let mut json = serde_json::Deserializer::from_str(text);
    match object(head, &mut json).and_then(|read| json.end().map(|()| read)) {
        Ok(mut read) => {
            note_values(matcher, &mut read, text);
            Outcome::Object(read)
        }
        Err(error) => {
            let mut failure = json_failure(text, &error);
            failure.lines = 0;
            let named = Named::deserialize(&mut serde_json::Deserializer::from_str(text));
            problem(&failure, &source, named.ok().map(|named| named.id(head)))
        }
    }
}

/// Notes which credentials are alike, if that is asked for.
fn note_values(matcher: Option<&Matcher>, read: &mut Read, json: &str) {
    if let Some(matcher) = matcher.filter(|_| matching::may_hold(&read.object)) {
        matcher.note(&mut read.object, serde_json::from_str(json).unwrap_or_default());
    }
}

/// Reads an item again whose list has told its kind at last.
pub(super) fn read_waiting(waiting: &Waiting, head: &Head, matcher: Option<&Matcher>) -> Vec<Outcome> {
    let reader = Reader {
        hint: Some(head),
        is_yaml_item: waiting.syntax == Syntax::Yaml,
        is_item: true,
        lists: 0,
        matcher,
    };
    match waiting.syntax {
        Syntax::Json => reader.json(&waiting.text, &waiting.source),
        Syntax::Yaml => reader.yaml(&waiting.text, &waiting.source),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    hint: Option<&'a Head>,
    is_yaml_item: bool,
    is_item: bool,
    lists: u8,
    matcher: Option<&'a Matcher>,
}

impl Reader<'_> {
    fn json(self, text: &str, source: &Source) -> Vec<Outcome> {
        let mut found = Found::default();
        // Ends with an error once the head is complete.
        let _ = HeadSeed(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
        let head = self.completed(found.head);
        if is_any_list(&head) {
            if self.lists >= MAX_LISTS {
                return vec![Outcome::Problem(deep_list(source.clone()))];
            }
            if let Some(outcomes) = self.json_list(text, source, &head) {
                return outcomes;
            }
        }
        if head.kind.is_empty() {
            return match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => vec![self.without_kind(text, source, &head, Syntax::Json)],
                // Braces may hold YAML.
                Err(_) if text.len() <= MAX_BRACED_YAML && self.syntax_error(text).is_none() => {
                    self.yaml(text, source)
                }
                Err(error) => vec![problem(&json_failure(text, &error), source, None)],
            };
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let object = object(&head, &mut json).and_then(|read| json.end().map(|()| read));
        match object {
            Ok(mut read) => {
                note_values(self.matcher, &mut read, text);
                vec![placed(read, source)]
            }
            Err(error) => {
                let failure = json_failure(text, &error);
                let named = Named::deserialize(&mut serde_json::Deserializer::from_str(text));
                vec![problem(&failure, source, named.ok().map(|named| named.id(&head)))]
            }
        }
    }

    /// Reads the items of a list; a kind that only ends like a list's name has none.
    fn json_list(self, text: &str, source: &Source, head: &Head) -> Option<Vec<Outcome>> {
        #[derive(Deserialize)]
        struct List<'a> {
            #[serde(borrow, default)]
            items: Option<Vec<&'a serde_json::value::RawValue>>,
        }
        let items = match serde_json::from_str::<List>(text) {
            Ok(list) => list.items,
            Err(error) => return Some(vec![problem(&json_failure(text, &error), source, None)]),
        };
        let items = items.or((head.kind == "List").then(Vec::new))?;
        let hint = head.of_items();
        let reader = Reader {
            hint: hint.as_ref(),
            is_yaml_item: self.is_yaml_item,
            is_item: true,
            lists: self.lists + 1,
            matcher: self.matcher,
        };
        let mut outcomes = vec![Outcome::Nothing];
        for item in items {
            let before = item.get().as_ptr().addr() - text.as_ptr().addr();
            let lines = super::piece::lines_in(&text.as_bytes()[..before]);
            outcomes.extend(reader.json(item.get(), &moved(source, lines)));
        }
        Some(outcomes)
    }

    fn yaml(self, text: &str, source: &Source) -> Vec<Outcome> {
        let mut found = Found::default();
        let first = yaml::read(text, self.is_yaml_item, HeadSeed(&mut found));
        let head = self.completed(found.head);
        if head.kind.is_empty() {
            return match first {
                Ok(()) => vec![self.without_kind(text, source, &head, Syntax::Yaml)],
                Err(error) => match self.syntax_error(text) {
                    None => vec![self.without_kind(text, source, &head, Syntax::Yaml)],
                    Some(_) => vec![problem(&yaml_failure(&error, false), source, None)],
                },
            };
        }
        if is_any_list(&head)
            && let Some(outcomes) = self.yaml_list(text, source, &head)
        {
            return outcomes;
        }
        match yaml::read(text, self.is_yaml_item, ObjectSeed(&head)) {
            Ok(mut read) => {
                if let Some(matcher) = self.matcher.filter(|_| matching::may_hold(&read.object)) {
                    let values = yaml::read(text, self.is_yaml_item, std::marker::PhantomData::<Values>);
                    matcher.note(&mut read.object, values.unwrap_or_default());
                }
                vec![placed(read, source)]
            }
            Err(error) => {
                let syntax = self.syntax_error(text);
                let failure = yaml_failure(syntax.as_ref().unwrap_or(&error), syntax.is_none());
                let named = yaml::read(text, self.is_yaml_item, std::marker::PhantomData::<Named>);
                vec![problem(&failure, source, named.ok().map(|named| named.id(&head)))]
            }
        }
    }

    /// Reads a list whose items could not be split: written in braces or within another list.
    fn yaml_list(self, text: &str, source: &Source, head: &Head) -> Option<Vec<Outcome>> {
        let seed = std::marker::PhantomData::<serde_json::Value>;
        match yaml::read(text, self.is_yaml_item, seed) {
            Ok(value) => {
                let reader = Self {
                    is_yaml_item: false,
                    ..self
                };
                reader.json_list(&value.to_string(), source, head)
            }
            Err(error) => Some(vec![problem(&yaml_failure(&error, false), source, None)]),
        }
    }

    /// The error with which the text ends that is no YAML, whatever its types.
    fn syntax_error(self, text: &str) -> Option<serde_saphyr::Error> {
        yaml::read(text, self.is_yaml_item, std::marker::PhantomData::<IgnoredAny>).err()
    }

    /// The head with what the list or the file's name says.
    fn completed(self, mut head: Head) -> Head {
        if head.kind.is_empty()
            && let Some(hint) = self.hint
        {
            head = hint.clone();
        } else if head.api_version.is_empty()
            && let Some(hint) = self.hint.filter(|hint| hint.kind == head.kind)
        {
            head.api_version.clone_from(&hint.api_version);
        }
        head
    }

    fn without_kind(self, text: &str, source: &Source, head: &Head, syntax: Syntax) -> Outcome {
        if self.is_item && self.lists == 0 {
            return Outcome::Waiting(Waiting {
                text: text.to_owned(),
                source: source.clone(),
                syntax,
            });
        }
        if is_kubehound_metadata(&source.file) {
            return Outcome::Nothing;
        }
        Outcome::Problem(if head.api_version.is_empty() {
            not_an_object(source.clone())
        } else {
            no_kind(source.clone())
        })
    }
}

/// Whether a file holds what KubeHound notes about its own run.
fn is_kubehound_metadata(file: &str) -> bool {
    file == "metadata.json" || file.ends_with("/metadata.json")
}

fn is_any_list(head: &Head) -> bool {
    head.is_list() && KindInfo::find(head.group(), &head.kind).is_none()
}

fn moved(source: &Source, lines: u32) -> Source {
    Source {
        file: source.file.clone(),
        line: source.line.saturating_add(lines),
    }
}

fn placed(mut read: Read, source: &Source) -> Outcome {
    read.object.meta_mut().source = source.clone();
    Outcome::Object(read)
}

fn head_of_frame(frame: &[u8], syntax: Syntax) -> Head {
    let mut found = Found::default();
    match syntax {
        Syntax::Json => found.head = super::head::of_json(frame),
        Syntax::Yaml => {
            if let Ok(text) = std::str::from_utf8(frame) {
                // Ends with an error once the head is complete.
                let _ = yaml::read(text, false, HeadSeed(&mut found));
            }
        }
    }
    found.head
}

/// Returns what the model knows of a kind; a head without version means the only kind of that name.
fn info_of(head: &Head) -> Option<&'static KindInfo> {
    if head.api_version.is_empty() {
        return crate::model::KINDS.iter().find(|known| known.kind == head.kind);
    }
    KindInfo::find(head.group(), &head.kind)
}

/// Reads the object that a head announces.
fn object<'de, D: Deserializer<'de>>(head: &Head, deserializer: D) -> Result<Read, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Unmodelled {
        metadata: Option<Meta>,
    }
    let info = info_of(head);
    let object = match info {
        Some(info) if info.kind == "Ingress" && ingress::is_old(head) => ingress::read_old(deserializer)?,
        Some(info) => Object::read(info, deserializer)?,
        None if !Other::members_read(head.group()).is_empty() => {
            let mut other = Other::deserialize(deserializer)?;
            other.slim(head.group());
            Object::Other(Box::new(other))
        }
        None => Object::Other(Box::new(Other {
            meta: Unmodelled::deserialize(deserializer)?
                .metadata
                .unwrap_or_default(),
            ..Other::default()
        })),
    };
    let mut object = object;
    matching::forget(&mut object);
    if let Object::Pod(pod) = &mut object {
        pod.spec.shrink_to_fit();
        pod.meta.owner_references.shrink_to_fit();
        pod.status.pod_ips.shrink_to_fit();
    }
    let (kind, api_version) = (Text::new(&head.kind), Text::new(&head.api_version));
    let mut read = Read {
        kind,
        api_version,
        info,
        object,
    };
    if let Object::Other(other) = &mut read.object {
        other.kind = read.kind.clone();
        other.api_version = read.api_version.clone();
    }
    Ok(read)
}

struct ObjectSeed<'a>(&'a Head);

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        object(self.0, deserializer)
    }
}

/// The name of an object that cannot be read otherwise.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    metadata: NamedMeta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedMeta {
    namespace: Option<Text>,
    name: Option<Text>,
}

impl Named {
    fn id(self, head: &Head) -> ObjectId {
        let meta = self.metadata;
        ObjectId::new(
            head.kind.as_str(),
            meta.namespace.unwrap_or_default(),
            meta.name.unwrap_or_default(),
        )
    }
}

fn json_failure(text: &str, error: &serde_json::Error) -> Failure {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    let is_type = error.classify() == serde_json::error::Category::Data;
    // Column 0 is the line feed that ends the line before.
    let line = error
        .line()
        .saturating_sub(usize::from(error.column() == 0 && !is_type));
    Failure {
        is_type,
        message: message[..end].to_owned(),
        lines: u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX),
        path: if is_type {
            super::path::at(text, error.line(), error.column())
        } else {
            String::new()
        },
    }
}

fn yaml_failure(error: &serde_saphyr::Error, is_type: bool) -> Failure {
    let error = error.without_snippet();
    let line = error.location().map_or(1, |location| location.line());
    let message = error.to_string();
    let message = message.lines().next().unwrap_or_default();
    let end = message
        .rfind(" at line ")
        .or_else(|| message.rfind(" (line "))
        .unwrap_or(message.len());
    Failure {
        is_type,
        message: message[..end].to_owned(),
        lines: u32::try_from(line).unwrap_or(u32::MAX).saturating_sub(1),
        path: String::new(),
    }
}

/// Returns a parser's message without the value it complains about, which may be a secret.
fn without_value(message: &str) -> String {
    let found = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| Some(message.find(start)? + start.len()));
    let Some(start) = found else {
        return message.to_owned();
    };
    let value = message[start..].find(['"', '`']).map(|at| start + at);
    match (value, message.rfind(", expected ")) {
        (Some(value), Some(end)) if value < end => {
            format!("{}{}", message[..value].trim_end(), &message[end..])
        }
        _ => message.to_owned(),
    }
}

fn problem(failure: &Failure, source: &Source, object: Option<ObjectId>) -> Outcome {
    let message = without_value(&failure.message);
    let message = &message[..message.floor_char_boundary(MAX_MESSAGE)];
    let message = if failure.path.is_empty() {
        message.to_owned()
    } else {
        format!("{}: {message}", failure.path)
    };
    let (code, hint) = if failure.is_type {
        (Code::WrongType, "the object is left out; correct the field")
    } else {
        (
            Code::Syntax,
            "the document is left out; correct it, the rest of the file is read",
        )
    };
    let diagnostic = Diagnostic::new(code, moved(source, failure.lines), message, hint);
    Outcome::Problem(match object {
        Some(object) => diagnostic.about(object),
        None => diagnostic,
    })
}

fn too_large(source: Source) -> Diagnostic {
    let message = format!("a document or item is larger than {} MiB", MAX_DOCUMENT >> 20);
    let hint = "it is left out; no object of Kubernetes is that large";
    Diagnostic::new(Code::TooLarge, source, message, hint)
}

fn truncated(source: Source) -> Diagnostic {
    let hint = "what is complete was read; make the file again";
    Diagnostic::new(Code::Syntax, source, "the file ends within this document", hint)
}

fn stray(source: Source) -> Diagnostic {
    let message = "this is neither an object nor a list";
    Diagnostic::new(Code::Syntax, source, message, "the line is left out")
}

fn not_utf8(source: &Source, lines: u32) -> Diagnostic {
    let message = "the document is not valid UTF-8";
    let hint = "it is left out; save the file as UTF-8";
    Diagnostic::new(Code::Syntax, moved(source, lines), message, hint)
}

fn deep_list(source: Source) -> Diagnostic {
    let message = format!("lists within lists more than {MAX_LISTS} deep");
    Diagnostic::new(Code::TooLarge, source, message, "the innermost are left out")
}

/// Says that a document is none of Kubernetes.
pub(super) fn not_an_object(source: Source) -> Diagnostic {
    let message = "no `kind` and `apiVersion`: not an object of Kubernetes";
    Diagnostic::new(Code::NotAnObject, source, message, "")
}

/// Says that an object has no kind.
pub(super) fn no_kind(source: Source) -> Diagnostic {
    let hint = "the object is left out; add its `kind`";
    Diagnostic::new(Code::Incomplete, source, "the object has no `kind`", hint)
}

/// The hint that a file's name gives about objects without a kind: `roles.rbac.authorization.k8s.io.json`.
pub(super) fn hint_of_file(name: &str) -> Option<Arc<Head>> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let name = name
        .strip_suffix(".json")
        .or_else(|| name.strip_suffix(".jsonl"))?;
    let (resource, group) = name.split_once('.').unwrap_or((name, ""));
    let known = crate::model::KINDS
        .iter()
        .find(|known| known.resource == resource && (known.group == group || group.is_empty()))?;
    Some(Arc::new(Head {
        api_version: match known.group {
            "" => "v1".to_owned(),
            group => format!("{group}/v1"),
        },
        kind: known.kind.to_owned(),
    }))
}
