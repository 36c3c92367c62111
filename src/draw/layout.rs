//! Where everything in a picture lies: a layered layout, groups as boxes.
//!
//! Small pictures are laid out from left to right and from top to bottom, and the one that fits a page better is taken.
//!
//! **Trap.** The layout's work grows faster than the picture; it has a budget, and a picture beyond it is an error
//! that says so instead of a wait.

use std::collections::BTreeSet;

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, LabelPos, LayoutError, NodeLabel, RankDir, WorkControl, WorkError};

use super::diagram::{Diagram, DiagramEdge, DiagramVertex, Role};
use super::group::Group;

/// Units of work of the layout engine; about ten seconds.
const WORK: usize = 2_000_000_000;
/// Width of one character of the pictures' fonts, in pixels.
const CHARACTER: f64 = 7.0;
/// Height of a line of text, in pixels.
const LINE_HEIGHT: f64 = 15.0;
/// Most characters of a line; longer texts are broken.
const LINE: usize = 26;
/// Most lines of a name; longer ones are cut.
const LINES: usize = 3;
/// Most vertices of a picture that is laid out both ways.
const SMALL: usize = 300;
/// Width and height that a picture should keep to, in pixels: what one sees at a glance.
const PAGE: (f64, f64) = (1000.0, 1500.0);

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The picture is too large to lay out.
    #[error(
        "{vertices} vertices and {edges} edges are too many for a picture; draw the paths alone with --paths, or \
         use --format graphml or opengraph"
    )]
    TooLarge {
        /// How many vertices, alike ones folded.
        vertices: usize,
        /// How many edges.
        edges: usize,
    },
    /// The layout engine refused the graph.
    #[error("the layout failed: {0}; use --format dot with Graphviz")]
    Layout(String),
}

/// A box by its middle and size, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// An edge's bends and the middle of its label.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) label: Option<(f64, f64)>,
}

/// The places of everything, in the order of the diagram.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) vertices: Vec<Area>,
    pub(super) edges: Vec<Line>,
    pub(super) groups: Vec<(Group, Area)>,
    pub(super) width: f64,
    pub(super) height: f64,
}

struct Budget(usize);

impl WorkControl for Budget {
    fn charge(&mut self, units: usize) -> Result<(), WorkError> {
        self.0 = self.0.checked_sub(units).ok_or(WorkError::Interrupted)?;
        Ok(())
    }
}

/// What is written on an edge.
pub(super) fn edge_text(edge: &DiagramEdge) -> String {
    match (edge.label, edge.effort) {
        ("", _) => String::new(),
        (label, 0) => label.to_owned(),
        (label, effort) => format!("{label} ({effort})"),
    }
}

