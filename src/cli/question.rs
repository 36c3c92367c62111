//! An authorization question in kubectl's words: VERB RESOURCE [NAME].
//!
//! **Trap.** A Namespace object is cluster-scoped, but the API server also asks the RoleBindings of the
//! namespace it names.

use std::collections::BTreeSet;

use crate::model::{Cluster, Text};
use crate::query::did_you_mean;
use crate::rbac::{Request, ResourceName, ResourceRequest, Resources};

/// What is to be done to what.
#[derive(Debug, clap::Args)]
pub(super) struct QuestionArgs {
    /// The verb: get, list, create, delete, impersonate, ...
    #[arg(value_name = "VERB")]
    pub(super) verb: Option<String>,
    /// The resource (pods, deploy, pods/exec, deployments.apps) or a URL path (/healthz)
    #[arg(value_name = "RESOURCE")]
    pub(super) resource: Option<String>,
    /// The object's name; without one, objects of any name
    #[arg(value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The subresource, as an alternative to pods/exec
    #[arg(long, value_name = "SUBRESOURCE")]
    pub(super) subresource: Option<String>,
    /// The namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
}

/// A question with every word resolved.
#[derive(Debug)]
pub(super) struct Question {
    verb: Text,
    /// The URL path; the resource is meaningless then.
    path: Option<Text>,
    /// The resource.
    pub(super) resource: ResourceName,
    namespace: Text,
    name: Text,
}

impl QuestionArgs {
    /// Resolves the words. `default` is the namespace if none is given; it does not count for cluster-scoped
    /// resources.
    pub(super) fn resolve(&self, resources: &Resources, default: &str) -> anyhow::Result<Question> {
        let (Some(verb), Some(word)) = (&self.verb, &self.resource) else {
            anyhow::bail!("VERB and RESOURCE are missing: what is to be done to what?");
        };
        let is_path = word.starts_with('/');
        let mut resource = resources.resolve(if is_path { "" } else { word });
        if let Some(subresource) = &self.subresource {
            resource.subresource = subresource.as_str().into();
        }
        let name = self.name.as_deref().unwrap_or_default();
        let namespace = match (&self.namespace, resource.namespaced) {
            (_, Some(false)) if resource.group.is_empty() && resource.resource == "namespaces" => name,
            (_, Some(false)) => "",
            (Some(namespace), _) => namespace,
            (None, _) => default,
        };
        Ok(Question {
            verb: verb.as_str().into(),
            path: is_path.then(|| word.as_str().into()),
            namespace: namespace.into(),
            name: name.into(),
            resource,
        })
    }
}

impl Question {
    /// The question as the authorizer takes it.
    pub(super) fn request(&self) -> Request<'_> {
        match &self.path {
            Some(path) => Request::Url {
                verb: &self.verb,
                path,
            },
            None => Request::Resource(ResourceRequest {
                verb: &self.verb,
                group: &self.resource.group,
                resource: &self.resource.resource,
                subresource: &self.resource.subresource,
                namespace: &self.namespace,
                name: &self.name,
            }),
        }
    }

    /// The question as a phrase: `create pods/exec in namespace shop`.
    pub(super) fn phrase(&self, everywhere: &str) -> String {
        if let Some(path) = &self.path {
            return format!("{} {path}", self.verb);
        }
        let mut phrase = format!("{} {}", self.verb, self.resource.resource);
        if !self.resource.group.is_empty() {
            phrase = format!("{phrase}.{}", self.resource.group);
        }
        if !self.resource.subresource.is_empty() {
            phrase = format!("{phrase}/{}", self.resource.subresource);
        }
        if !self.name.is_empty() {
            phrase = format!("{phrase} {}", self.name);
        }
        match (self.resource.namespaced, self.namespace.as_str()) {
            (Some(false), _) => phrase,
            (_, "") => format!("{phrase}{everywhere}"),
            (_, namespace) => format!("{phrase} in namespace {namespace}"),
        }
    }

    /// What to warn about before answering: words that may be slips of the pen.
    pub(super) fn doubts(&self, cluster: &Cluster, resources: &Resources) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.path.is_some() {
            return doubts;
        }
        if self.resource.namespaced.is_none() {
            let word = &self.resource.resource;
            let near = did_you_mean(word, resources.names());
            doubts.push(format!(
                "neither Kubernetes nor the input has a resource called {word}; it is taken as written{near}"
            ));
        }
        let namespaces: BTreeSet<&str> = cluster
            .objects()
            .map(|(id, _)| match id.kind.as_str() {
                "Namespace" => id.name.as_str(),
                _ => id.namespace.as_str(),
            })
            .collect();
        let namespace = self.namespace.as_str();
        if !namespace.is_empty() && namespace != "default" && !namespaces.contains(namespace) {
            let near = did_you_mean(namespace, namespaces);
            doubts.push(format!(
                "nothing of the input is in the namespace {namespace}{near}"
            ));
        }
        doubts
    }

    /// Whether there is a namespace to ask about.
    pub(super) fn is_namespaced(&self) -> bool {
        self.path.is_none() && self.resource.namespaced != Some(false)
    }
}
