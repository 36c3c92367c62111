//! Queries that come with the program: one question a file, in `queries/`.
//!
//! A file begins with comments: the title, then `id:`, `group:`, `severity:`, `attack:` (ATT&CK ids) and `fix:`.
//!
//! **Trap.** The files are part of the program; a new one needs a line in [`FILES`], which a test compares with the
//! folder.

use std::collections::BTreeMap;

/// A saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What it is asked for by; the name of its file if that says nothing else.
    pub id: String,
    /// What it asks, in a sentence.
    pub title: String,
    /// What it belongs to; empty if its file does not say.
    pub group: String,
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
    "entry-points",
    "entry-objects",
    "entry-tokens",
    "entry-consoles",
    "entry-anonymous-rights",
    "entry-blast-radius",
    "databases-from-internet",
    "databases-exposed",
    "databases-without-password",
    "database-passwords",
    "database-passwords-in-config-maps",
    "database-clients",
    "databases-with-one-password",
    "database-side-doors",
    "databases-by-container",
    "cluster-admin-from-internet",
    "cluster-admin-holders",
    "cluster-admin-one-step",
    "cluster-admin-from-containers",
    "cluster-admin-from-accounts",
    "cluster-admin-by-roles",
    "cluster-admin-by-control-plane",
    "cluster-admin-by-cloud",
    "secret-readers",
    "secrets-from-internet",
    "secrets-in-environment",
    "secrets-in-many-pods",
    "secrets-inline",
    "tokens-without-end",
    "tokens-in-containers",
    "token-makers",
    "cloud-keys",
    "pull-secrets",
    "container-escapes",
    "escapes-from-internet",
    "nodes-from-internet",
    "host-files",
    "shared-processes",
    "node-loot",
    "node-makers",
    "open-kubelets",
    "metadata-reachers",
    "widely-reached-databases",
    "api-server-reachers",
    "network-spoofers",
    "network-openers",
    "default-accounts-with-rights",
    "rights-of-everyone",
    "widest-accounts",
    "idle-rights",
    "impersonators",
    "pod-writers",
    "admission-writers",
    "certificate-signers",
    "rights-across-namespaces",
    "most-reached-identities",
    "joint-steps",
    "steps-on-many-ways",
    "techniques-on-many-ways",
    "crossroads",
    "weakest-containers",
    "position-counts",
    "technique-counts",
    "attack-coverage",
    "conditional-steps",
    "held-from-internet",
    "containers-to-cluster-admin-share",
    "namespaces-from-internet",
];

/// The groups of the program's queries, in the order in which they are listed.
pub const GROUPS: &[&str] = &[
    "entry points",
    "databases",
    "cluster-admin",
    "secrets",
    "escapes",
    "network",
    "RBAC hygiene",
    "choke points",
    "posture metrics",
];

/// Returns the saved queries of the program, group by group.
pub fn saved() -> Vec<Saved> {
    FILES.iter().map(|(name, text)| Saved::read(name, text)).collect()
}

/// Puts queries into their groups: those of [`GROUPS`] first, then others by name, then what has none.
pub fn grouped(queries: &[Saved]) -> Vec<(&str, Vec<&Saved>)> {
    let mut groups = BTreeMap::<(usize, bool, &str), Vec<&Saved>>::new();
    for query in queries {
        let group = query.group.as_str();
        let place = GROUPS.iter().position(|known| *known == group);
        let key = (place.unwrap_or(GROUPS.len()), group.is_empty(), group);
        groups.entry(key).or_default().push(query);
    }
    groups
        .into_iter()
        .map(|((.., group), queries)| (group, queries))
        .collect()
}

impl Saved {
    /// Reads what a file of this name says about itself.
    pub fn read(name: &str, text: &str) -> Self {
        let comments = || {
            text.lines()
                .map_while(|line| line.strip_prefix("//"))
                .map(str::trim)
        };
        let field = |key: &str| {
            let mut values = comments().filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            values.next().map_or("", str::trim).to_owned()
        };
        Self {
            id: Some(field("id"))
                .filter(|own| !own.is_empty())
                .unwrap_or_else(|| name.to_owned()),
            title: comments().next().unwrap_or_default().to_owned(),
            group: field("group"),
            severity: field("severity"),
            attack: field("attack"),
            fix: field("fix"),
            text: text.to_owned(),
        }
    }
}
