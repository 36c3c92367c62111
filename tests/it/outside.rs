//! What clients say of hosts: what a host outside is, and that names alone tell nothing.
//!
//! **Trap.** A Service without a selector stands for nothing of the cluster; what leads out does so by its type.

use beachhead::datastores::Origin;

use crate::datastores::{found, told};

const RDS: &str = "type: ExternalName, externalName: orders.abc.eu-west-1.rds.amazonaws.com";
const LEGACY: &str = "type: ExternalName, externalName: legacy.example.com";
const WEB: &str = "type: ExternalName, externalName: api.example.com, ports: [{ port: 8080 }]";

/// What is found of the Service `db` in the namespace `shop` and a client with these variables, values quoted or not.
fn check(service: &str, namespace: &str, variables: &str, expected: &str) {
    let service = match service {
        "" => String::new(),
        spec => format!("apiVersion: v1\nkind: Service\nmetadata: {{ name: db }}\nspec: {{ {spec} }}\n---\n"),
    };
    let pairs = variables.split(' ').filter_map(|pair| pair.split_once('='));
    let env: Vec<String> = pairs
        .map(|(name, value)| format!("{{ name: {name}, value: '{value}' }}"))
        .collect();
    let manifests = format!(
        "{service}apiVersion: v1\nkind: Pod\nmetadata: {{ name: app, namespace: {namespace} }}\n\
         spec: {{ containers: [{{ name: app, image: app, env: [{}] }}] }}\n",
        env.join(", ")
    );
    assert_eq!(
        told(&found(&manifests, "")),
        expected,
        "{service} {namespace} {variables}"
    );
}

#[test]
fn a_host_outside_is_what_its_clients_say_where_its_name_does_not() {
    let of = |basis: &str| format!("{basis}, locked; a password in inline");
    let port = |host: &str, port: &str| format!("DB_HOST={host} DB_PORT={port} DB_PASSWORD=x1");
    let (postgres, mysql) = (of("postgresql by address"), of("mysql by address"));
    check(RDS, "shop", &port("db", "5432"), &postgres);
    check(RDS, "shop", &port("db", "3306"), &mysql);
    check(RDS, "shop", "db.host=db db.port=3306 db.password=x1", &mysql);
    check(RDS, "shop", "dbHost=db dbPort=3306", "mysql by address, locked");
    check(RDS, "shop", &port("db", "8080"), &of("sql by address"));
    check(RDS, "bank", &port("db.shop.svc", "5432"), &postgres);
    check(RDS, "bank", &port("db", "5432"), "sql by address, locked");
    let managed = "orders.abc.eu-west-1.rds.amazonaws.com";
    check("", "shop", &port(managed, "5432"), &postgres);
    check(LEGACY, "shop", "DB=mysql://me:x1@db/shop", &mysql);
    check(LEGACY, "shop", &port("db", "5432"), &of("postgresql by port"));
}

#[test]
fn a_port_that_is_anyones_or_anothers_tells_nothing() {
    for (service, namespace, variables) in [
        (LEGACY, "shop", "DB_HOST=db DB_PORT=443"),
        (LEGACY, "shop", "DB_HOST=db DB_PORT=8080"),
        (LEGACY, "shop", "DB_HOST=db WEB_PORT=5432"),
        (LEGACY, "bank", "DB_HOST=db DB_PORT=5432"),
        (WEB, "shop", "API_HOST=db"),
        ("", "shop", "DB_HOST=legacy.example.com DB_PORT=5432"),
        ("ports: [{ port: 5432 }]", "shop", "DB_HOST=db DB_PORT=5432"),
    ] {
        check(service, namespace, variables, "nothing");
    }
}

#[test]
fn the_name_of_a_release_is_no_database() {
    for name in ["mysql", "redis", "postgresql"] {
        let release = format!("app.kubernetes.io/instance: {name}");
        let web = "app.kubernetes.io/name: web";
        let manifests = format!(
            "apiVersion: v1
kind: Service
metadata: {{ name: {name}, labels: {{ {release}, {web} }} }}
spec: {{ selector: {{ {release} }}, ports: [{{ port: 8080 }}] }}
---
apiVersion: v1
kind: Pod
metadata: {{ name: {name}-web-0, labels: {{ {release}, {web} }} }}
spec: {{ containers: [{{ name: {name}, image: my-app/web, ports: [{{ name: {name}, containerPort: 8080 }}] }}] }}
---
apiVersion: k8s.mariadb.com/v1alpha1
kind: MariaDB
metadata: {{ name: other }}
---
apiVersion: v1
kind: Pod
metadata: {{ name: client }}
spec: {{ containers: [{{ name: app, image: app, env: [{{ name: DB_HOST, value: {name} }}, {{ name: DB_PASSWORD, value: x1 }}] }}] }}
"
        );
        let found = found(&manifests, "");
        let ids: Vec<String> = found.iter().map(|one| one.workload.to_string()).collect();
        assert_eq!(ids, ["MariaDB/shop/other"], "{name}");
        assert!(
            found[0]
                .passwords
                .iter()
                .all(|password| password.origin != Origin::Inline)
        );
    }
}
