//! The files of settings that a server reads: where its image reads them, or where its command line says.
//!
//! Of a file in a ConfigMap the settings are kept that say who may come in (`model::server_files`). What stands in a
//! Secret, in the image or in a volume cannot be read.
//!
//! **Trap.** A file that is mounted where nobody reads it says nothing; and that a setting is not in a file means
//! something only if the file could be read.

use crate::model::{
    Cluster, Container, KeyToPath, Pod, ServerFile, ServerSetting, Text, Volume, is_server_setting,
    server_settings,
};

use super::family::Family;
use super::mounted::origin_of_file;
use super::server::{ContainerPlace, Environment};
use super::{Fact, Origin, Subject};

/// Ends of the names of files of settings.
const ENDS: &[&str] = &[
    ".conf",
    ".cnf",
    ".yaml",
    ".yml",
    ".acl",
    ".toml",
    ".ini",
    ".properties",
    ".xml",
    ".hocon",
];
/// Most files that are looked at for one server.
const MOST: usize = 32;

/// A file of settings of a server.
#[derive(Clone, Debug)]
pub(super) struct SettingsFile {
    /// Its path in the container, or its name as the command line says it.
    pub(super) path: String,
    /// The key that holds it; none if it is in the image or in a volume.
    pub(super) origin: Option<Origin>,
    /// Pointer within the container to what says that it is read.
    pub(super) pointer: String,
    /// Its settings; none if it cannot be read.
    pub(super) settings: Option<Vec<ServerSetting>>,
}

impl SettingsFile {
    /// The fact that a setting has its value, in the ConfigMap that holds it.
    pub(super) fn fact(&self, namespace: &Text, (name, value): &ServerSetting) -> Option<Fact> {
        let Some(Origin::ConfigMap(map, key)) = &self.origin else {
            return None;
        };
        let key = key.replace('~', "~0").replace('/', "~1");
        Some(Fact {
            subject: Subject::Object(crate::model::ObjectId::new("ConfigMap", namespace, map)),
            pointer: format!("/data/{key}").into(),
            value: format!("{name}={value}").into(),
        })
    }

    /// The first setting that a mark of the table means: `NAME`, `NAME=value`, `NAME~part`.
    pub(super) fn marked(&self, marks: &[String]) -> Option<&ServerSetting> {
        let settings = self.settings.as_ref()?;
        marks.iter().find_map(|mark| {
            let mut of_mark = settings.iter().filter(|(name, value)| fits(mark, name, value));
            of_mark.next_back()
        })
    }
}

/// Whether a setting is what a mark means. Of the name alone any value will do that does not say no.
fn fits(mark: &str, name: &str, value: &str) -> bool {
    match mark.find(['=', '~']) {
        None => is_server_setting(mark, name) && !super::door::says_no(value),
        Some(at) if !is_server_setting(&mark[..at], name) => false,
        Some(at) if mark[at..].starts_with('=') => value.eq_ignore_ascii_case(&mark[at + 1..]),
        Some(at) => value.contains(&mark[at + 1..]),
    }
}

/// The kinds of files that servers of a family read.
pub(super) fn kinds(family: &Family) -> impl Iterator<Item = &'static ServerFile> {
    ServerFile::all().filter(|kind| kind.families.contains(&family.id))
}

