//! A check as GitHub Actions has it: commands in a job's log, which become annotations beside the lines of a change, and a
//! summary of the job in Markdown.

use std::collections::BTreeMap;

use crate::coverage;
use crate::images::{short_digest, short_name};
use crate::problem::Level;
use crate::record::{ExerciseRecord, ExerciseVerdict, Record};
use crate::report::annotations::{Annotation, again, annotations, from_root, plain};
use crate::report::exercise::{INDENT, counts};
use crate::report::{push, visible};

/// Lines of output or difference that an annotation shows; GitHub cuts long ones.
const N_LINES: usize = 40;

/// A command for each thing, at its line. GitHub shows ten errors and ten warnings of a job's step: the gravest come first.
pub(super) fn commands(record: &Record) -> String {
    let mut text = String::new();
    for annotation in annotations(record) {
        let command = match annotation.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let file = property(&from_root(record, &annotation.file));
        let title = property(&format!(
            "{} {}",
            annotation.exercise.unwrap_or(&annotation.file),
            annotation.word
        ));
        let message = data(&message(&annotation, record));
        let line = annotation.line;
        push(
            &mut text,
            format_args!("::{command} file={file},line={line},title={title}::{message}\n"),
        );
    }
    text
}

fn message(annotation: &Annotation<'_>, record: &Record) -> String {
    let mut text = annotation.message.clone();
    let details = plain(&annotation.details);
    let lines: Vec<&str> = details.lines().collect();
    for line in lines.iter().take(N_LINES) {
        push(
            &mut text,
            format_args!("\n{}", line.strip_prefix(INDENT).unwrap_or(line)),
        );
    }
    if lines.len() > N_LINES {
        push(
            &mut text,
            format_args!("\n… and {} lines", lines.len() - N_LINES),
        );
    }
    let again = again(record, annotation.exercise, annotation.options);
    push(&mut text, format_args!("\nagain: {again}"));
    text
}

/// The text of a command of the runner's, which ends with its line.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\n', "%0A")
}

/// A property of a command of the runner's.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A summary of the check: how much was covered, what went wrong, and which images it was with.
pub fn summary(record: &Record) -> String {
    let mut text = format!("## Rehearsal of {}\n\n", code(&record.place.book));
    push(&mut text, format_args!("{}\n", counts(record)));
    push_exercises(&mut text, record);
    push_wrong(&mut text, record);
    push_images(&mut text, record);
    text
}

fn push_exercises(text: &mut String, record: &Record) {
    text.push_str("\n| chapter | verdict | coverage | took |\n|---|---|---|---:|\n");
    for exercise in &record.exercises {
        let verdict = match exercise.verdict {
            ExerciseVerdict::AsRecorded => "as recorded",
            ExerciseVerdict::Flaky => "flaky",
            ExerciseVerdict::Drifted => "**drifted**",
            ExerciseVerdict::Broken => "**broken**",
            ExerciseVerdict::NotRun => "**not run**",
        };
        let chapter = code(&exercise.chapter);
        let coverage = markdown(&coverage::in_words(&exercise.coverage));
        let took = exercise.took_ms / 1000;
        push(
            text,
            format_args!("| {chapter} | {verdict} | {coverage} | {took} s |\n"),
        );
    }
}

fn push_wrong(text: &mut String, record: &Record) {
    let annotations = annotations(record);
    if annotations.is_empty() {
        return;
    }
    text.push_str("\n### What is not as it should be\n\n| where | what |\n|---|---|\n");
    for annotation in annotations {
        let Annotation {
            word,
            message,
            line,
            ..
        } = &annotation;
        let place = code(&format!("{}:{line}", from_root(record, &annotation.file)));
        let message = markdown(message);
        push(text, format_args!("| {place} | **{word}** {message} |\n"));
    }
    text.push_str("\nTo run one of them again:\n");
    let is_wrong = |it: &&ExerciseRecord| it.verdict != ExerciseVerdict::AsRecorded;
    for exercise in record.exercises.iter().filter(is_wrong) {
        let again = code(&again(record, Some(&exercise.name), ""));
        push(text, format_args!("- {again}\n"));
    }
}

/// A reference, and what it named in the same exercises.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ImageRow<'a> {
    reference: &'a str,
    fresh: Option<&'a str>,
    /// What is recorded, if that is another one.
    recorded: Option<&'a str>,
}

fn push_images(text: &mut String, record: &Record) {
    let mut images: BTreeMap<ImageRow<'_>, Vec<&str>> = BTreeMap::new();
    for exercise in &record.exercises {
        let moved = &exercise.findings.moved;
        let is_moved = |name: &str| moved.iter().any(|it| it.reference == name);
        let others = exercise.images.iter().filter(|it| !is_moved(&it.reference));
        let others = others.map(|it| ImageRow {
            reference: &it.reference,
            fresh: Some(&it.digest),
            recorded: None,
        });
        let moved = moved.iter().map(|it| ImageRow {
            reference: &it.reference,
            fresh: it.fresh.as_deref(),
            recorded: it.recorded.as_deref(),
        });
        for row in others.chain(moved) {
            images.entry(row).or_default().push(&exercise.name);
        }
    }
    if images.is_empty() {
        return;
    }
    text.push_str(
        "\n### Images\n\n| image | digest | moved from | exercises |\n|---|---|---|---|\n",
    );
    let digest = |it: Option<&str>| it.map_or(String::new(), |it| code(&short_digest(it)));
    for (row, exercises) in images {
        let name = code(&short_name(row.reference));
        let (recorded, fresh) = (digest(row.recorded), digest(row.fresh));
        let exercises = markdown(&exercises.join(", "));
        push(
            text,
            format_args!("| {name} | {fresh} | {recorded} | {exercises} |\n"),
        );
    }
}

/// Text in one line in which nothing is Markdown, HTML, mathematics or a mention.
fn markdown(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '\n' | '\t' => res.push(' '),
            '.' | ',' | ';' | '/' | '-' | ' ' | '(' | ')' | '=' | '+' | '?' => res.push(char),
            char if char.is_ascii_punctuation() => {
                push(&mut res, format_args!("&#{};", u32::from(char)))
            }
            char => res.push(char),
        }
    }
    res
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", markdown(text))
}
