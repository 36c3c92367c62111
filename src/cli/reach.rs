//! `beachhead reach`: who reaches whom over the network, and which policy decides.

use clap::ValueEnum;

use super::analysis::InputArgs;
use super::output::OutputArgs;
use super::{ExitCode, Streams};
use crate::network::{IpBlockMatch, Network, Options};
use crate::report::{self, Reach};

/// Show who reaches whom over the network under the policies of the input
#[derive(Debug, clap::Args)]
pub(super) struct ReachArgs {
    #[command(flatten)]
    input: InputArgs,
    /// List every connection between workloads, and between workloads and addresses outside
    #[arg(long, required = true)]
    all: bool,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = ReachFormat::Json)]
    format: ReachFormat,
    /// Whether addresses in a policy match pods and nodes that have them
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Matches::Auto)]
    ipblock_matches_pods: Matches,
    #[command(flatten)]
    output: OutputArgs,
}

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReachFormat {
    /// For programs
    Json,
}

/// [`IpBlockMatch`] as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Matches {
    /// They match, as with most network plugins
    Always,
    /// They never do, as with Cilium
    Never,
    /// As the network plugin of the input does it, if the input shows it
    Auto,
}

pub(super) fn run(args: &ReachArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let (cluster, diagnostics) = args.input.read(streams.stdin)?;
    let options = Options {
        ipblock_matches_pods: match args.ipblock_matches_pods {
            Matches::Always => IpBlockMatch::Always,
            Matches::Never => IpBlockMatch::Never,
            Matches::Auto => IpBlockMatch::Auto,
        },
    };
    let (network, more) = Network::with(&cluster, options);
    super::analysis::warn(diagnostics.iter().chain(&more), streams.err);
    let connections = network.connections(&cluster);
    args.output
        .text(&report::json(&Reach::new(&connections))?, streams.out)?;
    Ok(ExitCode::Nothing)
}
