//! What may stand at the cursor: from the grammar and from what the graph has.
//!
//! **Trap.** Only the text before the cursor counts, and it is seldom a whole query; everything here works on words.

use std::path::Path;

use clap::ValueEnum;

use super::command::{COMMANDS, named};
use super::schema::Schema;
use crate::cli::rows::QueryFormat;
use crate::query::{FUNCTION_NAMES, KEYWORDS, Lexeme, Span, lexemes};
use crate::techniques;

/// What may be put in place of the text from `start` to the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) value: String,
    pub(super) help: String,
}

/// Candidates that are shown at most.
const SHOWN: usize = 200;

fn candidate(value: impl Into<String>, help: impl Into<String>) -> Candidate {
    Candidate {
        value: value.into(),
        help: help.into(),
    }
}

/// Returns where the unfinished word begins, and what it may become.
pub(super) fn complete(before: &str, schema: &Schema, saved: &[String]) -> (usize, Vec<Candidate>) {
    let (start, mut found) = match before.trim_start().chars().next() {
        Some(':' | '\\' | '.') if !before.contains('\n') => of_command(before, schema, saved),
        _ => of_query(before, schema),
    };
    let word = before[start..].to_lowercase();
    let word = word.trim_start_matches('`');
    found.retain(|one| one.value.to_lowercase().starts_with(word));
    if found.is_empty() && word.contains('/') {
        found.clear();
    }
    found.truncate(SHOWN);
    (start, found)
}

fn ids(schema: &Schema, part: &str) -> Vec<Candidate> {
    valued(schema, "id", part)
}

/// Values of a property that begin with this text.
fn valued(schema: &Schema, key: &str, part: &str) -> Vec<Candidate> {
    let found = schema.starting(key, part).take(SHOWN);
    found.map(|value| candidate(value.as_str(), "")).collect()
}

fn of_command(before: &str, schema: &Schema, saved: &[String]) -> (usize, Vec<Candidate>) {
    let start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let begin = before.trim_start();
    let Some((command, _)) = begin.split_once(char::is_whitespace) else {
        let sign = &begin[..1];
        let names = COMMANDS
            .iter()
            .map(|(name, _, help)| candidate(format!("{sign}{name}"), *help));
        return (before.len() - begin.len(), names.collect());
    };
    let found = match named(command.trim_start_matches([':', '\\', '.'])).unwrap_or_default() {
        "describe" | "neighbors" | "paths" | "reach" | "assume" | "retract" | "choke" => {
            ids(schema, &before[start..])
        }
        "explain" | "profile" | "edit" => return of_query(before, schema),
        "mode" => {
            let modes = QueryFormat::value_variants()
                .iter()
                .filter_map(ValueEnum::to_possible_value);
            modes.map(|mode| candidate(mode.get_name(), "")).collect()
        }
        "timing" | "pager" => vec![candidate("on", ""), candidate("off", "")],
        "run" => saved.iter().map(|id| candidate(id.as_str(), "")).collect(),
        "help" => {
            let topics = techniques::catalogue().map(|technique| candidate(technique.id, technique.title));
            let labels = schema
                .labels
                .iter()
                .map(|(label, count)| candidate(label.as_str(), format!("{count} nodes")));
            let commands = COMMANDS.iter().map(|(name, _, help)| candidate(*name, *help));
            topics.chain(labels).chain(commands).collect()
        }
        "source" | "output" | "once" | "save" | "viz" | "open" | "diff" => files(&before[start..]),
        _ => Vec::new(),
    };
    (start, found)
}

fn files(part: &str) -> Vec<Candidate> {
    let folder = part.rfind('/').map_or("", |at| &part[..=at]);
    let path = if folder.is_empty() {
        Path::new(".")
    } else {
        Path::new(folder)
    };
    let mut found: Vec<Candidate> = Vec::new();
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let slash = if entry.path().is_dir() { "/" } else { "" };
        found.push(candidate(format!("{folder}{name}{slash}"), ""));
    }
    found.sort_by(|left, right| left.value.cmp(&right.value));
    found
}

/// The words before the cursor, without the unfinished one.
struct Before<'t> {
    text: &'t str,
    words: Vec<(Lexeme, Span)>,
}

