//! What a check found, as plain data: it serializes to the JSON of `check --report json=FILE`, from which the records of shards
//! are read and joined again. How it is told is [`report`](crate::report)'s; `book/src/guide/check.schema.json` describes it.

use serde::{Deserialize, Serialize};

use crate::compare::{self, Comparison};
use crate::coverage::{Coverage, coverage};
use crate::plan::Decision;
use crate::problem::{Class, Fault, gravest};
use crate::run::{Rehearsal, Subject, has_drifted, is_broken, is_flaky};
use crate::schedule::Shard;
use crate::strict::Objection;
use crate::transcript::{Engine, Inventory};
use crate::versioned::{self, Kind};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// Of this record.
    pub format: u64,
    /// Version of the tool.
    pub version: String,
    /// Where the book lies.
    #[serde(flatten)]
    pub place: Place,
    /// Which part of the chosen exercises it has; `None`: all of them.
    pub shard: Option<Shard>,
    /// Names of all exercises that were chosen, those of other shards too, in the book's order.
    pub chosen: Vec<String>,
    /// In the book's order.
    pub exercises: Vec<ExerciseRecord>,
    /// What a strict check objects to, in the order of places; empty if it was none.
    pub objections: Vec<Objection>,
}

/// Where a book lies: paths with `/` from the root of the repository, `.` for the root itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// Folder that has its book.toml.
    pub book: String,
    /// Folder of its chapters. Files in the record are inside it.
    pub source: String,
}

/// What became of an exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExerciseRecord {
    /// Its name.
    pub name: String,
    /// Path of its chapter inside the folder of chapters.
    pub chapter: String,
    /// What became of it, in a word.
    pub verdict: ExerciseVerdict,
    /// Why it makes the check end otherwise than well; `None` if it does not.
    pub fault: Option<Class>,
    /// What kept it from being run.
    pub trouble: Option<String>,
    /// The engine that ran it.
    pub engine: Option<Engine>,
    /// The engine that it is recorded with, if that is another one.
    pub recorded_engine: Option<Engine>,
    /// Milliseconds from its start to the end of its sandbox.
    pub took_ms: u64,
    /// How much of the chapter was to be rehearsed.
    pub coverage: Coverage,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
    /// Images from registries that it used; empty if a step broke.
    pub images: Vec<ImageRecord>,
    /// What its engine had when a cleanup of the chapter's was over.
    pub left: Option<Inventory>,
    /// What earlier attempts came to, each from an empty engine.
    pub earlier: Vec<Attempt>,
}

/// What became of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExerciseVerdict {
    /// It is as recorded.
    AsRecorded,
    /// It is as recorded now, and was not in an earlier attempt.
    Flaky,
    /// It ran as it should and differs from what is recorded.
    Drifted,
    /// A step ended otherwise than it should.
    Broken,
    /// It was not run.
    NotRun,
}

/// An attempt that was not the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// What became of it: drifted or broken.
    pub verdict: ExerciseVerdict,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// What was found of an exercise in one attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Findings {
    /// What an exercise that comes first broke at; no step ran then.
    pub blocked: Option<BlockedRecord>,
    /// In document order.
    pub steps: Vec<StepRecord>,
    /// References whose digest is not the recorded one.
    pub moved: Vec<MovedRecord>,
    /// Names of steps that are recorded and no longer in the chapter.
    pub gone: Vec<String>,
}

/// A command of an exercise that comes first, which did not end as it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BlockedRecord {
    /// Path of its file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// What it printed.
    pub output: String,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepRecord {
    /// Its name.
    pub id: String,
    /// Path of its file.
    pub file: String,
    /// Line of what decided the verdict, else of its block, from 1.
    pub line: usize,
    /// What became of it, in a word.
    pub verdict: StepVerdict,
    /// Why, as a fragment; `None` if it is as recorded or drifted.
    pub message: Option<String>,
    /// The command that broke.
    pub command: Option<String>,
    /// The last lines that it printed.
    pub output: Option<String>,
    /// Commands that differ; empty unless drifted.
    pub drifts: Vec<DriftRecord>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepVerdict {
    /// It is as recorded; it may have failed, if its author says so.
    AsRecorded,
    /// It ran, and is not recorded with these commands.
    New,
    /// It ran and differs from what is recorded.
    Drifted,
    /// It ended otherwise than it should.
    Failed,
    /// It was not done at its time limit.
    TimedOut,
    /// It was not to be run.
    Skipped,
    /// Something before it kept it from being run.
    NotRun,
}

/// A command that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriftRecord {
    /// Its line, from 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// As recorded.
    pub recorded: Printed,
    /// As in this run.
    pub fresh: Printed,
    /// Moved references that explain it.
    pub because: Vec<String>,
}

