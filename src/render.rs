//! What a chapter looks like with its outputs: edits to its text, for HTML or for any other renderer. What is shown under a
//! step is decided here, once for all renderers; how it looks is up to `html` and `plain`.

mod escape;
mod ansi;
mod colophon;
pub mod stacks;
mod layers;
mod html;
mod picture;
mod plain;
mod console;
mod status;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use crate::compare::Standing;
use crate::config::{Config, ImageSummary, Solutions};
use crate::console::Place;
use crate::exercise::{Exercise, Failure, Role, Spot, Step, TableKind, Visibility};
use crate::images::{LedgerEntry, full_name, short_name};
use crate::plan::{Expect, Lasts, Plan, PlannedStep};
use crate::problem::Origin;
use crate::snapshot::{RecordedStep, Snapshot};
use crate::status::Status as CourseStatus;
use crate::transcript::Engine;

use ansi::Screen;
use stacks::Stack;

/// The style file that pages are made for; `install` writes it, or each page carries it.
pub const STYLE: &str = include_str!("../theme/rehearse.css");

/// Version of [`STYLE`]; another one in a book's configuration means that its style file is of another time.
pub const ASSETS_VERSION: &str = "2";

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
    /// The table of the whole course, where the chapter asks for it.
    pub overview: Option<Overview<'a>>,
}

