//! Reading live clusters: what is asked of an API server, and what becomes of every kind of failure.

mod commands;
mod connection;
mod fake;
mod pages;
mod probe;
mod real;
mod verify;

use std::time::{Duration, Instant};

use beachhead::collect::live::{self, Live, Options};
use beachhead::collect::snapshot;
use beachhead::model::Coverage;

use fake::{Asked, Contents, Fake, Fault, status};

const PODS: &str = "/api/v1/pods";

fn read(options: &Options) -> Live {
    live::read(options, &mut |_| {}).unwrap()
}

/// Why a resource is not complete.
fn missing(coverage: &Coverage, resource: &str) -> String {
    let found = coverage
        .refused
        .iter()
        .find(|refusal| *refusal.resource == *resource);
    found
        .map(|refusal| refusal.reason.to_string())
        .unwrap_or_default()
}

/// How often a path was asked for.
fn count(asked: &[Asked], path: &str) -> usize {
    asked.iter().filter(|asked| asked.path == path).count()
}

/// Fails the n-th request for the pods, and those after it if it lasts.
fn on_pods(n: usize, lasts: bool, fault: Fault) -> impl Fn(&Asked, &[Asked]) -> Option<Fault> {
    move |asked, before| {
        let at = count(before, PODS) + 1;
        (asked.path == PODS && (at == n || lasts && at > n)).then(|| fault.clone())
    }
}

fn whole() -> Live {
    let fake = Fake::start(Contents::default(), |_, _| None);
    read(&fake.options())
}

#[test]
fn all_pages_of_all_kinds_are_read() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let live = read(&fake.options());
    assert_eq!(live.cluster.pods.len(), 7);
    let coverage = &live.cluster.coverage;
    assert_eq!(coverage.refused, []);
    let collected = ["namespaces", "nodes", "pods", "deployments.apps", "secrets"];
    assert_eq!(coverage.collected, collected);
    assert_eq!(
        (&*coverage.server_version, &*coverage.resource_versions["pods"]),
        ("v1.37.2", "42")
    );
    assert!(coverage.absent.contains(&"configmaps".into()));
    let pages = ["limit=3", "limit=3&continue=3", "limit=3&continue=6"];
    assert_eq!(fake.asked_of(PODS), pages);
    assert_eq!(live.requests, fake.asked().len() as u64);
    assert!(
        fake.asked()
            .iter()
            .all(|asked| asked.headers["authorization"] == "Bearer canary-token")
    );
}

