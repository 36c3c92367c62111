//! From a container to its node by known flaws of the node's kernel, runtime and kubelet.
//!
//! **Trap.** A version is a hint. Distributions carry corrections back into old kernels, so a kernel's number makes a step
//! conditional; a runtime's or kubelet's number is what it says. Where the input holds no version nothing is said.

use std::collections::BTreeMap;

use super::admission::{Level, admitted, pod_security};
use super::new_pod::makers;
use super::pods::{ContainerView, any_node, both, pods};
use super::security::{Confinement, Security};
use super::technique::techniques;
use super::version::numbers;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{NodeInfo, ObjectId, Text};

techniques! { TECHNIQUES, Family::Escape;
    /// Leaves the container by a known flaw of the node's kernel, container runtime or kubelet.
    ///
    /// The flaws: CVE-2020-15257 (containerd), CVE-2021-25741 (kubelet), CVE-2022-0185, CVE-2022-0847 and CVE-2024-1086
    /// (kernel).
    ///
    /// # Preconditions
    ///
    /// `status.nodeInfo` of the pod's node names a version with the flaw, and the container has what it needs: the node's
    /// network as user 0, a writable volume by `subPath`, a new user namespace (which the runtime's seccomp profile stops),
    /// or nothing.
    ///
    /// What does not suffice: a version that is not in the input; a kernel of the pod's own (gVisor, Kata).
    ///
    /// # Detection
    ///
    /// Processes of the node whose parent is a container's; a scanner that reads the node's packages tells about it before.
    CE_KNOWN_FLAW: [Container] => [Node] {
        title: "Container escape: known flaw of the node",
        mitre: ["T1611", "T1068"],
        microsoft: ["MS-TA9018"],
        owasp: ["K07"],
        falco: ["Drop and execute new binary in container"],
        effort: 5,
        remediation: "Update the node, and set seccompProfile: RuntimeDefault.",
        references: [
            "https://nvd.nist.gov/vuln/detail/CVE-2020-15257",
            "https://nvd.nist.gov/vuln/detail/CVE-2021-25741",
            "https://nvd.nist.gov/vuln/detail/CVE-2022-0185",
            "https://nvd.nist.gov/vuln/detail/CVE-2022-0847",
            "https://nvd.nist.gov/vuln/detail/CVE-2024-1086",
        ],
        derive: ce_known_flaw,
    }

    /// Makes a pod that leaves its container by a known flaw of a node, where Pod Security lets no privileged pod in.
    ///
    /// Beside the flaws of `CE_KNOWN_FLAW`: CVE-2022-0811 (CRI-O), CVE-2024-10220 (kubelet) and CVE-2024-21626 (runc), which
    /// take a pod of one's own.
    ///
    /// # Preconditions
    ///
    /// The right to create pods or workloads in a namespace that enforces `baseline` or `restricted`, and a node whose
    /// `status.nodeInfo` names a version with a flaw that such a pod can use. The pod names its node.
    ///
    /// What does not suffice: under `restricted`, flaws that take user 0, the node's network, a volume of type gitRepo or a
    /// new user namespace, which its seccomp profile stops; versions that are not in the input.
    ///
    /// # Detection
    ///
    /// Audit log: pods with sysctls, volumes of type gitRepo or a `workingDir` below `/proc/self/fd`.
    POD_CREATE_FLAW: [Grant] => [Node] {
        title: "New pod for a known flaw of the node",
        mitre: ["T1610", "T1611", "T1068"],
        microsoft: ["MS-TA9008", "MS-TA9018"],
        owasp: ["K02", "K07"],
        cis: ["5.1.4"],
        effort: 5,
        remediation: "Update the nodes, and give the right to create pods to those who deploy.",
        references: [
            "https://nvd.nist.gov/vuln/detail/CVE-2022-0811",
            "https://nvd.nist.gov/vuln/detail/CVE-2024-10220",
            "https://nvd.nist.gov/vuln/detail/CVE-2024-21626",
        ],
        derive: pod_create_flaw,
    }
}

type Version = (u32, u32, u32);

/// What of the node has a flaw.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Kernel,
    Containerd,
    CriO,
    Kubelet,
}

/// What the container must have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// The call that makes a user namespace.
    NewUserNamespace,
    /// The node's network, as user 0.
    HostNetwork,
    /// A writable mount of a part of a volume.
    SubPath,
    /// A pod of one's own, with what every level of Pod Security lets in.
    NewPod,
    /// A pod of one's own with a volume of type gitRepo.
    GitRepo,
}

