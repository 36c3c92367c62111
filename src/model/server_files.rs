//! Files of settings of servers of data, as ConfigMaps hold them: the few settings that are kept of their text.
//!
//! One tolerant reader takes `redis.conf`, `my.cnf`, properties, YAML, TOML, JSON, the blocks of NATS and XML: sections,
//! blocks and indentation become parts of a name, `mysqld.skip-grant-tables`. `server_files.toml` says which names are
//! kept, and what they mean.
//!
//! **Trap.** Such files hold passwords, so nothing is kept but settings of the table and those by which clients find a
//! server (`client_files`), and of those that are a password only that they are set. A text that is read again, from a snapshot, must give the same settings.

use std::sync::LazyLock;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::Literal;
use super::literal::WITHHELD;

/// Most settings that are kept of one file.
const MOST: usize = 64;
/// The longest value that is kept, in bytes.
const LONGEST: usize = 256;
/// Most settings of clients that are kept of one file.
const MOST_OF_CLIENTS: usize = 32;
/// The deepest nesting that names follow.
const DEEPEST: usize = 32;

/// One kind of file; `server_files.toml` says what each member means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "server_files.toml describes them")]
pub struct ServerFile {
    pub families: Vec<String>,
    pub paths: Vec<String>,
    pub unlocks: Vec<String>,
    pub locks: Vec<String>,
    pub certificates: Vec<String>,
    pub partly: Vec<String>,
    pub local: Vec<String>,
    pub secrets: Vec<String>,
    pub follows: Vec<String>,
    pub decides: Vec<String>,
}

impl ServerFile {
    /// The kinds of files in the order of the table.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.values()
    }
}

/// A setting of a file: its name and its value.
pub type ServerSetting = (String, String);

/// The table. A test holds that it can be read.
static TABLE: LazyLock<IndexMap<String, ServerFile>> =
    LazyLock::new(|| toml::from_str(include_str!("server_files.toml")).unwrap_or_default());

/// The names that are kept, each with whether its value is a password.
#[derive(Debug, Default)]
struct Kept {
    /// By the name in small letters with hyphens: servers take `skip_grant_tables` and `skip-grant-tables` alike.
    names: FxHashMap<String, (&'static str, bool)>,
    /// Names with a `*`, in parts.
    patterns: Vec<(Vec<String>, bool)>,
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let mut kept = Kept::default();
    for file in TABLE.values() {
        let marks = [
            &file.unlocks,
            &file.locks,
            &file.certificates,
            &file.partly,
            &file.local,
            &file.follows,
        ];
        let marks = marks.into_iter().flatten().map(|mark| (mark, false));
        for (mark, is_secret) in marks.chain(file.secrets.iter().map(|mark| (mark, true))) {
            let name = mark.split(['=', '~']).next().unwrap_or_default();
            if name.contains('*') {
                let parts = normal(name).split('.').map(str::to_owned).collect();
                kept.patterns.push((parts, is_secret));
            } else {
                kept.names.entry(normal(name)).or_insert((name, false)).1 |= is_secret;
            }
        }
    }
    kept
});

impl Kept {
    /// The name under which a setting is kept, and whether its value is a password.
    fn find(&self, name: &str) -> Option<(String, bool)> {
        let normal = normal(name);
        if let Some((name, is_secret)) = self.names.get(&normal) {
            return Some(((*name).to_owned(), *is_secret));
        }
        let mut patterns = self.patterns.iter();
        let (_, is_secret) = patterns.find(|(parts, _)| is_meant(parts, &normal))?;
        Some((name.to_owned(), *is_secret))
    }
}

