//! Findings as SARIF 2.1.0, for code scanning.
//!
//! Rules are the techniques on the paths; a result's rule is the technique by which its entry is entered. A result
//! points at the first fact on its path that stands in a file, its code flow at one fact for each move; the region is
//! the field's line and column where they were looked up, else the object's first line.
//! The stable id is the partial fingerprint. Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! **Trap.** Objects of snapshots and dumps have no file; such results have logical locations only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::{Finding, FindingSeverity, State};
use super::findings::Findings;
use super::path::{EvidenceView, Move};
use crate::collect::Spot;
use crate::model::Source;
use crate::techniques::{self, Technique};

/// The schema that the output names.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the fingerprint; the number is that of what ids are made of.
const FINGERPRINT: &str = "beachheadFinding/v1";

/// Returns the findings as SARIF.
pub fn sarif(all: &Findings) -> Value {
    let mut rules = BTreeMap::<&str, (&'static Technique, FindingSeverity)>::new();
    for finding in &all.findings {
        let on_path = finding.path.steps.iter().map(|step| step.technique);
        for technique in on_path.chain([finding.way_in]).filter_map(techniques::technique) {
            let worst = &mut rules
                .entry(technique.id)
                .or_insert((technique, finding.severity))
                .1;
            *worst = finding.severity.max(*worst);
        }
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
    let has_baseline = all.findings.iter().any(|finding| finding.state == State::Known);
    let results: Vec<Value> = all
        .findings
        .iter()
        .map(|finding| result(finding, &index, has_baseline))
        .collect();
    let rules: Vec<Value> = rules
        .into_values()
        .map(|(technique, worst)| rule(technique, worst))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": all.tool.name,
                "semanticVersion": all.tool.version,
                "rules": rules,
            }},
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    })
}

fn rule(technique: &Technique, worst: FindingSeverity) -> Value {
    let mut rule = json!({
        "id": technique.id,
        "name": technique.id,
        "shortDescription": {"text": technique.title},
        "fullDescription": {"text": technique.docs.trim()},
        "help": {
            "text": technique.remediation,
            "markdown": format!("{}\n\n**Stop it.** {}", technique.docs.trim(), technique.remediation),
        },
        "defaultConfiguration": {"level": level(worst)},
        "properties": {
            "tags": ["security", technique.family.as_str()],
            "security-severity": score(worst),
            "mitre": technique.mitre,
        },
    });
    if let Some(reference) = technique.references.first() {
        rule["helpUri"] = json!(reference);
    }
    rule
}

fn result(finding: &Finding, rules: &BTreeMap<&str, usize>, has_baseline: bool) -> Value {
    let moves = finding.path.moves();
    let facts: Vec<&EvidenceView> = moves.iter().flat_map(Move::evidence).collect();
    let fact = facts.iter().find(|fact| fact.place.is_some()).or(facts.first());
    let flow: Vec<Value> = moves
        .iter()
        .enumerate()
        .map(|(at, one)| json!({"executionOrder": at + 1, "location": step_location(one)}))
        .collect();
    let path = &finding.path;
    let mut text = format!(
        "{}: {} gets {} (effort {}, {}).",
        finding.title,
        path.from.join(" and "),
        path.to,
        path.effort,
        path.certainty
    );
    if finding.reached.len() > 1 {
        text = format!("{text} {} of them can be reached.", finding.reached.len());
    }
    let mut result = json!({
        "ruleId": finding.way_in,
        "level": level(finding.severity),
        "message": {"text": text},
        "locations": fact.map(|fact| location(fact)).into_iter().collect::<Vec<_>>(),
        "partialFingerprints": {FINGERPRINT: finding.id},
        "properties": {"severity": finding.severity, "effort": path.effort, "certainty": path.certainty},
    });
    if let Some(index) = rules.get(finding.way_in) {
        result["ruleIndex"] = json!(index);
    }
    if !flow.is_empty() {
        result["codeFlows"] = json!([{"threadFlows": [{"locations": flow}]}]);
    }
    if has_baseline {
        let is_known = finding.state == State::Known;
        result["baselineState"] = json!(if is_known { "unchanged" } else { "new" });
    }
    if let Some(ignored) = &finding.ignored {
        let why = format!(
            "{} ({}, until {})",
            ignored.reason, ignored.owner, ignored.expires
        );
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": why}]);
    }
    result
}

fn step_location(one: &Move<'_>) -> Value {
    let facts = one.evidence();
    let fact = facts.iter().find(|fact| fact.place.is_some()).or(facts.first());
    let mut place = fact.map_or_else(|| json!({}), |fact| location(fact));
    let step = one.step;
    let text = format!("{}: {} ({})", step.title, step.gains, step.technique);
    place["message"] = json!({"text": text});
    place
}

fn location(fact: &EvidenceView) -> Value {
    let kind = fact.object.split('/').next().unwrap_or_default();
    let mut location = json!({
        "logicalLocations": [{
            "fullyQualifiedName": format!("{}{}", fact.object, fact.path),
            "kind": kind,
        }],
    });
    if let Some(place) = &fact.place {
        location["physicalLocation"] = physical(place, fact.spot);
    }
    location
}

/// The field's place, or the object's first line.
fn physical(place: &Source, spot: Option<Spot>) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(&place.file)}});
    if let Some(Spot { line, column }) = spot {
        physical["region"] = json!({"startLine": line, "startColumn": column});
    } else if place.line > 0 {
        physical["region"] = json!({"startLine": place.line});
    }
    physical
}

/// A file's name as a relative or `file` URI; bytes that a path of a URI cannot hold are percent-encoded.
/// Source: <https://www.rfc-editor.org/rfc/rfc3986#section-3.3>
fn uri(file: &str) -> String {
    let mut uri = String::from(if file.starts_with('/') { "file://" } else { "" });
    for byte in file.strip_prefix("./").unwrap_or(file).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

fn level(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Critical | FindingSeverity::High => "error",
        FindingSeverity::Medium => "warning",
        FindingSeverity::Low => "note",
    }
}

/// The number in the range that GitHub gives the same word.
/// Source: <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#reportingdescriptor-object>
fn score(severity: FindingSeverity) -> &'static str {
    match severity {
        FindingSeverity::Critical => "9.5",
        FindingSeverity::High => "8.0",
        FindingSeverity::Medium => "5.5",
        FindingSeverity::Low => "2.5",
    }
}
