//! What rights over running pods give: code in them.
//!
//! **Trap.** `get` on `pods/exec` opens the same stream as `create`, by WebSocket, on API servers before 1.35.

use super::pods::any_pod;
use super::structure::namespace_fact;
use super::technique::techniques;
use super::version::before;
use super::{Certainty, Context, Evidence, Family, Place, Position, Sink};
use crate::model::ObjectId;
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Workload;
    /// Runs commands in a pod through the API server, as `kubectl exec` does.
    ///
    /// # Preconditions
    ///
    /// The right to create `pods/exec` in the namespace, or for the pod by name. On API servers before 1.35 the
    /// right to get it is enough.
    ///
    /// What does not suffice: rights on `pods`, or on `pods/*`, which names no subresource.
    ///
    /// # Detection
    ///
    /// Audit log: `create` or `get` of `pods/exec`; shells in containers whose image does not start one.
    POD_EXEC: [Grant] => [Pod] {
        title: "Command in a pod",
        mitre: ["T1609"],
        microsoft: ["MS-TA9006"],
        owasp: ["K02"],
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
        effort: 1,
        remediation: "Leave changes of pods to controllers; people change the workload.",
        references: ["https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement"],
        derive: pod_patch,
    }
}

/// The first minor version whose API server asks for `create` where `get` was enough.
const GET_ENDS: u16 = 35;

/// Adds the pods that a power reaches: all of a namespace, or one by name.
fn reached(context: &Context<'_>, sink: &mut Sink<'_>, power: &'static Power, certainty: &Certainty) {
    for (namespace, grant) in context.held.namespaces(power) {
        let fact = vec![namespace_fact(namespace)];
        sink.step_if([grant], any_pod(namespace), certainty.clone(), fact);
    }
    for (namespace, name, grant) in context.held.names(power) {
        for place in context.held.places(namespace) {
            if context.cluster.pod(place, name).is_some() {
                let fact = vec![Evidence::new(ObjectId::new("Pod", place, name), "", "")];
                let pod = Position::Pod(Place::new(place, name));
                sink.step_if([grant.clone()], pod, certainty.clone(), fact);
            }
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
