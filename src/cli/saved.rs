//! Saved queries: those of the program and those of a folder of the user's own.
//!
//! **Trap.** A query of the folder comes before one of the program that has the same id.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::query::{Saved, did_you_mean, grouped, saved};
use crate::report::{self, Page};

/// What the files of saved queries end with.
pub(super) const EXTENSION: &str = "cypher";

/// The saved queries of the program, then those that only a folder has.
pub(super) fn all_saved(folder: Option<&Path>) -> anyhow::Result<Vec<Saved>> {
    let mut own = match folder {
        Some(folder) => of_folder(folder)?,
        None => BTreeMap::new(),
    };
    let shipped = saved().into_iter();
    let mut all: Vec<Saved> = shipped
        .map(|query| own.remove(&query.id).unwrap_or(query))
        .collect();
    all.extend(own.into_values());
    Ok(all)
}

fn of_folder(folder: &Path) -> anyhow::Result<BTreeMap<String, Saved>> {
    let cannot = || format!("cannot read the folder of queries {}", folder.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        paths.push(entry.with_context(cannot)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
    paths.sort();
    let mut own = BTreeMap::<String, Saved>::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let query = Saved::read(&name, &text);
        if let Some(known) = own.insert(query.id.clone(), query) {
            bail!(
                "{}: a query of the id {} is in {} twice",
                path.display(),
                known.id,
                folder.display()
            );
        }
    }
    Ok(own)
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

/// Saved queries, one a line, group by group.
pub(super) fn list(saved: &[Saved]) -> Page {
    let mut page = Page::default();
    let width = saved
        .iter()
        .map(|query| query.id.chars().count())
        .max()
        .unwrap_or_default();
    for (group, queries) in grouped(saved) {
        page.heading(if group.is_empty() { "of no group" } else { group });
        for query in queries {
            page.line(format!(
                "  {:width$}  {:8}  {}",
                query.id, query.severity, query.title
            ));
        }
    }
    page
}

/// Name and version of the JSON form of the list.
const SCHEMA: &str = "beachhead.queries/1";

#[derive(Serialize)]
struct List<'q> {
    schema: &'static str,
    queries: Vec<Entry<'q>>,
}

#[derive(Serialize)]
struct Entry<'q> {
    id: &'q str,
    title: &'q str,
    group: &'q str,
    severity: &'q str,
    attack: Vec<&'q str>,
    fix: &'q str,
    text: &'q str,
}

impl<'q> Entry<'q> {
    fn new(query: &'q Saved) -> Self {
        Self {
            id: &query.id,
            title: &query.title,
            group: &query.group,
            severity: &query.severity,
            attack: query.attack.split_whitespace().collect(),
            fix: &query.fix,
            text: &query.text,
        }
    }
}

/// Saved queries as JSON, in the order of [`list`].
pub(super) fn listed(saved: &[Saved]) -> anyhow::Result<String> {
    let in_order = grouped(saved).into_iter().flat_map(|(_, queries)| queries);
    Ok(report::json(&List {
        schema: SCHEMA,
        queries: in_order.map(Entry::new).collect(),
    })?)
}
