//! `run`: runs what is new or edited, and records it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use mdbook_rehearse::config::RunPolicy;
use mdbook_rehearse::problem::{Class, gravest};
use mdbook_rehearse::record::{self, ExerciseRecord};
use mdbook_rehearse::report::exercise::{Purpose, exercise};
use mdbook_rehearse::run;
use mdbook_rehearse::session::{Effort, Recorded, Writing};

use crate::cli::choice::{Choice, choose};
use crate::cli::pace::{Ending, Pace};
use crate::{Stage, shelf};

/// How `run` goes about it.
#[derive(clap::Args)]
pub(crate) struct RunOptions {
    #[command(flatten)]
    choice: Choice,
    /// Run what is recorded already too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    pace: Pace,
    /// Write snapshots even in a CI job (where `CI` is set)
    #[arg(long)]
    pub(crate) accept: bool,
}

pub(crate) fn run(stage: &Stage, root: &Path, options: &RunOptions) -> Result<ExitCode> {
    let session = &stage.session;
    let shelf = shelf(session, root)?;
    let policy = match options.all {
        true => RunPolicy::Always,
        false => RunPolicy::Stale,
    };
    let mut subjects = choose(&shelf, &options.choice)?;
    subjects.retain(|it| run::is_due(it, policy));
    if subjects.is_empty() {
        anstream::println!("everything is recorded; `--all` runs it again");
        return Ok(ExitCode::SUCCESS);
    }
    let mut n_written = 0;
    let mut classes: Vec<Class> = Vec::new();
    let effort = Effort {
        jobs: options.pace.jobs,
        n_retries: 0,
    };
    let book = root.display().to_string();
    let tell = |it: &ExerciseRecord| stage.print(&exercise(it, Purpose::Recording, &book));
    let not_begun = session.rehearse(&subjects, &shelf, effort, |subject, res| {
        let class = match &res {
            Ok(it) => {
                let recorded = session.record(it, &shelf)?;
                n_written += usize::from(recorded == Recorded::Written);
                tell(&record::exercise(it));
                run::is_broken(&it.comparison).then_some(Class::Broke)
            }
            Err(fault) => {
                tell(&record::not_run(subject, Some(fault)));
                Some(fault.class)
            }
        };
        classes.extend(class);
        Ok(options.pace.after(match class {
            None => Ending::Well,
            Some(_) => Ending::Wrong,
        }))
    })?;
    for subject in not_begun {
        tell(&record::not_run(subject, None));
    }
    match session.writing {
        Writing::Allowed => {
            anstream::println!("{n_written} of {} snapshots changed", subjects.len())
        }
        Writing::Refused => {
            anstream::println!("nothing was written: `CI` is set, and `--accept` was not given")
        }
    }
    let gravest = gravest(classes.into_iter());
    Ok(gravest.map_or(ExitCode::SUCCESS, |it| ExitCode::from(it as u8)))
}
