//! What the terminal says: problems, plans and comparisons as text. Colour is ANSI here and is taken off at the edge where
//! it does not belong. What a run printed goes through [`visible`], so that it cannot steer a terminal or a CI log.

pub mod digests;

use std::fmt::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::character::is_unseen;
use crate::compare::{Comparison, Drift, Moved, StepComparison, Verdict};
use crate::coverage::{self, Uncovered};
use crate::images::{short_digest, short_name};
use crate::lint::remains;
use crate::listing::{ListedExercise, ListedHint, ListedStep, Listing, Remark};
use crate::problem::{Level, Located};
use crate::run::{Rehearsal, has_drifted, is_broken};
use crate::transcript::{Blocked, Engine};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CAREFUL: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// A line for each problem: level, chapter, line, what, what to do.
pub fn problems(problems: &[Located]) -> String {
    let mut text = String::new();
    for Located { chapter, problem } in problems {
        let level = match problem.level {
            Level::Error => paint(BAD, "error"),
            Level::Warning => paint(CAREFUL, "warning"),
        };
        let message = visible(&problem.message);
        let file = problem.origin.path(chapter);
        push(
            &mut text,
            format_args!("rehearse: {level}: {file}:{}: {message}\n", problem.line),
        );
    }
    text
}

/// What would happen to each step of a book, and why; what was taken for granted; what to look at.
pub fn listing(listing: &Listing) -> String {
    let mut text = String::new();
    for exercise in &listing.exercises {
        push_exercise(&mut text, exercise);
    }
    if listing.exercises.is_empty() {
        text.push_str("no chapter has a step: no fence is in a language that `languages` names\n");
    }
    for orphan in &listing.orphans {
        let what =
            "recorded, but no chapter has this exercise; delete the file if it is gone for good";
        push(
            &mut text,
            format_args!("snapshots/{orphan}.snap  {}\n", paint(CAREFUL, what)),
        );
    }
    text
}

fn push_exercise(text: &mut String, exercise: &ListedExercise) {
    let name = paint(STRONG, &exercise.chapter);
    let coverage = coverage::in_words(&exercise.coverage);
    let about = paint(FAINT, &format!("({}): {coverage}", exercise.id));
    push(text, format_args!("{name} {about}\n"));
    for required in &exercise.requires {
        let what = paint(FAINT, &format!("after {required}, which runs first"));
        push(text, format_args!("        {what}\n"));
    }
    for Uncovered { line, title } in &exercise.coverage.uncovered {
        let title = visible(title);
        let what = paint(CAREFUL, &format!("task not covered: {title}"));
        push(text, format_args!("{line:>6}  {what}\n"));
    }
    let mut file = exercise.chapter.as_str();
    for step in &exercise.steps {
        if step.file != file {
            file = &step.file;
            push(text, format_args!("        {}\n", paint(FAINT, file)));
        }
        let (style, what) = match step.standing {
            "recorded" => (GOOD, "recorded".to_owned()),
            "edited" => (
                CAREFUL,
                "would run: changed since it was recorded".to_owned(),
            ),
            "new" => (CAREFUL, "would run: not recorded yet".to_owned()),
            _ => (FAINT, format!("skipped: {}", reason(step))),
        };
        let role = match step.role {
            "task" => String::new(),
            role => format!("  {}", paint(FAINT, role)),
        };
        push(
            text,
            format_args!(
                "{:>6}  {}{role}  {}\n",
                step.line,
                step.id,
                paint(style, &what)
            ),
        );
        for inferred in &step.inferred {
            let inferred = paint(FAINT, &format!("taken for granted: {}", visible(inferred)));
            push(text, format_args!("        {inferred}\n"));
        }
    }
    for Remark { file, line, what } in &exercise.left_alone {
        let what = paint(FAINT, &format!("left alone: {}", visible(what)));
        push(text, format_args!("  {}:{line}  {what}\n", visible(file)));
    }
    for ListedHint {
        file,
        line,
        message,
        ..
    } in &exercise.hints
    {
        let look = paint(CAREFUL, "look");
        let message = visible(message);
        push(text, format_args!("  {look} {file}:{line}: {message}\n"));
    }
}

fn reason(step: &ListedStep) -> String {
    match step.reason.as_deref() {
        None | Some("") => "its author says so".to_owned(),
        Some(it) => visible(it),
    }
}

