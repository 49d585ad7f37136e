//! The table of the whole course, in HTML and in Markdown. What is well is quiet in it, what is not has a badge; links lead from
//! the page that it stands on.

use super::escape;
use super::html::{BLOCK_CLASS, DOT};
use crate::coverage::Coverage;
use crate::status::{MovedImage, Row, State, Status, When, day, in_words, needs_attention};

/// Makes the table for HTML, on one physical line.
pub(super) fn html(status: &Status, page: &str) -> String {
    let summary = escape::html(&in_words(status));
    let mut res = format!(
        r#"<div class="{BLOCK_CLASS} rehearse-course"><p class="rehearse-summary">{summary}.</p>"#
    );
    if !status.rows.is_empty() {
        let columns = columns(status);
        let heads = columns.iter().map(|it| {
            let name = it.name();
            format!(r#"<th scope="col" role="columnheader">{name}</th>"#)
        });
        let heads: String = heads.collect();
        let rows = status.rows.iter();
        let rows: String = rows.map(|it| html_row(it, &columns, page)).collect();
        // The style makes a list of cards of it where there is no room for a table; the roles keep it a table then.
        res.push_str(&format!(
            r#"<table role="table" aria-label="Exercises"><thead role="rowgroup"><tr role="row">{heads}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>"#
        ));
    }
    res.push_str("</div>");
    res
}

/// Makes the table for all other renderers.
pub(super) fn plain(status: &Status, page: &str) -> String {
    let mut res = format!("{}.", escape::markdown(&in_words(status)));
    if status.rows.is_empty() {
        return res;
    }
    let columns = columns(status);
    let heads: Vec<&str> = columns.iter().map(|it| it.name()).collect();
    res.push_str(&format!(
        "\n\n| {} |\n|{}",
        heads.join(" | "),
        "---|".repeat(heads.len())
    ));
    for row in &status.rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|it| plain_cell(row, *it, page))
            .collect();
        res.push_str(&format!("\n| {} |", cells.join(" | ")));
    }
    res
}

/// What a column tells of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Exercise,
    Verdict,
    Coverage,
    Recorded,
    Engine,
    Moved,
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Column::Exercise => "Exercise",
            Column::Verdict => "Verdict",
            Column::Coverage => "Coverage",
            Column::Recorded => "Recorded",
            Column::Engine => "Engine",
            Column::Moved => "Images moved",
        }
    }
}

/// A column in which every cell would be empty is left out.
fn columns(status: &Status) -> Vec<Column> {
    let mut res = vec![Column::Exercise, Column::Verdict, Column::Coverage];
    let mut rows = status.rows.iter();
    if rows.clone().any(|it| it.recorded.is_some()) {
        res.extend([Column::Recorded, Column::Engine]);
    }
    if rows.any(|it| !it.moved.is_empty()) {
        res.push(Column::Moved);
    }
    res
}

