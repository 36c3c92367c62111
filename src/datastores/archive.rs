//! Where a server copies itself to: keys of object stores among its own variables.
//!
//! **Trap.** An application may have a bucket too. Among a server's own variables a key counts only where another one says
//! that its archive goes there.
//! Source: <https://wal-g.readthedocs.io/>

use super::role::Role;
use super::server::{ContainerPlace, Environment};
use super::{Companion, Origin};
use crate::model::{Text, names_a_credential};

/// Starts of the names of variables that say where a server's archive goes.
const ARCHIVES: &[&str] = &[
    "WALG_",
    "WALE_",
    "WAL_S3_BUCKET",
    "WAL_GS_BUCKET",
    "PGBACKREST_REPO",
    "PBM_",
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
