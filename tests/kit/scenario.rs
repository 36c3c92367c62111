//! Carries out one scenario of the kit.
//!
//! **Trap.** An error at compile time must come before the query runs, and "not supported" never counts as the error
//! that a scenario wants.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use beachhead::query::{Fault, Limits, Procedure, Query, QueryError, Table, Type, Value};

use crate::cell::Cell;
use crate::feature::{Scenario, Step};
use crate::fixture::set_up;
use crate::memory::Memory;

type Outcome = Result<(), String>;

/// What a query gave, or when it failed.
enum Found {
    Rows(Table),
    Failed { running: bool, error: QueryError },
}

/// Runs a scenario over a graph without an index and over one that has some; `graphs` is the folder of the kit's named
/// graphs.
pub(crate) fn run(scenario: &Scenario, graphs: &Path) -> Outcome {
    run_over(scenario, graphs, false)?;
    run_over(scenario, graphs, true)
}

fn run_over(scenario: &Scenario, graphs: &Path, indexed: bool) -> Outcome {
    let mut graph = Memory::default();
    let mut parameters = BTreeMap::new();
    let mut found = None;
    for step in &scenario.steps {
        let text = step.text.trim_end_matches(':');
        match text {
            "an empty graph" | "any graph" | "no side effects" => {}
            "having executed" => set_up(&step.body, &mut graph),
            "parameters are" => {
                parameters = step
                    .table
                    .iter()
                    .map(|row| (row[0].clone(), Cell::read(&row[1]).value()))
                    .collect();
            }
            _ if text.starts_with("there exists a procedure ") => procedure(step, &mut graph)?,
            "executing query" | "executing control query" => {
                if indexed {
                    graph.index();
                }
                found = Some(execute(step, &graph, &parameters));
            }
            _ if text.ends_with(" graph") => {
                let name = text.trim_start_matches("the ").trim_end_matches(" graph");
                let file = graphs.join(name).join(format!("{name}.cypher"));
                set_up(
                    &fs::read_to_string(file).map_err(|error| error.to_string())?,
                    &mut graph,
                );
            }
            _ => {
                let found = found.as_ref().ok_or("nothing was executed")?;
                expect(text, step, found, &graph)?;
            }
        }
    }
    Ok(())
}

/// Adds a procedure: `there exists a procedure NAME(ARGUMENT :: TYPE, …) :: (RESULT :: TYPE, …)`, its rows in a table.
fn procedure(step: &Step, graph: &mut Memory) -> Outcome {
    let text = step.text.trim_start_matches("there exists a procedure ");
    let (head, gives) = text.split_once(") :: (").ok_or("no signature")?;
    let (name, takes) = head.split_once('(').ok_or("no arguments")?;
    let fields = |list: &str| -> Result<Vec<(String, Type)>, String> {
        let field = |field: &str| {
            let (name, kind) = field.split_once(" :: ").ok_or("no type")?;
            let kind = Type::of(kind.trim()).ok_or("an unknown type")?;
            Ok((name.trim().to_owned(), kind))
        };
        list.split(',')
            .filter(|one| !one.trim().is_empty())
            .map(field)
            .collect()
    };
    let gives = fields(gives.split(')').next().unwrap_or_default())?;
    let takes = fields(takes)?;
    let borrowed: Vec<(&str, Type, Option<Value>)> = takes
        .iter()
        .map(|(name, kind)| (name.as_str(), *kind, None))
        .collect();
    let gives: Vec<(&str, Type)> = gives.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let rows = step.table.iter().skip(1);
    let rows = rows.map(|row| row.iter().map(|cell| Cell::read(cell).value()).collect());
    graph.procedure(Procedure::new(name, "", &borrowed, &gives), rows.collect());
    Ok(())
}

fn execute(step: &Step, graph: &Memory, parameters: &BTreeMap<String, Value>) -> Found {
    let query = match Query::parse(&step.body) {
        Ok(query) => query,
        Err(error) => {
            return Found::Failed {
                running: false,
                error,
            };
        }
    };
    let checked = query.check(graph).map(|_| ());
    if let Err(error) = checked.and_then(|()| query.check_parameters(graph, parameters)) {
        return Found::Failed {
            running: false,
            error,
        };
    }
    match query.run(graph, parameters, Limits::default()) {
        Ok(table) => Found::Rows(table),
        Err(error) => Found::Failed { running: true, error },
    }
}

fn expect(text: &str, step: &Step, found: &Found, graph: &Memory) -> Outcome {
    if let Some((kind, place)) = text.split_once(" should be raised at ") {
        let (phase, _) = (place.split_once(": ")).ok_or("no detail")?;
        return expect_error(kind.rsplit(' ').next().unwrap_or_default(), phase, found);
    }
    let table = match found {
        Found::Rows(table) => table,
        Found::Failed { error, .. } => return Err(format!("it fails: {error:?}")),
    };
    if let Some(stopped) = &table.stopped {
        return Err(stopped.clone());
    }
    match text {
        "the result should be empty" if table.rows.is_empty() => Ok(()),
        "the result should be empty" => Err(format!("{} rows", table.rows.len())),
        "the result should be, in any order" => compare(step, table, graph, false, false),
        "the result should be, in order" => compare(step, table, graph, true, false),
        "the result should be (ignoring element order for lists)" => compare(step, table, graph, false, true),
        "the result should be, in order (ignoring element order for lists)" => {
            compare(step, table, graph, true, true)
        }
        _ => Err(format!("no such step: {text}")),
    }
}

fn expect_error(kind: &str, phase: &str, found: &Found) -> Outcome {
    let Found::Failed { running, error } = found else {
        return Err(format!("it gives rows instead of a {kind} at {phase}"));
    };
    let fits = match kind {
        "TypeError" => error.fault == Fault::Type,
        "ArgumentError" => matches!(error.fault, Fault::Argument | Fault::Type),
        _ => error.fault != Fault::NotSupported,
    };
    if !fits {
        return Err(format!("it fails otherwise than by a {kind}: {error:?}"));
    }
    if phase == "compile time" && *running {
        return Err(format!("it fails only while it runs: {error:?}"));
    }
    Ok(())
}

fn compare(step: &Step, table: &Table, graph: &Memory, ordered: bool, loose: bool) -> Outcome {
    let (head, wanted) = step.table.split_first().ok_or("no table")?;
    let places: Option<Vec<usize>> = head
        .iter()
        .map(|name| table.columns.iter().position(|column| column == name))
        .collect();
    let Some(places) = places.filter(|places| places.len() == table.columns.len()) else {
        return Err(format!("columns {:?} instead of {head:?}", table.columns));
    };
    let shown = |cell: Cell| if loose { cell.sorted() } else { cell }.to_string();
    let mut wanted: Vec<String> = wanted
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| shown(Cell::read(cell)))
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    let mut rows: Vec<String> = table
        .rows
        .iter()
        .map(|row| {
            places
                .iter()
                .map(|at| shown(Cell::of(&row[*at], graph)))
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    if !ordered {
        wanted.sort();
        rows.sort();
    }
    if rows == wanted {
        return Ok(());
    }
    Err(format!("wanted {wanted:#?}\nfound {rows:#?}"))
}
