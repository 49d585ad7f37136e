//! `check`: everything afresh, and what is said of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use mdbook_rehearse::config::RunPolicy;
use mdbook_rehearse::problem::{Fault, gravest};
use mdbook_rehearse::record::{self, Outcome, Record};
use mdbook_rehearse::report::exercise::{Purpose, exercise};
use mdbook_rehearse::run::{self, Rehearsal, Subject};
use mdbook_rehearse::sandbox::Stopped;
use mdbook_rehearse::session::Session;

use crate::cli::place::place;
use crate::cli::reports::{self, Prepared, Reports};
use crate::{Choice, choose, class_of, shelf, tell_error};

pub(crate) fn check(
    session: &Session,
    root: &Path,
    choice: &Choice,
    reports: Reports,
) -> Result<ExitCode> {
    let reports = reports::prepare(reports)?;
    let shelf = shelf(session, root)?;
    let mut subjects = choose(&shelf, choice)?;
    subjects.retain(|it| run::is_due(it, RunPolicy::Always));
    let mut rehearsals = BTreeMap::new();
    let mut trouble = None;
    let book = root.display().to_string();
    if !subjects.is_empty() {
        let keep = |it: Rehearsal| {
            rehearsals.insert(it.comparison.exercise.clone(), it);
            Ok(())
        };
        match session.rehearse(&subjects, &shelf, keep) {
            Ok(()) => {}
            Err(error) if error.is::<Stopped>() => {
                // Nobody waits for reports then, but people want to know how far it came.
                for rehearsal in rehearsals.values() {
                    anstream::print!(
                        "{}",
                        exercise(&record::exercise(rehearsal), Purpose::Checking, &book)
                    );
                }
                return Err(error);
            }
            Err(error) => {
                tell_error(&error);
                trouble = Some(Fault::new(class_of(&error), format!("{error:#}")));
            }
        }
    }
    let chosen = subjects.iter().map(|it| it.exercise.id.clone()).collect();
    let outcomes = outcomes(&subjects, &rehearsals, trouble.as_ref());
    let record = record::record(&place(&shelf)?, None, chosen, &outcomes);
    Ok(end(&record, &book, reports))
}

/// What came of each: the first one that there is nothing of is the one that trouble came with.
fn outcomes<'a>(
    subjects: &[&'a Subject],
    rehearsals: &'a BTreeMap<String, Rehearsal>,
    mut trouble: Option<&'a Fault>,
) -> Vec<(&'a Subject, Outcome<'a>)> {
    let outcome = |subject: &&'a Subject| {
        let outcome = match rehearsals.get(&subject.exercise.id) {
            Some(rehearsal) => Outcome::Ran(rehearsal),
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
