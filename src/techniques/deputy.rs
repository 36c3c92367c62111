//! What rights over custom resources give: what their controllers do for whoever writes them.
//!
//! **Trap.** The right to write a custom resource gives nothing where its controller does not run, and no more than
//! the controller's own account may do. Both are read from the input; the names of accounts say nothing.

use std::collections::BTreeSet;

use super::admission::{admitted, pod_security};
use super::controllers::{Controller, Gives, Heeds, Running, running};
use super::new_pod::belongings;
use super::pods::{any_node, any_pod, both};
use super::references::Holder;
use super::structure::{any_account, namespace_fact};
use super::technique::techniques;
use super::{ANY, Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::model::{ObjectId, Text};
use crate::rbac::{Caller, Identity, Power, Request, ResourceRequest, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Has a controller do what its own account may do, by a custom resource written for it.
    ///
    /// GitOps controllers deploy what an object names, pipelines run pods of a template, operators of secrets send
    /// tokens to the server of a store, policy engines change pods. Each is known by what its pods run.
    ///
    /// # Preconditions
    ///
    /// The right to write the custom resource where its controller heeds it; the controller in the input; and for
    /// pods, tokens and Secrets the right to make or read them with the controller's own account. Or the right to
    /// update the definition of the custom resource: its conversion webhook rewrites every object of the kind.
    ///
    /// What does not suffice: the right where no such controller runs; applications of Argo CD outside of its own
    /// namespace, unless it is told to heed others; Flux with `--default-service-account`, beyond the accounts of the
    /// namespace.
    ///
    /// # Detection
    ///
    /// Audit log: `create` and `patch` of the custom resource by an identity that does not deploy.
    CONFUSED_DEPUTY: [Grant] => [Identity, Credential, Secret, ConfigMap, Network, Pod, Node] {
        title: "Controller that acts for others",
        mitre: ["T1078", "T1610"],
        microsoft: ["MS-TA9008", "MS-TA9016"],
        owasp: ["K02"],
        cis: ["5.1.1", "5.1.3"],
        effort: 2,
        remediation: "Let only those write a controller's custom resources who may do what its account may do; give the controller an account for each tenant.",
        references: [
            "https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/",
            "https://fluxcd.io/flux/installation/configuration/multitenancy/",
            "https://external-secrets.io/latest/guides/multi-tenancy/",
        ],
        derive: confused_deputy,
    }
}

fn confused_deputy(context: &Context<'_>, sink: &mut Sink<'_>) {
    for controller in running(context) {
        let kind = controller.kind;
        for &power in kind.powers {
            match kind.gives {
                Gives::Account { unless } => account(context, sink, controller, power, unless),
                Gives::Pods { privileged } => pods(context, sink, controller, power, privileged),
                Gives::PodChanges => pod_changes(context, sink, controller, power),
                Gives::Credentials => credentials(context, sink, controller, power),
                Gives::OwnCredentials => own_credentials(context, sink, controller, power),
                Gives::OwnToken => own_token(context, sink, controller, power, &[]),
                Gives::OwnTokenIf(key) => {
                    let setting = controller.setting(context, key);
                    if let Some((id, value)) = setting.filter(|(_, value)| *value == "true") {
                        let fact = Evidence::new(id.clone(), format!("/data/{key}"), value);
                        own_token(context, sink, controller, power, &[fact]);
                    }
                }
                Gives::Nodes(label) => nodes(context, sink, controller, power, label),
            }
        }
        let acts = match kind.gives {
            Gives::Account { unless } => unless.is_empty() || controller.option(unless).is_none(),
            _ => false,
        };
        if acts {
            conversion(context, sink, controller);
        }
    }
}

/// What a line's steps depend on.
fn condition(kind: &Controller) -> Certainty {
    if kind.condition.is_empty() {
        Certainty::Certain
    } else {
        Certainty::Conditional(kind.condition.into())
    }
}

/// The grants of a power that count with a controller wherever they hold, the widest alone if there is one.
fn anywhere(context: &Context<'_>, power: &'static Power) -> Vec<Position> {
    if let Some(grant) = context.held.everywhere(power) {
        return vec![grant];
    }
    let names = context.held.names(power).map(|(_, _, grant)| grant);
    let namespaces = context.held.namespaces(power).into_iter();
    namespaces.map(|(_, grant)| grant).chain(names).collect()
}

/// The grants of a power with each namespace in which they hold; of a cluster-scoped one, every namespace.
fn by_namespace<'a>(context: &Context<'a>, power: &'static Power) -> Vec<(&'a Text, Position)> {
    if !power.is_namespaced() {
        let all = context.held.all_namespaces();
        let grants = anywhere(context, power);
        let grants = grants.iter();
        return grants
            .flat_map(|grant| all.iter().map(move |namespace| (namespace, grant.clone())))
            .collect();
    }
    let mut found = context.held.namespaces(power);
    for (namespace, _, grant) in context.held.names(power) {
        let places = context.held.places(namespace).iter();
        found.extend(places.map(|place| (place, grant.clone())));
    }
    found
}

