//! What the settings of the Zalando operator say of all its databases: the keys with which they copy themselves away.
//!
//! They stand in a flat ConfigMap or in a resource of their own, in the operator's namespace. A Secret that they name is
//! looked for beside each database, a ConfigMap where they say, or beside them, or beside the database.
//!
//! **Trap.** Both are given to every pod. The operator writes the values of the ConfigMap into the pods' specs.
//! Sources: <https://github.com/zalando/postgres-operator/blob/master/docs/administrator.md#custom-pod-environment-variables>,
//! <https://github.com/zalando/postgres-operator/blob/master/docs/reference/operator_parameters.md>

use serde_json::Value;

use super::archive::is_key_of_store;
use super::role::Role;
use super::{Companion, Fact, Origin, Subject};
use crate::model::{Cluster, ConfigMap, ObjectId, Other, Text};

/// Settings that are keys of the object store of dumps.
const LOGICAL: &[&str] = &[
    "logical_backup_s3_secret_access_key",
    "logical_backup_azure_storage_account_key",
];
const SECRET: &str = "pod_environment_secret";
const CONFIG_MAP: &str = "pod_environment_configmap";

/// A database that is asked about.
pub(super) struct Asked<'a> {
    /// The resource.
    pub(super) id: &'a ObjectId,
    /// Whether dumps are made of it.
    pub(super) is_dumped: bool,
}

/// The settings of one operator.
struct Settings<'a> {
    id: &'a ObjectId,
    secret: &'a str,
    config_map: &'a str,
    /// The ConfigMap in which they stand, if they do in one.
    flat: Option<&'a ConfigMap>,
}

/// The settings of all operators of the input.
pub(super) struct Operators<'a> {
    cluster: &'a Cluster,
    all: Vec<Settings<'a>>,
}

impl<'a> Operators<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        let flat = cluster.config_maps.iter().filter_map(|(id, map)| flat(id, map));
        let own = cluster.others.iter().filter_map(|(id, other)| own(id, other));
        Self {
            cluster,
            all: flat.chain(own).collect(),
        }
    }

    /// What a database of such an operator is copied away with.
    pub(super) fn backups(&self, asked: &Asked<'_>) -> Vec<Companion> {
        let of_one = |one| {
            [
                self.secret(one, asked),
                self.config_map(one, asked),
                dumps(one, asked),
            ]
        };
        self.all.iter().flat_map(of_one).flatten().collect()
    }

    fn secret(&self, one: &Settings<'_>, asked: &Asked<'_>) -> Option<Companion> {
        let secret = self.cluster.secret(&asked.id.namespace, one.secret)?;
        let keys = secret.keys().into_iter().filter(|key| is_key_of_store(key));
        let keys = keys.map(|key| (key.clone(), Origin::Secret(one.secret.into(), key.clone())));
        let shown = format!("{} gives its pods Secret {}", one.id, one.secret);
        companion(
            fact(asked.id, "/metadata/name".into(), shown.into()),
            keys.collect(),
        )
    }

    fn config_map(&self, one: &Settings<'_>, asked: &Asked<'_>) -> Option<Companion> {
        let own = one.id.namespace.as_str();
        let (namespace, name) = one.config_map.split_once('/').unwrap_or((own, one.config_map));
        let places = [namespace, asked.id.namespace.as_str()].into_iter();
        let ids = places.map(|place| ObjectId::new("ConfigMap", place, name));
        let maps = ids.filter_map(|id| Some((self.cluster.config_map(&id.namespace, &id.name)?, id)));
        let (map, id) = maps.take(1).next()?;
        let keys = map.data.0.keys().filter(|key| is_key_of_store(key));
        let keys = keys.map(|key| (key.clone(), Origin::ConfigMap(name.into(), key.clone())));
        // Its keys are looked for in the namespace of what says so.
        let shown = format!("{} gives it to the pods of {}", one.id, asked.id);
        companion(fact(&id, "/metadata/name".into(), shown.into()), keys.collect())
    }
}

fn flat<'a>(id: &'a ObjectId, map: &'a ConfigMap) -> Option<Settings<'a>> {
    let text = |key: &str| map.data.0.get(key).map(|value| value.text.as_str());
    let (secret, config_map) = (text(SECRET), text(CONFIG_MAP));
    let has_keys = LOGICAL.iter().any(|key| text(key).is_some());
    (has_keys || secret.is_some() || config_map.is_some()).then(|| Settings {
        id,
        secret: secret.unwrap_or_default(),
        config_map: config_map.unwrap_or_default(),
        flat: Some(map),
    })
}

fn own<'a>(id: &'a ObjectId, other: &'a Other) -> Option<Settings<'a>> {
    if id.kind != "OperatorConfiguration" || !other.is_of_group("acid.zalan.do") {
        return None;
    }
    let settings = other.configuration.as_ref()?.get("kubernetes")?;
    let text = |key| settings.get(key).and_then(Value::as_str).unwrap_or_default();
    Some(Settings {
        id,
        secret: text(SECRET),
        config_map: text(CONFIG_MAP),
        flat: None,
    })
}

/// The keys of dumps that stand among the settings themselves.
fn dumps(one: &Settings<'_>, asked: &Asked<'_>) -> Option<Companion> {
    let data = &one.flat.filter(|_| asked.is_dumped)?.data.0;
    let is_set = |key: &&&str| data.get(**key).is_some_and(|value| !value.text.is_empty());
    let keys: Vec<Text> = LOGICAL.iter().filter(is_set).map(|key| Text::new(key)).collect();
    let pointer = format!("/data/{}", keys.first()?);
    let keys = keys.into_iter();
    companion(
        fact(
            one.id,
            pointer.into(),
            "the Zalando operator copies databases away".into(),
        ),
        keys.map(|key| (key.clone(), Origin::ConfigMap(one.id.name.clone(), key)))
            .collect(),
    )
}

fn fact(object: &ObjectId, pointer: Text, value: Text) -> Fact {
    Fact {
        subject: Subject::Object(object.clone()),
        pointer,
        value,
    }
}

fn companion(host: Fact, keys: Vec<(Text, Origin)>) -> Option<Companion> {
    (!keys.is_empty()).then(|| Companion {
        role: Role::Backup,
        container: Text::default(),
        host,
        variables: Vec::new(),
        keys,
    })
}
