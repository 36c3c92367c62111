//! The operators' contracts: which pods, Services and Secrets follow from a custom resource, and which other resources
//! make users of it. The table is `operators.toml`.
//!
//! **Trap.** A name in the table is a pattern over a resource whose texts are kept only where they are names, see
//! [`Other::members_read`]: a path that the model drops leads to nothing, which a test forbids.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{ObjectId, Other, Text};

/// What an operator makes of one kind; `operators.toml` says what each member means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Contract {
    pub(super) family: String,
    pub(super) title: String,
    pub(super) images: Vec<String>,
    pub(super) labels: Vec<String>,
    pub(super) services: Vec<String>,
    pub(super) root: Vec<String>,
    pub(super) user: Vec<String>,
    pub(super) replication: Vec<String>,
    pub(super) backup: Vec<String>,
    pub(super) asks: bool,
    pub(super) listeners: String,
    pub(super) of: String,
    pub(super) by: String,
    pub(super) source: String,
}

/// The table, by `group/kind`. A test holds that it can be read.
pub(super) static CONTRACTS: LazyLock<IndexMap<String, Contract>> =
    LazyLock::new(|| toml::from_str(include_str!("operators.toml")).unwrap_or_default());

/// The group and kind of a resource, as the table writes them.
pub(super) fn kind_of(resource: &Other) -> Option<String> {
    let (group, _) = resource.api_version.split_once('/')?;
    Some(format!("{group}/{}", resource.kind))
}

/// A custom resource that the table knows.
#[derive(Clone, Copy)]
pub(super) struct Managed<'a> {
    pub(super) id: &'a ObjectId,
    pub(super) resource: &'a Other,
    pub(super) contract: &'static Contract,
}

/// The key that stands for all keys of a Secret.
pub(super) const ALL: &str = "*";

impl<'a> Managed<'a> {
    /// The resource, if the table knows its kind.
    pub(super) fn of(id: &'a ObjectId, resource: &'a Other) -> Option<Self> {
        let contract = CONTRACTS.get(&kind_of(resource)?)?;
        Some(Self {
            id,
            resource,
            contract,
        })
    }

    /// The names and keys of the Secrets that an entry of the table stands for.
    pub(super) fn secrets(&self, entry: &str) -> Vec<(Text, Text)> {
        let (entry, switch) = entry.split_once('?').unwrap_or((entry, ""));
        if !switch.is_empty() && !self.is_on(switch) {
            return Vec::new();
        }
        if let Some((path, key)) = entry.strip_prefix('@').and_then(|entry| entry.split_once(':')) {
            return self.references(path, key);
        }
        let Some((name, key)) = entry.split_once('#') else {
            return Vec::new();
        };
        let names = match name.strip_prefix('@') {
            Some(path) => texts(self.at(path)),
            None => self.names(name),
        };
        let keys = |name: String| key.split(',').map(move |key| (Text::new(&name), Text::new(key)));
        names.into_iter().flat_map(keys).collect()
    }

    /// Whether a switch is on: `a.b` if it is true there, `a.b=text` if the text stands there, `!a.b` if nothing does.
    fn is_on(&self, switch: &str) -> bool {
        if let Some(path) = switch.strip_prefix('!') {
            return self.at(path).is_empty();
        }
        match switch.split_once('=') {
            Some((path, wanted)) => self.at(path).iter().any(|value| value.as_str() == Some(wanted)),
            None => self.at(switch).iter().any(|value| value.as_bool() == Some(true)),
        }
    }

    /// The references to a Secret's key at a path within `spec`, with the key that is taken where they name none.
    fn references(&self, path: &str, usual: &str) -> Vec<(Text, Text)> {
        let found = self.at(path).into_iter().filter_map(|value| {
            let member = |name| {
                value
                    .get(name)
                    .and_then(Value::as_str)
                    .filter(|text| !text.is_empty())
            };
            let key = member("key").unwrap_or(usual);
            (!key.is_empty()).then_some((member("name")?.into(), key.into()))
        });
        found.collect()
    }

