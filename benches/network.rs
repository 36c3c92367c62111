//! How long it takes from the model of the largest cluster to hubs, at three shares of default-deny namespaces.
//!
//! `BEACHHEAD_BENCH_PODS=150000,300000,600000 cargo bench --bench network` evaluates clusters of so many pods, with
//! nodes, Services and policies in proportion, and prints a line for each: sizes, the best of three times, and the
//! memory that is kept and that is needed at the peak, both beyond the model; then what one policy more takes.
//! Targets at 150,000 pods: 0.6 s on one core, 150 MB, 20 ms.
//!
//! **Trap.** The cluster is generated and read first, which takes far longer than what is measured.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use beachhead::model::{Cluster, NetworkPolicy};
use beachhead::network::Network;
use criterion::{Criterion, criterion_group};
use peak_alloc::PeakAlloc;

mod largest;

use largest::cluster;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The largest cluster that Kubernetes supports.
const PODS: u32 = 150_000;
/// Shares of namespaces with a default-deny policy, in percent.
const DENY: [u32; 3] = [30, 60, 90];

fn hubs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("network");
    group.sample_size(10);
    for deny in DENY {
        let cluster = cluster(PODS, deny);
        group.bench_function(format!("model to hubs, {deny} % default-deny"), |bench| {
            bench.iter(|| black_box(Network::new(black_box(&cluster))));
        });
    }
    group.finish();
}

/// Prints what it takes to evaluate a cluster.
fn measure(pods: u32, deny: u32) -> io::Result<()> {
    let cluster = cluster(pods, deny);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let evaluated = Network::new(&cluster);
    let megabytes = |bytes: usize| bytes.saturating_sub(before) / 1_000_000;
    let (kept, peak) = (megabytes(MEMORY.current_usage()), megabytes(MEMORY.peak_usage()));
    let network = &evaluated.0;
    let best = (0..3).map(|_| timed(|| Network::new(&cluster))).min();
    writeln!(
        io::stdout(),
        "{pods} pods, {deny} % default-deny: {} policies, {} groups, {} hubs, {} exposures; {} ms; \
         {kept} MB kept, {peak} MB at the peak",
        cluster.network_policies.len(),
        network.groups().len(),
        network.hubs().len(),
        network.exposures().len(),
        best.unwrap_or_default().as_millis(),
    )?;
    add(&cluster, network)
}

/// Prints what it takes to add a policy.
fn add(cluster: &Cluster, network: &Network) -> io::Result<()> {
    let namespace = network.groups().iter().max_by_key(|group| group.pods.len());
    let namespace = namespace.map_or("default", |group| group.namespace.as_str());
    let specs = [
        (
            "closes a namespace",
            r#"{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}"#,
        ),
        (
            "opens a port to all namespaces",
            r#"{"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080}]}]}"#,
        ),
        (
            "selects by labels that no policy named before",
            r#"{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "new"}},
                "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {"matchExpressions":
                    [{"key": "pod-template-hash", "operator": "Exists"}]}}]}]}"#,
        ),
    ];
    for (what, spec) in specs {
        let text =
            format!(r#"{{"metadata": {{"namespace": "{namespace}", "name": "bench-new"}}, "spec": {spec}}}"#);
        let policy: NetworkPolicy = serde_json::from_str(&text).map_err(io::Error::other)?;
        let clone = (0..5)
            .map(|_| timed(|| network.clone()))
            .min()
            .unwrap_or_default();
        let added = (0..5).map(|_| {
            let copy = network.clone();
            timed(|| copy.with_policy(cluster, &policy))
        });
        let added = added.min().unwrap_or_default();
        writeln!(
            io::stdout(),
            "  a policy that {what}: {} us, beside {} us for a copy to compare with",
            added.as_micros(),
            clone.as_micros()
        )?;
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let made = black_box(work());
    let time = start.elapsed();
    drop(made);
    time
}

criterion_group!(benches, hubs);

fn main() -> io::Result<()> {
    if let Ok(sizes) = std::env::var("BEACHHEAD_BENCH_PODS") {
        for pods in sizes.split(',') {
            let pods = pods.trim().parse().map_err(io::Error::other)?;
            for deny in DENY {
                measure(pods, deny)?;
            }
        }
        return Ok(());
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    Ok(())
}
