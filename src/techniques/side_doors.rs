//! Ways to a database's data beside its own port: its operator, its volume, its consoles, its backups.
//!
//! **Trap.** A console that asks for the database's password gives nothing to who has none: only one that logs in by
//! itself counts. And a claim of a database that keeps nothing in it (its scratch directory) is a claim all the same,
//! so only what its own container mounts counts.

use std::collections::{BTreeMap, BTreeSet};

use super::admission::admitted;
use super::datastore::{database, evidence, place};
use super::new_pod::makers;
use super::pods::{both, pod};
use super::structure::namespace_fact;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Position, Sink};
use crate::datastores::{Companion, Datastore, Origin, Role, Subject, managers};
use crate::model::{ObjectId, Protocol, Text, names_a_credential};

/// The API group of snapshots of volumes.
const SNAPSHOTS: &str = "snapshot.storage.k8s.io";

techniques! { TECHNIQUES, Family::Datastore;
    /// Takes the superuser's credential of every cluster that an operator manages.
    ///
    /// # Preconditions
    ///
    /// Code runs in the operator's container, and a resource of its kind is in the input: it makes the superuser's
    /// password, keeps it in a Secret and logs in with it.
    ///
    /// What does not suffice: an operator of another kind; the operator of a database, where no database of it is there, or
    /// one that is told to watch other namespaces.
    ///
    /// # Detection
    ///
    /// Log-ins of the superuser that do not come from the operator; processes in its container that its image does not
    /// start.
    DATABASE_OPERATOR: [Container] => [Credential] {
        title: "Operator of a datastore",
        mitre: ["T1552.007", "T1078"],
        microsoft: ["MS-TA9025"],
        owasp: ["K02", "K03"],
        effort: 1,
        remediation: "Have each operator watch its own namespaces only, and let nothing but the API server and its databases talk to it.",
        references: ["https://kubernetes.io/docs/concepts/extend-kubernetes/operator/"],
        derive: database_operator,
    }

    /// Reads a datastore's files through a new pod that mounts its claim.
    ///
    /// # Preconditions
    ///
    /// The right to create pods or workloads in the namespace of the datastore, whose container mounts a
    /// PersistentVolumeClaim. The new pod may choose the node on which a volume of one node is there already.
    ///
    /// What does not suffice: a claim of `ReadWriteOncePod` as long as the datastore's pod runs, unless there is a snapshot of
    /// it, of which a new volume can be made; data in an `emptyDir`; the
    /// right in another namespace, as claims are used within their own.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of pods that mount a claim of another workload.
    DATABASE_VOLUME: [Grant] => [Database] {
        title: "Volume of a datastore in a new pod",
        mitre: ["T1610", "T1005"],
        microsoft: ["MS-TA9008", "MS-TA9041"],
        owasp: ["K02", "K03"],
        cis: ["5.1.4"],
        effort: 2,
        remediation: "Keep datastores in namespaces of their own in which nobody else makes pods; claim volumes with ReadWriteOncePod.",
        references: [
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation",
        ],
        derive: database_volume,
    }

    /// Reads and writes a datastore through a console that logs in to it by itself.
    ///
    /// # Preconditions
    ///
    /// The port of the console can be reached: phpMyAdmin with `PMA_PASSWORD`, mongo-express, Redis Commander, RedisInsight,
    /// pgweb, Kafka UI or Kafdrop. It is told the datastore's host, and asks nobody who comes.
    ///
    /// What does not suffice: pgAdmin and Adminer, which ask for a log-in; a console with a password of its own; one whose
    /// host is another.
    ///
    /// # Detection
    ///
    /// Connections to the console from anything but its users.
    DATABASE_CONSOLE: [Port] => [Database] {
        title: "Console of a datastore",
        mitre: ["T1190", "T1213"],
        microsoft: ["MS-TA9009", "MS-TA9041"],
        owasp: ["K05", "K06", "K09"],
        cis: ["5.3.2"],
        effort: 1,
        remediation: "Have the console ask for each user's own log-in, and let only its users reach it.",
        references: [
            "https://docs.phpmyadmin.net/en/latest/setup.html#environment-variables",
            "https://github.com/mongo-express/mongo-express#config",
            "https://github.com/joeferner/redis-commander#configuration",
        ],
        derive: database_console,
    }

    /// Reads a datastore's backups where they are kept, with the key of the job that writes them.
    ///
    /// # Preconditions
    ///
    /// A container that copies the datastore away (by its image or by the program that it starts) is told the datastore's
    /// host and a key of an object store, and that key is held. Or the resource of which an operator makes the datastore
    /// names such a key, as those of CloudNativePG, Percona and K8ssandra do.
    ///
    /// What does not suffice: the key of another container; backups that stay in a volume; whether the copies are
    /// encrypted with another key the input does not show.
    ///
    /// # Detection
    ///
    /// The object store's log: reads with the job's key that are no restore.
    DATABASE_BACKUP: [Secret, ConfigMap, Credential] => [Database] {
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

fn database_operator(context: &Context<'_>, sink: &mut Sink<'_>) {
    let managers = managers(context.cluster);
    if managers.is_empty() {
        return;
    }
    let mut of_resource = BTreeMap::<&ObjectId, Vec<&Datastore>>::new();
    for datastore in context.datastores {
        let facts = datastore.passwords.iter().map(|password| &password.fact);
        let named: BTreeSet<&ObjectId> = facts
            .filter_map(|fact| match &fact.subject {
                Subject::Object(id) => Some(id),
                Subject::Pod(_) => None,
            })
            .chain([&datastore.workload])
            .collect();
        for id in named {
            of_resource.entry(id).or_default().push(datastore);
        }
    }
    for manager in &managers {
        let Some(pod) = pod(context.cluster, manager.pod) else {
            continue;
        };
        let container = Position::Container(pod.place.clone(), manager.container.clone());
        for resource in &manager.resources {
            for datastore in of_resource.get(resource).into_iter().flatten() {
                let is_own = resource.namespace == pod.place.namespace;
                let certainty = match manager.manages(&resource.namespace) {
                    Some(false) => continue,
                    Some(true) => Certainty::Certain,
                    None if is_own => Certainty::Certain,
                    None => {
                        Certainty::Conditional(format!("the operator watches {}", resource.namespace).into())
                    }
                };
                let credential = Position::Credential(Opens::Database(place(datastore)));
                let fact = Evidence::new(resource.clone(), "", "");
                sink.step_if([container.clone()], credential, certainty, [fact]);
            }
        }
    }
}

/// The claims that a datastore's own container mounts, with what says so.
fn claims(context: &Context<'_>, datastore: &Datastore) -> BTreeMap<Text, (Evidence, Certainty)> {
    let mut found = BTreeMap::new();
    for pod in datastore.pods.iter().filter_map(|&at| pod(context.cluster, at)) {
        let Some(container) = pod
            .containers()
            .find(|one| one.container.name == datastore.container)
        else {
            continue;
        };
        for (at, mount, volume) in container.mounts() {
            if let Some(claim) = &volume.persistent_volume_claim {
                let fact = container.fact(format_args!("/volumeMounts/{at}/name"), &mount.name);
                let certainty = shared(context, &pod.place.namespace, &claim.claim_name);
                found.insert(claim.claim_name.clone(), (fact, certainty));
            }
        }
        // A pod that stands for a StatefulSet has no volume yet for the claims that are made with it.
        let workload = context.cluster.workloads.by_id(&datastore.workload);
        let templates = workload
            .into_iter()
            .flat_map(|one| &one.spec.volume_claim_templates);
        for template in templates {
            let mounts = container.container.volume_mounts.iter().enumerate();
            for (at, mount) in mounts.filter(|(_, mount)| mount.name == template.meta.name) {
                let modes = &template.spec.access_modes;
                let name = format!("{}-{}-0", template.meta.name, datastore.workload.name);
                let fact = container.fact(format_args!("/volumeMounts/{at}/name"), &mount.name);
                found
                    .entry(name.into())
                    .or_insert_with(|| (fact, by_modes(modes)));
            }
        }
    }
    found
}

/// The snapshots of claims, by namespace and name of the claim. A pod may have a volume made of one as its own
/// `ephemeral` volume, for which no right to make claims is asked.
/// Source: <https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#security>
fn snapshots<'a>(context: &Context<'a>) -> BTreeMap<(&'a Text, &'a str), &'a ObjectId> {
    let all = context.cluster.others.iter();
    let snapshots = all.filter(|(id, one)| id.kind == "VolumeSnapshot" && one.is_of_group(SNAPSHOTS));
    let of_claims = snapshots.filter_map(|(id, one)| {
        let source = one.spec.as_ref()?.get("source")?;
        let claim = source.get("persistentVolumeClaimName")?.as_str()?;
        Some(((&id.namespace, claim), id))
    });
    of_claims.collect()
}

