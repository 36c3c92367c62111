//! Datastores' files: the volume behind a claim, mounted by a pod of one's own, and copies of it.
//!
//! **Trap.** A claim of a database that keeps nothing in it (its scratch directory) is a claim all the same, so only what
//! its own container mounts counts. `ReadWriteOnce` keeps a volume to one node and not to one pod.
//! Source: <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes>

use std::collections::{BTreeMap, BTreeSet};

use super::admission::admitted;
use super::datastore::database;
use super::new_pod::makers;
use super::pods::{both, pod};
use super::structure::namespace_fact;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Place, Position, RESTORED, Sink};
use crate::datastores::Datastore;
use crate::model::{ObjectId, PersistentVolume, Text};
use crate::rbac::power;

/// The API group of snapshots of volumes.
const SNAPSHOTS: &str = "snapshot.storage.k8s.io";

techniques! { TECHNIQUES, Family::Datastore;
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

    /// Reads a datastore's files through a copy of its volume that is restored in another namespace.
    ///
    /// A VolumeSnapshotContent names a volume, or a snapshot of it, by the handle that the storage knows it by, whatever
    /// namespace its claim is in. A VolumeSnapshot of one's own refers to it, and a pod has a volume made of that as its
    /// own `ephemeral` volume, for which no right to make claims is asked.
    ///
    /// # Preconditions
    ///
    /// The rights to create VolumeSnapshotContents, which are of the whole cluster, and in one namespace VolumeSnapshots and
    /// pods or workloads; several identities may have one each. The datastore's container mounts a claim whose volume is of a
    /// CSI driver.
    ///
    /// What does not suffice: VolumeSnapshots alone, which are of claims of their own namespace; a volume that is a directory
    /// of a node or of a driver that takes no snapshots.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of `volumesnapshotcontents` by anything but the snapshot controller.
    DATABASE_SNAPSHOT: [Grant, Volume] => [Volume, Database] {
        title: "Copy of a datastore's volume by its handle",
        mitre: ["T1530", "T1005"],
        microsoft: ["MS-TA9041"],
        owasp: ["K02", "K03"],
        cis: ["5.1.4"],
        effort: 2,
        remediation: "Let nobody but the snapshot controller and administrators create VolumeSnapshotContents.",
        references: [
            "https://kubernetes.io/docs/concepts/storage/volume-snapshots/#volume-snapshot-contents",
            "https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes",
            "https://github.com/kubernetes-csi/external-snapshotter/blob/master/pkg/sidecar-controller/snapshot_controller.go",
        ],
        derive: database_snapshot,
    }
}

/// A claim that a datastore's own container mounts.
struct Claim {
    /// What says so, and what the claim and its volume say of who else may mount it.
    evidence: Vec<Evidence>,
    /// Whether another pod may mount it while the datastore's runs.
    certainty: Certainty,
}

/// The claims that a datastore's own container mounts, by name.
fn claims(context: &Context<'_>, datastore: &Datastore) -> BTreeMap<Text, Claim> {
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
                let claimed = claim_of(context, &pod.place.namespace, &claim.claim_name, fact);
                found.insert(claim.claim_name.clone(), claimed);
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
                let name = format!("{}-{}-0", template.meta.name, datastore.workload.name);
                let fact = container.fact(format_args!("/volumeMounts/{at}/name"), &mount.name);
                let claim = Claim {
                    evidence: vec![fact],
                    certainty: by_modes(&template.spec.access_modes),
                };
                found.entry(name.into()).or_insert(claim);
            }
        }
    }
    found
}

/// What the input tells of a claim: its access mode, and where its volume can be mounted.
fn claim_of(context: &Context<'_>, namespace: &Text, name: &Text, fact: Evidence) -> Claim {
    let id = ObjectId::new("PersistentVolumeClaim", namespace, name);
    let known = context.cluster.persistent_volume_claims.by_id(&id);
    let modes = known.map_or(&[] as &[Text], |claim| &claim.spec.access_modes);
    let mode = modes
        .first()
        .map(|mode| Evidence::new(id, "/spec/accessModes/0", mode));
    let volume = context.claims.volume(context.cluster, namespace, name);
    let affinity = volume.and_then(|(id, volume)| {
        let value = nodes(volume)?;
        Some(Evidence::new(id.clone(), "/spec/nodeAffinity/required", value))
    });
    Claim {
        evidence: [Some(fact), mode, affinity].into_iter().flatten().collect(),
        certainty: by_modes(modes),
    }
}

