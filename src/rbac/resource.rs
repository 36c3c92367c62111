//! Resource words as users type them: `po`, `pod`, `deployments.apps`, `pods/exec`.
//!
//! **Trap.** Only words of the command line are resolved; words of rules are compared letter by letter. The
//! first match counts, built-in resources before custom ones, as in `kubectl`.
//! Source: <https://kubernetes.io/docs/reference/kubectl/#resource-types>

use crate::model::{Cluster, KINDS, Text};

/// A resource that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    /// The API group, empty for the core group.
    pub group: Text,
    /// The resource in the plural, without its subresource.
    pub resource: Text,
    /// The subresource, empty for none.
    pub subresource: Text,
    /// Whether its objects live in a namespace; `None` if the resource is not known.
    pub namespaced: Option<bool>,
}

/// All resources that have a name here: those of the API server and those that the input defines.
#[derive(Debug)]
pub struct Resources(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    group: Text,
    resource: Text,
    namespaced: bool,
    /// Singular and short names, in lower case.
    aliases: Vec<Text>,
}

/// Built-in resources that the model has no kind for: resource, singular, group, whether namespaced.
const MORE: &[(&str, &str, &str, bool)] = &[
    ("events", "event", "", true),
    ("limitranges", "limitrange", "", true),
    ("resourcequotas", "resourcequota", "", true),
    ("podtemplates", "podtemplate", "", true),
    ("bindings", "binding", "", true),
    ("componentstatuses", "componentstatus", "", false),
    ("users", "user", "", false),
    ("groups", "group", "", false),
    ("events", "event", "events.k8s.io", true),
    ("controllerrevisions", "controllerrevision", "apps", true),
    (
        "horizontalpodautoscalers",
        "horizontalpodautoscaler",
        "autoscaling",
        true,
    ),
    ("poddisruptionbudgets", "poddisruptionbudget", "policy", true),
    ("leases", "lease", "coordination.k8s.io", true),
    (
        "certificatesigningrequests",
        "certificatesigningrequest",
        "certificates.k8s.io",
        false,
    ),
    ("signers", "signer", "certificates.k8s.io", false),
    (
        "clustertrustbundles",
        "clustertrustbundle",
        "certificates.k8s.io",
        false,
    ),
    (
        "podcertificaterequests",
        "podcertificaterequest",
        "certificates.k8s.io",
        true,
    ),
    ("csidrivers", "csidriver", "storage.k8s.io", false),
    ("csinodes", "csinode", "storage.k8s.io", false),
    (
        "csistoragecapacities",
        "csistoragecapacity",
        "storage.k8s.io",
        true,
    ),
    ("volumeattachments", "volumeattachment", "storage.k8s.io", false),
    (
        "volumeattributesclasses",
        "volumeattributesclass",
        "storage.k8s.io",
        false,
    ),
    ("apiservices", "apiservice", "apiregistration.k8s.io", false),
    (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicy",
        "admissionregistration.k8s.io",
        false,
    ),
    (
        "mutatingadmissionpolicybindings",
        "mutatingadmissionpolicybinding",
        "admissionregistration.k8s.io",
        false,
    ),
    ("flowschemas", "flowschema", "flowcontrol.apiserver.k8s.io", false),
    (
        "prioritylevelconfigurations",
        "prioritylevelconfiguration",
        "flowcontrol.apiserver.k8s.io",
        false,
    ),
    ("ipaddresses", "ipaddress", "networking.k8s.io", false),
    ("servicecidrs", "servicecidr", "networking.k8s.io", false),
    ("resourceclaims", "resourceclaim", "resource.k8s.io", true),
    (
        "resourceclaimtemplates",
        "resourceclaimtemplate",
        "resource.k8s.io",
        true,
    ),
    ("deviceclasses", "deviceclass", "resource.k8s.io", false),
    ("resourceslices", "resourceslice", "resource.k8s.io", false),
    ("tokenreviews", "tokenreview", "authentication.k8s.io", false),
    (
        "selfsubjectreviews",
        "selfsubjectreview",
        "authentication.k8s.io",
        false,
    ),
    ("userextras", "userextra", "authentication.k8s.io", false),
    ("uids", "uid", "authentication.k8s.io", false),
    (
        "subjectaccessreviews",
        "subjectaccessreview",
        "authorization.k8s.io",
        false,
    ),
    (
        "localsubjectaccessreviews",
        "localsubjectaccessreview",
        "authorization.k8s.io",
        true,
    ),
    (
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        "authorization.k8s.io",
        false,
    ),
    (
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        "authorization.k8s.io",
        false,
    ),
];

/// Short names, by resource.
const SHORT: &[(&str, &str)] = &[
    ("componentstatuses", "cs"),
    ("configmaps", "cm"),
    ("endpoints", "ep"),
    ("events", "ev"),
    ("limitranges", "limits"),
    ("namespaces", "ns"),
    ("nodes", "no"),
    ("persistentvolumeclaims", "pvc"),
    ("persistentvolumes", "pv"),
    ("pods", "po"),
    ("replicationcontrollers", "rc"),
    ("resourcequotas", "quota"),
    ("serviceaccounts", "sa"),
    ("services", "svc"),
    ("customresourcedefinitions", "crd crds"),
    ("daemonsets", "ds"),
    ("deployments", "deploy"),
    ("replicasets", "rs"),
    ("statefulsets", "sts"),
    ("horizontalpodautoscalers", "hpa"),
    ("cronjobs", "cj"),
    ("certificatesigningrequests", "csr"),
    ("ingresses", "ing"),
    ("networkpolicies", "netpol"),
    ("adminnetworkpolicies", "anp"),
    ("baselineadminnetworkpolicies", "banp"),
    ("poddisruptionbudgets", "pdb"),
    ("priorityclasses", "pc"),
    ("storageclasses", "sc"),
    ("volumeattributesclasses", "vac"),
    ("gateways", "gtw"),
    ("gatewayclasses", "gc"),
    ("referencegrants", "refgrant"),
    ("ipaddresses", "ip"),
];

