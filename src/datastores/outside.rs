//! Databases outside the cluster: Services that lead out, and hosts that only clients name.
//!
//! **Trap.** A host name with dots may be a Service of the cluster (`db.shop.svc`), and a Service without a selector may
//! stand for pods. What is neither and is named by a URL of a family, or is a managed service's name, lies outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;

use super::family::{Families, Family};
use super::hosts::{Address, addresses};
use super::server::Environment;
use super::told::AllTold;
use super::{Basis, Datastore, Door, Fact, Importance, Subject, Variable};
use crate::model::{Cluster, Literal, ObjectId, Service, Text};

/// The namespace of the ids of hosts outside.
pub(super) const OUTSIDE: &str = "~outside";

/// The kind of their ids.
const HOST: &str = "Host";

/// The ends of managed services' names with their families. A test holds that the table can be read.
static MANAGED: LazyLock<IndexMap<String, String>> =
    LazyLock::new(|| toml::from_str(include_str!("managed.toml")).unwrap_or_default());

/// The family of a managed service by its host's name.
fn managed<'a>(host: &str, families: &'a Families) -> Option<&'a Arc<Family>> {
    families.by_id(entry(host)?.trim_end_matches('?'))
}

/// What the table says of a host.
fn entry(host: &str) -> Option<&'static str> {
    let fitting = MANAGED.iter().filter(|(end, _)| fits(host, end));
    let (_, said) = fitting.max_by_key(|(end, _)| end.len())?;
    Some(said)
}

/// Whether a host's name ends as an entry of the table says.
fn fits(host: &str, end: &str) -> bool {
    let (mut labels, mut wanted) = (host.rsplit('.'), end.rsplit('.'));
    loop {
        match (wanted.next(), labels.next()) {
            // The dot that an entry begins with: there is a name before it.
            (Some(""), label) => return label.is_some(),
            (Some(wanted), Some(label)) => {
                if wanted != "*" && wanted != label {
                    return false;
                }
            }
            (None, label) => return label.is_none(),
            (Some(_), None) => return false,
        }
    }
}

/// Of a family that asks nobody by itself it is not known whether a host outside asks, unless someone holds a password;
/// of a managed service the table tells.
pub(super) fn doubt(datastores: &mut [Datastore]) {
    for datastore in datastores
        .iter_mut()
        .filter(|datastore| datastore.passwords.is_empty())
    {
        let may_be_open = |host: &str| entry(host).map_or(datastore.family.open, |said| said.ends_with('?'));
        if let Some(host) = datastore.host().filter(|host| may_be_open(host)) {
            let doubt = format!("{host} asks for no password");
            datastore.door = Door::Open(datastore.proof.clone(), Some(doubt.into()));
        }
    }
}

/// The id of a host outside.
pub(super) fn host_id(host: &str) -> ObjectId {
    ObjectId::new(HOST, OUTSIDE, host)
}

/// Whether a name is one that only the cluster resolves.
fn is_of_cluster(host: &str) -> bool {
    let is_label = |label| label == "svc";
    host.split('.').skip(2).any(is_label) || host.strip_suffix(".cluster.local").is_some()
}

/// Hosts outside by name.
type Found = BTreeMap<Text, Datastore>;

/// Adds the databases outside.
///
/// # Complexity
/// Linear in Services, endpoints and the settings of containers.
pub(super) fn add_outside(
    cluster: &Cluster,
    families: &Families,
    all: &AllTold<'_>,
    datastores: &mut Vec<Datastore>,
) {
    let mut found = Found::new();
    let mut leads = Leads::new();
    named_by_services(cluster, families, &mut leads, &mut found);
    named_by_clients(cluster, families, all, &leads, &mut found);
    datastores.extend(found.into_values());
}

/// The hosts to which Services lead out, by the Services' namespaces and names.
type Leads<'a> = BTreeMap<(&'a str, &'a str), Text>;

/// Ports that are some family's, but at which anything that serves the web may listen as well.
const ANYONES: &[u16] = &[4000, 8000, 8080, 9000];

/// The family whose usual port it is, if it tells one.
fn of_usual_port(port: u16, families: &Families) -> Option<&Arc<Family>> {
    if ANYONES.contains(&port) {
        return None;
    }
    families
        .of_port(port)
        .find(|family| family.ports.first() == Some(&port))
}

fn named_by_services<'a>(
    cluster: &'a Cluster,
    families: &Families,
    leads: &mut Leads<'a>,
    found: &mut Found,
) {
    let ends = Ends::new(cluster);
    for (id, service) in &cluster.services {
        if let Some((host, fact)) = ends.of(id, service) {
            leads.insert((&id.namespace, &id.name), host.clone());
            let managed = managed(&host, families).cloned();
            let basis = if managed.is_some() {
                Basis::Address
            } else {
                Basis::Port
            };
            let mut ports = service.spec.ports.iter().map(|port| port.port);
            let mut by_port = || ports.find_map(|port| of_usual_port(port, families));
            if let Some(family) = managed.or_else(|| by_port().cloned()) {
                let port = service.spec.ports.first().map(|port| port.port);
                add(found, &host, &family, port, basis, fact);
            }
        }
    }
}

