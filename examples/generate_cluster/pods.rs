//! Pod templates and the pods made from them.
//!
//! A pod of a workload differs from its siblings in a few fields, so one object is built per workload and
//! changed from pod to pod.

use k8s_openapi::api::core::v1::{HostIP, Pod, PodIP};
use serde_json::{Value, json};

use super::manifest::{CREATED, labels, metadata, typed};
use super::plan::{Controller, Engine, HostAccess, Plan, Role, Workload, address, node_name};
use super::prng::Prng;

/// The spec of a workload's pod template.
pub(crate) fn template_spec(plan: &Plan, workload: &Workload) -> Value {
    let mut spec = json!({
        "serviceAccountName": workload.account,
        "serviceAccount": workload.account,
        "restartPolicy": if workload.controller == Controller::Job { "OnFailure" } else { "Always" },
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
    });
    match workload.role {
        Role::Application => application(&mut spec, workload, plan.database(workload.namespace)),
        Role::Database(engine) => database(&mut spec, engine),
        Role::Agent(access) => agent(&mut spec, &workload.name, access),
    }
    spec
}

fn container(name: &str, image: &str, port: u16) -> Value {
    json!({
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{ "name": "main", "containerPort": port, "protocol": "TCP" }],
        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" }, "limits": { "memory": "512Mi" } },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    })
}

fn probe(path: &str, delay: u32) -> Value {
    json!({
        "httpGet": { "path": path, "port": "main", "scheme": "HTTP" },
        "initialDelaySeconds": delay, "periodSeconds": 10, "timeoutSeconds": 1,
        "successThreshold": 1, "failureThreshold": 3,
    })
}

fn secret_key(name: &str, secret: &str, key: &str) -> Value {
    json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": key } } })
}

fn application(spec: &mut Value, workload: &Workload, database: Option<&Engine>) {
    let image = format!(
        "registry.example.com/shop/{}:1.{}.0",
        workload.name,
        workload.seed % 40
    );
    let mut main = container(&workload.name, &image, workload.port());
    let mut env = vec![
        json!({ "name": "LOG_LEVEL", "value": "info" }),
        json!({ "name": "POD_NAME", "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } } }),
        json!({ "name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel-collector.observability:4317" }),
    ];
    if let Some(engine) = database {
        let secret = format!("{}-credentials", engine.name);
        env.push(json!({ "name": "DB_HOST", "value": engine.name }));
        env.push(json!({ "name": "DB_PORT", "value": engine.port.to_string() }));
        env.push(secret_key("DB_PASSWORD", &secret, "password"));
    }
    main["env"] = env.into();
    main["envFrom"] = json!([{ "configMapRef": { "name": format!("{}-settings", workload.name) } }]);
    main["livenessProbe"] = probe("/healthz", 10);
    main["readinessProbe"] = probe("/ready", 3);
    main["volumeMounts"] = json!([{ "name": "tmp", "mountPath": "/tmp" }]);
    if Prng::new(workload.seed).chance(55) {
        main["securityContext"] = json!({
            "runAsNonRoot": true, "runAsUser": 10001, "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        });
    }
    spec["containers"] = json!([main]);
    spec["volumes"] = json!([{ "name": "tmp", "emptyDir": {} }]);
}

fn database(spec: &mut Value, engine: &Engine) {
    let mut main = container(engine.name, engine.image, engine.port);
    main["env"] = json!([secret_key(
        engine.password,
        &format!("{}-credentials", engine.name),
        "password"
    )]);
    if engine.name == "redis" {
        main["args"] = json!(["--requirepass", "$(REDIS_PASSWORD)"]);
    }
    main["volumeMounts"] = json!([{ "name": "data", "mountPath": engine.data }]);
    main["readinessProbe"] = json!({
        "tcpSocket": { "port": "main" }, "periodSeconds": 10, "timeoutSeconds": 1,
        "successThreshold": 1, "failureThreshold": 3,
    });
    spec["containers"] = json!([main]);
    spec["securityContext"] = json!({ "fsGroup": 999 });
}

fn agent(spec: &mut Value, name: &str, access: HostAccess) {
    let mut main = container(name, &format!("registry.k8s.io/{name}:v1.36.2"), 9100);
    main["securityContext"] = json!({ "privileged": access.privileged });
    main["volumeMounts"] = json!([{ "name": "host", "mountPath": "/host", "readOnly": !access.privileged }]);
    spec["containers"] = json!([main]);
    spec["volumes"] = json!([{ "name": "host", "hostPath": { "path": access.path, "type": "Directory" } }]);
    spec["tolerations"] = json!([{ "operator": "Exists" }]);
    if access.host_network {
        spec["hostNetwork"] = true.into();
    }
    if access.host_pid {
        spec["hostPID"] = true.into();
    }
}

/// Calls `each` with every pod of a workload; `owner` is the controller's name.
pub(crate) fn each_pod<E>(
    plan: &Plan,
    workload: &Workload,
    owner: &str,
    mut each: impl FnMut(&Pod) -> Result<(), E>,
) -> Result<(), E> {
    let mut rng = Prng::new(workload.seed ^ 0x0070_6f64);
    let mut pod = first_pod(plan, workload, owner, &mut rng);
    for index in 0..workload.replicas {
        personalise(&mut pod, plan, workload, owner, index, &mut rng);
        each(&pod)?;
    }
    Ok(())
}

fn first_pod(plan: &Plan, workload: &Workload, owner: &str, rng: &mut Prng) -> Pod {
    let owner_kind = match workload.controller {
        Controller::Deployment => "ReplicaSet",
        Controller::StatefulSet => "StatefulSet",
        Controller::DaemonSet => "DaemonSet",
        Controller::Job => "Job",
    };
    let group = if workload.controller == Controller::Job {
        "batch/v1"
    } else {
        "apps/v1"
    };
    let mut labels = labels(&workload.name);
    labels["pod-template-hash"] = rng.suffix(10).into();
    let mut meta = metadata(plan.namespace_of(workload), "", &labels, rng);
    meta["generateName"] = format!("{owner}-").into();
    meta["annotations"] =
        json!({ "prometheus.io/scrape": "true", "prometheus.io/port": workload.port().to_string() });
    meta["ownerReferences"] = json!([{
        "apiVersion": group, "kind": owner_kind, "name": owner, "uid": rng.uid(),
        "controller": true, "blockOwnerDeletion": true,
    }]);
    meta["managedFields"] = managed_fields(&workload.name);
    let mut spec = template_spec(plan, workload);
    add_token(&mut spec, &format!("kube-api-access-{}", rng.suffix(5)));
    if workload.controller == Controller::StatefulSet {
        add_volume(
            &mut spec,
            json!({ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }),
        );
    }
    let status = status(workload, &spec, rng);
    typed(json!({ "metadata": meta, "spec": spec, "status": status }))
}

fn add_volume(spec: &mut Value, volume: Value) {
    match spec["volumes"].as_array_mut() {
        Some(volumes) => volumes.push(volume),
        None => spec["volumes"] = json!([volume]),
    }
}

/// Adds the token volume that the API server adds to every pod.
fn add_token(spec: &mut Value, name: &str) {
    add_volume(
        spec,
        json!({ "name": name, "projected": { "defaultMode": 420, "sources": [
        { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [
            { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }] } },
    ] } }),
    );
    let mount = json!({ "name": name, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true });
    if let Some(mounts) = spec["containers"][0]["volumeMounts"].as_array_mut() {
        mounts.push(mount);
    }
}

fn status(workload: &Workload, spec: &Value, rng: &mut Prng) -> Value {
    let ended = workload.controller == Controller::Job;
    let condition = |kind: &str, status: bool| {
        json!({
            "type": kind, "status": if status { "True" } else { "False" },
            "lastProbeTime": null, "lastTransitionTime": CREATED,
        })
    };
    let state = if ended {
        json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": CREATED, "finishedAt": CREATED } })
    } else {
        json!({ "running": { "startedAt": CREATED } })
    };
    let image = &spec["containers"][0]["image"];
    json!({
        "phase": if ended { "Succeeded" } else { "Running" },
        "qosClass": "Burstable",
        "startTime": CREATED,
        "conditions": [
            condition("PodReadyToStartContainers", !ended), condition("Initialized", true),
            condition("Ready", !ended), condition("ContainersReady", !ended), condition("PodScheduled", true),
        ],
        "containerStatuses": [{
            "name": spec["containers"][0]["name"], "image": image,
            "imageID": format!("{}@sha256:{:016x}{:016x}{:016x}{:016x}", image.as_str().unwrap_or_default(),
                rng.next(), rng.next(), rng.next(), rng.next()),
            "containerID": format!("containerd://{:016x}{:016x}{:016x}{:016x}",
                rng.next(), rng.next(), rng.next(), rng.next()),
            "ready": !ended, "started": !ended, "restartCount": rng.below(4), "state": state, "lastState": {},
        }],
    })
}

fn managed_fields(container: &str) -> Value {
    let container = format!("k:{{\"name\":\"{container}\"}}");
    json!([
        { "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "time": CREATED,
          "fieldsType": "FieldsV1", "fieldsV1": {
            "f:metadata": { "f:generateName": {}, "f:labels": { ".": {}, "f:app.kubernetes.io/name": {} } },
            "f:spec": { "f:containers": { container: { ".": {}, "f:env": { ".": {} }, "f:image": {}, "f:name": {},
                "f:resources": { ".": {} }, "f:volumeMounts": { ".": {} } } }, "f:serviceAccountName": {} } } },
        { "manager": "kubelet", "operation": "Update", "apiVersion": "v1", "time": CREATED, "subresource": "status",
          "fieldsType": "FieldsV1", "fieldsV1": { "f:status": { "f:conditions": {
            "k:{\"type\":\"Ready\"}": { ".": {}, "f:status": {}, "f:type": {} } }, "f:podIP": {}, "f:phase": {} } } },
    ])
}

/// Gives a pod its own name, node, addresses and identity.
fn personalise(pod: &mut Pod, plan: &Plan, workload: &Workload, owner: &str, index: u32, rng: &mut Prng) {
    let number = workload.first_pod + index;
    let node = match workload.controller {
        Controller::DaemonSet => index,
        _ => rng.below_u32(plan.size.nodes),
    };
    let ordinal = workload.controller == Controller::StatefulSet;
    let suffix = if ordinal {
        index.to_string()
    } else {
        Prng::unique_suffix(workload.seed, index)
    };
    pod.metadata.name = Some(format!("{owner}-{suffix}"));
    pod.metadata.uid = Some(rng.uid());
    pod.metadata.resource_version = Some(rng.below(90_000_000).to_string());
    let host = address([172, 16, 0, 0], node);
    let mut ip = address([10, 16, 0, 0], number);
    if let Some(spec) = &mut pod.spec {
        spec.node_name = Some(node_name(node));
        if spec.host_network == Some(true) {
            ip.clone_from(&host);
        }
        for claim in spec
            .volumes
            .iter_mut()
            .flatten()
            .filter_map(|volume| volume.persistent_volume_claim.as_mut())
        {
            claim.claim_name = format!("data-{owner}-{index}");
        }
    }
    if let Some(status) = &mut pod.status {
        status.pod_ips = Some(vec![PodIP { ip: ip.clone() }]);
        status.pod_ip = Some(ip);
        status.host_ips = Some(vec![HostIP { ip: host.clone() }]);
        status.host_ip = Some(host);
    }
}
