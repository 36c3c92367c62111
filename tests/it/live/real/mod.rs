//! A real kube-apiserver over a real etcd, on loopback: what is read from it is what was put in.
//!
//! `KUBEBUILDER_ASSETS` names the folder with both programs; `tests/apiserver/build` makes them. Without it these
//! tests say so and do nothing.
//!
//! **Trap.** No controller and no kubelet runs, but in `controlled`: workloads have no pods, as in manifests.

mod access;
mod controlled;
mod faults;
mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use beachhead::collect::live::{self, Options};
use beachhead::collect::{read_text, snapshot};
use beachhead::model::{Cluster, KINDS, Text};
use serde_json::Value;

use super::fake::Asked;

/// How long the servers may take to start on a busy machine.
const START: Duration = Duration::from_mins(2);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says something past the test runner, which keeps the output of tests that pass to itself.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The folder with the programs, or a loud word that there is none.
fn assets(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    if folder.is_none() {
        say(&format!(
            "SKIPPED {test}: KUBEBUILDER_ASSETS names no kube-apiserver; see tests/apiserver/build"
        ));
    }
    folder
}

/// The servers, which end with this value.
struct Servers {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    port: u16,
    /// The address of etcd.
    etcd: String,
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Servers {
    fn start(assets: &Path) -> Self {
        Self::start_with(assets, "kube-apiserver", &[])
    }

    /// Starts another build of the API server, or one with further arguments, where nobody makes accounts.
    fn start_with(assets: &Path, program: &str, more: &[&str]) -> Self {
        // Admission would want the accounts.
        let alone = ["--disable-admission-plugins=ServiceAccount"];
        Self::launch(assets, program, &[&alone, more].concat())
    }

    fn launch(assets: &Path, program: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut servers = Self {
            children: Vec::new(),
            folder,
            port: free_port(),
            etcd: format!("http://127.0.0.1:{}", free_port()),
        };
        let at = |name: &str| servers.folder.path().join(name).display().to_string();
        let keys = |name: &str| root().join("tests/apiserver").join(name).display().to_string();
        let tokens = "canary-admin,admin,1,\"system:masters\"\ncanary-reader,reader,2\n";
        fs::write(at("tokens.csv"), tokens).unwrap();
        let client = servers.etcd.clone();
        let peer = format!("http://127.0.0.1:{}", free_port());
        let etcd = [
            format!("--data-dir={}", at("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        let mut apiserver = vec![
            format!("--etcd-servers={client}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", servers.port),
            format!("--cert-dir={}", at("certificates")),
            format!("--token-auth-file={}", at("tokens.csv")),
            format!("--client-ca-file={}", keys("test-authority.pem")),
            "--authorization-mode=RBAC".to_owned(),
            "--service-account-issuer=https://beachhead.invalid".to_owned(),
            format!("--service-account-key-file={}", keys("test-public.pem")),
            format!("--service-account-signing-key-file={}", keys("test-key.pem")),
            "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
            "--allow-privileged".to_owned(),
        ];
        servers.run(assets, "etcd", &etcd);
        apiserver.extend(more.iter().map(|argument| (*argument).to_owned()));
        servers.run(assets, program, &apiserver);
        servers.wait();
        servers
    }

    fn run(&mut self, assets: &Path, program: &str, arguments: &[String]) {
        let log = self.folder.path().join(format!("{program}.log"));
        let child = Command::new(assets.join(program))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} in KUBEBUILDER_ASSETS: {error}"));
        self.children.push(child);
    }

    /// Waits until the server is ready, with its default roles.
    fn wait(&mut self) {
        let began = Instant::now();
        let role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin";
        while !self.folder.path().join("certificates/apiserver.crt").exists()
            || self.ask("admin", "GET", "/readyz", "").is_err()
            || self.ask("admin", "GET", role, "").is_err()
        {
            for child in &mut self.children {
                let ended = child.try_wait().unwrap();
                assert!(
                    ended.is_none(),
                    "a server ended: {}",
                    self.folder.path().display()
                );
            }
            assert!(began.elapsed() < START, "the API server is not ready");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn kubeconfig(&self, user: &str) -> PathBuf {
        self.kubeconfig_of(user, &format!("token: canary-{user}"))
    }

    /// Writes a kubeconfig whose user has these members.
    fn kubeconfig_of(&self, user: &str, members: &str) -> PathBuf {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        // Each has a name of its own: several threads write and read them.
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{user}-{number}.kubeconfig"));
        let authority = self.folder.path().join("certificates/apiserver.crt");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             contexts: [{{name: test, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: '{}'}}}}]\n\
             users: [{{name: u, user: {{{members}}}}}]\n",
            self.port,
            authority.display()
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn options(&self, user: &str) -> Options {
        Options {
            kubeconfig: Some(self.kubeconfig(user)),
            max_qps: 1000,
            ..Options::default()
        }
    }

    /// A client as a user.
    fn client(&self, user: &str) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let file = kube::config::Kubeconfig::read_from(self.kubeconfig(user)).unwrap();
            let options = kube::config::KubeConfigOptions::default();
            let mut config = kube::Config::from_custom_kubeconfig(file, &options)
                .await
                .unwrap();
            config.default_retry = false;
            kube::Client::try_from(config).unwrap()
        });
        Client { runtime, client }
    }

