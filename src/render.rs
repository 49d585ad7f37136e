//! What a chapter looks like with its outputs: edits to its text, for HTML or for any other renderer. What is shown under a
//! step is decided here, once for all renderers; how it looks is up to `html` and `plain`.

mod escape;
mod ansi;
mod colophon;
mod html;
mod plain;

use std::ops::Range;
use std::time::Duration;

use crate::compare::Standing;
use crate::config::Config;
use crate::exercise::{Exercise, Failure, Step, Visibility};
use crate::plan::{Expect, Plan, PlannedStep, Skip};
use crate::snapshot::{RecordedStep, Snapshot};

use ansi::Screen;

/// The style file that pages are made for; `install` writes it, or each page carries it.
pub const STYLE: &str = include_str!("../theme/rehearse.css");

/// Version of [`STYLE`]; another one in a book's configuration means that its style file is of another time.
pub const ASSETS_VERSION: &str = "1";

/// Everything a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The chapter's text, that `exercise` was parsed from.
    pub markdown: &'a str,
    /// Spans and words.
    pub exercise: &'a Exercise,
    /// Decisions, a step each.
    pub plan: &'a Plan,
    /// How each step of the plan stands to the snapshot.
    pub standings: &'a [Standing],
    /// What is recorded, if anything.
    pub snapshot: Option<&'a Snapshot>,
    /// Folding and style.
    pub config: &'a Config,
}

/// The renderer that a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    /// mdBook's `html`.
    Html,
    /// All others: plain fences, no HTML.
    Plain,
}

/// Puts outputs and tables into a chapter.
pub fn render(page: Page<'_>, renderer: Renderer) -> String {
    let mut edits = Vec::new();
    for (step_idx, step) in page.exercise.steps.iter().enumerate() {
        match step.words.visibility {
            Visibility::Hidden => edits.push(removal(page.markdown, step)),
            Visibility::Shown => {
                edits.extend(
                    step.words_spans
                        .iter()
                        .map(|it| (it.clone(), String::new())),
                );
                if let Some(block) = block(page, step_idx, renderer) {
                    edits.push(insertion(page.markdown, step, &block));
                }
            }
        }
    }
    let mut res = applied(page.markdown, edits);
    for part in ending(page, renderer) {
        // A chapter without a last newline gets one; then a blank line ends whatever paragraph or list it ended with.
        if !res.ends_with('\n') {
            res.push('\n');
        }
        res.push('\n');
        res.push_str(&part);
        res.push('\n');
    }
    res
}

/// A range of the chapter's text and what takes its place.
type Edit = (Range<usize>, String);

fn applied(markdown: &str, mut edits: Vec<Edit>) -> String {
    let mut res = markdown.to_string();
    // Back to front, so that an insertion does not move the spans still to come.
    edits.sort_by_key(|(range, _)| range.start);
    for (range, replacement) in edits.into_iter().rev() {
        res.replace_range(range, &replacement);
    }
    res
}

/// Takes a hidden step off the page and leaves a blank line of its list item or quote.
fn removal(markdown: &str, step: &Step) -> Edit {
    let line_start = markdown[..step.span.start]
        .rfind('\n')
        .map_or(0, |it| it + 1);
    let head = &markdown[line_start..step.span.start];
    let is_first_of_item = head.contains(|it| !matches!(it, ' ' | '\t' | '>'));
    let replacement = match is_first_of_item {
        // A list item must not begin with a blank line or it ends there. This defines a link that nothing uses: it shows
        // nothing in any renderer, and is not HTML.
        true => "[rehearse-hidden]: #",
        false => "",
    };
    (step.span.clone(), replacement.to_string())
}

/// Puts a block after a step: a line of its own or several, between blank lines, in the step's list item or quote.
fn insertion(markdown: &str, step: &Step, block: &str) -> Edit {
    let blank = step.prefix.trim_end();
    let mut text = String::new();
    if let Some(fence) = missing_fence(&markdown[step.span.clone()]) {
        text.push_str(&format!("\n{}{fence}", step.prefix));
    }
    text.push_str(&format!("\n{blank}"));
    for line in block.lines() {
        match line.is_empty() {
            true => text.push_str(&format!("\n{blank}")),
            false => text.push_str(&format!("\n{}{line}", step.prefix)),
        }
    }
    let rest = &markdown[step.span.end..];
    let next = rest.lines().nth(1).unwrap_or_default();
    if !next.strip_prefix(blank).unwrap_or(next).trim().is_empty() {
        text.push_str(&format!("\n{blank}"));
    }
    (step.span.end..step.span.end, text)
}

/// The closing fence that a step lacks, if its block ended with its container or with the chapter: an output put after it
/// would be inside it.
fn missing_fence(block: &str) -> Option<String> {
    let fence_char = block.chars().next()?;
    let is_fence = |it: &char| *it == fence_char;
    let len = block.chars().take_while(is_fence).count();
    let last = block.lines().skip(1).last().unwrap_or_default();
    let last = last.trim_start_matches([' ', '\t', '>']).trim_end();
    let closes = last.chars().all(|it| it == fence_char) && last.chars().count() >= len;
    (!closes).then(|| fence_char.to_string().repeat(len))
}

