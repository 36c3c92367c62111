//! Tests of attacks: every technique against its fixture, and the catalogue as a whole.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use beachhead::collect::read_text;
use beachhead::techniques::{
    Certainty, Facts, Label, Position, Step, Technique, catalogue, explain, steps, steps_of,
};
use expect_test::expect_file;

use crate::fixture::cases;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixture_path(technique: &Technique) -> PathBuf {
    root().join("tests/attacks").join(format!("{}.md", technique.id))
}

fn found(technique: &'static Technique, manifests: &str) -> Vec<Step> {
    let (cluster, _) = read_text("fixture.yaml", manifests, "default");
    assert!(
        cluster.objects().next().is_some(),
        "{}: no object was read",
        technique.id
    );
    let facts = Facts::new(&cluster);
    steps_of(technique, &facts.context(&cluster))
}

fn line(step: &Step) -> String {
    let list =
        |items: &mut dyn Iterator<Item = String>, between: &str| items.collect::<Vec<_>>().join(between);
    let premises = list(&mut step.premises.iter().map(Position::to_string), " + ");
    let evidence = list(&mut step.evidence.iter().map(ToString::to_string), "; ");
    let certainty = match &step.certainty {
        Certainty::Conditional(condition) => format!("if {condition}"),
        other => other.as_str().to_owned(),
    };
    format!(
        "{premises} -> {} ({evidence}) [{}, {certainty}]",
        step.conclusion, step.effort
    )
}

fn lines(steps: &[Step]) -> String {
    let mut lines: Vec<String> = steps.iter().map(line).collect();
    lines.sort();
    lines.into_iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

#[test]
fn techniques_find_what_their_fixtures_say() {
    let mut wrong = Vec::new();
    for technique in catalogue() {
        let path = fixture_path(technique);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{} has no fixture: write {}", technique.id, path.display()));
        let (title, _) = text.split_once("\n## ").unwrap_or((&text, ""));
        let mut actual = title.to_owned();
        let (mut fires, mut quiet) = (false, false);
        for case in cases(&text, "steps") {
            let steps = found(technique, &case.manifests);
            let (wants_quiet, is_quiet) = (case.heading.starts_with("Quiet"), steps.is_empty());
            if wants_quiet != is_quiet {
                wrong.push(format!("{}: {}", technique.id, case.heading));
            }
            fires |= !is_quiet;
            quiet |= is_quiet;
            for step in &steps {
                check_ends(technique, step);
            }
            let _ = writeln!(actual, "{}```steps\n{}```", case.head, lines(&steps));
        }
        if !(fires && quiet) {
            wrong.push(format!("{} needs a firing and a quiet case", technique.id));
        }
        expect_file![path].assert_eq(&actual);
    }
    assert!(wrong.is_empty(), "headings say otherwise:\n{}", wrong.join("\n"));
}

fn check_ends(technique: &Technique, step: &Step) {
    let name = |labels: &[Label], position: &Position| {
        assert!(
            labels.contains(&position.label()),
            "{}: {position} is not among the declared labels",
            technique.id
        );
    };
    step.premises
        .iter()
        .for_each(|premise| name(technique.from, premise));
    name(technique.to, &step.conclusion);
    assert!(
        !step.evidence.is_empty(),
        "{}: a step without evidence",
        technique.id
    );
}

#[test]
fn every_fixture_has_a_technique() {
    let known: BTreeSet<String> = catalogue()
        .map(|technique| format!("{}.md", technique.id))
        .collect();
    for entry in std::fs::read_dir(root().join("tests/attacks")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is no technique's fixture");
    }
}

#[test]
fn techniques_describe_themselves() {
    let mut ids = BTreeSet::new();
    for technique in catalogue() {
        let id = technique.id;
        assert!(ids.insert(id), "{id} twice");
        assert!(
            id.split('_')
                .all(|word| !word.is_empty()
                    && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())),
            "{id} is not SCREAMING_SNAKE_CASE"
        );
        check_docs(technique);
        assert!((1..=8).contains(&technique.effort), "{id}: effort");
        assert!(!technique.references.is_empty(), "{id}: no reference");
        for reference in technique.references {
            assert!(reference.starts_with("https://"), "{id}: {reference}");
        }
        assert!(!technique.mitre.is_empty(), "{id}: no ATT&CK id");
        for mitre in technique.mitre {
            assert!(is_mitre(mitre), "{id}: {mitre}");
        }
        for owasp in technique.owasp {
            assert!(
                (1..=10).any(|number| *owasp == format!("K{number:02}")),
                "{id}: {owasp}"
            );
        }
        for microsoft in technique.microsoft {
            let number = microsoft
                .strip_prefix("MS-TA")
                .and_then(|n| n.parse::<u16>().ok());
            assert!(
                number.is_some_and(|n| (9001..=9041).contains(&n)),
                "{id}: {microsoft}"
            );
        }
        assert!(
            technique.remediation.ends_with('.'),
            "{id}: remediation is no sentence"
        );
        assert!(explain(technique).contains(technique.title), "{id}: page");
    }
}