/// How a command ended, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Printed {
    /// Its status.
    pub status: i32,
    /// Its output, normalized.
    pub output: String,
}

/// A reference that names another image than when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MovedRecord {
    /// In full.
    pub reference: String,
    /// Recorded digest.
    pub recorded: Option<String>,
    /// Fresh digest.
    pub fresh: Option<String>,
    /// Number of layers of the recorded image that the fresh one has too.
    pub kept_layers: usize,
    /// Number of layers of the recorded image.
    pub recorded_layers: usize,
    /// Number of layers of the fresh image.
    pub fresh_layers: usize,
}

/// An image that an exercise used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ImageRecord {
    /// In full.
    pub reference: String,
    /// Its digest in this run.
    pub digest: String,
}

/// What came of an exercise that was to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It ran.
    Ran(&'a Rehearsal),
    /// It could not be run.
    Troubled(&'a Fault),
    /// It was left out, since another one went wrong.
    LeftOut,
}

/// The format of records.
const FORMAT: u64 = 1;

/// Makes a record of what came of the exercises of a shard, in the book's order; `chosen` names those of all shards.
/// `objections` are those of a strict check.
pub fn record(
    place: &Place,
    shard: Option<Shard>,
    chosen: Vec<String>,
    outcomes: &[(&Subject, Outcome<'_>)],
    objections: Vec<Objection>,
) -> Record {
    let exercises = outcomes.iter().map(|(subject, outcome)| {
        let exercise = match outcome {
            Outcome::Ran(rehearsal) => exercise(rehearsal),
            Outcome::Troubled(fault) => not_run(subject, Some(fault)),
            Outcome::LeftOut => not_run(subject, None),
        };
        let is_its = |it: &&Objection| it.exercise.as_ref() == Some(&exercise.name);
        let objected = objections.iter().filter(is_its).map(|it| it.class);
        ExerciseRecord {
            fault: gravest(exercise.fault.into_iter().chain(objected)),
            ..exercise
        }
    });
    Record {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        place: place.clone(),
        shard,
        chosen,
        exercises: exercises.collect(),
        objections: in_order(objections),
    }
}

/// Each once, by where it is: shards that know of the same page say the same of it.
fn in_order(mut objections: Vec<Objection>) -> Vec<Objection> {
    let place = |it: &Objection| (it.file.clone(), it.line, it.message.clone());
    objections.sort_by_key(place);
    objections.dedup();
    objections
}

/// Makes a record of what came of running an exercise.
pub fn exercise(rehearsal: &Rehearsal) -> ExerciseRecord {
    let comparison = &rehearsal.comparison;
    let verdict = match is_flaky(rehearsal) {
        true => ExerciseVerdict::Flaky,
        false => verdict(comparison),
    };
    let images = rehearsal.snapshot.iter().flat_map(|it| &it.images);
    let images = images.filter_map(|it| {
        Some(ImageRecord {
            reference: it.reference.clone(),
            digest: it.digest.clone()?,
        })
    });
    let attempts = rehearsal.attempts.iter().map(|it| Attempt {
        verdict: self::verdict(it),
        findings: findings(it),
    });
    ExerciseRecord {
        name: comparison.exercise.clone(),
        chapter: comparison.chapter.clone(),
        verdict,
        fault: match verdict {
            ExerciseVerdict::Broken => Some(Class::Broke),
            ExerciseVerdict::Drifted => Some(Class::Drift),
            _ => None,
        },
        trouble: None,
        engine: Some(rehearsal.engine.clone()),
        recorded_engine: comparison.engines.as_ref().map(|it| it.0.clone()),
        took_ms: u64::try_from(rehearsal.took.as_millis()).unwrap_or(u64::MAX),
        coverage: rehearsal.coverage.clone(),
        findings: findings(comparison),
        images: images.collect(),
        left: rehearsal.left_by_cleanup,
        earlier: attempts.collect(),
    }
}

/// Makes a record of an exercise that was not run; `fault` is what kept it from that, if it was not another exercise.
pub fn not_run(subject: &Subject, fault: Option<&Fault>) -> ExerciseRecord {
    let exercise = &subject.exercise;
    let steps = subject.plan.steps.iter().map(|it| {
        let (verdict, message) = match &it.decision {
            Decision::Run => (StepVerdict::NotRun, "the exercise was not run".to_owned()),
            Decision::Skip(skip) => (StepVerdict::Skipped, skip.reason()),
        };
        StepRecord {
            id: it.id.clone(),
            file: it.origin.path(&exercise.chapter),
            line: it.line,
            verdict,
            message: Some(message),
            command: None,
            output: None,
            drifts: Vec::new(),
        }
    });
    ExerciseRecord {
        name: exercise.id.clone(),
        chapter: exercise.chapter.clone(),
        verdict: ExerciseVerdict::NotRun,
        fault: fault.map(|it| it.class),
        trouble: fault.map(|it| it.message.clone()),
        engine: None,
        recorded_engine: None,
        took_ms: 0,
        coverage: coverage(exercise, &subject.plan),
        findings: Findings {
            steps: steps.collect(),
            ..Findings::default()
        },
        images: Vec::new(),
        left: None,
        earlier: Vec::new(),
    }
}

fn verdict(comparison: &Comparison) -> ExerciseVerdict {
    match comparison {
        it if is_broken(it) => ExerciseVerdict::Broken,
        it if has_drifted(it) => ExerciseVerdict::Drifted,
        _ => ExerciseVerdict::AsRecorded,
    }
}

fn findings(comparison: &Comparison) -> Findings {
    let blocked = comparison.blocked.as_ref().map(|it| BlockedRecord {
        file: it.origin.path(&it.chapter),
        line: it.line,
        command: it.command.clone(),
        output: String::from_utf8_lossy(&it.output).into_owned(),
    });
    let moved = comparison.moved.iter().map(|it| MovedRecord {
        reference: it.reference.clone(),
        recorded: it.recorded.clone(),
        fresh: it.fresh.clone(),
        kept_layers: it.n_kept,
        recorded_layers: it.n_layers.0,
        fresh_layers: it.n_layers.1,
    });
    let steps = comparison.steps.iter();
    Findings {
        blocked,
        steps: steps.map(|it| step(it, &comparison.chapter)).collect(),
        moved: moved.collect(),
        gone: comparison.gone.clone(),
    }
}

fn step(step: &compare::StepComparison, chapter: &str) -> StepRecord {
    use compare::Verdict;
    let says = |message: &str| Some(message.to_owned());
    let (verdict, message) = match &step.verdict {
        Verdict::Ran | Verdict::FailedAsItShould => (StepVerdict::AsRecorded, None),
        Verdict::New => (StepVerdict::New, says("not recorded with these commands")),
        Verdict::Drifted => (StepVerdict::Drifted, None),
        Verdict::Failed { how, .. } => (StepVerdict::Failed, says(how)),
        Verdict::TimedOut { .. } => (
            StepVerdict::TimedOut,
            says("not done within its time; give it more with `timeout=…` after the language"),
        ),
        Verdict::Skipped(skip) => (StepVerdict::Skipped, Some(skip.reason())),
        Verdict::NotRun => (StepVerdict::NotRun, says("a step before it failed")),
    };
    let broken = match &step.verdict {
        Verdict::Failed {
            command, output, ..
        }
        | Verdict::TimedOut { command, output } => Some((command, output)),
        _ => None,
    };
    let drifts = step.drifts.iter().map(|it| DriftRecord {
        line: it.line,
        command: it.command.clone(),
        recorded: Printed {
            status: it.status.0,
            output: it.recorded.clone(),
        },
        fresh: Printed {
            status: it.status.1,
            output: it.fresh.clone(),
        },
        because: it.because.clone(),
    });
    StepRecord {
        id: step.id.clone(),
        file: step.origin.path(chapter),
        line: step.line,
        verdict,
        message,
        command: broken.map(|it| it.0.clone()),
        output: broken.map(|it| it.1.clone()),
        drifts: drifts.collect(),
    }
}

/// Why a check ends otherwise than well; `None` if it does not.
pub fn fault(record: &Record) -> Option<Class> {
    let exercises = record.exercises.iter().filter_map(|it| it.fault);
    gravest(exercises.chain(record.objections.iter().map(|it| it.class)))
}

/// Reads what `check --report json=FILE` wrote. `Err` is a fragment that follows the name of the file.
pub fn parse(text: &str) -> Result<Record, String> {
    let kind = Kind {
        format: FORMAT,
        unreadable: "make it with `mdbook-rehearse check --report json=FILE`",
        foreign: "join it with the version that wrote it",
    };
    versioned::read(text, kind)
}

/// Joins the records of all shards of a check, each with the name of its file. `Err` says all that keeps them from being
/// joined.
pub fn join(parts: Vec<(String, Record)>) -> Result<Record, Vec<String>> {
    let Some((first_name, first)) = parts.first() else {
        return Err(vec![
            "there is nothing to join; name a file for each shard".to_owned(),
        ]);
    };
    let mut problems = Vec::new();
    for (name, part) in &parts[1..] {
        if let Some((of_part, of_first)) = difference(part, first) {
            problems.push(format!(
                "`{name}` {of_part}, and `{first_name}` {of_first}; join shards of one check"
            ));
        }
    }
    // What is of another check altogether is not missing anywhere.
    if problems.is_empty() {
        problems.extend(gaps(&parts));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut whole = Record {
        shard: None,
        exercises: Vec::new(),
        ..first.clone()
    };
    let chosen = whole.chosen.clone();
    let objections = parts.iter().flat_map(|it| it.1.objections.clone());
    whole.objections = in_order(objections.collect());
    whole.exercises = parts.into_iter().flat_map(|it| it.1.exercises).collect();
    whole
        .exercises
        .sort_by_key(|exercise| chosen.iter().position(|it| *it == exercise.name));
    Ok(whole)
}

/// What makes two records of different checks: what the one says, and what the other one says of the same.
fn difference(one: &Record, other: &Record) -> Option<(String, String)> {
    let pair = |say: &dyn Fn(&Record) -> String| Some((say(one), say(other)));
    let n_shards = |it: &Record| it.shard.map_or(1, |it| it.of());
    if one.version != other.version {
        return pair(&|it| format!("is of version {}", it.version));
    }
    if one.place != other.place {
        return pair(&|it| format!("is of the book in `{}`", it.place.book));
    }
    if n_shards(one) != n_shards(other) {
        return pair(&|it| match n_shards(it) {
            1 => "is of a whole check".to_owned(),
            n => format!("is of one in {n} shards"),
        });
    }
    if one.chosen == other.chosen {
        return None;
    }
    let names = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<String> = names.map(|it| format!("`{it}`")).collect();
        names.join(", ")
    };
    let lacks = |some: &Record, others: &Record| {
        names(&mut others.chosen.iter().filter(|it| !some.chosen.contains(it)))
    };
    match (lacks(one, other).as_str(), lacks(other, one).as_str()) {
        ("", "") => pair(&|it| format!("chose in the order {}", names(&mut it.chosen.iter()))),
        (missing, "") => Some((format!("did not choose {missing}"), "did".to_owned())),
        ("", added) => Some((format!("chose {added}"), "did not".to_owned())),
        (missing, added) => Some((
            format!("chose {added} and not {missing}"),
            format!("chose {missing} and not {added}"),
        )),
    }
}

/// What is missing from a set of shards, or there twice.
fn gaps(parts: &[(String, Record)]) -> Vec<String> {
    let mut problems = Vec::new();
    let first = &parts[0].1;
    let of = first.shard.map_or(1, |it| it.of());
    for index in 1..=of {
        let is_it = |it: &Record| it.shard.map_or(1, |it| it.index()) == index;
        let holders: Vec<&str> = parts
            .iter()
            .filter(|it| is_it(&it.1))
            .map(|it| it.0.as_str())
            .collect();
        match holders.as_slice() {
            [] => problems.push(format!("shard {index} of {of} is missing")),
            [_] => {}
            several => problems.push(format!(
                "shard {index} of {of} is there more than once: in `{}`; leave out all but one",
                several.join("` and `")
            )),
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    for (name, part) in parts {
        let strange = part.exercises.iter();
        let strange = strange.filter(|it| !part.chosen.contains(&it.name));
        problems.extend(strange.map(|it| {
            format!(
                "`{name}` has the exercise `{}`, which it did not choose",
                it.name
            )
        }));
    }
    for exercise in &first.chosen {
        let has = |it: &&(String, Record)| it.1.exercises.iter().any(|it| it.name == *exercise);
        let holders: Vec<&str> = parts.iter().filter(has).map(|it| it.0.as_str()).collect();
        match holders.as_slice() {
            [] => problems.push(format!("no shard has the exercise `{exercise}`")),
            [_] => {}
            several => problems.push(format!(
                "the exercise `{exercise}` is there more than once: in `{}`",
                several.join("` and `")
            )),
        }
    }
    problems
}
