//! How fast a `kubectl get -o json` dump becomes the model, in bytes per second.
//!
//! `BEACHHEAD_BENCH_PODS=150000 cargo bench --bench collect` reads one list of that many pods once, from a file.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::fmt::Write;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use beachhead::collect::{Input, Options, read};
use criterion::{Criterion, Throughput, criterion_group};

/// A pod as `kubectl get -o json` shows it, about 4 KB.
fn pod(text: &mut String, number: usize) {
    let (app, node) = (number % 400, number % 5_000);
    let namespace = app % 50;
    write!(text, r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"annotations":{{"checksum/config":"8f1c2{app:05}e0a9d3b7","prometheus.io/scrape":"true"}},"creationTimestamp":"2026-05-01T10:00:00Z","generateName":"app-{app}-7d9c5b8f6c-","labels":{{"app.kubernetes.io/name":"app-{app}","app.kubernetes.io/part-of":"team-{namespace}","pod-template-hash":"7d9c5b8f6c"}},"managedFields":[{{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:checksum/config":{{}}}},"f:labels":{{".":{{}},"f:app.kubernetes.io/name":{{}},"f:pod-template-hash":{{}}}},"f:ownerReferences":{{".":{{}},"k:{{\"uid\":\"0c1d{number:08}\"}}":{{}}}}}},"f:spec":{{"f:containers":{{"k:{{\"name\":\"web\"}}":{{".":{{}},"f:env":{{".":{{}},"k:{{\"name\":\"DB_HOST\"}}":{{".":{{}},"f:name":{{}},"f:value":{{}}}}}},"f:image":{{}},"f:livenessProbe":{{".":{{}},"f:httpGet":{{".":{{}},"f:path":{{}},"f:port":{{}}}}}},"f:resources":{{".":{{}},"f:limits":{{".":{{}},"f:memory":{{}}}}}}}}}},"f:dnsPolicy":{{}},"f:restartPolicy":{{}}}}}},"manager":"kube-controller-manager","operation":"Update","time":"2026-05-01T10:00:00Z"}}],"name":"app-{app}-7d9c5b8f6c-{number:06}","namespace":"team-{namespace}","ownerReferences":[{{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"app-{app}-7d9c5b8f6c","uid":"5b2e{app:08}"}}],"resourceVersion":"{number}","uid":"0c1d{number:08}"}},"#).expect("room to write");
    write!(text, r#""spec":{{"containers":[{{"args":["--port=8080","--db=$(DB_HOST)"],"env":[{{"name":"DB_HOST","value":"db.team-{namespace}.svc"}},{{"name":"DB_PASSWORD","valueFrom":{{"secretKeyRef":{{"key":"password","name":"app-{app}-db"}}}}}},{{"name":"LOG_LEVEL","value":"info"}},{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}}],"image":"registry.example.com/team-{namespace}/app-{app}:1.4.2","imagePullPolicy":"IfNotPresent","livenessProbe":{{"failureThreshold":3,"httpGet":{{"path":"/healthz","port":8080,"scheme":"HTTP"}},"periodSeconds":10,"successThreshold":1,"timeoutSeconds":1}},"name":"web","ports":[{{"containerPort":8080,"name":"http","protocol":"TCP"}}],"readinessProbe":{{"failureThreshold":3,"httpGet":{{"path":"/ready","port":8080,"scheme":"HTTP"}},"periodSeconds":10}},"resources":{{"limits":{{"memory":"256Mi"}},"requests":{{"cpu":"100m","memory":"128Mi"}}}},"securityContext":{{"allowPrivilegeEscalation":false,"capabilities":{{"drop":["ALL"]}}}},"terminationMessagePath":"/dev/termination-log","volumeMounts":[{{"mountPath":"/etc/app","name":"config","readOnly":true}},{{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-x{number:05}","readOnly":true}}]}}],"dnsPolicy":"ClusterFirst","enableServiceLinks":true,"nodeName":"node-{node}","preemptionPolicy":"PreemptLowerPriority","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{{"runAsNonRoot":true}},"serviceAccount":"app-{app}","serviceAccountName":"app-{app}","tolerations":[{{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300}}],"volumes":[{{"configMap":{{"defaultMode":420,"name":"app-{app}"}},"name":"config"}},{{"name":"kube-api-access-x{number:05}","projected":{{"defaultMode":420,"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"items":[{{"key":"ca.crt","path":"ca.crt"}}],"name":"kube-root-ca.crt"}}}}]}}}}]}},"#).expect("room to write");
    write!(text, r#""status":{{"conditions":[{{"lastTransitionTime":"2026-05-01T10:00:09Z","status":"True","type":"Ready"}},{{"lastTransitionTime":"2026-05-01T10:00:02Z","status":"True","type":"PodScheduled"}}],"containerStatuses":[{{"containerID":"containerd://9d1f{number:08}","image":"registry.example.com/team-{namespace}/app-{app}:1.4.2","name":"web","ready":true,"restartCount":0,"started":true,"state":{{"running":{{"startedAt":"2026-05-01T10:00:05Z"}}}}}}],"hostIP":"10.1.{}.{}","phase":"Running","podIP":"10.{}.{}.{}","podIPs":[{{"ip":"10.{}.{}.{}"}}],"qosClass":"Burstable","startTime":"2026-05-01T10:00:02Z"}}}}"#,
        node / 250, node % 250, 64 + number / 62_500, number / 250 % 250, number % 250, 64 + number / 62_500, number / 250 % 250, number % 250).expect("room to write");
}

