//! A proxy in front of a real server that fails as told and keeps what passes through it.
//!
//! It is the small server of `fake`, which takes its answers from the real one.

use std::sync::Arc;

use beachhead::collect::live::Options;

use super::{Servers, assets, root, say};
use crate::live::fake::{Asked, Contents, Fake, Fault, status};
use crate::live::{missing, read};

/// A Secret's value, and in base64.
const VALUE: (&str, &str) = ("canary-value", "Y2FuYXJ5LXZhbHVl");

/// Puts a proxy in front of the servers.
fn proxied(
    servers: &Arc<Servers>,
    faults: impl Fn(&Asked, &[Asked]) -> Option<Fault> + Send + Sync + 'static,
) -> (Fake, Options) {
    let behind = Arc::clone(servers);
    let contents = Contents {
        behind: Some(Box::new(move |asked| behind.forward(asked))),
        ..Contents::default()
    };
    let fake = Fake::start(contents, faults);
    let options = Options {
        kubeconfig: Some(fake.kubeconfig_of("token: canary-reader", "")),
        page_size: Some(5),
        ..Fake::options_without_kubeconfig()
    };
    (fake, options)
}

/// Fails one request for every list: that for its second page, and every list that has only one fails at that.
fn once_each(fault: Fault, pages: &'static [&'static str]) -> impl Fn(&Asked, &[Asked]) -> Option<Fault> {
    move |asked, before| {
        let of_list = || before.iter().filter(|known| known.path == asked.path);
        let is_meant = if pages.iter().any(|path| *path == asked.path) {
            asked.query.contains("continue=")
        } else {
            asked.query.contains("limit=")
        };
        (is_meant && !of_list().any(|known| known.failed)).then(|| fault.clone())
    }
}

#[test]
fn faults_before_a_real_server_leave_no_hole() {
    let Some(assets) = assets("faults_before_a_real_server_leave_no_hole") else {
        return;
    };
    let servers = Arc::new(Servers::start(&assets));
    servers.bind_least_role();
    servers.apply(&root().join("examples/clusters/blog"), "default");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: kept, namespace: blog}}\nstringData: {{password: {}}}\n",
        VALUE.0
    );
    assert!(servers.create(&secret, "default"));
    let (audit, options) = proxied(&servers, |_, _| None);
    let direct = read(&options).cluster;
    assert!(direct.secrets.get("Secret", "blog", "kept").is_some());
    for asked in audit.asked() {
        let answer = String::from_utf8_lossy(&asked.answer).into_owned();
        assert_eq!(asked.method, "GET", "{}", asked.path);
        let is_told = answer.contains(VALUE.0) || answer.contains(VALUE.1);
        assert!(!is_told, "{} {}", asked.path, asked.query);
    }
    let keys = Options {
        secret_keys: true,
        ..options
    };
    read(&keys);
    let is_told = |asked: &Asked| String::from_utf8_lossy(&asked.answer).contains(VALUE.1);
    assert!(audit.asked().iter().any(is_told), "the proxy would see a value");
    let long = &[
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/api/v1/namespaces",
    ];
    let faults = [
        Fault::Status(429, "Retry-After: 0", status(429, "too many requests")),
        Fault::Status(500, "X: y", status(500, "etcdserver: leader changed")),
        Fault::Status(504, "X: y", "<html>no backend</html>".to_owned()),
        Fault::Status(
            410,
            "X: y",
            status(410, "The provided continue parameter is too old"),
        ),
        Fault::HalfThenClosed,
        Fault::HalfThenEnd,
        Fault::Closed,
        Fault::Body("<html>a portal</html>"),
        Fault::Packed(Some(30)),
    ];
    for fault in faults {
        let (proxy, options) = proxied(&servers, once_each(fault.clone(), long));
        let live = read(&options);
        assert_eq!(live.cluster.coverage.refused, [], "{fault:?}");
        assert_eq!(objects(&live.cluster), objects(&direct), "{fault:?}");
        let failed = proxy.asked().iter().filter(|asked| asked.failed).count();
        assert!(failed > 20, "{fault:?}: {failed} requests failed");
    }
    let (_proxy, options) = proxied(&servers, |asked, before| {
        let lists = before.iter().filter(|known| known.query.contains("limit="));
        (lists.count() > 15 && asked.query.contains("limit=")).then_some(Fault::Gone)
    });
    let live = read(&options);
    let refused = &live.cluster.coverage.refused;
    let is_lost = |reason: &str| reason.contains("cannot reach") || reason.contains("broke off");
    assert!(!refused.is_empty(), "the server went away and nobody says so");
    assert!(
        refused.iter().all(|refusal| is_lost(&refusal.reason)),
        "{refused:?}"
    );
    assert!(
        !live.cluster.coverage.collected.is_empty(),
        "what was read before stays"
    );
}

fn objects(cluster: &beachhead::model::Cluster) -> usize {
    cluster.objects().count()
}

/// etcd forgets the moment of a list while it is read; where the server says 410 then, the list begins anew.
#[test]
fn a_list_whose_moment_is_gone_is_still_of_one_moment() {
    let name = "a_list_whose_moment_is_gone_is_still_of_one_moment";
    let Some(assets) = assets(name) else { return };
    let servers = Arc::new(Servers::start_with(
        &assets,
        "kube-apiserver",
        &["--watch-cache=false"],
    ));
    servers.bind_least_role();
    for number in 0..12 {
        servers.create_namespace(&format!("n{number}"));
    }
    let path = "/api/v1/namespaces";
    let behind = Arc::clone(&servers);
    let (proxy, options) = proxied(&servers, move |asked, before| {
        let read = before.iter().filter(|known| known.path == path).count();
        if asked.path == path && read == 1 {
            behind.create_namespace("later");
            behind.compact();
        }
        None
    });
    let live = read(&options);
    assert_eq!(missing(&live.cluster.coverage, "namespaces"), "");
    let is_gone = |asked: &Asked| asked.answer.starts_with(b"HTTP/1.1 410");
    let expired = proxy.asked().iter().any(is_gone);
    let later = live.cluster.namespaces.get("Namespace", "", "later").is_some();
    assert_eq!(later, expired, "a list is of one moment");
    assert!(live.cluster.namespaces.len() >= 16);
    say(&format!("{name}: the server answered 410: {expired}"));
}
