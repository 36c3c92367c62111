//! Input that nobody should trust: clear diagnostics, bounded memory and time, nothing lost around it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use beachhead::collect::{self, CollectError, Input, MAX_DOCUMENT, Options};
use beachhead::model::{Cluster, Code, Diagnostic};

const POD: &str = "kind: Pod\napiVersion: v1\nmetadata: {name: good}\n";
/// A gigabyte, less in debug builds, which take their time; far beyond any limit in either case.
const HUGE: usize = if cfg!(debug_assertions) {
    160 << 20
} else {
    1 << 30
};
/// Longest that any of these may take, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn read_text(text: &str) -> (Cluster, Vec<Diagnostic>) {
    let start = Instant::now();
    let result = collect::read_text("in", text, "default");
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    result
}

fn read_from(reader: &mut dyn Read) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    let start = Instant::now();
    let result = collect::read(Input::Stream { name: "-", reader }, &Options::default());
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    result
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<(Code, u32)> {
    let mut codes: Vec<_> = diagnostics.iter().map(|d| (d.code, d.source.line)).collect();
    codes.retain(|(code, _)| !matches!(code, Code::NoNodes | Code::BootstrapRbac));
    codes
}

/// Bytes made on demand: `before`, then `filler` again and again, then `after`.
struct Synthetic {
    before: &'static [u8],
    filler: &'static [u8],
    size: usize,
    after: &'static [u8],
}

impl Read for Synthetic {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let text = if !self.before.is_empty() {
            Some(&mut self.before)
        } else if self.size == 0 {
            Some(&mut self.after)
        } else {
            None
        };
        if let Some(text) = text {
            return text.read(buffer);
        }
        let size = self.size.min(buffer.len());
        for chunk in buffer[..size].chunks_mut(self.filler.len()) {
            chunk.copy_from_slice(&self.filler[..chunk.len()]);
        }
        self.size -= size;
        Ok(size)
    }
}

#[test]
fn a_missing_path_is_an_error_that_names_it() {
    let error = collect::read(Input::Path(Path::new("no/such/file.yaml")), &Options::default()).unwrap_err();
    assert!(matches!(error, CollectError::Unreadable { .. }));
    assert!(error.to_string().contains("no/such/file.yaml"), "{error}");
}

#[test]
fn a_folder_without_manifests_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("README.md"), "text").unwrap();
    let error = collect::read(Input::Path(folder.path()), &Options::default()).unwrap_err();
    assert!(matches!(error, CollectError::NoManifests { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn folders_that_contain_themselves_are_entered_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pod.yaml"), POD).unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
    std::os::unix::fs::symlink("gone", folder.path().join("dangling.yaml")).unwrap();
    let (cluster, diagnostics) = collect::read(Input::Path(folder.path()), &Options::default()).unwrap();
    assert_eq!(cluster.pods.len(), 1);
    assert_eq!(codes(&diagnostics), [(Code::UnreadableFile, 0)]);
}

#[test]
fn binary_files_are_named_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), POD).unwrap();
    fs::write(folder.path().join("b.yaml"), b"\x7fELF\x02\x00\x00\x01").unwrap();
    fs::write(folder.path().join("c.yaml"), b"\xff\xfek\0i\0n\0d\0").unwrap();
    let (cluster, diagnostics) = collect::read(Input::Path(folder.path()), &Options::default()).unwrap();
    assert_eq!(cluster.pods.len(), 1);
    assert_eq!(
        codes(&diagnostics),
        [(Code::BinaryFile, 0), (Code::BinaryFile, 0)]
    );
    assert!(diagnostics[1].message.contains("UTF-16"));
    let only = folder.path().join("b.yaml");
    let error = collect::read(Input::Path(&only), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("binary"), "{error}");
}

#[test]
fn invalid_utf8_costs_its_document() {
    let mut bytes = POD.as_bytes().to_vec();
    bytes.extend(b"---\nkind: Pod\nmetadata:\n  name: \xc3\x28\n---\nkind: Pod\nmetadata: {name: other}\n");
    let (cluster, diagnostics) = read_from(&mut bytes.as_slice()).unwrap();
    assert_eq!(cluster.pods.len(), 2);
    assert_eq!(codes(&diagnostics), [(Code::Syntax, 7)]);
}

