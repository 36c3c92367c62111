//! Writes a whole made-up cluster of any size: to try Beachhead on, and to measure it.
//!
//! ```console
//! cargo run --release --example generate_cluster -- --nodes 5000 --pods 150000 --services 10000 \
//!     --policies 5000 -o cluster.json
//! ```
//!
//! The same arguments give the same bytes everywhere.

mod access;
mod manifest;
mod network;
mod plan;
mod pods;
mod prng;
mod settings;
mod sink;
mod workloads;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Parser;

pub(crate) use plan::{Plan, Size};
use prng::Prng;
pub(crate) use sink::Sink;

/// Writes a made-up cluster, the same one for the same arguments.
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    size: Size,
    /// What to write
    #[arg(long, value_enum, default_value = "dump")]
    format: Format,
    /// Where to write it; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// One JSON List as of `kubectl get -A -o json`
    Dump,
    /// One JSON List as of `kubectl get pods -A -o json`
    Pods,
    /// A snapshot file of Beachhead
    Snapshot,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let out: Box<dyn Write> = if args.output.as_os_str() == "-" {
        Box::new(io::stdout().lock())
    } else {
        Box::new(File::create(&args.output)?)
    };
    let out = BufWriter::with_capacity(1 << 20, out);
    let sink = match args.format {
        Format::Dump => Sink::dump(out)?,
        Format::Pods => Sink::dump_of(Some("Pod"), out)?,
        Format::Snapshot => Sink::snapshot(out),
    };
    Ok(put_cluster(&Plan::new(args.size), sink)?)
}

/// Writes every object of a plan.
pub(crate) fn put_cluster<W: Write>(plan: &Plan, mut sink: Sink<W>) -> io::Result<()> {
    let mut rng = Prng::new(!plan.size.seed);
    settings::put_nodes(plan, &mut rng, &mut sink)?;
    access::put_cluster_roles(&mut rng, &mut sink)?;
    for namespace in &plan.namespaces {
        settings::put_namespace(namespace, &mut rng, &mut sink)?;
        access::put_namespace_access(namespace, &mut rng, &mut sink)?;
    }
    for workload in &plan.workloads {
        access::put_workload_access(plan, workload, &mut sink)?;
        settings::put_settings(plan, workload, &mut sink)?;
        workloads::put_workload(plan, workload, &mut sink)?;
    }
    network::put_services(plan, &mut rng, &mut sink)?;
    network::put_policies(plan, &mut rng, &mut sink)?;
    sink.finish()
}
