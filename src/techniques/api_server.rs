//! The API server's own doors: requests without a credential, and settings that let everyone do everything.
//!
//! **Trap.** `--anonymous-auth` is on unless told otherwise, but by itself it gives only `/healthz` and the like; what
//! counts are bindings to `system:anonymous` and `system:unauthenticated` beyond those that Kubernetes makes.

use std::collections::BTreeMap;

use super::loopback;
use super::pods::{ContainerView, Mark, PodView, marked};
use super::structure::{grounds, identities, identity_object, local_host};
use super::technique::techniques;
use super::version::numbers;
use super::{Certainty, Context, Evidence, Family, Position, Sink};
use crate::model::{ObjectId, ProbeAnswer, Text};
use crate::rbac::{Holding, Identity, Scope, power};

techniques! { TECHNIQUES, Family::ControlPlane;
    /// Sends requests to the API server without any credential.
    ///
    /// # Preconditions
    ///
    /// A binding gives `system:anonymous` or `system:unauthenticated` more than Kubernetes does, and the API server can be
    /// reached. A probe of a live server (`--probe-anonymous`) shows whether it takes such requests, else its arguments do if
    /// they are in the input; else the step depends on it.
    ///
    /// What does not suffice: `system:public-info-viewer`, and the ConfigMap `cluster-info` of kubeadm; a server with
    /// `--anonymous-auth=false`.
    ///
    /// # Detection
    ///
    /// Audit log: requests of `system:anonymous` to anything but `/healthz`, `/livez`, `/readyz` and `/version`.
    IDENTITY_ANONYMOUS: [Port] => [Identity] {
        title: "Requests without a credential",
        mitre: ["T1190", "T1078.001"],
        microsoft: ["MS-TA9009"],
        owasp: ["K02", "K06", "K09"],
        cis: ["1.2.1", "5.1.1"],
        falco: ["Anonymous Request Allowed"],
        effort: 1,
        remediation: "Delete bindings to system:anonymous and system:unauthenticated; limit anonymous requests to health checks.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests",
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles",
        ],
        derive: identity_anonymous,
    }

    /// Sends requests as any account of Google, which GKE counts among `system:authenticated`.
    ///
    /// # Preconditions
    ///
    /// The nodes are GKE's, and a binding gives the group `system:authenticated` more than Kubernetes does.
    ///
    /// What does not suffice: the same binding elsewhere, where the group holds accounts of the cluster only.
    ///
    /// # Detection
    ///
    /// Audit log: requests of e-mail addresses outside the organisation.
    GKE_ANY_ACCOUNT: [Port] => [Identity] {
        title: "Any account of Google",
        mitre: ["T1078.004"],
        microsoft: ["MS-TA9009"],
        owasp: ["K02", "K09"],
        cis: ["5.1.1"],
        effort: 1,
        remediation: "Delete bindings to system:authenticated; bind groups of the organisation.",
        references: ["https://cloud.google.com/kubernetes-engine/docs/best-practices/rbac#default-roles-groups"],
        derive: gke_any_account,
    }

    /// Does everything, as the API server asks nobody.
    ///
    /// # Preconditions
    ///
    /// A static pod of the API server has `AlwaysAllow` among its `--authorization-mode`: every identity then may do
    /// everything, though not requests without a credential, which the server refuses in that mode. Or it listens on an
    /// insecure port, as servers before 1.20 could: at an address that others reach, or at the loopback address, which the
    /// pods in its node's network share. Or a live server that was asked without a credential (`--probe-anonymous`) said that
    /// such requests may do everything.
    ///
    /// What does not suffice: the insecure port at the loopback address, for a pod with a network of its own.
    ///
    /// # Detection
    ///
    /// The API server's arguments; audit log: requests that no role allows.
    API_OPEN: [Identity, Port, Network] => [ClusterAdmin] {
        title: "API server that allows everything",
        mitre: ["T1190", "T1078"],
        microsoft: ["MS-TA9009"],
        owasp: ["K02", "K09"],
        cis: ["1.2.6", "1.2.7", "1.2.8"],
        effort: 1,
        remediation: "Set --authorization-mode=Node,RBAC, and update the API server.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/authorization/",
            "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
        ],
        derive: api_open,
    }
}

const ANONYMOUS: &str = "system:anonymous";
const UNAUTHENTICATED: &str = "system:unauthenticated";

