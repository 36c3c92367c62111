//! Datastores over real images' contracts: what each is, who is let in, where its password stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use beachhead::collect::read_text;
use beachhead::datastores::{Datastore, Door, Families, Origin, Presence, Settings, User, datastores};
use beachhead::model::Cluster;
use expect_test::{Expect, expect};

fn cluster(manifests: &str) -> Cluster {
    read_text("db.yaml", manifests, "shop").0
}

pub(crate) fn found(manifests: &str, settings: &str) -> Vec<Datastore> {
    let settings = Settings::parse("beachhead.toml", settings).expect("settings");
    datastores(&cluster(manifests), &settings)
}

fn pod(container: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: db }}\nspec: {{ containers: [{{ name: db, {container} }}] }}\n"
    )
}

/// What a container is taken for: family, door and passwords on one line.
fn line(container: &str) -> String {
    told(&found(&pod(container), ""))
}

pub(crate) fn told(all: &[Datastore]) -> String {
    let Some(one) = all.first() else {
        return "nothing".to_owned();
    };
    let mut text = format!("{} by {}, ", one.family.id, one.basis.as_str());
    match &one.door {
        Door::Locked => text.push_str("locked"),
        Door::Open(fact, None) => _ = write!(text, "open as {}", fact.value),
        Door::Open(_, Some(condition)) => _ = write!(text, "open if {condition}"),
    }
    for password in &one.passwords {
        let place = match &password.origin {
            Origin::Inline => "inline".to_owned(),
            Origin::Secret(name, key) => format!("Secret {name}/{key}"),
            Origin::ConfigMap(name, key) => format!("ConfigMap {name}/{key}"),
        };
        let user = match password.user {
            User::Unknown => "a",
            user => user.as_str(),
        };
        _ = write!(text, "; {user} password in {place}");
        match &password.presence {
            Presence::Seen => {}
            Presence::Made => text.push_str(" as made"),
            Presence::Depends(condition) => _ = write!(text, " if {condition}"),
        }
    }
    text
}

fn check(table: &[(&str, &str)]) {
    for (container, expected) in table {
        assert_eq!(line(container), *expected, "{container}");
    }
}

const SECRET: &str = "valueFrom: { secretKeyRef: { name: s, key: k } }";

