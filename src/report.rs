//! What the terminal says: problems, plans and comparisons as text. Colour is ANSI here and is taken off at the edge where
//! it does not belong. What a run printed goes through [`visible`], so that it cannot steer a terminal or a CI log.

mod annotations;
mod difference;
pub mod digests;
pub mod exercise;
pub mod forecast;
pub mod formats;
pub mod github;
mod gitlab;
mod json;
mod junit;
pub mod strict;

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::character::is_unseen;
use crate::coverage::{self, Uncovered};
use crate::listing::{ListedExercise, ListedHint, ListedStep, Listing, Remark};
use crate::problem::{Level, Located};

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

/// Text in which nothing steers a terminal or a CI job's log, or hides: characters that nobody sees are escaped, and so is the
/// mark that makes a line a command to the job's runner, wherever it stands.
pub fn visible(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' | '\n' => res.push(char),
            char if is_unseen(char) => res.extend(char.escape_unicode()),
            char => res.push(char),
        }
    }
    for mark in ["##[", "##vso["] {
        res = res.replace(mark, &mark.replacen("##", "#\\u{23}", 1));
    }
    res
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all text");
}
