//! The versions of the API server and of nodes, for techniques whose effect changed with one.
//!
//! **Trap.** Manifests name no version. What only old or only new ones do is then conditional, never left out. A
//! distribution carries corrections back without changing a kernel's number, so an old number is a condition as well.

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

/// How sure it is that the kernel of a node lacks what came with a version; `None` if it is known to be newer.
pub(super) fn older_kernel(cluster: &Cluster, node: &str, fixed: (u32, u32)) -> Option<Certainty> {
    let known = cluster
        .node(node)
        .map(|node| node.status.node_info.kernel_version.as_str());
    if known
        .and_then(numbers)
        .is_some_and(|(major, minor, _)| (major, minor) >= fixed)
    {
        return None;
    }
    let (major, minor) = fixed;
    Some(Certainty::Conditional(
        format!("the kernel of the node lacks what {major}.{minor} corrected").into(),
    ))
}

/// The first three numbers of a version: `5.15.0-1034-aws`, `v1.31.2`, `containerd://1.7.13`.
pub(super) fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let start = version.find(|c: char| c.is_ascii_digit())?;
    let mut parts = version[start..].split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse::<u32>().ok()
    });
    Some((
        parts.next()??,
        parts.next()??,
        parts.next().flatten().unwrap_or_default(),
    ))
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
    fn numbers_are_found_where_they_stand() {
        let found = [
            "5.15.0-1034-aws",
            "v1.31.2",
            "containerd://1.7.13-k3s1",
            "6.8",
            "",
            "x.y",
        ]
        .map(numbers);
        let wanted = [
            Some((5, 15, 0)),
            Some((1, 31, 2)),
            Some((1, 7, 13)),
            Some((6, 8, 0)),
            None,
            None,
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let minors = ["v1.36.2", "1.9", "v1.30.1-gke.5", "1.24+", "", "v2.0"].map(minor_of);
        assert_eq!(minors, [Some(36), Some(9), Some(30), Some(24), None, None]);
    }
}
