//! What the terminal says of what became of exercises: of one, and of all of a check.

use crate::coverage;
use crate::images::{short_digest, short_name};
use crate::lint::remains;
use crate::record::{
    Attempt, BlockedRecord, DriftRecord, ExerciseRecord, ExerciseVerdict, Findings, MovedRecord,
    Record, StepRecord, StepVerdict,
};
use crate::report::difference::push_difference;
use crate::report::strict::objections;
use crate::report::{BAD, CAREFUL, FAINT, GOOD, STRONG, paint, push, visible};
use crate::transcript::Engine;

/// What an exercise was run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To record it: what is new is as it should be.
    Recording,
    /// To see whether it is still as recorded.
    Checking,
}

/// All that a check found: what is broken first, then what drifted, then the rest; at the end how many there are of each.
/// `book` is the folder of the book.
pub fn checked(record: &Record, book: &str) -> String {
    let order = [
        ExerciseVerdict::Broken,
        ExerciseVerdict::NotRun,
        ExerciseVerdict::Drifted,
        ExerciseVerdict::Flaky,
        ExerciseVerdict::AsRecorded,
    ];
    let of = |verdict| {
        let exercises = record.exercises.iter();
        exercises.filter(move |it| it.verdict == verdict)
    };
    let mut text = String::new();
    for exercise in order.into_iter().flat_map(of) {
        text.push_str(&self::exercise(exercise, Purpose::Checking, book));
    }
    text.push_str(&objections(&record.objections));
    let any = |verdict| of(verdict).next().is_some();
    let is_only_drift = any(ExerciseVerdict::Drifted)
        && !any(ExerciseVerdict::Broken)
        && !any(ExerciseVerdict::NotRun);
    if is_only_drift {
        push(
            &mut text,
            format_args!("to take the fresh outputs: mdbook-rehearse run --all {book}\n"),
        );
    }
    push(&mut text, format_args!("{}\n", counts(record)));
    text
}

/// `shard 1/3: 7 as recorded, 1 drifted, 0 broken`.
pub(super) fn counts(record: &Record) -> String {
    let count = |verdict| {
        let exercises = record.exercises.iter();
        exercises.filter(|it| it.verdict == verdict).count()
    };
    let n_well = count(ExerciseVerdict::AsRecorded);
    let n_drifted = count(ExerciseVerdict::Drifted);
    let n_broken = count(ExerciseVerdict::Broken);
    let shard = record
        .shard
        .map_or(String::new(), |it| format!("shard {it}: "));
    let mut text = format!("{shard}{n_well} as recorded, {n_drifted} drifted, {n_broken} broken");
    for (verdict, word) in [
        (ExerciseVerdict::Flaky, "flaky"),
        (ExerciseVerdict::NotRun, "not run"),
    ] {
        match count(verdict) {
            0 => {}
            n => push(&mut text, format_args!(", {n} {word}")),
        }
    }
    text
}