/// The lines of a vertex: its label, then the rest of its id, broken and cut to what can be read, and the count.
pub(super) fn lines(vertex: &DiagramVertex) -> Vec<String> {
    let rest = vertex.id.strip_prefix(vertex.label).unwrap_or(&vertex.id);
    let mut lines = vec![vertex.label.to_owned()];
    lines.extend(broken(rest.strip_prefix('/').unwrap_or(rest)));
    if vertex.count > 1 {
        lines.push(format!("and {} more", vertex.count - 1));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// A text in lines of at most [`LINE`] characters, broken after punctuation where there is any.
fn broken(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest: Vec<char> = text.chars().take(LINE * (LINES + 1)).collect();
    while !rest.is_empty() {
        if lines.len() == LINES {
            if let Some(last) = lines.last_mut() {
                let cut: String = last.chars().take(LINE - 1).collect();
                *last = format!("{cut}…");
            }
            break;
        }
        let mut end = rest.len().min(LINE);
        if rest.len() > LINE {
            let at = rest[..LINE]
                .iter()
                .rposition(|character| "/-.:_ ".contains(*character));
            end = at.filter(|&at| at >= LINE / 3).map_or(LINE, |at| at + 1);
        }
        lines.push(rest[..end].iter().collect());
        rest.drain(..end);
    }
    lines
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a line has at most some dozens of characters"
)]
fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

#[expect(clippy::cast_precision_loss, reason = "a vertex has at most five lines")]
fn count(lines: &[String]) -> f64 {
    lines.len() as f64
}

/// Where the line of this number stands, of so many around `middle`.
pub(super) fn baseline(middle: f64, lines: &[String], number: usize) -> f64 {
    let above = count(lines) / 2.0 - count(&lines[..number]);
    middle - above * LINE_HEIGHT + 11.5
}

/// Returns the places of everything in a picture.
pub(super) fn layout(diagram: &Diagram) -> Result<Layout, DrawError> {
    let down = readable(diagram, RankDir::TB)?;
    if diagram.vertices.len() > SMALL {
        return Ok(down);
    }
    let right = readable(diagram, RankDir::LR)?;
    let excess = |layout: &Layout| (layout.width / PAGE.0).max(layout.height / PAGE.1);
    Ok(if excess(&right) < excess(&down) {
        right
    } else {
        down
    })
}

/// The layout with a box for each group. Where many boxes hold each other up, the engine finds none or puts vertices
/// over each other; then the one without boxes.
fn readable(diagram: &Diagram, rankdir: RankDir) -> Result<Layout, DrawError> {
    match directed(diagram, rankdir, true) {
        Ok(layout) if !overlap(&layout.vertices) => Ok(layout),
        _ => directed(diagram, rankdir, false),
    }
}

/// Whether two of these lie over each other.
fn overlap(areas: &[Area]) -> bool {
    let mut sorted: Vec<&Area> = areas.iter().collect();
    let top = |area: &Area| area.y - area.height / 2.0;
    sorted.sort_by(|a, b| top(a).total_cmp(&top(b)));
    sorted.iter().enumerate().any(|(at, one)| {
        let below = sorted[at + 1..]
            .iter()
            .take_while(|other| top(other) < one.y + one.height / 2.0 - 1.0);
        below
            .into_iter()
            .any(|other| (one.x - other.x).abs() < f64::midpoint(one.width, other.width) - 1.0)
    })
}

fn directed(diagram: &Diagram, rankdir: RankDir, boxed: bool) -> Result<Layout, DrawError> {
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> = Graph::new(GraphOptions {
        multigraph: true,
        compound: true,
        directed: true,
    });
    graph.set_graph(GraphLabel {
        rankdir,
        nodesep: 24.0,
        ranksep: 24.0,
        edgesep: 14.0,
        marginx: 24.0,
        marginy: 24.0,
        ..GraphLabel::default()
    });
    let groups: BTreeSet<&Group> = diagram
        .vertices
        .iter()
        .filter_map(|vertex| vertex.group.as_ref())
        .filter(|_| boxed)
        .collect();
    let groups: Vec<&Group> = groups.into_iter().collect();
    for at in 0..groups.len() {
        graph.set_node(format!("n{at}"), NodeLabel::default());
    }
    for (at, vertex) in diagram.vertices.iter().enumerate() {
        graph.set_node(format!("v{at}"), size(vertex));
        let group = vertex.group.as_ref();
        if let Some(parent) = group.and_then(|group| groups.binary_search(&group).ok()) {
            graph.set_parent(format!("v{at}"), format!("n{parent}"));
        }
    }
    for (at, edge) in diagram.edges.iter().enumerate() {
        let text = edge_text(edge);
        let label = EdgeLabel {
            width: if text.is_empty() {
                0.0
            } else {
                width_of(&text) + 8.0
            },
            height: if text.is_empty() { 0.0 } else { 16.0 },
            labelpos: LabelPos::C,
            weight: 1.0,
            ..EdgeLabel::default()
        };
        graph.set_edge_named(
            format!("v{}", edge.from),
            format!("v{}", edge.to),
            Some(format!("e{at}")),
            Some(label),
        );
    }
    dugong::layout_controlled(&mut graph, &mut Budget(WORK)).map_err(|error| refused(&error, diagram))?;
    Ok(places(&graph, diagram, &groups))
}

fn refused(error: &LayoutError, diagram: &Diagram) -> DrawError {
    if matches!(error, LayoutError::Work(_)) {
        DrawError::TooLarge {
            vertices: diagram.vertices.len(),
            edges: diagram.edges.len(),
        }
    } else {
        DrawError::Layout(error.to_string())
    }
}

fn size(vertex: &DiagramVertex) -> NodeLabel {
    let lines = lines(vertex);
    let widest = lines.iter().map(|line| width_of(line)).fold(0.0_f64, f64::max);
    let (width, height) = match vertex.role {
        Role::Join => (14.0, 14.0),
        _ => (widest.max(60.0) + 24.0, LINE_HEIGHT * count(&lines) + 14.0),
    };
    NodeLabel {
        width,
        height,
        ..NodeLabel::default()
    }
}

fn places(graph: &Graph<NodeLabel, EdgeLabel, GraphLabel>, diagram: &Diagram, groups: &[&Group]) -> Layout {
    let area = |id: &str| {
        let node = graph.node(id).cloned().unwrap_or_default();
        Area {
            x: node.x.unwrap_or_default(),
            y: node.y.unwrap_or_default(),
            width: node.width,
            height: node.height,
        }
    };
    let edge = |(at, edge): (usize, &DiagramEdge)| {
        let (from, to) = (format!("v{}", edge.from), format!("v{}", edge.to));
        let Some(found) = graph.edge(&from, &to, Some(&format!("e{at}"))) else {
            return Line::default();
        };
        Line {
            points: found.points.iter().map(|point| (point.x, point.y)).collect(),
            label: found.x.zip(found.y).filter(|_| !edge.label.is_empty()),
        }
    };
    let mut layout = Layout {
        vertices: (0..diagram.vertices.len())
            .map(|at| area(&format!("v{at}")))
            .collect(),
        edges: diagram.edges.iter().enumerate().map(edge).collect(),
        groups: groups
            .iter()
            .enumerate()
            .map(|(at, group)| ((*group).clone(), area(&format!("n{at}"))))
            .collect(),
        width: 0.0,
        height: 0.0,
    };
    let areas = layout
        .vertices
        .iter()
        .chain(layout.groups.iter().map(|(_, area)| area));
    for (x, y) in areas
        .map(|area| (area.x + area.width / 2.0, area.y + area.height / 2.0))
        .chain(layout.edges.iter().flat_map(|line| line.points.iter().copied()))
    {
        layout.width = layout.width.max(x + 24.0);
        layout.height = layout.height.max(y + 24.0);
    }
    layout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_after_punctuation_and_cut() {
        assert_eq!(broken("shop/web"), ["shop/web"]);
        assert_eq!(
            broken("kube-system/clusterrole-aggregation-controller"),
            ["kube-system/clusterrole-", "aggregation-controller"]
        );
        let long = broken(&"x".repeat(500));
        assert_eq!(long.len(), LINES);
        assert!(long[LINES - 1].ends_with('…') && long.iter().all(|line| line.chars().count() <= LINE));
    }
}
