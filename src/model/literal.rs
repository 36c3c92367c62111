//! Values written into specs: shown where harmless, withheld where they look like a credential.
//!
//! Rules need the host in `DATABASE_URL` and must know that a password stands there; nobody needs the
//! password. So a value is redacted while it is read, before anything else sees it.
//!
//! **Trap.** `MYSQL_ALLOW_EMPTY_PASSWORD=yes` and `DB_PASSWORD_FILE=/run/x` carry "password" in their names
//! and hold none: switches and file names stay visible.

use std::fmt;
use std::num::NonZeroU32;

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
    /// The number of that part, the same for the same one everywhere; only there when the user asked for it.
    pub alike: Option<NonZeroU32>,
}

impl Literal {
    /// Returns a value as it is.
    pub fn plain(text: &str) -> Self {
        Self {
            text: Text::new(truncated(text)),
            ..Self::default()
        }
    }

    /// Returns the secret part of the value as written, if this shows all but one.
    pub fn secret_of<'a>(&self, written: &'a str) -> Option<&'a str> {
        let (before, after) = self.text.split_once(WITHHELD).filter(|_| self.withheld)?;
        let secret = written.strip_prefix(before)?.strip_suffix(after)?;
        (!secret.is_empty() && !after.contains(WITHHELD)).then_some(secret)
    }

    /// Returns the value called `name` without its secret part.
    pub fn redacted(name: &str, value: &str) -> Self {
        Self::plain(value).redacted_as(name, value)
    }

    /// Returns this literal, which is the value as written, without the secret part that its `name` tells of.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        if self.withheld {
            return self;
        }
        let value = self.text.clone();
        let shown = if value.len() > LONGEST {
            Self::plain(&value)
        } else {
            self
        };
        shown.redacted_as(name, &value)
    }

    /// Returns this literal, which shows the value as it is, or one with the secret parts withheld.
    fn redacted_as(self, name: &str, value: &str) -> Self {
        if value.is_empty() || is_switch(value) || is_reference(value) {
            return self;
        }
        let secret = names_a_credential(name) || looks_like_a_key(value);
        if secret && !value.contains("://") {
            return Self::withheld(WITHHELD);
        }
        match without_password(value) {
            Some(text) => Self::withheld(truncated(&text)),
            None if secret => Self::withheld(WITHHELD),
            None => self,
        }
    }

    fn withheld(shown: &str) -> Self {
        Self {
            text: Text::new(shown),
            withheld: true,
            alike: None,
        }
    }
}

/// Returns the words of a command line without the credentials in them: `--password=x`, `--password x`.
pub fn redacted_arguments(words: Vec<Literal>) -> Vec<Literal> {
    let mut after_option = false;
    let redact = |word: Literal| {
        let is_option = word.text.starts_with('-');
        let is_value = std::mem::take(&mut after_option) && !is_option;
        after_option = is_option && !word.text.contains('=') && names_a_credential(&word.text);
        if is_value {
            word.called("password")
        } else {
            redacted_word(word)
        }
    };
    words.into_iter().map(redact).collect()
}

