//! Ways to an API server: credentials of every form, proxies, certificates, and what goes wrong with each.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use beachhead::collect::live::{self, Options};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::fake::{Contents, Fake, Fault, status};
use super::{PODS, on_pods, read};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/apiserver")
        .join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(name)).unwrap()
}

/// A server with the certificate of this name; it wants one of clients too if it is told so.
fn behind_tls(name: &str, wants_certificate: bool) -> Fake {
    let builder = rustls::ServerConfig::builder();
    let builder = if wants_certificate {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate("test-authority.pem")).unwrap();
        builder.with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = match name {
        "test-certificate.pem" => "test-key.pem",
        _ => "test-server-key.pem",
    };
    let key = PrivateKeyDer::from_pem_file(file(key)).unwrap();
    Fake::start_tls(builder.with_single_cert(vec![certificate(name)], key).unwrap())
}

fn trusting() -> String {
    format!(
        "certificate-authority: '{}'",
        file("test-authority.pem").display()
    )
}

fn with(fake: &Fake, user: &str, cluster: &str) -> Options {
    Options {
        kubeconfig: Some(fake.kubeconfig_of(user, cluster)),
        ..Fake::options_without_kubeconfig()
    }
}

fn fails(options: &Options) -> String {
    live::read(options, &mut |_| {}).unwrap_err().to_string()
}

/// A program that prints this, in a folder that ends with the value.
#[cfg(unix)]
fn plugin(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;

    let path = folder.join("plugin");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let version = "client.authentication.k8s.io/v1";
    format!(
        "exec: {{apiVersion: {version}, command: '{}', interactiveMode: Never}}",
        path.display()
    )
}

#[cfg(unix)]
#[test]
fn a_credential_plugin_gives_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let credential = r#"echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"canary-exec"}}'"#;
    let fake = Fake::start(Contents::default(), |_, _| None);
    let live = read(&with(&fake, &plugin(folder.path(), credential), ""));
    assert_eq!(live.cluster.pods.len(), 7);
    let asked = fake.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == "Bearer canary-exec")
    );
    let wrong = [
        ("echo canary-secret; exit 3", "failed with exit status: 3"),
        ("echo canary-secret", "is no ExecCredential"),
        ("echo '{}'", "cannot log in to"),
    ];
    for (script, words) in wrong {
        let error = fails(&with(&fake, &plugin(folder.path(), script), ""));
        assert!(
            error.contains(words) && error.contains("cannot log in to"),
            "{error}"
        );
        assert!(!error.contains("canary"), "{error}");
    }
    let absent = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /nonexistent/plugin, interactiveMode: Never}";
    let error = fails(&with(&fake, absent, ""));
    assert!(error.contains("cannot log in to"), "{error}");
}

#[test]
fn a_token_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "canary-file\n").unwrap();
    let fake = Fake::start(Contents::default(), |_, _| None);
    let user = format!("tokenFile: '{}'", token.display());
    read(&with(&fake, &user, ""));
    let asked = fake.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.headers["authorization"] == "Bearer canary-file")
    );
    let error = fails(&with(&fake, "tokenFile: /nonexistent/token", ""));
    assert!(error.contains("/nonexistent/token"), "{error}");
}

#[test]
fn a_token_that_was_renewed_is_tried_again() {
    let expired = Fault::Status(401, "X: y", status(401, "token has expired"));
    let fake = Fake::start(Contents::default(), on_pods(2, false, expired));
    let live = read(&fake.options());
    assert_eq!((live.cluster.pods.len(), fake.asked_of(PODS).len()), (7, 4));
    assert_eq!(live.cluster.coverage.refused, []);
}