    /// Sends a request as a user; what the server says if it is no success.
    fn ask(&self, user: &str, method: &str, path: &str, yaml: &str) -> Result<String, String> {
        self.client(user).send(method, path, "application/yaml", yaml)
    }

    /// Passes on what a proxy got, as whoever sent it.
    fn forward(&self, asked: &Asked) -> (u16, String) {
        let user = asked.headers["authorization"].trim_start_matches("Bearer canary-");
        let Client { runtime, client } = self.client(user);
        let target = match asked.query.as_str() {
            "" => asked.path.clone(),
            query => format!("{}?{query}", asked.path),
        };
        let request = http::Request::builder()
            .method(asked.method.as_str())
            .uri(target)
            .header("Accept", asked.accept())
            .header("Content-Type", "application/json")
            .body(kube::client::Body::from(asked.body.clone().into_bytes()))
            .unwrap();
        runtime.block_on(async {
            let (parts, body) = client.send(request).await.unwrap().into_parts();
            let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
        })
    }

    /// Lets etcd forget all but the present.
    fn compact(&self) {
        let address = self.etcd.trim_start_matches("http://");
        let post = |path: &str, body: &str| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: etcd\r\nContent-Length: {length}\r\nConnection: close"
            );
            write!(stream, "{head}\r\n\r\n{body}").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = post("/v3/kv/range", r#"{"key":"AA=="}"#);
        let (_, rest) = answer
            .split_once(r#""revision":""#)
            .unwrap_or_else(|| panic!("{answer}"));
        let revision = rest.split('"').next().unwrap();
        let body = format!(r#"{{"revision":"{revision}","physical":true}}"#);
        let answer = post("/v3/kv/compaction", &body);
        let is_done = answer.starts_with("HTTP/1.1 200") || answer.contains("has been compacted");
        assert!(is_done, "{answer}");
    }

    /// What a dump of whole lists gives, as `kubectl` would make it.
    fn dump(&self, resources: &[Text]) -> Cluster {
        let mut lists = Vec::new();
        for known in KINDS {
            let (name, root) = if known.group.is_empty() {
                (known.resource.to_owned(), "/api/v1".to_owned())
            } else {
                let name = format!("{}.{}", known.resource, known.group);
                (name, format!("/apis/{}/v1", known.group))
            };
            if resources.iter().any(|resource| **resource == *name) {
                let path = format!("{root}/{}", known.resource);
                lists.push(self.ask("admin", "GET", &path, "").unwrap());
            }
        }
        read_text("dump", &lists.join("\n"), "default").0
    }

    /// Creates the one object of a document; false if it is none that this server serves.
    fn create(&self, document: &str, default_namespace: &str) -> bool {
        let (cluster, _) = read_text("document", document, default_namespace);
        let mut objects = cluster
            .objects()
            .filter(|(id, _)| !cluster.stand_ins.contains(id));
        let (Some((id, _)), None) = (objects.next(), objects.next()) else {
            return false;
        };
        let version = document
            .lines()
            .find_map(|line| line.strip_prefix("apiVersion: "));
        let version = version.unwrap().trim().trim_matches('"');
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let known = KINDS
            .iter()
            .find(|known| *known.kind == *id.kind && known.group == group);
        let Some(known) = known.filter(|known| !known.kind.ends_with("WebhookConfiguration")) else {
            return false;
        };
        let root = if group.is_empty() { "api" } else { "apis" };
        let within = if known.namespaced {
            format!("namespaces/{}/", id.namespace)
        } else {
            String::new()
        };
        let path = format!("/{root}/{version}/{within}{}", known.resource);
        match self.ask("admin", "POST", &path, document) {
            Ok(_) => true,
            Err(error) if error.contains("already exists") => false,
            Err(error) if error.contains("could not find the requested resource") => false,
            Err(error) => panic!("{id}: {error}"),
        }
    }

    fn create_namespace(&self, name: &str) {
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n");
        self.create(&namespace, "default");
    }

    /// Gives the reader what the least role allows.
    fn bind_least_role(&self) {
        assert!(self.create(&live::role(None), "default"));
        self.bind("beachhead", "User", "reader");
    }

    /// Binds a ClusterRole to somebody.
    fn bind(&self, role: &str, kind: &str, name: &str) {
        let binding = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: test-{role}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\n\
             subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: '{name}'}}]\n"
        );
        assert!(self.create(&binding, "default"));
    }
}

