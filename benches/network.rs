//! How long it takes from the model of the largest cluster to hubs, at three shares of default-deny namespaces.
//!
//! `BEACHHEAD_BENCH_SCALE=4 cargo bench --bench network` divides every size by four for a quick look;
//! `BEACHHEAD_BENCH_MEMORY=1` evaluates once and prints the memory that is left and the peak.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::io::Write as _;

use beachhead::collect::{Input, Options, read};
use beachhead::model::Cluster;
use beachhead::network::Network;
use criterion::{Criterion, criterion_group};

#[path = "../examples/generate_cluster/main.rs"]
#[expect(dead_code, reason = "the example's main and arguments are not used here")]
mod generate_cluster;

use generate_cluster::{Plan, Sink, Size, put_cluster};

fn scale() -> u32 {
    let given = std::env::var("BEACHHEAD_BENCH_SCALE").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A cluster with `deny` percent of its namespaces default-deny.
fn cluster(deny: u32) -> Cluster {
    let scale = scale();
    let plan = Plan::new(Size {
        seed: 1,
        nodes: 5_000 / scale,
        pods: 150_000 / scale,
        namespaces: None,
        services: 10_000 / scale,
        policies: 5_000 / scale,
        default_deny: deny,
    });
    let mut bytes = Vec::new();
    put_cluster(&plan, Sink::snapshot(&mut bytes)).expect("room to write");
    let mut reader = bytes.as_slice();
    let input = Input::Stream {
        name: "generated",
        reader: &mut reader,
    };
    read(input, &Options::default()).expect("a snapshot").0
}

fn hubs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("network");
    group.sample_size(10);
    for deny in [30, 60, 90] {
        let cluster = cluster(deny);
        let (network, _) = Network::new(&cluster);
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{deny} % default-deny: {} pods, {} groups, {} units, {} hubs, {} exposures",
            cluster.pods.len(),
            network.groups().len(),
            network.units().len(),
            network.hubs().len(),
            network.exposures().len()
        )
        .expect("standard output");
        drop(network);
        group.bench_function(format!("model to hubs, {deny} % default-deny"), |bench| {
            bench.iter(|| black_box(Network::new(black_box(&cluster))));
        });
    }
    group.finish();
}

/// The memory of this process in KiB: in use now, and the most so far.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or(0)
    };
    (line("VmRSS:"), line("VmHWM:"))
}

fn memory_once() {
    let cluster = cluster(30);
    // Resets the peak: https://docs.kernel.org/filesystems/proc.html
    let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let (before, _) = memory();
    let network = Network::new(&cluster);
    let (after, peak) = memory();
    let mut out = std::io::stdout();
    writeln!(
        out,
        "model {before} KiB; network {} KiB more, peak {} KiB more{}",
        after.saturating_sub(before),
        peak.saturating_sub(before),
        if reset { "" } else { " (peak of the whole run)" }
    )
    .expect("standard output");
    black_box(network);
}

criterion_group!(benches, hubs);

fn main() {
    if std::env::var_os("BEACHHEAD_BENCH_MEMORY").is_some() {
        memory_once();
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
