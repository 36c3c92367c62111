//! Who may do what on a real server: rights confirmed and denied, requests without a credential, client certificates.

use beachhead::collect::live::{self, Options};
use serde_json::Value;

use super::{Servers, assets, root};
use crate::live::run;

/// The standing of each right by its grant, and the exit status.
fn verified(servers: &Servers, file: &str) -> (i32, Vec<(String, String)>) {
    let kubeconfig = servers.kubeconfig("reader");
    let kubeconfig = kubeconfig.to_str().unwrap();
    let (code, out, err) = run(&["verify", file, "--kubeconfig", kubeconfig, "--format", "json"]);
    let answer: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    let rights = answer["rights"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let standings = rights.map(|right| (text(&right["grant"]), text(&right["standing"])));
    (code, standings.collect())
}

#[test]
fn rights_are_confirmed_until_their_binding_is_removed() {
    let Some(assets) = assets("rights_are_confirmed_until_their_binding_is_removed") else {
        return;
    };
    let servers = Servers::start(&assets);
    servers.bind_least_role();
    servers.apply(&root().join("examples/clusters/blog"), "default");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("before.bh");
    let file = file.to_str().unwrap();
    let kubeconfig = servers.kubeconfig("reader");
    let kubeconfig = kubeconfig.to_str().unwrap();
    assert_eq!(run(&["snapshot", "--kubeconfig", kubeconfig, "-o", file]).0, 0);
    let (code, _, err) = run(&["verify", file, "--kubeconfig", kubeconfig]);
    assert!(
        code == 2 && err.contains("--print-rbac"),
        "nobody may ask without the role: {err}"
    );
    assert!(servers.create(&live::reviewer_role(), "default"));
    servers.bind("beachhead-verify", "User", "reader");
    let (code, rights) = verified(&servers, file);
    assert_eq!(code, 0);
    assert!(rights.len() >= 3, "{rights:?}");
    assert!(
        rights.iter().all(|(_, standing)| standing == "confirmed"),
        "{rights:?}"
    );
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/blog/rolebindings";
    servers.ask("admin", "DELETE", bindings, "").unwrap();
    let (code, after) = verified(&servers, file);
    assert_eq!(code, 1);
    let denied: Vec<&str> = (after.iter().filter(|(_, standing)| standing == "denied"))
        .map(|(grant, _)| grant.as_str())
        .collect();
    assert_eq!(denied, ["Grant/get-secrets/blog"], "{after:?}");
    assert!(
        after.iter().any(|(_, standing)| standing == "confirmed"),
        "{after:?}"
    );
}

#[test]
fn a_real_server_says_what_it_takes_without_a_credential() {
    let Some(assets) = assets("a_real_server_says_what_it_takes_without_a_credential") else {
        return;
    };
    let probe = |servers: &Servers| {
        let options = Options {
            probe_anonymous: true,
            ..servers.options("admin")
        };
        let live = live::read(&options, &mut |_| {}).unwrap();
        live.cluster.coverage.anonymous.unwrap()
    };
    let servers = Servers::start(&assets);
    let probed = probe(&servers);
    let said = (probed.accepted, probed.may_do_everything);
    assert_eq!(said, (Some(true), false), "{probed:?}");
    assert!(
        probed.answers[0].answer.starts_with("answered: v1."),
        "{probed:?}"
    );
    assert!(
        probed.answers[1].answer.contains("system:anonymous"),
        "{probed:?}"
    );
    servers.bind("cluster-admin", "Group", "system:unauthenticated");
    let probed = probe(&servers);
    let said = (probed.accepted, probed.may_do_everything);
    assert_eq!(said, (Some(true), true), "{probed:?}");
    assert!(probed.answers[3].answer.contains("may *"), "{probed:?}");
    drop(servers);
    let servers = Servers::start_with(&assets, "kube-apiserver", &["--anonymous-auth=false"]);
    let probed = probe(&servers);
    let said = (probed.accepted, probed.may_do_everything);
    assert_eq!(said, (Some(false), false), "{probed:?}");
}

#[test]
fn a_real_server_knows_a_client_certificate_and_no_wrong_token() {
    let Some(assets) = assets("a_real_server_knows_a_client_certificate_and_no_wrong_token") else {
        return;
    };
    let servers = Servers::start(&assets);
    let keys = root().join("tests/apiserver");
    let members = format!(
        "client-certificate: '{0}/test-client.pem', client-key: '{0}/test-client-key.pem'",
        keys.display()
    );
    let options = Options {
        kubeconfig: Some(servers.kubeconfig_of("carol", &members)),
        ..servers.options("admin")
    };
    let live = live::read(&options, &mut |_| {}).unwrap();
    assert_eq!(live.cluster.coverage.refused, []);
    let options = Options {
        kubeconfig: Some(servers.kubeconfig_of("mallory", "token: canary-mallory")),
        ..servers.options("admin")
    };
    let error = live::read(&options, &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.contains("(401)") && error.contains("log in again"),
        "{error}"
    );
}
