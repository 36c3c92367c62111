//! The API server's version, for techniques whose effect changed with one.
//!
//! **Trap.** Manifests name no version. What only old or only new servers do is then conditional, never left out.

use super::Certainty;
use crate::model::Cluster;

/// How sure it is that the API server is older than `1.MINOR`; `None` if it is known not to be.
pub(super) fn before(cluster: &Cluster, minor: u16) -> Option<Certainty> {
    match minor_of(&cluster.coverage.server_version) {
        Some(known) if known < minor => Some(Certainty::Certain),
        Some(_) => None,
        None => Some(Certainty::Conditional(
            format!("the API server is older than 1.{minor}").into(),
        )),
    }
}

/// How sure it is that the API server is of `1.MINOR` or later; `None` if it is known to be older.
///
/// An unknown version counts as the newest.
pub(super) fn since(cluster: &Cluster, minor: u16) -> Option<Certainty> {
    match minor_of(&cluster.coverage.server_version) {
        Some(known) if known >= minor => Some(Certainty::Certain),
        Some(_) => None,
        None => Some(Certainty::Conditional(
            format!("the API server is of 1.{minor} or later").into(),
        )),
    }
}

/// The minor version in `v1.36.2` or `1.36+`.
fn minor_of(version: &str) -> Option<u16> {
    let rest = version.trim_start_matches('v').strip_prefix("1.")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let minors = ["v1.36.2", "1.9", "v1.30.1-gke.5", "1.24+", "", "v2.0"].map(minor_of);
        assert_eq!(minors, [Some(36), Some(9), Some(30), Some(24), None, None]);
    }
}
