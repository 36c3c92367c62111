//! Ten thousand pods and two thousand policies on a real server: how long a snapshot takes, and whom it disturbs.
//!
//! It takes minutes, so it runs only where `BEACHHEAD_LOAD` is set.
//!
//! **Trap.** The figures are of this program's debug build, beside the servers, on whatever machine it is.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Servers, assets, say};

const PODS: usize = 10_000;
const NODES: usize = 200;
const POLICIES: usize = 2_000;
const NAMESPACES: usize = 50;
/// Clients that create at the same time.
const CREATORS: usize = 8;

/// One request of the load: path, method and object.
type Load = (String, &'static str, String);

fn node(number: usize) -> Load {
    let node = format!(r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n{number}"}}}}"#);
    ("/api/v1/nodes".to_owned(), "POST", node)
}

fn pod(number: usize) -> Load {
    let (namespace, node) = (number % NAMESPACES, number % NODES);
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{number}","labels":{{"app":"a{}"}}}},"spec":{{"nodeName":"n{node}",
        "containers":[{{"name":"web","image":"registry.example.com/shop/web:1.2.3","ports":[{{"containerPort":8080}}],
        "env":[{{"name":"DB_HOST","value":"db"}}],"resources":{{"requests":{{"cpu":"10m"}}}}}}]}}}}"#,
        number % 100
    );
    (format!("/api/v1/namespaces/n{namespace}/pods"), "POST", pod)
}

/// What a kubelet would say.
fn status(number: usize) -> Load {
    let namespace = number % NAMESPACES;
    let status = format!(
        r#"{{"status":{{"phase":"Running","podIP":"10.{}.{}.{}","conditions":[{{"type":"Ready","status":"True"}}]}}}}"#,
        number >> 16,
        (number >> 8) & 255,
        number & 255
    );
    let path = format!("/api/v1/namespaces/n{namespace}/pods/p{number}/status");
    (path, "PATCH", status)
}

fn policy(number: usize) -> Load {
    let namespace = number % NAMESPACES;
    let policy = format!(
        r#"{{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{{"name":"np{number}"}},"spec":{{
        "podSelector":{{"matchLabels":{{"app":"a{}"}}}},"ingress":[{{"from":[{{"podSelector":{{}}}}]}}]}}}}"#,
        number % 100
    );
    let path = format!("/apis/networking.k8s.io/v1/namespaces/n{namespace}/networkpolicies");
    (path, "POST", policy)
}

/// Sends requests, a few at a time.
fn send(servers: &Servers, count: usize, make: fn(usize) -> Load) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CREATORS {
            scope.spawn(|| {
                let client = servers.client("admin");
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let (path, method, body) = make(number);
                    let kind = match method {
                        "PATCH" => "application/merge-patch+json",
                        _ => "application/json",
                    };
                    client.send(method, &path, kind, &body).unwrap();
                }
            });
        }
    });
}

/// How long requests of someone else take, as long as it goes on: the median and the 99th of a hundred.
fn latencies(servers: &Servers, goes_on: &AtomicBool) -> (Duration, Duration) {
    let client = servers.client("admin");
    let mut taken = Vec::new();
    while goes_on.load(Ordering::Relaxed) || taken.len() < 100 {
        let began = Instant::now();
        let path = "/api/v1/namespaces/default";
        client.send("GET", path, "application/json", "").unwrap();
        taken.push(began.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    taken.sort();
    (taken[taken.len() / 2], taken[taken.len() * 99 / 100])
}

/// What one snapshot took.
struct Taken {
    time: Duration,
    /// The most memory that it held, in KiB.
    peak: u64,
    /// What it says of itself.
    words: String,
}

fn snapshot(servers: &Servers, file: &std::path::Path) -> Taken {
    let began = Instant::now();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("beachhead"))
        .args(["snapshot", "--require-complete", "--kubeconfig"])
        .arg(servers.kubeconfig("reader"))
        .arg("-o")
        .arg(file)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(most_held(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let time = began.elapsed();
    let output = child.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let words = words.lines().next().unwrap_or_default().to_owned();
    Taken { time, peak, words }
}

/// The most memory that a process has held so far, in KiB; 0 once it has ended.
fn most_held(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[test]
fn ten_thousand_pods() {
    let Some(assets) = assets("ten_thousand_pods") else {
        return;
    };
    if std::env::var_os("BEACHHEAD_LOAD").is_none() {
        say("SKIPPED ten_thousand_pods: it takes minutes; set BEACHHEAD_LOAD to run it");
        return;
    }
    let servers = Servers::start(&assets);
    servers.bind_least_role();
    let began = Instant::now();
    for number in 0..NAMESPACES {
        servers.create_namespace(&format!("n{number}"));
    }
    send(&servers, NODES, node);
    send(&servers, PODS, pod);
    send(&servers, PODS, status);
    send(&servers, POLICIES, policy);
    say(&format!("ten_thousand_pods: created in {:.0?}", began.elapsed()));
    let before = latencies(&servers, &AtomicBool::new(false));
    let goes_on = AtomicBool::new(true);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("load.bh");
    let (taken, during) = std::thread::scope(|scope| {
        let during = scope.spawn(|| latencies(&servers, &goes_on));
        let taken = snapshot(&servers, &file);
        goes_on.store(false, Ordering::Relaxed);
        (taken, during.join().unwrap())
    });
    say(&format!(
        "ten_thousand_pods: {}; {:.1?} with writing, peak {} MiB",
        taken.words,
        taken.time,
        taken.peak >> 10
    ));
    say(&format!(
        "ten_thousand_pods: requests of others take {:.1?}, 99% at most {:.1?}; meanwhile {:.1?} and {:.1?}",
        before.0, before.1, during.0, during.1
    ));
    let (cluster, _) = beachhead::collect::snapshot::read(std::fs::File::open(&file).unwrap()).unwrap();
    let read = (
        cluster.pods.len(),
        cluster.nodes.len(),
        cluster.network_policies.len(),
    );
    assert_eq!(read, (PODS, NODES, POLICIES));
    let running = cluster
        .pods
        .values()
        .filter(|pod| &*pod.status.phase == "Running");
    assert_eq!(running.count(), PODS);
    assert!(taken.time < Duration::from_mins(1), "{:?}", taken.time);
    assert!(taken.peak < 300 * 1024, "{} KiB", taken.peak);
}
