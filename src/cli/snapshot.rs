//! `beachhead snapshot`: the input as one compressed file.

use std::path::PathBuf;

use anyhow::Context as _;

use super::analysis::{InputArgs, warn};
use super::{ExitCode, Streams};
use crate::collect::{self, snapshot};

/// Write the input as one compressed file that every command reads; Secret values are not in it
#[derive(Debug, clap::Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Note which keys of Secrets have the same value, so that a password kept under two names is known as one; values
    /// are compared by a random key that is thrown away, and nothing of them is written
    #[arg(long)]
    match_credentials: bool,
}

pub(super) fn run(args: &SnapshotArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let (cluster, diagnostics) = {
        let options = collect::Options::default();
        let options = if args.match_credentials {
            options.matching_credentials()
        } else {
            options
        };
        args.input.read_with(streams.stdin, options)?
    };
    warn(&diagnostics, streams.err);
    snapshot::write(&args.output, &cluster, &diagnostics)
        .with_context(|| format!("cannot write {}", args.output.display()))?;
    Ok(ExitCode::Nothing)
}
