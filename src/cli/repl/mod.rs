//! `beachhead repl`: a prompt for queries to the attack graph.
//!
//! A statement is a query, which ends with `;` or an empty line, or a command, which begins with `:`. [`core`] carries
//! statements out and knows no terminal; [`editor`] reads them from one; without a terminal they are read from
//! standard input.
//!
//! **Trap.** An assumption changes the graph, so the graph and all that was made of it are made anew.

mod command;
mod compare;
mod complete;
mod core;
mod editor;
mod files;
mod help;
mod inspect;
mod pager;
mod schema;
mod script;
mod session;

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use reedline::Signal;

use self::core::{Core, Next, Outcome, Part};
use self::schema::Schema;
use self::script::Script;
use self::session::Session;
use super::input::SubjectArgs;
use super::rows::QueryFormat;
use super::{ExitCode, Streams, report, safe, terminal};
use crate::query::AttackView;

/// How often a pause looks whether it is to end.
const PULSE: Duration = Duration::from_millis(50);

/// Ask the attack graph questions at a prompt
///
/// Queries are openCypher and end with `;` or an empty line; commands begin with `:` and end with their line.
/// Statements may be piped in; then the exit status is 2 if one of them failed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::overview())]
pub(super) struct ReplArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// The form of results
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    format: QueryFormat,
    /// Stop a query that takes longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = super::rows::seconds)]
    timeout: Option<f64>,
    /// A folder of saved queries of your own: ID.cypher
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    /// Let `!COMMAND` at the prompt ask the shell
    #[arg(long)]
    shell: bool,
    /// Where statements are remembered; by default in the user's state folder
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

pub(super) fn run(args: &ReplArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    if args.subject.input.is_stdin() {
        bail!("INPUT cannot be standard input: statements come from there");
    }
    let mut session = Session::new(
        args.format,
        args.timeout,
        args.queries.clone(),
        args.subject.clone(),
    );
    session.shell = args.shell;
    let interrupt = Arc::clone(&session.interrupt);
    // Another handler of the process may be there already, as in a test; then that one decides.
    let _ = ctrlc::set_handler(move || interrupt.store(true, Ordering::Relaxed));
    let mut subject = args.subject.clone();
    let mut source = source(args.history.clone(), streams)?;
    let mut analysis = subject.analyse(streams)?;
    analysis.warn(streams.err);
    loop {
        let graph = session.graph(&analysis);
        let rows = graph.freeze();
        let view = AttackView::new(&graph, &rows).with_cluster(&analysis.cluster, &analysis.facts);
        let schema = Arc::new(Schema::new(&view));
        source.ready(&schema, &session);
        let mut core = Core::new(&analysis, &graph, &rows, &view, &schema, &mut session);
        let next = match core.watched() {
            Some(outcome) => {
                show(&outcome, false, streams)?;
                pause(&mut session, outcome.next)
            }
            None => talk(&mut core, &mut *source, streams)?,
        };
        let (other, is_same) = match next {
            Next::Quit => return Ok(source.code()),
            Next::Open(path) => {
                let mut other = subject.clone();
                other.input.open(path);
                (other, false)
            }
            Next::Reread => (subject.clone(), true),
            Next::Stay | Next::Rebuild | Next::Edit(_) | Next::Report(_) => continue,
        };
        match other.analyse(streams) {
            Ok(found) => {
                if !is_same {
                    found.warn(streams.err);
                    session.assumed.clear();
                }
                (analysis, subject) = (found, other);
            }
            Err(error) => {
                session.watch = None;
                let outcome = Outcome::of(vec![Part::Error(format!("{error:#}"))]);
                source.failed(show(&outcome, false, streams)?);
            }
        }
    }
}

/// Where statements come from: the terminal, else standard input.
fn source(history: Option<PathBuf>, streams: &mut Streams<'_>) -> anyhow::Result<Box<dyn Source>> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(Box::new(Terminal {
            history: history.or_else(default_history),
            editor: None,
        }));
    }
    let mut lines = Vec::new();
    for line in BufReader::new(&mut *streams.stdin).lines() {
        lines.push(line?);
    }
    Ok(Box::new(Piped {
        statements: Script(lines.into_iter()),
        failed: false,
    }))
}

