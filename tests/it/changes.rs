//! What to change: every change that a report vouches for is made to the manifests as `kubectl` would make it, and the
//! report of these has the findings no longer.
//!
//! **Trap.** The patch is applied here by the rules of strategic merge patches, not by the code that wrote it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use beachhead::collect::read_text;
use beachhead::datastores::Settings;
use beachhead::graph::AttackGraph;
use beachhead::report::{self, SOLVED_EDGES, Solving};
use beachhead::techniques::{self, Facts, Position};
use serde_json::{Value, json};

fn reported(input: &Path) -> Value {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .current_dir(input.parent().unwrap())
        .args(["report", input.to_str().unwrap(), "--format", "json"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    crate::report::check_schema(&report::report_schema().to_string(), &text);
    serde_json::from_str(&text).unwrap()
}

fn read(yaml: &str) -> Vec<Value> {
    let documents = yaml
        .split("\n---")
        .map(|text| serde_saphyr::from_str::<Value>(text).unwrap());
    documents.filter(Value::is_object).collect()
}

/// The member by which a list is merged; other lists are replaced.
fn key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "volumes" | "env" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// A strategic merge patch.
/// Source: <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md>
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let into = into.as_object_mut().unwrap();
    for (name, value) in patch {
        match (value, key(name)) {
            (Value::Null, _) => {
                into.remove(name);
            }
            (Value::Array(elements), Some(key)) => {
                let list = into
                    .entry(name.clone())
                    .or_insert_with(|| json!([]))
                    .as_array_mut()
                    .unwrap();
                for element in elements {
                    let at = list.iter().position(|one| one[key] == element[key]);
                    let at = at.unwrap_or_else(|| panic!("{name} has no {}", element[key]));
                    if element["$patch"] == "delete" {
                        list.remove(at);
                    } else {
                        merge(&mut list[at], element);
                    }
                }
            }
            (other, _) => merge(into.entry(name.clone()).or_insert(Value::Null), other),
        }
    }
}

fn identity(object: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let meta = &object["metadata"];
    (
        text(&object["kind"]),
        text(&meta["namespace"]),
        text(&meta["name"]),
    )
}

/// Makes one patch of a change to the objects.
fn make(objects: &mut Vec<Value>, patch: &Value) {
    let command = patch["command"].as_str().unwrap();
    let body: Value = serde_saphyr::from_str(patch["yaml"].as_str().unwrap()).unwrap();
    let wanted = identity(&body);
    let at = objects.iter().position(|object| identity(object) == wanted);
    if command.starts_with("kubectl apply") {
        assert!(at.is_none(), "a new object has a new name");
        objects.push(body);
        return;
    }
    let at = at.unwrap_or_else(|| panic!("{wanted:?} is in the input"));
    assert_eq!(objects[at]["apiVersion"], body["apiVersion"], "{wanted:?}");
    if command.starts_with("kubectl delete") {
        objects.remove(at);
    } else {
        merge(&mut objects[at], &body);
    }
    if body["kind"] == "Deployment" {
        // The controller makes its pods anew.
        let own = |object: &Value| object["kind"] == "Pod" && identity(object).2.starts_with(&wanted.2);
        for pod in objects.iter_mut().filter(|object| own(object)) {
            merge(&mut pod["spec"], &body["spec"]["template"]["spec"]);
        }
    }
}

fn ids(report: &Value) -> BTreeSet<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["id"].as_str().unwrap()).collect()
}

/// Makes each change of the report of these manifests, alone; returns the titles.
fn check(yaml: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    fs::write(&file, yaml).unwrap();
    let before = reported(&file);
    let mut titles = Vec::new();
    for change in before["changes"].as_array().unwrap() {
        let title = change["title"].as_str().unwrap().to_owned();
        assert_eq!(change["verified"], true, "{title}");
        let mut objects = read(yaml);
        for patch in change["patches"].as_array().unwrap() {
            make(&mut objects, patch);
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let changed = folder.path().join("changed.json");
        fs::write(&changed, list.to_string()).unwrap();
        let after = reported(&changed);
        let (was, is) = (ids(&before), ids(&after));
        let removes = change["removes"].as_array().unwrap().iter();
        let removes: BTreeSet<&str> = removes.map(|id| id.as_str().unwrap()).collect();
        let gone: BTreeSet<&str> = was.difference(&is).copied().collect();
        assert_eq!(gone, removes, "{title}");
        assert!(is.is_subset(&was), "{title} opens something");
        titles.push(title);
    }
    titles.sort();
    titles
}

fn blog() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clusters/blog");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let texts: Vec<String> = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    texts.join("\n---\n")
}

