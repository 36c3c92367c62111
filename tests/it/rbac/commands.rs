//! `can-i` and `who-can` end to end.

use assert_cmd::Command;
use expect_test::{Expect, expect};

use crate::report::check_schema;

const SHOP: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {serviceAccountName: web, containers: [{name: web, image: example.com/web}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: debug, namespace: shop}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [""], resources: ["pods/exec"], verbs: [create]}
- {apiGroups: [""], resources: [secrets], resourceNames: [tls], verbs: [get, list, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: debug, namespace: shop}
subjects: [{kind: ServiceAccount, name: web}, {kind: Group, name: "system:serviceaccounts:shop"}]
roleRef: {kind: Role, name: debug, apiGroup: rbac.authorization.k8s.io}
"#;

fn run(arguments: &[&str], stdin: &str) -> (String, i32) {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args(arguments)
        .write_stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        format!("{}{}", text(&output.stdout), text(&output.stderr)),
        output.status.code().unwrap(),
    )
}

fn check(arguments: &[&str], expected: &Expect) {
    let (text, status) = run(arguments, SHOP);
    expected.assert_eq(&format!("{text}--- status {status}\n"));
}

#[test]
fn yes_with_every_reason() {
    check(
        &[
            "can-i",
            "-",
            "--as",
            "system:serviceaccount:shop:web",
            "create",
            "pods/exec",
            "-n",
            "shop",
            "--reasons",
        ],
        &expect![[r#"
            yes
              RoleBinding/shop/debug gives rule 1 of Role/shop/debug
              RoleBinding/shop/debug gives rule 1 of Role/shop/debug, through Group/system:serviceaccounts:shop
            --- status 0
        "#]],
    );
}

#[test]
fn no_is_status_one() {
    check(
        &[
            "can-i",
            "-",
            "--as",
            "ServiceAccount/shop/web",
            "create",
            "po",
            "-n",
            "shop",
            "--reasons",
        ],
        &expect![[r#"
            no
              no rule lets ServiceAccount/shop/web create pods in namespace shop
            --- status 1
        "#]],
    );
}

#[test]
fn a_slip_of_the_pen_is_warned_about() {
    check(
        &["can-i", "-", "--as", "ServiceAccount/shop/wbe", "get", "poods"],
        &expect![[r#"
            no
            warning: neither Kubernetes nor the input has a resource called poods; it is taken as written; did you mean pods?
            warning: the input has no ServiceAccount/shop/wbe and no binding names it; did you mean ServiceAccount/shop/web?
            --- status 1
        "#]],
    );
}

#[test]
fn an_answer_as_json() {
    check(
        &[
            "can-i",
            "-",
            "--as",
            "ServiceAccount/shop/web",
            "get",
            "secret",
            "tls",
            "-n",
            "shop",
            "--format",
            "json",
        ],
        &expect![[r#"
            {
              "schema": "beachhead.can-i/1",
              "subject": "ServiceAccount/shop/web",
              "question": "get secrets tls in namespace shop",
              "allowed": true,
              "reasons": [
                {
                  "subject": "ServiceAccount/shop/web",
                  "authorizer": "RBAC",
                  "binding": "RoleBinding/shop/debug",
                  "role": "Role/shop/debug",
                  "rule": 2,
                  "text": "RoleBinding/shop/debug gives rule 2 of Role/shop/debug"
                },
                {
                  "subject": "Group/system:serviceaccounts:shop",
                  "authorizer": "RBAC",
                  "binding": "RoleBinding/shop/debug",
                  "role": "Role/shop/debug",
                  "rule": 2,
                  "text": "RoleBinding/shop/debug gives rule 2 of Role/shop/debug"
                }
              ]
            }
            --- status 0
        "#]],
    );
}

#[test]
fn answers_are_as_their_schemas_say() {
    let pod = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop}\nspec: {nodeName: n1, containers: [], volumes: [{name: t, secret: {secretName: tls}}]}\n";
    let input = format!("{SHOP}{pod}");
    let question = ["get", "secrets", "tls", "-n", "shop", "--format", "json"];
    let asked = |words: &[&str]| {
        let (text, _) = run(&[words, &question].concat(), &input);
        text
    };
    let can_i = include_str!("../../../docs/can-i.schema.json");
    let callers = [
        "ServiceAccount/shop/web",
        "system:node:n1",
        "Group/system:masters",
        "eve",
    ];
    for caller in callers {
        let text = asked(&["can-i", "-", "--as", caller]);
        check_schema(can_i, &text);
        assert_eq!(text.contains("\"allowed\": true"), caller != "eve", "{text}");
    }
    let text = asked(&["who-can", "-"]);
    check_schema(include_str!("../../../docs/who-can.schema.json"), &text);
    for authorizer in ["RBAC", "Node", "system:masters"] {
        assert!(
            text.contains(&format!("\"authorizer\": \"{authorizer}\"")),
            "{text}"
        );
    }
}

#[test]
fn a_group_and_a_path() {
    check(
        &[
            "can-i",
            "-",
            "--as",
            "eve",
            "--as-group",
            "system:masters",
            "get",
            "/metrics",
        ],
        &expect![[r#"
            yes
            --- status 0
        "#]],
    );
    check(
        &["can-i", "-", "--as", "eve", "get", "/metrics"],
        &expect![[r#"
        no
        --- status 1
    "#]],
    );
}

#[test]
fn a_missing_verb_is_a_failure() {
    check(
        &["can-i", "-", "--as", "eve"],
        &expect![[r#"
        error: VERB and RESOURCE are missing: what is to be done to what?
        --- status 2
    "#]],
    );
}

#[test]
fn a_batch_answers_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let (input, questions) = (
        folder.path().join("shop.yaml"),
        folder.path().join("questions.tsv"),
    );
    std::fs::write(&input, SHOP).unwrap();
    let header = "user\tgroups\tverb\tgroup\tresource\tsubresource\tnamespace\tname\n";
    let rows = "system:serviceaccount:shop:web\t\tcreate\t\tpods\texec\tshop\t\n\
                system:serviceaccount:shop:web\t\tcreate\t\tpods\texec\t\t\n\
                eve\tsystem:serviceaccounts:shop,x\tlist\t\tsecrets\t\tshop\ttls\n\
                eve\t\tget\t\tnonResourceURL\t\t\t/version\n";
    std::fs::write(&questions, format!("{header}{rows}")).unwrap();
    let input = input.to_str().unwrap();
    let (text, status) = run(&["can-i", input, "--batch", questions.to_str().unwrap()], "");
    assert_eq!((text.as_str(), status), ("yes\nno\nyes\nyes\n", 0));
    let (text, status) = run(&["can-i", input, "--batch", "-"], "user\tverb\n");
    assert_eq!(status, 2);
    assert!(text.contains("no column groups"), "{text}");
    let (text, status) = run(&["can-i", input, "--batch", "-"], &format!("{header}a\tb\n"));
    assert_eq!(status, 2);
    assert!(text.contains("line 2 of the questions has 2 columns"), "{text}");
}

#[test]
fn everyone_who_can_exec() {
    check(
        &["who-can", "-", "create", "pods/exec"],
        &expect![[r#"
        3 subjects can create pods/exec

        ServiceAccount/shop/web
          where     in namespace shop
          why       RoleBinding/shop/debug gives rule 1 of Role/shop/debug
          runs      1 pod: Deployment/shop/web

        Group/system:masters
          members   client certificates with this organization
          where     in the whole cluster
          why       ClusterRoleBinding/cluster-admin gives rule 0 of ClusterRole/cluster-admin
          why       members of Group/system:masters bypass authorization

        Group/system:serviceaccounts:shop
          members   every service account of namespace shop
          where     in namespace shop
          why       RoleBinding/shop/debug gives rule 1 of Role/shop/debug
          runs      1 pod: Deployment/shop/web
        --- status 0
    "#]],
    );
}

#[test]
fn rights_to_some_names_are_told_apart() {
    let arguments = [
        "who-can", "-", "patch", "secrets", "-n", "shop", "--format", "json",
    ];
    let (text, status) = run(&arguments, SHOP);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["schema"], status), (&"beachhead.who-can/1".into(), 0));
    let mut shown = String::new();
    for subject in answer["subjects"].as_array().unwrap() {
        for scope in subject["scopes"].as_array().unwrap() {
            let reasons = scope["reasons"].as_array().unwrap().iter();
            let reasons: Vec<_> = reasons.map(|reason| reason["text"].clone()).collect();
            let line = [
                &subject["subject"],
                &scope["scope"],
                &scope["namespace"],
                &scope["name"],
                &reasons.into(),
                &subject["workloads"],
            ];
            shown.push_str(&line.map(ToString::to_string).join(" "));
            shown.push('\n');
        }
    }
    expect![[r#"
        "ServiceAccount/kube-system/generic-garbage-collector" "in the whole cluster" null null ["ClusterRoleBinding/system:controller:generic-garbage-collector gives rule 0 of ClusterRole/system:controller:generic-garbage-collector"] []
        "ServiceAccount/kube-system/legacy-service-account-token-cleaner" "in the whole cluster" null null ["ClusterRoleBinding/system:controller:legacy-service-account-token-cleaner gives rule 1 of ClusterRole/system:controller:legacy-service-account-token-cleaner"] []
        "ServiceAccount/shop/web" "only tls in namespace shop" "shop" "tls" ["RoleBinding/shop/debug gives rule 2 of Role/shop/debug"] ["Deployment/shop/web"]
        "Group/system:masters" "in the whole cluster" null null ["ClusterRoleBinding/cluster-admin gives rule 0 of ClusterRole/cluster-admin","members of Group/system:masters bypass authorization"] []
        "Group/system:serviceaccounts:shop" "only tls in namespace shop" "shop" "tls" ["RoleBinding/shop/debug gives rule 2 of Role/shop/debug"] ["Deployment/shop/web"]
    "#]].assert_eq(&shown);
}

#[test]
fn kubelets_are_among_those_who_can() {
    let pod = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop}\nspec: {nodeName: n1, containers: [], volumes: [{name: t, secret: {secretName: tls}}]}\n";
    let (text, status) = run(
        &["who-can", "-", "get", "secrets", "tls", "-n", "shop"],
        &format!("{SHOP}{pod}"),
    );
    assert_eq!(status, 0);
    let kubelet = "User/system:node:n1\n  where     only tls in namespace shop\n  why       the Node authorizer: Pod/shop/db runs on the node\n";
    assert!(text.contains(kubelet), "{text}");
}
