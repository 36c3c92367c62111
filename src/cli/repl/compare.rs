//! The same question to two graphs: another input (`:diff`), or this one as it changes (`:watch`).
//!
//! **Trap.** Rows are compared as they are shown; numbers of nodes mean nothing in another graph.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use anyhow::{anyhow, bail};

use super::core::{Core, Outcome, Part};
use crate::cli::Streams;
use crate::cli::progress::Progress;
use crate::query::{AttackView, Query, Table, text};
use crate::report::{Page, Tone, counted};

/// What is compared if nobody asked anything yet.
const HELD: &str = "MATCH ANY SHORTEST (:Internet)-->+(held) RETURN held.id AS held";

/// A query that is asked again and again.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) query: String,
    pub(super) every: Duration,
    /// How many times more.
    pub(super) left: Option<u32>,
    /// The rows of the last time; none before the first.
    pub(super) seen: Option<Vec<String>>,
}

/// The rows of a result as lines.
pub(super) fn lines(table: &Table, view: &AttackView<'_>) -> Vec<String> {
    let line = |row: &Vec<_>| {
        row.iter()
            .map(|value| text(value, view))
            .collect::<Vec<_>>()
            .join("  ")
    };
    table.rows.iter().map(line).collect()
}

/// The lines that only one of two results has.
pub(super) fn difference(old: &[String], new: &[String]) -> Page {
    let mut counts = BTreeMap::<&str, (usize, usize)>::new();
    for line in old {
        counts.entry(line).or_default().0 += 1;
    }
    for line in new {
        counts.entry(line).or_default().1 += 1;
    }
    let (mut page, mut gone, mut came) = (Page::default(), 0, 0);
    for (line, (before, after)) in counts {
        for _ in after..before {
            page.line(format!("- {line}"));
            gone += 1;
        }
        for _ in before..after {
            page.toned(Tone::Alarm, format!("+ {line}"));
            came += 1;
        }
    }
    let same = counted(new.len() - came, "row");
    page.toned(Tone::Faint, format!("({gone} gone, {came} new, {same} in both)"));
    page
}

/// The rows that only this input or only another one gives.
pub(super) fn diff(core: &mut Core<'_, '_>, input: &str, query: &str) -> anyhow::Result<Outcome> {
    let asked = match query {
        "" => core.session.last_query.as_deref().unwrap_or(HELD),
        query => query,
    };
    let asked = asked.to_owned();
    let wrong = |error: crate::query::QueryError| anyhow!("{}", error.shown(&asked));
    let query = Query::parse(&asked).map_err(wrong)?;
    let mut other = core.session.subject.clone();
    other.input.open(input.into());
    if other.input.is_stdin() {
        bail!("INPUT cannot be standard input: statements come from there");
    }
    let mut quiet = Streams {
        stdin: &mut io::empty(),
        out: &mut io::sink(),
        err: &mut io::sink(),
        progress: Progress::new(false),
    };
    let other = other.analyse(&mut quiet)?;
    let graph = core.session.graph(&other);
    let rows = graph.freeze();
    let view = AttackView::new(&graph, &rows).with_cluster(&other.cluster, &other.facts);
    let ask = |view: &AttackView<'_>| {
        let table = query
            .run(view, &core.session.parameters, core.session.limits())
            .map_err(wrong)?;
        match &table.stopped {
            Some(why) => bail!("a part of the rows says nothing of the rest: {why}"),
            None => Ok(lines(&table, view)),
        }
    };
    let (here, there) = (ask(core.view)?, ask(&view)?);
    Ok(Outcome::of(vec![
        Part::Note(format!(
            "- only in {}, + only in {}",
            core.analysis.name, other.name
        )),
        Part::Page(difference(&here, &there)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_with_how_often_they_come() {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let page = difference(&texts(&["a", "b", "b"]), &texts(&["b", "c"]));
        let shown: Vec<&str> = page.lines().iter().map(|line| line.text.as_str()).collect();
        assert_eq!(shown, ["- a", "- b", "+ c", "(2 gone, 1 new, 1 row in both)"]);
    }
}