fn named_by_clients(
    cluster: &Cluster,
    families: &Families,
    all: &AllTold<'_>,
    leads: &Leads<'_>,
    found: &mut Found,
) {
    let known: BTreeSet<(&str, &str)> = cluster
        .services
        .values()
        .map(|service| (service.meta.namespace.as_str(), service.meta.name.as_str()))
        .collect();
    for index in all.first() {
        let Some((pod, _)) = cluster.pods.at(index) else {
            continue;
        };
        for told in all.of(index).iter() {
            for variable in told.settings.values() {
                // Without a dot it is a Service's name at most.
                let may_be_meant = |value: &&Literal| !leads.is_empty() || value.text.contains('.');
                let Some(value) = variable.value.as_ref().filter(may_be_meant) else {
                    continue;
                };
                for mut address in addresses(&variable.name, &value.text) {
                    if address.scheme.is_empty() && address.port.is_none() {
                        address.port = port_beside(variable, &told.settings);
                    }
                    let lead = lead(leads, &pod.namespace, &address.host);
                    let family = match lead {
                        Some(host) => behind_service(host, &address, families),
                        None => outside(&address, families, &known).map(|family| (family, Basis::Address)),
                    };
                    let Some((family, basis)) = family else {
                        continue;
                    };
                    let fact = Fact {
                        subject: Subject::Pod(index),
                        pointer: told.pointer(variable),
                        value: format!("{}={}", variable.name, value.text).into(),
                    };
                    let host = lead.map_or(address.host.as_str(), Text::as_str);
                    add(found, host, family, address.port, basis, fact);
                }
            }
        }
    }
}

/// The host outside to which a Service of this name leads, as a pod of the namespace sees it.
fn lead<'a>(leads: &'a Leads<'a>, namespace: &'a str, host: &'a str) -> Option<&'a Text> {
    let mut labels = host.split('.');
    let (service, of, rest) = (labels.next()?, labels.next(), labels.next());
    let is_whole = rest.is_none_or(|rest| rest == "svc");
    let key = (of.unwrap_or(namespace), service);
    leads.get(&key).filter(|_| is_whole)
}

/// The family of what a Service leads to outside: by the name of the host there, and by what a client says of it.
fn behind_service<'a>(
    host: &str,
    address: &Address,
    families: &'a Families,
) -> Option<(&'a Arc<Family>, Basis)> {
    let by_name = said(host, address, families).map(|family| (family, Basis::Address));
    by_name.or_else(|| Some((of_usual_port(address.port?, families)?, Basis::Port)))
}

/// The port that a variable beside that of a host holds: `DB_PORT` beside `DB_HOST`.
fn port_beside(variable: &Variable, settings: &Environment) -> Option<u16> {
    const HOSTS: &[&str] = &["HOSTNAME", "HOST", "SERVER", "ADDRESS", "ADDR", "ENDPOINT"];
    let upper = variable.name.to_ascii_uppercase();
    HOSTS.iter().find_map(|word| {
        let at = upper.rfind(word)?;
        let (before, after) = (&variable.name[..at], &variable.name[at + word.len()..]);
        let mut beside = ["PORT", "port", "Port"].into_iter().filter_map(|port| {
            let beside = settings.get(&Text::from(format!("{before}{port}{after}")))?;
            beside.value.as_ref()?.text.trim().parse().ok()
        });
        beside.next()
    })
}

/// The family of an address that a client names, if it lies outside the cluster.
fn outside<'a>(
    address: &Address,
    families: &'a Families,
    known: &BTreeSet<(&str, &str)>,
) -> Option<&'a Arc<Family>> {
    let host = address.host.as_str();
    if is_of_cluster(host) || !host.contains('.') {
        return None;
    }
    let mut labels = host.split('.');
    if let (Some(service), Some(namespace)) = (labels.next(), labels.next())
        && known.contains(&(namespace, service))
    {
        return None;
    }
    let is_name =
        host.bytes().filter(|&b| b == b'.').count() >= 2 && host.bytes().any(|b| b.is_ascii_alphabetic());
    said(host, address, families).filter(|_| is_name || managed(host, families).is_some())
}

/// The family of a host by its name and by the scheme and port with which a client names it.
fn said<'a>(host: &str, address: &Address, families: &'a Families) -> Option<&'a Arc<Family>> {
    let by_scheme = families.of_scheme(&address.scheme);
    match (managed(host, families), by_scheme) {
        (Some(family), Some(scheme)) => Some(if family.id == "sql" { scheme } else { family }),
        (Some(family), None) => {
            let port = address.port.filter(|port| !family.ports.contains(port));
            // The name says more than the port, but for a cache of another kind.
            let told = port
                .and_then(|port| of_usual_port(port, families))
                .filter(|one| family.id == "sql" || one.class == family.class);
            Some(told.unwrap_or(family))
        }
        (None, scheme) => scheme,
    }
}

