//! What rights over Services and over the cluster's names give: what clients send to somebody else.
//!
//! **Trap.** The input shows which password a client sends to which Service; whether the client looks at a certificate
//! of the server it does not show. Where nobody is known to send a password, nothing follows.

use std::collections::{BTreeMap, BTreeSet};

use super::api_server::admits_by;
use super::datastore::{evidence, place};
use super::new_pod::makers;
use super::pods::{Mark, both, marked};
use super::references::{Holder, Way, references};
use super::technique::techniques;
use super::{Certainty, Context, Evidence, Family, Opens, Place, Position, Sink};
use crate::datastores::Password;
use crate::model::{ObjectId, Text};
use crate::rbac::{Power, power};

techniques! { TECHNIQUES, Family::Network;
    /// Puts an address of one's own behind a Service and takes the passwords that clients send there.
    ///
    /// # Preconditions
    ///
    /// A client that is known to log in to a datastore by the name of a Service. In the namespace of the Service one of
    /// these rights: to write EndpointSlices, or to update one of the Service's by name; to update the Service, whose
    /// selector or `externalName` leads elsewhere then; to make pods or to change their labels, so that the Service's
    /// selector finds them; to change the status of the pods behind it.
    ///
    /// What does not suffice: the right to write Endpoints of a Service that has a selector, as its controller takes that
    /// back and mirrors none of them; a Service that no client is known to use.
    ///
    /// # Detection
    ///
    /// Audit log: `create` of EndpointSlices by anything but the endpoint controllers; changes of selectors. Addresses behind
    /// a Service that are no pod's.
    SERVICE_INTERCEPT: [Grant] => [Credential] {
        title: "Passwords sent to a Service",
        mitre: ["T1557"],
        microsoft: ["MS-TA9036"],
        owasp: ["K02", "K05"],
        effort: 2,
        remediation: "Leave EndpointSlices to their controllers and Services to the namespace's administrators; have clients check the datastore's certificate.",
        references: [
            "https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#management",
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#write-access-for-endpoints",
            "https://github.com/kubernetes/kubernetes/issues/103675",
        ],
        derive: service_intercept,
    }

    /// Claims the address of a datastore outside the cluster for a Service of one's own, and takes the passwords that clients
    /// send there.
    ///
    /// # Preconditions
    ///
    /// The right to create Services in some namespace, or to change one: every node sends packets to an address in
    /// `externalIPs` to the Service's pods. A client that is known to log in to a datastore outside, by its own name. The
    /// datastore's address has to be known, and a pod that answers to be at hand in that namespace.
    ///
    /// What does not suffice: the right over Services where the API server runs the admission plugin
    /// DenyServiceExternalIPs; a client that sends to a Service whose endpoints are the datastore's addresses, as nodes
    /// translate its packets once; a datastore in the cluster.
    ///
    /// # Detection
    ///
    /// Audit log: Services with `externalIPs`, or their status changed by anything but the cloud's controller.
    EXTERNAL_IP_INTERCEPT: [Grant] => [Credential] {
        title: "Address of an outside datastore claimed",
        mitre: ["T1557"],
        microsoft: ["MS-TA9036"],
        owasp: ["K02", "K05"],
        cis: ["1.2.3"],
        effort: 3,
        remediation: "Enable the admission plugin DenyServiceExternalIPs; have clients check the datastore's certificate.",
        references: [
            "https://github.com/kubernetes/kubernetes/issues/97076",
            "https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#denyserviceexternalips",
        ],
        derive: external_ip_intercept,
    }

    /// Answers for every name of the cluster by a change of the DNS server's settings, and takes the passwords that clients
    /// send to the names of datastores.
    ///
    /// # Preconditions
    ///
    /// The right to update or patch a ConfigMap that CoreDNS in the input mounts, and a client that is known to log in to a
    /// datastore by the name of a Service.
    ///
    /// What does not suffice: another ConfigMap of the namespace; the name `coredns` alone, where no such server mounts it.
    ///
    /// # Detection
    ///
    /// Audit log: `update` and `patch` of CoreDNS's ConfigMap; `hosts`, `rewrite` or `forward` in it that nobody knows.
    DNS_POISON: [Grant] => [Credential] {
        title: "Settings of the cluster's DNS",
        mitre: ["T1557"],
        microsoft: ["MS-TA9035"],
        owasp: ["K02", "K05"],
        effort: 2,
        remediation: "Keep changes of CoreDNS's ConfigMap from all but administrators; have clients check the datastore's certificate.",
        references: [
            "https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/",
            "https://coredns.io/plugins/rewrite/",
        ],
        derive: dns_poison,
    }
}

