//! Reading clusters: files, dumps, snapshots and live clusters to `(Cluster, Vec<Diagnostic>)`.
//!
//! Start at [`read`]. A file passes through, in this order: `files` (which ones), `archive` (unpacked), `stream`
//! (windows), `json` or `yaml` (pieces), `object` (one piece to one object), `assemble` (the cluster).
//! [`live`] reads the pages of an API server through the same `json` and `object`.
//! What is written goes through [`write_whole`].
//!
//! Reading never fails whole: what cannot be read costs that document and gives a diagnostic.
//!
//! **Trap.** Input is hostile. Every limit has a name in `limits`, a test and a diagnostic that says which one
//! was hit.

pub mod bootstrap;
pub mod live;
pub mod snapshot;

mod archive;
mod assemble;
mod fields;
mod files;
mod head;
mod ingress;
mod json;
mod limits;
mod matching;
mod object;
mod path;
mod piece;
mod stream;
mod whole_file;
mod yaml;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::model::{Cluster, Diagnostic, Severity, Text, release_pools};

use assemble::Assembly;
use files::{File, Listing, name_of};
use limits::{FILES_AT_ONCE, MAX_SHOWN_FILE, SMALL_FILE};
use object::Outcome;

pub use fields::{Excerpt, Fields, Spot};
pub use limits::{MAX_DOCUMENT, MAX_UNPACKED};
pub use matching::Matcher;
pub use whole_file::write_whole;

/// Returns the text of a file that was read before, for [`Fields`]; none if it is gone, no text, or too long.
pub fn shown_text(file: &str) -> Option<String> {
    let is_short =
        fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() <= MAX_SHOWN_FILE as u64);
    is_short.then(|| fs::read_to_string(file).ok())?
}

/// What to read.
pub enum Input<'a> {
    /// A folder or a file.
    Path(&'a Path),
    /// A stream, such as standard input, by the name that diagnostics use.
    Stream {
        /// The name in diagnostics.
        name: &'a str,
        /// Where the bytes come from.
        reader: &'a mut dyn Read,
    },
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Stream { name, .. } => f
                .debug_struct("Stream")
                .field("name", name)
                .finish_non_exhaustive(),
        }
    }
}

/// How to read it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where objects of namespaced kinds go that name no namespace.
    pub default_namespace: String,
    /// Most bytes that one compressed file or archive may unpack to.
    pub max_unpacked: u64,
    /// Set by [`Options::matching_credentials`]: what tells equal credentials.
    pub matcher: Option<Matcher>,
}

impl Options {
    /// Returns the same, noting which credentials are the same, in Secrets, ConfigMaps and the specs of pods. They are hashed
    /// with a random key that goes with these options, and only which are equal is kept.
    #[must_use]
    pub fn matching_credentials(self) -> Self {
        Self {
            matcher: Some(Matcher::default()),
            ..self
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_namespace: "default".to_owned(),
            max_unpacked: MAX_UNPACKED,
            matcher: None,
        }
    }
}

/// Why nothing at all could be analysed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The path cannot be opened.
    #[error("cannot read {}; give a folder or file of manifests, a dump or a snapshot", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder holds no manifests.
    #[error("no manifests in {}; it holds no .yaml, .yml or .json file, hidden ones aside", path.display())]
    NoManifests {
        /// The folder as given.
        path: PathBuf,
    },
    /// A snapshot is damaged or newer than this program.
    #[error("cannot read the snapshot {input}")]
    Snapshot {
        /// The input as given.
        input: String,
        /// What is wrong with it.
        #[source]
        source: snapshot::SnapshotError,
    },
    /// Nothing in the input is an object of Kubernetes.
    #[error("no Kubernetes object in {input}{}", first(diagnostics))]
    NoObjects {
        /// The input as given.
        input: String,
        /// What was wrong with it.
        diagnostics: Vec<Diagnostic>,
    },
}

fn first(diagnostics: &[Diagnostic]) -> String {
    let worst = diagnostics
        .iter()
        .find(|found| found.code.severity() == Severity::Warning);
    let about_a_file = diagnostics.iter().find(|found| found.source.is_file());
    match worst.or(about_a_file) {
        Some(found) => format!(": {found}"),
        None => "; give a folder or file of manifests, a dump or a snapshot".to_owned(),
    }
}

