//! Tests of snapshots: what is written is read again, and nothing else is.
//!
//! **Trap.** Reading derives the stand-in pods, so a cluster to compare with needs them too.

use std::io::{self, Read, Write};

use beachhead::collect::snapshot::{self, MAX_LINE, RATIO_FREE, SnapshotError};
use beachhead::collect::{bootstrap, read_text};
use beachhead::model::{
    Cluster, Code, Diagnostic, KINDS, KindInfo, Object, ObjectId, Other, Refusal, Source,
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "../../examples/generate_cluster/main.rs"]
#[expect(dead_code, reason = "the example's main and arguments are not used here")]
mod generate_cluster;

use generate_cluster::{Plan, Sink, Size, put_cluster};

fn encoded(cluster: &Cluster, diagnostics: &[Diagnostic]) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot::encode(cluster, diagnostics, &mut bytes).unwrap();
    bytes
}

fn read_error(bytes: &[u8]) -> SnapshotError {
    match snapshot::read(bytes) {
        Ok(_) => panic!("the snapshot was read"),
        Err(error) => error,
    }
}

/// A snapshot of these lines, whatever they are.
fn packed(lines: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut packer = zstd::Encoder::new(b"beachhead snapshot 1\n".to_vec(), 1).unwrap();
    for line in lines {
        packer.write_all(&line).unwrap();
    }
    packer.finish().unwrap()
}

fn unpacked(snapshot: &[u8]) -> Vec<u8> {
    let body = snapshot.splitn(2, |byte| *byte == b'\n').nth(1).unwrap();
    zstd::decode_all(body).unwrap()
}

fn insert(cluster: &mut Cluster, info: &KindInfo, manifest: Value) {
    let mut object = Object::read(info, manifest).unwrap();
    object.meta_mut().source = Source {
        file: "a b.yaml".into(),
        line: 7,
    };
    cluster.insert(info.kind, object);
}

/// A cluster with an object of every kind of the table and two of others.
fn every_kind() -> Cluster {
    let mut cluster = Cluster::default();
    for info in KINDS {
        let mut metadata = json!({ "name": "x", "labels": { "a": "1" }, "annotations": { "b": "\n\u{0}" } });
        if info.namespaced {
            metadata["namespace"] = "shop".into();
        }
        insert(&mut cluster, info, json!({ "metadata": metadata }));
    }
    for (kind, version) in [
        ("Service", "serving.knative.dev/v1"),
        ("Widget", "example.com/v1"),
    ] {
        let mut other = Other {
            api_version: version.into(),
            kind: kind.into(),
            spec: Some(json!({ "size": 1.5, "list": [null, "é"] })),
            ..Other::default()
        };
        other.meta.name = "x".into();
        cluster.insert(kind, Object::Other(Box::new(other)));
    }
    cluster.coverage.server_version = "v1.36.2".into();
    cluster.coverage.collected = vec!["pods".into()];
    cluster.coverage.refused = vec![Refusal {
        resource: "secrets".into(),
        reason: "forbidden".into(),
        affects: "which credentials exist".into(),
    }];
    cluster.coverage.absent = vec!["routes.route.openshift.io".into()];
    cluster.coverage.namespace = "shop".into();
    let versions = &mut cluster.coverage.resource_versions;
    versions.insert("pods".into(), "42".into());
    cluster
}

fn some_diagnostics() -> Vec<Diagnostic> {
    let source = Source {
        file: "x.yaml".into(),
        line: 3,
    };
    let plain = Diagnostic::new(Code::Syntax, source, "odd \"quotes\"", "");
    let about = plain.clone().about(ObjectId::cluster_scoped("Node", "n"));
    vec![plain, about]
}

