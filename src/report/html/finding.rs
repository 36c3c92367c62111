//! One finding on the page.
//!
//! **Trap.** The script filters by the `data-` members and by the text; both must stay true to what is shown.

use maud::{Markup, PreEscaped, html as markup};

use super::super::finding::{Finding, State};
use super::super::findings::Findings;
use super::super::page::counted;
use super::super::path::{EvidenceView, Move};
use super::super::remedy::Change;
use crate::collect::Excerpt;
use crate::techniques;

/// Facts shown for one step.
const FACTS: usize = 8;
/// Changes that are named.
const CHANGES: usize = 6;
/// Lost jewels that are named.
const NAMES: usize = 12;

/// A finding with its picture and everything that proves it.
pub(super) fn full(
    all: &Findings,
    finding: &Finding,
    changes: &[&Change],
    picture: Option<String>,
) -> Markup {
    let cuts: Vec<_> = all
        .choke_points
        .iter()
        .filter(|point| point.removes.contains(&finding.id))
        .collect();
    let moves = finding.path.moves();
    let body = markup! {
        (head_facts(finding))
        p { button.show data-script hidden type="button" data-path=(finding.id) { "Show in the graph" } }
        @if let Some(picture) = picture {
            div.wide tabindex="0" role="region" aria-label={ "Picture of " (finding.title) } { (PreEscaped(picture)) }
        }
        h3 { "Steps" }
        ol.steps { @for one in &moves { (step(one)) } }
        (ends(changes))
        @if changes.is_empty() && all.changes.iter().any(|change| change.verified) {
            p.how { "No single change that was tried ends it: there is more than one way, or what opens it is meant to be there." }
        }
        @if !cuts.is_empty() {
            h3 { "Steps without which it is gone" }
            ul { @for point in cuts { li { (point.title) " (" (link(point.technique)) "): "
                @for (at, from) in point.from.iter().enumerate() { @if at > 0 { " and " } code { (from) } } " to " code { (point.to) }
                @if let Some(remediation) = point.remediation { ". " (remediation) } } } }
        }
    };
    frame(finding, &body)
}

/// The changes that end a finding.
fn ends(changes: &[&Change]) -> Markup {
    let shown = changes.iter().any(|change| change.verified);
    markup! {
        @if !changes.is_empty() {
            h3 { @if shown { "Any one of these changes ends it" } @else { "These changes may end it" } }
            ul.ends {
                @for change in changes.iter().take(CHANGES) {
                    li { a href={ "#" (change.id) } { (change.title) }
                        @for source in change.patches.iter().filter_map(|patch| patch.source.as_ref()) { ", " code { (source) } } }
                }
                @if changes.len() > CHANGES { li { (changes.len() - CHANGES) " more above" } }
            }
        }
    }
}

/// A finding with its steps, if they are `listed`, in one line each.
pub(super) fn brief(finding: &Finding, listed: bool) -> Markup {
    let moves = finding.path.moves();
    let body = markup! {
        (head_facts(finding))
        @if listed {
            ol.steps { @for one in &moves { li { (one.step.title) ": " (one.step.gains) } } }
        } @else {
            p { (counted(moves.len(), "step")) "; the JSON form lists them" }
        }
    };
    frame(finding, &body)
}

fn frame(finding: &Finding, body: &Markup) -> Markup {
    let severity = finding.severity.as_str();
    markup! {
        details.finding id=(finding.id) data-severity=(severity) data-state=(state(finding.state)) data-way=(finding.way_in) {
            summary {
                span class={ "badge " (severity) } { (severity) } " "
                span.title { (finding.title) } " "
                span.meta { "effort " (finding.path.effort) ", " (finding.path.certainty)
                    @if finding.state != State::Open { ", " (state(finding.state)) } }
            }
            div.body { (body) }
        }
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Known => "known",
        State::Ignored => "ignored",
    }
}

fn head_facts(finding: &Finding) -> Markup {
    markup! {
        dl.facts {
            dt { "Id" } dd { code { (finding.id) } }
            dt { "Entry" } dd { code { (finding.entry) } @if finding.entry_pods > 1 { " (" (counted(finding.entry_pods, "pod")) ")" } }
            dt { "Way in" } dd { (link(finding.way_in)) }
            dt { "Lost" } dd { code { (finding.jewel) } @if finding.reached.len() > 1 {
                ": " @for (at, id) in finding.reached.iter().take(NAMES).enumerate() { @if at > 0 { ", " } code { (id) } }
                @if finding.reached.len() > NAMES { " and " (finding.reached.len() - NAMES) " more" } } }
            dt { "Path" } dd { (finding.ways.words()) ", to " code { (finding.path.to) } }
            @if !finding.path.proven { dt { "Search" } dd { "ended before it was known that no way is cheaper" } }
            @if let Some(ignored) = &finding.ignored {
                dt { "Ignored" } dd { "by " (ignored.owner) " until " (ignored.expires) ": " (ignored.reason) }
            }
        }
    }
}

fn step(one: &Move<'_>) -> Markup {
    let step = one.step;
    let facts = one.evidence();
    markup! {
        li {
            p { strong { (step.title) } ": gains " (step.gains) }
            @if one.needs.len() > 1 || one.needs.iter().any(|(_, from)| from.is_none()) {
                p.how { "needs " @for (at, (premise, from)) in one.needs.iter().enumerate() {
                    @if at > 0 { " and " } code { (premise) } @if let Some(number) = from { " (step " (number) ")" } } }
            }
            p.how {
                @if step.structural { (step.technique) } @else { (link(step.technique)) }
                @for id in step.mitre {
                    ", " a href={ "https://attack.mitre.org/techniques/" (id.replace('.', "/")) "/" } rel="noreferrer" { (id) }
                }
                ", effort " (step.effort) ", " (step.certainty)
            }
            @for condition in one.conditions() { p.how { "only if " (condition) } }
            @if !facts.is_empty() {
                ul.because {
                    @for fact in facts.iter().take(FACTS) { (because(fact)) }
                    @if facts.len() > FACTS { li { (counted(facts.len() - FACTS, "more fact")) } }
                }
            }
            @if let Some(remediation) = step.remediation { p.fix { (remediation) } }
        }
    }
}

fn because(fact: &EvidenceView) -> Markup {
    markup! {
        li {
            code { (fact.object) }
            @if !fact.path.is_empty() { " " code { (fact.path) } }
            @if !fact.value.is_empty() { " = " code { (fact.value) } }
            @match (&fact.place, fact.spot, &fact.source) {
                (Some(place), Some(spot), _) => { " in " code { (place.file) ":" (spot.line) ":" (spot.column) } }
                (_, _, Some(source)) => { " in " code { (source) } }
                _ => {}
            }
            @if let Some(excerpt) = &fact.excerpt { (lines(excerpt)) }
        }
    }
}

fn lines(excerpt: &Excerpt) -> Markup {
    markup! {
        details.lines {
            summary { "lines" }
            pre tabindex="0" { @for (number, line) in (excerpt.first..).zip(&excerpt.lines) {
                @if number == excerpt.marked { mark { (format!("{number:>5}  {line}\n")) } } @else { (format!("{number:>5}  {line}\n")) }
            } }
        }
    }
}

/// A link to a technique's page below; relations have none.
fn link(technique: &str) -> Markup {
    markup! {
        @if techniques::technique(technique).is_some() {
            a href={ "#technique-" (technique) } { (technique) }
        } @else {
            (technique)
        }
    }
}
