//! Which files an input names, in an order that does not depend on the file system.
//!
//! **Trap.** Symbolic links may form circles; each folder is entered once, by its real path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{Diagnostic, Text};

use super::archive::{is_manifest, unreadable};
use super::limits::MAX_FOLDERS;
use super::object::Outcome;

/// A file to read.
#[derive(Debug)]
pub(super) struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its name as the user gave it, with the path below.
    pub name: Text,
    /// Its size in bytes.
    pub size: u64,
}

/// The files of a folder and what could not be listed.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of their names.
    pub files: Vec<File>,
    /// What could not be listed.
    pub problems: Vec<Diagnostic>,
    entered: BTreeSet<PathBuf>,
}

impl Listing {
    /// Lists the manifests of a folder and of the folders in it.
    pub(super) fn of(folder: &Path) -> Self {
        let mut listing = Self::default();
        listing.enter(folder, 0);
        listing
    }

    fn enter(&mut self, folder: &Path, depth: usize) {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if !self.entered.insert(real) {
            return;
        }
        if depth > MAX_FOLDERS {
            self.problem(
                folder,
                &format!("folders more than {MAX_FOLDERS} deep are not read"),
            );
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, &error.to_string()),
        };
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.problem(folder, &error.to_string()),
            }
        }
        paths.sort();
        for path in paths {
            self.add(path, depth);
        }
    }

    fn add(&mut self, path: PathBuf, depth: usize) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            return;
        }
        let wanted = is_manifest(&name);
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => self.enter(&path, depth + 1),
            Ok(meta) if meta.is_file() && wanted => self.files.push(File {
                name: name_of(&path),
                size: meta.len(),
                path,
            }),
            Err(error) if wanted => self.problem(&path, &error.to_string()),
            Ok(_) | Err(_) => {}
        }
    }

    fn problem(&mut self, path: &Path, message: &str) {
        if let Outcome::Problem(problem) = unreadable(&name_of(path), message) {
            self.problems.push(problem);
        }
    }
}

/// The name of a path in messages.
pub(super) fn name_of(path: &Path) -> Text {
    Text::new(&path.to_string_lossy())
}
