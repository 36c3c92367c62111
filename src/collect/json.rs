//! Where objects begin and end in JSON: one object, a list, an array, or many of them one after another.
//!
//! **Trap.** Brackets in strings do not count, and a window may end within a string or after a backslash.

use std::sync::Arc;

use super::head;
use super::limits::MAX_FRAME;
use super::piece::{Head, Part, Piece, Splitter, lines_in};

/// Where the walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between documents.
    Outside,
    /// In a document that may turn out to be a list.
    Document,
    /// Between the items of a list or array.
    Items,
    /// In an item.
    Item,
    /// In a list after its items.
    Tail,
}

/// Finds the pieces of JSON text.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact about the place of the walk"
)]
pub(super) struct JsonSplitter {
    place: Place,
    /// The next byte to look at.
    at: usize,
    /// Where the open piece begins; meaningless if `skipping`.
    open: usize,
    /// Line of `counted`.
    line: u32,
    /// Lines are counted up to here.
    counted: usize,
    /// Brackets open within the document or item.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The last string at the top of the document, and whether it was `"items"`.
    key_start: Option<usize>,
    items_key: bool,
    /// The open piece was given up.
    skipping: bool,
    /// Whether the items are those of an array that is the whole document.
    bare_array: bool,
    frame: Vec<u8>,
    frame_line: u32,
    hint: Option<Arc<Head>>,
    file_hint: Option<Arc<Head>>,
}

impl JsonSplitter {
    /// Returns a splitter for a file whose name may tell what it holds.
    pub(super) fn new(file_hint: Option<Arc<Head>>) -> Self {
        Self {
            place: Place::Outside,
            at: 0,
            open: 0,
            line: 1,
            counted: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            key_start: None,
            items_key: false,
            skipping: false,
            bare_array: false,
            frame: Vec::new(),
            frame_line: 1,
            hint: None,
            file_hint,
        }
    }

    /// The line of a place at or after the last one that was asked for.
    fn line_of(&mut self, window: &[u8], at: usize) -> u32 {
        self.line = self.line.saturating_add(lines_in(&window[self.counted..at]));
        self.counted = at;
        self.line
    }

    fn push(&self, pieces: &mut Vec<Piece>, line: u32, part: Part) {
        let hint = match part {
            Part::Item(_) => self.hint.clone().or_else(|| self.file_hint.clone()),
            _ => self.file_hint.clone(),
        };
        pieces.push(Piece { line, part, hint });
    }

    fn outside(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        match window[self.at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => self.at += 1,
            open @ (b'{' | b'[') => {
                self.frame_line = self.line_of(window, self.at);
                self.frame.clear();
                self.hint = None;
                self.skipping = false;
                self.open = self.at;
                self.bare_array = open == b'[';
                self.depth = 1;
                self.items_key = false;
                self.key_start = None;
                self.place = if self.bare_array {
                    Place::Items
                } else {
                    Place::Document
                };
                self.at += 1;
            }
            other => {
                let line = self.line_of(window, self.at);
                let end = window[self.at..].iter().position(|byte| *byte == b'\n');
                if other != b'-' && other != b'#' {
                    self.push(pieces, line, Part::Stray);
                }
                self.at = end.map_or(window.len(), |end| self.at + end);
            }
        }
    }

