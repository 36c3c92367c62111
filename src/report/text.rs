//! The report as text for people.
//!
//! **Trap.** Everything that is the same for many targets is said once, with the count of the others.

use super::finding::{Finding, FindingSeverity, State};
use super::findings::Findings;
use super::page::{Page, Tone, counted};
use super::path::{Move, PathView};
use super::remedy::Change;
use super::words::folded;
use crate::model::Severity;

/// Most facts shown for one step; the JSON form has all.
const FACTS_SHOWN: usize = 6;
/// Most findings shown; the JSON form has all.
const FINDINGS_SHOWN: usize = 50;
/// Most places to cut shown; the JSON form has more.
const CUTS_SHOWN: usize = 5;
/// Most names shown of things that are alike.
const NAMES_SHOWN: usize = 8;

/// Returns the whole report, for so many columns.
pub fn text(findings: &Findings, columns: usize) -> Page {
    let mut page = Page::of_width(columns);
    read(findings, &mut page);
    entries(findings, &mut page);
    jewels(findings, &mut page);
    decisions(findings, &mut page);
    choke_points(findings, &mut page);
    changes(findings, &mut page);
    paths(findings, &mut page);
    unseen(findings, &mut page);
    page
}

fn read(findings: &Findings, page: &mut Page) {
    page.heading(format!("Attack paths in {}", findings.input.name));
    let objects: usize = findings.input.objects.values().sum();
    let mut kinds: Vec<_> = findings.input.objects.iter().collect();
    kinds.sort_by_key(|&(kind, count)| (std::cmp::Reverse(count), kind));
    let kinds: Vec<_> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    page.labelled(
        2,
        "read",
        &format!("{}: {}", counted(objects, "object"), kinds.join(", ")),
    );
    let warnings = findings
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Warning)
        .count();
    if warnings > 0 {
        let text = format!("{}; see the end of this report", counted(warnings, "warning"));
        page.labelled(2, "warnings", &text);
    }
    for probed in findings
        .coverage
        .anonymous
        .iter()
        .flat_map(|probe| &probe.answers)
    {
        let text = format!("{} without a credential: {}", probed.request, probed.answer);
        page.labelled(2, "probed", &text);
    }
    for assumption in &findings.assumptions {
        page.labelled(2, "assumed", assumption);
    }
}

fn entries(findings: &Findings, page: &mut Page) {
    page.heading("Entry points: what the internet reaches");
    if findings.exposed.is_empty() {
        page.line("  nothing: no Service, Ingress, Gateway, Route or host port lets the outside in");
        return;
    }
    let rows: Vec<_> = findings
        .exposed
        .iter()
        .map(|exposed| {
            let port = format!("{}/{}", exposed.port, exposed.proto);
            vec![
                exposed.workload.clone(),
                port,
                format!("through {}", few(&exposed.via)),
            ]
        })
        .collect();
    page.wrapped_table(2, &rows);
}

fn jewels(findings: &Findings, page: &mut Page) {
    page.heading("Crown jewels: what an attacker must not get");
    let mut rows = Vec::new();
    let (named, secrets): (Vec<_>, Vec<_>) = findings
        .crown_jewels
        .iter()
        .partition(|jewel| !jewel.id.starts_with("Secret/"));
    for jewel in named {
        let verdict = match jewel.effort {
            Some(effort) => format!("REACHED, effort {effort}"),
            None => "not reached".to_owned(),
        };
        rows.push(vec![jewel.id.clone(), jewel.why.clone(), verdict]);
    }
    if !secrets.is_empty() {
        let reached = secrets.iter().filter(|jewel| jewel.reached).count();
        let verdict = match reached {
            0 => "not reached".to_owned(),
            _ => format!("{reached} REACHED"),
        };
        let what = counted(secrets.len(), "Secret");
        rows.push(vec![
            format!("{what} of kube-system"),
            "secrets of the system".to_owned(),
            verdict,
        ]);
    }
    page.table(2, &rows);
}

fn decisions(all: &Findings, page: &mut Page) {
    if all.findings.is_empty() {
        return;
    }
    page.heading(format!("Findings: {}", tally(&all.findings)));
    for finding in all.findings.iter().take(FINDINGS_SHOWN) {
        let mut text = format!("{}  {}", finding.id, finding.title);
        if finding.entry_pods > 1 {
            text = format!("{text} ({} pods)", finding.entry_pods);
        }
        if finding.reached.len() > 1 {
            text = format!("{text} ({} of them)", finding.reached.len());
        }
        let path = &finding.path;
        let ways = finding.ways.words();
        text = format!("{text}: effort {}, {}, {ways}", path.effort, path.certainty);
        match (&finding.ignored, finding.state) {
            (Some(ignored), _) => {
                text = format!(
                    "{text}; ignored by {} until {}: {}",
                    ignored.owner, ignored.expires, ignored.reason
                );
            }
            (None, State::Known) => text.push_str("; in the baseline"),
            (None, _) => {}
        }
        page.labelled(2, finding.severity.as_str(), &text);
    }
    if all.findings.len() > FINDINGS_SHOWN {
        let rest = all.findings.len() - FINDINGS_SHOWN;
        page.line(format!(
            "  and {}, see --format json",
            counted(rest, "more finding")
        ));
    }
    if all.ways_not_searched > 0 {
        page.line(format!(
            "  {} not looked at one by one in a graph of this size; the paths below hold the cheapest of all",
            counted(all.ways_not_searched, "way in").replace("way ins", "ways in"),
        ));
    }
}

