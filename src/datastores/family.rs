//! The families of datastores: how each is recognised, where it listens, what it asks for. The table is
//! `families.toml`, one line each; a user's own lines come beside it.
//!
//! **Trap.** The variables are those of an image's documented contract. A client may use the same names
//! (`POSTGRES_PASSWORD`), so they identify a server only together with its port.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde::Deserialize;

/// What kind of data a family holds unless the user says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Records that are kept.
    #[default]
    Database,
    /// Data that can be made again.
    Cache,
    /// Messages on their way.
    Queue,
    /// An index for searches.
    Search,
    /// Objects and files.
    Objects,
    /// Secrets of other systems.
    Secrets,
}

impl Class {
    /// The spelling in settings and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Search => "search",
            Self::Objects => "objects",
            Self::Secrets => "secrets",
        }
    }
}

/// One kind of datastore; `families.toml` says what each member means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[expect(missing_docs, reason = "families.toml describes them")]
pub struct Family {
    #[serde(skip)]
    pub id: String,
    pub title: String,
    pub class: Class,
    pub images: Vec<String>,
    pub programs: Vec<String>,
    pub clients: Vec<String>,
    pub ports: Vec<u16>,
    pub root: Vec<String>,
    pub user: Vec<String>,
    pub replication: Vec<String>,
    pub options: Vec<String>,
    pub open: bool,
    pub open_images: Vec<String>,
    pub open_before: Option<u32>,
    pub doubt: Option<String>,
    pub locks: Vec<String>,
    pub unlocks: Vec<String>,
    pub certificates: Vec<String>,
    pub listens: Vec<String>,
    pub schemes: Vec<String>,
}

/// Whose password it is, as far as the contract of the image or the operator tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// The one who may do everything.
    Superuser,
    /// The application's.
    Application,
    /// The one that replicas log in as, or a key that signs for any.
    Replication,
    /// Nobody says.
    Unknown,
}

impl User {
    /// The words for reports; empty where there is nothing to say.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superuser => "the superuser's",
            Self::Application => "an application user's",
            Self::Replication => "the replication user's",
            Self::Unknown => "",
        }
    }
}

impl Family {
    /// Every variable whose value is a password, with its user.
    pub fn passwords(&self) -> impl Iterator<Item = (&str, User)> {
        [
            (&self.root, User::Superuser),
            (&self.user, User::Application),
            (&self.replication, User::Replication),
        ]
        .into_iter()
        .flat_map(|(names, user)| names.iter().map(move |name| (name.as_str(), user)))
    }

    /// Whether a server of this image lets everyone in unless told otherwise.
    pub fn is_open(&self, image: &str) -> bool {
        self.open
            || self.is_packed_open(image)
            || self.open_before.is_some_and(|closed| {
                let release = tag(image).and_then(|tag| {
                    let digits = tag.trim_start_matches('v');
                    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
                    digits[..end].parse::<u32>().ok()
                });
                release.is_some_and(|release| release < closed)
            })
    }
}

impl Family {
    /// Whether those who packed the image made it so that it lets everyone in.
    pub(super) fn is_packed_open(&self, image: &str) -> bool {
        self.open_images
            .iter()
            .any(|part| repository(image).contains(part))
    }
}

/// All families, with the indexes by which they are found.
#[derive(Clone, Debug, Default)]
pub struct Families {
    list: Vec<Arc<Family>>,
    /// By the last part of an image's repository, or two of them.
    images: FxHashMap<String, usize>,
    ports: FxHashMap<u16, Vec<usize>>,
    programs: FxHashMap<String, usize>,
    schemes: FxHashMap<String, usize>,
    ids: FxHashMap<String, usize>,
}

/// The built-in table. A test holds that it can be read.
static BUILT_IN: LazyLock<Families> = LazyLock::new(|| {
    let table: IndexMap<String, Family> = toml::from_str(include_str!("families.toml")).unwrap_or_default();
    Families::new(table)
});

impl Families {
    /// The families that everyone has.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Returns these and the built-in ones; of two with one name, image or port the first counts.
    pub fn with(own: IndexMap<String, Family>) -> Self {
        if own.is_empty() {
            return Self::built_in().clone();
        }
        let built_in = Self::built_in().list.iter();
        let built_in = built_in.map(|family| (family.id.clone(), Family::clone(family)));
        let mut all = own;
        for (id, family) in built_in {
            all.entry(id).or_insert(family);
        }
        Self::new(all)
    }

    fn new(table: IndexMap<String, Family>) -> Self {
        let mut families = Self::default();
        for (at, (id, mut family)) in table.into_iter().enumerate() {
            if family.title.is_empty() {
                family.title.clone_from(&id);
            }
            family.id = id;
            for image in &family.images {
                families.images.entry(image.clone()).or_insert(at);
            }
            for &port in &family.ports {
                families.ports.entry(port).or_default().push(at);
            }
            for program in &family.programs {
                families.programs.entry(program.clone()).or_insert(at);
            }
            for scheme in &family.schemes {
                families.schemes.entry(scheme.clone()).or_insert(at);
            }
            families.ids.insert(family.id.clone(), at);
            families.list.push(Arc::new(family));
        }
        families
    }

