//! Passwords that are known to open a datastore.

use std::collections::{BTreeMap, BTreeSet};

use super::datastore::{evidence, place};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::datastores::{Origin, Presence, User};
use crate::model::{ObjectId, Text};

techniques! { TECHNIQUES, Family::Credential;
    /// Recognises a value of a Secret or ConfigMap as a datastore's password.
    ///
    /// # Preconditions
    ///
    /// The datastore's own container takes the key for a variable or option that its image documents as the
    /// password. Or a client takes it for a password beside a setting that names the datastore's Service. A Secret that an
    /// operator is known to make is assumed to be there if the input does not hold it.
    ///
    /// What does not suffice: a key that only sounds like it.
    ///
    /// # Detection
    ///
    /// None before the password is used.
    DATABASE_PASSWORD: [Secret, ConfigMap] => [Credential] {
        title: "Password of a datastore",
        mitre: ["T1552.007"],
        microsoft: ["MS-TA9025"],
        owasp: ["K03"],
        effort: 1,
        remediation: "Keep the password in a Secret that only the datastore and its clients are given, and rotate it.",
        references: ["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
        derive: database_password,
    }
}

/// The keys of Secrets that are known to have the same value, by its number; empty unless the user asked for it.
struct Alike<'a>(BTreeMap<u64, Vec<(&'a ObjectId, &'a Text)>>);

impl<'a> Alike<'a> {
    fn new(context: &Context<'a>) -> Self {
        let mut keys = BTreeMap::<u64, Vec<_>>::new();
        for (id, secret) in &context.cluster.secrets {
            for (key, number) in &secret.alike {
                keys.entry(*number).or_default().push((id, key));
            }
        }
        Self(keys)
    }

    /// The other keys with the value of this one.
    fn others<'s>(
        &'s self,
        context: &Context<'a>,
        namespace: &'s str,
        name: &'s str,
        key: &'s str,
    ) -> impl Iterator<Item = (&'a ObjectId, &'a Text)> + 's {
        let secret = context.cluster.secret(namespace, name);
        let number = secret.and_then(|secret| secret.alike.get(key));
        let all = number.and_then(|number| self.0.get(number)).into_iter().flatten();
        all.copied()
            .filter(move |(id, other)| id.namespace != *namespace || id.name != *name || *other != key)
    }
}

fn database_password(context: &Context<'_>, sink: &mut Sink<'_>) {
    let alike = Alike::new(context);
    let mut matched = BTreeSet::new();
    for datastore in context.datastores {
        let opened = place(datastore);
        for password in &datastore.passwords {
            let Some(namespace) = password.fact.namespace(context.cluster) else {
                continue;
            };
            let held = match &password.origin {
                Origin::Inline => continue,
                Origin::Secret(name, key) => Position::SecretKey(Place::new(namespace, name), key.clone()),
                Origin::ConfigMap(name, key) => {
                    Position::ConfigMapKey(Place::new(namespace, name), key.clone())
                }
            };
            let mut shown = password.fact.clone();
            if password.user != User::Unknown && password.host.is_none() {
                shown.value = format!("{}, {}", shown.value, password.user.as_str()).into();
            }
            let evidence = [Some(&shown), password.host.as_ref()]
                .into_iter()
                .flatten()
                .filter_map(|fact| evidence(context, fact));
            let credential = Position::Credential(Opens::Database(opened.clone()));
            let certainty = match &password.presence {
                Presence::Seen => Certainty::Certain,
                Presence::Made => Certainty::Assumed,
                Presence::Depends(condition) => Certainty::Conditional(condition.clone()),
            };
            sink.step_if([held], credential.clone(), certainty.clone(), evidence);
            if let Origin::Secret(name, key) = &password.origin {
                for (other, other_key) in alike.others(context, namespace, name, key) {
                    let place = Place::new(&other.namespace, &other.name);
                    let same = format!("the same value as {key} of Secret/{namespace}/{name}");
                    let proof = Evidence::new(other.clone(), format!("/data/{other_key}"), same);
                    let held = Position::SecretKey(place, other_key.clone());
                    let known = (held.clone(), opened.clone());
                    if matched.insert(known) {
                        sink.step_if([held], credential.clone(), certainty.clone(), [proof]);
                    }
                }
            }
        }
    }
}