/// A setting of a program: the value of `--name=value` or `--name value`, with its place.
pub(super) fn option<'a>(container: &ContainerView<'a>, name: &str) -> Option<(String, &'a str)> {
    let spec = container.container;
    for (list, words) in [("command", spec.command.words()), ("args", spec.args.words())] {
        for (at, word) in words.iter().enumerate() {
            let Some(rest) = word.text.strip_prefix(name) else {
                continue;
            };
            if let Some(value) = rest.strip_prefix('=') {
                return Some((format!("/{list}/{at}"), value));
            }
            if rest.is_empty() {
                let value = words.get(at + 1).map_or("", |next| next.text.as_str());
                return Some((format!("/{list}/{at}"), value));
            }
        }
    }
    None
}

/// The last part of an image's repository: `kube-apiserver` of `registry.k8s.io/kube-apiserver:v1.30.0`.
pub(super) fn image_name(image: &str) -> &str {
    let repository = repository(image);
    repository.rsplit('/').next().unwrap_or(repository)
}

/// An image without its tag and digest.
pub(super) fn repository(image: &str) -> &str {
    let bare = image.split('@').next().unwrap_or(image);
    match bare.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => bare,
    }
}

/// An image's tag; empty if it has none.
pub(super) fn tag(image: &str) -> &str {
    let bare = image.split('@').next().unwrap_or(image);
    match bare.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "",
    }
}

/// Calls `see` for every container of the cluster's own API servers.
fn servers(context: &Context<'_>, mut see: impl FnMut(&PodView<'_>, &ContainerView<'_>)) {
    for pod in marked(context, Mark::SYSTEM) {
        for container in pod.containers() {
            if image_name(&container.container.image) == "kube-apiserver" {
                see(&pod, &container);
            }
        }
    }
}

/// Whether an API server of the input runs an admission plugin that is off unless named.
pub(super) fn admits_by(context: &Context<'_>, plugin: &str) -> bool {
    let mut found = false;
    servers(context, |_, container| {
        let named = option(container, "--enable-admission-plugins");
        found |= named.is_some_and(|(_, names)| names.split(',').any(|name| name == plugin));
    });
    found
}

/// Whether Kubernetes itself or kubeadm makes this holding.
fn is_usual(holding: &Holding) -> bool {
    let is_cluster_info = |scope: &Scope| match scope {
        Scope::Name { namespace, name } => namespace == "kube-public" && name == "cluster-info",
        Scope::Cluster | Scope::Namespace(_) => false,
    };
    *holding.power == power::READ_CONFIG_MAPS && is_cluster_info(&holding.scope)
}

/// The first holding of an identity that is not usual, as evidence.
fn unusual(context: &Context<'_>, is_meant: impl Fn(&Identity) -> bool) -> Option<Vec<Evidence>> {
    let mut holdings = context.held.holdings(context.access);
    let found = holdings.find(|holding| is_meant(&holding.identity) && !is_usual(holding))?;
    let reasons = found.reasons.iter().take(1);
    Some(
        reasons
            .flat_map(|reason| grounds(&found.identity, reason))
            .collect(),
    )
}

fn is_anonymous(identity: &Identity) -> bool {
    match identity {
        Identity::User(name) => name == ANONYMOUS,
        Identity::Group(name) => name == UNAUTHENTICATED,
        Identity::ServiceAccount { .. } => false,
    }
}

/// The user that requests without a credential are, if that matters.
pub(super) fn anonymous(context: &Context<'_>) -> Option<Identity> {
    let mut holdings = context.held.holdings(context.access);
    let matters = holdings.any(|holding| is_anonymous(&holding.identity) && !is_usual(holding));
    matters.then(|| Identity::User(ANONYMOUS.into()))
}

fn identity_anonymous(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(mut evidence) = unusual(context, is_anonymous) else {
        return;
    };
    let takes = || Certainty::Conditional("the API server takes requests without a credential".into());
    let (mut refuses, mut known) = (false, Vec::new());
    servers(context, |_, container| {
        match option(container, "--anonymous-auth") {
            Some((_, "false")) => refuses = true,
            Some((pointer, value)) => known = vec![container.fact(&pointer, value)],
            None if option(container, "--authentication-config").is_some() => {}
            None => known = vec![container.fact("/command", "no --anonymous-auth, which is true then")],
        }
    });
    let probe = context.cluster.coverage.anonymous.as_ref();
    if let Some((probe, accepted)) = probe.and_then(|probe| Some((probe, probe.accepted?))) {
        refuses = !accepted;
        known = probe.answers.iter().map(answered).collect();
    }
    if refuses {
        return;
    }
    let certainty = if known.is_empty() {
        takes()
    } else {
        Certainty::Certain
    };
    evidence.extend(known);
    let user = Position::Identity(Identity::User(ANONYMOUS.into()));
    sink.step_if([Position::ApiServer], user, certainty, evidence);
}

