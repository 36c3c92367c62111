//! What makes a report fail: how bad, what is new, what someone took on themselves.
//!
//! **Trap.** A file that was named and cannot be read is a failure: a gate that cannot see must not pass.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use serde::Deserialize;

use super::{ExitCode, Streams, safe};
use crate::report::{Day, Finding, FindingSeverity, IgnoreList, State};

/// The ignore file that is read if there is one.
const IGNORE_FILE: &str = ".beachhead-ignore";

/// What the exit status says.
#[derive(Debug, clap::Args)]
pub(super) struct JudgementArgs {
    /// Exit with status 1 if a finding is at least this bad, is not in the baseline and not ignored
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = FailOn::None)]
    fail_on: FailOn,
    /// An earlier report (--format json): its findings are known and do not fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// The file of ignored findings [default: .beachhead-ignore in the current folder, if there is one]
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// The day by which the end of ignored findings is judged [default: today, in UTC]
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<Day>,
}

/// What makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Nothing: the status is 0 whatever is found
    None,
    /// Critical findings
    Critical,
    /// High and critical findings
    High,
    /// Medium, high and critical findings
    Medium,
    /// Any finding
    Low,
    /// Any finding: a path from an entry point to a crown jewel
    Path,
}

impl FailOn {
    fn least(self) -> Option<FindingSeverity> {
        match self {
            Self::None => None,
            Self::Critical => Some(FindingSeverity::Critical),
            Self::High => Some(FindingSeverity::High),
            Self::Medium => Some(FindingSeverity::Medium),
            Self::Low | Self::Path => Some(FindingSeverity::Low),
        }
    }
}

#[derive(Deserialize)]
struct Baseline {
    schema: String,
    findings: Vec<BaselineFinding>,
}

#[derive(Deserialize)]
struct BaselineFinding {
    id: String,
}

impl JudgementArgs {
    /// Marks what is known and what is ignored.
    pub(super) fn mark(&self, findings: &mut [Finding], streams: &mut Streams<'_>) -> anyhow::Result<()> {
        if let Some(path) = &self.baseline {
            let known = read_baseline(path)?;
            for finding in findings.iter_mut().filter(|finding| known.contains(&finding.id)) {
                finding.state = State::Known;
            }
        }
        let Some((path, text)) = self.ignore_text()? else {
            return Ok(());
        };
        let list = IgnoreList::read(&text).with_context(|| format!("cannot use {}", path.display()))?;
        for line in list.apply(findings, self.today.unwrap_or_else(Day::today)) {
            let _ = writeln!(streams.err, "warning: {}", safe(&line.replace('\n', "\\n")));
        }
        Ok(())
    }

    fn ignore_text(&self) -> anyhow::Result<Option<(PathBuf, String)>> {
        let path = self
            .ignore_file
            .clone()
            .unwrap_or_else(|| PathBuf::from(IGNORE_FILE));
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some((path, text))),
            Err(error) if error.kind() == ErrorKind::NotFound && self.ignore_file.is_none() => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Returns the exit status for what was found.
    pub(super) fn status(&self, findings: &[Finding]) -> ExitCode {
        let Some(least) = self.fail_on.least() else {
            return ExitCode::Nothing;
        };
        let fails = |finding: &&Finding| finding.state == State::Open && finding.severity >= least;
        match findings.iter().find(fails) {
            Some(_) => ExitCode::Found,
            None => ExitCode::Nothing,
        }
    }
}

fn read_baseline(path: &Path) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let baseline: Baseline = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no baseline; write one with `beachhead report INPUT --format json -o FILE`",
            path.display()
        )
    })?;
    if !baseline.schema.starts_with("beachhead.report/") {
        bail!(
            "{} is no report: its schema is {}",
            path.display(),
            baseline.schema
        );
    }
    Ok(baseline.findings.into_iter().map(|finding| finding.id).collect())
}
