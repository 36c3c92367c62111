//! From the cluster to its cloud: metadata services, identities of workloads, keys.
//!
//! What no object of the cluster holds can be told by a ConfigMap that carries the label `beachhead/facts: cloud`, in a
//! file beside the others. Its keys:
//!
//! | key | value |
//! |---|---|
//! | `aws.metadata-hop-limit` | hop limit of the nodes' metadata service; `1` keeps pods from it |
//! | `aws.metadata-service` | `disabled` where it is off |
//! | `pod-identity.NAMESPACE.ACCOUNT` | role that EKS Pod Identity gives the account |
//! | `cluster-admins` | cloud identities that control the cluster, by their names, separated by commas |
//!
//! **Trap.** A cloud's identity is not a credential of the cluster, and which rights it has in the cloud no object says.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::mounts::host_mounts;
use super::new_pod::makers;
use super::pods::{ContainerView, Mark, PodView, both, marked, pods};
use super::references::Holder;
use super::security::Security;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Place, Position, Sink};
use crate::model::{Cluster, Node, ObjectId, ServiceAccount, Text};
use crate::network::{Allowed, Verdict};
use crate::rbac::power;

techniques! { TECHNIQUES, Family::Cloud;
    /// Takes the node's cloud credentials from the metadata service.
    ///
    /// # Preconditions
    ///
    /// Root on a node of a cloud; or packets of a pod that no egress policy keeps from `169.254.169.254`. On AWS the hop
    /// limit must let pods of the pod network through, which no object holds; on GKE the metadata server that the node's
    /// label names gives pods their own identity instead, except those on the node's network; on Azure the machine must have
    /// an identity, as those of AKS do.
    ///
    /// What does not suffice: an egress policy that leaves the address out; a node that names no cloud.
    ///
    /// # Detection
    ///
    /// The cloud's log: the node's role used from elsewhere; connections of pods to `169.254.169.254`.
    CLOUD_METADATA: [Network, Node] => [CloudIdentity] {
        title: "Metadata service of the cloud",
        mitre: ["T1552.005", "T1078.004"],
        microsoft: ["MS-TA9028", "MS-TA9033"],
        owasp: ["K08", "K05"],
        cis: ["5.3.2"],
        falco: ["Contact cloud metadata service from container", "Contact EC2 Instance Metadata Service From Container"],
        effort: 1,
        remediation: "Require IMDSv2 with a hop limit of 1, use workload identities, and close 169.254.169.254 by egress policies.",
        references: [
            "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html",
            "https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity",
            "https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service",
        ],
        derive: cloud_metadata,
    }

    /// Exchanges a token of a service account for an identity of the cloud.
    ///
    /// # Preconditions
    ///
    /// The account carries the annotation of EKS (`eks.amazonaws.com/role-arn`), GKE (`iam.gke.io/gcp-service-account`) or
    /// Azure (`azure.workload.identity/client-id`, with the pod's label `azure.workload.identity/use: "true"`), or EKS Pod
    /// Identity gives the pod a token. Code in a pod of the account, the right to make tokens of it, or the right to make
    /// pods in its namespace is enough. That the cloud trusts the account no object holds.
    ///
    /// What does not suffice: a token for the API server, whose audience the cloud refuses; on GKE a pod on the node's
    /// network.
    ///
    /// # Detection
    ///
    /// The cloud's log: `AssumeRoleWithWebIdentity` and its like from another address than usual.
    CLOUD_WORKLOAD_IDENTITY: [Container, Pod, Grant] => [CloudIdentity] {
        title: "Cloud identity of a workload",
        mitre: ["T1078.004", "T1528"],
        microsoft: ["MS-TA9020", "MS-TA9016"],
        owasp: ["K08", "K09"],
        cis: ["5.1.5"],
        effort: 1,
        remediation: "Give each workload an account and a role of its own, with the rights that it uses only.",
        references: [
            "https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html",
            "https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html",
            "https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity",
            "https://azure.github.io/azure-workload-identity/docs/",
        ],
        derive: cloud_workload_identity,
    }

    /// Uses a long-lived key of the cloud that lies in the cluster.
    ///
    /// # Preconditions
    ///
    /// A Secret has a key whose name is that of a cloud's credential, or a container is given it under such a variable:
    /// `AWS_SECRET_ACCESS_KEY`, `GOOGLE_APPLICATION_CREDENTIALS_JSON`, `AZURE_CLIENT_SECRET` and the like. Or a container of
    /// user 0 mounts Azure's file of the node, `/etc/kubernetes/azure.json`.
    ///
    /// What does not suffice: a key identifier without its secret; the name of a file.
    ///
    /// # Detection
    ///
    /// The cloud's log: the key used from elsewhere.
    CLOUD_KEY: [Secret, Container, Pod] => [CloudIdentity] {
        title: "Key of the cloud",
        mitre: ["T1552.001", "T1078.004"],
        microsoft: ["MS-TA9020", "MS-TA9027"],
        owasp: ["K03", "K08"],
        cis: ["5.4.2"],
        falco: ["Find AWS Credentials"],
        effort: 1,
        remediation: "Replace the key by a workload identity, and revoke it.",
        references: [
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
            "https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
        ],
        derive: cloud_key,
    }

    /// Controls the cluster through its cloud.
    ///
    /// # Preconditions
    ///
    /// The facts that were given (`cluster-admins`) say that this identity controls the cluster in its cloud.
    ///
    /// What does not suffice: any other identity of the cloud; what it may do there no object holds.
    ///
    /// # Detection
    ///
    /// The cloud's log: access entries, administrators' kubeconfigs and the like.
    CLOUD_CLUSTER_ADMIN: [CloudIdentity] => [ClusterAdmin] {
        title: "Administrator of the cluster by its cloud",
        mitre: ["T1078.004", "T1098.006"],
        microsoft: ["MS-TA9001"],
        owasp: ["K08"],
        effort: 1,
        remediation: "Take the right to administer the cluster from identities that workloads and nodes have.",
        references: ["https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html"],
        derive: cloud_cluster_admin,
    }
}

