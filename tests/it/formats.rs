//! The report's forms for other tools: each is read back by a parser of its format, hostile text included.
//!
//! **Trap.** With `SARIF_SCHEMA` set to a copy of the published schema the output is validated against that too;
//! the schema's licence lets no copy be kept here.

use std::collections::BTreeSet;
use std::sync::Arc;

use beachhead::collect::{Excerpt, Spot, read_text};
use beachhead::datastores::Settings;
use beachhead::draw::{Diagram, mermaid};
use beachhead::graph::AttackGraph;
use beachhead::model::Cluster;
use beachhead::report::{self, Change, Derived, Finding, Findings, Ignored, Inputs, Patch, State};
use beachhead::techniques::{self, Facts, Position, Step};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

pub(crate) const SHOP: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  serviceAccountName: boss
  containers: [{name: web, image: example.com/web, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: boss, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: boss}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: boss, namespace: shop}]
"#;

fn read() -> (Cluster, Vec<beachhead::model::Diagnostic>) {
    read_text("shop.yaml", SHOP, "default")
}

pub(crate) fn findings() -> Findings {
    let (cluster, diagnostics) = read();
    let facts = Facts::new(&cluster);
    let graph = AttackGraph::new(techniques::steps(&facts.context(&cluster)));
    let jewels = report::crown_jewels(&cluster, &facts);
    let start = Position::Internet;
    let rows = graph.freeze();
    let paths: Vec<Derived> = report::cheapest(&graph, &rows, &start, &jewels)
        .iter()
        .filter_map(|path| Derived::new(path, &graph))
        .collect();
    let ranked = report::findings(
        &graph,
        &rows,
        &start,
        &jewels,
        &cluster,
        (&facts, &Settings::default()),
    );
    assert!(!ranked.findings.is_empty());
    let objects = report::counts(&cluster);
    let inputs = Inputs {
        name: "shop.yaml",
        cluster: &cluster,
        facts: &facts,
        objects: &objects,
        diagnostics: &diagnostics,
    };
    let mut all = Findings::new(inputs, &[start], &paths).with(ranked);
    all.locate(|file| (file == "shop.yaml").then(|| SHOP.to_owned()));
    all
}

/// The findings with a text in every place where text of the cluster can stand.
pub(crate) fn hostile(text: &str) -> Findings {
    let mut all = findings();
    text.clone_into(&mut all.input.name);
    all.unreached = vec![text.to_owned()];
    all.findings.truncate(1);
    for point in &mut all.choke_points {
        point.from = vec![text.to_owned()];
        text.clone_into(&mut point.to);
    }
    let mut ignored = all.findings[0].clone();
    ignored.state = State::Ignored;
    ignored.ignored = Some(Ignored {
        owner: text.to_owned(),
        reason: text.to_owned(),
        expires: "2027-01-01".to_owned(),
    });
    all.findings.push(ignored);
    for finding in &mut all.findings {
        for part in [
            &mut finding.title,
            &mut finding.entry,
            &mut finding.jewel,
            &mut finding.path.to,
        ] {
            text.clone_into(part);
        }
        finding.path.from = vec![text.to_owned()];
        for step in &mut finding.path.steps {
            text.clone_into(&mut step.gains);
            step.condition = Some(text.to_owned());
            for fact in &mut step.evidence {
                for part in [&mut fact.object, &mut fact.path, &mut fact.value] {
                    text.clone_into(part);
                }
                fact.source = Some(text.to_owned());
                if let Some(place) = &mut fact.place {
                    place.file = text.into();
                }
                fact.spot = Some(Spot { line: 9, column: 1 });
                fact.excerpt = Some(Arc::new(Excerpt {
                    first: 9,
                    marked: 9,
                    lines: vec![text.to_owned()],
                }));
            }
        }
    }
    all.changes = vec![Change {
        id: "change-00000000".to_owned(),
        title: text.to_owned(),
        mind: "Somebody may need it.",
        patches: vec![Patch {
            object: text.to_owned(),
            source: Some(text.to_owned()),
            command: "kubectl apply -f change.yaml".to_owned(),
            yaml: text.to_owned(),
        }],
        verified: true,
        removes: vec![all.findings[0].id.clone()],
        on_paths: vec![all.findings[0].id.clone()],
    }];
    all
}

/// The text as XML can hold it.
fn held(text: &str) -> String {
    let lost = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}';
    text.chars()
        .map(|c| if lost(c) { '\u{fffd}' } else { c })
        .collect()
}

fn picture(finding: &Finding) -> String {
    let steps: Vec<&Step> = finding.steps.iter().collect();
    mermaid(&Diagram::new(
        &steps,
        &BTreeSet::from([Position::Internet]),
        &BTreeSet::new(),
    ))
}

