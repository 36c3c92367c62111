//! Pods and containers as techniques see them: alive, with their positions and pointers into their objects.
//!
//! A container that lasts is a position of its own. An init container has ended when the pod serves: nobody
//! executes commands in it any more, but whoever changes the pod or is root on its node gets what it was
//! given. So what init containers hold follows from the pod, on the condition that they run again.
//!
//! **Trap.** A stand-in pod is in no file: the evidence for what it is must point into its workload's template.

use std::fmt::Display;

use super::{ANY, Certainty, Context, Evidence, Place, Position};
use crate::model::{Cluster, Container, HostPath, ObjectId, Pod, Text, Volume, VolumeMount};

/// A pod that has not ended.
#[derive(Clone, Debug)]
pub(super) struct PodView<'a> {
    /// Its position in the cluster's pods.
    pub(super) index: usize,
    pub(super) pod: &'a Pod,
    pub(super) place: Place,
    /// The object whose text says what the pod is, and the pointer to the pod's spec in it.
    object: ObjectId,
    spec: &'static str,
}

/// A container of such a pod.
#[derive(Clone, Debug)]
pub(super) struct ContainerView<'a> {
    pub(super) pod: &'a PodView<'a>,
    pub(super) container: &'a Container,
    /// The list within the pod's spec that it stands in, and its place there.
    list: &'static str,
    at: usize,
    lasting: bool,
}

/// Returns every pod that has not ended, in the order of the cluster.
pub(super) fn pods<'a>(context: &Context<'a>) -> impl Iterator<Item = PodView<'a>> {
    let cluster = context.cluster;
    (0..cluster.pods.len()).filter_map(move |index| pod(cluster, index))
}

/// Returns the pod at this position of the cluster's pods, unless it has ended.
pub(super) fn pod(cluster: &Cluster, index: usize) -> Option<PodView<'_>> {
    let (id, pod) = cluster.pods.at(index)?;
    if pod.has_ended() {
        return None;
    }
    let owner = cluster
        .stand_ins
        .contains(id)
        .then(|| pod.meta.controller())
        .flatten();
    let (object, spec) = match owner {
        Some(owner) => (
            ObjectId::new(&owner.kind, &id.namespace, &owner.name),
            if owner.kind == "CronJob" {
                "/spec/jobTemplate/spec/template/spec"
            } else {
                "/spec/template/spec"
            },
        ),
        None => (id.clone(), "/spec"),
    };
    Some(PodView {
        index,
        pod,
        place: Place::new(&id.namespace, &id.name),
        object,
        spec,
    })
}

/// What of a pod makes it worth a look; most pods have nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u8);

impl Mark {
    /// It has a volume that can be the node's.
    pub(super) const HOST_FILES: Self = Self(1);
    /// A container is privileged, adds capabilities, has its `/proc` unmasked or is a process of a Windows node.
    pub(super) const RIGHTS: Self = Self(1 << 1);
    /// It shares the node's processes or network, or its containers share processes.
    pub(super) const SHARED: Self = Self(1 << 2);
    /// It is in `kube-system`, where control planes run.
    pub(super) const SYSTEM: Self = Self(1 << 3);
    /// The image of a container is a console's.
    pub(super) const CONSOLE: Self = Self(1 << 4);

    /// Either of both.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn of(pod: &Pod) -> Self {
        let spec = &pod.spec;
        let when = |is_so: bool, mark: Self| if is_so { mark.0 } else { 0 };
        let host = |volume: &Volume| volume.host_path.is_some() || volume.persistent_volume_claim.is_some();
        let rights = |container: &Container| {
            let context = &container.security_context;
            context.privileged == Some(true)
                || !context.capabilities.add.is_empty()
                || context.proc_mount.is_some()
                || context.windows_options.is_some()
        };
        let shared = spec.host_pid == Some(true)
            || spec.is_host_network()
            || spec.share_process_namespace == Some(true)
            || !spec.ephemeral_containers.is_empty();
        let console = |container: &Container| super::consoles::is_known(&container.image);
        Self(
            when(spec.volumes.iter().any(host), Self::HOST_FILES)
                | when(
                    spec.security_context.windows_options.is_some() || spec.all_containers().any(rights),
                    Self::RIGHTS,
                )
                | when(shared, Self::SHARED)
                | when(pod.meta.namespace == "kube-system", Self::SYSTEM)
                | when(spec.all_containers().any(console), Self::CONSOLE),
        )
    }
}

/// The marks of every pod: looked up by the many techniques that most pods do not concern.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    /// Looks at every pod once.
    pub(super) fn new(cluster: &Cluster) -> Self {
        Self(cluster.pods.values().map(Mark::of).collect())
    }
}

/// Returns the pods that have not ended and carry one of these marks, in the order of the cluster.
pub(super) fn marked<'a>(context: &Context<'a>, wanted: Mark) -> impl Iterator<Item = PodView<'a>> {
    let cluster = context.cluster;
    let marks = context.marks.0.iter().enumerate();
    let meant = marks.filter(move |(_, mark)| mark.0 & wanted.0 != 0);
    meant.filter_map(move |(index, _)| pod(cluster, index))
}

impl<'a> PodView<'a> {
    /// Running code in any container of the pod.
    pub(super) fn position(&self) -> Position {
        Position::Pod(self.place.clone())
    }

