//! The loop over a book's exercises: what there is, what of it has to run, and what comes of running it. How a plan is run
//! is the caller's: the one seam between the stages and the machine.

use std::time::Duration;

use anyhow::Result;
use jiff::civil::Date;

use crate::compare::{self, Comparison, Standing, StepComparison, Verdict};
use crate::config::RunPolicy;
use crate::coverage::{Coverage, coverage};
use crate::exercise::{self, Chapter, Exercise, Role};
use crate::plan::{self, Circumstances, Plan};
use crate::problem::{Located, Problem};
use crate::snapshot::Snapshot;
use crate::transcript::{Engine, Inventory, Transcript};

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

/// Looks at all chapters; `load` fetches a snapshot by the exercise's name.
pub fn survey<'a>(
    chapters: impl Iterator<Item = Chapter<'a>>,
    around: Circumstances<'_>,
    load: impl Fn(&str) -> Result<Option<Snapshot>>,
) -> Result<Survey> {
    let mut survey = Survey::default();
    for chapter in chapters {
        let (exercise, problems) = exercise::parse(chapter, around.config);
        let locate = |problem| Located {
            chapter: chapter.path.to_owned(),
            problem,
        };
        survey.problems.extend(problems.into_iter().map(locate));
        let Some(exercise) = exercise else { continue };
        let (plan, problems) = plan::plan(&exercise, around);
        survey.problems.extend(problems.into_iter().map(locate));
        let recorded = load(&exercise.id)?;
        let standings = compare::standings(&plan, recorded.as_ref());
        survey.subjects.push(Subject {
            markdown: chapter.text.to_owned(),
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
    require(&mut survey);
    Ok(survey)
}

/// Gives each plan those of the exercises that come first.
fn require(survey: &mut Survey) {
    let mut all = Vec::new();
    for subject in &survey.subjects {
        let mut found = Vec::new();
        let mut problems = Vec::new();
        collect_required(
            subject,
            survey,
            &mut vec![subject],
            &mut found,
            &mut problems,
        );
        all.push((found, problems));
    }
    for (subject, (found, problems)) in survey.subjects.iter_mut().zip(all) {
        subject.plan.needs_of(&found);
        subject.standings = compare::standings(&subject.plan, subject.recorded.as_ref());
        subject.plan.requires = found;
        let chapter = &subject.exercise.chapter;
        survey
            .problems
            .extend(problems.into_iter().map(|problem| Located {
                chapter: chapter.clone(),
                problem,
            }));
    }
}

/// Adds what an exercise requires, and before it what that requires; `path` leads from the first one here.
fn collect_required<'a>(
    subject: &'a Subject,
    survey: &'a Survey,
    path: &mut Vec<&'a Subject>,
    found: &mut Vec<Plan>,
    problems: &mut Vec<Problem>,
) {
    for requirement in &subject.exercise.requires {
        let is_meant = |it: &&Subject| is_named(&it.exercise, &requirement.exercise);
        let is_own = path.len() == 1;
        let mut report = |message: String| {
            // Those of others are told where they stand.
            if is_own {
                problems.push(Problem {
                    origin: requirement.origin,
                    ..Problem::error(requirement.line, message)
                });
            }
        };
        let name = &requirement.exercise;
        let mut meant = survey.subjects.iter().filter(is_meant);
        let required = match (meant.next(), meant.next()) {
            (Some(it), None) => it,
            (Some(one), Some(other)) => {
                report(format!(
                    "`requires {name}` can be `{}` or `{}`; write more of the path",
                    one.exercise.chapter, other.exercise.chapter
                ));
                continue;
            }
            (None, _) => {
                report(format!(
                    "`requires {name}` names no exercise; `mdbook-rehearse list` names them all"
                ));
                continue;
            }
        };
        let is_circle = path.iter().any(|it| it.exercise.id == required.exercise.id)
            || is_own && leads_to(required, subject, survey, &mut Vec::new());
        if is_circle {
            report(format!(
                "`requires {name}` goes round in a circle; one of them must be able to come first"
            ));
            continue;
        }
        path.push(required);
        collect_required(required, survey, path, found, problems);
        path.pop();
        if !found.iter().any(|it| it.exercise == required.exercise.id) {
            found.push(required.plan.clone());
        }
    }
}

/// Whether one exercise requires another, by way of others too.
fn leads_to<'a>(
    from: &'a Subject,
    to: &Subject,
    survey: &'a Survey,
    seen: &mut Vec<&'a str>,
) -> bool {
    if seen.contains(&from.exercise.id.as_str()) {
        return false;
    }
    seen.push(&from.exercise.id);
    let requires = from.exercise.requires.iter().flat_map(|requirement| {
        let is_meant = move |it: &&Subject| is_named(&it.exercise, &requirement.exercise);
        survey.subjects.iter().filter(is_meant)
    });
    let mut requires: Vec<&Subject> = requires.collect();
    requires.dedup_by_key(|it| &it.exercise.id);
    requires.iter().any(|it| it.exercise.id == to.exercise.id)
        || requires
            .into_iter()
            .any(|it| leads_to(it, to, survey, seen))
}

/// Whether an exercise is meant by a name, a chapter's path, or the end of one.
pub fn is_named(exercise: &Exercise, name: &str) -> bool {
    let stem = |it: &str| it.strip_suffix(".md").unwrap_or(it).to_string();
    let (chapter, name) = (stem(&exercise.chapter), stem(name));
    exercise.id == name || chapter == name || chapter.ends_with(&format!("/{name}"))
}

/// Whether an exercise has to run under this policy.
pub fn is_due(subject: &Subject, policy: RunPolicy) -> bool {
    let runs = subject.plan.runs();
    match policy {
        RunPolicy::Never => false,
        RunPolicy::Always => runs,
        RunPolicy::Stale => runs && is_stale(subject),
    }
}

fn is_stale(subject: &Subject) -> bool {
    n_newer(subject) > 0 || n_gone(subject) > 0
}

/// Number of steps that are not recorded as they are.
pub fn n_newer(subject: &Subject) -> usize {
    let is_newer = |it: &&Standing| matches!(it, Standing::New | Standing::Edited);
    subject.standings.iter().filter(is_newer).count()
}

/// Number of steps that are recorded and no longer in the chapter.
pub fn n_gone(subject: &Subject) -> usize {
    let recorded = subject.recorded.iter().flat_map(|it| &it.steps);
    let is_gone = |id: &str| !subject.plan.steps.iter().any(|it| it.id == id);
    recorded.filter(|it| is_gone(&it.id)).count()
}

/// What came of running an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsal {
    /// What became of each step.
    pub comparison: Comparison,
    /// What the snapshot would say now; `None` if a step ended otherwise than it should.
    pub snapshot: Option<Snapshot>,
    /// How much of the chapter was rehearsed.
    pub coverage: Coverage,
    /// What the engine had when a cleanup of the chapter's was over.
    pub left_by_cleanup: Option<Inventory>,
    /// The engine that ran it last.
    pub engine: Engine,
    /// From the first start of a sandbox to the end of the last one.
    pub took: Duration,
    /// What the attempts before this one came to, each from an empty engine.
    pub attempts: Vec<Comparison>,
}

