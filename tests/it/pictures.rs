//! Pictures of the graph: read back by parsers, hostile names included, and the same on every run.

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;
use beachhead::draw::{Diagram, Role, graphml, mermaid, opengraph, svg};
use beachhead::techniques::{Certainty, Few, Place, Position, Reason, Relation, Step};
use proptest::prelude::*;
use serde_json::Value;

fn step(premises: &[Position], conclusion: Position) -> Step {
    Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.into(),
        conclusion,
        effort: 2,
        certainty: Certainty::Certain,
        evidence: Few::new(),
    }
}

/// Internet to a pod, both of them to a Secret, and a step back.
fn steps(name: &str) -> Vec<Step> {
    let pod = Position::Pod(Place::new(name, name));
    let secret = Position::Secret(Place::new(name, name));
    vec![
        step(&[Position::Internet], pod.clone()),
        step(&[pod.clone(), Position::Internet], secret.clone()),
        step(&[secret], pod.clone()),
        step(std::slice::from_ref(&pod), pod.clone()),
    ]
}

fn diagram(steps: &[Step]) -> Diagram {
    let steps: Vec<&Step> = steps.iter().collect();
    let jewels: BTreeSet<Position> = steps
        .iter()
        .map(|step| step.conclusion.clone())
        .filter(|position| matches!(position, Position::Secret(_)))
        .collect();
    Diagram::new(&steps, &BTreeSet::from([Position::Internet]), &jewels)
}

/// The text as XML can hold it.
fn held(text: &str) -> String {
    let lost = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || c == '\u{fffe}' || c == '\u{ffff}';
    text.chars()
        .map(|c| if lost(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The parts of BloodHound's published schema that bear on the output: kinds, ends, flat properties.
fn check_opengraph(value: &Value) {
    let graph = &value["graph"];
    if let Some(folder) = std::env::var_os("OPENGRAPH_SCHEMAS") {
        for (members, file) in [("nodes", "opengraph-node.json"), ("edges", "opengraph-edge.json")] {
            let schema = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).unwrap();
            let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
            for member in graph[members].as_array().unwrap() {
                let errors: Vec<String> = validator
                    .iter_errors(member)
                    .map(|error| error.to_string())
                    .collect();
                assert!(errors.is_empty(), "{member}: {errors:?}");
            }
        }
    }
    let mut ids = BTreeSet::new();
    for node in graph["nodes"].as_array().unwrap() {
        assert!(
            ids.insert(node["id"].as_str().unwrap()),
            "two nodes {}",
            node["id"]
        );
        assert!((1..=3).contains(&node["kinds"].as_array().unwrap().len()));
        let properties = node["properties"].as_object().unwrap();
        assert!(
            properties
                .values()
                .all(|value| !value.is_object() && !value.is_null())
        );
        assert!(!properties.contains_key("objectid"));
    }
    for edge in graph["edges"].as_array().unwrap() {
        assert!(!edge["kind"].as_str().unwrap().is_empty());
        for end in ["start", "end"] {
            assert_eq!(edge[end]["match_by"], "id");
            assert!(ids.contains(edge[end]["value"].as_str().unwrap()));
        }
    }
}

/// A label of Mermaid as a reader sees it: `#60;` is the character of that number.
fn decoded(label: &str) -> String {
    let mut text = String::new();
    let mut rest = label;
    while let Some((before, after)) = rest.split_once('#') {
        text.push_str(before);
        let (number, after) = after.split_once(';').unwrap();
        text.push(char::from_u32(number.parse().unwrap()).unwrap());
        rest = after;
    }
    text + rest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn hostile_names_are_text_in_every_picture(name in any::<String>(), marks in "[\"'<>&\\]\\[\\\\\n\u{202e}/#;-]{1,9}") {
        for name in [name, marks] {
            let diagram = diagram(&steps(&name));
            let text = svg(&diagram, &name).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let read = roxmltree::Document::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let titles: BTreeSet<&str> = read
                .descendants()
                .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "title")))
                .filter_map(|node| node.text())
                .collect();
            let pod = held(&format!("Pod/{name}/{name}"));
            prop_assert!(titles.contains(pod.as_str()), "{titles:?}");
            let known = ["svg", "title", "rect", "g", "text", "polyline", "polygon", "circle"];
            let tags: Vec<&str> = read.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name()).collect();
            prop_assert!(tags.iter().all(|tag| known.contains(tag)), "{tags:?}");

            let text = graphml(&diagram);
            let read = roxmltree::Document::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let data: Vec<&str> = read.descendants().filter(|node| node.attribute("key") == Some("node-id")).filter_map(|node| node.text()).collect();
            prop_assert!(data.contains(&pod.as_str()), "{data:?}");

            let value = opengraph(&diagram);
            check_opengraph(&value);
            let found = value["graph"]["nodes"].as_array().unwrap().iter().any(|node| node["id"] == format!("Pod/{name}/{name}"));
            prop_assert!(found);

            let text = mermaid(&diagram);
            let lines = text.lines().count();
            let read: BTreeSet<String> = text.lines().filter_map(|line| line.split_once('"')?.1.rsplit_once('"')).map(|(label, _)| decoded(label)).collect();
            let shown: String = format!("Pod/{name}/{name}").chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect();
            prop_assert!(read.iter().any(|label| label.trim_end_matches('…') == shown), "{read:?} {shown:?}");
            prop_assert_eq!(lines, 1 + diagram.vertices.len() + diagram.edges.len() + 3);
        }
    }
}