/// What became of one exercise: a line if it is well, else every step that is not, and how to run just this one again;
/// `book` is the folder of the book.
pub fn exercise(exercise: &ExerciseRecord, purpose: Purpose, book: &str) -> String {
    let findings = &exercise.findings;
    let mut text = String::new();
    let (style, word) = match exercise.verdict {
        ExerciseVerdict::Broken => (BAD, "broken"),
        ExerciseVerdict::NotRun => (BAD, "not run"),
        ExerciseVerdict::Drifted if purpose == Purpose::Recording => (GOOD, "recorded anew"),
        ExerciseVerdict::Drifted if has_no_cause(findings) => {
            (CAREFUL, "differs from what is recorded, and no image moved")
        }
        ExerciseVerdict::Drifted => (CAREFUL, "differs from what is recorded"),
        ExerciseVerdict::Flaky => (CAREFUL, "flaky"),
        ExerciseVerdict::AsRecorded => (GOOD, "as recorded"),
    };
    let chapter = paint(STRONG, &visible(&exercise.chapter));
    let about = match exercise.verdict {
        ExerciseVerdict::Broken => {
            let n_ran = findings.steps.iter().filter(|it| ran(it)).count();
            format!("{n_ran} of {} steps ran", exercise.coverage.run)
        }
        ExerciseVerdict::NotRun => match &exercise.trouble {
            Some(trouble) => visible(trouble.lines().next().unwrap_or_default()),
            None => "another exercise went wrong before".to_owned(),
        },
        _ => coverage::in_words(&exercise.coverage),
    };
    push(
        &mut text,
        format_args!("{chapter}: {}; {about}\n", paint(style, word)),
    );
    let more = exercise.trouble.as_ref().and_then(|it| it.split_once('\n'));
    push_lines(&mut text, "| ", more.map_or("", |it| it.1));
    for (idx, Attempt { verdict, findings }) in exercise.earlier.iter().enumerate() {
        let became = match verdict {
            ExerciseVerdict::Broken => "broke",
            _ => "differed from what is recorded",
        };
        let attempt = paint(CAREFUL, &format!("attempt {}", idx + 1));
        push(&mut text, format_args!("  {attempt} {became}\n"));
        // Of one that went wrong to the end the last attempt tells enough.
        if exercise.verdict == ExerciseVerdict::Flaky {
            push_findings(&mut text, findings, Purpose::Checking);
        }
    }
    if let Some(remains) = exercise.left.as_ref().and_then(remains) {
        let what = paint(CAREFUL, &format!("left after its cleanup: {remains}"));
        push(&mut text, format_args!("  {what}\n"));
    }
    if exercise.verdict != ExerciseVerdict::NotRun {
        push_findings(&mut text, findings, purpose);
    }
    if let (Some(recorded), Some(fresh)) = (&exercise.recorded_engine, &exercise.engine) {
        push_engines(&mut text, recorded, fresh);
    }
    let is_worth_it = match exercise.verdict {
        ExerciseVerdict::Broken => true,
        ExerciseVerdict::Drifted | ExerciseVerdict::Flaky => purpose == Purpose::Checking,
        ExerciseVerdict::AsRecorded | ExerciseVerdict::NotRun => false,
    };
    if is_worth_it {
        let again = format!("again: mdbook-rehearse check {book} {}", exercise.name);
        push(&mut text, format_args!("  {}\n", paint(FAINT, &again)));
    }
    text
}

/// What a command did that broke: the command and the end of its output.
pub(super) fn broken(command: &str, output: &str) -> String {
    let mut text = String::new();
    push_lines(&mut text, "$ ", command);
    push_lines(&mut text, "| ", output);
    text
}

/// How a command differs, and what explains it, if anything moved.
pub(super) fn drift(drift: &DriftRecord, moved: &[MovedRecord]) -> String {
    let mut text = String::new();
    push_lines(&mut text, "$ ", &drift.command);
    let (recorded, fresh) = (&drift.recorded, &drift.fresh);
    if recorded.status != fresh.status {
        push(
            &mut text,
            format_args!("      status {} → {}\n", recorded.status, fresh.status),
        );
    }
    push_difference(&mut text, &recorded.output, &fresh.output);
    if !moved.is_empty() {
        push_because(&mut text, drift);
    }
    text
}

/// `sha256:1a2b… → sha256:3c4d…; 2 of its 3 layers stayed`.
pub(super) fn moved(moved: &MovedRecord) -> String {
    let digest = |it: &Option<String>| match it {
        Some(it) => visible(&short_digest(it)),
        None => "none".to_owned(),
    };
    let (recorded, fresh) = (digest(&moved.recorded), digest(&moved.fresh));
    let n_recorded = moved.recorded_layers;
    let kept = match moved.kept_layers {
        _ if n_recorded == 0 => String::new(),
        0 if n_recorded == 1 => "; its only layer is another".to_owned(),
        0 => format!("; none of its {n_recorded} layers stayed"),
        1 if n_recorded == 1 => "; its only layer stayed".to_owned(),
        n if n == n_recorded => format!("; all of its {n} layers stayed"),
        n => format!("; {n} of its {n_recorded} layers stayed"),
    };
    format!("{recorded} → {fresh}{kept}")
}

