//! Powers over the cluster itself: nodes, namespaces, volumes, scheduling, and everything at once.
//!
//! **Trap.** Cluster-scoped objects come with a ClusterRoleBinding only, except that a RoleBinding reaches the
//! Namespace object it lives in. `nodes/proxy` is the kubelet's whole API, for `get` too.

use super::{Objects, Right, on, power_table, wide};

const STORAGE: &str = "storage.k8s.io";
const DEVICES: &str = "resource.k8s.io";

const fn namespaces(verbs: &'static str) -> Right {
    Right {
        objects: Objects::Namespaces,
        ..on(verbs, "", "namespaces")
    }
}

const fn path(paths: &'static str) -> Right {
    Right {
        objects: Objects::Paths,
        ..on("get", "", paths)
    }
}

power_table! {
    /// Every verb on every resource: control of the cluster, or of a namespace.
    EVERYTHING = "everything", "do everything", [on("*", "*", "*")];
    /// Commands in every pod of a node through its kubelet.
    PROXY_NODES = "proxy-nodes", "send any request to kubelets", [wide("create", "", "nodes/proxy")];
    /// The same: the kubelet takes commands by WebSocket GET.
    PROXY_NODES_BY_GET = "proxy-nodes-by-get", "send GET requests to kubelets",
        [wide("get", "", "nodes/proxy")];
    /// Files below `/var/log` of a node.
    READ_NODE_LOGS = "read-node-logs", "read logs of nodes", [wide("get", "", "nodes/log")];
    /// What kubelets tell of pods and of themselves.
    READ_KUBELETS = "read-kubelets", "read pods and settings from kubelets",
        [wide("get", "", "nodes/pods nodes/configz nodes/stats nodes/metrics nodes/spec")];
    /// An image of a container's memory on the node's disk.
    CHECKPOINT_CONTAINERS = "checkpoint-containers", "write memory images of containers to nodes",
        [wide("create", "", "nodes/checkpoint")];
    /// Labels and taints: what runs where.
    UPDATE_NODES = "update-nodes", "change nodes", [wide("update patch", "", "nodes")];
    /// Capacity and addresses of a node.
    UPDATE_NODE_STATUS = "update-node-status", "change the status of nodes",
        [wide("update patch", "", "nodes/status")];
    /// Removal of a node with its pods.
    DELETE_NODES = "delete-nodes", "delete nodes", [wide("delete deletecollection", "", "nodes")];
    /// Labels that Pod Security Admission and policies read.
    UPDATE_NAMESPACES = "update-namespaces", "change namespaces", [namespaces("update patch")];
    /// A namespace without guards.
    CREATE_NAMESPACES = "create-namespaces", "create namespaces", [wide("create", "", "namespaces")];
    /// A volume of the host's files, which Pod Security Admission does not see.
    CREATE_VOLUMES = "create-volumes", "create PersistentVolumes", [wide("create", "", "persistentvolumes")];
    /// A claim to a volume.
    CREATE_CLAIMS = "create-claims", "create PersistentVolumeClaims",
        [on("create", "", "persistentvolumeclaims")];
    /// What a provisioner is told.
    CREATE_STORAGE_CLASSES = "create-storage-classes", "create StorageClasses",
        [wide("create", STORAGE, "storageclasses")];
    /// Tokens of pods that a driver is given.
    WRITE_CSI_DRIVERS = "write-csi-drivers", "write CSIDrivers",
        [wide("create update patch", STORAGE, "csidrivers")];
    /// Another node's volume.
    WRITE_VOLUME_ATTACHMENTS = "write-volume-attachments", "attach volumes to nodes",
        [wide("create update patch", STORAGE, "volumeattachments")];
    /// A copy of another volume.
    CREATE_SNAPSHOT_CONTENTS = "create-snapshot-contents", "take over volume snapshots",
        [wide("create", "snapshot.storage.k8s.io", "volumesnapshotcontents")];
    /// A copy of a volume of one's own namespace, or of what a content names.
    CREATE_SNAPSHOTS = "create-snapshots", "create volume snapshots",
        [on("create", "snapshot.storage.k8s.io", "volumesnapshots")];
    /// Devices for pods.
    WRITE_DEVICE_CLAIMS = "write-device-claims", "claim devices",
        [on("create update patch", DEVICES, "resourceclaims resourceclaimtemplates")];
    /// What devices there are and how they are allotted.
    WRITE_DEVICES = "write-devices", "describe devices",
        [wide("create update patch", DEVICES, "deviceclasses resourceslices")];
    /// Which devices a claim was given.
    ALLOCATE_DEVICES = "allocate-devices", "allot devices to claims",
        [on("update patch", DEVICES, "resourceclaims/status")];
    /// Pods that drive others from their nodes.
    CREATE_PRIORITY_CLASSES = "create-priority-classes", "create PriorityClasses",
        [wide("create", "scheduling.k8s.io", "priorityclasses")];
    /// A weaker sandbox.
    CREATE_RUNTIME_CLASSES = "create-runtime-classes", "create RuntimeClasses",
        [wide("create", "node.k8s.io", "runtimeclasses")];
    /// Pods that cannot be evicted.
    WRITE_DISRUPTION_BUDGETS = "write-disruption-budgets", "write PodDisruptionBudgets",
        [on("create update patch", "policy", "poddisruptionbudgets")];
    /// Who leads a controller.
    UPDATE_LEASES = "update-leases", "change leases", [on("update patch", "coordination.k8s.io", "leases")];
    /// Whose token is this, who may do what.
    REVIEW_ACCESS = "review-access", "ask whose a token is and who may do what", [
        wide("create", "authentication.k8s.io", "tokenreviews"),
        wide("create", "authorization.k8s.io", "subjectaccessreviews"),
    ];
    /// Traces.
    DELETE_EVENTS = "delete-events", "delete events", [
        on("delete deletecollection", "", "events"),
        on("delete deletecollection", "events.k8s.io", "events"),
    ];
    /// Limits.
    DELETE_LIMITS = "delete-limits", "delete quotas and limits",
        [on("delete deletecollection", "", "limitranges resourcequotas")];
    /// A pod under a SecurityContextConstraint of OpenShift; the scope's name is the constraint.
    USE_SECURITY_CONTEXT_CONSTRAINTS = "use-security-context-constraints", "use SecurityContextConstraints",
        [on("use", "security.openshift.io", "securitycontextconstraints")];
    /// Profiles of the API server's memory.
    PROFILE_API_SERVER = "profile-api-server", "read profiles of the API server", [path("/debug/pprof/heap")];
    /// Log files of the API server's host.
    READ_API_SERVER_LOGS = "read-api-server-logs", "read log files of the API server",
        [path("/logs/kube-apiserver.log")];
}
