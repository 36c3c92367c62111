//! Powers over how packets flow: Services, what is behind them, routes from outside, and network policies.
//!
//! **Trap.** Most networks have policies of their own beside NetworkPolicy, some of them cluster-scoped.

use super::{on, power_table, wide};

const GATEWAY: &str = "gateway.networking.k8s.io";

power_table! {
    /// Where the traffic of a Service goes.
    WRITE_ENDPOINTS = "write-endpoints", "write Endpoints", [on("create update patch", "", "endpoints")];
    /// Where the traffic of a Service goes.
    WRITE_ENDPOINT_SLICES = "write-endpoint-slices", "write EndpointSlices",
        [on("create update patch", "discovery.k8s.io", "endpointslices")];
    /// A Service: new exposure, or the traffic to an external address.
    CREATE_SERVICES = "create-services", "create Services", [on("create", "", "services")];
    /// Selector, type and external addresses of a Service.
    UPDATE_SERVICES = "update-services", "change Services", [on("update patch", "", "services")];
    /// The addresses of a load balancer, whose traffic nodes then keep.
    UPDATE_SERVICE_STATUS = "update-service-status", "change the status of Services",
        [on("update patch", "", "services/status")];
    /// An opening: a policy that allows adds to those that are there.
    CREATE_NETWORK_POLICIES = "create-network-policies", "create NetworkPolicies",
        [on("create", "networking.k8s.io", "networkpolicies")];
    /// An opening in a policy, or its end.
    WEAKEN_NETWORK_POLICIES = "weaken-network-policies", "change or delete NetworkPolicies",
        [on("update patch delete deletecollection", "networking.k8s.io", "networkpolicies")];
    /// The same for policies of network plugins.
    WRITE_PLUGIN_POLICIES = "write-plugin-policies", "write network policies of the network plugin", [
        on("create update patch delete deletecollection", "cilium.io", "ciliumnetworkpolicies"),
        on("create update patch delete deletecollection", "crd.projectcalico.org", "networkpolicies"),
        on("create update patch delete deletecollection", "projectcalico.org", "networkpolicies"),
        on("create update patch delete deletecollection", "crd.antrea.io", "networkpolicies"),
    ];
    /// The same for policies of the whole cluster.
    WRITE_CLUSTER_POLICIES = "write-cluster-policies", "write network policies of the whole cluster", [
        wide("create update patch delete deletecollection", "policy.networking.k8s.io",
            "adminnetworkpolicies baselineadminnetworkpolicies clusternetworkpolicies"),
        wide("create update patch delete deletecollection", "cilium.io", "ciliumclusterwidenetworkpolicies"),
        wide("create update patch delete deletecollection", "crd.projectcalico.org", "globalnetworkpolicies"),
        wide("create update patch delete deletecollection", "projectcalico.org", "globalnetworkpolicies"),
        wide("create update patch delete deletecollection", "crd.antrea.io", "clusternetworkpolicies"),
    ];
    /// A way in, another's host name, or settings of the ingress controller.
    WRITE_INGRESSES = "write-ingresses", "write Ingresses",
        [on("create update patch", "networking.k8s.io", "ingresses")];
    /// A way in.
    WRITE_GATEWAYS = "write-gateways", "write Gateways", [on("create update patch", GATEWAY, "gateways")];
    /// A way in behind a Gateway.
    WRITE_GATEWAY_ROUTES = "write-gateway-routes", "write routes of Gateways",
        [on("create update patch", GATEWAY, "httproutes grpcroutes tlsroutes tcproutes udproutes")];
    /// TLS Secrets and Services of this namespace for others.
    WRITE_REFERENCE_GRANTS = "write-reference-grants", "write ReferenceGrants",
        [on("create update patch", GATEWAY, "referencegrants")];
    /// A way in on OpenShift.
    WRITE_ROUTES = "write-routes", "write Routes",
        [on("create update patch", "route.openshift.io", "routes")];
}
