//! What is a database, and what opens it.
//!
//! **Trap.** Never by name alone: a Service called `metadata-db` may be anything, an exporter's image carries
//! its database's name.

use crate::model::{Cluster, ObjectId};

/// A workload that stores data.
#[derive(Clone, Debug)]
pub struct Datastore {
    /// The workload (or bare pod) that runs it.
    pub workload: ObjectId,
}

/// Finds the datastores among the pods, sorted by workload.
pub fn datastores(_cluster: &Cluster) -> Vec<Datastore> {
    Vec::new()
}
