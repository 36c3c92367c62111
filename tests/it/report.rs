//! The report: text as people see it, JSON as its schema says.

use std::collections::BTreeMap;

use beachhead::collect::read_text;
use beachhead::model::{Cluster, ObjectId};
use beachhead::report::{self, Derived, Findings, Inputs};
use beachhead::techniques::{
    Certainty, Evidence, Facts, Family, Label, Place, Position, Reason, Relation, Step, Technique,
};
use expect_test::{Expect, expect};
use serde_json::Value;

static BREAK_IN: Technique = Technique {
    id: "BREAK_IN",
    title: "Breaking in",
    family: Family::Exposure,
    docs: "",
    from: &[Label::Internet],
    to: &[Label::Pod],
    mitre: &["T1190"],
    microsoft: &[],
    owasp: &[],
    cis: &[],
    falco: &[],
    cases: "",
    effort: 3,
    remediation: "Close the door.",
    references: &[],
    derive: |_, _| {},
};

const SHOP: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: kube-system}
stringData: {password: canary-value}
";

fn cluster() -> (Cluster, Facts, BTreeMap<String, usize>) {
    let (cluster, _) = read_text("shop.yaml", SHOP, "default");
    let facts = Facts::new(&cluster);
    let counts = report::counts(&cluster);
    (cluster, facts, counts)
}

fn pod() -> Position {
    Position::Pod(Place::new("shop", "web"))
}

/// From outside through a structural step into the pod, and from both of them to the cluster.
fn path() -> Derived {
    let group = Position::Network("web".into());
    let fact = |path: &str| Evidence::new(ObjectId::new("Pod", "shop", "web"), path, "yes");
    let relation = Reason::Relation(Relation::Reaches);
    let step = |reason, premises: Vec<Position>, conclusion, effort, certainty, path| Step {
        reason,
        premises: premises.into(),
        conclusion,
        effort,
        certainty,
        evidence: [fact(path)].into(),
    };
    let technique = Reason::Technique(&BREAK_IN);
    let if_root = Certainty::Conditional("the image runs as root".into());
    Derived {
        proven: true,
        to: Position::ClusterAdmin,
        steps: vec![
            step(
                relation,
                vec![Position::Internet],
                group.clone(),
                0,
                Certainty::Certain,
                "/spec/open",
            ),
            step(technique, vec![group], pod(), 3, Certainty::Assumed, "/spec/weak"),
            step(
                technique,
                vec![pod(), Position::Internet],
                Position::ClusterAdmin,
                3,
                if_root,
                "/spec/root",
            ),
        ],
    }
}

fn findings(paths: &[Derived]) -> Findings {
    let (cluster, facts, objects) = cluster();
    let inputs = Inputs {
        name: "shop.yaml",
        cluster: &cluster,
        facts: &facts,
        objects: &objects,
        diagnostics: &[],
    };
    Findings::new(inputs, &[Position::Internet], paths)
}

fn check_text(findings: &Findings, expected: &Expect) {
    let page = report::text(findings, 110);
    let lines: Vec<_> = page.lines().iter().map(|line| line.text.as_str()).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

/// Fails when the schema and what is written have grown apart.
///
/// The schema is that of the types or of the time of the build. The file in `docs` is written anew while tests run, if they
/// run with `UPDATE_EXPECT`, and who reads it then finds it empty or old.
pub(crate) fn check_schema(schema: &str, written: &str) {
    let parsed = |what: &str, text: &str| -> Value {
        let shown = |error| {
            let start: String = text.chars().take(400).collect();
            panic!("{what} is no JSON: {error}; it has {} bytes: {start}", text.len())
        };
        serde_json::from_str(text).unwrap_or_else(shown)
    };
    let (schema, value) = (parsed("the schema", schema), parsed("what is written", written));
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("no schema: {error}"));
    let errors: Vec<_> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\nin {written}");
}

