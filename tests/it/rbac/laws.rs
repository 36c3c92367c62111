//! The index against a reading of the rules that looks at every binding of the cluster, on random roles,
//! bindings and questions.

use beachhead::model::{
    Cluster, Meta, Object, ObjectId, PolicyRule, Role, RoleBinding, RoleReference, Subject, Text,
};
use beachhead::rbac::{Access, Caller, Reach, Reason, Request, ResourceRequest};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const VERBS: &[&str] = &["get", "list", "create", "deletecollection", "bind", "*", "GET"];
const GROUPS: &[&str] = &["", "apps", "x.io", "*"];
const RESOURCES: &[&str] = &[
    "pods",
    "secrets",
    "pods/exec",
    "*",
    "*/exec",
    "pods/*",
    "namespaces",
    "Pods",
];
const NAMES: &[&str] = &["a", "b", "shop"];
const URLS: &[&str] = &["/healthz", "/api/*", "*", "/x", "/x**"];
const SUBJECTS: &[(&str, &str, &str)] = &[
    ("User", "", "eve"),
    ("User", "", "system:serviceaccount:shop:web"),
    ("Group", "", "devs"),
    ("Group", "", "system:authenticated"),
    ("Group", "", "system:serviceaccounts"),
    ("Group", "", "system:serviceaccounts:bank"),
    ("ServiceAccount", "", "web"),
    ("ServiceAccount", "shop", "web"),
    ("ServiceAccount", "bank", "web"),
    ("user", "", "eve"),
];
pub(super) const USERS: &[&str] = &[
    "eve",
    "mallory",
    "system:anonymous",
    "system:serviceaccount:shop:web",
    "system:serviceaccount:bank:web",
];

pub(super) fn words(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<Text>> {
    subsequence(of.to_vec(), 0..=most).prop_map(|words| words.into_iter().map(Text::new).collect())
}

fn rule() -> impl Strategy<Value = PolicyRule> {
    (
        words(VERBS, 3),
        words(GROUPS, 2),
        words(RESOURCES, 3),
        words(NAMES, 2),
        words(URLS, 1),
    )
        .prop_map(
            |(verbs, api_groups, resources, resource_names, non_resource_urls)| PolicyRule {
                api_groups,
                resources,
                resource_names,
                verbs,
                non_resource_urls,
            },
        )
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta {
        name: name.into(),
        namespace: namespace.into(),
        ..Meta::default()
    }
}

fn namespaces() -> impl Strategy<Value = &'static str> {
    select(vec!["", "shop", "bank"])
}

pub(super) fn cluster() -> impl Strategy<Value = Cluster> {
    cluster_of(rule())
}

/// Roles of these rules, and bindings.
pub(super) fn cluster_of(of: impl Strategy<Value = PolicyRule>) -> impl Strategy<Value = Cluster> {
    let role = (
        namespaces(),
        select(vec!["r1", "r2", "r3"]),
        prop::collection::vec(of, 0..3),
    );
    let subjects = subsequence(SUBJECTS.to_vec(), 0..4);
    let binding = (
        namespaces(),
        select(vec!["Role", "ClusterRole", "role"]),
        select(vec!["r1", "r2", "r3"]),
        subjects,
    );
    (
        prop::collection::vec(role, 1..8),
        prop::collection::vec(binding, 1..8),
    )
        .prop_map(|(roles, bindings)| {
            let mut cluster = Cluster::default();
            for (namespace, name, rules) in roles {
                let kind = if namespace.is_empty() {
                    "ClusterRole"
                } else {
                    "Role"
                };
                let role = Role {
                    meta: meta(namespace, name),
                    rules,
                    aggregation_rule: None,
                };
                cluster.insert(kind, Object::Role(Box::new(role)));
            }
            for (number, (namespace, kind, role, subjects)) in bindings.into_iter().enumerate() {
                let binding = RoleBinding {
                    meta: meta(namespace, &format!("b{number}")),
                    subjects: subjects.into_iter().map(subject).collect(),
                    role_ref: RoleReference {
                        api_group: Text::default(),
                        kind: kind.into(),
                        name: role.into(),
                    },
                };
                let kind = if namespace.is_empty() {
                    "ClusterRoleBinding"
                } else {
                    "RoleBinding"
                };
                cluster.insert(kind, Object::RoleBinding(Box::new(binding)));
            }
            cluster.sort();
            cluster
        })
}

fn subject((kind, namespace, name): (&str, &str, &str)) -> Subject {
    Subject {
        kind: kind.into(),
        api_group: Text::default(),
        name: name.into(),
        namespace: namespace.into(),
    }
}

#[derive(Clone, Debug)]
struct Question {
    user: &'static str,
    devs: bool,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    namespace: &'static str,
    name: &'static str,
    path: Option<&'static str>,
}

fn question() -> impl Strategy<Value = Question> {
    let who = (select(USERS.to_vec()), any::<bool>());
    let what = (
        select(VERBS.to_vec()),
        select(GROUPS.to_vec()),
        select(vec!["pods", "secrets", "namespaces", "*"]),
        select(vec!["", "exec", "*"]),
    );
    let name = select(vec!["", "a", "c", "shop"]);
    let path = prop::option::weighted(0.1, select(vec!["/healthz", "/api/v1", "/api", "/x", "/xy"]));
    (who, what, namespaces(), name, path).prop_map(
        |((user, devs), (verb, group, resource, subresource), namespace, name, path)| Question {
            user,
            devs,
            verb,
            group,
            resource,
            subresource,
            namespace,
            name,
            path,
        },
    )
}

