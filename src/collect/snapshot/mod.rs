//! The snapshot: a whole cluster in one compressed file, to analyze later or elsewhere.
//!
//! A line of text, `beachhead snapshot 1`, is followed by one zstd frame of JSON lines: a header (tool,
//! coverage), a line per diagnostic of the collection, a line per object, and an end line that carries the
//! number of objects and a hash of everything before it. The same cluster gives the same bytes.
//!
//! **Trap.** Pods that stand for a workload's template are not written: reading derives them again, so that a
//! newer version may derive them better.

mod encode;
mod error;
mod line;
mod read;

use std::io::Write;
use std::path::Path;

use super::write_whole;
use crate::model::{Cluster, Diagnostic};

pub use encode::encode;
pub use error::SnapshotError;
pub use read::{MAX_LINE, MAX_OBJECTS, MAX_RATIO, MAX_UNPACKED, RATIO_FREE, read};

/// The version of the format that this version of the tool writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// How every snapshot begins; the format's version and a line feed follow.
const MAGIC: &[u8] = b"beachhead snapshot ";

/// Whether a file that begins with these bytes is a snapshot, of whatever version.
pub fn is_snapshot(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// Writes a snapshot file that only its owner may read.
///
/// An interrupted writing leaves the old file, or none; see [`write_whole`].
///
/// # Errors
/// Returns what the file system answered, with the path.
pub fn write(path: &Path, cluster: &Cluster, diagnostics: &[Diagnostic]) -> Result<(), SnapshotError> {
    let contents = |out: &mut dyn Write| encode(cluster, diagnostics, out);
    write_whole(path, contents).map_err(|error| match error {
        SnapshotError::Io(source) => SnapshotError::Write {
            path: path.to_owned(),
            source,
        },
        other => other,
    })
}
