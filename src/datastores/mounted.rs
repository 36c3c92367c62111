//! Files of a container that stand for a key of a Secret or ConfigMap.
//!
//! **Trap.** With `items` a key appears under another path, and only those keys appear; a `subPath` mounts one file,
//! so the mount's path is the file's.
//! Source: <https://kubernetes.io/docs/concepts/configuration/secret/#projection-of-secret-keys-to-specific-paths>

use super::Origin;
use crate::model::{Container, KeyToPath, PodSpec, Text};

/// Returns where the content of a file stands, and the place of its mount.
///
/// # Complexity
/// Linear in the container's mounts, volumes and items.
pub(super) fn origin_of_file(spec: &PodSpec, container: &Container, path: &str) -> Option<(Origin, usize)> {
    let (at, mount, rest) = container
        .volume_mounts
        .iter()
        .enumerate()
        .filter_map(|(at, mount)| {
            let rest = path.strip_prefix(mount.mount_path.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then_some((at, mount, rest))
        })
        .max_by_key(|(_, mount, _)| mount.mount_path.len())?;
    let file = match (rest.trim_start_matches('/'), mount.sub_path.as_str()) {
        ("", "") => return None,
        ("", sub_path) => sub_path.to_owned(),
        (rest, "") => rest.to_owned(),
        (rest, sub_path) => format!("{sub_path}/{rest}"),
    };
    let key = |items: &[KeyToPath]| -> Option<Text> {
        if items.is_empty() {
            return (!file.contains('/')).then(|| Text::new(&file));
        }
        let item = items.iter().find(|item| item.path == *file)?;
        Some(item.key.clone())
    };
    let volume = spec.volume(&mount.name)?;
    if let Some(secret) = &volume.secret {
        return Some((
            Origin::Secret(secret.secret_name.clone(), key(&secret.items)?),
            at,
        ));
    }
    if let Some(map) = &volume.config_map {
        return Some((Origin::ConfigMap(map.name.clone(), key(&map.items)?), at));
    }
    let sources = &volume.projected.as_ref()?.sources;
    // Of several sources with one path the last one is there; with `items` it is known which.
    let named = sources.iter().rev().find_map(|source| {
        let secret = source.secret.as_ref().filter(|secret| !secret.items.is_empty());
        let map = source.config_map.as_ref().filter(|map| !map.items.is_empty());
        match (secret, map) {
            (Some(secret), _) => Some(Origin::Secret(secret.name.clone(), key(&secret.items)?)),
            (None, Some(map)) => Some(Origin::ConfigMap(map.name.clone(), key(&map.items)?)),
            (None, None) => None,
        }
    });
    let whole = || {
        sources.iter().rev().find_map(|source| {
            let secret = source.secret.as_ref().filter(|secret| secret.items.is_empty())?;
            Some(Origin::Secret(secret.name.clone(), key(&[])?))
        })
    };
    let whole_map = || {
        sources.iter().rev().find_map(|source| {
            let map = source.config_map.as_ref().filter(|map| map.items.is_empty())?;
            Some(Origin::ConfigMap(map.name.clone(), key(&[])?))
        })
    };
    Some((named.or_else(whole).or_else(whole_map)?, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(volumes: &str, mounts: &str, path: &str, expected: Option<(&str, &str)>) {
        let spec: PodSpec = serde_json::from_str(&format!(
            r#"{{"containers": [{{"name": "c", "volumeMounts": {mounts}}}], "volumes": {volumes}}}"#
        ))
        .unwrap();
        let found = origin_of_file(&spec, &spec.containers[0], path);
        let found = found.map(|(origin, _)| match origin {
            Origin::Secret(name, key) | Origin::ConfigMap(name, key) => (name, key),
            Origin::Inline => unreachable!("a file"),
        });
        let expected = expected.map(|(name, key)| (Text::new(name), Text::new(key)));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_file_is_a_key() {
        let mount = r#"[{"name": "v", "mountPath": "/run/pg/"}]"#;
        let all = r#"[{"name": "v", "secret": {"secretName": "s"}}]"#;
        check(all, mount, "/run/pg/password", Some(("s", "password")));
        check(all, mount, "/run/pgx/password", None);
        check(all, mount, "/run/pg", None);
        let items =
            r#"[{"name": "v", "secret": {"secretName": "s", "items": [{"key": "k", "path": "a/b"}]}}]"#;
        check(items, mount, "/run/pg/a/b", Some(("s", "k")));
        check(items, mount, "/run/pg/k", None);
        let file = r#"[{"name": "v", "mountPath": "/etc/pw", "subPath": "k"}]"#;
        check(all, file, "/etc/pw", Some(("s", "k")));
        let projected = r#"[{"name": "v", "projected": {"sources": [{"secret": {"name": "a"}}, {"configMap": {"name": "m", "items": [{"key": "x", "path": "y"}]}}]}}]"#;
        check(projected, mount, "/run/pg/y", Some(("m", "x")));
        check(projected, mount, "/run/pg/z", Some(("a", "z")));
    }
}
