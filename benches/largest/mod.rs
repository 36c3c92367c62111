//! Clusters in the proportions of the largest that Kubernetes supports, for the benchmarks.
//!
//! **Trap.** Each benchmark compiles this for itself and uses a part of it.
#![allow(dead_code, reason = "each benchmark uses a part")]

use beachhead::collect::{Input, Options, read};
use beachhead::model::Cluster;

#[path = "../../examples/generate_cluster/main.rs"]
mod generate_cluster;

pub(crate) use generate_cluster::{Plan, Sink, Size, put_cluster};

/// What a cluster of so many pods has, of whose namespaces `deny` percent are default-deny.
pub(crate) fn plan(pods: u32, deny: u32) -> Plan {
    Plan::new(Size {
        seed: 1,
        nodes: (pods / 30).max(1),
        pods,
        namespaces: None,
        services: pods / 15,
        policies: pods / 30,
        default_deny: deny,
    })
}

/// Such a cluster, as a snapshot of it is read.
pub(crate) fn cluster(pods: u32, deny: u32) -> Cluster {
    let mut bytes = Vec::new();
    put_cluster(&plan(pods, deny), Sink::snapshot(&mut bytes)).expect("room to write");
    let mut reader = bytes.as_slice();
    let input = Input::Stream {
        name: "generated",
        reader: &mut reader,
    };
    read(input, &Options::default()).expect("a snapshot").0
}
