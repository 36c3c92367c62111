//! Which powers follow from roles and bindings, and where.

use std::fmt::Write as _;

use beachhead::model::{ObjectId, PolicyRule};
use beachhead::rbac::{
    Access, Caller, Holding, Identity, Objects, Power, Request, ResourceRequest, Right, Scope, power,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{access, laws};

/// Writes the holdings of everyone but `system:masters`.
fn shown(access: &Access) -> String {
    let mut text = String::new();
    for holding in access.holdings() {
        let Holding {
            identity,
            power,
            scope,
            reasons,
        } = holding;
        if identity.to_string() != "Group/system:masters" {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            writeln!(text, "{identity} {} {scope}: {}", power.id, reasons.join("; ")).unwrap();
        }
    }
    text
}

/// Manifests in short: `role NAME RULE`, `bind [NAMESPACE/]NAME ROLE SUBJECT...`, where a subject is an id.
fn check(lines: &str, expected: &Expect) {
    expected.assert_eq(&shown(&access(&manifests(lines))));
}

fn manifests(lines: &str) -> String {
    let mut yaml = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (what, rest) = line.split_once(' ').unwrap();
        let (name, rest) = rest.split_once(' ').unwrap();
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        let place = if namespace.is_empty() {
            String::new()
        } else {
            format!(", namespace: {namespace}")
        };
        let cluster = if namespace.is_empty() { "Cluster" } else { "" };
        yaml += "---\napiVersion: rbac.authorization.k8s.io/v1\n";
        if what == "role" {
            let meta = format!("{{name: {name}{place}}}");
            writeln!(yaml, "kind: {cluster}Role\nmetadata: {meta}\nrules: [{rest}]").unwrap();
            continue;
        }
        let mut words = rest.split(' ');
        let role = words.next().unwrap();
        let (kind, role) = role
            .strip_prefix("Role/")
            .map_or(("ClusterRole", role), |role| ("Role", role));
        let subjects: Vec<_> = words.map(subject).collect();
        writeln!(
            yaml,
            "kind: {cluster}RoleBinding\nmetadata: {{name: {name}{place}}}\nroleRef: {{kind: {kind}, name: {role}}}\nsubjects: [{}]",
            subjects.join(", ")
        )
        .unwrap();
    }
    yaml
}

fn subject(id: &str) -> String {
    match Identity::from_id(id) {
        Identity::ServiceAccount { namespace, name } => {
            format!("{{kind: ServiceAccount, name: {name}, namespace: {namespace}}}")
        }
        Identity::User(name) => format!("{{kind: User, name: '{name}'}}"),
        Identity::Group(name) => format!("{{kind: Group, name: '{name}'}}"),
    }
}

