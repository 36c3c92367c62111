//! Queries that come with the program: one question a file, in `queries/`.
//!
//! A file begins with comments: the title, then `severity:`, `attack:` (ATT&CK ids) and `fix:`.
//!
//! **Trap.** The files are part of the program; a new one needs a line in [`FILES`], which a test compares with the
//! folder.

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The name of its file.
    pub id: String,
    /// What it asks, in a sentence.
    pub title: String,
    /// How bad a row is: `critical`, `high`, `medium`, `low` or `info`.
    pub severity: String,
    /// MITRE ATT&CK ids, separated by spaces.
    pub attack: String,
    /// What to do about a row.
    pub fix: String,
    /// The whole file.
    pub text: String,
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

/// Returns the saved queries of the program, by id.
pub fn saved() -> Vec<Saved> {
    let mut found: Vec<Saved> = FILES.iter().map(|(id, text)| Saved::read(id, text)).collect();
    found.sort_by(|left, right| left.id.cmp(&right.id));
    found
}

impl Saved {
    /// Reads what a file says about itself.
    pub fn read(id: &str, text: &str) -> Self {
        let comments = || {
            text.lines()
                .map_while(|line| line.strip_prefix("//"))
                .map(str::trim)
        };
        let field = |name: &str| {
            let mut values = comments().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            values.next().map_or("", str::trim).to_owned()
        };
        Self {
            id: id.to_owned(),
            title: comments().next().unwrap_or_default().to_owned(),
            severity: field("severity"),
            attack: field("attack"),
            fix: field("fix"),
            text: text.to_owned(),
        }
    }
}