#[test]
fn alias_bombs_are_stopped() {
    let mut laughs = String::from(
        "kind: Pod\napiVersion: v1\nmetadata: {name: bomb}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for i in 1..30 {
        let again = vec![format!("*a{}", i - 1); 10].join(", ");
        let _ = writeln!(laughs, "a{i}: &a{i} [{again}]");
    }
    let mut quadratic = format!(
        "kind: Pod\napiVersion: v1\nmetadata: {{name: bomb}}\na: &a [{}]\nb: [",
        "x, ".repeat(20_000)
    );
    quadratic.push_str(&"*a, ".repeat(20_000));
    quadratic.push_str("]\n");
    for bomb in [laughs, quadratic] {
        let (cluster, diagnostics) = read_text(&format!("{bomb}---\n{POD}"));
        assert!(cluster.pod("default", "good").is_some());
        assert!(cluster.pod("default", "bomb").is_none());
        assert_eq!(codes(&diagnostics)[0].0, Code::Syntax, "{diagnostics:?}");
    }
}

#[test]
fn deep_nesting_is_stopped() {
    const DEEP: usize = 100_000;
    let (open, close) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let flow = format!("kind: Pod\napiVersion: v1\nmetadata: {{name: deep}}\nx: {open}{close}\n---\n{POD}");
    let block = format!(
        "kind: Pod\napiVersion: v1\nmetadata: {{name: deep}}\nx:\n {}a\n---\n{POD}",
        "- ".repeat(DEEP)
    );
    for text in [flow, block] {
        let (cluster, diagnostics) = read_text(&text);
        assert_eq!(cluster.pods.len(), 1);
        assert_eq!(codes(&diagnostics).len(), 1, "{diagnostics:?}");
        assert_eq!(codes(&diagnostics)[0].0, Code::Syntax);
    }
    let json = format!(
        r#"{{"kind":"List","apiVersion":"v1","items":[{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"deep"}},"x":{open}{close}}},{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"good"}}}}]}}"#
    );
    let (cluster, diagnostics) = read_text(&json);
    assert_eq!(
        cluster.pods.len(),
        2,
        "what no rule reads is skipped without recursion"
    );
    assert_eq!(codes(&diagnostics), []);
    let (_, diagnostics) = read_text(&json.replace("\"x\"", "\"metadata\""));
    assert!(!codes(&diagnostics).is_empty());
    let (_, diagnostics) = read_text(&open);
    assert!(!diagnostics.is_empty());
}

#[test]
fn a_gigabyte_in_one_line_is_skipped_without_being_stored() {
    let forms: [(&[u8], &[u8]); 3] = [
        (
            br#"{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"huge"},"x":""#,
            br#""},{"kind":"Pod","apiVersion":"v1","metadata":{"name":"good"}}]}"#,
        ),
        (
            br#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"huge"},"x":""#,
            b"\"}\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"good\"}}",
        ),
        (
            b"kind: Pod\napiVersion: v1\nmetadata: {name: huge}\nx: ",
            b"\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: good}\n",
        ),
    ];
    for (before, after) in forms {
        let before_memory = peak_memory();
        let mut reader = Synthetic {
            before,
            filler: b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            size: HUGE,
            after,
        };
        let (cluster, diagnostics) = read_from(&mut reader).unwrap();
        assert_eq!(cluster.pods.len(), 1);
        assert!(cluster.pod("default", "good").is_some());
        assert_eq!(codes(&diagnostics), [(Code::TooLarge, 1)]);
        let grown = peak_memory().saturating_sub(before_memory);
        assert!(grown < 6 * MAX_DOCUMENT, "{} MiB", grown >> 20);
    }
}

/// The most memory this process has held, in bytes; 0 where the system does not say.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok())
        .map_or(0, |kilobytes| kilobytes << 10)
}

#[test]
fn truncated_json_keeps_what_is_complete() {
    let text = "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"good\"}},\n{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"ha";
    for end in 1..text.len() {
        let (cluster, _) = read_text(&text[..end]);
        assert!(cluster.pods.len() <= 1);
    }
    let (cluster, diagnostics) = read_text(text);
    assert_eq!(cluster.pods.len(), 1);
    assert_eq!(codes(&diagnostics), [(Code::Syntax, 3)]);
}

#[test]
fn a_broken_line_does_not_swallow_the_lines_after_it() {
    let pod = |name: &str| {
        format!("{{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\"}}}}\n")
    };
    let text = format!(
        "{}{{\"kind\":\"Pod\",\"metadata\":{{\"name\n{}{}",
        pod("a"),
        pod("b"),
        pod("c")
    );
    let (cluster, diagnostics) = read_text(&text);
    assert_eq!(cluster.pods.len(), 3, "{diagnostics:?}");
    assert_eq!(codes(&diagnostics), [(Code::Syntax, 2)]);
}

#[test]
fn brackets_and_garbage_between_documents_end() {
    for text in [
        "{\"items\":[}",
        "}}}]]",
        "[}{]",
        "{\"items\":[1,\"a\",null,]}",
        "[[[",
        "{\"items\":{}}",
        "{\"items\":[[{}]]}",
        "\"",
        "{\"a\\",
    ] {
        read_text(text);
        read_text(&format!("---\n{text}\n"));
    }
}