fn html_row(row: &Row, columns: &[Column], page: &str) -> String {
    let class = match needs_attention(row) {
        true => r#" class="rehearse-attention""#,
        false => "",
    };
    let cells = columns.iter().map(|column| {
        let cell = html_cell(row, *column, page);
        let name = column.name();
        match column {
            Column::Exercise => format!(r#"<th scope="row" role="rowheader">{cell}</th>"#),
            _ => format!(r#"<td role="cell" data-what="{name}">{cell}</td>"#),
        }
    });
    let cells: String = cells.collect();
    format!(r#"<tr role="row"{class}>{cells}</tr>"#)
}

fn html_cell(row: &Row, column: Column, page: &str) -> String {
    match column {
        Column::Exercise => format!(
            r#"<a href="{}">{}</a>"#,
            escape::html(&link(page, &row.page)),
            escape::html(&row.title)
        ),
        Column::Verdict => {
            let verdict = escape::html(&verdict(row.state));
            match row.state {
                State::AsRecorded => {
                    format!(r#"<span class="rehearse-tick" aria-hidden="true">✓</span> {verdict}"#)
                }
                State::Skipped => verdict,
                State::NotRecorded | State::Newer { .. } => {
                    format!(r#"<strong class="rehearse-badge rehearse-alert">{verdict}</strong>"#)
                }
            }
        }
        Column::Coverage => {
            let tasks = tasks(&row.coverage);
            match skipped(&row.coverage) {
                Some(it) => format!(
                    r#"{tasks}{DOT}<span class="rehearse-more">{}</span>"#,
                    escape::html(&it)
                ),
                None => tasks,
            }
        }
        Column::Recorded => match &row.recorded {
            Some((on, _)) => format!(r#"<time datetime="{on}">{}</time>"#, day(*on)),
            None => "never".to_string(),
        },
        Column::Engine => match &row.recorded {
            Some((_, engine)) => format!(
                r#"{}{DOT}<span class="rehearse-more">{}</span>"#,
                escape::html(&engine.version),
                escape::html(&engine.store)
            ),
            None => String::new(),
        },
        Column::Moved => {
            let moved = row.moved.iter().map(|it| {
                let name = escape::html(&it.name);
                let when = escape::html(&when(it));
                let when = match it.when {
                    When::Before(_) => when,
                    When::Since | When::Gone => {
                        format!(r#"<strong class="rehearse-badge rehearse-alert">{when}</strong>"#)
                    }
                };
                format!(r#"<code class="nohighlight">{name}</code> {when}"#)
            });
            moved.collect::<Vec<_>>().join("<br>")
        }
    }
}

fn plain_cell(row: &Row, column: Column, page: &str) -> String {
    let loud = |text: String| format!("**{}**", escape::markdown(&text));
    match column {
        Column::Exercise => {
            let title = escape::markdown(&row.title);
            format!("[{title}]({})", link(page, &row.page))
        }
        Column::Verdict => match row.state {
            State::AsRecorded | State::Skipped => verdict(row.state),
            State::NotRecorded | State::Newer { .. } => loud(verdict(row.state)),
        },
        Column::Coverage => {
            let parts = [Some(tasks(&row.coverage)), skipped(&row.coverage)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            escape::markdown(&parts.join(" · "))
        }
        Column::Recorded => match &row.recorded {
            Some((on, _)) => day(*on),
            None => "never".to_string(),
        },
        Column::Engine => match &row.recorded {
            Some((_, it)) => escape::markdown(&format!("{}, {}", it.version, it.store)),
            None => String::new(),
        },
        Column::Moved => {
            let moved = row.moved.iter().map(|it| match it.when {
                When::Before(_) => escape::markdown(&format!("{} {}", it.name, when(it))),
                When::Since | When::Gone => loud(format!("{} {}", it.name, when(it))),
            });
            moved.collect::<Vec<_>>().join(", ")
        }
    }
}

fn verdict(state: State) -> String {
    match state {
        State::NotRecorded => "not recorded".to_string(),
        State::AsRecorded => "as recorded".to_string(),
        State::Skipped => "skipped altogether".to_string(),
        State::Newer { n_steps, n_gone } => match (counted(n_steps), counted(n_gone)) {
            (Some(newer), None) => format!("{newer} newer"),
            (Some(newer), Some(_)) => format!("{newer} newer, {n_gone} gone"),
            (None, gone) => format!("{} gone", gone.unwrap_or_default()),
        },
    }
}

fn counted(n_steps: usize) -> Option<String> {
    match n_steps {
        0 => None,
        1 => Some("1 step".to_string()),
        n => Some(format!("{n} steps")),
    }
}

/// `5 of 7 tasks`.
fn tasks(coverage: &Coverage) -> String {
    match coverage.tasks {
        0 => "no task".to_string(),
        1 => format!("{} of 1 task", coverage.covered),
        n => format!("{} of {n} tasks", coverage.covered),
    }
}

/// `2 skipped: 1 by the author, 1 for want of a person`.
fn skipped(coverage: &Coverage) -> Option<String> {
    let n_skipped: usize = coverage.skipped.values().sum();
    let reasons: Vec<String> = match coverage.skipped.len() {
        0 => return None,
        1 => coverage
            .skipped
            .keys()
            .map(|it| (*it).to_string())
            .collect(),
        _ => {
            let reasons = coverage.skipped.iter();
            reasons.map(|(why, n)| format!("{n} {why}")).collect()
        }
    };
    Some(format!("{n_skipped} skipped: {}", reasons.join(", ")))
}

fn when(image: &MovedImage) -> String {
    match image.when {
        When::Before(on) => format!("on {}", day(on)),
        When::Since => "since then".to_string(),
        When::Gone => "gone since then".to_string(),
    }
}

/// A link from one page to another, as for Markdown and for HTML alike: mdBook makes `.html` of `.md` in both.
fn link(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let folders = &from[..from.len() - 1];
    let n_common = folders.iter().zip(&to[..to.len() - 1]);
    let n_common = n_common.take_while(|(one, other)| one == other).count();
    let up = folders[n_common..].iter().map(|_| "..");
    let parts: Vec<&str> = up.chain(to[n_common..].iter().copied()).collect();
    let mut res = String::new();
    for byte in parts.join("/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                res.push(char::from(byte));
            }
            it => res.push_str(&format!("%{it:02X}")),
        }
    }
    res
}
