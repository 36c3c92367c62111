//! The report as one HTML file that needs nothing else: no network, no script to be read.
//!
//! Markup is made by `maud`, which quotes every text. The styles and the script are files of ours beside this one; a
//! content security policy names both by their hash, so that nothing else can run, whatever the cluster is called. Data
//! for the script stands in a block that no browser executes, and the script writes it as text only.
//!
//! **Trap.** No attribute may hold style or script, as the policy forbids them; looks are classes.

mod finding;
mod summary;
mod technique;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::finding::Finding;
use super::findings::Findings;
use super::page::counted;
use super::posture::Posture;
use super::words::folded;
use crate::model::{Refusal, Severity};

const STYLE: &str = include_str!("page.css");
const PAGE: &str = include_str!("page.js");
const GRAPH: &str = include_str!("graph.js");

/// Bytes of findings that are shown with picture, facts and lines; the steps of the others are one line each.
const FULL: usize = 2_500_000;
/// Findings whose steps are listed; of the others the heads alone.
const LISTED: usize = 2_000;

/// What others draw for the page.
pub struct Pictures<'a> {
    /// The picture of a finding's path as SVG.
    pub path: &'a dyn Fn(&Finding) -> Option<String>,
    /// The legend of these pictures as SVG.
    pub legend: String,
    /// Named views of the graph, as `draw::scene` makes them.
    pub scenes: Vec<(&'static str, Value)>,
    /// What the views leave out.
    pub remarks: Vec<String>,
}

impl std::fmt::Debug for Pictures<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pictures")
            .field("remarks", &self.remarks)
            .finish_non_exhaustive()
    }
}

/// Returns the report as one HTML file.
pub fn html(all: &Findings, posture: &Posture, pictures: &Pictures<'_>) -> String {
    let script = format!("{PAGE}{GRAPH}");
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(&script)
    );
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(format!("{} {}", all.tool.name, all.tool.version));
                title { "Attack paths in " (all.input.name) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#findings" { "Skip to the findings" }
                header {
                    h1 { "Attack paths in " bdi { (all.input.name) } }
                    nav aria-label="Sections" {
                        a href="#summary" { "Summary" }
                        a href="#cut" { "What to change first" }
                        a href="#findings" { "Findings" }
                        a href="#graph" { "Graph" }
                        a href="#techniques" { "Techniques" }
                        a href="#unseen" { "What was not seen" }
                    }
                }
                main {
                    (summary::summary(all, posture))
                    (summary::cuts(all))
                    (findings(all, pictures))
                    (graph(pictures))
                    (technique::pages(all))
                    (unseen(all, posture, pictures))
                }
                footer { "Written by " (all.tool.name) " " (all.tool.version) ". This file loads nothing from anywhere." }
                script type="application/json" id="scenes" { (PreEscaped(data(&pictures.scenes))) }
                script { (PreEscaped(script)) }
            }
        }
    };
    page.into_string()
}

