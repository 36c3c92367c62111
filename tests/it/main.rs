//! The one integration-test binary; each module tests one boundary.

mod attacks;
mod cli;
mod collect;
mod hostile;
mod laws;
mod network;
mod rbac;
mod report;
mod snapshot;
mod tidy;
