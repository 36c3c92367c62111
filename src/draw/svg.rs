//! The picture as SVG, laid out without Graphviz.
//!
//! Looks are attributes, not style sheets, so that every reader shows the same; a page may change them by class. Each
//! vertex and edge has a `title` with its whole text, which browsers show when one points at it and screen readers
//! read.
//!
//! **Trap.** Every text passes through `markup`; long ones are cut in the drawing and whole in the title.

use std::fmt::Write as _;

use super::diagram::{Diagram, DiagramEdge, DiagramVertex, Role};
use super::group::Group;
use super::layout::{Area, DrawError, Layout, Line, baseline, edge_text, layout, lines};
use crate::markup::{attribute, content};

/// Height of the legend below the picture, in pixels.
const LEGEND: f64 = 64.0;
/// Height of a group's name above its box, in pixels.
const HEAD: f64 = 16.0;
/// Least width, so that the legend fits, in pixels.
const WIDTH: f64 = 700.0;

/// Returns the picture as SVG.
///
/// # Errors
/// Returns an error if the picture is too large to lay out.
///
/// # Complexity
/// That of the layout: about 0.1 s for 1,000 vertices.
pub fn svg(diagram: &Diagram, title: &str) -> Result<String, DrawError> {
    let layout = layout(diagram)?;
    let (width, height) = (layout.width.max(WIDTH), layout.height + LEGEND);
    let mut text = begin(width, height, title);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        r##"<rect class="paper" width="{width:.0}" height="{height:.0}" fill="#ffffff"/>"##
    );
    body(diagram, &layout, &mut text);
    legend(layout.height + 8.0, &mut text);
    text.push_str("</svg>\n");
    Ok(text)
}

/// Returns the picture as SVG for a page that brings its own legend.
///
/// # Errors
/// Returns an error if the picture is too large to lay out.
pub fn figure(diagram: &Diagram, title: &str) -> Result<String, DrawError> {
    let layout = layout(diagram)?;
    let mut text = begin(layout.width, layout.height, title);
    body(diagram, &layout, &mut text);
    text.push_str("</svg>\n");
    Ok(text)
}

/// Returns the legend of [`figure`]s as SVG.
pub fn figure_legend() -> String {
    let mut text = begin(WIDTH, LEGEND, "Legend");
    legend(12.0, &mut text);
    text.push_str("</svg>\n");
    text
}

fn begin(width: f64, height: f64, title: &str) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" aria-label="{}"><title>{}</title>
"#,
        attribute(title),
        content(title)
    )
}

fn body(diagram: &Diagram, layout: &Layout, text: &mut String) {
    for (group, area) in &layout.groups {
        draw_group(group, *area, text);
    }
    for (edge, line) in diagram.edges.iter().zip(&layout.edges) {
        draw_edge(edge, line, diagram, text);
    }
    // Labels last, so that no line runs through one.
    for (edge, line) in diagram.edges.iter().zip(&layout.edges) {
        draw_label(edge, line, text);
    }
    for (vertex, area) in diagram.vertices.iter().zip(&layout.vertices) {
        draw_vertex(vertex, *area, text);
    }
}

fn draw_group(group: &Group, area: Area, text: &mut String) {
    let (left, top) = (area.x - area.width / 2.0, area.y - area.height / 2.0 - HEAD);
    let _ = writeln!(
        text,
        r##"<rect class="space" x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="8" fill="{}" stroke="#cbd5e0"/>"##,
        area.width,
        area.height + HEAD,
        group.fill()
    );
    let _ = writeln!(
        text,
        r##"<text class="faint" x="{:.1}" y="{:.1}" fill="#4a5568" font-size="11">{}</text>"##,
        left + 8.0,
        top + 13.0,
        content(&group.to_string().chars().take(70).collect::<String>())
    );
}

fn draw_vertex(vertex: &DiagramVertex, area: Area, text: &mut String) {
    let (x, y) = (area.x, area.y);
    let mut title = vertex.text.clone();
    if !vertex.with.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(title, "\nwith {}", vertex.with.join("\n"));
    }
    let _ = writeln!(text, "<g><title>{}</title>", content(&title));
    if vertex.role == Role::Join {
        let _ = writeln!(
            text,
            r##"<circle class="join" cx="{x:.1}" cy="{y:.1}" r="6" fill="#4a5568"/></g>"##
        );
        return;
    }
    let look = match vertex.role {
        Role::Entry => ("box entry", "#fff3c4", "#b7791f", 2),
        Role::Jewel => ("box jewel", "#fed7d7", "#c53030", 2),
        Role::Position | Role::Join => ("box", "#ffffff", "#4a5568", 1),
    };
    if vertex.count > 1 {
        outline(area, 4.0, look, text);
    }
    outline(area, 0.0, look, text);
    let lines = lines(vertex);
    for (number, line) in lines.iter().enumerate() {
        let weight = match number {
            0 if lines.len() > 1 => r#"font-size="10""#,
            _ => r#"font-weight="bold""#,
        };
        let _ = writeln!(
            text,
            r##"<text class="ink" x="{x:.1}" y="{:.1}" text-anchor="middle" fill="#1a202c" {weight}>{}</text>"##,
            baseline(y, &lines, number),
            content(line)
        );
    }
    text.push_str("</g>\n");
}

