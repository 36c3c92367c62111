//! Findings: what makes one, ids that last, what takes them away, and what makes a run fail.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/clusters/blog");

/// Two replicas behind one Service, as a dump shows them: no ReplicaSet, names made anew on each rollout. The pods
/// mount the node's root, and an account that nobody exposes is cluster-admin.
fn rollout(hash: &str, extra: &str) -> String {
    let pod = |suffix: &str| {
        format!(
            r#"---
apiVersion: v1
kind: Pod
metadata:
  name: web-{hash}-{suffix}
  namespace: shop
  labels: {{app: web, pod-template-hash: "{hash}"}}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-{hash}, controller: true}}]
spec:
  serviceAccountName: boss
  containers: [{{name: web, image: example.com/web, ports: [{{containerPort: 80}}]}}]
"#
        )
    };
    format!(
        "{}{}---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: boss, namespace: shop}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: boss}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects: [{{kind: ServiceAccount, name: boss, namespace: shop}}]
{extra}",
        pod("a1"),
        pod("b2")
    )
}

struct Run {
    out: String,
    err: String,
    status: i32,
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    Run {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

fn report(manifests: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.yaml"), manifests).unwrap();
    let run = run(folder.path(), &["report", "in.yaml", "--format", "json"]);
    assert_eq!(run.status, 0, "{}", run.err);
    crate::report::check_schema(include_str!("../../docs/report.schema.json"), &run.out);
    serde_json::from_str(&run.out).unwrap()
}

fn summary(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|one| {
            format!(
                "{} {} {} x{} by {} -> {}",
                text(&one["severity"]),
                text(&one["id"]),
                text(&one["entry"]),
                one["entryPods"],
                text(&one["wayIn"]),
                text(&one["jewel"])
            )
        })
        .collect()
}

#[test]
fn replicas_are_one_finding_and_its_id_lasts() {
    let before = summary(&report(&rollout("6d4cf56db6", "")));
    assert!(
        before
            .iter()
            .any(|one| one.contains("Deployment/shop/web x2 by EXPLOIT_PUBLIC_APP -> ClusterAdmin")),
        "{before:#?}"
    );
    let other = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: aside, namespace: other}\n";
    let after = summary(&report(&rollout("7c9fbb5d44", other)));
    assert_eq!(before, after);
}

#[test]
fn every_jewel_with_a_path_has_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["report", EXAMPLE, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    for path in report["paths"].as_array().unwrap() {
        let of: Vec<&Value> = findings
            .iter()
            .filter(|finding| finding["reached"].as_array().unwrap().contains(&path["to"]))
            .collect();
        assert!(!of.is_empty(), "{}", path["to"]);
        let least = of
            .iter()
            .map(|finding| finding["path"]["effort"].as_u64())
            .min()
            .unwrap();
        assert_eq!(least, path["effort"].as_u64(), "{}", path["to"]);
    }
}

#[test]
fn a_choke_point_takes_its_findings_away() {
    let whole = report(&rollout("6d4cf56db6", ""));
    let cut = whole["chokePoints"]
        .as_array()
        .unwrap()
        .iter()
        .find(|point| point["technique"] == "TOKEN_MOUNT")
        .unwrap();
    assert_eq!(cut["from"], serde_json::json!(["Deployment/shop/web"]));
    assert_eq!(cut["steps"], 2, "both replicas");
    let removed = cut["removes"].as_array().unwrap();
    let tokenless = rollout("6d4cf56db6", "").replace(
        "serviceAccountName: boss",
        "serviceAccountName: boss\n  automountServiceAccountToken: false",
    );
    let left = report(&tokenless);
    for finding in left["findings"].as_array().unwrap() {
        assert!(!removed.contains(&finding["id"]), "{}", finding["id"]);
    }
}

