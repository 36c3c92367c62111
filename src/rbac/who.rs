//! Who can do something: the question asked the other way round.
//!
//! **Trap.** A rule with `resourceNames` lets its holder act on those objects only, and not create any; both
//! are told apart from a right to all objects.

use std::collections::BTreeMap;

use super::{Access, Caller, Identity, MASTERS, Reason, Request, Scope, rule};
use crate::model::Text;

/// Where someone must be able to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Where the request says.
    Asked,
    /// In any namespace.
    Anywhere,
}

/// Someone who can, in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who: a user, a service account or a group, as a binding names it.
    pub identity: Identity,
    /// Where: the whole cluster, one namespace, or one object by name.
    pub scope: Scope,
    /// Why, sorted.
    pub reasons: Vec<Reason>,
}

impl Access {
    /// Returns everyone who can make the request, by identity and scope.
    ///
    /// A request without a name also finds those who can make it for some names, with [`Scope::Name`].
    ///
    /// # Complexity
    /// Linear in rules, bindings and their subjects; for the Node authorizer also in nodes.
    pub fn who_can(&self, request: &Request<'_>, reach: Reach) -> Vec<Holder> {
        let mut found = BTreeMap::<(Identity, Scope), Vec<Reason>>::new();
        let mut by_role = vec![None; self.roles.len()];
        let anywhere = self.bindings.all().iter().filter(|_| reach == Reach::Anywhere);
        let asked = self
            .bindings
            .within(request.namespace())
            .filter(|_| reach == Reach::Asked);
        for bound in anywhere.chain(asked) {
            let names = by_role[bound.role].get_or_insert_with(|| {
                let rules = self.roles.rules_of(bound.role);
                let allowed = rules.flat_map(|(index, known)| {
                    names(known, request).into_iter().map(move |name| (index, name))
                });
                allowed.collect::<Vec<_>>()
            });
            for (index, name) in names.iter() {
                let scope = Scope::new(&bound.id.namespace, name.as_ref());
                for subject in &bound.subjects {
                    let reasons = found.entry((subject.clone(), scope.clone())).or_default();
                    reasons.push(self.reason(bound, *index));
                }
            }
        }
        let masters = (Identity::Group(MASTERS.into()), Scope::Cluster);
        found.entry(masters).or_default().push(Reason::Masters);
        for user in self.node.users() {
            let reasons = self.node.decide(&Caller::new(&user, []), request);
            if !reasons.is_empty() {
                let name = match request {
                    Request::Resource(asked) if !asked.name.is_empty() => Some(Text::new(asked.name)),
                    _ => None,
                };
                let scope = Scope::new(&request.namespace().into(), name.as_ref());
                found
                    .entry((Identity::from_user(&user), scope))
                    .or_default()
                    .extend(reasons);
            }
        }
        let holder = |((identity, scope), mut reasons): (_, Vec<Reason>)| {
            reasons.sort();
            reasons.dedup();
            Holder {
                identity,
                scope,
                reasons,
            }
        };
        found.into_iter().map(holder).collect()
    }
}

/// The names for which a rule allows a request; `None` stands for any.
fn names(known: &crate::model::PolicyRule, request: &Request<'_>) -> Vec<Option<Text>> {
    let Request::Resource(asked) = request else {
        return if rule::allows(known, request) {
            vec![None]
        } else {
            Vec::new()
        };
    };
    if known.resource_names.is_empty() {
        return if rule::allows(known, request) {
            vec![None]
        } else {
            Vec::new()
        };
    }
    let allows = |name: &Text| {
        let asked = super::ResourceRequest { name, ..*asked };
        rule::allows(known, &Request::Resource(asked))
    };
    let unnamed = asked.subresource.is_empty() && matches!(asked.verb, "create" | "deletecollection");
    let wanted = |name: &&Text| match asked.name {
        "" => !unnamed,
        given => **name == given,
    };
    let names = known
        .resource_names
        .iter()
        .filter(wanted)
        .filter(|name| allows(name));
    names.cloned().map(Some).collect()
}
