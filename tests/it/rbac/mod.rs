//! Who may do what: every rule of RBAC that is easy to get wrong, each on manifests, and the index against a
//! naive reading of the rules.

mod commands;
mod holdings;
mod laws;
mod mutations;
mod versions;

use beachhead::collect::{Input, Options, read};
use beachhead::model::{Cluster, Code, Diagnostic};
use beachhead::rbac::{Access, Caller, Identity, Request, ResourceRequest};

/// A ClusterRole that keeps the default roles from being added.
const NO_DEFAULTS: &str = "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin}
";

/// A cluster of these manifests, with nothing added.
fn cluster(yaml: &str) -> Cluster {
    let yaml = format!("{yaml}{NO_DEFAULTS}");
    let (cluster, diagnostics) = collected(&yaml);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    cluster
}

fn collected(yaml: &str) -> (Cluster, Vec<Diagnostic>) {
    let input = Input::Stream {
        name: "rbac.yaml",
        reader: &mut yaml.as_bytes(),
    };
    let (cluster, mut diagnostics) = read(input, &Options::default()).unwrap();
    diagnostics.retain(|found| found.code != Code::NoNodes);
    (cluster, diagnostics)
}

fn access(yaml: &str) -> Access {
    Access::new(&cluster(yaml)).0
}

fn diagnostics(yaml: &str) -> Vec<Diagnostic> {
    let mut found = Access::new(&cluster(yaml)).1;
    found.retain(|found| found.code != Code::UnknownAuthorizers);
    found
}

/// Asks `verb resource[.group][/subresource] [name] [-n namespace]`.
#[track_caller]
fn can(access: &Access, user: &str, question: &str) -> bool {
    let (question, namespace) = question.split_once(" -n ").unwrap_or((question, ""));
    let mut words = question.split(' ');
    let (verb, target) = (words.next().unwrap(), words.next().unwrap());
    let name = words.next().unwrap_or_default();
    assert_eq!(words.next(), None, "{question}");
    let caller = Caller::of(&Identity::from_id(user), []);
    let (whole, subresource) = target.split_once('/').unwrap_or((target, ""));
    let (resource, group) = whole.split_once('.').unwrap_or((whole, ""));
    let request = if target.starts_with('/') {
        Request::Url { verb, path: target }
    } else {
        Request::Resource(ResourceRequest {
            verb,
            group,
            resource,
            subresource,
            namespace,
            name,
        })
    };
    let allowed = access.allows(&caller, &request);
    assert_eq!(
        allowed,
        !access.decide(&caller, &request).is_empty(),
        "{question}"
    );
    allowed
}

/// Asserts what the user may do and what not.
#[track_caller]
fn check(access: &Access, user: &str, yes: &[&str], no: &[&str]) {
    for question in yes {
        assert!(can(access, user, question), "{user} should: {question}");
    }
    for question in no {
        assert!(!can(access, user, question), "{user} should not: {question}");
    }
}

/// A ClusterRole and a ClusterRoleBinding that give one rule to the user `eve`.
fn wide(rule: &str) -> Access {
    access(&format!("{}{CLUSTER_BINDING}", role("ClusterRole", "", rule)))
}

/// The same rule, given to `eve` in the namespace `shop` only.
fn narrow(rule: &str) -> Access {
    access(&format!("{}{BINDING}", role("ClusterRole", "", rule)))
}

fn role(kind: &str, namespace: &str, rule: &str) -> String {
    let namespace = if namespace.is_empty() {
        String::new()
    } else {
        format!(", namespace: {namespace}")
    };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: r{namespace}}}\nrules: [{rule}]\n---\n"
    )
}

const CLUSTER_BINDING: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: ClusterRole, name: r, apiGroup: rbac.authorization.k8s.io}
---
";

const BINDING: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: ClusterRole, name: r, apiGroup: rbac.authorization.k8s.io}
---
";

