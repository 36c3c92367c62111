//! What was found, as text for people and as JSON for programs.
//!
//! [`Findings`] is plain data, made once from the cluster and the solver's paths; each format is a function of
//! it. The JSON form is the serialized data itself, versioned by [`SCHEMA`] and described by
//! [`report_schema`], which `docs/report.schema.json` holds.
//!
//! **Trap.** No value of a Secret can be here, as the model holds none. Strings of the cluster are printed as
//! they are: making them safe for a terminal is the work of the command line.

mod finding;
mod findings;
mod graph;
mod html;
mod junit;
mod locate;
mod markdown;
mod page;
mod path;
mod posture;
mod reach;
mod remedy;
mod sarif;
mod schema;
mod text;
mod uncertain;
mod verify;
mod words;

use std::io;

use serde::Serialize;

pub use finding::{
    ChokePoint, Day, Finding, FindingSeverity, IgnoreError, IgnoreList, Ignored, Ranked, State, WayCount,
    cuts, findings, id,
};
pub use findings::{Derived, Exposed, Findings, Inputs, Jewel, SCHEMA, cheapest, counts, crown_jewels};
pub use graph::{GRAPH_SCHEMA, GraphView, VertexView, graph};
pub use html::{Pictures, html};
pub use junit::junit;
pub use markdown::markdown;
pub use page::{Line, Page, Tone, counted};
pub use path::{EvidenceView, PathView, Sources, StepView};
pub use posture::Posture;
pub use reach::{
    AnswerView, ConnectionView, Entries, EntryView, PortsView, RangeView, Reach, ReachAnswer, RemarkView,
    Remarks, WalkView, WayView,
};
pub use remedy::{Change, Patch, SOLVED_EDGES, Solving, changes};
pub use sarif::sarif;
pub use schema::{graph_schema, report_schema};
pub use text::{path_page, text};
pub use uncertain::Uncertain;
pub use verify::{Rights, Standing, Verification};
pub use words::{folded, gains};

/// Returns a view as JSON, two spaces a level, with a line break at its end.
///
/// # Errors
/// Returns serde's error; the views of this module have none.
pub fn json(view: &impl Serialize) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(view)?;
    text.push('\n');
    Ok(text)
}
