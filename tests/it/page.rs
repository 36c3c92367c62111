//! The HTML page: read back by a browser's parser, hostile text included.
//!
//! **Trap.** The command line spells out control characters before a page is written; the tests do as it does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use beachhead::cli::safe;
use beachhead::draw::{Diagram, figure, figure_legend, scene};
use beachhead::report::{self, Finding, Findings, Pictures, Posture};
use beachhead::techniques::{Place, Position, Step};
use html5ever::tendril::TendrilSink as _;
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::formats::{findings, hostile};

fn diagram(steps: &[Step]) -> Diagram {
    let steps: Vec<&Step> = steps.iter().collect();
    Diagram::of_attacks(
        &steps,
        &BTreeSet::from([Position::Internet]),
        &BTreeSet::from([Position::ClusterAdmin]),
    )
}

/// The page of these findings; a pod of this name is in the graph.
pub(crate) fn page(all: &Findings, name: &str) -> String {
    let mut steps = all.findings[0].steps.clone();
    for step in &mut steps {
        for position in step.premises.iter_mut().chain([&mut step.conclusion]) {
            if matches!(
                position,
                Position::Secret(_) | Position::Pod(_) | Position::Container(..)
            ) {
                *position = Position::Pod(Place::new(name, name));
            }
        }
    }
    let drawn = diagram(&steps);
    // One layout for all of many findings, else most of the time of a test goes into it.
    let one = figure(&drawn, "many").ok();
    let is_many = all.findings.len() > 10;
    let picture = |finding: &Finding| {
        if is_many {
            one.clone()
        } else {
            figure(&drawn, &finding.title).ok()
        }
    };
    let pictures = Pictures {
        path: &picture,
        legend: figure_legend(),
        scenes: vec![(
            "paths",
            scene(&drawn, [(all.findings[0].id.as_str(), steps.as_slice())]).unwrap(),
        )],
        remarks: vec![name.to_owned()],
    };
    safe(&report::html(all, &Posture::default(), &pictures)).into_owned()
}

/// An element with its attributes and the text in it.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn text_of(node: &Handle, text: &mut String) {
    if let NodeData::Text { contents } = &node.data {
        text.push_str(&contents.borrow());
    }
    for child in node.children.borrow().iter() {
        text_of(child, text);
    }
}

/// Every element of a page, in order.
fn elements(page: &str) -> Vec<Element> {
    let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(page);
    let (mut found, mut open) = (Vec::new(), vec![dom.document.clone()]);
    while let Some(node) = open.pop() {
        if let NodeData::Element { name, attrs, .. } = &node.data {
            let attributes = attrs.borrow();
            let attributes = attributes
                .iter()
                .map(|one| (one.name.local.to_string(), one.value.to_string()));
            let mut text = String::new();
            text_of(&node, &mut text);
            found.push(Element {
                name: name.local.to_string(),
                attributes: attributes.collect(),
                text,
            });
        }
        open.extend(node.children.borrow().iter().rev().cloned());
    }
    found
}

/// Nothing but what the page is made of: two scripts and one style, named by the policy, and no address that is loaded.
fn check(page: &str) -> Vec<Element> {
    let all = elements(page);
    let named = |name: &str| {
        all.iter()
            .filter(|element| element.name == name)
            .collect::<Vec<_>>()
    };
    let policy = all
        .iter()
        .find(|element| element.attribute("http-equiv") == Some("Content-Security-Policy"));
    let policy = policy.and_then(|element| element.attribute("content")).unwrap();
    let hash = |text: &str| {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        format!("'sha256-{digest}'")
    };
    let (scripts, styles) = (named("script"), named("style"));
    assert_eq!((scripts.len(), styles.len()), (2, 1));
    assert_eq!(scripts[0].attribute("type"), Some("application/json"));
    assert!(policy.starts_with("default-src 'none';"));
    assert!(policy.contains(&hash(&scripts[1].text)) && policy.contains(&hash(&styles[0].text)));
    assert!(!policy.contains("unsafe"));
    for element in &all {
        for (name, value) in &element.attributes {
            assert!(
                !name.starts_with("on") && name != "style" && name != "src",
                "{name}"
            );
            if name == "href" {
                let is_inside = value.starts_with('#') || value == "data:,";
                assert!(
                    is_inside || (element.name == "a" && value.starts_with("https://")),
                    "{value}"
                );
            }
        }
    }
    for name in [
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "image",
        "use",
        "foreignObject",
        "audio",
        "video",
    ] {
        assert!(named(name).is_empty(), "{name}");
    }
    all
}

