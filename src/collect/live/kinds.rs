//! What is asked of an API server: every kind of the model, and the other kinds that rules look at.
//!
//! The requests, the ClusterRole that allows them and the words for what is missing all follow this one list.
//!
//! **Trap.** Of what is asked for as metadata only, the contents never cross the wire; a rule that wants more of such
//! a kind must change its line here first.

use crate::model::KINDS;

/// One kind to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) group: &'static str,
    /// Empty for every kind of the group.
    pub(super) kind: &'static str,
    /// The resource as in URLs; `*` for every resource of the group.
    pub(super) resource: &'static str,
    pub(super) namespaced: bool,
    /// Whether names, labels and annotations are all that is asked for.
    pub(super) metadata_only: bool,
    /// Whether the model knows the kind.
    pub(super) modelled: bool,
}

const fn other(group: &'static str, kind: &'static str, resource: &'static str, namespaced: bool) -> Wanted {
    Wanted {
        group,
        kind,
        resource,
        namespaced,
        metadata_only: false,
        modelled: false,
    }
}

const fn name(group: &'static str, kind: &'static str, resource: &'static str, namespaced: bool) -> Wanted {
    Wanted {
        metadata_only: true,
        ..other(group, kind, resource, namespaced)
    }
}

/// Kinds beside those of the model: what network plugins and volumes say, then what is only named in remarks.
const OTHERS: &[Wanted] = &[
    other("cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies", true),
    other(
        "cilium.io",
        "CiliumClusterwideNetworkPolicy",
        "ciliumclusterwidenetworkpolicies",
        false,
    ),
    other("cilium.io", "CiliumCIDRGroup", "ciliumcidrgroups", false),
    other("projectcalico.org", "NetworkPolicy", "networkpolicies", true),
    other(
        "projectcalico.org",
        "GlobalNetworkPolicy",
        "globalnetworkpolicies",
        false,
    ),
    other("projectcalico.org", "NetworkSet", "networksets", true),
    other(
        "projectcalico.org",
        "GlobalNetworkSet",
        "globalnetworksets",
        false,
    ),
    other("projectcalico.org", "HostEndpoint", "hostendpoints", false),
    other("projectcalico.org", "Tier", "tiers", false),
    other("crd.projectcalico.org", "NetworkPolicy", "networkpolicies", true),
    other(
        "crd.projectcalico.org",
        "GlobalNetworkPolicy",
        "globalnetworkpolicies",
        false,
    ),
    other("crd.projectcalico.org", "NetworkSet", "networksets", true),
    other(
        "crd.projectcalico.org",
        "GlobalNetworkSet",
        "globalnetworksets",
        false,
    ),
    other("crd.projectcalico.org", "HostEndpoint", "hostendpoints", false),
    other("crd.projectcalico.org", "Tier", "tiers", false),
    other(
        "security.istio.io",
        "AuthorizationPolicy",
        "authorizationpolicies",
        true,
    ),
    other(
        "security.istio.io",
        "PeerAuthentication",
        "peerauthentications",
        true,
    ),
    other("storage.k8s.io", "VolumeAttachment", "volumeattachments", false),
    other("resource.k8s.io", "ResourceSlice", "resourceslices", false),
    other(
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        false,
    ),
    other(
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        false,
    ),
    name("crd.antrea.io", "NetworkPolicy", "networkpolicies", true),
    name(
        "crd.antrea.io",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        false,
    ),
    name("policy.linkerd.io", "Server", "servers", true),
    name(
        "policy.linkerd.io",
        "AuthorizationPolicy",
        "authorizationpolicies",
        true,
    ),
    name("k8s.ovn.org", "EgressFirewall", "egressfirewalls", true),
    name(
        "network.openshift.io",
        "EgressNetworkPolicy",
        "egressnetworkpolicies",
        true,
    ),
    name(
        "consul.hashicorp.com",
        "ServiceIntentions",
        "serviceintentions",
        true,
    ),
    name("kuma.io", "MeshTrafficPermission", "meshtrafficpermissions", true),
    name(
        "networking.gke.io",
        "FQDNNetworkPolicy",
        "fqdnnetworkpolicies",
        true,
    ),
    name(
        "vpcresources.k8s.aws",
        "SecurityGroupPolicy",
        "securitygrouppolicies",
        true,
    ),
    name("kubeovn.io", "SecurityGroup", "security-groups", false),
    name(
        "networking.k8s.aws",
        "ClusterNetworkPolicy",
        "clusternetworkpolicies",
        false,
    ),
    name("kyverno.io", "Policy", "policies", true),
    name("kyverno.io", "ClusterPolicy", "clusterpolicies", false),
    name(
        "policies.kyverno.io",
        "ValidatingPolicy",
        "validatingpolicies",
        false,
    ),
    name(
        "templates.gatekeeper.sh",
        "ConstraintTemplate",
        "constrainttemplates",
        false,
    ),
    name("constraints.gatekeeper.sh", "", "*", false),
    name("policy", "PodSecurityPolicy", "podsecuritypolicies", false),
    name(
        "security.openshift.io",
        "SecurityContextConstraints",
        "securitycontextconstraints",
        false,
    ),
];

