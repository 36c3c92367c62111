//! `beachhead query`: questions in openCypher to the attack graph.
//!
//! **Trap.** Cells of CSV come from names in the cluster; one that a spreadsheet would take for a formula gets an
//! apostrophe in front.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use clap::ValueEnum;
use serde::Serialize;

use super::analysis::InputArgs;
use super::output::OutputArgs;
use super::{ExitCode, Streams, safe};
use crate::query::{
    self, AttackView, Graph, Limits, Query, QueryError, Saved, Table, Value, did_you_mean, saved,
};
use crate::report::{self, Page, Tone, counted};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.query/1";

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

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum QueryFormat {
    /// For people
    Table,
    /// One document for programs
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated
    Csv,
    /// A Markdown table
    Markdown,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema: &'static str,
    columns: &'a [String],
    rows: Vec<Vec<serde_json::Value>>,
    /// Whether these are all rows.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
}

pub(super) fn run(args: &QueryArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    if args.which.list {
        args.output.page(&list(), streams.out)?;
        return Ok(ExitCode::Nothing);
    }
    let text = text(&args.which)?;
    let wrong = |error: &QueryError| anyhow!("{}", error.shown(&text));
    let query = Query::parse(&text).map_err(|error| wrong(&error))?;
    let parameters = parameters(&args.parameters)?;
    let analysis = args.input.analyse(streams)?;
    analysis.warn(streams.err);
    streams.stage("building the attack graph");
    let graph = analysis.graph();
    streams.stage_done();
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows);
    for warning in query.check(&view).map_err(|error| wrong(&error))? {
        let _ = writeln!(streams.err, "warning: {}", safe(&warning.shown(&text)));
    }
    let limits = Limits {
        rows: args.max_rows,
        expansions: args.max_expansions,
    };
    streams.stage("running the query");
    let table = query
        .run(&view, &parameters, limits)
        .map_err(|error| wrong(&error))?;
    streams.stage_done();
    if let Some(stopped) = &table.stopped {
        let _ = writeln!(
            streams.err,
            "warning: these rows are a part of the answer: {stopped}"
        );
    }
    match args.format {
        QueryFormat::Table => args.output.page(&page(&table, &view), streams.out)?,
        QueryFormat::Json => args.output.text(&document(&table, &view)?, streams.out)?,
        QueryFormat::Jsonl => args.output.text(&lines(&table, &view), streams.out)?,
        QueryFormat::Csv => args.output.text(&separated(&table, &view), streams.out)?,
        QueryFormat::Markdown => args.output.text(&markdown(&table, &view), streams.out)?,
    }
    Ok(ExitCode::Nothing)
}

/// The text of the query that is asked for.
fn text(which: &Which) -> anyhow::Result<String> {
    if let Some(text) = &which.text {
        return Ok(text.clone());
    }
    if let Some(file) = &which.file {
        return fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    }
    let id = which.run.as_deref().unwrap_or_default();
    if let Some(query) = saved().into_iter().find(|query| query.id == id) {
        return Ok(query.text.to_owned());
    }
    let near = did_you_mean(id, saved().iter().map(|query| query.id));
    bail!("no saved query is called {id}{near}; --list lists all")
}

fn list() -> Page {
    let mut page = Page::default();
    let row = |query: &Saved| {
        vec![
            query.id.to_owned(),
            query.severity.to_owned(),
            query.title.to_owned(),
        ]
    };
    page.table(0, &saved().iter().map(row).collect::<Vec<_>>());
    page
}

fn parameters(given: &[String]) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut parameters = BTreeMap::new();
    for one in given {
        let Some((name, value)) = one.split_once('=') else {
            bail!("--param {one}: expected NAME=VALUE");
        };
        let value = serde_json::from_str(value).map_or_else(|_| Value::text(value), |json| of_json(&json));
        parameters.insert(name.to_owned(), value);
    }
    Ok(parameters)
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

fn cells<'a>(table: &'a Table, graph: &'a dyn Graph) -> impl Iterator<Item = Vec<String>> + 'a {
    table
        .rows
        .iter()
        .map(|row| row.iter().map(|value| query::text(value, graph)).collect())
}

fn page(table: &Table, graph: &dyn Graph) -> Page {
    let mut page = Page::default();
    let mut rows = vec![table.columns.clone()];
    rows.extend(cells(table, graph));
    let mut aligned = Page::default();
    aligned.table(0, &rows);
    for (index, line) in aligned.lines().iter().enumerate() {
        page.toned(if index == 0 { Tone::Heading } else { Tone::Plain }, &line.text);
    }
    page.toned(Tone::Faint, format!("({})", counted(table.rows.len(), "row")));
    page
}

fn document(table: &Table, graph: &dyn Graph) -> anyhow::Result<String> {
    let row = |row: &Vec<Value>| row.iter().map(|value| query::json(value, graph)).collect();
    Ok(report::json(&Answer {
        schema: SCHEMA,
        columns: &table.columns,
        rows: table.rows.iter().map(row).collect(),
        complete: table.stopped.is_none(),
        stopped: table.stopped.as_deref(),
    })?)
}

fn lines(table: &Table, graph: &dyn Graph) -> String {
    let mut text = String::new();
    for row in &table.rows {
        let cells = table.columns.iter().zip(row);
        let object: serde_json::Map<String, serde_json::Value> = cells
            .map(|(column, value)| (column.clone(), query::json(value, graph)))
            .collect();
        text.push_str(&serde_json::Value::Object(object).to_string());
        text.push('\n');
    }
    text
}

fn separated(table: &Table, graph: &dyn Graph) -> String {
    let field = |cell: &String| {
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
        let cell = if is_formula {
            format!("'{cell}")
        } else {
            cell.clone()
        };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let mut text = String::new();
    for row in std::iter::once(table.columns.clone()).chain(cells(table, graph)) {
        let row: Vec<String> = row.iter().map(field).collect();
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

fn markdown(table: &Table, graph: &dyn Graph) -> String {
    let field = |cell: &String| {
        cell.replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace(['\n', '\r'], " ")
    };
    let line = |row: &[String]| format!("| {} |\n", row.iter().map(field).collect::<Vec<_>>().join(" | "));
    let mut text = line(&table.columns);
    text.push_str(&line(&vec!["---".to_owned(); table.columns.len()]).replace('\\', ""));
    for row in cells(table, graph) {
        text.push_str(&line(&row));
    }
    text
}