/// Runs one exercise and compares. How long it took and what came of it before is its caller's to tell.
pub async fn rehearse(
    subject: &Subject,
    today: Date,
    how: impl AsyncFnOnce(&Plan) -> Result<Transcript>,
) -> Result<Rehearsal> {
    let transcript = how(&subject.plan).await?;
    let recorded = subject.recorded.as_ref();
    let steps = &subject.plan.steps;
    let cleans_up = steps.iter().any(|it| it.role == Role::Cleanup);
    let left_by_cleanup = cleans_up.then_some(transcript.left);
    let comparison = compare::compare(&subject.plan, recorded, &transcript);
    let snapshot = match is_broken(&comparison) {
        true => None,
        false => Some(compare::merge(&subject.plan, recorded, &transcript, today)),
    };
    Ok(Rehearsal {
        comparison,
        snapshot,
        coverage: coverage(&subject.exercise, &subject.plan),
        left_by_cleanup,
        engine: transcript.engine,
        took: Duration::ZERO,
        attempts: Vec::new(),
    })
}

/// Whether a step of it ended otherwise than it should.
pub fn is_broken(comparison: &Comparison) -> bool {
    comparison.blocked.is_some()
        || comparison.steps.iter().any(|it| {
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

/// Whether it went wrong at first and then, from an empty engine, did not.
pub fn is_flaky(rehearsal: &Rehearsal) -> bool {
    let is_well = !is_broken(&rehearsal.comparison) && !has_drifted(&rehearsal.comparison);
    is_well && !rehearsal.attempts.is_empty()
}

/// Whether another attempt from an empty engine could end otherwise. What was never recorded, or is no longer in the chapter,
/// stays so.
pub fn could_be_flaky(comparison: &Comparison) -> bool {
    let has_drifts = |it: &StepComparison| it.verdict == Verdict::Drifted;
    is_broken(comparison) || !comparison.moved.is_empty() || comparison.steps.iter().any(has_drifts)
}
