//! Reading manifests, dumps and lists: what arrives in the model, with which names, places and diagnostics.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::Path;

use beachhead::collect::{self, CollectError, Input, Options};
use beachhead::model::{Cluster, Code, Diagnostic};
use expect_test::{Expect, expect};

/// Every object of the input with its place, then the diagnostics.
fn shown(cluster: &Cluster, diagnostics: &[Diagnostic]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (id, object) in cluster.objects() {
        if !cluster.stand_ins.contains(id) && object.meta().source.is_file() {
            writeln!(text, "{id}  {}", object.meta().source).unwrap();
        }
    }
    for diagnostic in diagnostics {
        if !is_about_the_whole(diagnostic) {
            writeln!(text, "{diagnostic}").unwrap();
        }
    }
    text
}

/// Whether a diagnostic only says what the whole input lacks.
fn is_about_the_whole(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.code, Code::NoNodes | Code::BootstrapRbac)
}

fn check(text: &str, expect: Expect) {
    let (cluster, diagnostics) = collect::read_text("in", text, "default");
    expect.assert_eq(&shown(&cluster, &diagnostics));
}

fn read(path: &Path) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    collect::read(Input::Path(path), &Options::default())
}

fn check_folder(files: &[(&str, &[u8])], expect: Expect) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let (cluster, diagnostics) = read(folder.path()).unwrap();
    let text = shown(&cluster, &diagnostics);
    expect.assert_eq(&text.replace(folder.path().to_str().unwrap(), "in"));
}

