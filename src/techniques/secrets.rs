//! What rights over Secrets, ConfigMaps and tokens give.
//!
//! **Trap.** `list` and `watch` return values, not names; with a name in the rule they still return that one. A
//! token can be made for an account without any right to read Secrets.

use std::collections::BTreeMap;

use super::references::Holder;
use super::structure::{any_account, namespace_fact};
use super::technique::techniques;
use super::{ANY, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::{Identity, Power, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Reads Secrets through the API server.
    ///
    /// KubeHound's `TOKEN_LIST` and `TOKEN_BRUTEFORCE` are this for token Secrets.
    ///
    /// # Preconditions
    ///
    /// The right to get, list or watch Secrets in the namespace, or one of them by name. Names of Secrets stand
    /// in the specifications of pods; for `get` they need to be known.
    ///
    /// What does not suffice: `create` or `update`; or the resource `secrets` in another API group.
    ///
    /// # Detection
    ///
    /// Audit log: `get`, `list` and `watch` of Secrets by an identity that never asked for them before.
    SECRET_READ: [Grant] => [Secret] {
        title: "Secrets read through the API server",
        mitre: ["T1552.007"],
        microsoft: ["MS-TA9025"],
        owasp: ["K02", "K03"],
        cis: ["5.1.2"],
        falco: ["K8s Secret Get Successfully"],
        effort: 1,
        remediation: "Give get on single Secrets by name; never list or watch.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets",
        ],
        derive: secret_read,
    }

    /// Reads ConfigMaps through the API server.
    ///
    /// # Preconditions
    ///
    /// The right to get, list or watch ConfigMaps in the namespace, or one of them by name, as the role `view` gives it. It
    /// matters where the settings hold a password.
    ///
    /// What does not suffice: `create` or `update`; or rights over Secrets.
    ///
    /// # Detection
    ///
    /// Audit log: `get`, `list` and `watch` of ConfigMaps by an identity that never asked for them before.
    CONFIG_MAP_READ: [Grant] => [ConfigMap] {
        title: "ConfigMaps read through the API server",
        mitre: ["T1552.007"],
        microsoft: ["MS-TA9027"],
        owasp: ["K02", "K03"],
        effort: 1,
        remediation: "Keep credentials out of ConfigMaps.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles",
            "https://kubernetes.io/docs/concepts/configuration/configmap/",
        ],
        derive: config_map_read,
    }

    /// Has the API server make a token of a service account.
    ///
    /// # Preconditions
    ///
    /// The right to create `serviceaccounts/token` in the namespace, or for the account by name.
    ///
    /// What does not suffice: `create` on `serviceaccounts`.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of `serviceaccounts/token` by an identity that is no kubelet.
    TOKEN_REQUEST: [Grant] => [Credential] {
        title: "Token on request",
        mitre: ["T1528", "T1098"],
        microsoft: ["MS-TA9016"],
        owasp: ["K02", "K09"],
        cis: ["5.1.13"],
        effort: 1,
        remediation: "Give serviceaccounts/token by the name of the account, to the component that needs it.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#token-request",
            "https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/",
        ],
        derive: token_request,
    }

    /// Creates a token Secret for a service account and reads the token that the controller puts into it.
    ///
    /// # Preconditions
    ///
    /// The right to create Secrets in the namespace, and to get, list or watch them there; two identities may
    /// have one each.
    ///
    /// What does not suffice: either right alone.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of Secrets of type `kubernetes.io/service-account-token`.
    TOKEN_SECRET_CREATE: [Grant] => [Credential] {
        title: "Token Secret for a service account",
        mitre: ["T1528", "T1098"],
        microsoft: ["MS-TA9016"],
        owasp: ["K02", "K09"],
        cis: ["5.1.2"],
        falco: ["K8s Secret Created"],
        effort: 1,
        remediation: "Do not give create on Secrets together with a right to read them.",
        references: [
            "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
        ],
        derive: token_secret_create,
    }
}

/// The powers that return values of Secrets.
static READERS: &[&Power] = &[&power::GET_SECRETS, &power::LIST_SECRETS, &power::WATCH_SECRETS];

fn secret_read(context: &Context<'_>, sink: &mut Sink<'_>) {
    let exists = |id: &ObjectId| context.cluster.secrets.contains(id);
    read(context, READERS, Holder::Secret, exists, sink);
}

fn config_map_read(context: &Context<'_>, sink: &mut Sink<'_>) {
    let exists = |id: &ObjectId| context.cluster.config_maps.contains(id);
    read(
        context,
        &[&power::READ_CONFIG_MAPS],
        Holder::ConfigMap,
        exists,
        sink,
    );
}

fn read(
    context: &Context<'_>,
    readers: &[&'static Power],
    holder: Holder,
    exists: impl Fn(&ObjectId) -> bool,
    sink: &mut Sink<'_>,
) {
    for &reader in readers {
        for (namespace, grant) in context.held.namespaces(reader) {
            let any = holder.whole(&Place::new(namespace, ANY));
            sink.step([grant], any, [namespace_fact(namespace)]);
        }
        for (namespace, name, grant) in context.held.names(reader) {
            for place in context.held.places(namespace) {
                let id = ObjectId::new(holder.kind(), place, name);
                // A name in all namespaces means those in which there is such an object.
                if !namespace.is_empty() || exists(&id) {
                    let whole = holder.whole(&Place::new(place, name));
                    sink.step([grant.clone()], whole, [Evidence::new(id, "", "")]);
                }
            }
        }
    }
}

fn token_request(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (namespace, grant) in context.held.namespaces(&power::CREATE_TOKENS) {
        sink.step([grant], any_account(namespace), [namespace_fact(namespace)]);
    }
    for (namespace, name, grant) in context.held.names(&power::CREATE_TOKENS) {
        for place in context.held.places(namespace) {
            if let Some(fact) = account_fact(context, place, name) {
                let account = Identity::service_account(place, name);
                let token = Position::Credential(Opens::Identity(account));
                sink.step([grant.clone()], token, [fact]);
            }
        }
    }
}

/// The existence of a service account.
pub(super) fn account_fact(context: &Context<'_>, namespace: &Text, name: &Text) -> Option<Evidence> {
    let id = ObjectId::new("ServiceAccount", namespace, name);
    // The controller makes `default` in every namespace.
    let exists = name == "default" || context.cluster.service_accounts.contains(&id);
    exists.then(|| Evidence::new(id, "", ""))
}

fn token_secret_create(context: &Context<'_>, sink: &mut Sink<'_>) {
    for &reader in READERS {
        let readers: BTreeMap<&Text, Position> = context.held.namespaces(reader).into_iter().collect();
        for (namespace, create) in context.held.namespaces(&power::CREATE_SECRETS) {
            if let Some(read) = readers.get(namespace) {
                let fact = [namespace_fact(namespace)];
                sink.step([create, read.clone()], any_account(namespace), fact);
            }
        }
    }
}