/// What stands under a step.
enum Under<'a> {
    /// Why there is no output, as a sentence without its full stop.
    Note(String),
    /// What its commands printed; not empty.
    Outputs(Vec<Output<'a>>),
}

/// What one command printed, and how it ended.
struct Output<'a> {
    /// As the shell got it.
    command: &'a str,
    screen: Screen,
    status: Status,
    took: Duration,
}

/// How a command ended, as a reader should take it.
enum Status {
    Success,
    /// The step's author wants the learner to see this failure.
    FailedAsItShould(i32),
    Failed(i32),
}

impl Status {
    /// What to tell the reader; nothing of a success.
    fn label(&self) -> Option<String> {
        match self {
            Status::Success => None,
            Status::FailedAsItShould(status) => {
                Some(format!("fails as it should (status {status})"))
            }
            Status::Failed(status) => Some(format!("status {status}")),
        }
    }
}

/// The block under a step, if there is anything to show.
fn block(page: Page<'_>, step_idx: usize, renderer: Renderer) -> Option<String> {
    let step = &page.exercise.steps[step_idx];
    let under = under(
        &page.plan.steps[step_idx],
        &page.standings[step_idx],
        page.snapshot,
    )?;
    match renderer {
        Renderer::Html => {
            let id = format!("rehearse-{}-{}", page.exercise.id, step.id);
            Some(html::block(&id, &under, page.config.fold_lines))
        }
        Renderer::Plain => Some(plain::block(&under)),
    }
}

fn under<'a>(
    step: &PlannedStep,
    standing: &Standing,
    snapshot: Option<&'a Snapshot>,
) -> Option<Under<'a>> {
    if let Standing::Skipped(skip) = standing {
        return Some(Under::Note(skip_note(skip)));
    }
    if step.commands.is_empty() {
        return None;
    }
    let mut recorded_steps = snapshot.iter().flat_map(|it| &it.steps);
    match (standing, recorded_steps.find(|it| it.id == step.id)) {
        (Standing::Edited, _) => Some(Under::Note("Changed since it was recorded".to_string())),
        (Standing::Recorded, Some(recorded)) => {
            Some(Under::Outputs(outputs(recorded, step.expect)))
        }
        _ => Some(Under::Note("Not recorded yet".to_string())),
    }
}

fn skip_note(skip: &Skip) -> String {
    let reason = match skip {
        Skip::Author(reason) if reason.is_empty() => return "Not rehearsed".to_string(),
        Skip::Author(reason) => reason.clone(),
        Skip::Interactive(reason) => reason.clone(),
        Skip::NeedsValue(names) => {
            let names: Vec<String> = names.iter().map(|it| format!("<{it}>")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("needs a value for {}", colophon::listed(&names))
        }
    };
    format!("Not rehearsed: {reason}")
}

fn outputs(recorded: &RecordedStep, expect: Expect) -> Vec<Output<'_>> {
    let mut res: Vec<Output<'_>> = Vec::new();
    for command in &recorded.commands {
        let is_last = res.len() + 1 == recorded.commands.len();
        let status = match expect {
            _ if command.status == 0 => Status::Success,
            Expect::Failure(Failure::Any) if is_last => Status::FailedAsItShould(command.status),
            Expect::Failure(Failure::Status(it)) if is_last && it == command.status => {
                Status::FailedAsItShould(command.status)
            }
            _ => Status::Failed(command.status),
        };
        res.push(Output {
            command: &command.text,
            screen: ansi::screen(&command.output),
            status,
            took: command.took,
        });
    }
    res
}

/// What stands at the end of the chapter, a block each.
fn ending(page: Page<'_>, renderer: Renderer) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(snapshot) = page.snapshot {
        let rows = colophon::rows(&snapshot.images);
        let is_newer = |it: &&Standing| matches!(it, Standing::New | Standing::Edited);
        let n_newer = page.standings.iter().filter(is_newer).count();
        let provenance = colophon::provenance(snapshot, n_newer);
        match renderer {
            Renderer::Html => {
                parts.extend(html::table(&rows));
                parts.push(html::provenance(&provenance));
            }
            Renderer::Plain => {
                parts.extend(plain::table(&rows));
                parts.push(plain::provenance(&provenance));
            }
        }
    }
    if renderer == Renderer::Html && page.config.assets_version.is_none() {
        parts.push(html::style(STYLE));
    }
    parts
}

/// `340 ms`, `1.2 s`, `2 min 5 s`.
fn took(took: Duration) -> String {
    let millis = took.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        // From here on one decimal would round up to the next form.
        1_000..59_950 => format!("{:.1} s", took.as_secs_f64()),
        _ => {
            let secs = (millis + 500) / 1_000;
            format!("{} min {} s", secs / 60, secs % 60)
        }
    }
}

/// A command on one line, with its prompt; the block above shows all of it.
fn prompted(command: &str) -> String {
    match command.split_once('\n') {
        Some((first, _)) => format!("$ {} …", first.trim_end_matches(['\\', ' '])),
        None => format!("$ {command}"),
    }
}
