//! Owner chains, stand-in pods and placement: which workload a pod belongs to, and where it runs.
//!
//! Manifests hold workloads without pods; each then gets one pod of its template (a DaemonSet one per node), so
//! that every rule speaks of pods only.
//!
//! **Trap.** Chains come from the input and may form a circle or leave it; they are never guessed from names.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::{Cluster, Code, Diagnostic, Meta, ObjectId, OwnerReference, Pod, Text, Workload};

/// Most owners that are followed in a row; chains of Kubernetes' own controllers have three.
const LONGEST_CHAIN: usize = 64;

/// The node that stands for all nodes of an input that names none.
pub const UNNAMED_WORKER: &str = "worker";

impl Cluster {
    /// Returns the id of a pod's top controller as far as the input tells, or the pod's own id.
    ///
    /// A controller that is not in the input ends the chain and counts.
    pub fn workload_of(&self, pod: &Pod) -> ObjectId {
        let top = self.controllers_of(&pod.meta).pop();
        top.unwrap_or_else(|| ObjectId::new("Pod", &pod.meta.namespace, &pod.meta.name))
    }

    /// Returns the ids of the controllers of a pod or workload as far as the input tells, from its own to the top one.
    ///
    /// Nodes own static pods and do not count. In a circle of owners the chain ends where it would repeat, and an endless
    /// one somewhere. An owner whose kind is not written still makes one workload of its pods; it is called a pod for want
    /// of a better word.
    pub fn controllers_of(&self, owned: &Meta) -> Vec<ObjectId> {
        let mut chain = Vec::new();
        let mut meta = Some(owned);
        while let Some(owner) = meta.and_then(Meta::controller) {
            if owner.kind == "Node" || owner.name.is_empty() {
                break;
            }
            if owner.kind.is_empty() {
                chain.push(ObjectId::new("Pod", &owned.namespace, &owner.name));
                break;
            }
            let id = ObjectId::new(&owner.kind, &owned.namespace, &owner.name);
            if chain.len() == LONGEST_CHAIN || chain.contains(&id) {
                break;
            }
            meta = self.meta_of(&id);
            chain.push(id);
        }
        chain
    }

    fn meta_of(&self, id: &ObjectId) -> Option<&Meta> {
        (self.workloads.by_id(id).map(|workload| &workload.meta))
            .or(self.others.by_id(id).map(|other| &other.meta))
    }

    /// Returns the node a pod runs on and whether the input says so.
    ///
    /// A pod that no node is named for runs on [`UNNAMED_WORKER`], which stands for whichever node the
    /// scheduler takes.
    pub fn node_of(&self, pod: &Pod) -> (Text, bool) {
        if pod.spec.node_name.is_empty() {
            (Text::new(UNNAMED_WORKER), false)
        } else {
            (pod.spec.node_name.clone(), true)
        }
    }

    /// Adds a stand-in pod for every top workload that has no pod in the input, or none that has not ended.
    ///
    /// Returns diagnostics about circles of owners. The result does not depend on the order of the input.
    pub fn add_stand_ins(&mut self) -> Vec<Diagnostic> {
        self.workloads.sort();
        self.nodes.sort();
        let (mut diagnostics, circular) = self.circles();
        let owned = self.workloads_with_pods();
        let mut taken = BTreeSet::new();
        let mut stand_ins = Vec::new();
        for (id, workload) in &self.workloads {
            let is_top = workload
                .meta
                .controller()
                .is_none_or(|owner| self.controller_is_outside(&workload.meta, owner));
            if (is_top || circular.contains(id)) && !owned.contains(id) {
                for mut pod in self.pods_of_template(id, workload) {
                    let mut pod_id = ObjectId::new("Pod", &id.namespace, &pod.meta.name);
                    while self.pods.contains(&pod_id) || !taken.insert(pod_id.clone()) {
                        pod_id.name = format!("{}-{}", pod_id.name, id.kind.to_ascii_lowercase()).into();
                        pod.meta.name = pod_id.name.clone();
                    }
                    stand_ins.push((pod_id, pod));
                }
            }
        }
        for (id, pod) in stand_ins {
            self.stand_ins.insert(id.clone());
            self.pods.insert(id, Box::new(pod));
        }
        if self.nodes.is_empty() && !self.pods.is_empty() {
            diagnostics.push(Diagnostic::new(
                Code::NoNodes,
                super::Source::default(),
                "the input names no node: pods are taken to run on one unnamed worker",
                "add `kubectl get nodes -o json` for real placement",
            ));
        }
        self.sort();
        diagnostics
    }

