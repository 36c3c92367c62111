//! Who reaches whom: the connectivity list, single answers with their walks, and the ways in from outside.

use serde::Serialize;

use super::page::Page;
use crate::model::Cluster;
use crate::network::{
    Action, Allowed, Answer, Connection, Event, Exposure, Network, Outside, PortSet, Remark, Verdict,
};

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

/// The answer to `--from` and `--to`.
#[derive(Clone, Debug, Serialize)]
pub struct ReachAnswer {
    /// What was asked.
    pub from: String,
    /// What was asked.
    pub to: String,
    /// The best of the verdicts.
    pub verdict: &'static str,
    /// One for each pair of groups that the names stand for.
    pub answers: Vec<AnswerView>,
}

/// One answer.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerView {
    /// Who sends.
    pub src: String,
    /// Who receives.
    pub dst: String,
    /// `allowed`, `denied` or `unknown`.
    pub verdict: &'static str,
    /// Every port that passes.
    pub ports: PortsView,
    /// Every port that perhaps passes besides.
    #[serde(rename = "unknownPorts")]
    pub unknown_ports: PortsView,
    /// The port that the walk is about.
    pub port: RangeView,
    /// The ways in from outside, as ids from the outside in.
    pub ways: Vec<WayView>,
    /// What else is to be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// What happens in both directions.
    pub walk: Vec<WalkView>,
}

/// A way in from outside.
#[derive(Clone, Debug, Serialize)]
pub struct WayView {
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub proto: &'static str,
    /// The ids of the objects on the way, from the outside in.
    pub via: Vec<String>,
    /// `internet` or `private`.
    pub from: &'static str,
    /// What it depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// One direction.
#[derive(Clone, Debug, Serialize)]
pub struct WalkView {
    /// `egress` or `ingress`.
    pub direction: &'static str,
    /// How it ends.
    pub verdict: &'static str,
    /// What happens, as sentences.
    pub events: Vec<String>,
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Unknown => "unknown",
        Verdict::Denied => "denied",
    }
}

fn listed(ids: &[crate::model::ObjectId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

/// An event as a sentence.
fn sentence(event: &Event) -> String {
    match event {
        Event::NoSubject => {
            "no policy applies to this end: it is no pod with a network of its own".to_owned()
        }
        Event::Rule {
            tier,
            rule,
            action,
            perhaps,
        } => {
            let verb = match action {
                Action::Allow => "allows it",
                Action::Deny => "denies it",
                Action::Pass => "passes it on",
            };
            let by = match rule {
                Allowed::Rule(id, pointer) => format!("{id} {pointer}"),
                Allowed::Default => "the default".to_owned(),
            };
            let condition = perhaps.map_or_else(String::new, |reason| format!(", if {reason}"));
            format!("{tier}: {by} {verb}{condition}")
        }
        Event::NoRule { tier, policies } => format!("{tier}: no rule of {} matches", listed(policies)),
        Event::Isolated { tier, policies } => {
            format!(
                "{tier}: isolated by {}, and no rule lets it through",
                listed(policies)
            )
        }
        Event::Default => "default: nothing stops it".to_owned(),
    }
}

fn way(exposure: &Exposure) -> WayView {
    WayView {
        port: exposure.port,
        proto: exposure.protocol.as_str(),
        via: exposure.via.iter().map(ToString::to_string).collect(),
        from: match exposure.outside {
            Outside::Internet => "internet",
            Outside::Private => "private",
        },
        condition: exposure.condition.as_ref().map(ToString::to_string),
    }
}

impl ReachAnswer {
    /// Returns the answers as they are written.
    pub fn new(from: &str, to: &str, answers: &[Answer]) -> Self {
        let view = |answer: &Answer| AnswerView {
            src: answer.source.clone(),
            dst: answer.target.clone(),
            verdict: word(answer.verdict),
            ports: (&answer.ports).into(),
            unknown_ports: (&answer.perhaps).into(),
            port: RangeView {
                proto: answer.port.0.as_str(),
                from: answer.port.1,
                to: answer.port.1,
            },
            ways: answer.ways.iter().map(way).collect(),
            note: answer.note,
            walk: answer
                .walks
                .iter()
                .map(|walk| WalkView {
                    direction: walk.direction.as_str(),
                    verdict: word(walk.verdict),
                    events: walk.events.iter().map(sentence).collect(),
                })
                .collect(),
        };
        let best = answers.iter().map(|answer| answer.verdict).max();
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            verdict: word(best.unwrap_or(Verdict::Denied)),
            answers: answers.iter().map(view).collect(),
        }
    }

    /// The answers for people.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        for answer in &self.answers {
            page.heading(format!("{} to {}: {}", answer.src, answer.dst, answer.verdict));
            page.labelled(2, "ports", &ports_text(&answer.ports));
            if !matches!(&answer.unknown_ports, PortsView::Ranges(ranges) if ranges.is_empty()) {
                page.labelled(2, "perhaps", &ports_text(&answer.unknown_ports));
            }
            for way in &answer.ways {
                let condition = way
                    .condition
                    .as_ref()
                    .map_or_else(String::new, |text| format!(", if {text}"));
                let text = format!(
                    "{} {} from {} through {}{condition}",
                    way.proto,
                    way.port,
                    way.from,
                    way.via.join(", ")
                );
                page.labelled(2, "way in", &text);
            }
            for walk in &answer.walk {
                let of = format!("{} {}", answer.port.proto, answer.port.from);
                page.labelled(2, walk.direction, &format!("{of}: {}", walk.verdict));
                for event in &walk.events {
                    page.labelled(2, "", event);
                }
            }
            if let Some(note) = answer.note {
                page.labelled(2, "note", note);
            }
        }
        page
    }
}