fn redacted_word(word: Literal) -> Literal {
    match word.text.split_once('=') {
        Some((option, value)) if !option.contains(char::is_whitespace) && names_a_credential(option) => {
            let value = Literal::redacted(option, value);
            Literal {
                text: Text::from(format!("{option}={}", value.text)),
                ..value
            }
        }
        _ => word.called(""),
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
    const ENDS: &[&str] = &["PASS", "PWD", "_PW", "_AUTH"];
    const NOT: &[&str] = &[
        "_FILE",
        "_PATH",
        "_DIR",
        "_NAME",
        "_TTL",
        "_EXPIRY",
        "_EXPIRATION",
        // The name of a Secret, as the Zalando operator is told it.
        "_ENVIRONMENT_SECRET",
    ];
    let name = name.trim_start_matches('-').as_bytes();
    let ends = |end: &&str| name.len() >= end.len() && is_word(&name[name.len() - end.len()..], end);
    if NOT.iter().any(ends) {
        return false;
    }
    let contains = |part: &&str| name.windows(part.len()).any(|window| is_word(window, part));
    ENDS.iter().any(ends) || PARTS.iter().any(contains)
}

/// Whether part of a name is a word, whatever its case and whether it is joined by `_`, `-` or `.`.
fn is_word(part: &[u8], word: &str) -> bool {
    let same = |(byte, wanted): (&u8, u8)| match byte {
        b'-' | b'.' => wanted == b'_',
        byte => byte.to_ascii_uppercase() == wanted,
    };
    part.iter().zip(word.bytes()).all(same)
}

fn is_switch(value: &str) -> bool {
    const SWITCHES: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "0", "1", "enabled", "disabled", "none",
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
    // A password follows one of these characters.
    if !value.contains(['=', ':', ' ', '"', '\'']) {
        return None;
    }
    let (mut text, mut found) = without_url_passwords(value);
    if let Some(cut) = without_login(&text) {
        text = cut;
        found = true;
    }
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

/// Returns the text without the passwords of log-ins that no scheme introduces: `user:pw@tcp(db:3306)/x` of Go,
/// `jdbc:oracle:thin:user/pw@db`; `None` if there is none.
///
/// An image with tag and digest (`app:1@sha256:…`) looks alike and is none.
///
/// # Complexity
/// Linear in the text.
fn without_login(text: &str) -> Option<String> {
    if !text.contains('@') {
        return None;
    }
    let mut cut = String::with_capacity(text.len());
    let mut found = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let login = word
            .split_once('@')
            .filter(|(before, after)| !before.contains("://") && !after.starts_with("sha256:"));
        let parts = login.and_then(|(before, after)| {
            let start = before
                .strip_prefix("jdbc:oracle:")
                .map_or(0, |rest| before.len() - rest.len());
            let split = if start > 0 {
                before.find('/')
            } else {
                before.find(':')
            }?;
            let password = &before[split + 1..];
            // A password may hold the sign itself; what follows the last one is the host.
            let host = after.rsplit('@').next().unwrap_or(after);
            (!password.is_empty() && password != WITHHELD && !host.trim().is_empty())
                .then_some((&before[..=split], host))
        });
        match parts {
            Some((user, host)) => {
                cut.extend([user, WITHHELD, "@", host]);
                found = true;
            }
            None => cut.push_str(word),
        }
    }
    found.then_some(cut)
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

/// The place of an ASCII word, given in small letters, in a text, in capitals or not.
fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let first = *word.first()?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text).find(|at| {
        let window = text.get(*at..at + word.len());
        window.is_some_and(|window| window.eq_ignore_ascii_case(word))
    })
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
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("withheld", &self.text)?;
            if let Some(alike) = self.alike {
                map.serialize_entry("alike", &alike)?;
            }
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
                    ..Literal::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Literal, A::Error> {
                let mut literal = Literal {
                    withheld: true,
                    ..Literal::default()
                };
                while let Some(key) = map.next_key::<Text>()? {
                    match key.as_str() {
                        "withheld" => literal.text = map.next_value()?,
                        "alike" => literal.alike = map.next_value()?,
                        _ => return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Map, &self)),
                    }
                }
                Ok(literal)
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
        check(
            "DSN",
            "root:hunter2@tcp(db:3306)/shop",
            "root:***@tcp(db:3306)/shop",
        );
        check("DSN", "root:p@ss@tcp(db:3306)/shop", "root:***@tcp(db:3306)/shop");
        check(
            "X",
            "jdbc:oracle:thin:scott/tiger@db:1521:x",
            "jdbc:oracle:thin:scott/***@db:1521:x",
        );
        check("X", "app:1.2@sha256:0123", "app:1.2@sha256:0123");
        check(
            "X",
            "git@example.org:shop/app.git",
            "git@example.org:shop/app.git",
        );
        check("ACCOUNTS_DB_URI", "mongodb://u:p%40@h", "mongodb://u:***@h");
    }

    #[test]
    fn the_secret_part_is_what_is_not_shown() {
        let secret = |name: &str, value: &'static str| Literal::redacted(name, value).secret_of(value);
        assert_eq!(secret("DB_PASSWORD", "hunter2"), Some("hunter2"));
        assert_eq!(secret("URI", "postgresql://me:hunter2@db/x"), Some("hunter2"));
        assert_eq!(secret("DSN", "host=db password=hunter2 user=me"), Some("hunter2"));
        assert_eq!(secret("DSN", "me:hunter2@tcp(db:3306)/shop"), Some("hunter2"));
        assert_eq!(secret("A", "redis://:a1@b redis://:c2@d"), None);
        for (name, value) in [("DB_PASSWORD", "true"), ("DB_PASSWORD", ""), ("DB_HOST", "db")] {
            assert_eq!(secret(name, value), None);
        }
    }

    #[test]
    fn a_redacted_value_stays_as_it_is() {
        for value in [
            "a=b&password=x://y:z@",
            "password=x://y:z@h",
            "token: x pwd=a://b:c@d",
        ] {
            let once = Literal::redacted("DSN", value);
            assert!(
                once.withheld && !once.text.contains(":z") && !once.text.contains(":c"),
                "{once}"
            );
            assert_eq!(once.clone().called("DSN"), once);
            assert_eq!(Literal::redacted("DSN", &once.text).text, once.text);
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_with_any_joint() {
        for name in [
            "api.key",
            "--Api-Key",
            "X_API_KEY_2",
            "rootpwd",
            "BASIC_AUTH",
            "GitTokens",
        ] {
            assert!(names_a_credential(name), "{name}");
        }
        for name in [
            "",
            "-",
            "TOKEN_FILE",
            "secret-name",
            "passage",
            "AUTHOR",
            "password_ttl",
        ] {
            assert!(!names_a_credential(name), "{name}");
        }
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
            let words = redacted_arguments(words.iter().copied().map(Literal::plain).collect());
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
