//! Where the boxes of a picture of layers stand: images as stacks side by side, a box a layer, in pixels. It knows neither colors
//! nor words, and nothing of HTML.

use std::collections::{HashMap, HashSet};

use crate::transcript::Layer;

/// The least height of a box: it holds its label.
pub const FLOOR: u64 = 22;

/// Height that sizes are drawn to, floors aside: that of the biggest layers that stand one above the other.
pub const TALL: u64 = 240;

/// Width of a box.
pub const WIDTH: u64 = 112;

/// Between two boxes, one above the other.
pub const GAP: u64 = 2;

/// Between two columns.
const GUTTER: u64 = 12;

/// Room for what stands out from the first and the last column: lines around boxes, long names.
const MARGIN: u64 = 4;

/// Height of a line of text.
const LINE: u64 = 15;

/// Letters of a name on one line: a little wider than a box.
const LETTERS: usize = 18;

/// An image to draw.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// As people write it.
    pub name: &'a str,
    /// Bottom first.
    pub layers: &'a [Layer],
}

/// Stacks side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Of all.
    pub width: u64,
    /// Of all.
    pub height: u64,
    /// What the stacks stand on, from the top of the picture. Below it is room for two lines of text.
    pub ground: u64,
    /// In the order of the stacks.
    pub columns: Vec<Column>,
}

/// One stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Left edge.
    pub left: u64,
    /// Its name in lines, each with its base line.
    pub name: Vec<(u64, String)>,
    /// A box a layer, bottom first.
    pub boxes: Vec<LayerBox>,
}

/// A layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerBox {
    /// Upper edge, from the top of the picture.
    pub top: u64,
    /// [`FLOOR`] at least.
    pub height: u64,
}

impl Picture {
    /// Base lines of the two lines of text below the stacks.
    pub fn footer(&self) -> [u64; 2] {
        [self.ground + LINE, self.ground + 2 * LINE]
    }
}

impl LayerBox {
    /// Lower edge.
    pub fn bottom(&self) -> u64 {
        self.top + self.height
    }
}

/// Places the boxes.
///
/// A layer stands as high as the highest of what its images have below it. So one that several images have is at one height in
/// all of them, unless they have their layers in orders that contradict each other: then it is not, in the later ones.
pub fn picture(stacks: &[Stack<'_>]) -> Picture {
    let Graph { nodes, columns } = graph(stacks);
    let sizes = |it: &Node| u128::from(it.size.unwrap_or(0));
    let all = heights(&nodes, sizes).1;
    let pixels = |it: &Node| match all {
        0 => FLOOR,
        // Not more than `TALL`, since a layer is not bigger than all of them.
        all => (sizes(it) * u128::from(TALL) / all).max(u128::from(FLOOR)) as u64,
    };
    let (bottoms, _) = heights(&nodes, |it| u128::from(pixels(it) + GAP));
    // In units of pixels again: a number of layers times the height of a box.
    let bottoms: Vec<u64> = bottoms.into_iter().map(|it| it as u64).collect();
    let names: Vec<Vec<String>> = stacks.iter().map(|it| wrapped(it.name)).collect();
    let tops = columns.iter().zip(&names).map(|(column, name)| {
        let stack = column
            .last()
            .map_or(0, |it| bottoms[*it] + pixels(&nodes[*it]));
        stack + (name.len() as u64 + 1) * LINE
    });
    let ground = tops.max().unwrap_or(0) + MARGIN;
    let columns = columns.iter().zip(names).enumerate();
    let columns = columns.map(|(idx, (column, name))| {
        let boxes: Vec<LayerBox> = column
            .iter()
            .map(|it| {
                let height = pixels(&nodes[*it]);
                LayerBox {
                    top: ground - bottoms[*it] - height,
                    height,
                }
            })
            .collect();
        let top = boxes.last().map_or(ground, |it| it.top);
        let n_lines = name.len();
        let base_line = |idx: usize| top - LINE / 2 - (n_lines - 1 - idx) as u64 * LINE;
        Column {
            left: MARGIN + idx as u64 * (WIDTH + GUTTER),
            name: name
                .into_iter()
                .enumerate()
                .map(|(idx, it)| (base_line(idx), it))
                .collect(),
            boxes,
        }
    });
    Picture {
        width: (stacks.len() as u64 * (WIDTH + GUTTER)).saturating_sub(GUTTER) + 2 * MARGIN,
        height: ground + 2 * LINE + LINE / 2,
        ground,
        columns: columns.collect(),
    }
}

/// What stands on what.
struct Graph {
    nodes: Vec<Node>,
    /// A node a layer, bottom first.
    columns: Vec<Vec<usize>>,
}

/// A layer, once for all images that have it at one height.
struct Node {
    size: Option<u64>,
    /// What stands on it.
    above: Vec<usize>,
}

/// Makes a graph without cycles. A layer that would close one gets a node of its own.
fn graph(stacks: &[Stack<'_>]) -> Graph {
    let sizes = known_sizes(stacks.iter().map(|it| it.layers));
    let mut nodes: Vec<Node> = Vec::new();
    let mut columns = Vec::new();
    // An image may have a layer twice, so the first of one image is that of another.
    let mut common: HashMap<(&str, usize), usize> = HashMap::new();
    for stack in stacks {
        let mut column: Vec<usize> = Vec::new();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for layer in stack.layers {
            let digest = layer.digest.as_str();
            let nth = seen.entry(digest).or_default();
            *nth += 1;
            let below = column.last().copied();
            let is_free = |it: &usize| below.is_none_or(|below| !reaches(&nodes, *it, below));
            let known = common.get(&(digest, *nth)).copied();
            let node = known.filter(is_free).unwrap_or_else(|| {
                nodes.push(Node {
                    size: sizes.get(digest).copied(),
                    above: Vec::new(),
                });
                nodes.len() - 1
            });
            common.entry((digest, *nth)).or_insert(node);
            if let Some(below) = below
                && !nodes[below].above.contains(&node)
            {
                nodes[below].above.push(node);
            }
            column.push(node);
        }
        columns.push(column);
    }
    Graph { nodes, columns }
}

/// Sizes by digest: what an engine tells of a layer in one image, it may not tell in another.
pub fn known_sizes<'a>(images: impl Iterator<Item = &'a [Layer]>) -> HashMap<&'a str, u64> {
    let mut res = HashMap::new();
    for layer in images.flatten() {
        if let Some(size) = layer.size {
            res.entry(layer.digest.as_str()).or_insert(size);
        }
    }
    res
}