#[test]
fn a_cluster_role_binding_gives_powers_everywhere_and_a_role_binding_in_its_namespace() {
    check(
        r#"
        role r {apiGroups: [""], resources: ["pods/exec", "nodes/proxy"], verbs: [create]}
        bind b r User/eve
        bind shop/b r User/eve
        "#,
        &expect![[r#"
            User/eve exec-pods *: ClusterRoleBinding/b gives rule 0 of ClusterRole/r
            User/eve exec-pods shop: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve proxy-nodes *: ClusterRoleBinding/b gives rule 0 of ClusterRole/r
        "#]],
    );
}

#[test]
fn names_make_narrow_powers_and_creating_none() {
    check(
        r#"
        role r {apiGroups: [""], resources: [secrets, serviceaccounts/token, pods], resourceNames: [a, b], verbs: [get, list, create]}
        bind shop/b r User/eve
        "#,
        &expect![[r#"
            User/eve create-tokens shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve create-tokens shop/b: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve get-secrets shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve get-secrets shop/b: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve list-secrets shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve list-secrets shop/b: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve read-pods shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve read-pods shop/b: RoleBinding/shop/b gives rule 0 of ClusterRole/r
        "#]],
    );
}

#[test]
fn server_side_apply_creates_an_object_whose_name_is_given() {
    check(
        r#"
        role r {apiGroups: [""], resources: [pods], resourceNames: [a], verbs: [create, patch]}
        bind shop/b r User/eve
        "#,
        &expect![[r#"
            User/eve apply-pods shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve update-pods shop/a: RoleBinding/shop/b gives rule 0 of ClusterRole/r
        "#]],
    );
}

#[test]
fn a_role_binding_gives_its_own_namespace_object_only() {
    check(
        r#"
        role r {apiGroups: [""], resources: [namespaces], verbs: [patch, create]}
        role n {apiGroups: [""], resources: [namespaces], resourceNames: [bank], verbs: [patch]}
        bind shop/a r User/eve
        bind shop/b n User/eve
        bind c n User/eve
        "#,
        &expect![[r#"
            User/eve update-namespaces bank: ClusterRoleBinding/c gives rule 0 of ClusterRole/n
            User/eve update-namespaces shop: RoleBinding/shop/a gives rule 0 of ClusterRole/r
        "#]],
    );
}

#[test]
fn api_groups_decide_which_resource_is_meant() {
    check(
        r#"
        role r {apiGroups: [x.io], resources: [secrets, pods, deployments], verbs: [create, get]}
        role s {apiGroups: [apps], resources: [deployments], verbs: [create]}
        bind b r User/eve
        bind c s User/eve
        "#,
        &expect![[r#"
            User/eve create-workloads *: ClusterRoleBinding/c gives rule 0 of ClusterRole/s
        "#]],
    );
}

#[test]
fn wildcards_give_what_the_server_lets_them_give() {
    check(
        r#"
        role r {apiGroups: ["*"], resources: ["*/exec"], verbs: ["*"]}
        role s {apiGroups: [""], resources: ["pods/*"], verbs: ["*"]}
        bind shop/b r User/eve
        bind shop/c s User/eve
        "#,
        &expect![[r#"
            User/eve exec-pods shop: RoleBinding/shop/b gives rule 0 of ClusterRole/r
            User/eve exec-pods-by-get shop: RoleBinding/shop/b gives rule 0 of ClusterRole/r
        "#]],
    );
}

#[test]
fn to_bind_takes_the_verb_on_the_role_and_a_new_binding() {
    check(
        r#"
        role bind {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [admin], verbs: [bind]}
        role write {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings, clusterrolebindings], verbs: [create]}
        bind a bind User/alice
        bind b bind User/bob
        bind shop/b write User/bob
        bind c bind ServiceAccount/shop/carol
        bind d write Group/system:serviceaccounts
        "#,
        &expect![[r#"
            ServiceAccount/shop/carol bind-cluster-roles */admin: ClusterRoleBinding/c gives rule 0 of ClusterRole/bind; ClusterRoleBinding/d gives rule 0 of ClusterRole/write
            ServiceAccount/shop/carol bind-cluster-roles-in-namespaces */admin: ClusterRoleBinding/c gives rule 0 of ClusterRole/bind; ClusterRoleBinding/d gives rule 0 of ClusterRole/write
            User/bob bind-cluster-roles-in-namespaces shop/admin: ClusterRoleBinding/b gives rule 0 of ClusterRole/bind; RoleBinding/shop/b gives rule 0 of ClusterRole/write
        "#]],
    );
}

#[test]
fn to_create_bindings_alone_escalates_nothing() {
    check(
        r#"
        role write {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings, clusterrolebindings], verbs: [create, update, patch]}
        bind a write User/eve
        "#,
        &expect![""],
    );
}

#[test]
fn bind_or_escalate_alone_escalates_nothing() {
    check(
        r#"
        role b {apiGroups: [rbac.authorization.k8s.io], resources: [roles, clusterroles], verbs: [bind, escalate]}
        role wrong {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings, clusterrolebindings], verbs: [bind, escalate]}
        role write {apiGroups: [rbac.authorization.k8s.io], resources: [roles, clusterroles], verbs: [create, update, patch]}
        bind a b User/eve
        bind b wrong User/mallory
        bind c write User/trent
        "#,
        &expect![""],
    );
}

#[test]
fn to_extend_a_binding_takes_the_verb_on_the_role_it_refers_to() {
    check(
        r#"
        role admin {apiGroups: [x.io], resources: [x], verbs: [x]}
        role bind {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [admin], verbs: [bind]}
        role write {apiGroups: [rbac.authorization.k8s.io], resources: [rolebindings, clusterrolebindings], verbs: [patch]}
        bind admins admin User/root
        bind shop/admins admin User/root
        bind a bind User/alice
        bind b write User/alice
        "#,
        &expect![[r#"
            User/alice extend-bindings-of-cluster-roles shop/admins: ClusterRoleBinding/a gives rule 0 of ClusterRole/bind; ClusterRoleBinding/b gives rule 0 of ClusterRole/write
            User/alice extend-cluster-role-bindings */admins: ClusterRoleBinding/a gives rule 0 of ClusterRole/bind; ClusterRoleBinding/b gives rule 0 of ClusterRole/write
        "#]],
    );
}

#[test]
fn to_escalate_takes_both_verbs_on_one_role() {
    check(
        r#"
        role a {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [x, y], verbs: [escalate]}
        role b {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], resourceNames: [y, z], verbs: [update]}
        role c {apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [escalate, create, patch]}
        bind a a User/eve
        bind b b User/eve
        bind shop/c c User/eve
        bind d a User/mallory
        "#,
        &expect![[r#"
            User/eve create-roles shop: RoleBinding/shop/c gives rule 0 of ClusterRole/c
            User/eve escalate-cluster-roles */y: ClusterRoleBinding/a gives rule 0 of ClusterRole/a; ClusterRoleBinding/b gives rule 0 of ClusterRole/b
            User/eve escalate-roles shop: RoleBinding/shop/c gives rule 0 of ClusterRole/c
        "#]],
    );
}

#[test]
fn halves_that_come_through_two_groups_combine_and_through_one_group_stay_with_it() {
    let lines = r#"
        role a {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [escalate]}
        role b {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [update]}
        bind a a Group/system:serviceaccounts:shop
        bind b b Group/system:authenticated
        bind c a Group/devs
        bind d b Group/devs
        "#;
    let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n";
    expect![[r#"
        Group/devs escalate-cluster-roles *: ClusterRoleBinding/b gives rule 0 of ClusterRole/b; ClusterRoleBinding/c gives rule 0 of ClusterRole/a; ClusterRoleBinding/d gives rule 0 of ClusterRole/b
        Group/system:serviceaccounts:shop escalate-cluster-roles *: ClusterRoleBinding/a gives rule 0 of ClusterRole/a; ClusterRoleBinding/b gives rule 0 of ClusterRole/b
    "#]].assert_eq(&shown(&access(&format!("{}{account}", manifests(lines)))));
}

#[test]
fn to_approve_takes_the_signer_too() {
    check(
        r#"
        role a {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]}
        role b {apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: ["kubernetes.io/*"], verbs: [approve]}
        bind a a User/eve User/mallory
        bind b b User/eve
        "#,
        &expect![[r#"
            User/eve approve-signing-requests */kubernetes.io/*: ClusterRoleBinding/a gives rule 0 of ClusterRole/a; ClusterRoleBinding/b gives rule 0 of ClusterRole/b
        "#]],
    );
}

#[test]
fn users_are_impersonated_cluster_wide_and_accounts_also_in_a_namespace() {
    check(
        r#"
        role a {apiGroups: [""], resources: [users, groups, serviceaccounts], verbs: [impersonate]}
        role b {apiGroups: [authentication.k8s.io], resources: [userextras/scopes, uids], resourceNames: [x], verbs: [impersonate]}
        role c {apiGroups: [authentication.k8s.io], resources: [userextras, users], verbs: [impersonate, "impersonate:user-info"]}
        bind shop/a a User/alice
        bind b b User/bob
        bind c c User/carol
        "#,
        &expect![[r#"
            User/alice impersonate-service-accounts shop: RoleBinding/shop/a gives rule 0 of ClusterRole/a
            User/bob impersonate-extras */x: ClusterRoleBinding/b gives rule 0 of ClusterRole/b
            User/bob impersonate-uids */x: ClusterRoleBinding/b gives rule 0 of ClusterRole/b
            User/carol impersonate-user-info *: ClusterRoleBinding/c gives rule 0 of ClusterRole/c
        "#]],
    );
}

#[test]
fn everything_is_every_verb_on_every_resource_whatever_the_role_is_called() {
    let access = access(&manifests(
        r#"
        role harmless {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
        role named {apiGroups: ["*"], resources: ["*"], resourceNames: [x], verbs: ["*"]}
        role core {apiGroups: [""], resources: ["*"], verbs: ["*"]}
        bind a harmless User/alice
        bind shop/b harmless User/bob
        bind c named User/carol
        bind d core User/dave
        "#,
    ));
    let everything: Vec<_> = access
        .holdings()
        .iter()
        .filter(|holding| *holding.power == power::EVERYTHING)
        .map(|holding| format!("{} {}", holding.identity, holding.scope))
        .collect();
    assert_eq!(
        everything,
        ["User/alice *", "User/bob shop", "Group/system:masters *"]
    );
    let of_bob = access
        .holdings()
        .iter()
        .filter(|holding| holding.identity.to_string() == "User/bob");
    let powers: Vec<_> = of_bob.map(|holding| holding.power.id).collect();
    assert!(powers.contains(&"create-pods") && powers.contains(&"bind-cluster-roles-in-namespaces"));
    assert!(
        !powers.contains(&"proxy-nodes") && !powers.contains(&"bind-cluster-roles"),
        "{powers:?}"
    );
}

#[test]
fn custom_resources_of_a_group_are_recognised_by_the_group() {
    check(
        r#"
        role a {apiGroups: [constraints.gatekeeper.sh], resources: [k8srequiredlabels], verbs: [delete]}
        role b {apiGroups: ["*"], resources: [pods/eviction], verbs: [delete]}
        bind a a User/eve
        bind b b User/eve
        "#,
        &expect![[r#"
            User/eve weaken-gatekeeper *: ClusterRoleBinding/a gives rule 0 of ClusterRole/a
        "#]],
    );
}

#[test]
fn urls_are_a_matter_of_cluster_role_bindings() {
    check(
        r#"
        role a {nonResourceURLs: ["/debug/*", "/logs*"], verbs: [get]}
        bind a a User/alice
        bind shop/b a User/bob
        "#,
        &expect![[r#"
            User/alice profile-api-server *: ClusterRoleBinding/a gives rule 0 of ClusterRole/a
            User/alice read-api-server-logs *: ClusterRoleBinding/a gives rule 0 of ClusterRole/a
        "#]],
    );
}

/// Single checks of a power that needs no second one.
fn singles(power: &'static Power) -> impl Iterator<Item = (&'static str, &'static Right, &'static str)> {
    let rights = power
        .any
        .iter()
        .filter(|right| right.and.is_none() && right.objects != Objects::Paths);
    rights.flat_map(|right| {
        right
            .verbs
            .split(' ')
            .flat_map(move |verb| right.resources.split(' ').map(move |word| (verb, right, word)))
    })
}

/// The request that a check makes on an object; a namespaced one in `shop` or everywhere.
fn request<'a>(
    verb: &'a str,
    right: &'a Right,
    word: &'a str,
    namespace: &'a str,
    name: &'a str,
) -> Request<'a> {
    let (resource, subresource) = word.split_once('/').unwrap_or((word, ""));
    let is_nameless = subresource.is_empty() && matches!(verb, "create" | "deletecollection" | "*");
    Request::Resource(ResourceRequest {
        verb,
        group: right.group,
        resource,
        subresource,
        namespace: if right.objects == Objects::ClusterScoped {
            ""
        } else {
            namespace
        },
        name: if is_nameless { "" } else { name },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A holding is there exactly where the authorizer lets a caller make one of the power's requests.
    #[test]
    fn holdings_agree_with_the_authorizer(cluster in laws::cluster()) {
        let (access, _) = Access::new(&cluster);
        let mut identities: Vec<_> = access.holdings().iter().map(|holding| holding.identity.clone()).collect();
        identities.push(Identity::User("eve".into()));
        identities.sort();
        identities.dedup();
        for identity in identities.iter().filter(|identity| identity.to_string() != "Group/system:masters") {
            // The identity alone, without its groups: they hold for themselves.
            let caller = Caller::alone(identity);
            for power in power::powers().filter(|power| singles(power).next().is_some()) {
                for (namespace, name) in [("", "z"), ("shop", "z"), ("", "a"), ("shop", "a"), ("bank", "b")] {
                    if singles(power).any(|(_, right, word)| word.contains('?') || right.objects == Objects::Namespaces) {
                        continue;
                    }
                    let allowed = singles(power)
                        .any(|(verb, right, word)| access.allows(&caller, &request(verb, right, word, namespace, name)));
                    let held = access.holdings().iter().any(|holding| {
                        let is_wide = power.any.iter().any(|right| right.objects == Objects::ClusterScoped);
                        let covers = match &holding.scope {
                            Scope::Cluster => true,
                            Scope::Namespace(place) => place == namespace,
                            Scope::Name { namespace: place, name: known } => {
                                known == name && (place.is_empty() || place == namespace || is_wide)
                            }
                        };
                        holding.identity == *identity && *holding.power == *power && covers
                    });
                    prop_assert_eq!(held, allowed, "{} {} in {:?} {}", identity, power.id, namespace, name);
                }
            }
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ROLE_VERBS: &[&str] = &["create", "update", "patch", "bind", "escalate"];
const ROLE_RESOURCES: &[&str] = &["roles", "clusterroles", "rolebindings", "clusterrolebindings"];

fn rule_on_roles() -> impl Strategy<Value = PolicyRule> {
    let names = laws::words(&["r1", "r2", "b0", "b1", "b2"], 2);
    (laws::words(ROLE_VERBS, 3), laws::words(ROLE_RESOURCES, 3), names).prop_map(
        |(verbs, resources, names)| PolicyRule {
            api_groups: vec![RBAC.into()],
            resources,
            verbs,
            resource_names: names,
            non_resource_urls: Vec::new(),
        },
    )
}

/// Whether the caller may use any of these verbs on an object of the RBAC group.
fn may(access: &Access, caller: &Caller, verbs: &str, resource: &str, namespace: &str, name: &str) -> bool {
    verbs.split(' ').any(|verb| {
        let request = ResourceRequest {
            verb,
            group: RBAC,
            resource,
            subresource: "",
            namespace,
            name,
        };
        access.allows(caller, &Request::Resource(request))
    })
}

/// Whether the caller or one of its groups holds the power over an object.
fn holds(access: &Access, caller: &Caller, power: &Power, namespace: &str, name: &str) -> bool {
    access.holdings().iter().any(|holding| {
        *holding.power == *power
            && caller.subjects().contains(&holding.identity)
            && holding.scope.covers(namespace, name)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Powers that take two checks of one request hold exactly where the authorizer passes both.
    #[test]
    fn double_checks_agree_with_the_authorizer(cluster in laws::cluster_of(rule_on_roles())) {
        let (access, _) = Access::new(&cluster);
        for caller in laws::USERS.iter().map(|user| Caller::new(user, [])) {
            let may = |verbs: &str, resource: &str, namespace: &str, name: &str| {
                may(&access, &caller, verbs, resource, namespace, name)
            };
            for name in ["r1", "r2", "z"] {
                let both = [
                    (&power::BIND_CLUSTER_ROLES, "", may("create", "clusterrolebindings", "", "") && may("bind", "clusterroles", "", name)),
                    (&power::BIND_CLUSTER_ROLES_IN_NAMESPACES, "shop", may("create", "rolebindings", "shop", "") && may("bind", "clusterroles", "shop", name)),
                    (&power::BIND_ROLES, "shop", may("create", "rolebindings", "shop", "") && may("bind", "roles", "shop", name)),
                    (&power::ESCALATE_CLUSTER_ROLES, "", may("update patch", "clusterroles", "", name) && may("escalate", "clusterroles", "", name)),
                    (&power::ESCALATE_ROLES, "shop", may("update patch", "roles", "shop", name) && may("escalate", "roles", "shop", name)),
                    (&power::CREATE_ROLES, "shop", may("create", "roles", "shop", "") && may("escalate", "roles", "shop", "")),
                ];
                for (power, namespace, allowed) in both {
                    prop_assert_eq!(holds(&access, &caller, power, namespace, name), allowed, "{} {} {}", caller.user(), power.id, name);
                }
            }
            for (id, binding) in &cluster.role_bindings {
                let role = &binding.role_ref;
                let (own, roles) = match (role.kind.as_str(), id.namespace.as_str()) {
                    ("Role", "") => continue,
                    ("Role", namespace) => (ObjectId::new("Role", namespace, &role.name), "roles"),
                    ("ClusterRole", _) => (ObjectId::cluster_scoped("ClusterRole", &role.name), "clusterroles"),
                    _ => continue,
                };
                if !cluster.roles.contains(&own) {
                    continue;
                }
                let (power, bindings) = match (roles, id.namespace.is_empty()) {
                    (_, true) => (&power::EXTEND_CLUSTER_ROLE_BINDINGS, "clusterrolebindings"),
                    ("roles", false) => (&power::EXTEND_BINDINGS_OF_ROLES, "rolebindings"),
                    (_, false) => (&power::EXTEND_BINDINGS_OF_CLUSTER_ROLES, "rolebindings"),
                };
                let allowed = may("update patch", bindings, &id.namespace, &id.name) && may("bind", roles, &id.namespace, &role.name);
                prop_assert_eq!(holds(&access, &caller, power, &id.namespace, &id.name), allowed, "{} {}", caller.user(), id);
            }
        }
    }
}
