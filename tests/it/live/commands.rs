//! Every command that takes INPUT takes a live cluster in the same way.

use super::fake::{Contents, Fake, Fault, status};
use super::run;

/// Runs a command on a live cluster and on a snapshot of it; status and output must be the same.
fn same(fake: &Fake, command: &[&str], more: &[&str], input: Option<&str>) {
    let kubeconfig = fake.kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.bh");
    let (kubeconfig, file) = (kubeconfig.to_str().unwrap(), file.to_str().unwrap());
    assert_eq!(run(&["snapshot", "--kubeconfig", kubeconfig, "-o", file]).0, 0);
    let arguments = |input: &[&'static str]| -> Vec<String> {
        let words = command.iter().chain(input).chain(more);
        words.map(|word| (*word).to_owned()).collect()
    };
    let of_file: Vec<String> = [
        &command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..],
        &[file.to_owned()],
    ]
    .concat()
    .into_iter()
    .chain(more.iter().map(|word| (*word).to_owned()))
    .collect();
    let texts: Vec<&str> = of_file.iter().map(String::as_str).collect();
    let (code, expected, err) = run(&texts);
    assert!(code < 2 && !expected.is_empty(), "{command:?}: {err}");
    let inputs: &[&[&'static str]] = match input {
        None => &[&[], &["@"], &["@test"]],
        Some(_) => &[&["@"], &["@test"]],
    };
    for input in inputs {
        let mut of_cluster = arguments(input);
        of_cluster.extend(["--kubeconfig".to_owned(), kubeconfig.to_owned()]);
        let texts: Vec<&str> = of_cluster.iter().map(String::as_str).collect();
        let (found, out, err) = run(&texts);
        assert_eq!(
            (found, out.as_str()),
            (code, expected.as_str()),
            "{of_cluster:?}: {err}"
        );
        assert!(err.contains("objects in"), "{of_cluster:?}: {err}");
    }
}

#[test]
fn all_commands_read_live_clusters() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let pods = "MATCH (p:Pod) RETURN count(p)";
    same(&fake, &["query"], &["-c", pods], None);
    same(&fake, &["graph"], &["--format", "json"], None);
    same(
        &fake,
        &["paths"],
        &["--from", "Pod/shop/web-1", "--to", "ClusterAdmin"],
        None,
    );
    same(&fake, &["reach"], &["--all"], None);
    same(
        &fake,
        &["can-i"],
        &["list", "secrets", "--as", "system:admin", "-n", "shop"],
        Some("named"),
    );
    same(&fake, &["who-can"], &["list", "secrets"], Some("named"));
}

#[test]
fn the_prompt_opens_live_clusters() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let kubeconfig = fake.kubeconfig();
    let mut command = assert_cmd::Command::cargo_bin("beachhead").unwrap();
    let command = command.args(["repl", "--kubeconfig"]).arg(&kubeconfig);
    let output = command
        .write_stdin("MATCH (p:Pod) RETURN count(p) AS pods;\n:open @other\n:quit\n")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success() && out.contains("pods"), "{out}{err}");
    let tokens: std::collections::BTreeSet<String> = fake
        .asked()
        .iter()
        .map(|asked| asked.headers["authorization"].clone())
        .collect();
    assert_eq!(
        tokens.into_iter().collect::<Vec<_>>(),
        ["Bearer canary-token", "Bearer other-token"]
    );
}

#[test]
fn flags_of_a_cluster_are_refused_for_a_file() {
    let flags = [
        &["--context", "prod"][..],
        &["--kubeconfig", "x"],
        &["--as", "alice"],
        &["--request-timeout", "5s"],
        &["--max-qps", "5"],
        &["--require-complete"],
        &["-n", "shop"],
        &["-l", "app=web"],
        &["--secret-keys"],
        &["--probe-anonymous"],
    ];
    for flags in flags {
        for command in [
            &["report"][..],
            &["query", "-c", "RETURN 1"],
            &["graph", "--format", "json"],
        ] {
            let arguments = [command, &["examples/clusters/blog"], flags].concat();
            let (code, out, err) = run(&arguments);
            assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
            assert!(
                err.contains("is about a live cluster and cannot be used with examples"),
                "{arguments:?}: {err}"
            );
        }
    }
    let (code, _, err) = run(&["report", "@prod", "--context", "test"]);
    assert!(code == 2 && err.contains("leave one of them out"), "{err}");
}

#[test]
fn a_part_of_a_cluster_for_any_command() {
    let refused = status(403, "secrets is forbidden: no");
    let fake = Fake::start(Contents::default(), move |asked, _| {
        asked
            .path
            .ends_with("/secrets")
            .then(|| Fault::Status(403, "X: y", refused.clone()))
    });
    let kubeconfig = fake.kubeconfig();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let query = [
        "query",
        "-c",
        "MATCH (p:Pod) RETURN count(p)",
        "--kubeconfig",
        kubeconfig,
    ];
    let (code, _, err) = run(&[&query[..], &["-n", "shop", "-l", "app=web"]].concat());
    assert_eq!(code, 0, "{err}");
    let asked = fake.asked_of("/api/v1/namespaces/shop/pods");
    assert_eq!(asked, ["limit=500&labelSelector=app%3Dweb"]);
    let (code, _, err) = run(&[&query[..], &["--require-complete"]].concat());
    assert!(code == 2 && err.contains("--require-complete was given"), "{err}");
}

#[test]
fn passwords_of_live_secrets_are_compared_only_where_they_are_read() {
    let mut contents = Contents::default();
    let secret = |name: &str, value: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop"}},"type":"Opaque","data":{{"password":"{value}"}}}}"#
        )
    };
    let secrets = vec![
        secret("a", "Y2FuYXJ5"),
        secret("b", "Y2FuYXJ5"),
        secret("c", "b3RoZXI="),
    ];
    contents.lists.insert("/api/v1/secrets", ("Secret", secrets));
    let fake = Fake::start(contents, |_, _| None);
    let kubeconfig = fake.kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("live.bh");
    let (kubeconfig, file) = (kubeconfig.to_str().unwrap(), file.to_str().unwrap());
    let snapshot = [
        "snapshot",
        "--kubeconfig",
        kubeconfig,
        "-o",
        file,
        "--match-credentials",
    ];
    let (code, _, err) = run(&snapshot);
    assert!(code == 2 && err.contains("give --secret-keys too"), "{err}");
    assert_eq!(run(&[&snapshot[..], &["--secret-keys"]].concat()).0, 0);
    let bytes = std::fs::read(file).unwrap();
    let (cluster, _) = beachhead::collect::snapshot::read(bytes.as_slice()).unwrap();
    let alike: Vec<usize> = cluster
        .secrets
        .values()
        .map(|secret| secret.alike.len())
        .collect();
    assert_eq!(alike, [1, 1, 0]);
    assert!(!format!("{cluster:?}").contains("Y2FuYXJ5"));
}