/// Whether something stands on a node, be it with others between.
fn reaches(nodes: &[Node], from: usize, to: usize) -> bool {
    let mut seen = HashSet::new();
    let mut rest = vec![from];
    while let Some(it) = rest.pop() {
        if it == to {
            return true;
        }
        if seen.insert(it) {
            rest.extend(&nodes[it].above);
        }
    }
    false
}

/// How much is below each node at the most, and how much is the most of all, with the node itself.
fn heights(nodes: &[Node], height: impl Fn(&Node) -> u128) -> (Vec<u128>, u128) {
    let mut n_below = vec![0; nodes.len()];
    for it in nodes.iter().flat_map(|it| &it.above) {
        n_below[*it] += 1;
    }
    let mut res = vec![0; nodes.len()];
    let mut highest = 0;
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|it| n_below[*it] == 0).collect();
    while let Some(it) = ready.pop() {
        let top = res[it] + height(&nodes[it]);
        highest = highest.max(top);
        for above in &nodes[it].above {
            res[*above] = top.max(res[*above]);
            n_below[*above] -= 1;
            if n_below[*above] == 0 {
                ready.push(*above);
            }
        }
    }
    (res, highest)
}

/// Breaks a name into lines: at its seams; where that is not enough after `-`, `.` and `_`, else anywhere.
fn wrapped(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in seams(name) {
        match lines.last_mut() {
            Some(line) if fits(line, part) => line.push_str(part),
            _ if fits("", part) => lines.push(part.to_string()),
            _ => {
                let mut line = String::new();
                for part in parts(part, "-._", "") {
                    if !fits(&line, part) && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                    }
                    for ch in part.chars() {
                        if line.chars().count() == LETTERS {
                            lines.push(std::mem::take(&mut line));
                        }
                        line.push(ch);
                    }
                }
                lines.push(line);
            }
        }
    }
    lines
}

/// Cuts a name where it had best break: after `/`, before `:` and `@`.
pub(super) fn seams(name: &str) -> Vec<&str> {
    parts(name, "/", ":@")
}

fn fits(line: &str, part: &str) -> bool {
    line.chars().count() + part.chars().count() <= LETTERS
}

/// Cuts a text after each of the one and before each of the other.
fn parts<'a>(text: &'a str, after: &str, before: &str) -> Vec<&'a str> {
    let mut res = Vec::new();
    let mut start = 0;
    for (at, ch) in text.char_indices() {
        let end = match (before.contains(ch), after.contains(ch)) {
            (true, _) => at,
            (_, true) => at + ch.len_utf8(),
            _ => continue,
        };
        if end > start {
            res.push(&text[start..end]);
            start = end;
        }
    }
    if start < text.len() {
        res.push(&text[start..]);
    }
    res
}