#[test]
fn a_picture_shows_what_the_steps_say() {
    let diagram = diagram(&steps("shop"));
    let roles: Vec<Role> = diagram.vertices.iter().map(|vertex| vertex.role).collect();
    assert_eq!(roles, [Role::Entry, Role::Position, Role::Jewel, Role::Join]);
    let text = svg(&diagram, "shop").unwrap();
    for expected in [
        "namespace shop",
        "REACHES (2)",
        "crown jewel",
        "needs all that lead here",
    ] {
        assert!(text.contains(expected), "no {expected}");
    }
    assert_eq!(text, svg(&diagram, "shop").unwrap());
}

#[test]
fn replicas_are_one_vertex_with_a_count() {
    let mut steps = Vec::new();
    for number in 0..40 {
        let pod = Position::Pod(Place::new("shop", format!("web-{number}")));
        steps.push(step(&[Position::Internet], pod.clone()));
        steps.push(step(&[pod], Position::ClusterAdmin));
    }
    let diagram = diagram(&steps);
    assert_eq!(diagram.vertices.len(), 3);
    assert!(
        diagram
            .vertices
            .iter()
            .any(|vertex| vertex.count == 40 && vertex.text.ends_with("and 39 more"))
    );
    assert!(svg(&diagram, "shop").unwrap().contains("and 39 more"));
}

#[test]
fn a_thousand_vertices_are_laid_out_without_graphviz() {
    // Ways of different length and name, so that nothing folds.
    let pod = |number: usize| Position::Pod(Place::new(format!("n{}", number % 12), format!("p{number}")));
    let mut steps = vec![step(&[Position::Internet], pod(0))];
    for number in 1..1_000 {
        steps.push(step(&[pod((number - 1) / 3)], pod(number)));
        if number % 2 == 0 {
            steps.push(step(&[pod(number / 2)], pod(number)));
        }
    }
    let steps: Vec<&Step> = steps.iter().collect();
    let jewels = (0..1_000)
        .map(pod)
        .filter(|pod| pod.to_string().ends_with('7'))
        .collect();
    let diagram = Diagram::new(&steps, &BTreeSet::from([Position::Internet]), &jewels);
    let begun = std::time::Instant::now();
    let text = svg(&diagram, "many").unwrap();
    let took = begun.elapsed();
    let drawn = roxmltree::Document::parse(&text).unwrap();
    let boxes = drawn.descendants().filter(|node| {
        node.attribute("class")
            .is_some_and(|class| class.starts_with("box"))
    });
    let count = boxes.count();
    assert!(
        count >= diagram.vertices.len() && diagram.vertices.len() > 700,
        "{}",
        diagram.vertices.len()
    );
    // The layout is built with optimisation in every profile; the rest of the time is the machine's other work.
    assert!(took.as_secs() < 20, "{took:?}");
}