/// The clouds whose credentials are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cloud {
    Aws,
    Google,
    Azure,
}

/// A cloud: the word that begins its identities, the start of providers' ids, labels of its nodes that name their pool.
const CLOUDS: &[(Cloud, &str, &str, &[&str])] = &[
    (
        Cloud::Aws,
        "aws",
        "aws:",
        &[
            "eks.amazonaws.com/nodegroup",
            "karpenter.sh/nodepool",
            "alpha.eksctl.io/nodegroup-name",
        ],
    ),
    (
        Cloud::Google,
        "google",
        "gce:",
        &["cloud.google.com/gke-nodepool"],
    ),
    (
        Cloud::Azure,
        "azure",
        "azure:",
        &["kubernetes.azure.com/agentpool", "kubernetes.azure.com/cluster"],
    ),
];

/// A node's cloud, the name of its identity there, and what says so. Nodes of one pool have one identity.
fn cloud_of(id: &ObjectId, node: &Node) -> Option<(Cloud, Position, Evidence)> {
    CLOUDS.iter().find_map(|(cloud, word, provider, labels)| {
        let pool = labels
            .iter()
            .find_map(|label| Some((label, node.meta.labels.get(label)?)));
        let is_meant = node.spec.provider_id.starts_with(provider);
        if !is_meant && pool.is_none() {
            return None;
        }
        let fact = if is_meant {
            Evidence::new(id.clone(), "/spec/providerID", &node.spec.provider_id)
        } else {
            let label = pool.map_or("", |(label, _)| label);
            Evidence::new(id.clone(), "/metadata/labels", label)
        };
        let name = pool.map_or(&node.meta.name, |(_, pool)| pool);
        Some((*cloud, identity(word, &format!("node/{name}")), fact))
    })
}

fn identity(cloud: &str, name: &str) -> Position {
    Position::CloudIdentity(format!("{cloud}/{name}").into())
}

/// What was told about the cloud: each value with what says it.
struct Told<'a>(BTreeMap<&'a str, (&'a Text, Evidence)>);

impl<'a> Told<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let mut told = BTreeMap::new();
        for (id, map) in &cluster.config_maps {
            if map
                .meta
                .labels
                .get("beachhead/facts")
                .is_none_or(|value| value != "cloud")
            {
                continue;
            }
            for (key, value) in &map.data.0 {
                let fact = Evidence::new(id.clone(), format!("/data/{key}"), &value.text);
                told.entry(key.as_str()).or_insert((&value.text, fact));
            }
        }
        Self(told)
    }

    fn get(&self, key: &str) -> Option<&(&'a Text, Evidence)> {
        self.0.get(key)
    }
}

