//! What the right to make pods gives: the accounts, Secrets and nodes that a pod of one's own can have.
//!
//! **Trap.** Whoever writes a pod's specification chooses its account, its volumes and its node; no right to read
//! Secrets is asked for. Pod Security stops only what the pod may do to its node.

use std::collections::BTreeMap;

use super::admission::{admitted, constraints, pod_security};
use super::pods::{any_node, both, pods};
use super::references::Holder;
use super::structure::{any_account, any_group, namespace_fact};
use super::technique::techniques;
use super::{ANY, Certainty, Context, Evidence, Family, Place, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Workload;
    /// Makes a pod that runs as any service account of the namespace and mounts its Secrets and ConfigMaps.
    ///
    /// IceKube calls it `CREATE_POD_WITH_SA`; KubeHound's `POD_CREATE` leads to the node, see
    /// `POD_CREATE_PRIVILEGED`.
    ///
    /// # Preconditions
    ///
    /// The right to create pods in the namespace, or anything that makes pods from a template: Deployments,
    /// DaemonSets, StatefulSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs.
    ///
    /// What does not suffice: to read pods, or to create a pod whose name the rule gives (`create` carries no
    /// name).
    ///
    /// # Detection
    ///
    /// Audit log: `create` of pods by an identity that does not deploy, with a `serviceAccountName` that other
    /// workloads use.
    POD_CREATE: [Grant] => [Credential, Secret, ConfigMap, Network] {
        title: "New pod with the namespace's accounts and Secrets",
        mitre: ["T1610", "T1098"],
        microsoft: ["MS-TA9008", "MS-TA9016"],
        owasp: ["K02", "K03"],
        cis: ["5.1.4"],
        falco: ["Pod Created in Kube Namespace"],
        effort: 1,
        remediation: "Give the right to create pods and workloads only in namespaces whose accounts and Secrets its holder may have.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation",
        ],
        derive: pod_create,
    }

    /// Makes a pod that controls its node: privileged, or with the node's files and processes.
    ///
    /// The pod can name its node, so that it is any node.
    ///
    /// # Preconditions
    ///
    /// The right to create pods or workloads in a namespace for which Pod Security enforces nothing or the level
    /// `privileged`. Or the right to change the namespace's labels as well, which ends what they enforce.
    ///
    /// What does not suffice: a namespace that enforces `baseline` or `restricted`. Webhooks and admission
    /// policies for pods make the step conditional, as their verdict cannot be seen.
    ///
    /// # Detection
    ///
    /// Audit log: pods with `privileged`, `hostPID` or `hostPath`; changes of the label
    /// `pod-security.kubernetes.io/enforce`.
    POD_CREATE_PRIVILEGED: [Grant] => [Node] {
        title: "New privileged pod",
        mitre: ["T1610", "T1611"],
        microsoft: ["MS-TA9008", "MS-TA9018"],
        owasp: ["K01", "K02", "K04"],
        cis: ["5.1.4", "5.2.1", "5.2.2"],
        falco: ["Create Privileged Pod", "Create Sensitive Mount Pod", "Create HostNetwork Pod", "Create HostPid Pod"],
        effort: 2,
        remediation: "Enforce the baseline Pod Security Standard on the namespace, and keep its labels from those who create pods in it.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation",
            "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        ],
        derive: pod_create_privileged,
    }

    /// Makes a volume of a node's files and a pod that claims it.
    ///
    /// Pod Security looks at the pod and not at the volume behind its claim. The claim may be made by the pod itself,
    /// as a generic ephemeral volume, so that no right over claims is asked for.
    ///
    /// # Preconditions
    ///
    /// The right to create PersistentVolumes together with the right to create pods or workloads in a namespace; two
    /// identities may have one each. In a namespace that enforces `restricted` the pod does not run as root, and the
    /// container runtime's socket has to be open to a group, which the pod chooses.
    ///
    /// What does not suffice: the right to create claims without volumes, which gets what a StorageClass provides.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of PersistentVolumes with `hostPath` or `local` by anything but a provisioner.
    VOLUME_CREATE: [Grant] => [Node] {
        title: "Volume of a node's files",
        mitre: ["T1611", "T1610"],
        microsoft: ["MS-TA9013", "MS-TA9018"],
        owasp: ["K01", "K02"],
        cis: ["5.1.9"],
        falco: ["Create Sensitive Mount Pod"],
        effort: 2,
        remediation: "Leave PersistentVolumes to provisioners and administrators.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#persistent-volume-creation",
            "https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes",
        ],
        derive: volume_create,
    }

    /// Makes a pod that mounts a claim which exists and leads to a node's files.
    ///
    /// # Preconditions
    ///
    /// The right to create pods or workloads in a namespace with a claim whose PersistentVolume is a directory of a node
    /// (`hostPath`, `local`) that root obeys. Pod Security lets the pod in unless it enforces `restricted`, as it looks at
    /// the claim only.
    ///
    /// What does not suffice: a claim of a directory of its own, such as `/mnt/disks/1`; the level `restricted`, under which
    /// the pod is not user 0.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of pods that mount a claim of another workload.
    POD_CREATE_CLAIM: [Grant] => [Node] {
        title: "New pod with a claim of a node's files",
        mitre: ["T1610", "T1611"],
        microsoft: ["MS-TA9008", "MS-TA9013"],
        owasp: ["K01", "K02"],
        cis: ["5.1.4", "5.1.9"],
        effort: 2,
        remediation: "Make no PersistentVolumes of directories that the node itself uses.",
        references: [
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#types-of-persistent-volumes",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
        ],
        derive: pod_create_claim,
    }

    /// Rewrites the pod template of a workload: new code in its pods, another account, other volumes.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch a Deployment, DaemonSet, StatefulSet, ReplicaSet, ReplicationController or
    /// CronJob of the input.
    ///
    /// What does not suffice: the same right on a kind of which the namespace has no object, or on Jobs, whose
    /// template cannot be changed once they run.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of workloads outside deployments; new revisions with other images or accounts.
    WORKLOAD_PATCH: [Grant] => [Pod, Credential, Secret, ConfigMap, Network] {
        title: "New template for a workload",
        mitre: ["T1610", "T1525"],
        microsoft: ["MS-TA9008", "MS-TA9016"],
        owasp: ["K02", "K03"],
        cis: ["5.1.3", "5.1.4"],
        falco: ["K8s Deployment Created"],
        effort: 1,
        remediation: "Give the right to change workloads only to the deployment pipeline of their namespace, by name where possible.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation",
        ],
        derive: workload_patch,
    }
}

