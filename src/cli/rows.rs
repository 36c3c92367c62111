//! Rows of a query as text: for people, for programs, and as pictures of the paths in them.
//!
//! **Trap.** Cells of CSV come from names in the cluster; one that a spreadsheet would take for a formula gets an
//! apostrophe in front.

use clap::ValueEnum;
use serde::Serialize;

use super::drawing::diagram;
use crate::draw::dot::dot;
use crate::draw::svg;
use crate::query::{self, AttackView, Graph, Table, Value};
use crate::report::{self, Page, Tone, counted};

/// Name and version of the JSON form.
const SCHEMA: &str = "beachhead.query/1";

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum QueryFormat {
    /// For people
    Table,
    /// A table with lines around its cells
    Box,
    /// One value a line
    Line,
    /// One document for programs
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated
    Csv,
    /// Tab-separated
    Tsv,
    /// A Markdown table
    Markdown,
    /// The paths of the rows, one step a line
    Path,
    /// The steps of the rows for Graphviz, as `graph --query` draws them
    Dot,
    /// The same as a picture
    Svg,
}

/// Rows, written.
#[derive(Debug)]
pub(super) enum Rendered {
    Page(Page),
    Text(String),
}

/// A number of seconds, as an argument.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.strip_suffix('s').unwrap_or(text).parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e6 => Ok(seconds),
        _ => Err("expected a number of seconds above 0".to_owned()),
    }
}

/// Writes rows over the graph of an input of this name.
pub(super) fn rendered(
    format: QueryFormat,
    table: &Table,
    view: &AttackView<'_>,
    name: &str,
) -> anyhow::Result<Rendered> {
    Ok(match format {
        QueryFormat::Table => Rendered::Page(page(table, view)),
        QueryFormat::Box => Rendered::Page(boxed(table, view)),
        QueryFormat::Line => Rendered::Page(by_line(table, view)),
        QueryFormat::Path => Rendered::Page(paths(table, view)),
        QueryFormat::Json => Rendered::Text(document(table, view)?),
        QueryFormat::Jsonl => Rendered::Text(lines(table, view)),
        QueryFormat::Csv => Rendered::Text(separated(table, view)),
        QueryFormat::Tsv => Rendered::Text(tabbed(table, view)),
        QueryFormat::Markdown => Rendered::Text(markdown(table, view)),
        QueryFormat::Dot => Rendered::Text(dot(&diagram(table, view)?)),
        QueryFormat::Svg => Rendered::Text(svg(&diagram(table, view)?, &format!("Attack graph of {name}"))?),
    })
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

fn cells<'a>(table: &'a Table, graph: &'a dyn Graph) -> impl Iterator<Item = Vec<String>> + 'a {
    table
        .rows
        .iter()
        .map(|row| row.iter().map(|value| query::text(value, graph)).collect())
}

fn count(table: &Table, page: &mut Page) {
    page.toned(Tone::Faint, format!("({})", counted(table.rows.len(), "row")));
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
    count(table, &mut page);
    page
}

fn boxed(table: &Table, graph: &dyn Graph) -> Page {
    let flat = |cell: String| cell.replace(['\n', '\r', '\t'], " ");
    let rows: Vec<Vec<String>> = std::iter::once(table.columns.clone())
        .chain(cells(table, graph))
        .map(|row| row.into_iter().map(flat).collect())
        .collect();
    let mut widths = vec![0; table.columns.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let rule = |left: &str, middle: &str, right: &str| {
        let bars: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}", bars.join(middle))
    };
    let line = |row: &[String]| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!(" {cell}{} ", " ".repeat(width - cell.chars().count())))
            .collect();
        format!("│{}│", cells.join("│"))
    };
    let mut page = Page::default();
    page.line(rule("┌", "┬", "┐"));
    for (index, row) in rows.iter().enumerate() {
        page.toned(if index == 0 { Tone::Heading } else { Tone::Plain }, line(row));
        if index == 0 {
            page.line(rule("├", "┼", "┤"));
        }
    }
    page.line(rule("└", "┴", "┘"));
    count(table, &mut page);
    page
}

fn by_line(table: &Table, graph: &dyn Graph) -> Page {
    let width = table.columns.iter().map(|column| column.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut page = Page::default();
    for (index, row) in cells(table, graph).enumerate() {
        page.toned(Tone::Faint, format!("row {}", index + 1));
        for (column, cell) in table.columns.iter().zip(row) {
            page.line(format!("{column:>width$} = {cell}"));
        }
    }
    count(table, &mut page);
    page
}

/// Every path, one step a line.
fn paths(table: &Table, graph: &dyn Graph) -> Page {
    let mut page = Page::default();
    let name = |node| query::text(&Value::Node(node), graph);
    for (index, row) in table.rows.iter().enumerate() {
        page.heading(format!("row {}", index + 1));
        for (column, value) in table.columns.iter().zip(row) {
            let Value::Path(path) = value else {
                page.line(format!("{column} = {}", query::text(value, graph)));
                continue;
            };
            page.line(name(path.nodes[0]));
            for (link, node) in path.links.iter().zip(path.nodes.iter().skip(1)) {
                let forward = graph.ends(*link).1 == *node;
                let (left, right) = if forward { ("-", "->") } else { ("<-", "-") };
                let effort = query::text(&graph.link_property(*link, "effort"), graph);
                let kind = graph.link_type(*link);
                page.line(format!(
                    "  {left}[{kind}, effort {effort}]{right} {}",
                    name(*node)
                ));
            }
        }
    }
    count(table, &mut page);
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

fn tabbed(table: &Table, graph: &dyn Graph) -> String {
    let field = |cell: &String| {
        cell.replace('\\', "\\\\")
            .replace('\t', "\\t")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
    };
    let mut text = String::new();
    for row in std::iter::once(table.columns.clone()).chain(cells(table, graph)) {
        text.push_str(&row.iter().map(field).collect::<Vec<_>>().join("\t"));
        text.push('\n');
    }
    text
}
