//! The requests by which an authorizer can be asked whether someone holds a power.
//!
//! **Trap.** One denial does not refute a power: any one of its ways suffices. A way may be two requests, and then
//! both must be allowed.

use super::{And, Objects, Power, Right, Scope};
use crate::model::{Cluster, Text};
use crate::rbac::request::{Request, ResourceRequest};

/// Stands for any one resource or subresource, which no single request does.
const ANY_ONE: &str = "?";

impl Power {
    /// Returns the ways to use the power in a scope, each with every request that it needs to be allowed.
    ///
    /// Ways that no request stands for are left out: the right to any one of several resources.
    pub fn requests<'a>(&'static self, scope: &'a Scope, cluster: &'a Cluster) -> Vec<Vec<Request<'a>>> {
        let mut ways = Vec::new();
        for right in self.any {
            for verb in right.verbs.split(' ') {
                let words = right.resources.split(' ');
                let asked = words.filter(|word| !word.split('/').any(|part| part == ANY_ONE));
                ways.extend(asked.map(|word| way(right, verb, word, scope, cluster)));
            }
        }
        ways
    }

    /// Whether some way to it has no request of its own, so that denials alone do not refute it.
    pub fn has_unasked_ways(&self) -> bool {
        let mut words = self.any.iter().flat_map(|right| right.resources.split(' '));
        words.any(|word| word.split('/').any(|part| part == ANY_ONE))
    }
}

fn way<'a>(
    right: &Right,
    verb: &'static str,
    word: &'static str,
    scope: &'a Scope,
    cluster: &'a Cluster,
) -> Vec<Request<'a>> {
    if right.objects == Objects::Paths {
        return vec![Request::Url { verb, path: word }];
    }
    let place = scope.namespace();
    let name = scope.name().map_or("", Text::as_str);
    let first = |name| resource(verb, right.group, word, place, name);
    match right.and {
        // The scope of a power over Namespace objects is the namespace itself.
        None if right.objects == Objects::Namespaces => vec![first(place)],
        None => vec![first(name)],
        Some(And::Same(second)) => vec![first(name), resource(second, right.group, word, place, name)],
        Some(And::Other(second, group, other)) => {
            vec![first(""), resource(second, group, other, place, name)]
        }
        Some(And::BoundRole(kind)) => {
            let role = bound_role(cluster, place, name);
            vec![first(name), resource("bind", right.group, kind, place, role)]
        }
    }
}

fn resource<'a>(
    verb: &'static str,
    group: &'static str,
    word: &'static str,
    namespace: &'a str,
    name: &'a str,
) -> Request<'a> {
    let (resource, subresource) = word.split_once('/').unwrap_or((word, ""));
    Request::Resource(ResourceRequest {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
    })
}

/// The role to which a binding refers; empty, for any role, if it is none of the cluster's.
fn bound_role<'a>(cluster: &'a Cluster, namespace: &str, name: &str) -> &'a str {
    let kind = if namespace.is_empty() {
        "ClusterRoleBinding"
    } else {
        "RoleBinding"
    };
    let binding = cluster.role_bindings.get(kind, namespace, name);
    binding.map_or("", |binding| binding.role_ref.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect;
    use crate::rbac::power::powers;
    use crate::rbac::{Access, Caller};

    /// What makes a holding is what an authorizer is asked, so each holding's own requests are allowed.
    #[test]
    fn every_holding_is_confirmed_by_its_own_requests() {
        let text = "kind: ClusterRole\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: all}\n\
             rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}, {nonResourceURLs: ['*'], verbs: ['*']}]\n---\n\
             kind: ClusterRoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: all}\n\
             roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}\n\
             subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: root}]\n---\n\
             kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: some, namespace: shop}\nrules:\n\
             - {apiGroups: [''], resources: [secrets], resourceNames: [db], verbs: [list]}\n\
             - {apiGroups: [''], resources: [pods/exec, pods], verbs: [create]}\n\
             - {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings], verbs: [create, update]}\n\
             - {apiGroups: [rbac.authorization.k8s.io], resources: [roles], resourceNames: [some], verbs: [bind]}\n---\n\
             kind: RoleBinding\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: some, namespace: shop}\n\
             roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: some}\n\
             subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: alice}]\n";
        let (cluster, _) = collect::read_text("rbac", text, "default");
        let (access, _) = Access::new(&cluster);
        let mut held = 0;
        for holding in access.holdings() {
            let ways = holding.power.requests(&holding.scope, &cluster);
            let caller = Caller::of(&holding.identity, []);
            let passes = |way: &Vec<Request<'_>>| way.iter().all(|request| access.allows(&caller, request));
            held += usize::from(ways.iter().any(passes));
            assert!(
                ways.is_empty() || ways.iter().any(passes),
                "{holding:?}: {ways:?}"
            );
        }
        assert!(held > powers().count() - 5, "{held}");
        let nobody = Caller::of(&crate::rbac::Identity::User("bob".into()), []);
        for holding in access.holdings() {
            for request in holding.power.requests(&holding.scope, &cluster).concat() {
                assert!(!access.allows(&nobody, &request), "{request:?}");
            }
        }
    }

    #[test]
    fn what_no_request_stands_for_is_left_out() {
        let cluster = Cluster::default();
        assert_eq!(powers().filter(|power| power.has_unasked_ways()).count(), 2);
        let without: Vec<&str> = powers()
            .filter(|power| power.requests(&Scope::Cluster, &cluster).is_empty())
            .map(|power| power.id)
            .collect();
        assert_eq!(without.len(), 1, "{without:?}");
    }
}
