//! Changing objects: in a copy of the cluster, and as YAML that `kubectl` takes.
//!
//! **Trap.** Both must do the same, else what was shown is not what is advised: both follow the same [`Op`]s.

use serde_json::{Value, json};

use super::super::finding::{top_of, workload_of};
use super::super::path::Sources;
use super::pod::PodChange;
use super::{Patch, yaml};
use crate::model::{Cluster, KINDS, KindInfo, Object, ObjectId};

/// A change of one field, named by a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// The field gets this value; what leads to it is made.
    Set(String, Value),
    /// The field, or the element of a list, goes.
    Remove(String),
}

/// What is done to one object.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// Its fields change.
    Fields(ObjectId, Vec<Op>),
    /// The template of a workload changes, and with it what it makes.
    Pods(ObjectId, PodChange),
    /// It is new.
    Add(ObjectId, Value),
    /// It goes.
    Delete(ObjectId),
}

/// What the API says of a kind of the model.
fn info(kind: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|known| known.kind == kind)
}

/// An object as JSON in the API's shape, as far as the model keeps it.
pub(super) fn json_of(cluster: &Cluster, id: &ObjectId) -> Option<Value> {
    serde_json::to_value(cluster.object(id)?).ok()
}

/// Puts an object into the cluster in place of the one with its id.
fn put(cluster: &mut Cluster, id: &ObjectId, value: Value) -> Option<()> {
    let mut object = Object::read(info(&id.kind)?, value).ok()?;
    if let Some(old) = cluster.object(id) {
        object.meta_mut().source = old.meta().source.clone();
    }
    cluster.insert(&id.kind, object);
    Some(())
}

/// Where the kind keeps the template of its pods.
pub(super) fn template(kind: &str) -> &'static str {
    match kind {
        "Pod" => "",
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => "/spec/template",
    }
}

/// The ops of a pod's spec as ops of an object that keeps it below `prefix`.
fn below(prefix: &str, ops: Vec<Op>) -> Vec<Op> {
    ops.into_iter()
        .map(|op| match op {
            Op::Set(pointer, value) => Op::Set(format!("{prefix}/spec{pointer}"), value),
            Op::Remove(pointer) => Op::Remove(format!("{prefix}/spec{pointer}")),
        })
        .collect()
}

/// Makes the ops; removals last and from the back, so that no pointer moves under another.
pub(super) fn make(value: &mut Value, ops: &[Op]) {
    for op in ops {
        if let Op::Set(pointer, new) = op {
            set(value, pointer, new.clone());
        }
    }
    for op in ops.iter().rev() {
        if let Op::Remove(pointer) = op
            && let Some((parent, last)) = pointer.rsplit_once('/')
        {
            match value.pointer_mut(parent) {
                Some(Value::Array(list)) => {
                    if let Some(at) = last.parse().ok().filter(|&at: &usize| at < list.len()) {
                        list.remove(at);
                    }
                }
                Some(Value::Object(map)) => {
                    map.remove(&yaml::unescaped(last));
                }
                _ => {}
            }
        }
    }
}

fn set(value: &mut Value, pointer: &str, new: Value) {
    let mut at = value;
    for part in pointer.split('/').skip(1) {
        at = match at {
            Value::Array(list) => {
                let Some(element) = part.parse().ok().and_then(|index: usize| list.get_mut(index)) else {
                    return;
                };
                element
            }
            other => {
                if !other.is_object() {
                    *other = json!({});
                }
                let Value::Object(map) = other else { return };
                map.entry(yaml::unescaped(part)).or_insert(Value::Null)
            }
        };
    }
    *at = new;
}

impl Edit {
    /// Makes the change; `None` if there is nothing to make it in.
    pub(super) fn apply(&self, cluster: &mut Cluster) -> Option<()> {
        match self {
            Self::Fields(id, ops) => {
                let mut value = json_of(cluster, id)?;
                make(&mut value, ops);
                put(cluster, id, value)
            }
            Self::Pods(workload, change) => {
                let pods = cluster.pods.iter();
                let of = pods.filter(|(_, pod)| workload_of(pod, cluster) == *workload);
                let mut ids: Vec<ObjectId> = of.map(|(id, _)| id.clone()).collect();
                let made = cluster.workloads.iter().map(|(id, _)| id);
                let made = made.filter(|id| id.namespace == workload.namespace);
                ids.extend(made.filter(|id| top_of(id, cluster) == *workload).cloned());
                for id in &ids {
                    let mut value = json_of(cluster, id)?;
                    let prefix = template(&id.kind);
                    let spec = value.pointer(&format!("{prefix}/spec"))?;
                    let ops = below(prefix, change.ops(spec));
                    make(&mut value, &ops);
                    put(cluster, id, value)?;
                }
                (!ids.is_empty()).then_some(())
            }
            Self::Add(id, value) => {
                put(cluster, id, value.clone())?;
                cluster.sort();
                Some(())
            }
            Self::Delete(id) => cluster.remove(id).then_some(()),
        }
    }

    /// The change as YAML, with the command that makes it.
    pub(super) fn patch(&self, cluster: &Cluster, sources: &Sources<'_>) -> Option<Patch> {
        let (id, verb, body) = match self {
            Self::Fields(id, ops) => {
                let current = json_of(cluster, id)?;
                (id, "patch", yaml::patch(&current, ops))
            }
            Self::Pods(workload, change) => {
                let own = json_of(cluster, workload);
                let prefix = template(&workload.kind);
                let (current, ops) = if let Some(current) = own {
                    let ops = below(prefix, change.ops(current.pointer(&format!("{prefix}/spec"))?));
                    (current, ops)
                } else {
                    // The input has the pods alone: their specs say what stands in the template.
                    let mut pods = cluster.pods.values();
                    let pod = pods.find(|pod| workload_of(pod, cluster) == *workload)?;
                    let spec = serde_json::to_value(&pod.spec).ok()?;
                    let ops = below(prefix, change.ops(&spec));
                    let mut current = json!({});
                    set(&mut current, &format!("{prefix}/spec"), spec);
                    (current, ops)
                };
                let is_fixed = matches!(workload.kind.as_str(), "Pod" | "Job");
                (
                    workload,
                    if is_fixed { "replace" } else { "patch" },
                    yaml::patch(&current, &ops),
                )
            }
            Self::Add(id, value) => (id, "apply", value.clone()),
            Self::Delete(id) => (id, "delete", json!({})),
        };
        let kind = info(&id.kind)?;
        let command = match verb {
            "patch" => "kubectl patch -f change.yaml --patch-file change.yaml".to_owned(),
            "replace" => "change its manifest and make it anew: kubectl replace --force -f".to_owned(),
            other => format!("kubectl {other} -f change.yaml"),
        };
        Some(Patch {
            object: id.to_string(),
            source: sources.of(id).map(ToString::to_string),
            command,
            yaml: yaml::text(kind, id, body),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_do_not_move_under_each_other() {
        let mut value = json!({"a": [0, 1, 2, 3], "b": {"c/d": 1}});
        let ops = [
            Op::Remove("/a/0".into()),
            Op::Remove("/a/2".into()),
            Op::Remove("/b/c~1d".into()),
            Op::Set("/e/f".into(), json!(true)),
        ];
        make(&mut value, &ops);
        assert_eq!(value, json!({"a": [1, 3], "b": {}, "e": {"f": true}}));
    }
}
