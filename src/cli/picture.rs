//! Pictures of a tree: Graphviz, and SVG without it.

use crate::flow::tree::Node;
use crate::flow::tree::Trust;

use super::line::Foreign;
use super::line::Lines;
use super::render;

/// The tree for Graphviz.
pub(super) fn dot(root: &Node) -> Lines {
    let mut lines = Lines::from_iter([
        "digraph image {",
        "  rankdir=LR;",
        "  node [shape=box, fontname=\"monospace\", fontsize=10];",
    ]);
    let mut number = 0;
    dot_node(root, None, &mut number, &mut lines);
    lines.push("}");
    lines
}

fn dot_node(node: &Node, above: Option<usize>, number: &mut usize, lines: &mut Lines) {
    let me = *number;
    *number += 1;
    let label = label(node).iter().map(|line| escape_dot(line)).collect::<Vec<_>>().join("\\l");
    lines.push(format_args!("  n{me} [label=\"{label}\\l\", color=\"{}\"];", color(node)));
    above.iter().for_each(|above| lines.push(format_args!("  n{above} -> n{me};")));
    node.hanging.iter().for_each(|hanging| dot_node(hanging, Some(me), number, lines));
}

/// The tree as a picture: one row for each node, indented by how deep it hangs.
pub(super) fn svg(root: &Node) -> Lines {
    const LINE: usize = 14;
    const INDENT: usize = 28;
    let mut boxes = Vec::new();
    place(root, 0, None, &mut boxes);
    let mut top = 10;
    let mut drawn = Vec::new();
    let mut tops = Vec::new();
    let mut width = 0;
    for (node, depth, above) in boxes {
        let lines = label(node);
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let (left, high, wide) = (10 + depth * INDENT, lines.len() * LINE + 8, longest * 7 + 16);
        if let Some(from) = above.and_then(|above: usize| tops.get(above).copied()) {
            let (x, middle) = (left - INDENT / 2, top + high / 2);
            drawn.push(format!("<path d=\"M{x} {from}V{middle}H{left}\" fill=\"none\" stroke=\"#888\"/>"));
        }
        let color = color(node);
        drawn.push(format!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" rx=\"4\" fill=\"#fff\" stroke=\"{color}\" stroke-width=\"2\"/>"
        ));
        for (index, line) in lines.iter().enumerate() {
            let (x, y) = (left + 8, top + (index + 1) * LINE);
            drawn.push(format!("<text x=\"{x}\" y=\"{y}\">{}</text>", escape_xml(line)));
        }
        tops.push(top + high);
        width = width.max(left + wide + 10);
        top += high + 12;
    }
    let open = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" font-family=\"monospace\" font-size=\"11\">"
    );
    let ground = "<rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>".to_owned();
    [open, ground].into_iter().chain(drawn).chain(["</svg>".to_owned()]).collect()
}

fn place<'a>(node: &'a Node, depth: usize, above: Option<usize>, boxes: &mut Vec<(&'a Node, usize, Option<usize>)>) {
    let me = boxes.len();
    boxes.push((node, depth, above));
    node.hanging.iter().for_each(|hanging| place(hanging, depth + 1, Some(me), boxes));
}

fn label(node: &Node) -> Vec<String> {
    let documents = node.signed.iter().map(render::document_line);
    let problems = node.problems.iter().map(|problem| format!("not read: {}", Foreign(problem)));
    [render::node_line(node)].into_iter().chain(documents).chain(problems).collect()
}

/// Green is trusted, red is signed and not trusted, orange could not be read, grey is all the rest.
fn color(node: &Node) -> &'static str {
    let any = |wanted: fn(&Trust) -> bool| node.signed.iter().any(|document| wanted(&document.trust));
    match node.problems.is_empty() {
        false => "#d08000",
        true if any(|trust| matches!(trust, Trust::Untrusted(_))) => "#c03030",
        true if any(|trust| matches!(trust, Trust::Trusted(_))) => "#208040",
        true => "#666666",
    }
}

fn escape_dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