    /// The top workloads that need no stand-in: those with a pod that has not ended, and Jobs that have run.
    ///
    /// Of a CronJob between two runs, or of a workload whose pods were evicted, the input has pods that have ended alone;
    /// it makes others. Pods that have their direct controller in common are asked about once.
    fn workloads_with_pods(&self) -> BTreeSet<ObjectId> {
        let mut known = FxHashSet::default();
        let mut tops = BTreeSet::new();
        for pod in self.pods.values() {
            let Some(owner) = pod.meta.controller() else {
                continue;
            };
            let has_ended = pod.has_ended();
            if known.insert((&pod.meta.namespace, &owner.kind, &owner.name, has_ended)) {
                let top = self.workload_of(pod);
                if !has_ended || top.kind == "Job" {
                    tops.insert(top);
                }
            }
        }
        tops
    }

    /// Whether a workload's controller is not itself a workload of the input that will stand for it.
    fn controller_is_outside(&self, meta: &Meta, owner: &OwnerReference) -> bool {
        !self
            .workloads
            .contains(&ObjectId::new(&owner.kind, &meta.namespace, &owner.name))
    }

    fn pods_of_template(&self, id: &ObjectId, workload: &Workload) -> Vec<Pod> {
        let nodes: Vec<_> = if id.kind == "DaemonSet" {
            self.nodes.values().collect()
        } else {
            Vec::new()
        };
        if nodes.is_empty() {
            return vec![stand_in(id, workload, &id.name, "")];
        }
        let wanted = &workload.template().spec.node_selector;
        let fits = |labels: &super::Labels| wanted.iter().all(|(key, value)| labels.get(key) == Some(value));
        nodes
            .into_iter()
            .filter(|node| fits(&node.meta.labels))
            .map(|node| {
                stand_in(
                    id,
                    workload,
                    &format!("{}-{}", id.name, node.meta.name),
                    &node.meta.name,
                )
            })
            .collect()
    }

    /// Workloads that own themselves in the end, or whose owners have no end, with a diagnostic for each.
    fn circles(&self) -> (Vec<Diagnostic>, BTreeSet<ObjectId>) {
        let mut found = Vec::new();
        let mut circular = BTreeSet::new();
        for (id, workload) in &self.workloads {
            let mut seen = BTreeSet::from([id.clone()]);
            let mut meta = Some(&workload.meta);
            while let Some(owner) = meta.and_then(Meta::controller) {
                let next = ObjectId::new(&owner.kind, &id.namespace, &owner.name);
                meta = self.meta_of(&next);
                let is_endless = seen.len() == LONGEST_CHAIN;
                if next == *id || is_endless {
                    let message = if is_endless {
                        "more owners in a row than any controller makes"
                    } else {
                        "owner references form a circle"
                    };
                    let hint = "the pods of its template are analysed as if it had no owner";
                    let source = workload.meta.source.clone();
                    found.push(Diagnostic::new(Code::CyclicOwners, source, message, hint).about(id.clone()));
                    circular.insert(id.clone());
                }
                if is_endless || !seen.insert(next) {
                    break;
                }
            }
        }
        (found, circular)
    }
}

