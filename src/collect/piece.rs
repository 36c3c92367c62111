//! Pieces: the stretches of a file that hold one object each, found without parsing them.
//!
//! A splitter walks a file window by window and says where objects begin and end; workers then parse pieces
//! in parallel. It needs to see strings and brackets (JSON) or the starts of lines (YAML), nothing else.
//!
//! **Trap.** A piece may cross windows. What is open at a window's end is carried over to the next one, at most
//! [`MAX_DOCUMENT`](super::limits::MAX_DOCUMENT) bytes; beyond that the piece is given up while it is still being skipped.

use std::ops::Range;
use std::sync::Arc;

/// The type of an object: what must be known before it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// `apiVersion`, empty if absent.
    pub api_version: String,
    /// `kind`, empty if absent.
    pub kind: String,
}

impl Head {
    /// The API group: empty for the core group.
    pub(super) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The version within the group.
    pub(super) fn version(&self) -> &str {
        (self.api_version.split_once('/')).map_or(&self.api_version, |(_, version)| version)
    }

    /// What a list of this head says about items that do not name their kind: `PodList` holds `Pod`s.
    pub(super) fn of_items(&self) -> Option<Self> {
        let kind = self.kind.strip_suffix("List").filter(|kind| !kind.is_empty())?;
        Some(Self {
            api_version: self.api_version.clone(),
            kind: kind.to_owned(),
        })
    }

    /// Whether this is a list of objects and not an object.
    pub(super) fn is_list(&self) -> bool {
        self.kind.ends_with("List")
    }
}

/// What a piece is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A whole document, at these bytes of the window.
    Document(Range<usize>),
    /// An item of a list, at these bytes of the window.
    Item(Range<usize>),
    /// The end of a list: everything of it but its items.
    Frame(Vec<u8>),
    /// Something too large, given up.
    TooLarge,
    /// The input ended within this piece.
    Truncated,
    /// Something that begins like no document.
    Stray,
}

/// A stretch of a file, by the line it begins on.
#[derive(Debug)]
pub(super) struct Piece {
    /// From 1.
    pub line: u32,
    /// What it is.
    pub part: Part,
    /// The type of items that do not name it.
    pub hint: Option<Arc<Head>>,
}

/// Finds pieces in a file that arrives in windows.
pub(super) trait Splitter {
    /// Finds the pieces of a window and returns where the piece begins that is still open, if one is.
    ///
    /// `window` begins with what was carried over from the last one.
    fn split(&mut self, window: &[u8], is_last: bool, pieces: &mut Vec<Piece>) -> usize;

    /// Tells that the next window begins at `from` of this one.
    fn carry(&mut self, from: usize);

    /// Gives up the open piece: it is skipped to its end, and its beginning need not be carried.
    fn give_up(&mut self, window: &[u8], pieces: &mut Vec<Piece>);
}

/// The number of line feeds.
pub(super) fn lines_in(bytes: &[u8]) -> u32 {
    let count = bytes
        .chunks(192)
        .map(|chunk| {
            usize::from(
                chunk
                    .iter()
                    .fold(0u8, |count, byte| count + u8::from(*byte == b'\n')),
            )
        })
        .sum::<usize>();
    u32::try_from(count).unwrap_or(u32::MAX)
}
