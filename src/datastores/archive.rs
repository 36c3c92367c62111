//! Where a server copies itself to: keys of object stores among its own variables, or in the settings of its operator.
//!
//! **Trap.** An application may have a bucket too. Among a server's own variables a key counts only where another one says
//! that its archive goes there.
//! Sources: <https://wal-g.readthedocs.io/>,
//! <https://github.com/zalando/postgres-operator/blob/master/docs/administrator.md#wal-archiving-and-physical-basebackups>

use super::operators::Backups;
use super::role::Role;
use super::server::{ContainerPlace, Environment};
use super::{Companion, Fact, Origin, Subject};
use crate::model::{Cluster, ObjectId, Text, names_a_credential};

/// Starts of the names of variables that say where a server's archive goes.
const ARCHIVES: &[&str] = &[
    "WALG_",
    "WALE_",
    "WAL_S3_BUCKET",
    "WAL_GS_BUCKET",
    "PGBACKREST_REPO",
    "PBM_",
];

/// Settings of the Zalando operator that are keys of the object store of its dumps.
const LOGICAL: &[&str] = &[
    "logical_backup_s3_secret_access_key",
    "logical_backup_azure_storage_account_key",
];

/// Whether a variable or key of this name is a key of an object store.
pub fn is_key_of_store(name: &str) -> bool {
    const STORES: &[&str] = &[
        "AWS", "S3", "AZURE", "GCS", "GOOGLE", "B2", "RESTIC", "MINIO", "R2", "SWIFT", "WALG",
    ];
    let upper = name.to_ascii_uppercase();
    let mut words = upper.split(['_', '-', '.']);
    words.any(|word| STORES.contains(&word)) && (names_a_credential(&upper) || upper.ends_with("_KEY"))
}

impl ContainerPlace<'_> {
    /// What a server copies itself away with.
    pub(super) fn archive(&self, environment: &Environment) -> Option<Companion> {
        let says =
            |name: &str| ARCHIVES.iter().any(|start| name.starts_with(start)) && !names_a_credential(name);
        let target = environment.values().find(|variable| {
            let value = variable.value.as_ref().map_or("", |value| value.text.as_str());
            says(&variable.name) && !super::door::says_no(value)
        })?;
        let value = target.value.as_ref().map_or("", |value| value.text.as_str());
        let keys = environment
            .values()
            .filter(|variable| is_key_of_store(&variable.name));
        let keys: Vec<(Text, Origin)> = keys
            .map(|variable| (variable.name.clone(), variable.origin.clone()))
            .collect();
        (!keys.is_empty()).then(|| Companion {
            role: Role::Backup,
            container: self.container.name.clone(),
            host: self.fact(&target.pointer, format!("{}={value}", target.name)),
            variables: Vec::new(),
            keys,
        })
    }
}

/// The settings of the Zalando operator that say what its databases are copied away with, in their own namespace and in
/// the ConfigMap itself.
pub(super) fn of_zalando(cluster: &Cluster, backups: &Backups<'_>) -> Vec<Companion> {
    let mut found = Vec::new();
    for (id, map) in &cluster.config_maps {
        let fact = |object: &ObjectId, key: &str, value: &str| Fact {
            subject: Subject::Object(object.clone()),
            pointer: format!("/data/{key}").into(),
            value: value.into(),
        };
        let mut add = |host: Fact, keys: Vec<(Text, Origin)>| {
            if !keys.is_empty() {
                found.push(Companion {
                    role: Role::Backup,
                    container: Text::default(),
                    host,
                    variables: Vec::new(),
                    keys,
                });
            }
        };
        if let Some(name) = map.data.0.get("pod_environment_secret") {
            let secret = cluster.secret(&backups.id.namespace, &name.text);
            let keys = secret.into_iter().flat_map(|secret| secret.keys());
            let keys = keys.filter(|key| is_key_of_store(key));
            let keys = keys.map(|key| (key.clone(), Origin::Secret(name.text.clone(), key.clone())));
            let shown = format!("{id} gives its pods Secret {}", name.text);
            let mut host = fact(backups.id, "", &shown);
            host.pointer = "/metadata/name".into();
            add(host, keys.collect());
        }
        let keys = LOGICAL.iter().filter(|key| {
            let value = map.data.0.get(**key);
            backups.are_logical && value.is_some_and(|value| !value.text.is_empty())
        });
        let keys: Vec<_> = keys
            .map(|key| (Text::new(key), Origin::ConfigMap(id.name.clone(), Text::new(key))))
            .collect();
        if let Some((key, _)) = keys.first().cloned() {
            add(fact(id, &key, "the Zalando operator copies databases away"), keys);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_object_stores_are_known_by_name() {
        assert!(is_key_of_store("AWS_SECRET_ACCESS_KEY") && is_key_of_store("S3_SECRET_KEY"));
        assert!(is_key_of_store("AZURE_STORAGE_KEY") && is_key_of_store("RESTIC_PASSWORD"));
        assert!(is_key_of_store("PGBACKREST_REPO1_S3_KEY_SECRET"));
        assert!(
            !is_key_of_store("PGPASSWORD") && !is_key_of_store("AWS_REGION") && !is_key_of_store("S3_BUCKET")
        );
    }
}