/// What an exercise was run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To record it: what is new is as it should be.
    Recording,
    /// To see whether it is still as recorded.
    Checking,
}

/// What became of one exercise: a line if it is well, else every step that is not, and how to run just this one again;
/// `book` is the folder of the book.
pub fn rehearsal(rehearsal: &Rehearsal, purpose: Purpose, book: &Path) -> String {
    let comparison = &rehearsal.comparison;
    let mut text = String::new();
    let (style, word) = match comparison {
        it if is_broken(it) => (BAD, "broken"),
        it if has_drifted(it) && purpose == Purpose::Recording => (GOOD, "recorded anew"),
        it if has_drifted(it) && has_no_cause(it) => {
            (CAREFUL, "differs from what is recorded, and no image moved")
        }
        it if has_drifted(it) => (CAREFUL, "differs from what is recorded"),
        _ => (GOOD, "as recorded"),
    };
    let chapter = paint(STRONG, &comparison.chapter);
    let covered = match is_broken(comparison) {
        true => {
            let n_ran = comparison.steps.iter().filter(|it| ran(it)).count();
            format!("{n_ran} of {} steps ran", rehearsal.coverage.run)
        }
        false => coverage::in_words(&rehearsal.coverage),
    };
    push(
        &mut text,
        format_args!("{chapter}: {}; {covered}\n", paint(style, word)),
    );
    if let Some(blocked) = &comparison.blocked {
        push_blocked(&mut text, blocked);
    }
    if let Some(remains) = rehearsal.left_by_cleanup.as_ref().and_then(remains) {
        let what = paint(CAREFUL, &format!("left after its cleanup: {remains}"));
        push(&mut text, format_args!("  {what}\n"));
    }
    let is_shown =
        |it: &&StepComparison| purpose == Purpose::Checking || it.verdict != Verdict::New;
    for step in comparison.steps.iter().filter(is_shown) {
        push_step(&mut text, comparison, step);
    }
    if let Some((recorded, fresh)) = &comparison.engines {
        push_engines(&mut text, recorded, fresh);
    }
    for moved in &comparison.moved {
        push_moved(&mut text, moved);
    }
    for step in &comparison.gone {
        push(
            &mut text,
            format_args!(
                "  {} {step}: recorded, but not in the chapter\n",
                paint(CAREFUL, "gone")
            ),
        );
    }
    if is_broken(comparison) || purpose == Purpose::Checking && has_drifted(comparison) {
        let again = format!(
            "mdbook-rehearse check {} {}",
            book.display(),
            comparison.exercise
        );
        push(
            &mut text,
            format_args!("  {}\n", paint(FAINT, &format!("again: {again}"))),
        );
    }
    text
}

/// Whether outputs differ although every image is the one that was recorded.
fn has_no_cause(comparison: &Comparison) -> bool {
    let drifts = |it: &StepComparison| !it.drifts.is_empty();
    comparison.moved.is_empty() && comparison.steps.iter().any(drifts)
}

fn ran(step: &StepComparison) -> bool {
    !matches!(step.verdict, Verdict::Skipped(_) | Verdict::NotRun)
}

fn push_blocked(text: &mut String, blocked: &Blocked) {
    let file = blocked.origin.path(&blocked.chapter);
    let what = "this exercise comes first, and did not end as it should";
    push(
        text,
        format_args!(
            "  {} {file}:{}: {what}\n",
            paint(BAD, "failed"),
            blocked.line
        ),
    );
    push_lines(text, "$ ", &blocked.command);
    push_lines(text, "| ", &String::from_utf8_lossy(&blocked.output));
}

fn push_step(text: &mut String, comparison: &Comparison, step: &StepComparison) {
    let file = step.origin.path(&comparison.chapter);
    let place = format!("{file}:{}", step.line);
    match &step.verdict {
        Verdict::Ran | Verdict::FailedAsItShould | Verdict::Skipped(_) => {}
        Verdict::New => push(
            text,
            format_args!(
                "  {} {place}: not recorded with these commands\n",
                paint(CAREFUL, "new")
            ),
        ),
        Verdict::NotRun => push(
            text,
            format_args!(
                "  {} {place}: a step before it failed\n",
                paint(FAINT, "not run")
            ),
        ),
        Verdict::Failed {
            how,
            command,
            output,
        } => {
            push(
                text,
                format_args!("  {} {place}: {how}\n", paint(BAD, "failed")),
            );
            push_lines(text, "$ ", command);
            push_lines(text, "| ", output);
        }
        Verdict::TimedOut { command, output } => {
            let what = "not done within its time; give it more with `timeout=…` after the language";
            push(
                text,
                format_args!("  {} {place}: {what}\n", paint(BAD, "timed out")),
            );
            push_lines(text, "$ ", command);
            push_lines(text, "| ", output);
        }
        Verdict::Drifted => {
            for drift in &step.drifts {
                push_drift(text, &file, drift);
                if !comparison.moved.is_empty() {
                    push_because(text, drift);
                }
            }
        }
    }
}