    /// The names that a pattern stands for: `{}` is the resource's own, `{user}` each of its users', `{superuser}` each of
    /// those with that flag, `{.a}` the text in `spec.a`.
    pub(super) fn names(&self, pattern: &str) -> Vec<String> {
        let filled = pattern.replace("{}", &self.id.name);
        let Some((before, rest)) = filled.split_once('{') else {
            return vec![filled];
        };
        let Some((inner, after)) = rest.split_once('}') else {
            return Vec::new();
        };
        let values = match inner.strip_prefix('.') {
            Some(path) => texts(self.at(path)),
            None => self.users(inner == "superuser"),
        };
        let filled = values.iter().map(|value| format!("{before}{value}{after}"));
        filled.collect()
    }

    /// The namespace and name of the resource that this one is about.
    pub(super) fn about(&self) -> Option<(Text, Text)> {
        let own = || self.id.namespace.clone();
        let Some(path) = self.contract.by.strip_prefix('@') else {
            return Some((own(), self.resource.meta.labels.get(&self.contract.by)?.clone()));
        };
        let first = |path: &str| texts(self.at(path)).into_iter().next().map(Text::from);
        let beside = path
            .rsplit_once('.')
            .map(|(before, _)| format!("{before}.namespace"));
        let namespace = beside.and_then(|path| first(&path)).unwrap_or_else(own);
        Some((namespace, first(path)?))
    }

    /// The values at a path within `spec`, through lists; a `*` stands for every member.
    pub(super) fn at(&self, path: &str) -> Vec<&'a Value> {
        let mut values: Vec<&Value> = self.resource.spec.iter().collect();
        for part in path.split('.') {
            values = items(values)
                .flat_map(|value| match value {
                    Value::Object(members) if part == "*" => members.values().collect::<Vec<_>>(),
                    value => value.get(part).into_iter().collect(),
                })
                .collect();
        }
        items(values).filter(|value| !value.is_null()).collect()
    }

    /// The users that the resource names: a map's keys, perhaps only those with the flag `superuser`, or the names in a list.
    fn users(&self, super_only: bool) -> Vec<String> {
        let users = self.resource.spec.as_ref().and_then(|spec| spec.get("users"));
        let is_super = |flag: &Value| {
            flag.as_str()
                .is_some_and(|flag| flag.eq_ignore_ascii_case("superuser"))
        };
        let is_meant = |flags: &Value| !super_only || flags.as_array().into_iter().flatten().any(is_super);
        let names: Vec<&str> = match users {
            Some(Value::Object(users)) => {
                let meant = users.iter().filter(|(_, flags)| is_meant(flags));
                meant.map(|(name, _)| name.as_str()).collect()
            }
            Some(Value::Array(users)) if !super_only => {
                let names = users.iter().map(|user| user.get("name").unwrap_or(user));
                names.filter_map(Value::as_str).collect()
            }
            _ => Vec::new(),
        };
        // Names of objects have no underscore.
        names.into_iter().map(|name| name.replace('_', "-")).collect()
    }
}

/// The values, those of lists in place of the lists.
fn items(values: Vec<&Value>) -> impl Iterator<Item = &Value> {
    values.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    })
}

