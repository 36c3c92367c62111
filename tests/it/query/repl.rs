//! Tests of the prompt as scripts drive it: statements piped in, results and messages out.

use std::path::Path;

use assert_cmd::Command;

const EXAMPLE: &str = "examples/clusters/blog";

/// What a script gives: results, messages, exit status.
fn talk(script: &str) -> (String, String, i32) {
    talk_with(&["repl", EXAMPLE], script)
}

fn talk_with(arguments: &[&str], script: &str) -> (String, String, i32) {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(arguments)
        .env("EDITOR", "sed -i s/one/two/")
        .env_remove("VISUAL")
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
fn lines_are_cut_where_someone_says_so() {
    let out = results(
        ":width 20\n:mode line\nRETURN 'a text that is long' AS x;\n:width off\nRETURN 'a text that is long' AS x;",
    );
    assert!(out.contains("x = a text that is …\n"), "{out}");
    assert!(out.contains("x = a text that is long\n"), "{out}");
    let (_, err, code) = talk(":width wide");
    assert_eq!(code, 2);
    assert!(err.contains("a number of columns or off"), "{err}");
}

#[test]
fn the_shell_is_asked_only_where_the_command_line_allows_it() {
    let (out, err, code) = talk("!echo hello");
    assert_eq!((out.as_str(), code), ("", 2));
    assert!(err.contains("--shell"), "{err}");
    let allowed = ["repl", EXAMPLE, "--shell"];
    let (out, _, code) = talk_with(&allowed, "!echo hello\nRETURN 1 AS one;");
    assert!(out.starts_with("hello\n"), "{out}");
    assert_eq!(code, 0);
    let (_, err, code) = talk_with(&allowed, "!exit 3");
    assert_eq!(code, 2);
    assert!(err.contains("exit 3"), "{err}");
}

#[test]
fn the_report_is_written_as_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let (_, err, code) = talk(&format!(":report {}", path.display()));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("the report is in"), "{err}");
    let written = std::fs::read_to_string(&path).unwrap();
    let report = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["report", EXAMPLE, "--format", "html"])
        .output()
        .unwrap();
    assert_eq!(written, String::from_utf8(report.stdout).unwrap());
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
    // What a saved query looks like: comments, and clauses on lines of their own.
    std::fs::write(
        folder.path().join("c.cypher"),
        "// id: c\n// group: tests\n:mode csv\n/* two\n\n lines */ UNWIND [2, 1] AS x\nRETURN x\nORDER BY x; // behind\n\
         RETURN 'a;' AS a; RETURN 3 AS b;\n// the end\n",
    )
    .unwrap();
    let script = path("c.cypher");
    for input in [
        format!(":source {script}"),
        std::fs::read_to_string(&script).unwrap(),
    ] {
        let (out, err, code) = talk(&input);
        assert_eq!((out.as_str(), code), ("x\n1\n2\na\na;\nb\n3\n", 0), "{err}");
    }
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

#[test]
fn a_row_of_the_last_result_stands_for_its_position() {
    let query = "MATCH (d:Database) RETURN d.id AS id;";
    assert!(results(&format!("{query}\n:describe #1")).contains("Database/blog/mysql (Database)"));
    let path = "MATCH p = shortestPath((:Internet)-[*]->(:Database)) RETURN length(p) AS steps, p;";
    assert!(results(&format!("{path}\n:neighbors #1")).contains("-> Database/blog/mysql"));
    let (_, err, _) = talk(&format!(
        ":describe #1\n{query}\n:describe #2\nRETURN 1 AS one;\n:reach #1"
    ));
    assert!(err.contains("there is none") && err.contains("no row 2"), "{err}");
    assert!(err.contains("row 1 holds no position"), "{err}");
}

#[test]
fn the_next_result_alone_goes_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("once.csv");
    let script = format!(
        ":mode csv\n:once {}\nRETURN 1 AS a;\nRETURN 2 AS b;",
        file.display()
    );
    assert_eq!(results(&script), "b\n2\n");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "a\n1\n");
}

#[test]
fn the_editor_changes_the_last_query_which_is_then_run() {
    assert_eq!(results(":mode csv\nRETURN 1 AS one;\n:edit"), "one\n1\ntwo\n1\n");
    assert_eq!(results(":mode csv\n\\e RETURN 5 AS one;"), "two\n5\n");
    let (_, err, code) = talk(":edit");
    assert_eq!(code, 2);
    assert!(err.contains("the text is empty"), "{err}");
}

#[test]
fn a_query_is_explained_with_its_own_words() {
    // What the engine says to the prefix is its own affair, and may hold times; it sees the same text.
    let shape = |(out, err, code): (String, String, i32)| {
        let first = |text: String| text.lines().next().unwrap_or_default().to_owned();
        (first(out), first(err), code)
    };
    for (command, prefix) in [(":explain", "EXPLAIN"), (":profile", "PROFILE")] {
        let written = shape(talk(&format!("{prefix} RETURN  1 AS one")));
        assert_eq!(shape(talk(&format!("{command} RETURN  1 AS one;"))), written);
        let (out, err, code) = talk(&format!(":mode csv\nRETURN  1 AS one\n\n{command}"));
        let behind = out.strip_prefix("one\n1\n").unwrap().to_owned();
        let err = err.strip_prefix("mode csv\n").unwrap().to_owned();
        assert_eq!(
            (shape((String::new(), err, code)), behind.is_empty()),
            (
                (String::new(), written.1.clone(), written.2),
                written.0.is_empty()
            )
        );
    }
    let (_, err, _) = talk(":explain");
    assert!(err.contains("there is none"), "{err}");
}

