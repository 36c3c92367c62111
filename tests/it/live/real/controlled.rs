//! A whole control plane: what the API server is given becomes pods by the real controllers, placed by the real
//! scheduler, with the accounts and volumes of the real admission.
//!
//! Nodes are objects without a machine; [`Servers::act_as_kubelets`] says of pods what a kubelet would.
//!
//! **Trap.** Controllers work when they like: a test waits for what it wants to see, and never for a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use beachhead::collect::live;
use beachhead::model::{Cluster, Pod};
use serde_json::{Value, json};

use super::{Client, Servers, assets, findings, report, root, say};
use crate::live::run;

/// How long controllers may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);
const NODES: usize = 3;

/// One of each kind of workload that the example lacks, and an account with an old token.
const MORE: &str = r#"
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: logs
  namespace: wiki
spec:
  selector: {matchLabels: {app: logs}}
  template:
    metadata: {labels: {app: logs}}
    spec:
      containers:
      - name: logs
        image: registry.example.com/logs:1
        volumeMounts: [{name: host, mountPath: /host}]
      volumes: [{name: host, hostPath: {path: /var/log}}]
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: backup
  namespace: wiki
spec:
  schedule: "17 3 * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          serviceAccountName: backup
          containers: [{name: backup, image: "registry.example.com/backup:1"}]
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: backup
  namespace: wiki
---
apiVersion: v1
kind: Secret
metadata:
  name: backup-token
  namespace: wiki
  annotations: {kubernetes.io/service-account.name: backup}
type: kubernetes.io/service-account-token
---
apiVersion: v1
kind: PersistentVolume
metadata:
  name: disk
spec:
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: /disk}
"#;

fn node(number: usize) -> String {
    format!("apiVersion: v1\nkind: Node\nmetadata:\n  name: n{number}\n")
}

impl Servers {
    /// Starts the API server with all its admission, the controllers and the scheduler, and makes nodes.
    fn with_controllers(assets: &Path) -> Self {
        let mut servers = Self::launch(assets, "kube-apiserver", &[]);
        let kubeconfig = format!("--kubeconfig={}", servers.kubeconfig("admin").display());
        // They serve nothing: port 0.
        let common = [
            kubeconfig,
            "--bind-address=127.0.0.1".to_owned(),
            "--secure-port=0".to_owned(),
            "--leader-elect=false".to_owned(),
            "--kube-api-qps=200".to_owned(),
            "--kube-api-burst=400".to_owned(),
        ];
        let authority = servers.folder.path().join("certificates/apiserver.crt");
        let key = root().join("tests/apiserver/test-key.pem");
        let of_controllers = [
            "--use-service-account-credentials".to_owned(),
            format!("--service-account-private-key-file={}", key.display()),
            format!("--root-ca-file={}", authority.display()),
            // Nobody renews what kubelets say of their nodes.
            "--node-monitor-grace-period=1h".to_owned(),
        ];
        let controllers = [&common[..], &of_controllers].concat();
        servers.run(assets, "kube-controller-manager", &controllers);
        servers.run(assets, "kube-scheduler", &common);
        for number in 0..NODES {
            assert!(servers.create(&node(number), "default"));
            let status = json!({"status": {
                "capacity": {"cpu": "8", "memory": "32Gi", "pods": "110"},
                "allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                "addresses": [{"type": "InternalIP", "address": format!("192.0.2.{}", number + 1)}],
            }});
            let path = format!("/api/v1/nodes/n{number}/status");
            patch(&servers.client("admin"), &path, &status);
        }
        servers
    }