fn ports_text(ports: &PortsView) -> String {
    match ports {
        PortsView::All(all) => (*all).to_owned(),
        PortsView::Ranges(ranges) if ranges.is_empty() => "none".to_owned(),
        PortsView::Ranges(ranges) => {
            let range = |range: &RangeView| match (range.from, range.to) {
                (1, u16::MAX) => range.proto.to_owned(),
                (from, to) if from == to => format!("{} {from}", range.proto),
                (from, to) => format!("{} {from}-{to}", range.proto),
            };
            ranges.iter().map(range).collect::<Vec<_>>().join(", ")
        }
    }
}

impl Reach {
    /// The list for people.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        let row = |connection: &ConnectionView| {
            let mut row = vec![
                spoken(&connection.src).to_owned(),
                format!("-> {}", spoken(&connection.dst)),
                ports_text(&connection.ports),
            ];
            row.extend(connection.verdict.map(ToOwned::to_owned));
            row
        };
        page.table(0, &self.connections.iter().map(row).collect::<Vec<_>>());
        page
    }

    /// The list as comma-separated values with a head line.
    pub fn csv(&self) -> String {
        let mut text = String::from("src,dst,ports,verdict\n");
        for connection in &self.connections {
            let cells = [
                connection.src.as_str(),
                &connection.dst,
                &ports_text(&connection.ports),
                connection.verdict.unwrap_or("allowed"),
            ];
            let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

/// An end as people say it.
fn spoken(end: &str) -> &str {
    match end {
        "0.0.0.0-255.255.255.255" => "any IPv4 address",
        "::/0" => "any IPv6 address",
        other => other,
    }
}

/// A cell of comma-separated values; one that a spreadsheet would take for a formula begins with an apostrophe.
/// Sources: <https://www.rfc-editor.org/rfc/rfc4180>, <https://owasp.org/www-community/attacks/CSV_Injection>
fn csv_cell(cell: &str) -> String {
    let apostrophe = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
    } else {
        format!("{apostrophe}{cell}")
    }
}

/// The ways in from outside, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Entries {
    /// What can be reached from outside, by workload.
    pub entries: Vec<EntryView>,
}

