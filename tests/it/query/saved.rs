//! Tests of the saved queries: what each of them finds in its clusters, that none is forgotten, and how they are run.
//!
//! **Trap.** `tests/queries/<id>.md` holds the clusters; rows are filled in by `UPDATE_EXPECT=1` and have to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use beachhead::collect::read_text;
use beachhead::graph::AttackGraph;
use beachhead::query::{AttackView, GROUPS, Limits, Query, Value, saved, text};
use beachhead::techniques::{Facts, steps};
use expect_test::expect_file;

use crate::fixture::cases;

const EXAMPLE: &str = "examples/clusters/blog";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Exit status, result and messages of a command.
fn ran(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("beachhead").unwrap();
    let output = command.current_dir(root()).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn output(arguments: &[&str]) -> String {
    let (code, out, errors) = ran(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    out
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
    assert!(listed.len() >= 40);
    for query in saved() {
        let id = &query.id;
        Query::parse(&query.text).unwrap_or_else(|error| panic!("{id}: {}", error.shown(&query.text)));
        let header: Vec<&str> = query.text.lines().take(6).collect();
        let keys = [
            "// ",
            "// id: ",
            "// group: ",
            "// severity: ",
            "// attack:",
            "// fix: ",
        ];
        assert!(
            header.iter().zip(keys).all(|(line, key)| line.starts_with(key)),
            "{id}: {header:?}"
        );
        let length = query.title.chars().count();
        assert!(
            query.title.ends_with('.') && (20..=100).contains(&length),
            "{id}: {}",
            query.title
        );
        let severities = ["critical", "high", "medium", "low", "info"];
        assert!(
            severities.contains(&query.severity.as_str()),
            "{id}: {}",
            query.severity
        );
        assert!(GROUPS.contains(&query.group.as_str()), "{id}: {}", query.group);
        let is_attack =
            |word: &str| word.starts_with('T') && word[1..].chars().all(|c| c.is_ascii_digit() || c == '.');
        assert!(
            query.attack.split_whitespace().all(is_attack),
            "{id}: {}",
            query.attack
        );
        assert!(!query.fix.is_empty(), "{id}");
    }
}

/// The rows of a query over manifests, cells apart by `|`, below their columns; empty if there are none.
fn rows_over(query: &Query, manifests: &str) -> String {
    let (cluster, _) = read_text("fixture.yaml", manifests, "default");
    assert!(cluster.objects().next().is_some(), "no object was read");
    let facts = Facts::new(&cluster);
    let graph = AttackGraph::new(steps(&facts.context(&cluster)));
    let frozen = graph.freeze();
    let view = AttackView::new(&graph, &frozen);
    let table = query.run(&view, &BTreeMap::new(), Limits::default());
    let table = table.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(table.stopped, None);
    if table.rows.is_empty() {
        return String::new();
    }
    let cells = |row: &Vec<Value>| row.iter().map(|value| text(value, &view)).collect();
    let rows = std::iter::once(table.columns.clone()).chain(table.rows.iter().map(cells));
    rows.map(|row| row.join(" | ") + "\n").collect()
}

#[test]
fn each_finds_what_its_clusters_have_and_nothing_else() {
    let mut wrong = Vec::new();
    for query in saved() {
        let path = root().join(format!("tests/queries/{}.md", query.id));
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{} has no fixture: write {}", query.id, path.display()));
        let parsed = Query::parse(&query.text).unwrap();
        let (title, _) = text.split_once("\n## ").unwrap_or((&text, ""));
        let mut actual = title.to_owned();
        let mut found = Vec::new();
        for case in cases(&text, "rows") {
            let rows = rows_over(&parsed, &case.manifests);
            if case.heading.starts_with("Quiet") != rows.is_empty() {
                wrong.push(format!("{}: {}", query.id, case.heading));
            }
            let _ = writeln!(actual, "{}```rows\n{rows}```", case.head);
            found.push(rows);
        }
        // What counts everything is never empty; it has to tell two clusters apart.
        let is_count = ["choke points", "posture metrics"].contains(&query.group.as_str());
        let differs = found.iter().any(|rows| rows != &found[0]);
        let has_quiet = found.iter().any(String::is_empty);
        if !(has_quiet || is_count && differs) {
            wrong.push(format!("{} needs a case with rows and a quiet one", query.id));
        }
        expect_file![path].assert_eq(&actual);
    }
    assert!(wrong.is_empty(), "headings say otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn every_fixture_has_a_query() {
    let known: BTreeSet<String> = saved().iter().map(|query| format!("{}.md", query.id)).collect();
    for entry in fs::read_dir(root().join("tests/queries")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} belongs to no query");
    }
}

#[test]
fn the_list_is_grouped_and_fits_a_screen() {
    let list = output(&["query", EXAMPLE, "--list"]);
    let headings: Vec<&str> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(' '))
        .collect();
    assert_eq!(headings, GROUPS);
    assert!(list.lines().all(|line| line.chars().count() <= 150), "{list}");
    let found = output(&[
        "query",
        EXAMPLE,
        "--run",
        "databases-from-internet",
        "--format",
        "csv",
    ]);
    assert!(found.contains("Database/blog/mysql"), "{found}");
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

#[test]
fn ids_and_groups_are_those_of_the_header_and_none_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.cypher",
        "// One of ours.\n// id: ours\n// group: of the house\nRETURN 1 AS x;\n",
    );
    write("entry-points.cypher", "// Another one.\nRETURN 'own' AS x;\n");
    let path = folder.path().to_str().unwrap();
    let list = output(&["query", EXAMPLE, "--queries", path, "--list"]);
    let (_, behind) = list.split_once("posture metrics\n").unwrap();
    assert!(
        behind.contains("\nof the house\n  ours ") && !list.contains("\n  a "),
        "{list}"
    );
    let run = |id: &str| {
        output(&[
            "query",
            EXAMPLE,
            "--queries",
            path,
            "--run",
            id,
            "--format",
            "csv",
        ])
    };
    assert_eq!(run("ours"), "x\n1\n");
    assert_eq!(run("entry-points"), "x\nown\n");
    write("b.cypher", "// Twice.\n// id: ours\nRETURN 2 AS x;\n");
    let (code, _, errors) = ran(&["query", EXAMPLE, "--queries", path, "--list"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("ours is in"), "{errors}");
}

#[test]
fn the_exit_status_says_whether_there_are_rows() {
    let code = |text: &str, more: &[&str]| {
        let (code, ..) = ran(&[&["query", EXAMPLE, "-c", text], more].concat());
        code
    };
    let (some, none) = (
        "MATCH (d:Database) RETURN d",
        "MATCH (d:Database) WHERE false RETURN d",
    );
    assert_eq!(code(some, &[]), Some(0));
    assert_eq!(code(some, &["--exit-code"]), Some(0));
    assert_eq!(code(none, &[]), Some(0));
    assert_eq!(code(none, &["--exit-code"]), Some(1));
    assert_eq!(code("RETURN lenght(1)", &["--exit-code"]), Some(2));
    // Nothing was found, but not everything was looked at.
    let late = "UNWIND range(1, 100) AS x WITH x WHERE x > 99 RETURN x";
    assert_eq!(code(late, &["--exit-code", "--max-expansions", "10"]), Some(2));
}

#[test]
fn the_list_is_a_document_for_programs_too() {
    let list = output(&["query", EXAMPLE, "--list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["schema"], "beachhead.queries/1");
    let queries = list["queries"].as_array().unwrap();
    assert_eq!(queries.len(), saved().len());
    let admin = queries
        .iter()
        .find(|query| query["id"] == "cluster-admin-from-containers");
    let admin = admin.unwrap();
    assert_eq!(admin["group"], "cluster-admin");
    assert_eq!(admin["attack"], serde_json::json!(["T1610", "T1078"]));
    assert!(admin["text"].as_str().unwrap().contains("MATCH"), "{admin}");
    let (code, _, errors) = ran(&["query", EXAMPLE, "--list", "--format", "csv"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("table and json"), "{errors}");
}

#[test]
fn a_result_is_drawn_as_graph_draws_it() {
    let text = "MATCH p = shortestPath((:Internet)-[*]->(:Database)) RETURN p";
    for (format, more) in [("dot", vec![]), ("svg", vec!["--engine", "builtin"])] {
        let rows = output(&["query", EXAMPLE, "-c", text, "--format", format]);
        let graph = [
            &["graph", EXAMPLE, "--query", text, "--format", format],
            more.as_slice(),
        ]
        .concat();
        assert_eq!(rows, output(&graph), "{format}");
        assert!(rows.contains("Database"), "{rows}");
    }
    let (code, _, errors) = ran(&["query", EXAMPLE, "-c", "RETURN 1", "--format", "svg"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("MATCH p = (a)-[]->(b) RETURN p"), "{errors}");
}

#[test]
fn a_saved_query_says_nothing_of_what_the_input_lacks_and_ones_own_does() {
    let (_, _, errors) = ran(&["query", EXAMPLE, "--run", "shared-processes"]);
    assert_eq!(errors, "");
    let misspelt = ["query", EXAMPLE, "-c", "MATCH (n:Databse) RETURN n"];
    let (code, _, errors) = ran(&misspelt);
    assert_eq!(code, Some(0));
    assert!(
        errors.starts_with("warning") && errors.contains("did you mean Database"),
        "{errors}"
    );
    let (code, out, errors) = ran(&[&misspelt[..], &["--strict", "--exit-code"]].concat());
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(
        errors.starts_with("error") && errors.contains("did you mean Database"),
        "{errors}"
    );
}
