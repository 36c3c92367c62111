//! Tests of the saved queries: what each of them finds in the example cluster, and that none is forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use beachhead::query::{Query, saved};
use expect_test::expect_file;

const EXAMPLE: &str = "examples/clusters/blog";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn output(arguments: &[&str]) -> String {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(root())
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_file_is_listed_and_says_what_it_is() {
    let files: BTreeSet<String> = fs::read_dir(root().join("queries"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".cypher").unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = saved().iter().map(|query| query.id.clone()).collect();
    assert_eq!(files, listed);
    for query in saved() {
        Query::parse(&query.text)
            .unwrap_or_else(|error| panic!("{}: {}", query.id, error.shown(&query.text)));
        assert!(
            query.title.ends_with('.') && query.title.len() > 20,
            "{}: {}",
            query.id,
            query.title
        );
        let severities = ["critical", "high", "medium", "low", "info"];
        assert!(
            severities.contains(&query.severity.as_str()),
            "{}: {}",
            query.id,
            query.severity
        );
        assert!(!query.fix.is_empty(), "{}", query.id);
    }
}

#[test]
fn each_finds_what_the_example_has() {
    for query in saved() {
        let found = output(&["query", EXAMPLE, "--run", &query.id, "--format", "csv"]);
        expect_file![root().join(format!("tests/queries/{}.csv", query.id))].assert_eq(&found);
    }
}

#[test]
fn every_format_holds_the_same_rows() {
    let text = "MATCH (n:Database) RETURN n, n.name AS name, 1.5 AS number, null AS nothing";
    let run = |format: &str| output(&["query", EXAMPLE, "-c", text, "--format", format]);
    let json: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["schema"], "beachhead.query/1");
    assert_eq!(json["complete"], true);
    assert_eq!(json["rows"][0][0]["properties"]["id"], "Database/blog/mysql");
    assert_eq!(json["rows"][0][1], "mysql");
    let line: serde_json::Value = serde_json::from_str(run("jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(line["number"], 1.5);
    assert_eq!(
        run("csv"),
        "n,name,number,nothing\nDatabase/blog/mysql,mysql,1.5,null\n"
    );
    assert!(run("markdown").starts_with("| n | name | number | nothing |\n| --- | --- | --- | --- |\n"));
    assert!(run("table").ends_with("(1 row)\n"));
}

#[test]
fn parameters_are_json_or_strings() {
    let text = "RETURN $name AS a, $count + 1 AS b, $list[0] AS c";
    let arguments = [
        "query",
        EXAMPLE,
        "-c",
        text,
        "--param",
        "name=web",
        "--param",
        "count=2",
        "--param",
        "list=[true]",
        "--format",
        "csv",
    ];
    assert_eq!(output(&arguments), "a,b,c\nweb,3,true\n");
}

#[test]
fn a_mistake_is_shown_below_the_query() {
    let text = "MATCH (n) RETURN lenght(n)";
    let command = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(root())
        .args(["query", EXAMPLE, "-c", text])
        .output();
    let output = command.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains(
            "  | MATCH (n) RETURN lenght(n)\n  |                  ^^^^^^\n  = help: did you mean length"
        ),
        "{errors}"
    );
}

#[test]
fn a_folder_of_queries_stands_beside_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("mine.cypher"),
        "// Mine.\n// severity: low\nRETURN 1 AS mine;\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no query").unwrap();
    let path = folder.path().to_str().unwrap();
    let list = output(&["query", EXAMPLE, "--queries", path, "--list"]);
    assert!(
        list.contains("mine") && list.contains("entry-points") && !list.contains("notes"),
        "{list}"
    );
    assert_eq!(
        output(&[
            "query",
            EXAMPLE,
            "--queries",
            path,
            "--run",
            "mine",
            "--format",
            "csv"
        ]),
        "mine\n1\n"
    );
}
