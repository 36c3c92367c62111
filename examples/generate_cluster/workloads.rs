//! Workloads: the controllers, the ReplicaSets between, and the pods.

use std::io::{self, Write};

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::manifest::{labels, metadata, selector, typed};
use super::plan::{Controller, Plan, Workload};
use super::pods::{each_pod, template_spec};
use super::prng::Prng;
use super::sink::Sink;

/// Writes a workload with all that belongs to it.
pub(crate) fn put_workload<W: Write>(plan: &Plan, workload: &Workload, sink: &mut Sink<W>) -> io::Result<()> {
    let mut rng = Prng::new(workload.seed);
    let manifest = manifest(plan, workload, &mut rng);
    let mut owner = workload.name.clone();
    match workload.controller {
        Controller::Deployment => {
            let hash = rng.suffix(10);
            owner = format!("{}-{hash}", workload.name);
            let replica_set = replica_set(&manifest, &owner, &hash, &mut rng);
            sink.put(&typed::<Deployment>(manifest))?;
            sink.put(&replica_set)?;
        }
        Controller::StatefulSet => sink.put(&typed::<StatefulSet>(manifest))?,
        Controller::DaemonSet => sink.put(&typed::<DaemonSet>(manifest))?,
        Controller::Job => sink.put(&typed::<Job>(manifest))?,
    }
    each_pod(plan, workload, &owner, |pod| sink.put(pod))
}

fn manifest(plan: &Plan, workload: &Workload, rng: &mut Prng) -> Value {
    let replicas = workload.replicas;
    let mut spec = json!({
        "selector": { "matchLabels": selector(&workload.name) },
        "template": { "metadata": { "labels": labels(&workload.name) }, "spec": template_spec(plan, workload) },
    });
    let status = match workload.controller {
        Controller::Deployment => {
            spec["replicas"] = replicas.into();
            spec["strategy"] = json!({ "type": "RollingUpdate" });
            json!({ "replicas": replicas, "readyReplicas": replicas, "observedGeneration": 1 })
        }
        Controller::StatefulSet => {
            spec["replicas"] = replicas.into();
            spec["serviceName"] = workload.name.as_str().into();
            spec["volumeClaimTemplates"] = json!([{
                "metadata": { "name": "data" },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "20Gi" } } },
            }]);
            json!({ "replicas": replicas, "readyReplicas": replicas })
        }
        Controller::DaemonSet => json!({
            "currentNumberScheduled": replicas, "desiredNumberScheduled": replicas,
            "numberMisscheduled": 0, "numberReady": replicas,
        }),
        Controller::Job => json!({ "succeeded": 1 }),
    };
    let meta = metadata(
        plan.namespace_of(workload),
        &workload.name,
        &labels(&workload.name),
        rng,
    );
    json!({ "metadata": meta, "spec": spec, "status": status })
}

fn replica_set(deployment: &Value, name: &str, hash: &str, rng: &mut Prng) -> ReplicaSet {
    let mut set = deployment.clone();
    set["metadata"]["name"] = name.into();
    set["metadata"]["uid"] = rng.uid().into();
    set["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"],
        "uid": deployment["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }]);
    set["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = hash.into();
    if let Some(spec) = set["spec"].as_object_mut() {
        spec.remove("strategy");
    }
    typed(set)
}