/// `2 critical, 1 high, 1 of them ignored`.
pub(super) fn tally(findings: &[Finding]) -> String {
    use FindingSeverity::{Critical, High, Low, Medium};
    let mut parts = Vec::new();
    for severity in [Critical, High, Medium, Low] {
        let count = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        if count > 0 {
            parts.push(format!("{count} {}", severity.as_str()));
        }
    }
    for (state, word) in [(State::Known, "in the baseline"), (State::Ignored, "ignored")] {
        let count = findings.iter().filter(|finding| finding.state == state).count();
        if count > 0 {
            parts.push(format!("{count} of them {word}"));
        }
    }
    parts.join(", ")
}

fn choke_points(all: &Findings, page: &mut Page) {
    if all.choke_points.is_empty() {
        return;
    }
    page.heading("Where to cut: the step without which findings are gone, shown by solving again");
    for point in all.choke_points.iter().take(CUTS_SHOWN) {
        page.line(format!(
            "  {} of {}: {}",
            point.removes.len(),
            counted(all.findings.len(), "finding"),
            point.title
        ));
        page.labelled(
            4,
            "step",
            &format!(
                "{} to {} ({})",
                point.from.join(" and "),
                point.to,
                point.technique
            ),
        );
        if let Some(remediation) = point.remediation {
            page.labelled(4, "stop it", remediation);
        }
    }
}

fn changes(all: &Findings, page: &mut Page) {
    let (shown, not_shown): (Vec<&Change>, Vec<&Change>) =
        all.changes.iter().partition(|change| change.verified);
    if !shown.is_empty() {
        page.heading("What to change: with any one of these in place the analysis was run again");
    }
    for change in shown.iter().take(CUTS_SHOWN) {
        let removed = format!(
            "{} of {}",
            change.removes.len(),
            counted(all.findings.len(), "finding")
        );
        page.paragraph(Tone::Plain, 2, &format!("{removed} gone: {}", change.title));
        in_objects(change, page);
    }
    if !not_shown.is_empty() {
        page.heading("What may help: not tried, as the graph is too large to be made anew for each");
    }
    for change in not_shown.iter().take(CUTS_SHOWN) {
        page.paragraph(Tone::Plain, 2, &change.title);
        in_objects(change, page);
    }
    if !all.changes.is_empty() {
        page.toned(
            Tone::Faint,
            format!(
                "  {} with YAML in --format markdown, html and json",
                counted(all.changes.len(), "change")
            ),
        );
    }
}

fn in_objects(change: &Change, page: &mut Page) {
    for patch in &change.patches {
        let source = patch.source.as_ref().map(|source| format!(" ({source})"));
        page.labelled(
            4,
            "in",
            &format!("{}{}", patch.object, source.unwrap_or_default()),
        );
    }
    page.labelled(4, "mind", change.mind);
}

fn paths(findings: &Findings, page: &mut Page) {
    let start = findings.entry_points.join(", ");
    page.heading(format!(
        "Paths: the cheapest way from {start} to each crown jewel it reaches"
    ));
    if findings.paths.is_empty() {
        page.line("  none: no crown jewel can be reached by what Beachhead knows");
    } else {
        page.paragraph(
            Tone::Faint,
            2,
            "Effort adds up over a path: 1 uses what is held as intended, 5 is a public exploit, 8 an unpublished one.",
        );
    }
    for (number, (path, alike)) in alike(&findings.paths).into_iter().enumerate() {
        page.gap();
        page.toned(Tone::Alarm, format!("{}. {}", number + 1, title(path)));
        if !alike.is_empty() {
            let names: Vec<_> = alike.iter().map(|path| path.to.clone()).collect();
            page.labelled(3, "and so", &few(&names));
        }
        moves(path, page);
    }
    if !findings.unreached.is_empty() {
        page.heading("Not reached from outside");
        let (secrets, named): (Vec<_>, Vec<_>) = findings
            .unreached
            .iter()
            .cloned()
            .partition(|id| id.starts_with("Secret/"));
        for id in named {
            page.line(format!("  {id}"));
        }
        if !secrets.is_empty() {
            page.line(format!("  {}", few(&secrets)));
        }
    }
}

/// Returns one path as a page of its own.
pub fn path_page(paths: &[PathView]) -> Page {
    let mut page = Page::default();
    for (index, path) in paths.iter().enumerate() {
        if index > 0 {
            page.gap();
        }
        page.toned(Tone::Alarm, format!("{}. {}", index + 1, title(path)));
        moves(path, &mut page);
    }
    page
}