#[test]
fn wrong_types_name_object_field_and_line() {
    let (cluster, diagnostics) = read_text(
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\n\"spec\":{\"containers\":[{\"ports\":\n{\"a\":1}}]}}",
    );
    assert!(cluster.pods.is_empty());
    let found = &diagnostics[0];
    assert_eq!((found.code, found.source.line), (Code::WrongType, 3));
    assert_eq!(found.object.as_ref().unwrap().to_string(), "Pod/n/p");
    assert!(found.message.contains("spec.containers[0].ports"), "{found}");
}

#[test]
fn owners_in_a_circle_are_reported() {
    let owned = |name: &str, owner: &str| {
        format!(
            "kind: ReplicaSet\napiVersion: apps/v1\nmetadata:\n  name: {name}\n  ownerReferences: [{{kind: ReplicaSet, name: {owner}, controller: true}}]\n---\n"
        )
    };
    let (_, diagnostics) = read_text(&(owned("a", "b") + &owned("b", "a") + &owned("c", "c")));
    assert_eq!(
        codes(&diagnostics)
            .iter()
            .filter(|(code, _)| *code == Code::CyclicOwners)
            .count(),
        3
    );
}

#[test]
fn the_same_object_in_two_files_is_reported_with_both() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), POD).unwrap();
    fs::write(folder.path().join("b.yaml"), POD).unwrap();
    let (_, diagnostics) = collect::read(Input::Path(folder.path()), &Options::default()).unwrap();
    let text = diagnostics[0].to_string();
    assert_eq!(diagnostics[0].code, Code::DuplicateObject);
    assert!(text.contains("a.yaml:1") && text.contains("b.yaml:1"), "{text}");
}

#[test]
fn no_value_of_a_secret_survives() {
    let (cluster, diagnostics) = read_text(
        r#"
kind: Secret
apiVersion: v1
metadata:
  name: s
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"a":"canary"}}'}
data: {b: Y2FuYXJ5}
stringData: {a: canary}
---
kind: SealedSecret
apiVersion: bitnami.com/v1alpha1
metadata: {name: t}
spec: {encryptedData: {a: canary}}
---
kind: Secret
apiVersion: v1
metadata: {name: broken}
type: [canary]
stringData: {a: canary}
---
{"kind":"Secret","apiVersion":"v1","metadata":{"name":"j"},"type":{"a":"canary"},"stringData":"canary","data":{"x":"Y2FuYXJ5"}}
"#,
    );
    assert!(cluster.secret("default", "s").is_some());
    let all = format!("{cluster:?} {diagnostics:?}");
    assert!(!all.contains("canary") && !all.contains("Y2FuYXJ5"), "{all}");
}

#[test]
fn compressed_bombs_are_stopped_at_the_limit() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut io::repeat(b' ').take(64 << 20), &mut gzip).unwrap();
    let bomb = gzip.finish().unwrap();
    let options = Options {
        max_unpacked: 1 << 20,
        ..Options::default()
    };
    let input = Input::Stream {
        name: "bomb.yaml.gz",
        reader: &mut bomb.as_slice(),
    };
    let error = collect::read(input, &options).unwrap_err();
    assert!(error.to_string().contains("unpacks to more than"), "{error}");
}

#[test]
fn archives_with_links_and_paths_that_leave_them_are_reported() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind: tar::EntryType, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    };
    add("../up.yaml", tar::EntryType::Regular, POD.as_bytes());
    add("/abs.yaml", tar::EntryType::Regular, POD.as_bytes());
    add("link.yaml", tar::EntryType::Symlink, b"");
    add("good.yaml", tar::EntryType::Regular, POD.as_bytes());
    let bytes = archive.into_inner().unwrap();
    let (cluster, diagnostics) = read_from(&mut bytes.as_slice()).unwrap();
    assert_eq!(cluster.pods.len(), 1);
    assert_eq!(
        cluster.pod("default", "good").unwrap().meta.source.file,
        "-/good.yaml"
    );
    assert_eq!(codes(&diagnostics), vec![(Code::UnreadableFile, 0); 3]);
}

#[test]
fn a_reader_that_fails_keeps_what_came_before() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let text = format!("{}\n---\n{POD}---\nkind: Po", "# filler\n".repeat(2_000));
    let (cluster, diagnostics) = read_from(&mut Failing(text.as_bytes())).unwrap();
    assert_eq!(cluster.pods.len(), 1);
    assert!(diagnostics.iter().any(|d| d.message.contains("the disk is gone")));
}
