//! `beachhead query`: questions in openCypher to the attack graph.
//!
//! **Trap.** Names that a graph lacks are worth a warning in a query that someone typed, and noise in a saved one of
//! the program, which is asked of clusters that have nothing of what it looks for.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::input::SubjectArgs;
use super::output::OutputArgs;
use super::rows::{QueryFormat, Rendered, rendered};
use super::saved::{all_saved, list, listed, one_saved};
use super::{ExitCode, Streams, safe};
use crate::query::{AttackView, Limits, Query, QueryError, Table, Value, saved};

/// Ask the attack graph a question in openCypher
///
/// Nodes are positions (`Pod`, `Identity`, `Database`, `ClusterAdmin` …), relationships are steps, named after the
/// technique. `explain --list` lists techniques. The language is read-only openCypher; what this engine lacks of it is
/// refused. A path search follows a step that needs several things only if all of them can be held from where the
/// path begins.
#[derive(Debug, clap::Args)]
pub(super) struct QueryArgs {
    #[command(flatten)]
    subject: SubjectArgs,
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
    /// Refuse a query that names labels or types which the graph lacks, instead of a warning
    #[arg(long, conflicts_with = "run")]
    strict: bool,
    /// Exit with status 0 if there are rows, with 1 if there are none, and with 2 if a limit may have cut them all off
    #[arg(long)]
    exit_code: bool,
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
    /// List the saved queries, with --format json as one document with their texts; INPUT is not read
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &QueryArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    if args.which.list {
        let all = all_saved(args.queries.as_deref())?;
        match args.format {
            QueryFormat::Table => args.output.page(&list(&all), streams.out)?,
            QueryFormat::Json => args.output.text(&listed(&all)?, streams.out)?,
            _ => bail!("--list knows --format table and json"),
        }
        return Ok(ExitCode::Nothing);
    }
    let text = text(args)?;
    let query = parsed(&text)?;
    let parameters = parameters(&args.parameters)?;
    let analysis = args.subject.analyse(streams)?;
    analysis.warn(streams.err);
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    streams.stage_done();
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows).with_cluster(&analysis.cluster, &analysis.facts);
    if args.strict {
        let unknown = query
            .check(&view)
            .map_err(|error| anyhow!("{}", error.shown(&text)))?;
        if let Some(unknown) = unknown.first() {
            bail!("{}", unknown.shown(&text));
        }
    }
    let limits = Limits {
        rows: args.max_rows,
        expansions: args.max_expansions,
        time: args.timeout.map(Duration::from_secs_f64),
        ..Limits::default()
    };
    let table = answer(&query, &text, &view, &parameters, limits, streams)?;
    match rendered(args.format, &table, &view, &analysis.name)? {
        Rendered::Page(page) => args.output.page(&page, streams.out)?,
        Rendered::Text(text) => args.output.text(&text, streams.out)?,
    }
    Ok(match (args.exit_code, table.rows.is_empty(), &table.stopped) {
        (true, true, Some(_)) => ExitCode::Failure,
        (true, true, None) => ExitCode::Found,
        _ => ExitCode::Nothing,
    })
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
    let is_shipped = saved().iter().any(|known| known.text == text);
    let warnings = query.check(view).map_err(wrong)?;
    for warning in warnings.iter().filter(|_| !is_shipped) {
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