/// The powers that make pods from nothing.
static CREATORS: &[&Power] = &[
    &power::CREATE_PODS,
    &power::APPLY_PODS,
    &power::CREATE_WORKLOADS,
    &power::APPLY_WORKLOADS,
];

/// The kinds whose template decides about pods that exist, with the power over each.
static TEMPLATES: &[(&str, &Power)] = &[
    ("Deployment", &power::UPDATE_DEPLOYMENTS),
    ("DaemonSet", &power::UPDATE_DAEMON_SETS),
    ("StatefulSet", &power::UPDATE_STATEFUL_SETS),
    ("ReplicaSet", &power::UPDATE_REPLICA_SETS),
    ("ReplicationController", &power::UPDATE_REPLICATION_CONTROLLERS),
    ("CronJob", &power::UPDATE_CRON_JOBS),
];

/// What a pod of one's own has in a namespace: its accounts, Secrets, ConfigMaps and network.
pub(super) fn belongings(namespace: &Text) -> [Position; 4] {
    [
        any_account(namespace),
        Holder::Secret.whole(&Place::new(namespace, ANY)),
        Holder::ConfigMap.whole(&Place::new(namespace, ANY)),
        any_group(namespace),
    ]
}

/// The grants that make a pod from nothing, each with its namespace.
pub(super) fn makers<'a>(context: &Context<'a>) -> Vec<(&'a Text, Position)> {
    let mut found = Vec::new();
    for &creator in CREATORS {
        found.extend(context.held.namespaces(creator));
        for (namespace, _, grant) in context.held.names(creator) {
            let places = context.held.places(namespace).iter();
            found.extend(places.map(|place| (place, grant.clone())));
        }
    }
    found
}

/// The grants that rewrite a workload of the input, with its id: for a whole namespace the first one there.
fn rewriters<'a>(context: &Context<'a>) -> Vec<(Position, &'a ObjectId)> {
    let workloads = &context.cluster.workloads;
    let mut found = Vec::new();
    for &(kind, power) in TEMPLATES {
        let mut first = BTreeMap::new();
        for (id, _) in workloads.iter().filter(|(id, _)| id.kind == *kind) {
            first.entry(&id.namespace).or_insert(id);
        }
        for (namespace, grant) in context.held.namespaces(power) {
            found.extend(first.get(namespace).map(|&id| (grant, id)));
        }
        for (namespace, name, grant) in context.held.names(power) {
            for place in context.held.places(namespace) {
                let at = workloads.index_of(kind, place, name);
                let workload = at.and_then(|at| workloads.at(at));
                found.extend(workload.map(|(id, _)| (grant.clone(), id)));
            }
        }
    }
    found
}

fn pod_create(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (namespace, grant) in makers(context) {
        let certainty = admitted(context.cluster, namespace);
        for gained in belongings(namespace) {
            let fact = [namespace_fact(namespace)];
            sink.step_if([grant.clone()], gained, certainty.clone(), fact);
        }
    }
}

