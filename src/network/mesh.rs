//! Which pods take part in Istio's mesh, and how.
//!
//! A proxy beside the application (sidecar) or on the node (ambient) gives them an identity and decides for them.
//!
//! **Trap.** What a namespace asks for holds for pods made since: a running pod has a proxy or it has none, and
//! only for a pod that stands for a template the namespace's label counts.
//! Sources: <https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/>,
//! <https://istio.io/latest/docs/ambient/usage/add-workloads/>

use crate::model::{Cluster, Pod, Text};

/// The proxy's container.
const PROXY: &str = "istio-proxy";
/// Has a proxy beside it.
const SIDECAR: &str = "sidecar";
/// Is a proxy itself, for traffic of others.
pub(super) const GATEWAY: &str = "gateway";
/// Is served by the proxy of its node.
pub(super) const AMBIENT: &str = "ambient";

/// How a pod takes part; none if it does not.
pub(super) fn mode(cluster: &Cluster, pod: &Pod) -> Option<&'static str> {
    let proxy = pod
        .spec
        .lasting_containers()
        .find(|container| container.name == PROXY);
    if let Some(proxy) = proxy {
        let routes = proxy.args.words().iter().any(|word| word.text == "router");
        return Some(if routes { GATEWAY } else { SIDECAR });
    }
    if pod.spec.is_host_network() {
        return None;
    }
    let namespace = cluster
        .namespace(&pod.meta.namespace)
        .map(|namespace| &namespace.meta.labels);
    let asks = |key: &str| namespace.and_then(|labels| labels.get(key)).map(Text::as_str);
    let own = |key: &str| {
        let meta = &pod.meta;
        let value = meta.labels.get(key).or_else(|| meta.annotations.get(key));
        value.map(Text::as_str)
    };
    let is_template = pod.status.phase.is_empty();
    if is_template {
        let wanted = match own("sidecar.istio.io/inject") {
            Some(wanted) => wanted == "true",
            None => {
                asks("istio-injection") == Some("enabled")
                    || asks("istio.io/rev").is_some() && asks("istio-injection").is_none()
            }
        };
        if wanted {
            return Some(SIDECAR);
        }
    }
    let mode = own("istio.io/dataplane-mode").or_else(|| asks("istio.io/dataplane-mode"));
    (mode == Some("ambient")).then_some(AMBIENT)
}

/// Whether the input shows a mesh at all.
///
/// # Complexity
/// O(pods) where it does not.
pub(super) fn is_shown(cluster: &Cluster) -> bool {
    cluster.pods.values().any(|pod| mode(cluster, pod).is_some())
}