fn texts(values: Vec<&Value>) -> Vec<String> {
    let texts = values.into_iter().filter_map(Value::as_str);
    texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Families;
    use super::*;

    /// The members of `spec` that an entry reads.
    fn members(entry: &str) -> Vec<&str> {
        let (entry, switch) = entry.split_once('?').unwrap_or((entry, ""));
        let path = entry
            .strip_prefix('@')
            .map(|path| path.split([':', '#']).next().unwrap_or_default());
        let inner = entry
            .split_once("{.")
            .map(|(_, rest)| rest.split('}').next().unwrap_or_default());
        let user = (entry.contains("{user}") || entry.contains("{superuser}")).then_some("users");
        let switch = switch
            .trim_start_matches('!')
            .split('=')
            .next()
            .unwrap_or_default();
        let paths = [path, inner, user, Some(switch)].into_iter().flatten();
        let first = paths.map(|path| path.split('.').next().unwrap_or_default());
        first.filter(|member| !member.is_empty()).collect()
    }

    #[test]
    fn the_table_is_read_whole_and_names_families() {
        let lines = include_str!("operators.toml").lines();
        let lines = lines.filter(|line| line.starts_with('[')).count();
        assert_eq!((CONTRACTS.len(), lines > 30), (lines, true));
        for (kind, contract) in CONTRACTS.iter() {
            assert!(contract.source.starts_with("https://"), "{kind} has no source");
            let read = Other::members_read(kind.split('/').next().unwrap_or_default());
            let is_main = contract.of.is_empty();
            assert_eq!(
                is_main,
                Families::built_in().by_id(&contract.family).is_some(),
                "{kind}"
            );
            assert_eq!(is_main, !contract.labels.is_empty(), "{kind}");
            assert!(!is_main || !contract.services.is_empty(), "{kind}");
            assert!(is_main || CONTRACTS.contains_key(&contract.of), "{kind}");
            let lists = [
                &contract.root,
                &contract.user,
                &contract.replication,
                &contract.backup,
            ];
            let mut entries: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
            entries.extend(contract.services.iter().map(String::as_str));
            let by = format!("{}#", contract.by);
            entries.push(&by);
            for member in entries
                .into_iter()
                .flat_map(members)
                .chain(contract.listeners.split('.').next())
            {
                assert!(member.is_empty() || read.contains(&member), "{kind}: {member}");
            }
        }
    }

    fn secrets(entry: &str, spec: &str) -> String {
        let id = ObjectId::new("Kind", "shop", "db");
        let resource = Other {
            spec: serde_json::from_str(spec).unwrap(),
            ..Other::default()
        };
        let contract = CONTRACTS.values().next().unwrap();
        let managed = Managed {
            id: &id,
            resource: &resource,
            contract,
        };
        let found = managed.secrets(entry).into_iter();
        found
            .map(|(name, key)| format!("{name}/{key}"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn entries_stand_for_secrets() {
        for (entry, spec, expected) in [
            ("{}-app#password", "{}", "db-app/password"),
            ("{}#k,l", "{}", "db/k db/l"),
            (
                "{user}.{}#k",
                r#"{"users": {"a_b": [], "c": []}}"#,
                "a-b.db/k c.db/k",
            ),
            (
                "{superuser}.{}#k",
                r#"{"users": {"a_b": ["createdb", "SUPERUSER"], "c": ["createdb"], "d": null}}"#,
                "a-b.db/k",
            ),
            ("{.a.b}-x#k", r#"{"a": {"b": "n"}}"#, "n-x/k"),
            ("{.a.b}-x#k", "{}", ""),
            ("@a.b#k", r#"{"a": [{"b": "n"}, {"b": "m"}, {}]}"#, "n/k m/k"),
            ("@a:", r#"{"a": {"name": "n", "key": "k"}}"#, "n/k"),
            ("@a:", r#"{"a": {"name": "n"}}"#, ""),
            (
                "@a:k",
                r#"{"a": [{"name": "n"}, {"name": "m", "key": "l"}]}"#,
                "n/k m/l",
            ),
            ("{}#k?a.b", r#"{"a": {"b": true}}"#, "db/k"),
            ("{}#k?a.b", r#"{"a": {"b": false}}"#, ""),
            ("{}#k?a=tls", r#"{"a": "tls"}"#, "db/k"),
            ("{}#k?a=tls", r#"{"a": "scram"}"#, ""),
            ("{}#k?!a", "{}", "db/k"),
            ("{}#k?!a", r#"{"a": {"name": "n"}}"#, ""),
            ("{user#k", "{}", ""),
        ] {
            assert_eq!(secrets(entry, spec), expected, "{entry} {spec}");
        }
    }
}