/// What operators make databases, their users and their copies of: group, kind and resource of each, all in namespaces.
const DATABASES: &[(&str, &str, &str)] = &[
    ("acid.zalan.do", "postgresql", "postgresqls"),
    ("acid.zalan.do", "OperatorConfiguration", "operatorconfigurations"),
    ("postgresql.cnpg.io", "Cluster", "clusters"),
    ("postgresql.cnpg.io", "DatabaseRole", "databaseroles"),
    ("postgresql.cnpg.io", "Pooler", "poolers"),
    ("barmancloud.cnpg.io", "ObjectStore", "objectstores"),
    (
        "postgres-operator.crunchydata.com",
        "PostgresCluster",
        "postgresclusters",
    ),
    ("pgv2.percona.com", "PerconaPGCluster", "perconapgclusters"),
    ("pxc.percona.com", "PerconaXtraDBCluster", "perconaxtradbclusters"),
    ("ps.percona.com", "PerconaServerMySQL", "perconaservermysqls"),
    (
        "psmdb.percona.com",
        "PerconaServerMongoDB",
        "perconaservermongodbs",
    ),
    ("mysql.oracle.com", "InnoDBCluster", "innodbclusters"),
    ("k8s.mariadb.com", "MariaDB", "mariadbs"),
    ("k8s.mariadb.com", "User", "users"),
    ("k8s.mariadb.com", "Backup", "backups"),
    (
        "mongodbcommunity.mongodb.com",
        "MongoDBCommunity",
        "mongodbcommunity",
    ),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch", "elasticsearches"),
    ("opensearch.opster.io", "OpenSearchCluster", "opensearchclusters"),
    ("opensearch.opster.io", "OpensearchUser", "opensearchusers"),
    ("opensearch.org", "OpenSearchCluster", "opensearchclusters"),
    ("kafka.strimzi.io", "Kafka", "kafkas"),
    ("kafka.strimzi.io", "KafkaUser", "kafkausers"),
    ("rabbitmq.com", "RabbitmqCluster", "rabbitmqclusters"),
    ("rabbitmq.com", "User", "users"),
    ("redis.redis.opstreelabs.in", "Redis", "redis"),
    (
        "redis.redis.opstreelabs.in",
        "RedisReplication",
        "redisreplications",
    ),
    ("redis.redis.opstreelabs.in", "RedisCluster", "redisclusters"),
    ("databases.spotahome.com", "RedisFailover", "redisfailovers"),
    ("k8ssandra.io", "K8ssandraCluster", "k8ssandraclusters"),
    (
        "cassandra.datastax.com",
        "CassandraDatacenter",
        "cassandradatacenters",
    ),
    ("scylla.scylladb.com", "ScyllaCluster", "scyllaclusters"),
    (
        "clickhouse.altinity.com",
        "ClickHouseInstallation",
        "clickhouseinstallations",
    ),
    ("crdb.cockroachlabs.com", "CrdbCluster", "crdbclusters"),
    ("pingcap.com", "TidbCluster", "tidbclusters"),
    ("pingcap.com", "TidbInitializer", "tidbinitializers"),
    ("couchbase.com", "CouchbaseCluster", "couchbaseclusters"),
    ("minio.min.io", "Tenant", "tenants"),
    ("ceph.rook.io", "CephObjectStore", "cephobjectstores"),
    ("ceph.rook.io", "CephObjectStoreUser", "cephobjectstoreusers"),
    ("vault.banzaicloud.com", "Vault", "vaults"),
    ("snapshot.storage.k8s.io", "VolumeSnapshot", "volumesnapshots"),
    ("velero.io", "BackupStorageLocation", "backupstoragelocations"),
    ("velero.io", "Schedule", "schedules"),
    ("velero.io", "Backup", "backups"),
];