#[test]
fn a_baseline_and_an_ignore_file_let_a_gate_pass() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, input) = (folder.path(), EXAMPLE);
    let status = |arguments: &[&str]| {
        let run = run(
            folder,
            &[&["report", input, "--today", "2027-01-01"], arguments].concat(),
        );
        assert!(run.status < 2, "{}", run.err);
        (run.status, run.err)
    };
    assert_eq!(status(&[]).0, 0);
    for severity in ["critical", "high", "medium", "low", "path"] {
        assert_eq!(status(&["--fail-on", severity]).0, 1, "{severity}");
    }
    assert_eq!(status(&["--format", "json", "-o", "base.json"]).0, 0);
    assert_eq!(status(&["--fail-on", "low", "--baseline", "base.json"]).0, 0);

    let base: Value = serde_json::from_str(&fs::read_to_string(folder.join("base.json")).unwrap()).unwrap();
    let entry = |finding: &Value| {
        let id = finding["id"].as_str().unwrap();
        format!("- {{id: {id}, owner: team-blog, reason: to be rebuilt, expires: 2027-01-01}}\n")
    };
    let entries: String = base["findings"].as_array().unwrap().iter().map(entry).collect();
    fs::write(folder.join(".beachhead-ignore"), entries).unwrap();
    assert_eq!(status(&["--fail-on", "low"]).0, 0);
    let late = run(
        folder,
        &["report", input, "--today", "2027-01-02", "--fail-on", "low"],
    );
    assert_eq!(late.status, 1);
    assert!(
        late.err
            .contains("was ignored by team-blog until 2027-01-01; it is open again"),
        "{}",
        late.err
    );

    let unknown = "- {id: bh-0, owner: me, reason: because, expires: 2099-01-01}\n";
    fs::write(folder.join("other"), unknown).unwrap();
    let (code, err) = status(&["--fail-on", "low", "--ignore-file", "other"]);
    assert_eq!(code, 1);
    assert!(err.contains("bh-0 is ignored by me but not found"), "{err}");
}

#[test]
fn a_gate_that_cannot_see_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(
        folder.join("wrong"),
        "- {id: bh-0, owner: me, expires: 2099-01-01}\n",
    )
    .unwrap();
    fs::write(
        folder.join("other.json"),
        r#"{"schema": "beachhead.graph/1", "findings": []}"#,
    )
    .unwrap();
    for (arguments, expected) in [
        (["--baseline", "missing.json"], "cannot read missing.json"),
        (["--baseline", "wrong"], "wrong is no baseline"),
        (["--baseline", "other.json"], "its schema is beachhead.graph/1"),
        (["--ignore-file", "missing"], "cannot read missing"),
        (["--ignore-file", "wrong"], "cannot use wrong"),
    ] {
        let run = run(folder, &[&["report", EXAMPLE], &arguments[..]].concat());
        assert_eq!(run.status, 2, "{arguments:?}");
        assert!(run.err.contains(expected), "{}", run.err);
    }
}

/// Two pods of development: one whose account may read the Secrets of production, one without an account's token. The
/// production side has a pod and a Secret.
fn environments(labels: &str, verbs: &str) -> String {
    format!(
        r#"
apiVersion: v1
kind: Namespace
metadata: {{name: shop-live, labels: {{{labels}}}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: shop-dev}}
---
apiVersion: v1
kind: Pod
metadata: {{name: builder, namespace: shop-dev}}
spec:
  serviceAccountName: builder
  containers: [{{name: builder, image: example.com/builder}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: idle, namespace: shop-dev}}
spec:
  automountServiceAccountToken: false
  containers: [{{name: idle, image: example.com/idle}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop-live}}
spec:
  automountServiceAccountToken: false
  containers: [{{name: web, image: example.com/web}}]
---
apiVersion: v1
kind: Secret
metadata: {{name: payment, namespace: shop-live}}
data: {{key: c2VjcmV0}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: builder, namespace: shop-dev}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader, namespace: shop-live}}
rules: [{{apiGroups: [""], resources: [secrets], verbs: [{verbs}]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader, namespace: shop-live}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects: [{{kind: ServiceAccount, name: builder, namespace: shop-dev}}]
"#
    )
}

