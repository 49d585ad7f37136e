//! Blocks for all renderers but HTML: fences, paragraphs and a Markdown table; no HTML. Colours are dropped, nothing is folded.

use super::colophon::{self, Digest, Digits, Row};
use super::escape;
use super::layers::{Column, Layers};
use super::{Badge, Checked, Commands, Note, Output, Under, prompted};

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
        Under::Note(Note { badge, reason }) => {
            let mut text = match badge {
                Badge::Stale => "Stale",
                Badge::New => "New",
                Badge::NotRun => "Not run",
            }
            .to_string();
            if !reason.is_empty() {
                text.push_str(&format!(": {reason}"));
            }
            format!("*{}*", escape::markdown(&text))
        }
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
    let columns = colophon::columns(rows);
    let mut res = String::from("| Reference | Digest | Layers | Size |");
    let mut rule = String::from("|---|---|---:|---:|");
    for (is_there, head) in [
        (columns.same_as, " Same image as |"),
        (columns.moved, " Moved since |"),
    ] {
        if is_there {
            res.push_str(head);
            rule.push_str("---|");
        }
    }
    res.push_str(&format!("\n{rule}"));
    for row in rows {
        let digest = match &row.digest {
            Digest::Known(it) => code(it),
            Digest::None(why) => escape::markdown(why),
        };
        res.push_str(&format!(
            "\n| {} | {digest} | {} | {} |",
            code(&row.familiar),
            row.n_layers,
            escape::markdown(&row.size),
        ));
        if columns.same_as {
            let names: Vec<String> = row.same_as.iter().map(|it| code(it)).collect();
            res.push_str(&format!(" {} |", names.join(", ")));
        }
        if columns.moved {
            let moved = row
                .moved
                .as_ref()
                .map(|(day, from)| format!("{}, was {}", escape::markdown(day), code(from)));
            res.push_str(&format!(" {} |", moved.unwrap_or_default()));
        }
    }
    Some(res)
}

/// Makes what stands for a picture of layers: what they come to, and a table of which image has which.
pub(super) fn layers(layers: &Layers) -> String {
    let heads: Vec<String> = layers.columns.iter().map(|it| code(&it.name)).collect();
    let mut res = escape::markdown(&layers.sums());
    if let Some(note) = layers.note() {
        res.push_str(&format!(" {note}"));
    }
    res.push_str(&format!(
        "\n\n| Layer | Size | {} |\n|---|---:|{}",
        heads.join(" | "),
        ":---:|".repeat(heads.len())
    ));
    for row in &layers.rows {
        let mark = row.mark().map(|it| format!("{it} "));
        let cells = row.n_times.iter().map(|n_times| match n_times {
            0 => String::new(),
            1 => "x".to_string(),
            n => format!("{n} x"),
        });
        let cells: Vec<String> = cells.collect();
        res.push_str(&format!(
            "\n| {}{} | {} | {} |",
            mark.unwrap_or_default(),
            code(&row.digest),
            escape::markdown(row.size.as_deref().unwrap_or("unknown")),
            cells.join(" | ")
        ));
    }
    let mut sums = |head: &str, text: &dyn Fn(&Column) -> String| {
        let cells = layers.columns.iter().map(|it| escape::markdown(&text(it)));
        let cells: Vec<String> = cells.collect();
        res.push_str(&format!("\n| {head} |  | {} |", cells.join(" | ")));
    };
    sums("Added up", &|it| it.total.text(Digits::Three));
    sums("Its own", &|it| it.own.text(Digits::Three));
    res
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
