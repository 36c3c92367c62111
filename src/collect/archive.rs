//! Compressed files and archives: unpacked as a stream, never to disk.
//!
//! **Trap.** A small archive may unpack to terabytes, and its paths may point anywhere: what it unpacks to is
//! counted, and only plain relative paths are read.

use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;

use crate::model::{Code, Diagnostic, Source, Text};

use super::Options;
use super::limits::{HEAD, MAX_ARCHIVE_FILES};
use super::object::Outcome;
use super::stream::{Sink, read_manifests};

const GZIP: &[u8] = &[0x1f, 0x8b];

/// Reads any file: manifests, compressed manifests or an archive of them.
pub(super) fn read_file(file: &Text, reader: &mut dyn Read, options: &Options, sink: Sink) {
    let head = match head_of(reader) {
        Ok(head) => head,
        Err(error) => return sink(vec![unreadable(file, &error.to_string())]),
    };
    if head.starts_with(GZIP) {
        let packed = io::Cursor::new(head).chain(reader);
        let mut plain = Capped {
            reader: MultiGzDecoder::new(packed),
            left: options.max_unpacked,
        };
        match head_of(&mut plain) {
            Ok(head) => read_plain(file, head, &mut plain, options, sink),
            Err(error) => sink(vec![unreadable(file, &error.to_string())]),
        }
    } else {
        read_plain(file, head, reader, options, sink);
    }
}

fn read_plain(file: &Text, head: Vec<u8>, rest: &mut dyn Read, options: &Options, sink: Sink) {
    if head.get(257..262) == Some(b"ustar") {
        read_tar(file, io::Cursor::new(head).chain(rest), options, sink);
    } else {
        read_manifests(file, head, rest, options.matcher.as_ref(), sink);
    }
}

/// Reads the first bytes, fewer if there are no more.
pub(super) fn head_of(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    reader.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn read_tar(file: &Text, reader: impl Read, options: &Options, sink: Sink) {
    let mut archive = tar::Archive::new(reader);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return sink(vec![unreadable(file, &error.to_string())]),
    };
    for (count, entry) in entries.enumerate() {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return sink(vec![unreadable(file, &error.to_string())]),
        };
        if count >= MAX_ARCHIVE_FILES {
            let message = format!("the archive holds more than {MAX_ARCHIVE_FILES} files");
            return sink(vec![unreadable(file, &message)]);
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = Text::from(format!("{file}/{path}"));
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() || !is_manifest(&path) {
            continue;
        }
        if !kind.is_file() || !is_plain(Path::new(&path)) {
            sink(vec![unreadable(
                &name,
                "links and paths that leave the archive are not followed",
            )]);
            continue;
        }
        match head_of(&mut entry) {
            Ok(head) if head.starts_with(GZIP) => {
                sink(vec![unreadable(
                    &name,
                    "a compressed file within an archive is not read",
                )]);
            }
            Ok(head) => read_manifests(&name, head, &mut entry, options.matcher.as_ref(), sink),
            Err(error) => return sink(vec![unreadable(&name, &error.to_string())]),
        }
    }
}

fn is_plain(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Whether a file of a folder or archive is read: manifests by their ending, nothing hidden.
pub(super) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = name.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let ends = [".yaml", ".yml", ".json", ".jsonl"]
        .iter()
        .any(|end| plain.ends_with(end));
    ends && !path
        .split(['/', '\\'])
        .any(|part| part.len() > 1 && part.starts_with('.') && part != "..")
}

/// Says that a file could not be read.
pub(super) fn unreadable(file: &Text, message: &str) -> Outcome {
    let source = Source {
        file: file.clone(),
        line: 0,
    };
    let hint = "the rest of it is not in the result";
    Outcome::Problem(Diagnostic::new(Code::UnreadableFile, source, message, hint))
}

/// A reader that fails when more comes out of it than may.
struct Capped<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other("it unpacks to more than the limit for compressed input allows")
        })?;
        Ok(read)
    }
}
