//! What a container's security context comes to: who the process can be and what the kernel lets it do.
//!
//! One resolver for every technique. What is not set gets the default that applies, and the evidence names where the
//! default comes from.
//!
//! **Trap.** A capability written as `CAP_SYS_ADMIN` or `sys_admin` counts like `SYS_ADMIN`, and `drop: [ALL]`
//! goes first: `add` then puts single ones back. A privileged container has them all, whatever it drops.
//! Source: <https://kubernetes.io/docs/tasks/configure-pod-container/security-context/>

use super::pods::{ContainerView, both};
use super::{Certainty, Context, Evidence};
use crate::model::{Profile, Text};

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

/// Parts of the names of handlers that run a pod on a kernel of its own.
///
/// Sources: <https://gvisor.dev/docs/user_guide/quick_start/kubernetes/>,
/// <https://github.com/kata-containers/kata-containers/blob/main/docs/how-to/run-kata-with-k8s.md>
const SANDBOXES: &[&str] = &["runsc", "gvisor", "kata"];

/// A container's effective rights on its node's kernel.
#[derive(Debug)]
pub(super) struct Security<'a> {
    view: &'a ContainerView<'a>,
    sandboxed: bool,
}

/// What keeps a process in bounds, AppArmor or seccomp.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Confinement {
    /// Nothing: the container is privileged or asks for it.
    Off,
    /// The container runtime's own profile.
    RuntimeDefault,
    /// A profile of the node whose contents no object shows.
    Localhost(Text),
    /// Nobody says: the runtime's own profile for AppArmor, where the node has it; for seccomp none, unless the
    /// kubelet is set to `seccompDefault`.
    Unset,
}

impl<'a> Security<'a> {
    /// Returns the rights of this container.
    pub(super) fn of(context: &Context<'_>, view: &'a ContainerView<'a>) -> Self {
        let class = &view.pod.pod.spec.runtime_class_name;
        let is_sandbox = || {
            let known = context.cluster.runtime_classes.get("RuntimeClass", "", class);
            let handler = known.map_or(class, |class| &class.handler);
            SANDBOXES.iter().any(|part| handler.contains(part))
        };
        Self {
            view,
            sandboxed: !class.is_empty() && is_sandbox(),
        }
    }

    /// Whether the container is privileged; unset means it is not.
    pub(super) fn privileged(&self) -> Option<Evidence> {
        (self.view.container.security_context.privileged == Some(true))
            .then(|| self.view.field("/securityContext/privileged", "true"))
    }

    /// How sure it is that the process can be the node's own user 0; `None` if it cannot.
    ///
    /// In a user namespace (`hostUsers: false`) user 0 of the container is nobody on the node.
    /// Source: <https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/>
    pub(super) fn root(&self) -> Option<Certainty> {
        let pod = &self.view.pod.pod.spec;
        if pod.host_users == Some(false) || pod.os.name == "windows" {
            return None;
        }
        match self.user() {
            User::Known(0) => Some(Certainty::Certain),
            User::Known(_) | User::NotRoot => None,
            User::Image => Some(Certainty::Conditional(
                format!("the image {} runs as root", self.view.container.image).into(),
            )),
        }
    }

    /// The same for what needs the node's kernel: none in a sandbox with a kernel of its own (gVisor, Kata).
    pub(super) fn root_on_kernel(&self) -> Option<Certainty> {
        if self.sandboxed { None } else { self.root() }
    }

