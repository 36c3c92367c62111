//! Services and the endpoints behind them.
//!
//! **Trap.** A Service without a selector selects nothing; its endpoints are written by hand and may point
//! anywhere. Source: <https://kubernetes.io/docs/concepts/services-networking/service/>

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::lenient::slim;
use super::{Labels, Meta, ObjectReference, Protocol, Text};

slim! {
    /// A Service.
    pub struct Service {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: ServiceSpec,
        status: ServiceStatus,
    }

    /// `spec` of a Service.
    pub struct ServiceSpec {
        r#type: Text,
        selector: Labels,
        ports: Vec<ServicePort>,
        #[serde(rename = "clusterIP")]
        cluster_ip: Text,
        #[serde(rename = "externalIPs")]
        external_ips: Vec<Text>,
        external_name: Text,
        external_traffic_policy: Text,
        load_balancer_source_ranges: Vec<Text>,
        #[serde(rename = "loadBalancerIP")]
        load_balancer_ip: Text,
        load_balancer_class: Text,
        allocate_load_balancer_node_ports: Option<bool>,
        publish_not_ready_addresses: Option<bool>,
    }

    /// `spec.ports[]`.
    pub struct ServicePort {
        name: Text,
        port: u16,
        target_port: Option<PortReference>,
        node_port: Option<u16>,
        protocol: Protocol,
    }

    /// `status` of a Service.
    pub struct ServiceStatus { load_balancer: LoadBalancerStatus, }

    /// `status.loadBalancer`.
    pub struct LoadBalancerStatus { ingress: Vec<LoadBalancerIngress>, }

    /// `status.loadBalancer.ingress[]`.
    pub struct LoadBalancerIngress { ip: Text, hostname: Text, }

    /// The addresses behind a Service, old form.
    pub struct Endpoints {
        #[serde(rename = "metadata")]
        meta: Meta,
        subsets: Vec<EndpointSubset>,
    }

    /// `subsets[]`.
    pub struct EndpointSubset {
        addresses: Vec<EndpointAddress>,
        not_ready_addresses: Vec<EndpointAddress>,
        ports: Vec<EndpointPort>,
    }

    /// `subsets[].addresses[]`.
    pub struct EndpointAddress { ip: Text, hostname: Text, node_name: Text, target_ref: Option<ObjectReference>, }

    /// A port of a subset or slice.
    pub struct EndpointPort { name: Text, port: Option<u16>, protocol: Protocol, }

    /// The addresses behind a Service; label `kubernetes.io/service-name` names it.
    pub struct EndpointSlice {
        #[serde(rename = "metadata")]
        meta: Meta,
        address_type: Text,
        endpoints: Vec<Endpoint>,
        ports: Vec<EndpointPort>,
    }

    /// `endpoints[]` of a slice.
    pub struct Endpoint {
        addresses: Vec<Text>,
        conditions: EndpointConditions,
        node_name: Text,
        target_ref: Option<ObjectReference>,
    }

    /// `endpoints[].conditions`.
    pub struct EndpointConditions { ready: Option<bool>, serving: Option<bool>, terminating: Option<bool>, }
}

/// A port by number or by name: the API's IntOrString.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortReference {
    /// By number.
    Number(u16),
    /// By the name that a container gives it.
    Name(Text),
}

impl Default for PortReference {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl fmt::Display for PortReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => write!(f, "{name}"),
        }
    }
}

impl Serialize for PortReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_u16(*number),
            Self::Name(name) => name.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PortReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortVisitor;
        impl Visitor<'_> for PortVisitor {
            type Value = PortReference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port number or a port's name")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<PortReference, E> {
                u16::try_from(number)
                    .map(PortReference::Number)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<PortReference, E> {
                u16::try_from(number)
                    .map(PortReference::Number)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PortReference, E> {
                Ok(text
                    .parse()
                    .map_or_else(|_| PortReference::Name(text.into()), PortReference::Number))
            }
        }
        deserializer.deserialize_any(PortVisitor)
    }
}
