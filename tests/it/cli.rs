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
            error: no position or workload is called Pod/shop/webb; did you mean Pod/shop/web or Pod/shop/*?; `beachhead graph --format json` lists all positions
            --- status 2
        "#]],
    );
}

#[test]
fn misspelt_names_of_the_input_get_a_suggestion() {
    let blog = "examples/clusters/blog";
    let says = |arguments: &[&str], expected: &str| {
        let (_, _, err) = run(arguments);
        assert!(err.contains(expected), "{arguments:?}: {err}");
    };
    let workload = "did you mean Deployment/blog/wordpress";
    says(
        &[
            "paths",
            blog,
            "--from",
            "Deployment/blog/wordpres",
            "--to",
            "ClusterAdmin",
        ],
        workload,
    );
    says(
        &[
            "graph",
            blog,
            "--from",
            "Deploymnet/blog/wordpress",
            "--format",
            "dot",
        ],
        workload,
    );
    says(
        &[
            "reach",
            blog,
            "--from",
            "Deployment/blog/wordpres",
            "--to",
            "Internet",
        ],
        workload,
    );
    says(
        &["reach", blog, "--from", "Internet", "--to", "Service/blog/mysq"],
        "did you mean Service/blog/mysql",
    );
    says(
        &["reach", blog, "--from", "Internet", "--to", "Namespace/blgo"],
        "did you mean Namespace/blog",
    );
    says(&["who-can", blog, "get", "secerts"], "did you mean secrets");
    says(
        &["who-can", blog, "get", "secrets", "-n", "newslettr"],
        "did you mean newsletter",
    );
    let account = ["--as", "ServiceAccount/blog/wordpres"];
    says(
        &["can-i", blog, account[0], account[1], "get", "pods", "-n", "blog"],
        "did you mean ServiceAccount/blog/wordpress",
    );
    let (_, _, err) = run(&["who-can", blog, "get", "secrets", "-n", "blog"]);
    assert_eq!(err, "");
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

/// Runs the command with nothing on standard input.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("beachhead").unwrap();
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Nothing could be analysed: status 2, nothing on standard output, one line that says all of this.
fn check_refused(arguments: &[&str], says: &[&str]) {
    let (status, out, err) = run(arguments);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    for part in says {
        assert!(err.contains(part), "{arguments:?}: no `{part}` in {err}");
    }
}

#[test]
fn an_input_that_gives_nothing_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("empty")).unwrap();
    std::fs::write(path("program.yaml"), b"\x7fELF\x02\x00\x00\x01").unwrap();
    std::fs::write(path("values.yaml"), "replicas: 3\n").unwrap();
    std::fs::write(path("zero.yaml"), "").unwrap();
    std::fs::write(path("deep.json"), "[".repeat(100_000)).unwrap();
    std::fs::write(path("newer.snapshot"), "beachhead snapshot 999\n").unwrap();
    let cases = [
        (
            "absent",
            &["cannot read", "give a folder or file of manifests"][..],
        ),
        ("empty", &["no manifests in", ".yaml, .yml or .json"]),
        (
            "program.yaml",
            &["no Kubernetes object in", "program.yaml", "binary"],
        ),
        (
            "values.yaml",
            &["no Kubernetes object in", "values.yaml:1", "`kind`"],
        ),
        (
            "zero.yaml",
            &["no Kubernetes object in", "give a folder or file of manifests"],
        ),
        ("deep.json", &["no Kubernetes object in", "deep.json"]),
        (
            "newer.snapshot",
            &["newer.snapshot", "999", "install the newer version"],
        ),
    ];
    for (name, says) in cases {
        let input = path(name);
        check_refused(&["report", &input], says);
        check_refused(&["paths", &input, "--to", "ClusterAdmin"], says);
        check_refused(&["graph", &input, "--format", "json"], says);
        check_refused(&["snapshot", &input, "-o", &path("out")], says);
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_damaged_snapshot_is_refused_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("shop.snapshot");
    let name = snapshot.to_str().unwrap();
    check(
        &["snapshot", "-", "-o", name],
        POD,
        &expect![[r#"
        --- stderr
        --- status 0
    "#]],
    );
    let whole = std::fs::read(&snapshot).unwrap();
    std::fs::write(&snapshot, &whole[..whole.len() - 20]).unwrap();
    check_refused(
        &["report", name],
        &["shop.snapshot", "cut off", "copy or take it again"],
    );
    let mut bomb = b"beachhead snapshot 1\n".to_vec();
    bomb.extend(zstd::encode_all(std::io::Read::take(std::io::repeat(b' '), 1 << 30), 1).unwrap());
    assert!(bomb.len() < 1 << 20);
    std::fs::write(&snapshot, bomb).unwrap();
    check_refused(&["report", name], &["shop.snapshot", "refused"]);
}

#[test]
fn what_can_be_read_is_analysed_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), POD).unwrap();
    std::fs::write(folder.path().join("b.yaml"), "kind: Pod\nmetadata: {name: [\n").unwrap();
    std::fs::write(folder.path().join("c.yaml"), b"\x7fELF\x00").unwrap();
    let (status, out, _) = run(&["report", folder.path().to_str().unwrap()]);
    assert_eq!(status, Some(0), "{out}");
    assert!(
        out.contains("1 object: 1 Pod") && out.contains("2 warnings"),
        "{out}"
    );
    assert!(out.contains("b.yaml:2") && out.contains("c.yaml"), "{out}");
}

/// The shell limits the size of files, so the system ends the command in the middle of its writing.
#[cfg(unix)]
#[test]
fn an_interrupted_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("pods.yaml"), folder.path().join("result"));
    let pods: Vec<_> = (0..200)
        .map(|number| POD.replace("name: web,", &format!("name: web-{number},")))
        .collect();
    std::fs::write(&input, pods.join("---\n")).unwrap();
    for arguments in [
        &["snapshot"][..],
        &["graph", "--format", "json"],
        &["report", "--format", "json"],
    ] {
        std::fs::write(&output, "before").unwrap();
        let status = std::process::Command::new("sh")
            .args(["-c", "ulimit -f 1 && exec \"$0\" \"$@\""])
            .arg(assert_cmd::cargo::cargo_bin("beachhead"))
            .args(arguments)
            .args([&input, std::path::Path::new("-o"), &output])
            .status()
            .unwrap();
        assert!(!status.success(), "{arguments:?}: the limit was not reached");
        assert_eq!(std::fs::read_to_string(&output).unwrap(), "before");
    }
}

/// The names in a folder.
#[cfg(unix)]
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Starts a snapshot of many pods and signals it while its file is being written; says how it ended.
#[cfg(unix)]
fn signalled_while_writing(
    folder: &std::path::Path,
    signals: &[&str],
    prefix: &str,
) -> std::process::ExitStatus {
    use std::time::{Duration, Instant};

    let (input, output) = (folder.join("pods.json"), folder.join("result"));
    let pods: Vec<_> = (0..30_000)
        .map(|number| {
            format!(
                r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"namespace":"shop","name":"web-{number}"}},
                "spec":{{"nodeName":"n1","containers":[{{"name":"web","image":"web:{number}"}}]}}}}"#
            )
        })
        .collect();
    let list = format!(
        r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#,
        pods.join(",")
    );
    std::fs::write(&input, list).unwrap();
    std::fs::write(&output, "before").unwrap();
    let mut child = std::process::Command::new("sh")
        .args(["-c", &format!("{prefix} exec \"$0\" \"$@\"")])
        .arg(assert_cmd::cargo::cargo_bin("beachhead"))
        .arg("snapshot")
        .args([&input, std::path::Path::new("-o"), &output])
        .spawn()
        .unwrap();
    let began = Instant::now();
    while names(folder).len() == 2 {
        assert!(began.elapsed() < Duration::from_mins(2) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_micros(200));
    }
    for signal in signals {
        let killed = std::process::Command::new("sh")
            .args(["-c", "kill -$0 $1", signal, &child.id().to_string()])
            .status();
        assert!(killed.unwrap().success());
    }
    child.wait().unwrap()
}

#[cfg(unix)]
#[test]
fn a_signal_while_a_file_is_written_leaves_what_was_there() {
    use std::os::unix::process::ExitStatusExt as _;

    for (signal, ends) in [("INT", None), ("TERM", Some(15)), ("HUP", Some(1))] {
        let folder = tempfile::tempdir().unwrap();
        let status = signalled_while_writing(folder.path(), &[signal], "");
        assert_eq!(status.signal(), ends, "{signal}");
        assert_eq!(status.code(), ends.is_none().then_some(130), "{signal}");
        assert_eq!(names(folder.path()), ["pods.json", "result"], "{signal}");
        let left = std::fs::read_to_string(folder.path().join("result")).unwrap();
        assert_eq!(left, "before", "{signal}");
    }
}

/// As under `nohup`.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_terminal_ends_nothing_that_is_to_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let status = signalled_while_writing(folder.path(), &["HUP"], "trap '' HUP;");
    assert_eq!(status.code(), Some(0));
    assert_eq!(names(folder.path()), ["pods.json", "result"]);
    assert_ne!(std::fs::read(folder.path().join("result")).unwrap(), b"before");
}

#[test]
fn verbose_says_what_takes_time_and_nothing_else_does() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/clusters/blog");
    let (status, quiet, err) = run(&["report", example, "--format", "json"]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    let (_, out, err) = run(&["report", example, "--format", "json", "-v"]);
    assert_eq!(out, quiet);
    for stage in [
        "reading the input",
        "building the attack graph",
        "writing the report",
    ] {
        assert!(
            err.lines().any(|line| line.ends_with(stage)),
            "no {stage} in {err}"
        );
    }
}

#[test]
fn settings_that_are_too_long_are_refused_and_not_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let arguments = [
        "report",
        "examples/clusters/blog",
        "--config",
        file.to_str().unwrap(),
    ];
    let comment = "#".repeat(1 << 20);
    std::fs::write(&file, &comment).unwrap();
    assert_eq!(run(&arguments).0, Some(0));
    std::fs::write(&file, format!("{comment}\n[jewels]\nexclude = [\"cache\"]\n")).unwrap();
    check_refused(&arguments, &["settings.toml is longer than 1 MiB"]);
}