fn cloud_metadata(context: &Context<'_>, sink: &mut Sink<'_>) {
    let told = Told::new(context.cluster);
    let off = told
        .get("aws.metadata-service")
        .is_some_and(|(value, _)| *value == "disabled");
    let mut nodes = FxHashMap::default();
    for (id, node) in &context.cluster.nodes {
        if let Some((cloud, identity, fact)) = cloud_of(id, node)
            && !(off && cloud == Cloud::Aws)
        {
            sink.step(
                [Position::Node(id.name.clone())],
                identity.clone(),
                [fact.clone()],
            );
            nodes.insert(id.name.clone(), (node, cloud, identity, fact));
        }
    }
    if nodes.is_empty() {
        return;
    }
    let mut seen = FxHashSet::default();
    for pod in pods(context) {
        let (Some(place), Some(group)) = (
            nodes.get(&pod.pod.spec.node_name),
            context.network.group_of(pod.index),
        ) else {
            continue;
        };
        let (node, cloud, identity, fact) = place;
        if seen.insert((group, identity))
            && let Some((certainty, by)) = answers(context, &pod, group, (node, *cloud), &told)
        {
            let premise = Position::Network(context.network.groups()[group].name.clone());
            let evidence = [fact.clone(), pod.node_evidence()].into_iter().chain(by);
            sink.step_if([premise], identity.clone(), certainty, evidence);
        }
    }
}

/// How sure it is that the metadata service of a node gives its identity to a pod, and what else says so.
fn answers(
    context: &Context<'_>,
    pod: &PodView<'_>,
    group: usize,
    (node, cloud): (&Node, Cloud),
    told: &Told<'_>,
) -> Option<(Certainty, Option<Evidence>)> {
    if pod.pod.spec.is_host_network() {
        return Some((Certainty::Certain, Some(pod.fact("/hostNetwork", "true"))));
    }
    let (reached, rule) = match context.network.to_cloud_metadata(group) {
        (Verdict::Denied, _) => return None,
        (Verdict::Unknown, by) => (Certainty::Conditional(context.network.doubt().into()), by),
        (Verdict::Allowed, by) => (Certainty::Certain, by),
    };
    let rule = rule.and_then(|rule| match rule {
        Allowed::Rule(policy, pointer) => Some(Evidence::new(policy, pointer, "")),
        Allowed::Default => None,
    });
    let (given, said) = match cloud {
        Cloud::Aws => match told.get("aws.metadata-hop-limit") {
            Some((limit, _)) if *limit == "1" => return None,
            Some((_, fact)) => (Certainty::Certain, Some(fact.clone())),
            None => {
                let hops = "the hop limit of the node's metadata service lets pods through";
                (Certainty::Conditional(hops.into()), None)
            }
        },
        Cloud::Google => {
            let label = "iam.gke.io/gke-metadata-server-enabled";
            if node.meta.labels.get(label).is_some_and(|value| value == "true") {
                return None;
            }
            (Certainty::Certain, None)
        }
        Cloud::Azure if node.meta.labels.contains("kubernetes.azure.com/cluster") => {
            (Certainty::Certain, None)
        }
        Cloud::Azure => {
            let has = "the node's machine has an identity";
            (Certainty::Conditional(has.into()), None)
        }
    };
    Some((both(reached, given), rule.or(said)))
}

/// The identities that clouds give to an account, each with what says so.
fn of_account(account: &ServiceAccount, told: &Told<'_>) -> Vec<(Cloud, Position, Evidence)> {
    const ANNOTATIONS: &[(Cloud, &str, &str)] = &[
        (Cloud::Aws, "aws", "eks.amazonaws.com/role-arn"),
        (Cloud::Google, "google", "iam.gke.io/gcp-service-account"),
        (Cloud::Azure, "azure", "azure.workload.identity/client-id"),
    ];
    let meta = &account.meta;
    let id = ObjectId::new("ServiceAccount", &meta.namespace, &meta.name);
    let annotated = ANNOTATIONS.iter().filter_map(|&(cloud, word, key)| {
        let value = meta.annotations.get(key)?;
        let pointer = format!("/metadata/annotations/{}", super::structure::escaped(key));
        Some((
            cloud,
            identity(word, value),
            Evidence::new(id.clone(), pointer, value),
        ))
    });
    let key = format!("pod-identity.{}.{}", meta.namespace, meta.name);
    let associated = told
        .get(&key)
        .map(|(role, fact)| (Cloud::Aws, identity("aws", role), fact.clone()));
    annotated.chain(associated).collect()
}

/// The token for EKS Pod Identity that a container mounts.
fn pod_identity_token(container: &ContainerView<'_>) -> Option<Evidence> {
    container.mounts().find_map(|(at, mount, volume)| {
        let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
        let mut tokens = sources.filter_map(|source| source.service_account_token.as_ref());
        tokens
            .any(|token| token.audience == "pods.eks.amazonaws.com")
            .then(|| container.fact(format_args!("/volumeMounts/{at}/mountPath"), &mount.mount_path))
    })
}

