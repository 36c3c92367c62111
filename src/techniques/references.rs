//! What a container refers to: Secrets and ConfigMaps, by variable and by mount, key by key.
//!
//! **Trap.** A reference to an object that is not in the input is a reference all the same: manifests often
//! leave Secrets out. The keys of such an object are all keys that anyone refers to.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::pods::{ContainerView, pod};
use super::{Evidence, Place, Position};
use crate::datastores::{Datastore, Origin};
use crate::model::{Cluster, KeyToPath, Text};

/// The two kinds of objects that hold settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Holder {
    Secret,
    ConfigMap,
}

/// How a container gets at what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Variable,
    Volume,
}

/// Where in a container's spec a reference stands.
#[derive(Clone, Copy, Debug)]
enum Spot {
    EnvFrom(usize, &'static str),
    Env(usize, &'static str),
    Mount(usize),
}

/// Where `envFrom` names a Secret.
const SECRET_REF: &str = "/secretRef/name";
/// Where a variable names the key of a Secret.
const SECRET_KEY_REF: &str = "/valueFrom/secretKeyRef/key";

/// One reference.
#[derive(Clone, Debug)]
pub(super) struct Reference<'a> {
    pub(super) holder: Holder,
    pub(super) place: Place,
    pub(super) way: Way,
    taken: Taken<'a>,
    view: &'a ContainerView<'a>,
    spot: Spot,
}

/// What a reference takes of its object.
#[derive(Clone, Copy, Debug)]
enum Taken<'a> {
    All,
    Key(&'a Text),
    /// These items, of which a `subPath` that is not empty leaves those at its path.
    Items(&'a [KeyToPath], &'a Text),
}

impl<'a> Reference<'a> {
    /// The keys it takes; `None` for all.
    pub(super) fn keys(&self) -> Option<impl Iterator<Item = &'a Text>> {
        let (one, items, sub_path) = match self.taken {
            Taken::All => return None,
            Taken::Key(key) => (Some(key), &[][..], None),
            Taken::Items(items, sub_path) => (None, items, Some(sub_path)),
        };
        let is_meant =
            move |item: &&KeyToPath| sub_path.is_none_or(|path| path.is_empty() || item.path == *path);
        Some(
            one.into_iter()
                .chain(items.iter().filter(is_meant).map(|item| &item.key)),
        )
    }

    /// What says so; made when asked for, as most references are passed over.
    pub(super) fn proof(&self) -> Evidence {
        let container = self.view.container;
        match self.spot {
            Spot::EnvFrom(at, field) => {
                let from = &container.env_from[at];
                let source = if field == SECRET_REF {
                    &from.secret_ref
                } else {
                    &from.config_map_ref
                };
                let name = source.as_ref().map_or("", |source| source.name.as_str());
                self.view.element("/envFrom", at, field, name)
            }
            Spot::Env(at, field) => {
                let from = container.env[at].value_from.as_ref();
                let source = from.and_then(|from| {
                    let source = if field == SECRET_KEY_REF {
                        &from.secret_key_ref
                    } else {
                        &from.config_map_key_ref
                    };
                    source.as_ref()
                });
                let key = source.map_or("", |source| source.key.as_str());
                self.view.element("/env", at, field, key)
            }
            Spot::Mount(at) => {
                let path = &container.volume_mounts[at].mount_path;
                self.view.element("/volumeMounts", at, "/mountPath", path)
            }
        }
    }
}

impl Holder {
    /// The kind of the object.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    /// Having read all values.
    pub(super) fn whole(self, place: &Place) -> Position {
        match self {
            Self::Secret => Position::Secret(place.clone()),
            Self::ConfigMap => Position::ConfigMap(place.clone()),
        }
    }

    /// Having read one key.
    pub(super) fn key(self, place: &Place, key: &Text) -> Position {
        match self {
            Self::Secret => Position::SecretKey(place.clone(), key.clone()),
            Self::ConfigMap => Position::ConfigMapKey(place.clone(), key.clone()),
        }
    }
}

/// Returns everything the container refers to, variables first.
pub(super) fn references<'a>(view: &'a ContainerView<'a>) -> Vec<Reference<'a>> {
    references_by(
        view,
        &[Way::Variable, Way::Volume],
        &[Holder::Secret, Holder::ConfigMap],
    )
}

/// Returns what the container refers to in one of these ways in one of these holders, variables first.
pub(super) fn references_by<'a>(
    view: &'a ContainerView<'a>,
    ways: &[Way],
    holders: &[Holder],
) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    let place = |name: &Text| Place::new(&view.pod.place.namespace, name);
    let mut add = |holder, name: &Text, way, taken, spot| {
        if !name.is_empty() && holders.contains(&holder) {
            found.push(Reference {
                holder,
                place: place(name),
                way,
                taken,
                view,
                spot,
            });
        }
    };
    if ways.contains(&Way::Variable) {
        variables(view, &mut add);
    }
    if ways.contains(&Way::Volume) {
        volumes(view, &mut add);
    }
    found
}

