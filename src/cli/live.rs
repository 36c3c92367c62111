//! A live cluster as input: the flags that say which, as whom and how much of it, and how it is read.
//!
//! **Trap.** `can-i` and `who-can` have flags of their own by the names `--as` and `-n`; they take the connection alone.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::input::ReadInput;
use super::{Streams, safe};
use crate::collect::Matcher;
use crate::collect::live::{self, Live, Options, Progress};
use crate::report::counted;

/// How many kinds that could not be read are named at once; the report names all.
const REFUSALS_SHOWN: usize = 5;

/// The heading of these flags in the help.
const CLUSTER: &str = "Live cluster";

/// Which cluster is talked to, and how.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ConnectionArgs {
    /// The context of the kubeconfig to use
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    context: Option<String>,
    /// The kubeconfig file to use
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    kubeconfig: Option<PathBuf>,
    /// The longest time for one request, such as 30s or 2m [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = CLUSTER)]
    request_timeout: Option<Duration>,
    /// The most requests per second [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = CLUSTER)]
    max_qps: Option<u32>,
}

/// As whom it is talked to.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct UserArgs {
    /// The user to act as
    #[arg(long = "as", value_name = "USER", help_heading = CLUSTER)]
    impersonate: Option<String>,
    /// A group to act as a member of, beside --as
    #[arg(long = "as-group", value_name = "GROUP", requires = "impersonate", help_heading = CLUSTER)]
    impersonate_groups: Vec<String>,
}

/// How much of it is read.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PartArgs {
    /// Fail if anything could not be read from the live cluster
    #[arg(long, help_heading = CLUSTER)]
    require_complete: bool,
    /// Read only this namespace, and what belongs to none
    #[arg(short, long, value_name = "NAMESPACE", help_heading = CLUSTER)]
    pub(super) namespace: Option<String>,
    /// Read only pods and workloads with these labels
    #[arg(short = 'l', long, value_name = "LABELS", help_heading = CLUSTER)]
    selector: Option<String>,
    /// Read Secrets with their values and keep the names of their keys
    #[arg(long, help_heading = CLUSTER)]
    secret_keys: bool,
    /// Ask without any credential too, a few requests, to see whether the API server takes such requests
    #[arg(long, help_heading = CLUSTER)]
    probe_anonymous: bool,
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

/// The first of these flags that is given.
fn first(flags: &[(&'static str, bool)]) -> Option<&'static str> {
    let given = flags.iter().find(|(_, is_given)| *is_given);
    given.map(|(flag, _)| *flag)
}

impl ConnectionArgs {
    /// The first of its flags that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        first(&[
            ("--context", self.context.is_some()),
            ("--kubeconfig", self.kubeconfig.is_some()),
            ("--request-timeout", self.request_timeout.is_some()),
            ("--max-qps", self.max_qps.is_some()),
        ])
    }

    /// The options of a connection with these flags; `context` is the one that INPUT names.
    pub(super) fn options(&self, context: Option<&str>, user: &UserArgs) -> anyhow::Result<Options> {
        if let (Some(named), Some(flag)) = (context, &self.context) {
            bail!("INPUT names the context {named} and --context the context {flag}; leave one of them out");
        }
        let usual = Options::default();
        Ok(Options {
            kubeconfig: self.kubeconfig.clone(),
            context: context.map(str::to_owned).or_else(|| self.context.clone()),
            impersonate: user.impersonate.clone(),
            impersonate_groups: user.impersonate_groups.clone(),
            request_timeout: self.request_timeout.unwrap_or(usual.request_timeout),
            max_qps: self.max_qps.unwrap_or(usual.max_qps),
            ..usual
        })
    }
}

impl UserArgs {
    /// The first of its flags that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        first(&[
            ("--as", self.impersonate.is_some()),
            ("--as-group", !self.impersonate_groups.is_empty()),
        ])
    }
}

impl PartArgs {
    /// The first of its flags that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        first(&[
            ("--require-complete", self.require_complete),
            ("--namespace", self.namespace.is_some()),
            ("--selector", self.selector.is_some()),
            ("--secret-keys", self.secret_keys),
            ("--probe-anonymous", self.probe_anonymous),
        ])
    }

    /// Reads the part of a live cluster that these flags name; `matcher` tells equal values of Secrets.
    pub(super) fn read(
        &self,
        connection: Options,
        matcher: Option<Matcher>,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<ReadInput> {
        if matcher.is_some() && !self.secret_keys {
            bail!(
                "--match-credentials needs the values of Secrets, which are not asked for; \
                 give --secret-keys too, or read a file"
            );
        }
        let options = Options {
            namespace: self.namespace.clone(),
            selector: self.selector.clone(),
            secret_keys: self.secret_keys,
            probe_anonymous: self.probe_anonymous,
            matcher,
            ..connection
        };
        let live = read(&options, streams)?;
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
        Ok(ReadInput {
            name: live.server,
            cluster: live.cluster,
            diagnostics: live.diagnostics,
        })
    }
}

/// Reads a live cluster, and says how much that was and what is missing.
fn read(options: &Options, streams: &mut Streams<'_>) -> anyhow::Result<Live> {
    let began = Instant::now();
    streams.stage("reading the cluster");
    let live = live::read(options, &mut |progress| streams.say(far(progress, began)));
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