const TRUSTS: &str = "the client connects again and does not check who answers";
const LOADED: &str = "CoreDNS loads the change";

/// The datastores to which clients log in by a Service, with one client's evidence for each.
type Clients = BTreeMap<ObjectId, BTreeMap<Place, Vec<Evidence>>>;

fn clients(context: &Context<'_>) -> Clients {
    let mut found = Clients::new();
    for datastore in context.datastores {
        let place = place(datastore);
        for password in &datastore.passwords {
            let Some(service) = &password.service else {
                continue;
            };
            let behind = found.entry(service.clone()).or_default();
            if !behind.contains_key(&place)
                && let Some(evidence) = sends(context, password)
            {
                behind.insert(place.clone(), evidence);
            }
        }
    }
    found
}

/// What shows that a client sends a password.
fn sends(context: &Context<'_>, password: &Password) -> Option<Vec<Evidence>> {
    let facts = [Some(&password.fact), password.host.as_ref()];
    let facts = facts.into_iter().flatten();
    facts.map(|fact| evidence(context, fact)).collect()
}

/// A right that puts an address behind a Service, with what it depends on and what shows it.
type Opening = (Position, Option<&'static str>, Option<Evidence>);

fn service_intercept(context: &Context<'_>, sink: &mut Sink<'_>) {
    let clients = clients(context);
    if clients.is_empty() {
        return;
    }
    let mut labelled = BTreeMap::<&Text, BTreeSet<Position>>::new();
    let relabel = context.held.namespaces(&power::UPDATE_PODS).into_iter();
    for (namespace, grant) in makers(context).into_iter().chain(relabel) {
        labelled.entry(namespace).or_default().insert(grant);
    }
    let mut slices = BTreeMap::<(&Text, &Text), Vec<&ObjectId>>::new();
    for (id, slice) in &context.cluster.endpoint_slices {
        if let Some(service) = slice.meta.labels.get("kubernetes.io/service-name") {
            slices.entry((&id.namespace, service)).or_default().push(id);
        }
    }
    for (service, datastores) in &clients {
        let mut openings = services_own(context, service);
        openings.extend(of_slices(
            context,
            &service.namespace,
            slices.get(&(&service.namespace, &service.name)),
        ));
        let pods = labelled.get(&service.namespace).into_iter().flatten();
        openings.extend(pods.map(|grant| (grant.clone(), None, None)));
        for (database, evidence) in datastores {
            for (grant, condition, fact) in &openings {
                let condition =
                    condition.map_or(Certainty::Certain, |text| Certainty::Conditional(text.into()));
                let certainty = both(condition, Certainty::Conditional(TRUSTS.into()));
                let gained = Position::Credential(Opens::Database(database.clone()));
                let facts = [Evidence::new(service.clone(), "/spec/selector", "")].into_iter();
                let facts = facts.chain(fact.clone()).chain(evidence.iter().cloned());
                sink.step_if([grant.clone()], gained, certainty, facts);
            }
        }
    }
}

/// The rights over a Service itself and over the status of pods beside it.
fn services_own(context: &Context<'_>, service: &ObjectId) -> Vec<Opening> {
    const BEFORE: &str = "the kubelet has not yet corrected the status of the pod";
    let own = context
        .held
        .over(&power::UPDATE_SERVICES, &service.namespace, &service.name);
    let status = |power: &'static Power| {
        let all = context.held.namespaces(power).into_iter();
        all.filter(|(namespace, _)| **namespace == service.namespace)
    };
    let own = own.into_iter().map(|grant| (grant, None, None));
    let status = status(&power::UPDATE_POD_STATUS).map(|(_, grant)| (grant, Some(BEFORE), None));
    own.chain(status).collect()
}