fn add(found: &mut Found, host: &str, family: &Arc<Family>, port: Option<u16>, basis: Basis, fact: Fact) {
    let datastore = Datastore {
        workload: host_id(host),
        family: family.clone(),
        container: Text::default(),
        pods: Vec::new(),
        ports: port
            .or_else(|| family.ports.first().copied())
            .into_iter()
            .collect(),
        basis,
        proof: fact,
        door: Door::Locked,
        open_at: Vec::new(),
        passwords: Vec::new(),
        companions: Vec::new(),
        elsewhere: Some(format!("{host} takes connections from the cluster").into()),
        certificates: false,
        importance: Importance::default(),
    };
    let known = found.entry(Text::new(host)).or_insert_with(|| datastore.clone());
    if basis < known.basis || known.family.id == "sql" && family.id != "sql" {
        *known = datastore;
    }
}

/// Where Services lead that have no selector.
pub(super) struct Ends<'a> {
    /// The first address of each Service's endpoints that is no pod's, with the object that says so.
    addresses: BTreeMap<(&'a str, &'a str), (&'a Text, ObjectId, &'static str)>,
}

impl<'a> Ends<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let mut addresses = BTreeMap::new();
        let pods = cluster.pods.values();
        let own: BTreeSet<&Text> = pods
            .flat_map(|pod| [&pod.status.pod_ip, &pod.status.host_ip])
            .collect();
        for (id, endpoints) in &cluster.endpoints {
            let all = endpoints.subsets.iter().flat_map(|subset| &subset.addresses);
            let mut outer = all.filter(|address| address.target_ref.is_none() && !own.contains(&address.ip));
            if let Some(address) = outer.next() {
                let key = (id.namespace.as_str(), id.name.as_str());
                addresses.insert(key, (&address.ip, id.clone(), "/subsets/0/addresses/0/ip"));
            }
        }
        for (id, slice) in &cluster.endpoint_slices {
            let Some(service) = slice.meta.labels.get("kubernetes.io/service-name") else {
                continue;
            };
            let all = slice
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.target_ref.is_none());
            let mut outer = all
                .flat_map(|endpoint| &endpoint.addresses)
                .filter(|address| !own.contains(address));
            if let Some(address) = outer.next() {
                let key = (id.namespace.as_str(), service.as_str());
                addresses
                    .entry(key)
                    .or_insert((address, id.clone(), "/endpoints/0/addresses/0"));
            }
        }
        Self { addresses }
    }

    /// The host outside that a Service leads to, and what says so.
    pub(super) fn of(&self, id: &ObjectId, service: &Service) -> Option<(Text, Fact)> {
        let fact = |object: &ObjectId, pointer: &str, host: &Text| Fact {
            subject: Subject::Object(object.clone()),
            pointer: pointer.into(),
            value: host.clone(),
        };
        if service.spec.r#type == "ExternalName" {
            let name = &service.spec.external_name;
            let host = Text::from(name.trim_end_matches('.').to_ascii_lowercase());
            let is_outside = !host.is_empty() && !is_of_cluster(&host);
            return is_outside.then(|| (host, fact(id, "/spec/externalName", name)));
        }
        let is_api_server = id.namespace == "default" && id.name == "kubernetes";
        if !service.spec.selector.is_empty() || is_api_server {
            return None;
        }
        let (address, object, pointer) = self.addresses.get(&(id.namespace.as_str(), id.name.as_str()))?;
        Some((Text::clone(address), fact(object, pointer, address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_names_families() {
        let lines = include_str!("managed.toml").lines();
        let lines = lines.filter(|line| line.starts_with('"')).count();
        assert_eq!((MANAGED.len(), lines > 20), (lines, true));
        for (end, family) in MANAGED.iter() {
            assert!(
                end.contains('.') && Families::built_in().by_id(family.trim_end_matches('?')).is_some(),
                "{end}"
            );
        }
    }

    #[test]
    fn managed_services_are_known_by_their_names_end() {
        let family = |host| managed(host, Families::built_in()).map(|family| family.id.as_str());
        assert_eq!(family("shop.abc.eu-west-1.rds.amazonaws.com"), Some("sql"));
        assert_eq!(family("shop.postgres.database.azure.com"), Some("postgresql"));
        assert_eq!(family("b-1.x.c2.kafka.us-east-1.amazonaws.com"), Some("kafka"));
        assert_eq!(family("x.memorydb.us-east-1.amazonaws.com"), Some("redis"));
        assert_eq!(family("cassandra.eu-west-1.amazonaws.com"), Some("cassandra"));
        assert_eq!(family("shop.rds.cn-north-1.amazonaws.com.cn"), Some("sql"));
        assert_eq!(family("r-1.redis.rds.aliyuncs.com"), Some("redis"));
        assert_eq!(family("db.abc.supabase.co"), Some("postgresql"));
        assert_eq!(
            (family("abc.supabase.co"), family("a.db.abc.supabase.co")),
            (None, None)
        );
        assert_eq!(
            (family("rds.amazonaws.com"), family("x.cassandra.a.amazonaws.com")),
            (None, None)
        );
        assert_eq!(family("rds.amazonaws.com.example.org"), None);
        assert_eq!(family("db"), None);
    }
}
