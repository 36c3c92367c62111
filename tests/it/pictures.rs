//! Pictures of the graph: read back by parsers, hostile names included, and the same on every run.

use std::collections::BTreeSet;

use beachhead::draw::{Diagram, Role, graphml, mermaid, opengraph, svg};
use beachhead::techniques::{Certainty, Place, Position, Reason, Relation, Step};
use proptest::prelude::*;
use serde_json::Value;

fn step(premises: &[Position], conclusion: Position) -> Step {
    Step {
        reason: Reason::Relation(Relation::Reaches),
        premises: premises.to_vec(),
        conclusion,
        effort: 2,
        certainty: Certainty::Certain,
        evidence: Vec::new(),
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

            let lines = mermaid(&diagram).lines().count();
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
