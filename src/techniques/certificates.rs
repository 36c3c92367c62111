//! What rights over certificate requests give: a client certificate in any name.
//!
//! **Trap.** To request, to approve and to be let approve for the signer are separate checks. The API server's own
//! admission refuses requests for the group `system:masters`, and for no other name.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#certificatesubjectrestriction>

use std::collections::BTreeSet;

use super::structure::{any_identity, identities, identity_object, kubelet};
use super::technique::techniques;
use super::{Context, Evidence, Family, Position, Sink};
use crate::model::ObjectId;
use crate::rbac::{Identity, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Requests a client certificate in the name of somebody else and approves the request itself.
    ///
    /// The certificate lasts until it expires; nothing revokes it.
    ///
    /// # Preconditions
    ///
    /// The right to create CertificateSigningRequests; the right to update or patch their `approval`; and the verb
    /// `approve` on the signer `kubernetes.io/kube-apiserver-client`, on all of its domain or on all signers. One
    /// identity may create and another one approve.
    ///
    /// The signer `kubernetes.io/kube-apiserver-client-kubelet` gives the names of kubelets only.
    ///
    /// What does not suffice: any one of these without the others; `approve` on another signer, whose certificates
    /// the API server does not take from people. The group `system:masters` is refused by admission.
    ///
    /// # Detection
    ///
    /// Audit log: `certificatesigningrequests/approval` by an identity that is no controller; requests whose common
    /// name is a service account or a component of the control plane.
    CERTIFICATE_APPROVE: [Grant] => [Identity] {
        title: "Client certificate in any name",
        mitre: ["T1098", "T1649"],
        microsoft: [],
        owasp: ["K02", "K09"],
        cis: ["5.1.11"],
        effort: 2,
        remediation: "Do not give approve on kubernetes.io/kube-apiserver-client to those who may create requests.",
        references: [
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#csrs-and-certificate-issuing",
            "https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers",
        ],
        derive: certificate_approve,
    }
}

/// The names in rules that stand for the signer of client certificates; no name at all does so too.
const SIGNERS: [&str; 2] = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];

/// The signer of the client certificates of kubelets, which takes no other names than theirs.
const KUBELETS: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// Whether a name in a rule stands for a signer of client certificates.
pub(super) fn signs_clients(name: &str) -> bool {
    SIGNERS.contains(&name) || name == KUBELETS
}

fn certificate_approve(context: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(create) = context.held.everywhere(&power::CREATE_SIGNING_REQUESTS) else {
        return;
    };
    let by_name = context.held.names(&power::APPROVE_SIGNING_REQUESTS);
    let of_clients = by_name.filter(|(_, signer, _)| SIGNERS.contains(&signer.as_str()));
    let everywhere = context.held.everywhere(&power::APPROVE_SIGNING_REQUESTS);
    let approvals: BTreeSet<Position> = everywhere
        .into_iter()
        .chain(of_clients.map(|(_, _, grant)| grant))
        .collect();
    let of_kubelets = context.held.names(&power::APPROVE_SIGNING_REQUESTS);
    for (_, _, approve) in of_kubelets.filter(|(_, signer, _)| *signer == KUBELETS) {
        for node in context.cluster.nodes.values() {
            let user = kubelet(&node.meta.name);
            let facts = [
                Evidence::new(ObjectId::cluster_scoped("Signer", KUBELETS), "", ""),
                Evidence::new(identity_object(&user), "", ""),
            ];
            let premises = [create.clone(), approve.clone()];
            sink.step(premises, Position::Identity(user), facts);
        }
    }
    let is_certified = |identity: &Identity| match identity {
        // The API server adds these groups itself, and refuses the last one.
        Identity::Group(name) => !matches!(
            name.as_str(),
            "system:authenticated" | "system:unauthenticated" | "system:masters"
        ),
        Identity::User(_) | Identity::ServiceAccount { .. } => false,
    };
    let known = identities(context);
    let groups: Vec<&Identity> = known.iter().filter(|identity| is_certified(identity)).collect();
    let admission = || {
        let signer = ObjectId::cluster_scoped("Signer", SIGNERS[0]);
        Evidence::new(signer, "", "")
    };
    for approve in approvals {
        let premises = || [create.clone(), approve.clone()];
        let any = Position::Identity(any_identity());
        sink.step(premises(), any, [admission()]);
        for group in &groups {
            let gained = Position::Identity((*group).clone());
            let named = Evidence::new(identity_object(group), "", "");
            sink.step(premises(), gained, [admission(), named]);
        }
    }
}
