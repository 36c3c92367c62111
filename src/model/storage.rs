//! Volumes of the cluster: PersistentVolume, PersistentVolumeClaim, StorageClass.

use super::lenient::slim;
use super::pod::{HostPath, NfsVolume};
use super::{Meta, ObjectReference, Text};

slim! {
    /// A PersistentVolume.
    pub struct PersistentVolume {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: PersistentVolumeSpec,
    }

    /// `spec` of a PersistentVolume; one source is set, others than these are not modelled.
    pub struct PersistentVolumeSpec {
        storage_class_name: Text,
        access_modes: Vec<Text>,
        claim_ref: Option<ObjectReference>,
        host_path: Option<HostPath>,
        local: Option<LocalVolume>,
        nfs: Option<NfsVolume>,
        csi: Option<CsiSource>,
        node_affinity: Option<VolumeNodeAffinity>,
    }

    /// `nodeAffinity` of a PersistentVolume.
    pub struct VolumeNodeAffinity { required: Option<NodeTerms>, }

    /// `required` of it: any one of the terms.
    pub struct NodeTerms { node_selector_terms: Vec<NodeTerm>, }

    /// One term: all of the expressions.
    pub struct NodeTerm { match_expressions: Vec<NodeExpression>, }

    /// One expression, as written: it is shown, and no rule decides by it.
    pub struct NodeExpression { key: Text, operator: Text, values: Vec<Text>, }

    /// `local` of a PersistentVolume.
    pub struct LocalVolume { path: Text, }

    /// `csi` of a PersistentVolume.
    pub struct CsiSource {
        driver: Text,
        volume_handle: Text,
        node_publish_secret_ref: Option<ObjectReference>,
        node_stage_secret_ref: Option<ObjectReference>,
    }

    /// A PersistentVolumeClaim.
    pub struct PersistentVolumeClaim {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: PersistentVolumeClaimSpec,
    }

    /// `spec` of a claim.
    pub struct PersistentVolumeClaimSpec {
        volume_name: Text,
        storage_class_name: Option<Text>,
        access_modes: Vec<Text>,
        volume_mode: Text,
    }

    /// A StorageClass.
    pub struct StorageClass {
        #[serde(rename = "metadata")]
        meta: Meta,
        provisioner: Text,
    }
}