/// Whether another pod may mount a claim while the datastore's runs.
fn shared(context: &Context<'_>, namespace: &Text, claim: &Text) -> Certainty {
    let claims = &context.cluster.persistent_volume_claims;
    let claim = claims.get("PersistentVolumeClaim", namespace, claim);
    by_modes(claim.map_or(&[], |claim| claim.spec.access_modes.as_slice()))
}

fn by_modes(modes: &[Text]) -> Certainty {
    if modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        Certainty::Conditional(
            "the datastore's pod ends before, or its volume is copied by a snapshot".into(),
        )
    } else {
        Certainty::Certain
    }
}

fn database_volume(context: &Context<'_>, sink: &mut Sink<'_>) {
    let makers = makers(context);
    if makers.is_empty() {
        return;
    }
    let mut by_namespace = BTreeMap::<&Text, Vec<&Position>>::new();
    for (namespace, grant) in &makers {
        by_namespace.entry(namespace).or_default().push(grant);
    }
    let snapshots = snapshots(context);
    for datastore in context.datastores {
        let Some(grants) = by_namespace.get(&datastore.workload.namespace) else {
            continue;
        };
        // One claim is enough; the one that asks least.
        let mut claims = claims(context, datastore);
        for (claim, (fact, certainty)) in &mut claims {
            let snapshot = snapshots.get(&(&datastore.workload.namespace, claim.as_str()));
            if let Some(snapshot) = snapshot.filter(|_| *certainty != Certainty::Certain) {
                let source = "/spec/source/persistentVolumeClaimName";
                *fact = Evidence::new((*snapshot).clone(), source, claim.clone());
                *certainty = Certainty::Certain;
            }
        }
        let Some((_, (fact, certainty))) = claims.iter().min_by_key(|(_, (_, certainty))| certainty.clone())
        else {
            continue;
        };
        for &grant in grants {
            let admitted = admitted(context.cluster, &datastore.workload.namespace);
            let evidence = [namespace_fact(&datastore.workload.namespace), fact.clone()];
            sink.step_if(
                [grant.clone()],
                database(datastore),
                both(certainty.clone(), admitted),
                evidence,
            );
        }
    }
}

