//! What a kubelet's configuration says of who may ask it: the few settings that are kept of its text.
//!
//! **Trap.** A configuration may hold credentials (headers for static pods), so of its text only these settings
//! are kept, and only where their values are single words.
//! Source: <https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>

/// How a reduced configuration begins.
const KIND: &str = "kind: KubeletConfiguration";
/// The settings that are kept.
const KEPT: [&str; 4] = [
    "authentication.anonymous.enabled",
    "authentication.webhook.enabled",
    "authorization.mode",
    "readOnlyPort",
];

/// Reduces a kubelet's configuration to one line of settings; none if the text is no such configuration.
pub(super) fn reduced(text: &str) -> Option<String> {
    if !text.lines().any(|line| line.trim_end() == KIND) {
        return None;
    }
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut line = KIND.to_owned();
    for row in text.lines() {
        let row = row.split(" #").next().unwrap_or_default();
        let Some((key, value)) = row.split_once(':') else {
            continue;
        };
        let indent = key.len() - key.trim_start().len();
        path.retain(|(outer, _)| *outer < indent);
        path.push((indent, key.trim()));
        let names: Vec<&str> = path.iter().map(|(_, name)| *name).collect();
        let (name, value) = (names.join("."), value.trim().trim_matches(['"', '\'']));
        let is_word =
            !value.is_empty() && value.len() < 32 && value.chars().all(|c| c.is_ascii_alphanumeric());
        if is_word && KEPT.contains(&name.as_str()) {
            line.extend(["; ", &name, ": ", value]);
        }
    }
    Some(line)
}

/// A setting of a reduced configuration; none if it is not set, or the text is no such configuration.
pub fn kubelet_setting<'t>(reduced: &'t str, name: &str) -> Option<&'t str> {
    let mut parts = reduced.split("; ");
    if parts.next() != Some(KIND) {
        return None;
    }
    parts.find_map(|part| part.strip_prefix(name)?.strip_prefix(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_settings_about_who_may_ask_are_kept() {
        let text = "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: true # open\n  webhook:\n    cacheTTL: 0s\n    enabled: true\nauthorization:\n  mode: AlwaysAllow\n  webhook:\n    cacheAuthorizedTTL: 0s\nkind: KubeletConfiguration\nstaticPodURLHeader:\n  Authorization:\n  - canary\n";
        let found = reduced(text).unwrap();
        assert!(!found.contains("canary") && !found.contains('\n'), "{found}");
        assert_eq!(
            kubelet_setting(&found, "authentication.anonymous.enabled"),
            Some("true")
        );
        assert_eq!(kubelet_setting(&found, "authorization.mode"), Some("AlwaysAllow"));
        assert_eq!(kubelet_setting(&found, "readOnlyPort"), None);
        assert_eq!(reduced("a: b\nc: d\n"), None);
        assert_eq!(
            kubelet_setting("authorization.mode: AlwaysAllow", "authorization.mode"),
            None
        );
    }
}