/// What stands before each line of a command, its output and its difference.
pub(super) const INDENT: &str = "      ";

/// What is said of an exercise that broke although none of its own steps did.
pub(super) const BLOCKED: &str = "this exercise comes first, and did not end as it should";

/// What is said of a command that drifted.
pub(super) const DRIFTED: &str = "what this prints is not what is recorded";

/// What is said of a step that has no place in the chapter any more.
pub(super) const GONE: &str = "recorded, but not in the chapter";

/// Whether outputs differ although every image is the one that was recorded.
fn has_no_cause(findings: &Findings) -> bool {
    let drifts = |it: &StepRecord| !it.drifts.is_empty();
    findings.moved.is_empty() && findings.steps.iter().any(drifts)
}

fn ran(step: &StepRecord) -> bool {
    !matches!(step.verdict, StepVerdict::Skipped | StepVerdict::NotRun)
}

fn push_findings(text: &mut String, findings: &Findings, purpose: Purpose) {
    if let Some(blocked) = &findings.blocked {
        push_blocked(text, blocked);
    }
    for step in &findings.steps {
        push_step(text, step, findings, purpose);
    }
    for moved in &findings.moved {
        let word = paint(CAREFUL, "moved");
        let name = visible(&short_name(&moved.reference));
        push(
            text,
            format_args!("  {word} {name}: {}\n", self::moved(moved)),
        );
    }
    for step in &findings.gone {
        let (word, step) = (paint(CAREFUL, "gone"), visible(step));
        push(text, format_args!("  {word} {step}: {GONE}\n"));
    }
}

fn push_blocked(text: &mut String, blocked: &BlockedRecord) {
    let BlockedRecord {
        file,
        line,
        command,
        output,
    } = blocked;
    let failed = paint(BAD, "failed");
    let file = visible(file);
    push(text, format_args!("  {failed} {file}:{line}: {BLOCKED}\n"));
    text.push_str(&broken(command, output));
}

fn push_step(text: &mut String, step: &StepRecord, findings: &Findings, purpose: Purpose) {
    let (style, word) = match step.verdict {
        StepVerdict::AsRecorded | StepVerdict::Skipped => return,
        StepVerdict::New if purpose == Purpose::Recording => return,
        StepVerdict::New => (CAREFUL, "new"),
        StepVerdict::Drifted => (CAREFUL, "drifted"),
        StepVerdict::Failed => (BAD, "failed"),
        StepVerdict::TimedOut => (BAD, "timed out"),
        StepVerdict::NotRun => (FAINT, "not run"),
    };
    let (word, file) = (paint(style, word), visible(&step.file));
    if let Some(message) = &step.message {
        let (line, message) = (step.line, visible(message));
        push(text, format_args!("  {word} {file}:{line}: {message}\n"));
    }
    if let (Some(command), Some(output)) = (&step.command, &step.output) {
        text.push_str(&broken(command, output));
    }
    for drift in &step.drifts {
        push(text, format_args!("  {word} {file}:{}\n", drift.line));
        text.push_str(&self::drift(drift, &findings.moved));
    }
}

/// What explains a drift, if anything does.
fn push_because(text: &mut String, drift: &DriftRecord) {
    let names: Vec<String> = drift.because.iter().map(|it| short_name(it)).collect();
    let why = match names.as_slice() {
        [] => "no image that moved explains it".to_owned(),
        [one] => format!("because {} moved", visible(one)),
        names => format!("because {} moved", visible(&names.join(", "))),
    };
    push(text, format_args!("      {}\n", paint(FAINT, &why)));
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

fn push_lines(text: &mut String, mark: &str, lines: &str) {
    for line in lines.lines() {
        let line = paint(FAINT, &format!("{mark}{}", visible(line)));
        push(text, format_args!("      {line}\n"));
    }
}
