//! What crosses the wire and stays in memory: packed answers, and pages that are gone once they are read.

use beachhead::collect::live::Options;

use super::fake::{Contents, Fake, Fault};
use super::{PODS, missing, on_pods, read, whole};

#[test]
fn packed_answers_are_asked_for_and_unpacked() {
    let fake = Fake::start(Contents::default(), |asked, _| {
        assert_eq!(asked.headers["accept-encoding"], "gzip");
        Some(Fault::Packed(None))
    });
    let live = read(&fake.options());
    let plain = whole();
    assert_eq!(live.cluster, plain.cluster);
    assert!(
        live.bytes < plain.bytes,
        "{} bytes packed, {} plain",
        live.bytes,
        plain.bytes
    );
}

#[test]
fn a_packed_answer_that_is_cut_off_is_asked_for_again() {
    let fake = Fake::start(Contents::default(), on_pods(2, false, Fault::Packed(Some(40))));
    assert_eq!(read(&fake.options()).cluster, whole().cluster);
    let fake = Fake::start(Contents::default(), on_pods(2, true, Fault::Packed(Some(40))));
    let live = read(&fake.options());
    let reason = missing(&live.cluster.coverage, "pods");
    assert!(reason.contains("cannot be unpacked"), "{reason}");
    assert!(
        live.cluster.pods.len() == 3 && !reason.contains("canary"),
        "{reason}"
    );
}

/// A pod as an API server tells it, most of which nobody reads.
fn pod(number: usize) -> String {
    let managed = r#"{"manager":"kubelet","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:status":{}}}"#;
    let managed = [managed; 40].join(",");
    format!(
        r#"{{"metadata":{{"namespace":"shop","name":"web-{number}","labels":{{"app":"web"}},"managedFields":[{managed}]}},
        "spec":{{"nodeName":"n1","containers":[{{"name":"web","image":"registry.example.com/shop/web:1.2.3","ports":[{{"containerPort":8080}}]}}]}},
        "status":{{"phase":"Running","podIP":"10.0.0.1"}}}}"#
    )
}

/// The peak of a process that reads so many pods, in KiB, and the bytes that it read.
#[cfg(target_os = "linux")]
fn peak(pods: usize) -> (u64, u64) {
    use std::process::Stdio;

    let mut contents = Contents::default();
    contents.lists.insert(PODS, ("Pod", (0..pods).map(pod).collect()));
    let fake = Fake::start(contents, |_, _| None);
    let folder = tempfile::tempdir().unwrap();
    let limits = folder.path().join("status");
    let script = "\"$0\" \"$@\" & child=$!; while kill -0 $child 2>/dev/null; do grep VmHWM /proc/$child/status >\"$KEPT.new\" 2>/dev/null \
         && mv \"$KEPT.new\" \"$KEPT\"; sleep 0.02; done; wait $child";
    let status = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(assert_cmd::cargo::cargo_bin("beachhead"))
        .args(["snapshot", "--max-qps", "1000", "--kubeconfig"])
        .arg(fake.kubeconfig())
        .arg("-o")
        .arg(folder.path().join("snapshot"))
        .env("KEPT", &limits)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(&limits).unwrap();
    let number = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    let bytes = fake.asked().iter().map(|asked| asked.answer.len() as u64).sum();
    (number, bytes)
}

/// What grows in memory is what the model keeps of pods, which is a part of what is told of them.
#[cfg(target_os = "linux")]
#[test]
fn pages_do_not_pile_up_in_memory() {
    let (few, _) = peak(500);
    let (many, bytes) = peak(20_000);
    let grown = (many.saturating_sub(few)) * 1024;
    assert!(
        grown < bytes * 2 / 3,
        "{} MiB more for {} MiB of pods",
        grown >> 20,
        bytes >> 20
    );
}

/// Kinds that nobody knows, and a group whose own server is down, take nothing else with them.
#[test]
fn unknown_kinds_and_broken_groups_do_no_harm() {
    let mut contents = Contents::default();
    let widget = r#"{"metadata":{"name":"w","namespace":"shop"},"spec":{"secret":"canary"}}"#;
    let widgets = ("Widget", vec![widget.to_owned()]);
    contents.lists.insert("/apis/example.com/v1/widgets", widgets);
    let definition = r#"{"metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","names":{"kind":"Widget","plural":"widgets"},"scope":"Namespaced","versions":[{"name":"v1"}]}}"#;
    contents.lists.insert(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        ("CustomResourceDefinition", vec![definition.to_owned()]),
    );
    let groups = r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apps"},"versions":[{"version":"v1","freshness":"Stale","resources":[]}]},
        {"metadata":{"name":"metrics.example.com"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}]}"#;
    let whole = read(&Fake::start(contents, |_, _| None).options());
    assert_eq!(whole.cluster.custom_resource_definitions.len(), 1);
    assert_eq!((whole.cluster.others.len(), whole.cluster.pods.len()), (0, 7));
    assert_eq!(whole.cluster.coverage.refused, []);
    let fake = Fake::start(Contents::default(), move |asked, _| {
        (asked.path == "/apis").then_some(Fault::Body(groups))
    });
    let live = read(&fake.options());
    assert_eq!(live.cluster.pods.len(), 7);
    let reason = missing(&live.cluster.coverage, "apps/v1");
    assert!(
        reason.contains("does not answer"),
        "{:?}",
        live.cluster.coverage.refused
    );
}

#[test]
fn the_page_is_as_large_as_kubectls() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let options = Options {
        page_size: None,
        ..fake.options()
    };
    read(&options);
    assert_eq!(fake.asked_of(PODS), ["limit=500"]);
}
