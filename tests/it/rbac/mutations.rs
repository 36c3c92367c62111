//! Role and binding documents that went wrong on the way: whatever is left of them is read, and nothing panics.
//!
//! The fuzz target `rbac` does the same with bytes of any kind; this one runs everywhere and starts from documents.

use beachhead::collect::read_text;
use beachhead::rbac::{Access, Caller, Identity, Request, ResourceRequest};
use beachhead::techniques::{Facts, steps};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SEED: &str = include_str!("../../../fuzz/seeds/rbac/roles.yaml");

/// What stands in for a word: other types, other shapes, characters that YAML and names treat in their own way.
const WORDS: &[&str] = &[
    "",
    "null",
    "~",
    "[]",
    "{}",
    "[[[",
    "'*'",
    "\"*\"",
    "*",
    "&a",
    "*a",
    "7",
    "-1",
    "true",
    "1e999",
    "|",
    ">",
    "---",
    "...",
    ": :",
    "- -",
    "\t",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "!!binary aGk=",
    "system:masters",
    "ClusterRole",
    "Role",
    "User",
    "Group",
    "shop",
    "secrets",
    "pods/exec",
    "a/b/c",
    "/",
    "get",
    "escalate",
    "bind",
    "\"\\x00\"",
    "? x",
    "<<: *a",
    "kind: List",
];

/// One thing that goes wrong.
#[derive(Clone, Debug)]
enum Change {
    /// A word becomes another one.
    Word(Index, &'static str),
    /// A line is gone, comes twice, or trades places with another one.
    Drop(Index),
    Twice(Index),
    Swap(Index, Index),
    /// A line moves to the right.
    Indent(Index, u8),
    /// The text ends early.
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        6 => (at(), select(WORDS)).prop_map(|(at, word)| Change::Word(at, word)),
        1 => at().prop_map(Change::Drop),
        1 => at().prop_map(Change::Twice),
        1 => (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
        1 => (at(), 1_u8..6).prop_map(|(at, by)| Change::Indent(at, by)),
        1 => at().prop_map(Change::Cut),
    ]
}

/// Where words begin and end.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut start = None;
    for (at, sign) in text.char_indices() {
        let is_word = !sign.is_whitespace() && !"[]{},".contains(sign);
        match (start, is_word) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                spans.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    spans.extend(start.map(|from| (from, text.len())));
    spans
}

fn changed(text: &str, change: &Change) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return String::new();
    }
    match change {
        Change::Word(at, word) => {
            let spans = spans(text);
            if spans.is_empty() {
                return text.to_owned();
            }
            let (from, to) = spans[at.index(spans.len())];
            return format!("{}{word}{}", &text[..from], &text[to..]);
        }
        Change::Drop(at) => {
            lines.remove(at.index(lines.len()));
        }
        Change::Twice(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at].clone());
        }
        Change::Swap(a, b) => {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        Change::Indent(at, by) => {
            let at = at.index(lines.len());
            lines[at].insert_str(0, &" ".repeat(usize::from(*by)));
        }
        Change::Cut(at) => {
            let at = at.index(text.len());
            let at = (at..=text.len())
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(0);
            return text[..at].to_owned();
        }
    }
    lines.join("\n")
}

/// Everything that is said of a text, in order.
fn said(text: &str) -> String {
    let (cluster, diagnostics) = read_text("changed.yaml", text, "default");
    let facts = Facts::new(&cluster);
    let steps = steps(&facts.context(&cluster));
    format!("{diagnostics:?}\n{:?}\n{steps:?}", facts.access.holdings())
}

/// Deciding and allowing agree, for everyone that a binding names.
fn agree(access: &Access, identity: &Identity) -> Result<(), TestCaseError> {
    let caller = Caller::of(identity, []);
    for (verb, resource, namespace, name) in [
        ("get", "secrets", "shop", "a"),
        ("create", "secrets", "", ""),
        ("*", "*", "", ""),
        ("", "", "", ""),
    ] {
        let request = Request::Resource(ResourceRequest {
            verb,
            resource,
            namespace,
            name,
            ..ResourceRequest::default()
        });
        let grounds = access.decide(&caller, &request);
        prop_assert_eq!(access.allows(&caller, &request), !grounds.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn changed_documents_are_read_without_a_panic_and_always_alike(changes in prop::collection::vec(change(), 1..8)) {
        let text = changes.iter().fold(SEED.to_owned(), |text, change| changed(&text, change));
        let (cluster, _) = read_text("changed.yaml", &text, "default");
        let (access, _) = Access::new(&cluster);
        for (id, _) in &cluster.role_bindings {
            for identity in access.subjects_of(id) {
                agree(&access, identity)?;
            }
        }
        prop_assert_eq!(said(&text), said(&text));
    }
}

#[test]
fn the_seed_itself_gives_rights() {
    let (cluster, diagnostics) = read_text("seed.yaml", SEED, "default");
    let facts = Facts::new(&cluster);
    let found: Vec<String> = facts
        .access
        .holdings()
        .iter()
        .map(|holding| format!("{} {} {}", holding.identity, holding.power.id, holding.scope))
        .collect();
    assert!(
        found.contains(&"ServiceAccount/shop/web get-secrets shop/a".to_owned()),
        "{found:?}"
    );
    assert!(diagnostics.iter().all(|found| !found.to_string().is_empty()));
}
