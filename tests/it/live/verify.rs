//! `beachhead verify`: what an API server says of the rights behind the paths.

use serde_json::{Value, json};

use super::fake::{Asked, Contents, Fake, Fault, status};
use super::run;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const BLOG: &str = "examples/clusters/blog";

/// Answers reviews; `decide` sees the spec and says nothing to fail.
fn reviewing(
    decide: impl Fn(&Value) -> Option<bool> + Send + Sync + 'static,
) -> impl Fn(&Asked, &[Asked]) -> Option<Fault> + Send + Sync + 'static {
    move |asked, _| {
        if asked.path != REVIEWS {
            return None;
        }
        assert_eq!(
            (asked.method.as_str(), asked.headers["content-type"].as_str()),
            ("POST", "application/json")
        );
        let mut review: Value = serde_json::from_str(&asked.body).unwrap();
        Some(match decide(&review["spec"]) {
            Some(allowed) => {
                review["status"] =
                    json!({"allowed": allowed, "reason": if allowed { "" } else { "no rule" }});
                Fault::Status(201, "X: y", review.to_string())
            }
            None => Fault::Status(500, "X: y", status(500, "broken")),
        })
    }
}

fn verify(fake: &Fake, more: &[&str]) -> (i32, String, String) {
    let kubeconfig = fake.kubeconfig();
    let mut arguments = vec!["verify", BLOG, "--kubeconfig", kubeconfig.to_str().unwrap()];
    arguments.extend(more);
    run(&arguments)
}

fn rights(answer: &Value) -> Vec<(String, String)> {
    let rights = answer["rights"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rights
        .iter()
        .map(|right| (text(&right["grant"]), text(&right["standing"])))
        .collect()
}

#[test]
fn what_the_server_still_gives_is_confirmed() {
    let fake = Fake::start(Contents::default(), reviewing(|_| Some(true)));
    let (code, out, err) = verify(&fake, &["--format", "json"]);
    assert_eq!(code, 0, "{err}");
    let answer: Value = serde_json::from_str(&out).unwrap();
    let schema = include_str!("../../../docs/verify.schema.json");
    crate::report::check_schema(schema, &out);
    assert!(rights(&answer).len() > 1, "{out}");
    assert!(
        rights(&answer)
            .iter()
            .all(|(_, standing)| standing == "confirmed"),
        "{out}"
    );
    let asked = fake.asked();
    let account = json!("system:serviceaccount:blog:wordpress");
    let spec = asked
        .iter()
        .map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap()["spec"].clone())
        .find(|spec| spec["user"] == account)
        .unwrap();
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:blog",
        "system:authenticated",
    ];
    assert_eq!(spec["groups"], json!(groups));
    let attributes = &spec["resourceAttributes"];
    assert_eq!(
        (&attributes["resource"], &attributes["namespace"]),
        (&json!("secrets"), &json!("blog"))
    );
    assert!(
        asked.iter().all(|asked| asked.path == REVIEWS),
        "it asks for rights only"
    );
    let mut bodies: Vec<&str> = asked.iter().map(|asked| asked.body.as_str()).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), asked.len(), "each question is asked once");
}

#[test]
fn what_the_server_refuses_is_denied_and_the_findings_that_rest_on_it() {
    let is_pods = |spec: &Value| spec["resourceAttributes"]["resource"] == "pods";
    let fake = Fake::start(Contents::default(), reviewing(move |spec| Some(!is_pods(spec))));
    let (code, out, err) = verify(&fake, &["--format", "json"]);
    assert_eq!(code, 1, "{err}");
    let answer: Value = serde_json::from_str(&out).unwrap();
    let standing = |part: &str| {
        let found = rights(&answer)
            .into_iter()
            .find(|(grant, _)| grant.contains(part));
        found.unwrap().1
    };
    assert_eq!(standing("Grant/create-pods"), "denied");
    assert_eq!(standing("Grant/get-secrets"), "confirmed");
    let claims = answer["paths"].as_array().unwrap();
    let of = |id: &str| claims.iter().find(|claim| claim["id"] == id).unwrap()["standing"].clone();
    assert_eq!(of("ClusterAdmin"), "denied");
    assert_eq!(of("Database/blog/mysql"), Value::Null, "it rests on no right");
    let (code, out, _) = verify(&fake, &[]);
    assert_eq!(code, 1);
    assert!(
        out.contains("  denied    ServiceAccount/blog/deploy-bot may create pods"),
        "{out}"
    );
    assert!(out.contains("    refused   create pods in"), "{out}");
    assert!(out.contains("    because   no rule"), "{out}");
}

#[test]
fn a_right_that_was_narrowed_still_counts_where_it_is_used() {
    let is_wide = |spec: &Value| {
        let asked = &spec["resourceAttributes"];
        asked["resource"] == "pods" && asked["namespace"] != "kube-system"
    };
    let fake = Fake::start(Contents::default(), reviewing(move |spec| Some(!is_wide(spec))));
    let (code, out, err) = verify(&fake, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("create pods in namespace kube-system"), "{out}");
    assert!(!out.contains("create pods in all namespaces"), "{out}");
}

#[test]
fn the_cluster_that_is_asked_may_be_the_input() {
    let fake = Fake::start(Contents::default(), reviewing(|_| Some(true)));
    let kubeconfig = fake.kubeconfig();
    let kubeconfig = kubeconfig.to_str().unwrap();
    let (code, out, err) = run(&["verify", "@other", "--kubeconfig", kubeconfig, "--as", "alice"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("no path rests on a right"), "{out}");
    let as_alice = |asked: &Asked| {
        asked.headers["authorization"] == "Bearer other-token" && asked.headers["impersonate-user"] == "alice"
    };
    assert!(fake.asked().iter().all(as_alice), "{err}");
}

#[test]
fn what_the_server_does_not_answer_is_not_asked() {
    let is_secrets = |spec: &Value| spec["resourceAttributes"]["resource"] == "secrets";
    let fake = Fake::start(
        Contents::default(),
        reviewing(move |spec| (!is_secrets(spec)).then_some(true)),
    );
    let (code, out, err) = verify(&fake, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("  not asked ServiceAccount/blog/wordpress may read Secrets"),
        "{out}"
    );
    assert!(out.contains("answered 500: broken"), "{out}");
}

#[test]
fn nobody_may_ask_without_the_right_to() {
    let refused = status(
        403,
        r#"subjectaccessreviews.authorization.k8s.io is forbidden: User "u" cannot create"#,
    );
    let fake = Fake::start(Contents::default(), move |_, _| {
        Some(Fault::Status(403, "X: y", refused.clone()))
    });
    let (code, out, err) = verify(&fake, &[]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("cannot create") && err.contains("beachhead verify --print-rbac"),
        "{err}"
    );
    assert_eq!(fake.asked().len(), 1, "one refusal stands for all");
    let (code, role, _) = run(&["verify", "--print-rbac"]);
    assert!(code == 0 && role.contains("subjectaccessreviews"), "{role}");
    let (code, _, err) = verify(&fake, &["--context", "nowhere"]);
    assert!(code == 2 && err.contains("no cluster to read"), "{err}");
}
