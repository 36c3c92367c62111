//! Pods and containers as techniques see them: alive, with their positions and pointers into their objects.
//!
//! A container that lasts is a position of its own. An init container has ended when the pod serves: nobody
//! executes commands in it any more, but whoever changes the pod or is root on its node gets what it was
//! given. So what init containers hold follows from the pod, on the condition that they run again.
//!
//! **Trap.** A stand-in pod is in no file: the evidence for what it is must point into its workload's template.

use std::cell::RefCell;
use std::fmt::{self, Display};

use rustc_hash::FxHashMap;

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
    marked(context, Mark::ALIVE)
}

/// Returns the pod at this position of the cluster's pods, unless it has ended.
pub(super) fn pod(cluster: &Cluster, index: usize) -> Option<PodView<'_>> {
    let (id, pod) = cluster.pods.at(index)?;
    (!pod.has_ended()).then(|| view(id, pod, index, cluster.stand_ins.contains(id)))
}

fn view<'a>(id: &ObjectId, pod: &'a Pod, index: usize, is_stand_in: bool) -> PodView<'a> {
    let owner = if is_stand_in { pod.meta.controller() } else { None };
    let object = owner.map_or_else(
        || id.clone(),
        |owner| ObjectId::new(&owner.kind, &id.namespace, &owner.name),
    );
    let spec = spec_of(&object.kind);
    PodView {
        index,
        pod,
        place: Place::new(&id.namespace, &id.name),
        object,
        spec,
    }
}

/// Where an object of this kind keeps the spec of its pods.
pub(super) fn spec_of(kind: &str) -> &'static str {
    match kind {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

/// What of a pod makes it worth a look; most pods have little of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u16);

impl Mark {
    /// It has not ended. A pod that has carries no mark but [`Self::LEFT`].
    pub(super) const ALIVE: Self = Self(1);
    /// It is a stand-in for the pods of its workload.
    const STAND_IN: Self = Self(1 << 1);
    /// It has a volume that can be the node's.
    pub(super) const HOST_FILES: Self = Self(1 << 2);
    /// A container is privileged, adds capabilities, has its `/proc` unmasked or is a process of a Windows node.
    pub(super) const RIGHTS: Self = Self(1 << 3);
    /// It shares the node's processes or network, or its containers share processes.
    pub(super) const SHARED: Self = Self(1 << 4);
    /// It is in `kube-system`, where control planes run.
    pub(super) const SYSTEM: Self = Self(1 << 5);
    /// The image of a container is a console's.
    pub(super) const CONSOLE: Self = Self(1 << 6);
    /// A variable of a container is called as the key of a cloud is.
    pub(super) const CLOUD_KEY: Self = Self(1 << 7);
    /// A variable of a container is from a Secret or a ConfigMap.
    pub(super) const VARIABLES: Self = Self(1 << 8);
    /// It has a volume of a Secret or a ConfigMap.
    pub(super) const VOLUMES: Self = Self(1 << 9);
    /// It has a projected volume.
    pub(super) const PROJECTED: Self = Self(1 << 10);
    /// A variable or an argument of a container holds a credential in clear.
    pub(super) const INLINE: Self = Self(1 << 11);

    /// It has ended, and a variable or an argument of a container holds a credential in clear, which stays in its spec.
    pub(super) const LEFT: Self = Self(1 << 12);

    /// Either of both.
    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn when(is_so: bool, mark: Self) -> Self {
        if is_so { mark } else { Self(0) }
    }

    fn of(pod: &Pod, is_stand_in: bool) -> Self {
        let spec = &pod.spec;
        if pod.has_ended() {
            let mut containers = spec.all_containers();
            return Self::when(containers.any(Container::has_credential_in_clear), Self::LEFT);
        }
        let shared = spec.host_pid == Some(true)
            || spec.is_host_network()
            || spec.share_process_namespace == Some(true)
            || !spec.ephemeral_containers.is_empty();
        let whole = Self::ALIVE
            .or(Self::when(is_stand_in, Self::STAND_IN))
            .or(Self::when(
                spec.security_context.windows_options.is_some(),
                Self::RIGHTS,
            ))
            .or(Self::when(shared, Self::SHARED))
            .or(Self::when(pod.meta.namespace == "kube-system", Self::SYSTEM));
        let volumes = spec.volumes.iter().map(Self::of_volume);
        let containers = spec.all_containers().map(Self::of_container);
        volumes.chain(containers).fold(whole, Self::or)
    }

    fn of_volume(volume: &Volume) -> Self {
        let is_projected = volume.projected.is_some();
        let holds = is_projected || volume.secret.is_some() || volume.config_map.is_some();
        let is_host = volume.host_path.is_some() || volume.persistent_volume_claim.is_some();
        Self::when(is_host, Self::HOST_FILES)
            .or(Self::when(holds, Self::VOLUMES))
            .or(Self::when(is_projected, Self::PROJECTED))
    }

    fn of_container(container: &Container) -> Self {
        let context = &container.security_context;
        let rights = context.privileged == Some(true)
            || !context.capabilities.add.is_empty()
            || context.proc_mount.is_some()
            || context.windows_options.is_some();
        let env = || container.env.iter();
        let given = !container.env_from.is_empty() || env().any(|variable| variable.value_from.is_some());
        Self::when(rights, Self::RIGHTS)
            .or(Self::when(
                super::consoles::is_known(&container.image),
                Self::CONSOLE,
            ))
            .or(Self::when(
                env().any(|variable| super::cloud::key_of(&variable.name).is_some()),
                Self::CLOUD_KEY,
            ))
            .or(Self::when(given, Self::VARIABLES))
            .or(Self::when(container.has_credential_in_clear(), Self::INLINE))
    }
}

/// The marks of every pod: looked up by the many techniques that most pods do not concern.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    /// Looks at every pod once.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mark = |index| {
            let (id, pod) = cluster.pods.at(index)?;
            Some(Mark::of(pod, cluster.stand_ins.contains(id)))
        };
        Self((0..cluster.pods.len()).filter_map(mark).collect())
    }
}

