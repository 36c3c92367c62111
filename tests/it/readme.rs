//! The README is true: its commands run, with the exit status that it gives, and its table lists all there are.
//!
//! **Trap.** Only lines in `console` blocks that begin with `$ beachhead` or `cargo run --release --` and read
//! the example run here; what installs, builds or needs a cluster does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

const EXAMPLE: &str = "examples/clusters/blog";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The commands on the example with the exit status that is expected, 0 unless `# status N` follows.
fn commands(readme: &str) -> Vec<(Vec<&str>, i32)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        let command = line
            .strip_prefix("$ beachhead ")
            .or_else(|| line.strip_prefix("cargo run --release -- "));
        let Some(command) = command.filter(|_| inside) else {
            continue;
        };
        let (command, status) = command.split_once(" # status ").unwrap_or((command, "0"));
        let command = command.trim().trim_end_matches("> /dev/null");
        let arguments: Vec<&str> = command.split_whitespace().collect();
        if arguments.contains(&EXAMPLE) || arguments.first() == Some(&"explain") {
            found.push((arguments, status.trim().parse().unwrap()));
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Runs a command in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("beachhead").unwrap();
    command.current_dir(folder).args(arguments).output().unwrap()
}

#[test]
fn its_commands_run() {
    let text = readme();
    let commands = commands(&text);
    assert!(commands.len() >= 8, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join(EXAMPLE), &folder.path().join(EXAMPLE));
    for (arguments, status) in commands {
        let output = run(folder.path(), &arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            !output.stdout.is_empty() || arguments.contains(&"-o"),
            "{arguments:?} says nothing"
        );
    }
}

#[test]
fn its_table_lists_every_command() {
    let help = run(root(), &["--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let known: BTreeSet<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let text = readme();
    let listed: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split([' ', '`']).next())
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn what_the_pages_point_to_exists() {
    let pages = [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "examples/README.md",
        "examples/clusters/blog/README.md",
    ];
    for page in pages {
        let path = root().join(page);
        let text = fs::read_to_string(&path).unwrap();
        let folder: PathBuf = path.parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let outside = target.starts_with("https://") || target.starts_with('#');
            assert!(
                outside || folder.join(target).exists(),
                "{page}: {target} is missing"
            );
        }
        for named in text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|word| word.split_once("::"))
        {
            let (module, name) = named;
            let file = root().join(format!("tests/it/{module}.rs"));
            if !name.is_empty() && file.exists() {
                let tests = fs::read_to_string(file).unwrap();
                assert!(
                    tests.contains(&format!("fn {name}(")),
                    "{page}: no test {module}::{name}"
                );
            }
        }
    }
}
