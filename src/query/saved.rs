//! Queries that come with the program: one question a file, in `queries/`.
//!
//! A file begins with comments: the title, then `severity:`, `attack:` (ATT&CK ids) and `fix:`.
//!
//! **Trap.** The files are part of the program; a new one needs a line in [`FILES`], which a test compares with the
//! folder.

/// A saved query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The name of its file.
    pub id: &'static str,
    /// What it asks, in a sentence.
    pub title: &'static str,
    /// How bad a row is: `critical`, `high`, `medium`, `low` or `info`.
    pub severity: &'static str,
    /// MITRE ATT&CK ids, separated by spaces.
    pub attack: &'static str,
    /// What to do about a row.
    pub fix: &'static str,
    /// The whole file.
    pub text: &'static str,
}

macro_rules! files {
    ($($id:literal),+ $(,)?) => {
        &[$(($id, include_str!(concat!("../../queries/", $id, ".cypher")))),+]
    };
}

/// The ids and texts.
const FILES: &[(&str, &str)] = files![
    "cluster-admin-from-internet",
    "cluster-admin-holders",
    "databases-from-internet",
    "entry-points",
    "conditional-steps",
    "joint-steps",
    "most-reached-identities",
    "nodes-from-internet",
    "position-counts",
    "secret-readers",
    "technique-counts",
    "tokens-in-containers",
];

/// Returns the saved queries, by id.
pub fn saved() -> Vec<Saved> {
    let mut found: Vec<Saved> = FILES.iter().map(|(id, text)| read(id, text)).collect();
    found.sort_by_key(|query| query.id);
    found
}

fn read(id: &'static str, text: &'static str) -> Saved {
    let comments = || {
        text.lines()
            .map_while(|line| line.strip_prefix("//"))
            .map(str::trim)
    };
    let field = |name: &str| {
        let mut values = comments().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        values.next().map_or("", str::trim)
    };
    Saved {
        id,
        title: comments().next().unwrap_or_default(),
        severity: field("severity"),
        attack: field("attack"),
        fix: field("fix"),
        text,
    }
}
