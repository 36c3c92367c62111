//! The commands of the prompt: `:name`, also `\name` and `.name`.
//!
//! **Trap.** No query begins with one of these signs, so a command needs no `;` and ends with its line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::ValueEnum as _;

use super::core::{Core, Next, Outcome, Part};
use super::help;
use crate::cli::analysis::vertex;
use crate::cli::query::{all_saved, list, one_saved, parameter};
use crate::cli::rows::{QueryFormat, gather, picture, seconds};
use crate::cli::who_can;
use crate::collect::write_whole;
use crate::paths::{Premises, Reach, Solver};
use crate::query::{Graph as _, NodeId, Value, did_you_mean, is_statement, text};
use crate::report::{self, Derived, Page, PathView, Sources, counted};

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
    ("queries", "", "saved queries"),
    ("run", "ID", "run a saved query"),
    ("save", "FILE", "write the last query to a file"),
    ("source", "FILE", "carry out the statements of a file"),
    (
        "mode",
        "[MODE]",
        "the form of results: table, box, line, json, jsonl, csv, tsv, markdown, path, dot",
    ),
    (
        "output",
        "[FILE]",
        "write results to a file; without one, to the terminal again",
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
    ("viz", "[FILE.svg]", "draw the steps of the last result"),
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
];
/// How many files may be read in one another.
const NESTING: usize = 8;
/// Items that a page lists of one kind.
const SHOWN: usize = 50;

/// Whether a statement is a command.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with([':', '\\', '.'])
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
    let words: Vec<&str> = statement[1..].trim_end_matches(';').split_whitespace().collect();
    let Some((word, rest)) = words.split_first() else {
        bail!("a command is missing; :help lists all");
    };
    let name = named(word)?;
    let one = |what: &str| {
        rest.first()
            .copied()
            .ok_or_else(|| anyhow!(":{name} takes {what}; :help {name} says more"))
    };
    match name {
        "help" => help::page(core.schema, rest.first().copied()).map(Outcome::page),
        "schema" => Ok(Outcome::page(help::schema(core.schema))),
        "labels" => Ok(Outcome::page(counts(&core.schema.labels))),
        "types" => Ok(Outcome::page(counts(&core.schema.types))),
        "describe" => describe(core, one("an ID")?).map(Outcome::page),
        "neighbors" => neighbors(core, one("an ID")?).map(Outcome::page),
        "paths" => paths(core, rest).map(Outcome::page),
        "reach" => reach(core, one("an ID")?).map(Outcome::page),
        "who-can" => who_can::asked(&core.analysis.cluster, rest).map(Outcome::page),
        "why" => why(core, rest.first().copied()).map(Outcome::page),
        "queries" => Ok(Outcome::page(list(&all_saved(core.session.queries.as_deref())?))),
        "run" => {
            let saved = one_saved(
                one("the ID of a saved query; :queries lists them")?,
                core.session.queries.as_deref(),
            )?;
            Ok(core.query(&saved.text))
        }
        "save" => save(core, one("a FILE")?),
        "source" => source(core, one("a FILE")?),
        "viz" => viz(core, rest.first().copied()),
        "assume" => {
            let id = one("an ID")?;
            core.session.assumed.extend(assumed(core, id)?);
            let note = format!("{id} is taken to be held; the graph is another one now");
            Ok(Outcome {
                parts: vec![Part::Note(note)],
                next: Next::Rebuild,
            })
        }
        "retract" => retract(core, rest.first().copied()),
        "open" => Ok(Outcome {
            parts: Vec::new(),
            next: Next::Open(one("an INPUT")?.into()),
        }),
        "quit" => Ok(Outcome {
            parts: Vec::new(),
            next: Next::Quit,
        }),
        _ => setting(core, name, rest),
    }
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
        "output" => {
            session.output = first.map(Into::into);
            first.map_or_else(
                || "results go to the terminal".to_owned(),
                |file| format!("results go to {file}"),
            )
        }
        "timing" => {
            session.timing = match first {
                Some("on") => true,
                Some("off") => false,
                Some(other) => bail!(":timing takes on or off, not {other}"),
                None => !session.timing,
            };
            format!("timing {}", if session.timing { "on" } else { "off" })
        }
        _ => return bounds_and_values(core, name, rest),
    };
    Ok(Outcome::note(note))
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

