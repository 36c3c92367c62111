//! Well-known controllers of Ingresses, Gateways and Routes: how their pods are recognised, and what stands for
//! them where the input does not hold them.
//!
//! A policy that lets in the namespace of a controller means the controller, whether or not the input holds it.
//!
//! **Trap.** A cloud's load balancer is no pod: its packets come from outside, and its controller's pod only
//! configures it.

use crate::model::{Cluster, Labels, NAMESPACE_NAME, Pod, Text};

/// Pods that carry traffic from outside to backends.
#[derive(Debug)]
pub struct Controller {
    /// Its name in output.
    pub name: &'static str,
    /// What its IngressClasses and GatewayClasses name as their controller begins with one of these.
    pub classes: &'static [&'static str],
    /// The namespace it is installed to.
    pub namespace: &'static str,
    /// Labels of that namespace.
    pub namespace_labels: &'static [(&'static str, &'static str)],
    /// Labels of the pods that carry the traffic; the rarest first.
    pub pod_labels: &'static [(&'static str, &'static str)],
    /// Labels that those pods have too as they are usually installed.
    pub usual_labels: &'static [(&'static str, &'static str)],
}

/// The positions of the pods of each controller of the table, those that have ended left out.
///
/// # Complexity
/// O(pods × different first labels), which are few: only a pod that carries one is looked at closely.
pub(super) fn pods(cluster: &Cluster) -> Vec<Vec<usize>> {
    let mut by_key: Vec<(&str, Vec<usize>)> = Vec::new();
    for (number, controller) in CONTROLLERS.iter().enumerate() {
        let Some((key, _)) = controller.pod_labels.first() else {
            continue;
        };
        match by_key.iter_mut().find(|(known, _)| known == key) {
            Some((_, numbers)) => numbers.push(number),
            None => by_key.push((key, vec![number])),
        }
    }
    let mut found = vec![Vec::new(); CONTROLLERS.len()];
    for (index, pod) in cluster.pods.values().enumerate() {
        for (key, numbers) in &by_key {
            let Some(value) = pod.meta.labels.get(key) else {
                continue;
            };
            for &number in numbers {
                let controller = &CONTROLLERS[number];
                let first = controller.pod_labels.first();
                if first.is_some_and(|(_, wanted)| value == wanted)
                    && controller.is_pod(pod)
                    && !pod.has_ended()
                {
                    found[number].push(index);
                }
            }
        }
    }
    found
}

/// What is taken where no controller is known: a pod without labels, in a namespace that no policy names.
pub(super) const UNKNOWN: usize = 0;

/// The table.
pub(super) static CONTROLLERS: &[Controller] = &[
    Controller {
        name: "ingress-controller",
        classes: &[],
        namespace: "ingress-controller",
        namespace_labels: &[],
        pod_labels: &[],
        usual_labels: &[],
    },
    Controller {
        name: "ingress-nginx",
        classes: &["k8s.io/ingress-nginx"],
        namespace: "ingress-nginx",
        namespace_labels: &[
            ("app.kubernetes.io/instance", "ingress-nginx"),
            ("app.kubernetes.io/name", "ingress-nginx"),
        ],
        pod_labels: &[
            ("app.kubernetes.io/name", "ingress-nginx"),
            ("app.kubernetes.io/component", "controller"),
        ],
        usual_labels: &[("app.kubernetes.io/instance", "ingress-nginx")],
    },
    Controller {
        name: "nginx-ingress",
        classes: &["nginx.org/ingress-controller"],
        namespace: "nginx-ingress",
        namespace_labels: &[],
        pod_labels: &[
            ("app", "nginx-ingress"),
            ("app.kubernetes.io/name", "nginx-ingress"),
        ],
        usual_labels: &[],
    },
    Controller {
        name: "traefik",
        classes: &["traefik.io/"],
        namespace: "traefik",
        namespace_labels: &[],
        pod_labels: &[("app.kubernetes.io/name", "traefik")],
        usual_labels: &[],
    },
    Controller {
        name: "haproxy",
        classes: &["haproxy.org/ingress-controller"],
        namespace: "haproxy-controller",
        namespace_labels: &[],
        pod_labels: &[("app.kubernetes.io/name", "kubernetes-ingress")],
        usual_labels: &[],
    },
    Controller {
        name: "contour",
        classes: &["projectcontour.io/"],
        namespace: "projectcontour",
        namespace_labels: &[],
        pod_labels: &[("app", "envoy")],
        usual_labels: &[],
    },
    Controller {
        name: "kong",
        classes: &["ingress-controllers.konghq.com/", "konghq.com/"],
        namespace: "kong",
        namespace_labels: &[],
        pod_labels: &[("app.kubernetes.io/name", "kong")],
        usual_labels: &[],
    },
    Controller {
        name: "istio",
        classes: &["istio.io/"],
        namespace: "istio-system",
        namespace_labels: &[],
        pod_labels: &[("istio", "ingressgateway"), ("app", "istio-ingressgateway")],
        usual_labels: &[],
    },
    Controller {
        name: "envoy-gateway",
        classes: &["gateway.envoyproxy.io/"],
        namespace: "envoy-gateway-system",
        namespace_labels: &[],
        pod_labels: &[
            ("app.kubernetes.io/name", "envoy"),
            ("app.kubernetes.io/managed-by", "envoy-gateway"),
        ],
        usual_labels: &[],
    },
    Controller {
        name: "openshift-router",
        classes: &["openshift.io/ingress-to-route"],
        namespace: "openshift-ingress",
        // What policies select it by:
        // https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/network_security/network-policy
        namespace_labels: &[
            ("network.openshift.io/policy-group", "ingress"),
            ("policy-group.network.openshift.io/ingress", ""),
        ],
        pod_labels: &[(
            "ingresscontroller.operator.openshift.io/deployment-ingresscontroller",
            "default",
        )],
        usual_labels: &[],
    },
];

/// Controllers that configure a load balancer outside the cluster.
pub(super) const OUTSIDE: &[&str] = &[
    "ingress.k8s.aws/",
    "eks.amazonaws.com/",
    "k8s.io/ingress-gce",
    "networking.gke.io/",
    "azure/application-gateway",
    "alb.networking.azure.io/",
];

impl Controller {
    /// The name and labels of its namespace, and the labels of its pods.
    pub(super) fn labels(&self) -> (Text, Labels, Labels) {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs
                .iter()
                .map(|(key, value)| (Text::new(key), Text::new(value)))
                .collect()
        };
        let namespace = labels(self.namespace_labels).with(NAMESPACE_NAME, self.namespace);
        let pods: Vec<_> = self.pod_labels.iter().chain(self.usual_labels).copied().collect();
        (Text::new(self.namespace), namespace, labels(&pods))
    }

    /// Whether this controller serves classes that name `class` as theirs.
    pub(super) fn serves(&self, class: &str) -> bool {
        self.classes.iter().any(|known| class.starts_with(known))
    }

    /// Whether a pod is one of its pods.
    pub(super) fn is_pod(&self, pod: &Pod) -> bool {
        let has = |(key, value): &(&str, &str)| pod.meta.labels.get(key).is_some_and(|label| label == *value);
        !self.pod_labels.is_empty() && self.pod_labels.iter().all(has)
    }
}