/// What explains a drift, if anything does.
fn push_because(text: &mut String, drift: &Drift) {
    let names: Vec<String> = drift.because.iter().map(|it| short_name(it)).collect();
    let why = match names.as_slice() {
        [] => "no image that moved explains it".to_owned(),
        [one] => format!("because {} moved", visible(one)),
        names => format!("because {} moved", visible(&names.join(", "))),
    };
    push(text, format_args!("      {}\n", paint(FAINT, &why)));
}

fn push_moved(text: &mut String, moved: &Moved) {
    let digest = |it: &Option<String>| match it {
        Some(it) => visible(&short_digest(it)),
        None => "none".to_owned(),
    };
    let name = visible(&short_name(&moved.reference));
    let (recorded, fresh) = (digest(&moved.recorded), digest(&moved.fresh));
    let (n_recorded, _) = moved.n_layers;
    let kept = match moved.n_kept {
        _ if n_recorded == 0 => String::new(),
        0 if n_recorded == 1 => "; its only layer is another".to_owned(),
        0 => format!("; none of its {n_recorded} layers stayed"),
        1 if n_recorded == 1 => "; its only layer stayed".to_owned(),
        n if n == n_recorded => format!("; all of its {n} layers stayed"),
        n => format!("; {n} of its {n_recorded} layers stayed"),
    };
    push(
        text,
        format_args!(
            "  {} {name}: {recorded} → {fresh}{kept}\n",
            paint(CAREFUL, "moved")
        ),
    );
}

fn push_engines(text: &mut String, recorded: &Engine, fresh: &Engine) {
    let name = |it: &Engine| visible(&format!("{} ({}, {})", it.version, it.store, it.platform));
    let note = match recorded.image_store() == fresh.image_store() {
        true => "",
        false => "; image IDs and sizes of the two stores mean different things",
    };
    push(
        text,
        format_args!(
            "  {} Docker {} → {}{note}\n",
            paint(CAREFUL, "engine"),
            name(recorded),
            name(fresh)
        ),
    );
}

fn push_drift(text: &mut String, file: &str, drift: &Drift) {
    push(
        text,
        format_args!("  {} {file}:{}\n", paint(CAREFUL, "drifted"), drift.line),
    );
    push_lines(text, "$ ", &drift.command);
    let (recorded, fresh) = drift.status;
    if recorded != fresh {
        push(text, format_args!("      status {recorded} → {fresh}\n"));
    }
    let diff = TextDiff::from_lines(&drift.recorded, &drift.fresh);
    for (idx, group) in diff.grouped_ops(2).iter().enumerate() {
        if idx > 0 {
            text.push_str("      …\n");
        }
        for change in group.iter().flat_map(|it| diff.iter_changes(it)) {
            let line = visible(change.value().trim_end_matches('\n'));
            match change.tag() {
                ChangeTag::Equal => push(text, format_args!("        {line}\n")),
                ChangeTag::Delete => push(
                    text,
                    format_args!("      {}\n", paint(BAD, &format!("- {line}"))),
                ),
                ChangeTag::Insert => push(
                    text,
                    format_args!("      {}\n", paint(GOOD, &format!("+ {line}"))),
                ),
            }
        }
    }
}

fn push_lines(text: &mut String, mark: &str, lines: &str) {
    for line in lines.lines() {
        push(
            text,
            format_args!(
                "      {}\n",
                paint(FAINT, &format!("{mark}{}", visible(line)))
            ),
        );
    }
}

/// Text in which nothing steers a terminal or hides: characters that nobody sees are escaped.
pub fn visible(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' | '\n' => res.push(char),
            char if is_unseen(char) => res.extend(char.escape_unicode()),
            char => res.push(char),
        }
    }
    res
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all text");
}