/// What SARIF asks for and viewers rely on.
fn check_sarif(sarif: &Value) {
    if let Some(schema) = std::env::var_os("SARIF_SCHEMA") {
        let written = report::json(sarif).unwrap();
        crate::report::check_schema(&std::fs::read_to_string(schema).unwrap(), &written);
    }
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        assert!(techniques::technique(rule["id"].as_str().unwrap()).is_some());
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
    }
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let fingerprint = result["partialFingerprints"]["beachheadFinding/v1"]
            .as_str()
            .unwrap();
        assert!(fingerprint.starts_with("bh-") && fingerprint.len() == 19);
        let flow = result["codeFlows"][0]["threadFlows"][0]["locations"]
            .as_array()
            .unwrap();
        let own = result["locations"].as_array().unwrap();
        assert_eq!(own.len(), 1);
        for location in flow.iter().map(|step| &step["location"]).chain(own) {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(
                uri.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%:".contains(&byte)),
                "{uri}"
            );
            assert!(physical["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
}

#[test]
fn sarif_points_at_the_object_that_opens_the_path() {
    let sarif = report::sarif(&findings());
    check_sarif(&sarif);
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "EXPLOIT_PUBLIC_APP");
    let physical = &result["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "shop.yaml");
    assert_eq!(
        physical["region"],
        serde_json::json!({"startLine": 9, "startColumn": 1}),
        "the Service"
    );
    let flow = &result["codeFlows"][0]["threadFlows"][0]["locations"];
    let regions: Vec<&Value> = flow
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["location"]["physicalLocation"]["region"])
        .collect();
    assert!(
        regions.contains(&&serde_json::json!({"startLine": 6, "startColumn": 3})),
        "serviceAccountName: {regions:?}"
    );
    assert!(result.get("baselineState").is_none());
    let mut known = findings();
    known.findings[0].state = State::Known;
    assert_eq!(
        report::sarif(&known)["runs"][0]["results"][0]["baselineState"],
        "unchanged"
    );
}

#[test]
fn junit_counts_what_it_lists() {
    let mut all = findings();
    all.findings[0].state = State::Known;
    all.unreached.push("Database/shop/mysql".to_owned());
    let text = report::junit(&all);
    let read = roxmltree::Document::parse(&text).unwrap();
    let suite = read
        .descendants()
        .find(|node| node.has_tag_name("testsuite"))
        .unwrap();
    let count = |name: &str| {
        read.descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
            .to_string()
    };
    assert_eq!(suite.attribute("tests"), Some(count("testcase").as_str()));
    assert_eq!(suite.attribute("failures"), Some(count("failure").as_str()));
    assert_eq!(suite.attribute("skipped"), Some(count("skipped").as_str()));
    assert_eq!(count("skipped"), "1");
}

#[test]
fn markdown_shows_path_and_picture() {
    let text = report::markdown(&findings(), picture);
    for expected in [
        "# Attack paths in `shop.yaml`",
        "## 1. `Pod/shop/web` leads to `ClusterAdmin`",
        "- severity: **critical**",
        "```mermaid\nflowchart LR\n",
        "v0([\"Internet\"]):::entry",
        "[T1190](https://attack.mitre.org/techniques/T1190/)",
        " in `shop.yaml:9`",
        "## Where to cut",
    ] {
        assert!(text.contains(expected), "no {expected} in:\n{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn hostile_text_is_text_in_every_form(text in any::<String>(), marks in "[`\"'<>&|*_#;\\[\\](){}\\\\\n\u{202e}\u{1b}@/-]{0,12}") {
        for text in [text, marks] {
            let all = hostile(&text);
            let sarif = report::sarif(&all);
            check_sarif(&sarif);
            prop_assert_eq!(sarif["runs"][0]["results"].as_array().map(Vec::len), Some(2));
            let message = sarif["runs"][0]["results"][0]["message"]["text"].as_str().unwrap_or_default();
            prop_assert!(message.starts_with(&format!("{text}: ")), "{}", message);

            let json = report::json(&all).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let read: Value = serde_json::from_str(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&read["findings"][0]["title"], &Value::from(text.as_str()));
            prop_assert_eq!(&read["changes"][0]["patches"][0]["yaml"], &Value::from(text.as_str()));

            let junit = report::junit(&all);
            let read = roxmltree::Document::parse(&junit).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let cases: Vec<_> = read.descendants().filter(|node| node.has_tag_name("testcase")).collect();
            prop_assert_eq!(cases.len(), 3);
            let name = format!("{} {}", all.findings[0].id, held(&text));
            prop_assert!(cases.iter().any(|case| case.attribute("name") == Some(&name)), "{}", junit);
            prop_assert_eq!(read.descendants().filter(|node| node.has_tag_name("failure")).count(), 1);

            let markdown = report::markdown(&all, picture);
            let (mut headings, mut blocks) = (0, 0);
            let mut codes = BTreeSet::new();
            for event in Parser::new_ext(&markdown, Options::all()) {
                match event {
                    Event::Start(Tag::Heading { .. }) => headings += 1,
                    Event::Start(Tag::CodeBlock(_)) => blocks += 1,
                    Event::Start(Tag::Link { dest_url, .. }) => {
                        prop_assert!(dest_url.starts_with("https://attack.mitre.org/"), "{}", dest_url);
                    }
                    Event::Html(html) | Event::InlineHtml(html) => {
                        return Err(TestCaseError::fail(format!("markup {html}")));
                    }
                    Event::Code(code) => {
                        codes.insert(code.to_string());
                    }
                    Event::Start(Tag::Image { .. }) => return Err(TestCaseError::fail("an image")),
                    _ => {}
                }
            }
            prop_assert_eq!((headings, blocks), (7, 3));
            let spoken: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            prop_assert!(spoken.is_empty() || codes.contains(&spoken), "{:?}", codes);
        }
    }
}

#[test]
fn a_name_of_a_megabyte_is_written_and_read() {
    let text = "<b>\"`'|\\\u{202e}]]>".repeat(70_000);
    let mut all = hostile("web");
    let finding = &mut all.findings[0];
    for part in [
        &mut finding.title,
        &mut finding.entry,
        &mut finding.path.steps[0].evidence[0].value,
    ] {
        part.clone_from(&text);
    }
    check_sarif(&report::sarif(&all));
    roxmltree::Document::parse(&report::junit(&all)).unwrap();
    let read: Value = serde_json::from_str(&report::json(&all).unwrap()).unwrap();
    assert_eq!(read["findings"][0]["title"], Value::from(text.as_str()));
    let lines = report::text(&all, 80).lines().len();
    assert!(lines < 500, "{lines} lines");
    let markdown = report::markdown(&all, picture);
    let is_markup = |event: &Event<'_>| matches!(event, Event::Html(_) | Event::InlineHtml(_));
    assert!(!Parser::new_ext(&markdown, Options::all()).any(|event| is_markup(&event)));
}

#[test]
fn the_work_of_writing_grows_with_the_findings_and_not_faster() {
    let many = |count: usize| {
        let mut all = findings();
        let (finding, change) = (all.findings[0].clone(), hostile("x").changes[0].clone());
        all.findings = (0..count)
            .map(|number| Finding {
                id: format!("bh-{number:016x}"),
                ..finding.clone()
            })
            .collect();
        let ids: Vec<String> = all.findings.iter().map(|finding| finding.id.clone()).collect();
        all.changes = vec![
            Change {
                removes: ids,
                ..change
            };
            24
        ];
        all
    };
    let time = |all: &Findings| {
        let begun = std::time::Instant::now();
        let bytes = report::json(all).unwrap().len()
            + report::json(&report::sarif(all)).unwrap().len()
            + report::junit(all).len()
            + report::markdown(all, picture).len()
            + report::text(all, 110).lines().len();
        (begun.elapsed().as_secs_f64(), bytes)
    };
    let (few, many) = (many(250), many(2_000));
    time(&few);
    let (short, _) = time(&few);
    let (long, bytes) = time(&many);
    assert!(bytes > 1_000_000);
    // Eight times as many: what is quadratic takes sixty-four times as long.
    assert!(long < short * 30.0, "{short:.3} s, then {long:.3} s");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let all = || {
        let all = findings();
        [
            report::json(&all).unwrap(),
            report::json(&report::sarif(&all)).unwrap(),
            report::junit(&all),
            report::markdown(&all, picture),
        ]
    };
    assert_eq!(all(), all());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir("examples/clusters/blog").unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    // Enough for every thread to have some.
    let pods = (0..60).map(|number| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: n{}, labels: {{app: a{}}}}}\n\
             spec: {{containers: [{{name: c, image: example.com/x, ports: [{{containerPort: 80, hostPort: {}}}]}}]}}\n",
            number % 7,
            number % 11,
            8000 + number
        )
    });
    std::fs::write(folder.path().join("pods.yaml"), pods.collect::<String>()).unwrap();
    let written = |arguments: &[&str], threads: &str| {
        let output = assert_cmd::Command::cargo_bin("beachhead")
            .unwrap()
            .args(arguments)
            .arg(folder.path())
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(
            output.status.success() && output.stdout.len() > 1_000,
            "{arguments:?}"
        );
        output.stdout
    };
    let reports = ["text", "json", "markdown", "html", "sarif", "junit"];
    let graphs = ["json", "dot", "svg", "graphml", "opengraph", "mermaid"];
    let reports = reports.map(|format| vec!["report", "--format", format]);
    let graphs = graphs.map(|format| vec!["graph", "--engine", "builtin", "--paths", "--format", format]);
    for arguments in reports.iter().chain(&graphs) {
        let (alone, together) = (written(arguments, "1"), written(arguments, "7"));
        assert!(alone == together, "{arguments:?}");
    }
}