/// Relative, as pictures name their input.
const EXAMPLE: &str = "examples/clusters/blog";

/// What `beachhead graph` of the example writes.
fn graph(arguments: &[&str]) -> String {
    let output = Command::cargo_bin("beachhead")
        .unwrap()
        .args([&["graph", EXAMPLE], arguments].concat())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Every step of a part of the example's graph.
fn part(arguments: &[&str]) -> BTreeSet<String> {
    let text = graph(&[&["--format", "json"], arguments].concat());
    let value: Value = serde_json::from_str(&text).unwrap();
    let steps = value["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            format!(
                "{} {} {}",
                step["premises"], step["technique"], step["conclusion"]
            )
        })
        .collect()
}

#[test]
fn parts_of_the_graph_are_chosen() {
    let whole = part(&[]);
    let has = |steps: &BTreeSet<String>, text: &str| steps.iter().any(|step| step.contains(text));
    let from = part(&["--from", "Deployment/wiki/wiki"]);
    assert!(from.is_subset(&whole) && !has(&from, "EXPLOIT_PUBLIC_APP") && !from.is_empty());
    let ways = part(&[
        "--from",
        "Deployment/blog/wordpress",
        "--to",
        "Database/blog/mysql",
    ]);
    assert!(ways.is_subset(&whole) && has(&ways, "DATABASE_LOGIN") && !has(&ways, "EXPLOIT_PUBLIC_APP"));
    assert!(
        has(&part(&["--to", "Database/blog/mysql"]), "EXPLOIT_PUBLIC_APP"),
        "from the internet"
    );
    assert!(part(&["--from", "Deployment/wiki/wiki", "--to", "ClusterAdmin"]).is_empty());
    let near = |depth| part(&["--around", "Secret/blog/deploy-bot-token", "--depth", depth]);
    assert!(near("1").len() < near("2").len() && near("2").is_subset(&whole));
    assert!(
        near("1")
            .iter()
            .all(|step| step.contains("Secret/blog/deploy-bot-token"))
    );
    let asked = part(&["--query", "MATCH (:Secret)-[r:TOKEN_SECRET]->() RETURN r"]);
    assert!(!asked.is_empty() && asked.iter().all(|step| step.contains("TOKEN_SECRET")));
    let nodes = part(&[
        "--query",
        "MATCH (n) WHERE n.id STARTS WITH 'Secret/blog' RETURN n",
    ]);
    assert!(
        !nodes.is_empty()
            && nodes
                .iter()
                .all(|step| step.matches("\"Secret/blog").count() == 2),
        "{nodes:?}"
    );
}

