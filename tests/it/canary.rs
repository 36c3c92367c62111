//! Canaries: values of Secrets and passwords in every place where inputs hold them, and no output that shows one.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use beachhead::cli;

/// A password with signs that every encoding changes.
const CANARY: &str = "c4nary+Pass/w0rd~Q9";

fn base64(bytes: &[u8], alphabet: &str) -> String {
    let signs: Vec<char> = alphabet.chars().collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(signs[(bits >> (18 - 6 * place)) as usize & 63]);
        }
    }
    text
}

const STANDARD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The canary in plain text, base64 (at each of three offsets), URL encoding and hexadecimal digits, as long as it is
/// certain to be no accident.
fn forms() -> Vec<String> {
    let mut forms = vec![CANARY.to_owned(), CANARY[..12].to_owned()];
    for offset in 0..3 {
        for alphabet in [STANDARD, FOR_URLS] {
            let text = format!("{}{CANARY}", &"aaa"[..offset]);
            let encoded = base64(text.as_bytes(), alphabet);
            // Without the signs that neighbours change.
            forms.push(encoded[(offset * 4).div_ceil(3)..encoded.len() - 2].to_owned());
        }
    }
    let twice = base64(base64(CANARY.as_bytes(), STANDARD).as_bytes(), STANDARD);
    forms.push(twice[..twice.len() - 4].to_owned());
    let mut url = String::new();
    let mut hex = String::new();
    for byte in CANARY.bytes() {
        let _ = write!(hex, "{byte:02x}");
        match byte {
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => _ = write!(url, "%{byte:02X}"),
        }
    }
    forms.extend([url.to_ascii_lowercase(), url, hex.to_ascii_uppercase(), hex]);
    forms
}

/// Servers that read their settings from files of the ConfigMap.
const SERVERS: &str = r#"
---
kind: Pod
apiVersion: v1
metadata: { name: cache }
spec:
  containers:
  - { name: redis, image: "redis:7", args: [/etc/m/redis.conf, --aclfile, /etc/m/users.acl], volumeMounts: [{ name: m, mountPath: /etc/m }] }
  - { name: nats, image: "nats:2", args: [-c, /etc/m/nats.conf], volumeMounts: [{ name: m, mountPath: /etc/m }] }
  - { name: kafka, image: "apache/kafka", command: [kafka-server-start.sh, /etc/m/server.properties], volumeMounts: [{ name: m, mountPath: /etc/m }] }
  volumes: [{ name: m, configMap: { name: m } }]
"#;

