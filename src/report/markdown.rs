//! The report as Markdown that renders on GitHub, with a picture of each path.
//!
//! **Trap.** Text of the cluster stands in code spans, see [`code`]; everything else here is our own.

use std::fmt::Write as _;

use super::finding::{Finding, State};
use super::findings::Findings;
use super::page::counted;
use super::path::Move;
use super::remedy::Change;
use super::text::tally;
use crate::markup::{code, fenced};
use crate::model::Refusal;

/// Findings that are shown with path and picture; the others in one line each.
const SHOWN: usize = 20;
/// Facts shown for one step.
const FACTS_SHOWN: usize = 6;

/// Returns the report as Markdown; `picture` gives the text of a Mermaid diagram of a finding's path.
pub fn markdown(all: &Findings, picture: impl Fn(&Finding) -> String) -> String {
    let mut text = format!("# Attack paths in {}\n\n", code(&all.input.name));
    if all.findings.is_empty() {
        text.push_str("No crown jewel can be reached by what Beachhead knows.\n");
    } else {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "**{}.**", tally(&all.findings));
    }
    choke_points(all, &mut text);
    changes(all, &mut text);
    let changes_of = all.changes_of();
    for (at, finding) in all.findings.iter().enumerate() {
        if at == SHOWN {
            let rest = counted(all.findings.len() - SHOWN, "more finding");
            let _ = writeln!(text, "\n## {rest}\n");
        }
        if at < SHOWN {
            heading(at, finding, &mut text);
            let _ = write!(text, "\n```mermaid\n{}```\n\n", picture(finding));
            for (number, one) in finding.path.moves().iter().enumerate() {
                step(number, one, &mut text);
            }
            ends(changes_of.get(finding.id.as_str()), &mut text);
        } else {
            let severity = finding.severity.as_str();
            let (entry, jewel) = (code(&finding.entry), code(&finding.jewel));
            let _ = writeln!(text, "- {severity}: {entry} leads to {jewel} (`{}`)", finding.id);
        }
    }
    unseen(all, &mut text);
    text
}

fn choke_points(all: &Findings, text: &mut String) {
    if all.choke_points.is_empty() {
        return;
    }
    text.push_str("\n## Where to cut\n\nEach of these was shown by solving again without the step.\n\n");
    for point in &all.choke_points {
        let from: Vec<String> = point.from.iter().map(|name| code(name)).collect();
        let _ = writeln!(
            text,
            "- **{} of {}**: {}, {} to {}. {}",
            point.removes.len(),
            counted(all.findings.len(), "finding"),
            point.title,
            from.join(" and "),
            code(&point.to),
            point.remediation.unwrap_or_default()
        );
    }
}

/// Changes that are shown with their YAML.
const CHANGES_SHOWN: usize = 12;

fn changes(all: &Findings, text: &mut String) {
    if all.changes.is_empty() {
        return;
    }
    text.push_str("\n## What to change\n\nWith each of these in place the whole analysis was run again, unless it says otherwise.\n");
    for (at, change) in all.changes.iter().enumerate().take(CHANGES_SHOWN) {
        let _ = writeln!(text, "\n### Change {}: {}\n", at + 1, code(&change.title));
        if change.verified {
            let of = counted(all.findings.len(), "finding");
            let _ = writeln!(text, "- ends **{} of {of}**", change.removes.len());
        } else {
            text.push_str("- **not tried**: the graph is too large to be made anew for each change; other ways may be left\n");
        }
        let _ = writeln!(text, "- mind: {}", change.mind);
        for patch in &change.patches {
            let source = patch
                .source
                .as_ref()
                .map(|source| format!(" in {}", code(source)));
            let (object, source) = (code(&patch.object), source.unwrap_or_default());
            let _ = writeln!(text, "- {object}{source}: `{}`\n", patch.command);
            text.push_str(&fenced("yaml", &patch.yaml));
            text.push('\n');
        }
    }
}

/// The changes of one finding.
fn ends(changes: Option<&Vec<&Change>>, text: &mut String) {
    for change in changes.into_iter().flatten().take(FACTS_SHOWN) {
        let what = if change.verified {
            "ended by"
        } else {
            "may be ended by"
        };
        let _ = writeln!(text, "\n{what}: {}", code(&change.title));
    }
}

