//! Passwords that are known to open a datastore.

use super::datastore::{evidence, place};
use super::technique::techniques;
use super::{Context, Family, Opens, Place, Position, Sink};
use crate::datastores::{Origin, User};

techniques! { TECHNIQUES, Family::Credential;
    /// Recognises a value of a Secret or ConfigMap as a datastore's password.
    ///
    /// # Preconditions
    ///
    /// The datastore's own container takes the key for a variable or option that its image documents as the
    /// password. Or a client takes it for a password beside a setting that names the datastore's Service.
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

fn database_password(context: &Context<'_>, sink: &mut Sink<'_>) {
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
                .filter_map(|fact| evidence(context, fact))
                .collect();
            let credential = Position::Credential(Opens::Database(opened.clone()));
            sink.step([held], credential, evidence);
        }
    }
}
