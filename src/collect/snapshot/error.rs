//! Why a snapshot could not be read or written.

use std::io;
use std::path::PathBuf;

use super::FORMAT;

/// What is wrong with a snapshot as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file begins otherwise.
    #[error(
        "not a snapshot: the file does not begin with `beachhead snapshot`; make one with `beachhead snapshot`"
    )]
    NotASnapshot,
    /// A newer version of the tool wrote the file.
    #[error(
        "the snapshot has format {found}, and this version of beachhead reads formats up to {FORMAT}; \
         install the newer version, or take the snapshot again with this one"
    )]
    Newer {
        /// The version in the file.
        found: u32,
    },
    /// The file ends too early.
    #[error("the snapshot is cut off: its end is missing; copy or take it again")]
    Truncated,
    /// The bytes are not those that were written.
    #[error("the snapshot is damaged: {detail}; copy or take it again")]
    Corrupted {
        /// What does not fit.
        detail: String,
    },
    /// Unpacking would take more than any cluster needs.
    #[error("the snapshot was refused: it {excess}, which no cluster needs; take it again if you trust it")]
    TooLarge {
        /// Which limit was passed.
        excess: String,
    },
    /// The file could not be written.
    #[error("cannot write the snapshot {}: {source}", path.display())]
    Write {
        /// The file as the user named it.
        path: PathBuf,
        /// The file system's answer.
        source: io::Error,
    },
    /// The stream under the snapshot failed.
    #[error("reading or writing the snapshot failed: {0}")]
    Io(#[from] io::Error),
}

impl SnapshotError {
    /// Returns the error of a file that is not as it was written.
    pub(super) fn corrupted(detail: impl Into<String>) -> Self {
        Self::Corrupted {
            detail: detail.into(),
        }
    }
}
