//! Who reaches the API server, cloud metadata and addresses outside.

use beachhead::collect::read_text;
use beachhead::model::Protocol;
use beachhead::network::{Allowed, Network, Verdict};

const POD: &str = r#"
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.1}]}}
"#;

/// The API server's own endpoints, on the node `n1`.
const SERVER: &str = r"---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: default, name: kubernetes, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [192.168.0.1]}]
ports: [{name: https, port: 6443, protocol: TCP}]
";

const OLD_SERVER: &str = r"---
apiVersion: v1
kind: Endpoints
metadata: {namespace: default, name: kubernetes}
subsets: [{addresses: [{ip: 192.168.0.1}], ports: [{name: https, port: 6443}]}]
";

fn egress(rules: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{namespace: shop, name: p}}\nspec: {{podSelector: {{}}, policyTypes: [Egress], egress: {rules}}}\n"
    )
}

fn network(manifests: &str) -> Network {
    let (cluster, _) = read_text("test.yaml", manifests, "default");
    Network::new(&cluster).0
}

fn to_api_server(more: &str) -> Verdict {
    network(&format!("{POD}{more}")).to_api_server(0).0
}

#[test]
fn the_address_of_the_api_server_decides_where_it_is_known() {
    for server in [SERVER, OLD_SERVER] {
        for (rules, wanted) in [
            ("[{to: [{ipBlock: {cidr: 8.8.8.0/24}}]}]", Verdict::Denied),
            ("[{to: [{namespaceSelector: {}}]}]", Verdict::Denied),
            ("[{ports: [{port: 443}]}]", Verdict::Denied),
            ("[{ports: [{port: 6443}]}]", Verdict::Allowed),
            ("[{}]", Verdict::Allowed),
            ("[]", Verdict::Denied),
            // Whether the block of a node's address matches the node is for the plugin to say.
            ("[{to: [{ipBlock: {cidr: 192.168.0.0/24}}]}]", Verdict::Unknown),
        ] {
            let found = to_api_server(&format!("{server}{}", egress(rules)));
            assert_eq!(found, wanted, "{rules}\n{server}");
        }
        assert_eq!(to_api_server(server), Verdict::Allowed);
    }
}

#[test]
fn an_unknown_address_of_the_api_server_leaves_only_the_extremes_sure() {
    for (rules, wanted) in [
        ("[{}]", Verdict::Allowed),
        ("[{ports: [{port: 443}, {port: 6443}]}]", Verdict::Allowed),
        ("[{ports: [{port: 443}]}]", Verdict::Unknown),
        ("[{to: [{ipBlock: {cidr: 192.168.0.0/24}}]}]", Verdict::Unknown),
        ("[{to: [{namespaceSelector: {}}]}]", Verdict::Denied),
        ("[{ports: [{port: 53, protocol: UDP}]}]", Verdict::Denied),
        ("[]", Verdict::Denied),
    ] {
        assert_eq!(to_api_server(&egress(rules)), wanted, "{rules}");
    }
    assert_eq!(to_api_server(""), Verdict::Allowed);
}

#[test]
fn the_rule_that_opens_the_api_server_is_named() {
    let rules = "[{ports: [{port: 53, protocol: UDP}]}, {ports: [{port: 6443}]}]";
    let network = network(&format!("{POD}{SERVER}{}", egress(rules)));
    let (_, by) = network.to_api_server(0);
    let Some(Allowed::Rule(policy, pointer)) = by else {
        panic!("{by:?}");
    };
    assert_eq!(policy.to_string(), "NetworkPolicy/shop/p");
    assert_eq!(pointer, "/spec/egress/1");
}

#[test]
fn cloud_metadata_is_open_unless_egress_leaves_it_out() {
    for (rules, wanted) in [
        ("[{}]", Verdict::Allowed),
        ("[]", Verdict::Denied),
        ("[{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", Verdict::Allowed),
        (
            "[{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}]",
            Verdict::Denied,
        ),
        ("[{ports: [{port: 443}]}]", Verdict::Denied),
        ("[{to: [{namespaceSelector: {}}]}]", Verdict::Denied),
    ] {
        let network = network(&format!("{POD}{}", egress(rules)));
        assert_eq!(network.to_cloud_metadata(0).0, wanted, "{rules}");
    }
    assert_eq!(network(POD).to_cloud_metadata(0).0, Verdict::Allowed);
}

#[test]
fn an_address_is_a_nodes_or_outside() {
    let rules = "[{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 25}]}]";
    let network = network(&format!("{POD}{}", egress(rules)));
    let to = |address: &str, port| network.to_address(0, address.parse().unwrap(), Protocol::Tcp, port);
    assert_eq!(to("203.0.113.9", 25), Verdict::Allowed);
    assert_eq!(to("203.0.113.9", 80), Verdict::Denied);
    assert_eq!(to("192.168.0.2", 25), Verdict::Denied);
}

/// Kubelet, etcd and node-local DNS are ports of nodes and an address: what egress rules open of them.
#[test]
fn egress_rules_open_kubelet_etcd_and_node_local_dns_each_by_itself() {
    let places = [
        ("192.168.0.1", Protocol::Tcp, 10_250),
        ("192.168.0.1", Protocol::Tcp, 10_255),
        ("192.168.0.1", Protocol::Tcp, 2_379),
        ("169.254.20.10", Protocol::Udp, 53),
        ("169.254.20.10", Protocol::Tcp, 53),
    ];
    let (yes, no, perhaps) = (Verdict::Allowed, Verdict::Denied, Verdict::Unknown);
    for (rules, wanted) in [
        ("[{}]", [yes; 5]),
        ("[]", [no; 5]),
        ("[{to: [{namespaceSelector: {}}]}]", [no; 5]),
        ("[{ports: [{port: 10250}]}]", [yes, no, no, no, no]),
        (
            "[{ports: [{port: 10250, endPort: 10255}]}]",
            [yes, yes, no, no, no],
        ),
        ("[{ports: [{port: 53, protocol: UDP}]}]", [no, no, no, yes, no]),
        (
            "[{to: [{ipBlock: {cidr: 169.254.20.10/32}}]}]",
            [no, no, no, yes, yes],
        ),
        // Whether a block matches a node is for the plugin to say.
        (
            "[{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}], ports: [{port: 2379}]}]",
            [no, no, perhaps, no, no],
        ),
    ] {
        let network = network(&format!("{POD}{}", egress(rules)));
        let found = places
            .map(|(address, protocol, port)| network.to_address(0, address.parse().unwrap(), protocol, port));
        assert_eq!(found, wanted, "{rules}");
    }
}
