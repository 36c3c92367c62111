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

/// Where a result goes.
#[derive(Debug, Default, clap::Args)]
pub(super) struct OutputArgs {
    /// Write the result to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

impl OutputArgs {
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