fn trusts(name: &Text) -> Certainty {
    Certainty::Conditional(format!("the cloud trusts the account {name}").into())
}

fn cloud_workload_identity(context: &Context<'_>, sink: &mut Sink<'_>) {
    let told = Told::new(context.cluster);
    let mut given = BTreeMap::new();
    for (id, account) in &context.cluster.service_accounts {
        let found = of_account(account, &told);
        if !found.is_empty() {
            given.insert((&id.namespace, &id.name), found);
        }
    }
    // Without accounts that are given an identity only tokens tell.
    let mark = if given.is_empty() {
        Mark::PROJECTED
    } else {
        Mark::ALIVE
    };
    for pod in marked(context, mark) {
        let name = pod.pod.spec.account();
        let known = given.get(&(&pod.place.namespace, &name));
        for (cloud, identity, fact) in known.into_iter().flatten() {
            let labelled = || {
                let label = pod.pod.meta.labels.get("azure.workload.identity/use");
                label.is_some_and(|value| value == "true")
            };
            let is_given = match cloud {
                Cloud::Aws => true,
                Cloud::Google => !pod.pod.spec.is_host_network(),
                Cloud::Azure => labelled(),
            };
            for container in pod.containers().filter(|_| is_given) {
                let (holder, certainty) = container.holder();
                let certainty = both(certainty, trusts(&name));
                let evidence = [pod.fact("/serviceAccountName", &name), fact.clone()];
                sink.step_if([holder], identity.clone(), certainty, evidence);
            }
        }
        let has_role = known.is_some_and(|found| found.iter().any(|(cloud, ..)| *cloud == Cloud::Aws));
        for container in pod.containers().filter(|_| !has_role) {
            if let Some(fact) = pod_identity_token(&container) {
                let (holder, certainty) = container.holder();
                let account = format!("pod-identity/{}/{name}", pod.place.namespace);
                let given = Certainty::Conditional("EKS Pod Identity gives the account a role".into());
                sink.step_if(
                    [holder],
                    identity("aws", &account),
                    both(certainty, given),
                    [fact],
                );
            }
        }
    }
    by_grants(context, &given, sink);
}

type Given<'a> = BTreeMap<(&'a Text, &'a Text), Vec<(Cloud, Position, Evidence)>>;

/// Who makes tokens of an account, or pods that run as it.
fn by_grants(context: &Context<'_>, given: &Given<'_>, sink: &mut Sink<'_>) {
    if given.is_empty() {
        return;
    }
    let mut made = BTreeMap::<&Text, BTreeSet<Position>>::new();
    for (namespace, grant) in makers(context) {
        made.entry(namespace).or_default().insert(grant);
    }
    for ((namespace, name), found) in given {
        let tokens = context.held.over(&power::CREATE_TOKENS, namespace, name);
        let grants: BTreeSet<Position> = tokens
            .into_iter()
            .chain(made.get(namespace).into_iter().flatten().cloned())
            .collect();
        for grant in &grants {
            for (_, identity, fact) in found {
                sink.step_if([grant.clone()], identity.clone(), trusts(name), [fact.clone()]);
            }
        }
    }
}

/// The cloud whose credential something of this name is.
pub(super) fn key_of(name: &str) -> Option<&'static str> {
    const NAMES: &[(&str, &[&str])] = &[
        (
            "aws",
            &["aws_secret_access_key", "aws_secret_key", "secret_access_key"],
        ),
        (
            "google",
            &[
                "google_application_credentials_json",
                "google_credentials",
                "gcp_credentials",
                "gcp_service_account",
                "gcp_sa",
                "gcp_key",
            ],
        ),
        (
            "azure",
            &[
                "azure_client_secret",
                "arm_client_secret",
                "azure_storage_key",
                "azure_storage_account_key",
            ],
        ),
    ];
    const JSON: &str = "_json";
    let same = |name: &[u8], word: &str| {
        let spelt = |byte: u8| {
            if byte.is_ascii_alphanumeric() {
                byte.to_ascii_lowercase()
            } else {
                b'_'
            }
        };
        name.len() == word.len()
            && name
                .iter()
                .zip(word.bytes())
                .all(|(&byte, letter)| spelt(byte) == letter)
    };
    let name = name.as_bytes();
    let bare = name
        .split_at_checked(name.len().wrapping_sub(JSON.len()))
        .filter(|(_, end)| same(end, JSON))
        .map(|(bare, _)| bare);
    let is_called = |word: &&str| same(name, word) || bare.is_some_and(|bare| same(bare, word));
    let found = NAMES.iter().find(|(_, words)| words.iter().any(is_called));
    found.map(|(cloud, _)| *cloud)
}