/// Returns the pods that carry one of these marks, in the order of the cluster.
pub(super) fn marked<'a>(context: &Context<'a>, wanted: Mark) -> impl Iterator<Item = PodView<'a>> {
    let cluster = context.cluster;
    let marks = context.marks.0.iter().enumerate();
    let meant = marks.filter(move |(_, mark)| mark.0 & wanted.0 != 0);
    meant.filter_map(move |(index, mark)| {
        let (id, pod) = cluster.pods.at(index)?;
        Some(view(id, pod, index, mark.0 & Mark::STAND_IN.0 != 0))
    })
}

/// A JSON pointer into a pod's object, in parts: there are few different ones, and millions of facts that need one.
#[derive(Clone, Copy, Debug, Default)]
struct Pointer {
    spec: &'static str,
    /// The list of containers and the place in it.
    container: Option<ContainerKey>,
    field: &'static str,
    index: Option<usize>,
    rest: &'static str,
}

impl Pointer {
    /// The text; of a pointer that this thread asked for before it is only looked up.
    fn text(self) -> Text {
        thread_local! {
            static KNOWN: RefCell<FxHashMap<[usize; 7], Text>> = RefCell::default();
        }
        KNOWN.with_borrow_mut(|known| {
            let text = known.entry(self.key());
            text.or_insert_with(|| self.to_string().into()).clone()
        })
    }

    /// What tells pointers apart: the parts are words of the program, which are told apart by where they lie.
    fn key(self) -> [usize; 7] {
        let (list, at) = self.container.unwrap_or(("", usize::MAX));
        let word = |word: &'static str| word.as_ptr() as usize;
        // Words may begin at one place and differ in length.
        let words = [self.spec, list, self.field, self.rest];
        let lengths = words.iter().fold(0, |all, word| all << 16 | word.len());
        let index = self.index.unwrap_or(usize::MAX);
        [
            word(self.spec),
            word(list),
            at,
            word(self.field),
            index,
            word(self.rest),
            lengths,
        ]
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec)?;
        if let Some((list, at)) = self.container {
            write!(f, "/{list}/{at}")?;
        }
        f.write_str(self.field)?;
        if let Some(index) = self.index {
            write!(f, "/{index}")?;
        }
        f.write_str(self.rest)
    }
}

impl<'a> PodView<'a> {
    /// Running code in any container of the pod.
    pub(super) fn position(&self) -> Position {
        Position::Pod(self.place.clone())
    }

    /// Whether it carries one of these marks.
    pub(super) fn carries(&self, context: &Context<'_>, wanted: Mark) -> bool {
        let mark = context.marks.0.get(self.index);
        mark.is_some_and(|mark| mark.0 & wanted.0 != 0)
    }

    /// Whether it stands for the pods of its workload, whose names are not known then.
    pub(super) fn is_stand_in(&self) -> bool {
        self.object.kind != "Pod"
    }

    /// The fact that the pod's spec has `value` at `pointer` (`/hostPID`).
    pub(super) fn fact(&self, pointer: impl Display, value: impl Into<Text>) -> Evidence {
        let path = Text::from(format_args!("{}{pointer}", self.spec));
        Evidence::new(self.object.clone(), path, value)
    }

    /// The fact that the pod's spec has `value` in a field (`/nodeName`).
    pub(super) fn field(&self, field: &'static str, value: impl Into<Text>) -> Evidence {
        let pointer = Pointer {
            spec: self.spec,
            field,
            ..Pointer::default()
        };
        Evidence::new(self.object.clone(), pointer.text(), value)
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
        let on_every_node = || {
            let owner = self.pod.meta.controller();
            owner.is_some_and(|owner| owner.kind == "DaemonSet")
        };
        let certainty = if known || on_every_node() {
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
            self.field("/nodeName", &self.pod.spec.node_name)
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

/// Which container of its pod one is: its list and the place in it.
pub(super) type ContainerKey = (&'static str, usize);

impl<'a> ContainerView<'a> {
    /// Which container of its pod it is.
    pub(super) fn key(&self) -> ContainerKey {
        (self.list, self.at)
    }

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

    /// The fact that the container has `value` in a field (`/name`).
    pub(super) fn field(&self, field: &'static str, value: impl Into<Text>) -> Evidence {
        self.at_pointer((field, None, ""), value)
    }

    /// The fact that an element of a list of the container (`/env`, 0) has `value` in a field (`/value`).
    pub(super) fn element(
        &self,
        list: &'static str,
        index: usize,
        field: &'static str,
        value: impl Into<Text>,
    ) -> Evidence {
        self.at_pointer((list, Some(index), field), value)
    }

    fn at_pointer(
        &self,
        (field, index, rest): (&'static str, Option<usize>, &'static str),
        value: impl Into<Text>,
    ) -> Evidence {
        let pointer = Pointer {
            spec: self.pod.spec,
            container: Some(self.key()),
            field,
            index,
            rest,
        };
        Evidence::new(self.pod.object.clone(), pointer.text(), value)
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
