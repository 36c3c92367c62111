//! YAML: where documents and list items begin and end, and reading one of them.
//!
//! A document ends where a line begins with `---` or `...`; that holds even within block scalars. The items of
//! a `kubectl get -o yaml` list are split as well, so that a dump of any size is read in parallel.
//!
//! **Trap.** `defaultMode: 0644` is octal and `yes` is true: Kubernetes reads YAML 1.1.

use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::head::{Found, HeadSeed};
use super::limits::{MAX_DOCUMENT, MAX_FRAME, MAX_YAML_ALIASED, MAX_YAML_DEPTH, MAX_YAML_NODES};
use super::piece::{Head, Part, Piece, Splitter, lines_in};

/// Where the walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a document, before any `items:`.
    Document,
    /// After a line `items:` at the top of the document.
    MaybeItems,
    /// Among items whose dashes stand in this column.
    Items(usize),
    /// In a list after its items.
    Tail,
}

/// Finds the pieces of YAML text.
#[derive(Debug)]
pub(super) struct YamlSplitter {
    place: Place,
    /// The beginning of the next line to look at.
    at: usize,
    /// No line ends between `at` and here.
    searched: usize,
    /// The window begins within a line that belongs to what was given up.
    mid_line: bool,
    open: usize,
    line: u32,
    open_line: u32,
    frame_line: u32,
    skipping: bool,
    frame: Vec<u8>,
    hint: Option<Arc<Head>>,
    file_hint: Option<Arc<Head>>,
}

impl YamlSplitter {
    /// Returns a splitter for a file whose name may tell what it holds.
    pub(super) fn new(file_hint: Option<Arc<Head>>) -> Self {
        Self {
            place: Place::Document,
            at: 0,
            searched: 0,
            mid_line: false,
            open: 0,
            line: 1,
            open_line: 1,
            frame_line: 1,
            skipping: false,
            frame: Vec::new(),
            hint: None,
            file_hint,
        }
    }

    fn push(&self, pieces: &mut Vec<Piece>, line: u32, part: Part) {
        let hint = match part {
            Part::Item(_) => self.hint.clone().or_else(|| self.file_hint.clone()),
            _ => self.file_hint.clone(),
        };
        pieces.push(Piece { line, part, hint });
    }

    /// Looks at the line `at..end` (without its line feed).
    fn line(&mut self, window: &[u8], end: usize, pieces: &mut Vec<Piece>) {
        let text = window[self.at..end].trim_ascii_end();
        let is_marker =
            |mark: &[u8]| text.starts_with(mark) && text.get(3).is_none_or(u8::is_ascii_whitespace);
        if !self.mid_line && (is_marker(b"---") || is_marker(b"...")) {
            self.end_document(window, pieces);
            self.open = if text[0] == b'.' {
                (end + 1).min(window.len())
            } else {
                self.at
            };
            self.open_line = if text[0] == b'.' { self.line + 1 } else { self.line };
            return;
        }
        let indent = text.iter().take_while(|byte| **byte == b' ').count();
        let is_blank = indent == text.len() || text[indent] == b'#' || self.mid_line;
        let is_dash =
            !is_blank && text[indent] == b'-' && text.get(indent + 1).is_none_or(u8::is_ascii_whitespace);
        match self.place {
            Place::Document if !is_blank && is_items_key(text) => {
                self.place = Place::MaybeItems;
            }
            Place::MaybeItems if is_dash && !self.skipping => self.begin_items(window, indent),
            Place::MaybeItems if !is_blank => self.place = Place::Document,
            Place::Items(column) if !is_blank && indent <= column => {
                self.end_item(window, pieces);
                if is_dash && indent == column {
                    self.open_item();
                } else {
                    self.open = self.at;
                    self.place = Place::Tail;
                }
            }
            _ => {}
        }
    }

    fn begin_items(&mut self, window: &[u8], column: usize) {
        self.frame_line = self.open_line;
        self.keep_frame(window);
        let mut found = Found::default();
        if let Ok(text) = std::str::from_utf8(&self.frame) {
            // Ends with an error once both are found.
            let _ = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
                HeadSeed(&mut found).deserialize(yaml)
            });
        }
        self.hint = found.head.of_items().map(Arc::new);
        self.place = Place::Items(column);
        self.open_item();
    }

    fn open_item(&mut self) {
        self.open = self.at;
        self.open_line = self.line;
        self.skipping = false;
    }

    fn end_item(&mut self, _window: &[u8], pieces: &mut Vec<Piece>) {
        if !self.skipping {
            self.push(pieces, self.open_line, Part::Item(self.open..self.at));
        }
        self.skipping = false;
    }

    fn keep_frame(&mut self, window: &[u8]) {
        let room = MAX_FRAME.saturating_sub(self.frame.len());
        let end = self.at.min(self.open + room);
        self.frame.extend_from_slice(&window[self.open..end]);
        self.open = self.at;
    }

    /// Ends the document before the line at `at`.
    fn end_document(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        match self.place {
            Place::Document | Place::MaybeItems if self.skipping => {}
            Place::Document | Place::MaybeItems => {
                self.push(pieces, self.open_line, Part::Document(self.open..self.at));
            }
            Place::Items(_) => self.end_item(window, pieces),
            Place::Tail => self.keep_frame(window),
        }
        if matches!(self.place, Place::Items(_) | Place::Tail) {
            let frame = std::mem::take(&mut self.frame);
            self.push(pieces, self.frame_line, Part::Frame(frame));
        }
        self.frame.clear();
        self.hint = None;
        self.skipping = false;
        self.place = Place::Document;
    }
}