fn is_meant(pattern: &[String], name: &str) -> bool {
    let mut parts = name.split('.');
    let same = pattern.iter().all(|wanted| {
        let part = parts.next();
        part.is_some_and(|part| part == wanted || wanted == "*" && !matches!(part, "" | "sys" | "$sys"))
    });
    same && parts.next().is_none()
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether a setting of a file has the name of a mark of the table.
pub fn is_server_setting(mark: &str, name: &str) -> bool {
    let (mark, name) = (normal(mark), normal(name));
    if !mark.contains('*') {
        return mark == name;
    }
    is_meant(&mark.split('.').map(str::to_owned).collect::<Vec<_>>(), &name)
}

/// Whether a text of one line is a rule of Redis for an account: `user app on >password`.
pub(super) fn is_rule(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some("user") && words.any(|word| word.starts_with(['>', '#', '<', '!']))
}

/// Reduces a file's text to the settings that are kept, a line each; none if there is none.
pub(super) fn reduced(text: &str) -> Option<Literal> {
    let settings = server_settings(text);
    if settings.is_empty() {
        return None;
    }
    let lines: Vec<String> = settings
        .into_iter()
        .map(|(name, value)| format!("{name}: \"{value}\""))
        .collect();
    Some(Literal {
        text: lines.join("\n").into(),
        withheld: true,
        alike: None,
    })
}

/// Returns the settings of a file that are kept, in order: from its text, or from what was kept of it.
///
/// # Complexity
/// Linear in the text.
pub fn server_settings(text: &str) -> Vec<ServerSetting> {
    let mut reader = Reader::default();
    if text.trim_start().starts_with('<') {
        reader.xml(text);
    } else {
        for line in text.lines() {
            reader.line(line);
        }
    }
    reader.rules.sum_up(&mut reader.found);
    reader.found
}

/// What encloses a line.
enum Frame {
    /// `[mysqld]`.
    Section(String),
    /// `security:`, until a line that is indented no more than it.
    Indent(usize, String),
    /// `authorization {`, until its brace; with an empty name for one that has none.
    Block(String),
}

impl Frame {
    fn name(&self) -> &str {
        match self {
            Self::Section(name) | Self::Indent(_, name) | Self::Block(name) => name,
        }
    }
}

#[derive(Default)]
struct Reader {
    frames: Vec<Frame>,
    /// Blocks that were too deep to follow.
    deeper: usize,
    rules: Rules,
    found: Vec<ServerSetting>,
    /// How many of those are a client's.
    of_clients: usize,
}

impl Reader {
    fn line(&mut self, raw: &str) {
        let mut indent = raw.len() - raw.trim_start().len();
        let mut text = raw.trim();
        if text.is_empty() || text.starts_with(['#', ';', '!']) || text.starts_with("//") {
            return;
        }
        if let Some(section) = section(text) {
            self.frames = vec![Frame::Section(section.to_owned())];
            return;
        }
        while matches!(self.frames.last(), Some(Frame::Indent(outer, _)) if *outer >= indent) {
            self.frames.pop();
        }
        if let Some(item) = text.strip_prefix("- ") {
            indent += 2;
            text = item.trim_start();
        }
        if self.rules.take(text) || self.rule_of_redis(text) {
            return;
        }
        while !text.is_empty() {
            text = self.setting(text, indent);
        }
    }

    /// Reads one setting, or the head or end of a block, and returns the rest of the line.
    fn setting<'t>(&mut self, text: &'t str, indent: usize) -> &'t str {
        if let Some(rest) = text.strip_prefix(['}', ']']) {
            self.close();
            return rest.trim_start_matches([',', ';', ' ', '\t']);
        }
        if let Some(rest) = text.strip_prefix(['{', '[']) {
            self.open("");
            return rest.trim_start();
        }
        let (name, rest) = name_at(text);
        let rest = rest.trim_start();
        if name.is_empty() {
            let end = rest.find([',', '}', ']']);
            return end.map_or("", |end| rest[end..].trim_start_matches([',', ' ']));
        }
        let separator = rest.chars().next().filter(|c| matches!(c, '=' | ':'));
        let rest = separator.map_or(rest, |c| rest[c.len_utf8()..].trim_start());
        let is_block = rest.starts_with('{') || separator.is_some() && rest.starts_with('[');
        if is_block {
            self.record(name, "on");
            self.open(name);
            return rest[1..].trim_start();
        }
        if rest.is_empty() || rest.starts_with('#') {
            self.record(name, if separator.is_some() { "" } else { "on" });
            if separator == Some(':') && self.frames.len() < DEEPEST {
                self.frames.push(Frame::Indent(indent, name.to_owned()));
            }
            return "";
        }
        let (value, rest) = self.value_at(rest);
        self.record(name, value);
        rest
    }

    /// The value at the start of a text, and what follows it: within a block other settings may.
    fn value_at<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\''))
            && let Some(end) = text[1..].find(quote)
        {
            let rest = text[end + 2..].trim_start_matches([',', ';', ' ', '\t']);
            let is_within = self.is_in_block() && !rest.starts_with('#');
            return (&text[1..=end], if is_within { rest } else { "" });
        }
        let uncommented = |text: &'t str| text.split(" #").next().unwrap_or_default().trim_end();
        if !self.is_in_block() {
            return (uncommented(text), "");
        }
        let end = text.find([',', ';', '}', ']']).unwrap_or(text.len());
        let rest = text[end..].trim_start_matches([',', ';', ' ', '\t']);
        (uncommented(&text[..end]), rest)
    }

    fn is_in_block(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame, Frame::Block(_)))
    }

    fn open(&mut self, name: &str) {
        if self.deeper > 0 || self.frames.len() >= DEEPEST {
            self.deeper += 1;
        } else {
            self.frames.push(Frame::Block(name.to_owned()));
        }
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if let Some(at) = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Block(_)))
        {
            self.frames.truncate(at);
        }
    }

    fn record(&mut self, name: &str, value: &str) {
        if self.found.len() - self.of_clients >= MOST || self.deeper > 0 {
            return;
        }
        let outer = self.frames.iter().map(Frame::name);
        let parts: Vec<&str> = outer.filter(|part| !part.is_empty()).chain([name]).collect();
        let path = parts.join(".");
        if let Some((name, is_secret)) = KEPT.find(&path) {
            self.found
                .push((name, shown(value, is_secret && !value.is_empty())));
        } else if self.of_clients < MOST_OF_CLIENTS
            && let Some(value) = super::client_files::kept(&path, value)
        {
            self.of_clients += 1;
            self.found.push((path, value));
        }
    }

    /// `user default on nopass ~* +@all`, in a file of rules or in `redis.conf`.
    fn rule_of_redis(&mut self, text: &str) -> bool {
        let mut words = text.split_whitespace();
        if words.next() != Some("user") || words.next() != Some("default") {
            return false;
        }
        let mut state = "nopass";
        for word in words {
            match word {
                "off" => state = "off",
                "nopass" if state != "off" => state = "nopass",
                "resetpass" if state != "off" => state = WITHHELD,
                _ if word.starts_with(['>', '#']) && state != "off" => state = WITHHELD,
                _ => {}
            }
        }
        self.record("user.default", state);
        true
    }

    /// Elements are parts of names, without the one that encloses all.
    fn xml(&mut self, text: &str) {
        let mut rest = text;
        let mut depth = 0_usize;
        while let Some((_, after)) = rest.split_once('<') {
            if let Some(comment) = after.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            let Some((tag, after)) = after.split_once('>') else {
                return;
            };
            rest = after;
            if tag.starts_with(['?', '!']) {
                continue;
            }
            if tag.starts_with('/') {
                depth = depth.saturating_sub(1);
                if depth > 0 {
                    self.close();
                }
                continue;
            }
            let name = tag.split([' ', '/', '\n', '\t']).next().unwrap_or_default();
            let content = after.split('<').next().unwrap_or_default();
            let ends = tag.ends_with('/') || after[content.len()..].starts_with("</");
            if ends && depth > 0 {
                let content = if tag.ends_with('/') { "" } else { content.trim() };
                self.record(name, content);
            }
            if !tag.ends_with('/') {
                if depth > 0 {
                    self.open(name);
                }
                depth += 1;
            }
        }
    }
}