/// Takes a reference: the holder, its name, the way, what it takes, and where it stands.
type Add<'a, 'f> = dyn FnMut(Holder, &Text, Way, Taken<'a>, Spot) + 'f;

fn variables<'a>(view: &ContainerView<'a>, add: &mut Add<'a, '_>) {
    for (at, from) in view.container.env_from.iter().enumerate() {
        for (holder, field, source) in [
            (Holder::Secret, SECRET_REF, &from.secret_ref),
            (Holder::ConfigMap, "/configMapRef/name", &from.config_map_ref),
        ] {
            if let Some(source) = source {
                let spot = Spot::EnvFrom(at, field);
                add(holder, &source.name, Way::Variable, Taken::All, spot);
            }
        }
    }
    for (at, variable) in view.container.env.iter().enumerate() {
        let Some(from) = &variable.value_from else {
            continue;
        };
        for (holder, field, source) in [
            (Holder::Secret, SECRET_KEY_REF, &from.secret_key_ref),
            (
                Holder::ConfigMap,
                "/valueFrom/configMapKeyRef/key",
                &from.config_map_key_ref,
            ),
        ] {
            if let Some(source) = source {
                let taken = Taken::Key(&source.key);
                add(holder, &source.name, Way::Variable, taken, Spot::Env(at, field));
            }
        }
    }
}

fn volumes<'a>(view: &ContainerView<'a>, add: &mut Add<'a, '_>) {
    for (at, mount, volume) in view.mounts() {
        // With `items` only those are there; without, a `subPath` takes the key of that name.
        let taken = |items: &'a [KeyToPath]| match (items.is_empty(), mount.sub_path.is_empty()) {
            (true, true) => Taken::All,
            (true, false) => Taken::Key(&mount.sub_path),
            (false, _) => Taken::Items(items, &mount.sub_path),
        };
        let mut give = |holder, name: &Text, items: &'a [KeyToPath]| {
            add(holder, name, Way::Volume, taken(items), Spot::Mount(at));
        };
        if let Some(secret) = &volume.secret {
            give(Holder::Secret, &secret.secret_name, &secret.items);
        }
        if let Some(map) = &volume.config_map {
            give(Holder::ConfigMap, &map.name, &map.items);
        }
        for source in volume.projected.iter().flat_map(|projected| &projected.sources) {
            if let Some(secret) = &source.secret {
                give(Holder::Secret, &secret.name, &secret.items);
            }
            if let Some(map) = &source.config_map {
                give(Holder::ConfigMap, &map.name, &map.items);
            }
        }
    }
}

/// The keys of every Secret and ConfigMap that is in the input or referred to.
#[derive(Debug, Default)]
pub(super) struct Keys(IndexMap<(Holder, Place), BTreeSet<Text>, FxBuildHasher>);

impl Keys {
    /// Collects them from objects, references and what operators are known to make.
    pub(super) fn new(cluster: &Cluster, datastores: &[Datastore]) -> Self {
        let mut keys = Self::default();
        for secret in cluster.secrets.values() {
            let place = Place::new(&secret.meta.namespace, &secret.meta.name);
            let known = keys.0.entry((Holder::Secret, place)).or_default();
            known.extend(secret.keys().into_iter().cloned());
            // Written without data, the token controller fills it in.
            known.extend(secret.token_of().map(|_| Text::new("token")));
        }
        for map in cluster.config_maps.values() {
            let place = Place::new(&map.meta.namespace, &map.meta.name);
            let known = keys.0.entry((Holder::ConfigMap, place)).or_default();
            known.extend(map.data.0.keys().chain(&map.binary_data.0).cloned());
        }
        let passwords = datastores.iter().flat_map(|datastore| &datastore.passwords);
        let passwords = passwords.map(|password| (&password.origin, &password.fact));
        let companions = datastores.iter().flat_map(|datastore| &datastore.companions);
        let copied = companions.flat_map(|one| one.keys.iter().map(move |(_, origin)| (origin, &one.host)));
        for (origin, fact) in passwords.chain(copied) {
            if let (Origin::Secret(name, key), Some(namespace), None) =
                (origin, fact.namespace(cluster), fact.pod())
            {
                let known = keys
                    .0
                    .entry((Holder::Secret, Place::new(namespace, name)))
                    .or_default();
                known.insert(key.clone());
            }
        }
        for pod in (0..cluster.pods.len()).filter_map(|at| pod(cluster, at)) {
            for secret in &pod.pod.spec.image_pull_secrets {
                let namespace = &pod.place.namespace;
                if !secret.name.is_empty() && cluster.secret(namespace, &secret.name).is_none() {
                    let place = Place::new(namespace, &secret.name);
                    let known = keys.0.entry((Holder::Secret, place)).or_default();
                    known.insert(".dockerconfigjson".into());
                }
            }
            for container in pod.containers() {
                for reference in references(&container) {
                    let place = reference.place.clone();
                    let known = keys.0.entry((reference.holder, place)).or_default();
                    known.extend(reference.keys().into_iter().flatten().cloned());
                }
            }
        }
        keys.0.sort_unstable_keys();
        keys
    }

    /// Every holder with its keys, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Holder, &Place, &BTreeSet<Text>)> {
        self.0
            .iter()
            .map(|((holder, place), keys)| (*holder, place, keys))
    }

    /// Whether these keys are all that the holder has, as far as anyone knows.
    pub(super) fn all(&self, holder: Holder, place: &Place, keys: &BTreeSet<Text>) -> bool {
        self.0
            .get(&(holder, place.clone()))
            .is_some_and(|known| !known.is_empty() && known.is_subset(keys))
    }
}