#[test]
fn changes_of_the_example_do_what_is_said() {
    let titles = check(&blog());
    expect_test::expect![[r#"
        Bind ClusterRole/deploy-bot to ServiceAccount/blog/deploy-bot in namespace blog only, not by ClusterRoleBinding/deploy-bot
        Delete the token that never expires: Secret/blog/deploy-bot-token
        Do not allow create on pods in ClusterRole/deploy-bot
        Do not allow get, list, watch on secrets in Role/blog/settings-reloader
        Mount no token of the service account: Deployment/blog/wordpress
        Publish Service/blog/wordpress no longer: delete Ingress/blog/wordpress
        Take ServiceAccount/blog/wordpress out of RoleBinding/blog/wordpress-settings-reloader, which gives it Role/settings-reloader
    "#]].assert_eq(&(titles.join("\n") + "\n"));
}

/// A web pod behind a Service, with its workload, as a dump shows them without the ReplicaSet; `spec` is more of the
/// pod's spec, `container` of its container.
fn web(spec: &str, container: &str, more: &str) -> String {
    let spec = |indent: &str| {
        format!(
            "{indent}automountServiceAccountToken: false
{indent}{spec}
{indent}containers:
{indent}- {{name: side, image: example.com/side}}
{indent}- name: web
{indent}  image: example.com/web
{indent}  ports: [{{containerPort: 80}}]
{indent}  {container}
"
        )
    };
    let (template, pod) = (spec("      "), spec("  "));
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
{template}---
apiVersion: v1
kind: Pod
metadata:
  name: web-6d4cf56db6-a1b2c
  namespace: shop
  labels: {{app: web, pod-template-hash: 6d4cf56db6}}
  ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: web-6d4cf56db6, controller: true}}]
spec:
  nodeName: one
{pod}---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: shop}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: Node
metadata: {{name: one, labels: {{node-role.kubernetes.io/control-plane: ''}}}}
{more}"
    )
}

fn check_one(yaml: &str, expected: &str) {
    let titles = check(yaml);
    assert!(titles.iter().any(|title| title == expected), "{titles:#?}");
}

#[test]
fn rights_of_containers_are_taken_back() {
    let deployment = "Deployment/shop/web";
    check_one(
        &web("", "securityContext: {privileged: true}", ""),
        &format!("Set privileged to false in container web: {deployment}"),
    );
    check_one(
        &web(
            "hostPID: true",
            "securityContext: {capabilities: {add: [NET_RAW, SYS_PTRACE]}}",
            "",
        ),
        &format!("Drop the capability SYS_PTRACE of container web: {deployment}"),
    );
    check_one(
        &web(
            "volumes: [{name: root, hostPath: {path: /}}, {name: tmp, emptyDir: {}}]",
            "volumeMounts: [{name: tmp, mountPath: /tmp}, {name: root, mountPath: /host}]",
            "",
        ),
        &format!("Take the node's / out of the pods (volume root): {deployment}"),
    );
    check_one(
        &web("", "securityContext: {privileged: true}", ""),
        "Serve inside the cluster only: Service/shop/web",
    );
}

#[test]
fn a_password_in_a_manifest_is_taken_back_from_who_uses_it_alone() {
    let database = "---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 3306}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: mysql, image: 'mysql:8', ports: [{containerPort: 3306}], env: [{name: MYSQL_ROOT_PASSWORD, value: hunter2}]}]
";
    let env = "env: [{name: DB_HOST, value: db}, {name: DB_USER, value: root}, {name: DB_PASSWORD, value: hunter2}]";
    let titles = check(&web("", env, database));
    let about: Vec<&String> = titles.iter().filter(|title| title.contains("password")).collect();
    assert_eq!(
        about,
        ["Take the password in DB_PASSWORD out of container web: Deployment/shop/web"]
    );
}