    /// Which user runs. The container's setting wins over the pod's; with neither, the image decides.
    pub(super) fn user(&self) -> User {
        let pod = &self.view.pod.pod.spec.security_context;
        let own = &self.view.container.security_context;
        match own.run_as_user.or(pod.run_as_user) {
            Some(user) => User::Known(user),
            None if own.run_as_non_root.or(pod.run_as_non_root) == Some(true) => User::NotRoot,
            None => User::Image,
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
            let list = "/securityContext/capabilities/add";
            self.view.element(list, at, "", &capabilities.add[at])
        };
        if find(&capabilities.drop, name).is_some() {
            return None;
        }
        if let Some(at) = find(&capabilities.add, name).or(find(&capabilities.add, "ALL")) {
            return Some(added(at));
        }
        (DEFAULTS.contains(&name) && find(&capabilities.drop, "ALL").is_none()).then(|| {
            self.view
                .field("/securityContext/capabilities", "the runtime's default")
        })
    }

    /// Whether the container adds no capability to the runtime's default ones.
    pub(super) fn has_defaults_at_most(&self) -> bool {
        let added = &self.view.container.security_context.capabilities.add;
        let is_default = |word: &Text| DEFAULTS.iter().any(|known| is_capability(word, known));
        self.privileged().is_none() && added.iter().all(is_default)
    }

    /// Whether the container has all of the runtime's default capabilities.
    pub(super) fn has_defaults_at_least(&self) -> bool {
        self.privileged().is_some() || DEFAULTS.iter().all(|name| self.capability(name).is_some())
    }

    /// Whether the container has every capability that another one's process has.
    pub(super) fn covers(&self, other: &Security<'_>) -> bool {
        // A process of another user than 0 has none, whatever the container is given.
        if self.privileged().is_some() || matches!(other.user(), User::Known(1..) | User::NotRoot) {
            return true;
        }
        if other.privileged().is_some() {
            return false;
        }
        let added = &other.view.container.security_context.capabilities.add;
        let added = added.iter().map(|word| bare(word).to_ascii_uppercase());
        let all = DEFAULTS.iter().map(|name| (*name).to_owned()).chain(added);
        let all = all.filter(|name| other.capability(name).is_some());
        all.into_iter().all(|name| self.capability(&name).is_some())
    }

    /// Whether user numbers mean the same as on the node: no user namespace, no kernel of the pod's own.
    pub(super) fn shares_users(&self) -> bool {
        !self.sandboxed && self.view.pod.pod.spec.host_users != Some(false)
    }

    /// Whether the pod runs on a kernel of its own (gVisor, Kata).
    pub(super) fn is_sandboxed(&self) -> bool {
        self.sandboxed
    }

    /// The AppArmor profile: the container's field, then its annotation of old, then the pod's field.
    ///
    /// Source: <https://kubernetes.io/docs/tutorials/security/apparmor/>
    pub(super) fn app_armor(&self) -> Confinement {
        if self.privileged().is_some() {
            return Confinement::Off;
        }
        let own = self.view.container.security_context.app_armor_profile.as_deref();
        let pod = self.view.pod.pod;
        let key = format!(
            "container.apparmor.security.beta.kubernetes.io/{}",
            self.view.container.name
        );
        let written = pod.meta.annotations.get(&key);
        let shared = pod.spec.security_context.app_armor_profile.as_deref();
        own.map(of_field)
            .or(written.map(of_annotation))
            .or(shared.map(of_field))
            .unwrap_or(Confinement::Unset)
    }

    /// The seccomp profile: the container's field, then the pod's, then the annotations that both replace.
    ///
    /// Source: <https://kubernetes.io/docs/tutorials/security/seccomp/>
    pub(super) fn seccomp(&self) -> Confinement {
        if self.privileged().is_some() {
            return Confinement::Off;
        }
        let own = self.view.container.security_context.seccomp_profile.as_deref();
        let pod = self.view.pod.pod;
        let shared = pod.spec.security_context.seccomp_profile.as_deref();
        let key = format!(
            "container.seccomp.security.alpha.kubernetes.io/{}",
            self.view.container.name
        );
        let annotations = &pod.meta.annotations;
        let written = annotations
            .get(&key)
            .or(annotations.get("seccomp.security.alpha.kubernetes.io/pod"));
        own.or(shared)
            .map(of_field)
            .or(written.map(of_annotation))
            .unwrap_or(Confinement::Unset)
    }