/// A console that shows a datastore to people.
struct Console {
    /// Last part of its image's repository.
    image: &'static str,
    /// Where it listens unless told otherwise.
    port: u16,
    /// Variables of which one must be there, so that it logs in by itself; none if it always does.
    logs_in: &'static [&'static str],
    /// Variables by which it asks who comes.
    asks: &'static [&'static str],
    /// What it depends on that it asks nobody, if it comes with a log-in.
    doubt: Option<(&'static str, &'static str)>,
}

const CONSOLES: &[Console] = &[
    console("phpmyadmin", 80).logs_in(&["PMA_PASSWORD", "PMA_PASSWORD_FILE"]),
    console("mongo-express", 8081)
        .asks(&[
            "ME_CONFIG_BASICAUTH_PASSWORD",
            "ME_CONFIG_BASICAUTH_PASSWORD_FILE",
        ])
        .doubt(
            "ME_CONFIG_BASICAUTH",
            "nobody changed the log-in that mongo-express comes with",
        ),
    console("redis-commander", 8081).asks(&["HTTP_PASSWORD", "HTTP_PASSWORD_FILE", "HTTP_PASSWORD_HASH"]),
    console("redisinsight", 5540),
    console("pgweb", 8081).asks(&["AUTH_USER", "PGWEB_AUTH_USER"]),
    console("kafka-ui", 8080).asks(&["AUTH_TYPE"]),
    console("kafdrop", 9000),
];

const fn console(image: &'static str, port: u16) -> Console {
    Console {
        image,
        port,
        logs_in: &[],
        asks: &[],
        doubt: None,
    }
}

impl Console {
    const fn logs_in(self, logs_in: &'static [&'static str]) -> Self {
        Self { logs_in, ..self }
    }

    const fn asks(self, asks: &'static [&'static str]) -> Self {
        Self { asks, ..self }
    }

    const fn doubt(self, unless: &'static str, doubt: &'static str) -> Self {
        Self {
            doubt: Some((unless, doubt)),
            ..self
        }
    }
}