impl Needs {
    /// The tightest level under which a new pod has it.
    fn level(self) -> Level {
        match self {
            Self::Nothing | Self::SubPath | Self::NewPod => Level::Restricted,
            Self::NewUserNamespace | Self::GitRepo => Level::Baseline,
            Self::HostNetwork => Level::Privileged,
        }
    }
}

struct Flaw {
    id: &'static str,
    part: Part,
    /// From the first version with the flaw to the first without it.
    versions: &'static [(Version, Version)],
    needs: Needs,
}

/// Sources: the pages of the flaws at <https://nvd.nist.gov/vuln/search>.
const FLAWS: &[Flaw] = &[
    Flaw {
        id: "CVE-2020-15257",
        part: Part::Containerd,
        versions: &[((0, 0, 0), (1, 3, 9)), ((1, 4, 0), (1, 4, 3))],
        needs: Needs::HostNetwork,
    },
    Flaw {
        id: "CVE-2024-10220",
        part: Part::Kubelet,
        versions: &[
            ((0, 0, 0), (1, 28, 12)),
            ((1, 29, 0), (1, 29, 7)),
            ((1, 30, 0), (1, 30, 3)),
        ],
        needs: Needs::GitRepo,
    },
    Flaw {
        id: "CVE-2022-0811",
        part: Part::CriO,
        versions: &[
            ((1, 19, 0), (1, 19, 6)),
            ((1, 20, 0), (1, 20, 7)),
            ((1, 21, 0), (1, 21, 6)),
            ((1, 22, 0), (1, 22, 3)),
            ((1, 23, 0), (1, 23, 2)),
        ],
        needs: Needs::NewPod,
    },
    Flaw {
        id: "CVE-2024-21626",
        part: Part::Containerd,
        versions: &[((0, 0, 0), (1, 6, 28)), ((1, 7, 0), (1, 7, 13))],
        needs: Needs::NewPod,
    },
    Flaw {
        id: "CVE-2022-0847",
        part: Part::Kernel,
        versions: &[
            ((5, 8, 0), (5, 10, 102)),
            ((5, 11, 0), (5, 15, 25)),
            ((5, 16, 0), (5, 16, 11)),
        ],
        needs: Needs::Nothing,
    },
    Flaw {
        id: "CVE-2021-25741",
        part: Part::Kubelet,
        versions: &[
            ((0, 0, 0), (1, 19, 15)),
            ((1, 20, 0), (1, 20, 11)),
            ((1, 21, 0), (1, 21, 5)),
            ((1, 22, 0), (1, 22, 2)),
        ],
        needs: Needs::SubPath,
    },
    Flaw {
        id: "CVE-2022-0185",
        part: Part::Kernel,
        versions: &[
            ((5, 1, 0), (5, 4, 173)),
            ((5, 5, 0), (5, 10, 93)),
            ((5, 11, 0), (5, 15, 16)),
            ((5, 16, 0), (5, 16, 2)),
        ],
        needs: Needs::NewUserNamespace,
    },
    Flaw {
        id: "CVE-2024-1086",
        part: Part::Kernel,
        versions: &[
            ((3, 15, 0), (4, 19, 307)),
            ((4, 20, 0), (5, 4, 269)),
            ((5, 5, 0), (5, 10, 210)),
            ((5, 11, 0), (5, 15, 149)),
            ((5, 16, 0), (6, 1, 76)),
            ((6, 2, 0), (6, 6, 15)),
            ((6, 7, 0), (6, 7, 3)),
        ],
        needs: Needs::NewUserNamespace,
    },
];