/// The grants that a controller heeds: all of them, or those of its own namespace.
fn heeded(context: &Context<'_>, controller: &Running, power: &'static Power) -> Vec<Position> {
    let is_open = match controller.kind.heeds {
        Heeds::All => true,
        Heeds::Own { option, key } => {
            controller.option(option).is_some() || controller.setting(context, key).is_some()
        }
    };
    if is_open {
        return anywhere(context, power);
    }
    let grants = by_namespace(context, power).into_iter();
    let own = grants.filter(|(namespace, _)| **namespace == controller.namespace);
    own.map(|(_, grant)| grant).collect()
}

/// Everything that the controller's account may make, or an account of the custom resource's namespace.
fn account(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    controller: &Running,
    power: &'static Power,
    unless: &str,
) {
    let certainty = condition(controller.kind);
    let evidence = || controller.evidence.clone();
    if !unless.is_empty() && controller.option(unless).is_some() {
        for (namespace, grant) in by_namespace(context, power) {
            let any = Position::Identity(Identity::service_account(namespace, ANY));
            sink.step_if([grant], any, certainty.clone(), evidence());
        }
        return;
    }
    for grant in heeded(context, controller, power) {
        let gained = Position::Identity(controller.account.clone());
        sink.step_if([grant], gained, certainty.clone(), evidence());
    }
}