/// A way in to one workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EntryView {
    /// The workload.
    pub workload: String,
    /// The container's port.
    pub port: u16,
    /// Its protocol.
    pub proto: &'static str,
    /// `internet` or `private`.
    pub from: &'static str,
    /// The ids of the objects on the way, from the outside in.
    pub via: Vec<String>,
    /// What it depends on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl Entries {
    /// Returns the ways in, sorted, each once.
    pub fn new(cluster: &Cluster, network: &Network) -> Self {
        let view = |exposure: &Exposure| {
            let (_, pod) = cluster.pods.at(exposure.pod)?;
            let way = way(exposure);
            Some(EntryView {
                workload: cluster.workload_of(pod).to_string(),
                port: way.port,
                proto: way.proto,
                from: way.from,
                via: way.via,
                condition: way.condition,
            })
        };
        let mut entries: Vec<EntryView> = network.entries().iter().filter_map(view).collect();
        entries.sort();
        entries.dedup();
        Self { entries }
    }

    /// The ways in for people.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        if self.entries.is_empty() {
            page.line("nothing is reached from outside the cluster");
        }
        let row = |entry: &EntryView| {
            vec![
                entry.workload.clone(),
                format!("{} {}", entry.proto, entry.port),
                format!("from {}", entry.from),
                format!("through {}", entry.via.join(", ")),
                entry
                    .condition
                    .as_ref()
                    .map_or_else(String::new, |text| format!("if {text}")),
            ]
        };
        page.table(0, &self.entries.iter().map(row).collect::<Vec<_>>());
        page
    }
}

/// Remarks about policies, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Remarks {
    /// The remarks, sorted.
    pub remarks: Vec<RemarkView>,
}

/// One remark.
#[derive(Clone, Debug, Serialize)]
pub struct RemarkView {
    /// Stable name of the check.
    pub check: &'static str,
    /// The policy or namespace it is about.
    pub object: String,
    /// Where in it; empty for the whole.
    pub path: String,
    /// What is so.
    pub message: String,
}

impl Remarks {
    /// Returns the remarks as they are written.
    pub fn new(remarks: &[Remark]) -> Self {
        let view = |remark: &Remark| RemarkView {
            check: remark.check,
            object: remark.object.to_string(),
            path: remark.pointer.to_string(),
            message: remark.message.clone(),
        };
        Self {
            remarks: remarks.iter().map(view).collect(),
        }
    }

    /// The remarks for people.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        if self.remarks.is_empty() {
            page.line("nothing to remark about the policies");
        }
        for remark in &self.remarks {
            let place = format!("{} {}", remark.object, remark.path);
            page.line(format!(
                "{}: {} [{}]",
                place.trim_end(),
                remark.message,
                remark.check
            ));
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads comma-separated values as RFC 4180 says.
    fn rows(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let mut characters = text.chars().peekable();
        let mut quoted = false;
        while let Some(character) = characters.next() {
            match (quoted, character) {
                (true, '"') if characters.peek() == Some(&'"') => {
                    cell.push('"');
                    characters.next();
                }
                (_, '"') => quoted = !quoted,
                (false, ',') => row.push(std::mem::take(&mut cell)),
                (false, '\n') => {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                (_, other) => cell.push(other),
            }
        }
        assert!(!quoted && row.is_empty() && cell.is_empty(), "{text:?}");
        rows
    }

    proptest! {
        #[test]
        fn hostile_names_are_cells_of_csv(src in any::<String>(), dst in "[=+@\\-\"',\n\r\t;]{1,9}") {
            let list = Reach {
                connections: vec![ConnectionView {
                    src: src.clone(),
                    dst: dst.clone(),
                    ports: PortsView::Ranges(Vec::new()),
                    verdict: None,
                }],
            };
            let read = rows(&list.csv());
            let bare = |cell: &str| cell.strip_prefix('\'').unwrap_or(cell).to_owned();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(read[1].len(), 4);
            prop_assert_eq!(bare(&read[1][0]), bare(&src));
            prop_assert_eq!(bare(&read[1][1]), bare(&dst));
            prop_assert!(!read[1].iter().any(|cell| cell.starts_with(['=', '+', '-', '@'])));
        }
    }
}