/// A value as it is kept.
fn shown(value: &str, is_secret: bool) -> String {
    if is_secret {
        return WITHHELD.to_owned();
    }
    let value = Literal::redacted("", value).text;
    let value = value.replace(['"', '\n'], "");
    value[..value.floor_char_boundary(LONGEST)].to_owned()
}

fn section(text: &str) -> Option<&str> {
    let name = text.strip_prefix('[')?.split_once(']')?.0;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._- ".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// The name at the start of a text, in quotes or not, and what follows it.
fn name_at(text: &str) -> (&str, &str) {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\''))
        && let Some(end) = text[1..].find(quote)
    {
        return (&text[1..=end], &text[end + 2..]);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-/$*".contains(c)));
    text.split_at(end.unwrap_or(text.len()))
}

/// The lines of a pg_hba.conf, of which the first that fits decides.
/// Source: <https://www.postgresql.org/docs/current/auth-pg-hba-conf.html>
#[derive(Default)]
struct Rules {
    trust: Option<(bool, String)>,
    is_closed: bool,
}

impl Rules {
    /// Takes a line if it is such a rule.
    fn take(&mut self, line: &str) -> bool {
        const KINDS: &[&str] = &["host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"];
        const METHODS: &[&str] = &[
            "trust",
            "reject",
            "scram-sha-256",
            "md5",
            "password",
            "gss",
            "sspi",
            "ident",
            "peer",
            "ldap",
            "radius",
            "cert",
            "pam",
            "bsd",
            "oauth",
        ];
        let mut words = line.split_whitespace();
        if !words.next().is_some_and(|kind| KINDS.contains(&kind)) {
            return false;
        }
        let (Some(database), Some(user), Some(address), Some(next)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return false;
        };
        let (mask, method) = if METHODS.contains(&next) {
            ("", next)
        } else {
            (next, words.next().unwrap_or_default())
        };
        if !METHODS.contains(&method) {
            return false;
        }
        let is_local =
            address.starts_with("127.") || matches!(address, "::1/128" | "::1" | "localhost" | "samehost");
        if self.is_closed || self.trust.as_ref().is_some_and(|(all, _)| *all) || is_local {
            return true;
        }
        let is_any = matches!(address, "all" | "0.0.0.0/0" | "::/0" | "::0/0") || mask == "0.0.0.0";
        let for_all = database == "all" && user == "all";
        match method {
            "trust" => {
                if is_any || self.trust.is_none() {
                    self.trust = Some((is_any, format!("{database} {user} {address}")));
                }
            }
            _ => self.is_closed |= is_any && for_all,
        }
        true
    }

