//! The cluster-wide default roles of users and components, and who holds them.
//!
//! Meaning after
//! <https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go>
//!
//! **Trap.** `admin`, `edit` and `view` carry no rules of their own: the aggregation controller fills them
//! from the roles that are labelled for them, also from roles of the input.

use super::rule::{ALL, EVENTS, READ, Rule, WRITE, on, url};

/// Name and rules.
pub(super) type NamedRole = (&'static str, &'static [Rule]);

/// An aggregated role: its name, and the role it is itself a part of.
pub(super) const AGGREGATED: &[(&str, &str)] = &[("admin", ""), ("edit", "admin"), ("view", "edit")];

/// The parts of the aggregated roles: the role they belong to, and their rules.
pub(super) const PARTS: &[NamedRole] = &[
    (
        "admin",
        &[
            on("create", "authorization.k8s.io", "localsubjectaccessreviews"),
            on(ALL, "rbac.authorization.k8s.io", "roles rolebindings"),
        ],
    ),
    ("edit", EDIT),
    ("view", VIEW),
];

const EDIT: &[Rule] = &[
    on(
        READ,
        "core",
        "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
    ),
    on("impersonate", "core", "serviceaccounts"),
    on(
        WRITE,
        "core",
        "pods pods/attach pods/exec pods/portforward pods/proxy",
    ),
    on("create", "core", "pods/eviction serviceaccounts/token"),
    on(
        WRITE,
        "core",
        "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets \
         serviceaccounts services services/proxy",
    ),
    on(WRITE, "core events.k8s.io", "events"),
    on(
        WRITE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale \
         statefulsets statefulsets/scale",
    ),
    on(WRITE, "autoscaling", "horizontalpodautoscalers"),
    on(WRITE, "batch", "cronjobs jobs"),
    on(
        WRITE,
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies \
         replicasets replicasets/scale replicationcontrollers/scale",
    ),
    on(WRITE, "policy", "poddisruptionbudgets"),
    on(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    on(ALL, "coordination.k8s.io", "leases"),
    on(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
];

const VIEW: &[Rule] = &[
    on(
        READ,
        "core",
        "bindings configmaps endpoints limitranges namespaces namespaces/status persistentvolumeclaims \
         persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers \
         replicationcontrollers/scale replicationcontrollers/status resourcequotas resourcequotas/status \
         serviceaccounts services services/status",
    ),
    on(READ, "core events.k8s.io", "events"),
    on(READ, "discovery.k8s.io", "endpointslices"),
    on(
        READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status \
         replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale \
         statefulsets/status",
    ),
    on(
        READ,
        "autoscaling",
        "horizontalpodautoscalers horizontalpodautoscalers/status",
    ),
    on(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    on(
        READ,
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses \
         ingresses/status networkpolicies replicasets replicasets/scale replicasets/status \
         replicationcontrollers/scale",
    ),
    on(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    on(
        READ,
        "networking.k8s.io",
        "ingresses ingresses/status networkpolicies",
    ),
    on(
        READ,
        "resource.k8s.io",
        "resourceclaims resourceclaims/status resourceclaimtemplates",
    ),
];

/// Roles for users and for add-ons, without a component of their own.
pub(super) const USERS: &[NamedRole] = &[
    ("cluster-admin", &[on("*", "*", "*"), url("*", "*")]),
    (
        "system:discovery",
        &[url(
            "get",
            "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/",
        )],
    ),
    (
        "system:basic-user",
        &[
            on(
                "create",
                "authorization.k8s.io",
                "selfsubjectaccessreviews selfsubjectrulesreviews",
            ),
            on("create", "authentication.k8s.io", "selfsubjectreviews"),
        ],
    ),
    (
        "system:public-info-viewer",
        &[url("get", "/healthz /livez /readyz /version /version/")],
    ),
    (
        "system:monitoring",
        &[
            url(
                "get",
                "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz",
            ),
            on("get", "core", "nodes/metrics"),
        ],
    ),
    (
        "system:auth-delegator",
        &[
            on("create", "authentication.k8s.io", "tokenreviews"),
            on("create", "authorization.k8s.io", "subjectaccessreviews"),
        ],
    ),
    (
        "system:heapster",
        &[
            on(READ, "core", "events namespaces nodes pods"),
            on(READ, "extensions", "deployments"),
        ],
    ),
    (
        "system:kube-aggregator",
        &[on(READ, "core", "endpoints services")],
    ),
    (
        "system:kubelet-api-admin",
        &[
            on("get list proxy watch", "core", "nodes"),
            on(
                "*",
                "core",
                "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats",
            ),
        ],
    ),
    (
        "system:persistent-volume-provisioner",
        &[
            on("create delete get list watch", "core", "persistentvolumes"),
            on("get list update watch", "core", "persistentvolumeclaims"),
            on(READ, "storage.k8s.io", "storageclasses"),
            on("watch", "core", "events"),
            EVENTS,
        ],
    ),
    (
        "system:service-account-issuer-discovery",
        &[url(
            "get",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks \
             /openid/v1/jwks/",
        )],
    ),
];

/// Roles around certificate signing requests; names without `system:certificates.k8s.io:`.
pub(super) const CERTIFICATES: &[NamedRole] = &[
    (
        "certificatesigningrequests:nodeclient",
        &[on(
            "create",
            "certificates.k8s.io",
            "certificatesigningrequests/nodeclient",
        )],
    ),
    (
        "certificatesigningrequests:selfnodeclient",
        &[on(
            "create",
            "certificates.k8s.io",
            "certificatesigningrequests/selfnodeclient",
        )],
    ),
    (
        "kube-apiserver-client-approver",
        &[APPROVE.named("kubernetes.io/kube-apiserver-client")],
    ),
    (
        "kube-apiserver-client-kubelet-approver",
        &[APPROVE.named("kubernetes.io/kube-apiserver-client-kubelet")],
    ),
    (
        "kubelet-serving-approver",
        &[APPROVE.named("kubernetes.io/kubelet-serving")],
    ),
    (
        "legacy-unknown-approver",
        &[APPROVE.named("kubernetes.io/legacy-unknown")],
    ),
];

const APPROVE: Rule = on("approve", "certificates.k8s.io", "signers");

/// Roles of the control plane's components and of nodes.
pub(super) const COMPONENTS: &[NamedRole] = &[
    (
        "system:kube-controller-manager",
        &[
            EVENTS,
            on("create", "coordination.k8s.io", "leases"),
            on("get update", "coordination.k8s.io", "leases").named("kube-controller-manager"),
            on("create get update", "core", "secrets serviceaccounts"),
            on("delete", "core", "secrets"),
            on("get", "core", "configmaps namespaces"),
            on("create", "authentication.k8s.io", "tokenreviews"),
            on("create", "authorization.k8s.io", "subjectaccessreviews"),
            on("list watch", "*", "*"),
            on("create", "core", "serviceaccounts/token"),
        ],
    ),
    (
        "system:kube-dns",
        &[on("list watch", "core", "endpoints services")],
    ),
    ("system:kube-scheduler", SCHEDULER),
    (
        "system:volume-scheduler",
        &[
            on(
                "get list patch update watch",
                "core",
                "persistentvolumes persistentvolumeclaims",
            ),
            on(READ, "storage.k8s.io", "storageclasses"),
        ],
    ),
    ("system:node", NODE),
    (
        "system:node-bootstrapper",
        &[on(
            "create get list watch",
            "certificates.k8s.io",
            "certificatesigningrequests",
        )],
    ),
    (
        "system:node-problem-detector",
        &[
            on("get", "core", "nodes"),
            on("patch", "core", "nodes/status"),
            EVENTS,
        ],
    ),
    (
        "system:node-proxier",
        &[
            on("list watch", "core", "endpoints services"),
            on(READ, "core", "nodes"),
            on("list watch", "networking.k8s.io", "servicecidrs"),
            on("list watch", "discovery.k8s.io", "endpointslices"),
            EVENTS,
        ],
    ),
];

const SCHEDULER: &[Rule] = &[
    EVENTS,
    on("create", "coordination.k8s.io", "leases"),
    on("get list update watch", "coordination.k8s.io", "leases").named("kube-scheduler"),
    on(ALL, "coordination.k8s.io", "leasecandidates"),
    on(
        READ,
        "core",
        "namespaces nodes persistentvolumeclaims persistentvolumes replicationcontrollers services",
    ),
    on("delete get list watch", "core", "pods"),
    on("create", "core", "bindings pods/binding"),
    on("patch update", "core", "pods/status"),
    on("update", "core", "pods/finalizers"),
    on(READ, "apps extensions", "replicasets"),
    on(READ, "apps", "statefulsets"),
    on(READ, "policy", "poddisruptionbudgets"),
    on("create", "authentication.k8s.io", "tokenreviews"),
    on("create", "authorization.k8s.io", "subjectaccessreviews"),
    on(
        READ,
        "storage.k8s.io",
        "csidrivers csinodes csistoragecapacities volumeattachments",
    ),
    on(READ, "resource.k8s.io", "deviceclasses resourceslices"),
    on(
        "create delete get list patch update watch",
        "resource.k8s.io",
        "resourceclaims",
    ),
    on(
        "get list patch update watch",
        "resource.k8s.io",
        "resourceclaims/status",
    ),
    on("patch update", "resource.k8s.io", "resourceclaims/binding"),
];

/// What the Node authorizer lets every kubelet do where it does not decide object by object.
pub(super) const NODE: &[Rule] = &[
    on("create", "authentication.k8s.io", "tokenreviews"),
    on(
        "create",
        "authorization.k8s.io",
        "localsubjectaccessreviews subjectaccessreviews",
    ),
    on(READ, "core", "configmaps secrets services"),
    on("create get list patch update watch", "core", "nodes"),
    on("patch update", "core", "nodes/status pods/status"),
    on("create delete get list watch", "core", "pods"),
    on("create", "core", "pods/eviction serviceaccounts/token"),
    on(
        "get",
        "core",
        "endpoints persistentvolumeclaims persistentvolumes serviceaccounts",
    ),
    on("get patch update", "core", "persistentvolumeclaims/status"),
    on(
        "create get list watch",
        "certificates.k8s.io",
        "certificatesigningrequests",
    ),
    on("create delete get patch update", "coordination.k8s.io", "leases"),
    on("get", "storage.k8s.io", "volumeattachments"),
    on(READ, "storage.k8s.io", "csidrivers"),
    on("create delete get patch update", "storage.k8s.io", "csinodes"),
    on(READ, "node.k8s.io", "runtimeclasses"),
    on("get", "resource.k8s.io", "resourceclaims"),
    on("deletecollection", "resource.k8s.io", "resourceslices"),
    EVENTS,
];

/// Who holds which of these roles, cluster-wide: the role, which names the binding too, and the holders.
///
/// `system:node` is held by nobody: the node authorizer decides about nodes.
pub(super) const BINDINGS: &[(&str, &[&str])] = &[
    ("cluster-admin", &["Group system:masters"]),
    ("system:monitoring", &["Group system:monitoring"]),
    ("system:discovery", &["Group system:authenticated"]),
    ("system:basic-user", &["Group system:authenticated"]),
    (
        "system:public-info-viewer",
        &["Group system:authenticated", "Group system:unauthenticated"],
    ),
    ("system:node-proxier", &["User system:kube-proxy"]),
    (
        "system:kube-controller-manager",
        &["User system:kube-controller-manager"],
    ),
    ("system:kube-dns", &["ServiceAccount kube-dns"]),
    ("system:kube-scheduler", &["User system:kube-scheduler"]),
    ("system:volume-scheduler", &["User system:kube-scheduler"]),
    ("system:node", &[]),
    (
        "system:service-account-issuer-discovery",
        &["Group system:serviceaccounts"],
    ),
];
