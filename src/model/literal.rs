//! Values written into specs: shown where harmless, withheld where they look like a credential.
//!
//! Rules need the host in `DATABASE_URL` and must know that a password stands there; nobody needs the
//! password. So a value is redacted while it is read, before anything else sees it.
//!
//! **Trap.** `MYSQL_ALLOW_EMPTY_PASSWORD=yes` and `DB_PASSWORD_FILE=/run/x` carry "password" in their names
//! and hold none: switches and file names stay visible.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Text;

/// What stands in place of a withheld part.
pub const WITHHELD: &str = "***";

/// Longest text that is kept of one value, in bytes.
const LONGEST: usize = 1024;

/// A value of an environment variable, an argument or a ConfigMap key, without its secret part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Literal {
    /// The value, each secret part replaced by [`WITHHELD`].
    pub text: Text,
    /// Whether a secret part was replaced: a credential is written here in clear.
    pub withheld: bool,
}

impl Literal {
    /// Returns a value as it is.
    pub fn plain(text: &str) -> Self {
        Self {
            text: Text::new(truncated(text)),
            withheld: false,
        }
    }

    /// Returns the value called `name` without its secret part.
    pub fn redacted(name: &str, value: &str) -> Self {
        if value.is_empty() || is_switch(value) || is_reference(value) {
            return Self::plain(value);
        }
        let secret = names_a_credential(name) || looks_like_a_key(value);
        if secret && !value.contains("://") {
            return Self {
                text: Text::new(WITHHELD),
                withheld: true,
            };
        }
        match without_password(value) {
            Some(text) => Self {
                text: Text::new(truncated(&text)),
                withheld: true,
            },
            None if secret => Self {
                text: Text::new(WITHHELD),
                withheld: true,
            },
            None => Self::plain(value),
        }
    }
}

/// Returns the words of a command line without the credentials in them: `--password=x`, `--password x`.
pub fn redacted_arguments(words: Vec<String>) -> Vec<Literal> {
    let mut after_option = None;
    let mut shown = Vec::with_capacity(words.len());
    for word in words {
        let literal = match after_option.take() {
            Some(option) if !word.starts_with('-') => Literal::redacted(option, &word),
            _ => redacted_word(&word),
        };
        if word.starts_with('-') && !word.contains('=') && names_a_credential(&word) {
            after_option = Some("password");
        }
        shown.push(literal);
    }
    shown
}

fn redacted_word(word: &str) -> Literal {
    match word.split_once('=') {
        Some((option, value)) if !option.contains(char::is_whitespace) && names_a_credential(option) => {
            let value = Literal::redacted(option, value);
            Literal {
                text: Text::from(format!("{option}={}", value.text)),
                withheld: value.withheld,
            }
        }
        _ => Literal::redacted("", word),
    }
}

/// Whether a variable, option or key of this name holds a credential itself (not the name of a file).
pub fn names_a_credential(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "SECRET",
        "TOKEN",
        "APIKEY",
        "API_KEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIAL",
        "REQUIREPASS",
    ];
    const ENDS: &[&str] = &["PASS", "PWD", "_AUTH"];
    const NOT: &[&str] = &[
        "_FILE",
        "_PATH",
        "_DIR",
        "_NAME",
        "_TTL",
        "_EXPIRY",
        "_EXPIRATION",
    ];
    let name = name
        .trim_start_matches('-')
        .to_ascii_uppercase()
        .replace(['-', '.'], "_");
    !NOT.iter().any(|end| name.ends_with(end))
        && (PARTS.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end)))
}

fn is_switch(value: &str) -> bool {
    const SWITCHES: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "0", "1", "enabled", "disabled",
    ];
    SWITCHES.iter().any(|switch| value.eq_ignore_ascii_case(switch))
}

/// Whether the value only refers to another variable: `$(DB_PASSWORD)`.
fn is_reference(value: &str) -> bool {
    value.starts_with("$(") && value.ends_with(')') && !value[2..value.len() - 1].contains(')')
}

/// Whether the value itself has the shape of a key or token: JWT, PEM, AWS access key, kubeconfig token.
fn looks_like_a_key(value: &str) -> bool {
    let jwt =
        value.starts_with("eyJ") && value.len() > 40 && value.bytes().filter(|b| *b == b'.').count() == 2;
    let aws = value.len() == 20 && (value.starts_with("AKIA") || value.starts_with("ASIA"));
    jwt || aws || value.contains("PRIVATE KEY-----")
}

/// Returns the value with passwords cut out of URLs (`//user:pass@host`) and of `password=…` settings;
/// `None` if there is none.
fn without_password(value: &str) -> Option<String> {
    let (mut text, mut found) = without_url_passwords(value);
    for key in ["password", "passwd", "pwd", "secret", "token", "requirepass"] {
        if let Some(cut) = without_setting(&text, key) {
            text = cut;
            found = true;
        }
    }
    found.then_some(text)
}

