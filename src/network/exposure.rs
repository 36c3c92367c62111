//! What the outside reaches: container ports behind external Services, Ingresses, host ports.

use crate::model::{ObjectId, Protocol};

/// A container port that can be reached from outside the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exposure {
    /// Position of the pod in `Cluster::pods`.
    pub pod: usize,
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// The objects that expose it, from the outside in: `Ingress/shop/web`, `Service/shop/web`.
    pub via: Vec<ObjectId>,
}
