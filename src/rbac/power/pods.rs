//! Powers over pods and over the controllers that make them.
//!
//! **Trap.** `get` on `pods/exec`, `attach` and `portforward` opens the same stream as `create`, by WebSocket,
//! but only on API servers before 1.35. Source:
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/features/kube_features.go>
//! (`AuthorizePodWebsocketUpgradeCreatePermission`)
//!
//! **Trap.** `get` of the subresource `status` returns the whole object, and so do `ephemeralcontainers` and `resize` of a
//! pod; `scale` and `log` do not. Source:
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/storage/storage.go>

use super::{And, on, power_table};

power_table! {
    /// A shell in a running pod.
    EXEC_PODS = "exec-pods", "run commands in pods", [on("create", "", "pods/exec")];
    /// The same by WebSocket, before 1.35.
    EXEC_PODS_BY_GET = "exec-pods-by-get", "run commands in pods by WebSocket, on API servers before 1.35",
        [on("get", "", "pods/exec")];
    /// The standard input of a running process.
    ATTACH_PODS = "attach-pods", "attach to processes in pods", [on("create", "", "pods/attach")];
    /// The same by WebSocket, before 1.35.
    ATTACH_PODS_BY_GET = "attach-pods-by-get",
        "attach to processes in pods by WebSocket, on API servers before 1.35",
        [on("get", "", "pods/attach")];
    /// A connection to any port of a pod, past network policies.
    FORWARD_PORTS = "forward-ports", "forward ports of pods", [on("create", "", "pods/portforward")];
    /// The same by WebSocket, before 1.35.
    FORWARD_PORTS_BY_GET = "forward-ports-by-get",
        "forward ports of pods by WebSocket, on API servers before 1.35",
        [on("get", "", "pods/portforward")];
    /// HTTP requests to any port of a pod, past network policies.
    PROXY_PODS = "proxy-pods", "send HTTP requests to pods through the API server",
        [on("get create update patch delete", "", "pods/proxy")];
    /// HTTP requests to any Service, past network policies.
    PROXY_SERVICES = "proxy-services", "send HTTP requests to Services through the API server",
        [on("get create update patch delete", "", "services/proxy")];
    /// A new container in a running pod.
    DEBUG_PODS = "debug-pods", "add ephemeral containers to pods",
        [on("update patch", "", "pods/ephemeralcontainers")];
    /// A new pod of the attacker's making.
    CREATE_PODS = "create-pods", "create pods", [on("create", "", "pods")];
    /// A new pod of a given name: server-side apply tells the authorizer the name when it creates.
    ///
    /// Source: <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go>
    APPLY_PODS = "apply-pods", "create pods of given names by server-side apply",
        [on("patch", "", "pods").and(And::Same("create"))];
    /// The image or labels of a running pod.
    UPDATE_PODS = "update-pods", "change pods", [on("update patch", "", "pods")];
    /// What pods print.
    READ_LOGS = "read-logs", "read logs of pods", [on("get", "", "pods/log")];
    /// The specifications of pods, values of variables too.
    READ_PODS = "read-pods", "read pods", [
        on("get list watch", "", "pods"),
        on("get", "", "pods/status pods/ephemeralcontainers pods/resize"),
    ];
    /// The node of a pending pod.
    BIND_PODS = "bind-pods", "bind pods to nodes", [on("create", "", "pods/binding bindings")];
    /// Removal of a pod, to be made anew elsewhere.
    EVICT_PODS = "evict-pods", "evict pods", [on("create", "", "pods/eviction")];
    /// Removal of a pod.
    DELETE_PODS = "delete-pods", "delete pods", [on("delete deletecollection", "", "pods")];
    /// Address and conditions of a pod: pulls the traffic of Services.
    UPDATE_POD_STATUS = "update-pod-status", "change the status of pods",
        [on("update patch", "", "pods/status")];
    /// New pods through a new controller.
    CREATE_WORKLOADS = "create-workloads", "create workloads", [
        on("create", "apps", "deployments daemonsets statefulsets replicasets"),
        on("create", "batch", "jobs cronjobs"),
        on("create", "", "replicationcontrollers"),
    ];
    /// New pods on every node.
    CREATE_DAEMON_SETS = "create-daemonsets", "create DaemonSets", [on("create", "apps", "daemonsets")];
    /// New pods through a new controller of a given name, by server-side apply.
    APPLY_WORKLOADS = "apply-workloads", "create workloads of given names by server-side apply", [
        on("patch", "apps", "deployments daemonsets statefulsets replicasets").and(And::Same("create")),
        on("patch", "batch", "jobs cronjobs").and(And::Same("create")),
        on("patch", "", "replicationcontrollers").and(And::Same("create")),
    ];
    /// The pod template of a Deployment.
    UPDATE_DEPLOYMENTS = "update-deployments", "change Deployments",
        [on("update patch", "apps", "deployments")];
    /// The pod template of a DaemonSet.
    UPDATE_DAEMON_SETS = "update-daemonsets", "change DaemonSets", [on("update patch", "apps", "daemonsets")];
    /// The pod template of a StatefulSet.
    UPDATE_STATEFUL_SETS = "update-statefulsets", "change StatefulSets",
        [on("update patch", "apps", "statefulsets")];
    /// The pod template of a ReplicaSet.
    UPDATE_REPLICA_SETS = "update-replicasets", "change ReplicaSets",
        [on("update patch", "apps", "replicasets")];
    /// The pod template of a ReplicationController.
    UPDATE_REPLICATION_CONTROLLERS = "update-replicationcontrollers", "change ReplicationControllers",
        [on("update patch", "", "replicationcontrollers")];
    /// The pod template of a CronJob.
    UPDATE_CRON_JOBS = "update-cronjobs", "change CronJobs", [on("update patch", "batch", "cronjobs")];
    /// The pod template of a Deployment, values of variables too.
    READ_DEPLOYMENTS = "read-deployments", "read Deployments",
        [on("get list watch", "apps", "deployments"), on("get", "apps", "deployments/status")];
    /// The pod template of a DaemonSet; a revision holds it as well.
    READ_DAEMON_SETS = "read-daemonsets", "read DaemonSets or their revisions", [
        on("get list watch", "apps", "daemonsets controllerrevisions"),
        on("get", "apps", "daemonsets/status"),
    ];
    /// The pod template of a StatefulSet; a revision holds it as well.
    READ_STATEFUL_SETS = "read-statefulsets", "read StatefulSets or their revisions", [
        on("get list watch", "apps", "statefulsets controllerrevisions"),
        on("get", "apps", "statefulsets/status"),
    ];
    /// The pod template of a ReplicaSet.
    READ_REPLICA_SETS = "read-replicasets", "read ReplicaSets",
        [on("get list watch", "apps", "replicasets"), on("get", "apps", "replicasets/status")];
    /// The pod template of a ReplicationController.
    READ_REPLICATION_CONTROLLERS = "read-replicationcontrollers", "read ReplicationControllers", [
        on("get list watch", "", "replicationcontrollers"),
        on("get", "", "replicationcontrollers/status"),
    ];
    /// The pod template of a CronJob.
    READ_CRON_JOBS = "read-cronjobs", "read CronJobs",
        [on("get list watch", "batch", "cronjobs"), on("get", "batch", "cronjobs/status")];
    /// The pod template of a Job.
    READ_JOBS = "read-jobs", "read Jobs",
        [on("get list watch", "batch", "jobs"), on("get", "batch", "jobs/status")];
    /// Settings of a Job; its template only as long as it is suspended.
    UPDATE_JOBS = "update-jobs", "change Jobs", [on("update patch", "batch", "jobs")];
    /// Templates and revisions that a later roll-back uses.
    CHANGE_TEMPLATES = "change-templates", "change pod templates and revisions", [
        on("create update patch", "", "podtemplates"),
        on("create update patch", "apps", "controllerrevisions"),
    ];
}
