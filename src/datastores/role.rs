//! What only looks like a datastore: exporters, consoles, proxies, clients, jobs that copy, operators.
//!
//! **Trap.** The image of a server is the image of its clients too: `pg_dump` runs in `postgres`. What the container
//! starts decides, and a Job runs no server that others reach.

use super::family::{Families, Family, repository};
use crate::model::Container;

/// What a container is that is no server of data, though its image or its variables name one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Gives figures about one.
    Exporter,
    /// Shows one to people.
    Console,
    /// Hands connections through to one.
    Proxy,
    /// Copies one's data away.
    Backup,
    /// Makes and manages them.
    Operator,
    /// Uses one and ends.
    Client,
}

impl Role {
    /// The word for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exporter => "exporter",
            Self::Console => "console",
            Self::Proxy => "proxy",
            Self::Backup => "backup",
            Self::Operator => "operator",
            Self::Client => "client",
        }
    }
}

/// Words in the last part of an image's repository that give a role away.
const WORDS: &[(Role, &[&str])] = &[
    (Role::Exporter, &["exporter", "metrics"]),
    (
        Role::Console,
        &[
            "admin",
            "adminer",
            "akhq",
            "cmak",
            "commander",
            "compass",
            "console",
            "express",
            "insight",
            "kafdrop",
            "kibana",
            "phpmyadmin",
            "redisinsight",
            "sqlpad",
            "ui",
        ],
    ),
    (
        Role::Proxy,
        &[
            "haproxy",
            "maxscale",
            "odyssey",
            "pgbouncer",
            "pgcat",
            "pgpool",
            "proxy",
            "proxysql",
            "router",
            "twemproxy",
        ],
    ),
    (
        Role::Backup,
        &[
            "backup",
            "backups",
            "barman",
            "dump",
            "pgbackrest",
            "restore",
            "velero",
            "xtrabackup",
        ],
    ),
    (Role::Operator, &["operator", "controller"]),
    (
        Role::Client,
        &[
            "cli",
            "client",
            "flyway",
            "init",
            "job",
            "liquibase",
            "loader",
            "migrat",
            "seed",
            "setup",
            "shell",
            "tools",
        ],
    ),
];

/// Images of consoles that no word gives away.
const CONSOLES: &[&str] = &[
    "pgadmin4",
    "pgweb",
    "cloudbeaver",
    "mongoku",
    "rockmongo",
    "p3x-redis-ui",
    "redpanda-console",
];

/// The role that an image's name tells, of one that no family claims.
pub fn role_of_image(image: &str) -> Option<Role> {
    let repository = repository(image).to_ascii_lowercase();
    let last = repository.rsplit('/').next().unwrap_or_default();
    if CONSOLES.contains(&last) {
        return Some(Role::Console);
    }
    WORDS.iter().find_map(|(role, words)| {
        let known = last.split(['-', '_', '.']).any(|word| {
            words
                .iter()
                .any(|known| word == *known || known.len() > 5 && word.contains(known))
        });
        known.then_some(*role)
    })
}

/// Whether a container of a server's image starts something else than the server.
///
/// # Complexity
/// Linear in the words of its command line.
pub(super) fn starts_no_server(family: &Family, families: &Families, container: &Container) -> bool {
    let words = [container.command.words(), container.args.words()].concat();
    let mut programs = words
        .iter()
        .flat_map(|word| {
            word.text
                .split(|c: char| c.is_whitespace() || ";|&()$`\"'".contains(c))
        })
        .map(|word| word.rsplit('/').next().unwrap_or_default())
        .filter(|word| !word.is_empty());
    let first = programs.clone().next().unwrap_or_default();
    // The same program keeps watch over servers and holds no data then.
    let watches = words.iter().any(|word| word.text == "--sentinel");
    if watches || matches!(first, "sleep" | "tail") {
        return true;
    }
    let serves = |word: &str| {
        families.of_program(word).is_some() || word.contains("entrypoint") || word.starts_with("run")
    };
    let is_client = |word: &str| family.clients.iter().any(|client| client == word);
    programs.clone().any(is_client) && !programs.any(serves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_known_by_a_word() {
        for (image, role) in [
            ("zalando/postgres-operator/pgbouncer", Role::Proxy),
            ("x/mysql-exporter:1", Role::Exporter),
            ("prom/mysqld-exporter", Role::Exporter),
            ("dpage/pgadmin4:8", Role::Console),
            ("phpmyadmin", Role::Console),
            ("mongo-express:1", Role::Console),
            ("rediscommander/redis-commander", Role::Console),
            ("adminer", Role::Console),
            ("redis/redisinsight", Role::Console),
            ("proxysql/proxysql", Role::Proxy),
            ("bitnami/pgpool", Role::Proxy),
            ("prodrigestivill/postgres-backup-local", Role::Backup),
            ("ghcr.io/zalando/postgres-operator:v2", Role::Operator),
            ("shop/db-migrations:1", Role::Client),
            ("flyway/flyway", Role::Client),
        ] {
            assert_eq!(role_of_image(image), Some(role), "{image}");
        }
        for image in [
            "bank/accounts-db:1",
            "shop/guidb",
            "examples-bookinfo-mysqldb",
            "shop/orders",
            "shop/web",
        ] {
            assert_eq!(role_of_image(image), None, "{image}");
        }
    }
}