impl Flaw {
    /// The version of a node that has the flaw, with the pointer to it.
    fn of<'a>(&self, info: &'a NodeInfo) -> Option<(&'static str, &'a Text)> {
        let (pointer, written) = match self.part {
            Part::Kernel => ("kernelVersion", &info.kernel_version),
            Part::Kubelet => ("kubeletVersion", &info.kubelet_version),
            Part::Containerd | Part::CriO => ("containerRuntimeVersion", &info.container_runtime_version),
        };
        let runtime = match self.part {
            Part::Containerd => "containerd://",
            Part::CriO => "cri-o://",
            Part::Kernel | Part::Kubelet => "",
        };
        if !written.starts_with(runtime) {
            return None;
        }
        let version = numbers(written)?;
        let has = |(from, fixed): &(Version, Version)| *from <= version && version < *fixed;
        self.versions.iter().any(has).then_some((pointer, written))
    }

    /// What the flaw's use depends on; `None` if the container lacks what it needs.
    fn use_of(&self, container: &ContainerView<'_>, security: &Security<'_>) -> Option<Certainty> {
        let needed = match self.needs {
            Needs::Nothing => Certainty::Certain,
            Needs::HostNetwork => {
                security.host_network()?;
                security.root()?
            }
            Needs::SubPath => {
                let mounts = &container.container.volume_mounts;
                let is_part = |mount: &crate::model::VolumeMount| {
                    mount.read_only != Some(true)
                        && !(mount.sub_path.is_empty() && mount.sub_path_expr.is_empty())
                };
                mounts.iter().any(is_part).then_some(Certainty::Certain)?
            }
            Needs::NewUserNamespace => match security.seccomp() {
                Confinement::Off => Certainty::Certain,
                Confinement::RuntimeDefault => return None,
                Confinement::Localhost(_) => security.unless_seccomp(),
                Confinement::Unset => {
                    Certainty::Conditional("the kubelet is not set to seccompDefault".into())
                }
            },
            Needs::NewPod | Needs::GitRepo => return None,
        };
        Some(both(needed, self.doubt()))
    }

    /// What it depends on whether a version has the flaw.
    fn doubt(&self) -> Certainty {
        match (self.part, self.needs) {
            (Part::Kernel, _) => Certainty::Conditional(
                format!(
                    "the node's distribution has not carried back what corrects {}",
                    self.id
                )
                .into(),
            ),
            // Its flaw is runc's, of which a containerd of that age came with an old one.
            (Part::Containerd, Needs::NewPod) => {
                Certainty::Conditional("the node's runc is as old as its containerd".into())
            }
            _ => Certainty::Certain,
        }
    }
}

/// The flaws of each node, with what shows them.
fn flaws<'a>(context: &Context<'a>) -> BTreeMap<&'a Text, Vec<(&'static Flaw, Evidence)>> {
    let mut flawed = BTreeMap::new();
    for (id, node) in &context.cluster.nodes {
        let info = &node.status.node_info;
        let found = FLAWS.iter().filter_map(|flaw| {
            let (pointer, version) = flaw.of(info)?;
            let node = ObjectId::cluster_scoped("Node", &id.name);
            let pointer = format!("/status/nodeInfo/{pointer}");
            Some((
                flaw,
                Evidence::new(node, pointer, format!("{version}: {}", flaw.id)),
            ))
        });
        let found: Vec<_> = found.collect();
        if !found.is_empty() {
            flawed.insert(&id.name, found);
        }
    }
    flawed
}

/// One step for each grant: to any node if all nodes have the flaw, else to the first that has it.
fn pod_create_flaw(context: &Context<'_>, sink: &mut Sink<'_>) {
    let flawed = flaws(context);
    let usable = |level: Level| {
        let all = flawed
            .iter()
            .flat_map(|(node, flaws)| flaws.iter().map(move |flaw| (*node, flaw)));
        let found = all.filter(|(_, (flaw, _))| level <= flaw.needs.level());
        found.min_by_key(|(node, (flaw, _))| (flaw.doubt().condition().is_some(), *node))
    };
    let by_level = [Level::Baseline, Level::Restricted].map(|level| (level, usable(level)));
    for (namespace, grant) in makers(context) {
        let (level, label) = pod_security(context.cluster, namespace);
        let known = by_level.iter().find(|(known, _)| *known == level);
        let Some((_, Some((node, (flaw, fact))))) = known else {
            continue;
        };
        let has = |flaws: &Vec<(&'static Flaw, Evidence)>| flaws.iter().any(|(other, _)| other.id == flaw.id);
        let everywhere = context.cluster.nodes.len() == flawed.values().filter(|flaws| has(flaws)).count();
        let reached = if everywhere {
            any_node()
        } else {
            Position::Node((*node).clone())
        };
        let certainty = both(admitted(context.cluster, namespace), flaw.doubt());
        sink.step_if([grant], reached, certainty, [label, fact.clone()]);
    }
}

fn ce_known_flaw(context: &Context<'_>, sink: &mut Sink<'_>) {
    let flawed = flaws(context);
    if flawed.is_empty() {
        return;
    }
    for pod in pods(context) {
        let (node, _) = pod.node(context.cluster);
        let Some(flaws) = flawed.get(&node) else {
            continue;
        };
        for container in pod.containers().filter(ContainerView::is_lasting) {
            let security = Security::of(context, &container);
            if security.is_sandboxed() {
                continue;
            }
            // One step for each container: the first flaw that is certain, or the first there is.
            let usable = flaws
                .iter()
                .filter_map(|(flaw, fact)| Some((flaw.use_of(&container, &security)?, fact)));
            if let Some((certainty, fact)) =
                usable.min_by_key(|(certainty, _)| certainty.condition().is_some())
            {
                let node = Position::Node(node.clone());
                sink.step_if([container.position()], node, certainty, [fact.clone()]);
            }
        }
    }
}
