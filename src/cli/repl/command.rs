//! The commands of the prompt: `:name`, also `\name` and `.name`.
//!
//! **Trap.** No query begins with one of these signs, so a command needs no `;` and ends with its line. `!` asks the
//! shell, which a script from elsewhere must not: only the command line allows it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::ValueEnum as _;

use super::compare::{self, Watch};
use super::core::{Core, Next, Outcome, Part};
use super::{files, help, inspect};
use crate::cli::query::parameter;
use crate::cli::rows::{QueryFormat, seconds};
use crate::cli::saved::{all_saved, list};
use crate::cli::who_can;
use crate::query::{Value, did_you_mean, text};
use crate::report::{Page, counted};

/// Names, arguments and what they do.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "help",
        "[TOPIC]",
        "this list, or what a technique, a label, a keyword or a command is",
    ),
    ("schema", "", "labels and types of the graph"),
    ("labels", "", "labels with their numbers"),
    ("types", "", "types with their numbers"),
    (
        "describe",
        "ID",
        "a position: its properties, and what leads to it and from it",
    ),
    ("neighbors", "ID", "the steps that begin or end at a position"),
    ("paths", "FROM TO [K]", "the cheapest attack paths, with evidence"),
    ("reach", "ID", "everything that can be had from a position"),
    (
        "who-can",
        "VERB RESOURCE [NAME] [-n NAMESPACE]",
        "who may do something",
    ),
    (
        "why",
        "[#ROW]",
        "the evidence of each step in a row of the last result",
    ),
    (
        "choke",
        "FROM TO",
        "the places where one cut leaves no way between two positions",
    ),
    (
        "explain",
        "[QUERY]",
        "how a query would be run; without one, the last",
    ),
    ("profile", "[QUERY]", "run a query and show what its parts cost"),
    ("queries", "", "saved queries"),
    ("run", "ID|FILE", "run a saved query, or the statements of a file"),
    (
        "save",
        "NAME|FILE",
        "write the last query to a file, or into the folder of --queries",
    ),
    (
        "edit",
        "[QUERY]",
        "change the last query in $VISUAL or $EDITOR, and run it",
    ),
    (
        "diff",
        "INPUT [QUERY]",
        "the rows of a query, or of the last one, that only this input or another has",
    ),
    (
        "watch",
        "SECONDS [TIMES]",
        "read the input again and again, and show how the rows of the last query change",
    ),
    ("source", "FILE", "carry out the statements of a file"),
    (
        "mode",
        "[MODE]",
        "the form of results: table, box, line, json, jsonl, csv, tsv, markdown, path, dot, svg",
    ),
    (
        "output",
        "[FILE]",
        "write results to a file; without one, to the terminal again",
    ),
    ("once", "FILE", "write the next result to a file"),
    ("x", "", "one value a line, or a table again"),
    (
        "width",
        "[COLUMNS|off]",
        "cut the lines of results in the terminal that are longer than this",
    ),
    (
        "report",
        "FILE.html",
        "write the report of the input as a page for browsers",
    ),
    (
        "pager",
        "[on|off]",
        "show long results a screen at a time, through $PAGER if it is set",
    ),
    ("timing", "[on|off]", "show how long queries take"),
    ("timeout", "[SECONDS|off]", "stop queries that take longer"),
    ("limit", "[ROWS]", "stop clauses that give more rows"),
    (
        "param",
        "NAME VALUE",
        "give a parameter a value, JSON or else a string",
    ),
    ("params", "", "parameters and their values"),
    ("viz", "[FILE.svg|FILE.dot]", "draw the steps of the last result"),
    (
        "assume",
        "ID [compromised]",
        "take a position to be held from the internet",
    ),
    ("retract", "[ID]", "take an assumption back, or all of them"),
    ("open", "INPUT", "read another input"),
    ("history", "", "the statements of this session"),
    ("quit", "", "leave"),
];
/// Other names of commands.
const ALIASES: &[(&str, &str)] = &[
    ("?", "help"),
    ("h", "help"),
    ("q", "quit"),
    ("exit", "quit"),
    ("d", "describe"),
    ("i", "source"),
    ("read", "source"),
    ("o", "output"),
    ("timer", "timing"),
    ("set", "param"),
    ("neighbours", "neighbors"),
    ("dt", "labels"),
    ("e", "edit"),
    ("g", "run"),
    ("s", "history"),
    ("w", "save"),
    ("tables", "labels"),
    ("who_can", "who-can"),
];
/// Whether a statement is a command.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with([':', '\\', '.', '!'])
}

/// The full name of a command.
pub(super) fn named(word: &str) -> anyhow::Result<&'static str> {
    let lower = word.to_lowercase();
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return Ok(name);
    }
    let names = || COMMANDS.iter().map(|(name, ..)| *name);
    names().find(|name| *name == lower).ok_or_else(|| {
        let near = did_you_mean(word, names());
        anyhow!("no command is called {word}{near}; :help lists all")
    })
}