    /// The families in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Family>> {
        self.list.iter()
    }

    /// Returns the family whose image this is.
    ///
    /// The repository's last parts decide, without registry, tag and digest: `docker.io/bitnami/redis:7` is
    /// Redis, `bitnami/redis-exporter` is not.
    pub fn of_image(&self, image: &str) -> Option<&Arc<Family>> {
        let repository = repository(image);
        let mut parts = repository.rmatch_indices('/').map(|(at, _)| at + 1);
        let (last, two) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let known = [last, two]
            .into_iter()
            .find_map(|start| self.images.get(&repository[start..]));
        let known = known.or_else(|| self.images.get(unversioned(&repository[last..])?));
        known.map(|&at| &self.list[at])
    }

    /// The families that listen on a port unless told otherwise.
    pub fn of_port(&self, port: u16) -> impl Iterator<Item = &Arc<Family>> {
        self.ports
            .get(&port)
            .into_iter()
            .flatten()
            .map(|&at| &self.list[at])
    }

    /// The family whose server this program is.
    pub fn of_program(&self, program: &str) -> Option<&Arc<Family>> {
        self.programs.get(program).map(|&at| &self.list[at])
    }

    /// The family to which URLs of this scheme lead.
    pub fn of_scheme(&self, scheme: &str) -> Option<&Arc<Family>> {
        self.schemes.get(scheme).map(|&at| &self.list[at])
    }

    /// The family of this name.
    pub fn by_id(&self, id: &str) -> Option<&Arc<Family>> {
        self.ids.get(id).map(|&at| &self.list[at])
    }
}

/// An image without tag and digest.
pub(super) fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    match image.rfind(':') {
        Some(colon) if !image[colon..].contains('/') => &image[..colon],
        _ => image,
    }
}

/// The name before a version that some put into it: `postgresql-15`, `spilo-17`, `mysql-80-c9s`.
fn unversioned(name: &str) -> Option<&str> {
    const SYSTEMS: &[&str] = &[
        "alpine", "c8s", "c9s", "c10s", "centos7", "el7", "el8", "el9", "fedora",
    ];
    let mut parts = name.rsplit('-');
    let mut last = parts.next()?;
    let mut rest = name;
    if SYSTEMS.contains(&last) {
        rest = &rest[..rest.len() - last.len() - 1];
        last = parts.next()?;
    }
    let is_version = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let start = rest.len().checked_sub(last.len() + 1)?;
    is_version.then(|| &rest[..start])
}

fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or_default();
    image[repository(image).len()..].strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole() {
        let lines = include_str!("families.toml").lines();
        let lines = lines.filter(|line| line.contains(" = {")).count();
        let families = Families::built_in();
        assert_eq!((families.iter().count(), lines > 35), (lines, true));
        for family in families.iter() {
            assert!(!family.title.is_empty() && (family.id == "sql") == family.ports.is_empty());
        }
    }

    #[test]
    fn the_repository_decides_not_the_name_in_it() {
        let family = |image| {
            Families::built_in()
                .of_image(image)
                .map(|family| family.id.as_str())
        };
        assert_eq!(family("redis:alpine"), Some("redis"));
        assert_eq!(family("registry:5000/library/mysql@sha256:00"), Some("mysql"));
        assert_eq!(
            family("mcr.microsoft.com/mssql/server:2022-latest"),
            Some("mssql")
        );
        assert_eq!(family("mssql/server"), Some("mssql"));
        assert_eq!(
            family("registry.redhat.io/rhel9/postgresql-15:1"),
            Some("postgresql")
        );
        assert_eq!(family("quay.io/sclorg/mysql-80-c9s"), Some("mysql"));
        assert_eq!(family("ghcr.io/zalando/spilo-17:4.0-p2"), Some("postgresql"));
        assert_eq!(family("cgr.dev/chainguard/valkey:latest"), Some("valkey"));
        for image in [
            "example.org/server",
            "oliver006/redis_exporter",
            "quay.io/prometheuscommunity/postgres-exporter",
            "dpage/pgadmin4",
            "rediscommander/redis-commander",
            "bitnami/mysqld-exporter",
            "percona/mongodb_exporter",
            "postgrest/postgrest",
            "example.org/redis-7-exporter",
            "example.org/postgres-1a",
            "-9",
            "",
            "/",
            ":",
        ] {
            assert_eq!(family(image), None, "{image}");
        }
    }

    #[test]
    fn the_tag_decides_where_the_default_changed() {
        let open = |id: &str, image| {
            Families::built_in()
                .by_id(id)
                .is_some_and(|family| family.is_open(image))
        };
        assert!(open("influxdb", "influxdb:1.8-alpine") && !open("influxdb", "influxdb:2.7"));
        assert!(open("elasticsearch", "elasticsearch:7.17.0") && !open("elasticsearch", "elasticsearch:8.1"));
        assert!(
            !open("elasticsearch", "elasticsearch")
                && !open("elasticsearch", "e:5000/elasticsearch@sha256:7")
        );
        assert!(open("elasticsearch", "docker.io/bitnamilegacy/elasticsearch:8.1"));
        assert!(open("redis", "redis") && !open("postgresql", "postgres:9"));
    }
}
