//! Blocks for mdBook's HTML renderer: each is one physical line, so that neither a list item, nor a quote, nor a blank line
//! in an output can tear it. All text goes through `escape::html`.

use super::ansi::{Line, Style};
use super::colophon::{self, Columns, Digest, Row};
use super::escape::{self, html};
use super::stacks::seams;
use super::{Badge, Checked, Commands, Note, Output, Status, Under, prompted, took};
use crate::images::short_digest;

/// Class that every block has. The second one tells MathJax to leave the text alone.
pub(super) const BLOCK_CLASS: &str = "rehearse tex2jax_ignore";

/// Keeps the parts of a heading apart where the style does not.
pub(super) const DOT: &str = r#"<span class="rehearse-dot"> · </span>"#;

/// Bytes of a reference that fit in a table on one line.
const LONG_NAME: usize = 14;

/// Begins the fold of a solution; `</details>` ends it. What is between them is Markdown.
pub(super) const SOLUTION: &str =
    r#"<details class="rehearse-solution"><summary>Solution</summary>"#;

/// Makes a note that no step has.
pub(super) fn note(under: &Under<'_>) -> String {
    match under {
        Under::Note(note) => {
            let note = badge_and_reason(note);
            format!(
                r#"<div class="{BLOCK_CLASS} rehearse-blank"><p class="rehearse-note">{note}</p></div>"#
            )
        }
        Under::Outputs(_) => String::new(),
    }
}

