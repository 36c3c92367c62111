//! What rights over running pods give: code in them.
//!
//! **Trap.** `get` on `pods/exec` opens the same stream as `create`, by WebSocket, on API servers before 1.35.

use std::collections::BTreeMap;

use super::by_name::{ByName, by_name, over};
use super::pods::{ContainerView, PodView, any_pod, both, pod, pods};
use super::structure::{listening, namespace_fact};
use super::technique::techniques;
use super::version::before;
use super::{Certainty, Context, Family, Position, Sink};
use crate::model::{Protocol, Text};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Workload;
    /// Runs commands in a pod through the API server, as `kubectl exec` does.
    ///
    /// # Preconditions
    ///
    /// The right to create `pods/exec` in the namespace, or for the pod by name. On API servers before 1.35 the
    /// right to get it is enough.
    ///
    /// What does not suffice: rights on `pods`, or on `pods/*`, which names no subresource; the name of a workload, as its
    /// pods are called otherwise.
    ///
    /// # Detection
    ///
    /// Audit log: `create` or `get` of `pods/exec`; shells in containers whose image does not start one.
    POD_EXEC: [Grant] => [Pod] {
        title: "Command in a pod",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.3"],
        falco: ["Attach/Exec Pod", "Terminal shell in container"],
        effort: 1,
        remediation: "Give pods/exec to people for the time they need it, by name where possible.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
        ],
        derive: pod_exec,
    }

    /// Puts another image into a running pod: what may be changed of its specification includes that.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch pods in the namespace, or the pod by name.
    ///
    /// What does not suffice: rights on `pods/status`.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of pods; containers that restart with another image.
    POD_PATCH: [Grant] => [Pod] {
        title: "Other image for a pod",
        mitre: ["T1609", "T1525"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.3"],
        falco: ["Drop and execute new binary in container"],
        effort: 1,
        remediation: "Leave changes of pods to controllers; people change the workload.",
        references: ["https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement"],
        derive: pod_patch,
    }

    /// Adds an ephemeral container to a running pod, as `kubectl debug` does.
    ///
    /// The container has the pod's network, mounts its volumes and can share the processes of another container.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch `pods/ephemeralcontainers` in the namespace, or for the pod by name. Pod
    /// Security looks at the new container too, but one without privileges is enough and passes every level.
    ///
    /// What does not suffice: rights on `pods`; `create` or `get` of the subresource.
    ///
    /// # Detection
    ///
    /// Audit log: `patch` of `pods/ephemeralcontainers`; pods with ephemeral containers.
    POD_DEBUG: [Grant] => [Pod] {
        title: "Ephemeral container in a pod",
        mitre: ["T1609", "T1610"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.3"],
        falco: ["EphemeralContainers Created"],
        effort: 1,
        remediation: "Give pods/ephemeralcontainers to people for the time they debug, by name where possible.",
        references: ["https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/"],
        derive: pod_debug,
    }

    /// Writes to the standard input of a container's process.
    ///
    /// # Preconditions
    ///
    /// The right to create `pods/attach` (before 1.35 also to get it) for a pod with a container that sets
    /// `stdin: true`. The process must do what it is sent, as a shell does, which the input cannot show.
    ///
    /// What does not suffice: a container without `stdin`, to which nothing can be written.
    ///
    /// # Detection
    ///
    /// Audit log: `create` or `get` of `pods/attach`.
    POD_STDIN: [Grant] => [Container] {
        title: "Standard input of a container",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.3"],
        falco: ["Attach/Exec Pod"],
        effort: 2,
        remediation: "Do not set stdin in workloads, and give pods/attach by name only.",
        references: [
            "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#debugging",
        ],
        derive: pod_stdin,
    }

    /// Runs commands in the pods of a node through its kubelet, past admission and most of the audit log.
    ///
    /// # Preconditions
    ///
    /// The right to create or get `nodes/proxy`, for all nodes or one by name. `get` is enough on every version: the
    /// kubelet takes commands by WebSocket, and the request that opens one is a GET. The finer rights that
    /// kubelets ask for since 1.32 (`nodes/pods`, `nodes/log`) stand beside `nodes/proxy` and take nothing from
    /// it.
    ///
    /// What does not suffice: `nodes/pods`, `nodes/metrics`, `nodes/stats` or `nodes/log`; rights by a
    /// RoleBinding. It is not root on the node either.
    ///
    /// # Detection
    ///
    /// Audit log: `nodes/proxy` by anything but monitoring; requests to port 10250 from pods are in no audit log.
    KUBELET_EXEC: [Grant] => [Pod] {
        title: "Command in a pod through the kubelet",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
        cis: ["5.1.10"],
        falco: ["Terminal shell in container"],
        effort: 1,
        remediation: "Replace nodes/proxy by the subresources that monitoring needs: nodes/metrics, nodes/stats, nodes/pods.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes",
            "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
        ],
        derive: kubelet_exec,
    }

    /// Reaches a port of a pod through the API server, past network policies.
    ///
    /// # Preconditions
    ///
    /// The right to create `pods/portforward` (before 1.35 also to get it) in the namespace, or for the pod by
    /// name. The node's kubelet opens the connection within the pod.
    ///
    /// What does not suffice: `pods/proxy` and `services/proxy`, which carry HTTP only.
    ///
    /// # Detection
    ///
    /// Audit log: `create` or `get` of `pods/portforward`.
    PORT_FORWARD: [Grant] => [Port] {
        title: "Forwarded port",
        mitre: ["T1090", "T1021"],
        microsoft: ["MS-TA9034"],
        owasp: ["K02", "K05"],
        cis: ["5.1.3", "5.3.2"],
        falco: ["port-forward"],
        effort: 1,
        remediation: "Give pods/portforward by name only; network policies do not see it.",
        references: [
            "https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/",
        ],
        derive: port_forward,
    }
}

