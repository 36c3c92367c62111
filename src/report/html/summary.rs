//! The top of the page: figures, what the outside reaches, what must not fall, and where to cut.
//!
//! **Trap.** Every figure says of how many; a share alone hides how little was looked at.

use maud::{Markup, html as markup};

use super::super::finding::{FindingSeverity, State};
use super::super::findings::Findings;
use super::super::page::counted;
use super::super::posture::Posture;

/// Rows of a table that are shown.
const ROWS: usize = 60;

pub(super) fn summary(all: &Findings, posture: &Posture) -> Markup {
    use FindingSeverity::{Critical, High, Low, Medium};
    let of = |severity| {
        let has = all.findings.iter().filter(|finding| finding.severity == severity);
        has.count()
    };
    let apart = all
        .findings
        .iter()
        .filter(|finding| finding.state != State::Open)
        .count();
    markup! {
        section #summary aria-labelledby="summary-title" {
            h2 #summary-title { "Summary" }
            ul.figures {
                @for severity in [Critical, High, Medium, Low] {
                    li class={ "figure " (severity.as_str()) } { strong { (of(severity)) } " " (severity.as_str()) }
                }
            }
            @if apart > 0 { p.hint { (apart) " of them are in the baseline or ignored." } }
            dl.posture {
                (figure("Workloads that lead to cluster-admin", &share(posture.to_admin, posture.asked)))
                (figure("Workloads that the internet reaches", &share(posture.exposed, posture.workloads)))
                (figure("Databases that fall to the internet", &share(posture.databases_reached, posture.databases)))
                (figure("Fewest steps to a crown jewel", &posture.shortest.map_or_else(|| "none".to_owned(), |steps| steps.to_string())))
                (figure("Least effort", &posture.cheapest.map_or_else(|| "none".to_owned(), |effort| effort.to_string())))
            }
            div.columns {
                (exposed(all))
                (jewels(all))
            }
            p.hint { "Effort adds up over a path: 1 uses what is held as intended, 5 is a public exploit, 8 an unpublished one." }
        }
    }
}

fn figure(name: &str, value: &str) -> Markup {
    markup! { div { dt { (name) } dd { (value) } } }
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "none".to_owned(),
        _ => format!("{part} of {whole} ({} %)", part * 100 / whole),
    }
}

fn exposed(all: &Findings) -> Markup {
    markup! {
        div.wide tabindex="0" role="region" aria-label="What the internet reaches" {
            table {
                caption { "What the internet reaches" }
                thead { tr { th scope="col" { "Workload" } th scope="col" { "Port" } th scope="col" { "Through" } } }
                tbody {
                    @for one in all.exposed.iter().take(ROWS) {
                        tr {
                            td { code { (one.workload) } }
                            td { (one.port) "/" (one.proto) }
                            td { @for (at, id) in one.via.iter().take(4).enumerate() { @if at > 0 { ", " } code { (id) } }
                                @if one.via.len() > 4 { " and " (one.via.len() - 4) " more" } }
                        }
                    }
                    @if all.exposed.is_empty() { tr { td colspan="3" { "nothing" } } }
                    (more(all.exposed.len()))
                }
            }
        }
    }
}

fn jewels(all: &Findings) -> Markup {
    let mut jewels: Vec<_> = all.crown_jewels.iter().collect();
    jewels.sort_by_key(|jewel| !jewel.reached);
    markup! {
        div.wide tabindex="0" role="region" aria-label="Crown jewels" {
            table {
                caption { "Crown jewels: what an attacker must not get" }
                thead { tr { th scope="col" { "Position" } th scope="col" { "Why" } th scope="col" { "Falls to the internet" } } }
                tbody {
                    @for jewel in jewels.iter().take(ROWS) {
                        tr {
                            td { code { (jewel.id) } }
                            td { (jewel.why) }
                            td { @match jewel.effort {
                                Some(effort) => { strong.alarm { "yes" } ", effort " (effort) }
                                None => "no path is known",
                            } }
                        }
                    }
                    (more(jewels.len()))
                }
            }
        }
    }
}

fn more(rows: usize) -> Markup {
    markup! {
        @if rows > ROWS { tr { td colspan="3" { (rows - ROWS) " more; the JSON form lists all" } } }
    }
}

/// Changes whose YAML is shown unasked.
const OPEN: usize = 1;

fn changes(all: &Findings) -> Markup {
    markup! {
        @if !all.changes.is_empty() {
            p.hint {
                @if all.changes.iter().any(|change| change.verified) {
                    "With each of these in place the whole analysis was run again: what it ends is gone, by every technique there is."
                } @else {
                    "None of these was tried: the graph is too large to be made anew for each. Other ways may be left."
                }
            }
            ol.cuts {
                @for (at, change) in all.changes.iter().enumerate() {
                    li id=(change.id) tabindex="-1" {
                        @if change.verified {
                            strong.gain { "Ends " (change.removes.len()) " of " (counted(all.findings.len(), "finding")) } ": "
                        } @else { strong { "Not tried" } ": " }
                        (change.title)
                        p.hint { (change.mind) }
                        details.lines open[at < OPEN] {
                            summary { "YAML" }
                            @for patch in &change.patches {
                                p.how { code { (patch.object) }
                                    @if let Some(source) = &patch.source { " in " code { (source) } }
                                    ": " code { (patch.command) } }
                                pre tabindex="0" { (patch.yaml) }
                            }
                        }
                        (ended(&change.removes))
                    }
                }
            }
        }
    }
}

/// Findings that are linked in one place.
const LINKS: usize = 6;

/// Links to findings.
fn ended(ids: &[String]) -> Markup {
    markup! {
        p.hint {
            @for id in ids.iter().take(LINKS) { a href={ "#" (id) } { (id) } " " }
            @if ids.len() > LINKS { "and " (ids.len() - LINKS) " more" }
        }
    }
}

pub(super) fn cuts(all: &Findings) -> Markup {
    markup! {
        section #cut aria-labelledby="cut-title" {
            h2 #cut-title { "What to change first" }
            (changes(all))
            @if !all.changes.is_empty() { h3 { "Where to cut" } }
            @if all.choke_points.is_empty() {
                p { "No single step is the one that findings depend on." }
            } @else {
                p.hint { "The steps without which findings are gone. Each was shown by solving again without it." }
                ol.cuts {
                    @for point in &all.choke_points {
                        li {
                            strong.gain { "Ends " (point.removes.len()) " of " (counted(all.findings.len(), "finding")) } ": "
                            (point.title) ", from "
                            @for (at, from) in point.from.iter().enumerate() { @if at > 0 { " and " } code { (from) } }
                            " to " code { (point.to) }
                            @if point.steps > 1 { " (" (point.steps) " alike)" }
                            @if let Some(remediation) = point.remediation { p.fix { (remediation) } }
                            (ended(&point.removes))
                        }
                    }
                }
            }
        }
    }
}
