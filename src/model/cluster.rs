//! The cluster as plain data: one map per group of alike kinds, and the one table of all kinds.
//!
//! Reading, snapshots and look-ups all follow the table in this file: a new kind is one line here and its
//! struct beside it.
//!
//! **Trap.** Maps are in the order of insertion until [`Cluster::sort`]; readers call it once at their end, so
//! that nothing downstream depends on the order of files.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    AdminPolicy, AdmissionPolicy, AdmissionPolicyBinding, ConfigMap, CustomResourceDefinition, EndpointSlice,
    Endpoints, Gateway, GatewayClass, GatewayRoute, IdRef, Ingress, IngressClass, Labels, Meta,
    NAMESPACE_NAME, Namespace, NetworkPolicy, Node, ObjectId, Other, PersistentVolume, PersistentVolumeClaim,
    Pod, PriorityClass, ReferenceGrant, Role, RoleBinding, Route, RuntimeClass, Secret, Service,
    ServiceAccount, Source, StorageClass, Text, WebhookConfiguration, Workload,
};

/// One kind of the Kubernetes API that the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The kind as written in manifests.
    pub kind: &'static str,
    /// The resource as written in RBAC rules and URLs.
    pub resource: &'static str,
    /// Whether objects of this kind live in a namespace.
    pub namespaced: bool,
}

/// The objects of one map, by id.
///
/// They are boxed, so that a map that grows or is sorted moves ids only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objects<T>(IndexMap<ObjectId, Box<T>, FxBuildHasher>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(IndexMap::default())
    }
}

impl<T> Objects<T> {
    /// Returns the object with this identity.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&T> {
        let id = IdRef {
            kind,
            namespace,
            name,
        };
        self.0.get(&id).map(Box::as_ref)
    }

    /// Returns the object with this id.
    pub fn by_id(&self, id: &ObjectId) -> Option<&T> {
        self.0.get(id).map(Box::as_ref)
    }

    /// Whether there is an object with this id.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.0.contains_key(id)
    }

    /// Adds or replaces an object; returns the one that was there.
    pub fn insert(&mut self, id: ObjectId, object: Box<T>) -> Option<Box<T>> {
        self.0.insert(id, object)
    }

    /// The objects with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&ObjectId, &T)> + ExactSizeIterator {
        self.0.iter().map(unboxed)
    }

    /// The objects in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.0.values().map(Box::as_ref)
    }

    /// The objects, to change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut().map(Box::as_mut)
    }

    /// The object at a position of the order, with its id.
    pub fn at(&self, index: usize) -> Option<(&ObjectId, &T)> {
        self.0.get_index(index).map(unboxed)
    }

    /// The position of an id in the order.
    pub fn index_of(&self, kind: &str, namespace: &str, name: &str) -> Option<usize> {
        self.0.get_index_of(&IdRef {
            kind,
            namespace,
            name,
        })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes an object out; the others keep their order.
    pub fn remove(&mut self, id: &ObjectId) -> Option<Box<T>> {
        self.0.shift_remove(id)
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_unstable_keys();
    }
}

/// A pair of a map as its readers see it.
#[expect(
    clippy::borrowed_box,
    reason = "the map hands out references to what it holds"
)]
fn unboxed<'a, T>((id, object): (&'a ObjectId, &'a Box<T>)) -> (&'a ObjectId, &'a T) {
    (id, object)
}

/// What [`Objects::iter`] returns, by name.
type Pairs<'a, T> = std::iter::Map<
    indexmap::map::Iter<'a, ObjectId, Box<T>>,
    fn((&'a ObjectId, &'a Box<T>)) -> (&'a ObjectId, &'a T),
>;

impl<'a, T> IntoIterator for &'a Objects<T> {
    type Item = (&'a ObjectId, &'a T);
    type IntoIter = Pairs<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(unboxed)
    }
}

/// A kind that was asked for and not given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The resource, `secrets` or `deployments.apps`.
    pub resource: Text,
    /// Who refused and why, in the words of the answer.
    pub reason: Text,
    /// Which answers may be wrong without it; empty if that is not known.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub affects: Text,
}

/// What the input covers, as far as the collector knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Coverage {
    /// The API server's version (`v1.36.2`), empty if unknown.
    pub server_version: Text,
    /// Resources that were asked for and given, when the collector asked an API server.
    pub collected: Vec<Text>,
    /// Resources that were asked for and refused.
    pub refused: Vec<Refusal>,
    /// Resources of the model that the API server does not serve: it has no objects of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Text>,
    /// The resource version of each list that was read: how close together the moments are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_versions: BTreeMap<Text, Text>,
    /// The one namespace that was asked for; empty for all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: Text,
    /// The labels by which pods and workloads were chosen; empty for all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub selector: Text,
    /// Whether the default roles and bindings were added because the input had none.
    pub bootstrap_rbac_added: bool,
    /// What the API server answered without a credential, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<AnonymousProbe>,
}