fn pod_create_privileged(context: &Context<'_>, sink: &mut Sink<'_>) {
    let relabel: BTreeMap<&Text, Position> = context
        .held
        .namespaces(&power::UPDATE_NAMESPACES)
        .into_iter()
        .collect();
    let constraints = constraints(context.cluster);
    let mut escape = |namespace: &Text, grant: Position, template: Option<Evidence>| {
        let (level, label) = pod_security(context.cluster, namespace);
        let mut premises = vec![grant];
        if !level.admits_host() {
            let Some(relabel) = relabel.get(namespace) else {
                return;
            };
            premises.push(relabel.clone());
        }
        let evidence = [label].into_iter().chain(template);
        let certainty = both(constraints.clone(), admitted(context.cluster, namespace));
        sink.step_if(premises, any_node(), certainty, evidence);
    };
    for (namespace, grant) in makers(context) {
        escape(namespace, grant, None);
    }
    for (grant, id) in rewriters(context) {
        escape(&id.namespace, grant, Some(template_of(id)));
    }
}

fn template_of(workload: &ObjectId) -> Evidence {
    let pointer = if workload.kind == "CronJob" {
        "/spec/jobTemplate/spec/template"
    } else {
        "/spec/template"
    };
    Evidence::new(workload.clone(), pointer, "")
}

fn workload_patch(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (grant, id) in rewriters(context) {
        let certainty = admitted(context.cluster, &id.namespace);
        for gained in belongings(&id.namespace) {
            sink.step_if([grant.clone()], gained, certainty.clone(), [template_of(id)]);
        }
    }
    let mut wide = BTreeMap::<(&str, &Text), Position>::new();
    let mut named = BTreeMap::<ObjectId, Vec<Position>>::new();
    for &(kind, power) in TEMPLATES {
        let namespaces = context.held.namespaces(power).into_iter();
        wide.extend(namespaces.map(|(namespace, grant)| ((kind, namespace), grant)));
        for (namespace, name, grant) in context.held.names(power) {
            for place in context.held.places(namespace) {
                let id = ObjectId::new(kind, place, name);
                named.entry(id).or_default().push(grant.clone());
            }
        }
    }
    if wide.is_empty() && named.is_empty() {
        return;
    }
    for pod in pods(context) {
        let workload = context.cluster.workload_of(pod.pod);
        let everywhere = wide.get(&(workload.kind.as_str(), &pod.place.namespace));
        for grant in everywhere
            .into_iter()
            .chain(named.get(&workload).into_iter().flatten())
        {
            sink.step([grant.clone()], pod.position(), [template_of(&workload)]);
        }
    }
}

fn pod_create_claim(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut claims = BTreeMap::<&Text, Vec<Evidence>>::new();
    for (id, volume) in &context.cluster.persistent_volumes {
        let (path, pointer) = match (&volume.spec.host_path, &volume.spec.local) {
            (Some(host), _) => (&host.path, "/spec/hostPath/path"),
            (None, Some(local)) => (&local.path, "/spec/local/path"),
            (None, None) => continue,
        };
        let claim = volume.spec.claim_ref.as_ref();
        if let Some(claim) = claim.filter(|_| super::host::is_obeyed(path)) {
            let fact = Evidence::new(id.clone(), pointer, path);
            claims.entry(&claim.namespace).or_default().push(fact);
        }
    }
    let names = context.cluster.persistent_volume_claims.iter();
    for (id, _) in names.filter(|(_, claim)| !claim.spec.volume_name.is_empty()) {
        let volume = context.claims.volume(context.cluster, &id.namespace, &id.name);
        let host = volume.and_then(|(volume_id, volume)| Some((volume_id, volume.spec.host_path.as_ref()?)));
        if let Some((volume_id, host)) = host.filter(|(_, host)| super::host::is_obeyed(&host.path)) {
            let fact = Evidence::new(volume_id.clone(), "/spec/hostPath/path", &host.path);
            let known = claims.entry(&id.namespace).or_default();
            if !known.contains(&fact) {
                known.push(fact);
            }
        }
    }
    if claims.is_empty() {
        return;
    }
    for (namespace, grant) in makers(context) {
        let (level, label) = pod_security(context.cluster, namespace);
        for fact in claims
            .get(namespace)
            .into_iter()
            .flatten()
            .filter(|_| level.admits_root())
        {
            let certainty = admitted(context.cluster, namespace);
            let evidence = [label.clone(), fact.clone()];
            sink.step_if([grant.clone()], any_node(), certainty, evidence);
        }
    }
}

fn volume_create(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(volume) = context.held.everywhere(&power::CREATE_VOLUMES) else {
        return;
    };
    for (namespace, grant) in makers(context) {
        let (level, label) = pod_security(context.cluster, namespace);
        let mut certainty = admitted(context.cluster, namespace);
        if !level.admits_root() {
            let open = "the container runtime's socket is open to a group".into();
            certainty = both(certainty, Certainty::Conditional(open));
        }
        sink.step_if([volume.clone(), grant], any_node(), certainty, [label]);
    }
}