/// Whether a line is the key `items` at the top of a document, its value below it.
fn is_items_key(text: &[u8]) -> bool {
    text.strip_prefix(b"items:").is_some_and(|rest| {
        let rest = rest.trim_ascii_start();
        rest.is_empty() || rest.starts_with(b"#")
    })
}

impl Splitter for YamlSplitter {
    fn split(&mut self, window: &[u8], is_last: bool, pieces: &mut Vec<Piece>) -> usize {
        loop {
            let from = self.searched.max(self.at);
            let end = window[from..].iter().position(|byte| *byte == b'\n');
            let Some(end) = end.map(|end| from + end) else {
                self.searched = window.len();
                break;
            };
            self.line(window, end, pieces);
            self.mid_line = false;
            self.at = end + 1;
            self.line = self.line.saturating_add(1);
        }
        if is_last {
            if self.at < window.len() {
                self.line(window, window.len(), pieces);
                self.at = window.len();
            }
            self.end_document(window, pieces);
            return window.len();
        }
        if self.skipping {
            if self.searched > self.at {
                self.mid_line = true;
                self.at = self.searched;
            }
            return self.at;
        }
        if self.place == Place::Tail {
            self.keep_frame(window);
        }
        self.open.min(self.at)
    }

    fn carry(&mut self, from: usize) {
        self.at -= from;
        self.searched = self.searched.saturating_sub(from);
        self.open = self.open.saturating_sub(from);
    }

    fn give_up(&mut self, _window: &[u8], pieces: &mut Vec<Piece>) {
        self.push(pieces, self.open_line, Part::TooLarge);
        self.skipping = true;
        if self.searched > self.at {
            self.mid_line = true;
            self.at = self.searched;
        }
    }
}

/// How YAML is read.
pub(super) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_YAML_DEPTH,
            flow_nesting_limit: MAX_YAML_DEPTH,
            max_nodes: MAX_YAML_NODES,
            max_events: 2 * MAX_YAML_NODES,
            max_total_scalar_bytes: MAX_DOCUMENT,
            max_total_comment_bytes: MAX_DOCUMENT,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_YAML_ALIASED },
        legacy_octal_numbers: true,
        with_snippet: false,
    }
}

/// Whether a document holds nothing: blank lines, comments, directives and the marker it begins with.
pub(super) fn is_empty(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim_start_matches('\u{feff}').trim();
        let line = line.strip_prefix("---").map_or(line, str::trim_start);
        line.is_empty() || line.starts_with('#') || line.starts_with('%')
    })
}

/// Returns where the first line with content begins: after blank lines, comments and a marker alone.
pub(super) fn content_start(text: &str) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if !(bare.is_empty() || bare == "---" || bare.starts_with('#') || bare.starts_with("--- #")) {
            break;
        }
        start += line.len();
    }
    start
}

/// Returns the JSON text of a document that is written in JSON, and the lines before it.
pub(super) fn json_within(text: &str) -> Option<(&str, u32)> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("---") {
            rest = after;
        } else if rest.starts_with('#') {
            rest = rest.split_once('\n')?.1;
        } else {
            break;
        }
    }
    let before = text.len() - rest.len();
    rest.starts_with('{')
        .then(|| (rest, lines_in(&text.as_bytes()[..before])))
}

/// Reads one value of a document, or of the only item of a list that stands for itself.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    is_item: bool,
    seed: S,
) -> Result<S::Value, serde_saphyr::Error> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
        if is_item {
            yaml.deserialize_seq(OnlyItem(seed))
        } else {
            seed.deserialize(yaml)
        }
    })
}

/// The one item of a sequence.
struct OnlyItem<S>(S);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for OnlyItem<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list item")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<S::Value, A::Error> {
        seq.next_element_seed(self.0)?
            .ok_or_else(|| serde::de::Error::custom("an empty list item"))
    }
}
