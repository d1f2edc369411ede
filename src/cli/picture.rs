//! Pictures of a tree: input for Graphviz, and SVG.

use bulla::ops::tree::TreeNode;
use bulla::ops::tree::Trust;

use super::line::Foreign;
use super::line::Lines;
use super::node::document_line;
use super::node::mark_line;
use super::node::node_line;

/// The tree of the image `name` for Graphviz.
pub(super) fn dot(name: &str, root: &TreeNode) -> Lines {
    let mut lines = Lines::from_iter([
        "digraph image {".to_owned(),
        format!("  label=\"{}\";", escape_dot(&Foreign(name).to_string())),
        "  labelloc=t;".to_owned(),
        "  rankdir=LR;".to_owned(),
        "  fontname=\"monospace\";".to_owned(),
        "  node [shape=box, fontname=\"monospace\", fontsize=10];".to_owned(),
    ]);
    let mut number = 0;
    dot_node(root, None, &mut number, &mut lines);
    lines.push("  subgraph cluster_legend {");
    lines.push("    label=\"legend\";");
    for (index, (color, meaning)) in LEGEND.iter().enumerate() {
        lines.push(format_args!("    legend{index} [label=\"{meaning}\", color=\"{color}\"];"));
    }
    lines.push("  }");
    lines.push("}");
    lines
}

fn dot_node(node: &TreeNode, above: Option<usize>, number: &mut usize, lines: &mut Lines) {
    let me = *number;
    *number += 1;
    let label = label(node).iter().map(|line| escape_dot(line)).collect::<Vec<_>>().join("\\l");
    lines.push(format_args!("  n{me} [label=\"{label}\\l\", color=\"{}\"];", color(node)));
    above.iter().for_each(|above| lines.push(format_args!("  n{above} -> n{me};")));
    node.attached.iter().for_each(|attached| dot_node(attached, Some(me), number, lines));
}

/// The tree of the image `name` as SVG: one row for each node, indented by its depth, then the legend.
pub(super) fn svg(name: &str, root: &TreeNode) -> Lines {
    const INDENT: usize = 28;
    let name = escape_xml(&Foreign(name).to_string());
    let mut boxes = Vec::new();
    place(root, 0, None, &mut boxes);
    let mut drawing = Drawing { drawn: Vec::new(), top: 34, width: 20 + name.chars().count() * 7 };
    let mut bottoms = Vec::new();
    for (node, depth, above) in boxes {
        let left = 10 + depth * INDENT;
        let (top, high) = (drawing.top, drawing.put(left, color(node), &label(node)));
        if let Some(from) = above.and_then(|above: usize| bottoms.get(above).copied()) {
            let (x, middle) = (left - INDENT / 2, top + high / 2);
            let line = format!("<path d=\"M{x} {from}V{middle}H{left}\" fill=\"none\" stroke=\"#888\"/>");
            drawing.drawn.push(line);
        }
        bottoms.push(top + high);
    }
    drawing.top += 8;
    for (color, meaning) in LEGEND {
        drawing.put(10, color, &[meaning.to_owned()]);
    }
    let Drawing { drawn, top, width } = drawing;
    let open = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{top}\" viewBox=\"0 0 {width} {top}\" role=\"img\" font-family=\"monospace\" font-size=\"11\">"
    );
    let ground = "<rect width=\"100%\" height=\"100%\" fill=\"#fafafa\"/>".to_owned();
    let head = [open, format!("<title>{name}</title>"), ground];
    let heading = format!("<text x=\"10\" y=\"22\" font-weight=\"bold\">{name}</text>");
    head.into_iter().chain([heading]).chain(drawn).chain(["</svg>".to_owned()]).collect()
}

/// A drawing of boxes, one below the other.
struct Drawing {
    drawn: Vec<String>,
    top: usize,
    width: usize,
}

impl Drawing {
    /// Draws a box with lines of text and returns how high it is.
    fn put(&mut self, left: usize, color: &str, lines: &[String]) -> usize {
        const LINE: usize = 14;
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let (top, high, wide) = (self.top, lines.len() * LINE + 8, longest * 7 + 16);
        self.drawn.push(format!(
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" rx=\"4\" fill=\"#fff\" stroke=\"{color}\" stroke-width=\"2\"/>"
        ));
        for (index, line) in lines.iter().enumerate() {
            let (x, y) = (left + 8, top + (index + 1) * LINE);
            self.drawn.push(format!("<text x=\"{x}\" y=\"{y}\">{}</text>", escape_xml(line)));
        }
        self.width = self.width.max(left + wide + 10);
        self.top += high + 12;
        high
    }
}

fn place<'a>(
    node: &'a TreeNode,
    depth: usize,
    above: Option<usize>,
    boxes: &mut Vec<(&'a TreeNode, usize, Option<usize>)>,
) {
    let me = boxes.len();
    boxes.push((node, depth, above));
    node.attached.iter().for_each(|attached| place(attached, depth + 1, Some(me), boxes));
}

fn label(node: &TreeNode) -> Vec<String> {
    let documents = node.signed.iter().map(document_line);
    let problems = node.problems.iter().map(|problem| format!("not read: {}", Foreign(problem)));
    let marks = node.marks.iter().map(mark_line);
    [node_line(node)].into_iter().chain(documents).chain(marks).chain(problems).collect()
}

/// The colour of a node: damaged before unread before trusted before untrusted.
fn color(node: &TreeNode) -> &'static str {
    let any = |wanted: fn(&Trust) -> bool| node.signed.iter().any(|document| wanted(&document.trust));
    match node.problems.is_empty() {
        _ if any(|trust| matches!(trust, Trust::Damaged(_))) => DAMAGED,
        false => UNREAD,
        true if any(|trust| matches!(trust, Trust::Trusted(_))) => TRUSTED,
        true if any(|trust| matches!(trust, Trust::Untrusted(_))) => OTHER_KEY,
        true => PLAIN,
    }
}

/// The meaning of the colours. Without keys and certificates no node is marked as trusted or not trusted.
const LEGEND: [(&str, &str); 5] = [
    (TRUSTED, "signed by a trusted owner"),
    (DAMAGED, "names a given key, but does not hold"),
    (OTHER_KEY, "signed by no trusted owner"),
    (UNREAD, "not read completely"),
    (PLAIN, "not signed, or nobody is trusted"),
];
const DAMAGED: &str = "#c03030";
const OTHER_KEY: &str = "#4060a0";
const PLAIN: &str = "#666666";
const TRUSTED: &str = "#208040";
const UNREAD: &str = "#d08000";

fn escape_dot(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