/// Every console of a datastore that asks nobody: the position of its pod, its ports, on what that depends.
fn open_consoles<'a>(
    context: &Context<'a>,
) -> Vec<(&'a Datastore, &'a Companion, usize, Vec<u16>, Certainty)> {
    let mut found = Vec::new();
    for datastore in context.datastores {
        for companion in datastore
            .companions
            .iter()
            .filter(|one| one.role == Role::Console)
        {
            let Some(index) = companion.host.pod() else {
                continue;
            };
            let Some((_, pod)) = context.cluster.pods.at(index) else {
                continue;
            };
            let mut containers = pod.spec.lasting_containers();
            let Some(container) = containers.find(|one| one.name == companion.container) else {
                continue;
            };
            let last = super::api_server::image_name(&container.image);
            let Some(console) = CONSOLES.iter().find(|console| console.image == last) else {
                continue;
            };
            let has = |names: &[&str]| {
                names
                    .iter()
                    .any(|name| companion.variables.iter().any(|known| known == name))
            };
            if has(console.asks) || !console.logs_in.is_empty() && !has(console.logs_in) {
                continue;
            }
            let certainty = match console.doubt {
                Some((unless, doubt)) if !has(&[unless]) => Certainty::Conditional(doubt.into()),
                _ => Certainty::Certain,
            };
            let declared = container
                .ports
                .iter()
                .filter(|port| port.protocol == Protocol::Tcp);
            let mut ports: Vec<u16> = declared.map(|port| port.container_port).collect();
            if ports.is_empty() {
                ports.push(console.port);
            }
            found.push((datastore, companion, index, ports, certainty));
        }
    }
    found
}

/// The ports of consoles by which a datastore is reached, with the pod's place in the cluster's pods.
pub(super) fn ports(context: &Context<'_>) -> Vec<(usize, u16)> {
    let consoles = open_consoles(context).into_iter();
    consoles
        .flat_map(|(_, _, pod, ports, _)| ports.into_iter().map(move |port| (pod, port)))
        .collect()
}

fn database_console(context: &Context<'_>, sink: &mut Sink<'_>) {
    let reaches = if context.cluster.network_policies.is_empty() {
        Certainty::Certain
    } else {
        Certainty::Conditional("policies let the console reach the datastore".into())
    };
    for (datastore, companion, index, ports, certainty) in open_consoles(context) {
        let Some(pod) = pod(context.cluster, index) else {
            continue;
        };
        for port in ports {
            let port = Position::Port(pod.place.clone(), port, Protocol::Tcp);
            let certainty = both(certainty.clone(), reaches.clone());
            let proof = evidence(context, &companion.host).into_iter();
            sink.step_if([port], database(datastore), certainty, proof);
        }
    }
}

/// Whether a variable of this name is a key of an object store.
fn is_key_of_store(name: &str) -> bool {
    const STORES: &[&str] = &[
        "AWS", "S3", "AZURE", "GCS", "GOOGLE", "B2", "RESTIC", "MINIO", "R2", "SWIFT", "WALG",
    ];
    let upper = name.to_ascii_uppercase();
    let mut words = upper.split(['_', '-', '.']);
    words.any(|word| STORES.contains(&word)) && (names_a_credential(&upper) || upper.ends_with("_KEY"))
}

fn database_backup(context: &Context<'_>, sink: &mut Sink<'_>) {
    const READABLE: &str = "the copies in the object store can be read with this key alone";
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
                        Position::SecretKey(super::Place::new(namespace, secret), key.clone())
                    }
                    Origin::ConfigMap(map, key) => {
                        Position::ConfigMapKey(super::Place::new(namespace, map), key.clone())
                    }
                    Origin::Inline => {
                        let Some(pod) = &pod else { continue };
                        Position::Credential(Opens::unknown(&pod.place, &companion.container, name))
                    }
                };
                let proof = evidence(context, &companion.host).into_iter();
                let condition = Certainty::Conditional(READABLE.into());
                sink.step_if([held], database(datastore), condition, proof);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_object_stores_are_known_by_name() {
        assert!(is_key_of_store("AWS_SECRET_ACCESS_KEY") && is_key_of_store("S3_SECRET_KEY"));
        assert!(is_key_of_store("AZURE_STORAGE_KEY") && is_key_of_store("RESTIC_PASSWORD"));
        assert!(
            !is_key_of_store("PGPASSWORD") && !is_key_of_store("AWS_REGION") && !is_key_of_store("S3_BUCKET")
        );
    }
}
