//! How fast a `kubectl get -o json` dump becomes the model, in bytes per second, and how much memory that takes.
//!
//! `BEACHHEAD_BENCH_PODS=150000 cargo bench --bench collect` reads one List of that many pods, then the dump of a
//! whole cluster of as many, each once. The target is 300 MB/s on two cores and less than 1.2 GB of memory at the
//! peak. How many times faster that is than one core of `serde_json` passing over the same text, keeping nothing,
//! tells two machines apart from two versions.
//!
//! **Trap.** On a busy machine only the processor time tells: `cpu` is that of all threads together.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::fs;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use beachhead::collect::{Input, Options, read};
use criterion::{Criterion, Throughput, criterion_group};
use serde::de::IgnoredAny;

mod largest;

use largest::{Sink, put_cluster};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SMALL: u32 = 20_000;
/// Percent of namespaces with a default-deny policy.
const DENY: u32 = 30;

fn whole_cluster(criterion: &mut Criterion) {
    let mut text = Vec::new();
    let sink = Sink::dump(&mut text).expect("memory");
    put_cluster(&largest::plan(SMALL, DENY), sink).expect("memory");
    let mut group = criterion.benchmark_group("collect");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(10);
    group.bench_function("whole cluster", |bench| {
        bench.iter(|| {
            let input = Input::Stream {
                name: "cluster.json",
                reader: &mut text.as_slice(),
            };
            let (cluster, _) = read(input, &Options::default()).expect("a cluster");
            assert_eq!(cluster.pods.len(), SMALL as usize);
            black_box(cluster)
        });
    });
    group.finish();
}

/// Reads one file of a cluster of `pods` pods once, of one kind or of all, and prints what it took.
fn one_large_file(pods: u32, only: Option<&'static str>) -> io::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    put_cluster(
        &largest::plan(pods, DENY),
        Sink::dump_of(only, BufWriter::new(file.reopen()?))?,
    )?;
    let megabytes = f64::from(u32::try_from(file.path().metadata()?.len() / 1000).unwrap_or(u32::MAX)) / 1e3;
    let (start, cpu) = (Instant::now(), processor_time());
    let (cluster, diagnostics) = read(Input::Path(file.path()), &Options::default()).expect("a cluster");
    let (time, cpu) = (start.elapsed().as_secs_f64(), processor_time() - cpu);
    assert_eq!(cluster.pods.len(), pods as usize);
    let (objects, peak) = (cluster.objects().count(), peak_memory());
    drop(cluster);
    let scan = scanning(file.path())?;
    writeln!(
        io::stdout(),
        "{megabytes:.0} MB, {objects} objects in {time:.2} s: {:.0} MB/s, {:.2} times serde_json alone; \
         cpu {cpu:.2} s: {:.0} MB/s a core; peak memory {} MB; {} diagnostics",
        megabytes / time,
        scan / time,
        megabytes / cpu,
        peak / 1_000_000,
        diagnostics.len(),
    )
}

/// How long one core takes to pass over a file of JSON that is in memory, in seconds.
fn scanning(path: &Path) -> io::Result<f64> {
    let text = fs::read(path)?;
    let start = Instant::now();
    serde_json::from_slice::<IgnoredAny>(&text)?;
    Ok(start.elapsed().as_secs_f64())
}

/// The processor time of this process in seconds, all threads, user and system; 0 where `/proc` does not say.
fn processor_time() -> f64 {
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    f64::from(ticks) / TICKS
}

/// The most memory this process has held, in bytes; 0 where `/proc` does not say.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes << 10)
}

criterion_group!(benches, whole_cluster);

fn main() -> io::Result<()> {
    if let Ok(pods) = std::env::var("BEACHHEAD_BENCH_PODS") {
        let pods = pods.parse().map_err(io::Error::other)?;
        one_large_file(pods, Some("Pod"))?;
        return one_large_file(pods, None);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    Ok(())
}
