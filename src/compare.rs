//! Recorded against fresh: what became of each step, and what a new snapshot would say. Both sides are normalized.

mod cause;
mod matching;

use jiff::civil::Date;

use crate::claim;
use crate::compare::matching::{Images, Matching};
use crate::exercise::Failure;
use crate::images::{ImageOrigin, LedgerEntry, Move, host, is_loopback, ledger, n_shared};
use crate::plan::{Decision, Expect, Plan, PlannedStep, Skip};
use crate::problem::Origin;
use crate::snapshot::{RecordedStep, Snapshot};
use crate::transcript::{Blocked, Ending, Engine, StepTranscript, Transcript};

/// How a plan stands to its snapshot, before any run. One for each step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its commands are recorded as they are.
    Recorded,
    /// It is recorded with other commands.
    Edited,
    /// It is not recorded.
    New,
    /// It does not run.
    Skipped(Skip),
}

/// What became of an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The exercise's name.
    pub exercise: String,
    /// Path of the chapter.
    pub chapter: String,
    /// One for each step of the plan, in document order.
    pub steps: Vec<StepComparison>,
    /// References whose digest differs, in ledger order.
    pub moved: Vec<Moved>,
    /// Steps that are recorded and no longer in the chapter.
    pub gone: Vec<String>,
    /// What an exercise that comes first broke at; no step ran then.
    pub blocked: Option<Blocked>,
    /// Recorded and fresh engine, if they are not the same.
    pub engines: Option<(Engine, Engine)>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepComparison {
    /// The step's name.
    pub id: String,
    /// Which file that line is in.
    pub origin: Origin,
    /// Line of the command or comment that decided the verdict, else of the fence.
    pub line: usize,
    /// What became of it.
    pub verdict: Verdict,
    /// Differences, a command each; empty unless drifted.
    pub drifts: Vec<Drift>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It ran, and is as recorded.
    Ran,
    /// It failed, as its author said it would, and is as recorded.
    FailedAsItShould,
    /// It ended otherwise than it should: how, as a fragment, with the command and the end of its output.
    Failed {
        /// `status 1, should be 0`, `ended the shell with status 3` …
        how: String,
        /// The command.
        command: String,
        /// The last lines of its output, at most 20.
        output: String,
    },
    /// It was not done at its time limit.
    TimedOut {
        /// The command.
        command: String,
        /// The last lines of its output, at most 20.
        output: String,
    },
    /// It was not run, for this reason.
    Skipped(Skip),
    /// It was not run since an earlier step failed.
    NotRun,
    /// It ran and was not recorded, or with other commands.
    New,
    /// It ran and differs from what is recorded.
    Drifted,
}

/// One command whose output or status differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Line of the command in the chapter.
    pub line: usize,
    /// The command.
    pub command: String,
    /// Recorded and fresh status.
    pub status: (i32, i32),
    /// Recorded output, normalized.
    pub recorded: String,
    /// Fresh output, normalized.
    pub fresh: String,
    /// Moved references that explain it, in full.
    pub because: Vec<String>,
}

/// A reference that names another image than when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// In full.
    pub reference: String,
    /// Recorded digest.
    pub recorded: Option<String>,
    /// Fresh digest.
    pub fresh: Option<String>,
    /// Number of layers of the recorded image that the fresh one has too.
    pub n_kept: usize,
    /// Number of layers, recorded and fresh.
    pub n_layers: (usize, usize),
}

/// Tells whether a command ended as its step's author wants; `command_idx` of `n_commands` in the step, from 0.
///
/// Of a step that should fail only the last command does. A command that takes the shell with it is never as it should be.
pub fn as_expected(expect: Expect, command_idx: usize, n_commands: usize, ending: Ending) -> bool {
    match (expectation(expect, command_idx, n_commands), ending) {
        (Expect::Success, Ending::Exited(status)) => status == 0,
        (Expect::Success, Ending::Interrupted | Ending::GoesOn) => true,
        (Expect::Failure(Failure::Any), Ending::Exited(status)) => status != 0,
        (Expect::Failure(Failure::Status(wanted)), Ending::Exited(status)) => status == wanted,
        (_, _) => false,
    }
}

/// Tells for each step of a plan whether the snapshot has it.
pub fn standings(plan: &Plan, recorded: Option<&Snapshot>) -> Vec<Standing> {
    let standing = |step: &PlannedStep| {
        let recorded = recorded.and_then(|it| recorded_step(it, &step.id));
        match (&step.decision, recorded) {
            (Decision::Skip(skip), Some(recorded))
                if skip.is_for_now() && is_as_recorded(step, recorded) =>
            {
                Standing::Recorded
            }
            (Decision::Skip(skip), _) => Standing::Skipped(skip.clone()),
            (Decision::Run, None) => Standing::New,
            (Decision::Run, Some(recorded)) => match is_as_recorded(step, recorded) {
                true => Standing::Recorded,
                false => Standing::Edited,
            },
        }
    };
    plan.steps.iter().map(standing).collect()
}

/// Whether a step is recorded with just its commands.
fn is_as_recorded(step: &PlannedStep, recorded: &RecordedStep) -> bool {
    let planned = step.commands.iter().map(|it| &it.text);
    planned.eq(recorded.commands.iter().map(|it| &it.text))
}

