//! The Node authorizer: what the kubelet of a node may do, beside what bindings give it.
//!
//! A kubelet reads the Secrets, ConfigMaps, claims and volumes that the pods of its node need, makes tokens for
//! their service accounts, and writes its own Node, lease and CSINode. Rules after Kubernetes 1.36 with its
//! default features.
//!
//! **Trap.** Secrets and ConfigMaps may be got, listed and watched, each by name; claims and volumes only got. Lists
//! that the server allows for their field selector alone (`spec.nodeName`) count as refused, as questions have none.
//! Sources: <https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/node/graph.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/node/node_authorizer.go>

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::reason::Reason;
use super::request::{Caller, Request, ResourceRequest};
use super::rule;
use crate::collect::bootstrap;
use crate::model::{Cluster, IdRef, ObjectId, Other, PersistentVolume, Pod, PolicyRule, Text};

/// Prefix of the user name that a kubelet has.
pub const NODE_USER: &str = "system:node:";
/// The group that a kubelet is in.
const NODE_GROUP: &str = "system:nodes";
/// Where the leases of nodes are.
const LEASE_NAMESPACE: &str = "kube-node-lease";
/// Annotation of the pods that a kubelet made from its own files; they give it nothing.
const MIRROR_POD: &str = "kubernetes.io/config.mirror";

/// Which pods of which nodes need an object.
#[derive(Debug, Default)]
pub(super) struct NodeAuthorizer {
    rules: Vec<PolicyRule>,
    /// Nodes that have pods, in the order of their names.
    nodes: Vec<Text>,
    pods: Vec<ObjectId>,
    needs: IndexMap<ObjectId, Vec<Need>, FxBuildHasher>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    node: usize,
    /// The pod, unless the object names the node itself.
    pod: Option<usize>,
}

