//! Help at the prompt: techniques in the words of `explain`, labels as the graph has them, cards of the syntax.
//!
//! **Trap.** A topic may be a technique, a label, a type, a command and a keyword at once; the graph's own words come
//! first, as they are what people meet in results.

use super::command::{self, COMMANDS};
use super::schema::Schema;
use crate::query::did_you_mean;
use crate::report::Page;
use crate::techniques;

/// Keywords with a line on what they do and an example.
const CARDS: &[(&str, &str, &str)] = &[
    (
        "MATCH",
        "finds patterns: nodes in round brackets, relationships between them",
        "MATCH (p:Pod)-[s]->(n:Node) RETURN p.id, type(s)",
    ),
    (
        "OPTIONAL",
        "keeps the row where a pattern has no match",
        "MATCH (p:Pod) OPTIONAL MATCH (p)-->(d:Database) RETURN p, d",
    ),
    (
        "WHERE",
        "keeps the rows for which a condition is true",
        "MATCH (p:Pod) WHERE p.namespace STARTS WITH 'kube' RETURN p",
    ),
    (
        "WITH",
        "passes columns on, aggregated or ordered",
        "MATCH (p:Pod)-->(s:Secret) WITH p, count(s) AS n WHERE n > 3 RETURN p, n",
    ),
    (
        "RETURN",
        "says what the columns are; an aggregation groups by the others",
        "MATCH (n) RETURN labels(n), count(*) ORDER BY count(*) DESC",
    ),
    (
        "UNWIND",
        "makes a row of each item of a list",
        "UNWIND [1, 2, 3] AS x RETURN x",
    ),
    (
        "UNION",
        "joins the rows of two queries",
        "MATCH (p:Pod) RETURN p.id AS id UNION MATCH (n:Node) RETURN n.id AS id",
    ),
    (
        "EXISTS",
        "whether a pattern has a match",
        "MATCH (p:Pod) WHERE EXISTS { (p)-->(:Database) } RETURN p",
    ),
    (
        "COUNT",
        "how many matches a pattern has",
        "MATCH (p:Pod) RETURN p, COUNT { (p)-->() } AS steps",
    ),
    (
        "SHORTESTPATH",
        "a path of the fewest relationships",
        "MATCH p = shortestPath((:Internet)-[*]->(:ClusterAdmin)) RETURN p",
    ),
    (
        "SHORTEST",
        "paths of the fewest relationships of each pair of ends",
        "MATCH p = SHORTEST 3 (:Internet)-->+(:Database) RETURN p",
    ),
    (
        "CHEAPEST",
        "paths of the least cost; COST says what a relationship costs",
        "MATCH p = ANY CHEAPEST (:Internet)-[s COST s.effort + 1]->+(:Database) RETURN p",
    ),
    (
        "ACYCLIC",
        "paths that meet no node twice; TRAIL: no relationship twice; WALK: anything",
        "MATCH p = ALL SHORTEST ACYCLIC (:Internet)-->+(:Node) RETURN p",
    ),
];

/// The commands and keys, for `:help` and for `beachhead repl --help`.
pub(super) fn overview() -> String {
    let mut page = Page::default();
    page.line("Commands, also with \\ or . in front:");
    let row = |(name, takes, does): &(&str, &str, &str)| vec![format!(":{name} {takes}"), (*does).to_owned()];
    page.table(2, &COMMANDS.iter().map(row).collect::<Vec<_>>());
    page.gap();
    page.line("An ID is a position (Pod/shop/web-0), a workload (Deployment/shop/web), or #2: that in row 2 of the last result.");
    page.line("$_ holds the rows of the last result as maps, $_1 the first value of the first row.");
    page.line("A query ends with ; or an empty line. Alt-Enter begins a line, Tab completes, Ctrl-R searches the history,");
    page.line("Ctrl-O opens the editor, Ctrl-C stops a query or drops the text, Ctrl-D leaves.");
    page.line("!COMMAND asks the shell, if the prompt was begun with --shell.");
    page.line(":help TOPIC says more about a technique, a label, a type, a keyword or a command.");
    page.lines().iter().map(|line| line.text.clone() + "\n").collect()
}

