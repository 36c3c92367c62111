//! Objects of kinds that no rule reads in detail: custom resources and their definitions.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{is_default, lenient, slim};
use super::{Meta, Text};

slim! {
    /// A CustomResourceDefinition.
    pub struct CustomResourceDefinition {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: CustomResourceDefinitionSpec,
    }

    /// `spec` of a CustomResourceDefinition.
    pub struct CustomResourceDefinitionSpec { group: Text, scope: Text, names: CustomResourceNames, }

    /// `spec.names`.
    pub struct CustomResourceNames { kind: Text, plural: Text, singular: Text, short_names: Vec<Text>, }

    /// A reference to any object.
    pub struct ObjectReference { api_version: Text, kind: Text, namespace: Text, name: Text, }
}

/// Any other object: identity and labels, and its `spec` where a rule asks for that kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Other {
    /// Group and version.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
    /// Metadata.
    #[serde(
        rename = "metadata",
        deserialize_with = "lenient",
        skip_serializing_if = "is_default"
    )]
    pub meta: Meta,
    /// Of `spec` the members that [`Other::members_read`] names, for the API groups of which it names any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// Several of them in one object, as policies of Cilium may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specs: Option<Value>,
    /// What the settings of the Zalando operator have in place of `spec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Value>,
}

impl Other {
    /// API groups with the members of `spec` that rules look at; the rest may hold anything, credentials too.
    const READ: &'static [(&'static str, &'static [&'static str])] = &[
        (
            "cilium.io",
            &[
                "endpointSelector",
                "nodeSelector",
                "ingress",
                "ingressDeny",
                "egress",
                "egressDeny",
                "enableDefaultDeny",
                "externalCIDRs",
            ],
        ),
        ("resource.k8s.io", &["nodeName"]),
        ("snapshot.storage.k8s.io", &["source"]),
        ("projectcalico.org", Self::OF_CALICO),
        ("crd.projectcalico.org", Self::OF_CALICO),
        (
            "security.istio.io",
            &[
                "selector",
                "targetRef",
                "targetRefs",
                "action",
                "rules",
                "mtls",
                "portLevelMtls",
            ],
        ),
        ("storage.k8s.io", &["nodeName"]),
    ];

    /// The same for databases that operators make: of these members the names of users and of Secrets are kept.
    const OF_OPERATORS: &'static [(&'static str, &'static [&'static str])] = &[
        ("acid.zalan.do", &["enableLogicalBackup", "kubernetes", "users"]),
        ("barmancloud.cnpg.io", &["configuration"]),
        (
            "cassandra.datastax.com",
            &["clusterName", "superuserSecretName", "users"],
        ),
        ("ceph.rook.io", &["store"]),
        ("couchbase.com", &["security"]),
        ("databases.spotahome.com", &["auth"]),
        ("elasticsearch.k8s.elastic.co", &["auth"]),
        (
            "k8s.mariadb.com",
            &[
                "mariaDbRef",
                "passwordSecretKeyRef",
                "rootPasswordSecretKeyRef",
                "storage",
            ],
        ),
        ("k8ssandra.io", &["cassandra", "medusa"]),
        ("kafka.strimzi.io", &["authentication", "kafka"]),
        ("minio.min.io", &["configuration", "credsSecret", "users"]),
        ("mongodbcommunity.mongodb.com", &["users"]),
        ("mysql.oracle.com", &["secretName", "backupProfiles"]),
        (
            "opensearch.opster.io",
            &["general", "opensearchCluster", "passwordFrom", "security"],
        ),
        ("opensearch.org", &["general", "security"]),
        ("pgv2.percona.com", &["backups", "users"]),
        ("pingcap.com", &["cluster", "passwordSecret"]),
        ("postgres-operator.crunchydata.com", &["backups", "users"]),
        (
            "postgresql.cnpg.io",
            &[
                "backup",
                "bootstrap",
                "cluster",
                "enableSuperuserAccess",
                "managed",
                "passwordSecret",
                "plugins",
                "superuser",
                "superuserSecret",
            ],
        ),
        ("ps.percona.com", &["secretsName", "backup"]),
        ("psmdb.percona.com", &["secrets", "backup", "replsets", "users"]),
        ("pxc.percona.com", &["secretsName", "backup", "users"]),
        (
            "rabbitmq.com",
            &["importCredentialsSecret", "rabbitmqClusterReference"],
        ),
        ("redis.redis.opstreelabs.in", &["kubernetesConfig"]),
        (
            "velero.io",
            &[
                "credential",
                "excludedNamespaces",
                "includedNamespaces",
                "template",
            ],
        ),
    ];

    /// Members whose text is a name, of a user, a Secret or a sort.
    const NAMES: &'static [&'static str] = &[
        "adminSecret",
        "barmanObjectName",
        "config",
        "connectionStringSecretName",
        "credentialsSecret",
        "key",
        "name",
        "namespace",
        "pod_environment_configmap",
        "pod_environment_secret",
        "secretName",
        "secretPath",
        "serviceName",
        "type",
        "users",
    ];

    /// Words that a list may hold for a user.
    const FLAGS: &'static [&'static str] = &["superuser"];

    /// Members that list names.
    const LISTS_OF_NAMES: &'static [&'static str] = &["excludedNamespaces", "includedNamespaces"];

    /// Calico keeps its objects in one group and serves them in another.
    const OF_CALICO: &'static [&'static str] = &[
        "tier",
        "order",
        "selector",
        "namespaceSelector",
        "serviceAccountSelector",
        "types",
        "ingress",
        "egress",
        "doNotTrack",
        "preDNAT",
        "applyOnForward",
        "defaultAction",
        "nets",
        "node",
        "expectedIPs",
        "profiles",
    ];

    /// Members within those whose values may hold what requests carry, tokens among it: only the names within
    /// them are kept.
    const WITHHELD: &'static [&'static str] = &["rules"];

    /// Whether the object is of this API group.
    pub fn is_of_group(&self, group: &str) -> bool {
        self.api_version
            .split_once('/')
            .is_some_and(|(known, _)| known == group)
    }

    /// The members of `spec` that rules look at in objects of this API group; of most groups none.
    pub fn members_read(group: &str) -> &'static [&'static str] {
        let mut all = Self::READ.iter().chain(Self::OF_OPERATORS);
        let known = all.find(|(known, _)| *known == group);
        known.map_or(&[], |(_, members)| members)
    }

    /// Drops what no rule looks at in an object of this API group.
    pub fn slim(&mut self, group: &str) {
        let members = Self::members_read(group);
        let keep = |spec: &mut Value| {
            let Value::Object(spec) = spec else {
                return false;
            };
            spec.retain(|member, _| members.contains(&member.as_str()));
            if Self::OF_OPERATORS.iter().any(|(known, _)| *known == group) {
                Self::keep_members(spec);
            } else {
                spec.values_mut().for_each(Self::withhold);
            }
            true
        };
        if !self.spec.as_mut().is_some_and(keep) {
            self.spec = None;
        }
        if !self.configuration.as_mut().is_some_and(keep) {
            self.configuration = None;
        }
        if let Some(Value::Array(specs)) = &mut self.specs {
            specs.retain_mut(keep);
        } else {
            self.specs = None;
        }
    }

    /// Keeps of texts within those that are names; which members there are is kept too.
    ///
    /// It cannot go deeper than the reader of manifests, which limits nesting.
    fn keep_names(value: &mut Value) {
        match value {
            Value::Array(items) => {
                let is_flag = |text: &str| Self::FLAGS.iter().any(|flag| flag.eq_ignore_ascii_case(text));
                items.retain(|item| item.is_object() || item.as_str().is_some_and(is_flag));
                items.iter_mut().for_each(Self::keep_names);
            }
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::Number(_) if name == "port" => {}
                        Value::String(_) if Self::NAMES.contains(&name.as_str()) => {}
                        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
                        other => *other = Value::Null,
                    }
                }
                Self::keep_members(members);
            }
            _ => {}
        }
    }

    fn keep_members(members: &mut serde_json::Map<String, Value>) {
        for (name, member) in members.iter_mut() {
            match member {
                Value::Array(items) if Self::LISTS_OF_NAMES.contains(&name.as_str()) => {
                    items.retain(Value::is_string);
                }
                other => Self::keep_names(other),
            }
        }
    }

    /// Keeps of every member to withhold only which members it has.
    ///
    /// It cannot go deeper than the reader of manifests, which limits nesting.
    fn withhold(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(Self::withhold),
            Value::Object(members) => {
                // A condition of Istio on what requests carry.
                let is_of_requests =
                    |key: &Value| key.as_str().is_some_and(|key| key.starts_with("request."));
                if members.get("key").is_some_and(is_of_requests) {
                    members.retain(|name, _| name == "key");
                }
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::Object(inner) if Self::WITHHELD.contains(&name.as_str()) => {
                            inner.values_mut().for_each(|value| *value = Value::Null);
                        }
                        other => Self::withhold(other),
                    }
                }
            }
            _ => {}
        }
    }
}
