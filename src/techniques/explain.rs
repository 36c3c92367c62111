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
    page
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
    }
}
