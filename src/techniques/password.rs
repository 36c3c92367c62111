//! Passwords that are known to open a datastore.

use indexmap::IndexMap;
use indexmap::map::Entry;
use rustc_hash::FxBuildHasher;

use super::alike::{Alike, certainty};
use super::datastore::{evidence, place};
use super::structure::escaped;
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Few, Opens, Place, Position, Sink};
use crate::datastores::{Origin, User};
use crate::model::{ObjectId, Text};

techniques! { TECHNIQUES, Family::Credential;
    /// Recognises a value of a Secret or ConfigMap as a datastore's password.
    ///
    /// # Preconditions
    ///
    /// The datastore's own container takes the key for a variable or option that its image documents as the
    /// password. Or a client takes it for a password beside a setting that names the datastore's Service. A Secret that an
    /// operator is known to make is assumed to be there if the input does not hold it. Or, in a snapshot that was made with
    /// `--match-credentials`, the key is a credential by its name or form and its value is such a password.
    ///
    /// What does not suffice: a key that only sounds like it; without `--match-credentials`, the same value.
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

/// By the key that holds a password and what it opens: how sure that is, and what shows it.
type Ways = IndexMap<(Position, Place), (Certainty, Few<Evidence>), FxBuildHasher>;

fn database_password(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut ways = Ways::default();
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
            // Every client that is given the key tells of it; one of them is proof enough, the surest.
            let way = (certainty(password), evidence.collect::<Few<_>>());
            match ways.entry((held, opened.clone())) {
                Entry::Vacant(entry) => {
                    entry.insert(way);
                }
                Entry::Occupied(mut entry) => {
                    if way.0 == Certainty::Certain && entry.get().0 != Certainty::Certain {
                        entry.insert(way);
                    }
                }
            }
        }
    }
    for ((held, opened), (certainty, evidence)) in &ways {
        let credential = Position::Credential(Opens::Database(opened.clone()));
        sink.step_if(
            [held.clone()],
            credential,
            certainty.clone(),
            evidence.iter().cloned(),
        );
    }
    same_passwords(context, &ways, sink);
}

/// The keys of Secrets and ConfigMaps whose value is a password that is known, as far as they are not known themselves.
fn same_passwords(context: &Context<'_>, known: &Ways, sink: &mut Sink<'_>) {
    let alike = Alike::new(context);
    if alike.is_empty() {
        return;
    }
    let mut add = |held: Position, id: &ObjectId, key: &Text, number| {
        for same in alike.of(number) {
            if known.contains_key(&(held.clone(), same.opens.clone())) {
                continue;
            }
            let proof = Evidence::new(
                id.clone(),
                format!("/data/{}", escaped(key)),
                format!("the same value as {}", same.stands),
            );
            let credential = Position::Credential(Opens::Database(same.opens.clone()));
            sink.step_if([held.clone()], credential, same.certainty.clone(), vec![proof]);
        }
    };
    for (id, secret) in &context.cluster.secrets {
        for (key, number) in &secret.alike {
            let held = Position::SecretKey(Place::new(&id.namespace, &id.name), key.clone());
            add(held, id, key, Some(*number));
        }
    }
    for (id, map) in &context.cluster.config_maps {
        for (key, value) in map.data.0.iter().filter(|(_, value)| value.alike.is_some()) {
            let held = Position::ConfigMapKey(Place::new(&id.namespace, &id.name), key.clone());
            add(held, id, key, value.alike);
        }
    }
}