/// A client with the runtime that it lives in.
struct Client {
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
}

impl Client {
    /// Sends a request; what the server says if it is no success.
    fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> Result<String, String> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", kind)
            .body(body.as_bytes().to_vec())
            .unwrap();
        let answer = self.runtime.block_on(self.client.request_text(request));
        answer.map_err(|error| error.to_string())
    }
}

/// The documents of the manifests in a folder.
fn documents(folder: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let ending = file.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("yaml" | "yml")) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut document = String::new();
        for line in text.lines().chain(["---"]) {
            if line.starts_with("---") {
                documents.extend(items(&std::mem::take(&mut document)));
            } else {
                document.push_str(line);
                document.push('\n');
            }
        }
    }
    documents
}

/// The objects of a document: those of a list, else itself.
fn items(document: &str) -> Vec<String> {
    let is_list = document.lines().any(|line| line == "kind: List");
    let Some((_, items)) = document.split_once("\nitems:\n").filter(|_| is_list) else {
        return vec![document.to_owned()];
    };
    let items = format!("\n{items}");
    let items = items.split("\n  - ").filter(|item| !item.trim().is_empty());
    items.map(|item| item.replace("\n    ", "\n") + "\n").collect()
}

/// The report as JSON, without what differs by nature: the name of the input, the moment, remarks.
fn report(arguments: &[&str]) -> Value {
    let output = assert_cmd::Command::cargo_bin("beachhead")
        .unwrap()
        .arg("report")
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"))
}

/// What an answer is about: for each finding its id, its severity and the techniques of its steps.
fn findings(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| {
            let steps = finding["path"]["steps"].as_array().unwrap().iter();
            let steps: Vec<&str> = steps.map(|step| step["technique"].as_str().unwrap()).collect();
            format!("{} {} {}", finding["id"], finding["severity"], steps.join(" "))
        })
        .collect()
}

/// What default rights look like in steps: which there are depends on the version, which files do not tell.
const OF_A_VERSION: &[&str] = &["kube-system/", "-by-get/"];
/// The same for versions whose default rights are not those of the tables.
const OF_AN_OLD_VERSION: &[&str] = &["kube-system/", "-by-get/", "/system:"];

/// The steps of the attack graph without some: technique, premises, conclusion.
fn steps(input: &Path, default_namespace: &str, without: &[&str]) -> BTreeSet<String> {
    let output = assert_cmd::Command::cargo_bin("beachhead")
        .unwrap()
        .arg("graph")
        .arg(input)
        .args(["--format", "json", "--default-namespace", default_namespace])
        .output()
        .unwrap();
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = graph["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| {
            format!(
                "{} {} {}",
                step["technique"], step["premises"], step["conclusion"]
            )
        })
        .filter(|step| !without.iter().any(|word| step.contains(word)))
        .collect()
}

impl Servers {
    /// Creates what the manifests in a folder hold, and returns the documents that were created.
    fn apply(&self, manifests: &Path, default_namespace: &str) -> String {
        let documents = documents(manifests);
        let (cluster, _) = read_text("manifests", &documents.join("---\n"), default_namespace);
        for namespace in cluster.namespace_names() {
            if cluster.namespaces.get("Namespace", "", &namespace).is_none() {
                self.create_namespace(&namespace);
            }
        }
        // Namespaces before what lives in them; other orders do not matter to the server.
        let is_first = |document: &&String| document.contains("kind: Namespace");
        let (first, rest): (Vec<_>, Vec<_>) = documents.iter().partition(is_first);
        let mut applied = Vec::new();
        for document in first.into_iter().chain(rest) {
            if self.create(document, default_namespace) {
                applied.push(document.as_str());
            }
        }
        assert!(
            applied.len() > 5,
            "{} objects of {}",
            applied.len(),
            manifests.display()
        );
        applied.join("---\n")
    }
}

