//! Ways in from outside.

use super::pods::{ContainerView, PodView, pod};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::network::Exposure;

techniques! { TECHNIQUES, Family::Exposure;
    /// Runs code in a container by a flaw of the application that it shows to the outside.
    ///
    /// This is the hypothesis that an analysis starts from, not a finding: every exposed application is taken
    /// to have such a flaw some day.
    ///
    /// # Preconditions
    ///
    /// The outside reaches a port of the pod: through a Service of type LoadBalancer or NodePort, an external
    /// address, an Ingress, a Gateway or a port of the node. The container is the one that declares the port,
    /// or the only one of its pod; of several that do not, any.
    ///
    /// What does not suffice: a Service that only the cluster reaches, or a port that a policy closes to the
    /// outside.
    ///
    /// # Detection
    ///
    /// Web application firewall and access logs of the entry; processes in the container that its image does
    /// not start, shells above all.
    EXPLOIT_PUBLIC_APP: [Internet, Port] => [Container, Pod] {
        title: "Exploit of an exposed application",
        mitre: ["T1190"],
        microsoft: ["MS-TA9004", "MS-TA9005"],
        owasp: ["K06", "K07"],
        cis: ["5.3.2"],
        falco: ["Redirect STDOUT/STDIN to Network Connection in Container", "Drop and execute new binary in container"],
        effort: 3,
        remediation: "Expose only what must be reached from outside, patch it, and put authentication in front of it.",
        references: [
            "https://attack.mitre.org/techniques/T1190/",
            "https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
        ],
        derive: exploit_public_app,
    }
}

fn exploit_public_app(context: &Context<'_>, sink: &mut Sink<'_>) {
    for exposure in context.network.exposures() {
        let Some(pod) = pod(context.cluster, exposure.pod) else {
            continue;
        };
        let port = Position::Port(pod.place.clone(), exposure.port, exposure.protocol);
        let (broken, declared) = behind(&pod, exposure);
        let via = exposure.via.iter();
        let evidence = via.map(|id| Evidence::new(id.clone(), "", "")).chain(declared);
        sink.step_if([Position::Internet, port], broken, Certainty::Assumed, evidence);
    }
}

/// What answers on the port, and what says so.
fn behind(pod: &PodView<'_>, exposure: &Exposure) -> (Position, Option<Evidence>) {
    let lasting: Vec<_> = pod.containers().filter(ContainerView::is_lasting).collect();
    for container in &lasting {
        let declared = container
            .container
            .ports
            .iter()
            .position(|port| port.container_port == exposure.port && port.protocol == exposure.protocol);
        if let Some(at) = declared {
            let fact = container.fact(
                format_args!("/ports/{at}/containerPort"),
                exposure.port.to_string(),
            );
            return (container.position(), Some(fact));
        }
    }
    match lasting.as_slice() {
        [only] => (only.position(), Some(only.fact("/name", &only.container.name))),
        _ => (pod.position(), None),
    }
}
