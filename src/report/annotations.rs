//! What a check found as remarks at lines: what CI systems put beside a change. Nothing is escaped here.

use crate::images::short_name;
use crate::problem::Level;
use crate::record::{
    DriftRecord, ExerciseRecord, ExerciseVerdict, Findings, Record, StepRecord, StepVerdict,
};
use crate::report::exercise::{BLOCKED, DRIFTED, GONE, broken, drift, moved};

/// Something at a line.
pub(super) struct Annotation<'a> {
    /// Name of its exercise; `None` in a chapter that is none.
    pub(super) exercise: Option<&'a str>,
    /// An error if a learner would be stuck there.
    pub(super) level: Level,
    /// What it is, in a word or two: `failed`, `drifted`.
    pub(super) word: &'static str,
    /// Path of its file inside the folder of chapters.
    pub(super) file: String,
    /// From 1.
    pub(super) line: usize,
    /// A fragment.
    pub(super) message: String,
    /// Whole lines; may be empty.
    pub(super) details: String,
    /// What it is about whatever the lines are: a step's name and a command, or a reference.
    pub(super) about: Vec<&'a str>,
    /// What a check needs to find it again.
    pub(super) options: &'static str,
}

/// What is not as it should be: errors first, and otherwise in the book's order. A step that was kept from being run is
/// left out; what kept it is there.
pub(super) fn annotations(record: &Record) -> Vec<Annotation<'_>> {
    let mut res = Vec::new();
    for exercise in &record.exercises {
        if let Some(trouble) = &exercise.trouble {
            res.push(Annotation {
                message: trouble.clone(),
                ..at_top(exercise, Level::Error, "not run")
            });
        }
        if exercise.verdict == ExerciseVerdict::Flaky {
            for attempt in &exercise.earlier {
                let found = of_findings(exercise, &attempt.findings);
                res.extend(found.into_iter().map(|it| Annotation {
                    level: Level::Warning,
                    message: format!("{}; not so in a later attempt", it.message),
                    word: "flaky",
                    ..it
                }));
            }
        }
        res.extend(of_findings(exercise, &exercise.findings));
    }
    res.extend(record.objections.iter().map(|it| Annotation {
        exercise: it.exercise.as_deref(),
        level: Level::Error,
        word: "strict",
        file: it.file.clone(),
        line: it.line.unwrap_or(1),
        message: it.message.clone(),
        details: String::new(),
        about: vec![&it.message],
        options: " --strict",
    }));
    res.sort_by_key(|it| match it.level {
        Level::Error => 0,
        Level::Warning => 1,
    });
    res
}

fn at_top<'a>(exercise: &'a ExerciseRecord, level: Level, word: &'static str) -> Annotation<'a> {
    Annotation {
        exercise: Some(&exercise.name),
        level,
        word,
        file: exercise.chapter.clone(),
        line: 1,
        message: String::new(),
        details: String::new(),
        about: Vec::new(),
        options: "",
    }
}

fn of_findings<'a>(exercise: &'a ExerciseRecord, findings: &'a Findings) -> Vec<Annotation<'a>> {
    let mut res = Vec::new();
    if let Some(blocked) = &findings.blocked {
        res.push(Annotation {
            file: blocked.file.clone(),
            line: blocked.line,
            message: BLOCKED.to_owned(),
            details: broken(&blocked.command, &blocked.output),
            about: vec![&blocked.command],
            ..at_top(exercise, Level::Error, "failed")
        });
    }
    for step in &findings.steps {
        match step.verdict {
            StepVerdict::AsRecorded | StepVerdict::Skipped | StepVerdict::NotRun => {}
            StepVerdict::New => res.push(of_step(exercise, step, Level::Warning, "new")),
            StepVerdict::Failed => res.push(of_step(exercise, step, Level::Error, "failed")),
            StepVerdict::TimedOut => res.push(of_step(exercise, step, Level::Error, "timed out")),
            StepVerdict::Drifted => {
                let drifts = step.drifts.iter();
                res.extend(drifts.map(|it| of_drift(exercise, step, it, findings)));
            }
        }
    }
    for moved in &findings.moved {
        let place = place_of(&moved.reference, findings);
        let (file, line) = place.unwrap_or((&exercise.chapter, 1));
        let name = short_name(&moved.reference);
        res.push(Annotation {
            file: file.to_owned(),
            line,
            message: format!("{name}: {}", self::moved(moved)),
            about: vec![&moved.reference],
            ..at_top(exercise, Level::Warning, "moved")
        });
    }
    for id in &findings.gone {
        res.push(Annotation {
            message: format!("{id}: {GONE}"),
            about: vec![id],
            ..at_top(exercise, Level::Warning, "gone")
        });
    }
    res
}

fn of_step<'a>(
    exercise: &'a ExerciseRecord,
    step: &'a StepRecord,
    level: Level,
    word: &'static str,
) -> Annotation<'a> {
    let details = match (&step.command, &step.output) {
        (Some(command), Some(output)) => broken(command, output),
        _ => String::new(),
    };
    let mut about = vec![step.id.as_str()];
    about.extend(step.command.as_deref());
    Annotation {
        file: step.file.clone(),
        line: step.line,
        message: step.message.clone().unwrap_or_default(),
        details,
        about,
        ..at_top(exercise, level, word)
    }
}

fn of_drift<'a>(
    exercise: &'a ExerciseRecord,
    step: &'a StepRecord,
    drift: &'a DriftRecord,
    findings: &Findings,
) -> Annotation<'a> {
    Annotation {
        file: step.file.clone(),
        line: drift.line,
        message: DRIFTED.to_owned(),
        details: self::drift(drift, &findings.moved),
        about: vec![&step.id, &drift.command],
        ..at_top(exercise, Level::Warning, "drifted")
    }
}

/// Where it first shows that a reference moved.
fn place_of<'a>(reference: &str, findings: &'a Findings) -> Option<(&'a str, usize)> {
    let steps = findings.steps.iter();
    let drifts = steps.flat_map(|step| step.drifts.iter().map(|it| (step.file.as_str(), it)));
    drifts
        .filter(|(_, drift)| drift.because.iter().any(|it| it == reference))
        .map(|(file, drift)| (file, drift.line))
        .next()
}

/// Path of a file from the root of the repository.
pub(super) fn from_root(record: &Record, file: &str) -> String {
    match record.place.source.as_str() {
        "." => file.to_owned(),
        source => format!("{source}/{file}"),
    }
}

/// The command that runs just this exercise again, or all of them.
pub(super) fn again(record: &Record, exercise: Option<&str>, options: &str) -> String {
    let exercise = exercise.map_or(String::new(), |it| format!(" {it}"));
    format!(
        "mdbook-rehearse check{options} {}{exercise}",
        record.place.book
    )
}

/// Text for people as plain text: without colour.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
