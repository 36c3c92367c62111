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

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

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
/// The file appears under its name when it is complete and on disk; an interrupted writing leaves the old
/// file, or none.
///
/// # Errors
/// Returns what the file system answered, with the path.
pub fn write(path: &Path, cluster: &Cluster, diagnostics: &[Diagnostic]) -> Result<(), SnapshotError> {
    let failed = |source| SnapshotError::Write {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is made with mode 0600, and renaming keeps it.
    let mut file = tempfile::Builder::new()
        .prefix(".beachhead-")
        .tempfile_in(folder)
        .map_err(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    encode(cluster, diagnostics, &mut out).map_err(|error| match error {
        SnapshotError::Io(source) => failed(source),
        other => other,
    })?;
    out.flush().map_err(failed)?;
    drop(out);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The rename itself is durable once the folder is; not every file system can sync one.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}
