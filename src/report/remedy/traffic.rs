//! Changes of the network: what is exposed, who may connect, and the metadata of the cloud.
//!
//! **Trap.** Policies add up: a new one closes nothing that another one allows. Such a change removes no finding when
//! it is solved again, and is not told.

use serde_json::{Map, Value, json};

use super::edit::{Edit, Op};
use super::{Proposal, labels_of};
use crate::model::{Cluster, IngressBackend, Labels, ObjectId, Text};
use crate::techniques::{Evidence, Position, Reason, Relation, Step};

/// The address at which clouds tell a machine who it is.
const METADATA: &str = "169.254.169.254/32";

/// Returns what can be done about a connection.
pub(super) fn proposals(step: &Step, fact: &Evidence, cluster: &Cluster) -> Vec<Proposal> {
    let id = &fact.object;
    let mut all = Vec::new();
    match (id.kind.as_str(), fact.path.as_str()) {
        ("Service", "") if matches!(step.reason, Reason::Relation(Relation::Exposed)) => {
            let service = cluster.services.by_id(id);
            let is_open = |kind: &str| matches!(kind, "LoadBalancer" | "NodePort");
            if service.is_some_and(|service| is_open(&service.spec.r#type)) {
                let ops = vec![Op::Set("/spec/type".to_owned(), json!("ClusterIP"))];
                all.push(Proposal::new(
                    id.to_string(),
                    format!("Serve inside the cluster only: {id}"),
                    "Whoever uses it from outside loses it.",
                    vec![Edit::Fields(id.clone(), ops)],
                ));
                return all.into_iter().map(Proposal::blunt).collect();
            }
        }
        ("Ingress", "") if matches!(step.reason, Reason::Relation(Relation::Exposed)) => {
            all.extend(unpublished(step, id, cluster).map(Proposal::blunt));
        }
        ("NetworkPolicy", path) => all.extend(rule(id, path, cluster)),
        ("Pod", "/metadata/labels") if fact.value.ends_with("isolates its ingress") => {
            all.extend(closed(id, cluster));
        }
        ("Pod", "/spec/nodeName") if matches!(step.conclusion, Position::CloudIdentity(_)) => {
            all.extend(no_metadata(id, cluster));
        }
        _ => {}
    }
    all
}

/// Publish a Service no longer by an Ingress: without the paths that lead to it, or without the Ingress.
fn unpublished(step: &Step, id: &ObjectId, cluster: &Cluster) -> Option<Proposal> {
    let spec = &cluster.ingresses.by_id(id)?.spec;
    let mut facts = step.evidence.iter().map(|fact| &fact.object);
    let service = facts.find(|object| object.kind == "Service" && object.namespace == id.namespace)?;
    let leads_there = |backend: &IngressBackend| {
        let to = backend.service.as_ref();
        to.is_some_and(|to| to.name == service.name)
    };
    let default = spec.default_backend.as_ref();
    let mut ops = Vec::new();
    if default.is_some_and(leads_there) {
        ops.push(Op::Remove("/spec/defaultBackend".to_owned()));
    }
    let mut rules = spec.rules.clone();
    for http in rules.iter_mut().filter_map(|rule| rule.http.as_mut()) {
        http.paths.retain(|path| !leads_there(&path.backend));
    }
    // A rule without paths sends its host to the default backend: it stays where it was written so.
    rules.retain(|rule| rule.http.as_ref().is_none_or(|http| !http.paths.is_empty()));
    let is_left = !rules.is_empty() || default.is_some_and(|backend| !leads_there(backend));
    if rules != spec.rules {
        ops.push(Op::Set(
            "/spec/rules".to_owned(),
            serde_json::to_value(&rules).ok()?,
        ));
    }
    let (title, edit) = match (ops.is_empty(), is_left) {
        (true, _) => return None,
        (false, true) => (
            format!("Publish {service} no longer by {id}"),
            Edit::Fields(id.clone(), ops),
        ),
        (false, false) => (
            format!("Publish {service} no longer: delete {id}"),
            Edit::Delete(id.clone()),
        ),
    };
    let mind = "Whoever uses it from outside loses it.";
    Some(Proposal::new(id.to_string(), title, mind, vec![edit]))
}

/// Take a rule out of a policy.
fn rule(id: &ObjectId, path: &str, cluster: &Cluster) -> Option<Proposal> {
    let policy = cluster.network_policies.by_id(id)?;
    let (direction, at) = path.strip_prefix("/spec/")?.split_once('/')?;
    let at: usize = at.parse().ok()?;
    let spec = serde_json::to_value(&policy.spec).ok()?;
    let mut rules = spec.get(direction)?.as_array()?.clone();
    if at >= rules.len() {
        return None;
    }
    rules.remove(at);
    let mut types: Vec<&str> = policy
        .spec
        .policy_types
        .iter()
        .flatten()
        .map(Text::as_str)
        .collect();
    if types.is_empty() {
        // What the API server derives, written down: without the rule it would derive less.
        types.push("Ingress");
        if policy.spec.egress.is_some() {
            types.push("Egress");
        }
    }
    let ops = vec![
        Op::Set("/spec/policyTypes".to_owned(), json!(types)),
        Op::Set(format!("/spec/{direction}"), json!(rules)),
    ];
    Some(Proposal::new(
        id.to_string(),
        format!("Take {direction}[{at}] out of {id}"),
        "Connections that the rule alone allows end, those of honest clients too.",
        vec![Edit::Fields(id.clone(), ops)],
    ))
}

fn selector(labels: &Labels) -> Option<Value> {
    let labels = labels_of(labels);
    let map: Map<String, Value> = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    (!map.is_empty()).then(|| json!({"matchLabels": map}))
}

/// A new policy for the pods that carry a pod's labels; the name ends with `what`.
fn policy(pod: &ObjectId, cluster: &Cluster, what: &str, rules: Value) -> Option<(ObjectId, Edit)> {
    let found = cluster.pods.by_id(pod)?;
    let workload = cluster.workload_of(found);
    let name: String = workload.name.chars().take(200).collect();
    let id = ObjectId::new("NetworkPolicy", &pod.namespace, format!("{name}-{what}"));
    if found.spec.host_network == Some(true) || cluster.network_policies.contains(&id) {
        return None;
    }
    let Value::Object(mut spec) = rules else {
        return None;
    };
    spec.insert("podSelector".to_owned(), selector(&found.meta.labels)?);
    let body = json!({"metadata": {"name": id.name, "namespace": id.namespace}, "spec": spec});
    Some((workload, Edit::Add(id, body)))
}

/// Let in the pods of the own namespace alone, or nobody.
fn closed(pod: &ObjectId, cluster: &Cluster) -> Vec<Proposal> {
    let mut all: Vec<Proposal> = own_namespace(pod, cluster).into_iter().collect();
    let own = json!({"policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}]}]});
    let none = json!({"policyTypes": ["Ingress"], "ingress": []});
    let mind =
        "Clients that no policy names lose their connection: add a rule for each that is meant to have one.";
    let kinds = [
        ("own-namespace", own, "only pods of its namespace"),
        ("closed", none, "nobody who is not named"),
    ];
    all.extend(kinds.into_iter().filter_map(|(what, rules, whom)| {
        let (workload, edit) = policy(pod, cluster, what, rules)?;
        let title = format!("Let {whom} connect to {workload}");
        Some(Proposal::new(
            format!("ingress {workload}"),
            title,
            mind,
            vec![edit],
        ))
    }));
    all
}

/// Let the pods of a namespace talk among themselves.
fn own_namespace(pod: &ObjectId, cluster: &Cluster) -> Option<Proposal> {
    let namespace = &pod.namespace;
    let id = ObjectId::new("NetworkPolicy", namespace, "own-namespace");
    if namespace == "kube-system" || cluster.network_policies.contains(&id) {
        return None;
    }
    let body = json!({"metadata": {"name": id.name, "namespace": namespace}, "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
    }});
    let proposal = Proposal::new(
        format!("ingress {namespace}"),
        format!("Let only pods of namespace {namespace} connect to its pods"),
        "It shuts out the internet and all other namespaces; what is meant to be reached from there needs a policy of its own, and may lead here again.",
        vec![Edit::Add(id, body)],
    );
    Some(if is_served(namespace, cluster) {
        proposal.blunt()
    } else {
        proposal
    })
}

/// Whether something of the namespace is meant to be reached from outside.
fn is_served(namespace: &str, cluster: &Cluster) -> bool {
    let mut services = cluster.services.values();
    let is_open = |kind: &str| matches!(kind, "LoadBalancer" | "NodePort");
    services.any(|service| service.meta.namespace == namespace && is_open(&service.spec.r#type))
        || cluster
            .ingresses
            .values()
            .any(|ingress| ingress.meta.namespace == namespace)
}

/// Let packets go everywhere but to the metadata of the cloud.
fn no_metadata(pod: &ObjectId, cluster: &Cluster) -> Option<Proposal> {
    let rules = json!({"policyTypes": ["Egress"], "egress": [{"to": [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA]}},
        {"namespaceSelector": {}},
    ]}]});
    let (workload, edit) = policy(pod, cluster, "no-metadata", rules)?;
    Some(Proposal::new(
        format!("egress {workload}"),
        format!("Let {workload} send everywhere but to the metadata of the cloud"),
        "What gets its cloud identity from the node loses it; give it one of its own.",
        vec![edit],
    ))
}
