//! Copies of datastores in object stores, and the keys that read them.
//!
//! **Trap.** Whether a copy can be read with the key that writes it, no input shows: it may write only, and copies may be
//! encrypted. So every step is on a condition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::api_server::image_name;
use super::datastore::{database, evidence};
use super::pods::{pod, pods};
use super::technique::techniques;
use super::volumes::has_volume;
use super::{COPIED, Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::datastores::{Origin, Role, is_key_of_store};
use crate::model::{ObjectId, Other, Text};

/// The API group of Velero.
const VELERO: &str = "velero.io";

techniques! { TECHNIQUES, Family::Datastore;
    /// Reads a datastore's backups where they are kept, with the key of the job that writes them.
    ///
    /// # Preconditions
    ///
    /// A container that copies the datastore away (by its image or by the program that it starts) is told the datastore's
    /// host and a key of an object store, and that key is held. Or the resource of which an operator makes the datastore
    /// names such a key, as those of CloudNativePG, Percona, Crunchy and K8ssandra do, or the server itself is told of an
    /// archive and its key. Or Velero backs up the namespace of a datastore with a volume, and its key is held.
    ///
    /// What does not suffice: the key of another container; backups that stay in a volume; whether the copies are
    /// encrypted with another key the input does not show.
    ///
    /// # Detection
    ///
    /// The object store's log: reads with the job's key that are no restore.
    DATABASE_BACKUP: [Secret, ConfigMap, Credential, Volume] => [Volume, Database] {
        title: "Backups of a datastore",
        mitre: ["T1530", "T1552.007"],
        microsoft: ["MS-TA9025", "MS-TA9041"],
        owasp: ["K03"],
        effort: 2,
        remediation: "Give backup jobs a key that may write and not read, and encrypt the copies with a key that is elsewhere.",
        references: ["https://attack.mitre.org/techniques/T1530/"],
        derive: database_backup,
    }
}

const READABLE: &str = "the copies in the object store can be read with this key alone";

fn database_backup(context: &Context<'_>, sink: &mut Sink<'_>) {
    velero(context, sink);
    for datastore in context.datastores {
        for companion in datastore.companions.iter().filter(|one| one.role == Role::Backup) {
            let Some(namespace) = companion.host.namespace(context.cluster) else {
                continue;
            };
            let pod = companion.host.pod().and_then(|at| pod(context.cluster, at));
            // Of what an operator copies away the resource itself names the keys.
            let keys = companion.keys.iter();
            for (name, origin) in keys.filter(|(name, _)| pod.is_none() || is_key_of_store(name)) {
                let held = match origin {
                    Origin::Secret(secret, key) => {
                        Position::SecretKey(Place::new(namespace, secret), key.clone())
                    }
                    Origin::ConfigMap(map, key) => {
                        Position::ConfigMapKey(Place::new(namespace, map), key.clone())
                    }
                    Origin::Inline => {
                        let Some(pod) = &pod else { continue };
                        Position::Credential(Opens::unknown(&pod.place, &companion.container, name))
                    }
                };
                let proof = evidence(context, &companion.host);
                let condition = Certainty::Conditional(READABLE.into());
                sink.step_if([held], database(datastore), condition, proof);
            }
        }
    }
}

/// The keys of Velero's object stores: those that its locations name, and the file that its server is given.
/// Source: <https://velero.io/docs/main/locations/>
fn velero_keys(context: &Context<'_>) -> Vec<(Text, Position, Evidence)> {
    let mut found = Vec::new();
    let locations = context.cluster.others.iter();
    for (id, one) in
        locations.filter(|(id, one)| id.kind == "BackupStorageLocation" && one.is_of_group(VELERO))
    {
        let text = |member| one.spec.as_ref()?.get("credential")?.get(member)?.as_str();
        if let (Some(name), Some(key)) = (text("name"), text("key")) {
            let held = Position::SecretKey(Place::new(&id.namespace, name), key.into());
            let fact = Evidence::new(id.clone(), "/spec/credential/key", key);
            found.push((id.namespace.clone(), held, fact));
        }
    }
    for pod in pods(context) {
        for container in pod
            .containers()
            .filter(|one| image_name(&one.container.image) == "velero")
        {
            for (at, mount, volume) in container.mounts() {
                if let Some(secret) = &volume.secret {
                    let namespace = pod.place.namespace.clone();
                    let place = Place::new(&namespace, &secret.secret_name);
                    let fact =
                        container.fact(format_args!("/volumeMounts/{at}/mountPath"), &mount.mount_path);
                    found.push((namespace, Position::SecretKey(place, "cloud".into()), fact));
                }
            }
        }
    }
    found
}

/// Whether a Schedule or Backup of Velero takes in a namespace.
/// Source: <https://velero.io/docs/main/api-types/backup/>
fn takes_in(one: &Other, namespace: &str) -> bool {
    let Some(spec) = &one.spec else {
        return true;
    };
    let spec = spec.get("template").unwrap_or(spec);
    let lists = |member| {
        let names = spec.get(member).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let names = |all: &[&str]| all.contains(&namespace) || all.contains(&"*");
    let (included, excluded) = (lists("includedNamespaces"), lists("excludedNamespaces"));
    (included.is_empty() || names(&included)) && !names(&excluded)
}

/// Whoever reads what one Velero wrote has the files of the datastores that it backs up.
fn velero(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut backups = BTreeMap::<&Text, Vec<(&ObjectId, &Other)>>::new();
    for (id, one) in context.cluster.others.iter() {
        if matches!(id.kind.as_str(), "Schedule" | "Backup") && one.is_of_group(VELERO) {
            backups.entry(&id.namespace).or_default().push((id, one));
        }
    }
    if backups.is_empty() {
        return;
    }
    let copies = |namespace: &Text| Position::Volume(Place::new(COPIED, namespace));
    let mut read = BTreeSet::new();
    for datastore in context.datastores {
        for (namespace, all) in &backups {
            let mut taken = all
                .iter()
                .filter(|(_, one)| takes_in(one, &datastore.workload.namespace));
            if let Some((id, _)) = taken.next().filter(|_| has_volume(context, datastore)) {
                let condition = "Velero copies the contents of its volume to the object store";
                let certainty = Certainty::Conditional(condition.into());
                let fact = Evidence::new((*id).clone(), "", "");
                sink.step_if([copies(namespace)], database(datastore), certainty, vec![fact]);
                read.insert(*namespace);
            }
        }
    }
    for (namespace, held, fact) in velero_keys(context) {
        if read.contains(&namespace) {
            let condition = Certainty::Conditional(READABLE.into());
            sink.step_if([held], copies(&namespace), condition, vec![fact]);
        }
    }
}