#[test]
fn one_cut_is_shown_only_where_no_other_way_is_left() {
    let out = results(":choke Internet Database/blog/mysql");
    assert!(
        out.contains("EXPLOIT_PUBLIC_APP: ") && out.contains("stop it"),
        "{out}"
    );
    // The password is one of several ways from there.
    assert!(!out.contains("DATABASE_PASSWORD"), "{out}");
    let out = results(":choke Deployment/blog/wordpress Database/blog/mysql");
    assert!(out.contains("no single place to cut"), "{out}");
    assert!(results(":choke Pod/newsletter/sender Database/blog/mysql").contains("no path leads"));
    let (_, err, _) = talk(":choke Internet");
    assert!(err.contains("FROM and TO"), "{err}");
}

#[test]
fn two_inputs_are_compared_by_the_rows_of_a_query() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(EXAMPLE)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        if name != "wordpress.yaml" {
            std::fs::copy(&path, folder.path().join(name)).unwrap();
        }
    }
    let other = folder.path().display();
    let out = results(&format!(":diff {other} MATCH (c:Container) RETURN c.id"));
    assert!(out.contains("- Container/blog/wordpress/wordpress\n"), "{out}");
    assert!(out.contains("(2 gone, 0 new, 3 rows in both)"), "{out}");
    let out = results(&format!("MATCH (c:Container) RETURN c.id;\n:diff {other}"));
    assert!(out.contains("(2 gone, 0 new, 3 rows in both)"), "{out}");
    let out = results(&format!(":diff {other}"));
    assert!(out.contains("- Database/blog/mysql\n"), "{out}");
    let (_, err, code) = talk(":diff /nowhere/at/all");
    assert_eq!(code, 2, "{err}");
}

#[test]
fn an_input_that_cannot_be_read_leaves_the_old_one() {
    let (out, err, code) = talk(":mode csv\n:open /nowhere/at/all\nMATCH (d:Database) RETURN d.id AS id;");
    assert_eq!((out.as_str(), code), ("id\nDatabase/blog/mysql\n", 2), "{err}");
    assert!(err.contains("/nowhere/at/all"), "{err}");
}

#[test]
fn what_is_watched_is_shown_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.yaml");
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ namespace: shop, name: {name} }}\nspec: {{ containers: [{{ name: c, image: i }}] }}\n---\n"
        )
    };
    std::fs::write(&file, pod("a")).unwrap();
    let later = (file.clone(), pod("a") + &pod("b"));
    let script =
        ":mode csv\nMATCH (p:Container) RETURN p.id AS id ORDER BY id;\n:watch 0.3 8\nRETURN 'after' AS x;";
    let writer = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(1500));
        std::fs::write(later.0, later.1).unwrap();
    });
    let (out, err, code) = talk_with(&["repl", file.to_str().unwrap()], script);
    writer.join().unwrap();
    assert_eq!(code, 0, "{err}");
    let expected = "id\nContainer/shop/a/c\nid\nContainer/shop/a/c\n+ Container/shop/b/c\n(0 gone, 1 new, 1 row in both)\nx\nafter\n";
    assert_eq!(out, expected, "{err}");
}

#[test]
fn a_query_saved_by_name_is_one_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let arguments = ["repl", EXAMPLE, "--queries", path];
    let script = ":mode csv\n// Mine.\nRETURN 7 AS x;\n:save mine\n:run mine\n:run mnie";
    let (out, err, code) = talk_with(&arguments, script);
    assert_eq!((out.as_str(), code), ("x\n7\nx\n7\n", 2), "{err}");
    assert!(err.contains("did you mean mine"), "{err}");
    let (_, err, _) = talk("RETURN 1 AS x;\n:save mine");
    assert!(err.contains("--queries DIR"), "{err}");
}

#[test]
fn switches_go_over_and_say_so() {
    let (out, err, _) = talk(":x\nRETURN 1 AS one;\n:x\n:pager off\n:pager\n:pager maybe\n:viz nothing.svg");
    assert!(out.contains("one = 1"), "{out}");
    assert!(
        err.contains("mode line\n") && err.contains("mode table\n"),
        "{err}"
    );
    assert!(
        err.contains("pager off\npager on\n") && err.contains("takes on or off"),
        "{err}"
    );
    assert!(err.contains("hold no relationship"), "{err}");
}

#[test]
fn the_help_of_the_command_lists_the_commands() {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args(["repl", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for command in [":watch", ":choke", ":diff", ":assume", ":once", "Ctrl-C"] {
        assert!(help.contains(command), "{command}: {help}");
    }
}