impl Resources {
    /// Collects the built-in resources and the custom ones that the input defines.
    pub fn new(cluster: &Cluster) -> Self {
        let mut entries: Vec<Entry> = KINDS
            .iter()
            .map(|kind| {
                (
                    kind.resource,
                    kind.kind.to_lowercase(),
                    kind.group,
                    kind.namespaced,
                )
            })
            .chain(MORE.iter().map(|&(resource, singular, group, namespaced)| {
                (resource, singular.to_owned(), group, namespaced)
            }))
            .map(|(resource, singular, group, namespaced)| {
                let short = SHORT.iter().filter(|(known, _)| *known == resource);
                let short = short.flat_map(|(_, words)| words.split(' ')).map(Text::new);
                Entry {
                    group: group.into(),
                    resource: resource.into(),
                    namespaced,
                    aliases: std::iter::once(Text::from(singular)).chain(short).collect(),
                }
            })
            .collect();
        for definition in cluster.custom_resource_definitions.values() {
            let names = &definition.spec.names;
            let kind = Text::from(names.kind.to_lowercase());
            let aliases = [&names.singular, &kind].into_iter().chain(&names.short_names);
            entries.push(Entry {
                group: definition.spec.group.clone(),
                resource: names.plural.clone(),
                namespaced: definition.spec.scope == "Namespaced",
                aliases: aliases.filter(|alias| !alias.is_empty()).cloned().collect(),
            });
        }
        Self(entries)
    }

    /// The resources in the plural, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.resource.as_str())
    }

    /// Resolves a word: `RESOURCE[.VERSION][.GROUP][/SUBRESOURCE]`, in the plural, singular or short.
    ///
    /// An unknown resource stays as it is written.
    pub fn resolve(&self, word: &str) -> ResourceName {
        let (whole, subresource) = word.split_once('/').unwrap_or((word, ""));
        let (resource, group) = match whole.split_once('.') {
            Some((resource, group)) => (resource, Some(group)),
            None => (whole, None),
        };
        let known = self
            .0
            .iter()
            .find(|entry| entry.is_called(resource) && entry.is_in(group));
        match known {
            Some(entry) => ResourceName {
                group: entry.group.clone(),
                resource: entry.resource.clone(),
                subresource: subresource.into(),
                namespaced: Some(entry.namespaced),
            },
            None => ResourceName {
                group: group.unwrap_or_default().into(),
                resource: resource.into(),
                subresource: subresource.into(),
                namespaced: None,
            },
        }
    }
}

impl Entry {
    fn is_called(&self, word: &str) -> bool {
        std::iter::once(&self.resource)
            .chain(&self.aliases)
            .any(|name| name.eq_ignore_ascii_case(word))
    }

    /// Whether the entry is in the group that was typed, perhaps with a version before it: `v1.apps`.
    fn is_in(&self, typed: Option<&str>) -> bool {
        let Some(typed) = typed else { return true };
        let unversioned = match typed.split_once('.') {
            Some((version, group)) if is_version(version) => group,
            None if is_version(typed) => "",
            _ => typed,
        };
        self.group == typed || self.group == unversioned
    }
}

/// Whether a word is an API version: `v1`, `v1beta1`.
fn is_version(word: &str) -> bool {
    word.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomResourceDefinition, Object};

    fn resolved(resources: &Resources, word: &str) -> String {
        let name = resources.resolve(word);
        let scope = match name.namespaced {
            Some(true) => "namespaced",
            Some(false) => "cluster",
            None => "unknown",
        };
        format!("{}|{}|{}|{scope}", name.group, name.resource, name.subresource)
    }

    #[test]
    fn words_are_resolved_as_kubectl_does() {
        let resources = Resources::new(&Cluster::default());
        for (word, expected) in [
            ("po", "|pods||namespaced"),
            ("Pod/exec", "|pods|exec|namespaced"),
            ("deploy", "apps|deployments||namespaced"),
            ("deployments.v1.apps", "apps|deployments||namespaced"),
            ("pods.v1", "|pods||namespaced"),
            ("deployments.example.com", "example.com|deployments||unknown"),
            ("events.events.k8s.io", "events.k8s.io|events||namespaced"),
            ("no", "|nodes||cluster"),
            ("widgets", "|widgets||unknown"),
        ] {
            assert_eq!(resolved(&resources, word), expected, "{word}");
        }
    }

    #[test]
    fn custom_resources_of_the_input_have_names() {
        let mut cluster = Cluster::default();
        let definition: CustomResourceDefinition = serde_json::from_str(
            r#"{"metadata": {"name": "widgets.example.com"}, "spec": {"group": "example.com", "scope": "Cluster",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wg"]}}}"#,
        )
        .unwrap();
        let object = Object::CustomResourceDefinition(Box::new(definition));
        cluster.insert("CustomResourceDefinition", object);
        let resources = Resources::new(&cluster);
        for word in ["widgets", "widget", "Widget", "wg", "widgets.example.com"] {
            assert_eq!(resolved(&resources, word), "example.com|widgets||cluster");
        }
    }
}