/// The first minor version whose API server asks for `create` where `get` was enough.
const GET_ENDS: u16 = 35;

/// Adds the pods that a power reaches: all of a namespace, or one by name.
fn reached(context: &Context<'_>, sink: &mut Sink<'_>, power: &'static Power, certainty: &Certainty) {
    for (namespace, grant) in context.held.namespaces(power) {
        let fact = [namespace_fact(namespace)];
        sink.step_if([grant], any_pod(namespace), certainty.clone(), fact);
    }
    for (index, grants) in by_name(context, power) {
        let Some(pod) = pod(context.cluster, index) else {
            continue;
        };
        for (grant, called) in grants {
            let certainty = both(certainty.clone(), called);
            sink.step_if([grant], pod.position(), certainty, [pod.fact("", "")]);
        }
    }
}

fn pod_exec(context: &Context<'_>, sink: &mut Sink<'_>) {
    reached(context, sink, &power::EXEC_PODS, &Certainty::Certain);
    if let Some(certainty) = before(context.cluster, GET_ENDS) {
        reached(context, sink, &power::EXEC_PODS_BY_GET, &certainty);
    }
}

fn pod_patch(context: &Context<'_>, sink: &mut Sink<'_>) {
    reached(context, sink, &power::UPDATE_PODS, &Certainty::Certain);
}

fn pod_debug(context: &Context<'_>, sink: &mut Sink<'_>) {
    reached(context, sink, &power::DEBUG_PODS, &Certainty::Certain);
}

/// A power over a stream of a pod that counts on this API server.
struct Stream {
    power: &'static Power,
    certainty: Certainty,
    by_name: ByName,
}

impl Stream {
    /// The grants that reach a pod, each with how sure that is.
    fn over(&self, context: &Context<'_>, pod: &PodView<'_>) -> Vec<(Position, Certainty)> {
        let grants = over(context, self.power, &self.by_name, pod).into_iter();
        grants
            .map(|(grant, called)| (grant, both(self.certainty.clone(), called)))
            .collect()
    }
}

fn streams(context: &Context<'_>, create: &'static Power, get: &'static Power) -> Vec<Stream> {
    let by_get = before(context.cluster, GET_ENDS).map(|certainty| (get, certainty));
    let all = [(create, Certainty::Certain)].into_iter().chain(by_get);
    all.map(|(power, certainty)| Stream {
        power,
        certainty,
        by_name: by_name(context, power),
    })
    .collect()
}

fn pod_stdin(context: &Context<'_>, sink: &mut Sink<'_>) {
    let streams = streams(context, &power::ATTACH_PODS, &power::ATTACH_PODS_BY_GET);
    for pod in pods(context) {
        let waits =
            |container: &ContainerView<'_>| container.is_lasting() && container.container.stdin == Some(true);
        for container in pod.containers().filter(waits) {
            for stream in &streams {
                let obeys = format!("the process of {} does what it is sent", container.container.name);
                for (grant, certainty) in stream.over(context, &pod) {
                    let fact = [container.fact("/stdin", "true")];
                    let certainty = both(certainty, Certainty::Conditional(obeys.as_str().into()));
                    sink.step_if([grant], container.position(), certainty, fact);
                }
            }
        }
    }
}

fn kubelet_exec(context: &Context<'_>, sink: &mut Sink<'_>) {
    for power in [&power::PROXY_NODES, &power::PROXY_NODES_BY_GET] {
        if let Some(grant) = context.held.everywhere(power) {
            for namespace in context.held.places(&Text::default()) {
                let fact = [namespace_fact(namespace)];
                sink.step([grant.clone()], any_pod(namespace), fact);
            }
        }
        let names = context.held.names(power);
        let by_node: BTreeMap<&Text, Position> = names.map(|(_, node, grant)| (node, grant)).collect();
        if by_node.is_empty() {
            continue;
        }
        for pod in pods(context) {
            let (node, certainty) = pod.node(context.cluster);
            if let Some(grant) = by_node.get(&node) {
                let fact = [pod.node_evidence()];
                sink.step_if([grant.clone()], pod.position(), certainty, fact);
            }
        }
    }
}

fn port_forward(context: &Context<'_>, sink: &mut Sink<'_>) {
    let streams = streams(context, &power::FORWARD_PORTS, &power::FORWARD_PORTS_BY_GET);
    let ports = listening(context);
    for pod in pods(context) {
        for &(port, protocol) in ports.get(&pod.index).into_iter().flatten() {
            if protocol != Protocol::Tcp {
                continue;
            }
            for (grant, certainty) in streams.iter().flat_map(|stream| stream.over(context, &pod)) {
                let reached = Position::Port(pod.place.clone(), port, protocol);
                sink.step_if([grant], reached, certainty, [pod.fact("", "")]);
            }
        }
    }
}