/// Applies manifests to a server and holds what is read from it against what is read from them.
fn holds(servers: &Servers, manifests: &Path, default_namespace: &str, without: &[&str]) {
    servers.bind_least_role();
    let applied = servers.apply(manifests, default_namespace);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("applied.yaml"), &applied).unwrap();
    let live = live::read(&servers.options("reader"), &mut |_| {}).unwrap();
    assert_eq!(
        live.cluster.coverage.refused,
        [],
        "the least role does not suffice"
    );
    let (files, _) = read_text("applied", &applied, default_namespace);
    let dump = servers.dump(&live.cluster.coverage.collected);
    same_objects(&live.cluster, &files, &dump);
    let kubeconfig = servers.kubeconfig("reader");
    let of_cluster = report(&["--kubeconfig", kubeconfig.to_str().unwrap()]);
    let of_files = report(&[
        folder.path().to_str().unwrap(),
        "--default-namespace",
        default_namespace,
    ]);
    let workloads = |report: &Value| -> BTreeSet<String> {
        let exposed = report["exposed"].as_array().unwrap();
        exposed.iter().map(|one| one["workload"].to_string()).collect()
    };
    assert_eq!(
        workloads(&of_cluster),
        workloads(&of_files),
        "{}",
        manifests.display()
    );
    assert_eq!(
        findings(&of_cluster),
        findings(&of_files),
        "{}",
        manifests.display()
    );
    let file = folder.path().join("live.bh");
    snapshot::write(&file, &live.cluster, &live.diagnostics).unwrap();
    let of_cluster = steps(&file, default_namespace, without);
    let of_files = steps(&folder.path().join("applied.yaml"), default_namespace, without);
    let missing: Vec<_> = of_files.difference(&of_cluster).collect();
    assert!(
        missing.is_empty(),
        "{}: not in the live cluster: {missing:#?}",
        manifests.display()
    );
    say(&format!(
        "{}: {} objects read in {} requests and {} bytes, {} steps alike",
        manifests.display(),
        live.objects,
        live.requests,
        live.bytes,
        of_files.len(),
    ));
}

/// Holds a live cluster against the manifests that were applied to it and a dump of the same server.
fn same_objects(live: &Cluster, files: &Cluster, dump: &Cluster) {
    let (read, dumped) = (objects(live), objects(dump));
    for id in objects(files).keys() {
        assert!(read.contains_key(id), "{id} is not in the live cluster");
    }
    for (id, object) in &dumped {
        assert_eq!(read.get(id), Some(object), "{id}");
    }
    for id in read.keys() {
        assert!(dumped.contains_key(id), "{id} is not in a dump");
    }
}

/// The objects as they are written to snapshots, without where they were read.
fn objects(cluster: &Cluster) -> BTreeMap<String, Value> {
    let read = cluster
        .objects()
        .filter(|(id, _)| !cluster.stand_ins.contains(id));
    read.map(|(id, object)| (id.to_string(), serde_json::to_value(object).unwrap()))
        .collect()
}

#[test]
fn a_real_server_gives_what_manifests_give() {
    if let Some(assets) = assets("a_real_server_gives_what_manifests_give") {
        let servers = Servers::start(&assets);
        let blog = root().join("examples/clusters/blog");
        holds(&servers, &blog, "default", OF_A_VERSION);
    }
}

/// A version of the time when servers were asked group by group.
#[test]
fn an_older_server_gives_the_same() {
    let name = "an_older_server_gives_the_same";
    let Some(assets) = assets(name) else { return };
    if !assets.join("kube-apiserver-older").exists() {
        say(&format!(
            "SKIPPED {name}: `tests/apiserver/build older` has not built one"
        ));
        return;
    }
    let servers = Servers::start_with(&assets, "kube-apiserver-older", &[]);
    let blog = root().join("examples/clusters/blog");
    holds(&servers, &blog, "default", OF_AN_OLD_VERSION);
    let live = live::read(&servers.options("reader"), &mut |_| {}).unwrap();
    let coverage = &live.cluster.coverage;
    let minor: u32 = coverage
        .server_version
        .split('.')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(minor + 4 <= 37, "{}", coverage.server_version);
    let newer = "validatingadmissionpolicies.admissionregistration.k8s.io";
    assert!(coverage.absent.contains(&newer.into()), "{:?}", coverage.absent);
}

