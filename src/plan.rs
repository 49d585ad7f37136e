//! Every decision about a run, made before it: what runs, what is skipped and why, in which order, under which limits.

use std::time::Duration;

use crate::bash;
use crate::config::Config;
use crate::exercise::{Command, Exercise, Failure, Role, Step};
use crate::interactive;
use crate::placeholder::placeholders;
use crate::problem::Problem;

/// What would happen if the exercise ran now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The exercise's name.
    pub exercise: String,
    /// Path of the chapter, for messages.
    pub chapter: String,
    /// Time for the whole exercise.
    pub timeout: Duration,
    /// One for each step of the exercise, in document order. Cleanup steps run after all others.
    pub steps: Vec<PlannedStep>,
}

/// One step with what was decided for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// The step's name.
    pub id: String,
    /// Line of the opening fence, from 1.
    pub line: usize,
    /// What it is for.
    pub role: Role,
    /// Its commands as the shell gets them.
    pub commands: Vec<Command>,
    /// Run it or not.
    pub decision: Decision,
    /// How it must end.
    pub expect: Expect,
    /// Time for each of its commands.
    pub timeout: Duration,
}

/// Run a step, or not and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run,
    /// It is shown and not run.
    Skip(Skip),
}

/// Why a step is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// The author said so; the reason may be empty.
    Author(String),
    /// It has placeholders: their names without `<` and `>`.
    NeedsValue(Vec<String>),
    /// It waits for a person: what it waits for, as a fragment (`docker login asks for a user name and password`).
    Interactive(String),
}

/// How a step must end. A command is as expected when it, or for `Failure` the last one of the step, ends so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Every command ends with status 0.
    Success,
    /// The last command does not end with 0 but so.
    Failure(Failure),
}

/// Decides for every step of an exercise; warnings name the steps that will not run for want of something.
pub fn plan(exercise: &Exercise, config: &Config) -> (Plan, Vec<Problem>) {
    let mut problems = Vec::new();
    let steps = exercise.steps.iter();
    let steps = steps.map(|step| PlannedStep {
        id: step.id.clone(),
        line: step.line,
        role: step.words.role,
        commands: step.commands.clone(),
        decision: decide(step, &mut problems),
        expect: match step.words.fails {
            Some(it) => Expect::Failure(it),
            None => Expect::Success,
        },
        timeout: step.words.timeout.unwrap_or(config.timeout),
    });
    let plan = Plan {
        exercise: exercise.id.clone(),
        chapter: exercise.chapter.clone(),
        timeout: config.exercise_timeout,
        steps: steps.collect(),
    };
    (plan, problems)
}

/// The steps that run, in the order in which they do: as in the chapter, those of cleanup last.
pub fn in_run_order(plan: &Plan) -> Vec<&PlannedStep> {
    let runs = plan.steps.iter().filter(|it| it.decision == Decision::Run);
    let (cleanup, mut steps): (Vec<&PlannedStep>, Vec<_>) =
        runs.partition(|it| it.role == Role::Cleanup);
    steps.extend(cleanup);
    steps
}

fn decide(step: &Step, problems: &mut Vec<Problem>) -> Decision {
    if let Some(why) = &step.words.skip {
        return Decision::Skip(Skip::Author(why.clone()));
    }
    if step.commands.is_empty() {
        return Decision::Skip(Skip::Author("the block has no command".to_string()));
    }
    let missing = step.commands.iter().flat_map(|command| {
        let placeholders = placeholders(&command.text).into_iter();
        placeholders.map(move |(span, name)| (command, span.start, name))
    });
    let missing: Vec<_> = missing.collect();
    if let Some((command, start, name)) = missing.first() {
        let line = command.line + command.text[..*start].matches('\n').count();
        let message = format!(
            "step is skipped: `<{name}>` needs a value; write the real name, \
             or `skip=\"why\"` after the fence's language"
        );
        problems.push(Problem::warning(line, message));
        let mut names: Vec<String> = Vec::new();
        for (_, _, name) in missing {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return Decision::Skip(Skip::NeedsValue(names));
    }
    let waiting = step.commands.iter().find_map(|command| {
        let invocations = bash::invocations(&command.text);
        let wait = invocations.iter().find_map(interactive::wait)?;
        Some((command.line, wait))
    });
    if let Some((line, wait)) = waiting {
        let message = format!(
            "step is skipped: {}; {}, or write `skip=\"why\"` after the fence's language",
            wait.what, wait.remedy
        );
        problems.push(Problem::warning(line, message));
        return Decision::Skip(Skip::Interactive(wait.what));
    }
    Decision::Run
}