/// The table of the whole course, for a chapter that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Overview<'a> {
    /// What is in it.
    pub status: &'a CourseStatus,
    /// Where it goes.
    pub spots: &'a [Spot],
    /// Path of the chapter's page below the book's root, with `/`: links lead from there.
    pub page: &'a str,
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
        match look(page, step) {
            Look::Absent => edits.extend(removal(page.markdown, step)),
            Look::Silent => edits.extend(without_words(step)),
            Look::Plain => edits.extend(shown(page, step_idx, renderer)),
            Look::Folded => edits.extend(folded(page, step_idx, renderer)),
            Look::Tick => {
                edits.extend(removal(page.markdown, step));
                let tick = tick(page, step_idx, renderer);
                edits.push(insertion(page.markdown, step, &tick));
            }
        }
    }
    for (table_idx, table) in page.exercise.tables.iter().enumerate() {
        let block = table_block(page, table_idx, renderer);
        edits.push(put(page.markdown, table.after, &table.prefix, &block));
    }
    if let Some(overview) = page.overview {
        edits.extend(overviews(page.markdown, overview, renderer));
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

/// Puts the table of the whole course into a chapter without a step; all else stays byte for byte.
pub fn render_overview(
    markdown: &str,
    overview: Overview<'_>,
    config: &Config,
    renderer: Renderer,
) -> String {
    let mut edits = overviews(markdown, overview, renderer);
    if renderer == Renderer::Html
        && config.assets_version.is_none()
        && let Some((_, first)) = edits.first_mut()
    {
        // On the table's own line: the page is to have none that it did not have.
        first.push_str(&html::style(STYLE));
    }
    applied(markdown, edits)
}

fn overviews(markdown: &str, overview: Overview<'_>, renderer: Renderer) -> Vec<Edit> {
    let block = match renderer {
        Renderer::Html => status::html(overview.status, overview.page),
        Renderer::Plain => status::plain(overview.status, overview.page),
    };
    let spots = overview.spots.iter();
    spots
        .map(|it| overview_edit(markdown, it, &block))
        .collect()
}

/// Puts a block in the place of a comment, between blank lines.
fn overview_edit(markdown: &str, spot: &Spot, block: &str) -> Edit {
    let prefix = &spot.prefix;
    let blank = prefix.trim_end();
    let begin = line_start(markdown, spot.span.start);
    let is_blank = |line: &str| line.trim_matches([' ', '\t', '>']).trim().is_empty();
    let above = markdown[..begin].lines().last().unwrap_or_default();
    let mut text = String::new();
    // Where the comment begins a list item, a blank line would end it.
    if is_blank(&markdown[begin..spot.span.start]) && !is_blank(above) {
        text.push_str(&format!("\n{prefix}"));
    }
    for (idx, line) in block.lines().enumerate() {
        match (idx, line) {
            (0, line) => text.push_str(line),
            (_, "") => text.push_str(&format!("\n{blank}")),
            (_, line) => text.push_str(&format!("\n{prefix}{line}")),
        }
    }
    let below = markdown[spot.span.end..].lines().nth(1);
    if !is_blank(below.unwrap_or_default()) {
        text.push_str(&format!("\n{blank}"));
    }
    (spot.span.clone(), text)
}

/// How a step shows on the page.
enum Look {
    /// Neither block nor output.
    Absent,
    /// The block alone.
    Silent,
    /// Block and output.
    Plain,
    /// Block and output, for the reader to unfold.
    Folded,
    /// That it was checked.
    Tick,
}

fn look(page: Page<'_>, step: &Step) -> Look {
    match (step.words.role, step.origin, step.words.visibility) {
        (Role::Check, ..) => Look::Tick,
        (Role::Setup, ..) | (_, _, Visibility::Hidden) => Look::Absent,
        // The author's copy is not the reader's; of it only what answers the chapter is shown.
        (Role::Cleanup, Origin::Copy, _) => Look::Absent,
        (Role::Task, Origin::Copy, Visibility::Silent) => Look::Absent,
        (Role::Task | Role::Cleanup, _, Visibility::Silent) => Look::Silent,
        (Role::Solution, ..) => match page.config.solutions {
            Solutions::Fold if is_code_by_indent(page.markdown, step) => Look::Plain,
            Solutions::Fold => Look::Folded,
            Solutions::Hide => Look::Absent,
            Solutions::Show => Look::Plain,
        },
        _ => Look::Plain,
    }
}

/// Whether a block is code to Markdown already by where it stands: it cannot be folded from the inside.
fn is_code_by_indent(markdown: &str, step: &Step) -> bool {
    let before = &markdown[line_start(markdown, step.span.start)..step.span.start];
    let before = before.trim_start_matches('\u{feff}');
    !step.span.is_empty() && before.chars().count() != step.prefix.chars().count()
}

fn line_start(markdown: &str, at: usize) -> usize {
    markdown[..at].rfind('\n').map_or(0, |it| it + 1)
}

fn without_words(step: &Step) -> Vec<Edit> {
    let spans = step.words_spans.iter();
    spans.map(|it| (it.clone(), String::new())).collect()
}

/// A step with what came of it.
fn shown(page: Page<'_>, step_idx: usize, renderer: Renderer) -> Vec<Edit> {
    let step = &page.exercise.steps[step_idx];
    let under = under(page, step_idx);
    let samples = Samples::beside(under.as_ref());
    let mut edits = own_lines(page.markdown, step, samples, renderer);
    let output = under.map(|it| block(page, step_idx, &it, renderer));
    let own_block = own_block(step, samples, renderer);
    let parts: Vec<String> = [own_block, output].into_iter().flatten().collect();
    if !parts.is_empty() {
        edits.push(insertion(page.markdown, step, &parts.join("\n\n")));
    }
    edits
}

/// A step with what came of it, for the reader to unfold.
fn folded(page: Page<'_>, step_idx: usize, renderer: Renderer) -> Vec<Edit> {
    let step = &page.exercise.steps[step_idx];
    let (opening, closing) = match renderer {
        Renderer::Html => (html::SOLUTION, Some("</details>")),
        Renderer::Plain => (plain::SOLUTION, None),
    };
    let under = under(page, step_idx);
    let samples = Samples::beside(under.as_ref());
    let mut edits = Vec::new();
    let output = under.map(|it| block(page, step_idx, &it, renderer));
    let mut parts = Vec::new();
    match own_block(step, samples, renderer) {
        Some(block) => parts.extend([opening.to_string(), block]),
        None => {
            let blank = step.prefix.trim_end();
            let text = format!("{opening}\n{blank}\n{}", step.prefix);
            edits.push((step.span.start..step.span.start, text));
        }
    }
    edits.extend(own_lines(page.markdown, step, samples, renderer));
    parts.extend(output);
    parts.extend(closing.map(str::to_string));
    if !parts.is_empty() {
        edits.push(insertion(page.markdown, step, &parts.join("\n\n")));
    }
    edits
}

/// What becomes of the samples of output that an author wrote into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Samples {
    /// What was seen takes their place.
    Replaced,
    /// There is nothing else to show.
    Kept,
}

