//! Reading a snapshot, line by line, under limits.
//!
//! **Trap.** A small file may unpack to terabytes. The limits are checked while unpacking, before anything is
//! kept; the declared size in the frame is not trusted.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};

use rayon::prelude::*;

use crate::model::{Cluster, Diagnostic, KindInfo, Object, release_pools};

use super::line::{End, Hash, Line, ReadObject};
use super::{FORMAT, MAGIC, SnapshotError};

/// Most bytes that a snapshot may unpack to: ten times a cluster of 150,000 pods.
pub const MAX_UNPACKED: u64 = 4 << 30;
/// Most bytes unpacked per packed byte, above [`RATIO_FREE`]; clusters reach some 60.
pub const MAX_RATIO: u64 = 500;
/// Bytes that may be unpacked at any ratio.
pub const RATIO_FREE: u64 = 64 << 20;
/// Longest line in bytes; an API server stores no object of more than 1.5 MiB by default.
pub const MAX_LINE: usize = 16 << 20;
/// Most objects.
pub const MAX_OBJECTS: u64 = 5_000_000;

/// How many bytes of lines are read before they are parsed together.
const BATCH: usize = 8 << 20;
/// log2 of the largest window that unpacking may need; writing uses less.
const WINDOW_LOG: u32 = 23;

/// Reads a snapshot: the cluster, sorted and with its stand-ins, and the diagnostics of its collection.
///
/// # Errors
/// Returns why the file as a whole cannot be trusted: nothing of a damaged snapshot is returned.
pub fn read(input: impl Read) -> Result<(Cluster, Vec<Diagnostic>), SnapshotError> {
    let mut input = BufReader::new(input);
    check_version(&mut input)?;
    let packed = Cell::new(0);
    let counted = Counted {
        input,
        count: &packed,
    };
    let mut decoder = zstd::Decoder::with_buffer(BufReader::new(counted)).map_err(broken)?;
    decoder.window_log_max(WINDOW_LOG)?;
    let mut lines = Lines {
        unpacked: BufReader::with_capacity(1 << 17, decoder),
        packed: &packed,
        total: 0,
    };
    let mut reading = Reading::default();
    let mut batch = Vec::with_capacity(BATCH);
    while lines.fill(&mut batch)? {
        reading.add(&batch)?;
    }
    reading.finish()
}

/// Reads the first line.
fn check_version(input: &mut impl BufRead) -> Result<(), SnapshotError> {
    const LONGEST: u64 = 32;
    let mut line = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut line)?;
    let Some(rest) = line.strip_prefix(MAGIC) else {
        let is_start = !line.is_empty() && MAGIC.starts_with(&line);
        return Err(if is_start {
            SnapshotError::Truncated
        } else {
            SnapshotError::NotASnapshot
        });
    };
    let Some(version) = rest.strip_suffix(b"\n") else {
        return Err(if line.len() < 32 {
            SnapshotError::Truncated
        } else {
            SnapshotError::NotASnapshot
        });
    };
    let version = std::str::from_utf8(version)
        .ok()
        .and_then(|text| text.parse().ok());
    match version {
        Some(1..=FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(SnapshotError::Newer { found }),
        _ => Err(SnapshotError::corrupted(
            "its first line names no version of the format",
        )),
    }
}

/// Counts the packed bytes that were read.
struct Counted<'a, R> {
    input: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// The unpacked lines.
struct Lines<'a, R> {
    unpacked: R,
    packed: &'a Cell<u64>,
    total: u64,
}

impl<R: BufRead> Lines<'_, R> {
    /// Fills the batch with whole lines; false if there are no more.
    fn fill(&mut self, batch: &mut Vec<u8>) -> Result<bool, SnapshotError> {
        batch.clear();
        while batch.len() < BATCH {
            let before = batch.len();
            (&mut self.unpacked)
                .take(MAX_LINE as u64)
                .read_until(b'\n', batch)
                .map_err(broken)?;
            let length = batch.len() - before;
            if length == 0 {
                break;
            }
            self.total += length as u64;
            self.check_size()?;
            if batch.last() != Some(&b'\n') {
                let too_long = length >= MAX_LINE;
                return Err(if too_long {
                    excess("has an object", MAX_LINE as u64)
                } else {
                    SnapshotError::Truncated
                });
            }
        }
        Ok(!batch.is_empty())
    }

    fn check_size(&self) -> Result<(), SnapshotError> {
        if self.total > MAX_UNPACKED {
            return Err(excess("unpacks to", MAX_UNPACKED));
        }
        if self.total > RATIO_FREE && self.total / MAX_RATIO > self.packed.get() {
            let excess = format!("unpacks to more than {MAX_RATIO} times its size");
            return Err(SnapshotError::TooLarge { excess });
        }
        Ok(())
    }
}

