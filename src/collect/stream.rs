//! One file to outcomes: read in windows, split into pieces, parsed by all cores, in the order of the file.
//!
//! While workers parse a window, this thread hands on what they found in the one before and reads the next one,
//! so memory is two windows, the objects of two, and what the model keeps.
//!
//! **Trap.** What a file is, its content decides; names lie.

use std::io::Read;

use rayon::prelude::*;

use crate::model::{Code, Diagnostic, Source, Text};

use super::json::JsonSplitter;
use super::limits::{HEAD, MAX_DOCUMENT, WINDOW};
use super::matching::Matcher;
use super::object::{self, Outcome, Syntax};
use super::piece::{Piece, Splitter};
use super::yaml::YamlSplitter;

/// Fewest pieces that are worth handing to another core.
const PIECES_PER_TASK: usize = 8;

/// Takes what was read, in the order of the file.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Vec<Outcome>);

/// A stretch of the file and the pieces in it.
struct Window {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    is_last: bool,
    /// Where the piece begins that is still open.
    open: usize,
}

/// Reads a file of manifests from its first bytes and the rest.
///
/// An error of the reader becomes a diagnostic; what was read before it counts.
pub(super) fn read_manifests(
    file: &Text,
    head: Vec<u8>,
    rest: &mut dyn Read,
    matcher: Option<&Matcher>,
    sink: Sink,
) {
    let (head, syntax) = match recognised(file, head) {
        Ok(known) => known,
        Err(problem) => return sink(vec![Outcome::Problem(problem)]),
    };
    let hint = object::hint_of_file(file);
    let mut json;
    let mut yaml;
    let splitter: &mut dyn Splitter = match syntax {
        Syntax::Json => {
            json = JsonSplitter::new(hint);
            &mut json
        }
        Syntax::Yaml => {
            yaml = YamlSplitter::new(hint);
            &mut yaml
        }
    };
    let mut pump = Pump {
        reader: rest,
        splitter,
        problem: None,
    };
    let mut next = Some(pump.window(head));
    let (mut before, mut spare) = (Vec::new(), Vec::new());
    while let Some(window) = next.take() {
        let mut outcomes = Vec::new();
        if window.is_last {
            sink(std::mem::take(&mut before));
            outcomes = parsed(&window, file, syntax, matcher);
        } else {
            let mut carried = std::mem::take(&mut spare);
            carried.clear();
            carried.extend_from_slice(&window.bytes[window.open..]);
            pump.splitter.carry(window.open);
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| outcomes = parsed(&window, file, syntax, matcher));
                sink(std::mem::take(&mut before));
                next = Some(pump.window(carried));
            });
        }
        before = outcomes;
        spare = window.bytes;
    }
    sink(before);
    if let Some(problem) = pump.problem {
        let source = Source {
            file: file.clone(),
            line: 0,
        };
        let hint = "what was read before counts";
        sink(vec![Outcome::Problem(Diagnostic::new(
            Code::UnreadableFile,
            source,
            problem,
            hint,
        ))]);
    }
}

/// Says how a file is written, and drops a byte order mark.
fn recognised(file: &Text, mut head: Vec<u8>) -> Result<(Vec<u8>, Syntax), Diagnostic> {
    let source = Source {
        file: file.clone(),
        line: 0,
    };
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        let hint = "save it as UTF-8, in PowerShell with `| Out-File -Encoding utf8`";
        return Err(Diagnostic::new(
            Code::BinaryFile,
            source,
            "the file is UTF-16",
            hint,
        ));
    }
    if head.iter().take(HEAD).any(|byte| *byte == 0) {
        let hint = "give a folder or file of manifests, a dump or a snapshot";
        return Err(Diagnostic::new(
            Code::BinaryFile,
            source,
            "the file is binary",
            hint,
        ));
    }
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        head.drain(..3);
    }
    let text = head.trim_ascii_start();
    let after = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    let is_json = match (text.first(), after) {
        (Some(b'{'), after) => matches!(after, None | Some(b'"' | b'}')),
        (Some(b'['), after) => matches!(after, None | Some(b'{' | b'[' | b']' | b'"')),
        _ => false,
    };
    Ok((head, if is_json { Syntax::Json } else { Syntax::Yaml }))
}

struct Pump<'a> {
    reader: &'a mut dyn Read,
    splitter: &'a mut dyn Splitter,
    problem: Option<String>,
}

impl Pump<'_> {
    /// Reads and splits the next window, which begins with `bytes`.
    fn window(&mut self, mut bytes: Vec<u8>) -> Window {
        bytes.reserve_exact(WINDOW);
        let wanted = bytes.len() as u64 + WINDOW as u64;
        let more = wanted - bytes.len() as u64;
        let is_last = match self.reader.take(more).read_to_end(&mut bytes) {
            Ok(read) => (read as u64) < more,
            Err(error) => {
                self.problem = Some(error.to_string());
                true
            }
        };
        let mut pieces = Vec::new();
        let mut open = self.splitter.split(&bytes, is_last, &mut pieces);
        if bytes.len() - open.min(bytes.len()) > MAX_DOCUMENT {
            self.splitter.give_up(&bytes, &mut pieces);
            open = bytes.len();
        }
        Window {
            bytes,
            pieces,
            is_last,
            open,
        }
    }
}

fn parsed(window: &Window, file: &Text, syntax: Syntax, matcher: Option<&Matcher>) -> Vec<Outcome> {
    let read = |piece: &Piece| object::read(&window.bytes, piece, file, syntax, matcher);
    if window.pieces.len() <= PIECES_PER_TASK {
        return window.pieces.iter().flat_map(read).collect();
    }
    let outcomes: Vec<Vec<Outcome>> = window
        .pieces
        .par_iter()
        .with_min_len(PIECES_PER_TASK)
        .map(read)
        .collect();
    outcomes.into_iter().flatten().collect()
}
