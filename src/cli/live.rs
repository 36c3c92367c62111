//! A live cluster as input: `report` and `snapshot` read one when they are given no file.
//!
//! **Trap.** The flags of a cluster mean nothing for a file; naming both is refused, not ignored.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::analysis::{Analysis, ConfigArgs, FileArgs, HowArgs};
use super::{Streams, safe};
use crate::collect;
use crate::collect::live::{self, Live, Options, Progress};
use crate::model::{Cluster, Diagnostic};
use crate::report::counted;

/// How many kinds that could not be read are named at once; the report names all.
const REFUSALS_SHOWN: usize = 5;

/// What to read: a file, or a cluster without one.
#[derive(Debug, clap::Args)]
pub(super) struct ReadArgs {
    /// A snapshot, a folder or file of manifests, a `kubectl get -o json` dump, or - for standard input; without
    /// it, the live cluster of the current context
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    live: LiveArgs,
    /// Fail if anything could not be read from the live cluster
    #[arg(long, help_heading = CLUSTER, conflicts_with = "input")]
    require_complete: bool,
    /// Read only this namespace, and what belongs to none
    #[arg(short, long, value_name = "NAMESPACE", help_heading = CLUSTER, conflicts_with = "input")]
    namespace: Option<String>,
    /// Read only pods and workloads with these labels
    #[arg(short = 'l', long, value_name = "LABELS", help_heading = CLUSTER, conflicts_with = "input")]
    selector: Option<String>,
    /// Read Secrets with their values and keep the names of their keys
    #[arg(long, help_heading = CLUSTER, conflicts_with = "input")]
    secret_keys: bool,
}

/// The heading of these flags in the help.
const CLUSTER: &str = "Live cluster";

/// Which cluster is talked to, and how.
#[derive(Debug, clap::Args)]
pub(super) struct LiveArgs {
    /// The context of the kubeconfig to use
    #[arg(long, value_name = "NAME", help_heading = CLUSTER, conflicts_with = "input")]
    context: Option<String>,
    /// The kubeconfig file to use
    #[arg(long, value_name = "FILE", help_heading = CLUSTER, conflicts_with = "input")]
    kubeconfig: Option<PathBuf>,
    /// The user to act as
    #[arg(long = "as", value_name = "USER", help_heading = CLUSTER, conflicts_with = "input")]
    impersonate: Option<String>,
    /// A group to act as a member of, beside --as
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate", help_heading = CLUSTER)]
    impersonate_groups: Vec<String>,
    /// The longest time for one request, such as 30s or 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, help_heading = CLUSTER)]
    request_timeout: Duration,
    /// The most requests per second
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..), help_heading = CLUSTER)]
    max_qps: u32,
}

/// Reads `30`, `30s`, `2m`, `1h` and `500ms`, as kubectl does.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write 30s, 2m or 500ms");
    let at = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    match Duration::try_from_secs_f64(number * factor) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(wrong()),
    }
}

impl LiveArgs {
    /// The options of a connection with these flags.
    fn options(&self) -> Options {
        Options {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            impersonate: self.impersonate.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            request_timeout: self.request_timeout,
            max_qps: self.max_qps,
            ..Options::default()
        }
    }
}

impl ReadArgs {
    /// The namespace to read, if it is only one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Reads the file, in this way, or the cluster; its name, the cluster and what there is to know about it.
    pub(super) fn read(
        &self,
        streams: &mut Streams<'_>,
        options: collect::Options,
    ) -> anyhow::Result<(String, Cluster, Vec<Diagnostic>)> {
        if let Some(input) = &self.input {
            let file = FileArgs {
                input: input.clone(),
                how: self.how.clone(),
            };
            let (cluster, diagnostics) = file.read_with(streams.stdin, options)?;
            return Ok((file.name(), cluster, diagnostics));
        }
        let live = self.read_live(streams)?;
        let missing = &live.cluster.coverage.refused;
        if self.require_complete && !missing.is_empty() {
            let names: Vec<String> = (missing.iter())
                .map(|refusal| format!("\n  {}: {}", refusal.resource, refusal.reason))
                .collect();
            bail!(
                "{} could not be read whole, and --require-complete was given:{}",
                counted(missing.len(), "resource"),
                names.concat()
            );
        }
        Ok((live.server, live.cluster, live.diagnostics))
    }

    /// Reads the input and draws the first conclusions.
    pub(super) fn analyse(&self, config: &ConfigArgs, streams: &mut Streams<'_>) -> anyhow::Result<Analysis> {
        let settings = config.settings()?;
        if self.input.is_some() {
            streams.stage("reading the input");
        }
        let (name, cluster, diagnostics) = self.read(streams, collect::Options::default())?;
        Ok(Analysis::new(name, cluster, diagnostics, &settings, streams))
    }

    fn read_live(&self, streams: &mut Streams<'_>) -> anyhow::Result<Live> {
        let options = Options {
            namespace: self.namespace.clone(),
            selector: self.selector.clone(),
            secret_keys: self.secret_keys,
            ..self.live.options()
        };
        let began = Instant::now();
        streams.stage("reading the cluster");
        let live = live::read(&options, &mut |progress| streams.say(far(progress, began)));
        streams.stage_done();
        let live = live?;
        let err = &mut *streams.err;
        let coverage = &live.cluster.coverage;
        let _ = writeln!(
            err,
            "{}: {} in {}, {:.1} MiB, {:.1} s",
            safe(&live.server),
            counted(live.objects, "object"),
            counted(usize::try_from(live.requests)?, "request"),
            mebibytes(live.bytes),
            began.elapsed().as_secs_f32(),
        );
        for refusal in coverage.refused.iter().take(REFUSALS_SHOWN) {
            let text = format!("{}: {}", refusal.resource, refusal.reason);
            let _ = writeln!(err, "warning: not complete: {}", safe(&text));
        }
        if let Some(more) = coverage.refused.len().checked_sub(REFUSALS_SHOWN + 1) {
            let more = counted(more + 1, "more resource");
            let _ = writeln!(err, "warning: not complete: {more}; `beachhead report` lists all");
        }
        Ok(live)
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// How far the reading is, in a line.
fn far(progress: Progress, began: Instant) -> String {
    let Progress {
        objects,
        kinds_done,
        kinds,
    } = progress;
    let rate = objects as u128 * 1000 / began.elapsed().as_millis().max(1);
    format!("{objects} objects, {rate}/s, {kinds_done} of {kinds} kinds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_for_kubectl() {
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "0", "-1s", "5 s", "1m30s", "soon", "1e999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