    /// Walks a document up to its `items` or its end.
    fn document(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        if self.depth > 1 {
            return self.nested(window, 1);
        }
        if self.in_string {
            self.string(window);
            if !self.in_string {
                let key = self.key_start.take().map(|start| &window[start..self.at]);
                self.items_key = key == Some(b"\"items\"");
            }
            return;
        }
        let byte = window[self.at];
        match byte {
            b'"' => {
                self.in_string = true;
                self.key_start = (!self.skipping).then_some(self.at);
            }
            b'[' if self.items_key => return self.begin_items(window),
            b'{' | b'[' => self.depth = 2,
            b'}' | b']' => {
                self.at += 1;
                self.place = Place::Outside;
                if !self.skipping {
                    self.push(pieces, self.frame_line, Part::Document(self.open..self.at));
                }
                return;
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() && byte != b':' {
            self.items_key = false;
        }
        self.at += 1;
    }

    fn begin_items(&mut self, window: &[u8]) {
        if !self.skipping {
            let end = (self.at + 1).min(self.open + MAX_FRAME);
            self.frame.extend_from_slice(&window[self.open..end]);
            self.hint = head::of_json(&self.frame).of_items().map(Arc::new);
        }
        self.skipping = false;
        self.place = Place::Items;
        self.at += 1;
    }

    fn items(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        match window[self.at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => self.at += 1,
            b']' | b'}' if self.bare_array => {
                self.at += 1;
                self.place = Place::Outside;
                self.push(pieces, self.frame_line, Part::Frame(b"[]".to_vec()));
            }
            b'}' => {
                let line = self.line_of(window, self.at);
                self.push(pieces, line, Part::Stray);
                let frame = std::mem::take(&mut self.frame);
                self.push(pieces, self.frame_line, Part::Frame(frame));
                self.at += 1;
                self.place = Place::Outside;
            }
            b']' => {
                self.open = self.at;
                self.at += 1;
                self.depth = 1;
                self.place = Place::Tail;
            }
            _ => {
                self.line_of(window, self.at);
                self.open = self.at;
                self.depth = 0;
                self.skipping = false;
                self.place = Place::Item;
            }
        }
    }

    fn item(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        if self.depth == 0 && !self.in_string {
            match window[self.at] {
                b'{' | b'[' => self.depth = 1,
                b'"' => self.in_string = true,
                b',' | b']' | b'}' | b'\n' => return self.end_item(pieces),
                _ => {}
            }
            self.at += 1;
            return;
        }
        if self.depth == 0 {
            return self.string(window);
        }
        self.nested(window, 0);
        if self.depth == 0 {
            self.end_item(pieces);
        }
    }

    fn end_item(&mut self, pieces: &mut Vec<Piece>) {
        self.place = Place::Items;
        if !self.skipping {
            self.push(pieces, self.line, Part::Item(self.open..self.at));
        }
        self.skipping = false;
    }

    fn tail(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        self.nested(window, 0);
        if self.depth == 0 {
            self.keep_frame(window);
            let frame = std::mem::take(&mut self.frame);
            self.push(pieces, self.frame_line, Part::Frame(frame));
            self.place = Place::Outside;
        }
    }

    fn keep_frame(&mut self, window: &[u8]) {
        let room = MAX_FRAME.saturating_sub(self.frame.len());
        let end = self.at.min(self.open + room);
        self.frame.extend_from_slice(&window[self.open..end]);
        self.open = self.at;
    }

    /// Walks to the byte after the bracket that brings the depth down to `floor`, or to the window's end.
    fn nested(&mut self, window: &[u8], floor: usize) {
        if self.in_string {
            self.string(window);
        }
        // In registers: this loop sees every byte that is not in a string.
        let (mut at, mut depth) = (self.at, self.depth);
        while let Some(&byte) = window.get(at) {
            at += 1;
            match byte {
                b'"' => match memchr::memchr2(b'"', b'\\', &window[at..]) {
                    Some(step) if window[at + step] == b'"' => at += step + 1,
                    _ => {
                        (self.at, self.in_string) = (at, true);
                        self.string(window);
                        at = self.at;
                    }
                },
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth <= floor {
                        break;
                    }
                }
                _ => {}
            }
        }
        (self.at, self.depth) = (at, depth);
    }

    /// Walks to the byte after the closing quote, or to the window's end.
    fn string(&mut self, window: &[u8]) {
        if self.escaped && self.at < window.len() {
            self.escaped = false;
            self.at += 1;
        }
        while let Some(step) = memchr::memchr2(b'"', b'\\', &window[self.at..]) {
            self.at += step + 1;
            if window[self.at - 1] == b'"' {
                self.in_string = false;
                return;
            }
            if self.at == window.len() {
                self.escaped = true;
                return;
            }
            self.at += 1;
        }
        self.at = window.len();
    }

    /// Says what the end of the input cut off.
    fn cut_off(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        match self.place {
            Place::Outside => return,
            // The parser will say what is missing.
            Place::Item if !self.skipping => {
                self.push(pieces, self.line, Part::Item(self.open..window.len()));
            }
            Place::Document if !self.skipping => {
                self.push(pieces, self.frame_line, Part::Document(self.open..window.len()));
            }
            Place::Items | Place::Tail => {
                let line = self.line_of(window, self.at);
                self.push(pieces, line, Part::Truncated);
            }
            Place::Item | Place::Document => {}
        }
        if self.place != Place::Document {
            let frame = std::mem::take(&mut self.frame);
            self.push(pieces, self.frame_line, Part::Frame(frame));
        }
        self.place = Place::Outside;
    }
}

impl Splitter for JsonSplitter {
    fn split(&mut self, window: &[u8], is_last: bool, pieces: &mut Vec<Piece>) -> usize {
        while self.at < window.len() {
            match self.place {
                Place::Outside => self.outside(window, pieces),
                Place::Document => self.document(window, pieces),
                Place::Items => self.items(window, pieces),
                Place::Item => self.item(window, pieces),
                Place::Tail => self.tail(window, pieces),
            }
        }
        if is_last {
            self.cut_off(window, pieces);
        }
        let from = match self.place {
            Place::Document | Place::Item if !self.skipping => self.open,
            Place::Tail => {
                self.keep_frame(window);
                self.at
            }
            _ => self.at,
        };
        if from > self.counted {
            self.line_of(window, from);
        }
        from
    }

    fn carry(&mut self, from: usize) {
        self.at -= from;
        self.open = self.open.saturating_sub(from);
        self.counted = self.counted.saturating_sub(from);
        self.key_start = self.key_start.and_then(|start| start.checked_sub(from));
    }

    fn give_up(&mut self, window: &[u8], pieces: &mut Vec<Piece>) {
        let line = if self.place == Place::Item {
            self.line
        } else {
            self.frame_line
        };
        self.skipping = true;
        self.key_start = None;
        self.push(pieces, line, Part::TooLarge);
        self.line_of(window, self.at);
    }
}