fn outline(area: Area, shift: f64, (class, fill, stroke, wide): (&str, &str, &str, u8), text: &mut String) {
    let _ = writeln!(
        text,
        r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="6" fill="{fill}" stroke="{stroke}" stroke-width="{wide}"/>"#,
        area.x - area.width / 2.0 + shift,
        area.y - area.height / 2.0 + shift,
        area.width,
        area.height
    );
}

fn draw_edge(edge: &DiagramEdge, line: &Line, diagram: &Diagram, text: &mut String) {
    let [.., before, end] = line.points.as_slice() else {
        return;
    };
    let points: Vec<String> = line
        .points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let dashes = if edge.structural {
        r#" stroke-dasharray="5 4""#
    } else {
        ""
    };
    let colour = if edge.structural { "#718096" } else { "#2d3748" };
    let class = if edge.structural { "line structure" } else { "line" };
    let title = format!(
        "{} from {} to {}",
        edge_text(edge),
        diagram.vertices[edge.from].text,
        diagram.vertices[edge.to].text
    );
    let _ = writeln!(
        text,
        r#"<g><title>{}</title><polyline class="{class}" points="{}" fill="none" stroke="{colour}"{dashes}/>"#,
        content(&title),
        points.join(" ")
    );
    if diagram.vertices[edge.to].role != Role::Join {
        arrow(*before, *end, colour, text);
    }
    text.push_str("</g>\n");
}

fn draw_label(edge: &DiagramEdge, line: &Line, text: &mut String) {
    if let Some((x, y)) = line.label {
        let _ = writeln!(
            text,
            r##"<text class="tag" x="{x:.1}" y="{:.1}" text-anchor="middle" font-size="11" fill="#2b6cb0" stroke="#ffffff" stroke-width="3" paint-order="stroke">{}</text>"##,
            y + 4.0,
            content(&edge_text(edge))
        );
    }
}

/// The head of an arrow that comes from `before` and ends at `end`.
fn arrow(before: (f64, f64), end: (f64, f64), colour: &str, text: &mut String) {
    let (dx, dy) = (end.0 - before.0, end.1 - before.1);
    let length = dx.hypot(dy).max(0.1);
    let (dx, dy) = (dx / length, dy / length);
    let (x, y) = (end.0 - 9.0 * dx, end.1 - 9.0 * dy);
    let _ = writeln!(
        text,
        r#"<polygon class="head" points="{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}" fill="{colour}"/>"#,
        end.0,
        end.1,
        x - 4.0 * dy,
        y + 4.0 * dx,
        x + 4.0 * dy,
        y - 4.0 * dx
    );
}

fn legend(top: f64, text: &mut String) {
    let _ = writeln!(
        text,
        r##"<g class="ink" fill="#1a202c" font-size="11"><title>Legend</title>"##
    );
    for (x, class, fill, stroke, name) in [
        (24.0, "box entry", "#fff3c4", "#b7791f", "entry"),
        (94.0, "box jewel", "#fed7d7", "#c53030", "crown jewel"),
        (194.0, "box", "#ffffff", "#4a5568", "position"),
    ] {
        let _ = writeln!(
            text,
            r#"<rect class="{class}" x="{x}" y="{top:.1}" width="16" height="12" rx="3" fill="{fill}" stroke="{stroke}"/><text x="{}" y="{:.1}">{name}</text>"#,
            x + 22.0,
            top + 10.0
        );
    }
    let (middle, below) = (top + 6.0, top + 32.0);
    let _ = writeln!(
        text,
        r##"<circle class="join" cx="290" cy="{middle:.1}" r="6" fill="#4a5568"/><text x="302" y="{:.1}">needs all that lead here</text>"##,
        top + 10.0
    );
    let _ = writeln!(
        text,
        r##"<polyline class="line structure" points="450,{middle:.1} 484,{middle:.1}" stroke="#718096" stroke-dasharray="5 4" fill="none"/><text x="490" y="{:.1}">structure, costs nothing</text>"##,
        top + 10.0
    );
    let _ = writeln!(
        text,
        r#"<text x="24" y="{below:.1}">(3): the effort of a step, 1 to 8. A double frame stands for several alike positions.</text></g>"#
    );
}
