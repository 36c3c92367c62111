//! What the right to impersonate gives: requests as somebody else.
//!
//! **Trap.** A group is impersonated together with a user, in one request: who may impersonate groups and no user
//! gets nothing.
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/>

use std::collections::BTreeSet;

use super::constrained::constrained;
use super::secrets::account_fact;
use super::structure::{any_identity, grounds, identity_object, namespace_fact};
use super::technique::techniques;
use super::{ANY, Context, Evidence, Family, Position, Sink};
use crate::model::Text;
use crate::rbac::{Holding, Identity, Power, Scope, power};

techniques! { TECHNIQUES, Family::Rbac;
    /// Sends requests in the name of another user, group or service account.
    ///
    /// # Preconditions
    ///
    /// The verb `impersonate` on users or groups, which only a ClusterRoleBinding gives, or on service accounts in
    /// a namespace; all of them or one by name. For a group the same identity may impersonate some user or service
    /// account as well.
    ///
    /// Or, from 1.36, constrained impersonation: a verb such as `impersonate:serviceaccount` on whom it is, together with
    /// `impersonate-on:serviceaccount:VERB` on what is done. It gives what both have, and no more.
    ///
    /// What does not suffice: `impersonate` on groups alone; on users by a RoleBinding; either half of constrained
    /// impersonation alone.
    ///
    /// # Detection
    ///
    /// Audit log: events with `impersonatedUser`.
    IDENTITY_IMPERSONATE: [Grant, Identity] => [Identity, Grant] {
        title: "Impersonation",
        mitre: ["T1078", "T1550"],
        microsoft: [],
        owasp: ["K02", "K09"],
        cis: ["5.1.8"],
        effort: 1,
        remediation: "Give impersonate by name only, to the one component that acts for others.",
        references: [
            "https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/",
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/#impersonate-verb",
            "https://www.kubernetes.dev/resources/keps/5284/",
        ],
        derive: identity_impersonate,
    }
}

/// The powers of which one is needed for the user of a request that impersonates a group.
static USERS: &[&Power] = &[&power::IMPERSONATE_USERS, &power::IMPERSONATE_SERVICE_ACCOUNTS];

fn identity_impersonate(context: &Context<'_>, sink: &mut Sink<'_>) {
    users(context, sink);
    service_accounts(context, sink);
    groups(context, sink);
    in_part(context, sink);
}

fn users(context: &Context<'_>, sink: &mut Sink<'_>) {
    if let Some(grant) = context.held.everywhere(&power::IMPERSONATE_USERS) {
        let any = any_identity();
        let fact = [Evidence::new(identity_object(&any), "", "")];
        sink.step([grant], Position::Identity(any), fact);
    }
    for (_, name, grant) in context.held.names(&power::IMPERSONATE_USERS) {
        let user = Identity::from_user(name);
        let fact = [Evidence::new(identity_object(&user), "", "")];
        sink.step([grant], Position::Identity(user), fact);
    }
}

fn service_accounts(context: &Context<'_>, sink: &mut Sink<'_>) {
    for (namespace, grant) in context.held.namespaces(&power::IMPERSONATE_SERVICE_ACCOUNTS) {
        let any = Position::Identity(Identity::service_account(namespace, ANY));
        sink.step([grant], any, [namespace_fact(namespace)]);
    }
    for (namespace, name, grant) in context.held.names(&power::IMPERSONATE_SERVICE_ACCOUNTS) {
        for place in context.held.places(namespace) {
            if let Some(fact) = account_fact(context, place, name) {
                let account = Identity::service_account(place, name);
                sink.step([grant.clone()], Position::Identity(account), [fact]);
            }
        }
    }
}

/// Groups, for each identity that may impersonate a user too: what one request needs, one identity has.
fn groups(context: &Context<'_>, sink: &mut Sink<'_>) {
    let holdings = || context.held.holdings(context.access);
    let with_user: BTreeSet<&Identity> = holdings()
        .filter(|holding| USERS.contains(&holding.power))
        .map(|holding| &holding.identity)
        .collect();
    let of_groups = |holding: &&Holding| *holding.power == power::IMPERSONATE_GROUPS;
    for holding in holdings().filter(of_groups) {
        let direct = with_user.contains(&holding.identity)
            || is_within(&holding.identity, |group| with_user.contains(group));
        let holders = if direct {
            vec![&holding.identity]
        } else {
            let members = with_user.iter().copied();
            members
                .filter(|member| is_within(member, |group| *group == holding.identity))
                .collect()
        };
        let group = match &holding.scope {
            Scope::Name { name, .. } => name.clone(),
            Scope::Cluster | Scope::Namespace(_) => Text::new("system:masters"),
        };
        for holder in holders {
            let gained = Position::Identity(Identity::Group(group.clone()));
            let reasons = holding.reasons.iter();
            let evidence = reasons.flat_map(|reason| grounds(&holding.identity, reason));
            sink.step([Position::Identity(holder.clone())], gained, evidence);
        }
    }
}

/// What one may do as another by constrained impersonation.
fn in_part(context: &Context<'_>, sink: &mut Sink<'_>) {
    for found in constrained(context.cluster, context.access, context.held.all_namespaces()) {
        let gained = Position::Grant(found.power, found.scope);
        let evidence = found.grounds.iter();
        let evidence = evidence.flat_map(|ground| grounds(&ground.subject, &ground.reason));
        sink.step_if(
            [Position::Identity(found.holder)],
            gained,
            found.certainty,
            evidence,
        );
    }
}

/// Whether one of the groups that an identity is in without saying so is meant.
fn is_within(identity: &Identity, is_meant: impl Fn(&Identity) -> bool) -> bool {
    let groups = identity.implicit_groups().into_iter();
    groups.map(Identity::Group).any(|group| is_meant(&group))
}
