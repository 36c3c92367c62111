//! `beachhead snapshot`: the input as one compressed file.

use std::path::PathBuf;

use anyhow::Context as _;

use super::analysis::{InputArgs, warn};
use super::{ExitCode, Streams};
use crate::collect::snapshot;

/// Write the input as one compressed file that every command reads; Secret values are not in it
#[derive(Debug, clap::Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(super) fn run(args: &SnapshotArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let (cluster, diagnostics) = args.input.read(streams.stdin)?;
    warn(&diagnostics, streams.err);
    snapshot::write(&args.output, &cluster, &diagnostics)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(ExitCode::Nothing)
}
