//! How fast roles and bindings become the index, and the index the powers of everyone.
//!
//! The cluster has 10,000 accounts in 100 namespaces, 5,000 roles and 20,000 bindings.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use beachhead::model::{
    Cluster, Meta, Object, PolicyRule, Role, RoleBinding, RoleReference, ServiceAccount, Subject, Text,
};
use beachhead::rbac::{Access, Caller, Request, ResourceRequest};
use criterion::{Criterion, criterion_group};

const ACCOUNTS: usize = 10_000;
const ROLES: usize = 5_000;
const BINDINGS: usize = 20_000;
const NAMESPACES: usize = 100;

const VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "*",
    "impersonate",
    "bind",
    "escalate",
];
const RESOURCES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "pods",
            "pods/exec",
            "pods/log",
            "secrets",
            "configmaps",
            "services",
            "serviceaccounts/token",
            "nodes/proxy",
        ],
    ),
    (
        "apps",
        &["deployments", "daemonsets", "statefulsets", "deployments/scale"],
    ),
    ("batch", &["jobs", "cronjobs"]),
    (
        "rbac.authorization.k8s.io",
        &["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
    ),
    ("networking.k8s.io", &["ingresses", "networkpolicies"]),
    ("example.com", &["widgets", "gadgets", "*"]),
];

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

fn meta(namespace: &str, name: &str) -> Meta {
    Meta {
        name: name.into(),
        namespace: namespace.into(),
        ..Meta::default()
    }
}

fn rule(dice: &mut Dice) -> PolicyRule {
    let (group, resources) = RESOURCES[dice.below(RESOURCES.len())];
    let mut some = |words: &[&str], most: usize| -> Vec<Text> {
        (0..=dice.below(most))
            .map(|_| Text::new(words[dice.below(words.len())]))
            .collect()
    };
    let (verbs, resources) = (some(VERBS, 4), some(resources, 3));
    let named = dice.below(10) == 0;
    PolicyRule {
        api_groups: vec![group.into()],
        resources,
        verbs,
        resource_names: if named { vec!["web".into()] } else { Vec::new() },
        non_resource_urls: Vec::new(),
    }
}

fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    let dice = &mut Dice(7);
    for number in 0..ACCOUNTS {
        let account = ServiceAccount {
            meta: meta(
                &format!("ns-{}", number % NAMESPACES),
                &format!("account-{number}"),
            ),
            ..ServiceAccount::default()
        };
        cluster.insert("ServiceAccount", Object::ServiceAccount(Box::new(account)));
    }
    for number in 0..ROLES {
        let role = Role {
            meta: meta("", &format!("role-{number}")),
            rules: (0..=dice.below(8)).map(|_| rule(dice)).collect(),
            aggregation_rule: None,
        };
        cluster.insert("ClusterRole", Object::Role(Box::new(role)));
    }
    for number in 0..BINDINGS {
        let cluster_wide = dice.below(10) == 0;
        let namespace = format!("ns-{}", dice.below(NAMESPACES));
        let account = dice.below(ACCOUNTS);
        let subject = Subject {
            kind: "ServiceAccount".into(),
            name: format!("account-{account}").into(),
            namespace: format!("ns-{}", account % NAMESPACES).into(),
            ..Subject::default()
        };
        let binding = RoleBinding {
            meta: meta(
                if cluster_wide { "" } else { &namespace },
                &format!("binding-{number}"),
            ),
            subjects: vec![subject],
            role_ref: RoleReference {
                kind: "ClusterRole".into(),
                name: format!("role-{}", dice.below(ROLES)).into(),
                ..RoleReference::default()
            },
        };
        let kind = if cluster_wide {
            "ClusterRoleBinding"
        } else {
            "RoleBinding"
        };
        cluster.insert(kind, Object::RoleBinding(Box::new(binding)));
    }
    cluster.sort();
    cluster
}

fn index(criterion: &mut Criterion) {
    let cluster = cluster();
    let mut group = criterion.benchmark_group("rbac");
    group.sample_size(10);
    group.bench_function("index", |bench| bench.iter(|| black_box(Access::new(&cluster))));
    group.bench_function("holdings of everyone", |bench| {
        bench.iter_batched(
            || Access::new(&cluster).0,
            |access| {
                assert!(!access.holdings().is_empty());
                access
            },
            criterion::BatchSize::LargeInput,
        );
    });
    let (access, _) = Access::new(&cluster);
    let callers: Vec<_> = (0..1_000)
        .map(|number| {
            Caller::new(
                &format!(
                    "system:serviceaccount:ns-{}:account-{number}",
                    number % NAMESPACES
                ),
                [],
            )
        })
        .collect();
    group.bench_function("1,000 questions", |bench| {
        bench.iter(|| {
            let request = |namespace| {
                Request::Resource(ResourceRequest {
                    verb: "create",
                    resource: "pods",
                    subresource: "exec",
                    namespace,
                    ..ResourceRequest::default()
                })
            };
            callers
                .iter()
                .filter(|caller| access.allows(caller, &request("ns-1")))
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, index);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
