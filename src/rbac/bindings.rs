//! Bindings by subject and by namespace, so that a question is a look-up.
//!
//! **Trap.** A ServiceAccount subject without a namespace is one of the binding's namespace; in a
//! ClusterRoleBinding it is nobody. A `User` named `system:serviceaccount:ns:name` is that service account.
//! Source: <https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/rbac/validation/rule.go>

use rustc_hash::FxHashMap;

use super::Identity;
use super::role::{RoleIndex, Roles};
use crate::model::{Cluster, Code, Diagnostic, ObjectId, RoleBinding, Subject, Text};

/// Place of a binding in [`Bindings::all`].
pub(super) type BindingIndex = usize;

/// A binding whose role exists.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) id: ObjectId,
    pub(super) role: RoleIndex,
    /// Everyone it names, sorted, each once.
    pub(super) subjects: Vec<Identity>,
}

/// The bindings that name one subject.
#[derive(Debug, Default)]
struct OfSubject {
    cluster: Vec<BindingIndex>,
    namespaced: FxHashMap<Text, Vec<BindingIndex>>,
}

/// All bindings.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    all: Vec<Bound>,
    cluster: Vec<BindingIndex>,
    namespaced: FxHashMap<Text, Vec<BindingIndex>>,
    by_subject: FxHashMap<Identity, OfSubject>,
}

impl Bindings {
    /// Resolves every binding; those whose role is missing are diagnostics.
    ///
    /// # Complexity
    /// Linear in bindings and their subjects.
    pub(super) fn new(cluster: &Cluster, roles: &Roles) -> (Self, Vec<Diagnostic>) {
        let mut bindings = Self::default();
        let mut diagnostics = Vec::new();
        for (id, binding) in &cluster.role_bindings {
            let role = role_of(id, binding);
            let Some(index) = roles.find(&role) else {
                diagnostics.push(missing_role(id, binding, &role));
                continue;
            };
            let mut subjects: Vec<_> = binding
                .subjects
                .iter()
                .filter_map(|subject| identity(subject, &id.namespace))
                .collect();
            subjects.sort();
            subjects.dedup();
            bindings.add(Bound {
                id: id.clone(),
                role: index,
                subjects,
            });
        }
        (bindings, diagnostics)
    }

    fn add(&mut self, bound: Bound) {
        let index = self.all.len();
        let namespace = &bound.id.namespace;
        for subject in &bound.subjects {
            let of_subject = match self.by_subject.get_mut(subject) {
                Some(known) => known,
                None => self.by_subject.entry(subject.clone()).or_default(),
            };
            if namespace.is_empty() {
                of_subject.cluster.push(index);
            } else {
                of_subject
                    .namespaced
                    .entry(namespace.clone())
                    .or_default()
                    .push(index);
            }
        }
        if namespace.is_empty() {
            self.cluster.push(index);
        } else {
            self.namespaced.entry(namespace.clone()).or_default().push(index);
        }
        self.all.push(bound);
    }

    /// Everyone that a binding names, if its role exists.
    pub(super) fn subjects_of(&self, binding: &ObjectId) -> &[Identity] {
        let found = self.all.binary_search_by(|bound| bound.id.cmp(binding));
        found.map_or(&[], |at| &self.all[at].subjects)
    }

    /// The bindings in the order of their ids.
    pub(super) fn all(&self) -> &[Bound] {
        &self.all
    }

    /// The bindings that name a subject and hold in a namespace: cluster-wide ones, then the namespace's own.
    pub(super) fn of<'a>(
        &'a self,
        subject: &Identity,
        namespace: &str,
    ) -> impl Iterator<Item = &'a Bound> + use<'a> {
        let of_subject = self.by_subject.get(subject);
        let cluster = of_subject
            .map(|found| found.cluster.as_slice())
            .unwrap_or_default();
        let own = of_subject
            .and_then(|found| found.namespaced.get(namespace))
            .map(Vec::as_slice)
            .unwrap_or_default();
        cluster.iter().chain(own).map(|&index| &self.all[index])
    }

    /// The bindings that hold in a namespace, whoever they name; only cluster-wide ones for the empty namespace.
    pub(super) fn within(&self, namespace: &str) -> impl Iterator<Item = &Bound> {
        let own = self
            .namespaced
            .get(namespace)
            .map(Vec::as_slice)
            .unwrap_or_default();
        self.cluster.iter().chain(own).map(|&index| &self.all[index])
    }

    /// Whether any binding names the subject.
    pub(super) fn name(&self, subject: &Identity) -> bool {
        self.by_subject.contains_key(subject)
    }
}

/// The role a binding refers to: only the kind and the name count.
fn role_of(id: &ObjectId, binding: &RoleBinding) -> ObjectId {
    let role = &binding.role_ref;
    if role.kind == "Role" {
        ObjectId::new("Role", &id.namespace, &role.name)
    } else {
        ObjectId::cluster_scoped(&role.kind, &role.name)
    }
}

fn missing_role(id: &ObjectId, binding: &RoleBinding, role: &ObjectId) -> Diagnostic {
    let hint = match role.kind.as_str() {
        "Role" if id.namespace.is_empty() => "a ClusterRoleBinding can refer to a ClusterRole only",
        "Role" | "ClusterRole" => {
            "the binding gives nothing until someone creates the role; add it to the input if it exists"
        }
        _ => "roleRef.kind must be Role or ClusterRole",
    };
    Diagnostic::new(
        Code::MissingRole,
        binding.meta.source.clone(),
        format!("the binding refers to {role}, which the input does not have"),
        hint,
    )
    .about(id.clone())
}

/// Who a subject of a binding is; letter case of `kind` counts, `apiGroup` does not.
fn identity(subject: &Subject, namespace: &Text) -> Option<Identity> {
    match subject.kind.as_str() {
        "User" => Some(Identity::from_user(&subject.name)),
        "Group" => Some(Identity::Group(subject.name.clone())),
        "ServiceAccount" => {
            let namespace = if subject.namespace.is_empty() {
                namespace
            } else {
                &subject.namespace
            };
            (!namespace.is_empty()).then(|| Identity::account_user(namespace, &subject.name))
        }
        _ => None,
    }
}