#[test]
fn every_kind_survives() {
    let mut cluster = every_kind();
    let derived = cluster.add_stand_ins();
    assert!(
        !cluster.stand_ins.is_empty(),
        "the workloads need stand-ins for this test"
    );
    let mut diagnostics = some_diagnostics();
    let (read, found) = snapshot::read(encoded(&cluster, &diagnostics).as_slice()).unwrap();
    for info in KINDS {
        let namespace = if info.namespaced { "shop" } else { "" };
        let id = ObjectId::new(info.kind, namespace, "x");
        assert!(read.objects().any(|(known, _)| *known == id), "{id} is lost");
    }
    assert_eq!(read, cluster);
    diagnostics.extend(derived);
    assert_eq!(found, diagnostics);
}

#[test]
fn stand_ins_are_not_written() {
    let mut cluster = every_kind();
    let before = encoded(&cluster, &[]);
    cluster.add_stand_ins();
    let count = |bytes: &[u8]| unpacked(bytes).split(|byte| *byte == b'\n').count();
    assert_eq!(count(&before), count(&encoded(&cluster, &[])));
}

#[test]
fn a_file_is_written_whole_and_only_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.beachhead");
    std::fs::write(&path, "an older file").unwrap();
    let mut cluster = every_kind();
    snapshot::write(&path, &cluster, &some_diagnostics()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(snapshot::is_snapshot(&bytes[..32]));
    assert_eq!(bytes, encoded(&cluster, &some_diagnostics()));
    cluster.add_stand_ins();
    assert_eq!(snapshot::read(bytes.as_slice()).unwrap().0, cluster);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "a temporary file stayed"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_write_that_fails_names_the_file_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("kept"), "x").unwrap();
    for path in [folder.path().join("absent/x.beachhead"), target.clone()] {
        let error = snapshot::write(&path, &every_kind(), &[]).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_stream_that_fails_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = snapshot::encode(&every_kind(), &[], Full).unwrap_err();
    assert!(matches!(error, SnapshotError::Io(_)), "{error}");

    let start: &[u8] = b"beachhead snapshot 1\n";
    let error = snapshot::read(start.chain(Broken)).map(|_| ()).unwrap_err();
    assert!(matches!(error, SnapshotError::Io(_)), "{error}");
}

#[test]
fn other_files_are_no_snapshots() {
    for text in [
        "",
        "apiVersion: v1\n",
        "beachhead snapshop 1\n",
        "PK\u{3}\u{4}",
        "beachhead snapshot 123456789012345678901234567890",
    ] {
        let error = read_error(text.as_bytes());
        assert!(matches!(error, SnapshotError::NotASnapshot), "{text:?}: {error}");
    }
    assert!(!snapshot::is_snapshot(b"kind: List") && !snapshot::is_snapshot(b""));
    let error = read_error(b"beachhead snapshot one\n");
    assert!(matches!(error, SnapshotError::Corrupted { .. }), "{error}");
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let mut bytes = b"beachhead snapshot 12\n".to_vec();
    bytes.extend(unpacked(&encoded(&every_kind(), &[])));
    let error = read_error(&bytes);
    assert!(matches!(error, SnapshotError::Newer { found: 12 }));
    let text = error.to_string();
    assert!(
        text.contains("format 12") && text.contains("up to 1") && text.contains("install"),
        "{text}"
    );
    assert!(snapshot::is_snapshot(&bytes));
}

#[test]
fn no_part_of_a_snapshot_is_taken_for_the_whole() {
    let bytes = encoded(&every_kind(), &some_diagnostics());
    for end in 0..bytes.len() {
        let error = read_error(&bytes[..end]);
        let is_expected = if end == 0 {
            matches!(error, SnapshotError::NotASnapshot)
        } else {
            matches!(error, SnapshotError::Truncated)
        };
        assert!(is_expected, "cut at {end}: {error}");
    }
}

#[test]
fn lines_that_are_missing_or_too_many_are_found() {
    let whole = unpacked(&encoded(&every_kind(), &some_diagnostics()));
    let lines: Vec<Vec<u8>> = whole
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    assert!(snapshot::read(packed(lines.clone()).as_slice()).is_ok());
    for index in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(index);
        let error = read_error(&packed(fewer));
        let is_last = index == lines.len() - 1;
        assert_eq!(
            matches!(error, SnapshotError::Truncated),
            is_last,
            "without line {index}: {error}"
        );
        let mut more = lines.clone();
        more.insert(index, lines[index].clone());
        let error = read_error(&packed(more));
        assert!(
            matches!(error, SnapshotError::Corrupted { .. }),
            "line {index} twice: {error}"
        );
    }
}

