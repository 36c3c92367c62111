//! The addresses in a setting: URLs, connection strings of drivers, hosts with and without a port.
//!
//! **Trap.** `mongodb` in `mongodb://db` is a scheme, not the Service of that name; in `host=db user=me` only what
//! follows `host` is an address. Passwords are withheld before anything gets here.

/// Most addresses that are taken from one setting.
const MOST: usize = 32;

/// Words of a variable's name that say that it holds an address.
const NAMES: &[&str] = &[
    "HOST",
    "ADDR",
    "URL",
    "URI",
    "SERVER",
    "ENDPOINT",
    "DSN",
    "CONNECTION",
    "BROKER",
    "NODE",
];

/// Names of settings within a connection string whose value is an address.
const KEYS: &[&str] = &[
    "host",
    "hostaddr",
    "hosts",
    "server",
    "servers",
    "bootstrap.servers",
    "data source",
    "datasource",
    "address",
    "addr",
    "endpoint",
];

/// A host that a setting names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The scheme of the URL, empty for other forms: `postgresql` of `jdbc:postgresql://`.
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// Returns the addresses in the value of a variable or option of this name.
///
/// # Complexity
/// Linear in the value.
pub(super) fn addresses(name: &str, value: &str) -> Vec<Address> {
    let mut found = if value.contains("://") {
        urls(value)
    } else if let Some(driver) = of_driver(value) {
        vec![driver]
    } else if value.contains('=') {
        settings(value)
    } else {
        words(name, value)
    };
    found.truncate(MOST);
    found
}

fn address(scheme: &str, text: &str) -> Option<Address> {
    let (host, port) = match text.split_once([':', ',']) {
        Some((host, port)) => (host, port.parse().ok()),
        None => (text, None),
    };
    let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let scheme = scheme.to_ascii_lowercase();
    is_name.then_some(Address { scheme, host, port })
}

fn urls(value: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("://") {
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || "+.-".contains(c)));
        let scheme =
            &before[start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))..];
        let end = after.find(|c: char| "/?#;\"'".contains(c) || c.is_whitespace());
        let authority = &after[..end.unwrap_or(after.len())];
        let hosts = authority.rsplit('@').next().unwrap_or_default();
        found.extend(hosts.split(',').filter_map(|host| address(scheme, host)));
        if found.len() >= MOST {
            break;
        }
        rest = after;
    }
    found
}

/// `user:pw@tcp(db:3306)/shop` of Go, `jdbc:oracle:thin:@db:1521:shop` of Oracle.
fn of_driver(value: &str) -> Option<Address> {
    if let Some((_, after)) = value.split_once("@tcp(") {
        return address("mysql", after.split(')').next().unwrap_or_default());
    }
    let (_, after) = value.strip_prefix("jdbc:oracle:")?.split_once('@')?;
    let mut parts = after.trim_start_matches('/').split([':', '/']);
    let host = parts.next()?;
    let port = parts.next().unwrap_or_default();
    address("oracle", &format!("{host}:{port}"))
}

/// `host=db port=5432`, `Server=tcp:db,1433;Database=shop`.
fn settings(value: &str) -> Vec<Address> {
    let separator = if value.contains(';') { ';' } else { ' ' };
    let parts = value.split(separator).filter_map(|part| part.split_once('='));
    let is_key = |key: &str| {
        let key = key.trim().trim_start_matches('-').to_ascii_lowercase();
        KEYS.contains(&key.as_str())
    };
    parts
        .filter(|(key, _)| is_key(key))
        .filter_map(|(_, value)| {
            let value = value.trim().trim_matches(['"', '\'']);
            address("", value.strip_prefix("tcp:").unwrap_or(value))
        })
        .collect()
}

/// Hosts one after the other, if they have ports or the name says that they are addresses.
fn words(name: &str, value: &str) -> Vec<Address> {
    let name = name.to_ascii_uppercase();
    let has_port = value
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if !has_port && !NAMES.iter().any(|word| name.contains(word)) {
        return Vec::new();
    }
    value
        .split(|c: char| !(c.is_ascii_alphanumeric() || ".-_:".contains(c)))
        .filter(|word| word.bytes().any(|b| b.is_ascii_alphabetic() || b == b'.'))
        .filter_map(|word| {
            // `label:host:port`, as Redis Commander takes it.
            let labelled = word.split_once(':').filter(|(_, rest)| rest.contains(':'));
            address("", labelled.map_or(word, |(_, rest)| rest))
        })
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: &[&str]) {
        let found: Vec<String> = addresses(name, value)
            .into_iter()
            .map(|Address { scheme, host, port }| {
                let port = port.map_or_else(String::new, |port| format!(":{port}"));
                format!("{scheme}/{host}{port}")
            })
            .collect();
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn every_form_of_address_is_read() {
        check(
            "DB_URI",
            "mongodb://u:***@db:27017,db2/x",
            &["mongodb/db:27017", "mongodb/db2"],
        );
        check(
            "X",
            "jdbc:postgresql://ledger-db:5432/postgresdb",
            &["postgresql/ledger-db:5432"],
        );
        check(
            "X",
            "jdbc:sqlserver://db:1433;databaseName=x",
            &["sqlserver/db:1433"],
        );
        check(
            "X",
            "redis://:***@cache.shop.svc:6379/0",
            &["redis/cache.shop.svc:6379"],
        );
        check("DB_HOST", "mysql", &["/mysql"]);
        check("REDIS", "cache:6379", &["/cache:6379"]);
        check("DB_DRIVER", "mysql", &[]);
        check("DSN", "host=db user=me port=5432 dbname=host", &["/db"]);
        check(
            "DSN",
            "root:***@tcp(db:3306)/shop?parseTime=true",
            &["mysql/db:3306"],
        );
        check(
            "X",
            "jdbc:oracle:thin:@db.shop:1521:orders",
            &["oracle/db.shop:1521"],
        );
        check(
            "C",
            "Server=tcp:db,1433;Database=shop;User Id=sa;Password=***",
            &["/db:1433"],
        );
        check("KAFKA_BROKERS", "k0:9092,k1:9092", &["/k0:9092", "/k1:9092"]);
        check(
            "REDIS_HOSTS",
            "local:db:6379,b:cache:6379",
            &["/db:6379", "/cache:6379"],
        );
        check("X", "postgres://%%%%@/@:/", &[]);
        check("DB_HOST", "10.0.0.7", &["/10.0.0.7"]);
    }

    #[test]
    fn a_bomb_of_addresses_is_cut() {
        assert_eq!(addresses("URL", &"a://b,c ".repeat(1 << 16)).len(), MOST);
        assert_eq!(addresses("URL", &"://@".repeat(1 << 16)).len(), 0);
        assert!(addresses("HOSTS", &"ä:1 h:2 ".repeat(1 << 16)).len() <= MOST);
    }
}
