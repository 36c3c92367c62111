//! A picture as data for a page that draws it: places from here, so that the browser lays nothing out.
//!
//! Vertices and edges are arrays, as their names would be most of the bytes; `report/html/graph.js` reads them.
//!
//! **Trap.** The order of the members is what the script relies on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::diagram::{Diagram, DiagramEdge, DiagramVertex};
use super::graphml::role;
use super::group::Group;
use super::layout::{Area, DrawError, Line, edge_text, layout, lines};
use crate::techniques::Step;

/// Returns the picture as data, with the edges of each named path.
///
/// # Errors
/// Returns an error if the picture is too large to lay out.
pub fn scene<'a>(
    diagram: &Diagram,
    paths: impl IntoIterator<Item = (&'a str, &'a [Step])>,
) -> Result<Value, DrawError> {
    let layout = layout(diagram)?;
    let groups = layout.groups.iter().map(|(group, _)| group);
    let spaces: BTreeMap<&Group, usize> = groups.zip(0..).collect();
    let vertices = diagram.vertices.iter().zip(&layout.vertices);
    let edges = diagram.edges.iter().zip(&layout.edges);
    let paths: BTreeMap<&str, Vec<usize>> = paths
        .into_iter()
        .map(|(name, steps)| (name, diagram.edges_of(steps)))
        .collect();
    Ok(json!({
        "width": rounded(layout.width),
        "height": rounded(layout.height),
        "spaces": layout.groups.iter().map(|(group, area)| json!([group.to_string(), rectangle(*area)])).collect::<Vec<_>>(),
        "vertices": vertices.map(|(vertex, area)| vertex_of(vertex, *area, &spaces)).collect::<Vec<_>>(),
        "edges": edges.map(|(edge, line)| edge_of(edge, line)).collect::<Vec<_>>(),
        "paths": paths,
    }))
}

fn vertex_of(vertex: &DiagramVertex, area: Area, spaces: &BTreeMap<&Group, usize>) -> Value {
    let space = vertex.group.as_ref().and_then(|group| spaces.get(group));
    json!([
        vertex.text,
        role(vertex.role),
        space,
        vertex.count,
        rectangle(area),
        lines(vertex),
        vertex.with,
    ])
}

fn edge_of(edge: &DiagramEdge, line: &Line) -> Value {
    let points: Vec<f64> = line
        .points
        .iter()
        .flat_map(|&(x, y)| [rounded(x), rounded(y)])
        .collect();
    json!([
        edge.from,
        edge.to,
        edge_text(edge),
        edge.label,
        edge.structural,
        edge.certainty,
        points,
        line.label.map(|(x, y)| [rounded(x), rounded(y)]),
    ])
}

/// Left, top, width, height.
fn rectangle(area: Area) -> [f64; 4] {
    [
        area.x - area.width / 2.0,
        area.y - area.height / 2.0,
        area.width,
        area.height,
    ]
    .map(rounded)
}

/// A tenth of a pixel is enough, and shorter to write.
fn rounded(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}
