//! Secrets and settings that containers are given.

use std::collections::{BTreeMap, BTreeSet};

use super::inline::Inline;
use super::pods::{Mark, both, marked};
use super::references::{Holder, Keys, Way, references_by};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::Identity;

techniques! { TECHNIQUES, Family::Credential;
    /// Reads a Secret's values from the container's environment.
    ///
    /// # Preconditions
    ///
    /// `env` takes single keys of the Secret, or `envFrom` takes them all. The keys that are taken count as the
    /// whole Secret when they are all it has; of a Secret that is not in the input those are the keys that
    /// anyone refers to.
    ///
    /// What does not suffice: another container of the pod; each has its own environment.
    ///
    /// # Detection
    ///
    /// Reads of `/proc/*/environ`, and `env` or `printenv` run in the container.
    SECRET_IN_ENV: [Container, Pod] => [Secret] {
        title: "Secret in the environment",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9027"],
        owasp: ["K03"],
        cis: ["5.4.1"],
        falco: ["Read environment variable from /proc files"],
        effort: 1,
        remediation: "Give each container only the keys it uses, and rotate those of exposed containers.",
        references: ["https://kubernetes.io/docs/tasks/inject-data-application/distribute-credentials-secure/"],
        derive: secret_in_env,
    }

    /// Reads a Secret's values from a mounted volume.
    ///
    /// # Preconditions
    ///
    /// The container mounts a volume of the Secret, by itself or in a projected volume. With `items` or
    /// `subPath` only those keys are there.
    ///
    /// What does not suffice: a volume of the pod that the container does not mount.
    ///
    /// # Detection
    ///
    /// Reads of the mount's files by processes other than the application's.
    SECRET_IN_VOLUME: [Container, Pod] => [Secret] {
        title: "Secret in a volume",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9027"],
        owasp: ["K03"],
        cis: ["5.4.2"],
        falco: ["Read sensitive file untrusted"],
        effort: 1,
        remediation: "Mount only the keys that the container uses, by `items`.",
        references: ["https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod"],
        derive: secret_in_volume,
    }

    /// Reads a ConfigMap's values from the container's environment.
    ///
    /// # Preconditions
    ///
    /// `env` or `envFrom` takes keys of the ConfigMap, as with Secrets. It matters where the settings hold a
    /// password.
    ///
    /// What does not suffice: another container of the pod; each has its own environment.
    ///
    /// # Detection
    ///
    /// As for Secrets in the environment.
    CONFIG_MAP_IN_ENV: [Container, Pod] => [ConfigMap] {
        title: "ConfigMap in the environment",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9027"],
        owasp: ["K03"],
        cis: ["5.4.1"],
        falco: ["Read environment variable from /proc files"],
        effort: 1,
        remediation: "Keep credentials out of ConfigMaps.",
        references: ["https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/"],
        derive: config_map_in_env,
    }

    /// Reads a ConfigMap's values from a mounted volume.
    ///
    /// # Preconditions
    ///
    /// The container mounts a volume of the ConfigMap, by itself or in a projected volume. With `items` or
    /// `subPath` only those keys are there.
    ///
    /// What does not suffice: a volume of the pod that the container does not mount.
    ///
    /// # Detection
    ///
    /// As for Secrets in a volume.
    CONFIG_MAP_IN_VOLUME: [Container, Pod] => [ConfigMap] {
        title: "ConfigMap in a volume",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9027"],
        owasp: ["K03"],
        cis: ["5.4.2"],
        effort: 1,
        remediation: "Keep credentials out of ConfigMaps.",
        references: ["https://kubernetes.io/docs/concepts/storage/volumes/#configmap"],
        derive: config_map_in_volume,
    }

    /// Reads a credential that is written in clear into the container's own spec.
    ///
    /// Where a datastore's host stands beside it, or the datastore itself is given it, the credential is known
    /// to open that; else what it opens is not known.
    ///
    /// # Preconditions
    ///
    /// A variable or argument of the container looks like a credential by its name or form, and its value is
    /// written out.
    ///
    /// What does not suffice: a value that names a file, a switch, or a reference to another variable.
    ///
    /// # Detection
    ///
    /// Reads of `/proc/*/environ` and `/proc/*/cmdline`; whoever may get pods or workloads reads it as well.
    SECRET_INLINE: [Container, Pod] => [Credential] {
        title: "Credential in clear in a pod's spec",
        mitre: ["T1552.001"],
        microsoft: ["MS-TA9027"],
        owasp: ["K03"],
        cis: ["5.4.1", "5.4.2"],
        falco: ["Create/Modify Configmap With Private Credentials"],
        effort: 1,
        remediation: "Move the value into a Secret and rotate it.",
        references: ["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
        derive: secret_inline,
    }

    /// Takes a service account's long-lived token out of its Secret.
    ///
    /// # Preconditions
    ///
    /// The Secret is of type `kubernetes.io/service-account-token` and names the account.
    ///
    /// What does not suffice: a token that the control plane has marked invalid because nobody used it for a
    /// year.
    ///
    /// # Detection
    ///
    /// Audit log: requests with the annotation `authentication.k8s.io/legacy-token`.
    TOKEN_SECRET: [Secret] => [Credential] {
        title: "Long-lived token in a Secret",
        mitre: ["T1528", "T1552.007"],
        microsoft: ["MS-TA9016", "MS-TA9025"],
        owasp: ["K03", "K09"],
        cis: ["5.1.2", "5.1.6"],
        falco: ["K8s Secret Get Successfully"],
        effort: 1,
        remediation: "Delete the Secret; use tokens that expire (TokenRequest).",
        references: [
            "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
            "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner",
        ],
        derive: token_secret,
    }
}

fn secret_in_env(context: &Context<'_>, sink: &mut Sink<'_>) {
    given(context, Holder::Secret, Way::Variable, sink);
}

fn secret_in_volume(context: &Context<'_>, sink: &mut Sink<'_>) {
    given(context, Holder::Secret, Way::Volume, sink);
}

fn config_map_in_env(context: &Context<'_>, sink: &mut Sink<'_>) {
    given(context, Holder::ConfigMap, Way::Variable, sink);
}

fn config_map_in_volume(context: &Context<'_>, sink: &mut Sink<'_>) {
    given(context, Holder::ConfigMap, Way::Volume, sink);
}

/// What a container takes of one Secret or ConfigMap.
#[derive(Default)]
struct Taken {
    all: Option<Evidence>,
    keys: BTreeMap<Text, Evidence>,
}

fn given(context: &Context<'_>, holder: Holder, way: Way, sink: &mut Sink<'_>) {
    let mark = match way {
        Way::Variable => Mark::VARIABLES,
        Way::Volume => Mark::VOLUMES,
    };
    for pod in marked(context, mark) {
        for container in pod.containers() {
            let references = references_by(&container, &[way], &[holder]);
            if references.is_empty() {
                continue;
            }
            let (owner, certainty) = container.holder();
            let mut add = |conclusion, evidence| {
                sink.step_if([owner.clone()], conclusion, certainty.clone(), evidence);
            };
            // Of most containers there is one, and nothing to put together.
            if let [only] = &references[..]
                && only.keys().is_none()
            {
                add(holder.whole(&only.place), vec![only.proof()]);
                continue;
            }
            let mut taken = BTreeMap::<Place, Taken>::new();
            for reference in references {
                let proof = reference.proof();
                let taken = taken.entry(reference.place.clone()).or_default();
                match reference.keys() {
                    None => taken.all = Some(proof),
                    Some(keys) => taken.keys.extend(keys.map(|key| (key.clone(), proof.clone()))),
                }
            }
            for (place, taken) in taken {
                give(context.keys, holder, &place, taken, &mut add);
            }
        }
    }
}

fn give(
    known: &Keys,
    holder: Holder,
    place: &Place,
    taken: Taken,
    mut add: impl FnMut(Position, Vec<Evidence>),
) {
    if let Some(proof) = taken.all {
        return add(holder.whole(place), vec![proof]);
    }
    let keys: BTreeSet<Text> = taken.keys.keys().cloned().collect();
    if known.all(holder, place, &keys) {
        return add(holder.whole(place), taken.keys.into_values().collect());
    }
    for (key, proof) in taken.keys {
        add(holder.key(place, &key), vec![proof]);
    }
}

fn secret_inline(context: &Context<'_>, sink: &mut Sink<'_>) {
    let known = Inline::new(context);
    for pod in marked(context, Mark::INLINE) {
        for container in pod.containers() {
            let (owner, certainty) = container.holder();
            for found in known.of(&container) {
                let fact = [container.fact(&found.written.pointer, &found.shown)];
                let certainty = both(certainty.clone(), found.certainty);
                sink.step_if([owner.clone()], found.credential, certainty, fact);
            }
        }
    }
}

fn token_secret(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (id, secret) in &context.cluster.secrets {
        let Some(account) = secret.token_of() else {
            continue;
        };
        if secret
            .labels()
            .contains("kubernetes.io/legacy-token-invalid-since")
        {
            continue;
        }
        let place = Place::new(&id.namespace, &id.name);
        let identity = Identity::service_account(&id.namespace, account);
        let evidence = [Evidence::new(
            id.clone(),
            "/metadata/annotations/kubernetes.io~1service-account.name",
            account,
        )];
        let exists = context.cluster.service_accounts.contains(&ObjectId::new(
            "ServiceAccount",
            &id.namespace,
            account,
        ));
        let certainty = if exists {
            Certainty::Certain
        } else {
            Certainty::Conditional(format!("the service account {account} exists").into())
        };
        let token = Position::Credential(Opens::Identity(identity));
        sink.step_if(
            [Position::SecretKey(place, "token".into())],
            token,
            certainty,
            evidence,
        );
    }
}