impl Samples {
    fn beside(under: Option<&Under<'_>>) -> Samples {
        match under {
            Some(Under::Outputs(_)) => Samples::Replaced,
            _ => Samples::Kept,
        }
    }
}

/// What becomes of a step's block in the chapter.
fn own_lines(markdown: &str, step: &Step, samples: Samples, renderer: Renderer) -> Vec<Edit> {
    if let Some(block) = console_block(markdown, step, samples, renderer) {
        return vec![(step.span.clone(), block)];
    }
    let mut edits = without_words(step);
    if samples == Samples::Replaced {
        let samples = step.samples.iter();
        edits.extend(samples.map(|it| (it.clone(), String::new())));
    }
    edits
}

/// A block of the chapter in which commands stand behind prompts, as HTML of our own.
fn console_block(
    markdown: &str,
    step: &Step,
    samples: Samples,
    renderer: Renderer,
) -> Option<String> {
    if renderer == Renderer::Plain || step.span.is_empty() || is_code_by_indent(markdown, step) {
        return None;
    }
    console::html(step.console.as_ref()?, samples)
}

/// The block of a step that the chapter does not have.
fn own_block(step: &Step, samples: Samples, renderer: Renderer) -> Option<String> {
    let block = step.block.as_ref()?;
    let console = match (renderer, &step.console) {
        (Renderer::Html, Some(it)) => console::html(it, samples),
        _ => None,
    };
    Some(console.unwrap_or_else(|| plain::fence(&block.language, &block.text)))
}

fn tick(page: Page<'_>, step_idx: usize, renderer: Renderer) -> String {
    let step = &page.exercise.steps[step_idx];
    let what = step.words.criterion.as_deref().unwrap_or("this task");
    let state = match &page.standings[step_idx] {
        Standing::Recorded => Checked::Holds,
        _ => Checked::NotYet,
    };
    match renderer {
        Renderer::Html => html::criterion(what, state),
        Renderer::Plain => plain::criterion(what, state),
    }
}

/// Whether a success criterion was seen to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checked {
    Holds,
    NotYet,
}

fn table_block(page: Page<'_>, table_idx: usize, renderer: Renderer) -> String {
    let table = &page.exercise.tables[table_idx];
    let note = |reason: String| {
        let badge = Badge::New;
        let note = Under::Note(Note { badge, reason });
        match renderer {
            Renderer::Html => html::note(&note),
            Renderer::Plain => plain::block(&note, Commands::InBlock),
        }
    };
    let (mut known, mut unknown): (Vec<LedgerEntry>, Vec<String>) = Default::default();
    for reference in &table.references {
        let name = full_name(reference);
        let mut images = page.snapshot.into_iter().flat_map(|it| &it.images);
        match images.find(|it| it.reference == name) {
            Some(image) => known.push(image.clone()),
            None => unknown.push(format!("`{}`", short_name(reference))),
        }
    }
    let snapshot = page.snapshot.filter(|_| !known.is_empty());
    let Some(snapshot) = snapshot else {
        return note("these images are not recorded yet".to_string());
    };
    let mut res = match table.kind {
        TableKind::Images => image_table(&known, "Images", renderer).unwrap_or_default(),
        TableKind::Layers => {
            let id = format!("rehearse-{}_layers-{}", page.exercise.id, table_idx + 1);
            layer_picture(&id, &known, &snapshot.engine, renderer)
        }
    };
    if !unknown.is_empty() {
        let verb = if unknown.len() == 1 { "is" } else { "are" };
        let names = unknown.join(", ");
        res.push_str(&format!(
            "\n\n{}",
            note(format!("{names} {verb} not recorded yet"))
        ));
    }
    res
}

fn image_table(images: &[LedgerEntry], caption: &str, renderer: Renderer) -> Option<String> {
    let rows = colophon::rows(images);
    match renderer {
        Renderer::Html => html::table(&rows, caption),
        Renderer::Plain => plain::table(&rows),
    }
}

