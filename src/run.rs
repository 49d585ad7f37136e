//! The loop over a book's exercises: what there is, what of it has to run, and what comes of running it. How a plan is run
//! is the caller's: the one seam between the stages and the machine.

use anyhow::Result;
use jiff::civil::Date;

use crate::compare::{self, Comparison, Standing, Verdict};
use crate::config::{Config, RunPolicy};
use crate::exercise::{self, Exercise};
use crate::plan::{self, Plan};
use crate::problem::Located;
use crate::snapshot::Snapshot;
use crate::transcript::Transcript;

/// An exercise of a book with all that is known of it before any run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The chapter's text.
    pub markdown: String,
    /// What it says.
    pub exercise: Exercise,
    /// What would be done.
    pub plan: Plan,
    /// What is recorded, if anything.
    pub recorded: Option<Snapshot>,
    /// How each step of the plan stands to it.
    pub standings: Vec<Standing>,
}

/// Everything in a book that can be rehearsed, and everything that is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// In the book's order.
    pub subjects: Vec<Subject>,
    /// In the book's order.
    pub problems: Vec<Located>,
}

/// Looks at all chapters (path inside the source folder, text); `load` fetches a snapshot by the exercise's name.
pub fn survey<'a>(
    chapters: impl Iterator<Item = (&'a str, &'a str)>,
    config: &Config,
    load: impl Fn(&str) -> Result<Option<Snapshot>>,
) -> Result<Survey> {
    let mut survey = Survey::default();
    for (chapter, markdown) in chapters {
        let (exercise, problems) = exercise::parse(chapter, markdown, config);
        let locate = |problem| Located {
            chapter: chapter.to_owned(),
            problem,
        };
        survey.problems.extend(problems.into_iter().map(locate));
        let Some(exercise) = exercise else { continue };
        let (plan, problems) = plan::plan(&exercise, config);
        survey.problems.extend(problems.into_iter().map(locate));
        let recorded = load(&exercise.id)?;
        let standings = compare::standings(&plan, recorded.as_ref());
        survey.subjects.push(Subject {
            markdown: markdown.to_owned(),
            exercise,
            plan,
            recorded,
            standings,
        });
    }
    let exercises: Vec<Exercise> = survey
        .subjects
        .iter()
        .map(|it| it.exercise.clone())
        .collect();
    let clashes = exercise::clashes(&exercises).into_iter();
    survey
        .problems
        .extend(clashes.map(|(chapter, problem)| Located { chapter, problem }));
    Ok(survey)
}

/// Whether an exercise has to run under this policy.
pub fn is_due(subject: &Subject, policy: RunPolicy) -> bool {
    let runs = subject
        .standings
        .iter()
        .any(|it| !matches!(it, Standing::Skipped(_)));
    match policy {
        RunPolicy::Never => false,
        RunPolicy::Always => runs,
        RunPolicy::Stale => runs && is_stale(subject),
    }
}

fn is_stale(subject: &Subject) -> bool {
    let recorded = subject.recorded.iter().flat_map(|it| &it.steps);
    let is_gone = |id: &str| !subject.plan.steps.iter().any(|it| it.id == id);
    subject
        .standings
        .iter()
        .any(|it| matches!(it, Standing::New | Standing::Edited))
        || recorded.map(|it| it.id.as_str()).any(is_gone)
}

/// What came of running an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// What became of each step.
    pub comparison: Comparison,
    /// What the snapshot would say now; `None` if a step ended otherwise than it should.
    pub snapshot: Option<Snapshot>,
}

/// Runs one exercise and compares.
pub async fn rehearse(
    subject: &Subject,
    today: Date,
    how: impl AsyncFnOnce(&Plan) -> Result<Transcript>,
) -> Result<Rehearsal> {
    let transcript = how(&subject.plan).await?;
    let recorded = subject.recorded.as_ref();
    let comparison = compare::compare(&subject.plan, recorded, &transcript);
    let snapshot = match is_broken(&comparison) {
        true => None,
        false => Some(compare::merge(&subject.plan, recorded, &transcript, today)),
    };
    Ok(Rehearsal {
        comparison,
        snapshot,
    })
}

/// Whether a step of it ended otherwise than it should.
pub fn is_broken(comparison: &Comparison) -> bool {
    comparison.steps.iter().any(|it| {
        matches!(
            it.verdict,
            Verdict::Failed { .. } | Verdict::TimedOut { .. } | Verdict::NotRun
        )
    })
}

/// Whether it ran as it should but is not as recorded.
pub fn has_drifted(comparison: &Comparison) -> bool {
    let differs = comparison
        .steps
        .iter()
        .any(|it| matches!(it.verdict, Verdict::Drifted | Verdict::New));
    differs || !comparison.moved.is_empty() || !comparison.gone.is_empty()
}