/// Waits until what is watched is to be asked again; Ctrl-C ends it.
fn pause(session: &mut Session, next: Next) -> Next {
    let Some(watch) = &session.watch else {
        return next;
    };
    let end = Instant::now() + watch.every;
    while Instant::now() < end {
        if session.interrupt.load(Ordering::Relaxed) {
            session.watch = None;
            return Next::Stay;
        }
        thread::sleep(PULSE.min(end.saturating_duration_since(Instant::now())));
    }
    next
}

/// Carries statements out until one asks for another graph or for the end.
fn talk(core: &mut Core<'_, '_>, source: &mut dyn Source, streams: &mut Streams<'_>) -> anyhow::Result<Next> {
    while let Some(text) = source.next()? {
        let mut outcome = core.eval(&text);
        if source.is_terminal() && core.session.interrupt.swap(false, Ordering::Relaxed) {
            // Behind the ^C that the terminal shows.
            writeln!(streams.out)?;
        }
        if let Next::Edit(text) = &outcome.next {
            outcome = match editor::edited(text) {
                Ok(text) => core.eval(&text),
                Err(error) => Outcome::of(vec![Part::Error(format!("{error:#}"))]),
            };
        }
        if let Next::Report(path) = &outcome.next {
            outcome = match report::write_html(core.analysis, path, streams) {
                Ok(()) => Outcome::note(format!("the report is in {}", path.display())),
                Err(error) => Outcome::of(vec![Part::Error(format!("{error:#}"))]),
            };
        }
        let paged = source.is_terminal() && core.session.paging;
        let failed = show(&outcome, paged, streams)?;
        source.failed(failed);
        if !matches!(outcome.next, Next::Stay | Next::Edit(_)) {
            return Ok(outcome.next);
        }
    }
    Ok(Next::Quit)
}

/// Writes what a statement gave; whether it failed.
fn show(outcome: &Outcome, paged: bool, streams: &mut Streams<'_>) -> anyhow::Result<bool> {
    let mut failed = false;
    for part in &outcome.parts {
        let mut text = Vec::new();
        match part {
            Part::Page(page) => terminal::write_page(page, &mut text)?,
            Part::Text(plain) => text.extend(safe(plain).as_bytes()),
            Part::Note(text) => writeln!(streams.err, "{}", safe(text))?,
            Part::Error(text) => {
                failed = true;
                let style = anstyle::AnsiColor::Red.on_default().bold();
                writeln!(streams.err, "{style}error{style:#}: {}", safe(text))?;
            }
        }
        if paged {
            let text = String::from_utf8_lossy(&text);
            let plain = anstream::adapter::strip_str(&text).to_string();
            pager::show(if colours() { &text } else { &plain }, streams.out)?;
        } else {
            streams.out.write_all(&text)?;
        }
    }
    streams.out.flush()?;
    Ok(failed)
}

/// Whether the terminal may be written to in colours: <https://no-color.org>.
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Where statements come from.
trait Source {
    /// Prepares for a graph of these names.
    fn ready(&mut self, _: &Arc<Schema>, _: &Session) {}
    /// The next statement; none at the end.
    fn next(&mut self) -> anyhow::Result<Option<String>>;
    /// Learns whether the statement failed.
    fn failed(&mut self, _: bool) {}
    /// Whether someone sits there.
    fn is_terminal(&self) -> bool {
        false
    }
    fn code(&self) -> ExitCode {
        ExitCode::Nothing
    }
}

struct Piped {
    statements: Script<std::vec::IntoIter<String>>,
    failed: bool,
}

impl Source for Piped {
    fn next(&mut self) -> anyhow::Result<Option<String>> {
        Ok(self.statements.next())
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

struct Terminal {
    history: Option<PathBuf>,
    editor: Option<reedline::Reedline>,
}

impl Source for Terminal {
    fn ready(&mut self, schema: &Arc<Schema>, session: &Session) {
        let saved = session.saved_ids();
        self.editor = Some(editor::editor(
            Arc::clone(schema),
            saved,
            self.history.clone(),
            colours(),
        ));
    }

    fn is_terminal(&self) -> bool {
        true
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