/// Returns the value without the passwords of its URLs, and whether there was one.
///
/// # Complexity
/// Linear: every byte is looked at once for each of the marks.
fn without_url_passwords(value: &str) -> (String, bool) {
    let mut text = String::with_capacity(value.len());
    let mut found = false;
    let mut rest = value;
    while let Some(at) = rest.find("://").map(|at| at + 3) {
        let (scheme, after) = rest.split_at(at);
        text.push_str(scheme);
        let end = after.find(|c: char| c == '/' || c == '?' || c == '#' || c.is_whitespace());
        let (authority, after) = after.split_at(end.unwrap_or(after.len()));
        match authority
            .rsplit_once('@')
            .map(|(user, host)| (user.split_once(':'), host))
        {
            Some((Some((user, password)), host)) if !password.is_empty() => {
                text.extend([user, ":", WITHHELD, "@", host]);
                found = true;
            }
            _ => text.push_str(authority),
        }
        rest = after;
    }
    text.push_str(rest);
    (text, found)
}

/// Returns the text without the value of every `key=value`, `key: value` or `--key value`; `None` if there is none.
///
/// # Complexity
/// Linear in the text.
fn without_setting(text: &str, key: &str) -> Option<String> {
    let mut cut = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(after) = find_ignoring_case(rest, key).map(|at| at + key.len()) {
        let gap = rest[after..].trim_start_matches(['=', ':', ' ', '"', '\'']);
        let start = rest.len() - gap.len();
        let end = gap.find(|c: char| c.is_whitespace() || "&;,\"'".contains(c));
        let value = &gap[..end.unwrap_or(gap.len())];
        let is_shown =
            value.is_empty() || value == WITHHELD || value.starts_with(['$', '-']) || is_switch(value);
        if start == after || is_shown {
            cut.push_str(&rest[..after]);
            rest = &rest[after..];
        } else {
            cut.push_str(&rest[..start]);
            cut.push_str(WITHHELD);
            found = true;
            rest = &rest[start + value.len()..];
        }
    }
    found.then(|| cut + rest)
}

/// The place of an ASCII word in a text, in capitals or not.
fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let mut windows = text.as_bytes().windows(word.len());
    windows.position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

fn truncated(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.withheld {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry("withheld", &self.text)?;
            map.end()
        } else {
            self.text.serialize(serializer)
        }
    }
}

/// Reads a string as it stands; callers that know the name redact it. A map is one of our own snapshots.
impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LiteralVisitor;
        impl<'de> Visitor<'de> for LiteralVisitor {
            type Value = Literal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Literal, E> {
                Ok(Literal {
                    text: Text::new(text),
                    withheld: false,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Literal, A::Error> {
                let mut text = Text::default();
                while let Some(key) = map.next_key::<Text>()? {
                    if key == "withheld" {
                        text = map.next_value()?;
                    } else {
                        return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Map, &self));
                    }
                }
                Ok(Literal { text, withheld: true })
            }
        }
        deserializer.deserialize_any(LiteralVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, shown: &str) {
        let literal = Literal::redacted(name, value);
        assert_eq!(
            (literal.text.as_str(), literal.withheld),
            (shown, shown.contains(WITHHELD)),
            "{name}={value}"
        );
    }

    #[test]
    fn credentials_are_withheld_and_the_rest_is_shown() {
        check("DB_PASSWORD", "hunter2", "***");
        check("db-password", "hunter2", "***");
        check("DB_HOST", "mysql", "mysql");
        check("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", "yes");
        check("POSTGRES_PASSWORD_FILE", "/run/secrets/pg", "/run/secrets/pg");
        check("DB_PASSWORD", "$(PASSWORD)", "$(PASSWORD)");
        check(
            "URI",
            "postgresql://admin:pw@accounts-db:5432/a",
            "postgresql://admin:***@accounts-db:5432/a",
        );
        check("URI", "redis://:pw@cache", "redis://:***@cache");
        check("URI", "http://a/b@c:d", "http://a/b@c:d");
        check(
            "DSN",
            "host=db user=a password=pw dbname=x",
            "host=db user=a password=*** dbname=x",
        );
        check("X", "AKIAIOSFODNN7EXAMPLE", "***");
        check("ACCOUNTS_DB_URI", "mongodb://u:p%40@h", "mongodb://u:***@h");
    }

    #[test]
    fn a_value_of_many_megabytes_is_read_once() {
        let bomb = "password=x&".repeat(1 << 20) + &"postgres://u:p@h ".repeat(1 << 18);
        let shown = Literal::redacted("DSN", &bomb);
        assert!(shown.withheld && !shown.text.contains("=x"));
    }

    #[test]
    fn arguments_lose_the_word_after_the_option() {
        let shown = |words: &[&str]| {
            let words = redacted_arguments(words.iter().map(|w| (*w).to_owned()).collect());
            words
                .iter()
                .map(|w| w.text.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            shown(&["--password", "pw", "--user", "me"]),
            "--password *** --user me"
        );
        assert_eq!(
            shown(&["--requirepass=pw", "--port=1"]),
            "--requirepass=*** --port=1"
        );
        assert_eq!(shown(&["--requirepass", "--save"]), "--requirepass --save");
        assert_eq!(
            shown(&["sh", "-c", "mysql --password=pw db"]),
            "sh -c mysql --password=*** db"
        );
    }
}