/// Compares a run with what is recorded.
pub fn compare(plan: &Plan, recorded: Option<&Snapshot>, fresh: &Transcript) -> Comparison {
    let matching = Matching::new(plan, recorded, fresh);
    let compare_step = |step: &PlannedStep| {
        let here = |verdict| (step.origin, step.line, verdict);
        let (origin, line, verdict) = match &step.decision {
            Decision::Skip(skip) => here(Verdict::Skipped(skip.clone())),
            Decision::Run => match fresh.steps.iter().find(|it| it.id == step.id) {
                // Nothing to run is soon done.
                None if step.commands.is_empty() => here(Verdict::Ran),
                None => here(Verdict::NotRun),
                Some(fresh) => match misfit(step, fresh).or_else(|| unfulfilled(step, fresh)) {
                    Some(misfit) => misfit,
                    None => return matching.compare_step(step),
                },
            },
        };
        StepComparison {
            id: step.id.clone(),
            origin,
            line,
            verdict,
            drifts: Vec::new(),
        }
    };
    let steps = plan.steps.iter().map(compare_step).collect();
    let is_gone = |id: &String| !plan.steps.iter().any(|it| it.id == *id);
    let recorded_ids = recorded.iter().flat_map(|it| &it.steps).map(|it| &it.id);
    let mut comparison = Comparison {
        exercise: plan.exercise.clone(),
        chapter: plan.chapter.clone(),
        steps,
        moved: recorded.map_or(Vec::new(), |it| moved(it, fresh)),
        gone: recorded_ids.filter(|it| is_gone(it)).cloned().collect(),
        blocked: fresh.blocked.clone(),
        engines: recorded
            .filter(|it| it.engine != fresh.engine)
            .map(|it| (it.engine.clone(), fresh.engine.clone())),
    };
    cause::explain(&mut comparison, plan);
    comparison
}

/// Makes the snapshot that a run leaves: recorded bytes stay wherever fresh ones equal them after normalizing.
/// Call it only if no step failed. Equal to `recorded` in every byte when nothing differs.
///
/// A recorded line does not stay if something in it has another name in a line that is fresh: on a page, one container
/// has one ID.
pub fn merge(
    plan: &Plan,
    recorded: Option<&Snapshot>,
    fresh: &Transcript,
    today: Date,
) -> Snapshot {
    let mut matching = Matching::new(plan, recorded, fresh);
    let fresh_images = ledger(fresh);
    let kept_images = matching.settle(&fresh_images);
    let images = match (kept_images, recorded) {
        (Images::Kept, Some(recorded)) => recorded.images.clone(),
        (_, Some(recorded)) => fresh_images
            .into_iter()
            .map(|it| kept_up(it, recorded, fresh, today))
            .collect(),
        (_, None) => fresh_images,
    };
    let merged = |step: &PlannedStep| match &step.decision {
        Decision::Run => matching.merge_step(&step.id),
        // It could not be run this time.
        Decision::Skip(skip) if skip.is_for_now() => recorded
            .and_then(|it| recorded_step(it, &step.id))
            .filter(|it| is_as_recorded(step, it))
            .cloned(),
        Decision::Skip(_) => None,
    };
    let steps = plan.steps.iter().filter_map(merged).collect();
    let res = Snapshot {
        exercise: plan.exercise.clone(),
        recorded: today,
        engine: fresh.engine.clone(),
        registries: fresh.registries.clone(),
        left: Some(fresh.left),
        steps,
        images,
    };
    match recorded {
        Some(recorded)
            if *recorded
                == (Snapshot {
                    recorded: recorded.recorded,
                    ..res.clone()
                }) =>
        {
            recorded.clone()
        }
        _ => res,
    }
}

/// What one command of a step has to do.
fn expectation(expect: Expect, command_idx: usize, n_commands: usize) -> Expect {
    match command_idx + 1 == n_commands {
        true => expect,
        false => Expect::Success,
    }
}

fn recorded_step<'a>(snapshot: &'a Snapshot, id: &str) -> Option<&'a RecordedStep> {
    snapshot.steps.iter().find(|it| it.id == id)
}

/// The first command that did not end as it should, with the verdict on its step.
fn misfit(step: &PlannedStep, fresh: &StepTranscript) -> Option<(Origin, usize, Verdict)> {
    let n_commands = step.commands.len();
    for (idx, command) in fresh.commands.iter().enumerate() {
        if as_expected(step.expect, idx, n_commands, command.ending) {
            continue;
        }
        let line = step.commands.get(idx).map_or(step.line, |it| it.line);
        let verdict = match command.ending {
            Ending::TimedOut => Verdict::TimedOut {
                command: command.text.clone(),
                output: last_lines(&command.output),
            },
            _ => Verdict::Failed {
                how: how(expectation(step.expect, idx, n_commands), command.ending),
                command: command.text.clone(),
                output: last_lines(&command.output),
            },
        };
        return Some((step.origin, line, verdict));
    }
    // All went well as far as it went, and then the exercise was stopped.
    let missing = step.commands.get(fresh.commands.len())?;
    Some((step.origin, missing.line, Verdict::NotRun))
}