#[test]
fn a_path_reads_as_a_list_of_moves() {
    check_text(
        &findings(&[path()]),
        &expect![[r#"
        Attack paths in shop.yaml
          read      2 objects: 1 Pod, 1 Secret
          assumed   an application that the internet reaches is taken to be breakable
          assumed   no NetworkPolicy in the input: every pod is taken to reach every other one
          assumed   no Node in the input: pods are taken to run on one unnamed worker that the internet can reach

        Entry points: what the internet reaches
          nothing: no Service, Ingress, Gateway, Route or host port lets the outside in

        Crown jewels: what an attacker must not get
          ClusterAdmin             controls everything    REACHED, effort 6
          1 Secret of kube-system  secrets of the system  not reached

        Paths: the cheapest way from Internet to each crown jewel it reaches
          Effort adds up over a path: 1 uses what is held as intended, 5 is a public exploit, 8 an unpublished one.

        1. Internet to ClusterAdmin (effort 6, conditional)
           1. Breaking in
              gains     code running in Pod/shop/web
              how       BREAK_IN, ATT&CK T1190, effort 3, assumed
              because   Pod/shop/web /spec/open = yes (shop.yaml:2)
              because   Pod/shop/web /spec/weak = yes (shop.yaml:2)
              stop it   Close the door.
           2. Breaking in
              gains     control of the whole cluster (ClusterAdmin)
              needs     Internet and Pod/shop/web (step 1)
              how       BREAK_IN, ATT&CK T1190, effort 3, conditional
              because   Pod/shop/web /spec/root = yes (shop.yaml:2)
              if        the image runs as root
              stop it   Close the door.

        Not reached from outside
          Secret/kube-system/token

        What was not seen
          depends   the image runs as root
    "#]],
    );
}

#[test]
fn without_paths_the_report_says_so() {
    let text = report::text(&findings(&[]), 110);
    assert!(
        text.lines()
            .iter()
            .any(|line| line.text.contains("no crown jewel can be reached"))
    );
}

#[test]
fn json_is_as_the_schema_says() {
    let written = report::json(&findings(&[path()])).unwrap();
    check_schema(include_str!("../../docs/report.schema.json"), &written);
    let read: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read["paths"][0]["effort"], 6);
    assert_eq!(read["paths"][0]["certainty"], "conditional");
    assert_eq!(
        read["paths"][0]["steps"][0]["evidence"][0]["source"],
        "shop.yaml:2"
    );
    assert_eq!(read["unreached"], serde_json::json!(["Secret/kube-system/token"]));
}

#[test]
fn the_graph_is_as_its_schema_says() {
    let (cluster, facts, _) = cluster();
    let written = report::json(&report::graph(&cluster, &facts, &path().steps)).unwrap();
    check_schema(include_str!("../../docs/graph.schema.json"), &written);
    let read: Value = serde_json::from_str(&written).unwrap();
    let pod = read["vertices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|vertex| vertex["label"] == "Pod")
        .unwrap();
    assert_eq!(pod["properties"]["workload"], "Pod/shop/web");
}

#[test]
fn the_schemas_in_docs_are_those_of_the_types() {
    let check = |file: expect_test::ExpectFile, schema: Value| {
        file.assert_eq(&report::json(&schema).unwrap());
        jsonschema::meta::validate(&schema).unwrap();
    };
    check(
        expect_test::expect_file!["../../docs/report.schema.json"],
        report::report_schema(),
    );
    check(
        expect_test::expect_file!["../../docs/graph.schema.json"],
        report::graph_schema(),
    );
}

#[test]
fn text_keeps_to_the_columns_of_the_terminal() {
    let findings = findings(&[path()]);
    let widest = |columns: usize| {
        let page = report::text(&findings, columns);
        page.lines()
            .iter()
            .map(|line| line.text.chars().count())
            .max()
            .unwrap()
    };
    assert!(widest(80) <= 110 && widest(80) < widest(200));
    let page = report::text(&findings, 60);
    let broken: Vec<&str> = page
        .lines()
        .iter()
        .map(|line| line.text.as_str())
        .filter(|line| line.starts_with("  assumed") || line.starts_with("            "))
        .collect();
    assert!(
        broken.len() > 6 && broken.iter().all(|line| line.len() <= 60),
        "{broken:#?}"
    );
}

#[test]
fn no_value_of_a_secret_is_told() {
    let findings = findings(&[path()]);
    assert!(!report::json(&findings).unwrap().contains("canary"));
    assert!(
        !report::text(&findings, 110)
            .lines()
            .iter()
            .any(|line| line.text.contains("canary"))
    );
}
