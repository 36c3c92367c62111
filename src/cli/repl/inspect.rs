//! Commands that show a part of the graph: positions, their neighbours, paths, what is held, why, where to cut.
//!
//! **Trap.** `#2` stands for the position in the second row of the last result, wherever an id may stand.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::core::Core;
use crate::cli::analysis::vertex;
use crate::cli::drawing::Parts;
use crate::graph::VertexId;
use crate::paths::{Premises, Reach, Solver};
use crate::query::{Graph as _, NodeId, Value, text};
use crate::report::{self, Derived, Page, PathView, Sources, counted, cuts};

/// Items that a page lists of one kind.
const SHOWN: usize = 50;

/// The id that a word means: itself, or the position of a row of the last result.
pub(super) fn meant(core: &Core<'_, '_>, word: &str) -> anyhow::Result<String> {
    let Some(number) = word.strip_prefix('#') else {
        return Ok(word.to_owned());
    };
    let row = row(core, number)?;
    let id = |value: &Value| match value {
        Value::Node(_) => Some(text(value, core.view)),
        Value::Path(path) => path.nodes.last().map(|node| text(&Value::Node(*node), core.view)),
        Value::Text(id) => core
            .view
            .column("id")
            .filter(|ids| !ids.nodes(value).is_empty())
            .map(|_| id.to_string()),
        _ => None,
    };
    row.iter()
        .find_map(id)
        .with_context(|| format!("row {number} holds no position"))
}

/// A row of the last result by its number, from 1.
fn row<'c>(core: &'c Core<'_, '_>, word: &str) -> anyhow::Result<&'c [Value]> {
    let Some(table) = &core.last else {
        bail!("#{word} is a row of the last result, and there is none");
    };
    let number: usize = word
        .parse()
        .with_context(|| format!("{word} is not the number of a row"))?;
    let found = number.checked_sub(1).and_then(|at| table.rows.get(at));
    found.map(Vec::as_slice).with_context(|| {
        format!(
            "there is no row {number}; the last result has {}",
            counted(table.rows.len(), "row")
        )
    })
}

fn node(core: &Core<'_, '_>, word: &str) -> anyhow::Result<NodeId> {
    vertex(&meant(core, word)?, core.graph)
}

/// What a word stands for: one position, or the pods of a workload.
pub(super) fn positions(core: &Core<'_, '_>, word: &str) -> anyhow::Result<Vec<VertexId>> {
    core.analysis.vertices(&meant(core, word)?, core.graph)
}

pub(super) fn describe(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let node = node(core, id)?;
    let id = text(&Value::Node(node), core.view);
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
        let mut types = BTreeMap::<&str, usize>::new();
        for (link, _) in links {
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

pub(super) fn neighbors(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let node = node(core, id)?;
    let mut page = Page::default();
    for links in [core.view.outgoing(node), core.view.incoming(node)] {
        for (link, _) in links.iter().take(SHOWN) {
            page.line(text(&Value::Link(*link), core.view));
        }
        if links.len() > SHOWN {
            page.line(format!("and {} more", links.len() - SHOWN));
        }
    }
    Ok(page)
}

pub(super) fn paths(core: &Core<'_, '_>, rest: &[&str]) -> anyhow::Result<Page> {
    let [from, to, more @ ..] = rest else {
        bail!(":paths takes FROM and TO, and perhaps how many");
    };
    let count = match more.first() {
        Some(word) => word
            .parse()
            .with_context(|| format!("{word} is not a number of paths"))?,
        None => 1_u16,
    };
    let starts = positions(core, from)?;
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

pub(super) fn reach(core: &Core<'_, '_>, id: &str) -> anyhow::Result<Page> {
    let starts = positions(core, id)?;
    let reach = Reach::new(core.rows, &starts, Premises::Max);
    let held: Vec<NodeId> = (0..core.view.nodes())
        .filter(|node| reach.is_held(*node) && !starts.contains(node))
        .collect();
    let mut by_label = BTreeMap::<&str, Vec<NodeId>>::new();
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

pub(super) fn why(core: &Core<'_, '_>, word: Option<&str>) -> anyhow::Result<Page> {
    let number = word.unwrap_or("#1").trim_start_matches('#');
    let links = Parts::of(row(core, number)?).links;
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

/// The places to cut between two positions.
pub(super) fn choke(core: &Core<'_, '_>, rest: &[&str]) -> anyhow::Result<Page> {
    let [from, to] = rest else {
        bail!(":choke takes FROM and TO");
    };
    let (starts, target) = (positions(core, from)?, node(core, to)?);
    let mut page = Page::default();
    if !Reach::new(core.rows, &starts, Premises::Max).is_held(target) {
        page.line(format!("no path leads from {from} to {to}"));
        return Ok(page);
    }
    let points = cuts(core.graph, core.rows, &starts, target, &core.analysis.cluster);
    if points.is_empty() {
        page.line(format!(
            "no single place to cut leaves no way from {from} to {to}"
        ));
    }
    for point in points {
        page.heading(format!("{} -> {}", point.from.join(" + "), point.to));
        page.labelled(2, "step", &format!("{}: {}", point.technique, point.title));
        if point.steps > 1 {
            page.labelled(
                2,
                "alike",
                &format!("{} go with it", counted(point.steps, "step")),
            );
        }
        if let Some(remediation) = point.remediation {
            page.labelled(2, "stop it", remediation);
        }
    }
    Ok(page)
}