/// Everything that is asked for, the model's kinds first.
pub(super) fn all() -> impl Iterator<Item = Wanted> {
    let modelled = KINDS.iter().map(|known| Wanted {
        group: known.group,
        kind: known.kind,
        resource: known.resource,
        namespaced: known.namespaced,
        metadata_only: false,
        modelled: true,
    });
    let databases = DATABASES
        .iter()
        .map(|&(group, kind, resource)| other(group, kind, resource, true));
    modelled.chain(OTHERS.iter().copied()).chain(databases)
}

/// What an answer may be wrong about when a kind is missing; empty if names are all it adds.
pub(super) fn affects(resource: &str) -> &'static str {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    match plural {
        "pods" => "every path through a running pod, and all that is exposed",
        "deployments"
        | "replicasets"
        | "statefulsets"
        | "daemonsets"
        | "jobs"
        | "cronjobs"
        | "replicationcontrollers" => "workloads that have no pod now, and which pods are one workload",
        "nodes" => "where pods run, which node is a control plane, and steps from one node to another",
        "namespaces" => "Pod Security Admission, and policies that select namespaces",
        "secrets" => "which credentials exist, and steps to and through them",
        "configmaps" => "credentials and addresses in settings, and who the cluster's cloud accounts are",
        "serviceaccounts" => "which identities exist, and whether their tokens are mounted",
        "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings" => {
            "who may do what: rights that are there may be missing, default ones may be gone"
        }
        "services" | "endpoints" | "endpointslices" | "ingresses" | "ingressclasses" | "routes"
        | "gateways" | "gatewayclasses" | "httproutes" | "grpcroutes" | "tlsroutes" | "tcproutes"
        | "udproutes" | "referencegrants" => "what is exposed, and what is reached by a name",
        "persistentvolumes" | "persistentvolumeclaims" | "storageclasses" | "volumeattachments" => {
            "which volumes lead to a node's files or to other pods' data"
        }
        "validatingwebhookconfigurations"
        | "mutatingwebhookconfigurations"
        | "validatingadmissionpolicies"
        | "validatingadmissionpolicybindings"
        | "mutatingadmissionpolicies"
        | "mutatingadmissionpolicybindings"
        | "podsecuritypolicies"
        | "securitycontextconstraints"
        | "clusterpolicies"
        | "policies"
        | "validatingpolicies"
        | "constrainttemplates" => "steps that admission may stop are shown as possible",
        "customresourcedefinitions" => "which namespace objects of other kinds live in",
        "runtimeclasses" => "whether pods run in a sandbox",
        _ if DATABASES
            .iter()
            .any(|(known, _, resource)| (*known, *resource) == (group, plural)) =>
        {
            "which databases an operator runs, and what opens them"
        }
        _ if plural.contains("polic") || group.contains("calico") || group.contains("cilium") => {
            "who reaches whom: steps that a policy stops are shown as possible"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_model_says_what_it_affects() {
        for known in KINDS.iter().filter(|known| known.kind != "PriorityClass") {
            let resource = format!("{}.{}", known.resource, known.group);
            assert!(!affects(&resource).is_empty(), "{resource}");
        }
    }

    #[test]
    fn nothing_is_asked_for_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for wanted in all() {
            assert!(seen.insert((wanted.group, wanted.resource)), "{wanted:?}");
        }
    }
}