    /// What a step depends on that AppArmor denies in the runtime's default profile.
    pub(super) fn unless_app_armor(&self) -> Certainty {
        match self.app_armor() {
            Confinement::Off => Certainty::Certain,
            Confinement::Localhost(profile) => {
                Certainty::Conditional(format!("the AppArmor profile {profile} allows it").into())
            }
            Confinement::RuntimeDefault | Confinement::Unset => {
                Certainty::Conditional("the node does not confine the container with AppArmor".into())
            }
        }
    }

    /// What a step depends on that seccomp may deny: the runtime's default profile lets every call through whose
    /// capability the container has, so only a profile of the node's own counts.
    ///
    /// Source: <https://github.com/containerd/containerd/blob/main/contrib/seccomp/seccomp_default.go>
    pub(super) fn unless_seccomp(&self) -> Certainty {
        match self.seccomp() {
            Confinement::Localhost(profile) => {
                Certainty::Conditional(format!("the seccomp profile {profile} allows it").into())
            }
            _ => Certainty::Certain,
        }
    }

    /// What a step depends on that both may deny.
    pub(super) fn unless_confined(&self) -> Certainty {
        both(self.unless_app_armor(), self.unless_seccomp())
    }

    /// Whether the pod shares the node's process namespace; unset means it does not.
    pub(super) fn host_pid(&self) -> Option<Evidence> {
        (self.view.pod.pod.spec.host_pid == Some(true)).then(|| self.view.pod.fact("/hostPID", "true"))
    }

    /// Whether the pod shares the node's network; unset means it does not.
    pub(super) fn host_network(&self) -> Option<Evidence> {
        (self.view.pod.pod.spec.is_host_network()).then(|| self.view.pod.fact("/hostNetwork", "true"))
    }

    /// Whether the container's `/proc` is as the kernel gives it, writable parts included.
    pub(super) fn proc_unmasked(&self) -> Option<Evidence> {
        let mount = self.view.container.security_context.proc_mount.as_ref()?;
        (mount == "Unmasked").then(|| self.view.fact("/securityContext/procMount", "Unmasked"))
    }

    /// Whether the container is a process of its Windows node: the container's setting, then the pod's.
    ///
    /// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/>
    pub(super) fn host_process(&self) -> Option<Evidence> {
        let own = &self.view.container.security_context.windows_options;
        let shared = &self.view.pod.pod.spec.security_context.windows_options;
        if let Some(set) = own.as_ref().and_then(|options| options.host_process) {
            let pointer = "/securityContext/windowsOptions/hostProcess";
            return set.then(|| self.view.fact(pointer, "true"));
        }
        let set = shared.as_ref().and_then(|options| options.host_process);
        let pointer = "/securityContext/windowsOptions/hostProcess";
        (set == Some(true)).then(|| self.view.pod.fact(pointer, "true"))
    }
}

/// Which user a container's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum User {
    /// This one.
    Known(i64),
    /// The image's, which must not be 0.
    NotRoot,
    /// The image's.
    Image,
}

fn of_field(profile: &Profile) -> Confinement {
    match profile.r#type.as_str() {
        "Unconfined" => Confinement::Off,
        "Localhost" => Confinement::Localhost(profile.localhost_profile.clone()),
        "RuntimeDefault" => Confinement::RuntimeDefault,
        _ => Confinement::Unset,
    }
}

fn of_annotation(value: &Text) -> Confinement {
    match (value.as_str(), value.strip_prefix("localhost/")) {
        ("unconfined", _) => Confinement::Off,
        ("runtime/default" | "docker/default", _) => Confinement::RuntimeDefault,
        (_, Some(profile)) => Confinement::Localhost(profile.into()),
        _ => Confinement::Unset,
    }
}

