//! What commands read: a file, standard input, or a live cluster; the one place where INPUT gets its meaning.
//!
//! **Trap.** The flags of a cluster mean nothing for a file; naming both is refused, not ignored.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::Streams;
use super::analysis::{Analysis, ConfigArgs, HowArgs};
use super::live::{ConnectionArgs, PartArgs, UserArgs};
use crate::collect;
use crate::model::{Cluster, Diagnostic};

/// What to read: a file, or a cluster without one.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct InputArgs {
    /// A snapshot, a folder or file of manifests, a `kubectl get -o json` dump, - for standard input, or @CONTEXT
    /// for a live cluster; without it, the live cluster of the current context
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,
    #[command(flatten)]
    pub(super) how: HowArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    user: UserArgs,
    #[command(flatten)]
    part: PartArgs,
}

/// What to analyse: what to read, and what the user says of it.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SubjectArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// The same as [`InputArgs`] where further words follow, so that it must be there; `--as` and `-n` are those of the question.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct NamedInputArgs {
    /// A snapshot, a folder or file of manifests, a `kubectl get -o json` dump, - for standard input, or @CONTEXT
    /// for a live cluster; @ alone for that of the current context
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    #[command(flatten)]
    pub(super) how: HowArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A cluster that was read.
#[derive(Debug)]
pub(super) struct ReadInput {
    /// The input as the user named it; of a live cluster the address of its API server.
    pub(super) name: String,
    /// The cluster, with default roles.
    pub(super) cluster: Cluster,
    /// What was wrong while reading.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What INPUT names.
enum Named<'a> {
    Stdin,
    File(&'a Path),
    /// The live cluster of a context, or of the current one.
    Live(Option<&'a str>),
}

impl<'a> Named<'a> {
    fn new(input: Option<&'a Path>) -> Self {
        let Some(path) = input else {
            return Self::Live(None);
        };
        match path.to_str() {
            Some("-") => Self::Stdin,
            Some(text) => match text.strip_prefix('@') {
                Some(context) => Self::Live(Some(context).filter(|context| !context.is_empty())),
                None => Self::File(path),
            },
            None => Self::File(path),
        }
    }
}

impl InputArgs {
    /// The same settings for another INPUT.
    pub(super) fn of(input: PathBuf, how: HowArgs, connection: ConnectionArgs, user: UserArgs) -> Self {
        Self {
            input: Some(input),
            how,
            connection,
            user,
            part: PartArgs::default(),
        }
    }

    /// Reads another INPUT from now on. What was said about a live cluster is said of the next one too.
    pub(super) fn open(&mut self, input: PathBuf) {
        if !matches!(Named::new(Some(&input)), Named::Live(_)) {
            self.connection = ConnectionArgs::default();
            self.user = UserArgs::default();
            self.part = PartArgs::default();
        }
        self.input = Some(input);
    }

    /// Whether it is standard input.
    pub(super) fn is_stdin(&self) -> bool {
        matches!(self.named(), Named::Stdin)
    }

    /// The context that INPUT names, if it is a live cluster's.
    pub(super) fn context(&self) -> Option<&str> {
        match self.named() {
            Named::Live(context) => context,
            Named::Stdin | Named::File(_) => None,
        }
    }

    /// The namespace of a live cluster to read, if it is only one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.part.namespace.as_deref()
    }

    fn named(&self) -> Named<'_> {
        Named::new(self.input.as_deref())
    }

    /// Reads the input, whatever its form.
    pub(super) fn read(&self, streams: &mut Streams<'_>) -> anyhow::Result<ReadInput> {
        self.read_with(streams, collect::Options::default())
    }

    /// Reads the input, whatever its form, in this way.
    pub(super) fn read_with(
        &self,
        streams: &mut Streams<'_>,
        mut options: collect::Options,
    ) -> anyhow::Result<ReadInput> {
        options.default_namespace.clone_from(&self.how.default_namespace);
        let (name, input) = match self.named() {
            Named::Live(context) => {
                let connection = self.connection.options(context, &self.user)?;
                return self.part.read(connection, options.matcher, streams);
            }
            Named::Stdin => {
                let reader = &mut *streams.stdin;
                let stream = collect::Input::Stream { name: "-", reader };
                ("standard input".to_owned(), stream)
            }
            Named::File(path) => (path.display().to_string(), collect::Input::Path(path)),
        };
        let flags = [self.connection.given(), self.user.given(), self.part.given()];
        if let Some(flag) = flags.into_iter().flatten().next() {
            bail!("{flag} is about a live cluster and cannot be used with {name}; leave one of them out");
        }
        streams.progress.stage("reading the input", streams.err);
        let read = collect::read(input, &options);
        streams.stage_done();
        let (cluster, diagnostics) = read?;
        Ok(ReadInput {
            name,
            cluster,
            diagnostics,
        })
    }

    /// The same without the flags of a connection if it is a file, where they are for something else.
    pub(super) fn beside_a_cluster(mut self) -> Self {
        if !matches!(self.named(), Named::Live(_)) {
            self.connection = ConnectionArgs::default();
            self.user = UserArgs::default();
        }
        self
    }
}

impl SubjectArgs {
    /// Reads the input and draws the first conclusions.
    pub(super) fn analyse(&self, streams: &mut Streams<'_>) -> anyhow::Result<Analysis> {
        let settings = self.config.settings()?;
        let read = self.input.read(streams)?;
        Ok(Analysis::new(read, &settings, streams))
    }
}

impl NamedInputArgs {
    /// The same as an input that may be left out.
    pub(super) fn input(&self) -> InputArgs {
        let user = UserArgs::default();
        InputArgs::of(
            self.input.clone(),
            self.how.clone(),
            self.connection.clone(),
            user,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_a_file_unless_it_begins_with_an_at() {
        let name = |text: &'static str| match Named::new(Some(Path::new(text))) {
            Named::Stdin => "standard input".to_owned(),
            Named::File(path) => path.display().to_string(),
            Named::Live(context) => format!("live {}", context.unwrap_or("current")),
        };
        assert_eq!(name("-"), "standard input");
        assert_eq!(name("prod.bh"), "prod.bh");
        assert_eq!(name("./@prod"), "./@prod");
        assert_eq!(
            (name("@").as_str(), name("@prod").as_str()),
            ("live current", "live prod")
        );
        assert!(matches!(Named::new(None), Named::Live(None)));
    }
}
