//! Objects to a cluster: names and namespaces completed, duplicates and unmodelled policies reported.
//!
//! **Trap.** Whether a custom resource lives in a namespace is known only when every definition was read, so
//! objects of unknown kinds wait until the end.

use std::collections::BTreeMap;

use crate::model::{Cluster, Code, Diagnostic, KindInfo, ObjectId, Source, Text};

use super::limits::MAX_WAITING;
use super::matching::{self, Matcher};
use super::object::{self, Outcome, Read, Waiting};
use super::piece::Head;

/// Kinds that decide what may be reached or admitted and that no rule reads: group and kind, empty for any.
///
/// Those that `network` reads or names the pods of are not here: one warning is enough.
///
/// Groups count with everything that ends in them after a dot.
const DECIDING: &[(&str, &str)] = &[
    ("antrea.io", "NetworkPolicy"),
    ("antrea.io", "ClusterNetworkPolicy"),
    ("policy.linkerd.io", "AuthorizationPolicy"),
    ("kyverno.io", "Policy"),
    ("kyverno.io", "ClusterPolicy"),
    ("policies.kyverno.io", "ValidatingPolicy"),
    ("templates.gatekeeper.sh", "ConstraintTemplate"),
    ("constraints.gatekeeper.sh", ""),
    ("policy", "PodSecurityPolicy"),
    ("extensions", "PodSecurityPolicy"),
    ("security.openshift.io", "SecurityContextConstraints"),
];

/// A cluster in the making.
#[derive(Debug)]
pub(super) struct Assembly {
    cluster: Cluster,
    diagnostics: Vec<Diagnostic>,
    default_namespace: Text,
    matcher: Option<Matcher>,
    others: Vec<Read>,
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    generated: BTreeMap<ObjectId, u32>,
    not_modelled: BTreeMap<(Text, Text), (usize, Source)>,
    unknown_versions: BTreeMap<(Text, Text), (usize, Source)>,
    objects: usize,
}

impl Assembly {
    /// Returns an empty one; objects without a namespace go to `default_namespace`.
    pub(super) fn new(default_namespace: &str, matcher: Option<Matcher>) -> Self {
        Self {
            cluster: Cluster::default(),
            diagnostics: Vec::new(),
            default_namespace: Text::new(default_namespace),
            matcher,
            others: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            generated: BTreeMap::new(),
            not_modelled: BTreeMap::new(),
            unknown_versions: BTreeMap::new(),
            objects: 0,
        }
    }

    /// How many objects were read so far.
    pub(super) fn objects(&self) -> usize {
        self.objects
    }

