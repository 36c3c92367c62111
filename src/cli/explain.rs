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
    /// List all techniques
    #[arg(long, conflicts_with = "technique")]
    list: bool,
}

pub(super) fn run(args: &ExplainArgs, streams: &mut Streams<'_>) -> anyhow::Result<ExitCode> {
    let mut page = Page::default();
    if let Some(id) = &args.technique {
        let Some(technique) = techniques::technique(&id.to_uppercase()) else {
            let near = did_you_mean(id, techniques::catalogue().map(|technique| technique.id));
            bail!("no technique is called {id}{near}; `beachhead explain --list` lists all");
        };
        for line in techniques::explain(technique).lines() {
            page.line(line);
        }
    } else {
        let row = |technique: &'static techniques::Technique| {
            vec![
                technique.id.to_owned(),
                technique.family.as_str().to_owned(),
                technique.title.to_owned(),
            ]
        };
        page.table(0, &techniques::catalogue().map(row).collect::<Vec<_>>());
    }
    terminal::write_page(&page, streams.out)?;
    Ok(ExitCode::Nothing)
}