/// A verb, an API group, and a resource with its subresource.
type Asked = (&'static str, &'static str, &'static str);

/// Whether the controller's account may do one of these things in a namespace.
fn may(context: &Context<'_>, controller: &Running, namespace: &str, asked: &[Asked]) -> bool {
    let caller = Caller::of(&controller.account, []);
    asked.iter().any(|&(verb, group, resource)| {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let request = Request::Resource(ResourceRequest {
            verb,
            group,
            resource,
            subresource,
            namespace,
            ..ResourceRequest::default()
        });
        context.access.allows(&caller, &request)
    })
}

/// What makes pods, any one of which a controller may use for them.
const MAKES_PODS: &[Asked] = &[
    ("create", "", "pods"),
    ("create", "apps", "deployments"),
    ("create", "apps", "statefulsets"),
    ("create", "apps", "replicasets"),
    ("create", "batch", "jobs"),
];

fn pods(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    controller: &Running,
    power: &'static Power,
    privileged: bool,
) {
    for (namespace, grant) in by_namespace(context, power) {
        if !may(context, controller, namespace, MAKES_PODS) {
            continue;
        }
        let certainty = both(condition(controller.kind), admitted(context.cluster, namespace));
        for gained in belongings(namespace) {
            sink.step_if(
                [grant.clone()],
                gained,
                certainty.clone(),
                controller.evidence.clone(),
            );
        }
        let (level, label) = pod_security(context.cluster, namespace);
        if privileged && level.admits_host() {
            let evidence = controller.evidence.iter().cloned().chain([label]);
            sink.step_if([grant], any_node(), certainty, evidence);
        }
    }
}

fn pod_changes(context: &Context<'_>, sink: &mut Sink<'_>, controller: &Running, power: &'static Power) {
    for (namespace, grant) in by_namespace(context, power) {
        for gained in belongings(namespace).into_iter().chain([any_pod(namespace)]) {
            let evidence = controller.evidence.clone();
            sink.step_if([grant.clone()], gained, condition(controller.kind), evidence);
        }
    }
}

fn credentials(context: &Context<'_>, sink: &mut Sink<'_>, controller: &Running, power: &'static Power) {
    for (namespace, grant) in by_namespace(context, power) {
        sent(context, sink, controller, namespace, &grant);
    }
}

fn own_credentials(context: &Context<'_>, sink: &mut Sink<'_>, controller: &Running, power: &'static Power) {
    for grant in anywhere(context, power) {
        sent(context, sink, controller, &controller.namespace, &grant);
    }
}

/// What the controller's account may fetch in a namespace to send it on: tokens and Secrets.
fn sent(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    controller: &Running,
    namespace: &Text,
    grant: &Position,
) {
    let tokens: Asked = ("create", "", "serviceaccounts/token");
    let secrets: Asked = ("get", "", "secrets");
    let every_secret = Holder::Secret.whole(&Place::new(namespace, ANY));
    for (asked, gained) in [(tokens, any_account(namespace)), (secrets, every_secret)] {
        if may(context, controller, namespace, &[asked]) {
            let evidence = controller.evidence.iter().cloned();
            let evidence = evidence.chain([namespace_fact(namespace)]);
            sink.step_if([grant.clone()], gained, condition(controller.kind), evidence);
        }
    }
}

fn own_token(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    controller: &Running,
    power: &'static Power,
    settings: &[Evidence],
) {
    for grant in anywhere(context, power) {
        let token = Position::Credential(Opens::Identity(controller.account.clone()));
        let evidence = controller
            .evidence
            .iter()
            .cloned()
            .chain(settings.iter().cloned());
        sink.step_if([grant], token, condition(controller.kind), evidence);
    }
}

fn nodes(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    controller: &Running,
    power: &'static Power,
    label: &str,
) {
    let grants = anywhere(context, power);
    for (id, node) in &context.cluster.nodes {
        let Some(pool) = node.meta.labels.get(label) else {
            continue;
        };
        let pointer = format!("/metadata/labels/{}", super::structure::escaped(label));
        let fact = Evidence::new(id.clone(), pointer, pool);
        for grant in &grants {
            let node = Position::Node(id.name.clone());
            let evidence = controller.evidence.iter().cloned().chain([fact.clone()]);
            sink.step_if([grant.clone()], node, condition(controller.kind), evidence);
        }
    }
}

/// Control of every object of a kind by the conversion webhook of its definition.
fn conversion(context: &Context<'_>, sink: &mut Sink<'_>, controller: &Running) {
    let rights = controller.kind.powers.iter().flat_map(|power| power.any);
    let definitions: BTreeSet<Text> = rights
        .flat_map(|right| {
            let resources = right.resources.split(' ');
            resources.map(move |resource| format!("{resource}.{}", right.group).into())
        })
        .collect();
    for name in definitions {
        let id = ObjectId::cluster_scoped("CustomResourceDefinition", &name);
        if !context.cluster.custom_resource_definitions.contains(&id) {
            continue;
        }
        let converts = "the API server reaches the conversion webhook, and an object of the kind exists";
        let certainty = both(
            condition(controller.kind),
            Certainty::Conditional(converts.into()),
        );
        let power = &power::UPDATE_RESOURCE_DEFINITIONS;
        for grant in context.held.over(power, &Text::default(), &name) {
            let evidence = controller.evidence.iter().cloned();
            let evidence = evidence.chain([Evidence::new(id.clone(), "/spec/conversion", "")]);
            let gained = Position::Identity(controller.account.clone());
            sink.step_if([grant], gained, certainty.clone(), evidence);
        }
    }
}
