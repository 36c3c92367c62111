//! Ways in from outside: Ingress, Gateway API, OpenShift Route.
//!
//! Sources: <https://kubernetes.io/docs/concepts/services-networking/ingress/>,
//! <https://gateway-api.sigs.k8s.io/reference/spec/>,
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/network_apis/route-route-openshift-io-v1>

use super::lenient::slim;
use super::{LabelSelector, Meta, PortReference, Text};

slim! {
    /// An Ingress of `networking.k8s.io/v1`.
    pub struct Ingress {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: IngressSpec,
    }

    /// `spec` of an Ingress.
    pub struct IngressSpec {
        ingress_class_name: Option<Text>,
        default_backend: Option<IngressBackend>,
        rules: Vec<IngressRule>,
        tls: Vec<IngressTls>,
    }

    /// `spec.rules[]`.
    pub struct IngressRule { host: Text, http: Option<HttpPaths>, }

    /// `spec.rules[].http`.
    pub struct HttpPaths { paths: Vec<HttpPath>, }

    /// `spec.rules[].http.paths[]`.
    pub struct HttpPath { path: Text, path_type: Text, backend: IngressBackend, }

    /// A backend; one of service and resource is set.
    pub struct IngressBackend { service: Option<IngressServiceBackend>, resource: Option<TypedReference>, }

    /// `backend.service`.
    pub struct IngressServiceBackend { name: Text, port: IngressServicePort, }

    /// `backend.service.port`.
    pub struct IngressServicePort { name: Text, number: Option<u16>, }

    /// `spec.tls[]`.
    pub struct IngressTls { hosts: Vec<Text>, secret_name: Text, }

    /// A reference by group, kind and name.
    pub struct TypedReference { api_group: Text, kind: Text, name: Text, }

    /// An IngressClass.
    pub struct IngressClass {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: IngressClassSpec,
    }

    /// `spec` of an IngressClass.
    pub struct IngressClassSpec { controller: Text, }

    /// A Gateway.
    pub struct Gateway {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: GatewaySpec,
    }

    /// `spec` of a Gateway.
    pub struct GatewaySpec { gateway_class_name: Text, listeners: Vec<Listener>, }

    /// `spec.listeners[]`.
    pub struct Listener {
        name: Text,
        hostname: Text,
        port: u16,
        protocol: Text,
        allowed_routes: AllowedRoutes,
        tls: Option<ListenerTls>,
    }

    /// `listeners[].tls`.
    pub struct ListenerTls { mode: Text, certificate_refs: Vec<BackendReference>, }

    /// `listeners[].allowedRoutes`.
    pub struct AllowedRoutes { namespaces: RouteNamespaces, kinds: Vec<RouteKind>, }

    /// `allowedRoutes.namespaces`; `from` unset means `Same`.
    pub struct RouteNamespaces { from: Text, selector: Option<LabelSelector>, }

    /// `allowedRoutes.kinds[]`.
    pub struct RouteKind { group: Text, kind: Text, }

    /// A GatewayClass.
    pub struct GatewayClass {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: GatewayClassSpec,
    }

    /// `spec` of a GatewayClass.
    pub struct GatewayClassSpec { controller_name: Text, }

    /// HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute.
    pub struct GatewayRoute {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: GatewayRouteSpec,
    }

    /// `spec` of a Gateway API route.
    pub struct GatewayRouteSpec {
        parent_refs: Vec<ParentReference>,
        hostnames: Vec<Text>,
        rules: Vec<GatewayRouteRule>,
    }

    /// `spec.parentRefs[]`; group unset means the Gateway API's, kind unset means Gateway.
    pub struct ParentReference {
        group: Option<Text>,
        kind: Option<Text>,
        namespace: Text,
        name: Text,
        section_name: Text,
        port: Option<u16>,
    }

    /// `spec.rules[]`.
    pub struct GatewayRouteRule { backend_refs: Vec<BackendReference>, }

    /// A backend or certificate; group unset means core, kind unset Service, weight unset 1.
    pub struct BackendReference {
        group: Option<Text>,
        kind: Option<Text>,
        namespace: Text,
        name: Text,
        port: Option<u16>,
        weight: Option<i64>,
    }

    /// A permission to refer to objects of this namespace.
    pub struct ReferenceGrant {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: ReferenceGrantSpec,
    }

    /// `spec` of a ReferenceGrant.
    pub struct ReferenceGrantSpec { from: Vec<GrantFrom>, to: Vec<GrantTo>, }

    /// `spec.from[]`.
    pub struct GrantFrom { group: Text, kind: Text, namespace: Text, }

    /// `spec.to[]`.
    pub struct GrantTo { group: Text, kind: Text, name: Text, }

    /// An OpenShift Route.
    pub struct Route {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: RouteSpec,
    }

    /// `spec` of an OpenShift Route.
    pub struct RouteSpec {
        host: Text,
        to: RouteTarget,
        alternate_backends: Vec<RouteTarget>,
        port: Option<RoutePort>,
    }

    /// `spec.to` and `spec.alternateBackends[]`; weight unset means 100, 0 means no traffic.
    pub struct RouteTarget { kind: Text, name: Text, weight: Option<i64>, }

    /// `spec.port`.
    pub struct RoutePort { target_port: PortReference, }
}