/// The underscore in `id` tells it from those of steps.
fn layer_picture(id: &str, images: &[LedgerEntry], engine: &Engine, renderer: Renderer) -> String {
    let layers = layers::layers(images, engine.image_store());
    match renderer {
        Renderer::Html => {
            let columns = layers.columns.iter().zip(images);
            let stacks = columns.map(|(column, image)| Stack {
                name: &column.name,
                layers: &image.layers,
            });
            let stacks: Vec<Stack<'_>> = stacks.collect();
            picture::picture(id, &layers, &stacks)
        }
        Renderer::Plain => plain::layers(&layers),
    }
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

/// Takes a step of the chapter off the page and leaves a blank line of its list item or quote.
fn removal(markdown: &str, step: &Step) -> Option<Edit> {
    if step.span.is_empty() {
        return None;
    }
    let head = &markdown[line_start(markdown, step.span.start)..step.span.start];
    let is_first_of_item = head.contains(|it| !matches!(it, ' ' | '\t' | '>'));
    let replacement = match is_first_of_item {
        // A list item must not begin with a blank line or it ends there. This defines a link that nothing uses: it shows
        // nothing in any renderer, and is not HTML.
        true => "[rehearse-hidden]: #",
        false => "",
    };
    Some((step.span.clone(), replacement.to_string()))
}

/// Puts a block after a step, in the step's list item or quote.
fn insertion(markdown: &str, step: &Step, block: &str) -> Edit {
    let (at, mut text) = put(markdown, step.after, &step.prefix, block);
    let fence = match !step.span.is_empty() && !is_code_by_indent(markdown, step) {
        true => missing_fence(&markdown[step.span.clone()]),
        false => None,
    };
    if let Some(fence) = fence {
        text.insert_str(0, &format!("\n{}{fence}", step.prefix));
    }
    (at, text)
}

/// Puts a block at the end of a line: a line of its own or several, between blank lines.
fn put(markdown: &str, after: usize, prefix: &str, block: &str) -> Edit {
    let blank = prefix.trim_end();
    let mut text = format!("\n{blank}");
    for line in block.lines() {
        match line.is_empty() {
            true => text.push_str(&format!("\n{blank}")),
            false => text.push_str(&format!("\n{prefix}{line}")),
        }
    }
    let rest = &markdown[after..];
    let next = rest.lines().nth(1).unwrap_or_default();
    if !next.strip_prefix(blank).unwrap_or(next).trim().is_empty() {
        text.push_str(&format!("\n{blank}"));
    }
    (after..after, text)
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
    /// Why there is no output.
    Note(Note),
    /// What its commands printed; not empty.
    Outputs(Vec<Output<'a>>),
}

/// Why a step has no output.
struct Note {
    badge: Badge,
    /// A fragment, which may be empty.
    reason: String,
}

/// Why a step has no output, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Badge {
    /// It was another when it was recorded.
    Stale,
    /// It is not recorded.
    New,
    /// It is skipped.
    NotRun,
}

impl Badge {
    fn word(self) -> &'static str {
        match self {
            Badge::Stale => "stale",
            Badge::New => "new",
            Badge::NotRun => "not run",
        }
    }
}

/// What one command printed, and how it ended.
struct Output<'a> {
    /// As it was typed.
    command: &'a str,
    /// What a person sees before it.
    prompt: &'a str,
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
    /// Ended by Ctrl-C after this time.
    Stopped(Duration),
    /// It runs in the background.
    GoesOn,
    /// Its terminal is still open.
    StaysOpen,
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
            Status::Stopped(time) => Some(format!("Ctrl-C after {}", took(*time))),
            Status::GoesOn => Some("goes on in the background".to_string()),
            Status::StaysOpen => Some("stays open".to_string()),
        }
    }
}

/// Whether the commands of an output stand in a block above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commands {
    InBlock,
    /// The prose asks for them.
    Nowhere,
}

/// The block under a step.
fn block(page: Page<'_>, step_idx: usize, under: &Under<'_>, renderer: Renderer) -> String {
    let step = &page.exercise.steps[step_idx];
    let commands = match step.span.is_empty() && step.block.is_none() {
        true => Commands::Nowhere,
        false => Commands::InBlock,
    };
    match renderer {
        Renderer::Html => {
            // No name has a dot in it, and neither has what mdBook makes of a heading.
            let id = format!("rehearse.{}.{}", page.exercise.id, step.id);
            html::block(&id, under, commands, page.config.fold_lines)
        }
        Renderer::Plain => plain::block(under, commands),
    }
}

