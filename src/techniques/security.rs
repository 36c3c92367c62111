//! What a container's security context comes to: who the process can be and what the kernel lets it do.
//!
//! **Trap.** A capability written as `CAP_SYS_ADMIN` or `sys_admin` counts like `SYS_ADMIN`, and `drop: [ALL]`
//! goes first: `add` then puts single ones back. A privileged container has them all, whatever it drops.
//! Source: <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>

use super::pods::ContainerView;
use super::{Certainty, Evidence};
use crate::model::Text;

/// Capabilities that container runtimes give unless told otherwise.
///
/// Source: <https://github.com/containerd/containerd/blob/main/pkg/oci/spec.go>
const DEFAULTS: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// A container's effective rights on its node's kernel.
#[derive(Debug)]
pub(super) struct Security<'a> {
    view: &'a ContainerView<'a>,
}

impl<'a> Security<'a> {
    /// Returns the rights of this container.
    pub(super) fn of(view: &'a ContainerView<'a>) -> Self {
        Self { view }
    }

    /// Whether the container is privileged; unset means it is not.
    pub(super) fn privileged(&self) -> Option<Evidence> {
        (self.view.container.security_context.privileged == Some(true))
            .then(|| self.view.fact("/securityContext/privileged", "true"))
    }

    /// How sure it is that the process can be the node's own user 0; `None` if it cannot.
    ///
    /// The container's user wins over the pod's. With neither, the image decides. In a user namespace
    /// (`hostUsers: false`) user 0 of the container is nobody on the node.
    /// Source: <https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/>
    pub(super) fn root(&self) -> Option<Certainty> {
        let pod = &self.view.pod.pod.spec;
        let (own, shared) = (&self.view.container.security_context, &pod.security_context);
        if pod.host_users == Some(false) || pod.os.name == "windows" {
            return None;
        }
        match own.run_as_user.or(shared.run_as_user) {
            Some(0) => Some(Certainty::Certain),
            Some(_) => None,
            None if own.run_as_non_root.or(shared.run_as_non_root) == Some(true) => None,
            None => Some(Certainty::Conditional(
                format!("the image {} runs as root", self.view.container.image).into(),
            )),
        }
    }

    /// Why the process has this capability (`SYS_ADMIN`), if it has it.
    pub(super) fn capability(&self, name: &str) -> Option<Evidence> {
        if let Some(privileged) = self.privileged() {
            return Some(privileged);
        }
        let capabilities = &self.view.container.security_context.capabilities;
        let find = |list: &[Text], wanted: &str| list.iter().position(|word| is_capability(word, wanted));
        let added = |at: usize| {
            let pointer = format!("/securityContext/capabilities/add/{at}");
            self.view.fact(&pointer, &capabilities.add[at])
        };
        if find(&capabilities.drop, name).is_some() {
            return None;
        }
        if let Some(at) = find(&capabilities.add, name).or(find(&capabilities.add, "ALL")) {
            return Some(added(at));
        }
        (DEFAULTS.contains(&name) && find(&capabilities.drop, "ALL").is_none()).then(|| {
            self.view
                .fact("/securityContext/capabilities", "the runtime's default")
        })
    }

    /// Whether the container asks for no AppArmor profile at all; unset means the runtime's default one, where
    /// the node has AppArmor.
    ///
    /// Source: <https://kubernetes.io/docs/tutorials/security/apparmor/>
    pub(super) fn app_armor_is_off(&self) -> bool {
        let (own, pod) = (
            &self.view.container.security_context,
            &self.view.pod.pod.spec.security_context,
        );
        let annotation = format!(
            "container.apparmor.security.beta.kubernetes.io/{}",
            self.view.container.name
        );
        let profile = own.app_armor_profile.as_ref().or(pod.app_armor_profile.as_ref());
        self.privileged().is_some()
            || profile.is_some_and(|profile| profile.r#type == "Unconfined")
            || self
                .view
                .pod
                .pod
                .meta
                .annotations
                .get(&annotation)
                .is_some_and(|value| value == "unconfined")
    }

    /// Whether the pod shares the node's process namespace; unset means it does not.
    pub(super) fn host_pid(&self) -> Option<Evidence> {
        (self.view.pod.pod.spec.host_pid == Some(true)).then(|| self.view.pod.fact("/hostPID", "true"))
    }
}

/// Whether a capability as written in a manifest is the one called `wanted`.
fn is_capability(written: &str, wanted: &str) -> bool {
    let written = written.to_ascii_uppercase();
    written.strip_prefix("CAP_").unwrap_or(&written) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_compare_without_prefix_and_case() {
        assert!(is_capability("CAP_SYS_ADMIN", "SYS_ADMIN") && is_capability("sys_admin", "SYS_ADMIN"));
        assert!(!is_capability("SYS_ADMINX", "SYS_ADMIN"));
    }
}
