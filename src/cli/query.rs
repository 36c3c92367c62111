//! `beachhead query`: questions in openCypher to the attack graph.
//!
//! **Trap.** A saved query of the user's folder comes before one of the program that has the same id.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::input::InputArgs;
use super::output::OutputArgs;
use super::rows::{QueryFormat, Rendered, rendered};
use super::{ExitCode, Streams, safe};
use crate::query::{AttackView, Limits, Query, QueryError, Saved, Table, Value, did_you_mean, saved};
use crate::report::Page;

/// Ask the attack graph a question in openCypher
///
/// Nodes are positions (`Pod`, `Identity`, `Database`, `ClusterAdmin` …), relationships are steps, named after the
/// technique. `explain --list` lists techniques. The language is read-only openCypher; what this engine lacks of it is
/// refused. A path search follows a step that needs several things only if all of them can be held from where the
/// path begins.
#[derive(Debug, clap::Args)]
pub(super) struct QueryArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    which: Which,
    /// A folder of saved queries of your own, beside those of the program: ID.cypher
    #[arg(long, value_name = "DIR")]
    queries: Option<PathBuf>,
    /// Give the parameter $NAME a value, JSON or else a string; may be given more than once
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    format: QueryFormat,
    /// Stop a clause that gives more rows than this
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_rows: usize,
    /// Stop a query that looks at more relationships than this
    #[arg(long, value_name = "N", default_value_t = 100_000_000)]
    max_expansions: u64,
    /// Stop a query that takes longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = super::rows::seconds)]
    timeout: Option<f64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where the query comes from.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The query
    #[arg(short = 'c', long = "command", value_name = "TEXT")]
    text: Option<String>,
    /// A file that holds the query
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Run the saved query of this id
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// List the saved queries; INPUT is not read
    #[arg(long)]
    list: bool,
}

/// The saved queries of the program and those of a folder, by id.
pub(super) fn all_saved(folder: Option<&Path>) -> anyhow::Result<Vec<Saved>> {
    let mut found: BTreeMap<String, Saved> = saved().into_iter().map(|one| (one.id.clone(), one)).collect();
    let Some(folder) = folder else {
        return Ok(found.into_values().collect());
    };
    let cannot = || format!("cannot read the folder of queries {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_none_or(|extension| extension != "cypher") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.insert(id.clone(), Saved::read(&id, &text));
    }
    Ok(found.into_values().collect())
}

/// The saved query of an id.
pub(super) fn one_saved(id: &str, folder: Option<&Path>) -> anyhow::Result<Saved> {
    let all = all_saved(folder)?;
    if let Some(query) = all.iter().find(|query| query.id == id) {
        return Ok(query.clone());
    }
    let near = did_you_mean(id, all.iter().map(|query| query.id.as_str()));
    bail!("no saved query is called {id}{near}; --list lists all")
}

pub(super) fn run(args: &QueryArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    if args.which.list {
        let list = list(&all_saved(args.queries.as_deref())?);
        args.output.page(&list, streams.out)?;
        return Ok(ExitCode::Nothing);
    }
    let text = text(args)?;
    let query = parsed(&text)?;
    let parameters = parameters(&args.parameters)?;
    let analysis = args.input.analyse(streams)?;
    analysis.warn(streams.err);
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    streams.stage_done();
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    let limits = Limits {
        rows: args.max_rows,
        expansions: args.max_expansions,
        time: args.timeout.map(Duration::from_secs_f64),
        interrupt: None,
    };
    let table = answer(&query, &text, &view, &parameters, limits, streams)?;
    match rendered(args.format, &table, &view)? {
        Rendered::Page(page) => args.output.page(&page, streams.out)?,
        Rendered::Text(text) => args.output.text(&text, streams.out)?,
    }
    Ok(ExitCode::Nothing)
}

/// The query that a text says, or where it is wrong.
pub(super) fn parsed(text: &str) -> anyhow::Result<Query> {
    Query::parse(text).map_err(|error| anyhow!("{}", error.shown(text)))
}

/// The rows of a query, with warnings about what the graph does not have and about rows that are left out.
pub(super) fn answer(
    query: &Query,
    text: &str,
    view: &AttackView<'_>,
    parameters: &BTreeMap<String, Value>,
    limits: Limits,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Table> {
    let wrong = |error: QueryError| anyhow!("{}", error.shown(text));
    for warning in query.check(view).map_err(wrong)? {
        let _ = writeln!(streams.err, "warning: {}", safe(&warning.shown(text)));
    }
    streams.stage("running the query");
    let table = query.run(view, parameters, limits).map_err(wrong)?;
    streams.stage_done();
    if let Some(stopped) = &table.stopped {
        let _ = writeln!(
            streams.err,
            "warning: these rows are a part of the answer: {stopped}"
        );
    }
    Ok(table)
}

/// The text of the query that is asked for.
fn text(args: &QueryArgs) -> anyhow::Result<String> {
    let which = &args.which;
    if let Some(text) = &which.text {
        return Ok(text.clone());
    }
    if let Some(file) = &which.file {
        return fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    }
    let id = which.run.as_deref().unwrap_or_default();
    Ok(one_saved(id, args.queries.as_deref())?.text)
}

/// Saved queries, one a line.
pub(super) fn list(saved: &[Saved]) -> Page {
    let mut page = Page::default();
    let row = |query: &Saved| vec![query.id.clone(), query.severity.clone(), query.title.clone()];
    page.table(0, &saved.iter().map(row).collect::<Vec<_>>());
    page
}

fn parameters(given: &[String]) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut parameters = BTreeMap::new();
    for one in given {
        let Some((name, value)) = one.split_once('=') else {
            bail!("--param {one}: expected NAME=VALUE");
        };
        parameters.insert(name.to_owned(), parameter(value));
    }
    Ok(parameters)
}

/// A value as the user writes it: JSON, or else a string.
pub(super) fn parameter(text: &str) -> Value {
    serde_json::from_str(text).map_or_else(|_| Value::text(text), |json| of_json(&json))
}

fn of_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::Null,
        },
        serde_json::Value::String(text) => Value::text(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(of_json).collect()),
        serde_json::Value::Object(map) => Value::map(
            map.iter()
                .map(|(key, value)| (key.as_str().into(), of_json(value))),
        ),
    }
}
