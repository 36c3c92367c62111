//! `beachhead repl`: a prompt for queries to the attack graph.
//!
//! A statement is a query, which ends with `;` or an empty line, or a command, which begins with `:`. [`core`] carries
//! statements out and knows no terminal; [`editor`] reads them from one; without a terminal they are read from
//! standard input.
//!
//! **Trap.** An assumption changes the graph, so the graph and all that was made of it are made anew.

mod command;
mod complete;
mod core;
mod editor;
mod help;
mod schema;
mod session;

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::bail;
use reedline::Signal;

use self::core::{Core, Next, Outcome, Part};
use self::schema::Schema;
use self::session::Session;
use super::input::InputArgs;
use super::rows::QueryFormat;
use super::{ExitCode, Streams, safe, terminal};
use crate::query::{AttackView, is_statement};

/// Ask the attack graph questions at a prompt
///
/// Queries are openCypher and end with `;` or an empty line; `:help` lists the commands. Statements may be piped in.
#[derive(Debug, clap::Args)]
pub(super) struct ReplArgs {
    #[command(flatten)]
    input: InputArgs,
    /// The form of results
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    format: QueryFormat,
    /// Stop a query that takes longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = super::rows::seconds)]
    timeout: Option<f64>,
    /// A folder of saved queries of your own: ID.cypher
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    /// Where statements are remembered; by default in the user's state folder
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

pub(super) fn run(args: &ReplArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    if args.input.is_stdin() {
        bail!("INPUT cannot be standard input: statements come from there");
    }
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut session = Session::new(args.format, args.timeout, args.queries.clone());
    let interrupt = Arc::clone(&session.interrupt);
    // Another handler of the process may be there already, as in a test; then that one decides.
    let _ = ctrlc::set_handler(move || interrupt.store(true, Ordering::Relaxed));
    let mut input = args.input.clone();
    let mut source: Box<dyn Source> = if is_terminal {
        let history = args.history.clone().or_else(default_history);
        Box::new(Terminal {
            history,
            editor: None,
        })
    } else {
        let mut lines = Vec::new();
        for line in BufReader::new(&mut *streams.stdin).lines() {
            lines.push(line?);
        }
        Box::new(Piped {
            lines: lines.into_iter(),
            failed: false,
        })
    };
    loop {
        let analysis = input.analyse(streams)?;
        analysis.warn(streams.err);
        loop {
            let graph = session.graph(&analysis);
            let rows = graph.freeze();
            let view = AttackView::new(&graph, &rows);
            let schema = Arc::new(Schema::new(&view));
            source.ready(&schema, &session);
            let mut core = Core::new(&analysis, &graph, &rows, &view, &schema, &mut session);
            match talk(&mut core, &mut *source, streams)? {
                Next::Rebuild | Next::Stay => {}
                Next::Open(path) => {
                    input.open(path);
                    session.assumed.clear();
                    break;
                }
                Next::Quit => return Ok(source.code()),
            }
        }
    }
}

/// Carries statements out until one asks for another graph or for the end.
fn talk(core: &mut Core<'_, '_>, source: &mut dyn Source, streams: &mut Streams<'_>) -> anyhow::Result<Next> {
    while let Some(text) = source.next()? {
        let outcome = core.eval(&text);
        let failed = show(&outcome, streams)?;
        source.failed(failed);
        if !matches!(outcome.next, Next::Stay) {
            return Ok(outcome.next);
        }
    }
    Ok(Next::Quit)
}

/// Writes what a statement gave; whether it failed.
fn show(outcome: &Outcome, streams: &mut Streams<'_>) -> anyhow::Result<bool> {
    let mut failed = false;
    for part in &outcome.parts {
        match part {
            Part::Page(page) => terminal::write_page(page, streams.out)?,
            Part::Text(text) => streams.out.write_all(safe(text).as_bytes())?,
            Part::Note(text) => writeln!(streams.err, "{}", safe(text))?,
            Part::Error(text) => {
                failed = true;
                let style = anstyle::AnsiColor::Red.on_default().bold();
                writeln!(streams.err, "{style}error{style:#}: {}", safe(text))?;
            }
        }
    }
    streams.out.flush()?;
    Ok(failed)
}

/// Where statements come from.
trait Source {
    /// Prepares for a graph of these names.
    fn ready(&mut self, _: &Arc<Schema>, _: &Session) {}
    /// The next statement; none at the end.
    fn next(&mut self) -> anyhow::Result<Option<String>>;
    /// Learns whether the statement failed.
    fn failed(&mut self, _: bool) {}
    fn code(&self) -> ExitCode {
        ExitCode::Nothing
    }
}

struct Piped {
    lines: std::vec::IntoIter<String>,
    failed: bool,
}

impl Source for Piped {
    fn next(&mut self) -> anyhow::Result<Option<String>> {
        let mut text = String::new();
        for line in self.lines.by_ref() {
            text.push_str(&line);
            text.push('\n');
            if text.trim().is_empty() {
                text.clear();
            } else if command::is_command(&text) || (is_statement(&text) && is_end(&text, &line)) {
                return Ok(Some(text));
            }
        }
        Ok((!text.trim().is_empty()).then_some(text))
    }

    fn failed(&mut self, failed: bool) {
        self.failed |= failed;
    }

    fn code(&self) -> ExitCode {
        if self.failed {
            ExitCode::Failure
        } else {
            ExitCode::Nothing
        }
    }
}

/// Whether a statement of piped lines is over: a query may go on in the next line unless it says that it ends.
fn is_end(text: &str, last: &str) -> bool {
    last.trim().is_empty() || text.trim_end().ends_with(';')
}

struct Terminal {
    history: Option<PathBuf>,
    editor: Option<reedline::Reedline>,
}

impl Source for Terminal {
    fn ready(&mut self, schema: &Arc<Schema>, session: &Session) {
        let colours = std::env::var_os("NO_COLOR").is_none();
        let saved = session.saved_ids();
        self.editor = Some(editor::editor(
            Arc::clone(schema),
            saved,
            self.history.clone(),
            colours,
        ));
    }

    fn next(&mut self) -> anyhow::Result<Option<String>> {
        let Some(editor) = &mut self.editor else {
            return Ok(None);
        };
        loop {
            match editor.read_line(&editor::Marks)? {
                Signal::Success(text) if text.trim().is_empty() => {}
                Signal::Success(text) => return Ok(Some(text)),
                Signal::CtrlD => return Ok(None),
                _ => {}
            }
        }
    }
}

/// `$XDG_STATE_HOME/beachhead/history`, else below `~/.local/state`.
fn default_history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let folder = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(folder.join("beachhead/history"))
}
