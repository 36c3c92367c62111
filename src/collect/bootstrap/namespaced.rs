//! The default roles inside `kube-system` and `kube-public`, and who holds them.
//!
//! Meaning after
//! <https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go>
//!
//! **Trap.** Two names begin with `system::`, and the reader role for the authentication settings has a
//! binding with another name than its own.

use super::rule::{EVENTS, READ, Rule, on};

/// A role with its binding.
#[derive(Debug)]
pub(super) struct Namespaced {
    /// Where both live.
    pub(super) namespace: &'static str,
    /// The role's name.
    pub(super) role: &'static str,
    /// The binding's name.
    pub(super) binding: &'static str,
    /// What the role allows.
    pub(super) rules: &'static [Rule],
    /// Who holds it: `kind name`, service accounts being those of `kube-system`.
    pub(super) subjects: &'static [&'static str],
}

const LOCK: &[Rule] = &[on(
    "create get list update watch",
    "coordination.k8s.io",
    "leases leasecandidates",
)];

/// All of them.
pub(super) const NAMESPACED: &[Namespaced] = &[
    Namespaced {
        namespace: "kube-system",
        role: "extension-apiserver-authentication-reader",
        binding: "system::extension-apiserver-authentication-reader",
        rules: &[on(READ, "core", "configmaps").named("extension-apiserver-authentication")],
        subjects: &[
            "User system:kube-controller-manager",
            "User system:kube-scheduler",
        ],
    },
    Namespaced {
        namespace: "kube-system",
        role: "system::leader-locking-kube-controller-manager",
        binding: "system::leader-locking-kube-controller-manager",
        rules: LOCK,
        subjects: &[
            "User system:kube-controller-manager",
            "ServiceAccount kube-controller-manager",
            "ServiceAccount leader-election-controller",
        ],
    },
    Namespaced {
        namespace: "kube-system",
        role: "system::leader-locking-kube-scheduler",
        binding: "system::leader-locking-kube-scheduler",
        rules: LOCK,
        subjects: &["User system:kube-scheduler", "ServiceAccount kube-scheduler"],
    },
    Namespaced {
        namespace: "kube-system",
        role: "system:controller:bootstrap-signer",
        binding: "system:controller:bootstrap-signer",
        rules: &[on(READ, "core", "secrets")],
        subjects: &["ServiceAccount bootstrap-signer"],
    },
    Namespaced {
        namespace: "kube-system",
        role: "system:controller:cloud-provider",
        binding: "system:controller:cloud-provider",
        rules: &[on("create get list watch", "core", "configmaps")],
        subjects: &["ServiceAccount cloud-provider"],
    },
    Namespaced {
        namespace: "kube-system",
        role: "system:controller:token-cleaner",
        binding: "system:controller:token-cleaner",
        rules: &[on("delete get list watch", "core", "secrets"), EVENTS],
        subjects: &["ServiceAccount token-cleaner"],
    },
    Namespaced {
        namespace: "kube-public",
        role: "system:controller:bootstrap-signer",
        binding: "system:controller:bootstrap-signer",
        rules: &[
            on(READ, "core", "configmaps"),
            on("update", "core", "configmaps").named("cluster-info"),
            EVENTS,
        ],
        subjects: &["ServiceAccount bootstrap-signer"],
    },
];
