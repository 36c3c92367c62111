//! The node's directories, files and devices in containers.
//!
//! **Trap.** What counts is the node's path, not where the container mounts it: `subPath` narrows it, a claim
//! may lead to it, and `/var/run` is `/run`. A read-only mount stops writing, but not connecting to a socket.

use rustc_hash::FxHashMap;

use super::pods::{ContainerKey, ContainerView, Mark, marked};
use super::{Context, Evidence};

/// A directory or file of the node in a container.
#[derive(Debug)]
pub(super) struct HostMount {
    /// The node's path, cleaned.
    pub(super) path: String,
    pub(super) writable: bool,
    pub(super) evidence: Vec<Evidence>,
}

impl HostMount {
    /// Whether a file or directory of the node is in the mount.
    pub(super) fn holds(&self, path: &str) -> bool {
        holds(&self.path, path)
    }
}

/// What every container mounts of its node: by the pod's position, then container by container.
pub(super) type HostMounts = FxHashMap<usize, Vec<(ContainerKey, Vec<HostMount>)>>;

/// Everything of the node that the container mounts.
pub(super) fn host_mounts<'a>(context: &Context<'a>, container: &ContainerView<'_>) -> &'a [HostMount] {
    let all = context.once.mounts.get_or_init(|| all(context));
    let of_pod = all.get(&container.pod.index).map_or(&[][..], Vec::as_slice);
    let found = of_pod.iter().find(|(key, _)| *key == container.key());
    found.map_or(&[], |(_, mounts)| mounts)
}

fn all(context: &Context<'_>) -> HostMounts {
    let mut all = HostMounts::default();
    for pod in marked(context, Mark::HOST_FILES) {
        let of_container = |container: ContainerView<'_>| {
            let mounts = mounts_of(context, &container);
            (!mounts.is_empty()).then(|| (container.key(), mounts))
        };
        let found: Vec<_> = pod.containers().filter_map(of_container).collect();
        if !found.is_empty() {
            all.insert(pod.index, found);
        }
    }
    all
}

fn mounts_of(context: &Context<'_>, container: &ContainerView<'_>) -> Vec<HostMount> {
    let mut found = Vec::new();
    for (at, mount, volume) in container.mounts() {
        let Some((host, mut evidence)) = container.pod.host_path(context, volume) else {
            continue;
        };
        let claim = volume.persistent_volume_claim.as_ref();
        let read_only =
            mount.read_only == Some(true) || claim.is_some_and(|claim| claim.read_only == Some(true));
        evidence.push(container.fact(
            format_args!("/volumeMounts/{at}"),
            if read_only { "read-only" } else { "writable" },
        ));
        found.push(HostMount {
            path: normal(&format!(
                "{}/{}/{}",
                host.path, mount.sub_path, mount.sub_path_expr
            )),
            writable: !read_only,
            evidence,
        });
    }
    found
}

/// A path without doubled slashes, dots and the usual links.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.starts_with(&["var", "run"]) {
        parts.remove(0);
    }
    format!("/{}", parts.join("/"))
}

/// Whether `path` is `below` or a directory above it.
pub(super) fn holds(path: &str, below: &str) -> bool {
    path == "/" || below == path || below.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_part_by_part() {
        assert_eq!(normal("//var/run/./docker.sock/"), "/run/docker.sock");
        assert_eq!(normal("/etc/../root"), "/root");
        assert_eq!(normal("/../.."), "/");
        assert!(holds("/", "/etc") && holds("/etc", "/etc/cdi") && holds("/etc", "/etc"));
        assert!(!holds("/etc", "/etcd") && !holds("/etc/cdi", "/etc"));
    }
}
