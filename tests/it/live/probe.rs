//! `--probe-anonymous`: what an API server answers without a credential, and what follows from it.

use beachhead::collect::live::Options;
use beachhead::collect::{live, snapshot};
use beachhead::model::{AnonymousProbe, Cluster};
use beachhead::techniques::{Facts, steps};

use super::fake::{Asked, Contents, Fake, Fault, status};
use super::{read, run};

/// A server that answers requests without a credential like this.
fn fake(anonymous: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static) -> Fake {
    let mut contents = Contents::default();
    let role = r#"{"metadata":{"name":"open"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]}"#;
    let binding = r#"{"metadata":{"name":"open"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"open"},
        "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"system:unauthenticated"}]}"#;
    contents.lists.insert(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        ("ClusterRole", vec![role.to_owned()]),
    );
    let bindings = ("ClusterRoleBinding", vec![binding.to_owned()]);
    contents
        .lists
        .insert("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", bindings);
    Fake::start(contents, move |asked, _| {
        if asked.headers.contains_key("authorization") {
            None
        } else {
            anonymous(asked)
        }
    })
}

fn probed(fake: &Fake) -> (Cluster, AnonymousProbe) {
    let options = Options {
        probe_anonymous: true,
        ..fake.options()
    };
    let live = read(&options);
    let probe = live.cluster.coverage.anonymous.clone().unwrap();
    (live.cluster, probe)
}

/// The steps to the anonymous user and to control of the cluster from the API server's port, as lines.
fn doors(cluster: &Cluster) -> Vec<String> {
    let facts = Facts::new(cluster);
    let steps = steps(&facts.context(cluster));
    let from_port = steps.iter().filter(|step| {
        step.reason.technique().is_some()
            && step
                .premises
                .iter()
                .all(|one| one.to_string() == "Port/kube-apiserver")
    });
    from_port
        .map(|step| {
            let facts: Vec<String> = step.evidence.iter().map(ToString::to_string).collect();
            format!(
                "{} {} {}",
                step.conclusion,
                step.certainty.as_str(),
                facts.join("; ")
            )
        })
        .collect()
}

fn forbidden() -> Fault {
    let message = r#"forbidden: User "system:anonymous" cannot get path "/api""#;
    Fault::Status(403, "X: y", status(403, message))
}

#[test]
fn a_refusal_by_name_shows_that_such_requests_are_taken() {
    let fake = fake(|asked| (asked.path != "/version").then(forbidden));
    let (cluster, probe) = probed(&fake);
    assert_eq!((probe.accepted, probe.may_do_everything), (Some(true), false));
    let doors = doors(&cluster);
    assert_eq!(doors.len(), 1, "{doors:?}");
    assert!(
        doors[0].starts_with("User/system:anonymous certain "),
        "{doors:?}"
    );
    let said = "GET /version without a credential: answered: v1.37.2; Service/default/kubernetes = GET /api without a \
                credential: forbidden: User \"system:anonymous\" cannot get path";
    assert!(doors[0].contains(said), "{doors:?}");
    let asked = fake.asked();
    let without: Vec<&str> = (asked.iter())
        .filter(|asked| !asked.headers.contains_key("authorization"))
        .map(|asked| asked.path.as_str())
        .collect();
    let reviews = "/apis/authorization.k8s.io/v1";
    assert_eq!(
        without,
        [
            "/version".to_owned(),
            "/api".to_owned(),
            format!("{reviews}/selfsubjectaccessreviews"),
            format!("{reviews}/selfsubjectrulesreviews"),
        ]
    );
    let mut written = Vec::new();
    snapshot::encode(&cluster, &[], &mut written).unwrap();
    let (again, _) = snapshot::read(written.as_slice()).unwrap();
    assert_eq!(again.coverage.anonymous, Some(probe));
}

#[test]
fn a_server_that_refuses_them_closes_the_door() {
    let fake = fake(|_| Some(Fault::Status(401, "X: y", status(401, "Unauthorized"))));
    let (cluster, probe) = probed(&fake);
    assert_eq!(probe.accepted, Some(false));
    assert_eq!(doors(&cluster), [""; 0]);
}

#[test]
fn what_says_nothing_changes_nothing() {
    let fake = fake(|_| Some(Fault::Status(503, "X: y", "<html>busy</html>".to_owned())));
    let (cluster, probe) = probed(&fake);
    assert_eq!((probe.accepted, probe.answers.len()), (None, 4));
    let doors = doors(&cluster);
    assert!(
        doors[0].starts_with("User/system:anonymous conditional"),
        "{doors:?}"
    );
}

#[test]
fn a_server_that_lets_them_do_everything_is_lost() {
    let fake = fake(|asked| {
        let allowed = r#"{"kind":"SelfSubjectAccessReview","status":{"allowed":true}}"#;
        let rules = r#"{"kind":"SelfSubjectRulesReview","status":{"resourceRules":[{"verbs":["*"],"resources":["*"]}]}}"#;
        match asked.path.rsplit('/').next() {
            Some("selfsubjectaccessreviews") => Some(Fault::Status(201, "X: y", allowed.to_owned())),
            Some("selfsubjectrulesreviews") => Some(Fault::Status(201, "X: y", rules.to_owned())),
            _ => None,
        }
    });
    let (cluster, probe) = probed(&fake);
    assert_eq!((probe.accepted, probe.may_do_everything), (Some(true), true));
    let doors = doors(&cluster);
    assert!(
        doors.iter().any(|door| door.starts_with("ClusterAdmin certain")),
        "{doors:?}"
    );
}

#[test]
fn nobody_asks_without_a_credential_unless_told_to() {
    let fake = fake(|_| None);
    assert_eq!(read(&fake.options()).cluster.coverage.anonymous, None);
    assert!(
        fake.asked()
            .iter()
            .all(|asked| asked.headers.contains_key("authorization"))
    );
    let kubeconfig = fake.kubeconfig();
    let (code, out, err) = run(&[
        "report",
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
        "--probe-anonymous",
    ]);
    assert!(
        code == 0 && out.contains("  probed    GET /version without a credential"),
        "{out}{err}"
    );
    let schema = beachhead::report::report_schema().to_string();
    let arguments = [
        "report",
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
        "--probe-anonymous",
        "--format",
        "json",
    ];
    let (code, out, err) = run(&arguments);
    assert_eq!(code, 0, "{out}{err}");
    crate::report::check_schema(&schema, &out);
    let options = Options {
        probe_anonymous: true,
        impersonate: Some("alice".to_owned()),
        ..fake.options()
    };
    live::read(&options, &mut |_| {}).unwrap();
    let asked = fake.asked();
    let mut without = asked
        .iter()
        .filter(|asked| !asked.headers.contains_key("authorization"));
    assert!(without.all(|asked| !asked.headers.contains_key("impersonate-user")));
}
