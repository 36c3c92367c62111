//! Services, ingresses and network policies.

use std::io::{self, Write};

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use serde_json::{Value, json};

use super::manifest::{labels, metadata, selector, typed};
use super::plan::{Plan, Role, Workload, address};
use super::prng::Prng;
use super::sink::Sink;

/// Writes exactly as many Services as the plan asks for, databases' first, and ingresses before some.
pub(crate) fn put_services<W: Write>(plan: &Plan, rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    let is_database = |workload: &&Workload| matches!(workload.role, Role::Database(_));
    let databases = plan.workloads.iter().filter(is_database);
    let others = plan.workloads.iter().filter(|workload| !is_database(workload));
    let order: Vec<&Workload> = databases.chain(others).collect();
    for number in 0..plan.size.services {
        let workload = order[number as usize % order.len()];
        let name = match number as usize / order.len() {
            0 => workload.name.clone(),
            round => format!("{}-{round}", workload.name),
        };
        sink.put(&service(plan, workload, &name, number, rng))?;
        if workload.role == Role::Application && rng.chance(10) {
            sink.put(&ingress(plan, workload, &name, rng))?;
        }
    }
    Ok(())
}

fn service(plan: &Plan, workload: &Workload, name: &str, number: u32, rng: &mut Prng) -> Service {
    let mut port =
        json!({ "name": "main", "port": workload.port(), "targetPort": "main", "protocol": "TCP" });
    let (mut kind, mut status) = ("ClusterIP", json!({}));
    if workload.role == Role::Application && rng.chance(8) {
        kind = rng.pick(&["NodePort", "LoadBalancer"]);
        port["nodePort"] = (30_000 + number % 2_768).into();
    }
    if kind == "LoadBalancer" {
        let hostname = format!("lb-{}.elb.example.com", rng.suffix(8));
        status = json!({ "loadBalancer": { "ingress": [{ "hostname": hostname }] } });
    }
    let ip = address([10, 96, 0, 10], number);
    typed(json!({
        "metadata": metadata(plan.namespace_of(workload), name, &labels(&workload.name), rng),
        "spec": {
            "type": kind, "clusterIP": ip, "clusterIPs": [ip], "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
            "selector": selector(&workload.name), "ports": [port],
        },
        "status": status,
    }))
}

fn ingress(plan: &Plan, workload: &Workload, service: &str, rng: &mut Prng) -> Ingress {
    let namespace = plan.namespace_of(workload);
    let host = format!("{service}.{namespace}.example.com");
    typed(json!({
        "metadata": metadata(namespace, service, &labels(&workload.name), rng),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{ "hosts": [host], "secretName": "wildcard-tls" }],
            "rules": [{ "host": host, "http": { "paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": { "service": { "name": service, "port": { "name": "main" } } },
            }] } }],
        },
    }))
}

/// Writes exactly as many policies as the plan asks for: the default-deny ones, then those that allow.
pub(crate) fn put_policies<W: Write>(plan: &Plan, rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    let mut left = plan.size.policies;
    for namespace in &plan.namespaces[1..] {
        if left > 0 && rng.chance(plan.size.default_deny as usize) {
            left -= 1;
            let spec = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
            sink.put(&policy(namespace, "default-deny", &spec, rng))?;
        }
    }
    let candidates: Vec<&Workload> = plan
        .workloads
        .iter()
        .filter(|workload| !matches!(workload.role, Role::Agent(_)))
        .collect();
    for number in 0..left as usize {
        let Some(workload) = candidates.get(number % candidates.len().max(1)) else {
            let name = format!("allow-{number}");
            let spec = allow("nothing", 8080, rng);
            sink.put(&policy(&plan.namespaces[1], &name, &spec, rng))?;
            continue;
        };
        let name = format!("allow-{}-{}", workload.name, number / candidates.len());
        let spec = allow(&workload.name, workload.port(), rng);
        sink.put(&policy(plan.namespace_of(workload), &name, &spec, rng))?;
    }
    Ok(())
}

fn policy(namespace: &str, name: &str, spec: &Value, rng: &mut Prng) -> NetworkPolicy {
    typed(json!({ "metadata": metadata(namespace, name, &json!({}), rng), "spec": spec }))
}

fn allow(app: &str, port: u16, rng: &mut Prng) -> Value {
    let from = match rng.below(4) {
        0 => json!({ "podSelector": {} }),
        1 => json!({ "podSelector": { "matchExpressions": [
            { "key": "app.kubernetes.io/name", "operator": "In", "values": ["api", "web", "worker"] }] } }),
        2 => json!({ "namespaceSelector": { "matchLabels": { "stage": "prod" } } }),
        _ => json!({ "ipBlock": { "cidr": "10.0.0.0/8", "except": ["10.96.0.0/12"] } }),
    };
    json!({
        "podSelector": { "matchLabels": selector(app) },
        "policyTypes": ["Ingress"],
        "ingress": [{ "from": [from], "ports": [{ "protocol": "TCP", "port": port }] }],
    })
}
