//! What the controllers of kube-controller-manager may do, each with its own service account.
//!
//! Meaning after
//! <https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go>
//!
//! **Trap.** Some of these accounts are as good as cluster-admin (`clusterrole-aggregation-controller` may
//! escalate, `generic-garbage-collector` may delete anything): they are in the table because a path may end
//! there.

use super::rule::{EVENTS, READ, Rule, on};

/// Name without `system:controller:`, and rules.
pub(super) type Controller = (&'static str, &'static [Rule]);

const ALL_BUT_COLLECTION: &str = "create delete get list patch update watch";

/// Controllers of everything that makes pods.
pub(super) const WORKLOADS: &[Controller] = &[
    (
        "cronjob-controller",
        &[
            on("get list update watch", "batch", "cronjobs"),
            on(ALL_BUT_COLLECTION, "batch", "jobs"),
            on("update", "batch", "cronjobs/status cronjobs/finalizers"),
            on("delete list watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "daemon-set-controller",
        &[
            on(READ, "apps extensions", "daemonsets"),
            on(
                "update",
                "apps extensions",
                "daemonsets/status daemonsets/finalizers",
            ),
            on("list watch", "core", "nodes"),
            on("create delete list patch watch", "core", "pods"),
            on("create", "core", "pods/binding"),
            on(ALL_BUT_COLLECTION, "apps", "controllerrevisions"),
            EVENTS,
        ],
    ),
    (
        "deployment-controller",
        &[
            on("get list update watch", "apps extensions", "deployments"),
            on(
                "update",
                "apps extensions",
                "deployments/status deployments/finalizers",
            ),
            on(ALL_BUT_COLLECTION, "apps extensions", "replicasets"),
            on("get list update watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "job-controller",
        &[
            on("get list patch update watch", "batch", "jobs"),
            on("update", "batch", "jobs/status jobs/finalizers"),
            on("create delete list patch watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "replicaset-controller",
        &[
            on("get list update watch", "apps extensions", "replicasets"),
            on(
                "update",
                "apps extensions",
                "replicasets/status replicasets/finalizers",
            ),
            on("create delete list patch watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "replication-controller",
        &[
            on("get list update watch", "core", "replicationcontrollers"),
            on(
                "update",
                "core",
                "replicationcontrollers/status replicationcontrollers/finalizers",
            ),
            on("create delete list patch watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "statefulset-controller",
        &[
            on(READ, "apps", "statefulsets"),
            on("update", "apps", "statefulsets/status statefulsets/finalizers"),
            on(ALL_BUT_COLLECTION, "core", "pods"),
            on(ALL_BUT_COLLECTION, "apps", "controllerrevisions"),
            on(
                "create delete get list update watch",
                "core",
                "persistentvolumeclaims",
            ),
            on("update", "core", "pods/finalizers"),
            EVENTS,
        ],
    ),
    (
        "ttl-after-finished-controller",
        &[on("delete get list watch", "batch", "jobs"), EVENTS],
    ),
    (
        "horizontal-pod-autoscaler",
        &[
            on(READ, "autoscaling", "horizontalpodautoscalers"),
            on("update", "autoscaling", "horizontalpodautoscalers/status"),
            on("get update", "*", "*/scale"),
            on("list watch", "core metrics.k8s.io", "pods"),
            on(READ, "custom.metrics.k8s.io external.metrics.k8s.io", "*"),
            EVENTS,
        ],
    ),
    (
        "disruption-controller",
        &[
            on(READ, "apps extensions", "deployments replicasets"),
            on(READ, "core", "replicationcontrollers"),
            on(READ, "apps", "statefulsets"),
            on(READ, "policy", "poddisruptionbudgets"),
            on("update", "policy", "poddisruptionbudgets/status"),
            on("patch update", "core", "pods/status"),
            on("get", "*", "*/scale"),
            EVENTS,
        ],
    ),
    (
        "pod-garbage-collector",
        &[
            on("delete list watch", "core", "pods"),
            on(READ, "core", "nodes"),
            on("patch", "core", "pods/status"),
        ],
    ),
    (
        "resource-claim-controller",
        &[
            on(READ, "core", "pods"),
            on("update", "core", "pods/finalizers"),
            on("patch update", "core", "pods/status"),
            on(ALL_BUT_COLLECTION, "resource.k8s.io", "resourceclaims"),
            on(
                "patch update",
                "resource.k8s.io",
                "resourceclaims/status resourceclaims/binding",
            ),
            EVENTS,
        ],
    ),
    (
        "device-taint-eviction-controller",
        &[
            on("delete get list watch", "core", "pods"),
            on("patch update", "core", "pods/status"),
            on(
                READ,
                "resource.k8s.io",
                "resourceclaims resourceslices deviceclasses",
            ),
            EVENTS,
        ],
    ),
];

/// Controllers of volumes.
pub(super) const STORAGE: &[Controller] = &[
    (
        "attachdetach-controller",
        &[
            on(
                "list watch",
                "core",
                "persistentvolumes persistentvolumeclaims pods",
            ),
            on(READ, "core", "nodes"),
            on("patch update", "core", "nodes/status"),
            on(
                "create delete get list watch",
                "storage.k8s.io",
                "volumeattachments",
            ),
            on(READ, "storage.k8s.io", "csidrivers csinodes"),
            EVENTS,
        ],
    ),
    (
        "ephemeral-volume-controller",
        &[
            on(READ, "core", "pods"),
            on("update", "core", "pods/finalizers"),
            on("create get list watch", "core", "persistentvolumeclaims"),
            EVENTS,
        ],
    ),
    (
        "expand-controller",
        &[
            on("get list patch update watch", "core", "persistentvolumes"),
            on("patch update", "core", "persistentvolumeclaims/status"),
            on(READ, "core", "persistentvolumeclaims"),
            EVENTS,
        ],
    ),
    (
        "persistent-volume-binder",
        &[
            on("create delete get list update watch", "core", "persistentvolumes"),
            on("get list update watch", "core", "persistentvolumeclaims"),
            on(
                "update",
                "core",
                "persistentvolumes/status persistentvolumeclaims/status",
            ),
            on("create delete get list watch", "core", "pods"),
            on(READ, "storage.k8s.io", "storageclasses"),
            on("list watch", "core", "nodes"),
            on("watch", "core", "events"),
            EVENTS,
        ],
    ),
    (
        "pv-protection-controller",
        &[on("get list update watch", "core", "persistentvolumes"), EVENTS],
    ),
    (
        "pvc-protection-controller",
        &[
            on("get list update watch", "core", "persistentvolumeclaims"),
            on("update", "core", "persistentvolumeclaims/status"),
            on(READ, "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "selinux-warning-controller",
        &[
            on(READ, "core", "persistentvolumes persistentvolumeclaims pods"),
            on(READ, "storage.k8s.io", "csidrivers"),
            EVENTS,
        ],
    ),
    (
        "volumeattributesclass-protection-controller",
        &[
            on(READ, "core", "persistentvolumes persistentvolumeclaims"),
            on(
                "get list update watch",
                "storage.k8s.io",
                "volumeattributesclasses",
            ),
            EVENTS,
        ],
    ),
];

/// Controllers of nodes, Services and addresses.
pub(super) const NETWORK: &[Controller] = &[
    (
        "endpoint-controller",
        &[
            on(READ, "core", "pods services"),
            on("create delete get list update watch", "core", "endpoints"),
            on("create", "core", "endpoints/restricted"),
            EVENTS,
        ],
    ),
    (
        "endpointslice-controller",
        &[
            on(READ, "core", "nodes pods services"),
            on("update", "core", "services/finalizers"),
            on(
                "create delete get list update watch",
                "discovery.k8s.io",
                "endpointslices",
            ),
            on("create", "discovery.k8s.io", "endpointslices/restricted"),
            EVENTS,
        ],
    ),
    (
        "endpointslicemirroring-controller",
        &[
            on(READ, "core", "endpoints services"),
            on("update", "core", "endpoints/finalizers services/finalizers"),
            on(
                "create delete get list update watch",
                "discovery.k8s.io",
                "endpointslices",
            ),
            on("create", "discovery.k8s.io", "endpointslices/restricted"),
            EVENTS,
        ],
    ),
    (
        "node-controller",
        &[
            on("delete get list patch update watch", "core", "nodes"),
            on("patch update", "core", "nodes/status pods/status"),
            on("delete get list watch", "core", "pods"),
            EVENTS,
        ],
    ),
    (
        "route-controller",
        &[
            on("list watch", "core", "nodes"),
            on("patch", "core", "nodes/status"),
            EVENTS,
        ],
    ),
    (
        "service-controller",
        &[
            on(READ, "core", "services"),
            on("patch update", "core", "services/status"),
            on("list watch", "core", "nodes"),
            EVENTS,
        ],
    ),
    (
        "service-cidrs-controller",
        &[
            on("get list patch update watch", "networking.k8s.io", "servicecidrs"),
            on(
                "patch update",
                "networking.k8s.io",
                "servicecidrs/finalizers servicecidrs/status",
            ),
            on(READ, "networking.k8s.io", "ipaddresses"),
            EVENTS,
        ],
    ),
    (
        "ttl-controller",
        &[on("list patch update watch", "core", "nodes"), EVENTS],
    ),
];

/// Controllers of namespaces, quotas, identities and of everything at once.
pub(super) const IDENTITY: &[Controller] = &[
    (
        "certificate-controller",
        &[
            on("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
            on(
                "update",
                "certificates.k8s.io",
                "certificatesigningrequests/approval certificatesigningrequests/status",
            ),
            on("approve sign", "certificates.k8s.io", "signers").named("kubernetes.io/kube-apiserver-client-kubelet"),
            on("sign", "certificates.k8s.io", "signers").named(
                "kubernetes.io/kube-apiserver-client kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
            ),
            on("create", "authorization.k8s.io", "subjectaccessreviews"),
            EVENTS,
        ],
    ),
    (
        "clusterrole-aggregation-controller",
        &[on("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles")],
    ),
    ("generic-garbage-collector", &[on("delete get list patch update watch", "*", "*"), EVENTS]),
    (
        "legacy-service-account-token-cleaner",
        &[
            on("get", "core", "configmaps").named("kube-apiserver-legacy-service-account-token-tracking"),
            on("delete patch", "core", "secrets"),
        ],
    ),
    (
        "namespace-controller",
        &[
            on("delete get list watch", "core", "namespaces"),
            on("update", "core", "namespaces/finalize namespaces/status"),
            on("delete deletecollection get list watch", "*", "*"),
        ],
    ),
    (
        "resourcequota-controller",
        &[on("list watch", "*", "*"), on("update", "core", "resourcequotas/status"), EVENTS],
    ),
    ("root-ca-cert-publisher", &[on("create update", "core", "configmaps"), EVENTS]),
    ("service-account-controller", &[on("create", "core", "serviceaccounts"), EVENTS]),
    ("service-ca-cert-publisher", &[on("create update", "core", "configmaps"), EVENTS]),
    (
        "validatingadmissionpolicy-status-controller",
        &[
            on(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
            on("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
            EVENTS,
        ],
    ),
];