impl ContainerPlace<'_> {
    /// The files of settings that the server reads, those of its command line first.
    ///
    /// # Complexity
    /// Linear in the words of its command line, its variables and its mounts.
    pub(super) fn files(
        &self,
        cluster: &Cluster,
        family: &Family,
        environment: &Environment,
    ) -> Vec<SettingsFile> {
        let mut found: Vec<SettingsFile> = Vec::new();
        for (pointer, word) in &self.words().0 {
            let path = word.rsplit('=').next().unwrap_or_default();
            self.named(cluster, path, pointer, &mut found);
        }
        for variable in environment.values() {
            let value = variable
                .value
                .as_ref()
                .filter(|value| value.text.starts_with('/'));
            if let Some(value) = value {
                self.named(cluster, &value.text, &variable.pointer, &mut found);
            }
        }
        for path in kinds(family).flat_map(|kind| &kind.paths) {
            if path.ends_with('/') {
                self.folder(cluster, path, &mut found);
            } else if let Some((origin, at)) = origin_of_file(&self.pod.spec, self.container, path) {
                self.add(cluster, path, Some(origin), &mount(at), &mut found);
            }
        }
        let follows: Vec<String> = found
            .iter()
            .flat_map(|file| file.settings.iter().flatten())
            .filter(|(name, _)| {
                let mut marks = kinds(family).flat_map(|kind| &kind.follows);
                marks.any(|mark| is_server_setting(mark, name))
            })
            .map(|(_, path)| path.clone())
            .collect();
        for path in follows {
            let origin = origin_of_file(&self.pod.spec, self.container, &path);
            let pointer = origin.as_ref().map_or_else(String::new, |(_, at)| mount(*at));
            self.add(
                cluster,
                &path,
                origin.map(|(origin, _)| origin),
                &pointer,
                &mut found,
            );
        }
        found
    }

    /// A file that a word of the command line or a variable may name.
    fn named(&self, cluster: &Cluster, path: &str, pointer: &str, found: &mut Vec<SettingsFile>) {
        let is_path = path.starts_with('/');
        let is_called_so = ENDS.iter().any(|end| path.ends_with(end)) && !path.contains("://");
        if !is_path && !is_called_so {
            return;
        }
        let origin = is_path
            .then(|| origin_of_file(&self.pod.spec, self.container, path))
            .flatten();
        match origin {
            Some((origin @ Origin::ConfigMap(..), _)) => {
                self.add(cluster, path, Some(origin), pointer, found);
            }
            Some((origin, _)) if is_called_so => self.add(cluster, path, Some(origin), pointer, found),
            None if is_called_so => self.add(cluster, path, None, pointer, found),
            _ => {}
        }
    }

    fn add(
        &self,
        cluster: &Cluster,
        path: &str,
        origin: Option<Origin>,
        pointer: &str,
        found: &mut Vec<SettingsFile>,
    ) {
        if found.len() >= MOST || found.iter().any(|file| file.path == path) {
            return;
        }
        let settings = match &origin {
            Some(Origin::ConfigMap(name, key)) => {
                let map = cluster.config_map(&self.pod.meta.namespace, name);
                match map.map(|map| map.data.0.get(key)) {
                    Some(Some(text)) => Some(server_settings(&text.text)),
                    // There is no such file.
                    Some(None) => return,
                    None => None,
                }
            }
            _ => None,
        };
        found.push(SettingsFile {
            path: path.to_owned(),
            origin,
            pointer: pointer.to_owned(),
            settings,
        });
    }

    /// Every file that is mounted in a folder.
    fn folder(&self, cluster: &Cluster, folder: &str, found: &mut Vec<SettingsFile>) {
        let namespace = &self.pod.meta.namespace;
        for (at, one) in self.container.volume_mounts.iter().enumerate() {
            let mounted = one.mount_path.trim_end_matches('/');
            if one.mount_path.starts_with(folder) && !one.sub_path.is_empty() {
                if let Some((origin, at)) = origin_of_file(&self.pod.spec, self.container, mounted) {
                    self.add(cluster, mounted, Some(origin), &mount(at), found);
                }
            } else if mounted == folder.trim_end_matches('/')
                && let Some(volume) = self.pod.spec.volume(&one.name)
            {
                for name in names(cluster, namespace, volume) {
                    let path = format!("{folder}{name}");
                    if let Some((origin, _)) = origin_of_file(&self.pod.spec, self.container, &path) {
                        self.add(cluster, &path, Some(origin), &mount(at), found);
                    }
                }
            }
        }
    }
}

/// The files that a container mounts of ConfigMaps: the ConfigMap, its key, and the place of the mount.
pub(super) fn mounted_files(cluster: &Cluster, pod: &Pod, container: &Container) -> Vec<(Text, Text, usize)> {
    let mut found = Vec::new();
    for one in &container.volume_mounts {
        let mounted = one.mount_path.trim_end_matches('/');
        let paths = match pod.spec.volume(&one.name) {
            _ if !one.sub_path.is_empty() => vec![mounted.to_owned()],
            Some(volume) => {
                let names = names(cluster, &pod.meta.namespace, volume).into_iter();
                names.map(|name| format!("{mounted}/{name}")).collect()
            }
            None => continue,
        };
        for path in paths {
            if let Some((Origin::ConfigMap(map, key), at)) = origin_of_file(&pod.spec, container, &path) {
                found.push((map, key, at));
            }
        }
    }
    found.truncate(MOST);
    found
}

fn mount(at: usize) -> String {
    format!("/volumeMounts/{at}/mountPath")
}

/// The names of the files of a volume of a ConfigMap, as far as they are known.
fn names(cluster: &Cluster, namespace: &str, volume: &Volume) -> Vec<Text> {
    let of_map = |name: &Text, items: &[KeyToPath]| -> Vec<Text> {
        if !items.is_empty() {
            return items.iter().map(|item| item.path.clone()).collect();
        }
        let map = cluster.config_map(namespace, name);
        map.map_or_else(Vec::new, |map| map.data.0.keys().cloned().collect())
    };
    let own = volume.config_map.iter();
    let own = own.flat_map(|map| of_map(&map.name, &map.items));
    let sources = volume.projected.iter().flat_map(|projected| &projected.sources);
    let maps = sources.filter_map(|source| source.config_map.as_ref());
    own.chain(maps.flat_map(|map| of_map(&map.name, &map.items)))
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_of_families_that_there_are() {
        for kind in ServerFile::all() {
            for family in &kind.families {
                assert!(
                    super::super::Families::built_in().by_id(family).is_some(),
                    "{family}"
                );
            }
            for path in &kind.paths {
                assert!(path.starts_with('/'), "{path}");
            }
        }
    }

    #[test]
    fn marks_mean_settings() {
        assert!(fits("skip-grant-tables", "skip_grant_tables", "on") && !fits("auth", "auth", "false"));
        assert!(fits("auth=true", "auth", "TRUE") && !fits("auth=true", "auth", "yes"));
        assert!(fits("password=", "password", "") && !fits("password=", "password", "***"));
        assert!(fits("listeners~SASL", "listeners", "SASL_SSL://:9092"));
        assert!(fits("accounts.*.users", "accounts.APP.users", "on"));
    }
}