fn check_docs(technique: &Technique) {
    let (id, docs) = (technique.id, technique.docs);
    let first: Vec<&str> = docs
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let summary = first.join(" ");
    assert!(
        summary.ends_with('.') && !summary.trim_end_matches('.').contains(". "),
        "{id}: the first paragraph is not one sentence: {summary}"
    );
    for part in ["# Preconditions", "What does not suffice: ", "# Detection"] {
        assert!(
            docs.lines().any(|line| line.trim().starts_with(part.trim())),
            "{id}: the docs have no `{part}`"
        );
    }
}

fn is_mitre(id: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let Some(rest) = id.strip_prefix('T') else {
        return false;
    };
    match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    }
}

#[test]
fn no_code_matches_on_a_techniques_id() {
    let ids: Vec<String> = catalogue()
        .map(|technique| format!("\"{}\"", technique.id))
        .collect();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    assert!(files.len() > 10);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for id in &ids {
            assert!(!text.contains(id), "{} names {id}", file.display());
        }
    }
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn all_steps(manifests: &str) -> Vec<Step> {
    let (cluster, _) = read_text("fixture.yaml", manifests, "default");
    let facts = Facts::new(&cluster);
    steps(&facts.context(&cluster))
}

fn relations(manifests: &str) -> String {
    let mut lines: Vec<String> = all_steps(manifests)
        .iter()
        .filter(|step| step.reason.technique().is_none() && step.effort == 0)
        .map(|step| {
            format!(
                "{} {} -> {}",
                step.reason.label(),
                step.premises[0],
                step.conclusion
            )
        })
        .filter(|line| line.contains("shop"))
        .collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn relations_follow_from_what_things_are() {
    let found = relations(
        r#"
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web }
spec:
  containers: [{ name: app, image: app, env: [{ name: A, valueFrom: { secretKeyRef: { name: keys, key: a } } }] }]
  initContainers: [{ name: setup, image: app }, { name: side, image: app, restartPolicy: Always }]
"#,
    );
    for line in [
        "HAS_CONTAINER Pod/shop/web -> Container/shop/web/app",
        "HAS_CONTAINER Pod/shop/web -> Container/shop/web/side",
        "HAS_KEY Secret/shop/keys -> Secret/shop/keys/a",
        "INCLUDES ClusterAdmin -> Namespace/shop",
        "INCLUDES Namespace/shop -> Pod/shop/*",
        "INCLUDES Pod/shop/* -> Pod/shop/web",
        "INCLUDES Secret/shop/* -> Secret/shop/keys",
        "INCLUDES Credential/ServiceAccount/shop/* -> Credential/ServiceAccount/shop/default",
        "TALKS_TO ServiceAccount/shop/default -> Port/kube-apiserver",
    ] {
        assert!(found.lines().any(|found| found == line), "no {line} in\n{found}");
    }
    assert!(!found.contains("Container/shop/web/setup"), "{found}");
}