impl Before<'_> {
    fn of(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |(_, span)| span.of(self.text))
    }

    /// The property that the value at the end belongs to: that of `{name:` and of `n.name =`.
    fn key(&self) -> &str {
        let mut back = (0..self.words.len()).rev();
        let mut place = back.find(|at| !matches!(self.of(*at), ":" | "=" | "<>" | "[" | "," | "(" | ")"));
        while let Some(at) = place {
            if self.words[at].0 == Lexeme::Name {
                return self.of(at);
            }
            // Other values of a list, and words such as STARTS WITH.
            place = at.checked_sub(1).filter(|_| self.words[at].0 != Lexeme::Sign);
        }
        "id"
    }

    /// The place of the bracket that is open at the end.
    fn open(&self) -> Option<usize> {
        let mut depth = 0;
        for at in (0..self.words.len()).rev() {
            match self.of(at) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" if depth == 0 => return Some(at),
                "(" | "[" | "{" => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// Whether the bracket at this place is that of a relationship.
    fn is_link(&self, at: usize) -> bool {
        self.of(at) == "[" && at > 0 && self.of(at - 1) == "-"
    }

    /// The label of the node before a relationship's bracket, and whether the arrow leads to that node.
    fn label_before(&self, bracket: usize) -> Option<(&str, bool)> {
        let before = bracket.checked_sub(2)?;
        let is_incoming = self.of(before) == "<";
        let close = before.checked_sub(usize::from(is_incoming))?;
        if self.of(close) != ")" {
            return None;
        }
        let inner: Vec<usize> = (0..close).rev().take_while(|at| self.of(*at) != "(").collect();
        let own = inner.iter().find(|at| self.words[**at].0 == Lexeme::Label);
        let label = own.copied().or_else(|| {
            // Perhaps the same variable has a label further ahead.
            let name = inner.iter().rev().find(|at| self.words[**at].0 == Lexeme::Name)?;
            (0..*name).find(|at| {
                self.words[*at].0 == Lexeme::Label && *at >= 2 && self.of(at - 2) == self.of(*name)
            })
        })?;
        Some((self.of(label), is_incoming))
    }
}

fn of_query(before: &str, schema: &Schema) -> (usize, Vec<Candidate>) {
    let mut words = lexemes(before);
    let end = before.len();
    let mut start = end;
    if let Some((lexeme, span)) = words.last().copied() {
        let touches = span.end as usize == end;
        if lexeme == Lexeme::Wrong {
            // An unfinished string: a value of the property before it, or an id.
            words.pop();
            let context = Before { text: before, words };
            let quote = (span.start as usize + 1).min(end);
            let part = before.get(quote..).unwrap_or_default();
            return (quote, valued(schema, context.key(), part));
        }
        if touches
            && matches!(
                lexeme,
                Lexeme::Keyword | Lexeme::Name | Lexeme::Label | Lexeme::Function
            )
        {
            start = span.start as usize;
            words.pop();
        }
    }
    let context = Before { text: before, words };
    (start, candidates(&context, schema))
}

fn candidates(context: &Before<'_>, schema: &Schema) -> Vec<Candidate> {
    let counted =
        |name: &String, count: &usize, what: &str| candidate(name.as_str(), format!("{count} {what}"));
    let last = context.of(context.words.len().wrapping_sub(1));
    let open = context.open();
    if matches!(last, ":" | "|" | "&" | "!") {
        if let Some(at) = open.filter(|at| context.is_link(*at)) {
            let end = context.label_before(at);
            let fits = |name: &str| match end {
                Some((label, true)) => schema.into.get(label).is_none_or(|types| types.contains(name)),
                Some((label, false)) => schema.out.get(label).is_none_or(|types| types.contains_key(name)),
                None => true,
            };
            let shown = schema.types.iter().filter(|(name, _)| fits(name));
            return shown
                .map(|(name, count)| counted(name, count, "relationships"))
                .collect();
        }
        return schema
            .labels
            .iter()
            .map(|(name, count)| counted(name, count, "nodes"))
            .collect();
    }
    let keys = |is_link: bool| {
        let keys = if is_link {
            &schema.link_keys
        } else {
            &schema.node_keys
        };
        keys.iter()
            .map(|key| candidate(key.as_str(), "property"))
            .collect::<Vec<_>>()
    };
    if last == "." {
        let name = context.of(context.words.len().wrapping_sub(2));
        let is_link = (1..context.words.len()).any(|at| context.of(at) == name && context.is_link(at - 1));
        return keys(is_link);
    }
    if let Some(at) = open
        && context.of(at) == "{"
        && matches!(last, "{" | ",")
    {
        let is_link = (0..at)
            .rev()
            .find(|at| matches!(context.of(*at), "(" | "["))
            .is_some_and(|at| context.is_link(at));
        return keys(is_link);
    }
    let mut found: Vec<Candidate> = KEYWORDS.iter().map(|word| candidate(*word, "keyword")).collect();
    let mut names: Vec<&str> = (0..context.words.len())
        .filter(|at| context.words[*at].0 == Lexeme::Name && context.of(at.wrapping_sub(1)) != ".")
        .map(|at| context.of(at))
        .collect();
    names.sort_unstable();
    names.dedup();
    found.extend(names.into_iter().map(|name| candidate(name, "variable")));
    found.extend(
        FUNCTION_NAMES
            .iter()
            .map(|name| candidate(format!("{name}("), "function")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let runs = [("RUNS_ON".to_owned(), ["Node".to_owned()].into())];
        Schema {
            labels: [("Pod".to_owned(), 2), ("Node".to_owned(), 1)].into(),
            types: [("RUNS_ON".to_owned(), 2), ("READS".to_owned(), 1)].into(),
            out: [("Pod".to_owned(), runs.into())].into(),
            into: [("Node".to_owned(), ["RUNS_ON".to_owned()].into())].into(),
            node_keys: texts(&["id", "name"]).into_iter().collect(),
            link_keys: texts(&["effort"]).into_iter().collect(),
            ids: texts(&["Node/a", "Pod/shop/web"]),
            values: [("name", texts(&["a", "web"])), ("namespace", texts(&["shop"]))].into(),
        }
    }

    fn values(before: &str) -> (usize, Vec<String>) {
        let (start, found) = complete(before, &schema(), &["entry-points".to_owned()]);
        (start, found.into_iter().map(|one| one.value).collect())
    }

    #[test]
    fn the_place_decides_what_is_offered() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("MATCH (p:", 9, &["Node", "Pod"]),
            ("MATCH (p:P", 9, &["Pod"]),
            ("MATCH (p:Pod)-[r:", 17, &["RUNS_ON"]),
            ("MATCH (p)-[r:", 13, &["READS", "RUNS_ON"]),
            ("MATCH (n:Node)<-[:", 18, &["RUNS_ON"]),
            ("MATCH (p:Pod) MATCH (p)-[:", 26, &["RUNS_ON"]),
            ("MATCH (p:Pod)-[r:READS]->(q) RETURN r.", 38, &["effort"]),
            ("MATCH (p:Pod)-[r]->(q) RETURN p.n", 32, &["name"]),
            ("MATCH (p:Pod {", 14, &["id", "name"]),
            ("MATCH (p {id: 'Po", 15, &["Pod/shop/web"]),
            ("MATCH (p {name: 'W", 17, &["web"]),
            ("MATCH (p) WHERE p.namespace = '", 31, &["shop"]),
            ("MATCH (p) WHERE p.name STARTS WITH 'w", 36, &["web"]),
            ("MATCH (p) WHERE p.id IN ['Node/a', 'p", 36, &["Pod/shop/web"]),
            ("MAT", 0, &["MATCH"]),
            (
                "MATCH (web) RETURN w",
                19,
                &["WALK", "WHEN", "WHERE", "WITH", "web"],
            ),
            (":des", 0, &[":describe"]),
            ("\\des", 0, &["\\describe"]),
            (":describe No", 10, &["Node/a"]),
            (":d No", 3, &["Node/a"]),
            (":choke Node/a P", 14, &["Pod/shop/web"]),
            (":explain MATCH (p:P", 18, &["Pod"]),
            (":run e", 5, &["entry-points"]),
            (":mode js", 6, &["json", "jsonl"]),
        ];
        for (before, start, expected) in cases {
            let (at, found) = values(before);
            assert_eq!(
                (at, found),
                (*start, expected.iter().map(|one| (*one).to_owned()).collect()),
                "{before}"
            );
        }
    }

    #[test]
    fn a_key_in_a_large_graph_does_not_look_at_all_of_it() {
        let mut schema = schema();
        schema.ids = (0..200_000)
            .map(|number| format!("Pod/shop/web-{number:06}"))
            .collect();
        let begin = std::time::Instant::now();
        for number in 0..200 {
            let before = format!("MATCH (n {{id: 'pod/shop/web-{number:06}");
            assert_eq!(complete(&before, &schema, &[]).1.len(), 1);
        }
        // A pass over all ids for every key takes more than a minute in this build.
        assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    }

    #[test]
    fn no_text_panics() {
        for before in [
            "",
            ":",
            "(",
            "[",
            "{",
            ".",
            "-[",
            "MATCH (é",
            "'",
            "`",
            "$",
            ")",
            "a.",
            ":é ",
            "//",
        ] {
            values(before);
        }
    }
}
