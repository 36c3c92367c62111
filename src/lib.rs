//! Beachhead: which ways lead from an exposed pod to the databases or to cluster-admin, each step proved.

pub mod cli;
pub mod collect;
pub mod datastores;
pub mod draw;
pub mod graph;
pub mod markup;
pub mod model;
pub mod network;
pub mod paths;
pub mod query;
pub mod rbac;
pub mod report;
pub mod techniques;