/// Carries out a command.
pub(super) fn run(core: &mut Core<'_, '_>, statement: &str) -> anyhow::Result<Outcome> {
    if let Some(line) = statement.strip_prefix('!') {
        return files::shell(core, line.trim());
    }
    let line = statement[1..].trim().trim_end_matches(';').trim_end();
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((word, rest)) = words.split_first() else {
        bail!("a command is missing; :help lists all");
    };
    let name = named(word)?;
    let first = rest.first().copied();
    let one = |what: &str| first.ok_or_else(|| anyhow!(":{name} takes {what}; :help {name} says more"));
    // What stands behind the command, and behind its first argument, as it was written.
    let text = line[word.len()..].trim_start();
    let behind = text[first.map_or(0, str::len)..].trim_start();
    match name {
        "help" => help::page(core.schema, first).map(Outcome::page),
        "schema" => Ok(Outcome::page(help::schema(core.schema))),
        "labels" => Ok(Outcome::page(counts(&core.schema.labels))),
        "types" => Ok(Outcome::page(counts(&core.schema.types))),
        "describe" => inspect::describe(core, one("an ID")?).map(Outcome::page),
        "neighbors" => inspect::neighbors(core, one("an ID")?).map(Outcome::page),
        "paths" => inspect::paths(core, rest).map(Outcome::page),
        "reach" => inspect::reach(core, one("an ID")?).map(Outcome::page),
        "choke" => inspect::choke(core, rest).map(Outcome::page),
        "who-can" => who_can::asked(&core.analysis.cluster, rest).map(Outcome::page),
        "why" => inspect::why(core, first).map(Outcome::page),
        "queries" => Ok(Outcome::page(list(&all_saved(core.session.queries.as_deref())?))),
        "explain" | "profile" => {
            let query = format!("{} {}", name.to_uppercase(), asked(core, name, text)?);
            Ok(core.query(&query))
        }
        "edit" => Ok(Outcome::next(Next::Edit(
            asked(core, name, text).unwrap_or_default(),
        ))),
        "diff" => compare::diff(core, one("an INPUT")?, behind),
        "watch" => watch(core, one("a number of SECONDS")?, behind),
        "run" => files::run(core, one("the ID of a saved query; :queries lists them")?),
        "save" => files::save(core, one("a NAME")?),
        "source" => files::source(core, one("a FILE")?),
        "viz" => files::viz(core, first),
        "assume" => assume(core, one("an ID")?),
        "retract" => retract(core, first),
        "open" => Ok(Outcome::next(Next::Open(one("an INPUT")?.into()))),
        "report" => Ok(Outcome::next(Next::Report(one("a FILE")?.into()))),
        "quit" => Ok(Outcome::next(Next::Quit)),
        _ => setting(core, name, rest),
    }
}

/// The query behind a command, else the last one.
fn asked(core: &Core<'_, '_>, name: &str, text: &str) -> anyhow::Result<String> {
    if !text.is_empty() {
        return Ok(text.to_owned());
    }
    let last = core.session.last_query.clone();
    last.with_context(|| format!(":{name} is about the last query, and there is none"))
}

fn watch(core: &mut Core<'_, '_>, every: &str, times: &str) -> anyhow::Result<Outcome> {
    let left = match times {
        "" => None,
        word => Some(
            word.parse()
                .with_context(|| format!("{word} is not a number of TIMES"))?,
        ),
    };
    core.session.watch = Some(Watch {
        query: asked(core, "watch", "")?,
        every: Duration::from_secs_f64(seconds(every).map_err(|error| anyhow!(error))?),
        left,
        seen: None,
    });
    Ok(Outcome::next(Next::Rebuild))
}

/// The ids that an id or a workload stands for.
fn ids(core: &Core<'_, '_>, word: &str) -> anyhow::Result<Vec<String>> {
    let found = inspect::positions(core, word)?.into_iter();
    Ok(found.map(|node| text(&Value::Node(node), core.view)).collect())
}

fn assume(core: &mut Core<'_, '_>, word: &str) -> anyhow::Result<Outcome> {
    let ids = ids(core, word)?;
    let note = format!(
        "{} taken to be held; the graph is another one now",
        ids.join(", ")
    );
    core.session.assumed.extend(ids);
    Ok(Outcome {
        parts: vec![Part::Note(note)],
        next: Next::Rebuild,
    })
}

fn retract(core: &mut Core<'_, '_>, word: Option<&str>) -> anyhow::Result<Outcome> {
    let ids = match word {
        None => std::mem::take(&mut core.session.assumed).into_iter().collect(),
        Some(word) => ids(core, word)?,
    };
    for id in ids.iter().filter(|_| word.is_some()) {
        if !core.session.assumed.remove(id) {
            let near = did_you_mean(id, core.session.assumed.iter().map(String::as_str));
            bail!("{id} is not assumed{near}");
        }
    }
    Ok(Outcome {
        parts: vec![Part::Note(format!("taken back: {}", ids.join(", ")))],
        next: Next::Rebuild,
    })
}