fn manifests() -> String {
    let encoded = base64(CANARY.as_bytes(), STANDARD);
    let url: String = CANARY.bytes().fold(String::new(), |mut url, byte| {
        match byte {
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => _ = write!(url, "%{byte:02X}"),
        }
        url
    });
    format!(
        r#"
kind: Secret
apiVersion: v1
metadata:
  name: s
  annotations: {{ kubectl.kubernetes.io/last-applied-configuration: '{{"data":{{"k":"{encoded}"}},"stringData":{{"p":"{CANARY}"}}}}' }}
data: {{ k: {encoded}, token: "{encoded}" }}
stringData: {{ password: "{CANARY}", file.conf: "a\nrequirepass {CANARY}\n" }}
---
kind: Secret
apiVersion: v1
metadata: {{ name: broken }}
type: ["{CANARY}"]
stringData: "{CANARY}"
---
kind: Secret
apiVersion: v1
metadata: {{ name: torn
stringData: {{ a: "{CANARY}" 
---
kind: ConfigMap
apiVersion: v1
metadata: {{ name: m }}
data:
  DB_PASSWORD: "{CANARY}"
  URI: "postgres://me:{url}@db:5432/x"
  GO_DSN: "root:{CANARY}@tcp(db:3306)/shop"
  ADO: "Server=db;User Id=sa;Password={CANARY};"
  redis.conf: |
    port 6379
    requirepass {CANARY}
  users.acl: "user default on >{CANARY} ~* +@all"
  my.cnf: "[mysqld]\nskip-grant-tables\n[client]\npassword={CANARY}\n"
  nats.conf: "authorization {{ token: {CANARY} }}\naccounts: {{ A: {{ users: [ {{ user: a, password: {CANARY} }} ] }} }}\n"
  users.xml: "<clickhouse>\n<users><default><password>{CANARY}</password></default></users></clickhouse>"
  server.properties: "a=b\nsasl.jaas.config=x required password=\"{CANARY}\";\nlisteners=SASL://h:1\n"
  pg_hba.conf: "host all all all ldap ldapbindpasswd={CANARY}\nhost all all 10.0.0.0/8 trust\n"
binaryData: {{ bin: {encoded} }}
---
kind: Pod
apiVersion: v1
metadata: {{ name: web, labels: {{ app: web }} }}
spec:
  containers:
  - name: web
    image: web
    ports: [{{ containerPort: 80 }}]
    command: [sh, -c, "redis-cli -h db --password={CANARY} ping"]
    args: [--db-password, "{CANARY}", "--api-token={CANARY}", "--dsn=me:{CANARY}@tcp(db:1)/x"]
    envFrom: [{{ configMapRef: {{ name: m }} }}, {{ secretRef: {{ name: s }} }}]
    env:
    - {{ name: DB_HOST, value: db }}
    - {{ name: DB_PASSWORD, value: "{CANARY}" }}
    - {{ name: REDIS_URL, value: "redis://:{url}@db:6379" }}
    - {{ name: MYSQL_DSN, value: "root:{CANARY}@tcp(db:3306)/shop" }}
    - {{ name: ORACLE, value: "jdbc:oracle:thin:me/{CANARY}@db:1521/x" }}
    - {{ name: CONNECTION, value: "Server=db;Password={CANARY};" }}
    - {{ name: PGPASSWORD, valueFrom: {{ secretKeyRef: {{ name: s, key: password }} }} }}
---
kind: Service
apiVersion: v1
metadata: {{ name: web }}
spec: {{ type: LoadBalancer, selector: {{ app: web }}, ports: [{{ port: 80 }}] }}
---
kind: Service
apiVersion: v1
metadata: {{ name: db }}
spec: {{ selector: {{ app: db }}, ports: [{{ port: 5432 }}] }}
---
kind: Pod
apiVersion: v1
metadata: {{ name: db, labels: {{ app: db }} }}
spec: {{ containers: [{{ name: db, image: "postgres:17", env: [{{ name: POSTGRES_PASSWORD, value: "{CANARY}" }}] }}] }}
---
kind: postgresql
apiVersion: acid.zalan.do/v1
metadata: {{ name: acid }}
spec: {{ users: {{ me: ["{CANARY}"] }}, password: "{CANARY}", env: [{{ name: X, value: "{CANARY}" }}] }}
---
{{ kind: OperatorConfiguration, apiVersion: acid.zalan.do/v1, metadata: {{ name: settings }}, configuration: {{ logical_backup: {{ logical_backup_s3_secret_access_key: "{CANARY}" }}, kubernetes: {{ pod_environment_secret: s, other: "{CANARY}", users: ["{CANARY}"] }} }} }}
---
kind: CouchbaseCluster
apiVersion: couchbase.com/v2
metadata: {{ name: cb }}
spec: {{ security: {{ adminSecret: s, password: "{CANARY}" }} }}
---
{{ kind: SealedSecret, apiVersion: bitnami.com/v1alpha1, metadata: {{ name: sealed }}, spec: {{ encryptedData: {{ a: "{encoded}" }} }} }}
"#
    )
}

/// Runs a command and returns all that it wrote to its streams.
fn run(arguments: &[&str]) -> String {
    let arguments = [&["beachhead"], arguments].concat();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    cli::run(
        arguments.iter().map(OsString::from),
        &mut io::empty(),
        &mut out,
        &mut err,
    );
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&err)
    )
}

fn assert_none(what: &str, output: &str) {
    for form in forms() {
        if let Some(at) = output.find(&form) {
            let start = output.floor_char_boundary(at.saturating_sub(120));
            panic!("{what} shows {form}: {}", &output[start..at + form.len()]);
        }
    }
}

fn commands(input: &str) -> Vec<Vec<&str>> {
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for format in ["text", "json", "markdown", "sarif", "junit"] {
        commands.push(vec!["report", input, "--format", format]);
    }
    for format in ["json", "dot", "svg", "graphml", "opengraph", "mermaid"] {
        commands.push(vec!["graph", input, "--format", format]);
    }
    for format in ["text", "json"] {
        commands.extend([
            vec!["paths", input, "--to", "Database/default/db", "--format", format],
            vec![
                "paths",
                input,
                "--from",
                "Pod/default/web",
                "--to",
                "Secret/default/s",
                "--format",
                format,
            ],
            vec![
                "query",
                input,
                "MATCH (a)-[r]->(b) RETURN a, r, b",
                "--format",
                format,
            ],
            vec!["reach", input, "--all", "--format", format],
            vec!["who-can", input, "get", "secrets", "--format", format],
        ]);
    }
    commands.extend([
        vec!["paths", input, "--to", "Database/default/none"],
        vec!["paths", input, "--explain-absent", "POD_EXEC", "default/web"],
        vec!["query", input, "MATCH (s:Secret) RETURN properties(s)"],
        vec!["can-i", input, "get", "secrets", "--as", "me"],
        vec!["explain", "DATABASE_LOGIN"],
    ]);
    commands
}

#[test]
fn the_forms_are_found_where_they_are() {
    for text in [
        CANARY.to_owned(),
        base64(format!("x{CANARY}yz").as_bytes(), STANDARD),
        base64(format!("xy{CANARY}").as_bytes(), FOR_URLS),
        base64(format!("xyz{CANARY}y").as_bytes(), STANDARD),
    ] {
        assert!(forms().iter().any(|form| text.contains(form.as_str())), "{text}");
    }
}

#[test]
fn no_command_shows_a_canary() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, snapshot) = (path("in.yaml"), path("out.bh"));
    std::fs::write(&input, manifests() + SERVERS).unwrap();
    for command in commands(&input) {
        assert_none(&command.join(" "), &run(&command));
    }
    assert_none(
        "snapshot",
        &run(&["snapshot", &input, "-o", &snapshot, "--match-credentials"]),
    );
    let unpacked = unpacked(Path::new(&snapshot));
    assert!(unpacked.contains("\"web\""), "{unpacked}");
    assert_none("the snapshot", &unpacked);
    for command in commands(&snapshot) {
        assert_none(&command.join(" "), &run(&command));
    }
}

