//! Changes of rights: bindings, rules, tokens that never expire, and what namespaces let in.
//!
//! **Trap.** The roles that Kubernetes brings are put back by the API server when it starts; they are never changed
//! here. Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation>

use serde_json::{Value, json};

use super::Proposal;
use super::edit::{Edit, Op};
use crate::collect::bootstrap;
use crate::model::{Cluster, ObjectId, PolicyRule, RoleBinding, Subject, Text};
use crate::rbac::Power;
use crate::techniques::{Evidence, Position, Step};

/// The label that says which pods a namespace lets in, as a JSON pointer.
/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-admission/>
const ENFORCED: &str = "/metadata/labels/pod-security.kubernetes.io~1enforce";

/// Returns what can be done about a right, or about what gives one.
pub(super) fn proposals(step: &Step, fact: &Evidence, cluster: &Cluster) -> Vec<Proposal> {
    let id = &fact.object;
    if bootstrap::is_default(id) {
        return Vec::new();
    }
    match (id.kind.as_str(), fact.path.as_str()) {
        ("RoleBinding" | "ClusterRoleBinding", "/subjects") => {
            let binding = cluster.role_bindings.by_id(id);
            binding.map(|binding| subject(id, binding, &fact.value)).unwrap_or_default()
        }
        ("Role" | "ClusterRole", path) => {
            let at = path.strip_prefix("/rules/").and_then(|at| at.parse().ok());
            at.map(|at| rule(step, id, at, cluster)).unwrap_or_default()
        }
        ("Secret", "/metadata/annotations/kubernetes.io~1service-account.name") => vec![Proposal::new(
            id.to_string(),
            format!("Delete the token that never expires: {id}"),
            "Whoever logs in with it is locked out until they ask for tokens that expire (kubectl create token).",
            vec![Edit::Delete(id.clone())],
        )],
        ("ServiceAccount", path) if path.starts_with("/metadata/annotations/") => vec![Proposal::new(
            id.to_string(),
            format!("Give the account no cloud identity: {id}"),
            "Its pods can no longer use the cloud's services.",
            vec![Edit::Fields(id.clone(), vec![Op::Remove(path.to_owned())])],
        )],
        ("Namespace", ENFORCED) if id.name != "kube-system" => ["baseline", "restricted"]
            .map(|level| {
                Proposal::new(
                    id.to_string(),
                    format!("Enforce the Pod Security Standard {level}: {id}"),
                    "Pods that the standard forbids are refused when they are made anew; label with warn first.",
                    vec![Edit::Fields(id.clone(), vec![Op::Set(ENFORCED.to_owned(), json!(level))])],
                )
            })
            .into(),
        _ => Vec::new(),
    }
}

/// A subject as evidence names it.
fn named(subject: &Subject, binding: &ObjectId) -> String {
    match subject.kind.as_str() {
        "ServiceAccount" if subject.namespace.is_empty() => {
            format!("ServiceAccount/{}/{}", binding.namespace, subject.name)
        }
        "ServiceAccount" => format!("ServiceAccount/{}/{}", subject.namespace, subject.name),
        kind => format!("{kind}/{}", subject.name),
    }
}

/// Bind an account in its own namespace alone, or not at all.
fn subject(id: &ObjectId, binding: &RoleBinding, who: &str) -> Vec<Proposal> {
    let (meant, others): (Vec<&Subject>, Vec<&Subject>) = binding
        .subjects
        .iter()
        .partition(|subject| named(subject, id) == who);
    let [meant] = meant.as_slice() else {
        return Vec::new();
    };
    let without = Edit::Fields(id.clone(), vec![Op::Set("/subjects".to_owned(), json!(others))]);
    let role = format!("{}/{}", binding.role_ref.kind, binding.role_ref.name);
    let mut all = Vec::new();
    if id.kind == "ClusterRoleBinding" && meant.kind == "ServiceAccount" {
        let own = ObjectId::new("RoleBinding", &meant.namespace, &id.name);
        let body = json!({
            "metadata": {"name": own.name, "namespace": own.namespace},
            "roleRef": &binding.role_ref,
            "subjects": [meant],
        });
        all.push(Proposal::new(
            format!("{id} {who}"),
            format!(
                "Bind {role} to {who} in namespace {} only, not by {id}",
                meant.namespace
            ),
            "It loses the role everywhere else.",
            vec![Edit::Add(own, body), without.clone()],
        ));
    }
    all.push(Proposal::new(
        format!("{id} {who}"),
        format!("Take {who} out of {id}, which gives it {role}"),
        "It loses everything that the role allows.",
        vec![without],
    ));
    all
}

