//! `beachhead explain`: what a technique is, when it fires, how to stop it.

use anyhow::bail;

use super::{ExitCode, Streams, terminal};
use crate::query::did_you_mean;
use crate::report::Page;
use crate::techniques;

/// Explain a technique: what it is, when it works, what does not suffice, how to stop it
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The technique's id, as reports name it
    #[arg(required_unless_present = "list")]
    technique: Option<String>,
    /// List all techniques, by family
    #[arg(long, conflicts_with = "technique")]
    list: bool,
}

pub(super) fn run(args: &ExplainArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let mut page = Page::default();
    if let Some(id) = &args.technique {
        for line in techniques::explain(named(id)?).lines() {
            page.line(line);
        }
    } else {
        let mut families = Vec::<(&str, Vec<Vec<String>>)>::new();
        for technique in techniques::catalogue() {
            let family = technique.family.as_str();
            let row = vec![technique.id.to_owned(), technique.title.to_owned()];
            match families.iter_mut().find(|(name, _)| *name == family) {
                Some((_, rows)) => rows.push(row),
                None => families.push((family, vec![row])),
            }
        }
        for (family, rows) in families {
            page.heading(family);
            page.table(2, &rows);
        }
    }
    terminal::write_page(&page, streams.out)?;
    Ok(ExitCode::Nothing)
}

/// The technique of this id, whatever its letter case.
pub(super) fn named(id: &str) -> anyhow::Result<&'static techniques::Technique> {
    let Some(technique) = techniques::technique(&id.to_uppercase()) else {
        let near = did_you_mean(id, techniques::catalogue().map(|technique| technique.id));
        bail!("no technique is called {id}{near}; `beachhead explain --list` lists all");
    };
    Ok(technique)
}