#[test]
fn a_page_tells_everything_by_itself() {
    let all = check(&page(&findings(), "web"));
    let text = &all[0].text;
    for expected in [
        "Attack paths in shop.yaml",
        "Pod/shop/web leads to ClusterAdmin",
        "shop.yaml:9:1",
        "kind: Service",
        "Workloads that lead to cluster-admin",
        "an application that the internet reaches is taken to be breakable",
        "What does not suffice",
    ] {
        assert!(text.contains(expected), "no {expected}");
    }
    let ids: BTreeSet<&str> = all.iter().filter_map(|element| element.attribute("id")).collect();
    for link in all
        .iter()
        .filter_map(|element| element.attribute("href")?.strip_prefix('#'))
    {
        assert!(ids.contains(link), "a link to {link}, which is not there");
    }
    assert!(
        all.iter()
            .any(|element| element.name == "svg" && element.text.contains("Internet"))
    );
    let labelled = |element: &&Element| ["input", "select"].contains(&element.name.as_str());
    assert!(all.iter().filter(labelled).count() > 5);
}

/// A part of a page as a reader meets it: a line for each heading, paragraph, row and block of code.
fn outline(node: &Handle, depth: usize, lines: &mut String) {
    let NodeData::Element { name, .. } = &node.data else {
        return;
    };
    let name = name.local.to_string();
    if ["svg", "script", "form"].contains(&name.as_str()) {
        return;
    }
    let is_block = |name: &str| {
        let blocks = [
            "p", "ul", "ol", "dl", "pre", "details", "div", "summary", "li", "h3",
        ];
        blocks.contains(&name)
    };
    let has_blocks = node
        .children
        .borrow()
        .iter()
        .any(|child| matches!(&child.data, NodeData::Element { name, .. } if is_block(&name.local)));
    let whole = [
        "strong", "h1", "h2", "h3", "p", "dt", "dd", "tr", "caption", "summary", "pre", "li",
    ];
    if whole.contains(&name.as_str()) && (!has_blocks || name == "p") {
        let mut text = String::new();
        text_of(node, &mut text);
        for line in text.trim_end().lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(lines, "{:depth$}{name}: {}", "", line.trim_end());
        }
        return;
    }
    for child in node.children.borrow().iter() {
        if let (NodeData::Text { contents }, "li") = (&child.data, name.as_str())
            && !contents.borrow().trim().is_empty()
        {
            let _ = writeln!(lines, "{:depth$}li: {}", "", contents.borrow().trim());
        }
        outline(
            child,
            depth + usize::from(name == "li" || name == "details") * 2,
            lines,
        );
    }
}

#[test]
fn the_page_of_the_example_says_what_it_said() {
    let output = assert_cmd::Command::cargo_bin("beachhead")
        .unwrap()
        .args(["report", "examples/clusters/blog", "--format", "html"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let html = String::from_utf8(output.stdout).unwrap();
    check(&html);
    let dom = html5ever::parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(html);
    let (mut lines, mut open) = (String::new(), vec![dom.document.clone()]);
    while let Some(node) = open.pop() {
        let is_shown = matches!(&node.data, NodeData::Element { attrs, .. } if attrs.borrow().iter().any(
            |one| &*one.name.local == "id" && ["summary", "cut", "findings", "unseen"].contains(&&*one.value)));
        if is_shown {
            outline(&node, 0, &mut lines);
        } else {
            open.extend(node.children.borrow().iter().rev().cloned());
        }
    }
    expect_test::expect_file!["../pictures/blog.page.txt"].assert_eq(&lines);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn hostile_text_is_text(text in any::<String>(), marks in "[\"'<>&/!\\-\\[\\]\\\\\n\r\u{202e}\u{2028}\u{1b}=`;]{1,12}") {
        for text in [text, marks, "</script><img src=x onerror=alert(1)><!--".to_owned(), "]]><svg/onload=x>".to_owned()] {
            let all = check(&page(&hostile(&text), &text));
            let shown = safe(&text).into_owned();
            let titles: Vec<&str> = all
                .iter()
                .filter(|element| element.attribute("class") == Some("title"))
                .map(|element| element.text.as_str())
                .collect();
            prop_assert_eq!(titles, [shown.as_str(), shown.as_str()]);
            let lines = all.iter().find(|element| element.name == "mark").map(|element| element.text.clone());
            prop_assert_eq!(lines, Some(format!("    9  {shown}\n")));
            let data = all.iter().find(|element| element.name == "script").map(|element| element.text.clone());
            let data: Value = serde_json::from_str(&data.unwrap_or_default()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let is_pod = |vertex: &Value| vertex[0].as_str().is_some_and(|id| id == format!("Pod/{text}/{text}"));
            prop_assert!(data["paths"]["vertices"].as_array().is_some_and(|all| all.iter().any(is_pod)));
        }
    }
}

/// As many findings as one likes, each with an id of its own.
fn many(count: usize) -> Findings {
    let mut all = findings();
    let first = all.findings[0].clone();
    all.findings = (0..count)
        .map(|number| Finding {
            id: format!("bh-{number:016x}"),
            ..first.clone()
        })
        .collect();
    all
}

#[test]
fn many_findings_stay_a_file_one_can_send() {
    let text = page(&many(1_000), "web");
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    let all = check(&text);
    let shown = all
        .iter()
        .filter(|element| element.attribute("class") == Some("finding"));
    assert_eq!(shown.count(), 1_000);
    assert!(page(&many(5_000), "web").len() < 15_000_000);
    assert_eq!(text, page(&many(1_000), "web"), "the same bytes");
}