/// The page of a topic, or the list of commands.
pub(super) fn page(schema: &Schema, topic: Option<&str>) -> anyhow::Result<Page> {
    let mut page = Page::default();
    let Some(topic) = topic else {
        overview().lines().for_each(|line| page.line(line));
        return Ok(page);
    };
    let upper = topic.trim_start_matches(':').to_uppercase();
    if let Some(technique) = techniques::technique(&upper) {
        techniques::explain(technique)
            .lines()
            .for_each(|line| page.line(line));
        if let Some(count) = schema.types.get(technique.id) {
            page.line(format!(
                "In this graph: {count}. MATCH (a)-[:{}]->(b) RETURN a, b",
                technique.id
            ));
        }
        return Ok(page);
    }
    if let Some(label) = schema.labels.keys().find(|label| label.to_uppercase() == upper) {
        return Ok(of_label(schema, label));
    }
    if let Some((name, count)) = schema.types.iter().find(|(name, _)| **name == upper) {
        page.line(format!(
            "{name}: what follows without any work; {count} in this graph"
        ));
        page.line(format!("MATCH (a)-[:{name}]->(b) RETURN a, b"));
        return Ok(page);
    }
    if let Some((word, does, example)) = CARDS.iter().find(|(word, ..)| *word == upper) {
        page.line(format!("{word} {does}."));
        page.line(format!("  {example};"));
        return Ok(page);
    }
    if let Ok(name) = command::named(topic.trim_start_matches([':', '\\', '.']))
        && let Some((_, takes, does)) = COMMANDS.iter().find(|(known, ..)| *known == name)
    {
        page.line(format!(":{name} {takes}"));
        page.line(format!("  {does}"));
        return Ok(page);
    }
    let words = CARDS.iter().map(|(word, ..)| *word);
    let known = techniques::catalogue()
        .map(|technique| technique.id)
        .chain(schema.labels.keys().map(String::as_str));
    let near = did_you_mean(topic, known.chain(words));
    anyhow::bail!(
        "no help is about {topic}{near}; `beachhead explain --list` lists techniques, :help lists commands"
    )
}

fn of_label(schema: &Schema, label: &str) -> Page {
    let mut page = Page::default();
    let count = schema.labels.get(label).copied().unwrap_or_default();
    page.line(format!("{label}: a kind of position; {count} in this graph"));
    page.heading("leaves it");
    let out = schema.out.get(label);
    let rows = out
        .into_iter()
        .flatten()
        .map(|(name, ends)| vec![name.clone(), ends.iter().cloned().collect::<Vec<_>>().join(", ")]);
    page.table(2, &rows.collect::<Vec<_>>());
    page.heading("leads to it");
    let into: Vec<Vec<String>> = schema
        .into
        .get(label)
        .into_iter()
        .flatten()
        .map(|name| vec![name.clone()])
        .collect();
    page.table(2, &into);
    page.gap();
    page.line(format!("MATCH (n:{label}) RETURN n LIMIT 10"));
    page
}

/// Labels, types and properties.
pub(super) fn schema(schema: &Schema) -> Page {
    let mut page = Page::default();
    for (title, names) in [("labels", &schema.labels), ("types", &schema.types)] {
        page.heading(title);
        page.table(
            2,
            &names
                .iter()
                .map(|(name, count)| vec![name.clone(), count.to_string()])
                .collect::<Vec<_>>(),
        );
    }
    let joined =
        |keys: &std::collections::BTreeSet<String>| keys.iter().cloned().collect::<Vec<_>>().join(", ");
    page.heading("properties");
    page.labelled(2, "nodes", &joined(&schema.node_keys));
    page.labelled(2, "steps", &joined(&schema.link_keys));
    page
}
