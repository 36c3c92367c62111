//! Findings as JUnit XML, for the test panes of CI systems.
//!
//! A crown jewel that no path leads to is a test that passed; an open finding failed; what is ignored or in the
//! baseline was skipped.
//!
//! **Trap.** No standard describes the format; this keeps to what Jenkins, GitLab and GitHub actions read alike:
//! `testsuites`, `testsuite`, `testcase`, `failure`, `skipped`.

use std::fmt::Write as _;

use super::finding::{Finding, State};
use super::findings::Findings;
use crate::markup::{attribute, content};

/// Returns the findings as JUnit XML.
pub fn junit(all: &Findings) -> String {
    let open = |finding: &&Finding| finding.state == State::Open;
    let failures = all.findings.iter().filter(open).count();
    let skipped = all.findings.len() - failures;
    let tests = all.findings.len() + all.unreached.len();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        r#"  <testsuite name="{}" tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}">"#,
        attribute(&format!("beachhead {}", all.input.name))
    );
    for id in &all.unreached {
        let name = attribute(&format!("no path leads to {id}"));
        let _ = writeln!(text, r#"    <testcase classname="beachhead" name="{name}"/>"#);
    }
    for finding in &all.findings {
        testcase(finding, &mut text);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn testcase(finding: &Finding, text: &mut String) {
    let name = attribute(&format!("{} {}", finding.id, finding.title));
    let class = attribute(finding.way_in);
    let _ = writeln!(
        text,
        r#"    <testcase classname="beachhead.{class}" name="{name}">"#
    );
    let skipped = match (&finding.ignored, finding.state) {
        (Some(ignored), _) => Some(format!(
            "ignored by {} until {}: {}",
            ignored.owner, ignored.expires, ignored.reason
        )),
        (None, State::Known) => Some("in the baseline".to_owned()),
        (None, _) => None,
    };
    if let Some(why) = skipped {
        let _ = writeln!(text, r#"      <skipped message="{}"/>"#, attribute(&why));
    } else {
        let severity = finding.severity.as_str();
        let message = attribute(&format!("{severity}: {}", finding.title));
        let _ = writeln!(
            text,
            r#"      <failure type="{severity}" message="{message}">{}</failure>"#,
            content(&steps(finding))
        );
    }
    text.push_str("    </testcase>\n");
}

/// The path, a line for each move.
fn steps(finding: &Finding) -> String {
    let mut lines = String::new();
    for (at, one) in finding.path.moves().iter().enumerate() {
        let (step, facts) = (one.step, one.evidence());
        let _ = write!(lines, "{}. {}: {}", at + 1, step.title, step.gains);
        for fact in facts.iter().take(1) {
            let _ = write!(lines, "; because {} {}", fact.object, fact.path);
            if let Some(source) = &fact.source {
                let _ = write!(lines, " ({source})");
            }
        }
        lines.push('\n');
    }
    lines
}
