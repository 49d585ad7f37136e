//! What the terminal says: problems, plans and comparisons as text. Colour is ANSI here and is taken off at the edge where
//! it does not belong. What a run printed goes through [`visible`], so that it cannot steer a terminal or a CI log.

use std::fmt::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::character::is_unseen;
use crate::compare::{Comparison, Drift, Moved, Standing, StepComparison, Verdict};
use crate::plan::Skip;
use crate::problem::{Level, Located};
use crate::run::{Subject, has_drifted, is_broken};

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
        push(
            &mut text,
            format_args!("rehearse: {level}: {chapter}:{}: {message}\n", problem.line),
        );
    }
    text
}

/// What would happen to each step of a book, and why.
pub fn listing(subjects: &[Subject], orphans: &[String]) -> String {
    let mut text = String::new();
    for subject in subjects {
        let exercise = &subject.exercise;
        let (name, coverage) = (
            paint(STRONG, &exercise.chapter),
            coverage(&subject.standings),
        );
        push(
            &mut text,
            format_args!(
                "{name} {}\n",
                paint(FAINT, &format!("({}): {coverage}", exercise.id))
            ),
        );
        for (step, standing) in subject.plan.steps.iter().zip(&subject.standings) {
            let (style, what) = match standing {
                Standing::Recorded => (GOOD, "recorded".to_owned()),
                Standing::Edited => (
                    CAREFUL,
                    "would run: changed since it was recorded".to_owned(),
                ),
                Standing::New => (CAREFUL, "would run: not recorded yet".to_owned()),
                Standing::Skipped(skip) => (FAINT, format!("skipped: {}", reason(skip))),
            };
            push(
                &mut text,
                format_args!("{:>6}  {}  {}\n", step.line, step.id, paint(style, &what)),
            );
        }
    }
    if subjects.is_empty() {
        text.push_str("no chapter has a step: no fence is in a language that `languages` names\n");
    }
    for orphan in orphans {
        let what =
            "recorded, but no chapter has this exercise; delete the file if it is gone for good";
        push(
            &mut text,
            format_args!("snapshots/{orphan}.snap  {}\n", paint(CAREFUL, what)),
        );
    }
    text
}

fn coverage(standings: &[Standing]) -> String {
    let count = |matches: fn(&Standing) -> bool| standings.iter().filter(|it| matches(it)).count();
    let recorded = count(|it| matches!(it, Standing::Recorded));
    let due = count(|it| matches!(it, Standing::New | Standing::Edited));
    let skipped = count(|it| matches!(it, Standing::Skipped(_)));
    let total = standings.len();
    let parts = [
        (recorded, "recorded"),
        (due, "to run"),
        (skipped, "skipped"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|it| it.0 > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    format!(
        "{total} {}, {}",
        if total == 1 { "step" } else { "steps" },
        parts.join(", ")
    )
}

/// Why a step is not run, as a fragment.
pub fn reason(skip: &Skip) -> String {
    match skip {
        Skip::Author(why) if why.is_empty() => "its author says so".to_owned(),
        Skip::Author(why) => visible(why),
        Skip::NeedsValue(names) => {
            let names: Vec<String> = names.iter().map(|it| format!("<{it}>")).collect();
            format!("needs a value for {}", names.join(", "))
        }
        Skip::Interactive(what) => visible(what),
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
pub fn comparison(comparison: &Comparison, purpose: Purpose, book: &Path) -> String {
    let mut text = String::new();
    let n_ran = comparison.steps.iter().filter(|it| ran(it)).count();
    let n_skipped = comparison
        .steps
        .iter()
        .filter(|it| matches!(it.verdict, Verdict::Skipped(_)))
        .count();
    let (style, word) = match comparison {
        it if is_broken(it) => (BAD, "broken"),
        it if has_drifted(it) && purpose == Purpose::Recording => (GOOD, "recorded anew"),
        it if has_drifted(it) => (CAREFUL, "differs from what is recorded"),
        _ => (GOOD, "as recorded"),
    };
    let chapter = paint(STRONG, &comparison.chapter);
    push(
        &mut text,
        format_args!(
            "{chapter}: {}; {n_ran} ran, {n_skipped} skipped\n",
            paint(style, word)
        ),
    );
    let is_shown =
        |it: &&StepComparison| purpose == Purpose::Checking || it.verdict != Verdict::New;
    for step in comparison.steps.iter().filter(is_shown) {
        push_step(&mut text, &comparison.chapter, step);
    }
    for Moved {
        reference,
        recorded,
        fresh,
    } in &comparison.moved
    {
        let or_none = |it: &Option<String>| it.clone().unwrap_or_else(|| "none".to_owned());
        let (recorded, fresh) = (or_none(recorded), or_none(fresh));
        push(
            &mut text,
            format_args!(
                "  {} {reference}: {recorded} → {fresh}\n",
                paint(CAREFUL, "moved")
            ),
        );
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

fn ran(step: &StepComparison) -> bool {
    !matches!(step.verdict, Verdict::Skipped(_) | Verdict::NotRun)
}

fn push_step(text: &mut String, chapter: &str, step: &StepComparison) {
    let place = format!("{chapter}:{}", step.line);
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
        Verdict::TimedOut { command } => {
            let what = "not done within its time; give it more with `timeout=…` after the language";
            push(
                text,
                format_args!("  {} {place}: {what}\n", paint(BAD, "timed out")),
            );
            push_lines(text, "$ ", command);
        }
        Verdict::Drifted => {
            for drift in &step.drifts {
                push_drift(text, chapter, drift);
            }
        }
    }
}

fn push_drift(text: &mut String, chapter: &str, drift: &Drift) {
    push(
        text,
        format_args!("  {} {chapter}:{}\n", paint(CAREFUL, "drifted"), drift.line),
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
