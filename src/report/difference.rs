//! What the terminal says of two outputs that differ: lines with a mark before them, and below a line that changed in part what
//! of it did. It can be read without colour.

use similar::{ChangeTag, TextDiff};
use unicode_width::UnicodeWidthStr;

use crate::report::{BAD, FAINT, GOOD, paint, push, visible};

/// Number of lines that are the same, shown before and after those that differ.
const CONTEXT: usize = 2;

/// The lines that differ, with some around them.
pub(super) fn push_difference(text: &mut String, recorded: &str, fresh: &str) {
    let diff = TextDiff::from_lines(recorded, fresh);
    for (idx, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if idx > 0 {
            text.push_str("      …\n");
        }
        for change in group.iter().flat_map(|it| diff.iter_inline_changes(it)) {
            let parts: Vec<Part> = change
                .iter_strings_lossy()
                .map(|(changed, part)| Part {
                    changed,
                    text: visible(part.trim_end_matches('\n')),
                })
                .collect();
            let line: String = parts.iter().map(|it| it.text.as_str()).collect();
            let (style, mark) = match change.tag() {
                // A mark here too: at the start of a line an output could be a command to a CI job's runner.
                ChangeTag::Equal => (FAINT, "| "),
                ChangeTag::Delete => (BAD, "- "),
                ChangeTag::Insert => (GOOD, "+ "),
            };
            let line = paint(style, &format!("{mark}{line}"));
            push(text, format_args!("      {line}\n"));
            if let Some(below) = below(&parts) {
                let below = paint(style, &format!("  {below}"));
                push(text, format_args!("      {below}\n"));
            }
        }
    }
}

/// A piece of a line, as it is shown.
struct Part {
    changed: bool,
    text: String,
}

/// Carets under what changed; `None` if that is nothing or all.
fn below(parts: &[Part]) -> Option<String> {
    let is_all = parts
        .iter()
        .all(|it| it.changed || it.text.trim().is_empty());
    let last = parts
        .iter()
        .rposition(|it| it.changed && !it.text.is_empty())?;
    if is_all {
        return None;
    }
    let mut below = String::new();
    for Part { changed, text } in &parts[..=last] {
        match changed {
            true => below.push_str(&"^".repeat(text.width())),
            // As wide as it is: with its tabs.
            false => below.extend(text.split_inclusive('\t').map(|it| {
                let tab = if it.ends_with('\t') { "\t" } else { "" };
                " ".repeat(it.trim_end_matches('\t').width()) + tab
            })),
        }
    }
    Some(below)
}
