//! What `list` tells of a book, as data: each exercise, each step and what would become of it, what was taken for granted, and
//! what an author should look at. It serializes to the JSON of `list --format json`.

use serde::Serialize;

use crate::compare::Standing;
use crate::config::Config;
use crate::coverage::{Coverage, coverage};
use crate::exercise::{AsideKind, Role};
use crate::lint::{Topic, hints, remains};
use crate::problem::Origin;
use crate::run::Subject;

/// A book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Listing {
    /// In the book's order.
    pub exercises: Vec<ListedExercise>,
    /// Names of snapshots that belong to no exercise.
    pub orphans: Vec<String>,
}

/// An exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListedExercise {
    /// Its name.
    pub id: String,
    /// Path of its chapter inside the book's source folder.
    pub chapter: String,
    /// Names of exercises that run first.
    pub requires: Vec<String>,
    /// How much of it is rehearsed.
    pub coverage: Coverage,
    /// What the recorded run left in its engine, in words.
    pub left: Option<String>,
    /// In document order.
    pub steps: Vec<ListedStep>,
    /// Blocks of its languages that are no steps.
    pub left_alone: Vec<Remark>,
    /// What its author should look at.
    pub hints: Vec<ListedHint>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListedStep {
    /// Its name.
    pub id: String,
    /// Path of its file inside the book's source folder.
    pub file: String,
    /// Line of its block, from 1.
    pub line: usize,
    /// What it is for: `task`, `setup`, `solution`, `check` or `cleanup`.
    pub role: &'static str,
    /// How it stands to what is recorded: `recorded`, `edited`, `new` or `skipped`.
    pub standing: &'static str,
    /// Why it is skipped.
    pub reason: Option<String>,
    /// As they are typed.
    pub commands: Vec<String>,
    /// What was taken for granted.
    pub inferred: Vec<String>,
}

/// Something at a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Remark {
    /// Path of its file inside the book's source folder.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What it is.
    pub what: String,
}

/// Something that the author should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListedHint {
    /// Path of its file inside the book's source folder.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What it is about.
    pub topic: Topic,
    /// What, and what to do about it.
    pub message: String,
}

/// Lists a book.
pub fn listing(subjects: &[Subject], orphans: &[String], config: &Config) -> Listing {
    Listing {
        exercises: subjects.iter().map(|it| exercise(it, config)).collect(),
        orphans: orphans.to_vec(),
    }
}

fn exercise(subject: &Subject, config: &Config) -> ListedExercise {
    let exercise = &subject.exercise;
    let file = |origin: Origin| origin.path(&exercise.chapter);
    let steps = subject.plan.steps.iter().zip(&subject.standings);
    let steps = steps.map(|(step, standing)| ListedStep {
        id: step.id.clone(),
        file: file(step.origin),
        line: step.line,
        role: role(step.role),
        standing: match standing {
            Standing::Recorded => "recorded",
            Standing::Edited => "edited",
            Standing::New => "new",
            Standing::Skipped(_) => "skipped",
        },
        reason: match standing {
            Standing::Skipped(skip) => Some(skip.reason()),
            _ => None,
        },
        commands: step.commands.iter().map(|it| it.text.clone()).collect(),
        inferred: step.inferred.clone(),
    });
    let left_alone = exercise.asides.iter().filter_map(|it| match &it.kind {
        AsideKind::LeftAlone(what) => Some(Remark {
            file: file(it.origin),
            line: it.line,
            what: what.clone(),
        }),
        _ => None,
    });
    let hints = hints(subject, config).into_iter().map(|it| ListedHint {
        file: file(it.origin),
        line: it.line,
        topic: it.topic,
        message: it.message,
    });
    let left = subject.recorded.as_ref().and_then(|it| it.left);
    ListedExercise {
        id: exercise.id.clone(),
        chapter: exercise.chapter.clone(),
        requires: subject
            .plan
            .requires
            .iter()
            .map(|it| it.exercise.clone())
            .collect(),
        coverage: coverage(exercise, &subject.plan),
        left: left.as_ref().and_then(remains),
        steps: steps.collect(),
        left_alone: left_alone.collect(),
        hints: hints.collect(),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Task => "task",
        Role::Setup => "setup",
        Role::Solution => "solution",
        Role::Check => "check",
        Role::Cleanup => "cleanup",
    }
}
