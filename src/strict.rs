//! What a strict check objects to and another one lets pass: what was left out for want of something, what went wrong once,
//! what an author was only warned of, and what is left after a cleanup.

use serde::{Deserialize, Serialize};

use crate::lint::remains;
use crate::plan::{Decision, PlannedStep, Skip};
use crate::problem::{Class, Level, Located};
use crate::run::{Rehearsal, Subject, is_broken, is_flaky};

/// One thing that a strict check objects to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Objection {
    /// What it counts as.
    pub class: Class,
    /// Name of the exercise that it is about; `None` in a chapter that is none.
    pub exercise: Option<String>,
    /// Path of its file inside the folder of chapters.
    pub file: String,
    /// From 1; `None` if it is about all of the chapter.
    pub line: Option<usize>,
    /// What it is, as a fragment.
    pub message: String,
}

/// What there is to object to before anything runs: warnings, and steps of these exercises that are left out for want of a
/// value, a person or a grant.
///
/// A warning counts for the exercise whose chapter it is in. One in a chapter that is no exercise of the book, which `all`
/// has, counts always.
pub fn before(chosen: &[&Subject], all: &[Subject], problems: &[Located]) -> Vec<Objection> {
    let mut objections = Vec::new();
    for Located { chapter, problem } in problems {
        let is_of = |it: &Subject| it.exercise.chapter == *chapter;
        let counts = chosen.iter().any(|it| is_of(it)) || !all.iter().any(is_of);
        if problem.level == Level::Warning && counts {
            objections.push(Objection {
                class: Class::Input,
                exercise: all
                    .iter()
                    .find(|it| is_of(it))
                    .map(|it| it.exercise.id.clone()),
                file: problem.origin.path(chapter),
                line: Some(problem.line),
                message: problem.message.clone(),
            });
        }
    }
    for subject in chosen {
        let chapter = &subject.exercise.chapter;
        for step in &subject.plan.steps {
            let Some((class, why)) = left_out(step) else {
                continue;
            };
            // Most of what is left out was warned of, at one of its commands.
            let is_warned_of = problems.iter().any(|it| {
                let lines = step.line..=step.commands.last().map_or(step.line, |it| it.line);
                it.chapter == *chapter
                    && it.problem.origin == step.origin
                    && lines.contains(&it.problem.line)
            });
            if !is_warned_of || class != Class::Input {
                objections.push(Objection {
                    class,
                    exercise: Some(subject.exercise.id.clone()),
                    file: step.origin.path(chapter),
                    line: Some(step.line),
                    message: format!("step is skipped: {why}"),
                });
            }
        }
    }
    objections
}

/// Why a step is left out that somebody could make run, and what that counts as.
fn left_out(step: &PlannedStep) -> Option<(Class, String)> {
    let Decision::Skip(skip) = &step.decision else {
        return None;
    };
    let class = match skip {
        Skip::NeedsValue(_) | Skip::Interactive(_) => Class::Input,
        Skip::NeedsGrant(_) => Class::Policy,
        // Somebody thought about it.
        Skip::Author(_) | Skip::OutOfScope(_) => return None,
    };
    Some((class, skip.reason()))
}

/// What there is to object to in what became of an exercise: that it is flaky, and what it left after its cleanup.
pub fn after(rehearsal: &Rehearsal) -> Vec<Objection> {
    let objection = |class, message| Objection {
        class,
        exercise: Some(rehearsal.comparison.exercise.clone()),
        file: rehearsal.comparison.chapter.clone(),
        line: None,
        message,
    };
    let flaky = is_flaky(rehearsal).then(|| {
        let class = match rehearsal.attempts.iter().any(is_broken) {
            true => Class::Broke,
            false => Class::Drift,
        };
        let nth = rehearsal.attempts.len() + 1;
        objection(class, format!("flaky: well only in attempt {nth}"))
    });
    let left = rehearsal.left_by_cleanup.as_ref().and_then(remains);
    let left = left.map(|it| {
        let message = format!("left after its cleanup: {it}");
        objection(Class::Leftovers, message)
    });
    flaky.into_iter().chain(left).collect()
}