    /// Adds what was read, in the order of the file.
    pub(super) fn add(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Object(read) => self.object(read),
                Outcome::Waiting(waiting) => self.wait(waiting),
                Outcome::Frame(head, source) => self.end_list(&head, source),
                Outcome::Problem(problem) => self.diagnostics.push(problem),
                Outcome::Nothing => {}
            }
        }
    }

    /// Adds a diagnostic.
    pub(super) fn report(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(diagnostics);
    }

    fn wait(&mut self, waiting: Waiting) {
        self.waiting_bytes += waiting.text.len();
        if self.waiting_bytes > MAX_WAITING {
            let hint = "it is left out; write the list's `kind` before its items";
            let message = format!("more than {} MiB of items without `kind`", MAX_WAITING >> 20);
            self.diagnostics
                .push(Diagnostic::new(Code::TooLarge, waiting.source, message, hint));
        } else {
            self.waiting.push(waiting);
        }
    }

    /// Reads the items again that did not say their kind, now that their list has.
    fn end_list(&mut self, head: &Head, source: Source) {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if let Some(hint) = head.of_items() {
            for item in &waiting {
                for outcome in object::read_waiting(item, &hint, self.matcher.as_ref()) {
                    self.add(vec![outcome]);
                }
            }
        } else if !waiting.is_empty() && !head.is_list() {
            self.diagnostics.push(object::not_an_object(source));
        } else {
            for item in waiting {
                self.diagnostics.push(object::no_kind(item.source));
            }
        }
    }

    fn object(&mut self, read: Read) {
        self.objects += 1;
        self.note_version(&read);
        match read.info {
            Some(info) => self.insert(read, info.namespaced),
            None => self.others.push(read),
        }
    }

    fn note_version(&mut self, read: &Read) {
        let version = read
            .api_version
            .split_once('/')
            .map_or(&*read.api_version, |(_, version)| version);
        let known = |start: &str| {
            version
                .strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("alpha") || rest.starts_with("beta"))
        };
        if read.info.is_some() && !version.is_empty() && !known("v1") {
            count(&mut self.unknown_versions, read);
        }
    }

    fn insert(&mut self, mut read: Read, namespaced: bool) {
        let kind = read.kind.clone();
        let default_namespace = self.default_namespace.clone();
        let meta = read.object.meta_mut();
        if !namespaced {
            meta.namespace = Text::default();
        } else if meta.namespace.is_empty() {
            meta.namespace = default_namespace;
        }
        if meta.name.is_empty() && meta.generate_name.is_empty() {
            let hint = "it is left out; add `metadata.name`";
            let message = format!("a {kind} has no name");
            self.diagnostics.push(Diagnostic::new(
                Code::Incomplete,
                meta.source.clone(),
                message,
                hint,
            ));
            return;
        }
        if meta.name.is_empty() {
            let id = ObjectId::new(&kind, &meta.namespace, &meta.generate_name);
            let count = self.generated.entry(id).or_default();
            *count += 1;
            meta.name = match *count {
                1 => format!("{}*", meta.generate_name).into(),
                more => format!("{}*{more}", meta.generate_name).into(),
            };
        }
        let id = ObjectId::new(&kind, &meta.namespace, &meta.name);
        let source = meta.source.clone();
        if let Some(before) = self.cluster.insert(&kind, read.object) {
            let message = format!("the same object stands in {before}");
            let hint = "only this one counts; remove one of them";
            self.diagnostics
                .push(Diagnostic::new(Code::DuplicateObject, source, message, hint).about(id));
        }
    }

    /// Completes the cluster: objects of unknown kinds, default roles, then pods that stand for templates.
    pub(super) fn finish(
        mut self,
        add_default_roles: impl FnOnce(&mut Cluster) -> Option<Diagnostic>,
    ) -> (Cluster, Vec<Diagnostic>) {
        self.end_list(&Head::default(), Source::default());
        self.insert_others();
        if self.matcher.is_some() {
            matching::number(&mut self.cluster);
        }
        for ((kind, api_version), (count, source)) in std::mem::take(&mut self.unknown_versions) {
            let message = format!("{count} {kind} of the unknown version {api_version}, read like v1");
            let hint = "check the verdicts that depend on them";
            self.diagnostics
                .push(Diagnostic::new(Code::UnknownVersion, source, message, hint));
        }
        for ((kind, group), (count, source)) in std::mem::take(&mut self.not_modelled) {
            let message = format!("{count} {kind} of {group} in the input: such policies are not modelled");
            let hint = "they may stop steps that are shown as possible, or allow others";
            self.diagnostics
                .push(Diagnostic::new(Code::NotModelled, source, message, hint));
        }
        self.diagnostics.extend(add_default_roles(&mut self.cluster));
        let more = self.cluster.add_stand_ins();
        self.diagnostics.extend(more);
        self.cluster.sort();
        (self.cluster, self.diagnostics)
    }

    fn insert_others(&mut self) {
        let scopes: BTreeMap<(Text, Text), bool> = (self.cluster.custom_resource_definitions.values())
            .map(|definition| {
                let spec = &definition.spec;
                let key = (spec.group.clone(), spec.names.kind.clone());
                (key, spec.scope != "Cluster")
            })
            .collect();
        for read in std::mem::take(&mut self.others) {
            let group = read.api_version.split_once('/').map_or("", |(group, _)| group);
            let decides = DECIDING.iter().any(|(known, kind)| {
                let same_group = group == *known || group.ends_with(&format!(".{known}"));
                same_group && (kind.is_empty() || read.kind == *kind)
            });
            let key = (Text::new(group), read.kind.clone());
            let namespaced = scopes.get(&key).copied().unwrap_or_else(|| {
                !read.object.meta().namespace.is_empty() || KindInfo::guess_namespaced(&read.kind)
            });
            if decides {
                let key = (read.kind.clone(), key.0);
                let first = || (0, read.object.meta().source.clone());
                self.not_modelled.entry(key).or_insert_with(first).0 += 1;
            }
            self.insert(read, namespaced);
        }
    }
}

fn count(counts: &mut BTreeMap<(Text, Text), (usize, Source)>, read: &Read) {
    let key = (read.kind.clone(), read.api_version.clone());
    let first = || (0, read.object.meta().source.clone());
    counts.entry(key).or_insert_with(first).0 += 1;
}