/// Why there is no output: in a word, and then in more of them.
fn badge_and_reason(note: &Note) -> String {
    let class = match note.badge {
        Badge::Stale => "rehearse-alert",
        Badge::New => "rehearse-fresh",
        Badge::NotRun => "rehearse-idle",
    };
    let word = note.badge.word();
    let badge = format!(r#"<strong class="rehearse-badge {class}">{word}</strong>"#);
    match note.reason.as_str() {
        "" => badge,
        reason => format!(
            r#"{badge}<span class="rehearse-dot">:</span> {}"#,
            with_code(reason)
        ),
    }
}

/// Makes the line that says that a success criterion was checked.
pub(super) fn criterion(what: &str, checked: Checked) -> String {
    let (mark, class, word) = match checked {
        Checked::Holds => ("✓", "rehearse-holds", "Checked"),
        Checked::NotYet => ("○", "rehearse-blank", "Not checked yet"),
    };
    let what = with_code(what);
    format!(
        r#"<div class="{BLOCK_CLASS} rehearse-check {class}"><p><span class="rehearse-tick" aria-hidden="true">{mark}</span> {word}: {what}</p></div>"#
    )
}

/// Makes the block under a step.
pub(super) fn block(id: &str, under: &Under<'_>, commands: Commands, fold_lines: usize) -> String {
    let id = html(id);
    match under {
        Under::Note(note) => {
            let note = badge_and_reason(note);
            format!(
                r#"<div class="{BLOCK_CLASS} rehearse-blank" id="{id}"><p class="rehearse-note">{note}</p></div>"#
            )
        }
        Under::Outputs(outputs) => {
            let is_one = outputs.len() == 1 && commands == Commands::InBlock;
            let parts = outputs.iter().enumerate().map(|(idx, it)| {
                // The first one is where the block is.
                let id = match idx {
                    0 => id.clone(),
                    _ => format!("{id}.{}", idx + 1),
                };
                let label = match is_one {
                    true => label(it, &id),
                    false => heading(it, &id),
                };
                match idx {
                    0 => command(it, "", &label, fold_lines),
                    _ => command(it, &format!(r#" id="{id}""#), &label, fold_lines),
                }
            });
            let parts: String = parts.collect();
            let what = match outputs.as_slice() {
                [one] => format!("Output of {}", said(one)),
                all => format!("Output of {} commands", all.len()),
            };
            let what = html(&what);
            format!(
                r#"<div class="{BLOCK_CLASS}" id="{id}" role="group" aria-label="{what}">{parts}</div>"#
            )
        }
    }
}

/// A command as its first line, without its prompt.
fn said(output: &Output<'_>) -> String {
    let prompted = prompted(output);
    let said = prompted.strip_prefix(output.prompt).unwrap_or(&prompted);
    said.trim_start().to_string()
}

/// A note in which backticks mark code, as in Markdown; a lone one is itself.
pub(super) fn with_code(note: &str) -> String {
    let parts: Vec<&str> = note.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html(note);
    }
    let part = |(idx, it): (usize, &&str)| match idx % 2 {
        0 => html(it),
        _ => format!("<code>{}</code>", html(it)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// What heads the output of a step with one command; a link to itself, for who wants to point at it.
fn label(output: &Output<'_>, id: &str) -> String {
    let (tick, word) = match output.screen.lines.is_empty() {
        true => (tick(output), "No output"),
        false => ("", "Output"),
    };
    let name = html(&format!("{word} of {}", said(output)));
    format!(
        r##"<span class="rehearse-label">{tick}<a class="rehearse-anchor" href="#{id}" aria-label="{name}">{word}</a></span>"##
    )
}

/// What heads the output of one command of several: the command, a link to itself, and that it printed nothing.
fn heading(output: &Output<'_>, id: &str) -> String {
    let command = html(&prompted(output));
    let command = format!(
        r##"<a class="rehearse-anchor" href="#{id}"><kbd class="rehearse-command">{command}</kbd></a>"##
    );
    match output.screen.lines.is_empty() {
        true => format!(
            r#"{command}{DOT}<span class="rehearse-silent">{}no output</span>"#,
            tick(output)
        ),
        false => command,
    }
}

/// Stands before "no output" where silence is how it should be.
fn tick(output: &Output<'_>) -> &'static str {
    match output.status {
        Status::Failed(_) => "",
        _ => r#"<span class="rehearse-tick" aria-hidden="true">✓</span> "#,
    }
}

fn command(output: &Output<'_>, id: &str, label: &str, fold_lines: usize) -> String {
    let mut res = format!(r#"<p class="rehearse-head"{id}>{label}<span class="rehearse-facts">"#);
    if let Some(status) = output.status.label() {
        let class = match output.status {
            Status::Failed(_) => "rehearse-failed",
            _ => "rehearse-wanted",
        };
        let status = html(&status);
        res.push_str(&format!(
            r#"{DOT}<span class="rehearse-status {class}">{status}</span>"#
        ));
    }
    // What was stopped says when.
    if !matches!(output.status, Status::Stopped(_)) {
        let took = html(&took(output.took));
        res.push_str(&format!(
            r#"{DOT}<span class="rehearse-took">{took}</span>"#
        ));
    }
    res.push_str("</span></p>");
    let lines = &output.screen.lines;
    match lines.len() {
        0 => {}
        n if n <= fold_lines => res.push_str(&pre(lines)),
        _ => res.push_str(&folded(lines, fold_lines)),
    }
    if output.screen.lossy {
        res.push_str(
            r#"<p class="rehearse-aside">Bytes that are no UTF-8 text are shown as �.</p>"#,
        );
    }
    res
}

/// Two thirds of `fold_lines` from the head, one third from the tail, the middle on demand.
fn folded(lines: &[Line], fold_lines: usize) -> String {
    let n_tail = fold_lines / 3;
    let (head, rest) = lines.split_at(fold_lines - n_tail);
    let (middle, tail) = rest.split_at(rest.len() - n_tail);
    let n_more = middle.len();
    let noun = if n_more == 1 { "line" } else { "lines" };
    let mut res = String::new();
    if !head.is_empty() {
        res.push_str(&pre(head));
    }
    res.push_str(&format!(
        r#"<details class="rehearse-fold"><summary>… {n_more} more {noun}</summary>{}</details>"#,
        pre(middle)
    ));
    if !tail.is_empty() {
        res.push_str(&pre(tail));
    }
    res
}

/// No `code` in it: mdBook would highlight it and give it a copy button.
fn pre(lines: &[Line]) -> String {
    let lines: Vec<String> = lines.iter().map(line).collect();
    format!(
        r#"<pre class="rehearse-output"><samp>{}</samp></pre>"#,
        lines.join("&#10;")
    )
}

fn line(line: &Line) -> String {
    let mut res = String::new();
    for run in line {
        let classes = classes(run.style);
        match classes.is_empty() {
            true => res.push_str(&text(&run.text)),
            false => res.push_str(&format!(
                r#"<span class="{classes}">{}</span>"#,
                text(&run.text)
            )),
        }
    }
    res
}

/// Text of an output, in which a control that was made visible is told from the same letters as text.
fn text(text: &str) -> String {
    let mut res = String::new();
    let mut rest = text;
    while let Some((at, spelled)) = rest
        .char_indices()
        .find_map(|(at, ch)| Some((at, escape::visible(ch)?)))
    {
        let (before, control) = rest.split_at(at);
        res.push_str(&html(before));
        res.push_str(&format!(
            r#"<span class="rehearse-control">{}</span>"#,
            html(&spelled)
        ));
        let mut control = control.chars();
        control.next();
        rest = control.as_str();
    }
    res.push_str(&html(rest));
    res
}

fn classes(style: Style) -> String {
    let mut res = Vec::new();
    if let Some(color) = style.foreground {
        res.push(format!("rehearse-fg-{color}"));
    }
    if let Some(color) = style.background {
        res.push(format!("rehearse-bg-{color}"));
    }
    let flags = [
        (style.bold, "rehearse-bold"),
        (style.faint, "rehearse-faint"),
        (style.italic, "rehearse-italic"),
        (style.underline, "rehearse-underline"),
        (style.inverse, "rehearse-inverse"),
    ];
    res.extend(
        flags
            .iter()
            .filter(|(is_on, _)| *is_on)
            .map(|(_, class)| (*class).to_string()),
    );
    res.join(" ")
}

/// Makes the table of images, if there are any.
pub(super) fn table(rows: &[Row], caption: &str) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let columns = colophon::columns(rows);
    let body: String = rows.iter().map(|it| row(it, columns)).collect();
    let mut heads = String::from(
        r#"<th scope="col">Reference</th><th scope="col">Digest</th><th scope="col" class="rehearse-number">Layers</th><th scope="col" class="rehearse-number">Size</th>"#,
    );
    if columns.same_as {
        heads.push_str(r#"<th scope="col">Same image as</th>"#);
    }
    if columns.moved {
        heads.push_str(r#"<th scope="col">Moved since</th>"#);
    }
    Some(format!(
        r#"<div class="{BLOCK_CLASS} rehearse-images" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"#
    ))
}

/// Each cell says what it is, for screens that are too narrow for the heads of columns.
fn row(row: &Row, columns: Columns) -> String {
    let cell = |what: &str, class: &str, content: &str| {
        format!(r#"<td data-what="{what}"{class}>{content}</td>"#)
    };
    let number = r#" class="rehearse-number""#;
    let mut res = format!(
        r#"<tr><th scope="row"><code class="nohighlight" title="{}">{}</code></th>"#,
        html(&row.reference),
        name(&row.familiar)
    );
    let digest = match &row.digest {
        Digest::Known(it) => digest(it),
        Digest::None(why) => html(why),
    };
    res.push_str(&cell("Digest", "", &digest));
    res.push_str(&cell("Layers", number, &row.n_layers.to_string()));
    res.push_str(&cell("Size", number, &html(&row.size)));
    // Where cells have two columns of their own, a `div` keeps what is in them in one.
    if columns.same_as {
        let names = row.same_as.iter();
        let names = names.map(|it| format!(r#"<code class="nohighlight">{}</code>"#, name(it)));
        let names: Vec<String> = names.collect();
        let names = match names.is_empty() {
            true => String::new(),
            false => format!("<div>{}</div>", names.join(", ")),
        };
        res.push_str(&cell("Same image as", r#" class="rehearse-names""#, &names));
    }
    if columns.moved {
        let moved = row
            .moved
            .as_ref()
            .map(|(day, from)| format!("<div>{}, was {}</div>", html(day), self::digest(from)));
        res.push_str(&cell("Moved since", "", &moved.unwrap_or_default()));
    }
    res.push_str("</tr>");
    res
}

/// A reference. A long one breaks at its seams rather than anywhere.
pub(super) fn name(reference: &str) -> String {
    if reference.len() <= LONG_NAME {
        return html(reference);
    }
    let parts: Vec<String> = seams(reference).into_iter().map(html).collect();
    parts.join("<wbr>")
}

/// Short, and in full for who opens it; there a click selects all of it.
fn digest(digest: &str) -> String {
    format!(
        r#"<details><summary><code class="nohighlight">{}</code></summary><code class="nohighlight rehearse-full">{}</code></details>"#,
        html(&short_digest(digest)),
        html(digest)
    )
}

/// Makes the line that says where the page's outputs come from.
pub(super) fn provenance(text: &str) -> String {
    format!(
        r#"<div class="{BLOCK_CLASS} rehearse-provenance"><p>{}</p></div>"#,
        html(text)
    )
}

/// Makes a style element of a style file: on one line, since a blank line would end the HTML block.
pub(super) fn style(css: &str) -> String {
    let mut res = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        res.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    res.push_str(rest);
    let css: String = res.lines().map(str::trim).collect();
    format!("<style>{css}</style>")
}
