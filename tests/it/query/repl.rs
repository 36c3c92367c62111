//! Tests of the prompt as scripts drive it: statements piped in, results and messages out.

use std::path::Path;

use assert_cmd::Command;

const EXAMPLE: &str = "examples/clusters/blog";

/// What a script gives: results, messages, exit status.
fn talk(script: &str) -> (String, String, i32) {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["repl", EXAMPLE])
        .write_stdin(script)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap(),
    )
}

/// What a script of statements that work prints.
fn results(script: &str) -> String {
    let (out, err, code) = talk(script);
    assert_eq!(code, 0, "{script}: {err}");
    assert!(!out.contains('\u{1b}'), "no colours where there is no terminal");
    out
}

#[test]
fn queries_go_over_lines_and_end_with_a_semicolon_or_an_empty_line() {
    let out =
        results(":mode csv\nMATCH (d:Database)\nRETURN d.id\nAS id;\nRETURN 1 AS one\n\nRETURN 2 AS two");
    assert_eq!(out, "id\nDatabase/blog/mysql\none\n1\ntwo\n2\n");
}

#[test]
fn commands_answer_under_each_of_their_names() {
    for script in [":labels", "\\labels", ".labels", ":LABELS", ":dt"] {
        assert!(results(script).contains("Database"), "{script}");
    }
    assert!(results(":describe Database/blog/mysql").contains("to it"));
    assert!(results(":neighbors Database/blog/mysql").contains("-> Database/blog/mysql"));
    assert!(results(":paths Internet Database/blog/mysql").contains("Database/blog/mysql"));
    assert!(results(":reach Internet").contains("can be had from Internet"));
    assert!(results(":who-can get secrets -n blog").contains("can"));
    assert!(results(":help").contains(":retract"));
    assert!(results(":help Pod").contains("leaves it"));
    assert!(results(":help paths").contains("FROM TO"));
    assert!(results(":help optional").contains("keeps the row"));
    assert!(results(":queries").contains("databases-from-internet"));
    assert!(results(":run databases-from-internet").contains("Database/blog/mysql"));
    assert!(results(":schema").contains("properties"));
}

#[test]
fn help_on_a_technique_is_the_text_of_explain() {
    let explain = Command::cargo_bin("beachhead")
        .unwrap()
        .args(["explain", "SHARE_PS_NAMESPACE"])
        .output()
        .unwrap();
    let explained = String::from_utf8(explain.stdout).unwrap();
    assert!(explained.len() > 100);
    assert!(results(":help share_ps_namespace").starts_with(&explained));
}

#[test]
fn results_are_values_and_settings_stay() {
    let script = ":mode csv\n:param want Database/blog/mysql\nMATCH (n {id: $want}) RETURN n;\nRETURN $_1 AS again, size($_) AS rows;\n";
    assert_eq!(
        results(script),
        "n\nDatabase/blog/mysql\nagain,rows\nDatabase/blog/mysql,1\n"
    );
    assert!(results(":mode box\nRETURN 1 AS one;").contains("│ one │"));
    assert!(results(":mode line\nRETURN 1 AS one;").contains("one = 1"));
    assert!(results(":mode tsv\nRETURN 1 AS a, 'x\\ty' AS b;").contains("a\tb\n1\tx\\ty\n"));
    let path = "MATCH p = shortestPath((:Internet)-[*]->(:Database)) RETURN p;";
    assert!(results(&format!(":mode path\n{path}")).contains("effort"));
    assert!(results(&format!(":mode dot\n{path}")).starts_with("digraph"));
    assert!(results(&format!("{path}\n:viz")).contains("<svg"));
    assert!(results(&format!("{path}\n:why #1")).contains("effort"));
}

#[test]
fn a_mistake_is_shown_with_its_place_and_the_rest_goes_on() {
    let (out, err, code) = talk("RETURN lenght('a');\n:mode csv\n:descrbe x\nRETURN 1 AS one;\n");
    assert_eq!((out.as_str(), code), ("one\n1\n", 2));
    assert!(
        err.contains("^^^^^^") && err.contains("did you mean length"),
        "{err}"
    );
    assert!(err.contains("did you mean describe"), "{err}");
    let (_, err, _) = talk("MATCH (n:Databse) RETURN n;");
    assert!(err.contains("did you mean Database"), "{err}");
}

#[test]
fn an_assumption_changes_the_graph_until_it_is_taken_back() {
    let query = "MATCH (:Internet)-[s:ASSUMED]->(n) RETURN n.id AS id;";
    let script = format!(
        ":mode csv\n{query}\n:assume Node/* compromised\n{query}\n:retract\n{query}\n:quit\nRETURN 9 AS x;"
    );
    let (out, err, code) = talk(&script.replace("Node/*", "ClusterAdmin"));
    assert_eq!((out.as_str(), code), ("id\nid\nClusterAdmin\nid\n", 0), "{err}");
}

#[test]
fn files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        folder.path().join("a.cypher"),
        ":mode csv\nRETURN 1 AS one;\nRETURN 2 AS two\n",
    )
    .unwrap();
    let (source, output, saved) = (path("a.cypher"), path("out.csv"), path("saved.cypher"));
    assert_eq!(results(&format!(":source {source}")), "one\n1\ntwo\n2\n");
    results(&format!(
        ":mode csv\n:output {output}\nRETURN 3 AS x;\n:save {saved}"
    ));
    assert_eq!(std::fs::read_to_string(output).unwrap(), "x\n3\n");
    assert_eq!(std::fs::read_to_string(saved).unwrap(), "RETURN 3 AS x;\n");
    std::fs::write(
        folder.path().join("b.cypher"),
        format!(":source {}", path("b.cypher")),
    )
    .unwrap();
    let (_, err, code) = talk(&format!(":source {}", path("b.cypher")));
    assert_eq!(code, 2);
    assert!(err.contains("read each other"), "{err}");
}

#[test]
fn a_query_that_takes_too_long_gives_a_part_and_says_so() {
    let (_, err, code) = talk(
        ":timeout 0.2\n:timing on\nUNWIND range(1, 9000000) AS x UNWIND range(1, 9) AS y RETURN count(*);",
    );
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("a part of the answer: stopped after 200ms"), "{err}");
    assert!(err.contains("expansions"), "{err}");
}