#[test]
fn a_password_that_is_read_out_of_a_spec_is_taken_from_a_secret_or_from_who_reads_it() {
    let more = "---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 3306}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  template:
    metadata: {labels: {app: db}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: mysql, image: 'mysql:8', ports: [{containerPort: 3306}], env: [{name: MYSQL_ROOT_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: root}}}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    metadata: {labels: {app: api}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: api, image: example.com/api, env: [{name: DB_HOST, value: db}, {name: DB_PASSWORD, value: hunter2}]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: watcher, namespace: shop}
rules:
- {apiGroups: [apps], resources: [deployments, daemonsets], verbs: [get, watch]}
- {apiGroups: [''], resources: [services, configmaps], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: watcher, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: watcher}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
";
    let yaml =
        web("serviceAccountName: web", "", more).replacen("automountServiceAccountToken: false", "", 2);
    let titles = check(&yaml);
    for expected in [
        "Do not allow get, watch on deployments in Role/shop/watcher",
        "Take DB_PASSWORD of container api from the key of that name of a Secret, api-credentials: Deployment/shop/api",
        "Take ServiceAccount/shop/web out of RoleBinding/shop/watcher, which gives it Role/watcher",
    ] {
        assert!(titles.iter().any(|title| title == expected), "{titles:#?}");
    }
    let dropped = "Take the password in DB_PASSWORD out of container api: Deployment/shop/api";
    assert!(!titles.iter().any(|title| title == dropped), "{titles:#?}");
}

#[test]
fn what_an_ingress_publishes_is_taken_back() {
    let ingress = |more: &str| {
        let yaml = web(
            "",
            "securityContext: {privileged: true}",
            &format!(
                "---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: shop, namespace: shop}}
spec:
  {more}
  rules:
  - host: shop.example.com
    http:
      paths:
      - {{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}
"
            ),
        );
        yaml.replace("type: LoadBalancer, ", "")
    };
    check_one(
        &ingress(""),
        "Publish Service/shop/web no longer: delete Ingress/shop/shop",
    );
    let other = "defaultBackend: {service: {name: other, port: {name: http}}}";
    check_one(
        &ingress(other),
        "Publish Service/shop/web no longer by Ingress/shop/shop",
    );
    let twice = "defaultBackend: {service: {name: web, port: {number: 80}}}";
    check_one(
        &ingress(twice),
        "Publish Service/shop/web no longer: delete Ingress/shop/shop",
    );
}

#[test]
fn rights_of_accounts_are_taken_back() {
    let more = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: operator}
rules:
- {apiGroups: [''], resources: [configmaps], verbs: [get]}
- {apiGroups: ['', apps], resources: [pods, secrets, services], verbs: [get, create, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}
subjects:
- {kind: User, apiGroup: rbac.authorization.k8s.io, name: eve}
- {kind: ServiceAccount, name: web, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
";
    let yaml = web("serviceAccountName: web", "", more).replace("automountServiceAccountToken: false", "");
    check_one(
        &yaml,
        "Mount no token of the service account: Deployment/shop/web",
    );
    check_one(
        &yaml,
        "Take ServiceAccount/shop/web out of ClusterRoleBinding/operator, which gives it ClusterRole/operator",
    );
}

#[test]
fn a_graph_that_is_too_large_is_not_vouched_for() {
    let (cluster, _) = read_text(
        "all.yaml",
        &web("hostPID: true", "securityContext: {privileged: true}", ""),
        "default",
    );
    let settings = Settings::default();
    let facts = Facts::with(&cluster, &settings);
    let graph = AttackGraph::new(techniques::steps(&facts.context(&cluster)));
    let (rows, start) = (graph.freeze(), Position::Internet);
    let jewels = report::crown_jewels(&cluster, &facts);
    let findings = report::findings(&graph, &rows, &start, &jewels, &cluster, (&facts, &settings)).findings;
    let changes = |edges| {
        let solving = Solving {
            cluster: &cluster,
            settings: &settings,
            edges,
        };
        report::changes(&findings, &graph, &rows, &start, &jewels, &solving)
    };
    let (tried, untried) = (changes(SOLVED_EDGES), changes(rows.edges() - 1));
    assert!(
        !tried.is_empty()
            && tried
                .iter()
                .all(|change| change.verified && !change.removes.is_empty())
    );
    assert!(!untried.is_empty());
    for change in &untried {
        assert!(!change.verified && change.removes.is_empty() && !change.on_paths.is_empty());
    }
}
