//! Settings by which a client finds a server and logs in to it, in files of any application: `spring.datasource.url`,
//! `"Host": "db"`, `database.password`.
//!
//! **Trap.** An address may carry a credential anywhere, in its path or its parameters: nothing is kept of it but scheme,
//! hosts and ports, and that a password stands there. A value that is a placeholder (`${DB_PASSWORD}`) is none.

use super::literal::WITHHELD;
use super::names_a_credential;

/// The last words of the names of settings that hold an address.
const ADDRESSES: &[&str] = &[
    "addr",
    "address",
    "addresses",
    "bootstrap-servers",
    "contact-points",
    "dsn",
    "endpoint",
    "endpoints",
    "host",
    "hostname",
    "hosts",
    "nodes",
    "server",
    "servers",
    "uri",
    "url",
];

/// What is kept of the value of a setting, if it is one of these.
pub(super) fn kept(path: &str, value: &str) -> Option<String> {
    let value = value.trim();
    let is_placeholder = ["$", "{{", "%", "<"].iter().any(|start| value.starts_with(start));
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if value.is_empty() || is_placeholder || !path.bytes().all(is_name) {
        return None;
    }
    let last = path.rsplit('.').next().unwrap_or_default();
    if last.to_ascii_lowercase().ends_with("file") {
        return (is_path(value) && last.len() < 32).then(|| value.to_owned());
    }
    if names_a_credential(last) {
        let is_switch = ["true", "false", "yes", "no", "on", "off"].contains(&value);
        return (!is_switch && !value.contains("${")).then(|| WITHHELD.to_owned());
    }
    if value.contains("://") {
        return url(value);
    }
    let is_named = {
        let last = last.to_ascii_lowercase().replace('_', "-");
        ADDRESSES.iter().any(|name| {
            let rest = last.strip_suffix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('-')) || last == name.replace('-', "")
        })
    };
    (is_named && is_hosts(value)).then(|| value.to_owned())
}

/// Scheme, hosts and ports of a URL, and that it holds a password.
fn url(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-:".contains(c);
    let end = rest.find(['/', '?', '#', ';', '"', ' ']).unwrap_or(rest.len());
    let (login, hosts) = rest[..end].rsplit_once('@').unwrap_or(("", &rest[..end]));
    if !scheme.chars().all(is_scheme) || scheme.len() > 32 || !is_hosts(hosts) {
        return None;
    }
    let has_password = login
        .split_once(':')
        .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$'));
    let login = if has_password {
        format!(":{WITHHELD}@")
    } else {
        String::new()
    };
    Some(format!("{scheme}://{login}{hosts}"))
}

/// Whether a text is hosts with or without ports, one after the other.
fn is_hosts(text: &str) -> bool {
    text.len() <= 200
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:,".contains(&b))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 200
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_and_credentials_are_not() {
        for (path, value, expected) in [
            (
                "spring.datasource.url",
                "jdbc:postgresql://db:5432/shop?password=x1",
                Some("jdbc:postgresql://db:5432"),
            ),
            (
                "spring.data.mongodb.uri",
                "mongodb://me:x1@a:1,b:2/shop",
                Some("mongodb://:***@a:1,b:2"),
            ),
            ("database.password", "x1", Some("***")),
            ("database.password", "${DB_PASSWORD}", None),
            ("database.url", "postgres://me:${PW}@db/x", Some("postgres://db")),
            ("Servers.1.Host", "postgres", Some("postgres")),
            ("Servers.1.PassFile", "/pgpass", Some("/pgpass")),
            ("db.host_name", "x y", None),
            ("redis_host", "cache:6379", Some("cache:6379")),
            ("kafka.bootstrap.servers", "a:9092,b:9092", Some("a:9092,b:9092")),
            ("ghost", "db", None),
            ("a b.host", "db", None),
            ("title", "db", None),
            ("feature.token", "true", None),
        ] {
            let found = kept(path, value);
            assert_eq!(found.as_deref(), expected, "{path}={value}");
            // What was kept is read again from a snapshot.
            let again = found.as_deref().and_then(|found| kept(path, found));
            assert_eq!(again, found, "{path}={value}");
        }
    }
}