/// Commands that show or change what the session remembers.
fn setting(core: &mut Core<'_, '_>, name: &str, rest: &[&str]) -> anyhow::Result<Outcome> {
    let session = &mut *core.session;
    let first = rest.first().copied();
    let note = match name {
        "mode" => {
            if let Some(mode) = first {
                session.mode = QueryFormat::from_str(mode, true).map_err(|_| {
                    let known = QueryFormat::value_variants()
                        .iter()
                        .filter_map(clap::ValueEnum::to_possible_value);
                    let names: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
                    anyhow!("no mode is called {mode}; there are {}", names.join(", "))
                })?;
            }
            let value = session.mode.to_possible_value();
            format!(
                "mode {}",
                value.as_ref().map_or("table", |value| value.get_name())
            )
        }
        "once" => {
            let Some(file) = first else {
                bail!(":once takes a FILE");
            };
            session.once = Some(file.into());
            format!("the next result goes to {file}")
        }
        "x" => {
            let is_line = session.mode == QueryFormat::Line;
            session.mode = if is_line {
                QueryFormat::Table
            } else {
                QueryFormat::Line
            };
            format!("mode {}", if is_line { "table" } else { "line" })
        }
        "output" => {
            session.output = first.map(Into::into);
            first.map_or_else(
                || "results go to the terminal".to_owned(),
                |file| format!("results go to {file}"),
            )
        }
        "width" => {
            session.width = match first {
                Some("off") => None,
                Some(word) => Some(
                    word.parse()
                        .with_context(|| format!(":width takes a number of columns or off, not {word}"))?,
                ),
                None => session.width,
            };
            session
                .width
                .map_or_else(|| "width off".to_owned(), |width| format!("width {width}"))
        }
        "timing" => switched(&mut session.timing, name, first)?,
        "pager" => switched(&mut session.paging, name, first)?,
        _ => return bounds_and_values(core, name, rest),
    };
    Ok(Outcome::note(note))
}

/// Turns a setting on or off, or over if nothing is said.
fn switched(setting: &mut bool, name: &str, word: Option<&str>) -> anyhow::Result<String> {
    *setting = match word {
        Some("on") => true,
        Some("off") => false,
        Some(other) => bail!(":{name} takes on or off, not {other}"),
        None => !*setting,
    };
    Ok(format!("{name} {}", if *setting { "on" } else { "off" }))
}

/// Commands about limits, parameters and what was said.
fn bounds_and_values(core: &mut Core<'_, '_>, name: &str, rest: &[&str]) -> anyhow::Result<Outcome> {
    let session = &mut *core.session;
    let first = rest.first().copied();
    let note = match name {
        "timeout" => {
            match first {
                Some("off") => session.timeout = None,
                Some(word) => {
                    session.timeout = Some(Duration::from_secs_f64(
                        seconds(word).map_err(|error| anyhow!(error))?,
                    ));
                }
                None => {}
            }
            session
                .timeout
                .map_or_else(|| "no timeout".to_owned(), |time| format!("timeout {time:?}"))
        }
        "limit" => {
            if let Some(word) = first {
                session.rows = word
                    .parse()
                    .with_context(|| format!(":limit takes a number, not {word}"))?;
            }
            format!("limit {}", counted(session.rows, "row"))
        }
        "param" => {
            let (Some(name), false) = (first, rest.len() < 2) else {
                bail!(":param takes NAME and VALUE");
            };
            let value = rest[1..].join(" ");
            let value = value.trim_start_matches("=>").trim();
            session
                .parameters
                .insert(name.trim_start_matches('$').to_owned(), parameter(value));
            return Ok(Outcome::of(Vec::new()));
        }
        "params" => {
            let mut page = Page::default();
            let shown = session
                .parameters
                .iter()
                .filter(|(name, _)| !name.starts_with('_'));
            let rows: Vec<Vec<String>> = shown
                .map(|(name, value)| vec![format!("${name}"), text(value, core.view)])
                .collect();
            page.table(0, &rows);
            return Ok(Outcome::page(page));
        }
        "history" => {
            let mut page = Page::default();
            session.history.iter().for_each(|statement| page.line(statement));
            return Ok(Outcome::page(page));
        }
        _ => bail!(":{name} is not there"),
    };
    Ok(Outcome::note(note))
}

fn counts(names: &BTreeMap<String, usize>) -> Page {
    let mut page = Page::default();
    page.table(
        0,
        &names
            .iter()
            .map(|(name, count)| vec![name.clone(), count.to_string()])
            .collect::<Vec<_>>(),
    );
    page
}