/// What a snapshot holds.
fn unpacked(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let start = bytes
        .windows(4)
        .position(|window| window == [0x28, 0xb5, 0x2f, 0xfd])
        .expect("a frame of zstd");
    let text = zstd::decode_all(&bytes[start..]).unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&bytes[..start]),
        String::from_utf8_lossy(&text)
    )
}

/// One password in many places, of which the datastore is given one; and the same text where it is no credential.
const TWICE: &str = r#"
kind: Secret
apiVersion: v1
metadata: { name: a }
data: { password: aHVudGVyJTI= }
alike: { password: 7 }
---
kind: Secret
apiVersion: v1
metadata: { name: b, namespace: web }
stringData: { db-pw: "hunter%2", url: "postgres://me:hunter%252@db.example.org/x", other-pw: hunter3, user: "hunter%2", flag-token: "true" }
alike: { other-pw: 7 }
---
kind: ConfigMap
apiVersion: v1
metadata: { name: c, namespace: web }
data: { ADMIN_PASSWORD: "hunter%2", NAME: "hunter%2" }
---
kind: Deployment
apiVersion: apps/v1
metadata: { name: web, namespace: web }
spec: { template: { spec: { containers: [{ name: web, image: web, args: [--smtp-password, "hunter%2"], env: [{ name: LEGACY_DSN, value: "Server=old;Password=hunter%2;" }, { name: OTHER_PASSWORD, value: hunter3 }, { name: FAKE_PASSWORD, value: { withheld: "***", alike: 1 } }, { name: A_TOKEN, value: "true" }] }] } } }
---
kind: Pod
apiVersion: v1
metadata: { name: db }
spec: { containers: [{ name: db, image: "postgres:17", env: [{ name: A_TOKEN, value: "true" }, { name: POSTGRES_PASSWORD, valueFrom: { secretKeyRef: { name: a, key: password } } }] }] }
---
kind: Pod
apiVersion: v1
metadata: { name: inline }
spec: { containers: [{ name: db, image: "mysql:8", env: [{ name: MYSQL_ROOT_PASSWORD, value: hunter3 }] }] }
"#;

