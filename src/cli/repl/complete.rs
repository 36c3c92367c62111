//! What may stand at the cursor: from the grammar and from what the graph has.
//!
//! **Trap.** Only the text before the cursor counts, and it is seldom a whole query; everything here works on words.

use std::path::Path;

use super::command::COMMANDS;
use super::schema::Schema;
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
    let lower = part.to_lowercase();
    let near = schema
        .ids
        .iter()
        .filter(|id| id.to_lowercase().starts_with(&lower));
    near.take(SHOWN).map(|id| candidate(id.as_str(), "")).collect()
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
    let found = match command.trim_start_matches([':', '\\', '.']) {
        "describe" | "neighbors" | "paths" | "reach" | "assume" | "retract" => ids(schema, &before[start..]),
        "mode" => [
            "table", "box", "line", "json", "jsonl", "csv", "tsv", "markdown", "path", "dot",
        ]
        .iter()
        .map(|mode| candidate(*mode, ""))
        .collect(),
        "timing" => vec![candidate("on", ""), candidate("off", "")],
        "run" => saved.iter().map(|id| candidate(id.as_str(), "")).collect(),
        "help" => {
            let topics = techniques::catalogue().map(|technique| candidate(technique.id, technique.title));
            let labels = schema
                .labels
                .iter()
                .map(|(label, count)| candidate(label.as_str(), format!("{count} nodes")));
            topics.chain(labels).collect()
        }
        "source" | "output" | "save" | "viz" | "open" => files(&before[start..]),
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

    /// The label of the node before a relationship's bracket, if the arrow leaves it.
    fn label_before(&self, bracket: usize) -> Option<&str> {
        let close = bracket.checked_sub(2)?;
        if self.of(close) != ")" {
            return None;
        }
        let inner = (0..close).rev().take_while(|at| self.of(*at) != "(");
        inner
            .filter(|at| self.words[*at].0 == Lexeme::Label)
            .map(|at| self.of(at))
            .next()
    }
}

fn of_query(before: &str, schema: &Schema) -> (usize, Vec<Candidate>) {
    let mut words = lexemes(before);
    let end = before.len();
    let mut start = end;
    if let Some((lexeme, span)) = words.last().copied() {
        let touches = span.end as usize == end;
        if lexeme == Lexeme::Wrong {
            // An unfinished string: an id, if one is asked for.
            let quote = span.start as usize + 1;
            return (
                quote.min(end),
                ids(schema, before.get(quote..).unwrap_or_default()),
            );
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
            let types = context.label_before(at).and_then(|label| schema.out.get(label));
            let fits = |name: &&String| types.is_none_or(|types| types.contains_key(*name));
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
            node_keys: texts(&["id", "name"]).into_iter().collect(),
            link_keys: texts(&["effort"]).into_iter().collect(),
            ids: texts(&["Node/a", "Pod/shop/web"]),
            ..Schema::default()
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
            ("MATCH (p:Pod)-[r:READS]->(q) RETURN r.", 38, &["effort"]),
            ("MATCH (p:Pod)-[r]->(q) RETURN p.n", 32, &["name"]),
            ("MATCH (p:Pod {", 14, &["id", "name"]),
            ("MATCH (p {id: 'Po", 15, &["Pod/shop/web"]),
            ("MAT", 0, &["MATCH"]),
            (
                "MATCH (web) RETURN w",
                19,
                &["WALK", "WHEN", "WHERE", "WITH", "web"],
            ),
            (":des", 0, &[":describe"]),
            ("\\des", 0, &["\\describe"]),
            (":describe No", 10, &["Node/a"]),
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