#[test]
fn a_star_matches_every_resource_and_subresource() {
    let access = wide(r#"{apiGroups: [""], resources: ["*"], verbs: [get]}"#);
    check(
        &access,
        "eve",
        &["get pods", "get pods/exec -n shop", "get nodes"],
        &["get deployments.apps", "create pods", "get /healthz"],
    );
}

#[test]
fn star_slash_subresource_matches_it_on_every_resource() {
    let access = wide(r#"{apiGroups: ["*"], resources: ["*/exec"], verbs: ["*"]}"#);
    check(
        &access,
        "eve",
        &["create pods/exec -n shop", "get widgets.example.com/exec"],
        &["create pods -n shop", "create pods/attach -n shop"],
    );
}

#[test]
fn resource_slash_star_and_prefixes_match_nothing() {
    let access = wide(r#"{apiGroups: ["*"], resources: ["pods/*", "app*", "*/*"], verbs: ["*"]}"#);
    check(
        &access,
        "eve",
        &[],
        &["get pods", "create pods/exec", "get apps", "get pods/log"],
    );
}

#[test]
fn resource_names_never_allow_to_create_or_to_delete_a_collection() {
    let access = wide(r#"{apiGroups: [""], resources: [pods], resourceNames: [web], verbs: ["*"]}"#);
    check(
        &access,
        "eve",
        &["get pods web -n shop", "delete pods web -n shop"],
        &[
            "create pods -n shop",
            "deletecollection pods -n shop",
            "get pods -n shop",
            "get pods db -n shop",
        ],
    );
}

#[test]
fn resource_names_allow_to_create_on_a_named_subresource() {
    let access = wide(
        r#"{apiGroups: [""], resources: [serviceaccounts/token], resourceNames: [web], verbs: [create]}"#,
    );
    check(
        &access,
        "eve",
        &["create serviceaccounts/token web -n shop"],
        &[
            "create serviceaccounts/token db -n shop",
            "create serviceaccounts/token -n shop",
        ],
    );
}

#[test]
fn resource_names_allow_to_list_and_watch_the_named_object() {
    let access =
        wide(r#"{apiGroups: [""], resources: [secrets], resourceNames: [web], verbs: [list, watch]}"#);
    check(
        &access,
        "eve",
        &["list secrets web -n shop", "watch secrets web -n shop"],
        &["list secrets -n shop", "get secrets web -n shop"],
    );
}

#[test]
fn a_role_binding_gives_no_cluster_scoped_resources() {
    let access = narrow(r#"{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}"#);
    check(
        &access,
        "eve",
        &["get pods -n shop", "create pods/exec -n shop"],
        &[
            "get nodes",
            "create persistentvolumes",
            "get pods -n other",
            "get pods",
            "get /healthz",
        ],
    );
}

#[test]
fn a_role_binding_reaches_its_own_namespace_object() {
    // The API server asks about a Namespace within the namespace of that name.
    let access = narrow(r#"{apiGroups: [""], resources: [namespaces], verbs: [get, patch]}"#);
    check(
        &access,
        "eve",
        &["patch namespaces shop -n shop"],
        &["patch namespaces other -n other", "patch namespaces"],
    );
}

#[test]
fn a_subject_without_namespace_is_of_the_bindings_namespace() {
    let yaml = |kind: &str, namespace: &str| {
        let rule = r#"{apiGroups: [""], resources: [secrets], verbs: [get]}"#;
        let given = role("ClusterRole", "", rule);
        format!(
            "{given}apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: b{namespace}}}\nsubjects: [{{kind: ServiceAccount, name: web}}]\nroleRef: {{kind: ClusterRole, name: r}}\n"
        )
    };
    let bound = access(&yaml("RoleBinding", ", namespace: shop"));
    check(
        &bound,
        "ServiceAccount/shop/web",
        &["get secrets -n shop"],
        &["get secrets -n other"],
    );
    check(&bound, "ServiceAccount/other/web", &[], &["get secrets -n shop"]);
    let nobody = access(&yaml("ClusterRoleBinding", ""));
    check(
        &nobody,
        "ServiceAccount/default/web",
        &[],
        &["get secrets -n default"],
    );
}

#[test]
fn bind_is_asked_about_roles_not_bindings() {
    let access =
        wide(r#"{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}"#);
    check(
        &access,
        "eve",
        &["bind clusterroles.rbac.authorization.k8s.io admin"],
        &[
            "bind clusterrolebindings.rbac.authorization.k8s.io",
            "bind roles.rbac.authorization.k8s.io",
        ],
    );
}

#[test]
fn api_groups_are_told_apart() {
    let access = wide(r#"{apiGroups: [x.io], resources: [secrets, deployments], verbs: ["*"]}"#);
    check(
        &access,
        "eve",
        &["get secrets.x.io", "create deployments.x.io"],
        &["get secrets", "create deployments.apps", "create deployments"],
    );
    let apps = wide(r#"{apiGroups: [apps], resources: [deployments], verbs: [create]}"#);
    check(
        &apps,
        "eve",
        &["create deployments.apps -n shop"],
        &["create deployments.extensions -n shop"],
    );
}

#[test]
fn service_accounts_and_users_are_in_implicit_groups() {
    let yaml = |group: &str| {
        let rule = r#"{apiGroups: [""], resources: [secrets], verbs: [get]}"#;
        let binding =
            CLUSTER_BINDING.replace("kind: User, name: eve", &format!("kind: Group, name: {group}"));
        access(&format!("{}{binding}", role("ClusterRole", "", rule)))
    };
    let table = [
        (
            "system:authenticated",
            &["ServiceAccount/shop/web", "User/eve", "Group/devs"][..],
            &["system:anonymous"][..],
        ),
        (
            "system:unauthenticated",
            &["system:anonymous"],
            &["eve", "ServiceAccount/shop/web"],
        ),
        ("system:serviceaccounts", &["ServiceAccount/shop/web"], &["eve"]),
        (
            "system:serviceaccounts:shop",
            &["system:serviceaccount:shop:web"],
            &["ServiceAccount/other/web", "eve"],
        ),
    ];
    for (group, members, strangers) in table {
        let access = yaml(group);
        for member in members {
            check(&access, member, &["get secrets -n shop"], &[]);
        }
        for stranger in strangers {
            check(&access, stranger, &[], &["get secrets -n shop"]);
        }
    }
}

#[test]
fn system_masters_bypasses_rbac() {
    let access = access("---\n");
    let caller = Caller::new("root", ["system:masters"]);
    let request = Request::Url {
        verb: "frobnicate",
        path: "/x",
    };
    assert!(access.allows(&caller, &request));
    check(&access, "root", &[], &["get pods"]);
}

#[test]
fn a_user_may_be_named_like_a_service_account() {
    let rule = r#"{apiGroups: [""], resources: [secrets], verbs: [get]}"#;
    let binding = CLUSTER_BINDING.replace("name: eve", "name: 'system:serviceaccount:shop:web'");
    let access = access(&format!("{}{binding}", role("ClusterRole", "", rule)));
    check(&access, "ServiceAccount/shop/web", &["get secrets"], &[]);
}

#[test]
fn rights_are_the_union_over_bindings_and_groups() {
    let first = role(
        "ClusterRole",
        "",
        r#"{apiGroups: [""], resources: [secrets], verbs: [get]}"#,
    );
    let second = first.replace("name: r", "name: s").replace("secrets", "pods");
    let group = BINDING
        .replace("name: b", "name: c")
        .replace("kind: ClusterRole, name: r", "kind: ClusterRole, name: s");
    let group = group.replace("kind: User, name: eve", "kind: Group, name: system:authenticated");
    let access = access(&format!("{first}{second}{CLUSTER_BINDING}{group}"));
    check(
        &access,
        "eve",
        &["get secrets -n shop", "get pods -n shop"],
        &["get pods -n other"],
    );
}

#[test]
fn verbs_are_plain_strings() {
    let verb = "impersonate-on:user-info:get";
    let access = wide(&format!(
        r#"{{apiGroups: [authentication.k8s.io], resources: [users], verbs: ["{verb}"]}}"#
    ));
    check(
        &access,
        "eve",
        &["impersonate-on:user-info:get users.authentication.k8s.io"],
        &[
            "impersonate users.authentication.k8s.io",
            "impersonate-on:user-info users.authentication.k8s.io",
        ],
    );
    let all = wide(r#"{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}"#);
    check(
        &all,
        "eve",
        &["associated-node:update resourceclaims.resource.k8s.io/status -n shop"],
        &[],
    );
}

#[test]
fn reading_verbs_count() {
    let access = wide(r#"{apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}"#);
    check(
        &access,
        "eve",
        &["get secrets", "list secrets", "watch secrets -n shop"],
        &["create secrets"],
    );
}

#[test]
fn letter_case_counts() {
    let access = wide(r#"{apiGroups: [Apps, ""], resources: [Pods, deployments], verbs: [GET]}"#);
    check(
        &access,
        "eve",
        &["GET Pods"],
        &["get pods", "get Pods", "GET pods", "GET deployments.apps"],
    );
}

#[test]
fn urls_match_exactly_or_by_prefix_and_only_cluster_wide() {
    let rule = r#"{nonResourceURLs: [/healthz, /api/*, "/x*y"], verbs: [get]}"#;
    check(
        &wide(rule),
        "eve",
        &["get /healthz", "get /api/v1"],
        &[
            "get /healthz/",
            "get /api",
            "post /healthz",
            "get /xzy",
            "get pods",
        ],
    );
    check(&narrow(rule), "eve", &[], &["get /healthz"]);
}

const AGGREGATED: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: r}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: middle, labels: {to: r}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: middle}}, {matchLabels: {to: r}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to: middle}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}, {apiGroups: [""], resources: [secrets], verbs: [get]}]
---
"#;

#[test]
fn aggregated_roles_of_manifests_are_united_and_circles_end() {
    let access = access(&format!("{AGGREGATED}{CLUSTER_BINDING}"));
    check(&access, "eve", &["get pods", "get secrets"], &["list secrets"]);
    let caller = Caller::new("eve", []);
    let request = Request::Resource(ResourceRequest {
        verb: "get",
        resource: "secrets",
        ..ResourceRequest::default()
    });
    let grounds = access.decide(&caller, &request);
    assert_eq!(grounds.len(), 1);
    assert_eq!(
        grounds[0].reason.to_string(),
        "ClusterRoleBinding/b gives rule 1 of ClusterRole/part"
    );
}

#[test]
fn rules_that_the_server_filled_in_are_left_alone() {
    let filled = AGGREGATED.replacen(
        "rules: []",
        r#"rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]"#,
        1,
    );
    let access = access(&format!("{filled}{CLUSTER_BINDING}"));
    check(&access, "eve", &["get nodes"], &["get pods"]);
}

#[test]
fn a_missing_role_is_said_and_gives_nothing() {
    let found = diagnostics(CLUSTER_BINDING);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "rbac.yaml:2: the binding refers to ClusterRole/r, which the input does not have (ClusterRoleBinding/b); \
         the binding gives nothing until someone creates the role; add it to the input if it exists [missing-role]"
    );
    check(&access(CLUSTER_BINDING), "eve", &[], &["get pods"]);
}

#[test]
fn a_role_counts_in_its_own_namespace_only() {
    let rule = r#"{apiGroups: [""], resources: [pods], verbs: [get]}"#;
    let binding = BINDING.replace("kind: ClusterRole", "kind: Role");
    let here = access(&format!("{}{binding}", role("Role", "shop", rule)));
    check(
        &here,
        "eve",
        &["get pods -n shop"],
        &["get pods -n other", "get pods"],
    );
    let elsewhere = access(&format!("{}{binding}", role("Role", "other", rule)));
    check(&elsewhere, "eve", &[], &["get pods -n shop", "get pods -n other"]);
    let cluster_wide = CLUSTER_BINDING.replace("kind: ClusterRole,", "kind: Role,");
    let found = diagnostics(&format!("{}{cluster_wide}", role("Role", "shop", rule)));
    assert_eq!(
        found[0].hint,
        "a ClusterRoleBinding can refer to a ClusterRole only"
    );
}

#[test]
fn the_kind_of_a_subject_is_compared_letter_by_letter() {
    let rule = r#"{apiGroups: [""], resources: [pods], verbs: [get]}"#;
    let binding = CLUSTER_BINDING.replace("kind: User", "kind: user");
    check(
        &access(&format!("{}{binding}", role("ClusterRole", "", rule))),
        "eve",
        &[],
        &["get pods"],
    );
}

const PODS_ON_NODES: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  nodeName: n1
  serviceAccountName: web
  imagePullSecrets: [{name: pull}]
  containers:
  - {name: web, image: i, envFrom: [{configMapRef: {name: env}}], env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: k}}}]}
  volumes:
  - {name: a, secret: {secretName: vol}}
  - {name: b, projected: {sources: [{secret: {name: proj}}, {configMap: {name: cm}}]}}
  - {name: c, persistentVolumeClaim: {claimName: data}}
  - {name: d, ephemeral: {volumeClaimTemplate: {spec: {}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: kube-system, annotations: {kubernetes.io/config.mirror: x}}
spec: {nodeName: n1, containers: [], volumes: [{name: a, secret: {secretName: hidden}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop}
spec: {nodeName: n2, containers: [], volumes: [{name: a, secret: {secretName: other}}]}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv1}
spec:
  claimRef: {namespace: shop, name: data}
  csi: {driver: d, volumeHandle: h, nodeStageSecretRef: {namespace: storage, name: stage}}
"#;

#[test]
fn the_node_authorizer_follows_the_pods_of_the_node() {
    let access = access(PODS_ON_NODES);
    let secrets = ["pull", "key", "vol", "proj"].map(|name| format!("get secrets {name} -n shop"));
    for question in secrets.iter().map(String::as_str) {
        check(&access, "system:node:n1", &[question], &[]);
        check(&access, "system:node:n2", &[], &[question]);
    }
    check(
        &access,
        "system:node:n1",
        &[
            "list secrets vol -n shop",
            "watch configmaps env -n shop",
            "get configmaps cm -n shop",
            "get persistentvolumeclaims data -n shop",
            "get persistentvolumeclaims web-d -n shop",
            "update persistentvolumeclaims/status data -n shop",
            "get persistentvolumes pv1",
            "get secrets stage -n storage",
            "create serviceaccounts/token web -n shop",
            "get serviceaccounts web -n shop",
            "get pods web -n shop",
            "get pods static -n kube-system",
        ],
        &[
            "list secrets -n shop",
            "update secrets vol -n shop",
            "list persistentvolumeclaims data -n shop",
            "create serviceaccounts/token default -n shop",
            "get secrets hidden -n kube-system",
            "get secrets other -n shop",
            "get pods db -n shop",
            "list pods -n shop",
            "create pods/exec web -n shop",
        ],
    );
}

const DEVICES_ON_NODES: &str = "
apiVersion: v1
kind: Pod
metadata: {name: gpu, namespace: shop}
spec:
  nodeName: n1
  containers: [{name: main, image: app}]
  resourceClaims: [{name: a, resourceClaimName: named}, {name: b, resourceClaimTemplateName: made}]
status:
  resourceClaimStatuses: [{name: b, resourceClaimName: gpu-b-x1}, {name: gone, resourceClaimName: gpu-gone}]
  extendedResourceClaimStatus: {resourceClaimName: gpu-extended}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: {name: csi-1}
spec: {attacher: d, nodeName: n1, source: {persistentVolumeName: pv1}}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata: {name: csi-2}
spec: {attacher: d, nodeName: n2, source: {persistentVolumeName: pv2}}
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: slice-1}
spec: {driver: d, nodeName: n1, pool: {name: p, generation: 1, resourceSliceCount: 1}}
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: slice-all}
spec: {driver: d, allNodes: true, pool: {name: p, generation: 1, resourceSliceCount: 1}}
---
";

#[test]
fn the_node_authorizer_follows_attachments_slices_and_claims_to_devices() {
    let access = access(DEVICES_ON_NODES);
    let own = [
        "get volumeattachments.storage.k8s.io csi-1",
        "get resourceslices.resource.k8s.io slice-1",
        "delete resourceslices.resource.k8s.io slice-1",
        "get resourceclaims.resource.k8s.io named -n shop",
        "get resourceclaims.resource.k8s.io gpu-b-x1 -n shop",
        "get resourceclaims.resource.k8s.io gpu-extended -n shop",
    ];
    check(
        &access,
        "system:node:n1",
        &own,
        &[
            "get volumeattachments.storage.k8s.io csi-2",
            "list volumeattachments.storage.k8s.io",
            "update volumeattachments.storage.k8s.io csi-1",
            "get resourceslices.resource.k8s.io slice-all",
            "deletecollection resourceslices.resource.k8s.io",
            "get resourceclaims.resource.k8s.io made -n shop",
            "get resourceclaims.resource.k8s.io gpu-gone -n shop",
            "get resourceclaims.resource.k8s.io named -n other",
            "update resourceclaims.resource.k8s.io named -n shop",
        ],
    );
    check(
        &access,
        "system:node:n2",
        &["get volumeattachments.storage.k8s.io csi-2"],
        &own,
    );
}

#[test]
fn the_node_authorizer_knows_the_nodes_own_objects() {
    let access = access(PODS_ON_NODES);
    check(
        &access,
        "system:node:n1",
        &[
            "get nodes n1",
            "patch nodes/status n2",
            "create nodes",
            "update leases.coordination.k8s.io n1 -n kube-node-lease",
            "create leases.coordination.k8s.io -n kube-node-lease",
            "get csinodes.storage.k8s.io n1",
            "create pods -n shop",
            "delete pods web -n shop",
            "create pods/eviction web -n shop",
            "list services",
            "create certificatesigningrequests.certificates.k8s.io",
            "create events -n shop",
            "create resourceslices.resource.k8s.io",
        ],
        &[
            "get nodes n2",
            "list nodes",
            "delete nodes n1",
            "update leases.coordination.k8s.io n2 -n kube-node-lease",
            "update leases.coordination.k8s.io n1 -n kube-system",
            "get csinodes.storage.k8s.io n2",
            "list resourceslices.resource.k8s.io",
            "create deployments.apps -n shop",
            "get nodes/proxy n1",
            "get /healthz",
        ],
    );
}

#[test]
fn only_members_of_system_nodes_are_kubelets() {
    let access = access(PODS_ON_NODES);
    check(&access, "system:node:", &[], &["create nodes"]);
    check(&access, "Group/system:nodes", &[], &["create nodes"]);
    check(&access, "system:nodes:n1", &[], &["create nodes"]);
}

#[test]
fn default_roles_give_what_they_give_on_a_real_server() {
    let (cluster, _) = collected(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dev, namespace: shop}
subjects: [{kind: User, name: eve}]
roleRef: {kind: ClusterRole, name: edit}
",
    );
    let (access, found) = Access::new(&cluster);
    assert_eq!(found, []);
    check(
        &access,
        "eve",
        &[
            "create pods/exec -n shop",
            "get secrets -n shop",
            "create deployments.apps -n shop",
            "get /version",
        ],
        &[
            "create rolebindings.rbac.authorization.k8s.io -n shop",
            "create pods -n other",
            "get nodes",
        ],
    );
}
