//! Every limit on input in one place; a diagnostic names the limit that was hit.
//!
//! **Trap.** A limit protects memory only if it is checked while reading, not after.

/// Largest object, document or line that is read, in bytes. An etcd request holds 1.5 MiB, so no object of a
/// real cluster comes near; the room is for YAML lists that cannot be split.
pub const MAX_DOCUMENT: usize = 64 << 20;

/// How much of a file is read, split and parsed at once, in bytes.
pub(super) const WINDOW: usize = 8 << 20;

/// Largest frame of a list (everything but its items) that is kept to find its kind, in bytes.
pub(super) const MAX_FRAME: usize = 1 << 20;

/// Most bytes of items without a kind that are kept until the end of their list tells it.
pub(super) const MAX_WAITING: usize = 256 << 20;

/// Lists within lists that are followed.
pub(super) const MAX_LISTS: u8 = 4;

/// Folders within folders that are followed.
pub(super) const MAX_FOLDERS: usize = 64;

/// Most bytes that a compressed file or archive may unpack to, unless [`super::Options`] says otherwise.
pub const MAX_UNPACKED: u64 = 8 << 30;

/// Most files taken from one archive.
pub(super) const MAX_ARCHIVE_FILES: usize = 1_000_000;

/// Deepest nesting of a YAML document; JSON stops at 128 by itself.
pub(super) const MAX_YAML_DEPTH: usize = 64;

/// Most scalars, lists and maps of one YAML document, and half as many events as that may take.
pub(super) const MAX_YAML_NODES: usize = 16_000_000;

/// Most nodes that the aliases of one YAML document may stand for together.
pub(super) const MAX_YAML_ALIASED: usize = 100_000;

/// Files up to this size are read whole, many at once.
pub(super) const SMALL_FILE: u64 = 1 << 20;

/// How many small files are read at once.
pub(super) const FILES_AT_ONCE: usize = 64;

/// Bytes that decide what a file is.
pub(super) const HEAD: usize = 8 << 10;

/// Longest part of a parser's message that is passed on, in bytes.
pub(super) const MAX_MESSAGE: usize = 300;

/// How often reading starts again at a later line of a JSON document that is broken.
pub(super) const MAX_RESTARTS: u8 = 16;

/// Largest text in braces that is tried as YAML when it is no JSON, in bytes.
pub(super) const MAX_BRACED_YAML: usize = 1 << 20;

/// Largest file whose lines a report shows, in bytes.
pub(super) const MAX_SHOWN_FILE: usize = 4 << 20;
