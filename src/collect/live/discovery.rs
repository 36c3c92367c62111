//! What an API server serves: its version, its resources and the version of each that is read.
//!
//! Servers since 1.26 tell all resources in two answers; older ones are asked group by group.
//!
//! **Trap.** One group whose own server is down does not take the others with it: it is told as unknown.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;
use super::kinds::{self, Wanted};
use super::server::Server;

/// Asks for all resources at once where the server can.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
const JSON: &str = "application/json";

/// One list to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) resource: String,
    pub(super) namespaced: bool,
    pub(super) metadata_only: bool,
}

impl Target {
    /// `deployments.apps`, as reports name it.
    pub(super) fn name(&self) -> String {
        named(&self.resource, &self.group)
    }

    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The path of the list, of one namespace if one is named.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let api = self.api_version();
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("/{root}/{api}/namespaces/{namespace}/{}", self.resource),
            None => format!("/{root}/{api}/{}", self.resource),
        }
    }
}

pub(super) fn named(resource: &str, group: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// `v1.37.2`, empty if the server does not tell.
    pub(super) version: String,
    /// In the order of what is wanted.
    pub(super) targets: Vec<Target>,
    /// Wanted and not served, by name.
    pub(super) absent: Vec<String>,
    /// Groups that could not be asked about, with the reason.
    pub(super) unknown: Vec<(String, String)>,
}

/// One resource of one version.
#[derive(Debug)]
struct Offer {
    group: String,
    version: String,
    kind: String,
    resource: String,
    namespaced: bool,
}

/// Finds out what of the wanted kinds the server serves.
///
/// # Errors
/// Returns why the server could not be asked at all.
pub(super) async fn discover(server: &Server) -> Result<Served, Failure> {
    let mut found = Served::default();
    let mut resources = Vec::new();
    for root in ["/api", "/apis"] {
        match server.get(root, AGGREGATED, parsed::<Root>).await? {
            Root::Aggregated { items } => add_aggregated(items, &mut resources, &mut found.unknown),
            Root::Versions { versions } => {
                let groups = vec![(String::new(), versions)];
                ask_each(server, groups, &mut resources, &mut found.unknown).await?;
            }
            Root::Groups { groups } => {
                let groups = groups.into_iter().map(Group::ordered).collect();
                ask_each(server, groups, &mut resources, &mut found.unknown).await?;
            }
        }
    }
    match server.get("/version", JSON, parsed::<Version>).await {
        Ok(version) => found.version = version.git_version,
        Err(failure) => found.unknown.push(("version".to_owned(), failure.to_string())),
    }
    choose(&resources, &mut found);
    Ok(found)
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::Garbage("no discovery document".to_owned()))
}

/// Asks old servers, and those behind proxies that drop the header, about one version after another.
async fn ask_each(
    server: &Server,
    groups: Vec<(String, Vec<String>)>,
    resources: &mut Vec<Offer>,
    unknown: &mut Vec<(String, String)>,
) -> Result<(), Failure> {
    for (group, versions) in groups {
        if !kinds::all().any(|wanted| is_of_group(wanted, &group)) {
            continue;
        }
        for version in versions {
            let path = if group.is_empty() {
                format!("/api/{version}")
            } else {
                format!("/apis/{group}/{version}")
            };
            match server.get(&path, JSON, parsed::<Resources>).await {
                Ok(list) => resources.extend(
                    (list.resources.into_iter())
                        .filter(|resource| resource.verbs.iter().any(|verb| verb == "list"))
                        .map(|resource| Offer {
                            group: group.clone(),
                            version: version.clone(),
                            kind: resource.kind,
                            resource: resource.name,
                            namespaced: resource.namespaced,
                        }),
                ),
                Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
                Err(failure) => unknown.push((format!("{group}/{version}"), failure.to_string())),
            }
        }
    }
    Ok(())
}