fn excess(what: &str, bytes: u64) -> SnapshotError {
    SnapshotError::TooLarge {
        excess: format!("{what} of more than {} MiB", bytes >> 20),
    }
}

/// Translates what unpacking answers.
fn broken(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::Truncated,
        // zstd reports every defect of the data as `Other`.
        io::ErrorKind::Other | io::ErrorKind::InvalidData => SnapshotError::corrupted(error.to_string()),
        _ => SnapshotError::Io(error),
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    cluster: Cluster,
    diagnostics: Vec<Diagnostic>,
    objects: u64,
    lines: u64,
    hash: Option<Hash>,
    ended: bool,
}

/// What a line gives.
enum Parsed {
    Start(Box<crate::model::Coverage>),
    Diagnostic(Box<Diagnostic>),
    Object(String, Object),
    End(End),
}

impl Reading {
    /// Adds a batch of whole lines; parses them on all cores and keeps them in order.
    fn add(&mut self, batch: &[u8]) -> Result<(), SnapshotError> {
        let lines: Vec<&[u8]> = batch.split_inclusive(|byte| *byte == b'\n').collect();
        let parsed: Vec<_> = lines.par_iter().map(|line| parse(line)).collect();
        for (line, parsed) in lines.into_iter().zip(parsed) {
            self.lines += 1;
            let at = self.lines;
            let parsed = parsed.map_err(|error| SnapshotError::corrupted(format!("line {at}: {error}")))?;
            self.add_line(parsed)?;
            self.hash.get_or_insert_with(Hash::new).add(line);
        }
        Ok(())
    }

    fn add_line(&mut self, line: Parsed) -> Result<(), SnapshotError> {
        if self.ended {
            return Err(SnapshotError::corrupted("something follows its end"));
        }
        if matches!(line, Parsed::Start(_)) != (self.lines == 1) {
            return Err(SnapshotError::corrupted("its header is not its first line"));
        }
        match line {
            Parsed::Start(coverage) => self.cluster.coverage = *coverage,
            Parsed::Diagnostic(diagnostic) => self.diagnostics.push(*diagnostic),
            Parsed::Object(kind, object) => self.add_object(&kind, object)?,
            Parsed::End(end) => self.check_end(&end)?,
        }
        Ok(())
    }

    fn add_object(&mut self, kind: &str, object: Object) -> Result<(), SnapshotError> {
        self.objects += 1;
        if self.objects > MAX_OBJECTS {
            let excess = format!("holds more than {MAX_OBJECTS} objects");
            return Err(SnapshotError::TooLarge { excess });
        }
        if self.cluster.insert(kind, object).is_some() {
            return Err(SnapshotError::corrupted(format!(
                "line {} repeats an object",
                self.lines
            )));
        }
        Ok(())
    }

    fn check_end(&mut self, end: &End) -> Result<(), SnapshotError> {
        let hash = self.hash.unwrap_or_else(Hash::new).to_hex();
        let read = End {
            objects: self.objects,
            hash,
        };
        if *end != read {
            return Err(SnapshotError::corrupted(
                "the number of objects or their hash differs from what was written",
            ));
        }
        self.ended = true;
        Ok(())
    }

    fn finish(mut self) -> Result<(Cluster, Vec<Diagnostic>), SnapshotError> {
        if !self.ended {
            return Err(SnapshotError::Truncated);
        }
        rayon::broadcast(|_| release_pools());
        let derived = self.cluster.add_stand_ins();
        self.cluster.sort();
        let known: BTreeSet<Diagnostic> = self.diagnostics.iter().cloned().collect();
        let new = derived
            .into_iter()
            .filter(|diagnostic| !known.contains(diagnostic));
        self.diagnostics.extend(new);
        Ok((self.cluster, self.diagnostics))
    }
}

fn parse(line: &[u8]) -> Result<Parsed, serde_json::Error> {
    Ok(match serde_json::from_slice(line)? {
        Line::Header(header) => Parsed::Start(Box::new(header.coverage)),
        Line::Diagnostic(diagnostic) => Parsed::Diagnostic(Box::new(diagnostic)),
        Line::Object(object) => parse_object(object)?,
        Line::End(end) => Parsed::End(end),
    })
}

fn parse_object(line: ReadObject) -> Result<Parsed, serde_json::Error> {
    const OTHER: KindInfo = KindInfo {
        group: "",
        kind: "",
        resource: "",
        namespaced: true,
    };
    let known = crate::model::KINDS.iter().find(|known| known.kind == line.kind);
    let info = known.filter(|_| !line.other).unwrap_or(&OTHER);
    let mut object = Object::read(info, &mut serde_json::Deserializer::from_str(line.object.get()))?;
    object.meta_mut().source = line.source;
    Ok(Parsed::Object(line.kind, object))
}
