//! The house keeps its order: floors, file heads, sizes, and names that stay where they belong.
//!
//! **Trap.** These tests stand in for crate boundaries inside one crate. A finding is repaired where it is
//! found, not excepted here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::source::{Placed, Token, code, tokens};

/// Modules from the ground up. A module names only modules on lower floors.
const FLOORS: &[&[&str]] = &[
    &["model", "markup"],
    &["collect"],
    &["rbac", "network", "datastores"],
    &["techniques"],
    &["graph"],
    &["paths"],
    &["query"],
    &["report", "draw"],
    &["cli"],
];
/// Folders at the top that the repository shows.
const FOLDERS: &[&str] = &["benches", "docs", "examples", "fuzz", "queries", "src", "tests"];
/// Words that stand for other crates, and the modules that may name them.
const CRATES: &[(&str, &[&str])] = &[("petgraph", &["graph", "paths"]), ("kube", &["collect"])];
/// Macros that print; results and messages go through the streams that `cli` is given.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];
/// Marks of unfinished work.
const MARKS: &[&str] = &["FIXME", "TODO", "XXX"];
const LONGEST_FILE: usize = 800;
/// Counted without empty lines, comments and what stands in a long literal.
const LONGEST_FUNCTION: usize = 70;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Rust file by its path in the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The module that a file of `src` belongs to: `[collect, json]` for `src/collect/json.rs`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/')
            .filter(|part| !matches!(*part, "mod" | "lib"))
            .map(str::to_owned)
            .collect()
    }
}