/// Applies the systems that `BEACHHEAD_SYSTEMS` names, folders with `manifests` and `expected.json`.
#[test]
fn a_real_server_gives_what_manifests_of_systems_give() {
    let Some(assets) = assets("a_real_server_gives_what_manifests_of_systems_give") else {
        return;
    };
    let Some(systems) = std::env::var_os("BEACHHEAD_SYSTEMS") else {
        say("SKIPPED a_real_server_gives_what_manifests_of_systems_give: BEACHHEAD_SYSTEMS names none");
        return;
    };
    for system in std::env::split_paths(&systems) {
        let expected = fs::read(system.join("expected.json")).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let namespace = expected["apply_namespace"].as_str().unwrap();
        let servers = Servers::start(&assets);
        holds(&servers, &system.join("manifests"), namespace, OF_A_VERSION);
    }
}

#[test]
fn an_account_of_one_namespace_is_told_what_it_does_not_see() {
    let Some(assets) = assets("an_account_of_one_namespace_is_told_what_it_does_not_see") else {
        return;
    };
    let servers = Servers::start(&assets);
    servers.create_namespace("shop");
    servers.create_namespace("bank");
    let map = |namespace: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {namespace}}}\n")
    };
    assert!(servers.create(&map("shop"), "") && servers.create(&map("bank"), ""));
    assert!(servers.create(&live::role(Some("shop")), ""));
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: beachhead, namespace: shop}\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: beachhead}\n\
         subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]\n";
    assert!(servers.create(binding, ""));
    let options = Options {
        namespace: Some("shop".to_owned()),
        ..servers.options("reader")
    };
    let live = live::read(&options, &mut |_| {}).unwrap();
    assert_eq!(live.cluster.config_maps.len(), 1);
    let refused = &live.cluster.coverage.refused;
    assert!(!refused.is_empty());
    for refusal in refused {
        let namespaced = KINDS.iter().find(|kind| {
            let name = Text::new(&if kind.group.is_empty() {
                kind.resource.to_owned()
            } else {
                format!("{}.{}", kind.resource, kind.group)
            });
            name == refusal.resource
        });
        assert!(namespaced.is_none_or(|kind| !kind.namespaced), "{refusal:?}");
        assert!(
            refusal
                .reason
                .starts_with("forbidden: User \"reader\" cannot list"),
            "{refusal:?}"
        );
    }
}

#[test]
fn the_job_in_the_cluster_is_admitted_and_may_read_everything() {
    let Some(assets) = assets("the_job_in_the_cluster_is_admitted_and_may_read_everything") else {
        return;
    };
    let servers = Servers::start(&assets);
    assert!(servers.create(&live::role(None), "default"));
    let text = fs::read_to_string(root().join("examples/in-cluster/beachhead.yaml")).unwrap();
    for document in text.split("---\n").filter(|document| document.contains("kind:")) {
        assert!(servers.create(document, "default"), "{document}");
    }
    // The pod that its controller would make, under the level `restricted` of its namespace.
    let (cluster, _) = read_text("job", &text, "default");
    let job = cluster
        .workloads
        .get("CronJob", "beachhead", "beachhead")
        .unwrap();
    assert_eq!(job.template().spec.service_account_name, "beachhead");
    let (_, template) = text.split_once("        spec:\n          restartPolicy").unwrap();
    let template = template.replace("\n          ", "\n  ");
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: job, namespace: beachhead}}\nspec:\n  restartPolicy{template}"
    );
    assert!(servers.create(&pod, "default"), "{pod}");
    let unsafe_pod = pod
        .replace("name: job,", "name: other,")
        .replace("runAsNonRoot: true", "runAsNonRoot: false");
    let path = "/api/v1/namespaces/beachhead/pods";
    let refused = servers.ask("admin", "POST", path, &unsafe_pod).unwrap_err();
    assert!(refused.contains("violates PodSecurity"), "{refused}");
    let options = Options {
        impersonate: Some("system:serviceaccount:beachhead:beachhead".to_owned()),
        ..servers.options("admin")
    };
    let live = live::read(&options, &mut |_| {}).unwrap();
    assert_eq!(live.cluster.coverage.refused, []);
}