/// What an API server answered to requests without a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AnonymousProbe {
    /// Whether the API takes such requests, be it to refuse them; none if its answers do not say.
    pub accepted: Option<bool>,
    /// Whether it says that they may do everything.
    pub may_do_everything: bool,
    /// What was asked and answered, in order.
    pub answers: Vec<ProbeAnswer>,
}

/// One question of a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProbeAnswer {
    /// `GET /version`.
    pub request: Text,
    /// What came back, in short.
    pub answer: Text,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $field:ident: $type:ident { $($kind:literal, $group:literal, $resource:literal, $namespaced:literal;)+ })+) => {
        /// Every kind of the model, in the order of the table.
        pub const KINDS: &[KindInfo] = &[$($(KindInfo {
            group: $group, kind: $kind, resource: $resource, namespaced: $namespaced,
        },)+)+];

        /// A snapshot of everything that rules read.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Cluster {
            $($(#[$doc])* pub $field: Objects<$type>,)+
            /// Objects of all other kinds.
            pub others: Objects<Other>,
            /// Pods that stand for a workload's template: the input has none of that workload.
            pub stand_ins: std::collections::BTreeSet<ObjectId>,
            /// What the input covers.
            pub coverage: Coverage,
        }

        /// One object of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "variants are named after their types")]
        pub enum Object { $($type(Box<$type>),)+ Other(Box<Other>) }

        /// One object of any kind, by reference; serializes as the object.
        #[derive(Clone, Copy, Debug)]
        #[expect(missing_docs, reason = "variants are named after their types")]
        pub enum ObjectRef<'a> { $($type(&'a $type),)+ Other(&'a Other) }

        impl Object {
            /// Reads an object of a known kind in the API's shape.
            ///
            /// # Errors
            /// Returns the deserializer's error when a field has another type than the API gives it.
            pub fn read<'de, D: Deserializer<'de>>(kind: &KindInfo, deserializer: D) -> Result<Self, D::Error> {
                $($(if kind.kind == $kind && kind.group == $group {
                    return <$type>::deserialize(deserializer).map(|object| Self::$type(Box::new(object)));
                })+)+
                Other::deserialize(deserializer).map(|object| Self::Other(Box::new(object)))
            }

            /// The object's metadata.
            pub fn meta(&self) -> &Meta {
                match self { $(Self::$type(object) => &object.meta,)+ Self::Other(object) => &object.meta }
            }

            /// The object's metadata, to complete.
            pub fn meta_mut(&mut self) -> &mut Meta {
                match self { $(Self::$type(object) => &mut object.meta,)+ Self::Other(object) => &mut object.meta }
            }
        }

        impl<'a> ObjectRef<'a> {
            /// The object's metadata.
            pub fn meta(self) -> &'a Meta {
                match self { $(Self::$type(object) => &object.meta,)+ Self::Other(object) => &object.meta }
            }
        }

        impl Serialize for ObjectRef<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$type(object) => object.serialize(serializer),)+ Self::Other(object) => object.serialize(serializer) }
            }
        }

        impl Cluster {
            /// Adds an object; returns where the object came from that had the same id.
            pub fn insert(&mut self, kind: &str, object: Object) -> Option<Source> {
                let id = ObjectId::new(kind, &object.meta().namespace, &object.meta().name);
                match object {
                    $(Object::$type(object) => self.$field.insert(id, object).map(|old| old.meta.source),)+
                    Object::Other(object) => self.others.insert(id, object).map(|old| old.meta.source),
                }
            }

            /// Every object with its id, kind by kind in the order of the table.
            pub fn objects(&self) -> impl Iterator<Item = (&ObjectId, ObjectRef<'_>)> {
                std::iter::empty()
                    $(.chain(self.$field.iter().map(|(id, object)| (id, ObjectRef::$type(object)))))+
                    .chain(self.others.iter().map(|(id, object)| (id, ObjectRef::Other(object))))
            }

            /// The object with this id.
            pub fn object(&self, id: &ObjectId) -> Option<ObjectRef<'_>> {
                $(if let Some(object) = self.$field.by_id(id) {
                    return Some(ObjectRef::$type(object));
                })+
                self.others.by_id(id).map(ObjectRef::Other)
            }

            /// Takes the object with this id out; returns whether it was there.
            pub fn remove(&mut self, id: &ObjectId) -> bool {
                $(if self.$field.remove(id).is_some() {
                    return true;
                })+
                self.others.remove(id).is_some()
            }

            /// Puts every map in the order of its ids.
            pub fn sort(&mut self) {
                $(self.$field.sort();)+
                self.others.sort();
            }
        }
    };
}