fn is_of_group(wanted: Wanted, group: &str) -> bool {
    wanted.group == group
        || group == "extensions" && matches!(wanted.group, "apps" | "networking.k8s.io" | "policy")
}

fn add_aggregated(
    items: Vec<AggregatedGroup>,
    resources: &mut Vec<Offer>,
    unknown: &mut Vec<(String, String)>,
) {
    for item in items {
        let group = item.metadata.name;
        for version in item.versions {
            let wanted = kinds::all().any(|wanted| is_of_group(wanted, &group));
            if version.freshness == "Stale" && wanted {
                let reason = "the server that serves it does not answer".to_owned();
                unknown.push((format!("{group}/{}", version.version), reason));
            }
            for resource in version.resources {
                if resource.verbs.iter().any(|verb| verb == "list") {
                    resources.push(Offer {
                        group: group.clone(),
                        version: version.version.clone(),
                        kind: resource.response_kind.unwrap_or_default().kind,
                        resource: resource.resource,
                        namespaced: resource.scope != "Cluster",
                    });
                }
            }
        }
    }
}

/// Picks a version for each wanted kind: `v1` where it is served, else the one that the server prefers.
fn choose(resources: &[Offer], served: &mut Served) {
    let has_group = |group: &str| resources.iter().any(|found| found.group == group);
    // Calico serves what it keeps in a group of its own a second time.
    let is_repeated =
        |wanted: Wanted| wanted.group == "crd.projectcalico.org" && has_group("projectcalico.org");
    for wanted in kinds::all().filter(|wanted| !is_repeated(*wanted)) {
        let of_kind = |found: &&Offer| {
            wanted.kind.is_empty() || found.resource == wanted.resource && found.kind == wanted.kind
        };
        let mut found: Vec<&Offer> = resources
            .iter()
            .filter(|found| found.group == wanted.group)
            .filter(of_kind)
            .collect();
        if found.is_empty() {
            let old = resources.iter().filter(|found| is_of_group(wanted, &found.group));
            found = old.filter(of_kind).collect();
        }
        if found.is_empty() {
            if wanted.modelled {
                served.absent.push(named(wanted.resource, wanted.group));
            }
            continue;
        }
        // A stable sort keeps the server's own order among the others.
        found.sort_by_key(|found| found.version != "v1");
        let mut taken = std::collections::BTreeSet::new();
        for found in found {
            if taken.insert(found.resource.as_str()) {
                served.targets.push(Target {
                    group: found.group.clone(),
                    version: found.version.clone(),
                    kind: found.kind.clone(),
                    resource: found.resource.clone(),
                    namespaced: found.namespaced,
                    metadata_only: wanted.metadata_only,
                });
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Version {
    git_version: String,
}

/// The answer to `/api` and `/apis`, by the one member that tells its form.
#[derive(Deserialize)]
#[serde(untagged)]
enum Root {
    Aggregated { items: Vec<AggregatedGroup> },
    Groups { groups: Vec<Group> },
    Versions { versions: Vec<String> },
}

#[derive(Deserialize)]
struct AggregatedGroup {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    versions: Vec<AggregatedVersion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Name {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AggregatedVersion {
    version: String,
    resources: Vec<AggregatedResource>,
    freshness: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AggregatedResource {
    resource: String,
    response_kind: Option<Kind>,
    scope: String,
    verbs: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    name: String,
    versions: Vec<GroupVersion>,
    preferred_version: GroupVersion,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupVersion {
    version: String,
}

impl Group {
    /// The name and the versions, the preferred one first.
    fn ordered(self) -> (String, Vec<String>) {
        let preferred = self.preferred_version.version;
        let mut versions: Vec<String> = self.versions.into_iter().map(|one| one.version).collect();
        versions.sort_by_key(|version| *version != preferred);
        (self.name, versions)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    resources: Vec<PlainResource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PlainResource {
    name: String,
    kind: String,
    namespaced: bool,
    verbs: Vec<String>,
}