/// The nodes on which a volume can be mounted, in words; none if on all of them.
fn nodes(volume: &PersistentVolume) -> Option<String> {
    let required = volume.spec.node_affinity.as_ref()?.required.as_ref()?;
    let terms = required.node_selector_terms.iter().map(|term| {
        let all = term.match_expressions.iter();
        let all = all.map(|one| format!("{} {} {}", one.key, one.operator, one.values.join(",")));
        all.collect::<Vec<_>>().join(" and ")
    });
    Some(terms.collect::<Vec<_>>().join(" or "))
}

/// Whether a datastore keeps its files in a volume that outlives its pod, as far as the input tells.
pub(super) fn has_volume(context: &Context<'_>, datastore: &Datastore) -> bool {
    let is_made = datastore.pods.is_empty() && datastore.host().is_none();
    is_made || !claims(context, datastore).is_empty()
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
        for (name, claim) in &mut claims {
            let snapshot = snapshots.get(&(&datastore.workload.namespace, name.as_str()));
            if let Some(snapshot) = snapshot.filter(|_| claim.certainty != Certainty::Certain) {
                let source = "/spec/source/persistentVolumeClaimName";
                claim.evidence = vec![Evidence::new((*snapshot).clone(), source, name.clone())];
                claim.certainty = Certainty::Certain;
            }
        }
        let Some(claim) = claims.values().min_by_key(|claim| claim.certainty.clone()) else {
            continue;
        };
        for &grant in grants {
            let admitted = admitted(context.cluster, &datastore.workload.namespace);
            let mut evidence = vec![namespace_fact(&datastore.workload.namespace)];
            evidence.extend(claim.evidence.iter().cloned());
            sink.step_if(
                [grant.clone()],
                database(datastore),
                both(claim.certainty.clone(), admitted),
                evidence,
            );
        }
    }
}

/// Those who restore volumes of one driver, or of whichever it is.
fn restored(driver: &str) -> Position {
    Position::Volume(Place::new(RESTORED, driver))
}

fn database_snapshot(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(contents) = context.held.everywhere(&power::CREATE_SNAPSHOT_CONTENTS) else {
        return;
    };
    let snapshots: BTreeMap<&Text, Position> = context
        .held
        .namespaces(&power::CREATE_SNAPSHOTS)
        .into_iter()
        .collect();
    let makers: Vec<_> = makers(context)
        .into_iter()
        .filter_map(|(namespace, maker)| Some((namespace, snapshots.get(namespace)?, maker)))
        .collect();
    if makers.is_empty() {
        return;
    }
    let mut drivers = BTreeSet::new();
    for datastore in context.datastores {
        for (name, claim) in claims(context, datastore) {
            let Some((driver, handle)) = driver(context, datastore, &name) else {
                continue;
            };
            let condition = if handle.is_some() {
                format!("the driver {driver} takes snapshots")
            } else {
                "its volume is of a driver that takes snapshots, and its handle is known".to_owned()
            };
            drivers.insert(driver.clone());
            let evidence = claim.evidence.into_iter().take(1).chain(handle);
            let certainty = Certainty::Conditional(condition.into());
            sink.step_if([restored(&driver)], database(datastore), certainty, evidence);
        }
    }
    for (namespace, snapshot, maker) in makers {
        for driver in &drivers {
            let premises = [contents.clone(), snapshot.clone(), maker.clone()];
            let certainty = admitted(context.cluster, namespace);
            sink.step_if(
                premises,
                restored(driver),
                certainty,
                vec![namespace_fact(namespace)],
            );
        }
    }
}

/// The driver of the volume behind a claim, with its handle if the input tells; none if nothing takes snapshots of it, as of
/// a directory of a node or a share.
fn driver(context: &Context<'_>, datastore: &Datastore, claim: &Text) -> Option<(Text, Option<Evidence>)> {
    let namespace = &datastore.workload.namespace;
    let Some((id, volume)) = context.claims.volume(context.cluster, namespace, claim) else {
        return Some((Text::new("any"), None));
    };
    let csi = volume.spec.csi.as_ref()?;
    let handle = Evidence::new(id.clone(), "/spec/csi/volumeHandle", &csi.volume_handle);
    Some((csi.driver.clone(), Some(handle)))
}
