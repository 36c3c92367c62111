//! `beachhead reach`: who reaches whom over the network, and which policy decides.

use anyhow::bail;
use clap::ValueEnum;

use super::input::{InputArgs, ReadInput};
use super::output::OutputArgs;
use super::{ExitCode, Streams};
use crate::draw;
use crate::model::{Cluster, Protocol};
use crate::network::{Enforcement, IpBlockMatch, Network, Options, Place};
use crate::query::did_you_mean;
use crate::report::{self, Entries, Reach, ReachAnswer, Remarks};

/// Show who reaches whom over the network, and which policy decides
///
/// With --from and --to it follows a packet tier by tier. Either side may be Internet, an address
/// (203.0.113.7), or the id of a pod, workload, namespace, node or Service: Pod/shop/web-0, Deployment/shop/web,
/// Namespace/shop, Node/worker-1, Service/shop/web.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("question").required(true).args(["from", "all", "exposed", "lint"]))]
pub(super) struct ReachArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Who sends
    #[arg(long, value_name = "ID", requires = "to")]
    from: Option<String>,
    /// Who receives
    #[arg(long, value_name = "ID", requires = "from")]
    to: Option<String>,
    /// The receiver's port, TCP unless it says 53/UDP
    #[arg(long, value_name = "PORT", requires = "to", value_parser = port)]
    port: Option<(Protocol, u16)>,
    /// List every connection between workloads, and between workloads and addresses outside
    #[arg(long)]
    all: bool,
    /// List what is reached from outside the cluster, and through what
    #[arg(long)]
    exposed: bool,
    /// List what is wrong or of no effect in policies
    #[arg(long)]
    lint: bool,
    /// The form of the result; csv and dot with --all only
    #[arg(long, value_enum, default_value_t = ReachFormat::Text)]
    format: ReachFormat,
    /// Whether addresses in a policy match pods and nodes that have them
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Matches::Auto)]
    ipblock_matches_pods: Matches,
    /// Whether policies have an effect
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Policies::Auto)]
    policies: Policies,
    #[command(flatten)]
    output: OutputArgs,
}

/// How the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReachFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For Graphviz
    Dot,
}

/// [`IpBlockMatch`] as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Matches {
    /// They match, as with most network plugins
    Always,
    /// They never do, as with Cilium
    Never,
    /// As the network plugin of the input does it; unknown where the input shows none
    Auto,
}

/// [`Enforcement`] as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policies {
    /// As far as the network plugin of the input enforces them; all where the input shows none
    Auto,
    /// All of them have
    Enforced,
    /// None of them has
    Ignored,
}

fn port(text: &str) -> Result<(Protocol, u16), String> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    let known = Protocol::ALL
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(protocol));
    let number = number.parse::<u16>().ok().filter(|number| *number > 0);
    match (known, number) {
        (Some(protocol), Some(number)) => Ok((protocol, number)),
        _ => Err("expected a port from 1 to 65535, with /UDP or /SCTP if it is not TCP".to_owned()),
    }
}

pub(super) fn run(args: &ReachArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let ReadInput {
        cluster, diagnostics, ..
    } = args.input.read(streams)?;
    let options = Options {
        ipblock_matches_pods: match args.ipblock_matches_pods {
            Matches::Always => IpBlockMatch::Always,
            Matches::Never => IpBlockMatch::Never,
            Matches::Auto => IpBlockMatch::Auto,
        },
        enforcement: match args.policies {
            Policies::Auto => Enforcement::Auto,
            Policies::Enforced => Enforcement::Enforced,
            Policies::Ignored => Enforcement::Ignored,
        },
    };
    let (network, found) = Network::with(&cluster, options);
    super::analysis::warn(diagnostics.iter().chain(&found), streams.err);
    let mut out = |text: &str| args.output.text(text, streams.out);
    if args.all {
        let connections = network.connections(&cluster);
        let list = Reach::new(&connections);
        match args.format {
            ReachFormat::Json => out(&report::json(&list)?)?,
            ReachFormat::Csv => out(&list.csv())?,
            ReachFormat::Dot => out(&draw::connections(&connections))?,
            ReachFormat::Text => args.output.page(&list.page(), streams.out)?,
        }
        return Ok(ExitCode::Nothing);
    }
    let as_json = match args.format {
        ReachFormat::Json => true,
        ReachFormat::Text => false,
        ReachFormat::Csv | ReachFormat::Dot => bail!("--format csv and dot are for --all; use text or json"),
    };
    if args.exposed {
        let entries = Entries::new(&cluster, &network);
        if as_json {
            out(&report::json(&entries)?)?;
        } else {
            args.output.page(&entries.page(), streams.out)?;
        }
    } else if args.lint {
        let remarks = Remarks::new(&network.lint(&cluster));
        if as_json {
            out(&report::json(&remarks)?)?;
        } else {
            args.output.page(&remarks.page(), streams.out)?;
        }
    } else if let (Some(from), Some(to)) = (&args.from, &args.to) {
        let (sources, targets) = (places(&cluster, &network, from)?, places(&cluster, &network, to)?);
        let answers = network.answers(&cluster, &sources, &targets, args.port);
        let answer = ReachAnswer::new(from, to, &answers);
        if as_json {
            out(&report::json(&answer)?)?;
        } else {
            args.output.page(&answer.page(), streams.out)?;
        }
    }
    Ok(ExitCode::Nothing)
}

/// What a name stands for.
fn places(cluster: &Cluster, network: &Network, name: &str) -> anyhow::Result<Vec<Place>> {
    let places = network.places(cluster, name);
    if !places.is_empty() {
        return Ok(places);
    }
    let pods = cluster
        .pods
        .iter()
        .flat_map(|(id, pod)| [id.to_string(), cluster.workload_of(pod).to_string()]);
    let services = cluster.services.iter().map(|(id, _)| id.to_string());
    let nodes = cluster.nodes.iter().map(|(id, _)| id.to_string());
    let namespaces = cluster
        .pods
        .iter()
        .map(|(id, _)| format!("Namespace/{}", id.namespace));
    let known: std::collections::BTreeSet<String> =
        pods.chain(services).chain(nodes).chain(namespaces).collect();
    let near = did_you_mean(name, known.iter().map(String::as_str));
    bail!(
        "nothing that sends or receives is called {name}{near}; `beachhead reach INPUT --all` lists workloads"
    );
}