/// What opens a datastore, with what is said of it.
fn openers(input: &str, datastore: &str) -> Vec<String> {
    let graph = run(&["graph", input, "--format", "json"]);
    let graph: serde_json::Value = serde_json::from_str(graph.trim()).unwrap();
    let steps = graph["steps"].as_array().unwrap().iter();
    let opens = steps.filter(|step| step["conclusion"] == format!("Credential/Database/default/{datastore}"));
    let shown = |step: &serde_json::Value| {
        let of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        format!(
            "{} {}",
            of(&step["premises"][0]),
            of(&step["evidence"][0]["value"])
        )
    };
    let mut shown: Vec<_> = opens.map(shown).collect();
    // The same is read out of specs.
    shown.retain(|line| !line.starts_with("Grant/"));
    shown.sort();
    shown
}

#[test]
fn equal_values_are_matched_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (input, plain, matched) = (path("in.yaml"), path("plain.bh"), path("matched.bh"));
    std::fs::write(&input, TWICE).unwrap();
    run(&["snapshot", &input, "-o", &plain]);
    run(&["snapshot", &input, "-o", &matched, "--match-credentials"]);
    for input in [&input, &plain] {
        let own = "Secret/default/a/password POSTGRES_PASSWORD, the superuser's";
        assert_eq!(openers(input, "db"), [own]);
        let own = "Container/default/inline/db MYSQL_ROOT_PASSWORD=***";
        assert_eq!(openers(input, "inline"), [own]);
    }
    let same = "the same value as password of Secret/default/a";
    assert_eq!(
        openers(&matched, "db"),
        [
            format!("ConfigMap/web/c/ADMIN_PASSWORD {same}"),
            format!("Container/web/web/web --smtp-password=***, {same}"),
            format!("Container/web/web/web LEGACY_DSN=Server=old;Password=***;, {same}"),
            "Secret/default/a/password POSTGRES_PASSWORD, the superuser's".to_owned(),
            format!("Secret/web/b/db-pw {same}"),
            format!("Secret/web/b/url {same}"),
        ]
    );
    let same = "the same value as MYSQL_ROOT_PASSWORD of Pod/default/inline";
    assert_eq!(
        openers(&matched, "inline"),
        [
            "Container/default/inline/db MYSQL_ROOT_PASSWORD=***".to_owned(),
            format!("Container/web/web/web OTHER_PASSWORD=***, {same}"),
            format!("Secret/web/b/other-pw {same}"),
        ]
    );
    // The name is no credential.
    let text = unpacked(Path::new(&matched)).replace(r#""NAME":"hunter%2""#, "");
    assert!(
        text.contains(r#""alike":{"db-pw":1,"other-pw":2,"url":1}"#) && !text.contains("hunter"),
        "{text}"
    );
}
