//! Tokens in pods, and their use.

use super::pods::{ContainerView, PodView, both, pods};
use super::structure::{identities, identity_object};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Position, Sink};
use crate::model::ProjectedSource;
use crate::rbac::Identity;

techniques! { TECHNIQUES, Family::Identity;
    /// Reads the service account's token that is mounted into the container.
    ///
    /// # Preconditions
    ///
    /// The token is mounted by default: neither the pod nor, if the pod is silent, its service account sets
    /// `automountServiceAccountToken: false`. Or the container mounts a projected volume with a token for the
    /// API server.
    ///
    /// What does not suffice: a projected token for another audience (Vault, a cloud); the API server refuses
    /// it.
    ///
    /// # Detection
    ///
    /// Reads of `/var/run/secrets/kubernetes.io/serviceaccount/token` by other processes than the application's
    /// own client.
    TOKEN_MOUNT: [Container, Pod] => [Credential] {
        title: "Token of the pod's service account",
        mitre: ["T1528", "T1552.001"],
        microsoft: ["MS-TA9016"],
        owasp: ["K02", "K09"],
        cis: ["5.1.5", "5.1.6"],
        falco: ["Read sensitive file untrusted"],
        effort: 1,
        remediation: "Set automountServiceAccountToken: false for pods that do not talk to the API server.",
        references: [
            "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
            "https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken",
        ],
        derive: token_mount,
    }

    /// Sends requests to the API server as the identity whose credential is held.
    ///
    /// KubeHound draws this from a container at once; here it needs the token and a way to the API server.
    ///
    /// # Preconditions
    ///
    /// A token or client certificate of the identity is held, and the API server can be reached from where the
    /// attacker stands.
    ///
    /// What does not suffice: a token alone behind an egress policy that closes the API server.
    ///
    /// # Detection
    ///
    /// Audit log: the identity's requests from another source address, user agent or pod
    /// (`authentication.kubernetes.io/pod-name`) than usual.
    IDENTITY_ASSUME: [Credential, Port] => [Identity] {
        title: "Use of a credential",
        mitre: ["T1550.001", "T1078"],
        microsoft: ["MS-TA9016"],
        owasp: ["K09"],
        cis: ["5.1.6"],
        falco: ["Contact K8S API Server From Container"],
        effort: 1,
        remediation: "Let egress policies open the API server only to pods that need it; use short-lived, bound tokens.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens",
        ],
        derive: identity_assume,
    }
}

fn identity_assume(context: &Context<'_>, sink: &mut Sink<'_>) {
    for identity in identities(context) {
        if matches!(identity, Identity::Group(_)) {
            continue;
        }
        let evidence = [Evidence::new(identity_object(&identity), "", "")];
        let credential = Position::Credential(Opens::Identity(identity.clone()));
        let assumed = Position::Identity(identity);
        sink.step([credential, Position::ApiServer], assumed, evidence);
    }
}

fn token_mount(context: &Context<'_>, sink: &mut Sink<'_>) {
    for pod in pods(context) {
        for (holder, account, certainty, fact) in tokens(context, &pod) {
            let token = Position::Credential(Opens::Identity(account));
            sink.step_if([holder], token, certainty, [fact]);
        }
    }
}

/// The tokens in a pod: who holds each, whose it is, how sure that is, and what says so.
pub(super) fn tokens(
    context: &Context<'_>,
    pod: &PodView<'_>,
) -> Vec<(Position, Identity, Certainty, Evidence)> {
    // A static pod has no account that the API server gives tokens for.
    if pod.pod.meta.annotations.contains("kubernetes.io/config.mirror") {
        return Vec::new();
    }
    let spec = &pod.pod.spec;
    let name = spec.account();
    let account = || context.cluster.service_account(&pod.place.namespace, &name);
    // The account decides only for a pod that is silent.
    let automount = spec
        .automount_service_account_token
        .or_else(|| account()?.automount_service_account_token)
        .unwrap_or(true);
    let mut found = Vec::new();
    for container in pod.containers() {
        let mounted = automount && !mounts_over_token(&container);
        let default = mounted.then(|| (Certainty::Certain, pod.field("/serviceAccountName", &name)));
        if let Some((how, fact)) = projected(&container).or(default) {
            let (holder, certainty) = container.holder();
            let account = Identity::service_account(&pod.place.namespace, &name);
            found.push((holder, account, both(certainty, how), fact));
        }
    }
    found
}

/// Whether a volume of the container's own stands where the token would be; admission then leaves it.
fn mounts_over_token(container: &ContainerView<'_>) -> bool {
    const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let mut mounts = container.container.volume_mounts.iter();
    mounts.any(|mount| mount.mount_path.trim_end_matches('/') == TOKEN)
}

/// The first token for the API server among the container's projected volumes.
fn projected(container: &ContainerView<'_>) -> Option<(Certainty, Evidence)> {
    let mut found: Option<(Certainty, Evidence)> = None;
    for (at, mount, volume) in container.mounts() {
        let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
        for certainty in sources.filter_map(for_api_server) {
            let fact = container.element("/volumeMounts", at, "/mountPath", &mount.mount_path);
            if found.as_ref().is_none_or(|(known, _)| certainty < *known) {
                found = Some((certainty, fact));
            }
        }
    }
    found
}

/// Whether a projected token opens the API server: no audience means its own, others are its only if they are
/// among its `--api-audiences`, which by default is the issuer.
fn for_api_server(source: &ProjectedSource) -> Option<Certainty> {
    const DEFAULT_ISSUERS: &[&str] = &[
        "https://kubernetes.default.svc",
        "https://kubernetes.default.svc.cluster.local",
    ];
    let token = source.service_account_token.as_ref()?;
    if token.audience.is_empty() {
        return Some(Certainty::Certain);
    }
    DEFAULT_ISSUERS.contains(&token.audience.as_str()).then(|| {
        Certainty::Conditional(format!("the API server accepts the audience {}", token.audience).into())
    })
}