/// Reads an input to a cluster and what there is to know about it.
///
/// Workloads without pods get pods that stand for them. Diagnostics come in the order of files and lines.
///
/// # Errors
/// Returns an error when nothing at all can be analysed: the path is missing, a folder holds no manifests, or no
/// document holds an object.
pub fn read(input: Input<'_>, options: &Options) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    match input {
        Input::Path(path) => {
            let unreadable = |source| CollectError::Unreadable {
                path: path.to_owned(),
                source,
            };
            if fs::metadata(path).map_err(unreadable)?.is_dir() {
                return read_folder(path, options);
            }
            let mut file = fs::File::open(path).map_err(unreadable)?;
            read_stream(&name_of(path), &mut file, options)
        }
        Input::Stream { name, reader } => read_stream(&Text::new(name), reader, options),
    }
}

/// Reads a snapshot, an archive or a file of manifests, as its first bytes say.
fn read_stream(
    name: &Text,
    reader: &mut dyn Read,
    options: &Options,
) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    let mut assembly = Assembly::new(&options.default_namespace, options.matcher.clone());
    match archive::head_of(reader) {
        Ok(head) if snapshot::is_snapshot(&head) => {
            let whole = io::Cursor::new(head).chain(reader);
            return snapshot::read(whole).map_err(|source| CollectError::Snapshot {
                input: name.to_string(),
                source,
            });
        }
        Ok(head) => {
            let mut whole = io::Cursor::new(head).chain(reader);
            archive::read_file(name, &mut whole, options, &mut |outcomes| {
                assembly.add(outcomes);
            });
        }
        Err(error) => assembly.add(vec![archive::unreadable(name, &error.to_string())]),
    }
    finish(assembly, name)
}

/// Completes what was read, unless that is nothing.
fn finish(assembly: Assembly, name: &Text) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    let objects = assembly.objects();
    let (cluster, diagnostics) = assembly.finish(bootstrap::add_missing);
    rayon::broadcast(|_| release_pools());
    release_pools();
    if objects == 0 {
        let input = name.to_string();
        return Err(CollectError::NoObjects { input, diagnostics });
    }
    Ok((cluster, diagnostics))
}

/// Reads manifests from text, as if it were in `file`, and adds no default roles.
pub fn read_text(file: &str, text: &str, default_namespace: &str) -> (Cluster, Vec<Diagnostic>) {
    let mut assembly = Assembly::new(default_namespace, None);
    let sink = &mut |outcomes| assembly.add(outcomes);
    stream::read_manifests(
        &Text::new(file),
        text.as_bytes().to_vec(),
        &mut io::empty(),
        None,
        sink,
    );
    assembly.finish(|_| None)
}

fn read_folder(path: &Path, options: &Options) -> Result<(Cluster, Vec<Diagnostic>), CollectError> {
    let mut assembly = Assembly::new(&options.default_namespace, options.matcher.clone());
    let listing = Listing::of(path);
    if listing.files.is_empty() && listing.problems.is_empty() {
        let path = path.to_owned();
        return Err(CollectError::NoManifests { path });
    }
    assembly.report(listing.problems);
    for files in listing.files.chunks(FILES_AT_ONCE) {
        let small: Vec<Vec<Outcome>> = files
            .par_iter()
            .map(|file| {
                if file.size <= SMALL_FILE {
                    read_small(file, options)
                } else {
                    Vec::new()
                }
            })
            .collect();
        for (file, outcomes) in files.iter().zip(small) {
            assembly.add(outcomes);
            if file.size > SMALL_FILE {
                open_file(file, options, &mut |outcomes| assembly.add(outcomes));
            }
        }
    }
    finish(assembly, &name_of(path))
}

fn read_small(file: &File, options: &Options) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    open_file(file, options, &mut |more| outcomes.extend(more));
    outcomes
}

fn open_file(file: &File, options: &Options, sink: stream::Sink) {
    match fs::File::open(&file.path) {
        Ok(mut reader) => archive::read_file(&file.name, &mut reader, options, sink),
        Err(error) => sink(vec![archive::unreadable(&file.name, &error.to_string())]),
    }
}