/// The rights over the EndpointSlices of a namespace, and over those of the Service by name.
fn of_slices(context: &Context<'_>, namespace: &Text, slices: Option<&Vec<&ObjectId>>) -> Vec<Opening> {
    let power = &power::WRITE_ENDPOINT_SLICES;
    let all = context.held.namespaces(power).into_iter();
    let all = all.filter(|(place, _)| *place == namespace);
    let mut found: Vec<Opening> = all.map(|(_, grant)| (grant, None, None)).collect();
    for slice in slices.into_iter().flatten() {
        for grant in context.held.over(power, namespace, &slice.name) {
            if !found.iter().any(|(known, ..)| *known == grant) {
                let labelled = "/metadata/labels/kubernetes.io~1service-name";
                let fact = Evidence::new((*slice).clone(), labelled, "");
                found.push((grant, None, Some(fact)));
            }
        }
    }
    found
}

fn external_ip_intercept(context: &Context<'_>, sink: &mut Sink<'_>) {
    const ANSWERS: &str = "a pod that answers is at hand in the namespace";
    const ADDRESS: &str = "the address behind its name is known";
    if admits_by(context, "DenyServiceExternalIPs") {
        return;
    }
    let condition = Text::from(format!("{ANSWERS}, {ADDRESS}, and {TRUSTS}"));
    for datastore in context.datastores.iter().filter(|known| known.host().is_some()) {
        let passwords = datastore.passwords.iter();
        let mut direct = passwords.filter(|password| !is_translated(context, password));
        let Some(facts) = direct.find_map(|password| sends(context, password)) else {
            continue;
        };
        for right in [&power::CREATE_SERVICES, &power::UPDATE_SERVICES] {
            for (_, grant) in context.held.namespaces(right) {
                let gained = Position::Credential(Opens::Database(place(datastore)));
                let certainty = Certainty::Conditional(condition.clone());
                sink.step_if([grant], gained, certainty, facts.clone());
            }
        }
    }
}

/// Whether a client's packets get the datastore's address from a Service: they are translated once and pass no other's
/// `externalIPs`.
fn is_translated(context: &Context<'_>, password: &Password) -> bool {
    let service = password
        .service
        .as_ref()
        .and_then(|id| context.cluster.services.by_id(id));
    service.is_some_and(|service| service.spec.r#type != "ExternalName")
}

fn dns_poison(context: &Context<'_>, sink: &mut Sink<'_>) {
    if !context.held.is_held(&power::UPDATE_CONFIG_MAPS) {
        return;
    }
    let servers = servers(context);
    if servers.is_empty() {
        return;
    }
    let mut known = BTreeMap::<Place, Vec<Evidence>>::new();
    for (database, evidence) in clients(context).into_values().flatten() {
        known.entry(database).or_insert(evidence);
    }
    for (settings, server) in &servers {
        for grant in context
            .held
            .over(&power::UPDATE_CONFIG_MAPS, &settings.namespace, &settings.name)
        {
            for (database, evidence) in &known {
                let certainty = Certainty::Conditional(format!("{LOADED}, and {TRUSTS}").into());
                let gained = Position::Credential(Opens::Database(database.clone()));
                let facts = server.iter().chain(evidence).cloned();
                sink.step_if([grant.clone()], gained, certainty, facts);
            }
        }
    }
}

/// The ConfigMaps that CoreDNS mounts, with what shows it.
fn servers(context: &Context<'_>) -> BTreeMap<Place, Vec<Evidence>> {
    let mut found = BTreeMap::new();
    for pod in marked(context, Mark::VOLUMES) {
        for container in pod
            .containers()
            .filter(|container| is_dns(&container.container.image))
        {
            let image = container.fact("/image", &container.container.image);
            let mounted = references(&container).into_iter();
            for reference in
                mounted.filter(|known| known.holder == Holder::ConfigMap && known.way == Way::Volume)
            {
                let facts = || vec![image.clone(), reference.proof()];
                found.entry(reference.place.clone()).or_insert_with(facts);
            }
        }
    }
    found
}

/// Whether an image is CoreDNS: the last part of its name, as mirrors and distributions keep it.
fn is_dns(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    name == "coredns" || name.ends_with("-coredns")
}

#[cfg(test)]
mod tests {
    use super::is_dns;

    #[test]
    fn coredns_is_known_by_the_last_part_of_its_image() {
        for image in [
            "registry.k8s.io/coredns/coredns:v1.12.0",
            "mirror:5000/coredns@sha256:00",
            "rancher/mirrored-coredns-coredns:1.11.3",
        ] {
            assert!(is_dns(image), "{image}");
        }
        assert!(!is_dns("acme/coredns/exporter:1") && !is_dns("nodns:1"));
    }
}