fn title(path: &PathView) -> String {
    format!(
        "{} to {} (effort {}, {})",
        path.from.join(" and "),
        path.to,
        path.effort,
        path.certainty
    )
}

/// Technique and conclusion of each move of a path; of the last one the label alone.
type Shape<'a> = Vec<(&'a str, &'a str)>;

/// Paths that differ in their last position only, together: the first and the others.
fn alike(paths: &[PathView]) -> Vec<(&PathView, Vec<&PathView>)> {
    let mut groups: Vec<(Shape<'_>, &PathView, Vec<&PathView>)> = Vec::new();
    for path in paths {
        let moves = path.moves();
        let last = moves.len().saturating_sub(1);
        let shape: Shape<'_> = moves
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let to = if index == last {
                    label(&path.to)
                } else {
                    one.step.conclusion.as_str()
                };
                (one.step.technique, to)
            })
            .collect();
        match groups.iter_mut().find(|(known, ..)| *known == shape) {
            Some((.., others)) => others.push(path),
            None => groups.push((shape, path, Vec::new())),
        }
    }
    groups
        .into_iter()
        .map(|(_, first, others)| (first, others))
        .collect()
}

fn label(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn moves(path: &PathView, page: &mut Page) {
    for (index, one) in path.moves().iter().enumerate() {
        page.toned(Tone::Heading, format!("   {}. {}", index + 1, one.step.title));
        describe(one, page);
    }
}

fn describe(one: &Move<'_>, page: &mut Page) {
    let step = one.step;
    page.labelled(6, "gains", &step.gains);
    if one.needs.len() > 1 {
        let needs: Vec<_> = one
            .needs
            .iter()
            .map(|(id, from)| match from {
                Some(number) => format!("{id} (step {number})"),
                None => (*id).to_owned(),
            })
            .collect();
        page.labelled(6, "needs", &needs.join(" and "));
    }
    let mut attack = String::new();
    for id in step.mitre {
        attack.push_str(", ATT&CK ");
        attack.push_str(id);
    }
    page.labelled(
        6,
        "how",
        &format!(
            "{}{attack}, effort {}, {}",
            step.technique, step.effort, step.certainty
        ),
    );
    let facts = one.evidence();
    for fact in facts.iter().take(FACTS_SHOWN) {
        let mut text = fact.object.clone();
        for (mark, part) in [(" ", &fact.path), (" = ", &fact.value)] {
            if !part.is_empty() {
                text = format!("{text}{mark}{part}");
            }
        }
        if let Some(source) = &fact.source {
            text = format!("{text} ({source})");
        }
        page.labelled(6, "because", &text);
    }
    if facts.len() > FACTS_SHOWN {
        page.labelled(
            6,
            "",
            &format!("and {} more facts, see --format json", facts.len() - FACTS_SHOWN),
        );
    }
    for condition in one.conditions() {
        page.labelled(6, "if", condition);
    }
    if let Some(remediation) = step.remediation {
        page.labelled(6, "stop it", remediation);
    }
}

fn unseen(findings: &Findings, page: &mut Page) {
    page.heading("What was not seen");
    let mut nothing = true;
    for refusal in &findings.coverage.refused {
        let affects = match refusal.affects.as_str() {
            "" => String::new(),
            affects => format!("; uncertain without it: {affects}"),
        };
        let text = format!("{}: {}{affects}", refusal.resource, refusal.reason);
        page.labelled(2, "refused", &text);
        let mut doubts = findings.uncertain.iter();
        if let Some(doubt) = doubts.find(|doubt| doubt.resource == *refusal.resource) {
            for (verb, ids) in [
                ("may refute", &doubt.refutable),
                ("may open a way to", &doubt.reachable),
            ] {
                if !ids.is_empty() {
                    page.labelled(2, "", &format!("{verb} {}", few(ids)));
                }
            }
        }
        nothing = false;
    }
    let alike = folded(
        &findings.diagnostics,
        |found| (found.code, &found.hint),
        |found| &found.message,
    );
    for (found, count) in alike {
        let label = match found.severity {
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let mut text = found.message.clone();
        for place in found.object.iter().chain(&found.source) {
            text = format!("{text} ({place})");
        }
        if count > 1 {
            text = format!("{text} and {} more like it", count - 1);
        }
        if !found.hint.is_empty() {
            text = format!("{text}; {}", found.hint);
        }
        page.labelled(2, label, &text);
        nothing = false;
    }
    let mut conditions: Vec<&str> = Vec::new();
    for condition in findings
        .paths
        .iter()
        .flat_map(|path| &path.steps)
        .filter_map(|step| step.condition.as_deref())
    {
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    for condition in conditions {
        page.labelled(2, "depends", condition);
        nothing = false;
    }
    if nothing {
        page.line("  No reader or rule reported anything as unread or not modelled.");
    }
}

fn few(names: &[String]) -> String {
    let mut text = names
        .iter()
        .take(NAMES_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > NAMES_SHOWN {
        text = format!("{text} and {} more", names.len() - NAMES_SHOWN);
    }
    text
}
