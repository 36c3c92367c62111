//! Names that stay when pods are made anew: a pod is called by its workload, a node by its role.
//!
//! **Trap.** These names make the ids of findings; to change one is to change the ids that users wrote down.

use crate::model::{Cluster, ObjectId, Pod};
use crate::techniques::{Opens, Place, Position};

/// The label by which a Deployment tells its ReplicaSets apart.
/// Source: <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Returns the lasting name of a position.
pub(super) fn lasting(position: &Position, cluster: &Cluster) -> String {
    match position {
        Position::Pod(place) | Position::Container(place, _) => {
            workload(place, cluster).map_or_else(|| position.to_string(), |workload| workload.to_string())
        }
        Position::Port(place, port, protocol) => match workload(place, cluster) {
            Some(workload) => format!("Port/{workload}/{port}/{protocol}"),
            None => position.to_string(),
        },
        Position::Credential(Opens::Unknown { pod, at }) => match workload(pod, cluster) {
            Some(workload) => format!("Credential/Unknown/{workload}/{at}"),
            None => position.to_string(),
        },
        Position::Node(name) => match cluster.nodes.get("Node", "", name) {
            Some(node) if node.is_control_plane() => "Node/(control plane)".to_owned(),
            Some(_) => "Node/(worker)".to_owned(),
            None => position.to_string(),
        },
        _ => position.to_string(),
    }
}

fn workload(place: &Place, cluster: &Cluster) -> Option<ObjectId> {
    cluster
        .pod(&place.namespace, &place.name)
        .map(|pod| workload_of(pod, cluster))
}

/// The top controller of a workload, or the workload itself.
pub(in crate::report) fn top_of(workload: &ObjectId, cluster: &Cluster) -> ObjectId {
    let known = cluster.workloads.by_id(workload);
    let top = known.and_then(|known| cluster.controllers_of(&known.meta).pop());
    top.unwrap_or_else(|| workload.clone())
}

/// The workload of a pod; where the input lacks its ReplicaSet, the Deployment behind that by the usual names.
pub(in crate::report) fn workload_of(pod: &Pod, cluster: &Cluster) -> ObjectId {
    let id = cluster.workload_of(pod);
    let label = pod.meta.labels.get(TEMPLATE_HASH).filter(|hash| !hash.is_empty());
    if let (true, Some(hash)) = (id.kind == "ReplicaSet", label) {
        let deployment = id
            .name
            .strip_suffix(&**hash)
            .and_then(|rest| rest.strip_suffix('-'));
        if let Some(name) = deployment {
            return ObjectId::new("Deployment", &id.namespace, name);
        }
    }
    id
}