    /// The fact that the pod's spec has `value` at `pointer` (`/hostPID`).
    pub(super) fn fact(&self, pointer: impl Display, value: impl Into<Text>) -> Evidence {
        let path = Text::from(format_args!("{}{pointer}", self.spec));
        Evidence::new(self.object.clone(), path, value)
    }

    /// The pod's containers of every sort.
    pub(super) fn containers(&'a self) -> impl Iterator<Item = ContainerView<'a>> {
        let spec = &self.pod.spec;
        let lists = [
            ("containers", &spec.containers),
            ("initContainers", &spec.init_containers),
            ("ephemeralContainers", &spec.ephemeral_containers),
        ];
        lists.into_iter().flat_map(move |(list, containers)| {
            containers
                .iter()
                .enumerate()
                .map(move |(index, container)| ContainerView {
                    pod: self,
                    container,
                    list,
                    at: index,
                    lasting: list != "initContainers" || container.restart_policy == "Always",
                })
        })
    }

    /// The node the pod runs on, and how sure that is.
    pub(super) fn node(&self, cluster: &Cluster) -> (Text, Certainty) {
        let (node, known) = cluster.node_of(self.pod);
        let on_every_node = self
            .pod
            .meta
            .controller()
            .is_some_and(|owner| owner.kind == "DaemonSet");
        let certainty = if known || on_every_node {
            Certainty::Certain
        } else {
            Certainty::Conditional("the scheduler places the pod on this node".into())
        };
        (node, certainty)
    }

    /// Where the input says which node the pod runs on.
    pub(super) fn node_evidence(&self) -> Evidence {
        if self.pod.spec.node_name.is_empty() {
            Evidence::new(self.object.clone(), "", "bound to no node yet")
        } else {
            self.fact("/nodeName", &self.pod.spec.node_name)
        }
    }

    /// The host directory behind a volume: its own, or that of the PersistentVolume its claim is bound to.
    pub(super) fn host_path(
        &self,
        context: &Context<'_>,
        volume: &Volume,
    ) -> Option<(HostPath, Vec<Evidence>)> {
        let at = self.pod.spec.volumes.iter().position(|v| v.name == volume.name)?;
        if let Some(host_path) = &volume.host_path {
            let fact = self.fact(format_args!("/volumes/{at}/hostPath/path"), &host_path.path);
            return Some((HostPath::clone(host_path), vec![fact]));
        }
        let claim = &volume.persistent_volume_claim.as_ref()?.claim_name;
        let (id, volume) = context
            .claims
            .volume(context.cluster, &self.place.namespace, claim)?;
        let (path, pointer) = match (&volume.spec.host_path, &volume.spec.local) {
            (Some(path), _) => (path.clone(), "/spec/hostPath/path"),
            (None, Some(local)) => (
                HostPath {
                    path: local.path.clone(),
                    ..HostPath::default()
                },
                "/spec/local/path",
            ),
            (None, None) => return None,
        };
        let claimed = self.fact(
            format_args!("/volumes/{at}/persistentVolumeClaim/claimName"),
            claim,
        );
        let proof = Evidence::new(id.clone(), pointer, &path.path);
        Some((path, vec![claimed, proof]))
    }
}

impl<'a> ContainerView<'a> {
    /// Who holds what this container is given: the container, or the pod for an init container.
    pub(super) fn holder(&self) -> (Position, Certainty) {
        if self.lasting {
            (self.position(), Certainty::Certain)
        } else {
            let condition = format!("the init container {} runs again", self.container.name);
            (self.pod.position(), Certainty::Conditional(condition.into()))
        }
    }

    /// Running code in this container.
    pub(super) fn position(&self) -> Position {
        Position::Container(self.pod.place.clone(), self.container.name.clone())
    }

    /// Whether the container runs as long as its pod.
    pub(super) fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// The fact that the container has `value` at `pointer` (`/env/0`).
    pub(super) fn fact(&self, pointer: impl Display, value: impl Into<Text>) -> Evidence {
        let Self { list, at, .. } = self;
        self.pod.fact(format_args!("/{list}/{at}{pointer}"), value)
    }

    /// The pointer within the pod's spec to what is at `pointer` in the container.
    pub(super) fn at(&self, pointer: &str) -> String {
        format!("/{}/{}{pointer}", self.list, self.at)
    }

    /// Each mount with its place in the list and its volume.
    pub(super) fn mounts(&self) -> impl Iterator<Item = (usize, &'a VolumeMount, &'a Volume)> {
        let pod = self.pod.pod;
        self.container
            .volume_mounts
            .iter()
            .enumerate()
            .filter_map(|(at, mount)| Some((at, mount, pod.spec.volume(&mount.name)?)))
    }
}

/// Any pod of the namespace.
pub(super) fn any_pod(namespace: &Text) -> Position {
    Position::Pod(Place::new(namespace, ANY))
}

/// Any node.
pub(super) fn any_node() -> Position {
    Position::Node(ANY.into())
}

/// Returns both certainties as one: certain only if both are, with the first condition that is not.
pub(super) fn both(first: Certainty, second: Certainty) -> Certainty {
    match (first, second) {
        (Certainty::Certain, other) => other,
        (Certainty::Conditional(a), Certainty::Conditional(b)) if a != b => {
            Certainty::Conditional(format!("{a}, and {b}").into())
        }
        (first, _) => first,
    }
}