fn counts(names: &std::collections::BTreeMap<String, usize>) -> Page {
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

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    write_whole(path, |out| out.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn node(core: &Core<'_, '_>, id: &str) -> anyhow::Result<NodeId> {
    vertex(id, core.graph)
}

fn describe(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let node = node(core, id)?;
    let mut page = Page::default();
    page.heading(format!("{id} ({})", core.view.labels(node).join(", ")));
    let keys = core.view.node_keys(node);
    let row = |key: &std::sync::Arc<str>| {
        vec![
            key.to_string(),
            text(&core.view.node_property(node, key), core.view),
        ]
    };
    page.table(2, &keys.iter().map(row).collect::<Vec<_>>());
    for (title, links) in [
        ("from it", core.view.outgoing(node)),
        ("to it", core.view.incoming(node)),
    ] {
        let mut types = std::collections::BTreeMap::<&str, usize>::new();
        for link in links {
            *types.entry(core.view.link_type(*link)).or_default() += 1;
        }
        page.heading(format!("{} {title}", counted(links.len(), "step")));
        page.table(
            2,
            &types
                .iter()
                .map(|(name, count)| vec![(*name).to_owned(), count.to_string()])
                .collect::<Vec<_>>(),
        );
    }
    Ok(page)
}

fn neighbors(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let node = node(core, id)?;
    let mut page = Page::default();
    for links in [core.view.outgoing(node), core.view.incoming(node)] {
        for link in links.iter().take(SHOWN) {
            page.line(text(&Value::Link(*link), core.view));
        }
        if links.len() > SHOWN {
            page.line(format!("and {} more", links.len() - SHOWN));
        }
    }
    Ok(page)
}

fn paths(core: &Core<'_, '_>, rest: &[&str]) -> anyhow::Result<Page> {
    let [from, to, more @ ..] = rest else {
        bail!(":paths takes FROM and TO, and perhaps how many");
    };
    let count = match more.first() {
        Some(word) => word
            .parse()
            .with_context(|| format!("{word} is not a number of paths"))?,
        None => 1_u16,
    };
    let starts = core.analysis.vertices(from, core.graph)?;
    let target = node(core, to)?;
    let sources = Sources::new(&core.analysis.cluster);
    let found = Solver::new(core.graph, core.rows, &starts).cheapest(target, usize::from(count));
    let paths: Vec<PathView> = found
        .iter()
        .filter_map(|path| Derived::new(path, core.graph))
        .map(|path| PathView::new(&path, &sources))
        .collect();
    let mut page = report::path_page(&paths);
    if paths.is_empty() {
        page.line(format!("no path leads from {from} to {to}"));
    }
    Ok(page)
}

fn reach(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let starts = core.analysis.vertices(id, core.graph)?;
    let reach = Reach::new(core.rows, &starts, Premises::Max);
    let held: Vec<NodeId> = (0..core.view.nodes())
        .filter(|node| reach.is_held(*node) && !starts.contains(node))
        .collect();
    let mut by_label = std::collections::BTreeMap::<&str, Vec<NodeId>>::new();
    for node in &held {
        for label in core.view.labels(*node) {
            by_label.entry(label).or_default().push(*node);
        }
    }
    let mut page = Page::default();
    page.line(format!(
        "{} can be had from {id}",
        counted(held.len(), "position")
    ));
    for (label, nodes) in by_label {
        page.heading(format!("{label}: {}", nodes.len()));
        let mut rows: Vec<(u32, String)> = nodes
            .iter()
            .map(|node| (reach.cost(*node).effort(), text(&Value::Node(*node), core.view)))
            .collect();
        rows.sort();
        let shown = rows
            .iter()
            .take(SHOWN)
            .map(|(effort, id)| vec![id.clone(), format!("effort {effort}")]);
        page.table(2, &shown.collect::<Vec<_>>());
        if rows.len() > SHOWN {
            page.line(format!("  and {} more", rows.len() - SHOWN));
        }
    }
    Ok(page)
}

fn why(core: &Core<'_, '_>, row: Option<&str>) -> anyhow::Result<Page> {
    let Some(table) = &core.last else {
        bail!(":why is about the rows of the last query, and there is none");
    };
    let number: usize = match row {
        Some(word) => word
            .trim_start_matches('#')
            .parse()
            .with_context(|| format!("{word} is not the number of a row"))?,
        None => 1,
    };
    let found = number.checked_sub(1).and_then(|at| table.rows.get(at));
    let Some(row) = found else {
        bail!(
            "there is no row {number}; the last result has {}",
            counted(table.rows.len(), "row")
        );
    };
    let mut links = BTreeSet::new();
    for value in row {
        gather(value, &mut links);
    }
    if links.is_empty() {
        bail!("row {number} holds no relationship and no path");
    }
    let mut page = Page::default();
    for link in links {
        let step = core.view.step_of(link);
        let premises: Vec<String> = step.premises.iter().map(ToString::to_string).collect();
        page.heading(format!("{} -> {}", premises.join(" + "), step.conclusion));
        let title = step.reason.technique().map_or("", |technique| technique.title);
        page.line(format!(
            "  {}, effort {} {title}",
            step.reason.label(),
            step.effort
        ));
        if let Some(condition) = step.certainty.condition() {
            page.line(format!("  if {condition}"));
        }
        for fact in &step.evidence {
            page.line(format!("  {fact}"));
        }
    }
    Ok(page)
}

fn viz(core: &Core<'_, '_>, file: Option<&str>) -> anyhow::Result<Outcome> {
    let Some(table) = &core.last else {
        bail!(":viz draws the last result, and there is none");
    };
    let svg = picture(table, core.view, &format!("Steps in {}", core.analysis.name))?;
    match file {
        None => Ok(Outcome::of(vec![Part::Text(svg)])),
        Some(file) => {
            write(Path::new(file), &svg)?;
            Ok(Outcome::note(format!("drawn in {file}")))
        }
    }
}

fn save(core: &Core<'_, '_>, file: &str) -> anyhow::Result<Outcome> {
    let Some(query) = core.session.history.iter().rev().find(|text| !is_command(text)) else {
        bail!(":save writes the last query, and there is none");
    };
    write(Path::new(file), &format!("{query}\n"))?;
    Ok(Outcome::note(format!("saved in {file}")))
}

/// The ids that an id or a workload stands for.
fn assumed(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Vec<String>> {
    let found = core.analysis.vertices(id, core.graph)?;
    Ok(found
        .into_iter()
        .map(|node| text(&Value::Node(node), core.view))
        .collect())
}

fn retract(core: &mut Core<'_, '_>, id: Option<&str>) -> anyhow::Result<Outcome> {
    match id {
        None => core.session.assumed.clear(),
        Some(id) => {
            for one in assumed(core, id)? {
                if !core.session.assumed.remove(&one) {
                    bail!("{one} is not assumed");
                }
            }
        }
    }
    Ok(Outcome {
        parts: vec![Part::Note("taken back".to_owned())],
        next: Next::Rebuild,
    })
}

/// Carries out the statements of a file, up to the first that changes the graph or leaves.
fn source(core: &mut Core<'_, '_>, file: &str) -> anyhow::Result<Outcome> {
    if core.depth >= NESTING {
        bail!("files read each other more than {NESTING} deep");
    }
    let script = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    core.depth += 1;
    let (mut parts, mut next, mut statement) = (Vec::new(), Next::Stay, String::new());
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        statement.push_str(line);
        statement.push('\n');
        let is_last = lines.peek().is_none();
        if !(is_command(&statement) || is_statement(&statement) || is_last) {
            continue;
        }
        let outcome = core.eval(&std::mem::take(&mut statement));
        parts.extend(outcome.parts);
        next = outcome.next;
        if next != Next::Stay {
            break;
        }
    }
    core.depth -= 1;
    Ok(Outcome { parts, next })
}