#[test]
fn relational_databases_ask_as_their_images_do() {
    check(&[
        ("image: \"postgres:17\"", "postgresql by image, locked"),
        (
            "image: \"postgres:17\", env: [{ name: POSTGRES_HOST_AUTH_METHOD, value: trust }, { name: POSTGRES_PASSWORD, value: x1 }]",
            "postgresql by image, open as POSTGRES_HOST_AUTH_METHOD=trust; the superuser's password in inline",
        ),
        (
            &format!("image: \"bitnami/postgresql:16\", env: [{{ name: POSTGRESQL_PASSWORD, {SECRET} }}]"),
            "postgresql by image, locked; an application user's password in Secret s/k",
        ),
        (
            "image: \"ghcr.io/zalando/spilo-17:4.0-p2\", env: [{ name: PGPASSWORD_SUPERUSER, value: x1 }, { name: PGPASSWORD_STANDBY, valueFrom: { secretKeyRef: { name: s, key: standby } } }]",
            "postgresql by image, locked; the superuser's password in inline; the replication user's password in Secret s/standby",
        ),
        (
            "image: \"bitnami/postgresql:16\", env: [{ name: ALLOW_EMPTY_PASSWORD, value: \"yes\" }]",
            "postgresql by image, open as ALLOW_EMPTY_PASSWORD=yes",
        ),
        (
            &format!(
                "image: \"mysql:8\", env: [{{ name: MYSQL_ROOT_PASSWORD, {SECRET} }}, {{ name: MYSQL_ALLOW_EMPTY_PASSWORD, value: \"yes\" }}]"
            ),
            "mysql by image, locked; the superuser's password in Secret s/k",
        ),
        (
            "image: \"mysql:8\", args: [--skip-grant-tables], env: [{ name: MYSQL_ROOT_PASSWORD, value: x1 }]",
            "mysql by image, open as --skip-grant-tables; the superuser's password in inline",
        ),
        (
            "image: \"mariadb:11\", env: [{ name: MARIADB_ALLOW_EMPTY_ROOT_PASSWORD, value: \"1\" }]",
            "mariadb by image, open as MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1",
        ),
        (
            "image: \"mariadb:11\", env: [{ name: MARIADB_ALLOW_EMPTY_ROOT_PASSWORD, value: \"false\" }, { name: MARIADB_ROOT_PASSWORD, value: x1 }]",
            "mariadb by image, locked; the superuser's password in inline",
        ),
        (
            "image: \"cockroachdb/cockroach:v24\", args: [start-single-node, --insecure]",
            "cockroachdb by image, open as --insecure",
        ),
        (
            "image: \"cockroachdb/cockroach:v24\", args: [start]",
            "cockroachdb by image, locked",
        ),
        (
            "image: \"pingcap/tidb:v8\"",
            "tidb by image, open if root still has the empty password that it comes with",
        ),
        (
            "image: \"yugabytedb/yugabyte:2024\"",
            "yugabytedb by image, open as yugabytedb/yugabyte:2024",
        ),
        (
            "image: \"yugabytedb/yugabyte:2024\", args: [--ysql_enable_auth=true]",
            "yugabytedb by image, locked",
        ),
        (
            &format!(
                "image: \"mcr.microsoft.com/mssql/server:2022-latest\", env: [{{ name: MSSQL_SA_PASSWORD, {SECRET} }}]"
            ),
            "mssql by image, locked; the superuser's password in Secret s/k",
        ),
        (
            &format!("image: \"gvenzl/oracle-free:23\", env: [{{ name: APP_USER_PASSWORD, {SECRET} }}]"),
            "oracle by image, locked; an application user's password in Secret s/k",
        ),
        ("image: \"icr.io/db2_community/db2:11\"", "db2 by image, locked"),
    ]);
}

#[test]
fn stores_without_tables_ask_as_their_images_do() {
    check(&[
        ("image: \"mongo:7\"", "mongodb by image, open as mongo:7"),
        ("image: \"mongo:7\", args: [--auth]", "mongodb by image, locked"),
        (
            &format!("image: \"mongo:7\", env: [{{ name: MONGO_INITDB_ROOT_PASSWORD, {SECRET} }}]"),
            "mongodb by image, locked; the superuser's password in Secret s/k",
        ),
        (
            &format!("image: \"mongo:7\", env: [{{ name: MONGODB_PASSWORD, {SECRET} }}]"),
            "mongodb by image, open if the image does not read MONGODB_PASSWORD; an application user's password in Secret s/k",
        ),
        ("image: \"redis:7\"", "redis by image, open as redis:7"),
        (
            "image: \"redis:7\", args: [--requirepass, \"\"]",
            "redis by image, open as redis:7",
        ),
        (
            "image: \"redis:7\", args: [--requirepass, x1]",
            "redis by image, locked; a password in inline",
        ),
        (
            "image: \"redis:7\", args: [--protected-mode, \"no\"]",
            "redis by image, open as redis:7",
        ),
        (
            "image: \"redis:7\", args: [--protected-mode, \"yes\"]",
            "redis by image, locked",
        ),
        (
            "image: \"redis:7\", command: [redis-server, /etc/redis.conf]",
            "redis by image, open if /etc/redis.conf asks for no password",
        ),
        (
            &format!("image: \"bitnami/valkey:8\", env: [{{ name: VALKEY_PASSWORD, {SECRET} }}]"),
            "valkey by image, locked; the superuser's password in Secret s/k",
        ),
    ]);
}

