//! The command line: arguments, terminal, exit status. The only place that prints.
//!
//! Results go to standard output, everything else to standard error. [`run`] is the whole command with its
//! streams as arguments, so that tests and `main` run the same code.
//!
//! **Trap.** Text of the cluster reaches a stream through `terminal` only.

mod analysis;
mod can_i;
mod drawing;
mod exit_code;
mod explain;
mod graph;
mod graphviz;
mod input;
mod judgement;
mod live;
mod output;
mod page;
mod paths;
mod progress;
mod query;
mod question;
mod reach;
mod reason;
mod repl;
mod report;
mod rows;
mod saved;
mod selection;
mod snapshot;
mod terminal;
mod verify;
mod who_can;

use std::ffi::OsString;
use std::io::{self, Read, Write};

use clap::Parser;

use progress::Progress;

pub use exit_code::ExitCode;
pub use terminal::safe;

/// Finds the cheapest ways from what a Kubernetes cluster exposes to its databases and to cluster-admin
///
/// Reads manifests, `kubectl get -o json` dumps, snapshots and live clusters, builds an attack graph and proves each
/// step from the cluster's own objects. It changes nothing.
///
/// Exit status: 0 nothing found at or above --fail-on, 1 something found, 2 failure.
#[derive(Debug, Parser)]
#[command(name = "beachhead", version)]
struct Arguments {
    /// Say on standard error how long each stage takes
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Report(report::ReportArgs),
    Paths(paths::PathsArgs),
    Graph(graph::GraphArgs),
    Query(query::QueryArgs),
    Repl(repl::ReplArgs),
    Reach(reach::ReachArgs),
    Explain(explain::ExplainArgs),
    Snapshot(snapshot::SnapshotArgs),
    Verify(verify::VerifyArgs),
    CanI(can_i::CanIArgs),
    WhoCan(who_can::WhoCanArgs),
}

/// The streams of a run.
struct Streams<'a> {
    stdin: &'a mut dyn Read,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    progress: Progress,
}

impl Streams<'_> {
    /// Begins a stage of the work, and ends the one before.
    fn stage(&mut self, does: &'static str) {
        self.progress.stage(does, self.err);
    }

    /// Says how far the stage is.
    fn say(&self, far: String) {
        self.progress.say(far);
    }

    /// Ends the last stage; something is to be written.
    fn stage_done(&mut self) {
        self.progress.end(self.err);
    }
}

/// How results are written that have a text and a JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Runs the command with these arguments, the program's name first.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    stdin: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, out, err),
    };
    let mut streams = Streams {
        stdin,
        out,
        err,
        progress: Progress::new(arguments.verbose),
    };
    let result = match arguments.command {
        Command::Report(args) => report::run(&args, &mut streams),
        Command::Paths(args) => paths::run(&args, &mut streams),
        Command::Graph(args) => graph::run(&args, &mut streams),
        Command::Query(args) => query::run(&args, &mut streams),
        Command::Repl(args) => repl::run(&args, &mut streams),
        Command::Reach(args) => reach::run(&args, &mut streams),
        Command::Explain(args) => explain::run(&args, &mut streams),
        Command::Snapshot(args) => snapshot::run(&args, &mut streams),
        Command::Verify(args) => verify::run(&args, &mut streams),
        Command::CanI(args) => can_i::run(&args, &mut streams),
        Command::WhoCan(args) => who_can::run(&args, &mut streams),
    };
    streams.stage_done();
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::Nothing,
        Err(error) => {
            let _ = writeln!(streams.err, "error: {}", safe(&format!("{error:#}")));
            ExitCode::Failure
        }
    }
}

/// Shows help where it was asked for, else what is wrong with the arguments.
fn usage(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let text = error.render();
    if error.use_stderr() {
        let _ = write!(err, "{}", text.ansi());
        ExitCode::Failure
    } else {
        let _ = write!(out, "{}", text.ansi());
        ExitCode::Nothing
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let arguments = ["beachhead", "explain", "--list"].map(OsString::from);
        let mut err = Vec::new();
        let code = run(arguments, &mut io::empty(), &mut Closed, &mut err);
        assert_eq!((code, err.as_slice()), (ExitCode::Nothing, &b""[..]));
    }
}