#[test]
fn what_passes_is_asked_for_again() {
    let expected = whole().cluster;
    let faults = [
        Fault::Status(429, "Retry-After: 0", status(429, "too many requests")),
        Fault::Status(500, "X: y", status(500, "etcdserver: leader changed")),
        Fault::Status(503, "X: y", "<html>no backend</html>".to_owned()),
        Fault::HalfThenClosed,
        Fault::HalfThenEnd,
        Fault::Closed,
        Fault::Body("<html>a portal</html>"),
        Fault::Body(r#"{"kind":"PodList","items":[{"metadata":{"name" "x"}}]}"#),
        Fault::Body(""),
    ];
    for fault in faults {
        for n in 1..=3 {
            let fake = Fake::start(Contents::default(), on_pods(n, false, fault.clone()));
            let live = read(&fake.options());
            assert_eq!(live.cluster, expected, "{fault:?} at page {n}");
            assert_eq!(count(&fake.asked(), PODS), 4, "{fault:?} at page {n}");
        }
    }
}

#[test]
fn what_lasts_is_given_up_and_said() {
    let faults = [
        (
            Fault::Status(429, "X: y", status(429, "slow down")),
            "answered 429: slow down",
        ),
        (
            Fault::Status(500, "X: y", status(500, "broken")),
            "answered 500: broken",
        ),
        (Fault::HalfThenClosed, "broke off"),
        (Fault::HalfThenEnd, "is not what was asked for: it is"),
        (Fault::Closed, "cannot reach"),
        (Fault::Body("{}"), "it is no list"),
        (
            Fault::Status(403, "X: y", status(403, "pods is forbidden: no")),
            "forbidden: no",
        ),
        (
            Fault::Status(404, "X: y", status(404, "gone with its group")),
            "not served",
        ),
        (
            Fault::Status(410, "X: y", status(410, "too old")),
            "expired while it was read (410): too old",
        ),
    ];
    for (fault, words) in faults {
        let fake = Fake::start(Contents::default(), on_pods(2, true, fault.clone()));
        let live = read(&fake.options());
        let reason = missing(&live.cluster.coverage, "pods");
        let is_gone = matches!(fault, Fault::Status(410, ..));
        let read = if is_gone { 0 } else { 3 };
        assert!(reason.contains(words), "{fault:?}: {reason}");
        assert_eq!(
            reason.starts_with("read in part, 3 objects: "),
            !is_gone,
            "{fault:?}: {reason}"
        );
        assert_eq!(live.cluster.pods.len(), read, "{fault:?}");
        assert!(!live.cluster.coverage.collected.contains(&"pods".into()));
        assert!(count(&fake.asked(), PODS) <= 8, "{fault:?}");
        assert_eq!(
            live.cluster.secrets.len(),
            1,
            "{fault:?} took other kinds with it"
        );
    }
}

#[test]
fn a_list_that_expires_begins_anew() {
    let fake = Fake::start(
        Contents::default(),
        on_pods(2, false, Fault::Status(410, "X: y", status(410, "too old"))),
    );
    let live = read(&fake.options());
    assert_eq!(
        (live.cluster.pods.len(), missing(&live.cluster.coverage, "pods")),
        (7, String::new())
    );
    let asked = fake.asked_of(PODS);
    assert_eq!(asked[1..3], ["limit=3&continue=3", "limit=3"]);
}

#[test]
fn a_list_that_always_expires_goes_on_at_another_moment_and_says_so() {
    let gone = r#"{"kind":"Status","code":410,"message":"too old","metadata":{"continue":"6"}}"#;
    let fake = Fake::start(Contents::default(), move |asked, _| {
        let expires = asked.path == PODS && asked.query.contains("continue=3");
        expires.then(|| Fault::Status(410, "X: y", gone.to_owned()))
    });
    let live = read(&fake.options());
    assert_eq!(live.cluster.pods.len(), 4);
    let reason = missing(&live.cluster.coverage, "pods");
    assert!(
        reason.starts_with("read in parts of different moments"),
        "{reason}"
    );
}

#[test]
fn pages_without_end_are_stopped() {
    let page = r#"{"kind":"PodList","metadata":{"continue":"3"},"items":[]}"#;
    let fake = Fake::start(Contents::default(), on_pods(1, true, Fault::Body(page)));
    let live = read(&fake.options());
    let reason = missing(&live.cluster.coverage, "pods");
    assert!(reason.contains("round in a circle"), "{reason}");
}

#[test]
fn a_server_that_drips_is_not_waited_for() {
    let fake = Fake::start(Contents::default(), on_pods(1, true, Fault::Drip));
    let options = Options {
        request_timeout: Duration::from_millis(300),
        ..fake.options()
    };
    let began = Instant::now();
    let live = read(&options);
    let reason = missing(&live.cluster.coverage, "pods");
    assert_eq!(reason, "no whole answer within 0.3 s");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_server_decides_when_it_is_asked_again() {
    let busy = Fault::Status(429, "Retry-After: 1", status(429, "busy"));
    let fake = Fake::start(Contents::default(), on_pods(1, false, busy));
    let began = Instant::now();
    let live = read(&fake.options());
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(live.cluster.pods.len(), 7);
}

#[test]
fn requests_keep_to_their_rate() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let options = Options {
        max_qps: 4,
        ..fake.options()
    };
    let began = Instant::now();
    let live = read(&options);
    // Four at once, the others a quarter of a second apart.
    let least = Duration::from_millis(250) * u32::try_from(live.requests - 5).unwrap();
    assert!(
        began.elapsed() >= least,
        "{} requests in {:?}",
        live.requests,
        began.elapsed()
    );
}

#[test]
fn credentials_that_are_not_accepted_stop_it() {
    let denied = || Fault::Status(401, "X: y", status(401, "Unauthorized"));
    let fake = Fake::start(Contents::default(), move |_, _| Some(denied()));
    let error = live::read(&fake.options(), &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.contains("(401)") && error.contains("log in again"),
        "{error}"
    );
    assert!(!error.contains("canary"), "{error}");
    // A token that expires half-way.
    let fake = Fake::start(Contents::default(), on_pods(2, true, denied()));
    let live = read(&fake.options());
    let reason = missing(&live.cluster.coverage, "pods");
    assert!(reason.contains("(401)"), "{reason}");
}

#[test]
fn a_server_that_goes_away_ends_the_reading_soon() {
    let fake = Fake::start(Contents::default(), on_pods(2, true, Fault::Gone));
    let options = Options {
        first_pause: Duration::from_millis(50),
        ..fake.options()
    };
    let began = Instant::now();
    let live = read(&options);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let reason = missing(&live.cluster.coverage, "pods");
    assert!(reason.starts_with("read in part, 3 objects: "), "{reason}");
}

#[test]
fn nobody_answers() {
    let fake = Fake::start(Contents::default(), |_, _| Some(Fault::Closed));
    let error = live::read(&fake.options(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.starts_with("cannot read from http://127.0.0.1:"), "{error}");
    assert!(error.contains("see `server` of the cluster"), "{error}");
}

#[test]
fn a_certificate_of_another_server_is_not_trusted() {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apiserver");
    let certificate = CertificateDer::from_pem_file(folder.join("test-certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("test-key.pem")).unwrap();
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let fake = Fake::start_tls(tls);
    let error = live::read(&fake.options(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("certificate is not trusted"), "{error}");
    assert!(error.contains("certificate-authority"), "{error}");
    assert!(fake.asked().is_empty());
}

#[test]
fn no_value_of_a_secret_crosses_the_wire() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let live = read(&fake.options());
    let secret = live.cluster.secrets.values().next().unwrap();
    assert_eq!(
        (&*secret.r#type, secret.keys()),
        ("Opaque", vec![&"password".into()])
    );
    for asked in fake.asked() {
        assert_eq!(asked.method, "GET");
        let answer = String::from_utf8(asked.answer.clone()).unwrap();
        assert!(!answer.contains("Y2FuYXJ5"), "{} {}", asked.path, asked.query);
        if asked.path == "/api/v1/secrets" {
            let forms: Vec<&str> = asked.accept().split(',').collect();
            assert!(forms.iter().all(|form| form.contains("as=")), "{forms:?}");
        }
    }
}

/// It is metadata, which nobody can ask for in part.
#[test]
fn what_kubectl_wrote_into_a_secret_is_dropped_and_said() {
    let mut contents = Contents::default();
    let secret = r#"{"metadata":{"name":"db","namespace":"shop","annotations":{"note":"\"kubectl.kubernetes.io/last-applied-configuration\":",
        "kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"password\":\"Y2FuYXJ5\"}}"}},"type":"Opaque"}"#;
    let secrets = ("Secret", vec![secret.to_owned(), fake::object("shop", "other")]);
    contents.lists.insert("/api/v1/secrets", secrets);
    let fake = Fake::start(contents, |_, _| None);
    let live = read(&fake.options());
    let remarks: Vec<String> = live.diagnostics.iter().map(ToString::to_string).collect();
    let remarks = remarks.join("\n");
    assert!(
        remarks.contains("came with the metadata of 1 Secrets"),
        "{remarks}"
    );
    let mut written = Vec::new();
    snapshot::encode(&live.cluster, &live.diagnostics, &mut written).unwrap();
    let written = snapshot::read(written.as_slice()).unwrap();
    assert!(!format!("{:?} {written:?}", live.cluster).contains("Y2FuYXJ5"));
}

#[test]
fn keys_of_secrets_are_read_if_asked_for_and_values_dropped() {
    let mut contents = Contents::default();
    let secret =
        r#"{"metadata":{"name":"db","namespace":"shop"},"type":"Opaque","data":{"password":"Y2FuYXJ5"}}"#;
    let secrets = ("Secret", vec![secret.to_owned()]);
    contents.lists.insert("/api/v1/secrets", secrets);
    let fake = Fake::start(contents, |_, _| None);
    let without = read(&fake.options());
    let remark = without
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(remark.contains("keys are not known for 1 Secrets"), "{remark}");
    let options = Options {
        secret_keys: true,
        ..fake.options()
    };
    let live = read(&options);
    assert_eq!(live.cluster.secrets.values().next().unwrap().keys(), ["password"]);
    let mut written = Vec::new();
    snapshot::encode(&live.cluster, &live.diagnostics, &mut written).unwrap();
    let (cluster, _) = snapshot::read(written.as_slice()).unwrap();
    assert_eq!(cluster, live.cluster);
    assert!(!format!("{cluster:?}").contains("Y2FuYXJ5"));
}

#[test]
fn servers_before_aggregated_discovery_are_read() {
    let mut contents = Contents {
        is_old: true,
        ..Contents::default()
    };
    let ingress = r#"{"metadata":{"name":"shop","namespace":"shop"},"spec":{"backend":{"serviceName":"web","servicePort":80}}}"#;
    let ingresses = ("Ingress", vec![ingress.to_owned()]);
    contents
        .lists
        .insert("/apis/extensions/v1beta1/ingresses", ingresses);
    let fake = Fake::start(contents, |_, _| None);
    let live = read(&fake.options());
    assert_eq!((live.cluster.pods.len(), live.cluster.ingresses.len()), (7, 1));
    let ingress = live.cluster.ingresses.values().next().unwrap();
    assert!(format!("{ingress:?}").contains("web"), "{ingress:?}");
    assert_eq!(live.cluster.coverage.refused, []);
}

#[test]
fn one_namespace_and_some_labels() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let options = Options {
        namespace: Some("shop".to_owned()),
        selector: Some("app in (web,db)".to_owned()),
        ..fake.options()
    };
    let live = read(&options);
    assert_eq!(live.cluster.pods.len(), 7);
    let selected = "limit=3&labelSelector=app%20in%20%28web%2Cdb%29";
    assert_eq!(fake.asked_of("/api/v1/namespaces/shop/pods")[0], selected);
    assert_eq!(
        fake.asked_of("/apis/apps/v1/namespaces/shop/deployments"),
        [selected]
    );
    assert_eq!(fake.asked_of("/api/v1/namespaces/shop/secrets"), ["limit=3"]);
    assert_eq!(fake.asked_of("/api/v1/namespaces"), ["limit=3"]);
    let coverage = &live.cluster.coverage;
    assert_eq!(
        (&*coverage.namespace, &*coverage.selector),
        ("shop", "app in (web,db)")
    );
    let remarks = live
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(remarks.contains("only the namespace shop was read"), "{remarks}");
}

#[test]
fn one_acts_as_another_user() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    let options = Options {
        impersonate: Some("alice".to_owned()),
        impersonate_groups: vec!["devs".to_owned()],
        ..fake.options()
    };
    read(&options);
    let asked = fake.asked();
    let of_alice = |asked: &Asked| {
        asked
            .headers
            .get("impersonate-user")
            .is_some_and(|user| user == "alice")
    };
    assert!(asked.iter().all(of_alice) && asked[0].headers["impersonate-group"] == "devs");
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::cargo_bin("beachhead")
        .unwrap()
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_snapshot_and_a_report_say_what_is_missing() {
    let forbidden = status(
        403,
        r#"secrets is forbidden: User "u" cannot list resource "secrets""#,
    );
    let fault = move |asked: &Asked, _: &[Asked]| {
        (asked.path == "/api/v1/secrets").then(|| Fault::Status(403, "X: y", forbidden.clone()))
    };
    let fake = Fake::start(Contents::default(), fault);
    let kubeconfig = fake.kubeconfig();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prod.bh");
    let (kubeconfig, file) = (kubeconfig.to_str().unwrap(), file.to_str().unwrap());
    let (code, _, err) = run(&[
        "snapshot",
        "--kubeconfig",
        kubeconfig,
        "-o",
        file,
        "--require-complete",
    ]);
    assert_eq!(code, 2);
    assert!(
        err.contains("1 resource could not be read whole") && err.contains("secrets: forbidden"),
        "{err}"
    );
    assert!(!std::fs::exists(file).unwrap());
    let (code, _, err) = run(&["snapshot", "--kubeconfig", kubeconfig, "-o", file]);
    assert!(
        code == 0 && err.contains("warning: not complete: secrets: forbidden: User"),
        "{err}"
    );
    let (_, of_file, _) = run(&["report", file]);
    let (_, of_cluster, _) = run(&["report", "--kubeconfig", kubeconfig]);
    for report in [&of_file, &of_cluster] {
        let flat = report.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = r#"refused secrets: forbidden: User "u" cannot list resource "secrets"; uncertain without it: which"#;
        assert!(flat.contains(words), "{report}");
        assert!(flat.contains("7 Pod"), "{report}");
    }
    let rest = |report: &str| report.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rest(&of_file), rest(&of_cluster));
    let (code, _, err) = run(&["report", file, "--context", "prod"]);
    assert!(code == 2 && err.contains("cannot be used with"), "{err}");
}