#[test]
fn a_changed_byte_is_never_read_as_something_else() {
    let mut cluster = every_kind();
    let bytes = encoded(&cluster, &[]);
    cluster.add_stand_ins();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1 << (index % 8);
        if let Ok((read, _)) = snapshot::read(changed.as_slice()) {
            assert!(read == cluster, "byte {index} changed the cluster unseen");
        }
    }
}

fn padded_diagnostic(spaces: usize) -> Vec<u8> {
    let mut line = serde_json::to_vec(&json!({ "diagnostic": some_diagnostics()[0] })).unwrap();
    line.resize(line.len() + spaces, b' ');
    line.push(b'\n');
    line
}

fn header() -> Vec<u8> {
    b"{\"header\":{\"format\":1,\"tool\":\"0\",\"coverage\":{}}}\n".to_vec()
}

#[test]
fn a_bomb_is_refused_before_it_unfolds() {
    let megabyte = 1 << 20;
    let count = usize::try_from(RATIO_FREE).unwrap() / megabyte * 20;
    let lines = std::iter::once(header()).chain((0..count).map(|_| padded_diagnostic(megabyte)));
    let bytes = packed(lines);
    assert!(bytes.len() < megabyte, "the bomb has {} bytes", bytes.len());
    let started = std::time::Instant::now();
    let error = read_error(&bytes);
    assert!(matches!(error, SnapshotError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("times its size"), "{error}");
    assert!(
        started.elapsed().as_secs() < 20,
        "it took {:?}",
        started.elapsed()
    );
}

#[test]
fn an_endless_line_is_refused() {
    let error = read_error(&packed([header(), padded_diagnostic(MAX_LINE)]));
    assert!(matches!(error, SnapshotError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("16 MiB"), "{error}");
}

#[test]
fn no_secret_reaches_a_snapshot() {
    const CANARY: &str = "c4n4ry-v4lue";
    let yaml = r#"
apiVersion: v1
kind: Secret
metadata:
  name: db
  annotations: { kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"password":"CANARY"}}' }
data: { password: BASE64 }
stringData: { token: CANARY }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { DB_PASSWORD: CANARY, URL: "postgres://app:CANARY@db/app", redis.conf: "port 1\nrequirepass CANARY\n" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  template:
    spec:
      containers:
      - name: web
        command: ["run", "--password=CANARY"]
        args: ["--token", "CANARY"]
        env: [{ name: DB_PASSWORD, value: CANARY }, { name: URL, value: "mysql://root:CANARY@db" }]
"#;
    let yaml = yaml
        .replace("CANARY", CANARY)
        .replace("BASE64", "YzRuNHJ5LXY0bHVl");
    let (cluster, diagnostics) = read_text("x.yaml", &yaml, "default");
    assert_eq!(
        cluster.secrets.len() + cluster.config_maps.len() + cluster.workloads.len(),
        3
    );
    let text = String::from_utf8(unpacked(&encoded(&cluster, &diagnostics))).unwrap();
    assert!(!text.contains(CANARY) && !text.contains("YzRuNHJ5"), "{text}");
    assert!(
        text.contains("DB_PASSWORD") && text.contains("requirepass: \\\"***"),
        "{text}"
    );
}

/// Objects that share few names, with strings of every kind in them.
fn manifests() -> impl Strategy<Value = Vec<(usize, Value)>> {
    let text = || prop_oneof![".{0,12}", "[a-z]{1,5}", Just("a=b&password=x://y:z@".to_owned())];
    let pairs = || proptest::collection::btree_map(text(), text(), 0..3);
    let object = (
        0..KINDS.len(),
        text(),
        "[a-c]",
        pairs(),
        pairs(),
        any::<Option<bool>>(),
        any::<u16>(),
    )
        .prop_map(|(kind, name, namespace, labels, data, flag, port)| {
            let env: Vec<_> = data
                .iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            let words: Vec<_> = data.values().collect();
            let manifest = json!({
                "metadata": { "name": name, "namespace": namespace, "labels": labels, "annotations": data },
                "type": name, "data": data,
                "spec": {
                    "hostPID": flag, "nodeName": name, "podSelector": { "matchLabels": labels },
                    "containers": [{ "name": name, "env": env, "args": words,
                        "ports": [{ "containerPort": port }], "securityContext": { "privileged": flag } }],
                },
            });
            (kind, manifest)
        });
    proptest::collection::vec(object, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read(manifests in manifests()) {
        let mut cluster = Cluster::default();
        for (kind, manifest) in manifests {
            if let Ok(object) = Object::read(&KINDS[kind], manifest) {
                cluster.insert(KINDS[kind].kind, object);
            }
        }
        cluster.add_stand_ins();
        let bytes = encoded(&cluster, &[]);
        prop_assert_eq!(&bytes, &encoded(&cluster.clone(), &[]));
        let (read, _) = snapshot::read(bytes.as_slice()).unwrap();
        prop_assert_eq!(&read, &cluster);
        prop_assert_eq!(bytes, encoded(&read, &[]));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(snapshot::read([b"beachhead snapshot 1\n", bytes.as_slice()].concat().as_slice()).is_err());
        prop_assert!(snapshot::read(packed([header(), bytes]).as_slice()).is_err());
    }
}

fn small() -> Plan {
    Plan::new(Size {
        seed: 7,
        nodes: 4,
        pods: 120,
        namespaces: Some(5),
        services: 30,
        policies: 12,
        default_deny: 60,
    })
}

fn generated(plan: &Plan) -> String {
    let mut bytes = Vec::new();
    put_cluster(plan, Sink::dump(&mut bytes).unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_generated_cluster_is_what_was_asked_for() {
    let text = generated(&small());
    assert!(text == generated(&small()), "the same seed gave other bytes");
    let (cluster, diagnostics) = read_text("cluster.json", &text, "default");
    assert_eq!(diagnostics, []);
    assert!(cluster.stand_ins.is_empty(), "{:?}", cluster.stand_ins);
    assert_eq!((cluster.nodes.len(), cluster.pods.len()), (4, 120));
    assert_eq!((cluster.services.len(), cluster.network_policies.len()), (30, 12));
    assert_eq!(cluster.namespaces.len(), 6);
    for pod in cluster.pods.values() {
        assert!(
            cluster
                .service_account(&pod.meta.namespace, &pod.spec.account())
                .is_some()
        );
        assert!(cluster.node(&pod.spec.node_name).is_some());
    }
    for binding in cluster.role_bindings.values() {
        let role = &binding.role_ref;
        let namespace = if role.kind == "Role" {
            binding.meta.namespace.as_str()
        } else {
            ""
        };
        assert!(
            cluster.roles.get(&role.kind, namespace, &role.name).is_some(),
            "{binding:?}"
        );
    }
}

#[test]
fn a_generated_snapshot_is_the_generated_dump() {
    let mut bytes = Vec::new();
    put_cluster(&small(), Sink::snapshot(&mut bytes)).unwrap();
    let (mut dumped, _) = read_text("", &generated(&small()), "default");
    let (mut read, _) = snapshot::read(bytes.as_slice()).unwrap();
    assert_eq!(read.objects().count(), dumped.objects().count());
    for cluster in [&mut dumped, &mut read] {
        cluster
            .pods
            .values_mut()
            .for_each(|pod| pod.meta.source = Source::default());
    }
    assert!(read.pods == dumped.pods);
    assert!(
        bootstrap::add_missing(&mut read).is_none(),
        "a generated cluster brings its own cluster-admin"
    );
}
