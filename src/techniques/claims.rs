//! Which PersistentVolume stands behind a claim.
//!
//! **Trap.** A binding is written on both sides, `spec.volumeName` of the claim and `spec.claimRef` of the volume;
//! manifests often hold one of them only.
//! Source: <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding>

use rustc_hash::FxHashMap;

use crate::model::{Cluster, ObjectId, PersistentVolume, Text};

/// The volumes that name a claim, by namespace and name of the claim.
#[derive(Debug, Default)]
pub struct Claims(FxHashMap<(Text, Text), usize>);

impl Claims {
    /// Builds the index.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let volumes = cluster.persistent_volumes.values().enumerate().rev();
        let claimed = volumes.filter_map(|(at, volume)| {
            let claim = volume.spec.claim_ref.as_ref()?;
            Some(((claim.namespace.clone(), claim.name.clone()), at))
        });
        Self(claimed.collect())
    }

    /// The volume that a claim is bound to, as far as the input tells.
    pub(super) fn volume<'a>(
        &self,
        cluster: &'a Cluster,
        namespace: &Text,
        claim: &Text,
    ) -> Option<(&'a ObjectId, &'a PersistentVolume)> {
        let volumes = &cluster.persistent_volumes;
        let known = cluster
            .persistent_volume_claims
            .get("PersistentVolumeClaim", namespace, claim);
        let named = known.and_then(|claim| volumes.index_of("PersistentVolume", "", &claim.spec.volume_name));
        let at = named.or_else(|| self.0.get(&(namespace.clone(), claim.clone())).copied())?;
        volumes.at(at)
    }
}