impl NodeAuthorizer {
    /// Follows the pods of each node to what they need.
    ///
    /// # Complexity
    /// Linear in what pods refer to.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut nodes: Vec<Text> = cluster.nodes.iter().map(|(id, _)| id.name.clone()).collect();
        nodes.extend(cluster.pods.values().map(|pod| pod.spec.node_name.clone()));
        nodes.extend(cluster.others.values().filter_map(node_of).map(Text::new));
        nodes.retain(|node| !node.is_empty());
        nodes.sort();
        nodes.dedup();
        let place: FxHashMap<Text, usize> = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.clone(), index))
            .collect();
        let others = cluster
            .others
            .iter()
            .filter_map(|(id, other)| Some((id, node_of(other)?)));
        let mut found = Self {
            rules: bootstrap::node_rules(),
            nodes,
            ..Self::default()
        };
        for (id, pod) in &cluster.pods {
            if let Some(&node) = place.get(&pod.spec.node_name) {
                found.add_pod(id, pod, node);
            }
        }
        for (id, volume) in &cluster.persistent_volumes {
            found.add_volume(id, volume);
        }
        for (id, node) in others {
            if let Some(&node) = place.get(node) {
                let need = Need { node, pod: None };
                found.needs.entry(id.clone()).or_default().push(need);
            }
        }
        for needs in found.needs.values_mut() {
            needs.sort_unstable();
            needs.dedup();
        }
        found
    }

    fn add_pod(&mut self, id: &ObjectId, pod: &Pod, node: usize) {
        let need = Need {
            node,
            pod: Some(self.pods.len()),
        };
        self.pods.push(id.clone());
        self.needs.entry(id.clone()).or_default().push(need);
        if pod.meta.annotations.contains(MIRROR_POD) {
            return;
        }
        let mut needs = |kind: &str, name: &Text| {
            if !name.is_empty() {
                let id = ObjectId::new(kind, &id.namespace, name);
                self.needs.entry(id).or_default().push(need);
            }
        };
        needs("ServiceAccount", &pod.spec.account());
        for reference in &pod.spec.image_pull_secrets {
            needs("Secret", &reference.name);
        }
        variables(pod, &mut needs);
        volumes(id, pod, &mut needs);
        claimed_devices(pod, &mut needs);
    }

    /// A volume and its Secrets are needed where its claim is.
    fn add_volume(&mut self, id: &ObjectId, volume: &PersistentVolume) {
        let Some(claim) = &volume.spec.claim_ref else {
            return;
        };
        let claim = IdRef {
            kind: "PersistentVolumeClaim",
            namespace: &claim.namespace,
            name: &claim.name,
        };
        let Some(needs) = self.needs.get(&claim).cloned() else {
            return;
        };
        let csi = volume.spec.csi.iter();
        let secrets = csi.flat_map(|csi| [&csi.node_publish_secret_ref, &csi.node_stage_secret_ref]);
        for secret in secrets.flatten().filter(|secret| !secret.name.is_empty()) {
            let id = ObjectId::new("Secret", &secret.namespace, &secret.name);
            self.needs.entry(id).or_default().extend(&needs);
        }
        self.needs.entry(id.clone()).or_default().extend(needs);
    }

    /// Whether this authorizer allows a request, and why.
    pub(super) fn decide(&self, caller: &Caller, request: &Request<'_>) -> Vec<Reason> {
        let Some(node) = caller
            .user()
            .strip_prefix(NODE_USER)
            .filter(|node| !node.is_empty())
        else {
            return Vec::new();
        };
        if !caller.is_in(NODE_GROUP) {
            return Vec::new();
        }
        let every_kubelet = |allowed| {
            if allowed {
                vec![Reason::Node { pod: None }]
            } else {
                Vec::new()
            }
        };
        if let Request::Resource(asked) = request {
            match answer(asked, node) {
                Some(Answer::No) => return Vec::new(),
                Some(Answer::Yes) => return every_kubelet(true),
                Some(Answer::IfNeeded(kind)) => return self.needed(kind, node, asked),
                None => {}
            }
        }
        every_kubelet(self.rules.iter().any(|known| rule::allows(known, request)))
    }

    fn needed(&self, kind: &'static str, node: &str, request: &ResourceRequest<'_>) -> Vec<Reason> {
        let Ok(node) = self.nodes.binary_search_by(|known| known.as_str().cmp(node)) else {
            return Vec::new();
        };
        let id = IdRef {
            kind,
            namespace: request.namespace,
            name: request.name,
        };
        let needs = self.needs.get(&id).into_iter().flatten();
        needs
            .filter(|need| need.node == node)
            .map(|need| Reason::Node {
                pod: need.pod.map(|pod| self.pods[pod].clone()),
            })
            .collect()
    }

    /// The user names of the kubelets of all nodes that the input names.
    pub(super) fn users(&self) -> impl Iterator<Item = String> {
        self.nodes.iter().map(|node| format!("{NODE_USER}{node}"))
    }
}