/// A compact list of pods.
fn write_list(out: &mut dyn std::io::Write, pods: usize) {
    out.write_all(br#"{"apiVersion":"v1","items":["#)
        .expect("room to write");
    let mut text = String::new();
    for number in 0..pods {
        text.clear();
        text.push_str(if number == 0 { "" } else { "," });
        pod(&mut text, number);
        out.write_all(text.as_bytes()).expect("room to write");
    }
    out.write_all(br#"],"kind":"List"}"#).expect("room to write");
}

fn list_of_pods(criterion: &mut Criterion) {
    let mut text = Vec::new();
    write_list(&mut text, 20_000);
    let mut group = criterion.benchmark_group("collect");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(10);
    group.bench_function("list of pods", |bench| {
        bench.iter(|| {
            let input = Input::Stream {
                name: "pods.json",
                reader: &mut text.as_slice(),
            };
            let (cluster, _) = read(input, &Options::default()).expect("pods");
            assert_eq!(cluster.pods.len(), 20_000);
            black_box(cluster)
        });
    });
    group.finish();
}

/// Reads one file of `pods` pods once.
fn one_large_file(pods: usize) {
    let mut file = std::io::BufWriter::new(tempfile::NamedTempFile::new().expect("a temporary file"));
    write_list(&mut file, pods);
    file.flush().expect("room to write");
    let path = file.get_ref().path();
    let size = std::fs::metadata(path).expect("the file").len();
    let start = Instant::now();
    let (cluster, diagnostics) = read(Input::Path(path), &Options::default()).expect("pods");
    let time = start.elapsed();
    assert_eq!(cluster.pods.len(), pods);
    let megabytes = u32::try_from(size / 1_000_000).unwrap_or(u32::MAX);
    let speed = f64::from(megabytes) / time.as_secs_f64();
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("");
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{megabytes} MB, {pods} pods in {time:?}: {speed:.0} MB/s; {peak}; {} diagnostics",
        diagnostics.len()
    )
    .expect("standard output");
}

criterion_group!(benches, list_of_pods);

fn main() {
    if let Ok(pods) = std::env::var("BEACHHEAD_BENCH_PODS") {
        one_large_file(pods.parse().expect("a number of pods"));
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