/// A capability without the prefix that the kernel's headers give it.
fn bare(written: &str) -> &str {
    let start = written
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("CAP_"));
    &written[start.map_or(0, str::len)..]
}

/// Whether a capability as written in a manifest is the one called `wanted`.
fn is_capability(written: &str, wanted: &str) -> bool {
    bare(written).eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::super::Facts;
    use super::super::pods::pods;
    use super::*;

    #[test]
    fn capabilities_compare_without_prefix_and_case() {
        assert!(is_capability("CAP_SYS_ADMIN", "SYS_ADMIN") && is_capability("cap_sys_admin", "SYS_ADMIN"));
        assert!(is_capability("sys_admin", "SYS_ADMIN") && is_capability("All", "ALL"));
        assert!(!is_capability("SYS_ADMINX", "SYS_ADMIN") && !is_capability("CAP_", "SYS_ADMIN"));
        assert!(!is_capability("é", "ALL"));
    }

    /// What each container of a pod comes to: user, capabilities of a few, AppArmor, seccomp.
    fn resolved(spec: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    container.apparmor.security.beta.kubernetes.io/old: unconfined\nspec:\n{spec}"
        );
        let (cluster, _) = crate::collect::read_text("pod.yaml", &text, "default");
        let facts = Facts::new(&cluster);
        let context = facts.context(&cluster);
        let pod = pods(&context).next().unwrap();
        let mut lines = Vec::new();
        for container in pod.containers() {
            let security = Security::of(&context, &container);
            let held: Vec<_> = ["SYS_ADMIN", "NET_RAW", "CHOWN"]
                .into_iter()
                .filter(|name| security.capability(name).is_some())
                .collect();
            lines.push(format!(
                "{}: {:?} {} {:?} {:?}",
                container.container.name,
                security.user(),
                held.join("+"),
                security.app_armor(),
                security.seccomp()
            ));
        }
        lines
    }

    #[test]
    fn the_container_wins_over_the_pod_and_unset_is_not_false() {
        let lines = resolved(
            r"
  securityContext: { runAsUser: 1000, seccompProfile: { type: RuntimeDefault }, appArmorProfile: { type: RuntimeDefault } }
  containers:
  - { name: plain, image: i }
  - { name: own, image: i, securityContext: { runAsUser: 0, capabilities: { drop: [all], add: [cap_net_raw] }, seccompProfile: { type: Localhost, localhostProfile: x.json } } }
  - { name: old, image: i, securityContext: { capabilities: { add: [ALL], drop: [CHOWN] } } }
  - { name: boss, image: i, securityContext: { privileged: true, capabilities: { drop: [ALL] } } }
  initContainers:
  - { name: init, image: i, securityContext: { runAsNonRoot: false, appArmorProfile: { type: Localhost, localhostProfile: y } } }
",
        );
        assert_eq!(
            lines,
            [
                "plain: Known(1000) NET_RAW+CHOWN RuntimeDefault RuntimeDefault",
                r#"own: Known(0) NET_RAW RuntimeDefault Localhost("x.json")"#,
                "old: Known(1000) SYS_ADMIN+NET_RAW Off RuntimeDefault",
                "boss: Known(1000) SYS_ADMIN+NET_RAW+CHOWN Off Off",
                r#"init: Known(1000) NET_RAW+CHOWN Localhost("y") RuntimeDefault"#,
            ]
        );
    }

    #[test]
    fn nobody_who_says_which_user_runs_leaves_it_to_the_image() {
        let lines = resolved(
            r"
  securityContext: { runAsNonRoot: true }
  containers:
  - { name: pod, image: i }
  - { name: own, image: i, securityContext: { runAsNonRoot: false } }
",
        );
        assert_eq!(
            lines,
            [
                "pod: NotRoot NET_RAW+CHOWN Unset Unset",
                "own: Image NET_RAW+CHOWN Unset Unset",
            ]
        );
    }
}
