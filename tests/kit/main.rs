//! The openCypher conformance kit: every scenario that only reads is a test of its own.
//!
//! The kit comes with the `open-cypher` crate; `TCK_DIR` names another copy. `cargo test --test kit -- --list` lists
//! the scenarios, and a part of a name selects some.
//!
//! **Trap.** `known-failures.txt` can only shrink: a scenario that passes although it is listed fails, and so does a
//! line that names no scenario.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod cell;
mod feature;
mod fixture;
#[path = "../it/query/memory.rs"]
mod memory;
mod scenario;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use beachhead::query::{Fault, Query, QueryError};
use feature::Scenario;
use libtest_mimic::{Arguments, Failed, Trial};

/// Folders whose scenarios must pass, without those that ask for dates; and how many they are.
const PROMISED: usize = 2_528;
/// Known failures, one name a line.
const KNOWN: &str = include_str!("known-failures.txt");

fn main() {
    let arguments = Arguments::from_args();
    let kit = Arc::new(Kit { folder: folder() });
    let known: BTreeSet<&str> = KNOWN
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let scenarios = kit.scenarios();
    let names: BTreeSet<String> = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    let mut trials = vec![count(&scenarios), listed(&known, &names), agreement(&scenarios)];
    for scenario in scenarios {
        let is_known = known.contains(scenario.name.as_str());
        let kit = Arc::clone(&kit);
        trials.push(Trial::test(scenario.name.clone(), move || {
            let result = std::panic::catch_unwind(|| scenario::run(&scenario, &kit.folder.join("graphs")));
            let result = result.unwrap_or_else(|_| Err("it panics".to_owned()));
            match (result, is_known) {
                (Ok(()), false) | (Err(_), true) => Ok(()),
                (Ok(()), true) => Err(Failed::from("it passes now: take it out of known-failures.txt")),
                (Err(message), false) => Err(Failed::from(message)),
            }
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Whether the promised number of scenarios was found.
fn count(scenarios: &[Scenario]) -> Trial {
    let found = scenarios.iter().filter(|scenario| is_promised(scenario)).count();
    Trial::test("the kit is whole", move || {
        if found == PROMISED {
            Ok(())
        } else {
            Err(Failed::from(format!("{found} scenarios instead of {PROMISED}")))
        }
    })
}

fn listed(known: &BTreeSet<&str>, names: &BTreeSet<String>) -> Trial {
    let strays: Vec<String> = known
        .iter()
        .filter(|line| !names.contains(**line))
        .map(|line| (*line).to_owned())
        .collect();
    Trial::test("known failures are scenarios", move || {
        if strays.is_empty() {
            Ok(())
        } else {
            Err(Failed::from(strays.join("\n")))
        }
    })
}

/// Whether an independent parser accepts what we accept, and we reject what it rejects.
fn agreement(scenarios: &[Scenario]) -> Trial {
    let queries: Vec<(String, String)> = scenarios
        .iter()
        .flat_map(|scenario| scenario.steps.iter().map(move |step| (&scenario.name, step)))
        .filter(|(_, step)| step.text.starts_with("executing"))
        .map(|(name, step)| (name.clone(), step.body.clone()))
        .collect();
    Trial::test("an independent parser agrees", move || {
        let empty = memory::Memory::default();
        let mut problems = Vec::new();
        for (name, text) in &queries {
            let theirs = open_cypher::parse(text).is_ok();
            let parsed = Query::parse(text);
            let ours = parsed.as_ref().is_ok_and(|query| query.check(&empty).is_ok());
            // A number that is too large is a matter of syntax here and not there.
            let is_number = |error: &QueryError| error.message.contains("too large");
            let is_syntax = parsed.is_err_and(|error| error.fault == Fault::Syntax && !is_number(&error));
            if (ours && !theirs) || (theirs && is_syntax) {
                problems.push(format!("{name}: ours {ours}, theirs {theirs}"));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Failed::from(problems.join("\n")))
        }
    })
}

/// Whether a scenario only reads.
fn reads(scenario: &Scenario) -> bool {
    let queries = scenario
        .steps
        .iter()
        .filter(|step| step.text.starts_with("executing"));
    let mut words = queries.flat_map(|step| step.body.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    words.all(|word| !["CREATE", "MERGE", "SET", "DELETE", "REMOVE"].contains(&word.to_uppercase().as_str()))
}

fn is_promised(scenario: &Scenario) -> bool {
    !scenario.name.starts_with("expressions/temporal/") && !scenario.is_temporal()
}

struct Kit {
    folder: PathBuf,
}

impl Kit {
    fn scenarios(&self) -> Vec<Scenario> {
        let features = self.folder.join("features");
        let mut open = vec![features.clone()];
        let mut files = Vec::new();
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "feature") {
                files.push(path);
            }
        }
        files.sort();
        let mut scenarios = Vec::new();
        for file in files {
            let name = file.strip_prefix(&features).unwrap().with_extension("");
            let text = fs::read_to_string(&file).unwrap();
            let name = name.to_str().unwrap().replace('\\', "/");
            scenarios.extend(feature::scenarios(&text, &name));
        }
        scenarios.retain(|scenario| reads(scenario) && is_promised(scenario));
        scenarios
    }
}

/// Where the kit is: in the sources of the crate that brings it.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("TCK_DIR") {
        return folder.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo metadata runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata gives JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == "open-cypher")
        .expect("open-cypher is a dependency");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest
        .parent()
        .unwrap()
        .join("spec/vendor/openCypher-2024.3/tck")
}