#[test]
fn wide_stores_and_indexes_ask_as_their_images_do() {
    check(&[
        (
            "image: \"memcached:1\"",
            "memcached by image, open as memcached:1",
        ),
        ("image: \"memcached:1\", args: [-S]", "memcached by image, locked"),
        (
            "image: \"cassandra:5\"",
            "cassandra by image, open as cassandra:5",
        ),
        (
            "image: \"scylladb/scylla:6\"",
            "scylladb by image, open as scylladb/scylla:6",
        ),
        (
            "image: \"elasticsearch:8.14.0\"",
            "elasticsearch by image, locked",
        ),
        (
            "image: \"elasticsearch:7.17.0\"",
            "elasticsearch by image, open as elasticsearch:7.17.0",
        ),
        (
            "image: \"elasticsearch:8.14.0\", env: [{ name: xpack.security.enabled, value: \"false\" }]",
            "elasticsearch by image, open as xpack.security.enabled=false",
        ),
        (
            "image: \"opensearchproject/opensearch:2\", env: [{ name: DISABLE_SECURITY_PLUGIN, value: \"true\" }]",
            "opensearch by image, open as DISABLE_SECURITY_PLUGIN=true",
        ),
        (
            "image: \"influxdb:1.8\"",
            "influxdb by image, open as influxdb:1.8",
        ),
        ("image: \"influxdb:2.7\"", "influxdb by image, locked"),
        (
            "image: \"neo4j:5\", env: [{ name: NEO4J_AUTH, value: none }]",
            "neo4j by image, open as NEO4J_AUTH=none",
        ),
        (
            &format!("image: \"couchdb:3\", env: [{{ name: COUCHDB_PASSWORD, {SECRET} }}]"),
            "couchdb by image, locked; the superuser's password in Secret s/k",
        ),
        ("image: \"couchbase/server:7\"", "couchbase by image, locked"),
        (
            "image: \"clickhouse/clickhouse-server:24\"",
            "clickhouse by image, locked",
        ),
        (
            "image: \"registry.k8s.io/etcd:3.5\"",
            "etcd by image, open as registry.k8s.io/etcd:3.5",
        ),
        (
            "image: \"registry.k8s.io/etcd:3.5\", command: [etcd, --client-cert-auth=true]",
            "etcd by image, locked",
        ),
    ]);
}

#[test]
fn those_who_pack_an_image_may_leave_it_open() {
    check(&[
        (
            "image: \"bitnami/elasticsearch:8\", env: [{ name: ELASTICSEARCH_PASSWORD, value: x1 }]",
            "elasticsearch by image, open as bitnami/elasticsearch:8; the superuser's password in inline",
        ),
        (
            "image: \"bitnami/elasticsearch:8\", env: [{ name: ELASTICSEARCH_ENABLE_SECURITY, value: \"true\" }, { name: ELASTICSEARCH_PASSWORD, value: x1 }]",
            "elasticsearch by image, locked; the superuser's password in inline",
        ),
        (
            "image: \"bitnami/opensearch:2\"",
            "opensearch by image, open as bitnami/opensearch:2",
        ),
    ]);
}

#[test]
fn queues_and_objects_ask_as_their_images_do() {
    check(&[
        (
            "image: \"apache/kafka:3.8\"",
            "kafka by image, open as apache/kafka:3.8",
        ),
        (
            "image: \"apache/kafka:3.8\", env: [{ name: KAFKA_LISTENER_SECURITY_PROTOCOL_MAP, value: \"CLIENT:SASL_PLAINTEXT\" }]",
            "kafka by image, locked",
        ),
        ("image: \"nats:2\"", "nats by image, open as nats:2"),
        (
            "image: \"nats:2\", args: [-c, /etc/nats.conf]",
            "nats by image, open if /etc/nats.conf asks for no password",
        ),
        (
            "image: \"rabbitmq:4\"",
            "rabbitmq by image, open if nobody changed the password that RabbitMQ comes with",
        ),
        (
            "image: \"minio/minio:latest\", args: [server, /data]",
            "minio by image, open if nobody changed the password that MinIO comes with",
        ),
        (
            &format!("image: \"minio/minio:latest\", env: [{{ name: MINIO_ROOT_PASSWORD, {SECRET} }}]"),
            "minio by image, locked; the superuser's password in Secret s/k",
        ),
        ("image: \"hashicorp/vault:1.18\"", "vault by image, locked"),
    ]);
}

