//! The page of one technique, written from what the technique says about itself.

use std::fmt::Write as _;

use super::{Label, Technique};

/// Returns the page of a technique: plain text that is also Markdown.
pub fn explain(technique: &Technique) -> String {
    let labels = |labels: &[Label]| {
        let names: Vec<_> = labels.iter().map(|label| label.as_str()).collect();
        names.join(", ")
    };
    let mut page = format!("# {}: {}\n\n", technique.id, technique.title);
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(page, "- {name}: {value}");
        }
    };
    line("from", labels(technique.from));
    line("to", labels(technique.to));
    line("family", technique.family.as_str().to_owned());
    line("effort", format!("{} of 8", technique.effort));
    line("MITRE ATT&CK", technique.mitre.join(", "));
    line(
        "Microsoft threat matrix for Kubernetes",
        technique.microsoft.join(", "),
    );
    line("OWASP Kubernetes Top 10 (2025)", technique.owasp.join(", "));
    line("CIS Kubernetes Benchmark", technique.cis.join(", "));
    line("Falco rules", technique.falco.join(", "));
    page.push('\n');
    for text in technique.docs.lines() {
        let text = text.strip_prefix(' ').unwrap_or(text);
        let deeper = if text.starts_with("# ") { "#" } else { "" };
        let _ = writeln!(page, "{deeper}{text}");
    }
    let _ = write!(
        page,
        "\n## How to stop it\n\n{}\n\n## References\n\n",
        technique.remediation
    );
    for reference in technique.references {
        let _ = writeln!(page, "- <{reference}>");
    }
    for (title, case) in [
        ("An example", cases(technique).find(|case| !case.is_quiet())),
        ("One that does not suffice", cases(technique).find(Case::is_quiet)),
    ] {
        if let Some(case) = case {
            let _ = write!(
                page,
                "\n## {title}\n\n{}:\n\n```yaml\n{}```\n",
                case.heading, case.manifests
            );
            for step in case.steps.lines() {
                let _ = write!(page, "\n- {step}\n");
            }
        }
    }
    page
}

/// One case of a technique's fixture.
struct Case {
    heading: &'static str,
    manifests: &'static str,
    steps: &'static str,
}

impl Case {
    /// Whether the technique does not work there.
    fn is_quiet(&self) -> bool {
        self.steps.trim().is_empty()
    }
}

/// The cases of a technique's fixture, in order.
fn cases(technique: &Technique) -> impl Iterator<Item = Case> {
    let block = |text: &'static str, start: &str| {
        let (_, rest) = text.split_once(start)?;
        Some(rest.split_once("```")?.0)
    };
    let sections = technique.cases.split("\n## ").skip(1);
    sections.filter_map(move |section| {
        Some(Case {
            heading: section.lines().next()?,
            manifests: block(section, "```yaml\n")?,
            steps: block(section, "```steps\n")?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;

    #[test]
    fn a_page_tells_everything_the_technique_declares() {
        let technique = catalogue().next().unwrap();
        let page = explain(technique);
        assert!(page.starts_with(&format!("# {}: {}\n", technique.id, technique.title)));
        for part in technique.mitre.iter().chain(technique.references) {
            assert!(page.contains(part), "{part} is not on the page");
        }
        assert!(page.contains("\n## Preconditions\n") && page.contains(technique.remediation));
        assert!(page.contains("\n## An example\n") && page.contains("\n## One that does not suffice\n"));
    }
}