/// The hash of a text as content security policies name it.
/// Source: <https://www.w3.org/TR/CSP3/#grammardef-hash-source>
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Data for a script block: JSON in which no character can end the block.
/// Source: <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>
fn data(scenes: &[(&'static str, Value)]) -> String {
    let scenes: BTreeMap<&str, &Value> = scenes.iter().map(|(name, scene)| (*name, scene)).collect();
    let text = serde_json::to_string(&scenes).unwrap_or_else(|_| "{}".to_owned());
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

fn findings(all: &Findings, pictures: &Pictures<'_>) -> Markup {
    let mut room = FULL;
    let mut techniques: Vec<&str> = all.findings.iter().map(|finding| finding.way_in).collect();
    techniques.sort_unstable();
    techniques.dedup();
    let changes = all.changes_of();
    let list = all.findings.iter().enumerate().map(|(at, finding)| {
        if room > 0 {
            let changes = changes.get(finding.id.as_str()).map_or(&[][..], Vec::as_slice);
            let full = finding::full(all, finding, changes, (pictures.path)(finding)).into_string();
            room = room.saturating_sub(full.len());
            PreEscaped(full)
        } else {
            finding::brief(finding, at < LISTED)
        }
    });
    let list: Vec<Markup> = list.collect();
    markup! {
        section #findings aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            @if all.findings.is_empty() {
                p { "No crown jewel can be reached by what Beachhead knows." }
            } @else {
                form.filters data-script hidden role="search" aria-label="Filter the findings" {
                    label { "Search " input #search type="search" placeholder="name, technique, id" aria-keyshortcuts="/" autocomplete="off"; }
                    fieldset {
                        legend { "Severity" }
                        @for severity in ["critical", "high", "medium", "low"] {
                            label { input type="checkbox" name="severity" value=(severity) checked; " " (severity) }
                        }
                    }
                    fieldset {
                        legend { "State" }
                        @for (value, word) in [("open", "open"), ("known", "in the baseline"), ("ignored", "ignored")] {
                            label { input type="checkbox" name="state" value=(value) checked; " " (word) }
                        }
                    }
                    label { "Way in "
                        select name="way" {
                            option value="" { "any" }
                            @for id in &techniques { option value=(id) { (id) } }
                        }
                    }
                    p #shown role="status" { (counted(all.findings.len(), "finding")) }
                    p.hint { "Keys: " kbd { "/" } " searches, " kbd { "j" } " and " kbd { "k" } " go from finding to finding, "
                        kbd { "Enter" } " opens one, " kbd { "Esc" } " clears the search." }
                }
                div.legend { (PreEscaped(&pictures.legend)) }
                div #list { @for one in &list { (one) } }
            }
        }
    }
}

fn graph(pictures: &Pictures<'_>) -> Markup {
    markup! {
        section #graph aria-labelledby="graph-title" {
            h2 #graph-title { "Graph" }
            noscript { p { "The graph needs the script of this file; the picture of each path above does not." } }
            @if pictures.scenes.is_empty() {
                p { "There is no graph to show." }
            } @else {
                div #stage data-script hidden {
                    form.filters aria-label="Controls of the graph" {
                        label { "Show "
                            select #view { @for (name, _) in &pictures.scenes { option { (name) } } }
                        }
                        label { "Path " select #path { option value="" { "none" } } }
                        label { "Find " input #find type="search" list="names" autocomplete="off" placeholder="name of a position"; }
                        label { input #group type="checkbox"; " group by namespace" }
                        span.buttons {
                            button #nearer type="button" aria-label="Zoom in" { "+" }
                            button #farther type="button" aria-label="Zoom out" { "−" }
                            button #fit type="button" { "Fit" }
                            button #clear type="button" { "Clear" }
                        }
                    }
                    div.canvas {
                        svg #drawing tabindex="0" role="application" aria-label="Attack graph" aria-describedby="graph-keys" {}
                        div #panel role="region" aria-live="polite" aria-label="Selected position" {}
                    }
                    p #graph-keys .hint { "Drag to move, scroll with Ctrl to zoom, click a position, a join or a namespace for its blast radius. Keys: arrows move, "
                        kbd { "+" } " and " kbd { "−" } " zoom, " kbd { "0" } " fits, " kbd { "n" } " and " kbd { "p" }
                        " go from position to position, " kbd { "Enter" } " shows the blast radius, " kbd { "Esc" } " clears." }
                }
            }
            @for remark in &pictures.remarks { p.hint { (remark) } }
        }
    }
}

/// Ids that are named for one resource.
const DOUBTS: usize = 20;

/// A resource that could not be read, with the verdicts that it may change.
fn refused(all: &Findings, refusal: &Refusal) -> Markup {
    let titles: BTreeMap<&str, &str> = (all.findings.iter())
        .map(|finding| (finding.id.as_str(), finding.title.as_str()))
        .collect();
    let mut doubts = all.uncertain.iter();
    let doubt = doubts.find(|doubt| doubt.resource == *refusal.resource);
    let more = |ids: &[String]| ids.len().checked_sub(DOUBTS + 1).map(|more| more + 1);
    markup! {
        li {
            "could not be listed: " (refusal.resource) ", " (refusal.reason)
            @if !refusal.affects.is_empty() { "; uncertain without it: " (refusal.affects) }
            @if let Some(doubt) = doubt {
                @if !doubt.refutable.is_empty() {
                    p.how { "may refute:" }
                    ul.doubts {
                        @for id in doubt.refutable.iter().take(DOUBTS) {
                            li { a href={ "#" (id) } { (titles.get(id.as_str()).unwrap_or(&id.as_str())) } }
                        }
                        @if let Some(more) = more(&doubt.refutable) { li { (counted(more, "more finding")) } }
                    }
                }
                @if !doubt.reachable.is_empty() {
                    p.how { "may open a way to:" }
                    ul.doubts {
                        @for id in doubt.reachable.iter().take(DOUBTS) { li { code { (id) } } }
                        @if let Some(more) = more(&doubt.reachable) { li { (counted(more, "more crown jewel")) } }
                    }
                }
            }
        }
    }
}

fn unseen(all: &Findings, posture: &Posture, pictures: &Pictures<'_>) -> Markup {
    let alike = folded(
        &all.diagnostics,
        |found| (found.code, &found.hint),
        |found| &found.message,
    );
    let mut conditions: Vec<&str> = all
        .findings
        .iter()
        .flat_map(|finding| &finding.path.steps)
        .filter_map(|step| step.condition.as_deref())
        .collect();
    conditions.sort_unstable();
    conditions.dedup();
    let kinds = all
        .input
        .objects
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"));
    let kinds: Vec<String> = kinds.collect();
    markup! {
        section #unseen aria-labelledby="unseen-title" {
            h2 #unseen-title { "What this rests on, and what was not seen" }
            h3 { "Read" }
            p { (kinds.join(", ")) @if all.input.stand_in_pods > 0 {
                "; " (counted(all.input.stand_in_pods, "pod")) " stand for workloads whose pods are not in the input" } "." }
            h3 { "Assumed" }
            ul { @for line in &all.assumptions { li { (line) } } }
            @if !conditions.is_empty() {
                h3 { "Depends on what the input does not show" }
                ul { @for line in &conditions { li { (line) } } }
            }
            h3 { "Not seen or not understood" }
            ul {
                @for refusal in &all.coverage.refused { (refused(all, refusal)) }
                @for (found, count) in alike {
                    li {
                        span.word { (if found.severity == Severity::Warning { "warning" } else { "note" }) } " " (found.message)
                        @if let Some(object) = &found.object { " (" code { (object) } ")" }
                        @if let Some(source) = &found.source { " (" code { (source) } ")" }
                        @if count > 1 { " and " (count - 1) " more like it" }
                        @if !found.hint.is_empty() { "; " (found.hint) }
                    }
                }
                @if all.ways_not_searched > 0 {
                    li { (counted(all.ways_not_searched, "way")) " in were not looked at one by one, for want of time" }
                }
                @if posture.asked < posture.workloads {
                    li { "whether cluster-admin is reachable was asked for " (posture.asked) " of " (posture.workloads) " workloads" }
                }
                @for remark in &pictures.remarks { li { (remark) } }
                @if all.diagnostics.is_empty() && all.coverage.refused.is_empty() {
                    li { "No reader or rule reported anything as unread or not modelled." }
                }
            }
        }
    }
}