/// A pod of the workload's template.
fn stand_in(id: &ObjectId, workload: &Workload, name: &str, node: &str) -> Pod {
    let template = workload.template();
    let mut pod = Pod {
        meta: template.meta.clone(),
        spec: template.spec.clone(),
        ..Pod::default()
    };
    pod.meta.name = name.into();
    pod.meta.namespace = id.namespace.clone();
    pod.meta.source = workload.meta.source.clone();
    pod.meta.owner_references = vec![OwnerReference {
        kind: id.kind.clone(),
        name: id.name.clone(),
        controller: Some(true),
        ..OwnerReference::default()
    }];
    if !node.is_empty() {
        pod.spec.node_name = node.into();
    }
    pod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(kind: &str, name: &str, owner: Option<(&str, &str)>) -> (ObjectId, Workload) {
        let mut workload = Workload::default();
        workload.meta.name = name.into();
        workload.meta.namespace = "shop".into();
        workload.meta.owner_references = owner
            .map(|(kind, name)| OwnerReference {
                kind: kind.into(),
                name: name.into(),
                ..OwnerReference::default()
            })
            .into_iter()
            .collect();
        (ObjectId::new(kind, "shop", name), workload)
    }

    fn cluster(workloads: &[(ObjectId, Workload)]) -> Cluster {
        let mut cluster = Cluster::default();
        for (id, workload) in workloads {
            cluster.workloads.insert(id.clone(), Box::new(workload.clone()));
        }
        cluster
    }

    #[test]
    fn a_replica_set_of_a_deployment_does_not_stand_alone() {
        let mut cluster = cluster(&[
            workload("Deployment", "web", None),
            workload("ReplicaSet", "web-1", Some(("Deployment", "web"))),
        ]);
        cluster.add_stand_ins();
        assert_eq!(cluster.pods.len(), 1);
        let pod = cluster.pod("shop", "web").unwrap();
        assert_eq!(cluster.workload_of(pod).to_string(), "Deployment/shop/web");
    }

    #[test]
    fn what_makes_pods_again_does_not_end_with_them() {
        let with_pod = |owner: &str, phase: &str| {
            let mut cluster = cluster(&[
                workload("CronJob", "report", None),
                workload("Job", "report-1", Some(("CronJob", "report"))),
                workload("Job", "migrate", None),
                workload("DaemonSet", "agent", None),
            ]);
            let mut pod = Pod::default();
            pod.meta.namespace = "shop".into();
            pod.status.phase = phase.into();
            let kind = if owner == "agent" { "DaemonSet" } else { "Job" };
            pod.meta.owner_references = vec![OwnerReference {
                kind: kind.into(),
                name: owner.into(),
                ..OwnerReference::default()
            }];
            let id = ObjectId::new("Pod", "shop", format!("{owner}-x"));
            cluster.pods.insert(id, Box::new(pod));
            cluster.add_stand_ins();
            let names = cluster.stand_ins.iter().map(|id| id.name.as_str());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(with_pod("report-1", "Succeeded"), "agent migrate report");
        assert_eq!(with_pod("report-1", "Running"), "agent migrate");
        assert_eq!(with_pod("migrate", "Succeeded"), "agent report");
        assert_eq!(with_pod("migrate", "Running"), "agent report");
        assert_eq!(with_pod("agent", "Failed"), "agent migrate report");
        assert_eq!(with_pod("agent", "Running"), "migrate report");
    }

    #[test]
    fn workloads_of_one_name_get_pods_of_two_names() {
        let mut cluster = cluster(&[workload("Deployment", "web", None), workload("Job", "web", None)]);
        cluster.add_stand_ins();
        assert!(cluster.pod("shop", "web").is_some() && cluster.pod("shop", "web-job").is_some());
    }

    #[test]
    fn names_of_stand_ins_depend_on_no_order_and_take_no_pods_place() {
        let workloads = [
            workload("Deployment", "web", None),
            workload("DaemonSet", "web", None),
        ];
        let mut pod = Pod::default();
        (pod.meta.name, pod.meta.namespace) = ("web-deployment".into(), "shop".into());
        let with_pods = |order: [usize; 2]| {
            let mut cluster = cluster(&order.map(|at| workloads[at].clone()));
            let id = ObjectId::new("Pod", "shop", &pod.meta.name);
            cluster.pods.insert(id, Box::new(pod.clone()));
            cluster.add_stand_ins();
            cluster
        };
        assert!(with_pods([0, 1]) == with_pods([1, 0]));
        assert_eq!(with_pods([0, 1]).pods.len(), 3);
        assert_eq!(with_pods([0, 1]).pod("shop", "web-deployment"), Some(&pod));
    }

    #[test]
    fn a_long_chain_of_owners_ends() {
        const LENGTH: usize = 5_000;
        let names: Vec<_> = (0..LENGTH).map(|number| format!("r{number}")).collect();
        let mut workloads: Vec<_> = names
            .windows(2)
            .map(|pair| workload("ReplicaSet", &pair[0], Some(("ReplicaSet", &pair[1]))))
            .collect();
        workloads.push(workload("ReplicaSet", &names[LENGTH - 1], None));
        let mut cluster = cluster(&workloads);
        let diagnostics = cluster.add_stand_ins();
        let endless = diagnostics.iter().filter(|d| d.code == Code::CyclicOwners);
        assert_eq!(endless.count(), LENGTH - LONGEST_CHAIN);
        assert_eq!(cluster.pods.len(), LENGTH - LONGEST_CHAIN + 1);
    }

    #[test]
    fn a_circle_of_owners_is_named_and_ends() {
        let mut cluster = cluster(&[
            workload("Deployment", "a", Some(("ReplicaSet", "b"))),
            workload("ReplicaSet", "b", Some(("Deployment", "a"))),
        ]);
        let diagnostics = cluster.add_stand_ins();
        assert_eq!(
            diagnostics
                .iter()
                .filter(|d| d.code == Code::CyclicOwners)
                .count(),
            2
        );
        assert_eq!(cluster.pods.len(), 2);
    }

    #[test]
    fn a_controller_outside_the_input_ends_the_chain_and_counts() {
        let mut pod = Pod::default();
        pod.meta.namespace = "shop".into();
        pod.meta.owner_references = vec![OwnerReference {
            kind: "ReplicaSet".into(),
            name: "web-5d4f".into(),
            ..OwnerReference::default()
        }];
        assert_eq!(
            Cluster::default().workload_of(&pod).to_string(),
            "ReplicaSet/shop/web-5d4f"
        );
    }
}
