//! What one rule allows.
//!
//! Words are compared letter by letter, as the API server does: `Pods`, `GET` and ` get` allow nothing.
//!
//! **Trap.** Of the wildcards only `*` and `*/subresource` mean anything in `resources`; `pods/*` and `app*`
//! match nothing but themselves. Source:
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/rbac/v1/evaluation_helpers.go>

use super::request::{Request, ResourceRequest};
use crate::model::{PolicyRule, Text};

/// Whether the rule allows the request.
pub(super) fn allows(rule: &PolicyRule, request: &Request<'_>) -> bool {
    match request {
        Request::Resource(request) => covers(rule, request) && names(rule, request.name),
        Request::Url { verb, path } => has(&rule.verbs, verb) && urls(rule, path),
    }
}

/// Whether the rule allows the request for objects of some name, perhaps not of the one asked for.
pub(super) fn covers(rule: &PolicyRule, request: &ResourceRequest<'_>) -> bool {
    has(&rule.verbs, request.verb)
        && has(&rule.api_groups, request.group)
        && rule
            .resources
            .iter()
            .any(|resource| matches(resource, request.resource, request.subresource))
}

/// Whether the words of a rule have a word; `*` stands for any.
pub(super) fn has(words: &[Text], word: &str) -> bool {
    words.iter().any(|known| known == "*" || known == word)
}

fn matches(written: &str, resource: &str, subresource: &str) -> bool {
    if written == "*" {
        return true;
    }
    if subresource.is_empty() {
        return written == resource;
    }
    let after = |prefix| {
        written
            .strip_prefix(prefix)
            .and_then(|rest: &str| rest.strip_prefix('/'))
    };
    after(resource) == Some(subresource) || after("*") == Some(subresource)
}

fn names(rule: &PolicyRule, name: &str) -> bool {
    rule.resource_names.is_empty() || rule.resource_names.iter().any(|known| known == name)
}

/// Whether the rule names the path; a `*` at the end stands for any rest, elsewhere for itself.
fn urls(rule: &PolicyRule, path: &str) -> bool {
    rule.non_resource_urls
        .iter()
        .any(|url| url == path || url.ends_with('*') && path.starts_with(url.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_wildcards_mean_anything_in_resources() {
        assert!(matches("*", "pods", "") && matches("*", "pods", "exec"));
        assert!(matches("*/exec", "pods", "exec") && !matches("*/exec", "pods", ""));
        assert!(matches("pods/exec", "pods", "exec") && !matches("pods", "pods", "exec"));
        assert!(!matches("pods/*", "pods", "exec") && !matches("pods/*", "pods", ""));
        assert!(!matches("po*", "pods", "") && !matches("*/*", "pods", "exec"));
    }

    #[test]
    fn a_star_at_the_end_of_a_url_is_a_prefix() {
        let rule = |url: &str| PolicyRule {
            non_resource_urls: vec![url.into()],
            ..PolicyRule::default()
        };
        assert!(urls(&rule("/api/*"), "/api/v1") && !urls(&rule("/api/*"), "/api"));
        assert!(urls(&rule("*"), "/metrics") && urls(&rule("/logs*"), "/logs"));
        assert!(!urls(&rule("/a/*/b"), "/a/x/b"));
    }
}
