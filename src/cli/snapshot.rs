//! `beachhead snapshot`: a cluster, or another input, as one compressed file.

use std::path::PathBuf;

use anyhow::Context as _;

use super::analysis::warn;
use super::input::InputArgs;
use super::{ExitCode, Streams};
use crate::collect::{self, live, snapshot};

/// Write a cluster as one compressed file that every command reads; Secret values are not in it
///
/// Without an INPUT it reads the live cluster of the current context.
#[derive(Debug, clap::Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "print_rbac")]
    output: Option<PathBuf>,
    /// Print the least ClusterRole that a snapshot needs, or the least Role for one --namespace
    #[arg(long, conflicts_with_all = ["output", "input"])]
    print_rbac: bool,
    /// Note which credentials are the same, so that a password kept under two names is known as one: in Secrets,
    /// ConfigMaps, variables and arguments. They are compared by a random key that is thrown away, and nothing of them
    /// is written. Secrets of a live cluster need --secret-keys
    #[arg(long)]
    match_credentials: bool,
}

pub(super) fn run(args: &SnapshotArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let output = match &args.output {
        Some(output) if !args.print_rbac => output,
        _ => {
            streams
                .out
                .write_all(live::role(args.input.namespace()).as_bytes())?;
            return Ok(ExitCode::Nothing);
        }
    };
    let options = collect::Options::default();
    let options = if args.match_credentials {
        options.matching_credentials()
    } else {
        options
    };
    let read = args.input.read_with(streams, options)?;
    warn(&read.diagnostics, streams.err);
    snapshot::write(output, &read.cluster, &read.diagnostics)
        .with_context(|| format!("cannot write {}", output.display()))?;
    Ok(ExitCode::Nothing)
}
