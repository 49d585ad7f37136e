//! How much of a chapter is rehearsed: its tasks, its steps, and why some are skipped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::exercise::{Exercise, Role};
use crate::plan::{Decision, Plan, Skip};

/// How much of a chapter is rehearsed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Number of tasks: parts of the chapter that have a step or set the reader a challenge, those that only clean up aside.
    pub tasks: usize,
    /// Tasks with a step that runs and none that is skipped.
    pub covered: usize,
    /// The others.
    pub uncovered: Vec<Uncovered>,
    /// Number of steps.
    pub steps: usize,
    /// Steps that run.
    pub run: usize,
    /// Why others are skipped, in a word or two, with how many.
    pub skipped: BTreeMap<String, usize>,
}

/// A task that is not rehearsed, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncovered {
    /// Line of its heading, from 1.
    pub line: usize,
    /// Its heading; empty for what stands before the first one.
    pub title: String,
}

/// Counts a plan.
pub fn coverage(exercise: &Exercise, plan: &Plan) -> Coverage {
    let mut coverage = Coverage::default();
    for (section_idx, section) in exercise.sections.iter().enumerate() {
        let steps = exercise.steps.iter().zip(&plan.steps);
        let steps: Vec<_> = steps.filter(|it| it.0.section == section_idx).collect();
        let is_task = section.challenge || steps.iter().any(|it| it.1.role != Role::Cleanup);
        if !is_task {
            continue;
        }
        coverage.tasks += 1;
        let runs = steps.iter().any(|it| it.1.decision == Decision::Run);
        let is_whole = steps.iter().all(|it| it.1.decision == Decision::Run);
        match runs && is_whole {
            true => coverage.covered += 1,
            false => coverage.uncovered.push(Uncovered {
                line: section.line,
                title: section.title.clone(),
            }),
        }
    }
    for step in &plan.steps {
        coverage.steps += 1;
        match &step.decision {
            Decision::Run => coverage.run += 1,
            Decision::Skip(skip) => *coverage.skipped.entry(why(skip).to_owned()).or_default() += 1,
        }
    }
    coverage
}

/// `5 of 7 tasks covered, 12 steps run, 2 skipped (1 by the author, 1 waits for a person)`.
pub fn in_words(coverage: &Coverage) -> String {
    let mut text = String::new();
    if coverage.tasks > 0 {
        let noun = if coverage.tasks == 1 { "task" } else { "tasks" };
        text = format!(
            "{} of {} {noun} covered, ",
            coverage.covered, coverage.tasks
        );
    }
    let noun = match coverage.run {
        1 => "step runs",
        _ => "steps run",
    };
    text.push_str(&format!("{} {noun}", coverage.run));
    let n_skipped: usize = coverage.skipped.values().sum();
    if n_skipped > 0 {
        let reasons: Vec<String> = coverage
            .skipped
            .iter()
            .map(|(why, n)| format!("{n} {why}"))
            .collect();
        text.push_str(&format!(", {n_skipped} skipped ({})", reasons.join(", ")));
    }
    text
}

fn why(skip: &Skip) -> &'static str {
    match skip {
        Skip::Author(_) => "by the author",
        Skip::NeedsValue(_) => "for want of a value",
        Skip::Interactive(_) => "for want of a person",
        Skip::NeedsGrant(_) => "for want of a grant",
        Skip::OutOfScope(_) => "out of scope",
    }
}
