//! Network policies: NetworkPolicy, and the three admin kinds of the network policy API.
//!
//! **Trap.** An absent list and an empty one differ: `egress:` absent does not isolate, `from:` absent allows
//! everyone, `policyTypes` absent is derived. Such fields are `Option`.
//! Sources: <https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/>,
//! <https://network-policy-api.sigs.k8s.io/reference/spec/>

use super::lenient::slim;
use super::{LabelSelector, Meta, PortReference, Protocol, Text};

slim! {
    /// A NetworkPolicy of `networking.k8s.io/v1`.
    pub struct NetworkPolicy {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: NetworkPolicySpec,
    }

    /// `spec` of a NetworkPolicy.
    pub struct NetworkPolicySpec {
        pod_selector: LabelSelector,
        policy_types: Option<Vec<Text>>,
        ingress: Option<Vec<IngressPolicyRule>>,
        egress: Option<Vec<EgressPolicyRule>>,
    }

    /// `spec.ingress[]`.
    pub struct IngressPolicyRule { from: Option<Vec<PolicyPeer>>, ports: Option<Vec<PolicyPort>>, }

    /// `spec.egress[]`.
    pub struct EgressPolicyRule { to: Option<Vec<PolicyPeer>>, ports: Option<Vec<PolicyPort>>, }

    /// A peer of a rule.
    pub struct PolicyPeer {
        pod_selector: Option<LabelSelector>,
        namespace_selector: Option<LabelSelector>,
        ip_block: Option<IpBlock>,
    }

    /// `ipBlock`.
    pub struct IpBlock { cidr: Text, except: Vec<Text>, }

    /// A port of a rule; unset protocol means TCP.
    pub struct PolicyPort { protocol: Option<Protocol>, port: Option<PortReference>, end_port: Option<u16>, }

    /// AdminNetworkPolicy, BaselineAdminNetworkPolicy or ClusterNetworkPolicy.
    pub struct AdminPolicy {
        #[serde(rename = "metadata")]
        meta: Meta,
        spec: AdminPolicySpec,
    }

    /// `spec` of an admin policy.
    pub struct AdminPolicySpec {
        /// Of a ClusterNetworkPolicy: `Admin` or `Baseline`.
        tier: Text,
        priority: Option<i32>,
        subject: AdminSubject,
        ingress: Vec<AdminRule>,
        egress: Vec<AdminRule>,
    }

    /// `spec.subject`; exactly one is set.
    pub struct AdminSubject { namespaces: Option<LabelSelector>, pods: Option<NamespacedPods>, }

    /// Pods by namespace and label.
    pub struct NamespacedPods { namespace_selector: LabelSelector, pod_selector: LabelSelector, }

    /// A rule of an admin policy; ingress rules have `from`, egress rules `to`.
    pub struct AdminRule {
        name: Text,
        action: Text,
        from: Option<Vec<AdminPeer>>,
        to: Option<Vec<AdminPeer>>,
        ports: Option<Vec<AdminPort>>,
        /// Of a ClusterNetworkPolicy, in place of `ports`.
        protocols: Option<Vec<AdminProtocol>>,
    }

    /// A peer of an admin rule; none set means a kind of peer that is not known here.
    pub struct AdminPeer {
        namespaces: Option<LabelSelector>,
        pods: Option<NamespacedPods>,
        nodes: Option<LabelSelector>,
        networks: Option<Vec<Text>>,
        domain_names: Option<Vec<Text>>,
    }

    /// `ports[]` of an admin rule; exactly one is set.
    pub struct AdminPort {
        port_number: Option<AdminPortNumber>,
        port_range: Option<AdminPortRange>,
        named_port: Option<Text>,
    }

    /// `portNumber`.
    pub struct AdminPortNumber { protocol: Protocol, port: u16, }

    /// `portRange`.
    pub struct AdminPortRange { protocol: Protocol, start: u16, end: u16, }

    /// `protocols[]` of a ClusterNetworkPolicy rule; exactly one is set.
    pub struct AdminProtocol {
        tcp: Option<AdminDestination>,
        udp: Option<AdminDestination>,
        sctp: Option<AdminDestination>,
        destination_named_port: Option<Text>,
    }

    /// The destination of one protocol.
    pub struct AdminDestination { destination_port: Option<AdminDestinationPort>, }

    /// `destinationPort`; one is set.
    pub struct AdminDestinationPort { number: Option<u16>, range: Option<AdminPortSpan>, }

    /// `range`.
    pub struct AdminPortSpan { start: u16, end: u16, }
}
