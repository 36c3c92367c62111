//! The pages of the techniques that findings use: the text of `beachhead explain`.
//!
//! **Trap.** The text is our own Markdown; nothing of the cluster is in it, so it may be rendered as it is.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html as markup};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::super::findings::Findings;
use crate::techniques::{self, Technique};

pub(super) fn pages(all: &Findings) -> Markup {
    let on_paths = all.findings.iter().flat_map(|finding| {
        let steps = finding.path.steps.iter().map(|step| step.technique);
        steps.chain([finding.way_in])
    });
    let cuts = all.choke_points.iter().map(|point| point.technique);
    let used: BTreeSet<&str> = on_paths.chain(cuts).collect();
    let used: Vec<&Technique> = used.into_iter().filter_map(techniques::technique).collect();
    markup! {
        section #techniques aria-labelledby="techniques-title" {
            h2 #techniques-title { "Techniques" }
            p.hint { "What each technique of these findings is, when it works, what does not suffice and how to stop it." }
            @for technique in used {
                details.technique {
                    summary { code { (technique.id) } " " (technique.title) }
                    article.body id={ "technique-" (technique.id) } tabindex="-1" { (page(technique)) }
                }
            }
        }
    }
}

/// The page of a technique, its headings below those of this report.
fn page(technique: &Technique) -> Markup {
    let text = techniques::explain(technique);
    let lower = |level: HeadingLevel| match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        _ => HeadingLevel::H5,
    };
    let events = Parser::new(&text).map(|event| match event {
        Event::Start(Tag::Heading {
            level,
            id,
            classes,
            attrs,
        }) => Event::Start(Tag::Heading {
            level: lower(level),
            id,
            classes,
            attrs,
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        other => other,
    });
    let mut page = String::new();
    pulldown_cmark::html::push_html(&mut page, events);
    // What is wider than the page is moved by keys.
    PreEscaped(page.replace("<pre>", "<pre tabindex=\"0\">"))
}