kinds! {
    /// Namespaces.
    namespaces: Namespace { "Namespace", "", "namespaces", false; }
    /// Nodes.
    nodes: Node { "Node", "", "nodes", false; }
    /// Pods, those of the input and those that stand for a template.
    pods: Pod { "Pod", "", "pods", true; }
    /// Everything with a pod template.
    workloads: Workload {
        "Deployment", "apps", "deployments", true;
        "ReplicaSet", "apps", "replicasets", true;
        "StatefulSet", "apps", "statefulsets", true;
        "DaemonSet", "apps", "daemonsets", true;
        "Job", "batch", "jobs", true;
        "CronJob", "batch", "cronjobs", true;
        "ReplicationController", "", "replicationcontrollers", true;
    }
    /// Service accounts.
    service_accounts: ServiceAccount { "ServiceAccount", "", "serviceaccounts", true; }
    /// Secrets without their values.
    secrets: Secret { "Secret", "", "secrets", true; }
    /// ConfigMaps.
    config_maps: ConfigMap { "ConfigMap", "", "configmaps", true; }
    /// Services.
    services: Service { "Service", "", "services", true; }
    /// Endpoints, old form.
    endpoints: Endpoints { "Endpoints", "", "endpoints", true; }
    /// Endpoint slices.
    endpoint_slices: EndpointSlice { "EndpointSlice", "discovery.k8s.io", "endpointslices", true; }
    /// Ingresses.
    ingresses: Ingress { "Ingress", "networking.k8s.io", "ingresses", true; }
    /// Ingress classes.
    ingress_classes: IngressClass { "IngressClass", "networking.k8s.io", "ingressclasses", false; }
    /// Network policies.
    network_policies: NetworkPolicy { "NetworkPolicy", "networking.k8s.io", "networkpolicies", true; }
    /// Admin network policies of the three kinds.
    admin_policies: AdminPolicy {
        "AdminNetworkPolicy", "policy.networking.k8s.io", "adminnetworkpolicies", false;
        "BaselineAdminNetworkPolicy", "policy.networking.k8s.io", "baselineadminnetworkpolicies", false;
        "ClusterNetworkPolicy", "policy.networking.k8s.io", "clusternetworkpolicies", false;
    }
    /// Gateways.
    gateways: Gateway { "Gateway", "gateway.networking.k8s.io", "gateways", true; }
    /// Gateway classes.
    gateway_classes: GatewayClass { "GatewayClass", "gateway.networking.k8s.io", "gatewayclasses", false; }
    /// Routes of the Gateway API.
    gateway_routes: GatewayRoute {
        "HTTPRoute", "gateway.networking.k8s.io", "httproutes", true;
        "GRPCRoute", "gateway.networking.k8s.io", "grpcroutes", true;
        "TLSRoute", "gateway.networking.k8s.io", "tlsroutes", true;
        "TCPRoute", "gateway.networking.k8s.io", "tcproutes", true;
        "UDPRoute", "gateway.networking.k8s.io", "udproutes", true;
    }
    /// Permissions to refer across namespaces.
    reference_grants: ReferenceGrant { "ReferenceGrant", "gateway.networking.k8s.io", "referencegrants", true; }
    /// OpenShift routes.
    routes: Route { "Route", "route.openshift.io", "routes", true; }
    /// Roles and ClusterRoles.
    roles: Role {
        "Role", "rbac.authorization.k8s.io", "roles", true;
        "ClusterRole", "rbac.authorization.k8s.io", "clusterroles", false;
    }
    /// RoleBindings and ClusterRoleBindings.
    role_bindings: RoleBinding {
        "RoleBinding", "rbac.authorization.k8s.io", "rolebindings", true;
        "ClusterRoleBinding", "rbac.authorization.k8s.io", "clusterrolebindings", false;
    }
    /// Persistent volumes.
    persistent_volumes: PersistentVolume { "PersistentVolume", "", "persistentvolumes", false; }
    /// Claims to persistent volumes.
    persistent_volume_claims: PersistentVolumeClaim { "PersistentVolumeClaim", "", "persistentvolumeclaims", true; }
    /// Storage classes.
    storage_classes: StorageClass { "StorageClass", "storage.k8s.io", "storageclasses", false; }
    /// Admission webhooks.
    webhooks: WebhookConfiguration {
        "ValidatingWebhookConfiguration", "admissionregistration.k8s.io", "validatingwebhookconfigurations", false;
        "MutatingWebhookConfiguration", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", false;
    }
    /// Validating admission policies.
    admission_policies: AdmissionPolicy {
        "ValidatingAdmissionPolicy", "admissionregistration.k8s.io", "validatingadmissionpolicies", false;
    }
    /// Bindings of validating admission policies.
    admission_policy_bindings: AdmissionPolicyBinding {
        "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", false;
    }
    /// Priority classes.
    priority_classes: PriorityClass { "PriorityClass", "scheduling.k8s.io", "priorityclasses", false; }
    /// Runtime classes.
    runtime_classes: RuntimeClass { "RuntimeClass", "node.k8s.io", "runtimeclasses", false; }
    /// Definitions of custom resources.
    custom_resource_definitions: CustomResourceDefinition {
        "CustomResourceDefinition", "apiextensions.k8s.io", "customresourcedefinitions", false;
    }
}