/// What depends on the key itself.
fn is_valid() -> Certainty {
    Certainty::Conditional("the cloud takes the key".into())
}

/// What a key of the cloud gives that is written in clear into a variable of the container, and how sure that is.
pub(super) fn key_in_clear(container: &ContainerView<'_>, name: &Text) -> Option<(Position, Certainty)> {
    let cloud = key_of(name)?;
    let key = format!("key/{}/{}", container.pod.place, container.container.name);
    Some((identity(cloud, &key), is_valid()))
}

fn cloud_key(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut seen = BTreeSet::new();
    let mut add = |place: &Place, key: &Text, cloud: &str, fact: Evidence, sink: &mut Sink<'_>| {
        if seen.insert((place.clone(), key.clone())) {
            let premise = Holder::Secret.key(place, key);
            sink.step_if(
                [premise],
                identity(cloud, &format!("key/{place}")),
                is_valid(),
                [fact],
            );
        }
    };
    for (id, secret) in &context.cluster.secrets {
        for key in secret.keys() {
            if let Some(cloud) = key_of(key) {
                let pointer = format!("/data/{}", super::structure::escaped(key));
                let fact = Evidence::new(id.clone(), pointer, "");
                add(&Place::new(&id.namespace, &id.name), key, cloud, fact, sink);
            }
        }
    }
    for pod in marked(context, Mark::CLOUD_KEY) {
        for container in pod.containers() {
            for (at, variable) in container.container.env.iter().enumerate() {
                let Some(cloud) = key_of(&variable.name) else {
                    continue;
                };
                let from = variable
                    .value_from
                    .as_ref()
                    .and_then(|from| from.secret_key_ref.as_ref());
                if let Some(from) = from {
                    let fact = container.fact(format_args!("/env/{at}/name"), &variable.name);
                    let place = Place::new(&pod.place.namespace, &from.name);
                    add(&place, &from.key, cloud, fact, sink);
                } else if variable.value.as_ref().is_some_and(|value| value.withheld) {
                    let fact = container.fact(format_args!("/env/{at}/value"), &variable.name);
                    let (holder, certainty) = container.holder();
                    if let Some((gained, taken)) = key_in_clear(&container, &variable.name) {
                        sink.step_if([holder], gained, both(certainty, taken), [fact]);
                    }
                }
            }
        }
    }
    azure_file(context, sink);
}

/// Azure's file of the node, which holds the secret of the cluster's own identity or names it.
fn azure_file(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in marked(context, Mark::HOST_FILES) {
        let name = &pod.pod.spec.node_name;
        let at = context.cluster.nodes.index_of("Node", "", name);
        let known = at.and_then(|at| context.cluster.nodes.at(at));
        let Some((Cloud::Azure, owner, fact)) = known.and_then(|(id, node)| cloud_of(id, node)) else {
            continue;
        };
        for container in pod.containers() {
            let Some(root) = Security::of(context, &container).root() else {
                continue;
            };
            let mounts = host_mounts(context, &container);
            if let Some(mount) = mounts
                .iter()
                .find(|mount| mount.holds("/etc/kubernetes/azure.json"))
            {
                let (holder, certainty) = container.holder();
                let own =
                    Certainty::Conditional("the file holds a secret and not only names an identity".into());
                let evidence = std::iter::once(fact.clone()).chain(mount.evidence.iter().cloned());
                sink.step_if(
                    [holder],
                    owner.clone(),
                    both(both(certainty, root), own),
                    evidence,
                );
            }
        }
    }
}

fn cloud_cluster_admin(context: &Context<'_>, sink: &mut Sink<'_>) {
    let told = Told::new(context.cluster);
    if let Some((names, fact)) = told.get("cluster-admins") {
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let identity = Position::CloudIdentity(name.into());
            sink.step([identity], Position::ClusterAdmin, [fact.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_clouds_are_known_by_their_names() {
        for (name, cloud) in [
            ("AWS_SECRET_ACCESS_KEY", Some("aws")),
            ("aws-secret-access-key", Some("aws")),
            ("gcp-service-account.json", Some("google")),
            ("AZURE_CLIENT_SECRET", Some("azure")),
            ("GOOGLE_APPLICATION_CREDENTIALS_JSON", Some("google")),
            ("GOOGLE_APPLICATION_CREDENTIALS", None),
            ("AWS_ACCESS_KEY_ID", None),
            ("password", None),
        ] {
            assert_eq!(key_of(name), cloud, "{name}");
        }
    }
}