/// A family's three forms; `forms.toml` says what each member means.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Forms {
    asks: Option<String>,
    open: Option<String>,
    unknown: Option<String>,
    no_asks: Option<String>,
    no_open: Option<String>,
    no_unknown: Option<String>,
}

#[test]
fn every_family_has_its_three_forms_or_says_why_not() {
    let forms: BTreeMap<String, Forms> =
        toml::from_str(include_str!("../datastores/forms.toml")).expect("forms");
    let families: BTreeSet<&str> = Families::built_in()
        .iter()
        .map(|family| family.id.as_str())
        .collect();
    assert_eq!(
        forms.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        families
    );
    for (id, forms) in &forms {
        for (form, container, why) in [
            ("asks", &forms.asks, &forms.no_asks),
            ("open", &forms.open, &forms.no_open),
            ("unknown", &forms.unknown, &forms.no_unknown),
        ] {
            let Some(container) = container else {
                assert!(why.as_ref().is_some_and(|why| why.len() > 10), "{id}: {form}");
                continue;
            };
            assert!(why.is_none(), "{id}: {form}");
            let manifest = pod(container).replace(
                "] }\n",
                "], volumes: [{ name: hidden, secret: { secretName: hidden } }] }\n",
            );
            let all = found(&manifest, "");
            let one = all.first().unwrap_or_else(|| panic!("{id}: {container} is none"));
            let is = match &one.door {
                Door::Locked => "asks",
                Door::Open(_, None) => "open",
                Door::Open(_, Some(_)) => "unknown",
            };
            assert_eq!(
                (one.family.id.as_str(), is),
                (id.as_str(), form),
                "{container}: {}",
                told(&all)
            );
        }
    }
}

/// A server whose settings stand in a file: `key` is mounted as `path`, and `args` are its command line.
fn with_file(image: &str, args: &str, path: &str, text: &str) -> String {
    let text = serde_json::to_string(text).expect("a string");
    let map =
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: m }}\ndata: {{ file: {text} }}\n");
    pod_with_volume(image, args, path, "configMap: { name: m }") + &map
}

