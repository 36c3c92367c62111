//! The command end to end: what is printed where, and the exit status.

use assert_cmd::Command;
use expect_test::{Expect, expect};

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {containers: [{name: web, image: example.com/web}]}
";

fn check(arguments: &[&str], stdin: &str, expected: &Expect) {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args(arguments)
        .write_stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    expected.assert_eq(&format!(
        "{}--- stderr\n{}--- status {}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    ));
}

#[test]
fn a_report_of_one_pod() {
    check(
        &["report", "-"],
        POD,
        &expect![[r#"
        Attack paths in standard input
          read      1 object: 1 Pod
          assumed   an application that the internet reaches is taken to be breakable
          assumed   no NetworkPolicy in the input: every pod is taken to reach every other one
          assumed   the default roles and bindings of Kubernetes were added, as the input has none
          assumed   no Node in the input: pods are taken to run on one unnamed worker that the internet can reach

        Entry points: what the internet reaches
          nothing: no Service, Ingress, Gateway, Route or host port lets the outside in

        Crown jewels: what an attacker must not get
          ClusterAdmin  controls everything  not reached

        Paths: the cheapest way from Internet to each crown jewel it reaches
          none: no crown jewel can be reached by what Beachhead knows

        Not reached from outside
          ClusterAdmin

        What was not seen
          note      the input has no ClusterRole cluster-admin: added Kubernetes' 77 default roles and 58 bindings;
                    give a dump that includes ClusterRoles and ClusterRoleBindings if the cluster's own differ
          note      the input names no node: pods are taken to run on one unnamed worker; add `kubectl get nodes -o
                    json` for real placement
        --- stderr
        --- status 0
    "#]],
    );
}

#[test]
fn a_missing_file() {
    check(
        &["report", "no-such-file.yaml"],
        "",
        &expect![[r#"
        --- stderr
        error: cannot read no-such-file.yaml; give a folder or file of manifests, a dump or a snapshot: No such file or directory (os error 2)
        --- status 2
    "#]],
    );
}

#[test]
fn an_unknown_argument() {
    check(
        &["report", "-", "--nonsense"],
        "",
        &expect![[r#"
        --- stderr
        error: unexpected argument '--nonsense' found

          tip: to pass '--nonsense' as a value, use '-- --nonsense'

        Usage: beachhead report <INPUT>

        For more information, try '--help'.
        --- status 2
    "#]],
    );
}

#[test]
fn an_unknown_position_gets_a_suggestion() {
    check(
        &["paths", "-", "--from", "Pod/shop/webb", "--to", "ClusterAdmin"],
        POD,
        &expect![[r#"
            --- stderr
            error: no position is called Pod/shop/webb; did you mean Pod/shop/web or Pod/shop/*?; `beachhead graph --format json` lists all
            --- status 2
        "#]],
    );
}

#[test]
fn an_unknown_technique() {
    check(
        &["explain", "NO_SUCH_THING_AT_ALL"],
        "",
        &expect![[r#"
        --- stderr
        error: no technique is called NO_SUCH_THING_AT_ALL; `beachhead explain --list` lists all
        --- status 2
    "#]],
    );
}

#[test]
fn a_snapshot_is_an_input_and_files_appear_whole() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("shop.snapshot");
    let written = folder.path().join("report.txt");
    let (snapshot, written) = (snapshot.to_str().unwrap(), written.to_str().unwrap());
    check(
        &["snapshot", "-", "-o", snapshot],
        POD,
        &expect![[r#"
        --- stderr
        --- status 0
    "#]],
    );
    check(
        &["report", snapshot, "-o", written],
        "",
        &expect![[r#"
        --- stderr
        --- status 0
    "#]],
    );
    assert!(std::fs::read_to_string(written).unwrap().contains("1 Pod"));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no temporary file is left"
    );
}

#[test]
fn names_do_not_steer_the_terminal() {
    let pod = POD.replace(
        "name: web, namespace: shop",
        r#"name: "w\e[31mb", namespace: "s\u202Ehop""#,
    );
    for arguments in [
        &["report", "-"][..],
        &["graph", "-", "--format", "json"],
        &["graph", "-", "--format", "dot"],
    ] {
        let output = Command::cargo_bin("beachhead")
            .unwrap()
            .args(arguments)
            .write_stdin(pod.as_str())
            .output();
        let shown = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    }
}
