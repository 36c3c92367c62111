//! The connectivity list as DOT.
//!
//! **Trap.** One line a pair of workloads: only small clusters make a picture one can read.

use std::fmt::Write as _;

use super::dot::quote;
use crate::network::{Connection, Verdict};

/// Returns connections as DOT; those that depend on the network plugin are dashed.
pub fn connections(connections: &[Connection]) -> String {
    let mut text = String::from("digraph reach {\n  rankdir=LR;\n  node [shape=box];\n");
    for connection in connections {
        let style = match connection.verdict {
            Verdict::Allowed => "solid",
            Verdict::Unknown | Verdict::Denied => "dashed",
        };
        let [source, target, ports] = [
            connection.source.to_string(),
            connection.target.to_string(),
            connection.ports.to_string(),
        ]
        .map(|text| quote(&text));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {source} -> {target} [label={ports}, style={style}];");
    }
    text.push_str("}\n");
    text
}
