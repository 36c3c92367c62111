//! Which credentials are the same, without what they are: in keys of Secrets and ConfigMaps, variables and arguments.
//!
//! Only when the user asks: each is hashed while it is read, with a random key that this process draws and never writes.
//! What is kept is which of them are equal, as small numbers; the key and the hashes go with the reader.
//!
//! **Trap.** Only what is a credential by its name or its form is compared. The value of `POSTGRES_USER` may well be that
//! of a password, and whoever reads it knows no password for it. Nor is it where a password stands that counts, but the
//! password: `data` is base64 and `stringData` is not, and in a URL its signs are encoded.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{Cluster, Literal, Object, PodSpec, Text};

/// The random key, and a number for each hash that was seen.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    key: RandomState,
    numbers: Arc<Mutex<FxHashMap<u64, NonZeroU32>>>,
}

/// What of an object may hold credentials, for the time of hashing them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Values {
    data: Option<BTreeMap<Text, Option<String>>>,
    string_data: Option<BTreeMap<Text, Option<String>>>,
    spec: Value,
}

/// Whether an object is of a kind in which credentials stand.
pub(super) fn may_hold(object: &Object) -> bool {
    matches!(
        object,
        Object::Secret(_) | Object::ConfigMap(_) | Object::Pod(_) | Object::Workload(_)
    )
}

impl Matcher {
    /// Notes the numbers of an object's credentials in it.
    pub(super) fn note(&self, object: &mut Object, values: Values) {
        match object {
            Object::Secret(secret) => {
                for (key, value) in values.data.into_iter().flatten() {
                    let encoded: String = value.unwrap_or_default().split_whitespace().collect();
                    let decoded = STANDARD.decode(encoded).unwrap_or_default();
                    let number = self.called(&key, &String::from_utf8_lossy(&decoded));
                    secret.alike.extend(number.map(|number| (key, number)));
                }
                // What stands in both is taken from `stringData`, as by the API server.
                for (key, value) in values.string_data.into_iter().flatten() {
                    secret.alike.remove(&key);
                    let number = self.called(&key, &value.unwrap_or_default());
                    secret.alike.extend(number.map(|number| (key, number)));
                }
            }
            Object::ConfigMap(map) => {
                for (key, value) in values.data.into_iter().flatten() {
                    if let Some(shown) = map.data.0.get_mut(&key).filter(|shown| shown.withheld) {
                        shown.alike = self.called(&key, &value.unwrap_or_default());
                    }
                }
            }
            Object::Pod(pod) => self.note_pod(&mut pod.spec, &values.spec),
            Object::Workload(workload) => {
                let job = values.spec.get("jobTemplate").and_then(|job| job.get("spec"));
                let template = job.unwrap_or(&values.spec).get("template");
                if let Some(spec) = template.and_then(|template| template.get("spec")) {
                    self.note_pod(&mut workload.template_mut().spec, spec);
                }
            }
            _ => {}
        }
    }

    /// The number of the credential in a value of this name.
    fn called(&self, name: &str, written: &str) -> Option<NonZeroU32> {
        self.number(&Literal::redacted(name, written), written)
    }

    /// The number of the part of a value that is not shown.
    fn number(&self, shown: &Literal, written: &str) -> Option<NonZeroU32> {
        let secret = shown.secret_of(written)?.trim_end_matches(['\n', '\r']);
        let hash = if shown.text.contains("://") {
            let decoded: Vec<u8> = percent_decode_str(secret).collect();
            self.key.hash_one(decoded.as_slice())
        } else {
            self.key.hash_one(secret.as_bytes())
        };
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(numbers.len() + 1).ok().and_then(NonZeroU32::new);
        match numbers.get(&hash) {
            Some(number) => Some(*number),
            None => next.inspect(|&next| _ = numbers.insert(hash, next)),
        }
    }

    fn note_pod(&self, spec: &mut PodSpec, written: &Value) {
        for (list, at, container) in spec.all_containers_mut() {
            let Some(written) = written.get(list).and_then(|all| all.get(at)) else {
                continue;
            };
            // Of what the reader leaves out the places differ.
            if written.get("name").and_then(Value::as_str) != Some(container.name.as_str()) {
                continue;
            }
            for (at, variable) in container.env.iter_mut().enumerate() {
                let written = written.get("env").and_then(|all| all.get(at)?.get("value"));
                if let (Some(shown), Some(written)) = (&mut variable.value, written.and_then(Value::as_str)) {
                    shown.alike = self.number(shown, written);
                }
            }
            for (words, list) in [(&mut container.command, "command"), (&mut container.args, "args")] {
                for (at, shown) in words.words_mut().iter_mut().enumerate() {
                    let written = written.get(list).and_then(|all| all.get(at)?.as_str());
                    shown.alike = written.and_then(|written| self.number(shown, written));
                }
            }
        }
    }
}

/// Does something with the number of everything in a pod's spec that may have one.
fn of_pod(spec: &mut PodSpec, each: &mut dyn FnMut(&mut Option<NonZeroU32>)) {
    for (_, _, container) in spec.all_containers_mut() {
        let values = container
            .env
            .iter_mut()
            .filter_map(|variable| variable.value.as_mut());
        let words = container.command.words_mut().iter_mut();
        for literal in values.chain(words).chain(container.args.words_mut()) {
            each(&mut literal.alike);
        }
    }
}

/// Forgets the numbers that an object comes with: a manifest says nothing about what is alike.
pub(super) fn forget(object: &mut Object) {
    let mut clear = |alike: &mut Option<NonZeroU32>| *alike = None;
    match object {
        Object::Secret(secret) => secret.alike.clear(),
        Object::ConfigMap(map) => map.data.0.values_mut().for_each(|value| clear(&mut value.alike)),
        Object::Pod(pod) => of_pod(&mut pod.spec, &mut clear),
        Object::Workload(workload) => of_pod(&mut workload.template_mut().spec, &mut clear),
        _ => {}
    }
}

/// Numbers what is alike by the order of the objects, and drops the numbers of what occurs once.
pub(super) fn number(cluster: &mut Cluster) {
    let mut counts = FxHashMap::<NonZeroU32, usize>::default();
    of_all(cluster, &mut |alike| {
        if let Some(number) = alike {
            *counts.entry(*number).or_default() += 1;
        }
    });
    let mut numbers = FxHashMap::<NonZeroU32, NonZeroU32>::default();
    of_all(cluster, &mut |alike| {
        let again = alike.filter(|number| counts.get(number).is_some_and(|count| *count > 1));
        *alike = again.and_then(|number| {
            let next = u32::try_from(numbers.len() + 1).ok().and_then(NonZeroU32::new)?;
            Some(*numbers.entry(number).or_insert(next))
        });
    });
}

/// Does something with every number of a cluster, Secrets first.
fn of_all(cluster: &mut Cluster, each: &mut dyn FnMut(&mut Option<NonZeroU32>)) {
    for secret in cluster.secrets.values_mut() {
        secret.alike = std::mem::take(&mut secret.alike)
            .into_iter()
            .filter_map(|(key, number)| {
                let mut number = Some(number);
                each(&mut number);
                Some((key, number?))
            })
            .collect();
    }
    for map in cluster.config_maps.values_mut() {
        map.data.0.values_mut().for_each(|value| each(&mut value.alike));
    }
    for workload in cluster.workloads.values_mut() {
        of_pod(&mut workload.template_mut().spec, each);
    }
    for pod in cluster.pods.values_mut() {
        of_pod(&mut pod.spec, each);
    }
}