/// The powers that a step is about.
fn powers(step: &Step) -> Vec<&'static Power> {
    let ends = step.premises.iter().chain([&step.conclusion]);
    let grants = ends.filter_map(|position| match position {
        Position::Grant(power, _) => Some(*power),
        _ => None,
    });
    grants.collect()
}

/// Whether one of the words is meant, or all of them are.
fn has(words: &[Text], word: &str) -> bool {
    words
        .iter()
        .any(|one| one.as_str() == word || one.as_str() == "*")
}

/// The verbs and resources of a rule that give a power.
fn giving(rule: &PolicyRule, power: &Power) -> (Vec<Text>, Vec<Text>) {
    let (mut verbs, mut resources) = (Vec::new(), Vec::new());
    for right in power
        .any
        .iter()
        .filter(|right| has(&rule.api_groups, right.group))
    {
        let meant = |list: &'static str, words: &[Text]| -> Vec<Text> {
            let words = words
                .iter()
                .filter(|word| list.split(' ').any(|one| one == word.as_str()));
            words.cloned().collect()
        };
        let of = meant(right.resources, &rule.resources);
        if !of.is_empty() {
            resources.extend(of);
            verbs.extend(meant(right.verbs, &rule.verbs));
        }
    }
    verbs.dedup();
    resources.dedup();
    (verbs, resources)
}

/// A rule without these verbs on these resources: what of it is left.
fn narrowed(rule: &PolicyRule, verbs: &[Text], resources: &[Text]) -> Vec<PolicyRule> {
    let without = |all: &[Text], some: &[Text]| -> Vec<Text> {
        let left = all.iter().filter(|one| !some.contains(one));
        left.cloned().collect()
    };
    let parts = [
        (without(&rule.verbs, verbs), resources.to_vec()),
        (rule.verbs.clone(), without(&rule.resources, resources)),
    ];
    let parts = parts.into_iter();
    parts
        .filter(|(verbs, resources)| !verbs.is_empty() && !resources.is_empty())
        .map(|(verbs, resources)| PolicyRule {
            resources,
            verbs,
            ..rule.clone()
        })
        .collect()
}

/// Take the verbs that matter out of a rule, or the whole rule.
fn rule(step: &Step, id: &ObjectId, at: usize, cluster: &Cluster) -> Vec<Proposal> {
    let Some(object) = cluster
        .roles
        .by_id(id)
        .filter(|role| role.aggregation_rule.is_none())
    else {
        return Vec::new();
    };
    let Some(rule) = object.rules.get(at) else {
        return Vec::new();
    };
    let with = |rules: Vec<PolicyRule>| {
        let mut all = object.rules.clone();
        all.splice(at..=at, rules);
        let rules = serde_json::to_value(all).unwrap_or(Value::Null);
        vec![Edit::Fields(
            id.clone(),
            vec![Op::Set("/rules".to_owned(), rules)],
        )]
    };
    let mut all = Vec::new();
    let mut narrow = |verbs: &[Text], resources: &[Text]| {
        let less = narrowed(rule, verbs, resources);
        // Without them nothing is left: that is the whole rule.
        if !verbs.is_empty() && !less.is_empty() {
            all.push(Proposal::new(
                format!("{id} {at}"),
                format!("Do not allow {} on {} in {id}", list(verbs), list(resources)),
                "Everyone who is bound to the role loses it.",
                with(less),
            ));
        }
    };
    for power in powers(step) {
        let (verbs, resources) = giving(rule, power);
        narrow(&verbs, &resources);
        // Other verbs may give as much: `get` reads what `list` does.
        narrow(&rule.verbs, &resources);
    }
    let what = match rule.resources.as_slice() {
        [] => list(&rule.non_resource_urls),
        resources => list(resources),
    };
    all.push(Proposal::new(
        format!("{id} {at}"),
        format!("Take rules[{at}] ({} on {what}) out of {id}", list(&rule.verbs)),
        "Everyone who is bound to the role loses it.",
        with(Vec::new()),
    ));
    all
}

fn list(words: &[Text]) -> String {
    let words: Vec<&str> = words.iter().map(Text::as_str).collect();
    words.join(", ")
}
