//! What a user says of databases: `beachhead.toml`, and annotations on workloads, custom resources and Services.
//!
//! **Trap.** An annotation is text of the cluster: whoever may write it may hide a database from the report. So
//! annotations can name and rate, and only the user's own file can take a database off the list of crown jewels.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use super::family::{Families, Family};
use super::{Datastore, Fact, Subject};
use crate::model::{Cluster, ObjectId, Pod, Text};

/// Annotation: the family of what the pod serves.
const FAMILY: &str = "beachhead.dev/family";
/// Annotation: the class of the data.
const DATA: &str = "beachhead.dev/data";
/// Annotation: what the data is worth, 1 to 10.
const WORTH: &str = "beachhead.dev/worth";
/// What a database is worth of which nobody says anything.
const USUAL: u8 = 5;
/// What the most precious one is worth.
const MOST: u8 = 10;

/// What a datastore is worth to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importance {
    /// The class of its data in the user's words (`personal`); empty if nobody says.
    pub data: Text,
    /// From 1 to 10, 5 if nobody says.
    pub worth: u8,
    /// Whether it counts as a crown jewel.
    pub is_jewel: bool,
}

impl Default for Importance {
    fn default() -> Self {
        Self {
            data: Text::default(),
            worth: USUAL,
            is_jewel: true,
        }
    }
}

/// Why a file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct SettingsError {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

impl SettingsError {
    fn new(file: &str, text: &str, span: Option<Range<usize>>, message: &str) -> Self {
        let start = span.map_or(0, |span| span.start).min(text.len());
        let before = &text.as_bytes()[..start];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        Self {
            file: file.to_owned(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            message: message.replace('\n', " "),
        }
    }
}

/// The settings that this program reads.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    own: Option<Families>,
    /// What is said of databases, by namespace and name.
    databases: BTreeMap<(Text, Text), Said>,
    /// Classes that are no crown jewels.
    excluded: Vec<String>,
    /// What is said of environments.
    pub environments: EnvironmentPatterns,
}

/// What a user says of environments: names of namespaces and nodes, where `*` stands for any text, or `label=value`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentPatterns {
    /// Where people try things.
    pub development: Vec<String>,
    /// Where things are tested before they count.
    pub staging: Vec<String>,
    /// Where things count.
    pub production: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Said {
    kind: Option<Text>,
    family: Option<String>,
    data: Text,
    worth: Option<u8>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    jewels: Jewels,
    databases: Vec<Database>,
    families: IndexMap<Spanned<String>, Family>,
    environments: EnvironmentPatterns,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Jewels {
    exclude: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    name: Spanned<String>,
    family: Option<Spanned<String>>,
    #[serde(default)]
    data: String,
    worth: Option<Spanned<u8>>,
}

impl Settings {
    /// Reads settings from the text of a file.
    ///
    /// # Errors
    /// Returns an error that names line and column: no TOML, an unknown member, a family that nobody knows.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsError> {
        let wrong = |span, message: &str| SettingsError::new(file, text, span, message);
        let written: Written = toml::from_str(text).map_err(|error| wrong(error.span(), error.message()))?;
        for (id, family) in &written.families {
            if family.images.is_empty() && family.programs.is_empty() && family.ports.is_empty() {
                let message = format!(
                    "the family {} has neither images, programs nor ports, so nothing is of it; give one of them",
                    id.get_ref()
                );
                return Err(wrong(Some(id.span()), &message));
            }
        }
        let own = written.families.into_iter();
        let own = Families::with(own.map(|(id, family)| (id.into_inner(), family)).collect());
        let mut databases = BTreeMap::new();
        for database in written.databases {
            let parts: Vec<&str> = database.name.get_ref().split('/').collect();
            let (kind, namespace, name) = match parts.as_slice() {
                [namespace, name] | ["Database", namespace, name] => (None, *namespace, *name),
                [kind, namespace, name] => (Some(Text::new(kind)), *namespace, *name),
                _ => {
                    let message = "write a database's name as namespace/name or Kind/namespace/name";
                    return Err(wrong(Some(database.name.span()), message));
                }
            };
            if let Some(family) = &database.family
                && own.by_id(family.get_ref()).is_none()
            {
                let message = format!(
                    "no family is called {}; add it under [families]",
                    family.get_ref()
                );
                return Err(wrong(Some(family.span()), &message));
            }
            if let Some(worth) = database.worth.as_ref().filter(|worth| *worth.get_ref() > MOST) {
                let message = "worth is a number from 0, no crown jewel, to 10, the most precious one";
                return Err(wrong(Some(worth.span()), message));
            }
            let said = Said {
                kind,
                family: database.family.map(Spanned::into_inner),
                data: database.data.into(),
                worth: database.worth.map(Spanned::into_inner),
            };
            databases.insert((Text::new(namespace), Text::new(name)), said);
        }
        Ok(Self {
            own: Some(own),
            databases,
            excluded: written.jewels.exclude,
            environments: written.environments,
        })
    }

    /// The families: the user's own and the built-in ones.
    pub fn families(&self) -> &Families {
        self.own.as_ref().unwrap_or_else(|| Families::built_in())
    }

    fn of(&self, workload: &ObjectId) -> Option<&Said> {
        if self.databases.is_empty() {
            return None;
        }
        let said = self
            .databases
            .get(&(workload.namespace.clone(), workload.name.clone()))?;
        said.kind
            .as_ref()
            .is_none_or(|kind| *kind == workload.kind)
            .then_some(said)
    }

    /// Whether somebody may say of this pod that it serves data.
    pub(super) fn names(&self, pod: &Pod) -> bool {
        let mut said = self.databases.iter();
        pod.meta.annotations.contains(FAMILY)
            || said.any(|((namespace, _), said)| said.family.is_some() && *namespace == pod.meta.namespace)
    }

    /// The family that the user or an annotation gives a pod, with the annotation.
    pub(super) fn named(
        &self,
        pod: &Pod,
        workload: &ObjectId,
        families: &Families,
    ) -> Option<(Arc<Family>, Option<Fact>)> {
        if let Some(family) = self.of(workload).and_then(|said| said.family.as_ref()) {
            return Some((families.by_id(family)?.clone(), None));
        }
        let family = pod.meta.annotations.get(FAMILY)?;
        Some((families.by_id(family)?.clone(), None))
    }

    /// Says what each datastore is worth.
    pub(super) fn rate(&self, cluster: &Cluster, datastores: &mut [Datastore]) {
        for datastore in datastores {
            let mut importance = Importance::default();
            let annotated = |annotation: &str| {
                let pod = datastore.pods.first().and_then(|&pod| cluster.pods.at(pod));
                let own = annotation_of(cluster, &datastore.workload, annotation);
                let of_proof = match &datastore.proof.subject {
                    Subject::Object(id) => annotation_of(cluster, id, annotation),
                    Subject::Pod(_) => None,
                };
                own.or(of_proof)
                    .or_else(|| pod.and_then(|(_, pod)| pod.meta.annotations.get(annotation)))
                    .cloned()
            };
            if let Some(data) = annotated(DATA) {
                importance.data = data;
            }
            if let Some(worth) = annotated(WORTH).and_then(|worth| worth.parse::<u8>().ok()) {
                importance.worth = worth.clamp(1, MOST);
            }
            let said = self.of(&datastore.workload);
            let class = datastore.family.class.as_str();
            if let Some(said) = said {
                if !said.data.is_empty() {
                    importance.data = said.data.clone();
                }
                importance.worth = said.worth.unwrap_or(importance.worth);
            }
            let is_excluded = |class: &str| self.excluded.iter().any(|excluded| excluded == class);
            // A database that the file rates is one, whatever its class.
            let is_rated = said.is_some_and(|said| said.worth.is_some());
            importance.is_jewel =
                importance.worth > 0 && (is_rated || !is_excluded(class) && !is_excluded(&importance.data));
            datastore.importance = importance;
        }
    }
}

