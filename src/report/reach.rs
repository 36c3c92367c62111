//! The connectivity list in the form for programs.

use serde::Serialize;

use crate::network::{Connection, PortSet, Verdict};

/// `{"connections": [{"src", "dst", "ports"}]}`.
#[derive(Clone, Debug, Serialize)]
pub struct Reach {
    /// Every connection, sorted.
    pub connections: Vec<ConnectionView>,
}

/// One connection.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionView {
    /// The workload, address range or name that connects.
    pub src: String,
    /// What it connects to.
    pub dst: String,
    /// On which ports.
    pub ports: PortsView,
    /// `unknown` where it depends on something the input does not show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
}

/// `"all"`, or a list of ranges.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum PortsView {
    /// Every port of every protocol.
    All(&'static str),
    /// These.
    Ranges(Vec<RangeView>),
}

/// A range of ports, both ends included.
#[derive(Clone, Debug, Serialize)]
pub struct RangeView {
    /// The protocol.
    pub proto: &'static str,
    /// The first port.
    pub from: u16,
    /// The last port.
    pub to: u16,
}

impl From<&PortSet> for PortsView {
    fn from(ports: &PortSet) -> Self {
        if ports.is_all() {
            return Self::All("all");
        }
        let range = |(protocol, from, to): (crate::model::Protocol, u16, u16)| RangeView {
            proto: protocol.as_str(),
            from,
            to,
        };
        Self::Ranges(ports.iter().map(range).collect())
    }
}

impl Reach {
    /// Returns the list as it is written.
    pub fn new(connections: &[Connection]) -> Self {
        let view = |connection: &Connection| ConnectionView {
            src: connection.source.to_string(),
            dst: connection.target.to_string(),
            ports: (&connection.ports).into(),
            verdict: (connection.verdict != Verdict::Allowed).then_some("unknown"),
        };
        Self {
            connections: connections.iter().map(view).collect(),
        }
    }
}
