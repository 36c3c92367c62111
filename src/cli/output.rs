//! Where results go: standard output, or a file that appears whole or not at all.
//!
//! **Trap.** The whole result exists before the file is made, and the file gets its name last: an interrupted
//! run leaves what was there before.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::terminal;
use crate::collect::write_whole;
use crate::report::Page;

/// Columns of a page that goes to no terminal.
const COLUMNS: usize = 110;
/// Wider lines are hard to read.
const MOST_COLUMNS: usize = 160;

/// Where a result goes.
#[derive(Debug, Default, clap::Args)]
pub(super) struct OutputArgs {
    /// Write the result to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

impl OutputArgs {
    /// The columns that a page may take: what `COLUMNS` says, else the terminal's, else a usual number.
    pub(super) fn columns(&self) -> usize {
        let said = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        let of_terminal = || {
            let (_, columns) = console::Term::stdout()
                .size_checked()
                .filter(|_| self.output.is_none())?;
            Some(usize::from(columns))
        };
        said.or_else(of_terminal)
            .map_or(COLUMNS, |columns| columns.clamp(40, MOST_COLUMNS))
    }

    /// Puts a page where it belongs.
    pub(super) fn page(&self, page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
        match &self.output {
            Some(path) => write_file(path, terminal::plain(page).as_bytes()),
            None => Ok(terminal::write_page(page, out)?),
        }
    }

    /// Puts a text where it belongs.
    pub(super) fn text(&self, text: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let text = terminal::safe(text);
        if let Some(path) = &self.output {
            return write_file(path, text.as_bytes());
        }
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}

fn write_file(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    write_whole(path, |out| out.write_all(contents))
        .with_context(|| format!("cannot write {}", path.display()))
}