#[test]
fn a_client_certificate_logs_in() {
    let fake = behind_tls("test-server.pem", true);
    let user = format!(
        "client-certificate: '{}', client-key: '{}'",
        file("test-client.pem").display(),
        file("test-client-key.pem").display()
    );
    let live = read(&with(&fake, &user, &trusting()));
    assert_eq!(live.cluster.pods.len(), 7);
    assert!(
        fake.asked()
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
    let error = fails(&with(&fake, "token: canary-token", &trusting()));
    assert!(
        error.starts_with("cannot read from https://127.0.0.1:"),
        "{error}"
    );
    let user = user.replace("test-client-key.pem", "nowhere.pem");
    let error = fails(&with(&fake, &user, &trusting()));
    assert!(error.contains("nowhere.pem"), "{error}");
}

#[test]
fn certificates_are_checked() {
    let fake = behind_tls("test-server.pem", false);
    assert_eq!(read(&with(&fake, "token: t", &trusting())).cluster.pods.len(), 7);
    let open = "insecure-skip-tls-verify: true";
    assert_eq!(read(&with(&fake, "token: t", open)).cluster.pods.len(), 7);
    // By a name that is not in it.
    let other = format!("{}, tls-server-name: elsewhere.invalid", trusting());
    let error = fails(&with(&fake, "token: t", &other));
    assert!(error.contains("certificate is not trusted"), "{error}");
    // Of an authority that is not known.
    let fake = behind_tls("test-certificate.pem", false);
    for cluster in ["", &trusting()] {
        let error = fails(&with(&fake, "token: t", cluster));
        assert!(error.contains("certificate is not trusted"), "{error}");
        assert!(error.contains("certificate-authority"), "{error}");
    }
    assert!(
        fake.asked().is_empty(),
        "no token may be sent to a server that is not trusted"
    );
}

/// What a proxy was asked to connect to.
type Targets = Arc<Mutex<Vec<String>>>;

/// Reads what a client wants of a proxy: the host and port to connect to.
type Greet = fn(&mut TcpStream) -> String;

/// A proxy that joins whoever comes with what `greet` reads.
fn proxy(greet: Greet) -> (String, Targets) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let targets = Targets::default();
    let seen = Arc::clone(&targets);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut client, seen) = (stream.unwrap(), Arc::clone(&seen));
            std::thread::spawn(move || {
                let target = greet(&mut client);
                seen.lock().unwrap().push(target.clone());
                let mut server = TcpStream::connect(target).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                // Either side may end first.
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    (address, targets)
}

/// `CONNECT host:port` of HTTP.
fn http_tunnel(client: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    target.unwrap_or_else(|| panic!("{head}")).to_owned()
}

/// The greeting of SOCKS 5 without a password, to an IPv4 address or a name.
fn socks(client: &mut TcpStream) -> String {
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).unwrap();
        bytes
    };
    let methods = read(2)[1];
    read(usize::from(methods));
    client.write_all(&[5, 0]).unwrap();
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        client.read_exact(&mut bytes).unwrap();
        bytes
    };
    let host = if read(4)[3] == 1 {
        let address = read(4);
        address.iter().map(u8::to_string).collect::<Vec<_>>().join(".")
    } else {
        let length = read(1)[0];
        String::from_utf8(read(usize::from(length))).unwrap()
    };
    let port = read(2);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    format!("{host}:{}", u16::from_be_bytes([port[0], port[1]]))
}

#[test]
fn proxies_are_passed_through() {
    let kinds: [(&str, Greet); 2] = [("http", http_tunnel), ("socks5", socks)];
    for (scheme, greet) in kinds {
        let (address, targets) = proxy(greet);
        let fake = behind_tls("test-server.pem", false);
        let cluster = format!("{}, proxy-url: '{scheme}://{address}'", trusting());
        let live = read(&with(&fake, "token: canary-token", &cluster));
        assert_eq!(live.cluster.pods.len(), 7, "{scheme}");
        let targets = targets.lock().unwrap();
        assert!(
            !targets.is_empty() && targets.iter().all(|target| *target == fake.address()),
            "{scheme}: {targets:?}"
        );
    }
}

#[test]
fn the_environment_names_a_proxy_and_exceptions_from_it() {
    let (address, targets) = proxy(http_tunnel);
    let fake = behind_tls("test-server.pem", false);
    let kubeconfig = fake.kubeconfig_of("token: t", &trusting());
    let report = |exceptions: &str| {
        let mut command = assert_cmd::Command::cargo_bin("beachhead").unwrap();
        let command = command.args(["report", "--kubeconfig"]).arg(&kubeconfig);
        let command = command
            .env("HTTPS_PROXY", format!("http://{address}"))
            .env("NO_PROXY", exceptions);
        command.assert().success();
        let mut targets = targets.lock().unwrap();
        std::mem::take(&mut *targets).len()
    };
    assert!(report("elsewhere.invalid") > 0);
    assert_eq!(report("127.0.0.1"), 0);
}