/// The example as a server would give it, without the kinds that it refuses.
fn blog() -> Contents {
    let (cluster, _) = beachhead::collect::read(
        beachhead::collect::Input::Path(std::path::Path::new("examples/clusters/blog")),
        &beachhead::collect::Options::default(),
    )
    .unwrap();
    let mut contents = Contents::default();
    contents.lists.clear();
    for known in beachhead::model::KINDS {
        let root = match known.group {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        let of_kind = cluster
            .objects()
            .filter(|(id, _)| *id.kind == *known.kind && !cluster.stand_ins.contains(id));
        let objects: Vec<String> = of_kind
            .map(|(_, object)| serde_json::to_string(&object).unwrap())
            .collect();
        if !objects.is_empty() || known.kind == "NetworkPolicy" {
            let path: &'static str = Box::leak(format!("{root}/{}", known.resource).into_boxed_str());
            contents.lists.insert(path, (known.kind, objects));
        }
    }
    contents
}

#[test]
fn a_report_names_the_verdicts_that_missing_kinds_may_change() {
    let report = |refused: &'static str| -> serde_json::Value {
        let fake = Fake::start(blog(), move |asked, _| {
            let is_meant = asked.path.ends_with(refused);
            is_meant.then(|| Fault::Status(403, "X: y", status(403, "it is forbidden: no")))
        });
        let kubeconfig = fake.kubeconfig();
        let (_, out, err) = run(&[
            "report",
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
            "--format",
            "json",
        ]);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"))
    };
    let ids = |value: &serde_json::Value| -> Vec<String> {
        let values = value.as_array().unwrap().iter();
        values.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let whole = report("/nothing");
    let found = whole["findings"].as_array().unwrap();
    assert!(found.len() > 1 && whole.get("uncertain").is_none(), "{found:?}");
    let all: Vec<String> = found
        .iter()
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect();
    // Without policies every finding that passes the network may be wrong, and nothing is missed.
    let without = report("/networkpolicies");
    let doubt = &without["uncertain"][0];
    assert_eq!(doubt["resource"], "networkpolicies.networking.k8s.io");
    assert!(
        ids(&doubt["refutable"]).iter().any(|id| all.contains(id)),
        "{doubt}"
    );
    assert_eq!(ids(&doubt["reachable"]), [""; 0]);
    // Without Secrets or rights what is not reached may be.
    let without = report("/rolebindings");
    let doubt = &without["uncertain"][0];
    assert_eq!(ids(&doubt["reachable"]), ids(&without["unreached"]));
    assert!(
        ids(&doubt["reachable"]).contains(&"ClusterAdmin".to_owned()),
        "{doubt}"
    );
    let schema = beachhead::report::report_schema().to_string();
    crate::report::check_schema(&schema, &without.to_string());
}

/// What the JSON form says of missing kinds stands in the forms for people too.
#[test]
fn the_verdicts_that_missing_kinds_may_change_stand_in_every_report_for_people() {
    let fake = Fake::start(blog(), |asked, _| {
        let is_meant = ["/networkpolicies", "/rolebindings"]
            .iter()
            .any(|end| asked.path.ends_with(end));
        is_meant.then(|| Fault::Status(403, "X: y", status(403, "it is forbidden: no")))
    });
    let kubeconfig = fake.kubeconfig();
    let written = |format: &str| {
        let kubeconfig = kubeconfig.to_str().unwrap();
        run(&["report", "--kubeconfig", kubeconfig, "--format", format]).1
    };
    let json: serde_json::Value = serde_json::from_str(&written("json")).unwrap();
    let refuted = json["uncertain"][0]["refutable"][0].as_str().unwrap();
    let (markdown, html) = (written("markdown"), written("html"));
    for line in [
        "- could not be listed: `networkpolicies.networking.k8s.io`: `forbidden: no`",
        "  - may open a way to `ClusterAdmin`",
    ] {
        assert!(markdown.contains(line), "{line}\n{markdown}");
    }
    assert!(
        markdown.contains("; uncertain without it: ")
            && markdown.contains(&format!("  - may refute `{refuted}`"))
    );
    let (_, unseen) = html.split_once("id=\"unseen\"").unwrap();
    assert!(
        unseen.contains("may refute:") && unseen.contains(&format!("<a href=\"#{refuted}\">")),
        "{unseen}"
    );
    assert!(
        unseen.contains("may open a way to:") && unseen.contains("<code>ClusterAdmin</code>"),
        "{unseen}"
    );
}

#[test]
fn no_kubeconfig_is_told_apart_from_no_server() {
    let (code, _, err) = run(&["report", "--kubeconfig", "/nonexistent/config"]);
    assert!(
        code == 2 && err.contains("no cluster to read") && err.contains("--kubeconfig"),
        "{err}"
    );
}

#[test]
fn the_role_in_the_docs_is_the_one_that_is_printed() {
    let (code, role, _) = run(&["snapshot", "--print-rbac"]);
    assert_eq!(code, 0);
    expect_test::expect_file!["../../../docs/cluster-role.yaml"].assert_eq(&role);
    let (_, role, _) = run(&["snapshot", "--print-rbac", "-n", "shop"]);
    assert!(
        role.contains("kind: Role\n") && role.contains("namespace: shop"),
        "{role}"
    );
    assert!(
        !role.contains("clusterroles") && !role.contains("nodes"),
        "{role}"
    );
}

/// What no list asks for no rule can look at.
#[test]
fn what_operators_make_databases_of_is_asked_for() {
    let (role, _) = beachhead::collect::read_text("role", &live::role(None), "default");
    let rules = &role.roles.values().next().unwrap().rules;
    let table = std::fs::read_to_string("src/datastores/operators.toml").unwrap();
    let kinds = table
        .lines()
        .filter_map(|line| line.strip_prefix("[\"")?.strip_suffix("\"]")?.split_once('/'));
    let mut count = 0;
    for (group, kind) in kinds {
        let mut of_group = rules
            .iter()
            .filter(|rule| rule.api_groups.iter().any(|one| **one == *group));
        let is_kind = |resource: &str| resource.starts_with(&kind.to_lowercase());
        let is_asked_for = of_group.any(|rule| rule.resources.iter().any(|resource| is_kind(resource)));
        assert!(is_asked_for, "{group}/{kind}");
        count += 1;
    }
    assert!(count > 30, "{count}");
    let mut contents = Contents::default();
    let cluster = r#"{"metadata":{"name":"orders","namespace":"shop"},"spec":{"instances":3}}"#;
    let clusters = ("Cluster", vec![cluster.to_owned()]);
    contents
        .lists
        .insert("/apis/postgresql.cnpg.io/v1/clusters", clusters);
    let fake = Fake::start(contents, |_, _| None);
    let live = read(&fake.options());
    assert!(live.cluster.others.get("Cluster", "shop", "orders").is_some());
}

#[test]
fn the_role_allows_every_request_and_no_more() {
    let fake = Fake::start(Contents::default(), |_, _| None);
    read(&fake.options());
    let (cluster, problems) = beachhead::collect::read_text("role", &live::role(None), "default");
    assert_eq!(problems, []);
    let role = cluster.roles.values().next().unwrap();
    for asked in fake.asked() {
        let parts: Vec<&str> = asked.path.split('/').collect();
        let (group, resource) = match parts.as_slice() {
            ["", "api", _, resource] => ("", *resource),
            ["", "apis", group, _, resource] => (*group, *resource),
            _ => continue,
        };
        let allows = role.rules.iter().any(|rule| {
            let has = |texts: &[beachhead::model::Text], text: &str| texts.iter().any(|one| **one == *text);
            has(&rule.api_groups, group) && has(&rule.resources, resource) && has(&rule.verbs, "list")
        });
        assert!(allows, "{}", asked.path);
    }
    let verbs: std::collections::BTreeSet<_> = role.rules.iter().flat_map(|rule| rule.verbs.iter()).collect();
    assert_eq!(
        verbs.into_iter().map(|verb| &**verb).collect::<Vec<_>>(),
        ["get", "list"]
    );
}
