//! Nodes, namespaces, and what is configured in them: ConfigMaps and Secrets without values.

use std::io::{self, Write};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Secret};
use serde_json::{Value, json};

use super::manifest::{labels, metadata, typed};
use super::plan::{Plan, Role, Workload, address, node_name};
use super::prng::Prng;
use super::sink::Sink;

/// Writes the nodes; every fiftieth, from the first on, belongs to the control plane.
pub(crate) fn put_nodes<W: Write>(plan: &Plan, rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    for number in 0..plan.size.nodes {
        let name = node_name(number);
        let zone = rng.pick(&["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
        let mut labels = json!({
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone,
        });
        let mut spec = json!({ "providerID": format!("aws:///{zone}/i-{:016x}", rng.next()) });
        if number % 50 == 0 {
            labels["node-role.kubernetes.io/control-plane"] = "".into();
            spec["taints"] =
                json!([{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]);
        }
        sink.put(&typed::<Node>(json!({
            "metadata": metadata("", &name, &labels, rng),
            "spec": spec,
            "status": { "addresses": [
                { "type": "InternalIP", "address": address([172, 16, 0, 0], number) },
                { "type": "Hostname", "address": name },
            ] },
        })))?;
    }
    Ok(())
}

/// Writes a namespace and what every namespace holds.
pub(crate) fn put_namespace<W: Write>(name: &str, rng: &mut Prng, sink: &mut Sink<W>) -> io::Result<()> {
    let stage = name.split('-').nth(1).unwrap_or_default();
    let mut labels = json!({ "kubernetes.io/metadata.name": name, "stage": stage });
    if stage == "prod" {
        labels["pod-security.kubernetes.io/enforce"] = "baseline".into();
    }
    sink.put(&typed::<Namespace>(json!({
        "metadata": metadata("", name, &labels, rng), "status": { "phase": "Active" },
    })))?;
    put_config_map(name, "kube-root-ca.crt", &json!({ "ca.crt": "" }), rng, sink)?;
    put_secret(
        name,
        "wildcard-tls",
        "kubernetes.io/tls",
        &json!({ "tls.crt": "", "tls.key": "" }),
        rng,
        sink,
    )
}

/// Writes what one workload is configured by.
pub(crate) fn put_settings<W: Write>(plan: &Plan, workload: &Workload, sink: &mut Sink<W>) -> io::Result<()> {
    let mut rng = Prng::new(workload.seed ^ 0x63_6d);
    let namespace = plan.namespace_of(workload);
    match workload.role {
        Role::Application => {
            let data = json!({ "FEATURES": "cart,search", "REGION": "eu-west-1", "TIMEOUT": "30s" });
            put_config_map(
                namespace,
                &format!("{}-settings", workload.name),
                &data,
                &mut rng,
                sink,
            )
        }
        Role::Database(engine) => {
            let data = json!({ "username": "", "password": "" });
            put_secret(
                namespace,
                &format!("{}-credentials", engine.name),
                "Opaque",
                &data,
                &mut rng,
                sink,
            )
        }
        Role::Agent(_) => Ok(()),
    }
}

fn put_config_map<W: Write>(
    namespace: &str,
    name: &str,
    data: &Value,
    rng: &mut Prng,
    sink: &mut Sink<W>,
) -> io::Result<()> {
    let metadata = metadata(namespace, name, &labels(name), rng);
    sink.put(&typed::<ConfigMap>(json!({ "metadata": metadata, "data": data })))
}

fn put_secret<W: Write>(
    namespace: &str,
    name: &str,
    kind: &str,
    data: &Value,
    rng: &mut Prng,
    sink: &mut Sink<W>,
) -> io::Result<()> {
    let metadata = metadata(namespace, name, &labels(name), rng);
    sink.put(&typed::<Secret>(
        json!({ "metadata": metadata, "type": kind, "data": data }),
    ))
}