/// An answer of the API server itself.
fn answered(probed: &ProbeAnswer) -> Evidence {
    let server = ObjectId::new("Service", "default", "kubernetes");
    let said = format!("{} without a credential: {}", probed.request, probed.answer);
    Evidence::new(server, "", said)
}

fn gke_any_account(context: &Context<'_>, sink: &mut Sink<'_>) {
    let mut nodes = context.cluster.nodes.iter();
    let Some((id, node)) = nodes.find(|(_, node)| node.spec.provider_id.starts_with("gce:")) else {
        return;
    };
    let group = Identity::Group("system:authenticated".into());
    if let Some(mut evidence) = unusual(context, |identity| *identity == group) {
        evidence.push(Evidence::new(
            id.clone(),
            "/spec/providerID",
            &node.spec.provider_id,
        ));
        sink.step([Position::ApiServer], Position::Identity(group), evidence);
    }
}

fn api_open(context: &Context<'_>, sink: &mut Sink<'_>) {
    let (mut allows, mut insecure) = (None, None);
    servers(context, |_, container| {
        if let Some((pointer, modes)) = option(container, "--authorization-mode")
            && modes.split(',').any(|mode| mode == "AlwaysAllow")
        {
            allows = Some(container.fact(&pointer, modes));
        }
        if let Some((fact, false)) = insecure_port(container) {
            insecure = Some(fact);
        }
    });
    if let Some(fact) = &allows {
        for identity in identities(context) {
            if !matches!(identity, Identity::Group(_)) && !is_anonymous(&identity) {
                let named = Evidence::new(identity_object(&identity), "", Text::default());
                let premise = [Position::Identity(identity)];
                sink.step(premise, Position::ClusterAdmin, [fact.clone(), named]);
            }
        }
    }
    let probe = context.cluster.coverage.anonymous.as_ref();
    if let Some(probe) = probe.filter(|probe| probe.may_do_everything) {
        let facts = probe.answers.iter().map(answered);
        sink.step([Position::ApiServer], Position::ClusterAdmin, facts);
    }
    if let Some(fact) = insecure {
        let reached =
            Certainty::Conditional("the insecure port can be reached like the API server's own".into());
        sink.step_if([Position::ApiServer], Position::ClusterAdmin, reached, [fact]);
    }
    for (node, fact) in loopback_servers(context) {
        sink.step([local_host(&node)], Position::ClusterAdmin, [fact]);
    }
}

/// The insecure port of an API server that has one, and whether it is at the loopback address alone.
///
/// Servers before 1.20 listened there unless told otherwise; whether those of another image do is not assumed.
/// Source: <https://github.com/kubernetes/kubernetes/blob/v1.19.0/cmd/kube-apiserver/app/options/options.go>
fn insecure_port(container: &ContainerView<'_>) -> Option<(Evidence, bool)> {
    let is_old = numbers(tag(&container.container.image)).map(|version| version < (1, 20, 0));
    let (pointer, port) = match option(container, "--insecure-port") {
        Some(given) if is_old.unwrap_or(true) => given,
        None if is_old.unwrap_or(false) => ("/image".into(), "8080"),
        _ => return None,
    };
    if port == "0" {
        return None;
    }
    let address = option(container, "--insecure-bind-address");
    let is_local = address
        .as_ref()
        .is_none_or(|(_, address)| matches!(*address, "127.0.0.1" | "::1" | "localhost"));
    let (pointer, address) = address.unwrap_or((pointer, "127.0.0.1"));
    Some((
        container.fact(&pointer, format!("{address}, port {port}")),
        is_local,
    ))
}

/// The nodes at whose loopback address an API server allows everything, with what shows it.
pub(super) fn loopback_servers(context: &Context<'_>) -> BTreeMap<Text, Evidence> {
    let mut found = BTreeMap::new();
    servers(context, |pod, container| {
        if let (Some(node), Some((fact, true))) = (loopback::node(pod), insecure_port(container)) {
            found.insert(node.clone(), fact);
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_taken_apart() {
        assert_eq!(
            image_name("registry.k8s.io/kube-apiserver:v1.30.0"),
            "kube-apiserver"
        );
        assert_eq!(image_name("localhost:5000/a/b@sha256:0"), "b");
        assert_eq!(repository("localhost:5000/a"), "localhost:5000/a");
        assert_eq!((tag("localhost:5000/a"), tag("a:1@sha256:0")), ("", "1"));
    }
}