fn heading(at: usize, finding: &Finding, text: &mut String) {
    let (entry, jewel) = (code(&finding.entry), code(&finding.jewel));
    let _ = writeln!(text, "\n## {}. {entry} leads to {jewel}\n", at + 1);
    let path = &finding.path;
    let _ = writeln!(
        text,
        "- severity: **{}**, effort {}, {}, {}\n- id: `{}`",
        finding.severity.as_str(),
        path.effort,
        path.certainty,
        finding.ways.words(),
        finding.id
    );
    if finding.entry_pods > 1 {
        let _ = writeln!(
            text,
            "- the entry stands for {}",
            counted(finding.entry_pods, "pod")
        );
    }
    if finding.reached.len() > 1 {
        let names: Vec<String> = finding
            .reached
            .iter()
            .take(FACTS_SHOWN)
            .map(|id| code(id))
            .collect();
        let _ = writeln!(text, "- {} are lost: {}", finding.reached.len(), names.join(", "));
    }
    match (&finding.ignored, finding.state) {
        (Some(ignored), _) => {
            let (owner, reason) = (code(&ignored.owner), code(&ignored.reason));
            let _ = writeln!(text, "- ignored by {owner} until {}: {reason}", ignored.expires);
        }
        (None, State::Known) => text.push_str("- in the baseline\n"),
        (None, _) => {}
    }
}

fn step(number: usize, one: &Move<'_>, text: &mut String) {
    let step = one.step;
    let _ = writeln!(
        text,
        "{}. **{}**: gains {}",
        number + 1,
        step.title,
        code(&step.gains)
    );
    let mut how = format!("`{}`", step.technique);
    for id in step.mitre {
        let page = id.replace('.', "/");
        let _ = write!(how, ", [{id}](https://attack.mitre.org/techniques/{page}/)");
    }
    let _ = writeln!(
        text,
        "   - how: {how}, effort {}, {}",
        step.effort, step.certainty
    );
    let facts = one.evidence();
    for fact in facts.iter().take(FACTS_SHOWN) {
        let mut line = code(&fact.object);
        if !fact.path.is_empty() {
            let _ = write!(line, " {}", code(&fact.path));
        }
        if !fact.value.is_empty() {
            let _ = write!(line, " = {}", code(&fact.value));
        }
        if let Some(source) = &fact.source {
            let _ = write!(line, " in {}", code(source));
        }
        let _ = writeln!(text, "   - because: {line}");
    }
    for condition in one.conditions() {
        let _ = writeln!(text, "   - if: {}", code(condition));
    }
    if let Some(remediation) = step.remediation {
        let _ = writeln!(text, "   - stop it: {remediation}");
    }
}

fn unseen(all: &Findings, text: &mut String) {
    text.push_str("\n## What this rests on\n\n");
    for assumption in &all.assumptions {
        let _ = writeln!(text, "- assumed: {}", code(assumption));
    }
    if !all.diagnostics.is_empty() {
        let count = counted(all.diagnostics.len(), "remark");
        let _ = writeln!(
            text,
            "- {count} about the input; the text and JSON forms list all"
        );
    }
    for refusal in &all.coverage.refused {
        refused(refusal, all, text);
    }
}

/// Ids and names that are shown for one resource.
const DOUBTS_SHOWN: usize = 12;

/// A resource that could not be read, with the verdicts that it may change.
fn refused(refusal: &Refusal, all: &Findings, text: &mut String) {
    let (resource, reason) = (code(&refusal.resource), code(&refusal.reason));
    let _ = write!(text, "- could not be listed: {resource}: {reason}");
    if !refusal.affects.is_empty() {
        let _ = write!(text, "; uncertain without it: {}", refusal.affects);
    }
    text.push('\n');
    let mut doubts = all.uncertain.iter();
    let Some(doubt) = doubts.find(|doubt| doubt.resource == *refusal.resource) else {
        return;
    };
    for (verb, ids) in [
        ("may refute", &doubt.refutable),
        ("may open a way to", &doubt.reachable),
    ] {
        let mut named: Vec<String> = ids.iter().take(DOUBTS_SHOWN).map(|id| code(id)).collect();
        if let Some(more) = ids.len().checked_sub(DOUBTS_SHOWN + 1) {
            named.push(format!("{} more", more + 1));
        }
        if !named.is_empty() {
            let _ = writeln!(text, "  - {verb} {}", named.join(", "));
        }
    }
}