#[test]
fn helm_output_with_comments_and_empty_documents() {
    check(
        "---\n# Source: chart/a.yaml\n---\n# Source: chart/b.yaml\r\napiVersion: v1\r\nkind: Service\r\nmetadata:\r\n  name: web\r\n---\n\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: shop}\n...\n",
        expect![[r#"
            Pod/shop/a  in:12
            Service/default/web  in:5
        "#]],
    );
}

#[test]
fn items_of_a_yaml_list_have_their_own_lines() {
    check(
        "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n    annotations:\n      note: |\n        - not an item\n\n- metadata: {name: b}\n  kind: Pod\n  apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: \"\"\n---\nkind: Namespace\napiVersion: v1\nmetadata: {name: n}\n",
        expect![[r#"
            Namespace/n  in:18
            Pod/default/a  in:3
            Pod/default/b  in:11
        "#]],
    );
}

#[test]
fn items_take_their_kind_from_the_list_wherever_it_stands() {
    check(
        "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", \"items\": [\n {\"metadata\": {\"name\": \"a\"}},\n {\"metadata\": {\"name\": \"b\"}}]}\n{\"items\": [\n{\"metadata\": {\"name\": \"d\"}}], \"apiVersion\": \"apps/v1\", \"kind\": \"DeploymentList\"}",
        expect![[r#"
            Pod/default/a  in:2
            Pod/default/b  in:3
            Deployment/default/d  in:5
        "#]],
    );
    check(
        "apiVersion: apps/v1\nitems:\n  - metadata: {name: a}\n  - metadata:\n      name: b\nkind: DeploymentList\n",
        expect![[r#"
            Deployment/default/a  in:3
            Deployment/default/b  in:4
        "#]],
    );
}

#[test]
fn json_in_all_its_forms() {
    check(
        "\u{feff}{\n  \"apiVersion\": \"v1\",\n  \"items\": [\n    {\"apiVersion\": \"v1\",\n     \"data\": {\"kind\": \"x\", \"a\": \"}]\\\\\\\"\"},\n     \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"}},\n    {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"b\"}}\n  ],\n  \"kind\": \"List\"\n}\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"c\"}}\n[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"d\"}}]",
        expect![[r#"
            Pod/default/b  in:7
            Pod/default/c  in:11
            Pod/default/d  in:12
            ConfigMap/default/a  in:4
        "#]],
    );
    check(
        "---\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"c\"}}\n---\n{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: d}}]}\n",
        expect![[r#"
            Pod/default/c  in:2
            Pod/default/d  in:4
        "#]],
    );
    check(
        "{apiVersion: v1, kind: Pod, metadata: {name: d}}\n",
        expect![[r#"
            Pod/default/d  in:1
        "#]],
    );
}

#[test]
fn namespaces_and_names_are_completed() {
    check(
        "
kind: ClusterRole
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: r, namespace: ignored}
---
kind: Job
apiVersion: batch/v1
metadata: {generateName: j-}
---
kind: Job
apiVersion: batch/v1
metadata: {generateName: j-}
---
kind: Pod
apiVersion: v1
---
kind: Widget
apiVersion: acme.io/v1
metadata: {name: w}
---
kind: Gadget
apiVersion: acme.io/v1
metadata: {name: g}
spec: {password: hunter2}
---
kind: CustomResourceDefinition
apiVersion: apiextensions.k8s.io/v1
metadata: {name: widgets.acme.io}
spec: {group: acme.io, scope: Cluster, names: {kind: Widget, plural: widgets}}
",
        expect![[r#"
            Job/default/j-*  in:6
            Job/default/j-*2  in:10
            ClusterRole/r  in:2
            CustomResourceDefinition/widgets.acme.io  in:26
            Gadget/default/g  in:21
            Widget/w  in:17
            in:14: a Pod has no name; it is left out; add `metadata.name` [incomplete]
        "#]],
    );
}

#[test]
fn the_last_of_two_equal_objects_counts() {
    let text = "kind: Pod\napiVersion: v1\nmetadata: {name: a, labels: {v: one}}\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: a, labels: {v: two}}\n";
    check(
        text,
        expect![[r#"
            Pod/default/a  in:5
            in:5: the same object stands in in:1 (Pod/default/a); only this one counts; remove one of them [duplicate-object]
        "#]],
    );
    let (cluster, _) = collect::read_text("in", text, "default");
    assert_eq!(
        cluster.pod("default", "a").unwrap().meta.labels.get("v").unwrap(),
        "two"
    );
}

#[test]
fn a_broken_document_costs_only_itself() {
    check(
        "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Pod\nmetadata:\n  name: [b\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: c}\nspec:\n  containers:\n  - name: c\n    ports:\n    - containerPort: many\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: d}\n",
        expect![[r#"
            Pod/default/a  in:1
            Pod/default/d  in:18
            in:7: unclosed bracket '['; the document is left out; correct it, the rest of the file is read [syntax]
            in:16: invalid u16 (Pod/c); the object is left out; correct the field [wrong-type]
        "#]],
    );
    check(
        r#"{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{},{"ports":[{"containerPort":"x"}]}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"},"spec":nul},
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"}}]}"#,
        expect![[r#"
            Pod/default/c  in:4
            in:2: spec.containers[1].ports[0].containerPort: invalid type: string, expected u16 (Pod/a); the object is left out; correct the field [wrong-type]
            in:3: expected ident; the document is left out; correct it, the rest of the file is read [syntax]
        "#]],
    );
}

#[test]
fn documents_that_are_no_objects() {
    check(
        "replicas: 3\n---\njust text\n---\n- a\n- b\n---\napiVersion: v1\nmetadata: {name: x}\n---\nitems:\n- a: 1\n- b: 2\n",
        expect![[r#"
            in:1: no `kind` and `apiVersion`: not an object of Kubernetes [not-an-object]
            in:3: no `kind` and `apiVersion`: not an object of Kubernetes [not-an-object]
            in:5: no `kind` and `apiVersion`: not an object of Kubernetes [not-an-object]
            in:8: the object has no `kind`; the object is left out; add its `kind` [incomplete]
            in:10: no `kind` and `apiVersion`: not an object of Kubernetes [not-an-object]
        "#]],
    );
}

#[test]
fn old_ingresses_are_read_into_the_new_shape() {
    let (cluster, diagnostics) = collect::read_text(
        "in",
        "kind: Ingress\napiVersion: extensions/v1beta1\nmetadata: {name: i}\nspec:\n  backend: {serviceName: d, servicePort: http}\n  rules:\n  - host: h\n    http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}\n",
        "default",
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let spec = &cluster.ingresses.get("Ingress", "default", "i").unwrap().spec;
    let service = spec.rules[0].http.as_ref().unwrap().paths[0]
        .backend
        .service
        .as_ref()
        .unwrap();
    assert_eq!((service.name.as_str(), service.port.number), ("web", Some(80)));
    let default = spec.default_backend.as_ref().unwrap().service.as_ref().unwrap();
    assert_eq!((default.name.as_str(), default.port.name.as_str()), ("d", "http"));
}

#[test]
fn policies_that_are_not_modelled_are_counted() {
    check(
        "
kind: ClusterPolicy
apiVersion: kyverno.io/v1
metadata: {name: a}
---
kind: ClusterPolicy
apiVersion: kyverno.io/v1
metadata: {name: b}
---
kind: NetworkPolicy
apiVersion: crd.antrea.io/v1
metadata: {name: c}
---
kind: Deployment
apiVersion: apps/v2
metadata: {name: d}
",
        expect![[r#"
            Deployment/default/d  in:14
            ClusterPolicy/a  in:2
            ClusterPolicy/b  in:6
            NetworkPolicy/default/c  in:10
            in:14: 1 Deployment of the unknown version apps/v2, read like v1; check the verdicts that depend on them [unknown-version]
            in:2: 2 ClusterPolicy of kyverno.io in the input: such policies are not modelled; they may stop steps that are shown as possible, or allow others [not-modelled]
            in:10: 1 NetworkPolicy of crd.antrea.io in the input: such policies are not modelled; they may stop steps that are shown as possible, or allow others [not-modelled]
        "#]],
    );
}

#[test]
fn a_folder_is_read_in_the_order_of_names() {
    check_folder(
        &[
            ("b/x.yaml", b"kind: Pod\napiVersion: v1\nmetadata: {name: b}\n"),
            ("a.yml", b"kind: Pod\napiVersion: v1\nmetadata: {name: a}\n"),
            (
                "c.json",
                br#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}"#,
            ),
            (
                ".git/x.yaml",
                b"kind: Pod\napiVersion: v1\nmetadata: {name: hidden}\n",
            ),
            (
                "README.md",
                b"kind: Pod\napiVersion: v1\nmetadata: {name: text}\n",
            ),
        ],
        expect![[r#"
            Pod/default/a  in/c.json:1
            Pod/default/b  in/b/x.yaml:1
            in/c.json:1: the same object stands in in/a.yml:1 (Pod/default/a); only this one counts; remove one of them [duplicate-object]
        "#]],
    );
}

#[test]
fn a_kubehound_dump_takes_kinds_from_file_names() {
    let files: &[(&str, &[u8])] = &[
        ("prod/nodes.json", br#"[{"metadata":{"name":"n1"}}]"#),
        ("prod/metadata.json", br#"{"runId": "01", "cluster": "prod"}"#),
        ("prod/shop/pods.json", b"[{\"metadata\":{\"name\":\"a\",\"namespace\":\"shop\"}},\n{\"metadata\":{\"name\":\"b\",\"namespace\":\"shop\"}}]"),
        ("prod/shop/roles.rbac.authorization.k8s.io.json", br#"{"metadata":{"name":"r","namespace":"shop"}}"#),
        ("prod/clusterrolebindings.rbac.authorization.k8s.io.json", br#"{"items":[{"metadata":{"name":"rb"}}]}"#),
        ("prod/shop/endpointslices.discovery.k8s.io.json", b"{\"metadata\":{\"name\":\"e\",\"namespace\":\"shop\"}}\n"),
    ];
    let expected = expect![[r#"
        Node/n1  in/prod/nodes.json:1
        Pod/shop/a  in/prod/shop/pods.json:1
        Pod/shop/b  in/prod/shop/pods.json:2
        EndpointSlice/shop/e  in/prod/shop/endpointslices.discovery.k8s.io.json:1
        Role/shop/r  in/prod/shop/roles.rbac.authorization.k8s.io.json:1
        ClusterRoleBinding/rb  in/prod/clusterrolebindings.rbac.authorization.k8s.io.json:1
    "#]];
    check_folder(files, expected);

    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    let mut bytes = bytes.as_slice();
    let input = Input::Stream {
        name: "dump.tar.gz",
        reader: &mut bytes,
    };
    let (cluster, diagnostics) = collect::read(input, &Options::default()).unwrap();
    assert_eq!(cluster.pods.len(), 2);
    assert!(cluster.roles.get("Role", "shop", "r").is_some() && cluster.endpoint_slices.len() == 1);
    let source = &cluster.pod("shop", "b").unwrap().meta.source;
    assert_eq!(source.to_string(), "dump.tar.gz/prod/shop/pods.json:2");
    assert!(diagnostics.iter().all(is_about_the_whole), "{diagnostics:?}");
}

#[test]
fn compressed_manifests_and_any_file_name_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pods.json.gz");
    let mut file =
        flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    file.write_all(br#"[{"metadata":{"name":"a"}}]"#).unwrap();
    file.finish().unwrap();
    assert_eq!(read(folder.path()).unwrap().0.pods.len(), 1);
    let path = folder.path().join("manifest.txt");
    fs::write(&path, "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n").unwrap();
    assert_eq!(read(&path).unwrap().0.pods.len(), 1);
}

/// The same list, cut into windows at every place, gives the same objects.
#[test]
fn where_a_window_ends_makes_no_difference() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let size = self.0.len().min(buffer.len()).min(7);
            buffer[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }
    let mut text = String::from(r#"{"apiVersion":"v1","kind":"List","items":["#);
    for i in 0..30_000 {
        let filler = "\\\"}{][\\\\".repeat(i % 90);
        let comma = if i == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"p{i}\",\"annotations\":{{\"x\":\"{filler}\"}}}}}}"
        );
    }
    text.push_str("]}");
    assert!(text.len() > 9 << 20, "more than one window");
    let input = Input::Stream {
        name: "in",
        reader: &mut Slow(text.as_bytes()),
    };
    let (cluster, diagnostics) = collect::read(input, &Options::default()).unwrap();
    assert_eq!(cluster.pods.len(), 30_000);
    assert_eq!(cluster.pod("default", "p29999").unwrap().meta.source.line, 30_001);
    assert!(diagnostics.iter().all(is_about_the_whole), "{diagnostics:?}");

    let mut text = String::from("apiVersion: v1\nitems:\n");
    for i in 0..3_000 {
        let filler = "x".repeat(3_000);
        let _ = write!(
            text,
            "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p{i}\n    annotations: {{x: {filler}}}\n"
        );
    }
    text.push_str("kind: List\n");
    let input = Input::Stream {
        name: "in",
        reader: &mut text.as_bytes(),
    };
    let (cluster, diagnostics) = collect::read(input, &Options::default()).unwrap();
    assert_eq!(cluster.pods.len(), 3_000);
    assert_eq!(
        cluster.pod("default", "p2999").unwrap().meta.source.line,
        3 + 5 * 2999
    );
    assert!(diagnostics.iter().all(is_about_the_whole), "{diagnostics:?}");
}

#[test]
fn of_unmodelled_kinds_only_what_rules_read_is_kept() {
    let (cluster, _) = collect::read_text(
        "in.yaml",
        "
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress: [{toPorts: [{rules: {http: [{headers: ['X-Token: canary']}]}}]}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: shop}
spec: {password: canary}
",
        "default",
    );
    let specs: Vec<_> = cluster.others.values().map(|other| other.spec.clone()).collect();
    let kept = serde_json::json!({
        "endpointSelector": { "matchLabels": { "app": "api" } },
        "ingress": [{ "toPorts": [{ "rules": { "http": null } }] }],
    });
    assert_eq!(specs, [Some(kept), None]);
}