/// What is decided before the rules that all kubelets share.
enum Answer {
    No,
    Yes,
    /// If a pod of the node needs the object of this kind.
    IfNeeded(&'static str),
}

/// The resources that are decided one by one; `None` leaves it to the shared rules.
fn answer(request: &ResourceRequest<'_>, node: &str) -> Option<Answer> {
    let named = |kind| {
        if request.name.is_empty() {
            Answer::No
        } else {
            Answer::IfNeeded(kind)
        }
    };
    let is = |verbs: &[&str]| verbs.contains(&request.verb);
    let whole = request.subresource.is_empty();
    let get = |kind| {
        if whole && is(&["get"]) {
            named(kind)
        } else {
            Answer::No
        }
    };
    let read = is(&["get", "list", "watch"]);
    let own = is(&["create"]) || is(&["get", "update", "patch", "delete"]) && request.name == node;
    let yes = |allowed| if allowed { Answer::Yes } else { Answer::No };
    Some(match (request.group, request.resource) {
        ("", "secrets") if whole && read && !request.namespace.is_empty() => named("Secret"),
        ("", "configmaps") if whole && read && !request.namespace.is_empty() => named("ConfigMap"),
        ("", "persistentvolumeclaims") if request.subresource == "status" && is(&["update", "patch"]) => {
            named("PersistentVolumeClaim")
        }
        ("", "persistentvolumeclaims") => get("PersistentVolumeClaim"),
        ("", "persistentvolumes") => get("PersistentVolume"),
        ("resource.k8s.io", "resourceclaims") => get("ResourceClaim"),
        ("storage.k8s.io", "volumeattachments") => get("VolumeAttachment"),
        ("", "serviceaccounts") if request.subresource == "token" && is(&["create"]) => {
            named("ServiceAccount")
        }
        ("", "serviceaccounts") => get("ServiceAccount"),
        ("coordination.k8s.io", "leases") => yes(own && request.namespace == LEASE_NAMESPACE),
        ("storage.k8s.io", "csinodes") => yes(own && whole),
        ("resource.k8s.io", "resourceslices") if whole && is(&["create"]) => Answer::Yes,
        ("resource.k8s.io", "resourceslices") if whole && is(&["get", "update", "patch", "delete"]) => {
            named("ResourceSlice")
        }
        ("", "nodes") => yes(match request.subresource {
            "" => is(&["create", "update", "patch"]) || read && request.name == node,
            "status" => is(&["update", "patch"]),
            _ => false,
        }),
        ("", "pods") => match request.subresource {
            "" if read => named("Pod"),
            "" => yes(is(&["create", "delete"])),
            "status" => yes(is(&["update", "patch"])),
            "eviction" => yes(is(&["create"])),
            _ => Answer::No,
        },
        ("", "secrets" | "configmaps") | ("resource.k8s.io", "resourceslices") => Answer::No,
        _ => return None,
    })
}

/// The Secrets and ConfigMaps that fill variables.
fn variables(pod: &Pod, needs: &mut impl FnMut(&str, &Text)) {
    for container in pod.spec.all_containers() {
        for from in &container.env_from {
            from.secret_ref
                .iter()
                .for_each(|source| needs("Secret", &source.name));
            from.config_map_ref
                .iter()
                .for_each(|source| needs("ConfigMap", &source.name));
        }
        for from in container
            .env
            .iter()
            .filter_map(|variable| variable.value_from.as_ref())
        {
            from.secret_key_ref
                .iter()
                .for_each(|source| needs("Secret", &source.name));
            from.config_map_key_ref
                .iter()
                .for_each(|source| needs("ConfigMap", &source.name));
        }
    }
}

/// The Secrets, ConfigMaps and claims that volumes show.
fn volumes(id: &ObjectId, pod: &Pod, needs: &mut impl FnMut(&str, &Text)) {
    for volume in &pod.spec.volumes {
        volume
            .secret
            .iter()
            .for_each(|source| needs("Secret", &source.secret_name));
        volume
            .config_map
            .iter()
            .for_each(|source| needs("ConfigMap", &source.name));
        for source in volume.projected.iter().flat_map(|projected| &projected.sources) {
            source
                .secret
                .iter()
                .for_each(|source| needs("Secret", &source.name));
            source
                .config_map
                .iter()
                .for_each(|source| needs("ConfigMap", &source.name));
        }
        let csi = volume
            .csi
            .iter()
            .filter_map(|csi| csi.node_publish_secret_ref.as_ref());
        csi.for_each(|reference| needs("Secret", &reference.name));
        let claim = volume.persistent_volume_claim.iter();
        claim.for_each(|claim| needs("PersistentVolumeClaim", &claim.claim_name));
        if volume.ephemeral.is_some() {
            let claim = format!("{}-{}", id.name, volume.name);
            needs("PersistentVolumeClaim", &claim.into());
        }
    }
}

/// The claims to devices: by name, or as the status says of those made of templates.
fn claimed_devices(pod: &Pod, needs: &mut impl FnMut(&str, &Text)) {
    const CLAIM: &str = "ResourceClaim";
    for claim in &pod.spec.resource_claims {
        needs(CLAIM, &claim.resource_claim_name);
    }
    // The status counts for claims that the pod still has.
    let statuses = pod.status.resource_claim_statuses.iter();
    for made in statuses.filter(|made| {
        pod.spec
            .resource_claims
            .iter()
            .any(|claim| claim.name == made.name)
    }) {
        needs(CLAIM, &made.resource_claim_name);
    }
    let extended = pod.status.extended_resource_claim_status.iter();
    extended.for_each(|made| needs(CLAIM, &made.resource_claim_name));
}

/// The node that a VolumeAttachment or ResourceSlice names.
fn node_of(other: &Other) -> Option<&str> {
    if !matches!(other.kind.as_str(), "VolumeAttachment" | "ResourceSlice") {
        return None;
    }
    let node = other.spec.as_ref()?.get("nodeName")?.as_str()?;
    (!node.is_empty()).then_some(node)
}
