//! Blocks for all renderers but HTML: fences, paragraphs and a Markdown table; no HTML. Colours are dropped, nothing is folded.

use super::colophon::{Layers, Row};
use super::escape;
use super::{Checked, Commands, Output, Under, prompted};

/// Stands before a solution.
pub(super) const SOLUTION: &str = "*Solution:*";

/// Makes the line that says that a success criterion was checked.
pub(super) fn criterion(what: &str, checked: Checked) -> String {
    match checked {
        Checked::Holds => format!("*Checked: {}*", escape::markdown(what)),
        Checked::NotYet => format!("*Not checked yet: {}*", escape::markdown(what)),
    }
}

/// Makes the block under a step.
pub(super) fn block(under: &Under<'_>, commands: Commands) -> String {
    match under {
        Under::Note(note) => format!("*{}*", escape::markdown(note)),
        Under::Outputs(outputs) => {
            let with_commands = outputs.len() > 1 || commands == Commands::Nowhere;
            let text: Vec<String> = outputs.iter().map(|it| text(it, with_commands)).collect();
            let text: String = text.concat();
            match text.is_empty() {
                true => "*No output*".to_string(),
                false => fence("text", &escape::fenced(&text)),
            }
        }
    }
}

fn text(output: &Output<'_>, with_command: bool) -> String {
    let mut res = String::new();
    if with_command {
        res.push_str(&prompted(output));
        res.push('\n');
    }
    for line in &output.screen.lines {
        res.extend(line.iter().map(|it| it.text.as_str()));
        res.push('\n');
    }
    if let Some(status) = output.status.label() {
        res.push_str(&format!("[{status}]\n"));
    }
    res
}

/// A fence longer than any run of backticks in its text.
pub(super) fn fence(language: &str, text: &str) -> String {
    let runs = text.split(|it| it != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
    let end = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    format!("{fence}{language}\n{text}{end}{fence}")
}

/// Makes the table of images, if there are any.
pub(super) fn table(rows: &[Row]) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let mut res = String::from(
        "| Reference | Digest | Layers | Size | Same image as |\n|---|---|---:|---:|---|",
    );
    for row in rows {
        let digest = row
            .digest
            .as_deref()
            .map_or("in no registry".to_string(), code);
        let same_as: Vec<String> = row.same_as.iter().map(|it| code(it)).collect();
        res.push_str(&format!(
            "\n| {} | {digest} | {} | {} | {} |",
            code(&row.familiar),
            row.n_layers,
            escape::markdown(&row.size),
            same_as.join(", ")
        ));
    }
    Some(res)
}

/// Makes the table of which image has which layer.
pub(super) fn layers(table: &Layers) -> String {
    let heads: Vec<String> = table.columns.iter().map(|it| code(it)).collect();
    let mut res = format!(
        "| Layer | {} |\n|---|{}",
        heads.join(" | "),
        ":---:|".repeat(heads.len())
    );
    for (digest, has) in &table.rows {
        let cells: Vec<&str> = has.iter().map(|it| if *it { "x" } else { "" }).collect();
        res.push_str(&format!("\n| {} | {} |", code(digest), cells.join(" | ")));
    }
    format!("{res}\n\n{}", escape::markdown(&table.summary()))
}

/// A code span, if the text is of the letters that references and digests are made of.
fn code(text: &str) -> String {
    let is_plain = |it: char| {
        it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '/' | ':' | '@' | '-' | '…')
    };
    match text.chars().all(is_plain) && !text.is_empty() {
        true => format!("`{text}`"),
        false => escape::markdown(text),
    }
}

/// Makes the line that says where the page's outputs come from.
pub(super) fn provenance(text: &str) -> String {
    escape::markdown(text)
}