#[test]
fn what_development_takes_of_production_is_a_finding() {
    let crossings = |manifests: &str| -> Vec<String> {
        let report = report(manifests);
        let findings = report["findings"].as_array().unwrap();
        let across = findings
            .iter()
            .filter(|finding| finding["entry"].as_str().unwrap().starts_with("Environment/"));
        across
            .map(|finding| {
                let last = finding["path"]["steps"].as_array().unwrap().last().unwrap();
                assert_eq!(last["technique"], finding["wayIn"]);
                assert_eq!(
                    finding["path"]["certainty"], "assumed",
                    "nobody is known to be there"
                );
                format!(
                    "{} x{} by {} -> {}: {}",
                    finding["entry"].as_str().unwrap(),
                    finding["entryPods"],
                    finding["wayIn"].as_str().unwrap(),
                    finding["jewel"].as_str().unwrap(),
                    finding["reached"]
                )
            })
            .collect()
    };
    let expected =
        [r#"Environment/development x2 by SECRET_READ -> Environment/production: ["Secret/shop-live/*"]"#];
    assert_eq!(crossings(&environments("", "list")), expected);
    assert_eq!(crossings(&environments("", "create")), [""; 0], "may not read");
    assert_eq!(
        crossings(&environments("environment: dev", "list")),
        [""; 0],
        "the label makes both development"
    );
}

#[test]
fn environments_are_named_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    // Neither names nor labels say anything here.
    let manifests = environments("", "list")
        .replace("shop-dev", "one")
        .replace("shop-live", "two");
    fs::write(folder.path().join("in.yaml"), manifests).unwrap();
    let crossings = |settings: &str| {
        fs::write(folder.path().join("beachhead.toml"), settings).unwrap();
        let run = run(folder.path(), &["report", "in.yaml", "--format", "json"]);
        let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}", run.err));
        let findings = report["findings"].as_array().unwrap().iter();
        let entries = findings.map(|one| one["entry"].as_str().unwrap());
        entries.filter(|entry| entry.starts_with("Environment/")).count()
    };
    assert_eq!(crossings(""), 0);
    assert!(crossings("[environments]\ndevelopment = [\"Namespace/on*\"]\nproduction = [\"two\"]\n") > 0);
    fs::write(
        folder.path().join("beachhead.toml"),
        "[environments]\nprod = []\n",
    )
    .unwrap();
    let wrong = run(folder.path(), &["report", "in.yaml"]);
    assert_eq!(wrong.status, 2);
    assert!(
        wrong.err.contains("beachhead.toml:2:1: unknown field `prod`"),
        "{}",
        wrong.err
    );
}

#[test]
fn no_default_of_kubernetes_is_named_as_a_place_to_cut() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["report", EXAMPLE, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let on_path = report["findings"].to_string();
    assert!(on_path.contains("system:controller:clusterrole-aggregation-controller"));
    let cuts = report["chokePoints"].as_array().unwrap();
    assert!(
        cuts.iter().any(|cut| cut["technique"] == "HOLDS"),
        "the binding of deploy-bot"
    );
    for cut in cuts {
        let from = cut["from"].to_string();
        assert!(
            !from.contains("ServiceAccount/kube-system") && !from.contains("Grant/escalate"),
            "{cut}"
        );
    }
}

#[test]
fn ways_are_counted_and_the_count_says_when_it_ends() {
    let few = report(&rollout("6d4cf56db6", ""));
    let of = |report: &Value| report["findings"][0]["ways"].clone();
    let count = of(&few)["count"].as_u64().unwrap();
    assert!((1..=50).contains(&count));
    assert!(of(&few)["complete"].is_boolean());
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), &["report", EXAMPLE, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let many = findings
        .iter()
        .find(|finding| finding["ways"]["complete"] == false)
        .unwrap();
    assert!((2..=50).contains(&many["ways"]["count"].as_u64().unwrap()));
}