/// Every Rust file below some folders, sorted.
fn files(folders: &[&str]) -> Vec<File> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            found.push(File {
                path: name.replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no Rust file in {folders:?}");
    found
}

fn everywhere() -> Vec<File> {
    files(&["src", "tests", "benches", "examples"])
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn word(token: Option<&Placed>) -> &str {
    match token {
        Some((Token::Word(word), _)) => word,
        _ => "",
    }
}

fn is_sign(token: Option<&Placed>, sign: char) -> bool {
    matches!(token, Some((Token::Sign(found), _)) if *found == sign)
}

/// Whether `::` stands at this place.
fn is_path(tokens: &[Placed], at: usize) -> bool {
    is_sign(tokens.get(at), ':') && is_sign(tokens.get(at + 1), ':')
}

/// The index of the token that closes what opens at `open`, a brace.
fn closing(tokens: &[Placed], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, (token, _)) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// The names that may follow a path's `::` at this place: one, or those of a group in braces.
fn named_at(tokens: &[Placed], at: usize) -> Vec<(String, usize)> {
    if !is_sign(tokens.get(at), '{') {
        let line = tokens.get(at).map_or(0, |(_, line)| *line);
        return vec![(word(tokens.get(at)).to_owned(), line)];
    }
    let (mut depth, mut names) = (0_usize, Vec::new());
    for (offset, (token, line)) in tokens[at..closing(tokens, at)].iter().enumerate() {
        let first = offset == 1 || is_sign(tokens.get((at + offset).saturating_sub(1)), ',');
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => depth -= 1,
            Token::Word(name) if depth == 1 && first => names.push((name.clone(), *line)),
            _ => {}
        }
    }
    names
}

/// Every name directly below the crate's root that a file names, by `crate::` or by climbing with `super::`.
fn named_from_root(file: &File) -> Vec<(String, usize)> {
    let tokens = code(&file.text);
    let depth = file.module().len();
    let mut inner: Vec<usize> = Vec::new();
    let mut names = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        inner.retain(|end| at < *end);
        match word(tokens.get(at)) {
            "mod" if is_sign(tokens.get(at + 2), '{') => inner.push(closing(&tokens, at + 2)),
            "crate" if is_path(&tokens, at + 1) => names.extend(named_at(&tokens, at + 3)),
            "super" => {
                let mut climbed = 1;
                while is_path(&tokens, at + 1) && word(tokens.get(at + 3)) == "super" {
                    climbed += 1;
                    at += 3;
                }
                if climbed == depth + inner.len() && is_path(&tokens, at + 1) {
                    names.extend(named_at(&tokens, at + 3));
                }
            }
            _ => {}
        }
        at += 1;
    }
    names
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
fn a_module_names_only_modules_on_lower_floors() {
    let mut problems = Vec::new();
    for file in files(&["src"]) {
        let module = file.module();
        let Some(own) = module.first().filter(|_| file.path.matches('/').count() > 1) else {
            continue;
        };
        let Some(height) = floor(own) else {
            problems.push(format!("{}: module {own} has no floor in FLOORS", file.path));
            continue;
        };
        for (name, line) in named_from_root(&file) {
            if name != *own && floor(&name).is_none_or(|other| other >= height) {
                problems.push(format!(
                    "{}:{line}: {own} names {name}, which is not beneath it",
                    file.path
                ));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn paths_are_read_as_the_compiler_reads_them() {
    let file = |text: &str| File {
        path: "src/cli/report.rs".to_owned(),
        text: text.to_owned(),
    };
    let text = "use crate::{model::{a, b}, rbac as c};\nuse super::x;\nuse super::super::draw::y;\n// crate::no\nfn f() { \"crate::no\"; crate::paths::z() }\nmod tests { use super::super::x; use super::super::super::{collect, network::n}; }\n";
    let names: Vec<_> = named_from_root(&file(text));
    let names: Vec<_> = names.iter().map(|(name, line)| (name.as_str(), *line)).collect();
    assert_eq!(
        names,
        [
            ("model", 1),
            ("rbac", 1),
            ("draw", 3),
            ("paths", 5),
            ("collect", 6),
            ("network", 6)
        ]
    );
}

#[test]
fn the_library_is_the_floors_and_main_is_thin() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: BTreeSet<_> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    for module in &modules {
        assert!(floor(module).is_some(), "module {module} has no floor in FLOORS");
    }
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            matches!(name, "lib" | "main") || modules.contains(name),
            "src/{name} is no module of lib.rs"
        );
    }
    assert!(
        fs::read_to_string(root().join("src/main.rs"))
            .unwrap()
            .lines()
            .count()
            <= 30
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let problems: Vec<_> = everywhere()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: does not open with `//!`", file.path))
        .collect();
    assert_none(&problems);
}

#[test]
fn nothing_is_left_for_later() {
    let mut problems = Vec::new();
    for file in everywhere() {
        let all = tokens(&file.text);
        for (token, line) in &all {
            if let Token::Comment(text) = token
                && let Some(mark) = MARKS.iter().find(|mark| {
                    text.split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == **mark)
                })
            {
                problems.push(format!("{}:{line}: {mark}", file.path));
            }
        }
        for window in code(&file.text).windows(3) {
            let attribute = word(window.get(2));
            let opens = is_sign(window.first(), '#') && is_sign(window.get(1), '[');
            if opens && matches!(attribute, "ignore" | "should_panic") {
                problems.push(format!("{}:{}: #[{attribute}]", file.path, window[0].1));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn files_and_functions_fit_in_the_head() {
    let mut problems = Vec::new();
    for file in everywhere() {
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            problems.push(format!("{}: {lines} lines", file.path));
        }
        let tokens = code(&file.text);
        for (at, (token, line)) in tokens.iter().enumerate() {
            if *token != Token::Word("fn".to_owned()) || word(tokens.get(at + 1)).is_empty() {
                continue;
            }
            let body = (at..tokens.len())
                .find(|at| is_sign(tokens.get(*at), '{') || is_sign(tokens.get(*at), ';'))
                .filter(|at| is_sign(tokens.get(*at), '{'));
            let end = body.map_or(at, |body| closing(&tokens, body));
            let lines: BTreeSet<_> = tokens[at..=end.min(tokens.len() - 1)]
                .iter()
                .map(|(_, line)| line)
                .collect();
            let lines = lines.len();
            if lines > LONGEST_FUNCTION {
                let name = word(tokens.get(at + 1));
                problems.push(format!("{}:{line}: {name} has {lines} lines", file.path));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn other_crates_are_named_where_they_belong() {
    let mut problems = Vec::new();
    for file in files(&["src"]) {
        let module = file.module();
        for (token, line) in code(&file.text) {
            for (name, allowed) in CRATES {
                let here = module.first().is_some_and(|own| allowed.contains(&own.as_str()));
                if token == Token::Word((*name).to_owned()) && !here {
                    problems.push(format!("{}:{line}: names {name}", file.path));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_prints_past_the_streams_it_is_given() {
    let mut problems = Vec::new();
    for file in files(&["src"]) {
        let tokens = code(&file.text);
        for (at, (_, line)) in tokens.iter().enumerate() {
            let name = word(tokens.get(at));
            if PRINTING.contains(&name) && is_sign(tokens.get(at + 1), '!') {
                problems.push(format!("{}:{line}: {name}!", file.path));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn no_test_file_is_forgotten() {
    let mut open = vec![(root().join("tests/it"), "main.rs")];
    while let Some((folder, list)) = open.pop() {
        let text = fs::read_to_string(folder.join(list)).unwrap();
        let listed: BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
            .collect();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                path.ends_with(list) || listed.contains(name),
                "{}/{list} does not list {name}: its tests do not run",
                folder.display()
            );
            if path.is_dir() {
                open.push((path, "mod.rs"));
            }
        }
    }
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_dir(), "{}: tests belong in tests/it", path.display());
    }
}

#[test]
fn the_top_holds_what_is_expected() {
    for entry in fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_built = name == "target" || entry.path().join("CACHEDIR.TAG").exists();
        if entry.path().is_dir() && !name.starts_with('.') && !is_built {
            assert!(
                FOLDERS.contains(&name.as_str()),
                "{name}: is it meant to be published?"
            );
        }
    }
}
