//! The families of datastores, as data: how each is recognised, where it listens, what it asks for.
//!
//! **Trap.** The variables are those of an image's documented contract. A client may use the same names
//! (`POSTGRES_PASSWORD`), so they identify a server only together with its port.

/// One kind of datastore.
#[derive(Debug)]
pub struct Family {
    /// Stable name.
    pub id: &'static str,
    /// Its name in prose.
    pub title: &'static str,
    /// Last segments of the image's repository, or two of them with a slash.
    pub images: &'static [&'static str],
    /// Ports it listens on unless told otherwise, the main one first.
    pub ports: &'static [u16],
    /// Variables whose value is a password that the server accepts.
    pub passwords: &'static [&'static str],
    /// Command-line options whose value is such a password.
    pub options: &'static [&'static str],
    /// Whether it lets everyone in unless told otherwise.
    pub open: bool,
    /// Variables and words on the command line that make an open one ask.
    pub locks: &'static [&'static str],
    /// Options whose value lists the URLs it listens on.
    pub listens: &'static [&'static str],
    /// Variables that open a closed one: the value, or an empty text for any.
    pub unlocks: &'static [(&'static str, &'static str)],
}

/// Every family.
///
/// Sources: the images' pages on <https://hub.docker.com/_/> and <https://github.com/bitnami/containers>.
pub const FAMILIES: &[Family] = &[
    Family {
        id: "postgresql",
        title: "PostgreSQL",
        images: &[
            "postgres",
            "postgresql",
            "postgis",
            "timescaledb",
            "timescaledb-ha",
            "pgvector",
            "spilo-18",
            "spilo-17",
            "spilo-16",
            "spilo-15",
            "spilo-14",
            "crunchy-postgres",
            "postgresql-repmgr",
            "supabase/postgres",
        ],
        ports: &[5432],
        passwords: &[
            "POSTGRES_PASSWORD",
            "POSTGRESQL_PASSWORD",
            "POSTGRESQL_POSTGRES_PASSWORD",
            "PGPASSWORD_SUPERUSER",
        ],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[
            ("POSTGRES_HOST_AUTH_METHOD", "trust"),
            ("ALLOW_EMPTY_PASSWORD", "yes"),
        ],
    },
    Family {
        id: "mysql",
        title: "MySQL",
        images: &[
            "mysql",
            "mysql-server",
            "mariadb",
            "mariadb-galera",
            "percona",
            "percona-server",
            "percona-xtradb-cluster",
        ],
        ports: &[3306],
        passwords: &[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_PASSWORD",
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_PASSWORD",
        ],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[
            ("MYSQL_ALLOW_EMPTY_PASSWORD", ""),
            ("MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", ""),
            ("MARIADB_ALLOW_EMPTY_PASSWORD", ""),
            ("ALLOW_EMPTY_PASSWORD", "yes"),
        ],
    },
    Family {
        id: "mongodb",
        title: "MongoDB",
        images: &[
            "mongo",
            "mongodb",
            "mongodb-community-server",
            "mongodb-enterprise-server",
            "percona-server-mongodb",
        ],
        ports: &[27017],
        passwords: &[
            "MONGO_INITDB_ROOT_PASSWORD",
            "MONGODB_ROOT_PASSWORD",
            "MONGODB_INITDB_ROOT_PASSWORD",
            "MONGODB_PASSWORD",
        ],
        options: &[],
        open: true,
        locks: &[
            "MONGO_INITDB_ROOT_USERNAME",
            "MONGO_INITDB_ROOT_PASSWORD",
            "MONGO_INITDB_ROOT_PASSWORD_FILE",
            "MONGODB_ROOT_PASSWORD",
            "MONGODB_INITDB_ROOT_USERNAME",
            "--auth",
            "--keyFile",
        ],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "documentdb",
        title: "DocumentDB",
        images: &["documentdb-local"],
        ports: &[10260],
        passwords: &["PASSWORD"],
        options: &["--password"],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "redis",
        title: "Redis",
        images: &[
            "redis",
            "redis-stack",
            "redis-stack-server",
            "redis-cluster",
            "valkey",
            "valkey-cluster",
            "keydb",
            "dragonfly",
        ],
        ports: &[6379],
        passwords: &[
            "REDIS_PASSWORD",
            "VALKEY_PASSWORD",
            "REDIS_MASTER_PASSWORD",
            "DFLY_requirepass",
        ],
        options: &["--requirepass"],
        open: true,
        locks: &[
            "--requirepass",
            "requirepass",
            "--aclfile",
            "REDIS_PASSWORD_FILE",
            "VALKEY_PASSWORD_FILE",
            "REDIS_ARGS",
        ],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "memcached",
        title: "Memcached",
        images: &["memcached"],
        ports: &[11211],
        passwords: &["MEMCACHED_PASSWORD"],
        options: &[],
        open: true,
        locks: &["-S", "--enable-sasl", "-Y", "--auth-file"],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "rabbitmq",
        title: "RabbitMQ",
        images: &["rabbitmq"],
        ports: &[5672, 5671],
        passwords: &["RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "elasticsearch",
        title: "Elasticsearch",
        images: &["elasticsearch", "elasticsearch-oss"],
        ports: &[9200],
        passwords: &["ELASTIC_PASSWORD", "ELASTICSEARCH_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[("xpack.security.enabled", "false")],
    },
    Family {
        id: "opensearch",
        title: "OpenSearch",
        images: &["opensearch"],
        ports: &[9200],
        passwords: &["OPENSEARCH_INITIAL_ADMIN_PASSWORD", "OPENSEARCH_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[
            ("DISABLE_SECURITY_PLUGIN", "true"),
            ("plugins.security.disabled", "true"),
        ],
    },
    Family {
        id: "cassandra",
        title: "Cassandra",
        images: &["cassandra", "scylla"],
        ports: &[9042],
        passwords: &["CASSANDRA_PASSWORD"],
        options: &[],
        open: true,
        locks: &["CASSANDRA_AUTHENTICATOR", "--authenticator"],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "clickhouse",
        title: "ClickHouse",
        images: &["clickhouse-server", "clickhouse"],
        ports: &[9000, 8123],
        passwords: &["CLICKHOUSE_PASSWORD", "CLICKHOUSE_ADMIN_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[("ALLOW_EMPTY_PASSWORD", "yes")],
    },
    Family {
        id: "cockroachdb",
        title: "CockroachDB",
        images: &["cockroach"],
        ports: &[26257],
        passwords: &["COCKROACH_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "mssql",
        title: "SQL Server",
        images: &["mssql/server", "azure-sql-edge"],
        ports: &[1433],
        passwords: &["MSSQL_SA_PASSWORD", "SA_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "influxdb",
        title: "InfluxDB",
        images: &["influxdb"],
        ports: &[8086],
        passwords: &[
            "DOCKER_INFLUXDB_INIT_PASSWORD",
            "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN",
            "INFLUXDB_ADMIN_PASSWORD",
            "INFLUXDB_ADMIN_USER_PASSWORD",
        ],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "neo4j",
        title: "Neo4j",
        images: &["neo4j"],
        ports: &[7687, 7474],
        passwords: &["NEO4J_AUTH", "NEO4J_PASSWORD"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[("NEO4J_AUTH", "none")],
    },
    Family {
        id: "minio",
        title: "MinIO",
        images: &["minio"],
        ports: &[9000],
        passwords: &["MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY"],
        options: &[],
        open: false,
        locks: &[],
        listens: &[],
        unlocks: &[],
    },
    Family {
        id: "etcd",
        title: "etcd",
        images: &["etcd"],
        ports: &[2379],
        passwords: &["ETCD_ROOT_PASSWORD"],
        options: &[],
        open: true,
        locks: &["--client-cert-auth", "ETCD_CLIENT_CERT_AUTH"],
        listens: &["--listen-client-urls"],
        unlocks: &[],
    },
];

impl Family {
    /// Returns the family whose image this is.
    ///
    /// The repository's last segments decide, without registry, tag and digest: `docker.io/bitnami/redis:7` is
    /// Redis, `bitnami/redis-exporter` is not.
    pub fn of_image(image: &str) -> Option<&'static Self> {
        let repository = repository(image);
        let last = repository.rsplit('/').next().unwrap_or_default();
        FAMILIES.iter().find(|family| {
            family.images.iter().any(|known| {
                *known == last
                    || known.contains('/')
                        && (repository == *known || repository.ends_with(&format!("/{known}")))
            })
        })
    }
}

/// An image without tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    match image.rfind(':') {
        Some(colon) if !image[colon..].contains('/') => &image[..colon],
        _ => image,
    }
}

/// Whether an image that no family knows is clearly no server of its own: an exporter, a proxy, a console.
pub(super) fn is_companion(image: &str) -> bool {
    const WORDS: &[&str] = &[
        "exporter",
        "proxy",
        "pgbouncer",
        "pgpool",
        "admin",
        "console",
        "client",
        "backup",
        "operator",
        "migrat",
        "commander",
        "express",
        "insight",
        "ui",
        "init",
        "job",
    ];
    let repository = repository(image).to_ascii_lowercase();
    let last = repository.rsplit('/').next().unwrap_or_default();
    last.split(['-', '_', '.']).any(|word| {
        WORDS
            .iter()
            .any(|known| word == *known || known.len() > 4 && word.contains(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_decides_not_the_name_in_it() {
        let family = |image| Family::of_image(image).map(|family| family.id);
        assert_eq!(family("redis:alpine"), Some("redis"));
        assert_eq!(family("registry:5000/library/mysql@sha256:00"), Some("mysql"));
        assert_eq!(
            family("mcr.microsoft.com/mssql/server:2022-latest"),
            Some("mssql")
        );
        assert_eq!(family("example.org/server"), None);
        assert_eq!(family("oliver006/redis_exporter"), None);
        assert_eq!(family("quay.io/prometheuscommunity/postgres-exporter"), None);
        assert_eq!(family("dpage/pgadmin4"), None);
        assert_eq!(family("rediscommander/redis-commander"), None);
    }

    #[test]
    fn companions_are_known_by_a_word() {
        assert!(is_companion("zalando/postgres-operator/pgbouncer") && is_companion("x/mysql-exporter:1"));
        assert!(!is_companion("bank/accounts-db:1") && !is_companion("shop/guidb"));
    }
}
