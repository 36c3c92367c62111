//! Writing the lines of a snapshot.
//!
//! **Trap.** Level and number of threads decide about the bytes, so both are fixed.

use std::io::{self, Write};

use crate::model::{Cluster, Diagnostic, ObjectRef};

use super::line::{End, Hash, Header, Written, WrittenObject};
use super::{FORMAT, MAGIC, SnapshotError};

/// zstd's level: its default, as fast as objects can be serialized.
const LEVEL: i32 = 3;

/// Writes a cluster and the diagnostics of its collection as a snapshot.
///
/// # Errors
/// Returns what the stream answered.
pub fn encode(
    cluster: &Cluster,
    diagnostics: &[Diagnostic],
    mut out: impl Write,
) -> Result<(), SnapshotError> {
    out.write_all(MAGIC)?;
    writeln!(out, "{FORMAT}")?;
    let mut packer = zstd::Encoder::new(out, LEVEL)?;
    packer.include_checksum(true)?;
    let mut lines = Lines {
        packer,
        hash: Hash::new(),
        buffer: Vec::new(),
    };
    lines.put(&Written::Header(Header {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        coverage: cluster.coverage.clone(),
    }))?;
    for diagnostic in diagnostics {
        lines.put(&Written::Diagnostic(diagnostic))?;
    }
    let mut objects = 0;
    for (id, object) in cluster
        .objects()
        .filter(|(id, _)| !cluster.stand_ins.contains(id))
    {
        objects += 1;
        lines.put(&Written::Object(WrittenObject {
            kind: &id.kind,
            other: matches!(object, ObjectRef::Other(_)),
            source: &object.meta().source,
            object,
        }))?;
    }
    let hash = lines.hash.to_hex();
    lines.put(&Written::End(End { objects, hash }))?;
    lines.packer.finish()?;
    Ok(())
}

struct Lines<W: Write> {
    packer: zstd::Encoder<'static, W>,
    hash: Hash,
    buffer: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &Written) -> io::Result<()> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        self.hash.add(&self.buffer);
        self.packer.write_all(&self.buffer)
    }
}