#[test]
fn the_paths_of_the_example_fit_a_page() {
    let text = graph(&["--paths", "--format", "svg", "--engine", "builtin"]);
    let read = roxmltree::Document::parse(&text).unwrap();
    let pixels = |name: &str| {
        read.root_element()
            .attribute(name)
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    assert!(
        pixels("width") <= 1100 && pixels("height") <= 1500,
        "{} {}",
        pixels("width"),
        pixels("height")
    );
    expect_test::expect_file!["../pictures/blog.svg"].assert_eq(&text);
    expect_test::expect_file!["../pictures/blog.dot"].assert_eq(&graph(&["--paths", "--format", "dot"]));
}

/// The names of the vertices of each cluster of a DOT text, by the cluster's label.
fn boxes(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    use graphviz_rust::dot_structures::{Attribute, Graph, Id, Stmt};

    let Graph::DiGraph { stmts, .. } = graphviz_rust::parse(text).unwrap() else {
        panic!("another kind of graph");
    };
    let value = |attributes: &[Attribute], wanted: &str| {
        attributes
            .iter()
            .find_map(|Attribute(key, value)| match (key, value) {
                (Id::Plain(key), Id::Escaped(value)) if key == wanted => {
                    Some(value.trim_matches('"').to_owned())
                }
                _ => None,
            })
    };
    let mut boxes = BTreeMap::new();
    for subgraph in stmts.iter().filter_map(|stmt| match stmt {
        Stmt::Subgraph(subgraph) => Some(&subgraph.stmts),
        _ => None,
    }) {
        let own: Vec<Attribute> = (subgraph.iter())
            .filter_map(|stmt| match stmt {
                Stmt::Attribute(attribute) => Some(attribute.clone()),
                _ => None,
            })
            .collect();
        let names = subgraph.iter().filter_map(|stmt| match stmt {
            Stmt::Node(node) => value(&node.attributes, "tooltip"),
            _ => None,
        });
        boxes.insert(value(&own, "label").unwrap(), names.collect());
    }
    boxes
}

#[test]
fn boxes_are_namespaces_or_nodes() {
    let pod = |name: &str, namespace: &str, node: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\n\
             spec:\n  nodeName: {node}\n  hostPID: true\n  containers:\n  - name: c\n    image: example.com/x\n    \
             securityContext: {{privileged: true}}\n    ports: [{{containerPort: 80, hostPort: 80}}]\n"
        )
    };
    let node = |name: &str| format!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n");
    let yaml = [
        pod("web", "shop", "n1"),
        pod("db", "shop", "n2"),
        pod("bill", "pay", "n1"),
        node("n1"),
        node("n2"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.yaml");
    std::fs::write(&file, yaml.concat()).unwrap();
    let drawn = |arguments: &[&str]| {
        let output = Command::cargo_bin("beachhead")
            .unwrap()
            .args([&["graph", file.to_str().unwrap()], arguments].concat())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            said,
        )
    };
    let named = |found: &BTreeMap<String, BTreeSet<String>>, group: &str| -> Vec<String> {
        let names = found.get(group).into_iter().flatten();
        let kinds = ["Pod/", "Node/"];
        let names = names.filter(|name| kinds.iter().any(|kind| name.starts_with(kind)));
        names.cloned().collect()
    };
    let by_namespace = boxes(&drawn(&["--format", "dot"]).1);
    assert!(named(&by_namespace, "namespace pay").contains(&"Pod/pay/bill".to_owned()));
    assert!(
        !by_namespace.keys().any(|name| name.starts_with("node ")),
        "{by_namespace:?}"
    );
    assert_eq!(
        by_namespace,
        boxes(&drawn(&["--format", "dot", "--group-by", "namespace"]).1)
    );
    let by_node = boxes(&drawn(&["--format", "dot", "--group-by", "node"]).1);
    assert_eq!(
        named(&by_node, "node n1"),
        ["Node/n1", "Pod/pay/bill", "Pod/shop/web"]
    );
    assert_eq!(named(&by_node, "node n2"), ["Node/n2", "Pod/shop/db"]);
    let text = drawn(&["--format", "svg", "--engine", "builtin", "--group-by", "node"]).1;
    let read = roxmltree::Document::parse(&text).unwrap();
    let texts: BTreeSet<&str> = read.descendants().filter_map(|node| node.text()).collect();
    assert!(
        texts.contains("node n1") && texts.contains("node n2"),
        "{texts:?}"
    );
    let (done, _, said) = drawn(&["--format", "mermaid", "--group-by", "node"]);
    assert!(!done && said.contains("--group-by is about the boxes"), "{said}");
}

#[test]
fn graphviz_lays_out_where_it_is_installed() {
    let dot = std::process::Command::new("dot").arg("-V").output();
    if dot.is_err() {
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: Graphviz is not installed\n").unwrap();
        return;
    }
    let text = graph(&["--paths", "--format", "svg", "--engine", "dot"]);
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let read = roxmltree::Document::parse_with_options(&text, options).unwrap();
    let texts: Vec<&str> = read.descendants().filter_map(|node| node.text()).collect();
    assert!(texts.contains(&"DATABASE_LOGIN (1)") && texts.contains(&"namespace blog"));
}