impl Question {
    fn request(&self) -> Request<'_> {
        match self.path {
            Some(path) => Request::Url {
                verb: self.verb,
                path,
            },
            None => Request::Resource(ResourceRequest {
                verb: self.verb,
                group: self.group,
                resource: self.resource,
                subresource: self.subresource,
                namespace: self.namespace,
                name: self.name,
            }),
        }
    }

    fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = if self.devs {
            vec!["devs".into()]
        } else {
            Vec::new()
        };
        match self.user.strip_prefix("system:serviceaccount:") {
            Some(account) => {
                let (namespace, _) = account.split_once(':').unwrap();
                groups.extend(["system:authenticated".into(), "system:serviceaccounts".into()]);
                groups.push(format!("system:serviceaccounts:{namespace}"));
            }
            None if self.user == "system:anonymous" => groups.push("system:unauthenticated".into()),
            None => groups.push("system:authenticated".into()),
        }
        groups
    }
}

/// Every rule that allows the question, found by going through all bindings.
fn naive(cluster: &Cluster, question: &Question) -> Vec<(ObjectId, ObjectId, usize)> {
    let groups = question.groups();
    let namespace = if question.path.is_some() {
        ""
    } else {
        question.namespace
    };
    let mut found = Vec::new();
    for (id, binding) in &cluster.role_bindings {
        if !id.namespace.is_empty() && id.namespace != *namespace {
            continue;
        }
        let names = |subject: &Subject| match subject.kind.as_str() {
            "User" => subject.name == question.user,
            "Group" => groups.iter().any(|group| subject.name == group.as_str()),
            "ServiceAccount" => {
                let own = if subject.namespace.is_empty() {
                    &id.namespace
                } else {
                    &subject.namespace
                };
                !own.is_empty() && question.user == format!("system:serviceaccount:{own}:{}", subject.name)
            }
            _ => false,
        };
        if !binding.subjects.iter().any(names) {
            continue;
        }
        let role = match binding.role_ref.kind.as_str() {
            "Role" => ObjectId::new("Role", &id.namespace, &binding.role_ref.name),
            "ClusterRole" => ObjectId::cluster_scoped("ClusterRole", &binding.role_ref.name),
            _ => continue,
        };
        for (index, rule) in cluster
            .roles
            .by_id(&role)
            .into_iter()
            .flat_map(|role| role.rules.iter().enumerate())
        {
            if allows(rule, question) {
                found.push((id.clone(), role.clone(), index));
            }
        }
    }
    found.sort();
    found
}

fn allows(rule: &PolicyRule, question: &Question) -> bool {
    let has = |words: &[Text], word: &str| words.iter().any(|known| known == word || known == "*");
    if !has(&rule.verbs, question.verb) {
        return false;
    }
    if let Some(path) = question.path {
        return rule.non_resource_urls.iter().any(|url| {
            let is_prefix = url.ends_with('*') && path.starts_with(url.trim_end_matches('*'));
            url == path || is_prefix
        });
    }
    let combined = match question.subresource {
        "" => question.resource.to_owned(),
        subresource => format!("{}/{subresource}", question.resource),
    };
    let any = format!("*/{}", question.subresource);
    let resource = rule.resources.iter().any(|known| {
        known == "*"
            || known == combined.as_str()
            || !question.subresource.is_empty() && known == any.as_str()
    });
    let named =
        rule.resource_names.is_empty() || rule.resource_names.iter().any(|name| name == question.name);
    has(&rule.api_groups, question.group) && resource && named
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// 600 clusters with 60 questions each.
    #[test]
    fn the_index_agrees_with_a_naive_reading(
        cluster in cluster(),
        questions in prop::collection::vec(question(), 60),
    ) {
        let (access, _) = Access::new(&cluster);
        for question in &questions {
            let caller = Caller::new(question.user, question.devs.then_some("devs"));
            let request = question.request();
            let mut indexed: Vec<_> = access.decide(&caller, &request).into_iter().map(|ground| match ground.reason {
                Reason::Rule { binding, role, rule } => (binding, role, rule),
                other => panic!("{other}"),
            }).collect();
            indexed.sort();
            indexed.dedup();
            prop_assert_eq!(&indexed, &naive(&cluster, question), "{:?}", question);
            prop_assert_eq!(access.allows(&caller, &request), !indexed.is_empty());
        }
    }

    /// Whoever is listed can, and whoever can is listed, alone or through a group.
    #[test]
    fn who_can_is_can_i_the_other_way_round(
        cluster in cluster(),
        questions in prop::collection::vec(question(), 20),
    ) {
        let (access, _) = Access::new(&cluster);
        for question in &questions {
            let request = question.request();
            let holders = access.who_can(&request, Reach::Asked);
            for user in USERS {
                let caller = Caller::new(user, []);
                let listed = holders.iter().any(|holder| {
                    let is_exact = match &holder.scope {
                        beachhead::rbac::Scope::Name { name, .. } => name == question.name,
                        _ => true,
                    };
                    is_exact && caller.subjects().contains(&holder.identity)
                });
                prop_assert_eq!(listed, access.allows(&caller, &request), "{} {:?}", user, question);
            }
        }
    }
}