    /// Makes a nightly CronJob due: it was made long ago, and two nights were missed since it ran.
    fn is_due(&self, namespace: &str, name: &str) {
        let before = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48);
        let status =
            json!({"status": {"lastScheduleTime": before.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()}});
        let path = format!("/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}/status");
        patch(&self.client("admin"), &path, &status);
    }

    /// Runs every pod that has a node, until what is wanted is there.
    fn act_as_kubelets(&self, wants: &str, mut is_there: impl FnMut(&[Value]) -> bool) {
        let (client, began) = (self.client("admin"), Instant::now());
        let mut addresses = BTreeMap::<String, usize>::new();
        loop {
            let list = client
                .send("GET", "/api/v1/pods", "application/json", "")
                .unwrap();
            let list: Value = serde_json::from_str(&list).unwrap();
            let pods = list["items"].as_array().unwrap();
            if is_there(pods) {
                return;
            }
            for pod in pods {
                let is_new = pod["spec"]["nodeName"].is_string() && pod["status"]["phase"] == "Pending";
                if is_new && pod["metadata"]["deletionTimestamp"].is_null() {
                    let next = addresses.len();
                    let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
                    start(&client, pod, *addresses.entry(uid).or_insert(next));
                }
            }
            assert!(began.elapsed() < PATIENCE, "{wants}: {list:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

fn patch(client: &Client, path: &str, body: &Value) {
    let kind = "application/strategic-merge-patch+json";
    client.send("PATCH", path, kind, &body.to_string()).unwrap();
}

/// Says of a pod that its containers run, at an address of its own.
fn start(client: &Client, pod: &Value, number: usize) {
    let address = format!("10.1.{}.{}", number / 250, number % 250 + 1);
    let containers: Vec<Value> = (pod["spec"]["containers"].as_array().unwrap().iter())
        .map(|container| {
            json!({"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0,
                "ready": true, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}})
        })
        .collect();
    let status = json!({"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "containerStatuses": containers,
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}],
    }});
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (namespace, name) = (
        text(&pod["metadata"]["namespace"]),
        text(&pod["metadata"]["name"]),
    );
    patch(
        client,
        &format!("/api/v1/namespaces/{namespace}/pods/{name}/status"),
        &status,
    );
}

/// Whether so many pods run whose names begin so.
fn run_now(pods: &[Value], prefix: &str, count: usize) -> bool {
    let running = pods.iter().filter(|pod| {
        let name = pod["metadata"]["name"].as_str().unwrap();
        name.starts_with(prefix) && pod["status"]["phase"] == "Running"
    });
    running.count() >= count
}

/// The workload of every pod of a namespace, with the number of its pods.
fn workloads(cluster: &Cluster, namespace: &str) -> BTreeMap<String, usize> {
    let mut workloads = BTreeMap::new();
    for pod in cluster
        .pods
        .values()
        .filter(|pod| *pod.meta.namespace == *namespace)
    {
        *workloads.entry(cluster.workload_of(pod).to_string()).or_insert(0) += 1;
    }
    workloads
}

/// Whether admission gave a pod the volume with its account's token.
fn has_token(pod: &Pod) -> bool {
    let projected = pod
        .spec
        .volumes
        .iter()
        .filter_map(|volume| volume.projected.as_ref());
    let mut sources = projected.flat_map(|projected| &projected.sources);
    sources.any(|source| source.service_account_token.is_some())
}

#[test]
fn what_controllers_and_scheduler_make_is_read_as_what_manifests_say() {
    let name = "what_controllers_and_scheduler_make_is_read_as_what_manifests_say";
    let Some(assets) = assets(name) else { return };
    let servers = Servers::with_controllers(&assets);
    servers.bind_least_role();
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(root().join("examples/clusters/blog")).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("more.yaml"), MORE).unwrap();
    let applied = servers.apply(folder.path(), "default");
    let began = Instant::now();
    servers.is_due("wiki", "backup");
    servers.act_as_kubelets("every workload runs", |pods| {
        let all = [
            ("wordpress-", 2),
            ("mysql-0", 1),
            ("sender-", 1),
            ("wiki-", 1),
            ("logs-", NODES),
            ("backup-", 1),
        ];
        all.iter().all(|(prefix, count)| run_now(pods, prefix, *count)) && servers.slices_are_full()
    });
    say(&format!("{name}: made and placed in {:.1?}", began.elapsed()));

    let live = live::read(&servers.options("reader"), &mut |_| {}).unwrap();
    let cluster = &live.cluster;
    assert_eq!(cluster.coverage.refused, []);
    let of_blog = [("Deployment/blog/wordpress", 2), ("StatefulSet/blog/mysql", 1)];
    assert_eq!(workloads(cluster, "blog"), counts(&of_blog));
    let mut of_wiki = workloads(cluster, "wiki");
    let backups = of_wiki.remove("CronJob/wiki/backup").unwrap();
    assert!(backups >= 1, "a Job of a CronJob is its own");
    assert_eq!(
        of_wiki,
        counts(&[("Deployment/wiki/wiki", 1), ("DaemonSet/wiki/logs", NODES)])
    );
    for pod in cluster.pods.values() {
        let (name, placed) = cluster.node_of(pod);
        assert!(
            placed && cluster.nodes.get("Node", "", &name).is_some(),
            "{}",
            pod.meta.name
        );
        // As their manifests say.
        let wants = !["mysql", "sender"].contains(&&*cluster.workload_of(pod).name);
        assert_eq!(has_token(pod), wants, "{}", pod.meta.name);
    }
    let token = cluster.secret("wiki", "backup-token").unwrap();
    assert_eq!(token.token_of().map(|name| &**name), Some("backup"));
    assert!(cluster.config_map("wiki", "kube-root-ca.crt").is_some());
    let slices: BTreeSet<String> = (cluster.endpoint_slices.values())
        .flat_map(|slice| &slice.endpoints)
        .filter_map(|endpoint| Some(endpoint.target_ref.as_ref()?.name.to_string()))
        .collect();
    for pod in cluster.pods.values().filter(|pod| *pod.meta.namespace == *"blog") {
        assert!(slices.contains(&*pod.meta.name), "{slices:?}");
    }

    // The files say the same, once they name the nodes.
    let nodes: Vec<String> = (0..NODES).map(node).collect();
    let files = folder.path().join("objects.yaml");
    fs::write(&files, format!("{applied}---\n{}", nodes.join("---\n"))).unwrap();
    let of_files = report(&[files.to_str().unwrap()]);
    let of_cluster = report(&["--kubeconfig", servers.kubeconfig("reader").to_str().unwrap()]);
    assert_eq!(findings(&of_cluster), findings(&of_files));
    assert!(findings(&of_files).len() >= 2, "{:#?}", findings(&of_files));
}

fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

impl Servers {
    /// Whether the pods of the example's Services are in slices, and ready.
    fn slices_are_full(&self) -> bool {
        let path = "/apis/discovery.k8s.io/v1/namespaces/blog/endpointslices";
        let list: Value = serde_json::from_str(&self.ask("admin", "GET", path, "").unwrap()).unwrap();
        let slices = list["items"].as_array().unwrap().iter();
        let endpoints = slices.flat_map(|slice| slice["endpoints"].as_array().into_iter().flatten());
        endpoints.filter(|one| one["conditions"]["ready"] == true).count() >= 3
    }
}

/// The job of `examples/in-cluster`: its pod is made by the controllers under the level `restricted`, and what its own
/// token may read is everything.
#[test]
fn the_job_in_the_cluster_is_made_by_its_schedule_and_reads_with_its_own_token() {
    let name = "the_job_in_the_cluster_is_made_by_its_schedule_and_reads_with_its_own_token";
    let Some(assets) = assets(name) else { return };
    let servers = Servers::with_controllers(&assets);
    assert!(servers.create(&live::role(None), "default"));
    let text = fs::read_to_string(root().join("examples/in-cluster/beachhead.yaml")).unwrap();
    let (_, disk) = MORE.rsplit_once("---\n").unwrap();
    for document in text
        .split("---\n")
        .filter(|document| document.contains("kind:"))
        .chain([disk])
    {
        assert!(servers.create(document, "default"), "{document}");
    }
    servers.is_due("beachhead", "beachhead");
    let mut pod = Value::Null;
    servers.act_as_kubelets("the job's pod runs", |pods| {
        let running = pods.iter().find(|pod| pod["status"]["phase"] == "Running");
        pod = running.cloned().unwrap_or_default();
        running.is_some()
    });
    let account = "/api/v1/namespaces/beachhead/serviceaccounts/beachhead/token";
    assert_eq!(pod["spec"]["serviceAccountName"], "beachhead");
    let bound = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]},
    }});
    let answer = servers.ask("admin", "POST", account, &bound.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let token = answer["status"]["token"].as_str().unwrap();
    let kubeconfig = servers.kubeconfig_of("job", &format!("token: '{token}'"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cluster.bh");
    let arguments: Vec<String> =
        serde_json::from_value(pod["spec"]["containers"][0]["args"].clone()).unwrap();
    let arguments = arguments
        .iter()
        .map(|argument| argument.replace("/snapshots/cluster.bh", file.to_str().unwrap()));
    let more = ["--require-complete", "--kubeconfig", kubeconfig.to_str().unwrap()].map(str::to_owned);
    let arguments: Vec<String> = arguments.chain(more).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, _, err) = run(&arguments);
    assert_eq!(code, 0, "{err}");
    let (cluster, _) = beachhead::collect::snapshot::read(fs::File::open(&file).unwrap()).unwrap();
    assert_eq!(
        workloads(&cluster, "beachhead").keys().collect::<Vec<_>>(),
        ["CronJob/beachhead/beachhead"]
    );
}