/// An annotation of an object that may carry one about a database.
fn annotation_of<'a>(cluster: &'a Cluster, id: &ObjectId, annotation: &str) -> Option<&'a Text> {
    let workload = cluster.workloads.by_id(id).map(|object| &object.meta);
    let pod = || cluster.pods.by_id(id).map(|object| &object.meta);
    let service = || cluster.services.by_id(id).map(|object| &object.meta);
    let other = || cluster.others.by_id(id).map(|object| &object.meta);
    let meta = workload.or_else(pod).or_else(service).or_else(other)?;
    meta.annotations.get(annotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Settings::parse("beachhead.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_shown_with_their_place() {
        assert_eq!(
            wrong("[[databases]]\nname = \"shop/db\"\nfamily = \"postgre\"\n"),
            "beachhead.toml:3:10: no family is called postgre; add it under [families]"
        );
        assert_eq!(
            wrong("[[databases]]\nname = \"db\"\n"),
            "beachhead.toml:2:8: write a database's name as namespace/name or Kind/namespace/name"
        );
        assert!(wrong("[jewels]\nexlude = []\n").starts_with("beachhead.toml:2:1: unknown field `exlude`"));
        assert!(wrong("[families]\nx = { title = \"X\" }\n").contains("neither images"));
        assert!(
            wrong("[[databases]]\nname = \"a/b\"\nworth = 11\n").starts_with("beachhead.toml:3:9: worth is")
        );
        assert!(wrong("a = [").starts_with("beachhead.toml:1:"));
    }

    #[test]
    fn own_families_come_first() {
        let settings = Settings::parse(
            "x",
            "[families]\nshopdb = { images = [\"shop-db\", \"redis\"] }\n",
        )
        .unwrap();
        let family = |image| {
            settings
                .families()
                .of_image(image)
                .map(|family| family.id.as_str())
        };
        assert_eq!(
            (family("a/shop-db:1"), family("redis"), family("mysql")),
            (Some("shopdb"), Some("shopdb"), Some("mysql"))
        );
    }
}