impl KindInfo {
    /// Returns the kind of this group and name; `extensions` stands for the groups that followed it.
    ///
    /// `Deployment` and its like lived in `extensions` before `apps`, `Ingress` and `NetworkPolicy` before
    /// `networking.k8s.io`.
    pub fn find(group: &str, kind: &str) -> Option<&'static Self> {
        KINDS.iter().find(|known| {
            known.kind == kind
                && (known.group == group
                    || group == "extensions" && matches!(known.group, "apps" | "networking.k8s.io"))
        })
    }

    /// Whether objects of a kind that is not in the table live in a namespace, as far as its name tells:
    /// custom resources usually do, except those that begin with `Cluster`, with `Global` and some of Cilium.
    pub fn guess_namespaced(kind: &str) -> bool {
        const CLUSTER_SCOPED: &[&str] = &[
            "APIService",
            "CSIDriver",
            "CSINode",
            "CertificateSigningRequest",
            "ComponentStatus",
            "DeviceClass",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "ResourceSlice",
            "SecurityContextConstraints",
            "VolumeAttachment",
        ];
        let is_wide = ["Cluster", "CiliumCl", "CiliumCIDR", "Global"]
            .iter()
            .any(|start| kind.starts_with(start));
        !is_wide && !CLUSTER_SCOPED.contains(&kind)
    }
}

impl Cluster {
    /// Returns a pod.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pods.get("Pod", namespace, name)
    }

    /// Returns a namespace; it may be absent from the input although objects name it.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get("Namespace", "", name)
    }

    /// The labels of a namespace, with the one that the API server puts on each, whatever a manifest says.
    pub fn namespace_labels(&self, name: &str) -> Labels {
        let known = self
            .namespace(name)
            .map(|namespace| namespace.meta.labels.clone());
        known.unwrap_or_default().with(NAMESPACE_NAME, name)
    }

    /// Returns a node.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get("Node", "", name)
    }

    /// Returns a service account.
    pub fn service_account(&self, namespace: &str, name: &str) -> Option<&ServiceAccount> {
        self.service_accounts.get("ServiceAccount", namespace, name)
    }

    /// Returns a Secret.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.secrets.get("Secret", namespace, name)
    }

    /// Returns a ConfigMap.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.config_maps.get("ConfigMap", namespace, name)
    }

    /// Returns a Service.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        self.services.get("Service", namespace, name)
    }

    /// Every namespace that is in the input or that an object of the input lives in, sorted.
    pub fn namespace_names(&self) -> Vec<Text> {
        let mut names: Vec<Text> = self
            .namespaces
            .values()
            .map(|namespace| namespace.meta.name.clone())
            .collect();
        for (id, _) in self.objects() {
            if !id.namespace.is_empty() && names.last() != Some(&id.namespace) {
                names.push(id.namespace.clone());
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in KINDS {
            assert!(seen.insert((kind.group, kind.kind)), "{kind:?} twice");
        }
    }

    #[test]
    fn an_inserted_object_is_found_by_its_id() {
        let mut cluster = Cluster::default();
        let mut pod = Pod::default();
        pod.meta.name = "web".into();
        pod.meta.namespace = "shop".into();
        assert!(
            cluster
                .insert("Pod", Object::Pod(Box::new(pod.clone())))
                .is_none()
        );
        assert!(cluster.insert("Pod", Object::Pod(Box::new(pod))).is_some());
        assert!(cluster.pod("shop", "web").is_some());
        assert_eq!(cluster.namespace_names(), ["shop"]);
    }
}