/// The first thing said of the step's output that does not hold, with the verdict on the step.
fn unfulfilled(step: &PlannedStep, fresh: &StepTranscript) -> Option<(Origin, usize, Verdict)> {
    if step.claims.is_empty() && step.captures.is_empty() {
        return None;
    }
    let outputs: Vec<String> = fresh
        .commands
        .iter()
        .map(|it| claim::plain(&it.output))
        .collect();
    let text = outputs.concat();
    let claims = step.claims.iter().map(|it| {
        let how = format!("the output has no {}", claim::written(&it.pattern));
        (it.origin, it.line, claim::holds(&it.pattern, &text), how)
    });
    let captures = step.captures.iter().map(|it| {
        let how = format!(
            "the output has nothing for `{}`: no /{}/",
            it.name, it.regex
        );
        let is_there = claim::captured(&it.regex, &text).is_some();
        (it.origin, it.line, is_there, how)
    });
    let (origin, line, _, how) = claims.chain(captures).find(|it| !it.2)?;
    let last = fresh.commands.last()?;
    let verdict = Verdict::Failed {
        how,
        command: last.text.clone(),
        output: last_lines(&last.output),
    };
    Some((origin, line, verdict))
}

fn how(expect: Expect, ending: Ending) -> String {
    match (ending, expect) {
        (Ending::Exited(status), Expect::Success) => format!("status {status}, should be 0"),
        (Ending::Exited(status), Expect::Failure(Failure::Any)) => {
            format!("status {status}, should be a failure")
        }
        (Ending::Exited(status), Expect::Failure(Failure::Status(wanted))) => {
            format!("status {status}, should be {wanted}")
        }
        (Ending::ShellExited(status), _) => format!("ended the shell with status {status}"),
        (Ending::ShellKilled(signal), _) => format!("the shell was killed by signal {signal}"),
        (Ending::Interrupted, _) => "still running when its time was over, should fail".to_string(),
        (Ending::GoesOn, _) => "goes on, should fail".to_string(),
        (Ending::TimedOut, _) => "not done at its time limit".to_string(),
        (Ending::NeverReady, _) => "not ready within its time; `until=…` after the language says when it is, `timeout=…` gives it more".to_string(),
        (Ending::NotTyped, _) => "was not typed".to_string(),
        (Ending::SandboxLost, _) => "the sandbox went away".to_string(),
    }
}

fn last_lines(output: &[u8]) -> String {
    const N_LINES: usize = 20;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines[lines.len().saturating_sub(N_LINES)..].concat()
}

/// References that are in both ledgers with different digests.
///
/// What the exercise itself made is left out, and so is a registry that it runs: what is built anew has another digest each
/// time. So are digests that only one kind of image store gives.
fn moved(recorded: &Snapshot, fresh: &Transcript) -> Vec<Moved> {
    let fresh_images = ledger(fresh);
    let mut res = Vec::new();
    for entry in &recorded.images {
        let Some(it) = fresh_images
            .iter()
            .find(|it| it.reference == entry.reference)
        else {
            continue;
        };
        let is_one_store = recorded.engine.image_store() == fresh.engine.image_store();
        let is_comparable = is_one_store || (entry.digest.is_some() && it.digest.is_some());
        if entry.digest != it.digest && is_comparable && !is_own(it, fresh) {
            res.push(Moved {
                reference: entry.reference.clone(),
                recorded: entry.digest.clone(),
                fresh: it.digest.clone(),
                n_kept: n_shared(&entry.layers, &it.layers),
                n_layers: (entry.layers.len(), it.layers.len()),
            });
        }
    }
    res
}

/// Whether a reference is one that the exercise made, or points to a registry that it runs itself.
fn is_own(entry: &LedgerEntry, fresh: &Transcript) -> bool {
    let host = host(&entry.reference);
    let is_here = is_loopback(&host) && !fresh.registries.contains_key(&host);
    entry.origin == ImageOrigin::Exercise || is_here
}

/// What a fresh entry becomes in a snapshot: with the recorded sizes of an image that is otherwise as recorded, since the engine
/// counts them anew each time, and with the day on which the reference came to name its image.
fn kept_up(
    entry: LedgerEntry,
    recorded: &Snapshot,
    fresh: &Transcript,
    today: Date,
) -> LedgerEntry {
    let Some(before) = recorded
        .images
        .iter()
        .find(|it| it.reference == entry.reference)
    else {
        return entry;
    };
    let moved = match (&before.digest, &entry.digest) {
        (Some(from), Some(digest)) if from != digest && !is_own(&entry, fresh) => Some(Move {
            on: today,
            from: from.clone(),
        }),
        (Some(from), Some(digest)) if from == digest => before.moved.clone(),
        _ => None,
    };
    let is_same_image = before.id == entry.id && before.layers.len() == entry.layers.len();
    match is_same_image {
        true => LedgerEntry {
            moved,
            size: before.size,
            layers: before.layers.clone(),
            ..entry
        },
        false => LedgerEntry { moved, ..entry },
    }
}