fn pod_with_volume(image: &str, args: &str, path: &str, volume: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: db }}\nspec: {{ containers: [{{ name: db, image: \"{image}\", args: [{args}], volumeMounts: [{{ name: v, mountPath: {path}, subPath: file }}] }}], volumes: [{{ name: v, {volume} }}] }}\n"
    )
}

/// An image, its arguments, where the file is mounted, the file, and what the server is taken for.
const FILES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "redis:7",
        "/c/redis.conf",
        "/c/redis.conf",
        "port 1\nrequirepass canary\n",
        "redis by image, locked; a password in ConfigMap m/file",
    ),
    (
        "redis:7",
        "/c/redis.conf",
        "/c/redis.conf",
        "port 1\nappendonly yes\n",
        "redis by image, open as redis:7",
    ),
    (
        "redis:7",
        "",
        "/c/redis.conf",
        "port 1\nrequirepass canary\n",
        "redis by image, open as redis:7",
    ),
    (
        "redis:7",
        "/c/redis.conf",
        "/c/redis.conf",
        "port 1\nprotected-mode yes\n",
        "redis by image, locked",
    ),
    (
        "valkey/valkey:8",
        "--aclfile, /c/users.acl",
        "/c/users.acl",
        "user default on >canary ~* +@all\n",
        "valkey by image, locked",
    ),
    (
        "postgres:17",
        "-c, hba_file=/c/pg_hba.conf",
        "/c/pg_hba.conf",
        "local all all trust\nhost all all all trust\n",
        "postgresql by image, open as hba.trust=all all all",
    ),
    (
        "postgres:17",
        "-c, hba_file=/c/pg_hba.conf",
        "/c/pg_hba.conf",
        "local all all trust\nhost all all all md5\n",
        "postgresql by image, locked",
    ),
    (
        "postgres:17",
        "-c, hba_file=/c/pg_hba.conf",
        "/c/pg_hba.conf",
        "host all all 10.0.0.0/8 trust\nhost all all all md5\n",
        "postgresql by image, open if the sender is one that hba.trust-from=all all 10.0.0.0/8 means",
    ),
    (
        "mysql:8",
        "",
        "/etc/mysql/conf.d/x.cnf",
        "[mysqld]\nskip-grant-tables\n",
        "mysql by image, open as mysqld.skip-grant-tables=on",
    ),
    (
        "mysql:8",
        "",
        "/etc/mysql/conf.d/x.cnf",
        "[client]\nskip-grant-tables\n",
        "mysql by image, locked",
    ),
    (
        "mongo:7",
        "--config, /c/mongod.conf",
        "/c/mongod.conf",
        "security:\n  authorization: enabled\n",
        "mongodb by image, locked",
    ),
    (
        "mongo:7",
        "--config, /c/mongod.conf",
        "/c/mongod.conf",
        "security:\n  authorization: disabled\n",
        "mongodb by image, open as mongo:7",
    ),
    (
        "eclipse-mosquitto:2",
        "",
        "/mosquitto/config/mosquitto.conf",
        "listener 1883\nallow_anonymous true\n",
        "mosquitto by image, open as allow_anonymous=true",
    ),
    (
        "eclipse-mosquitto:2",
        "",
        "/mosquitto/config/mosquitto.conf",
        "listener 1883\npassword_file /x\n",
        "mosquitto by image, locked",
    ),
    (
        "elasticsearch:8.14.0",
        "",
        "/usr/share/elasticsearch/config/elasticsearch.yml",
        "cluster.name: x\nxpack.security.enabled: false\n",
        "elasticsearch by image, open as xpack.security.enabled=false",
    ),
    (
        "elasticsearch:7.17.0",
        "",
        "/usr/share/elasticsearch/config/elasticsearch.yml",
        "xpack:\n  security:\n    enabled: true\n",
        "elasticsearch by image, locked",
    ),
    (
        "opensearchproject/opensearch:2",
        "",
        "/usr/share/opensearch/config/opensearch.yml",
        "a: b\nplugins.security.disabled: true\n",
        "opensearch by image, open as plugins.security.disabled=true",
    ),
    (
        "cassandra:5",
        "",
        "/etc/cassandra/cassandra.yaml",
        "a: b\nauthenticator: PasswordAuthenticator\n",
        "cassandra by image, locked",
    ),
    (
        "cassandra:5",
        "",
        "/etc/cassandra/cassandra.yaml",
        "a: b\nauthenticator: AllowAllAuthenticator\n",
        "cassandra by image, open as authenticator=AllowAllAuthenticator",
    ),
    (
        "clickhouse/clickhouse-server:24",
        "",
        "/etc/clickhouse-server/users.d/x.xml",
        "<clickhouse>\n<users><default><password></password></default></users></clickhouse>\n",
        "clickhouse by image, open if the image leaves a user without a password open to the network",
    ),
    (
        "clickhouse/clickhouse-server:24",
        "",
        "/etc/clickhouse-server/users.d/x.xml",
        "<clickhouse>\n<users><default><password>canary</password></default></users></clickhouse>\n",
        "clickhouse by image, locked; a password in ConfigMap m/file",
    ),
    (
        "nats:2",
        "-c, /c/nats.conf",
        "/c/nats.conf",
        "port: 4222\nauthorization {\n  token: canary\n}\n",
        "nats by image, locked; a password in ConfigMap m/file",
    ),
    (
        "nats:2",
        "-c, /c/nats.conf",
        "/c/nats.conf",
        "port: 4222\njetstream { }\n",
        "nats by image, open as nats:2",
    ),
    (
        "rabbitmq:4",
        "",
        "/etc/rabbitmq/rabbitmq.conf",
        "a = b\nloopback_users.guest = true\n",
        "rabbitmq by image, locked",
    ),
    (
        "apache/kafka:3.8",
        "",
        "/mnt/shared/config/server.properties",
        "a=b\nlisteners=SASL_SSL://:9092\n",
        "kafka by image, locked",
    ),
    (
        "apache/kafka:3.8",
        "",
        "/mnt/shared/config/server.properties",
        "a=b\nlisteners=PLAINTEXT://:9092\n",
        "kafka by image, open as apache/kafka:3.8",
    ),
    (
        "influxdb:1.8",
        "",
        "/etc/influxdb/influxdb.conf",
        "[http]\nauth-enabled = true\n",
        "influxdb by image, locked",
    ),
    (
        "neo4j:5",
        "",
        "/conf/neo4j.conf",
        "a=b\ndbms.security.auth_enabled=false\n",
        "neo4j by image, open as dbms.security.auth_enabled=false",
    ),
    (
        "couchdb:2",
        "",
        "/opt/couchdb/etc/local.d/x.ini",
        "[admins]\nadmin = canary\n",
        "couchdb by image, locked; a password in ConfigMap m/file",
    ),
    (
        "solr:9",
        "",
        "/var/solr/data/security.json",
        "{\n\"authentication\": {\n\"class\": \"solr.BasicAuthPlugin\"\n}\n}\n",
        "solr by image, locked",
    ),
    (
        "qdrant/qdrant:v1",
        "",
        "/qdrant/config/production.yaml",
        "service:\n  api_key: canary\n",
        "qdrant by image, locked; a password in ConfigMap m/file",
    ),
];

#[test]
fn files_of_settings_decide_where_the_server_reads_them() {
    for (image, args, path, text, expected) in FILES {
        let all = found(&with_file(image, args, path, text), "");
        assert_eq!(told(&all), *expected, "{image} {text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_a_condition() {
    for (image, args, path, volume, expected) in [
        (
            "redis:7",
            "/c/redis.conf",
            "/c/redis.conf",
            "secret: { secretName: s }",
            "redis by image, open if /c/redis.conf asks for no password; a password in Secret s/file if /c/redis.conf holds a password",
        ),
        (
            "redis:7",
            "/c/redis.conf",
            "/c/redis.conf",
            "configMap: { name: absent }",
            "redis by image, open if /c/redis.conf asks for no password; a password in ConfigMap absent/file if /c/redis.conf holds a password",
        ),
        (
            "postgres:17",
            "-c, hba_file=/c/pg_hba.conf",
            "/c/pg_hba.conf",
            "secret: { secretName: s }",
            "postgresql by image, open if /c/pg_hba.conf lets in without a password",
        ),
        (
            "mysql:8",
            "",
            "/etc/my.cnf",
            "secret: { secretName: s }",
            "mysql by image, locked",
        ),
        (
            "redis:7",
            "/c/redis.conf",
            "/c",
            "emptyDir: {}",
            "redis by image, open if /c/redis.conf asks for no password",
        ),
    ] {
        let all = found(&pod_with_volume(image, args, path, volume), "");
        assert_eq!(told(&all), expected, "{image} {volume}");
    }
}

#[test]
fn a_server_that_a_file_keeps_to_itself_has_no_port() {
    let ports = |text| {
        found(&with_file("redis:7", "/c/redis.conf", "/c/redis.conf", text), "")[0]
            .ports
            .clone()
    };
    assert!(ports("port 6379\nbind 127.0.0.1 -::1\n").is_empty());
    assert_eq!(ports("port 6379\nbind * -::*\n"), [6379]);
}

#[test]
fn what_only_looks_like_one_is_none() {
    for container in [
        "image: \"bitnami/postgres-exporter:0\", ports: [{ containerPort: 5432 }]",
        "image: \"oliver006/redis_exporter\", ports: [{ containerPort: 6379 }], env: [{ name: REDIS_PASSWORD, value: x1 }]",
        "image: \"dpage/pgadmin4\", env: [{ name: POSTGRES_PASSWORD, value: x1 }], ports: [{ containerPort: 5432 }]",
        "image: \"example.org/metadata-db:1\", ports: [{ containerPort: 8080 }]",
        "image: \"example.org/mysql-proxy\", ports: [{ containerPort: 3306 }], env: [{ name: MYSQL_PASSWORD, value: x1 }]",
        "image: \"example.org/app\", env: [{ name: POSTGRES_PASSWORD, value: x1 }]",
        "image: \"postgres:17\", command: [sh, -c, \"until pg_isready -h db; do sleep 1; done\"]",
        "image: \"redis:7\", command: [redis-cli, -h, cache, monitor]",
        "image: \"redis:7\", command: [redis-server, /redis/sentinel.conf, --sentinel]",
        "image: \"mongo:7\", args: [mongodump, --host, db]",
        "image: \"quay.io/strimzi/operator:0.44\"",
        "image: \"example.org/mysql:1/\"",
    ] {
        assert_eq!(line(container), "nothing", "{container}");
    }
    let started =
        line("image: \"postgres:17\", command: [sh, -c, \"pg_isready; exec docker-entrypoint.sh postgres\"]");
    assert_eq!(started, "postgresql by image, locked");
}

fn databases(settings: &str, expected: &Expect) {
    let manifests = "
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: orders, annotations: { beachhead.dev/data: payment, beachhead.dev/worth: \"9\" } }
spec: { template: { spec: { containers: [{ name: db, image: \"postgres:17\" }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cache }
spec: { template: { spec: { containers: [{ name: db, image: \"redis:7\" }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: legacy }
spec: { template: { spec: { containers: [{ name: db, image: \"example.org/legacy:1\" }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: own, annotations: { beachhead.dev/worth: \"0\" } }
spec: { template: { spec: { containers: [{ name: db, image: \"example.org/shopdb:1\" }] } } }
";
    let mut text = String::new();
    for one in found(manifests, settings) {
        let importance = &one.importance;
        let jewel = if importance.is_jewel { "" } else { ", no jewel" };
        let data = match importance.data.as_str() {
            "" => String::new(),
            data => format!(", {data} data"),
        };
        let _ = writeln!(
            text,
            "{}: {} by {}, worth {}{data}{jewel}",
            one.workload,
            one.family.id,
            one.basis.as_str(),
            importance.worth
        );
    }
    expected.assert_eq(&text);
}

#[test]
fn settings_name_rate_and_exclude() {
    databases(
        "",
        &expect![[r#"
        Deployment/shop/cache: redis by image, worth 5
        StatefulSet/shop/orders: postgresql by image, worth 9, payment data
    "#]],
    );
    let settings = r#"
[jewels]
exclude = ["cache"]
[[databases]]
name = "shop/legacy"
family = "db2"
data = "personal"
worth = 10
[[databases]]
name = "StatefulSet/shop/orders"
worth = 7
[families]
shopdb = { title = "Shop's own", images = ["shopdb"], ports = [7000], open = true }
"#;
    databases(
        settings,
        &expect![[r#"
        Deployment/shop/cache: redis by image, worth 5, no jewel
        Deployment/shop/legacy: db2 by settings, worth 10, personal data
        Deployment/shop/own: shopdb by image, worth 1
        StatefulSet/shop/orders: postgresql by image, worth 7, payment data
    "#]],
    );
}

#[test]
fn hostile_settings_of_containers_take_linear_time() {
    const MANY: usize = 4_000;
    let mut env = String::new();
    for number in 0..MANY {
        let _ = write!(
            env,
            "{{ name: DB_HOST_{number}, value: \"db\" }}, {{ name: DB_PASSWORD_{number}, {SECRET} }}, "
        );
    }
    let bomb = format!("postgres://{}@db:5432/x", "%25".repeat(1 << 20));
    let manifests = format!(
        "{}---\napiVersion: v1\nkind: Service\nmetadata: {{ name: db }}\nspec: {{ selector: {{ a: b }} }}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: web }}\nspec: {{ containers: [{{ name: web, image: web, env: [{env}{{ name: URL, value: \"{bomb}\" }}] }}] }}\n",
        pod("image: \"postgres:17\"").replace("name: db }", "name: db, labels: { a: b } }")
    );
    let start = Instant::now();
    let all = found(&manifests, "");
    assert!(all.iter().any(|one| one.passwords.len() >= MANY));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