#[test]
fn steps_grow_with_objects_and_not_with_pairs_of_them() {
    let cluster = |size: usize| {
        let mut text = String::new();
        for n in 0..size {
            let _ = write!(
                text,
                "
apiVersion: v1
kind: Node
metadata: {{ name: n{n} }}
---
apiVersion: v1
kind: Pod
metadata: {{ namespace: s{n}, name: web, labels: {{ app: w{n} }} }}
spec:
  nodeName: n{n}
  containers:
  - name: app
    image: redis
    securityContext: {{ privileged: true }}
    volumeMounts: [{{ name: host, mountPath: /host }}]
  volumes: [{{ name: host, hostPath: {{ path: / }} }}]
---"
            );
        }
        all_steps(&text).len()
    };
    let (small, large) = (cluster(40), cluster(80));
    assert!(small > 400 && large <= 2 * small, "{small} steps became {large}");
}

/// One right over all pods is one grant, whoever holds it.
#[test]
fn what_is_read_out_of_specs_grows_with_credentials_and_not_with_readers() {
    let steps = |readers: usize, pods: usize| {
        let mut text = String::from(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules: [{ apiGroups: [\"\"], resources: [pods], verbs: [list] }]
---",
        );
        for n in 0..readers {
            let _ = write!(
                text,
                "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{ name: reader-{n} }}
roleRef: {{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }}
subjects: [{{ kind: ServiceAccount, name: bot-{n}, namespace: ci }}]
---"
            );
        }
        for n in 0..pods {
            let _ = write!(
                text,
                "
apiVersion: v1
kind: Pod
metadata: {{ namespace: s{}, name: web-{n} }}
spec: {{ containers: [{{ name: app, image: app, env: [{{ name: API_TOKEN, value: x1 }}] }}] }}
---",
                n % 5
            );
        }
        let all = all_steps(&text);
        let read = all.iter().filter(|step| {
            let has_grant = |held: &Position| matches!(held, Position::Grant(..));
            step.conclusion.label() == Label::Credential
                && step.conclusion.to_string().contains("Unknown")
                && step.premises.iter().all(has_grant)
        });
        read.count()
    };
    assert_eq!((steps(10, 20), steps(40, 20), steps(10, 60)), (20, 20, 60));
}

#[test]
fn no_policy_stops_a_pod_where_the_api_server_runs_nor_a_node() {
    let manifests = |node: &str| {
        format!(
            r"
apiVersion: v1
kind: Node
metadata: {{ name: shop-1 }}
status: {{ addresses: [{{ type: InternalIP, address: 192.168.0.1 }}] }}
---
apiVersion: v1
kind: Node
metadata: {{ name: shop-2 }}
status: {{ addresses: [{{ type: InternalIP, address: 192.168.0.2 }}] }}
---
apiVersion: v1
kind: Endpoints
metadata: {{ namespace: default, name: kubernetes }}
subsets: [{{ addresses: [{{ ip: 192.168.0.1 }}], ports: [{{ port: 6443 }}] }}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{ namespace: shop, name: closed }}
spec: {{ podSelector: {{}}, policyTypes: [Egress] }}
---
apiVersion: v1
kind: Pod
metadata: {{ namespace: shop, name: web }}
spec: {{ nodeName: {node}, containers: [{{ name: app, image: app }}] }}
"
        )
    };
    let to_server = |found: &str| {
        let lines = found.lines().filter(|line| line.ends_with("Port/kube-apiserver"));
        lines
            .filter(|line| line.contains(" Network/"))
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    let beside = relations(&manifests("shop-1"));
    let expected = [
        "TALKS_TO Network/node/shop-1/pods -> Port/kube-apiserver",
        "TALKS_TO Network/nodes/shop-1 -> Port/kube-apiserver",
    ];
    assert_eq!(to_server(&beside), expected);
    let sends = "SENDS_AS Container/shop/web/app -> Network/node/shop-1/pods";
    assert!(beside.lines().any(|line| line == sends), "{beside}");
    let apart = relations(&manifests("shop-2"));
    assert_eq!(to_server(&apart), expected);
    assert!(
        !apart.contains("SENDS_AS Container/shop/web/app -> Network/node/"),
        "{apart}"
    );
}
