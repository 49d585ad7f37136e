//! `check`: runs exercises afresh and compares; what is said of it, and the exit status.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use mdbook_rehearse::problem::{Fault, gravest};
use mdbook_rehearse::record::{self, Outcome, Record};
use mdbook_rehearse::report::exercise::{Purpose, exercise};
use mdbook_rehearse::report::forecast::forecast;
use mdbook_rehearse::run::{Rehearsal, Subject};
use mdbook_rehearse::sandbox::Stopped;
use mdbook_rehearse::schedule::{self, Shard};
use mdbook_rehearse::session::Effort;
use mdbook_rehearse::strict;

use crate::cli::choice::{Choice, choose};
use crate::cli::pace::{Ending, Pace};
use crate::cli::place::place;
use crate::cli::reports::{self, Prepared, Reports};
use crate::{Stage, class_of, shelf, tell_error};

/// What `--strict` comes to.
pub(crate) const STRICT: &str = "\
With `--strict` these are errors too, with these exit statuses: 3 a warning about a chapter, and a step that is skipped for \
want of a value or of a person; 8 a step that is skipped for want of a grant; 4 or 1 a flaky exercise, by whether it broke or \
differed at first; 10 something that is left after a cleanup. Where several meet, the exit status is the first of \
8, 7, 5, 6, 4, 3, 1, 10.";

/// How `check` goes about it.
#[derive(clap::Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    pace: Pace,
    /// Only share I of N of the chosen exercises; the shares are the same on every machine, and about equally long by what is
    /// recorded
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Run an exercise that broke or differs again, at most N times and each time from an empty engine; if it is well then, it
    /// is flaky
    #[arg(long, value_name = "N", default_value_t = 0)]
    retry: usize,
    /// Let nothing pass; see below
    #[arg(long)]
    strict: bool,
    /// Only tell which exercises these are, and how long they should take; no report is written
    #[arg(long, conflicts_with = "targets")]
    dry_run: bool,
}

pub(crate) fn check(
    stage: &Stage,
    root: &Path,
    options: &CheckOptions,
    reports: Reports,
) -> Result<ExitCode> {
    let reports = reports::prepare(reports)?;
    let shelf = shelf(&stage.session, root)?;
    let all = &shelf.survey.subjects;
    let mut subjects = choose(&shelf, &options.choice)?;
    // Other shards have to come to the same names, whichever of the exercises are theirs.
    let chosen = subjects.iter().filter(|it| it.plan.runs());
    let chosen = chosen.map(|it| it.exercise.id.clone()).collect();
    if let Some(shard) = options.shard {
        subjects = schedule::of_shard(&subjects, all, shard);
    }
    if options.dry_run {
        let loads = schedule::loads(&subjects, all);
        anstream::print!("{}", forecast(&subjects, &loads, options.shard));
        return Ok(ExitCode::SUCCESS);
    }
    let mut objections = match options.strict {
        true => strict::before(&subjects, all, &shelf.survey.problems),
        false => Vec::new(),
    };
    subjects.retain(|it| it.plan.runs());
    let book = root.display().to_string();
    let mut results = BTreeMap::new();
    let mut trouble = None;
    if !subjects.is_empty() {
        let effort = Effort {
            jobs: options.pace.jobs,
            n_retries: options.retry,
        };
        let ended = stage
            .session
            .rehearse(&subjects, &shelf, effort, |subject, res| {
                let objected = match &res {
                    Ok(it) if options.strict => strict::after(it),
                    _ => Vec::new(),
                };
                let ending = match &res {
                    Ok(it) if objected.is_empty() && record::exercise(it).fault.is_none() => {
                        Ending::Well
                    }
                    _ => Ending::Wrong,
                };
                objections.extend(objected);
                results.insert(subject.exercise.id.clone(), res);
                Ok(options.pace.after(ending))
            });
        match ended {
            Ok(_) => {}
            Err(error) if error.is::<Stopped>() => {
                // Nobody waits for reports then, but people want to know how far it came.
                for rehearsal in results.values().flatten() {
                    let record = record::exercise(rehearsal);
                    stage.print(&exercise(&record, Purpose::Checking, &book));
                }
                return Err(error);
            }
            Err(error) => {
                tell_error(&error);
                trouble = Some(Fault::new(class_of(&error), format!("{error:#}")));
            }
        }
    }
    let outcomes = outcomes(&subjects, &results, trouble.as_ref());
    let place = place(&shelf)?;
    let record = record::record(&place, options.shard, chosen, &outcomes, objections);
    Ok(end(&record, &book, reports))
}

/// What came of each. Trouble that is no exercise's own is told of the first one that there is nothing of.
fn outcomes<'a>(
    subjects: &[&'a Subject],
    results: &'a BTreeMap<String, Result<Rehearsal, Fault>>,
    mut trouble: Option<&'a Fault>,
) -> Vec<(&'a Subject, Outcome<'a>)> {
    let outcome = |subject: &&'a Subject| {
        let outcome = match results.get(&subject.exercise.id) {
            Some(Ok(rehearsal)) => Outcome::Ran(rehearsal),
            Some(Err(fault)) => Outcome::Troubled(fault),
            None => trouble.take().map_or(Outcome::LeftOut, Outcome::Troubled),
        };
        (*subject, outcome)
    };
    subjects.iter().map(outcome).collect()
}

/// Says what was found, and gives the exit status.
pub(crate) fn end(record: &Record, book: &str, reports: Prepared) -> ExitCode {
    let mut classes = Vec::from_iter(record::fault(record));
    if let Err(error) = reports::tell(record, book, reports) {
        tell_error(&error);
        classes.push(class_of(&error));
    }
    match gravest(classes.into_iter()) {
        Some(class) => ExitCode::from(class as u8),
        None => ExitCode::SUCCESS,
    }
}