    fn sum_up(&mut self, found: &mut Vec<ServerSetting>) {
        if let Some((is_any, rule)) = self.trust.take() {
            let name = if is_any { "hba.trust" } else { "hba.trust-from" };
            found.push((name.to_owned(), shown(&rule, false)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        // What clients are told is a matter of `client_files`.
        let found: Vec<String> = server_settings(text)
            .into_iter()
            .filter(|(name, _)| KEPT.find(name).is_some())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(found, expected, "{text}");
        let kept = reduced(text)
            .map(|kept| kept.text.to_string())
            .unwrap_or_default();
        assert!(!kept.contains("canary"), "{kept}");
        assert_eq!(server_settings(&kept), server_settings(text), "{kept}");
    }

    #[test]
    fn the_table_is_read_whole() {
        let lines = include_str!("server_files.toml").lines();
        let lines = lines.filter(|line| line.contains(" = {")).count();
        assert_eq!((TABLE.len(), lines > 15), (lines, true));
    }

    #[test]
    fn every_form_of_file_is_read() {
        check(
            "# x\nport 6379\nrequirepass canary # no\nprotected-mode no\nbind 127.0.0.1 ::1\n",
            &["requirepass=***", "protected-mode=no", "bind=127.0.0.1 ::1"],
        );
        check("user default on >canary ~* +@all\n", &["user.default=***"]);
        check(
            "user default on nopass ~* +@all\nuser app on >canary\n",
            &["user.default=nopass"],
        );
        check(
            "[client]\npassword=canary\n[mysqld]\nskip_grant_tables\nbind-address = 0.0.0.0\n",
            &["mysqld.skip-grant-tables=on", "mysqld.bind-address=0.0.0.0"],
        );
        check("[client]\nskip-grant-tables\n", &[]);
        check(
            "net:\n  bindIp: 0.0.0.0\nsecurity:\n  authorization: \"enabled\"\n  keyFile: /k\n",
            &[
                "net.bindIp=0.0.0.0",
                "security.authorization=enabled",
                "security.keyFile=/k",
            ],
        );
        check("other:\n  security:\n    authorization: enabled\n", &[]);
        check(
            "xpack.security.enabled: false\n",
            &["xpack.security.enabled=false"],
        );
        check(
            "xpack:\n  security:\n    enabled: false # x\n",
            &["xpack.security.enabled=false"],
        );
        check(
            "authenticator:\n  class_name: PasswordAuthenticator\n",
            &["authenticator=", "authenticator.class_name=PasswordAuthenticator"],
        );
        check(
            "listeners=PLAINTEXT://:9092\nsasl.jaas.config=x password=\"canary\";\n",
            &["listeners=PLAINTEXT://:9092", "sasl.jaas.config=***"],
        );
        check(
            "listen_addresses = 'localhost' # x\n",
            &["listen_addresses=localhost"],
        );
        check("allow_anonymous true\nlistener 1883\n", &["allow_anonymous=true"]);
        check(
            "<clickhouse><!-- <a/> --><users><default><password></password><networks/></default></users></clickhouse>",
            &["users.default.password="],
        );
        check(
            "<?xml version=\"1.0\"?>\n<yandex>\n <users>\n  <default>\n   <password>canary</password>\n  </default>\n </users>\n</yandex>\n",
            &["users.default.password=***"],
        );
        check(
            "{\n \"authentication\": {\n  \"class\": \"solr.BasicAuthPlugin\",\n  \"blockUnknown\": true\n }\n}\n",
            &[
                "authentication.class=solr.BasicAuthPlugin",
                "authentication.blockUnknown=true",
            ],
        );
    }

    #[test]
    fn blocks_of_nats_are_read() {
        check(
            "authorization {\n  user: a\n  password: canary\n}\ncluster {\n  authorization { user: b, password: canary }\n}\n",
            &["authorization=on", "authorization.password=***"],
        );
        check(
            "accounts: { APP: { users: [ { user: a, password: canary } ] }, SYS: { users: [ {user: s, password: canary} ] } }\n",
            &["accounts.APP.users=on"],
        );
        check(
            "cluster { authorization { token: canary } }\nno_auth_user: a\n",
            &["no_auth_user=a"],
        );
    }

    #[test]
    fn the_first_rule_of_a_pg_hba_that_fits_decides() {
        let local = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n";
        check(&format!("{local}host all all all scram-sha-256\n"), &[]);
        check(
            &format!("{local}host all all 0.0.0.0/0 trust\n"),
            &["hba.trust=all all 0.0.0.0/0"],
        );
        check(
            "host all all 0.0.0.0 0.0.0.0 trust\n",
            &["hba.trust=all all 0.0.0.0"],
        );
        check("host all all 0.0.0.0/0 md5\nhost all all all trust\n", &[]);
        check(
            "hostssl replication standby 10.0.0.0/8 trust\nhost all all all md5\n",
            &["hba.trust-from=replication standby 10.0.0.0/8"],
        );
        check("host all all all ldap ldapbindpasswd=canary\n", &[]);
    }

    #[test]
    fn a_bomb_is_read_in_one_pass() {
        for bomb in [
            "a{".repeat(1 << 18),
            "a:\n".repeat(1 << 18),
            "<a>".repeat(1 << 18),
            "requirepass x\n".repeat(1 << 18),
            "[".repeat(1 << 18),
            "\"".repeat(1 << 18),
            "a: {b: \"c\", ".repeat(1 << 16),
        ] {
            assert!(server_settings(&bomb).len() <= MOST);
        }
    }
}
