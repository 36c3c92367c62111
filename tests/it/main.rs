//! The one integration-test binary; each module tests one boundary.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on fails here"
)]

mod absence;
mod attacks;
mod browser;
mod canary;
mod changes;
mod cli;
mod collect;
mod coverage;
mod datastores;
mod findings;
mod fixture;
mod formats;
mod hostile;
mod laws;
mod live;
mod network;
mod outside;
mod page;
mod page_in_browser;
mod pictures;
mod query;
mod rbac;
mod readme;
mod report;
mod snapshot;
mod source;
mod tidy;
