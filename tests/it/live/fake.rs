//! A small API server with faults: it serves what a test puts in, keeps what was asked, and fails as told.
//!
//! **Trap.** It stands for the network's and the server's failures only. What a real API server decides is tested
//! against one, in `apiserver`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beachhead::collect::live::Options;

/// What goes wrong with one answer.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Another status, with a header line and a body.
    Status(u16, &'static str, String),
    /// The answer, packed with gzip; only so much of it if there is a number.
    Packed(Option<usize>),
    /// Of the answer only half is sent.
    HalfThenClosed,
    /// Of a body without a length only half is sent, in a way that looks complete.
    HalfThenEnd,
    /// The connection is closed without an answer.
    Closed,
    /// A success with this body.
    Body(&'static str),
    /// A byte now and then.
    Drip,
    /// The server goes away for good.
    Gone,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// Whether it was made to fail.
    pub(super) failed: bool,
    /// Everything that was sent back.
    pub(super) answer: Vec<u8>,
}

impl Asked {
    pub(super) fn accept(&self) -> &str {
        self.headers.get("accept").map_or("", String::as_str)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// Decides about a request, by what was asked so far, whether it fails.
type Faults = Box<dyn Fn(&Asked, &[Asked]) -> Option<Fault> + Send + Sync>;

/// What the server serves.
pub(super) struct Contents {
    /// Lists by path: the kind and the objects as JSON.
    pub(super) lists: BTreeMap<&'static str, (&'static str, Vec<String>)>,
    /// Whether it is older than aggregated discovery.
    pub(super) is_old: bool,
    /// What gives all answers instead, if this is a proxy.
    pub(super) behind: Option<Behind>,
}

/// A server behind a proxy: status and body of an answer.
type Behind = Box<dyn Fn(&Asked) -> (u16, String) + Send + Sync>;

impl Default for Contents {
    fn default() -> Self {
        let mut lists = BTreeMap::new();
        lists.insert("/api/v1/namespaces", ("Namespace", vec![object("", "shop")]));
        lists.insert("/api/v1/nodes", ("Node", Vec::new()));
        let pods = (0..7).map(|at| object("shop", &format!("web-{at}"))).collect();
        lists.insert("/api/v1/pods", ("Pod", pods));
        let secret = r#"{"metadata":{"name":"db","namespace":"shop","managedFields":[{"fieldsV1":{"f:data":{".":{},"f:password":{}}}}]},
            "type":"Opaque","data":{"password":"Y2FuYXJ5"}}"#;
        lists.insert("/api/v1/secrets", ("Secret", vec![secret.to_owned()]));
        lists.insert("/apis/apps/v1/deployments", ("Deployment", Vec::new()));
        Self {
            lists,
            is_old: false,
            behind: None,
        }
    }
}

/// An object with a name and no more.
pub(super) fn object(namespace: &str, name: &str) -> String {
    format!(r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}"}}}}"#)
}

/// The running server.
pub(super) struct Fake {
    port: u16,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_gone: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Fake {
    pub(super) fn start(
        contents: Contents,
        faults: impl Fn(&Asked, &[Asked]) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::run(contents, Box::new(faults), None)
    }

    /// The same behind TLS.
    pub(super) fn start_tls(tls: rustls::ServerConfig) -> Self {
        Self::run(Contents::default(), Box::new(|_, _| None), Some(Arc::new(tls)))
    }

    /// Its host and port.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn run(contents: Contents, faults: Faults, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, is_gone) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let service = Arc::new(Service {
            contents,
            faults,
            asked: Arc::clone(&asked),
            is_gone: Arc::clone(&is_gone),
        });
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if service.is_gone.load(Ordering::Relaxed) {
                    return;
                }
                let (service, tls) = (Arc::clone(&service), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    // Clients come and go.
                    let _ = match tls {
                        Some(tls) => {
                            let session = rustls::ServerConnection::new(tls).unwrap();
                            service.serve(rustls::StreamOwned::new(session, stream))
                        }
                        None => service.serve(stream),
                    };
                });
            }
        });
        Self {
            port,
            scheme,
            asked,
            is_gone,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// All requests so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The paths and queries that were asked for, of one list.
    pub(super) fn asked_of(&self, path: &str) -> Vec<String> {
        let asked = self.asked();
        let of_path = asked.iter().filter(|asked| asked.path == path);
        of_path.map(|asked| asked.query.clone()).collect()
    }

    /// Writes a kubeconfig and returns its path.
    pub(super) fn kubeconfig(&self) -> std::path::PathBuf {
        self.kubeconfig_of("token: canary-token", "")
    }

    /// Writes a kubeconfig whose user and cluster have these members, and returns its path.
    pub(super) fn kubeconfig_of(&self, user: &str, cluster: &str) -> std::path::PathBuf {
        let path = self.folder.path().join("config");
        let (scheme, port) = (self.scheme, self.port);
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             contexts: [{{name: test, context: {{cluster: c, user: u}}}}, {{name: other, context: {{cluster: c, user: v}}}}]\n\
             clusters: [{{name: c, cluster: {{server: '{scheme}://127.0.0.1:{port}', {cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}, {{name: v, user: {{token: other-token}}}}]\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Options that read from it in pages of three objects and do not wait long.
    pub(super) fn options(&self) -> Options {
        Options {
            kubeconfig: Some(self.kubeconfig()),
            ..Self::options_without_kubeconfig()
        }
    }

    /// The same for a kubeconfig that is yet to be named.
    pub(super) fn options_without_kubeconfig() -> Options {
        Options {
            request_timeout: Duration::from_secs(20),
            max_qps: 10_000,
            page_size: Some(3),
            first_pause: Duration::from_millis(1),
            ..Options::default()
        }
    }
}

struct Service {
    contents: Contents,
    faults: Faults,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_gone: Arc<AtomicBool>,
}

impl Service {
    fn serve(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(mut asked) = request(&mut stream)? {
            if self.is_gone.load(Ordering::Relaxed) {
                return Ok(());
            }
            let fault = {
                let before = self.asked.lock().unwrap();
                (self.faults)(&asked, &before)
            };
            let is_failed = fault.is_some();
            let (status, body) = self.answer(&asked);
            let whole = response(status, "", &body);
            let out = stream.get_mut();
            let (sent, goes_on) = match fault {
                None => (whole, true),
                Some(Fault::Status(status, header, body)) => (response(status, header, &body), true),
                Some(Fault::Body(body)) => (response(200, "", body), true),
                Some(Fault::Packed(most)) => {
                    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    gzip.write_all(body.as_bytes())?;
                    let mut packed = gzip.finish()?;
                    packed.truncate(most.unwrap_or(packed.len()));
                    let mut sent = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len()).into_bytes();
                    sent.extend(packed);
                    (sent, true)
                }
                Some(Fault::HalfThenClosed) => (whole[..whole.len() - body.len() / 2].to_vec(), false),
                Some(Fault::HalfThenEnd) => {
                    let half = &body[..body.len() / 2];
                    let head =
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
                    (format!("{head}{half}").into_bytes(), false)
                }
                Some(Fault::Closed) => (Vec::new(), false),
                Some(Fault::Drip) => {
                    for byte in &whole {
                        out.write_all(&[*byte])?;
                        out.flush()?;
                        std::thread::sleep(Duration::from_millis(50));
                    }
                    (Vec::new(), false)
                }
                Some(Fault::Gone) => {
                    self.is_gone.store(true, Ordering::Relaxed);
                    (Vec::new(), false)
                }
            };
            asked.failed = is_failed;
            asked.answer.clone_from(&sent);
            self.asked.lock().unwrap().push(asked);
            out.write_all(&sent)?;
            out.flush()?;
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        if let Some(behind) = &self.contents.behind {
            return behind(asked);
        }
        match asked.path.as_str() {
            "/version" => (
                200,
                r#"{"major":"1","minor":"37","gitVersion":"v1.37.2"}"#.to_owned(),
            ),
            path @ ("/api" | "/apis") if !self.contents.is_old => (200, self.aggregated(path)),
            "/api" => (200, r#"{"kind":"APIVersions","versions":["v1"]}"#.to_owned()),
            "/apis" => (200, self.groups()),
            path => match self.contents.lists.get(everywhere(path).as_str()) {
                Some((kind, objects)) => (200, list(asked, kind, objects)),
                None if self.contents.is_old => (200, self.resources(path)),
                None => (
                    404,
                    status(404, "the server could not find the requested resource"),
                ),
            },
        }
    }

    /// Group, version and resource of each list, with its kind.
    fn served(&self) -> impl Iterator<Item = (&str, &str, &str, &str)> {
        self.contents.lists.iter().map(|(path, (kind, _))| {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.as_slice() {
                ["", "api", version, resource] => ("", *version, *resource, *kind),
                ["", "apis", group, version, resource] => (*group, *version, *resource, *kind),
                other => panic!("{other:?} is no list"),
            }
        })
    }

    fn aggregated(&self, path: &str) -> String {
        let of_core = path == "/api";
        let items: Vec<String> = self
            .served()
            .filter(|(group, ..)| group.is_empty() == of_core)
            .map(|(group, version, resource, kind)| {
                let scope = if matches!(kind, "Namespace" | "Node") { "Cluster" } else { "Namespaced" };
                format!(
                    r#"{{"metadata":{{"name":"{group}"}},"versions":[{{"version":"{version}","freshness":"Current","resources":[
                    {{"resource":"{resource}","responseKind":{{"kind":"{kind}"}},"scope":"{scope}","verbs":["get","list"]}}]}}]}}"#
                )
            })
            .collect();
        format!(
            r#"{{"kind":"APIGroupDiscoveryList","items":[{}]}}"#,
            items.join(",")
        )
    }

    fn groups(&self) -> String {
        let groups: Vec<String> = self
            .served()
            .filter(|(group, ..)| !group.is_empty())
            .map(|(group, version, ..)| {
                format!(
                    r#"{{"name":"{group}","versions":[{{"version":"{version}"}}],"preferredVersion":{{"version":"{version}"}}}}"#
                )
            })
            .collect();
        format!(r#"{{"kind":"APIGroupList","groups":[{}]}}"#, groups.join(","))
    }

    fn resources(&self, path: &str) -> String {
        let mut resources = Vec::new();
        for (group, version, resource, kind) in self.served() {
            let root = if group.is_empty() {
                format!("/api/{version}")
            } else {
                format!("/apis/{group}/{version}")
            };
            if root == path {
                resources.push(format!(
                    r#"{{"name":"{resource}","kind":"{kind}","namespaced":true,"verbs":["list"]}}"#
                ));
            }
        }
        format!(
            r#"{{"kind":"APIResourceList","resources":[{}]}}"#,
            resources.join(",")
        )
    }
}

/// The path of the list of all namespaces; everything is in one here.
fn everywhere(path: &str) -> String {
    let Some((root, rest)) = path.split_once("/namespaces/") else {
        return path.to_owned();
    };
    format!(
        "{root}/{}",
        rest.split_once('/').map_or(rest, |(_, resource)| resource)
    )
}

/// A `Status` that says no.
pub(super) fn status(code: u16, message: &str) -> String {
    let message = message.replace('"', "\\\"");
    format!(r#"{{"kind":"Status","status":"Failure","message":"{message}","code":{code}}}"#)
}

/// A page of a list, in the form that was asked for.
fn list(asked: &Asked, kind: &str, objects: &[String]) -> String {
    let limit = asked
        .parameter("limit")
        .map_or(usize::MAX, |limit| limit.parse().unwrap());
    let from: usize = asked
        .parameter("continue")
        .map_or(0, |token| token.parse().unwrap());
    let to = from.saturating_add(limit).min(objects.len());
    let resume = if to < objects.len() {
        to.to_string()
    } else {
        String::new()
    };
    let meta = format!(r#""metadata":{{"resourceVersion":"42","continue":"{resume}"}}"#);
    let page = &objects[from..to];
    let stripped = |object: &String| {
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        let meta = &object["metadata"];
        format!(r#"{{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{meta}}}"#)
    };
    if asked.accept().contains("as=Table") {
        let mut rows = Vec::new();
        for object in page {
            let whole: serde_json::Value = serde_json::from_str(object).unwrap();
            let count = whole["data"].as_object().map_or(0, serde_json::Map::len);
            let mut row = String::new();
            write!(
                row,
                r#"{{"cells":[{},{},{count},"5d"],"object":{}}}"#,
                whole["metadata"]["name"],
                whole["type"],
                stripped(object)
            )
            .unwrap();
            rows.push(row);
        }
        let columns = r#"[{"name":"Name"},{"name":"Type"},{"name":"Data"},{"name":"Age"}]"#;
        return format!(
            r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1",{meta},"columnDefinitions":{columns},"rows":[{}]}}"#,
            rows.join(",")
        );
    }
    let (kind, items): (&str, Vec<String>) = if asked.accept().contains("as=PartialObjectMetadataList") {
        ("PartialObjectMetadata", page.iter().map(stripped).collect())
    } else {
        (kind, page.to_vec())
    };
    format!(
        r#"{{"kind":"{kind}List","apiVersion":"v1",{meta},"items":[{}]}}"#,
        items.join(",")
    )
}

fn response(status: u16, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let header = if header.is_empty() {
        String::new()
    } else {
        format!("{header}\r\n")
    };
    let text = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{header}Content-Length: {length}\r\n\r\n{body}"
    );
    text.into_bytes()
}

/// Reads a request.
fn request(stream: &mut BufReader<impl Read>) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut asked = Asked {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: BTreeMap::new(),
        body: String::new(),
        failed: false,
        answer: Vec::new(),
    };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                let name = name.to_ascii_lowercase();
                asked.headers.insert(name, value.trim().to_owned());
            }
            None => break,
        }
    }
    let length = asked
        .headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(asked))
}