/// What stands under a step, if anything.
fn under(page: Page<'_>, step_idx: usize) -> Option<Under<'_>> {
    let (step, standing) = (&page.plan.steps[step_idx], &page.standings[step_idx]);
    let note = |badge: Badge, reason: String| Some(Under::Note(Note { badge, reason }));
    if let Standing::Skipped(skip) = standing {
        return note(Badge::NotRun, skip.reason());
    }
    let source = &page.exercise.steps[step_idx];
    if step.commands.is_empty() || source.words.visibility == Visibility::Silent {
        return None;
    }
    let mut recorded_steps = page.snapshot.iter().flat_map(|it| &it.steps);
    match (standing, recorded_steps.find(|it| it.id == step.id)) {
        (Standing::Edited, _) => note(Badge::Stale, "changed since it was recorded".to_string()),
        (Standing::Recorded, Some(recorded)) => {
            Some(Under::Outputs(outputs(recorded, step, source)))
        }
        _ => note(Badge::New, "not recorded yet".to_string()),
    }
}

fn outputs<'a>(
    recorded: &'a RecordedStep,
    planned: &PlannedStep,
    source: &'a Step,
) -> Vec<Output<'a>> {
    let mut res: Vec<Output<'_>> = Vec::new();
    let commands = recorded.commands.iter().zip(&planned.commands);
    for ((command, planned_command), typed) in commands.zip(&source.commands) {
        let is_last = res.len() + 1 == recorded.commands.len();
        let manner = &planned_command.manner;
        let status = match (&manner.lasts, planned.expect) {
            (Lasts::For(time), _) => Status::Stopped(*time),
            (Lasts::On(_), _) => Status::GoesOn,
            (Lasts::Opens(_), _) => Status::StaysOpen,
            _ if command.status == 0 => Status::Success,
            (_, Expect::Failure(Failure::Any)) if is_last => {
                Status::FailedAsItShould(command.status)
            }
            (_, Expect::Failure(Failure::Status(it))) if is_last && it == command.status => {
                Status::FailedAsItShould(command.status)
            }
            _ => Status::Failed(command.status),
        };
        res.push(Output {
            command: &command.text,
            prompt: match (&typed.place, &manner.inside) {
                (Place::Program(prompt), _) => prompt,
                (_, Some(_)) => "#",
                (_, None) => "$",
            },
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
        // Where the author has placed tables, there are none by rule.
        if page.exercise.tables.is_empty() && page.config.image_summary == ImageSummary::Shown {
            parts.extend(image_summary(page, snapshot, renderer));
        }
        let is_newer = |it: &&Standing| matches!(it, Standing::New | Standing::Edited);
        let n_newer = page.standings.iter().filter(is_newer).count();
        let provenance = colophon::provenance(snapshot, n_newer);
        parts.push(match renderer {
            Renderer::Html => html::provenance(&provenance),
            Renderer::Plain => plain::provenance(&provenance),
        });
    }
    if renderer == Renderer::Html && page.config.assets_version.is_none() {
        parts.push(html::style(STYLE));
    }
    parts
}

/// The table of a chapter's images, and the picture of their layers if they share any.
fn image_summary(page: Page<'_>, snapshot: &Snapshot, renderer: Renderer) -> Vec<String> {
    let mut parts = Vec::new();
    let table = image_table(&snapshot.images, "Images of this chapter", renderer);
    parts.extend(table);
    // An image of several names is one stack.
    let mut images: Vec<LedgerEntry> = Vec::new();
    for image in &snapshot.images {
        if !images.iter().any(|it| it.id == image.id) {
            images.push(image.clone());
        }
    }
    // Images share what they are built upon; a layer upon different ones is none that an engine keeps once.
    let mut bottoms = BTreeSet::new();
    let mut lowest = images.iter().filter_map(|it| it.layers.first());
    if lowest.any(|it| !bottoms.insert(&it.digest)) {
        let id = format!("rehearse-{}_layers", page.exercise.id);
        parts.push(layer_picture(&id, &images, &snapshot.engine, renderer));
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
fn prompted(output: &Output<'_>) -> String {
    let Output {
        command, prompt, ..
    } = output;
    match command.split_once('\n') {
        Some((first, _)) => format!("{prompt} {} …", first.trim_end_matches(['\\', ' '])),
        None => format!("{prompt} {command}"),
    }
}
